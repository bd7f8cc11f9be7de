//! Whoever leaves hands their work over (工作交接): sign-in is closed or the person moves, sessions and sign-ins at other systems
//! end, posts end or pass on, and the open cases go to a successor. Looked at first ([`Identity::plan_hand_over`]), then done
//! in one transaction ([`Identity::hand_over`]) together with the cases, which are not identity's to move.

use crate::Identity;
use crate::approvals::Approved;
use crate::permission::Permission;
use crate::posts::{self, as_role};
use crate::role::Role;
use crate::sign_ins::{self, Because};
use crate::users::{administrator_of, write_changed};
use model::problem::quote;
use model::{Problem, Timestamp};
use records::cases::{self, Case};
use records::handovers::{self, Handover};
use records::posts::{Holder, Post};
use records::users::User;
use records::{
    Actor, Connection, Event, Failure, Page, PageRequest, Result, Write, audit, duty, oidc,
    organisations, sessions, users,
};
use serde_json::json;

/// A hand-over to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOver {
    /// Who leaves.
    pub from: i64,
    /// Who goes on with the work; may be left out when there is none.
    pub to: Option<i64>,
    /// The organisation that the person moves to; sign-in is closed when `None`.
    pub move_to: Option<String>,
    /// The person's role there; as it is when `None`.
    pub move_role: Option<Role>,
    /// The posts that the successor holds from now on; the others end.
    pub give_posts: Vec<String>,
    /// Whether the successor may be of another organisation.
    pub across: bool,
    /// What is said about it.
    pub note: String,
}

impl HandOver {
    /// Whether somebody gets a role by it: by a post, or by moving.
    pub fn gives_roles(&self) -> bool {
        self.move_role.is_some() || !self.give_posts.is_empty()
    }
}

/// A post of who leaves, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PostLeft {
    /// Who holds it from when.
    pub holder: Holder,
    /// The post.
    pub post: Post,
    /// Whether the successor gets it.
    pub is_given: bool,
}

/// What would move.
#[derive(Clone, Debug, PartialEq)]
pub struct HandOverPlan {
    /// Who leaves.
    pub from: User,
    /// Who goes on.
    pub to: Option<User>,
    /// The open cases that move.
    pub cases: Vec<Case>,
    /// The posts that end.
    pub posts: Vec<PostLeft>,
    /// Sessions that end.
    pub sessions: u64,
    /// Sign-ins at other systems that end.
    pub sign_ins: usize,
    /// Turns of duty (班) that are not over, which stay the person's until the roster's keeper gives them to others.
    pub turns: usize,
}

fn conflict<T>(code: &str, what: impl Into<String>, place: &str, mend: &str) -> Result<T> {
    Err(Failure::Conflict(Problem::new(code, what, place, mend)))
}

impl Identity {
    /// What a hand-over would do, or why it cannot be done. Call it again in the transaction that does it.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for an unknown person; [`Failure::Invalid`]: `handover-note`, `unknown-organisation`,
    /// `organisation-closed`, `post-not-held`; [`Failure::Conflict`]: `last-admin`, `successor-missing`, `successor-same`,
    /// `successor-closed`, `successor-elsewhere`, `successor-cannot`, `handover-stays`, `posts-many`.
    pub async fn plan_hand_over(
        &self,
        connection: &mut Connection,
        asked: &HandOver,
        now: Timestamp,
    ) -> Result<HandOverPlan> {
        let chars_max = self.options().duty_chars_max;
        if asked.note.chars().count() > chars_max {
            return Err(Failure::Invalid(Problem::new(
                "handover-note",
                "the note is too long",
                "note",
                format!("use at most {chars_max} characters"),
            )));
        }
        let from = users::get(connection, asked.from)
            .await?
            .ok_or_else(|| Failure::not_found("user", asked.from))?;
        self.check_leaving(connection, &from, asked).await?;
        let to = self.successor(connection, &from, asked, now).await?;
        let posts = self
            .posts_left(connection, &from, to.as_ref(), asked, now)
            .await?;
        let cases = cases::open_of(connection, from.id).await?;
        match &to {
            None if !cases.is_empty() => {
                return conflict(
                    "successor-missing",
                    format!("{} handles {} open cases", from.name, cases.len()),
                    "to",
                    "name a successor for them",
                );
            }
            Some(to) if !cases.is_empty() => {
                let given = posts.iter().filter(|p| p.is_given);
                let comes = given
                    .filter_map(|p| as_role(&p.post))
                    .any(|role| role.permissions().contains(&Permission::CaseHandle));
                if !comes && !posts::may(connection, to, Permission::CaseHandle, now).await? {
                    return conflict(
                        "successor-cannot",
                        format!("{} may not handle cases", to.name),
                        "to",
                        "choose somebody who may, or pass on a post whose role may",
                    );
                }
            }
            _ => {}
        }
        Ok(HandOverPlan {
            sessions: sessions::count_of_user(connection, from.id).await?,
            sign_ins: oidc::families_of_user(connection, from.id, now)
                .await?
                .len(),
            turns: duty::turns_of(connection, from.id, now, Timestamp::from_micros(i64::MAX))
                .await?
                .len(),
            from,
            to,
            cases,
            posts,
        })
    }

