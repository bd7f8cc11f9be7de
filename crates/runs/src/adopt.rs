//! Adopting (采用) what a run fitted: which values of its report become which attributes of an entity, once a person says so. Nothing
//! that a run fits is adopted by the clock.

use crate::outcome;
use model::problem::quote;
use model::{
    AttributeName, AttributeUpdate, EntityId, EntityKind, Problem, Quality, Timestamp, TypeName,
    Update, Value, ValueKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What of a report is adopted, and by which entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adopt {
    /// The type of the entity: that of the targets, and then it is the target itself; or another, and then it is the entity of that
    /// type whose id ends like the target's, which is made where it is not there.
    pub entity_type: String,
    /// The attribute of another type's entity that names the target: a relationship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The attributes, and where each comes from.
    #[serde(default)]
    pub attributes: BTreeMap<String, Origin>,
}

/// Where an attribute's value comes from: a value of the report, or a fact of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The path in the report, its keys parted by dots: `parameters.k_h`. What the report has as null is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// UN/CEFACT code of the report's number; that of the attribute when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// A fact of the run instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Fact>,
}

/// What a run knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Its name: `run-17`.
    Run,
    /// Its engine with the version: `water.rating-fit 1`.
    Engine,
    /// The moment for which it was due, RFC 3339.
    DueAt,
}

/// A run whose report is adopted.
#[derive(Clone, Copy, Debug)]
pub struct Fitted<'a> {
    /// Its number.
    pub id: i64,
    /// The moment for which it was due.
    pub due: Timestamp,
    /// Its target.
    pub target: &'a EntityId,
    /// The target's type.
    pub target_type: &'a str,
    /// Its engine.
    pub engine: &'a str,
    /// The engine's version then.
    pub engine_version: i64,
    /// What the engine said beside its table.
    pub report: &'a Map<String, Json>,
}

impl Adopt {
    /// What is wrong with it by itself: each problem names its key as its place.
    pub fn mistakes(&self, has_targets: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |what: String, key: String, mend: &str| {
            problems.push(Problem::new("run-definition", what, key, mend));
        };
        if !has_targets {
            let what = "what is adopted is of something, and there are no targets".to_owned();
            wrong(
                what,
                "adopt".to_owned(),
                "add [targets], or take [adopt] out",
            );
        }
        if self.attributes.is_empty() {
            wrong(
                "nothing is adopted".to_owned(),
                "adopt".to_owned(),
                "name attributes under [adopt.attributes]",
            );
        }
        for (name, origin) in &self.attributes {
            let key = format!("adopt.attributes.{name}");
            if origin.report.is_some() == origin.fact.is_some() {
                let what = format!("{name} comes from nowhere, or from two places");
                wrong(what, key, "give it report = \"…\" or fact = \"…\"");
            } else if origin.unit.is_some() && origin.report.is_none() {
                let what = format!("{name} is a fact of the run, and has no unit");
                wrong(what, key, "take unit out");
            }
        }
        problems
    }

    /// The entity that adopts what a run for this target fitted.
    ///
    /// # Errors
    /// When that is no id.
    pub fn entity_id(&self, target: &EntityId, target_type: &str) -> Result<EntityId, Problem> {
        if self.entity_type == target_type {
            return Ok(target.clone());
        }
        outcome::id_like(&self.entity_type, target)
    }

    /// What the city is told when a person adopts a run at a moment.
    ///
    /// # Errors
    /// `run-adopt` for each value that the report does not have, or not of the kind that the attribute holds.
    pub fn update(
        &self,
        kind: &EntityKind,
        run: Fitted<'_>,
        now: Timestamp,
    ) -> Result<Update, Vec<Problem>> {
        let one = |problem: Problem| vec![problem];
        let entity_id = self.entity_id(run.target, run.target_type).map_err(one)?;
        let mut attributes = Vec::new();
        let mut tell = |name: &str, value: Value, unit: Option<String>| -> Result<(), Problem> {
            attributes.push(AttributeUpdate {
                name: AttributeName::new(name)?,
                value,
                unit,
                observed_at: now,
                quality: Quality::Good,
            });
            Ok(())
        };
        let mut problems = Vec::new();
        if let Some(relation) = &self.relation {
            let target = Value::Relationship(run.target.clone());
            problems.extend(tell(relation, target, None).err());
        }
        for (name, origin) in &self.attributes {
            let declared = kind.attributes.get(name);
            let holds = declared.map(|declared| declared.value);
            let found = match (&origin.fact, &origin.report) {
                (Some(fact), _) => Ok(Some(Json::String(run.fact(*fact)))),
                (None, Some(path)) => run.reported(path).map(Some),
                (None, None) => Ok(None),
            };
            let told = found.and_then(|found| match found {
                None | Some(Json::Null) => Ok(()),
                Some(found) => {
                    let value = value(&found, holds).ok_or_else(|| unfit(name, &found))?;
                    let own = declared.and_then(|declared| declared.unit.clone());
                    let unit = origin.unit.clone().or(own);
                    let unit = unit.filter(|_| matches!(value, Value::Number(_)));
                    tell(name, value, unit)
                }
            });
            problems.extend(told.err());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Update {
            entity_id,
            entity_type: TypeName::new(&self.entity_type).map_err(one)?,
            attributes,
        })
    }
}

impl Fitted<'_> {
    fn fact(&self, fact: Fact) -> String {
        match fact {
            Fact::Run => outcome::name(self.id),
            Fact::Engine => format!("{} {}", self.engine, self.engine_version),
            Fact::DueAt => self.due.to_string(),
        }
    }

    fn reported(&self, path: &str) -> Result<Json, Problem> {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| self.report.get(key));
        let found = keys.try_fold(first, |found, key| found.map(|found| found.get(key)));
        found.flatten().cloned().ok_or_else(|| {
            Problem::new(
                "run-adopt",
                format!("the report has no {}", quote(path)),
                "report",
                "run it again with this version of the declaration",
            )
        })
    }
}

