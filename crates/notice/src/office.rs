//! The office that does it: reads what happened, has the next level told when nobody answers, and sends what is due, each in
//! small transactions around a sending that may hang or die.

use crate::affected::Affected;
use crate::doubt::{self, Doubting};
use crate::event::Event;
use crate::flood::{self, Limits, Step};
use crate::reach::Looks;
use crate::retry::Retry;
use crate::rule::Rule;
use crate::sender::{NotSent, Outgoing, Reach, Sender, Taken};
use crate::text;
use async_trait::async_trait;
use futures::future::join_all;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::Calendars;
use records::alerts::Alert;
use records::notices::{self, EXPIRED, FAILED, Message, PAGE, QUEUED, Trimmed};
use records::users::{self, User};
use records::{Records, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What the office knows of the city only by asking.
#[async_trait]
pub trait City: Send + Sync {
    /// Code of the town in which an entity or a place lies (区划代码).
    fn division_of(&self, entity_id: &str, place: Option<[f64; 2]>) -> Option<String>;
    /// What a state of a workflow is called, in Chinese and English.
    fn state_title(&self, workflow: &str, state: &str) -> Option<(String, String)>;
    /// Whether a person may see what an event tells.
    async fn may_see(&self, user: &User, event: &Event, now: Timestamp) -> bool;
    /// What a rule says of doubt about its alerts; none for most rules.
    fn doubting(&self, alert_rule: &str) -> Option<Doubting>;
    /// Whom an alert affects now, all of it; empty for most alerts.
    fn affected(&self, alert: &Alert) -> Vec<Affected>;
    /// Of that, what a person may see.
    async fn seen(&self, user: &User, affected: Vec<Affected>, now: Timestamp) -> Vec<Affected>;
    /// The response plans that what is happening suggests, as events of the kind `duty.plan-suggested`, the same key as long as
    /// it is for the same.
    async fn suggested(&self, now: Timestamp) -> Vec<Event>;
    /// The words of the roles that do every organisation's duty.
    fn roles_of_every_duty(&self) -> Vec<String>;
    /// The proven e-mail address or telephone number of a person.
    async fn address(&self, user_id: i64, kind: &str) -> Option<String>;
    /// Where a person takes note of a message.
    fn link(&self, message: &Message, event: &Event) -> Option<String>;
}

/// A channel of the settings.
#[derive(Clone)]
pub struct Channel {
    /// Whoever sends.
    pub sender: Arc<dyn Sender>,
    /// How often and when it is tried again.
    pub retry: Retry,
    /// That nobody is flooded.
    pub limits: Limits,
}

/// What can be set of the office.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most messages of a channel that are taken up together.
    pub batch_max: u32,
    /// A message that was taken up and of which nothing was heard is tried again after this long, seconds: a crash costs that.
    pub lease_seconds: i64,
    /// A message whose channel the settings do not have is looked at again after this long, seconds.
    pub absent_seconds: i64,
    /// What was told is kept for this long, seconds; `None`: for ever.
    pub keep_seconds: Option<i64>,
    /// Most rows that one pass of [`Office::trim`] takes away.
    pub trim_rows_max: u32,
    /// Time between two looks at whom alerts that are up have come to reach, and at the plans that are suggested, seconds.
    pub reach_seconds: i64,
    /// Most alerts that are up that such a look takes, the newest.
    pub reach_alerts_max: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_max: 200,
            lease_seconds: 300,
            absent_seconds: 300,
            keep_seconds: None,
            trim_rows_max: 5_000,
            reach_seconds: 5,
            reach_alerts_max: 5_000,
        }
    }
}

/// What a round of sending did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Taken by their gateways.
    pub sent: u64,
    /// To be tried again.
    pub later: u64,
    /// Given up.
    pub given_up: u64,
}

/// A message that was taken up.
pub struct Job {
    message: Message,
    ready: std::result::Result<(Arc<dyn Sender>, Outgoing), NotSent>,
}

