//! Policies: what they permit, what they refuse to hold, and what stays true of any of them.

use model::Shared;
use model::Timestamp;
use policy::{
    Access, Document, Engine, Facts, Kind, Limits, Live, Moment, Source, TypeFacts, View, What, Who,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const NOON: Moment = Moment {
    hour: 12,
    weekday: 3,
};

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|w| (*w).to_owned()).collect()
}

fn facts() -> Facts {
    let mut types = BTreeMap::new();
    types.insert(
        "Lamp".to_owned(),
        TypeFacts {
            pack: "pack-lighting".to_owned(),
            owner: Some("chengguan".to_owned()),
            personal: BTreeMap::from([("keeperPhone".to_owned(), "personal")]),
            attributes: words(&["power", "camera", "keeperPhone"]),
        },
    );
    types.insert(
        "Gauge".to_owned(),
        TypeFacts {
            pack: "pack-water".to_owned(),
            owner: Some("shuili".to_owned()),
            personal: BTreeMap::new(),
            attributes: words(&["level"]),
        },
    );
    Facts {
        organisations: BTreeMap::from([
            ("shuili".to_owned(), None),
            ("chengguan".to_owned(), None),
            ("lamps".to_owned(), Some("chengguan".to_owned())),
        ]),
        posts: BTreeMap::from([("keeper".to_owned(), "lamps".to_owned())]),
        divisions: BTreeMap::from([
            ("429006".to_owned(), None),
            ("429006101".to_owned(), Some("429006".to_owned())),
        ]),
        types,
        actions: words(&[
            "entity.read",
            "personal.reveal",
            "sql.query",
            "case.read",
            "policy.manage",
        ]),
    }
}

