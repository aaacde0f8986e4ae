//! `verirun bisect`, as docs/bisect.md shows it.

use std::fs;
use std::path::Path;
use std::process::Command;
use verirun::receipt::{CheckpointEntry, CheckpointRoot, Digest, Envelope};

const DOCS: &str = include_str!("../docs/bisect.md");
const SIEVE: &str = include_str!("../docs/demo/sieve.wat");

/// Runs a line of a shell with our `verirun`; returns its exit code, and what it printed.
fn line(at: &Path, line: &str) -> (Option<i32>, String, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_verirun"));
    let folder = program.parent().expect("it lies in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = [folder.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&path));
    let output = Command::new("sh")
        .args(["-c", line])
        .env("PATH", std::env::join_paths(paths).expect("a path"))
        .current_dir(at)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("there is a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("sieve.wat"), SIEVE).expect("written");
    dir
}

/// The first block of this kind in the document.
fn block(kind: &str) -> &'static str {
    let start = DOCS.find(&format!("```{kind}\n")).expect("it is there") + kind.len() + 4;
    let end = DOCS[start..].find("```").expect("it ends");
    &DOCS[start..start + end]
}

#[test]
fn the_document_tells_what_happens() {
    let dir = folder();
    let mut printed = String::new();
    let mut codes = Vec::new();
    for command in block("sh").lines() {
        let (code, stdout, _) = line(dir.path(), command);
        printed += &stdout;
        codes.push(code);
    }
    assert_eq!(printed, block("text"), "\n{printed}");
    assert_eq!(codes, [Some(0), Some(0), Some(1), Some(1)]);
}

#[test]
fn receipts_that_agree_are_the_same() {
    let dir = folder();
    let at = dir.path();
    line(at, "verirun run --receipt a.json --checkpoints sieve.wat");
    line(at, "verirun run --receipt b.json sieve.wat");
    let (code, stdout, stderr) = line(at, "verirun bisect a.json b.json");
    assert_eq!((code, &*stderr), (Some(0), ""), "{stdout}");
    assert!(stdout.ends_with("SAME: nothing differs\n"), "{stdout}");
    let (code, stdout, _) = line(at, "verirun verify a.json b.json");
    assert_eq!(code, Some(0), "{stdout}");
}

#[test]
fn one_receipt_is_compared_with_a_run_here() {
    let dir = folder();
    let at = dir.path();
    line(
        at,
        "verirun run --receipt w.json --checkpoints --inject-fault 9000000:5000:0 sieve.wat",
    );
    let (code, stdout, stderr) = line(at, "verirun bisect --json w.json");
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    let json = stdout.lines().last().expect("a line");
    let finding: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(finding["what"]["kind"], "memory");
    assert_eq!(finding["what"]["address"], 5000);
    // Without the fault beside it, this machine can't make the run again.
    let text = fs::read_to_string(at.join("w.json")).expect("there");
    let mut receipt: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let given = receipt["given"].as_object_mut().expect("given");
    given.remove("fault").expect("it says so");
    fs::write(at.join("w.json"), receipt.to_string()).expect("written");
    let (code, stdout, stderr) = line(at, "verirun bisect w.json");
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    assert!(
        stdout.contains("(globals)") && stdout.contains("digests only"),
        "{stdout}"
    );
    // With another fault beside it that does not give the receipt, it is the same as without.
    receipt["given"]["fault"] = "9000001:4500:1".into();
    fs::write(at.join("w.json"), receipt.to_string()).expect("written");
    let (code, stdout, _) = line(at, "verirun bisect w.json");
    assert_eq!(code, Some(1), "{stdout}");
    assert!(stdout.contains("digests only"), "{stdout}");
}

/// Two tasks, one of them endless.
fn endless(at: &Path) {
    let text = r#"(module (memory (export "memory") 1)
        (global $n (mut i32) (i32.const 0))
        (func (export "_start") (loop $l
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (br_if $l END))))"#;
    let short = "(i32.ne (global.get $n) (i32.const 3000000))";
    for (name, end) in [("endless.wat", "(i32.const 1)"), ("short.wat", short)] {
        fs::write(at.join(name), text.replace("END", end)).expect("written");
    }
}

