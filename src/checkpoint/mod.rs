//! Checkpoints: digests of a guest's state while it runs, so that two runs which differ show where.
//!
//! A checkpoint is taken at the start, and then at the first check of the instrumented code at which
//! the next multiple of the interval is reached ([`crate::meter::Gauge::look_from`]): the same place
//! on every engine. The interval is a power of two. It doubles, and checkpoints that the longer one
//! would not have are dropped, when there are too many or when memory has grown; and one is put off
//! where more memory has changed than the steps since the last one pay for. So there are at most
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
pub(crate) use memory::is_same;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::rc::Rc;

/// The most checkpoints that are kept.
pub const MOST: usize = 512;
/// The version of the definition of all that is hashed, and when. It goes into every receipt with
/// checkpoints.
pub const VERSION: u32 = 2;
/// The interval that a run starts with, in steps: on a compiler a fraction of a millisecond.
pub const FIRST_INTERVAL: u64 = 1 << 20;
/// The interval has at least so many steps for each byte of memory, and for each [`FILE_BYTES`]th of
/// a file: comparing memory with what it was must take a fraction of the run.
pub const STEPS_PER_BYTE: u64 = 8;
/// Between two checkpoints are at least so many steps for each byte of the pages of memory that
/// changed: hashing them must take a fraction of the run.
pub const STEPS_PER_CHANGED_BYTE: u64 = 32;
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
    /// Makes the interval as long as it must be for a guest of `size` bytes.
    fn fit(&mut self, size: u64) {
        let least = size.saturating_mul(STEPS_PER_BYTE);
        while self.interval < least && self.interval < 1 << 62 {
            self.double();
        }
    }

    /// Adds one, and makes the interval longer if these are too many.
    fn add(&mut self, checkpoint: Checkpoint) {
        self.list.push(checkpoint);
        while self.list.len() > MOST && self.interval < 1 << 62 {
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

    /// The first multiple of the interval from `steps` on.
    fn due(&self, steps: u64) -> u64 {
        steps.div_ceil(self.interval).saturating_mul(self.interval)
    }
}

/// Takes checkpoints of a guest.
#[derive(Default)]
pub struct Collector {
    taken: Checkpoints,
    /// Steps at the last that was taken, be it kept or not.
    last: Option<u64>,
    memories: Vec<Mirror>,
    files: FileDigests,
}

impl Collector {
    /// The checkpoints so far.
    pub fn taken(&self) -> &Checkpoints {
        &self.taken
    }

    /// Looks at the guest where the next is due, and takes it, unless so much has changed that it is
    /// put off. Returns from how many steps on to look again.
    fn look(&mut self, guest: &mut dyn Guest, steps: u64) -> Result<u64, String> {
        let (mut size, mut marked) = (0, 0);
        self.memories.resize_with(guest.memories(), Mirror::default);
        for (index, mirror) in self.memories.iter_mut().enumerate() {
            mirror.look(guest, index)?;
            size += mirror.size();
            marked += mirror.marked();
        }
        guest.with_system(&mut |system| size += system.fs.count() as u64 * FILE_BYTES);
        self.taken.fit(size);
        if let Some(last) = self.last {
            // Rounded, so that a page more or less, which may be what two runs differ in, hardly ever
            // moves what both should have at the same place.
            let marked = if marked == 0 {
                0
            } else {
                marked.next_power_of_two()
            };
            let paid = last.saturating_add(marked.saturating_mul(STEPS_PER_CHANGED_BYTE));
            if steps < paid {
                return Ok(self.taken.due(paid));
            }
        }
        let checkpoint = self.take(guest, steps)?;
        self.taken.add(checkpoint);
        self.last = Some(steps);
        Ok(self.taken.due(steps.saturating_add(1)))
    }

    /// Takes one of a guest whose memories were looked at.
    fn take(&mut self, guest: &mut dyn Guest, steps: u64) -> Result<Checkpoint, String> {
        let mut globals = Sha256::new();
        for cell in guest.cells()? {
            globals.update(cell.to_le_bytes());
        }
        let mut memory = Sha256::new();
        for mirror in &mut self.memories {
            memory.update(mirror.size().to_le_bytes());
            memory.update(mirror.root().0);
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
        });
        Ok(checkpoint)
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
            self.next = collector.borrow_mut().look(guest, steps)?;
        }
        Ok(self.next.min(fault_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Task;
    use crate::fs::Filesystem;
    use crate::meter::StateExports;
    use crate::wasi::{Clock, EPOCH, Setup, Stdin, System};

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
        checkpoints.add(checkpoint(0));
        let mut next = checkpoints.due(1);
        for &steps in points {
            if steps >= next {
                checkpoints.add(checkpoint(steps));
                next = checkpoints.due(steps + 1);
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
                let long = if n % 97 == 0 { 11_000_000 } else { 0 };
                at += 1 + (n * n * 2_654_435_761) % 144_000 + long;
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
        checkpoints.add(checkpoint(0));
        checkpoints.fit(1 << 20);
        assert_eq!(checkpoints.interval, STEPS_PER_BYTE << 20);
        checkpoints.add(checkpoint(STEPS_PER_BYTE << 20));
        checkpoints.fit((1 << 20) + 1);
        assert_eq!(checkpoints.interval, STEPS_PER_BYTE << 21);
        // The second is not at a multiple of the new one.
        assert_eq!(checkpoints.list.len(), 1);
    }

    /// A guest with one memory that changes between two looks.
    struct Changing(Vec<u8>, System, StateExports);

    impl Guest for Changing {
        fn cells(&mut self) -> Result<Vec<u64>, String> {
            Ok(Vec::new())
        }
        fn state(&self) -> &StateExports {
            &self.2
        }
        fn flip(&mut self, _: u32, _: u64) -> Result<(), String> {
            Ok(())
        }
        fn memories(&self) -> usize {
            1
        }
        fn memory_size(&self, _: usize) -> u64 {
            self.0.len() as u64
        }
        fn visit(&mut self, _: usize, each: &mut dyn FnMut(u64, &mut [u8]) -> bool) {
            each(0, &mut self.0);
        }
        fn with_system(&mut self, look: &mut dyn FnMut(&System)) {
            look(&self.1);
        }
    }

    #[test]
    fn one_that_is_too_dear_is_put_off() {
        let system = System::new(Setup {
            args: vec![],
            env: vec![],
            stdin: Stdin::fixed(b""),
            terminal: false,
            fs: Filesystem::new(EPOCH),
            preopens: vec![],
            clock: Clock::fixed(),
            random: Task::default().random,
            output_limit: None,
            file_limit: None,
            trace: false,
        });
        let mut guest = Changing(
            vec![0; 4 << 16],
            system.expect("nothing is missing"),
            StateExports::default(),
        );
        let mut collector = Collector::default();
        let mut look = |guest: &mut Changing, steps| {
            let next = collector.look(guest, steps).expect("it can be looked at");
            let taken = collector.taken().list.last().map(|last| last.steps);
            (next, taken.expect("one"))
        };
        let interval = 1 << 22;
        // What is there at the start is free.
        guest.0.fill(1);
        assert_eq!(look(&mut guest, 0), (interval, 0));
        // 63 pages count as 64, a byte for 32 steps: eight million steps have to be made first.
        guest.0[4096..].fill(2);
        assert_eq!(look(&mut guest, interval), (2 * interval, 0));
        // What changes back was found changed all the same.
        guest.0.fill(1);
        assert_eq!(look(&mut guest, 2 * interval), (3 * interval, 2 * interval));
        // A page is cheap.
        guest.0[5000] = 9;
        assert_eq!(look(&mut guest, 3 * interval), (4 * interval, 3 * interval));
        // A memory that grows is compared less often, whether a checkpoint is taken or not.
        guest.0.resize(64 << 16, 3);
        let (next, last) = look(&mut guest, 4 * interval);
        assert_eq!((next, last), (48 * interval, 0));
    }
}
