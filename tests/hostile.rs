//! Hostile modules: they can't reach the counter, dodge it, or make instrumentation cost more than its
//! share. What costs is counted in bytes, written and allocated; never in time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use verirun::meter::{Detail, MeterError, Options, Target, instrument};
use verirun::{Driving, Limits, LoadError, Module, Outcome, Run, State, Task, Watched};
use wasm_encoder::{
    BlockType, CodeSection, Encode, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, Instruction as I, MemorySection, MemoryType, RefType,
    TableSection, TableType, TypeSection, ValType,
};

/// Counts what a thread has allocated, and the most that it had at a time.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn note(bytes: isize) {
    // A thread that ends frees after its locals are gone: nobody asks for that.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call is handed to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `work` held at a time, beyond what was held before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before) as usize)
}

/// For a compiler more is written, and so more can go wrong.
fn options(detail: Detail) -> Options {
    options_for(Target::Compiler, detail)
}

fn options_for(target: Target, detail: Detail) -> Options {
    Options {
        detail,
        target,
        state: false,
    }
}

fn load(text: &str) -> Module {
    Module::load("hostile.wat", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// How a run under a gas limit ends, and its steps.
fn run(module: &Module, gas: u64) -> (Outcome, u64) {
    let limits = Limits {
        gas: Some(gas),
        ..Limits::default()
    };
    let task = Task {
        limits,
        ..Task::default()
    };
    let mut run = Run::start(module, &task).expect("it can be started");
    while run.slice(1000) != State::Done {}
    let steps = run.stats().steps;
    (run.outcome().expect("it is done").clone(), steps)
}

#[test]
fn a_guest_can_declare_our_names() {
    // It resets what it takes for the counter, each time around.
    let text = r#"(module
        (global $a (export "verirun:left") (mut i64) (i64.const 5))
        (global $b (export "verirun:left'") (mut i64) (i64.const 5))
        (global (export "verirun:place") (mut i64) (i64.const 5))
        (func (export "verirun:start"))
        (func $s)
        (start $s)
        (func (export "_start")
          loop
            i64.const 0x7fffffffffffffff global.set $a
            i64.const 0x7fffffffffffffff global.set $b
            br 0
          end))"#;
    let module = load(text);
    for detail in [Detail::Fast, Detail::Exact] {
        let metered = module.metered(options(detail)).expect("it can be metered");
        assert_eq!(metered.left, "verirun:left''");
        assert_eq!(metered.start.as_deref(), Some("verirun:start'"));
    }
    let (outcome, steps) = run(&module, 12_345);
    assert!(matches!(outcome, Outcome::OutOfGas { .. }), "{outcome:?}");
    assert_eq!(steps, 12_345);
}

#[test]
fn a_guest_can_not_import_from_us() {
    for import in [
        r#"(func (import "verirun" "tick") (param i64 i32) (result i64))"#,
        r#"(func (import "verirun" "deeper") (param i64 i64 i32) (result i64))"#,
        r#"(func (import "verirun" "grow") (param i32 i64 i64 i64 i64 i32) (result i32))"#,
        r#"(func (import "verirun" "lack"))"#,
        r#"(global (import "verirun" "left") (mut i64))"#,
        r#"(memory (import "verirun" "memory") 1)"#,
    ] {
        let text = format!(r#"(module {import} (func (export "_start")))"#);
        match Module::load("hostile.wat", text.as_bytes()) {
            Err(LoadError::MissingImports { missing, .. }) => {
                assert!(missing[0].contains("verirun"), "{missing:?}");
            }
            other => panic!("{import}: {other:?}"),
        }
    }
}

/// Indices that exist only in the instrumented module are refused in the original.
#[test]
fn a_guest_can_not_name_what_we_add() {
    for code in [
        // Its own global is 0; ours would be 1 to 3.
        "global.get 1 drop",
        "i64.const 0 global.set 1",
        "i64.const 0 global.set 2",
        "i64.const 0 global.set 3",
        // Its own functions are 0 and 1.
        "i64.const 0 i32.const 0 call 2 drop",
        "i64.const 0 i64.const 0 call 5",
        "ref.func 2 drop",
        "i64.const 0 i32.const 0 return_call 2",
        // Its only types are 0 and 1, its only local is 0; what we count in is 1 and 2.
        "i64.const 0 i64.const 0 i32.const 0 call_indirect (type 2)",
        "local.get 1 drop",
        "i64.const 0 local.set 1",
        "i64.const 0 local.set 2",
        "block (type 2) end",
    ] {
        let text = format!(
            "(module (type (func)) (type (func (param i32))) (global (mut i64) (i64.const 0))
               (table 1 funcref) (func (type 0)) (func (export \"_start\") (type 0) (local i32) {code}))"
        );
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{code}: {error}"));
        for detail in [Detail::Fast, Detail::Exact] {
            let made = instrument(&wasm, &options(detail));
            assert!(
                matches!(made, Err(MeterError::Invalid(_))),
                "{code}: {made:?}"
            );
        }
        assert!(
            Module::load("hostile.wasm", &wasm)
                .map_err(drop)
                .and_then(|module| module.metered(options(Detail::Fast)).map_err(drop))
                .is_err()
        );
    }
}

/// A type that looks like a metered one is another type still.
#[test]
fn a_guest_can_not_call_with_the_metered_type() {
    let text = r#"(module
        (type $plain (func))
        (type $ours (func (param i64 i64) (result i64)))
        (table 2 funcref) (elem (i32.const 0) $f $g)
        (func $f) (func $g (type $ours) local.get 0)
        (func (export "_start")
          i64.const -1 i64.const -1 i32.const 1 call_indirect (type $ours) drop
          i64.const 0x7fffffffffffffff i64.const 0 i32.const 0 call_indirect (type $ours) drop))"#;
    let (outcome, steps) = run(&load(text), 1000);
    assert!(
        matches!(&outcome, Outcome::Trap { trap, .. } if trap == "indirect_call_type_mismatch"),
        "{outcome:?}"
    );
    assert_eq!(steps, 4 + 1 + 4);
}

/// However a guest goes on for ever, it runs out of gas at exactly its limit, or of calls.
#[test]
fn nothing_goes_on_for_ever() {
    let head = r#"(type $v (func)) (memory (export "memory") 1) (table $t 4 5 funcref)
        (elem (table $t) (i32.const 0) func $ping $pong $run)
        (func $ping i32.const 1 return_call_indirect (type $v))
        (func $pong i32.const 0 return_call_indirect (type $v))
        (func $run return_call $run)
        (func $deep call $deep)
        (func $wide (param i64 i64 i64 i64) local.get 0 local.get 1 local.get 2 local.get 3 call $wide)"#;
    let endless = [
        "loop br 0 end",
        "loop block br 1 end end",
        "loop i32.const 1 br_if 0 end",
        "loop i32.const 0 br_if 0 br 0 end",
        "loop i32.const 0 if return end br 0 end",
        "loop i32.const 0 if else br 1 end end",
        "loop i32.const 3 br_table 0 0 0 0 end",
        "loop (result i32) br 0 end drop",
        "loop loop br 1 end end",
        "loop loop loop i32.const 1 br_if 2 end end end",
        "i32.const 0 loop (param i32) br 0 end",
        "call $run",
        "call $ping",
        "return_call $ping",
        "loop i32.const 0 i32.const 0 i32.const 0 memory.fill br 0 end",
        "loop i32.const 0 i32.const 0 i32.const 65536 memory.fill br 0 end",
        "loop i32.const 0 memory.grow drop br 0 end",
        "loop ref.null func i32.const 1 table.grow $t drop br 0 end",
        "loop ref.null func i32.const -1 table.grow $t drop br 0 end",
    ];
    for code in endless {
        let module = load(&format!(
            "(module {head} (func (export \"_start\") {code}))"
        ));
        for gas in [0, 1, 1000, 100_001] {
            let (outcome, steps) = run(&module, gas);
            assert!(
                matches!(outcome, Outcome::OutOfGas { .. }),
                "{code}: {outcome:?}"
            );
            assert_eq!(steps, gas, "{code}");
        }
    }
    // The start function is a function like others.
    let (outcome, steps) = run(
        &load("(module (func $s loop br 0 end) (start $s) (func (export \"_start\")))"),
        777,
    );
    assert!(matches!(outcome, Outcome::OutOfGas { .. }), "{outcome:?}");
    assert_eq!(steps, 777);
    for code in [
        "call $deep",
        "i64.const 0 i64.const 0 i64.const 0 i64.const 0 call $wide",
    ] {
        let module = load(&format!(
            "(module {head} (func (export \"_start\") {code}))"
        ));
        let (outcome, _) = run(&module, u64::MAX >> 1);
        assert!(
            matches!(outcome, Outcome::CallDepthExceeded { .. }),
            "{code}: {outcome:?}"
        );
    }
}

/// No operator leaves anything on the host's stack, however often it is executed in one slice.
#[test]
fn loops_do_not_use_up_the_hosts_stack() {
    for code in [
        "i32.const 0 memory.grow drop",
        "i64.const 0 memory.grow $wide drop",
        "ref.null func i32.const 0 table.grow $t drop",
        "i32.const 70000 memory.grow drop",
        "i32.const 0 i32.const 0 i32.const 8 memory.fill",
        "i32.const 0 i32.const 0 i32.const 0 memory.init $d data.drop $d",
        "i32.const 0 i32.const 0 i32.const 1 table.copy $t $t",
        "i32.const 0 i32.const 0 i32.const 0 table.init $t $e elem.drop $e",
        "i32.const 1 call_indirect (type $v)",
        "i32.const 2 call_indirect (type $y) drop",
        "call $tail",
        "call $yield drop",
    ] {
        let text = format!(
            r#"(module (type $v (func)) (type $y (func (result i32)))
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (type $y)))
              (memory (export "memory") 1) (memory $wide i64 1) (data $d "abc")
              (table $t 8 20 funcref) (elem (table $t) (i32.const 1) func $f $yield) (elem $e func $f)
              (func $f) (func $tail return_call $f)
              (func (export "_start") (local $i i32)
                loop
                  {code}
                  local.get $i i32.const 1 i32.add local.tee $i i32.const 300000 i32.lt_u br_if 0
                end))"#
        );
        let module = load(&text);
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let worker = small.spawn(move || {
            let mut run = Run::start(&module, &Task::default()).expect("it can be started");
            while run.slice(u64::MAX) != State::Done {}
            run.outcome().cloned()
        });
        let outcome = worker.expect("a thread").join().expect("no panic");
        assert_eq!(outcome, Some(Outcome::Exit { code: 0 }), "{code}");
    }
}

