//! A function's operators, reduced to the ones that matter for metering.
//!
//! Everything between two events is copied as it is; only its cost counts.

use super::group::{Grouping, Step};
use super::nan::{Float, Flow, Maker, makes};
use crate::meter::cost::{Unit, weight};
use crate::meter::leaves::Leaf;
use wasmparser::{
    BinaryReaderError, BlockType, FuncValidator, FunctionBody, ModuleArity, Operator, ValType,
    WasmModuleResources,
};

/// Index of a label in [`Scan::labels`]; 0 is the function's own.
pub(in crate::meter) type LabelId = u32;

/// What a block-like operator opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meter) enum LabelKind {
    Function,
    Block,
    Loop,
    If,
}

/// A branch target.
#[derive(Debug, Clone)]
pub(in crate::meter) struct Label {
    pub kind: LabelKind,
    /// A branch goes there.
    pub targeted: bool,
    /// A `br_table` goes there: all its targets must agree on what is charged ahead, so nothing is.
    pub pinned: bool,
    /// An `if` with an `else`.
    pub has_else: bool,
    /// How many values a branch to it carries.
    pub arity: u32,
    /// How many loops it is in, itself included.
    pub loops: u32,
    /// A loop without another loop or a call in it.
    pub tight: bool,
    /// A loop that asks for steps behind several turns of it, not at its head ([`super::turns`]).
    pub asks_later: bool,
    /// A block that is the place of this loop in one copy of the loop's body.
    pub stands_for: Option<LabelId>,
}

impl Label {
    fn new(kind: LabelKind, loops: u32) -> Self {
        Self {
            kind,
            targeted: kind == LabelKind::If,
            pinned: false,
            has_else: false,
            arity: 0,
            loops,
            tight: kind == LabelKind::Loop,
            asks_later: false,
            stands_for: None,
        }
    }
}

/// A bulk operator's length operand, which is on top of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meter) struct Bulk {
    pub unit: Unit,
    /// The length is an i64.
    pub wide: bool,
}

/// An operator that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meter) enum Kind {
    /// `local.get` (0x20), `local.set` (0x21) or `local.tee` (0x22).
    Local {
        opcode: u8,
        index: u32,
    },
    RefFunc(u32),
    /// A relaxed SIMD operator, by the number behind its prefix.
    Relaxed(u32),
    /// An operator that makes a float, which may need its NaN made canonical.
    Float,
    /// A store of a float that may be looked at later, in a [`super::group::Group`].
    Store,
    /// Code that no path reaches; it is left out.
    Dead,
    Block(LabelId),
    Loop(LabelId),
    If(LabelId),
    Else(LabelId),
    End(LabelId),
    Br(LabelId),
    BrIf(LabelId),
    BrTable,
    Return,
    Unreachable,
    Call(u32),
    /// A call of a leaf ([`crate::meter::leaves`]), and of one that is left as it is. [`scan`] finds only calls.
    CallLeaf(u32),
    CallPlain {
        function: u32,
        /// What the leaf costs.
        cost: u32,
    },
    CallIndirect {
        ty: u32,
        table: u32,
        wide: bool,
    },
    ReturnCall(u32),
    ReturnCallIndirect {
        ty: u32,
        table: u32,
        wide: bool,
    },
    MemoryGrow(u32),
    TableGrow(u32),
    Bulk(Bulk),
    /// A block that the module does not have opens, with a type that is one byte.
    Open {
        label: LabelId,
        ty: u8,
    },
    /// A branch of ours.
    Leave(LabelId),
    /// A block of ours ends.
    Close(LabelId),
    /// Asks the host if no steps are left.
    Ask,
}

/// An event: an operator that matters, and the cost of those since the event before.
#[derive(Debug, Clone, Copy)]
pub(in crate::meter) struct Event {
    pub kind: Kind,
    /// Bytes of the operator in the module.
    pub start: usize,
    pub end: usize,
    /// Steps of the operators between the last event and this one.
    pub cost: u32,
    /// How many loops it is in.
    pub loops: u32,
    /// The float that it leaves, if its NaN must be made canonical.
    pub canonical: Option<Float>,
    /// Not where its store is in a group.
    pub later: bool,
}

