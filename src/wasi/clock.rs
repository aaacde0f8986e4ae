//! The profile's clock. No clock of the host is ever read.

use crate::task::ClockMode;

/// Where every clock starts: 100 000 000 000 ns, 1970-01-01T00:01:40Z, as Truebit's does.
pub const EPOCH: u64 = 100_000_000_000;

/// The resolution that every clock reports, in nanoseconds.
pub const RESOLUTION: u64 = 1;

/// How time passes for the guest. All four clocks of preview1 show the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Time stands still; sleeping returns at once.
    Fixed,
    /// One nanosecond a step, and sleeping moves the clock to the end of the sleep.
    Virtual {
        /// Nanoseconds slept so far.
        slept: u64,
    },
}

impl From<ClockMode> for Clock {
    fn from(mode: ClockMode) -> Self {
        match mode {
            ClockMode::Fixed => Self::Fixed,
            ClockMode::Virtual => Self::virtual_time(),
        }
    }
}

impl Clock {
    /// A clock that advances with the steps of the program.
    pub fn virtual_time() -> Self {
        Self::Virtual { slept: 0 }
    }

    /// The time in nanoseconds after `steps` steps.
    pub fn now(self, steps: u64) -> u64 {
        match self {
            Self::Fixed => EPOCH,
            Self::Virtual { slept } => EPOCH.saturating_add(steps).saturating_add(slept),
        }
    }

    /// Sleeps until `deadline` nanoseconds, if that is not past yet.
    pub(super) fn sleep_until(&mut self, deadline: u64, steps: u64) {
        let now = self.now(steps);
        if let Self::Virtual { slept } = self {
            *slept = slept.saturating_add(deadline.saturating_sub(now));
        }
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
        clock.sleep_until(EPOCH + 1000, 7);
        assert_eq!(clock.now(7), EPOCH + 1000);
        assert_eq!(clock.now(10), EPOCH + 1003);
        clock.sleep_until(EPOCH + 5, 10);
        assert_eq!(
            clock.now(10),
            EPOCH + 1003,
            "a time that is past is no sleep"
        );
        clock.sleep_until(u64::MAX, 10);
        assert_eq!(clock.now(10), u64::MAX);
        assert_eq!(clock.now(11), u64::MAX, "it stops at the end of time");
    }

    #[test]
    fn a_fixed_clock_stands_still() {
        let mut clock = Clock::Fixed;
        clock.sleep_until(u64::MAX, 5);
        assert_eq!(clock.now(1 << 40), EPOCH);
    }
}
