//! What every guest shares: raw preview1 bindings ([`abi`]), thin wrappers over them ([`sys`]) and the list of named
//! checks a guest prints ([`Suite`]).
//!
//! A guest prints one line for each check, in a fixed order, so that the output of two hosts can be compared line by
//! line:
//!
//! ```text
//! ok NAME = VALUE
//! FAIL NAME = VALUE, expected WANTED
//! ```
//!
//! and exits with 1 if any check failed. Values never depend on the host's clock, inode numbers or user.

pub mod abi;
pub mod dirents;
pub mod errno;
pub mod show;
pub mod suite;
pub mod sys;

pub use abi::rights;
pub use dirents::{Dirent, list, parse_dirents};
pub use errno::Errno;
pub use show::Show;
pub use suite::Suite;

/// The first (and only) preopened directory.
pub const ROOT: u32 = 3;
/// A number that no guest ever opens.
pub const UNUSED_FD: u32 = 9_999;
