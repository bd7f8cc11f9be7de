//! What the tests share: a catalogue, a few rules and short ways to write updates.
#![allow(dead_code, reason = "each test file uses a part")]

use model::{
    AttributeName, AttributeUpdate, Calendars, Catalogue, EntityId, EntityKind, Quality, Timestamp,
    TypeName, Update, Value,
};
use rules::{Engine, Rule};

pub const WARNING: &str = r#"
id = "stage"
version = 3
title_zh = "{entity}水位 {value} {unit} 超过 {threshold} {unit}"
title_en = "{entity}: {value} {unit} above {threshold} {unit}"
entity_type = "WaterObserved"
attribute = "waterLevel"
op = ">="
threshold = { attribute = "warningLevel" }
unit = "MTR"
for_seconds = 60
clear = { margin = 0.05, for_seconds = 30 }
severity = "major"
"#;

pub const SILENCE: &str = r#"
id = "silent"
version = 1
kind = "silence"
title_zh = "{entity} 静默 {value} {unit}"
title_en = "{entity} silent for {value} {unit}"
entity_type = "Device"
for_seconds = 900
severity = "minor"
"#;

pub const RANGE: &str = r#"
id = "range"
version = 1
kind = "out_of_range"
title_zh = "{entity} 读数 {value} 超出量程"
title_en = "{entity}: {value} out of range"
entity_type = "WaterObserved"
attribute = "waterLevel"
severity = "minor"
"#;

pub const OUTAGE: &str = r#"
id = "offline"
version = 1
title_zh = "{entity} 离线"
title_en = "{entity} offline"
entity_type = "Device"
attribute = "online"
op = "=="
threshold = false
severity = "major"
"#;

pub fn catalogue() -> Catalogue {
    let kinds: Vec<EntityKind> = [
        r#"
name = "WaterObserved"
title_zh = "水情"
title_en = "Water"
[attributes.waterLevel]
value = "number"
title_zh = "水位"
title_en = "Stage"
unit = "MTR"
max = 100.0
[attributes.warningLevel]
value = "number"
title_zh = "警戒水位"
title_en = "Warning stage"
unit = "MTR"
[attributes.pressure]
value = "number"
title_zh = "压力"
title_en = "Pressure"
unit = "KPA"
[attributes.name]
value = "text"
title_zh = "名称"
title_en = "Name"
"#,
        r#"
name = "Device"
title_zh = "设备"
title_en = "Device"
[attributes.online]
value = "boolean"
title_zh = "在线"
title_en = "Online"
[attributes.interval]
value = "number"
title_zh = "上报间隔"
title_en = "Interval"
unit = "HUR"
[attributes.power]
value = "number"
title_zh = "功率"
title_en = "Power"
unit = "KWT"
"#,
    ]
    .iter()
    .map(|text| toml::from_str(text).unwrap())
    .collect();
    Catalogue {
        kinds: kinds.into_iter().map(|k| (k.name.clone(), k)).collect(),
        ..Catalogue::default()
    }
}

pub fn rule(text: &str) -> Rule {
    toml::from_str(text).unwrap()
}

pub fn engine(rules: &[&str]) -> Engine {
    Engine::new(
        rules.iter().map(|text| rule(text)).collect(),
        &catalogue(),
        &Calendars::default(),
    )
    .unwrap()
}

pub fn seconds(second: i64) -> Timestamp {
    Timestamp::from_seconds(second)
}

pub fn update(id: &str, kind: &str, attributes: &[(&str, Value)]) -> Update {
    Update {
        entity_id: EntityId::new(format!("urn:ngsi-ld:{kind}:{id}")).unwrap(),
        entity_type: TypeName::new(kind).unwrap(),
        attributes: attributes
            .iter()
            .map(|(name, value)| AttributeUpdate {
                name: AttributeName::new(name).unwrap(),
                value: value.clone(),
                unit: None,
                observed_at: seconds(0),
                quality: Quality::Good,
            })
            .collect(),
    }
}

pub fn at(mut update: Update, second: i64) -> Update {
    for attribute in &mut update.attributes {
        attribute.observed_at = seconds(second);
    }
    update
}
