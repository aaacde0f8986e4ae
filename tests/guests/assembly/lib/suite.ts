// The named checks of one guest in AssemblyScript: the same lines as the guests in Rust print
// (tests/guests/src/suite.rs). It imports nothing itself: a guest says what it prints and exits with.

/** What the runtime calls when it gives up; `--use abort=…` puts it in the place of an import. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

let write: (at: usize, len: usize) => void = lost;
let prefix: string = "";
let failed: bool = false;

function lost(at: usize, len: usize): void {
  unreachable();
}

/** Where the lines go. */
export function printWith(to: (at: usize, len: usize) => void): void {
  write = to;
}

/** Prefixes the names of the checks that follow. */
export function group(name: string): void {
  prefix = name + "/";
}

function line(text: string): void {
  const bytes = String.UTF8.encode(text + "\n");
  write(changetype<usize>(bytes), bytes.byteLength);
}

/** Checks that `got` is `want`, which may list several answers, separated by `|`. */
export function is(name: string, got: string, want: string): void {
  if (want.split("|").includes(got)) {
    line("ok " + prefix + name + " = " + got);
    return;
  }
  failed = true;
  line("FAIL " + prefix + name + " = " + got + ", expected " + want);
}

/** Checks that `got` is true. */
export function yes(name: string, got: bool): void {
  is(name, got ? "true" : "false", "true");
}

/** The status to exit with. */
export function status(): u32 {
  return failed ? 1 : 0;
}

const ERRNO: string[] = (
  "ok 2BIG ACCES ADDRINUSE ADDRNOTAVAIL AFNOSUPPORT AGAIN ALREADY BADF BADMSG BUSY CANCELED CHILD CONNABORTED " +
  "CONNREFUSED CONNRESET DEADLK DESTADDRREQ DOM DQUOT EXIST FAULT FBIG HOSTUNREACH IDRM ILSEQ INPROGRESS INTR INVAL " +
  "IO ISCONN ISDIR LOOP MFILE MLINK MSGSIZE MULTIHOP NAMETOOLONG NETDOWN NETRESET NETUNREACH NFILE NOBUFS NODEV " +
  "NOENT NOEXEC NOLCK NOLINK NOMEM NOMSG NOPROTOOPT NOSPC NOSYS NOTCONN NOTDIR NOTEMPTY NOTRECOVERABLE NOTSOCK " +
  "NOTSUP NOTTY NXIO OVERFLOW OWNERDEAD PERM PIPE PROTO PROTONOSUPPORT PROTOTYPE RANGE ROFS SPIPE SRCH STALE " +
  "TIMEDOUT TXTBSY XDEV NOTCAPABLE"
).split(" ");

/** `ok`, or the name of an errno. */
export function err(errno: i32): string {
  if (errno == 0) return "ok";
  return errno > 0 && errno < ERRNO.length ? "E" + ERRNO[errno] : "errno " + errno.toString();
}

/** A 32-bit number in memory, or the errno's name if the call that wrote it failed. */
export function num(errno: i32, at: usize): string {
  return errno == 0 ? load<u32>(at).toString() : err(errno);
}

/** A 64-bit number in memory, or the errno's name if the call that wrote it failed. */
export function long(errno: i32, at: usize): string {
  return errno == 0 ? load<u64>(at).toString() : err(errno);
}

/** Text in memory, in quotes and on one line. */
export function text(at: usize, len: usize): string {
  return '"' + String.UTF8.decodeUnsafe(at, len).replaceAll("\n", "\\n") + '"';
}

/** A string as bytes in memory: where, and how many. It is kept for the guest's whole life. */
export class Text {
  readonly bytes: ArrayBuffer;
  constructor(text: string) {
    this.bytes = String.UTF8.encode(text);
  }
  get at(): usize {
    return changetype<usize>(this.bytes);
  }
  get len(): usize {
    return this.bytes.byteLength;
  }
}
