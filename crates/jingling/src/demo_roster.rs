//! The demonstration's roster (值班表): `demo/roster.toml` of a city profile, laid over the days after the city was made.

use anyhow::{Context, Result};
use city::City;
use duty::roster;
use jiff::tz::TimeZone;
use model::Timestamp;
use records::duty::{Pattern, Turn};
use records::{Actor, Event, Records, audit, users};
use serde::Deserialize;
use serde_json::json;

/// Where a profile has it.
const PATH: &str = "demo/roster.toml";
/// Most days that are filled.
const DAYS_MAX: u32 = 366;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    organisation: String,
    days: u32,
    #[serde(rename = "shift")]
    shifts: Vec<Shift>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    title_zh: String,
    title_en: String,
    from: String,
    until: String,
    turns: Vec<Turns>,
}

/// Who has a post, one after the other by day; by what they sign in with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turns {
    post: String,
    people: Vec<String>,
}

/// Fills the roster of the demonstration; nothing where the profile has none.
///
/// # Errors
/// A file that does not read, a person who is not there, and the records' own.
pub async fn fill(records: &Records, city: &City, actor: &Actor, now: Timestamp) -> Result<()> {
    let Some(bytes) = city.files.read(PATH)? else {
        return Ok(());
    };
    let text = std::str::from_utf8(&bytes).context(PATH)?;
    let written: Written = toml::from_str(text).context(PATH)?;
    let zone = TimeZone::get(&city.zone).context(PATH)?;
    let first = roster::day_of(now, &zone);
    let mut write = records.write().await?;
    let mut made = 0;
    for shift in &written.shifts {
        let pattern = Pattern {
            id: 0,
            organisation_id: written.organisation.clone(),
            title_zh: shift.title_zh.clone(),
            title_en: shift.title_en.clone(),
            from_minute: roster::minute(&shift.from)?,
            until_minute: roster::minute(&shift.until)?,
            disabled: false,
        };
        let pattern = records::duty::add_pattern(&mut write, &pattern).await?;
        let days = first.series(jiff::Span::new().days(1));
        for (n, day) in days.take(written.days.min(DAYS_MAX) as usize).enumerate() {
            let (from_at, until_at) =
                roster::span(day, pattern.from_minute, pattern.until_minute, &zone)?;
            for turns in &shift.turns {
                let Some(username) = turns.people.iter().cycle().nth(n) else {
                    continue;
                };
                let user = users::by_username(&mut write, username)
                    .await?
                    .with_context(|| format!("{PATH}: there is no {username}"))?;
                let turn = Turn {
                    id: 0,
                    organisation_id: written.organisation.clone(),
                    pattern_id: pattern.id,
                    day: day.to_string(),
                    post: turns.post.clone(),
                    user_id: user.id,
                    from_at,
                    until_at,
                    made_at: now,
                    made_by: actor.name.clone(),
                };
                made += usize::from(records::duty::add_turn(&mut write, &turn).await?.is_some());
            }
        }
    }
    let last = roster::day_of(now.plus_seconds(i64::from(written.days) * 86_400), &zone);
    let detail = json!({"turns": made, "first": first.to_string(), "last": last.to_string()});
    let target = format!("organisation:{}", written.organisation);
    audit::insert(
        &mut write,
        now,
        actor,
        Event::DutyTurnsAdd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(())
}
