//! wasmi, as Verirun has it.

use crate::Outcome;
use crate::meter;
use crate::wasi::{Function, Host, MODULE, Stop};
use wasmi::errors::HostError;
use wasmi::{
    Caller, CompilationMode, Config, Engine, Error, ExternType, Linker, Memory, Module, Store,
    TrapCode, Val,
};

/// How deep calls may nest; as in Verirun.
const MAX_CALLS: usize = 65_536;
/// The most bytes of wasmi's value stack; as in Verirun.
const MAX_STACK: usize = 64 << 20;

/// What a store holds.
pub struct Data {
    host: Host,
    memory: Option<Memory>,
    /// The deepest call and the largest frames of an instrumented module.
    pub peak: (i64, i64),
}

/// The program called `proc_exit`.
#[derive(Debug)]
struct Exit(i32);

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

impl HostError for Exit {}

fn call(caller: &mut Caller<'_, Data>, function: Function, params: &[Val]) -> Result<i32, Error> {
    let memory = caller
        .data()
        .memory
        .ok_or_else(|| Error::new("the program exports no memory"))?;
    let (bytes, data) = memory.data_and_store_mut(caller);
    let mut args = [0; 9];
    for (slot, param) in args.iter_mut().zip(params) {
        *slot = match param {
            Val::I32(value) => *value as u32,
            Val::I64(value) => *value as u32,
            _ => 0,
        };
    }
    data.host
        .call(function, &args, bytes)
        .map_err(|stop| match stop {
            Stop::Exit(code) => Error::host(Exit(code)),
            Stop::OutOfBounds => TrapCode::MemoryOutOfBounds.into(),
        })
}

/// Defines what `module` imports.
fn link(linker: &mut Linker<Data>, module: &Module) -> Result<(), Error> {
    // Some modules import a function twice.
    linker.allow_shadowing(true);
    for import in module.imports() {
        if let (MODULE, ExternType::Func(ty)) = (import.module(), import.ty()) {
            let function = Function::named(import.name());
            linker.func_new(
                MODULE,
                import.name(),
                ty.clone(),
                move |mut caller, params, results| {
                    let errno = call(&mut caller, function, params)?;
                    if let [result] = results {
                        *result = Val::I32(errno);
                    }
                    Ok(())
                },
            )?;
        }
    }
    Ok(())
}

/// A program, ready to run as often as one likes.
pub struct Program {
    module: Module,
    linker: Linker<Data>,
    fuel: bool,
}

impl Program {
    /// Loads a program; functions are translated when they are first called, as in Verirun.
    ///
    /// # Errors
    /// If wasmi refuses it.
    pub fn new(wasm: &[u8], fuel: bool) -> Result<Self, Error> {
        let mut config = Config::default();
        config
            .consume_fuel(fuel)
            .compilation_mode(CompilationMode::LazyTranslation);
        config.set_max_recursion_depth(MAX_CALLS);
        config.set_max_stack_height(MAX_STACK);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker, &module)?;
        meter::link(&mut linker)?;
        Ok(Self {
            module,
            linker,
            fuel,
        })
    }

    /// Runs it from the start, in a fresh instance.
    ///
    /// # Errors
    /// If it can't be instantiated, or traps.
    pub fn run(&self, args: &[Vec<u8>], stdin: &[u8]) -> Result<Outcome, Error> {
        let data = Data {
            host: Host::new(args.to_vec(), stdin.to_vec()),
            memory: None,
            peak: (0, 0),
        };
        let mut store = Store::new(self.module.engine(), data);
        if self.fuel {
            store.set_fuel(u64::MAX / 2)?;
        }
        let instance = self
            .linker
            .instantiate_and_start(&mut store, &self.module)?;
        let memory = instance.get_memory(&store, "memory");
        store.data_mut().memory = memory;
        meter::grant(&mut store, &instance)?;
        let start = instance.get_typed_func::<(), ()>(&store, "_start")?;
        let code = match start.call(&mut store, ()) {
            Ok(()) => 0,
            Err(error) => match error.downcast_ref::<Exit>() {
                Some(Exit(code)) => *code,
                None => return Err(error),
            },
        };
        let output = std::mem::take(&mut store.data_mut().host.output);
        Ok(Outcome { code, output })
    }
}
