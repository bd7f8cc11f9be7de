//! How safe the platform is (安全态势), on one page: who failed to sign in and who waits, what was changed of who may do what,
//! certificates, known holes, backups, the audit chain, room on the disk. Each figure says where it is from and of when it
//! is. What is not in the records is told by [`Sources`], to which any part of the platform can add its own.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::Answer;
use axum::Json;
use axum::extract::State;
use model::Timestamp;
use parking_lot::RwLock;
use records::audit::{self, CountBy};
use records::device_credentials::{self, DeviceCredential};
use records::{Event, audit_events};
use serde::Serialize;
use std::sync::OnceLock;
use utoipa::ToSchema;

/// The limits of the view.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How far back refusals are counted, hours.
    pub refusals_hours: i64,
    /// Accounts and addresses that are named.
    pub named_max: u32,
    /// Peers that are named.
    pub waiting_max: usize,
    /// Changes of who may do what that are told.
    pub changes_max: u32,
    /// Certificates of devices that are told, the next to end first.
    pub device_certificates_max: u32,
    /// Known holes that are told by name; the others are counted.
    pub holes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            refusals_hours: 24,
            named_max: 10,
            waiting_max: 100,
            changes_max: 20,
            device_certificates_max: 50,
            holes_max: 200,
        }
    }
}

/// A certificate or key that has an end (证书到期).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityCertificate)]
pub struct Certificate {
    /// What it is for: `door`, `signing-key`, `device`, …
    pub kind: String,
    /// Which one: a subject, a number, a client id.
    pub name: String,
    /// Who tells it: a file, a table.
    pub source: String,
    /// When it ends, RFC 3339 UTC; null when that could not be read.
    pub expires_at: Option<String>,
    /// Whole days until then, negative when it has ended.
    pub days_left: Option<i64>,
    /// Whether the platform renews it by itself.
    pub renews_itself: bool,
}

impl Certificate {
    /// One that ends at a time.
    pub fn new(
        kind: &str,
        name: String,
        source: String,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            name,
            source,
            expires_at: Some(expires_at.to_string()),
            days_left: Some(expires_at.micros_since(now).div_euclid(86_400_000_000)),
            renews_itself: false,
        }
    }

    /// One that cannot be read.
    pub fn unread(kind: &str, name: String, source: String) -> Self {
        Self {
            kind: kind.to_owned(),
            name,
            source,
            expires_at: None,
            days_left: None,
            renews_itself: false,
        }
    }
}

/// Somebody whom a door makes wait, because of failures to sign in (暂时隔离的对端).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityWaiting)]
pub struct Waiting {
    /// `http` (pages, and PostgreSQL with a person's password) or `mqtt`.
    pub door: String,
    /// The network address; null when it is a name from anywhere.
    pub peer: Option<String>,
    /// The name that was said; null when it is an address with any.
    pub account: Option<String>,
    /// Failures.
    pub failures: u32,
    /// Until when.
    pub until: String,
}

/// A counter of a door.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityCounter)]
pub struct Counter {
    /// Its name in `/metrics`.
    pub name: String,
    /// Its value since the start.
    pub value: u64,
}

