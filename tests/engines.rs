//! The second engine of native builds (wasmtime): the same result, and the interpreter where it
//! fails in a way of its own. `tests/golden.rs` and `tests/conformance.rs` run on both, too. All of
//! that needs `--features wasmtime`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use verirun::engine::Kind;
use verirun::receipt::{Envelope, Streams};
use verirun::run::HEAVY_STEPS;
use verirun::wasi::{Abi, Function, Parameter};
use verirun::{Choice, Driving, Input, Limits, LoadError, Module, Outcome, Run, State, Task};

const SIEVE: &str = include_str!("../docs/demo/sieve.wat");
const BUSY: &str = include_str!("receipt/busy.wat");

fn start(text: &str, task: &Task, engine: Choice) -> Run {
    let module = Module::load("program.wat", text.as_bytes()).expect("it loads");
    let driving = Driving {
        engine,
        ..Driving::default()
    };
    Run::start_with(&module, task, driving).expect("it starts")
}

/// Runs to the end; returns standard output.
fn finish(run: &mut Run, slice: u64) -> Vec<u8> {
    let mut output = Vec::new();
    loop {
        let state = run.slice(slice);
        output.extend(run.take_output().into_iter().flat_map(|chunk| chunk.bytes));
        match state {
            State::Running => {}
            State::Blocked => panic!("it has no input to wait for"),
            State::Done => return output,
        }
    }
}

/// A program that does `body`.
fn program(body: &str) -> String {
    format!(
        r#"(module
             (type $none (func)) (type $other (func (param i32)))
             (table 4 funcref) (elem (i32.const 0) $other)
             (memory (export "memory") 1)
             (func $other (type $other))
             (func (export "_start") {body}))"#
    )
}

#[test]
fn every_trap_is_the_same_one() {
    let traps = [
        ("unreachable", "unreachable"),
        ("memory_out_of_bounds", "(drop (i32.load (i32.const -1)))"),
        (
            "memory_out_of_bounds",
            "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))",
        ),
        ("table_out_of_bounds", "(drop (table.get (i32.const 4)))"),
        (
            "table_out_of_bounds",
            "(call_indirect (type $none) (i32.const 4))",
        ),
        (
            "indirect_call_to_null",
            "(call_indirect (type $none) (i32.const 1))",
        ),
        (
            "indirect_call_type_mismatch",
            "(call_indirect (type $none) (i32.const 0))",
        ),
        (
            "integer_divide_by_zero",
            "(drop (i32.rem_u (i32.const 1) (i32.const 0)))",
        ),
        (
            "integer_overflow",
            "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
        ),
        (
            "integer_overflow",
            "(drop (i32.trunc_f64_s (f64.const 1e10)))",
        ),
        (
            "invalid_conversion_to_integer",
            "(drop (i32.trunc_f64_s (f64.const nan)))",
        ),
    ];
    for (kind, body) in traps {
        let mut run = start(&program(body), &Task::default(), Choice::Both);
        finish(&mut run, 1000);
        let Some(Outcome::Trap { trap, .. }) = run.outcome() else {
            panic!("{body}: {:?}", run.outcome());
        };
        assert_eq!(trap, kind, "{body}");
        assert!(run.engines().compared, "{body}: {:?}", run.engines());
        assert!(run.place().is_some(), "{body}");
    }
}

