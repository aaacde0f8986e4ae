//! Calls, and what they return: steps and the level go along with a function's own parameters, and the
//! steps that are left come back behind its results.

use super::charge::emit_host_check;
use super::emitter::Emitter;
use crate::meter::Detail;
use crate::meter::function::scan::Kind;
use wasm_encoder::Instruction;

impl Emitter<'_> {
    /// Writes a call of a function or, with the number of a table, through that. The index of the
    /// latter is in a local.
    pub(super) fn call(&mut self, ty: u32, call: Instruction<'_>, index: Option<u32>, steps: i64) {
        let (left, level) = (self.left(), self.level_local());
        let behind = self.layout.behind(ty, left, level);
        self.put(&behind.map(Instruction::LocalGet));
        if let Some(index) = index {
            self.put(&[Instruction::LocalGet(index)]);
        }
        self.put(&[call]);
        self.take_kept(ty, steps);
    }

    /// Writes a call of a host function: all is settled, and then it needs no wrapper.
    pub(super) fn call_host(&mut self, function: u32) {
        let left = self.left();
        emit_host_check(&mut self.code, self.layout, left, Some(function), false);
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::GlobalSet(self.layout.left),
            Instruction::Call(function),
        ]);
    }

    /// Takes what a function of type `ty` returned behind its own results, and charges for what comes next.
    pub(super) fn take_kept(&mut self, ty: u32, steps: i64) {
        if steps != 0 {
            self.put(&[Instruction::I64Const(steps), Instruction::I64Sub]);
        }
        self.put(&[Instruction::LocalSet(self.left())]);
        for _ in self.layout.kept(ty) {
            self.put(&[Instruction::Drop]);
        }
    }

    /// Puts what the function returns behind its own results.
    pub(super) fn put_kept(&mut self) {
        for param in self.layout.kept(self.ty) {
            self.put(&[Instruction::LocalGet(param as u32)]);
        }
        self.put(&[Instruction::LocalGet(self.left())]);
    }

    /// Whether an event is a call that is charged together with what comes next, in one operator of
    /// wasmi's.
    pub(super) fn charges_next(&self, kind: &Kind) -> bool {
        let calls = match *kind {
            Kind::Call(function) => !self.is_direct(function),
            Kind::CallIndirect { .. } | Kind::CallLeaf(_) => true,
            _ => false,
        };
        calls && self.layout.for_wasmi && self.detail == Detail::Fast
    }

    /// Whether a function is the host's, and called without a wrapper.
    pub(super) fn is_direct(&self, function: u32) -> bool {
        self.layout.direct && function < self.layout.imported
    }
}
