//! The new code of a function: how it begins ([`levels`]), and then what becomes of each of its events
//! ([`events`]), some of its stores by themselves ([`stores`]).
//!
//! Each of these modules adds to the [`Emitter`] and knows only those below it: [`stores`] the events,
//! these calls and branches ([`calls`], [`blocks`]), levels ([`levels`]), floats ([`floats`]) and charges ([`charge`]).

mod blocks;
mod calls;
mod charge;
mod emitter;
mod events;
mod floats;
mod levels;
mod stores;

use super::group::Grouping;
use super::plan::Plan;
use super::scan::{Kind, Scan};
use crate::meter::Level;
use crate::meter::leaves::Leaf;
pub(in crate::meter) use charge::emit_host_check;
pub(in crate::meter) use emitter::Emitter;
use wasm_encoder::{Instruction, ValType};

impl Emitter<'_> {
    /// Writes the function's code, without the declarations of locals.
    pub fn emit(&mut self, scan: &Scan, plan: &Plan) {
        let leaves = scan.events.iter().filter_map(|event| match event.kind {
            Kind::CallLeaf(function) | Kind::CallPlain { function, .. } => {
                self.layout.leaf(function)
            }
            _ => None,
        });
        let most = leaves.map(Leaf::level).reduce(Level::max);
        if let Some(most) = most {
            let has_level = scan.events.iter().any(|event| match event.kind {
                Kind::Call(function) => !self.is_direct(function),
                Kind::CallIndirect { .. } => true,
                _ => false,
            });
            let (most, deep) = (most.pack(), self.make(ValType::I32));
            self.leaves = Some((most, deep));
            self.enter_above_leaves(most, deep, has_level);
        } else {
            // Where checkpoints may be is part of what they say, and was never here.
            let asks = scan.calls || scan.is_long() && !self.state;
            match self.is_leaf {
                true if asks => self.check(),
                true => {}
                false => self.enter(scan.calls, asks),
            }
        }
        self.heights.resize(scan.labels.len(), 0);
        self.begin(0);
        // Branches to the function's label find a block that has its results.
        self.wrapped = scan.labels.first().is_some_and(|label| label.targeted);
        if self.wrapped {
            self.put(&[Instruction::Block(self.results)]);
        }
        self.charge(plan.charges[0], scan.start);
        let mut copied = scan.start;
        let mut next = 0;
        let groups = scan.grouping.as_ref().map_or(&[][..], Grouping::groups);
        for group in groups {
            copied = self.events(scan, plan, next..group.first, copied);
            self.code.extend_from_slice(&self.wasm[copied..group.start]);
            self.group(scan, plan, group);
            next = group.last + 1;
            copied = scan.events[next - 1].end;
        }
        self.events(scan, plan, next..scan.events.len(), copied);
    }
}
