//! Loops in copies that ask for steps together: counted by hand, on the interpreter and on wasmtime.

use crate::counts::{PROGRAMS, text};
use crate::engine::{load, run, run_on};
use verirun::Module;
use verirun::engine::{End, Kind};
use verirun::meter::{Bounds, Detail, Limit, Options, Target, instrument};
use wasmparser::{Operator, Parser, Payload};

/// Where a loop's body gets operators that cost nothing and make it longer.
const PAD: &str = "PAD";

/// What a loop does, its code, and what it costs. Each adds once.
const LOOPS: &[(&str, &str, u64)] = &[
    // 11 times: get const add tee const lt br_if
    (
        "one way",
        "(local i32) loop PAD local.get 0 i32.const 1 i32.add local.tee 0 i32.const 11 i32.lt_u br_if 0 end",
        77,
    ),
    // get const add tee const and if, then 1, 3, 5, 7, 9: get const lt br_if; 2, 4, 6, 8: br
    (
        "two ways on",
        "(local i32) loop PAD local.get 0 i32.const 1 i32.add local.tee 0 i32.const 1 i32.and
           if local.get 0 i32.const 9 i32.lt_u br_if 1 else br 1 end end",
        5 * 11 + 4 * 8,
    ),
    // 6 times: get const add tee const eq if, get const lt br_if; then the first seven, and const br
    (
        "left in an if, with a value",
        "(local i32) block (result i32) loop (result i32) PAD local.get 0 i32.const 1 i32.add local.tee 0
           i32.const 7 i32.eq if i32.const 5 br 2 end
           local.get 0 i32.const 20 i32.lt_u br_if 0 local.get 0 end end drop",
        6 * 11 + 9,
    ),
    // The same, and left at its end: get add const lt br_if, 6 times; then get
    (
        "left at its end, with a value",
        "(local i32) loop (result i32) PAD local.get 0 i32.const 1 i32.add local.tee 0
           i32.const 6 i32.lt_u br_if 0 local.get 0 end drop",
        6 * 7 + 1,
    ),
    // get const add tee const rem br_table; 3, 6, 9 and 1, 4, 7, 10: get const lt br_if; 2, 5, 8, 11
    // nothing; 12: get const lt br_if return
    (
        "br_table",
        "(local i32) loop block block PAD local.get 0 i32.const 1 i32.add local.tee 0
           i32.const 3 i32.rem_u br_table 0 1 2 end
           local.get 0 i32.const 12 i32.lt_u br_if 1 return end
           local.get 0 i32.const 11 i32.lt_u br_if 0 end",
        7 * 11 + 4 * 7 + 12,
    ),
    // 8 times: get const eq br_if get const add set br; then the first four
    (
        "left first",
        "(local i32) block loop PAD local.get 0 i32.const 8 i32.eq br_if 1
           local.get 0 i32.const 1 i32.add local.set 0 br 0 end end",
        8 * 9 + 4,
    ),
    // Twice: 3 times the inner 7; const set before, get eqz tee br_if behind (its add is the inner one's)
    (
        "in a loop",
        "(local i32 i32) loop i32.const 0 local.set 0 loop PAD local.get 0 i32.const 1 i32.add local.tee 0
           i32.const 3 i32.lt_u br_if 0 end local.get 1 i32.eqz local.tee 1 br_if 0 end",
        2 * (2 + 3 * 7 + 4),
    ),
];

/// What they run on.
const KINDS: [Kind; 2] = [Kind::Interpreter, Kind::Wasmtime];

/// How much longer a body is made, and in how many copies it is written then.
const LENGTHS: [(usize, usize); 4] = [(0, 4), (120, 2), (720, 2), (900, 1)];

fn program(code: &str, more: usize) -> String {
    let code = code.replace(PAD, &"nop ".repeat(more));
    format!("(module (memory (export \"memory\") 1) (func (export \"_start\") {code}))")
}

