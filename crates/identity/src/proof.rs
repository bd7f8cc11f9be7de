//! Proofs of a device's key (一机一密): what a device sends in the place of a password, so that its key never travels. Pure:
//! time and key are given.
//!
//! A proof is `v1.<algorithm>.<seconds>.<nonce>.<mac>`: algorithm `sha256` (HMAC-SHA-256, RFC 2104) or `sm3` (HMAC-SM3,
//! GM/T 0042), seconds since 1970 (UTC), a nonce of 1 to 32 letters, digits, `-` and `_`, and in hex the HMAC of the six
//! lines of [`signed_text`]. It is good for one device, for a time, and once ([`UsedProofs`]).

use crate::secret::same;
use model::Problem;
use rand::Rng as _;
use ring::hmac;

/// The word that every proof, and what is signed, begins with.
const VERSION: &str = "v1";
/// Longest nonce of a proof.
pub const NONCE_CHARS_MAX: usize = 32;
/// Bytes of a key that is made here.
pub const KEY_BYTES: usize = 32;
/// Shortest key that is taken from elsewhere: 128 bits.
pub const KEY_BYTES_MIN: usize = 16;
/// Longest key: HMAC would hash a longer one first.
pub const KEY_BYTES_MAX: usize = 64;
/// Bytes of either HMAC.
const MAC_BYTES: usize = 32;

/// With what a proof is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SM3 (国密).
    Sm3,
}

impl Algorithm {
    /// Its word in a proof.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        }
    }
}

impl std::str::FromStr for Algorithm {
    type Err = Problem;

    fn from_str(word: &str) -> Result<Self, Problem> {
        match word {
            "sha256" => Ok(Self::Sha256),
            "sm3" => Ok(Self::Sm3),
            _ => Err(Problem::new(
                "proof-algorithm",
                format!("{} is no algorithm", model::problem::quote(word)),
                "algorithm",
                "use sha256 or sm3",
            )),
        }
    }
}

/// A device's key (pre-shared key, 预共享密钥).
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceKey(Vec<u8>);

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceKey")
    }
}

impl DeviceKey {
    /// A new key of 256 bits.
    pub fn generate() -> Self {
        let mut key = vec![0; KEY_BYTES];
        rand::rng().fill_bytes(&mut key);
        Self(key)
    }

    /// Reads a key that was made elsewhere, hex.
    ///
    /// # Errors
    /// `device-key` when it is not hex, too short, too long, or one byte over and over.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |what: &str| {
            Problem::new(
                "device-key",
                what,
                "key",
                format!(
                    "give {} to {} hex digits that were drawn at random, such as of openssl rand -hex {KEY_BYTES}",
                    2 * KEY_BYTES_MIN,
                    2 * KEY_BYTES_MAX
                ),
            )
        };
        let bytes = hex::decode(text.trim()).map_err(|_| wrong("the key is not hex"))?;
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes.len()) {
            return Err(wrong(&format!("the key has {} bytes", bytes.len())));
        }
        if bytes.iter().all(|b| *b == bytes[0]) {
            return Err(wrong("the key is one byte over and over"));
        }
        Ok(Self(bytes))
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key in hex: the secret itself, to be shown once.
    pub fn hex(&self) -> String {
        hex::encode(&self.0)
    }

    fn mac(&self, algorithm: Algorithm, text: &[u8]) -> [u8; MAC_BYTES] {
        match algorithm {
            Algorithm::Sha256 => {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), text);
                let mut mac = [0; MAC_BYTES];
                mac.copy_from_slice(tag.as_ref());
                mac
            }
            Algorithm::Sm3 => gm::hmac_sm3(&self.0, text),
        }
    }

    /// A proof that this key is held.
    pub fn proof(
        &self,
        algorithm: Algorithm,
        (client_id, username): (&str, &str),
        seconds: i64,
        nonce: &str,
    ) -> String {
        let text = signed_text(algorithm, client_id, username, seconds, nonce);
        let mac = hex::encode(self.mac(algorithm, text.as_bytes()));
        format!("{VERSION}.{}.{seconds}.{nonce}.{mac}", algorithm.word())
    }
}

/// A nonce of 128 bits.
pub fn draw_nonce() -> String {
    let mut drawn = [0; 16];
    rand::rng().fill_bytes(&mut drawn);
    hex::encode(drawn)
}

/// What the HMAC is of: six lines, no line end after the last.
fn signed_text(
    algorithm: Algorithm,
    client_id: &str,
    username: &str,
    seconds: i64,
    nonce: &str,
) -> String {
    let algorithm = algorithm.word();
    format!("jingling-device-{VERSION}\n{algorithm}\n{client_id}\n{username}\n{seconds}\n{nonce}")
}

