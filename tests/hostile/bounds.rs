//! What is within the bounds of engines runs, and what is past one is refused in clear words.

use crate::build::{many, put, with_code};
use crate::shapes::SHAPES;
use crate::{options, run};
use verirun::meter::{Detail, MeterError, instrument};
use verirun::{Module, Outcome};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction as I, RefType,
    TableSection, TableType, TypeSection, ValType,
};

fn with_locals(groups: Vec<(u32, ValType)>) -> Vec<u8> {
    with_code(groups, |_| {})
}

/// Wasm with a function type of so many parameters and results.
fn with_type(params: usize, results: usize) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
        .ty()
        .function(vec![ValType::I32; params], vec![ValType::I32; results]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    let mut start = Function::new([]);
    for _ in 0..params {
        start.instruction(&I::I32Const(1));
    }
    start.instruction(&I::Call(1));
    for _ in 0..results {
        start.instruction(&I::Drop);
    }
    start.instruction(&I::End);
    code.function(&start);
    let mut function = Function::new([]);
    for _ in 0..results {
        function.instruction(&I::I32Const(1));
    }
    function.instruction(&I::End);
    code.function(&function);
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// What is at a bound of engines has a clear error, and what is just below it runs.
#[test]
fn bounds_are_exact_and_their_errors_clear() {
    let group = |count| vec![(count, ValType::I64)];
    let mixed = |count: u32| -> Vec<(u32, ValType)> {
        (0..count)
            .map(|index| {
                (
                    1,
                    if index % 2 == 0 {
                        ValType::I32
                    } else {
                        ValType::F64
                    },
                )
            })
            .collect()
    };
    for wasm in [
        with_locals(group(29_990)),
        with_locals(mixed(29_990)),
        with_type(998, 1),
        with_type(1, 999),
    ] {
        let module = Module::load("bound.wasm", &wasm).expect("it loads");
        let (outcome, _) = run(&module, 1 << 40);
        assert_eq!(outcome, Outcome::Exit { code: 0 });
        let exact = module
            .metered(options(Detail::Exact))
            .expect("it can be metered");
        wasmi::Module::new(&wasmi::Engine::default(), &exact.wasm).expect("it is valid");
    }
    for (wasm, words) in [
        (
            with_locals(group(29_991)),
            ["function 0", "29991 locals", "29990"],
        ),
        (
            with_locals(group(50_000)),
            ["function 0", "50000 locals", "29990"],
        ),
        (with_type(999, 1), ["type 1", "999 parameters", "998"]),
        (with_type(1000, 1), ["type 1", "1000 parameters", "998"]),
        (with_type(1, 1000), ["type 1", "1000 results", "999"]),
    ] {
        refused(&wasm, &words);
    }
    // Past the bound for all modules the validator's own words are as clear.
    for (wasm, word) in [
        (with_locals(group(50_001)), "too many locals"),
        (with_locals(group(u32::MAX)), "too many locals"),
        (with_type(1001, 1), "params"),
        (with_type(1, 1001), "returns"),
    ] {
        match instrument(&wasm, &options(Detail::Fast)) {
            Err(MeterError::Invalid(error)) => {
                assert!(error.to_string().contains(word), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Asserts that a module is refused, in these words.
fn refused(wasm: &[u8], words: &[&str]) {
    for detail in [Detail::Fast, Detail::Exact] {
        let error = match instrument(wasm, &options(detail)) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it was instrumented; it should say {words:?}"),
        };
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{error}, not {words:?}"
        );
    }
}

/// What metering adds to a module does not take it past what engines accept without a word.
#[test]
fn modules_without_room_are_refused() {
    let (_, types) = SHAPES
        .iter()
        .find(|shape| shape.0 == "types")
        .expect("it is there");
    refused(
        &types(400_000),
        &["400000 types", "which become 1200004", "1000000"],
    );
    refused(
        &many(999_999, 0, 0),
        &["999999 functions", "which become 1000004", "1000000"],
    );
    // Calls of one byte each way, so that a function below the bound becomes one above.
    let calls = with_code(Vec::new(), |out| put(out, 2_000_000, &[I::Call(0)]));
    refused(&calls, &["function 0", "bytes of code", "7654321"]);
    let (_, br_table) = SHAPES
        .iter()
        .find(|shape| shape.0 == "one br_table with many targets")
        .expect("it is there");
    for count in [65_521, 1_000_000] {
        let found = format!("`br_table` with {count} labels");
        refused(&br_table(count), &["function 0", &found, "65520"]);
    }
    // A few bytes each, and all that a host has.
    let tables = |count: usize, minimum| {
        let mut module = wasm_encoder::Module::new();
        let mut section = TableSection::new();
        for _ in 0..count {
            section.table(TableType {
                element_type: RefType::FUNCREF,
                table64: false,
                minimum,
                maximum: None,
                shared: false,
            });
        }
        module.section(&section);
        module.finish()
    };
    refused(
        &tables(1, 10_000_001),
        &["table 0", "10000001 elements", "10000000"],
    );
    refused(
        &tables(100_000, 10_000),
        &["10010000 elements together", "10000000"],
    );
    instrument(&tables(100_000, 100), &options(Detail::Fast)).expect("it has room");
}
