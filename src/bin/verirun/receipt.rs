//! Files with receipts: what `--receipt` writes, and what the other commands read.

use std::io;
use std::path::{Path, PathBuf};
use verirun::Run;
use verirun::receipt::{Envelope, NoReceipt, ParseError, Streams};

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The run has none.
    #[error("no receipt was written: {0}")]
    None(#[from] NoReceipt),
    /// It can't be written.
    #[error("can't write {}: {cause}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// Why a file gives no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It can't be read.
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It holds none.
    #[error("{}: {cause}\n{hint}", .path.display(), hint = .cause.hint())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: ParseError,
    },
}

/// Reads a receipt.
pub fn read(path: &Path) -> Result<Envelope, ReadError> {
    let bytes = std::fs::read(path).map_err(|cause| ReadError::Read {
        path: path.to_owned(),
        cause,
    })?;
    Envelope::parse(&bytes).map_err(|cause| ReadError::Parse {
        path: path.to_owned(),
        cause,
    })
}

/// Writes the receipt of a run that ended.
pub fn write(path: &Path, run: &Run, streams: &Streams) -> Result<(), ReceiptError> {
    let envelope = Envelope::of(run, streams)?;
    std::fs::write(path, envelope.to_text()).map_err(|cause| ReceiptError::Write {
        path: path.to_owned(),
        cause,
    })
}
