//! Figures of a run under Truebit's field names.

use super::{Outcome, Run};
use crate::task::{Limits, ModuleInfo};
use serde::Serialize;
use std::time::Duration;

/// Figures of a run. All but `elapsed` are the same in each run.
#[derive(Debug, Clone, Serialize)]
pub struct Metrics {
    /// Milliseconds of execution, by the host's clock.
    pub elapsed: f64,
    /// What WASI knows of the end.
    pub wasi: WasiMetrics,
    /// Limits, and how far they were used.
    pub metering: Metering,
    /// What was executed.
    pub execution: Execution,
    /// How it ended, in our words; null while it runs.
    pub outcome: Option<Outcome>,
}

/// What WASI knows of the end.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WasiMetrics {
    /// The exit code; null if the program did not exit.
    pub exit_code: Option<u32>,
}

/// Limits, and how far they were used.
#[derive(Debug, Clone, Serialize)]
pub struct Metering {
    /// The limits.
    pub limits: LimitMetrics,
    /// At the end.
    pub last: LastMetrics,
    /// At most.
    pub peak: PeakMetrics,
}

/// The limits, as decimal strings like in `config.json`; null for none.
#[derive(Debug, Clone, Serialize)]
pub struct LimitMetrics {
    /// Steps.
    pub gas: Option<String>,
    /// Nested calls.
    pub call: Option<String>,
    /// Bytes of the value stack.
    pub frame: Option<String>,
    /// 64 KiB pages.
    pub memory: Option<String>,
}

/// Figures at the end.
#[derive(Debug, Clone, Serialize)]
pub struct LastMetrics {
    /// Steps.
    pub steps: u64,
}

/// The highest figures.
#[derive(Debug, Clone, Serialize)]
pub struct PeakMetrics {
    /// 64 KiB pages.
    pub memory: u64,
    /// Nested calls.
    pub call: u64,
    /// Bytes of the value stack.
    pub frame: u64,
}

/// What was executed.
#[derive(Debug, Clone, Serialize)]
pub struct Execution {
    /// The program.
    pub wasm: WasmMetrics,
}

/// The program.
#[derive(Debug, Clone, Serialize)]
pub struct WasmMetrics {
    /// Bytes of the binary.
    pub size: u64,
    /// SHA-256 of the binary, in hex.
    pub hash: String,
}

impl Metrics {
    /// The figures of `run`, which took `elapsed` so far.
    pub fn new(module: &ModuleInfo, limits: &Limits, run: &Run, elapsed: Duration) -> Self {
        let text = |limit: Option<u64>| limit.map(|limit| limit.to_string());
        let stats = run.stats();
        Self {
            elapsed: elapsed.as_secs_f64() * 1e3,
            wasi: WasiMetrics {
                exit_code: match run.outcome() {
                    Some(Outcome::Exit { code }) => Some(*code),
                    _ => None,
                },
            },
            metering: Metering {
                limits: LimitMetrics {
                    gas: text(limits.gas),
                    call: text(limits.call),
                    frame: text(limits.frame),
                    memory: text(limits.memory_pages),
                },
                last: LastMetrics { steps: stats.steps },
                peak: PeakMetrics {
                    memory: stats.peak_memory_pages,
                    call: stats.peak_call_depth,
                    frame: stats.peak_frame_bytes,
                },
            },
            execution: Execution {
                wasm: WasmMetrics {
                    size: module.size,
                    hash: module.sha256.clone(),
                },
            },
            outcome: run.outcome().cloned(),
        }
    }
}
