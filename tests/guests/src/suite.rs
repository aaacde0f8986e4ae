//! The named checks of one guest.

use crate::{Errno, Show};

/// Counts and prints checks; a guest ends with [`Suite::done`].
pub struct Suite {
    failed: usize,
    group: String,
    print: fn(&str),
}

impl Default for Suite {
    fn default() -> Self {
        Self::printing_with(|line| println!("{line}"))
    }
}

impl Suite {
    /// A suite without checks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A suite that prints each line through `print`, for guests without std's output.
    pub fn printing_with(print: fn(&str)) -> Self {
        Self {
            failed: 0,
            group: String::new(),
            print,
        }
    }

    /// Whether any check failed so far.
    pub fn failed(&self) -> bool {
        self.failed > 0
    }

    /// Prefixes the names of the checks that follow with `name/`.
    pub fn group(&mut self, name: &str) {
        self.group = format!("{name}/");
    }

    /// Checks that `got`, shown as text, is `want`, which may list several answers that the specification allows,
    /// separated by `|`.
    pub fn is(&mut self, name: &str, got: impl Show, want: &str) {
        let got = got.show();
        let group = &self.group;
        if want.split('|').any(|one| one == got) {
            (self.print)(&format!("ok {group}{name} = {got}"));
        } else {
            self.failed += 1;
            (self.print)(&format!("FAIL {group}{name} = {got}, expected {want}"));
        }
    }

    /// Checks that `got` is true.
    pub fn yes(&mut self, name: &str, got: bool) {
        self.is(name, got, "true");
    }

    /// Prints a value for comparison between hosts, with no expectation.
    pub fn note(&mut self, name: &str, got: impl Show) {
        (self.print)(&format!("ok {}{name} = {}", self.group, got.show()));
    }

    /// Unwraps a step that the following checks need; its failure ends the guest.
    pub fn need<T>(&mut self, name: &str, got: Result<T, Errno>) -> T {
        match got {
            Ok(value) => value,
            Err(errno) => {
                (self.print)(&format!("FAIL {}{name} = {errno}, expected ok", self.group));
                (self.print)(&format!(
                    "FAIL {}stopped = true, expected false",
                    self.group
                ));
                std::process::exit(1);
            }
        }
    }

    /// Ends the guest: status 1 if any check failed, else 0.
    pub fn done(self) -> ! {
        std::process::exit(i32::from(self.failed > 0))
    }
}
