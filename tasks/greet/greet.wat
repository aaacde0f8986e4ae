;; Asks for a name on standard input and greets it. Written by hand, in the text format:
;; the runner takes it as it is.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit"
    (func $proc_exit (param i32)))

  (memory (export "memory") 1)

  ;; 0..8    one iovec: address, length
  ;; 8..12   how many bytes were read or written
  ;; 16..    texts
  ;; 1024..  the line that was read, at most 256 bytes
  (data (i32.const 16) "What is your name? ")
  (data (i32.const 48) "Hello, ")
  (data (i32.const 64) "!\n")
  (data (i32.const 80) "Nobody there? Goodbye.\n")

  ;; Writes all of it to standard output; a failure ends the program with status 1.
  (func $print (param $address i32) (param $length i32)
    (loop $again
      (if (i32.eqz (local.get $length)) (then (return)))
      (i32.store (i32.const 0) (local.get $address))
      (i32.store (i32.const 4) (local.get $length))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $proc_exit (i32.const 1))))
      ;; A write may take only a part.
      (local.set $address (i32.add (local.get $address) (i32.load (i32.const 8))))
      (local.set $length (i32.sub (local.get $length) (i32.load (i32.const 8))))
      (br $again)))

  ;; Reads a line to 1024, byte by byte so that nothing behind it is taken; returns its
  ;; length without the line feed.
  (func $read_line (result i32)
    (local $length i32)
    (loop $again
      (i32.store (i32.const 0) (i32.add (i32.const 1024) (local.get $length)))
      (i32.store (i32.const 4) (i32.const 1))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $proc_exit (i32.const 1))))
      ;; Nothing read: the input has ended.
      (if (i32.eqz (i32.load (i32.const 8))) (then (return (local.get $length))))
      (if (i32.eq
            (i32.load8_u (i32.add (i32.const 1024) (local.get $length)))
            (i32.const 10))
        (then (return (local.get $length))))
      (local.set $length (i32.add (local.get $length) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $length) (i32.const 256))))
    (local.get $length))

  (func (export "_start")
    (local $length i32)
    (call $print (i32.const 16) (i32.const 19))
    (local.set $length (call $read_line))
    (if (i32.eqz (local.get $length))
      (then
        (call $print (i32.const 80) (i32.const 23))
        (call $proc_exit (i32.const 3))))
    (call $print (i32.const 48) (i32.const 7))
    (call $print (i32.const 1024) (local.get $length))
    (call $print (i32.const 64) (i32.const 2))))
