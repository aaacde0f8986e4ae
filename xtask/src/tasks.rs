//! The sample tasks: from `tasks/<id>/task.json` and source to `target/tasks`, the shape in
//! which they are published. `tasks/README.md` describes the format.

use crate::layout::Layout;
use crate::runtimes::{self, Runtime};
use crate::task_build::{self, Language};
use crate::tools;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A sample task as its `task.json` describes it.
pub struct Task {
    /// The name of its folder.
    pub id: String,
    /// Its folder in the checkout.
    pub folder: PathBuf,
    /// What its source is written in.
    pub language: Language,
    /// Its module, relative to the folder in which tasks are published.
    pub module: String,
    /// What `task.json` says.
    pub spec: Map<String, Value>,
}

/// Everything `task.json` may say; anything else there is a mistake.
const KEYS: [&str; 12] = [
    "title",
    "description",
    "language",
    "source",
    "function",
    "args",
    "env",
    "stdin",
    "stdinText",
    "files",
    "expected",
    "checks",
];

/// What is published as it stands.
const PUBLISHED: [&str; 7] = [
    "title",
    "description",
    "language",
    "function",
    "env",
    "stdin",
    "stdinText",
];

/// A function task's limits.
const CONFIG: &str = "config.json";

/// The files of every function task: inputs, outputs.
const FUNCTION_FILES: ([&str; 1], [&str; 1]) = (["input.txt"], ["output.txt"]);

impl Task {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("task.json");
        let spec = read_object(&path)?;
        let id = folder.file_name().and_then(|name| name.to_str());
        let id = id.context("a task's folder has an odd name")?.to_owned();
        let mut task = Self {
            // Both are settled below: they depend on the rest.
            language: Language::Text,
            module: String::new(),
            folder: folder.to_owned(),
            id,
            spec,
        };
        task.validate()
            .with_context(|| format!("in {}", path.display()))?;
        task.language = Language::of(task.source()?)?;
        task.module = match task.language {
            Language::Script(runtime) => format!("{runtime}/{runtime}.wasm"),
            Language::Text => format!("{}/{}.wat", task.id, task.id),
            // The name that `verirun run-task` looks for.
            _ if task.is_function() => format!("{}/task.wasm", task.id),
            _ => format!("{}/{}.wasm", task.id, task.id),
        };
        Ok(task)
    }

    fn validate(&self) -> Result<()> {
        if let Some(key) = self.spec.keys().find(|key| !KEYS.contains(&key.as_str())) {
            bail!("no such key: `{key}`");
        }
        for key in ["title", "description", "language", "source"] {
            self.text(key)?;
        }
        if self.is_function()
            && (
                self.input_files().as_slice(),
                self.output_files().as_slice(),
            ) != (&FUNCTION_FILES.0, &FUNCTION_FILES.1)
        {
            bail!("a function task has the one input file input.txt and leaves output.txt");
        }
        if !matches!(self.text("stdin")?, "none" | "live" | "text") {
            bail!("`stdin` is one of none, live, text");
        }
        if self.spec.contains_key("stdinText") != (self.text("stdin")? == "text") {
            bail!("`stdinText` goes with `\"stdin\": \"text\"`");
        }
        let named = self.input_files().into_iter().chain(self.output_files());
        for file in named.chain([self.text("source")?]) {
            if !self.folder.join(file).is_file() {
                bail!("there is no file {file}");
            }
        }
        Ok(())
    }

    fn text(&self, key: &str) -> Result<&str> {
        self.spec
            .get(key)
            .and_then(Value::as_str)
            .with_context(|| format!("`{key}` is missing or no text"))
    }

    /// The file that is shown, and from which the task is built.
    pub fn source(&self) -> Result<&str> {
        self.text("source")
    }

    /// Whether it is a function task, which `verirun run-task` runs too: `input.txt` in, `output.txt` out.
    pub fn is_function(&self) -> bool {
        self.spec.get("function") == Some(&Value::Bool(true))
    }

    /// What `verirun run-task` runs, if it is a function task that is compiled: a runtime's program would have to be
    /// in an `fs.tar`.
    pub fn function_folder(&self, layout: &Layout) -> Option<PathBuf> {
        let compiled = !matches!(self.language, Language::Script(_));
        (compiled && self.is_function()).then(|| layout.tasks().join(&self.id))
    }

    /// The program that a runtime is given: its path in the guest, and its source's in the task's folder.
    pub fn program<'a>(&'a self, runtimes: &'a [Runtime]) -> Result<Option<(&'a str, &'a str)>> {
        let Language::Script(name) = self.language else {
            return Ok(None);
        };
        let runtime = runtimes.iter().find(|runtime| runtime.id == name);
        let runtime = runtime.with_context(|| format!("there is no runtime {name}"))?;
        Ok(Some((runtime.program()?, self.source()?)))
    }

    /// The input files: each is in the task's folder, and the guest sees it under the same path.
    pub fn input_files(&self) -> Vec<&str> {
        texts(self.spec.get("files"))
    }

    /// The files that the guest is expected to leave, each as it is in the task's folder.
    pub fn output_files(&self) -> Vec<&str> {
        texts(self.spec.get("expected").and_then(|it| it.get("files")))
    }
}

