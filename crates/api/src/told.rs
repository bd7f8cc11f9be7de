//! Who was told of an alert (告警通知了谁): of its raising, of the places that it came to reach, and of those that nobody answers for; over
//! which channels, for which places of theirs, and when they took note.

use crate::affected::retain_seen;
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, State};
use model::Timestamp;
use notice::Event;
use notice::reach::{TIMES_MAX, nobody_key, reached_key};
use records::notices::{self, EventRow, Message, PAGE};
use records::{Connection, Failure, users};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most messages of one event that are looked at.
const MESSAGES_MAX: u32 = 5_000;

/// What became of it on one channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldChannel {
    /// The channel's id; `page` are the pages.
    pub channel: String,
    /// `queued`, `sent`, `delivered`, `read`, `failed`, `expired` or `folded`.
    pub state: String,
}

/// A place.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldPlace {
    /// The entity.
    pub id: String,
    /// What it is called in Chinese.
    pub name_zh: String,
    /// What it is called in English.
    pub name_en: String,
}

/// A person who was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldPerson {
    /// Their name.
    pub name: String,
    /// From 1: above 1, nobody before had answered.
    pub level: i64,
    /// Over which channels, and what became of it.
    pub channels: Vec<ToldChannel>,
    /// When they were told first.
    pub told_at: String,
    /// When they took note; null while they did not.
    pub confirmed_at: Option<String>,
    /// The places that were reached and that they answer for.
    pub places: Vec<ToldPlace>,
}

/// Something of an alert that people were told of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldEvent {
    /// `alert.raised`, `alert.reached` or `alert.nobody-responsible`.
    pub kind: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What happened, in English.
    pub title_en: String,
    /// When.
    pub at: String,
    /// The places that it is about, of those that the caller may see: of `alert.nobody-responsible` those that nobody answers for.
    pub places: Vec<ToldPlace>,
    /// Who was told, the first first.
    pub people: Vec<ToldPerson>,
}

/// Who was told of an alert, and who took note. Empty where no rule tells of it, or where it is kept no more.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/told", tag = "alerts", security(("session" = ["alert.read"])),
    params(("id" = i64, Path)), responses((status = 200, body = Vec<ToldEvent>), (status = 404, body = ProblemBody)))]
pub async fn told(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Json<Vec<ToldEvent>>> {
    let alert = app.cases.alert(id).await?;
    if !sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute) {
        return Err(ApiError::not_found("alert", id));
    }
    let mut read = app.records.read().await?;
    let mut rows = Vec::new();
    rows.extend(with_gap(&mut read, &format!("alert:{id}")).await?);
    for time in 1..=TIMES_MAX {
        let found = with_gap(&mut read, &reached_key(id, time)).await?;
        if found.is_empty() {
            break;
        }
        rows.extend(found);
    }
    let mut events = Vec::new();
    for row in rows {
        events.push(event_of(&app, &sight, &mut read, row).await?);
    }
    Ok(Json(events))
}

/// An event by its key, and the one that nobody answers for some of its places.
async fn with_gap(read: &mut Connection, key: &str) -> Result<Vec<EventRow>, Failure> {
    let event = notices::event_of_key(read, key).await?;
    let gap = match event {
        Some(_) => notices::event_of_key(read, &nobody_key(key)).await?,
        None => None,
    };
    Ok(event.into_iter().chain(gap).collect())
}

async fn event_of(
    app: &App,
    sight: &Sight,
    read: &mut Connection,
    row: EventRow,
) -> Result<ToldEvent, Failure> {
    let mut event: Event = serde_json::from_value(row.document).unwrap_or_default();
    retain_seen(app, sight, &mut event.affected);
    let mut of_people: BTreeMap<i64, Vec<Message>> = BTreeMap::new();
    for message in notices::messages_of(read, row.id, MESSAGES_MAX).await? {
        if let Some(user) = message.user_id {
            of_people.entry(user).or_default().push(message);
        }
    }
    let mut people: Vec<(Timestamp, ToldPerson)> = Vec::new();
    for (user, messages) in of_people {
        let Some(first) = messages.iter().map(|message| message.created_at).min() else {
            continue;
        };
        let name = users::get(read, user).await?.map(|user| user.name);
        let read_at = messages.iter().filter_map(|message| message.read_at).min();
        let places = event.affected.iter().flat_map(|of| &of.reached);
        let own = places.filter(|place| place.people.contains(&user));
        let mut channels: Vec<ToldChannel> = Vec::new();
        for message in &messages {
            // Two rules tell over the same channel: the person sees one of each.
            if channels
                .iter()
                .all(|known| known.channel != message.channel)
            {
                let is_read = message.channel == PAGE && message.read_at.is_some();
                channels.push(ToldChannel {
                    channel: message.channel.clone(),
                    state: match is_read {
                        true => notices::READ.to_owned(),
                        false => message.state.clone(),
                    },
                });
            }
        }
        let person = ToldPerson {
            name: name.unwrap_or_else(|| format!("#{user}")),
            level: messages.iter().map(|m| m.level).min().unwrap_or(0) + 1,
            channels,
            told_at: first.to_string(),
            confirmed_at: read_at.map(|at| at.to_string()),
            places: own.map(place_of).collect(),
        };
        people.push((first, person));
    }
    people.sort_by_key(|(at, _)| *at);
    let places = event.affected.iter().flat_map(|of| &of.reached);
    Ok(ToldEvent {
        kind: event.kind,
        title_zh: row.title_zh,
        title_en: row.title_en,
        at: row.at.to_string(),
        places: places.map(place_of).collect(),
        people: people.into_iter().map(|(_, person)| person).collect(),
    })
}

fn place_of(place: &notice::Place) -> ToldPlace {
    ToldPlace {
        id: place.id.clone(),
        name_zh: place.name_zh.clone(),
        name_en: place.name_en.clone(),
    }
}
