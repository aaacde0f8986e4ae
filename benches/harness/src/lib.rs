//! An interpreter for `cargo xtask bench`, in a browser or natively, and no more of WASI than the
//! benchmarks' programs need: one program after another. Which one, a feature tells.

#[cfg(not(feature = "tinywasm"))]
mod meter;
#[cfg(feature = "tinywasm")]
mod on_tinywasm;
#[cfg(not(feature = "tinywasm"))]
mod on_wasmi;
mod wasi;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(feature = "tinywasm")]
pub use on_tinywasm::Program;
#[cfg(not(feature = "tinywasm"))]
pub use on_wasmi::Program;

/// What a run left.
pub struct Outcome {
    /// What the program passed to `proc_exit`; 0 if it returned.
    pub code: i32,
    /// What it wrote to standard output and standard error.
    pub output: Vec<u8>,
}
