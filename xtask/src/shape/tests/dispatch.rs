use super::super::{MANY, dispatch, rewrite};
use super::Instance;

/// An interpreter with more than [`MANY`] operators: each is a code of 16 bits and a byte that it adds, times its own number;
/// code 0 ends it. What is here is WebAssembly's text.
pub struct Interpreter<'a> {
    /// Where the first code comes from.
    pub first: &'a str,
    /// What comes right before the loop.
    pub before: &'a str,
    /// What the loop does first.
    pub head: &'a str,
    /// What operators do besides, by their code.
    pub more: &'a [(u32, &'a str)],
    /// How operator 1 goes on.
    pub tail: &'a str,
}

/// How an operator goes on to the next.
const USUAL: &str =
    "local.get $ip i32.const 3 i32.add local.tee $ip i32.load16_u local.set $code br $next";

/// The same, another way.
const APART: &str = "local.get $ip i32.const 3 i32.add local.set $ip local.get $ip i32.load16_u local.set $code br $next";

/// One that is shaped.
pub const GOOD: Interpreter<'static> = Interpreter {
    first: "$from",
    before: "",
    head: "",
    more: &[],
    tail: APART,
};

impl Interpreter<'_> {
    pub fn text(&self) -> String {
        let Self {
            first,
            before,
            head,
            more,
            tail,
        } = self;
        let count = MANY + 2;
        let mut text = format!(
            "(module (memory (export \"memory\") 1)
               (func $run (export \"run\") (param $from i32) (result i64)
                 (local $code i32) (local $ip i32) (local $sum i64) (local $scrap i32) (local $f f32) (local $d f64) (local $n i32)
                 block $end
                 local.get {first} i32.load16_u local.set $code
                 local.get $from local.set $ip
                 i64.const 0 local.set $sum {before}
                 loop $next {head}\n"
        );
        for code in (0..count).rev() {
            text += &format!("block ${code} ");
        }
        text += "local.get $code i32.const 65535 i32.and br_table ";
        for code in 0..count {
            text += &format!("${code} ");
        }
        text += "end local.get $sum return\n";
        for code in 1..count {
            // An operator that leaves a local undefined on one way, as LLVM does.
            let scrap = match code % 3 {
                0 => {
                    "local.get $ip i32.load8_u offset=2 i32.const 7 i32.and if i32.const 5 local.set $scrap end
                     local.get $ip i32.load8_u offset=2 i32.const 7 i32.and
                     if local.get $sum local.get $scrap i64.extend_i32_u i64.add local.set $sum end"
                }
                _ => "",
            };
            let more = more.iter().find(|(of, _)| *of == code);
            let more = more.map_or("", |(_, more)| more);
            let tail = if code == 1 { tail } else { USUAL };
            text += &format!(
                "end {scrap} {more}
                 local.get $sum local.get $ip i64.load8_u offset=2 i64.const {code} i64.mul i64.add local.set $sum {tail}\n"
            );
        }
        text + "end end i64.const -1))"
    }
}

fn shaped(text: &str) -> anyhow::Result<Vec<u8>> {
    rewrite(&wat::parse_str(text).unwrap(), dispatch::shape)
}

#[test]
fn an_interpreter_with_the_code_loaded_at_the_head_does_the_same() {
    let text = GOOD.text();
    let wasm = wat::parse_str(&text).unwrap();
    let shaped = shaped(&text).unwrap();
    let loads = |wasm: &[u8]| {
        let mut loads = 0;
        rewrite(wasm, |function| {
            let load = |of: &&wasmparser::Operator<'_>| {
                matches!(of, wasmparser::Operator::I32Load16U { .. })
            };
            loads += function.operators.iter().filter(load).count();
            Ok(())
        })
        .unwrap();
        loads
    };
    assert_eq!(loads(&wasm), MANY as usize + 2);
    assert_eq!(loads(&shaped), 2, "before the loop and at its head");
    let (mut before, mut after) = (Instance::new(&wasm), Instance::new(&shaped));
    let mut state = 1_u32;
    let mut expected = 0;
    for at in 0..20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (code, byte) = (1 + (state >> 8) % (MANY + 1), (state >> 24) as u8);
        for instance in [&mut before, &mut after] {
            let place = &mut instance.memory()[3 * at..][..3];
            place[..2].copy_from_slice(&(code as u16).to_le_bytes());
            place[2] = byte;
        }
        expected += i64::from(code) * i64::from(byte);
        expected += if code % 3 == 0 && byte % 8 != 0 { 5 } else { 0 };
    }
    assert_eq!(before.call::<i32, i64>(0), expected);
    assert_eq!(after.call::<i32, i64>(0), expected);
}

