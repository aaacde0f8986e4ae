// `wasi_unstable`, and nothing else: what a program of 2019 imports. Snapshot 0 differs from preview1 in the numbers of
// `whence`, in the layout of `filestat` (a 32-bit count of links) and in that of `subscription` (a clock has an
// identifier). Facts from legacy/preview0/witx of WebAssembly/WASI. The test gives `input\n` on stdin.
import { Text, err, group, is, long, num, printWith, status, text, yes } from "./lib/suite";

@external("wasi_unstable", "args_sizes_get")
declare function args_sizes_get(count: usize, size: usize): i32;
@external("wasi_unstable", "args_get")
declare function args_get(argv: usize, buffer: usize): i32;
@external("wasi_unstable", "environ_sizes_get")
declare function environ_sizes_get(count: usize, size: usize): i32;
@external("wasi_unstable", "environ_get")
declare function environ_get(environ: usize, buffer: usize): i32;
@external("wasi_unstable", "clock_res_get")
declare function clock_res_get(id: u32, out: usize): i32;
@external("wasi_unstable", "clock_time_get")
declare function clock_time_get(id: u32, precision: u64, out: usize): i32;
@external("wasi_unstable", "fd_advise")
declare function fd_advise(fd: u32, offset: u64, len: u64, advice: u32): i32;
@external("wasi_unstable", "fd_allocate")
declare function fd_allocate(fd: u32, offset: u64, len: u64): i32;
@external("wasi_unstable", "fd_close")
declare function fd_close(fd: u32): i32;
@external("wasi_unstable", "fd_datasync")
declare function fd_datasync(fd: u32): i32;
@external("wasi_unstable", "fd_fdstat_get")
declare function fd_fdstat_get(fd: u32, out: usize): i32;
@external("wasi_unstable", "fd_fdstat_set_flags")
declare function fd_fdstat_set_flags(fd: u32, flags: u32): i32;
@external("wasi_unstable", "fd_fdstat_set_rights")
declare function fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64): i32;
@external("wasi_unstable", "fd_filestat_get")
declare function fd_filestat_get(fd: u32, out: usize): i32;
@external("wasi_unstable", "fd_filestat_set_size")
declare function fd_filestat_set_size(fd: u32, size: u64): i32;
@external("wasi_unstable", "fd_filestat_set_times")
declare function fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32): i32;
@external("wasi_unstable", "fd_pread")
declare function fd_pread(fd: u32, iovs: usize, count: usize, offset: u64, out: usize): i32;
@external("wasi_unstable", "fd_prestat_get")
declare function fd_prestat_get(fd: u32, out: usize): i32;
@external("wasi_unstable", "fd_prestat_dir_name")
declare function fd_prestat_dir_name(fd: u32, path: usize, len: usize): i32;
@external("wasi_unstable", "fd_pwrite")
declare function fd_pwrite(fd: u32, iovs: usize, count: usize, offset: u64, out: usize): i32;
@external("wasi_unstable", "fd_read")
declare function fd_read(fd: u32, iovs: usize, count: usize, out: usize): i32;
@external("wasi_unstable", "fd_readdir")
declare function fd_readdir(fd: u32, buffer: usize, len: usize, cookie: u64, out: usize): i32;
@external("wasi_unstable", "fd_renumber")
declare function fd_renumber(from: u32, to: u32): i32;
@external("wasi_unstable", "fd_seek")
declare function fd_seek(fd: u32, offset: i64, whence: u32, out: usize): i32;
@external("wasi_unstable", "fd_sync")
declare function fd_sync(fd: u32): i32;
@external("wasi_unstable", "fd_tell")
declare function fd_tell(fd: u32, out: usize): i32;
@external("wasi_unstable", "fd_write")
declare function fd_write(fd: u32, iovs: usize, count: usize, out: usize): i32;
@external("wasi_unstable", "path_create_directory")
declare function path_create_directory(fd: u32, path: usize, len: usize): i32;
@external("wasi_unstable", "path_filestat_get")
declare function path_filestat_get(fd: u32, lookup: u32, path: usize, len: usize, out: usize): i32;
@external("wasi_unstable", "path_filestat_set_times")
declare function path_filestat_set_times(
  fd: u32, lookup: u32, path: usize, len: usize, accessed: u64, modified: u64, flags: u32): i32;
@external("wasi_unstable", "path_link")
declare function path_link(
  from: u32, lookup: u32, path: usize, len: usize, to: u32, name: usize, nameLen: usize): i32;
@external("wasi_unstable", "path_open")
declare function path_open(
  fd: u32, lookup: u32, path: usize, len: usize, oflags: u32, base: u64, inheriting: u64, fdflags: u32, out: usize): i32;