#[test]
fn a_false_receipt_of_an_endless_task_does_not_keep_us() {
    let dir = folder();
    let at = dir.path();
    endless(at);
    line(at, "verirun run --receipt r.json --checkpoints short.wat");
    let text = fs::read_to_string(at.join("r.json")).expect("there");
    let mut receipt: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let bytes = wat::parse_file(at.join("endless.wat")).expect("a module");
    let module = &mut receipt["receipt"]["task"]["module"];
    module["size"] = bytes.len().to_string().into();
    module["sha256"] = Digest::of(&bytes).to_string().into();
    receipt["given"]["module"] = "endless.wat".into();
    let canonical = serde_json_canonicalizer::to_vec(&receipt["receipt"]).expect("JSON");
    receipt["id"] = Digest::of(&canonical).to_string().into();
    fs::write(at.join("e.json"), receipt.to_string()).expect("written");
    let (code, stdout, stderr) = line(at, "verirun bisect e.json");
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    assert!(
        stdout.contains("e.json: this machine gets something else: steps: the receipt says"),
        "{stdout}"
    );
    assert!(stdout.contains("digests only"), "{stdout}");
    let (code, stdout, stderr) = line(at, "verirun bisect --max-steps 1000 e.json");
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("--max-steps allows 1000"), "{stderr}");
}

#[test]
fn false_checkpoints_beside_a_fault_are_told() {
    let dir = folder();
    let at = dir.path();
    let run = "verirun run --checkpoints --receipt";
    line(at, &format!("{run} right.json sieve.wat"));
    line(
        at,
        &format!("{run} wrong.json --inject-fault 9000000:5000 sieve.wat"),
    );
    let read = |name: &str| {
        let text = fs::read(at.join(name)).expect("there");
        Envelope::parse(&text).expect("a receipt")
    };
    let (right, mut wrong) = (read("right.json"), read("wrong.json"));
    // The right ones up to the last: these say that all is the same nearly to the end.
    let mut list = right.checkpoints().expect("they are there");
    *list.list.last_mut().expect("many") = *wrong
        .checkpoints()
        .expect("they are there")
        .list
        .last()
        .expect("many");
    let entries = list.list.iter().map(CheckpointEntry::from).collect();
    wrong.receipt.checkpoints = Some(CheckpointRoot::of(&list));
    wrong.id = wrong.receipt.id();
    wrong.given.as_mut().expect("given").checkpoints = Some(entries);
    fs::write(at.join("wrong.json"), wrong.to_text()).expect("written");
    let (code, stdout, stderr) = line(at, "verirun bisect right.json wrong.json");
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    assert!(
        stdout.contains("other checkpoints: those of the receipt are false"),
        "{stdout}"
    );
    assert!(
        stdout.contains("DIFFERENT at step 9000004") && stdout.contains("the word at 0x00001388"),
        "{stdout}"
    );
}

#[test]
fn a_global_is_named_with_both_values() {
    let dir = folder();
    let at = dir.path();
    let run = "verirun run --checkpoints --receipt w.json --inject-fault 9000000:global:1:4";
    let (code, _, stderr) = line(at, &format!("{run} sieve.wat"));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("bit 4 of global 1 flipped"), "{stderr}");
    let (code, stdout, stderr) = line(at, "verirun bisect w.json");
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    // Four rounds of 6057 primes; 16 more or less.
    assert!(
        stdout.contains(": global 1 is 0x5ea4 in this run, 0x5eb4 in w.json"),
        "{stdout}"
    );
}

