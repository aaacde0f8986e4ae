//! A function's code, taken apart.

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::{FunctionBody, Operator, ValType};

/// A function.
pub struct Function<'a> {
    parameters: usize,
    /// The types of all its locals.
    pub locals: Vec<ValType>,
    /// Its code.
    pub operators: Vec<Operator<'a>>,
}

impl<'a> Function<'a> {
    /// Reads a function's body.
    pub fn read(parameters: &[ValType], body: &FunctionBody<'a>) -> Result<Self> {
        let mut locals = parameters.to_vec();
        for run in body.get_locals_reader()? {
            let (count, of) = run?;
            locals.extend((0..count).map(|_| of));
        }
        let operators = body.get_operators_reader()?.into_iter();
        Ok(Self {
            parameters: parameters.len(),
            locals,
            operators: operators.collect::<Result<_, _>>()?,
        })
    }

    /// Writes it again.
    pub fn encode(&self) -> Result<wasm_encoder::Function> {
        let mut reencoder = RoundtripReencoder;
        let locals = self.locals[self.parameters..].iter();
        let locals = locals.map(|&of| reencoder.val_type(of));
        let locals = locals.collect::<Result<Vec<_>, _>>()?;
        let mut function = wasm_encoder::Function::new_with_locals_types(locals);
        for operator in &self.operators {
            function.instruction(&reencoder.instruction(operator.clone())?);
        }
        Ok(function)
    }

    /// How many of the locals are parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Adds a local.
    pub fn add_local(&mut self, of: ValType) -> u32 {
        self.locals.push(of);
        self.locals.len() as u32 - 1
    }
}

/// A set of locals.
pub type Locals = u128;

/// Where control goes.
pub struct Flow {
    /// What may come after each operator: indices of operators.
    pub after: Vec<Vec<usize>>,
    /// For each operator, the loop right around it, or the loop itself.
    loops: Vec<Option<usize>>,
}

impl Flow {
    /// Reads it off a function's code.
    pub fn of(operators: &[Operator<'_>]) -> Result<Self> {
        let ends = ends(operators)?;
        let mut open: Vec<usize> = Vec::new();
        let mut flow = Self {
            after: Vec::with_capacity(operators.len()),
            loops: Vec::with_capacity(operators.len()),
        };
        for (at, operator) in operators.iter().enumerate() {
            let target = |depth: u32| -> Result<usize> {
                let depth = depth as usize;
                // The outermost label is the function's.
                if depth == open.len() {
                    return Ok(operators.len() - 1);
                }
                let index = open.len().checked_sub(depth + 1).context("a label")?;
                let block = open[index];
                Ok(match operators[block] {
                    Operator::Loop { .. } => block,
                    _ => ends[block].end,
                })
            };
            let after = match operator {
                Operator::Br { relative_depth } => vec![target(*relative_depth)?],
                Operator::BrIf { relative_depth } => vec![target(*relative_depth)?, at + 1],
                Operator::BrTable { targets } => {
                    let mut all = vec![target(targets.default())?];
                    for depth in targets.targets() {
                        all.push(target(depth?)?);
                    }
                    all.sort_unstable();
                    all.dedup();
                    all
                }
                Operator::If { .. } => vec![at + 1, ends[at].otherwise.unwrap_or(ends[at].end)],
                Operator::Else => {
                    let block = open.last().context("`else` without `if`")?;
                    vec![ends[*block].end]
                }
                Operator::Return
                | Operator::Unreachable
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. } => Vec::new(),
                Operator::BrOnNull { .. }
                | Operator::BrOnNonNull { .. }
                | Operator::BrOnCast { .. }
                | Operator::BrOnCastFail { .. }
                | Operator::TryTable { .. }
                | Operator::Throw { .. }
                | Operator::ThrowRef => bail!("{operator:?} is not known here"),
                _ if at + 1 == operators.len() => Vec::new(),
                _ => vec![at + 1],
            };
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    open.push(at);
                }
                Operator::End => drop(open.pop()),
                _ => {}
            }
            let is_loop = |at: &&usize| matches!(operators[**at], Operator::Loop { .. });
            flow.loops.push(open.iter().rev().find(is_loop).copied());
            flow.after.push(after);
        }
        Ok(flow)
    }

    /// The loop right around the operator at an index.
    pub fn loop_around(&self, at: usize) -> Option<usize> {
        self.loops[at]
    }

    /// The locals whose value before each operator may still be read.
    pub fn live(&self, function: &Function<'_>) -> Result<Vec<Locals>> {
        let count = function.locals.len();
        ensure!(count <= Locals::BITS as usize, "{count} locals");
        let mut live = vec![0; function.operators.len()];
        loop {
            let mut changed = false;
            for (at, operator) in function.operators.iter().enumerate().rev() {
                let after = self.after[at].iter();
                let after: Locals = after.fold(0, |all, &next| all | live[next]);
                let before = match operator {
                    Operator::LocalGet { local_index } => after | 1 << local_index,
                    Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                        after & !(1 << local_index)
                    }
                    _ => after,
                };
                changed |= before != live[at];
                live[at] = before;
            }
            if !changed {
                return Ok(live);
            }
        }
    }
}

/// What a branch at an index calls the block or loop that another index opens around it.
pub fn label(operators: &[Operator<'_>], at: usize, block: usize) -> Result<u32> {
    let mut open = Vec::new();
    for (at, operator) in operators[..at].iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
            Operator::End => drop(open.pop()),
            _ => {}
        }
    }
    let depth = open.iter().rev().position(|&around| around == block);
    Ok(u32::try_from(depth.context("not within the block")?)?)
}

/// Where a block ends.
#[derive(Default, Clone)]
struct Ends {
    /// Its `end`.
    end: usize,
    /// What comes after its `else`.
    otherwise: Option<usize>,
}

/// The ends of all blocks, at the index of what opens them.
fn ends(operators: &[Operator<'_>]) -> Result<Vec<Ends>> {
    let mut ends = vec![Ends::default(); operators.len()];
    let mut open = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
            Operator::Else => {
                let block: usize = *open.last().context("`else` without `if`")?;
                ends[block].otherwise = Some(at + 1);
            }
            // The last one is the function's.
            Operator::End if at + 1 < operators.len() => {
                let block = open.pop().context("`end` without a block")?;
                ends[block].end = at;
            }
            _ => {}
        }
    }
    Ok(ends)
}
