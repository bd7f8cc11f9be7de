//! `goals-by-paragraph.toml`: every quantified goal of the plan's text, paragraph by paragraph, with the indicators that measure it; and
//! what bears a number, or speaks of all, and is no goal that can be measured, with why. The check holds it to the plan's text both ways:
//! each quote stands in its paragraph word for word, and nothing there that bears a number is in neither list.

use crate::document::Document;
use indicators::Origin;
use model::Problem;
use model::problem::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Range;

/// The file's name.
pub const FILE: &str = "goals-by-paragraph.toml";

/// The goals of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goals {
    /// Words that bear a number and are names, dates or standards: no goals wherever they stand.
    #[serde(default)]
    pub names: Vec<String>,
    /// Parts of the text that state no goals.
    #[serde(default)]
    pub outside: Vec<Outside>,
    /// The paragraphs that state goals, or bear a number.
    #[serde(rename = "paragraph", default)]
    pub paragraphs: Vec<Paragraph>,
}

/// A part of the text that states no goals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    /// What its sections begin with, such as `一、`.
    pub section: String,
    /// Why, in Chinese.
    pub because_zh: String,
    /// The same in English.
    pub because_en: String,
}

/// A paragraph, as the plan numbers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    /// Chapter, section, paragraph and title, as in `三、(一)1.加快5G网络发展`; a table is `…·表` and its title.
    pub section: String,
    /// Its quantified goals.
    #[serde(default)]
    pub goals: Vec<Goal>,
    /// What sounds like a goal, or bears a number, and is none that can be measured.
    #[serde(default)]
    pub excluded: Vec<Excluded>,
}

/// A quantified goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// The plan's own words.
    pub quote: String,
    /// Ids of the indicators that measure it.
    pub indicators: Vec<String>,
}

/// Words that are no measurable goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// The plan's own words.
    pub quote: String,
    /// Why not, in Chinese.
    pub because_zh: String,
    /// The same in English.
    pub because_en: String,
}

/// A part of the plan's text with a number of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    /// As the plan numbers and calls it; a paragraph whose title runs on into its text is called by all of it.
    title: String,
    /// All of its text without white space, its heading included, and how long the number of the heading is.
    body: String,
    numbering: usize,
}

const NUMERALS: &str = "一二三四五六七八九十";

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The text in its sections; `tables` are the titles of tables, which end with their chapter.
fn sections(text: &str, tables: &[String]) -> Vec<Section> {
    let mut all: Vec<Section> = Vec::new();
    let (mut chapter, mut part) = (String::new(), String::new());
    let mut in_table = false;
    for line in text.lines().map(squeeze).filter(|line| !line.is_empty()) {
        let mut begin = |title: String, numbering: usize| {
            all.push(Section {
                title,
                body: String::new(),
                numbering,
            });
        };
        if let Some(number) = chapter_number(&line) {
            (chapter, part, in_table) = (number.to_owned(), String::new(), false);
            begin(line.clone(), number.len());
        } else if tables.contains(&line) {
            in_table = true;
            let parent = all.last().map(|s| s.title.clone()).unwrap_or_default();
            all.push(Section {
                title: format!("{parent}·表{line}"),
                body: String::new(),
                numbering: 0,
            });
        } else if let Some(number) = box_number(&line) {
            begin(line.clone(), number.len());
        } else if in_table || chapter.is_empty() {
            // Rows of a table and what stands before the first chapter have no numbers of their own.
        } else if let Some(number) = part_number(&line) {
            part = number.to_owned();
            begin(format!("{chapter}{line}"), number.len());
        } else if let Some(number) = paragraph_number(&line) {
            begin(format!("{chapter}{part}{line}"), number.len());
        }
        if let Some(section) = all.last_mut() {
            section.body.push_str(&line);
        }
    }
    all
}

/// `三、` of a chapter's heading.
fn chapter_number(line: &str) -> Option<&str> {
    let first = line.chars().next().filter(|c| NUMERALS.contains(*c))?;
    let end = first.len_utf8();
    let rest = line[end..].strip_prefix('、')?;
    Some(&line[..line.len() - rest.len()])
}

