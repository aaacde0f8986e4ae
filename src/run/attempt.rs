//! A task on one engine, from its first step to its end, and exact after a trap.

use super::delivery::Delivery;
use super::{StartError, State, Stats};
use crate::checkpoint::{Checkpoints, Collector, Fault, Watching};
use crate::engine::{End, Engine, EngineError, Kind, Place, Slice};
use crate::meter::{self, Bounds, Detail, Gauge, Options, Profiler};
use crate::task::{Input, Module, Task};
use crate::wasi::{CallLog, Chunk, Pushed, Setup, Stdin, System, Trace, Tracing};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Hears of a run on an engine that can't come back between its slices.
pub trait Listener {
    /// Whether to be told now. Asked whenever the guest calls its system, so it must be quick.
    fn is_due(&self) -> bool;
    /// The output since the last time, and figures.
    fn hear(&self, output: Vec<Chunk>, stats: &Stats);
}

#[cfg(target_family = "wasm")]
const PENDING: State = State::Pending;
/// No engine leaves a slice pending here.
#[cfg(not(target_family = "wasm"))]
const PENDING: State = State::Running;

/// How an attempt is made.
#[derive(Clone)]
pub(super) struct Plan {
    pub kind: Kind,
    pub tracing: Tracing,
    /// The input of the run that is made again, if it was live.
    pub input: Option<Vec<Pushed>>,
    pub listener: Option<Rc<dyn Listener>>,
    /// A fault to make.
    pub fault: Option<Fault>,
    /// What is watched beside the result.
    pub watched: Watched,
}

/// What of a run is noted beside its result; it changes nothing of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watched {
    /// Each call of the program to its system, for [`Run::calls`](super::Run::calls).
    pub calls: bool,
    /// Which functions make the steps, for [`Run::profile`](super::Run::profile). It runs on the
    /// interpreter then, and takes longer.
    pub profile: bool,
}

/// A task on one engine.
pub(super) struct Attempt {
    pub kind: Kind,
    engine: Box<dyn Engine>,
    /// The same run again after a trap, to learn its exact count and place.
    replay: Option<Box<dyn Engine>>,
    /// How it ended, but for count and place while there is a replay.
    end: Option<End>,
    is_done: bool,
    is_pending: bool,
    /// Output written so far; shared with what watches from within a slice.
    pub delivery: Rc<RefCell<Delivery>>,
    /// Output that is noted there, and not taken yet.
    settled: Vec<Chunk>,
    /// Shared with the engine's observer.
    collector: Option<Rc<RefCell<Collector>>>,
    fault: Option<Rc<RefCell<Fault>>>,
}

/// How a module is instrumented for an engine.
pub(super) fn options(kind: Kind, detail: Detail, state: bool) -> Options {
    Options {
        detail,
        target: kind.target(),
        state,
    }
}

/// Instantiates a task's module on an engine; with `state` it can be looked at.
pub(crate) fn open(
    module: &Module,
    task: &Task,
    (kind, detail, state): (Kind, Detail, bool),
    input: Option<&[Pushed]>,
    tracing: Tracing,
    watched: Watched,
) -> Result<Box<dyn Engine>, StartError> {
    let limits = &task.limits;
    let mut system = System::new(Setup {
        args: task.args.clone(),
        env: task.env.clone(),
        stdin: match (&task.stdin, input) {
            (Input::Bytes(bytes), _) => Stdin::fixed(bytes),
            (Input::Script { pushed, .. }, _) => Stdin::replayed(pushed),
            (Input::Live { .. }, None) => Stdin::live(),
            (Input::Live { .. }, Some(log)) => Stdin::replayed(log),
        },
        terminal: task.stdin.terminal(),
        fs: task.files.clone(),
        preopens: task.preopens.clone(),
        clock: task.clock.into(),
        random: task.random,
        output_limit: limits.output_bytes,
        file_limit: limits.file_bytes,
        trace: false,
    })?;
    system.trace = Trace::new(tracing);
    if state {
        system.output.digest();
    }
    let options = options(kind, detail, state);
    let metered = match watched.profile {
        true => Arc::new(
            meter::profiled(&module.wasm, &options)
                .map_err(|error| EngineError::Refused(error.to_string()))?,
        ),
        false => module.metered(options)?,
    };
    system.record = watched.calls.then(CallLog::default);
    let bounds = Bounds::new(limits.gas, limits.call, limits.frame, limits.memory_pages);
    Ok(kind.open(&metered, module.info.kind, system, bounds)?)
}

