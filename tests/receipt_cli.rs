//! `verirun run --receipt`, `run-task --receipt` and `verify`, as their users see them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use verirun::receipt::{Digest, Envelope, Receipt};

const COPIES: &str = include_str!("receipt/copies.wat");
const ENDLESS: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start") (loop $l (br $l))))"#;

fn verirun(dir: &Path, args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut pipe = child.stdin.take().expect("a pipe");
    // A program that does not read has closed it.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

#[track_caller]
fn expect(output: &Output, code: i32, parts: &[&str]) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}{errors}");
    for part in parts {
        assert!(
            text.contains(part) || errors.contains(part),
            "`{part}`: {text}{errors}"
        );
    }
}

/// A folder with a program, input files, and the receipt of a run with both.
fn ran() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path();
    fs::write(at.join("p.wat"), COPIES).expect("written");
    fs::create_dir_all(at.join("in/sub")).expect("made");
    fs::write(at.join("in/sub/a.txt"), "hello").expect("written");
    let run = [
        "run",
        "--receipt",
        "r.json",
        "--dir",
        "in::/",
        "--out-dir",
        "out",
        "--env",
        "A=b",
        "p.wat",
        "x",
    ];
    expect(&verirun(at, &run, "typed"), 0, &["typed"]);
    dir
}

fn read(at: &Path, name: &str) -> Envelope {
    Envelope::parse(&fs::read(at.join(name)).expect("there")).expect("a receipt")
}

/// Writes a receipt that is right in itself, but not true.
fn forge(at: &Path, from: &str, to: &str, change: impl FnOnce(&mut Receipt)) {
    let mut envelope = read(at, from);
    change(&mut envelope.receipt);
    envelope.id = envelope.receipt.id();
    fs::write(at.join(to), envelope.to_text()).expect("written");
}

#[test]
fn a_true_receipt_is_verified_wherever_its_module_is() {
    let dir = ran();
    let at = dir.path();
    let id = read(at, "r.json").id.to_string();
    let verify = ["verify", "--inputs", "in", "--outputs", "out", "r.json"];
    expect(&verirun(at, &verify, ""), 0, &["VERIFIED", &id]);
    fs::create_dir(at.join("m")).expect("made");
    fs::rename(at.join("p.wat"), at.join("m/other.wat")).expect("moved");
    fs::write(at.join("m/junk.wasm"), "junk").expect("written");
    let verify = ["verify", "--dir", "in::/", "r.json"];
    expect(
        &verirun(at, &verify, ""),
        2,
        &["CANNOT TELL", "the module is missing"],
    );
    let verify = ["verify", "--inputs", "in", "--module", "m", "r.json"];
    expect(&verirun(at, &verify, ""), 0, &["VERIFIED"]);
    expect(
        &verirun(at, &["verify", "--module", "m", "r.json"], ""),
        2,
        &["input files are missing"],
    );
}

#[test]
fn what_is_different_is_named() {
    let dir = ran();
    let at = dir.path();
    let flip = |digest: &mut Digest| digest.0[31] ^= 1;
    forge(at, "r.json", "outcome.json", |r| {
        r.result.outcome.code = Some(1)
    });
    forge(at, "r.json", "stdout.json", |r| {
        flip(&mut r.result.stdout.sha256)
    });
    forge(at, "r.json", "steps.json", |r| r.result.steps.0 -= 1);
    forge(at, "r.json", "module.json", |r| {
        flip(&mut r.task.module.sha256)
    });
    forge(at, "r.json", "seed.json", |r| {
        flip(r.task.profile.seed.as_mut().expect("one"))
    });
    let verify = |receipt: &str| {
        let args = ["verify", "--module", "p.wat", "--inputs", "in", receipt];
        verirun(at, &args, "")
    };
    expect(
        &verify("outcome.json"),
        1,
        &[
            "MISMATCH",
            "outcome: the receipt says exit 1, but this run ended with exit 0",
        ],
    );
    expect(
        &verify("stdout.json"),
        1,
        &["standard output: the receipt says 5 bytes"],
    );
    expect(&verify("steps.json"), 1, &["steps: the receipt says"]);
    expect(&verify("module.json"), 1, &["module: the receipt says"]);
    expect(&verify("seed.json"), 1, &["file out: the receipt says"]);
    fs::write(at.join("in/sub/a.txt"), "hellO").expect("written");
    expect(
        &verify("r.json"),
        1,
        &["input file sub/a.txt: the receipt says 5 bytes"],
    );
    fs::write(at.join("other.wat"), ENDLESS).expect("written");
    // It would never end, so this shows that it was not even started.
    let args = ["verify", "--module", "other.wat", "r.json"];
    expect(
        &verirun(at, &args, ""),
        1,
        &["MISMATCH", "module: the receipt says"],
    );
}

