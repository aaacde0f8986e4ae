//! Tells JavaScript what a run does that does not come back to it.

use super::{chunks_to_js, to_js};
use crate::receipt::Streams;
use crate::wasi::Chunk;
use crate::{Listener, Stats};
use js_sys::{Date, Function};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// Milliseconds between two messages: output is there at once, and a program that writes byte by
/// byte does not drown the page in them.
const INTERVAL: f64 = 15.0;

pub(super) struct Watcher {
    watch: Function,
    streams: Rc<RefCell<Streams>>,
    last: Cell<f64>,
}

impl Watcher {
    /// `streams` digest what is told.
    pub fn new(watch: Function, streams: Rc<RefCell<Streams>>) -> Self {
        Self {
            watch,
            streams,
            last: Cell::new(0.0),
        }
    }

    fn tell(&self, output: &[Chunk], stats: &Stats) -> Result<(), JsValue> {
        let (output, stats) = (chunks_to_js(output)?, to_js(stats)?);
        self.watch.call2(&JsValue::NULL, &output, &stats).map(drop)
    }
}

impl Listener for Watcher {
    fn is_due(&self) -> bool {
        // The clock may be set back.
        (Date::now() - self.last.get()).abs() >= INTERVAL
    }

    fn hear(&self, output: Vec<Chunk>, stats: &Stats) {
        for chunk in &output {
            self.streams.borrow_mut().write(chunk);
        }
        if let Err(error) = self.tell(&output, stats) {
            // Whoever watches is broken, not the program: this ends the worker, not the run.
            wasm_bindgen::throw_val(error);
        }
        self.last.set(Date::now());
    }
}
