//! Leaves: functions that call nothing, and that nobody calls but by name.
//!
//! For wasmi these are called without a level: the caller knows how large their frame is, and watches
//! the peaks for them, mostly with the test that it makes for itself anyway. One that costs the same
//! on all ways through it is left as it is, and its caller charges for it as if it were an operator. It
//! is no checkpoint: it asks the host for nothing, and so it is short.

use super::bounds::{MOST_LOCALS, MOST_TARGETS};
use super::function::{Kind, Plan, Scan, cells, plan, scan};
use super::layout::Layout;
use super::module::Head;
use super::{Detail, Level, MeterError};
use std::collections::HashSet;
use wasmparser::{
    ConstExpr, ElementItems, ExternalKind, FuncToValidate, FuncValidatorAllocations, FunctionBody,
    Operator, WasmModuleResources,
};

/// A function of the task, to be validated and read.
pub(super) type Body<'a, R> = (FuncToValidate<R>, FunctionBody<'a>);

/// A function that makes no calls, and is only called directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    /// 8-byte cells of its frame.
    pub cells: u32,
    /// What it costs, if that is the same on all ways through it and it never asks the host.
    pub cost: Option<u32>,
}

impl Leaf {
    /// What a call of it adds to its caller's level.
    pub fn level(self) -> Level {
        Level {
            depth: 1,
            cells: self.cells,
        }
    }
}

/// Finds the leaves among all functions, by their indices; those of the imports are `None`.
///
/// # Errors
/// If a section before the code can't be read.
pub(super) fn find<R: WasmModuleResources + Clone>(
    head: &Head<'_>,
    layout: &Layout,
    bodies: &[Body<'_, R>],
) -> Result<Vec<Option<Leaf>>, MeterError> {
    let referred = referred(head)?;
    let mut leaves = vec![None; layout.imported as usize];
    let (mut found, mut ways) = (Scan::default(), Plan::default());
    let mut allocations = FuncValidatorAllocations::default();
    for (index, (function, body)) in (layout.imported..).zip(bodies) {
        if referred.contains(&index) || calls(body) {
            leaves.push(None);
            continue;
        }
        let function = FuncToValidate {
            resources: function.resources.clone(),
            index: function.index,
            ty: function.ty,
            features: function.features,
        };
        let mut validator = function.into_validator(std::mem::take(&mut allocations));
        // What is wrong with it is found again when it is written.
        let read = scan(&mut validator, body, &mut found);
        allocations = validator.into_allocations();
        leaves.push(match read {
            Ok(()) => leaf(layout, index, body, &found, &mut ways),
            Err(_) => None,
        });
    }
    Ok(leaves)
}

/// What is known of a function that calls nothing.
fn leaf(
    layout: &Layout,
    index: u32,
    body: &FunctionBody<'_>,
    found: &Scan,
    ways: &mut Plan,
) -> Option<Leaf> {
    let params = layout.type_of(index).params();
    let mut frame: u64 = params.iter().map(|&ty| cells(ty)).sum();
    let mut locals = params.len() as u64;
    for group in body.get_locals_reader().ok()? {
        let (count, ty) = group.ok()?;
        frame += u64::from(count) * cells(ty);
        locals += u64::from(count);
    }
    if locals > u64::from(MOST_LOCALS) || found.targets > MOST_TARGETS {
        return None;
    }
    plan(found, Detail::Fast, ways);
    let is_plain = found.events.iter().all(|event| {
        !matches!(
            event.kind,
            Kind::Loop(_)
                | Kind::Bulk(_)
                | Kind::MemoryGrow(_)
                | Kind::TableGrow(_)
                | Kind::Relaxed(_)
        )
    });
    Some(Leaf {
        cells: (frame + u64::from(found.height)) as u32,
        cost: ways.whole().filter(|_| is_plain && !found.is_long()),
    })
}

/// Whether code calls, or names a function; also where no path leads.
fn calls(body: &FunctionBody<'_>) -> bool {
    let Ok(mut reader) = body.get_operators_reader() else {
        return true;
    };
    while !reader.eof() {
        match reader.read() {
            Ok(
                Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::RefFunc { .. },
            )
            | Err(_) => return true,
            Ok(_) => {}
        }
    }
    false
}

/// The functions that are called, or may be, in another way than by a call that names them.
fn referred(head: &Head<'_>) -> Result<HashSet<u32>, MeterError> {
    let mut referred: HashSet<u32> = head.start.into_iter().collect();
    for &(_, kind, index) in &head.exports {
        if matches!(kind, ExternalKind::Func | ExternalKind::FuncExact) {
            referred.insert(index);
        }
    }
    let mut note = |expression: &ConstExpr<'_>| -> Result<(), MeterError> {
        let mut reader = expression.get_operators_reader();
        while !reader.eof() {
            if let Operator::RefFunc { function_index } = reader.read()? {
                referred.insert(function_index);
            }
        }
        Ok(())
    };
    for global in head.globals.iter().flat_map(|section| section.clone()) {
        note(&global?.init_expr)?;
    }
    let mut named = Vec::new();
    for element in head.elements.iter().flat_map(|section| section.clone()) {
        match element?.items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    named.push(function?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions {
                    note(&expression?)?;
                }
            }
        }
    }
    referred.extend(named);
    Ok(referred)
}
