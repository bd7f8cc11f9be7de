//! The certificate that the doors are served with: where it lies, that it is read again while the city runs, and until when
//! it is good.

use crate::folder::Folder;
use crate::settings::Settings;
use anyhow::{Result, anyhow, bail};
use api::security::Certificate;
use gateway::mqtt::tls::{device_config_for, server_config_for};
use gateway::mqtt::{ServerCertificate, TlsSource};
use model::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// What the doors are served with.
#[derive(Clone)]
pub struct Served {
    /// The pair, which is read again.
    pub certificate: Arc<ServerCertificate>,
    /// For the doors of people and programs.
    pub config: Arc<rustls::ServerConfig>,
    /// For devices, which may show a certificate of their own.
    pub for_devices: Arc<rustls::ServerConfig>,
}

/// Opens the certificate of the settings, or the city's own, made at the first start.
///
/// # Errors
/// Files that do not read, or do not belong together.
pub fn open(folder: &Folder, settings: &Settings) -> Result<Served> {
    let tls = &settings.tls;
    let source = match (tls.certificate.as_str(), tls.key.as_str()) {
        ("", "") => TlsSource::SelfSigned {
            directory: folder.tls(),
            names: tls.names.clone(),
        },
        ("", _) | (_, "") => {
            bail!("tls.certificate and tls.key belong together: set both, or neither")
        }
        (certificate, key) => TlsSource::Pem {
            certificate: certificate.into(),
            key: key.into(),
        },
    };
    let certificate = ServerCertificate::open(&source).map_err(|p| anyhow!("{p}"))?;
    let floor = tls.version_min.parse().map_err(|p| anyhow!("{p}"))?;
    let config = server_config_for(certificate.clone(), floor).map_err(|p| anyhow!("{p}"))?;
    let for_devices = device_config_for(certificate.clone(), floor).map_err(|p| anyhow!("{p}"))?;
    Ok(Served {
        certificate,
        config,
        for_devices,
    })
}

/// Reads the files again every so often, for as long as the city runs. New connections get a new pair.
pub async fn renew(certificate: Arc<ServerCertificate>, every: Duration) {
    let mut ticker = tokio::time::interval(every);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    loop {
        ticker.tick().await;
        let own = certificate.clone();
        match tokio::task::spawn_blocking(move || own.renew()).await {
            Ok(Ok(is_new)) => {
                told = None;
                if is_new {
                    tracing::info!(file = %certificate.path().display(), "the doors are served with a new certificate");
                }
            }
            // Half of a renewal is there for a moment; what stays is told, once.
            Ok(Err(problem)) if told.as_ref() != Some(&problem) => {
                tracing::warn!(%problem, "the certificate was not renewed; the old one is served");
                told = Some(problem);
            }
            Ok(Err(_)) => {}
            Err(error) => tracing::error!(%error, "reading the certificate ended"),
        }
    }
}

/// Until when the doors' certificate is good.
pub fn of_doors(served: &ServerCertificate, now: Timestamp) -> Certificate {
    let source = served.path().display().to_string();
    let kind = "door";
    let chain = served.chain();
    let read = chain.first().and_then(|own| ends(own));
    match read {
        Some((subject, end)) => Certificate::new(kind, subject, source, end, now),
        None => Certificate::unread(kind, String::new(), source),
    }
}

/// Subject and end of a certificate in DER.
pub fn ends(der: &[u8]) -> Option<(String, Timestamp)> {
    let (_, found) = x509_parser::parse_x509_certificate(der).ok()?;
    let end = Timestamp::from_seconds(found.validity().not_after.timestamp());
    Some((found.subject().to_string(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_citys_own_certificate_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let served = open(&folder, &Settings::default()).unwrap();
        let now = Timestamp::from_seconds(1_800_000_000);
        let told = of_doors(&served.certificate, now);
        assert!(told.days_left.unwrap() > 365, "{told:?}");
        assert!(told.name.contains("CN="), "{told:?}");
        assert_eq!(ends(b"no certificate"), None);
    }

    #[test]
    fn half_of_a_pair_and_an_old_version_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let mut settings = Settings::default();
        settings.tls.key = "city.key".to_owned();
        let error = open(&folder, &settings).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("tls.certificate"), "{error}");
        let mut settings = Settings::default();
        settings.tls.version_min = "1.1".to_owned();
        let error = open(&folder, &settings).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("1.3"), "{error}");
    }
}
