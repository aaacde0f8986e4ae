//! Signatures beside a receipt: who stands for it. Ed25519 (RFC 8032) over the receipt's id.
//!
//! A signature says that whoever has the secret key signed this id, and nothing of whether the
//! receipt is true: that a second run tells.

use super::compare::Difference;
use super::digest::{Digest, unhex};
use super::parse::Envelope;
use crate::task::hex;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// What is signed first, so that a signature is never one of anything else.
const DOMAIN: &[u8] = b"verirun-receipt-v1\0";

/// The most signatures that stand beside a receipt.
pub const MAX_SIGNATURES: usize = 64;

/// A public key; in JSON 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 32]);

/// Why something is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not written as one.
    #[error(
        "`{0}` is no public key, which is 64 digits from 0 to 9 and a to f, as `verirun keygen` prints it"
    )]
    Text(String),
    /// It is no point of the curve that a key can be.
    #[error("`{0}` is no Ed25519 public key: nobody can have a secret key to it")]
    Point(PublicKey),
    /// It is not written as a secret key.
    #[error("a secret key has {most} bytes, not {0}", most = SecretKey::LENGTH)]
    Length(usize),
}

impl PublicKey {
    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// If they are no key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = unhex(text).and_then(|bytes| bytes.try_into().ok());
        let key = Self(bytes.ok_or_else(|| KeyError::Text(super::shown(text)))?);
        key.point().map(|_| key).ok_or(KeyError::Point(key))
    }

    /// The key as a point; `None` for what is none, is written in another way than the shortest, or
    /// is of small order, with which a signature would say nothing.
    fn point(&self) -> Option<VerifyingKey> {
        let point = VerifyingKey::from_bytes(&self.0).ok()?;
        let canonical = point.to_edwards().compress().to_bytes() == self.0;
        (canonical && !point.is_weak()).then_some(point)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The bytes of a signature; in JSON 128 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureBytes(pub [u8; 64]);

impl Serialize for SignatureBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for SignatureBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unhex(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            de::Error::custom(format_args!(
                "`{}` is no signature, which is 128 digits from 0 to 9 and a to f",
                super::shown(&text)
            ))
        })
    }
}

/// A signature beside a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Who signed.
    pub key: PublicKey,
    /// The signature of [`signing_message`].
    pub signature: SignatureBytes,
}

/// What is signed for the receipt with this id: `verirun-receipt-v1`, a byte 0, and the id.
pub fn signing_message(id: Digest) -> Vec<u8> {
    [DOMAIN, &id.0].concat()
}

impl Signature {
    /// Whether it is one of the receipt with this id. Verified strictly: no second signature can be
    /// made of a right one, and all verifiers agree.
    pub fn is_of(&self, id: Digest) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        let point = self.key.point();
        point.is_some_and(|key| key.verify_strict(&signing_message(id), &signature).is_ok())
    }
}

