//! The site's module comes in two parts (`cargo xtask build`, `docs/architecture.md`): what a first visit needs, and the
//! rest, the interpreter among it. A function of the rest that is called before it is there calls [`bring_rest`].

use js_sys::Function;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

thread_local! {
    static BRING: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Says what instantiates the rest: called without arguments, it returns once the rest is there, or throws; then this
/// instance can't be used any more.
#[wasm_bindgen(js_name = onRest)]
pub fn on_rest(bring: Function) {
    BRING.with(|cell| cell.replace(Some(bring)));
}

/// Instantiates the rest. Not for JavaScript: it is exported for the first part's stand-ins.
#[wasm_bindgen(js_name = bringRest)]
pub fn bring_rest() {
    let bring = BRING.with(|cell| cell.borrow().clone());
    match bring.map(|bring| bring.call0(&JsValue::UNDEFINED)) {
        Some(Ok(_)) => {}
        Some(Err(error)) => wasm_bindgen::throw_val(error),
        None => wasm_bindgen::throw_str("nobody brings the rest of the runtime"),
    }
}
