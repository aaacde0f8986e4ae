;; Reads standard input piece by piece and writes each piece to standard output, then all of it to
;; standard error; makes `out` with 8 random bytes.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 100) "out")
  ;; Writes `len` bytes at `at` to `fd`.
  (func $put (param $fd i32) (param $at i32) (param $len i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $len))
    (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
  (func (export "_start") (local $end i32)
    (local.set $end (i32.const 1024))
    (block $done
      (loop $next
        (i32.store (i32.const 0) (local.get $end))
        (i32.store (i32.const 4) (i32.const 64) ;; piece
        )
        (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
        (br_if $done (i32.eqz (i32.load (i32.const 8))))
        (local.set $end (i32.add (local.get $end) (i32.load (i32.const 8))))
        (call $put (i32.const 1)
          (i32.sub (local.get $end) (i32.load (i32.const 8))) (i32.load (i32.const 8)))
        (br $next)))
    (call $put (i32.const 2) (i32.const 1024) (i32.sub (local.get $end) (i32.const 1024)))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 3) (i32.const 1)
          (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)) (then unreachable))
    (if (call $random (i32.const 200) (i32.const 8)) (then unreachable))
    (call $put (i32.load (i32.const 8)) (i32.const 200) (i32.const 8))))