/// A profile has a wrapper around each function. Tail calls do not pile them up.
#[test]
fn tail_calls_do_not_pile_up_in_a_profile() {
    for call in [
        "return_call $next",
        "i32.const 0 return_call_indirect (type $t)",
        "i32.const 1 return_call_indirect (type $t)",
    ] {
        // The second function of the table goes on with the first, directly.
        let text = format!(
            r#"(module (type $t (func (param i32) (result i32)))
              (type $y (func (result i32)))
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (type $y)))
              (memory (export "memory") 1)
              (table 3 funcref) (elem (i32.const 0) $next $other $yield)
              (func $next (param i32) (result i32)
                local.get 0 i32.eqz if
                  i32.const 2 return_call_indirect (type $y)
                end
                local.get 0 i32.const 1 i32.sub {call})
              (func $other (type $t) local.get 0 return_call $next)
              (func $leaf (result i32) i32.const 7)
              (func $start (export "_start")
                i32.const 1000000 call $next drop
                call $leaf drop))"#
        );
        let module = load(&text);
        let driving = Driving {
            watched: Watched {
                profile: true,
                ..Watched::default()
            },
            ..Driving::default()
        };
        let task = Task {
            limits: Limits {
                call: Some(10),
                ..Limits::default()
            },
            ..Task::default()
        };
        let mut run = Run::start_with(&module, &task, driving).expect("it can be started");
        while run.slice(1 << 22) != State::Done {}
        assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }), "{call}");
        let nodes = run.profile().expect("it has one");
        let steps: u64 = nodes.iter().map(|node| node.steps).sum();
        assert_eq!(steps, run.stats().steps, "{call}");
        let of = |name: &str| {
            let named = nodes
                .iter()
                .filter(|node| node.name.as_deref() == Some(name));
            named.map(|node| node.calls).sum::<u64>()
        };
        assert_eq!((of("next"), of("leaf"), of("start")), (1_000_001, 1, 1));
        // What a tail call to the system returns to is whoever called before that.
        let leaf = nodes
            .iter()
            .find(|node| node.name.as_deref() == Some("leaf"));
        let caller = &nodes[leaf.expect("it was called").parent as usize];
        assert_eq!(caller.name.as_deref(), Some("start"), "{call}");
        assert!(nodes.len() < 8, "{} nodes", nodes.len());
    }
}