/// What a device sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    algorithm: Algorithm,
    seconds: i64,
    nonce: &'a str,
    mac: [u8; MAC_BYTES],
}

impl<'a> Proof<'a> {
    /// Reads a password; `None` when it has not the form of a proof. Passwords that the platform makes never have it.
    pub fn parse(password: &'a str) -> Option<Self> {
        let mut parts = password.split('.');
        let mut next = || parts.next();
        if next()? != VERSION {
            return None;
        }
        let algorithm = next()?.parse().ok()?;
        let said = next()?;
        let nonce = next()?;
        let mac = hex::decode(next()?).ok()?.try_into().ok()?;
        if parts.next().is_some() {
            return None;
        }
        let seconds: i64 = said.parse().ok().filter(|s| *s >= 0)?;
        // One way to write a number, so that what is signed is what is remembered.
        let is_plain = seconds.to_string() == said;
        let is_nonce = (1..=NONCE_CHARS_MAX).contains(&nonce.len())
            && nonce
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (is_plain && is_nonce).then_some(Self {
            algorithm,
            seconds,
            nonce,
            mac,
        })
    }

    /// When it was made, by the device's clock.
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// Its nonce.
    pub fn nonce(&self) -> &str {
        self.nonce
    }

    /// Whether it was made with this key for this device; takes the same time wherever it differs.
    pub fn is_by(&self, key: &DeviceKey, client_id: &str, username: &str) -> bool {
        let text = signed_text(
            self.algorithm,
            client_id,
            username,
            self.seconds,
            self.nonce,
        );
        same(&key.mac(self.algorithm, text.as_bytes()), &self.mac)
    }
}

/// Which proofs a device has used. The last ones are remembered, in whatever order their times come; of those before them the
/// latest time is, and up to it every proof counts as used. So none is good twice, whatever the clocks do, in a space that
/// does not grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsedProofs {
    floor: i64,
    last: Vec<(i64, String)>,
}

impl UsedProofs {
    /// Reads what was kept; `None` when it does not read.
    pub fn read(floor: i64, kept: &str) -> Option<Self> {
        let each = |entry: &str| {
            let (seconds, nonce) = entry.split_once(':')?;
            Some((seconds.parse().ok()?, nonce.to_owned()))
        };
        let last = kept.split(',').filter(|e| !e.is_empty()).map(each);
        Some(Self {
            floor,
            last: last.collect::<Option<_>>()?,
        })
    }

    /// What is kept: the time up to which all count as used, and the last ones.
    pub fn kept(&self) -> (i64, String) {
        let each = |(seconds, nonce): &(i64, String)| format!("{seconds}:{nonce}");
        let last: Vec<String> = self.last.iter().map(each).collect();
        (self.floor, last.join(","))
    }

