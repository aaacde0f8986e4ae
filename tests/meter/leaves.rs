//! Leaves: which functions are, and that a function is counted the same whether it is one or not.

use crate::engine::{Ended, load, run, run_on};
use crate::shape::{Form, Shape};
use crate::support::metered;
use verirun::engine::{End, Kind};
use verirun::meter::{Bounds, Detail, Limit, Target};
use verirun::{Choice, Driving, Limits, Module, Outcome, Run, State, Task, Watched};

/// A function that could be a leaf, and 4 steps and 4 cells of one that calls it.
const LEAF: &str = "(func $leaf (type $t) local.get 0 i32.const 3 i32.add)";

/// What stands beside it, the code of `_start`, what became of each function (that of `_start` last), and
/// steps, calls and cells.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [Form],
    (u64, u64, u64),
);

use Form::{Leaf, Metered, Plain};

/// `call` stands for: const, call, and 3 steps of the leaf.
const CASES: &[Case] = &[
    (
        "called by name only",
        "",
        "i32.const 1 call $leaf drop",
        &[Plain, Metered],
        (5, 2, 4),
    ),
    // Of another type than those that are left as they are, it has the steps left.
    (
        "with a loop",
        "(func $more (param i32) loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)",
        "i32.const 1 call $leaf drop i32.const 2 call $more",
        &[Plain, Leaf, Metered],
        (5 + 2 + 2 * 5, 2, 4),
    ),
    (
        "exported",
        "(export \"leaf\" (func $leaf))",
        "i32.const 1 call $leaf drop",
        &[Metered, Metered],
        (5, 2, 4),
    ),
    (
        "exported twice",
        "(export \"a\" (func $leaf)) (export \"b\" (func $leaf))",
        "i32.const 1 call $leaf drop",
        &[Metered, Metered],
        (5, 2, 4),
    ),
    // const call, const const call_indirect
    (
        "in a table",
        "(table funcref (elem $leaf))",
        "i32.const 1 call $leaf drop i32.const 1 i32.const 0 call_indirect (type $t) drop",
        &[Metered, Metered],
        (5 + 6, 2, 2 + 3),
    ),
    (
        "in a table, as an expression",
        "(table 1 funcref) (elem (i32.const 0) funcref (ref.func $leaf))",
        "i32.const 1 call $leaf drop i32.const 1 i32.const 0 call_indirect (type $t) drop",
        &[Metered, Metered],
        (5 + 6, 2, 2 + 3),
    ),
    // const const const init, const const call_indirect
    (
        "in a table later",
        "(table 1 funcref) (elem $e func $leaf)",
        "i32.const 0 i32.const 0 i32.const 1 table.init $e
         i32.const 1 i32.const 0 call_indirect (type $t) drop",
        &[Metered, Metered],
        (4 + 1 + 6, 2, 3 + 3),
    ),
    // const ref.func set, const const call_indirect
    (
        "named by ref.func",
        "(table 1 funcref) (elem declare func $leaf)",
        "i32.const 0 ref.func $leaf table.set 0 i32.const 1 i32.const 0 call_indirect (type $t) drop",
        &[Metered, Metered],
        (3 + 6, 2, 2 + 3),
    ),
    // const get set, const const call_indirect
    (
        "named by a global",
        "(table 1 funcref) (global $g funcref (ref.func $leaf))",
        "i32.const 0 global.get $g table.set 0 i32.const 1 i32.const 0 call_indirect (type $t) drop",
        &[Metered, Metered],
        (3 + 6, 2, 2 + 3),
    ),
    // The start function and a call of it.
    (
        "the start function",
        "(func $first i32.const 7 drop) (start $first)",
        "call $first i32.const 1 call $leaf drop",
        &[Plain, Metered, Metered],
        (1 + 2 + 5, 2, 4),
    ),
    // A leaf of it, too.
    (
        "called by the start function",
        "(func $first i32.const 1 call $leaf drop) (start $first)",
        "i32.const 1 call $leaf drop",
        &[Plain, Metered, Metered],
        (5 + 5, 2, 4),
    ),
    (
        "calling where no path leads",
        "(func $dead return call $leaf drop)",
        "call $dead",
        &[Plain, Metered, Metered],
        (2, 2, 0),
    ),
    (
        "naming a function",
        "(func $names ref.func $leaf drop) (elem declare func $leaf)",
        "call $names",
        &[Metered, Metered, Metered],
        (2, 2, 1),
    ),
    (
        "calling the host",
        "(func $asks call $yield drop)",
        "call $asks i32.const 1 call $leaf drop",
        &[Plain, Metered, Metered],
        (2 + 5, 2, 4),
    ),
    (
        "calling itself",
        "(func $down (param i32) local.get 0 if local.get 0 i32.const 1 i32.sub call $down end)",
        "i32.const 2 call $down",
        &[Plain, Metered, Metered],
        (2 + 2 * 6 + 2, 4, 1 + 3 * 3),
    ),
    ("called by nobody", "", "", &[Plain, Metered], (0, 1, 0)),
    // One function that makes tail calls is enough: nothing may be kept then.
    (
        "beside a tail call",
        "(func $tail (param i32) (result i32) local.get 0 return_call $leaf)",
        "i32.const 1 call $leaf drop i32.const 1 call $tail drop",
        &[Metered, Metered, Metered],
        (5 + 2 + 2 + 3, 2, 4),
    ),
    // call, 4 and 16 / 8; call, const grow
    (
        "asking in the middle",
        "(func $bulk i32.const 0 i32.const 0 i32.const 16 memory.fill)
         (func $grow (result i32) i32.const 0 memory.grow)",
        "call $bulk call $grow drop",
        &[Plain, Leaf, Leaf, Metered],
        (1 + 4 + 2 + 1 + 2, 2, 1 + 3),
    ),
];

