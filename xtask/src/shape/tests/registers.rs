use super::super::function::{Flow, Function};
use super::super::{MANY, dispatch, registers, rewrite};
use super::Instance;
use super::dispatch::{GOOD, Interpreter};
use wasmparser::Operator;

fn shaped(interpreter: &Interpreter<'_>) -> anyhow::Result<Vec<u8>> {
    rewrite(&wat::parse_str(interpreter.text()).unwrap(), |function| {
        dispatch::shape(function)?;
        registers::shape(function)
    })
}

/// What operators do besides in an interpreter that carries a value of each type, in which each shows. Most of them read both
/// floats.
fn floats() -> Vec<(u32, &'static str)> {
    let mut all = vec![
        (
            2,
            "local.get $f f32.const 1.5 f32.mul f32.const 1e9 f32.min local.set $f
             local.get $n i32.const 3 i32.mul local.set $n",
        ),
        (
            3,
            "local.get $d local.get $f f64.promote_f32 f64.sub local.set $d",
        ),
    ];
    let shown = "local.get $sum local.get $d i64.reinterpret_f64 i64.xor
                 local.get $f i32.reinterpret_f32 i64.extend_i32_u i64.add
                 local.get $n i64.extend_i32_u i64.add local.set $sum";
    all.extend((4..MANY / 2).map(|code| (code, shown)));
    all
}

/// The interpreter.
fn four<'a>(more: &'a [(u32, &'a str)]) -> Interpreter<'a> {
    Interpreter {
        before: "f32.const 1 local.set $f f64.const 3 local.set $d i32.const 5 local.set $n",
        more,
        ..GOOD
    }
}

#[test]
fn an_interpreter_whose_variables_are_kept_in_registers_does_the_same() {
    let more = floats();
    let wasm = wat::parse_str(four(&more).text()).unwrap();
    let shaped = shaped(&four(&more)).unwrap();
    let (mut before, mut after) = (Instance::new(&wasm), Instance::new(&shaped));
    let mut state = 5_u32;
    let mut others = 0;
    for at in 0..20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // All that have a target, those of floats more often, and some that only the default is for.
        let code = match state >> 28 {
            0 => 2,
            1 => 3,
            2 => {
                others += 1;
                MANY + 1 + (state >> 8) % 60_000
            }
            _ => 1 + (state >> 8) % (MANY + 1),
        };
        for instance in [&mut before, &mut after] {
            let place = &mut instance.memory()[3 * at..][..3];
            place[..2].copy_from_slice(&(code as u16).to_le_bytes());
            place[2] = (state >> 20) as u8;
        }
    }
    assert!(others > 1000, "{others}");
    let expected: i64 = before.call(0);
    assert_ne!(expected, 0);
    assert_eq!(after.call::<i32, i64>(0), expected);
}

/// The interpreter's table: where it is, and what it says.
fn table(function: &Function<'_>) -> (usize, Vec<u32>, u32) {
    let is_table = |operator: &Operator<'_>| matches!(operator, Operator::BrTable { .. });
    let at = function.operators.iter().position(is_table).unwrap();
    let Operator::BrTable { targets } = &function.operators[at] else {
        unreachable!()
    };
    let all = targets.targets().map(Result::unwrap).collect();
    (at, all, targets.default())
}

#[test]
fn what_is_carried_and_often_read_is_read_on_the_way_to_the_default() {
    let mut looked = false;
    rewrite(&shaped(&four(&floats())).unwrap(), |function| {
        let (at, all, default) = table(function);
        assert_eq!(default, 0);
        assert!(!all.contains(&0), "no code goes there");
        assert_eq!(all.len() as u32, MANY + 1);

        let rest = &function.operators[at + 1..];
        let text: Vec<String> = rest.iter().take(60).map(|it| format!("{it:?}")).collect();
        assert_eq!(text[0], "End");
        let branch = text.iter().position(|it| it.starts_with("If ")).unwrap();
        // The pointer, the sum, the floats and the count; not what is forgotten.
        for (local, read) in [
            (1, false),
            (2, true),
            (3, true),
            (4, false),
            (5, true),
            (6, true),
            (7, true),
        ] {
            let get = format!("LocalGet {{ local_index: {local} }}");
            assert_eq!(text[..branch].contains(&get), read, "{local}: {text:?}");
        }
        for add in ["F32Add", "F64Add"] {
            assert!(text[..branch].contains(&add.to_owned()), "{add}: {text:?}");
        }
        // It would go on with the next operator, and goes where the default went: to the last handler.
        assert_eq!(
            text[branch + 1..branch + 5],
            [
                "LocalGet { local_index: 2 }",
                "I32Const { value: 2 }",
                "I32Add",
                "LocalSet { local_index: 2 }"
            ]
        );
        assert!(text[branch + 5].starts_with("Br {"), "{text:?}");
        assert_eq!(text[branch + 6], "End");
        assert!(text[branch + 7].starts_with("Br {"), "{text:?}");
        let flow = Flow::of(&function.operators).unwrap();
        let head = flow.loop_around(at).unwrap();
        assert_eq!(flow.after[at + 1 + branch + 5], [head]);
        let [to] = flow.after[at + 1 + branch + 7][..] else {
            panic!("a branch with one target");
        };
        let last = Operator::I64Const {
            value: i64::from(MANY) + 1,
        };
        let handler = function.operators[to..].split(|it| matches!(it, Operator::Br { .. }));
        let handler = handler.into_iter().next().unwrap();
        assert!(handler.contains(&last), "{handler:?}");
        looked = true;
        Ok(())
    })
    .unwrap();
    assert!(looked);
}

#[test]
fn variables_of_32_bits_start_as_sums() {
    let mut before = Vec::new();
    rewrite(&shaped(&four(&floats())).unwrap(), |function| {
        let is_loop = |operator: &Operator<'_>| matches!(operator, Operator::Loop { .. });
        let at = function.operators.iter().position(is_loop).unwrap();
        let last = function.operators[at - 12..at].iter();
        before = last.map(|operator| format!("{operator:?}")).collect();
        Ok(())
    })
    .unwrap();
    let sum = |local: u32| {
        [
            &format!("LocalGet {{ local_index: {local} }}"),
            "LocalGet { local_index: 0 }",
            "I32Sub",
            "LocalGet { local_index: 0 }",
            "I32Add",
            &format!("LocalSet {{ local_index: {local} }}"),
        ]
        .map(str::to_owned)
    };
    assert_eq!(
        before,
        [sum(2), sum(7)].concat(),
        "the pointer and the count"
    );
}

#[test]
fn without_a_parameter_that_stays_as_it_is_there_is_no_sum() {
    let more = [(2, "local.get $ip local.set $from")];
    let error = shaped(&four(&more)).unwrap_err();
    assert_eq!(format!("{error:#}"), "no parameter that stays as it is");
}

#[test]
fn what_few_handlers_read_is_not_read_first() {
    let more = &floats()[..20];
    let mut first = String::new();
    rewrite(&shaped(&four(more)).unwrap(), |function| {
        let rest = &function.operators[table(function).0 + 1..];
        let end = rest.iter().position(|it| matches!(it, Operator::If { .. }));
        first = format!("{:?}", &rest[..end.unwrap()]);
        Ok(())
    })
    .unwrap();
    for (local, read) in [(2, true), (3, true), (5, false), (6, false), (7, false)] {
        let get = format!("LocalGet {{ local_index: {local} }}");
        assert_eq!(first.contains(&get), read, "{local}: {first}");
    }
}
