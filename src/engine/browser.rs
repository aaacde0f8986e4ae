//! The browser's own compiler, used through JavaScript (`browser.js` beside this file).
//!
//! The instrumented module is ordinary WebAssembly, so the browser compiles it; what it calls is
//! answered here, by the same [`System`] and the same [`Gauge`] as on the interpreter. A call that
//! ends the run throws, which unwinds the guest; why it ended stays on our side.
//!
//! Where the browser can suspend WebAssembly (JSPI), a slice ends in a call of the guest whose
//! import returns a promise. The guest goes on when that is resolved and JavaScript has returned to
//! its event loop, so a slice has two halves: [`Slice::Pending`], and what came of it.
//!
//! Elsewhere one slice is the whole run: the guest stands on the host's stack, below our own frames,
//! and can't be left there. [`Engine::watch`] is how the caller hears of it meanwhile.
//!
//! What the browser does differently is never a result: [`End::Failed`].

use super::{End, Engine, EngineError, Observer, Place, Slice, Trap, Watch};
use crate::meter::{
    Bounds, Gauge, HOST_MODULE, Limit, Metered, MeteredId, Passed, StateExports, Ticked,
};
use crate::task::ModuleKind;
use crate::wasi::{Abi, Call, Fault, Function, GuestMemory, Parameter, Reply, System};
use js_sys::Error;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Steps between two questions for more: some ten milliseconds.
const TURN: u64 = 20_000_000;
/// Answered to `browser.js` to end the guest; no proper answer is negative.
const STOP: i32 = -1;
/// Answered to suspend it.
const SUSPEND: i32 = -2;

#[wasm_bindgen(module = "/src/engine/browser.js")]
extern "C" {
    type Guest;

    #[wasm_bindgen(catch)]
    fn compile(wasm: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(constructor, catch)]
    fn new(
        module: &JsValue,
        host: &str,
        left: &str,
        place: &str,
        calls: HostCalls,
    ) -> Result<Guest, JsValue>;
    #[wasm_bindgen(method)]
    fn read(this: &Guest, address: u32, into: &mut [u8]);
    #[wasm_bindgen(method)]
    fn write(this: &Guest, address: u32, bytes: &[u8]);
    #[wasm_bindgen(method)]
    fn has(this: &Guest, name: &str) -> bool;
    #[wasm_bindgen(method)]
    fn left(this: &Guest) -> i64;
    #[wasm_bindgen(method)]
    fn place(this: &Guest) -> Option<i64>;
    #[wasm_bindgen(method)]
    fn size(this: &Guest) -> f64;
    #[wasm_bindgen(method)]
    fn run(this: &Guest, name: &str, left: i64) -> JsValue;
    #[wasm_bindgen(method)]
    fn begin(this: &Guest, name: &str, left: i64);
    #[wasm_bindgen(method, js_name = go)]
    fn go_int(this: &Guest, value: i32);
    #[wasm_bindgen(method, js_name = go)]
    fn go_long(this: &Guest, value: i64);
    #[wasm_bindgen(method)]
    fn ended(this: &Guest) -> JsValue;
    #[wasm_bindgen(method, catch)]
    fn cell(this: &Guest, name: &str) -> Result<i64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn flip(this: &Guest, name: &str, cell: u32, bits: i64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, js_name = sizeOf)]
    fn size_of(this: &Guest, memory: &str) -> f64;
    #[wasm_bindgen(method, js_name = readFrom)]
    fn read_from(this: &Guest, memory: &str, address: f64, into: &mut [u8]);
    #[wasm_bindgen(method, js_name = writeTo)]
    fn write_to(this: &Guest, memory: &str, address: f64, bytes: &[u8]);

    /// Whether a guest can be suspended.
    pub fn suspends() -> bool;
    /// Settles when the guest stops that was set going last.
    pub fn back() -> js_sys::Promise;
}

/// The guest's memory: a `WebAssembly.Memory` that is copied from and to, once for each access.
struct Linear<'a> {
    guest: &'a Guest,
    size: u64,
}

