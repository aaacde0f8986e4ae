//! The interpreter (wasmi): everywhere, and the reference.
//!
//! Slices are made with wasmi's fuel: a call that runs out of fuel can be resumed. A WASI call that
//! has to wait for input ends in a host error, which can be resumed too: the call is made again,
//! and its result handed to the guest as if it had returned then.

use super::{End, Engine, EngineError, Slice};
use crate::task::{Limits, Module, ModuleKind};
use crate::wasi::{Abi, Call, Exceeded, Function, GuestMemory, Parameter, Reply, System};
use wasmi::errors::HostError;
use wasmi::{
    AsContextMut, Caller, Config, Error, Extern, Func, FuncType, Instance, Linker, Memory,
    ResumableCall, Store, StoreLimits, StoreLimitsBuilder, TrapCode, Val, ValType,
};

/// How deep calls may nest. wasmi keeps its frames on the heap, so depth costs memory, not stack.
const MAX_CALLS: usize = 65_536;
/// The most bytes of wasmi's value stack.
const MAX_STACK: usize = 64 << 20;

/// What the store holds beside the guest's instance.
struct Host {
    system: System,
    limits: StoreLimits,
    memory: Option<Memory>,
}

/// Why a host function interrupts the guest.
#[derive(Debug, Clone, Copy)]
enum Interrupt {
    /// Make this call again when there is input.
    Block(Call),
    /// The call is done; its result is this. The host should take the output first.
    Yield(i32),
    Exit(u32),
    Exceeded(Exceeded),
}

impl std::fmt::Display for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl HostError for Interrupt {}

/// Where the guest is between two slices.
enum State {
    /// Not started; the function to call.
    Ready(Func),
    /// Out of fuel, or in a host function with its interrupt.
    Suspended(ResumableCall),
    Done(End),
    /// Only while a slice runs.
    Running,
}

/// What came of going on.
enum Progress {
    /// The guest ran, and stopped like this.
    Went(Result<ResumableCall, Error>),
    /// It still waits for input.
    Waiting(ResumableCall),
}

/// A guest on wasmi.
pub struct Interpreter {
    store: Store<Host>,
    state: State,
    /// Work done in slices before this one, and the fuel this one started with.
    work: u64,
}

fn engine() -> wasmi::Engine {
    let mut config = Config::default();
    config.consume_fuel(true);
    config.set_max_recursion_depth(MAX_CALLS);
    config.set_max_stack_height(MAX_STACK);
    // Functions are translated when they are first called, which must be free: wasmi can't resume a
    // call that runs out of fuel there.
    config.compilation_mode(wasmi::CompilationMode::LazyTranslation);
    config.fuel_cost(wasmi::CustomFuelCosts {
        bytes_copied_per_fuel: 8,
        fuel_per_bytes_translated: 0,
        fuel_per_bytes_validated: 0,
    });
    wasmi::Engine::new(&config)
}

/// Calls the system with the guest's memory.
fn call_system(mut host: impl AsContextMut<Data = Host>, call: &Call) -> Reply {
    let mut context = host.as_context_mut();
    let memory = context.data().memory;
    match memory {
        Some(memory) => {
            let (mut bytes, host) = memory.data_and_store_mut(&mut context);
            host.system.call(call, &mut bytes as &mut dyn GuestMemory)
        }
        None => {
            let mut bytes: &mut [u8] = &mut [];
            context
                .data_mut()
                .system
                .call(call, &mut bytes as &mut dyn GuestMemory)
        }
    }
}

fn host_function(
    mut caller: Caller<'_, Host>,
    call: &Call,
    results: &mut [Val],
) -> Result<(), Error> {
    let interrupt = match call_system(&mut caller, call) {
        Reply::Return(errno) => {
            let value = i32::from(errno as u16);
            if !caller.data().system.output.is_full() {
                if let [result] = results {
                    *result = Val::I32(value);
                }
                return Ok(());
            }
            Interrupt::Yield(value)
        }
        Reply::Block => Interrupt::Block(*call),
        Reply::Exit(code) => Interrupt::Exit(code),
        Reply::Exceeded(limit) => Interrupt::Exceeded(limit),
    };
    Err(Error::host(interrupt))
}

