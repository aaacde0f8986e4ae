//! Charges: steps are taken off, and the host is asked for more where none are left.

use super::emitter::Emitter;
use crate::meter::cost::Unit;
use crate::meter::function::scan::Bulk;
use crate::meter::layout::Layout;
use crate::meter::{Detail, HostFunction};
use wasm_encoder::{BlockType, Encode, Instruction};

/// The most table elements or bytes that are counted; more than any memory or table has.
const WIDE_CAP: i64 = 1 << 61;

impl Emitter<'_> {
    /// Asks the host for more if no steps are left.
    pub(super) fn check(&mut self) {
        let left = self.left();
        let rare = emit_host_check(
            &mut self.code,
            self.layout,
            left,
            Some(self.function),
            self.detail == Detail::Exact,
        );
        self.unlikely.push(rare);
    }

    pub(super) fn charge(&mut self, steps: i64, place: usize) {
        if steps == 0 {
            return;
        }
        let left = self.left();
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::I64Const(steps),
            Instruction::I64Sub,
            Instruction::LocalSet(left),
        ]);
        if self.detail == Detail::Exact {
            let at = i64::from(self.function) << 32 | i64::from(place as u32);
            self.put(&[
                Instruction::I64Const(at),
                Instruction::GlobalSet(self.layout.place),
                Instruction::LocalGet(left),
                Instruction::GlobalSet(self.layout.left),
            ]);
            self.check();
        }
    }

    /// Charges what a bulk operator moves, before it does; its length is on top of the stack.
    pub(super) fn charge_length(&mut self, bulk: Bulk) {
        let (length, left) = (self.scratch(bulk.wide), self.left());
        self.put(&[
            Instruction::LocalTee(length),
            Instruction::LocalGet(left),
            Instruction::LocalGet(length),
        ]);
        if bulk.wide {
            // No memory is that large, so nothing is lost, and the subtraction can't wrap.
            self.put(&[
                Instruction::I64Const(WIDE_CAP),
                Instruction::LocalGet(length),
                Instruction::I64Const(WIDE_CAP),
                Instruction::I64LtU,
                Instruction::Select,
            ]);
        } else {
            self.put(&[Instruction::I64ExtendI32U]);
        }
        if bulk.unit == Unit::Bytes {
            self.put(&[Instruction::I64Const(3), Instruction::I64ShrU]);
        }
        self.put(&[Instruction::I64Sub, Instruction::LocalSet(left)]);
        if self.detail == Detail::Exact {
            self.put(&[
                Instruction::LocalGet(left),
                Instruction::GlobalSet(self.layout.left),
            ]);
        }
        self.check();
    }

    pub(super) fn grow(&mut self, helper: u32) {
        let left = self.left();
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::I32Const(self.function as i32),
            Instruction::Call(helper),
            Instruction::LocalSet(left),
        ]);
    }
}

/// Writes: if `left` (a local) is negative, ask the host. Without `function` its index is in the
/// local behind `left`. With `settled` the global has `left` too, and gets what the host grants: if the
/// block traps, that is what the host reads. Returns where the `if` is.
pub(in crate::meter) fn emit_host_check(
    code: &mut Vec<u8>,
    layout: &Layout,
    left: u32,
    function: Option<u32>,
    settled: bool,
) -> u32 {
    let which = match function {
        Some(function) => Instruction::I32Const(function as i32),
        None => Instruction::LocalGet(left + 1),
    };
    for instruction in [
        Instruction::LocalGet(left),
        Instruction::I64Const(0),
        Instruction::I64LtS,
    ] {
        instruction.encode(code);
    }
    let rare = code.len() as u32;
    for instruction in [
        Instruction::If(BlockType::Empty),
        Instruction::LocalGet(left),
        which,
        Instruction::Call(layout.host(HostFunction::Tick)),
        Instruction::LocalSet(left),
    ] {
        instruction.encode(code);
    }
    if settled {
        Instruction::LocalGet(left).encode(code);
        Instruction::GlobalSet(layout.left).encode(code);
    }
    Instruction::End.encode(code);
    rare
}
