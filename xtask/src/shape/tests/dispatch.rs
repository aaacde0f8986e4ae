use super::super::{MANY, dispatch, rewrite};
use super::Instance;

/// An interpreter with more than [`MANY`] operators: each is a code of 16 bits and a byte that it adds, times its own number;
/// code 0 ends it. `tail` is how operator 1 goes on, `head` what the loop does first, `first` where the first code comes from.
fn interpreter(tail: &str, head: &str, first: &str) -> String {
    let count = MANY + 2;
    let mut text = format!(
        "(module (memory (export \"memory\") 1)
           (func (export \"run\") (param $from i32) (result i64)
             (local $code i32) (local $ip i32) (local $sum i64) (local $scrap i32)
             block $end
             local.get {first} i32.load16_u local.set $code
             local.get $from local.set $ip
             i64.const 0 local.set $sum
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
        let usual =
            "local.get $ip i32.const 3 i32.add local.tee $ip i32.load16_u local.set $code br $next";
        // An operator that leaves a local undefined on one way, as LLVM does.
        let scrap = match code % 3 {
            0 => "local.get $ip i32.load8_u offset=2 i32.const 7 i32.and if i32.const 5 local.set $scrap end
                  local.get $ip i32.load8_u offset=2 i32.const 7 i32.and
                  if local.get $sum local.get $scrap i64.extend_i32_u i64.add local.set $sum end",
            _ => "",
        };
        let tail = if code == 1 { tail } else { usual };
        text += &format!(
            "end {scrap}
             local.get $sum local.get $ip i64.load8_u offset=2 i64.const {code} i64.mul i64.add local.set $sum {tail}\n"
        );
    }
    text + "end end i64.const -1))"
}

const USUAL: &str = "local.get $ip i32.const 3 i32.add local.set $ip local.get $ip i32.load16_u local.set $code br $next";

fn shaped(text: &str) -> anyhow::Result<Vec<u8>> {
    rewrite(&wat::parse_str(text).unwrap(), dispatch::shape)
}

#[test]
fn an_interpreter_with_the_code_loaded_at_the_head_does_the_same() {
    let text = interpreter(USUAL, "", "$from");
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
    let shaped = shaped(&interpreter(USUAL, "", "$from")).unwrap();
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

#[test]
fn what_is_not_as_known_is_refused() {
    let refused = |text: String| format!("{:#}", shaped(&text).unwrap_err());
    for (text, error) in [
        (
            interpreter("local.get $ip i32.const 3 i32.add local.set $ip br $next", "", "$from"),
            "a handler does not end with the load of a code",
        ),
        (
            interpreter("local.get $from i32.load16_u local.set $code br $next", "", "$from"),
            "a handler ends with the load of something else",
        ),
        (
            interpreter("local.get $ip i32.load16_u offset=3 local.set $code br $next", "", "$from"),
            "a handler ends with the load of something else",
        ),
        (
            interpreter(USUAL, "local.get $ip i32.const 1 i32.add local.set $ip", "$from"),
            "the loop's head changes where the operators are",
        ),
        (
            interpreter(USUAL, "", "$scrap br_if $end local.get $from"),
            "the first operator's code is not what the pointer points to",
        ),
        (
            interpreter(USUAL, "", "$scrap"),
            "the first operator's code is not what the pointer points to",
        ),
        (
            interpreter(
                "local.get $code i64.extend_i32_u local.set $sum local.get $ip i32.const 3 i32.add local.tee $ip
                 i32.load16_u local.set $code br $next",
                "",
                "$from",
            ),
            "a handler reads the code of the operator before",
        ),
    ] {
        assert_eq!(refused(text), error);
    }
}
