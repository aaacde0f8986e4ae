//! Guests that go on for ever, or take all there is of stacks and tables: a limit of the task ends them,
//! and never the engine or the host.

use crate::{load, run};
use verirun::{Driving, Limits, Outcome, Run, State, Task, Watched};

/// However a guest goes on for ever, it runs out of gas at exactly its limit, or of calls.
#[test]
fn nothing_goes_on_for_ever() {
    let head = r#"(type $v (func)) (memory (export "memory") 1) (table $t 4 5 funcref)
        (elem (table $t) (i32.const 0) func $ping $pong $run)
        (func $ping i32.const 1 return_call_indirect (type $v))
        (func $pong i32.const 0 return_call_indirect (type $v))
        (func $run return_call $run)
        (func $deep call $deep)
        (func $wide (param i64 i64 i64 i64) local.get 0 local.get 1 local.get 2 local.get 3 call $wide)"#;
    let endless = [
        "loop br 0 end",
        "loop block br 1 end end",
        "loop i32.const 1 br_if 0 end",
        "loop i32.const 0 br_if 0 br 0 end",
        "loop i32.const 0 if return end br 0 end",
        "loop i32.const 0 if else br 1 end end",
        "loop i32.const 3 br_table 0 0 0 0 end",
        "loop (result i32) br 0 end drop",
        "loop loop br 1 end end",
        "loop loop loop i32.const 1 br_if 2 end end end",
        "i32.const 0 loop (param i32) br 0 end",
        "call $run",
        "call $ping",
        "return_call $ping",
        "loop i32.const 0 i32.const 0 i32.const 0 memory.fill br 0 end",
        "loop i32.const 0 i32.const 0 i32.const 65536 memory.fill br 0 end",
        "loop i32.const 0 memory.grow drop br 0 end",
        "loop ref.null func i32.const 1 table.grow $t drop br 0 end",
        "loop ref.null func i32.const -1 table.grow $t drop br 0 end",
    ];
    for code in endless {
        let module = load(&format!(
            "(module {head} (func (export \"_start\") {code}))"
        ));
        for gas in [0, 1, 1000, 100_001] {
            let (outcome, steps) = run(&module, gas);
            assert!(
                matches!(outcome, Outcome::OutOfGas { .. }),
                "{code}: {outcome:?}"
            );
            assert_eq!(steps, gas, "{code}");
        }
    }
    // The start function is a function like others.
    let (outcome, steps) = run(
        &load("(module (func $s loop br 0 end) (start $s) (func (export \"_start\")))"),
        777,
    );
    assert!(matches!(outcome, Outcome::OutOfGas { .. }), "{outcome:?}");
    assert_eq!(steps, 777);
    for code in [
        "call $deep",
        "i64.const 0 i64.const 0 i64.const 0 i64.const 0 call $wide",
    ] {
        let module = load(&format!(
            "(module {head} (func (export \"_start\") {code}))"
        ));
        let (outcome, _) = run(&module, u64::MAX >> 1);
        assert!(
            matches!(outcome, Outcome::CallDepthExceeded { .. }),
            "{code}: {outcome:?}"
        );
    }
}

/// No operator leaves anything on the host's stack, however often it is executed in one slice.
#[test]
fn loops_do_not_use_up_the_hosts_stack() {
    for code in [
        "i32.const 0 memory.grow drop",
        "i64.const 0 memory.grow $wide drop",
        "ref.null func i32.const 0 table.grow $t drop",
        "i32.const 70000 memory.grow drop",
        "i32.const 0 i32.const 0 i32.const 8 memory.fill",
        "i32.const 0 i32.const 0 i32.const 0 memory.init $d data.drop $d",
        "i32.const 0 i32.const 0 i32.const 1 table.copy $t $t",
        "i32.const 0 i32.const 0 i32.const 0 table.init $t $e elem.drop $e",
        "i32.const 1 call_indirect (type $v)",
        "i32.const 2 call_indirect (type $y) drop",
        "call $tail",
        "call $yield drop",
    ] {
        let text = format!(
            r#"(module (type $v (func)) (type $y (func (result i32)))
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (type $y)))
              (memory (export "memory") 1) (memory $wide i64 1) (data $d "abc")
              (table $t 8 20 funcref) (elem (table $t) (i32.const 1) func $f $yield) (elem $e func $f)
              (func $f) (func $tail return_call $f)
              (func (export "_start") (local $i i32)
                loop
                  {code}
                  local.get $i i32.const 1 i32.add local.tee $i i32.const 300000 i32.lt_u br_if 0
                end))"#
        );
        let module = load(&text);
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let worker = small.spawn(move || {
            let mut run = Run::start(&module, &Task::default()).expect("it can be started");
            while run.slice(u64::MAX) != State::Done {}
            run.outcome().cloned()
        });
        let outcome = worker.expect("a thread").join().expect("no panic");
        assert_eq!(outcome, Some(Outcome::Exit { code: 0 }), "{code}");
    }
}

