//! What is watched of a run: its calls, and which functions made its steps. Watching changes nothing
//! of a run, and a profile accounts for every step.

use std::path::PathBuf;
use verirun::run::{Calls, ProfileNode};
use verirun::{Choice, Driving, Input, Limits, Module, Outcome, Run, State, Task, Watched};

fn finish(module: &Module, task: &Task, watched: Watched, slice: u64) -> (Run, Vec<u8>) {
    let driving = Driving {
        engine: Choice::Interpreter,
        watched,
        ..Driving::default()
    };
    let mut run = Run::start_with(module, task, driving).expect("it starts");
    let mut output = Vec::new();
    loop {
        let state = run.slice(slice);
        output.extend(run.take_output().into_iter().flat_map(|chunk| chunk.bytes));
        match state {
            State::Running => {}
            State::Blocked => run.close_stdin(),
            State::Done => return (run, output),
        }
    }
}

const ALL: Watched = Watched {
    calls: true,
    profile: true,
};

fn task(limits: Limits) -> Task {
    Task {
        stdin: Input::Bytes(b"some input\n".to_vec()),
        limits,
        ..Task::default()
    }
}

/// Runs with and without being watched; the results are the same. Returns what was watched.
fn compared(module: &Module, task: &Task, slice: u64) -> (Run, Calls, Vec<ProfileNode>) {
    let (plain, output) = finish(module, task, Watched::default(), slice);
    let (watched, same) = finish(module, task, ALL, slice);
    assert_eq!(watched.outcome(), plain.outcome());
    assert_eq!(watched.stats(), plain.stats());
    assert_eq!(same, output);
    assert_eq!(plain.calls(), None);
    assert_eq!(plain.profile(), None);
    let nodes = watched.profile().expect("it is watched");
    let sum: u64 = nodes.iter().map(|node| node.steps).sum();
    assert_eq!(
        sum,
        plain.stats().steps,
        "the profile accounts for every step"
    );
    for (index, node) in nodes.iter().enumerate().skip(1) {
        assert!(
            (node.parent as usize) < index,
            "a node comes behind its parent"
        );
    }
    let calls = watched.calls().expect("it is watched");
    (watched, calls, nodes)
}

fn text(body: &str) -> Module {
    let text = format!(r#"(module (memory (export "memory") 1) {body})"#);
    Module::load("test.wat", text.as_bytes()).expect("it is valid")
}

/// Self steps and calls of all nodes of the function with this name.
fn of(nodes: &[ProfileNode], name: &str) -> (u64, u64) {
    let named = nodes
        .iter()
        .filter(|node| node.name.as_deref() == Some(name));
    named.fold((0, 0), |(steps, calls), node| {
        (steps + node.steps, calls + node.calls)
    })
}

#[test]
fn watching_changes_no_golden_run_and_accounts_for_each_step() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_none_or(|extension| extension != "wat") {
            continue;
        }
        let name = path
            .file_name()
            .expect("it has one")
            .to_string_lossy()
            .into_owned();
        let module = Module::load(&name, &std::fs::read(&path).expect("it can be read"));
        let module = module.expect("it is valid");
        for (gas, slice) in [(2_000_000, 1 << 20), (2_000_000, 997), (100, 64)] {
            let limits = Limits {
                gas: Some(gas),
                call: Some(500),
                memory_pages: Some(64),
                output_bytes: Some(100_000),
                file_bytes: Some(1 << 20),
                ..Limits::default()
            };
            compared(&module, &task(limits), slice);
            count += 1;
        }
    }
    assert!(count > 30, "there are only {count} runs");
}

