//! Random modules: plain and instrumented on wasmi, instrumented on wasmtime. All that can be seen is
//! the same, and the counts are those of the naive oracle.
//!
//! `VERIRUN_METER_CASES` sets how many modules, `VERIRUN_METER_SEED` which.

use crate::drive::{Guest, Item, Job, Seen, digest, on_wasmi, on_wasmtime};
use crate::graphs;
use crate::oracle::{When, count};
use crate::shape::{Form, Shape};
use crate::support::{End, metered};
use arbitrary::Unstructured;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use verirun::meter::{Bounds, Detail, Limit, Target};
use wasm_smith::{Config, InstructionKind, InstructionKinds};

/// What holds in all runs: small enough that endless modules end soon.
const GAS: u64 = 50_000;
const CALLS: u64 = 150;
const FRAME: u64 = 64 << 10;
const PAGES: u64 = 64;

/// What a fuzz run came to.
#[derive(Debug, Default)]
struct Tally {
    modules: u64,
    /// Calls of exported functions (and start functions alone).
    executed: u64,
    returned: u64,
    trapped: u64,
    out_of_gas: u64,
    other_limits: u64,
    not_instantiated: u64,
    steps: u64,
    host_calls: u64,
    /// Runs repeated under a limit at or below what they need.
    limited_again: u64,
    on_wasmtime: u64,
    /// Modules with calls of leaves that are left as they are, and of other leaves.
    with_plain_leaves: u64,
    with_other_leaves: u64,
    /// Modules with loops in four copies, in two and in one.
    with_turns: [u64; 3],
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.modules += other.modules;
        self.executed += other.executed;
        self.returned += other.returned;
        self.trapped += other.trapped;
        self.out_of_gas += other.out_of_gas;
        self.other_limits += other.other_limits;
        self.not_instantiated += other.not_instantiated;
        self.steps += other.steps;
        self.host_calls += other.host_calls;
        self.limited_again += other.limited_again;
        self.on_wasmtime += other.on_wasmtime;
        self.with_plain_leaves += other.with_plain_leaves;
        self.with_other_leaves += other.with_other_leaves;
        for (mine, its) in self.with_turns.iter_mut().zip(other.with_turns) {
            *mine += its;
        }
    }

    /// Notes what instrumenting made of a module for the interpreter and for a compiler.
    fn note(&mut self, leaves: &Shape, turns: &Shape) {
        self.with_plain_leaves += u64::from(leaves.calls.0 > 0);
        self.with_other_leaves += u64::from(leaves.calls.1 > 0);
        for (count, copies) in self.with_turns.iter_mut().zip([4, 2, 1]) {
            *count += u64::from(turns.turned.contains(&copies));
        }
        assert!(turns.functions.iter().all(|&form| form == Form::Metered));
        assert!(leaves.turned.is_empty());
    }
}

fn config(rng: &mut ChaCha8Rng) -> Config {
    let mut config = Config {
        export_everything: true,
        allow_start_export: rng.next_u32().is_multiple_of(4),
        exceptions_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        relaxed_simd_enabled: true,
        multi_value_enabled: true,
        memory64_enabled: true,
        extended_const_enabled: true,
        tail_call_enabled: true,
        max_imports: [0, 0, 4, 8][rng.next_u32() as usize % 4],
        max_memories: 3,
        max_tables: 3,
        max_funcs: 8,
        min_funcs: 1,
        max_types: 20,
        max_globals: 8,
        max_data_segments: 4,
        max_element_segments: 4,
        max_memory32_bytes: 1 << 20,
        max_memory64_bytes: 1 << 20,
        max_table_elements: 200,
        memory_max_size_required: rng.next_u32().is_multiple_of(2),
        table_max_size_required: rng.next_u32().is_multiple_of(2),
        max_instructions: [20, 60, 200, 500][rng.next_u32() as usize % 4],
        max_nesting_depth: 12,
        ..Config::default()
    };
    use InstructionKind as K;
    config.allowed_instructions = match rng.next_u32() % 5 {
        0 => InstructionKinds::new(&[K::Control, K::NumericInt, K::Variable, K::Parametric]),
        1 => InstructionKinds::new(&[
            K::Control,
            K::Numeric,
            K::Variable,
            K::Parametric,
            K::Memory,
            K::Table,
            K::Reference,
        ]),
        2 => InstructionKinds::new(&[K::Numeric, K::Vector, K::Variable, K::Parametric, K::Memory]),
        _ => InstructionKinds::all(),
    };
    config
}

