/** Programs that trap, in Node.js and in pages. */

/** A program with a body for `_start`, a table and functions to call through it. */
export const program = (body, more = "") => `(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "written\\n")
  (data (i32.const 96) "\\40\\00\\00\\00\\08\\00\\00\\00")
  (type $none (func))
  (table 4 funcref)
  (elem (i32.const 0) $one)
  (func $one (param i32))
  ${more}
  (func (export "_start") ${body}))`;

export const SAY = "(drop (call $write (i32.const 1) (i32.const 96) (i32.const 1) (i32.const 0)))";

export const TRAPS = {
  unreachable: ["unreachable"],
  memory_out_of_bounds: ["(drop (i32.load (i32.const -4)))", "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 9))"],
  table_out_of_bounds: ["(drop (table.get (i32.const 99)))", "(call_indirect (type $none) (i32.const 77))"],
  integer_divide_by_zero: ["(drop (i32.div_s (i32.const 1) (i32.const 0)))", "(drop (i64.rem_u (i64.const 1) (i64.const 0)))"],
  integer_overflow: ["(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"],
};

/** Those that V8 calls by one name for two. */
export const UNCLEAR = {
  integer_overflow: "(drop (i32.trunc_f64_s (f64.const 1e30)))",
  invalid_conversion_to_integer: "(drop (i32.trunc_f64_s (f64.const nan)))",
  indirect_call_to_null: "(call_indirect (type $none) (i32.const 2))",
  indirect_call_type_mismatch: "(call_indirect (type $none) (i32.const 0))",
};
