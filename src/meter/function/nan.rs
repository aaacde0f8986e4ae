//! Which computed NaNs can be seen.
//!
//! WebAssembly leaves the bits of a NaN that arithmetic makes to the engine; the profile fixes them
//! (positive, quiet, no payload). Making every result canonical would cost floats dearly, and most
//! of them only flow into more arithmetic or comparisons, which do not tell one NaN from another.
//! So values are followed from the operator that makes them, over the operand stack, locals and
//! `select`, and only those that reach something that shows bits (a store, a reinterpretation, a
//! sign operation, a call, a global, a branch) are made canonical, where they are made.

use wasmparser::Operator;

/// A value's origin: 0 where its bits are the same on every engine, else an index of [`Flow`].
type Node = u32;

/// A value whose bits are the same on every engine.
const CLEAN: Node = 0;

/// A kind of float, as far as making it canonical goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meter) enum Float {
    F32,
    F64,
    F32x4,
    F64x2,
}

/// How an operator looks at the floats that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// As scalars, without telling NaNs apart.
    Scalar,
    /// As lanes of 32 bits, likewise; it does tell a NaN of 64 bits by its halves.
    Lanes32,
    /// As lanes of 64 bits, likewise.
    Lanes64,
    /// As bits.
    Bits,
}

impl Look {
    /// Whether it shows which NaN an operator made.
    fn shows(self, made: Float) -> bool {
        match self {
            Self::Bits => true,
            Self::Scalar => false,
            Self::Lanes32 => made != Float::F32x4,
            Self::Lanes64 => made != Float::F64x2,
        }
    }
}

/// What a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meter) enum Maker {
    /// An event: an operator that makes a float.
    Event(usize),
    /// A load from memory that may hold a NaN of the engine's for a while, in this group of stores.
    Load(usize),
}

/// Follows values through one function.
#[derive(Debug, Default)]
pub(in crate::meter) struct Flow {
    stack: Vec<Node>,
    /// By node: what makes it and what that makes, or `None` for a variable.
    makers: Vec<Option<(Maker, Float)>>,
    /// By node that is a variable: what may be in it.
    sources: Vec<Vec<Node>>,
    /// What was looked at, and how.
    looks: Vec<(Node, Look)>,
}

impl Flow {
    /// Starts with a function of `locals` locals.
    pub fn start(&mut self, locals: usize) {
        self.stack.clear();
        self.makers.clear();
        self.looks.clear();
        self.makers.resize(locals + 1, None);
        self.sources.clear();
        self.sources.resize_with(locals + 1, Vec::new);
    }

    fn variable(&mut self) -> Node {
        self.makers.push(None);
        self.sources.push(Vec::new());
        self.makers.len() as Node - 1
    }

    fn local(index: u32) -> Node {
        index + 1
    }

    fn flows(&mut self, from: Node, to: Node) {
        if from != CLEAN && from != to {
            self.sources[to as usize].push(from);
        }
    }

    fn pop(&mut self) -> Node {
        self.stack.pop().unwrap_or(CLEAN)
    }

    /// The event that makes the value on top of the stack, if it is one.
    pub fn maker(&self) -> Option<(usize, Float)> {
        match self.makers[*self.stack.last()? as usize]? {
            (Maker::Event(event), float) => Some((event, float)),
            (Maker::Load(_), _) => None,
        }
    }

    /// A store whose value is looked at later takes an address and that value.
    pub fn store(&mut self) {
        self.pop();
        self.pop();
    }

    /// A load of what may be a NaN of a group's.
    pub fn load(&mut self, group: usize, float: Float) {
        self.pop();
        let loaded = self.make(Maker::Load(group), float);
        self.stack.push(loaded);
    }

    fn make(&mut self, maker: Maker, float: Float) -> Node {
        let made = self.variable();
        self.makers[made as usize] = Some((maker, float));
        made
    }

    /// The last `count` values, which stay, are seen as bits.
    pub fn show(&mut self, count: usize) {
        let first = self.stack.len().saturating_sub(count);
        for &value in &self.stack[first..] {
            self.looks.push((value, Look::Bits));
        }
    }

    /// Follows an operator that takes `pops` values and leaves `pushes`. `event` is the event that
    /// the operator becomes if it makes a float.
    pub fn operator(&mut self, operator: &Operator<'_>, pops: usize, pushes: usize, event: usize) {
        match operator {
            Operator::LocalGet { local_index } => self.stack.push(Self::local(*local_index)),
            Operator::LocalSet { local_index } => {
                let value = self.pop();
                self.flows(value, Self::local(*local_index));
            }
            Operator::LocalTee { local_index } => {
                let value = self.stack.last().copied().unwrap_or(CLEAN);
                self.flows(value, Self::local(*local_index));
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                self.pop();
                let (second, first) = (self.pop(), self.pop());
                if first == CLEAN && second == CLEAN {
                    return self.stack.push(CLEAN);
                }
                let either = self.variable();
                self.flows(first, either);
                self.flows(second, either);
                self.stack.push(either);
            }
            // Values stay where they are: the ones that a branch brings there are canonical.
            Operator::Block { .. } | Operator::Loop { .. } | Operator::End => {}
            Operator::If { .. } => {
                self.pop();
                // Both arms start with the same values, but only one of them is followed.
                self.show(pops.saturating_sub(1));
            }
            operator => {
                let (look, makes) = effect(operator);
                for _ in 0..pops {
                    let value = self.pop();
                    if value != CLEAN && look != Look::Scalar {
                        self.looks.push((value, look));
                    }
                }
                let result = match makes {
                    Some(float) => self.make(Maker::Event(event), float),
                    None => CLEAN,
                };
                for _ in 0..pushes {
                    self.stack.push(result);
                }
            }
        }
    }

