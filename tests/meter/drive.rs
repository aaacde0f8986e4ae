//! Runs one exported function of a module on wasmi or wasmtime, with a host that answers imports the
//! same way on both, and notes all that can be seen of it.

use crate::support::{End, Value};
use std::hash::{DefaultHasher, Hash, Hasher};
use verirun::meter::{Bounds, Limit, Metered};

/// All that can be seen of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub end: End,
    /// Calls of host functions: a digest of name and arguments, and the steps by then.
    pub calls: Vec<(u64, u64)>,
    /// What the module exports, but for functions.
    pub state: Vec<(String, Item)>,
    pub steps: u64,
    /// Nested calls and bytes of frames.
    pub peaks: (u64, u64),
}

/// An exported item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Global(Value),
    /// Pages, and a digest of the bytes.
    Memory(u64, u64),
    /// Which elements are null.
    Table(Vec<bool>),
}

/// What is run.
#[derive(Clone, Copy)]
pub enum Guest<'a> {
    /// The module as it is.
    Plain,
    /// With the counter of [`crate::oracle`].
    Counted,
    Metered(&'a Metered),
}

/// A call: which function with which arguments (made up from a seed), under which bounds.
pub struct Job<'a> {
    /// `None` runs the start function only.
    pub function: Option<&'a str>,
    /// Names of what the module exports, but for functions.
    pub watched: &'a [String],
    pub seed: u64,
    pub bounds: Bounds,
}

pub fn digest(what: &(impl Hash + ?Sized)) -> u64 {
    // The algorithm may change with the toolchain, but not between two engines in one run.
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Kinds of values, as both engines have them.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    I32,
    I64,
    F32,
    F64,
    V128,
    Func,
    Extern,
}

