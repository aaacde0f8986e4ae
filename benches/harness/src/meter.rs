//! What an instrumented module (`cargo xtask bench meter`) asks its host, without any limit.

use crate::on_wasmi::Data;
use wasmi::{Caller, Error, Instance, Linker, Store, Val};

const MODULE: &str = "verirun";
/// How many steps are granted at a time: as many as `meter::Gauge` grants at most.
const PLENTY: i64 = (1 << 23) - 1;
/// The parts of a level: see `meter::Level` of the `verirun` crate.
const MOST_DEPTH: i64 = (1 << 23) - 1;
const MOST_CELLS: i64 = (1 << 39) - 1;

/// Defines the functions; a module that does not import them is run as it is.
pub fn link(linker: &mut Linker<Data>) -> Result<(), Error> {
    linker.func_wrap(MODULE, "tick", |_: i64, _: i32| PLENTY)?;
    linker.func_wrap(
        MODULE,
        "deeper",
        |mut caller: Caller<'_, Data>, level: i64, _: i64, _: i32| {
            let peak = &mut caller.data_mut().peak;
            *peak = (peak.0.max(level & ((1 << 24) - 1)), peak.1.max(level >> 24));
            (MOST_CELLS - peak.1) << 24 | (MOST_DEPTH - peak.0)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "grow",
        |_: i32, size: i64, delta: i64, most: i64, _: i64, _: i32| {
            i32::from(size.saturating_add(delta) <= most)
        },
    )?;
    linker.func_wrap(MODULE, "lack", || ())?;
    Ok(())
}

/// Grants steps to an instance that counts them.
pub fn grant(store: &mut Store<Data>, instance: &Instance) -> Result<(), Error> {
    match instance.get_global(&*store, "verirun:left") {
        Some(left) => left
            .set(store, Val::I64(PLENTY))
            .map_err(|error| Error::new(error.to_string())),
        None => Ok(()),
    }
}
