//! Users and organisations: the first sign-ins of a new city, adding people, changing them. Which administrator may do
//! what to whose account is checked here, below every door: a handler that forgets to ask finds the way closed.

use crate::approvals::Approved;
use crate::dangerous::DangerousAct;
use crate::permission::Permission;
use crate::posts::held_by;
use crate::principal::Principal;
use crate::role::Role;
use crate::separation::{self, Administrator};
use crate::sessions::principal_of;
use crate::sign_ins::{self, Because};
use crate::{Identity, checks, password, secret};
use model::{Problem, Timestamp, problem::quote};
use records::users::{NewUser, User};
use records::{
    Actor, ActorKind, Connection, Failure, Page, PageRequest, Result, Secret, Write, audit,
    organisations, sessions, tokens, users,
};
use serde_json::{Value, json};

/// A person to add.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// What is typed at sign-in.
    pub username: String,
    /// The name others see.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The department.
    pub organisation_id: Option<String>,
    /// The password; one is generated when `None`.
    pub password: Option<String>,
}

/// What to change of a person; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// The name others see.
    pub name: Option<String>,
    /// The role.
    pub role: Option<Role>,
    /// The department; `Some(None)` takes it away.
    pub organisation_id: Option<Option<String>>,
    /// Whether sign-in is closed.
    pub disabled: Option<bool>,
    /// The telephone number; `Some(None)` takes it away.
    pub phone: Option<Option<String>>,
}

/// A sign-in that was made just now. The password is not stored and cannot be shown again.
#[derive(Clone, Debug)]
pub struct GeneratedSignIn {
    /// The user.
    pub user: User,
    /// The password.
    pub password: String,
}

/// Names that are tried for a first sign-in.
const USERNAMES_TRIED: usize = 9;