/// Calls itself as often as its argument says, with so much in its frames that a call takes more
/// than 128 bytes of an engine's stack.
const DEEP: &str = r#"(module
  (memory (export "memory") 1)
  (func $deep (param $n i64) (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i64)
    (local $e i64) (local $f i64) (local $g i64) (local $h i64) (local $i i64) (local $j i64)
    (if (i64.eqz (local.get $n)) (then (return (local.get $a))))
    (local.set $e (i64.mul (local.get $a) (i64.const 3)))
    (local.set $f (i64.xor (local.get $b) (local.get $e)))
    (local.set $g (i64.rotl (local.get $c) (local.get $f)))
    (local.set $h (i64.add (local.get $d) (local.get $g)))
    (local.set $i (i64.mul (local.get $h) (local.get $e)))
    (local.set $j (i64.sub (local.get $i) (local.get $f)))
    (call $deep (i64.sub (local.get $n) (i64.const 1)) (local.get $f) (local.get $g) (local.get $h) (local.get $j))
    (i64.add (local.get $a)) (i64.add (local.get $b)) (i64.add (local.get $c)) (i64.add (local.get $d))
    (i64.add (local.get $e)) (i64.add (local.get $f)) (i64.add (local.get $g)) (i64.add (local.get $h))
    (i64.add (local.get $i)) (i64.add (local.get $j)))
  (func (export "_start")
    (i64.store (i32.const 0)
      (call $deep (i64.const 1048570) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)))))"#;

#[test]
fn where_its_stack_ends_the_interpreter_runs() {
    let task = Task {
        limits: Limits {
            call: Some(1 << 20),
            frame: Some(256 << 20),
            ..Limits::default()
        },
        ..Task::default()
    };
    let mut reference = start(DEEP, &task, Choice::Interpreter);
    finish(&mut reference, 1 << 20);
    assert_eq!(reference.outcome(), Some(&Outcome::Exit { code: 0 }));
    let mut run = start(DEEP, &task, Choice::Compiler);
    finish(&mut run, 1 << 20);
    let engines = run.engines();
    assert_eq!(engines.ran, Kind::Interpreter);
    let why = engines.instead.expect("a reason");
    assert!(why.contains("stack was full"), "{why}");
    assert_eq!(run.outcome(), reference.outcome());
    assert_eq!(run.stats(), reference.stats());
    // At the default limit of calls there is room for it.
    let mut run = start(DEEP, &Task::default(), Choice::Both);
    finish(&mut run, 1 << 20);
    assert!(run.engines().compared, "{:?}", run.engines());
    assert!(matches!(
        run.outcome(),
        Some(Outcome::CallDepthExceeded { .. })
    ));
}

/// Copies standard input to standard output, byte by byte.
const CAT: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 1))
    (loop $next
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br $next))))))"#;

#[test]
fn it_waits_for_live_input_and_goes_on() {
    let task = Task {
        stdin: Input::Live { terminal: false },
        ..Task::default()
    };
    let mut run = start(CAT, &task, Choice::Compiler);
    let mut output = Vec::new();
    let mut to_next = |run: &mut Run, end: State| {
        // Slices so short that each ends somewhere else.
        loop {
            let state = run.slice(3);
            output.extend(run.take_output().into_iter().flat_map(|chunk| chunk.bytes));
            if state != State::Running {
                assert_eq!(state, end);
                return output.clone();
            }
        }
    };
    assert_eq!(to_next(&mut run, State::Blocked), b"");
    assert_eq!(to_next(&mut run, State::Blocked), b"");
    run.push_stdin(b"one\n");
    assert_eq!(to_next(&mut run, State::Blocked), b"one\n");
    run.push_stdin(b"two");
    run.close_stdin();
    assert_eq!(to_next(&mut run, State::Done), b"one\ntwo");
    assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }));
    assert_eq!(run.engines().ran, Kind::Wasmtime);
    assert_eq!(run.engines().instead, None);
    assert_eq!(run.pushed().len(), 3);
}

/// Writes a file and a line, again and again.
const ENDLESS: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "kept\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 1)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 12)))
    (drop (call $write (i32.load (i32.const 12)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $next
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $next))))"#;

#[test]
fn a_run_that_is_cancelled_keeps_what_it_did() {
    let mut run = start(ENDLESS, &Task::default(), Choice::Compiler);
    let mut output = Vec::new();
    for _ in 0..10 {
        assert_eq!(run.slice(1000), State::Running);
        output.extend(run.take_output().into_iter().flat_map(|chunk| chunk.bytes));
    }
    assert_eq!(run.engines().ran, Kind::Wasmtime);
    run.cancel();
    assert_eq!(run.slice(1000), State::Done);
    assert!(matches!(run.outcome(), Some(Outcome::Cancelled { .. })));
    let lines = output.len() / 5;
    assert!(lines > 100, "{lines} lines");
    assert_eq!(output, b"kept\n".repeat(lines));
    assert_eq!(run.stats().output_bytes, output.len() as u64);
    let ino = run.files().find("kept").expect("it is there");
    assert_eq!(run.files().content(ino).expect("a file").len(), 5);
}

