//! `verirun run-task`: a function task from its folder or a zip of it.

use crate::engine::{ChoiceError, EngineOptions};
use crate::options::{LimitOptions, OptionError, ProfileOptions};
use crate::receipt::{self, ReceiptError};
use crate::run::{ABORTED, NEVER_RAN, SLICE, exit_code};
use clap::Args;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use verirun::receipt::Streams;
use verirun::run::Metrics;
use verirun::task::folder::{self, Folder, FolderError, FolderFiles};
use verirun::{Module, Outcome, Run, StartError, State, Task};

/// It exited with another code than 0.
const FAILED: u8 = 1;
/// It exited with 0, but left no output.
const NO_OUTPUT: u8 = 3;
/// A file's name that means a standard stream.
const STANDARD: &str = "-";
/// The most bytes that archives may unpack to, and that the output may have.
const LIMIT: u64 = 8 << 30;

/// The input of a function task.
#[derive(Args)]
pub struct InputOptions {
    /// The input: the file of this name if there is one, else the text itself. The folder's
    /// input.txt if no input is given.
    #[arg(long, value_name = "TEXT|FILE", allow_hyphen_values = true)]
    input: Option<String>,
    /// The input as text, whatever files there are.
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with_all = ["input", "input_file"]
    )]
    input_text: Option<String>,
    /// The input from a file; - is our standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "input")]
    input_file: Option<PathBuf>,
}

impl InputOptions {
    /// Whether there is one.
    pub fn is_given(&self) -> bool {
        self.input.is_some() || self.input_text.is_some() || self.input_file.is_some()
    }
}

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    input: InputOptions,
    /// Write the output to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write figures under Truebit's names to this file as JSON; - is standard output, where the
    /// output is not printed then.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The name of the root directory's preopen, such as `.`.
    #[arg(long, value_name = "NAME", default_value = "/")]
    preopen: String,
    /// Write a receipt to this file, with which anyone can prove the result (docs/receipt.md).
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Take checkpoints, digests of the program's state at fixed steps, and put a commitment to them
    /// into the receipt: `verirun bisect` finds with them where two runs part.
    #[arg(long, requires = "receipt")]
    checkpoints: bool,
    /// Print figures to standard error at the end.
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    engine: EngineOptions,
    /// The folder, or a zip of it.
    #[arg(value_name = "DIR|ZIP")]
    folder: PathBuf,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    profile: ProfileOptions,
}

