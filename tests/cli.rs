//! The command line: options, exit codes, messages.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn verirun(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(args)
        .current_dir(dir)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it can be started")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exited")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("it is written");
    }
    dir
}

const NOTHING: &str = r#"(module (memory (export "memory") 3) (func (export "_start")))"#;

/// Writes 8 bytes of random, and 8 of the time after sleeping for a second.
const SEES: &str = r#"(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 1000000000))
    (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)))
    (drop (call $random (i32.const 0) (i32.const 8)))
    (drop (call $time (i32.const 0) (i64.const 0) (i32.const 8)))
    (i32.store (i32.const 204) (i32.const 16))
    (drop (call $write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 208)))))"#;

#[test]
fn bad_limits_are_refused_with_the_options_name() {
    let dir = folder(&[
        ("p.wat", NOTHING),
        ("bad.json", r#"{"run":{"limits":{"frame":"-1"}}}"#),
        ("typo.json", r#"{"run":{"limits":{"gass":"1"}}}"#),
        ("not.json", "gas = 1"),
    ]);
    for (args, part) in [
        (vec!["--gas", "-5"], "--gas is -5, which is negative"),
        (vec!["--gas", ""], "--gas is empty"),
        (vec!["--call=many"], "--call is `many`"),
        (vec!["--frame", "1.5"], "--frame is 1.5"),
        (
            vec!["--memory", "9223372036854775808"],
            "more than 2^63 - 1",
        ),
        (vec!["--max-output", "1e6"], "--max-output is 1e6"),
        (vec!["--max-files", "0x10"], "--max-files is `0x10`"),
        (vec!["--config", "bad.json"], "run.limits.frame is -1"),
        (vec!["--config", "typo.json"], "`run.limits.gass`"),
        (
            vec!["--config", "not.json"],
            "not.json: config.json is not right",
        ),
        (vec!["--config", "none.json"], "can't read none.json"),
        (vec!["--clock", "real"], "no clock `real`"),
        (vec!["--random", "os"], "no random source `os`"),
        (vec!["--seed", "xyz"], "seed `xyz`"),
        (
            vec!["--random", "truebit-v1", "--seed", "1"],
            "all its bytes are 42",
        ),
        (vec!["--memory", "2"], "3 pages of memory"),
        (vec!["--max-memory", "2"], "3 pages of memory"),
    ] {
        let mut all = vec!["run"];
        all.extend(args.iter().copied());
        all.push("p.wat");
        let output = verirun(&all, dir.path());
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(part),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn limits_on_the_command_line_come_before_those_of_a_configuration() {
    let config = r#"{"note":"x","run":{"limits":{"memory":"2"}}}"#;
    let dir = folder(&[("p.wat", NOTHING), ("config.json", config)]);
    let both = ["run", "--config", "config.json", "--memory", "3", "p.wat"];
    let output = verirun(&both, dir.path());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("note is unknown"),
        "{}",
        stderr(&output)
    );
    let output = verirun(&["run", "--config", "config.json", "p.wat"], dir.path());
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

#[test]
fn output_and_files_are_limited() {
    let dir = folder(&[("p.wat", SEES)]);
    let output = verirun(&["run", "--max-output", "15", "p.wat"], dir.path());
    assert_eq!(code(&output), 134, "{}", stderr(&output));
    let output = verirun(
        &["run", "--max-output", "16", "--stats", "p.wat"],
        dir.path(),
    );
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("16 of 16 bytes"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_trace_is_printed_and_reported_where_it_is_asked_for() {
    let dir = folder(&[("p.wat", SEES)]);
    let trace = |options: &[&str]| {
        let mut args = vec!["run", "--json", "report.json"];
        args.extend(options);
        args.push("p.wat");
        let output = verirun(&args, dir.path());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let report = std::fs::read(dir.path().join("report.json")).expect("a report");
        let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
        (report["trace"].clone(), stderr(&output))
    };
    let (reported, printed) = trace(&["--trace"]);
    let digest = reported.as_str().expect("a digest");
    assert_eq!(digest.len(), 64);
    assert_eq!(printed, format!("verirun: trace   {digest}\n"));
    assert_eq!(trace(&["--trace"]).0, reported);
    assert_ne!(trace(&["--trace", "--seed", "1"]).0, reported);
    assert_eq!(trace(&[]), (serde_json::Value::Null, String::new()));
}

#[test]
fn clock_random_and_seed_reach_the_guest() {
    let dir = folder(&[("p.wat", SEES)]);
    let run = |options: &[&str]| {
        let mut args = vec!["run"];
        args.extend(options);
        args.push("p.wat");
        let output = verirun(&args, dir.path());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let time = u64::from_le_bytes(output.stdout[8..].try_into().expect("8 bytes"));
        (output.stdout[..8].to_vec(), time)
    };
    const EPOCH: u64 = 100_000_000_000;
    let (random, time) = run(&[]);
    assert_eq!(time, EPOCH);
    assert_eq!(
        run(&["--seed", "0", "--random", "seeded", "--clock", "fixed"]),
        (random, time)
    );
    assert_eq!(run(&["--random", "truebit-v1"]).0, [42; 8]);
    assert_ne!(run(&["--seed", "1"]).0, run(&["--seed", "2"]).0);
    assert!(run(&["--clock", "virtual"]).1 >= EPOCH + 1_000_000_000);
}

#[test]
fn lint_tells_by_its_exit_code() {
    let dir = folder(&[
        ("good.wat", NOTHING),
        (
            "bad.wat",
            r#"(module (import "env" "f" (func)) (func (export "_start")))"#,
        ),
        ("text.wasm", "hello"),
    ]);
    for (name, expected) in [
        ("good.wat", 0),
        ("bad.wat", 1),
        ("text.wasm", 2),
        ("missing.wasm", 2),
    ] {
        assert_eq!(
            code(&verirun(&["lint", name], dir.path())),
            expected,
            "{name}"
        );
    }
    let output = verirun(&["lint", "--json", "bad.wat"], dir.path());
    assert_eq!(code(&output), 1);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["runs"], false);
    assert_eq!(json["imports"][0]["known"], false);
    let output = verirun(&["lint", "bad.wat"], dir.path());
    assert!(String::from_utf8_lossy(&output.stdout).contains("env.f (unknown)"));
}

#[test]
fn help_names_every_option() {
    let output = verirun(&["run", "--help"], &PathBuf::from("."));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in [
        "--gas",
        "--call",
        "--frame",
        "--memory",
        "--max-output",
        "--max-files",
        "--config",
        "--clock",
        "--random",
        "--seed",
        "--stats",
    ] {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn gas_calls_and_frames_are_limited() {
    let endless = r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;
    let deep = r#"(module (memory (export "memory") 1)
        (func $f (param i64) (call $f (local.get 0)))
        (func (export "_start") (call $f (i64.const 1))))"#;
    let config = r#"{"run":{"limits":{"gas":"1000"}}}"#;
    let dir = folder(&[
        ("endless.wat", endless),
        ("deep.wat", deep),
        ("config.json", config),
    ]);
    for (args, kind) in [
        (vec!["--gas", "1000", "endless.wat"], "out_of_gas"),
        (vec!["--config", "config.json", "endless.wat"], "out_of_gas"),
        (vec!["--call", "10", "deep.wat"], "call_depth_exceeded"),
        (vec!["--frame", "64", "deep.wat"], "frame_exceeded"),
    ] {
        let mut all = vec!["run", "--json", "result.json", "--stats"];
        all.extend(args.iter().copied());
        let output = verirun(&all, dir.path());
        assert_eq!(code(&output), 134, "{args:?}: {}", stderr(&output));
        let json = std::fs::read(dir.path().join("result.json")).expect("it is written");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(json["outcome"]["kind"], kind, "{args:?}");
    }
    let output = verirun(&["run", "--call", "10", "--stats", "deep.wat"], dir.path());
    assert!(
        stderr(&output).contains("of 10 nested"),
        "{}",
        stderr(&output)
    );
}

/// `cargo xtask test` builds with wasmtime; this is for `cargo test --test cli`.
#[cfg(not(feature = "wasmtime"))]
#[test]
fn without_wasmtime_it_says_how_to_get_it() {
    let dir = folder(&[("p.wat", NOTHING)]);
    for engine in ["wasmtime", "both"] {
        let output = verirun(&["run", "--engine", engine, "p.wat"], dir.path());
        assert_eq!(code(&output), 2);
        for part in [
            &format!("--engine {engine}: this build has no wasmtime; ") as &str,
            "--features wasmtime",
        ] {
            assert!(stderr(&output).contains(part), "{}", stderr(&output));
        }
    }
    let output = verirun(&["run", "--stats", "p.wat"], dir.path());
    assert!(
        stderr(&output).contains("engine  the interpreter"),
        "{}",
        stderr(&output)
    );
}