/// What [`scan`] finds.
#[derive(Debug, Default)]
pub(in crate::meter) struct Scan {
    pub events: Vec<Event>,
    pub labels: Vec<Label>,
    /// The most values on the operand stack.
    pub height: u32,
    /// The most labels of a `br_table`, the default not counted.
    pub targets: u32,
    /// It calls; so the host, or itself.
    pub calls: bool,
    /// It makes tail calls.
    pub tail_calls: bool,
    /// Where its operators start in the module.
    pub start: usize,
    /// Follows floats, where the engine does not make NaNs canonical by itself.
    pub floats: Option<Flow>,
    /// Finds stores to look at together, where that is of use; it needs `floats`.
    pub grouping: Option<Grouping>,
    /// By event, where floats are followed: what it makes.
    pub made: Vec<(usize, Float)>,
    /// Some of its loops ask later.
    pub turned: bool,
}

/// The most bytes of a function that calls nothing and does not look at its steps when it is entered.
///
/// No look is made in it if it has no loop, nor between two calls of it. So it is this that bounds what
/// is executed after the last step that there is gas for: at most so many operators for each call that
/// the caller has room for.
const MOST_UNASKED: usize = 256;

impl Scan {
    /// Bytes of its operators.
    pub fn bytes(&self) -> usize {
        self.events.last().map_or(0, |last| last.end - self.start)
    }

    /// Whether the function looks at its steps when it is entered even if it calls nothing.
    pub fn is_long(&self) -> bool {
        self.bytes() > MOST_UNASKED
    }

    /// Tells calls of leaves from others.
    pub fn mark_leaves(&mut self, leaf: impl Fn(u32) -> Option<Leaf>) {
        for event in &mut self.events {
            if let Kind::Call(function) = event.kind
                && let Some(leaf) = leaf(function)
            {
                event.kind = match leaf.cost {
                    Some(cost) => Kind::CallPlain { function, cost },
                    None => Kind::CallLeaf(function),
                };
            }
        }
    }
}

/// An open block.
struct Open {
    label: LabelId,
}