/// `专栏2` of a box's heading.
fn box_number(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("专栏")?;
    let rest = rest.strip_prefix(|c: char| c.is_ascii_digit())?;
    Some(&line[..line.len() - rest.len()])
}

/// `(二)` of a section's heading.
fn part_number(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('(')?;
    let rest = inside.trim_start_matches(|c| NUMERALS.contains(c));
    let rest = (rest.len() < inside.len()).then(|| rest.strip_prefix(')'))??;
    Some(&line[..line.len() - rest.len()])
}

/// `4.` of a paragraph's heading; a figure with decimals is none.
fn paragraph_number(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = (rest.len() < line.len()).then(|| rest.strip_prefix('.'))??;
    let is_figure = rest.starts_with(|c: char| c.is_ascii_digit());
    (!is_figure).then(|| &line[..line.len() - rest.len()])
}

/// Words that say all, so 100 %.
const ALL_OF: [&str; 6] = ["百分之", "千分之", "全覆盖", "全体", "全部", "人人"];
/// What a Chinese number counts.
const COUNTED: &str = "家个座项级条倍所台处套";
/// Chinese digits.
const CHINESE_DIGITS: &str = "一二三四五六七八九十两百千万亿";

/// Where a text bears a number: digits, Chinese numbers that count something, and words that say all.
fn marks(body: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let run = |from: usize, is_in: &dyn Fn(char) -> bool| {
        let rest = &body[from..];
        from + rest.len() - rest.trim_start_matches(is_in).len()
    };
    let mut at = 0;
    while let Some(c) = body[at..].chars().next() {
        let next = at + c.len_utf8();
        if c.is_ascii_digit() {
            let end = run(at, &|c| c.is_ascii_digit());
            found.push(at..end);
            at = end;
        } else if CHINESE_DIGITS.contains(c) {
            let end = run(at, &|c| CHINESE_DIGITS.contains(c));
            let counted = body[end..].chars().next().filter(|c| COUNTED.contains(*c));
            if let Some(counted) = counted {
                found.push(at..end + counted.len_utf8());
            }
            found.extend(all_of(body, at));
            at = end;
        } else {
            found.extend(all_of(body, at));
            at = next;
        }
    }
    found
}

fn all_of(body: &str, at: usize) -> Option<Range<usize>> {
    let word = ALL_OF.iter().find(|word| body[at..].starts_with(**word))?;
    Some(at..at + word.len())
}

/// Where words stand in a text, all places.
fn places<'a>(body: &'a str, words: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    body.match_indices(words)
        .map(|(at, found)| at..at + found.len())
}

/// Everything that does not fit between the list, the plan's text and the indicators.
pub(crate) fn mistakes(
    goals: &Goals,
    text: &str,
    indicators: &[(&str, Origin)],
    document: &Document,
) -> Vec<Problem> {
    let mut checking = Checking {
        document,
        problems: Vec::new(),
    };
    let tables: Vec<String> = (goals.paragraphs.iter())
        .filter_map(|p| Some(squeeze(p.section.split_once("·表")?.1)))
        .collect();
    let sections = sections(text, &tables);
    let mut listed: Vec<Option<usize>> = vec![None; sections.len()];
    for (n, paragraph) in goals.paragraphs.iter().enumerate() {
        let wanted = squeeze(&paragraph.section);
        let found = (sections.iter().enumerate())
            .filter(|(_, s)| !wanted.is_empty() && s.title.starts_with(&wanted))
            .min_by_key(|(_, s)| s.title.len());
        match found {
            None => checking.say(
                &["paragraph", &n.to_string(), "section"],
                "goal-section",
                format!("the plan has no section \"{}\"", quote(&paragraph.section)),
                "write it as the plan numbers and calls it, such as 三、(一)1.加快5G网络发展",
            ),
            Some((at, _)) if listed[at].is_some() => checking.say(
                &["paragraph", &n.to_string(), "section"],
                "goal-section",
                format!(
                    "the section \"{}\" is there twice",
                    quote(&paragraph.section)
                ),
                "put its goals together",
            ),
            Some((at, section)) => {
                listed[at] = Some(n);
                checking.paragraph(n, paragraph, section, indicators);
            }
        }
    }
    for (section, paragraph) in sections.iter().zip(&listed) {
        let is_outside = goals
            .outside
            .iter()
            .any(|o| section.title.starts_with(&squeeze(&o.section)));
        if !is_outside {
            let paragraph = paragraph.map(|n| &goals.paragraphs[n]);
            checking.missed(section, paragraph, &goals.names);
        }
    }
    let named: BTreeSet<&str> = (goals.paragraphs.iter())
        .flat_map(|p| &p.goals)
        .flat_map(|g| &g.indicators)
        .map(String::as_str)
        .collect();
    let of_the_plan = indicators
        .iter()
        .filter(|(_, origin)| *origin != Origin::Platform);
    for (id, _) in of_the_plan.filter(|(id, _)| !named.contains(id)) {
        checking.say(
            &[],
            "goal-unnamed",
            format!("no paragraph names the indicator {}", quote(id)),
            "name it at the goal that it measures, or give it origin: platform",
        );
    }
    checking.problems
}

