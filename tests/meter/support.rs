//! What the parts share: values that compare bit by bit, ends, and wasmi as the host of plain and of
//! instrumented modules.

use verirun::meter::{
    Bounds, Detail, Gauge, HOST_MODULE, HostFunction, Limit, Metered, Options, Passed, Target,
    Ticked, instrument,
};
use wasmi::{
    Caller, Error, Extern, ExternRef, Func, FuncType, Global, Nullable, Store, TrapCode, Val,
    ValType,
};

/// Instruments what must be possible to instrument.
pub fn metered(wasm: &[u8], detail: Detail, target: Target) -> Metered {
    let options = Options {
        detail,
        target,
        state: false,
    };
    instrument(wasm, &options).expect("it can be instrumented")
}

/// A value, by its bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// An `i32`.
    I32(u32),
    /// An `i64`.
    I64(u64),
    /// An `f32`.
    F32(u32),
    /// An `f64`.
    F64(u64),
    /// A vector.
    V128(u128),
    /// A function. Which one it is can't be compared: that is where they are wrapped.
    Func {
        /// Whether there is none.
        null: bool,
    },
    /// What the host put in.
    Extern(Option<u32>),
}

/// [`End::Failed`] when an engine answered -1 where the limits allow growth.
pub const LACK: &str = "lack";

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned.
    Done(Vec<Value>),
    /// It trapped, for this reason.
    Trap(&'static str),
    /// A limit of metering.
    Passed(Limit),
    /// The engine's own stack is full.
    Overflow,
    /// Anything else, shortened to what kind of error it is.
    Failed(String),
}

/// An interrupt of the host: a limit, or (`None`) an engine that does not grow what it should.
#[derive(Debug)]
struct Stop(Option<Limit>);

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl wasmi::errors::HostError for Stop {}

/// What a wasmi store holds.
pub struct Host {
    pub gauge: Gauge,
    /// The counter of the instance that runs: `left` of an instrumented one, or the oracle's.
    pub counter: Option<Global>,
    /// The counter counts down from what was granted.
    pub counts_down: bool,
    /// Each call of a host function: a digest of what it was given, and the steps by then.
    pub calls: Vec<(u64, u64)>,
}

impl Host {
    pub fn new(bounds: Bounds, pages: u64) -> Self {
        Self {
            gauge: Gauge::new(bounds, pages),
            counter: None,
            counts_down: true,
            calls: Vec::new(),
        }
    }
}

/// Steps so far, as the instance's counter has it.
pub fn steps(store: &mut Store<Host>) -> u64 {
    let Some(counter) = store.data().counter else {
        return 0;
    };
    let Val::I64(value) = counter.get(&*store) else {
        panic!("the counter is an i64");
    };
    let host = store.data_mut();
    if !host.counts_down {
        return value as u64;
    }
    host.gauge.note(value);
    host.gauge.steps()
}

/// Gives the guest all the steps it may have.
pub fn grant(store: &mut Store<Host>, most: u64) {
    let gauge = &mut store.data_mut().gauge;
    gauge.begin_slice(most);
    let left = gauge.grant();
    if let Some(counter) = store.data().counter {
        counter
            .set(&mut *store, Val::I64(left))
            .expect("the counter can be set");
    }
}

fn valtype(wide: bool) -> ValType {
    if wide { ValType::I64 } else { ValType::I32 }
}

/// The functions that an instrumented module imports.
pub fn host_function(store: &mut Store<Host>, function: HostFunction) -> Func {
    let ty = FuncType::new(
        function.parameters().iter().map(|&wide| valtype(wide)),
        function.result().map(valtype),
    );
    Func::new(
        store,
        ty,
        move |mut caller: Caller<'_, Host>, params: &[Val], results: &mut [Val]| {
            let long = |index: usize| match params[index] {
                Val::I64(value) => value,
                Val::I32(value) => i64::from(value),
                _ => panic!("not a parameter of ours"),
            };
            let gauge = &mut caller.data_mut().gauge;
            let stop = |passed: Passed| Error::host(Stop(Some(passed.limit)));
            match function {
                HostFunction::Tick => match gauge.tick(long(0), long(1) as u32).map_err(stop)? {
                    Ticked::More(left) => results[0] = Val::I64(left),
                    Ticked::SliceEnd | Ticked::Checkpoint => panic!("the slice ends with the gas"),
                },
                HostFunction::Deeper => {
                    let room = gauge.deeper(long(0), long(1), long(2) as u32);
                    results[0] = Val::I64(room.map_err(stop)?);
                }
                HostFunction::Grow => {
                    let amounts = (long(1) as u64, long(2) as u64, long(3) as u64);
                    let grown = gauge.grow(long(0) != 0, amounts, long(4), long(5) as u32);
                    results[0] = Val::I32(i32::from(grown.map_err(stop)?));
                }
                HostFunction::Lack => return Err(Error::host(Stop(None))),
            }
            Ok(())
        },
    )
}

