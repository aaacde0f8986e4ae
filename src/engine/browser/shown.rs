//! What shows a guest's state in the browser.

use super::js::Guest;
use super::thrown::describe;
use crate::engine;
use crate::meter::StateExports;
use crate::wasi::System;

/// Bytes that are copied at a time when a memory is looked at.
const PIECE: usize = 1 << 20;

/// A guest whose state is shown.
pub(super) struct Shown<'a> {
    pub(super) guest: &'a Guest,
    pub(super) state: &'a StateExports,
    pub(super) system: &'a System,
}

impl engine::Guest for Shown<'_> {
    fn cells(&mut self) -> Result<Vec<u64>, String> {
        let cell = |index| self.guest.cell(&self.state.cell(index));
        let cells =
            (0..self.state.cells.len() as u32).map(|index| cell(index).map(|value| value as u64));
        cells
            .collect::<Result<_, _>>()
            .map_err(|error| describe(&error))
    }

    fn state(&self) -> &StateExports {
        self.state
    }

    fn flip(&mut self, cell: u32, bits: u64) -> Result<(), String> {
        let flipped = self.guest.flip(&self.state.flip(cell), cell, bits as i64);
        flipped.map_err(|error| describe(&error))
    }

    fn memories(&self) -> usize {
        self.state.memories as usize
    }

    fn memory_size(&self, memory: usize) -> u64 {
        self.guest.size_of(&self.state.memory(memory as u32)) as u64
    }

    fn visit(&mut self, memory: usize, each: &mut dyn FnMut(u64, &mut [u8]) -> bool) {
        let name = self.state.memory(memory as u32);
        let size = self.memory_size(memory);
        let mut buffer = vec![0; size.min(PIECE as u64) as usize];
        let mut at = 0;
        while at < size {
            let piece = &mut buffer[..(size - at).min(PIECE as u64) as usize];
            self.guest.read_from(&name, at as f64, piece);
            if each(at, piece) {
                self.guest.write_to(&name, at as f64, piece);
            }
            at += piece.len() as u64;
        }
    }

    fn with_system(&mut self, look: &mut dyn FnMut(&System)) {
        look(self.system);
    }
}
