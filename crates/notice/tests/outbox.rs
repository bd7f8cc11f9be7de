//! The outbox over real records: nothing that happened is lost, nothing is noted as sent twice, whatever fails and wherever the
//! process dies; people who do not answer are passed over for the next.

use async_trait::async_trait;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::Calendars;
use notice::office::Channel;
use notice::retry::Retry;
use notice::{
    Affected, City, Doubting, Event, Level, NotSent, Office, Options, Outgoing, Reach, Rule,
    Sender, Taken, Target,
};
use parking_lot::Mutex;
use proptest::prelude::*;
use records::alerts::{self, Alert};
use records::duty::{Pattern, Turn};
use records::duty_acts::{self, Activation};
use records::notices::{self, MessageFilter, PAGE};
use records::organisations::{self, Organisation};
use records::users::{self, NewUser, User};
use records::{Actor, PageRequest, Records, Secret};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Town;

#[async_trait]
impl City for Town {
    fn division_of(&self, _: &str, _: Option<[f64; 2]>) -> Option<String> {
        None
    }
    fn state_title(&self, _: &str, _: &str) -> Option<(String, String)> {
        None
    }
    async fn may_see(&self, user: &User, _: &Event, _: Timestamp) -> bool {
        user.username != "blind"
    }
    fn doubting(&self, _: &str) -> Option<Doubting> {
        None
    }
    fn affected(&self, _: &Alert) -> Vec<Affected> {
        Vec::new()
    }
    async fn seen(&self, _: &User, affected: Vec<Affected>, _: Timestamp) -> Vec<Affected> {
        affected
    }
    async fn suggested(&self, _: Timestamp) -> Vec<Event> {
        Vec::new()
    }
    fn roles_of_every_duty(&self) -> Vec<String> {
        vec!["duty".to_owned()]
    }
    async fn address(&self, user_id: i64, _: &str) -> Option<String> {
        Some(format!("1380000{user_id:04}"))
    }
    fn link(&self, _: &notices::Message, _: &Event) -> Option<String> {
        None
    }
}

/// A gateway that answers as it is told, in turn, and then takes everything.
#[derive(Default)]
struct Gateway {
    answers: Mutex<Vec<Result<Taken, NotSent>>>,
    taken: Mutex<Vec<Outgoing>>,
}

#[async_trait]
impl Sender for Gateway {
    fn reach(&self) -> Reach {
        Reach::Phone
    }
    async fn send(&self, message: &Outgoing) -> Result<Taken, NotSent> {
        let answer = self
            .answers
            .lock()
            .pop()
            .unwrap_or_else(|| Ok(Taken::default()));
        if answer.is_ok() {
            self.taken.lock().push(message.clone());
        }
        answer
    }
}

