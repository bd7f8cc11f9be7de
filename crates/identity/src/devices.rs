//! Devices: what may connect to the doors, with which name and password or key. The row is read at every
//! connect, so a device that another process added is known at once.

use crate::proof::DeviceKey;
use crate::{Identity, secret};
use model::{DeviceId, Problem, Timestamp, TypeName, problem::quote};
use records::device_credentials::{self, DeviceCredential};
use records::devices::{Device, DeviceChange, DeviceFilter, KeptSecret};
use records::{Actor, Failure, Page, PageRequest, Result, Write, audit, devices};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Hours for which a device's old password or key stays good beside a new one, where nobody says another number.
pub const OVERLAP_HOURS: u32 = 24;
/// Characters of the client id's random end: 30 bits, against guessing and against two devices whose ids
/// end alike. The table's uniqueness is the guard; a clash is drawn again.
const SUFFIX_CHARS: usize = 6;
/// Characters of the client id's readable beginning.
const READABLE_CHARS_MAX: usize = 40;
/// Draws of a client id before giving up.
const DRAWS_MAX: usize = 5;

/// A device to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceIdentity {
    /// The URI of the thing the device speaks for.
    pub id: DeviceId,
    /// The thing's type.
    pub r#type: TypeName,
    /// What people call it.
    pub name: Option<String>,
}

/// How a new device connects. The password is not stored and cannot be shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCredentials {
    /// The URI of the thing the device speaks for.
    pub id: String,
    /// Its name at the MQTT door.
    pub client_id: String,
    /// The thing's type.
    pub r#type: String,
    /// What people call it.
    pub name: Option<String>,
    /// Username at the doors.
    pub username: String,
    /// Password at the doors.
    pub password: String,
    /// The topic it publishes to.
    pub topic: String,
}

/// A device's new password. It is not stored and cannot be shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// Its name at the MQTT door.
    pub client_id: String,
    /// Username at the doors.
    pub username: String,
    /// The new password.
    pub password: String,
    /// Until when the old one is good.
    pub old_until: Timestamp,
}

/// The password or key that a device gets.
pub(crate) enum NewSecret {
    /// A password.
    Password(String),
    /// A key.
    Key(DeviceKey),
}

impl NewSecret {
    fn kind(&self) -> &'static str {
        match self {
            Self::Password(_) => device_credentials::PASSWORD,
            Self::Key(_) => device_credentials::PSK,
        }
    }

    fn kept(&self, identity: &Identity, client_id: &str) -> Result<KeptSecret> {
        match self {
            Self::Password(password) => {
                let (salt, hash) = secret::hash_device_password(password);
                Ok(KeptSecret {
                    salt,
                    hash,
                    ..KeptSecret::default()
                })
            }
            Self::Key(key) => Ok(KeptSecret {
                sealed: identity.seal_device_key(client_id, key)?,
                ..KeptSecret::default()
            }),
        }
    }
}

impl DeviceCredentials {
    fn of(device: Device, password: String) -> Self {
        Self {
            topic: device_topic(&device.client_id),
            id: device.id,
            client_id: device.client_id,
            r#type: device.r#type,
            name: device.name,
            username: device.username,
            password,
        }
    }
}

