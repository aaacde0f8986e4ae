//! The functions that a guest can call: its system's, and those of the instrumentation.

use super::{Host, Interrupt, call_system, look, note_steps};
use crate::engine::EngineError;
use crate::meter::{Gauge, HOST_MODULE, HostFunction, ProfileFunction, Ticked};
use crate::wasi::{Abi, Call, Function, Parameter, Reply};
use wasmi::{Caller, Error, FuncType, Linker, Val, ValType};

/// wasmi 2.0.0 leaves some of the host's stack behind at each growth (its handlers of `memory.grow` and
/// `table.grow` are not compiled to tail calls), and takes it back when it returns to us. So it does
/// after this many, or a guest that grows by nothing in a loop would bring us down.
const MOST_GROWS: u32 = 1024;

/// Makes a call of the guest; its result, or why it is interrupted.
fn host_function(caller: &mut Caller<'_, Host>, call: &Call) -> Result<i32, Error> {
    note_steps(&mut *caller);
    let interrupt = match call_system(&mut *caller, call) {
        Reply::Return(errno) => {
            let value = i32::from(errno as u16);
            if !caller.data().system.output.is_full() {
                return Ok(value);
            }
            Interrupt::Yield(value)
        }
        Reply::Block => Interrupt::Block(*call),
        Reply::Exit(code) => Interrupt::Exit(code),
        Reply::Exceeded(limit) => Interrupt::Exceeded(limit),
    };
    Err(Error::host(interrupt))
}

/// A parameter's bits.
trait Bits {
    fn bits(self) -> u64;
}

impl Bits for i32 {
    fn bits(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Bits for i64 {
    fn bits(self) -> u64 {
        self as u64
    }
}

/// Defines a function whose parameters have these types. wasmi allocates for each call of one whose types it learns
/// only when it is defined.
macro_rules! typed {
    ($linker:expr, $abi:expr, $function:expr, $($name:ident: $ty:ty),*) => {{
        let (abi, function) = ($abi, $function);
        let called = move |mut caller: Caller<'_, Host>, $($name: $ty),*| {
            let mut args = [0; 9];
            for (slot, bits) in args.iter_mut().zip([$($name.bits()),*]) {
                *slot = bits;
            }
            host_function(&mut caller, &Call { abi, function, args })
        };
        $linker.func_wrap(abi.module(), function.name(), called)
    }};
}

pub(super) fn link(linker: &mut Linker<Host>) -> Result<(), EngineError> {
    use Parameter::{I32, I64};
    for abi in [Abi::Preview1, Abi::Unstable] {
        for &function in Function::ALL {
            if Function::find(abi, function.name()).is_none() {
                continue;
            }
            let defined = match (function.returns(), function.parameters()) {
                (true, [I32]) => typed!(linker, abi, function, a: i32),
                (true, [I32, I32]) => typed!(linker, abi, function, a: i32, b: i32),
                (true, [I32, I32, I32]) => {
                    typed!(linker, abi, function, a: i32, b: i32, c: i32)
                }
                (true, [I32, I64, I32]) => {
                    typed!(linker, abi, function, a: i32, b: i64, c: i32)
                }
                (true, [I32, I32, I32, I32]) => {
                    typed!(linker, abi, function, a: i32, b: i32, c: i32, d: i32)
                }
                (true, [I32, I64, I32, I32]) => {
                    typed!(linker, abi, function, a: i32, b: i64, c: i32, d: i32)
                }
                (true, [I32, I32, I32, I64, I32]) => {
                    typed!(linker, abi, function, a: i32, b: i32, c: i32, d: i64, e: i32)
                }
                _ => untyped(linker, abi, function),
            };
            defined.map_err(|error| EngineError::Refused(error.to_string()))?;
        }
    }
    Ok(())
}

/// Defines a function of any type.
fn untyped(
    linker: &mut Linker<Host>,
    abi: Abi,
    function: Function,
) -> Result<&mut Linker<Host>, wasmi::errors::LinkerError> {
    let parameters = function
        .parameters()
        .iter()
        .map(|parameter| match parameter {
            Parameter::I32 => ValType::I32,
            Parameter::I64 => ValType::I64,
        });
    let results = function.returns().then_some(ValType::I32);
    let ty = FuncType::new(parameters, results);
    let called = move |mut caller: Caller<'_, Host>, params: &[Val], results: &mut [Val]| {
        let mut args = [0; 9];
        for (slot, param) in args.iter_mut().zip(params) {
            *slot = match param {
                Val::I32(value) => value.bits(),
                Val::I64(value) => value.bits(),
                // The types above admit nothing else.
                _ => 0,
            };
        }
        let errno = host_function(
            &mut caller,
            &Call {
                abi,
                function,
                args,
            },
        )?;
        if let [result] = results {
            *result = Val::I32(errno);
        }
        Ok(())
    };
    linker.func_new(abi.module(), function.name(), ty, called)
}