struct Place {
    records: Records,
    gateway: Arc<Gateway>,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(&folder.path().join("records.sqlite"))
            .await
            .unwrap();
        let place = Self {
            records,
            gateway: Arc::default(),
            _folder: folder,
        };
        for username in ["wang", "li", "blind"] {
            let new = NewUser {
                username: username.to_owned(),
                name: username.to_owned(),
                role: if username == "li" { "viewer" } else { "duty" }.to_owned(),
                organisation_id: None,
                password_hash: Secret::new("x".to_owned()),
            };
            let mut write = place.records.write().await.unwrap();
            users::insert(&mut write, &new, T0).await.unwrap().unwrap();
            write.commit().await.unwrap();
        }
        place
    }

    /// An office as after a start.
    fn office(&self) -> Office {
        self.office_with(Options::default())
    }

    fn office_with(&self, options: Options) -> Office {
        let channel = Channel {
            sender: self.gateway.clone(),
            retry: Retry {
                first_seconds: 10,
                seconds_max: 60,
                attempts_max: 3,
            },
            limits: notice::flood::Limits {
                per_minute_max: 1_000,
                per_person_max: 1_000,
                fold_above: 1_000,
                ..Default::default()
            },
        };
        let times = (Calendars::default(), TimeZone::UTC);
        let channels = BTreeMap::from([("sms".to_owned(), channel)]);
        Office::new(
            self.records.clone(),
            Arc::new(Town),
            times,
            channels,
            options,
        )
    }

    /// The events among the first ones that are still there.
    async fn events(&self) -> Vec<i64> {
        let mut read = self.records.read().await.unwrap();
        let mut found = Vec::new();
        for id in 1..10 {
            found.extend(notices::event(&mut read, id).await.unwrap().map(|e| e.id));
        }
        found
    }

    async fn rule(&self, levels: Vec<Level>) {
        let rule = Rule {
            id: "r".to_owned(),
            title_zh: "规则".to_owned(),
            title_en: "Rule".to_owned(),
            enabled: true,
            on: vec!["alert.raised".to_owned()],
            levels,
            ..Rule::default()
        };
        assert_eq!(self.office().check(&rule), []);
        let mut write = self.records.write().await.unwrap();
        notices::put_rule(&mut write, "r", &json!(rule), "test", T0)
            .await
            .unwrap();
        write.commit().await.unwrap();
    }

    async fn alert(&self, n: i64) -> Alert {
        let new = Alert {
            id: 0,
            rule_id: "high".to_owned(),
            rule_version: 1,
            entity_id: format!("urn:ngsi-ld:WaterObserved:{n}"),
            entity_type: "WaterObserved".to_owned(),
            entity_name: None,
            attribute: "waterLevel".to_owned(),
            value: Some(3.0),
            unit: None,
            threshold: None,
            severity: "major".to_owned(),
            title_zh: "水位高".to_owned(),
            title_en: "High water".to_owned(),
            lon: None,
            lat: None,
            observed_at: T0,
            raised_at: T0,
            raised_position: n,
            cleared_at: None,
            cleared_position: None,
            acknowledged_at: None,
            acknowledged_by: None,
            case_id: None,
            decided: json!([]),
        };
        let mut write = self.records.write().await.unwrap();
        let alert = alerts::insert(&mut write, &new).await.unwrap().unwrap();
        write.commit().await.unwrap();
        alert
    }

    async fn messages(&self, channel: &str) -> Vec<notices::Message> {
        let filter = MessageFilter {
            channel: Some(channel.to_owned()),
            ..MessageFilter::default()
        };
        let page = PageRequest {
            after: None,
            limit: Some(500),
        };
        let mut read = self.records.read().await.unwrap();
        notices::messages(&mut read, &filter, &page)
            .await
            .unwrap()
            .items
    }
}

fn duty(answer_minutes: i64) -> Level {
    Level {
        to: vec![Target::Role("duty".to_owned())],
        channels: vec![PAGE.to_owned(), "sms".to_owned()],
        answer_minutes,
        ..Level::default()
    }
}

fn chief() -> Level {
    Level {
        to: vec![Target::Role("viewer".to_owned())],
        channels: vec!["sms".to_owned()],
        ..Level::default()
    }
}

#[tokio::test]
async fn who_may_see_it_is_told_once_however_often_it_is_read() {
    let place = Place::new().await;
    place.rule(vec![duty(0)]).await;
    place.alert(1).await;
    let told = place.office().fold(T0).await.unwrap();
    assert_eq!(told, BTreeSet::from([1]), "one of two may see it");
    assert_eq!(place.office().fold(T0).await.unwrap(), BTreeSet::new());
    let office = place.office();
    let report = office.deliver(T0, &|| T0, &|| 0.5).await.unwrap();
    assert_eq!(report.sent, 1);
    assert_eq!(
        office
            .deliver(T0.plus_seconds(1_000), &|| T0, &|| 0.5)
            .await
            .unwrap()
            .sent,
        0
    );
    let taken = place.gateway.taken.lock().clone();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to.as_deref(), Some("13800000001"));
    assert_eq!(place.messages(PAGE).await.len(), 1);
}

