//! A host in memory: answers what a session tells it, as a city would, and writes down what happened.

#![allow(dead_code)] // each test file uses its part

use model::{EntityId, Timestamp};
use proto_ocpp::command::{Authorization, AuthorizationStatus};
use proto_ocpp::map::{self, Link};
use proto_ocpp::message::{Phase, StartKey};
use proto_ocpp::session::DataStatus;
use proto_ocpp::{Answer, Book, Config, Event, Now, Output, Session, Standing, Version, What};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

pub const STATION: &str = "CP1";

/// 2026-11-22T06:30:00Z, somewhat after what the captured frames tell of.
pub const NOW: Now = Now {
    ms: 1_000_000,
    at: Timestamp::from_seconds(1_795_329_000),
};

pub fn later(now: Now, ms: u64) -> Now {
    Now {
        ms: now.ms + ms,
        at: now.at.plus_micros(i64::try_from(ms).unwrap() * 1_000),
    }
}

pub fn whose(evse: u32) -> Option<EntityId> {
    let id = match evse {
        0 => format!("urn:ngsi-ld:ChargePoint:{STATION}"),
        1..=2 => format!("urn:ngsi-ld:ChargePoint:{STATION}-{evse}"),
        _ => return None,
    };
    EntityId::new(id).ok()
}

/// The host and its store.
pub struct Host {
    pub session: Session,
    pub version: Version,
    pub now: Now,
    pub events: Vec<Event>,
    pub sent: Vec<String>,
    pub closed: Option<u16>,
    /// The durable store of 1.6's transaction numbers.
    pub numbers: HashMap<StartKey, i32>,
}

impl Host {
    pub fn new(version: Version) -> Self {
        Self::with(
            version,
            Config::default(),
            Standing::Accepted,
            Book::default(),
        )
    }

    pub fn with(version: Version, config: Config, standing: Standing, book: Book) -> Self {
        Self {
            session: Session::new(Arc::new(config), version, standing, book, 7, NOW),
            version,
            now: NOW,
            events: Vec::new(),
            sent: Vec::new(),
            closed: None,
            numbers: HashMap::new(),
        }
    }

    /// One message of the station; nothing is made durable.
    pub fn hear(&mut self, text: &str) -> Vec<Event> {
        self.session.receive(text.as_bytes(), self.now);
        let mut new = Vec::new();
        while let Some(event) = self.session.event() {
            new.push(event);
        }
        self.collect();
        self.events.extend(new.iter().cloned());
        new
    }

    /// One message, and everything durable.
    pub fn say(&mut self, text: &str) -> Vec<Event> {
        let events = self.hear(text);
        for event in &events {
            self.durable(event);
        }
        events
    }

    /// What the station heard last, as JSON.
    pub fn last(&self) -> serde_json::Value {
        self.sent.last().map_or(serde_json::Value::Null, |text| {
            serde_json::from_str(text).unwrap()
        })
    }

    pub fn durable(&mut self, event: &Event) {
        let Some(token) = event.token else { return };
        let answer = self.answer(event);
        self.session.acknowledge(token, answer, self.now).unwrap();
        self.collect();
    }

    pub fn collect(&mut self) {
        while let Some(output) = self.session.output() {
            match output {
                Output::Text(text) => self.sent.push(text),
                Output::Close { code, .. } => self.closed = Some(code),
            }
        }
    }

    /// What the store says: the number of a start, or a new one.
    pub fn number(&mut self, key: &StartKey) -> i32 {
        let next = 1_001 + i32::try_from(self.numbers.len()).unwrap();
        *self.numbers.entry(key.clone()).or_insert(next)
    }

    fn answer(&mut self, event: &Event) -> Answer {
        let accepted = Authorization::new(AuthorizationStatus::Accepted);
        match &event.what {
            What::Boot(_) => Answer::Boot {
                standing: Standing::Accepted,
                interval_seconds: 30,
            },
            What::Authorize(_) => Answer::Transaction {
                id: None,
                authorization: Some(accepted),
                total_cost_fen: None,
            },
            What::Transaction(part) => {
                let id = part.start_key.as_ref().map(|key| self.number(key));
                let says = part.phase == Phase::Ended && self.version == Version::V16;
                Answer::Transaction {
                    id,
                    authorization: (id.is_some() || says).then_some(accepted),
                    total_cost_fen: None,
                }
            }
            What::Data { .. } => Answer::Data {
                status: DataStatus::UnknownVendorId,
                data: None,
            },
            What::Sign { .. } => Answer::Signing { is_accepted: true },
            _ => Answer::Done,
        }
    }

    /// What the city learns of an event.
    pub fn learns(&mut self, event: &Event) -> wire::Payload {
        let number = match &event.what {
            What::Transaction(part) => part
                .start_key
                .as_ref()
                .map(|key| self.number(key).to_string()),
            _ => None,
        };
        let link = Link {
            station: STATION,
            version: self.version,
            whose: &whose,
        };
        map::payload(event, number.as_deref(), link)
    }
}

/// The marks of an event.
pub fn doubts(event: &Event) -> Vec<&'static str> {
    event.doubts.iter().map(proto_ocpp::Doubt::code).collect()
}

pub fn call(id: &str, action: &str, payload: &Value) -> String {
    json!([2, id, action, payload]).to_string()
}

pub fn start(id: &str, at: &str, meter: i64) -> String {
    let payload = json!({"connectorId": 1, "idTag": "TAG1", "meterStart": meter, "timestamp": at});
    call(id, "StartTransaction", &payload)
}

pub fn stop(id: &str, transaction: i64, at: &str, meter: i64) -> String {
    let payload = json!({"transactionId": transaction, "meterStop": meter, "timestamp": at});
    call(id, "StopTransaction", &payload)
}

pub fn part(id: &str, kind: &str, sequence: i64, at: &str) -> String {
    let payload = json!({"eventType": kind, "timestamp": at, "triggerReason": "Trigger", "seqNo": sequence,
        "transactionInfo": {"transactionId": "T1"}, "evse": {"id": 1, "connectorId": 1}});
    call(id, "TransactionEvent", &payload)
}

pub fn transaction(event: &Event) -> &proto_ocpp::message::Transaction {
    match &event.what {
        What::Transaction(part) => part,
        other => panic!("no transaction: {other:?}"),
    }
}