/// Validates and reads a function's body into `out`, whose space is used again.
pub(in crate::meter) fn scan<R: WasmModuleResources>(
    validator: &mut FuncValidator<R>,
    body: &FunctionBody<'_>,
    out: &mut Scan,
) -> Result<(), BinaryReaderError> {
    out.events.clear();
    out.labels.clear();
    out.height = 0;
    out.targets = 0;
    out.calls = false;
    out.tail_calls = false;
    validator.read_locals(&mut body.get_binary_reader())?;
    let mut reader = body.get_operators_reader()?;
    out.start = reader.original_position() as usize;
    out.labels.push(Label::new(LabelKind::Function, 0));
    out.made.clear();
    if let Some(floats) = &mut out.floats {
        floats.start(validator.len_locals() as usize);
    }
    if let Some(grouping) = &mut out.grouping {
        grouping.begin(out.start);
    }
    let mut open = vec![Open { label: 0 }];
    // The loops that are open.
    let mut around: Vec<LabelId> = Vec::new();
    let mut cost = 0;
    // While code is dead: how many blocks were opened in it, and where it starts.
    let mut dead: Option<(u32, usize)> = None;
    while !reader.eof() {
        let offset = reader.original_position();
        let start = offset as usize;
        let operator = reader.read()?;
        // Blocks' arities are known before the operator closes or opens them.
        let arity = match operator {
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                label_arity(validator, relative_depth)
            }
            _ => 0,
        };
        let moved = match out.floats {
            Some(_) => operator.operator_arity(validator).unwrap_or((0, 0)),
            None => (0, 0),
        };
        validator.op(offset, &operator)?;
        let end = reader.original_position() as usize;

        // It is a store that is looked at later.
        let mut later = false;
        if let Some((nested, from)) = &mut dead {
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    *nested += 1;
                    continue;
                }
                Operator::End if *nested > 0 => {
                    *nested -= 1;
                    continue;
                }
                Operator::Else if *nested == 0 => {}
                Operator::End => {}
                _ => continue,
            }
            let from = *from;
            if from < start {
                out.events.push(Event {
                    kind: Kind::Dead,
                    start: from,
                    end: start,
                    cost: 0,
                    loops: around.len() as u32,
                    canonical: None,
                    later: false,
                });
            }
            dead = None;
            if let Some(floats) = &mut out.floats {
                let height = validator.operand_stack_height() as usize;
                floats.revive(height, moved.1 as usize);
            }
        } else if let Some(floats) = &mut out.floats {
            let (pops, pushes) = (moved.0 as usize, moved.1 as usize);
            let group = match (&mut out.grouping, float_access(validator, &operator)) {
                (Some(grouping), Some(access)) => {
                    let at = out.events.len();
                    match (access.stores, floats.maker()) {
                        (true, Some((maker, float))) if float == access.float => {
                            later = grouping.store(access.offset, access.is_double(), maker, at);
                            None
                        }
                        (true, _) => None,
                        (false, _) => grouping
                            .load(access.offset, access.is_double())
                            .map(|group| (group, access.float)),
                    }
                }
                _ => None,
            };
            match operator {
                // What is left goes to the caller.
                Operator::End if open.len() == 1 => floats.show(pops),
                _ if later => floats.store(),
                _ => match group {
                    Some((group, float)) => {
                        floats.load(group, float);
                        cost += weight(&operator);
                        out.height = out.height.max(validator.operand_stack_height());
                        continue;
                    }
                    None => floats.operator(&operator, pops, pushes, out.events.len()),
                },
            }
        }
        out.height = out.height.max(validator.operand_stack_height());

        let target = |open: &Vec<Open>, depth: u32| open[open.len() - 1 - depth as usize].label;
        let push_label = |out: &mut Scan, kind, loops| {
            out.labels.push(Label::new(kind, loops));
            out.labels.len() as u32 - 1
        };
        let (pops, pushes) = (moved.0 as usize, moved.1 as usize);
        let kind = match &operator {
            Operator::LocalGet { local_index } => Kind::Local {
                opcode: 0x20,
                index: *local_index,
            },
            Operator::LocalSet { local_index } => Kind::Local {
                opcode: 0x21,
                index: *local_index,
            },
            Operator::LocalTee { local_index } => Kind::Local {
                opcode: 0x22,
                index: *local_index,
            },
            Operator::RefFunc { function_index } => Kind::RefFunc(*function_index),
            Operator::Block { .. } => {
                let label = push_label(out, LabelKind::Block, around.len() as u32);
                open.push(Open { label });
                Kind::Block(label)
            }
            Operator::Loop { .. } => {
                if let Some(&outer) = around.last() {
                    out.labels[outer as usize].tight = false;
                }
                let label = push_label(out, LabelKind::Loop, around.len() as u32 + 1);
                around.push(label);
                open.push(Open { label });
                Kind::Loop(label)
            }
            Operator::If { .. } => {
                let label = push_label(out, LabelKind::If, around.len() as u32);
                open.push(Open { label });
                Kind::If(label)
            }
            Operator::Else => {
                let label = target(&open, 0);
                out.labels[label as usize].has_else = true;
                Kind::Else(label)
            }
            Operator::End => {
                // The validator has accepted it, so there is a block to close.
                let label = open.pop().map_or(0, |open| open.label);
                if out.labels[label as usize].kind == LabelKind::Loop {
                    around.pop();
                }
                Kind::End(label)
            }
            Operator::Br { relative_depth } => {
                let label = target(&open, *relative_depth);
                out.labels[label as usize].targeted = true;
                out.labels[label as usize].arity = arity;
                Kind::Br(label)
            }
            Operator::BrIf { relative_depth } => {
                let label = target(&open, *relative_depth);
                out.labels[label as usize].targeted = true;
                out.labels[label as usize].arity = arity;
                Kind::BrIf(label)
            }
            Operator::BrTable { targets } => {
                out.targets = out.targets.max(targets.len());
                for depth in targets.targets().chain([Ok(targets.default())]) {
                    let label = &mut out.labels[target(&open, depth?) as usize];
                    label.targeted = true;
                    label.pinned = true;
                }
                Kind::BrTable
            }
            Operator::Return => Kind::Return,
            Operator::Unreachable => Kind::Unreachable,
            Operator::Call { function_index } => Kind::Call(*function_index),
            Operator::CallIndirect {
                type_index,
                table_index,
            } => Kind::CallIndirect {
                ty: *type_index,
                table: *table_index,
                wide: is_table64(validator, *table_index),
            },
            Operator::ReturnCall { function_index } => Kind::ReturnCall(*function_index),
            Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => Kind::ReturnCallIndirect {
                ty: *type_index,
                table: *table_index,
                wide: is_table64(validator, *table_index),
            },
            Operator::MemoryGrow { mem } => Kind::MemoryGrow(*mem),
            Operator::TableGrow { table } => Kind::TableGrow(*table),
            operator => match bulk(validator, operator) {
                Some(bulk) => Kind::Bulk(bulk),
                None => match relaxed(operator) {
                    Some(number) => Kind::Relaxed(number),
                    None if out.floats.is_some() && makes(operator).is_some() => Kind::Float,
                    None if later => Kind::Store,
                    None => {
                        cost += weight(operator);
                        if let Some(grouping) = &mut out.grouping {
                            let next = (out.events.len(), end);
                            grouping.step(Step::of(operator), (pops, pushes), next);
                        }
                        continue;
                    }
                },
            },
        };
        let calls = matches!(
            kind,
            Kind::Call(_)
                | Kind::CallIndirect { .. }
                | Kind::ReturnCall(_)
                | Kind::ReturnCallIndirect { .. }
        );
        out.calls |= calls;
        out.tail_calls |= matches!(kind, Kind::ReturnCall(_) | Kind::ReturnCallIndirect { .. });
        let asks = matches!(
            kind,
            Kind::MemoryGrow(_) | Kind::TableGrow(_) | Kind::Bulk(_)
        );
        if let (true, Some(&inner)) = (calls || asks, around.last()) {
            out.labels[inner as usize].tight = false;
        }
        if let (Some(_), Some(float)) = (&out.floats, makes(&operator)) {
            out.made.push((out.events.len(), float));
        }
        out.events.push(Event {
            kind,
            start,
            end,
            cost,
            loops: around.len() as u32,
            canonical: None,
            later: false,
        });
        cost = 0;
        if let Some(grouping) = &mut out.grouping {
            let next = (out.events.len(), end);
            match kind {
                Kind::Local { .. } | Kind::Float => {
                    grouping.step(Step::of(&operator), (pops, pushes), next);
                }
                Kind::Store => {}
                _ => grouping.restart(next.0, next.1),
            }
        }
        let leaves = matches!(
            kind,
            Kind::Br(_)
                | Kind::BrTable
                | Kind::Return
                | Kind::Unreachable
                | Kind::ReturnCall(_)
                | Kind::ReturnCallIndirect { .. }
        );
        if leaves {
            dead = Some((0, end));
        }
    }
    if let Some(floats) = &mut out.floats {
        let (events, made) = (&mut out.events, &out.made);
        // `made` is in the order of events.
        let makes = |event: usize| {
            let at = made.binary_search_by_key(&event, |&(event, _)| event);
            at.ok().map(|at| made[at].1)
        };
        floats.seen(|maker| match (maker, &mut out.grouping) {
            (Maker::Event(event), _) => events[event].canonical = makes(event),
            (Maker::Load(group), Some(grouping)) => grouping.show(group),
            (Maker::Load(_), None) => {}
        });
        if let Some(grouping) = &mut out.grouping {
            let (alone, grouped) = grouping.finish(|event| events[event].canonical.is_some());
            for event in alone {
                events[event].canonical = makes(event);
            }
            for event in grouped {
                events[event].later = true;
                events[event].canonical = makes(event);
            }
        }
    }
    reader.finish()
}

