//! Which branches of handlers are hardly ever taken: those behind which the loop's head can only be come to by way of a call,
//! or not at all. V8 saves all registers around a call, and without such a hint it does so for the whole handler, that of calls
//! first of all: there a function is looked for that is not translated yet.
//!
//! A hint tells a place in the code, so it is added when nothing changes the code any more.

use super::dispatch;
use super::function::{Flow, Function};
use super::has_loop_over_many;
use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::{BranchHint, BranchHints, Module, RawSection};
use wasmparser::{Operator, Parser, Payload, TypeRef};

/// Adds the section with the hints to a module that is shaped.
///
/// # Errors
/// If there is no interpreter's loop in it, more than one, or one that is not shaped; or if there are hints already.
pub fn hint(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut index = 0;
    let mut hints = None;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let of = import?.ty;
                    index += u32::from(matches!(of, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CustomSection(section) => {
                ensure!(
                    section.name() != "metadata.code.branch_hint",
                    "there are hints already"
                );
            }
            Payload::CodeSectionEntry(body) => {
                // Parameters are of no interest here.
                let function = Function::read(&[], &body)?;
                if has_loop_over_many(&function) {
                    ensure!(
                        hints.is_none(),
                        "two functions look like the interpreter's loop"
                    );
                    ensure_shaped(&function.operators)?;
                    let start = body.range().start;
                    let mut places = Vec::with_capacity(function.operators.len());
                    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
                        places.push(u32::try_from(operator?.1 - start)?);
                    }
                    hints = Some((index, unlikely(&function.operators, &places)?));
                }
                index += 1;
            }
            _ => {}
        }
    }
    let (function, hints) = hints.context("no function looks like the interpreter's loop")?;
    let mut section = BranchHints::new();
    section.function_hints(function, hints);

    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Some((id, range)) = payload.as_section() {
            // Where the specification of hints wants it.
            if matches!(payload, Payload::CodeSectionStart { .. }) {
                module.section(&section);
            }
            let data = &wasm[range.start as usize..range.end as usize];
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}

/// Makes sure that binaryen has left what shaping made of the dispatch: the code is loaded and nothing done to it, and no
/// code's target is the default.
fn ensure_shaped(operators: &[Operator<'_>]) -> Result<()> {
    let (_, table) = dispatch::find(operators, &Flow::of(operators)?)?;
    let (Operator::BrTable { targets }, Operator::I32Load16U { .. }) =
        (&operators[table], &operators[table - 1])
    else {
        bail!("the interpreter's loop is not shaped: its table does not look at what is loaded");
    };
    for target in targets.targets() {
        ensure!(
            target? != targets.default(),
            "the interpreter's loop is not shaped: a code's target is the default"
        );
    }
    Ok(())
}

/// The hints for the loop's handlers, whose operators are at `places`.
fn unlikely(operators: &[Operator<'_>], places: &[u32]) -> Result<Vec<BranchHint>> {
    let flow = Flow::of(operators)?;
    let (head, table) = dispatch::find(operators, &flow)?;
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); operators.len()];
    for (at, after) in flow.after.iter().enumerate() {
        for &next in after {
            before[next].push(at);
        }
    }
    // From where there is a way to the head without a call.
    let mut back = vec![false; operators.len()];
    back[head] = true;
    let mut found = vec![head];
    while let Some(at) = found.pop() {
        for &from in &before[at] {
            if !back[from] && !calls(&operators[from]) {
                back[from] = true;
                found.push(from);
            }
        }
    }
    let mut hints = Vec::new();
    for (at, operator) in operators.iter().enumerate().skip(table) {
        // Where to if the condition holds, and where to if not.
        let (Operator::BrIf { .. } | Operator::If { .. }, [then, otherwise]) =
            (operator, &flow.after[at][..])
        else {
            continue;
        };
        if back[*then] != back[*otherwise] {
            hints.push(BranchHint {
                branch_func_offset: places[at],
                branch_hint_value: u32::from(back[*then]),
            });
        }
    }
    Ok(hints)
}

/// Whether an operator calls a function, or is one of those in the loop that engines have a function for.
fn calls(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::MemoryGrow { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
    )
}
