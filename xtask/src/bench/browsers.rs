//! Has a browser carry out a plan: `benches/page` served on this machine, the browser started on
//! it without a window, and what it reports collected. No driver is needed, so any browser will do.

use crate::layout::Layout;
use crate::{browser, node, process};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A browser that measures nothing for so long has hung.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which browser, and where it is.
pub struct Browser {
    /// `chromium` or `firefox`.
    pub name: &'static str,
    program: PathBuf,
    /// What it says its version is.
    pub version: String,
}

/// What Firefox is told so that it does nothing of its own, and that its clock is exact.
const FIREFOX_PREFERENCES: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.auto", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("privacy.reduceTimerPrecision", false);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
"#;

const CHROMIUM_ARGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The browsers that are installed: Chromium (which is installed if there is none), and Firefox.
pub fn installed(only: Option<&str>) -> Result<Vec<Browser>> {
    let mut found = Vec::new();
    if only.is_none_or(|only| only == "chromium") {
        found.push(("chromium", browser::ensure()?));
    }
    if only.is_none_or(|only| only == "firefox") {
        let program = ["firefox-esr", "firefox"]
            .iter()
            .find_map(|name| process::find(name, &[]));
        match program {
            Some(program) => found.push(("firefox", program)),
            None if only.is_some() => {
                bail!("there is no Firefox; install it (Debian: apt-get install firefox-esr)")
            }
            None => eprintln!(
                "No Firefox here, so only Chromium (Debian: apt-get install firefox-esr)."
            ),
        }
    }
    ensure!(!found.is_empty(), "`--browser` is chromium or firefox");
    let describe = |(name, program): (&'static str, PathBuf)| Browser {
        name,
        version: process::version(&program, &["--version"]).unwrap_or_else(|| name.to_owned()),
        program,
    };
    Ok(found.into_iter().map(describe).collect())
}

impl Browser {
    fn start(&self, folder: &Path, url: &str) -> Result<Child> {
        // A profile of an earlier run would bring its caches along.
        let profile = folder.join(format!("profile-{}", self.name));
        if profile.exists() {
            std::fs::remove_dir_all(&profile).context("cannot remove the old profile")?;
        }
        std::fs::create_dir_all(&profile)?;
        let mut command = Command::new(&self.program);
        if self.name == "firefox" {
            std::fs::write(profile.join("user.js"), FIREFOX_PREFERENCES)?;
            command.args(["--headless", "--no-remote", "--profile"]);
            command.arg(&profile);
        } else {
            let mut folder = std::ffi::OsString::from("--user-data-dir=");
            folder.push(&profile);
            command.args(CHROMIUM_ARGS).arg(folder);
        }
        let log = File::create(folder.join(format!("{}.log", self.name)))?;
        command
            .arg(url)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }
}

/// Ends a program whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Carries out `plan` (`benches/page/bench.mjs` says what is in one) and hands over each report.
///
/// `mounts` says which folder or file is found under which address beside the page's own.
pub fn carry_out(
    layout: &Layout,
    browser: &Browser,
    mounts: &[(String, PathBuf)],
    plan: &Value,
    mut each: impl FnMut(Value),
) -> Result<()> {
    let folder = layout.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let job = folder.join("job.json");
    std::fs::write(&job, json!({"plan": plan, "mounts": mounts}).to_string())?;
    let mut command = node::command(layout, &["benches/page/server.mjs"]);
    let mut server = Running(
        command
            .arg(&job)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node")?,
    );
    let lines = lines_of(server.0.stdout.take().context("no pipe to node")?);
    let port = lines
        .recv_timeout(PATIENCE)
        .context("the server did not start")?;
    let mut running = Running(browser.start(&folder, &format!("http://127.0.0.1:{port}/"))?);

    let log = folder.join(format!("{}.log", browser.name));
    let mut last = Instant::now();
    loop {
        let line = match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => bail!("the server ended"),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = running.0.try_wait()? {
                    bail!("{} ended ({status}); see {}", browser.name, log.display());
                }
                if last.elapsed() > PATIENCE {
                    bail!("{} has hung; see {}", browser.name, log.display());
                }
                continue;
            }
        };
        last = Instant::now();
        let report: Value = serde_json::from_str(&line)?;
        if let Some(error) = report["error"].as_str() {
            bail!("the benchmark page stopped: {error}");
        }
        if report["done"] == true {
            return Ok(());
        }
        each(report);
    }
}

/// The lines of a pipe, so that waiting for one can have an end.
fn lines_of(pipe: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
