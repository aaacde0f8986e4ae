//! wasmtime: what the browser's compiler is in the page, for native builds with the feature
//! `wasmtime`.
//!
//! The guest runs on a stack of its own (a fiber), so that it can be left in the middle of a call of
//! the host: a slice ends, or input is waited for, in a host function that is not ready yet, and the
//! next slice goes on from there. No thread is needed, and a guest that is cancelled is unwound when
//! the engine is dropped.
//!
//! What wasmtime does in a way of its own is never a result: [`End::Failed`].

mod shown;

use super::compiled::{self, compile};
use super::{End, Engine, EngineError, Guest, Observer, Place, Slice, Trap};
use crate::meter::{Bounds, Gauge, HOST_MODULE, HostFunction, Limit, Metered, Passed, Ticked};
use crate::task::ModuleKind;
use crate::wasi::{Abi, Call, Exceeded, Function, GuestMemory, Parameter, Reply, System};
use shown::{Shown, look, observed};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use wasmtime::{
    AsContextMut, Caller, Error, Extern, Func, FuncType, Global, Instance, Linker, Memory, Store,
    Val, ValType,
};

/// What answers the guest.
struct Host {
    system: System,
    gauge: Gauge,
    suspended: Option<Suspended>,
    /// Why the observer can't look.
    blind: Option<String>,
}

impl Host {
    /// Notes what the guest has left of its steps.
    fn note(&mut self, left: i64) {
        self.gauge.note(left);
        self.system.steps = self.gauge.steps();
    }
}

/// Why the guest is suspended.
#[derive(Debug, Clone, Copy)]
enum Suspended {
    /// The slice is used up, or the output should be taken first.
    Yield,
    /// Its call waits for input, and is made again.
    Block,
}

/// Why a host function ends the guest.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Interrupt {
    #[error("it exits with {0}")]
    Exit(u32),
    #[error("it passed a limit of the system")]
    Exceeded(Exceeded),
    #[error("it passed a limit that metering enforces")]
    Passed(Passed),
    #[error("there is not enough memory on this device for what the task's limits allow")]
    Lack,
    #[error("the observer can't look; why is in the host")]
    Blind,
    /// Only a mistake of ours: it is never there.
    #[error("the guest ran outside of a slice")]
    Astray,
}

/// The host while the guest runs; the engine has it otherwise. Only one of them is ever running, so
/// nobody waits for the lock: it is there because wasmtime may be told to use threads.
type Slot = Arc<Mutex<Option<Box<Host>>>>;

fn lock(slot: &Slot) -> MutexGuard<'_, Option<Box<Host>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the store holds beside the guest's instance.
struct Data {
    slot: Slot,
    memory: Option<Memory>,
    left: Option<Global>,
    /// What shows the guest's state, if the module does.
    shown: Option<Shown>,
}

/// How a guest ended, and where it was.
struct Ended {
    end: End,
    place: Option<Place>,
}

/// A guest before its first slice.
struct Start {
    store: Store<Data>,
    functions: Vec<Func>,
    place: Option<Global>,
}

/// A guest on wasmtime.
pub struct Wasmtime {
    /// Until the first slice.
    start: Option<Start>,
    /// From then on: the guest, to its end.
    life: Option<Pin<Box<dyn Future<Output = Ended>>>>,
    observer: Option<Box<dyn Observer>>,
    /// There, but while the guest runs.
    host: Option<Box<Host>>,
    slot: Slot,
    done: Option<End>,
    place: Option<Place>,
}

/// Is not ready the first time.
struct Pause {
    seen: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.seen, true) {
            true => Poll::Ready(()),
            // The next slice asks again; nobody needs to be woken.
            false => Poll::Pending,
        }
    }
}

/// Suspends the guest until the next slice.
async fn pause(caller: &Caller<'_, Data>, why: Suspended) {
    if let Some(host) = lock(&caller.data().slot).as_mut() {
        host.suspended = Some(why);
    }
    Pause { seen: false }.await;
}

/// As far as it can be done at once.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// What the guest has left of its steps, if it counts them.
fn left(mut context: impl AsContextMut<Data = Data>) -> Option<i64> {
    let mut context = context.as_context_mut();
    match context.data().left?.get(&mut context) {
        Val::I64(left) => Some(left),
        _ => None,
    }
}

/// Asks the host.
fn ask<T>(
    slot: &Slot,
    question: impl FnOnce(&mut Host) -> Result<T, Interrupt>,
) -> Result<T, Error> {
    match lock(slot).as_mut() {
        Some(host) => question(host).map_err(Error::from),
        None => Err(Interrupt::Astray.into()),
    }
}