/// The office.
pub struct Office {
    pub(crate) records: Records,
    pub(crate) city: Arc<dyn City>,
    pub(crate) calendars: Calendars,
    pub(crate) zone: TimeZone,
    channels: BTreeMap<String, Channel>,
    pub(crate) options: Options,
    pub(crate) looks: Mutex<Looks>,
}

impl Office {
    /// Over the records of a city.
    pub fn new(
        records: Records,
        city: Arc<dyn City>,
        (calendars, zone): (Calendars, TimeZone),
        channels: BTreeMap<String, Channel>,
        options: Options,
    ) -> Self {
        Self {
            records,
            city,
            calendars,
            zone,
            channels,
            options,
            looks: Mutex::default(),
        }
    }

    /// The ids of the channels, the pages first.
    pub fn channel_ids(&self) -> Vec<&str> {
        let ids = self.channels.keys().map(String::as_str);
        std::iter::once(PAGE).chain(ids).collect()
    }

    /// What a channel reaches; `None` for the pages and one that there is not.
    pub fn reach(&self, channel: &str) -> Option<Reach> {
        Some(self.channels.get(channel)?.sender.reach())
    }

    /// Who sends over a channel.
    pub fn sender(&self, channel: &str) -> Option<Arc<dyn Sender>> {
        Some(Arc::clone(&self.channels.get(channel)?.sender))
    }

    /// The first channel that reaches people so.
    pub fn channel_for(&self, reach: Reach) -> Option<&str> {
        let mut all = self.channels.iter();
        let (id, _) = all.find(|(_, channel)| channel.sender.reach() == reach)?;
        Some(id)
    }

    /// What is wrong with a rule.
    pub fn check(&self, rule: &Rule) -> Vec<model::Problem> {
        rule.check(&self.channel_ids(), &self.calendars)
    }

    pub(crate) fn is_system(&self, channel: &str) -> bool {
        self.reach(channel) == Some(Reach::System)
    }

    /// Who would be told of an event by a rule: of each level the people, with whether they may see it.
    ///
    /// # Errors
    /// The records' own.
    pub async fn preview(
        &self,
        rule: &Rule,
        event: &Event,
        now: Timestamp,
    ) -> Result<Vec<Vec<(User, bool)>>> {
        let mut levels = Vec::new();
        let mut read = self.records.read().await?;
        for level in &rule.levels {
            let mut told = Vec::new();
            for user in crate::people::of_level(&mut read, level, event, now).await? {
                let sees = self.city.may_see(&user, event, now).await;
                told.push((user, sees));
            }
            levels.push(told);
        }
        Ok(levels)
    }

    /// Sends what is due, every channel beside the others. `clock` tells the time after each sending, `draw` scatters attempts.
    ///
    /// # Errors
    /// The records' own; what was sent and could not be noted is sent again.
    pub async fn deliver(
        &self,
        now: Timestamp,
        clock: &(dyn Fn() -> Timestamp + Sync),
        draw: &(dyn Fn() -> f64 + Sync),
    ) -> Result<Report> {
        let mut read = self.records.read().await?;
        let waiting = notices::waiting_channels(&mut read).await?;
        drop(read);
        let rounds = waiting.iter().map(|channel| async move {
            let mut report = Report::default();
            for job in self.take(channel, now).await? {
                let answer = self.send(&job).await;
                let noted = self.note(&job, answer, clock(), draw()).await?;
                report.sent += noted.sent;
                report.later += noted.later;
                report.given_up += noted.given_up;
            }
            Ok::<Report, records::Failure>(report)
        });
        let mut report = Report::default();
        for round in join_all(rounds).await {
            let round = round?;
            report.sent += round.sent;
            report.later += round.later;
            report.given_up += round.given_up;
        }
        Ok(report)
    }

