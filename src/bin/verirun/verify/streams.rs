//! The standard output and error that came with a receipt.

use super::Arguments;
use std::path::{Path, PathBuf};
use verirun::receipt::{Blob, Difference, Digest, Quantity, Receipt, Refusal};
use verirun::wasi::Chunk;

/// What came with the receipt of one stream, compared with what the second run writes.
struct Delivered {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Bytes that the run has written.
    written: usize,
    /// The first different byte: where, and what the run wrote there.
    different: Option<(usize, u8)>,
}

/// Both streams.
pub struct Deliveries([Option<Delivered>; 2]);

const NAMES: [&str; 2] = ["standard output", "standard error"];

fn read(path: &Path) -> Result<Delivered, Refusal> {
    let bytes = std::fs::read(path)
        .map_err(|error| Refusal::Missing(format!("{} can't be read: {error}", path.display())))?;
    Ok(Delivered {
        path: path.to_owned(),
        bytes,
        written: 0,
        different: None,
    })
}

impl Deliveries {
    /// Reads what is given, and checks that it is what the receipt says.
    pub fn read(arguments: &Arguments, receipt: &Receipt) -> Result<Self, Refusal> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        let streams = [read(&arguments.stdout)?, read(&arguments.stderr)?];
        let said = [receipt.result.stdout, receipt.result.stderr];
        for ((delivered, said), name) in streams.iter().zip(said).zip(NAMES) {
            let Some(delivered) = delivered else { continue };
            let found = Blob {
                size: Quantity(delivered.bytes.len() as u64),
                sha256: Digest::of(&delivered.bytes),
            };
            if found != said {
                return Err(Refusal::Different(Difference::new(
                    format!("{name} in {}", delivered.path.display()),
                    said,
                    format!("it has {found}"),
                )));
            }
        }
        Ok(Self(streams))
    }

    /// Notes what the second run writes.
    pub fn write(&mut self, chunk: &Chunk) {
        let Some(delivered) = &mut self.0[usize::from(chunk.fd != 1)] else {
            return;
        };
        if delivered.different.is_none() {
            let rest = delivered.bytes.get(delivered.written..).unwrap_or_default();
            let same = chunk
                .bytes
                .iter()
                .zip(rest)
                .take_while(|(a, b)| a == b)
                .count();
            if let Some(&byte) = chunk.bytes.get(same) {
                delivered.different = Some((delivered.written + same, byte));
            }
        }
        delivered.written += chunk.bytes.len();
    }

    /// Adds the first different byte to a difference in a stream.
    pub fn explain(&self, mut difference: Difference) -> Difference {
        let which = NAMES.iter().position(|name| *name == difference.what);
        let Some(delivered) = which.and_then(|which| self.0[which].as_ref()) else {
            return difference;
        };
        let (offset, found) = match delivered.different {
            Some((offset, byte)) => (offset, Some(byte)),
            None => (delivered.written, None),
        };
        let byte = |byte: Option<u8>| match byte {
            Some(byte) => format!("{byte:#04x}"),
            None => "the end".to_owned(),
        };
        difference.found.push_str(&format!(
            "; the first different byte is at offset {offset}: {} in {}, {} in this run's",
            byte(delivered.bytes.get(offset).copied()),
            delivered.path.display(),
            byte(found)
        ));
        difference
    }
}