#[tokio::test]
async fn what_fails_is_tried_again_given_up_and_sent_once_more_by_hand() {
    let place = Place::new().await;
    place.rule(vec![duty(0)]).await;
    place.alert(1).await;
    let office = place.office();
    office.fold(T0).await.unwrap();
    let later = || Err(NotSent::Later("busy".to_owned()));
    *place.gateway.answers.lock() = vec![later(), later(), later()];
    let mut now = T0;
    let mut reports = Vec::new();
    for _ in 0..4 {
        let clock = move || now;
        reports.push(office.deliver(now, &clock, &|| 1.0).await.unwrap());
        now = now.plus_seconds(30);
    }
    let later: u64 = reports.iter().map(|r| r.later).sum();
    let given_up: u64 = reports.iter().map(|r| r.given_up).sum();
    assert_eq!((later, given_up), (2, 1));
    let message = &place.messages("sms").await[0];
    assert_eq!(message.state, notices::FAILED);
    assert!(
        message
            .error
            .as_deref()
            .unwrap()
            .contains("3 attempts: busy")
    );
    let mut write = place.records.write().await.unwrap();
    let until = now.plus_seconds(100);
    assert!(
        notices::retry(&mut write, message.id, until, now)
            .await
            .unwrap()
    );
    write.commit().await.unwrap();
    let clock = move || now;
    assert_eq!(office.deliver(now, &clock, &|| 1.0).await.unwrap().sent, 1);
}

#[tokio::test]
async fn when_nobody_answers_the_next_level_is_told_and_who_answers_ends_it() {
    let place = Place::new().await;
    place.rule(vec![duty(10), chief()]).await;
    let first = place.alert(1).await;
    place.alert(2).await;
    place.alert(3).await;
    let office = place.office();
    office.fold(T0).await.unwrap();
    office.deliver(T0, &|| T0, &|| 0.5).await.unwrap();
    office.escalate(T0.plus_seconds(599)).await.unwrap();
    assert!(place.messages("sms").await.iter().all(|m| m.level == 0));
    // One alert is taken note of as an alert, one as a notice; nobody looks at the third.
    let mut write = place.records.write().await.unwrap();
    alerts::acknowledge(&mut write, first.id, "wang", T0)
        .await
        .unwrap();
    let shown = place_message(&mut write, 2).await;
    assert_eq!(
        notices::read(&mut write, shown, 1, T0).await.unwrap(),
        2,
        "pages and SMS at once"
    );
    write.commit().await.unwrap();
    for _ in 0..2 {
        office.escalate(T0.plus_seconds(600)).await.unwrap();
    }
    let messages = place.messages("sms").await;
    let escalated: Vec<_> = messages.iter().filter(|m| m.level == 1).collect();
    assert_eq!(escalated.len(), 1);
    assert_eq!((escalated[0].event_id, escalated[0].user_id), (3, Some(2)));
}

async fn place_message(connection: &mut records::Connection, event_id: i64) -> i64 {
    let filter = MessageFilter {
        channel: Some(PAGE.to_owned()),
        ..MessageFilter::default()
    };
    let page = PageRequest::default();
    let all = notices::messages(connection, &filter, &page)
        .await
        .unwrap()
        .items;
    all.iter().find(|m| m.event_id == event_id).unwrap().id
}

#[tokio::test]
async fn who_took_note_before_it_was_sent_is_not_told_again_elsewhere() {
    let place = Place::new().await;
    place.rule(vec![duty(0)]).await;
    place.alert(1).await;
    let office = place.office();
    office.fold(T0).await.unwrap();
    let mut write = place.records.write().await.unwrap();
    let shown = place_message(&mut write, 1).await;
    notices::read(&mut write, shown, 1, T0).await.unwrap();
    write.commit().await.unwrap();
    office.deliver(T0, &|| T0, &|| 0.5).await.unwrap();
    assert_eq!(place.gateway.taken.lock().len(), 0);
    assert_eq!(place.messages("sms").await[0].state, notices::READ);
}

