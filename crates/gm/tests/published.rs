//! The published examples of the standards.

use gm::{DEFAULT_USER_ID, Error, SigningKey, Sm3, Sm4Gcm, VerifyingKey, hmac_sm3, sm3};
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::elliptic_curve::{Group, PrimeField};
use sm2::{ProjectivePoint, Scalar, U256};
use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let joined: String = text.split_whitespace().collect();
    hex::decode(joined).unwrap().try_into().unwrap()
}

#[test]
fn sm3_of_gbt_32905_a1_and_a2() {
    assert_eq!(
        hex::encode(sm3(b"abc")),
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    );
    let long = "abcd".repeat(16);
    let expected = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
    assert_eq!(hex::encode(sm3(long.as_bytes())), expected);
    // In pieces of every length it is the same.
    for cut in 0..long.len() {
        let mut hash = Sm3::new();
        hash.update(&long.as_bytes()[..cut]);
        hash.update(&long.as_bytes()[cut..]);
        assert_eq!(hex::encode(hash.finish()), expected);
    }
}

#[test]
fn hmac_sm3_of_gmt_0042_d3() {
    let key: Vec<u8> = (1..=32).collect();
    let message = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".repeat(2);
    assert_eq!(
        hex::encode(hmac_sm3(&key, message.as_bytes())),
        "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"
    );
}

/// GB/T 32918.5-2017 A.2: the key pair, k, and what comes of them for "message digest" and the default user id.
const D: &str = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8";
const X: &str = "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020";
const Y: &str = "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
const K: &str = "59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21";
const Z: &str = "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3";
const E: &str = "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640";
const R: &str = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3";
const S: &str = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA";
const MESSAGE: &[u8] = b"message digest";

fn public() -> Vec<u8> {
    [vec![4], hex::decode(X).unwrap(), hex::decode(Y).unwrap()].concat()
}

/// DER of two numbers whose first bit is set.
fn der(r: &str, s: &str) -> Vec<u8> {
    let number = |text: &str| [vec![2, 33, 0], hex::decode(text).unwrap()].concat();
    [vec![0x30, 70], number(r), number(s)].concat()
}

#[test]
fn the_signature_of_gbt_32918_5_a2_verifies() {
    let key = VerifyingKey::from_point(&public(), DEFAULT_USER_ID).unwrap();
    assert_eq!(key.verify(MESSAGE, &der(R, S)), Ok(()));
    assert_eq!(
        key.verify(b"message digesT", &der(R, S)),
        Err(Error::SignatureWrong)
    );
    assert_eq!(key.verify(MESSAGE, &der(S, R)), Err(Error::SignatureWrong));
    assert_eq!(key.verify(MESSAGE, b"0"), Err(Error::SignatureForm));
    // Numbers outside of the order are no signature.
    let order = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";
    assert_eq!(
        key.verify(MESSAGE, &der(order, S)),
        Err(Error::SignatureForm)
    );
    let other = VerifyingKey::from_point(&public(), "ALICE123@YAHOO.COM").unwrap();
    assert_eq!(
        other.verify(MESSAGE, &der(R, S)),
        Err(Error::SignatureWrong)
    );
}

/// What the standard computes, step by step, with its own k: Z, e, r, s.
#[test]
fn the_steps_of_gbt_32918_5_a2_with_its_k() {
    let curve_a = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC";
    let curve_b = "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93";
    let base_x = "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7";
    let base_y = "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0";
    let mut z = Sm3::new();
    z.update(&[0, 0x80]);
    z.update(DEFAULT_USER_ID.as_bytes());
    for text in [curve_a, curve_b, base_x, base_y, X, Y] {
        z.update(&hex::decode(text).unwrap());
    }
    let z = z.finish();
    assert_eq!(hex::encode_upper(z), Z);
    let e = sm3(&[&z, MESSAGE].concat());
    assert_eq!(hex::encode_upper(e), E);
    let scalar = |text: &str| Scalar::from_repr(bytes::<32>(text).into()).unwrap();
    let (k, d) = (scalar(K), scalar(D));
    let e = <Scalar as Reduce<U256>>::reduce(&U256::from_be_slice(&e));
    let point = ProjectivePoint::mul_by_generator(&k).to_affine();
    let r = e + Scalar::reduce(&point.x());
    let s = (d + Scalar::ONE).invert().unwrap() * (k - r * d);
    assert_eq!(hex::encode_upper(r.to_repr()), R);
    assert_eq!(hex::encode_upper(s.to_repr()), S);
}

