;; Calls itself for ever, by turns through functions with small and large frames.
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (func $small (param $x i64) (result i64)
    (i64.add (i64.const 1) (call $large (local.get $x) (i64.const 2) (i64.const 3))))
  (func $large (param $x i64) (param i64 i64) (result i64) (local v128 v128 f64 f32)
    (if (i64.eqz (i64.rem_u (local.get $x) (i64.const 64))) (then (drop (call $yield))))
    (i64.mul (local.get 1) (call $small (i64.add (local.get $x) (i64.const 1)))))
  (func (export "_start") (drop (call $small (i64.const 0)))))
