//! OpenSSL and we, both ways: it verifies what we sign, we verify what it signs, and hashes are the same. Left out, and
//! said so, where there is no `openssl` or it was built without SM2.

use gm::{DEFAULT_USER_ID, SigningKey, VerifyingKey, hmac_sm3, sm3};
use std::path::Path;
use std::process::{Command, Output};

fn openssl(arguments: &[&str], dir: &Path) -> Option<Output> {
    Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .output()
        .ok()
}

fn has_sm2(dir: &Path) -> bool {
    let listed = openssl(&["list", "-public-key-algorithms"], dir);
    let has = listed.is_some_and(|o| String::from_utf8_lossy(&o.stdout).contains("SM2"));
    if !has {
        eprintln!(
            "left out: there is no openssl with SM2 on this system (Debian: apt install openssl)"
        );
    }
    has
}

fn done(output: Option<Output>) -> Output {
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[test]
fn openssl_verifies_what_we_sign_and_refuses_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    if !has_sm2(dir.path()) {
        return;
    }
    let key = SigningKey::generate().unwrap();
    let message = "天门市 audit seal".as_bytes();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    write(
        "public.pem",
        key.verifying_key().to_pem().unwrap().as_bytes(),
    );
    write("message", message);
    write("signature", &key.sign(message).unwrap());
    let id = format!("distid:{DEFAULT_USER_ID}");
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-in",
        "message",
        "-sigfile",
        "signature",
        "-rawin",
        "-digest",
        "sm3",
        "-pkeyopt",
        &id,
    ];
    done(openssl(&verify, dir.path()));
    write("message", b"another message");
    assert!(!openssl(&verify, dir.path()).unwrap().status.success());
    // It reads our private key too, and finds the same public one in it.
    write("private.pem", key.to_pem().unwrap().as_bytes());
    let public = done(openssl(
        &["pkey", "-in", "private.pem", "-pubout"],
        dir.path(),
    ));
    let public = VerifyingKey::from_pem(&String::from_utf8(public.stdout).unwrap()).unwrap();
    assert_eq!(public, key.verifying_key());
}

#[test]
fn we_verify_what_openssl_signs_with_a_key_that_it_made() {
    let dir = tempfile::tempdir().unwrap();
    if !has_sm2(dir.path()) {
        return;
    }
    done(openssl(
        &["genpkey", "-algorithm", "SM2", "-out", "private.pem"],
        dir.path(),
    ));
    done(openssl(
        &[
            "pkey",
            "-in",
            "private.pem",
            "-pubout",
            "-out",
            "public.pem",
        ],
        dir.path(),
    ));
    let message = b"signed by another program";
    std::fs::write(dir.path().join("message"), message).unwrap();
    let id = format!("distid:{DEFAULT_USER_ID}");
    done(openssl(
        &[
            "pkeyutl",
            "-sign",
            "-inkey",
            "private.pem",
            "-in",
            "message",
            "-out",
            "signature",
            "-rawin",
            "-digest",
            "sm3",
            "-pkeyopt",
            &id,
        ],
        dir.path(),
    ));
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let text = |name: &str| String::from_utf8(read(name)).unwrap();
    let key = VerifyingKey::from_pem(&text("public.pem")).unwrap();
    key.verify(message, &read("signature")).unwrap();
    assert!(key.verify(b"another", &read("signature")).is_err());
    let private = SigningKey::from_pem(&text("private.pem")).unwrap();
    assert_eq!(private.verifying_key(), key);
    let hashed = done(openssl(&["dgst", "-sm3", "-r", "message"], dir.path()));
    let hashed = String::from_utf8(hashed.stdout).unwrap();
    assert!(hashed.starts_with(&hex::encode(sm3(message))), "{hashed}");
}

#[test]
fn openssl_computes_the_same_hmac_with_keys_of_every_kind_of_length() {
    let dir = tempfile::tempdir().unwrap();
    if !has_sm2(dir.path()) {
        return;
    }
    let message = "jingling-device-v1\nsm3\n天门".as_bytes();
    std::fs::write(dir.path().join("message"), message).unwrap();
    for length in [1, 16, 32, 63, 64, 65, 200_u8] {
        let key: Vec<u8> = (1..=length).collect();
        let option = format!("hexkey:{}", hex::encode(&key));
        let words = [
            "dgst", "-sm3", "-mac", "HMAC", "-macopt", &option, "-r", "message",
        ];
        let told = done(openssl(&words, dir.path()));
        let told = String::from_utf8(told.stdout).unwrap();
        let ours = hex::encode(hmac_sm3(&key, message));
        assert_eq!(
            told.split_whitespace().next(),
            Some(ours.as_str()),
            "{length}"
        );
    }
}
