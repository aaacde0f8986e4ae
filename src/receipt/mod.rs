//! Receipts: what was run and what came of it, so that anyone can prove it by running it again.
//!
//! A [`Receipt`] is a commitment: digests of module, arguments, environment, standard input, files,
//! the limits and the profile on one side, the outcome, digests of all output, and the figures on
//! the other. Its id is the SHA-256 digest of its canonical JSON (RFC 8785). `docs/receipt.md` is
//! the format, for whoever writes a second implementation.
//!
//! To verify, [`Envelope::parse`] reads it, [`Envelope::task`] makes the task again from what the
//! verifier brings (nothing runs before all digests match), and [`compare`] tells the first thing
//! that is different in the second run's receipt. Nothing here touches the host or an engine, so
//! the page and the command line share all of it.

mod adjudicate;
mod checkpoints;
mod commitment;
mod compare;
mod digest;
mod format;
mod given;
mod link;
mod package;
mod parse;
mod rerun;
mod signature;
mod strict;
mod tree;

pub use adjudicate::{Adjudication, Camp, Rejected, Status, adjudicate};
pub use checkpoints::{CheckpointEntry, CheckpointRoot, Parting, parting};
pub use commitment::Secret;
pub use compare::{
    Difference, Verdict, compare, compare_tasks, compare_with, first_different_byte,
};
pub use digest::{Digest, Streams, merkle_root, of_list, of_pushed};
pub use format::{
    Blob, Clock, FORMAT_VERSION, FileChange, FileRoot, LimitPart, List, NoReceipt, OutcomeKind,
    OutcomePart, Profile, Quantity, RandomSource, Receipt, ResultPart, Stdin, StdinKind, TaskPart,
};
pub use given::{Event, Given, MAX_LISTED, MAX_STDIN, Text};
pub use link::{LINK_VERSION, LinkError, MAX_LINK, from_link, to_link};
pub use package::{
    Manifest, PACKAGE_VERSION, Package, PackageError, Unpacked, is_package, pack, pack_linked,
    read_linked, read_package, unpack,
};
pub use parse::{Envelope, MAX_RECEIPT, ParseError};
pub use rerun::{Brought, Refusal, Rerun};
pub use signature::{
    KeyError, MAX_SIGNATURES, PublicKey, SecretKey, Signature, SignatureBytes, TooManySignatures,
    signing_message,
};
pub use tree::{InputFile, InputKind, MAX_HASHED, list_files, root_of};

pub(crate) use crate::digest::shown;
