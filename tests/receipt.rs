//! Receipts: what they commit to, what they refuse, and running a task again from one.

use std::collections::BTreeSet;
use verirun::fs::{Filesystem, ROOT};
use verirun::receipt::{
    Brought, Digest, Envelope, NoReceipt, ParseError, Receipt, Refusal, Streams, compare,
    first_different_byte,
};
use verirun::wasi::EPOCH;
use verirun::{ClockMode, Input, Limits, Module, Random, Run, State, Task};

/// Copies up to 64 bytes a read from standard input to standard output, and all of it to standard
/// error in one piece at the end; writes 8 random bytes to `out`.
const COPIES: &str = include_str!("receipt/copies.wat");

const TRAPS: &str = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;
const LOOPS: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start") (loop $l (br $l))))"#;

fn module(text: &str) -> Module {
    Module::load("test.wat", text.as_bytes()).expect("it loads")
}

/// Runs to the end in slices of `slice`; live input is pushed in these pieces, each when it waits.
fn finish(module: &Module, task: &Task, slice: u64, pieces: &[&str]) -> (Run, Streams) {
    let mut run = Run::start(module, task).expect("it starts");
    let mut streams = Streams::default();
    let mut pieces = pieces.iter();
    loop {
        let state = run.slice(slice);
        for chunk in run.take_output() {
            streams.write(&chunk);
        }
        match (state, pieces.len()) {
            (State::Done, _) => return (run, streams),
            (State::Running, _) => {}
            (State::Blocked, 0) => run.close_stdin(),
            (State::Blocked, _) => run.push_stdin(pieces.next().expect("one more").as_bytes()),
        }
    }
}

fn receipt_of(text: &str, task: &Task) -> Envelope {
    let (run, streams) = finish(&module(text), task, 1000, &[]);
    Envelope::of(&run, &streams).expect("it has a receipt")
}

fn task() -> Task {
    let mut files = Filesystem::new(EPOCH);
    files.create_directories(ROOT, "sub", EPOCH).expect("made");
    let file = files.replace_file(ROOT, "sub/a", EPOCH).expect("made");
    files.write(file, 0, b"hello", EPOCH).expect("written");
    Task {
        args: vec![b"test".to_vec(), vec![0xff, b'x']],
        env: vec![b"A=b".to_vec()],
        stdin: Input::Bytes(b"standard input".to_vec()),
        files,
        ..Task::default()
    }
}

/// Reads the receipt again from its text, makes the task from it, and runs that.
fn again(envelope: &Envelope, text: &str, brought: Brought) -> Receipt {
    let envelope = Envelope::parse(envelope.to_text().as_bytes()).expect("it can be read");
    let task = envelope.task(brought).expect("all is there");
    receipt_of(text, &task).receipt
}

#[test]
fn a_receipt_is_enough_to_run_it_again() {
    let task = task();
    let envelope = receipt_of(COPIES, &task);
    let brought = Brought {
        files: Some(task.files),
        ..Brought::default()
    };
    assert_eq!(again(&envelope, COPIES, brought), envelope.receipt);
    let stdout = envelope.receipt.result.stdout;
    assert_eq!(stdout.sha256, Digest::of(b"standard input"));
    let files = &envelope.receipt.result.files;
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["out"]);
}

#[test]
fn each_thing_that_a_result_depends_on_changes_the_id() {
    let base = task();
    let mut ids = BTreeSet::from([receipt_of(COPIES, &base).receipt.task.id()]);
    let mut add = |what: &str, change: &dyn Fn(&mut Task)| {
        let mut task = base.clone();
        change(&mut task);
        let receipt = receipt_of(COPIES, &task).receipt;
        assert!(ids.insert(receipt.task.id()), "{what}");
    };
    add("args", &|task| task.args.push(vec![]));
    add("env", &|task| task.env.clear());
    add("stdin", &|task| task.stdin = Input::Bytes(b"x".to_vec()));
    add("live", &|task| task.stdin = Input::Live { terminal: false });
    add("terminal", &|task| {
        task.stdin = Input::Live { terminal: true }
    });
    add("clock", &|task| task.clock = ClockMode::Virtual);
    add("seed", &|task| task.random = Random::Seed([1; 32]));
    add("random", &|task| task.random = Random::TruebitV1);
    add("limits", &|task| task.limits.gas = Some(1 << 40));
    add("output limit", &|task| {
        task.limits.output_bytes = Some(1000)
    });
    add("preopen", &|task| task.preopens[0].name = ".".to_owned());
    add("file", &|task| {
        let file = task.files.find("sub/a").expect("there");
        task.files.write(file, 0, b"H", EPOCH).expect("written");
    });
    add("empty directory", &|task| {
        let made = task.files.create_directories(ROOT, "empty", EPOCH);
        made.map(drop).expect("made");
    });
    add("copy", &|task| {
        let file = task.files.replace_file(ROOT, "sub/b", EPOCH).expect("made");
        task.files.write(file, 0, b"hello", EPOCH).expect("written");
    });
    add("hard link", &|task| {
        let (file, sub) = (task.files.find("sub/a"), task.files.find("sub"));
        let (file, sub) = (file.expect("there"), sub.expect("there"));
        task.files.link(file, sub, "b", EPOCH).expect("linked");
    });
    add("symbolic link", &|task| {
        let made = task.files.create_symlink(ROOT, "link", "sub/a", EPOCH);
        made.map(drop).expect("linked");
    });
    let other = COPIES.replace("(i32.const 64) ;; piece", "(i32.const 63) ;; piece");
    assert_ne!(other, COPIES);
    assert!(ids.insert(receipt_of(&other, &base).receipt.task.id()));
}

