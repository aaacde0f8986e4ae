//! Hostile modules: they can't reach the counter, dodge it, or make instrumentation cost more than its
//! share. What costs is counted in bytes, written and allocated; never in time.

#[path = "hostile/bounds.rs"]
mod bounds;
#[path = "hostile/build.rs"]
mod build;
#[path = "hostile/cost.rs"]
mod cost;
#[path = "hostile/forever.rs"]
mod forever;
#[path = "hostile/names.rs"]
mod names;
#[path = "hostile/shapes.rs"]
mod shapes;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use verirun::meter::{Detail, Options, Target};
use verirun::{Limits, Module, Outcome, Run, State, Task};

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
