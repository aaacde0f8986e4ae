;; Polls standard input and output with and without a timer, reads, and polls at the end of the input.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; Three subscriptions of 48 bytes at 64: to read 0, to write 1, a timer of a second. Events at 512.
  (data (i32.const 0) "\00\04\00\00\05\00\00\00") ;; an iovec: 5 bytes at 1024
  (data (i32.const 64) "read----" "\01")
  (data (i32.const 112) "write---" "\02")
  (data (i32.const 128) "\01")
  (data (i32.const 160) "timer---" "\00")
  (data (i32.const 176) "\01\00\00\00\00\00\00\00" "\00\ca\9a\3b\00\00\00\00")
  (data (i32.const 208) "closed--" "\01")
  (data (i32.const 224) "\63") ;; descriptor 99
  (func $look
    (drop (call $poll (i32.const 64) (i32.const 512) (i32.const 3) (i32.const 16)))
    (drop (call $poll (i32.const 112) (i32.const 512) (i32.const 2) (i32.const 16)))
    (drop (call $poll (i32.const 160) (i32.const 512) (i32.const 1) (i32.const 16))))
  (func (export "_start")
    (call $look)
    (drop (call $poll (i32.const 64) (i32.const 512) (i32.const 4) (i32.const 16))) ;; one is not open
    (drop (call $poll (i32.const 64) (i32.const 512) (i32.const 0) (i32.const 16))) ;; none
    (loop $copy
      (i32.store (i32.const 4) (i32.const 5))
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
      (i32.store (i32.const 4) (i32.load (i32.const 16)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
      (call $look)
      (br_if $copy (i32.load (i32.const 4))))))
