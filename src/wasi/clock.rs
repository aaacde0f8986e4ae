//! The profile's clocks. No clock of the host is ever read.

use super::Errno;

use crate::task::ClockMode;

/// Where every clock starts: 100 000 000 000 ns, 1970-01-01T00:01:40Z, as Truebit's does.
pub const EPOCH: u64 = 100_000_000_000;

/// The resolution that every clock reports, in nanoseconds.
pub const RESOLUTION: u64 = 1;

/// `clockid` of preview1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockId {
    Realtime,
    Monotonic,
    ProcessCpu,
    ThreadCpu,
}

impl ClockId {
    /// EINVAL for a number that names no clock.
    pub(super) fn decode(raw: u32) -> Result<Self, Errno> {
        match raw {
            0 => Ok(Self::Realtime),
            1 => Ok(Self::Monotonic),
            2 => Ok(Self::ProcessCpu),
            3 => Ok(Self::ThreadCpu),
            _ => Err(Errno::Inval),
        }
    }
}

/// How time passes for the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Time stands still, and sleeping returns at once. Only the monotonic clock shows what the
    /// program itself does with time: each reading is one nanosecond after the last one, since
    /// programs divide by differences and wait for one, and a sleep moves it to the sleep's end.
    /// That depends on the program's calls alone, not on the engine.
    Fixed {
        /// Nanoseconds that the monotonic clock is ahead.
        elapsed: u64,
    },
    /// One nanosecond a step, and sleeping moves the clock to the end of the sleep.
    Virtual {
        /// Nanoseconds slept so far.
        slept: u64,
    },
}

impl From<ClockMode> for Clock {
    fn from(mode: ClockMode) -> Self {
        match mode {
            ClockMode::Fixed => Self::fixed(),
            ClockMode::Virtual => Self::virtual_time(),
        }
    }
}

impl Clock {
    /// A clock that stands still.
    pub fn fixed() -> Self {
        Self::Fixed { elapsed: 0 }
    }

    /// A clock that advances with the steps of the program.
    pub fn virtual_time() -> Self {
        Self::Virtual { slept: 0 }
    }

    /// The wall clock in nanoseconds after `steps` steps: what files are stamped with.
    pub fn now(self, steps: u64) -> u64 {
        self.peek(ClockId::Realtime, steps)
    }

    /// What clock `id` shows, without reading it.
    pub(super) fn peek(self, id: ClockId, steps: u64) -> u64 {
        match (self, id) {
            (Self::Fixed { elapsed }, ClockId::Monotonic) => EPOCH.saturating_add(elapsed),
            (Self::Fixed { .. }, _) => EPOCH,
            (Self::Virtual { slept }, _) => EPOCH.saturating_add(steps).saturating_add(slept),
        }
    }

    /// Reads clock `id` for the guest.
    pub(super) fn read(&mut self, id: ClockId, steps: u64) -> u64 {
        let time = self.peek(id, steps);
        if let (Self::Fixed { elapsed }, ClockId::Monotonic) = (self, id) {
            *elapsed = elapsed.saturating_add(1);
        }
        time
    }

    /// Sleeps for `duration` nanoseconds.
    pub(super) fn sleep(&mut self, duration: u64) {
        let (Self::Fixed { elapsed: passed } | Self::Virtual { slept: passed }) = self;
        *passed = passed.saturating_add(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_counts_steps_and_what_was_slept() {
        let mut clock = Clock::virtual_time();
        assert_eq!(clock.now(0), EPOCH);
        assert_eq!(clock.now(7), EPOCH + 7);
        clock.sleep(993);
        assert_eq!(clock.now(7), EPOCH + 1000);
        assert_eq!(clock.now(10), EPOCH + 1003);
        clock.sleep(u64::MAX);
        assert_eq!(clock.now(10), u64::MAX);
        assert_eq!(clock.now(11), u64::MAX, "it stops at the end of time");
    }

    #[test]
    fn a_fixed_clock_shows_only_what_the_program_does_with_time() {
        let mut clock = Clock::fixed();
        assert_eq!(clock.read(ClockId::Monotonic, 5), EPOCH);
        assert_eq!(clock.read(ClockId::Monotonic, 6), EPOCH + 1);
        clock.sleep(1000);
        assert_eq!(clock.read(ClockId::Monotonic, 7), EPOCH + 1002);
        for id in [ClockId::Realtime, ClockId::ProcessCpu, ClockId::ThreadCpu] {
            assert_eq!(clock.read(id, 1 << 40), EPOCH);
        }
        assert_eq!(clock.now(1 << 40), EPOCH);
    }
}