impl Identity {
    /// Makes a sign-in with a generated password for each administrator that the city has none of: three in a new city,
    /// two in one from before they were separated, none otherwise.
    ///
    /// # Errors
    /// The store's own.
    pub async fn bootstrap(&self, actor: &Actor, now: Timestamp) -> Result<Vec<GeneratedSignIn>> {
        let mut made = Vec::new();
        for administrator in Administrator::ALL {
            let page = PageRequest {
                after: None,
                limit: Some(1),
            };
            let role = administrator.role();
            if !self
                .list_users(Some(role), None, &page)
                .await?
                .items
                .is_empty()
            {
                continue;
            }
            // The plain name may be somebody else's in an older city.
            for n in 1..=USERNAMES_TRIED {
                let username = match n {
                    1 => role.to_string(),
                    n => format!("{role}-{n}"),
                };
                let person = NewPerson {
                    username,
                    name: administrator.title_zh().to_owned(),
                    role,
                    organisation_id: None,
                    password: None,
                };
                match self.create_user(&person, actor, now).await {
                    Ok(one) => {
                        made.push(one);
                        break;
                    }
                    Err(Failure::Conflict(_)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(made)
    }

    /// Adds a person.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a bad username, name or password, or an unknown organisation;
    /// [`Failure::Conflict`] `username-taken`; [`Failure::Forbidden`] `permission-missing`, and `role-by-security` when
    /// somebody signed in would give a role with it: a new account has none until the security administrator gives one.
    pub async fn create_user(
        &self,
        person: &NewPerson,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<GeneratedSignIn> {
        self.create_person(person, None, actor, now).await
    }

    /// Adds a person with a telephone number.
    ///
    /// # Errors
    /// As [`Identity::create_user`]; [`Failure::Invalid`] `phone`.
    pub async fn create_person(
        &self,
        person: &NewPerson,
        phone: Option<&str>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<GeneratedSignIn> {
        let phone = checked_phone(phone)?;
        let username = clean_username(&person.username);
        self.check_username(&username)?;
        let name = self.check_name(&person.name, "name")?;
        let given = match &person.password {
            Some(given) => {
                self.check_password(given)?;
                given.clone()
            }
            None => secret::generate_password(),
        };
        let password_hash = self.hash_password(given.clone()).await?;
        let mut write = self.records().write().await?;
        if let Some(caller) = self.signed_in(&mut write, actor, now).await? {
            caller.require(Permission::UserManage)?;
            if person.role != Role::None {
                return Err(Failure::Forbidden(Problem::new(
                    "role-by-security",
                    format!("a new account cannot begin with the role {}", person.role),
                    "role",
                    "add it with the role none, and let the security administrator give the role",
                )));
            }
        }
        check_organisation(&mut write, person.organisation_id.as_deref()).await?;
        let new = NewUser {
            username,
            name,
            role: person.role.as_str().to_owned(),
            organisation_id: person.organisation_id.clone(),
            password_hash,
        };
        let user = write_added(&mut write, &new, phone, actor, now).await?;
        write.commit().await?;
        Ok(GeneratedSignIn {
            user,
            password: given,
        })
    }

    /// Changes a person. Closing sign-in or changing the role ends the person's sessions and what they gave to
    /// other systems.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`]; [`Failure::Forbidden`] `permission-missing`, and `needs-approval` for
    /// an administrator's account; [`Failure::Conflict`] `last-admin`, `last-security` or `last-auditor` when the city
    /// would have no such administrator afterwards.
    pub async fn change_user(
        &self,
        id: i64,
        change: &PersonChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<User> {
        self.change_user_as(id, change, actor, None, now).await
    }

    /// [`Identity::change_user`] as two people agreed to it: what [`PersonChange::to_body`] gave, and nothing else.
    ///
    /// # Errors
    /// As there.
    pub async fn change_user_approved(&self, approved: &Approved, now: Timestamp) -> Result<User> {
        let (id, change) = PersonChange::from_body(approved.body())?;
        let act = Some(approved.act());
        self.change_user_as(id, &change, approved.actor(), act, now)
            .await
    }

    async fn change_user_as(
        &self,
        id: i64,
        change: &PersonChange,
        actor: &Actor,
        approved: Option<DangerousAct>,
        now: Timestamp,
    ) -> Result<User> {
        let mut write = self.records().write().await?;
        let mut user = users::get(&mut write, id)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))?;
        let before = (!user.disabled).then(|| administrator_of(&user)).flatten();
        if let Some(caller) = self.signed_in(&mut write, actor, now).await? {
            if change.role.is_some() {
                caller.require(Permission::RoleGrant)?;
            }
            if change.role.is_none() || change.is_beyond_role() {
                caller.require(Permission::UserManage)?;
            }
            for act in change.dangers(&user) {
                self.must_be_approved(act, approved)?;
            }
        }
        if let Some(name) = &change.name {
            user.name = self.check_name(name, "name")?;
        }
        if let Some(role) = change.role {
            separation::check(&[role]).map_err(Failure::Invalid)?;
            role.as_str().clone_into(&mut user.role);
        }
        if let Some(organisation_id) = &change.organisation_id {
            check_organisation(&mut write, organisation_id.as_deref()).await?;
            user.organisation_id.clone_from(organisation_id);
        }
        if let Some(disabled) = change.disabled {
            user.disabled = disabled;
        }
        let phone_before = user.phone.clone();
        if let Some(phone) = &change.phone {
            user.phone = checked_phone(phone.as_deref())?;
        }
        let user = users::update(&mut write, &user)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))?;
        let after = (!user.disabled).then(|| administrator_of(&user)).flatten();
        if let Some(administrator) = before
            && after != before
            && !administrator_remains(&mut write, administrator).await?
        {
            let role = administrator.role();
            return Err(Failure::Conflict(Problem::new(
                &format!("last-{role}"),
                format!("{} is the last {role}", user.username),
                "user",
                format!("make another {role} first"),
            )));
        }
        if change.role.is_some() || user.disabled {
            sessions::delete_of_user(&mut write, id).await?;
            let because = match user.disabled {
                true => Because::Closed,
                false => Because::RoleChanged,
            };
            sign_ins::end(&mut write, id, because, now).await?;
        }
        write_changed(&mut write, &user, user.phone != phone_before, actor, now).await?;
        write.commit().await?;
        Ok(user)
    }

    /// Sets a person's password, a generated one when `None`, and ends the person's sessions and what they gave to other
    /// systems.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] when the password is too short or too long; [`Failure::Forbidden`]
    /// `permission-missing`, and `needs-approval` for another administrator's.
    pub async fn set_password(
        &self,
        id: i64,
        given: Option<&str>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<GeneratedSignIn> {
        self.set_password_as(id, given, actor, None, now).await
    }

    /// A generated password for a person, as two people agreed to it.
    ///
    /// # Errors
    /// As [`Identity::set_password`].
    pub async fn set_password_approved(
        &self,
        approved: &Approved,
        now: Timestamp,
    ) -> Result<GeneratedSignIn> {
        let (id, _) = PersonChange::from_body(approved.body())?;
        let act = Some(approved.act());
        self.set_password_as(id, None, approved.actor(), act, now)
            .await
    }

    async fn set_password_as(
        &self,
        id: i64,
        given: Option<&str>,
        actor: &Actor,
        approved: Option<DangerousAct>,
        now: Timestamp,
    ) -> Result<GeneratedSignIn> {
        let given = match given {
            Some(given) => {
                self.check_password(given)?;
                given.to_owned()
            }
            None => secret::generate_password(),
        };
        let hash = self.hash_password(given.clone()).await?;
        let mut write = self.records().write().await?;
        let user = users::get(&mut write, id)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))?;
        // One's own is nobody else's matter.
        if actor.user_id() != Some(id)
            && let Some(caller) = self.signed_in(&mut write, actor, now).await?
        {
            caller.require(Permission::UserManage)?;
            if administrator_of(&user).is_some() {
                self.must_be_approved(DangerousAct::AdministratorPassword, approved)?;
            }
        }
        users::set_password(&mut write, id, &hash, now).await?;
        sessions::delete_of_user(&mut write, id).await?;
        sign_ins::end(&mut write, id, Because::PasswordSet, now).await?;
        let target = format!("user:{id}");
        audit::insert(
            &mut write,
            now,
            actor,
            records::Event::UserPassword,
            &target,
            &json!({}),
        )
        .await?;
        let user = users::get(&mut write, id)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))?;
        write.commit().await?;
        Ok(GeneratedSignIn {
            user,
            password: given,
        })
    }

