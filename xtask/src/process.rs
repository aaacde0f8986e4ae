//! Running other programs.

use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a command to its end, showing what it prints; anything but success is an error.
///
/// It gets no standard input: nothing here may wait for an answer, in CI or elsewhere.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns what it printed on standard output.
///
/// A failure carries what it printed on standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` failed ({}): {}", output.status, stderr.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no valid UTF-8"))
}

/// Runs a command to its end and returns what it printed, with an error if it did not succeed.
///
/// # Errors
/// If it can't be started.
pub fn collect(command: &mut Command) -> Result<(String, Result<()>)> {
    let shown = show(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.push_str(&String::from_utf8_lossy(&output.stderr));
    let result = if output.status.success() {
        Ok(())
    } else {
        Err(anyhow!("`{shown}` failed ({})", output.status))
    };
    Ok((printed, result))
}

/// The first line that `program --version` prints, or nothing if it does not run.
pub fn version(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let printed = output(Command::new(program).args(args)).ok()?;
    Some(printed.lines().next()?.trim().to_owned())
}

/// Finds a program in the given folders, then on PATH.
pub fn find(name: &str, first: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    first
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(&file))
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// The command as one would type it, without the quoting.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut shown = name.to_string_lossy().into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    shown
}