/// A load or store of a float.
struct FloatAccess {
    stores: bool,
    float: Float,
    offset: u64,
}

impl FloatAccess {
    fn is_double(&self) -> bool {
        self.float == Float::F64
    }
}

/// A float's load from the first memory, or store to it, if its addresses have 32 bits.
fn float_access<R: WasmModuleResources>(
    validator: &FuncValidator<R>,
    operator: &Operator<'_>,
) -> Option<FloatAccess> {
    let (stores, float, memarg) = match operator {
        Operator::F32Load { memarg } => (false, Float::F32, memarg),
        Operator::F64Load { memarg } => (false, Float::F64, memarg),
        Operator::F32Store { memarg } => (true, Float::F32, memarg),
        Operator::F64Store { memarg } => (true, Float::F64, memarg),
        _ => return None,
    };
    let first = memarg.target == wasmparser::MemArgTarget::Memory(0);
    let fits = first && !is_memory64(validator, 0);
    fits.then_some(FloatAccess {
        stores,
        float,
        offset: memarg.offset,
    })
}

fn label_arity<R: WasmModuleResources>(validator: &FuncValidator<R>, depth: u32) -> u32 {
    let Some((ty, kind)) = validator.label_block(depth) else {
        return 0;
    };
    let arity = validator.block_type_arity(ty);
    match (kind, arity) {
        (wasmparser::FrameKind::Loop, Some((params, _))) => params,
        (_, Some((_, results))) => results,
        // The function's own label may be given as a type that is not looked up here.
        _ => u32::from(ty != BlockType::Empty),
    }
}

