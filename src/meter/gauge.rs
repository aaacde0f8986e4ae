//! The host's side of metering: what instrumented code asks ([`HostFunction`]), answered the same
//! way for every engine.
//!
//! [`HostFunction`]: super::HostFunction

use super::{Level, MAX_TABLE_ELEMENTS};

/// Bytes of a cell of a frame.
const CELL: u64 = 8;

/// The most steps that are granted at a time. The code for compilers has one test for its steps and its
/// [`Level`], and more steps have a bit in common with a level that is too deep.
const MOST_GRANT: u64 = (1 << 23) - 1;

/// The limits that metering enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most steps.
    pub gas: u64,
    /// The most nested calls.
    pub call: u64,
    /// The most bytes of frames.
    pub frame: u64,
    /// The most 64 KiB pages of all memories together.
    pub memory_pages: u64,
}

impl Bounds {
    /// No run nests more calls than this, whatever its limits say: an engine's stack is finite, and
    /// where it ends must not show.
    pub const MOST_CALLS: u64 = 1 << 20;
    /// No run has more bytes of frames than this.
    pub const MOST_FRAME: u64 = 256 << 20;
    /// No run has more pages than this (4 GiB).
    pub const MOST_PAGES: u64 = 1 << 16;
    /// No run makes more steps than this.
    pub const MOST_GAS: u64 = i64::MAX as u64;

    /// The bounds under `limits`.
    pub fn new(
        gas: Option<u64>,
        call: Option<u64>,
        frame: Option<u64>,
        pages: Option<u64>,
    ) -> Self {
        let default = Self::default();
        Self {
            gas: gas.unwrap_or(default.gas).min(Self::MOST_GAS),
            call: call.unwrap_or(default.call).min(Self::MOST_CALLS),
            frame: frame.unwrap_or(default.frame).min(Self::MOST_FRAME),
            memory_pages: pages.unwrap_or(default.memory_pages).min(Self::MOST_PAGES),
        }
    }
}

impl Default for Bounds {
    /// What holds where a task sets no limit.
    fn default() -> Self {
        Self {
            gas: Self::MOST_GAS,
            call: 1 << 16,
            frame: 64 << 20,
            memory_pages: Self::MOST_PAGES,
        }
    }
}

/// The limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Steps.
    Gas,
    /// Nested calls.
    Call,
    /// Bytes of frames.
    Frame,
    /// Pages of memory.
    Memory,
}

/// A limit was passed, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Which limit.
    pub limit: Limit,
    /// The function's index in the original module; `None` if the run's last steps passed it.
    pub function: Option<u32>,
}

/// What the guest's question for more steps comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticked {
    /// It goes on, with this many steps left.
    More(i64),
    /// The host wants to look at the guest's state here ([`Gauge::look_from`]); then it asks again.
    Checkpoint,
    /// The slice is used up; [`Gauge::grant`] tells what is left when it goes on.
    SliceEnd,
}

/// Counts one run: steps granted and used, peaks, limits.
#[derive(Debug, Clone)]
pub struct Gauge {
    bounds: Bounds,
    /// Steps granted to the guest so far.
    granted: u64,
    /// The slice ends once this many are used.
    slice_end: u64,
    used: u64,
    peak: Level,
    pages: u64,
    /// By how much all tables have grown.
    elements: u64,
    /// The host wants to look at the first check at which so many are used.
    checkpoint: u64,
    /// The function with the last check that asked.
    function: Option<u32>,
}

impl Gauge {
    /// A gauge for a run that starts with `pages` pages of memory.
    pub fn new(bounds: Bounds, pages: u64) -> Self {
        Self {
            bounds,
            granted: 0,
            slice_end: 0,
            used: 0,
            peak: Level::default(),
            pages,
            elements: 0,
            checkpoint: u64::MAX,
            function: None,
        }
    }

    /// Steps used, as far as the guest has told; never more than the limit.
    pub fn steps(&self) -> u64 {
        self.used.min(self.bounds.gas)
    }

    /// The most nested calls so far.
    pub fn peak_calls(&self) -> u64 {
        u64::from(self.peak.depth)
    }

    /// The most bytes of frames so far.
    pub fn peak_frame(&self) -> u64 {
        u64::from(self.peak.cells) * CELL
    }

