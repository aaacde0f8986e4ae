//! SHA-256 digests of what a receipt commits to. `docs/receipt.md` is the definition.

use crate::fs::Content;
use crate::task::hex;
use crate::wasi::{Chunk, Pushed};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest; in JSON 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }

    /// The first digits, for people.
    pub fn short(&self) -> String {
        hex(&self.0[..6])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format_args!(
                "`{}` is no SHA-256 digest, which is 64 digits from 0 to 9 and a to f",
                super::shown(&text)
            ))
        })
    }
}

/// Reads lower-case hexadecimal digits, two a byte.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect()
}

/// The digest of a list of byte strings: for each its length (64 bits, little-endian) and its bytes.
pub fn of_list(items: &[Vec<u8>]) -> Digest {
    let mut hasher = Sha256::new();
    for item in items {
        hasher.update((item.len() as u64).to_le_bytes());
        hasher.update(item);
    }
    Digest(hasher.finalize().into())
}

/// The digest of a file's bytes, holes read as zeros.
pub fn of_content(content: &Content) -> Digest {
    let mut hasher = Sha256::new();
    content.for_each_block(|block| hasher.update(block));
    Digest(hasher.finalize().into())
}

/// What was pushed, with pushes that no call of the guest separates joined into one: how a sender
/// cuts what it sends at one moment can't be seen, and must not change an id.
pub fn joined(log: &[Pushed]) -> Vec<Pushed> {
    let mut events: Vec<Pushed> = Vec::new();
    for event in log {
        match (events.last_mut(), &event.bytes) {
            (
                Some(Pushed {
                    calls,
                    bytes: Some(last),
                }),
                Some(bytes),
            ) if *calls == event.calls => last.extend_from_slice(bytes),
            (_, Some(bytes)) if bytes.is_empty() => {}
            _ => events.push(event.clone()),
        }
    }
    events
}

/// The digest of live input: for each event, as [`joined`] gives them, the number of calls that the
/// guest had completed (64 bits, little-endian), then `p`, the length and the bytes, or `e` for the
/// end.
pub fn of_pushed(events: &[Pushed]) -> Digest {
    let mut hasher = Sha256::new();
    for event in events {
        hasher.update(event.calls.to_le_bytes());
        match &event.bytes {
            Some(bytes) => {
                hasher.update(b"p");
                hasher.update((bytes.len() as u64).to_le_bytes());
                hasher.update(bytes);
            }
            None => hasher.update(b"e"),
        }
    }
    Digest(hasher.finalize().into())
}

/// The root of a Merkle tree over `leaves`, as RFC 6962 builds it: the empty tree is the digest of
/// nothing, a leaf is hashed behind a byte 0, two subtrees behind a byte 1, and the left one is the
/// largest full tree.
pub fn merkle_root(leaves: impl IntoIterator<Item = Vec<u8>>) -> Digest {
    // Full subtrees so far, largest first, each with its number of leaves.
    let mut full: Vec<(u64, Digest)> = Vec::new();
    for leaf in leaves {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(&leaf);
        let mut node = (1, Digest(hasher.finalize().into()));
        while let Some(&(size, left)) = full.last()
            && size == node.0
        {
            full.pop();
            node = (2 * size, join(left, node.1));
        }
        full.push(node);
    }
    let mut right = match full.pop() {
        Some((_, last)) => last,
        None => return Digest::of(b""),
    };
    while let Some((_, left)) = full.pop() {
        right = join(left, right);
    }
    right
}

fn join(left: Digest, right: Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Digest(hasher.finalize().into())
}

/// Standard output and error, digested while they are written.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    hashers: [Sha256; 2],
    sizes: [u64; 2],
}

impl Streams {
    /// Notes a chunk that the run gave.
    pub fn write(&mut self, chunk: &Chunk) {
        let stream = usize::from(chunk.fd != 1);
        self.hashers[stream].update(&chunk.bytes);
        self.sizes[stream] += chunk.bytes.len() as u64;
    }

    /// Bytes so far, both together.
    pub fn total(&self) -> u64 {
        self.sizes[0] + self.sizes[1]
    }

    /// Size and digest of standard output (0) or error (1).
    pub(super) fn stream(&self, stream: usize) -> (u64, Digest) {
        let digest = self.hashers[stream].clone().finalize();
        (self.sizes[stream], Digest(digest.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merkle_roots_are_those_of_certificate_transparency() {
        // The test vectors that implementations of RFC 6962 share.
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let leaves = leaves.map(|leaf| unhex(leaf).expect("hex"));
        for (count, root) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                3,
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ),
            (
                7,
                "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            ),
            (
                8,
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ] {
            let found = merkle_root(leaves[..count].iter().cloned());
            assert_eq!(found.to_string(), root, "{count}");
        }
    }

    #[test]
    fn a_list_can_not_be_cut_in_another_way() {
        let list = |items: &[&str]| {
            of_list(
                &items
                    .iter()
                    .map(|i| i.as_bytes().to_vec())
                    .collect::<Vec<_>>(),
            )
        };
        assert_ne!(list(&["ab"]), list(&["a", "b"]));
        assert_ne!(list(&[""]), list(&[]));
        assert_ne!(list(&["a", ""]), list(&["", "a"]));
    }

    #[test]
    fn how_a_sender_cuts_what_it_sends_does_not_matter_when_it_sends_does() {
        let push = |calls, text: &str| Pushed {
            calls,
            bytes: Some(text.into()),
        };
        let end = |calls| Pushed { calls, bytes: None };
        let digest = |log: &[Pushed]| of_pushed(&joined(log));
        let one = digest(&[push(1, "abc"), end(1)]);
        assert_eq!(
            one,
            digest(&[push(1, "a"), push(1, ""), push(1, "bc"), end(1)])
        );
        assert_ne!(one, digest(&[push(1, "ab"), push(2, "c"), end(2)]));
        assert_ne!(one, digest(&[push(1, "abc"), end(2)]));
        assert_ne!(one, digest(&[push(1, "abc")]));
    }

    #[test]
    fn digests_are_lower_case_and_whole() {
        let text = Digest::of(b"").to_string();
        assert_eq!(Digest::parse(&text), Some(Digest::of(b"")));
        for bad in [
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}0"),
            "",
            "ä",
        ] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }
}
