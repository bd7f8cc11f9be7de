//! `successions.csv`: towns that were merged into another (撤并), each from a day on. What is kept under the old code counts for the
//! successor from that day, and is told as what it was.
//!
//! ```csv
//! code,name,into,on
//! 429006199,某某镇,429006100,2024-05-01
//! ```
//! A city in which no town was merged has no such file.

use crate::layers::Town;
use jiff::civil::Date;
use model::Problem;
use model::problem::quote;

/// The file's name.
pub const SUCCESSIONS: &str = "successions.csv";
/// The columns, in this order.
const HEADER: &str = "code,name,into,on";
/// Digits of a town's code.
const CODE_DIGITS: usize = 9;

/// A town that was merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The code that it had.
    pub code: String,
    /// The name that it had.
    pub name: String,
    /// The code of the town that it was merged into, which may have been merged itself later.
    pub into: String,
    /// From which day on.
    pub on: Date,
}

/// What a code of a town means on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Division<'a> {
    /// A town of the city.
    Town(&'a Town),
    /// One that was merged; what is kept under its code counts for `town`.
    Former {
        /// The town for which it counts.
        town: &'a Town,
        /// What became of it first.
        was: &'a Succession,
    },
    /// No town of the city, and none that was merged by then.
    Unknown,
}

/// What a code means on a day, by the towns that are drawn and those that were merged by then.
pub(crate) fn division<'a>(
    towns: &'a [Town],
    successions: &'a [Succession],
    code: &str,
    day: Date,
) -> Division<'a> {
    let mut was: Option<&Succession> = None;
    let mut at = code;
    // Each step leads to another town: there are no circles in a profile that was loaded.
    for _ in 0..=successions.len() {
        let Some(next) = successions.iter().find(|s| s.code == at && s.on <= day) else {
            break;
        };
        was = was.or(Some(next));
        at = &next.into;
    }
    match (towns.iter().find(|town| town.code == at), was) {
        (Some(town), None) => Division::Town(town),
        (Some(town), Some(was)) => Division::Former { town, was },
        (None, _) => Division::Unknown,
    }
}

/// Reads the file and holds it to the towns.
pub(crate) fn read(bytes: &[u8], towns: &[Town]) -> Result<Vec<Succession>, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| wrong(1, format!("not UTF-8: {e}"), "save the file as UTF-8"))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1_usize..);
    let header = lines.next().map_or("", |(line, _)| line.trim());
    if header != HEADER {
        return Err(wrong(
            1,
            format!("the columns are \"{}\"", quote(header)),
            &format!("begin with the line {HEADER}"),
        ));
    }
    let mut all: Vec<(Succession, usize)> = Vec::new();
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        let succession = one(line, number)?;
        if let Some((_, first)) = all.iter().find(|(s, _)| s.code == succession.code) {
            return Err(wrong(
                number,
                format!("{} is on line {first} already", succession.code),
                "a town is merged once: keep one of them",
            ));
        }
        all.push((succession, number));
    }
    for (succession, number) in &all {
        leads_to_a_town(succession, *number, &all, towns)?;
    }
    Ok(all.into_iter().map(|(succession, _)| succession).collect())
}

fn wrong(line: usize, what: String, mend: &str) -> Problem {
    Problem::new(
        "city-succession",
        what,
        format!("{SUCCESSIONS}:{line}"),
        mend,
    )
}

fn one(line: &str, number: usize) -> Result<Succession, Problem> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [code, name, into, on] = fields.as_slice() else {
        return Err(wrong(
            number,
            format!("the line has {} fields", fields.len()),
            &format!("write four without commas in them: {HEADER}"),
        ));
    };
    for (what, code) in [("code", code), ("into", into)] {
        if code.len() != CODE_DIGITS || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong(
                number,
                format!("{what} \"{}\" is no code of a town", quote(code)),
                "write the 9 digits of the statistics code",
            ));
        }
    }
    if name.is_empty() {
        return Err(wrong(
            number,
            format!("the name that {code} had is missing"),
            "write it: old figures are shown under it",
        ));
    }
    if on.is_empty() {
        return Err(wrong(
            number,
            format!("the day from which {name} is merged is missing"),
            "write it as YYYY-MM-DD, from the approval of the merger",
        ));
    }
    let on = on.parse::<Date>().map_err(|_| {
        wrong(
            number,
            format!("\"{}\" is no day", quote(on)),
            "write a day such as 2024-05-01",
        )
    })?;
    Ok(Succession {
        code: (*code).to_owned(),
        name: (*name).to_owned(),
        into: (*into).to_owned(),
        on,
    })
}

