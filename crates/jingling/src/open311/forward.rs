//! Cases that are sent to another Open311 endpoint: once each. The outbox is the table `open311_links`: a row is written in the
//! transaction that reads the step which asks for it, and is `unsure` from before the first byte goes out until the answer is read. What
//! is unsure is looked for there, by its mark, else by place and words, before it is sent again.
//!
//! | state | what is done when it is due |
//! | --- | --- |
//! | `waiting` | send it |
//! | `unsure` | look for it there: found, it is `open`; not found after `settle_seconds`, send it again, or `held` when the settings say so |
//! | `token` | ask for its id |
//! | `open`, `closed` | ask how it stands ([`super::follow`]) |
//! | `held`, `refused` | nothing: a person decides ([`api::open311_links`]) |
//!
//! What cannot be ruled out: a server that took a request, whose answer was lost, and that shows it in its list only after
//! `settle_seconds`. `Idempotency-Key` goes with every request for servers that know it, which another Jingling does.

use super::follow::Follower;
use super::import::made_between;
use super::peer::Peer;
use super::settings::ForwardSettings;
use super::ticker;
use crate::running::wall_clock;
use anyhow::Result;
use api::App;
use api::notices::Notice;
use api::open311_links::{Telling, draft_of, tell_pages};
use api::outgoing::NoAnswer;
use cases::{Outside, note_outside};
use hyper::body::Bytes;
use model::Timestamp;
use open311::forward::{Found, Judged, find, judged, mark, marked_by};
use open311::query::{DAYS_MAX, REQUESTS_MAX};
use open311::{Created, Draft, read_created};
use records::cases::{Case, CaseEvent, DRILL};
use records::notices::case_events_after;
use records::open311 as requests;
use records::open311_links::{self as links, Link};
use records::{Actor, Connection, Event, audit, cases as rows};
use serde_json::{Value, json};
use std::sync::Arc;

/// Steps of cases that are read at once.
const STEPS: u32 = 500;
/// Links that are taken up in one look.
const LINKS_MAX: u32 = 50;
/// How far the clocks of both sides may differ when a request is looked for, seconds.
const CLOCKS_S: i64 = 3_600;
const DAY_S: i64 = 86_400;

const FORWARDED: &str = "forwarded";
const STOPPED: &str = "forward-stopped";

/// Sends and follows, for as long as the city runs.
pub(super) async fn run(app: App, forwarder: Forwarder) {
    let mut ticker = ticker(forwarder.settings.look_seconds);
    loop {
        ticker.tick().await;
        if let Err(error) = forwarder.look(&app).await {
            let endpoint = &forwarder.settings.name;
            tracing::warn!(%endpoint, %error, "cases could not be sent");
        }
        forwarder.follower.look(&app, wall_clock()).await;
        if let Err(error) = tell(&app, wall_clock()).await {
            tracing::warn!(%error, "what waits for a person could not be counted");
        }
    }
}

/// Tells in the platform's notices what waits for a person.
async fn tell(app: &App, now: Timestamp) -> Result<()> {
    let waiting = links::for_people(&mut *app.records.read().await?).await?;
    let told = waiting.into_iter().map(|of| {
        let (count, peer) = (of.count, of.peer);
        let problem = of.problem.unwrap_or_default();
        Notice {
            code: "open311-held".to_owned(),
            found_at: now.to_string(),
            position_from: 0,
            position_to: 0,
            what: format!("{count} cases could not be sent to {peer}: {problem}"),
            place: format!("open311.forward \"{peer}\""),
            mend: "open each of these cases: its page asks what is to become of it".to_owned(),
        }
    });
    app.notices.set("open311", told.collect());
    Ok(())
}

/// An endpoint to which cases are sent.
pub(super) struct Forwarder {
    pub peer: Arc<Peer>,
    pub follower: Follower,
    pub settings: ForwardSettings,
    /// The names under which requests are taken from the same address.
    pub taken_as: Vec<String>,
}

