//! What can be wrong with a rule alone, and with rules together.

use crate::expression::{Expression, TIMES};
use crate::rule::{
    AttributeThreshold, Bound, COUNT_MAX, DURATION_SECONDS_MAX, HOURS_MAX, Kind, Mistake, Op,
    Outlook, Rule, Suppressor, Threshold,
};
use crate::schedule;
use crate::text;
use hashbrown::HashMap;
use model::{Calendars, Catalogue, EntityKind, Problem, ValueKind, unit};
use std::collections::BTreeMap;

impl Rule {
    /// Which keys are of use to which kinds, and whether they are given.
    fn keys(&self) -> [(&'static str, bool, &'static [Kind]); 17] {
        const COMPARING: &[Kind] = &[Kind::Threshold, Kind::Rate, Kind::Count, Kind::Forecast];
        const MEASURED: &[Kind] = &[
            Kind::Threshold,
            Kind::Rate,
            Kind::Count,
            Kind::Forecast,
            Kind::Deviation,
        ];
        const LIMITED: &[Kind] = &[
            Kind::Threshold,
            Kind::Silence,
            Kind::Rate,
            Kind::Count,
            Kind::Forecast,
            Kind::Deviation,
        ];
        /// A forecast says of itself for how long: how long a value holds is a question to readings.
        const HELD: &[Kind] = &[
            Kind::Threshold,
            Kind::Silence,
            Kind::OutOfRange,
            Kind::Rate,
            Kind::Geofence,
            Kind::Count,
            Kind::Expression,
            Kind::Deviation,
        ];
        let outlook = self.forecast.as_ref();
        [
            ("op", self.op.is_some(), COMPARING),
            ("threshold", self.threshold.is_some(), LIMITED),
            ("unit", self.unit.is_some(), MEASURED),
            ("for_seconds", self.for_seconds != 0, HELD),
            ("clear.for_seconds", self.clear.for_seconds != 0, HELD),
            (
                "forecast",
                outlook.is_some(),
                &[Kind::Forecast, Kind::Deviation],
            ),
            (
                "forecast.within_hours",
                outlook.is_some_and(|o| o.within_hours.is_some()),
                &[Kind::Forecast],
            ),
            (
                "forecast.bound",
                outlook.is_some_and(|o| o.bound != Bound::Value),
                &[Kind::Forecast],
            ),
            (
                "clear.margin",
                self.clear.margin != 0.0,
                &[
                    Kind::Threshold,
                    Kind::Rate,
                    Kind::Geofence,
                    Kind::Forecast,
                    Kind::Deviation,
                ],
            ),
            (
                "window_seconds",
                self.window_seconds != 0,
                &[Kind::Rate, Kind::Count],
            ),
            ("per_seconds", self.per_seconds.is_some(), &[Kind::Rate]),
            ("at_least", self.at_least.is_some(), &[Kind::Count]),
            ("distinct", self.distinct, &[Kind::Count]),
            ("area", self.area.is_some(), &[Kind::Geofence]),
            ("when", self.when.is_some(), &[Kind::Geofence]),
            ("expression", self.expression.is_some(), &[Kind::Expression]),
            (
                "clear.expression",
                self.clear.expression.is_some(),
                &[Kind::Expression],
            ),
        ]
    }

