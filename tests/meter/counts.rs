//! Counts by hand: what each program costs follows from the published table, and is written beside it.

use crate::engine::{Ended, load, run};
use crate::oracle::{COUNTER, When, count};
use verirun::engine::End;
use verirun::meter::{Bounds, Detail, Limit};

/// A program that ends by itself.
pub struct Program {
    pub name: &'static str,
    /// What stands before `_start`.
    head: &'static str,
    /// The code of `_start`, its locals first.
    pub start: &'static str,
    pub steps: u64,
    calls: u64,
    /// In 8-byte cells.
    cells: u64,
}

const fn program(
    name: &'static str,
    head: &'static str,
    start: &'static str,
    steps: u64,
    calls: u64,
    cells: u64,
) -> Program {
    Program {
        name,
        head,
        start,
        steps,
        calls,
        cells,
    }
}

const MEMORY: &str = r#"(memory (export "memory") 1 4) (data $d "0123456789abcdef")"#;
const TABLE: &str = "(table $t 10 20 funcref) (elem $e func $f $f $f $f) (func $f)";
const FIB: &str = "(func $fib (param i32) (result i32)
    local.get 0 i32.const 2 i32.lt_u
    if (result i32) local.get 0
    else
      local.get 0 i32.const 1 i32.sub call $fib
      local.get 0 i32.const 2 i32.sub call $fib
      i32.add
    end)";
const YIELD: &str = r#"(type $y (func (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (type $y)))
    (memory (export "memory") 1)"#;

const LEAF: &str = "(func $leaf (param i32) (result i32) local.get 0 i32.const 3 i32.add)";

