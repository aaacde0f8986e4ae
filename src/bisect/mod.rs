//! Bisection: where two runs of one task part.
//!
//! Both runs are made again, side by side, and stopped at the same checks of the instrumented code
//! ([`crate::meter::Gauge::look_from`]). First at few, then, between the last at which all is the same
//! and the first at which something differs, at more, until there is nothing between two stops but a
//! stretch of code without a loop's head or a call. What is compared is the state itself, not digests
//! of it, so both values of what differs are known.
//!
//! A [`Bisection`] is driven in small steps, so that whoever shows it stays responsive, and
//! [`Bisection::levels`] tells the story so far.

mod look;
mod side;
mod state;

use crate::checkpoint::Fault;
use crate::engine::{End, Kind};
use crate::{Module, StartError, Task};
pub use look::{CallAt, Look, Window};
use serde::Serialize;
use side::{Engines, Stop};
pub use state::{CallSeen, What};

/// The most stops of one level, beside the last.
const STOPS: u64 = 256;
/// Steps between two stops if nothing is known of the runs.
const FIRST_INTERVAL: u64 = 1 << 18;
/// Far more passes than there are between one step and 2^63, a second time too.
const MOST_LEVELS: usize = 64;
/// Steps that a run makes before the caller is told: some milliseconds.
const TURN: u64 = 2_000_000;

/// How one of the two runs is made.
#[derive(Debug, Clone)]
pub struct Side {
    /// On which engine.
    pub engine: Kind,
    /// With which fault.
    pub fault: Option<Fault>,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            engine: Kind::Interpreter,
            fault: None,
        }
    }
}

/// Why two runs can't be compared.
#[derive(Debug, thiserror::Error)]
pub enum BisectError {
    /// One does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// One fails, which is no result.
    #[error("this device failed to make the run again: {0}")]
    Failed(String),
    /// One waits for input that it did not have.
    #[error("made again, the run waits for input that it did not have")]
    Waits,
    /// The state of one can't be read.
    #[error("this device failed to read the state of a run made again: {0}")]
    State(String),
    /// At the same step something differs in one pass, and nothing in another.
    #[error("made again and again, the runs do not do the same each time")]
    Unsteady,
}

/// One pass over both runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Level {
    /// Steps at the last stop at which all is known to be the same.
    pub from: u64,
    /// Steps at the first at which something is known to differ; `None` for the end.
    pub to: Option<u64>,
    /// Steps between two stops.
    pub interval: u64,
    /// Stops at which all was the same, in this pass.
    pub same: u64,
}

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Steps at the last stop at which all is the same.
    pub from: u64,
    /// Steps of either at the next stop, at which something differs.
    pub steps: [u64; 2],
    /// The function of the original module in which the last common stop is.
    pub function: Option<u32>,
    /// What the module's name section calls it.
    pub function_name: Option<String>,
    /// What differs first.
    pub what: What,
}

/// What a step of the search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    Working,
    /// They part there.
    Found(Box<Finding>),
    /// They do the same from start to end.
    Same,
}

/// The search for where two runs part.
pub struct Bisection {
    module: Module,
    task: Task,
    sides: [Side; 2],
    levels: Vec<Level>,
    engines: Option<Engines>,
    /// The next stop, in steps.
    next: u64,
    /// Where all is the same in this pass, as far as it has come.
    reached: u64,
    /// Whether that was seen in this pass; else it is where the pass begins.
    is_seen: bool,
    /// Whether the search began again from the first step, because what it was told is wrong.
    is_again: bool,
    function: Option<u32>,
    done: Option<Progress>,
}

impl Bisection {
    /// Begins a search. All is said to be the same up to step `from`, and something to differ at
    /// step `to`; 0 and `None` if nothing is known. Who says so may be wrong, or lie: then the search
    /// takes longer, and finds the same.
    pub fn new(module: &Module, task: &Task, sides: [Side; 2], from: u64, to: Option<u64>) -> Self {
        let mut task = task.clone();
        task.files = task.files.canonical(crate::wasi::EPOCH);
        let mut new = Self {
            module: module.clone(),
            task,
            sides,
            levels: Vec::new(),
            engines: None,
            next: 0,
            reached: from,
            is_seen: false,
            is_again: false,
            function: None,
            done: None,
        };
        new.begin(from, to);
        new
    }

