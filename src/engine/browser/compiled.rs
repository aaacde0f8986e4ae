//! Modules that stay compiled: the same program is often run again.

use super::js::compile;
use crate::meter::{Metered, MeteredId};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

/// So many modules stay compiled. A browser compiles a function well only after it has run for a while, and what it
/// has made is the module's: the next run begins with it.
const MOST_COMPILED: usize = 16;
/// They have no more bytes than this, but for the last.
const MOST_COMPILED_BYTES: usize = 64 << 20;

/// Compiles a module, unless it is one of the last.
pub(super) fn compiled(module: &Metered) -> Result<JsValue, JsValue> {
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