    /// Pages of all memories now. They never shrink, so this is the peak too.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Allows `steps` more steps from here: the slice ends at the first check at which more are used.
    pub fn begin_slice(&mut self, steps: u64) {
        self.slice_end = self.used.saturating_add(steps).min(self.bounds.gas);
    }

    /// What the guest has left at the start of a slice, before its first step or after
    /// [`Ticked::SliceEnd`].
    pub fn grant(&mut self) -> i64 {
        // A check asks once more than what is granted is used.
        let granted = self.granted.max(self.slice_end);
        let most = self.used.saturating_add(MOST_GRANT);
        self.granted = granted.min(self.checkpoint.saturating_sub(1)).min(most);
        let left = i128::from(self.granted) - i128::from(self.used);
        i64::try_from(left).unwrap_or(i64::MAX)
    }

    /// Has the host look at the guest's state at the first check at which `steps` are used: that is
    /// [`Ticked::Checkpoint`]. Where checks are follows from the original module alone, so all engines
    /// stop at the same place: at a loop's head, at the entry of a function that calls, and before a
    /// call of the host, a bulk operator or a growth acts.
    pub fn look_from(&mut self, steps: u64) {
        self.checkpoint = steps.max(1);
    }

    /// Notes what the guest has left.
    pub fn note(&mut self, left: i64) {
        let used = i128::from(self.granted) - i128::from(left);
        self.used = u64::try_from(used).unwrap_or(0);
    }

    /// The function, by its index in the original module, whose code asked the host last.
    pub fn function(&self) -> Option<u32> {
        self.function
    }

    /// Whether more steps were used than the limit allows.
    pub fn is_spent(&self) -> bool {
        self.used > self.bounds.gas
    }

    fn check(&mut self, left: i64, function: u32) -> Result<(), Passed> {
        self.note(left);
        self.function = Some(function);
        match self.is_spent() {
            true => Err(Passed {
                limit: Limit::Gas,
                function: Some(function),
            }),
            false => Ok(()),
        }
    }

    /// The guest's `left` is below zero.
    ///
    /// # Errors
    /// If its gas is spent.
    pub fn tick(&mut self, left: i64, function: u32) -> Result<Ticked, Passed> {
        self.check(left, function)?;
        if self.used >= self.checkpoint {
            return Ok(Ticked::Checkpoint);
        }
        Ok(match self.used >= self.slice_end {
            true => Ticked::SliceEnd,
            false => Ticked::More(self.grant()),
        })
    }

    /// The guest calls deeper, or with larger frames, than ever. Returns the room from there.
    ///
    /// # Errors
    /// If that passes a limit.
    pub fn deeper(&mut self, packed: i64, left: i64, function: u32) -> Result<i64, Passed> {
        self.check(left, function)?;
        let level = Level::unpack(packed);
        let passed = |limit| {
            Err(Passed {
                limit,
                function: Some(function),
            })
        };
        if u64::from(level.depth) > self.bounds.call {
            return passed(Limit::Call);
        }
        if u64::from(level.cells) * CELL > self.bounds.frame {
            return passed(Limit::Frame);
        }
        self.peak = self.peak.max(level);
        Ok(self.peak.room())
    }

    /// A memory of `size` pages (or a table of `size` elements) should grow by `delta`; its type
    /// allows `most`. Returns whether it does.
    ///
    /// # Errors
    /// If a memory's growth passes the limit; that ends the run even if the guest could live with
    /// less, because how a guest copes is its secret, and a limit is not.
    pub fn grow(
        &mut self,
        is_table: bool,
        (size, delta, most): (u64, u64, u64),
        left: i64,
        function: u32,
    ) -> Result<bool, Passed> {
        self.check(left, function)?;
        if size.checked_add(delta).is_none_or(|size| size > most) {
            return Ok(false);
        }
        if is_table {
            // What many tables grow by is bounded as what one does: the host's memory is finite.
            let elements = self.elements.saturating_add(delta);
            if elements > MAX_TABLE_ELEMENTS {
                return Ok(false);
            }
            self.elements = elements;
        } else {
            let pages = self.pages.saturating_add(delta);
            if pages > self.bounds.memory_pages {
                return Err(Passed {
                    limit: Limit::Memory,
                    function: Some(function),
                });
            }
            self.pages = pages;
        }
        Ok(true)
    }
}