fn stats(system: &System, gauge: &Gauge) -> Stats {
    Stats {
        steps: gauge.steps(),
        peak_call_depth: gauge.peak_calls(),
        peak_frame_bytes: gauge.peak_frame(),
        memory_pages: gauge.pages(),
        peak_memory_pages: gauge.pages(),
        output_bytes: system.output.total(),
        file_bytes: system.fs.stored(),
    }
}

impl Attempt {
    /// Prepares an attempt; nothing is executed yet.
    pub fn start(
        module: &Module,
        task: &Task,
        plan: &Plan,
        delivery: Rc<RefCell<Delivery>>,
    ) -> Result<Self, StartError> {
        let state = task.checkpoints || plan.fault.is_some();
        let how = (plan.kind, Detail::Fast, state);
        let input = plan.input.as_deref();
        let mut engine = open(module, task, how, input, plan.tracing, plan.watched)?;
        let collector: Option<Rc<RefCell<Collector>>> = task.checkpoints.then(Rc::default);
        let fault = plan.fault.clone().map(|fault| Rc::new(RefCell::new(fault)));
        let observed = match state {
            true => engine.observe(Box::new(Watching::new(collector.clone(), fault.clone()))),
            false => Ok(()),
        };
        // This device fails, which is found out when the run is to go on.
        let end = observed.err().map(End::Failed);
        let (listener, shared) = (plan.listener.clone(), Rc::clone(&delivery));
        engine.watch(Box::new(move |system, gauge| match &listener {
            Some(listener) => {
                if system.output.is_full() || listener.is_due() {
                    let output = shared.borrow_mut().pass(system.output.take());
                    listener.hear(output, &stats(system, gauge));
                }
            }
            None => {
                if system.output.is_full() {
                    shared.borrow_mut().pass(system.output.take());
                }
            }
        }));
        Ok(Self {
            kind: plan.kind,
            engine,
            replay: None,
            is_done: end.is_some(),
            end,
            is_pending: false,
            delivery,
            settled: Vec::new(),
            collector,
            fault,
        })
    }

    /// Runs a slice.
    ///
    /// After a trap the task is run once more, without anyone noticing but for the time: fast
    /// metering counts in large steps, and a trap falls between them (see [`crate::meter`]).
    pub fn slice(&mut self, steps: u64, module: &Module, task: &Task) -> State {
        if self.is_done {
            return State::Done;
        }
        if let Some(replay) = &mut self.replay {
            let slice = replay.slice(steps);
            self.is_pending = slice == Slice::Pending;
            if self.is_pending {
                return PENDING;
            }
            // Its output and files are those that the first run made already.
            replay.system_mut().output.take();
            return match slice {
                Slice::Yielded | Slice::Pending => State::Running,
                // The log ends where the run did, so it can't wait for more. If it does, its count
                // is not exact, and must not pass for that.
                Slice::Blocked => self.finish(Some(End::Failed(
                    "made again it waited for input that it had not waited for".to_owned(),
                ))),
                Slice::Done(end) => self.replayed(end),
            };
        }
        let slice = self.engine.slice(steps);
        self.is_pending = slice == Slice::Pending;
        match slice {
            Slice::Yielded => State::Running,
            Slice::Blocked => State::Blocked,
            Slice::Pending => PENDING,
            Slice::Done(end @ End::Trap { .. }) => {
                self.end = Some(end);
                let log = self.engine.system().stdin.log().to_vec();
                let fault = self.fault.as_ref().map(|fault| fault.borrow().again());
                let how = (self.kind, Detail::Exact, fault.is_some());
                let watched = Watched::default();
                match open(module, task, how, Some(&log), Tracing::Off, watched) {
                    Ok(mut replay) => {
                        if let Some(fault) = fault {
                            let fault = Some(Rc::new(RefCell::new(fault)));
                            if let Err(reason) =
                                replay.observe(Box::new(Watching::new(None, fault)))
                            {
                                return self.finish(Some(End::Failed(reason)));
                            }
                        }
                        replay.watch(Box::new(|system, _| {
                            if system.output.is_full() {
                                system.output.take();
                            }
                        }));
                        self.replay = Some(replay);
                        State::Running
                    }
                    Err(error) => {
                        let message = format!("the run could not be made again: {error}");
                        self.finish(Some(End::Failed(message)))
                    }
                }
            }
            Slice::Done(end) => self.finish(Some(end)),
        }
    }