impl Forwarder {
    async fn look(&self, app: &App) -> Result<()> {
        while self.plan(app, wall_clock()).await? {}
        let states = [links::WAITING, links::UNSURE, links::TOKEN];
        let of = (self.settings.name.as_str(), links::TO);
        let now = wall_clock();
        let due = links::due(&mut *app.records.read().await?, of, &states, now, LINKS_MAX).await?;
        for link in due {
            let now = wall_clock();
            match link.state.as_str() {
                links::UNSURE => self.find(app, &link, now).await?,
                links::TOKEN => self.resolve(app, &link, now).await?,
                _ => self.send(app, &link, now).await?,
            }
        }
        Ok(())
    }

    fn actor(&self) -> Actor {
        Actor::system(&format!("open311:{}", self.settings.name))
    }

    /// Reads the next steps of cases and notes which cases are to be sent; whether there may be more. The position is one more than
    /// the last step that was read, so that an endpoint that is new begins with what is done from now on.
    async fn plan(&self, app: &App, now: Timestamp) -> Result<bool> {
        let name = format!("open311.{}", self.settings.name);
        let at = app.records.projection_position(&name).await?;
        if at == 0 {
            let mut begun = app.records.project(&name).await?;
            let last = links::last_step(&mut begun).await?;
            begun.commit(last.unsigned_abs() + 1).await?;
            return Ok(false);
        }
        let after = i64::try_from(at).unwrap_or(i64::MAX) - 1;
        let peeked = case_events_after(&mut *app.records.read().await?, after, 1).await?;
        if peeked.is_empty() {
            return Ok(false);
        }
        let mut step = app.records.project(&name).await?;
        let after = i64::try_from(step.position()).unwrap_or(i64::MAX) - 1;
        let steps = case_events_after(&mut step, after, STEPS).await?;
        let end = steps.last().map_or(after, |step| step.id);
        for event in &steps {
            self.plan_one(app, &mut step, event, now).await?;
        }
        step.commit(end.unsigned_abs() + 1).await?;
        Ok(steps.len() == STEPS as usize)
    }

    async fn plan_one(
        &self,
        app: &App,
        step: &mut Connection,
        event: &CaseEvent,
        now: Timestamp,
    ) -> Result<()> {
        if event.action != self.settings.on || !self.is_department(event) {
            return Ok(());
        }
        let Some(case) = rows::get(step, event.case_id).await? else {
            return Ok(());
        };
        let Some(service_code) = self.service_of(&case) else {
            return Ok(());
        };
        let taken = requests::of_case(step, case.id).await?;
        if taken.is_some_and(|row| self.taken_as.contains(&row.endpoint)) {
            // It was made there.
            return Ok(());
        }
        let ours = &app.options.open311.jurisdiction_id;
        let link = Link {
            id: 0,
            case_id: case.id,
            peer: self.settings.name.clone(),
            way: links::TO.to_owned(),
            state: links::WAITING.to_owned(),
            service_code: service_code.to_owned(),
            reference: mark(ours, &case.number),
            made_at: now,
            attempts: 0,
            next_at: now,
            posted_at: None,
            token: None,
            remote_id: None,
            remote_status: None,
            remote_notes: None,
            asked_at: None,
            problem: None,
        };
        links::insert(step, &link).await?;
        Ok(())
    }

    fn is_department(&self, event: &CaseEvent) -> bool {
        let wanted = &self.settings.organisations;
        let named = event.organisation_id.as_ref();
        wanted.is_empty() || named.is_some_and(|id| wanted.contains(id))
    }

    /// The service there of a case that is sent; `None`: it is not. Drills and parts of cases are not, nor what another city sent
    /// here: two that send to each other would never end.
    fn service_of(&self, case: &Case) -> Option<&str> {
        let service = self.settings.services.get(case.category.as_deref()?)?;
        let is_own = case.source != DRILL
            && case.parent_id.is_none()
            && case.closed_at.is_none()
            && marked_by(&case.description).is_none();
        is_own.then_some(service)
    }

