//! Checkpoints and bisection, for the page that shows how a wrong result is found.
//!
//! How it goes: a run started with `commit: true` takes checkpoints, and its receipt commits to them;
//! one with `fault: "STEP:ADDRESS:BIT"` too does something wrong on purpose. [`parting`] tells between
//! which checkpoints two such receipts part, and a [`Bisection`] makes both runs again, side by side,
//! in passes that stop more and more often, until it stands before the first word or call that
//! differs. `advance` does some milliseconds of work at a time:
//!
//! ```js
//! const { from, to } = parting(right, wrong);
//! const bisection = new Bisection(task, wrong, from, to);
//! let told;
//! do {
//!   told = bisection.advance(); // {state: "working" | "found" | "same", steps, levels, finding?}
//! } while (told.state === "working");
//! bisection.free();
//! ```
//!
//! `levels` are the passes, the last being under way: `{from, to, interval, same}` each. `finding` is
//! `{from, steps: [a, b], function, functionName, what: {kind, …}}`, the first value of each pair being
//! the right one; [`crate::bisect::What`] lists the kinds. Should the checkpoints be false, the search
//! begins again from the first step, with one more pass.
//!
//! Only a run with a fault made on purpose can be made again; what the command line tells of others
//! (`verirun bisect`), [`crate::bisect::Look`], has no place on the page.

use super::{Run, Task, throw, to_js};
use crate::bisect::{BisectError, Finding, Level, Progress, Side};
use crate::checkpoint::{Fault, FaultError};
use crate::receipt::{Brought, CheckpointRoot, Digest, Envelope, parting as part};
use serde::Serialize;
use wasm_bindgen::prelude::*;

impl From<FaultError> for JsValue {
    fn from(error: FaultError) -> Self {
        throw(
            "bad-fault",
            &error.to_string(),
            "Correct it and start again.",
        )
    }
}

impl From<BisectError> for JsValue {
    fn from(error: BisectError) -> Self {
        let hint = "Make both receipts again, on this device.";
        throw("bisect-failed", &error.to_string(), hint)
    }
}

#[derive(Serialize)]
struct Listed {
    root: Digest,
    interval: u64,
    steps: Vec<u64>,
}

#[wasm_bindgen]
impl Run {
    /// The checkpoints so far: `{root: hex, interval, steps: number[]}`, or `undefined` if the run was
    /// started without `commit`.
    pub fn checkpoints(&self) -> Result<JsValue, JsValue> {
        let Some(checkpoints) = self.run.checkpoints() else {
            return Ok(JsValue::UNDEFINED);
        };
        to_js(&Listed {
            root: CheckpointRoot::of(&checkpoints).root,
            interval: checkpoints.interval,
            steps: checkpoints.list.iter().map(|one| one.steps).collect(),
        })
    }
}

/// Between which checkpoints two receipts part: `{number, from, to, what: string[], count}`, `to` being
/// null if that is behind the last; `undefined` if no checkpoint differs.
#[wasm_bindgen]
pub fn parting(a: &str, b: &str) -> Result<JsValue, JsValue> {
    let checkpoints = |text: &str| {
        let envelope = Envelope::parse(text.as_bytes())?;
        envelope.checkpoints().ok_or_else(|| {
            throw(
                "no-checkpoints",
                "the receipt came without its checkpoints",
                "Make it with checkpoints.",
            )
        })
    };
    let (a, b) = (checkpoints(a)?, checkpoints(b)?);
    part(&a, &b).map_or(Ok(JsValue::UNDEFINED), |parting| to_js(&parting))
}

fn again(task: &Task, receipt: &str) -> Result<(crate::Module, crate::Task, Envelope), JsValue> {
    let envelope = Envelope::parse(receipt.as_bytes())?;
    let module = task.module.clone().ok_or_else(|| {
        let hint = "Choose the module that the receipt is of.";
        throw("no-module", "no module is loaded", hint)
    })?;
    let brought = Brought {
        files: Some(task.inputs.files.clone()),
        ..Brought::default()
    };
    envelope.check_module(&module.info)?;
    let made = envelope.task(brought)?;
    Ok((module, made, envelope))
}

/// The search for where a run and the same run with a fault part.
#[wasm_bindgen]
pub struct Bisection {
    search: crate::bisect::Bisection,
}

#[derive(Serialize)]
struct Told<'a> {
    state: &'static str,
    steps: u64,
    levels: &'a [Level],
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Box<Finding>>,
}

#[wasm_bindgen]
impl Bisection {
    /// Begins a search. `receipt` is that of the run with the fault, which stands beside it; `task` has
    /// its module and files. All is said to be the same up to step `from`, and to differ at `to`.
    #[wasm_bindgen(constructor)]
    pub fn new(task: &Task, receipt: &str, from: f64, to: Option<f64>) -> Result<Self, JsValue> {
        let (module, task, envelope) = again(task, receipt)?;
        let given = envelope.given.as_ref();
        let fault: Option<&String> = given.and_then(|given| given.fault.as_ref());
        let fault: Fault = fault
            .ok_or_else(|| {
                let hint = "`verirun bisect` tells what a device does there.";
                throw("no-fault", "this run can't be made again", hint)
            })?
            .parse()?;
        let wrong = Side {
            fault: Some(fault),
            ..Side::default()
        };
        let sides = [Side::default(), wrong];
        let to = to.map(|to| to as u64);
        let search = crate::bisect::Bisection::new(&module, &task, sides, from as u64, to);
        Ok(Self { search })
    }

    /// Does some milliseconds of work, and tells how far it is.
    pub fn advance(&mut self) -> Result<JsValue, JsValue> {
        let progress = self.search.advance()?;
        let (state, finding) = match progress {
            Progress::Working => ("working", None),
            Progress::Same => ("same", None),
            Progress::Found(finding) => ("found", Some(finding)),
        };
        to_js(&Told {
            state,
            steps: self.search.steps(),
            levels: self.search.levels(),
            finding,
        })
    }
}
