//! Verifying one receipt.

use super::Setup;
use super::streams::Deliveries;
use crate::program::LIMIT;
use crate::run::SLICE;
use std::path::Path;
use verirun::fs::{Change, Kind};
use verirun::receipt::{
    Difference, Digest, Envelope, FileChange, PublicKey, Receipt, Refusal, Streams, Verdict,
    compare_with, first_different_byte, is_package, unpack,
};
use verirun::{Module, Run, State, Task};

/// What came of one receipt.
pub struct Checked {
    /// The digest of the receipt's file, if it could be read.
    pub file: Option<Digest>,
    /// The receipt's id, if it is one.
    pub id: Option<Digest>,
    /// Who signed it, if all signatures are right.
    pub signers: Vec<PublicKey>,
    /// The steps that the receipt says.
    pub steps: u64,
    /// What came of it.
    pub verdict: Verdict,
}

/// Verifies the receipt at `path`; `progress` is told of steps made and steps said.
pub fn check(setup: &Setup<'_>, path: &Path, progress: &dyn Fn(u64, u64)) -> Checked {
    let mut checked = Checked {
        file: None,
        id: None,
        signers: Vec::new(),
        steps: 0,
        verdict: Verdict::Verified,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            checked.verdict = Verdict::CannotTell(format!("can't read it: {error}"));
            return checked;
        }
    };
    checked.file = Some(Digest::of(&bytes));
    if is_package(&bytes) {
        check_package(setup, &bytes, &mut checked, progress);
        return checked;
    }
    let envelope = match Envelope::parse(&bytes) {
        Ok(envelope) => envelope,
        Err(error) => {
            checked.verdict = Verdict::CannotTell(format!("{error}. {}", error.hint()));
            return checked;
        }
    };
    let result = checked.look_at(setup, &envelope).and_then(|()| {
        let module = setup.modules.of(&envelope, path)?;
        let task = envelope.task(setup.brought.clone())?;
        verify(setup, &module, &task, &envelope, progress)
    });
    checked.verdict = verdict(result);
    checked
}

impl Checked {
    /// Notes what the receipt is, and looks at its signatures.
    fn look_at(&mut self, setup: &Setup<'_>, envelope: &Envelope) -> Result<(), Refusal> {
        self.id = Some(envelope.id);
        self.steps = envelope.receipt.result.steps.0;
        self.signers = envelope.signers().map_err(Refusal::Different)?;
        match setup.signers.iter().find(|key| !self.signers.contains(key)) {
            Some(key) => Err(Refusal::Missing(format!("it is not signed by {key}"))),
            None => Ok(()),
        }
    }
}

fn verdict(result: Result<Option<Difference>, Refusal>) -> Verdict {
    match result {
        Ok(None) => Verdict::Verified,
        Ok(Some(difference)) | Err(Refusal::Different(difference)) => Verdict::Mismatch(difference),
        Err(Refusal::Missing(what)) => Verdict::CannotTell(what),
    }
}

/// Verifies the receipt in a package, with what the package brings.
fn check_package(
    setup: &Setup<'_>,
    bytes: &[u8],
    checked: &mut Checked,
    progress: &dyn Fn(u64, u64),
) {
    let package = match unpack(bytes, LIMIT) {
        Ok(package) => package,
        Err(error) => {
            checked.verdict = Verdict::CannotTell(format!("{error}. {}", error.hint()));
            return;
        }
    };
    let Some(envelope) = package.receipt else {
        checked.verdict = Verdict::CannotTell(
            "the package has no receipt; `verirun pack --with-receipt` puts one into it".to_owned(),
        );
        return;
    };
    let result = checked
        .look_at(setup, &envelope)
        .and_then(|()| verify(setup, &package.module, &package.task, &envelope, progress));
    checked.verdict = verdict(result);
}

fn missing(cause: impl std::fmt::Display) -> Refusal {
    Refusal::Missing(cause.to_string())
}