/// Deep frames: whatever a function needs of the engine's stack, the limits end it, not the engine.
#[test]
fn the_engines_stack_is_never_the_limit() {
    // Many constants, calls with many operands, blocks with many results.
    let constants: String = (0..2000)
        .map(|n| format!("i64.const {} ", 1_000_003 * (n + 1)))
        .collect();
    let adds = "i64.add ".repeat(1999);
    let floats: String = (0..500).map(|n| format!("f64.const {n}.5 ")).collect();
    let sums = "f64.add ".repeat(499);
    let vectors: String = (0..300)
        .map(|n| format!("v128.const i64x2 {n} {n} "))
        .collect();
    let ands = "v128.and ".repeat(299);
    let many = "(param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)";
    let gets: String = (0..12).map(|n| format!("local.get {n} ")).collect();
    for (name, function) in [
        (
            "constants",
            format!("(func $f {constants} {adds} drop call $f)"),
        ),
        ("floats", format!("(func $f {floats} {sums} drop call $f)")),
        (
            "vectors",
            format!("(func $f {vectors} {ands} drop call $f)"),
        ),
        (
            "under a call",
            format!("(func $f (result i64) {constants} call $f {adds} i64.add)"),
        ),
        (
            "parameters",
            format!(
                "(func $g {many} {gets} call $g) (func $f {} call $g)",
                "i64.const 1 ".repeat(12)
            ),
        ),
        (
            "vector locals",
            format!("(func $f (local {}) call $f)", "v128 ".repeat(500)),
        ),
        (
            "locals",
            format!("(func $f (local {}) call $f)", "i32 ".repeat(5000)),
        ),
        ("one", "(func $f call $f)".to_owned()),
        (
            "grow",
            "(func $f i32.const 0 memory.grow drop call $f)".to_owned(),
        ),
    ] {
        let drop = if name == "under a call" { "drop" } else { "" };
        let module = load(&format!(
            "(module (memory (export \"memory\") 1) {function} (func (export \"_start\") call $f {drop}))"
        ));
        for (call, frame) in [
            (None, None),
            (Some(1 << 20), Some(256 << 20)),
            (Some(1 << 20), Some(1 << 20)),
        ] {
            let limits = Limits {
                call,
                frame,
                ..Limits::default()
            };
            let task = Task {
                limits,
                ..Task::default()
            };
            let mut run = Run::start(&module, &task).expect("it can be started");
            while run.slice(1_000_000) != State::Done {}
            let outcome = run.outcome().expect("it is done");
            assert!(
                matches!(
                    outcome,
                    Outcome::CallDepthExceeded { .. } | Outcome::FrameExceeded { .. }
                ),
                "{name}, call {call:?}, frame {frame:?}: {outcome:?}"
            );
        }
    }
}