    async fn draft(&self, app: &App, case: &Case, link: &Link) -> Result<(Draft, String)> {
        let telling = Telling {
            service_code: &link.service_code,
            is_personal: self.settings.personal,
            mark: &link.reference,
            description_chars_max: self.settings.description_chars_max,
        };
        let draft = draft_of(app, case, &telling).await;
        draft.map_err(|error| anyhow::anyhow!("{}", error.in_words()))
    }

    /// Sends a case. That it is being sent is durable, and in the audit trail, before the first byte goes out.
    async fn send(&self, app: &App, link: &Link, now: Timestamp) -> Result<()> {
        let Some(case) = rows::get(&mut *app.records.read().await?, link.case_id).await? else {
            return Ok(());
        };
        if case.closed_at.is_some() {
            let why = "the case ended before it was sent";
            let after = stopped(link, links::DROPPED, why);
            return self.write(app, link, &after, &Told::default(), now).await;
        }
        let (draft, _) = self.draft(app, &case, link).await?;
        if draft.place.is_none() && draft.address.is_none() && draft.address_id.is_none() {
            let why =
                "the case has no place and no address, without which GeoReport v2 takes no request";
            let after = stopped(link, links::REFUSED, why);
            return self.write(app, link, &after, &Told::default(), now).await;
        }
        let sending = Link {
            state: links::UNSURE.to_owned(),
            attempts: link.attempts + 1,
            posted_at: Some(now),
            next_at: now.plus_seconds(self.wait_s(link.attempts + 1)),
            problem: Some("it was sent, and the answer was not read".to_owned()),
            ..link.clone()
        };
        let mut write = app.records.write().await?;
        if !links::put(&mut write, link, &sending).await? {
            return Ok(());
        }
        let detail = json!({"number": case.number, "peer": link.peer, "reference": link.reference,
            "attempt": sending.attempts, "personal": self.settings.personal});
        let target = format!("case:{}", case.id);
        let event = Event::Open311Forward;
        audit::insert(&mut write, now, &self.actor(), event, &target, &detail).await?;
        write.commit().await?;
        let answer = self.peer.post(draft, &link.reference).await;
        let now = wall_clock();
        let (after, told) = self.answered(&sending, answer, rand::random(), now);
        self.write(app, &sending, &after, &told, now).await
    }

    /// How long until what is unsure is looked for, seconds.
    fn wait_s(&self, attempts: i64) -> i64 {
        let settle_s = self.settings.settle_seconds;
        let wait = self.settings.retry.after(attempts, 1.0);
        wait.unwrap_or(settle_s).min(settle_s).max(1)
    }

    /// How a link stands after an answer, or none. Pure.
    fn answered(
        &self,
        sent: &Link,
        answer: Result<(u16, Bytes), NoAnswer>,
        draw: f64,
        now: Timestamp,
    ) -> (Link, Told) {
        let later = |why: String| match self.settings.retry.after(sent.attempts, draw) {
            Some(seconds) => Link {
                state: links::WAITING.to_owned(),
                next_at: now.plus_seconds(seconds),
                problem: Some(why),
                ..sent.clone()
            },
            None => {
                let attempts = sent.attempts;
                stopped(
                    sent,
                    links::REFUSED,
                    &format!("given up after {attempts} attempts: {why}"),
                )
            }
        };
        let unsure = |why: String| Link {
            problem: Some(format!("whether it was taken is not known: {why}")),
            ..sent.clone()
        };
        let after = match answer {
            Err(none) if none.may_have_arrived => unsure(none.why),
            Err(none) => later(none.why),
            Ok((status, body)) => match judged(status, &body) {
                Judged::Made(made) => return self.taken(sent, &made, None, now),
                Judged::Later(why) => later(why),
                Judged::Refused(why) => stopped(sent, links::REFUSED, &why),
                Judged::Unsure(why) => unsure(why),
            },
        };
        (after, Told::default())
    }

