//! The face for JavaScript.

use wasm_bindgen::prelude::wasm_bindgen;

/// What comes of a file's directives, run in one of the [ways](crate::WAYS): see [`crate::report`].
///
/// # Errors
/// If there is no such way, or the file can't be read.
#[wasm_bindgen(js_name = runSpec)]
pub fn run_spec(text: &str, way: &str) -> Result<String, String> {
    let named = crate::WAYS.iter().find(|(name, _)| *name == way);
    let (_, how) = named.ok_or_else(|| format!("no way {way}"))?;
    let lines = crate::run(text, *how).map_err(|error| error.to_string())?;
    Ok(crate::report(&lines))
}
