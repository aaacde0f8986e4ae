//! Runs the directives of one file.

use crate::expect::{argument, fits, fits_trap};
use crate::support::{End, Host, call, end_of, grant, metering_import, value};
use crate::{How, Outcome};
use std::collections::HashMap;
use verirun::meter::{Bounds, Limit, Options, instrument};
use wasmi::{
    Config, Engine, Extern, Func, FuncType, Global, Instance, Memory, MemoryType, Module,
    Mutability, Ref, RefType, Store, Table, TableType, Val, ValType,
};
use wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, Wat};

/// Nested calls before a call counts as endless: more than any test needs, and less than either wasmi's stack holds.
const MOST_CALLS: u64 = 10_000;

/// A store, and what the file has put into it so far.
pub struct Runner {
    how: How,
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
    /// With nothing but the suite's own module.
    pub fn new(how: How) -> Self {
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
    pub fn directive(&mut self, directive: WastDirective<'_>) -> (Outcome, bool) {
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
            WastDirective::AssertTrap { exec, message, .. } => {
                let outcome = self.execute(exec);
                let passed = match &outcome {
                    Outcome::End(End::Trap(kind)) => fits_trap(kind, message),
                    _ => false,
                };
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
