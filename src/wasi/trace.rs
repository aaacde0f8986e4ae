//! A digest of everything that passes between a guest and its system.
//!
//! Two runs with the same digest made the same calls with the same arguments, got the same answers,
//! and had the same bytes written to their memories. So one number pins down a whole run, on every
//! engine and in every browser.
//!
//! What is hashed (SHA-256), for each call that is answered, in order: each write to guest memory
//! (`w`, address, length, bytes); then `c`, the number of steps before it, the module's and the
//! function's name with their lengths, its arguments, and the answer: `r` and errno, `x` and exit
//! code, or `e` and which limit. All numbers are 64 bits, little-endian. Of a call that waits for
//! input only the time that it is answered counts.

use super::{Call, Exceeded, Fault, GuestMemory, Reply};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The digest while it grows.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    hasher: Sha256,
    calls: u64,
}

impl Trace {
    fn number(&mut self, number: u64) {
        self.hasher.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.hasher.update(text);
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        self.hasher.update(b"w");
        self.number(address.into());
        self.number(bytes.len() as u64);
        self.hasher.update(bytes);
    }

    /// Notes a call and its answer; one that waits is not noted.
    pub(super) fn call(&mut self, call: &Call, steps: u64, reply: Reply) {
        let (kind, value) = match reply {
            Reply::Block => return,
            Reply::Return(errno) => (b"r", errno as u64),
            Reply::Exit(code) => (b"x", code.into()),
            Reply::Exceeded(Exceeded::Output) => (b"e", 0),
            Reply::Exceeded(Exceeded::Files) => (b"e", 1),
        };
        self.calls += 1;
        self.hasher.update(b"c");
        self.number(steps);
        self.text(call.abi.module());
        self.text(call.function.name());
        for index in 0..call.function.parameters().len() {
            self.number(call.args[index]);
        }
        self.hasher.update(kind);
        self.number(value);
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The digest so far, in hex.
    pub fn hex(&self) -> String {
        let digest = self.hasher.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Guest memory whose changes are noted.
pub(super) struct Traced<'a, 'b> {
    pub memory: &'a mut (dyn GuestMemory + 'b),
    pub trace: &'a mut Trace,
}

impl GuestMemory for Traced<'_, '_> {
    fn size(&self) -> u64 {
        self.memory.size()
    }

    fn view(&self, address: u32, len: u32) -> Result<Cow<'_, [u8]>, Fault> {
        self.memory.view(address, len)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.memory.write(address, bytes)?;
        self.trace.write(address, bytes);
        Ok(())
    }

    fn fill(
        &mut self,
        address: u32,
        len: u32,
        fill: &mut dyn FnMut(&mut [u8]) -> usize,
    ) -> Result<usize, Fault> {
        let trace = &mut *self.trace;
        self.memory.fill(address, len, &mut |buffer| {
            let filled = fill(buffer);
            trace.write(address, &buffer[..filled.min(buffer.len())]);
            filled
        })
    }
}