#[tokio::test]
async fn a_channel_that_is_gone_loses_nothing_until_its_time_is_over() {
    let place = Place::new().await;
    place.rule(vec![duty(0)]).await;
    place.alert(1).await;
    place.office().fold(T0).await.unwrap();
    let times = (Calendars::default(), TimeZone::UTC);
    let bare = Office::new(
        place.records.clone(),
        Arc::new(Town),
        times,
        BTreeMap::new(),
        Options::default(),
    );
    assert!(bare.take("sms", T0).await.unwrap().is_empty());
    let message = &place.messages("sms").await[0];
    assert_eq!(message.state, notices::QUEUED);
    assert!(
        message
            .error
            .as_deref()
            .unwrap()
            .contains("no such channel")
    );
    let office = place.office();
    let after = T0.plus_seconds(2 * 86_400);
    assert!(office.take("sms", after).await.unwrap().is_empty());
    assert_eq!(place.messages("sms").await[0].state, notices::EXPIRED);
}

#[tokio::test]
async fn what_was_told_long_ago_goes_in_passes_and_what_is_unfinished_stays() {
    const DAY: i64 = 86_400;
    let place = Place::new().await;
    place.rule(vec![duty(10), chief()]).await;
    for n in 1..=4 {
        place.alert(n).await;
    }
    let office = place.office_with(Options {
        keep_seconds: Some(30 * DAY),
        trim_rows_max: 2,
        ..Options::default()
    });
    office.fold(T0).await.unwrap();
    // Each is on the page, goes by SMS, and has a level that waits. The first two are sent; the third waits for its gateway, and
    // the fourth is told within it.
    let jobs = office.take("sms", T0).await.unwrap();
    for job in &jobs[..2] {
        let answer = office.send(job).await;
        office.note(job, answer, T0, 0.5).await.unwrap();
    }
    let sms: BTreeMap<i64, i64> = (place.messages("sms").await.iter())
        .map(|m| (m.event_id, m.id))
        .collect();
    let mut write = place.records.write().await.unwrap();
    notices::fold(&mut write, sms[&4], sms[&3]).await.unwrap();
    for watch in [1, 3, 4] {
        notices::end_watch(&mut write, watch, "answered", T0)
            .await
            .unwrap();
    }
    write.commit().await.unwrap();

    let pass = async |now: Timestamp| {
        let (taken, is_full) = office.trim(now).await.unwrap();
        (taken.messages, taken.watches, taken.events, is_full)
    };
    let kept_for = |days: i64| T0.plus_seconds(days * DAY);
    assert_eq!(pass(kept_for(30)).await, (0, 0, 0, false), "not yet");
    // The first alone is finished: two messages, its level, itself; two rows a pass.
    assert_eq!(pass(kept_for(31)).await, (2, 0, 0, true));
    assert_eq!(pass(kept_for(31)).await, (0, 1, 1, true));
    assert_eq!(pass(kept_for(31)).await, (0, 0, 0, false));
    assert_eq!(place.events().await, [2, 3, 4]);
    // What is gone is not planned anew.
    assert!(office.fold(kept_for(31)).await.unwrap().is_empty());
    assert_eq!(place.events().await, [2, 3, 4]);

    // The level of the second is answered late: from then on it is kept as long as any other.
    let mut write = place.records.write().await.unwrap();
    notices::end_watch(&mut write, 2, "answered", kept_for(31))
        .await
        .unwrap();
    write.commit().await.unwrap();
    assert_eq!(pass(kept_for(61)).await, (0, 0, 0, false));
    // The third is given up, and what was told within it with it.
    assert!(office.take("sms", kept_for(61)).await.unwrap().is_empty());
    while pass(kept_for(62)).await.3 {}
    assert_eq!(place.events().await, [] as [i64; 0]);
    assert!(place.messages(PAGE).await.is_empty() && place.messages("sms").await.is_empty());

    // A city that keeps everything.
    place.alert(5).await;
    let office = place.office();
    office.fold(T0).await.unwrap();
    let (taken, is_full) = office.trim(kept_for(10_000)).await.unwrap();
    assert_eq!((taken.rows(), is_full), (0, false));
}

