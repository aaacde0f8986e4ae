//! Verifying many receipts, on all cores.

use super::one::{self, Checked};
use super::{CANNOT_TELL, MISMATCH, Setup, SetupError, read_error};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use verirun::receipt::{Digest, PublicKey, Verdict};

const VERIFIED: &str = "verified";

/// A line of the results' file.
#[derive(Serialize, Deserialize)]
struct Line {
    receipt: String,
    /// The digest of the receipt's file.
    sha256: Option<Digest>,
    id: Option<Digest>,
    verdict: String,
    /// Who signed the receipt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signers: Vec<PublicKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Default)]
struct Summary {
    verified: usize,
    earlier: usize,
    mismatches: usize,
    unknown: usize,
}

/// Where the results go.
struct Report<'a> {
    bar: &'a ProgressBar,
    results: Option<File>,
    summary: Summary,
    failed: Option<io::Error>,
}

/// Verifies all receipts of `setup`.
pub fn run(setup: &Setup<'_>) -> Result<ExitCode, SetupError> {
    let path = setup.arguments.results.as_deref();
    let known = path.map(known).transpose()?.unwrap_or_default();
    let results = path.map(append).transpose()?;
    let receipts = &setup.receipts;
    let alone = receipts.len() == 1;
    let bar = progress_bar(receipts.len() as u64, alone);
    let report = Mutex::new(Report {
        bar: &bar,
        results,
        summary: Summary::default(),
        failed: None,
    });
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(path) = receipts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = path.to_string_lossy();
            if is_known(&known, &name, path) {
                Report::lock(&report).earlier();
                continue;
            }
            let checked = one::check(setup, path, &|done, said| {
                if alone {
                    bar.set_length(said);
                    bar.set_position(done);
                }
            });
            Report::lock(&report).add(&name, &checked, alone);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = setup.arguments.jobs.map_or(cores, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(receipts.len()) {
            scope.spawn(work);
        }
        work();
    });
    bar.finish_and_clear();
    let report = report.into_inner().unwrap_or_else(|lock| lock.into_inner());
    if let (Some(cause), Some(path)) = (report.failed, path) {
        return Err(SetupError::Write {
            path: path.to_owned(),
            cause,
        });
    }
    let summary = report.summary;
    if !alone {
        let earlier = match summary.earlier {
            0 => String::new(),
            count => format!(" ({count} of them earlier)"),
        };
        let _ = writeln!(
            io::stdout(),
            "{} receipts: {} verified{earlier}, {} different, {} can't be told",
            receipts.len(),
            summary.verified,
            summary.mismatches,
            summary.unknown
        );
    }
    Ok(match (summary.mismatches, summary.unknown) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(CANNOT_TELL),
        _ => ExitCode::from(MISMATCH),
    })
}

fn progress_bar(receipts: u64, alone: bool) -> ProgressBar {
    let template = match alone {
        true => "{wide_bar} {percent} % of the steps",
        false => "{wide_bar} {pos} of {len} receipts",
    };
    let bar = ProgressBar::new(receipts);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Report<'_> {
    fn lock<'a, 'b>(this: &'a Mutex<Report<'b>>) -> std::sync::MutexGuard<'a, Report<'b>> {
        // A thread that panicked leaves whole lines behind.
        this.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    fn earlier(&mut self) {
        self.summary.verified += 1;
        self.summary.earlier += 1;
        self.bar.inc(1);
    }

    fn add(&mut self, name: &str, checked: &Checked, alone: bool) {
        let summary = &mut self.summary;
        let (count, title, verdict, message) = match &checked.verdict {
            Verdict::Verified => (&mut summary.verified, "VERIFIED", VERIFIED, None),
            Verdict::Mismatch(difference) => (
                &mut summary.mismatches,
                "MISMATCH",
                "mismatch",
                Some(difference.to_string()),
            ),
            Verdict::CannotTell(what) => (
                &mut summary.unknown,
                "CANNOT TELL",
                "cannot-tell",
                Some(what.clone()),
            ),
        };
        *count += 1;
        let detail = message.clone().unwrap_or_else(|| {
            let id = checked.id.map(|id| id.to_string()).unwrap_or_default();
            let signed = match &checked.signers[..] {
                [] => String::new(),
                keys => {
                    let keys: Vec<_> = keys.iter().map(PublicKey::to_string).collect();
                    format!(", signed by {}", keys.join(" and "))
                }
            };
            format!("{id} in {} steps{signed}", checked.steps)
        });
        let detail = detail.replace('\n', " ");
        self.bar.suspend(|| {
            // Whoever closed the pipe has seen enough; the exit code still tells.
            let _ = writeln!(io::stdout(), "{title:<11} {name}: {detail}");
        });
        if !alone {
            self.bar.inc(1);
        }
        if let Some(file) = &mut self.results {
            let line = Line {
                receipt: name.to_owned(),
                sha256: checked.file,
                id: checked.id,
                verdict: verdict.to_owned(),
                signers: checked.signers.clone(),
                message,
            };
            let text = serde_json::to_string(&line).unwrap_or_default() + "\n";
            if let Err(error) = file.write_all(text.as_bytes()) {
                self.failed.get_or_insert(error);
            }
        }
    }
}

/// The receipts that an earlier check verified, each with the digest of its file.
fn known(path: &Path) -> Result<BTreeMap<String, Digest>, SetupError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(read_error(path)(error)),
    };
    // A line that a crash cut is passed over: its receipt is checked again.
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let verified = lines.filter(|line: &Line| line.verdict == VERIFIED);
    Ok(verified
        .filter_map(|line| Some((line.receipt, line.sha256?)))
        .collect())
}

fn is_known(known: &BTreeMap<String, Digest>, name: &str, path: &Path) -> bool {
    let Some(digest) = known.get(name) else {
        return false;
    };
    std::fs::read(path).is_ok_and(|bytes| Digest::of(&bytes) == *digest)
}

/// Opens the results' file to append to it, behind the end of a line.
fn append(path: &Path) -> Result<File, SetupError> {
    let wrap = |cause| SetupError::Write {
        path: path.to_owned(),
        cause,
    };
    let cut =
        std::fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|&last| last != b'\n'));
    let file = File::options().create(true).append(true).open(path);
    let mut file = file.map_err(wrap)?;
    if cut {
        file.write_all(b"\n").map_err(wrap)?;
    }
    Ok(file)
}