/// Many tables can't take what one can't.
#[test]
fn tables_grow_within_one_bound() {
    let tables = "(table 0 funcref)".repeat(20);
    let grow: String = (0..20)
        .map(|index| {
            // All six million for the first, -1 for the others; then nothing more.
            let expected = if index == 0 { 0 } else { -1 };
            format!(
                "ref.null func i32.const 6000000 table.grow {index}
                 i32.const {expected} i32.ne if unreachable end\n"
            )
        })
        .collect();
    let module = load(&format!(
        r#"(module {tables} (func (export "_start") {grow}
            ref.null func i32.const 4000000 table.grow 1 if unreachable end
            ref.null func i32.const 1 table.grow 2 i32.const -1 i32.ne if unreachable end))"#
    ));
    let (outcome, _) = run(&module, 1 << 40);
    assert_eq!(outcome, Outcome::Exit { code: 0 });
}

/// A module with one function with this code; `end` is added.
fn with_code(locals: Vec<(u32, ValType)>, code: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 1,
        maximum: None,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0);
    let mut section = CodeSection::new();
    let mut bytes = Vec::new();
    code(&mut bytes);
    let mut function = Function::new(locals);
    function.raw(bytes);
    function.instruction(&I::End);
    section.function(&function);
    module
        .section(&types)
        .section(&functions)
        .section(&tables)
        .section(&memories)
        .section(&exports)
        .section(&section);
    module.finish()
}