/// What happens to a round of sending.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// All goes well.
    Well,
    /// The gateway says "later".
    Busy,
    /// The process dies when the messages were taken up and before one was sent.
    DiesBeforeSending,
    /// It dies when they were sent and before that was noted.
    DiesBeforeNoting,
    /// It dies when the first was noted.
    DiesBetween,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    use Fate::{Busy, DiesBeforeNoting, DiesBeforeSending, DiesBetween, Well};
    let one = prop::sample::select(vec![
        Well,
        Busy,
        DiesBeforeSending,
        DiesBeforeNoting,
        DiesBetween,
    ]);
    prop::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_and_nothing_noted_as_sent_twice(fates in fates(), alerts in 1_i64..5) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new().await;
            place.rule(vec![duty(0)]).await;
            let mut now = T0;
            let mut noted = 0;
            for n in 0..alerts {
                place.alert(n).await;
            }
            for fate in fates.into_iter().chain([Fate::Well, Fate::Well, Fate::Well]) {
                // Each round is another process on the same records.
                let office = place.office();
                office.fold(now).await.unwrap();
                let jobs = office.take("sms", now).await.unwrap();
                let busy = matches!(fate, Fate::Busy);
                for job in &jobs {
                    if matches!(fate, Fate::DiesBeforeSending) {
                        break;
                    }
                    let answer = match busy {
                        true => Err(NotSent::Later("busy".to_owned())),
                        false => office.send(job).await,
                    };
                    if matches!(fate, Fate::DiesBeforeNoting) {
                        continue;
                    }
                    noted += office.note(job, answer, now, 0.5).await.unwrap().sent;
                    if matches!(fate, Fate::DiesBetween) {
                        break;
                    }
                }
                now = now.plus_seconds(301);
            }
            let messages = place.messages("sms").await;
            prop_assert_eq!(messages.len(), usize::try_from(alerts).unwrap(), "one of each alert");
            let sent = messages.iter().filter(|m| m.state == notices::SENT).count();
            let failed = messages.iter().filter(|m| m.state == notices::FAILED).count();
            prop_assert_eq!(sent + failed, messages.len(), "each was sent or given up, with why");
            prop_assert_eq!(noted, sent as u64, "each was noted as sent once");
            let taken = place.gateway.taken.lock();
            let keys: BTreeSet<&str> = taken.iter().map(|o| o.key.as_str()).collect();
            for message in messages.iter().filter(|m| m.state == notices::SENT) {
                prop_assert!(keys.contains(message.key.as_str()), "noted as sent, so its gateway has it");
            }
            prop_assert!(keys.len() <= messages.len(), "what came twice has one key");
            Ok(())
        })?;
    }
}

impl Place {
    /// An organisation whose people are `wang` (1) and `li` (2).
    async fn organisation(&self) {
        let mut write = self.records.write().await.unwrap();
        let centre = Organisation::department("centre", "指挥中心", "Centre");
        organisations::upsert(&mut write, &centre).await.unwrap();
        for id in [1, 2] {
            let user = users::get(&mut write, id).await.unwrap().unwrap();
            let user = User {
                organisation_id: Some("centre".to_owned()),
                ..user
            };
            users::update(&mut write, &user).await.unwrap().unwrap();
        }
        write.commit().await.unwrap();
    }

    /// `user_id` is on duty from `from` for eight hours.
    async fn turn(&self, user_id: i64, from: Timestamp) {
        let mut write = self.records.write().await.unwrap();
        let pattern = Pattern {
            id: 0,
            organisation_id: "centre".to_owned(),
            title_zh: "白班".to_owned(),
            title_en: "Day".to_owned(),
            from_minute: 480,
            until_minute: 960,
            disabled: false,
        };
        let pattern = records::duty::add_pattern(&mut write, &pattern)
            .await
            .unwrap();
        let turn = Turn {
            id: 0,
            organisation_id: "centre".to_owned(),
            pattern_id: pattern.id,
            day: "2027-01-15".to_owned(),
            post: "值班员".to_owned(),
            user_id,
            from_at: from,
            until_at: from.plus_seconds(8 * 3_600),
            made_at: T0,
            made_by: "test".to_owned(),
        };
        let made = records::duty::add_turn(&mut write, &turn).await.unwrap();
        assert!(made.is_some());
        write.commit().await.unwrap();
    }