@external("wasi_unstable", "path_readlink")
declare function path_readlink(fd: u32, path: usize, len: usize, buffer: usize, size: usize, out: usize): i32;
@external("wasi_unstable", "path_remove_directory")
declare function path_remove_directory(fd: u32, path: usize, len: usize): i32;
@external("wasi_unstable", "path_rename")
declare function path_rename(from: u32, path: usize, len: usize, to: u32, name: usize, nameLen: usize): i32;
@external("wasi_unstable", "path_symlink")
declare function path_symlink(target: usize, targetLen: usize, fd: u32, path: usize, len: usize): i32;
@external("wasi_unstable", "path_unlink_file")
declare function path_unlink_file(fd: u32, path: usize, len: usize): i32;
@external("wasi_unstable", "poll_oneoff")
declare function poll_oneoff(subscriptions: usize, events: usize, count: usize, out: usize): i32;
@external("wasi_unstable", "proc_exit")
declare function proc_exit(status: u32): void;
@external("wasi_unstable", "proc_raise")
declare function proc_raise(signal: u32): i32;
@external("wasi_unstable", "random_get")
declare function random_get(buffer: usize, len: usize): i32;
@external("wasi_unstable", "sched_yield")
declare function sched_yield(): i32;
@external("wasi_unstable", "sock_recv")
declare function sock_recv(fd: u32, iovs: usize, count: usize, flags: u32, out: usize, roflags: usize): i32;
@external("wasi_unstable", "sock_send")
declare function sock_send(fd: u32, iovs: usize, count: usize, flags: u32, out: usize): i32;
@external("wasi_unstable", "sock_shutdown")
declare function sock_shutdown(fd: u32, how: u32): i32;

const ROOT: u32 = 3;
// `oflags`
const CREAT: u32 = 1;
const DIRECTORY: u32 = 2;
// `whence`: not the numbers of preview1.
const CUR: u32 = 0;
const END: u32 = 1;
const SET: u32 = 2;
// `rights` of a file that is read and written, bit by bit: datasync to allocate, and the three of filestat, and poll.
const FILE: u64 = 0x1ff | (7 << 21) | (1 << 27);

const out: usize = memory.data(8, 8);
const iov: usize = memory.data(8, 8);
const stat: usize = memory.data(80, 8);
const buffer: usize = memory.data(1024, 8);

function print(at: usize, len: usize): void {
  const line: usize = memory.data(8, 8);
  const written: usize = memory.data(4, 4);
  store<usize>(line, at);
  store<usize>(line, len, 4);
  fd_write(1, line, 1, written);
}

/** One vector over memory. */
function vector(at: usize, len: usize): usize {
  store<usize>(iov, at);
  store<usize>(iov, len, 4);
  return iov;
}

function write(fd: u32, content: string): string {
  const bytes = new Text(content);
  return num(fd_write(fd, vector(bytes.at, bytes.len), 1, out), out);
}

/** What is read from where `fd` is. */
function read(fd: u32): string {
  const errno = fd_read(fd, vector(buffer, 100), 1, out);
  return errno ? err(errno) : text(buffer, load<u32>(out));
}

/** Opens a file; `out` then holds its descriptor. */
function open(name: string, oflags: u32): i32 {
  const path = new Text(name);
  return path_open(ROOT, 0, path.at, path.len, oflags, FILE, 0, 0, out);
}

function strings(): void {
  group("args");
  const size: usize = memory.data(4, 4);
  is("sizes", num(args_sizes_get(out, size), out), "3");
  is("get", err(args_get(buffer, buffer + 64)), "ok");
  const first = load<usize>(buffer, 4);
  const second = load<usize>(buffer, 8);
  is("first", text(first, second - first - 1), '"one"');
  yes("total", load<usize>(size) == load<usize>(buffer, 8) - load<usize>(buffer) + 4);
  group("environ");
  is("sizes", num(environ_sizes_get(out, size), out), "1");
  is("bytes", load<u32>(size).toString(), "10");
  is("get", err(environ_get(buffer, buffer + 64)), "ok");
  is("it", text(load<usize>(buffer), 9), '"NAME=text"');
}

function clocks(): void {
  group("clock");
  is("resolution", err(clock_res_get(1, out)), "ok");
  yes("it is something", load<u64>(out) > 0);
  is("time", err(clock_time_get(0, 1, out)), "ok");
}

function preopen(): void {
  group("preopen");
  is("prestat", num(fd_prestat_get(ROOT, buffer), buffer + 4), "1");
  is("is a directory", load<u8>(buffer).toString(), "0");
  is("name", err(fd_prestat_dir_name(ROOT, buffer, 1)), "ok");
  is("it", text(buffer, 1), '"/"');
  is("no other", err(fd_prestat_get(ROOT + 1, buffer)), "EBADF");
}

