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

use super::{Abi, Call, Exceeded, Fault, Function, GuestMemory, Reply};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// What is kept of the calls of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tracing {
    /// Nothing.
    #[default]
    Off,
    /// One digest of all.
    Digest,
    /// That, and each of the first calls with the digest so far, to find where two runs part.
    Calls,
}

/// The digest while it grows.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    hasher: Sha256,
    calls: u64,
    last: Option<Answered>,
    noted: Option<Vec<Noted>>,
}

/// A call with its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The call.
    pub call: Call,
    /// Steps before it.
    pub steps: u64,
    /// What was answered.
    pub reply: Reply,
}

/// A call as it is noted to find where two runs part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// The generation of the function.
    pub abi: Abi,
    /// The function.
    pub function: Function,
    /// Steps before the call.
    pub steps: u64,
    /// The start of the digest of all up to and with this call.
    pub digest: u64,
}

/// So many calls are noted: some 32 MiB.
const MOST_NOTED: usize = 1 << 20;

impl Trace {
    /// A trace, if one is asked for.
    pub fn new(tracing: Tracing) -> Option<Self> {
        let noted = match tracing {
            Tracing::Off => return None,
            Tracing::Digest => None,
            Tracing::Calls => Some(Vec::new()),
        };
        Some(Self {
            noted,
            ..Self::default()
        })
    }

    /// The first calls, if they are noted.
    pub fn noted(&self) -> &[Noted] {
        self.noted.as_deref().unwrap_or_default()
    }

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
        self.last = Some(Answered {
            call: *call,
            steps,
            reply,
        });
        self.hasher.update(b"c");
        self.number(steps);
        self.text(call.abi.module());
        self.text(call.function.name());
        for index in 0..call.function.parameters().len() {
            self.number(call.args[index]);
        }
        self.hasher.update(kind);
        self.number(value);
        if let Some(noted) = &mut self.noted
            && noted.len() < MOST_NOTED
        {
            let digest = self.hasher.clone().finalize();
            let mut start = [0; 8];
            start.copy_from_slice(&digest[..8]);
            noted.push(Noted {
                abi: call.abi,
                function: call.function,
                steps,
                digest: u64::from_be_bytes(start),
            });
        }
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The last call that was answered.
    pub fn last(&self) -> Option<&Answered> {
        self.last.as_ref()
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
