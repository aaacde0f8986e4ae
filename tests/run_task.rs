//! `verirun run-task`: folders and zips of function tasks, good and bad.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Copies `input.txt` to `output.txt`, prints a line, and exits with the first byte minus 48 if it
/// is a digit, else with 0. Its relative names go to descriptor 3, as a libc does.
const COPY: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "input.txt")
  (data (i32.const 16) "output.txt")
  (data (i32.const 32) "on stdout\n")
  (func (export "_start") (local $first i32)
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64))
      (then (call $exit (i32.const 70))))
    (i32.store (i32.const 72) (i32.const 1024))
    (i32.store (i32.const 76) (i32.const 4096))
    (drop (call $read (i32.load (i32.const 64)) (i32.const 72) (i32.const 1) (i32.const 80)))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 10) (i32.const 9)
          (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 68))
      (then (call $exit (i32.const 71))))
    (i32.store (i32.const 76) (i32.load (i32.const 80)))
    (drop (call $write (i32.load (i32.const 68)) (i32.const 72) (i32.const 1) (i32.const 84)))
    (i32.store (i32.const 72) (i32.const 32))
    (i32.store (i32.const 76) (i32.const 10))
    (drop (call $write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 84)))
    (local.set $first (i32.sub (i32.load8_u (i32.const 1024)) (i32.const 48)))
    (if (i32.lt_u (local.get $first) (i32.const 10))
      (then (call $exit (local.get $first))))))"#;

/// Opens `lib/data` for writing and writes the errno's number, as one byte, to `output.txt`; then
/// the same for a new file in `lib`, for unlinking `lib/data`, and for reading it.
const CHANGES: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "lib/data")
  (data (i32.const 16) "output.txt")
  (data (i32.const 32) "lib/new")
  (func $try (param $path i32) (param $len i32) (param $flags i32) (param $rights i64) (result i32)
    (call $open (i32.const 3) (i32.const 0) (local.get $path) (local.get $len) (local.get $flags)
      (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 64)))
  (func (export "_start")
    (i32.store8 (i32.const 100) (call $try (i32.const 0) (i32.const 8) (i32.const 0) (i64.const 66)))
    (i32.store8 (i32.const 101) (call $try (i32.const 32) (i32.const 7) (i32.const 1) (i64.const 64)))
    (i32.store8 (i32.const 102) (call $unlink (i32.const 3) (i32.const 0) (i32.const 8)))
    (i32.store8 (i32.const 103) (call $try (i32.const 0) (i32.const 8) (i32.const 0) (i64.const 2)))
    (drop (call $try (i32.const 16) (i32.const 10) (i32.const 9) (i64.const 64)))
    (i32.store (i32.const 72) (i32.const 100))
    (i32.store (i32.const 76) (i32.const 4))
    (drop (call $write (i32.load (i32.const 64)) (i32.const 72) (i32.const 1) (i32.const 84)))))"#;

const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
const TRAP: &str = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;

fn verirun(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .expect("it can be started")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exited")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder `task` with these files, in a folder of its own.
fn task(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let task = dir.path().join("task");
    std::fs::create_dir(&task).expect("it is made");
    for (name, content) in files {
        std::fs::write(task.join(name), content).expect("it is written");
    }
    dir
}

/// A tar with these files, whose names are taken as they are.
fn tar_of(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder
            .append(&header, content.as_bytes())
            .expect("an entry");
    }
    builder.into_inner().expect("a tar")
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, content) in entries {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*path, options).expect("an entry");
        writer.write_all(content).expect("its content");
    }
    writer.finish().expect("a zip").into_inner()
}

#[test]
fn output_is_printed_and_nothing_else() {
    let dir = task(&[
        ("task.wasm", COPY.as_bytes()),
        ("input.txt", b"from the folder"),
    ]);
    let output = verirun(&["run-task", "task"], dir.path());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(output.stdout, b"from the folder");
    assert_eq!(stderr(&output), "on stdout\n");
    assert!(
        !dir.path().join("task/output.txt").exists(),
        "the folder stays as it is"
    );
}