    /// How a link stands that was taken there; `found` says how that is known when not from the answer.
    fn taken(
        &self,
        link: &Link,
        made: &Created,
        found: Option<&str>,
        now: Timestamp,
    ) -> (Link, Told) {
        let has_id = made.service_request_id.is_some();
        let state = if has_id { links::OPEN } else { links::TOKEN };
        let follow_s = i64::try_from(self.settings.follow_seconds).unwrap_or(i64::MAX);
        let after = Link {
            state: state.to_owned(),
            remote_id: made.service_request_id.clone(),
            token: made.token.clone(),
            remote_status: has_id.then(|| "open".to_owned()),
            next_at: now.plus_seconds(follow_s.max(1)),
            problem: None,
            ..link.clone()
        };
        let told = Told {
            note: made.service_notice.clone(),
            found: found.map(str::to_owned),
        };
        (after, told)
    }

    /// Looks for what may have been taken; sends it again, or leaves it to a person, when it is not there.
    async fn find(&self, app: &App, link: &Link, now: Timestamp) -> Result<()> {
        let Some(case) = rows::get(&mut *app.records.read().await?, link.case_id).await? else {
            return Ok(());
        };
        let (draft, words) = self.draft(app, &case, link).await?;
        // From the first time that it may have been taken; the standard answers no longer span.
        let earliest = now.plus_seconds(-(DAYS_MAX - 1) * DAY_S);
        let from = link.made_at.plus_seconds(-CLOCKS_S).max(earliest);
        let until = now.plus_seconds(CLOCKS_S);
        let listed = made_between(&self.peer, from, until, &link.service_code).await;
        let (after, told) = match &listed {
            Err(error) => {
                let why = format!("it could not be looked up: {error}");
                (self.still_unsure(link, &why, now), Told::default())
            }
            Ok(listed) => {
                let place = draft.place;
                let found = find(listed, &link.reference, &link.service_code, place, &words);
                match found {
                    Some(Found::Marked(id)) => self.taken(link, &known(id), Some("marked"), now),
                    Some(Found::Alike(id)) => self.taken(link, &known(id), Some("alike"), now),
                    None => {
                        let is_cut = listed.len() >= REQUESTS_MAX as usize;
                        (self.not_found(link, is_cut, now), Told::default())
                    }
                }
            }
        };
        self.write(app, link, &after, &told, now).await
    }

    /// It could not be looked for: later again, and after `hold_seconds` a person looks.
    fn still_unsure(&self, link: &Link, why: &str, now: Timestamp) -> Link {
        let posted = link.posted_at.unwrap_or(link.made_at);
        match now >= posted.plus_seconds(self.settings.hold_seconds) {
            true => stopped(link, links::HELD, why),
            false => Link {
                next_at: now.plus_seconds(self.settings.settle_seconds.max(1)),
                problem: Some(why.to_owned()),
                ..link.clone()
            },
        }
    }

    /// It was looked for and is not there.
    fn not_found(&self, link: &Link, is_cut: bool, now: Timestamp) -> Link {
        let settled = link
            .posted_at
            .unwrap_or(link.made_at)
            .plus_seconds(self.settings.settle_seconds);
        let retry = self.settings.retry;
        if is_cut {
            let why = "it was not found, but there are more requests than one answer holds";
            stopped(link, links::HELD, why)
        } else if now < settled {
            Link {
                next_at: settled,
                ..link.clone()
            }
        } else if !self.settings.repeat || retry.after(link.attempts, 1.0).is_none() {
            let why = "it was not found, and may be there all the same";
            stopped(link, links::HELD, why)
        } else {
            Link {
                state: links::WAITING.to_owned(),
                next_at: now,
                ..link.clone()
            }
        }
    }

    /// Asks for the id of a token.
    async fn resolve(&self, app: &App, link: &Link, now: Timestamp) -> Result<()> {
        let token = link.token.clone().unwrap_or_default();
        let answer = self.peer.read(&["tokens", &token], &[]).await;
        let made = answer.and_then(|body| {
            let made = body.as_deref().map(read_created).transpose();
            made.map_err(|p| anyhow::anyhow!("{p}"))
        });
        let follow_s = i64::try_from(self.settings.follow_seconds).unwrap_or(i64::MAX);
        let wait = |problem: Option<String>| Link {
            next_at: now.plus_seconds(follow_s.max(1)),
            problem,
            ..link.clone()
        };
        let (after, told) = match made {
            Ok(Some(made)) if made.service_request_id.is_some() => {
                let made = Created {
                    token: link.token.clone(),
                    ..made
                };
                self.taken(link, &made, None, now)
            }
            Ok(_) => (wait(None), Told::default()),
            Err(error) => (wait(Some(error.to_string())), Told::default()),
        };
        self.write(app, link, &after, &told, now).await
    }