/// Module number `case`; `None` if the random bytes make none.
fn generate(seed: u64, case: u64) -> Option<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(digest(&(seed, case)));
    let config = config(&mut rng);
    let mut bytes = vec![0; 512 << (rng.next_u32() % 5)];
    rng.fill_bytes(&mut bytes);
    let mut input = Unstructured::new(&bytes);
    let module = wasm_smith::Module::new(config, &mut input).ok()?;
    let wasm = module.to_bytes();
    // wasm-smith exports all or what it likes. A function that is only called by name is another matter.
    Some(match rng.next_u32().is_multiple_of(2) {
        true => wasm,
        false => hide(&wasm, &mut rng).unwrap_or(wasm),
    })
}

/// The module with only some of the functions that it exports; `None` if it would not be valid, because
/// an export is what lets its code name a function, or if none would be left.
fn hide(wasm: &[u8], rng: &mut ChaCha8Rng) -> Option<Vec<u8>> {
    use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
    use wasmparser::{ExternalKind, Parser, Payload};
    let mut module = wasm_encoder::Module::new();
    let mut left = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("a valid module") {
            Payload::ExportSection(section) => {
                let mut exports = wasm_encoder::ExportSection::new();
                for export in section {
                    let export = export.expect("an export");
                    let is_function = export.kind == ExternalKind::Func;
                    if is_function && !rng.next_u32().is_multiple_of(3) {
                        continue;
                    }
                    left += u32::from(is_function);
                    let kind = RoundtripReencoder.export_kind(export.kind).ok()?;
                    exports.export(export.name, kind, export.index);
                }
                module.section(&exports);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    let data = &wasm[range.start as usize..range.end as usize];
                    module.section(&wasm_encoder::RawSection { id, data });
                }
            }
        }
    }
    let module = module.finish();
    let is_valid = wasmparser::Validator::new_with_features(verirun::meter::features())
        .validate_all(&module)
        .is_ok();
    (left > 0 && is_valid).then_some(module)
}

/// Relaxed operators whose results wasmi gives as a relaxed engine may, and we as the profile says:
/// the plain module gets another operator of the same type in their place, in as many bytes.
fn pin(wasm: &mut [u8]) -> bool {
    use wasmparser::{Operator as O, Parser, Payload};
    let mut places = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.expect("a valid module") else {
            continue;
        };
        let mut reader = body.get_operators_reader().expect("operators");
        while !reader.eof() {
            let start = reader.original_position() as usize;
            let other = match reader.read().expect("an operator") {
                O::F32x4RelaxedMadd
                | O::F32x4RelaxedNmadd
                | O::F64x2RelaxedMadd
                | O::F64x2RelaxedNmadd
                | O::I32x4RelaxedDotI8x16I7x16AddS => 0x09,
                O::I16x8RelaxedDotI8x16I7x16S => 0x11,
                _ => continue,
            };
            places.push((start, other));
        }
    }
    for &(start, other) in &places {
        // 0xfd, then 0x100 + n as two bytes.
        wasm[start + 1] = 0x80 | other;
        wasm[start + 2] = 0x02;
    }
    !places.is_empty()
}

pub struct Engines {
    pub plain: wasmi::Engine,
    metered: wasmi::Engine,
    pub wasmtime: wasmtime::Engine,
}

impl Engines {
    pub fn new() -> Self {
        let mut config = wasmi::Config::default();
        config.set_max_recursion_depth(4 * CALLS as usize);
        config.set_max_stack_height(16 << 20);
        let metered = wasmi::Engine::new(&config);
        config.consume_fuel(true);
        Self {
            plain: wasmi::Engine::new(&config),
            metered,
            wasmtime: on_wasmtime::engine(),
        }
    }
}

