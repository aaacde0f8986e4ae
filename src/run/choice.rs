//! Which engine runs a task.

use crate::engine::Kind;
use crate::task::{Input, Module, Task};
use serde::Serialize;

/// Which engine runs a task. The result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The compiler where it is quick to start and can be paused, fed with input and cancelled; else the
    /// interpreter, but for what is known to be heavy: see [`HEAVY_BYTES`], [`HEAVY_STEPS`], [`STEPS_PER_BYTE`].
    Auto,
    /// The interpreter: it can be paused, fed with input and cancelled everywhere.
    #[default]
    Interpreter,
    /// The compiler ([`Kind::COMPILER`]); the interpreter where that fails in a way of its own.
    Compiler,
    /// The interpreter, then the compiler, and the two are compared.
    Both,
}

/// After this many steps a task is known to be heavy: a second or two on the interpreter.
pub const HEAVY_STEPS: u64 = 300_000_000;

/// From this size of a module on a task is taken to be heavy in a browser, which compiles many
/// megabytes in a second: a language's runtime, a compiler.
pub const HEAVY_BYTES: u64 = 1 << 20;

/// wasmtime takes at most as long to compile a byte of a large module as the interpreter to make so many
/// steps, and the run does not go on meanwhile: so many more must have been made. Measured were 160
/// (CPython) and 270 (esbuild): `docs/engines.md`.
pub const STEPS_PER_BYTE: u64 = 300;

impl Choice {
    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "interpreter" => Self::Interpreter,
            "browser" if Kind::COMPILER == Kind::Browser => Self::Compiler,
            "wasmtime" if Kind::COMPILER == Kind::Wasmtime => Self::Compiler,
            "both" => Self::Both,
            _ => return None,
        })
    }

    /// The engine to begin with. `auto` begins with the browser's compiler if that can wait: V8 compiles a function
    /// when it is first called, so it starts as soon as the interpreter, which a visitor need then not load. A
    /// browser that can't wait gets only modules of [`HEAVY_BYTES`] or more whose input is there already. All
    /// others begin with the interpreter, and go on with wasmtime when the run is
    /// [known to be heavy](Self::heavy_steps).
    pub(super) fn begins_with(self, module: &Module, task: &Task) -> Kind {
        let waits = matches!(task.stdin, Input::Live { .. });
        match self {
            Self::Compiler => Kind::COMPILER,
            Self::Auto if cfg!(target_family = "wasm") => {
                let heavy = module.info.size >= HEAVY_BYTES;
                match Kind::Browser.can_wait() || heavy && !waits {
                    true => Kind::Browser,
                    false => Kind::Interpreter,
                }
            }
            _ => Kind::Interpreter,
        }
    }

    /// The steps after which `auto` goes over to the compiler.
    pub(super) fn heavy_steps(module: &Module) -> u64 {
        match Kind::COMPILER {
            Kind::Wasmtime => HEAVY_STEPS.max(module.info.size.saturating_mul(STEPS_PER_BYTE)),
            _ => HEAVY_STEPS,
        }
    }
}

/// Which engines a run used, and what came of it. It says nothing of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Engines {
    /// The engine that the result is from.
    pub ran: Kind,
    /// Why it is not from the one that was asked for, or why two were not compared.
    pub instead: Option<String>,
    /// Whether two engines ran it and did the same.
    pub compared: bool,
}
