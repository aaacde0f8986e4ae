//! `cargo xtask bench scale`.

use crate::layout::Layout;
use crate::process;
use anyhow::Result;

/// Measures the kinds of work whose names hold one of `parts`, or all of them.
///
/// In the tests' profile: what counts is how the times grow, and the release profile would link the oracle for minutes
/// to show the same.
pub fn run(layout: &Layout, parts: &[String]) -> Result<()> {
    process::run(
        layout
            .cargo(&["bench", "--profile=dev", "--bench=scale", "--"])
            .args(parts),
    )
}
