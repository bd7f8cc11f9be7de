//! Doing what a file says, in one transaction, once nothing is wrong with it.

use super::columns::Kind;
use super::plan::{PersonPlan, Plan};
use super::{Doing, Report, Sheet, SignInMade};
use crate::approvals::Approved;
use crate::sign_ins::{self, Because};
use crate::{Identity, organisation, posts, secret, users};
use model::{Problem, Timestamp};
use records::posts::Holder;
use records::users::NewUser;
use records::{Actor, Event, Failure, Result, Secret, Write, audit, sessions};
use serde_json::json;
use std::collections::BTreeMap;

/// A file, as the audit trail names it.
struct Source<'a> {
    /// Its name.
    file: &'a str,
    /// Its SHA-256, hex.
    sha256: &'a str,
}

/// What becomes of the roles and posts that a file gives.
#[derive(Clone, Copy)]
pub(super) enum Roles<'a> {
    /// They are given, by who may or as two people agreed.
    Given(Option<&'a Approved>),
    /// They are left as they are.
    Left,
}

impl Identity {
    /// What a file would do, or what is wrong with it. Nothing is written.
    ///
    /// # Errors
    /// The store's own.
    pub async fn check_roster(&self, sheets: &[Sheet], now: Timestamp) -> Result<Report> {
        let mut connection = self.records().read().await?;
        Ok(self.plan_roster(&mut connection, sheets, now).await?.report)
    }

    /// Does what a file says, when nothing is wrong with it; the report says what was done, or what is wrong. Passwords of
    /// new people are in the answer alone.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `roster-changed` when somebody else added people meanwhile; otherwise the store's own.
    pub async fn apply_roster(
        &self,
        sheets: &[Sheet],
        source: (&str, &str),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(Report, Vec<SignInMade>)> {
        self.apply_roster_as(sheets, source, (actor, Roles::Given(None)), now)
            .await
    }

    /// [`Identity::apply_roster`] without what gives roles: new people have none, those who are there keep theirs, and no post
    /// is made, changed or given. What is left out is what [`Identity::roster_roles`] told.
    ///
    /// # Errors
    /// As [`Identity::apply_roster`].
    pub async fn apply_roster_without_roles(
        &self,
        sheets: &[Sheet],
        source: (&str, &str),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(Report, Vec<SignInMade>)> {
        self.apply_roster_as(sheets, source, (actor, Roles::Left), now)
            .await
    }

    pub(super) async fn apply_roster_as(
        &self,
        sheets: &[Sheet],
        (file, sha256): (&str, &str),
        (actor, roles): (&Actor, Roles<'_>),
        now: Timestamp,
    ) -> Result<(Report, Vec<SignInMade>)> {
        let first = {
            let mut connection = self.records().read().await?;
            self.plan_roster(&mut connection, sheets, now).await?
        };
        if first.report.mistakes_count > 0 {
            return Ok((first.report, Vec::new()));
        }
        // Hashing is slow on purpose: it is done before anybody waits for the transaction.
        let mut passwords: BTreeMap<String, (String, Secret)> = BTreeMap::new();
        for person in first.people.iter().filter(|p| p.doing == Doing::Add) {
            let password = secret::generate_password();
            let hash = self.hash_password(password.clone()).await?;
            passwords.insert(person.username.clone(), (password, hash));
        }
        let mut write = self.records().write().await?;
        let mut plan = self.plan_roster(&mut write, sheets, now).await?;
        if plan.report.mistakes_count > 0 {
            return Ok((plan.report, Vec::new()));
        }
        match roles {
            Roles::Left => plan.leave_roles(),
            Roles::Given(approved) if plan.gives_roles() => {
                self.must_grant(&mut write, actor, approved, now).await?;
            }
            Roles::Given(_) => {}
        }
        let source = Source { file, sha256 };
        let made = write_plan(&mut write, &plan, &mut passwords, source, actor, now).await?;
        write.commit().await?;
        Ok((plan.report, made))
    }
}

async fn write_plan(
    write: &mut Write,
    plan: &Plan,
    passwords: &mut BTreeMap<String, (String, Secret)>,
    source: Source<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<SignInMade>> {
    for (doing, row) in &plan.organisations {
        match doing {
            Doing::Add => organisation::write_added(write, row, actor, now).await?,
            Doing::Change => organisation::write_changed(write, row, actor, now).await?,
            Doing::Same => {}
        }
    }
    for (doing, row) in &plan.posts {
        match doing {
            Doing::Add => posts::write_added(write, row, actor, now).await?,
            Doing::Change => posts::write_changed(write, row, actor, now).await?,
            Doing::Same => {}
        }
    }
    let mut made = Vec::new();
    for person in &plan.people {
        let id = match &person.before {
            Some(_) => write_changed(write, person, actor, now).await?,
            None => {
                let Some((password, hash)) = passwords.remove(&person.username) else {
                    return Err(changed_meanwhile(&person.username));
                };
                made.push(SignInMade {
                    username: person.username.clone(),
                    name: person.name.clone(),
                    organisation_id: person.organisation_id.clone(),
                    password,
                });
                let new = NewUser {
                    username: person.username.clone(),
                    name: person.name.clone(),
                    role: person.role.as_str().to_owned(),
                    organisation_id: person.organisation_id.clone(),
                    password_hash: hash,
                };
                let phone = person.phone.clone();
                users::write_added(write, &new, phone, actor, now).await?.id
            }
        };
        for post_id in &person.gets {
            let row = Holder {
                id: 0,
                post_id: post_id.clone(),
                user_id: id,
                from_at: now,
                until_at: None,
                given_by: actor.name.clone(),
            };
            posts::write_given(write, &row, actor, now).await?;
        }
    }
    let report = &plan.report;
    let detail = json!({
        "file": source.file,
        "sha256": source.sha256,
        "organisations": report.touched(Kind::Organisations),
        "posts": report.touched(Kind::Posts),
        "people": report.touched(Kind::People),
        "holders": report.holders,
    });
    let event = Event::OrganisationRoster;
    audit::insert(write, now, actor, event, "organisations", &detail).await?;
    Ok(made)
}

/// Writes what differs of a person who is there; answers the id.
async fn write_changed(
    write: &mut Write,
    person: &PersonPlan,
    actor: &Actor,
    now: Timestamp,
) -> Result<i64> {
    let Some(before) = &person.before else {
        return Err(changed_meanwhile(&person.username));
    };
    let mut user = before.clone();
    user.name.clone_from(&person.name);
    person.role.as_str().clone_into(&mut user.role);
    user.organisation_id.clone_from(&person.organisation_id);
    user.phone.clone_from(&person.phone);
    if user != *before {
        records::users::update(write, &user).await?;
        if user.role != before.role {
            // As when it is changed by hand.
            sessions::delete_of_user(write, user.id).await?;
            sign_ins::end(write, user.id, Because::RoleChanged, now).await?;
        }
        let phone_changed = user.phone != before.phone;
        users::write_changed(write, &user, phone_changed, actor, now).await?;
    }
    Ok(user.id)
}

fn changed_meanwhile(username: &str) -> Failure {
    Failure::Conflict(Problem::new(
        "roster-changed",
        format!("{username} was changed while the file was read"),
        "people",
        "look at the file again, then import it",
    ))
}
