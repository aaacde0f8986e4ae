//! Splits the site's wasm module in two: what a first visit needs, and the rest, which is loaded when something of it is
//! called (`www/worker/rest.ts`, `docs/architecture.md`).
//!
//! binaryen's `wasm-split` does this too, but no registry has a current one (npm's package comes without it).

mod module;
mod parts;
pub mod reach;
mod write;

use anyhow::{Context, Result, ensure};
use module::Module;
use parts::Parts;
use reach::Linked;
use write::Writer;

/// Both parts of a module, without names.
pub struct Split {
    /// To be instantiated as the module was.
    pub first: Vec<u8>,
    /// To be instantiated when `loader` is called, with the first part's exports.
    pub second: Vec<u8>,
    /// What the first part's code consists of.
    pub report: String,
}

/// How a module is split.
pub struct Plan<'a> {
    /// The exported function that brings the second part.
    pub loader: &'a str,
    /// The exports whose functions stay in the first part, with all they need. `name*` stands for all that begin so.
    pub first: &'a [&'a str],
    /// What goes into the second part all the same, with all that only it needs: functions whose path begins with one of
    /// these. `alloc::vec::Vec<wasmi::Store>` does not begin with `wasmi`, and may be the same code as of another vector.
    pub second: &'a [&'a str],
}

impl Plan<'_> {
    fn is_first(pattern: &str, export: &str) -> bool {
        match pattern.strip_suffix('*') {
            Some(start) => export.starts_with(start),
            None => export == pattern,
        }
    }

    /// A name that says nothing any more is a mistake.
    fn check(&self, linked: &Linked) -> Result<()> {
        for pattern in self.first {
            let any = linked
                .exports()
                .any(|export| Self::is_first(pattern, export));
            ensure!(any, "no export is called `{pattern}`");
        }
        for part in self.second {
            let any = linked.functions().any(|name| path(name).starts_with(part));
            ensure!(any, "no function's path begins with `{part}`");
        }
        Ok(())
    }
}

/// A function's path, of a name such as `<&mut wasmi[0123456789abcdef]::Store as …`.
fn path(name: &str) -> String {
    let mut name = name;
    while let Some(rest) = ["<", "&", "mut ", "*const ", "*mut ", "(", "["]
        .iter()
        .find_map(|start| name.strip_prefix(start))
    {
        name = rest;
    }
    let mut path = String::new();
    for piece in name.split('[') {
        match piece.split_once(']') {
            Some((hash, rest))
                if hash.len() > 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                path.push_str(rest)
            }
            _ => path.push_str(piece),
        }
    }
    path
}

/// Splits `wasm`, which wasm-bindgen made of `linked`.
pub fn split(wasm: &[u8], linked: &[u8], plan: &Plan<'_>) -> Result<Split> {
    let module = Module::read(wasm)?;
    let linked = Linked::read(linked)?;
    plan.check(&linked)?;
    let roots = |export: &str| {
        plan.first
            .iter()
            .any(|pattern| Plan::is_first(pattern, export))
    };
    let cut = |name: &str| {
        let path = path(name);
        plan.second.iter().any(|part| path.starts_with(part))
    };
    let reached = linked.reach(&roots, &cut);
    let references = module.references()?;
    let parts = Parts::of(&module, &references, &reached)?;
    let writer = Writer::new(&module, &references, &parts, &reached.unused, plan.loader)?;
    let (first, second) = (writer.first()?, writer.second()?);
    for (name, part) in [("first", &first), ("second", &second)] {
        let checked = wasmparser::Validator::new().validate_all(part);
        checked.with_context(|| format!("the {name} part is not valid"))?;
    }
    let report = report(&module, &parts);
    Ok(Split {
        first,
        second,
        report,
    })
}

/// The functions of the first part, the largest first, and at the end the stand-ins: a line each of bytes, index and name.
fn report(module: &Module<'_>, parts: &Parts) -> String {
    let imported = module.imported_functions;
    let functions = module.bodies.iter().zip(imported..);
    let stay = functions.filter(|&(_, function)| parts.stays[function as usize]);
    let mut lines: Vec<_> = stay
        .zip(imported..)
        .map(|((body, function), index)| (body.as_bytes().len(), index, module.name(function)))
        .collect();
    let there = imported + lines.len() as u32;
    let called = parts.called.iter().zip(there..);
    lines.extend(called.map(|(&function, index)| (0, index, module.name(function))));
    lines.sort_by_key(|&(size, ..)| std::cmp::Reverse(size));
    lines
        .iter()
        .map(|(size, index, name)| format!("{size:7} {index:6} {name}\n"))
        .collect()
}
