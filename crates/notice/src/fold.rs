//! From the records to events: new alerts, steps of cases, cases whose time is over, acts of the audit trail. Each source has a
//! position of its own, which moves in the transaction that writes the messages.

use crate::event::{Event, TURNS_OPEN};
use crate::office::Office;
use crate::people;
use crate::plan::{self, Times};
use crate::rule::{Level, Rule};
use model::Timestamp;
use records::alerts::Alert;
use records::audit::AuditEntry;
use records::cases::{Case, CaseEvent, DRILL};
use records::duty_acts::{self, Activation};
use records::notices::{self, EventRow, PAGE};
use records::{Connection, Event as Act, Result, audit_events, cases, duty, users};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Rows read in one step.
const BATCH: u32 = 500;
/// Most open turns that are looked at behind an act.
const OPEN_TURNS_MAX: u32 = 5_000;
/// Turns that a notice of open ones names; all are counted.
const DAYS_NAMED: usize = 3;
/// Position of alerts.
pub(crate) const ALERTS: &str = "notice.alerts";
/// Position of steps of cases.
pub(crate) const CASES: &str = "notice.cases";
/// Position of acts.
pub(crate) const AUDIT: &str = "notice.audit";
/// Position of response plans that were started.
pub(crate) const DUTY: &str = "notice.duty";
/// Time up to which cases whose time is over were told, microseconds.
pub(crate) const OVERDUE: &str = "notice.overdue";

impl Office {
    /// Reads what is new in the records and writes the messages that it means; gives the people whose pages show something new.
    ///
    /// # Errors
    /// The records' own; what was not written is read again.
    pub async fn fold(&self, now: Timestamp) -> Result<BTreeSet<i64>> {
        let mut told = BTreeSet::new();
        while self.step_alerts(now, &mut told).await? {}
        while self.step_cases(now, &mut told).await? {}
        while self.step_audit(now, &mut told).await? {}
        while self.step_duty(now, &mut told).await? {}
        while self.step_overdue(now, &mut told).await? {}
        self.look(now, &mut told).await?;
        Ok(told)
    }

    async fn step_alerts(&self, now: Timestamp, told: &mut BTreeSet<i64>) -> Result<bool> {
        let at = self.position(ALERTS).await?;
        if notices::alerts_after(&mut *self.records.read().await?, at, 1)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut step = self.records.project(ALERTS).await?;
        let at = column(step.position());
        let rows = notices::alerts_after(&mut step, at, BATCH).await?;
        let rules = self.rules(&mut step).await?;
        let end = rows.last().map_or(at, |row| row.id);
        for alert in &rows {
            let event = self.of_alert(alert);
            self.tell(&mut step, &event, &rules, now, told).await?;
        }
        step.commit(end.unsigned_abs()).await?;
        Ok(rows.len() == BATCH as usize)
    }

    async fn step_cases(&self, now: Timestamp, told: &mut BTreeSet<i64>) -> Result<bool> {
        let at = self.position(CASES).await?;
        if notices::case_events_after(&mut *self.records.read().await?, at, 1)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut step = self.records.project(CASES).await?;
        let at = column(step.position());
        let rows = notices::case_events_after(&mut step, at, BATCH).await?;
        let rules = self.rules(&mut step).await?;
        let end = rows.last().map_or(at, |row| row.id);
        for row in &rows {
            let Some(case) = cases::get(&mut step, row.case_id).await? else {
                continue;
            };
            let event = self.of_step(row, &case);
            self.tell(&mut step, &event, &rules, now, told).await?;
        }
        step.commit(end.unsigned_abs()).await?;
        Ok(rows.len() == BATCH as usize)
    }

    async fn step_audit(&self, now: Timestamp, told: &mut BTreeSet<i64>) -> Result<bool> {
        let at = self.position(AUDIT).await?;
        if notices::audit_after(&mut *self.records.read().await?, at, 1)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut step = self.records.project(AUDIT).await?;
        let at = column(step.position());
        let rows = notices::audit_after(&mut step, at, BATCH).await?;
        let rules = self.rules(&mut step).await?;
        let end = rows.last().map_or(at, |row| row.id);
        for act in &rows {
            let event = of_act(act);
            self.tell(&mut step, &event, &rules, now, told).await?;
            for event in self.of_leaving(&mut step, act, now).await? {
                self.tell(&mut step, &event, &rules, now, told).await?;
            }
        }
        step.commit(end.unsigned_abs()).await?;
        Ok(rows.len() == BATCH as usize)
    }

