//! The writing part: what was admitted and what was refused goes to the journal in one step.

use crate::check::{Limits, admit, admit_as};
use crate::duplicates::{Duplicates, Fingerprints};
use crate::recent::Recent;
use crate::seal::Seals;
use journal::{AppendError, Journal};
use model::{
    Accepted, Catalogue, Corrected, DeviceId, EntityId, EntityKind, Problem, Record, Rejected,
    Retained, Timestamp, TypeName, Update,
};
use parking_lot::{Mutex, RwLock};
use personal::Sealer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::Payload;

/// How many recent messages are compared to find one sent twice.
const DUPLICATES_REMEMBERED_MAX: usize = 65_536;
/// How many problems of one message are spelled out in its dead letter; the rest are counted.
const PROBLEMS_TOLD_MAX: usize = 5;
/// How much is kept of a message that no record of the journal can hold, bytes.
const FRONT_KEPT_BYTES: usize = 65_536;
/// How much is kept decoded for whoever follows the journal at its end, bytes as encoded.
const RECENT_BYTES_MAX: usize = 32 << 20;

/// Which entities a sender may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// None at all.
    Nothing,
    /// The one entity that the device speaks for.
    Own(EntityId),
    /// Any entity.
    Any,
}

/// A message at a door, decoded but not yet believed.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The door: `mqtt`, `ngsi-ld`, `influx`, …
    pub door: &'a str,
    /// The sender, when it is a device.
    pub device_id: Option<&'a DeviceId>,
    /// What the sender may write.
    pub scope: &'a Scope,
    /// Topic or path.
    pub address: &'a str,
    /// The bytes as they came.
    pub raw: &'a [u8],
    /// When they came.
    pub received_at: Timestamp,
    /// MQTT's retain flag.
    pub retain: bool,
}

/// What became of a message. It may be acknowledged when the journal's durable position is beyond `position`.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// Last journal position written for the message.
    pub position: u64,
    /// Updates accepted.
    pub accepted: usize,
    /// What was refused of it, also kept as a dead letter.
    pub problems: Vec<Problem>,
    /// The same message was written before; nothing was written again.
    pub duplicate: bool,
    /// It speaks of a personal attribute: it was sealed, and is not to be handed on as it came.
    pub is_personal: bool,
}

/// Why a message was not taken at all; the sender keeps it and tries again.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Too much waits for the disk.
    #[error("busy: too much waits for the disk; try again in a second")]
    Busy,
    /// The disk is full.
    #[error("full: the disk has no room; free some and try again")]
    Full,
    /// The journal cannot write.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// What has come in since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages of which at least one update was accepted.
    pub messages_accepted: AtomicU64,
    /// Messages with a dead letter.
    pub messages_rejected: AtomicU64,
    /// Messages sent again.
    pub messages_duplicate: AtomicU64,
    /// Attribute values accepted.
    pub values_accepted: AtomicU64,
}

/// The way in, shared by every door.
pub struct Ingest {
    journal: Journal,
    catalogue: RwLock<Arc<Catalogue>>,
    limits: Limits,
    fingerprints: Fingerprints,
    duplicates: Mutex<Duplicates>,
    recent: Recent,
    seals: Seals,
    /// What has come in since the start.
    pub counters: Counters,
}

impl Ingest {
    /// Over a journal, with the declared entity types. Without keys no message with personal data is taken: see
    /// [`Ingest::with_sealer`].
    pub fn new(journal: Journal, catalogue: Arc<Catalogue>, limits: Limits) -> Self {
        Self {
            seals: Seals::new(None, &catalogue),
            journal,
            catalogue: RwLock::new(catalogue),
            limits,
            fingerprints: Fingerprints::default(),
            duplicates: Mutex::new(Duplicates::new(DUPLICATES_REMEMBERED_MAX)),
            recent: Recent::new(RECENT_BYTES_MAX),
            counters: Counters::default(),
        }
    }

    /// The same, with what seals personal data.
    #[must_use]
    pub fn with_sealer(mut self, sealer: Arc<Sealer>) -> Self {
        self.seals = Seals::new(Some(sealer), &self.catalogue());
        self
    }