/// Steps are listed in the order of execution; what is not listed costs nothing.
pub const PROGRAMS: &[Program] = &[
    program("nothing", "", "", 0, 1, 0),
    // const
    program(
        "free operators",
        "",
        "nop nop block end loop nop end i32.const 1 drop",
        1,
        1,
        1,
    ),
    // const const add
    program(
        "arithmetic",
        "",
        "i32.const 1 i32.const 2 i32.add drop",
        3,
        1,
        2,
    ),
    // const if const
    program(
        "if, taken",
        "",
        "i32.const 1 if nop i32.const 5 drop end",
        3,
        1,
        1,
    ),
    // const if
    program(
        "if, not taken",
        "",
        "i32.const 0 if i32.const 5 drop i32.const 6 drop end",
        2,
        1,
        1,
    ),
    // const if, 3 const
    program(
        "if with else, taken",
        "",
        "i32.const 1 if i32.const 5 drop i32.const 5 drop i32.const 5 drop else i32.const 6 drop end",
        5,
        1,
        1,
    ),
    // const if, 1 const, 1 const behind
    program(
        "if with else, not taken",
        "",
        "i32.const 0 if i32.const 5 drop i32.const 5 drop i32.const 5 drop else i32.const 6 drop end i32.const 1 drop",
        4,
        1,
        1,
    ),
    // const if(result) const
    program(
        "if with a result",
        "",
        "i32.const 1 if (result i32) i32.const 5 else i32.const 6 i32.const 1 i32.add end drop",
        3,
        1,
        2,
    ),
    // br
    program("br", "", "block br 0 i32.const 1 drop end", 1, 1, 0),
    // const br_if
    program(
        "br_if, taken",
        "",
        "block i32.const 1 br_if 0 i32.const 1 drop end",
        2,
        1,
        1,
    ),
    // const br_if const
    program(
        "br_if, not taken",
        "",
        "block i32.const 0 br_if 0 i32.const 1 drop end",
        3,
        1,
        1,
    ),
    // 10 times: get const add tee const lt br_if
    program(
        "loop",
        "",
        "(local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 10 i32.lt_u br_if 0 end",
        70,
        1,
        3,
    ),
    // 10 times: get const ge br_if, get const add set, br; once more the first four
    program(
        "loop left by br_if",
        "",
        "(local i32) block loop local.get 0 i32.const 10 i32.ge_u br_if 1 local.get 0 i32.const 1 i32.add local.set 0 br 0 end end",
        94,
        1,
        3,
    ),
    // 4 times: the inner loop's 3 times 7, before it const set, behind it get const add tee const lt br_if
    program(
        "loop in a loop",
        "",
        "(local i32 i32) loop i32.const 0 local.set 1 loop local.get 1 i32.const 1 i32.add local.tee 1 i32.const 3 i32.lt_u br_if 0 end local.get 0 i32.const 1 i32.add local.tee 0 i32.const 4 i32.lt_u br_if 0 end",
        120,
        1,
        4,
    ),
    // 3 times: get eqz if (else br), get const sub set, br; then get eqz if return
    program(
        "loop left by return",
        "",
        "(local i32) i32.const 3 local.set 0 loop local.get 0 i32.eqz if return end local.get 0 i32.const 1 i32.sub local.set 0 br 0 end",
        2 + 3 * 8 + 4,
        1,
        3,
    ),
    // const br_table, const const const
    program(
        "br_table, first",
        "",
        "block block block i32.const 0 br_table 0 1 2 end i32.const 1 drop end i32.const 2 drop i32.const 2 drop end",
        5,
        1,
        1,
    ),
    program(
        "br_table, second",
        "",
        "block block block i32.const 1 br_table 0 1 2 end i32.const 1 drop end i32.const 2 drop i32.const 2 drop end",
        4,
        1,
        1,
    ),
    program(
        "br_table, default",
        "",
        "block block block i32.const 2 br_table 0 1 2 end i32.const 1 drop end i32.const 2 drop i32.const 2 drop end",
        2,
        1,
        1,
    ),
    program(
        "br_table, beyond",
        "",
        "block block block i32.const -1 br_table 0 1 2 end i32.const 1 drop end i32.const 2 drop i32.const 2 drop end",
        2,
        1,
        1,
    ),
    // 3 times: get const add tee br_table; (0, 1) go on in the loop, 2 leaves
    program(
        "br_table in a loop",
        "",
        "(local i32) i32.const -1 local.set 0 block loop local.get 0 i32.const 1 i32.add local.tee 0 br_table 0 0 1 end end",
        2 + 3 * 5,
        1,
        3,
    ),
    // const br_table to the function's own label
    program(
        "br_table out of the function",
        "",
        "block i32.const 1 br_table 0 1 end i32.const 1 drop",
        2,
        1,
        1,
    ),
    // call const, twice
    program(
        "calls",
        "(func $f i32.const 1 drop)",
        "call $f call $f",
        4,
        2,
        1,
    ),
    // const call_indirect const
    program(
        "call_indirect",
        "(type $t (func)) (table funcref (elem $f)) (func $f i32.const 1 drop)",
        "i32.const 0 call_indirect (type $t)",
        3,
        2,
        2,
    ),
    // const if return
    program(
        "return",
        "",
        "i32.const 1 if return end i32.const 1 drop",
        3,
        1,
        1,
    ),
    // const const add (behind it: return, with the sum), then drop
    program(
        "return with values",
        "(func $f (result i32 i32) i32.const 9 i32.const 1 i32.const 2 i32.add return)",
        "call $f drop drop",
        1 + 5,
        2,
        2 + 3,
    ),
    // call return_call const; the second replaces the first
    program(
        "return_call",
        "(func $a (local i64 i64 i64) return_call $b) (func $b i32.const 1 drop)",
        "call $a",
        3,
        2,
        3,
    ),
    // call, 100 times: get eqz if else get const sub return_call; the last: get eqz if return
    program(
        "return_call in a circle",
        "(func $a (param i32) local.get 0 i32.eqz if return end local.get 0 i32.const 1 i32.sub return_call $a)",
        "i32.const 100 call $a",
        2 + 100 * 7 + 4,
        2,
        1 + 3,
    ),
    // call, const return_call_indirect, const
    program(
        "return_call_indirect",
        "(type $t (func)) (table funcref (elem $f)) (func $f i32.const 1 drop) (func $a i32.const 0 return_call_indirect (type $t))",
        "call $a",
        4,
        2,
        1,
    ),
    // const const br_if (drop) const
    program(
        "block with a value",
        "",
        "block (result i32) i32.const 1 i32.const 0 br_if 0 drop i32.const 2 end drop",
        4,
        1,
        2,
    ),
    program(
        "block with a value, left",
        "",
        "block (result i32) i32.const 1 i32.const 1 br_if 0 drop i32.const 2 end drop",
        3,
        1,
        2,
    ),
    // const const const br
    program(
        "blocks with values, nested",
        "",
        "block (result i32 i64) block (result i32) i32.const 1 i64.const 2 br 1 end i64.const 3 end drop drop",
        3,
        1,
        2,
    ),
    // const const add const: a block and a loop with parameters
    program(
        "blocks with parameters",
        "",
        "i32.const 1 i32.const 2 block (param i32 i32) (result i32) i32.add loop (param i32) (result i32) end end drop",
        3,
        1,
        2,
    ),
    // call const const
    program(
        "several results",
        "(func $two (result i32 i64) i32.const 1 i64.const 2)",
        "call $two drop drop",
        3,
        2,
        4,
    ),
    // return
    program(
        "dead code",
        "",
        "return i32.const 1 drop block i32.const 1 drop end",
        1,
        1,
        0,
    ),
    // br; what is behind a block that ends in a branch out of it is dead, and validated as if it were not
    program(
        "dead code behind a block",
        "",
        "block block br 1 end i32.const 1 drop i32.const 1 drop end",
        1,
        1,
        1,
    ),
    // const const const fill, 100 / 8
    program(
        "memory.fill",
        MEMORY,
        "i32.const 0 i32.const 7 i32.const 100 memory.fill",
        4 + 12,
        1,
        3,
    ),
    program(
        "memory.fill of less than a step",
        MEMORY,
        "i32.const 0 i32.const 7 i32.const 7 memory.fill",
        4,
        1,
        3,
    ),
    program(
        "memory.copy",
        MEMORY,
        "i32.const 0 i32.const 64 i32.const 800 memory.copy",
        4 + 100,
        1,
        3,
    ),
    // init of 16 bytes, data.drop
    program(
        "memory.init",
        MEMORY,
        "i32.const 0 i32.const 0 i32.const 16 memory.init $d data.drop $d",
        5 + 2,
        1,
        3,
    ),
    program(
        "memory.fill with i64",
        "(memory (export \"memory\") i64 1)",
        "i64.const 0 i32.const 7 i64.const 100 memory.fill",
        4 + 12,
        1,
        3,
    ),
    program(
        "memory.copy from i64 to i32",
        "(memory $a 1) (memory $b i64 1)",
        "i32.const 0 i64.const 0 i32.const 100 memory.copy $a $b",
        4 + 12,
        1,
        3,
    ),
    program(
        "memory.copy from i64 to i64",
        "(memory $a i64 1) (memory $b i64 1)",
        "i64.const 0 i64.const 0 i64.const 100 memory.copy $a $b",
        4 + 12,
        1,
        3,
    ),
    // const null const fill, 5
    program(
        "table.fill",
        TABLE,
        "i32.const 0 ref.null func i32.const 5 table.fill $t",
        4 + 5,
        1,
        3,
    ),
    program(
        "table.copy",
        TABLE,
        "i32.const 0 i32.const 3 i32.const 3 table.copy $t $t",
        4 + 3,
        1,
        3,
    ),
    program(
        "table.init",
        TABLE,
        "i32.const 0 i32.const 0 i32.const 4 table.init $t $e elem.drop $e",
        5 + 4,
        1,
        3,
    ),
    // null const grow, 4; size
    program(
        "table.grow",
        TABLE,
        "ref.null func i32.const 4 table.grow $t drop table.size $t drop",
        4 + 4,
        1,
        2,
    ),
    // it does not grow past its maximum; the attempt costs the same; then: if unreachable
    program(
        "table.grow that fails",
        TABLE,
        "ref.null func i32.const 11 table.grow $t i32.const -1 i32.ne if unreachable end",
        3 + 11 + 3,
        1,
        2,
    ),
    program(
        "table.grow past all tables",
        "(table $t 1 funcref)",
        "ref.null func i32.const 10000000 table.grow $t i32.const -1 i32.ne if unreachable end",
        3 + 10_000_000 + 3,
        1,
        2,
    ),
    // const grow; size
    program(
        "memory.grow",
        MEMORY,
        "i32.const 2 memory.grow drop memory.size drop",
        3,
        1,
        1,
    ),
    program(
        "memory.grow that fails",
        MEMORY,
        "i32.const 9 memory.grow i32.const -1 i32.ne if unreachable end",
        5,
        1,
        2,
    ),
    program(
        "memory.grow that fails, without a maximum",
        "(memory (export \"memory\") 1)",
        "i32.const 65536 memory.grow i32.const -1 i32.ne if unreachable end",
        5,
        1,
        2,
    ),
    // the start function's const const, then _start's const
    program(
        "start function",
        "(start $s) (func $s i32.const 1 drop i32.const 1 drop)",
        "i32.const 1 drop",
        3,
        1,
        1,
    ),
    // call; a host's call is not nested
    program(
        "import, called directly",
        YIELD,
        "call $yield drop",
        1,
        1,
        1,
    ),
    program(
        "import, called through a table",
        "(type $y (func (result i32)))
        (import \"wasi_snapshot_preview1\" \"sched_yield\" (func $yield (type $y)))
        (memory (export \"memory\") 1) (table funcref (elem $yield))",
        "i32.const 0 call_indirect (type $y) drop",
        2,
        1,
        1,
    ),
    // const ref.func set, const call_indirect
    program(
        "import, called through ref.func",
        "(type $y (func (result i32)))
        (import \"wasi_snapshot_preview1\" \"sched_yield\" (func $yield (type $y)))
        (memory (export \"memory\") 1) (table $t 1 funcref) (export \"yield\" (func $yield))",
        "i32.const 0 ref.func $yield table.set $t i32.const 0 call_indirect (type $y) drop",
        5,
        1,
        2,
    ),
    // A frame has room for the function's results, whoever gives them.
    program(
        "import, called last",
        "(type $y (func (result i32)))
        (import \"wasi_snapshot_preview1\" \"sched_yield\" (func $yield (type $y)))
        (memory (export \"memory\") 1) (func $f (type $y) return_call $yield)",
        "call $f drop",
        2,
        2,
        2,
    ),
    // const call; its frame: parameters 2 + 1, locals 2 + 1, operands 0
    program(
        "vectors in a frame",
        "(func $f (param v128 i32) (local v128 f32))",
        "v128.const i64x2 0 0 i32.const 0 call $f",
        3,
        2,
        2 + 6,
    ),
    // an operand counts one cell whatever it is
    program(
        "vectors as operands",
        "",
        "v128.const i64x2 0 0 v128.const i64x2 0 0 i8x16.add drop",
        3,
        1,
        2,
    ),
    // relaxed operators cost as much as others
    program(
        "relaxed operators",
        "",
        "(local v128) local.get 0 local.get 0 local.get 0 f32x4.relaxed_madd local.get 0 i16x8.relaxed_dot_i8x16_i7x16_s drop",
        6,
        1,
        5,
    ),
    // fib(1) 5; fib(n) 13 and both: 10 is 89 leaves at 5 and 88 calls that call at 13; const call
    program(
        "recursion",
        FIB,
        "i32.const 10 call $fib drop",
        2 + 89 * 5 + 88 * 13,
        11,
        1 + 10 * 4,
    ),
    // Leaves: functions that call nothing and are only called by name. const, twice call and 3, const
    program(
        "a leaf of one cost",
        LEAF,
        "i32.const 1 call $leaf call $leaf drop i32.const 7 drop",
        1 + 2 * 4 + 1,
        2,
        1 + 3,
    ),
    // const call, 3 of it, const if
    program(
        "a leaf before a trap that does not come",
        LEAF,
        "i32.const 1 call $leaf drop i32.const 0 if unreachable end",
        2 + 3 + 2,
        2,
        1 + 3,
    ),
    // const call, and get if const, or get if const const add
    program(
        "a leaf of two costs",
        "(func $leaf (param i32) (result i32)
           local.get 0 if (result i32) i32.const 1 else i32.const 2 i32.const 3 i32.add end)",
        "i32.const 1 call $leaf drop i32.const 0 call $leaf drop",
        2 + 3 + 2 + 5,
        2,
        1 + 3,
    ),
    // const call, and an iteration 5
    program(
        "a leaf with a loop",
        "(func $leaf (param i32)
           loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)",
        "i32.const 3 call $leaf i32.const 4 call $leaf",
        2 + 3 * 5 + 2 + 4 * 5,
        2,
        1 + 3,
    ),
    // const if, and two calls of what does nothing
    program(
        "the larger of two leaves is not called",
        "(func $large (local i64 i64 i64 i64)) (func $small)",
        "i32.const 0 if call $large end call $small call $small",
        4,
        2,
        1,
    ),
    // const call; get if get call, 3 of the leaf, call, three times; get if at the bottom. The leaf under the
    // last that calls it has the largest frames.
    program(
        "a leaf below recursion",
        "(func $less (param i32) (result i32) local.get 0 i32.const 1 i32.sub)
         (func $down (param i32) local.get 0 if local.get 0 call $less call $down end)",
        "i32.const 3 call $down",
        2 + 3 * (4 + 3 + 1) + 2,
        5,
        1 + 3 * 2 + 3,
    ),
    // Two calls, each const call and 3 of the leaf, whose level is only new at first.
    program(
        "a leaf at a level that was there before",
        "(func $leaf (param i32) (result i32) local.get 0 i32.const 3 i32.add)
         (func $use i32.const 1 call $leaf drop)",
        "call $use call $use",
        2 * (1 + 2 + 3),
        3,
        1 + 3,
    ),
];

pub fn text(program: &Program) -> String {
    format!(
        "(module {} (func (export \"_start\") {}))",
        program.head, program.start
    )
}

const BOTH: [Detail; 2] = [Detail::Fast, Detail::Exact];

#[test]
fn programs_cost_what_the_table_says() {
    let mut wrong = Vec::new();
    for program in PROGRAMS {
        let module = load(&text(program));
        for detail in BOTH {
            let ended = run(&module, detail, Bounds::default(), u64::MAX);
            let found = (ended.end, ended.steps, ended.calls, ended.frame);
            let expected = (
                End::Exit(0),
                program.steps,
                program.calls,
                8 * program.cells,
            );
            if found != expected {
                wrong.push(format!(
                    "{} ({detail:?}): {found:?}, not {expected:?}",
                    program.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The oracle of the random tests agrees with the hand.
#[test]
fn the_oracle_counts_as_the_table_says() {
    let engine = wasmi::Engine::default();
    for program in PROGRAMS {
        // The oracle has no WASI, and none of our bound on tables.
        if program.head.contains("import") || program.name.contains("past all") {
            continue;
        }
        let wasm = load(&text(program)).wasm;
        for when in [When::Operators, When::Blocks] {
            let module = wasmi::Module::new(&engine, count(&wasm, when)).expect("it is valid");
            let mut store = wasmi::Store::new(&engine, ());
            let instance = wasmi::Instance::new(&mut store, &module, &[]).expect("it is complete");
            let start = instance.get_func(&store, "_start").expect("it is exported");
            start.call(&mut store, &[], &mut []).expect("it ends");
            let counter = instance
                .get_global(&store, COUNTER)
                .expect("it is exported");
            let wasmi::Val::I64(steps) = counter.get(&store) else {
                panic!("the counter is an i64");
            };
            assert_eq!(steps as u64, program.steps, "{} ({when:?})", program.name);
        }
    }
}

/// All that a receipt holds; slices and place may differ.
fn told(ended: &Ended) -> (End, u64, u64, u64, u64) {
    let Ended {
        end,
        steps,
        calls,
        frame,
        pages,
        ..
    } = ended;
    (end.clone(), *steps, *calls, *frame, *pages)
}

#[test]
fn every_gas_limit_ends_a_program_where_it_must() {
    for program in PROGRAMS {
        let module = load(&text(program));
        let whole = run(&module, Detail::Fast, Bounds::default(), u64::MAX);
        // The longest loops are long enough at some limits.
        let limits: Vec<u64> = match program.steps {
            0..=150 => (0..=program.steps).collect(),
            steps => (0..40).chain(steps - 40..=steps).collect(),
        };
        for gas in limits {
            let bounds = Bounds {
                gas,
                ..Bounds::default()
            };
            let mut first = None;
            for detail in BOTH {
                for slice in [1, 2, 3, 7, 1000] {
                    let ended = run(&module, detail, bounds, slice);
                    let what = format!(
                        "{} ({detail:?}), gas {gas}, slices of {slice}",
                        program.name
                    );
                    if gas < program.steps {
                        let End::Passed(passed) = &ended.end else {
                            panic!("{what}: {ended:?}");
                        };
                        assert_eq!(passed.limit, Limit::Gas, "{what}");
                        assert_eq!(ended.steps, gas, "{what}");
                    } else {
                        assert_eq!(told(&ended), told(&whole), "{what}");
                    }
                    // Peaks are those at the step where it ended, whatever the slices.
                    if detail == Detail::Fast {
                        let peaks = (ended.calls, ended.frame, ended.pages);
                        assert_eq!(*first.get_or_insert(peaks), peaks, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn slices_are_as_long_as_asked_for() {
    let module = load(&text(
        PROGRAMS
            .iter()
            .find(|program| program.name == "loop")
            .expect("it is there"),
    ));
    // A slice ends at the first look at the count that is below zero: after two rounds of 7 steps.
    for (detail, slices) in [(Detail::Fast, 5), (Detail::Exact, 6)] {
        let ended = run(&module, detail, Bounds::default(), 7);
        assert_eq!(ended.slices, slices, "{ended:?}");
        assert_eq!(run(&module, detail, Bounds::default(), 1000).slices, 1);
    }
}

/// A program that traps: its code, the trap, and the steps, counted by blocks.
const TRAPS: &[(&str, &str, u64)] = &[
    ("unreachable", "unreachable", 1),
    (
        "unreachable",
        "i32.const 1 drop unreachable i32.const 1 drop",
        2,
    ),
    // The whole block is charged, also what is behind the trap.
    (
        "integer_divide_by_zero",
        "i32.const 1 i32.const 0 i32.div_u drop i32.const 1 drop",
        4,
    ),
    (
        "integer_overflow",
        "i32.const 0x80000000 i32.const -1 i32.div_s drop",
        3,
    ),
    (
        "invalid_conversion_to_integer",
        "f32.const nan i32.trunc_f32_s drop",
        2,
    ),
    (
        "unreachable",
        "i32.const 1 if unreachable end i32.const 1 drop",
        3,
    ),
    (
        "unreachable",
        "i32.const 0 if i32.const 1 drop else unreachable end i32.const 1 drop",
        3,
    ),
    // A block without branches to its end does not end a basic block.
    (
        "memory_out_of_bounds",
        "block i32.const 65536 i32.load drop end i32.const 1 drop",
        3,
    ),
    // One with does.
    (
        "memory_out_of_bounds",
        "block i32.const 0 br_if 0 i32.const 65536 i32.load drop end i32.const 1 drop",
        4,
    ),
    ("memory_out_of_bounds", "i32.const -1 i32.load drop", 2),
    // Bulk operators are charged in full before they act.
    (
        "memory_out_of_bounds",
        "i32.const 0 i32.const 0 i32.const 65544 memory.fill i32.const 1 drop",
        4 + 8193,
    ),
    (
        "memory_out_of_bounds",
        "i32.const 0 i32.const 0 i32.const -1 memory.fill",
        4 + 0x1fff_ffff,
    ),
    (
        "table_out_of_bounds",
        "i32.const 0 ref.null func i32.const 11 table.fill $t",
        4 + 11,
    ),
    ("table_out_of_bounds", "i32.const 10 table.get $t drop", 2),
    (
        "table_out_of_bounds",
        "i32.const 10 call_indirect (type $v)",
        2,
    ),
    (
        "indirect_call_to_null",
        "i32.const 9 call_indirect (type $v)",
        2,
    ),
    (
        "indirect_call_type_mismatch",
        "i32.const 0 call_indirect (type $v) ",
        2,
    ),
    // In the third round; a round is 7 (get const add tee const eq if) and 3 (get const br).
    (
        "unreachable",
        "(local i32) loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const 3 i32.eq if unreachable end br 0 end",
        7 + 1 + 7 + 1 + 7 + 1,
    ),
    // After a call, whose steps are counted.
    ("unreachable", "call $f call $f unreachable", 5),
    // In a callee; of the caller what came before.
    (
        "unreachable",
        "i32.const 1 drop call $trap i32.const 1 drop",
        4,
    ),
];

fn trap_text(code: &str) -> String {
    format!(
        "(module (type $v (func)) (memory (export \"memory\") 1) (table $t 10 funcref)
           (elem (table $t) (i32.const 0) func $other) (func $other (param i64))
           (func $f i32.const 1 drop) (func $trap i32.const 1 drop unreachable)
           (func (export \"_start\") {code}))"
    )
}

#[test]
fn traps_are_counted_by_blocks() {
    for &(kind, code, steps) in TRAPS {
        let module = load(&trap_text(code));
        // A slice may end right before the trap.
        for slice in [u64::MAX, 1, 2, 3, 7] {
            let ended = run(&module, Detail::Exact, Bounds::default(), slice);
            match &ended.end {
                End::Trap { kind: found, .. } => assert_eq!(*found, kind, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
            assert_eq!(ended.steps, steps, "{code}, slices of {slice}");
            assert!(ended.place.is_some(), "{code}");
        }
    }
}

#[test]
fn a_trap_without_gas_for_its_block_is_out_of_gas() {
    use verirun::{Limits, Outcome, Run, State, Task};
    for &(kind, code, steps) in TRAPS {
        let module = load(&trap_text(code));
        let limits = match steps {
            0..100 => (0..=steps).collect(),
            _ => vec![0, 1, steps / 2, steps - 1, steps],
        };
        for gas in limits {
            for slice in [1, 3, 1000] {
                let task = Task {
                    limits: Limits {
                        gas: Some(gas),
                        ..Limits::default()
                    },
                    ..Task::default()
                };
                let mut run = Run::start(&module, &task).expect("it can be started");
                while run.slice(slice) != State::Done {}
                assert_eq!(run.stats().steps, gas, "{code}, gas {gas}");
                match run.outcome() {
                    Some(Outcome::Trap { trap, .. }) => {
                        assert_eq!((trap.as_str(), gas), (kind, steps), "{code}");
                    }
                    Some(Outcome::OutOfGas { .. }) => assert!(gas < steps, "{code}, gas {gas}"),
                    other => panic!("{code}, gas {gas}: {other:?}"),
                }
            }
        }
    }
}

/// Peaks of calls and frames that are allowed, and one less.
#[test]
fn call_and_frame_limits_end_a_program_at_their_edge() {
    for program in PROGRAMS {
        let module = load(&text(program));
        let (calls, frame) = (program.calls, 8 * program.cells);
        let whole = run(&module, Detail::Fast, Bounds::default(), u64::MAX);
        for detail in BOTH {
            let enough = Bounds {
                call: calls,
                frame,
                ..Bounds::default()
            };
            assert_eq!(
                told(&run(&module, detail, enough, 5)),
                told(&whole),
                "{}",
                program.name
            );
            let less = Bounds {
                call: calls - 1,
                ..Bounds::default()
            };
            let ended = run(&module, detail, less, 5);
            assert!(
                matches!(&ended.end, End::Passed(passed) if passed.limit == Limit::Call),
                "{}: {ended:?}",
                program.name
            );
            assert_eq!(ended.calls, calls - 1);
            if frame > 0 {
                let less = Bounds {
                    frame: frame - 1,
                    ..Bounds::default()
                };
                let ended = run(&module, detail, less, 5);
                assert!(
                    matches!(&ended.end, End::Passed(passed) if passed.limit == Limit::Frame),
                    "{}: {ended:?}",
                    program.name
                );
                assert!(ended.frame < frame);
            }
        }
        // At the same step, whatever the detail.
        for less in [
            Bounds {
                call: calls - 1,
                ..Bounds::default()
            },
            Bounds {
                frame: frame.saturating_sub(1),
                ..Bounds::default()
            },
        ] {
            let [fast, exact] = BOTH.map(|detail| run(&module, detail, less, 5));
            assert_eq!(told(&fast), told(&exact), "{}", program.name);
        }
    }
}

#[test]
fn a_memory_limit_ends_a_guest_that_would_ignore_it() {
    let code = "(module (memory (export \"memory\") 1) (memory 1)
        (func (export \"_start\")
          i32.const 2 memory.grow drop i32.const 3 memory.grow 1 drop
          i32.const 1 drop))";
    let module = load(code);
    for detail in BOTH {
        let bounds = |memory_pages| Bounds {
            memory_pages,
            ..Bounds::default()
        };
        let ended = run(&module, detail, bounds(7), u64::MAX);
        assert_eq!((ended.end, ended.steps, ended.pages), (End::Exit(0), 5, 7));
        let ended = run(&module, detail, bounds(6), u64::MAX);
        assert!(matches!(ended.end, End::Passed(passed) if passed.limit == Limit::Memory));
        assert_eq!((ended.steps, ended.pages), (4, 4));
        let ended = run(&module, detail, bounds(3), u64::MAX);
        assert!(matches!(ended.end, End::Passed(passed) if passed.limit == Limit::Memory));
        assert_eq!((ended.steps, ended.pages), (2, 2));
    }
}