function seeking(fd: u32): void {
  group("seek");
  is("set is 2", long(fd_seek(fd, 4, SET, out), out), "4");
  is("cur is 0", long(fd_seek(fd, 3, CUR, out), out), "7");
  is("end is 1", long(fd_seek(fd, -4, END, out), out), "6");
  is("reads there", read(fd), '"6789"');
  is("tell", long(fd_tell(fd, out), out), "10");
  is("before the start", err(fd_seek(fd, -1, SET, out)), "EINVAL");
}

/** All fields of a `filestat` of 56 bytes, and that nothing behind it is touched. */
function filestat(fd: u32): void {
  group("filestat");
  const path = new Text("file");
  const name = new Text("name");
  is("set times", err(fd_filestat_set_times(fd, 1_000_000_000_007, 2_000_000_000_009, 1 | 4)), "ok");
  is("link", err(path_link(ROOT, 0, path.at, path.len, ROOT, name.at, name.len)), "ok");
  for (let how = 0; how < 2; how++) {
    memory.fill(stat, 0xaa, 80);
    if (how == 0) is("fd_filestat_get", err(fd_filestat_get(fd, stat)), "ok");
    else is("path_filestat_get", err(path_filestat_get(ROOT, 0, name.at, name.len, stat)), "ok");
    is("type", load<u8>(stat, 16).toString(), "4");
    is("links, 32 bits", load<u32>(stat, 20).toString(), "2");
    is("size", load<u64>(stat, 24).toString(), "10");
    is("accessed", load<u64>(stat, 32).toString(), "1000000000007");
    is("modified", load<u64>(stat, 40).toString(), "2000000000009");
    yes("changed", load<u64>(stat, 48) != 0xaaaa_aaaa_aaaa_aaaa);
    yes("nothing behind it", load<u64>(stat, 56) == 0xaaaa_aaaa_aaaa_aaaa);
  }
  is("path times", err(path_filestat_set_times(ROOT, 0, path.at, path.len, 0, 5, 4)), "ok");
  is("seen by descriptor", long(fd_filestat_get(fd, stat), stat + 40), "5");
  is("unlink", err(path_unlink_file(ROOT, name.at, name.len)), "ok");
  is("one link left", num(fd_filestat_get(fd, stat), stat + 20), "1");
}

/** A clock's subscription: identifier, clock, timeout, precision, flags. */
function clock(at: usize, userdata: u64, timeout: u64, flags: u16): void {
  memory.fill(at, 0, 56);
  store<u64>(at, userdata);
  store<u64>(at, 99, 16);
  store<u32>(at, 1, 24);
  store<u64>(at, timeout, 32);
  store<u16>(at, flags, 48);
}

function onDescriptor(at: usize, userdata: u64, type: u8, fd: u32): void {
  memory.fill(at, 0, 56);
  store<u64>(at, userdata);
  store<u8>(at, type, 8);
  store<u32>(at, fd, 16);
}

function polling(fd: u32): void {
  group("poll");
  const events: usize = memory.data(3 * 32, 8);
  clock(buffer, 7, 1000, 0);
  is("a clock", num(poll_oneoff(buffer, events, 1, out), out), "1");
  is("its userdata", load<u64>(events).toString(), "7");
  is("its error", err(load<u16>(events, 8)), "ok");
  is("its type", load<u8>(events, 10).toString(), "0");
  clock(buffer, 8, 1, 1);
  is("in the past", num(poll_oneoff(buffer, events, 1, out), out), "1");
  is("error in the past", err(load<u16>(events, 8)), "ok");
  // Three of them: each is 56 bytes behind the one before.
  fd_seek(fd, 4, SET, out);
  onDescriptor(buffer, 1, 1, fd);
  onDescriptor(buffer + 56, 2, 2, 1);
  onDescriptor(buffer + 112, 3, 1, 0);
  is("three descriptors", num(poll_oneoff(buffer, events, 3, out), out), "3");
  let users: u64 = 0;
  for (let i = 0; i < 3; i++) {
    const event = events + i * 32;
    const user = load<u64>(event);
    users |= 1 << user;
    is("error of " + user.toString(), err(load<u16>(event, 8)), "ok");
    is("type of " + user.toString(), load<u8>(event, 10).toString(), user == 2 ? "2" : "1");
    if (user == 3) yes("stdin has bytes", load<u64>(event, 16) > 0);
  }
  is("all three", users.toString(), "14");
  is("none", err(poll_oneoff(buffer, events, 0, out)), "EINVAL");
  is("stdin", read(0), '"input\\n"');
}

