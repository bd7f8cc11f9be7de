//! Statements that concern the connection and not the data: settings, transactions, cursors. Clients
//! send them as a matter of course; each is answered as PostgreSQL would, within what a door that only
//! reads can keep. What the settings are is in [`crate::settings`].

use crate::split::{bare, first_word};
use model::Problem;

/// The version that is spoken, and whose catalogue queries are understood.
pub const SERVER_VERSION: &str = concat!("15.0 (Jingling ", env!("CARGO_PKG_VERSION"), ")");

/// What a statement is to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Set a setting; `None` sets it back. `true` holds to the end of the transaction only.
    Set(String, Option<String>, bool),
    /// Set every setting back.
    ResetAll,
    /// Show a setting.
    Show(String),
    /// Show all settings.
    ShowAll,
    /// Set everything back and forget what was prepared.
    DiscardAll,
    /// Done with nothing to do; answered with this tag.
    Nothing(&'static str),
    /// Begin a transaction.
    Begin,
    /// End a transaction; whether it is kept.
    End(bool),
    /// Go back to a savepoint.
    RollbackTo,
    /// Forget a prepared statement, or all.
    Deallocate(Option<String>),
    /// Open a cursor over a query.
    Declare(String, String),
    /// Rows of a cursor; `None` for all.
    Fetch(String, Option<u32>),
    /// Close a cursor, or all.
    CloseCursor(Option<String>),
}

/// What a statement is to the connection; `None` when it is for the lake.
///
/// # Errors
/// When it is one of these, but cannot be kept.
pub fn read(statement: &str) -> Result<Option<Command>, Problem> {
    let Some(first) = first_word(statement) else {
        return Ok(None);
    };
    let text = bare(statement).trim_end();
    let words: Vec<String> = words(text);
    let word = |n: usize| words.get(n).map_or("", String::as_str);
    let upper = |n: usize| word(n).to_ascii_uppercase();
    Ok(Some(match first.as_str() {
        "SET" => return set(text, &words).map(Some),
        "RESET" => match upper(1).as_str() {
            "ALL" => Command::ResetAll,
            "ROLE" | "SESSION" => Command::Nothing("RESET"),
            "TIME" => Command::Set("timezone".into(), None, false),
            _ => Command::Set(unquoted(word(1)).to_ascii_lowercase(), None, false),
        },
        "SHOW" => match upper(1).as_str() {
            // For the lake.
            "TABLES" | "COLUMNS" | "FUNCTIONS" => return Ok(None),
            "ALL" => Command::ShowAll,
            "TIME" => Command::Show("timezone".into()),
            "TRANSACTION" => Command::Show("transaction_isolation".into()),
            _ => Command::Show(unquoted(word(1)).to_ascii_lowercase()),
        },
        "BEGIN" | "START" => Command::Begin,
        "COMMIT" | "END" => Command::End(true),
        "ABORT" => Command::End(false),
        "ROLLBACK" if words.iter().any(|w| w.eq_ignore_ascii_case("TO")) => Command::RollbackTo,
        "ROLLBACK" => Command::End(false),
        "SAVEPOINT" => Command::Nothing("SAVEPOINT"),
        "RELEASE" => Command::Nothing("RELEASE"),
        "DISCARD" => match upper(1).as_str() {
            "PLANS" => Command::Nothing("DISCARD PLANS"),
            "SEQUENCES" => Command::Nothing("DISCARD SEQUENCES"),
            "TEMP" | "TEMPORARY" => Command::Nothing("DISCARD TEMP"),
            _ => Command::DiscardAll,
        },
        "UNLISTEN" => Command::Nothing("UNLISTEN"),
        "DEALLOCATE" => {
            let n = if upper(1) == "PREPARE" { 2 } else { 1 };
            Command::Deallocate((upper(n) != "ALL").then(|| unquoted(word(n))))
        }
        "DECLARE" => {
            let lower = text.to_ascii_lowercase();
            let query = lower
                .find(" for ")
                .or_else(|| lower.find("\nfor "))
                .or_else(|| lower.find(" for\n"));
            let query = query.ok_or_else(|| {
                Problem::new(
                    "sql-syntax",
                    "a cursor needs a query",
                    "statement",
                    "write DECLARE name CURSOR FOR SELECT …",
                )
            })?;
            Command::Declare(unquoted(word(1)), text[query + 5..].trim().to_owned())
        }
        "FETCH" | "MOVE" => fetch(&words)?,
        "CLOSE" => Command::CloseCursor((upper(1) != "ALL").then(|| unquoted(word(1)))),
        "COPY" | "LISTEN" | "NOTIFY" | "LOCK" | "PREPARE" | "EXECUTE" => {
            return Err(not_supported(&first));
        }
        _ => return Ok(None),
    }))
}

