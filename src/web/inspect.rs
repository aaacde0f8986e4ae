//! What the page asks before a task is set up: the lint, a function task's zip, its configuration.

use super::{ARCHIVE_LIMIT, throw, to_js};
use crate::StartError;
use crate::task::folder::{self, FolderError};
use crate::task::{Config, ConfigError};
use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

impl From<FolderError> for JsValue {
    fn from(error: FolderError) -> Self {
        throw(error.code(), &error.to_string(), error.hint())
    }
}

impl From<ConfigError> for JsValue {
    fn from(error: ConfigError) -> Self {
        throw("bad-config", &error.to_string(), error.hint())
    }
}

/// What a module needs, what the profile fixes for it, and what keeps it from running: the lint's
/// report (`docs/lint.md`). Throws only for what can't be read as a module.
#[wasm_bindgen]
pub fn lint(name: &str, bytes: &[u8]) -> Result<JsValue, JsValue> {
    let report = crate::lint::lint(name, bytes).map_err(StartError::from)?;
    to_js(&report)
}

/// The files of a function task in a zip (`docs/tasks.md`): `{name, bytes}` each.
#[wasm_bindgen(js_name = readTaskZip)]
pub fn read_task_zip(zip: &[u8]) -> Result<Array, JsValue> {
    let files = Array::new();
    for (name, bytes) in folder::from_zip(zip, ARCHIVE_LIMIT)? {
        let file = Object::new();
        Reflect::set(&file, &"name".into(), &name.into())?;
        Reflect::set(&file, &"bytes".into(), &Uint8Array::from(&bytes[..]))?;
        files.push(&file);
    }
    Ok(files)
}

/// The limits of a `config.json`, as decimal strings.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LimitTexts {
    gas: Option<String>,
    call: Option<String>,
    frame: Option<String>,
    memory: Option<String>,
    output_bytes: Option<String>,
    file_bytes: Option<String>,
}

#[derive(Serialize)]
struct ConfigTexts {
    limits: LimitTexts,
    warnings: Vec<String>,
}

/// Reads a `config.json`: `{limits, warnings}`, a limit that it does not set being null.
#[wasm_bindgen(js_name = readConfig)]
pub fn read_config(text: &[u8]) -> Result<JsValue, JsValue> {
    let Config { limits, warnings } = Config::parse(text)?;
    let text = |limit: Option<u64>| limit.map(|limit| limit.to_string());
    to_js(&ConfigTexts {
        limits: LimitTexts {
            gas: text(limits.gas),
            call: text(limits.call),
            frame: text(limits.frame),
            memory: text(limits.memory_pages),
            output_bytes: text(limits.output_bytes),
            file_bytes: text(limits.file_bytes),
        },
        warnings,
    })
}