impl GuestMemory for Linear<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn view(&self, address: u32, len: u32) -> Result<Cow<'_, [u8]>, Fault> {
        self.check(address, len)?;
        let mut bytes = vec![0; len as usize];
        self.guest.read(address, &mut bytes);
        Ok(Cow::Owned(bytes))
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.check(address, u32::try_from(bytes.len()).map_err(|_| Fault)?)?;
        self.guest.write(address, bytes);
        Ok(())
    }

    fn fill(
        &mut self,
        address: u32,
        len: u32,
        fill: &mut dyn FnMut(&mut [u8]) -> usize,
    ) -> Result<usize, Fault> {
        self.check(address, len)?;
        let mut bytes = vec![0; len as usize];
        let filled = fill(&mut bytes).min(bytes.len());
        self.guest.write(address, &bytes[..filled]);
        Ok(filled)
    }
}

/// Bytes that are copied at a time when a memory is looked at.
const PIECE: usize = 1 << 20;

/// A guest whose state is shown.
struct Shown<'a> {
    guest: &'a Guest,
    state: &'a StateExports,
    system: &'a System,
}

impl super::Guest for Shown<'_> {
    fn cells(&mut self) -> Result<Vec<u64>, String> {
        let cell = |index| self.guest.cell(&self.state.cell(index));
        let cells =
            (0..self.state.cells.len() as u32).map(|index| cell(index).map(|value| value as u64));
        cells
            .collect::<Result<_, _>>()
            .map_err(|error| describe(&error))
    }

    fn state(&self) -> &StateExports {
        self.state
    }

    fn flip(&mut self, cell: u32, bits: u64) -> Result<(), String> {
        let flipped = self.guest.flip(&self.state.flip(cell), cell, bits as i64);
        flipped.map_err(|error| describe(&error))
    }

    fn memories(&self) -> usize {
        self.state.memories as usize
    }

    fn memory_size(&self, memory: usize) -> u64 {
        self.guest.size_of(&self.state.memory(memory as u32)) as u64
    }

    fn visit(&mut self, memory: usize, each: &mut dyn FnMut(u64, &mut [u8]) -> bool) {
        let name = self.state.memory(memory as u32);
        let size = self.memory_size(memory);
        let mut buffer = vec![0; size.min(PIECE as u64) as usize];
        let mut at = 0;
        while at < size {
            let piece = &mut buffer[..(size - at).min(PIECE as u64) as usize];
            self.guest.read_from(&name, at as f64, piece);
            if each(at, piece) {
                self.guest.write_to(&name, at as f64, piece);
            }
            at += piece.len() as u64;
        }
    }

    fn with_system(&mut self, look: &mut dyn FnMut(&System)) {
        look(self.system);
    }
}

/// Why the guest is suspended.
#[derive(Debug, Clone, Copy)]
enum Suspended {
    /// The slice is used up.
    SliceEnd,
    /// Its call waits for input, and is to be made again.
    Block(Call),
    /// Its call is done and returns this; the output should be taken first.
    Yield(i32),
}

/// What answers the guest.
struct Host {
    suspends: bool,
    suspended: Option<Suspended>,
    system: System,
    gauge: Gauge,
    watch: Option<Watch>,
    /// Why the guest was ended, if it was.
    end: Option<End>,
    /// Shared with the engine; there once the module is instantiated.
    guest: Option<Rc<Guest>>,
    /// What shows the guest's state, if the module does.
    state: Option<StateExports>,
    observer: Option<Box<dyn Observer>>,
}

impl Host {
    fn note(&mut self, left: i64) {
        self.gauge.note(left);
        self.system.steps = self.gauge.steps();
    }

    fn stop(&mut self, end: End) -> i32 {
        self.end = Some(end);
        STOP
    }

    fn look(&mut self) {
        // A guest that can be suspended comes back often enough.
        if let Some(watch) = &mut self.watch
            && !self.suspends
        {
            watch(&mut self.system, &self.gauge);
        }
    }

