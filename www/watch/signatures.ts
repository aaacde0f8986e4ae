/** The parameters of preview1's functions, by name, and how a call reads. No DOM. */
import type { CallEntry } from "../face";

/**
 * In the order of the arguments. `*name` is an address, `path` an address and a length that stand for a path, and
 * `>name` the address of what the call gives back.
 */
const PARAMETERS: Record<string, string> = {
  args_get: "*argv *argv_buf",
  args_sizes_get: ">argc >argv_buf_size",
  environ_get: "*environ *environ_buf",
  environ_sizes_get: ">count >buf_size",
  clock_res_get: "clock >resolution",
  clock_time_get: "clock precision >time",
  fd_advise: "fd offset len advice",
  fd_allocate: "fd offset len",
  fd_close: "fd",
  fd_datasync: "fd",
  fd_fdstat_get: "fd >stat",
  fd_fdstat_set_flags: "fd flags",
  fd_fdstat_set_rights: "fd base inheriting",
  fd_filestat_get: "fd >stat",
  fd_filestat_set_size: "fd size",
  fd_filestat_set_times: "fd atim mtim flags",
  fd_pread: "fd *iovs count offset >read",
  fd_prestat_get: "fd >prestat",
  fd_prestat_dir_name: "fd *buf len",
  fd_pwrite: "fd *iovs count offset >written",
  fd_read: "fd *iovs count >read",
  fd_readdir: "fd *buf len cookie >used",
  fd_renumber: "fd to",
  fd_seek: "fd offset whence >position",
  fd_sync: "fd",
  fd_tell: "fd >position",
  fd_write: "fd *iovs count >written",
  path_create_directory: "fd path",
  path_filestat_get: "fd flags path >stat",
  path_filestat_set_times: "fd flags path atim mtim times",
  path_link: "fd flags path to_fd path",
  path_open: "fd dirflags path oflags rights inheriting fdflags >fd",
  path_readlink: "fd path *buf len >used",
  path_remove_directory: "fd path",
  path_rename: "fd path to_fd path",
  path_symlink: "path fd path",
  path_unlink_file: "fd path",
  poll_oneoff: "*in *out count >events",
  proc_exit: "code",
  proc_raise: "signal",
  random_get: "*buf len",
  sched_yield: "",
  sock_accept: "fd flags >fd",
  sock_recv: "fd *iovs count flags >read >flags",
  sock_send: "fd *iovs count flags >sent",
  sock_shutdown: "fd how",
};

const FLAGS: Record<string, readonly string[]> = {
  oflags: ["creat", "directory", "excl", "trunc"],
  fdflags: ["append", "dsync", "nonblock", "rsync", "sync"],
};

/** Signed, though arguments come as unsigned numbers. */
const SIGNED = new Set(["fd_seek offset"]);
/** Masks of rights are long and tell people nothing. */
const HIDDEN = new Set(["rights", "inheriting", "base", "dirflags", "precision"]);

/** The arguments of a call as people read them. */
export function argumentsText({ function: name, args, paths }: CallEntry): string {
  const parameters = PARAMETERS[name]?.split(" ").filter((parameter) => parameter !== "");
  if (!parameters) return args.join(", ");
  const shown: string[] = [];
  let at = 0;
  let path = 0;
  for (const parameter of parameters) {
    const value = args[at] ?? "0";
    at += 1;
    if (parameter === "path") {
      at += 1;
      shown.push(JSON.stringify(paths[path] ?? "?"));
      path += 1;
    } else if (parameter.startsWith("*")) {
      shown.push(`${parameter.slice(1)}=0x${BigInt(value).toString(16)}`);
    } else if (FLAGS[parameter]) {
      const set = FLAGS[parameter].filter((_, bit) => (Number(value) >> bit) & 1);
      if (set.length > 0) shown.push(set.join("|"));
    } else if (!parameter.startsWith(">") && !HIDDEN.has(parameter)) {
      const number = SIGNED.has(`${name} ${parameter}`) ? BigInt.asIntN(64, BigInt(value)) : value;
      shown.push(`${parameter}=${number}`);
    }
  }
  return shown.join(", ");
}

/** What came of a call. */
export function answerText({ function: name, answer, errno, result }: CallEntry): string {
  if (errno === null) return answer;
  if (errno !== 0) return `${answer} (${errno})`;
  if (result === null) return "ok";
  const what = PARAMETERS[name]?.split(" ").find((parameter) => parameter.startsWith(">"))?.slice(1) ?? "result";
  return `${what} = ${result}`;
}