    async fn step_duty(&self, now: Timestamp, told: &mut BTreeSet<i64>) -> Result<bool> {
        let at = self.position(DUTY).await?;
        if duty_acts::activations_after(&mut *self.records.read().await?, at, 1)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut step = self.records.project(DUTY).await?;
        let at = column(step.position());
        let rows = duty_acts::activations_after(&mut step, at, BATCH).await?;
        let rules = self.rules(&mut step).await?;
        let end = rows.last().map_or(at, |row| row.id);
        for activation in &rows {
            let event = of_activation(activation);
            self.tell(&mut step, &event, &rules, now, told).await?;
        }
        step.commit(end.unsigned_abs()).await?;
        Ok(rows.len() == BATCH as usize)
    }

    async fn step_overdue(&self, now: Timestamp, told: &mut BTreeSet<i64>) -> Result<bool> {
        let from = self.position(OVERDUE).await?;
        if from == 0 {
            // What was overdue before anybody was told of anything stays so.
            let step = self.records.project(OVERDUE).await?;
            step.commit(now.micros().unsigned_abs()).await?;
            return Ok(false);
        }
        let from = Timestamp::from_micros(from);
        let mut read = self.records.read().await?;
        let is_none = notices::cases_overdue(&mut read, from, now, 1)
            .await?
            .is_empty();
        drop(read);
        if is_none {
            return Ok(false);
        }
        let mut step = self.records.project(OVERDUE).await?;
        let from = Timestamp::from_micros(column(step.position()));
        let rows = notices::cases_overdue(&mut step, from, now, BATCH).await?;
        let rules = self.rules(&mut step).await?;
        let is_full = rows.len() == BATCH as usize;
        for case in &rows {
            let last = notices::last_step(&mut step, case.id).await?;
            let event = self.overdue(case, last);
            self.tell(&mut step, &event, &rules, now, told).await?;
        }
        // Of those due in the same microsecond as the last, the rest comes again, and its events are known by their keys.
        let behind = match (is_full, rows.last().and_then(|case| case.due_at)) {
            (true, Some(due)) if due > from.plus_micros(1) => due.plus_micros(-1),
            (true, Some(due)) => due,
            _ => now,
        };
        step.commit(behind.micros().unsigned_abs()).await?;
        Ok(is_full)
    }

    pub(crate) async fn position(&self, name: &str) -> Result<i64> {
        Ok(column(self.records.projection_position(name).await?))
    }

    /// The rules that read; one that does not is told in the log and tells nobody.
    pub(crate) async fn rules(&self, connection: &mut Connection) -> Result<Vec<Rule>> {
        let rows = notices::rules(connection).await?;
        let read = rows.into_iter().filter_map(|row| {
            serde_json::from_value(row.document)
                .map_err(
                    |error| tracing::error!(rule = row.id, %error, "a notice rule does not read"),
                )
                .ok()
        });
        Ok(read.collect())
    }

    pub(crate) async fn tell(
        &self,
        connection: &mut Connection,
        event: &Event,
        rules: &[Rule],
        now: Timestamp,
        told: &mut BTreeSet<i64>,
    ) -> Result<()> {
        let matching: Vec<&Rule> = rules.iter().filter(|rule| rule.matches(event)).collect();
        if matching.is_empty() {
            return Ok(());
        }
        let mut event = event.clone();
        people::answer_for(connection, &mut event.affected, now).await?;
        let event = &event;
        let (event_id, _) = notices::add_event(connection, &row_of(event)).await?;
        for rule in matching {
            self.tell_level(connection, (event_id, event), (rule, 0), now, told)
                .await?;
        }
        Ok(())
    }

