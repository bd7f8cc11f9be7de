//! Rules of who is told of what (通知规则): which events, whom in which order, over which channels.

use crate::event::{Event, SEVERITIES, rank};
use crate::quiet::Quiet;
use model::calendar::Calendars;
use model::problem::{Problem, quote};
use serde::{Deserialize, Serialize};

/// Most levels of a rule.
pub const LEVELS_MAX: usize = 8;
/// Most targets and channels of a level, and most words of a filter.
pub const WORDS_MAX: usize = 100;
/// Longest title and id, characters.
pub const TITLE_CHARS_MAX: usize = 100;
/// Longest time of any kind in a rule, minutes: a week.
pub const MINUTES_MAX: i64 = 7 * 24 * 60;

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Its id: small letters, digits, `-` and `.`.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Whether it tells anybody.
    pub enabled: bool,
    /// Kinds of events, such as `alert.raised`, `case.dispatch`; one that ends with `*` is the beginning of the kind.
    pub on: Vec<String>,
    /// Only events at least this grave; empty: all.
    pub severity_min: String,
    /// Only of entities of these types; empty: all.
    pub entity_types: Vec<String>,
    /// Only of these alert rules; empty: all.
    pub alert_rules: Vec<String>,
    /// Only in these towns, by code (区划代码); empty: all.
    pub divisions: Vec<String>,
    /// Who is told: the first at once, each next when nobody of those before answered.
    pub levels: Vec<Level>,
    /// When people are left in peace; critical events pass through.
    pub quiet: Option<Quiet>,
    /// A message that could not be sent for this long is given up, minutes; 0 takes one day.
    pub expire_minutes: i64,
}

/// A level of a rule (层级).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Level {
    /// Whom.
    pub to: Vec<Target>,
    /// Over which channels, in this order: `page`, or the id of a channel of the settings.
    pub channels: Vec<String>,
    /// Time between two channels, minutes; who took note on one is not told on the next. 0: all at once.
    pub channel_minutes: i64,
    /// When nobody answers for this long, the next level is told, minutes.
    pub answer_minutes: i64,
}

/// Whom a level tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Target {
    /// A person, by id.
    Person(i64),
    /// Whoever holds a post (岗位) then.
    Post(String),
    /// Whoever is on duty in an organisation then by its roster; where that names nobody, whoever holds a post of it; without
    /// any, its people.
    Organisation(String),
    /// Whoever has a role.
    Role(String),
    /// The person whom the case was given to.
    Assignee,
    /// The organisation that the case lies with, as [`Target::Organisation`].
    Responsible,
    /// Whoever answers for a place that the event reached: who holds its post, else whoever its organisation means, as
    /// [`Target::Organisation`]. Places for which that is nobody are told to those on duty.
    Affected,
}

impl Level {
    /// Whether it tells those who answer for what is reached.
    pub fn is_of_affected(&self) -> bool {
        self.to.contains(&Target::Affected)
    }
}

impl Rule {
    /// Whether it is on and about events of a kind.
    pub fn hears(&self, kind: &str) -> bool {
        let is = |word: &String| match word.strip_suffix('*') {
            Some(begin) => kind.starts_with(begin),
            None => kind == *word,
        };
        self.enabled && self.on.iter().any(is)
    }

    /// Whether it is about this event.
    pub fn matches(&self, event: &Event) -> bool {
        let one_of = |words: &[String], word: &Option<String>| {
            words.is_empty() || word.as_ref().is_some_and(|word| words.contains(word))
        };
        self.hears(&event.kind)
            && (self.severity_min.is_empty() || rank(&event.severity) >= rank(&self.severity_min))
            && one_of(&self.entity_types, &event.entity_type)
            && one_of(&self.alert_rules, &event.alert_rule)
            && one_of(&self.divisions, &event.division)
    }