    /// Has the observer look at the guest.
    fn observe(&mut self) -> Result<(), String> {
        let steps = self.gauge.steps();
        self.system.steps = steps;
        let (Some(guest), Some(state), Some(observer)) =
            (&self.guest, &self.state, &mut self.observer)
        else {
            return Ok(());
        };
        let mut shown = Shown {
            guest,
            state,
            system: &self.system,
        };
        let next = observer.look(&mut shown, steps)?;
        self.gauge.look_from(next);
        Ok(())
    }

    fn suspend(&mut self, why: Suspended) -> i32 {
        self.suspended = Some(why);
        SUSPEND
    }

    fn call(&mut self, call: &Call, size: u64) -> i32 {
        let reply = match &self.guest {
            Some(guest) => {
                let mut memory = Linear { guest, size };
                self.system.call(call, &mut memory as &mut dyn GuestMemory)
            }
            // No code of the guest runs before it is instantiated.
            None => return self.stop(End::Failed("it called too early".to_owned())),
        };
        match reply {
            Reply::Return(errno) => {
                let value = i32::from(errno as u16);
                if self.suspends && may_suspend(call.function) && self.system.output.is_full() {
                    return self.suspend(Suspended::Yield(value));
                }
                self.look();
                value
            }
            Reply::Exit(code) => self.stop(End::Exit(code)),
            Reply::Exceeded(limit) => self.stop(End::Exceeded(limit)),
            Reply::Block if self.suspends => self.suspend(Suspended::Block(*call)),
            Reply::Block => self.stop(End::Failed(
                "the browser's engine can't wait for input".to_owned(),
            )),
        }
    }

    fn tick(&mut self, left: i64, function: u32) -> i64 {
        match self.gauge.tick(left, function) {
            Ok(Ticked::More(left)) => left,
            Ok(Ticked::SliceEnd) if self.suspends => self.suspend(Suspended::SliceEnd).into(),
            Ok(Ticked::SliceEnd) => {
                self.system.steps = self.gauge.steps();
                self.look();
                self.gauge.begin_slice(TURN);
                self.gauge.grant()
            }
            Ok(Ticked::Checkpoint) => match self.observe() {
                Ok(()) => self.tick(left, function),
                Err(reason) => self.stop(End::Failed(reason)).into(),
            },
            Err(passed) => self.stop(End::Passed(passed)).into(),
        }
    }
}

/// As `browser.js` has it.
fn may_suspend(function: Function) -> bool {
    matches!(
        function,
        Function::FdRead | Function::PollOneoff | Function::FdWrite
    )
}

/// The host while the guest runs; the engine has it otherwise.
type Slot = Rc<Cell<Option<Box<Host>>>>;

/// What `browser.js` calls when the guest calls.
#[wasm_bindgen(skip_typescript)]
pub struct HostCalls {
    slot: Slot,
}

impl HostCalls {
    fn with<T: From<i32>>(&self, answer: impl FnOnce(&mut Host) -> T) -> T {
        let Some(mut host) = self.slot.take() else {
            return STOP.into();
        };
        let answer = answer(&mut host);
        self.slot.set(Some(host));
        answer
    }
}

/// Functions of WASI by number: those of preview1, then those of `wasi_unstable`.
fn function(index: u32) -> Option<(Abi, Function)> {
    let count = Function::ALL.len();
    let (abi, at) = match index as usize {
        at if at < count => (Abi::Preview1, at),
        at => (Abi::Unstable, at - count),
    };
    Function::ALL.get(at).map(|&function| (abi, function))
}

#[wasm_bindgen]
impl HostCalls {
    /// The number of a function; one that is not there is refused when it is called.
    pub fn find(&self, module: &str, name: &str) -> u32 {
        let index = Abi::from_module(module).and_then(|abi| {
            let found = Function::find(abi, name)?;
            let at = Function::ALL.iter().position(|&one| one == found)?;
            let base = match abi {
                Abi::Preview1 => 0,
                Abi::Unstable => Function::ALL.len(),
            };
            Some((base + at) as u32)
        });
        index.unwrap_or(u32::MAX)
    }

