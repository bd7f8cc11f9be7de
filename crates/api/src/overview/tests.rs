//! The frame is filled from what is told, each thing in its place, and nothing that may not be read is there.

use super::*;
use model::EntityId;
use pack::embedded;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ALL: May = May {
    entities: true,
    alerts: true,
    cases: true,
    plan: true,
};

fn packs() -> Packs {
    Packs::load_all(embedded(), None).unwrap()
}

fn alert(rule: &str, kind: &str, entity: &str, severity: &str) -> Alert {
    Alert {
        id: 1,
        rule_id: rule.into(),
        rule_version: 1,
        entity_id: entity.into(),
        entity_type: kind.into(),
        entity_name: None,
        attribute: "x".into(),
        value: None,
        unit: None,
        threshold: None,
        severity: severity.into(),
        title_zh: String::new(),
        title_en: String::new(),
        lon: None,
        lat: None,
        observed_at: NOW,
        raised_at: NOW,
        raised_position: 1,
        cleared_at: None,
        cleared_position: None,
        acknowledged_at: None,
        acknowledged_by: None,
        case_id: None,
        decided: serde_json::json!([]),
    }
}

fn open(rule: Option<&str>, state: &str, count: i64, overdue: i64) -> OpenCases {
    OpenCases {
        state: state.into(),
        organisation_id: None,
        rule_id: rule.map(str::to_owned),
        count,
        overdue,
    }
}

/// A rule of the water pack that watches for a threshold, and one of any pack that finds silence.
fn rules(packs: &Packs) -> (String, String) {
    let water = packs
        .packs
        .iter()
        .find(|p| p.manifest.name == "pack-water")
        .unwrap();
    let threshold = water
        .rules
        .iter()
        .find(|r| r.kind == Kind::Threshold)
        .unwrap();
    let silence = packs
        .rules
        .iter()
        .find(|r| r.kind == Kind::Silence && r.threshold.is_none())
        .unwrap();
    (threshold.id.clone(), silence.id.clone())
}

fn of<'a>(all: &'a [SystemState], id: &str) -> &'a SystemState {
    all.iter().find(|s| s.id == id).unwrap()
}

#[test]
fn what_is_told_stands_with_its_system_and_in_the_sums() {
    let packs = packs();
    let frame = Frame::new(&packs);
    let (threshold, _) = rules(&packs);
    let mut tally = Tally::default();
    let since = Some(NOW.plus_seconds(-900));
    tally.entity("WaterObserved", NOW.plus_seconds(-10), since);
    tally.entity("WaterObserved", NOW.plus_seconds(-901), since);
    tally.entity("Streetlight", NOW.plus_seconds(-900), since);
    tally.entity("NobodysType", NOW, since);
    // A light that is an asset on a list.
    tally.entity("Streetlight", NOW.plus_seconds(-90_000), None);
    tally.alert(&frame, &alert(&threshold, "WaterObserved", "a", "critical"));
    // A rule that is gone: its entity's type says whose it was.
    tally.alert(&frame, &alert("gone", "Streetlight", "b", "minor"));
    tally.cases(&frame, &open(Some(&threshold), "handling", 3, 2));
    tally.cases(&frame, &open(None, "filed", 4, 1));
    let all = systems(&packs, &frame, &tally, &[], ALL);
    let water = of(&all, "S28");
    assert!(water.installed);
    let flow = water.flow.as_ref().unwrap();
    assert_eq!((flow.total, flow.heard, flow.silent), (2, 1, 0));
    assert_eq!(flow.newest_at, Some(NOW.plus_seconds(-10).to_string()));
    assert_eq!(water.alerts.as_ref().unwrap().critical, 1);
    let cases = water.cases.as_ref().unwrap();
    assert_eq!((cases.open, cases.overdue), (3, 2));
    let light = of(&all, "S21");
    // On the very bound it still counts as heard.
    let flow = light.flow.as_ref().unwrap();
    assert_eq!((flow.total, flow.heard, flow.others), (1, 1, 1));
    assert_eq!(light.alerts.as_ref().unwrap().minor, 1);
    // The data platform has all entities, also those of no pack; the command centre all alerts and cases.
    let flow = of(&all, "S01").flow.as_ref().unwrap();
    assert_eq!((flow.total, flow.others), (4, 1));
    let command = of(&all, "S02");
    let counts = command.alerts.as_ref().unwrap();
    assert_eq!(
        (counts.critical, counts.minor, counts.unacknowledged),
        (1, 1, 2)
    );
    let cases = command.cases.as_ref().unwrap();
    assert_eq!((cases.open, cases.overdue), (7, 3));
    let states: Vec<_> = cases
        .states
        .iter()
        .map(|s| (s.state.as_str(), s.open))
        .collect();
    assert_eq!(states, [("filed", 4), ("handling", 3)]);
}

