//! Checkpoints: digests of a guest's state while it runs, so that two runs which differ show where.
//!
//! A checkpoint is taken at the start, and then at the first check of the instrumented code at which
//! the next multiple of the interval is reached ([`crate::meter::Gauge::look_from`]): the same place
//! on every engine. The interval is a power of two. It doubles, and checkpoints that the longer one
//! would not have are dropped, when there are too many or when memory has grown: so there are at most
//! [`MOST`], and the time they take is bounded by the time of the run. `docs/receipt.md` is the
//! definition of all that is hashed; what lies on the guest's stack (locals, operands) is not, since
//! no compiler shows it.

mod fault;
mod files;
mod memory;

use crate::digest::Digest;
use crate::engine::{Guest, Observer};
pub use fault::{Fault, FaultError};
pub(crate) use files::FileDigests;
use memory::Mirror;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::rc::Rc;

/// The most checkpoints that are kept.
pub const MOST: usize = 512;
/// The interval that a run starts with, in steps.
pub const FIRST_INTERVAL: u64 = 1 << 16;
/// The interval has at least so many steps for each byte of memory, and for each [`FILE_BYTES`]th of
/// a file: comparing memory with what it was must not take longer than the run.
pub const STEPS_PER_BYTE: u64 = 4;
/// What a file or directory counts as, whatever it holds.
pub const FILE_BYTES: u64 = 1024;

/// A guest's state at one moment, as digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Steps before it.
    pub steps: u64,
    /// Calls of WASI functions before it.
    pub calls: u64,
    /// All memories.
    pub memory: Digest,
    /// Mutable globals, and the sizes of tables.
    pub globals: Digest,
    /// Descriptors, clock, random source, and how much input was read.
    pub system: Digest,
    /// The files.
    pub files: Digest,
    /// What was written to standard output.
    pub stdout: Digest,
    /// What was written to standard error.
    pub stderr: Digest,
}

/// The checkpoints of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// Steps between two of them.
    pub interval: u64,
    /// The first is the start.
    pub list: Vec<Checkpoint>,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self {
            interval: FIRST_INTERVAL,
            list: Vec::new(),
        }
    }
}

impl Checkpoints {
    /// Adds one, of a guest of `size` bytes, and makes the interval as long as it must be.
    fn add(&mut self, checkpoint: Checkpoint, size: u64) {
        self.list.push(checkpoint);
        let least = size.saturating_mul(STEPS_PER_BYTE);
        while (self.list.len() > MOST || self.interval < least) && self.interval < 1 << 62 {
            self.double();
        }
    }

    /// Doubles the interval, and drops what would not have been taken with the longer one.
    pub fn double(&mut self) {
        self.interval *= 2;
        let interval = self.interval;
        let mut last = None;
        self.list.retain(|one| {
            let reached = one.steps / interval;
            let keep = last != Some(reached);
            last = Some(reached);
            keep
        });
    }

    /// Where the next is taken, after one at `steps`.
    fn next(&self, steps: u64) -> u64 {
        (steps / self.interval + 1).saturating_mul(self.interval)
    }
}

/// Takes checkpoints of a guest.
#[derive(Default)]
pub struct Collector {
    taken: Checkpoints,
    memories: Vec<Mirror>,
    files: FileDigests,
}

impl Collector {
    /// The checkpoints so far.
    pub fn taken(&self) -> &Checkpoints {
        &self.taken
    }