    /// The journal that is written.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What was handed to the journal a moment ago, for the one that follows it.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The declared entity types.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.read().clone()
    }

    /// Messages are judged by these types from now on; one that is being judged is judged by those of before to its end.
    pub fn set_catalogue(&self, catalogue: Arc<Catalogue>) {
        self.seals.look_for(&catalogue);
        *self.catalogue.write() = catalogue;
    }

    /// Admits a message and hands it to the journal. Returns at once; durability is a position to wait for.
    ///
    /// # Errors
    /// See [`Refusal`]; nothing was written then.
    pub fn submit(&self, incoming: Incoming<'_>, payload: Payload) -> Result<Receipt, Refusal> {
        let catalogue = self.catalogue();
        let Payload {
            updates,
            mut problems,
        } = payload;
        let mut admitted: Vec<Update> = Vec::with_capacity(updates.len());
        // The updates of a message are mostly of one type.
        let mut last: Option<(TypeName, Option<&EntityKind>)> = None;
        let mut is_personal = false;
        for update in updates {
            if let Some(problem) = out_of_scope(incoming.scope, &update.entity_id) {
                let kind = catalogue.kinds.get(update.entity_type.as_str());
                is_personal |= crate::seal::names_personal(kind, &update.attributes);
                problems.push(problem);
                continue;
            }
            let kind = match &last {
                Some((name, kind)) if *name == update.entity_type => *kind,
                _ => {
                    let kind = catalogue.kinds.get(update.entity_type.as_str());
                    last = Some((update.entity_type.clone(), kind));
                    kind
                }
            };
            let checked = admit_as(update, kind, &catalogue, &self.limits, incoming.received_at);
            admitted.extend(checked.good);
            problems.extend(checked.bad);
            is_personal |= checked.is_personal;
        }
        let sender = incoming.device_id.map(DeviceId::as_str);
        let fingerprint = if problems.is_empty() {
            self.fingerprints.of(sender, &incoming, &admitted)
        } else {
            None
        };
        if let Some(position) = fingerprint.and_then(|f| self.duplicates.lock().seen(f)) {
            self.counters
                .messages_duplicate
                .fetch_add(1, Ordering::Relaxed);
            return Ok(Receipt {
                position,
                accepted: admitted.len(),
                problems,
                duplicate: true,
                is_personal,
            });
        }
        let mut accepted = admitted.len();
        let values: usize = admitted.iter().map(|u| u.attributes.len()).sum();
        let mut position = None;
        if accepted > 0 {
            // Behind the look for duplicates: the same value is sealed differently each time.
            let raw = match is_personal {
                false => incoming.raw.to_vec(),
                true => {
                    self.seals.updates(&mut admitted, &catalogue)?;
                    let (door, address) = (incoming.door, incoming.address);
                    let at = incoming.received_at;
                    self.seals.message(door, address, at, incoming.raw)?
                }
            };
            let record = Record::Accepted(Accepted {
                door: incoming.door.to_owned(),
                device_id: incoming.device_id.cloned(),
                address: incoming.address.to_owned(),
                received_at: incoming.received_at,
                raw,
                updates: admitted,
                retain: incoming.retain,
            });
            position = self.append(record)?.ok();
            if position.is_some() {
                self.counters
                    .messages_accepted
                    .fetch_add(1, Ordering::Relaxed);
                self.counters
                    .values_accepted
                    .fetch_add(values as u64, Ordering::Relaxed);
            } else {
                accepted = 0;
                let what =
                    format!("the message and its {values} values are too much for one record");
                let mend = "send it as several smaller messages";
                problems.push(Problem::new("record-too-large", what, "message", mend));
            }
        }
        if position.is_none() || !problems.is_empty() {
            // When this append is refused although the first was taken, the sender sends the whole
            // message again: written twice is allowed, lost is not.
            let size_bytes = incoming.raw.len() as u64;
            position = Some(self.reject_as(incoming, size_bytes, &problems, is_personal)?);
        }
        let position = position.unwrap_or_default();
        if let Some(fingerprint) = fingerprint {
            self.duplicates.lock().remember(fingerprint, position);
        }
        Ok(Receipt {
            position,
            accepted,
            problems,
            duplicate: false,
            is_personal,
        })
    }

    /// Keeps a message of which nothing is to be believed as a dead letter, and answers its position.
    /// `size_bytes` is the size of the whole message, of which `incoming.raw` may be only the front.
    ///
    /// # Errors
    /// See [`Refusal`]; nothing was written then.
    pub fn reject(
        &self,
        incoming: Incoming<'_>,
        size_bytes: u64,
        problems: &[Problem],
    ) -> Result<u64, Refusal> {
        self.reject_as(incoming, size_bytes, problems, false)
    }

    /// [`Ingest::reject`] of a message that may hold personal data: it is kept sealed.
    ///
    /// # Errors
    /// See [`Refusal`]; also where the city has no keys. Nothing was written then.
    pub fn reject_personal(
        &self,
        incoming: Incoming<'_>,
        size_bytes: u64,
        problems: &[Problem],
    ) -> Result<u64, Refusal> {
        self.reject_as(incoming, size_bytes, problems, true)
    }

    fn reject_as(
        &self,
        incoming: Incoming<'_>,
        size_bytes: u64,
        problems: &[Problem],
        is_personal: bool,
    ) -> Result<u64, Refusal> {
        let mut letter = dead_letter(&incoming, size_bytes, problems);
        self.seals.letter(&mut letter, is_personal)?;
        let mut taken = self.append(Record::Rejected(letter))?;
        if let Err(Record::Rejected(mut letter)) = taken {
            let front = &incoming.raw[..incoming.raw.len().min(FRONT_KEPT_BYTES)];
            front.clone_into(&mut letter.raw);
            self.seals.letter(&mut letter, is_personal)?;
            taken = self.append(Record::Rejected(letter))?;
        }
        let position = taken.map_err(|_| {
            Refusal::Unavailable(
                "the journal's longest record cannot hold a dead letter".to_owned(),
            )
        })?;
        self.counters
            .messages_rejected
            .fetch_add(1, Ordering::Relaxed);
        Ok(position)
    }

    /// Hands to the journal what an MQTT topic keeps from now on; answers its position. What the message
    /// says was submitted before.
    ///
    /// # Errors
    /// See [`Refusal`]; nothing was written then.
    pub fn retain(&self, kept: Retained) -> Result<u64, Refusal> {
        self.append(Record::Retained(kept))?.map_err(|_| {
            Refusal::Unavailable(
                "the journal's longest record cannot hold a retained message".to_owned(),
            )
        })
    }

    /// Hands a correction to the journal; answers its position. Whoever asks for it has seen that the
    /// observation is there, and the new value through [`Ingest::believe`].
    ///
    /// # Errors
    /// See [`Refusal`]; nothing was written then.
    pub fn correct(&self, mut corrected: Corrected) -> Result<u64, Refusal> {
        self.seals.correction(&mut corrected, &self.catalogue())?;
        self.append(Record::Corrected(corrected))?.map_err(|_| {
            Refusal::Unavailable(
                "the journal's longest record cannot hold the correction".to_owned(),
            )
        })
    }

    /// Checks an update as [`Ingest::submit`] does, without writing anything.
    pub fn believe(&self, update: Update, now: Timestamp) -> (Option<Update>, Vec<Problem>) {
        admit(update, &self.catalogue(), &self.limits, now)
    }

    /// The record's position; the record itself when it is longer than the journal's longest record.
    fn append(&self, record: Record) -> Result<Result<u64, Record>, Refusal> {
        let encoded = record.encode();
        match self.journal.append(&encoded) {
            Ok(position) => {
                self.recent.put(position, encoded.len(), record);
                Ok(Ok(position))
            }
            Err(AppendError::TooLarge { .. }) => Ok(Err(record)),
            Err(AppendError::Busy) => Err(Refusal::Busy),
            Err(AppendError::Full) => Err(Refusal::Full),
            Err(other) => Err(Refusal::Unavailable(other.to_string())),
        }
    }
}

