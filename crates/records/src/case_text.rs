//! Table `case_text`: the words of cases, so that a piece of a number, title or description is found among a million.
//! A text goes in as pairs of neighbouring characters (bigrams), because Chinese has no spaces between words: 井盖缺失
//! becomes 井盖 盖缺 缺失, and 盖缺 is found as the same phrase. A single character is found by how pairs begin.

use crate::cases::Case;
use crate::failure::Result;
use crate::store::Connection;
use sqlx::{Any, Row};

/// Rows read at once when the table is filled.
const FILL_ROWS: i64 = 1_000;

/// The runs of letters and digits of a text, in lower case.
fn runs(text: &str) -> Vec<Vec<char>> {
    let mut runs = vec![Vec::new()];
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            if let Some(run) = runs.last_mut() {
                run.push(c);
            }
        } else if runs.last().is_some_and(|run| !run.is_empty()) {
            runs.push(Vec::new());
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn pairs(run: &[char]) -> Vec<String> {
    if let [only] = run {
        return vec![only.to_string()];
    }
    run.windows(2).map(|pair| pair.iter().collect()).collect()
}

fn indexed(texts: [&str; 3]) -> String {
    let all: Vec<String> = texts
        .iter()
        .flat_map(|text| runs(text))
        .flat_map(|run| pairs(&run))
        .collect();
    all.join(" ")
}

/// What the table is asked for a text that a person wrote; `None` when there is nothing to look for in it.
pub(crate) fn wanted(text: &str) -> Option<String> {
    let phrases: Vec<String> = runs(text)
        .iter()
        .map(|run| match run.as_slice() {
            [only] => format!("\"{only}\"*"),
            _ => format!("\"{}\"", pairs(run).join(" ")),
        })
        .collect();
    (!phrases.is_empty()).then(|| phrases.join(" AND "))
}

/// Puts a new case's words in.
pub(crate) async fn insert(connection: &mut Connection, case: &Case) -> Result<()> {
    put(
        connection,
        case.id,
        [&case.number, &case.title, &case.description],
    )
    .await
}

async fn put(connection: &mut Connection, id: i64, texts: [&str; 3]) -> Result<()> {
    sqlx::query::<Any>("INSERT INTO case_text (rowid, text) VALUES ($1, $2)")
        .bind(id)
        .bind(indexed(texts))
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts in the words of all cases that are there, when the shape is made.
pub(crate) async fn fill(connection: &mut Connection) -> Result<()> {
    let mut after = 0_i64;
    loop {
        let rows = sqlx::query::<Any>(
            "SELECT id, number, title, description FROM cases WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(FILL_ROWS)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            after = row.try_get(0)?;
            let texts: [String; 3] = [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
            put(connection, after, [&texts[0], &texts[1], &texts[2]]).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_pairs_and_a_wish_the_same_phrase() {
        assert_eq!(indexed(["TM-1", "井盖缺失", ""]), "tm 1 井盖 盖缺 缺失");
        assert_eq!(wanted("盖缺 tm").as_deref(), Some("\"盖缺\" AND \"tm\""));
        assert_eq!(wanted("盖缺失").as_deref(), Some("\"盖缺 缺失\""));
        assert_eq!(wanted("井").as_deref(), Some("\"井\"*"));
        assert_eq!(wanted("\"; --"), None);
    }
}
