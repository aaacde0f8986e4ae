//! Committing to receipts, and deciding over several.

use std::path::Path;
use std::process::Command;
use verirun::receipt::{Digest, Envelope, Secret, Status, Streams, adjudicate};
use verirun::{Module, Run, State, Task};

/// The receipt of a program that exits with this code.
fn receipt(code: u32) -> Envelope {
    let text = format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {code}))))"#
    );
    let module = Module::load("exit.wat", text.as_bytes()).expect("it loads");
    let mut run = Run::start(&module, &Task::default()).expect("it starts");
    while run.slice(1000) != State::Done {}
    Envelope::of(&run, &Streams::default()).expect("a receipt")
}

/// A receipt of the same task with another result.
fn other(of: &Envelope, steps: u64) -> Envelope {
    let mut other = of.clone();
    other.receipt.result.steps.0 += steps;
    other.id = other.receipt.id();
    other
}

#[test]
fn a_commitment_is_to_one_receipt_one_salt_and_one_name() {
    let id = Digest([1; 32]);
    let secret = |salt, name: &str| Secret {
        salt: Digest([salt; 32]),
        name: name.to_owned(),
    };
    let base = secret(2, "me").commitment(id);
    assert_eq!(secret(2, "me").commitment(id), base);
    assert_ne!(secret(3, "me").commitment(id), base);
    assert_ne!(secret(2, "you").commitment(id), base);
    assert_ne!(secret(2, "me").commitment(Digest([2; 32])), base);
    // As docs/receipt.md says, computed with Python's hashlib.
    assert_eq!(
        base.to_string(),
        "f5eb3d0f803833d042498a604acecf07123c97bbd17b08875a47608611f5a155"
    );
}

#[test]
fn the_most_frequent_result_wins_if_enough_agree() {
    let (right, wrong, third) = {
        let right = receipt(0);
        (right.clone(), other(&right, 1), other(&right, 2))
    };
    let foreign = receipt(1);
    let decide = |required, total, given: &[&Envelope]| {
        let solution = |(index, envelope): (usize, &&Envelope)| {
            (format!("{index}.json"), Ok((*envelope).clone()))
        };
        adjudicate(
            required,
            total,
            given.iter().enumerate().map(solution).collect(),
        )
    };
    use Status::{Error, Indeterminate, Success};
    for (required, total, given, status) in [
        (2, 3, vec![&right, &wrong, &right], Success),
        (2, 2, vec![&right, &right], Success),
        (1, 1, vec![&right], Success),
        (2, 3, vec![&right, &right], Success),
        (3, 3, vec![&right, &wrong, &right], Indeterminate),
        (2, 3, vec![&right, &wrong, &third], Indeterminate),
        (1, 2, vec![&right, &wrong], Indeterminate),
        (2, 4, vec![&right, &wrong, &right, &wrong], Indeterminate),
        (2, 3, vec![&right], Indeterminate),
        (2, 3, vec![&right, &right, &foreign], Error),
        (0, 3, vec![&right], Error),
        (4, 3, vec![&right], Error),
        (1, 1, vec![&right, &right], Error),
        (1, 1, vec![], Error),
    ] {
        let decision = decide(required, total, &given);
        assert_eq!(decision.status, status, "{decision:?}");
        assert!(!decision.reason.is_empty());
        if status == Success {
            assert_eq!(decision.results[0].id, right.id, "{decision:?}");
            assert_eq!(decision.task, Some(right.receipt.task.id()));
        }
    }
    let damaged = ("cut.json".to_owned(), Err("cut".to_owned()));
    let good = |name: &str| (name.to_owned(), Ok(right.clone()));
    let decision = adjudicate(2, 3, vec![good("a"), damaged, good("b")]);
    assert_eq!(decision.status, Success);
    assert_eq!(decision.rejected[0].receipt, "cut.json");
    assert_eq!(decision.results[0].receipts, ["a", "b"]);
}

fn verirun(dir: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(args)
        .current_dir(dir)
        .output()
        .expect("it can be started");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().expect("it exited"), text)
}

#[test]
fn the_command_line_commits_reveals_and_decides() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path();
    let right = receipt(0);
    for (name, envelope) in [("a", &right), ("b", &right), ("c", &other(&right, 1))] {
        std::fs::write(at.join(format!("{name}.json")), envelope.to_text()).expect("written");
    }
    let commit = ["commit", "--name", "me", "--secret", "s.json", "a.json"];
    let (code, commitment) = verirun(at, &commit);
    assert_eq!(code, 0, "{commitment}");
    let commitment = commitment.trim();
    let (code, text) = verirun(at, &commit);
    assert!(code == 2 && text.contains("never replaced"), "{text}");
    let mut other_salt = commit;
    other_salt[4] = "t.json";
    let (_, second) = verirun(at, &other_salt);
    assert_ne!(second.trim(), commitment, "each has its own salt");
    let reveal = |more: &[&str], receipt: &str| {
        let args = ["reveal", "--secret", "s.json", "--commitment", commitment];
        verirun(at, &[&args[..], more, &[receipt]].concat())
    };
    let (code, text) = reveal(&[], "a.json");
    assert!(code == 0 && text.starts_with("COMMITTED to"), "{text}");
    assert_eq!(reveal(&["--name", "me"], "b.json").0, 0);
    for (more, receipt) in [(&[][..], "c.json"), (&["--name", "you"], "a.json")] {
        let (code, text) = reveal(more, receipt);
        assert!(code == 1 && text.starts_with("NOT COMMITTED"), "{text}");
    }
    let bad = [
        "reveal",
        "--secret",
        "s.json",
        "--commitment",
        "12",
        "a.json",
    ];
    let (code, text) = verirun(at, &bad);
    assert!(code == 2 && text.contains("no commitment"), "{text}");
    let bad = [
        "reveal",
        "--secret",
        "a.json",
        "--commitment",
        commitment,
        "a.json",
    ];
    let (code, text) = verirun(at, &bad);
    assert!(
        code == 2 && text.contains("no file that `verirun commit` wrote"),
        "{text}"
    );
    let decide = |args: &[&str]| verirun(at, &[&["adjudicate"], args].concat());
    let (code, text) = decide(&["a.json", "b.json", "c.json"]);
    assert!(
        code == 0 && text.contains(r#""status": "Success""#),
        "{text}"
    );
    let (code, text) = decide(&[
        "--required",
        "3",
        "--total",
        "3",
        "a.json",
        "b.json",
        "c.json",
    ]);
    assert!(code == 1 && text.contains("Indeterminate"), "{text}");
    let (code, text) = decide(&["s.json", "none.json"]);
    assert!(code == 2 && text.contains(r#""status": "Error""#), "{text}");
    assert!(text.contains("can't read none.json"), "{text}");
}
