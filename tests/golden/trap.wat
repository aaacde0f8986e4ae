;; Divides by zero in the middle of a block, some calls deep and some rounds into a loop.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\03\00\00\00")
  (data (i32.const 16) "ok\n")
  (func $quotient (param $depth i32) (param $by i32) (result i32) (local $sum i32)
    (if (local.get $depth)
      (then (return (call $quotient (i32.sub (local.get $depth) (i32.const 1)) (local.get $by)))))
    (local.set $sum (i32.add (local.get $by) (i32.const 5)))
    (i32.store (i32.const 64) (local.get $sum))
    (i32.add (i32.div_s (i32.const 100) (local.get $by)) (local.get $sum)))
  (func (export "_start") (local $by i32)
    (local.set $by (i32.const 7))
    (loop $next
      (drop (call $quotient (i32.const 9) (local.get $by)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $by (i32.sub (local.get $by) (i32.const 1)))
      (br $next))))