fn document(name: &str, text: &str) -> Document {
    Document {
        source: Source::City,
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn engine(text: &str) -> Engine {
    Engine::new(vec![document("test", text)], facts(), &Limits::default()).unwrap()
}

fn person(name: &str, roles: &[&str], organisations: &[&str], posts: &[&str]) -> Who {
    Who {
        kind: Kind::Person,
        name: name.to_owned(),
        roles: words(roles),
        organisations: words(organisations),
        posts: words(posts),
    }
}

fn view(engine: Engine, who: &Who, purpose: Option<&str>) -> View {
    View::new(
        Shared::new(engine),
        who.clone(),
        purpose.map(str::to_owned),
        NOON,
    )
}

#[test]
fn without_policies_nothing_is_permitted() {
    let engine = engine("");
    let who = person("a", &["admin"], &[], &[]);
    assert!(engine.permissions(&who, NOON).is_empty());
    let judged = engine
        .judge(&who, "entity.read", &What::City, None, NOON)
        .unwrap();
    assert!(!judged.permitted && judged.by.is_empty() && judged.failed.is_empty());
}

#[test]
fn two_departments_see_different_attributes_of_one_device() {
    let text = r#"
        permit(principal, action == Action::"entity.read", resource is City);
        @id("energy") permit(principal in Organisation::"shuili", action == Action::"entity.read", resource is Datum)
            when { resource.attribute == "power" };
        @id("street") permit(principal in Organisation::"chengguan", action == Action::"entity.read", resource is Datum)
            when { resource.attribute == "camera" };
    "#;
    let water = view(engine(text), &person("w", &[], &["shuili"], &[]), None);
    // Through the organisation above one's own.
    let street = view(engine(text), &person("s", &[], &["lamps"], &[]), None);
    let of = |view: &View, attribute| view.of("Lamp", attribute, None, None);
    assert_eq!(
        (of(&water, "power"), of(&water, "camera")),
        (Access::Shown, Access::Hidden)
    );
    assert_eq!(
        (of(&street, "power"), of(&street, "camera")),
        (Access::Hidden, Access::Shown)
    );
    let judged = engine(text)
        .judge(
            &person("w", &[], &["shuili"], &[]),
            "entity.read",
            &What::Datum {
                entity_type: "Lamp",
                attribute: "power",
                division: None,
                owner: None,
            },
            None,
            NOON,
        )
        .unwrap();
    assert_eq!(judged.by, ["city/test#energy"]);
}

#[test]
fn personal_data_is_masked_until_a_purpose_is_stated() {
    let text = r#"
        permit(principal, action == Action::"entity.read", resource);
        permit(principal in Role::"duty", action == Action::"personal.reveal", resource is Datum)
            when { context has purpose && context.purpose == "emergency" && resource.personal == "personal" };
    "#;
    let duty = person("d", &["duty"], &[], &[]);
    let of = |purpose| view(engine(text), &duty, purpose).of("Lamp", "keeperPhone", None, None);
    assert_eq!(of(None), Access::Masked);
    assert_eq!(of(Some("curiosity")), Access::Masked);
    assert_eq!(of(Some("emergency")), Access::Shown);
    let viewer = person("v", &["viewer"], &[], &[]);
    let seen = view(engine(text), &viewer, Some("emergency"));
    assert_eq!(seen.of("Lamp", "keeperPhone", None, None), Access::Masked);
    assert_eq!(seen.of("Lamp", "power", None, None), Access::Shown);
    assert!(!seen.columns("Lamp", None, None).all_shown);
    assert!(seen.columns("Gauge", None, None).all_shown);
}

#[test]
fn place_owner_post_and_hour_decide() {
    let text = r#"
        permit(principal in Post::"keeper", action == Action::"entity.read", resource in Division::"429006101");
        permit(principal, action == Action::"entity.read", resource in Organisation::"shuili")
            when { context.hour >= 8 && context.hour < 18 && context.weekday <= 5 };
    "#;
    let keeper = person("k", &[], &[], &["keeper"]);
    let anyone = person("a", &[], &[], &[]);
    let engine = Shared::new(engine(text));
    let view = |who: &Who, hour| {
        let moment = Moment { hour, weekday: 3 };
        View::new(engine.clone(), who.clone(), None, moment)
    };
    let here = Some("429006101");
    assert_eq!(
        view(&keeper, 3).of("Lamp", "power", here, None),
        Access::Shown
    );
    assert_eq!(
        view(&keeper, 3).of("Lamp", "power", Some("429006"), None),
        Access::Hidden
    );
    assert_eq!(
        view(&anyone, 3).of("Lamp", "power", here, None),
        Access::Hidden
    );
    // The type's owner, by its pack; a single entity's own owner stands for it.
    assert_eq!(
        view(&anyone, 9).of("Gauge", "level", None, None),
        Access::Shown
    );
    assert_eq!(
        view(&anyone, 9).of("Gauge", "level", None, Some("chengguan")),
        Access::Hidden
    );
    assert_eq!(
        view(&anyone, 9).of("Lamp", "power", None, Some("shuili")),
        Access::Shown
    );
    assert_eq!(
        view(&anyone, 18).of("Gauge", "level", None, None),
        Access::Hidden
    );
}

#[test]
fn tables_and_cases_are_judged_by_whose_they_are() {
    let text = r#"
        permit(principal, action in [Action::"sql.query", Action::"case.read"], resource);
        forbid(principal, action == Action::"sql.query", resource in Organisation::"shuili")
            unless { principal in Organisation::"shuili" };
        forbid(principal, action == Action::"case.read", resource in Organisation::"shuili")
            unless { principal in Organisation::"shuili" };
    "#;
    let other = view(engine(text), &person("o", &[], &["chengguan"], &[]), None);
    let own = view(engine(text), &person("w", &[], &["shuili"], &[]), None);
    assert!(other.may("sql.query") && !other.may("entity.read"));
    assert!(!other.table("pumps", Some("shuili")) && other.table("lamps", Some("lamps")));
    assert!(own.table("pumps", Some("shuili")));
    assert!(!other.case(Some("shuili")) && other.case(None) && own.case(Some("shuili")));
}

#[test]
fn mistakes_are_told_with_their_line() {
    let mistakes = |text: &str| {
        let made = Engine::new(vec![document("bad", text)], facts(), &Limits::default());
        let problems = made.expect_err("refused");
        let told = problems.iter().map(|p| format!("{} | {}", p.code, p.place));
        told.collect::<Vec<_>>()
    };
    assert_eq!(
        mistakes("permit(principal, action, resource);\npermit(principle, action, resource);"),
        ["policy-syntax | city/bad, line 2, column 8"]
    );
    let unknown = mistakes("\n  permit(principal, action == Action::\"fly\", resource);");
    assert!(
        unknown[0].starts_with("policy-check | city/bad, line 2"),
        "{unknown:?}"
    );
    let attribute = mistakes(
        "permit(principal, action == Action::\"entity.read\", resource is Datum)\nwhen { resource.value > 3 };",
    );
    assert!(
        attribute[0].starts_with("policy-check | city/bad, line 2"),
        "{attribute:?}"
    );
    let unguarded = mistakes(
        "permit(principal, action == Action::\"entity.read\", resource) when { context.purpose == \"x\" };",
    );
    assert!(unguarded[0].starts_with("policy-check"), "{unguarded:?}");
    let template = mistakes("permit(principal == ?principal, action, resource);");
    assert!(template[0].starts_with("policy-check"), "{template:?}");
    let small = Limits {
        policies_max: 1,
        ..Limits::default()
    };
    let two = "permit(principal, action, resource);".repeat(2);
    let refused = Engine::new(vec![document("two", &two)], facts(), &small)
        .err()
        .unwrap();
    assert_eq!(refused[0].code, "policy-limit");
    let name = Engine::new(vec![document("No Name", "")], facts(), &Limits::default());
    assert_eq!(name.err().unwrap()[0].code, "policy-name");
}

#[test]
fn a_policy_that_locks_everyone_out_is_told_with_the_hour() {
    let people = [person("s", &["security"], &[], &[])];
    let permit =
        r#"permit(principal in Role::"security", action == Action::"policy.manage", resource);"#;
    let needed = ["policy.manage"];
    engine(permit)
        .check_nobody_is_locked_out(&people, &needed)
        .unwrap();
    let night = format!(
        "{permit} forbid(principal, action == Action::\"policy.manage\", resource) when {{ context.weekday == 7 && context.hour >= 22 }};"
    );
    let told = engine(&night)
        .check_nobody_is_locked_out(&people, &needed)
        .unwrap_err();
    assert_eq!(told.code, "policy-locks-out");
    assert!(told.what.contains("weekday 7 from 22:00"), "{}", told.what);
    let nobody = engine(permit)
        .check_nobody_is_locked_out(&[], &needed)
        .unwrap_err();
    assert!(
        nobody.what.contains("weekday 1 from 0:00"),
        "{}",
        nobody.what
    );
}

#[test]
fn a_change_holds_at_once_and_a_bad_one_not_at_all() {
    let permit = r#"permit(principal, action == Action::"entity.read", resource);"#;
    let live = Live::new(vec![document("now", permit)], facts(), Limits::default()).unwrap();
    let who = person("a", &[], &[], &[]);
    let first = live.view(&who, None, NOON);
    assert!(first.may("entity.read"));
    assert!(Arc::ptr_eq(&first, &live.view(&who, None, NOON)));
    let none = Engine::new(Vec::new(), facts(), live.limits()).unwrap();
    live.replace(none);
    assert!(!live.view(&who, None, NOON).may("entity.read"));
    let bad = Facts {
        actions: words(&["Not A Word"]),
        ..facts()
    };
    assert_eq!(
        live.replace_facts(bad).unwrap_err()[0].code,
        "policy-action"
    );
}

#[test]
fn hours_are_those_of_the_citys_clock() {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let moment = |text| Moment::of(Timestamp::parse(text).unwrap(), &zone);
    // A Sunday in UTC that is Monday in the city.
    assert_eq!(
        moment("2026-11-22T16:30:00Z"),
        Moment {
            hour: 0,
            weekday: 1
        }
    );
    assert_eq!(Moment::all().count(), 168);
}

#[test]
fn organisations_above_each_other_in_a_ring_do_not_hold_anything_up() {
    let mut facts = facts();
    facts
        .organisations
        .insert("a".to_owned(), Some("b".to_owned()));
    facts
        .organisations
        .insert("b".to_owned(), Some("a".to_owned()));
    let permit = r#"permit(principal in Organisation::"b", action, resource);"#;
    let engine = Engine::new(vec![document("ring", permit)], facts, &Limits::default()).unwrap();
    let who = person("p", &[], &["a"], &[]);
    // A ring is no order; what it says is refused, not followed for ever.
    let judged = engine.judge(&who, "entity.read", &What::City, None, NOON);
    assert!(judged.is_err() || judged.unwrap().permitted);
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused(text in "[a-z(){}=:;\"@ \\n.,?0-9]{0,200}") {
        let _ = Engine::new(vec![document("any", &text)], facts(), &Limits::default());
    }

    // A view remembers; what it remembers is what the policies say.
    #[test]
    fn a_view_says_what_the_policies_say(
        seen in proptest::collection::vec((0..2_usize, 0..3_usize, 0..3_usize, 0..3_usize), 1..40),
        hour in 0..24_u8,
        role in 0..3_usize,
    ) {
        let text = r#"
            permit(principal in Role::"a", action == Action::"entity.read", resource);
            permit(principal in Role::"b", action == Action::"entity.read", resource in Division::"429006101");
            permit(principal, action == Action::"entity.read", resource is Datum) when { resource.attribute == "power" && context.hour < 12 };
            forbid(principal in Role::"b", action, resource in Organisation::"shuili");
            permit(principal in Role::"a", action == Action::"personal.reveal", resource);
        "#;
        let who = person("p", &[["a", "b", "c"][role]], &[], &[]);
        let engine = Shared::new(engine(text));
        let moment = Moment { hour, weekday: 2 };
        let view = View::new(engine.clone(), who.clone(), None, moment);
        for (t, a, d, o) in seen {
            let entity_type = ["Lamp", "Gauge"][t];
            let attribute = ["power", "keeperPhone", "other"][a];
            let division = [None, Some("429006"), Some("429006101")][d];
            let owner = [None, Some("shuili"), Some("lamps")][o];
            let what = What::Datum { entity_type, attribute, division, owner };
            let permits = |action| engine.permits(&who, action, &what, None, moment);
            let is_personal = entity_type == "Lamp" && attribute == "keeperPhone";
            let expected = if !permits("entity.read") {
                Access::Hidden
            } else if is_personal && !permits("personal.reveal") {
                Access::Masked
            } else {
                Access::Shown
            };
            prop_assert_eq!(view.of(entity_type, attribute, division, owner), expected);
        }
    }
}
