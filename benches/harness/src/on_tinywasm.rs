//! tinywasm, another interpreter that can be compiled to wasm.

use crate::Outcome;
use crate::wasi::{Function, Host, MODULE, Memory, Stop};
use std::cell::RefCell;
use std::rc::Rc;
use tinywasm::engine::{Config, StackConfig};
use tinywasm::types::{ImportKind, Module, WasmValue};
use tinywasm::{Engine, Error, FuncContext, HostFunction, Imports, ModuleInstance, Store};

/// How deep calls may nest; as for wasmi.
const MAX_CALLS: usize = 65_536;
/// The most values on each of its stacks; they grow.
const MAX_VALUES: usize = 8 << 20;

/// A program, ready to run as often as one likes.
pub struct Program {
    module: Module,
}

/// What the host keeps during a run.
struct Data {
    host: Host,
    memory: Option<tinywasm::Memory>,
    /// It has no way to end a program but an error, which can't carry a code.
    exit: Option<i32>,
}

struct Linear<'a> {
    memory: &'a tinywasm::Memory,
    store: &'a mut Store,
}

impl Memory for Linear<'_> {
    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Stop> {
        let read = self.memory.read_exact(self.store, at as usize, into);
        read.map_err(|_| Stop::OutOfBounds)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Stop> {
        let written = self.memory.copy_from_slice(self.store, at as usize, bytes);
        written.map_err(|_| Stop::OutOfBounds)
    }
}

fn call(
    mut context: FuncContext<'_>,
    data: &mut Data,
    function: Function,
    params: &[WasmValue],
) -> Result<i32, Error> {
    let mut args = [0; 9];
    for (slot, param) in args.iter_mut().zip(params) {
        *slot = match param {
            WasmValue::I32(value) => *value as u32,
            WasmValue::I64(value) => *value as u32,
            _ => 0,
        };
    }
    let Data { host, memory, exit } = data;
    let mut memory = Linear {
        memory: memory
            .as_ref()
            .ok_or_else(|| Error::Other("the program exports no memory".to_owned()))?,
        store: context.store_mut(),
    };
    host.call(function, &args, &mut memory)
        .map_err(|stop| match stop {
            Stop::Exit(code) => {
                *exit = Some(code);
                Error::Other("it exits".to_owned())
            }
            Stop::OutOfBounds => Error::Other("memory out of bounds".to_owned()),
        })
}

impl Program {
    /// Loads a program.
    ///
    /// # Errors
    /// If tinywasm refuses it, or its fuel is asked for, which this does not measure.
    pub fn new(wasm: &[u8], fuel: bool) -> Result<Self, Error> {
        if fuel {
            return Err(Error::Other("not measured with fuel".to_owned()));
        }
        Ok(Self {
            module: tinywasm::parse_bytes(wasm)?,
        })
    }

    /// Runs it from the start, in a fresh instance.
    ///
    /// # Errors
    /// If it can't be instantiated, or traps.
    pub fn run(&self, args: &[Vec<u8>], stdin: &[u8]) -> Result<Outcome, Error> {
        let values = StackConfig::dynamic(1 << 15, MAX_VALUES);
        let config = Config::new()
            .with_value_stack_32(values)
            .with_value_stack_64(values)
            .with_value_stack_128(StackConfig::dynamic(1 << 12, MAX_VALUES))
            .with_call_stack(StackConfig::dynamic(1 << 10, MAX_CALLS));
        let mut store = Store::new(Engine::new(config));
        let data = Rc::new(RefCell::new(Data {
            host: Host::new(args.to_vec(), stdin.to_vec()),
            memory: None,
            exit: None,
        }));
        let mut imports = Imports::new();
        for import in &*self.module.imports {
            if let (MODULE, ImportKind::Function(index)) = (&*import.module, &import.kind) {
                let ty = &self.module.func_types[*index as usize];
                let function = Function::named(&import.name);
                let returns = !ty.results().is_empty();
                let data = Rc::clone(&data);
                let host = HostFunction::from_untyped(&mut store, ty, move |context, params| {
                    let errno = call(context, &mut data.borrow_mut(), function, params)?;
                    Ok(returns
                        .then_some(WasmValue::I32(errno))
                        .into_iter()
                        .collect())
                });
                imports.define(MODULE, &import.name, host);
            }
        }
        let instance = ModuleInstance::instantiate(&mut store, &self.module, Some(imports))?;
        data.borrow_mut().memory = instance.memory("memory").ok();
        let start = instance.func::<(), ()>(&store, "_start")?;
        let result = start.call(&mut store, ());
        let mut data = data.borrow_mut();
        let code = match (data.exit, result) {
            (Some(code), _) => code,
            (None, Ok(())) => 0,
            (None, Err(error)) => return Err(error),
        };
        let output = std::mem::take(&mut data.host.output);
        Ok(Outcome { code, output })
    }
}
