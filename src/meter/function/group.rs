//! Stores of computed floats that are looked through for NaNs two by two.
//!
//! One test of a sum costs a compiler's code less than one for each value: NaN and anything is NaN.
//! So where no branch or call comes between two stores, values are stored as they are, and behind the
//! second store one branch, hardly ever taken, leads to where both are stored again, canonical.
//! (More than two to a test gain less: sums take time, and values registers.)
//!
//! Between the two memory may hold a NaN that the engine has made, and nothing may show it. So nothing
//! else touches memory there, but for loads of floats of the same size at the same alignment: these
//! load all of a float or nothing of it, and that one NaN is another is shown by nothing that only
//! calculates ([`super::nan`] follows where the loaded value goes). Which addresses are alike is known
//! where they differ by constants; otherwise the code asks once for a stretch with several pairs, and
//! has it a second time as it would be by itself.
//!
//! A trap between the two ends the run, and the run that is made again for it is not this code.

use wasmparser::Operator;

/// The fewest stores that are worth the test of their addresses, and the code twice.
const FEWEST_TESTED: usize = 4;

/// The most locals that addresses of a group come from.
const MOST_ROOTS: usize = 4;

/// The most locals that are followed.
const MOST_LOCALS: usize = 64;

/// The most bytes of code that are written twice.
const MOST_BYTES: usize = 1024;

/// What an address is made of, as far as it is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// This, added to what a local held where the stretch begins; `None` stands for 0.
    Sum(Option<u32>, u32),
    /// Something else.
    Other,
}

/// An operator, as far as addresses go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Get(u32),
    Set(u32),
    Tee(u32),
    Constant(u32),
    Add,
    Subtract,
    /// It touches memory.
    Memory,
    /// Anything else that does not branch, call or ask the host.
    Other,
}

impl Step {
    /// What an operator is.
    #[rustfmt::skip]
    pub(super) fn of(operator: &Operator<'_>) -> Self {
    use Operator as O;
    match operator {
        O::LocalGet { local_index } => Step::Get(*local_index),
        O::LocalSet { local_index } => Step::Set(*local_index),
        O::LocalTee { local_index } => Step::Tee(*local_index),
        O::I32Const { value } => Step::Constant(*value as u32),
        O::I32Add => Step::Add,
        O::I32Sub => Step::Subtract,
        O::I32Load { .. } | O::I64Load { .. } | O::F32Load { .. } | O::F64Load { .. }
        | O::I32Load8S { .. } | O::I32Load8U { .. } | O::I32Load16S { .. } | O::I32Load16U { .. }
        | O::I64Load8S { .. } | O::I64Load8U { .. } | O::I64Load16S { .. } | O::I64Load16U { .. }
        | O::I64Load32S { .. } | O::I64Load32U { .. }
        | O::I32Store { .. } | O::I64Store { .. } | O::F32Store { .. } | O::F64Store { .. }
        | O::I32Store8 { .. } | O::I32Store16 { .. }
        | O::I64Store8 { .. } | O::I64Store16 { .. } | O::I64Store32 { .. }
        | O::V128Load { .. } | O::V128Store { .. }
        | O::V128Load8x8S { .. } | O::V128Load8x8U { .. } | O::V128Load16x4S { .. }
        | O::V128Load16x4U { .. } | O::V128Load32x2S { .. } | O::V128Load32x2U { .. }
        | O::V128Load8Splat { .. } | O::V128Load16Splat { .. } | O::V128Load32Splat { .. }
        | O::V128Load64Splat { .. } | O::V128Load32Zero { .. } | O::V128Load64Zero { .. }
        | O::V128Load8Lane { .. } | O::V128Load16Lane { .. } | O::V128Load32Lane { .. }
        | O::V128Load64Lane { .. } | O::V128Store8Lane { .. } | O::V128Store16Lane { .. }
        | O::V128Store32Lane { .. } | O::V128Store64Lane { .. } => Step::Memory,
        _ => Step::Other,
    }
}
}

/// A store in a group.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// The event that the store is.
    store: usize,
    /// The event that makes the value.
    maker: usize,
}

/// Addresses that must be alike: what two locals hold (`None` stands for 0), and what is added to their
/// difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meter) struct Alike {
    pub one: Option<u32>,
    pub other: Option<u32>,
    pub more: u32,
}

