//! Tariffs, checked (分时电价): which price holds at a moment. What a tariff looks like when written is [`crate::written`].

use crate::days::{DayKind, Days};
use crate::fee::TimeFee;
use crate::money::Price;
use crate::written::{
    Change, DAY_MINUTES, Written, WrittenDays, WrittenPrice, WrittenVersion, hours,
};
use jiff::civil::Date;
use model::Told;
use model::problem::{both, quote};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most versions of a tariff.
pub const VERSIONS_MAX: usize = 200;
/// Most plans of a day in a version.
pub const PLANS_MAX: usize = 48;
/// Most periods of a day: every half-hour one, as many as charging piles take (云快充, fee model).
pub const PERIODS_MAX: usize = 48;

/// The kinds of periods of a day, dearest first (尖峰平谷; 深谷 since 2021 in some provinces).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodKind {
    /// 尖.
    Sharp,
    /// 峰.
    Peak,
    /// 平.
    Flat,
    /// 谷.
    Valley,
    /// 深谷.
    DeepValley,
}

impl PeriodKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Sharp,
        Self::Peak,
        Self::Flat,
        Self::Valley,
        Self::DeepValley,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sharp => "sharp",
            Self::Peak => "peak",
            Self::Flat => "flat",
            Self::Valley => "valley",
            Self::DeepValley => "deep-valley",
        }
    }

    /// Its name for people, Chinese and English.
    pub fn title(self) -> [&'static str; 2] {
        match self {
            Self::Sharp => ["尖", "sharp peak"],
            Self::Peak => ["峰", "peak"],
            Self::Flat => ["平", "flat"],
            Self::Valley => ["谷", "valley"],
            Self::DeepValley => ["深谷", "deep valley"],
        }
    }
}

/// A stretch of a day with its prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// From which minute of the day.
    pub from_minute: u16,
    /// Until which minute, exclusive; 1,440 is the next midnight.
    pub until_minute: u16,
    /// Which kind.
    pub kind: PeriodKind,
    /// Energy (电费).
    pub energy: Price,
    /// Service (服务费).
    pub service: Price,
}

/// A version, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    id: String,
    first: Date,
    last: Option<Date>,
    source: String,
    plans: Vec<Vec<Period>>,
    /// Which plan holds: by month from 0, by kind of day.
    choice: [[usize; 3]; 12],
    has_kinds: bool,
    parking: Option<TimeFee>,
    idle: Option<TimeFee>,
}

impl Version {
    /// Its name within the tariff.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who decided it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The periods of a day, in order, from 0 to 1,440.
    pub fn periods(&self, day: Date, kind: DayKind) -> &[Period] {
        let month = usize::from(day.month().unsigned_abs()).saturating_sub(1);
        &self.plans[self.choice[month][kind as usize]]
    }

    /// Whether kinds of days make a difference: only then the calendar has to know them.
    pub fn has_kinds(&self) -> bool {
        self.has_kinds
    }

    /// Parking fee.
    pub fn parking(&self) -> Option<&TimeFee> {
        self.parking.as_ref()
    }

    /// Occupancy fee.
    pub fn idle(&self) -> Option<&TimeFee> {
        self.idle.as_ref()
    }

    fn holds_on(&self, day: Date) -> bool {
        self.first <= day && self.last.is_none_or(|last| day <= last)
    }
}

/// A tariff, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    id: String,
    title: [String; 2],
    change: Change,
    /// By first day.
    versions: Vec<Version>,
}

