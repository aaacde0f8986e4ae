//! What JavaScript says of a task and of how it is driven.

use super::throw;
use super::watch::Watcher;
use crate::receipt::{Event, Streams};
use crate::task::{Input, Module, Random, Task as Inputs, parse_limit};
use crate::{Choice, Driving, Limits, Listener, Watched};
use js_sys::{Function, Object, Reflect, Uint8Array};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct LimitFields {
    gas: Option<String>,
    call: Option<String>,
    frame: Option<String>,
    memory: Option<String>,
    output_bytes: Option<String>,
    file_bytes: Option<String>,
}

/// Live input of an earlier run.
#[derive(Deserialize)]
struct Script {
    terminal: bool,
    pushed: Vec<Event>,
}

/// Reads a limit's field; an empty one is no limit.
fn limit(field: &str, value: Option<&String>) -> Result<Option<u64>, JsValue> {
    let text = value.filter(|text| !text.is_empty());
    let number = text.map(|text| parse_limit(&format!("the limit `{field}`"), text));
    number
        .transpose()
        .map_err(|error| throw("bad-limit", &error.to_string(), error.hint()))
}

/// The error that an option is not of the type that it should be.
fn bad(name: &str) -> JsValue {
    throw(
        "bad-options",
        &format!("`{name}` is not as it should be"),
        "Correct it and start again.",
    )
}

fn read<T: DeserializeOwned>(name: &str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|_| bad(name))
}

/// An option that need not be there.
fn choice(options: &Object, name: &str) -> Result<Option<String>, JsValue> {
    read(name, Reflect::get(options, &name.into())?)
}

/// The task that `options` and the input files make: see [`super::Task::start`].
pub(super) fn task(module: &Module, inputs: &Inputs, options: &Object) -> Result<Inputs, JsValue> {
    let field = |name: &str| Reflect::get(options, &name.into());
    let args: Vec<String> = read("args", field("args")?)?;
    let env: Vec<(String, String)> = read("env", field("env")?)?;
    let limits = field("limits")?;
    let limits: LimitFields = match limits.is_undefined() {
        true => LimitFields::default(),
        false => read("limits", limits)?,
    };
    let mut task = inputs.clone();
    let preopens = field("preopens")?;
    if !preopens.is_undefined() {
        task.preopens = read("preopens", preopens)?;
    }
    let program = field("program")?;
    let program = match program.is_undefined() {
        true => Some(module.info.name.clone()),
        false => read("program", program)?,
    };
    task.args.extend(program.map(String::into_bytes));
    task.args.extend(args.into_iter().map(String::into_bytes));
    task.env.extend(
        env.into_iter()
            .map(|(name, value)| format!("{name}={value}").into_bytes()),
    );
    task.stdin = input(field("stdin")?)?;
    if let Some(clock) = choice(options, "clock")? {
        task.clock = clock.parse()?;
    }
    let (random, seed) = (choice(options, "random")?, choice(options, "seed")?);
    task.random = Random::choose(random.as_deref(), seed.as_deref())?;
    let trace = field("trace")?;
    if !trace.is_undefined() {
        task.trace = trace.as_bool().ok_or_else(|| bad("trace"))?;
    }
    let commit = field("commit")?;
    if !commit.is_undefined() {
        task.checkpoints = commit.as_bool().ok_or_else(|| bad("commit"))?;
    }
    task.limits = Limits {
        gas: limit("gas", limits.gas.as_ref())?,
        call: limit("call", limits.call.as_ref())?,
        frame: limit("frame", limits.frame.as_ref())?,
        memory_pages: limit("memory", limits.memory.as_ref())?,
        output_bytes: limit("outputBytes", limits.output_bytes.as_ref())?,
        file_bytes: limit("fileBytes", limits.file_bytes.as_ref())?,
    };
    Ok(task)
}

fn input(stdin: JsValue) -> Result<Input, JsValue> {
    if stdin.as_string().as_deref() == Some("live") {
        return Ok(Input::Live { terminal: true });
    }
    match stdin.dyn_into::<Uint8Array>() {
        Ok(bytes) => Ok(Input::Bytes(bytes.to_vec())),
        Err(script) => {
            let Script { terminal, pushed } = read("stdin", script)?;
            let pushed = pushed.iter().map(Into::into).collect();
            Ok(Input::Script { terminal, pushed })
        }
    }
}

/// How the run is driven: `engine`, `fault`, `watch`, `calls` and `profile` of the options. `streams` digest the output that
/// `watch` is told.
pub(super) fn driving(
    options: &Object,
    streams: &Rc<RefCell<Streams>>,
) -> Result<Driving, JsValue> {
    let engine = match choice(options, "engine")? {
        None => Choice::default(),
        Some(name) => Choice::named(&name).ok_or_else(|| {
            throw(
                "bad-engine",
                &format!("there is no engine `{name}`"),
                "Use auto, interpreter, browser or both.",
            )
        })?,
    };
    let fault = choice(options, "fault")?.map(|text| text.parse());
    let watch = Reflect::get(options, &"watch".into())?;
    let watch = watch.dyn_into::<Function>().ok();
    let is = |name: &str| Ok::<_, JsValue>(Reflect::get(options, &name.into())?.is_truthy());
    Ok(Driving {
        engine,
        fault: fault.transpose()?,
        watched: Watched {
            calls: is("calls")?,
            profile: is("profile")?,
        },
        listener: watch
            .map(|watch| -> Rc<dyn Listener> { Rc::new(Watcher::new(watch, Rc::clone(streams))) }),
    })
}