/// What came of a question.
enum Answer {
    /// The answer is in its results.
    Given,
    /// The observer is to look first.
    Look,
}

/// Answers a question of the instrumented code.
fn meter_function(
    gauge: &mut Gauge,
    grows: &mut u32,
    function: HostFunction,
    params: &[Val],
    results: &mut [Val],
) -> Result<Answer, Interrupt> {
    let long = |index: usize| match params.get(index) {
        Some(Val::I64(value)) => *value,
        Some(Val::I32(value)) => i64::from(*value),
        _ => 0,
    };
    let answer = match function {
        HostFunction::Tick => match gauge.tick(long(0), long(1) as u32) {
            Ok(Ticked::More(left)) => Val::I64(left),
            Ok(Ticked::SliceEnd) => return Err(Interrupt::SliceEnd),
            Ok(Ticked::Checkpoint) => return Ok(Answer::Look),
            Err(passed) => return Err(Interrupt::Passed(passed)),
        },
        HostFunction::Deeper => Val::I64(
            gauge
                .deeper(long(0), long(1), long(2) as u32)
                .map_err(Interrupt::Passed)?,
        ),
        HostFunction::Grow => {
            let amounts = (long(1) as u64, long(2) as u64, long(3) as u64);
            let grown = gauge
                .grow(long(0) != 0, amounts, long(4), long(5) as u32)
                .map_err(Interrupt::Passed)?;
            *grows += u32::from(grown);
            if *grows >= MOST_GROWS {
                *grows = 0;
                return Err(Interrupt::Yield(1));
            }
            Val::I32(i32::from(grown))
        }
        HostFunction::Lack => return Err(Interrupt::Lack),
    };
    if let [result] = results {
        *result = answer;
    }
    Ok(Answer::Given)
}

pub(super) fn link_meter(linker: &mut Linker<Host>) -> Result<(), EngineError> {
    let ty = |wide: bool| if wide { ValType::I64 } else { ValType::I32 };
    for function in HostFunction::ALL {
        let signature = FuncType::new(
            function.parameters().iter().map(|&wide| ty(wide)),
            function.result().map(ty),
        );
        let defined = linker.func_new(
            HOST_MODULE,
            function.name(),
            signature,
            move |mut caller, params, results| {
                loop {
                    let Host { gauge, grows, .. } = caller.data_mut();
                    let answer = meter_function(gauge, grows, function, params, results);
                    match answer.map_err(Error::host)? {
                        Answer::Given => return Ok(()),
                        Answer::Look => look(&mut caller).map_err(|reason| {
                            caller.data_mut().blind = Some(reason);
                            Error::host(Interrupt::Blind)
                        })?,
                    }
                }
            },
        );
        defined.map_err(|error| EngineError::Refused(error.to_string()))?;
    }
    Ok(())
}

pub(super) fn link_profile(linker: &mut Linker<Host>) -> Result<(), EngineError> {
    for function in ProfileFunction::ALL {
        let parameters = function.parameters().iter();
        let ty = |wide: bool| if wide { ValType::I64 } else { ValType::I32 };
        let parameters = parameters.map(|&wide| ty(wide));
        let result = function.result().map(ty);
        let defined = linker.func_new(
            HOST_MODULE,
            function.name(),
            FuncType::new(parameters, result),
            move |mut caller, params, results| {
                let Host {
                    gauge, profiler, ..
                } = caller.data_mut();
                let (number, left) = match params {
                    [Val::I32(number), Val::I64(left)] => (*number as u32, *left),
                    [Val::I64(left)] => (0, *left),
                    // The types above admit nothing else.
                    _ => return Ok(()),
                };
                let Some(profiler) = profiler else {
                    return Ok(());
                };
                gauge.note(left);
                match function {
                    ProfileFunction::Enter => {
                        let replaces = profiler.enter(number, gauge.steps());
                        if let [result] = results {
                            *result = Val::I32(i32::from(replaces));
                        }
                    }
                    ProfileFunction::Leave => profiler.leave(gauge.steps()),
                    ProfileFunction::Replace => profiler.replace(number, gauge.steps()),
                    ProfileFunction::Tail => profiler.tail(gauge.steps()),
                }
                Ok(())
            },
        );
        defined.map_err(|error| EngineError::Refused(error.to_string()))?;
    }
    Ok(())
}
