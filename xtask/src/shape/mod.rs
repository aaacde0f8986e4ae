//! Shapes the interpreter's loop for the compilers of browsers, after linking: what rustc makes of wasmi's one big `match`
//! keeps V8 from holding the loop's variables in registers (`docs/interpreter-build.md` has what that costs and how it was
//! found). Nothing that a program can see changes, and the rest of the module stays as it is.
//!
//! It is done to the linked module, not to wasmi's source, because what is wrong only comes to be in LLVM, and because a copy
//! of wasmi would have to be kept up to date. If the loop does not look as it is known to (after an update of wasmi or of
//! Rust), shaping fails and says what is different; it never guesses.

mod bounds;
mod dispatch;
mod function;
mod hints;
mod reads;
mod registers;
mod zeroing;

pub use hints::hint;

use anyhow::{Context, Result, bail, ensure};
use function::Function;
use wasm_encoder::{CodeSection, Module, RawSection};
use wasmparser::{CompositeInnerType, Operator, Parser, Payload};

/// More targets than this has no `br_table` in a loop but the interpreter's: there is one for each of its operators.
const MANY: u32 = 500;

/// Shapes the one interpreter loop in `wasm`.
///
/// # Errors
/// If there is no such loop or more than one, or if it is not what is expected.
pub fn shape(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut shaped = 0;
    let wasm = rewrite(wasm, |function| {
        if !has_loop_over_many(function) {
            return Ok(());
        }
        shaped += 1;
        zeroing::shape(function)?;
        bounds::shape(function)?;
        dispatch::shape(function)?;
        registers::shape(function)
    })
    .context("the interpreter's loop is not as it was (xtask/src/shape)")?;
    ensure!(
        shaped == 1,
        "{shaped} functions look like the interpreter's loop, instead of one (xtask/src/shape)"
    );
    Ok(wasm)
}

/// Has every function of a module changed.
fn rewrite(
    wasm: &[u8],
    mut change: impl FnMut(&mut Function<'_>) -> Result<()>,
) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut code = CodeSection::new();
    let mut parameters = Vec::new();
    let mut types = Vec::new();
    let mut bodies = 0;
    let mut left = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::TypeSection(section) => {
                for group in section.clone() {
                    for of in group?.into_types() {
                        parameters.push(match of.composite_type.inner {
                            CompositeInnerType::Func(of) => of.params().to_vec(),
                            _ => Vec::new(),
                        });
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for of in section.clone() {
                    types.push(of? as usize);
                }
            }
            Payload::CustomSection(section) if tells_places(section.name()) => {
                bail!("`{}` would no longer fit", section.name());
            }
            _ => {}
        }
        match payload {
            Payload::CodeSectionStart { count, .. } => left = count,
            Payload::CodeSectionEntry(body) => {
                let of = types
                    .get(bodies)
                    .and_then(|&of: &usize| parameters.get(of))
                    .context("a function without a type")?;
                bodies += 1;
                let mut function = Function::read(of, &body)?;
                change(&mut function)?;
                code.function(&function.encode()?);
                left -= 1;
                if left == 0 {
                    module.section(&code);
                }
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    let data = &wasm[range.start as usize..range.end as usize];
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    let wasm = module.finish();
    wasmparser::Validator::new()
        .validate_all(&wasm)
        .context("what shaping made is not valid")?;
    Ok(wasm)
}

/// Whether a custom section tells places in code by their offset: hints, what the linker would change, where lines are.
fn tells_places(section: &str) -> bool {
    let kinds = ["metadata.code.", "reloc.", ".debug_"];
    let names = ["linking", "sourceMappingURL", "external_debug_info"];
    kinds.iter().any(|kind| section.starts_with(kind)) || names.contains(&section)
}

/// Whether a function has a `br_table` with many targets in a loop.
fn has_loop_over_many(function: &Function<'_>) -> bool {
    let mut loops = Vec::new();
    function.operators.iter().any(|operator| {
        match operator {
            Operator::Loop { .. } => loops.push(true),
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                loops.push(false);
            }
            Operator::End => drop(loops.pop()),
            Operator::BrTable { targets } => {
                return targets.len() > MANY && loops.contains(&true);
            }
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests;
