//! What still needs a key of personal data: how many values and messages are stored under it, and where. Found by looking
//! through the stores themselves, beside a running city or without one; nothing is written down that could be wrong.
//!
//! The journal goes first: what it loses meanwhile was in history's files before, which are looked through after it.

use crate::folder::Folder;
use crate::reseal::MARK;
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow};
use model::{Record, Timestamp};
use records::{Records, corrections, duty_acts, notices, open311};
use serde::Serialize;
use std::collections::BTreeMap;
use twin::{Filter, Twin};

/// Records of the journal read at a time.
const RECORDS_A_STEP: usize = 4_096;
/// Entities of the current state looked at together.
const ENTITIES_A_STEP: usize = 2_048;
const DAY_S: i64 = 86_400;

/// What is stored under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Files of history with values under it.
    pub history_files: u64,
    /// Values in them.
    pub history_values: u64,
    /// Values in the current state's checkpoint.
    pub twin_values: u64,
    /// Values in corrections.
    pub corrections: u64,
    /// Contacts of people, and of those who report through Open311.
    pub contacts: u64,
    /// Records of the journal that hold a value or a message under it.
    pub journal_records: u64,
    /// When the last of these came.
    #[serde(serialize_with = "as_text")]
    pub journal_last: Option<Timestamp>,
    /// The earliest time at which the journal gives that one up; none while `journal.keep_days` is 0, when size alone decides.
    #[serde(serialize_with = "as_text")]
    pub journal_until: Option<Timestamp>,
}

fn as_text<S: serde::Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(to)
}

impl Need {
    /// Whether nothing needs the key.
    pub fn is_nothing(&self) -> bool {
        let values = self.history_values + self.twin_values + self.corrections + self.contacts;
        values + self.journal_records == 0
    }

    /// The stores that need it, in words; English, as the command line speaks.
    pub fn stores(&self) -> Vec<String> {
        let mut stores = Vec::new();
        if self.history_values > 0 {
            stores.push(format!(
                "history: {} values in {} files, which a running city seals anew by itself",
                self.history_values, self.history_files
            ));
        }
        if self.twin_values > 0 {
            stores.push(format!(
                "current state: {} values, which a running city seals anew by itself",
                self.twin_values
            ));
        }
        if self.corrections > 0 {
            stores.push(format!(
                "corrections: {} values, which a running city seals anew by itself",
                self.corrections
            ));
        }
        if self.contacts > 0 {
            stores.push(format!(
                "contacts: {} values, which a running city seals anew by itself",
                self.contacts
            ));
        }
        if self.journal_records > 0 {
            let last = self
                .journal_last
                .map_or("an unknown time".to_owned(), |at| at.to_string());
            let until = self.journal_until.map_or(String::new(), |until| {
                format!("until {until} at least (journal.keep_days), and ")
            });
            stores.push(format!(
                "journal: {} records, the last of {last}; they stay {until}while they are among the newest journal.keep_gib",
                self.journal_records
            ));
        }
        stores
    }
}

/// What each key is needed for, by its id; keys that nothing is under are not there.
///
/// # Errors
/// What keeps a store from being read: then nobody knows, and no key goes.
pub async fn count(
    folder: &Folder,
    settings: &Settings,
    records: &Records,
) -> Result<BTreeMap<String, Need>> {
    let mut needs: BTreeMap<String, Need> = BTreeMap::new();
    in_journal(folder, settings, &mut needs)?;
    let lake = lake::under_keys(&folder.lake(), MARK, personal::key_of);
    for (key, under) in lake.map_err(|p| anyhow!("{p}"))? {
        let need = needs.entry(key).or_default();
        (need.history_files, need.history_values) = (under.files, under.values);
    }
    in_twin(folder, &mut needs)?;
    let mut read = records.read().await?;
    let in_records = corrections::values_by_key(&mut read, MARK, personal::keys_within).await?;
    for (key, values) in in_records {
        needs.entry(key).or_default().corrections = values;
    }
    for contact in notices::all_contacts(&mut read).await? {
        if let Some(key) = personal::key_of(&contact.sealed) {
            needs.entry(key.to_owned()).or_default().contacts += 1;
        }
    }
    for contact in duty_acts::contacts(&mut read, None, u32::MAX).await? {
        if let Some(key) = personal::key_of(&contact.sealed) {
            needs.entry(key.to_owned()).or_default().contacts += 1;
        }
    }
    for request in open311::with_contact(&mut read).await? {
        if let Some(key) = request.contact.as_deref().and_then(personal::key_of) {
            needs.entry(key.to_owned()).or_default().contacts += 1;
        }
    }
    Ok(needs)
}

