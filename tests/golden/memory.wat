;; Grows its memory for ever, a page more each time, and never looks whether it did.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $by i32)
    (loop $more
      (drop (memory.grow (local.get $by)))
      (drop (call $random (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 3)) (i32.const 3)))
      (local.set $by (i32.add (local.get $by) (i32.const 1)))
      (br $more))))
