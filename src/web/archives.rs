//! Archives laid over the input files of a task, whether it is run or verified.

use super::ARCHIVE_LIMIT;
use crate::fs::{Filesystem, ROOT, mount_tar, mount_tar_read_only, mount_zip};
use crate::wasi::EPOCH;
use wasm_bindgen::prelude::*;

/// The files with those of a tar archive below `dir`, and how many entries it has. What it brings is
/// read-only if `read_only` is true.
pub(super) fn with_tar(
    files: &Filesystem,
    dir: &str,
    bytes: &[u8],
    read_only: Option<bool>,
) -> Result<(Filesystem, usize), JsValue> {
    let mut files = files.clone();
    let base = files.create_directories(ROOT, dir, EPOCH)?;
    let mount = match read_only {
        Some(true) => mount_tar_read_only,
        _ => mount_tar,
    };
    let count = mount(&mut files, base, bytes, ARCHIVE_LIMIT, EPOCH)?;
    Ok((files, count))
}

/// The files with those of a zip archive below `dir`, and how many entries it has.
pub(super) fn with_zip(
    files: &Filesystem,
    dir: &str,
    bytes: &[u8],
) -> Result<(Filesystem, usize), JsValue> {
    let mut files = files.clone();
    let base = files.create_directories(ROOT, dir, EPOCH)?;
    let zip = std::io::Cursor::new(bytes);
    let count = mount_zip(&mut files, base, zip, ARCHIVE_LIMIT, EPOCH)?;
    Ok((files, count))
}