    /// Writes how a link stands, and into the case's history what people should know of it.
    async fn write(
        &self,
        app: &App,
        before: &Link,
        after: &Link,
        told: &Told,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = app.records.write().await?;
        if !links::put(&mut write, before, after).await? {
            return Ok(());
        }
        let actor = self.actor();
        let action = match after.state.as_str() {
            state if state == before.state => None,
            links::OPEN | links::TOKEN => Some(FORWARDED),
            links::HELD | links::REFUSED | links::DROPPED => Some(STOPPED),
            _ => None,
        };
        let case = match action {
            None => None,
            Some(action) => {
                let said = Outside {
                    actor: &actor,
                    action,
                    note: told.note.clone().or_else(|| after.problem.clone()),
                    detail: Some(detail(after, told)),
                };
                note_outside(&mut write, after.case_id, said, now).await?
            }
        };
        write.commit().await?;
        if let Some(case) = case {
            tell_pages(app, &case);
        }
        Ok(())
    }
}

/// What the history says of a step beside how the link stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    /// What the other side said.
    note: Option<String>,
    /// How it was found there when the answer was lost.
    found: Option<String>,
}

fn detail(link: &Link, told: &Told) -> Value {
    let mut detail = json!({"peer": link.peer, "reference": link.reference});
    if let Some(id) = &link.remote_id {
        detail["remote_id"] = json!(id);
    }
    if let Some(found) = &told.found {
        detail["found"] = json!(found);
    }
    detail
}

fn known(id: &str) -> Created {
    Created {
        service_request_id: Some(id.to_owned()),
        ..Created::default()
    }
}