fn in_journal(
    folder: &Folder,
    settings: &Settings,
    needs: &mut BTreeMap<String, Need>,
) -> Result<()> {
    if !folder.journal().is_dir() {
        return Ok(());
    }
    let mut last: BTreeMap<String, bytes::Bytes> = BTreeMap::new();
    let mut reader = journal::open_read_only(folder.journal())?;
    reader.seek(reader.first_position());
    loop {
        let records = match reader.next_batch(RECORDS_A_STEP) {
            Err(journal::ReadError::Damaged(damage)) => {
                // Nobody can read what is there, whatever key it was under.
                eprintln!("not looked through: {damage}");
                continue;
            }
            read => read?,
        };
        if records.is_empty() {
            break;
        }
        for (_, bytes) in records {
            for key in personal::keys_within(&bytes) {
                needs.entry(key.clone()).or_default().journal_records += 1;
                last.insert(key, bytes.clone());
            }
        }
    }
    let keep_days = i64::from(settings.journal.keep_days);
    for (key, bytes) in last {
        let need = needs.entry(key).or_default();
        let received_at = match Record::decode(&bytes).context("a record of the journal")? {
            Record::Accepted(accepted) => accepted.received_at,
            Record::Rejected(rejected) => rejected.received_at,
            Record::Corrected(corrected) => corrected.received_at,
            // What is retained was accepted, and holds nothing sealed.
            Record::Retained(_) => continue,
        };
        need.journal_last = Some(received_at);
        if keep_days > 0 {
            need.journal_until = Some(received_at.plus_seconds(keep_days * DAY_S));
        }
    }
    Ok(())
}

fn in_twin(folder: &Folder, needs: &mut BTreeMap<String, Need>) -> Result<()> {
    let twin = Twin::restore(&folder.twin_checkpoint())?;
    let mut after = None;
    loop {
        let page = Filter {
            limit: ENTITIES_A_STEP,
            after,
            ..Filter::default()
        };
        let next = twin.visit(&page, |entity| {
            for (_, attribute) in entity.attributes() {
                if let Some(key) = attribute.value.as_text().and_then(personal::key_of) {
                    needs.entry(key.to_owned()).or_default().twin_values += 1;
                }
            }
        });
        match next {
            Some(id) => after = Some(id.to_string()),
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_key_is_told_with_where_and_until_when() {
        assert!(Need::default().is_nothing());
        assert!(Need::default().stores().is_empty());
        let at = Timestamp::from_seconds(1_800_000_000);
        let need = Need {
            history_files: 2,
            history_values: 40,
            twin_values: 3,
            corrections: 1,
            contacts: 2,
            journal_records: 7,
            journal_last: Some(at),
            journal_until: None,
        };
        assert!(!need.is_nothing());
        let told = need.stores().join("\n");
        for part in [
            "40 values in 2 files",
            "current state: 3",
            "corrections: 1",
            "7 records",
            "keep_gib",
        ] {
            assert!(told.contains(part), "{told}");
        }
        let need = Need {
            journal_records: 1,
            journal_last: Some(at),
            journal_until: Some(at.plus_seconds(DAY_S)),
            ..Need::default()
        };
        let told = need.stores().join("\n");
        assert!(told.contains(&at.plus_seconds(DAY_S).to_string()), "{told}");
        let json = serde_json::to_value(&need).unwrap();
        assert_eq!(json["journal_last"], at.to_string());
    }
}