/// A profile has a wrapper around each function. Tail calls do not pile them up.
#[test]
fn tail_calls_do_not_pile_up_in_a_profile() {
    for call in [
        "return_call $next",
        "i32.const 0 return_call_indirect (type $t)",
        "i32.const 1 return_call_indirect (type $t)",
    ] {
        // The second function of the table goes on with the first, directly.
        let text = format!(
            r#"(module (type $t (func (param i32) (result i32)))
              (type $y (func (result i32)))
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (type $y)))
              (memory (export "memory") 1)
              (table 3 funcref) (elem (i32.const 0) $next $other $yield)
              (func $next (param i32) (result i32)
                local.get 0 i32.eqz if
                  i32.const 2 return_call_indirect (type $y)
                end
                local.get 0 i32.const 1 i32.sub {call})
              (func $other (type $t) local.get 0 return_call $next)
              (func $leaf (result i32) i32.const 7)
              (func $start (export "_start")
                i32.const 1000000 call $next drop
                call $leaf drop))"#
        );
        let module = load(&text);
        let driving = Driving {
            watched: Watched {
                profile: true,
                ..Watched::default()
            },
            ..Driving::default()
        };
        let task = Task {
            limits: Limits {
                call: Some(10),
                ..Limits::default()
            },
            ..Task::default()
        };
        let mut run = Run::start_with(&module, &task, driving).expect("it can be started");
        while run.slice(1 << 22) != State::Done {}
        assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }), "{call}");
        let nodes = run.profile().expect("it has one");
        let steps: u64 = nodes.iter().map(|node| node.steps).sum();
        assert_eq!(steps, run.stats().steps, "{call}");
        let of = |name: &str| {
            let named = nodes
                .iter()
                .filter(|node| node.name.as_deref() == Some(name));
            named.map(|node| node.calls).sum::<u64>()
        };
        assert_eq!((of("next"), of("leaf"), of("start")), (1_000_001, 1, 1));
        // What a tail call to the system returns to is whoever called before that.
        let leaf = nodes
            .iter()
            .find(|node| node.name.as_deref() == Some("leaf"));
        let caller = &nodes[leaf.expect("it was called").parent as usize];
        assert_eq!(caller.name.as_deref(), Some("start"), "{call}");
        assert!(nodes.len() < 8, "{} nodes", nodes.len());
    }
}

/// Deep frames: whatever a function needs of the engine's stack, the limits end it, not the engine.
#[test]
fn the_engines_stack_is_never_the_limit() {
    // Many constants, calls with many operands, blocks with many results.
    let constants: String = (0..2000)
        .map(|n| format!("i64.const {} ", 1_000_003 * (n + 1)))
        .collect();
    let adds = "i64.add ".repeat(1999);
    let floats: String = (0..500).map(|n| format!("f64.const {n}.5 ")).collect();
    let sums = "f64.add ".repeat(499);
    let vectors: String = (0..300)
        .map(|n| format!("v128.const i64x2 {n} {n} "))
        .collect();
    let ands = "v128.and ".repeat(299);
    let many = "(param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)";
    let gets: String = (0..12).map(|n| format!("local.get {n} ")).collect();
    for (name, function) in [
        (
            "constants",
            format!("(func $f {constants} {adds} drop call $f)"),
        ),
        ("floats", format!("(func $f {floats} {sums} drop call $f)")),
        (
            "vectors",
            format!("(func $f {vectors} {ands} drop call $f)"),
        ),
        (
            "under a call",
            format!("(func $f (result i64) {constants} call $f {adds} i64.add)"),
        ),
        (
            "parameters",
            format!(
                "(func $g {many} {gets} call $g) (func $f {} call $g)",
                "i64.const 1 ".repeat(12)
            ),
        ),
        (
            "vector locals",
            format!("(func $f (local {}) call $f)", "v128 ".repeat(500)),
        ),
        (
            "locals",
            format!("(func $f (local {}) call $f)", "i32 ".repeat(5000)),
        ),
        ("one", "(func $f call $f)".to_owned()),
        (
            "grow",
            "(func $f i32.const 0 memory.grow drop call $f)".to_owned(),
        ),
    ] {
        let drop = if name == "under a call" { "drop" } else { "" };
        let module = load(&format!(
            "(module (memory (export \"memory\") 1) {function} (func (export \"_start\") call $f {drop}))"
        ));
        for (call, frame) in [
            (None, None),
            (Some(1 << 20), Some(256 << 20)),
            (Some(1 << 20), Some(1 << 20)),
        ] {
            let limits = Limits {
                call,
                frame,
                ..Limits::default()
            };
            let task = Task {
                limits,
                ..Task::default()
            };
            let mut run = Run::start(&module, &task).expect("it can be started");
            while run.slice(1_000_000) != State::Done {}
            let outcome = run.outcome().expect("it is done");
            assert!(
                matches!(
                    outcome,
                    Outcome::CallDepthExceeded { .. } | Outcome::FrameExceeded { .. }
                ),
                "{name}, call {call:?}, frame {frame:?}: {outcome:?}"
            );
        }
    }
}

/// Many tables can't take what one can't.
#[test]
fn tables_grow_within_one_bound() {
    let tables = "(table 0 funcref)".repeat(20);
    let grow: String = (0..20)
        .map(|index| {
            // All six million for the first, -1 for the others; then nothing more.
            let expected = if index == 0 { 0 } else { -1 };
            format!(
                "ref.null func i32.const 6000000 table.grow {index}
                 i32.const {expected} i32.ne if unreachable end\n"
            )
        })
        .collect();
    let module = load(&format!(
        r#"(module {tables} (func (export "_start") {grow}
            ref.null func i32.const 4000000 table.grow 1 if unreachable end
            ref.null func i32.const 1 table.grow 2 i32.const -1 i32.ne if unreachable end))"#
    ));
    let (outcome, _) = run(&module, 1 << 40);
    assert_eq!(outcome, Outcome::Exit { code: 0 });
}