    /// Writes the messages of a level, and has the next wait.
    pub(crate) async fn tell_level(
        &self,
        connection: &mut Connection,
        (event_id, event): (i64, &Event),
        (rule, level): (&Rule, usize),
        now: Timestamp,
        told: &mut BTreeSet<i64>,
    ) -> Result<()> {
        let Some(of) = rule.levels.get(level) else {
            return Ok(());
        };
        let mut people = people::of_level(connection, of, event, now).await?;
        let mut seeing = Vec::new();
        for user in people.drain(..) {
            if self.city.may_see(&user, event, now).await {
                seeing.push(user);
            }
        }
        self.write_messages(
            connection,
            (event_id, event),
            (rule, level),
            &seeing,
            now,
            told,
        )
        .await?;
        let is_first = !rule.levels.iter().take(level).any(Level::is_of_affected);
        if of.is_of_affected() && is_first {
            self.tell_unanswered_for(connection, event, (rule, level), &seeing, now, told)
                .await?;
        }
        if level + 1 < rule.levels.len() {
            let due = now.plus_seconds(of.answer_minutes.max(1) * 60);
            let next = i64::try_from(level + 1).unwrap_or(i64::MAX);
            notices::watch(connection, event_id, &rule.id, next, due).await?;
        }
        Ok(())
    }

    /// Writes what a level says to people.
    pub(crate) async fn write_messages(
        &self,
        connection: &mut Connection,
        of: (i64, &Event),
        (rule, level): (&Rule, usize),
        people: &[users::User],
        now: Timestamp,
        told: &mut BTreeSet<i64>,
    ) -> Result<()> {
        let recipients = people::with_quiet_hours(connection, people).await?;
        let times = Times {
            calendars: &self.calendars,
            zone: &self.zone,
        };
        let planned = plan::messages(
            of,
            (rule, level),
            &recipients,
            |channel| self.is_system(channel),
            times,
            now,
        );
        for message in &planned {
            let added = notices::add_message(connection, message).await?;
            if let Some(user) = added.filter(|m| m.channel == PAGE).and_then(|m| m.user_id) {
                told.insert(user);
            }
        }
        Ok(())
    }

    /// What an act leaves open on rosters: whoever was closed out, moved, or lost a post may have turns that nobody will come to.
    async fn of_leaving(
        &self,
        connection: &mut Connection,
        act: &AuditEntry,
        now: Timestamp,
    ) -> Result<Vec<Event>> {
        let Some(person) = person_of(act) else {
            return Ok(Vec::new());
        };
        let roles = self.city.roles_of_every_duty();
        let open = duty::open_turns(connection, None, &roles, now, OPEN_TURNS_MAX).await?;
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for turn in open.into_iter().filter(|turn| turn.user_id == person) {
            let days = of.entry(turn.organisation_id).or_default();
            days.push(format!("{} {}", turn.day, turn.post));
        }
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let user = users::get(connection, person).await?;
        let name = user.map_or_else(|| format!("#{person}"), |user| user.name);
        let events = of.into_iter().map(|(organisation, days)| {
            let count = days.len();
            let some = days.iter().take(DAYS_NAMED).map(String::as_str);
            let some: Vec<&str> = some.collect();
            let more = if count > some.len() { "…" } else { "" };
            Event {
                key: format!("open-turns:{}:{organisation}", act.id),
                kind: TURNS_OPEN.to_owned(),
                severity: "major".to_owned(),
                title_zh: format!(
                    "{name}已不在岗，{count} 个班次空缺：{}{more}",
                    some.join("、")
                ),
                title_en: format!(
                    "{name} left: {count} turns of duty are open: {}{more}",
                    some.join(", ")
                ),
                at: act.at,
                organisation_id: Some(organisation),
                ..Event::default()
            }
        });
        Ok(events.collect())
    }

