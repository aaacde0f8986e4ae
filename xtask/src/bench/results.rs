//! What a browser reports, and whether all that ran in it did the same.

use super::table::Samples;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a browser reported.
#[derive(Default)]
pub struct Results {
    /// The measurements.
    pub warm: Samples,
    /// The very first ones.
    pub cold: Samples,
    /// By program with its arguments, the outputs seen and which engines gave each.
    outputs: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Results {
    /// Takes a report.
    pub fn take(&mut self, report: &Value) {
        let (sample, failure) = (&report["sample"], &report["failure"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if !failure.is_null() {
            let (engine, program) = (text(&failure["engine"]), text(&failure["program"]));
            eprintln!("{program} on {engine} FAILED: {}", text(&failure["error"]));
            self.warm.note(&program, &engine, "**fails**");
            self.cold.note(&program, &engine, "**fails**");
            return;
        }
        let (engine, program) = (text(&sample["engine"]), text(&sample["program"]));
        let ms = sample["ms"].as_f64().unwrap_or(f64::NAN);
        eprintln!("{program:12} {engine:14} {ms:10.2} ms");
        let samples = if sample["warmUp"] == true {
            &mut self.cold
        } else {
            &mut self.warm
        };
        samples.add(&program, &engine, ms);
        let digest = text(&sample["digest"]);
        // A page prints nothing; it looks itself whether it came to a result.
        if digest.is_empty() {
            return;
        }
        // Only the same work prints the same.
        let arguments = sample["args"].as_array().into_iter().flatten();
        let work = [program].into_iter().chain(arguments.map(text));
        let outputs = self
            .outputs
            .entry(work.collect::<Vec<_>>().join(" "))
            .or_default();
        outputs.entry(digest).or_default().insert(engine);
    }

    /// Says which programs did not print the same on all engines, and which ran on one only.
    pub fn differences(&self) -> String {
        let mut lines = String::new();
        let mut alone = Vec::new();
        for (work, outputs) in &self.outputs {
            let groups = outputs.values().map(|engines| {
                let engines: Vec<&str> = engines.iter().map(String::as_str).collect();
                engines.join(", ")
            });
            let groups: Vec<String> = groups.collect();
            if groups.len() > 1 {
                let groups = groups.join("; and on ");
                lines += &format!("WRONG: {work} printed different things on {groups}\n");
            } else if outputs.values().all(|engines| engines.len() == 1) {
                alone.push(format!("{work} (on {})", groups.concat()));
            }
        }
        if lines.is_empty() && alone.len() < self.outputs.len() {
            let which = match alone[..] {
                [] => "Every program",
                _ => "Every program that ran on more than one of them",
            };
            lines += &format!("{which} printed the same on all of them, every time.\n");
        }
        if !alone.is_empty() {
            lines += &format!(
                "What these printed was compared with nothing, since nothing else did the same: {}.\n",
                alone.join("; ")
            );
        }
        format!("\n{lines}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is said of runs: an engine, the program's argument, and what it printed.
    fn differences(runs: &[(&str, &str, &str)]) -> String {
        let mut results = Results::default();
        for (engine, arg, digest) in runs {
            results.take(&json!({"sample": {
                "engine": engine, "program": "calls", "args": [arg], "ms": 1.0, "digest": digest,
            }}));
        }
        results.differences()
    }

    #[test]
    fn says_what_differs() {
        let same = "\nEvery program printed the same on all of them, every time.\n";
        assert_eq!(
            differences(&[("a", "1", "x"), ("b", "1", "x"), ("a", "1", "x")]),
            same
        );
        assert_eq!(
            differences(&[("a", "1", "x"), ("b", "1", "y"), ("c", "1", "x")]),
            "\nWRONG: calls 1 printed different things on a, c; and on b\n"
        );
        // One engine may differ from itself.
        assert_eq!(
            differences(&[("a", "1", "x"), ("a", "1", "y")]),
            "\nWRONG: calls 1 printed different things on a; and on a\n"
        );
    }

    #[test]
    fn says_what_was_compared_with_nothing() {
        let alone = "What these printed was compared with nothing, since nothing else did the same: calls 10 (on a@once).\n";
        assert_eq!(differences(&[("a@once", "10", "x")]), format!("\n{alone}"));
        assert_eq!(
            differences(&[("a", "1", "x"), ("b", "1", "x"), ("a@once", "10", "y")]),
            format!(
                "\nEvery program that ran on more than one of them printed the same on all of them, every time.\n{alone}"
            )
        );
        // What prints nothing is no output.
        assert_eq!(differences(&[("page", "", "")]), "\n");
    }
}