fn link(linker: &mut Linker<Host>) -> Result<(), EngineError> {
    for abi in [Abi::Preview1, Abi::Unstable] {
        for &function in Function::ALL {
            if Function::find(abi, function.name()).is_none() {
                continue;
            }
            let parameters = function
                .parameters()
                .iter()
                .map(|parameter| match parameter {
                    Parameter::I32 => ValType::I32,
                    Parameter::I64 => ValType::I64,
                });
            let results = function.returns().then_some(ValType::I32);
            let ty = FuncType::new(parameters, results);
            let defined = linker.func_new(
                abi.module(),
                function.name(),
                ty,
                move |caller, params, results| {
                    let mut args = [0; 9];
                    for (slot, param) in args.iter_mut().zip(params) {
                        *slot = match param {
                            Val::I32(value) => u64::from(*value as u32),
                            Val::I64(value) => *value as u64,
                            // The types above admit nothing else.
                            _ => 0,
                        };
                    }
                    host_function(
                        caller,
                        &Call {
                            abi,
                            function,
                            args,
                        },
                        results,
                    )
                },
            );
            defined.map_err(|error| EngineError::Refused(error.to_string()))?;
        }
    }
    Ok(())
}

impl Interpreter {
    /// Instantiates `module` over `system`, ready for its first slice.
    ///
    /// # Errors
    /// If wasmi refuses the module, or it can't be instantiated.
    pub fn new(module: &Module, system: System, limits: &Limits) -> Result<Self, EngineError> {
        let engine = engine();
        let parsed = wasmi::Module::new(&engine, &module.wasm)
            .map_err(|error| EngineError::Refused(error.to_string()))?;
        let pages = limits.memory_pages.unwrap_or(65_536);
        let bytes = usize::try_from(pages.saturating_mul(65_536)).unwrap_or(usize::MAX);
        let host = Host {
            system,
            limits: StoreLimitsBuilder::new().memory_size(bytes).build(),
            memory: None,
        };
        let mut store = Store::new(&engine, host);
        store.limiter(|host| &mut host.limits);
        let mut linker = Linker::new(&engine);
        link(&mut linker)?;
        // Instantiation runs no code of the guest, but may be charged for copying segments.
        set_fuel(&mut store, u64::MAX / 2);
        let instance = linker
            .instantiate_and_start(&mut store, &parsed)
            .map_err(|error| EngineError::Instantiate(error.to_string()))?;
        store.data_mut().memory = instance.get_memory(&store, "memory");
        let start = start_function(&store, &instance, module.info.kind)?;
        Ok(Self {
            store,
            state: State::Ready(start),
            work: 0,
        })
    }

    /// Goes on from where the guest was left.
    fn resume(&mut self, suspended: ResumableCall) -> Progress {
        match suspended {
            ResumableCall::HostTrap(trap) => {
                let interrupt = trap.host_error().downcast_ref::<Interrupt>().copied();
                let value = match interrupt {
                    Some(Interrupt::Yield(value)) => value,
                    Some(Interrupt::Block(call)) => match call_system(&mut self.store, &call) {
                        Reply::Return(errno) => i32::from(errno as u16),
                        Reply::Block => return Progress::Waiting(ResumableCall::HostTrap(trap)),
                        Reply::Exit(code) => {
                            return Progress::Went(Err(Error::host(Interrupt::Exit(code))));
                        }
                        Reply::Exceeded(limit) => {
                            return Progress::Went(Err(Error::host(Interrupt::Exceeded(limit))));
                        }
                    },
                    _ => return Progress::Went(Err(trap.into_host_error())),
                };
                Progress::Went(trap.resume(&mut self.store, &[Val::I32(value)], &mut []))
            }
            ResumableCall::OutOfFuel(call) => {
                // One operator may need more than a slice (filling a gigabyte, say).
                let required = call.required_fuel();
                if self.fuel() < required {
                    set_fuel(&mut self.store, required);
                }
                Progress::Went(call.resume(&mut self.store, &mut []))
            }
            finished => Progress::Went(Ok(finished)),
        }
    }

    fn fuel(&self) -> u64 {
        self.store.get_fuel().unwrap_or(0)
    }
}

fn set_fuel(store: &mut Store<Host>, fuel: u64) {
    // Fails only if the engine does not meter, and `engine` turns that on.
    let set = store.set_fuel(fuel);
    debug_assert!(set.is_ok());
}