    /// The passes so far, the last one being under way.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Steps that the pass under way has come to.
    pub fn steps(&self) -> u64 {
        self.engines.as_ref().map_or(0, Engines::steps)
    }

    /// Begins a pass.
    fn begin(&mut self, from: u64, to: Option<u64>) {
        let interval = match to {
            Some(to) => (to.saturating_sub(from) / STOPS).next_power_of_two(),
            None => FIRST_INTERVAL,
        };
        let known = self.levels.last().map(|level| (level.from, level.to));
        let interval = match interval {
            // The last pass stops everywhere. So does one after a pass that got no closer: then there
            // is one long stretch without a check (a bulk operator, say).
            _ if known == Some((from, to)) && to.is_some() => 1,
            0..=4 => 1,
            interval => interval,
        };
        self.levels.push(Level {
            from,
            to,
            interval,
            same: 0,
        });
        self.engines = None;
        self.reached = from;
        self.is_seen = false;
        self.next = from;
    }

    /// Begins from the first step, since what was said of the steps before is wrong.
    fn begin_again(&mut self, to: Option<u64>) -> Result<Progress, BisectError> {
        if std::mem::replace(&mut self.is_again, true) {
            return Err(BisectError::Unsteady);
        }
        self.begin(0, to);
        Ok(Progress::Working)
    }

    /// Does some milliseconds of work.
    ///
    /// # Errors
    /// If the runs can't be made again. Then nothing more can be found.
    pub fn advance(&mut self) -> Result<Progress, BisectError> {
        if let Some(done) = &self.done {
            return Ok(done.clone());
        }
        if self.levels.len() > MOST_LEVELS {
            return Err(BisectError::Unsteady);
        }
        let engines = match &mut self.engines {
            Some(engines) => engines,
            empty => empty.insert(Engines::start(&self.module, &self.task, &self.sides)?),
        };
        let stop = engines.run_to(self.next, TURN)?;
        if stop == Stop::OnTheWay {
            return Ok(Progress::Working);
        }
        let steps = engines.both_steps();
        let function = engines.function();
        let level = self.levels.last().copied();
        let (start, end, interval) =
            level.map_or((0, None, 1), |level| (level.from, level.to, level.interval));
        let Some(what) = engines.difference()? else {
            if engines.ended() {
                // What differs may have been before the pass began.
                return match start > 0 && !self.is_again {
                    true => self.begin_again(None),
                    false => Ok(self.finish(Progress::Same)),
                };
            }
            if let Some(level) = self.levels.last_mut() {
                level.same += u64::from(steps[0] > level.from);
            }
            (self.reached, self.is_seen, self.function) = (steps[0], true, function);
            let next = steps[0].saturating_add(interval);
            match end {
                // What differs there may be put right soon after, so it is not passed by.
                Some(end) if steps[0] < end => self.next = next.min(end),
                // Nothing differs where something was said to.
                Some(_) => self.begin(steps[0], None),
                None => self.next = next,
            }
            return Ok(Progress::Working);
        };
        let (from, to) = (self.reached, steps[0].min(steps[1]).max(self.reached));
        if !self.is_seen && from > 0 {
            return self.begin_again(Some(to));
        }
        if interval == 1 {
            let name = self
                .function
                .and_then(|index| self.module.function_name(index));
            return Ok(self.finish(Progress::Found(Box::new(Finding {
                from,
                steps,
                function: self.function,
                function_name: name,
                what,
            }))));
        }
        self.begin(from, Some(to));
        Ok(Progress::Working)
    }

    fn finish(&mut self, progress: Progress) -> Progress {
        self.engines = None;
        self.done = Some(progress.clone());
        progress
    }
}

/// How a run ended, for people.
fn describe_end(end: &End) -> String {
    match end {
        End::Exit(code) => format!("exit {code}"),
        End::Trap { kind, .. } => format!("trap {kind}"),
        End::Exceeded(limit) => format!("limit passed: {limit:?}").to_lowercase(),
        End::Passed(passed) => format!("limit passed: {:?}", passed.limit).to_lowercase(),
        End::Failed(reason) => reason.clone(),
    }
}
