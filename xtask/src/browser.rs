//! The browsers for the end-to-end tests, and Debian's packages.

use crate::process;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs that speak Chromium's debugging protocol, in the order of preference.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// Where browsers live that are not on PATH.
const PLACES: [&str; 3] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
];

const FIREFOX_PLACES: [&str; 2] = [
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    r"C:\Program Files\Mozilla Firefox\firefox.exe",
];

/// Finds Chromium or Chrome; on Debian, installs it where there is none.
///
/// `CHROMIUM` names another program.
pub fn ensure() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        let chosen = PathBuf::from(chosen);
        if !chosen.is_file() {
            bail!("CHROMIUM is {}, which is not a file", chosen.display());
        }
        return Ok(chosen);
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    let how = "the end-to-end tests need Chromium or Chrome: install one \
               (Debian: apt-get install chromium), or set CHROMIUM to its program";
    apt_install(&["chromium"]).context(how)?;
    find().context(how)
}

/// Finds Firefox; on Debian, installs it where there is none. Only the golden runs use it.
///
/// `FIREFOX` names another program.
pub fn ensure_firefox() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("FIREFOX") {
        let chosen = PathBuf::from(chosen);
        if !chosen.is_file() {
            bail!("FIREFOX is {}, which is not a file", chosen.display());
        }
        return Ok(chosen);
    }
    let find = || {
        ["firefox-esr", "firefox"]
            .iter()
            .find_map(|name| process::find(name, &[]))
            .or_else(|| {
                FIREFOX_PLACES
                    .iter()
                    .map(PathBuf::from)
                    .find(|place| place.is_file())
            })
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    let how = "the golden runs need Firefox too: install it (Debian: apt-get install firefox-esr), \
               or set FIREFOX to its program";
    apt_install(&["firefox-esr"]).context(how)?;
    find().context(how)
}

fn find() -> Option<PathBuf> {
    NAMES
        .iter()
        .find_map(|name| process::find(name, &[]))
        .or_else(|| {
            PLACES
                .iter()
                .map(PathBuf::from)
                .find(|place| place.is_file())
        })
}

/// Installs Debian packages, if this is Debian and we may without asking for a password.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() || process::find("apt-get", &[]).is_none() {
        bail!("packages can only be installed on Debian");
    }
    let root = process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let sudo: &[&str] = if root {
        &[]
    } else if process::output(Command::new("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        bail!("packages can only be installed as root");
    };
    let apt = |args: &[&str]| {
        let line: Vec<&str> = sudo
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .chain(args.iter().copied())
            .collect();
        process::run(Command::new(line[0]).args(&line[1..]))
    };
    apt(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(packages);
    apt(&install)
}
