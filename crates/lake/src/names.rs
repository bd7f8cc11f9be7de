//! Names as people write them. SQL folds an unquoted name to lower case, but the city's names are
//! `WaterObserved` and `waterLevel`: so a plain word that is such a name, whatever its case, is read as
//! if it had been quoted and spelt right. Strings, comments and quoted names are left alone. It works on
//! tokens, which keep their line and column, so that errors point into the text as written.

use crate::records::RecordTable;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};
use std::collections::BTreeMap;

/// Spells known names right.
pub(crate) fn spell(tokens: &mut [TokenWithSpan], tables: &[RecordTable]) {
    let names = known_names(tokens, tables);
    for at in 0..tokens.len() {
        let Some(right) = right_name(tokens, at, &names) else {
            continue;
        };
        tokens[at].token = Token::Word(Word {
            value: right,
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        });
    }
}

/// Names by their lower-case form: those of all tables, and the columns of the tables that are mentioned.
fn known_names<'a>(
    tokens: &[TokenWithSpan],
    tables: &'a [RecordTable],
) -> BTreeMap<String, Vec<&'a str>> {
    let words: std::collections::BTreeSet<String> = tokens
        .iter()
        .filter_map(|t| match &t.token {
            Token::Word(word) => Some(word.value.to_lowercase()),
            _ => None,
        })
        .collect();
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut add = |name: &'a str| {
        let spellings = names.entry(name.to_lowercase()).or_default();
        if !spellings.contains(&name) {
            spellings.push(name);
        }
    };
    for table in tables {
        add(&table.name);
    }
    for table in tables {
        if words.contains(&table.name.to_lowercase()) {
            for (column, _) in &table.columns {
                add(column);
            }
        }
    }
    names
}

fn right_name(
    tokens: &[TokenWithSpan],
    at: usize,
    names: &BTreeMap<String, Vec<&str>>,
) -> Option<String> {
    let Token::Word(word) = &tokens[at].token else {
        return None;
    };
    if word.quote_style.is_some() {
        return None;
    }
    let lower = word.value.to_lowercase();
    let spellings = names.get(&lower)?;
    let right = if spellings.contains(&word.value.as_str()) {
        word.value.as_str()
    } else if spellings.contains(&lower.as_str()) {
        lower.as_str()
    } else {
        spellings.first()?
    };
    if right == lower {
        return None;
    }
    let plain = |t: &&TokenWithSpan| !matches!(t.token, Token::Whitespace(_));
    let called = tokens[at + 1..]
        .iter()
        .find(plain)
        .is_some_and(|t| t.token == Token::LParen);
    let qualified = tokens[..at]
        .iter()
        .rev()
        .find(plain)
        .is_some_and(|t| t.token == Token::Period);
    let is_keyword = word.keyword != Keyword::NoKeyword && word.value != right && !qualified;
    (!called && !is_keyword).then(|| right.to_owned())
}

/// The known names nearest to a wrong one, best first.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const SHOWN_MAX: usize = 5;
    let wrong = wrong.to_lowercase();
    let mut scored: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = if lower.contains(&wrong) || wrong.contains(&lower) {
                1
            } else {
                edits(&wrong, &lower)
            };
            (distance <= 1 + wrong.chars().count() / 3).then_some((distance, name))
        })
        .collect();
    scored.sort();
    scored.dedup();
    scored
        .into_iter()
        .take(SHOWN_MAX)
        .map(|(_, name)| name)
        .collect()
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ColumnKind;
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    fn table(name: &str, columns: &[&str]) -> RecordTable {
        RecordTable {
            name: name.into(),
            description: String::new(),
            columns: columns
                .iter()
                .map(|c| ((*c).to_owned(), ColumnKind::Number))
                .collect(),
        }
    }

    fn spelt(sql: &str) -> String {
        let tables = [
            table("observations", &["entity_id", "unit"]),
            table(
                "WaterObserved",
                &["entity_id", "waterLevel", "Count", "dateObserved", "no2"],
            ),
            table("AirQuality", &["NO2", "WaterLevel", "Order"]),
        ];
        let mut tokens = Tokenizer::new(&GenericDialect {}, sql)
            .tokenize_with_location()
            .unwrap();
        spell(&mut tokens, &tables);
        tokens.iter().map(|t| t.token.to_string()).collect()
    }

    #[test]
    fn plain_names_are_spelt_right_whatever_their_case() {
        for sql in [
            "SELECT waterLevel FROM WaterObserved",
            "SELECT waterlevel FROM waterobserved",
            "SELECT WATERLEVEL FROM WATEROBSERVED",
        ] {
            assert_eq!(spelt(sql), "SELECT \"waterLevel\" FROM \"WaterObserved\"");
        }
        assert_eq!(
            spelt("SELECT w.dateobserved d FROM WaterObserved AS w"),
            "SELECT w.\"dateObserved\" d FROM \"WaterObserved\" AS w"
        );
    }

    #[test]
    fn strings_comments_and_quoted_names_stay() {
        let sql = "SELECT 'waterlevel', \"waterlevel\" /* waterlevel */ FROM \"WaterObserved\" -- waterlevel\n";
        assert_eq!(spelt(sql), sql);
    }

    #[test]
    fn functions_and_keywords_stay() {
        assert_eq!(
            spelt("SELECT count(*), Count FROM WaterObserved"),
            "SELECT count(*), \"Count\" FROM \"WaterObserved\""
        );
        assert_eq!(
            spelt("SELECT x.order FROM AirQuality x ORDER BY Order"),
            "SELECT x.\"Order\" FROM \"AirQuality\" x ORDER BY \"Order\""
        );
        assert_eq!(
            spelt("SELECT unit FROM AirQuality order by unit"),
            "SELECT unit FROM \"AirQuality\" order by unit"
        );
    }

    #[test]
    fn columns_of_mentioned_tables_win() {
        assert_eq!(
            spelt("SELECT waterlevel FROM airquality"),
            "SELECT \"WaterLevel\" FROM \"AirQuality\""
        );
        assert_eq!(
            spelt("SELECT no2 FROM WaterObserved"),
            "SELECT no2 FROM \"WaterObserved\""
        );
        assert_eq!(
            spelt("SELECT waterlevel FROM observations"),
            "SELECT waterlevel FROM observations"
        );
        // Both tables: the spelling as typed when it is one of them, else the first.
        assert_eq!(
            spelt("SELECT WaterLevel, waterlevel FROM WaterObserved, AirQuality"),
            "SELECT \"WaterLevel\", \"waterLevel\" FROM \"WaterObserved\", \"AirQuality\""
        );
    }

    #[test]
    fn near_names() {
        let names = ["waterLevel", "warningLevel", "entity_id", "observed_at"];
        assert_eq!(nearest("waterLevl", names.into_iter()), ["waterLevel"]);
        assert_eq!(
            nearest("level", names.into_iter()),
            ["warningLevel", "waterLevel"]
        );
        assert!(nearest("zzz", names.into_iter()).is_empty());
    }
}