#[test]
fn the_first_different_byte_of_a_file_is_told() {
    let dir = ran();
    let at = dir.path();
    let mut bytes = fs::read(at.join("out/out")).expect("there");
    let args = ["verify", "--inputs", "in", "--outputs", "out"];
    let verify = |receipt| verirun(at, &[&args[..], &[receipt]].concat(), "");
    let right = bytes[5];
    bytes[5] = right.wrapping_add(1);
    fs::write(at.join("out/out"), &bytes).expect("written");
    // The file that came with it is not the receipt's.
    expect(&verify("r.json"), 1, &["file out in out"]);
    // The receipt has that file, but a run gives another.
    let digest = Digest::of(&bytes);
    forge(at, "r.json", "f.json", |r| {
        r.result.files[0].sha256 = Some(digest)
    });
    let text = format!(
        "at offset 5: {:#04x} in the receipt's file, {right:#04x} in this run's",
        bytes[5]
    );
    expect(&verify("f.json"), 1, &["MISMATCH", &text]);
    fs::remove_file(at.join("out/out")).expect("removed");
    expect(&verify("r.json"), 2, &["CANNOT TELL", "can't be read"]);
}

#[test]
fn an_endless_program_is_stopped_once_it_makes_more_steps_than_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path();
    fs::write(at.join("p.wat"), ENDLESS).expect("written");
    let run = ["run", "--gas", "1000", "--receipt", "r.json", "p.wat"];
    expect(&verirun(at, &run, ""), 134, &["out of gas"]);
    expect(&verirun(at, &["verify", "r.json"], ""), 0, &["VERIFIED"]);
    forge(at, "r.json", "f.json", |r| {
        r.task.limits.gas.0 = i64::MAX as u64
    });
    expect(
        &verirun(at, &["verify", "f.json"], ""),
        1,
        &["MISMATCH", "steps", "was stopped after"],
    );
    let verify = ["verify", "--max-steps", "999", "r.json"];
    expect(
        &verirun(at, &verify, ""),
        2,
        &["CANNOT TELL", "--max-steps allows 999"],
    );
}

#[test]
fn many_are_verified_and_a_check_can_be_continued() {
    let dir = ran();
    let at = dir.path();
    fs::create_dir(at.join("all")).expect("made");
    for name in ["a", "b", "c"] {
        fs::copy(at.join("r.json"), at.join(format!("all/{name}.json"))).expect("copied");
    }
    forge(at, "r.json", "all/false.json", |r| r.result.steps.0 += 1);
    fs::write(at.join("all/cut.json"), "{").expect("written");
    fs::write(at.join("all/notes.txt"), "no receipt").expect("written");
    let verify = [
        "verify",
        "--module",
        "p.wat",
        "--inputs",
        "in",
        "--results",
        "done.jsonl",
        "--jobs",
        "2",
        "all",
    ];
    let first = verirun(at, &verify, "");
    expect(
        &first,
        1,
        &["5 receipts: 3 verified, 1 different, 1 can't be told"],
    );
    let lines = String::from_utf8_lossy(&first.stdout).into_owned();
    for line in [
        "VERIFIED    all/a.json",
        "MISMATCH    all/false.json: steps",
        "CANNOT TELL all/cut.json",
    ] {
        assert!(lines.contains(line), "{line}: {lines}");
    }
    // As if it had been stopped in the middle of a line, and a receipt changed since.
    let done = fs::read_to_string(at.join("done.jsonl")).expect("there");
    assert_eq!(done.lines().count(), 5);
    fs::write(
        at.join("done.jsonl"),
        format!("{done}{{\"receipt\":\"all/x"),
    )
    .expect("written");
    fs::copy(at.join("all/false.json"), at.join("all/c.json")).expect("copied");
    let second = verirun(at, &verify, "");
    expect(
        &second,
        1,
        &["5 receipts: 2 verified (2 of them earlier), 2 different, 1 can't be told"],
    );
    let lines = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(!lines.contains("all/a.json"), "{lines}");
    let done = fs::read_to_string(at.join("done.jsonl")).expect("there");
    assert_eq!(done.lines().count(), 9, "{done}");
}

