//! Why a filesystem operation failed.

/// A failed filesystem operation. Each variant has one errno in preview1 (`wasi::Errno`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FsError {
    /// ENOENT
    #[error("no such file or directory")]
    NotFound,
    /// EEXIST
    #[error("it exists already")]
    Exists,
    /// ENOTDIR
    #[error("not a directory")]
    NotDirectory,
    /// EISDIR
    #[error("is a directory")]
    IsDirectory,
    /// ENOTEMPTY
    #[error("the directory is not empty")]
    NotEmpty,
    /// ELOOP
    #[error("too many symbolic links on the way")]
    Loop,
    /// ENAMETOOLONG
    #[error("a name is longer than 255 bytes, or the path longer than 4096")]
    NameTooLong,
    /// EINVAL
    #[error("not a valid argument for this operation")]
    Invalid,
    /// EINVAL
    #[error("the path holds a NUL, or the name a slash")]
    IllegalName,
    /// EPERM
    #[error("the path leads out of the directory it starts from")]
    Escape,
    /// EPERM
    #[error("operation not permitted")]
    NotPermitted,
    /// EBUSY
    #[error("the directory is in use")]
    Busy,
    /// EFBIG
    #[error("the file would be larger than 2^63 - 1 bytes")]
    TooBig,
    /// EMLINK
    #[error("too many links")]
    TooManyLinks,
    /// ENOSPC
    #[error("the filesystem holds as many files as it may")]
    NoSpace,
    /// EROFS
    #[error("it is read-only")]
    ReadOnly,
}
