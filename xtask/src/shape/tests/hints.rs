use super::super::hints::hint;
use super::super::{dispatch, has_loop_over_many, registers, rewrite};
use super::dispatch::{GOOD, Interpreter};
use wasmparser::{KnownCustom, Parser, Payload};

/// What is hinted in a module: the operator, and whether its branch is likely.
fn hints(wasm: &[u8]) -> Vec<(String, u32, bool)> {
    let mut hinted = Vec::new();
    let mut found = Vec::new();
    let mut bodies = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            Payload::CustomSection(section) => {
                if let KnownCustom::BranchHints(reader) = section.as_known() {
                    for function in reader {
                        let function = function.unwrap();
                        for hint in function.hints {
                            let hint = hint.unwrap();
                            hinted.push((function.func, hint.func_offset, hint.taken));
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let start = body.range().start;
                for operator in body
                    .get_operators_reader()
                    .unwrap()
                    .into_iter_with_offsets()
                {
                    let (operator, at) = operator.unwrap();
                    for (function, offset, taken) in &hinted {
                        // One import is a function.
                        if (*function, u64::from(*offset)) == (bodies + 1, at - start) {
                            found.push((format!("{operator:?}"), *function, *taken));
                        }
                    }
                }
                bodies += 1;
            }
            _ => {}
        }
    }
    assert_eq!(found.len(), hinted.len(), "all are at an operator");
    assert!(hinted.is_sorted(), "as the specification wants them");
    found
}

/// An interpreter in which four operators do something besides, after an import and a function that is none.
fn interpreter(more: &[(u32, &str)]) -> Vec<u8> {
    let text = Interpreter { more, ..GOOD }.text();
    let text = text.replacen(
        "(module ",
        "(module (import \"m\" \"g\" (global i32)) (import \"m\" \"slow\" (func $slow)) (table 1 funcref)
         (func (param i32) local.get 0 if call $slow end) ",
        1,
    );
    rewrite(&wat::parse_str(text).unwrap(), |function| {
        if !has_loop_over_many(function) {
            return Ok(());
        }
        dispatch::shape(function)?;
        registers::shape(function)
    })
    .unwrap()
}

#[test]
fn branches_to_calls_and_out_of_the_loop_are_unlikely() {
    let plain = hints(&hint(&interpreter(&[])).unwrap());
    // Handlers come back whichever way they take; nothing else is looked at.
    assert_eq!(plain, []);
    let value = "local.get $ip i32.load8_u offset=2";
    let calls = format!("{value} if call $slow end");
    let else_calls = format!("{value} if else call $slow end");
    let leaves = format!("{value} br_if $end");
    let stays =
        format!("{value} if i32.const 1 local.set $scrap else i32.const 2 local.set $scrap end");
    let grows = format!("{value} if i32.const 0 memory.grow drop end");
    let indirect = format!("{value} if i32.const 0 call_indirect end");
    let fills = format!("{value} if i32.const 0 i32.const 0 i32.const 0 memory.fill end");
    let copies = format!("{value} if i32.const 0 i32.const 0 i32.const 0 memory.copy end");
    let both = format!("{value} if call $slow else call $slow end");
    let wasm = interpreter(&[
        (1, &calls),
        (2, &else_calls),
        (4, &leaves),
        (5, &stays),
        (7, &grows),
        (8, &both),
        (10, &indirect),
        (11, &fills),
        (13, &copies),
    ]);
    let found = hints(&hint(&wasm).unwrap());
    let found: Vec<_> = found
        .iter()
        .map(|(operator, function, taken)| (operator.split(' ').next().unwrap(), *function, *taken))
        .collect();
    assert_eq!(
        found,
        [
            ("If", 2, false),
            ("If", 2, true),
            ("BrIf", 2, false),
            ("If", 2, false),
            ("If", 2, false),
            ("If", 2, false),
            ("If", 2, false)
        ]
    );
}

#[test]
fn the_code_stays_as_it_is() {
    let wasm = interpreter(&[]);
    let hinted = hint(&wasm).unwrap();
    let code = |wasm: &[u8]| {
        let mut all = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            if let Payload::CodeSectionEntry(body) = payload.unwrap() {
                all.push(body.as_bytes().to_vec());
            }
        }
        all
    };
    assert_eq!(code(&wasm), code(&hinted));
    wasmparser::Validator::new().validate_all(&hinted).unwrap();
    let again = hint(&hinted).unwrap_err();
    assert_eq!(again.to_string(), "there are hints already");
    let none = hint(&wat::parse_str("(module (func))").unwrap()).unwrap_err();
    assert_eq!(
        none.to_string(),
        "no function looks like the interpreter's loop"
    );
}
