//! Those who answer for what an alert reaches, over real records: told once for each place, by post and by organisation, with the
//! names that they may see; gaps go to those on duty; one village's officer does not answer for another.

use async_trait::async_trait;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::Calendars;
use notice::doubt::{Doubting, doubt};
use notice::event::{NOBODY_RESPONSIBLE, PLAN_SUGGESTED, REACHED};
use notice::office::Channel;
use notice::{
    Affected, City, Event, Level, NotSent, Office, Options, Outgoing, Place, Reach, Rule, Sender,
    Taken, Target,
};
use parking_lot::Mutex;
use records::alerts::{self, Alert};
use records::notices::{self, Message, MessageFilter, PAGE};
use records::organisations::{self, Organisation};
use records::posts::{self, Holder, Post};
use records::users::{self, NewUser, User};
use records::{PageRequest, Records, Secret};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DUTY: i64 = 1;
const WEST: i64 = 2;
const EAST: i64 = 3;

/// A river station's areas, each from a stage on, and the stage.
#[derive(Default)]
struct River {
    stage: Mutex<f64>,
    areas: Mutex<Vec<Place>>,
    suggested: Mutex<Vec<Event>>,
}

#[async_trait]
impl City for River {
    fn division_of(&self, _: &str, _: Option<[f64; 2]>) -> Option<String> {
        None
    }
    fn state_title(&self, _: &str, _: &str) -> Option<(String, String)> {
        None
    }
    async fn may_see(&self, user: &User, _: &Event, _: Timestamp) -> bool {
        user.username != "blind"
    }
    fn doubting(&self, alert_rule: &str) -> Option<Doubting> {
        (alert_rule == "stage").then(|| Doubting {
            by: vec!["stages".to_owned(), "recorded".to_owned()],
            zh: "特征水位互相矛盾".to_owned(),
            en: "its stages contradict each other".to_owned(),
        })
    }
    fn affected(&self, alert: &Alert) -> Vec<Affected> {
        if alert.entity_id != "urn:ngsi-ld:WaterObserved:1" {
            return Vec::new();
        }
        let stage = *self.stage.lock();
        let areas = self.areas.lock().clone();
        let (reached, next) = areas.into_iter().partition(|area| area.from <= stage);
        vec![Affected {
            entity_type: "FloodRiskArea".to_owned(),
            title_zh: "洪水风险区".to_owned(),
            title_en: "Flood risk area".to_owned(),
            value: Some(stage),
            unit: "m".to_owned(),
            reached,
            next,
            ..Affected::default()
        }]
    }
    async fn seen(&self, user: &User, mut affected: Vec<Affected>, _: Timestamp) -> Vec<Affected> {
        // Whoever is of the east sees the east alone.
        if user.id == EAST {
            for of in &mut affected {
                of.reached.retain(|place| place.id != "west");
            }
        }
        affected
    }
    async fn suggested(&self, _: Timestamp) -> Vec<Event> {
        self.suggested.lock().clone()
    }
    fn roles_of_every_duty(&self) -> Vec<String> {
        vec!["duty".to_owned()]
    }
    async fn address(&self, user_id: i64, _: &str) -> Option<String> {
        Some(user_id.to_string())
    }
    fn link(&self, _: &Message, _: &Event) -> Option<String> {
        None
    }
}

#[derive(Default)]
struct Gateway(Mutex<Vec<Outgoing>>);

#[async_trait]
impl Sender for Gateway {
    fn reach(&self) -> Reach {
        Reach::Phone
    }
    async fn send(&self, message: &Outgoing) -> Result<Taken, NotSent> {
        self.0.lock().push(message.clone());
        Ok(Taken::default())
    }
}

struct Town {
    records: Records,
    river: Arc<River>,
    gateway: Arc<Gateway>,
    _folder: tempfile::TempDir,
}

/// An alert of the river's station.
fn alert_of(rule: &str, severity: &str) -> Alert {
    Alert {
        id: 0,
        rule_id: rule.to_owned(),
        rule_version: 1,
        entity_id: "urn:ngsi-ld:WaterObserved:1".to_owned(),
        entity_type: "WaterObserved".to_owned(),
        entity_name: None,
        attribute: "waterLevel".to_owned(),
        value: Some(29.0),
        unit: None,
        threshold: None,
        severity: severity.to_owned(),
        title_zh: "水位高".to_owned(),
        title_en: "High water".to_owned(),
        lon: None,
        lat: None,
        observed_at: T0,
        raised_at: T0,
        raised_position: 1,
        cleared_at: None,
        cleared_position: None,
        acknowledged_at: None,
        acknowledged_by: None,
        case_id: None,
        decided: json!([]),
    }
}

