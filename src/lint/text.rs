//! The report for people.

use super::{Location, Report};
use std::fmt::{self, Write};

/// The most lines of one kind; the JSON form has all.
const SHOWN: usize = 20;

/// Names come from the module: nothing in them may act on a terminal.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char.is_control() {
                true => write!(f, "{}", char.escape_default())?,
                false => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Location {
    /// `0x1a2b in main (#17)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.offset)?;
        match &self.function {
            Some(function) => match &function.name {
                Some(name) => write!(f, " in {} (#{})", Name(name), function.index),
                None => write!(f, " in function #{}", function.index),
            },
            None => Ok(()),
        }
    }
}

fn places(f: &mut fmt::Formatter<'_>, count: u64, first: &[Location]) -> fmt::Result {
    for location in first {
        writeln!(f, "      at {location}")?;
    }
    match count - (first.len() as u64).min(count) {
        _ if first.is_empty() => Ok(()),
        0 => Ok(()),
        more => writeln!(f, "      and {more} more"),
    }
}

fn count(number: u64, unit: &str) -> String {
    match number {
        1 => format!("1 {unit}"),
        number => format!("{number} {unit}s"),
    }
}

fn times(count: u64) -> String {
    match count {
        // An import that nothing calls by its name; a table may hold it.
        0 => "never called directly".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.runs { "runs" } else { "does not run" };
        writeln!(f, "{}: {verdict}", Name(&self.name))?;
        writeln!(f, "  {} bytes, SHA-256 {}", self.size, self.sha256)?;
        writeln!(
            f,
            "  {}, {} of code, {} of data",
            count(self.functions, "function"),
            count(self.code_bytes, "byte"),
            count(self.data_bytes, "byte")
        )?;
        if !self.refused.is_empty() {
            writeln!(f, "\nRefused:")?;
            for refusal in self.refused.iter().take(SHOWN) {
                writeln!(f, "  - {} ({})", Name(&refusal.message), refusal.code)?;
                places(f, refusal.count, &refusal.first)?;
            }
            more(f, self.refused.len())?;
        }
        if !self.fixed.is_empty() {
            writeln!(f, "\nFixed by the deterministic profile:")?;
            for fixed in &self.fixed {
                writeln!(f, "  {}: {}; {}", fixed.what, fixed.how, times(fixed.count))?;
                places(f, fixed.count, &fixed.first)?;
            }
        }
        if !self.features.is_empty() {
            writeln!(f, "\nFeatures it needs:")?;
            for feature in &self.features {
                let refused = if feature.supported {
                    ""
                } else {
                    " (not supported)"
                };
                let name = feature.name.name();
                write!(f, "  {name}{refused}: {}", times(feature.count))?;
                match feature.first.first() {
                    Some(first) => writeln!(f, ", first at {first}")?,
                    None => writeln!(f)?,
                }
            }
        }
        self.sizes(f)?;
        if !self.imports.is_empty() {
            writeln!(f, "\nImports:")?;
            for import in self.imports.iter().take(SHOWN) {
                let unknown = if import.known { "" } else { " (unknown)" };
                writeln!(
                    f,
                    "  {}.{}{unknown}",
                    Name(&import.module),
                    Name(&import.name)
                )?;
            }
            more(f, self.imports.len())?;
        }
        self.task(f)
    }
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more (--json lists them all)"),
    }
}

impl Report {
    fn sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.memories.is_empty() && self.tables.is_empty() {
            return Ok(());
        }
        let most = |max: Option<u64>| match max {
            Some(max) => format!("at most {max}"),
            None => "no declared maximum".to_owned(),
        };
        writeln!(f, "\nSizes:")?;
        for memory in self.memories.iter().take(SHOWN) {
            let shared = if memory.shared { ", shared" } else { "" };
            let wide = if memory.memory64 { ", 64-bit" } else { "" };
            writeln!(
                f,
                "  memory: {} of {} bytes, {}{shared}{wide}",
                count(memory.min, "page"),
                memory.page_bytes,
                most(memory.max)
            )?;
        }
        more(f, self.memories.len())?;
        for table in self.tables.iter().take(SHOWN) {
            writeln!(
                f,
                "  table: {} ({}), {}",
                count(table.min, "element"),
                table.element,
                most(table.max)
            )?;
        }
        more(f, self.tables.len())
    }

    fn task(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = &self.function_task;
        if task.likely {
            return writeln!(
                f,
                "\nIt looks like a Truebit function task: `verirun run-task` runs it."
            );
        }
        if !(task.names_input || task.names_output) {
            return Ok(());
        }
        let missing: Vec<_> = [
            (task.command, "exports no `_start`"),
            (task.preview1_only, "imports not preview1 alone"),
            (task.names_input, "never names input.txt"),
            (task.names_output, "never names output.txt"),
        ]
        .into_iter()
        .filter(|(there, _)| !there)
        .map(|(_, what)| what)
        .collect();
        writeln!(
            f,
            "\nIt is not quite a Truebit function task: it {}.",
            missing.join(", and ")
        )
    }
}