impl Identity {
    /// Registers a device and makes its credentials.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `device-known` when the id has a device already; [`Failure::Invalid`] for a bad
    /// name.
    pub async fn register_device(
        &self,
        device: &DeviceIdentity,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<DeviceCredentials> {
        let mut write = self.records().write().await?;
        let made = self.with_password(&mut write, device, actor, now).await?;
        write.commit().await?;
        Ok(made)
    }

    /// Registers many devices in one transaction: all of them or none.
    ///
    /// # Errors
    /// As [`Identity::register_device`]; also `too-many-devices`.
    pub async fn register_devices(
        &self,
        list: &[DeviceIdentity],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<DeviceCredentials>> {
        let max = self.options().devices_at_once_max;
        if list.len() > max {
            return Err(Failure::Invalid(Problem::new(
                "too-many-devices",
                format!("{} devices in one call", list.len()),
                "devices",
                format!("register at most {max} at once"),
            )));
        }
        let mut write = self.records().write().await?;
        let mut made = Vec::with_capacity(list.len());
        for device in list {
            made.push(self.with_password(&mut write, device, actor, now).await?);
        }
        write.commit().await?;
        Ok(made)
    }

    async fn with_password(
        &self,
        write: &mut Write,
        device: &DeviceIdentity,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<DeviceCredentials> {
        let password = secret::generate_device_password();
        let secret = NewSecret::Password(password.clone());
        let row = self.register_in(write, device, &secret, actor, now).await?;
        Ok(DeviceCredentials::of(row, password))
    }

    pub(crate) async fn register_in(
        &self,
        write: &mut Write,
        device: &DeviceIdentity,
        secret: &NewSecret,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Device> {
        let name = device
            .name
            .as_deref()
            .map(|name| self.check_name(name, "name"))
            .transpose()?;
        if devices::by_id(write, device.id.as_str()).await?.is_some() {
            return Err(Failure::Conflict(Problem::new(
                "device-known",
                format!("{} has a device already", device.id),
                "id",
                "remove it first, or give the other device its own id",
            )));
        }
        for _ in 0..DRAWS_MAX {
            let client_id = client_id(device.id.as_str(), &secret::random_text(SUFFIX_CHARS));
            let kept = secret.kept(self, &client_id)?;
            let row = Device {
                id: device.id.to_string(),
                username: client_id.clone(),
                client_id,
                r#type: device.r#type.to_string(),
                name: name.clone(),
                secret_salt: kept.salt,
                secret_hash: kept.hash,
                secret_sealed: kept.sealed,
                secret_set_at: None,
                secret_used_at: None,
                created_at: now,
                created_by: actor.name.clone(),
                online: false,
                connected_at: None,
                last_seen_at: None,
                messages: 0,
                rejected: 0,
            };
            let Some(row) = devices::insert(write, &row).await? else {
                continue;
            };
            let target = format!("device:{}", row.client_id);
            let detail = json!({"id": row.id, "type": row.r#type, "kind": secret.kind()});
            audit::insert(
                write,
                now,
                actor,
                records::Event::DeviceAdd,
                &target,
                &detail,
            )
            .await?;
            return Ok(row);
        }
        Err(Failure::internal("no free client id was drawn"))
    }

    /// The device that signs in at a door; `None` for an unknown device and for a wrong password alike. An
    /// empty `client_id` (a door without one, such as HTTP) is taken from the username. The password before the device's own
    /// is good as long as [`Identity::rotate_device_password`] said.
    ///
    /// # Errors
    /// The store's own.
    pub async fn device_sign_in(
        &self,
        client_id: &str,
        username: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Device>> {
        let mut read = self.records().read().await?;
        let device = devices::by_username(&mut read, username)
            .await?
            .filter(|d| client_id.is_empty() || d.client_id == client_id);
        let Some(device) = device else {
            return Ok(None);
        };
        if secret::verify_device_password(password, &device.secret_salt, &device.secret_hash) {
            return Ok(Some(device));
        }
        let older = device_credentials::of_device(&mut read, &device.client_id).await?;
        let is_good = older.iter().any(|c| {
            c.kind == device_credentials::PASSWORD
                && c.expires_at > now
                && secret::verify_device_password(password, &c.secret_salt, &c.secret_hash)
        });
        Ok(is_good.then_some(device))
    }

    /// Gives a device a new password, in the place of its password or key. The one that it has stays good for `overlap_s`
    /// seconds more, so that the device can be told the new one while it works; any before that is wrong from now on.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] `overlap`.
    pub async fn rotate_device_password(
        &self,
        client_id: &str,
        overlap_s: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Rotated> {
        let password = secret::generate_device_password();
        let secret = NewSecret::Password(password.clone());
        let (device, old_until) = self
            .rotate_secret(client_id, &secret, overlap_s, actor, now)
            .await?;
        Ok(Rotated {
            client_id: device.client_id,
            username: device.username,
            password,
            old_until,
        })
    }

    /// Puts a new password or key in the place of the device's own; gives the device as it was, and until when its old one is
    /// good.
    pub(crate) async fn rotate_secret(
        &self,
        client_id: &str,
        secret: &NewSecret,
        overlap_s: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(Device, Timestamp)> {
        let max = self.options().device_overlap_s_max;
        if !(0..=max).contains(&overlap_s) {
            return Err(Failure::Invalid(Problem::new(
                "overlap",
                format!(
                    "{overlap_s} seconds are no time for which the old password or key can stay good"
                ),
                "overlap",
                format!("use 0 to {max} seconds"),
            )));
        }
        let old_until = now.plus_seconds(overlap_s);
        let mut write = self.records().write().await?;
        let device = devices::by_client_id(&mut write, client_id)
            .await?
            .ok_or_else(|| Failure::not_found("device", quote(client_id)))?;
        if let NewSecret::Key(key) = secret {
            self.must_be_another_key(&device, key)?;
        }
        device_credentials::delete_secrets(&mut write, client_id).await?;
        if overlap_s > 0 {
            let old = DeviceCredential {
                id: 0,
                client_id: device.client_id.clone(),
                kind: own_kind(&device).to_owned(),
                secret_salt: device.secret_salt.clone(),
                secret_hash: device.secret_hash.clone(),
                secret_sealed: device.secret_sealed.clone(),
                fingerprint: None,
                subject: None,
                created_at: device.secret_set_at.unwrap_or(device.created_at),
                created_by: actor.name.clone(),
                expires_at: old_until,
                last_used_at: device.secret_used_at,
            };
            device_credentials::insert(&mut write, &old).await?;
        }
        let kept = secret.kept(self, &device.client_id)?;
        devices::set_secret(&mut write, client_id, &kept, now).await?;
        let target = format!("device:{}", device.client_id);
        let detail =
            json!({"id": device.id, "old_until": old_until.to_string(), "kind": secret.kind()});
        let event = records::Event::DeviceRotate;
        audit::insert(&mut write, now, actor, event, &target, &detail).await?;
        write.commit().await?;
        Ok((device, old_until))
    }

    /// One device.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn device(&self, client_id: &str) -> Result<Device> {
        devices::by_client_id(&mut *self.records().read().await?, client_id)
            .await?
            .ok_or_else(|| Failure::not_found("device", quote(client_id)))
    }

    /// Devices, by client id.
    ///
    /// # Errors
    /// The store's own.
    pub async fn list_devices(
        &self,
        filter: &DeviceFilter,
        page: &PageRequest,
    ) -> Result<Page<Device>> {
        devices::list(&mut *self.records().read().await?, filter, page).await
    }

    /// Takes a device away; its next connect is refused. A connection that it has open is the door's to
    /// close.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn remove_device(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Device> {
        let mut write = self.records().write().await?;
        let device = devices::delete(&mut write, client_id)
            .await?
            .ok_or_else(|| Failure::not_found("device", quote(client_id)))?;
        let target = format!("device:{}", device.client_id);
        let detail = json!({"id": device.id, "type": device.r#type});
        audit::insert(
            &mut write,
            now,
            actor,
            records::Event::DeviceRemove,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        Ok(device)
    }

    /// Writes what happened to devices since the last call, in one transaction. Meant to be called about
    /// once a second, not per message. This is measurement, not a person's change: it is not audited.
    ///
    /// # Errors
    /// The store's own.
    pub async fn device_changes(&self, changes: &[DeviceChange]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut write = self.records().write().await?;
        devices::apply_changes(&mut write, changes).await?;
        write.commit().await
    }

    /// Marks every device as not connected: to be called when the server starts.
    ///
    /// # Errors
    /// The store's own.
    pub async fn all_devices_offline(&self) -> Result<()> {
        let mut write = self.records().write().await?;
        devices::all_offline(&mut write).await?;
        write.commit().await
    }
}

/// Whether a device has a password or a key of its own: [`device_credentials::PASSWORD`] or [`device_credentials::PSK`].
pub fn own_kind(device: &Device) -> &'static str {
    if device.secret_sealed.expose().is_empty() {
        device_credentials::PASSWORD
    } else {
        device_credentials::PSK
    }
}

/// The topic that a device publishes to.
pub fn device_topic(client_id: &str) -> String {
    format!("devices/{client_id}/up")
}

/// A name for the MQTT door: the last part of the id, cleaned so that it is safe in a topic, a file name
/// and an address, and a random end.
fn client_id(id: &str, suffix: &str) -> String {
    let last = id.rsplit([':', '/']).find(|part| !part.is_empty());
    let mut readable = String::new();
    for c in last.unwrap_or_default().to_ascii_lowercase().chars() {
        if readable.len() == READABLE_CHARS_MAX {
            break;
        }
        if c.is_ascii_alphanumeric() {
            readable.push(c);
        } else if !readable.is_empty() && !readable.ends_with('-') {
            readable.push('-');
        }
    }
    let readable = readable.trim_end_matches('-');
    let readable = if readable.is_empty() {
        "device"
    } else {
        readable
    };
    format!("{readable}-{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_safe_in_topics() {
        for (id, expected) in [
            ("urn:ngsi-ld:WaterObserved:62206900", "62206900-x"),
            ("urn:ngsi-ld:WaterObserved:HanBei+#River", "hanbei-river-x"),
            ("urn:ngsi-ld:WaterObserved:汉北河", "device-x"),
            ("https://example.org/things/gauge.7/", "gauge-7-x"),
            ("urn:a:--..", "device-x"),
        ] {
            assert_eq!(client_id(id, "x"), expected);
        }
        let long = format!("urn:x:{}", "a".repeat(250));
        assert_eq!(client_id(&long, "x").len(), READABLE_CHARS_MAX + 2);
        assert_eq!(device_topic("g-1"), "devices/g-1/up");
    }
}
