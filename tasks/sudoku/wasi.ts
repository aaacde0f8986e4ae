// The few calls of WASI that a function task needs. AssemblyScript brings none of its own.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(folder: i32, follow: i32, path: usize, length: usize, how: i32, rights: u64, inherited: u64, flags: i32, opened: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(file: i32, pieces: usize, count: usize, done: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(file: i32, pieces: usize, count: usize, done: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

/** The root directory: the first, and only, that is open from the start. */
const ROOT = 3;
const STDERR = 2;
const RIGHT_TO_READ: u64 = 1 << 1;
const RIGHT_TO_WRITE: u64 = 1 << 6;
/** Make the file, or empty it. */
const CREATE_EMPTY = 1 | 8;
const NO_SUCH_FILE = 44;

/** Where calls put what they answer: an address and a length of bytes, then a number. */
const piece = memory.data(8);
const answer = memory.data(4);

function open(path: string, how: i32, rights: u64): i32 {
  const name = String.UTF8.encode(path);
  const error = path_open(ROOT, 0, changetype<usize>(name), name.byteLength, how, rights, 0, 0, answer);
  if (error == NO_SUCH_FILE) fail(`cannot open ${path}: there is no such file`);
  if (error) fail(`cannot open ${path}: error ${error}`);
  return load<i32>(answer);
}

export function readFile(path: string): Uint8Array {
  const file = open(path, 0, RIGHT_TO_READ);
  let content = new Uint8Array(0);
  const part = new Uint8Array(4096);
  let length = -1;
  while (length != 0) {
    store<usize>(piece, part.dataStart);
    store<usize>(piece + 4, part.length);
    const error = fd_read(file, piece, 1, answer);
    if (error) fail(`cannot read ${path}: error ${error}`);
    length = load<i32>(answer);
    const longer = new Uint8Array(content.length + length);
    longer.set(content);
    longer.set(part.subarray(0, length), content.length);
    content = longer;
  }
  return content;
}

function write(file: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  let start: usize = changetype<usize>(bytes);
  let left: usize = bytes.byteLength;
  // A call may take only a part.
  while (left > 0) {
    store<usize>(piece, start);
    store<usize>(piece + 4, left);
    if (fd_write(file, piece, 1, answer)) proc_exit(1);
    start += load<u32>(answer);
    left -= load<u32>(answer);
  }
}

export function writeFile(path: string, text: string): void {
  write(open(path, CREATE_EMPTY, RIGHT_TO_WRITE), text);
}

/** Says on standard error what is wrong, and ends the program. */
export function fail(message: string): void {
  write(STDERR, message + "\n");
  proc_exit(1);
}

/** What AssemblyScript's own library calls where it can't go on. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  fail(`${message ? message : "aborted"} at ${file ? file : "?"}:${line}:${column}`);
}