    /// Takes one. Returns it, and how many bytes count for the interval.
    fn take(&mut self, guest: &mut dyn Guest, steps: u64) -> Result<(Checkpoint, u64), String> {
        let mut globals = Sha256::new();
        for cell in guest.cells()? {
            globals.update(cell.to_le_bytes());
        }
        let mut memory = Sha256::new();
        let mut size = 0;
        self.memories.resize_with(guest.memories(), Mirror::default);
        for (index, mirror) in self.memories.iter_mut().enumerate() {
            let root = mirror.update(guest, index)?;
            memory.update(mirror.size().to_le_bytes());
            memory.update(root.0);
            size += mirror.size();
        }
        let zero = Digest([0; 32]);
        let mut checkpoint = Checkpoint {
            steps,
            calls: 0,
            memory: Digest(memory.finalize().into()),
            globals: Digest(globals.finalize().into()),
            system: zero,
            files: zero,
            stdout: zero,
            stderr: zero,
        };
        guest.with_system(&mut |system| {
            let [stdout, stderr] = system.output.digests().unwrap_or_default();
            checkpoint.calls = system.calls;
            checkpoint.system = system.state_digest();
            checkpoint.files = self.files.update(&system.fs);
            checkpoint.stdout = Digest(stdout);
            checkpoint.stderr = Digest(stderr);
            size += system.fs.count() as u64 * FILE_BYTES;
        });
        Ok((checkpoint, size))
    }
}

/// What an observer does in one run: takes checkpoints, or makes a fault, or both.
pub struct Watching {
    /// Takes the checkpoints.
    pub collector: Option<Rc<RefCell<Collector>>>,
    /// The fault that is still to be made.
    pub fault: Option<Rc<RefCell<Fault>>>,
    next: u64,
}

impl Watching {
    /// An observer.
    pub fn new(
        collector: Option<Rc<RefCell<Collector>>>,
        fault: Option<Rc<RefCell<Fault>>>,
    ) -> Self {
        let next = if collector.is_some() { 0 } else { u64::MAX };
        Self {
            collector,
            fault,
            next,
        }
    }
}

impl Observer for Watching {
    fn look(&mut self, guest: &mut dyn Guest, steps: u64) -> Result<u64, String> {
        let mut fault_at = u64::MAX;
        if let Some(fault) = &self.fault {
            fault_at = fault.borrow_mut().look(guest, steps)?;
        }
        if let Some(collector) = &self.collector
            && steps >= self.next
        {
            let collector = &mut *collector.borrow_mut();
            let (checkpoint, size) = collector.take(guest, steps)?;
            collector.taken.add(checkpoint, size);
            self.next = collector.taken.next(steps);
        }
        Ok(self.next.min(fault_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(steps: u64) -> Checkpoint {
        let zero = Digest([0; 32]);
        Checkpoint {
            steps,
            calls: 0,
            memory: zero,
            globals: zero,
            system: zero,
            files: zero,
            stdout: zero,
            stderr: zero,
        }
    }

    /// Takes checkpoints at the first of `points` that reaches each multiple.
    fn taken(points: &[u64], mut checkpoints: Checkpoints) -> Checkpoints {
        checkpoints.add(checkpoint(0), 0);
        let mut next = checkpoints.next(0);
        for &steps in points {
            if steps >= next {
                checkpoints.add(checkpoint(steps), 0);
                next = checkpoints.next(steps);
            }
        }
        checkpoints
    }

    #[test]
    fn what_remains_is_what_the_longer_interval_would_have_taken() {
        // Checks come at odd distances; some are further apart than the interval.
        let mut at = 0u64;
        let points: Vec<u64> = (0..20_000u64)
            .map(|n| {
                at += 1 + (n * n * 2_654_435_761) % 9_000 + if n % 97 == 0 { 700_000 } else { 0 };
                at
            })
            .collect();
        let found = taken(&points, Checkpoints::default());
        assert!(found.list.len() <= MOST && found.list.len() > MOST / 4);
        assert!(found.interval > FIRST_INTERVAL);
        let longer = Checkpoints {
            interval: found.interval,
            list: Vec::new(),
        };
        assert_eq!(found, taken(&points, longer));
    }

    #[test]
    fn the_interval_grows_with_memory() {
        let mut checkpoints = Checkpoints::default();
        checkpoints.add(checkpoint(0), 1 << 20);
        assert_eq!(checkpoints.interval, STEPS_PER_BYTE << 20);
        checkpoints.add(checkpoint(STEPS_PER_BYTE << 20), (1 << 20) + 1);
        assert_eq!(checkpoints.interval, STEPS_PER_BYTE << 21);
        // The second is not at a multiple of the new one.
        assert_eq!(checkpoints.list.len(), 1);
    }
}
