//! The face that JavaScript sees. Beside it only [`crate::engine`]'s browser engine knows JavaScript.
//!
//! It is used inside a dedicated worker. Everything it throws is an `Error` with a `code` (for
//! programs) and a `hint` (what to do) beside its message; a mistake in a text also has its `line` and
//! `column`, from 1, and a `brief` message of one line.

mod archives;
mod check;
mod inspect;
mod kept;
mod options;
mod proof;
mod receipts;
mod rest;
mod sign;
mod watch;

use crate::engine::Kind;
use crate::fs::{ArchiveError, Entry, FsError, ROOT, changes, entries, write_zip};
use crate::receipt::Streams;
use crate::task::{Module, Position, ProfileError, Task as Inputs};
use crate::wasi::{Chunk, EPOCH};
use crate::{StartError, State};
use archives::{with_tar, with_zip};
use js_sys::{Array, Error, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The most bytes that an archive may unpack to: well below what 4 GiB of address space hold.
const ARCHIVE_LIMIT: u64 = 1 << 30;

fn throw(code: &str, message: &str, hint: &str) -> JsValue {
    let error = Error::new(message);
    // Setting a property of a fresh object can't fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    let _ = Reflect::set(&error, &"hint".into(), &hint.into());
    error.into()
}

impl From<StartError> for JsValue {
    fn from(error: StartError) -> Self {
        let thrown = throw(error.code(), &error.to_string(), error.hint());
        if let StartError::Load(error) = &error
            && let Some((Position { line, column }, brief)) = error.in_text()
        {
            // As in `throw`, this can't fail.
            let _ = Reflect::set(&thrown, &"line".into(), &line.into());
            let _ = Reflect::set(&thrown, &"column".into(), &column.into());
            let _ = Reflect::set(&thrown, &"brief".into(), &brief.into());
        }
        thrown
    }
}

impl From<ProfileError> for JsValue {
    fn from(error: ProfileError) -> Self {
        throw("bad-profile", &error.to_string(), error.hint())
    }
}

impl From<FsError> for JsValue {
    fn from(error: FsError) -> Self {
        throw("bad-path", &error.to_string(), "Choose another path.")
    }
}

impl From<ArchiveError> for JsValue {
    fn from(error: ArchiveError) -> Self {
        let (code, hint) = match &error {
            ArchiveError::Escape { .. } => (
                "archive-escape",
                "Make the archive again with paths inside of it, without `..` and leading slashes.",
            ),
            ArchiveError::TooBig { .. } => (
                "archive-too-big",
                "Use a smaller archive, or choose fewer files.",
            ),
            ArchiveError::Unsupported { .. } => (
                "archive-unsupported",
                "Leave that entry out, or store it in the usual way.",
            ),
            _ => ("bad-archive", "Make the archive again: it may be damaged."),
        };
        throw(code, &error.to_string(), hint)
    }
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value
        .serialize(&serializer)
        .map_err(|error| throw("internal", &error.to_string(), "Please report this."))
}

fn chunks_to_js(chunks: &[Chunk]) -> Result<Array, JsValue> {
    let array = Array::new();
    for chunk in chunks {
        let object = Object::new();
        Reflect::set(&object, &"fd".into(), &chunk.fd.into())?;
        Reflect::set(
            &object,
            &"bytes".into(),
            &Uint8Array::from(&chunk.bytes[..]),
        )?;
        array.push(&object);
    }
    Ok(array)
}

/// The crate's version.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[wasm_bindgen(start)]
fn start() {
    // A panic ends the instance; the page shows the message and starts another worker.
    std::panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&info.to_string().into())
    }));
}

/// A task being put together: a module and its input files.
#[wasm_bindgen]
pub struct Task {
    inputs: Inputs,
    module: Option<Module>,
}

impl Default for Task {
    fn default() -> Self {
        Self::new()
    }
}

