//! What instrumentation costs, in bytes written and held, and that it takes large and deep modules.

use crate::build::{put, with_code};
use crate::shapes::{SHAPES, SMALL_LOOP};
use crate::{options, options_for, peak_of, run};
use verirun::meter::{Detail, Options, Target, instrument};
use verirun::{Module, Outcome};
use wasm_encoder::{Instruction as I, ValType};

/// Bytes out and bytes held, for a module of a shape.
fn cost(wasm: &[u8], options: &Options) -> (usize, usize) {
    let (made, peak) = peak_of(|| instrument(wasm, options));
    (made.expect("it can be instrumented").wasm.len(), peak)
}

/// Bytes out for a byte in, and bytes held meanwhile, at the very worst.
const MOST_OUTPUT: usize = 30;
const MOST_HELD: usize = 150;

#[test]
fn instrumentation_is_linear() {
    let ways = [Target::Compiler, Target::Interpreter]
        .map(|target| [Detail::Fast, Detail::Exact].map(|detail| options_for(target, detail)));
    for (name, make) in SHAPES {
        for options in ways.as_flattened() {
            let sizes = [20_000, 40_000, 60_000].map(|n| (make(n).len(), cost(&make(n), options)));
            let [(in1, (out1, peak1)), (in2, (out2, _)), (in3, (out3, peak3))] = sizes;
            let what = format!("{name} ({:?}, {:?})", options.target, options.detail);
            eprintln!("{what}: {in3} bytes in, {out3} out, {peak3} held");
            // As much more output for as much more input, but for the length of numbers.
            assert!(
                out3 - out2 <= (out2 - out1) * 21 / 20 + 64,
                "{what}: {sizes:?}"
            );
            assert!(in3 > in2 && in2 > in1);
            // Buffers double when they are full: what is held is linear but for a factor of two.
            assert!(peak3 <= 2 * 3 * peak1, "{what}: {sizes:?}");
            assert!(out3 <= MOST_OUTPUT * in3 + 4096, "{what}: {sizes:?}");
            assert!(peak3 <= MOST_HELD * in3 + (1 << 20), "{what}: {sizes:?}");
        }
    }
}

/// Bytes of the longest function's code, without what says where locals begin.
fn longest(wasm: &[u8]) -> usize {
    use wasmparser::{Parser, Payload};
    let bodies =
        Parser::new(0)
            .parse_all(wasm)
            .filter_map(|payload| match payload.expect("it is valid") {
                Payload::CodeSectionEntry(body) => Some(body.range().end - body.range().start),
                _ => None,
            });
    bodies.max().unwrap_or(0) as usize
}

/// What engines accept of a function's code.
const MOST_CODE: usize = 7_654_321;

/// Copies of loops are left out where a function would become too large with them: whether a compiler
/// takes it must not depend on them.
#[test]
fn copies_of_loops_take_no_function_past_the_bound() {
    let make = |longer: usize, loops: usize| {
        with_code(vec![(1, ValType::V128)], |out| {
            let dot = I::I16x8RelaxedDotI8x16I7x16S;
            put(out, longer, &[I::LocalGet(0), I::LocalGet(0), dot, I::Drop]);
            put(out, loops, SMALL_LOOP);
        })
    };
    // How it is without copies: where the state is shown there are none.
    let plain = Options {
        state: true,
        ..options(Detail::Fast)
    };
    let loops = 3000;
    let size = |longer: usize, options: &Options| {
        instrument(&make(longer, loops), options)
            .map(|made| longest(&made.wasm))
            .map_err(|error| error.to_string())
    };
    let (one, two) = (size(1000, &plain), size(2000, &plain));
    let each = (two.expect("it has room") - one.expect("it has room")) / 1000;
    let most = MOST_CODE / each;
    let mut fell_back = false;
    for longer in (most - 2000..most).step_by(250) {
        let (with, without) = (size(longer, &options(Detail::Fast)), size(longer, &plain));
        assert_eq!(
            with.is_ok(),
            without.is_ok(),
            "{longer}: {with:?}, {without:?}"
        );
        let (Ok(with), Ok(without)) = (with, without) else {
            continue;
        };
        assert!(with <= MOST_CODE, "{longer}: {with}");
        // But for a look at the steps, which is not where the state is shown.
        fell_back |= with.abs_diff(without) < 100;
    }
    assert!(fell_back);
}

/// What the interpreter's code has that compilers' has not makes no module too large for it.
#[test]
fn the_interpreter_takes_what_compilers_take() {
    for (name, make) in SHAPES.iter().filter(|shape| shape.0.contains("calls of")) {
        // As many as a compiler takes, but for some.
        let size = |count: usize| {
            let made = instrument(&make(count), &options(Detail::Fast));
            longest(&made.expect("it has room").wasm)
        };
        let count = MOST_CODE / ((size(2000) - size(1000)) / 1000) - 1000;
        let wasm = make(count);
        assert!(size(count) > MOST_CODE * 99 / 100, "{name}");
        let made = instrument(&wasm, &options_for(Target::Interpreter, Detail::Fast));
        let made = made.unwrap_or_else(|error| panic!("{name}, {count} times: {error}"));
        assert!(longest(&made.wasm) <= MOST_CODE, "{name}");
    }
}

/// Nothing here recurses into the module: a small stack is enough for any nesting.
#[test]
fn nesting_does_not_use_our_stack() {
    let deep = |name: &str| {
        let (_, make) = SHAPES
            .iter()
            .find(|shape| shape.0 == name)
            .expect("it is there");
        make(100_000)
    };
    let modules = ["nested blocks", "nested loops", "nested ifs with else"].map(deep);
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let worker = small.spawn(move || {
        for wasm in &modules {
            let module = Module::load("deep.wasm", wasm).expect("it loads");
            let (outcome, _) = run(&module, 1 << 40);
            assert_eq!(outcome, Outcome::Exit { code: 0 });
            module
                .metered(options(Detail::Exact))
                .expect("it can be metered");
        }
    });
    worker.expect("a thread").join().expect("no overflow");
}

#[test]
fn large_modules_can_be_metered() {
    let find = |name: &str| {
        SHAPES
            .iter()
            .find(|shape| shape.0 == name)
            .expect("it is there")
            .1
    };
    for (name, size) in [
        ("one br_table with many targets", 65_520),
        ("functions", 100_000),
        ("exported functions", 100_000),
    ] {
        let module = Module::load("large.wasm", &find(name)(size)).expect("it loads");
        let (outcome, steps) = run(&module, 1 << 40);
        assert_eq!(outcome, Outcome::Exit { code: 0 }, "{name}");
        let expected = if size == 65_520 { 2 } else { 0 };
        assert_eq!(steps, expected, "{name}");
    }
}
