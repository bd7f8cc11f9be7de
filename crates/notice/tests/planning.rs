//! Planning, of which nothing needs a store: rules, quiet hours, attempts, limits, digests, texts.

use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::{Calendars, Declared, WorkingCalendar};
use notice::affected::{Affected, Place, Sum, lines_en, lines_zh, short_zh};
use notice::doubt::Doubt;
use notice::event::Event;
use notice::flood::{self, Limits, Step};
use notice::plan::{self, Recipient, Times};
use notice::quiet::{self, Hours, Quiet};
use notice::retry::Retry;
use notice::rule::{Level, Rule, Target};
use notice::text::{SHORT_CHARS_MAX, compose};
use proptest::prelude::*;
use records::notices::{Message, PAGE, QUEUED, SENT};
use std::collections::{BTreeMap, BTreeSet};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn calendars() -> Calendars {
    let declared = Declared {
        title_zh: "工作时间".to_owned(),
        title_en: "Working hours".to_owned(),
        week: ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|day| {
                (
                    day.to_owned(),
                    vec!["08:30-12:00".to_owned(), "14:00-17:30".to_owned()],
                )
            })
            .into(),
        ..Declared::default()
    };
    let working = WorkingCalendar::new("working-hours", declared, zone(), "test").unwrap();
    Calendars::new(zone(), [working])
}

fn night() -> Hours {
    Hours::read("22:00", "07:00").unwrap()
}

#[test]
fn quiet_hours_go_over_midnight_in_the_citys_zone() {
    for (moment, over) in [
        ("2026-11-25T21:59:59+08:00", "2026-11-25T21:59:59+08:00"),
        ("2026-11-25T22:00:00+08:00", "2026-11-26T07:00:00+08:00"),
        ("2026-11-26T00:00:00+08:00", "2026-11-26T07:00:00+08:00"),
        ("2026-11-26T06:59:59+08:00", "2026-11-26T07:00:00+08:00"),
        ("2026-11-26T07:00:00+08:00", "2026-11-26T07:00:00+08:00"),
    ] {
        assert_eq!(night().over(at(moment), &zone()), at(over), "{moment}");
    }
    let noon = Hours::read("12:00", "14:00").unwrap();
    assert_eq!(
        noon.over(at("2026-11-26T13:00:00+08:00"), &zone()),
        at("2026-11-26T14:00:00+08:00")
    );
    for bad in [
        ("24:00", "07:00"),
        ("7", "8:00"),
        ("07:00", "07:00"),
        ("-1:00", "2:00"),
        ("07:60", "08:00"),
    ] {
        assert!(Hours::read(bad.0, bad.1).is_err(), "{bad:?}");
    }
}

#[test]
fn outside_a_calendar_is_quiet_and_two_quiet_times_are_both_kept() {
    let rule = Quiet {
        calendar: Some("working-hours".to_owned()),
        ..Quiet::default()
    };
    rule.check(&calendars()).unwrap();
    // Friday evening: Monday morning, and for who sleeps until nine, nine.
    let friday = at("2026-11-27T18:00:00+08:00");
    let monday = quiet::over(Some(&rule), None, friday, &calendars(), &zone());
    assert_eq!(monday, at("2026-11-30T08:30:00+08:00"));
    let late = Hours::read("22:00", "09:00").unwrap();
    let later = quiet::over(Some(&rule), Some(late), friday, &calendars(), &zone());
    assert_eq!(later, at("2026-11-30T09:00:00+08:00"));
    let both = Quiet {
        from: Some("22:00".to_owned()),
        ..rule
    };
    assert!(both.check(&calendars()).is_err());
}

fn rule() -> Rule {
    Rule {
        id: "water".to_owned(),
        title_zh: "水位告警".to_owned(),
        title_en: "Water".to_owned(),
        enabled: true,
        on: vec!["alert.raised".to_owned()],
        severity_min: "major".to_owned(),
        levels: vec![
            Level {
                to: vec![Target::Role("duty".to_owned())],
                channels: vec![
                    PAGE.to_owned(),
                    "sms".to_owned(),
                    "voice".to_owned(),
                    "hook".to_owned(),
                ],
                channel_minutes: 5,
                answer_minutes: 10,
            },
            Level {
                to: vec![Target::Person(9)],
                channels: vec!["sms".to_owned()],
                ..Level::default()
            },
        ],
        quiet: Some(Quiet {
            from: Some("22:00".to_owned()),
            until: Some("07:00".to_owned()),
            calendar: None,
        }),
        ..Rule::default()
    }
}

