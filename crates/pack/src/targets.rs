//! `targets.toml`: what a plan wants of indicators that another plan's pack brought. An indicator is measured once; each plan has its own
//! baseline, target, years and words for it.

use crate::document::Document;
use indicators::parse::{PERCENTS, YEARS};
use indicators::{Definition, Origin, Path, Place, Target};
use model::Problem;
use model::problem::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The file's name.
pub const FILE: &str = "targets.toml";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Them all.
    #[serde(rename = "target", default)]
    pub all: Vec<PlanTarget>,
}

/// What a plan wants of an indicator that is declared elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanTarget {
    /// The indicator's id.
    pub indicator: String,
    /// Its number in this plan.
    pub number: String,
    /// Where in the plan the goal is from.
    pub origin: Origin,
    /// First level of the plan's table, Chinese.
    pub group_zh: String,
    /// The same in English.
    pub group_en: String,
    /// Second level, Chinese.
    pub subgroup_zh: String,
    /// The same in English.
    pub subgroup_en: String,
    /// Value at the end of `baseline_year`; left out where the plan gives none.
    #[serde(default)]
    pub baseline: Option<f64>,
    /// The year of the baseline.
    pub baseline_year: i16,
    /// What the plan wants: a number, or both ends of a range.
    pub target: Wanted,
    /// By the end of which year.
    pub target_year: i16,
    /// `linear` when left out; `s-curve`, or milestones such as `2027=600 2028=1200`.
    #[serde(default = "linear")]
    pub path: String,
    /// Who answers for it in this plan; as the indicator says when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    /// The plan's own words.
    pub places: Vec<Place>,
}

/// A target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// A number.
    One(f64),
    /// Both ends of a range.
    Range([f64; 2]),
}

impl From<Wanted> for Target {
    fn from(wanted: Wanted) -> Self {
        let [low, high] = match wanted {
            Wanted::One(value) => [value, value],
            Wanted::Range(ends) => ends,
        };
        Self { low, high }
    }
}

fn linear() -> String {
    "linear".to_owned()
}

impl PlanTarget {
    /// The indicator as this plan wants it.
    pub(crate) fn over(&self, measured: &Definition) -> Definition {
        Definition {
            number: self.number.clone(),
            origin: self.origin,
            group_zh: self.group_zh.clone(),
            group_en: self.group_en.clone(),
            subgroup_zh: self.subgroup_zh.clone(),
            subgroup_en: self.subgroup_en.clone(),
            baseline: self.baseline,
            baseline_year: self.baseline_year,
            target: self.target.into(),
            target_year: self.target_year,
            path: Path::read(&self.path).unwrap_or_default(),
            responsible: self
                .responsible
                .clone()
                .or_else(|| measured.responsible.clone()),
            places: self.places.clone(),
            ..measured.clone()
        }
    }

    /// Every figure that it gives, with its key.
    fn figures(&self) -> Vec<(&'static str, f64)> {
        let target = Target::from(self.target);
        let milestones = match Path::read(&self.path) {
            Some(Path::Milestones(points)) => points,
            _ => Vec::new(),
        };
        let milestones = milestones.into_iter().map(|(_, value)| ("path", value));
        let baseline = self.baseline.map(|value| ("baseline", value));
        let ends = [("target", target.low), ("target", target.high)];
        baseline.into_iter().chain(ends).chain(milestones).collect()
    }

    /// A figure that the indicator's unit does not allow, with its key.
    pub(crate) fn impossible(&self, measured: &Definition) -> Option<(&'static str, f64)> {
        let figures = self.figures().into_iter();
        let mut outside = figures.filter(|(_, value)| !PERCENTS.contains(value));
        outside.next().filter(|_| measured.is_percent())
    }
}

/// What is wrong with the file by itself: nothing of other packs is known yet.
pub(crate) fn mistakes(
    all: &[PlanTarget],
    own: &[Definition],
    document: &Document,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    let mut numbers: BTreeSet<&str> = own.iter().map(|i| i.number.as_str()).collect();
    for (n, target) in all.iter().enumerate() {
        let n = n.to_string();
        let mut say = |key: &str, code: &str, what: String, mend: &str| {
            let place = document.at(&["target", &n, key]);
            problems.push(Problem::new(code, what, place, mend));
        };
        let id = quote(&target.indicator);
        if own.iter().any(|i| i.id == target.indicator) {
            say(
                "indicator",
                "target-own",
                format!("{id} is an indicator of this pack"),
                "its own file in indicators/ says what this plan wants of it: take this one away",
            );
        } else if !ids.insert(&target.indicator) {
            say(
                "indicator",
                "target-twice",
                format!("{id} is there twice"),
                "a plan has one target for an indicator",
            );
        }
        if target.number.trim().is_empty() || !numbers.insert(&target.number) {
            say(
                "number",
                "target-number",
                format!("\"{}\" is empty or there already", quote(&target.number)),
                "give each its own number",
            );
        }
        for (key, text) in [
            ("group_zh", &target.group_zh),
            ("group_en", &target.group_en),
            ("subgroup_zh", &target.subgroup_zh),
            ("subgroup_en", &target.subgroup_en),
        ] {
            if text.trim().is_empty() {
                say(key, "empty", format!("{key} is empty"), "write it");
            }
        }
        let wanted = Target::from(target.target);
        if wanted.low > wanted.high {
            say(
                "target",
                "target-range",
                format!(
                    "the target goes down from {} to {}",
                    wanted.low, wanted.high
                ),
                "write the smaller number first",
            );
        }
        if let Some((key, _)) = target.figures().iter().find(|(_, v)| !v.is_finite()) {
            say(
                key,
                "target-number",
                format!("{key} is no finite number"),
                "write a plain number such as 28.2",
            );
        }
        match Path::read(&target.path) {
            None => say(
                "path",
                "target-path",
                format!("\"{}\" is no path", quote(&target.path)),
                "write linear, s-curve, or milestones such as 2027=600 2028=1200",
            ),
            Some(path) => {
                if !go_forward(target.baseline_year, &path, target.target_year) {
                    say(
                        "target_year",
                        "target-years",
                        "the years of baseline, path and target do not go forward".to_owned(),
                        "put them in order",
                    );
                }
            }
        }
        if target.places.is_empty() && target.origin != Origin::Platform {
            say(
                "places",
                "target-places",
                format!("the plan's words for {id} are missing"),
                "add places = [{ section = \"…\", quote = \"…\" }]",
            );
        }
    }
    problems
}

fn go_forward(baseline_year: i16, path: &Path, target_year: i16) -> bool {
    let milestones = match path {
        Path::Milestones(points) => points.as_slice(),
        Path::Linear | Path::SCurve => &[],
    };
    let years: Vec<i16> = std::iter::once(baseline_year)
        .chain(milestones.iter().map(|(year, _)| *year))
        .chain([target_year])
        .collect();
    years.iter().all(|year| YEARS.contains(year)) && years.windows(2).all(|w| w[0] < w[1])
}
