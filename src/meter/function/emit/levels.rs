//! Levels: how deep the calls are and how much their frames take, looked at where a function begins and
//! where it calls leaves.

use super::emitter::Emitter;
use crate::meter::{Detail, HostFunction, Level};
use wasm_encoder::{BlockType, Instruction};

impl Emitter<'_> {
    /// Counts the call and its frame, and asks the host if that is deeper than ever, or (if it `asks`)
    /// if no steps are left. Its own level is kept if it `calls`.
    pub(super) fn enter(&mut self, calls: bool, asks: bool) {
        // One test for both: `left` is negative, which is bit 63 too. If it has so many bits that it
        // looks like a depth (the host grants less at a time), the helper finds nothing to ask.
        let both = asks && self.layout.enters && !self.layout.for_wasmi;
        if asks && !both && self.detail == Detail::Fast {
            self.check();
        }
        let (left, base) = (self.left(), self.base());
        let mine = self.mine();
        // In this order wasmi needs four operators: it adds a constant into a local in one, and what
        // `global.get` leaves in its register is not moved.
        if calls {
            let level = self.level_local();
            self.put(&[
                Instruction::LocalGet(base),
                Instruction::I64Const(mine),
                Instruction::I64Add,
                Instruction::LocalSet(level),
                Instruction::GlobalGet(self.layout.room),
                Instruction::LocalGet(level),
                Instruction::I64Add,
            ]);
        } else {
            self.put(&[
                Instruction::GlobalGet(self.layout.room),
                Instruction::LocalGet(base),
                Instruction::I64Add,
                Instruction::I64Const(mine),
                Instruction::I64Add,
            ]);
        }
        if both {
            self.put(&[Instruction::LocalGet(left), Instruction::I64Or]);
        }
        self.put(&[
            Instruction::I64Const(Level::PAST),
            Instruction::I64And,
            Instruction::I64Const(0),
            Instruction::I64Ne,
        ]);
        self.unlikely.push(self.code.len() as u32);
        self.put(&[Instruction::If(BlockType::Empty)]);
        match self.level {
            Some(level) => self.put(&[Instruction::LocalGet(level)]),
            None => self.put(&[
                Instruction::LocalGet(base),
                Instruction::I64Const(mine),
                Instruction::I64Add,
            ]),
        }
        let (ask, then) = match both {
            true => (self.layout.enter(), Instruction::LocalSet(left)),
            false => (
                self.layout.host(HostFunction::Deeper),
                Instruction::GlobalSet(self.layout.room),
            ),
        };
        self.put(&[
            Instruction::LocalGet(left),
            Instruction::I32Const(self.function as i32),
            Instruction::Call(ask),
            then,
            Instruction::End,
        ]);
    }

    /// At the entry of a function that calls leaves, one test for its own level and theirs. Where that
    /// does not hold it looks at its own, and [`Emitter::watch`] at each of theirs.
    pub(super) fn enter_above_leaves(&mut self, most: i64, deep: u32, has_level: bool) {
        self.check();
        if has_level {
            let (mine, base, level) = (self.mine(), self.base(), self.level_local());
            self.put(&[
                Instruction::LocalGet(base),
                Instruction::I64Const(mine),
                Instruction::I64Add,
                Instruction::LocalSet(level),
            ]);
        }
        let past = [
            Instruction::I64Const(Level::PAST),
            Instruction::I64And,
            Instruction::I64Const(0),
            Instruction::I64Ne,
            Instruction::If(BlockType::Empty),
        ];
        // In this order wasmi has the sum in its register.
        let sum = |emitter: &mut Self, more: i64| {
            let (from, more) = match emitter.level {
                Some(level) => (level, more),
                None => (emitter.base(), more + emitter.mine()),
            };
            emitter.put(&[
                Instruction::GlobalGet(emitter.layout.room),
                Instruction::LocalGet(from),
                Instruction::I64Add,
            ]);
            if more != 0 {
                emitter.put(&[Instruction::I64Const(more), Instruction::I64Add]);
            }
        };
        sum(self, most);
        self.put(&past);
        self.put(&[Instruction::I32Const(1), Instruction::LocalSet(deep)]);
        sum(self, 0);
        self.put(&past);
        self.put_level(0);
        self.put(&[
            Instruction::LocalGet(self.left()),
            Instruction::I32Const(self.function as i32),
            Instruction::Call(self.layout.host(HostFunction::Deeper)),
            Instruction::GlobalSet(self.layout.room),
            Instruction::End,
            Instruction::End,
        ]);
    }

    /// Watches the peaks for a leaf that is about to be called, where it may be past one. `credit` was
    /// charged by then and is not executed: if a limit is passed, the count is exact.
    pub(super) fn watch(&mut self, function: u32, credit: i64) {
        let (Some(leaf), Some((most, deep))) = (self.layout.leaf(function), self.leaves) else {
            return;
        };
        let its = leaf.level().pack();
        self.put(&[
            Instruction::LocalGet(deep),
            Instruction::If(BlockType::Empty),
        ]);
        self.put_level(its);
        self.put(&[
            Instruction::I64Const(most - its),
            Instruction::LocalGet(self.left()),
        ]);
        if credit != 0 {
            self.put(&[Instruction::I64Const(credit), Instruction::I64Add]);
        }
        self.put(&[
            Instruction::I32Const(function as i32),
            Instruction::Call(self.layout.enter()),
            Instruction::LocalSet(deep),
            Instruction::End,
        ]);
    }

    /// Puts this function's level, and what is added to it.
    fn put_level(&mut self, more: i64) {
        let (from, more) = match self.level {
            Some(level) => (level, more),
            None => (self.base(), more + self.mine()),
        };
        self.put(&[Instruction::LocalGet(from)]);
        if more != 0 {
            self.put(&[Instruction::I64Const(more), Instruction::I64Add]);
        }
    }

    /// What this function adds to its caller's level.
    fn mine(&self) -> i64 {
        Level {
            depth: 1,
            cells: self.cells,
        }
        .pack()
    }
}
