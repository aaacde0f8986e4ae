//! A function task: whose signature is this? `input.txt` has an Ethereum signature of 65 bytes in hexadecimal in its
//! first line (`0x…`), and the signed message below it. `output.txt` gets the signer's public key and address, which
//! are recovered from the two (ECDSA over secp256k1): nothing else tells who it was.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha3::{Digest, Keccak256};
use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("recover: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let input = fs::read_to_string("input.txt")
        .map_err(|error| format!("cannot read input.txt: {error}"))?;
    let (signature, message) = input
        .split_once('\n')
        .ok_or("input.txt has no message below the signature")?;
    let key = recover(signature.trim_end(), message)?;
    let point = key.to_sec1_point(false);
    // The first byte says that both coordinates follow.
    let point = &point.as_bytes()[1..];
    let output = format!("address {}\npublic key 0x{}\n", address(point), hex(point));
    fs::write("output.txt", output).map_err(|error| format!("cannot write output.txt: {error}"))
}

fn recover(signature: &str, message: &str) -> Result<VerifyingKey, String> {
    let bytes = parse_hex(signature)
        .filter(|bytes| bytes.len() == 65)
        .ok_or("the first line of input.txt is no signature of 65 bytes (0x and 130 digits)")?;
    // Wallets write the recovery id as 27 or 28, from when it stood for a kind of address.
    let id = RecoveryId::from_byte(bytes[64].wrapping_sub(27))
        .or(RecoveryId::from_byte(bytes[64]))
        .ok_or_else(|| format!("the signature ends in {}, not 27 or 28", bytes[64]))?;
    let signature = Signature::from_slice(&bytes[..64])
        .map_err(|_| "the signature's numbers are 0 or too large")?;
    VerifyingKey::recover_from_prehash(&digest(message), &signature, id)
        .map_err(|_| "no key could have made this signature".to_owned())
}

/// What a wallet signs: the prefix keeps a message from being a transaction.
fn digest(message: &str) -> [u8; 32] {
    let prefix = format!("\x19Ethereum Signed Message:\n{}", message.len());
    Keccak256::new()
        .chain_update(prefix)
        .chain_update(message)
        .finalize()
        .into()
}

/// The last 20 bytes of the key's hash, written so that capital letters are a checksum (EIP-55).
fn address(point: &[u8]) -> String {
    let plain = hex(&Keccak256::digest(point)[12..]);
    let check = Keccak256::digest(&plain);
    let digits = plain.char_indices().map(|(index, digit)| {
        let nibble = check[index / 2] >> (if index % 2 == 0 { 4 } else { 0 }) & 15;
        if nibble >= 8 {
            digit.to_ascii_uppercase()
        } else {
            digit
        }
    });
    format!("0x{}", digits.collect::<String>())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let value = |digit: u8| char::from(digit).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(value(*high)? * 16 + value(*low)?).ok())
        .collect()
}