fn alert(severity: &str, moment: &str) -> Event {
    Event {
        key: "alert:1".to_owned(),
        kind: "alert.raised".to_owned(),
        severity: severity.to_owned(),
        title_zh: "水位高".to_owned(),
        title_en: "High water".to_owned(),
        at: at(moment),
        entity_type: Some("WaterObserved".to_owned()),
        division: Some("429006001".to_owned()),
        ..Event::default()
    }
}

fn planned(event: &Event, level: usize, now: &str) -> Vec<Message> {
    let people = [7, 8].map(|user_id| Recipient {
        user_id,
        quiet: None,
    });
    let (calendars, zone) = (calendars(), zone());
    let times = Times {
        calendars: &calendars,
        zone: &zone,
    };
    plan::messages(
        (1, event),
        (&rule(), level),
        &people,
        |c| c == "hook",
        times,
        at(now),
    )
}

#[test]
fn channels_come_in_order_at_night_what_is_not_critical_waits_and_a_system_is_told_once() {
    let evening = "2026-11-25T23:00:00+08:00";
    let messages = planned(&alert("major", evening), 0, evening);
    let of = |channel: &'static str| messages.iter().filter(move |m| m.channel == channel);
    assert_eq!(of(PAGE).count(), 2);
    assert!(of(PAGE).all(|m| m.state == SENT));
    assert!(of("sms").all(|m| m.state == QUEUED && m.next_at == at("2026-11-26T07:00:00+08:00")));
    let hook: Vec<_> = of("hook").collect();
    assert_eq!((hook.len(), hook[0].user_id), (1, None));
    assert_eq!(
        hook[0].next_at,
        at("2026-11-25T23:10:00+08:00"),
        "a system sleeps never"
    );
    let critical = planned(&alert("critical", evening), 0, evening);
    let voice = critical.iter().find(|m| m.channel == "voice").unwrap();
    assert!(voice.urgent && voice.next_at == at("2026-11-25T23:05:00+08:00"));
    let keys: BTreeSet<_> = messages.iter().map(|m| &m.key).collect();
    assert_eq!(keys.len(), messages.len(), "no key twice");
    let again = planned(&alert("major", evening), 0, "2026-11-26T09:00:00+08:00");
    assert!(
        again.iter().all(|m| keys.contains(&m.key)),
        "planned again, it is the same"
    );
    assert_ne!(
        planned(&alert("major", evening), 1, evening)[0].key,
        messages[0].key
    );
}

#[test]
fn what_is_long_over_is_shown_on_the_pages_alone() {
    let messages = planned(
        &alert("critical", "2026-11-20T12:00:00+08:00"),
        0,
        "2026-11-25T12:00:00+08:00",
    );
    assert!(messages.iter().all(|m| m.channel == PAGE));
    assert_eq!(messages.len(), 2);
}