fn not_supported(what: &str) -> Problem {
    Problem::new(
        "postgres-not-supported",
        format!("{what} is not supported here"),
        "statement",
        "ask with SELECT; prepared statements of the protocol itself are supported",
    )
}

/// Words, quoted texts whole, and single signs.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            c if c.is_alphanumeric() || "_-+.:".contains(c) => rest
                .find(|c: char| !c.is_alphanumeric() && !"_-+.:/".contains(c))
                .unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    words
}

fn unquoted(word: &str) -> String {
    let inner = word
        .strip_prefix(['\'', '"'])
        .and_then(|w| w.strip_suffix(['\'', '"']));
    inner.map_or_else(|| word.to_ascii_lowercase(), str::to_owned)
}

fn set(text: &str, words: &[String]) -> Result<Command, Problem> {
    let mut rest = &words[1..];
    let is = |word: Option<&String>, name: &str| word.is_some_and(|w| w.eq_ignore_ascii_case(name));
    let is_local = is(rest.first(), "LOCAL");
    if is_local || (is(rest.first(), "SESSION") && rest.len() > 2) {
        rest = &rest[1..];
    }
    let name = rest.first().map(|w| w.to_ascii_lowercase());
    let name = name.unwrap_or_default();
    match name.as_str() {
        "characteristics" | "transaction" => {
            if words.iter().any(|w| w.eq_ignore_ascii_case("WRITE")) {
                return Err(Problem::new(
                    "sql-not-reading",
                    "a transaction that writes is refused: this door only reads",
                    "statement",
                    "leave the transaction READ ONLY",
                ));
            }
            Ok(Command::Nothing("SET"))
        }
        // Whoever signed in stays who it is; pools that hand a connection on say so.
        "role" | "authorization"
            if rest.last().is_some_and(|last| {
                ["default", "none"].contains(&last.to_ascii_lowercase().as_str())
            }) =>
        {
            Ok(Command::Nothing("SET"))
        }
        "role" | "authorization" | "constraints" => Err(not_supported(&format!("SET {name}"))),
        "time" => Ok(set_to("timezone", rest.get(2..), is_local)),
        "names" => Ok(set_to("client_encoding", rest.get(1..), is_local)),
        _ => {
            let takes = rest
                .get(1)
                .is_some_and(|w| w == "=" || w.eq_ignore_ascii_case("TO"));
            if name.is_empty() || !takes || rest.len() < 3 {
                return Err(Problem::new(
                    "sql-syntax",
                    format!("\"{}\" sets nothing", model::problem::quote(text)),
                    "statement",
                    "write SET name = value",
                ));
            }
            Ok(set_to(&name, rest.get(2..), is_local))
        }
    }
}

/// Sets a setting to what these words say.
fn set_to(name: &str, words: Option<&[String]>, is_local: bool) -> Command {
    let words = words.unwrap_or_default().iter();
    let values: Vec<String> = words.filter(|w| *w != ",").map(|w| unquoted(w)).collect();
    let value = match values.as_slice() {
        // INTERVAL '+08:00' HOUR TO MINUTE
        [interval, offset, ..] if name == "timezone" && interval == "interval" => {
            format!("interval {offset}")
        }
        values => values.join(", "),
    };
    let is_default = value == "default" || (name == "timezone" && value == "local");
    Command::Set(name.to_owned(), (!is_default).then_some(value), is_local)
}

fn fetch(words: &[String]) -> Result<Command, Problem> {
    let mut count = Some(1);
    let mut name = String::new();
    for word in &words[1..] {
        match word.to_ascii_uppercase().as_str() {
            "FORWARD" | "NEXT" | "FROM" | "IN" => {}
            "ALL" => count = None,
            other => match other.parse::<u32>() {
                Ok(n) => count = Some(n),
                Err(_) if name.is_empty() && !is_backward(other) => name = unquoted(word),
                Err(_) => return Err(not_supported("a cursor that goes back or jumps")),
            },
        }
    }
    if words[0].eq_ignore_ascii_case("MOVE") {
        return Err(not_supported("MOVE"));
    }
    Ok(Command::Fetch(name, count))
}