/// Room on a disk.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityDisk)]
pub struct Disk {
    /// The folder that was asked about.
    pub source: String,
    /// Bytes that may still be written.
    pub free_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

/// A known hole of something that the program is made of (已知漏洞).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityHole)]
pub struct Hole {
    /// The advisory's number.
    pub id: String,
    /// `crates.io` or `npm`.
    pub ecosystem: String,
    /// The package.
    pub package: String,
    /// The version that the program has.
    pub version: String,
    /// `critical`, `high`, `medium`, `low`, `unknown` or `informational`.
    pub severity: String,
    /// Whether the package only builds the pages.
    pub builds_only: bool,
    /// What it is.
    pub summary: String,
    /// Versions in which it is mended; null when there is none.
    pub mended_in: Option<String>,
    /// Where more is said.
    pub url: Option<String>,
}

/// What is known of holes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityHoles)]
pub struct Holes {
    /// Packages that the program is made of.
    pub packages: u64,
    /// Whether advisories were brought in at all: without them nothing is known.
    pub has_data: bool,
    /// When they were brought in.
    pub brought_at: Option<String>,
    /// The newest advisory's date, as its source writes it.
    pub newest: Option<String>,
    /// Why they cannot be read, when they cannot.
    pub unread: Option<String>,
    /// Packages of which nothing was known when they were brought in: the program has changed since, or the data was of one
    /// ecosystem alone.
    pub not_covered: u64,
    /// How many are `critical` or `high` and not of what only builds the pages; null without data.
    pub grave: Option<u64>,
    /// How many in all; null without data.
    pub total: Option<u64>,
    /// The worst first.
    pub items: Vec<Hole>,
}

/// Tells certificates.
pub type CertificateSource = Box<dyn Fn(Timestamp) -> Vec<Certificate> + Send + Sync>;
/// Tells who waits at a door.
pub type WaitingSource = Box<dyn Fn(Timestamp, usize) -> Vec<Waiting> + Send + Sync>;
/// Tells what is known of holes; may read a file.
pub type HoleSource = Box<dyn Fn(usize) -> Holes + Send + Sync>;
/// Tells the room on the city's disk.
pub type DiskSource = Box<dyn Fn() -> Option<Disk> + Send + Sync>;

/// Who tells what of security that is not in the records. Each may read a file, and is asked off the runtime's threads.
#[derive(Default)]
pub struct Sources {
    certificates: RwLock<Vec<CertificateSource>>,
    waiting: RwLock<Vec<WaitingSource>>,
    /// Known holes.
    pub holes: OnceLock<HoleSource>,
    /// The city's disk.
    pub disk: OnceLock<DiskSource>,
    /// The limits of the view.
    pub limits: Limits,
}

impl Sources {
    /// Adds who tells certificates.
    pub fn add_certificates(&self, source: CertificateSource) {
        self.certificates.write().push(source);
    }

    /// Adds who tells whom a door makes wait.
    pub fn add_waiting(&self, source: WaitingSource) {
        self.waiting.write().push(source);
    }

