//! The browser's own compiler, used through JavaScript (`browser.js` beside this file).
//!
//! The instrumented module is ordinary WebAssembly, so the browser compiles it; what it calls is
//! answered here ([`host`]), by the same [`System`] and the same [`Gauge`] as on the interpreter. A
//! call that ends the run throws, which unwinds the guest; why it ended stays on our side.
//!
//! Where the browser can suspend WebAssembly (JSPI), a slice ends in a call of the guest whose
//! import returns a promise. The guest goes on when that is resolved and JavaScript has returned to
//! its event loop, so a slice has two halves: [`Slice::Pending`], and what came of it.
//!
//! Elsewhere one slice is the whole run: the guest stands on the host's stack, below our own frames,
//! and can't be left there. [`Engine::watch`] is how the caller hears of it meanwhile.
//!
//! What the browser does differently is never a result: [`End::Failed`].

mod calls;
mod compiled;
mod host;
mod js;
mod memory;
mod shown;
mod thrown;

use super::{End, Engine, EngineError, Observer, Place, Slice, Watch};
use crate::meter::{Bounds, Gauge, HOST_MODULE, Limit, Metered, Passed};
use crate::task::ModuleKind;
use crate::wasi::System;
use calls::{HostCalls, Slot};
use compiled::compiled;
use host::{Host, STOP, SUSPEND, Suspended, TURN};
use js::Guest;
pub use js::{back, suspends};
use shown::Shown;
use std::collections::VecDeque;
use std::rc::Rc;
use thrown::{describe, end_of};
use wasm_bindgen::prelude::*;

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
                STOP => {
                    return Slice::Done(host.end.take().unwrap_or_else(|| {
                        End::Failed("it was stopped without a reason".to_owned())
                    }));
                }
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
