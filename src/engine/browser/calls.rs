//! What `browser.js` calls when the guest calls, and the guest that is made to call it.

use super::host::{Host, STOP};
use super::js::Guest;
use crate::engine::End;
use crate::wasi::{Abi, Call, Function, Parameter};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/engine/browser.js")]
extern "C" {
    #[wasm_bindgen(constructor, catch)]
    pub(super) fn new(
        module: &JsValue,
        host: &str,
        left: &str,
        place: &str,
        calls: HostCalls,
    ) -> Result<Guest, JsValue>;
}

/// The host while the guest runs; the engine has it otherwise.
pub(super) type Slot = Rc<Cell<Option<Box<Host>>>>;

/// What `browser.js` calls when the guest calls.
#[wasm_bindgen(skip_typescript)]
pub struct HostCalls {
    pub(super) slot: Slot,
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
