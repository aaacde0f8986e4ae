//! Commit and reveal: to show that one had a result before seeing anyone else's.

use super::digest::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is hashed first, so that a commitment is never the digest of anything else.
const DOMAIN: &[u8] = b"verirun-commit-v1\0";

/// What stays secret until the reveal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// 32 random bytes. Without them everyone could try the likely results.
    pub salt: Digest,
    /// Who commits. A commitment that someone copies is not theirs, since it says another name.
    pub name: String,
}

impl Secret {
    /// The commitment to the receipt with this id: SHA-256 of `verirun-commit-v1` and a byte 0, the
    /// length of the name in bytes (64 bits, little-endian), the name, the salt, and the id.
    pub fn commitment(&self, id: Digest) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update((self.name.len() as u64).to_le_bytes());
        hasher.update(self.name.as_bytes());
        hasher.update(self.salt.0);
        hasher.update(id.0);
        Digest(hasher.finalize().into())
    }
}
