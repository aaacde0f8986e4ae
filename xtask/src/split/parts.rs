//! Which function goes where.

use super::module::{Module, References};
use super::reach::Reached;
use anyhow::Result;
use std::collections::BTreeSet;
use wasmparser::ExternalKind;

/// Where the functions of a module go.
pub struct Parts {
    /// For each function, imported ones included, whether it stays in the first part.
    pub stays: Vec<bool>,
    /// What goes and is called from what stays, by name, through a table, or from JavaScript: each needs a stand-in.
    pub called: BTreeSet<u32>,
}

impl Parts {
    /// What `reached` says, by name; what it does not know (wasm-bindgen's own) stays.
    pub fn of(module: &Module<'_>, references: &[References], reached: &Reached) -> Result<Self> {
        let imported = module.imported_functions as usize;
        let functions = 0..module.functions.len() as u32;
        let stays: Vec<bool> = functions
            .map(|function| {
                let name = plain(module.name(function));
                (function as usize) < imported
                    || reached.functions.contains(name)
                    || !reached.known.contains(name)
            })
            .collect();
        let exported = module
            .exports
            .iter()
            .filter(|export| export.kind == ExternalKind::Func);
        let entries = exported
            .map(|export| export.index)
            .chain(module.start)
            .chain(module.slots()?.into_iter().flatten());
        let mut called: BTreeSet<u32> = entries
            .filter(|&function| !stays[function as usize])
            .collect();
        for (at, references) in references.iter().enumerate() {
            if stays[imported + at] {
                called.extend(
                    references
                        .functions
                        .iter()
                        .filter(|&&function| !stays[function as usize]),
                );
            }
        }
        Ok(Self { stays, called })
    }
}

/// wasm-bindgen tells functions of the same name apart by a number at the end.
fn plain(name: &str) -> &str {
    let number = name
        .strip_suffix(']')
        .and_then(|name| name.rsplit_once('['));
    match number {
        Some((plain, number))
            if number.len() < 6 && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            plain
        }
        _ => name,
    }
}
