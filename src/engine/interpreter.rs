//! The interpreter (wasmi): everywhere, and the reference.
//!
//! A slice ends when the instrumented module asks for more steps: that host function fails with an
//! error that can be resumed. A WASI call that has to wait for input ends in such an error too: the
//! call is made again, and its result handed to the guest as if it had returned then.

mod link;

use super::translated::translated;
use super::{End, Engine, EngineError, Guest, Observer, Place, Slice, Trap};
use crate::meter::{Bounds, Gauge, Metered, Passed, Profiler, StateExports};
use crate::task::ModuleKind;
use crate::wasi::{Call, Exceeded, GuestMemory, Reply, System};
use link::{link, link_meter, link_profile};
use std::rc::Rc;
use wasmi::errors::HostError;
use wasmi::{
    AsContextMut, Error, Extern, Func, Global, Instance, Linker, Memory, ResumableCall, Store,
    TrapCode, Val,
};

/// What the store holds beside the guest's instance.
struct Host {
    system: System,
    gauge: Gauge,
    profiler: Option<Profiler>,
    memory: Option<Memory>,
    left: Option<Global>,
    /// How often memories and tables have grown since the last interrupt for that.
    grows: u32,
    /// What shows the guest's state, if the module does.
    shown: Option<Rc<Shown>>,
    observer: Option<Box<dyn Observer>>,
    /// Why the observer can't look.
    blind: Option<String>,
}

/// What shows the guest's state.
struct Shown {
    state: StateExports,
    instance: Instance,
    cells: Vec<Func>,
    memories: Vec<Memory>,
}

impl Shown {
    fn find(store: &Store<Host>, instance: &Instance, state: &StateExports) -> Option<Self> {
        let count = state.cells.len() as u32;
        let cells = (0..count).map(|index| instance.get_func(store, &state.cell(index)));
        let memories =
            (0..state.memories).map(|index| instance.get_memory(store, &state.memory(index)));
        Some(Self {
            state: state.clone(),
            instance: *instance,
            cells: cells.collect::<Option<_>>()?,
            memories: memories.collect::<Option<_>>()?,
        })
    }
}

/// A guest whose state is shown.
struct ShownGuest<C> {
    context: C,
    shown: Rc<Shown>,
}

impl<C: AsContextMut<Data = Host>> Guest for ShownGuest<C> {
    fn cells(&mut self) -> Result<Vec<u64>, String> {
        let mut cells = Vec::with_capacity(self.shown.cells.len());
        for cell in &self.shown.cells {
            let mut result = [Val::I64(0)];
            cell.call(&mut self.context, &[], &mut result)
                .map_err(|error| error.to_string())?;
            cells.push(match result {
                [Val::I64(value)] => value as u64,
                // The helpers have no other type.
                _ => 0,
            });
        }
        Ok(cells)
    }

    fn state(&self) -> &StateExports {
        &self.shown.state
    }

    fn flip(&mut self, cell: u32, bits: u64) -> Result<(), String> {
        let params = [Val::I32(cell as i32), Val::I64(bits as i64)];
        let name = self.shown.state.flip(cell);
        let flip = self.shown.instance.get_func(&self.context, &name);
        let flip = flip.ok_or_else(|| format!("the guest has no cell {cell}"))?;
        let flipped = flip.call(&mut self.context, &params, &mut []);
        flipped.map_err(|error| error.to_string())
    }

    fn memories(&self) -> usize {
        self.shown.memories.len()
    }

    fn memory_size(&self, memory: usize) -> u64 {
        let memory = self.shown.memories.get(memory);
        memory.map_or(0, |memory| memory.data_size(&self.context) as u64)
    }

    fn visit(&mut self, memory: usize, each: &mut dyn FnMut(u64, &mut [u8]) -> bool) {
        if let Some(memory) = self.shown.memories.get(memory) {
            each(0, memory.data_mut(&mut self.context));
        }
    }

    fn with_system(&mut self, look: &mut dyn FnMut(&System)) {
        look(&self.context.as_context_mut().data().system);
    }
}

/// Has the observer look at the guest.
fn look(mut context: impl AsContextMut<Data = Host>) -> Result<(), String> {
    let mut access = context.as_context_mut();
    let host = access.data_mut();
    let (Some(mut observer), Some(shown)) = (host.observer.take(), host.shown.clone()) else {
        return Ok(());
    };
    let steps = host.gauge.steps();
    host.system.steps = steps;
    let mut guest = ShownGuest {
        context: &mut context,
        shown,
    };
    let next = observer.look(&mut guest, steps);
    let mut context = context.as_context_mut();
    let host = context.data_mut();
    host.observer = Some(observer);
    host.gauge.look_from(next?);
    Ok(())
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
    /// The slice is used up.
    SliceEnd,
    Passed(Passed),
    /// The engine did not get memory that the limits allow.
    Lack,
    /// The observer can't look; why is in the host.
    Blind,
}

impl std::fmt::Display for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl HostError for Interrupt {}