    /// Takes away what was told longer ago than it is kept, in one pass; whether there may be more. What is unfinished stays,
    /// however old it is: see [`notices::trim`].
    ///
    /// # Errors
    /// The records' own; nothing was taken away then.
    pub async fn trim(&self, now: Timestamp) -> Result<(Trimmed, bool)> {
        let Some(keep_seconds) = self.options.keep_seconds else {
            return Ok((Trimmed::default(), false));
        };
        let before = now.plus_seconds(keep_seconds.saturating_neg());
        let mut write = self.records.write().await?;
        let trimmed = notices::trim(&mut write, before, self.options.trim_rows_max).await?;
        write.commit().await?;
        let is_full = trimmed.rows() >= u64::from(self.options.trim_rows_max);
        Ok((trimmed, is_full))
    }

    /// Takes up what is due of a channel: decides what is sent, what is told within another, what waits, what is too late.
    ///
    /// # Errors
    /// The records' own; nothing was taken up then.
    pub async fn take(&self, channel: &str, now: Timestamp) -> Result<Vec<Job>> {
        let mut read = self.records.read().await?;
        let is_none = notices::due(&mut read, channel, now, 1).await?.is_empty();
        drop(read);
        if is_none {
            return Ok(Vec::new());
        }
        let mut write = self.records.write().await?;
        let found = notices::due(&mut write, channel, now, self.options.batch_max).await?;
        let known = self.channels.get(channel);
        let mut due = Vec::new();
        for message in found {
            if message.expires_at <= now {
                let why = message
                    .error
                    .as_deref()
                    .unwrap_or("its time was over before it could be sent");
                notices::not_sent(&mut write, message.id, EXPIRED, now, why).await?;
                notices::give_up_folded(&mut write, message.id, why).await?;
            } else if known.is_none() {
                let again = now.plus_seconds(self.options.absent_seconds);
                let why = "the settings have no such channel";
                notices::not_sent(&mut write, message.id, QUEUED, again, why).await?;
            } else {
                due.push(message);
            }
        }
        let mut jobs = Vec::new();
        if let Some(channel_of) = known {
            let limits = &channel_of.limits;
            let minute = now.plus_seconds(-60);
            let sent = notices::sent_since(&mut write, channel, None, minute).await?;
            let mut sent_to = BTreeMap::new();
            let since = now.plus_seconds(-limits.person_seconds);
            for user in due
                .iter()
                .filter_map(|m| m.user_id)
                .collect::<BTreeSet<_>>()
            {
                let had = notices::sent_since(&mut write, channel, Some(user), since).await?;
                sent_to.insert(user, had);
            }
            let lease = now.plus_seconds(self.options.lease_seconds);
            let of = |id: i64| due.iter().find(|message| message.id == id);
            for step in flood::decide(&due, sent, &sent_to, limits, now) {
                match step {
                    Step::Wait { id, until } => notices::put_off(&mut write, id, until).await?,
                    Step::Send { id, fold } => {
                        let Some(message) = of(id) else { continue };
                        if notices::take_up(&mut write, message, lease).await? {
                            for other in fold {
                                notices::fold(&mut write, other, id).await?;
                            }
                            jobs.push(message.clone());
                        }
                    }
                }
            }
        }
        write.commit().await?;
        let mut ready = Vec::new();
        for message in jobs {
            let made = match known {
                Some(channel) => self.ready(channel, &message, now).await?,
                None => continue,
            };
            ready.push(Job {
                message,
                ready: made,
            });
        }
        Ok(ready)
    }