fn is_table64<R: WasmModuleResources>(validator: &FuncValidator<R>, table: u32) -> bool {
    validator
        .resources()
        .table_at(table)
        .is_some_and(|table| table.table64)
}

fn is_memory64<R: WasmModuleResources>(validator: &FuncValidator<R>, memory: u32) -> bool {
    validator
        .resources()
        .memory_at(memory)
        .is_some_and(|memory| memory.memory64)
}

fn bulk<R: WasmModuleResources>(
    validator: &FuncValidator<R>,
    operator: &Operator<'_>,
) -> Option<Bulk> {
    let (unit, wide) = match *operator {
        Operator::MemoryFill { mem } => (Unit::Bytes, is_memory64(validator, mem)),
        Operator::MemoryCopy { dst_mem, src_mem } => (
            Unit::Bytes,
            is_memory64(validator, dst_mem) && is_memory64(validator, src_mem),
        ),
        Operator::MemoryInit { .. } => (Unit::Bytes, false),
        Operator::TableFill { table } => (Unit::Elements, is_table64(validator, table)),
        Operator::TableCopy {
            dst_table,
            src_table,
        } => (
            Unit::Elements,
            is_table64(validator, dst_table) && is_table64(validator, src_table),
        ),
        Operator::TableInit { .. } => (Unit::Elements, false),
        _ => return None,
    };
    Some(Bulk { unit, wide })
}

/// The number of a relaxed SIMD operator, as its encoding has it behind the prefix 0xfd.
fn relaxed(operator: &Operator<'_>) -> Option<u32> {
    Some(match operator {
        Operator::I8x16RelaxedSwizzle => 0x100,
        Operator::I32x4RelaxedTruncF32x4S => 0x101,
        Operator::I32x4RelaxedTruncF32x4U => 0x102,
        Operator::I32x4RelaxedTruncF64x2SZero => 0x103,
        Operator::I32x4RelaxedTruncF64x2UZero => 0x104,
        Operator::F32x4RelaxedMadd => 0x105,
        Operator::F32x4RelaxedNmadd => 0x106,
        Operator::F64x2RelaxedMadd => 0x107,
        Operator::F64x2RelaxedNmadd => 0x108,
        Operator::I8x16RelaxedLaneselect => 0x109,
        Operator::I16x8RelaxedLaneselect => 0x10a,
        Operator::I32x4RelaxedLaneselect => 0x10b,
        Operator::I64x2RelaxedLaneselect => 0x10c,
        Operator::F32x4RelaxedMin => 0x10d,
        Operator::F32x4RelaxedMax => 0x10e,
        Operator::F64x2RelaxedMin => 0x10f,
        Operator::F64x2RelaxedMax => 0x110,
        Operator::I16x8RelaxedQ15mulrS => 0x111,
        Operator::I16x8RelaxedDotI8x16I7x16S => 0x112,
        Operator::I32x4RelaxedDotI8x16I7x16AddS => 0x113,
        _ => return None,
    })
}

/// 8-byte cells of a local or parameter of this type.
pub(in crate::meter) fn cells(ty: ValType) -> u64 {
    match ty {
        ValType::V128 => 2,
        _ => 1,
    }
}
