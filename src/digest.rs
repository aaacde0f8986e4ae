//! SHA-256 digests, and Merkle trees of them.

use crate::task::hex;
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
                shown(&text)
            ))
        })
    }
}

/// Reads lower-case hexadecimal digits, two a byte.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
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

/// The root of a Merkle tree over `leaves`, as RFC 6962 builds it: the empty tree is the digest of
/// nothing, a leaf is hashed behind a byte 0, two subtrees behind a byte 1, and the left one is the
/// largest full tree.
pub fn merkle_root(leaves: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Digest {
    root_of_nodes(leaves.into_iter().map(|leaf| leaf_node(leaf.as_ref())))
}

/// A leaf of such a tree.
pub(crate) fn leaf_node(leaf: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(leaf);
    Digest(hasher.finalize().into())
}

/// The root over nodes: leaves, or full subtrees of one size.
pub(crate) fn root_of_nodes(nodes: impl IntoIterator<Item = Digest>) -> Digest {
    join_nodes(nodes, join).unwrap_or_else(|| Digest::of(b""))
}

/// The root over nodes with another `join`; `None` over none.
pub(crate) fn join_nodes(
    nodes: impl IntoIterator<Item = Digest>,
    join: fn(Digest, Digest) -> Digest,
) -> Option<Digest> {
    // Full subtrees so far, largest first, each with its number of nodes.
    let mut full: Vec<(u64, Digest)> = Vec::new();
    for node in nodes {
        let mut node = (1, node);
        while let Some(&(size, left)) = full.last()
            && size == node.0
        {
            full.pop();
            node = (2 * size, join(left, node.1));
        }
        full.push(node);
    }
    let (_, mut right) = full.pop()?;
    while let Some((_, left)) = full.pop() {
        right = join(left, right);
    }
    Some(right)
}

fn join(left: Digest, right: Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Digest(hasher.finalize().into())
}

/// Text of a stranger in an error: not more of it than helps, and nothing that moves a cursor.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN: usize = 200;
    let clean = text.chars().map(|c| if c.is_control() { '?' } else { c });
    let mut short: String = clean.take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
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