/// Functions and other items that a module exports, and whether it has a start function.
fn exports(wasm: &[u8]) -> (Vec<String>, Vec<String>, bool) {
    use wasmparser::{ExternalKind, Parser, Payload};
    let (mut functions, mut others, mut start) = (Vec::new(), Vec::new(), false);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("a valid module") {
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.expect("an export");
                    match export.kind {
                        ExternalKind::Func => functions.push(export.name.to_owned()),
                        _ => others.push(export.name.to_owned()),
                    }
                }
            }
            Payload::StartSection { .. } => start = true,
            _ => {}
        }
    }
    (functions, others, start)
}

/// Makes a module out of a seed and a number.
type Make = fn(u64, u64) -> Option<Vec<u8>>;

/// Checks one module. Panics with what differs.
fn check(engines: &Engines, make: Make, seed: u64, case: u64) -> Tally {
    let mut tally = Tally::default();
    let Some(mut wasm) = make(seed, case) else {
        return tally;
    };
    tally.modules = 1;
    // Half of the modules keep their relaxed operators, and go without the plain run.
    let relaxed = match case.is_multiple_of(2) {
        true => {
            pin(&mut wasm);
            false
        }
        false => pin(&mut wasm.clone()),
    };
    let fast = metered(&wasm, Detail::Fast, Target::Interpreter);
    let exact = metered(&wasm, Detail::Exact, Target::Interpreter);
    // For the compiler the code makes NaNs canonical itself.
    let compiled_fast = metered(&wasm, Detail::Fast, Target::Compiler);
    let compiled_exact = metered(&wasm, Detail::Exact, Target::Compiler);
    let turns = Shape::of(&wasm, &compiled_fast.wasm);
    tally.note(&Shape::of(&wasm, &fast.wasm), &turns);
    let late = match turns.turned.is_empty() {
        true => Late::Traps,
        false => Late::TrapsAndGas,
    };
    let load = |wasm: &[u8], engine| wasmi::Module::new(engine, wasm).expect("it is valid");
    let on_fast = load(&fast.wasm, &engines.metered);
    let on_exact = load(&exact.wasm, &engines.metered);
    let mut plain = None;
    // The second engine compiles, which takes most of the time: both details on few modules.
    let compile =
        |wasm: &[u8]| wasmtime::Module::new(&engines.wasmtime, wasm).expect("it is valid");
    let native_fast = compile(&compiled_fast.wasm);
    let native_exact = case
        .is_multiple_of(8)
        .then(|| compile(&compiled_exact.wasm));

    let (functions, watched, start) = exports(&wasm);
    let mut names: Vec<Option<&str>> = functions.iter().map(|name| Some(name.as_str())).collect();
    names.truncate(6);
    if start && names.is_empty() {
        names.push(None);
    }
    // Each with two sets of arguments.
    names.extend_from_within(..);
    for (index, name) in names.into_iter().enumerate() {
        let bounds = Bounds::new(Some(GAS), Some(CALLS), Some(FRAME), Some(PAGES));
        let job = Job {
            function: name,
            watched: &watched,
            seed: digest(&(seed, case, index)),
            bounds,
        };
        let what = |name: &str| format!("seed {seed}, case {case}, {:?}: {name}", job.function);
        let seen = on_wasmi::run(&on_fast, Guest::Metered(&fast), &job);
        let all = on_wasmi::run(&on_exact, Guest::Metered(&exact), &job);
        tally.executed += 1;
        tally.host_calls += seen.calls.len() as u64;
        tally.steps += all.steps;
        match &seen.end {
            End::Done(_) => tally.returned += 1,
            End::Trap(_) => tally.trapped += 1,
            End::Passed(Limit::Gas) => tally.out_of_gas += 1,
            End::Passed(_) => tally.other_limits += 1,
            End::Failed(_) => tally.not_instantiated += 1,
            End::Overflow => panic!("{}", what("wasmi's stack overflows before our limits")),
        }
        let ran = !matches!(seen.end, End::Failed(_));

        // The details agree: on all but what lies between two settled points when a run is cut off.
        assert_eq!(seen.calls, all.calls, "{}", what("calls by detail"));
        match (&seen.end, &all.end) {
            // A trap in a block that there was no gas for: told apart by the second run.
            (End::Trap(_), End::Passed(Limit::Gas)) => {}
            (one, other) => {
                assert_eq!(one, other, "{}", what("end by detail"));
                if *one != End::Passed(Limit::Gas) {
                    assert_eq!(seen.state, all.state, "{}", what("state by detail"));
                    assert_eq!(seen.peaks, all.peaks, "{}", what("peaks by detail"));
                }
                if !matches!(one, End::Trap(_)) {
                    assert_eq!(seen.steps, all.steps, "{}", what("steps by detail"));
                }
            }
        }

        // The second engine does exactly the same.
        let native = on_wasmtime::run(&native_fast, &compiled_fast, &job);
        tally.on_wasmtime += 1;
        compare_engines(&seen, &native, late, &what("wasmtime, fast"));
        if let Some(module) = &native_exact {
            let native = on_wasmtime::run(module, &compiled_exact, &job);
            tally.on_wasmtime += 1;
            compare_engines(&all, &native, Late::Nothing, &what("wasmtime, exact"));
        }

        // The plain module does the same, and the oracle counts the same.
        if !matches!(all.end, End::Passed(_)) && !relaxed {
            let (module, operators, blocks) = plain.get_or_insert_with(|| {
                (
                    load(&wasm, &engines.plain),
                    load(&count(&wasm, When::Operators), &engines.plain),
                    load(&count(&wasm, When::Blocks), &engines.plain),
                )
            });
            let plain = on_wasmi::run(module, Guest::Plain, &job);
            assert_eq!(plain.end, seen.end, "{}", what("end, plain"));
            // A trap in the start function leaves no instance to look at.
            if ran && !(start && matches!(plain.end, End::Trap(_)) && plain.state.is_empty()) {
                assert_eq!(plain.state, seen.state, "{}", what("state, plain"));
            }
            let called = |seen: &Seen| seen.calls.iter().map(|call| call.0).collect::<Vec<_>>();
            assert_eq!(called(&plain), called(&seen), "{}", what("calls, plain"));
            // The oracle's counter of an instance that its start function trapped is lost.
            if !start {
                let counted = on_wasmi::run(operators, Guest::Counted, &job);
                assert_eq!(counted.calls, seen.calls, "{}", what("steps at host calls"));
                if matches!(seen.end, End::Done(_)) {
                    assert_eq!(counted.steps, seen.steps, "{}", what("steps by operator"));
                }
                let counted = on_wasmi::run(blocks, Guest::Counted, &job);
                if ran {
                    assert_eq!(counted.steps, all.steps, "{}", what("steps by block"));
                }
            }
        }

        // Under tighter limits a run ends at the same step whatever the detail.
        if ran && !matches!(all.end, End::Passed(_)) {
            tighten(
                &mut tally,
                &job,
                &all,
                |job| on_wasmi::run(&on_fast, Guest::Metered(&fast), job),
                |job| on_wasmi::run(&on_exact, Guest::Metered(&exact), job),
                &what("limits"),
            );
        }
    }
    tally
}