#[test]
fn the_key_of_the_standard_signs_what_its_public_half_verifies_and_always_the_same() {
    let key = SigningKey::from_scalar(&bytes(D)).unwrap();
    let verifying = VerifyingKey::from_point(&public(), DEFAULT_USER_ID).unwrap();
    assert_eq!(key.verifying_key(), verifying);
    let signature = key.sign(MESSAGE).unwrap();
    assert_eq!(verifying.verify(MESSAGE, &signature), Ok(()));
    assert_eq!(key.sign(MESSAGE).unwrap(), signature);
    assert_ne!(key.sign(b"other").unwrap(), signature);
    assert!(!format!("{key:?}").contains("3945"));
}

#[test]
fn keys_go_through_pem_and_what_is_none_is_refused() {
    let key = SigningKey::generate().unwrap();
    let (private, public) = (key.to_pem().unwrap(), key.verifying_key().to_pem().unwrap());
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"));
    let again = SigningKey::from_pem(&private).unwrap();
    let read = VerifyingKey::from_pem(&public).unwrap();
    assert_eq!(again.verifying_key(), read);
    assert_eq!(read.fingerprint(), key.verifying_key().fingerprint());
    assert_eq!(read.verify(b"m", &again.sign(b"m").unwrap()), Ok(()));
    assert!(matches!(
        SigningKey::from_pem(&public),
        Err(Error::PrivateKey)
    ));
    assert!(matches!(
        VerifyingKey::from_pem(&private),
        Err(Error::PublicKey)
    ));
    let cut = &private[..private.len() / 2];
    assert!(matches!(SigningKey::from_pem(cut), Err(Error::PrivateKey)));
    assert!(matches!(
        SigningKey::from_scalar(&[0; 32]),
        Err(Error::PrivateKey)
    ));
    // P-256 with the same form is another curve.
    let p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMKBCTNIcKUSDii11ySs3526iDZ8A\niTo7Tu6KPAqv7D7gS2XpJFbZiItSs3m9+9Ue6GnvHw/GW2ZZaVtszggXIw==\n-----END PUBLIC KEY-----\n";
    assert!(matches!(
        VerifyingKey::from_pem(p256),
        Err(Error::PublicKey)
    ));
}

const SM4_KEY: &str = "0123456789abcdeffedcba9876543210";

#[test]
fn sm4_of_gbt_32907_a1() {
    let cipher = sm4::Sm4::new(&bytes::<16>(SM4_KEY).into());
    let mut block = bytes::<16>(SM4_KEY).into();
    cipher.encrypt_block(&mut block);
    assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");
    cipher.decrypt_block(&mut block);
    assert_eq!(hex::encode(block), SM4_KEY);
}

#[test]
fn sm4_of_gbt_32907_a2_a_million_times() {
    let cipher = sm4::Sm4::new(&bytes::<16>(SM4_KEY).into());
    let mut block = bytes::<16>(SM4_KEY).into();
    for _ in 0..1_000_000 {
        cipher.encrypt_block(&mut block);
    }
    assert_eq!(hex::encode(block), "595298c7c6fd271f0402f804c33d3f66");
}

#[test]
fn sm4_gcm_of_rfc_8998_a1() {
    let cipher = Sm4Gcm::new(&bytes(SM4_KEY));
    let nonce = bytes("00001234567800000000ABCD");
    let beside = bytes::<20>("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
    let plain = ["AA", "BB", "CC", "DD", "EE", "FF", "EE", "AA"].map(|b| b.repeat(8));
    let plain = hex::decode(plain.concat()).unwrap();
    let sealed = cipher.seal(&nonce, &beside, &plain).unwrap();
    let expected = "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D\
        83DE3541E4C2B58177E065A9BF7B62EC";
    assert_eq!(hex::encode_upper(&sealed), expected);
    assert_eq!(cipher.open(&nonce, &beside, &sealed).unwrap(), plain);
    for at in 0..sealed.len() {
        let mut other = sealed.clone();
        other[at] ^= 1;
        assert_eq!(cipher.open(&nonce, &beside, &other), Err(Error::Sealed));
    }
    assert_eq!(cipher.open(&nonce, b"", &sealed), Err(Error::Sealed));
    assert_eq!(cipher.open(&nonce, &beside, b"short"), Err(Error::Sealed));
}