function names(): void {
  group("names");
  const dir = new Text("dir");
  const old = new Text("dir/old");
  const moved = new Text("dir/new");
  is("mkdir", err(path_create_directory(ROOT, dir.at, dir.len)), "ok");
  is("symlink", err(path_symlink(dir.at, dir.len, ROOT, old.at, old.len)), "ok");
  is("readlink", num(path_readlink(ROOT, old.at, old.len, buffer, 100, out), out), "3");
  is("target", text(buffer, 3), '"dir"');
  is("rename", err(path_rename(ROOT, old.at, old.len, ROOT, moved.at, moved.len)), "ok");
  is("type of the link", path_filestat_get(ROOT, 0, moved.at, moved.len, stat) ? "?" : load<u8>(stat, 16).toString(), "7");
  is("its size", load<u64>(stat, 24).toString(), "3");
  is("not empty", err(path_remove_directory(ROOT, dir.at, dir.len)), "ENOTEMPTY");
  is("open it", err(path_open(ROOT, 0, dir.at, dir.len, DIRECTORY, 1 << 14, 0, 0, out)), "ok");
  const fd = load<u32>(out);
  is("readdir", err(fd_readdir(fd, buffer, 1024, 0, out)), "ok");
  let found = "";
  for (let at: usize = 0; at + 24 <= load<u32>(out); at += 24 + load<u32>(buffer + at, 16)) {
    const name = String.UTF8.decodeUnsafe(buffer + at + 24, load<u32>(buffer + at, 16));
    if (!name.startsWith(".")) found += name + " " + load<u8>(buffer + at, 20).toString();
  }
  is("entries", found, "new 7");
  is("close", err(fd_close(fd)), "ok");
  is("unlink", err(path_unlink_file(ROOT, moved.at, moved.len)), "ok");
  is("rmdir", err(path_remove_directory(ROOT, dir.at, dir.len)), "ok");
  is("above the root", err(path_create_directory(ROOT, new Text("../x").at, 4)), "EPERM|ENOTCAPABLE");
}

function descriptors(fd: u32): void {
  group("descriptors");
  is("fdstat", err(fd_fdstat_get(fd, stat)), "ok");
  is("type", load<u8>(stat).toString(), "4");
  yes("rights", (load<u64>(stat, 8) & 0x42) == 0x42);
  is("append", err(fd_fdstat_set_flags(fd, 1)), "ok");
  is("fdstat again", err(fd_fdstat_get(fd, stat)), "ok");
  is("flags", load<u16>(stat, 2).toString(), "1");
  is("write goes to the end", write(fd, "!"), "1");
  is("size", long(fd_filestat_get(fd, stat), stat + 24), "11");
  is("not any more", err(fd_fdstat_set_flags(fd, 0)), "ok");
  is("set size", err(fd_filestat_set_size(fd, 4)), "ok");
  is("allocate", err(fd_allocate(fd, 0, 6)), "ok|ENOTSUP");
  is("advise", err(fd_advise(fd, 0, 0, 1)), "ok");
  is("sync", err(fd_sync(fd)), "ok");
  is("datasync", err(fd_datasync(fd)), "ok");
  is("pwrite", num(fd_pwrite(fd, vector(new Text("AB").at, 2), 1, 1, out), out), "2");
  is("pread", num(fd_pread(fd, vector(buffer, 4), 1, 0, out), out), "4");
  is("content", text(buffer, 4), '"0AB3"');
  is("open another", err(open("other", CREAT)), "ok");
  const other = load<u32>(out);
  is("renumber", err(fd_renumber(fd, other)), "ok");
  is("the old number is closed", err(fd_close(fd)), "EBADF");
  is("the new one is the file", long(fd_filestat_get(other, stat), stat + 24), "6|4");
  is("give up rights", err(fd_fdstat_set_rights(other, 0x22, 0)), "ok");
  is("none can be gained", err(fd_fdstat_set_rights(other, 0x62, 0)), "ENOTCAPABLE");
  is("close", err(fd_close(other)), "ok");
}

function others(): void {
  group("others");
  is("random", err(random_get(buffer, 16)), "ok");
  is("yield", err(sched_yield()), "ok");
  is("recv", err(sock_recv(1, vector(buffer, 1), 1, 0, out, out + 4)), "ENOTSOCK|EBADF");
  is("send", err(sock_send(1, vector(buffer, 1), 1, 0, out)), "ENOTSOCK|EBADF");
  is("shutdown", err(sock_shutdown(1, 1)), "ENOTSOCK|EBADF");
  is("a signal without effect", err(proc_raise(0)), "ok");
}

printWith(print);
strings();
clocks();
preopen();
group("file");
is("create", err(open("file", CREAT)), "ok");
const file = load<u32>(out);
is("write", write(file, "0123456789"), "10");
seeking(file);
filestat(file);
polling(file);
names();
descriptors(file);
others();
proc_exit(status());
