//! wasmi for `cargo xtask bench`: one program after another, in a browser or natively.

mod meter;
mod wasi;
#[cfg(target_family = "wasm")]
mod web;

use wasi::{Exit, Host};
use wasmi::{CompilationMode, Config, Engine, Error, Linker, Module, Store};

/// How deep calls may nest; as in Verirun.
const MAX_CALLS: usize = 65_536;
/// The most bytes of wasmi's value stack; as in Verirun.
const MAX_STACK: usize = 64 << 20;

/// A program, ready to run as often as one likes.
pub struct Program {
    module: Module,
    linker: Linker<Host>,
    fuel: bool,
}

/// What a run left.
pub struct Outcome {
    /// What the program passed to `proc_exit`; 0 if it returned.
    pub code: i32,
    /// What it wrote to standard output and standard error.
    pub output: Vec<u8>,
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
        wasi::link(&mut linker, &module)?;
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
        let host = Host::new(args.to_vec(), stdin.to_vec());
        let mut store = Store::new(self.module.engine(), host);
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
        let output = std::mem::take(&mut store.data_mut().output);
        Ok(Outcome { code, output })
    }
}
