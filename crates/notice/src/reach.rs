//! What no row of the records says by itself: that the value of an alert that is up has come to reach more places, that nobody
//! answers for a place, and that a response plan is suggested. Each becomes an event under a key of its own, so that it is told once.

use crate::affected::{Affected, Place};
use crate::event::{Event, NOBODY_RESPONSIBLE, PLAN_SUGGESTED, REACHED, rank};
use crate::fold::{ALERTS, row_of};
use crate::office::Office;
use crate::people;
use crate::rule::Rule;
use model::Timestamp;
use records::alerts::{self, Alert};
use records::notices;
use records::users::User;
use records::{Connection, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

/// Most times that one alert is told for more places; each is told with all that were reached since.
pub const TIMES_MAX: u32 = 100;

/// What the last looks found.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    /// When the last was.
    at: Option<Timestamp>,
    /// Of alerts that are up, the places that were reached when it was last found out what of them was told.
    reached: BTreeMap<i64, BTreeSet<String>>,
    /// The suggestions that were told.
    suggested: BTreeSet<String>,
}

/// Key of the event that an alert reached more places, from 1.
pub fn reached_key(alert_id: i64, time: u32) -> String {
    format!("alert-reached:{alert_id}:{time}")
}

/// Key of the event that nobody answers for places of an event.
pub fn nobody_key(event_key: &str) -> String {
    format!("nobody-responsible:{event_key}")
}

fn reached_ids(affected: &[Affected]) -> BTreeSet<String> {
    let places = affected.iter().flat_map(|of| &of.reached);
    places.map(|place| place.id.clone()).collect()
}

/// Keeps of those who are reached the ones for which something holds; types of whom none is left go.
fn retain_reached(affected: &mut Vec<Affected>, keep: impl Fn(&Place) -> bool) {
    for of in affected.iter_mut() {
        of.reached.retain(&keep);
    }
    affected.retain(|of| !of.reached.is_empty());
}

impl Office {
    fn looks(&self) -> std::sync::MutexGuard<'_, Looks> {
        // What is kept only spares looking: it is good whoever stopped in between.
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks, every so often, at what alerts that are up have come to reach and at the plans that are suggested.
    pub(crate) async fn look(&self, now: Timestamp, told: &mut BTreeSet<i64>) -> Result<()> {
        {
            let mut looks = self.looks();
            let pause = self.options.reach_seconds.saturating_mul(1_000_000);
            if looks
                .at
                .is_some_and(|at| (0..pause).contains(&now.micros_since(at)))
            {
                return Ok(());
            }
            looks.at = Some(now);
        }
        let mut read = self.records.read().await?;
        let rules = self.rules(&mut read).await?;
        drop(read);
        if rules.iter().any(|rule| rule.hears(REACHED)) {
            self.look_reached(&rules, now, told).await?;
        }
        if rules.iter().any(|rule| rule.hears(PLAN_SUGGESTED)) {
            self.look_suggested(&rules, now, told).await?;
        }
        Ok(())
    }

    async fn look_reached(
        &self,
        rules: &[Rule],
        now: Timestamp,
        told: &mut BTreeSet<i64>,
    ) -> Result<()> {
        // An alert behind that position was not told at all yet.
        let told_up_to = self.position(ALERTS).await?;
        let mut read = self.records.read().await?;
        let active = alerts::active(&mut read, self.options.reach_alerts_max).await?;
        drop(read);
        let up: BTreeSet<i64> = active.iter().map(|alert| alert.id).collect();
        self.looks().reached.retain(|id, _| up.contains(id));
        // Of several alerts of one entity the gravest tells, and of those the newest: it says the same of the same places.
        let mut gravest: BTreeMap<&str, &Alert> = BTreeMap::new();
        for alert in active.iter().filter(|alert| alert.id <= told_up_to) {
            let one = gravest.entry(alert.entity_id.as_str()).or_insert(alert);
            if rank(&alert.severity) > rank(&one.severity) {
                *one = alert;
            }
        }
        for alert in gravest.into_values() {
            let mut affected = self.city.affected(alert);
            let ids = reached_ids(&affected);
            let known = self.looks().reached.get(&alert.id) == Some(&ids);
            if ids.is_empty() || known {
                continue;
            }
            let mut write = self.records.write().await?;
            let (before, times) = told_of(&mut write, alert.id).await?;
            retain_reached(&mut affected, |place| !before.contains(&place.id));
            if !affected.is_empty() {
                if times >= TIMES_MAX {
                    tracing::error!(
                        alert = alert.id,
                        "it was told for more places {TIMES_MAX} times; no further ones are told"
                    );
                } else {
                    let event = self.of_reached(alert, affected, times + 1, now);
                    self.tell(&mut write, &event, rules, now, told).await?;
                }
            }
            write.commit().await?;
            self.looks().reached.insert(alert.id, ids);
        }
        Ok(())
    }

