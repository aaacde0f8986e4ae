//! The test vectors of receipts, and the second checker, which knows nothing of this crate.
//!
//! `VERIRUN_WRITE_VECTORS=1 cargo test --test receipt_vectors` writes them anew; do that only if the
//! format or the profile gets a new version, since they are what makes an accidental change show.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use verirun::fs::{Filesystem, Kind, ROOT, mount_tar, mount_zip, write_zip};
use verirun::receipt::{Brought, Envelope, SecretKey, Streams, Text};
use verirun::wasi::EPOCH;
use verirun::{ClockMode, Input, Module, Random, Run, State, Task};

const COPIES: &str = include_str!("receipt/copies.wat");
const REMOVES: &str = include_str!("receipt/removes.wat");
const TRAPS: &str = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;

/// Writes to a memory that grows, to a global and to standard output, for a million steps.
const LOOPS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    (data (i32.const 0) "\10\00\00\00\06\00\00\00") (data (i32.const 16) "again\n")
    (func (export "_start")
        (loop $l
            (i32.store (i32.add (i32.const 256) (i32.and (global.get $n) (i32.const 0xfffc)))
                (global.get $n))
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (if (i32.eqz (i32.and (global.get $n) (i32.const 0x7fff)))
                (then (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
            (br_if $l (i32.lt_u (global.get $n) (i32.const 64000))))))"#;

/// A receipt with all that it is of.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Vector {
    what: String,
    /// The binary, in hex.
    module: String,
    /// The regular files among the inputs; directories and links are in `receipt.given`.
    inputs: BTreeMap<String, Text>,
    stdout: Text,
    stderr: Text,
    /// The files that were added or modified.
    outputs: BTreeMap<String, Text>,
    receipt: Envelope,
}

/// A text that is no receipt.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Bad {
    why: String,
    text: String,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receipt/vectors")
}

fn contents(files: &Filesystem, paths: impl Iterator<Item = String>) -> BTreeMap<String, Text> {
    let read = |path: String| {
        let content = files.find(&path).and_then(|ino| files.content(ino)).ok()?;
        let mut bytes = Vec::new();
        content.for_each_block(|block| bytes.extend_from_slice(block));
        Some((path, Text(bytes)))
    };
    paths.filter_map(read).collect()
}

/// Runs `text` with `task`, giving live input in these pieces.
fn vector(what: &str, text: &str, task: &Task, pieces: &[&str]) -> Vector {
    let module = Module::load("task.wat", text.as_bytes()).expect("it loads");
    let mut run = Run::start(&module, task).expect("it starts");
    let (mut streams, mut written) = (Streams::default(), [Vec::new(), Vec::new()]);
    let mut pieces = pieces.iter();
    loop {
        let state = run.slice(1 << 20);
        for chunk in run.take_output() {
            streams.write(&chunk);
            written[usize::from(chunk.fd != 1)].extend_from_slice(&chunk.bytes);
        }
        match state {
            State::Done => break,
            State::Running => {}
            State::Blocked => match pieces.next() {
                Some(piece) => run.push_stdin(piece.as_bytes()),
                None => run.close_stdin(),
            },
        }
    }
    let mut receipt = Envelope::of(&run, &streams).expect("it has a receipt");
    // Another release makes the same receipt.
    receipt.given.as_mut().expect("given").by = None;
    let [stdout, stderr] = written.map(Text);
    let files = receipt
        .given
        .iter()
        .flat_map(|given| given.files.iter().flatten());
    let inputs = files.filter(|file| file.sha256.is_some());
    let inputs = contents(&task.files, inputs.map(|file| file.path.clone()));
    let changed = receipt.receipt.result.files.iter();
    Vector {
        what: what.to_owned(),
        module: module
            .wasm
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        inputs,
        stdout,
        stderr,
        outputs: contents(run.files(), changed.map(|file| file.path.clone())),
        receipt,
    }
}

fn write(files: &mut Filesystem, path: &str, bytes: &[u8]) {
    let file = files.replace_file(ROOT, path, EPOCH).expect("made");
    files.write(file, 0, bytes, EPOCH).expect("written");
}