#[test]
fn a_flood_of_output_is_held_back() {
    let mut run = start(ENDLESS, &Task::default(), Choice::Compiler);
    // Without steps to end the slice, the output does.
    assert_eq!(run.slice(u64::MAX), State::Running);
    let bytes: usize = run.take_output().iter().map(|it| it.bytes.len()).sum();
    assert!((1 << 20..2 << 20).contains(&bytes), "{bytes}");
}

/// Writes a line, makes 2 steps for each of its rounds and more, and writes a line.
fn heavy() -> String {
    let rounds = HEAVY_STEPS / 4;
    format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 100) "line\n")
          (func $line (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
          (func (export "_start") (local $n i64)
            (i32.store (i32.const 0) (i32.const 100))
            (i32.store (i32.const 4) (i32.const 5))
            (call $line)
            (loop $next
              (local.set $n (i64.add (local.get $n) (i64.const 1)))
              (br_if $next (i64.lt_u (local.get $n) (i64.const {rounds}))))
            (call $line)))"#
    )
}

#[test]
fn what_turns_out_to_be_heavy_goes_over_to_it() {
    let mut run = start(&heavy(), &Task::default(), Choice::Auto);
    assert_eq!(run.slice(1000), State::Running);
    assert_eq!(run.engines().ran, Kind::Interpreter);
    let mut output: Vec<u8> = run
        .take_output()
        .into_iter()
        .flat_map(|it| it.bytes)
        .collect();
    assert_eq!(output, b"line\n");
    output.extend(finish(&mut run, 1 << 26));
    assert_eq!(run.engines().ran, Kind::Wasmtime);
    assert_eq!(output, b"line\nline\n", "each is delivered once");
    assert!(run.stats().steps > HEAVY_STEPS);
    assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }));
}

fn verirun(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .expect("it can be started")
}

#[track_caller]
fn expect(output: &Output, code: i32, parts: &[&str]) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}{errors}");
    for part in parts {
        let found = text.contains(part) || errors.contains(part);
        assert!(found, "`{part}`: {text}{errors}");
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("it is written");
    }
    dir
}

#[test]
fn the_command_line_takes_it_everywhere() {
    let dir = folder(&[("cat.wat", CAT), ("in.txt", "words\n")]);
    let at = dir.path();
    let run = |engine: &str, more: &[&str]| {
        let args = ["run", "--engine", engine, "--stats", "--stdin", "in.txt"];
        verirun(at, &[&args[..], more, &["cat.wat"]].concat())
    };
    expect(
        &run("interpreter", &[]),
        0,
        &["words", "engine  the interpreter"],
    );
    expect(&run("wasmtime", &[]), 0, &["words", "engine  wasmtime"]);
    expect(&run("auto", &[]), 0, &["words", "engine  the interpreter"]);
    let both = run("both", &["--receipt", "r.json", "--json", "j.json"]);
    expect(&both, 0, &["words", "and a second engine did the same"]);
    let json = std::fs::read(at.join("j.json")).expect("it is written");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["engines"]["ran"], "interpreter");
    assert_eq!(json["engines"]["compared"], true);
    for engine in ["wasmtime", "both", "interpreter"] {
        let args = [
            "verify", "--engine", engine, "--module", "cat.wat", "r.json",
        ];
        expect(&verirun(at, &args), 0, &["VERIFIED"]);
    }
    let bad = "--engine turbo: it is interpreter, wasmtime, auto or both";
    expect(&run("turbo", &[]), 2, &[bad]);
    let args = ["verify", "--engine", "turbo", "r.json"];
    expect(&verirun(at, &args), 2, &[bad]);
}

