;; Writes for ever, to a file (if its first argument begins with `f`) or to standard output: pieces of growing size.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "flood.bin")
  (func (export "_start") (local $fd i32) (local $size i32)
    (drop (call $args (i32.const 64) (i32.const 256)))
    (local.set $fd (i32.const 1))
    (if (i32.eq (i32.load8_u (i32.load (i32.const 68))) (i32.const 0x66))
      (then
        (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 9) (i32.const 1)
          (i64.const 0x0fffffff) (i64.const 0) (i32.const 0) (i32.const 16)))
        (local.set $fd (i32.load (i32.const 16)))))
    (memory.fill (i32.const 1024) (i32.const 0x2e) (i32.const 60000))
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $more
      (local.set $size (i32.rem_u (i32.add (local.get $size) (i32.const 97)) (i32.const 60000)))
      (i32.store (i32.const 4) (local.get $size))
      (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $more))))