fn text(case: &Case) -> String {
    format!(
        r#"(module (type $t (func (param i32) (result i32)))
          (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
          (memory (export "memory") 1) {LEAF} {} (func (export "_start") {}))"#,
        case.1, case.2
    )
}

/// All that must not depend on how it is counted.
fn told(ended: &Ended) -> (End, u64, u64, u64) {
    (ended.end.clone(), ended.steps, ended.calls, ended.frame)
}

#[test]
fn a_leaf_is_what_is_only_called_by_name() {
    for case in CASES {
        let wasm = load(&text(case)).wasm;
        let fast = metered(&wasm, Detail::Fast, Target::Interpreter);
        assert_eq!(Shape::of(&wasm, &fast.wasm).functions, case.3, "{}", case.0);
        // Nothing is a leaf where each block is settled, for compilers, and where functions are told apart.
        for (detail, target) in [
            (Detail::Exact, Target::Interpreter),
            (Detail::Fast, Target::Compiler),
            (Detail::Exact, Target::Compiler),
        ] {
            let made = metered(&wasm, detail, target);
            let forms = Shape::of(&wasm, &made.wasm).functions;
            assert!(forms.iter().all(|&form| form == Metered), "{}", case.0);
        }
    }
}

#[test]
fn leaves_cost_what_other_functions_do() {
    for case in CASES {
        let module = load(&text(case));
        let (steps, calls, cells) = case.4;
        let expected = (End::Exit(0), steps, calls, 8 * cells);
        for (kind, detail) in ways() {
            let ended = run_on(kind, &module, detail, Bounds::default(), u64::MAX);
            assert_eq!(told(&ended), expected, "{}, {kind:?}, {detail:?}", case.0);
        }
    }
}

/// Engines and details, the reference first.
fn ways() -> Vec<(Kind, Detail)> {
    let mut ways = vec![
        (Kind::Interpreter, Detail::Exact),
        (Kind::Interpreter, Detail::Fast),
    ];
    if Kind::Wasmtime.is_there() {
        ways.push((Kind::Wasmtime, Detail::Fast));
    }
    ways
}

/// With limits on all three at and around what a program needs, alone and together: the same end, at the
/// same step, with the same peaks.
#[test]
fn limits_end_leaves_where_they_end_other_functions() {
    for case in CASES {
        let module = load(&text(case));
        let (steps, calls, cells) = case.4;
        let around = |most: u64| most.saturating_sub(2)..=most;
        let frames = (0..=8 * cells).rev().step_by(4).take(8);
        for gas in 0..=steps {
            for call in around(calls) {
                for frame in frames.clone() {
                    let bounds = Bounds {
                        gas,
                        call,
                        frame,
                        ..Bounds::default()
                    };
                    let enough = gas == steps && call == calls && frame == 8 * cells;
                    let (mut ends, mut peaks) = (Vec::new(), Vec::new());
                    for (kind, detail) in ways() {
                        let ended = run_on(kind, &module, detail, bounds, 3);
                        let what = format!("{}, {kind:?}, {detail:?}, {bounds:?}", case.0);
                        let passed = match &ended.end {
                            End::Exit(0) => None,
                            End::Passed(passed) => Some(passed.limit),
                            other => panic!("{what}: {other:?}"),
                        };
                        assert_eq!(passed.is_none(), enough, "{what}");
                        ends.push((passed, ended.steps));
                        // With less detail it is noticed later that gas is spent.
                        if !(detail == Detail::Exact && passed == Some(Limit::Gas)) {
                            peaks.push((ended.calls, ended.frame));
                        }
                    }
                    ends.dedup();
                    peaks.dedup();
                    let what = format!("{}, {bounds:?}: {ends:?}, {peaks:?}", case.0);
                    assert_eq!((ends.len(), peaks.len()), (1, 1), "{what}");
                }
            }
        }
    }
}

