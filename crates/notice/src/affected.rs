//! Whom an event affects (受影响的地方), as messages name them: places that are reached, with what is added up over them, and the next
//! ones. What they are is the city's to say; here they are only named, so many and no more. Pure.

use serde::{Deserialize, Serialize};

/// Places that a line names; the rest is counted.
pub const PLACES_NAMED: usize = 5;
/// Places to come that a line names.
pub const NEXT_NAMED: usize = 3;
/// Divisions (villages) of one place that are named; the rest is counted.
pub const DIVISIONS_NAMED: usize = 4;
/// Places that the shortest text names.
pub const SHORT_NAMED: usize = 2;

/// Those of one type that an event affects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Their type.
    pub entity_type: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// The value that they were judged by.
    pub value: Option<f64>,
    /// The symbol of its unit; may be empty.
    pub unit: String,
    /// Whether that value is foretold and not there yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foretold: bool,
    /// What is added up over those who are reached.
    pub sums: Vec<Sum>,
    /// Who is reached, the first to be so first.
    pub reached: Vec<Place>,
    /// Who comes next.
    pub next: Vec<Place>,
}

/// Something that is added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// The attribute.
    pub attribute: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
}

/// One place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The entity.
    pub id: String,
    /// What it is called in Chinese.
    pub name_zh: String,
    /// What it is called in English.
    pub name_en: String,
    /// From which value on it is affected.
    pub from: f64,
    /// The divisions (villages) that it is about, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub divisions: Vec<String>,
    /// The codes of those divisions, as far as the reader may see them; none where they are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Its part of each of [`Affected::sums`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<Option<f64>>,
    /// The post that answers for it, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// The organisation that does, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Who answered for it when the event happened, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<i64>,
}

/// Which language a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Zh,
    En,
}

/// What a message says of it, in Chinese, a line each: what the reader answers for first.
pub fn lines_zh(affected: &[Affected], reader: Option<i64>) -> Vec<String> {
    lines(affected, reader, In::Zh)
}

/// The same in English.
pub fn lines_en(affected: &[Affected], reader: Option<i64>) -> Vec<String> {
    lines(affected, reader, In::En)
}

fn lines(affected: &[Affected], reader: Option<i64>, language: In) -> Vec<String> {
    let own = own(affected, reader);
    let mut lines = Vec::new();
    if !own.is_empty() {
        let named = named(&own, PLACES_NAMED, language);
        lines.push(match language {
            In::Zh => format!("由您负责：{named}"),
            In::En => format!("You answer for: {named}"),
        });
    }
    lines.extend(affected.iter().filter_map(|of| line(of, language)));
    lines
}

/// The same for the shortest texts, in Chinese, from the longest to the shortest that still says it; empty where nobody is reached.
pub fn short_zh(affected: &[Affected], reader: Option<i64>) -> Vec<String> {
    let all: Vec<&Place> = affected.iter().flat_map(|of| &of.reached).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let foretold = match affected.iter().any(|of| of.foretold) {
        true => "预报",
        false => "",
    };
    let totals: String = affected
        .iter()
        .flat_map(|of| totals(of, In::Zh))
        .map(|total| format!("，{total}"))
        .collect();
    let own = own(affected, reader);
    let (whose, first) = match own.is_empty() {
        true => ("", &all),
        false => ("您负责的", &own),
    };
    let named = bare(first, SHORT_NAMED, In::Zh);
    let count = all.len();
    vec![
        format!("；{foretold}涉及{whose}{named}，共 {count} 处{totals}"),
        format!("；{foretold}涉及 {count} 处{totals}"),
    ]
}

/// The places that a person answers for, of those that are reached.
fn own(affected: &[Affected], reader: Option<i64>) -> Vec<&Place> {
    let is_own = |place: &&Place| reader.is_some_and(|reader| place.people.contains(&reader));
    let all = affected.iter().flat_map(|of| &of.reached);
    all.filter(is_own).collect()
}

fn line(of: &Affected, language: In) -> Option<String> {
    let mut parts = Vec::new();
    let unit = unit(of);
    let title = match language {
        In::Zh => &of.title_zh,
        In::En => &of.title_en,
    };
    if !of.reached.is_empty() {
        let places: Vec<&Place> = of.reached.iter().collect();
        let named = named(&places, PLACES_NAMED, language);
        let count = places.len();
        let by = of.value.map(|value| format!("{}{unit}", shown(value)));
        parts.push(match (language, of.foretold) {
            (In::Zh, foretold) => {
                let when = if foretold {
                    "预报将影响"
                } else {
                    "受影响"
                };
                let by = by.map_or_else(String::new, |by| format!("（按 {by}）"));
                format!("{when}{title} {count} 处{by}：{named}")
            }
            (In::En, foretold) => {
                let when = if foretold {
                    "To be affected by the forecast"
                } else {
                    "Affected"
                };
                let by = by.map_or_else(String::new, |by| format!(" (at {by})"));
                format!("{when}, {title}: {count}{by}: {named}")
            }
        });
        parts.extend(totals(of, language));
    }
    if !of.next.is_empty() {
        let from = |place: &Place| {
            let (name, from) = (name_of(place, language), shown(place.from));
            match language {
                In::Zh => format!("{name}（{from}{unit} 起）"),
                In::En => format!("{name} (from {from}{unit})"),
            }
        };
        let some: Vec<String> = of.next.iter().take(NEXT_NAMED).map(from).collect();
        parts.push(match language {
            In::Zh => format!("接下来的{title}：{}", some.join("、")),
            In::En => format!("next, {title}: {}", some.join(", ")),
        });
    }
    let between = match language {
        In::Zh => "；",
        In::En => "; ",
    };
    (!parts.is_empty()).then(|| parts.join(between))
}