    fn told(&self, now: Timestamp) -> Told {
        let certificates = self
            .certificates
            .read()
            .iter()
            .flat_map(|source| source(now))
            .collect();
        let max = self.limits.waiting_max;
        let mut waiting: Vec<Waiting> = self
            .waiting
            .read()
            .iter()
            .flat_map(|source| source(now, max))
            .collect();
        waiting.sort_by_key(|one| std::cmp::Reverse(one.failures));
        waiting.truncate(max);
        Told {
            certificates,
            waiting,
            holes: self.holes.get().map(|holes| holes(self.limits.holes_max)),
            disk: self.disk.get().and_then(|disk| disk()),
        }
    }
}

struct Told {
    certificates: Vec<Certificate>,
    waiting: Vec<Waiting>,
    holes: Option<Holes>,
    disk: Option<Disk>,
}

/// How often somebody, or somewhere, was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityCount)]
pub struct Count {
    /// The name that was said, or the network address.
    pub name: String,
    /// How often.
    pub refused: i64,
    /// When last.
    pub last_at: String,
}

/// Refusals of an hour.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityHour)]
pub struct Hour {
    /// When the hour began, RFC 3339 UTC.
    pub from: String,
    /// How many.
    pub refused: i64,
}

/// Failed sign-ins (登录失败).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecuritySignIns)]
pub struct SignIns {
    /// Where the figures are from.
    pub source: String,
    /// They are counted from here on.
    pub from: String,
    /// How many since then.
    pub refused: i64,
    /// How many in the last hour.
    pub refused_hour: i64,
    /// How many in as long a time before.
    pub refused_before: i64,
    /// By the name that was said, most first.
    pub by_account: Vec<Count>,
    /// By network address, most first.
    pub by_peer: Vec<Count>,
    /// Over time, every hour of it.
    pub by_hour: Vec<Hour>,
}

/// Who waits, and what doors count.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityPeers)]
pub struct Peers {
    /// Where the figures are from.
    pub source: String,
    /// Who waits now, most failures first.
    pub waiting: Vec<Waiting>,
    /// Refusals that doors counted since the start.
    pub counters: Vec<Counter>,
}

/// A change of who may do what.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityChange)]
pub struct Change {
    /// Number in the audit trail.
    pub id: i64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What, as the trail's word.
    pub action: String,
    /// The catalogue's title of it in Chinese.
    pub title_zh: Option<String>,
    /// The same in English.
    pub title_en: Option<String>,
    /// To what.
    pub target: String,
}

/// Changes of who may do what (权限与策略变更).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityChanges)]
pub struct Changes {
    /// Where they are from.
    pub source: String,
    /// Newest first.
    pub items: Vec<Change>,
}

/// Certificates and keys.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityCertificates)]
pub struct Certificates {
    /// The next to end of those that do not renew themselves, whole days.
    pub days_left_min: Option<i64>,
    /// The next to end first.
    pub items: Vec<Certificate>,
}

/// Copies of the city.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityBackup)]
pub struct Backup {
    /// Seconds since the last good backup; null when there never was one.
    pub age_seconds: Option<u64>,
    /// Seconds since the last restore drill; null when there never was one.
    pub drill_age_seconds: Option<u64>,
    /// Whether that drill was good.
    pub drill_good: Option<bool>,
}

/// The audit chain.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SecurityAudit)]
pub struct Audit {
    /// When it was proved last; null when not since the start.
    pub proved_at: Option<String>,
    /// Whether it was whole.
    pub whole: Option<bool>,
    /// Rows looked at.
    pub rows: Option<i64>,
    /// The first row that is not as it was.
    pub broken_from: Option<i64>,
}

/// How safe the platform is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SecurityView {
    /// When all of this was looked at.
    pub at: String,
    /// Failed sign-ins.
    pub sign_ins: SignIns,
    /// Who waits at doors.
    pub peers: Peers,
    /// Changes of who may do what.
    pub changes: Changes,
    /// Certificates and keys that end.
    pub certificates: Certificates,
    /// Known holes; null when nobody looks for them.
    pub holes: Option<Holes>,
    /// Backups.
    pub backup: Backup,
    /// The audit chain.
    pub audit: Audit,
    /// The city's disk.
    pub disk: Option<Disk>,
}

/// Acts that change who may do what: rights, policies, people and machines that have them, their proofs, and the keys that
/// all of it rests on. A role is changed by [`Event::UserChange`] or with a post.
const CHANGES: &[Event] = &[
    Event::PolicyChange,
    Event::ApprovalAsk,
    Event::ApprovalApprove,
    Event::ApprovalRefuse,
    Event::ApprovalWithdraw,
    Event::ApprovalExpire,
    Event::ApprovalEnd,
    Event::UserCreate,
    Event::UserChange,
    Event::UserPassword,
    Event::UserHandover,
    Event::FactorReset,
    Event::OrganisationImport,
    Event::OrganisationAdd,
    Event::OrganisationChange,
    Event::OrganisationRoster,
    Event::PostAdd,
    Event::PostChange,
    Event::PostGive,
    Event::PostEnd,
    Event::TokenCreate,
    Event::TokenRemove,
    Event::OidcClientAdd,
    Event::OidcClientChange,
    Event::OidcClientSecret,
    Event::OidcClientRemove,
    Event::OidcKeys,
    Event::AuditKey,
    Event::PersonalKey,
];

