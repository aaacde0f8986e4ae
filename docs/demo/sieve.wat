;; Counts the primes below 60000 with a sieve, forty times over, and prints the sum. Small, but it
;; runs for a while: docs/bisect.md makes a fault in it and finds it again.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $rounds (mut i32) (i32.const 0))
  (global $sum (mut i32) (i32.const 0))

  ;; One byte a number, from address 4096 on: 1 if it is composite.
  (func $sieve (param $limit i32) (local $i i32) (local $j i32)
    (memory.fill (i32.const 4096) (i32.const 0) (local.get $limit))
    (local.set $i (i32.const 2))
    (loop $next
      (if (i32.eqz (i32.load8_u offset=4096 (local.get $i)))
        (then
          (local.set $j (i32.mul (local.get $i) (local.get $i)))
          (block $done
            (loop $mark
              (br_if $done (i32.ge_u (local.get $j) (local.get $limit)))
              (i32.store8 offset=4096 (local.get $j) (i32.const 1))
              (local.set $j (i32.add (local.get $j) (local.get $i)))
              (br $mark)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 245)))))

  (func $count (param $limit i32) (result i32) (local $i i32) (local $primes i32)
    (local.set $i (i32.const 2))
    (loop $next
      (local.set $primes
        (i32.add (local.get $primes) (i32.eqz (i32.load8_u offset=4096 (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $limit))))
    (local.get $primes))

  ;; Prints a number and a line end.
  (func $print (param $number i32) (local $at i32)
    (local.set $at (i32.const 64))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (local.get $number)))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 65) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func (export "_start")
    (loop $again
      (call $sieve (i32.const 60000))
      (global.set $sum (i32.add (global.get $sum) (call $count (i32.const 60000))))
      (global.set $rounds (i32.add (global.get $rounds) (i32.const 1)))
      (br_if $again (i32.lt_u (global.get $rounds) (i32.const 40))))
    (call $print (global.get $sum))))
