//! Which messages an event means for a level of a rule, and when each is sent. Pure.

use crate::event::Event;
use crate::quiet::{self, Hours};
use crate::rule::Rule;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::Calendars;
use records::notices::{Message, PAGE, QUEUED, SENT};

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The person.
    pub user_id: i64,
    /// Their own quiet hours.
    pub quiet: Option<Hours>,
}

/// What the city's time is.
#[derive(Clone, Copy, Debug)]
pub struct Times<'a> {
    /// Its calendars.
    pub calendars: &'a Calendars,
    /// Its zone.
    pub zone: &'a TimeZone,
}

/// The messages. `is_system` says of a channel whether it speaks with a system rather than with people: then there is one
/// message, whoever the people are. An event that is over its time is shown on the pages alone, and so is one of a drill,
/// also where the rule names no page.
pub fn messages(
    (event_id, event): (i64, &Event),
    (rule, level): (&Rule, usize),
    people: &[Recipient],
    is_system: impl Fn(&str) -> bool,
    times: Times<'_>,
    now: Timestamp,
) -> Vec<Message> {
    let Some(told) = rule.levels.get(level) else {
        return Vec::new();
    };
    // A level that is told late still has its time.
    let expires_at = match level {
        0 => event.at.plus_seconds(rule.expire_s()),
        _ => now.plus_seconds(rule.expire_s()),
    };
    let urgent = event.is_urgent();
    let mut messages = Vec::new();
    let level_column = i64::try_from(level).unwrap_or(i64::MAX);
    let mut add = |channel: &str, user_id: Option<i64>, next_at: Timestamp| {
        let is_page = channel == PAGE;
        let to = user_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        messages.push(Message {
            id: 0,
            key: format!("{}/{}/{level}/{channel}/{to}", event.key, rule.id),
            event_id,
            rule_id: rule.id.clone(),
            level: level_column,
            channel: channel.to_owned(),
            user_id,
            urgent,
            state: if is_page { SENT } else { QUEUED }.to_owned(),
            attempts: 0,
            next_at,
            expires_at: expires_at.max(next_at.plus_seconds(60)),
            created_at: now,
            sent_at: is_page.then_some(now),
            delivered_at: None,
            read_at: None,
            provider_id: None,
            error: None,
            folded_into: None,
        });
    };
    let mut after = 0;
    let pages_alone = [PAGE.to_owned()];
    let channels = match event.drill {
        true => &pages_alone[..],
        false => &told.channels,
    };
    for channel in channels {
        if channel == PAGE {
            for person in people {
                add(channel, Some(person.user_id), now);
            }
            continue;
        }
        let at = now.plus_seconds(after * 60);
        after += told.channel_minutes;
        if expires_at <= now {
            continue;
        }
        if is_system(channel) {
            add(channel, None, at);
            continue;
        }
        for person in people {
            let next_at = match urgent {
                true => at,
                false => quiet::over(
                    rule.quiet.as_ref(),
                    person.quiet,
                    at,
                    times.calendars,
                    times.zone,
                ),
            };
            add(channel, Some(person.user_id), next_at);
        }
    }
    messages
}
