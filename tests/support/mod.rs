//! Runs the guests of `tests/guests` on Verirun and on the native oracle, one way for both.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod oracle;
pub mod oracle_unstable;
pub mod verirun;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One way to run a guest: what it gets.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Arguments after the program's name.
    pub args: Vec<Vec<u8>>,
    /// Environment, each `NAME=VALUE`.
    pub env: Vec<Vec<u8>>,
    /// Standard input, closed after these bytes.
    pub stdin: Vec<u8>,
}

impl Case {
    /// The usual case: `args`, no environment, one line on stdin.
    pub fn with_args(args: &[&str]) -> Self {
        Self {
            args: args.iter().map(|arg| arg.as_bytes().to_vec()).collect(),
            env: Vec::new(),
            stdin: b"input\n".to_vec(),
        }
    }
}

/// How a guest ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// `proc_exit`, or a return from `_start` (0).
    Exit(i64),
    /// A trap or any other outcome, with its message.
    Trap(String),
}

/// What is at one path after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory,
    /// A file, with its size and a hash of its content.
    File(u64, u64),
    /// A symbolic link, with its target.
    Symlink(String),
}

/// Everything a host shows of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The files after the run, by path.
    pub tree: BTreeMap<String, Node>,
}

/// One line of a guest's transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Name with its group.
    pub name: String,
    /// What the host answered.
    pub value: String,
    /// The answers expected, if it was none of them.
    pub expected: Option<String>,
}

impl Outcome {
    /// The checks that the guest printed, in order.
    pub fn checks(&self) -> Vec<Check> {
        let text = String::from_utf8_lossy(&self.stdout);
        text.lines().filter_map(parse_check).collect()
    }

    /// The value of the check called `name`.
    pub fn value(&self, name: &str) -> Option<String> {
        self.checks()
            .into_iter()
            .find(|check| check.name == name)
            .map(|check| check.value)
    }
}

fn parse_check(line: &str) -> Option<Check> {
    if let Some(rest) = line.strip_prefix("ok ") {
        let (name, value) = rest.split_once(" = ")?;
        return Some(Check {
            name: name.to_owned(),
            value: value.to_owned(),
            expected: None,
        });
    }
    let (name, rest) = line.strip_prefix("FAIL ")?.split_once(" = ")?;
    let (value, expected) = rest.split_once(", expected ")?;
    Some(Check {
        name: name.to_owned(),
        value: value.to_owned(),
        expected: Some(expected.to_owned()),
    })
}

/// The compiled guest `name`: `c_…` is in C, `as_…` in AssemblyScript, `unstable/…` a Rust one for `wasi_unstable`.
///
/// The Rust guests are built first, once for each test process; cargo does nothing when they are up to date. The
/// others' compilers come from PyPI and npm, which only `cargo xtask` installs.
pub fn guest(name: &str) -> PathBuf {
    if name.starts_with("c_") {
        return built_by_xtask(name, "guests/c", "c/");
    }
    if name.starts_with("as_") {
        return built_by_xtask(name, "guests/assembly", "assembly/");
    }
    static PREVIEW1: OnceLock<PathBuf> = OnceLock::new();
    static UNSTABLE: OnceLock<PathBuf> = OnceLock::new();
    let (directory, name) = match name.strip_prefix("unstable/") {
        None => (
            PREVIEW1.get_or_init(|| build_guests(&["--workspace"], "guests")),
            name,
        ),
        Some(name) => (
            UNSTABLE.get_or_init(|| {
                build_guests(
                    &["--package=guests", "--features=unstable"],
                    "guests-unstable",
                )
            }),
            name,
        ),
    };
    let path = directory.join(format!("{name}.wasm"));
    assert!(
        path.is_file(),
        "there is no guest {name}: {} is missing",
        path.display()
    );
    path
}

/// A guest that `cargo xtask guests` built from the sources in `tests/guests/SOURCES`.
fn built_by_xtask(name: &str, folder: &str, sources: &str) -> PathBuf {
    let path = target().join(folder).join(format!("{name}.wasm"));
    let changed = |path: &Path| path.metadata().and_then(|meta| meta.modified());
    let built = changed(&path).unwrap_or_else(|_| {
        panic!(
            "the guest {name} is not built ({} is missing): run `cargo xtask guests`",
            path.display()
        )
    });
    let extension = if sources == "c/" { "c" } else { "ts" };
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/guests")
        .join(sources)
        .join(format!("{name}.{extension}"));
    let source = changed(&source).expect("a guest has its source");
    assert!(
        source <= built,
        "the guest {name} is older than its source: run `cargo xtask guests`"
    );
    path
}

/// Cargo's target directory: these tests are in it, as `target/PROFILE/deps/TEST`.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test
        .ancestors()
        .nth(3)
        .expect("it lies in the target directory");
    target.to_owned()
}

fn build_guests(what: &[&str], folder: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = target().join(folder);
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip1"])
        .args(what)
        .arg("--manifest-path")
        .arg(root.join("tests/guests/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root)
        // `rust-toolchain.toml` decides, as it does for `cargo xtask`: two toolchains that build to one place leave
        // each other's programs there.
        .env_remove("RUSTUP_TOOLCHAIN")
        // Flags for the host's target are none of the guests' business.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "the guests do not build");
    target.join("wasm32-wasip1/release")
}

/// FNV-1a, to compare contents without keeping them.
#[derive(Clone, Copy)]
pub struct Hash(pub u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
