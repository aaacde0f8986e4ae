//! How a run ended, in words that say what happened, where, and what to do.

use crate::engine::{End, Place};
use crate::meter::{Limit, Passed};
use crate::task::Module;
use crate::wasi::Exceeded;
use serde::Serialize;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It ended by itself.
    Exit {
        /// The exit code; 0 is success.
        code: u32,
    },
    /// It did what WebAssembly does not allow.
    Trap {
        /// A short name that does not change.
        trap: String,
        /// What happened.
        message: String,
    },
    /// It would have made more steps than allowed.
    OutOfGas {
        /// What happened, and what to do.
        message: String,
    },
    /// Calls were nested deeper than allowed.
    CallDepthExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// The frames of its calls were larger than allowed.
    FrameExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// Memory would have grown past the limit.
    MemoryExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// It wrote more output than allowed.
    OutputLimitExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// Its files would have grown past the limit.
    FileLimitExceeded {
        /// What happened, and what to do.
        message: String,
    },
    /// The user stopped it.
    Cancelled {
        /// What happened.
        message: String,
    },
    /// The engine or this device failed. That says nothing of the task: run it elsewhere.
    Failed {
        /// What happened, and what to do.
        message: String,
    },
}

/// The outcome for an end, with where it was.
pub(super) fn describe(end: End, place: Option<Place>, module: &Module) -> Outcome {
    match end {
        End::Exit(code) => Outcome::Exit { code },
        End::Trap { kind, message } => Outcome::Trap {
            trap: kind.to_owned(),
            message: match place {
                Some(place) => format!("{message}{}", location(module, place.function)),
                None => message,
            },
        },
        End::Exceeded(Exceeded::Output) => Outcome::OutputLimitExceeded {
            message:
                "it wrote more output than allowed; raise the output limit to let it write more"
                    .to_owned(),
        },
        End::Exceeded(Exceeded::Files) => Outcome::FileLimitExceeded {
            message: "its files would hold more bytes than allowed; raise the file limit"
                .to_owned(),
        },
        End::Passed(Passed { limit, function }) => {
            let at = function.map_or_else(String::new, |function| location(module, function));
            match limit {
                Limit::Gas => Outcome::OutOfGas {
                    message: format!(
                        "it is out of gas{at}: it would have made more steps than allowed; raise the gas limit, or make it do less"
                    ),
                },
                Limit::Call => Outcome::CallDepthExceeded {
                    message: format!(
                        "calls were nested deeper than allowed{at} (endless recursion, often); raise the call limit if it needs that"
                    ),
                },
                Limit::Frame => Outcome::FrameExceeded {
                    message: format!(
                        "the frames of its calls were larger than allowed{at} (deep recursion, often); raise the frame limit if it needs that"
                    ),
                },
                Limit::Memory => Outcome::MemoryExceeded {
                    message: format!(
                        "its memory would have grown past the limit{at}; raise the memory limit or use less"
                    ),
                },
            }
        }
        End::Failed(message) => Outcome::Failed {
            message: format!("{message}; that is no result of the task"),
        },
    }
}

/// ` in NAME`, or ` in function N` where the module does not tell.
fn location(module: &Module, function: u32) -> String {
    match module.function_name(function) {
        Some(name) => format!(" in `{name}`"),
        None => format!(" in function {function}"),
    }
}
