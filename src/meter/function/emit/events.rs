//! The code between one event and the next, as the module has it, and what each event becomes.

use super::emitter::Emitter;
use crate::meter::cost::Unit;
use crate::meter::function::plan::Plan;
use crate::meter::function::scan::{Bulk, Event, Kind, LabelKind, Scan};
use crate::meter::{Detail, relaxed};
use wasm_encoder::{BlockType, Encode, Instruction};

impl Emitter<'_> {
    /// Writes events and the code between them, from `copied` in the module on. Returns where it ends.
    pub(super) fn events(
        &mut self,
        scan: &Scan,
        plan: &Plan,
        range: std::ops::Range<usize>,
        mut copied: usize,
    ) -> usize {
        for index in range {
            let event = &scan.events[index];
            self.code.extend_from_slice(&self.wasm[copied..event.start]);
            copied = event.end;
            self.event(scan, plan, index, event);
            if !self.charges_next(&event.kind) {
                self.charge(plan.charges[index + 1], event.end);
            }
        }
        copied
    }

    fn event(&mut self, scan: &Scan, plan: &Plan, index: usize, event: &Event) {
        let left = self.left();
        let next = match self.charges_next(&event.kind) {
            true => plan.charges[index + 1],
            false => 0,
        };
        match event.kind {
            Kind::Local { opcode, index } => {
                let moved = self.moved(index);
                self.code.push(opcode);
                moved.encode(&mut self.code);
            }
            Kind::RefFunc(function) => {
                self.put(&[Instruction::RefFunc(self.layout.function(function))]);
            }
            Kind::Relaxed(number) => {
                relaxed::emit(self, number);
                self.make_canonical(event.canonical);
            }
            Kind::Float => {
                self.raw(event);
                if !(event.later && self.in_group) {
                    self.make_canonical(event.canonical);
                }
            }
            Kind::Dead => {}
            Kind::Block(label) | Kind::If(label) => {
                self.open.push(label);
                self.begin(label);
                self.raw(event);
            }
            Kind::Loop(label) => {
                self.open.push(label);
                self.begin(label);
                self.raw(event);
                if self.detail == Detail::Fast && !scan.labels[label as usize].asks_later {
                    self.check();
                }
            }
            Kind::Open { label, ty } => {
                self.begin(label);
                if let (Some(_), Some(last)) =
                    (scan.labels[label as usize].stands_for, self.open.last_mut())
                {
                    *last = label;
                }
                // `block`, and its type.
                self.code.extend([0x02, ty]);
            }
            Kind::Leave(label) => {
                let depth = self.depth(label);
                self.put(&[Instruction::Br(depth)]);
            }
            Kind::Close(label) => {
                self.height -= 1;
                if let (Some(again), Some(last)) =
                    (scan.labels[label as usize].stands_for, self.open.last_mut())
                {
                    *last = again;
                }
                self.put(&[Instruction::End]);
            }
            Kind::Ask => self.check(),
            Kind::End(label) => {
                self.open.pop();
                self.height -= 1;
                if scan.labels[label as usize].kind != LabelKind::Function {
                    return self.raw(event);
                }
                if self.wrapped {
                    self.put(&[Instruction::End]);
                }
                self.put_kept();
                self.put(&[Instruction::End]);
            }
            Kind::BrIf(label) => {
                let depth = self.depth(label);
                if plan.edges[index] == 0 {
                    return self.put(&[Instruction::BrIf(depth)]);
                }
                self.put(&[Instruction::If(BlockType::Empty)]);
                self.charge(plan.edges[index], event.start);
                self.put(&[Instruction::Br(depth + 1), Instruction::End]);
            }
            Kind::Br(label) => {
                let depth = self.depth(label);
                self.put(&[Instruction::Br(depth)]);
            }
            Kind::BrTable if scan.turned => self.branch_table(event),
            Kind::Return => {
                self.put_kept();
                self.put(&[Instruction::Return]);
            }
            Kind::Call(function) if self.is_direct(function) => self.call_host(function),
            Kind::Call(function) => {
                let ty = self.layout.functions[function as usize];
                let call = Instruction::Call(self.layout.function(function));
                self.call(ty, call, None, next);
            }
            Kind::CallPlain { function, .. } => {
                self.watch(function, plan.credit[index]);
                self.put(&[Instruction::Call(self.layout.function(function))]);
            }
            Kind::CallLeaf(function) => {
                self.watch(function, 0);
                self.put(&[
                    Instruction::LocalGet(left),
                    Instruction::Call(self.layout.function(function)),
                ]);
                self.take_kept(self.layout.functions[function as usize], next);
            }
            Kind::ReturnCall(function) => {
                let ty = self.layout.functions[function as usize];
                // The frame is replaced: the callee is as deep as this function is.
                let behind = self.layout.behind(ty, left, self.base());
                self.put(&behind.map(Instruction::LocalGet));
                self.put(&[Instruction::ReturnCall(self.layout.function(function))]);
            }
            Kind::CallIndirect { ty, table, wide } => {
                let index = self.scratch(wide);
                self.put(&[Instruction::LocalSet(index)]);
                let call = Instruction::CallIndirect {
                    type_index: self.layout.metered_type(ty),
                    table_index: table,
                };
                self.call(ty, call, Some(index), next);
            }
            Kind::ReturnCallIndirect { ty, table, wide } => {
                let index = self.scratch(wide);
                self.put(&[Instruction::LocalSet(index)]);
                let behind = self.layout.behind(ty, left, self.base());
                self.put(&behind.map(Instruction::LocalGet));
                self.put(&[
                    Instruction::LocalGet(index),
                    Instruction::ReturnCallIndirect {
                        type_index: self.layout.metered_type(ty),
                        table_index: table,
                    },
                ]);
            }
            Kind::MemoryGrow(memory) => self.grow(self.layout.memory_grow(memory)),
            Kind::TableGrow(table) => {
                let wide = self.layout.table64(table);
                self.charge_length(Bulk {
                    unit: Unit::Elements,
                    wide,
                });
                self.grow(self.layout.table_grow(table));
            }
            Kind::Bulk(bulk) => {
                self.charge_length(bulk);
                self.raw(event);
            }
            Kind::Else(_) | Kind::BrTable | Kind::Unreachable | Kind::Store => self.raw(event),
        }
    }
}
