//! Verifying a receipt, step by step: what it needs is given, then it runs, then there is a verdict.

use super::archives::{with_tar, with_zip};
use super::receipts::verdict_to_js;
use super::{ARCHIVE_LIMIT, Run, throw};
use crate::fs::{Filesystem, ROOT};
use crate::receipt::{
    Brought, Difference, Digest, Envelope, InputFile, InputKind, Refusal, Verdict, is_package,
    unpack,
};
use crate::task::{Module, Task as Inputs};
use crate::wasi::EPOCH;
use crate::{StartError, task::parse_limit};
use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

/// A receipt that is being verified. Nothing runs before all digests match.
#[wasm_bindgen]
pub struct Check {
    envelope: Envelope,
    module: Option<Module>,
    /// Of a package: complete already.
    task: Option<Inputs>,
    brought: Brought,
}

/// Throws a verdict that is there before anything runs: `code` is `mismatch` or `cannot-tell`, and
/// `verdict` the whole.
fn thrown(verdict: Verdict) -> JsValue {
    let (code, message) = match &verdict {
        Verdict::Verified => ("verified", String::new()),
        Verdict::Mismatch(difference) => ("mismatch", difference.to_string()),
        Verdict::CannotTell(what) => ("cannot-tell", what.clone()),
    };
    let error = throw(code, &message, "");
    if let Ok(verdict) = verdict_to_js(verdict) {
        let _ = Reflect::set(&error, &"verdict".into(), &verdict);
    }
    error
}

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> Self {
        thrown(match refusal {
            Refusal::Different(difference) => Verdict::Mismatch(difference),
            Refusal::Missing(what) => Verdict::CannotTell(what),
        })
    }
}