    /// A letter for each parameter: `i` for i32, `l` for i64.
    pub fn parameters(&self, index: u32) -> String {
        let parameters = function(index).map_or(&[][..], |(_, function)| function.parameters());
        let letters = parameters.iter().map(|parameter| match parameter {
            Parameter::I32 => 'i',
            Parameter::I64 => 'l',
        });
        letters.collect()
    }

    /// Makes a call of the guest, whose memory has `size` bytes and which has `left` steps left.
    /// Its i32 arguments are in `a` to `g`, its i64 ones in `l` and `m`. Answers an errno, or a
    /// negative number to end the guest.
    #[expect(
        clippy::too_many_arguments,
        reason = "objects would cost more than the call"
    )]
    pub fn call(
        &self,
        index: u32,
        size: f64,
        left: i64,
        a: u32,
        b: u32,
        c: u32,
        d: u32,
        e: u32,
        f: u32,
        g: u32,
        l: i64,
        m: i64,
    ) -> i32 {
        self.with(|host| {
            let Some((abi, function)) = function(index) else {
                return host.stop(End::Failed("it called what is not there".to_owned()));
            };
            host.note(left);
            let mut ints = [a, b, c, d, e, f, g].into_iter();
            let mut longs = [l, m].into_iter();
            let mut args = [0; 9];
            for (slot, parameter) in args.iter_mut().zip(function.parameters()) {
                *slot = match parameter {
                    Parameter::I32 => ints.next().map_or(0, u64::from),
                    Parameter::I64 => longs.next().map_or(0, |long| long as u64),
                };
            }
            let call = Call {
                abi,
                function,
                args,
            };
            host.call(&call, size as u64)
        })
    }

    /// [`crate::meter::HostFunction::Tick`]
    pub fn tick(&self, left: i64, function: u32) -> i64 {
        self.with(|host| host.tick(left, function))
    }

    /// [`crate::meter::HostFunction::Deeper`]
    pub fn deeper(&self, level: i64, left: i64, function: u32) -> i64 {
        self.with(|host| match host.gauge.deeper(level, left, function) {
            Ok(room) => room,
            Err(passed) => host.stop(End::Passed(passed)).into(),
        })
    }

    /// [`crate::meter::HostFunction::Grow`]
    pub fn grow(
        &self,
        table: i32,
        size: i64,
        delta: i64,
        max: i64,
        left: i64,
        function: u32,
    ) -> i32 {
        let amounts = (size as u64, delta as u64, max as u64);
        self.with(
            |host| match host.gauge.grow(table != 0, amounts, left, function) {
                Ok(grown) => i32::from(grown),
                Err(passed) => host.stop(End::Passed(passed)),
            },
        )
    }

    /// [`crate::meter::HostFunction::Lack`]
    pub fn lack(&self) -> i32 {
        self.with(|host| {
            host.stop(End::Failed(
                "the browser did not give the memory that the task's limits allow".to_owned(),
            ))
        })
    }
}

/// A guest on the browser's engine.
pub struct Browser {
    guest: Rc<Guest>,
    /// Functions to call, by their exports' names.
    functions: VecDeque<String>,
    /// There, but while the guest runs.
    host: Option<Box<Host>>,
    slot: Slot,
    suspends: bool,
    /// The guest was set going and not looked after since.
    pending: bool,
    done: Option<End>,
}

/// A JavaScript error in a few words.
fn describe(error: &JsValue) -> String {
    match error.dyn_ref::<Error>() {
        Some(error) => format!("{}: {}", error.name(), error.message()),
        None => format!("{error:?}"),
    }
}

/// So many modules stay compiled. A browser compiles a function well only after it has run for a while, and what it
/// has made is the module's: the next run begins with it.
const MOST_COMPILED: usize = 16;
/// They have no more bytes than this, but for the last.
const MOST_COMPILED_BYTES: usize = 64 << 20;

