use super::super::{rewrite, zeroing};
use super::Instance;

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