/// Pairs of stores, and the stretch of code that they are in.
#[derive(Debug, Clone)]
pub(in crate::meter) struct Group {
    /// The first event of the stretch.
    pub first: usize,
    /// The last, behind which the operand stack is as high as before the first.
    pub last: usize,
    /// Where in the module the stretch begins.
    pub start: usize,
    /// The floats have 64 bits.
    pub double: bool,
    /// What must hold at the beginning.
    pub alike: Vec<Alike>,
    /// The pairs, one member behind the other.
    members: Vec<Member>,
    /// A value that was loaded in it is shown.
    shown: bool,
}

impl Group {
    /// Whether an event is a store in it.
    pub fn has(&self, event: usize) -> bool {
        self.members
            .binary_search_by_key(&event, |it| it.store)
            .is_ok()
    }

    /// Leaves only what is worth it, where `seen` tells which makers' floats are made canonical in any
    /// case. The makers of the rest are added to `alone`.
    fn trim(&mut self, seen: impl Fn(usize) -> bool, alone: &mut Vec<usize>) {
        let (pairs, _) = self.members.as_chunks::<2>();
        let mut left = Vec::with_capacity(self.members.len());
        for pair in pairs {
            match pair.iter().any(|it| seen(it.maker)) {
                true => alone.extend(pair.iter().map(|it| it.maker)),
                false => left.extend(pair),
            }
        }
        let fewest = match self.alike.is_empty() {
            true => 2,
            false => FEWEST_TESTED,
        };
        if self.shown || left.len() < fewest {
            alone.extend(left.drain(..).map(|it: Member| it.maker));
        }
        self.members = left;
    }
}

/// Finds groups while a function is read.
#[derive(Debug, Default)]
pub(in crate::meter) struct Grouping {
    /// Those that are closed.
    groups: Vec<Group>,
    /// Makers of values whose stores belong to no group after all.
    alone: Vec<usize>,
    /// The stretch that is open.
    first: usize,
    start: usize,
    double: bool,
    /// What is on the operand stack above what was there at its beginning.
    stack: Vec<Form>,
    /// The locals that it has set.
    locals: Vec<(u32, Form)>,
    members: Vec<Member>,
    /// How many of these, in pairs, there were when the stack was last as high as at the beginning.
    whole: usize,
    /// By root, the addresses so far, without multiples of the floats' size.
    roots: Vec<(Option<u32>, u32)>,
}

impl Grouping {
    /// Starts with a function.
    pub fn begin(&mut self, start: usize) {
        self.groups.clear();
        self.alone.clear();
        self.members.clear();
        self.restart(0, start);
    }

    /// The stretch that is open ends; the next one begins at `start`, before event `first`.
    pub fn restart(&mut self, first: usize, start: usize) {
        self.close();
        self.first = first;
        self.start = start;
        self.stack.clear();
        self.locals.clear();
        self.roots.clear();
        self.whole = 0;
    }

    fn close(&mut self) {
        if self.members.is_empty() {
            return;
        }
        let rest = self.members.split_off(self.whole.min(self.members.len()));
        self.alone.extend(rest.iter().map(|it| it.maker));
        let alike = self.roots.iter().skip(1).map(|&(root, residue)| Alike {
            one: root,
            other: self.roots[0].0,
            more: residue.wrapping_sub(self.roots[0].1) % self.size(),
        });
        // Loads name it by its number, so it is kept even if it has no members left.
        self.groups.push(Group {
            first: self.first,
            last: self.members.last().map_or(self.first, |it| it.store),
            start: self.start,
            double: self.double,
            alike: alike.collect(),
            members: std::mem::take(&mut self.members),
            shown: false,
        });
    }

    fn size(&self) -> u32 {
        if self.double { 8 } else { 4 }
    }

    /// Whether memory may hold a NaN that the engine has made.
    fn is_pending(&self) -> bool {
        self.members.len() % 2 == 1
    }

    fn form(&self, local: u32) -> Form {
        let set = self.locals.iter().rev().find(|&&(it, _)| it == local);
        set.map_or(Form::Sum(Some(local), 0), |&(_, form)| form)
    }

    fn set(&mut self, local: u32, form: Form) {
        match self.locals.iter_mut().find(|(it, _)| *it == local) {
            Some((_, known)) => *known = form,
            None => self.locals.push((local, form)),
        }
    }