    /// How long a message may wait, seconds.
    pub fn expire_s(&self) -> i64 {
        match self.expire_minutes {
            0 => 24 * 3_600,
            minutes => minutes * 60,
        }
    }

    /// What is wrong with it; `channels` are those that there are.
    pub fn check(&self, channels: &[&str], calendars: &Calendars) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |what: String, place: &str, mend: &str| {
            problems.push(Problem::new("notice-rule", what, place, mend));
        };
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if self.id.is_empty() || self.id.len() > TITLE_CHARS_MAX || !self.id.chars().all(is_id) {
            let what = format!("\"{}\" is no id", quote(&self.id));
            wrong(what, "id", "use small letters, digits, - and .");
        }
        for (title, place) in [(&self.title_zh, "title_zh"), (&self.title_en, "title_en")] {
            if title.trim().is_empty() || title.chars().count() > TITLE_CHARS_MAX {
                let what =
                    format!("the title is empty or longer than {TITLE_CHARS_MAX} characters");
                wrong(what, place, "say in a few words whom it tells of what");
            }
        }
        let known = |word: &String| {
            ["alert.", "case.", "security.", "duty."]
                .iter()
                .any(|begin| word.starts_with(begin))
        };
        if self.on.is_empty() || !self.on.iter().all(known) {
            let what = "it is about no event, or about one that there is not".to_owned();
            wrong(
                what,
                "on",
                "name kinds such as alert.raised, alert.reached, case.dispatch, case.overdue, case.*, security.session.refused, duty.plan-started, duty.plan-suggested, duty.turns-open",
            );
        }
        if !self.severity_min.is_empty() && !SEVERITIES.contains(&self.severity_min.as_str()) {
            let what = format!("\"{}\" is no severity", quote(&self.severity_min));
            wrong(what, "severity_min", "use info, minor, major or critical");
        }
        let filters = [
            &self.on,
            &self.entity_types,
            &self.alert_rules,
            &self.divisions,
        ];
        if filters.iter().any(|words| words.len() > WORDS_MAX) {
            let what = format!("a filter has more than {WORDS_MAX} words");
            wrong(
                what,
                "rule",
                "make two rules of it, or leave the filter empty for all",
            );
        }
        if self.levels.is_empty() || self.levels.len() > LEVELS_MAX {
            let what = format!("it has {} levels", self.levels.len());
            wrong(what, "levels", &format!("give 1 to {LEVELS_MAX}"));
        }
        for (n, level) in self.levels.iter().enumerate() {
            let place = format!("levels.{n}");
            if level.channels.is_empty()
                || level.channels.len() > WORDS_MAX
                || level.to.len() > WORDS_MAX
            {
                let what = "it tells over no channel, or over too many".to_owned();
                wrong(what, &place, "name page, or channels of the settings");
            }
            for channel in &level.channels {
                if !channels.contains(&channel.as_str()) {
                    let what = format!("there is no channel \"{}\"", quote(channel));
                    wrong(what, &place, &format!("use one of {}", channels.join(", ")));
                }
            }
            let minutes = 0..=MINUTES_MAX;
            if !minutes.contains(&level.channel_minutes) || !minutes.contains(&level.answer_minutes)
            {
                let what = "a time is negative or longer than a week".to_owned();
                wrong(what, &place, "use 0 to 10080 minutes");
            }
            if n + 1 < self.levels.len() && level.answer_minutes == 0 {
                let what = "the next level would never be told".to_owned();
                wrong(
                    what,
                    &place,
                    "say after how many minutes without an answer: answer_minutes",
                );
            }
        }
        if !(0..=MINUTES_MAX).contains(&self.expire_minutes) {
            let what = "the time is negative or longer than a week".to_owned();
            wrong(what, "expire_minutes", "use 0 to 10080 minutes");
        }
        if let Some(Err(problem)) = self.quiet.as_ref().map(|quiet| quiet.check(calendars)) {
            problems.push(problem);
        }
        problems
    }
}