/// Looks at everything.
///
/// # Errors
/// The records' own.
pub async fn look(app: &App) -> Answer<SecurityView> {
    let now = app.now();
    let limits = app.security.limits.clone();
    let told = {
        let app = app.clone();
        tokio::task::spawn_blocking(move || app.security.told(now))
            .await
            .map_err(crate::ApiError::internal)?
    };
    let mut records = app.records.read().await?;
    let hours = limits.refusals_hours.max(1);
    let from = now.plus_seconds(-hours * 3_600);
    let count = |c: audit::ActCount| Count {
        name: c.name,
        refused: c.acts,
        last_at: c.last.to_string(),
    };
    let named = limits.named_max;
    let by_account = audit::refusals_by(&mut records, CountBy::Actor, from, named).await?;
    let by_peer = audit::refusals_by(&mut records, CountBy::Peer, from, named).await?;
    let counted = audit::refusals_by_hour(&mut records, from).await?;
    let hour_now = now.micros().div_euclid(3_600_000_000);
    let by_hour = (hour_now - hours + 1..=hour_now).map(|hour| Hour {
        from: Timestamp::from_seconds(hour * 3_600).to_string(),
        refused: counted
            .iter()
            .find(|c| c.hour == hour)
            .map_or(0, |c| c.acts),
    });
    // What came while this was looked at counts too.
    let later = now.plus_seconds(3_600);
    let sign_ins = SignIns {
        source: "audit".to_owned(),
        from: from.to_string(),
        refused: audit::refusals(&mut records, from, later).await?,
        refused_hour: audit::refusals(&mut records, now.plus_seconds(-3_600), later).await?,
        refused_before: audit::refusals(&mut records, from.plus_seconds(-hours * 3_600), from)
            .await?,
        by_account: by_account.into_iter().map(count).collect(),
        by_peer: by_peer.into_iter().map(count).collect(),
        by_hour: by_hour.collect(),
    };
    let changes = audit::newest_of(&mut records, CHANGES, limits.changes_max).await?;
    let of_devices =
        device_credentials::certificates_ending(&mut records, limits.device_certificates_max)
            .await?;
    drop(records);
    let certificates = with_devices(told.certificates, of_devices, now);
    let changes = changes.into_iter().map(|entry| {
        let line = audit_events::find(&entry.action);
        Change {
            id: entry.id,
            at: entry.at.to_string(),
            actor: entry.actor,
            title_zh: line.map(|line| line.title_zh.to_owned()),
            title_en: line.map(|line| line.title_en.to_owned()),
            action: entry.action,
            target: entry.target,
        }
    });
    let proof = crate::audit::last_proof(app).await;
    let drill = app.drill_age_seconds();
    Ok(SecurityView {
        at: now.to_string(),
        sign_ins,
        peers: Peers {
            source: "doors".to_owned(),
            waiting: told.waiting,
            counters: counters(app),
        },
        changes: Changes {
            source: "audit".to_owned(),
            items: changes.collect(),
        },
        certificates: Certificates {
            days_left_min: certificates
                .iter()
                .filter(|c| !c.renews_itself)
                .filter_map(|c| c.days_left)
                .min(),
            items: certificates,
        },
        holes: told.holes,
        backup: Backup {
            age_seconds: app.backup_age_seconds(),
            drill_age_seconds: drill.map(|(age, _)| age),
            drill_good: drill.map(|(_, good)| good),
        },
        audit: Audit {
            proved_at: proof.as_ref().map(|(at, _)| at.to_string()),
            whole: proof.as_ref().map(|(_, report)| report.whole),
            rows: proof.as_ref().map(|(_, report)| report.rows),
            broken_from: proof
                .as_ref()
                .and_then(|(_, report)| Some(report.breaks.first()?.from)),
        },
        disk: told.disk,
    })
}

/// The certificates of devices among the others, the next to end first. What cannot be read is told first: it may have ended.
fn with_devices(
    mut certificates: Vec<Certificate>,
    of_devices: Vec<DeviceCredential>,
    now: Timestamp,
) -> Vec<Certificate> {
    certificates.extend(of_devices.into_iter().map(|one| {
        let name = match &one.subject {
            Some(subject) if !subject.is_empty() => format!("{} ({subject})", one.client_id),
            _ => one.client_id,
        };
        let source = "device_credentials".to_owned();
        Certificate::new("device", name, source, one.expires_at, now)
    }));
    certificates.sort_by_key(|c| c.days_left);
    certificates
}

