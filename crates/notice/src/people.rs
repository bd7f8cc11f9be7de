//! Whom a level means at a moment: persons, holders of posts, roles, and of an organisation whoever is on duty by its roster;
//! where the roster names nobody then, who holds its posts; without any, its people.

use crate::event::Event;
use crate::plan::Recipient;
use crate::quiet::Hours;
use crate::rule::{Level, Target};
use model::Timestamp;
use records::users::{self, PeopleFilter, User};
use records::{Connection, PageRequest, Result, duty, notices, posts};
use std::collections::BTreeMap;

/// Most people that one level tells.
pub const PEOPLE_MAX: usize = 500;

/// The people of a level, by id; those whose sign-in is closed are not told.
///
/// # Errors
/// The records' own.
pub async fn of_level(
    connection: &mut Connection,
    level: &Level,
    event: &Event,
    now: Timestamp,
) -> Result<Vec<User>> {
    let mut people: BTreeMap<i64, User> = BTreeMap::new();
    for target in &level.to {
        let found = match target {
            Target::Person(id) => person(connection, Some(*id)).await?,
            Target::Assignee => person(connection, event.assignee_id).await?,
            Target::Post(id) => of_post(connection, id, now).await?,
            Target::Organisation(id) => of_organisation(connection, Some(id), now).await?,
            Target::Responsible => {
                of_organisation(connection, event.organisation_id.as_deref(), now).await?
            }
            Target::Role(role) => {
                let filter = PeopleFilter {
                    role: Some(role.clone()),
                    ..PeopleFilter::default()
                };
                search(connection, &filter, now).await?
            }
        };
        people.extend(found.into_iter().map(|user| (user.id, user)));
    }
    // Whoever did it knows.
    people.retain(|id, user| !user.disabled && event.actor_id != Some(*id));
    Ok(people.into_values().take(PEOPLE_MAX).collect())
}

/// With their quiet hours.
///
/// # Errors
/// The records' own.
pub async fn with_quiet_hours(
    connection: &mut Connection,
    people: &[User],
) -> Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    for user in people {
        let hours = notices::quiet_hours(connection, user.id).await?;
        recipients.push(Recipient {
            user_id: user.id,
            quiet: hours.map(|(from_minute, until_minute)| Hours {
                from_minute,
                until_minute,
            }),
        });
    }
    Ok(recipients)
}

async fn person(connection: &mut Connection, id: Option<i64>) -> Result<Vec<User>> {
    match id {
        Some(id) => Ok(users::get(connection, id).await?.into_iter().collect()),
        None => Ok(Vec::new()),
    }
}

async fn of_post(connection: &mut Connection, id: &str, now: Timestamp) -> Result<Vec<User>> {
    let open = posts::get(connection, id)
        .await?
        .is_some_and(|post| !post.disabled);
    let mut people = Vec::new();
    if open {
        for holder in posts::holders(connection, None, now).await? {
            if holder.post_id == id && holder.holds(now) {
                people.extend(users::get(connection, holder.user_id).await?);
            }
        }
    }
    Ok(people)
}

async fn of_organisation(
    connection: &mut Connection,
    id: Option<&str>,
    now: Timestamp,
) -> Result<Vec<User>> {
    let Some(id) = id else {
        return Ok(Vec::new());
    };
    let mut people = Vec::new();
    for user in duty::people_on_duty(connection, id, now)
        .await?
        .unwrap_or_default()
    {
        people.extend(users::get(connection, user).await?);
    }
    if people.iter().any(|user| !user.disabled) {
        return Ok(people);
    }
    people.clear();
    for user in posts::people_of(connection, id, now).await? {
        people.extend(users::get(connection, user).await?);
    }
    if people.iter().all(|user| user.disabled) {
        let filter = PeopleFilter {
            organisation_id: Some(id.to_owned()),
            ..PeopleFilter::default()
        };
        people = search(connection, &filter, now).await?;
    }
    Ok(people)
}

async fn search(
    connection: &mut Connection,
    filter: &PeopleFilter,
    now: Timestamp,
) -> Result<Vec<User>> {
    let page = PageRequest {
        after: None,
        limit: Some(u32::try_from(PEOPLE_MAX).unwrap_or(u32::MAX)),
    };
    Ok(users::search(connection, filter, now, &page).await?.items)
}
