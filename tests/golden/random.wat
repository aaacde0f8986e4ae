;; Random bytes in pieces of all sizes from 0 to 100.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $size i32) (local $at i32)
    (local.set $at (i32.const 64))
    (loop $next
      (drop (call $random (local.get $at) (local.get $size)))
      (local.set $at (i32.add (local.get $at) (local.get $size)))
      (local.set $size (i32.add (local.get $size) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $size) (i32.const 100))))
    (drop (call $random (i32.const 65500) (i32.const 100))) ;; past the end of memory
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.sub (local.get $at) (i32.const 64)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