/// At every limit, in slices of every length, it ends where it must.
fn ends_where_it_must(module: &Module, what: &str, steps: u64) {
    let whole = run(module, Detail::Fast, Bounds::default(), u64::MAX);
    assert_eq!(whole.steps, steps, "{what}");
    let limits: Vec<u64> = match steps {
        0..=150 => (0..=steps).collect(),
        _ => (0..20).chain(steps - 20..=steps).collect(),
    };
    for gas in limits {
        let bounds = Bounds {
            gas,
            ..Bounds::default()
        };
        // It has no copies.
        let reference = run(module, Detail::Exact, bounds, u64::MAX);
        let slices = [1, 2, 3, 7, 1000];
        for (slice, kind) in slices.iter().flat_map(|&it| KINDS.map(|kind| (it, kind))) {
            if !kind.is_there() {
                continue;
            }
            let ended = run_on(kind, module, Detail::Fast, bounds, slice);
            let what = format!("{what}, gas {gas}, slices of {slice}, {kind:?}");
            match &ended.end {
                End::Passed(passed) => assert!(passed.limit == Limit::Gas && gas < steps, "{what}"),
                end => assert!(*end == whole.end && gas == steps, "{what}: {end:?}"),
            }
            assert_eq!(ended.steps, gas, "{what}");
            let peaks = |it: &crate::engine::Ended| (it.calls, it.frame, it.pages);
            assert_eq!(peaks(&ended), peaks(&reference), "{what}");
        }
    }
}

#[test]
fn loops_in_copies_cost_what_the_table_says() {
    for &(name, code, steps) in LOOPS {
        for (more, _) in LENGTHS {
            let module = load(&program(code, more));
            ends_where_it_must(&module, &format!("{name}, {more} longer"), steps);
        }
    }
}

#[test]
fn programs_with_loops_cost_what_the_table_says() {
    for program in PROGRAMS.iter().filter(|it| it.start.contains("loop")) {
        ends_where_it_must(&load(&text(program)), program.name, program.steps);
    }
}

/// How many additions of 32 bits a module has.
fn additions(wasm: &[u8]) -> usize {
    let mut found = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.expect("it is valid") {
            for operator in body.get_operators_reader().expect("it is valid") {
                found += usize::from(matches!(operator, Ok(Operator::I32Add)));
            }
        }
    }
    found
}

/// There are no copies where the count must be exact at every block, and none where checkpoints are taken:
/// these must come in the same places on all engines.
#[test]
fn copies_are_made_where_nothing_needs_more_detail() {
    for &(name, code, _) in LOOPS {
        for (more, copies) in LENGTHS {
            let wasm = load(&program(code, more)).wasm;
            for detail in [Detail::Fast, Detail::Exact] {
                for target in [Target::Compiler, Target::Interpreter] {
                    for state in [false, true] {
                        let options = Options {
                            detail,
                            target,
                            state,
                        };
                        let metered = instrument(&wasm, &options).expect("it can be metered");
                        let expected = match (detail, state) {
                            (Detail::Fast, false) => copies,
                            _ => 1,
                        };
                        let found = additions(&metered.wasm);
                        assert_eq!(found, expected, "{name}, {more} longer, {options:?}");
                    }
                }
            }
        }
    }
}

/// A leaf that costs the same on all ways is for the interpreter like an operator.
#[test]
fn a_loop_that_calls_a_leaf_has_copies_on_the_interpreter() {
    let text = "(module (memory (export \"memory\") 1)
        (func $same (param i32) (result i32) local.get 0)
        (func (export \"_start\") (local i32)
          loop local.get 0 i32.const 1 i32.add call $same local.tee 0 i32.const 11 i32.lt_u br_if 0 end))";
    let module = load(text);
    // 11 times: get const add call get tee const lt br_if
    ends_where_it_must(&module, "with a leaf", 11 * 9);
    for (target, copies) in [(Target::Interpreter, 4), (Target::Compiler, 1)] {
        let options = Options {
            detail: Detail::Fast,
            target,
            state: false,
        };
        let metered = instrument(&module.wasm, &options).expect("it can be metered");
        assert_eq!(additions(&metered.wasm), copies, "{target:?}");
    }
}
