//! Users: the first sign-in of a new city, adding people, changing them.

use crate::role::Role;
use crate::{Identity, checks, password, secret};
use model::{Problem, Timestamp, problem::quote};
use records::users::{NewUser, User};
use records::{
    Actor, Connection, Event, Failure, Page, PageRequest, Result, Secret, Write, audit,
    organisations, sessions, users,
};
use serde_json::json;

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

impl Identity {
    /// Makes the first sign-in, `admin` with a generated password, when there is no user yet.
    ///
    /// # Errors
    /// The store's own.
    pub async fn bootstrap(
        &self,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<GeneratedSignIn>> {
        if users::count(&mut *self.records().read().await?).await? > 0 {
            return Ok(None);
        }
        let person = NewPerson {
            username: "admin".to_owned(),
            name: "admin".to_owned(),
            role: Role::Admin,
            organisation_id: None,
            password: None,
        };
        match self.create_user(&person, actor, now).await {
            Ok(made) => Ok(Some(made)),
            // Another process was faster.
            Err(Failure::Conflict(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Adds a person.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a bad username, name or password, or an unknown organisation;
    /// [`Failure::Conflict`] `username-taken`.
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
        let username = clean_username(&person.username);
        self.check_username(&username)?;
        let name = self.check_name(&person.name, "name")?;
        let phone = checked_phone(phone)?;
        let given = match &person.password {
            Some(given) => {
                self.check_password(given)?;
                given.clone()
            }
            None => secret::generate_password(),
        };
        let password_hash = self.hash_password(given.clone()).await?;
        let mut write = self.records().write().await?;
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

    /// Changes a person. Closing sign-in or changing the role ends the person's sessions.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`]; [`Failure::Conflict`] `last-admin` when nobody could
    /// administer the city afterwards.
    pub async fn change_user(
        &self,
        id: i64,
        change: &PersonChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<User> {
        let mut write = self.records().write().await?;
        let mut user = users::get(&mut write, id)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))?;
        let was_admin = user.role == Role::Admin.as_str() && !user.disabled;
        if let Some(name) = &change.name {
            user.name = self.check_name(name, "name")?;
        }
        if let Some(role) = change.role {
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
        let is_admin = user.role == Role::Admin.as_str() && !user.disabled;
        if was_admin && !is_admin && !admin_remains(&mut write).await? {
            return Err(Failure::Conflict(Problem::new(
                "last-admin",
                format!("{} is the last admin", user.username),
                "user",
                "make another admin first",
            )));
        }
        if change.role.is_some() || user.disabled {
            sessions::delete_of_user(&mut write, id).await?;
        }
        write_changed(&mut write, &user, user.phone != phone_before, actor, now).await?;
        write.commit().await?;
        Ok(user)
    }

    /// Sets a person's password, a generated one when `None`, and ends the person's sessions.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] when the password is too short or too long.
    pub async fn set_password(
        &self,
        id: i64,
        given: Option<&str>,
        actor: &Actor,
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
        if !users::set_password(&mut write, id, &hash, now).await? {
            return Err(Failure::not_found("user", id));
        }
        sessions::delete_of_user(&mut write, id).await?;
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

    fn check_password(&self, given: &str) -> Result<()> {
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
    audit::insert(write, now, actor, Event::UserCreate, &target, &detail).await?;
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
    audit::insert(write, now, actor, Event::UserChange, &target, &detail).await
}

/// A username as it is stored and compared: without surrounding white space, lower case.
pub(crate) fn clean_username(username: &str) -> String {
    username.trim().to_lowercase()
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

async fn admin_remains(write: &mut Write) -> Result<bool> {
    admin_remains_without(write, None).await
}

/// Whether there is an administrator whose sign-in is open, one person aside.
pub(crate) async fn admin_remains_without(
    connection: &mut Connection,
    without: Option<i64>,
) -> Result<bool> {
    let mut page = PageRequest {
        after: None,
        limit: Some(records::page::PAGE_ITEMS_MAX),
    };
    loop {
        let found = users::list(connection, Some(Role::Admin.as_str()), None, &page).await?;
        let mut others = found.items.iter().filter(|u| Some(u.id) != without);
        if others.any(|u| !u.disabled) {
            return Ok(true);
        }
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(false),
        }
    }
}