#[test]
fn a_local_that_carries_nothing_is_forgotten() {
    let shaped = shaped(&GOOD.text()).unwrap();
    let mut zeroed = Vec::new();
    rewrite(&shaped, |function| {
        let head = function
            .operators
            .iter()
            .position(|operator| matches!(operator, wasmparser::Operator::Loop { .. }))
            .unwrap();
        zeroed = function.operators[head + 1..head + 3]
            .iter()
            .map(|operator| format!("{operator:?}"))
            .collect();
        Ok(())
    })
    .unwrap();
    assert_eq!(
        zeroed,
        ["I32Const { value: 0 }", "LocalSet { local_index: 4 }"]
    );
}

/// Why an interpreter is not shaped.
fn refused(interpreter: &Interpreter<'_>) -> String {
    format!("{:#}", shaped(&interpreter.text()).unwrap_err())
}

#[test]
fn what_is_not_as_known_is_refused() {
    let with_tail = |tail| Interpreter { tail, ..GOOD };
    for (interpreter, error) in [
        (
            with_tail("local.get $ip i32.const 3 i32.add local.set $ip br $next"),
            "a handler does not end with the load of a code",
        ),
        (
            with_tail("local.get $from i32.load16_u local.set $code br $next"),
            "a handler ends with the load of something else",
        ),
        (
            with_tail("local.get $ip i32.load16_u offset=3 local.set $code br $next"),
            "a handler ends with the load of something else",
        ),
        (
            Interpreter {
                head: "local.get $ip i32.const 1 i32.add local.set $ip",
                ..GOOD
            },
            "the loop's head changes where the operators are",
        ),
        (
            Interpreter {
                first: "$scrap br_if $end local.get $from",
                ..GOOD
            },
            "the first operator's code is not what the pointer points to",
        ),
        (
            Interpreter {
                first: "$scrap",
                ..GOOD
            },
            "the first operator's code is not what the pointer points to",
        ),
        (
            with_tail(
                "local.get $code i64.extend_i32_u local.set $sum local.get $ip i32.const 3 i32.add local.tee $ip
                 i32.load16_u local.set $code br $next",
            ),
            "a handler reads the code of the operator before",
        ),
    ] {
        assert_eq!(refused(&interpreter), error);
    }
}

#[test]
fn a_head_that_may_change_memory_is_refused() {
    for (head, what) in [
        ("i32.const 0 i32.const 0 i32.store", "I32Store"),
        ("local.get $from call $run drop", "Call"),
        ("i32.const 1 memory.grow drop", "MemoryGrow"),
    ] {
        let error = refused(&Interpreter { head, ..GOOD });
        let begins = format!("the loop's head may change what is loaded: {what}");
        assert!(error.starts_with(&begins), "{error}");
    }
    let head = "i32.const 1 local.set $scrap";
    shaped(&Interpreter { head, ..GOOD }.text()).unwrap();
}

#[test]
fn memory_that_may_change_before_the_loop_is_refused() {
    for (before, what) in [
        ("i32.const 0 i32.const 0 i32.store", "I32Store"),
        ("local.get $from call $run drop", "Call"),
        ("i32.const 1 memory.grow drop", "MemoryGrow"),
    ] {
        let error = refused(&Interpreter { before, ..GOOD });
        let begins = format!(
            "between the first operator's code and the loop something may change it: {what}"
        );
        assert!(error.starts_with(&begins), "{error}");
    }
    // Before the first code is loaded, anything may happen.
    let first = "$from call $run drop local.get $from";
    shaped(&Interpreter { first, ..GOOD }.text()).unwrap();
}

#[test]
fn a_local_that_carries_something_is_not_forgotten() {
    // One operator's local is read by another; a count; and what an operator reads first and sets only then.
    let reads = "local.get $sum local.get $scrap i64.extend_i32_u i64.add local.set $sum";
    let counts = "local.get $scrap i32.const 1 i32.add local.set $scrap";
    let late = &format!("{reads} i32.const 7 local.set $scrap");
    for more in [
        &[(1, "i32.const 7 local.set $scrap"), (2, reads)][..],
        &[(2, counts)],
        &[(2, late)],
    ] {
        let error = refused(&Interpreter { more, ..GOOD });
        assert!(error.starts_with("the handler at operator "), "{error}");
        let ends = "which it has not set: what another handler left there would be forgotten";
        assert!(
            error.contains(" reads local 4 (operator ") && error.ends_with(ends),
            "{error}"
        );
    }
    let error = refused(&Interpreter {
        head: "local.get $scrap local.set $from",
        ..GOOD
    });
    assert!(
        error.starts_with("the loop's head reads local 4 (operator "),
        "{error}"
    );
}

#[test]
fn a_local_that_a_handler_sets_on_one_way_is_forgotten() {
    // In one turn of a loop for the next.
    let turns = "loop $turns
        local.get $ip i32.load8_u offset=2
        if local.get $scrap drop else i32.const 1 local.set $scrap br $turns end
      end";
    let more = &[(2, turns)];
    shaped(&Interpreter { more, ..GOOD }.text()).unwrap();
}