    /// Everything wrong with the rule against the declared types; empty when it can run.
    #[expect(clippy::too_many_lines, reason = "one list of mistakes")]
    pub fn mistakes(&self, catalogue: &Catalogue) -> Vec<Mistake> {
        let mut found = Vec::new();
        let mut say = |key, code, what: String, mend: &str| {
            found.push(Mistake {
                key,
                code,
                what,
                mend: mend.to_owned(),
            });
        };
        let id_is_good = self.id.starts_with(|c: char| c.is_ascii_lowercase())
            && self
                .id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !id_is_good {
            say(
                "id",
                "rule-id",
                format!("\"{}\" is not a rule id", model::problem::quote(&self.id)),
                "use lower-case letters, digits and hyphens, a letter first",
            );
        }
        for (key, title) in [("title_zh", &self.title_zh), ("title_en", &self.title_en)] {
            if title.trim().is_empty() {
                say(
                    key,
                    "rule-title",
                    "the title is empty".into(),
                    "write the alert's title",
                );
            }
            for word in text::unknown_placeholders(title, self.kind) {
                say(
                    key,
                    "rule-placeholder",
                    format!(
                        "the title holds {{{word}}}, which is no placeholder of this kind of rule"
                    ),
                    "use {value}, {threshold}, {unit} or {entity}; where a forecast is looked at also {when}, {lower} and {upper}",
                );
            }
        }
        for (key, seconds) in [
            ("for_seconds", self.for_seconds),
            ("clear.for_seconds", self.clear.for_seconds),
        ] {
            if seconds > DURATION_SECONDS_MAX {
                say(
                    key,
                    "rule-duration",
                    format!("{seconds} s is longer than {DURATION_SECONDS_MAX} s"),
                    "use at most 31 days",
                );
            }
        }
        if !(self.clear.margin >= 0.0 && self.clear.margin.is_finite()) {
            say(
                "clear.margin",
                "rule-margin",
                format!("a margin of {} makes no sense", self.clear.margin),
                "use 0 or more, in the attribute's unit",
            );
        }
        for (key, given, kinds) in self.keys() {
            if given && !kinds.contains(&self.kind) {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                say(
                    key,
                    "rule-key-unused",
                    format!("a rule of this kind has no use for {key}"),
                    &format!("take the key away, or make the kind {}", words.join(" or ")),
                );
            }
        }
        for (key, seconds) in [
            ("window_seconds", self.window_seconds),
            ("per_seconds", self.per_seconds.unwrap_or(1)),
            ("repeat_seconds", self.repeat_seconds),
            (
                "storm.within_seconds",
                self.storm.map_or(1, |s| s.within_seconds),
            ),
        ] {
            let is_needed = match key {
                "window_seconds" => matches!(self.kind, Kind::Rate | Kind::Count),
                "repeat_seconds" => false,
                _ => true,
            };
            if seconds > DURATION_SECONDS_MAX || seconds == 0 && is_needed {
                say(
                    key,
                    "rule-duration",
                    format!("{key} is {seconds} s"),
                    "use 1 second to 31 days",
                );
            }
        }
        if let Some(storm) = self.storm
            && !(1..=COUNT_MAX).contains(&storm.more_than)
        {
            say(
                "storm.more_than",
                "rule-count",
                format!("a storm of more than {} alerts", storm.more_than),
                &format!("use 1 to {COUNT_MAX}"),
            );
        }
        if self.kind == Kind::Count && !(1..=COUNT_MAX).contains(&self.at_least.unwrap_or(0)) {
            say(
                "at_least",
                "rule-count",
                "the rule does not say from how many on the alert is raised".into(),
                &format!("add at_least = 3 (1 to {COUNT_MAX})"),
            );
        }
        if self.kind == Kind::Geofence {
            match &self.area {
                None => say(
                    "area",
                    "rule-area",
                    "the rule has no area".into(),
                    "add area = { lon = …, lat = …, radius_m = … } or area = { polygon = [[lon, lat], …] }",
                ),
                Some(area) => {
                    if let Some(mistake) = area.mistake() {
                        say(
                            "area",
                            "rule-area",
                            mistake,
                            "write degrees of WGS 84, and metres",
                        );
                    }
                }
            }
            if self.when.is_none() {
                say(
                    "when",
                    "rule-when",
                    "the rule does not say which side of the area it looks for".into(),
                    "add when = \"enter\", \"leave\", \"inside\" or \"outside\"",
                );
            }
        }
        if self.kind.looks_ahead() {
            for (key, what, mend) in self.outlook_mistakes(catalogue) {
                say(key, "rule-forecast", what, mend);
            }
        }
        if self.kind == Kind::Silence && self.threshold.is_none() && self.for_seconds == 0 {
            say(
                "for_seconds",
                "rule-silence-zero",
                "a silence of 0 seconds is always there".into(),
                "say after how many seconds without an observation the alert is raised, or name the attribute that states it: threshold = { attribute = \"…\" }",
            );
        }
        if self.kind == Kind::Silence && self.threshold.is_some() && self.for_seconds != 0 {
            say(
                "for_seconds",
                "rule-silence-twice",
                "the rule says twice how long nothing may be heard".into(),
                "keep for_seconds, or the threshold that each entity states",
            );
        }
        let Some(kind) = catalogue.kinds.get(&self.entity_type) else {
            say(
                "entity_type",
                "rule-unknown-type",
                format!(
                    "no pack declares the entity type {}",
                    model::problem::quote(&self.entity_type)
                ),
                "name a declared type, or declare it in the pack's entities folder",
            );
            return found;
        };
        if let Some((key, what)) = self.stated_silence_mistake(kind) {
            say(
                key,
                "rule-silence-stated",
                what,
                "name a number of the entity itself in a unit of time: threshold = { attribute = \"…\" }",
            );
        }
        for (key, relation) in self.relations() {
            if !kind.attributes.contains_key(relation) && !kind.open {
                say(
                    key,
                    "rule-unknown-attribute",
                    format!(
                        "{} has no attribute {}",
                        self.entity_type,
                        model::problem::quote(relation)
                    ),
                    "name the attribute that holds the other entity's id",
                );
            }
        }
        if self.kind == Kind::Expression {
            let texts = [
                (
                    "expression",
                    Some(self.expression.as_deref().unwrap_or_default()),
                ),
                ("clear.expression", self.clear.expression.as_deref()),
            ];
            for (key, text) in texts {
                let Some(text) = text else { continue };
                if let Err((code, what, mend)) = self.expression_mistake(text, kind) {
                    say(key, code, what, &mend);
                }
            }
        }
        let Some(name) = &self.attribute else {
            if !matches!(self.kind, Kind::Silence | Kind::Expression) {
                say(
                    "attribute",
                    "rule-attribute-missing",
                    "the rule does not say which attribute it watches".into(),
                    "add attribute = \"…\"",
                );
            }
            return found;
        };
        let Some(attribute) = kind.attributes.get(name) else {
            say(
                "attribute",
                "rule-unknown-attribute",
                format!(
                    "{} has no attribute {}",
                    self.entity_type,
                    model::problem::quote(name)
                ),
                "name an attribute of the type, or declare it in the pack's entities folder",
            );
            return found;
        };
        let expected = match self.kind {
            Kind::Rate | Kind::Forecast | Kind::Deviation => Some(ValueKind::Number),
            Kind::Geofence => Some(ValueKind::Geometry),
            _ => None,
        };
        if expected.is_some_and(|expected| expected != attribute.value) {
            say(
                "attribute",
                "rule-attribute-kind",
                format!("{name} holds a {:?}", attribute.value),
                "a rate and a forecast need a number, a geofence a place",
            );
            return found;
        }
        if self.kind == Kind::Deviation {
            match self.threshold {
                None => {}
                Some(Threshold::Number(number)) if number > 0.0 && number.is_finite() => {}
                Some(_) => say(
                    "threshold",
                    "rule-threshold-number",
                    "a deviation is compared with a number above 0".into(),
                    "write how far the value may be from its forecast, or leave the threshold out: then the forecast's interval counts",
                ),
            }
        }
        let compares = matches!(self.kind, Kind::Threshold | Kind::Rate | Kind::Forecast)
            || self.kind == Kind::Count && (self.op.is_some() || self.threshold.is_some());
        if (compares || self.kind == Kind::Deviation)
            && let Some(code) = &self.unit
            && Some(code) != attribute.unit.as_ref()
        {
            say(
                "unit",
                "rule-unit",
                format!(
                    "the threshold is in {code}, {}.{name} is in {}",
                    self.entity_type,
                    attribute.unit.as_deref().unwrap_or("no unit")
                ),
                "write the threshold in the attribute's unit",
            );
        }
        if !compares {
            return found;
        }
        let (Some(op), Some(threshold)) = (self.op, &self.threshold) else {
            if self.op.is_none() {
                say(
                    "op",
                    "rule-op-missing",
                    "the rule does not say how to compare".into(),
                    "add op = \">=\" (or >, <=, <, ==, !=)",
                );
            }
            if self.threshold.is_none() {
                say(
                    "threshold",
                    "rule-threshold-missing",
                    "the rule has no threshold".into(),
                    "add threshold = 30.0, or threshold = { attribute = \"…\" }",
                );
            }
            return found;
        };
        let threshold_kind = match threshold {
            Threshold::Number(number) => {
                if !number.is_finite() {
                    say(
                        "threshold",
                        "rule-threshold-number",
                        format!("{number} is no threshold"),
                        "use a finite number",
                    );
                }
                let never = self.kind != Kind::Rate
                    && match op {
                        Op::AtLeast => attribute.max.is_some_and(|max| *number > max),
                        Op::Above => attribute.max.is_some_and(|max| *number >= max),
                        Op::AtMost => attribute.min.is_some_and(|min| *number < min),
                        Op::Below => attribute.min.is_some_and(|min| *number <= min),
                        Op::Equal | Op::Different => false,
                    };
                if never {
                    say(
                        "threshold",
                        "rule-never",
                        format!(
                            "{number} lies outside the declared range of {name}: such values are kept as out_of_range and never raise this rule"
                        ),
                        "lower the threshold, widen the attribute's min and max, or use kind = \"out_of_range\"",
                    );
                }
                ValueKind::Number
            }
            Threshold::Boolean(_) => ValueKind::Boolean,
            Threshold::Text(_) => ValueKind::Text,
            Threshold::Attribute(other) => {
                if !matches!(self.kind, Kind::Threshold | Kind::Forecast) {
                    say(
                        "threshold.attribute",
                        "rule-key-unused",
                        "only a threshold or forecast rule can be compared with an attribute"
                            .into(),
                        "write a fixed threshold",
                    );
                    return found;
                }
                if let Some((key, what)) = other.elsewhere_mistake() {
                    say(
                        key,
                        "rule-other-entity",
                        what,
                        "give entity_type, and one of entity and relation",
                    );
                    return found;
                }
                let holder = other.entity_type.as_ref().unwrap_or(&self.entity_type);
                let declared = catalogue.attribute(holder, &other.attribute);
                let Some(declared) = declared else {
                    say(
                        "threshold.attribute",
                        "rule-unknown-attribute",
                        format!(
                            "{holder} has no attribute {}",
                            model::problem::quote(&other.attribute)
                        ),
                        "name an attribute of the type, or declare it in the pack's entities folder",
                    );
                    return found;
                };
                if declared.unit != attribute.unit {
                    say(
                        "threshold.attribute",
                        "rule-unit",
                        format!(
                            "{name} is in {}, {} is in {}",
                            attribute.unit.as_deref().unwrap_or("no unit"),
                            other.attribute,
                            declared.unit.as_deref().unwrap_or("no unit")
                        ),
                        "declare both attributes in one unit",
                    );
                }
                declared.value
            }
        };
        if threshold_kind != attribute.value {
            say(
                "threshold",
                "rule-threshold-kind",
                format!(
                    "{name} holds a {:?}, the threshold is a {threshold_kind:?}",
                    attribute.value
                ),
                "compare like with like",
            );
        } else if threshold_kind != ValueKind::Number && !matches!(op, Op::Equal | Op::Different) {
            say(
                "op",
                "rule-op",
                format!("{name} has no order"),
                "use == or != for text and true/false",
            );
        } else if self.kind == Kind::Forecast && matches!(op, Op::Equal | Op::Different) {
            say(
                "op",
                "rule-op",
                "a forecast is hardly ever exactly a number".into(),
                "use >=, >, <= or <",
            );
        }
        found
    }