    fn must_be_approved(&self, act: DangerousAct, approved: Option<DangerousAct>) -> Result<()> {
        if approved == Some(act) || !self.needs_approval(act) {
            return Ok(());
        }
        Err(Failure::Forbidden(Problem::new(
            "needs-approval",
            "an administrator's account is not one person's to change",
            "user",
            format!("ask for the approval of {act}: docs/administrators.md"),
        )))
    }

    /// One user by number.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn user(&self, id: i64) -> Result<User> {
        users::get(&mut *self.records().read().await?, id)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))
    }

    /// One user by username.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn user_by_username(&self, username: &str) -> Result<User> {
        let username = clean_username(username);
        users::by_username(&mut *self.records().read().await?, &username)
            .await?
            .ok_or_else(|| Failure::not_found("user", quote(&username)))
    }

    /// Users, of one role or organisation only when asked.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a cursor of another list.
    pub async fn list_users(
        &self,
        role: Option<Role>,
        organisation_id: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<User>> {
        users::list(
            &mut *self.records().read().await?,
            role.map(Role::as_str),
            organisation_id,
            page,
        )
        .await
    }

    pub(crate) async fn hash_password(&self, given: String) -> Result<Secret> {
        let _permit = self
            .password_checks
            .acquire()
            .await
            .map_err(Failure::internal)?;
        let work = self.options.work_factor;
        tokio::task::spawn_blocking(move || password::hash(&given, work))
            .await
            .map_err(Failure::internal)?
    }

    pub(crate) fn check_username(&self, username: &str) -> Result<()> {
        let count = username.chars().count();
        let good = (2..=self.options.username_chars_max).contains(&count)
            && username
                .chars()
                .all(|c| c.is_alphanumeric() || "._-@".contains(c));
        if good {
            return Ok(());
        }
        Err(Failure::Invalid(Problem::new(
            "username",
            format!("\"{}\" is not a username", quote(username)),
            "username",
            format!(
                "use 2 to {} letters, digits and . _ - @",
                self.options.username_chars_max
            ),
        )))
    }

    pub(crate) fn check_name(&self, name: &str, place: &str) -> Result<String> {
        let name = name.trim();
        let count = name.chars().count();
        if (1..=self.options.name_chars_max).contains(&count) && !name.chars().any(char::is_control)
        {
            return Ok(name.to_owned());
        }
        Err(Failure::Invalid(Problem::new(
            "name",
            format!("\"{}\" is not a name", quote(name)),
            place,
            format!(
                "use 1 to {} characters, none of them control characters",
                self.options.name_chars_max
            ),
        )))
    }

    pub(crate) fn check_password(&self, given: &str) -> Result<()> {
        if given.chars().count() >= self.options.password_chars_min
            && given.len() <= self.options.password_bytes_max
        {
            return Ok(());
        }
        Err(Failure::Invalid(Problem::new(
            "password-length",
            format!("the password has {} characters", given.chars().count()),
            "password",
            format!(
                "use at least {} characters and at most {} bytes, or let one be generated",
                self.options.password_chars_min, self.options.password_bytes_max
            ),
        )))
    }
}