/// Whether places may have people in common, by the codes of their divisions: two of them name the same division, or one that lies in
/// the other's (the code of a village begins with its town's); or of one nothing is known.
pub fn may_overlap<'a>(places: impl IntoIterator<Item = &'a [String]>) -> bool {
    let places: Vec<&[String]> = places.into_iter().collect();
    if places.len() < 2 {
        return false;
    }
    let mut all: Vec<&str> = Vec::new();
    for codes in places {
        let mut own: Vec<&str> = codes.iter().map(String::as_str).collect();
        own.sort_unstable();
        // Of a place's own codes the outermost alone: what is left that lies in another is another place's.
        own.dedup_by(|inner, outer| inner.starts_with(*outer));
        if own.is_empty() {
            return true;
        }
        all.extend(own);
    }
    all.sort_unstable();
    all.windows(2).any(|two| two[1].starts_with(two[0]))
}

/// What is added up, each as `受威胁人口 1,240`; what nobody said anything of is left out. Where places may have people in common it is the
/// most that there can be, and said so.
fn totals(of: &Affected, language: In) -> Vec<String> {
    let total = |(n, sum): (usize, &Sum)| {
        let of_place = |place: &'_ Place| *place.amounts.get(n)?;
        let counted = of.reached.iter().filter(|place| of_place(place).is_some());
        let codes = counted.clone().map(|place| place.codes.as_slice());
        let amounts: Vec<f64> = counted.filter_map(of_place).collect();
        let most = match (language, may_overlap(codes)) {
            (_, false) => "",
            (In::Zh, true) => "至多 ",
            (In::En, true) => "at most ",
        };
        let title = match language {
            In::Zh => &sum.title_zh,
            In::En => &sum.title_en,
        };
        let total = grouped(&shown(amounts.iter().sum()));
        (!amounts.is_empty()).then(|| format!("{title} {most}{total}"))
    };
    of.sums.iter().enumerate().filter_map(total).collect()
}

/// Places with their divisions, at most so many, then how many more.
fn named(places: &[&Place], most: usize, language: In) -> String {
    let one = |place: &Place| {
        let name = name_of(place, language);
        if place.divisions.is_empty() {
            return name.to_owned();
        }
        let some: Vec<&str> = place
            .divisions
            .iter()
            .take(DIVISIONS_NAMED)
            .map(String::as_str)
            .collect();
        let count = place.divisions.len();
        let is_more = count > some.len();
        match (language, is_more) {
            (In::Zh, false) => format!("{name}（{}）", some.join("、")),
            (In::Zh, true) => format!("{name}（{}等 {count} 个）", some.join("、")),
            (In::En, false) => format!("{name} ({})", some.join(", ")),
            (In::En, true) => format!(
                "{name} ({} and {} more)",
                some.join(", "),
                count - some.len()
            ),
        }
    };
    let some: Vec<String> = places.iter().take(most).map(|place| one(place)).collect();
    with_more(&some, places.len(), language)
}

/// Names alone, for the shortest texts.
fn bare(places: &[&Place], most: usize, language: In) -> String {
    let some = places.iter().take(most);
    // A village says more to its people than what the plan calls the area.
    let some: Vec<String> = some
        .map(|place| match place.divisions.first() {
            Some(division) if language == In::Zh => {
                format!("{}（{division}）", name_of(place, language))
            }
            _ => name_of(place, language).to_owned(),
        })
        .collect();
    with_more(&some, places.len(), language)
}

fn with_more(some: &[String], count: usize, language: In) -> String {
    let left = count.saturating_sub(some.len());
    match (language, left) {
        (In::Zh, 0) => some.join("、"),
        (In::Zh, _) => format!("{}，另有 {left} 处", some.join("、")),
        (In::En, 0) => some.join(", "),
        (In::En, _) => format!("{} and {left} more", some.join(", ")),
    }
}

fn name_of(place: &Place, language: In) -> &str {
    match language {
        In::Zh => &place.name_zh,
        In::En => &place.name_en,
    }
}

fn unit(of: &Affected) -> String {
    match of.unit.is_empty() {
        true => String::new(),
        false => format!(" {}", of.unit),
    }
}

/// A number with at most two digits behind the point.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Its digits in groups of three.
fn grouped(number: &str) -> String {
    let (whole, rest) = match number.split_once('.') {
        Some((whole, rest)) => (whole, format!(".{rest}")),
        None => (number, String::new()),
    };
    let mut text = String::new();
    for (n, digit) in whole.chars().enumerate() {
        let left = whole.chars().count() - n;
        if n > 0 && left % 3 == 0 && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text + &rest
}
