//! Loops as a compiler gets them, in copies that ask for steps together: counted by hand, on wasmtime.

use crate::counts::{PROGRAMS, text};
use crate::engine::{load, looks, run, run_on};
use crate::shape::Shape;
use crate::support::{self, Host, grant, metered, metering_import};
use verirun::engine::{End, Kind};
use verirun::meter::{Bounds, Detail, Limit, Options, Target, instrument};
use verirun::{Choice, Driving, Limits, Module, Outcome, Run, State, Task};
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
    // const; 6 times: get const add tee const lt br_if; const; const
    (
        "between other code",
        "(local i32) i32.const 7 drop loop PAD local.get 0 i32.const 1 i32.add local.tee 0
           i32.const 6 i32.lt_u br_if 0 i32.const 8 drop end i32.const 9 drop",
        1 + 6 * 7 + 2,
    ),
    // Twice: 3 times the inner 7; const set before, get eqz tee br_if behind (its add is the inner one's)
    (
        "in a loop",
        "(local i32 i32) loop i32.const 0 local.set 0 loop PAD local.get 0 i32.const 1 i32.add local.tee 0
           i32.const 3 i32.lt_u br_if 0 end local.get 1 i32.eqz local.tee 1 br_if 0 end",
        2 * (2 + 3 * 7 + 4),
    ),
];

/// How much longer a body is made, and in how many copies a compiler gets it then.
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
        let reference = run(module, Detail::Fast, bounds, u64::MAX);
        for slice in [1, 2, 3, 7, 1000] {
            let ended = run_on(Kind::Wasmtime, module, Detail::Fast, bounds, slice);
            let what = format!("{what}, gas {gas}, slices of {slice}");
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
    if !Kind::Wasmtime.is_there() {
        return;
    }
    for &(name, code, steps) in LOOPS {
        for (more, _) in LENGTHS {
            let module = load(&program(code, more));
            ends_where_it_must(&module, &format!("{name}, {more} longer"), steps);
        }
    }
}

