//! What an instrumented module (`cargo xtask bench meter`) asks its host, without any limit.

use crate::on_wasmi::Data;
use wasmi::{Caller, Error, Instance, Linker, Store, Val};

const MODULE: &str = "verirun";
/// Steps that no benchmark uses up.
const PLENTY: i64 = 1 << 60;
/// One half of a level: see `meter::Level` of the `verirun` crate.
const HALF: i64 = (1 << 31) - 1;

/// Defines the functions; a module that does not import them is run as it is.
pub fn link(linker: &mut Linker<Data>) -> Result<(), Error> {
    linker.func_wrap(MODULE, "tick", |_: i64, _: i32| PLENTY)?;
    linker.func_wrap(
        MODULE,
        "deeper",
        |mut caller: Caller<'_, Data>, level: i64, _: i64, _: i32| {
            let peak = &mut caller.data_mut().peak;
            *peak = (peak.0.max(level >> 32 & HALF), peak.1.max(level & HALF));
            (HALF - peak.0) << 32 | (HALF - peak.1)
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
