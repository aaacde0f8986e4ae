//! Rights: what may be done with a descriptor, and with those opened through it.

/// A set of `rights` bits of preview1.
pub type Rights = u64;

macro_rules! rights {
    ($($name:ident = $bit:literal),* $(,)?) => {
        $(#[allow(missing_docs)] pub const $name: Rights = 1 << $bit;)*
    };
}

rights! {
    FD_DATASYNC = 0, FD_READ = 1, FD_SEEK = 2, FD_FDSTAT_SET_FLAGS = 3, FD_SYNC = 4, FD_TELL = 5,
    FD_WRITE = 6, FD_ADVISE = 7, FD_ALLOCATE = 8, PATH_CREATE_DIRECTORY = 9, PATH_CREATE_FILE = 10,
    PATH_LINK_SOURCE = 11, PATH_LINK_TARGET = 12, PATH_OPEN = 13, FD_READDIR = 14,
    PATH_READLINK = 15, PATH_RENAME_SOURCE = 16, PATH_RENAME_TARGET = 17, PATH_FILESTAT_GET = 18,
    PATH_FILESTAT_SET_SIZE = 19, PATH_FILESTAT_SET_TIMES = 20, FD_FILESTAT_GET = 21,
    FD_FILESTAT_SET_SIZE = 22, FD_FILESTAT_SET_TIMES = 23, PATH_SYMLINK = 24,
    PATH_REMOVE_DIRECTORY = 25, PATH_UNLINK_FILE = 26, POLL_FD_READWRITE = 27, SOCK_SHUTDOWN = 28,
    SOCK_ACCEPT = 29,
}

/// Every right that preview1 defines.
pub const ALL: Rights = (1 << 30) - 1;

/// The rights that make sense on a regular file.
pub const FILE: Rights = FD_DATASYNC
    | FD_READ
    | FD_SEEK
    | FD_FDSTAT_SET_FLAGS
    | FD_SYNC
    | FD_TELL
    | FD_WRITE
    | FD_ADVISE
    | FD_ALLOCATE
    | FD_FILESTAT_GET
    | FD_FILESTAT_SET_SIZE
    | FD_FILESTAT_SET_TIMES
    | POLL_FD_READWRITE;

/// The rights that make sense on a directory.
pub const DIRECTORY: Rights = FD_DATASYNC
    | FD_FDSTAT_SET_FLAGS
    | FD_SYNC
    | FD_ADVISE
    | PATH_CREATE_DIRECTORY
    | PATH_CREATE_FILE
    | PATH_LINK_SOURCE
    | PATH_LINK_TARGET
    | PATH_OPEN
    | FD_READDIR
    | PATH_READLINK
    | PATH_RENAME_SOURCE
    | PATH_RENAME_TARGET
    | PATH_FILESTAT_GET
    | PATH_FILESTAT_SET_SIZE
    | PATH_FILESTAT_SET_TIMES
    | FD_FILESTAT_GET
    | FD_FILESTAT_SET_TIMES
    | PATH_SYMLINK
    | PATH_REMOVE_DIRECTORY
    | PATH_UNLINK_FILE
    | POLL_FD_READWRITE;

/// The rights that come with write access to a file.
const WRITING: Rights = FD_ALLOCATE | FD_FILESTAT_SET_SIZE;

/// The rights to change a file.
pub const CHANGING: Rights = FD_WRITE | WRITING | FD_FILESTAT_SET_TIMES;

/// The rights that a file opened with the rights `asked` gets, out of those that may be
/// `inherited`.
///
/// A program that asks for more than reading and writing knows about rights, and gets what it asks
/// for, as the specification says. One that asks for reading or writing alone gets the rest along
/// with it, as on wasmtime: programs (its own tests too) open a file to read and then seek.
pub fn of_file(asked: Rights, inherited: Rights) -> Rights {
    let asked = asked & FILE;
    let mut granted = asked;
    if asked & !(FD_READ | FD_WRITE) == 0 {
        granted |= FILE & !(FD_READ | FD_WRITE | WRITING);
        if asked & FD_WRITE != 0 {
            granted |= WRITING;
        }
    }
    granted & inherited
}

/// The base and inheriting rights of a directory opened with `asked` inheriting rights: every right
/// of a directory, and where nothing is asked to be inherited all that may be (see [`of_file`]).
pub fn of_directory(asked: Rights, inherited: Rights) -> (Rights, Rights) {
    let inheriting = match asked & ALL {
        0 => inherited,
        asked => asked,
    };
    (DIRECTORY & inherited, inheriting)
}

/// The rights of a stream that is read. Neither SEEK nor TELL: that is how a libc tells a terminal.
pub const STREAM_IN: Rights = FD_READ | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE;

/// The rights of a stream that is written.
pub const STREAM_OUT: Rights =
    FD_WRITE | FD_FDSTAT_SET_FLAGS | FD_DATASYNC | FD_SYNC | FD_FILESTAT_GET | POLL_FD_READWRITE;