    /// Whether the person may leave so.
    async fn check_leaving(
        &self,
        connection: &mut Connection,
        from: &User,
        asked: &HandOver,
    ) -> Result<()> {
        if let Some(id) = &asked.move_to {
            let Some(organisation) = organisations::get(connection, id).await? else {
                return Err(Failure::Invalid(Problem::new(
                    "unknown-organisation",
                    format!("there is no organisation \"{}\"", quote(id)),
                    "move_to",
                    "take an id from the list of organisations",
                )));
            };
            if organisation.disabled {
                return Err(Failure::Invalid(Problem::new(
                    "organisation-closed",
                    format!("{} is closed", organisation.name_zh),
                    "move_to",
                    "take one that is not closed",
                )));
            }
            if from.organisation_id.as_ref() == Some(id) {
                return conflict(
                    "handover-stays",
                    format!("{} is in {} already", from.name, organisation.name_zh),
                    "move_to",
                    "leave it out to close sign-in, or choose another organisation",
                );
            }
        }
        if let Some(administrator) = administrator_of(from) {
            return conflict(
                "handover-administrator",
                format!("{} is the {}", from.username, administrator.role()),
                "from",
                "let two people agree that the role is taken back first: docs/administrators.md",
            );
        }
        Ok(())
    }

    async fn successor(
        &self,
        connection: &mut Connection,
        from: &User,
        asked: &HandOver,
        now: Timestamp,
    ) -> Result<Option<User>> {
        let Some(id) = asked.to else {
            return Ok(None);
        };
        if id == from.id {
            return conflict(
                "successor-same",
                "nobody hands over to themselves",
                "to",
                "choose somebody else",
            );
        }
        let to = users::get(connection, id)
            .await?
            .ok_or_else(|| Failure::not_found("user", id))?;
        if to.disabled {
            return conflict(
                "successor-closed",
                format!("sign-in is closed to {}", to.name),
                "to",
                "choose somebody whose sign-in is open",
            );
        }
        let belongs = to.organisation_id == from.organisation_id
            || posts::held_by(connection, to.id, now)
                .await?
                .iter()
                .any(|p| from.organisation_id.as_ref() == Some(&p.organisation_id));
        if !belongs && !asked.across {
            return conflict(
                "successor-elsewhere",
                format!("{} is of another organisation than {}", to.name, from.name),
                "to",
                "choose somebody of the same organisation, or say that it goes across organisations",
            );
        }
        Ok(Some(to))
    }

