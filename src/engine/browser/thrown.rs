//! What JavaScript throws, and what it means if it ended the guest.

use crate::engine::{End, Trap};
use js_sys::Error;
use wasm_bindgen::prelude::*;

/// A JavaScript error in a few words.
pub(super) fn describe(error: &JsValue) -> String {
    match error.dyn_ref::<Error>() {
        Some(error) => format!("{}: {}", error.name(), error.message()),
        None => format!("{error:?}"),
    }
}

/// What an error that ended the guest means.
pub(super) fn end_of(thrown: &JsValue) -> End {
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
