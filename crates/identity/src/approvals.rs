//! Dual approval (双人审批): what is dangerous is asked for by one person and done when another agrees to exactly that.
//! The mechanism knows no act's inside: the caller does what [`Identity::approve`] allows and tells how it ended.

use crate::Identity;
use crate::dangerous::DangerousAct;
use crate::permission::Permission;
use crate::posts::held_by;
use crate::principal::{Principal, PrincipalId};
use crate::sessions::principal_of;
use model::{Problem, Timestamp};
use records::approvals::{self as rows, Approval, Decision, Filter, NewApproval, Status};
use records::{Actor, ActorKind, Event, Failure, Page, PageRequest, Result, Write, audit, users};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What can be set of approvals.
#[derive(Clone, Debug)]
pub struct Options {
    /// The acts that need a second person.
    pub required: BTreeSet<DangerousAct>,
    /// How long one can be decided on, in seconds.
    pub valid_s: i64,
    /// Most of one person's that may wait.
    pub pending_per_person_max: i64,
    /// Longest reason and longest note, in characters.
    pub text_chars_max: usize,
    /// Longest content of an act, in bytes of JSON.
    pub body_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            required: DangerousAct::ALL.iter().copied().collect(),
            valid_s: 24 * 3600,
            pending_per_person_max: 100,
            text_chars_max: 500,
            body_bytes_max: 1 << 20,
        }
    }
}

/// An approved act that is to be done now. Only [`Identity::approve`] makes one: whatever takes it cannot be reached past
/// a second person.
#[derive(Debug)]
pub struct Approved {
    approval: Approval,
    act: DangerousAct,
    body: Value,
    actor: Actor,
}

impl Approved {
    /// What was approved.
    pub const fn approval(&self) -> &Approval {
        &self.approval
    }

    /// The act.
    pub const fn act(&self) -> DangerousAct {
        self.act
    }

    /// What exactly is to be done.
    pub const fn body(&self) -> &Value {
        &self.body
    }

    /// Who does it, as the trail names it: the asker's own act, under both names.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The act.
    pub act: DangerousAct,
    /// To what: `device:…`, `table:…`, `user:3`, …
    pub target: &'a str,
    /// What exactly is to be done.
    pub body: &'a Value,
    /// Why; may be empty.
    pub reason: &'a str,
}

/// How an approved act ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether it was done.
    pub done: bool,
    /// What became of it; never a secret.
    pub outcome: String,
    /// What only the asker may have, and fetches once.
    pub for_asker: Option<String>,
}

impl Identity {
    /// Whether an act needs a second person here.
    pub fn needs_approval(&self, act: DangerousAct) -> bool {
        self.options().approval.required.contains(&act)
    }

    /// Asks for an act. The same asked again while it waits is the same approval.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] `approval-by-person` for a machine, `permission-missing`; [`Failure::Invalid`] for a reason
    /// or content that is too long; [`Failure::Conflict`] `approvals-too-many`.
    pub async fn ask(
        &self,
        asker: &Principal,
        asked: &Asked<'_>,
        peer: &str,
        now: Timestamp,
    ) -> Result<Approval> {
        let Asked {
            act,
            target,
            body,
            reason,
        } = *asked;
        let id = person(asker)?;
        asker.require(act.asks())?;
        let reason = self.check_approval_text(reason, "reason")?;
        let options = &self.options().approval;
        let body = canonical(body);
        if body.len() > options.body_bytes_max {
            return Err(Failure::Invalid(Problem::new(
                "approval-too-large",
                format!("what is asked for has {} bytes", body.len()),
                "body",
                format!("ask for at most {} bytes at once", options.body_bytes_max),
            )));
        }
        let new = NewApproval {
            act: act.as_str(),
            target: target.to_owned(),
            digest: digest(act.as_str(), target, &body),
            body,
            reason,
            asked_by: id,
            asked_by_name: asker.name.clone(),
            expires_at: now.plus_seconds(options.valid_s),
        };
        let mut write = self.records().write().await?;
        if let Some(same) = rows::pending_same(&mut write, id, &new.digest, now).await? {
            return Ok(same);
        }
        if rows::pending_of(&mut write, id, now).await? >= options.pending_per_person_max {
            return Err(Failure::Conflict(Problem::new(
                "approvals-too-many",
                format!("{} of yours wait already", options.pending_per_person_max),
                "approvals",
                "withdraw some, or wait until they are decided on",
            )));
        }
        let approval = rows::insert(&mut write, &new, now).await?;
        let detail = json!({"act": approval.act, "target": approval.target, "digest": approval.digest,
            "reason": approval.reason, "expires_at": approval.expires_at.to_string()});
        note(
            &mut write,
            &asker.actor(peer),
            Event::ApprovalAsk,
            approval.id,
            &detail,
            now,
        )
        .await?;
        write.commit().await?;
        Ok(approval)
    }