fn verify(
    setup: &Setup<'_>,
    module: &Module,
    task: &Task,
    envelope: &Envelope,
    progress: &dyn Fn(u64, u64),
) -> Result<Option<Difference>, Refusal> {
    let rerun = envelope.rerun();
    if let Some(most) = setup.arguments.max_steps
        && rerun.steps() > most
    {
        return Err(Refusal::Missing(format!(
            "it says that the run makes {} steps, and --max-steps allows {most}",
            rerun.steps()
        )));
    }
    let mut delivered = Deliveries::read(setup.arguments, &envelope.receipt)?;
    // All digests match: from here on the module runs.
    let engine = &setup.arguments.engine;
    let driving = engine.read().map_err(missing)?;
    let mut run = Run::start_with(module, task, driving).map_err(missing)?;
    let mut streams = Streams::default();
    loop {
        let state = run.slice(SLICE);
        for chunk in run.take_output() {
            streams.write(&chunk);
            delivered.write(&chunk);
        }
        match state {
            State::Done => break,
            State::Blocked => {
                let said = envelope.receipt.result.outcome.to_string();
                let found = "this run waits for input that it did not have".to_owned();
                return Ok(Some(Difference::new("outcome", said, found)));
            }
            State::Running => {}
        }
        if let Some(difference) = rerun.overrun(&run) {
            return Ok(Some(difference));
        }
        progress(run.stats().steps, rerun.steps());
    }
    let (found, _) = Receipt::of(&run, &streams).map_err(missing)?;
    if let Some(what) = engine.not_compared(&run) {
        return Err(Refusal::Missing(what));
    }
    let outputs = setup.arguments.outputs.as_deref();
    let lists = envelope.checkpoints().zip(run.checkpoints());
    let lists = lists.as_ref().map(|(said, found)| (said, found));
    let difference = compare_with(&envelope.receipt, &found, lists);
    match (
        difference.map(|difference| delivered.explain(difference)),
        outputs,
    ) {
        (Some(difference), Some(dir)) => Ok(Some(with_byte(difference, envelope, &run, dir))),
        (None, Some(dir)) => check_outputs(envelope, dir),
        (difference, None) => Ok(difference),
    }
}

/// The file that came with the receipt for an output, if it can be read.
fn delivered(dir: &Path, file: &FileChange) -> Result<Vec<u8>, String> {
    let path = dir.join(&file.path);
    std::fs::read(&path).map_err(|error| format!("{} can't be read: {error}", path.display()))
}

/// Adds the first different byte of a file, if the receipt's own bytes are at hand.
fn with_byte(mut difference: Difference, envelope: &Envelope, run: &Run, dir: &Path) -> Difference {
    let files = &envelope.receipt.result.files;
    let Some(path) = difference.path.as_deref() else {
        return difference;
    };
    let Some(file) = files.iter().find(|file| file.path == path) else {
        return difference;
    };
    let content = run
        .files()
        .find(path)
        .and_then(|ino| run.files().content(ino));
    let (Some(sha256), Ok(content)) = (file.sha256, content) else {
        return difference;
    };
    let detail = match delivered(dir, file) {
        Err(error) => format!("; {error}"),
        Ok(bytes) if Digest::of(&bytes) != sha256 => {
            format!("; the file in {} is another one still", dir.display())
        }
        Ok(bytes) => match first_different_byte(&bytes, content) {
            Some((offset, said, found)) => {
                let byte = |byte: Option<u8>| match byte {
                    Some(byte) => format!("{byte:#04x}"),
                    None => "the end".to_owned(),
                };
                format!(
                    "; the first different byte is at offset {offset}: {} in the receipt's file, {} in this run's",
                    byte(said),
                    byte(found)
                )
            }
            None => String::new(),
        },
    };
    difference.found.push_str(&detail);
    difference
}

/// Whether the files that came with a receipt are those that it says.
fn check_outputs(envelope: &Envelope, dir: &Path) -> Result<Option<Difference>, Refusal> {
    for file in &envelope.receipt.result.files {
        if file.kind != Kind::File || file.change == Change::Removed {
            continue;
        }
        let Some(said) = file.sha256 else { continue };
        let bytes = delivered(dir, file).map_err(missing)?;
        let found = Digest::of(&bytes);
        if found != said {
            let place = dir.display();
            return Ok(Some(Difference::new(
                format!("file {} in {place}", file.path),
                format!("SHA-256 {said}"),
                format!("it has {} bytes with SHA-256 {found}", bytes.len()),
            )));
        }
    }
    Ok(None)
}