/// All vectors, by name.
fn all() -> BTreeMap<&'static str, Vector> {
    let mut all = BTreeMap::new();
    let task = Task::default();
    all.insert(
        "nothing",
        vector("No arguments, no input, no files.", COPIES, &task, &[]),
    );

    let mut files = Filesystem::new(EPOCH);
    write(&mut files, "a.txt", b"hello\n");
    write(&mut files, "a/b", b"\0\xff\xfe");
    write(&mut files, "Z\u{10348}", b"");
    write(&mut files, "z\u{fb01} \"\\\u{7f}\u{1}", b"odd name");
    files
        .create_directories(ROOT, "empty", EPOCH)
        .expect("made");
    files
        .create_symlink(ROOT, "link", "a/../a.txt", EPOCH)
        .expect("made");
    let file = files.find("a.txt").expect("there");
    files.link(file, ROOT, "hard", EPOCH).expect("linked");
    let read_only = {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(700);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, "fixed/data", &[b'7'; 700][..])
            .expect("written");
        builder.into_inner().expect("written")
    };
    verirun::fs::mount_tar_read_only(&mut files, ROOT, &read_only[..], 1 << 20, EPOCH)
        .expect("unpacked");
    let task = Task {
        args: vec![
            b"task".to_vec(),
            "\u{e4} \"\\\n".into(),
            vec![0xff, 0],
            vec![],
        ],
        env: vec![b"LANG=C".to_vec(), b"EMPTY=".to_vec()],
        stdin: Input::Bytes((0..=255).collect()),
        files,
        clock: ClockMode::Virtual,
        random: Random::Seed([0xab; 32]),
        ..Task::default()
    };
    all.insert(
        "files",
        vector(
            "Every kind of input file, bytes that are no text, names that JSON escapes.",
            COPIES,
            &task,
            &[],
        ),
    );

    let mut files = Filesystem::new(EPOCH);
    write(&mut files, "gone", b"soon");
    write(&mut files, "old", b"to be renamed");
    let task = Task {
        files,
        random: Random::TruebitV1,
        ..Task::default()
    };
    all.insert(
        "changes",
        vector(
            "Files that are removed, renamed and linked.",
            REMOVES,
            &task,
            &[],
        ),
    );

    let task = Task {
        stdin: Input::Live { terminal: true },
        ..Task::default()
    };
    all.insert(
        "typed",
        vector(
            "Live input in two pieces, then its end.",
            COPIES,
            &task,
            &["one\n", "two\n"],
        ),
    );
    all.insert("trap", vector("A trap.", TRAPS, &Task::default(), &[]));
    let mut task = Task::default();
    task.limits.gas = Some(40);
    all.insert("gas", vector("A limit that is passed.", COPIES, &task, &[]));
    all.insert("signed", signed());
    let task = Task {
        checkpoints: true,
        ..Task::default()
    };
    let what = "Checkpoints, some of whose parts change.";
    all.insert("checkpoints", vector(what, LOOPS, &task, &[]));
    all
}

/// Signed by the secret keys of 32 bytes 1 and of 32 bytes 2.
fn signed() -> Vector {
    let mut vector = vector("Two signatures.", COPIES, &Task::default(), &[]);
    for byte in [1, 2] {
        let key = SecretKey::new(&[byte; 32]).expect("a key");
        vector.receipt.sign(&key).expect("signed");
    }
    vector
}