/// A telephone number as it is kept; an empty one is none.
fn checked_phone(phone: Option<&str>) -> Result<Option<String>> {
    let phone = phone.map(str::trim).filter(|p| !p.is_empty());
    let phone = phone.map(checks::phone).transpose();
    phone.map_err(|told| {
        Failure::Invalid(Problem {
            place: "phone".to_owned(),
            ..told.into()
        })
    })
}

/// Writes a new person and the act.
pub(crate) async fn write_added(
    write: &mut Write,
    new: &NewUser,
    phone: Option<String>,
    actor: &Actor,
    now: Timestamp,
) -> Result<User> {
    let mut user = users::insert(write, new, now).await?.ok_or_else(|| {
        Failure::Conflict(Problem::new(
            "username-taken",
            format!("there is already a user \"{}\"", quote(&new.username)),
            "username",
            "choose another username",
        ))
    })?;
    if phone.is_some() {
        user.phone = phone;
        users::update(write, &user).await?;
    }
    let detail = json!({"username": user.username, "role": user.role, "organisation_id": user.organisation_id});
    let target = format!("user:{}", user.id);
    audit::insert(
        write,
        now,
        actor,
        records::Event::UserCreate,
        &target,
        &detail,
    )
    .await?;
    Ok(user)
}

/// Writes the act of a change to a person.
pub(crate) async fn write_changed(
    write: &mut Write,
    user: &User,
    phone_changed: bool,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let mut detail = json!({"name": user.name, "role": user.role, "organisation_id": user.organisation_id, "disabled": user.disabled});
    if phone_changed {
        detail["phone"] = true.into();
    }
    let target = format!("user:{}", user.id);
    audit::insert(
        write,
        now,
        actor,
        records::Event::UserChange,
        &target,
        &detail,
    )
    .await
}

/// A username as it is stored and compared: without surrounding white space, lower case.
pub(crate) fn clean_username(username: &str) -> String {
    username.trim().to_lowercase()
}

impl Identity {
    /// Asks that whoever is signed in may give roles, as posts do too; the machine's operator may, and so do two people
    /// who agreed to it.
    pub(crate) async fn must_grant(
        &self,
        write: &mut Connection,
        actor: &Actor,
        approved: Option<&Approved>,
        now: Timestamp,
    ) -> Result<()> {
        if approved.is_some_and(|a| a.act().decides().contains(&Role::Security)) {
            return Ok(());
        }
        let caller = self.signed_in(write, actor, now).await?;
        if caller.is_none_or(|caller| caller.may(Permission::RoleGrant)) {
            return Ok(());
        }
        Err(Failure::Forbidden(Problem::new(
            "role-by-security",
            "this would give somebody a role, and roles are given by the security administrator",
            "role",
            "leave the role or the post out and let the security administrator give it, ask for it as a person signed in, or let the machine's operator do it all: jingling org",
        )))
    }