#[wasm_bindgen]
impl Task {
    /// A task without module or files.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self {
            inputs: Inputs::default(),
            module: None,
        }
    }

    /// Loads a module, binary or text; returns what it is.
    #[wasm_bindgen(js_name = loadModule)]
    pub fn load_module(&mut self, name: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
        self.module = None;
        let module = Module::load(name, bytes).map_err(StartError::from)?;
        let info = to_js(&module.info)?;
        self.module = Some(module);
        Ok(info)
    }

    /// Makes a directory with its parents.
    #[wasm_bindgen(js_name = addDirectory)]
    pub fn add_directory(&mut self, path: &str) -> Result<(), JsValue> {
        Ok(self
            .inputs
            .files
            .create_directories(ROOT, path, EPOCH)
            .map(drop)?)
    }

    /// Makes an empty file with its parents, in place of one of that name.
    #[wasm_bindgen(js_name = createFile)]
    pub fn create_file(&mut self, path: &str) -> Result<(), JsValue> {
        Ok(self
            .inputs
            .files
            .replace_file(ROOT, path, EPOCH)
            .map(drop)?)
    }

    /// Appends bytes to a file.
    #[wasm_bindgen(js_name = appendFile)]
    pub fn append_file(&mut self, path: &str, chunk: &[u8]) -> Result<(), JsValue> {
        let file = self.inputs.files.find(path)?;
        let end = self.inputs.files.content(file)?.len();
        Ok(self.inputs.files.write(file, end, chunk, EPOCH)?)
    }

    /// Removes a file, or a directory with all it holds.
    pub fn remove(&mut self, path: &str) -> Result<(), JsValue> {
        Ok(self.inputs.files.remove_all(path, EPOCH)?)
    }

    /// Unpacks a tar archive; returns the number of entries. Nothing is unpacked from a bad one.
    /// What it brings is read-only if `read_only` is true.
    #[wasm_bindgen(js_name = mountTar)]
    pub fn mount_tar(
        &mut self,
        dir: &str,
        bytes: &[u8],
        read_only: Option<bool>,
    ) -> Result<usize, JsValue> {
        let count;
        (self.inputs.files, count) = with_tar(&self.inputs.files, dir, bytes, read_only)?;
        Ok(count)
    }

    /// Unpacks a zip archive; returns the number of entries. Nothing is unpacked from a bad one.
    #[wasm_bindgen(js_name = mountZip)]
    pub fn mount_zip(&mut self, dir: &str, bytes: &[u8]) -> Result<usize, JsValue> {
        let count;
        (self.inputs.files, count) = with_zip(&self.inputs.files, dir, bytes)?;
        Ok(count)
    }

    /// The input files.
    #[wasm_bindgen(js_name = inputFiles)]
    pub fn input_files(&self) -> Result<JsValue, JsValue> {
        to_js(&entries(&self.inputs.files))
    }

    /// Starts a run: `{args, env, stdin: Uint8Array | "live" | {terminal, pushed}, limits?, clock?: "fixed" | "virtual",
    /// random?: "seeded" | "truebit-v1", seed?: hex, preopens?, trace?: boolean, engine?, watch?,
    /// calls?: boolean, profile?: boolean, commit?: boolean, fault?: "STEP:ADDRESS:BIT"}`.
    /// Without `preopens` the guest has one, `/`. `pushed` are the events of an earlier run's live
    /// input, as a receipt has them. The program's own name, `program`, is that of the module
    /// by default, and `null` for no arguments at all. May be called many times; a run never changes the
    /// task's files.
    ///
    /// `engine` is `"interpreter"` (the default), `"browser"`, `"both"` or `"auto"`. The browser's
    /// engine only comes back at the end; `watch(output, stats)` is called meanwhile, from within
    /// `slice`, and must not use the run.
    ///
    /// `calls` and `profile` are for [`Run::calls`] and [`Run::profile`]; a run with a profile is on the
    /// interpreter.
    pub fn start(&self, options: &Object) -> Result<Run, JsValue> {
        let module = self.loaded()?;
        let task = options::task(module, &self.inputs, options)?;
        Run::start(module, task, options)
    }
}

impl Task {
    /// The module; an error if none is loaded.
    fn loaded(&self) -> Result<&Module, JsValue> {
        self.module.as_ref().ok_or_else(|| {
            throw(
                "no-module",
                "no module is loaded",
                "Choose a sample, or drop a .wasm or .wat file.",
            )
        })
    }
}

/// Waits for the guest whose slice is pending. Rejects if our own code failed meanwhile.
#[wasm_bindgen]
pub fn back() -> Promise {
    crate::engine::back()
}

/// Whether the browser's engine can be paused, and wait for input (JSPI).
#[wasm_bindgen]
pub fn suspends() -> bool {
    Kind::Browser.can_wait()
}

/// A run of a task.
#[wasm_bindgen]
pub struct Run {
    run: crate::Run,
    inputs: crate::fs::Filesystem,
    /// Digests of all output that went to JavaScript; shared with what tells it of output meanwhile.
    streams: Rc<RefCell<Streams>>,
}

impl Run {
    /// Starts `task` as `options` say it is to be driven.
    fn start(module: &Module, task: Inputs, options: &Object) -> Result<Self, JsValue> {
        let streams = Rc::new(RefCell::new(Streams::default()));
        let driving = options::driving(options, &streams)?;
        Ok(Self {
            run: crate::Run::start_with(module, &task, driving)?,
            inputs: task.files,
            streams,
        })
    }
}

