//! Output on its way to whoever watches the run.
//!
//! A run that is made again on another engine writes again what was delivered already. That is held
//! back, and compared by its digest: what was shown stays true, or the run fails.

use crate::wasi::Chunk;
use sha2::{Digest, Sha256};

/// What was written to one of the two streams.
#[derive(Debug, Clone, Default)]
struct Written {
    hasher: Sha256,
    bytes: u64,
}

impl Written {
    fn digest(&self) -> [u8; 32] {
        self.hasher.clone().finalize().into()
    }
}

/// What was delivered before, and is not delivered again.
#[derive(Debug, Clone, Copy)]
struct Owed {
    digest: [u8; 32],
    bytes: u64,
}

/// The output of one run, on one engine or again on another.
#[derive(Debug, Clone, Default)]
pub(super) struct Delivery {
    /// Whether digests are kept: not where no other engine can come into play.
    digests: bool,
    written: [Written; 2],
    owed: [Option<Owed>; 2],
    differs: bool,
}

impl Delivery {
    pub fn with_digests() -> Self {
        Self {
            digests: true,
            ..Self::default()
        }
    }

    /// From here on the run is made again from its start.
    pub fn again(&mut self) {
        for (written, owed) in self.written.iter_mut().zip(&mut self.owed) {
            // What an earlier repetition still had to show is more than it wrote itself.
            *owed = owed.take().or((written.bytes > 0).then(|| Owed {
                digest: written.digest(),
                bytes: written.bytes,
            }));
            *written = Written::default();
        }
    }

    /// Notes output; returns what of it was not delivered before.
    pub fn pass(&mut self, chunks: Vec<Chunk>) -> Vec<Chunk> {
        if !self.digests {
            return chunks;
        }
        let new = chunks.into_iter().map(|mut chunk| {
            let stream = usize::from(chunk.fd == 2);
            let written = &mut self.written[stream];
            let repeated = self.owed[stream].map_or(0, |owed| {
                (owed.bytes - written.bytes).min(chunk.bytes.len() as u64) as usize
            });
            let rest = chunk.bytes.split_off(repeated);
            written.hasher.update(&chunk.bytes);
            written.bytes += chunk.bytes.len() as u64;
            if let Some(owed) = self.owed[stream]
                && owed.bytes == written.bytes
            {
                self.differs |= owed.digest != written.digest();
                self.owed[stream] = None;
            }
            written.hasher.update(&rest);
            written.bytes += rest.len() as u64;
            chunk.bytes = rest;
            chunk
        });
        new.filter(|chunk| !chunk.bytes.is_empty()).collect()
    }

    /// Whether what was delivered is not what the run, which is over, wrote.
    pub fn is_untrue(&self) -> bool {
        self.differs || self.owed.iter().any(Option::is_some)
    }

    /// The first stream that differs from that of another run: 1 or 2.
    pub fn difference(&self, other: &Self) -> Option<u8> {
        let same = |stream: usize| {
            let (a, b) = (&self.written[stream], &other.written[stream]);
            a.bytes == b.bytes && a.digest() == b.digest()
        };
        (1..=2).find(|&fd| !same(usize::from(fd - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(fd: u8, text: &str) -> Chunk {
        Chunk {
            fd,
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn what_was_delivered_is_held_back_and_the_rest_comes() {
        let mut delivery = Delivery::with_digests();
        delivery.pass(vec![chunk(1, "abc"), chunk(2, "x")]);
        delivery.again();
        assert_eq!(delivery.pass(vec![chunk(1, "a")]), []);
        assert!(delivery.is_untrue(), "there is more to come");
        let new = delivery.pass(vec![chunk(1, "bcd"), chunk(2, "xy"), chunk(1, "e")]);
        assert_eq!(new, [chunk(1, "d"), chunk(2, "y"), chunk(1, "e")]);
        assert!(!delivery.is_untrue());
    }

    #[test]
    fn other_output_than_was_delivered_is_noticed() {
        for (again, untrue) in [("abc", false), ("abd", true), ("ab", true), ("abcd", false)] {
            let mut delivery = Delivery::with_digests();
            delivery.pass(vec![chunk(1, "abc")]);
            delivery.again();
            delivery.pass(vec![chunk(1, again)]);
            assert_eq!(delivery.is_untrue(), untrue, "{again}");
        }
    }

    #[test]
    fn a_third_time_still_owes_what_the_first_delivered() {
        let mut delivery = Delivery::with_digests();
        delivery.pass(vec![chunk(1, "abcd")]);
        delivery.again();
        delivery.pass(vec![chunk(1, "ab")]);
        delivery.again();
        assert_eq!(delivery.pass(vec![chunk(1, "abcde")]), [chunk(1, "e")]);
        assert!(!delivery.is_untrue());
    }
}