/// After what ends a compiler's state may be another: what it shows to nobody it may do later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    Nothing,
    /// A trap: floats that were stored right before it are not looked through for NaNs any more.
    Traps,
    /// Also spent gas: a loop in copies notices it some turns later.
    TrapsAndGas,
}

fn compare_engines(one: &Seen, other: &Seen, late: Late, what: &str) {
    // Why a module can't be instantiated is said in other words.
    if matches!(one.end, End::Failed(_)) {
        assert!(
            matches!(other.end, End::Failed(_) | End::Trap(_)),
            "{what}: {:?} and {:?}",
            one.end,
            other.end
        );
    } else if late != Late::Nothing && matches!(one.end, End::Trap(_)) {
        let without = |seen: &Seen| {
            let mut seen = seen.clone();
            seen.state
                .retain(|(_, item)| !matches!(item, Item::Memory(..)));
            seen
        };
        assert_eq!(without(one), without(other), "{what}");
    } else if late == Late::TrapsAndGas && one.end == End::Passed(Limit::Gas) {
        let without = |seen: &Seen| Seen {
            state: Vec::new(),
            ..seen.clone()
        };
        assert_eq!(without(one), without(other), "{what}");
    } else {
        assert_eq!(one, other, "{what}");
    }
}

/// Runs the job again under limits at what it needs, and below that.
fn tighten(
    tally: &mut Tally,
    job: &Job<'_>,
    needs: &Seen,
    fast: impl Fn(&Job<'_>) -> Seen,
    exact: impl Fn(&Job<'_>) -> Seen,
    what: &str,
) {
    let bounds = job.bounds;
    let gas = match needs.steps {
        0 => 0,
        steps => job.seed % steps,
    };
    let (calls, frame) = needs.peaks;
    let mut tries = vec![
        (
            Bounds {
                gas: needs.steps,
                ..bounds
            },
            None,
        ),
        (
            Bounds {
                call: calls,
                frame,
                ..bounds
            },
            None,
        ),
    ];
    if needs.steps > 0 {
        tries.push((Bounds { gas, ..bounds }, Some(Limit::Gas)));
    }
    if calls > 0 {
        tries.push((
            Bounds {
                call: calls - 1,
                ..bounds
            },
            Some(Limit::Call),
        ));
    }
    if frame > 0 {
        tries.push((
            Bounds {
                frame: frame - 1,
                ..bounds
            },
            Some(Limit::Frame),
        ));
    }
    for (bounds, limit) in tries {
        let job = Job {
            function: job.function,
            watched: job.watched,
            seed: job.seed,
            bounds,
        };
        tally.limited_again += 2;
        let (fast, exact) = (fast(&job), exact(&job));
        let what = format!("{what}, {bounds:?}");
        let Some(limit) = limit else {
            assert_eq!(&exact, needs, "{what}, exact");
            assert_eq!(fast.end, needs.end, "{what}, fast");
            continue;
        };
        assert_eq!(exact.end, End::Passed(limit), "{what}, exact");
        let undecided =
            limit == Limit::Gas && fast.end == needs.end && matches!(fast.end, End::Trap(_));
        if !undecided {
            assert_eq!(fast.end, End::Passed(limit), "{what}, fast");
            assert_eq!(fast.steps, exact.steps, "{what}, steps");
        }
        if limit == Limit::Gas {
            assert_eq!(exact.steps, bounds.gas, "{what}, steps are the limit");
        }
        assert_eq!(fast.calls, exact.calls, "{what}, calls");
    }
}

pub fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text}, which is no number")),
    )
}

