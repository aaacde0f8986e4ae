//! `--receipt`: the file with a run's receipt.

use std::io;
use std::path::{Path, PathBuf};
use verirun::Run;
use verirun::receipt::{Envelope, NoReceipt, Streams};

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

/// Writes the receipt of a run that ended.
pub fn write(path: &Path, run: &Run, streams: &Streams) -> Result<(), ReceiptError> {
    let envelope = Envelope::of(run, streams)?;
    std::fs::write(path, envelope.to_text()).map_err(|cause| ReceiptError::Write {
        path: path.to_owned(),
        cause,
    })
}
