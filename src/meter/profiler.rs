//! The host's side of a profile: which function made how many steps, and on whose behalf.

/// Calls that are nested deeper than this are one node together, named by no function.
const DEEPEST: u32 = 256;
/// No more nodes than this; what would be another belongs to its caller's.
const MOST_NODES: usize = 1 << 16;

/// A function as it was called from a certain chain of functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The function's index in the task's module; `None` for the root, and for all that is nested too
    /// deeply to be told apart.
    pub function: Option<u32>,
    /// The node of its caller; the root is its own.
    pub parent: u32,
    /// Steps that it made itself.
    pub steps: u64,
    /// How often it was called in this place.
    pub calls: u64,
    depth: u32,
    children: Vec<u32>,
}

/// Attributes each step of a run to a function and the calls that led to it.
#[derive(Debug, Clone)]
pub struct Profiler {
    nodes: Vec<Node>,
    /// The node of each call that has not returned.
    stack: Vec<u32>,
    /// Steps that are attributed.
    noted: u64,
    /// The function that runs makes a tail call, to whatever it may be.
    is_leaving: bool,
}

impl Default for Profiler {
    fn default() -> Self {
        Self {
            nodes: vec![Node {
                function: None,
                parent: 0,
                steps: 0,
                calls: 0,
                depth: 0,
                children: Vec::new(),
            }],
            stack: Vec::new(),
            noted: 0,
            is_leaving: false,
        }
    }
}

impl Profiler {
    fn current(&self) -> u32 {
        self.stack.last().copied().unwrap_or(0)
    }

    /// All steps up to `steps` that nobody has yet belong to the function that runs.
    fn note(&mut self, steps: u64) {
        let current = self.current();
        self.nodes[current as usize].steps += steps.saturating_sub(self.noted);
        self.noted = self.noted.max(steps);
    }

    fn child(&mut self, parent: u32, function: u32) -> u32 {
        let node = &self.nodes[parent as usize];
        // Recursion of a function into itself is one node.
        if node.function == Some(function) || (node.function.is_none() && node.depth > DEEPEST) {
            return parent;
        }
        let wanted = (node.depth < DEEPEST).then_some(function);
        let mut children = node.children.iter();
        // The last one that was called is likely to be called again.
        let found = children.rfind(|&&child| self.nodes[child as usize].function == wanted);
        if let Some(&child) = found {
            return child;
        }
        if self.nodes.len() >= MOST_NODES {
            return parent;
        }
        let child = self.nodes.len() as u32;
        let depth = node.depth + 1;
        self.nodes.push(Node {
            function: wanted,
            parent,
            steps: 0,
            calls: 0,
            depth: if wanted.is_some() { depth } else { DEEPEST + 1 },
            children: Vec::new(),
        });
        self.nodes[parent as usize].children.push(child);
        child
    }

    /// A function begins after `steps` steps of the run. Returns whether it takes the place of the one
    /// that began last.
    pub fn enter(&mut self, function: u32, steps: u64) -> bool {
        if std::mem::take(&mut self.is_leaving) {
            self.replace(function, steps);
            return true;
        }
        self.note(steps);
        let child = self.child(self.current(), function);
        self.nodes[child as usize].calls += 1;
        self.stack.push(child);
        false
    }

    /// The function that began last has returned.
    pub fn leave(&mut self, steps: u64) {
        // It made a tail call to no function of the task, which has returned in its place.
        self.is_leaving = false;
        self.note(steps);
        self.stack.pop();
    }

    /// The function that began last makes a tail call.
    pub fn tail(&mut self, steps: u64) {
        self.note(steps);
        self.is_leaving = true;
    }

    /// Another function takes the place of the one that began last.
    pub fn replace(&mut self, function: u32, steps: u64) {
        self.note(steps);
        let replaced = self.stack.pop().unwrap_or(0);
        let caller = match self.nodes[replaced as usize].function {
            // What is one node by recursion, or by its depth, has the caller that it was first.
            Some(_) => self.nodes[replaced as usize].parent,
            None => replaced,
        };
        let child = self.child(caller, function);
        self.nodes[child as usize].calls += 1;
        self.stack.push(child);
    }

    /// The run has made `steps` steps; the last of them belong to the function that was running.
    /// Returns all nodes, the root first, each behind its parent. Their steps add up to `steps`.
    pub fn nodes_at(&self, steps: u64) -> Vec<Node> {
        let mut ended = self.clone();
        ended.note(steps);
        ended.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(nodes: &[Node]) -> u64 {
        nodes.iter().map(|node| node.steps).sum()
    }

    #[test]
    fn steps_belong_to_the_function_that_runs() {
        let mut profiler = Profiler::default();
        profiler.enter(7, 0);
        profiler.enter(8, 10);
        profiler.leave(15);
        profiler.enter(8, 16);
        profiler.replace(9, 20);
        profiler.leave(120);
        let nodes = profiler.nodes_at(123);
        let told: Vec<_> = nodes
            .iter()
            .map(|node| (node.function, node.parent, node.steps, node.calls))
            .collect();
        assert_eq!(
            told,
            [
                (None, 0, 0, 0),
                (Some(7), 0, 10 + 1 + 3, 1),
                (Some(8), 1, 5 + 4, 2),
                (Some(9), 1, 100, 1),
            ]
        );
    }

    #[test]
    fn recursion_and_depth_are_folded_and_no_step_is_lost() {
        let mut profiler = Profiler::default();
        for call in 0..10_000 {
            profiler.enter(call % 3, u64::from(call) * 2);
        }
        let nodes = profiler.nodes_at(30_000);
        assert_eq!(sum(&nodes), 30_000);
        assert_eq!(nodes.len() as u32, 1 + DEEPEST + 1);
        let mut profiler = Profiler::default();
        for call in 0..10_000u64 {
            profiler.enter(5, call);
        }
        assert_eq!(profiler.nodes_at(10_000).len(), 2);
    }
}
