;; Reads all clocks, works, sleeps until and for a time, and reads them again.
(module
  (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $to (mut i32) (i32.const 1024)) ;; where the next time is put
  (func $clocks (local $id i32)
    (loop $next
      (drop (call $resolution (local.get $id) (i32.const 0)))
      (drop (call $time (local.get $id) (i64.const 1) (global.get $to)))
      (global.set $to (i32.add (global.get $to) (i32.const 8)))
      (local.set $id (i32.add (local.get $id) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $id) (i32.const 5))))) ;; 4 is no clock
  (func $sleep (param $clock i32) (param $time i64) (param $flags i32)
    (i64.store (i32.const 64) (i64.const 0x1122334455667788)) ;; userdata
    (i32.store (i32.const 72) (i32.const 0))
    (i32.store (i32.const 80) (local.get $clock))
    (i64.store (i32.const 88) (local.get $time))
    (i64.store (i32.const 96) (i64.const 0))
    (i32.store (i32.const 104) (local.get $flags))
    (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192))))
  (func (export "_start") (local $i i32)
    (call $clocks)
    (loop $work
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $work (i32.lt_u (local.get $i) (i32.const 1000))))
    (call $clocks)
    (call $sleep (i32.const 1) (i64.const 1000000000) (i32.const 0))
    (call $clocks)
    (call $sleep (i32.const 0) (i64.const 200000000000) (i32.const 1)) ;; until
    (call $sleep (i32.const 1) (i64.const 1) (i32.const 1)) ;; long past
    (call $sleep (i32.const 7) (i64.const 1) (i32.const 0)) ;; no clock
    (drop (call $yield))
    (call $clocks)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.sub (global.get $to) (i32.const 1024)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
