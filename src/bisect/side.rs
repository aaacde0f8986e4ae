//! Both runs, side by side.

use super::state::{What, difference};
use super::{BisectError, Side};
use crate::checkpoint::{FileDigests, Watching};
use crate::engine::{End, Engine, Slice};
use crate::meter::Detail;
use crate::run::{Watched, open};
use crate::wasi::Tracing;
use crate::{Module, Task};
use std::cell::RefCell;
use std::rc::Rc;

/// A run that is made again.
pub(super) struct Again {
    pub engine: Box<dyn Engine>,
    pub end: Option<End>,
    pub files: FileDigests,
}

/// How far [`Engines::run_to`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Both are there, or ended before.
    There,
    /// There is more to run.
    OnTheWay,
}

/// Both runs.
pub(super) struct Engines([Again; 2]);

impl Again {
    pub fn start(
        module: &Module,
        task: &Task,
        side: &Side,
        tracing: Tracing,
    ) -> Result<Self, BisectError> {
        let how = (side.engine, Detail::Fast, true);
        let mut engine = open(module, task, how, None, tracing, Watched::default())?;
        if engine.guest().is_none() {
            let name = side.engine.name();
            let reason = format!("{name} does not show a program's state between slices");
            return Err(BisectError::Failed(reason));
        }
        if let Some(fault) = &side.fault {
            let fault = Rc::new(RefCell::new(fault.clone()));
            let observer = Box::new(Watching::new(None, Some(fault)));
            engine.observe(observer).map_err(BisectError::Failed)?;
        }
        Ok(Self {
            engine,
            end: None,
            files: FileDigests::default(),
        })
    }

    pub fn steps(&self) -> u64 {
        self.engine.gauge().steps()
    }

    /// Runs to the first check at which `target` steps are used, at most about `turn` steps.
    pub fn run_to(&mut self, target: u64, turn: u64) -> Result<Stop, BisectError> {
        let until = self.steps().saturating_add(turn);
        while self.end.is_none() && self.steps() < target {
            if self.steps() >= until {
                return Ok(Stop::OnTheWay);
            }
            // A slice ends at the first check at which more is used than it has.
            let steps = (target - 1 - self.steps()).min(turn);
            match self.engine.slice(steps) {
                Slice::Yielded => {}
                Slice::Blocked => return Err(BisectError::Waits),
                Slice::Pending => {
                    let reason = "this engine does not come back between slices".to_owned();
                    return Err(BisectError::Failed(reason));
                }
                Slice::Done(End::Failed(reason)) => return Err(BisectError::Failed(reason)),
                Slice::Done(end) => self.end = Some(end),
            }
            self.engine.system_mut().output.take();
        }
        Ok(Stop::There)
    }
}

impl Engines {
    pub fn start(module: &Module, task: &Task, sides: &[Side; 2]) -> Result<Self, BisectError> {
        let [a, b] = sides;
        Ok(Self([
            Again::start(module, task, a, Tracing::Digest)?,
            Again::start(module, task, b, Tracing::Digest)?,
        ]))
    }

    pub fn run_to(&mut self, target: u64, turn: u64) -> Result<Stop, BisectError> {
        let [a, b] = &mut self.0;
        match (a.run_to(target, turn)?, b.run_to(target, turn)?) {
            (Stop::There, Stop::There) => Ok(Stop::There),
            _ => Ok(Stop::OnTheWay),
        }
    }

    pub fn both_steps(&self) -> [u64; 2] {
        let [a, b] = &self.0;
        [a.steps(), b.steps()]
    }

    /// The steps of the one that is behind.
    pub fn steps(&self) -> u64 {
        let [a, b] = self.both_steps();
        a.min(b)
    }

    /// Whether both have ended.
    pub fn ended(&self) -> bool {
        self.0.iter().all(|one| one.end.is_some())
    }

    /// In which function the first stands.
    pub fn function(&self) -> Option<u32> {
        self.0[0].engine.gauge().function()
    }

    pub fn difference(&mut self) -> Result<Option<What>, BisectError> {
        let [a, b] = &mut self.0;
        difference(a, b)
    }
}
