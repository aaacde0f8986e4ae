//! Building again only what has changed.

use anyhow::{Context, Result};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Builds a program unless it is there, made from just what is in `folder` now and below it.
///
/// That is told by content and not by time, so that a program holds for every checkout of the same sources, and none
/// stays after a branch was changed.
pub fn build(program: &Path, folder: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mut hasher = DefaultHasher::new();
    hash_folder(folder, Path::new(""), &mut hasher)?;
    make(program, hasher, build)
}

/// Makes a program unless it is there, made from just what `inputs` has been given.
///
/// `build` writes aside: only a whole program ever has the final name. And only one that is known to be made from them has
/// their stamp: the last one's goes before anything is put in its place, so that none can be left beside another program.
pub fn make(
    program: &Path,
    inputs: DefaultHasher,
    build: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let inputs = format!("{:016x}", inputs.finish());
    let stamp = program.with_extension("inputs");
    if program.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == inputs) {
        return Ok(());
    }
    if let Some(folder) = program.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    match std::fs::remove_file(&stamp) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", stamp.display()));
        }
        _ => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes `program` from a text, which is what it then contains; tells whether that was needed.
    fn made(program: &Path, from: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<bool> {
        let mut inputs = DefaultHasher::new();
        from.hash(&mut inputs);
        let mut needed = false;
        make(program, inputs, |unfinished| {
            needed = true;
            std::fs::write(unfinished, from)?;
            build(unfinished)
        })?;
        assert_eq!(std::fs::read_to_string(program)?, from);
        Ok(needed)
    }

    #[test]
    fn makes_again_what_is_not_known_to_be_finished() {
        let folder = std::env::temp_dir().join(format!("verirun-outdated-{}", std::process::id()));
        let program = folder.join("program.wasm");
        let fine = |_: &Path| Ok(());
        assert!(made(&program, "first", fine).unwrap());
        assert!(!made(&program, "first", fine).unwrap());
        assert!(made(&program, "second", fine).unwrap());
        // One that fails leaves what was there, which then is not taken for granted.
        made(&program, "third", |_| anyhow::bail!("no")).unwrap_err();
        assert_eq!(std::fs::read_to_string(&program).unwrap(), "second");
        assert!(made(&program, "second", fine).unwrap());
        // Nor is one whose making ended between its new name and its stamp.
        let stamp = program.with_extension("inputs");
        made(&program, "third", |_| {
            std::fs::create_dir(&stamp)?;
            Ok(())
        })
        .unwrap_err();
        assert_eq!(std::fs::read_to_string(&program).unwrap(), "third");
        std::fs::remove_dir(&stamp).unwrap();
        assert!(made(&program, "second", fine).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