#[test]
fn input_comes_from_a_text_a_file_or_standard_input() {
    let dir = task(&[
        ("task.wasm", COPY.as_bytes()),
        ("input.txt", b"from the folder"),
    ]);
    std::fs::write(dir.path().join("file"), "from a file").expect("it is written");
    for (args, expected) in [
        (vec!["--input", "a text"], "a text"),
        (vec!["--input", "file"], "from a file"),
        (vec!["--input-text", "file"], "file"),
        (vec!["--input-file", "file"], "from a file"),
        (vec!["--input", "-x"], "-x"),
    ] {
        let mut all = vec!["run-task"];
        all.extend(args.iter().copied());
        all.push("task");
        let output = verirun(&all, dir.path());
        assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected,
            "{args:?}"
        );
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(["run-task", "--input-file", "-", "task"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(b"from stdin").expect("it is written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.stdout, b"from stdin");
    let output = verirun(&["run-task", "--input-file", "none", "task"], dir.path());
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("can't read none"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_zip_is_as_good_as_a_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, zip) in [
        (
            "flat.zip",
            zip_of(&[("task.wasm", COPY.as_bytes()), ("input.txt", b"zip")]),
        ),
        (
            "nested.zip",
            zip_of(&[
                ("mine/task.wasm", COPY.as_bytes()),
                ("mine/input.txt", b"zip"),
                ("__MACOSX/mine/x", b"?"),
            ]),
        ),
    ] {
        std::fs::write(dir.path().join(name), zip).expect("it is written");
        let output = verirun(&["run-task", name], dir.path());
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        assert_eq!(output.stdout, b"zip", "{name}");
    }
}

#[test]
fn no_output_is_a_failure_with_its_own_exit_code() {
    let empty = task(&[("task.wasm", COPY.as_bytes())]);
    let output = verirun(&["run-task", "--input", "", "task"], empty.path());
    assert_eq!(code(&output), 3);
    assert!(
        stderr(&output).contains("output.txt is empty"),
        "{}",
        stderr(&output)
    );
    let missing = task(&[("task.wasm", NOTHING.as_bytes()), ("input.txt", b"x")]);
    let output = verirun(&["run-task", "task"], missing.path());
    assert_eq!(code(&output), 3);
    assert!(
        stderr(&output).contains("wrote no output.txt"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_program_that_fails_gives_no_result() {
    let dir = task(&[("task.wasm", COPY.as_bytes())]);
    let output = verirun(&["run-task", "--input", "7 days", "task"], dir.path());
    assert_eq!(code(&output), 1);
    assert_eq!(output.stdout, b"");
    assert!(
        stderr(&output).contains("exited with code 7"),
        "{}",
        stderr(&output)
    );
    let dir = task(&[("task.wasm", TRAP.as_bytes()), ("input.txt", b"x")]);
    let output = verirun(&["run-task", "task"], dir.path());
    assert_eq!(code(&output), 134, "{}", stderr(&output));
}

#[test]
fn metrics_have_truebits_names() {
    let config = br#"{"run":{"limits":{"gas":"1099511627776","memory":"2048"}}}"#;
    let dir = task(&[
        ("task.wasm", COPY.as_bytes()),
        ("config.json", config),
        ("input.txt", b"x"),
    ]);
    let read = |output: &Output| -> serde_json::Value {
        assert_eq!(code(output), 0, "{}", stderr(output));
        serde_json::from_slice(&output.stdout).expect("JSON alone")
    };
    let output = verirun(
        &["run-task", "--json", "-", "--output", "o", "task"],
        dir.path(),
    );
    let metrics = read(&output);
    assert!(metrics["elapsed"].as_f64().is_some_and(|time| time >= 0.0));
    assert_eq!(metrics["wasi"]["exitCode"], 0);
    let limits = &metrics["metering"]["limits"];
    assert_eq!(limits["gas"], "1099511627776");
    assert_eq!(limits["memory"], "2048");
    assert!(limits["call"].is_null() && limits["frame"].is_null());
    assert!(
        metrics["metering"]["last"]["steps"]
            .as_u64()
            .is_some_and(|steps| steps > 10)
    );
    let peak = metrics["metering"]["peak"].as_object().expect("an object");
    assert_eq!(peak["memory"], 1);
    assert_eq!(peak["call"], 1);
    assert!(peak["frame"].as_u64().is_some_and(|bytes| bytes > 0));
    let wasm = &metrics["execution"]["wasm"];
    assert!(wasm["size"].as_u64().is_some_and(|size| size > 100));
    assert_eq!(wasm["hash"].as_str().map(str::len), Some(64));
    assert_eq!(metrics["outcome"]["kind"], "exit");
    assert_eq!(
        std::fs::read(dir.path().join("o")).expect("it is there"),
        b"x"
    );
    // All but the time is the same again.
    let mut again = read(&verirun(&["run-task", "--json", "-", "task"], dir.path()));
    again["elapsed"] = metrics["elapsed"].clone();
    assert_eq!(again, metrics);
    let trap = task(&[("task.wasm", TRAP.as_bytes()), ("input.txt", b"x")]);
    let output = verirun(&["run-task", "--json", "m.json", "task"], trap.path());
    assert_eq!(code(&output), 134);
    let json = std::fs::read(trap.path().join("m.json")).expect("it is there");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert!(json["wasi"]["exitCode"].is_null());
    assert_eq!(json["outcome"]["kind"], "trap");
}

#[test]
fn the_files_of_fs_tar_can_be_read_and_not_changed() {
    let tar = tar_of(&[("lib/data", "content")]);
    let dir = task(&[
        ("task.wasm", CHANGES.as_bytes()),
        ("fs.tar", &tar),
        ("input.txt", b"x"),
    ]);
    let output = verirun(&["run-task", "task"], dir.path());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    const ROFS: u8 = 69;
    assert_eq!(output.stdout, [ROFS, ROFS, ROFS, 0]);
}

#[test]
fn each_bad_folder_has_its_own_message() {
    let copy = COPY.as_bytes();
    let input: (&str, &[u8]) = ("input.txt", b"x");
    let escape = tar_of(&[("../evil", "boo")]);
    let absolute = tar_of(&[("/etc/evil", "boo")]);
    let reserved = tar_of(&[("output.txt", "forged")]);
    let own = tar_of(&[("input.txt", "other")]);
    for (files, part) in [
        (vec![input], "there is no task.wasm"),
        (vec![("task.wasm", copy)], "there is no input.txt"),
        (
            vec![("task.wasm", b"\x89PNG".as_slice()), input],
            "not a WebAssembly module",
        ),
        (vec![("task.wasm", b"".as_slice()), input], "it is empty"),
        (
            vec![("task.wasm", copy), ("config.json", b"{"), input],
            "config.json is not right",
        ),
        (
            vec![
                ("task.wasm", copy),
                ("config.json", br#"{"run":{"limits":{"gas":"-1"}}}"#),
                input,
            ],
            "run.limits.gas is -1, which is negative",
        ),
        (
            vec![
                ("task.wasm", copy),
                ("config.json", br#"{"run":{"limits":{"memory":"0"}}}"#),
                input,
            ],
            "asks for 1 pages of memory",
        ),
        (
            vec![
                ("task.wasm", copy),
                ("fs.tar", b"no tar, but text".as_slice()),
                input,
            ],
            "fs.tar: ",
        ),
        (
            vec![("task.wasm", copy), ("fs.tar", &escape), input],
            "`../evil` would be written outside",
        ),
        (
            vec![("task.wasm", copy), ("fs.tar", &absolute), input],
            "outside of its directory",
        ),
        (
            vec![("task.wasm", copy), ("fs.tar", &reserved), input],
            "fs.tar holds output.txt",
        ),
        (
            vec![("task.wasm", copy), ("fs.tar", &own), input],
            "fs.tar holds input.txt",
        ),
    ] {
        let dir = task(&files);
        let output = verirun(&["run-task", "task"], dir.path());
        assert_eq!(code(&output), 2, "{part}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(part),
            "{part}: {}",
            stderr(&output)
        );
        assert_eq!(output.stdout, b"");
    }
    let dir = task(&[]);
    let evil = zip_of(&[("task.wasm", copy), ("../evil", b"boo")]);
    let two = zip_of(&[("a/task.wasm", copy), ("b/task.wasm", copy)]);
    for (name, bytes, part) in [
        ("evil.zip", evil, "outside of its directory"),
        ("two.zip", two, "there is no task.wasm"),
        ("no.zip", b"PK but no zip".to_vec(), "not a readable zip"),
    ] {
        std::fs::write(dir.path().join(name), bytes).expect("it is written");
        let output = verirun(&["run-task", name], dir.path());
        assert_eq!(code(&output), 2, "{name}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(part),
            "{name}: {}",
            stderr(&output)
        );
    }
    let output = verirun(&["run-task", "nowhere"], dir.path());
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("can't read nowhere"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn limits_and_the_preopens_name_can_be_given() {
    let config = br#"{"run":{"limits":{"output":"5"}}}"#;
    let dir = task(&[
        ("task.wasm", COPY.as_bytes()),
        ("config.json", config),
        ("input.txt", b"x"),
    ]);
    let output = verirun(&["run-task", "task"], dir.path());
    assert_eq!(
        code(&output),
        134,
        "its line has 10 bytes: {}",
        stderr(&output)
    );
    let raised = ["run-task", "--max-output", "10", "--preopen", ".", "task"];
    let output = verirun(&raised, dir.path());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(output.stdout, b"x");
}
