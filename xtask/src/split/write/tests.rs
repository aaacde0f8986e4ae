//! A small module is split, and both parts are run.

use super::*;
use crate::split::reach::Reached;
use wasmi::{Engine, Extern, Instance, Linker, Store, Val};

/// A function that stays (`double`) and is called by one that goes (`eight`), which is called directly (`run`), through a
/// table (`through`) and from outside; data of both; a global that both count in.
const WHOLE: &str = r#"(module
    (type $of (func (param i32) (result i32)))
    (type $unary (func (result i32)))
    (import "env" "bring" (func $bring))
    (table 3 3 funcref)
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (elem (i32.const 1) $eight $double0)
    (data (i32.const 16) "\01\00\00\00\02\00\00\00\03\00\00\00\04\00\00\00\05\00\00\00\06\00\00\00")
    (func $bringRest (export "bringRest") (call $bring))
    (func $double (param i32) (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i32.mul (local.get 0) (i32.const 2)))
    (func $double0 (result i32) (call $double (i32.load (i32.const 16))))
    (func $eight (export "eight") (result i32) (call $more (i32.const 3)))
    (func $more (param i32) (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (call $double (i32.add (local.get 0) (i32.add (i32.load (i32.const 20)) (i32.load (i32.const 32))))))
    (func $run (export "run") (result i32) (i32.add (call $eight) (i32.const 100)))
    (func $through (export "through") (param i32) (result i32) (call_indirect (type $unary) (local.get 0)))
    (func $peek (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
    (func $count (export "count") (result i32) (global.get $count)))"#;

struct Both {
    store: Store<u32>,
    first: Instance,
}

/// Both parts, the second of which comes when it is asked for.
fn both() -> Both {
    let wasm = wat::parse_str(WHOLE).unwrap();
    let module = Module::read(&wasm).unwrap();
    let stay = [
        "bring",
        "bringRest",
        "double",
        "double0",
        "run",
        "through",
        "peek",
        "count",
    ];
    let reached = Reached {
        functions: stay.map(str::to_owned).into(),
        known: module.names.values().cloned().collect(),
        unused: vec![20..36, 36..40],
    };
    let references = module.references().unwrap();
    let parts = Parts::of(&module, &references, &reached).unwrap();
    let writer = Writer::new(&module, &references, &parts, &reached.unused, "bringRest").unwrap();
    let engine = Engine::default();
    let first = wasmi::Module::new(&engine, &writer.first().unwrap()[..]).unwrap();
    let second = wasmi::Module::new(&engine, &writer.second().unwrap()[..]).unwrap();
    let mut store = Store::new(&engine, 0);
    let mut linker = Linker::<u32>::new(&engine);
    let bring = move |mut caller: wasmi::Caller<'_, u32>| {
        *caller.data_mut() += 1;
        let mut linker = Linker::<u32>::new(caller.engine());
        for import in second.imports() {
            let export = caller
                .get_export(import.name())
                .unwrap_or_else(|| panic!("{}", import.name()));
            linker
                .define(import.module(), import.name(), export)
                .unwrap();
        }
        linker.instantiate_and_start(&mut caller, &second).unwrap();
    };
    linker.func_wrap("env", "bring", bring).unwrap();
    let first = linker.instantiate_and_start(&mut store, &first).unwrap();
    Both { store, first }
}

impl Both {
    fn call(&mut self, name: &str, arguments: &[i32]) -> i32 {
        let arguments: Vec<Val> = arguments.iter().map(|&value| Val::I32(value)).collect();
        let mut results = [Val::I32(0)];
        let Some(Extern::Func(function)) = self.first.get_export(&self.store, name) else {
            panic!("{name} is not exported");
        };
        function
            .call(&mut self.store, &arguments, &mut results)
            .unwrap();
        results[0].i32().unwrap()
    }
}

#[test]
fn what_stays_needs_no_second_part() {
    let mut both = both();
    assert_eq!(both.call("through", &[2]), 2);
    assert_eq!(
        (both.call("peek", &[16]), both.call("peek", &[20])),
        (1, 0),
        "data that goes is not there yet"
    );
    assert_eq!(both.call("count", &[]), 1);
    assert_eq!(*both.store.data(), 0);
}

#[test]
fn what_goes_is_brought_once_however_it_is_called() {
    for first in ["run", "through", "eight"] {
        let mut both = both();
        let mut expected = 0;
        for name in [first, "run", "through", "eight"] {
            let (arguments, more) = (
                if name == "through" { &[1][..] } else { &[] },
                if name == "run" { 100 } else { 0 },
            );
            assert_eq!(
                both.call(name, arguments),
                2 * (3 + 2 + 5) + more,
                "{name} after {first}"
            );
            expected += 2;
            assert_eq!(
                both.call("count", &[]),
                expected,
                "one global for both parts"
            );
        }
        assert_eq!(*both.store.data(), 1);
        assert_eq!((both.call("peek", &[24]), both.call("peek", &[36])), (3, 6));
    }
}

#[test]
fn what_can_not_be_split_is_refused() {
    for (wat, reason) in [
        (
            r#"(module (memory (export "memory") 1) (data "passive"))"#,
            "passive",
        ),
        (
            r#"(module (memory (export "memory") 1) (func $f (drop (ref.func $f))) (elem declare func $f))"#,
            "reference",
        ),
        (
            r#"(module (import "env" "memory" (memory 1)))"#,
            "only functions",
        ),
    ] {
        let wasm = wat::parse_str(wat).unwrap();
        let read =
            Module::read(&wasm).and_then(|module| Ok((module.references()?, module.slots()?)));
        let found = format!(
            "{:#}",
            read.err().unwrap_or_else(|| {
                let module = Module::read(&wasm).unwrap();
                let parts = Parts {
                    stays: vec![true; module.functions.len()],
                    called: BTreeSet::new(),
                };
                Writer {
                    module: &module,
                    references: &[],
                    parts: &parts,
                    loader: 0,
                    needed: BTreeSet::new(),
                    globals: BTreeSet::new(),
                    moved: &[],
                }
                .first()
                .unwrap_err()
            })
        );
        assert!(found.contains(reason), "{wat}: {found}");
    }
}