#[wasm_bindgen]
impl Run {
    /// Runs about `steps` steps: `"running"`, `"blocked"` (waits for input), `"done"`, or
    /// `"pending"`: then nothing may be asked of the run until [`back`] has settled, and the next
    /// slice tells what came of it.
    pub fn slice(&mut self, steps: f64) -> String {
        match self.run.slice(steps as u64) {
            State::Running => "running",
            State::Blocked => "blocked",
            State::Done => "done",
            State::Pending => "pending",
        }
        .to_owned()
    }

    /// Adds bytes to live standard input.
    #[wasm_bindgen(js_name = pushStdin)]
    pub fn push_stdin(&mut self, bytes: &[u8]) {
        self.run.push_stdin(bytes);
    }

    /// Ends live standard input (Ctrl-D).
    #[wasm_bindgen(js_name = closeStdin)]
    pub fn close_stdin(&mut self) {
        self.run.close_stdin();
    }

    /// Takes the output since the last call: `{fd, bytes}` in the order written.
    #[wasm_bindgen(js_name = takeOutput)]
    pub fn take_output(&mut self) -> Result<Array, JsValue> {
        let chunks = self.run.take_output();
        for chunk in &chunks {
            self.streams.borrow_mut().write(chunk);
        }
        chunks_to_js(&chunks)
    }

    /// Whether the next slice only comes back at the end of the run: then it can't be paused, and
    /// to stop it the worker must be ended.
    #[wasm_bindgen(js_name = isAway)]
    pub fn is_away(&self) -> bool {
        self.run.is_away()
    }

    /// Which engines ran it: `{ran, instead, compared}`.
    pub fn engines(&self) -> Result<JsValue, JsValue> {
        to_js(&self.run.engines())
    }

    /// Figures so far.
    pub fn stats(&self) -> Result<JsValue, JsValue> {
        to_js(&self.run.stats())
    }

    /// Whether the program has trapped, and is run once more to learn the exact count and place.
    pub fn repeating(&self) -> bool {
        self.run.repeating()
    }

    /// The SHA-256 of all calls and results so far (`docs/architecture.md`), in hex; `undefined` if
    /// the run was started without `trace`.
    pub fn trace(&self) -> Option<String> {
        self.run.trace()
    }

    /// The calls so far, `{total, calls}`; `undefined` if the run was started without `calls`.
    pub fn calls(&self) -> Result<JsValue, JsValue> {
        self.run
            .calls()
            .map_or(Ok(JsValue::UNDEFINED), |calls| to_js(&calls))
    }

    /// Which functions made the steps: a list of `{function, name, parent, steps, calls}`, the root
    /// first; `undefined` if the run was started without `profile`.
    pub fn profile(&self) -> Result<JsValue, JsValue> {
        self.run
            .profile()
            .map_or(Ok(JsValue::UNDEFINED), |nodes| to_js(&nodes))
    }

    /// Stops the run; output and files stay.
    pub fn cancel(&mut self) {
        self.run.cancel();
    }

    /// How it ended, or `undefined`.
    pub fn outcome(&self) -> Result<JsValue, JsValue> {
        self.run.outcome().map_or(Ok(JsValue::UNDEFINED), to_js)
    }

    /// Where it trapped or passed a limit: `{function, name, offset, source: {file, line, column}}`, each
    /// `null` if it is not known; `undefined` if it ended in another way.
    pub fn whereabouts(&self) -> Result<JsValue, JsValue> {
        self.run
            .whereabouts()
            .map_or(Ok(JsValue::UNDEFINED), |place| to_js(&place))
    }

    fn entries(&self) -> Vec<Entry> {
        changes(&self.inputs, self.run.files())
    }

    /// The whole tree, removed entries included, with what changed.
    pub fn files(&self) -> Result<JsValue, JsValue> {
        to_js(&self.entries())
    }

    /// Up to `length` bytes of a file from `offset` on.
    #[wasm_bindgen(js_name = readFile)]
    pub fn read_file(&self, path: &str, offset: f64, length: f64) -> Result<Uint8Array, JsValue> {
        let files = self.run.files();
        let content = files.content(files.find(path)?)?;
        let left = content.len().saturating_sub(offset as u64);
        let mut bytes = vec![0; (length as u64).min(left) as usize];
        content.read_at(offset as u64, &mut bytes);
        Ok(Uint8Array::from(&bytes[..]))
    }

    /// A zip of the files at `paths`, or of all for `null`.
    #[wasm_bindgen(js_name = exportZip)]
    pub fn export_zip(&self, paths: Option<Vec<String>>) -> Result<Uint8Array, JsValue> {
        let mut entries = self.entries();
        if let Some(paths) = paths {
            let inside = |entry: &Entry| {
                paths.iter().any(|path| {
                    entry
                        .path
                        .strip_prefix(path.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
            };
            entries.retain(inside);
        }
        Ok(Uint8Array::from(
            &write_zip(self.run.files(), &entries)?[..],
        ))
    }
}