#[test]
fn a_function_tasks_receipt_is_checked_with_its_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path();
    fs::create_dir(at.join("t")).expect("made");
    let writes_output = COPIES.replace("\"out\")", "\"output.txt\")");
    let writes_output = writes_output.replace(
        "(i32.const 100) (i32.const 3)",
        "(i32.const 100) (i32.const 10)",
    );
    fs::write(at.join("t/task.wasm"), writes_output).expect("written");
    let run = ["run-task", "--receipt", "r.json", "--input", "22", "t"];
    expect(&verirun(at, &run, ""), 0, &[]);
    let verify = ["verify", "--task", "t", "--input", "22", "r.json"];
    expect(&verirun(at, &verify, ""), 0, &["VERIFIED"]);
    let verify = ["verify", "--task", "t", "--input", "23", "r.json"];
    expect(&verirun(at, &verify, ""), 1, &["input file input.txt"]);
    expect(
        &verirun(at, &["verify", "--input", "23", "r.json"], ""),
        2,
        &["give it with --task"],
    );
    // With checkpoints: the same result, and one more thing to verify.
    let run = ["run-task", "--input", "22", "t", "--checkpoints"];
    expect(&verirun(at, &run, ""), 2, &["--receipt"]);
    let run = [&run[..], &["--receipt", "c.json"]].concat();
    expect(&verirun(at, &run, ""), 0, &[]);
    let (without, with) = (read(at, "r.json"), read(at, "c.json"));
    assert_eq!(without.receipt.checkpoints, None);
    assert!(with.checkpoints().is_some_and(|all| !all.list.is_empty()));
    assert_eq!(with.receipt.result_id(), without.id);
    let verify = ["verify", "--task", "t", "--input", "22", "c.json"];
    expect(&verirun(at, &verify, ""), 0, &["VERIFIED"]);
    let bisect = ["bisect", "--task", "t", "--input", "22", "c.json", "r.json"];
    expect(&verirun(at, &bisect, ""), 0, &["SAME: nothing differs"]);
}

#[test]
fn what_can_not_be_used_is_told_before_anything_runs() {
    let dir = ran();
    let at = dir.path();
    fs::create_dir(at.join("empty")).expect("made");
    for (args, part) in [
        (vec!["none.json"], "can't read it"),
        (vec!["empty"], "there is no receipt (*.json, *.vtask)"),
        (
            vec!["--module", "none.wasm", "r.json"],
            "can't read none.wasm",
        ),
        (vec!["--module", "r.json", "r.json"], "not"),
        (vec!["--inputs", "none", "r.json"], "none"),
        (vec!["p.wat"], "no JSON"),
    ] {
        let output = verirun(at, &[&["verify"], &args[..]].concat(), "");
        expect(&output, 2, &[part]);
    }
    let output = verirun(at, &["run", "--receipt", "no/r.json", "p.wat"], "");
    expect(&output, 134, &["can't write no/r.json"]);
}