/// The receipt of a run with checkpoints, and with this fault, on one engine.
fn committed(text: &str, engine: Choice, slice: u64, fault: Option<&str>) -> Envelope {
    let module = Module::load("program.wat", text.as_bytes()).expect("it loads");
    let task = Task {
        checkpoints: true,
        ..Task::default()
    };
    let driving = Driving {
        engine,
        fault: fault.map(|text| text.parse().expect("a fault")),
        ..Driving::default()
    };
    let mut run = Run::start_with(&module, &task, driving).expect("it starts");
    let mut streams = Streams::default();
    loop {
        let state = run.slice(slice);
        for chunk in run.take_output() {
            streams.write(&chunk);
        }
        match state {
            State::Running => {}
            State::Blocked => panic!("it has no input to wait for"),
            State::Done => break,
        }
    }
    let engines = run.engines();
    assert_eq!(engines.instead, None);
    match engine {
        Choice::Compiler => assert_eq!(engines.ran, Kind::Wasmtime),
        Choice::Both => assert!(engines.compared),
        _ => {}
    }
    Envelope::of(&run, &streams).expect("a receipt")
}

/// Two memories, globals of every type, a table that grows, tail calls and deep recursion.
const STATE: &str = r#"(module
    (memory (export "memory") 1) (memory $other 1 3)
    (table $t 3 100 funcref)
    (global $i (mut i32) (i32.const 1)) (global $l (mut i64) (i64.const -1))
    (global $f (mut f32) (f32.const nan)) (global $d (mut f64) (f64.const 0.5))
    (global $v (mut v128) (v128.const i64x2 1 2)) (global $r (mut funcref) (ref.null func))
    (func $deep (param i32)
        (if (local.get 0) (then
            (i32.store (i32.mul (local.get 0) (i32.const 4)) (local.get 0))
            (call $deep (i32.sub (local.get 0) (i32.const 1))))))
    (elem declare func $deep)
    (func $round (param $n i32)
        (if (i32.eqz (local.get $n)) (then (return)))
        (global.set $i (i32.mul (global.get $i) (i32.const 69069)))
        (global.set $l (i64.add (global.get $l) (i64.extend_i32_u (local.get $n))))
        (global.set $f (f32.sqrt (f32.convert_i32_s (global.get $i))))
        (global.set $d (f64.div (global.get $d) (f64.convert_i32_s (local.get $n))))
        (global.set $v (i64x2.add (global.get $v) (v128.const i64x2 3 5)))
        (global.set $r (select (result funcref) (ref.func $deep) (ref.null func)
            (i32.and (local.get $n) (i32.const 64))))
        (i32.store $other (i32.and (global.get $i) (i32.const 0xfffc)) (global.get $i))
        (if (i32.eqz (i32.and (local.get $n) (i32.const 0xffff))) (then
            (drop (memory.grow $other (i32.const 1)))
            (drop (table.grow $t (ref.null func) (i32.const 2)))
            (call $deep (i32.const 1000))))
        (return_call $round (i32.sub (local.get $n) (i32.const 1))))
    (func (export "_start") (call $round (i32.const 300000))))"#;

#[test]
fn checkpoints_are_those_of_the_interpreter() {
    let programs = [SIEVE, BUSY, STATE, &heavy()];
    for text in programs {
        let reference = committed(text, Choice::Interpreter, 1 << 20, None);
        let count = reference.receipt.checkpoints.expect("it has some").count.0;
        assert!(count > 2, "{count}");
        for slice in [10_000, 1 << 22, u64::MAX >> 1] {
            let found = committed(text, Choice::Compiler, slice, None);
            assert_eq!(found.checkpoints(), reference.checkpoints());
            assert_eq!(found.id, reference.id);
        }
        assert_eq!(
            committed(text, Choice::Both, 1 << 22, None).id,
            reference.id
        );
        assert_eq!(
            committed(text, Choice::Auto, 1 << 22, None).id,
            reference.id
        );
    }
}