fn stopped(link: &Link, state: &str, why: &str) -> Link {
    Link {
        state: state.to_owned(),
        problem: Some(why.to_owned()),
        ..link.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use api::outgoing::Outgoing;
    use std::path::Path;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn forwarder(more: &str) -> Forwarder {
        let text = format!(
            "name = \"province\"\nurl = \"https://p.example/open311/v2\"\nservices = {{ B0102 = \"002\" }}\n{more}"
        );
        let settings: ForwardSettings = toml::from_str(&text).unwrap();
        let outgoing = Arc::new(Outgoing::new(Vec::new(), "x", Path::new("/dev/null")));
        let written = Settings::default().open311;
        let peer = Peer::new(Path::new("/"), &settings.called(), outgoing, &written).unwrap();
        let peer = Arc::new(peer);
        Forwarder {
            follower: Follower::of_forward(Arc::clone(&peer), &settings, 365),
            peer,
            settings,
            taken_as: Vec::new(),
        }
    }

    fn sent(attempts: i64) -> Link {
        Link {
            id: 1,
            case_id: 1,
            peer: "province".to_owned(),
            way: links::TO.to_owned(),
            state: links::UNSURE.to_owned(),
            service_code: "002".to_owned(),
            reference: mark("tianmen", "TM-1"),
            made_at: NOW,
            attempts,
            next_at: NOW,
            posted_at: Some(NOW),
            token: None,
            remote_id: None,
            remote_status: None,
            remote_notes: None,
            asked_at: None,
            problem: None,
        }
    }

    fn answer(status: u16, body: &'static str) -> Result<(u16, Bytes), NoAnswer> {
        Ok((status, Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn only_what_surely_was_not_taken_is_sent_again_without_looking() {
        let forwarder = forwarder("");
        let none = |may_have_arrived| {
            Err(NoAnswer {
                why: "it took too long".to_owned(),
                may_have_arrived,
            })
        };
        let state = |attempts, answer| {
            forwarder
                .answered(&sent(attempts), answer, 1.0, NOW)
                .0
                .state
        };
        assert_eq!(state(1, none(false)), links::WAITING);
        assert_eq!(state(12, none(false)), links::REFUSED, "given up");
        assert_eq!(state(1, none(true)), links::UNSURE);
        assert_eq!(state(1, answer(503, "")), links::UNSURE);
        assert_eq!(
            state(1, answer(403, "")),
            links::WAITING,
            "somebody mends the key"
        );
        assert_eq!(state(1, answer(400, "[]")), links::REFUSED);
        assert_eq!(state(1, answer(200, r#"[{"token":"t"}]"#)), links::TOKEN);
        let (open, told) = forwarder.answered(
            &sent(1),
            answer(
                200,
                r#"[{"service_request_id":"7","service_notice":"soon"}]"#,
            ),
            1.0,
            NOW,
        );
        assert_eq!(open.state, links::OPEN);
        assert_eq!(open.remote_id.as_deref(), Some("7"));
        assert_eq!(told.note.as_deref(), Some("soon"));
    }

    #[test]
    fn what_is_not_found_waits_and_is_sent_again_or_left_to_a_person() {
        let state = |more: &str, attempts, after_s| {
            let link = forwarder(more).not_found(&sent(attempts), false, NOW.plus_seconds(after_s));
            (link.state, link.next_at.micros_since(NOW) / 1_000_000)
        };
        assert_eq!(state("", 1, 30), (links::UNSURE.to_owned(), 600));
        assert_eq!(state("", 1, 600), (links::WAITING.to_owned(), 600));
        assert_eq!(state("", 12, 600).0, links::HELD, "often enough");
        assert_eq!(state("repeat = false", 1, 600).0, links::HELD);
        let cut = forwarder("").not_found(&sent(1), true, NOW);
        assert_eq!(
            cut.state,
            links::HELD,
            "it may be behind the end of the list"
        );
        let unread = |after_s| {
            let now = NOW.plus_seconds(after_s);
            forwarder("").still_unsure(&sent(1), "no list", now).state
        };
        assert_eq!(unread(3_600), links::UNSURE);
        assert_eq!(unread(86_400), links::HELD);
    }

    #[test]
    fn which_cases_are_sent() {
        let forwarder = forwarder("organisations = [\"outside\"]");
        let case = |change: &dyn Fn(&mut Case)| {
            let mut case = a_case();
            change(&mut case);
            forwarder.service_of(&case).map(str::to_owned)
        };
        assert_eq!(case(&|_| {}).as_deref(), Some("002"));
        assert_eq!(case(&|c| c.category = Some("B0101".to_owned())), None);
        assert_eq!(case(&|c| c.category = None), None);
        assert_eq!(case(&|c| c.source = DRILL.to_owned()), None);
        assert_eq!(case(&|c| c.parent_id = Some(1)), None);
        assert_eq!(case(&|c| c.closed_at = Some(NOW)), None);
        // Another city sent it here: two that send to each other would never end.
        assert_eq!(
            case(&|c| c.description = format!("井\n{}", mark("qianjiang", "QJ-1"))),
            None
        );
    }

    fn a_case() -> Case {
        Case {
            id: 1,
            number: "TM-1".to_owned(),
            title: "井盖".to_owned(),
            description: "井盖缺失".to_owned(),
            workflow: "city-management".to_owned(),
            workflow_version: 1,
            state: "collected".to_owned(),
            severity: "minor".to_owned(),
            alert_id: None,
            entity_id: None,
            lon: Some(113.187),
            lat: Some(30.676),
            organisation_id: None,
            assignee_id: None,
            created_at: NOW,
            created_by: "app".to_owned(),
            created_by_id: None,
            updated_at: NOW,
            due_at: None,
            closed_at: None,
            version: 1,
            category: Some("B0102".to_owned()),
            town: None,
            grid: None,
            source: "citizen".to_owned(),
            reporter: None,
            reporters: 1,
            parent_id: None,
            duplicate_of: None,
            case_due_at: None,
            extension_minutes: None,
            extensions: 0,
            supervised_until: None,
            suspended_at: None,
            suspended_until: None,
            escalation: 0,
            escalates_at: None,
            reopened: 0,
        }
    }
}