/// Where the guest is between two slices.
enum State {
    /// To call the first of these functions.
    Ready(Vec<Func>),
    /// In a host function with its interrupt; the functions to call after that.
    Suspended(ResumableCall, Vec<Func>),
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
    place: Option<Global>,
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

/// Tells the gauge and the system how many steps were made. The count is settled at every call.
fn note_steps(mut host: impl AsContextMut<Data = Host>) {
    let mut context = host.as_context_mut();
    if let Some(left) = context.data().left
        && let Val::I64(left) = left.get(&context)
    {
        let host = context.data_mut();
        host.gauge.note(left);
        host.system.steps = host.gauge.steps();
    }
}

impl Interpreter {
    /// Instantiates an instrumented module over `system`, ready for its first slice.
    ///
    /// # Errors
    /// If wasmi refuses the module, or it can't be instantiated.
    pub fn new(
        module: &Metered,
        kind: ModuleKind,
        system: System,
        bounds: Bounds,
    ) -> Result<Self, EngineError> {
        let parsed =
            translated(module, &bounds).map_err(|error| EngineError::Refused(error.to_string()))?;
        let host = Host {
            system,
            gauge: Gauge::new(bounds, module.memory_pages),
            profiler: module.profiled.then(Profiler::default),
            memory: None,
            left: None,
            grows: 0,
            shown: None,
            observer: None,
            blind: None,
        };
        let mut store = Store::new(parsed.engine(), host);
        let mut linker = Linker::new(parsed.engine());
        link(&mut linker)?;
        link_meter(&mut linker)?;
        if module.profiled {
            link_profile(&mut linker)?;
        }
        // No code of the guest runs here: its start function became an export.
        let instance = linker
            .instantiate_and_start(&mut store, &parsed)
            .map_err(|error| EngineError::Instantiate(error.to_string()))?;
        let global = |store: &Store<Host>, name: &str| instance.get_global(store, name);
        let left = global(&store, &module.left);
        let place = module.place.as_ref().and_then(|name| global(&store, name));
        let memory = instance.get_memory(&store, "memory");
        store.data_mut().memory = memory;
        store.data_mut().left = left;
        let shown = module
            .state
            .as_ref()
            .and_then(|state| Shown::find(&store, &instance, state));
        store.data_mut().shown = shown.map(Rc::new);
        let mut functions = Vec::new();
        if let Some(start) = &module.start {
            functions.push(function(&store, &instance, start)?);
        }
        // A command may have constructors of its own to run first; one may be its start function
        // and no more.
        let exports: &[&str] = match kind {
            ModuleKind::Command => &["_initialize", "_start"],
            ModuleKind::Reactor => &["_initialize"],
        };
        for name in exports {
            if let Some(Extern::Func(_)) = instance.get_export(&store, name) {
                functions.push(function(&store, &instance, name)?);
            }
        }
        Ok(Self {
            store,
            state: State::Ready(functions),
            place,
        })
    }

    fn gauge_mut(&mut self) -> &mut Gauge {
        &mut self.store.data_mut().gauge
    }

    /// Calls the first of `functions`.
    fn begin(&mut self, functions: &[Func]) -> Progress {
        let left = self.gauge_mut().grant();
        if let Some(global) = self.store.data().left
            && let Err(error) = global.set(&mut self.store, Val::I64(left))
        {
            return Progress::Went(Err(Error::new(error.to_string())));
        }
        match functions.first() {
            Some(start) => Progress::Went(start.call_resumable(&mut self.store, &[], &mut [])),
            None => Progress::Went(Ok(ResumableCall::Finished)),
        }
    }

    /// Goes on from where the guest was left.
    fn resume(&mut self, suspended: ResumableCall) -> Progress {
        let ResumableCall::HostTrap(trap) = suspended else {
            return Progress::Went(Ok(suspended));
        };
        let interrupt = trap.host_error().downcast_ref::<Interrupt>().copied();
        let ended = |interrupt| Progress::Went(Err(Error::host(interrupt)));
        let value = match interrupt {
            Some(Interrupt::Yield(value)) => Val::I32(value),
            Some(Interrupt::SliceEnd) => Val::I64(self.gauge_mut().grant()),
            Some(Interrupt::Block(call)) => match call_system(&mut self.store, &call) {
                Reply::Return(errno) => Val::I32(i32::from(errno as u16)),
                Reply::Block => return Progress::Waiting(ResumableCall::HostTrap(trap)),
                Reply::Exit(code) => return ended(Interrupt::Exit(code)),
                Reply::Exceeded(limit) => return ended(Interrupt::Exceeded(limit)),
            },
            _ => return Progress::Went(Err(trap.into_host_error())),
        };
        Progress::Went(trap.resume(&mut self.store, &[value], &mut []))
    }