/// A fault and a checkpoint at the same stop: the checkpoint is of what the fault made.
#[test]
fn a_checkpoint_sees_the_fault_that_is_made_with_it() {
    let text = r#"(module (memory (export "memory") 1) (global $count (mut i32) (i32.const 0))
      (func (export "_start")
        (loop $more
          (global.set $count (i32.add (global.get $count) (i32.const 1)))
          (br_if $more (i32.lt_u (global.get $count) (i32.const 1000000))))))"#;
    let made = |engine, fault| committed(text, engine, 1 << 20, fault);
    let [a, b] = [Choice::Interpreter, Choice::Compiler]
        .map(|engine| made(engine, Some("1048576:global:0:0")));
    assert_eq!(a, b);
    assert_ne!(a, made(Choice::Interpreter, None));
}

#[test]
fn a_fault_is_made_where_the_interpreter_makes_it() {
    for fault in ["1000000", "900000:5000:0", "1000000:global:1:3"] {
        let [a, b] = [Choice::Interpreter, Choice::Compiler]
            .map(|engine| committed(SIEVE, engine, 1 << 20, Some(fault)));
        assert_eq!(a, b);
        assert_ne!(a.id, committed(SIEVE, Choice::Compiler, 1 << 20, None).id);
    }
    // One that can't be made is no result, whatever the engine.
    let module = Module::load("program.wat", SIEVE.as_bytes()).expect("it loads");
    let driving = Driving {
        engine: Choice::Compiler,
        fault: Some("1:999999999".parse().expect("a fault")),
        ..Driving::default()
    };
    let mut run = Run::start_with(&module, &Task::default(), driving).expect("it starts");
    finish(&mut run, 1 << 20);
    let Some(Outcome::Failed { message }) = run.outcome() else {
        panic!("{:?}", run.outcome());
    };
    assert!(message.contains("the fault can't be made"), "{message}");
}

/// With less address space than wasmtime wants for a memory.
#[cfg(target_os = "linux")]
#[test]
fn where_memory_is_refused_the_interpreter_runs() {
    let dir = folder(&[("cat.wat", CAT), ("in.txt", "words\n")]);
    let line = format!(
        "ulimit -v 3000000; exec {} run --engine wasmtime --stats --stdin in.txt cat.wat",
        env!("CARGO_BIN_EXE_verirun")
    );
    let output = Command::new("sh")
        .args(["-c", &line])
        .current_dir(dir.path())
        .output()
        .expect("it can be started");
    let parts = [
        "words",
        "engine  the interpreter",
        "the interpreter ran it, with the same result",
        "memory",
    ];
    expect(&output, 0, &parts);
}

/// Ways to call a function of the system: what stands beside `_start`, and how it and a second import of
/// it are called.
const CALLS: [(&str, &str, &str, &str); 4] = [
    ("by name", "", "call $one", "call $other"),
    // An import that is exported again, too.
    (
        "exported",
        "(export \"again\" (func $one))",
        "call $other",
        "call $one",
    ),
    (
        "through a table",
        "(table funcref (elem $one $other))",
        "i32.const 0 call_indirect (type $t)",
        "i32.const 1 call_indirect (type $t)",
    ),
    (
        "named by ref.func",
        "(table 1 funcref) (elem declare func $other)",
        "call $one",
        "i32.const 0 ref.func $other table.set 0 i32.const 0 call_indirect (type $t)",
    ),
];