    async fn rule_on(&self, id: &str, on: &str, levels: Vec<Level>) {
        let rule = Rule {
            id: id.to_owned(),
            title_zh: "规则".to_owned(),
            title_en: "Rule".to_owned(),
            enabled: true,
            on: vec![on.to_owned()],
            levels,
            ..Rule::default()
        };
        assert_eq!(self.office().check(&rule), []);
        let mut write = self.records.write().await.unwrap();
        notices::put_rule(&mut write, id, &json!(rule), "test", T0)
            .await
            .unwrap();
        write.commit().await.unwrap();
    }

    async fn activation(&self, drill: bool) -> Activation {
        let new = Activation {
            id: 0,
            plan_id: "flood".to_owned(),
            plan_version: 1,
            plan: json!({"title_zh": "防汛预案", "title_en": "Flood"}),
            organisation_id: "centre".to_owned(),
            alert_id: None,
            case_id: None,
            severity: "critical".to_owned(),
            drill,
            started_at: T0,
            started_by: "test".to_owned(),
            started_by_id: None,
            ended_at: None,
            ended_by: None,
            summary: None,
        };
        let mut write = self.records.write().await.unwrap();
        let row = duty_acts::add_activation(&mut write, &new).await.unwrap();
        write.commit().await.unwrap();
        row
    }

    /// The events that were told, and whom on the pages.
    async fn on_pages(&self) -> Vec<(i64, String)> {
        let mut told = Vec::new();
        for message in self.messages(PAGE).await {
            let mut read = self.records.read().await.unwrap();
            let event = notices::event(&mut read, message.event_id).await.unwrap();
            told.push((message.user_id.unwrap(), event.unwrap().title_zh));
        }
        told.sort();
        told
    }
}

fn organisation(channels: &[&str]) -> Level {
    Level {
        to: vec![Target::Organisation("centre".to_owned())],
        channels: channels.iter().map(|&c| c.to_owned()).collect(),
        answer_minutes: 5,
        ..Level::default()
    }
}

#[tokio::test]
async fn on_duty_is_whom_the_roster_names_and_without_one_then_the_organisations_people() {
    let place = Place::new().await;
    place.organisation().await;
    place.rule(vec![organisation(&[PAGE])]).await;
    let told = |n: i64, now: Timestamp| {
        let place = &place;
        async move {
            place.alert(n).await;
            place.office().fold(now).await.unwrap()
        }
    };
    assert_eq!(told(1, T0).await, BTreeSet::from([1, 2]), "no roster yet");
    place.turn(2, T0.plus_seconds(100)).await;
    assert_eq!(
        told(2, T0).await,
        BTreeSet::from([1, 2]),
        "it has not begun"
    );
    let during = T0.plus_seconds(100);
    assert_eq!(
        told(3, during).await,
        BTreeSet::from([2]),
        "its first moment"
    );
    let end = during.plus_seconds(8 * 3_600);
    assert_eq!(told(4, end.plus_micros(-1)).await, BTreeSet::from([2]));
    assert_eq!(told(5, end).await, BTreeSet::from([1, 2]), "it is over");
}

#[tokio::test]
async fn turns_of_who_left_are_told_with_whose_duty_it_is() {
    let place = Place::new().await;
    place.organisation().await;
    let mut write = place.records.write().await.unwrap();
    let water = Organisation::department("water", "水利局", "Water");
    organisations::upsert(&mut write, &water).await.unwrap();
    write.commit().await.unwrap();
    let rest = vec![Level {
        to: vec![Target::Responsible],
        channels: vec![PAGE.to_owned()],
        ..Level::default()
    }];
    place.rule_on("open", "duty.turns-open", rest).await;
    place.turn(2, T0.plus_seconds(3_600)).await;
    let act = async |changed: &User| {
        let mut write = place.records.write().await.unwrap();
        users::update(&mut write, changed).await.unwrap().unwrap();
        let target = format!("user:{}", changed.id);
        let detail = json!({"name": changed.name, "role": changed.role, "organisation_id": changed.organisation_id,
            "disabled": changed.disabled});
        let (actor, event) = (Actor::command_line(), records::Event::UserChange);
        records::audit::insert(&mut write, T0, &actor, event, &target, &detail)
            .await
            .unwrap();
        write.commit().await.unwrap();
        place.office().fold(T0).await.unwrap()
    };
    let mut read = place.records.read().await.unwrap();
    let li = users::get(&mut read, 2).await.unwrap().unwrap();
    drop(read);
    assert_eq!(act(&li).await, BTreeSet::new(), "a new name alone");
    let moved = User {
        organisation_id: Some("water".to_owned()),
        ..li.clone()
    };
    assert_eq!(
        act(&moved).await,
        BTreeSet::from([1]),
        "who is of it is told"
    );
    let closed = User {
        disabled: true,
        ..li
    };
    assert_eq!(act(&closed).await, BTreeSet::from([1]));
    let told = place.on_pages().await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0]
            .1
            .starts_with("li已不在岗，1 个班次空缺：2027-01-15 值班员")
    );
}