#[test]
fn a_rule_is_about_what_it_says_and_what_makes_no_sense_is_told() {
    let channels = [PAGE, "sms", "voice", "hook"];
    let good = rule();
    assert_eq!(good.check(&channels, &calendars()), []);
    let event = alert("critical", "2026-11-25T12:00:00+08:00");
    assert!(good.matches(&event));
    assert!(!good.matches(&alert("minor", "2026-11-25T12:00:00+08:00")));
    let change = |change: fn(&mut Rule)| {
        let mut rule = rule();
        change(&mut rule);
        rule
    };
    assert!(!change(|r| r.enabled = false).matches(&event));
    assert!(!change(|r| r.divisions = vec!["429006002".to_owned()]).matches(&event));
    assert!(change(|r| r.on = vec!["alert.*".to_owned()]).matches(&event));
    assert!(!change(|r| r.entity_types = vec!["Bridge".to_owned()]).matches(&event));
    for bad in [
        change(|r| r.id = "Water!".to_owned()),
        change(|r| r.title_zh.clear()),
        change(|r| r.on = vec!["weather.fine".to_owned()]),
        change(|r| r.severity_min = "loud".to_owned()),
        change(|r| r.levels.clear()),
        change(|r| r.levels[0].answer_minutes = 0),
        change(|r| r.levels[0].channels = vec!["pigeon".to_owned()]),
        change(|r| r.levels[0].channel_minutes = -1),
        change(|r| r.expire_minutes = 1_000_000),
        change(|r| {
            r.quiet = Some(Quiet {
                calendar: Some("moon".to_owned()),
                ..Quiet::default()
            })
        }),
    ] {
        assert!(!bad.check(&channels, &calendars()).is_empty(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn attempts_come_later_and_later_and_end(first in 1_i64..600, most in 1_i64..86_400, attempts_max in 1_i64..40, draw in 0.0_f64..1.0) {
        let retry = Retry { first_seconds: first, seconds_max: most, attempts_max };
        for attempts in 1..attempts_max {
            let wait = retry.after(attempts, draw).unwrap();
            let whole = first.saturating_mul(1 << (attempts - 1).min(30)).min(most);
            prop_assert!(wait >= (whole / 2).max(1) && wait <= whole.max(1));
        }
        prop_assert_eq!(retry.after(attempts_max, draw), None);
    }

    #[test]
    fn a_quiet_time_ends_and_its_end_is_not_quiet(from in 0_i64..1_440, until in 0_i64..1_440, seconds in 1_700_000_000_i64..1_900_000_000) {
        prop_assume!(from != until);
        let hours = Hours { from_minute: from, until_minute: until };
        let moment = Timestamp::from_seconds(seconds);
        let over = hours.over(moment, &zone());
        prop_assert!(over >= moment && over.micros_since(moment) <= 86_400 * 1_000_000);
        prop_assert_eq!(hours.over(over, &zone()), over);
    }

    #[test]
    fn every_message_that_is_due_is_decided_once(
        due in prop::collection::vec((prop::option::of(1_i64..4), any::<bool>(), 0_i64..3), 0..40),
        sent in 0_i64..70, had in 0_i64..7,
    ) {
        let due: Vec<Message> = (1..).zip(due).map(|(id, (user, urgent, attempts))| waiting(id, user, urgent, attempts)).collect();
        let sent_to: BTreeMap<i64, i64> = (1..4).map(|user| (user, had)).collect();
        let limits = Limits::default();
        let steps = flood::decide(&due, sent, &sent_to, &limits, Timestamp::default());
        let mut seen = BTreeSet::new();
        let mut sending = 0;
        for step in &steps {
            match step {
                Step::Wait { id, until } => {
                    prop_assert!(seen.insert(*id));
                    prop_assert!(*until > Timestamp::default());
                }
                Step::Send { id, fold } => {
                    sending += 1;
                    prop_assert!(seen.insert(*id));
                    let user = due.iter().find(|m| m.id == *id).unwrap().user_id;
                    for other in fold {
                        prop_assert!(seen.insert(*other));
                        let other = due.iter().find(|m| m.id == *other).unwrap();
                        prop_assert!(other.user_id == user && !other.urgent && other.attempts == 0);
                    }
                }
            }
        }
        prop_assert_eq!(seen.len(), due.len());
        prop_assert!(sending <= (limits.per_minute_max - sent).max(0));
    }
}

fn waiting(id: i64, user_id: Option<i64>, urgent: bool, attempts: i64) -> Message {
    Message {
        id,
        key: format!("k{id}"),
        event_id: 1,
        rule_id: "r".to_owned(),
        level: 0,
        channel: "sms".to_owned(),
        user_id,
        urgent,
        state: QUEUED.to_owned(),
        attempts,
        next_at: Timestamp::default(),
        expires_at: Timestamp::default(),
        created_at: Timestamp::default(),
        sent_at: None,
        delivered_at: None,
        read_at: None,
        provider_id: None,
        error: None,
        folded_into: None,
    }
}

#[test]
fn a_storm_is_told_in_one_message_and_the_critical_one_by_itself() {
    let mut due: Vec<Message> = (1..=13).map(|id| waiting(id, Some(7), false, 0)).collect();
    due.push(waiting(14, Some(7), true, 0));
    let steps = flood::decide(
        &due,
        0,
        &BTreeMap::new(),
        &Limits::default(),
        Timestamp::default(),
    );
    let alone = Step::Send {
        id: 14,
        fold: Vec::new(),
    };
    let digest = Step::Send {
        id: 1,
        fold: (2..=13).collect(),
    };
    assert_eq!(steps, [alone, digest]);
    let event = alert("major", "2026-11-25T12:00:00+08:00");
    let titles = [("甲站水位高".to_owned(), "High water at A".to_owned())];
    let text = compose(
        &event,
        None,
        |_| "2026-11-25 12:00".to_owned(),
        (12, &titles),
        Some("https://c.example/a"),
    );
    assert!(text.subject.contains("另有 12 条"), "{}", text.subject);
    assert!(
        text.body.contains("12 more")
            && text.body.contains("甲站水位高")
            && text.body.contains("- …")
    );
    assert!(text.short.ends_with("https://c.example/a"));
    let broken = Event {
        title_zh: "高\r\nBcc: all@example.cn".to_owned(),
        ..event
    };
    let text = compose(&broken, None, |_| String::new(), (0, &[]), None);
    assert!(!text.subject.contains(['\r', '\n']) && !text.short.contains('\n'));
}

/// A station whose stage reached `count` areas; the last is answered for by the person 7.
fn reaching(count: u8) -> Affected {
    let place = |n: u8| Place {
        id: format!("urn:ngsi-ld:FloodRiskArea:{n}"),
        name_zh: format!("{n}号区"),
        name_en: format!("Area {n}"),
        from: 29.0 + f64::from(n) / 10.0,
        divisions: vec![format!("村{n}")],
        codes: vec![format!("42900600100{n}")],
        amounts: vec![Some(410.0), (n == 1).then_some(120.5)],
        people: if n == count { vec![7] } else { vec![8] },
        ..Place::default()
    };
    let sum = |zh: &str, en: &str| Sum {
        attribute: en.to_owned(),
        title_zh: zh.to_owned(),
        title_en: en.to_owned(),
    };
    Affected {
        entity_type: "FloodRiskArea".to_owned(),
        title_zh: "洪水风险区".to_owned(),
        title_en: "Flood risk area".to_owned(),
        value: Some(29.9),
        unit: "m".to_owned(),
        sums: vec![
            sum("受威胁人口", "People"),
            sum("户数", "Households"),
            sum("车辆", "Cars"),
        ],
        reached: (1..=count).map(place).collect(),
        next: vec![Place {
            from: 30.25,
            ..place(count + 1)
        }],
        ..Affected::default()
    }
}

#[test]
fn a_message_names_what_is_affected_so_many_and_no_more() {
    let affected = [reaching(7)];
    assert_eq!(
        lines_zh(&affected, Some(7)),
        [
            "由您负责：7号区（村7）",
            "受影响洪水风险区 7 处（按 29.9 m）：1号区（村1）、2号区（村2）、3号区（村3）、4号区（村4）、5号区（村5），另有 2 处；\
             受威胁人口 2,870；户数 120.5；接下来的洪水风险区：8号区（30.25 m 起）"
        ]
    );
    assert_eq!(
        lines_en(&affected, None),
        [
            "Affected, Flood risk area: 7 (at 29.9 m): Area 1 (村1), Area 2 (村2), Area 3 (村3), Area 4 (村4), Area 5 (村5) and 2 more; \
             People 2,870; Households 120.5; next, Flood risk area: Area 8 (from 30.25 m)"
        ]
    );
    let foretold = Affected {
        foretold: true,
        ..reaching(1)
    };
    assert!(lines_zh(&[foretold], None)[0].starts_with("预报将影响洪水风险区 1 处"));
    let none = Affected {
        reached: Vec::new(),
        ..reaching(2)
    };
    assert_eq!(
        lines_zh(&[none], Some(7)),
        ["接下来的洪水风险区：3号区（30.25 m 起）"]
    );
    let many = Affected {
        reached: vec![Place {
            divisions: (1..=6).map(|n| format!("村{n}")).collect(),
            ..reaching(1).reached.remove(0)
        }],
        ..reaching(1)
    };
    let zh = lines_zh(std::slice::from_ref(&many), None);
    assert!(
        zh[0].contains("1号区（村1、村2、村3、村4等 6 个）"),
        "{zh:?}"
    );
}

#[test]
fn people_who_may_be_counted_twice_are_told_as_at_most() {
    let with = |codes: [&[&str]; 2]| {
        let mut of = reaching(2);
        for (place, codes) in of.reached.iter_mut().zip(codes) {
            place.codes = codes.iter().map(|code| (*code).to_owned()).collect();
        }
        let zh = lines_zh(std::slice::from_ref(&of), None).remove(0);
        let en = lines_en(std::slice::from_ref(&of), None).remove(0);
        let most = zh.contains("；受威胁人口 至多 820；户数 120.5；");
        assert_eq!(
            most,
            en.contains("; People at most 820; Households 120.5;"),
            "{zh} {en}"
        );
        assert_eq!(!most, zh.contains("；受威胁人口 820；户数 120.5；"), "{zh}");
        most
    };
    let (one, two, three) = ("429006001001", "429006001002", "429006001003");
    assert!(!with([&[one], &[two, three]]));
    assert!(with([&[one, two], &[three, two]]), "a village in common");
    assert!(with([&["429006001"], &[three]]), "a village of the town");
    assert!(
        with([&[three, "429006001", two], &[one]]),
        "the town that names its villages too"
    );
    assert!(
        !with([&["429006001", one], &["429006002"]]),
        "its own twice"
    );
    assert!(with([&[one], &[]]), "nothing is known of one");
    // On a telephone too, and of one place alone there is nothing to count twice.
    let mut of = reaching(2);
    of.reached[1].codes = of.reached[0].codes.clone();
    assert!(short_zh(&[of], None)[1].ends_with("涉及 2 处，受威胁人口 至多 820，户数 120.5"));
    assert!(!lines_zh(&[reaching(1)], None)[0].contains("至多"));
}

#[test]
fn a_message_says_the_doubt_about_its_alert() {
    let event = Event {
        doubt: Some(Doubt {
            zh: "特征水位互相矛盾".to_owned(),
            en: "its stages contradict each other".to_owned(),
            since: at("2026-11-25T12:30:00+08:00"),
        }),
        title_zh: "水位高".to_owned(),
        title_en: "High water".to_owned(),
        ..alert("major", "2026-11-25T12:00:00+08:00")
    };
    let shown = |at: Timestamp| at.to_string()[11..16].to_owned();
    let said = compose(&event, None, shown, (0, &[]), None);
    assert_eq!(said.subject, "【重要】水位高（存疑：特征水位互相矛盾）");
    assert_eq!(
        said.short,
        "【重要】水位高（04:00）；存疑：特征水位互相矛盾"
    );
    assert!(
        said.body.contains("存疑 Doubt: 特征水位互相矛盾（04:30 起） · its stages contradict each other (since 04:30)\n"),
        "{}",
        said.body
    );
}

#[test]
fn a_text_for_a_telephone_says_it_where_it_fits() {
    let event = |title: &str| Event {
        title_zh: title.to_owned(),
        title_en: title.to_owned(),
        affected: vec![reaching(7)],
        ..alert("major", "2026-11-25T12:00:00+08:00")
    };
    let text = |event: &Event, reader| {
        compose(
            event,
            reader,
            |_| "12:00".to_owned(),
            (0, &[]),
            Some("https://c.example/a"),
        )
    };
    let said = text(&event("水位高"), Some(7));
    assert!(
        said.body.contains("由您负责：7号区（村7）\n受影响")
            && said.body.contains("You answer for: Area 7")
    );
    assert_eq!(
        said.short,
        "【重要】水位高（12:00）；涉及您负责的7号区（村7），共 7 处，受威胁人口 2,870，户数 120.5 知道了：https://c.example/a"
    );
    let said = text(&event("水位高"), None);
    assert!(
        said.short
            .contains("；涉及1号区（村1）、2号区（村2），另有 5 处，共 7 处"),
        "{}",
        said.short
    );
    // Shorter where it is long already, and nothing where not even that fits.
    let long = text(&event(&"高".repeat(SHORT_CHARS_MAX - 50)), None);
    assert!(
        long.short.contains("；涉及 7 处") && !long.short.contains("1号区"),
        "{}",
        long.short
    );
    let longer = text(&event(&"高".repeat(SHORT_CHARS_MAX)), None);
    assert!(!longer.short.contains("涉及") && longer.short.ends_with("https://c.example/a"));
}
