//! WASI preview1 over the in-memory filesystem, deterministic and engine-independent.
//!
//! An engine hands each call that its guest makes to [`System::call`] together with the guest's
//! memory, and does what the [`Reply`] says. All 46 functions of `wasi_snapshot_preview1` are here,
//! and the 45 of `wasi_unstable` with the layouts that differ. Nothing reads the host: clock,
//! randomness, files and streams are all state of the [`System`].
//!
//! The specification is the witx text of preview1; where it is silent, what wasi-libc relies on and
//! what wasmtime does decides (see `docs/wasi.md`).

mod abi;
mod clock;
mod descriptor;
mod directory;
mod errno;
mod fd;
mod file;
mod memory;
mod open;
mod path;
mod poll;
mod process;
mod record;
pub mod rights;
mod state;
mod stdio;
mod system;
mod trace;

pub use abi::{Abi, Call, Function, Parameter};
pub use clock::{Clock, EPOCH};
pub use descriptor::{Descriptor, Descriptors, MAX_DESCRIPTORS, Object, Stream, fdflags};
pub use errno::Errno;
pub use memory::{Fault, GuestMemory};
pub use record::{Answer, CallLog, Recorded};
pub use rights::Rights;
pub use stdio::{Chunk, Output, Pushed, Stdin};
pub use system::{Exceeded, Reply, Setup, System};
pub use trace::{Answered, Noted, Trace, Tracing};

use system::{Memory, Stop};