fn bad() -> Vec<Bad> {
    let right = vector("", COPIES, &Task::default(), &[]).receipt.to_text();
    let edits = [
        ("another version", r#""version": 1"#, r#""version": 2"#),
        ("a name twice", r#""gas": ""#, r#""gas": "1", "gas": ""#),
        (
            "a name twice, escaped",
            r#""gas": ""#,
            r#""g\u0061s": "1", "gas": ""#,
        ),
        ("an unknown name", r#""task": {"#, r#""task": { "more": 0,"#),
        (
            "a number that is no string",
            r#""steps": ""#,
            r#""steps": 1, "x": ""#,
        ),
        (
            "a number that is too large",
            r#""call": "65536""#,
            r#""call": "9223372036854775808""#,
        ),
        (
            "a number with a leading zero",
            r#""call": "65536""#,
            r#""call": "065536""#,
        ),
        ("a fraction", r#""code": 0"#, r#""code": 0.0"#),
        ("an exponent", r#""code": 0"#, r#""code": 0e0"#),
        (
            "an exit code of 33 bits",
            r#""code": 0"#,
            r#""code": 4294967296"#,
        ),
        ("a negative exit code", r#""code": 0"#, r#""code": -1"#),
        (
            "another exit code under the same id",
            r#""code": 0"#,
            r#""code": 1"#,
        ),
        ("a digest in capitals", r#""id": ""#, r#""id": "A"#),
        (
            "a path that leads out",
            r#""path": "out""#,
            r#""path": "../out""#,
        ),
        (
            "an outcome that has no receipt",
            r#""exit""#,
            r#""cancelled""#,
        ),
        (
            "a seed for a source without",
            r#""seeded""#,
            r#""truebit-v1""#,
        ),
        ("live input with a size", r#""bytes""#, r#""live""#),
        ("a removed file with a digest", r#""added""#, r#""removed""#),
        (
            "half of a surrogate pair",
            r#""name": "/""#,
            r#""name": "\ud800""#,
        ),
    ];
    let mut bad: Vec<_> = edits
        .iter()
        .map(|(why, from, to)| Bad {
            why: (*why).to_owned(),
            text: {
                assert!(right.contains(from), "{why}");
                right.replacen(from, to, 1)
            },
        })
        .collect();
    let signed = signed().receipt;
    let list = signed.signatures.clone().expect("signatures");
    for (why, signatures) in [
        ("no signature in the list", vec![]),
        ("signatures that are not sorted", vec![list[1], list[0]]),
        ("a signature twice", vec![list[0], list[0]]),
    ] {
        let signatures = Some(signatures);
        let bad_list = Envelope {
            signatures,
            ..signed.clone()
        };
        bad.push(Bad {
            why: why.to_owned(),
            text: bad_list.to_text(),
        });
    }
    let text = signed.to_text();
    let key = list[0].key.to_string();
    for (why, from, to) in [
        (
            "a key of small order",
            &*key,
            format!("01{}", "0".repeat(62)),
        ),
        ("a key in capitals", &key, key.to_uppercase()),
        (
            "a short signature",
            r#""signature": ""#,
            r#""signature": "", "x": ""#.into(),
        ),
        (
            "an unknown name in a signature",
            r#""key": "#,
            r#""alg": "none", "key": "#.into(),
        ),
    ] {
        assert!(text.contains(from), "{why}");
        bad.push(Bad {
            why: why.to_owned(),
            text: text.replacen(from, &to, 1),
        });
    }
    let task = Task {
        checkpoints: true,
        ..Task::default()
    };
    let text = vector("", COPIES, &task, &[]).receipt.to_text();
    for (why, from, to) in [
        (
            "no checkpoint",
            r#""count": "1",
      "interval""#,
            r#""count": "0",
      "interval""#,
        ),
        (
            "checkpoints of another version",
            r#""version": 2"#,
            r#""version": 1"#,
        ),
        ("checkpoints without a version", "\"version\": 2,\n", "\n"),
        (
            "an interval that is no power of two",
            r#""interval": ""#,
            r#""interval": "3", "x": ""#,
        ),
        (
            "another root of checkpoints",
            r#""root": "#,
            r#""root": "00", "x": "#,
        ),
        (
            "a checkpoint that is a number",
            r#""checkpoints": [
      {"#,
            r#""checkpoints": [ 1, {"#,
        ),
        (
            "an unknown name in a checkpoint",
            r#""steps": "0","#,
            r#""steps": "0", "stack": "0","#,
        ),
    ] {
        assert!(text.contains(from), "{why}");
        bad.push(Bad {
            why: why.to_owned(),
            text: text.replacen(from, to, 1),
        });
    }
    bad.push(Bad {
        why: "cut".to_owned(),
        text: right[..right.len() / 2].to_owned(),
    });
    bad.push(Bad {
        why: "no object".to_owned(),
        text: "[]".to_owned(),
    });
    bad
}

/// Compares with the file of this name, or writes it if asked to.
fn compare<T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>(
    name: &str,
    found: &T,
) {
    let path = vectors().join(format!("{name}.json"));
    if std::env::var_os("VERIRUN_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(found).expect("JSON");
        fs::write(&path, text + "\n").expect("written");
    }
    let text = fs::read_to_string(&path).expect("the vector is there");
    let said: T = serde_json::from_str(&text).expect("it is one");
    assert_eq!(&said, found, "{name}");
}

#[test]
fn the_vectors_are_what_runs_give() {
    for (name, found) in all() {
        compare(name, &found);
    }
    compare("bad", &bad());
}

#[test]
fn bad_vectors_are_refused() {
    let all = bad();
    assert!(all.len() > 15);
    for Bad { why, text } in all {
        assert!(Envelope::parse(text.as_bytes()).is_err(), "{why}");
    }
}

/// Python, if it is there.
fn python(arguments: &[&Path]) -> Option<(bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receipt/check.py");
    let output = match Command::new("python3").arg(script).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            let in_ci = std::env::var_os("CI").is_some();
            assert!(
                !in_ci,
                "nothing is left out in CI, and there is no python3 ({error})"
            );
            eprintln!("the second checker was not run: no python3 ({error})");
            return None;
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{errors}");
    Some((output.status.success(), text))
}

#[test]
fn the_second_checker_finds_the_same() {
    for (name, vector) in all() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        let put = |place: &str, bytes: &[u8]| {
            let path = at(place);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, bytes).expect("written");
        };
        let text = vector.module.as_bytes().chunks(2);
        let module: Vec<u8> = text
            .map(|pair| {
                u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")
            })
            .collect();
        put("module", &module);
        put("stdout", &vector.stdout.0);
        put("stderr", &vector.stderr.0);
        put("receipt.json", vector.receipt.to_text().as_bytes());
        fs::create_dir_all(at("outputs")).expect("made");
        for (path, Text(bytes)) in &vector.outputs {
            put(&format!("outputs/{path}"), bytes);
        }
        let check = |with: &[(&str, &str)]| {
            let mut arguments = vec![at("receipt.json")];
            for (option, file) in with {
                arguments.extend([PathBuf::from(option), at(file)]);
            }
            let arguments: Vec<_> = arguments.iter().map(PathBuf::as_path).collect();
            python(&arguments)
        };
        let mut with = vec![
            ("--module", "module"),
            ("--stdout", "stdout"),
            ("--stderr", "stderr"),
        ];
        // Links can't be made everywhere, and hard links and read-only files only `given` tells.
        let files = vector
            .receipt
            .given
            .as_ref()
            .and_then(|given| given.files.as_deref());
        if files
            .unwrap_or_default()
            .iter()
            .all(|file| file.sha256.is_some())
        {
            fs::create_dir_all(at("inputs")).expect("made");
            for (path, Text(bytes)) in &vector.inputs {
                put(&format!("inputs/{path}"), bytes);
            }
            with.push(("--inputs", "inputs"));
        }
        let changed = &vector.receipt.receipt.result.files;
        if changed.iter().all(|file| file.kind == Kind::File) {
            with.push(("--outputs", "outputs"));
        }
        let Some((right, text)) = check(&with) else {
            return;
        };
        assert!(right, "{name}: {text}");
        let ids = format!(
            "id {} task {}\n",
            vector.receipt.id,
            vector.receipt.receipt.task.id()
        );
        assert_eq!(text, ids, "{name}");
        // And it does look: a byte more anywhere, and it is wrong.
        if name != "files" {
            continue;
        }
        for (_, file) in with.iter().filter(|(_, file)| at(file).is_file()) {
            let mut bytes = fs::read(at(file)).expect("there");
            bytes.push(0);
            fs::write(at(file), &bytes).expect("written");
            let (right, text) = check(&with).expect("python3");
            assert!(
                !right && text.starts_with("wrong: "),
                "{name}, {file}: {text}"
            );
            bytes.pop();
            fs::write(at(file), &bytes).expect("written");
        }
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for (index, Bad { text, .. }) in bad().into_iter().enumerate() {
        let file = dir.path().join(format!("{index}.json"));
        fs::write(&file, text).expect("written");
        files.push(file);
    }
    let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let (_, text) = python(&files).expect("python3");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), files.len(), "{text}");
    for (Bad { why, .. }, line) in bad().iter().zip(lines) {
        assert!(line.starts_with("wrong: "), "{why}: {line}");
    }
}

#[test]
fn both_checkers_find_a_wrong_signature() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("signed.json");
    let right = signed().receipt;
    assert_eq!(right.signers().expect("right").len(), 2);
    // Of the point, of the number, of the key, and one that another receipt has.
    for (at, bit) in [(0, 1), (31, 128), (32, 1), (63, 16)] {
        let mut wrong = right.clone();
        let list = wrong.signatures.as_mut().expect("signatures");
        list[1].signature.0[at] ^= bit;
        assert!(wrong.signers().is_err(), "{at}");
        fs::write(&file, wrong.to_text()).expect("written");
        let Some((right, text)) = python(&[&file]) else {
            return;
        };
        assert!(!right && text.contains("the signature by"), "{at}: {text}");
    }
    let mut other = all().remove("gas").expect("there").receipt;
    other.signatures = right.signatures.clone();
    assert!(other.signers().is_err());
    fs::write(&file, other.to_text()).expect("written");
    let (right, text) = python(&[&file]).expect("python3");
    assert!(!right && text.contains("the signature by"), "{text}");
}

#[test]
fn a_vector_can_be_run_again_from_itself() {
    for (name, vector) in all() {
        let mut files = Filesystem::new(EPOCH);
        let listed = vector
            .receipt
            .given
            .as_ref()
            .and_then(|given| given.files.as_deref());
        let read_only = listed.unwrap_or_default().iter().any(|file| file.read_only);
        if read_only {
            continue; // Only a tar of a function task makes such files.
        }
        for (path, Text(bytes)) in &vector.inputs {
            write(&mut files, path, bytes);
        }
        let brought = Brought {
            files: Some(files),
            ..Brought::default()
        };
        let task = vector.receipt.task(brought).expect("all is there");
        let hex = vector.module.as_bytes().chunks(2);
        let module: Vec<u8> = hex
            .map(|pair| {
                u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")
            })
            .collect();
        let module = Module::load("task.wat", &module).expect("it loads");
        let mut run = Run::start(&module, &task).expect("it starts");
        let mut streams = Streams::default();
        while run.slice(1 << 20) == State::Running {
            for chunk in run.take_output() {
                streams.write(&chunk);
            }
        }
        for chunk in run.take_output() {
            streams.write(&chunk);
        }
        let again = Envelope::of(&run, &streams).expect("a receipt");
        assert_eq!(again.id, vector.receipt.id, "{name}");
    }
}

#[test]
fn how_files_come_in_does_not_change_a_receipt() {
    let mut direct = Filesystem::new(EPOCH);
    write(&mut direct, "b/2", b"two");
    write(&mut direct, "a", b"one");
    let zip = write_zip(&direct, &verirun::fs::entries(&direct)).expect("a zip");
    let mut zipped = Filesystem::new(EPOCH);
    mount_zip(&mut zipped, ROOT, std::io::Cursor::new(zip), 1 << 20, EPOCH).expect("unpacked");
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in [("a", b"one"), ("b/2", b"two")] {
        let mut header = tar::Header::new_ustar();
        header.set_size(3);
        builder
            .append_data(&mut header, path, &bytes[..])
            .expect("written");
    }
    let archive = builder.into_inner().expect("written");
    let mut tarred = Filesystem::new(EPOCH);
    mount_tar(&mut tarred, ROOT, &archive[..], 1 << 20, EPOCH).expect("unpacked");
    let id = |files: Filesystem| {
        let task = Task {
            files,
            ..Task::default()
        };
        vector("", COPIES, &task, &[]).receipt.id
    };
    let expected = id(direct);
    assert_eq!(id(zipped), expected);
    assert_eq!(id(tarred), expected);
}