#[test]
fn who_is_expected_to_speak_is_said_by_the_type_or_by_a_device() {
    let id = |name: &str| EntityId::new(format!("urn:ngsi-ld:X:{name}")).unwrap();
    let devices = Arc::new(HashSet::from([id("lamp"), id("station")]));
    let speaking = Speaking::new(&packs(), devices, NOW, Duration::from_mins(15));
    let air = Some(NOW.plus_seconds(-300));
    assert_eq!(speaking.since("AirQualityObserved", &id("no-device")), air);
    // The type's own time holds for what a device speaks for too.
    assert_eq!(speaking.since("AirQualityObserved", &id("station")), air);
    let lamp = speaking.since("Streetlight", &id("lamp"));
    assert_eq!(lamp, Some(NOW.plus_seconds(-900)));
    assert_eq!(speaking.since("Streetlight", &id("asset")), None);
    assert_eq!(speaking.since("EmergencyResource", &id("pump")), None);
}

#[test]
fn an_entity_is_silent_once_however_many_rules_say_so() {
    let packs = packs();
    let frame = Frame::new(&packs);
    let (_, silence) = rules(&packs);
    let mut tally = Tally::default();
    let kind = packs
        .rules
        .iter()
        .find(|r| r.id == silence)
        .unwrap()
        .entity_type
        .clone();
    for entity in ["a", "a", "b"] {
        tally.alert(&frame, &alert(&silence, &kind, entity, "major"));
    }
    // A patrol that is due is nothing that fell silent.
    let stated = packs.rules.iter();
    let mut stated = stated.filter(|r| r.kind == Kind::Silence && r.threshold.is_some());
    let stated = stated.next().unwrap();
    tally.alert(
        &frame,
        &alert(&stated.id, &stated.entity_type, "c", "minor"),
    );
    assert_eq!(tally.all_flow().silent, 2);
    assert_eq!(tally.all_alerts().major, 3);
}

#[test]
fn systems_that_nobody_installed_are_told_as_such() {
    let packs = packs();
    let (frame, tally) = (Frame::new(&packs), Tally::default());
    let all = systems(&packs, &frame, &tally, &[], ALL);
    assert_eq!(all.len(), 37);
    let traffic = of(&all, "S18");
    assert!(!traffic.installed && traffic.packs.is_empty());
    assert_eq!(
        (&traffic.flow, &traffic.alerts, &traffic.cases),
        (&None, &None, &None)
    );
    for id in BY_PLATFORM {
        assert!(of(&all, id).installed, "{id}");
    }
    // A city without a plan has no frame, and no failure.
    let bare = Packs {
        plan: None,
        ..packs
    };
    assert!(systems(&bare, &frame, &tally, &[], ALL).is_empty());
}

#[test]
fn what_may_not_be_read_is_not_there() {
    let packs = packs();
    let frame = Frame::new(&packs);
    let (threshold, _) = rules(&packs);
    let mut tally = Tally::default();
    tally.alert(&frame, &alert(&threshold, "WaterObserved", "a", "critical"));
    let none = May {
        entities: false,
        alerts: false,
        cases: false,
        plan: false,
    };
    for system in systems(&packs, &frame, &tally, &[], none) {
        let counted = system.flow.is_some()
            || system.alerts.is_some()
            || system.cases.is_some()
            || system.targets.is_some();
        assert!(!counted, "{}", system.id);
    }
}

#[test]
fn targets_stand_with_the_system_that_answers_for_them() {
    let packs = packs();
    let frame = Frame::new(&packs);
    let standing = |id, status| Standing {
        id,
        name_zh: "名",
        name_en: "name",
        status,
    };
    let standings = [
        standing("charging-points", Status::Behind),
        standing("charging-stations", Status::Met),
        standing("5g-clusters", Status::Unknown),
    ];
    let all = systems(&packs, &frame, &Tally::default(), &standings, ALL);
    let charging = of(&all, "S20").targets.as_ref().unwrap();
    assert_eq!(charging.len(), 2);
    assert!(of(&all, "S28").targets.as_ref().unwrap().is_empty());
    let counts = target_counts(&standings);
    assert_eq!(
        (counts.met, counts.behind, counts.unknown, counts.on_path),
        (1, 1, 1, 0)
    );
}