    /// An alert as an event.
    pub fn of_alert(&self, alert: &Alert) -> Event {
        let place = alert.lon.zip(alert.lat).map(|(lon, lat)| [lon, lat]);
        let name = alert.entity_name.clone().unwrap_or_default();
        let title = |title: &str| match name.is_empty() || title.contains(&name) {
            true => title.to_owned(),
            false => format!("{name} {title}"),
        };
        Event {
            key: format!("alert:{}", alert.id),
            kind: "alert.raised".to_owned(),
            severity: alert.severity.clone(),
            title_zh: title(&alert.title_zh),
            title_en: title(&alert.title_en),
            at: alert.raised_at,
            alert_id: Some(alert.id),
            entity_id: Some(alert.entity_id.clone()),
            entity_type: Some(alert.entity_type.clone()),
            attribute: Some(alert.attribute.clone()),
            alert_rule: Some(alert.rule_id.clone()),
            division: self.city.division_of(&alert.entity_id, place),
            affected: self.city.affected(alert),
            ..Event::default()
        }
    }

    fn of_step(&self, step: &CaseEvent, case: &Case) -> Event {
        let (zh, en) = self
            .city
            .state_title(&case.workflow, &step.to_state)
            .unwrap_or_else(|| (step.action.clone(), step.action.clone()));
        let (drill_zh, drill_en) = drill(case.source == DRILL);
        Event {
            key: format!("case-step:{}", step.id),
            kind: format!("case.{}", step.action),
            title_zh: format!("{drill_zh}{} {zh}：{}", case.number, case.title),
            title_en: format!("{drill_en}{} {en}: {}", case.number, case.title),
            at: step.at,
            step_id: Some(step.id),
            actor_id: step.actor_id,
            ..self.of_case(case)
        }
    }

    fn overdue(&self, case: &Case, last: i64) -> Event {
        let due = case.due_at.unwrap_or(case.updated_at);
        let (drill_zh, drill_en) = drill(case.source == DRILL);
        Event {
            key: format!("case-overdue:{}:{}", case.id, due.micros()),
            kind: "case.overdue".to_owned(),
            title_zh: format!("{drill_zh}{} 已超期：{}", case.number, case.title),
            title_en: format!("{drill_en}{} is overdue: {}", case.number, case.title),
            at: due,
            step_id: Some(last),
            ..self.of_case(case)
        }
    }

    fn of_case(&self, case: &Case) -> Event {
        let place = case.lon.zip(case.lat).map(|(lon, lat)| [lon, lat]);
        let entity = case.entity_id.as_deref().unwrap_or_default();
        Event {
            severity: case.severity.clone(),
            case_id: Some(case.id),
            entity_id: case.entity_id.clone(),
            division: self.city.division_of(entity, place),
            organisation_id: case.organisation_id.clone(),
            assignee_id: case.assignee_id,
            drill: case.source == DRILL,
            ..Event::default()
        }
    }

    /// Tells the levels whose time has come, where nobody answered; gives the people whose pages show something new.
    ///
    /// # Errors
    /// The records' own; what was not written is looked at again.
    pub async fn escalate(&self, now: Timestamp) -> Result<BTreeSet<i64>> {
        let mut told = BTreeSet::new();
        let mut read = self.records.read().await?;
        let is_none = notices::watches_due(&mut read, now, 1).await?.is_empty();
        drop(read);
        if is_none {
            return Ok(told);
        }
        let mut write = self.records.write().await?;
        let rules = self.rules(&mut write).await?;
        for watch in notices::watches_due(&mut write, now, BATCH).await? {
            let row = notices::event(&mut write, watch.event_id).await?;
            let event = row.and_then(|row| serde_json::from_value::<Event>(row.document).ok());
            let rule = rules
                .iter()
                .find(|rule| rule.id == watch.rule_id && rule.enabled);
            let why = match (&event, rule) {
                (Some(event), Some(rule)) => {
                    if is_answered(&mut write, event, rule, &watch).await? {
                        "answered"
                    } else {
                        let level = usize::try_from(watch.level).unwrap_or(usize::MAX);
                        let of = (watch.event_id, event);
                        self.tell_level(&mut write, of, (rule, level), now, &mut told)
                            .await?;
                        "told"
                    }
                }
                _ => "over",
            };
            notices::end_watch(&mut write, watch.id, why, now).await?;
        }
        write.commit().await?;
        Ok(told)
    }
}

