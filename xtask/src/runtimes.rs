//! The interpreters that run tasks in scripting languages: each compiled for WASI once, published beside the tasks,
//! and given the program as a file. `tasks/README.md` describes what a program sees.

use crate::layout::Layout;
use crate::{outdated, process, task_build, tasks, zig};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Names of the runtimes: of their folders in `tasks/runtimes`, and of their modules.
pub const JAVASCRIPT: &str = "javascript";
pub const PYTHON: &str = "python";

/// The crate that has QuickJS's sources; `tasks/runtimes/javascript/Cargo.toml` says which version.
const QUICKJS: &str = "rquickjs-sys";

/// The crate that has Python's library, and its license with it.
const PYTHON_LIBRARY: &str = "rustpython-pylib";

/// Where each of the two crates is a dependency.
const TASKS: &str = "tasks/Cargo.toml";
const PYTHON_MANIFEST: &str = "tasks/runtimes/python/Cargo.toml";

/// How long the Python runtime takes to build on two cores.
const PYTHON_MINUTES: u32 = 6;

/// A runtime as its `runtime.json` describes it.
pub struct Runtime {
    /// The name of its folder.
    pub id: String,
    folder: PathBuf,
    /// What `runtime.json` says.
    spec: Map<String, Value>,
}

/// Everything `runtime.json` has.
const KEYS: [&str; 5] = ["title", "description", "runtimeFor", "program", "starter"];

impl Runtime {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("runtime.json");
        let spec = tasks::read_object(&path)?;
        for key in KEYS {
            if !spec.contains_key(key) {
                bail!("{}: `{key}` is missing", path.display());
            }
        }
        if let Some(key) = spec.keys().find(|key| !KEYS.contains(&key.as_str())) {
            bail!("{}: no such key: `{key}`", path.display());
        }
        let id = folder.file_name().and_then(|name| name.to_str());
        Ok(Self {
            id: id.context("a runtime's folder has an odd name")?.to_owned(),
            folder: folder.to_owned(),
            spec,
        })
    }

    fn text(&self, key: &str) -> Result<&str> {
        let value = self.spec.get(key).and_then(Value::as_str);
        value.with_context(|| format!("runtime {}: `{key}` is no text", self.id))
    }

    /// Where the program lies, as the guest sees it.
    pub fn program(&self) -> Result<&str> {
        self.text("program")
    }

    /// Its module, relative to the index of tasks.
    pub fn module(&self) -> String {
        format!("{0}/{0}.wasm", self.id)
    }

    /// Its module, where it is built.
    pub fn built(&self, layout: &Layout) -> PathBuf {
        task_build::folder(layout)
            .join("runtimes")
            .join(format!("{}.wasm", self.id))
    }

    /// Copies what is published, the license of what was compiled too, and returns the runtime's entry in the index of tasks.
    pub fn publish(&self, layout: &Layout, out: &Path) -> Result<Value> {
        let folder = out.join(&self.id);
        std::fs::create_dir_all(&folder)?;
        let module = out.join(self.module());
        let built = self.built(layout);
        std::fs::copy(&built, &module)
            .with_context(|| format!("cannot copy {}", built.display()))?;
        let starter = self.text("starter")?;
        std::fs::copy(self.folder.join(starter), folder.join(starter))
            .with_context(|| format!("cannot copy the runtime's {starter}"))?;
        let license = match self.id.as_str() {
            JAVASCRIPT => crate_sources(layout, TASKS, QUICKJS)?.join("quickjs/LICENSE"),
            _ => crate_sources(layout, PYTHON_MANIFEST, PYTHON_LIBRARY)?.join("Lib/PSF-LICENSE"),
        };
        std::fs::copy(&license, folder.join("LICENSE.txt"))
            .with_context(|| format!("cannot copy {}", license.display()))?;
        let program = self.program()?;
        let url = format!("{}/{starter}", self.id);
        let path = program.trim_start_matches('/');
        Ok(json!({
            "id": self.id,
            "title": self.text("title")?,
            "description": self.text("description")?,
            "language": self.text("title")?,
            "runtimeFor": self.spec["runtimeFor"],
            "program": program,
            "args": [program],
            "env": {},
            "stdin": "live",
            "module": self.module(),
            "size": module.metadata()?.len(),
            "source": url,
            "files": [{ "path": path, "url": url }],
        }))
    }
}

/// Builds all runtimes.
pub fn build(layout: &Layout) -> Result<Vec<Runtime>> {
    let mut runtimes = Vec::new();
    for id in [JAVASCRIPT, PYTHON] {
        let folder = layout.at("tasks/runtimes").join(id);
        let runtime = Runtime::read(&folder)?;
        outdated::build(&runtime.built(layout), &folder, |unfinished| match id {
            JAVASCRIPT => javascript(layout, &folder, unfinished),
            _ => python(layout, unfinished),
        })
        .with_context(|| format!("runtime {id}"))?;
        runtimes.push(runtime);
    }
    Ok(runtimes)
}

/// QuickJS with a host of our own.
fn javascript(layout: &Layout, folder: &Path, module: &Path) -> Result<()> {
    let sources = crate_sources(layout, TASKS, QUICKJS)?.join("quickjs");
    let mut command = zig::cc(layout, &zig::ensure(layout)?);
    command
        // -Os is a third smaller than -O2 and no slower. Its warnings are not ours to mend.
        .args(["-Os", "-std=gnu23", "-w", "-s"])
        .args(["-D_GNU_SOURCE", "-DQUICKJS_NG_BUILD"])
        // host.c's bound of half a megabyte for JavaScript, and room for what C does at its end.
        .arg("-Wl,-z,stack-size=1048576")
        .arg("-I")
        .arg(&sources);
    for source in ["host.c", "engine.c"] {
        command.arg(folder.join(source));
    }
    for source in ["libregexp.c", "libunicode.c", "dtoa.c"] {
        command.arg(sources.join(source));
    }
    process::run(command.arg("-o").arg(module))
}

/// RustPython with a host of our own.
fn python(layout: &Layout, module: &Path) -> Result<()> {
    eprintln!("Building the Python runtime, once: about {PYTHON_MINUTES} minutes on two cores.");
    let target = task_build::folder(layout).join("python");
    process::run(
        layout
            .cargo(&["build", "--release", "--locked", "--target=wasm32-wasip1"])
            // Its parser's crates ask for Rust 1.96, and compile with ours.
            .args(["--ignore-rust-version", "--manifest-path", PYTHON_MANIFEST])
            .arg("--target-dir")
            .arg(&target),
    )?;
    let built = target.join("wasm32-wasip1/release/python.wasm");
    std::fs::copy(&built, module).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(())
}

/// The unpacked sources of a crate that a manifest's lock file names: cargo downloads and checks them.
fn crate_sources(layout: &Layout, manifest: &str, name: &str) -> Result<PathBuf> {
    let metadata = process::output(
        layout
            .cargo(&["metadata", "--format-version=1", "--locked"])
            .args(["--manifest-path", manifest]),
    )?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages
        .filter(|package| package["name"] == name)
        .find_map(|package| package["manifest_path"].as_str())
        .with_context(|| format!("{manifest} depends on no package {name}"))?;
    let folder = Path::new(found).parent();
    Ok(folder.context("a manifest is in a folder")?.to_owned())
}