/// A function of so many steps without a loop, called a hundred times in a row.
fn many_calls(head: &str, steps: usize) -> Module {
    load(&format!(
        "(module (func $f {head} {}) (func (export \"_start\") {}))",
        "i32.const 0 drop ".repeat(steps),
        "call $f ".repeat(100),
    ))
}

/// Calls and what is called multiply: what a function that looks at its steps only behind its calls
/// executes after the last step that it has gas for must not.
#[test]
fn long_functions_ask_even_if_they_call_nothing() {
    for head in ["", "(export \"f\")"] {
        let module = many_calls(head, 400);
        for (kind, detail) in ways() {
            let ended = run_on(kind, &module, detail, Bounds::default(), 400);
            assert_eq!((ended.end, ended.steps), (End::Exit(0), 100 + 40_000));
            let slices = ended.slices;
            assert!(slices >= 50, "{head} {kind:?}, {detail:?}: {slices} slices");
        }
        // A short one is not worth it.
        let ended = run(&many_calls(head, 10), Detail::Fast, Bounds::default(), 10);
        assert!(ended.slices < 5, "{head}: {} slices", ended.slices);
    }
}

/// What a profile attributes is what was counted, though leaves are told apart without one.
#[test]
fn a_profile_knows_leaves() {
    for case in CASES {
        let driving = Driving {
            watched: Watched {
                profile: true,
                ..Watched::default()
            },
            ..Driving::default()
        };
        let module = load(&text(case));
        let mut run = Run::start_with(&module, &Task::default(), driving).expect("it starts");
        while run.slice(7) != State::Done {}
        let nodes = run.profile().expect("it has one");
        let steps: u64 = nodes.iter().map(|node| node.steps).sum();
        assert_eq!(
            (steps, run.stats().steps),
            (case.4.0, case.4.0),
            "{}",
            case.0
        );
    }
}

/// A trap in a leaf, below a function that was charged for all of it: the first run counts it too early
/// or too late, and the second finds out.
#[test]
fn traps_in_leaves_are_where_they_are() {
    let text = r#"(module (memory (export "memory") 1)
        (func $plain (param i32) (result i32) i32.const 100 local.get 0 i32.div_u)
        (func $loops (param i32) (result i32)
          loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end i32.const 1 local.get 0 i32.div_u)
        (func $never unreachable)
        (func (export "_start")
          i32.const 5 call $plain drop i32.const 7 drop
          CALL i32.const 1 drop i32.const 2 drop))"#;
    // The first call is const call, and 3; then const.
    for (call, trap, steps) in [
        (
            "i32.const 0 call $plain drop",
            "integer_divide_by_zero",
            6 + 2 + 3,
        ),
        (
            "i32.const 3 call $loops drop",
            "integer_divide_by_zero",
            6 + 2 + 3 * 5 + 3,
        ),
        ("call $never", "unreachable", 6 + 1 + 1),
    ] {
        let module = load(&text.replace("CALL", call));
        for engine in [Choice::Interpreter, Choice::Compiler] {
            if engine == Choice::Compiler && !Kind::COMPILER.is_there() {
                continue;
            }
            for gas in 0..=steps {
                let limits = Limits {
                    gas: Some(gas),
                    ..Limits::default()
                };
                let task = Task {
                    limits,
                    ..Task::default()
                };
                let driving = Driving {
                    engine,
                    ..Driving::default()
                };
                let mut run = Run::start_with(&module, &task, driving).expect("it starts");
                while run.slice(3) != State::Done {}
                assert_eq!(run.stats().steps, gas, "{call}");
                match run.outcome() {
                    Some(Outcome::Trap { trap: found, .. }) => {
                        assert_eq!((found.as_str(), gas), (trap, steps), "{call}");
                    }
                    Some(Outcome::OutOfGas { .. }) => assert!(gas < steps, "{call}, gas {gas}"),
                    other => panic!("{call}, gas {gas}: {other:?}"),
                }
            }
        }
    }
}