/// One of [`host_function`], if that is what the import wants.
pub fn metering_import(store: &mut Store<Host>, module: &str, name: &str) -> Option<Extern> {
    let function = HostFunction::ALL
        .into_iter()
        .find(|function| module == HOST_MODULE && function.name() == name)?;
    Some(Extern::Func(host_function(store, function)))
}

/// How a wasmi error ends a call.
pub fn end_of(error: &Error) -> End {
    match error.downcast_ref::<Stop>() {
        Some(Stop(Some(limit))) => return End::Passed(*limit),
        Some(Stop(None)) => return End::Failed(LACK.to_owned()),
        None => {}
    }
    End::Trap(match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => return End::Overflow,
        Some(TrapCode::UnreachableCodeReached) => "unreachable",
        Some(TrapCode::MemoryOutOfBounds) => "memory out of bounds",
        Some(TrapCode::TableOutOfBounds) => "table out of bounds",
        Some(TrapCode::IndirectCallToNull) => "call to null",
        Some(TrapCode::IntegerDivisionByZero) => "division by zero",
        Some(TrapCode::IntegerOverflow) => "integer overflow",
        Some(TrapCode::BadConversionToInteger) => "bad conversion",
        Some(TrapCode::BadSignature) => "bad signature",
        Some(other) => return End::Failed(format!("{other:?}")),
        None => {
            let text = format!("{:?}", error.kind());
            let short = text.split(['{', '"', '[']).next().unwrap_or_default();
            return End::Failed(short.to_owned());
        }
    })
}

/// A wasmi value, by its bits.
pub fn value(store: &Store<Host>, value: &Val) -> Value {
    match value {
        Val::I32(value) => Value::I32(*value as u32),
        Val::I64(value) => Value::I64(*value as u64),
        Val::F32(value) => Value::F32(value.to_bits()),
        Val::F64(value) => Value::F64(value.to_bits()),
        Val::V128(value) => Value::V128(value.as_u128()),
        Val::FuncRef(value) => Value::Func {
            null: value.is_null(),
        },
        Val::ExternRef(value) => Value::Extern(value.val().map(|value| {
            *value
                .data(store)
                .downcast_ref::<u32>()
                .expect("the host put it in")
        })),
    }
}

/// A value for wasmi. References are null but for an extern of the host.
pub fn val(store: &mut Store<Host>, value: &Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(*value as i32),
        Value::I64(value) => Val::I64(*value as i64),
        Value::F32(bits) => Val::F32(f32::from_bits(*bits).into()),
        Value::F64(bits) => Val::F64(f64::from_bits(*bits).into()),
        Value::V128(bits) => Val::V128((*bits).into()),
        Value::Func { .. } => Val::FuncRef(Nullable::Null),
        Value::Extern(None) => Val::ExternRef(Nullable::Null),
        Value::Extern(Some(value)) => Val::ExternRef(Nullable::Val(ExternRef::new(store, *value))),
    }
}

/// Calls a function.
pub fn call(store: &mut Store<Host>, func: Func, args: &[Value]) -> End {
    let args: Vec<Val> = args.iter().map(|arg| val(store, arg)).collect();
    let results = func.ty(&*store).results().len();
    let mut out = vec![Val::I32(0); results];
    match func.call(&mut *store, &args, &mut out) {
        Ok(()) => End::Done(out.iter().map(|one| value(store, one)).collect()),
        Err(error) => end_of(&error),
    }
}
