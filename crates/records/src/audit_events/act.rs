//! An act as it is written into the trail: its word, and whether its detail is as the catalogue says.

use super::Event;

/// An act as it is written: an [`Event`], and of a family the last part of its word.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    event: Event,
    step: Option<&'a str>,
}

impl From<Event> for Act<'_> {
    fn from(event: Event) -> Self {
        Self { event, step: None }
    }
}

impl Event {
    /// The act of a family whose word ends so.
    pub const fn step(self, step: &str) -> Act<'_> {
        Act {
            event: self,
            step: Some(step),
        }
    }
}

impl Act<'_> {
    /// Its word; `None` when a family's last part is missing, where there is no family, or not a plain word.
    pub(crate) fn word(&self) -> Option<String> {
        let action = self.event.entry().action;
        match (action.strip_suffix('*'), self.step) {
            (None, None) => Some(action.to_owned()),
            (Some(begin), Some(step)) => {
                // A city's own pack may name its steps in Chinese.
                let plain = |c: char| c.is_alphanumeric() || "-_".contains(c);
                let is_word = !step.is_empty() && step.chars().all(plain);
                is_word.then(|| format!("{begin}{step}"))
            }
            _ => None,
        }
    }

    /// What of a detail is not as the catalogue says.
    pub(crate) fn misfit(&self, detail: &serde_json::Value) -> Option<String> {
        let Some(object) = detail.as_object() else {
            return Some("the detail is not an object".to_owned());
        };
        let fields = self.event.entry().fields;
        let unknown = object
            .keys()
            .find(|key| fields.iter().all(|f| f.name != **key));
        let missing = fields
            .iter()
            .find(|f| !f.optional && !object.contains_key(f.name));
        match (unknown, missing) {
            (Some(key), _) => Some(format!("the field {key} is not in the catalogue")),
            (_, Some(field)) => Some(format!("the field {} is missing", field.name)),
            (None, None) => None,
        }
    }
}