    /// What is wrong with the forecast that the rule looks at: key, what, mend.
    fn outlook_mistakes(&self, catalogue: &Catalogue) -> Vec<(&'static str, String, &'static str)> {
        let Some(outlook) = &self.forecast else {
            return vec![(
                "forecast",
                "the rule does not say which forecast it looks at".to_owned(),
                "add forecast = { entity_type = \"…\", within_hours = 24, age_hours_max = 12 }; a deviation has no within_hours",
            )];
        };
        let mut found = Vec::new();
        let Outlook {
            entity_type,
            within_hours,
            age_hours_max,
            certainty_min,
            ..
        } = outlook;
        let declared = catalogue.kinds.get(entity_type);
        let is_of_it = declared
            .and_then(|kind| kind.forecast.as_ref())
            .is_some_and(|forecast| {
                forecast.entity_type == self.entity_type
                    && Some(&forecast.attribute) == self.attribute.as_ref()
            });
        if !is_of_it {
            found.push((
                "forecast.entity_type",
                format!(
                    "{} forecasts no {} of {}",
                    model::problem::quote(entity_type),
                    model::problem::quote(self.attribute.as_deref().unwrap_or_default()),
                    model::problem::quote(&self.entity_type)
                ),
                "name an entity type whose [forecast] table names the rule's type and attribute",
            ));
        }
        for (key, hours) in [
            ("forecast.age_hours_max", Some(*age_hours_max)),
            (
                "forecast.within_hours",
                (self.kind == Kind::Forecast).then(|| within_hours.unwrap_or(0)),
            ),
        ] {
            if hours.is_some_and(|hours| !(1..=HOURS_MAX).contains(&hours)) {
                found.push((
                    key,
                    format!("{key} is missing, or no number of hours to look at"),
                    "use 1 to 744 hours (31 days)",
                ));
            }
        }
        if certainty_min.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            found.push((
                "forecast.certainty_min",
                "a certainty is a share".to_owned(),
                "use a number above 0 and at most 1, such as 0.8",
            ));
        }
        found
    }

    /// The attributes that name other entities, and the keys that name them.
    fn relations(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let threshold = match &self.threshold {
            Some(Threshold::Attribute(other)) => other.relation.as_deref(),
            _ => None,
        };
        threshold
            .map(|relation| ("threshold.relation", relation))
            .into_iter()
            .chain(
                self.suppressed_by
                    .iter()
                    .filter_map(|by| Some(("suppressed_by", by.relation()?))),
            )
    }

    /// What is wrong with how long an entity of a `silence` rule says that it may be silent: key, what.
    fn stated_silence_mistake(&self, kind: &EntityKind) -> Option<(&'static str, String)> {
        let threshold = self.threshold.as_ref()?;
        if self.kind != Kind::Silence {
            return None;
        }
        let stated = match threshold {
            Threshold::Attribute(stated) if stated.is_plain() => stated,
            _ => {
                let what = "the threshold of a silence is no attribute of the entity itself";
                return Some(("threshold", what.to_owned()));
            }
        };
        let name = model::problem::quote(&stated.attribute);
        let Some(declared) = kind.attributes.get(&stated.attribute) else {
            let what = format!("{} has no attribute {name}", kind.name);
            return Some(("threshold.attribute", what));
        };
        let unit = declared.unit.as_deref().and_then(unit::find);
        let is_time = unit.is_some_and(|unit| unit.dimension == "time");
        (declared.value != ValueKind::Number || !is_time).then(|| {
            let what = format!("{name} is no number in a unit of time");
            ("threshold.attribute", what)
        })
    }

    fn expression_mistake(
        &self,
        text: &str,
        kind: &model::EntityKind,
    ) -> Result<(), crate::expression::Refusal> {
        let expression = Expression::new(text)?;
        let mut kinds = BTreeMap::new();
        for name in expression.attributes() {
            let Some(attribute) = kind.attributes.get(name) else {
                return Err((
                    "rule-unknown-attribute",
                    format!(
                        "{} has no attribute {}",
                        self.entity_type,
                        model::problem::quote(name)
                    ),
                    format!("name attributes of the type, or {}", TIMES.join(", ")),
                ));
            };
            if matches!(attribute.value, ValueKind::Geometry | ValueKind::Json) {
                return Err((
                    "rule-expression-limit",
                    format!("{name} is a place or a structured value"),
                    "use numbers, texts, true and false; for places, kind = \"geofence\""
                        .to_owned(),
                ));
            }
            kinds.insert(name, attribute.value);
        }
        if kinds.is_empty() {
            return Err((
                "rule-expression",
                "the expression names no attribute: nothing would ever have it judged".to_owned(),
                "name at least one attribute of the type".to_owned(),
            ));
        }
        expression.trial(&kinds).map_err(|what| {
            (
                "rule-expression",
                format!("tried on made-up values: {what}"),
                "numbers are written with a point (1.0), and only like is computed with like"
                    .to_owned(),
            )
        })
    }
}