    /// That an alert reached more places, as an event.
    fn of_reached(
        &self,
        alert: &Alert,
        affected: Vec<Affected>,
        time: u32,
        now: Timestamp,
    ) -> Event {
        let event = self.of_alert(alert);
        let count = reached_ids(&affected).len();
        Event {
            key: reached_key(alert.id, time),
            kind: REACHED.to_owned(),
            // Titles are every reader's: the names, which may not be, stand with what is affected.
            title_zh: format!("新涉及 {count} 处：{}", event.title_zh),
            title_en: format!("{count} more affected: {}", event.title_en),
            at: now,
            affected,
            ..event
        }
    }

    async fn look_suggested(
        &self,
        rules: &[Rule],
        now: Timestamp,
        told: &mut BTreeSet<i64>,
    ) -> Result<()> {
        let suggested = self.city.suggested(now).await;
        let keys: BTreeSet<String> = suggested.iter().map(|event| event.key.clone()).collect();
        let fresh = |event: &Event| !self.looks().suggested.contains(&event.key);
        let fresh: Vec<Event> = suggested.into_iter().filter(fresh).collect();
        if !fresh.is_empty() {
            let mut write = self.records.write().await?;
            for event in &fresh {
                // Told before a restart it is told.
                if notices::event_of_key(&mut write, &event.key)
                    .await?
                    .is_none()
                {
                    self.tell(&mut write, event, rules, now, told).await?;
                }
            }
            write.commit().await?;
        }
        self.looks().suggested = keys;
        Ok(())
    }

    /// Tells those on duty for which of the places that are reached nobody was told who answers for them.
    pub(crate) async fn tell_unanswered_for(
        &self,
        connection: &mut Connection,
        event: &Event,
        (rule, level): (&Rule, usize),
        seeing: &[User],
        now: Timestamp,
        told: &mut BTreeSet<i64>,
    ) -> Result<()> {
        let mut event = event.clone();
        people::answer_for(connection, &mut event.affected, now).await?;
        let is_told = |id: &i64| seeing.iter().any(|user| user.id == *id);
        retain_reached(&mut event.affected, |place| {
            !place.people.iter().any(is_told)
        });
        if event.affected.is_empty() {
            return Ok(());
        }
        let count = reached_ids(&event.affected).len();
        for of in &mut event.affected {
            of.next.clear();
        }
        let gap = Event {
            key: nobody_key(&event.key),
            kind: NOBODY_RESPONSIBLE.to_owned(),
            title_zh: format!("{count} 处没有可通知的责任人：{}", event.title_zh),
            title_en: format!(
                "Nobody to tell is responsible for {count} affected: {}",
                event.title_en
            ),
            ..event
        };
        let mut officers = Vec::new();
        let roles = self.city.roles_of_every_duty();
        for user in people::on_duty(connection, &roles, now).await? {
            if self.city.may_see(&user, &gap, now).await {
                officers.push(user);
            }
        }
        if officers.is_empty() {
            tracing::error!(
                event = gap.key,
                "nobody is responsible, and nobody on duty can be told"
            );
        }
        let (gap_id, _) = notices::add_event(connection, &row_of(&gap)).await?;
        self.write_messages(
            connection,
            (gap_id, &gap),
            (rule, level),
            &officers,
            now,
            told,
        )
        .await
    }
}

/// The places that an alert was told for, and how often it was told for more.
async fn told_of(connection: &mut Connection, alert_id: i64) -> Result<(BTreeSet<String>, u32)> {
    let mut told = BTreeSet::new();
    let mut read = |row: notices::EventRow| {
        let event: Event = serde_json::from_value(row.document).unwrap_or_default();
        told.extend(reached_ids(&event.affected));
    };
    if let Some(row) = notices::event_of_key(connection, &format!("alert:{alert_id}")).await? {
        read(row);
    }
    let mut times = 0;
    while times < TIMES_MAX {
        let key = reached_key(alert_id, times + 1);
        let Some(row) = notices::event_of_key(connection, &key).await? else {
            break;
        };
        read(row);
        times += 1;
    }
    Ok((told, times))
}
