//! Every guest of `tests/guests` on Verirun: all its checks pass.

mod support;

use support::verirun::{run_on_both, run_task_on_both};
use support::{Case, End, Outcome, guest};
use verirun::fs::ROOT;
use verirun::wasi::EPOCH;
use verirun::{Access, Preopen};

/// Runs a guest and panics with its failed checks, if any.
#[track_caller]
fn conforms(name: &str, case: &Case) -> Outcome {
    passes(name, run_on_both(&guest(name), case))
}

/// Panics with the failed checks of a guest's run, if any.
#[track_caller]
fn passes(name: &str, outcome: Outcome) -> Outcome {
    let checks = outcome.checks();
    let failed: Vec<String> = checks
        .iter()
        .filter_map(|check| {
            let expected = check.expected.as_ref()?;
            Some(format!(
                "  {} = {}, expected {expected}",
                check.name, check.value
            ))
        })
        .collect();
    assert!(
        failed.is_empty() && !checks.is_empty() && outcome.end == End::Exit(0),
        "{name}: {:?} after {} checks, {} failed:\n{}\n{}",
        outcome.end,
        checks.len(),
        failed.len(),
        failed.join("\n"),
        String::from_utf8_lossy(&outcome.stderr),
    );
    outcome
}

macro_rules! guests {
    ($($name:ident)*) => { $(#[test] fn $name() { conforms(stringify!($name), &Case::with_args(&[])); })* };
}

guests! {
    c_dirs
    c_files
    c_time
    clock
    descriptors
    entries
    faults
    open
    paths
    poll
    profile
    random
    read_write
    readdir
    reactor
    rename
    rights
    seek
    size_times
    sockets
    undefined
}

/// The guests once more, built for `wasi_unstable`.
mod unstable {
    use super::{Case, conforms};

    macro_rules! guests {
        ($($name:ident)*) => {
            $(#[test] fn $name() { conforms(concat!("unstable/", stringify!($name)), &Case::with_args(&[])); })*
        };
    }

    guests! {
        clock
        descriptors
        entries
        faults
        open
        paths
        poll
        profile
        random
        read_write
        readdir
        rename
        rights
        seek
        size_times
        sockets
        undefined
    }
}

#[test]
fn assemblyscript() {
    let case = Case {
        env: vec![b"NAME=text".to_vec()],
        ..Case::with_args(&["one", "two"])
    };
    conforms("as_preview1", &case);
    conforms("as_unstable", &case);
}

#[test]
fn streams_of_c() {
    let outcome = conforms("c_stdio", &Case::with_args(&[]));
    assert_eq!(outcome.stderr, b"a line on stderr\n");
}

/// The arguments and environment that `c_process` looks at.
fn c_process_case() -> Case {
    Case {
        env: vec![b"A=1".to_vec(), b"EMPTY=".to_vec(), b"B=x=y".to_vec()],
        ..Case::with_args(&["", "two words", "é"])
    }
}

#[test]
fn a_process_of_c() {
    conforms("c_process", &c_process_case());
    for (how, status, printed) in [
        (
            "exit",
            "255",
            "ok before = exit\nok atexit second = ran first\nok atexit first = ran last\n",
        ),
        ("_Exit", "126", "ok before = _Exit\n"),
        ("return", "200", "ok atexit first = ran last\n"),
    ] {
        let outcome = run_on_both(&guest("c_process"), &Case::with_args(&[how, status]));
        let code = status.parse().expect("a number");
        assert_eq!(outcome.end, End::Exit(code), "{how}");
        assert_eq!(String::from_utf8_lossy(&outcome.stdout), printed, "{how}");
    }
    let outcome = run_on_both(&guest("c_process"), &Case::with_args(&["abort"]));
    assert!(matches!(outcome.end, End::Trap(_)), "{:?}", outcome.end);
    assert_eq!(outcome.stdout, b"ok before = abort\n");
}

#[test]
fn read_only_preopens() {
    let outcome = run_task_on_both(&guest("read_only"), &Case::default(), |task| {
        task.files
            .create_directories(ROOT, "in", EPOCH)
            .expect("an empty root has room for a directory");
        for (name, access) in [("files", Access::ReadOnlyFiles), ("all", Access::ReadOnly)] {
            task.preopens.push(Preopen {
                access,
                ..Preopen::new(name, "in")
            });
        }
    });
    passes("read_only", outcome);
}

#[test]
fn renumbered_stderr_is_still_stderr() {
    let outcome = conforms("descriptors", &Case::with_args(&[]));
    assert_eq!(outcome.stderr, b"moved stderr\n");
}

#[test]
fn arguments_and_environment_of_any_bytes() {
    let case = Case {
        args: vec![
            b"".to_vec(),
            b"two words".to_vec(),
            "é".into(),
            b"\xff\xfe".to_vec(),
        ],
        env: vec![
            b"A=1".to_vec(),
            b"EMPTY=".to_vec(),
            b"B=x=y".to_vec(),
            b"RAW=\x80".to_vec(),
        ],
        stdin: Vec::new(),
    };
    let outcome = conforms("args_env", &case);
    for (name, value) in [
        ("args/count", "5"),
        ("args/0", "\"args_env\""),
        ("args/1", "\"\""),
        ("args/2", "\"two words\""),
        ("args/3", r#""\xc3\xa9""#),
        ("args/4", r#""\xff\xfe""#),
        ("env/count", "4"),
        ("env/0", "\"A=1\""),
        ("env/1", "\"EMPTY=\""),
        ("env/2", "\"B=x=y\""),
        ("env/3", r#""RAW=\x80""#),
    ] {
        assert_eq!(outcome.value(name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn no_arguments_and_no_environment() {
    let outcome = conforms("args_env", &Case::default());
    assert_eq!(outcome.value("args/count").as_deref(), Some("1"));
    assert_eq!(outcome.value("env/count").as_deref(), Some("0"));
}

#[test]
fn exit_codes() {
    let process = guest("process");
    for status in [
        "0",
        "1",
        "42",
        "125",
        "126",
        "127",
        "134",
        "255",
        "256",
        "65536",
        "4294967295",
    ] {
        let outcome = run_on_both(&process, &Case::with_args(&["exit", status]));
        assert_eq!(
            outcome.end,
            End::Exit(status.parse().expect("a number")),
            "proc_exit({status})"
        );
        assert_eq!(
            String::from_utf8_lossy(&outcome.stdout),
            "ok before = exit\n",
            "nothing unwinds"
        );
    }
}

#[test]
fn a_trap_is_no_exit() {
    let outcome = run_on_both(&guest("process"), &Case::with_args(&["trap"]));
    assert!(matches!(outcome.end, End::Trap(_)), "{:?}", outcome.end);
    assert_eq!(
        String::from_utf8_lossy(&outcome.stdout),
        "ok before = trap\n",
        "output before the trap is kept"
    );
}

#[test]
fn raised_signals_end_the_program() {
    // SIGABRT, SIGKILL and SIGTERM (`signal::abrt`, `kill`, `term`).
    for signal in ["6", "9", "15"] {
        let outcome = run_on_both(&guest("process"), &Case::with_args(&["raise", signal]));
        assert_ne!(outcome.end, End::Exit(0), "proc_raise({signal})");
        assert_eq!(outcome.value("before").as_deref(), Some("raise"));
        assert_eq!(
            outcome.value("after"),
            None,
            "proc_raise({signal}) does not return"
        );
    }
}

#[test]
fn ignored_signals_do_nothing() {
    // None, SIGPIPE, SIGCHLD, SIGCONT, SIGURG and SIGWINCH: the specification says ignored, or continues.
    for signal in ["0", "13", "16", "17", "22", "27"] {
        let outcome = run_on_both(&guest("process"), &Case::with_args(&["raise", signal]));
        assert_eq!(
            outcome.value("after").as_deref(),
            Some("ok"),
            "proc_raise({signal})"
        );
        assert_eq!(outcome.end, End::Exit(0), "proc_raise({signal})");
    }
    for signal in ["31", "255", "256"] {
        let outcome = run_on_both(&guest("process"), &Case::with_args(&["raise", signal]));
        assert_eq!(outcome.value("after").as_deref(), Some("EINVAL"));
    }
}

#[test]
fn yielding() {
    conforms("process", &Case::with_args(&[]));
}

#[test]
fn standard_input() {
    let long: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    for input in [b"".as_slice(), b"x", b"two\nlines", &long] {
        for how in ["", "bytes", "poll"] {
            if !how.is_empty() && input.len() > 1000 {
                continue;
            }
            let case = Case {
                stdin: input.to_vec(),
                ..Case::with_args(&[how])
            };
            let outcome = run_on_both(&guest("stdin"), &case);
            assert_eq!(outcome.end, End::Exit(0), "{how}");
            assert!(
                outcome.stdout.starts_with(input),
                "{how}: what comes in goes out"
            );
            let rest = String::from_utf8_lossy(&outcome.stdout[input.len()..]).into_owned();
            assert_eq!(
                rest,
                format!("ok total = {}\nok again at the end = \"\"\n", input.len()),
                "{how}"
            );
        }
    }
}

#[test]
fn large_numbers() {
    conforms("scale", &Case::with_args(&["100000"]));
}

/// Each kind of work that `benches/scale.rs` measures, at a size that takes no time.
#[test]
fn work_of_every_kind() {
    for work in [
        "create",
        "list",
        "stat",
        "remove-all",
        "remove-batches",
        "remove-first",
        "rename",
        "link",
        "nest",
        "resolve",
        "hole",
        "blocks",
        "append",
        "open",
        "poll",
        "print",
    ] {
        for n in ["1", "2", "1000"] {
            // A hole is counted in MiB.
            let n = if work == "hole" && n == "1000" {
                "20"
            } else {
                n
            };
            conforms("growth", &Case::with_args(&[work, n]));
        }
    }
}

#[test]
fn the_same_run_twice_is_the_same() {
    for name in ["profile", "readdir", "rename"] {
        let case = Case::with_args(&[]);
        let (first, second) = (
            run_on_both(&guest(name), &case),
            run_on_both(&guest(name), &case),
        );
        assert_eq!(first.stdout, second.stdout, "{name}");
        assert_eq!(first.tree, second.tree, "{name}");
    }
}
