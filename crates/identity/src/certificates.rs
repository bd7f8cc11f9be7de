//! Certificates of devices (X.509 设备证书). A certificate is registered by itself, by the SHA-256 of its DER: it may be of
//! the city's own making, of a department's authority, or one that a device brought along and signed itself. No chain is
//! followed and no list of revoked ones is asked for: a certificate is good while it is registered and its time has come and
//! not passed, and is no longer from the moment that it, or its device, is taken away. That the device holds the key is shown
//! by the TLS handshake.

use crate::Identity;
use model::{Problem, Timestamp, problem::quote};
use records::device_credentials::{self, DeviceCredential, X509};
use records::devices::{self, Device};
use records::{Actor, Event, Failure, Result, Secret, audit};
use serde_json::json;
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;

/// Longest certificate, bytes.
const DER_BYTES_MAX: usize = 16 * 1_024;
/// Characters of a subject that are kept.
const SUBJECT_CHARS_MAX: usize = 200;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of its DER, hex.
    pub fingerprint: String,
    /// Its subject.
    pub subject: String,
    /// From when it is good.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// `certificate` when it is none.
    pub fn from_der(der: &[u8]) -> std::result::Result<Self, Problem> {
        let (rest, parsed) = x509_parser::certificate::X509Certificate::from_der(
            der.get(..der.len().min(DER_BYTES_MAX)).unwrap_or_default(),
        )
        .map_err(|_| unreadable("it is no X.509 certificate"))?;
        if !rest.is_empty() {
            return Err(unreadable("something stands behind the certificate"));
        }
        let validity = parsed.validity();
        let subject: String = parsed.subject().to_string();
        Ok(Self {
            fingerprint: hex::encode(Sha256::digest(der)),
            subject: subject.chars().take(SUBJECT_CHARS_MAX).collect(),
            not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
        })
    }

    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// `certificate` when there is none.
    pub fn from_pem(text: &str) -> std::result::Result<Self, Problem> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(text.as_bytes())
            .map_err(|_| unreadable("it is no PEM"))?;
        if pem.label != "CERTIFICATE" {
            return Err(unreadable("the PEM holds no certificate first"));
        }
        Self::from_der(&pem.contents)
    }
}

fn unreadable(what: &str) -> Problem {
    Problem::new(
        "certificate",
        what,
        "certificate",
        "give the device's certificate as PEM (BEGIN CERTIFICATE); its key stays with the device",
    )
}

impl Identity {
    /// Lets a device sign in with a certificate, beside its password and the certificates that it has.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] `certificate-over`; [`Failure::Conflict`] `certificate-known`,
    /// `certificates-full`.
    pub async fn add_device_certificate(
        &self,
        client_id: &str,
        certificate: &Certificate,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<DeviceCredential> {
        if certificate.not_after <= now {
            return Err(Failure::Invalid(Problem::new(
                "certificate-over",
                format!("the certificate ended at {}", certificate.not_after),
                "certificate",
                "give one that is good now",
            )));
        }
        let mut write = self.records().write().await?;
        let device = devices::by_client_id(&mut write, client_id)
            .await?
            .ok_or_else(|| Failure::not_found("device", quote(client_id)))?;
        let there = device_credentials::of_device(&mut write, client_id).await?;
        let max = self.options().device_certificates_max;
        if there.iter().filter(|c| c.kind == X509).count() >= max {
            return Err(Failure::Conflict(Problem::new(
                "certificates-full",
                format!("the device has {max} certificates"),
                "device",
                "remove one that it no longer uses",
            )));
        }
        let row = DeviceCredential {
            id: 0,
            client_id: device.client_id.clone(),
            kind: X509.to_owned(),
            secret_salt: Secret::default(),
            secret_hash: Secret::default(),
            secret_sealed: Secret::default(),
            fingerprint: Some(certificate.fingerprint.clone()),
            subject: Some(certificate.subject.clone()),
            created_at: now,
            created_by: actor.name.clone(),
            expires_at: certificate.not_after,
            last_used_at: None,
        };
        let made = device_credentials::insert(&mut write, &row)
            .await?
            .ok_or_else(|| {
                Failure::Conflict(Problem::new(
                    "certificate-known",
                    "this certificate is registered already",
                    "certificate",
                    "give each device a key and a certificate of its own",
                ))
            })?;
        let detail = json!({"id": device.id, "fingerprint": certificate.fingerprint,
            "expires_at": certificate.not_after.to_string()});
        let target = format!("device:{}", device.client_id);
        let event = Event::DeviceCertificateAdd;
        audit::insert(&mut write, now, actor, event, &target, &detail).await?;
        write.commit().await?;
        Ok(made)
    }

    /// Takes a certificate of a device away; its next connect with it is refused. A connection that it has open is the
    /// door's to close.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn remove_device_certificate(
        &self,
        client_id: &str,
        fingerprint: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records().write().await?;
        let device = devices::by_client_id(&mut write, client_id)
            .await?
            .ok_or_else(|| Failure::not_found("device", quote(client_id)))?;
        let fingerprint = fingerprint.to_ascii_lowercase().replace(':', "");
        device_credentials::delete_certificate(&mut write, client_id, &fingerprint)
            .await?
            .ok_or_else(|| Failure::not_found("certificate", quote(&fingerprint)))?;
        let detail = json!({"id": device.id, "fingerprint": fingerprint});
        let target = format!("device:{client_id}");
        let event = Event::DeviceCertificateRemove;
        audit::insert(&mut write, now, actor, event, &target, &detail).await?;
        write.commit().await
    }

    /// The device that signs in with a certificate, whose key it has shown to hold; `None` for an unknown certificate and for
    /// one whose time has not come or has passed alike. An empty `client_id` is taken from the certificate.
    ///
    /// # Errors
    /// The store's own.
    pub async fn certificate_sign_in(
        &self,
        client_id: &str,
        der: &[u8],
        now: Timestamp,
    ) -> Result<Option<Device>> {
        let Ok(certificate) = Certificate::from_der(der) else {
            return Ok(None);
        };
        if certificate.not_before > now || certificate.not_after <= now {
            return Ok(None);
        }
        let mut read = self.records().read().await?;
        let found = device_credentials::by_fingerprint(&mut read, &certificate.fingerprint).await?;
        let Some(found) = found.filter(|c| client_id.is_empty() || c.client_id == client_id) else {
            return Ok(None);
        };
        devices::by_client_id(&mut read, &found.client_id).await
    }

    /// What a device may sign in with beside its password, ended credentials too.
    ///
    /// # Errors
    /// The store's own.
    pub async fn device_credentials(&self, client_id: &str) -> Result<Vec<DeviceCredential>> {
        device_credentials::of_device(&mut *self.records().read().await?, client_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_told() {
        let pair = rcgen::generate_simple_self_signed(vec!["gauge-7".to_owned()]).unwrap();
        let read = Certificate::from_pem(&pair.cert.pem()).unwrap();
        assert_eq!(read.fingerprint.len(), 64);
        assert!(read.not_before < read.not_after);
        assert_eq!(Certificate::from_der(pair.cert.der()).unwrap(), read);
        let key = pair.signing_key.serialize_pem();
        for text in ["", "no PEM", key.as_str()] {
            assert_eq!(Certificate::from_pem(text).unwrap_err().code, "certificate");
        }
        let mut longer = pair.cert.der().to_vec();
        longer.push(0);
        assert!(Certificate::from_der(&longer).is_err());
        assert!(Certificate::from_der(&longer[..20]).is_err());
    }
}
