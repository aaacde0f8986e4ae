// preview1 as a small program in AssemblyScript uses it: with a library of its own over the raw functions. It copies
// stdin (the test gives `input\n`) to a file, counts, lists and tidies up.
import { Text, err, group, is, long, printWith, status, text, yes } from "./lib/suite";

@external("wasi_snapshot_preview1", "args_sizes_get")
declare function args_sizes_get(count: usize, size: usize): i32;
@external("wasi_snapshot_preview1", "args_get")
declare function args_get(argv: usize, buffer: usize): i32;
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environ_sizes_get(count: usize, size: usize): i32;
@external("wasi_snapshot_preview1", "clock_time_get")
declare function clock_time_get(id: u32, precision: u64, out: usize): i32;
@external("wasi_snapshot_preview1", "fd_close")
declare function fd_close(fd: u32): i32;
@external("wasi_snapshot_preview1", "fd_filestat_get")
declare function fd_filestat_get(fd: u32, out: usize): i32;
@external("wasi_snapshot_preview1", "fd_prestat_get")
declare function fd_prestat_get(fd: u32, out: usize): i32;
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
declare function fd_prestat_dir_name(fd: u32, path: usize, len: usize): i32;
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: u32, iovs: usize, count: usize, out: usize): i32;
@external("wasi_snapshot_preview1", "fd_readdir")
declare function fd_readdir(fd: u32, buffer: usize, len: usize, cookie: u64, out: usize): i32;
@external("wasi_snapshot_preview1", "fd_seek")
declare function fd_seek(fd: u32, offset: i64, whence: u32, out: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: u32, iovs: usize, count: usize, out: usize): i32;
@external("wasi_snapshot_preview1", "path_create_directory")
declare function path_create_directory(fd: u32, path: usize, len: usize): i32;
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(
  fd: u32, lookup: u32, path: usize, len: usize, oflags: u32, base: u64, inheriting: u64, fdflags: u32, out: usize): i32;
