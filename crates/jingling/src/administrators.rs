//! The three administrators of a city at its start: whoever is missing gets a sign-in, and what the machine's operator has
//! set about approvals is told to those who rely on them.

use crate::files;
use crate::folder::Folder;
use crate::settings::ApprovalSettings;
use anyhow::{Context, Result};
use api::App;
use api::notices::Notice;
use identity::{Administrator, GeneratedSignIn, Identity, Role};
use model::Timestamp;
use records::{Actor, Failure};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Time between looks for approvals that ran out.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// A sign-in made at the first start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FirstSignIn {
    /// What for, in Chinese.
    pub role_zh: String,
    /// The role.
    pub role: String,
    /// The name to sign in with.
    pub username: String,
    /// The password, generated; change it after signing in.
    pub password: String,
}

impl From<GeneratedSignIn> for FirstSignIn {
    fn from(made: GeneratedSignIn) -> Self {
        let role: Option<Role> = made.user.role.parse().ok();
        let title = role
            .and_then(Administrator::of)
            .map(Administrator::title_zh);
        Self {
            role_zh: title.unwrap_or(&made.user.name).to_owned(),
            role: made.user.role,
            username: made.user.username,
            password: made.password,
        }
    }
}

/// Makes a sign-in for each administrator that is missing, and writes them beside those that the file has.
///
/// # Errors
/// The records' own, and the disk's.
pub async fn make_missing(
    folder: &Folder,
    identity: &Identity,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<FirstSignIn>> {
    let made = identity.bootstrap(actor, now).await?;
    let made: Vec<FirstSignIn> = made.into_iter().map(Into::into).collect();
    if !made.is_empty() {
        write(folder, &made)?;
    }
    Ok(made)
}

/// Adds sign-ins to the file of first sign-ins.
///
/// # Errors
/// The disk's own.
pub fn write(folder: &Folder, made: &[FirstSignIn]) -> Result<()> {
    let path = folder.first_sign_in();
    // The engineer may have put it away, as they should.
    let mut people: Vec<FirstSignIn> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    people.retain(|p| made.iter().all(|m| m.username != p.username));
    people.extend_from_slice(made);
    files::write_secret(&path, &serde_json::to_vec_pretty(&people)?)
        .with_context(|| format!("writing {}", path.display()))
}

/// At the start of a city: makes who is missing and tells of it, and ends approvals that an end of the platform cut off.
///
/// # Errors
/// What the records refuse, but for a disk that takes no writes.
pub async fn start(app: &App, folder: &Folder, settings: &ApprovalSettings) -> Result<()> {
    let now = app.now();
    let mut notices = Vec::new();
    let notice = |code: &str, what: String, place: String, mend: &str| Notice {
        code: code.to_owned(),
        found_at: now.to_string(),
        position_from: 0,
        position_to: 0,
        what,
        place,
        mend: mend.to_owned(),
    };
    match make_missing(folder, &app.identity, &Actor::system("first-start"), now).await {
        Ok(made) if made.is_empty() => {}
        Ok(made) => {
            let roles: Vec<_> = made
                .iter()
                .map(|m| format!("{} ({})", m.username, m.role))
                .collect();
            let what = format!("the city had no {}: sign-ins were made", roles.join(", "));
            let place = folder.first_sign_in().display().to_string();
            tracing::warn!(
                place,
                "{what}; hand each to a person of its own: docs/administrators.md"
            );
            let mend = "hand each to a person of its own, who changes the password; more are made with: jingling user add DIR --role security";
            notices.push(notice("administrators-made", what, place, mend));
        }
        Err(error) => match error.downcast_ref::<Failure>() {
            Some(Failure::Unavailable(problem)) => {
                tracing::error!(%problem, "administrators that are missing could not be made");
            }
            _ => return Err(error),
        },
    }
    if !settings.not_required.is_empty() {
        let acts: Vec<_> = settings.not_required.iter().map(|a| a.as_str()).collect();
        let what = format!("one person alone may do: {}", acts.join(", "));
        tracing::warn!("{what}");
        let mend = "take the acts out of approval.not_required in jingling.toml and start anew";
        notices.push(notice(
            "approval-not-required",
            what,
            "approval.not_required".to_owned(),
            mend,
        ));
    }
    app.notices.set("administrators", notices);
    match app.identity.end_interrupted_approvals(now).await {
        Ok(0) => {}
        Ok(count) => tracing::warn!(
            count,
            "approved acts were cut off by the last end; docs/administrators.md"
        ),
        Err(Failure::Unavailable(problem)) => tracing::error!(%problem, "approvals are not ended"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What goes on in the background.
pub fn timer(app: &App) -> JoinHandle<()> {
    tokio::spawn(api::approvals::run(app.clone(), EXPIRE_EVERY))
}
