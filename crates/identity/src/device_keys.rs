//! Keys of devices (pre-shared keys, 预共享密钥; 一机一密): given, changed with an overlap as passwords are, and proved at the
//! doors. A key is kept sealed under the city's key, because a proof is computed from the key itself; doors of protocols that
//! bring their own pre-shared keys can ask for the same.

use crate::devices::{DeviceIdentity, NewSecret};
use crate::proof::{DeviceKey, Proof, UsedProofs};
use crate::{CityKey, Identity};
use model::{Problem, Timestamp};
use records::device_credentials::{self, PSK};
use records::devices::{self, Device};
use records::{Actor, Failure, Result, Secret};

/// Of whom nobody's key is; no client id is empty.
const NOBODY: &str = "";

/// A device that was given a key.
#[derive(Clone, Debug)]
pub struct KeyedDevice {
    /// The device.
    pub device: Device,
    /// The key, when it was made here: it cannot be shown again.
    pub key: Option<DeviceKey>,
    /// Until when its password or key before is good; `None` for a new device.
    pub old_until: Option<Timestamp>,
}

/// What became of a proof.
#[derive(Clone, Debug, PartialEq)]
pub enum ProofAnswer {
    /// The device may come in; the proof is used.
    Good(Box<Device>),
    /// An unknown device, one that has no key, or a proof that was not made with its key.
    Wrong,
    /// Made with the device's key, but the device's clock is so many seconds ahead of ours (behind when below 0).
    ClockOff(i64),
    /// Made with the device's key, but used before, or older than what is remembered.
    Used,
}

fn owner(client_id: &str) -> String {
    format!("device:{client_id}")
}

/// A sealed key that belongs to no device.
pub(crate) fn of_nobody(city: &CityKey) -> String {
    let key = DeviceKey::generate();
    city.seal(&owner(NOBODY), key.bytes()).unwrap_or_default()
}

fn given_or_made(key: Option<DeviceKey>) -> (DeviceKey, Option<DeviceKey>) {
    match key {
        Some(given) => (given, None),
        None => {
            let made = DeviceKey::generate();
            (made.clone(), Some(made))
        }
    }
}

impl Identity {
    pub(crate) fn seal_device_key(&self, client_id: &str, key: &DeviceKey) -> Result<Secret> {
        let sealed = self.city_key()?.seal(&owner(client_id), key.bytes());
        Ok(Secret::new(sealed.map_err(Failure::internal)?))
    }

    fn open_device_key(&self, client_id: &str, sealed: &str) -> Result<DeviceKey> {
        let opened = self.city_key()?.open(&owner(client_id), sealed);
        Ok(DeviceKey::from_bytes(opened.map_err(Failure::internal)?))
    }

    /// A change to the same key would be none. A key that cannot be opened any more is another.
    pub(crate) fn must_be_another_key(&self, device: &Device, key: &DeviceKey) -> Result<()> {
        let own = self.open_device_key(&device.client_id, device.secret_sealed.expose());
        if own.is_ok_and(|own| own == *key) {
            return Err(Failure::Conflict(Problem::new(
                "device-key-same",
                "the device has this key already",
                "key",
                "give another one, or none: then one is made",
            )));
        }
        Ok(())
    }

