//! How safe the platform is: who tells it to the security view, what the platform says of itself as an entity, known holes
//! on the command line, and the certificates of the doors.
//!
//! Reading order: [`certificates`] (what doors are served with, and until when), [`holes`] (advisories in the city's folder,
//! `jingling security holes`), [`figures`] (the platform as an entity, for rules).

pub mod args;
pub mod certificates;
pub mod figures;
pub mod holes;

use crate::folder::Folder;
use crate::settings::Settings;
use api::App;
use api::security::{Certificate, Disk, Waiting};
use gateway::mqtt::{MqttHandle, ServerCertificate};
use model::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// Tells the view what is not in the records.
pub fn tell(
    app: &App,
    folder: &Folder,
    settings: &Settings,
    served: Option<Arc<ServerCertificate>>,
    mqtt: Option<MqttHandle>,
) {
    let security = &app.security;
    if let Some(served) = served {
        security.add_certificates(Box::new(move |now| {
            vec![certificates::of_doors(&served, now)]
        }));
    }
    let (provider, key_days) = (app.oidc.provider.clone(), settings.oidc.key_days);
    if provider.issuer().is_some() && key_days > 0 {
        security.add_certificates(Box::new(move |now| {
            let Ok(since) = provider.signs_since() else {
                return Vec::new();
            };
            let ends = since.plus_seconds(key_days.saturating_mul(86_400));
            vec![Certificate {
                renews_itself: true,
                ..Certificate::new(
                    "signing-key",
                    "OpenID Connect".to_owned(),
                    "secrets/oidc-keys.json".to_owned(),
                    ends,
                    now,
                )
            }]
        }));
    }
    let identity = app.identity.clone();
    security.add_waiting(Box::new(move |now, max| {
        let waiting = identity.sign_in_waiting(now, max).into_iter();
        waiting
            .map(|w| Waiting {
                door: "http".to_owned(),
                peer: w.peer,
                account: w.username,
                failures: w.failures,
                until: w.until.to_string(),
            })
            .collect()
    }));
    if let Some(mqtt) = mqtt {
        security.add_waiting(Box::new(move |now, max| {
            let waiting = mqtt.waiting(max).into_iter();
            waiting
                .map(|w| Waiting {
                    door: "mqtt".to_owned(),
                    peer: w.peer.map(|p| p.to_string()),
                    account: w.username,
                    failures: w.failures,
                    until: after(now, w.left_ms).to_string(),
                })
                .collect()
        }));
    }
    let (own, path) = (folder.clone(), folder.path().to_owned());
    // Set once, here.
    let _ = security
        .holes
        .set(Box::new(move |max| holes::for_view(&own, max)));
    let _ = security.disk.set(Box::new(move || disk(&path).ok()));
}

fn after(now: Timestamp, ms: u64) -> Timestamp {
    now.plus_micros(i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX))
}

/// The room on the disk of a folder.
fn disk(path: &Path) -> std::io::Result<Disk> {
    let found = rustix::fs::statvfs(path)?;
    Ok(Disk {
        source: path.display().to_string(),
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
    })
}
