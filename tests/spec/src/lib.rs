//! The specification's tests on wasmi, each module as it is or instrumented: natively, and in browsers with the
//! interpreter compiled as the site's is. `tests/suites.rs` compares the two ways, `src/bin/spec.rs` writes what
//! browsers run, and tests/e2e says what becomes of that.

mod expect;
mod runner;
#[cfg(not(target_family = "wasm"))]
pub mod suites;
// Shared with the tests of metering, which need more of it.
#[allow(dead_code)]
#[path = "../../meter/support.rs"]
mod support;
#[cfg(target_family = "wasm")]
mod web;

use runner::Runner;
pub use support::{End, LACK, Value};
use verirun::meter::{Detail, Target};
use wast::WastDirective;

/// How a module is run: as it is, or instrumented like this.
pub type How = Option<(Detail, Target)>;

/// The ways that the interpreter runs a task's module (a trap is found again in all detail), by the names they have here.
pub const WAYS: [(&str, How); 3] = [
    ("plain", None),
    ("fast", Some((Detail::Fast, Target::Interpreter))),
    ("exact", Some((Detail::Exact, Target::Interpreter))),
];

/// Directives that are not run, neither way: they call a function that a module left in another's
/// table before its instantiation failed. wasmi 2.0.0 crashes if such a function uses its instance, as
/// ours do (and these, in plain, do not). A task is one instance, and imports no table.
const SKIPPED: [&str; 2] = [
    r#"(assert_return (invoke $Mt "call" (i32.const 7)) (i32.const 0))"#,
    // From before bulk operators, when such a module left nothing.
    r#"(assert_trap (invoke $Mt "call" (i32.const 7)) "uninitialized")"#,
];

/// What came of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A module was instantiated, or something was registered.
    Fine,
    /// A call or a global.
    End(End),
    /// Text or binary was refused before instantiation.
    Refused,
    /// The test asks for what is not there, mostly because an earlier module was refused.
    Missing(String),
    /// Not a directive that a core module with these features has.
    Skipped,
}

/// One directive, and what came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it is in the file, from 1.
    pub line: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the test's assertion holds.
    pub passed: bool,
}

/// Parses a file, and gives each directive with its line to `each`.
///
/// # Errors
/// When the file is written in the syntax of a proposal that `wast` does not know (any more).
pub fn read<T>(
    text: &str,
    mut each: impl FnMut(usize, WastDirective<'_>) -> T,
) -> Result<Vec<T>, wast::Error> {
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer)?;
    let parsed: wast::Wast<'_> = wast::parser::parse(&buffer)?;
    let directives = parsed.directives.into_iter().map(|directive| {
        let line = directive.span().linecol_in(text).0 + 1;
        each(line, directive)
    });
    Ok(directives.collect())
}

/// Runs the directives of a file.
///
/// # Errors
/// Those of [`read`].
pub fn run(text: &str, how: How) -> Result<Vec<Line>, wast::Error> {
    let lines: Vec<&str> = text.lines().collect();
    let mut runner = Runner::new(how);
    read(text, |line, directive| {
        let skipped = lines
            .get(line - 1)
            .is_some_and(|line| SKIPPED.contains(line));
        let (outcome, passed) = match skipped {
            true => (Outcome::Skipped, false),
            false => runner.directive(directive),
        };
        Line {
            line,
            outcome,
            passed,
        }
    })
}

/// What a run came to, a line for each directive: so a browser says what the native build says.
#[must_use]
pub fn report(lines: &[Line]) -> String {
    let lines = lines.iter().map(|line| {
        let mark = if line.passed { "+" } else { "-" };
        format!("{mark}{} {:?}", line.line, line.outcome)
    });
    lines.collect::<Vec<_>>().join("\n")
}
