//! Statements that concern the connection and not the data: settings, transactions, cursors. Clients
//! send them as a matter of course; each is answered as PostgreSQL would, within what a door that only
//! reads can keep.

use crate::split::{bare, first_word};
use model::Problem;
use std::collections::BTreeMap;
use std::time::Duration;

/// The version that is spoken, and whose catalogue queries are understood.
pub const SERVER_VERSION: &str = concat!("15.0 (Jingling ", env!("CARGO_PKG_VERSION"), ")");

/// What a statement is to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Set a setting; `None` sets it back.
    Set(String, Option<String>),
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
            "ALL" => Command::DiscardAll,
            _ => Command::Set(word(1).to_ascii_lowercase(), None),
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
        "DISCARD" => Command::DiscardAll,
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
    if is(rest.first(), "LOCAL") || (is(rest.first(), "SESSION") && rest.len() > 2) {
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
        "role" | "authorization" | "constraints" => Err(not_supported(&format!("SET {name}"))),
        "time" => {
            let zone = rest.get(2).map(|w| unquoted(w)).unwrap_or_default();
            Ok(Command::Set("timezone".into(), Some(zone)))
        }
        "names" => Ok(Command::Set(
            "client_encoding".into(),
            rest.get(1).map(|w| unquoted(w)),
        )),
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
            let values: Vec<String> = rest[2..]
                .iter()
                .filter(|w| *w != ",")
                .map(|w| unquoted(w))
                .collect();
            let value = values.join(", ");
            Ok(Command::Set(name, (value != "default").then_some(value)))
        }
    }
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

/// Settings that clients ask for, with the values that hold here. Those marked are fixed: they say how
/// answers are written.
const SETTINGS: [(&str, &str, bool); 27] = [
    ("application_name", "", false),
    ("bytea_output", "hex", true),
    ("client_encoding", "UTF8", true),
    ("client_min_messages", "notice", false),
    ("datestyle", "ISO, YMD", true),
    ("default_transaction_isolation", "read committed", false),
    ("default_transaction_read_only", "on", true),
    ("extra_float_digits", "1", false),
    ("idle_in_transaction_session_timeout", "0", false),
    ("in_hot_standby", "off", true),
    ("integer_datetimes", "on", true),
    ("intervalstyle", "postgres", false),
    ("is_superuser", "off", true),
    ("lc_collate", "C.UTF-8", true),
    ("lc_ctype", "C.UTF-8", true),
    ("lock_timeout", "0", false),
    ("max_identifier_length", "63", true),
    ("max_index_keys", "32", true),
    ("row_security", "on", true),
    ("search_path", "public", false),
    ("server_encoding", "UTF8", true),
    ("server_version", SERVER_VERSION, true),
    ("server_version_num", "150000", true),
    ("standard_conforming_strings", "on", true),
    ("statement_timeout", "0", false),
    ("timezone", "UTC", true),
    ("transaction_isolation", "read committed", false),
];

/// The value of a setting that nobody has changed.
pub(crate) fn default_of(name: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|s| s.0 == name).map(|s| s.1)
}

/// A connection's settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    changed: BTreeMap<String, String>,
}

/// Settings whose values the client is told at sign-in.
pub const TOLD: [&str; 11] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "standard_conforming_strings",
];

impl Settings {
    /// A setting's value.
    ///
    /// # Errors
    /// `postgres-setting-unknown`.
    pub fn get(&self, name: &str) -> Result<&str, Problem> {
        let name = name.to_ascii_lowercase();
        let known = SETTINGS.iter().find(|s| s.0 == name).map(|s| s.1);
        self.changed
            .get(&name)
            .map(String::as_str)
            .or(known)
            .ok_or_else(|| {
                Problem::new(
                    "postgres-setting-unknown",
                    format!("there is no setting \"{}\"", model::problem::quote(&name)),
                    "statement",
                    "SHOW ALL lists those that are",
                )
            })
    }