    /// The posts of who leaves, and which of them pass on.
    async fn posts_left(
        &self,
        connection: &mut Connection,
        from: &User,
        to: Option<&User>,
        asked: &HandOver,
        now: Timestamp,
    ) -> Result<Vec<PostLeft>> {
        let mut left = Vec::new();
        for holder in records::posts::holders(connection, Some(from.id), now).await? {
            let post = records::posts::get(connection, &holder.post_id)
                .await?
                .ok_or_else(|| Failure::internal(format!("no post {}", holder.post_id)))?;
            left.push(PostLeft {
                is_given: asked.give_posts.contains(&post.id),
                holder,
                post,
            });
        }
        if let Some(other) = asked
            .give_posts
            .iter()
            .find(|id| !left.iter().any(|l| l.post.id == **id))
        {
            return Err(Failure::Invalid(Problem::new(
                "post-not-held",
                format!("{} does not hold the post \"{}\"", from.name, quote(other)),
                "give_posts",
                "look at the preview for the posts that there are",
            )));
        }
        let given = left.iter().filter(|l| l.is_given).count();
        match to {
            None if given > 0 => {
                return conflict(
                    "successor-missing",
                    "a post passes on to nobody",
                    "to",
                    "name a successor, or let the posts end",
                );
            }
            None => {}
            Some(to) => {
                let held = records::posts::holders(connection, Some(to.id), now).await?;
                let max = self.options().posts_per_person_max;
                if held.len() + given > max {
                    return conflict(
                        "posts-many",
                        format!("{} would hold {} posts", to.name, held.len() + given),
                        "give_posts",
                        "pass fewer on, or end some first",
                    );
                }
            }
        }
        Ok(left)
    }

    /// Does everything of a hand-over but the cases, which `moved` says have moved in the same transaction, and keeps the
    /// report. `plan` must have been made in that transaction; roles and posts are given by who may, or as two people agreed.
    ///
    /// # Errors
    /// The store's own.
    pub async fn hand_over(
        &self,
        write: &mut Write,
        (asked, plan): (&HandOver, &HandOverPlan),
        moved: &[Case],
        (actor, approved): (&Actor, Option<&Approved>),
        now: Timestamp,
    ) -> Result<Handover> {
        if asked.gives_roles() {
            self.must_grant(write, actor, approved, now).await?;
        }
        let mut user = plan.from.clone();
        match &asked.move_to {
            None => user.disabled = true,
            Some(organisation) => {
                user.organisation_id = Some(organisation.clone());
                if let Some(role) = asked.move_role {
                    role.as_str().clone_into(&mut user.role);
                }
            }
        }
        users::update(write, &user).await?;
        write_changed(write, &user, false, actor, now).await?;
        let ended = sessions::delete_of_user(write, user.id).await?;
        let because = Because::HandedOver {
            for_good: asked.move_to.is_none(),
        };
        let sign_ins = sign_ins::end(write, user.id, because, now).await?;
        let mut given = Vec::new();
        for left in &plan.posts {
            posts::write_ended(write, &left.holder, actor, now).await?;
            let Some(to) = plan.to.as_ref().filter(|_| left.is_given) else {
                continue;
            };
            given.push(left.post.id.as_str());
            let held = records::posts::holders(write, Some(to.id), now).await?;
            if held.iter().any(|h| h.post_id == left.post.id) {
                continue;
            }
            let row = Holder {
                id: 0,
                post_id: left.post.id.clone(),
                user_id: to.id,
                from_at: now.max(left.holder.from_at),
                until_at: left.holder.until_at,
                given_by: actor.name.clone(),
            };
            posts::write_given(write, &row, actor, now).await?;
        }
        let numbers: Vec<&str> = moved.iter().map(|c| c.number.as_str()).collect();
        let all: Vec<&str> = plan.posts.iter().map(|l| l.post.id.as_str()).collect();
        let report = json!({
            "cases": numbers,
            "posts": all,
            "posts_given": given,
            "sessions": ended,
            "sign_ins": sign_ins,
        });
        let row = Handover {
            id: 0,
            at: now,
            from_id: user.id,
            to_id: plan.to.as_ref().map(|u| u.id),
            by_name: actor.name.clone(),
            moved_to: asked.move_to.clone(),
            note: asked.note.trim().to_owned(),
            report: report.clone(),
        };
        let row = handovers::insert(write, &row).await?;
        let mut detail = report;
        detail["to"] = json!(row.to_id);
        detail["moved_to"] = json!(row.moved_to);
        let target = format!("user:{}", user.id);
        audit::insert(write, now, actor, Event::UserHandover, &target, &detail).await?;
        Ok(row)
    }

    /// The hand-overs that were done, newest first.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a cursor of another list.
    pub async fn list_hand_overs(&self, page: &PageRequest) -> Result<Page<Handover>> {
        handovers::list(&mut *self.records().read().await?, page).await
    }
}