impl AttributeThreshold {
    fn elsewhere_mistake(&self) -> Option<(&'static str, String)> {
        if self.entity.is_some() && self.relation.is_some() {
            return Some((
                "threshold.relation",
                "the other entity is named twice, by its id and by a relation".to_owned(),
            ));
        }
        if self.is_elsewhere() != self.entity_type.is_some() {
            return Some((
                "threshold.entity_type",
                "the other entity and its type go together".to_owned(),
            ));
        }
        if let Some(id) = &self.entity
            && model::EntityId::new(id).is_err()
        {
            return Some((
                "threshold.entity",
                format!("{} is no entity id", model::problem::quote(id)),
            ));
        }
        [self.times, self.plus]
            .iter()
            .flatten()
            .find(|n| !n.is_finite())
            .map(|n| {
                (
                    "threshold.attribute",
                    format!("{n} is no number to compute with"),
                )
            })
    }
}

/// Where a rule's problems are, for people: its file, or its id.
pub(crate) fn place_of(rule: &Rule) -> &str {
    if rule.file.is_empty() {
        &rule.id
    } else {
        &rule.file
    }
}

/// Everything wrong with rules, each alone and all together: ids that are given twice, calendars that the city has not, rules that are
/// held back by rules that there are not, or by each other.
pub fn problems(rules: &[Rule], catalogue: &Catalogue, calendars: &Calendars) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut first_at: HashMap<&str, &Rule> = HashMap::new();
    for rule in rules {
        let place = place_of(rule);
        for mistake in rule.mistakes(catalogue) {
            let place = format!("{place}: {}", mistake.key);
            problems.push(mistake.at(place));
        }
        if let Some(during) = &rule.during
            && let Err(mut problem) = schedule::Schedule::new(during, calendars)
        {
            problem.place = format!("{place}: during");
            problems.push(problem);
        }
        if let Some(first) = first_at.insert(&rule.id, rule) {
            problems.push(Problem::new(
                "rule-duplicate",
                format!(
                    "the rule {} is declared twice, first in {}",
                    rule.id,
                    place_of(first)
                ),
                format!("{place}: id"),
                "give one of them another id, or delete it",
            ));
        }
    }
    for rule in rules {
        for by in &rule.suppressed_by {
            problems.extend(suppressor_problem(rule, by, &first_at));
        }
        problems.extend(doubt_problem(rule, &first_at));
    }
    problems.extend(cycle(rules, &first_at));
    problems
}