/// The texts in a list; nothing if it is none.
pub fn texts(list: Option<&Value>) -> Vec<&str> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Reads a file that holds a JSON object.
pub fn read_object(path: &Path) -> Result<Map<String, Value>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    match serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))? {
        Value::Object(object) => Ok(object),
        _ => bail!("{} is not an object", path.display()),
    }
}

/// All that was built.
pub struct Built {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// What runs those of them that are written in a scripting language.
    pub runtimes: Vec<Runtime>,
}

/// Builds all tasks and publishes them, with an index, into `target/tasks`.
pub fn build(layout: &Layout) -> Result<Built> {
    tools::ensure_targets(layout)?;
    let mut tasks = Vec::new();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(layout.at("tasks"))
        .context("cannot read tasks/")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    folders.sort();
    for folder in folders {
        if folder.join("task.json").is_file() {
            tasks.push(Task::read(&folder)?);
        }
    }
    task_build::compile(layout, &tasks)?;
    let runtimes = runtimes::build(layout)?;

    // Made aside and then put in place, so that what a removed task left does not stay
    // published, and nobody finds half of it.
    let out = layout.tasks();
    let made = layout.target.join(format!("tasks-{}", std::process::id()));
    let mut index = Vec::new();
    // First, so that the sizes of their modules are known.
    let mut last = Vec::new();
    for runtime in &runtimes {
        last.push(runtime.publish(layout, &made)?);
    }
    for task in &tasks {
        publish(layout, task, &made).with_context(|| format!("task {}", task.id))?;
        index.push(entry(task, &runtimes, &made)?);
    }
    index.append(&mut last);
    let index = serde_json::to_string_pretty(&index)? + "\n";
    std::fs::write(made.join("index.json"), index).context("cannot write the index of tasks")?;
    if out.exists() {
        std::fs::remove_dir_all(&out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    std::fs::rename(&made, &out).with_context(|| format!("cannot create {}", out.display()))?;
    eprintln!("{} sample tasks are in {}", tasks.len(), out.display());
    Ok(Built { tasks, runtimes })
}

fn publish(layout: &Layout, task: &Task, out: &Path) -> Result<()> {
    let folder = out.join(&task.id);
    let files = task.input_files().into_iter().chain(task.output_files());
    let files = files.chain([task.source()?]);
    let mut copies: Vec<(PathBuf, PathBuf)> = files
        .map(|file| (task.folder.join(file), folder.join(file)))
        .collect();
    // Limits, as `verirun run-task` takes them.
    if task.folder.join(CONFIG).is_file() {
        copies.push((task.folder.join(CONFIG), folder.join(CONFIG)));
    }
    if let Some(module) = task_build::module(layout, task)? {
        copies.push((module, out.join(&task.module)));
    }
    for (from, to) in copies {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

/// The task's entry in the index; addresses are relative to the index.
fn entry(task: &Task, runtimes: &[Runtime], out: &Path) -> Result<Value> {
    let url = |file: &str| format!("{}/{file}", task.id);
    let listed = |files: Vec<&str>| -> Vec<Value> {
        let entries = files.into_iter();
        entries
            .map(|path| json!({ "path": path, "url": url(path) }))
            .collect()
    };
    let mut entry = Map::new();
    entry.insert("id".into(), task.id.clone().into());
    for key in PUBLISHED {
        if let Some(value) = task.spec.get(key) {
            entry.insert(key.into(), value.clone());
        }
    }
    let mut args = texts(task.spec.get("args"));
    let mut files = listed(task.input_files());
    if let Some((program, source)) = task.program(runtimes)? {
        args.insert(0, program);
        entry.insert("program".into(), program.into());
        files.insert(
            0,
            json!({ "path": program.trim_start_matches('/'), "url": url(source) }),
        );
    }
    entry.insert("args".into(), args.into());
    entry.entry("env").or_insert_with(|| json!({}));
    entry.insert("module".into(), task.module.clone().into());
    let size = out.join(&task.module).metadata()?.len();
    entry.insert("size".into(), size.into());
    entry.insert("source".into(), url(task.source()?).into());
    entry.insert("files".into(), files.into());
    if let Some(Value::Object(expected)) = task.spec.get("expected") {
        let mut expected = expected.clone();
        expected.insert("files".into(), listed(task.output_files()).into());
        entry.insert("expected".into(), expected.into());
    }
    Ok(entry.into())
}
