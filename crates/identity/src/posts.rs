//! Posts (岗位) and who holds them. One person may hold several at once, in several organisations; each gives its role for as
//! long as it is held.

use crate::organisation::{Fault, clean_name, fault, refuse};
use crate::permission::Permission;
use crate::role::Role;
use crate::{Identity, checks};
use model::problem::{both, quote};
use model::{Problem, Timestamp, Told};
use records::posts::{self, Holder, Post};
use records::users::User;
use records::{Actor, Connection, Event, Failure, Result, Write, audit, organisations, users};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A post that a person holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostHeld {
    /// The post.
    pub post_id: String,
    /// Its organisation.
    pub organisation_id: String,
    /// The role that it gives.
    pub role: Role,
    /// Code of the division that it answers for.
    pub division: Option<String>,
}

/// A post to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPost {
    /// Its id; one is made of the organisation's when empty.
    pub id: String,
    /// The organisation.
    pub organisation_id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English; the Chinese one when empty.
    pub title_en: String,
    /// What whoever holds it has to do.
    pub duty: String,
    /// The word of the role that it gives.
    pub role: String,
    /// Code of the division that it answers for.
    pub division: Option<String>,
}

/// What to change of a post; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostChange {
    /// Title in Chinese.
    pub title_zh: Option<String>,
    /// Title in English.
    pub title_en: Option<String>,
    /// What whoever holds it has to do.
    pub duty: Option<String>,
    /// The word of the role that it gives.
    pub role: Option<String>,
    /// Code of the division; `Some(None)` takes it away.
    pub division: Option<Option<String>>,
    /// Whether it gives nothing any more.
    pub disabled: Option<bool>,
}

/// Whether a role administers the platform: people, machines or the audit trail. Such a role is given to a person by name
/// and never by a post or a file, so that nobody comes by it beside another (三员分立).
pub fn administers(role: Role) -> bool {
    crate::separation::Administrator::of(role).is_some()
}

/// The posts that a person holds at that time. A role that this program does not know, or that a post may not give, gives
/// nothing.
pub(crate) async fn held_by(
    connection: &mut Connection,
    user_id: i64,
    now: Timestamp,
) -> Result<Vec<PostHeld>> {
    let held = posts::held_by(connection, user_id, now).await?;
    Ok(held.into_iter().filter_map(as_held).collect())
}

fn as_held(post: Post) -> Option<PostHeld> {
    Some(PostHeld {
        role: as_role(&post)?,
        post_id: post.id,
        organisation_id: post.organisation_id,
        division: post.division,
    })
}

/// The role that a post gives.
pub(crate) fn as_role(post: &Post) -> Option<Role> {
    let role: Role = post.role.parse().ok()?;
    (!administers(role)).then_some(role)
}

impl Identity {
    /// The posts that a person holds at that time, and with them every organisation that they belong to beside the main one.
    ///
    /// # Errors
    /// The store's own.
    pub async fn posts_held_by(&self, user_id: i64, now: Timestamp) -> Result<Vec<PostHeld>> {
        held_by(&mut *self.records().read().await?, user_id, now).await
    }

    /// All posts, by organisation and title.
    ///
    /// # Errors
    /// The store's own.
    pub async fn posts(&self) -> Result<Vec<Post>> {
        posts::list(&mut *self.records().read().await?).await
    }

    /// Who holds posts now or is to hold them later, of one person only when asked.
    ///
    /// # Errors
    /// The store's own.
    pub async fn holders(&self, user_id: Option<i64>, now: Timestamp) -> Result<Vec<Holder>> {
        posts::holders(&mut *self.records().read().await?, user_id, now).await
    }

