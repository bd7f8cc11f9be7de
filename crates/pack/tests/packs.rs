//! The repository's own packs: they load from the binary and from their folders, their rules run, their
//! queries parse, and the plan's table is whole.

use indicators::{Method, Origin, Status};
use model::{
    AttributeName, AttributeUpdate, EntityId, Quality, Timestamp, TypeName, Update, Value,
};
use pack::{Files, Packs, check, embedded};
use rules::{Engine, RuleEvent};
use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn packs() -> Packs {
    Packs::load_all(embedded(), None).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn every_pack_checks_clean_in_its_folder() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.join("pack.toml").is_file() {
            assert_eq!(check(&path), vec![], "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, embedded().len(), "the binary carries every pack");
    assert!(count >= 8);
}

#[test]
fn the_binary_carries_the_same_files() {
    for pack in embedded() {
        for path in pack.list().unwrap() {
            let real = std::fs::read_to_string(folder().join(pack.name()).join(&path)).unwrap();
            assert_eq!(pack.read(&path).unwrap(), real, "{path}");
        }
    }
}

#[test]
fn a_case_follows_the_workflow_that_the_alerts_rule_names() {
    let packs = packs();
    assert_eq!(
        packs.case_workflow("water-stage-guarantee"),
        Some("flood-case")
    );
    assert!(packs.workflows.iter().any(|w| w.name == "flood-case"));
    for rule in ["water-stage-warning", "air-pm25-moderate", "no-such-rule"] {
        assert_eq!(packs.case_workflow(rule), None, "{rule}");
    }
}

#[test]
fn they_merge_and_a_folder_takes_the_place_of_a_carried_pack() {
    let carried = packs();
    let both = Packs::load_all(embedded(), Some(&folder())).unwrap();
    assert_eq!(carried.packs.len(), both.packs.len());
    assert_eq!(carried.catalogue, both.catalogue);
    for kind in [
        "WaterObserved",
        "WaterQualityObserved",
        "AirQualityObserved",
        "EVChargingStation",
        "ChargePoint",
        "ChargingSession",
        "TelecomBaseStation",
        "ServerRack",
        "DataCentre",
        "Streetlight",
        "Device",
    ] {
        assert!(carried.catalogue.kinds.contains_key(kind), "{kind}");
    }
    for rule in &carried.rules {
        let runbook = &carried.runbooks[rule.runbook.as_ref().unwrap()];
        assert!(
            runbook.zh.starts_with("# ") && runbook.en.starts_with("# "),
            "{}",
            rule.id
        );
    }
}

#[test]
fn the_plan_table_is_whole() {
    let packs = packs();
    let table: Vec<_> = packs
        .indicators
        .iter()
        .filter(|i| i.origin == Origin::Table)
        .collect();
    let rows: Vec<_> = table
        .iter()
        .map(|i| {
            (
                i.number.as_str(),
                i.name_zh.as_str(),
                i.baseline,
                i.target.low,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("1", "5G基站规模", Some(398.0), 1800.0),
            ("2", "5G用户普及率", Some(10.0), 70.0),
            ("3", "行政村5G网络通达比例", None, 95.0),
            ("4", "千兆宽带接入端口占比", Some(10.0), 85.0),
            ("5", "互联网省际出口带宽", Some(28.2), 70.0),
            ("6", "互联网骨干网网间互联带宽", Some(1.25), 2.5),
            ("7", "数据中心标准机架数", Some(100.0), 300.0),
            ("8", "工业互联网平台", None, 1.0),
            ("9", "二级及以上智慧医院比例", None, 100.0),
            ("10", "互联网医院数量", Some(1.0), 2.0),
            ("11", "中小学网络接入带宽", Some(100.0), 1000.0),
            ("12", "数字校园覆盖率", None, 100.0),
            ("13", "4A级及以上智慧景区覆盖率", None, 70.0),
            ("14", "智慧城市运营管理中心建成数量", None, 1.0),
            ("15", "省级产业技术研究院", None, 2.0),
            ("16", "省级创新平台", Some(30.0), 45.0),
        ]
    );
    // The plan's table, read from its text, gives the same sixteen.
    let plan = packs.plan.as_ref().unwrap();
    let text: String = plan.text.chars().filter(|c| !c.is_whitespace()).collect();
    let dash = |value: Option<f64>| value.map_or("-".to_owned(), |v| v.to_string());
    let table = &text[text.find("三级指标").unwrap()..text.find("三、重点任务").unwrap()];
    for (_, name, baseline, target) in rows {
        let row = table
            .split(name)
            .nth(1)
            .unwrap_or_else(|| panic!("{name} is no row"));
        let row = row
            .trim_start_matches(['%'])
            .trim_start_matches("Tbps")
            .trim_start_matches("Mbps");
        assert!(
            row.starts_with(&format!("{}{target}", dash(baseline))),
            "{name}: {row:.40}"
        );
    }
}

#[test]
fn what_is_reported_asks_for_its_own_reports_and_a_reached_target_is_met() {
    for indicator in &packs().indicators {
        if indicator.method == Method::Reported {
            assert!(
                indicator.sql.contains(&format!("'{}'", indicator.id)),
                "{}",
                indicator.file
            );
        }
        let last_day = jiff::civil::date(2026, 11, 23);
        assert_eq!(indicator.status(None, last_day), Status::Unknown);
        assert_eq!(
            indicator.status(Some(indicator.target.edge(indicator.direction)), last_day),
            Status::Met
        );
    }
}

#[test]
fn the_contradictions_quote_the_plan() {
    let packs = packs();
    let plan = packs.plan.as_ref().unwrap();
    for pack in &packs.packs {
        assert_eq!(pack::verify_quotes(pack, &plan.text), vec![]);
    }
    let twelve = packs
        .contradictions
        .iter()
        .find(|c| c.id == "industrial-platforms")
        .unwrap();
    assert!(twelve.places.iter().any(|p| p.quote.contains("引进12家")));
    assert!(twelve.places.iter().any(|p| p.quote.contains("引进1—2家")));
    let mut pack = packs
        .packs
        .iter()
        .find(|p| p.plan.is_some())
        .unwrap()
        .clone();
    pack.contradictions[0].places[0].quote = "引进13家国内知名的工业互联网平台".into();
    assert_eq!(
        pack::verify_quotes(&pack, &plan.text).len(),
        1,
        "a wrong quote is found"
    );
}

#[test]
fn the_flood_of_the_water_packs_scenario() {
    let packs = packs();
    let mut engine = Engine::new(
        packs.rules.clone(),
        &packs.catalogue,
        &model::Calendars::default(),
    )
    .unwrap();
    let mut position = 0;
    let mut say = |engine: &mut Engine, second: i64, values: &[(&str, f64)]| -> Vec<String> {
        position += 1;
        let at = Timestamp::from_seconds(1_790_000_000 + second);
        let update = Update {
            entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:62206900").unwrap(),
            entity_type: TypeName::new("WaterObserved").unwrap(),
            attributes: values
                .iter()
                .map(|(name, value)| AttributeUpdate {
                    name: AttributeName::new(name).unwrap(),
                    value: Value::Number(*value),
                    unit: Some("MTR".into()),
                    observed_at: at,
                    quality: Quality::Simulated,
                })
                .collect(),
        };
        let mut events = engine.observe(position, &update, at);
        events.extend(engine.tick(at));
        events
            .iter()
            .map(|e| match e {
                RuleEvent::Raised(e) => {
                    format!("+{} {} {}", e.rule_id, e.severity.as_str(), e.title_zh)
                }
                RuleEvent::Cleared(e) => format!("-{}", e.rule_id),
                RuleEvent::Failed(e) => format!("!{}", e.rule_id),
            })
            .collect()
    };
    assert!(
        say(
            &mut engine,
            0,
            &[
                ("defenceLevel", 28.30),
                ("warningLevel", 29.30),
                ("guaranteeLevel", 30.00)
            ]
        )
        .is_empty()
    );
    assert!(say(&mut engine, 5, &[("waterLevel", 29.31)]).is_empty());
    assert_eq!(
        say(&mut engine, 65, &[("waterLevel", 29.31)]),
        ["+water-stage-warning major 62206900水位 29.31 m，达到或超过警戒水位 29.3 m"]
    );
    assert!(say(&mut engine, 70, &[("waterLevel", 30.02)]).is_empty());
    assert_eq!(
        say(&mut engine, 130, &[("waterLevel", 30.02)]),
        ["+water-stage-guarantee critical 62206900水位 30.02 m，达到或超过保证水位 30 m"]
    );
    assert!(say(&mut engine, 135, &[("waterLevel", 29.20)]).is_empty());
    let mut cleared = say(&mut engine, 195, &[("waterLevel", 29.20)]);
    cleared.sort();
    assert_eq!(cleared, ["-water-stage-guarantee", "-water-stage-warning"]);
}