#[test]
fn neither_slices_nor_the_order_of_making_files_show() {
    let module = module(COPIES);
    let id = |task: &Task, slice| {
        let (run, streams) = finish(&module, task, slice, &[]);
        Envelope::of(&run, &streams).expect("a receipt").id
    };
    let base = task();
    let expected = id(&base, 1);
    assert_eq!(id(&base, u64::MAX), expected);
    let mut files = Filesystem::new(EPOCH);
    // Inode numbers, names that are gone: all of it is how it was made, not what it is.
    files.replace_file(ROOT, "gone", EPOCH).expect("made");
    files.remove_all("gone", EPOCH).expect("removed");
    let file = files.replace_file(ROOT, "first", EPOCH).expect("made");
    files.write(file, 0, b"hello", EPOCH).expect("written");
    let sub = files.create_directories(ROOT, "sub", EPOCH).expect("made");
    files
        .rename((ROOT, "first"), (sub, "a"), EPOCH + 5)
        .expect("renamed");
    let other = Task { files, ..base };
    assert_eq!(id(&other, 77), expected);
}

#[test]
fn limits_that_hold_by_default_are_written_down() {
    let none = receipt_of(COPIES, &task());
    let limits = none.receipt.task.limits;
    let explicit = Task {
        limits: Limits::from(&limits),
        ..task()
    };
    assert_eq!(explicit.limits.call, Some(65_536));
    assert_eq!(receipt_of(COPIES, &explicit).id, none.id);
}

#[test]
fn traps_and_passed_limits_have_receipts_that_can_be_run_again() {
    for (text, gas, kind) in [
        (TRAPS, None, "trap unreachable"),
        (LOOPS, Some(1000), "out_of_gas"),
    ] {
        let mut task = Task::default();
        task.limits.gas = gas;
        let envelope = receipt_of(text, &task);
        assert_eq!(envelope.receipt.result.outcome.to_string(), kind);
        assert_eq!(again(&envelope, text, Brought::default()), envelope.receipt);
    }
}

#[test]
fn what_no_second_run_can_repeat_has_no_receipt() {
    let mut run = Run::start(&module(LOOPS), &Task::default()).expect("it starts");
    let none = Streams::default();
    assert_eq!(Envelope::of(&run, &none), Err(NoReceipt::NotDone));
    run.slice(10);
    run.cancel();
    assert_eq!(Envelope::of(&run, &none), Err(NoReceipt::Cancelled));
    let (run, _) = finish(&module(COPIES), &task(), 1000, &[]);
    assert!(matches!(
        Envelope::of(&run, &none),
        Err(NoReceipt::OutputMissed { taken: 0, .. })
    ));
}