/// Of what doors count, that which is about being turned away.
fn counters(app: &App) -> Vec<Counter> {
    let lines = app.door_metrics.get().into_iter().flat_map(|door| door());
    lines
        .filter(|(name, ..)| {
            ["refused", "failed", "limited", "failures", "not_authorised"]
                .iter()
                .any(|word| name.contains(word))
        })
        .map(|(name, _, _, value)| Counter { name, value })
        .collect()
}

/// How safe the platform is. That it was looked at is told in the audit trail.
#[utoipa::path(get, path = "/api/v1/security", tag = "security", security(("session" = ["security.read"])),
    responses((status = 200, body = SecurityView)))]
pub async fn view(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
) -> Answer<Json<SecurityView>> {
    crate::audit::tell_look(&app, &caller, peer, Event::SecurityLook).await?;
    look(&app).await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What acts about rights, policies, administrators and keys begin with.
    const FAMILIES: [&str; 12] = [
        "policy.",
        "role.",
        "approval.",
        "user.",
        "factor.reset",
        "organisation.",
        "post.",
        "token.",
        "oidc.client.",
        "oidc.keys",
        "audit.key",
        "personal.key",
    ];
    /// Of these, acts that change nothing: a file written, a password taken, a wrong secret.
    const NO_CHANGE: [Event; 3] = [
        Event::OrganisationExport,
        Event::ApprovalCollect,
        Event::OidcClientRefused,
    ];

    #[test]
    fn every_change_of_who_may_do_what_is_told() {
        let told: BTreeSet<&str> = CHANGES.iter().map(|e| e.entry().action).collect();
        assert_eq!(told.len(), CHANGES.len(), "one is there twice");
        let not_told: BTreeSet<&str> = NO_CHANGE.iter().map(|e| e.entry().action).collect();
        assert!(told.is_disjoint(&not_told));
        for entry in Event::ALL.iter().map(|e| e.entry()) {
            let is_of_it = FAMILIES.iter().any(|f| entry.action.starts_with(f));
            assert_eq!(
                is_of_it && !not_told.contains(entry.action),
                told.contains(entry.action),
                "{}: in CHANGES, or in NO_CHANGE with why",
                entry.action
            );
        }
    }

    #[test]
    fn the_certificates_of_devices_stand_among_the_others_by_their_end() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let days = |n: i64| now.plus_seconds(n * 86_400);
        let of_device = |client_id: &str, subject: Option<&str>, end: Timestamp| DeviceCredential {
            id: 1,
            client_id: client_id.to_owned(),
            kind: device_credentials::X509.to_owned(),
            secret_salt: records::Secret::default(),
            secret_hash: records::Secret::default(),
            secret_sealed: records::Secret::default(),
            fingerprint: Some("f".to_owned()),
            subject: subject.map(str::to_owned),
            created_at: now,
            created_by: "test".to_owned(),
            expires_at: end,
            last_used_at: None,
        };
        let others = vec![
            Certificate::new("door", "d".to_owned(), "f".to_owned(), days(10), now),
            Certificate::unread("door", "u".to_owned(), "f".to_owned()),
        ];
        let devices = vec![
            of_device("gauge-1", Some("CN=gauge-1"), days(-2)),
            of_device("gauge-2", None, days(40)),
        ];
        let all = with_devices(others, devices, now);
        let lines: Vec<_> = all
            .iter()
            .map(|c| (c.kind.as_str(), c.name.as_str(), c.days_left))
            .collect();
        assert_eq!(
            lines,
            [
                ("door", "u", None),
                ("device", "gauge-1 (CN=gauge-1)", Some(-2)),
                ("door", "d", Some(10)),
                ("device", "gauge-2", Some(40)),
            ]
        );
        assert!(all.iter().all(|c| !c.renews_itself));
    }
}
