//! The sample tasks: from `tasks/<id>/task.json` and source to `target/tasks`, the shape in
//! which they are published. `tasks/README.md` describes the format.

use crate::layout::Layout;
use crate::{process, tools};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A sample task as its `task.json` describes it.
pub struct Task {
    /// The name of its folder.
    pub id: String,
    /// Its folder in the checkout.
    pub folder: PathBuf,
    /// File name of the module, inside the task's published folder.
    pub module: String,
    /// What `task.json` says.
    pub spec: Map<String, Value>,
}

/// Everything `task.json` may say; anything else there is a mistake.
const KEYS: [&str; 11] = [
    "title",
    "description",
    "language",
    "source",
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
    "args",
    "env",
    "stdin",
    "stdinText",
];

impl Task {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("task.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let Value::Object(spec) = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", path.display()))?
        else {
            bail!("{} is not an object", path.display());
        };
        let id = folder.file_name().and_then(|name| name.to_str());
        let id = id.context("a task's folder has an odd name")?.to_owned();
        let task = Self {
            module: module_name(folder, &id),
            folder: folder.to_owned(),
            id,
            spec,
        };
        task.validate()
            .with_context(|| format!("in {}", path.display()))?;
        Ok(task)
    }

    fn validate(&self) -> Result<()> {
        if let Some(key) = self.spec.keys().find(|key| !KEYS.contains(&key.as_str())) {
            bail!("no such key: `{key}`");
        }
        for key in ["title", "description", "language", "source"] {
            self.text(key)?;
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

/// A task in the text format is published as it is: the runner takes both.
fn module_name(folder: &Path, id: &str) -> String {
    let text = format!("{id}.wat");
    if folder.join(&text).is_file() {
        text
    } else {
        format!("{id}.wasm")
    }
}

/// Builds all tasks and publishes them, with an index, into `target/tasks`.
pub fn build(layout: &Layout) -> Result<Vec<Task>> {
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

    let built = layout.target.join("tasks-build");
    process::run(
        layout
            .cargo(&["build", "--quiet", "--release", "--locked"])
            .args(["--target=wasm32-wasip1", "--manifest-path=tasks/Cargo.toml"])
            .arg("--target-dir")
            .arg(&built),
    )?;

    // Made aside and then put in place, so that what a removed task left does not stay
    // published, and nobody finds half of it.
    let out = layout.tasks();
    let made = layout.target.join(format!("tasks-{}", std::process::id()));
    let mut index = Vec::new();
    for task in &tasks {
        publish(task, &built.join("wasm32-wasip1/release"), &made)
            .with_context(|| format!("task {}", task.id))?;
        index.push(entry(task, &made)?);
    }
    let index = serde_json::to_string_pretty(&index)? + "\n";
    std::fs::write(made.join("index.json"), index).context("cannot write the index of tasks")?;
    if out.exists() {
        std::fs::remove_dir_all(&out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    std::fs::rename(&made, &out).with_context(|| format!("cannot create {}", out.display()))?;
    eprintln!("{} sample tasks are in {}", tasks.len(), out.display());
    Ok(tasks)
}

fn publish(task: &Task, built: &Path, out: &Path) -> Result<()> {
    let module = task.folder.join(&task.module);
    let module = if module.is_file() {
        module
    } else {
        built.join(&task.module)
    };
    let files = task.input_files().into_iter().chain(task.output_files());
    let files = files.chain([task.text("source")?]);
    let mut copies = vec![(module, task.module.clone())];
    copies.extend(files.map(|file| (task.folder.join(file), file.to_owned())));
    for (from, to) in copies {
        let to = out.join(&task.id).join(to);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

/// The task's entry in the index; addresses are relative to the index.
fn entry(task: &Task, out: &Path) -> Result<Value> {
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
    entry.entry("args").or_insert_with(|| json!([]));
    entry.entry("env").or_insert_with(|| json!({}));
    entry.insert("module".into(), url(&task.module).into());
    let size = out.join(url(&task.module)).metadata()?.len();
    entry.insert("size".into(), size.into());
    entry.insert("source".into(), url(task.text("source")?).into());
    entry.insert("files".into(), listed(task.input_files()).into());
    if let Some(Value::Object(expected)) = task.spec.get("expected") {
        let mut expected = expected.clone();
        expected.insert("files".into(), listed(task.output_files()).into());
        entry.insert("expected".into(), expected.into());
    }
    Ok(entry.into())
}
