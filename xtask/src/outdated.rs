//! Building again only what has changed.

use anyhow::{Context, Result};
use std::path::Path;
use std::time::SystemTime;

/// Whether a program is missing or older than anything in the given folders or below them.
pub fn is_outdated(program: &Path, folders: &[&Path]) -> Result<bool> {
    let Ok(built) = program.metadata().and_then(|meta| meta.modified()) else {
        return Ok(true);
    };
    for folder in folders {
        if newest(folder)? > built {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the last change below a folder was made.
fn newest(folder: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let changed = match entry.file_type()?.is_dir() {
            true => self::newest(&entry.path())?,
            false => entry.metadata()?.modified()?,
        };
        newest = newest.max(changed);
    }
    Ok(newest)
}

/// Lets `build` write a program aside: only a whole one ever has the final name.
pub fn finish(program: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if let Some(folder) = program.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let unfinished = program.with_extension("unfinished.wasm");
    build(&unfinished)?;
    std::fs::rename(&unfinished, program)
        .with_context(|| format!("cannot rename to {}", program.display()))
}
