//! That nobody is flooded: limits of a channel and of a person, and many messages told in one. Pure.

use model::Timestamp;
use records::notices::Message;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Limits of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most messages a minute over the channel, urgent ones included.
    pub per_minute_max: i64,
    /// Most messages to one person in `person_seconds`; urgent ones pass.
    pub per_person_max: i64,
    /// That time, seconds.
    pub person_seconds: i64,
    /// More than so many that wait for one person are told in one message.
    pub fold_above: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_minute_max: 60,
            per_person_max: 5,
            person_seconds: 600,
            fold_above: 3,
        }
    }
}

/// What is done with a message that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is sent, and tells of the others too.
    Send {
        /// The message.
        id: i64,
        /// Those told within it.
        fold: Vec<i64>,
    },
    /// It waits.
    Wait {
        /// The message.
        id: i64,
        /// Until then.
        until: Timestamp,
    },
}

/// What is done with the messages of one channel that are due. `sent` is what the channel took in the last minute;
/// `sent_to` what each person got in the last `person_seconds`.
pub fn decide(
    due: &[Message],
    sent: i64,
    sent_to: &BTreeMap<i64, i64>,
    limits: &Limits,
    now: Timestamp,
) -> Vec<Step> {
    let mut left = (limits.per_minute_max - sent).max(0);
    let mut steps = Vec::new();
    let mut of_people: BTreeMap<i64, Vec<&Message>> = BTreeMap::new();
    let mut at_once = Vec::new();
    for message in due {
        match message.user_id {
            // A message that was tried before stays as it was: what it tells of is known to its receiver by its key.
            Some(user) if !message.urgent && message.attempts == 0 => {
                of_people.entry(user).or_default().push(message);
            }
            _ => at_once.push(message),
        }
    }
    let mut take = || {
        let may = left > 0;
        left -= i64::from(may);
        may
    };
    let next_minute = now.plus_seconds(60);
    for message in at_once {
        let id = message.id;
        steps.push(match take() {
            true => Step::Send {
                id,
                fold: Vec::new(),
            },
            false => Step::Wait {
                id,
                until: next_minute,
            },
        });
    }
    for (user, waiting) in of_people {
        let had = sent_to.get(&user).copied().unwrap_or(0);
        let may = (limits.per_person_max - had).max(0);
        let count = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
        let ids: Vec<i64> = waiting.iter().map(|m| m.id).collect();
        if may == 0 {
            let until = now.plus_seconds(limits.person_seconds.clamp(1, 60));
            steps.extend(ids.into_iter().map(|id| Step::Wait { id, until }));
        } else if count > may || waiting.len() > limits.fold_above {
            let Some((&first, rest)) = ids.split_first() else {
                continue;
            };
            if take() {
                steps.push(Step::Send {
                    id: first,
                    fold: rest.to_vec(),
                });
            } else {
                steps.extend(ids.iter().map(|&id| Step::Wait {
                    id,
                    until: next_minute,
                }));
            }
        } else {
            for id in ids {
                steps.push(match take() {
                    true => Step::Send {
                        id,
                        fold: Vec::new(),
                    },
                    false => Step::Wait {
                        id,
                        until: next_minute,
                    },
                });
            }
        }
    }
    steps
}