/// Compiles a module, unless it is one of the last.
fn compiled(module: &Metered) -> Result<JsValue, JsValue> {
    thread_local! {
        /// The one used last is at the end.
        static LAST: RefCell<Vec<(MeteredId, usize, JsValue)>> = const { RefCell::new(Vec::new()) };
    }
    LAST.with_borrow_mut(|last| {
        let known = last.iter().position(|(id, ..)| *id == module.id);
        let entry = match known {
            Some(at) => last.remove(at),
            None => (module.id, module.wasm.len(), compile(&module.wasm)?),
        };
        let compiled = entry.2.clone();
        last.push(entry);
        let too_much = |last: &[(MeteredId, usize, JsValue)]| {
            let bytes: usize = last.iter().map(|(_, bytes, _)| bytes).sum();
            last.len() > MOST_COMPILED || bytes > MOST_COMPILED_BYTES
        };
        while last.len() > 1 && too_much(last) {
            last.remove(0);
        }
        Ok(compiled)
    })
}

impl Browser {
    /// Compiles and instantiates an instrumented module over `system`, ready for its first slice.
    ///
    /// # Errors
    /// If the browser does not compile it, or does not instantiate it.
    pub fn new(
        module: &Metered,
        kind: ModuleKind,
        system: System,
        bounds: Bounds,
    ) -> Result<Self, EngineError> {
        let slot = Slot::default();
        let calls = HostCalls {
            slot: Rc::clone(&slot),
        };
        let place = module.place.as_deref().unwrap_or_default();
        // No code of the guest runs here: its start function became an export.
        let guest = compiled(module)
            .and_then(|compiled| Guest::new(&compiled, HOST_MODULE, &module.left, place, calls))
            .map_err(|error| EngineError::Refused(describe(&error)))?;
        let guest = Rc::new(guest);
        let mut functions: VecDeque<String> = module.start.iter().cloned().collect();
        let exports: &[&str] = match kind {
            ModuleKind::Command => &["_initialize", "_start"],
            ModuleKind::Reactor => &["_initialize"],
        };
        let there = exports.iter().filter(|name| guest.has(name));
        functions.extend(there.map(|&name| name.to_owned()));
        let suspends = suspends();
        let host = Host {
            suspends,
            suspended: None,
            system,
            gauge: Gauge::new(bounds, module.memory_pages),
            watch: None,
            end: None,
            guest: Some(Rc::clone(&guest)),
            state: module.state.clone(),
            observer: None,
        };
        Ok(Self {
            guest,
            functions,
            host: Some(Box::new(host)),
            slot,
            suspends,
            pending: false,
            done: None,
        })
    }

    fn host(&self) -> &Host {
        // The guest runs only within `slice`, and what unwinds through that ends this instance.
        self.host.as_ref().expect("no slice was left in the middle")
    }

    fn host_mut(&mut self) -> &mut Host {
        self.host.as_mut().expect("no slice was left in the middle")
    }

    /// Calls the guest's functions one after the other, to the end.
    fn run(&mut self) -> End {
        while let Some(name) = self.functions.pop_front() {
            let gauge = &mut self.host_mut().gauge;
            gauge.begin_slice(TURN);
            let left = gauge.grant();
            self.slot.set(self.host.take());
            let thrown = self.guest.run(&name, left);
            self.host = self.slot.take();
            if let Some(end) = self.ended(&thrown) {
                return end;
            }
        }
        End::Exit(0)
    }

    /// What the end of one of the guest's functions comes to; nothing if the next may follow.
    fn ended(&mut self, thrown: &JsValue) -> Option<End> {
        let left = self.guest.left();
        let host = self.host_mut();
        if let Some(end) = host.end.take() {
            return Some(end);
        }
        host.note(left);
        if !thrown.is_undefined() {
            return Some(end_of(thrown));
        }
        host.gauge.is_spent().then_some(End::Passed(Passed {
            limit: Limit::Gas,
            function: None,
        }))
    }