#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{}: {cause}\n{hint}", .path.display(), hint = .cause.hint())]
    Folder {
        path: PathBuf,
        #[source]
        cause: FolderError,
    },
    #[error("{0}\n{hint}", hint = .0.hint())]
    Start(#[from] StartError),
    #[error(transparent)]
    Options(#[from] OptionError),
    #[error(transparent)]
    Engine(#[from] ChoiceError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Runs the task and tells how the process should exit.
pub fn run(arguments: &Arguments) -> ExitCode {
    let fail = |error: TaskError, code| {
        eprintln!("verirun: {error}");
        ExitCode::from(code)
    };
    match start(arguments) {
        Ok(started) => match finish(arguments, started) {
            Ok(code) => code,
            Err(error) => fail(error, ABORTED),
        },
        Err(error) => fail(error, NEVER_RAN),
    }
}

struct Started {
    module: verirun::task::ModuleInfo,
    limits: verirun::Limits,
    run: Run,
}

fn start(arguments: &Arguments) -> Result<Started, TaskError> {
    let driving = arguments.engine.read()?;
    let (module, mut task) = open(&arguments.folder, &arguments.input, &arguments.preopen)?;
    task.limits = arguments.limits.read()?.or(task.limits);
    arguments.profile.apply(&mut task)?;
    task.checkpoints = arguments.checkpoints;
    Ok(Started {
        run: Run::start_with(&module, &task, driving)?,
        limits: task.limits,
        module: module.info,
    })
}

/// The task in the folder or zip at `path`, with the limits of its configuration.
pub fn open(path: &Path, input: &InputOptions, preopen: &str) -> Result<(Module, Task), TaskError> {
    let wrap = |cause| TaskError::Folder {
        path: path.to_owned(),
        cause,
    };
    let files = match path.is_dir() {
        true => read_folder(path)?,
        false => folder::from_zip(&read(path)?, LIMIT).map_err(wrap)?,
    };
    let folder = Folder::open(&files, LIMIT).map_err(wrap)?;
    for warning in &folder.config.warnings {
        eprintln!("verirun: warning: {warning}");
    }
    let input = read_input(input)?;
    let task = folder.task(input.as_deref(), preopen).map_err(wrap)?;
    Ok((folder.module, task))
}

fn read(path: &Path) -> Result<Vec<u8>, TaskError> {
    fs::read(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn read_folder(path: &Path) -> Result<FolderFiles, TaskError> {
    let mut files = FolderFiles::new();
    for name in folder::NAMES {
        let file = path.join(name);
        match fs::read(&file) {
            Ok(bytes) => drop(files.insert(name.to_owned(), bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(TaskError::Read { path: file, cause }),
        }
    }
    Ok(files)
}

fn read_input(arguments: &InputOptions) -> Result<Option<Vec<u8>>, TaskError> {
    if let Some(text) = &arguments.input_text {
        return Ok(Some(text.clone().into_bytes()));
    }
    if let Some(path) = &arguments.input_file {
        if path != Path::new(STANDARD) {
            return read(path).map(Some);
        }
        let mut bytes = Vec::new();
        let all = io::stdin().read_to_end(&mut bytes);
        all.map_err(|cause| TaskError::Read {
            path: "standard input".into(),
            cause,
        })?;
        return Ok(Some(bytes));
    }
    match &arguments.input {
        Some(text) if Path::new(text).is_file() => read(Path::new(text)).map(Some),
        Some(text) => Ok(Some(text.clone().into_bytes())),
        None => Ok(None),
    }
}

fn finish(arguments: &Arguments, mut started: Started) -> Result<ExitCode, TaskError> {
    let run = &mut started.run;
    let began = Instant::now();
    let mut streams = Streams::default();
    while run.slice(SLICE) != State::Done {
        show(run, &mut streams)?;
    }
    show(run, &mut streams)?;
    let elapsed = began.elapsed();
    arguments.engine.explain(run);
    let json = arguments.json.as_deref();
    if let Some(path) = json {
        let metrics = Metrics::new(&started.module, &started.limits, run, elapsed);
        // Numbers and strings: they can't fail to be JSON.
        let mut text = serde_json::to_vec_pretty(&metrics).unwrap_or_default();
        text.push(b'\n');
        write_to(path, &text)?;
    }
    if arguments.stats {
        crate::stats::print(run, &started.limits);
    }
    if let Some(path) = &arguments.receipt {
        receipt::write(path, run, &streams)?;
    }
    match run.outcome() {
        Some(Outcome::Exit { code: 0 }) => {}
        Some(Outcome::Exit { code }) => {
            // What a program that failed left behind is no result.
            eprintln!("verirun: the task failed: it exited with code {code}");
            return Ok(ExitCode::from(FAILED));
        }
        other => return Ok(exit_code(other)),
    }
    let output = match folder::output(run.files(), LIMIT) {
        Ok(output) => output,
        Err(error) => {
            eprintln!("verirun: the task failed: {error}");
            return Ok(ExitCode::from(NO_OUTPUT));
        }
    };
    match (&arguments.output, json) {
        (Some(path), _) => write_to(path, &output)?,
        (None, Some(path)) if path == Path::new(STANDARD) => {}
        _ => write_to(Path::new(STANDARD), &output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the program prints goes to our standard error: our standard output is for its result.
fn show(run: &mut Run, streams: &mut Streams) -> Result<(), TaskError> {
    for chunk in run.take_output() {
        streams.write(&chunk);
        let written = io::stderr().write_all(&chunk.bytes);
        written.map_err(|cause| TaskError::Write {
            path: "standard error".into(),
            cause,
        })?;
    }
    Ok(())
}

fn write_to(path: &Path, bytes: &[u8]) -> Result<(), TaskError> {
    let written = match path == Path::new(STANDARD) {
        true => io::stdout()
            .write_all(bytes)
            .and_then(|()| io::stdout().flush()),
        false => fs::write(path, bytes),
    };
    written.map_err(|cause| TaskError::Write {
        path: path.to_owned(),
        cause,
    })
}
