//! Which engine runs a task.

use crate::engine::Kind;
use crate::task::{Input, Module, Task};
use serde::Serialize;

/// Which engine runs a task. The result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The interpreter, but for what is known to be heavy: see [`HEAVY_BYTES`], [`HEAVY_STEPS`].
    Auto,
    /// The interpreter: it starts at once, and can be paused, fed with input and cancelled.
    #[default]
    Interpreter,
    /// The browser's compiler; the interpreter where that fails in a way of its own.
    Browser,
    /// The interpreter, then the browser's compiler, and the two are compared.
    Both,
}

/// After this many steps a task is known to be heavy: a second or two on the interpreter.
pub const HEAVY_STEPS: u64 = 300_000_000;

/// From this size of a module on a task is taken to be heavy: a language's runtime, a compiler.
pub const HEAVY_BYTES: u64 = 1 << 20;

impl Choice {
    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "interpreter" => Self::Interpreter,
            "browser" => Self::Browser,
            "both" => Self::Both,
            _ => return None,
        })
    }

    /// The engine to begin with. `auto` begins with the browser's compiler for a module of
    /// [`HEAVY_BYTES`] or more, unless that would have to wait for input and can't; with the
    /// interpreter for all others, and goes on with the compiler after [`HEAVY_STEPS`] if the run
    /// can be paused and cancelled there as well.
    pub(super) fn begins_with(self, module: &Module, task: &Task) -> Kind {
        let waits = matches!(task.stdin, Input::Live { .. });
        match self {
            Self::Browser => Kind::Browser,
            Self::Auto if cfg!(target_family = "wasm") => {
                let heavy = module.info.size >= HEAVY_BYTES;
                match heavy && (!waits || Kind::Browser.can_wait()) {
                    true => Kind::Browser,
                    false => Kind::Interpreter,
                }
            }
            _ => Kind::Interpreter,
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
