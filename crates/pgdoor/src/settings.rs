//! A connection's settings: which there are, which are fixed because they say how answers are written, and how long a
//! change holds. As in PostgreSQL a change is taken back with its transaction, `SET LOCAL` ends with it, and RESET goes back
//! to what the client asked for when it connected. A ROLLBACK TO a savepoint takes no setting back.

use crate::commands::SERVER_VERSION;
use crate::zone::Zone;
use model::Problem;
use std::collections::BTreeMap;
use std::time::Duration;

/// Most settings that a connection may change.
const CHANGED_MAX: usize = 100;
/// Longest value of a setting, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

/// The setting that says what personal values are looked at for: empty for nothing, and then they are masked.
pub(crate) const PURPOSE: &str = "jingling.purpose";

/// Settings that clients ask for, with the values that hold here. Those marked are fixed: they say how
/// answers are written.
const SETTINGS: [(&str, &str, bool); 28] = [
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
    (PURPOSE, "", false),
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
    ("timezone", "UTC", false),
    ("transaction_isolation", "read committed", false),
];

/// The value of a setting that nobody has changed.
pub(crate) fn default_of(name: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|s| s.0 == name).map(|s| s.1)
}

/// A setting's name as the head of a column.
pub(crate) fn title(name: &str) -> String {
    let told = TOLD.iter().find(|told| told.eq_ignore_ascii_case(name));
    told.map_or_else(|| name.to_owned(), |told| (*told).to_owned())
}

/// Settings whose values the client is told at sign-in, and again when they change.
pub const TOLD: [&str; 12] = [
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
    "TimeZone",
];

/// A connection's settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// As the client asked when it connected.
    begun: BTreeMap<String, String>,
    /// As changed by transactions that are over.
    kept: BTreeMap<String, String>,
    /// As changed, the transaction that is open included.
    changed: BTreeMap<String, String>,
    /// What holds to the end of the transaction.
    local: BTreeMap<String, String>,
}