#[test]
fn programs_cost_on_a_compiler_what_the_table_says() {
    if !Kind::Wasmtime.is_there() {
        return;
    }
    for program in PROGRAMS {
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

/// Only a compiler gets copies, and none where checkpoints are taken: these must come in the same
/// places on all engines.
#[test]
fn only_a_compiler_gets_copies() {
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
                        let expected = match (detail, target, state) {
                            (Detail::Fast, Target::Compiler, false) => copies,
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

/// What asks by itself is a checkpoint in any case.
#[test]
fn loops_that_ask_have_no_copies() {
    for body in [
        "call $f",
        "i32.const 0 call_indirect",
        "i32.const 0 i32.const 0 i32.const 0 memory.fill",
        "i32.const 0 memory.grow drop",
    ] {
        let text = format!(
            "(module (memory (export \"memory\") 1) (table funcref (elem $f)) (func $f)
               (func (export \"_start\") loop {body} i32.const 0 br_if 0 end))"
        );
        let wasm = load(&text).wasm;
        let metered = metered(&wasm, Detail::Fast, Target::Compiler);
        let turned = Shape::of(&wasm, &metered.wasm).turned;
        assert!(turned.is_empty(), "{body}: {turned:?}");
    }
}

/// What is held for a function is many times its size, and with copies more.
#[test]
fn loops_of_the_largest_functions_have_no_copies() {
    for (nops, copies) in [((1 << 20) - 100, &[4][..]), (1 << 20, &[])] {
        let code = format!("{} loop i32.const 0 br_if 0 end", "nop ".repeat(nops));
        let wasm = load(&program(&code, 0)).wasm;
        let metered = metered(&wasm, Detail::Fast, Target::Compiler);
        assert_eq!(Shape::of(&wasm, &metered.wasm).turned, copies, "{nops}");
    }
}

/// Loops without an end: a turn takes 5 steps, 7 (or 6), 9 and 7 in turn.
const ENDLESS: &[&str] = &[
    "(local i32) loop PAD local.get 0 i32.const 1 i32.add local.set 0 br 0 end",
    "(local i32) loop PAD local.get 0 i32.const 1 i32.add local.tee 0 i32.eqz br_if 0 br 0 end",
    "(local i32) loop block PAD local.get 0 i32.const 1 i32.add local.tee 0
       i32.const 1 i32.and br_table 0 1 end i32.const 7 drop br 0 end",
];

/// What a compiler gets looks at its steps, wherever in its turns they are used up. It runs on wasmi with
/// fuel: what does not look fails, and does not hang.
#[test]
fn what_never_ends_is_out_of_gas() {
    let mut config = wasmi::Config::default();
    config.consume_fuel(true);
    let engine = wasmi::Engine::new(&config);
    for code in ENDLESS {
        for (more, copies) in LENGTHS {
            let wasm = load(&program(code, more)).wasm;
            let metered = metered(&wasm, Detail::Fast, Target::Compiler);
            let what = format!("{code}, {more} longer");
            let shape = Shape::of(&wasm, &metered.wasm);
            assert_eq!(shape.turned, [copies as u32], "{what}");
            let module = wasmi::Module::new(&engine, &metered.wasm).expect("it is valid");
            // All remainders of four turns.
            for gas in 0..40 {
                let bounds = Bounds {
                    gas,
                    ..Bounds::default()
                };
                let mut store = wasmi::Store::new(&engine, Host::new(bounds, 1));
                store.set_fuel(100_000).expect("fuel is on");
                let imports: Vec<_> = module
                    .imports()
                    .map(|one| metering_import(&mut store, one.module(), one.name()))
                    .collect::<Option<_>>()
                    .expect("it imports nothing else");
                let instance =
                    wasmi::Instance::new(&mut store, &module, &imports).expect("it starts");
                store.data_mut().counter = instance.get_global(&store, &metered.left);
                grant(&mut store, u64::MAX);
                let start = instance.get_func(&store, "_start").expect("it is there");
                let end = support::call(&mut store, start, &[]);
                assert_eq!(end, support::End::Passed(Limit::Gas), "{what}, gas {gas}");
                assert_eq!(store.data().gauge.steps(), gas, "{what}, gas {gas}");
            }
        }
    }
}

/// The same on the engines themselves, in slices.
#[test]
fn what_never_ends_is_out_of_gas_on_the_engines() {
    for code in ENDLESS {
        for (more, _) in LENGTHS {
            let module = load(&program(code, more));
            for kind in [Kind::Interpreter, Kind::Wasmtime] {
                if !kind.is_there() {
                    continue;
                }
                for gas in (0..40).chain([10_000]) {
                    let bounds = Bounds {
                        gas,
                        ..Bounds::default()
                    };
                    for slice in [1, 9, u64::MAX] {
                        let ended = run_on(kind, &module, Detail::Fast, bounds, slice);
                        let what = format!("{code}, {more} longer, {kind:?}, gas {gas}");
                        assert!(
                            matches!(&ended.end, End::Passed(it) if it.limit == Limit::Gas),
                            "{what}: {ended:?}"
                        );
                        assert_eq!(ended.steps, gas, "{what}");
                    }
                }
            }
        }
    }
}

/// A trap in any of the turns, and gas that ends in any: the same outcome at the same step and place.
#[test]
fn a_trap_in_a_copy_is_where_it_is() {
    for (more, _) in LENGTHS {
        for turn in 1..=9 {
            // A turn: const get const add tee const sub div br.
            let code = format!(
                "(local i32) loop PAD i32.const 100 local.get 0 i32.const 1 i32.add local.tee 0
                   i32.const {turn} i32.sub i32.div_u drop br 0 end"
            );
            let module = load(&program(&code, more));
            let steps = 9 * turn;
            let mut places = Vec::new();
            for engine in [Choice::Interpreter, Choice::Compiler] {
                if engine == Choice::Compiler && !Kind::COMPILER.is_there() {
                    continue;
                }
                for gas in 0..=steps + 1 {
                    let task = Task {
                        limits: Limits {
                            gas: Some(gas),
                            ..Limits::default()
                        },
                        ..Task::default()
                    };
                    let driving = Driving {
                        engine,
                        ..Driving::default()
                    };
                    let mut run = Run::start_with(&module, &task, driving).expect("it starts");
                    while run.slice(5) != State::Done {}
                    let what = format!("{more} longer, turn {turn}, gas {gas}, {engine:?}");
                    assert_eq!(run.stats().steps, gas.min(steps), "{what}");
                    match run.outcome() {
                        Some(Outcome::Trap { trap, .. }) => {
                            assert_eq!(trap, "integer_divide_by_zero", "{what}");
                            assert!(gas >= steps, "{what}");
                            places.push(run.place());
                        }
                        Some(Outcome::OutOfGas { .. }) => assert!(gas < steps, "{what}"),
                        other => panic!("{what}: {other:?}"),
                    }
                }
            }
            places.dedup();
            assert!(matches!(&places[..], [Some(_)]), "{places:?}");
        }
    }
}

/// Where the host can look at the guest's state is the same on all engines: between any two steps of
/// loops that have copies elsewhere, and where only long functions ask otherwise.
#[test]
fn checkpoints_are_in_the_same_places() {
    if !Kind::Wasmtime.is_there() {
        return;
    }
    let long = format!(
        "(module (memory (export \"memory\") 1) (func $f {}) (func $g (export \"g\") call $f)
           (func (export \"_start\") call $f call $g call $f))",
        "i32.const 0 drop ".repeat(300)
    );
    // Before the first step, and where `$g` is entered.
    assert_eq!(looks(Kind::Interpreter, &load(&long), 1000), [0, 302]);
    let programs = LOOPS
        .iter()
        .flat_map(|&(_, code, _)| LENGTHS.iter().map(move |&(more, _)| program(code, more)));
    let programs = programs.chain(PROGRAMS.iter().map(text)).chain([long]);
    for text in programs {
        let module = load(&text);
        let [one, other] =
            [Kind::Interpreter, Kind::Wasmtime].map(|kind| looks(kind, &module, 1000));
        assert_eq!(one, other, "{text}");
    }
}