fn is_backward(word: &str) -> bool {
    ["BACKWARD", "PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE"].contains(&word)
        || word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        read(text).unwrap().unwrap()
    }

    #[test]
    fn what_clients_send_by_themselves_is_understood() {
        let set = |name: &str, value: &str| Command::Set(name.into(), Some(value.into()), false);
        assert_eq!(
            command("SET extra_float_digits = 3"),
            set("extra_float_digits", "3")
        );
        assert_eq!(
            command("set application_name to 'DBeaver 24 - Main'"),
            set("application_name", "DBeaver 24 - Main")
        );
        assert_eq!(
            command("SET SESSION statement_timeout TO '5s'"),
            set("statement_timeout", "5s")
        );
        assert_eq!(
            command("SET search_path = public, \"$user\""),
            set("search_path", "public, $user")
        );
        assert_eq!(
            command("SET client_encoding TO DEFAULT"),
            Command::Set("client_encoding".into(), None, false)
        );
        for (text, zone) in [
            ("SET TIME ZONE 'UTC'", "UTC"),
            ("SET SESSION TIME ZONE 'Asia/Shanghai'", "Asia/Shanghai"),
            ("SET timezone TO 'Asia/Shanghai'", "Asia/Shanghai"),
            ("set SESSION timezone = PRC", "prc"),
            ("SET TIME ZONE -3.5", "-3.5"),
            (
                "SET TIME ZONE INTERVAL '+08:00' HOUR TO MINUTE",
                "interval +08:00",
            ),
        ] {
            assert_eq!(command(text), set("timezone", zone), "{text}");
        }
        for text in [
            "SET TIME ZONE LOCAL",
            "SET TIME ZONE DEFAULT",
            "RESET TIME ZONE",
            "RESET \"TimeZone\"",
        ] {
            let back = Command::Set("timezone".into(), None, false);
            assert_eq!(command(text), back, "{text}");
        }
        assert_eq!(
            command("SET LOCAL timezone = 'PRC'"),
            Command::Set("timezone".into(), Some("PRC".into()), true)
        );
        // What Npgsql's pool says before it hands a connection on.
        for (text, tag) in [
            ("SET SESSION AUTHORIZATION DEFAULT", "SET"),
            ("SET ROLE NONE", "SET"),
            ("DISCARD SEQUENCES", "DISCARD SEQUENCES"),
            ("DISCARD TEMP", "DISCARD TEMP"),
        ] {
            assert_eq!(command(text), Command::Nothing(tag), "{text}");
        }
        assert_eq!(command("RESET ALL"), Command::ResetAll);
        assert_eq!(command("DISCARD ALL"), Command::DiscardAll);
        assert_eq!(
            command("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
            Command::Nothing("SET")
        );
        assert_eq!(
            command("SHOW transaction isolation level"),
            Command::Show("transaction_isolation".into())
        );
        assert_eq!(command("BEGIN READ ONLY"), Command::Begin);
        assert_eq!(command("ROLLBACK TO SAVEPOINT a"), Command::RollbackTo);
        assert_eq!(
            command("/* x */ DEALLOCATE \"_pg3_0\""),
            Command::Deallocate(Some("_pg3_0".into()))
        );
        assert_eq!(command("DEALLOCATE ALL"), Command::Deallocate(None));
        assert_eq!(
            command("DECLARE _psql_cursor NO SCROLL CURSOR FOR\nSELECT 1"),
            Command::Declare("_psql_cursor".into(), "SELECT 1".into())
        );
        assert_eq!(
            command("FETCH FORWARD 100 FROM _psql_cursor"),
            Command::Fetch("_psql_cursor".into(), Some(100))
        );
        assert_eq!(
            command("FETCH ALL IN \"C\""),
            Command::Fetch("C".into(), None)
        );
        assert_eq!(command("CLOSE c"), Command::CloseCursor(Some("c".into())));
        for lakes in [
            "SELECT 1",
            "SHOW TABLES",
            "INSERT INTO t VALUES (1)",
            "(SELECT 1)",
            "WITH a AS (SELECT 1) SELECT * FROM a",
        ] {
            assert_eq!(read(lakes), Ok(None), "{lakes}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_told() {
        for (text, code) in [
            ("SET TRANSACTION READ WRITE", "sql-not-reading"),
            ("SET ROLE admin", "postgres-not-supported"),
            ("SET x", "sql-syntax"),
            ("COPY t FROM STDIN", "postgres-not-supported"),
            ("FETCH BACKWARD 1 FROM c", "postgres-not-supported"),
            ("DECLARE c CURSOR", "sql-syntax"),
        ] {
            assert_eq!(read(text).unwrap_err().code, code, "{text}");
        }
    }
}