fn start_function(
    store: &Store<Host>,
    instance: &Instance,
    kind: ModuleKind,
) -> Result<Func, EngineError> {
    let name = match kind {
        ModuleKind::Command => "_start",
        ModuleKind::Reactor => "_initialize",
    };
    let func = match instance.get_export(store, name) {
        Some(Extern::Func(func)) => func,
        _ => return Err(EngineError::Refused(format!("`{name}` is not a function"))),
    };
    let ty = func.ty(store);
    match (ty.params(), ty.results()) {
        ([], []) => Ok(func),
        _ => Err(EngineError::Refused(format!(
            "`{name}` must take and return nothing"
        ))),
    }
}

impl Engine for Interpreter {
    fn slice(&mut self, steps: u64) -> Slice {
        set_fuel(&mut self.store, steps.max(1));
        let granted = steps.max(1);
        let result = match std::mem::replace(&mut self.state, State::Running) {
            State::Ready(start) => {
                Progress::Went(start.call_resumable(&mut self.store, &[], &mut []))
            }
            State::Suspended(call) => self.resume(call),
            State::Done(end) => {
                self.state = State::Done(end.clone());
                return Slice::Done(end);
            }
            State::Running => Progress::Went(Err(Error::new("a slice was left in the middle"))),
        };
        self.work += granted.saturating_sub(self.fuel());
        let call = match result {
            Progress::Waiting(call) => {
                self.state = State::Suspended(call);
                return Slice::Blocked;
            }
            Progress::Went(Ok(call)) => call,
            Progress::Went(Err(error)) => {
                let end = end_of(&error);
                self.state = State::Done(end.clone());
                return Slice::Done(end);
            }
        };
        let slice = match &call {
            ResumableCall::Finished => Slice::Done(End::Exit(0)),
            ResumableCall::OutOfFuel(_) => Slice::Yielded,
            ResumableCall::HostTrap(trap) => match trap.host_error().downcast_ref::<Interrupt>() {
                Some(Interrupt::Block(_)) => Slice::Blocked,
                Some(Interrupt::Yield(_)) => Slice::Yielded,
                _ => Slice::Done(end_of(trap.host_error())),
            },
        };
        self.state = match &slice {
            Slice::Done(end) => State::Done(end.clone()),
            _ => State::Suspended(call),
        };
        slice
    }

    fn system(&self) -> &System {
        &self.store.data().system
    }

    fn system_mut(&mut self) -> &mut System {
        &mut self.store.data_mut().system
    }

    fn work(&self) -> u64 {
        self.work
    }

    fn memory_pages(&self) -> u64 {
        self.store
            .data()
            .memory
            .map_or(0, |memory| memory.size(&self.store))
    }
}

/// What an error that ends the guest means.
fn end_of(error: &Error) -> End {
    match error.downcast_ref::<Interrupt>() {
        Some(Interrupt::Exit(code)) => return End::Exit(*code),
        Some(Interrupt::Exceeded(limit)) => return End::Exceeded(*limit),
        _ => {}
    }
    let trap = |kind, message: &str| End::Trap {
        kind,
        message: message.to_owned(),
    };
    match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => trap(
            "unreachable",
            "it executed `unreachable` (a panic or an abort, often)",
        ),
        Some(TrapCode::MemoryOutOfBounds) => {
            trap("memory_out_of_bounds", "it accessed memory out of bounds")
        }
        Some(TrapCode::TableOutOfBounds) => {
            trap("table_out_of_bounds", "it accessed a table out of bounds")
        }
        Some(TrapCode::IndirectCallToNull) => trap(
            "indirect_call_to_null",
            "it called through a null function reference",
        ),
        Some(TrapCode::IntegerDivisionByZero) => {
            trap("integer_divide_by_zero", "it divided an integer by zero")
        }
        Some(TrapCode::IntegerOverflow) => {
            trap("integer_overflow", "an integer operation overflowed")
        }
        Some(TrapCode::BadConversionToInteger) => trap(
            "invalid_conversion_to_integer",
            "it converted a float that no integer can hold",
        ),
        Some(TrapCode::BadSignature) => trap(
            "indirect_call_type_mismatch",
            "it called a function through a pointer of another type",
        ),
        Some(TrapCode::StackOverflow) => End::StackExceeded,
        Some(TrapCode::GrowthOperationLimited | TrapCode::OutOfSystemMemory) => End::MemoryExceeded,
        Some(TrapCode::OutOfFuel) | None => trap("host", &error.to_string()),
    }
}
