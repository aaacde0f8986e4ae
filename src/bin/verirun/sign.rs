//! `verirun keygen` and `sign`.

use crate::receipt::{self, ReadError};
use clap::Args;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verirun::receipt::{SecretKey, TooManySignatures};

/// The exit code if it could not be done.
const FAILED: u8 = 2;

#[derive(Args)]
pub struct KeygenArguments {
    /// The file for the key, which is made. Keep it secret; nothing can get it back if it is lost.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub struct SignArguments {
    /// The file that `keygen` wrote.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Write the signed receipt to this file instead of the receipt's own.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The receipt.
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("can't write {}: {cause}; an old key is never replaced", .path.display())]
    Create {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(transparent)]
    Receipt(#[from] ReadError),
    #[error("{}: this is no file that `verirun keygen` wrote: {cause}", .path.display())]
    Key { path: PathBuf, cause: String },
    #[error("{}: others on this machine can read the secret key; `chmod 600` it first", .0.display())]
    Open(PathBuf),
    #[error("{}: {cause}", .path.display())]
    Full {
        path: PathBuf,
        #[source]
        cause: TooManySignatures,
    },
    #[error("this system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

fn exit(result: Result<(), SignError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("verirun: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// Makes a key and prints the public one.
pub fn keygen(arguments: &KeygenArguments) -> ExitCode {
    exit(try_keygen(&arguments.file))
}

/// Creates a file that only its owner may read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn try_keygen(path: &Path) -> Result<(), SignError> {
    let mut seed = [0; SecretKey::LENGTH];
    getrandom::fill(&mut seed).map_err(SignError::Random)?;
    // The length is right: it can't fail.
    let key = SecretKey::new(&seed).map_err(|error| SignError::Key {
        path: path.to_owned(),
        cause: error.to_string(),
    })?;
    let failed = |cause| SignError::Create {
        path: path.to_owned(),
        cause,
    };
    let mut file = create(path).map_err(failed)?;
    let written = file
        .write_all(key.to_text().as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(cause) = written {
        // Half a key is none, and would stand in the way of the next try.
        let _ = fs::remove_file(path);
        return Err(failed(cause));
    }
    let _ = writeln!(io::stdout(), "{}", key.public());
    Ok(())
}

/// Adds a signature to a receipt and prints the public key.
pub fn sign(arguments: &SignArguments) -> ExitCode {
    exit(try_sign(arguments))
}

fn read(path: &Path) -> Result<Vec<u8>, SignError> {
    fs::read(path).map_err(|cause| SignError::Read {
        path: path.to_owned(),
        cause,
    })
}

/// Refuses a key that others can read, as ssh does.
#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), SignError> {
    use std::os::unix::fs::PermissionsExt;
    match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            Err(SignError::Open(path.to_owned()))
        }
        // What can't be looked at is reported when it is read.
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<(), SignError> {
    Ok(())
}

fn try_sign(arguments: &SignArguments) -> Result<(), SignError> {
    let path = &arguments.receipt;
    let mut envelope = receipt::read(path)?;
    check_mode(&arguments.key)?;
    let key = SecretKey::parse(&read(&arguments.key)?).map_err(|cause| SignError::Key {
        path: arguments.key.clone(),
        cause,
    })?;
    let signer = envelope.sign(&key).map_err(|cause| SignError::Full {
        path: path.clone(),
        cause,
    })?;
    let target = arguments.output.as_ref().unwrap_or(path);
    replace(target, envelope.to_text().as_bytes()).map_err(|cause| SignError::Write {
        path: target.clone(),
        cause,
    })?;
    let _ = writeln!(io::stdout(), "{signer}");
    Ok(())
}

/// Writes a file in one go: whoever reads it meanwhile, or after a crash, sees the old one or the new.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link keeps pointing to what it points to.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = File::create_new(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        match fs::metadata(&path) {
            Ok(old) => fs::set_permissions(&part, old.permissions()),
            Err(_) => Ok(()),
        }
    });
    let moved = written.and_then(|()| fs::rename(&part, &path));
    if moved.is_err() {
        let _ = fs::remove_file(&part);
    }
    moved
}