/// Whoever was merged into, and into whom that one was merged, ends with a town of the city; in the order of the days.
fn leads_to_a_town(
    first: &Succession,
    line: usize,
    all: &[(Succession, usize)],
    towns: &[Town],
) -> Result<(), Problem> {
    let mut at = first;
    let mut seen = vec![first.code.as_str()];
    loop {
        if seen.contains(&at.into.as_str()) {
            return Err(wrong(
                line,
                format!("{} is merged into itself by way of others", first.name),
                "let each lead to a town that is there",
            ));
        }
        seen.push(&at.into);
        let Some((next, _)) = all.iter().find(|(s, _)| s.code == at.into) else {
            break;
        };
        if next.on <= at.on {
            return Err(wrong(
                line,
                format!(
                    "{} is merged into {} on {}, which was merged itself on {}",
                    at.name, next.name, at.on, next.on
                ),
                "name the town that was there on the day, or put the day right",
            ));
        }
        at = next;
    }
    if towns.iter().any(|town| town.code == at.into) {
        return Ok(());
    }
    Err(wrong(
        line,
        format!("the city has no town {} for {}", at.into, at.name),
        "name a code of layers/towns.geojson, or add the line of what became of that one",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn town(code: &str) -> Town {
        Town {
            code: code.to_owned(),
            name: format!("镇{code}"),
            village_count: 0,
            label: [0.0, 0.0],
            ring: Vec::new(),
        }
    }

    fn towns() -> Vec<Town> {
        ["429006001", "429006002"].map(town).into()
    }

    fn refused(lines: &str) -> (String, String) {
        let text = format!("{HEADER}\n{lines}");
        let problem = read(text.as_bytes(), &towns()).unwrap_err();
        assert_eq!(problem.code, "city-succession");
        (problem.place, problem.what)
    }

    #[test]
    fn a_code_counts_for_the_successor_from_the_day_on_and_through_a_second_merger() {
        let text = format!(
            "\u{feff}{HEADER}\r\n429006101,甲镇,429006102,2022-03-01\r\n429006102,乙镇,429006001,2024-05-01\r\n\r\n"
        );
        let (towns, all) = (towns(), read(text.as_bytes(), &towns()).unwrap());
        assert_eq!(all.len(), 2);
        let of = |code: &str, day| match division(&towns, &all, code, day) {
            Division::Town(town) => town.code.clone(),
            Division::Former { town, was } => format!("{} {}>{}", town.code, was.name, was.on),
            Division::Unknown => "?".to_owned(),
        };
        let (before, after) = (date(2024, 4, 30), date(2024, 5, 1));
        assert_eq!(of("429006001", after), "429006001");
        assert_eq!(of("429006102", before), "?");
        assert_eq!(of("429006102", after), "429006001 乙镇>2024-05-01");
        assert_eq!(of("429006101", after), "429006001 甲镇>2022-03-01");
        assert_eq!(of("429006101", before), "?");
        assert_eq!(of("429006777", after), "?");
    }

    #[test]
    fn a_town_that_is_still_drawn_is_itself_until_the_day() {
        let towns = towns();
        let text = format!("{HEADER}\n429006002,候口街道,429006001,2027-01-01\n");
        let all = read(text.as_bytes(), &towns).unwrap();
        assert_eq!(
            division(&towns, &all, "429006002", date(2026, 12, 31)),
            Division::Town(&towns[1])
        );
        assert_eq!(
            division(&towns, &all, "429006002", date(2027, 1, 1)),
            Division::Former {
                town: &towns[0],
                was: &all[0]
            }
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_line() {
        for (lines, line, words) in [
            ("429006101,甲镇,429006009,2024-05-01", 2, "429006009"),
            (
                "429006101,甲镇,429006102,2024-05-01\n429006102,乙镇,429006101,2025-05-01",
                2,
                "itself",
            ),
            ("429006101,甲镇,429006101,2024-05-01", 2, "itself"),
            ("\n429006101,甲镇,429006001,", 3, "day"),
            ("429006101,甲镇,429006001,2024-02-30", 2, "2024-02-30"),
            ("429006101,,429006001,2024-05-01", 2, "name"),
            ("42900610,甲镇,429006001,2024-05-01", 2, "42900610"),
            ("429006101,甲镇,429006001", 2, "3 fields"),
            (
                "429006101,甲镇,429006001,2024-05-01\n429006101,甲镇,429006002,2024-05-01",
                3,
                "line 2",
            ),
            (
                "429006101,甲镇,429006102,2024-05-01\n429006102,乙镇,429006001,2023-05-01",
                2,
                "2023-05-01",
            ),
        ] {
            let (place, what) = refused(lines);
            assert_eq!(place, format!("{SUCCESSIONS}:{line}"), "{lines}");
            assert!(what.contains(words), "{what}");
        }
        let problem = read("code,into\n".as_bytes(), &towns()).unwrap_err();
        assert_eq!(problem.place, "successions.csv:1");
        assert_eq!(read(&[0xff], &towns()).unwrap_err().code, "city-succession");
    }
}