/// Makes a call of the guest. Answers what the guest is told, if it can be, and whether the output
/// should be taken first.
fn call_system(caller: &mut Caller<'_, Data>, call: &Call) -> Result<(Option<i32>, bool), Error> {
    let left = left(&mut *caller);
    let (mut bytes, data): (&mut [u8], _) = match caller.data().memory {
        Some(memory) => memory.data_and_store_mut(&mut *caller),
        None => (&mut [], caller.data_mut()),
    };
    ask(&data.slot, |host| {
        if let Some(left) = left {
            host.note(left);
        }
        match host.system.call(call, &mut bytes as &mut dyn GuestMemory) {
            Reply::Return(errno) => {
                Ok((Some(i32::from(errno as u16)), host.system.output.is_full()))
            }
            Reply::Block => Ok((None, false)),
            Reply::Exit(code) => Err(Interrupt::Exit(code)),
            Reply::Exceeded(limit) => Err(Interrupt::Exceeded(limit)),
        }
    })
}

/// The call that a host function was called with.
fn call_of(abi: Abi, function: Function, params: &[Val]) -> Call {
    let mut args = [0; 9];
    for (slot, param) in args.iter_mut().zip(params) {
        *slot = match param {
            Val::I32(value) => u64::from(*value as u32),
            Val::I64(value) => *value as u64,
            // The types below admit nothing else.
            _ => 0,
        };
    }
    Call {
        abi,
        function,
        args,
    }
}

fn answer(results: &mut [Val], value: Val) {
    if let [result] = results {
        *result = value;
    }
}

/// Whether a call may have to wait: for input, or until the output is taken.
fn may_wait(function: Function) -> bool {
    matches!(
        function,
        Function::FdRead | Function::PollOneoff | Function::FdWrite
    )
}

async fn wait_for_call(
    mut caller: Caller<'_, Data>,
    call: Call,
    results: &mut [Val],
) -> Result<(), Error> {
    loop {
        let (value, is_full) = call_system(&mut caller, &call)?;
        match value {
            Some(value) => {
                if is_full {
                    pause(&caller, Suspended::Yield).await;
                }
                answer(results, Val::I32(value));
                return Ok(());
            }
            None => pause(&caller, Suspended::Block).await,
        }
    }
}

fn link_system(linker: &mut Linker<Data>) -> Result<(), Error> {
    let engine = linker.engine().clone();
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
            let ty = FuncType::new(&engine, parameters, results);
            let (module, name) = (abi.module(), function.name());
            if may_wait(function) {
                linker.func_new_async(module, name, ty, move |caller, params, results| {
                    let call = call_of(abi, function, params);
                    Box::new(wait_for_call(caller, call, results))
                })?;
            } else {
                linker.func_new(module, name, ty, move |mut caller, params, results| {
                    let call = call_of(abi, function, params);
                    let (value, _) = call_system(&mut caller, &call)?;
                    // Nothing but the functions above waits.
                    let value = value.ok_or(Interrupt::Astray)?;
                    answer(results, Val::I32(value));
                    Ok(())
                })?;
            }
        }
    }
    Ok(())
}

/// More steps for the guest, in this slice or the next.
async fn tick(mut caller: Caller<'_, Data>, left: i64, function: u32) -> Result<i64, Error> {
    loop {
        let ticked = ask(&caller.data().slot, |host| {
            host.gauge.tick(left, function).map_err(Interrupt::Passed)
        })?;
        match ticked {
            Ticked::More(left) => return Ok(left),
            Ticked::SliceEnd => {
                pause(&caller, Suspended::Yield).await;
                return ask(&caller.data().slot, |host| Ok(host.gauge.grant()));
            }
            Ticked::Checkpoint => look(&mut caller).await?,
        }
    }
}

fn link_meter(linker: &mut Linker<Data>) -> Result<(), Error> {
    for function in HostFunction::ALL {
        let name = function.name();
        match function {
            HostFunction::Tick => linker.func_wrap_async(
                HOST_MODULE,
                name,
                |caller: Caller<'_, Data>, (left, function): (i64, u32)| {
                    Box::new(tick(caller, left, function))
                },
            )?,
            HostFunction::Deeper => linker.func_wrap(
                HOST_MODULE,
                name,
                |caller: Caller<'_, Data>, level: i64, left: i64, function: u32| {
                    ask(&caller.data().slot, |host| {
                        let room = host.gauge.deeper(level, left, function);
                        room.map_err(Interrupt::Passed)
                    })
                },
            )?,
            HostFunction::Grow => linker.func_wrap(
                HOST_MODULE,
                name,
                |caller: Caller<'_, Data>,
                 table: u32,
                 size: u64,
                 delta: u64,
                 most: u64,
                 left: i64,
                 function: u32| {
                    ask(&caller.data().slot, |host| {
                        let amounts = (size, delta, most);
                        let grown = host.gauge.grow(table != 0, amounts, left, function);
                        grown.map(u32::from).map_err(Interrupt::Passed)
                    })
                },
            )?,
            HostFunction::Lack => {
                linker.func_wrap(HOST_MODULE, name, || -> Result<(), Error> {
                    Err(Interrupt::Lack.into())
                })?
            }
        };
    }
    Ok(())
}

