//! Golden runs: what `tests/golden/traces.json` records of each (digest of all calls, figures,
//! outcome, output, files) is what this engine finds. `tests/e2e/golden.test.mjs` checks the same
//! file in Chromium and in Firefox, so no machine and no browser has results of its own.
//!
//! The programs are WebAssembly text, so that no compiler's release changes them. A change of the
//! recorded figures is a change of the profile: `VERIRUN_GOLDEN_WRITE=1` records them anew.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use verirun::engine::Kind;
use verirun::fs::ROOT;
use verirun::task::parse_limit;
use verirun::wasi::EPOCH;
use verirun::{Choice, Driving, Input, Limits, Module, Outcome, Random, Run, State, Task};

/// A run, and what it must be like.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// From the repository's root.
    module: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    env: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stdin: Option<String>,
    /// Live input: a piece each time that the program waits, then the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<Vec<String>>,
    /// The content of `input.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    #[serde(default)]
    #[serde(skip_serializing_if = "is_unlimited")]
    limits: LimitTexts,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    expect: Value,
}

/// As the face of the browser takes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LimitTexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    gas: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_bytes: Option<String>,
}

fn is_unlimited(limits: &LimitTexts) -> bool {
    *limits == LimitTexts::default()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn golden() -> PathBuf {
    root().join("tests/golden/traces.json")
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(golden()).expect("the golden file is there");
    serde_json::from_str(&text).expect("the golden file is right")
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Case {
    fn module(&self) -> Module {
        let path = root().join(&self.module);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", self.module));
        Module::load(&self.file_name(), &bytes).unwrap_or_else(|error| panic!("{error}"))
    }

    fn file_name(&self) -> String {
        let name = Path::new(&self.module).file_name().expect("a file");
        name.to_string_lossy().into_owned()
    }

    fn task(&self) -> Task {
        let limit = |text: &Option<String>| {
            let number = text.as_ref().map(|text| parse_limit("limit", text));
            number.transpose().expect("a limit")
        };
        let mut task = Task {
            args: vec![self.file_name().into_bytes()],
            stdin: match (&self.stdin, &self.live) {
                (_, Some(_)) => Input::Live { terminal: true },
                (text, None) => Input::Bytes(text.clone().unwrap_or_default().into_bytes()),
            },
            random: Random::choose(self.random.as_deref(), self.seed.as_deref()).expect("a source"),
            limits: Limits {
                gas: limit(&self.limits.gas),
                call: limit(&self.limits.call),
                frame: limit(&self.limits.frame),
                memory_pages: limit(&self.limits.memory),
                output_bytes: limit(&self.limits.output_bytes),
                file_bytes: limit(&self.limits.file_bytes),
            },
            trace: true,
            ..Task::default()
        };
        task.args
            .extend(self.args.iter().map(|arg| arg.clone().into_bytes()));
        for (name, value) in &self.env {
            task.env.push(format!("{name}={value}").into_bytes());
        }
        if let Some(clock) = &self.clock {
            task.clock = clock.parse().expect("a clock");
        }
        if let Some(input) = &self.input {
            let file = task.files.replace_file(ROOT, "input.txt", EPOCH);
            let file = file.expect("it is made");
            let written = task.files.write(file, 0, input.as_bytes(), EPOCH);
            written.expect("it is written");
        }
        task
    }

    /// Runs it in slices of `slice` steps: what is to be compared, and standard output.
    fn run(&self, task: &Task, slice: u64) -> (Value, Vec<u8>) {
        self.run_on(Choice::Interpreter, task, slice)
    }

    fn run_on(&self, engine: Choice, task: &Task, slice: u64) -> (Value, Vec<u8>) {
        let driving = Driving {
            engine,
            ..Driving::default()
        };
        let mut run = Run::start_with(&self.module(), task, driving).expect("it starts");
        let mut pieces = self.live.clone().unwrap_or_default().into_iter();
        let mut output = Vec::new();
        loop {
            let state = run.slice(slice);
            for chunk in run.take_output() {
                assert_eq!(chunk.fd, 1, "nothing is written to standard error");
                output.extend(chunk.bytes);
            }
            match (state, pieces.next()) {
                (State::Running, piece) => {
                    pieces = piece
                        .into_iter()
                        .chain(pieces)
                        .collect::<Vec<_>>()
                        .into_iter()
                }
                (State::Blocked, Some(piece)) => run.push_stdin(piece.as_bytes()),
                (State::Blocked, None) => run.close_stdin(),
                (State::Done, _) => break,
            }
        }
        let engines = run.engines();
        assert_eq!(engines.instead, None, "{}", self.name);
        assert_eq!(engines.compared, engine == Choice::Both, "{}", self.name);
        let mut files = json!(run.changes());
        for file in files.as_array_mut().expect("a list") {
            if file["type"] == "file" && file["change"] != "removed" {
                let path = file["path"].as_str().expect("a path");
                let found = run.files().find(path).expect("it is there");
                let content = run.files().content(found).expect("a file");
                let mut bytes = vec![0; content.len() as usize];
                content.read_at(0, &mut bytes);
                file["sha256"] = hex(&bytes).into();
            }
        }
        let found = json!({
            "trace": run.trace(),
            "outcome": run.outcome(),
            "stats": run.stats(),
            "stdout": hex(&output),
            "files": files,
        });
        (found, output)
    }

    /// Bytes of standard output.
    fn output(&self) -> Vec<u8> {
        self.run(&self.task(), 1 << 20).1
    }
}

/// The ways to run on a compiler, if it is there (`--features wasmtime`).
fn compiled() -> impl Iterator<Item = Choice> {
    let choices = [Choice::Compiler, Choice::Both].into_iter();
    choices.filter(|_| Kind::COMPILER.is_there())
}

fn case(name: &str) -> Case {
    let found = cases().into_iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("there is no case `{name}`"))
}

#[test]
fn every_run_is_as_it_was_recorded() {
    let mut cases = cases();
    let write = std::env::var_os("VERIRUN_GOLDEN_WRITE").is_some();
    for case in &mut cases {
        let (found, _) = case.run(&case.task(), 1 << 20);
        if write {
            case.expect = found;
        } else {
            assert_eq!(found, case.expect, "{}", case.name);
            for engine in compiled() {
                let (found, _) = case.run_on(engine, &case.task(), 1 << 20);
                assert_eq!(found, case.expect, "{}, {engine:?}", case.name);
            }
        }
    }
    if write {
        let mut text = serde_json::to_string_pretty(&cases).expect("it is JSON");
        text.push('\n');
        std::fs::write(golden(), text).expect("it is written");
    }
}

#[test]
fn slices_do_not_show() {
    for case in cases() {
        let (large, _) = case.run(&case.task(), u64::MAX >> 1);
        let (small, _) = case.run(&case.task(), 97);
        assert_eq!(small, large, "{}", case.name);
        for engine in compiled() {
            let (small, _) = case.run_on(engine, &case.task(), 97);
            assert_eq!(small, large, "{}, {engine:?}", case.name);
        }
    }
}

#[test]
fn a_trace_changes_nothing_of_the_result() {
    for case in cases() {
        let task = Task {
            trace: false,
            ..case.task()
        };
        let (mut plain, _) = case.run(&task, 1 << 20);
        assert!(plain["trace"].is_null());
        let (traced, _) = case.run(&case.task(), 1 << 20);
        plain["trace"] = traced["trace"].clone();
        assert_eq!(plain, traced, "{}", case.name);
    }
}

#[test]
fn a_trace_shows_what_passes_between_program_and_system() {
    let case = case("random bytes of a seed");
    let trace = |change: &dyn Fn(&mut Task)| {
        let mut task = case.task();
        change(&mut task);
        case.run(&task, 1 << 20).0["trace"].clone()
    };
    let plain = trace(&|_| ());
    assert_eq!(plain.as_str().expect("a digest").len(), 64);
    let seed = Random::choose(None, Some("1")).expect("a seed");
    assert_ne!(trace(&|task| task.random = seed), plain, "other bytes");
    let one = Limits {
        output_bytes: Some(1),
        ..Limits::default()
    };
    assert_ne!(trace(&|task| task.limits = one), plain, "another answer");
    let unused = vec![b"UNUSED=1".to_vec()];
    assert_eq!(trace(&|task| task.env = unused.clone()), plain, "unseen");
}

#[test]
fn computed_nans_are_canonical() {
    const F32: u32 = 0x7fc0_0000;
    const F64: u64 = 0x7ff8_0000_0000_0000;
    let output = case("computed NaNs").output();
    let u32s = |bytes: &[u8]| -> Vec<u32> {
        let words = bytes
            .chunks(4)
            .map(|word| word.try_into().expect("4 bytes"));
        words.map(u32::from_le_bytes).collect()
    };
    let u64s = |bytes: &[u8]| -> Vec<u64> {
        let words = bytes
            .chunks(8)
            .map(|word| word.try_into().expect("8 bytes"));
        words.map(u64::from_le_bytes).collect()
    };
    let (scalars, rest) = output.split_at(20 * 8);
    let (vectors, moved) = rest.split_at(10 * 16);
    assert_eq!(u64s(scalars), [[u64::from(F32); 10], [F64; 10]].concat());
    // The last two lanes of a demoted vector are zero.
    let singles = [vec![F32; 4 * 4 + 2], vec![0, 0]].concat();
    assert_eq!(u32s(&vectors[..5 * 16]), singles);
    assert_eq!(u64s(&vectors[5 * 16..]), [F64; 10]);
    // Operators that only move bits or change a sign keep the payload.
    let kept = [
        0x7fa0_0001,
        0x7ff4_0000_0000_0001,
        0x7ff4_0000_0000_0001,
        0xffa0_0001,
    ];
    assert_eq!(u64s(moved), kept);
}

#[test]
fn every_way_to_end_is_among_them() {
    let kinds: Vec<String> = cases()
        .iter()
        .map(|case| {
            case.expect["outcome"]["kind"]
                .as_str()
                .expect("a kind")
                .to_owned()
        })
        .collect();
    for kind in [
        "exit",
        "trap",
        "out_of_gas",
        "call_depth_exceeded",
        "frame_exceeded",
        "memory_exceeded",
        "output_limit_exceeded",
        "file_limit_exceeded",
    ] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}");
    }
}

#[test]
fn a_run_that_is_made_again_can_be_cancelled() {
    let case = case("a trap");
    let mut run = Run::start(&case.module(), &case.task()).expect("it starts");
    while !run.repeating() {
        assert_eq!(run.slice(10), State::Running);
    }
    let stats = run.stats();
    assert_eq!(run.slice(10), State::Running);
    assert_eq!(run.stats(), stats, "it shows the first run");
    run.cancel();
    assert!(matches!(run.outcome(), Some(Outcome::Cancelled { .. })));
    assert_eq!(run.stats(), stats);
    assert!(!run.repeating());
}