    /// The person or machine that an act is written of, as it may act now; `None` for the command line and the platform
    /// itself, whose machine's operator answers for it.
    pub(crate) async fn signed_in(
        &self,
        write: &mut Connection,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<Principal>> {
        let gone = || {
            Failure::Forbidden(Problem::new(
                "permission-missing",
                format!("{} may not act any more", actor.name),
                "session",
                "sign in again",
            ))
        };
        let known = match actor.kind {
            ActorKind::CommandLine | ActorKind::System => return Ok(None),
            ActorKind::User(id) => {
                let user = users::get(write, id).await?.filter(|u| !u.disabled);
                let held = held_by(write, id, now).await?;
                principal_of(&user.ok_or_else(gone)?, held)
            }
            ActorKind::Token(id) => {
                let token = tokens::list(write).await?.into_iter().find(|t| t.id == id);
                crate::tokens::principal_of(token.ok_or_else(gone)?)
            }
        };
        known.map(|known| Some(self.permitted(known, now)))
    }
}

async fn check_organisation(write: &mut Write, id: Option<&str>) -> Result<()> {
    if let Some(id) = id
        && organisations::get(write, id).await?.is_none()
    {
        return Err(Failure::Invalid(Problem::new(
            "unknown-organisation",
            format!("there is no organisation \"{}\"", quote(id)),
            "organisation_id",
            "take an id from the list of organisations",
        )));
    }
    Ok(())
}

/// The administrator that a user is, closed or not.
pub(crate) fn administrator_of(user: &User) -> Option<Administrator> {
    Administrator::of(user.role.parse().ok()?)
}

impl PersonChange {
    /// Whether it changes more than the role.
    const fn is_beyond_role(&self) -> bool {
        self.name.is_some()
            || self.organisation_id.is_some()
            || self.disabled.is_some()
            || self.phone.is_some()
    }

    /// What a second person is shown of it, and what is then done.
    pub fn to_body(&self, user: &User) -> Value {
        let mut body = json!({"user": user.id, "username": user.username, "role_now": user.role});
        let parts = [
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("role", self.role.map(|role| json!(role.as_str()))),
            (
                "organisation_id",
                self.organisation_id.as_ref().map(|id| json!(id)),
            ),
            ("disabled", self.disabled.map(Value::Bool)),
            ("phone", self.phone.as_ref().map(|phone| json!(phone))),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }

    /// The person's number and the change, from [`PersonChange::to_body`].
    ///
    /// # Errors
    /// [`Failure::Invalid`] for what that never gives.
    pub fn from_body(body: &Value) -> Result<(i64, Self)> {
        let bad = || {
            Failure::Invalid(Problem::new(
                "approval-body",
                "what was asked for is no change of a person",
                "body",
                "refuse it, and let it be asked for again",
            ))
        };
        let text = |name: &str| match body.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(str::to_owned).map(Some).ok_or_else(bad),
        };
        let id = body["user"].as_i64().ok_or_else(bad)?;
        let role = text("role")?.map(|word| word.parse()).transpose();
        let change = Self {
            name: text("name")?,
            role: role.map_err(Failure::Invalid)?,
            organisation_id: match body.get("organisation_id") {
                None => None,
                Some(Value::Null) => Some(None),
                Some(_) => Some(text("organisation_id")?),
            },
            disabled: match body.get("disabled") {
                None => None,
                Some(value) => Some(value.as_bool().ok_or_else(bad)?),
            },
            phone: match body.get("phone") {
                None => None,
                Some(Value::Null) => Some(None),
                Some(_) => Some(text("phone")?),
            },
        };
        Ok((id, change))
    }

    /// The dangerous acts that it is of this person.
    pub fn dangers(&self, user: &User) -> Vec<DangerousAct> {
        let is = administrator_of(user);
        let changes_role = self.role.filter(|role| role.as_str() != user.role);
        let mut acts = Vec::new();
        if changes_role.is_some_and(|role| is.is_some() || Administrator::of(role).is_some()) {
            acts.push(DangerousAct::AdministratorRole);
        }
        if is.is_some() && self.is_beyond_role() {
            acts.push(DangerousAct::AdministratorChange);
        }
        acts
    }
}

async fn administrator_remains(write: &mut Write, administrator: Administrator) -> Result<bool> {
    let mut page = PageRequest {
        after: None,
        limit: Some(records::page::PAGE_ITEMS_MAX),
    };
    loop {
        let role = administrator.role().as_str();
        let found = users::list(write, Some(role), None, &page).await?;
        if found.items.iter().any(|u| !u.disabled) {
            return Ok(true);
        }
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(false),
        }
    }
}