fn area(id: &str, from: f64, post: Option<&str>, organisation: Option<&str>) -> Place {
    Place {
        id: id.to_owned(),
        name_zh: format!("{id}区"),
        name_en: id.to_owned(),
        from,
        divisions: vec![format!("{id}村")],
        post: post.map(str::to_owned),
        organisation: organisation.map(str::to_owned),
        ..Place::default()
    }
}

impl Town {
    /// Li on duty for the city; Wang holds the post of the west, Zhao is the people of the organisation of the east, and one
    /// holds the post of the north who may not see it.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(&folder.path().join("records.sqlite"))
            .await
            .unwrap();
        let mut write = records.write().await.unwrap();
        for id in ["centre", "town-west", "town-east"] {
            let row = Organisation::department(id, id, id);
            organisations::upsert(&mut write, &row).await.unwrap();
        }
        for (username, role, organisation) in [
            ("li", "duty", "centre"),
            ("wang", "viewer", "town-west"),
            ("zhao", "viewer", "town-east"),
            ("blind", "viewer", "centre"),
        ] {
            let new = NewUser {
                username: username.to_owned(),
                name: username.to_owned(),
                role: role.to_owned(),
                organisation_id: Some(organisation.to_owned()),
                password_hash: Secret::new("x".to_owned()),
            };
            users::insert(&mut write, &new, T0).await.unwrap().unwrap();
        }
        for (id, organisation, user_id) in [("west", "town-west", WEST), ("north", "centre", 4)] {
            let post = Post {
                id: id.to_owned(),
                organisation_id: organisation.to_owned(),
                title_zh: id.to_owned(),
                title_en: id.to_owned(),
                duty: String::new(),
                role: "viewer".to_owned(),
                division: None,
                disabled: false,
                created_at: T0,
            };
            posts::insert(&mut write, &post).await.unwrap();
            let holder = Holder {
                id: 0,
                post_id: id.to_owned(),
                user_id,
                from_at: T0,
                until_at: None,
                given_by: "test".to_owned(),
            };
            posts::give(&mut write, &holder).await.unwrap();
        }
        write.commit().await.unwrap();
        Self {
            records,
            river: Arc::default(),
            gateway: Arc::default(),
            _folder: folder,
        }
    }

    fn office(&self) -> Office {
        let channel = Channel {
            sender: self.gateway.clone(),
            retry: notice::retry::Retry::default(),
            limits: notice::flood::Limits::default(),
        };
        Office::new(
            self.records.clone(),
            self.river.clone(),
            (Calendars::default(), TimeZone::UTC),
            BTreeMap::from([("sms".to_owned(), channel)]),
            Options::default(),
        )
    }

    async fn rule(&self, on: &[&str], levels: Vec<Level>) {
        let rule = Rule {
            id: "r".to_owned(),
            title_zh: "规则".to_owned(),
            title_en: "Rule".to_owned(),
            enabled: true,
            on: on.iter().map(|kind| (*kind).to_owned()).collect(),
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

    async fn alert(&self, rule: &str, severity: &str) -> Alert {
        let new = alert_of(rule, severity);
        let mut write = self.records.write().await.unwrap();
        let alert = alerts::insert(&mut write, &new).await.unwrap().unwrap();
        write.commit().await.unwrap();
        alert
    }

    /// What people were told, oldest first: kind of event, person, level.
    async fn told(&self, channel: &str) -> Vec<(String, i64, i64)> {
        let filter = MessageFilter {
            channel: Some(channel.to_owned()),
            ..MessageFilter::default()
        };
        let page = PageRequest {
            after: None,
            limit: Some(500),
        };
        let mut read = self.records.read().await.unwrap();
        let found = notices::messages(&mut read, &filter, &page).await.unwrap();
        let mut told = Vec::new();
        for message in found.items.iter().rev() {
            let row = notices::event(&mut read, message.event_id).await.unwrap();
            told.push((row.unwrap().kind, message.user_id.unwrap(), message.level));
        }
        told
    }

    async fn event(&self, key: &str) -> Event {
        let mut read = self.records.read().await.unwrap();
        let row = notices::event_of_key(&mut read, key).await.unwrap();
        serde_json::from_value(row.unwrap().document).unwrap()
    }

    /// Takes note of what a person was told of an event.
    async fn confirm(&self, key: &str, user: i64, at: Timestamp) {
        let mut write = self.records.write().await.unwrap();
        let row = notices::event_of_key(&mut write, key)
            .await
            .unwrap()
            .unwrap();
        let messages = notices::messages_of(&mut write, row.id, 100).await.unwrap();
        let own = messages.iter().find(|m| m.user_id == Some(user)).unwrap();
        notices::read(&mut write, own.id, user, at).await.unwrap();
        write.commit().await.unwrap();
    }
}

fn of_affected(channel: &str, answer_minutes: i64) -> Level {
    Level {
        to: vec![Target::Affected],
        channels: vec![channel.to_owned()],
        answer_minutes,
        ..Level::default()
    }
}

fn kind(kind: &str, user: i64, level: i64) -> (String, i64, i64) {
    (kind.to_owned(), user, level)
}

#[tokio::test]
async fn whoever_answers_for_a_place_is_told_and_gaps_go_to_those_on_duty() {
    let town = Town::new().await;
    *town.river.areas.lock() = vec![
        area("west", 28.0, Some("west"), Some("town-east")),
        area("east", 28.1, Some("nothing"), Some("town-east")),
        area("north", 28.2, Some("north"), None),
        area("south", 28.3, None, None),
        area("higher", 30.0, None, None),
    ];
    *town.river.stage.lock() = 29.0;
    town.rule(&["alert.raised"], vec![of_affected("sms", 0)])
        .await;
    let alert = town.alert("warning", "major").await;
    let office = town.office();
    office.fold(T0).await.unwrap();
    assert_eq!(
        town.told("sms").await,
        [
            kind("alert.raised", WEST, 0),
            kind("alert.raised", EAST, 0),
            kind(NOBODY_RESPONSIBLE, DUTY, 0),
        ]
    );
    let event = town.event(&format!("alert:{}", alert.id)).await;
    let people: Vec<&[i64]> = event.affected[0]
        .reached
        .iter()
        .map(|place| place.people.as_slice())
        .collect();
    assert_eq!(people, [&[WEST][..], &[EAST], &[4], &[]]);
    let gap = town.event(&notice::reach::nobody_key(&event.key)).await;
    let names: Vec<&str> = gap.affected[0]
        .reached
        .iter()
        .map(|place| place.id.as_str())
        .collect();
    assert_eq!(
        names,
        ["north", "south"],
        "who may not see it is not told of it"
    );

    office.deliver(T0, &|| T0, &|| 0.5).await.unwrap();
    let sent = town.gateway.0.lock().clone();
    let to = |user: i64| {
        sent.iter()
            .find(|m| m.to == Some(user.to_string()))
            .unwrap()
    };
    let west = to(WEST);
    assert!(
        west.body.contains("由您负责：west区（west村）"),
        "{}",
        west.body
    );
    assert!(
        west.body.contains("洪水风险区 4 处（按 29 m）"),
        "{}",
        west.body
    );
    assert!(
        west.short.contains("您负责的west区（west村）"),
        "{}",
        west.short
    );
    // Zhao may not see the west.
    let east = to(EAST);
    assert!(east.body.contains("由您负责：east区（east村）") && !east.body.contains("west"));
    assert!(east.body.contains("洪水风险区 3 处"), "{}", east.body);
    assert_eq!(
        east.event["affected"][0]["reached"][0]["people"],
        json!(null)
    );
    let duty = to(DUTY);
    assert!(
        duty.subject.contains("2 处没有可通知的责任人"),
        "{}",
        duty.subject
    );
    assert!(
        duty.body.contains("north区（north村）、south区（south村）"),
        "{}",
        duty.body
    );

    // Read again, nothing is told twice.
    office.fold(T0.plus_seconds(60)).await.unwrap();
    assert_eq!(town.told("sms").await.len(), 3);
}

#[tokio::test]
async fn a_place_that_is_reached_later_is_told_once_by_the_gravest_alert_also_after_a_restart() {
    let town = Town::new().await;
    *town.river.areas.lock() = vec![
        area("west", 28.0, Some("west"), None),
        area("east", 29.5, None, Some("town-east")),
    ];
    *town.river.stage.lock() = 29.0;
    town.rule(
        &["alert.raised", "alert.reached"],
        vec![of_affected(PAGE, 0)],
    )
    .await;
    let alert = town.alert("warning", "major").await;
    let office = town.office();
    let at = |seconds: i64| T0.plus_seconds(seconds);
    office.fold(at(0)).await.unwrap();
    office.fold(at(10)).await.unwrap();
    let first = kind("alert.raised", WEST, 0);
    assert_eq!(town.told(PAGE).await, std::slice::from_ref(&first));

    // Between two looks nothing is looked at.
    *town.river.stage.lock() = 29.6;
    office.fold(at(12)).await.unwrap();
    assert_eq!(town.told(PAGE).await.len(), 1);
    office.fold(at(15)).await.unwrap();
    let second = kind(REACHED, EAST, 0);
    assert_eq!(town.told(PAGE).await, [first.clone(), second.clone()]);
    let event = town.event(&notice::reach::reached_key(alert.id, 1)).await;
    assert_eq!(event.affected[0].reached.len(), 1, "only what is new");
    assert_eq!(event.title_zh, "新涉及 1 处：水位高");

    // Fallen and risen again, and after a restart, it is told already.
    *town.river.stage.lock() = 29.0;
    office.fold(at(30)).await.unwrap();
    *town.river.stage.lock() = 29.6;
    office.fold(at(40)).await.unwrap();
    let office = town.office();
    office.fold(at(50)).await.unwrap();
    assert_eq!(town.told(PAGE).await, [first.clone(), second.clone()]);

    // A graver alert of the same station tells all; the lesser one says nothing more.
    town.alert("guarantee", "critical").await;
    town.river
        .areas
        .lock()
        .push(area("more", 29.7, Some("west"), None));
    office.fold(at(60)).await.unwrap();
    *town.river.stage.lock() = 29.8;
    office.fold(at(70)).await.unwrap();
    let told = town.told(PAGE).await;
    assert_eq!(
        told[2..],
        [
            kind("alert.raised", WEST, 0),
            kind("alert.raised", EAST, 0),
            kind(REACHED, WEST, 0)
        ]
    );
}

#[tokio::test]
async fn each_place_needs_an_answer_of_its_own_before_the_next_level_is_spared() {
    let town = Town::new().await;
    *town.river.areas.lock() = vec![
        area("west", 28.0, Some("west"), None),
        area("east", 28.1, None, Some("town-east")),
    ];
    *town.river.stage.lock() = 29.0;
    let next = Level {
        to: vec![Target::Role("duty".to_owned())],
        channels: vec![PAGE.to_owned()],
        ..Level::default()
    };
    town.rule(&["alert.raised"], vec![of_affected(PAGE, 10), next])
        .await;
    let alert = town.alert("warning", "major").await;
    let other = town.alert("guarantee", "major").await;
    let office = town.office();
    office.fold(T0).await.unwrap();
    let key = |alert: &Alert| format!("alert:{}", alert.id);
    town.confirm(&key(&alert), WEST, T0.plus_seconds(60)).await;
    town.confirm(&key(&other), WEST, T0.plus_seconds(60)).await;
    town.confirm(&key(&other), EAST, T0.plus_seconds(90)).await;
    office.escalate(T0.plus_seconds(601)).await.unwrap();
    let told = town.told(PAGE).await;
    assert_eq!(told.len(), 5);
    assert_eq!(
        told[4],
        kind("alert.raised", DUTY, 1),
        "of the east nobody answered"
    );
}

#[test]
fn an_alert_that_was_up_before_is_doubted_as_long_as_one_that_casts_doubt_is() {
    let up = |id: i64, rule: &str| Alert {
        id,
        raised_at: T0.plus_seconds(id * 60),
        ..alert_of(rule, "major")
    };
    let says = River::default().doubting("stage").unwrap();
    let since = |alert: &Alert, others: &[Alert]| doubt(alert, &says, others).map(|d| d.since);
    let alert = up(5, "stage");
    let later = [up(8, "recorded"), up(7, "stages"), up(6, "silent")];
    assert_eq!(
        since(&alert, &later),
        Some(T0.plus_seconds(7 * 60)),
        "since the first"
    );
    assert_eq!(
        since(&alert, &[up(4, "stages")]),
        None,
        "it was there when it was raised"
    );
    assert_eq!(since(&alert, &later[2..]), None, "another rule");
    let elsewhere = Alert {
        entity_id: "urn:ngsi-ld:WaterObserved:2".to_owned(),
        ..up(7, "stages")
    };
    assert_eq!(since(&alert, &[elsewhere]), None);
    let over = Alert {
        cleared_at: Some(T0.plus_seconds(600)),
        ..up(7, "stages")
    };
    assert_eq!(since(&alert, &[over]), None, "the doubt is over");
    let ended = |minutes: i64| Alert {
        cleared_at: Some(T0.plus_seconds(minutes * 60)),
        ..alert.clone()
    };
    assert_eq!(
        since(&ended(6), &later),
        None,
        "it arose after the alert's end"
    );
    assert!(since(&ended(7), &later).is_some());
    let said = Alert {
        title_zh: "水位高（特征水位互相矛盾）".to_owned(),
        ..alert.clone()
    };
    assert_eq!(since(&said, &later), None, "its title says so");
}

#[tokio::test]
async fn a_doubt_that_arises_later_is_said_by_the_next_level_and_no_more_when_it_is_over() {
    let town = Town::new().await;
    let level = |id: i64| Level {
        to: vec![Target::Person(id)],
        channels: vec!["sms".to_owned()],
        answer_minutes: 10,
        ..Level::default()
    };
    let levels = vec![level(DUTY), level(WEST), level(EAST)];
    town.rule(&["alert.raised"], levels).await;
    let office = town.office();
    let at = |seconds: i64| T0.plus_seconds(seconds);
    let deliver = async |now: Timestamp| {
        office.deliver(now, &|| now, &|| 0.5).await.unwrap();
        town.gateway.0.lock().last().cloned().unwrap()
    };
    town.alert("stage", "major").await;
    office.fold(at(0)).await.unwrap();
    let first = deliver(at(0)).await;
    assert!(!first.body.contains("存疑") && first.event["doubt"].is_null());

    let casts = town.alert("stages", "minor").await;
    office.escalate(at(601)).await.unwrap();
    let second = deliver(at(601)).await;
    assert_eq!(second.to, Some(WEST.to_string()));
    assert!(
        second.short.contains("；存疑：特征水位互相矛盾"),
        "{}",
        second.short
    );
    assert_eq!(second.event["doubt"]["since"], json!(casts.raised_at));

    let mut write = town.records.write().await.unwrap();
    let id = &casts.entity_id;
    alerts::clear(&mut write, "stages", id, 2, at(700))
        .await
        .unwrap()
        .unwrap();
    write.commit().await.unwrap();
    office.escalate(at(1_202)).await.unwrap();
    let third = deliver(at(1_202)).await;
    assert_eq!(third.to, Some(EAST.to_string()));
    assert!(!third.body.contains("存疑"), "{}", third.body);
}

#[tokio::test]
async fn a_suggested_plan_is_told_once() {
    let town = Town::new().await;
    let officers = Level {
        to: vec![Target::Role("duty".to_owned())],
        channels: vec![PAGE.to_owned()],
        ..Level::default()
    };
    town.rule(&["duty.*"], vec![officers]).await;
    let suggested = |n: i64| Event {
        key: format!("plan-suggested:flood-4:{n}"),
        kind: PLAN_SUGGESTED.to_owned(),
        severity: "major".to_owned(),
        title_zh: "建议启动防汛Ⅳ级应急响应".to_owned(),
        title_en: "Suggested: level IV".to_owned(),
        at: T0,
        ..Event::default()
    };
    *town.river.suggested.lock() = vec![suggested(1)];
    let office = town.office();
    for seconds in [0, 10, 20] {
        office.fold(T0.plus_seconds(seconds)).await.unwrap();
    }
    town.office().fold(T0.plus_seconds(30)).await.unwrap();
    assert_eq!(town.told(PAGE).await, [kind(PLAN_SUGGESTED, DUTY, 0)]);
    *town.river.suggested.lock() = vec![suggested(2)];
    office.fold(T0.plus_seconds(40)).await.unwrap();
    assert_eq!(town.told(PAGE).await.len(), 2);
    assert_eq!(suggested(1).path(), "/duty?tab=plans");
}
