//! Building again only what has changed.

use anyhow::{Context, Result};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Builds a program unless it is there, made from just what is in `folder` now and below it.
///
/// That is told by content and not by time, so that a program holds for every checkout of the same sources, and none
/// stays after a branch was changed. `build` writes aside: only a whole program ever has the final name.
pub fn build(program: &Path, folder: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mut hasher = DefaultHasher::new();
    hash_folder(folder, Path::new(""), &mut hasher)?;
    let inputs = format!("{:016x}", hasher.finish());
    let stamp = program.with_extension("inputs");
    if program.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == inputs) {
        return Ok(());
    }
    if let Some(folder) = program.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let unfinished = program.with_extension("unfinished.wasm");
    build(&unfinished)?;
    std::fs::rename(&unfinished, program)
        .with_context(|| format!("cannot rename to {}", program.display()))?;
    std::fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Names and contents of all that is below a folder, in the order of the names.
fn hash_folder(folder: &Path, name: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    for path in paths {
        let name = name.join(path.file_name().context("an entry has a name")?);
        if path.is_dir() {
            hash_folder(&path, &name, hasher)?;
        } else {
            name.hash(hasher);
            std::fs::read(&path)
                .with_context(|| format!("cannot read {}", path.display()))?
                .hash(hasher);
        }
    }
    Ok(())
}
