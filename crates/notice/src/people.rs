//! Whom a level means at a moment: persons, holders of posts, roles, and of an organisation whoever is on duty by its roster;
//! where the roster names nobody then, who holds its posts; without any, its people. And who answers for a place that is reached.

use crate::affected::Affected;
use crate::event::Event;
use crate::plan::Recipient;
use crate::quiet::Hours;
use crate::rule::{Level, Target};
use model::Timestamp;
use records::users::{self, PeopleFilter, User};
use records::{Connection, PageRequest, Result, duty, notices, posts};
use std::collections::{BTreeMap, BTreeSet};

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
            Target::Role(role) => of_role(connection, role, now).await?,
            Target::Affected => {
                let mut found = Vec::new();
                for user in of_affected(connection, &event.affected, now).await? {
                    found.extend(users::get(connection, user).await?);
                }
                found
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

/// Notes of each place that is reached who answers for it now. Of those whose sign-in is closed nobody does.
///
/// # Errors
/// The records' own.
pub async fn answer_for(
    connection: &mut Connection,
    affected: &mut [Affected],
    now: Timestamp,
) -> Result<()> {
    // Many places are one post's: each is asked for once.
    let mut known: BTreeMap<(Option<String>, Option<String>), Vec<i64>> = BTreeMap::new();
    for place in affected.iter_mut().flat_map(|of| &mut of.reached) {
        let whose = (place.post.clone(), place.organisation.clone());
        if !known.contains_key(&whose) {
            let people = responsible(connection, &whose, now).await?;
            known.insert(whose.clone(), people);
        }
        place.people = known.get(&whose).cloned().unwrap_or_default();
    }
    Ok(())
}

/// Everybody who answers for a place that is reached, each once.
async fn of_affected(
    connection: &mut Connection,
    affected: &[Affected],
    now: Timestamp,
) -> Result<BTreeSet<i64>> {
    let mut affected = affected.to_vec();
    answer_for(connection, &mut affected, now).await?;
    let places = affected.iter().flat_map(|of| &of.reached);
    Ok(places.flat_map(|place| place.people.clone()).collect())
}

async fn responsible(
    connection: &mut Connection,
    (post, organisation): &(Option<String>, Option<String>),
    now: Timestamp,
) -> Result<Vec<i64>> {
    let mut people = match post {
        Some(post) => of_post(connection, post, now).await?,
        None => Vec::new(),
    };
    if people.iter().all(|user| user.disabled) {
        people = of_organisation(connection, organisation.as_deref(), now).await?;
    }
    let open = people.into_iter().filter(|user| !user.disabled);
    Ok(open.map(|user| user.id).collect())
}

/// Who is on duty for the whole city: whoever has one of these roles and is on duty in their organisation now; everybody with
/// such a role where rosters name none of them.
///
/// # Errors
/// The records' own.
pub async fn on_duty(
    connection: &mut Connection,
    roles: &[String],
    now: Timestamp,
) -> Result<Vec<User>> {
    let mut all: BTreeMap<i64, User> = BTreeMap::new();
    for role in roles {
        let found = of_role(connection, role, now).await?;
        all.extend(found.into_iter().map(|user| (user.id, user)));
    }
    all.retain(|_, user| !user.disabled);
    let organisations: BTreeSet<String> = all
        .values()
        .filter_map(|user| user.organisation_id.clone())
        .collect();
    let mut now_on = BTreeSet::new();
    for organisation in organisations {
        let on = duty::people_on_duty(connection, &organisation, now).await?;
        now_on.extend(on.unwrap_or_default());
    }
    if all.keys().any(|id| now_on.contains(id)) {
        all.retain(|id, _| now_on.contains(id));
    }
    Ok(all.into_values().take(PEOPLE_MAX).collect())
}

async fn of_role(connection: &mut Connection, role: &str, now: Timestamp) -> Result<Vec<User>> {
    let filter = PeopleFilter {
        role: Some(role.to_owned()),
        ..PeopleFilter::default()
    };
    search(connection, &filter, now).await
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