/// Checks as many modules as the environment says, or `cases`.
fn check_all(make: Make, cases: u64) -> Tally {
    let cases = number("VERIRUN_METER_CASES").unwrap_or(cases);
    let seed = number("VERIRUN_METER_SEED").unwrap_or(1);
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    let engines = Engines::new();
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                std::thread::Builder::new()
                    // wasmtime runs on this stack.
                    .stack_size(32 << 20)
                    .spawn_scoped(scope, || {
                        loop {
                            let case = next.fetch_add(1, Ordering::Relaxed);
                            if case >= cases {
                                break;
                            }
                            let tally = check(&engines, make, seed, case);
                            let mut total = total.lock().expect("no worker panicked");
                            total.add(&tally);
                            if case % 10_000 == 9_999 {
                                eprintln!("{case}: {total:?}, {:?}", started.elapsed());
                            }
                        }
                    })
                    .expect("a thread")
            })
            .collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let total = total.into_inner().expect("no worker panicked");
    eprintln!(
        "seed {seed}: {total:?}, {:.1} s",
        started.elapsed().as_secs_f64()
    );
    // Not a test of nothing: most modules run, and all ends occur.
    assert!(total.modules > cases / 2, "{total:?}");
    assert!(total.returned > total.executed / 10, "{total:?}");
    assert!(total.trapped > 0 && total.out_of_gas > 0, "{total:?}");
    assert!(total.host_calls > 0, "{total:?}");
    total
}

#[test]
fn random_modules_do_not_notice() {
    let total = check_all(generate, 2_000);
    // Leaves are too rare here to be sure of any: they are what the graphs are for.
    assert!(total.with_turns[0] > 0, "{total:?}");
}

#[test]
fn random_graphs_of_calls_do_not_notice() {
    let total = check_all(|seed, case| Some(graphs::generate(seed, case)), 1_000);
    let Tally {
        modules,
        with_plain_leaves,
        with_other_leaves,
        with_turns: [four, two, one],
        ..
    } = total;
    for (count, least) in [
        (with_plain_leaves, modules / 10),
        (with_other_leaves, modules / 10),
        (four, modules / 10),
        (two, modules / 10),
        (one, 1),
    ] {
        assert!(count >= least, "{total:?}");
    }
}