fn put(out: &mut Vec<u8>, times: usize, instructions: &[I<'_>]) {
    for _ in 0..times {
        for instruction in instructions {
            instruction.encode(out);
        }
    }
}

/// A family of modules: one for each size.
type Shape = (&'static str, fn(usize) -> Vec<u8>);

/// What grows in a module that means harm.
const SHAPES: &[Shape] = &[
    ("nested blocks", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Block(BlockType::Empty)]);
            put(out, n, &[I::End]);
        })
    }),
    ("nested loops", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Loop(BlockType::Empty)]);
            put(out, n, &[I::End]);
        })
    }),
    ("nested ifs with else", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::I32Const(1), I::If(BlockType::Empty)]);
            put(out, n, &[I::Else, I::Nop, I::End]);
        })
    }),
    ("branches out of all blocks", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Block(BlockType::Empty)]);
            for _ in 0..n {
                put(out, 1, &[I::I32Const(0), I::BrIf(n as u32 - 1), I::End]);
                put(out, 1, &[I::Block(BlockType::Empty), I::End]);
                put(out, 1, &[I::Block(BlockType::Empty)]);
            }
            put(out, n, &[I::End]);
        })
    }),
    ("dear branches out of loops", |n| {
        with_code(Vec::new(), |out| {
            put(
                out,
                1,
                &[I::Block(BlockType::Empty), I::Loop(BlockType::Empty)],
            );
            put(
                out,
                n,
                &[I::I32Const(0), I::BrIf(1), I::I32Const(0), I::Drop],
            );
            put(out, 1, &[I::Br(0), I::End, I::End]);
            put(out, 40, &[I::I32Const(0), I::Drop]);
        })
    }),
    ("one br_table with many targets", |n| {
        with_code(Vec::new(), |out| {
            put(out, 1, &[I::Block(BlockType::Empty), I::I32Const(0)]);
            put(out, 1, &[I::BrTable(vec![0; n].into(), 1)]);
            put(out, 1, &[I::End]);
        })
    }),
    ("many br_tables in many blocks", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::Block(BlockType::Empty)]);
            let some: Vec<u32> = (0..8).map(|step| step * (n as u32 / 8)).collect();
            put(
                out,
                n,
                &[
                    I::I32Const(0),
                    I::BrTable(some.into(), 0),
                    I::End,
                    I::Block(BlockType::Empty),
                ],
            );
            put(out, n, &[I::End]);
        })
    }),
    ("dead code", |n| {
        with_code(Vec::new(), |out| {
            put(out, 1, &[I::Return]);
            put(
                out,
                n,
                &[I::Block(BlockType::Empty), I::Br(0), I::End, I::Unreachable],
            );
        })
    }),
    ("calls", |n| {
        with_code(Vec::new(), |out| put(out, n, &[I::Call(0)]))
    }),
    ("indirect calls", |n| {
        with_code(Vec::new(), |out| {
            let call = I::CallIndirect {
                type_index: 0,
                table_index: 0,
            };
            put(out, n, &[I::I32Const(0), call]);
        })
    }),
    ("bulk operators", |n| {
        with_code(Vec::new(), |out| {
            put(
                out,
                n,
                &[
                    I::I32Const(0),
                    I::I32Const(0),
                    I::I32Const(0),
                    I::MemoryFill(0),
                ],
            );
        })
    }),
    ("growing", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::I32Const(0), I::MemoryGrow(0), I::Drop])
        })
    }),
    ("relaxed operators", |n| {
        with_code(vec![(1, ValType::V128)], |out| {
            put(out, 1, &[I::LocalGet(0)]);
            put(
                out,
                n,
                &[
                    I::LocalGet(0),
                    I::LocalGet(0),
                    I::I32x4RelaxedDotI8x16I7x16AddS,
                ],
            );
            put(out, 1, &[I::Drop]);
        })
    }),
    ("operands", |n| {
        with_code(Vec::new(), |out| {
            put(out, n, &[I::I32Const(0)]);
            put(out, n, &[I::Drop]);
        })
    }),
    // For compilers these are written in copies, up to some number.
    ("small loops", |n| {
        with_code(Vec::new(), |out| put(out, n, SMALL_LOOP))
    }),
    ("functions with a small loop", |n| {
        with_functions(n, |out| put(out, 1, SMALL_LOOP))
    }),
    ("functions with dear ways out of a small loop", |n| {
        with_functions(n / 20, |out| {
            put(out, 1, &[I::Block(BlockType::Empty)]);
            put(out, 1, &[I::Loop(BlockType::Empty)]);
            put(out, 19, &[I::I32Const(0), I::BrIf(1)]);
            put(out, 1, &[I::Br(0), I::End, I::End]);
            put(out, 40, &[I::I32Const(0), I::Drop]);
        })
    }),
    ("functions with relaxed operators in a small loop", |n| {
        with_functions(n / 10, |out| {
            put(
                out,
                1,
                &[I::Loop(BlockType::Empty), I::V128Const(0), I::V128Const(0)],
            );
            put(out, 1, &[I::I16x8RelaxedDotI8x16I7x16S, I::Drop, I::Br(0)]);
            put(out, 1, &[I::End]);
        })
    }),
    ("locals, and a small loop", |n| {
        with_code(vec![(1, ValType::I32)], |out| {
            put(out, n, &[I::LocalGet(0), I::Drop]);
            put(out, 1, SMALL_LOOP);
        })
    }),
    // For wasmi their callers watch the peaks for them.
    ("calls of a leaf", |n| {
        with_leaf(&[], |out| put(out, n, &[I::Call(1)]))
    }),
    ("calls of a leaf that is counted", |n| {
        with_leaf(
            &[
                I::Loop(BlockType::Empty),
                I::I32Const(0),
                I::BrIf(0),
                I::End,
            ],
            |out| put(out, n, &[I::Call(1)]),
        )
    }),
    ("calls of the host", |n| {
        with_host(|out| put(out, n, &[I::Call(0), I::Drop]))
    }),
    ("functions", |n| many(n, 0, 0)),
    ("exported functions", |n| many(n, n, 0)),
    ("exports of one function", |n| {
        let mut module = wasm_encoder::Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut exports = ExportSection::new();
        exports.export("_start", ExportKind::Func, 0);
        for index in 0..n {
            exports.export(&format!("verirun:left{index}"), ExportKind::Func, 0);
        }
        let mut code = CodeSection::new();
        let mut function = Function::new([]);
        function.instruction(&I::End);
        code.function(&function);
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }),
    ("imports", |n| many(1, 0, n)),
    ("types", |n| {
        let mut module = wasm_encoder::Module::new();
        let mut types = TypeSection::new();
        for _ in 0..n {
            types.ty().function([], [ValType::I32, ValType::I32]);
        }
        module.section(&types);
        module.finish()
    }),
];

