//! Programs that Python packages bring: the compilers that no other registry has.

use crate::browser;
use crate::layout::Layout;
use crate::process;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// What to type where we cannot install Python ourselves.
const HOW: &str = "install Python 3 with pip (Debian: apt-get install python3-pip; macOS: brew install python; \
                   Windows: winget install Python.Python.3.13), or set PYTHON to its program";

/// Makes sure that a package from PyPI is there, with nothing that it depends on, in the folder `name` of
/// `target/tools`; returns the path of `program`, which is relative to that folder.
pub fn ensure(
    layout: &Layout,
    name: &str,
    package: &str,
    version: &str,
    program: &str,
) -> Result<PathBuf> {
    let folder = layout.tools().join(name);
    let program = folder.join(program);
    let stamp = folder.join("version");
    if program.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == version) {
        return Ok(program);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let python = python()?;
    process::run(
        layout
            .command(&python)
            .args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .args(["--only-binary=:all:", "--target"])
            .arg(&folder)
            .arg(format!("{package}=={version}")),
    )
    .with_context(|| format!("pip must install {package} {version} from PyPI"))?;
    std::fs::write(&stamp, version).with_context(|| format!("cannot write a stamp for {name}"))?;
    Ok(program)
}

fn python() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("PYTHON") {
        return Ok(chosen.into());
    }
    let find = || {
        ["python3", "python"]
            .iter()
            .filter_map(|name| process::find(name, &[]))
            .find(|program| process::version(program, &["-m", "pip", "--version"]).is_some())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    browser::apt_install(&["python3-pip"])
        .with_context(|| format!("Python 3 with pip is missing; {HOW}"))?;
    find().with_context(|| format!("Python 3 with pip is missing; {HOW}"))
}
