//! What is called of a module, and in which order: the start function of its start section, `_initialize`, `_start`;
//! as `wasmtime run` does.

use verirun::{Module, Outcome, Run, State, Task};

/// A module whose functions print their names: `exports` says which there are, `section` adds to it.
fn program(exports: &[&str], section: &str) -> String {
    let functions: String = exports
        .iter()
        .map(|name| {
            format!(
                r#"(func (export "{name}") (call $say (i32.const {})))"#,
                place(name)
            )
        })
        .collect();
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "section;")
  (data (i32.const 32) "init....")
  (data (i32.const 48) "main....")
  (func $say (param $what i32)
    (i32.store (i32.const 0) (local.get $what))
    (i32.store (i32.const 4) (i32.const 8))
    (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable))))
  (func $section (call $say (i32.const 16)))
  (func $leave (call $exit (i32.const 200)))
  {functions}
  {section})"#
    )
}

fn place(name: &str) -> u32 {
    if name == "_initialize" { 32 } else { 48 }
}

fn run(text: &str) -> (String, Option<Outcome>) {
    let module = Module::load("program.wat", text.as_bytes()).expect("it loads");
    let mut run = Run::start(&module, &Task::default()).expect("it starts");
    while run.slice(1_000_000) == State::Running {}
    let output = run.take_output().into_iter().flat_map(|chunk| chunk.bytes);
    let output = String::from_utf8(output.collect()).expect("ASCII");
    (output, run.outcome().cloned())
}

#[test]
fn the_parts_run_in_order() {
    const SECTION: &str = "(start $section)";
    for (exports, section, printed) in [
        (&["_start"][..], "", "main...."),
        (&["_initialize"], "", "init...."),
        (&["_initialize", "_start"], "", "init....main...."),
        (&["_start", "_initialize"], "", "init....main...."),
        (&["_start"], SECTION, "section;main...."),
        (
            &["_initialize", "_start"],
            SECTION,
            "section;init....main....",
        ),
        (&[], SECTION, "section;"),
    ] {
        let (output, outcome) = run(&program(exports, section));
        assert_eq!(output, printed, "{exports:?} {section}");
        assert_eq!(
            outcome,
            Some(Outcome::Exit { code: 0 }),
            "{exports:?} {section}"
        );
    }
}

#[test]
fn an_exit_on_the_way_is_the_end() {
    let (output, outcome) = run(&program(&["_initialize", "_start"], "(start $leave)"));
    assert_eq!(
        (output.as_str(), outcome),
        ("", Some(Outcome::Exit { code: 200 }))
    );
    let leaves = r#"(export "_initialize" (func $leave))"#;
    let (output, outcome) = run(&program(&["_start"], leaves));
    assert_eq!(
        (output.as_str(), outcome),
        ("", Some(Outcome::Exit { code: 200 }))
    );
}

#[test]
fn a_module_with_nothing_to_run_is_refused() {
    let text = program(&["main"], "");
    let error = Module::load("program.wat", text.as_bytes()).expect_err("nothing to run");
    assert_eq!(error.code(), "no-start");
    assert!(error.to_string().contains("`_start`"), "{error}");
}
