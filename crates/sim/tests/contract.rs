//! What the simulator sends, read by the platform's own decoders and admission against the packs' entity types: every
//! attribute declared, in its unit, in its range, but for what goes wrong on purpose.

use admission::Limits;
use model::{Catalogue, EntityKind, Problem, Quality, Timestamp, Update};
use proto_influx::Influx;
use proto_ngsild::NgsiLd;
use sim::{Pace, Plan, Schedule, Via};
use std::path::Path;
use std::sync::Arc;
use wire::{Context, PayloadDecoder};

const START: Timestamp = Timestamp::from_seconds(1_795_435_200);

/// All entity types of all packs.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    for pack in std::fs::read_dir(packs).unwrap() {
        let Ok(entities) = std::fs::read_dir(pack.unwrap().path().join("entities")) else {
            continue;
        };
        for file in entities {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let kind: EntityKind = toml::from_str(&text).unwrap();
            catalogue.kinds.insert(kind.name.clone(), kind);
        }
    }
    catalogue
}

struct Door {
    catalogue: Catalogue,
    context: Context,
    undeclared: Vec<String>,
    out_of_range: usize,
}

impl Door {
    fn new() -> Self {
        Self {
            catalogue: catalogue(),
            context: Context {
                received_at: START,
                entity: None,
            },
            undeclared: Vec::new(),
            out_of_range: 0,
        }
    }

    /// Takes a message as a door does; answers what is wrong with it.
    fn take(&mut self, decoder: &dyn PayloadDecoder, bytes: &[u8], now: Timestamp) -> Vec<Problem> {
        self.context.received_at = now;
        let payload = decoder.decode(bytes, &self.context);
        let mut problems = payload.problems;
        for update in payload.updates {
            self.look(&update);
            let (good, bad) = admission::admit(update, &self.catalogue, &Limits::default(), now);
            problems.extend(bad);
            let attributes = good.iter().flat_map(|u| &u.attributes);
            self.out_of_range += attributes
                .filter(|a| a.quality == Quality::OutOfRange)
                .count();
        }
        problems
    }

    fn look(&mut self, update: &Update) {
        for attribute in &update.attributes {
            if self
                .catalogue
                .attribute(update.entity_type.as_str(), attribute.name.as_str())
                .is_none()
            {
                self.undeclared
                    .push(format!("{} {}", update.entity_type, attribute.name));
            }
        }
    }
}

#[test]
fn assets_and_a_whole_cycle_pass_admission() {
    let plan = Arc::new(Plan::embedded("tianmen").unwrap());
    let mut door = Door::new();
    for asset in plan.assets() {
        let problems = door.take(
            &NgsiLd::default(),
            asset.entity.to_string().as_bytes(),
            START,
        );
        assert!(problems.is_empty(), "{}: {problems:?}", asset.id);
    }
    assert_eq!(door.out_of_range, 0);

    let mut schedule = Schedule::new(plan, START, Pace::default());
    let mut played = schedule.backfill(48);
    played.extend(schedule.past_energy());
    for second in 0..1_200 {
        played.extend(schedule.next(START.plus_seconds(second)));
    }
    let (mut messages, mut refused) = (0, Vec::new());
    for outgoing in played {
        let problems = match &outgoing.via {
            Via::Device { payload, .. } => door.take(&NgsiLd::default(), payload, outgoing.at),
            Via::Entities(entities) => door.take(
                &NgsiLd::default(),
                serde_json::to_string(entities).unwrap().as_bytes(),
                outgoing.at,
            ),
            Via::Lines(text) => door.take(&Influx::default(), text.as_bytes(), outgoing.at),
            _ => continue,
        };
        messages += 1;
        refused.extend(problems.into_iter().next());
    }
    assert!(messages > 6_500, "{messages}");
    assert_eq!(
        refused.len(),
        2,
        "only the two malformed messages: {refused:?}"
    );
    assert_eq!(door.out_of_range, 1, "only the one reading out of range");
    door.undeclared.sort();
    door.undeclared.dedup();
    assert_eq!(
        door.undeclared,
        Vec::<String>::new(),
        "attributes that no pack declares"
    );
}