async fn is_answered(
    connection: &mut Connection,
    event: &Event,
    rule: &Rule,
    watch: &notices::Watch,
) -> Result<bool> {
    let readers = notices::readers(connection, watch.event_id, &watch.rule_id).await?;
    let level = usize::try_from(watch.level).unwrap_or(usize::MAX);
    let is_of_each = rule.levels.iter().take(level).any(Level::is_of_affected);
    if !readers.is_empty() && (!is_of_each || has_answered_for_each(event, &readers)) {
        return Ok(true);
    }
    if let Some(id) = event.alert_id
        && let Some(alert) = records::alerts::get(connection, id).await?
        // Who took note of the alert before it reached these places did not know of them.
        && (alert.acknowledged_at.is_some_and(|at| at >= event.at) || alert.cleared_at.is_some())
    {
        return Ok(true);
    }
    if let Some(id) = event.activation_id {
        let is_over = duty_acts::activation(connection, id)
            .await?
            .is_none_or(|activation| activation.ended_at.is_some());
        return Ok(is_over || !duty_acts::steps(connection, id).await?.is_empty());
    }
    if let (Some(id), Some(step)) = (event.case_id, event.step_id) {
        return Ok(notices::last_step(connection, id).await? > step);
    }
    Ok(false)
}

/// Whether of every place that somebody answers for one of them took note: one village's officer does not answer for another.
fn has_answered_for_each(event: &Event, readers: &[i64]) -> bool {
    let mut places = event.affected.iter().flat_map(|of| &of.reached);
    places
        .all(|place| place.people.is_empty() || place.people.iter().any(|id| readers.contains(id)))
}

/// How the titles of a drill begin.
const fn drill(is_drill: bool) -> (&'static str, &'static str) {
    match is_drill {
        true => ("【演练】", "[Drill] "),
        false => ("", ""),
    }
}

/// A response plan that was started as an event. It is answered when a step of it is done.
fn of_activation(activation: &Activation) -> Event {
    let (drill_zh, drill_en) = drill(activation.drill);
    let title = |key: &str| activation.plan[key].as_str().unwrap_or(&activation.plan_id);
    Event {
        key: format!("activation:{}", activation.id),
        kind: "duty.plan-started".to_owned(),
        severity: activation.severity.clone(),
        title_zh: format!("{drill_zh}启动预案：{}", title("title_zh")),
        title_en: format!("{drill_en}Response plan started: {}", title("title_en")),
        at: activation.started_at,
        activation_id: Some(activation.id),
        organisation_id: Some(activation.organisation_id.clone()),
        drill: activation.drill,
        actor_id: activation.started_by_id,
        ..Event::default()
    }
}

/// The person of an act behind which they may be able to do less duty than before.
fn person_of(act: &AuditEntry) -> Option<i64> {
    if act.action == Act::UserChange.entry().action {
        return act.target.strip_prefix("user:")?.parse().ok();
    }
    if act.action == Act::PostEnd.entry().action {
        return act.detail["user"].as_i64();
    }
    None
}

/// An act as an event.
fn of_act(act: &AuditEntry) -> Event {
    let entry = audit_events::find(&act.action);
    let (zh, en) = entry.map_or((act.action.as_str(), act.action.as_str()), |entry| {
        (entry.title_zh, entry.title_en)
    });
    let grave = ["factor.passkey.cloned", "key.retire", "policy.change"];
    let severity = if grave.contains(&act.action.as_str()) {
        "major"
    } else {
        "minor"
    };
    Event {
        key: format!("act:{}", act.id),
        kind: format!("security.{}", act.action),
        severity: severity.to_owned(),
        title_zh: format!("{zh}：{} {}", act.actor, act.target),
        title_en: format!("{en}: {} {}", act.actor, act.target),
        at: act.at,
        actor_id: act.actor_id.filter(|_| act.actor_kind == "user"),
        ..Event::default()
    }
}

pub(crate) fn row_of(event: &Event) -> EventRow {
    EventRow {
        id: 0,
        key: event.key.clone(),
        kind: event.kind.clone(),
        severity: event.severity.clone(),
        title_zh: event.title_zh.clone(),
        title_en: event.title_en.clone(),
        at: event.at,
        document: json!(event),
    }
}

/// A position as the column that it counts.
pub(crate) fn column(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
