//! Guests that use our names, our indices and our types: they get no further than with any others.

use crate::{load, options, run};
use verirun::meter::{Detail, MeterError, instrument};
use verirun::{LoadError, Module, Outcome};

#[test]
fn a_guest_can_declare_our_names() {
    // It resets what it takes for the counter, each time around.
    let text = r#"(module
        (global $a (export "verirun:left") (mut i64) (i64.const 5))
        (global $b (export "verirun:left'") (mut i64) (i64.const 5))
        (global (export "verirun:place") (mut i64) (i64.const 5))
        (func (export "verirun:start"))
        (func $s)
        (start $s)
        (func (export "_start")
          loop
            i64.const 0x7fffffffffffffff global.set $a
            i64.const 0x7fffffffffffffff global.set $b
            br 0
          end))"#;
    let module = load(text);
    for detail in [Detail::Fast, Detail::Exact] {
        let metered = module.metered(options(detail)).expect("it can be metered");
        assert_eq!(metered.left, "verirun:left''");
        assert_eq!(metered.start.as_deref(), Some("verirun:start'"));
    }
    let (outcome, steps) = run(&module, 12_345);
    assert!(matches!(outcome, Outcome::OutOfGas { .. }), "{outcome:?}");
    assert_eq!(steps, 12_345);
}

#[test]
fn a_guest_can_not_import_from_us() {
    for import in [
        r#"(func (import "verirun" "tick") (param i64 i32) (result i64))"#,
        r#"(func (import "verirun" "deeper") (param i64 i64 i32) (result i64))"#,
        r#"(func (import "verirun" "grow") (param i32 i64 i64 i64 i64 i32) (result i32))"#,
        r#"(func (import "verirun" "lack"))"#,
        r#"(global (import "verirun" "left") (mut i64))"#,
        r#"(memory (import "verirun" "memory") 1)"#,
    ] {
        let text = format!(r#"(module {import} (func (export "_start")))"#);
        match Module::load("hostile.wat", text.as_bytes()) {
            Err(LoadError::MissingImports { missing, .. }) => {
                assert!(missing[0].contains("verirun"), "{missing:?}");
            }
            other => panic!("{import}: {other:?}"),
        }
    }
}

/// Indices that exist only in the instrumented module are refused in the original.
#[test]
fn a_guest_can_not_name_what_we_add() {
    for code in [
        // Its own global is 0; ours would be 1 to 3.
        "global.get 1 drop",
        "i64.const 0 global.set 1",
        "i64.const 0 global.set 2",
        "i64.const 0 global.set 3",
        // Its own functions are 0 and 1.
        "i64.const 0 i32.const 0 call 2 drop",
        "i64.const 0 i64.const 0 call 5",
        "ref.func 2 drop",
        "i64.const 0 i32.const 0 return_call 2",
        // Its only types are 0 and 1, its only local is 0; what we count in is 1 and 2.
        "i64.const 0 i64.const 0 i32.const 0 call_indirect (type 2)",
        "local.get 1 drop",
        "i64.const 0 local.set 1",
        "i64.const 0 local.set 2",
        "block (type 2) end",
    ] {
        let text = format!(
            "(module (type (func)) (type (func (param i32))) (global (mut i64) (i64.const 0))
               (table 1 funcref) (func (type 0)) (func (export \"_start\") (type 0) (local i32) {code}))"
        );
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{code}: {error}"));
        for detail in [Detail::Fast, Detail::Exact] {
            let made = instrument(&wasm, &options(detail));
            assert!(
                matches!(made, Err(MeterError::Invalid(_))),
                "{code}: {made:?}"
            );
        }
        assert!(
            Module::load("hostile.wasm", &wasm)
                .map_err(drop)
                .and_then(|module| module.metered(options(Detail::Fast)).map_err(drop))
                .is_err()
        );
    }
}

/// A type that looks like a metered one is another type still.
#[test]
fn a_guest_can_not_call_with_the_metered_type() {
    let text = r#"(module
        (type $plain (func))
        (type $ours (func (param i64 i64) (result i64)))
        (table 2 funcref) (elem (i32.const 0) $f $g)
        (func $f) (func $g (type $ours) local.get 0)
        (func (export "_start")
          i64.const -1 i64.const -1 i32.const 1 call_indirect (type $ours) drop
          i64.const 0x7fffffffffffffff i64.const 0 i32.const 0 call_indirect (type $ours) drop))"#;
    let (outcome, steps) = run(&load(text), 1000);
    assert!(
        matches!(&outcome, Outcome::Trap { trap, .. } if trap == "indirect_call_type_mismatch"),
        "{outcome:?}"
    );
    assert_eq!(steps, 4 + 1 + 4);
}
