//! Blocks that are open, and how branches name them: ours lie between the function's own.

use super::emitter::Emitter;
use crate::meter::function::scan::{Event, LabelId};
use wasm_encoder::Encode;

impl Emitter<'_> {
    /// A block opens.
    pub(super) fn begin(&mut self, label: LabelId) {
        self.heights[label as usize] = self.height;
        self.height += 1;
    }

    /// How a branch to an open block names it.
    pub(super) fn depth(&self, label: LabelId) -> u32 {
        self.height - 1 - self.heights[label as usize]
    }

    /// Writes a `br_table` with the depths that its labels have now.
    pub(super) fn branch_table(&mut self, event: &Event) {
        let mut rest = &self.wasm[event.start + 1..event.end];
        self.code.push(self.wasm[event.start]);
        // The number of labels, which does not count the default.
        let count = leb(&mut rest);
        count.encode(&mut self.code);
        for _ in 0..=count {
            let depth = leb(&mut rest) as usize;
            // One more is the function's own label.
            let at = self.open.len().checked_sub(1 + depth);
            let label = at.map_or(0, |at| self.open[at]);
            self.depth(label).encode(&mut self.code);
        }
    }
}

/// Reads an unsigned LEB128 number that has been validated.
fn leb(bytes: &mut &[u8]) -> u32 {
    let (mut value, mut shift) = (0, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    value
}
