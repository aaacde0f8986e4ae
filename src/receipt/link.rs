//! Share links: a package in the fragment of an address, which no server is sent.
//!
//! A fragment is the character [`LINK_VERSION`] and, in base64url without padding, the package as
//! raw deflate (RFC 1951). The package may have the module's address in place of the module.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The first character of a link's fragment: the version of the format.
pub const LINK_VERSION: char = '1';

/// The most characters of a fragment. Browsers and most programs that pass links on take as many;
/// for more there are package files.
pub const MAX_LINK: usize = 60_000;

/// Why a fragment is no link, or can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It starts with another version.
    #[error("the link has format version `{0}`; this Verirun reads version `{LINK_VERSION}`")]
    Version(char),
    /// It is empty behind the version, or at all.
    #[error("the link is empty")]
    Empty,
    /// It is too long.
    #[error("the link would have {0} characters; one has at most {MAX_LINK}")]
    TooLong(usize),
    /// A character that no link has.
    #[error(
        "the link has a character that does not belong there, `{found}` at position {position}"
    )]
    Character {
        /// The character.
        found: char,
        /// Its place in the fragment, from 1 on.
        position: usize,
    },
    /// It ends too early.
    #[error("the link is cut: its end is missing")]
    Cut,
    /// It is no compressed data.
    #[error("the link is damaged: it does not unpack")]
    Damaged,
    /// It unpacks to more than is allowed.
    #[error("the link would unpack to more than {0} bytes")]
    TooBig(u64),
}

impl LinkError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Version(_) => "Open it with the version of Verirun that made it, or a newer one.",
            Self::TooLong(_) => {
                "Share the task as a package file, or publish the module and give its address."
            }
            Self::TooBig(_) => {
                "Do not trust whoever made it: no link that Verirun makes does that."
            }
            Self::Cut | Self::Empty | Self::Character { .. } | Self::Damaged => {
                "Copy the whole link again: programs that pass links on cut and change long ones."
            }
        }
    }
}

/// The fragment of a link that holds `package`, without `#`.
///
/// # Errors
/// If it gets too long.
pub fn to_link(package: &[u8]) -> Result<String, LinkError> {
    let mut deflater = Compress::new(Compression::best(), false);
    let mut packed = Vec::with_capacity(package.len() / 2 + 1024);
    loop {
        packed.reserve(64 << 10);
        let rest = &package[deflater.total_in() as usize..];
        match deflater.compress_vec(rest, &mut packed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => break,
            Ok(_) => {}
            // Only for a wrong use of it.
            Err(_) => return Err(LinkError::Damaged),
        }
    }
    let mut link = String::from(LINK_VERSION);
    URL_SAFE_NO_PAD.encode_string(&packed, &mut link);
    match link.len() <= MAX_LINK {
        true => Ok(link),
        false => Err(LinkError::TooLong(link.len())),
    }
}

/// The package in a fragment (without `#`), which unpacks to at most `limit` bytes.
///
/// # Errors
/// The first thing that is wrong.
pub fn from_link(fragment: &str, limit: u64) -> Result<Vec<u8>, LinkError> {
    let mut characters = fragment.chars();
    match characters.next() {
        None => return Err(LinkError::Empty),
        Some(LINK_VERSION) => {}
        Some(version) => return Err(LinkError::Version(version)),
    }
    let text = characters.as_str();
    if text.is_empty() {
        return Err(LinkError::Empty);
    }
    if fragment.len() > MAX_LINK {
        return Err(LinkError::TooLong(fragment.len()));
    }
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let foreign = text.chars().enumerate().find(|&(_, c)| !is_digit(c));
    if let Some((index, found)) = foreign {
        let position = index + 2;
        return Err(LinkError::Character { found, position });
    }
    // What is left of a character group that was cut says nothing more.
    let whole = &text[..text.len() - usize::from(text.len() % 4 == 1)];
    let packed = URL_SAFE_NO_PAD.decode(whole);
    // The last group may hold bits that none would set: then it is not the end that was there.
    inflate(&packed.map_err(|_| LinkError::Cut)?, limit)
}

fn inflate(packed: &[u8], limit: u64) -> Result<Vec<u8>, LinkError> {
    /// By how much the room for the result grows.
    const ROOM: usize = 64 << 10;
    let mut inflater = Decompress::new(false);
    let mut bytes = Vec::new();
    loop {
        bytes.reserve(ROOM);
        let before = (inflater.total_in(), inflater.total_out());
        let rest = &packed[before.0 as usize..];
        let status = inflater.decompress_vec(rest, &mut bytes, FlushDecompress::None);
        if bytes.len() as u64 > limit {
            return Err(LinkError::TooBig(limit));
        }
        match status {
            Ok(Status::StreamEnd) if inflater.total_in() == packed.len() as u64 => {
                return Ok(bytes);
            }
            Ok(Status::StreamEnd) | Err(_) => return Err(LinkError::Damaged),
            // All is read, and it asks for more.
            Ok(_) if (inflater.total_in(), inflater.total_out()) == before => {
                return Err(LinkError::Cut);
            }
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1 << 20;

    /// Bytes that do not compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_goes_in_comes_out() {
        for bytes in [vec![0], b"text".repeat(5000), noise(40_000)] {
            let link = to_link(&bytes).expect("short enough");
            assert_eq!(from_link(&link, LIMIT).expect("whole"), bytes);
            assert_eq!(to_link(&bytes).expect("short enough"), link);
        }
    }

    #[test]
    fn too_much_for_a_link_is_refused() {
        let error = to_link(&noise(50_000)).expect_err("too long");
        assert!(matches!(error, LinkError::TooLong(length) if length > MAX_LINK));
    }

    #[test]
    fn a_link_that_is_cut_anywhere_says_so() {
        let link = to_link(&noise(300)).expect("short enough");
        for end in 2..link.len() {
            let error = from_link(&link[..end], LIMIT).expect_err("cut");
            assert_eq!(error, LinkError::Cut, "at {end}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let link = to_link(&vec![0; 30 << 20]).expect("it packs well");
        assert_eq!(from_link(&link, LIMIT), Err(LinkError::TooBig(LIMIT)));
    }

    #[test]
    fn what_is_no_link_is_told_as_what_it_is() {
        let link = to_link(b"some text that is packed").expect("short enough");
        let long = format!("1{}", "A".repeat(MAX_LINK));
        for (text, error) in [
            ("", LinkError::Empty),
            ("1", LinkError::Empty),
            ("2abc", LinkError::Version('2')),
            ("ä", LinkError::Version('ä')),
            (
                "1ab+c",
                LinkError::Character {
                    found: '+',
                    position: 4,
                },
            ),
            (
                "1ab%3D",
                LinkError::Character {
                    found: '%',
                    position: 4,
                },
            ),
            (&long, LinkError::TooLong(MAX_LINK + 1)),
            // A deflate block of a type that there is none of.
            ("1____", LinkError::Damaged),
            (&format!("{link}AAAA"), LinkError::Damaged),
        ] {
            assert_eq!(from_link(text, LIMIT), Err(error), "{text:.20}");
        }
    }
}
