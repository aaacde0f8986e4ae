//! An instrumented module as bytes, to be kept and taken again.
//!
//! A digest tells what was damaged. Nothing here tells whether what is taken is what instrumenting would
//! make: whoever keeps it answers for that (`docs/engines.md`).

use super::{Metered, MeteredId, StateExports};
use serde::{Deserialize, Serialize};

/// What comes before the binary.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    /// What it was made of, and how.
    of: String,
    start: Option<String>,
    left: String,
    place: Option<String>,
    memory_pages: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<StateExports>,
}

/// Bytes of the digest.
const DIGEST: usize = 32;
/// Bytes of the head's length.
const LENGTH: usize = 4;

impl Metered {
    /// The BLAKE3 hash of what follows, the length of a head (4 bytes, little-endian), the head (JSON),
    /// the binary. `of` says what it was made of, and how.
    pub fn to_bytes(&self, of: &str) -> Vec<u8> {
        let head = Head {
            of: of.to_owned(),
            start: self.start.clone(),
            left: self.left.clone(),
            place: self.place.clone(),
            memory_pages: self.memory_pages,
            state: self.state.clone(),
        };
        // Strings and numbers: it can't fail.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = Vec::with_capacity(DIGEST + LENGTH + head.len() + self.wasm.len());
        bytes.extend([0; DIGEST]);
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend(head);
        bytes.extend(&self.wasm);
        let digest = blake3::hash(&bytes[DIGEST..]);
        bytes[..DIGEST].copy_from_slice(digest.as_bytes());
        bytes
    }

    /// What [`Metered::to_bytes`] made, of the same; `None` for anything else.
    pub fn from_bytes(of: &str, bytes: &[u8]) -> Option<Self> {
        let (digest, bytes) = bytes.split_first_chunk::<DIGEST>()?;
        if blake3::hash(bytes).as_bytes() != digest {
            return None;
        }
        let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
        let (head, wasm) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        (head.of == of && wasm.starts_with(b"\0asm")).then(|| Self {
            id: MeteredId::fresh(),
            wasm: wasm.to_vec(),
            start: head.start,
            left: head.left,
            place: head.place,
            memory_pages: head.memory_pages,
            state: head.state,
            profiled: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_is_taken() {
        let made = Metered {
            id: MeteredId::fresh(),
            wasm: b"\0asm and more".to_vec(),
            start: Some("a \"start\"".to_owned()),
            left: "left".to_owned(),
            place: None,
            memory_pages: 1 << 40,
            state: None,
            profiled: false,
        };
        let bytes = made.to_bytes("this");
        let taken = Metered::from_bytes("this", &bytes).expect("it is one");
        assert_eq!(taken.wasm, made.wasm);
        assert_eq!(taken.start, made.start);
        assert_eq!(taken.left, made.left);
        assert_eq!(taken.place, made.place);
        assert_eq!(taken.memory_pages, made.memory_pages);
        for end in 0..bytes.len() {
            let cut = Metered::from_bytes("this", &bytes[..end]);
            assert!(cut.is_none(), "{end}");
            let mut damaged = bytes.clone();
            damaged[end] ^= 1;
            let damaged = Metered::from_bytes("this", &damaged);
            assert!(damaged.is_none(), "{end}");
        }
        assert!(Metered::from_bytes("that", &bytes).is_none());
        // A head that says it is longer than all there is.
        let mut long = bytes;
        long[DIGEST + 3] = 0xff;
        let digest = blake3::hash(&long[DIGEST..]);
        long[..DIGEST].copy_from_slice(digest.as_bytes());
        assert!(Metered::from_bytes("this", &long).is_none());
    }
}
