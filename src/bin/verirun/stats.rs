//! Figures of a run, for `--stats`.

use verirun::{Limits, Run};

/// Prints each figure with its limit to standard error.
pub fn print(run: &Run, limits: &Limits) {
    let stats = run.stats();
    let used = |value: u64, limit: Option<u64>| match limit {
        Some(limit) => format!("{value} of {limit}"),
        None => value.to_string(),
    };
    let lines = [
        ("steps", used(stats.steps, limits.gas), ""),
        ("calls", used(stats.peak_call_depth, limits.call), "nested"),
        (
            "frames",
            used(stats.peak_frame_bytes, limits.frame),
            "bytes",
        ),
        (
            "memory",
            used(stats.peak_memory_pages, limits.memory_pages),
            "pages of 64 KiB",
        ),
        (
            "output",
            used(stats.output_bytes, limits.output_bytes),
            "bytes",
        ),
        ("files", used(stats.file_bytes, limits.file_bytes), "bytes"),
    ];
    for (name, figure, unit) in lines {
        eprintln!(
            "{}",
            format!("verirun: {name:<7} {figure} {unit}").trim_end()
        );
    }
    let engines = run.engines();
    let compared = match engines.compared {
        true => ", and a second engine did the same",
        false => "",
    };
    eprintln!("verirun: engine  {}{compared}", engines.ran.name());
}
