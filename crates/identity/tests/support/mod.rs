//! A soft authenticator for tests: makes passkeys and signs as a browser with an authenticator would, and lies where a test
//! tells it to.

use identity::webauthn::{self, Assertion, Registration};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One passkey on its device.
pub struct Authenticator {
    pub id: String,
    pub handle: Option<String>,
    pub counter: u32,
    pub origin: String,
    pub flags: u8,
    pair: EcdsaKeyPair,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random)
                .unwrap();
        let id = webauthn::text_of(&Sha256::digest(pair.public_key().as_ref()));
        Self {
            id,
            handle: None,
            counter: 1,
            origin: origin.to_owned(),
            flags: 0x05,
            pair,
        }
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn auth_data(&self, site: &Value, flags: u8) -> Vec<u8> {
        let site = Sha256::digest(site.as_str().unwrap().as_bytes());
        [&site[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// Makes the passkey that `options` ask for.
    pub fn create(&mut self, options: &Value) -> Registration {
        self.handle = options["user"]["id"].as_str().map(str::to_owned);
        let point = self.pair.public_key().as_ref();
        let mut key = vec![0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32];
        key.extend(&point[1..33]);
        key.extend([0x22, 0x58, 32]);
        key.extend(&point[33..]);
        let id = webauthn::bytes_of(&self.id, "id").unwrap();
        let mut data = self.auth_data(&options["rp"]["id"], self.flags | 0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(id);
        data.extend(key);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        let text = json!({"id": self.id, "response": {
            "clientDataJSON": webauthn::text_of(&client_data), "attestationObject": webauthn::text_of(&object)}});
        serde_json::from_value(text).unwrap()
    }

    /// Signs what `options` ask for; the counter moves on.
    pub fn sign(&mut self, options: &Value) -> Assertion {
        self.counter = self.counter.wrapping_add(1);
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.auth_data(&options["rpId"], self.flags);
        let message = [&data[..], &Sha256::digest(&client_data)[..]].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &message).unwrap();
        let text = json!({"id": self.id, "response": {
            "clientDataJSON": webauthn::text_of(&client_data), "authenticatorData": webauthn::text_of(&data),
            "signature": webauthn::text_of(signature.as_ref()), "userHandle": self.handle}});
        serde_json::from_value(text).unwrap()
    }
}