/// A value of a report as an attribute holds it; `None` when it is of another kind.
fn value(found: &Json, holds: Option<ValueKind>) -> Option<Value> {
    match (holds, found) {
        (Some(ValueKind::Json), found) => Some(Value::Json(found.to_string())),
        (Some(ValueKind::Number) | None, Json::Number(number)) => {
            number.as_f64().map(Value::Number)
        }
        (Some(ValueKind::Boolean) | None, Json::Bool(is)) => Some(Value::Boolean(*is)),
        (Some(ValueKind::Text) | None, Json::String(text)) => Some(Value::Text(text.clone())),
        _ => None,
    }
}

fn unfit(name: &str, found: &Json) -> Problem {
    Problem::new(
        "run-adopt",
        format!("{name} does not hold what the report says: {found}"),
        name,
        "name another value of the report in the declaration",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn adopt() -> Adopt {
        serde_json::from_value(json!({
            "entity_type": "RiverReach",
            "attributes": {
                "muskingumK": {"report": "parameters.k_h", "unit": "HUR"},
                "model": {"report": "parameters"},
                "nse": {"report": "nse"},
                "fittedByRun": {"fact": "run"},
                "fittedBy": {"fact": "engine"},
                "fittedAt": {"fact": "due-at"}
            }
        }))
        .unwrap()
    }

    fn kind() -> EntityKind {
        let of = |value: &str| json!({"value": value, "title_zh": "值", "title_en": "Value"});
        serde_json::from_value(json!({
            "name": "RiverReach", "title_zh": "河段", "title_en": "Reach",
            "attributes": {"muskingumK": of("number"), "model": of("json"), "nse": of("number"), "fittedByRun": of("text"),
                "fittedBy": of("text"), "fittedAt": of("text")}
        }))
        .unwrap()
    }

    fn told(adopt: &Adopt, report: &Json) -> Result<Update, Vec<Problem>> {
        let target = EntityId::new("urn:ngsi-ld:RiverReach:7").unwrap();
        let run = Fitted {
            id: 17,
            due: Timestamp::parse("2026-07-01T08:00:00Z").unwrap(),
            target: &target,
            target_type: "RiverReach",
            engine: "water.muskingum-fit",
            engine_version: 2,
            report: report.as_object().unwrap(),
        };
        let now = Timestamp::parse("2026-07-02T00:00:00Z").unwrap();
        adopt.update(&kind(), run, now)
    }

    #[test]
    fn the_report_and_the_run_become_attributes_of_the_target() {
        let report = json!({"parameters": {"k_h": 7.5}, "nse": null});
        let update = told(&adopt(), &report).unwrap();
        assert_eq!(update.entity_id.as_str(), "urn:ngsi-ld:RiverReach:7");
        let said: Vec<(&str, Json, Option<&str>)> = update
            .attributes
            .iter()
            .map(|a| (a.name.as_str(), a.value.to_json(), a.unit.as_deref()))
            .collect();
        let expected = [
            ("fittedAt", json!("2026-07-01T08:00:00Z"), None),
            ("fittedBy", json!("water.muskingum-fit 2"), None),
            ("fittedByRun", json!("run-17"), None),
            ("model", json!({"k_h": 7.5}), None),
            ("muskingumK", json!(7.5), Some("HUR")),
        ];
        assert_eq!(said, expected, "null is left out");
    }

    #[test]
    fn another_type_has_an_entity_beside_the_target_that_names_it() {
        let adopt = Adopt {
            entity_type: "RatingCurve".to_owned(),
            relation: Some("refStation".to_owned()),
            ..adopt()
        };
        let report = json!({"parameters": {"k_h": 7.5}, "nse": 0.9});
        let update = told(&adopt, &report).unwrap();
        assert_eq!(update.entity_id.as_str(), "urn:ngsi-ld:RatingCurve:7");
        let relation = &update.attributes[0];
        assert_eq!(
            (relation.name.as_str(), relation.value.to_json()),
            ("refStation", json!("urn:ngsi-ld:RiverReach:7"))
        );
    }

    #[test]
    fn what_the_report_lacks_or_has_otherwise_is_told_each() {
        let report = json!({"parameters": {"k_h": "seven"}});
        let problems = told(&adopt(), &report).unwrap_err();
        let told: Vec<(&str, &str)> = problems
            .iter()
            .map(|p| (p.code.as_str(), p.place.as_str()))
            .collect();
        assert_eq!(told, [("run-adopt", "muskingumK"), ("run-adopt", "report")]);
    }

    #[test]
    fn a_declaration_that_says_too_little_is_told_with_its_key() {
        let empty = Adopt {
            entity_type: "RiverReach".to_owned(),
            relation: None,
            attributes: BTreeMap::new(),
        };
        let places = |adopt: &Adopt, has_targets| -> Vec<String> {
            let problems = adopt.mistakes(has_targets).into_iter();
            problems.map(|p| p.place).collect()
        };
        assert_eq!(places(&empty, false), ["adopt", "adopt"]);
        let mut odd = empty;
        odd.attributes.insert("k".to_owned(), Origin::default());
        let unit = Origin {
            fact: Some(Fact::Run),
            unit: Some("HUR".to_owned()),
            report: None,
        };
        odd.attributes.insert("x".to_owned(), unit);
        assert_eq!(
            places(&odd, true),
            ["adopt.attributes.k", "adopt.attributes.x"]
        );
        assert_eq!(places(&adopt(), true), [""; 0]);
    }
}
