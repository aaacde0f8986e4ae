//! NaNs: made canonical where many are stored.

use super::emitter::Emitter;
use super::floats::{NAN32, NAN64};
use crate::meter::function::group::Group;
use crate::meter::function::plan::Plan;
use crate::meter::function::scan::Scan;
use wasm_encoder::{BlockType, Ieee32, Ieee64, Instruction, ValType};

impl Emitter<'_> {
    /// Writes a stretch with stores that are looked at two by two.
    pub(super) fn group(&mut self, scan: &Scan, plan: &Plan, group: &Group) {
        for (index, alike) in group.alike.iter().enumerate() {
            for root in [alike.one, alike.other] {
                self.put(&[match root {
                    Some(local) => Instruction::LocalGet(self.moved(local)),
                    None => Instruction::I32Const(0),
                }]);
            }
            self.put(&[Instruction::I32Sub]);
            if alike.more > 0 {
                self.put(&[
                    Instruction::I32Const(alike.more as i32),
                    Instruction::I32Add,
                ]);
            }
            if index > 0 {
                self.put(&[Instruction::I32Or]);
            }
        }
        let range = group.first..group.last + 1;
        if !group.alike.is_empty() {
            let most = if group.double { 7 } else { 3 };
            self.put(&[Instruction::I32Const(most), Instruction::I32And]);
            self.unlikely.push(self.code.len() as u32);
            self.put(&[Instruction::If(BlockType::Empty)]);
            self.events(scan, plan, range.clone(), group.start);
            self.put(&[Instruction::Else]);
        }
        self.in_group = true;
        let (mut copied, mut first) = (group.start, None);
        for index in range {
            if !group.has(index) {
                copied = self.events(scan, plan, index..index + 1, copied);
                continue;
            }
            let store = self.store(
                scan,
                index,
                usize::from(first.is_some()),
                group.double,
                copied,
            );
            copied = scan.events[index].end;
            match first.take() {
                None => first = Some(store),
                Some(first) => self.look(scan, [first, store], group.double),
            }
        }
        self.in_group = false;
        if !group.alike.is_empty() {
            self.put(&[Instruction::End]);
        }
    }

    /// Writes a store of a pair, and keeps its address and value in locals of this `slot`.
    fn store(
        &mut self,
        scan: &Scan,
        index: usize,
        slot: usize,
        double: bool,
        copied: usize,
    ) -> Stored {
        let event = &scan.events[index];
        self.code.extend_from_slice(&self.wasm[copied..event.start]);
        let address = self.kept(0, slot, ValType::I32);
        let value = match double {
            true => self.kept(1, slot, ValType::F64),
            false => self.kept(2, slot, ValType::F32),
        };
        self.put(&[
            Instruction::LocalSet(value),
            Instruction::LocalTee(address),
            Instruction::LocalGet(value),
        ]);
        self.raw(event);
        Stored {
            event: index,
            address,
            value,
        }
    }

    fn kept(&mut self, kind: usize, slot: usize, ty: ValType) -> u32 {
        if let Some(&local) = self.kept[kind].get(slot) {
            return local;
        }
        let local = self.make(ty);
        self.kept[kind].push(local);
        local
    }

    /// Stores both again, canonical, if one is a NaN.
    fn look(&mut self, scan: &Scan, pair: [Stored; 2], double: bool) {
        let (add, differs, nan) = match double {
            true => (
                Instruction::F64Add,
                Instruction::F64Ne,
                Instruction::F64Const(Ieee64::new(NAN64)),
            ),
            false => (
                Instruction::F32Add,
                Instruction::F32Ne,
                Instruction::F32Const(Ieee32::new(NAN32)),
            ),
        };
        // Two infinities may make a NaN too; then there is nothing to do.
        let sum = self.float(double);
        self.put(&[
            Instruction::LocalGet(pair[0].value),
            Instruction::LocalGet(pair[1].value),
            add,
            Instruction::LocalTee(sum),
            Instruction::LocalGet(sum),
            differs.clone(),
        ]);
        self.unlikely.push(self.code.len() as u32);
        self.put(&[Instruction::If(BlockType::Empty)]);
        for stored in pair {
            // Both: the second may have been to the place of the first.
            self.put(&[
                Instruction::LocalGet(stored.address),
                nan.clone(),
                Instruction::LocalGet(stored.value),
                Instruction::LocalGet(stored.value),
                Instruction::LocalGet(stored.value),
                differs.clone(),
                Instruction::Select,
            ]);
            self.raw(&scan.events[stored.event]);
        }
        self.put(&[Instruction::End]);
    }
}

/// A store, and the locals with its address and value.
#[derive(Clone, Copy)]
struct Stored {
    event: usize,
    address: u32,
    value: u32,
}