/// However a function of the system is called, and from wherever, it is called with the same arguments
/// and gives the same answer, on both engines: these link it in ways of their own.
#[test]
fn the_system_is_the_same_however_it_is_called() {
    let ty = |wide: bool| if wide { "i64" } else { "i32" };
    for abi in [Abi::Preview1, Abi::Unstable] {
        for &function in Function::ALL {
            if Function::find(abi, function.name()).is_none() {
                continue;
            }
            let wide = |it: &Parameter| *it == Parameter::I64;
            let params: String = function
                .parameters()
                .iter()
                .map(|it| format!("(param {})", ty(wide(it))))
                .collect();
            // All different, so that none can take another's place unnoticed.
            let args: String = (3..)
                .zip(function.parameters())
                .map(|(number, it)| format!("{}.const {number} ", ty(wide(it))))
                .collect();
            let result = if function.returns() {
                "(result i32)"
            } else {
                ""
            };
            let none = if function.returns() {
                ""
            } else {
                "i32.const 0"
            };
            let (module, name) = (abi.module(), function.name());
            let mut outcomes = Vec::new();
            for (how, beside, one, other) in CALLS {
                // `$parts` returns some of its parameters, too, on the interpreter.
                let both = format!(
                    "{args} {one} {none} {args} {other} {none} i32.const 256 i32.mul i32.add"
                );
                for (from, program) in [
                    (
                        "_start",
                        format!("(func (export \"_start\") {both} call $exit)"),
                    ),
                    (
                        "the start function",
                        format!(
                            "(func $first {both} call $exit) (start $first)
                             (func (export \"_start\") unreachable)"
                        ),
                    ),
                    (
                        "a function with parameters",
                        format!(
                            "(func $parts (param i32 i64 i32) (result i32)
                               {both} local.get 0 i32.add local.get 2 i32.sub)
                             (func (export \"_start\")
                               i32.const 7 i64.const 8 i32.const 7 call $parts call $exit)"
                        ),
                    ),
                ] {
                    let text = format!(
                        r#"(module (type $t (func {params} {result}))
                          (import "{module}" "{name}" (func $one (type $t)))
                          (import "{module}" "{name}" (func $other (type $t)))
                          (import "{module}" "proc_exit" (func $exit (param i32)))
                          (memory (export "memory") 1) {beside} {program})"#
                    );
                    let mut run = start(&text, &Task::default(), Choice::Both);
                    finish(&mut run, 1000);
                    let what = format!("{module}.{name}, {how}, from {from}");
                    assert!(run.engines().compared, "{what}: {:?}", run.engines());
                    outcomes.push((what, run.outcome().cloned()));
                }
            }
            let first = outcomes[0].1.clone();
            for (what, outcome) in outcomes {
                assert_eq!(outcome, first, "{what}");
            }
        }
    }
}

/// An import of a function of the system with any other type is refused when the module is loaded.
#[test]
fn the_system_has_no_other_types() {
    for abi in [Abi::Preview1, Abi::Unstable] {
        for &function in Function::ALL {
            let wide = |it: &Parameter| *it == Parameter::I64;
            let right: Vec<bool> = function.parameters().iter().map(wide).collect();
            let results = usize::from(function.returns());
            let is_there = Function::find(abi, function.name()).is_some();
            let mut types = vec![(right.clone(), results, is_there)];
            types.push(([&right[..], &[false]].concat(), results, false));
            types.push((right.clone(), results + 1, false));
            types.push((right.clone(), 1 - results, false));
            for at in 0..right.len() {
                let mut other = right.clone();
                other[at] = !other[at];
                types.push((other, results, false));
                let mut fewer = right.clone();
                fewer.remove(at);
                types.push((fewer, results, false));
            }
            for (params, results, fits) in types {
                let ty = |wide: bool| if wide { "i64" } else { "i32" };
                let params: String = params
                    .into_iter()
                    .map(|wide| format!("(param {})", ty(wide)))
                    .collect();
                let text = format!(
                    r#"(module (import "{}" "{}" (func {params} {}))
                      (memory (export "memory") 1) (func (export "_start")))"#,
                    abi.module(),
                    function.name(),
                    "(result i32)".repeat(results)
                );
                let loaded = Module::load("program.wat", text.as_bytes());
                match loaded {
                    Ok(_) => assert!(fits, "{text}"),
                    Err(LoadError::MissingImports { .. }) => assert!(!fits, "{text}"),
                    Err(other) => panic!("{text}: {other}"),
                }
            }
        }
    }
}