#[wasm_bindgen]
impl Check {
    /// Of a receipt, or a package that has one and all that it needs.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Self, JsValue> {
        if !is_package(bytes) {
            return Ok(Self {
                envelope: Envelope::parse(bytes)?,
                module: None,
                task: None,
                brought: Brought::default(),
            });
        }
        let package = unpack(bytes, ARCHIVE_LIMIT)?;
        let envelope = package.receipt.ok_or_else(|| {
            thrown(Verdict::CannotTell(
                "the package has no receipt: there is nothing to compare with".to_owned(),
            ))
        })?;
        Ok(Self {
            envelope,
            module: Some(package.module),
            task: Some(package.task),
            brought: Brought::default(),
        })
    }

    /// The receipt's id.
    pub fn id(&self) -> String {
        self.envelope.id.to_string()
    }

    /// The steps that the receipt says.
    pub fn steps(&self) -> f64 {
        self.envelope.receipt.result.steps.0 as f64
    }

    /// Gives the module. Throws `mismatch` if it is another than the receipt's.
    #[wasm_bindgen(js_name = loadModule)]
    pub fn load_module(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let module = Module::load(name, bytes).map_err(StartError::from)?;
        self.envelope.check_module(&module.info)?;
        self.module = Some(module);
        Ok(())
    }

    /// Gives standard input.
    #[wasm_bindgen(js_name = giveStdin)]
    pub fn give_stdin(&mut self, bytes: &[u8]) {
        self.brought.stdin = Some(bytes.to_vec());
    }

    /// Gives the arguments, the program's name first.
    #[wasm_bindgen(js_name = giveArgs)]
    pub fn give_args(&mut self, args: Vec<String>) {
        self.brought.args = Some(args.into_iter().map(String::into_bytes).collect());
    }

    /// Gives the environment, each `NAME=VALUE`.
    #[wasm_bindgen(js_name = giveEnv)]
    pub fn give_env(&mut self, env: Vec<String>) {
        self.brought.env = Some(env.into_iter().map(String::into_bytes).collect());
    }

    /// Makes an empty input file with its parents, in place of one of that name.
    #[wasm_bindgen(js_name = createFile)]
    pub fn create_file(&mut self, path: &str) -> Result<(), JsValue> {
        Ok(self.files().replace_file(ROOT, path, EPOCH).map(drop)?)
    }

    /// Appends bytes to an input file.
    #[wasm_bindgen(js_name = appendFile)]
    pub fn append_file(&mut self, path: &str, chunk: &[u8]) -> Result<(), JsValue> {
        let files = self.files();
        let file = files.find(path)?;
        let end = files.content(file)?.len();
        Ok(files.write(file, end, chunk, EPOCH)?)
    }

    /// Makes an input directory with its parents.
    #[wasm_bindgen(js_name = addDirectory)]
    pub fn add_directory(&mut self, path: &str) -> Result<(), JsValue> {
        Ok(self
            .files()
            .create_directories(ROOT, path, EPOCH)
            .map(drop)?)
    }

    /// Unpacks a tar archive into the input files, as [`super::Task::mount_tar`] does.
    #[wasm_bindgen(js_name = mountTar)]
    pub fn mount_tar(
        &mut self,
        dir: &str,
        bytes: &[u8],
        read_only: Option<bool>,
    ) -> Result<usize, JsValue> {
        let (files, count) = with_tar(self.files(), dir, bytes, read_only)?;
        self.brought.files = Some(files);
        Ok(count)
    }

    /// Unpacks a zip archive into the input files, as [`super::Task::mount_zip`] does.
    #[wasm_bindgen(js_name = mountZip)]
    pub fn mount_zip(&mut self, dir: &str, bytes: &[u8]) -> Result<usize, JsValue> {
        let (files, count) = with_zip(self.files(), dir, bytes)?;
        self.brought.files = Some(files);
        Ok(count)
    }

    /// Whether directories and links are all that the input files are.
    fn needs_no_file(&self) -> bool {
        let is_file = |file: &InputFile| file.kind == InputKind::File;
        let list = self.envelope.listed_files();
        list.is_some_and(|list| !list.iter().any(is_file))
    }

    fn files(&mut self) -> &mut Filesystem {
        let empty = || Filesystem::new(EPOCH);
        self.brought.files.get_or_insert_with(empty)
    }

    /// Starts the second run, with `engine` and `watch` as [`super::Task::start`] has them, and
    /// `maxSteps` in decimal digits. Throws `mismatch` or `cannot-tell` if it is not to run.
    pub fn start(&self, options: &Object) -> Result<Run, JsValue> {
        self.envelope.signers().map_err(Refusal::Different)?;
        let said = self.envelope.receipt.result.steps.0;
        if let Some(text) = Reflect::get(options, &"maxSteps".into())?.as_string() {
            let most = parse_limit("the most steps", &text)
                .map_err(|error| throw("bad-limit", &error.to_string(), error.hint()))?;
            if said > most {
                return Err(thrown(Verdict::CannotTell(format!(
                    "it says that the run makes {said} steps, and at most {most} are to be made"
                ))));
            }
        }
        let wanted = self.envelope.receipt.task.module;
        let module = self.module.as_ref().ok_or_else(|| {
            thrown(Verdict::CannotTell(format!(
                "the module is missing ({wanted})"
            )))
        })?;
        let task = match &self.task {
            Some(task) => task.clone(),
            None => {
                let mut brought = self.brought.clone();
                if self.needs_no_file() {
                    brought.files.get_or_insert_with(|| Filesystem::new(EPOCH));
                }
                if let Some(files) = &mut brought.files {
                    self.envelope.complete_files(files);
                }
                self.envelope.task(brought)?
            }
        };
        let started = Run::start(module, task, options);
        started.map_err(|error| {
            let message = error.unchecked_ref::<js_sys::Error>().message();
            thrown(Verdict::CannotTell(String::from(message)))
        })
    }

    /// The verdict on a run that has not ended: it makes more steps than the receipt says, so that
    /// it need not go on; `undefined` if it is not so far.
    pub fn overrun(&self, steps: f64) -> Result<JsValue, JsValue> {
        let difference = self.envelope.rerun().overrun_at(steps as u64);
        difference.map_or(Ok(JsValue::UNDEFINED), |difference| {
            verdict_to_js(Verdict::Mismatch(difference))
        })
    }

    /// The verdict on a run that waits for input: what the receipt says was all there is.
    pub fn blocked(&self) -> Result<JsValue, JsValue> {
        let said = self.envelope.receipt.result.outcome.to_string();
        let found = "this run waits for input that it did not have".to_owned();
        verdict_to_js(Verdict::Mismatch(Difference::new("outcome", said, found)))
    }

    /// The verdict on a run that ended.
    pub fn verdict(&self, run: &Run) -> Result<JsValue, JsValue> {
        verdict_to_js(run.verdict(&self.envelope))
    }

    /// The first byte in which the run's file at `path` is not `bytes`, which came with the receipt:
    /// `undefined` if `bytes` are not the receipt's, or else a sentence.
    #[wasm_bindgen(js_name = firstByte)]
    pub fn first_byte(&self, run: &Run, path: &str, bytes: &[u8]) -> Option<String> {
        let files = &self.envelope.receipt.result.files;
        let said = files.iter().find(|file| file.path == path)?.sha256?;
        let found = run.run.files();
        let content = found.find(path).and_then(|ino| found.content(ino)).ok()?;
        if Digest::of(bytes) != said {
            return None;
        }
        let (offset, said, found) = crate::receipt::first_different_byte(bytes, content)?;
        let byte = |byte: Option<u8>| match byte {
            Some(byte) => format!("{byte:#04x}"),
            None => "the end".to_owned(),
        };
        Some(format!(
            "the first different byte is at offset {offset}: {} in the receipt's file, {} in this run's",
            byte(said),
            byte(found)
        ))
    }
}