const SMALL_LOOP: &[I<'_>] = &[
    I::Loop(BlockType::Empty),
    I::I32Const(0),
    I::BrIf(0),
    I::End,
];

/// A module of functions without parameters and results that have this code each; the first is exported.
fn of_functions(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    let mut section = CodeSection::new();
    for body in bodies {
        functions.function(0);
        let mut function = Function::new([]);
        function.raw(body.iter().copied());
        function.instruction(&I::End);
        section.function(&function);
    }
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0);
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&section);
    module.finish()
}

/// So many functions with this code.
fn with_functions(count: usize, code: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = Vec::new();
    code(&mut body);
    of_functions(&vec![body; count])
}

/// A function with this code, and one, whose number is 1, that calls nothing.
fn with_leaf(leaf: &[I<'_>], code: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut start, mut other) = (Vec::new(), Vec::new());
    code(&mut start);
    put(&mut other, 1, leaf);
    of_functions(&[start, other])
}

/// A function with this code, and one of the host, whose number is 0 and which returns a number.
fn with_host(code: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import(
        "wasi_snapshot_preview1",
        "sched_yield",
        EntityType::Function(0),
    );
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 1);
    let mut body = Vec::new();
    code(&mut body);
    let mut function = Function::new([]);
    function.raw(body);
    function.instruction(&I::End);
    let mut section = CodeSection::new();
    section.function(&function);
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&section);
    module.finish()
}

/// Functions, some of them exported, and imports.
fn many(functions: usize, exported: usize, imports: usize) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([], [ValType::I32]);
    let mut section = ImportSection::new();
    for _ in 0..imports {
        section.import(
            "wasi_snapshot_preview1",
            "sched_yield",
            EntityType::Function(1),
        );
    }
    let mut own = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for index in 0..functions {
        own.function(0);
        if index < exported {
            exports.export(
                &format!("f{index}"),
                ExportKind::Func,
                (imports + index) as u32,
            );
        }
        let mut function = Function::new([]);
        function.instruction(&I::End);
        code.function(&function);
    }
    exports.export("_start", ExportKind::Func, imports as u32);
    module
        .section(&types)
        .section(&section)
        .section(&own)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Bytes out and bytes held, for a module of a shape.
fn cost(wasm: &[u8], options: &Options) -> (usize, usize) {
    let (made, peak) = peak_of(|| instrument(wasm, options));
    (made.expect("it can be instrumented").wasm.len(), peak)
}

/// Bytes out for a byte in, and bytes held meanwhile, at the very worst.
const MOST_OUTPUT: usize = 30;
const MOST_HELD: usize = 150;

#[test]
fn instrumentation_is_linear() {
    let ways = [Target::Compiler, Target::Interpreter]
        .map(|target| [Detail::Fast, Detail::Exact].map(|detail| options_for(target, detail)));
    for (name, make) in SHAPES {
        for options in ways.as_flattened() {
            let sizes = [20_000, 40_000, 60_000].map(|n| (make(n).len(), cost(&make(n), options)));
            let [(in1, (out1, peak1)), (in2, (out2, _)), (in3, (out3, peak3))] = sizes;
            let what = format!("{name} ({:?}, {:?})", options.target, options.detail);
            eprintln!("{what}: {in3} bytes in, {out3} out, {peak3} held");
            // As much more output for as much more input, but for the length of numbers.
            assert!(
                out3 - out2 <= (out2 - out1) * 21 / 20 + 64,
                "{what}: {sizes:?}"
            );
            assert!(in3 > in2 && in2 > in1);
            // Buffers double when they are full: what is held is linear but for a factor of two.
            assert!(peak3 <= 2 * 3 * peak1, "{what}: {sizes:?}");
            assert!(out3 <= MOST_OUTPUT * in3 + 4096, "{what}: {sizes:?}");
            assert!(peak3 <= MOST_HELD * in3 + (1 << 20), "{what}: {sizes:?}");
        }
    }
}