impl Settings {
    /// The settings that a client asks for when it connects; RESET goes back to them.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn begin(asked: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut settings = Self::default();
        for (name, value) in asked {
            settings.set(&name, Some(value), false)?;
        }
        settings.begun = std::mem::take(&mut settings.changed);
        Ok(settings)
    }

    /// A setting's value.
    ///
    /// # Errors
    /// `postgres-setting-unknown`.
    pub fn get(&self, name: &str) -> Result<&str, Problem> {
        let name = name.to_ascii_lowercase();
        let layers = [&self.local, &self.changed, &self.begun];
        layers
            .iter()
            .find_map(|layer| layer.get(&name).map(String::as_str))
            .or_else(|| default_of(&name))
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
        for layer in [&self.begun, &self.changed, &self.local] {
            all.extend(layer.clone());
        }
        all.into_iter().collect()
    }

    /// Those whose values the client is told.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let told = TOLD.iter();
        told.map(|name| (*name, self.get(name).unwrap_or_default().to_owned()))
            .collect()
    }

    /// The zone in which times are shown and clocks are read.
    pub fn zone(&self) -> Zone {
        let shown = self.get("timezone").unwrap_or_default();
        // Only zones that were read are kept.
        Zone::read(shown).unwrap_or_default()
    }

    /// Sets one; `None` sets it back. `is_local` holds to the end of the transaction only.
    ///
    /// # Errors
    /// `postgres-setting` when the value is not one that holds here.
    pub fn set(
        &mut self,
        name: &str,
        value: Option<String>,
        is_local: bool,
    ) -> Result<(), Problem> {
        let name = name.to_ascii_lowercase();
        let Some(mut value) = value else {
            let begun = self.begun.get(&name).map(String::as_str);
            let back = begun.or_else(|| default_of(&name));
            match (is_local, back) {
                (true, Some(back)) => drop(self.local.insert(name, back.to_owned())),
                _ => {
                    self.local.remove(&name);
                    self.changed.remove(&name);
                }
            }
            return Ok(());
        };
        let fixed = SETTINGS.iter().find(|s| s.0 == name && s.2);
        if let Some((_, only, _)) = fixed {
            let folded = |text: &str| text.to_ascii_lowercase().replace(['-', '\''], "");
            let good = match name.as_str() {
                "client_encoding" => ["utf8", "unicode"].contains(&folded(&value).as_str()),
                "datestyle" => folded(&value).starts_with("iso"),
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
        if name == "timezone" {
            let zone = Zone::read(&value).ok_or_else(|| zone_unknown(&value))?;
            zone.shown().clone_into(&mut value);
        }
        // Anything else is kept and shown again, within reason.
        if self.changed.len() + self.local.len() >= CHANGED_MAX || value.len() > VALUE_BYTES_MAX {
            return Err(Problem::new(
                "postgres-limit",
                "too many settings, or too long a value",
                "statement",
                format!("keep at most {CHANGED_MAX} of at most {VALUE_BYTES_MAX} bytes"),
            ));
        }
        if is_local {
            self.local.insert(name, value);
        } else {
            self.local.remove(&name);
            self.changed.insert(name, value);
        }
        Ok(())
    }

    /// Ends a transaction: what it changed stays or is taken back.
    pub fn end(&mut self, keeps: bool) {
        self.local.clear();
        if keeps {
            self.kept.clone_from(&self.changed);
        } else {
            self.changed.clone_from(&self.kept);
        }
    }

    /// Sets everything back.
    pub fn reset(&mut self) {
        self.changed.clear();
        self.local.clear();
    }

    /// What personal values are looked at for; `None` when nothing was said.
    pub fn purpose(&self) -> Option<&str> {
        self.get(PURPOSE).ok().filter(|purpose| !purpose.is_empty())
    }

    /// How long a statement may take by `statement_timeout`; `None` when it is not set.
    pub fn statement_timeout(&self) -> Option<Duration> {
        let time = duration(self.get("statement_timeout").ok()?).ok()?;
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

/// What PostgreSQL says of a zone that it does not know.
fn zone_unknown(value: &str) -> Problem {
    Problem::new(
        "postgres-setting",
        format!(
            "invalid value for parameter \"TimeZone\": \"{}\"",
            model::problem::quote(value)
        ),
        "statement",
        "give a name such as 'Asia/Shanghai' or 'UTC', or hours east of Greenwich such as 8; zones with rules of their own for \
         summer time are not supported here",
    )
}

/// The settings in the start-up parameter `options`, as in `-c timezone=PRC --statement_timeout=5s`; a backslash takes a
/// blank into a value.
pub fn in_options(options: &str) -> Vec<(String, String)> {
    let mut words = vec![String::new()];
    let mut letters = options.chars();
    while let Some(letter) = letters.next() {
        let last = words.len() - 1;
        match letter {
            '\\' => words[last].extend(letters.next()),
            letter if letter.is_whitespace() => words.push(String::new()),
            letter => words[last].push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let setting = match word.as_str() {
            "-c" => words.next().map(String::as_str),
            word => word.strip_prefix("--").or_else(|| word.strip_prefix("-c")),
        };
        if let Some((name, value)) = setting.and_then(|setting| setting.split_once('=')) {
            found.push((name.replace('-', "_"), value.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_hold_what_is_true() {
        let mut settings = Settings::default();
        assert_eq!(settings.get("TimeZone").unwrap(), "UTC");
        settings
            .set("client_encoding", Some("utf-8".into()), false)
            .unwrap();
        assert_eq!(
            settings
                .set("client_encoding", Some("GBK".into()), false)
                .unwrap_err()
                .code,
            "postgres-setting"
        );
        assert_eq!(settings.statement_timeout(), None);
        settings
            .set("statement_timeout", Some("2 min".into()), false)
            .unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(120)));
        assert!(
            settings
                .set("statement_timeout", Some("soon".into()), false)
                .is_err()
        );
        settings.set("my.setting", Some("1".into()), false).unwrap();
        assert_eq!(settings.get("my.setting").unwrap(), "1");
        assert_eq!(
            settings.get("nothing").unwrap_err().code,
            "postgres-setting-unknown"
        );
        settings.reset();
        assert_eq!(settings.statement_timeout(), None);
    }

    fn set(settings: &mut Settings, value: &str, is_local: bool) {
        let value = (!value.is_empty()).then(|| value.to_owned());
        settings.set("TimeZone", value, is_local).unwrap();
    }

    #[test]
    fn a_zone_is_kept_as_postgresql_shows_it() {
        let mut settings = Settings::default();
        set(&mut settings, "asia/shanghai", false);
        assert_eq!(settings.get("timezone").unwrap(), "Asia/Shanghai");
        assert_eq!(&**settings.zone().engine(), "Asia/Shanghai");
        set(&mut settings, "8", false);
        assert_eq!(settings.get("timezone").unwrap(), "<+08>-08");
        let wrong = settings.set("timezone", Some("Mars/Base".into()), false);
        let wrong = wrong.unwrap_err();
        assert_eq!(
            (wrong.code.as_str(), wrong.what.as_str()),
            (
                "postgres-setting",
                "invalid value for parameter \"TimeZone\": \"Mars/Base\""
            )
        );
        assert_eq!(&**settings.zone().engine(), "+08:00");
    }

    #[test]
    fn changes_end_with_what_they_belong_to() {
        let asked = vec![("TimeZone".to_owned(), "PRC".to_owned())];
        let mut settings = Settings::begin(asked).unwrap();
        let zone = |settings: &Settings| settings.get("timezone").unwrap().to_owned();
        assert_eq!(zone(&settings), "PRC");
        set(&mut settings, "Asia/Tokyo", false);
        settings.end(true);
        // SET LOCAL ends with its transaction, also where it is kept.
        set(&mut settings, "8", true);
        assert_eq!(zone(&settings), "<+08>-08");
        settings.end(true);
        assert_eq!(zone(&settings), "Asia/Tokyo");
        set(&mut settings, "", true);
        assert_eq!(zone(&settings), "PRC");
        // SET within one that is rolled back never was.
        set(&mut settings, "UTC", false);
        assert_eq!(zone(&settings), "UTC");
        settings.end(false);
        assert_eq!(zone(&settings), "Asia/Tokyo");
        // RESET goes back to what the client began with.
        set(&mut settings, "", false);
        assert_eq!(zone(&settings), "PRC");
        settings.end(false);
        assert_eq!(zone(&settings), "Asia/Tokyo");
        settings.reset();
        settings.end(true);
        assert_eq!(zone(&settings), "PRC");
        assert!(settings.told().contains(&("TimeZone", "PRC".to_owned())));
    }

    #[test]
    fn a_purpose_holds_as_any_setting_does() {
        let asked = in_options("-c jingling.purpose=emergency");
        let mut settings = Settings::begin(asked).unwrap();
        assert_eq!(settings.purpose(), Some("emergency"));
        let mut say = |purpose: Option<&str>, is_local| {
            let purpose = purpose.map(str::to_owned);
            settings.set("Jingling.Purpose", purpose, is_local).unwrap();
            settings.purpose().map(str::to_owned)
        };
        assert_eq!(
            say(Some("case-handling"), true).as_deref(),
            Some("case-handling")
        );
        assert_eq!(say(Some(""), false), None, "looking no more");
        assert_eq!(say(None, false).as_deref(), Some("emergency"));
        settings
            .set(PURPOSE, Some("case-handling".into()), true)
            .unwrap();
        settings.end(true);
        assert_eq!(
            settings.purpose(),
            Some("emergency"),
            "SET LOCAL ends with its transaction"
        );
        assert_eq!(Settings::default().purpose(), None);
        assert_eq!(Settings::default().get("jingling.purpose").unwrap(), "");
    }

    #[test]
    fn options_of_the_command_line_are_settings() {
        let found =
            in_options(r"-c timezone=PRC -cgeqo=off --statement-timeout=5s -c a.b=x\ y -d 1");
        let found: Vec<_> = found
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("timezone", "PRC"),
                ("geqo", "off"),
                ("statement_timeout", "5s"),
                ("a.b", "x y")
            ]
        );
        assert!(in_options("-c").is_empty());
    }
}