    /// Makes a post.
    ///
    /// # Errors
    /// [`Failure::Invalid`]: `post-id`, `name`, `post-duty`, `unknown-role`, `post-role`, `division-code`,
    /// `unknown-organisation`; [`Failure::Conflict`]: `post-taken`, `post-title-taken`.
    pub async fn add_post(&self, new: &NewPost, actor: &Actor, now: Timestamp) -> Result<Post> {
        let mut write = self.records().write().await?;
        self.must_grant(&mut write, actor, None, now).await?;
        if organisations::get(&mut write, &new.organisation_id)
            .await?
            .is_none()
        {
            return Err(Failure::Invalid(Problem::new(
                "unknown-organisation",
                format!(
                    "there is no organisation \"{}\"",
                    quote(&new.organisation_id)
                ),
                "organisation_id",
                "take an id from the list of organisations",
            )));
        }
        let all = posts::list(&mut write).await?;
        let mut new = new.clone();
        if new.id.trim().is_empty() {
            new.id = free_id(&new.organisation_id, |id| all.iter().any(|p| p.id == id));
        }
        let (row, faults) = self.post_row(&new, now);
        refuse(faults)?;
        if all.iter().any(|p| p.id == row.id) {
            return Err(Failure::Conflict(Problem::new(
                "post-taken",
                format!("there is already a post \"{}\"", quote(&row.id)),
                "id",
                "choose another id, or leave it out",
            )));
        }
        check_title(&row, &all)?;
        write_added(&mut write, &row, actor, now).await?;
        write.commit().await?;
        Ok(row)
    }

