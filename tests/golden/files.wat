;; Every function for files: what it answers, and what it writes to memory.
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $fd_tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_advise" (func $fd_advise (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_allocate" (func $fd_allocate (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_sync" (func $fd_sync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_datasync" (func $fd_datasync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $fd_fdstat_set_flags (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_rights" (func $fd_fdstat_set_rights (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $fd_filestat_set_size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_times" (func $fd_filestat_set_times (param i32 i64 i64 i32) (result i32)))
  (memory (export "memory") 1)
  ;; 0: an iovec of the text at 32; 8: an iovec of 64 bytes at 256; 16: results; 128 and on: structures
  (data (i32.const 0) "\20\00\00\00\0b\00\00\00" "\00\01\00\00\40\00\00\00")
  (data (i32.const 32) "first line\n")
  (data (i32.const 64) "new.txt")
  (data (i32.const 80) "input.txt")
  (func $open (param $path i32) (param $len i32) (param $oflags i32) (param $fdflags i32) (result i32)
    (drop (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (local.get $len) (local.get $oflags)
      (i64.const 0x0fffffff) (i64.const 0x0fffffff) (local.get $fdflags) (i32.const 16)))
    (i32.load (i32.const 16)))
  (func $look (param $fd i32)
    (drop (call $fd_fdstat_get (local.get $fd) (i32.const 128)))
    (drop (call $fd_filestat_get (local.get $fd) (i32.const 160)))
    (drop (call $fd_tell (local.get $fd) (i32.const 20))))
  (func (export "_start") (local $new i32) (local $old i32)
    (local.set $new (call $open (i32.const 64) (i32.const 7) (i32.const 5) (i32.const 0))) ;; creat, excl
    (drop (call $open (i32.const 64) (i32.const 7) (i32.const 5) (i32.const 0))) ;; EEXIST
    (drop (call $open (i32.const 80) (i32.const 5) (i32.const 0) (i32.const 0))) ;; ENOENT
    (local.set $old (call $open (i32.const 80) (i32.const 9) (i32.const 0) (i32.const 1))) ;; to append
    (call $look (local.get $new))
    (drop (call $fd_write (local.get $new) (i32.const 0) (i32.const 1) (i32.const 16)))
    (drop (call $fd_pwrite (local.get $new) (i32.const 0) (i32.const 1) (i64.const 70000) (i32.const 16))) ;; over a hole
    (call $look (local.get $new))
    (drop (call $fd_seek (local.get $new) (i64.const -20) (i32.const 2) (i32.const 24)))
    (drop (call $fd_read (local.get $new) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $fd_pread (local.get $new) (i32.const 8) (i32.const 1) (i64.const 3) (i32.const 16)))
    (drop (call $fd_seek (local.get $new) (i64.const -1) (i32.const 0) (i32.const 24))) ;; EINVAL
    (drop (call $fd_filestat_set_size (local.get $new) (i64.const 4)))
    (drop (call $fd_filestat_set_times (local.get $new) (i64.const 1) (i64.const 2) (i32.const 5)))
    (drop (call $fd_allocate (local.get $new) (i64.const 0) (i64.const 100)))
    (drop (call $fd_advise (local.get $new) (i64.const 0) (i64.const 0) (i32.const 3)))
    (call $look (local.get $new))
    (drop (call $fd_read (local.get $old) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $fd_write (local.get $old) (i32.const 0) (i32.const 1) (i32.const 16)))
    (drop (call $fd_pwrite (local.get $old) (i32.const 0) (i32.const 1) (i64.const 0) (i32.const 16)))
    (drop (call $fd_fdstat_set_flags (local.get $old) (i32.const 0)))
    (drop (call $fd_fdstat_set_flags (local.get $old) (i32.const 16))) ;; SYNC
    (drop (call $fd_write (local.get $old) (i32.const 0) (i32.const 1) (i32.const 16)))
    (drop (call $fd_fdstat_set_rights (local.get $old) (i64.const 0x200006) (i64.const 0)))
    (drop (call $fd_write (local.get $old) (i32.const 0) (i32.const 1) (i32.const 16))) ;; EBADF: no right to
    (call $look (local.get $old))
    (drop (call $fd_sync (local.get $new)))
    (drop (call $fd_datasync (local.get $new)))
    (drop (call $fd_renumber (local.get $new) (i32.const 9)))
    (drop (call $fd_renumber (local.get $old) (i32.const 9))) ;; whatever it says
    (drop (call $fd_close (i32.const 9)))
    (drop (call $fd_close (i32.const 9))) ;; EBADF
    (call $look (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 65534))) ;; a bad pointer
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