    async fn ready(
        &self,
        channel: &Channel,
        message: &Message,
        now: Timestamp,
    ) -> Result<std::result::Result<(Arc<dyn Sender>, Outgoing), NotSent>> {
        let mut read = self.records.read().await?;
        let row = notices::event(&mut read, message.event_id).await?;
        let event: Option<Event> = row.and_then(|row| serde_json::from_value(row.document).ok());
        let doubt = match &event {
            Some(event) => {
                let rule = event.alert_rule.as_deref();
                let says = rule.and_then(|rule| self.city.doubting(rule));
                doubt::of_event(&mut read, event, says).await?
            }
            None => None,
        };
        let more = notices::folded(&mut read, message.id, text::TITLES_MAX).await?;
        let reader = match message.user_id {
            Some(id) => users::get(&mut read, id).await?,
            None => None,
        };
        drop(read);
        let Some(mut event) = event else {
            return Ok(Err(NotSent::Never("its event does not read".to_owned())));
        };
        // No such message is planned; one that is here all the same goes nowhere.
        if event.drill {
            return Ok(Err(NotSent::Never(
                "it belongs to a drill (演练)".to_owned(),
            )));
        }
        let to = match (channel.sender.reach().contact(), message.user_id) {
            (None, _) | (_, None) => None,
            (Some(kind), Some(user)) => match self.city.address(user, kind).await {
                Some(to) => Some(to),
                None => {
                    let why = format!("its person has no proven contact of the kind {kind}");
                    return Ok(Err(NotSent::Never(why)));
                }
            },
        };
        if let Some(reader) = &reader
            && !event.affected.is_empty()
        {
            let all = std::mem::take(&mut event.affected);
            event.affected = self.city.seen(reader, all, now).await;
        }
        event.doubt = doubt;
        let link = self.city.link(message, &event);
        let said = text::compose(
            &event,
            message.user_id,
            |at| self.shown(at),
            (more.0, &more.1),
            link.as_deref(),
        );
        // Who answers for what is the city's own matter.
        let places = event.affected.iter_mut().flat_map(|of| &mut of.reached);
        places.for_each(|place| place.people.clear());
        let outgoing = Outgoing {
            key: message.key.clone(),
            to,
            subject: said.subject,
            body: said.body,
            short: said.short,
            event: serde_json::json!(event),
            more: more.0,
        };
        Ok(Ok((Arc::clone(&channel.sender), outgoing)))
    }

    fn shown(&self, at: Timestamp) -> String {
        let Ok(at) = jiff::Timestamp::from_microsecond(at.micros()) else {
            return at.to_string();
        };
        self.zone
            .to_datetime(at)
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    }

    /// Sends a message that was taken up. Writes nothing.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, job: &Job) -> std::result::Result<Taken, NotSent> {
        match &job.ready {
            Ok((sender, outgoing)) => sender.send(outgoing).await,
            Err(why) => Err(why.clone()),
        }
    }

    /// Notes what became of it.
    ///
    /// # Errors
    /// The records' own; then it is sent again after the lease.
    pub async fn note(
        &self,
        job: &Job,
        answer: std::result::Result<Taken, NotSent>,
        now: Timestamp,
        draw: f64,
    ) -> Result<Report> {
        let (id, attempts) = (job.message.id, job.message.attempts + 1);
        let retry = self
            .channels
            .get(&job.message.channel)
            .map_or_else(Retry::default, |channel| channel.retry);
        let mut report = Report::default();
        let mut write = self.records.write().await?;
        match answer {
            Ok(taken) => {
                let noted =
                    notices::sent(&mut write, id, taken.provider_id.as_deref(), now).await?;
                report.sent = u64::from(noted);
            }
            Err(NotSent::Later(why)) => match retry.after(attempts, draw) {
                Some(seconds) => {
                    let at = now.plus_seconds(seconds);
                    notices::not_sent(&mut write, id, QUEUED, at, &why).await?;
                    report.later = 1;
                }
                None => {
                    let why = format!("given up after {attempts} attempts: {why}");
                    notices::not_sent(&mut write, id, FAILED, now, &why).await?;
                    notices::give_up_folded(&mut write, id, &why).await?;
                    report.given_up = 1;
                }
            },
            Err(NotSent::Never(why)) => {
                notices::not_sent(&mut write, id, FAILED, now, &why).await?;
                notices::give_up_folded(&mut write, id, &why).await?;
                report.given_up = 1;
            }
        }
        write.commit().await?;
        Ok(report)
    }
}
