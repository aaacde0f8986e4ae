//! `verirun commit`, `reveal` and `adjudicate`.

use crate::receipt::{self, ReadError};
use clap::Args;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verirun::receipt::{Adjudication, Digest, Secret, Status, adjudicate};

/// The exit code if something could not be done.
const FAILED: u8 = 2;
/// The exit code for a commitment to something else, and for `Indeterminate`.
const NO: u8 = 1;

#[derive(Args)]
pub struct CommitArguments {
    /// The file for the salt, which is made. Keep it, and keep it secret until the reveal.
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// Who commits, such as an address: it is part of the commitment, so nobody else can use it.
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// The receipt.
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
}

#[derive(Args)]
pub struct RevealArguments {
    /// The file that `commit` wrote.
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// The commitment that was published.
    #[arg(long, value_name = "HEX")]
    commitment: String,
    /// The name under which it was published; by default the one in the file.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The receipt.
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
}

#[derive(Args)]
pub struct AdjudicateArguments {
    /// How many solutions must agree [default: more than half of all].
    #[arg(long, value_name = "COUNT")]
    required: Option<usize>,
    /// How many solutions were asked for [default: as many as are given].
    #[arg(long, value_name = "COUNT")]
    total: Option<usize>,
    /// The receipts, one for each solution.
    #[arg(value_name = "RECEIPT", required = true)]
    receipts: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("can't write {}: {cause}; an old secret is never replaced", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(transparent)]
    Receipt(#[from] ReadError),
    #[error("{}: this is no file that `verirun commit` wrote: {cause}", .path.display())]
    Secret {
        path: PathBuf,
        #[source]
        cause: serde_json::Error,
    },
    #[error("`{0}` is no commitment, which is 64 digits from 0 to 9 and a to f")]
    Commitment(String),
    #[error("this system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

fn read(path: &Path) -> Result<Vec<u8>, CommitError> {
    std::fs::read(path).map_err(|cause| CommitError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn exit(result: Result<ExitCode, CommitError>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("verirun: {error}");
        ExitCode::from(FAILED)
    })
}

/// Writes the secret and prints the commitment.
pub fn commit(arguments: &CommitArguments) -> ExitCode {
    exit(try_commit(arguments))
}

fn try_commit(arguments: &CommitArguments) -> Result<ExitCode, CommitError> {
    let envelope = receipt::read(&arguments.receipt)?;
    let mut salt = Digest([0; 32]);
    getrandom::fill(&mut salt.0).map_err(CommitError::Random)?;
    let secret = Secret {
        salt,
        name: arguments.name.clone(),
    };
    // Strings only: it can't fail.
    let text = serde_json::to_string(&secret).unwrap_or_default() + "\n";
    let created = std::fs::File::create_new(&arguments.secret);
    let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|cause| CommitError::Write {
        path: arguments.secret.clone(),
        cause,
    })?;
    let _ = writeln!(io::stdout(), "{}", secret.commitment(envelope.id));
    Ok(ExitCode::SUCCESS)
}

/// Tells whether a commitment was to this receipt.
pub fn reveal(arguments: &RevealArguments) -> ExitCode {
    exit(try_reveal(arguments))
}

fn try_reveal(arguments: &RevealArguments) -> Result<ExitCode, CommitError> {
    let said = Digest::parse(&arguments.commitment)
        .ok_or_else(|| CommitError::Commitment(arguments.commitment.clone()))?;
    let envelope = receipt::read(&arguments.receipt)?;
    let text = read(&arguments.secret)?;
    let mut secret: Secret =
        serde_json::from_slice(&text).map_err(|cause| CommitError::Secret {
            path: arguments.secret.clone(),
            cause,
        })?;
    if let Some(name) = &arguments.name {
        secret.name.clone_from(name);
    }
    let found = secret.commitment(envelope.id);
    let by = match &*secret.name {
        "" => String::new(),
        name => format!(" by `{name}`"),
    };
    if found == said {
        let _ = writeln!(io::stdout(), "COMMITTED to {}{by}", envelope.id);
        return Ok(ExitCode::SUCCESS);
    }
    let _ = writeln!(
        io::stdout(),
        "NOT COMMITTED: with this salt the commitment{by} to {} would be {found}",
        envelope.id
    );
    Ok(ExitCode::from(NO))
}

/// Prints the decision over several receipts as JSON.
pub fn decide(arguments: &AdjudicateArguments) -> ExitCode {
    let total = arguments.total.unwrap_or(arguments.receipts.len());
    let required = arguments.required.unwrap_or(total / 2 + 1);
    let solution = |path: &PathBuf| {
        let envelope = receipt::read(path).map_err(|error| error.to_string().replace('\n', " "));
        (path.to_string_lossy().into_owned(), envelope)
    };
    let solutions = arguments.receipts.iter().map(solution).collect();
    let decision: Adjudication = adjudicate(required, total, solutions);
    // Strings and numbers only: it can't fail.
    let text = serde_json::to_string_pretty(&decision).unwrap_or_default();
    let _ = writeln!(io::stdout(), "{text}");
    match decision.status {
        Status::Success => ExitCode::SUCCESS,
        Status::Indeterminate => ExitCode::from(NO),
        Status::Error => ExitCode::from(FAILED),
    }
}