/// A secret key: the 32 bytes that RFC 8032 derives everything from. Its memory is cleared when it
/// is dropped, and it is never printed.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Bytes of a secret key.
    pub const LENGTH: usize = 32;

    /// The key of these bytes, which must be random and secret.
    ///
    /// # Errors
    /// If they are not [`SecretKey::LENGTH`].
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        let seed = bytes.try_into();
        let seed: &[u8; 32] = seed.map_err(|_| KeyError::Length(bytes.len()))?;
        Ok(Self(SigningKey::from_bytes(seed)))
    }

    /// Its bytes.
    pub fn bytes(&self) -> [u8; Self::LENGTH] {
        self.0.to_bytes()
    }

    /// The public key to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The signature of the receipt with this id; always the same.
    pub fn sign(&self, id: Digest) -> Signature {
        Signature {
            key: self.public(),
            signature: SignatureBytes(self.0.sign(&signing_message(id)).to_bytes()),
        }
    }

    /// The text of a key file: JSON, with a line end.
    pub fn to_text(&self) -> String {
        let file = KeyFile {
            public_key: self.public(),
            secret_key: hex(self.0.as_bytes()),
        };
        // Strings only: it can't fail.
        serde_json::to_string(&file).unwrap_or_default() + "\n"
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// What is wrong with it, without showing anything of it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let super::strict::Strict(value) =
            serde_json::from_slice(text).map_err(|_| "it is no JSON".to_owned())?;
        let file: KeyFile = serde_json::from_value(value).map_err(|_| {
            "it does not have `publicKey` and `secretKey`, and only these".to_owned()
        })?;
        let seed = unhex(&file.secret_key).and_then(|seed| Self::new(&seed).ok());
        let key = seed.ok_or("`secretKey` is not 64 digits from 0 to 9 and a to f")?;
        match key.public() == file.public_key {
            true => Ok(key),
            false => Err("its two keys do not belong together".to_owned()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyFile {
    public_key: PublicKey,
    secret_key: String,
}

impl Envelope {
    /// Signs it. A signature of the same key that is there is replaced.
    ///
    /// # Errors
    /// If it has [`MAX_SIGNATURES`] of others.
    pub fn sign(&mut self, key: &SecretKey) -> Result<PublicKey, TooManySignatures> {
        let signature = key.sign(self.id);
        let list = self.signatures.get_or_insert_default();
        match list.binary_search_by_key(&signature.key, |one| one.key) {
            Ok(at) => list[at] = signature,
            Err(_) if list.len() >= MAX_SIGNATURES => return Err(TooManySignatures),
            Err(at) => list.insert(at, signature),
        }
        Ok(signature.key)
    }

    /// Who signed it.
    ///
    /// # Errors
    /// If a signature is wrong: then someone changed something, or never had the key.
    pub fn signers(&self) -> Result<Vec<PublicKey>, Difference> {
        let signatures = self.signatures.iter().flatten();
        let signer = |one: &Signature| match one.is_of(self.id) {
            true => Ok(one.key),
            false => Err(Difference::new(
                "signature",
                format!("{} signed it", one.key),
                format!("that is no signature of {} by this key", self.id),
            )),
        };
        signatures.map(signer).collect()
    }
}

/// There is no room for one more signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has {MAX_SIGNATURES} signatures already, which is the most")]
pub struct TooManySignatures;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_proves_nothing_is_none() {
        let zero = "00".repeat(32);
        let one = format!("01{}", "00".repeat(31));
        // y = p + 1, which some read as 1.
        let long = format!("ee{}7f", "ff".repeat(30));
        // No point of the curve.
        let off = format!("02{}", "00".repeat(31));
        for bad in [&zero, &one, &long, &off] {
            assert!(
                matches!(PublicKey::parse(bad), Err(KeyError::Point(_))),
                "{bad}"
            );
        }
        let capital = "D7".repeat(32);
        for bad in ["", "d75a", &capital] {
            assert!(
                matches!(PublicKey::parse(bad), Err(KeyError::Text(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_key_file_is_read_as_it_is_written_and_no_other() {
        let key = SecretKey::new(&[7; 32]).expect("a key");
        let text = key.to_text();
        let read = SecretKey::parse(text.as_bytes()).expect("the same key");
        assert_eq!(read.public(), key.public());
        let other = SecretKey::new(&[8; 32]).expect("a key").public();
        let secret = "07".repeat(32);
        for (from, to) in [
            (key.public().to_string(), other.to_string()),
            (secret.clone(), secret.replacen("07", "0", 1)),
            ("}".to_owned(), ",\"more\":1}".to_owned()),
            ("{".to_owned(), "{\"secretKey\":\"\",".to_owned()),
        ] {
            let bad = text.replacen(&from, &to, 1);
            assert_ne!(bad, text);
            let error = SecretKey::parse(bad.as_bytes()).err().expect("refused");
            assert!(!error.contains("0707"), "{error}");
        }
        assert!(SecretKey::new(&[1; 31]).is_err());
    }
}
