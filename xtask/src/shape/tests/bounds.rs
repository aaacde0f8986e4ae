use super::super::{bounds, rewrite};
use super::Instance;

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
             (local $sum i64) (local $low i32) (local $pointer i32)
             block $outside
               local.get $address local.get $pointer i64.load16_u offset=4 i64.add local.tee $sum
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

/// How many checks of a function are merged. `sum` is what adds the offset to the address, `first` where the first branch goes,
/// `second` the length that is looked at in the end.
fn found(sum: &str, first: &str, second: &str) -> usize {
    let text = format!(
        "(module (memory 1)
           (func (param $address i64) (param $length i32) (param $other i32) (param $second i64)
             (local $sum i64) (local $low i32)
             block $outside block $elsewhere
               {sum} local.tee $sum
               local.get $address i64.lt_u br_if {first}
               local.get $sum i64.const 4294967295 i64.gt_u br_if $outside
               local.get $length local.get $sum i32.wrap_i64 local.tee $low i32.lt_u br_if $outside
               local.get {second} local.get $low i32.sub i32.const 3 i32.le_u br_if $outside
             end end))"
    );
    let mut found = 0;
    rewrite(&wat::parse_str(text).unwrap(), |function| {
        found += bounds::merge(function);
        Ok(())
    })
    .unwrap();
    found
}

const SUM: &str = "local.get $address local.get $other i64.load16_u offset=4 i64.add";

#[test]
fn a_check_of_something_else_is_left_alone() {
    assert_eq!(found(SUM, "$outside", "$length"), 1);
    // A branch to another place, another length.
    assert_eq!(found(SUM, "$elsewhere", "$length"), 0);
    assert_eq!(found(SUM, "$outside", "$other"), 0);
}

#[test]
fn a_check_of_another_sum_is_left_alone() {
    let tee =
        "i32.const 8 i64.load local.tee $address local.get $other i64.load16_u offset=4 i64.add";
    assert_eq!(found(tee, "$outside", "$length"), 1);
    for sum in [
        // An offset that may have more bits.
        "local.get $address local.get $other i64.load i64.add",
        // The address that is compared is another one, or may have been changed meanwhile.
        "local.get $second local.get $other i64.load16_u i64.add",
        "i32.const 8 i64.load local.tee $second local.get $other i64.load16_u i64.add",
        "i32.const 8 i64.load local.get $other i64.load16_u i64.add",
        "local.get $address local.get $second local.tee $address i32.wrap_i64 i64.load16_u i64.add",
        "local.get $address i64.const 1 local.set $address local.get $other i64.load16_u i64.add",
        // The address is what the pointer is made of, and something else is added.
        "local.get $second local.get $address i32.wrap_i64 i64.load16_u i64.add",
    ] {
        assert_eq!(found(sum, "$outside", "$length"), 0, "{sum}");
    }
}

#[test]
fn another_number_of_checks_is_refused() {
    let with = |count: usize| {
        let check = format!(
            "block $outside {SUM} local.tee $sum
             local.get $address i64.lt_u br_if $outside
             local.get $sum i64.const 4294967295 i64.gt_u br_if $outside
             local.get $length local.get $sum i32.wrap_i64 local.tee $low i32.le_u br_if $outside end\n"
        );
        let text = format!(
            "(module (memory 1) (func (param $address i64) (param $length i32) (param $other i32) (local $sum i64) (local $low i32) {}))",
            check.repeat(count)
        );
        rewrite(&wat::parse_str(text).unwrap(), bounds::shape)
    };
    let checks = bounds::CHECKS;
    with(checks).unwrap();
    for count in [checks - 1, checks + 1] {
        assert_eq!(
            with(count).unwrap_err().to_string(),
            format!(
                "{count} loads and stores look as known whether they are within memory, instead of {checks}"
            )
        );
    }
}
