//! Signing receipts, and asking for signatures when they are verified.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use verirun::receipt::{Digest, Envelope, PublicKey, SecretKey, signing_message};

const PROGRAM: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

fn verirun(at: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_verirun"))
        .args(arguments)
        .current_dir(at)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn prints(at: &Path, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = verirun(at, arguments);
    assert_eq!((code, &*stderr), (Some(0), ""), "{arguments:?}");
    stdout.trim_end().to_owned()
}

fn envelope(at: &Path, name: &str) -> Envelope {
    Envelope::parse(&fs::read(at.join(name)).expect("there")).expect("a receipt")
}

/// A folder with a program, its receipt, and two keys, whose public ones are given.
fn folder() -> (tempfile::TempDir, String, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path();
    fs::write(at.join("p.wat"), PROGRAM).expect("written");
    prints(
        at,
        &[
            "run",
            "--receipt",
            "r.json",
            "--stdin",
            "/dev/null",
            "p.wat",
        ],
    );
    let me = prints(at, &["keygen", "me.key"]);
    let you = prints(at, &["keygen", "you.key"]);
    (dir, me, you)
}

#[test]
fn what_is_signed_is_verified_with_the_signers_told() {
    let (dir, me, you) = folder();
    let at = dir.path();
    assert_ne!(me, you);
    let before = envelope(at, "r.json");
    assert_eq!(prints(at, &["sign", "r.json", "--key", "me.key"]), me);
    let once = fs::read(at.join("r.json")).expect("there");
    // It is always the same signature, so signing twice changes nothing.
    prints(at, &["sign", "r.json", "--key", "me.key"]);
    assert_eq!(fs::read(at.join("r.json")).expect("there"), once);
    prints(
        at,
        &["sign", "r.json", "--key", "you.key", "-o", "both.json"],
    );
    let (one, both) = (envelope(at, "r.json"), envelope(at, "both.json"));
    assert_eq!(one.id, before.id);
    assert_eq!(one.given, before.given);
    let keys = |envelope: &Envelope| envelope.signers().expect("right");
    let me_key = PublicKey::parse(&me).expect("a key");
    assert_eq!(keys(&one), [me_key]);
    assert_eq!(keys(&both).len(), 2);

    let line = prints(at, &["verify", "r.json", "--module", "p.wat"]);
    assert!(
        line.starts_with("VERIFIED") && line.ends_with(&format!("signed by {me}")),
        "{line}"
    );
    let both = ["verify", "both.json", "--signer", &me, "--signer", &you];
    let line = prints(at, &both);
    assert!(line.contains(&me) && line.contains(&you), "{line}");
    let (code, line, _) = verirun(at, &["verify", "r.json", "--signer", &you]);
    assert_eq!(code, Some(2));
    assert!(
        line.starts_with("CANNOT TELL") && line.contains(&format!("not signed by {you}")),
        "{line}"
    );
    prints(
        at,
        &["verify", "--results", "all.txt", "r.json", "both.json"],
    );
    let results = fs::read_to_string(at.join("all.txt")).expect("there");
    assert!(
        results.contains(&format!(r#""signers":["{me}"]"#)),
        "{results}"
    );
}

#[test]
fn a_wrong_signature_is_a_mismatch_before_anything_runs() {
    let (dir, me, _) = folder();
    let at = dir.path();
    prints(at, &["sign", "r.json", "--key", "me.key"]);
    let mut wrong = envelope(at, "r.json");
    wrong.signatures.as_mut().expect("one")[0].signature.0[40] ^= 1;
    fs::write(at.join("wrong.json"), wrong.to_text()).expect("written");
    fs::remove_file(at.join("p.wat")).expect("removed");
    let (code, line, _) = verirun(at, &["verify", "wrong.json"]);
    assert_eq!(code, Some(1));
    assert!(
        line.starts_with("MISMATCH") && line.contains("signature") && line.contains(&me),
        "{line}"
    );
    // Signing again puts it right.
    prints(at, &["sign", "wrong.json", "--key", "me.key"]);
    assert!(envelope(at, "wrong.json").signers().is_ok());
}

#[test]
fn a_key_is_never_replaced_nor_left_open() {
    let (dir, _, _) = folder();
    let at = dir.path();
    let key = fs::read(at.join("me.key")).expect("there");
    let (code, stdout, stderr) = verirun(at, &["keygen", "me.key"]);
    assert_eq!((code, &*stdout), (Some(2), ""));
    assert!(stderr.contains("never replaced"), "{stderr}");
    assert_eq!(fs::read(at.join("me.key")).expect("there"), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = at.join("me.key");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        let before = fs::read(at.join("r.json")).expect("there");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        let (code, _, stderr) = verirun(at, &["sign", "r.json", "--key", "me.key"]);
        assert_eq!(code, Some(2));
        assert!(stderr.contains("chmod 600"), "{stderr}");
        assert_eq!(fs::read(at.join("r.json")).expect("there"), before);
    }
}

#[test]
fn what_is_no_key_and_no_receipt_is_refused() {
    let (dir, me, _) = folder();
    let at = dir.path();
    let capital = me.to_uppercase();
    for bad in ["", "abc", &capital, &"00".repeat(32)] {
        let (code, _, stderr) = verirun(at, &["verify", "r.json", "--signer", bad]);
        assert_eq!(code, Some(2), "{bad}");
        assert!(stderr.contains("--signer"), "{stderr}");
    }
    for (key, receipt) in [
        ("r.json", "r.json"),
        ("me.key", "me.key"),
        ("none", "r.json"),
    ] {
        let before = fs::read(at.join(receipt)).expect("there");
        let (code, stdout, stderr) = verirun(at, &["sign", receipt, "--key", key]);
        assert_eq!((code, &*stdout), (Some(2), ""), "{key}");
        assert!(!stderr.is_empty());
        assert_eq!(fs::read(at.join(receipt)).expect("there"), before);
    }
}

#[test]
fn the_message_is_as_documented() {
    let message = signing_message(Digest([9; 32]));
    assert_eq!(&message[..19], b"verirun-receipt-v1\0");
    assert_eq!(&message[19..], [9; 32]);
    // RFC 8032, 7.1, test 1: the public key to its secret key.
    let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let bytes: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&secret[at..at + 2], 16).expect("hex"))
        .collect();
    let key = SecretKey::new(&bytes).expect("a key");
    assert_eq!(
        key.public().to_string(),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    assert!(key.sign(Digest([9; 32])).is_of(Digest([9; 32])));
    assert!(!key.sign(Digest([9; 32])).is_of(Digest([8; 32])));
}