    /// Uses a proof, remembering `max` at most; `false` when it was used.
    pub fn take(&mut self, seconds: i64, nonce: &str, max: usize) -> bool {
        if seconds <= self.floor || self.last.iter().any(|(s, n)| *s == seconds && n == nonce) {
            return false;
        }
        self.last.push((seconds, nonce.to_owned()));
        self.last.sort();
        let over = self.last.len().saturating_sub(max);
        if let Some((seconds, _)) = self.last.drain(..over).next_back() {
            self.floor = seconds;
        }
        self.last.retain(|(s, _)| *s > self.floor);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const ME: (&str, &str) = ("gauge-7", "gauge-7");

    fn key() -> DeviceKey {
        DeviceKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
            .unwrap()
    }

    #[test]
    fn hmac_sha_256_is_as_rfc_4231_publishes_it() {
        // Test cases 1, 2, 4 and 6; the key of 2 is shorter than a device's may be.
        for (key, text, mac) in [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                (1..=25).collect(),
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let key = DeviceKey::from_bytes(key);
            assert_eq!(hex::encode(key.mac(Algorithm::Sha256, &text)), mac);
        }
    }

    /// Computed with `openssl dgst -mac HMAC` and with Python's hmac, as docs/identity.md shows them.
    #[test]
    fn proofs_are_as_other_programs_compute_them() {
        for (algorithm, mac) in [
            (
                Algorithm::Sha256,
                "a44637236c8fb0acd9e7f4ed48bae8d0080ee1e7e3876a66b32f25df07da9517",
            ),
            (
                Algorithm::Sm3,
                "a8a4958dbfc6e77e667be5931cc616236a798f8f96313f603c53240a6ef41920",
            ),
        ] {
            let proof = key().proof(algorithm, ME, NOW, "n0-_");
            let word = algorithm.word();
            assert_eq!(proof, format!("v1.{word}.1800000000.n0-_.{mac}"));
            let read = Proof::parse(&proof).unwrap();
            assert!(read.is_by(&key(), ME.0, ME.1));
            assert_eq!((read.seconds(), read.nonce()), (NOW, "n0-_"));
        }
    }

    #[test]
    fn a_proof_of_another_key_device_time_nonce_or_algorithm_is_wrong() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sm3] {
            let good = key().proof(algorithm, ME, NOW, "abc");
            let is_good = |proof: &str, key: &DeviceKey, (client_id, username): (&str, &str)| {
                Proof::parse(proof).is_some_and(|p| p.is_by(key, client_id, username))
            };
            assert!(is_good(&good, &key(), ME));
            assert!(!is_good(&good, &DeviceKey::generate(), ME));
            assert!(!is_good(&good, &key(), ("gauge-8", "gauge-7")));
            assert!(!is_good(&good, &key(), ("gauge-7", "gauge-8")));
            let word = format!(".{}.", algorithm.word());
            let other = if algorithm == Algorithm::Sm3 {
                ".sha256."
            } else {
                ".sm3."
            };
            for changed in [
                good.replace(&word, other),
                good.replace("1800000000", "1800000001"),
                good.replace(".abc.", ".abd."),
                good[..good.len() - 2].to_owned(),
                format!("{good}00"),
            ] {
                assert_ne!(changed, good);
                assert!(!is_good(&changed, &key(), ME), "{changed}");
            }
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_proof_is_a_password() {
        let good = key().proof(Algorithm::Sha256, ME, NOW, "abc");
        for changed in [
            String::new(),
            crate::secret::generate_secret(),
            "v1".to_owned(),
            "v1.sha256.1800000000.abc.".to_owned(),
            good.replace("v1.", "v2."),
            good.replace("sha256", "SHA256"),
            good.replace("sha256", "md5"),
            good.replace("1800000000", "01800000000"),
            good.replace("1800000000", "+1800000000"),
            good.replace("1800000000", "-1"),
            good.replace("1800000000", "99999999999999999999"),
            good.replace(".abc.", ".."),
            good.replace("abc", "a,b"),
            good.replace("abc", &"a".repeat(NONCE_CHARS_MAX + 1)),
            format!("{good}.x"),
            good.replace("v1", " v1"),
        ] {
            assert_ne!(changed, good);
            assert_eq!(Proof::parse(&changed), None, "{changed:?}");
        }
        assert!(Proof::parse(&good.replace("abc", &"a".repeat(NONCE_CHARS_MAX))).is_some());
    }

    #[test]
    fn a_key_of_elsewhere_is_long_hex_and_random() {
        for bad in [
            "",
            "no hex",
            "00",
            &"ab".repeat(15),
            &"ab".repeat(32),
            &"0a1b".repeat(33),
        ] {
            assert_eq!(
                DeviceKey::parse(bad).unwrap_err().code,
                "device-key",
                "{bad}"
            );
        }
        for good in ["0a1b".repeat(8), "0A1B".repeat(32)] {
            let read = DeviceKey::parse(&format!(" {good}\n")).unwrap();
            assert_eq!(read.hex(), good.to_lowercase());
        }
        assert_eq!(format!("{:?}", key()), "DeviceKey");
        assert_ne!(DeviceKey::generate(), DeviceKey::generate());
    }

    #[test]
    fn no_proof_is_used_twice_in_whatever_order_they_come() {
        let mut used = UsedProofs::default();
        let mut taken = Vec::new();
        // A clock that goes forth and back, several in one second, read anew before each.
        for n in 0..200_i64 {
            let (seconds, nonce) = (NOW + (n * 37) % 50, format!("n{}", n % 7));
            let (floor, kept) = used.kept();
            used = UsedProofs::read(floor, &kept).unwrap();
            if used.take(seconds, &nonce, 4) {
                taken.push((seconds, nonce));
            }
            assert!(used.last.len() <= 4);
            for (seconds, nonce) in &taken {
                assert!(!used.clone().take(*seconds, nonce, 4), "{seconds} {nonce}");
            }
        }
        assert!(taken.len() > 10, "{taken:?}");
        // The next second is always free, so that nobody is locked out who waits.
        assert!(used.take(NOW + 50, "x", 4));
    }

    #[test]
    fn a_device_whose_clock_was_mended_signs_in_with_earlier_times() {
        let mut used = UsedProofs::default();
        assert!(used.take(NOW + 250, "a", 32));
        assert!(used.take(NOW, "b", 32) && used.take(NOW, "c", 32));
        assert!(!used.take(NOW, "b", 32) && !used.take(NOW + 250, "a", 32));
        assert_eq!(UsedProofs::read(0, "1:a,x"), None);
        assert_eq!(UsedProofs::read(0, ""), Some(UsedProofs::default()));
    }
}
