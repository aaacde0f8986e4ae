//! Runs the sample tasks through the command line and compares what they do with what
//! `task.json` promises.

use crate::layout::Layout;
use crate::process;
use crate::runtimes::Runtime;
use crate::tasks::{Built, Task, texts};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Builds the command line alone, and says where it is.
pub fn command_line(layout: &Layout) -> Result<PathBuf> {
    process::run(&mut layout.cargo(&["build", "--quiet", "--locked"]))?;
    Ok(layout.built("verirun"))
}

/// Checks every task with the command line: its published run if that needs nobody to type, and all of `checks`.
pub fn check(layout: &Layout, built: &Built, verirun: &Path) -> Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for task in &built.tasks {
        for (name, run) in runs(task, &built.runtimes)? {
            match check_run(layout, verirun, task, &run) {
                Ok(()) => passed += 1,
                Err(error) => {
                    eprintln!("task {} ({name}): {error:#}", task.id);
                    failed += 1;
                }
            }
        }
    }
    eprintln!("sample tasks: {passed} runs passed, {failed} failed");
    ensure!(failed == 0, "sample tasks do not do what they should");
    Ok(())
}

/// One run and what should come of it.
struct Run {
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdin: String,
    /// Guest path and content.
    inputs: Vec<(String, Vec<u8>)>,
    expected: Map<String, Value>,
    /// Guest path and content.
    outputs: Vec<(String, Vec<u8>)>,
}

fn runs(task: &Task, runtimes: &[Runtime]) -> Result<Vec<(String, Run)>> {
    let spec = &task.spec;
    let read = |paths: Vec<&str>| -> Vec<(String, Vec<u8>)> {
        let paths = paths.into_iter();
        paths
            .map(|path| {
                // Reading was checked when the task was.
                let content = std::fs::read(task.folder.join(path)).unwrap_or_default();
                (path.to_owned(), content)
            })
            .collect()
    };
    let owned = |list: Option<&Value>| -> Vec<String> {
        texts(list).into_iter().map(str::to_owned).collect()
    };
    let mut runs = Vec::new();
    if let Some(Value::Object(expected)) = spec.get("expected") {
        let run = Run {
            args: owned(spec.get("args")),
            env: pairs(spec.get("env")),
            stdin: text(spec.get("stdinText")),
            inputs: read(task.input_files()),
            expected: expected.clone(),
            outputs: read(task.output_files()),
        };
        runs.push(("as published".to_owned(), run));
    }
    for check in spec
        .get("checks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        // What a check does not say is as published.
        let or = |key: &str| check.get(key).or(spec.get(key));
        let expected = check.get("expected").and_then(Value::as_object);
        let expected = expected.cloned().unwrap_or_default();
        let bytes = |(path, text): (String, String)| (path, text.into_bytes());
        let run = Run {
            args: owned(or("args")),
            env: pairs(or("env")),
            stdin: text(check.get("stdin")),
            inputs: match check.get("files") {
                Some(files) => pairs(Some(files)).into_iter().map(bytes).collect(),
                None => read(task.input_files()),
            },
            outputs: pairs(expected.get("files"))
                .into_iter()
                .map(bytes)
                .collect(),
            expected,
        };
        runs.push((text(check.get("name")), run));
    }
    // A runtime is told where the program lies, and finds it there.
    if let Some((path, source)) = task.program(runtimes)? {
        for (_, run) in &mut runs {
            run.args.insert(0, path.to_owned());
            let path = path.trim_start_matches('/');
            run.inputs.extend(
                read(vec![source])
                    .into_iter()
                    .map(|(_, content)| (path.to_owned(), content)),
            );
        }
    }
    Ok(runs)
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let map = value.and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), text(Some(value))))
        .collect()
}

fn check_run(layout: &Layout, verirun: &Path, task: &Task, run: &Run) -> Result<()> {
    let scratch = layout.target.join("tasks-check");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    let (inputs, outputs) = (scratch.join("in"), scratch.join("out"));
    std::fs::create_dir_all(&inputs)?;
    for (path, content) in &run.inputs {
        let file = inputs.join(path);
        std::fs::create_dir_all(file.parent().context("no folder")?)?;
        std::fs::write(file, content)?;
    }
    let stdin = scratch.join("stdin");
    std::fs::write(&stdin, &run.stdin)?;

    let mut command = Command::new(verirun);
    // Without a guest path the folder would keep its own name.
    let root = format!("{}::/", inputs.display());
    command.args(["run", "--dir", &root]);
    command.arg("--stdin").arg(&stdin);
    command.arg("--out-dir").arg(&outputs);
    for (key, value) in &run.env {
        command.arg("--env").arg(format!("{key}={value}"));
    }
    command.arg(layout.tasks().join(&task.module));
    command.args(&run.args);
    let output = command.stdin(Stdio::null()).output()?;
    compare(run, &output, &outputs)?;
    match task.function_folder(layout) {
        Some(folder) => check_function(verirun, &folder, run, &inputs, &outputs)
            .context("as a function task, with `verirun run-task`"),
        None => Ok(()),
    }
}

/// The same once more with `verirun run-task`, which must come to the same end.
fn check_function(
    verirun: &Path,
    folder: &Path,
    run: &Run,
    inputs: &Path,
    outputs: &Path,
) -> Result<()> {
    let input = inputs.join("input.txt");
    // Without any input a function task is refused.
    if !input.is_file() {
        return Ok(());
    }
    let mut command = Command::new(verirun);
    command
        .arg("run-task")
        .arg(folder)
        .arg("--input-file")
        .arg(&input);
    let output = command.stdin(Stdio::null()).output()?;
    let good = run.expected.get("exit").and_then(Value::as_i64) == Some(0);
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() == good,
        "{}; {stderr}",
        output.status
    );
    if good {
        let wanted = read_output(outputs, "output.txt")?;
        ensure!(
            output.stdout == wanted,
            "the output is {:?}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(())
}

fn compare(run: &Run, output: &Output, folder: &Path) -> Result<()> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    for (key, expected) in &run.expected {
        let wanted = expected.as_str().unwrap_or_default();
        match key.as_str() {
            "exit" => {
                let code = output.status.code();
                ensure!(
                    code.map(i64::from) == expected.as_i64(),
                    "exit code {code:?}, not {expected}; stderr: {stderr}"
                );
            }
            "stdout" => ensure!(stdout == wanted, "stdout is {stdout:?}, not {wanted:?}"),
            "stdoutContains" => {
                ensure!(
                    stdout.contains(wanted),
                    "stdout has no {wanted:?}: {stdout:?}"
                );
            }
            "stderrContains" => {
                ensure!(
                    stderr.contains(wanted),
                    "stderr has no {wanted:?}: {stderr:?}"
                );
            }
            "files" | "sizes" => {}
            _ => bail!("no such expectation: `{key}`"),
        }
    }
    for (path, wanted) in &run.outputs {
        let content = read_output(folder, path)?;
        ensure!(
            content == *wanted,
            "{path} is {:?}, not {:?}",
            String::from_utf8_lossy(&content),
            String::from_utf8_lossy(wanted)
        );
    }
    let sizes = run.expected.get("sizes").and_then(Value::as_object);
    for (path, size) in sizes.into_iter().flatten() {
        let found = read_output(folder, path)?.len();
        ensure!(
            size.as_u64() == Some(found as u64),
            "{path} has {found} bytes, not {size}"
        );
    }
    Ok(())
}

fn read_output(folder: &Path, path: &str) -> Result<Vec<u8>> {
    let file: PathBuf = folder.join(path);
    std::fs::read(&file).with_context(|| format!("there is no {path} afterwards"))
}