fn function(store: &mut Store<Data>, instance: &Instance, name: &str) -> Result<Func, EngineError> {
    let Some(func) = instance.get_func(&mut *store, name) else {
        return Err(EngineError::Refused(format!("`{name}` is not a function")));
    };
    let ty = func.ty(&*store);
    match ty.params().len() + ty.results().len() {
        0 => Ok(func),
        _ => Err(EngineError::Refused(format!(
            "`{name}` must take and return nothing"
        ))),
    }
}

/// Calls the guest's functions one after the other.
async fn live(start: Start) -> Ended {
    let Start {
        mut store,
        functions,
        place,
    } = start;
    let slot = Arc::clone(&store.data().slot);
    let mut end = End::Exit(0);
    for function in functions {
        if let Err(error) = call(&mut store, &slot, function).await {
            end = end_of(&error);
            break;
        }
    }
    // What a trap left behind is as much as was settled.
    if matches!(end, End::Trap { .. }) {
        note(&mut store, &slot);
    }
    let place = place.and_then(|place| match place.get(&mut store) {
        Val::I64(place) => Some(Place {
            function: (place >> 32) as u32,
            offset: place as u32,
        }),
        _ => None,
    });
    Ended { end, place }
}

fn note(store: &mut Store<Data>, slot: &Slot) {
    if let Some(left) = left(store)
        && let Some(host) = lock(slot).as_mut()
    {
        host.note(left);
    }
}

async fn call(store: &mut Store<Data>, slot: &Slot, function: Func) -> Result<(), Error> {
    let granted = ask(slot, |host| Ok(host.gauge.grant()))?;
    if let Some(left) = store.data().left {
        left.set(&mut *store, Val::I64(granted))?;
    }
    function.call_async(&mut *store, &[], &mut []).await?;
    note(store, slot);
    ask(slot, |host| match host.gauge.is_spent() {
        true => Err(Interrupt::Passed(Passed {
            limit: Limit::Gas,
            function: None,
        })),
        false => Ok(()),
    })
}

/// What an error that ends the guest means.
fn end_of(error: &Error) -> End {
    match error.downcast_ref::<Interrupt>() {
        Some(Interrupt::Exit(code)) => return End::Exit(*code),
        Some(Interrupt::Exceeded(limit)) => return End::Exceeded(*limit),
        Some(Interrupt::Passed(passed)) => return End::Passed(*passed),
        Some(failure @ (Interrupt::Lack | Interrupt::Blind | Interrupt::Astray)) => {
            return End::Failed(failure.to_string());
        }
        None => {}
    }
    use wasmtime::Trap as Code;
    match error.downcast_ref::<Code>() {
        Some(Code::UnreachableCodeReached) => Trap::Unreachable.into(),
        Some(Code::MemoryOutOfBounds) => Trap::MemoryOutOfBounds.into(),
        Some(Code::TableOutOfBounds) => Trap::TableOutOfBounds.into(),
        Some(Code::IndirectCallToNull) => Trap::IndirectCallToNull.into(),
        Some(Code::BadSignature) => Trap::IndirectCallTypeMismatch.into(),
        Some(Code::IntegerDivisionByZero) => Trap::IntegerDivideByZero.into(),
        Some(Code::IntegerOverflow) => Trap::IntegerOverflow.into(),
        Some(Code::BadConversionToInteger) => Trap::InvalidConversionToInteger.into(),
        Some(Code::StackOverflow) => {
            End::Failed("wasmtime's stack was full before the task's limits were".to_owned())
        }
        // Traps that no task's operators have, or none at all.
        _ => End::Failed(format!("wasmtime failed: {error:#}")),
    }
}

