//! Instrumented modules that are kept between visits, so that a large one is instrumented once.
//!
//! Only those for the browser's engine: the interpreter, which is the reference, and the run that
//! finds the exact place of a trap never use what was kept.

use super::{Task, throw};
use crate::engine::Kind;
use crate::meter::{Detail, Metered, Options, PROFILE_VERSION};
use wasm_bindgen::prelude::*;

/// A smaller module is instrumented in some milliseconds, which is what looking it up takes.
const LEAST: u64 = 1 << 18;

const OPTIONS: Options = Options {
    detail: Detail::Fast,
    target: Kind::COMPILER.target(),
    state: false,
};

#[wasm_bindgen]
impl Task {
    /// Under which name its instrumented module is kept, of which the build of Verirun is to be a
    /// part; `undefined` for a small one.
    #[wasm_bindgen(js_name = keptAs)]
    pub fn kept_as(&self) -> Option<String> {
        let module = self.module.as_ref()?;
        let large = module.info.size >= LEAST;
        large.then(|| format!("{}-profile-{PROFILE_VERSION}", module.info.sha256))
    }

    /// Takes an instrumented module that was kept under [`Task::kept_as`]. Whoever keeps it answers
    /// for it: it must be, to the byte, what [`Task::to_keep`] gave.
    ///
    /// # Errors
    /// If it is none of this module.
    #[wasm_bindgen(js_name = takeKept)]
    pub fn take_kept(&self, bytes: &[u8]) -> Result<(), JsValue> {
        let name = self.kept_as();
        let taken = name.and_then(|name| Metered::from_bytes(&name, bytes));
        match (&self.module, taken) {
            (Some(module), Some(metered)) => {
                module.restore(OPTIONS, metered);
                Ok(())
            }
            _ => Err(throw(
                "bad-kept",
                "what was kept is no instrumented form of this module",
                "Drop it; it is made again.",
            )),
        }
    }

    /// Whether the module was instrumented already: then nothing kept is needed.
    #[wasm_bindgen(js_name = isInstrumented)]
    pub fn is_instrumented(&self) -> bool {
        let module = self.module.as_ref();
        module.is_some_and(|module| module.made(OPTIONS).is_some())
    }

    /// The instrumented module, to be kept; `undefined` if it was not made yet.
    #[wasm_bindgen(js_name = toKeep)]
    pub fn to_keep(&self) -> Option<Vec<u8>> {
        let made = self.module.as_ref()?.made(OPTIONS)?;
        Some(made.to_bytes(&self.kept_as()?))
    }
}