    /// Changes a post; its organisation stays.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; as [`Identity::add_post`].
    pub async fn change_post(
        &self,
        id: &str,
        change: &PostChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Post> {
        let mut write = self.records().write().await?;
        self.must_grant(&mut write, actor, None, now).await?;
        let all = posts::list(&mut write).await?;
        let known = all
            .iter()
            .find(|p| p.id == id)
            .ok_or_else(|| Failure::not_found("post", quote(id)))?;
        let or =
            |given: &Option<String>, known: &String| given.clone().unwrap_or_else(|| known.clone());
        let new = NewPost {
            id: known.id.clone(),
            organisation_id: known.organisation_id.clone(),
            title_zh: or(&change.title_zh, &known.title_zh),
            title_en: or(&change.title_en, &known.title_en),
            duty: or(&change.duty, &known.duty),
            role: or(&change.role, &known.role),
            division: change
                .division
                .clone()
                .unwrap_or_else(|| known.division.clone()),
        };
        let (mut row, faults) = self.post_row(&new, known.created_at);
        row.disabled = change.disabled.unwrap_or(known.disabled);
        refuse(faults)?;
        check_title(&row, &all)?;
        if row != *known {
            write_changed(&mut write, &row, actor, now).await?;
            write.commit().await?;
        }
        Ok(row)
    }

    /// Gives a post to a person, from now when not said otherwise.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for an unknown post; [`Failure::Invalid`]: `post-holder` for a person who cannot sign in,
    /// `post-time`, `posts-many`; [`Failure::Conflict`]: `post-closed`, `post-held`.
    pub async fn give_post(
        &self,
        post_id: &str,
        user_id: i64,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Holder> {
        let mut write = self.records().write().await?;
        self.must_grant(&mut write, actor, None, now).await?;
        let post = posts::get(&mut write, post_id)
            .await?
            .ok_or_else(|| Failure::not_found("post", quote(post_id)))?;
        if post.disabled {
            return Err(Failure::Conflict(Problem::new(
                "post-closed",
                format!("the post {} is closed", post.title_zh),
                "post",
                "open it again, or give another",
            )));
        }
        let user = users::get(&mut write, user_id)
            .await?
            .filter(|u| !u.disabled);
        if user.is_none() {
            return Err(Failure::Invalid(Problem::new(
                "post-holder",
                format!("there is no user {user_id} who may sign in"),
                "user_id",
                "take a person of the list whose sign-in is open",
            )));
        }
        let from = from.unwrap_or(now);
        if until.is_some_and(|until| until <= from || until <= now) {
            return Err(Failure::Invalid(Problem::new(
                "post-time",
                "the post would be over before it began",
                "until",
                "give a time after the beginning that is to come, or leave it out",
            )));
        }
        let held = posts::holders(&mut write, Some(user_id), now).await?;
        if held.iter().any(|h| h.post_id == post_id) {
            return Err(Failure::Conflict(Problem::new(
                "post-held",
                "the person holds this post already, or is to hold it",
                "post",
                "end that first when its times are to change",
            )));
        }
        let max = self.options().posts_per_person_max;
        if held.len() >= max {
            return Err(Failure::Invalid(Problem::new(
                "posts-many",
                format!("the person holds {} posts", held.len()),
                "user_id",
                format!("a person holds at most {max}; end one first"),
            )));
        }
        let row = Holder {
            id: 0,
            post_id: post_id.to_owned(),
            user_id,
            from_at: from,
            until_at: until,
            given_by: actor.name.clone(),
        };
        let row = write_given(&mut write, &row, actor, now).await?;
        write.commit().await?;
        Ok(row)
    }

    /// Takes a post back from who holds it.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] `post-over`.
    pub async fn end_post(&self, holder_id: i64, actor: &Actor, now: Timestamp) -> Result<()> {
        let mut write = self.records().write().await?;
        self.must_grant(&mut write, actor, None, now).await?;
        let holder = posts::holder(&mut write, holder_id)
            .await?
            .ok_or_else(|| Failure::not_found("holder of a post", holder_id))?;
        if holder.is_over(now) {
            return Err(Failure::Conflict(Problem::new(
                "post-over",
                "the person holds this post no longer",
                "holder",
                "load the list again",
            )));
        }
        write_ended(&mut write, &holder, actor, now).await?;
        write.commit().await
    }

    /// The row that is asked for, and what is wrong with its own fields.
    pub(crate) fn post_row(&self, new: &NewPost, created_at: Timestamp) -> (Post, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut row = Post {
            id: new.id.trim().to_owned(),
            organisation_id: new.organisation_id.clone(),
            title_zh: String::new(),
            title_en: String::new(),
            duty: new.duty.trim().to_owned(),
            role: String::new(),
            division: None,
            disabled: false,
            created_at,
        };
        if let Err(told) = checks::slug("post-id", &row.id) {
            faults.push(fault("id", told));
        }
        let (name_max, duty_max) = (self.options().name_chars_max, self.options().duty_chars_max);
        match clean_name(&new.title_zh, name_max) {
            Ok(title) => row.title_zh = title,
            Err(told) => faults.push(fault("title_zh", told)),
        }
        row.title_en.clone_from(&row.title_zh);
        if !new.title_en.trim().is_empty() {
            match clean_name(&new.title_en, name_max) {
                Ok(title) => row.title_en = title,
                Err(told) => faults.push(fault("title_en", told)),
            }
        }
        let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        if row.duty.chars().count() > duty_max || !row.duty.chars().all(is_text) {
            let told = Told::new(
                "post-duty",
                both(
                    "职责过长或含有控制字符",
                    "the duty is too long or holds control characters",
                ),
                both("职责", "duty"),
                both(
                    format!("最多 {duty_max} 个字"),
                    format!("use at most {duty_max} characters"),
                ),
            );
            faults.push(fault("duty", told));
        }
        match role_of_a_post(&new.role) {
            Ok(role) => role.as_str().clone_into(&mut row.role),
            Err(told) => faults.push(fault("role", told)),
        }
        let division = new
            .division
            .as_deref()
            .map(str::trim)
            .filter(|d| !d.is_empty());
        match division.map(checks::division).transpose() {
            Ok(division) => row.division = division,
            Err(told) => faults.push(fault("division", told)),
        }
        (row, faults)
    }
}

/// A role by its word, told in both languages when there is none.
pub(crate) fn role(text: &str) -> std::result::Result<Role, Told> {
    text.trim().parse::<Role>().map_err(|problem| {
        let words: Vec<_> = Role::all().map(Role::as_str).collect();
        Told::new(
            &problem.code,
            both(format!("没有角色“{}”", quote(text.trim())), problem.what),
            both("角色", "role"),
            both(format!("请填其中一个：{}", words.join("、")), problem.mend),
        )
    })
}

fn role_of_a_post(text: &str) -> std::result::Result<Role, Told> {
    let role = role(text)?;
    if administers(role) {
        return Err(administrator(role));
    }
    Ok(role)
}

/// Why a post or a file cannot make an administrator.
pub(crate) fn administrator(role: Role) -> Told {
    Told::new(
        "post-role",
        both(
            format!("{role} 是管理员角色，不能随岗位或文件授予"),
            format!("{role} administers the platform: no post and no file gives it"),
        ),
        both("角色", "role"),
        both(
            "管理员角色在“人员”里逐人指定",
            "give an administrator's role to the person by name",
        ),
    )
}

/// The first id of an organisation's posts that is free: `<organisation>-1`, `-2`, ….
pub(crate) fn free_id(organisation_id: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let room = checks::SLUG_BYTES_MAX - 8;
    let stem: String = organisation_id.chars().take(room).collect();
    (1_u64..)
        .map(|n| format!("{stem}-{n}"))
        .find(|id| !is_taken(id))
        .unwrap_or(stem)
}

fn check_title(row: &Post, all: &[Post]) -> Result<()> {
    let other = all.iter().find(|p| {
        p.id != row.id && p.organisation_id == row.organisation_id && p.title_zh == row.title_zh
    });
    match other {
        None => Ok(()),
        Some(other) => Err(Failure::Conflict(Problem::new(
            "post-title-taken",
            format!(
                "the organisation has a post {} already: {}",
                row.title_zh, other.id
            ),
            "title_zh",
            "give it another title; several people may hold one post",
        ))),
    }
}

/// Writes a new post and its act.
pub(crate) async fn write_added(
    write: &mut Write,
    row: &Post,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    posts::insert(write, row).await?;
    let detail = json!({
        "organisation_id": row.organisation_id,
        "title_zh": row.title_zh,
        "role": row.role,
        "division": row.division,
    });
    let target = format!("post:{}", row.id);
    audit::insert(write, now, actor, Event::PostAdd, &target, &detail).await
}

/// Writes a changed post and its act.
pub(crate) async fn write_changed(
    write: &mut Write,
    row: &Post,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    posts::update(write, row).await?;
    let detail = json!({
        "title_zh": row.title_zh,
        "role": row.role,
        "division": row.division,
        "disabled": row.disabled,
    });
    let target = format!("post:{}", row.id);
    audit::insert(write, now, actor, Event::PostChange, &target, &detail).await
}

/// Writes that a person holds a post, and the act.
pub(crate) async fn write_given(
    write: &mut Write,
    row: &Holder,
    actor: &Actor,
    now: Timestamp,
) -> Result<Holder> {
    let row = posts::give(write, row).await?;
    let detail = json!({"user": row.user_id, "from": row.from_at, "until": row.until_at});
    let target = format!("post:{}", row.post_id);
    audit::insert(write, now, actor, Event::PostGive, &target, &detail).await?;
    Ok(row)
}

/// Writes that a person holds a post no longer, and the act.
pub(crate) async fn write_ended(
    write: &mut Write,
    holder: &Holder,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    posts::end(write, holder.id, now).await?;
    let detail = json!({"user": holder.user_id});
    let target = format!("post:{}", holder.post_id);
    audit::insert(write, now, actor, Event::PostEnd, &target, &detail).await
}

/// Whether a person may do something at that time, by the main role or by a post.
pub(crate) async fn may(
    connection: &mut Connection,
    user: &User,
    permission: Permission,
    now: Timestamp,
) -> Result<bool> {
    let main: Role = user.role.parse().map_err(Failure::internal)?;
    if main.permissions().contains(&permission) {
        return Ok(true);
    }
    let held = held_by(connection, user.id, now).await?;
    Ok(held
        .iter()
        .any(|p| p.role.permissions().contains(&permission)))
}