impl Wasmtime {
    /// Compiles and instantiates an instrumented module over `system`, ready for its first slice.
    ///
    /// # Errors
    /// If wasmtime refuses the module, or it can't be instantiated.
    pub fn new(
        module: &Metered,
        kind: ModuleKind,
        system: System,
        bounds: Bounds,
    ) -> Result<Self, EngineError> {
        let refused = |error: Error| EngineError::Refused(format!("{error:#}"));
        let engine = compiled::engine().map_err(EngineError::Refused)?;
        let compiled = compile(&engine, &module.wasm).map_err(refused)?;
        let slot = Slot::default();
        let data = Data {
            slot: Arc::clone(&slot),
            memory: None,
            left: None,
            shown: None,
        };
        let mut store = Store::new(&engine, data);
        let mut linker = Linker::new(&engine);
        link_system(&mut linker).map_err(refused)?;
        link_meter(&mut linker).map_err(refused)?;
        // No code of the guest runs here: its start function became an export.
        let instance = match at_once(linker.instantiate_async(&mut store, &compiled)) {
            Some(Ok(instance)) => instance,
            Some(Err(error)) => return Err(EngineError::Instantiate(format!("{error:#}"))),
            None => return Err(EngineError::Instantiate("it waited".to_owned())),
        };
        let memory = match instance.get_export(&mut store, "memory") {
            Some(Extern::Memory(memory)) => Some(memory),
            _ => None,
        };
        let left = instance.get_global(&mut store, &module.left);
        let place = module.place.as_ref();
        let place = place.and_then(|name| instance.get_global(&mut store, name));
        store.data_mut().memory = memory;
        store.data_mut().left = left;
        let state = module.state.as_ref();
        store.data_mut().shown = state.and_then(|state| Shown::find(&mut store, &instance, state));
        let mut functions = Vec::new();
        if let Some(start) = &module.start {
            functions.push(function(&mut store, &instance, start)?);
        }
        let exports: &[&str] = match kind {
            ModuleKind::Command => &["_initialize", "_start"],
            ModuleKind::Reactor => &["_initialize"],
        };
        for name in exports {
            if let Some(Extern::Func(_)) = instance.get_export(&mut store, name) {
                functions.push(function(&mut store, &instance, name)?);
            }
        }
        let host = Host {
            system,
            gauge: Gauge::new(bounds, module.memory_pages),
            suspended: None,
            blind: None,
        };
        let start = Start {
            store,
            functions,
            place,
        };
        Ok(Self {
            start: Some(start),
            life: None,
            observer: None,
            host: Some(Box::new(host)),
            slot,
            done: None,
            place: None,
        })
    }

    fn host(&self) -> &Host {
        // The guest runs only within `slice`, and what unwinds through that ends this instance.
        self.host.as_ref().expect("no slice was left in the middle")
    }

    fn host_mut(&mut self) -> &mut Host {
        self.host.as_mut().expect("no slice was left in the middle")
    }
}

impl Engine for Wasmtime {
    fn observe(&mut self, observer: Box<dyn Observer>) -> Result<(), String> {
        self.observer = Some(observer);
        let Some(start) = &mut self.start else {
            return Err("wasmtime has begun to run the program".to_owned());
        };
        *lock(&self.slot) = self.host.take();
        let looked = observed(&mut self.observer, || at_once(look(&mut start.store)));
        self.host = lock(&self.slot).take();
        let blind = self.host_mut().blind.take();
        match (looked, blind) {
            (_, Some(reason)) => Err(reason),
            (Some(looked), None) => looked.map_err(|error| format!("{error:#}")),
            (None, None) => Err("wasmtime waited".to_owned()),
        }
    }

    fn guest(&mut self) -> Option<Box<dyn Guest + '_>> {
        None
    }

    fn slice(&mut self, steps: u64) -> Slice {
        if let Some(end) = &self.done {
            return Slice::Done(end.clone());
        }
        self.host_mut().gauge.begin_slice(steps);
        if let Some(start) = self.start.take() {
            self.life = Some(Box::pin(live(start)));
        }
        *lock(&self.slot) = self.host.take();
        let life = &mut self.life;
        let polled = observed(&mut self.observer, || match life {
            Some(life) => life.as_mut().poll(&mut Context::from_waker(Waker::noop())),
            None => Poll::Pending,
        });
        self.host = lock(&self.slot).take();
        let suspended = self.host_mut().suspended.take();
        let end = match (polled, suspended) {
            (Poll::Ready(ended), _) => {
                self.place = ended.place;
                match self.host_mut().blind.take() {
                    Some(reason) => End::Failed(reason),
                    None => ended.end,
                }
            }
            (Poll::Pending, Some(Suspended::Yield)) => return Slice::Yielded,
            (Poll::Pending, Some(Suspended::Block)) => return Slice::Blocked,
            (Poll::Pending, None) => End::Failed("wasmtime waits for nothing of ours".to_owned()),
        };
        self.done = Some(end.clone());
        Slice::Done(end)
    }

    fn system(&self) -> &System {
        &self.host().system
    }

    fn system_mut(&mut self) -> &mut System {
        &mut self.host_mut().system
    }

    fn gauge(&self) -> &Gauge {
        &self.host().gauge
    }

    fn place(&self) -> Option<Place> {
        self.place
    }
}
