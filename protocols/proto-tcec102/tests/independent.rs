//! The same envelope computed by programs that nobody here wrote: OpenSSL's AES and Python's HMAC. And the frames of the shared collection.

use proto_tcec102::{AnswerEnvelope, Envelope, Keys, Limits, Ret, seal};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const DATA: &str = "1234567890abcdef";
const IV: &str = "fedcba0987654321";
const SIG: &str = "a secret of the signature, longer than the sixty-four bytes of a block of MD5";

const PROGRAM: &str = r#"
import base64, hashlib, hmac, json, subprocess, sys
ask = json.load(sys.stdin)
key, iv = ask["key"].encode().hex(), ask["iv"].encode().hex()
def aes(way, data):
    return subprocess.run(["openssl", "enc", "-aes-128-cbc", way, "-K", key, "-iv", iv], input=data, check=True, capture_output=True).stdout
def sign(*parts):
    return hmac.new(ask["sig"].encode(), "".join(parts).encode(), hashlib.md5).hexdigest().upper()
data = base64.b64encode(aes("-e", ask["text"].encode())).decode()
print(json.dumps({
    "data": data, "sig": sign("123456789", data, "20261123160000", "0001"),
    "answer": sign("0", "好", data), "opened": aes("-d", base64.b64decode(ask["ours"])).decode(),
}))
"#;

#[test]
fn openssl_and_python_seal_the_same() {
    let keys = Keys::new("o", DATA, IV, SIG).unwrap();
    // Around the block's length, where padding is a whole block or one byte.
    for text in [
        "",
        "{}",
        "fifteen bytes !",
        "sixteen bytes !!",
        "{\"StationName\":\"天门站\"}",
        &"长".repeat(2_000),
    ] {
        let ours = Envelope::seal(&keys, "123456789", text, "20261123160000", "0001");
        let ask =
            serde_json::json!({"key": DATA, "iv": IV, "sig": SIG, "text": text, "ours": ours.data});
        let started = Command::new("python3")
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut python) = started else {
            eprintln!("skipped: there is no python3");
            return;
        };
        python
            .stdin
            .take()
            .unwrap()
            .write_all(ask.to_string().as_bytes())
            .unwrap();
        let done = python.wait_with_output().unwrap();
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(said.contains("FileNotFoundError"), "{said}");
            eprintln!("skipped: there is no openssl");
            return;
        }
        let theirs: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(theirs["data"], ours.data.as_str());
        assert_eq!(theirs["sig"], ours.sig.as_str());
        assert_eq!(theirs["opened"], text);
        let answer = AnswerEnvelope::seal(Some(&keys), Ret::Ok, "好", Some(text));
        assert_eq!(
            (theirs["answer"].as_str(), &theirs["data"]),
            (Some(answer.sig.as_str()), &answer.data.into())
        );
    }
}

#[test]
fn the_shared_frames() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/protocols/frames/tcec102.jsonl");
    let Ok(frames) = std::fs::read_to_string(&root) else {
        eprintln!("skipped: {} is not there", root.display());
        return;
    };
    let mut verified = 0;
    for line in frames.lines() {
        let frame: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = frame["text"].as_str().unwrap();
        let meaning = &frame["meaning"];
        let Some(plain) = meaning["plaintext"].as_str() else {
            // Bodies, or parts of them, as they lie inside `Data`.
            serde_json::from_str::<serde_json::Value>(text).unwrap();
            continue;
        };
        let secret = |name: &str| meaning[name].as_str().unwrap();
        let keys = Keys::new(
            "o",
            secret("data_secret"),
            secret("data_secret_iv"),
            secret("sig_secret"),
        )
        .unwrap();
        let envelope = Envelope::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert!(envelope.is_signed(&keys));
        assert_eq!(seal::open(&keys, &envelope.data).as_deref(), Some(plain));
        let again = Envelope::seal(
            &keys,
            &envelope.operator_id,
            plain,
            &envelope.time_stamp,
            &envelope.seq,
        );
        assert_eq!(again, envelope);
        verified += 1;
    }
    assert!(verified > 0);
}