    /// Whether a caller may decide on an act that somebody else asked for.
    pub fn may_decide(&self, caller: &Principal, act: DangerousAct) -> bool {
        caller.user_id().is_some()
            && caller.may(Permission::ApprovalDecide)
            && act.decides().contains(&caller.role)
    }

    /// Approves: from now on the act is being done, by the caller of this and nobody else. `digest` is of what the second
    /// person was shown.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Forbidden`] `approval-own`, `approval-by-person`, `approval-not-yours`;
    /// [`Failure::Conflict`] `approval-changed`, `approval-decided`, `approval-expired`, `approval-asker`.
    pub async fn approve(
        &self,
        decider: &Principal,
        id: i64,
        seen_digest: &str,
        said: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<Approved> {
        let said = self.check_approval_text(said, "note")?;
        let mut write = self.records().write().await?;
        let (found, act) = self.decidable(&mut write, decider, id, now).await?;
        // Kept text that was changed behind the platform's back is found as well as a page that showed something else.
        let kept = digest(&found.act, &found.target, &found.body);
        if found.digest != kept || seen_digest != kept {
            return Err(Failure::Conflict(Problem::new(
                "approval-changed",
                "what was approved is not what was asked for",
                "digest",
                "load the approval again and read what it asks for",
            )));
        }
        let asker = users::get(&mut write, found.asked_by).await?;
        let held = held_by(&mut write, found.asked_by, now).await?;
        let asker = asker.filter(|u| !u.disabled);
        let asker = asker.as_ref().map(|user| principal_of(user, held));
        let asker = asker.transpose()?.map(|p| self.permitted(p, now));
        if !asker.is_some_and(|p| p.may(act.asks())) {
            return Err(Failure::Conflict(Problem::new(
                "approval-asker",
                format!("{} may not ask for this any more", found.asked_by_name),
                "approval",
                "refuse it",
            )));
        }
        let decision = decision(decider, &said)?;
        let approval = rows::decide(&mut write, id, Status::Approved, Some(&decision), now)
            .await?
            .ok_or_else(decided)?;
        let detail = json!({"act": approval.act, "target": approval.target, "digest": approval.digest,
            "asked_by": approval.asked_by_name, "note": said});
        note(
            &mut write,
            &decider.actor(peer),
            Event::ApprovalApprove,
            id,
            &detail,
            now,
        )
        .await?;
        let body = serde_json::from_str(&approval.body).map_err(Failure::internal)?;
        write.commit().await?;
        let actor = Actor {
            kind: ActorKind::User(approval.asked_by),
            name: format!("{} + {}", approval.asked_by_name, decider.name),
            peer: peer.to_owned(),
        };
        Ok(Approved {
            approval,
            act,
            body,
            actor,
        })
    }

    /// Tells how an approved act ended.
    ///
    /// # Errors
    /// The store's own.
    pub async fn end_approved(
        &self,
        approved: &Approved,
        ended: &Ended,
        now: Timestamp,
    ) -> Result<Approval> {
        let mut write = self.records().write().await?;
        let approval = end(&mut write, &approved.approval, ended, &approved.actor, now).await?;
        write.commit().await?;
        Ok(approval)
    }

    /// Says no.
    ///
    /// # Errors
    /// As [`Identity::approve`].
    pub async fn refuse(
        &self,
        decider: &Principal,
        id: i64,
        said: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<Approval> {
        let said = self.check_approval_text(said, "note")?;
        let mut write = self.records().write().await?;
        self.decidable(&mut write, decider, id, now).await?;
        let decision = decision(decider, &said)?;
        let approval = rows::decide(&mut write, id, Status::Refused, Some(&decision), now)
            .await?
            .ok_or_else(decided)?;
        let detail = json!({"act": approval.act, "target": approval.target,
            "asked_by": approval.asked_by_name, "note": said});
        note(
            &mut write,
            &decider.actor(peer),
            Event::ApprovalRefuse,
            id,
            &detail,
            now,
        )
        .await?;
        write.commit().await?;
        Ok(approval)
    }

    /// Takes one's own back.
    ///
    /// # Errors
    /// [`Failure::NotFound`], also for another's; [`Failure::Conflict`] when it does not wait any more.
    pub async fn withdraw(
        &self,
        asker: &Principal,
        id: i64,
        peer: &str,
        now: Timestamp,
    ) -> Result<Approval> {
        let missing = || Failure::not_found("approval", id);
        let by = asker.user_id().ok_or_else(missing)?;
        let mut write = self.records().write().await?;
        let found = rows::get(&mut write, id).await?;
        let found = found.filter(|a| a.asked_by == by).ok_or_else(missing)?;
        waits(&found, now)?;
        let approval = rows::decide(&mut write, id, Status::Withdrawn, None, now)
            .await?
            .ok_or_else(decided)?;
        let detail = json!({"act": approval.act, "target": approval.target});
        note(
            &mut write,
            &asker.actor(peer),
            Event::ApprovalWithdraw,
            id,
            &detail,
            now,
        )
        .await?;
        write.commit().await?;
        Ok(approval)
    }

    /// Gives the asker their part of the outcome, once.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is none, when it was fetched, or for another's.
    pub async fn collect(
        &self,
        asker: &Principal,
        id: i64,
        peer: &str,
        now: Timestamp,
    ) -> Result<String> {
        let missing = || Failure::not_found("part of an approval's outcome", id);
        let by = asker.user_id().ok_or_else(missing)?;
        let mut write = self.records().write().await?;
        let part = rows::take_for_asker(&mut write, id, by).await?;
        let part = part.ok_or_else(missing)?;
        let approval = rows::get(&mut write, id).await?.ok_or_else(missing)?;
        let detail = json!({"act": approval.act, "target": approval.target});
        note(
            &mut write,
            &asker.actor(peer),
            Event::ApprovalCollect,
            id,
            &detail,
            now,
        )
        .await?;
        write.commit().await?;
        Ok(part)
    }

    /// One approval, for its asker and for who may decide on any.
    ///
    /// # Errors
    /// [`Failure::NotFound`], also for who may not see it.
    pub async fn approval(&self, caller: &Principal, id: i64) -> Result<(Approval, bool)> {
        let mut read = self.records().read().await?;
        let found = rows::get(&mut read, id).await?;
        let seen = |a: &Approval| {
            caller.may(Permission::ApprovalDecide) || caller.user_id() == Some(a.asked_by)
        };
        let found = found
            .filter(seen)
            .ok_or_else(|| Failure::not_found("approval", id))?;
        let is_own = caller.user_id() == Some(found.asked_by);
        let has_part = is_own && rows::has_for_asker(&mut read, id).await?;
        Ok((found, has_part))
    }

    /// Approvals, newest first.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a cursor of another list.
    pub async fn approvals(
        &self,
        filter: &Filter,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Approval>> {
        rows::list(&mut *self.records().read().await?, filter, page, now).await
    }

    /// What waits for a caller to decide on.
    pub fn to_decide(&self, caller: &Principal) -> Filter {
        let acts = DangerousAct::ALL
            .iter()
            .filter(|act| self.may_decide(caller, **act));
        Filter {
            asked_by: None,
            not_asked_by: caller.user_id(),
            acts: Some(acts.map(|act| act.as_str()).collect()),
            status: Some(Status::Pending),
        }
    }

    /// How many approvals there are.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count_approvals(&self, filter: &Filter, now: Timestamp) -> Result<i64> {
        rows::count(&mut *self.records().read().await?, filter, now).await
    }

    /// Writes down which ran out; answers how many.
    ///
    /// # Errors
    /// The store's own.
    pub async fn expire_approvals(&self, now: Timestamp) -> Result<usize> {
        // Asked first, so that a clock that finds nothing does not write; at the beginning of time, only those that are
        // written down had run out.
        let due = Filter {
            status: Some(Status::Expired),
            ..Filter::default()
        };
        let seen = self.count_approvals(&due, now).await?;
        let written = self
            .count_approvals(&due, Timestamp::from_micros(0))
            .await?;
        if seen == written {
            return Ok(0);
        }
        let mut write = self.records().write().await?;
        let ended = rows::expire(&mut write, now).await?;
        let actor = Actor::system("approvals");
        for approval in &ended {
            let detail = json!({"act": approval.act, "target": approval.target,
                "asked_by": approval.asked_by_name});
            note(
                &mut write,
                &actor,
                Event::ApprovalExpire,
                approval.id,
                &detail,
                now,
            )
            .await?;
        }
        write.commit().await?;
        Ok(ended.len())
    }

    /// At the start: what was being done when the platform ended is told as not known to be done. It is not done again.
    ///
    /// # Errors
    /// The store's own.
    pub async fn end_interrupted_approvals(&self, now: Timestamp) -> Result<usize> {
        if rows::interrupted(&mut *self.records().read().await?)
            .await?
            .is_empty()
        {
            return Ok(0);
        }
        let mut write = self.records().write().await?;
        let found = rows::interrupted(&mut write).await?;
        let ended = Ended {
            done: false,
            outcome: "interrupted: the platform ended meanwhile; look whether it was done, and ask again if not"
                .to_owned(),
            for_asker: None,
        };
        for approval in &found {
            end(
                &mut write,
                approval,
                &ended,
                &Actor::system("approvals"),
                now,
            )
            .await?;
        }
        write.commit().await?;
        Ok(found.len())
    }

    /// What a caller wants to decide on, when they may and it waits.
    async fn decidable(
        &self,
        write: &mut Write,
        decider: &Principal,
        id: i64,
        now: Timestamp,
    ) -> Result<(Approval, DangerousAct)> {
        decider.require(Permission::ApprovalDecide)?;
        let found = rows::get(write, id)
            .await?
            .ok_or_else(|| Failure::not_found("approval", id))?;
        if found.asked_by == person(decider)? {
            return Err(Failure::Forbidden(Problem::new(
                "approval-own",
                "nobody decides on what they asked for",
                "approval",
                "let another person decide, or withdraw it",
            )));
        }
        let act: DangerousAct = found.act.parse().map_err(Failure::Conflict)?;
        if !self.may_decide(decider, act) {
            let roles: Vec<_> = act.decides().iter().map(|r| r.as_str()).collect();
            return Err(Failure::Forbidden(Problem::new(
                "approval-not-yours",
                format!("the role {} does not decide on {act}", decider.role),
                "approval",
                format!("let one of these decide: {}", roles.join(", ")),
            )));
        }
        waits(&found, now)?;
        Ok((found, act))
    }

    fn check_approval_text(&self, text: &str, place: &str) -> Result<String> {
        let text = text.trim();
        let chars_max = self.options().approval.text_chars_max;
        let bad = |c: char| c.is_control() && c != '\n';
        if text.chars().count() <= chars_max && !text.chars().any(bad) {
            return Ok(text.to_owned());
        }
        Err(Failure::Invalid(Problem::new(
            "approval-text",
            format!(
                "{} characters, or control characters among them",
                text.chars().count()
            ),
            place,
            format!("use at most {chars_max} characters"),
        )))
    }
}

/// JSON in one form: keys in order, no white space.
pub fn canonical(value: &Value) -> String {
    fn ordered(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                let entries = entries.into_iter().map(|(k, v)| (k.clone(), ordered(v)));
                Value::Object(entries.collect())
            }
            Value::Array(items) => items.iter().map(ordered).collect(),
            other => other.clone(),
        }
    }
    ordered(value).to_string()
}