    /// What a guest that went on until it stopped comes to.
    fn stopped(&mut self, call: ResumableCall, mut functions: Vec<Func>) -> Slice {
        match &call {
            ResumableCall::Finished => {
                note_steps(&mut self.store);
                if !functions.is_empty() {
                    functions.remove(0);
                }
                if self.store.data().gauge.is_spent() {
                    return Slice::Done(End::Passed(Passed {
                        limit: crate::meter::Limit::Gas,
                        function: None,
                    }));
                }
                if functions.is_empty() {
                    return Slice::Done(End::Exit(0));
                }
                self.state = State::Ready(functions);
                Slice::Yielded
            }
            ResumableCall::HostTrap(trap) => match trap.host_error().downcast_ref::<Interrupt>() {
                Some(Interrupt::Block(_)) => {
                    self.state = State::Suspended(call, functions);
                    Slice::Blocked
                }
                Some(Interrupt::Yield(_) | Interrupt::SliceEnd) => {
                    self.state = State::Suspended(call, functions);
                    Slice::Yielded
                }
                _ => Slice::Done(end_of(trap.host_error())),
            },
            // Fuel is off.
            ResumableCall::OutOfFuel(_) => Slice::Done(End::Failed(
                "wasmi ran out of fuel, which is off".to_owned(),
            )),
        }
    }
}

fn function(store: &Store<Host>, instance: &Instance, name: &str) -> Result<Func, EngineError> {
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
    fn observe(&mut self, observer: Box<dyn Observer>) -> Result<(), String> {
        self.store.data_mut().observer = Some(observer);
        look(&mut self.store)
    }

    fn guest(&mut self) -> Option<Box<dyn Guest + '_>> {
        let shown = self.store.data().shown.clone()?;
        Some(Box::new(ShownGuest {
            context: &mut self.store,
            shown,
        }))
    }

    fn slice(&mut self, steps: u64) -> Slice {
        self.gauge_mut().begin_slice(steps);
        let (progress, functions) = match std::mem::replace(&mut self.state, State::Running) {
            State::Ready(functions) => (self.begin(&functions), functions),
            State::Suspended(call, functions) => (self.resume(call), functions),
            State::Done(end) => {
                self.state = State::Done(end.clone());
                return Slice::Done(end);
            }
            State::Running => (
                Progress::Went(Err(Error::new("a slice was left in the middle"))),
                Vec::new(),
            ),
        };
        let slice = match progress {
            Progress::Waiting(call) => {
                self.state = State::Suspended(call, functions);
                Slice::Blocked
            }
            Progress::Went(Ok(call)) => self.stopped(call, functions),
            Progress::Went(Err(error)) => Slice::Done(end_of(&error)),
        };
        let slice = match self.store.data_mut().blind.take() {
            Some(reason) => Slice::Done(End::Failed(reason)),
            None => slice,
        };
        if let Slice::Done(end) = &slice {
            // What a trap left behind is as much as was settled.
            if matches!(end, End::Trap { .. }) {
                note_steps(&mut self.store);
            }
            self.state = State::Done(end.clone());
        }
        slice
    }

    fn system(&self) -> &System {
        &self.store.data().system
    }

    fn system_mut(&mut self) -> &mut System {
        &mut self.store.data_mut().system
    }

    fn gauge(&self) -> &Gauge {
        &self.store.data().gauge
    }

    fn profiler(&self) -> Option<&Profiler> {
        self.store.data().profiler.as_ref()
    }

    fn place(&self) -> Option<Place> {
        match self.place?.get(&self.store) {
            Val::I64(place) => Some(Place {
                function: (place >> 32) as u32,
                offset: place as u32,
            }),
            _ => None,
        }
    }
}

/// What an error that ends the guest means.
fn end_of(error: &Error) -> End {
    match error.downcast_ref::<Interrupt>() {
        Some(Interrupt::Exit(code)) => return End::Exit(*code),
        Some(Interrupt::Exceeded(limit)) => return End::Exceeded(*limit),
        Some(Interrupt::Passed(passed)) => return End::Passed(*passed),
        Some(Interrupt::Lack) => {
            return End::Failed(
                "there is not enough memory on this device for what the task's limits allow"
                    .to_owned(),
            );
        }
        _ => {}
    }
    match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable.into(),
        Some(TrapCode::MemoryOutOfBounds) => Trap::MemoryOutOfBounds.into(),
        Some(TrapCode::TableOutOfBounds) => Trap::TableOutOfBounds.into(),
        Some(TrapCode::IndirectCallToNull) => Trap::IndirectCallToNull.into(),
        Some(TrapCode::IntegerDivisionByZero) => Trap::IntegerDivideByZero.into(),
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow.into(),
        Some(TrapCode::BadConversionToInteger) => Trap::InvalidConversionToInteger.into(),
        Some(TrapCode::BadSignature) => Trap::IndirectCallTypeMismatch.into(),
        Some(TrapCode::StackOverflow) => {
            End::Failed("the interpreter's stack was full before the task's limits were".to_owned())
        }
        Some(TrapCode::GrowthOperationLimited | TrapCode::OutOfSystemMemory) => {
            End::Failed("there is not enough memory on this device".to_owned())
        }
        Some(TrapCode::OutOfFuel) | None => End::Failed(error.to_string()),
    }
}