#[test]
fn what_no_checkpoint_shows_is_looked_for_from_the_start() {
    let dir = folder();
    let at = dir.path();
    // The sum is in a local: before the next checkpoint memory is as it should be.
    let text = SIEVE
        .replace("(global $sum (mut i32) (i32.const 0))", "")
        .replace(
            "(export \"_start\")",
            "(export \"_start\") (local $sum i32)",
        )
        .replace("global.set $sum", "local.set $sum")
        .replace("global.get $sum", "local.get $sum");
    fs::write(at.join("sieve.wat"), text).expect("written");
    let run = "verirun run --checkpoints --receipt w.json --inject-fault";
    line(at, &format!("{run} 9000000:5000 sieve.wat"));
    let (code, stdout, stderr) = line(at, "verirun bisect w.json");
    assert_eq!((code, &*stderr), (Some(1), ""), "{stdout}");
    assert!(
        stdout.contains("are the same; they part behind the last"),
        "{stdout}"
    );
    assert!(stdout.contains("DIFFERENT at step 9000004"), "{stdout}");
}

#[test]
fn what_can_not_be_told_is_told() {
    let dir = folder();
    let at = dir.path();
    line(at, "verirun run --receipt a.json --checkpoints sieve.wat");
    line(
        at,
        "verirun run --receipt w.json --inject-fault 9000000:5000 sieve.wat",
    );
    line(
        at,
        "verirun run --receipt o.json --checkpoints sieve.wat argument",
    );
    for (command, expected) in [
        ("verirun bisect a.json o.json", "different tasks"),
        ("verirun bisect none.json", "can't read none.json"),
        (
            "verirun bisect sieve.wat",
            "sieve.wat: the receipt is no JSON",
        ),
        ("verirun run --checkpoints sieve.wat", "--receipt"),
        ("verirun run --inject-fault x sieve.wat", "is no fault"),
        (
            "verirun run --inject-fault 1:999999999 sieve.wat",
            "the fault can't be made",
        ),
        (
            "verirun run --inject-fault 1:global:1:32 sieve.wat",
            "the fault can't be made: there is no mutable global 1 that is a number with a bit 32",
        ),
        (
            "verirun run --inject-fault 1:global:2:0 sieve.wat",
            "no mutable global 2",
        ),
    ] {
        let (code, _, stderr) = line(at, command);
        assert!(
            code != Some(0) && stderr.contains(expected),
            "{command}: {stderr}"
        );
    }
    // One without checkpoints, whose fault is known, is found all the same.
    let (code, stdout, _) = line(at, "verirun bisect a.json w.json");
    assert_eq!(code, Some(1), "{stdout}");
    assert!(stdout.contains("DIFFERENT at step"), "{stdout}");
}

#[test]
fn verify_tells_the_first_different_byte_of_a_stream() {
    let dir = folder();
    let at = dir.path();
    line(
        at,
        "verirun run --receipt w.json --inject-fault 9000000:5000 sieve.wat > w.txt",
    );
    let (code, stdout, _) = line(at, "verirun verify w.json --stdout w.txt");
    assert_eq!(code, Some(1), "{stdout}");
    assert!(
        stdout.contains("the first different byte is at offset") && stdout.contains("in w.txt"),
        "{stdout}"
    );
    fs::write(at.join("x.txt"), "something else").expect("written");
    let (code, stdout, _) = line(at, "verirun verify w.json --stdout x.txt");
    assert_eq!(code, Some(1));
    assert!(stdout.contains("standard output in x.txt"), "{stdout}");
    let (code, stdout, _) = line(at, "verirun verify w.json --stderr none.txt");
    assert_eq!(code, Some(2));
    assert!(stdout.contains("none.txt can't be read"), "{stdout}");
}

#[test]
fn modules_are_looked_for_however_deep() {
    let dir = folder();
    let at = dir.path();
    line(at, "verirun run --receipt a.json sieve.wat");
    let deep = at.join("store/one/two/three");
    fs::create_dir_all(&deep).expect("made");
    fs::rename(at.join("sieve.wat"), deep.join("other name.wat")).expect("moved");
    fs::write(at.join("store/one/sieve.wat"), "(module)").expect("written");
    fs::write(at.join("store/one/broken.wasm"), "\0asm").expect("written");
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", at.join("store/one/loop")).expect("linked");
    let (code, stdout, _) = line(at, "verirun verify a.json --module store");
    assert_eq!(code, Some(0), "{stdout}");
    let (code, stdout, _) = line(at, "verirun verify a.json");
    assert_eq!(code, Some(2), "{stdout}");
}
