//! What a task may choose of the deterministic profile: how time passes, and where random bytes
//! come from.

/// How time passes for the guest. Each clock starts at 100 000 000 000 ns
/// (1970-01-01T00:01:40Z); none of the host's is ever read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockMode {
    /// Time stands still; sleeping returns at once.
    #[default]
    Fixed,
    /// One nanosecond a step, and sleeping moves the clock to the end of the sleep at once.
    Virtual,
}

/// Where the bytes of `random_get` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Random {
    /// ChaCha20 keyed by these 32 bytes.
    Seed([u8; 32]),
    /// Every byte is 42, as in Truebit's first runtime.
    TruebitV1,
}

impl Default for Random {
    fn default() -> Self {
        Self::Seed([0; 32])
    }
}

/// A choice that does not exist. The message names the option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No such clock.
    #[error("there is no clock `{0}`")]
    Clock(String),
    /// No such source of random bytes.
    #[error("there is no random source `{0}`")]
    Random(String),
    /// Not a hexadecimal number of 256 bits.
    #[error("the seed `{0}` is not a hexadecimal number of 1 to 64 digits")]
    Seed(String),
    /// A seed for a source that has none.
    #[error("a seed is given, but `truebit-v1` has none: all its bytes are 42")]
    UnusedSeed,
}

impl ProfileError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Clock(_) => "Choose `fixed` or `virtual`.",
            Self::Random(_) => "Choose `seeded` or `truebit-v1`.",
            Self::Seed(_) => "Write digits from 0 to 9 and a to f only, without 0x, such as 2a.",
            Self::UnusedSeed => "Leave the seed out, or choose `seeded`.",
        }
    }
}

/// Text of a user in an error: not more of it than helps.
fn shown(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl std::str::FromStr for ClockMode {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text {
            "fixed" => Ok(Self::Fixed),
            "virtual" => Ok(Self::Virtual),
            _ => Err(ProfileError::Clock(shown(text))),
        }
    }
}

impl Random {
    /// The source called `name` (`seeded` if none is), with a seed: a hexadecimal number of up to
    /// 64 digits, 0 if none is given. Its 32 bytes, the most significant first, are ChaCha20's key.
    ///
    /// # Errors
    /// If there is no such source, or the seed is none, or the source takes none.
    pub fn choose(name: Option<&str>, seed: Option<&str>) -> Result<Self, ProfileError> {
        match (name, seed) {
            (None | Some("seeded"), None) => Ok(Self::default()),
            (None | Some("seeded"), Some(seed)) => parse_seed(seed).map(Self::Seed),
            (Some("truebit-v1"), None) => Ok(Self::TruebitV1),
            (Some("truebit-v1"), Some(_)) => Err(ProfileError::UnusedSeed),
            (Some(name), _) => Err(ProfileError::Random(shown(name))),
        }
    }
}

fn parse_seed(text: &str) -> Result<[u8; 32], ProfileError> {
    let mut key = [0; 32];
    if text.is_empty() || text.len() > 2 * key.len() {
        return Err(ProfileError::Seed(shown(text)));
    }
    for (place, digit) in text.bytes().rev().enumerate() {
        let value = char::from(digit).to_digit(16);
        let value = value.ok_or_else(|| ProfileError::Seed(shown(text)))? as u8;
        key[31 - place / 2] |= value << (4 * (place % 2));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_hexadecimal_number() {
        assert_eq!(Random::choose(None, Some("0")), Ok(Random::default()));
        let key = |text| match Random::choose(Some("seeded"), Some(text)) {
            Ok(Random::Seed(key)) => key,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(key("2a")[30..], [0, 0x2a]);
        assert_eq!(key("F2a")[30..], [0x0f, 0x2a]);
        assert_eq!(key("02A"), key("2a"));
        let long = format!("01{}ff", "0".repeat(60));
        assert_eq!((key(&long)[0], key(&long)[31]), (1, 0xff));
        for bad in ["", "0x2a", "g", "-1", " 1", "ä", &"0".repeat(65)] {
            assert_eq!(
                Random::choose(None, Some(bad)),
                Err(ProfileError::Seed(bad.to_owned())),
                "{bad}"
            );
        }
    }

    #[test]
    fn choices_that_do_not_exist_are_named() {
        assert_eq!(
            Random::choose(Some("truebit-v1"), None),
            Ok(Random::TruebitV1)
        );
        assert_eq!(
            Random::choose(Some("truebit-v1"), Some("1")),
            Err(ProfileError::UnusedSeed)
        );
        assert_eq!(
            Random::choose(Some("os"), None),
            Err(ProfileError::Random("os".to_owned()))
        );
        assert_eq!("virtual".parse(), Ok(ClockMode::Virtual));
        assert_eq!("fixed".parse(), Ok(ClockMode::Fixed));
        assert_eq!(
            "real".parse::<ClockMode>(),
            Err(ProfileError::Clock("real".to_owned()))
        );
    }
}
