//! SHA-256 digests of what a receipt commits to. `docs/receipt.md` is the definition.

pub(super) use crate::digest::unhex;
pub use crate::digest::{Digest, merkle_root};
use crate::fs::Content;
use crate::wasi::{Chunk, Pushed};
use sha2::{Digest as _, Sha256};

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
}
