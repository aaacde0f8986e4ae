//! Task packages: everything in one file, and nothing in it that it does not list.

use std::io::{Cursor, Read, Write};
use std::process::{Command, Output};
use verirun::fs::{Filesystem, ROOT, entries};
use verirun::receipt::{
    Envelope, PackageError, Streams, is_package, list_files, pack, pack_linked, read_linked,
    read_package, unpack,
};
use verirun::wasi::{EPOCH, Pushed};
use verirun::{ClockMode, Input, Module, Run, State, Task};
use zip::write::SimpleFileOptions;

const COPIES: &str = include_str!("receipt/copies.wat");
const LIMIT: u64 = 1 << 20;

fn module() -> Module {
    Module::load("some/where/copies.wat", COPIES.as_bytes()).expect("it loads")
}

fn task() -> Task {
    let mut files = Filesystem::new(EPOCH);
    files
        .create_directories(ROOT, "sub/empty", EPOCH)
        .expect("made");
    for (path, bytes) in [("sub/a", "hello".as_bytes()), ("none", b"")] {
        let file = files.replace_file(ROOT, path, EPOCH).expect("made");
        files.write(file, 0, bytes, EPOCH).expect("written");
    }
    let file = files.find("sub/a").expect("there");
    files.link(file, ROOT, "zzz", EPOCH).expect("linked");
    // A link may point anywhere; it is never followed out of the filesystem.
    files
        .create_symlink(ROOT, "link", "../../etc/passwd", EPOCH)
        .expect("linked");
    let none = files.find("none").expect("there");
    files.set_read_only(none);
    Task {
        args: vec![b"copies.wat".to_vec(), vec![0xff, 0]],
        env: vec![b"A=b".to_vec()],
        stdin: Input::Bytes(b"input".to_vec()),
        clock: ClockMode::Virtual,
        files,
        ..Task::default()
    }
}

fn receipt(task: &Task) -> Envelope {
    let mut run = Run::start(&module(), task).expect("it starts");
    let mut streams = Streams::default();
    loop {
        let state = run.slice(1 << 20);
        for chunk in run.take_output() {
            streams.write(&chunk);
        }
        if state == State::Done {
            return Envelope::of(&run, &streams).expect("a receipt");
        }
    }
}

#[test]
fn what_is_packed_comes_out_the_same() {
    let task = task();
    let receipt = receipt(&task);
    let bytes = pack(&module(), &task, Some(&receipt)).expect("packed");
    assert!(is_package(&bytes) && !is_package(&module().wasm));
    let package = unpack(&bytes, LIMIT).expect("unpacked");
    assert_eq!(package.module.wasm, module().wasm);
    assert_eq!(package.module.info.name, "copies.wat");
    assert_eq!(package.receipt.as_ref(), Some(&receipt));
    assert_eq!(entries(&package.task.files), entries(&task.files));
    assert_eq!(list_files(&package.task.files), list_files(&task.files));
    assert_eq!(self::receipt(&package.task).id, receipt.id);
    // The same content is the same file.
    assert_eq!(
        pack(&package.module, &package.task, Some(&receipt)).expect("packed"),
        bytes
    );
    let again = pack(&module(), &task, None).expect("packed");
    assert!(unpack(&again, LIMIT).expect("unpacked").receipt.is_none());
}

#[test]
fn typed_input_is_packed_with_its_moments() {
    let push = |calls, bytes: Option<&str>| Pushed {
        calls,
        bytes: bytes.map(|bytes| bytes.into()),
    };
    let task = Task {
        stdin: Input::Script {
            terminal: true,
            pushed: vec![push(0, Some("one")), push(2, Some("two")), push(4, None)],
        },
        ..Task::default()
    };
    let bytes = pack(&module(), &task, None).expect("packed");
    let package = unpack(&bytes, LIMIT).expect("unpacked");
    assert_eq!(package.task.stdin, task.stdin);
}