    /// Registers a device that proves a key in the place of a password: the given one, or one that is made.
    ///
    /// # Errors
    /// As [`Identity::register_device`]; [`Failure::Unavailable`] `identity-key-missing`.
    pub async fn register_keyed_device(
        &self,
        device: &DeviceIdentity,
        key: Option<DeviceKey>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<KeyedDevice> {
        let (key, made) = given_or_made(key);
        let secret = NewSecret::Key(key);
        let mut write = self.records().write().await?;
        let device = self
            .register_in(&mut write, device, &secret, actor, now)
            .await?;
        write.commit().await?;
        Ok(KeyedDevice {
            device,
            key: made,
            old_until: None,
        })
    }

    /// Gives a device a key, the given one or one that is made, in the place of its password or key. The one that it has stays
    /// good for `overlap_s` seconds more; any before that is wrong from now on.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] `overlap`; [`Failure::Conflict`] `device-key-same`;
    /// [`Failure::Unavailable`] `identity-key-missing`.
    pub async fn rotate_device_key(
        &self,
        client_id: &str,
        key: Option<DeviceKey>,
        overlap_s: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<KeyedDevice> {
        let (key, made) = given_or_made(key);
        let secret = NewSecret::Key(key);
        let (device, old_until) = self
            .rotate_secret(client_id, &secret, overlap_s, actor, now)
            .await?;
        Ok(KeyedDevice {
            device,
            key: made,
            old_until: Some(old_until),
        })
    }

    /// The device that signs in with a proof of its key. An empty `client_id` is taken from the username. An unknown device
    /// costs the same work as a wrong proof; only who made a proof with the device's key learns that its time is wrong or that
    /// it was used. What was used is written durably before the answer, so that no restart opens it again.
    ///
    /// # Errors
    /// The store's own; a key that cannot be opened; [`Failure::Unavailable`] `identity-key-missing`.
    pub async fn proof_sign_in(
        &self,
        client_id: &str,
        username: &str,
        proof: &Proof<'_>,
        now: Timestamp,
    ) -> Result<ProofAnswer> {
        let mut read = self.records().read().await?;
        let device = devices::by_username(&mut read, username)
            .await?
            .filter(|d| client_id.is_empty() || d.client_id == client_id);
        let named = device.as_ref().map_or(username, |d| d.client_id.as_str());
        let older = device_credentials::of_device(&mut read, named).await?;
        drop(read);
        let mut keys = Vec::new();
        if let Some(device) = &device {
            if !device.secret_sealed.expose().is_empty() {
                keys.push((None, &device.secret_sealed));
            }
            let older = older
                .iter()
                .filter(|c| c.kind == PSK && c.expires_at > now)
                .map(|c| (Some(c.id), &c.secret_sealed));
            keys.extend(older);
        }
        if keys.is_empty() {
            let key = self.city_key()?.open(&owner(NOBODY), &self.nobodys_key);
            let key = DeviceKey::from_bytes(key.map_err(Failure::internal)?);
            // The answer is the same whatever this says.
            let _ = std::hint::black_box(proof.is_by(&key, named, username));
            return Ok(ProofAnswer::Wrong);
        }
        let (mut found, mut unread) = (None, None);
        for (id, sealed) in keys {
            match self.open_device_key(named, sealed.expose()) {
                Ok(key) if proof.is_by(&key, named, username) => found = Some((id, sealed)),
                Ok(_) => {}
                Err(failure) => unread = Some(failure),
            }
        }
        let Some((id, sealed)) = found else {
            return unread.map_or(Ok(ProofAnswer::Wrong), Err);
        };
        let ahead_s = proof
            .seconds()
            .saturating_sub(now.micros().div_euclid(1_000_000));
        if ahead_s.saturating_abs() > self.options().device_proof_window_s {
            return Ok(ProofAnswer::ClockOff(ahead_s));
        }
        self.use_proof(named, (id, sealed), proof, now).await
    }

    /// Uses a proof that was made with one of the device's keys: its own (`None`) or the one with that number.
    async fn use_proof(
        &self,
        client_id: &str,
        (id, sealed): (Option<i64>, &Secret),
        proof: &Proof<'_>,
        now: Timestamp,
    ) -> Result<ProofAnswer> {
        let mut write = self.records().write().await?;
        // What was read before this transaction may have been changed or taken away meanwhile.
        let device = devices::by_client_id(&mut write, client_id).await?;
        let is_still_good = match (&device, id) {
            (None, _) => false,
            (Some(device), None) => {
                devices::touch_secret(&mut write, client_id, now).await?;
                device.secret_sealed == *sealed
            }
            (Some(_), Some(id)) => device_credentials::touch_key(&mut write, id, now).await?,
        };
        let Some(device) = device.filter(|_| is_still_good) else {
            return Ok(ProofAnswer::Wrong);
        };
        let (floor, kept) = devices::used_proofs(&mut write, client_id).await?;
        let mut used = UsedProofs::read(floor, &kept)
            .ok_or_else(|| Failure::internal("the used proofs of a device do not read"))?;
        let max = self.options().device_proofs_kept;
        if !used.take(proof.seconds(), proof.nonce(), max) {
            return Ok(ProofAnswer::Used);
        }
        let (floor, kept) = used.kept();
        devices::set_used_proofs(&mut write, client_id, (floor, &kept)).await?;
        write.commit().await?;
        Ok(ProofAnswer::Good(Box::new(device)))
    }
}
