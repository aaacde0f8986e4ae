//! What engines accept, and so what a module may have for metering to fit into it.

use super::MeterError;
use wasmparser::FuncType;

/// Room for what metering adds to a function for the interpreter: two parameters, and locals. For compilers it adds up to
/// 16; their bound is 50 000.
pub(super) const OWN_LOCALS: u32 = 10;
/// Fewer than the 50 000 of browsers: wasmi has no more, and finds out when it runs.
pub(super) const MOST_LOCALS: u32 = 30_000 - OWN_LOCALS;
pub(super) const MOST_PARAMS: usize = 1000 - 2;
pub(super) const MOST_RESULTS: usize = 1000 - 1;
/// What engines accept in one module: types, functions, imports, exports and globals each,
pub(super) const MOST_ITEMS: u32 = 1_000_000;
/// element segments,
pub(super) const MOST_SEGMENTS: u32 = 100_000;
/// bytes of a function's code,
pub(super) const MOST_CODE: usize = 7_654_321;
/// and labels of a `br_table`: V8 has the lowest bound.
pub(super) const MOST_TARGETS: u32 = 65_520;

/// Whether engines accept so many of something, with what metering adds.
pub(super) fn check_count(kind: &str, had: usize, now: u32, most: u32) -> Result<(), MeterError> {
    if now <= most {
        return Ok(());
    }
    Err(MeterError::NoRoom {
        what: "the module".to_owned(),
        found: format!("{had} {kind}, which become {now}"),
        most,
    })
}

/// Whether engines accept a function type with our parameters and result added.
pub(super) fn check_room(index: usize, ty: &FuncType) -> Result<(), MeterError> {
    let (params, results) = (ty.params().len(), ty.results().len());
    let (found, most) = match (params > MOST_PARAMS, results > MOST_RESULTS) {
        (true, _) => (format!("{params} parameters"), MOST_PARAMS),
        (_, true) => (format!("{results} results"), MOST_RESULTS),
        _ => return Ok(()),
    };
    Err(MeterError::NoRoom {
        what: format!("type {index}"),
        found,
        most: most as u32,
    })
}