#[test]
fn a_link_names_its_module_and_a_package_never_does() {
    let task = task();
    let receipt = receipt(&task);
    let url = "https://example.org/a.wasm";
    let bytes = pack_linked(&module(), &task, Some(&receipt), url).expect("packed");
    let unpacked = read_linked(&bytes, LIMIT).expect("read");
    assert_eq!(unpacked.url.as_deref(), Some(url));
    assert_eq!(unpacked.module, None);
    assert_eq!(unpacked.receipt.as_ref(), Some(&receipt));
    assert_eq!(list_files(&unpacked.task.files), list_files(&task.files));
    for error in [
        unpack(&bytes, LIMIT).expect_err("no module"),
        read_package(&bytes, LIMIT).expect_err("no module"),
    ] {
        assert!(matches!(error, PackageError::Missing(name) if name == "module.wasm"));
    }
    // A link may have the module itself, but not both.
    let whole = pack(&module(), &task, Some(&receipt)).expect("packed");
    let linked = read_linked(&whole, LIMIT).expect("read");
    assert_eq!(
        (linked.module, linked.url),
        (Some(module().wasm.to_vec()), None)
    );
    let mut both = parts(&whole);
    both.push(("module.url".to_owned(), url.into()));
    let error = read_linked(&zip_of(&both), LIMIT).expect_err("both");
    assert!(matches!(error, PackageError::Unlisted(name) if name == "module.wasm"));
    let error = unpack(&zip_of(&both), LIMIT).expect_err("both");
    assert!(matches!(error, PackageError::Unlisted(name) if name == "module.url"));
}

#[test]
fn a_receipt_of_another_task_is_not_packed() {
    let mut other = task();
    other.args.pop();
    let error = pack(&module(), &other, Some(&receipt(&task()))).expect_err("another task");
    assert!(matches!(error, PackageError::OtherTask { .. }), "{error}");
}

/// The entries of a package.
fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("read");
            (entry.name().to_owned(), bytes)
        })
        .collect()
}