impl Tariff {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every mistake at once: `charging-tariff-size`, `charging-tariff-validity` (a version ends before it begins, two hold on one day,
    /// or a name stands twice), `charging-tariff-hours` (a day is not covered exactly once), `charging-tariff-days` (no plan for some
    /// days, or one that none is left for), `charging-price`, `charging-fee`.
    pub fn new(written: &Written) -> Result<Self, Vec<Told>> {
        let mut mistakes = Vec::new();
        let place = written.id.as_str();
        if written.id.is_empty()
            || written.versions.is_empty()
            || written.versions.len() > VERSIONS_MAX
        {
            mistakes.push(Told::new(
                "charging-tariff-size",
                both(
                    format!("有 {} 个版本", written.versions.len()),
                    format!("it has {} versions", written.versions.len()),
                ),
                place,
                both(
                    format!("请给出编号和 1 到 {VERSIONS_MAX} 个版本"),
                    format!("give an id and 1 to {VERSIONS_MAX} versions"),
                ),
            ));
            return Err(mistakes);
        }
        let mut versions: Vec<Version> = written
            .versions
            .iter()
            .filter_map(|version| {
                check(version, &format!("{place}: {}", version.id), &mut mistakes)
            })
            .collect();
        versions.sort_by_key(|version| version.first);
        for pair in versions.windows(2) {
            if pair[0].last.is_none_or(|last| last >= pair[1].first) {
                mistakes.push(validity(
                    place,
                    format!("版本 {} 和 {} 在同一天有效", pair[0].id, pair[1].id),
                    format!(
                        "the versions {} and {} hold on one day",
                        pair[0].id, pair[1].id
                    ),
                ));
            }
        }
        for (n, version) in versions.iter().enumerate() {
            if versions[..n].iter().any(|other| other.id == version.id) {
                mistakes.push(validity(
                    place,
                    format!("版本 {} 出现两次", version.id),
                    format!("the version {} stands twice", version.id),
                ));
            }
        }
        if mistakes.is_empty() {
            Ok(Self {
                id: written.id.clone(),
                title: [written.title_zh.clone(), written.title_en.clone()],
                change: written.change,
                versions,
            })
        } else {
            Err(mistakes)
        }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its title, Chinese and English.
    pub fn title(&self) -> &[String; 2] {
        &self.title
    }

    /// What a change of the price in the middle does.
    pub fn change(&self) -> Change {
        self.change
    }

    /// The version of a day.
    pub fn version(&self, day: Date) -> Option<&Version> {
        let next = self
            .versions
            .partition_point(|version| version.first <= day);
        self.versions[..next]
            .last()
            .filter(|version| version.holds_on(day))
    }

    /// The version and period of a moment: what a driver sees before charging.
    pub fn at(&self, at: model::Timestamp, days: &Days) -> Option<(&Version, Period)> {
        let day = days.day_of(at)?;
        let version = self.version(day)?;
        let periods = version.periods(day, days.kind(day));
        // The last period that has begun; by moments, because a day need not have 24 hours in every zone.
        let begun = |period: &&Period| {
            days.moment(day, period.from_minute)
                .is_some_and(|from| from <= at)
        };
        periods
            .iter()
            .take_while(begun)
            .last()
            .map(|period| (version, *period))
    }
}

fn check(written: &WrittenVersion, place: &str, mistakes: &mut Vec<Told>) -> Option<Version> {
    let before = mistakes.len();
    if written.last.is_some_and(|last| last < written.first) {
        mistakes.push(validity(
            place,
            "最后一天早于第一天".to_owned(),
            "its last day is before its first".to_owned(),
        ));
    }
    if written.days.is_empty() || written.days.len() > PLANS_MAX {
        mistakes.push(wrong_days(
            place,
            format!("有 {} 个日方案", written.days.len()),
            format!("it has {} plans of a day", written.days.len()),
        ));
        return None;
    }
    let mut choice = [[usize::MAX; 3]; 12];
    let mut plans = Vec::new();
    for (n, days) in written.days.iter().enumerate() {
        let place = format!("{place}: days.{n}");
        choose(days, n, &mut choice, &place, mistakes);
        plans.push(periods(days, written, &place, mistakes));
    }
    if choice.iter().flatten().any(|plan| *plan == usize::MAX) {
        mistakes.push(wrong_days(
            place,
            "有的月份或日类没有方案".to_owned(),
            "some months or kinds of days have no plan".to_owned(),
        ));
    }
    let mut fee = |fee: &Option<crate::written::WrittenFee>, name: &str| {
        let fee = fee.as_ref()?;
        match TimeFee::new(fee, &format!("{place}: {name}")) {
            Ok(fee) => Some(fee),
            Err(told) => {
                mistakes.push(told);
                None
            }
        }
    };
    let (parking, idle) = (fee(&written.parking, "parking"), fee(&written.idle, "idle"));
    let is_good = mistakes.len() == before;
    is_good.then(|| Version {
        id: written.id.clone(),
        first: written.first,
        last: written.last,
        source: written.source.clone(),
        plans,
        has_kinds: choice
            .iter()
            .any(|month| month[0] != month[1] || month[1] != month[2]),
        choice,
        parking,
        idle,
    })
}

/// Enters a plan for the days that it fits and no earlier one does.
fn choose(
    days: &WrittenDays,
    n: usize,
    choice: &mut [[usize; 3]; 12],
    place: &str,
    mistakes: &mut Vec<Told>,
) {
    if days.months.iter().any(|month| !(1..=12).contains(month)) {
        mistakes.push(wrong_days(
            place,
            "月份不在 1 到 12 之间".to_owned(),
            "a month is not 1 to 12".to_owned(),
        ));
        return;
    }
    let mut is_used = false;
    for (month, kinds) in (1_u8..).zip(choice.iter_mut()) {
        for kind in DayKind::ALL {
            let fits = (days.months.is_empty() || days.months.contains(&month))
                && (days.kinds.is_empty() || days.kinds.contains(&kind));
            let plan = &mut kinds[kind as usize];
            if fits && *plan == usize::MAX {
                *plan = n;
                is_used = true;
            }
        }
    }
    if !is_used {
        mistakes.push(wrong_days(
            place,
            "前面的方案已覆盖它的所有日期".to_owned(),
            "earlier plans have all its days already".to_owned(),
        ));
    }
}

fn periods(
    days: &WrittenDays,
    version: &WrittenVersion,
    place: &str,
    mistakes: &mut Vec<Told>,
) -> Vec<Period> {
    let mut periods = Vec::new();
    let mut prices: BTreeMap<PeriodKind, (Price, Price)> = BTreeMap::new();
    for (kind, written) in version.prices.iter().chain(&days.prices) {
        if let Some(price) = price(written, &format!("{place}: {}", kind.name()), mistakes) {
            prices.insert(*kind, price);
        }
    }
    for text in &days.hours {
        let read = text.split_once(' ').and_then(|(span, name)| {
            let (from, until) = hours(span)?;
            let kind = PeriodKind::ALL
                .into_iter()
                .find(|kind| kind.name() == name.trim())?;
            Some((from, until, kind))
        });
        let Some((from_minute, until_minute, kind)) = read else {
            mistakes.push(wrong_hours(
                place,
                format!("“{}”不是时段", quote(text)),
                format!("\"{}\" is no period", quote(text)),
            ));
            return periods;
        };
        let Some((energy, service)) = prices.get(&kind).copied() else {
            mistakes.push(wrong_hours(
                place,
                format!("时段“{}”没有价格", kind.title()[0]),
                format!("the period {} has no price", kind.name()),
            ));
            return periods;
        };
        periods.push(Period {
            from_minute,
            until_minute,
            kind,
            energy,
            service,
        });
    }
    periods.sort_by_key(|period| period.from_minute);
    let mut reached = 0;
    for period in &periods {
        if period.from_minute != reached {
            break;
        }
        reached = period.until_minute;
    }
    let is_whole = reached == DAY_MINUTES
        && periods
            .last()
            .is_some_and(|last| last.until_minute == reached);
    if !is_whole || periods.len() > PERIODS_MAX {
        mistakes.push(wrong_hours(
            place,
            "各时段没有恰好覆盖一天一次".to_owned(),
            "the periods do not cover the day exactly once".to_owned(),
        ));
    }
    periods
}

fn price(written: &WrittenPrice, place: &str, mistakes: &mut Vec<Told>) -> Option<(Price, Price)> {
    let mut read = |text: &str| match Price::read(text, place) {
        Ok(price) => Some(price),
        Err(told) => {
            mistakes.push(told);
            None
        }
    };
    let (energy, service) = (read(&written.energy), read(&written.service));
    energy.zip(service)
}

fn validity(place: &str, zh: String, en: String) -> Told {
    Told::new(
        "charging-tariff-validity",
        both(zh, en),
        place,
        both(
            "请让各版本的有效日期前后相接、互不重叠，名称各不相同",
            "let versions follow each other without overlapping, each with a name of its own",
        ),
    )
}

fn wrong_days(place: &str, zh: String, en: String) -> Told {
    Told::new(
        "charging-tariff-days",
        both(zh, en),
        place,
        both(
            format!(
                "请让日方案（1 到 {PLANS_MAX} 个）合起来覆盖每月和每类日期，如最后一个不写 months 和 kinds"
            ),
            format!(
                "let the plans of a day (1 to {PLANS_MAX}) together fit every month and kind of day: leave months and kinds out of the last"
            ),
        ),
    )
}

fn wrong_hours(place: &str, zh: String, en: String) -> Told {
    Told::new(
        "charging-tariff-hours",
        both(zh, en),
        place,
        both(
            format!(
                "请写如 \"00:00-07:00 valley\" 的时段，从 00:00 到 24:00，最多 {PERIODS_MAX} 个，名称为 sharp、peak、flat、valley、deep-valley，并给出价格"
            ),
            format!(
                "write periods such as \"00:00-07:00 valley\" from 00:00 to 24:00, at most {PERIODS_MAX}, named sharp, peak, flat, valley or deep-valley, and give their prices"
            ),
        ),
    )
}