    /// Code is reached again, behind an `else` or `end` that leaves `height` values, the last
    /// `fresh` of which come from somewhere else.
    pub fn revive(&mut self, height: usize, fresh: usize) {
        self.stack.truncate(height.saturating_sub(fresh));
        self.stack.resize(height, CLEAN);
    }

    /// The makers whose floats can be seen.
    pub fn seen(&mut self, mut mark: impl FnMut(Maker)) {
        for look in [Look::Bits, Look::Lanes32, Look::Lanes64] {
            let of_this = self.looks.iter().filter(|&&(_, how)| how == look);
            let mut pending: Vec<Node> = of_this.map(|&(node, _)| node).collect();
            let mut known = vec![
                false;
                if pending.is_empty() {
                    0
                } else {
                    self.makers.len()
                }
            ];
            while let Some(node) = pending.pop() {
                if std::mem::replace(&mut known[node as usize], true) {
                    continue;
                }
                match self.makers[node as usize] {
                    Some((maker, float)) if look.shows(float) => mark(maker),
                    _ => {}
                }
                pending.extend_from_slice(&self.sources[node as usize]);
            }
        }
    }
}

/// What kind of float an operator makes, if its NaNs are the engine's choice.
pub(in crate::meter) fn makes(operator: &Operator<'_>) -> Option<Float> {
    effect(operator).1
}

#[rustfmt::skip]
fn effect(operator: &Operator<'_>) -> (Look, Option<Float>) {
    use Operator as O;
    match operator {
        O::F32Ceil | O::F32Floor | O::F32Trunc | O::F32Nearest | O::F32Sqrt | O::F32Add | O::F32Sub
        | O::F32Mul | O::F32Div | O::F32Min | O::F32Max | O::F32DemoteF64 => {
            (Look::Scalar, Some(Float::F32))
        }
        O::F64Ceil | O::F64Floor | O::F64Trunc | O::F64Nearest | O::F64Sqrt | O::F64Add | O::F64Sub
        | O::F64Mul | O::F64Div | O::F64Min | O::F64Max | O::F64PromoteF32 => {
            (Look::Scalar, Some(Float::F64))
        }
        O::F32x4Ceil | O::F32x4Floor | O::F32x4Trunc | O::F32x4Nearest | O::F32x4Sqrt | O::F32x4Add
        | O::F32x4Sub | O::F32x4Mul | O::F32x4Div | O::F32x4Min | O::F32x4Max
        | O::F32x4RelaxedMadd | O::F32x4RelaxedNmadd | O::F32x4RelaxedMin | O::F32x4RelaxedMax => {
            (Look::Lanes32, Some(Float::F32x4))
        }
        O::F64x2Ceil | O::F64x2Floor | O::F64x2Trunc | O::F64x2Nearest | O::F64x2Sqrt | O::F64x2Add
        | O::F64x2Sub | O::F64x2Mul | O::F64x2Div | O::F64x2Min | O::F64x2Max
        | O::F64x2RelaxedMadd | O::F64x2RelaxedNmadd | O::F64x2RelaxedMin | O::F64x2RelaxedMax => {
            (Look::Lanes64, Some(Float::F64x2))
        }
        O::F32x4DemoteF64x2Zero => (Look::Lanes64, Some(Float::F32x4)),
        O::F64x2PromoteLowF32x4 => (Look::Lanes32, Some(Float::F64x2)),
        O::Drop
        | O::F32Eq | O::F32Ne | O::F32Lt | O::F32Gt | O::F32Le | O::F32Ge
        | O::F64Eq | O::F64Ne | O::F64Lt | O::F64Gt | O::F64Le | O::F64Ge
        | O::I32TruncF32S | O::I32TruncF32U | O::I32TruncF64S | O::I32TruncF64U
        | O::I64TruncF32S | O::I64TruncF32U | O::I64TruncF64S | O::I64TruncF64U
        | O::I32TruncSatF32S | O::I32TruncSatF32U | O::I32TruncSatF64S | O::I32TruncSatF64U
        | O::I64TruncSatF32S | O::I64TruncSatF32U | O::I64TruncSatF64S | O::I64TruncSatF64U => {
            (Look::Scalar, None)
        }
        O::F32x4Eq | O::F32x4Ne | O::F32x4Lt | O::F32x4Gt | O::F32x4Le | O::F32x4Ge
        | O::I32x4TruncSatF32x4S | O::I32x4TruncSatF32x4U
        | O::I32x4RelaxedTruncF32x4S | O::I32x4RelaxedTruncF32x4U => (Look::Lanes32, None),
        O::F64x2Eq | O::F64x2Ne | O::F64x2Lt | O::F64x2Gt | O::F64x2Le | O::F64x2Ge
        | O::I32x4TruncSatF64x2SZero | O::I32x4TruncSatF64x2UZero
        | O::I32x4RelaxedTruncF64x2SZero | O::I32x4RelaxedTruncF64x2UZero => (Look::Lanes64, None),
        _ => (Look::Bits, None),
    }
}
