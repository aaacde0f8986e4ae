//! Signatures of receipts, for the page: no browser's own Ed25519 is needed.
//!
//! A page keeps a secret key as it likes (these 32 bytes); nothing here stores one or sends one.

use super::{throw, to_js};
use crate::receipt::{
    Digest, Envelope, KeyError, ParseError, PublicKey, SecretKey, TooManySignatures,
    signing_message as message,
};
use js_sys::{Object, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

impl From<ParseError> for JsValue {
    fn from(error: ParseError) -> Self {
        throw("bad-receipt", &error.to_string(), error.hint())
    }
}

impl From<KeyError> for JsValue {
    fn from(error: KeyError) -> Self {
        throw("bad-key", &error.to_string(), "Check the key, or make one.")
    }
}

impl From<TooManySignatures> for JsValue {
    fn from(error: TooManySignatures) -> Self {
        throw(
            "too-many-signatures",
            &error.to_string(),
            "Sign a copy of the receipt without them.",
        )
    }
}

/// A key from 32 bytes of `crypto.getRandomValues`, which must be used for nothing else:
/// `{publicKey: hex, secretKey: Uint8Array}`.
#[wasm_bindgen(js_name = generateKey)]
pub fn generate_key(random: &[u8]) -> Result<Object, JsValue> {
    let key = SecretKey::new(random)?;
    let object = Object::new();
    let public = key.public().to_string();
    Reflect::set(&object, &"publicKey".into(), &public.into())?;
    Reflect::set(&object, &"secretKey".into(), &Uint8Array::from(random))?;
    Ok(object)
}

/// The text of a key file as `verirun keygen` writes it.
#[wasm_bindgen(js_name = keyFile)]
pub fn key_file(secret: &[u8]) -> Result<String, JsValue> {
    Ok(SecretKey::new(secret)?.to_text())
}

/// The secret key in a key file, 32 bytes.
#[wasm_bindgen(js_name = readKeyFile)]
pub fn read_key_file(text: &[u8]) -> Result<Uint8Array, JsValue> {
    let key = SecretKey::parse(text).map_err(|cause| {
        let message = format!("this is no key file: {cause}");
        throw("bad-key", &message, "Choose the file that was saved.")
    })?;
    Ok(Uint8Array::from(&key.bytes()[..]))
}

/// The receipt's file with a signature by this key added. All else in it stays.
#[wasm_bindgen(js_name = signReceipt)]
pub fn sign_receipt(receipt: &str, secret: &[u8]) -> Result<String, JsValue> {
    let mut envelope = Envelope::parse(receipt.as_bytes())?;
    envelope.sign(&SecretKey::new(secret)?)?;
    Ok(envelope.to_text())
}

/// A signature: whose, and whether it is one of the receipt.
#[derive(Serialize)]
pub(super) struct Checked {
    key: PublicKey,
    valid: bool,
}

/// All signatures beside a receipt.
pub(super) fn checked(envelope: &Envelope) -> Vec<Checked> {
    let signatures = envelope.signatures.iter().flatten();
    let check = signatures.map(|one| Checked {
        key: one.key,
        valid: one.is_of(envelope.id),
    });
    check.collect()
}

/// The signatures beside a receipt: `{key, valid}` each.
#[wasm_bindgen(js_name = checkSignatures)]
pub fn check_signatures(receipt: &str) -> Result<JsValue, JsValue> {
    to_js(&checked(&Envelope::parse(receipt.as_bytes())?))
}

/// What is signed for the receipt with this id, for whoever signs elsewhere.
#[wasm_bindgen(js_name = signingMessage)]
pub fn signing_message(id: &str) -> Result<Uint8Array, JsValue> {
    let id = Digest::parse(id).ok_or_else(|| {
        let hint = "Give the receipt's id: 64 digits from 0 to 9 and a to f.";
        throw("bad-receipt", "this is no receipt's id", hint)
    })?;
    Ok(Uint8Array::from(&message(id)[..]))
}