    /// Takes an access at `form`, or says that it does not fit.
    fn access(&mut self, form: Form, offset: u64, double: bool) -> bool {
        let Form::Sum(root, more) = form else {
            return false;
        };
        if !self.members.is_empty() && self.double != double {
            return false;
        }
        self.double = double;
        let residue = more.wrapping_add(offset as u32) % self.size();
        match self.roots.iter().find(|&&(it, _)| it == root) {
            Some(&(_, known)) => known == residue,
            None if self.roots.len() == MOST_ROOTS => false,
            None => {
                self.roots.push((root, residue));
                true
            }
        }
    }

    /// A float that `maker` makes is stored by what would be event `event`. Returns whether it may be
    /// looked at later.
    pub fn store(&mut self, offset: u64, double: bool, maker: usize, event: usize) -> bool {
        let Some(at) = self.stack.len().checked_sub(2) else {
            return false;
        };
        if !self.access(self.stack[at], offset, double) {
            return false;
        }
        self.stack.truncate(at);
        let store = event;
        self.members.push(Member { store, maker });
        if self.stack.is_empty() && !self.is_pending() {
            self.whole = self.members.len();
        }
        true
    }

    /// A float is loaded. Returns the group whose NaN it may be.
    pub fn load(&mut self, offset: u64, double: bool) -> Option<usize> {
        let form = *self.stack.last()?;
        if !self.is_pending() || !self.access(form, offset, double) {
            return None;
        }
        *self.stack.last_mut()? = Form::Other;
        Some(self.groups.len())
    }

    /// An operator that takes `pops` values and leaves `pushes`; behind it, at `end`, is event `next`.
    pub(super) fn step(
        &mut self,
        step: Step,
        (pops, pushes): (usize, usize),
        (next, end): (usize, usize),
    ) {
        let long = end - self.start > MOST_BYTES || self.locals.len() > MOST_LOCALS;
        let touches = step == Step::Memory && self.is_pending();
        if pops > self.stack.len() || touches || long {
            return self.restart(next, end);
        }
        let top = |back: usize| self.stack[self.stack.len() - back];
        let form = match step {
            Step::Get(local) => self.form(local),
            Step::Set(local) => {
                let form = top(1);
                self.set(local, form);
                Form::Other
            }
            Step::Tee(local) => {
                let form = top(1);
                self.set(local, form);
                form
            }
            Step::Constant(value) => Form::Sum(None, value),
            Step::Add => match (top(2), top(1)) {
                (Form::Sum(root, one), Form::Sum(None, other))
                | (Form::Sum(None, one), Form::Sum(root, other)) => {
                    Form::Sum(root, one.wrapping_add(other))
                }
                _ => Form::Other,
            },
            Step::Subtract => match (top(2), top(1)) {
                (Form::Sum(root, one), Form::Sum(None, other)) => {
                    Form::Sum(root, one.wrapping_sub(other))
                }
                _ => Form::Other,
            },
            Step::Memory | Step::Other => Form::Other,
        };
        self.stack.truncate(self.stack.len() - pops);
        self.stack.extend(std::iter::repeat_n(form, pushes));
    }

    /// A value that was loaded in this group is shown.
    pub fn show(&mut self, group: usize) {
        if let Some(group) = self.groups.get_mut(group) {
            group.shown = true;
        }
    }

    /// Leaves only the groups that are worth it, where `seen` tells which makers' floats are made
    /// canonical in any case. Returns the makers of floats that are to be made canonical where they
    /// are made, and those for which that is so only outside of groups.
    pub fn finish(&mut self, seen: impl Fn(usize) -> bool) -> (Vec<usize>, Vec<usize>) {
        let mut alone = std::mem::take(&mut self.alone);
        self.groups.retain_mut(|group| {
            group.trim(&seen, &mut alone);
            !group.members.is_empty()
        });
        let members = self.groups.iter().flat_map(|group| &group.members);
        let grouped = members.map(|it| it.maker).collect();
        (alone, grouped)
    }

    /// Adds the group that begins at event `first` of `other`, where that event is `now`.
    pub fn copy(&mut self, other: &Self, first: usize, now: usize) {
        if let Ok(at) = other.groups.binary_search_by_key(&first, |it| it.first) {
            let mut group = other.groups[at].clone();
            group.first = now;
            group.last = group.last - first + now;
            for member in &mut group.members {
                member.store = member.store - first + now;
            }
            self.groups.push(group);
        }
    }

    /// What was found, in the order of the code.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}
