;; Removes `gone`, moves `old` to `new`, makes directory `dir` and the symbolic link `ln` to `new`.
(module
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename"
    (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "gone")
  (data (i32.const 8) "old")
  (data (i32.const 16) "new")
  (data (i32.const 24) "dir")
  (data (i32.const 32) "ln")
  (func (export "_start")
    (if (i32.or
          (i32.or
            (call $unlink (i32.const 3) (i32.const 0) (i32.const 4))
            (call $rename (i32.const 3) (i32.const 8) (i32.const 3)
              (i32.const 3) (i32.const 16) (i32.const 3)))
          (i32.or
            (call $mkdir (i32.const 3) (i32.const 24) (i32.const 3))
            (call $symlink (i32.const 16) (i32.const 3) (i32.const 3) (i32.const 32) (i32.const 2))))
      (then unreachable))))
