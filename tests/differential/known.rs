//! Where Verirun and `wasmi_wasi` answer differently, who is right, and why.
//!
//! `wasmi_wasi` 2 is wasi-common 36 over cap-std 3, which on Linux makes the system calls itself. What is said of a guest
//! holds for its double for `wasi_unstable` too; an entry for `unstable/…` is about the double alone.

/// One difference.
pub struct Difference {
    /// The guest.
    pub guest: &'static str,
    /// The check; a `*` at the end stands for any rest.
    pub name: &'static str,
    /// Who is right and why.
    pub why: &'static str,
}

const fn differs(guest: &'static str, name: &'static str, why: &'static str) -> Difference {
    Difference { guest, name, why }
}

const CPU_CLOCKS: &str = "Verirun: the specification lists four clocks, and the profile defines them all; wasi-common has two (EBADF).";
const FAILED: &str =
    "The guest's own status: a check that wasi-common does not pass fails it there.";
const NO_PREOPEN: &str = "Verirun: wasi-libc's search ends at EBADF; wasi-common says ENOTSUP for a directory that was \
                          opened by the guest.";
const RIGHTS: &str = "Verirun: the specification's errno for a missing right is ENOTCAPABLE; wasi-common knows only \
                      an access mode and says EBADF.";
const RMDIR_SLASH: &str =
    "Verirun: POSIX lets rmdir take a directory's name with a slash; cap-std answers EINVAL.";
const FAULTS: &str = "Either: the specification says both that such a call traps and that EFAULT exists. Verirun \
                      returns EFAULT, wasi-common traps at the first bad pointer.";
const RENAME_SLASH: &str = "Verirun: POSIX forbids a slash after the name of what is no directory; cap-std drops \
                            the slash.";
const ENFORCED: &str = "Verirun: the specification lets rights be removed and asks for ENOTCAPABLE after that; \
                        wasi-common keeps no rights.";
const OPEN_ORDER: &str =
    "Either: two reasons to refuse at once, and the specification gives no order.";
const LARGEST: &str = "Either: no file is that long; Linux says EINVAL where the end overflows.";
const REALTIME: &str =
    "Verirun: the specification allows it; wasi-common has no absolute wall clock subscriptions.";
const STREAMS: &str = "Either: the specification names no errno for this on a stream or directory.";
const NO_SOCKET: &str = "Verirun: the specification has ENOTSOCK for this; wasi-common says EBADF.";
const UNDEFINED: &str =
    "Either: the specification names no errno. Verirun returns EINVAL; wiggle traps.";
const COOKIES: &str =
    "Verirun: cookies stay good while the directory changes; wasi-common counts entries.";

const POLL_SNAPSHOT_0: &str = "Verirun: wasi-common collects the descriptors that snapshot 0's poll_oneoff is asked \
                               about and then waits for the clocks alone: no event, for which the guest gives up.";
const NO_SOCKETS_AT_ALL: &str = "Verirun: the functions are there, and ENOTSOCK is the answer; wasi-common's snapshot 0 \
                                 traps in all of them, and in proc_raise.";

/// All of them.
pub const KNOWN: &[Difference] = &[
    differs("as_unstable", "poll/*", POLL_SNAPSHOT_0),
    differs("as_unstable", "descriptors/none can be gained", ENFORCED),
    differs("as_unstable", "others/*", NO_SOCKETS_AT_ALL),
    differs("as_unstable", "(end)", NO_SOCKETS_AT_ALL),
    differs("unstable/poll", "file/*", POLL_SNAPSHOT_0),
    differs("unstable/poll", "directory/*", POLL_SNAPSHOT_0),
    differs("unstable/poll", "several/*", POLL_SNAPSHOT_0),
    differs("unstable/poll", "stdio/*", POLL_SNAPSHOT_0),
    differs("unstable/poll", "(file) *", POLL_SNAPSHOT_0),
    differs("clock", "process cputime/*", CPU_CLOCKS),
    differs("clock", "thread cputime/*", CPU_CLOCKS),
    differs("clock", "(end)", FAILED),
    differs(
        "descriptors",
        "preopen/prestat of another directory",
        NO_PREOPEN,
    ),
    differs(
        "descriptors",
        "preopen moves/the number is no preopen now",
        NO_PREOPEN,
    ),
    differs("entries", "rmdir/*", RMDIR_SLASH),
    differs("entries", "(file) slash", RMDIR_SLASH),
    differs("entries", "(end)", FAILED),
    differs("entries", "readlink/in a file", STREAMS),
    differs("faults", "*", FAULTS),
    differs("open", "directory/with all rights", OPEN_ORDER),
    differs("open", "trailing slash/file, creat", OPEN_ORDER),
    differs("open", "nofollow/symlink to a directory", OPEN_ORDER),
    differs("poll", "realtime/absolute in the past", REALTIME),
    differs("poll", "(end)", FAILED),
    differs(
        "read_write",
        "positioned/pwrite at the largest offset",
        LARGEST,
    ),
    differs("readdir", "changing/*", COOKIES),
    differs("readdir", "(end)", FAILED),
    differs("rename", "slash/*", RENAME_SLASH),
    differs("rename", "(end)", FAILED),
    differs("rename", "(file) *", RENAME_SLASH),
    differs("rights", "*", ENFORCED),
    differs("size_times", "size/of *", STREAMS),
    differs("size_times", "allocate/on a read-only one", RIGHTS),
    differs("size_times", "advise/on *", STREAMS),
    differs("size_times", "sync/*", STREAMS),
    differs("size_times", "stat/in a file", STREAMS),
    differs("size_times", "path times/in a file", STREAMS),
    differs("sockets", "*", NO_SOCKET),
    differs("undefined", "*", UNDEFINED),
];
