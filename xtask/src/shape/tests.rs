use super::{MANY, bounds, dispatch, rewrite, shape, zeroing};
use wasmi::{Engine, Linker, Module, Store, TypedFunc};

/// An instance of a module, and what it has in memory.
struct Instance {
    store: Store<()>,
    instance: wasmi::Instance,
}

impl Instance {
    fn new(wasm: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate_and_start(&mut store, &module)
            .unwrap();
        Self { store, instance }
    }

    fn call<P: wasmi::WasmParams, R: wasmi::WasmResults>(&mut self, params: P) -> R {
        let run: TypedFunc<P, R> = self.instance.get_typed_func(&self.store, "run").unwrap();
        run.call(&mut self.store, params).unwrap()
    }

    fn memory(&mut self) -> &mut [u8] {
        let memory = self.instance.get_memory(&self.store, "memory").unwrap();
        memory.data_mut(&mut self.store)
    }
}

/// wasmi's check, with all its comparisons.
fn is_within(address: u64, offset: u16, length: u32, last: u32) -> bool {
    let Some(sum) = address.checked_add(offset.into()) else {
        return false;
    };
    let Ok(start) = u32::try_from(sum) else {
        return false;
    };
    start <= length && length - start > last
}

/// Numbers at which something may turn.
fn edges() -> Vec<u64> {
    let turns = [
        0,
        1 << 16,
        1 << 31,
        1 << 32,
        1 << 33,
        1 << 63,
        65_535,
        131_072,
    ];
    let mut all: Vec<u64> = turns
        .iter()
        .flat_map(|turn: &u64| (0..20).map(|by| turn.wrapping_add(by).wrapping_sub(10)))
        .collect();
    all.extend((0..20).map(|by| {
        (1_u64 << 32)
            .wrapping_sub(65_535)
            .wrapping_add(by)
            .wrapping_sub(10)
    }));
    all.extend((0..20).map(|by| 0_u64.wrapping_sub(65_535).wrapping_add(by).wrapping_sub(10)));
    all
}

const OFFSETS: [u16; 8] = [0, 1, 7, 8, 255, 65_527, 65_534, 65_535];
const LENGTHS: [u32; 9] = [
    0,
    1,
    7,
    8,
    65_536,
    131_072,
    1 << 31,
    u32::MAX - 65_535,
    u32::MAX,
];

/// A function that makes a check as wasmi's handlers do, and returns where in memory it is or -1.
fn checking(last: u32) -> Vec<u8> {
    let compare = match last {
        0 => "i32.le_u br_if $outside".to_owned(),
        _ => format!(
            "i32.lt_u br_if $outside
             local.get $length local.get $low i32.sub i32.const {last} i32.le_u br_if $outside"
        ),
    };
    let text = format!(
        "(module (memory (export \"memory\") 1)
           (func (export \"run\") (param $address i64) (param $length i32) (result i32)
             (local $sum i64) (local $low i32)
             block $outside
               local.get $address i32.const 4 i64.load16_u i64.add local.tee $sum
               local.get $address i64.lt_u br_if $outside
               local.get $sum i64.const 4294967295 i64.gt_u br_if $outside
               local.get $length local.get $sum i32.wrap_i64 local.tee $low {compare}
               local.get $low return
             end
             i32.const -1))"
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn two_comparisons_are_the_four() {
    for last in [0, 1, 3, 7, 15] {
        let wasm = checking(last);
        let mut found = 0;
        let merged = rewrite(&wasm, |function| {
            found += bounds::merge(function);
            Ok(())
        })
        .unwrap();
        assert_eq!(found, 1, "{last}");
        assert_ne!(merged, wasm);
        let (mut before, mut after) = (Instance::new(&wasm), Instance::new(&merged));
        for offset in OFFSETS {
            for instance in [&mut before, &mut after] {
                instance.memory()[4..6].copy_from_slice(&offset.to_le_bytes());
            }
            for length in LENGTHS {
                for address in edges() {
                    let params = (address as i64, length as i32);
                    let at: i32 = before.call(params);
                    let what = format!("{address:#x} + {offset} of {length}, {last}");
                    assert_eq!(at, after.call::<_, i32>(params), "{what}");
                    let within = is_within(address, offset, length, last);
                    // -1 is also the last byte of 4 GiB, which none of these accesses can begin at with another after it.
                    if last > 0 {
                        assert_eq!(at != -1, within, "{what}");
                    }
                    assert_eq!(
                        bounds::within(address, offset, length, last),
                        within,
                        "{what}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_check_of_something_else_is_left_alone() {
    // A branch to another place, another length, an offset that may have more bits.
    let text = "(module (memory 1)
        (func (param $address i64) (param $length i32) (param $other i32) (local $sum i64) (local $low i32)
          block $outside block $elsewhere
            local.get $address i32.const 4 OFFSET i64.add local.tee $sum
            local.get $address i64.lt_u br_if FIRST
            local.get $sum i64.const 4294967295 i64.gt_u br_if $outside
            local.get $length local.get $sum i32.wrap_i64 local.tee $low i32.lt_u br_if $outside
            local.get SECOND local.get $low i32.sub i32.const 3 i32.le_u br_if $outside
          end end))";
    let found = |offset: &str, first: &str, second: &str| {
        let text = text
            .replace("OFFSET", offset)
            .replace("FIRST", first)
            .replace("SECOND", second);
        let mut found = 0;
        rewrite(&wat::parse_str(text).unwrap(), |function| {
            found += bounds::merge(function);
            Ok(())
        })
        .unwrap();
        found
    };
    assert_eq!(found("i64.load16_u", "$outside", "$length"), 1);
    assert_eq!(found("i64.load", "$outside", "$length"), 0);
    assert_eq!(found("i64.load16_u", "$elsewhere", "$length"), 0);
    assert_eq!(found("i64.load16_u", "$outside", "$other"), 0);
}

#[test]
fn zeroes_are_written_where_memory_fill_would() {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "run") (param $at i32) (param $length i32)
          local.get $at i32.const 0 local.get $length memory.fill))"#;
    let wasm = wat::parse_str(text).unwrap();
    let mut found = 0;
    let replaced = rewrite(&wasm, |function| {
        found += zeroing::replace(function);
        Ok(())
    })
    .unwrap();
    assert_eq!(found, 1);
    for length in [0, 1, 7, 8, 9, 16, 504, 512, 513, 520, 1000] {
        for at in [0, 8, 13, 65_536 - length] {
            let (mut before, mut after) = (Instance::new(&wasm), Instance::new(&replaced));
            for instance in [&mut before, &mut after] {
                instance.memory().fill(0xa5);
                instance.call::<_, ()>((at, length));
            }
            assert!(before.memory() == after.memory(), "{length} at {at}");
            let zeroes = after.memory().iter().filter(|&&byte| byte == 0).count();
            assert_eq!(zeroes, length as usize);
        }
    }
}

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

#[test]
fn a_module_without_an_interpreter_is_refused() {
    let error = shape(&wat::parse_str("(module (func))").unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0 functions look like the interpreter's loop, instead of one (xtask/src/shape)"
    );
}