    /// What the end of the exact run comes to: the same trap, or a limit that is passed within the
    /// block that traps. Otherwise this engine is not to be trusted here.
    fn replayed(&mut self, end: End) -> State {
        let fits =
            matches!(end, End::Passed(_) | End::Failed(_)) || self.end.as_ref() == Some(&end);
        match fits {
            true => self.finish(Some(end)),
            false => self.finish(Some(End::Failed(format!(
                "made again it ended otherwise: {end:?}"
            )))),
        }
    }

    fn finish(&mut self, end: Option<End>) -> State {
        self.end = end.or(self.end.take());
        self.is_done = true;
        State::Done
    }

    /// The checkpoints so far, if they are taken.
    pub fn checkpoints(&self) -> Option<Checkpoints> {
        Some(self.collector.as_ref()?.borrow().taken().clone())
    }

    /// The fault, if one is or was to be made.
    pub fn fault(&self) -> Option<Fault> {
        Some(self.fault.as_ref()?.borrow().clone())
    }

    /// Whether nothing may be asked of it until the next slice.
    pub fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// Whether it trapped, and is run once more to learn the exact count and place.
    pub fn is_repeating(&self) -> bool {
        self.replay.is_some() && !self.is_done
    }

    /// Whether the next slice only comes back at the end.
    pub fn is_away(&self) -> bool {
        self.replay.as_ref().unwrap_or(&self.engine).is_away()
    }

    /// How it ended, once it has.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().filter(|_| self.is_done)
    }

    /// Where it trapped, if it did.
    pub fn place(&self) -> Option<Place> {
        self.replay.as_ref().filter(|_| self.is_done)?.place()
    }

    /// Which functions made the steps, if that is watched.
    pub fn profiler(&self) -> Option<&Profiler> {
        self.engine.profiler()
    }

    pub fn system(&self) -> &System {
        self.engine.system()
    }

    pub fn system_mut(&mut self) -> &mut System {
        self.engine.system_mut()
    }

    /// Notes the output so far; it can be taken later.
    pub fn settle(&mut self) {
        let output = self.engine.system_mut().output.take();
        self.settled.extend(self.delivery.borrow_mut().pass(output));
    }

    /// Takes what is noted and not taken.
    pub fn take_settled(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.settled)
    }

    /// Gives what was noted by an earlier attempt, to be taken before all else.
    pub fn put_settled(&mut self, chunks: Vec<Chunk>) {
        self.settled = chunks;
    }

    /// Takes the output since the last time that was not delivered before.
    pub fn take_output(&mut self) -> Vec<Chunk> {
        self.settle();
        std::mem::take(&mut self.settled)
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        let gauge = match (&self.replay, self.is_done) {
            (Some(replay), true) => replay.gauge(),
            _ => self.engine.gauge(),
        };
        stats(self.engine.system(), gauge)
    }
}