fn out_of_scope(scope: &Scope, entity: &EntityId) -> Option<Problem> {
    let may = match scope {
        Scope::Nothing => "no entity".to_owned(),
        Scope::Own(own) if own == entity => return None,
        Scope::Own(own) => own.to_string(),
        Scope::Any => return None,
    };
    Some(Problem::new(
        "not-yours",
        format!("the sender may write {may}, not {entity}"),
        "id",
        "send the entity that the device was registered for, or register this one",
    ))
}

fn dead_letter(incoming: &Incoming<'_>, size_bytes: u64, problems: &[Problem]) -> Rejected {
    let problem = match problems {
        [] => Problem::new(
            "empty",
            "the message says nothing",
            "message",
            "send at least one entity with one attribute",
        ),
        [one] => one.clone(),
        many => {
            let told: Vec<String> = many
                .iter()
                .take(PROBLEMS_TOLD_MAX)
                .map(|p| format!("{}: {}", p.place, p.what))
                .collect();
            Problem::new(
                &many[0].code,
                format!("{} problems: {}", many.len(), told.join("; ")),
                many[0].place.clone(),
                many[0].mend.clone(),
            )
        }
    };
    Rejected {
        door: incoming.door.to_owned(),
        device_id: incoming.device_id.cloned(),
        address: incoming.address.to_owned(),
        received_at: incoming.received_at,
        raw: incoming.raw.to_vec(),
        size_bytes,
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AttributeName, AttributeUpdate, Quality, Value};

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn payload(id: &str, value: f64, observed_at: Timestamp) -> Payload {
        Payload {
            updates: vec![Update {
                entity_id: EntityId::new(id).unwrap(),
                entity_type: TypeName::new("T").unwrap(),
                attributes: vec![AttributeUpdate {
                    name: AttributeName::new("a").unwrap(),
                    value: Value::Number(value),
                    unit: None,
                    observed_at,
                    quality: Quality::Good,
                }],
            }],
            problems: vec![],
        }
    }

    fn incoming<'a>(scope: &'a Scope, raw: &'a [u8]) -> Incoming<'a> {
        Incoming {
            door: "mqtt",
            device_id: None,
            scope,
            address: "t",
            raw,
            received_at: NOW,
            retain: false,
        }
    }

    fn ingest(dir: &std::path::Path) -> Ingest {
        let (journal, _) = Journal::open(dir, journal::Options::default()).unwrap();
        Ingest::new(journal, Arc::default(), Limits::default())
    }

    #[tokio::test]
    async fn accepted_and_refused_are_both_in_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let ingest = ingest(dir.path());
        let own = Scope::Own(EntityId::new("urn:x:1").unwrap());
        let good = ingest
            .submit(incoming(&own, b"one"), payload("urn:x:1", 1.0, NOW))
            .unwrap();
        assert_eq!((good.accepted, good.problems.len()), (1, 0));
        let bad = ingest
            .submit(incoming(&own, b"two"), payload("urn:x:2", 1.0, NOW))
            .unwrap();
        assert_eq!(
            (bad.accepted, bad.problems[0].code.as_str()),
            (0, "not-yours")
        );
        ingest.journal().wait_durable(bad.position).await.unwrap();
        let stored = ingest.journal().record(bad.position).unwrap().unwrap();
        let Record::Rejected(letter) = Record::decode(&stored).unwrap() else {
            panic!("a dead letter")
        };
        assert_eq!((letter.raw.as_slice(), letter.size_bytes), (&b"two"[..], 3));
        assert_eq!(letter.problem.code, "not-yours");
    }

    #[tokio::test]
    async fn what_no_record_can_hold_is_told_and_its_front_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let options = journal::Options {
            record_bytes_max: 100_000,
            ..journal::Options::default()
        };
        let (journal, _) = Journal::open(dir.path(), options).unwrap();
        let ingest = Ingest::new(journal, Arc::default(), Limits::default());
        let raw = vec![b'x'; 200_000];
        // Sent again for ever it would otherwise be: the sender is told "refused", not "busy".
        let receipt = ingest
            .submit(incoming(&Scope::Any, &raw), payload("urn:x:1", 1.0, NOW))
            .unwrap();
        assert_eq!(receipt.accepted, 0);
        assert_eq!(receipt.problems[0].code, "record-too-large");
        let journal = ingest.journal();
        journal.wait_durable(receipt.position).await.unwrap();
        let stored = journal.record(receipt.position).unwrap().unwrap();
        let Record::Rejected(letter) = Record::decode(&stored).unwrap() else {
            panic!("a dead letter")
        };
        assert_eq!((letter.raw.len(), letter.size_bytes), (65_536, 200_000));
    }

    #[tokio::test]
    async fn a_message_sent_again_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let ingest = ingest(dir.path());
        let earlier = NOW.plus_seconds(-5);
        let first = ingest
            .submit(
                incoming(&Scope::Any, b"m"),
                payload("urn:x:1", 1.0, earlier),
            )
            .unwrap();
        let again = ingest
            .submit(
                incoming(&Scope::Any, b"m"),
                payload("urn:x:1", 1.0, earlier),
            )
            .unwrap();
        assert!(again.duplicate);
        assert_eq!(again.position, first.position);
        let other = ingest
            .submit(
                incoming(&Scope::Any, b"m"),
                payload("urn:x:1", 2.0, earlier),
            )
            .unwrap();
        assert!(!other.duplicate);
        // Without a time of its own, an equal reading is a new reading.
        let a = ingest
            .submit(incoming(&Scope::Any, b"m"), payload("urn:x:1", 3.0, NOW))
            .unwrap();
        let b = ingest
            .submit(incoming(&Scope::Any, b"m"), payload("urn:x:1", 3.0, NOW))
            .unwrap();
        assert_ne!(a.position, b.position);
    }

    #[tokio::test]
    async fn new_types_judge_the_next_message_and_seal_what_they_call_personal() {
        let dir = tempfile::tempdir().unwrap();
        let (ingest, _) = sealing(dir.path());
        let declared = ingest.catalogue();
        ingest.set_catalogue(Arc::default());
        let open = ingest
            .submit(
                incoming(&Scope::Any, PHONE.as_bytes()),
                saying("keeperPhone", Value::Text(PHONE.into())),
            )
            .unwrap();
        assert!(!open.is_personal);
        ingest.set_catalogue(declared);
        let sealed = ingest
            .submit(
                incoming(&Scope::Any, PHONE.as_bytes()),
                saying("keeperPhone", Value::Text(PHONE.into())),
            )
            .unwrap();
        assert!(sealed.is_personal && !sealed.duplicate);
        let (bytes, _) = stored(&ingest, sealed.position).await;
        assert!(!holds(&bytes, PHONE));
        // What nobody understood is searched for their words too.
        let letter = format!("keeperPhone={PHONE}");
        let refused = ingest
            .submit(
                incoming(&Scope::Nothing, letter.as_bytes()),
                payload("urn:x:1", 1.0, NOW),
            )
            .unwrap();
        let (bytes, _) = stored(&ingest, refused.position).await;
        assert!(!holds(&bytes, PHONE));
    }

    const PHONE: &str = "13800001234";

    fn personal_catalogue() -> Arc<Catalogue> {
        use model::{AttributeKind, MaskKind, MissingUnit, Personal, ValueKind};
        let attribute = |personal, mask| AttributeKind {
            value: ValueKind::Text,
            title_zh: "属性".into(),
            title_en: "Attribute".into(),
            unit: None,
            unit_missing: MissingUnit::Assume,
            min: None,
            max: None,
            personal,
            mask,
        };
        let kind = EntityKind {
            name: "T".into(),
            title_zh: "类型".into(),
            title_en: "Type".into(),
            source: None,
            standard: None,
            attributes: [
                (
                    "keeperPhone".to_owned(),
                    attribute(Some(Personal::Personal), Some(MaskKind::Phone)),
                ),
                ("note".to_owned(), attribute(None, None)),
            ]
            .into(),
            open: true,
            history: None,
            heard_within_seconds: None,
            data_subject: Some("keeperPhone".into()),
            forecast: None,
            affected: None,
            commands: Default::default(),
        };
        Arc::new(Catalogue {
            kinds: [("T".to_owned(), kind)].into(),
            ..Catalogue::default()
        })
    }

    fn saying(attribute: &str, value: Value) -> Payload {
        let mut payload = payload("urn:x:1", 1.0, NOW);
        payload.updates[0].attributes[0].name = AttributeName::new(attribute).unwrap();
        payload.updates[0].attributes[0].value = value;
        payload
    }

    fn sealing(dir: &std::path::Path) -> (Ingest, Arc<Sealer>) {
        let draw = || rand::random();
        let keys = personal::Keys::generate(draw, personal::Cipher::Sm4Gcm, NOW);
        let sealer = Arc::new(Sealer::new(keys, draw));
        let (journal, _) = Journal::open(dir, journal::Options::default()).unwrap();
        let ingest = Ingest::new(journal, personal_catalogue(), Limits::default());
        (ingest.with_sealer(Arc::clone(&sealer)), sealer)
    }

    async fn stored(ingest: &Ingest, position: u64) -> (Vec<u8>, Record) {
        ingest.journal().wait_durable(position).await.unwrap();
        let bytes = ingest.journal().record(position).unwrap().unwrap().to_vec();
        let record = Record::decode(&bytes).unwrap();
        (bytes, record)
    }

    fn holds(bytes: &[u8], text: &str) -> bool {
        memchr::memmem::find(bytes, text.as_bytes()).is_some()
    }

    #[tokio::test]
    async fn what_speaks_of_a_person_is_sealed_with_its_message() {
        let dir = tempfile::tempdir().unwrap();
        let (ingest, sealer) = sealing(dir.path());
        let said = saying("keeperPhone", Value::Text(PHONE.into()));
        let receipt = ingest
            .submit(incoming(&Scope::Any, PHONE.as_bytes()), said)
            .unwrap();
        assert!(receipt.is_personal && receipt.accepted == 1);
        let (bytes, record) = stored(&ingest, receipt.position).await;
        assert!(!holds(&bytes, PHONE));
        let Record::Accepted(accepted) = record else {
            panic!("taken")
        };
        let Value::Text(sealed) = &accepted.updates[0].attributes[0].value else {
            panic!("sealed text")
        };
        let opened = sealer.open("urn:x:1", "keeperPhone", sealed).unwrap();
        assert_eq!(opened.text, PHONE);
        let raw = sealer
            .open_message("mqtt", "t", NOW, &accepted.raw)
            .unwrap();
        assert_eq!(raw, PHONE.as_bytes());
        // What is of nobody stays as it came, and taking an attribute away says nothing of anybody.
        let receipt = ingest
            .submit(
                incoming(&Scope::Any, b"n"),
                saying("note", Value::Text("n".into())),
            )
            .unwrap();
        assert!(!receipt.is_personal);
        let (_, record) = stored(&ingest, receipt.position).await;
        assert!(matches!(record, Record::Accepted(a) if a.raw == b"n"));
        let gone = saying("keeperPhone", Value::Deleted);
        let receipt = ingest.submit(incoming(&Scope::Any, b"g"), gone).unwrap();
        let (_, record) = stored(&ingest, receipt.position).await;
        assert!(
            matches!(record, Record::Accepted(a) if a.updates[0].attributes[0].value == Value::Deleted)
        );
    }

    #[tokio::test]
    async fn a_text_that_looks_sealed_is_plain_text_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (ingest, sealer) = sealing(dir.path());
        let sealed = sealer.seal("urn:x:1", "keeperPhone", &Value::Text(PHONE.into()));
        let forged = Value::Text(sealed.unwrap().unwrap());
        let receipt = ingest
            .submit(
                incoming(&Scope::Any, b"f"),
                saying("keeperPhone", forged.clone()),
            )
            .unwrap();
        let (_, record) = stored(&ingest, receipt.position).await;
        let Record::Accepted(accepted) = record else {
            panic!("taken")
        };
        let Value::Text(twice) = &accepted.updates[0].attributes[0].value else {
            panic!("sealed text")
        };
        let opened = sealer.open("urn:x:1", "keeperPhone", twice).unwrap();
        assert_eq!(Value::Text(opened.text), forged, "as plain text");
        for attribute in ["note", "undeclared"] {
            let receipt = ingest
                .submit(
                    incoming(&Scope::Any, b"f"),
                    saying(attribute, forged.clone()),
                )
                .unwrap();
            assert_eq!(receipt.problems[0].code, "text-reserved", "{attribute}");
        }
    }

    #[tokio::test]
    async fn dead_letters_that_may_speak_of_a_person_are_sealed_and_say_no_value() {
        let dir = tempfile::tempdir().unwrap();
        let (ingest, sealer) = sealing(dir.path());
        let raw = PHONE.as_bytes();
        // Of a wrong type, of somebody else's entity, not understood but named, too long for a record.
        let number = saying("keeperPhone", Value::Number(13_800_001_234.0));
        let wrong = ingest.submit(incoming(&Scope::Any, raw), number).unwrap();
        assert_eq!(wrong.problems[0].code, "wrong-type");
        let said = saying("keeperPhone", Value::Text(PHONE.into()));
        let own = Scope::Own(EntityId::new("urn:x:2").unwrap());
        let foreign = ingest.submit(incoming(&own, raw), said).unwrap();
        let cut = format!("{{\"keeperPhone\":\"{PHONE}");
        let problem = Problem::new("json-syntax", "cut off", "line 1", "send it whole");
        let named = Payload::refused(problem.clone());
        let named = ingest
            .submit(incoming(&Scope::Any, cut.as_bytes()), named)
            .unwrap();
        for position in [wrong.position, foreign.position, named.position] {
            let (bytes, record) = stored(&ingest, position).await;
            assert!(!holds(&bytes, PHONE), "{position}");
            let Record::Rejected(letter) = record else {
                panic!("a dead letter")
            };
            let raw = sealer.open_message("mqtt", "t", NOW, &letter.raw).unwrap();
            assert!(holds(&raw, PHONE));
            assert!(letter.size_bytes < 100, "of the message as it came");
        }
        let other = Payload::refused(problem);
        let other = ingest.submit(incoming(&Scope::Any, b"{"), other).unwrap();
        let (_, record) = stored(&ingest, other.position).await;
        assert!(matches!(record, Record::Rejected(letter) if letter.raw == b"{"));
    }

    #[tokio::test]
    async fn a_correction_is_sealed_and_without_keys_nothing_personal_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (ingest, sealer) = sealing(dir.path());
        let corrected = Corrected {
            entity_id: EntityId::new("urn:x:1").unwrap(),
            entity_type: TypeName::new("T").unwrap(),
            attribute: AttributeName::new("keeperPhone").unwrap(),
            observed_at: NOW,
            supersedes: 0,
            old_value: Value::Text("13800004321".into()),
            old_unit: None,
            old_quality: Quality::Good,
            value: Some(Value::Text(PHONE.into())),
            unit: None,
            reason: "r".into(),
            by: model::Corrector {
                kind: "user".into(),
                id: "1".into(),
                name: "n".into(),
                peer: String::new(),
            },
            received_at: NOW,
            raw: PHONE.into(),
        };
        let position = ingest.correct(corrected).unwrap();
        let (bytes, record) = stored(&ingest, position).await;
        assert!(!holds(&bytes, PHONE) && !holds(&bytes, "13800004321"));
        let Record::Corrected(kept) = record else {
            panic!("a correction")
        };
        let Some(Value::Text(sealed)) = kept.value else {
            panic!("sealed text")
        };
        assert_eq!(
            sealer.open("urn:x:1", "keeperPhone", &sealed).unwrap().text,
            PHONE
        );
        let other = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(other.path(), journal::Options::default()).unwrap();
        let without = Ingest::new(journal, personal_catalogue(), Limits::default());
        let said = saying("keeperPhone", Value::Text(PHONE.into()));
        let refused = without.submit(incoming(&Scope::Any, b"m"), said);
        assert!(refused.unwrap_err().to_string().contains("no key"));
    }
}
