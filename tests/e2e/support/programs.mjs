/** Programs in the text format, made for the tests. */

const imports = (...names) => {
  const types = {
    fd_write: "(param i32 i32 i32 i32) (result i32)",
    fd_read: "(param i32 i32 i32 i32) (result i32)",
    fd_close: "(param i32) (result i32)",
    path_open: "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
    proc_exit: "(param i32)",
  };
  return names.map((name) => `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${types[name]}))`).join("\n  ");
};

/** Calls fd_write once: `length` bytes from `from` to `fd`. */
const write = (fd, from, length) => `
    (i32.store (i32.const 0) ${from})
    (i32.store (i32.const 4) ${length})
    (drop (call $fd_write ${fd} (i32.const 0) (i32.const 1) (i32.const 8)))`;

const constant = (value) => `(i32.const ${value})`;

export const GREETING = `(module
  ${imports("fd_write", "proc_exit")}
  (memory (export "memory") 1)
  (data (i32.const 64) "to stdout\\nto stderr\\n")
  (func (export "_start")${write(constant(1), constant(64), constant(10))}${write(constant(2), constant(74), constant(10))}
    (call $proc_exit (i32.const 3))))
`;

/** All 256 bytes, eight times. */
export const BINARY = `(module
  ${imports("fd_write")}
  (memory (export "memory") 1)
  (func (export "_start") (local $i i32)
    (loop $fill
      (i32.store8 (i32.add (i32.const 1024) (local.get $i)) (local.get $i))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const 2048))))${write(constant(1), constant(1024), constant(2048))}))
`;

/** Copies stdin to stdout until it ends, then says so. */
export const ECHO = `(module
  ${imports("fd_write", "fd_read")}
  (memory (export "memory") 1)
  (data (i32.const 16) "> ")
  (data (i32.const 32) "[end]\\n")
  (func (export "_start") (local $n i32)${write(constant(1), constant(16), constant(2))}
    (block $end
      (loop $next
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 4096))
        (br_if $end (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $n (i32.load (i32.const 8)))
        (br_if $end (i32.eqz (local.get $n)))${write(constant(1), constant(1024), "(local.get $n)")}
        (br $next)))${write(constant(1), constant(32), constant(6))}))
`;

/** Says something, then loops for ever. */
export const ENDLESS = `(module
  ${imports("fd_write")}
  (memory (export "memory") 1)
  (data (i32.const 64) "before the loop\\n")
  (func (export "_start")${write(constant(1), constant(64), constant(16))}
    (loop $ever (br $ever))))
`;

/** Prints lines for ever, as fast as it can. */
export const FLOOD = `(module
  ${imports("fd_write")}
  (memory (export "memory") 2)
  (data (i32.const 64) "the same line again and again and again and again and again....\\n")
  (func (export "_start") (local $i i32)
    (loop $fill
      (memory.copy (i32.add (i32.const 128) (local.get $i)) (i32.const 64) (i32.const 64))
      (local.set $i (i32.add (local.get $i) (i32.const 64)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const 64000))))
    (loop $ever${write(constant(1), constant(64), constant(64064))}
      (br $ever))))
`;

/** Copies big.bin to out/copy.bin, adding one to the first byte of each piece it reads. */
export const COPY = `(module
  ${imports("fd_write", "fd_read", "path_open")}
  (memory (export "memory") 32)
  (data (i32.const 64) "big.bin")
  (data (i32.const 96) "copy.bin")
  (func (export "_start") (local $in i32) (local $out i32) (local $n i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))
      (then (unreachable)))
    (local.set $in (i32.load (i32.const 16)))
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 96) (i32.const 8) (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16))
      (then (unreachable)))
    (local.set $out (i32.load (i32.const 16)))
    (block $end
      (loop $next
        (i32.store (i32.const 0) (i32.const 65536))
        (i32.store (i32.const 4) (i32.const 1048576))
        (br_if $end (call $fd_read (local.get $in) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $n (i32.load (i32.const 8)))
        (br_if $end (i32.eqz (local.get $n)))
        (i32.store8 (i32.const 65536) (i32.add (i32.const 1) (i32.load8_u (i32.const 65536))))${write("(local.get $out)", constant(65536), "(local.get $n)")}
        (br $next)))))
`;

/** The smallest program that is accepted. */
export const NOTHING = `(module (memory (export "memory") 1) (func (export "_start")))`;
