;; Computes for ever, with a call now and then, through blocks, a table of branches, and bulk operators.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (type $mix (func (param i32) (result i32)))
  (table funcref (elem $one $two $three))
  (func $one (type $mix) (i32.add (local.get 0) (i32.const 1)))
  (func $two (type $mix) (i32.mul (local.get 0) (i32.const 3)))
  (func $three (type $mix) (i32.rotl (local.get 0) (i32.const 5)))
  (func (export "_start") (local $x i32)
    (local.set $x (i32.const 1))
    (loop $ever
      (local.set $x (call_indirect (type $mix) (local.get $x) (i32.rem_u (local.get $x) (i32.const 3))))
      (block $c (block $b (block $a
        (br_table $a $b $c (i32.and (local.get $x) (i32.const 3))))
        (memory.fill (i32.const 256) (local.get $x) (i32.and (local.get $x) (i32.const 255))))
        (memory.copy (i32.const 1024) (i32.const 256) (i32.const 77)))
      (if (i32.eqz (i32.and (local.get $x) (i32.const 63)))
        (then (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0)))))
      (br $ever))))