struct Checking<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Checking<'_> {
    fn say(&mut self, keys: &[&str], code: &str, what: String, mend: &str) {
        self.problems
            .push(Problem::new(code, what, self.document.at(keys), mend));
    }

    /// Quotes stand in the paragraph, and the indicators are there.
    fn paragraph(
        &mut self,
        n: usize,
        paragraph: &Paragraph,
        section: &Section,
        indicators: &[(&str, Origin)],
    ) {
        let n = n.to_string();
        let goals = paragraph.goals.iter().map(|g| ("goals", &g.quote));
        let excluded = paragraph.excluded.iter().map(|e| ("excluded", &e.quote));
        for (list, words) in goals.chain(excluded) {
            let squeezed = squeeze(words);
            if squeezed.is_empty() || !section.body.contains(&squeezed) {
                self.say(
                    &["paragraph", &n, list],
                    "goal-quote",
                    format!(
                        "\"{}\" does not stand in {}",
                        quote(words),
                        quote(&paragraph.section)
                    ),
                    "copy the plan's words of this paragraph",
                );
            }
        }
        for goal in &paragraph.goals {
            if goal.indicators.is_empty() {
                self.say(
                    &["paragraph", &n, "goals"],
                    "goal-indicator",
                    format!("the goal \"{}\" names no indicator", quote(&goal.quote)),
                    "name the indicator that measures it, or say under excluded why none can",
                );
            }
            for id in &goal.indicators {
                if !indicators.iter().any(|(known, _)| known == id) {
                    self.say(
                        &["paragraph", &n, "goals"],
                        "goal-indicator",
                        format!("there is no indicator {}", quote(id)),
                        "name an indicator of this pack, or one that targets.toml takes up",
                    );
                }
            }
        }
    }

    /// What bears a number and is in neither list.
    fn missed(&mut self, section: &Section, paragraph: Option<&Paragraph>, names: &[String]) {
        let body = section.body.as_str();
        let mut covered = vec![false; body.len()];
        let mut cover = |range: Range<usize>| covered[range].fill(true);
        cover(0..section.numbering);
        for name in names.iter().map(|name| squeeze(name)) {
            places(body, &name).for_each(&mut cover);
        }
        if let Some(paragraph) = paragraph {
            let goals = paragraph.goals.iter().map(|g| &g.quote);
            let quotes = goals.chain(paragraph.excluded.iter().map(|e| &e.quote));
            for words in quotes.map(|words| squeeze(words)) {
                places(body, &words).for_each(&mut cover);
            }
        }
        for mark in marks(body) {
            if covered[mark.clone()].iter().all(|c| *c) {
                continue;
            }
            let before = body[..mark.start].chars().rev().take(10);
            let before: String = before.collect::<Vec<_>>().into_iter().rev().collect();
            let after: String = body[mark.start..].chars().take(16).collect();
            let title: String = section.title.chars().take(16).collect();
            self.say(
                &[],
                "goal-missed",
                format!(
                    "\"{}\" of {title} bears a number and is in no list",
                    quote(&(before + &after))
                ),
                "list it as a goal with its indicator, or under excluded with why it is none",
            );
        }
    }
}