    /// All, by name.
    pub fn all(&self) -> Vec<(String, String)> {
        let mut all: BTreeMap<String, String> = SETTINGS
            .iter()
            .map(|(name, value, _)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        all.extend(self.changed.clone());
        all.into_iter().collect()
    }

    /// Sets one; `None` sets it back.
    ///
    /// # Errors
    /// `postgres-setting` when the value is not one that holds here.
    pub fn set(&mut self, name: &str, value: Option<String>) -> Result<(), Problem> {
        let name = name.to_ascii_lowercase();
        let Some(value) = value else {
            self.changed.remove(&name);
            return Ok(());
        };
        let fixed = SETTINGS.iter().find(|s| s.0 == name && s.2);
        if let Some((_, only, _)) = fixed {
            let folded = |text: &str| text.to_ascii_lowercase().replace(['-', '\''], "");
            let good = match name.as_str() {
                "client_encoding" => ["utf8", "unicode"].contains(&folded(&value).as_str()),
                "datestyle" => folded(&value).starts_with("iso"),
                "timezone" => ["utc", "gmt", "etc/utc", "z", "0", "+00:00"]
                    .contains(&value.to_ascii_lowercase().as_str()),
                "bytea_output" => folded(&value) == "hex",
                _ => folded(&value) == folded(only) || (*only == "on" && value == "true"),
            };
            return match good {
                true => Ok(()),
                false => Err(Problem::new(
                    "postgres-setting",
                    format!(
                        "{name} cannot be \"{}\" here",
                        model::problem::quote(&value)
                    ),
                    "statement",
                    format!("leave it at {only}"),
                )),
            };
        }
        if name == "statement_timeout" {
            duration(&value)?;
        }
        // Anything else is kept and shown again, within reason.
        const SETTINGS_MAX: usize = 100;
        const VALUE_BYTES_MAX: usize = 1_024;
        if self.changed.len() >= SETTINGS_MAX || value.len() > VALUE_BYTES_MAX {
            return Err(Problem::new(
                "postgres-limit",
                "too many settings, or too long a value",
                "statement",
                format!("keep at most {SETTINGS_MAX} of at most {VALUE_BYTES_MAX} bytes"),
            ));
        }
        self.changed.insert(name, value);
        Ok(())
    }

    /// Sets everything back.
    pub fn reset(&mut self) {
        self.changed.clear();
    }

    /// How long a statement may take by `statement_timeout`; `None` when it is not set.
    pub fn statement_timeout(&self) -> Option<Duration> {
        let time = duration(self.changed.get("statement_timeout")?).ok()?;
        (!time.is_zero()).then_some(time)
    }
}

/// `5000`, `5s`, `2 min`: milliseconds unless a unit is named.
fn duration(text: &str) -> Result<Duration, Problem> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: Option<u64> = text[..end].parse().ok();
    let unit_ms = match text[end..].trim() {
        "" | "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    match (number, unit_ms) {
        (Some(number), Some(unit_ms)) => Ok(Duration::from_millis(number.saturating_mul(unit_ms))),
        _ => Err(Problem::new(
            "postgres-setting",
            format!("\"{}\" is no length of time", model::problem::quote(text)),
            "statement",
            "write milliseconds, or a number with ms, s, min or h",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        read(text).unwrap().unwrap()
    }

    #[test]
    fn what_clients_send_by_themselves_is_understood() {
        let set = |name: &str, value: &str| Command::Set(name.into(), Some(value.into()));
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
            Command::Set("client_encoding".into(), None)
        );
        assert_eq!(command("SET TIME ZONE 'UTC'"), set("timezone", "UTC"));
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

    #[test]
    fn settings_hold_what_is_true() {
        let mut settings = Settings::default();
        assert_eq!(settings.get("TimeZone").unwrap(), "UTC");
        settings
            .set("client_encoding", Some("utf-8".into()))
            .unwrap();
        assert_eq!(
            settings
                .set("client_encoding", Some("GBK".into()))
                .unwrap_err()
                .code,
            "postgres-setting"
        );
        assert_eq!(
            settings
                .set("timezone", Some("Asia/Shanghai".into()))
                .unwrap_err()
                .code,
            "postgres-setting"
        );
        assert_eq!(settings.statement_timeout(), None);
        settings
            .set("statement_timeout", Some("2 min".into()))
            .unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(120)));
        assert!(
            settings
                .set("statement_timeout", Some("soon".into()))
                .is_err()
        );
        settings.set("my.setting", Some("1".into())).unwrap();
        assert_eq!(settings.get("my.setting").unwrap(), "1");
        assert_eq!(
            settings.get("nothing").unwrap_err().code,
            "postgres-setting-unknown"
        );
        settings.reset();
        assert_eq!(settings.statement_timeout(), None);
    }
}