@external("wasi_snapshot_preview1", "path_remove_directory")
declare function path_remove_directory(fd: u32, path: usize, len: usize): i32;
@external("wasi_snapshot_preview1", "path_rename")
declare function path_rename(from: u32, path: usize, len: usize, to: u32, name: usize, nameLen: usize): i32;
@external("wasi_snapshot_preview1", "path_unlink_file")
declare function path_unlink_file(fd: u32, path: usize, len: usize): i32;
@external("wasi_snapshot_preview1", "poll_oneoff")
declare function poll_oneoff(subscriptions: usize, events: usize, count: usize, out: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(status: u32): void;
@external("wasi_snapshot_preview1", "random_get")
declare function random_get(buffer: usize, len: usize): i32;

const CREAT: u32 = 1;
const DIRECTORY: u32 = 2;
const READ: u64 = 1 << 1;
const SEEK: u64 = 1 << 2;
const WRITE: u64 = 1 << 6;
const READDIR: u64 = 1 << 14;
const FILESTAT: u64 = 1 << 21;
const POLL: u64 = 1 << 27;

const out: usize = memory.data(8, 8);
const iov: usize = memory.data(16, 8);
const buffer: usize = memory.data(4096, 8);

function print(at: usize, len: usize): void {
  const line: usize = memory.data(8, 8);
  const written: usize = memory.data(4, 4);
  store<usize>(line, at);
  store<usize>(line, len, 4);
  fd_write(1, line, 1, written);
}

/** The first preopened directory called `/`, found as a C library does: from 3 up to the first EBADF. */
function root(): u32 {
  for (let fd: u32 = 3; fd_prestat_get(fd, buffer) == 0; fd++) {
    const len = load<u32>(buffer, 4);
    if (load<u8>(buffer) == 0 && fd_prestat_dir_name(fd, buffer, len) == 0 && text(buffer, len) == '"/"') return fd;
  }
  return u32.MAX_VALUE;
}

function open(dir: u32, name: string, oflags: u32, rights: u64): u32 {
  const path = new Text(name);
  const errno = path_open(dir, 0, path.at, path.len, oflags, rights, rights, 0, out);
  is("open " + name, err(errno), "ok");
  return errno ? u32.MAX_VALUE : load<u32>(out);
}

/** Reads into two vectors of 3 and 4000 bytes; returns how many bytes came, or -1. */
function readTwo(fd: u32): i32 {
  store<usize>(iov, buffer);
  store<usize>(iov, 3, 4);
  store<usize>(iov, buffer + 3, 8);
  store<usize>(iov, 4000, 12);
  return fd_read(fd, iov, 2, out) ? -1 : load<i32>(out);
}

function writeAll(fd: u32, at: usize, len: usize): string {
  while (len > 0) {
    store<usize>(iov, at);
    store<usize>(iov, len, 4);
    const errno = fd_write(fd, iov, 1, out);
    if (errno) return err(errno);
    at += load<usize>(out);
    len -= load<usize>(out);
  }
  return "ok";
}

/** All names in a directory, read with a buffer in which a few entries fit. */
function list(fd: u32): string[] {
  const small: usize = 100;
  const found = new Array<string>();
  let cookie: u64 = 0;
  while (true) {
    const errno = fd_readdir(fd, buffer, small, cookie, out);
    if (errno) return [err(errno)];
    const used = load<usize>(out);
    let at: usize = 0;
    while (at + 24 <= used && at + 24 + load<u32>(buffer + at, 16) <= used) {
      const name = String.UTF8.decodeUnsafe(buffer + at + 24, load<u32>(buffer + at, 16));
      if (name != "." && name != "..") found.push(name);
      cookie = load<u64>(buffer + at);
      at += 24 + load<u32>(buffer + at, 16);
    }
    if (used < small) break;
  }
  return found.sort();
}

printWith(print);
group("start");
const top = root();
is("root", top.toString(), "3");
is("arguments", args_sizes_get(out, out + 4) ? "?" : load<u32>(out).toString(), "3");
is("variables", environ_sizes_get(out, out + 4) ? "?" : load<u32>(out).toString(), "1");
is("program", args_get(buffer, buffer + 64) ? "?" : text(load<usize>(buffer), 11), '"as_preview1"');
is("clock", err(clock_time_get(0, 0, out)), "ok");
is("random", err(random_get(buffer, 32)), "ok");

group("copy");
const dir = new Text("d");
is("mkdir", err(path_create_directory(top, dir.at, dir.len)), "ok");
const copy = open(top, "d/copy", CREAT, READ | WRITE | SEEK | FILESTAT | POLL);
let total: i32 = 0;
let n: i32;
// A host may fill only the first vector.
while ((n = readTwo(0)) > 0) {
  is("write", writeAll(copy, buffer, n), "ok");
  total += n;
}
is("read", total.toString(), "6");
is("the end stays", readTwo(0).toString(), "0");
is("size", long(fd_filestat_get(copy, buffer), buffer + 32), "6");
is("links", long(fd_filestat_get(copy, buffer), buffer + 24), "1");
is("rewind", long(fd_seek(copy, 0, 0, out), out), "0");
yes("read it", readTwo(copy) >= 3);
is("start of it", text(buffer, 3), '"inp"');

group("poll");
memory.fill(buffer, 0, 96);
store<u64>(buffer, 1);
store<u32>(buffer, 1, 16);
store<u64>(buffer, 3600_000_000_000, 24);
store<u64>(buffer, 2, 48);
store<u8>(buffer, 2, 56);
store<u32>(buffer, copy, 64);
is("an hour, or a file", err(poll_oneoff(buffer, buffer + 128, 2, out)), "ok");
is("the file", load<u64>(buffer, 128).toString(), "2");
is("error", err(load<u16>(buffer, 136)), "ok");
is("type", load<u8>(buffer, 138).toString(), "2");
is("close", err(fd_close(copy)), "ok");

group("names");
for (let i = 0; i < 20; i++) {
  const path = new Text("d/" + i.toString());
  if (path_open(top, 0, path.at, path.len, CREAT, WRITE, 0, 0, out) || fd_close(load<u32>(out))) yes("create", false);
}
const from = new Text("d/7");
const to = new Text("d/seven");
is("rename", err(path_rename(top, from.at, from.len, top, to.at, to.len)), "ok");
const listed = open(top, "d", DIRECTORY, READDIR);
const names = list(listed);
is("count", names.length.toString(), "21");
is("all", names.join(" "), "0 1 10 11 12 13 14 15 16 17 18 19 2 3 4 5 6 8 9 copy seven");
is("not empty", err(path_remove_directory(top, dir.at, dir.len)), "ENOTEMPTY");
for (let i = 0; i < names.length; i++) {
  const path = new Text("d/" + names[i]);
  if (path_unlink_file(top, path.at, path.len)) yes("unlink " + names[i], false);
}
is("nothing left", list(listed).length.toString(), "0");
is("close", err(fd_close(listed)), "ok");
is("rmdir", err(path_remove_directory(top, dir.at, dir.len)), "ok");
proc_exit(status());
