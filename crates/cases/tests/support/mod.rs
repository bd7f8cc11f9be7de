//! A city of two departments and four people over a real SQLite file, and short names for what they do.

#![allow(dead_code)] // each test file uses its part

use cases::{Act, CaseDetail, Cases, NewCase, Options, Part};
use model::Timestamp;
use records::alerts::{self, Alert};
use records::organisations::{self, Organisation};
use records::users::{self, NewUser};
use records::{Acting, Actor, ActorKind, Failure, Records, Secret};
use tempfile::TempDir;

pub const T0: Timestamp = Timestamp::from_seconds(1_795_392_000); // 2026-11-23 00:00 UTC, 08:00 in the city
pub const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 a small picture";
pub const DUTY: i64 = 1;
pub const FIELD: i64 = 2;
pub const OTHER_FIELD: i64 = 3;
pub const ROAD_FIELD: i64 = 4;

pub struct City {
    pub dir: TempDir,
    pub records: Records,
    pub cases: Cases,
}

pub async fn city() -> City {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let mut write = records.write().await.unwrap();
    for id in ["water", "roads"] {
        let row = Organisation::department(id, &format!("{id}局"), id);
        organisations::upsert(&mut write, &row).await.unwrap();
    }
    for (id, name, organisation) in [
        (DUTY, "duty", None),
        (FIELD, "field", Some("water")),
        (OTHER_FIELD, "other", Some("water")),
        (ROAD_FIELD, "road", Some("roads")),
    ] {
        let new = NewUser {
            username: name.to_owned(),
            name: name.to_owned(),
            role: "unused".to_owned(),
            organisation_id: organisation.map(str::to_owned),
            password_hash: Secret::new("x".to_owned()),
        };
        assert_eq!(
            users::insert(&mut write, &new, T0)
                .await
                .unwrap()
                .unwrap()
                .id,
            id
        );
    }
    write.commit().await.unwrap();
    let options = Options::new(dir.path().join("attachments"));
    let cases = Cases::new(records.clone(), options, Vec::new()).unwrap();
    City {
        dir,
        records,
        cases,
    }
}

pub fn acting(id: i64, organisation: Option<&str>, permissions: &[&'static str]) -> Acting {
    Acting {
        actor: Actor {
            kind: ActorKind::User(id),
            name: format!("user {id}"),
            peer: "10.0.0.1".to_owned(),
        },
        organisation_id: organisation.map(str::to_owned),
        also: Vec::new(),
        permissions: permissions.to_vec(),
    }
}

pub fn duty() -> Acting {
    acting(
        DUTY,
        None,
        &["case.read", "case.open", "case.dispatch", "case.verify"],
    )
}

pub fn field(id: i64, organisation: &str) -> Acting {
    acting(id, Some(organisation), &["case.read", "case.handle"])
}

pub fn worker() -> Acting {
    field(FIELD, "water")
}

pub fn viewer() -> Acting {
    acting(DUTY, None, &["case.read"])
}

pub fn act(action: &str) -> Act {
    Act {
        action: action.to_owned(),
        ..Act::default()
    }
}

pub fn noted(action: &str) -> Act {
    Act {
        note: Some("  堤脚渗水，已填土袋  ".to_owned()),
        ..act(action)
    }
}

pub fn dispatched() -> Act {
    Act {
        organisation: Some("water".to_owned()),
        ..act("dispatch")
    }
}

/// In two parts.
pub fn split() -> Act {
    let part = |organisation: &str| Part {
        organisation: organisation.to_owned(),
        ..Part::default()
    };
    Act {
        parts: vec![part("water"), part("roads")],
        ..act("split")
    }
}

pub async fn raise(records: &Records, position: i64) -> Alert {
    let new = Alert {
        id: 0,
        rule_id: "river".to_owned(),
        rule_version: 1,
        entity_id: "urn:ngsi-ld:WaterObserved:1".to_owned(),
        entity_type: "WaterObserved".to_owned(),
        entity_name: None,
        attribute: "waterLevel".to_owned(),
        value: Some(29.4),
        unit: None,
        threshold: Some(29.3),
        severity: "critical".to_owned(),
        title_zh: "汉北河水位超保证".to_owned(),
        title_en: "Hanbei River over guarantee".to_owned(),
        lon: Some(113.16),
        lat: Some(30.65),
        observed_at: T0,
        raised_at: T0,
        raised_position: position,
        cleared_at: None,
        cleared_position: None,
        acknowledged_at: None,
        acknowledged_by: None,
        case_id: None,
        decided: serde_json::json!([]),
    };
    let mut write = records.write().await.unwrap();
    let alert = alerts::insert(&mut write, &new).await.unwrap().unwrap();
    write.commit().await.unwrap();
    alert
}

impl City {
    pub async fn open(&self) -> CaseDetail {
        let new = NewCase {
            title: "井盖缺失".to_owned(),
            ..NewCase::default()
        };
        self.cases.open(&new, &duty(), T0).await.unwrap()
    }

    pub async fn step(&self, id: i64, act: &Act, who: &Acting) -> CaseDetail {
        self.cases.act(id, act, who, T0).await.unwrap()
    }

    pub async fn photo(&self, id: i64) -> Act {
        let made = self
            .cases
            .attach(id, "a.jpg", JPEG.to_vec(), &worker(), T0)
            .await
            .unwrap();
        Act {
            attachment_ids: vec![made.id],
            ..noted("finish")
        }
    }

    /// A case brought to a state by the shortest way.
    pub async fn at(&self, state: &str) -> CaseDetail {
        let mut case = self.open().await;
        let id = case.case.id;
        for (next, who) in [
            ("file", duty()),
            ("dispatch", duty()),
            ("take", worker()),
            ("finish", worker()),
            ("verify", duty()),
            ("close", duty()),
        ] {
            if case.case.state == state || matches!(state, "cancelled" | "split") {
                break;
            }
            let step = match next {
                "dispatch" => dispatched(),
                "finish" => self.photo(id).await,
                other => act(other),
            };
            case = self.step(id, &step, &who).await;
        }
        if state == "cancelled" {
            case = self.open().await;
            case = self.step(case.case.id, &noted("cancel"), &duty()).await;
        }
        if state == "split" {
            case = self.open().await;
            case = self.step(case.case.id, &act("file"), &duty()).await;
            case = self.step(case.case.id, &split(), &duty()).await;
        }
        assert_eq!(case.case.state, state);
        case
    }
}

pub fn code(failure: &Failure) -> &str {
    failure.problem().map_or("internal", |p| p.code.as_str())
}
