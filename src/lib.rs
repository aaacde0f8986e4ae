//! Verirun runs WebAssembly tasks deterministically, in the browser and natively.
//!
//! ```
//! use verirun::{Module, Outcome, Run, State, Task};
//!
//! let text = br#"(module (memory (export "memory") 1) (func (export "_start")))"#;
//! let module = Module::load("nothing.wat", text)?;
//! let mut run = Run::start(&module, &Task::default())?;
//! while run.slice(1_000_000) == State::Running {}
//! assert_eq!(run.outcome(), Some(&Outcome::Exit { code: 0 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Module`] is checked when it is loaded. A [`Task`] holds everything its result depends on. A
//! [`Run`] is driven in slices, so that the caller stays in control: it feeds standard input, takes
//! output, and may stop at any time without losing anything.

pub mod bisect;
pub mod checkpoint;
mod digest;
pub mod engine;
pub mod fs;
pub mod lint;
pub mod meter;
pub mod receipt;
pub mod run;
pub mod task;
pub mod wasi;
#[cfg(target_family = "wasm")]
pub mod web;

pub use run::{Choice, Driving, Listener, Outcome, Run, StartError, State, Stats, Watched};
pub use task::{Access, ClockMode, Input, Limits, LoadError, Module, Preopen, Random, Task};