    /// Sets the guest going for a slice.
    fn go(&mut self, steps: u64) -> Slice {
        let size = self.guest.size() as u64;
        let host = self.host_mut();
        host.gauge.begin_slice(steps);
        let value = match host.suspended.take() {
            None => {
                let left = host.gauge.grant();
                let Some(name) = self.functions.pop_front() else {
                    return Slice::Done(End::Exit(0));
                };
                self.slot.set(self.host.take());
                self.guest.begin(&name, left);
                self.pending = true;
                return Slice::Pending;
            }
            Some(Suspended::SliceEnd) => {
                let left = host.gauge.grant();
                self.slot.set(self.host.take());
                self.guest.go_long(left);
                self.pending = true;
                return Slice::Pending;
            }
            Some(Suspended::Yield(value)) => value,
            Some(Suspended::Block(call)) => match host.call(&call, size) {
                // The guest stays where it is; nobody will ever let it go on.
                STOP => return Slice::Done(host.end.take().unwrap_or(End::Exit(0))),
                SUSPEND => match host.suspended {
                    Some(Suspended::Yield(value)) => {
                        host.suspended = None;
                        value
                    }
                    _ => return Slice::Blocked,
                },
                value => value,
            },
        };
        self.slot.set(self.host.take());
        self.guest.go_int(value);
        self.pending = true;
        Slice::Pending
    }

    /// What came of a slice.
    fn look_after(&mut self) -> Slice {
        self.pending = false;
        self.host = self.slot.take();
        match self.host().suspended {
            Some(Suspended::Block(_)) => return Slice::Blocked,
            Some(Suspended::SliceEnd | Suspended::Yield(_)) => return Slice::Yielded,
            None => {}
        }
        let thrown = self.guest.ended();
        match self.ended(&thrown) {
            Some(end) => Slice::Done(end),
            None if self.functions.is_empty() => Slice::Done(End::Exit(0)),
            None => Slice::Yielded,
        }
    }
}

/// What an error that ended the guest means.
fn end_of(thrown: &JsValue) -> End {
    let Some(error) = thrown.dyn_ref::<Error>() else {
        return End::Failed(format!("the browser's engine threw {thrown:?}"));
    };
    let (name, message) = (String::from(error.name()), String::from(error.message()));
    match (name.as_str(), Trap::of_browser(&message)) {
        ("RuntimeError", Some(trap)) => trap.into(),
        ("RuntimeError", None) => End::Failed(format!(
            "the browser does not tell which trap it was (\"{message}\")"
        )),
        // V8 and JavaScriptCore; SpiderMonkey.
        ("RangeError", _) | ("InternalError", _) => End::Failed(format!(
            "the browser's stack was full before the task's limits were ({name}: {message})"
        )),
        _ => End::Failed(format!("the browser's engine failed ({name}: {message})")),
    }
}

impl Engine for Browser {
    fn watch(&mut self, watch: Watch) {
        self.host_mut().watch = Some(watch);
    }

    fn is_away(&self) -> bool {
        !self.suspends
    }

    fn observe(&mut self, observer: Box<dyn Observer>) -> Result<(), String> {
        let host = self.host_mut();
        host.observer = Some(observer);
        host.observe()
    }

    fn guest(&mut self) -> Option<Box<dyn super::Guest + '_>> {
        let host = self.host();
        Some(Box::new(Shown {
            guest: &self.guest,
            state: host.state.as_ref()?,
            system: &host.system,
        }))
    }

    fn slice(&mut self, steps: u64) -> Slice {
        let slice = match &self.done {
            Some(end) => Slice::Done(end.clone()),
            None if !self.suspends => Slice::Done(self.run()),
            None if self.pending => self.look_after(),
            None => self.go(steps),
        };
        if let Slice::Done(end) = &slice {
            self.done = Some(end.clone());
        }
        slice
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
        let place = self.guest.place()?;
        Some(Place {
            function: (place >> 32) as u32,
            offset: place as u32,
        })
    }
}
