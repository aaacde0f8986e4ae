//! What answers the guest: its system and its gauge, and why the guest stopped.

use super::js::Guest;
use super::memory::Linear;
use super::shown::Shown;
use crate::engine::{End, Observer, Watch};
use crate::meter::{Gauge, StateExports, Ticked};
use crate::wasi::{Call, Function, GuestMemory, Reply, System};
use std::rc::Rc;

/// Steps between two questions for more: some ten milliseconds.
pub(super) const TURN: u64 = 20_000_000;
/// Answered to `browser.js` to end the guest; no proper answer is negative.
pub(super) const STOP: i32 = -1;
/// Answered to suspend it.
pub(super) const SUSPEND: i32 = -2;

/// Why the guest is suspended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Suspended {
    /// The slice is used up.
    SliceEnd,
    /// Its call waits for input, and is to be made again.
    Block(Call),
    /// Its call is done and returns this; the output should be taken first.
    Yield(i32),
}

/// What answers the guest.
pub(super) struct Host {
    pub(super) suspends: bool,
    pub(super) suspended: Option<Suspended>,
    pub(super) system: System,
    pub(super) gauge: Gauge,
    pub(super) watch: Option<Watch>,
    /// Why the guest was ended, if it was.
    pub(super) end: Option<End>,
    /// Shared with the engine; there once the module is instantiated.
    pub(super) guest: Option<Rc<Guest>>,
    /// What shows the guest's state, if the module does.
    pub(super) state: Option<StateExports>,
    pub(super) observer: Option<Box<dyn Observer>>,
}

impl Host {
    pub(super) fn note(&mut self, left: i64) {
        self.gauge.note(left);
        self.system.steps = self.gauge.steps();
    }

    pub(super) fn stop(&mut self, end: End) -> i32 {
        self.end = Some(end);
        STOP
    }

    fn look(&mut self) {
        // A guest that can be suspended comes back often enough.
        if let Some(watch) = &mut self.watch
            && !self.suspends
        {
            watch(&mut self.system, &self.gauge);
        }
    }

    /// Has the observer look at the guest.
    pub(super) fn observe(&mut self) -> Result<(), String> {
        let steps = self.gauge.steps();
        self.system.steps = steps;
        let (Some(guest), Some(state), Some(observer)) =
            (&self.guest, &self.state, &mut self.observer)
        else {
            return Ok(());
        };
        let mut shown = Shown {
            guest,
            state,
            system: &self.system,
        };
        let next = observer.look(&mut shown, steps)?;
        self.gauge.look_from(next);
        Ok(())
    }

    fn suspend(&mut self, why: Suspended) -> i32 {
        self.suspended = Some(why);
        SUSPEND
    }

    pub(super) fn call(&mut self, call: &Call, size: u64) -> i32 {
        let reply = match &self.guest {
            Some(guest) => {
                let mut memory = Linear { guest, size };
                self.system.call(call, &mut memory as &mut dyn GuestMemory)
            }
            // No code of the guest runs before it is instantiated.
            None => return self.stop(End::Failed("it called too early".to_owned())),
        };
        match reply {
            Reply::Return(errno) => {
                let value = i32::from(errno as u16);
                if self.suspends && may_suspend(call.function) && self.system.output.is_full() {
                    return self.suspend(Suspended::Yield(value));
                }
                self.look();
                value
            }
            Reply::Exit(code) => self.stop(End::Exit(code)),
            Reply::Exceeded(limit) => self.stop(End::Exceeded(limit)),
            Reply::Block if self.suspends => self.suspend(Suspended::Block(*call)),
            Reply::Block => self.stop(End::Failed(
                "the browser's engine can't wait for input".to_owned(),
            )),
        }
    }

    pub(super) fn tick(&mut self, left: i64, function: u32) -> i64 {
        match self.gauge.tick(left, function) {
            Ok(Ticked::More(left)) => left,
            Ok(Ticked::SliceEnd) if self.suspends => self.suspend(Suspended::SliceEnd).into(),
            Ok(Ticked::SliceEnd) => {
                self.system.steps = self.gauge.steps();
                self.look();
                self.gauge.begin_slice(TURN);
                self.gauge.grant()
            }
            Ok(Ticked::Checkpoint) => match self.observe() {
                Ok(()) => self.tick(left, function),
                Err(reason) => self.stop(End::Failed(reason)).into(),
            },
            Err(passed) => self.stop(End::Passed(passed)).into(),
        }
    }
}

/// As `browser.js` has it.
fn may_suspend(function: Function) -> bool {
    matches!(
        function,
        Function::FdRead | Function::PollOneoff | Function::FdWrite
    )
}