/// A value out of a seed; edges are more likely than the rest.
pub fn make(kind: Kind, seed: u64) -> Value {
    let bits = digest(&(seed, 1));
    let edge32 = [0, 1, 2, 8, 31, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    let edge64 = [0, 1, 2, 8, 63, i64::MAX as u64, 1 << 63, u64::MAX];
    let floats = [0.0, -0.0, 1.0, -1.5, 1e9, 3e38, f64::INFINITY];
    let pick = (bits >> 8) as usize % 8;
    let plain = bits.is_multiple_of(4);
    let int64 = if plain {
        digest(&(seed, 2))
    } else {
        edge64[pick]
    };
    // NaNs of any sign and payload: what comes of them must not depend on the engine.
    let float64 = |seed: u64| match (digest(&(seed, 4)) >> 8) as usize % 8 {
        7 => digest(&(seed, 5)) | 0x7ff0_0000_0000_0001,
        pick => floats[pick].to_bits(),
    };
    let float32 = |seed: u64| match (digest(&(seed, 4)) >> 8) as usize % 8 {
        7 => digest(&(seed, 5)) as u32 | 0x7f80_0001,
        pick => (floats[pick] as f32).to_bits(),
    };
    match kind {
        Kind::I32 if plain => Value::I32(digest(&(seed, 2)) as u32),
        Kind::I32 => Value::I32(edge32[pick]),
        Kind::I64 => Value::I64(int64),
        Kind::F32 if plain => Value::F32(digest(&(seed, 2)) as u32),
        Kind::F32 => Value::F32(float32(seed)),
        Kind::F64 if plain => Value::F64(digest(&(seed, 2))),
        Kind::F64 => Value::F64(float64(seed)),
        Kind::V128 => Value::V128(match bits >> 16 & 3 {
            0 => u128::from(int64) << 64 | u128::from(digest(&(seed, 3))),
            1 => u128::from(float64(seed)) << 64 | u128::from(float64(!seed)),
            _ => (0..4).fold(0, |lanes, lane| {
                lanes << 32 | u128::from(float32(seed.wrapping_add(lane << 32)))
            }),
        }),
        Kind::Func => Value::Func { null: true },
        Kind::Extern => Value::Extern(None),
    }
}

/// What `end` means once the count is known: gas that the last steps used up counts too.
fn settle(end: End, spent: bool) -> End {
    match end {
        End::Done(_) if spent => End::Passed(Limit::Gas),
        end => end,
    }
}

pub mod on_wasmi {
    use super::{Guest, Item, Job, Kind, Seen, digest, make, settle};
    use crate::oracle::COUNTER;
    use crate::support::{End, Host, call, end_of, grant, metering_import, steps, val, value};
    use wasmi::{
        Extern, ExternType, Func, Global, Instance, Memory, Module, Ref, Store, Table, ValType,
    };

    /// Fuel of modules that do not count: the instrumented one has shown that they end.
    const FUEL: u64 = 1 << 32;

    fn kind(ty: ValType) -> Kind {
        match ty {
            ValType::I32 => Kind::I32,
            ValType::I64 => Kind::I64,
            ValType::F32 => Kind::F32,
            ValType::F64 => Kind::F64,
            ValType::V128 => Kind::V128,
            ValType::FuncRef => Kind::Func,
            ValType::ExternRef => Kind::Extern,
        }
    }

    fn import(store: &mut Store<Host>, module: &str, name: &str, ty: &ExternType) -> Extern {
        if let Some(ours) = metering_import(store, module, name) {
            return ours;
        }
        let seed = digest(&(module, name));
        match ty {
            ExternType::Func(ty) => {
                let results: Vec<ValType> = ty.results().to_vec();
                let func = Func::new(&mut *store, ty.clone(), move |mut caller, params, out| {
                    let counter = caller.data().counter;
                    let steps = match counter.map(|counter| counter.get(&caller)) {
                        Some(wasmi::Val::I64(value)) => {
                            let host = caller.data_mut();
                            if host.counts_down {
                                host.gauge.note(value);
                                host.gauge.steps()
                            } else {
                                value as u64
                            }
                        }
                        _ => 0,
                    };
                    let params: Vec<String> = params.iter().map(show).collect();
                    let call = digest(&(seed, params));
                    caller.data_mut().calls.push((call, steps));
                    for (index, (slot, ty)) in out.iter_mut().zip(&results).enumerate() {
                        *slot = plain_val(&make(kind(*ty), call ^ index as u64));
                    }
                    Ok(())
                });
                Extern::Func(func)
            }
            ExternType::Global(ty) => {
                let value = val(store, &make(kind(ty.content()), seed));
                Extern::Global(Global::new(store, value, ty.mutability()))
            }
            ExternType::Memory(ty) => Extern::Memory(Memory::new(store, *ty).expect("a memory")),
            ExternType::Table(ty) => {
                let null = Ref::null(ty.element());
                Extern::Table(Table::new(store, *ty, null).expect("a table"))
            }
        }
    }

    /// A parameter's bits, in words both engines share.
    fn show(param: &wasmi::Val) -> String {
        match param {
            wasmi::Val::I32(value) => format!("i32 {value}"),
            wasmi::Val::I64(value) => format!("i64 {value}"),
            wasmi::Val::F32(value) => format!("f32 {}", value.to_bits()),
            wasmi::Val::F64(value) => format!("f64 {}", value.to_bits()),
            wasmi::Val::V128(value) => format!("v128 {}", value.as_u128()),
            wasmi::Val::FuncRef(value) => format!("func {}", value.is_null()),
            wasmi::Val::ExternRef(value) => format!("extern {}", value.is_null()),
        }
    }

    fn plain_val(value: &crate::support::Value) -> wasmi::Val {
        use crate::support::Value;
        match value {
            Value::I32(value) => wasmi::Val::I32(*value as i32),
            Value::I64(value) => wasmi::Val::I64(*value as i64),
            Value::F32(bits) => wasmi::Val::F32(f32::from_bits(*bits).into()),
            Value::F64(bits) => wasmi::Val::F64(f64::from_bits(*bits).into()),
            Value::V128(bits) => wasmi::Val::V128((*bits).into()),
            Value::Func { .. } => wasmi::Val::FuncRef(wasmi::Nullable::Null),
            Value::Extern(_) => wasmi::Val::ExternRef(wasmi::Nullable::Null),
        }
    }

    /// Runs a job in a new instance.
    pub fn run(module: &Module, guest: Guest<'_>, job: &Job<'_>) -> Seen {
        let pages = match guest {
            Guest::Metered(metered) => metered.memory_pages,
            _ => 0,
        };
        let mut store = Store::new(module.engine(), Host::new(job.bounds, pages));
        if !matches!(guest, Guest::Metered(_)) {
            store.set_fuel(FUEL).expect("fuel is on");
        }
        let imports: Vec<Extern> = module
            .imports()
            .map(|one| import(&mut store, one.module(), one.name(), one.ty()))
            .collect();
        let mut end = End::Done(Vec::new());
        let mut state = Vec::new();
        match Instance::new(&mut store, module, &imports) {
            Err(error) => end = end_of(&error),
            Ok(instance) => {
                let mut functions = Vec::new();
                match guest {
                    Guest::Metered(metered) => {
                        store.data_mut().counter = instance.get_global(&store, &metered.left);
                        if let Some(start) = &metered.start {
                            functions.push((start.as_str(), 0));
                        }
                    }
                    Guest::Counted => {
                        store.data_mut().counter = instance.get_global(&store, COUNTER);
                        store.data_mut().counts_down = false;
                    }
                    Guest::Plain => {}
                }
                functions.extend(job.function.map(|name| (name, job.seed)));
                if store.data().counts_down {
                    grant(&mut store, u64::MAX);
                }
                for (name, seed) in functions {
                    let func = instance.get_func(&store, name).expect("it is exported");
                    let args: Vec<_> = func
                        .ty(&store)
                        .params()
                        .iter()
                        .zip(seed..)
                        .map(|(&ty, seed)| make(kind(ty), seed))
                        .collect();
                    end = call(&mut store, func, &args);
                    if !matches!(end, End::Done(_)) {
                        break;
                    }
                }
                for name in job.watched {
                    let item = match instance.get_export(&store, name).expect("it is exported") {
                        Extern::Global(global) => {
                            let found = global.get(&store);
                            Item::Global(value(&store, &found))
                        }
                        Extern::Memory(memory) => {
                            Item::Memory(memory.size(&store), digest(memory.data(&store)))
                        }
                        Extern::Table(table) => {
                            let nulls = (0..table.size(&store)).map(|index| {
                                table.get(&store, index).is_none_or(|one| one.is_null())
                            });
                            Item::Table(nulls.collect())
                        }
                        Extern::Func(_) => continue,
                    };
                    state.push((name.clone(), item));
                }
            }
        }
        // A limit was passed with the count in hand; the counter is not written on the way out.
        let steps = match end {
            End::Passed(_) => store.data().gauge.steps(),
            _ => steps(&mut store),
        };
        let host = store.data();
        Seen {
            end: settle(end, host.gauge.is_spent()),
            calls: host.calls.clone(),
            state,
            steps,
            peaks: (host.gauge.peak_calls(), host.gauge.peak_frame()),
        }
    }
}

pub mod on_wasmtime {
    use super::{Item, Job, Kind, Seen, digest, make, settle};
    use crate::support::{End, Value};
    use verirun::meter::{Gauge, HOST_MODULE, HostFunction, Limit, Metered, Passed, Ticked};
    use wasmtime::{
        Caller, Extern, ExternType, Func, FuncType, Global, HeapType, Instance, Memory, Module,
        Ref, Store, Table, Trap, Val, ValType,
    };

    struct Host {
        gauge: Gauge,
        left: Option<Global>,
        calls: Vec<(u64, u64)>,
    }

    #[derive(Debug)]
    struct Stop(Limit);

    impl std::fmt::Display for Stop {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{self:?}")
        }
    }

    impl std::error::Error for Stop {}

    /// An engine with the features of tasks.
    pub fn engine() -> wasmtime::Engine {
        let mut config = wasmtime::Config::new();
        config
            .wasm_simd(true)
            .wasm_relaxed_simd(true)
            .wasm_multi_memory(true)
            .wasm_memory64(true)
            .wasm_tail_call(true)
            .wasm_extended_const(true)
            .cranelift_opt_level(wasmtime::OptLevel::None)
            .max_wasm_stack(2 << 20)
            .wasm_backtrace_max_frames(None)
            // Thousands of small instances: no need of 4 GiB of addresses for each.
            .memory_reservation(1 << 20)
            .memory_guard_size(0)
            .memory_init_cow(false);
        wasmtime::Engine::new(&config).expect("this machine can run wasmtime")
    }

    fn kind(ty: &ValType) -> Kind {
        match ty {
            ValType::I32 => Kind::I32,
            ValType::I64 => Kind::I64,
            ValType::F32 => Kind::F32,
            ValType::F64 => Kind::F64,
            ValType::V128 => Kind::V128,
            ValType::Ref(ty) => match ty.heap_type() {
                HeapType::Extern => Kind::Extern,
                _ => Kind::Func,
            },
        }
    }

    fn val(value: &Value) -> Val {
        match value {
            Value::I32(value) => Val::I32(*value as i32),
            Value::I64(value) => Val::I64(*value as i64),
            Value::F32(bits) => Val::F32(*bits),
            Value::F64(bits) => Val::F64(*bits),
            Value::V128(bits) => Val::V128((*bits).into()),
            Value::Func { .. } => Val::FuncRef(None),
            Value::Extern(_) => Val::ExternRef(None),
        }
    }

    fn value(val: &Val) -> Value {
        match val {
            Val::I32(value) => Value::I32(*value as u32),
            Val::I64(value) => Value::I64(*value as u64),
            Val::F32(bits) => Value::F32(*bits),
            Val::F64(bits) => Value::F64(*bits),
            Val::V128(bits) => Value::V128(bits.as_u128()),
            Val::FuncRef(func) => Value::Func {
                null: func.is_none(),
            },
            Val::ExternRef(None) => Value::Extern(None),
            other => panic!("no guest has a {other:?}"),
        }
    }

    fn show(param: &Val) -> String {
        match param {
            Val::I32(value) => format!("i32 {value}"),
            Val::I64(value) => format!("i64 {value}"),
            Val::F32(bits) => format!("f32 {bits}"),
            Val::F64(bits) => format!("f64 {bits}"),
            Val::V128(bits) => format!("v128 {}", bits.as_u128()),
            Val::FuncRef(func) => format!("func {}", func.is_none()),
            other => format!("extern {}", matches!(other, Val::ExternRef(None))),
        }
    }

    fn meter(store: &mut Store<Host>, function: HostFunction) -> Func {
        let wide = |wide: bool| if wide { ValType::I64 } else { ValType::I32 };
        let ty = FuncType::new(
            store.engine(),
            function.parameters().iter().map(|&yes| wide(yes)),
            function.result().map(wide),
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
                let stop = |passed: Passed| wasmtime::Error::from(Stop(passed.limit));
                match function {
                    HostFunction::Tick => {
                        match gauge.tick(long(0), long(1) as u32).map_err(stop)? {
                            Ticked::More(left) => results[0] = Val::I64(left),
                            Ticked::SliceEnd | Ticked::Checkpoint => {
                                panic!("the slice ends with the gas")
                            }
                        }
                    }
                    HostFunction::Deeper => {
                        let room = gauge.deeper(long(0), long(1), long(2) as u32);
                        results[0] = Val::I64(room.map_err(stop)?);
                    }
                    HostFunction::Grow => {
                        let amounts = (long(1) as u64, long(2) as u64, long(3) as u64);
                        let grown = gauge.grow(long(0) != 0, amounts, long(4), long(5) as u32);
                        results[0] = Val::I32(i32::from(grown.map_err(stop)?));
                    }
                    HostFunction::Lack => return Err(wasmtime::Error::msg("lack")),
                }
                Ok(())
            },
        )
    }

    fn import(store: &mut Store<Host>, module: &str, name: &str, ty: &ExternType) -> Extern {
        let ours = HostFunction::ALL
            .into_iter()
            .find(|function| module == HOST_MODULE && function.name() == name);
        if let Some(function) = ours {
            return Extern::Func(meter(store, function));
        }
        let seed = digest(&(module, name));
        match ty {
            ExternType::Func(ty) => {
                let results: Vec<ValType> = ty.results().collect();
                let host = move |mut caller: Caller<'_, Host>, params: &[Val], out: &mut [Val]| {
                    let left = caller.data().left.expect("it is set before any call");
                    let Val::I64(left) = left.get(&mut caller) else {
                        panic!("it is an i64");
                    };
                    let host = caller.data_mut();
                    host.gauge.note(left);
                    let params: Vec<String> = params.iter().map(show).collect();
                    let call = digest(&(seed, params));
                    host.calls.push((call, host.gauge.steps()));
                    for (index, (slot, ty)) in out.iter_mut().zip(&results).enumerate() {
                        *slot = val(&make(kind(ty), call ^ index as u64));
                    }
                    Ok(())
                };
                Extern::Func(Func::new(store, ty.clone(), host))
            }
            ExternType::Global(ty) => {
                let value = val(&make(kind(ty.content()), seed));
                Extern::Global(Global::new(store, ty.clone(), value).expect("a global"))
            }
            ExternType::Memory(ty) => {
                Extern::Memory(Memory::new(store, ty.clone()).expect("a memory"))
            }
            ExternType::Table(ty) => {
                let null = match ty.element().heap_type() {
                    HeapType::Extern => Ref::Extern(None),
                    _ => Ref::Func(None),
                };
                Extern::Table(Table::new(store, ty.clone(), null).expect("a table"))
            }
            other => panic!("an import of {other:?}"),
        }
    }

    fn end_of(error: &wasmtime::Error) -> End {
        if let Some(Stop(limit)) = error.downcast_ref::<Stop>() {
            return End::Passed(*limit);
        }
        End::Trap(match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => return End::Overflow,
            Some(Trap::UnreachableCodeReached) => "unreachable",
            Some(Trap::MemoryOutOfBounds) => "memory out of bounds",
            Some(Trap::TableOutOfBounds) => "table out of bounds",
            Some(Trap::IndirectCallToNull) => "call to null",
            Some(Trap::IntegerDivisionByZero) => "division by zero",
            Some(Trap::IntegerOverflow) => "integer overflow",
            Some(Trap::BadConversionToInteger) => "bad conversion",
            Some(Trap::BadSignature) => "bad signature",
            _ => return End::Failed(format!("{error:?}")),
        })
    }

    /// Runs a job in a new instance of an instrumented module.
    pub fn run(module: &Module, metered: &Metered, job: &Job<'_>) -> Seen {
        let host = Host {
            gauge: Gauge::new(job.bounds, metered.memory_pages),
            left: None,
            calls: Vec::new(),
        };
        let mut store = Store::new(module.engine(), host);
        let imports: Vec<Extern> = module
            .imports()
            .map(|one| import(&mut store, one.module(), one.name(), &one.ty()))
            .collect();
        let mut end = End::Done(Vec::new());
        let mut state = Vec::new();
        match Instance::new(&mut store, module, &imports) {
            Err(error) => end = end_of(&error),
            Ok(instance) => {
                let left = instance
                    .get_global(&mut store, &metered.left)
                    .expect("it is exported");
                store.data_mut().left = Some(left);
                store.data_mut().gauge.begin_slice(u64::MAX);
                let granted = store.data_mut().gauge.grant();
                left.set(&mut store, Val::I64(granted)).expect("it is ours");
                let start = metered.start.as_deref().map(|name| (name, 0));
                let function = job.function.map(|name| (name, job.seed));
                for (name, seed) in start.into_iter().chain(function) {
                    let func = instance.get_func(&mut store, name).expect("it is exported");
                    let ty = func.ty(&store);
                    let args: Vec<Val> = ty
                        .params()
                        .zip(seed..)
                        .map(|(ty, seed)| val(&make(kind(&ty), seed)))
                        .collect();
                    let mut results = vec![Val::I32(0); ty.results().len()];
                    end = match func.call(&mut store, &args, &mut results) {
                        Ok(()) => End::Done(results.iter().map(value).collect()),
                        Err(error) => end_of(&error),
                    };
                    if !matches!(end, End::Done(_)) {
                        break;
                    }
                }
                for name in job.watched {
                    let item = match instance
                        .get_export(&mut store, name)
                        .expect("it is exported")
                    {
                        Extern::Global(global) => Item::Global(value(&global.get(&mut store))),
                        Extern::Memory(memory) => {
                            Item::Memory(memory.size(&store), digest(memory.data(&store)))
                        }
                        Extern::Table(table) => {
                            let nulls = (0..table.size(&store)).map(|index| {
                                table.get(&mut store, index).is_none_or(|one| one.is_null())
                            });
                            Item::Table(nulls.collect())
                        }
                        _ => continue,
                    };
                    state.push((name.clone(), item));
                }
                let Val::I64(last) = left.get(&mut store) else {
                    panic!("it is an i64");
                };
                if !matches!(end, End::Passed(_)) {
                    store.data_mut().gauge.note(last);
                }
            }
        }
        let host = store.data();
        Seen {
            end: settle(end, host.gauge.is_spent()),
            calls: host.calls.clone(),
            state,
            steps: host.gauge.steps(),
            peaks: (host.gauge.peak_calls(), host.gauge.peak_frame()),
        }
    }
}