#[test]
fn steps_are_attributed_to_functions() {
    let module = text(
        r#"(func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
           (func $loops (param i32) (local i32)
             (loop $again
               (local.set 1 (call $leaf (local.get 1)))
               (br_if $again (i32.lt_u (local.get 1) (local.get 0)))))
           (func (export "_start") (call $loops (i32.const 1000)) (call $loops (i32.const 10)))"#,
    );
    let (run, _, nodes) = compared(&module, &task(Limits::default()), 1 << 20);
    // `local.get`, `i32.const` and `i32.add`, 1010 times.
    assert_eq!(of(&nodes, "leaf"), (3 * 1010, 1010));
    // A round is `local.get`, `call`, `local.set` and, for the condition, four more.
    assert_eq!(of(&nodes, "loops"), (7 * 1010, 2));
    assert_eq!(run.stats().steps, 10 * 1010 + 4);
    // `leaf` was called by `loops`, which `_start` called, which has no name.
    let leaf = nodes
        .iter()
        .find(|node| node.name.as_deref() == Some("leaf"));
    let leaf = leaf.expect("it ran");
    let loops = &nodes[leaf.parent as usize];
    assert_eq!(loops.name.as_deref(), Some("loops"));
    let start = &nodes[loops.parent as usize];
    assert_eq!((start.function, start.steps, start.parent), (Some(2), 4, 0));
}

#[test]
fn tail_calls_indirect_calls_and_recursion_keep_their_steps() {
    let module = text(
        r#"(type $t (func (param i32)))
           (table 2 funcref) (elem (i32.const 0) $even $deep)
           (func $even (param i32)
             (if (i32.eqz (local.get 0)) (then (return)))
             (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
           (func $odd (param i32) (return_call $even (i32.sub (local.get 0) (i32.const 1))))
           (func $deep (param i32)
             (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))))
           (func (export "_start")
             (call_indirect (type $t) (i32.const 100000) (i32.const 0))
             (call_indirect (type $t) (i32.const 400) (i32.const 1)))"#,
    );
    let limits = Limits {
        call: Some(1000),
        ..Limits::default()
    };
    let (run, _, nodes) = compared(&module, &task(limits), 1 << 20);
    assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }));
    assert_eq!(of(&nodes, "even").1, 50_001);
    assert_eq!(of(&nodes, "odd"), (4 * 50_000, 50_000));
    assert_eq!(of(&nodes, "deep").1, 401);
    assert!(nodes.len() < 10, "{} nodes", nodes.len());
}