/// What is wrong with what casts doubt on a rule's alerts.
fn doubt_problem(rule: &Rule, rules: &HashMap<&str, &Rule>) -> Option<Problem> {
    let doubt = rule.doubted.as_ref()?;
    let wrong = |what: String, mend: &str| {
        let place = format!("{}: doubted", place_of(rule));
        Some(Problem::new("rule-doubt", what, place, mend))
    };
    if doubt.by.is_empty() || doubt.zh.trim().is_empty() || doubt.en.trim().is_empty() {
        let what = "by, zh or en is empty".to_owned();
        return wrong(what, "name the rules, and say the doubt in both languages");
    }
    let of_type = |id: &String| {
        let other = rules.get(id.as_str());
        *id != rule.id && other.is_some_and(|other| other.entity_type == rule.entity_type)
    };
    let other = doubt.by.iter().find(|id| !of_type(id))?;
    wrong(
        format!(
            "{} is no other rule of {}",
            model::problem::quote(other),
            rule.entity_type
        ),
        "name rules of the same entity type",
    )
}

fn suppressor_problem(
    rule: &Rule,
    by: &Suppressor,
    rules: &HashMap<&str, &Rule>,
) -> Option<Problem> {
    let place = format!("{}: suppressed_by", place_of(rule));
    if by.rule() == rule.id && by.relation().is_none() {
        return Some(Problem::new(
            "rule-cycle",
            format!(
                "the rule {} is held back by itself: it would never be raised",
                rule.id
            ),
            place,
            "take its own id out of suppressed_by",
        ));
    }
    let Some(other) = rules.get(by.rule()) else {
        return Some(Problem::new(
            "rule-unknown",
            format!("there is no rule {}", model::problem::quote(by.rule())),
            place,
            "name a rule that is in force, or take the entry away",
        ));
    };
    (by.relation().is_none() && other.entity_type != rule.entity_type).then(|| {
        Problem::new(
            "rule-suppressor-type",
            format!(
                "{} is about {}, {} about {}: they never meet on one entity",
                rule.id, rule.entity_type, other.id, other.entity_type
            ),
            place,
            "name the attribute that leads to the other: { rule = \"…\", relation = \"…\" }",
        )
    })
}