#[tokio::test]
async fn a_drill_is_told_on_the_pages_alone_whatever_the_rule_says() {
    let place = Place::new().await;
    place.organisation().await;
    // No page is named, and nobody answers for the next level: neither may lead outside.
    let levels = vec![organisation(&["sms"]), organisation(&["sms"])];
    place.rule_on("plans", "duty.*", levels).await;
    let drill = place.activation(true).await;
    let office = place.office();
    office.fold(T0).await.unwrap();
    let later = T0.plus_seconds(600);
    office.escalate(later).await.unwrap();
    let report = office.deliver(later, &|| later, &|| 0.5).await.unwrap();
    assert_eq!(report.sent, 0);
    assert!(place.messages("sms").await.is_empty());
    let title = "【演练】启动预案：防汛预案".to_owned();
    let told = place.on_pages().await;
    assert!(
        told.contains(&(1, title.clone())) && told.contains(&(2, title)),
        "{told:?}"
    );

    // One that is in the outbox all the same is given up and not sent.
    let page = &place.messages(PAGE).await[0];
    let stray = notices::Message {
        key: "stray".to_owned(),
        channel: "sms".to_owned(),
        state: notices::QUEUED.to_owned(),
        sent_at: None,
        next_at: later,
        expires_at: later.plus_seconds(3_600),
        ..page.clone()
    };
    let mut write = place.records.write().await.unwrap();
    notices::add_message(&mut write, &stray)
        .await
        .unwrap()
        .unwrap();
    write.commit().await.unwrap();
    let report = office.deliver(later, &|| later, &|| 0.5).await.unwrap();
    assert_eq!((report.sent, report.given_up), (0, 1));
    assert!(place.gateway.taken.lock().is_empty(), "{drill:?}");

    // The same plan in earnest goes out.
    place.activation(false).await;
    office.fold(later).await.unwrap();
    let report = office.deliver(later, &|| later, &|| 0.5).await.unwrap();
    assert_eq!(report.sent, 2);
    let taken = place.gateway.taken.lock().clone();
    assert!(
        taken.iter().all(|sent| !sent.subject.contains("演练")),
        "{taken:?}"
    );
}

#[tokio::test]
async fn a_plan_is_answered_by_its_first_step() {
    let place = Place::new().await;
    place.organisation().await;
    let levels = vec![organisation(&["sms"]), chief()];
    place.rule_on("plans", "duty.plan-started", levels).await;
    let one = place.activation(false).await;
    let office = place.office();
    office.fold(T0).await.unwrap();
    let mut write = place.records.write().await.unwrap();
    let step = duty_acts::StepDone {
        activation_id: one.id,
        step_id: "verify".to_owned(),
        skipped: false,
        note: String::new(),
        at: T0,
        done_by: "wang".to_owned(),
        done_by_id: Some(1),
    };
    assert!(duty_acts::add_step(&mut write, &step).await.unwrap());
    assert!(
        !duty_acts::add_step(&mut write, &step).await.unwrap(),
        "once"
    );
    write.commit().await.unwrap();
    let before = place.messages("sms").await.len();
    office.escalate(T0.plus_seconds(600)).await.unwrap();
    assert_eq!(place.messages("sms").await.len(), before);
}