/// SM3 over act, target and canonical content, hex.
pub fn digest(act: &str, target: &str, body: &str) -> String {
    let whole = json!([act, target, body]).to_string();
    hex::encode(gm::sm3(whole.as_bytes()))
}

fn person(caller: &Principal) -> Result<i64> {
    match caller.id {
        PrincipalId::User(id) => Ok(id),
        PrincipalId::Token(_) => Err(Failure::Forbidden(Problem::new(
            "approval-by-person",
            "a machine neither asks for what needs approval nor decides on it",
            "session",
            "sign in as a person",
        ))),
    }
}

fn decision<'a>(decider: &'a Principal, said: &'a str) -> Result<Decision<'a>> {
    Ok(Decision {
        by: person(decider)?,
        name: &decider.name,
        note: said,
    })
}

fn waits(found: &Approval, now: Timestamp) -> Result<()> {
    if found.status != Status::Pending.as_str() {
        return Err(decided());
    }
    if found.expires_at <= now {
        return Err(Failure::Conflict(Problem::new(
            "approval-expired",
            format!("it could be decided on until {}", found.expires_at),
            "approval",
            "let it be asked for again",
        )));
    }
    Ok(())
}

fn decided() -> Failure {
    Failure::Conflict(Problem::new(
        "approval-decided",
        "it does not wait any more",
        "approval",
        "load it again to see how it ended",
    ))
}

async fn note(
    write: &mut Write,
    actor: &Actor,
    event: Event,
    id: i64,
    detail: &Value,
    now: Timestamp,
) -> Result<()> {
    audit::insert(write, now, actor, event, &format!("approval:{id}"), detail).await
}

async fn end(
    write: &mut Write,
    approval: &Approval,
    ended: &Ended,
    actor: &Actor,
    now: Timestamp,
) -> Result<Approval> {
    let to = if ended.done {
        Status::Done
    } else {
        Status::Failed
    };
    let part = ended.for_asker.as_deref();
    let approval = rows::end(write, approval.id, to, &ended.outcome, part, now)
        .await?
        .ok_or_else(decided)?;
    let detail = json!({"act": approval.act, "target": approval.target, "asked_by": approval.asked_by_name,
        "approved_by": approval.decided_by_name, "done": ended.done, "outcome": ended.outcome});
    note(write, actor, Event::ApprovalEnd, approval.id, &detail, now).await?;
    Ok(approval)
}