/// Rules that hold each other back, in a ring. With a relation too: entities can refer to each other.
fn cycle(rules: &[Rule], by_id: &HashMap<&str, &Rule>) -> Option<Problem> {
    // Rules are taken away that wait for none, until nothing moves; what is left lies on a ring or behind one.
    let mut left: BTreeMap<&str, &Rule> = by_id.iter().map(|(id, rule)| (*id, *rule)).collect();
    loop {
        let free: Vec<&str> = left
            .values()
            .filter(|rule| {
                let held_by_self =
                    |by: &Suppressor| by.rule() == rule.id && by.relation().is_none();
                rule.suppressed_by
                    .iter()
                    .all(|by| held_by_self(by) || !left.contains_key(by.rule()))
            })
            .map(|rule| rule.id.as_str())
            .collect();
        if free.is_empty() {
            break;
        }
        for id in free {
            left.remove(id);
        }
    }
    let rule = rules
        .iter()
        .find(|rule| left.contains_key(rule.id.as_str()))?;
    let ids: Vec<&str> = left.keys().copied().collect();
    Some(Problem::new(
        "rule-cycle",
        format!("these rules hold each other back: {}", ids.join(", ")),
        format!("{}: suppressed_by", place_of(rule)),
        "decide which of them explains the others, and take suppressed_by away from it",
    ))
}