/// A zip of these entries, compressed, since a reader takes that too.
fn zip_of(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in parts {
        writer.start_file(name, options).expect("started");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn refused(change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> PackageError {
    let task = task();
    let mut parts = parts(&pack(&module(), &task, Some(&receipt(&task))).expect("packed"));
    change(&mut parts);
    unpack(&zip_of(&parts), LIMIT).expect_err("it must be refused")
}

/// Replaces text in `task.json`.
fn edited(from: &str, to: &str) -> PackageError {
    refused(|parts| {
        let text = String::from_utf8(parts[0].1.clone()).expect("text");
        assert!(text.contains(from), "{from} in {text}");
        parts[0].1 = text.replacen(from, to, 1).into_bytes();
    })
}

fn part<'a>(parts: &'a mut [(String, Vec<u8>)], name: &str) -> &'a mut Vec<u8> {
    let found = parts.iter_mut().find(|(found, _)| found == name);
    &mut found.expect("it is there").1
}

#[test]
fn nothing_is_taken_that_is_not_listed() {
    let task = task();
    let bytes = pack(&module(), &task, None).expect("packed");
    assert!(unpack(&zip_of(&parts(&bytes)), LIMIT).is_ok(), "compressed");
    use PackageError as E;
    for name in [
        "extra",
        "inputs/extra",
        "../out",
        "/etc/passwd",
        "inputs/../x",
        "inputs/sub/",
    ] {
        let error = refused(|parts| parts.push((name.to_owned(), b"x".to_vec())));
        assert!(
            matches!(&error, E::Unlisted(found) if found == name),
            "{name}: {error}"
        );
    }
    for name in ["module.wasm", "stdin", "inputs/sub/a"] {
        let error = refused(|parts| part(parts, name)[0] ^= 1);
        assert!(
            matches!(&error, E::Digest(found) if found == name),
            "{name}: {error}"
        );
        let error = refused(|parts| part(parts, name).push(0));
        assert!(
            matches!(&error, E::Digest(found) if found == name),
            "{name}: {error}"
        );
        let error = refused(|parts| parts.retain(|(found, _)| found != name));
        assert!(
            matches!(&error, E::Missing(found) if found == name),
            "{name}: {error}"
        );
    }
    let error = refused(|parts| drop(parts.remove(0)));
    assert!(
        matches!(&error, E::Missing(name) if name == "task.json"),
        "{error}"
    );
    let error = refused(|parts| part(parts, "receipt.json").truncate(100));
    assert!(matches!(error, E::Receipt(_)), "{error}");
}

#[test]
fn bombs_are_not_unpacked() {
    let bomb = vec![0; 64 << 20];
    // More than is listed, and more than is allowed.
    let error = refused(|parts| *part(parts, "stdin") = bomb.clone());
    assert!(
        matches!(&error, PackageError::Digest(name) if name == "stdin"),
        "{error}"
    );
    let error = refused(|parts| *part(parts, "task.json") = bomb.clone());
    assert!(matches!(error, PackageError::TooBig(LIMIT)), "{error}");
    let error = refused(|parts| *part(parts, "receipt.json") = bomb);
    assert!(matches!(error, PackageError::TooBig(LIMIT)), "{error}");
    let error = edited(r#""size":"5""#, r#""size":"4611686018427387904""#);
    assert!(matches!(error, PackageError::TooBig(LIMIT)), "{error}");
}

#[test]
fn a_wrong_task_json_is_told() {
    for (from, to, part) in [
        (r#"},"version":1}"#, r#"},"version":2}"#, "format version 2"),
        (r#""name":"#, r#""name":"x","name":"#, "comes twice"),
        (r#""name":"#, r#""more":1,"name":"#, "unknown field"),
        (r#""path":"sub/a""#, r#""path":"../sub/a""#, "no plain path"),
        (r#""path":"sub/a""#, r#""path":"nowhere/a""#, "nowhere/a"),
        (r#""target":"sub/a""#, r#""target":"sub""#, "zzz"),
        (
            r#""target":"sub/a""#,
            r#""target":"none""#,
            "input file zzz",
        ),
        (r#""random":"seeded""#, r#""random":"truebit-v1""#, "seed"),
        (r#""path":""}"#, r#""path":".."}"#, "no plain path"),
    ] {
        let error = edited(from, to).to_string();
        assert!(error.contains(part), "{from} -> {to}: {error}");
    }
    let error = edited(r#""A=b""#, r#""A=c""#);
    assert!(matches!(error, PackageError::OtherTask { .. }), "{error}");
}

#[test]
fn a_cut_or_foreign_file_is_told() {
    let bytes = pack(&module(), &task(), None).expect("packed");
    for len in [0, 3, 4, 100, bytes.len() / 2, bytes.len() - 1] {
        let error = unpack(&bytes[..len], LIMIT).expect_err("cut");
        assert!(matches!(error, PackageError::Zip(_)), "{len}: {error}");
        assert!(!error.hint().is_empty());
    }
}

fn verirun(dir: &std::path::Path, args: &[&str]) -> (i32, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(args)
        .current_dir(dir)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it can be started");
    let text = [stdout, stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (status.code().expect("it exited"), text)
}

#[test]
fn the_command_line_packs_runs_and_verifies() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path();
    std::fs::write(at.join("p.wat"), COPIES).expect("written");
    std::fs::write(at.join("in.txt"), "from a file").expect("written");
    std::fs::create_dir(at.join("in")).expect("made");
    std::fs::write(at.join("in/a"), "a").expect("written");
    let task = ["--dir", "in::/", "--seed", "2a", "p.wat", "arg"];
    let with = |start: &[&'static str]| [start, &task[..]].concat();
    let (code, text) = verirun(
        at,
        &with(&["run", "--stdin", "in.txt", "--receipt", "r.json"]),
    );
    assert_eq!(code, 0, "{text}");
    let (code, text) = verirun(
        at,
        &with(&["pack", "-o", "t.vtask", "--with-receipt", "r.json"]),
    );
    assert_eq!(code, 0, "{text}");
    let (code, text) = verirun(at, &["verify", "t.vtask"]);
    assert!(code == 0 && text.starts_with("VERIFIED"), "{text}");
    let (code, text) = verirun(at, &["run", "--receipt", "again.json", "t.vtask"]);
    assert!(code == 0 && text.contains("from a file"), "{text}");
    let id = |name: &str| {
        Envelope::parse(&std::fs::read(at.join(name)).expect("there"))
            .expect("a receipt")
            .id
    };
    assert_eq!(id("r.json"), id("again.json"));
    let (code, text) = verirun(at, &with(&["pack", "-o", "bare.vtask"]));
    assert_eq!(code, 0, "{text}");
    let (code, text) = verirun(at, &["verify", "bare.vtask", "t.vtask"]);
    assert!(
        code == 2 && text.contains("1 verified, 0 different, 1 can't be told"),
        "{text}"
    );
    for args in [
        vec!["run", "--gas", "5", "t.vtask"],
        vec!["run", "--dir", "in", "t.vtask"],
        vec!["run", "t.vtask", "argument"],
        vec!["run", "--clock", "virtual", "t.vtask"],
    ] {
        let (code, text) = verirun(at, &args);
        assert!(
            code == 2 && text.contains("leave out those options"),
            "{args:?}: {text}"
        );
    }
    let (code, text) = verirun(
        at,
        &["pack", "-o", "x.vtask", "--with-receipt", "r.json", "p.wat"],
    );
    assert!(code == 2 && text.contains("of another task"), "{text}");
    assert!(!at.join("x.vtask").exists());
}
