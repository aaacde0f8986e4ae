//! The lint: what it finds, where, and that its verdict is the engine's.

use verirun::lint::{Feature, Report, lint};
use verirun::{LoadError, Module, Run, Task};

fn report(text: &str) -> Report {
    lint("test.wat", text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn codes(report: &Report) -> Vec<&str> {
    report.refused.iter().map(|refusal| refusal.code).collect()
}

fn features(report: &Report) -> Vec<&'static str> {
    let names = report.features.iter().map(|feature| feature.name.name());
    names.collect()
}

/// A program with these fields and this body of `_start`.
fn program(fields: &str, body: &str) -> String {
    format!(
        r#"(module {fields} (memory (export "memory") 1) (func $main (export "_start") {body}))"#
    )
}

#[test]
fn each_feature_is_found_and_the_verdict_is_the_engines() {
    for (feature, text) in [
        (
            "sign-extension",
            program("", "i32.const 1 i32.extend8_s drop"),
        ),
        (
            "saturating-float-to-int",
            program("", "f32.const 1 i32.trunc_sat_f32_s drop"),
        ),
        (
            "multi-value",
            program("(func (result i32 i32) i32.const 1 i32.const 2)", ""),
        ),
        (
            "multi-value",
            program("", "i32.const 1 (block (param i32) drop)"),
        ),
        (
            "bulk-memory",
            program("", "i32.const 0 i32.const 0 i32.const 0 memory.fill"),
        ),
        ("bulk-memory", program(r#"(data "passive")"#, "")),
        ("reference-types", program("(table 1 externref)", "")),
        (
            "reference-types",
            program("(table 1 funcref) (table 1 funcref)", ""),
        ),
        ("reference-types", program("", "ref.null extern drop")),
        ("simd", program("", "v128.const i64x2 0 0 drop")),
        ("simd", program("(func (param v128))", "")),
        (
            "relaxed-simd",
            program(
                "",
                "v128.const i64x2 0 0 v128.const i64x2 0 0 i8x16.relaxed_swizzle drop",
            ),
        ),
        ("tail-call", program("(func $f)", "return_call $f")),
        (
            "extended-const",
            program("(global i32 (i32.add (i32.const 1) (i32.const 2)))", ""),
        ),
        ("multi-memory", program("(memory $other 1)", "")),
        (
            "memory64",
            r#"(module (memory (export "memory") i64 1) (func (export "_start")))"#.to_owned(),
        ),
        (
            "threads",
            r#"(module (memory (export "memory") 1 1 shared) (func (export "_start")))"#.to_owned(),
        ),
        (
            "threads",
            program("", "i32.const 0 i32.const 1 i32.atomic.rmw.add drop"),
        ),
        ("threads", program("", "atomic.fence")),
        ("exceptions", program("(tag $e)", "throw $e")),
        (
            "exceptions",
            program("", "(block $h (try_table (catch_all $h)))"),
        ),
        ("legacy-exceptions", program("", "try catch_all end")),
        (
            "function-references",
            program("(type $t (func)) (func $f (param (ref $t)))", ""),
        ),
        ("gc", program("(type $s (struct (field i32)))", "")),
        ("gc", program("", "i32.const 1 ref.i31 drop")),
        (
            "custom-page-sizes",
            r#"(module (memory (export "memory") 1 (pagesize 1)) (func (export "_start")))"#
                .to_owned(),
        ),
        (
            "wide-arithmetic",
            program("", "i64.const 1 i64.const 1 i64.mul_wide_u drop drop"),
        ),
    ] {
        let report = report(&text);
        let found = report
            .features
            .iter()
            .find(|used| used.name.name() == feature)
            .unwrap_or_else(|| panic!("{feature} is not found in {text}: {report:?}"));
        assert!(found.count > 0 && !found.first.is_empty(), "{feature}");
        assert_eq!(found.supported, found.name.is_supported());
        let runs = Module::load("test.wat", text.as_bytes())
            .map_err(verirun::StartError::from)
            .and_then(|module| Run::start(&module, &Task::default()).map(drop));
        assert_eq!(
            report.runs,
            runs.is_ok(),
            "{feature}: the engine says {runs:?}, the lint {:?}\n{text}",
            report.refused
        );
        assert_eq!(
            report.runs,
            found.name.is_supported(),
            "{feature}: {report:?}"
        );
    }
    for &feature in Feature::ALL {
        assert_eq!(
            serde_json::to_value(feature).expect("a name"),
            feature.name(),
            "the name in JSON is the name"
        );
    }
}

#[test]
fn an_ordinary_program_needs_nothing() {
    let report = report(&program(
        "(table 1 funcref) (elem (i32.const 0) $main) (global (mut i32) (i32.const 5))",
        "i32.const 0 i32.const 1 i32.store",
    ));
    assert!(report.runs, "{:?}", report.refused);
    assert_eq!(features(&report), [""; 0]);
    assert_eq!(report.fixed, []);
    assert_eq!((report.functions, report.float_operators), (1, 0));
}

const WASI: &str = r#"
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
"#;

#[test]
fn what_the_profile_fixes_is_counted_and_located() {
    let body = "
        (drop (call $time (i32.const 0) (i64.const 0) (i32.const 0)))
        (drop (call $random (i32.const 0) (i32.const 8)))
        (drop (call $random (i32.const 0) (i32.const 8)))
        (drop (f64.add (f64.const 1) (f64.const 2)))
        (drop (f64.lt (f64.const 1) (f64.const 2)))
        (drop (f32x4.mul (v128.const i64x2 0 0) (v128.const i64x2 0 0)))";
    let report = report(&program(WASI, body));
    assert!(report.runs, "{:?}", report.refused);
    let fixed: Vec<_> = report.fixed.iter().map(|f| (f.what, f.count)).collect();
    assert_eq!(
        fixed,
        [("clock", 1), ("sleep", 0), ("random", 2), ("floats", 2)]
    );
    assert_eq!(report.float_operators, 3);
    let text = program(WASI, body);
    let wasm = Module::load("t.wat", text.as_bytes())
        .expect("it loads")
        .wasm;
    let random = &report.fixed[2].first;
    for location in random {
        assert_eq!(
            wasm[location.offset as usize..][..2],
            [0x10, 1],
            "`call 1` stands at {:#x}",
            location.offset
        );
        let function = location.function.as_ref().expect("it is in a function");
        assert_eq!(
            (function.index, function.name.as_deref()),
            (3, Some("main"))
        );
    }
    assert_eq!(
        wasm[report.fixed[3].first[0].offset as usize], 0xa0,
        "f64.add"
    );
}

#[test]
fn without_a_name_section_functions_have_their_index() {
    let text = r#"(module (memory (export "memory") 1) (func (export "_start")
        (drop (f64.sqrt (f64.const 2)))))"#;
    let report = report(text);
    let function = report.fixed[0].first[0]
        .function
        .clone()
        .expect("it is in one");
    assert_eq!((function.index, function.name), (0, None));
    assert!(report.to_string().contains("in function #0"), "{report}");
}

#[test]
fn unknown_imports_are_refused_each_with_its_reason() {
    let text = r#"(module
        (import "env" "emscripten_resize_heap" (func (param i32) (result i32)))
        (import "wbg" "__wbg_log" (func))
        (import "./app_bg.js" "__wbg_now_57e0" (func))
        (import "wasi" "thread-spawn" (func (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_frobnicate" (func))
        (import "wasi_snapshot_preview1" "sched_yield" (func (param i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
        (import "env" "table" (table 1 funcref))
        (import "env" "memory" (memory 1 1 shared))
        (export "memory" (memory 0))
        (func (export "_start")))"#;
    let report = report(text);
    assert!(!report.runs);
    let missing: Vec<_> = report
        .refused
        .iter()
        .filter(|refusal| refusal.code == "missing-imports")
        .map(|refusal| refusal.message.as_str())
        .collect();
    for (name, reason) in [
        ("env.emscripten_resize_heap", "Emscripten"),
        ("wbg.__wbg_log", "wasm-bindgen"),
        ("./app_bg.js.__wbg_now_57e0", "wasm-bindgen"),
        ("wasi.thread-spawn", "threads"),
        ("wasi_snapshot_preview1.fd_frobnicate", "no such function"),
        ("wasi_snapshot_preview1.sched_yield", "these parameters"),
        ("env.table", "--import-table"),
        ("env.memory", "--import-memory"),
    ] {
        assert!(
            missing
                .iter()
                .any(|m| m.contains(name) && m.contains(reason)),
            "{name}: {missing:?}"
        );
    }
    assert_eq!(missing.len(), 8, "fd_close is there: {missing:?}");
    assert!(codes(&report).contains(&"threads"), "{:?}", codes(&report));
}

#[test]
fn what_is_no_program_is_refused() {
    for (text, code) in [
        (r#"(module (memory (export "memory") 1))"#, "no-start"),
        (
            r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
                (func (export "_start")))"#,
            "no-memory",
        ),
        (
            r#"(module (memory (export "memory") 1) (func (export "_start") (param i32)))"#,
            "bad-start",
        ),
        (
            r#"(module (memory (export "memory") 1) (func (export "_start") i32.const 1))"#,
            "invalid",
        ),
        (
            r#"(module (memory (export "memory") i64 70000) (func (export "_start")))"#,
            "memory-too-big",
        ),
    ] {
        assert_eq!(codes(&report(text)), [code], "{text}");
    }
    let component = lint("c.wasm", b"\0asm\x0d\0\x01\0").expect("it can be read");
    assert_eq!(codes(&component), ["component"]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let wasm = Module::load("t.wat", program("", "").as_bytes())
        .expect("it loads")
        .wasm;
    for end in [9, 12, wasm.len() - 1] {
        let error = lint("cut.wasm", &wasm[..end]).expect_err("it is cut");
        assert!(
            matches!(error, LoadError::Truncated { .. }),
            "{end}: {error}"
        );
    }
    let error = lint("x.wasm", b"PK\x03\x04").expect_err("a zip");
    assert_eq!(error.code(), "not-wasm");
    let error = lint("x.wat", b"(module (fnc))").expect_err("a mistake");
    assert_eq!(error.code(), "bad-text");
}

#[test]
fn names_from_the_module_do_nothing_to_a_terminal() {
    let text = program(
        "(import \"env\" \"\\1b[2J\\07evil\" (func))",
        "(drop (f32.sqrt (f32.const 1)))",
    );
    let shown = report(&text).to_string();
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
        "{shown}"
    );
    assert!(shown.contains(r"\u{1b}[2J\u{7}evil"), "{shown}");
}

#[test]
fn a_function_task_is_recognised() {
    let files = r#"(data (i32.const 64) "input.txt\00output.txt\00")"#;
    let yes = report(&program(&format!("{WASI} {files}"), ""));
    assert!(yes.function_task.likely, "{:?}", yes.function_task);
    assert!(yes.to_string().contains("function task"), "{yes}");
    let no = report(&program(WASI, ""));
    assert!(!no.function_task.likely && !no.function_task.names_input);
}

#[test]
fn json_keeps_its_shape() {
    let text = program(WASI, "(drop (f64.sqrt (f64.const 2)))");
    let json = serde_json::to_value(report(&text)).expect("it is JSON");
    let keys: Vec<_> = json
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let mut expected = vec![
        "version",
        "name",
        "size",
        "sha256",
        "runs",
        "kind",
        "refused",
        "fixed",
        "features",
        "floatOperators",
        "imports",
        "memories",
        "tables",
        "functions",
        "codeBytes",
        "dataBytes",
        "functionTask",
    ];
    expected.sort_unstable();
    let mut keys: Vec<_> = keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(json["kind"], "command");
    assert_eq!(json["memories"][0]["pageBytes"], 65_536);
    assert_eq!(json["fixed"][3]["first"][0]["function"]["name"], "main");
    assert_eq!(json["imports"][0]["kind"], "func");
}

#[test]
fn extreme_modules_are_read_in_linear_time() {
    use std::fmt::Write;
    let mut text = String::from("(module (memory (export \"memory\") 1) (func (export \"_start\")");
    for _ in 0..50_000 {
        text.push_str("(block ");
    }
    text.push_str(&")".repeat(50_000));
    text.push(')');
    for number in 0..100_000 {
        let _ = write!(text, "(func $f{number})");
    }
    text.push(')');
    let wasm = wat_binary(&text);
    let report = lint("deep.wasm", &wasm).expect("it can be read");
    assert!(report.runs, "{:?}", report.refused);
    assert_eq!(report.functions, 100_001);
}

/// As `Module::load` makes it; nested text is too deep for the parser of text, so this is flat.
fn wat_binary(text: &str) -> Vec<u8> {
    let flat =
        text.replace("(block ", "block ")
            .replacen(&")".repeat(50_000), &"end ".repeat(50_000), 1);
    let module = Module::load("deep.wat", flat.as_bytes()).expect("it loads");
    module.wasm.to_vec()
}
