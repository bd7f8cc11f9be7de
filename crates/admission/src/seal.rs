//! Personal data on its way in: the values of personal attributes are sealed, and the message that said them, so that
//! neither the journal nor anything that follows it ever holds them as they came.

use crate::ingest::Refusal;
use model::{AttributeUpdate, Catalogue, Corrected, EntityKind, Problem, Rejected, Update, Value};
use parking_lot::RwLock;
use personal::Sealer;
use std::sync::Arc;

/// Seals for the way in.
pub struct Seals {
    sealer: Option<Arc<Sealer>>,
    /// Names of personal attributes: what a message that nobody understood is searched for.
    words: RwLock<Vec<String>>,
}

/// Whether any of these attributes is personal.
pub fn names_personal(kind: Option<&EntityKind>, attributes: &[AttributeUpdate]) -> bool {
    let is_personal = |kind: &EntityKind, a: &AttributeUpdate| {
        let declared = kind.attributes.get(a.name.as_str());
        declared.is_some_and(|d| d.personal.is_some())
    };
    kind.is_some_and(|kind| attributes.iter().any(|a| is_personal(kind, a)))
}

fn refused(problem: &Problem) -> Refusal {
    Refusal::Unavailable(problem.to_string())
}

impl Seals {
    pub fn new(sealer: Option<Arc<Sealer>>, catalogue: &Catalogue) -> Self {
        let seals = Self {
            sealer,
            words: RwLock::default(),
        };
        seals.look_for(catalogue);
        seals
    }

    /// Messages that nobody understood are searched for the personal attributes of these types from now on.
    pub fn look_for(&self, catalogue: &Catalogue) {
        let mut words = Vec::new();
        for kind in catalogue.kinds.values().filter(|k| k.is_personal()) {
            let personal = kind.attributes.iter().filter(|(_, a)| a.personal.is_some());
            words.extend(personal.map(|(name, _)| name.clone()));
        }
        words.sort_unstable();
        words.dedup();
        *self.words.write() = words;
    }

    fn sealer(&self) -> Result<&Sealer, Refusal> {
        self.sealer.as_deref().ok_or_else(|| {
            refused(&Problem::new(
                "personal-no-keys",
                "the message holds personal data and there is no key to seal it under",
                "secrets/personal-keys.json",
                "put the keys back from an encrypted backup; the sender keeps the message",
            ))
        })
    }

    /// Seals the personal values of updates in their place.
    pub fn updates(&self, updates: &mut [Update], catalogue: &Catalogue) -> Result<(), Refusal> {
        let sealer = self.sealer()?;
        for update in updates {
            let Some(kind) = catalogue.kinds.get(update.entity_type.as_str()) else {
                continue;
            };
            for attribute in &mut update.attributes {
                let declared = kind.attributes.get(attribute.name.as_str());
                if declared.is_some_and(|d| d.personal.is_some()) {
                    let (entity, name) = (update.entity_id.as_str(), attribute.name.as_str());
                    let sealed = sealer.seal(entity, name, &attribute.value);
                    if let Some(sealed) = sealed.map_err(|p| refused(&p))? {
                        attribute.value = Value::Text(sealed);
                    }
                }
            }
        }
        Ok(())
    }

    /// The sealed form of a message.
    pub fn message(
        &self,
        door: &str,
        address: &str,
        received_at: model::Timestamp,
        raw: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let sealed = self.sealer()?.seal_message(door, address, received_at, raw);
        sealed.map_err(|p| refused(&p))
    }

    /// Seals a dead letter that is known to speak of somebody, or that names an attribute that does.
    pub fn letter(&self, letter: &mut Rejected, is_personal: bool) -> Result<(), Refusal> {
        if is_personal || self.is_named(&letter.raw) {
            letter.raw = self.message(
                &letter.door,
                &letter.address,
                letter.received_at,
                &letter.raw,
            )?;
        }
        Ok(())
    }

    /// Seals what a person corrects.
    pub fn correction(
        &self,
        corrected: &mut Corrected,
        catalogue: &Catalogue,
    ) -> Result<(), Refusal> {
        let (kind, name) = (corrected.entity_type.as_str(), corrected.attribute.as_str());
        let declared = catalogue.attribute(kind, name);
        if declared.is_none_or(|d| d.personal.is_none()) {
            return Ok(());
        }
        let sealer = self.sealer()?;
        let entity = corrected.entity_id.as_str();
        let seal = |value: &Value| sealer.seal(entity, name, value).map_err(|p| refused(&p));
        if let Some(value) = &mut corrected.value
            && let Some(sealed) = seal(value)?
        {
            *value = Value::Text(sealed);
        }
        // History gave the old one: sealed, unless it is from before the attribute was marked.
        let is_sealed = |v: &Value| matches!(v, Value::Text(t) if personal::is_sealed(t));
        if !is_sealed(&corrected.old_value)
            && let Some(sealed) = seal(&corrected.old_value)?
        {
            corrected.old_value = Value::Text(sealed);
        }
        let (at, raw) = (corrected.received_at, &corrected.raw);
        corrected.raw = self.message(model::CORRECTION_DOOR, "", at, raw)?;
        Ok(())
    }

    fn is_named(&self, raw: &[u8]) -> bool {
        self.words
            .read()
            .iter()
            .any(|word| memchr::memmem::find(raw, word.as_bytes()).is_some())
    }
}