#[test]
fn files_that_nobody_can_hash_are_refused_at_once() {
    let mut task = task();
    let file = task.files.find("sub/a").expect("there");
    task.files.set_size(file, 1 << 50, EPOCH).expect("sparse");
    let (run, streams) = finish(&module(COPIES), &task, 1000, &[]);
    match Envelope::of(&run, &streams) {
        Err(NoReceipt::TooBig { path, size }) => {
            assert_eq!((path.as_str(), size), ("sub/a", 1 << 50));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn live_input_is_given_again_at_the_same_moments() {
    for terminal in [false, true] {
        let task = Task {
            stdin: Input::Live { terminal },
            ..Task::default()
        };
        let live = |pieces: &[&str]| {
            let (run, streams) = finish(&module(COPIES), &task, 1000, pieces);
            Envelope::of(&run, &streams).expect("a receipt")
        };
        let two = live(&["one ", "two"]);
        assert_eq!(again(&two, COPIES, Brought::default()), two.receipt);
        // The program sees how it was cut, so another cut is another task: it makes more calls.
        let one = live(&["one two"]);
        assert_eq!(one.receipt.result.stdout, two.receipt.result.stdout);
        assert_ne!(one.receipt.result.steps, two.receipt.result.steps);
        assert_ne!(one.receipt.task.id(), two.receipt.task.id());
    }
}

#[test]
fn a_task_is_made_only_if_every_digest_is_right() {
    let base = task();
    let right = receipt_of(COPIES, &base);
    let files = || Some(base.files.clone());
    let refused = |envelope: &Envelope, brought: Brought| match envelope.task(brought) {
        Err(Refusal::Different(difference)) => (true, difference.to_string()),
        Err(Refusal::Missing(what)) => (false, what),
        Ok(_) => panic!("it must be refused"),
    };
    let with = |change: &dyn Fn(&mut Brought)| {
        let mut brought = Brought {
            files: files(),
            ..Brought::default()
        };
        change(&mut brought);
        brought
    };
    for (what, brought) in [
        ("arguments", with(&|b| b.args = Some(vec![]))),
        ("environment", with(&|b| b.env = Some(vec![vec![]]))),
        ("standard input", with(&|b| b.stdin = Some(vec![]))),
        (
            "input file sub",
            with(&|b| b.files = Some(Filesystem::new(EPOCH))),
        ),
    ] {
        let (different, text) = refused(&right, brought);
        assert!(different && text.starts_with(what), "{what}: {text}");
    }
    let (different, text) = refused(&right, Brought::default());
    assert!(!different && text.contains("files are missing"), "{text}");
    // What stands beside the receipt is not trusted.
    for (what, change) in [
        (
            "arguments",
            (|g| g.args = Some(vec![])) as fn(&mut verirun::receipt::Given),
        ),
        ("environment", |g| g.env = Some(vec![])),
        ("standard input", |g| {
            g.stdin = Some(verirun::receipt::Text(b"y".to_vec()));
        }),
    ] {
        let mut changed = right.clone();
        change(changed.given.as_mut().expect("given"));
        let (different, text) = refused(&changed, with(&|_| {}));
        assert!(!different && text.contains(what), "{what}: {text}");
        let mut without = right.clone();
        without.given = None;
        let (different, text) = refused(&without, with(&|_| {}));
        assert!(!different && text.contains("missing"), "{text}");
    }
    let mut other = right.clone();
    other.receipt.task.profile.version += 1;
    let (different, text) = refused(&other, with(&|_| {}));
    assert!(!different && text.contains("profile"), "{text}");
}

#[test]
fn the_first_thing_that_differs_is_named() {
    let base = receipt_of(COPIES, &task()).receipt;
    let differ = |change: &dyn Fn(&mut Receipt)| {
        let mut other = base.clone();
        change(&mut other);
        compare(&base, &other).map(|difference| difference.to_string())
    };
    assert_eq!(differ(&|_| {}), None);
    let other = |digest: &mut Digest| digest.0[0] ^= 1;
    for (what, text) in [
        ("outcome", differ(&|r| r.result.outcome.code = Some(7))),
        (
            "standard output",
            differ(&|r| other(&mut r.result.stdout.sha256)),
        ),
        (
            "standard error",
            differ(&|r| other(&mut r.result.stderr.sha256)),
        ),
        (
            "file out",
            differ(&|r| other(r.result.files[0].sha256.as_mut().expect("a file"))),
        ),
        ("file out", differ(&|r| r.result.files.clear())),
        (
            "file more",
            differ(&|r| {
                let mut file = r.result.files[0].clone();
                file.path = "more".to_owned();
                r.result.files.insert(0, file);
            }),
        ),
        ("steps", differ(&|r| r.result.steps.0 += 1)),
        (
            "peak memory",
            differ(&|r| r.result.peak_memory_pages.0 += 1),
        ),
        ("peak call", differ(&|r| r.result.peak_call_depth.0 += 1)),
        ("peak frame", differ(&|r| r.result.peak_frame_bytes.0 += 1)),
        ("task", differ(&|r| r.task.args.count.0 += 1)),
    ] {
        let text = text.expect(what);
        assert!(text.starts_with(what), "{what}: {text}");
    }
}

#[test]
fn the_first_different_byte_is_found_past_blocks_and_at_ends() {
    let content = |bytes: &[u8]| verirun::fs::Content::from_bytes(bytes);
    let long = vec![7; 200_000];
    let mut changed = long.clone();
    changed[150_000] = 8;
    assert_eq!(first_different_byte(&long, &content(&long)), None);
    assert_eq!(
        first_different_byte(&long, &content(&changed)),
        Some((150_000, Some(7), Some(8)))
    );
    assert_eq!(
        first_different_byte(&long, &content(&long[..65_536])),
        Some((65_536, Some(7), None))
    );
    assert_eq!(
        first_different_byte(&long[..65_536], &content(&long)),
        Some((65_536, None, Some(7)))
    );
    assert_eq!(first_different_byte(b"", &content(b"")), None);
}

/// The text of a right receipt with a part replaced.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = receipt_of(COPIES, &task()).to_text();
    let edited = text.replacen(from, to, 1);
    assert_ne!(edited, text, "`{from}` is in it");
    edited.into_bytes()
}

#[test]
fn receipts_are_read_strictly() {
    let big = "9".repeat(400);
    let cases: &[(&str, &str, &str)] = &[
        (r#""version": 1"#, r#""version": 2"#, "format version 2"),
        (
            r#""version": 1"#,
            r#""version": 18446744073709551616"#,
            "format version 1.8446744073709552e+19",
        ),
        (r#""version": 1"#, r#""version": "1""#, "no receipt"),
        (r#""version": 1,"#, "", "no receipt"),
        (
            r#""version": 1,"#,
            r#""version": 1, "version": 1,"#,
            "`version` comes twice",
        ),
        (
            r#""gas": ""#,
            r#""gas": "1", "gas": ""#,
            "`gas` comes twice",
        ),
        (
            r#""version": 1,"#,
            r#""version": 1, "extra": 0,"#,
            "unknown field `extra`",
        ),
        (
            r#""gas": "9223372036854775807""#,
            r#""gas": 5"#,
            "receipt.task.limits.gas",
        ),
        (
            r#""gas": "9223372036854775807""#,
            r#""gas": "9223372036854775808""#,
            "no whole number from 0",
        ),
        (
            r#""gas": "9223372036854775807""#,
            r#""gas": "05""#,
            "no whole number from 0",
        ),
        (r#""gas": "9"#, r#""gas": "-9"#, "no whole number from 0"),
        (r#""code": 0"#, r#""code": 4294967296"#, "outcome.code"),
        (r#""code": 0"#, r#""code": 1.5"#, "outcome.code"),
        (r#""code": 0"#, r#""code": 1e999"#, "number out of range"),
        (r#""code": 0"#, &format!(r#""code": {big}"#), "out of range"),
        (r#""code": 0"#, r#""trap": "x""#, "receipt.result.outcome"),
        (r#""exit""#, r#""cancelled""#, "unknown variant `cancelled`"),
        (r#""exit""#, r#""out_of_gas""#, "receipt.result.outcome"),
        (r#""path": "out""#, r#""path": "../out""#, "no plain path"),
        (r#""path": "out""#, r#""path": "/out""#, "no plain path"),
        (r#""added""#, r#""same""#, "not listed"),
        (r#""added""#, r#""removed""#, "nothing else has either"),
        (r#""seeded""#, r#""truebit-v1""#, "profile.seed"),
        (r#""bytes""#, r#""live""#, "receipt.task.stdin"),
        (
            r#""code": 0"#,
            r#""code": 1"#,
            "was changed after it was made",
        ),
        (r#""id": ""#, r#""id": "0"#, "no SHA-256 digest"),
        (r#""hex": "ff"#, r#""hex": "fF"#, "hexadecimal"),
    ];
    for (from, to, part) in cases {
        let error = Envelope::parse(&edited(from, to)).expect_err(to);
        let text = error.to_string();
        assert!(text.contains(part), "{from} -> {to}: {text}");
        assert!(text.len() < 500 && !error.hint().is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_receipt_at_all_is_told() {
    let text = receipt_of(COPIES, &task()).to_text();
    let deep = "[".repeat(1 << 20);
    for (bytes, part) in [
        ("", "EOF"),
        (&text[..text.len() / 2], "EOF"),
        (&deep, "recursion"),
        ("null", "this is no receipt"),
        ("[]", "this is no receipt"),
        (r#"{"receipt":"x"}"#, "this is no receipt"),
        ("\0asm", "expected value"),
    ] {
        let error = Envelope::parse(bytes.as_bytes()).expect_err(part);
        assert!(error.to_string().contains(part), "{error}");
    }
    let long = vec![b' '; verirun::receipt::MAX_RECEIPT + 1];
    assert!(matches!(
        Envelope::parse(&long),
        Err(ParseError::TooLong(_))
    ));
    // A lone half of a surrogate pair is no text.
    let broken = text.replacen("\"test\"", r#""\ud800""#, 1);
    assert!(matches!(
        Envelope::parse(broken.as_bytes()),
        Err(ParseError::Json(_))
    ));
}