#[test]
fn a_trap_and_a_limit_leave_their_steps_with_the_function_that_ran() {
    let module = text(
        r#"(func $bad (nop) (drop (i32.div_u (i32.const 1) (i32.const 0))) (drop (i32.const 1)))
           (func (export "_start") (call $bad))"#,
    );
    let (run, _, nodes) = compared(&module, &task(Limits::default()), 1 << 20);
    assert!(matches!(run.outcome(), Some(Outcome::Trap { .. })));
    let (bad, _) = of(&nodes, "bad");
    assert_eq!(bad, run.stats().steps - 1);
    let module = text(r#"(func $spin (export "_start") (loop $l (br $l)))"#);
    let limits = Limits {
        gas: Some(1234),
        ..Limits::default()
    };
    let (_, _, nodes) = compared(&module, &task(limits), 100);
    assert_eq!(of(&nodes, "spin").0, 1234);
}

#[test]
fn calls_are_recorded_with_paths_results_and_errors() {
    let module = Module::load(
        "calls.wat",
        br#"(module
          (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 100) "missing.txt")
          (data (i32.const 200) "new.txt")
          (data (i32.const 300) "\64\00\00\00\07\00\00\00")
          (func (export "_start")
            (drop (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 11)
              (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
            (drop (call $open (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 7)
              (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))
            (drop (call $write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 16)))
            (call $exit (i32.const 7))))"#,
    );
    let (_, calls, _) = compared(
        &module.expect("it is valid"),
        &task(Limits::default()),
        1 << 20,
    );
    assert_eq!(calls.total, 4);
    let told: Vec<_> = calls
        .calls
        .iter()
        .map(|call| {
            let path = call.paths.first().map_or("", String::as_str);
            (
                call.function,
                &*call.answer,
                call.errno,
                path,
                call.result.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("path_open", "noent", Some(44), "missing.txt", None),
            ("path_open", "success", Some(0), "new.txt", Some("4")),
            ("fd_write", "success", Some(0), "", Some("7")),
            ("proc_exit", "exit", None, "", None),
        ]
    );
    let steps: Vec<_> = calls.calls.iter().map(|call| call.steps).collect();
    assert!(steps.is_sorted() && steps[0] == 10, "{steps:?}");
    assert_eq!(calls.calls[3].args, ["7"]);
}

#[test]
fn of_very_many_calls_the_first_and_the_last_are_kept() {
    let module = Module::load(
        "many.wat",
        br#"(module
          (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
          (memory (export "memory") 1)
          (func (export "_start") (local i32)
            (loop $again
              (drop (call $yield))
              (local.set 0 (i32.add (local.get 0) (i32.const 1)))
              (br_if $again (i32.lt_u (local.get 0) (i32.const 50000))))))"#,
    );
    let watched = Watched {
        calls: true,
        ..Watched::default()
    };
    let module = module.expect("it is valid");
    let (run, _) = finish(&module, &task(Limits::default()), watched, 1 << 20);
    let Calls { total, calls } = run.calls().expect("it is watched");
    assert_eq!((total, calls.len()), (50_000, 40_000));
    let numbers: Vec<_> = calls.iter().map(|call| call.number).collect();
    assert_eq!(numbers[19_999..20_001], [19_999, 30_000]);
    assert_eq!(numbers[39_999], 49_999);
}

/// Runs a module that traps, and tells where it was: function, byte and `file:line:column`.
fn whereabouts(module: &Module) -> (String, u32, String) {
    let (run, _) = finish(
        module,
        &task(Limits::default()),
        Watched::default(),
        1 << 20,
    );
    assert!(
        matches!(run.outcome(), Some(Outcome::Trap { .. })),
        "{:?}",
        run.outcome()
    );
    let place = run.whereabouts().expect("it trapped");
    let source = place
        .source
        .map_or_else(String::new, |source| source.to_string());
    (
        place.name.unwrap_or_default(),
        place.offset.expect("a trap has a place"),
        source,
    )
}

#[test]
fn a_trap_is_found_in_the_text_that_the_module_was_assembled_from() {
    let text = "(module (memory (export \"memory\") 1)
  (func $inner (param i32)
    nop
    (drop (i32.div_u (i32.const 7) (local.get 0))))
  (func (export \"_start\")
    (if (i32.const 1)
      (then (call $inner (i32.const 0))))))";
    let module = Module::load("trap.wat", text.as_bytes()).expect("it is valid");
    let (name, offset, source) = whereabouts(&module);
    assert_eq!((&*name, &*source), ("inner", "trap.wat:4:12"));
    // The operator itself: `i32.div_u` is 0x6e.
    assert_eq!(module.wasm[offset as usize], 0x6e);
    let module = Module::load("trap.wasm", &module.wasm).expect("it is valid");
    let (name, again, source) = whereabouts(&module);
    assert_eq!((&*name, again, &*source), ("inner", offset, ""));
}

#[test]
fn where_two_operators_can_trap_alike_the_block_is_told() {
    let module = Module::load(
        "two.wat",
        b"(module (memory (export \"memory\") 1)
  (func (export \"_start\")
    (drop (i32.load (i32.const 0)))
    (drop (i32.load (i32.const -1)))))",
    );
    let (_, _, source) = whereabouts(&module.expect("it is valid"));
    assert_eq!(source, "two.wat:3:22");
}

#[test]
fn a_mistake_in_a_text_tells_its_place() {
    for (text, line, column, code) in [
        ("(module\n  (fnc))", 2, 4, "bad-text"),
        (
            "(module (memory (export \"memory\") 1)\n (func (export \"_start\")\n  (drop (i32.add (i32.const 1) (i64.const 2)))))",
            3,
            10,
            "invalid",
        ),
        (
            "(module (memory (export \"memory\") 1)\n (func $a (nop))\n (func (export \"_start\") nop\n   drop))",
            4,
            4,
            "invalid",
        ),
        (
            "(module (func (export \"_start\")\n (result i32)))",
            1,
            10,
            "invalid",
        ),
    ] {
        let error = Module::load("x.wat", text.as_bytes()).expect_err("it is wrong");
        let (position, brief) = error.in_text().expect("it is in the text");
        assert_eq!(
            (position.line, position.column, error.code()),
            (line, column, code),
            "{text}: {brief}"
        );
    }
}