/// Bytes of the longest function's code, without what says where locals begin.
fn longest(wasm: &[u8]) -> usize {
    use wasmparser::{Parser, Payload};
    let bodies =
        Parser::new(0)
            .parse_all(wasm)
            .filter_map(|payload| match payload.expect("it is valid") {
                Payload::CodeSectionEntry(body) => Some(body.range().end - body.range().start),
                _ => None,
            });
    bodies.max().unwrap_or(0) as usize
}

/// What engines accept of a function's code.
const MOST_CODE: usize = 7_654_321;

/// Copies of loops are left out where a function would become too large with them: whether a compiler
/// takes it must not depend on them.
#[test]
fn copies_of_loops_take_no_function_past_the_bound() {
    let make = |longer: usize, loops: usize| {
        with_code(vec![(1, ValType::V128)], |out| {
            let dot = I::I16x8RelaxedDotI8x16I7x16S;
            put(out, longer, &[I::LocalGet(0), I::LocalGet(0), dot, I::Drop]);
            put(out, loops, SMALL_LOOP);
        })
    };
    // How it is without copies: where the state is shown there are none.
    let plain = Options {
        state: true,
        ..options(Detail::Fast)
    };
    let loops = 3000;
    let size = |longer: usize, options: &Options| {
        instrument(&make(longer, loops), options)
            .map(|made| longest(&made.wasm))
            .map_err(|error| error.to_string())
    };
    let (one, two) = (size(1000, &plain), size(2000, &plain));
    let each = (two.expect("it has room") - one.expect("it has room")) / 1000;
    let most = MOST_CODE / each;
    let mut fell_back = false;
    for longer in (most - 2000..most).step_by(250) {
        let (with, without) = (size(longer, &options(Detail::Fast)), size(longer, &plain));
        assert_eq!(
            with.is_ok(),
            without.is_ok(),
            "{longer}: {with:?}, {without:?}"
        );
        let (Ok(with), Ok(without)) = (with, without) else {
            continue;
        };
        assert!(with <= MOST_CODE, "{longer}: {with}");
        // But for a look at the steps, which is not where the state is shown.
        fell_back |= with.abs_diff(without) < 100;
    }
    assert!(fell_back);
}

/// What the interpreter's code has that compilers' has not makes no module too large for it.
#[test]
fn the_interpreter_takes_what_compilers_take() {
    for (name, make) in SHAPES.iter().filter(|shape| shape.0.contains("calls of")) {
        // As many as a compiler takes, but for some.
        let size = |count: usize| {
            let made = instrument(&make(count), &options(Detail::Fast));
            longest(&made.expect("it has room").wasm)
        };
        let count = MOST_CODE / ((size(2000) - size(1000)) / 1000) - 1000;
        let wasm = make(count);
        assert!(size(count) > MOST_CODE * 99 / 100, "{name}");
        let made = instrument(&wasm, &options_for(Target::Interpreter, Detail::Fast));
        let made = made.unwrap_or_else(|error| panic!("{name}, {count} times: {error}"));
        assert!(longest(&made.wasm) <= MOST_CODE, "{name}");
    }
}

/// Nothing here recurses into the module: a small stack is enough for any nesting.
#[test]
fn nesting_does_not_use_our_stack() {
    let deep = |name: &str| {
        let (_, make) = SHAPES
            .iter()
            .find(|shape| shape.0 == name)
            .expect("it is there");
        make(100_000)
    };
    let modules = ["nested blocks", "nested loops", "nested ifs with else"].map(deep);
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let worker = small.spawn(move || {
        for wasm in &modules {
            let module = Module::load("deep.wasm", wasm).expect("it loads");
            let (outcome, _) = run(&module, 1 << 40);
            assert_eq!(outcome, Outcome::Exit { code: 0 });
            module
                .metered(options(Detail::Exact))
                .expect("it can be metered");
        }
    });
    worker.expect("a thread").join().expect("no overflow");
}

#[test]
fn large_modules_can_be_metered() {
    let find = |name: &str| {
        SHAPES
            .iter()
            .find(|shape| shape.0 == name)
            .expect("it is there")
            .1
    };
    for (name, size) in [
        ("one br_table with many targets", 65_520),
        ("functions", 100_000),
        ("exported functions", 100_000),
    ] {
        let module = Module::load("large.wasm", &find(name)(size)).expect("it loads");
        let (outcome, steps) = run(&module, 1 << 40);
        assert_eq!(outcome, Outcome::Exit { code: 0 }, "{name}");
        let expected = if size == 65_520 { 2 } else { 0 };
        assert_eq!(steps, expected, "{name}");
    }
}

fn with_locals(groups: Vec<(u32, ValType)>) -> Vec<u8> {
    with_code(groups, |_| {})
}

/// Wasm with a function type of so many parameters and results.
fn with_type(params: usize, results: usize) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
        .ty()
        .function(vec![ValType::I32; params], vec![ValType::I32; results]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    let mut start = Function::new([]);
    for _ in 0..params {
        start.instruction(&I::I32Const(1));
    }
    start.instruction(&I::Call(1));
    for _ in 0..results {
        start.instruction(&I::Drop);
    }
    start.instruction(&I::End);
    code.function(&start);
    let mut function = Function::new([]);
    for _ in 0..results {
        function.instruction(&I::I32Const(1));
    }
    function.instruction(&I::End);
    code.function(&function);
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// What is at a bound of engines has a clear error, and what is just below it runs.
#[test]
fn bounds_are_exact_and_their_errors_clear() {
    let group = |count| vec![(count, ValType::I64)];
    let mixed = |count: u32| -> Vec<(u32, ValType)> {
        (0..count)
            .map(|index| {
                (
                    1,
                    if index % 2 == 0 {
                        ValType::I32
                    } else {
                        ValType::F64
                    },
                )
            })
            .collect()
    };
    for wasm in [
        with_locals(group(29_990)),
        with_locals(mixed(29_990)),
        with_type(998, 1),
        with_type(1, 999),
    ] {
        let module = Module::load("bound.wasm", &wasm).expect("it loads");
        let (outcome, _) = run(&module, 1 << 40);
        assert_eq!(outcome, Outcome::Exit { code: 0 });
        let exact = module
            .metered(options(Detail::Exact))
            .expect("it can be metered");
        wasmi::Module::new(&wasmi::Engine::default(), &exact.wasm).expect("it is valid");
    }
    for (wasm, words) in [
        (
            with_locals(group(29_991)),
            ["function 0", "29991 locals", "29990"],
        ),
        (
            with_locals(group(50_000)),
            ["function 0", "50000 locals", "29990"],
        ),
        (with_type(999, 1), ["type 1", "999 parameters", "998"]),
        (with_type(1000, 1), ["type 1", "1000 parameters", "998"]),
        (with_type(1, 1000), ["type 1", "1000 results", "999"]),
    ] {
        refused(&wasm, &words);
    }
    // Past the bound for all modules the validator's own words are as clear.
    for (wasm, word) in [
        (with_locals(group(50_001)), "too many locals"),
        (with_locals(group(u32::MAX)), "too many locals"),
        (with_type(1001, 1), "params"),
        (with_type(1, 1001), "returns"),
    ] {
        match instrument(&wasm, &options(Detail::Fast)) {
            Err(MeterError::Invalid(error)) => {
                assert!(error.to_string().contains(word), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Asserts that a module is refused, in these words.
fn refused(wasm: &[u8], words: &[&str]) {
    for detail in [Detail::Fast, Detail::Exact] {
        let error = match instrument(wasm, &options(detail)) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it was instrumented; it should say {words:?}"),
        };
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{error}, not {words:?}"
        );
    }
}

/// What metering adds to a module does not take it past what engines accept without a word.
#[test]
fn modules_without_room_are_refused() {
    let (_, types) = SHAPES
        .iter()
        .find(|shape| shape.0 == "types")
        .expect("it is there");
    refused(
        &types(400_000),
        &["400000 types", "which become 1200004", "1000000"],
    );
    refused(
        &many(999_999, 0, 0),
        &["999999 functions", "which become 1000004", "1000000"],
    );
    // Calls of one byte each way, so that a function below the bound becomes one above.
    let calls = with_code(Vec::new(), |out| put(out, 2_000_000, &[I::Call(0)]));
    refused(&calls, &["function 0", "bytes of code", "7654321"]);
    let (_, br_table) = SHAPES
        .iter()
        .find(|shape| shape.0 == "one br_table with many targets")
        .expect("it is there");
    for count in [65_521, 1_000_000] {
        let found = format!("`br_table` with {count} labels");
        refused(&br_table(count), &["function 0", &found, "65520"]);
    }
    // A few bytes each, and all that a host has.
    let tables = |count: usize, minimum| {
        let mut module = wasm_encoder::Module::new();
        let mut section = TableSection::new();
        for _ in 0..count {
            section.table(TableType {
                element_type: RefType::FUNCREF,
                table64: false,
                minimum,
                maximum: None,
                shared: false,
            });
        }
        module.section(&section);
        module.finish()
    };
    refused(
        &tables(1, 10_000_001),
        &["table 0", "10000001 elements", "10000000"],
    );
    refused(
        &tables(100_000, 10_000),
        &["10010000 elements together", "10000000"],
    );
    instrument(&tables(100_000, 100), &options(Detail::Fast)).expect("it has room");
}
