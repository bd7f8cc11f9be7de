//! Supervision (充电监管): what a regulator counts of charge points and charges over a span of time, so that it can be counted again.
//! Everything is whole numbers that add up: the figures of a town, an operator or the city are the sum of those of their points.
//!
//! | figure | counted from |
//! | --- | --- |
//! | utilisation by time (时间利用率) | time in charges, overlapping ones once, of the time that points were known |
//! | utilisation by energy (电量利用率) | energy of charges that ended, of rated power times that time; points of known power alone |
//! | data-missing rate (数据缺失率) | days on which nothing was heard of a point, of the days on which it was known |
//! | fault (故障) | from `Faulted` to another state; told again while it lasts, it is the same |
//! | time to repair (修复时间) | whole length of faults that ended within the span |
//! | subsidy (充电补贴) | rate times energy of each charge that nothing speaks against, rounded half up once a charge ([`judge`]) |

use crate::money::{Fen, Price, Wh};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Energy of a charge above rated power times duration that is still believed, percent: meters and clocks are not exact.
pub const OVER_RATED_PERCENT: i64 = 10;
/// And that much beside, for meters that count in whole kWh.
pub const OVER_RATED_SLACK: Wh = Wh(1_000);
/// Longest time that a charge without end counts for: 7 days, as [`crate::Limits::duration_max_seconds`].
pub const CHARGE_SECONDS_MAX: i64 = 7 * 86_400;

const SECONDS_PER_HOUR: i128 = 3_600;
const MICROS: i64 = 1_000_000;

/// Of which current a charge point gives, by the words of its connector.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Current {
    /// Alternating (交流, GB/T 20234.2): slow.
    Alternating,
    /// Direct (直流, GB/T 20234.3): fast.
    Direct,
    /// It is not said.
    #[default]
    Unknown,
}

impl Current {
    /// Of a connector's word: `GBT_AC`, `GBT_DC`, and others that say which of the two.
    pub fn of(connector: Option<&str>) -> Self {
        let word = connector.unwrap_or_default().to_ascii_uppercase();
        let says = |part: &str| word.split(['_', '-', ' ']).any(|piece| piece == part);
        match (says("AC"), says("DC")) {
            (true, false) => Self::Alternating,
            (false, true) => Self::Direct,
            _ => Self::Unknown,
        }
    }
}

/// A span of time, `[begins, ends)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub begins: Timestamp,
    /// The moment at which it is over; now, where it goes on.
    pub ends: Timestamp,
}

impl Span {
    /// Seconds of it within `[from, until)`; `None` goes on.
    pub fn seconds(&self, from: Timestamp, until: Option<Timestamp>) -> i64 {
        let until = until.map_or(self.ends, |until| until.min(self.ends));
        (until.micros_since(from.max(self.begins)) / MICROS).max(0)
    }

    /// Whether a moment lies in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.begins <= at && at < self.ends
    }
}

/// What is counted. All of it adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Charge points (outlets).
    pub points: i64,
    /// Of alternating current.
    pub alternating: i64,
    /// Of direct current.
    pub direct: i64,
    /// Without a place (充电站).
    pub without_place: i64,
    /// Whose rated power is known.
    pub rated: i64,
    /// Their rated power together, W.
    pub rated_w: i64,
    /// On the line now.
    pub online: i64,
    /// Faulted now.
    pub faulted: i64,
    /// For how long the points were known within the span, seconds.
    pub seconds: i64,
    /// For how long they were in charges, seconds.
    pub charging_seconds: i64,
    /// What those of known power could have given in that time, Wh.
    pub possible_wh: i64,
    /// Charges that ended within the span.
    pub sessions: i64,
    /// Their energy, Wh; where a meter went back it counts nothing.
    pub energy_wh: i64,
    /// That of points of known power, Wh.
    pub rated_energy_wh: i64,
    /// Charges that ended without any energy told.
    pub without_energy: i64,
    /// Without start or end.
    pub without_time: i64,
    /// Without a card.
    pub without_card: i64,
    /// With any of these three.
    pub incomplete: i64,
    /// Days on which points were known.
    pub days: i64,
    /// On which nothing was heard of them.
    pub days_missing: i64,
    /// Faults that began within the span.
    pub faults: i64,
    /// For how long points were faulted within it, seconds.
    pub fault_seconds: i64,
    /// Faults that ended within it.
    pub repairs: i64,
    /// How long those lasted from their beginning, seconds.
    pub repair_seconds: i64,
}

macro_rules! add_up {
    ($($field:ident),* $(,)?) => {
        impl AddAssign for Figures {
            fn add_assign(&mut self, other: Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)*
            }
        }
    };
}
add_up!(
    points,
    alternating,
    direct,
    without_place,
    rated,
    rated_w,
    online,
    faulted,
    seconds,
    charging_seconds,
    possible_wh,
    sessions,
    energy_wh,
    rated_energy_wh,
    without_energy,
    without_time,
    without_card,
    incomplete,
    days,
    days_missing,
    faults,
    fault_seconds,
    repairs,
    repair_seconds,
);

impl Figures {
    /// On the line now, of all (在线率).
    pub fn online_rate(&self) -> Option<f64> {
        rate(self.online, self.points)
    }

    /// Time in charges, of the time known (时间利用率).
    pub fn time_rate(&self) -> Option<f64> {
        rate(self.charging_seconds, self.seconds)
    }

    /// Energy given, of what could have been (电量利用率).
    pub fn energy_rate(&self) -> Option<f64> {
        rate(self.rated_energy_wh, self.possible_wh)
    }

    /// Days of silence, of all (数据缺失率).
    pub fn missing_rate(&self) -> Option<f64> {
        rate(self.days_missing, self.days)
    }

    /// Charges of which something is missing, of all.
    pub fn incomplete_rate(&self) -> Option<f64> {
        rate(self.incomplete, self.sessions)
    }

    /// Mean time to repair, seconds (平均修复时间).
    pub fn repair_mean_seconds(&self) -> Option<f64> {
        rate(self.repair_seconds, self.repairs)
    }
}

fn rate(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What a point of this rated power gives in so long, Wh.
pub fn possible(rated_w: i64, seconds: i64) -> Wh {
    let wh = i128::from(rated_w) * i128::from(seconds) / SECONDS_PER_HOUR;
    Wh(crate::money::narrow(wh))
}

/// For how long any of the stretches lasts within a span, seconds; where they overlap it counts once.
pub fn covered(stretches: &mut [(Timestamp, Timestamp)], span: &Span) -> i64 {
    stretches.sort_unstable();
    let (mut micros, mut behind) = (0_i64, span.begins);
    for &(from, until) in stretches.iter() {
        let (from, until) = (from.max(behind), until.min(span.ends));
        if until > from {
            micros = micros.saturating_add(until.micros_since(from));
            behind = until;
        }
    }
    micros / MICROS
}

/// A fault of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it was told first.
    pub from: Timestamp,
    /// When the point told another state; `None` while it lasts.
    pub until: Option<Timestamp>,
}

/// The faults of a point from the states that it told, in order of time: when, and whether it was `Faulted`. What was over before the span
/// or began after it is left out.
pub fn faults(told: impl IntoIterator<Item = (Timestamp, bool)>, span: &Span) -> Vec<Fault> {
    let mut all: Vec<Fault> = Vec::new();
    let mut since: Option<Timestamp> = None;
    for (at, is_faulted) in told {
        match (since, is_faulted) {
            (None, true) => since = Some(at),
            (Some(from), false) => {
                all.push(Fault {
                    from,
                    until: Some(at),
                });
                since = None;
            }
            _ => {}
        }
    }
    all.extend(since.map(|from| Fault { from, until: None }));
    all.retain(|fault| {
        fault.from < span.ends && fault.until.is_none_or(|until| until > span.begins)
    });
    all
}

/// What the faults of a point come to.
pub fn fault_figures(faults: &[Fault], span: &Span) -> Figures {
    let mut sum = Figures::default();
    for fault in faults {
        sum.faults += i64::from(span.holds(fault.from));
        sum.fault_seconds += span.seconds(fault.from, fault.until);
        if let Some(until) = fault.until.filter(|until| span.holds(*until)) {
            sum.repairs += 1;
            sum.repair_seconds += until.micros_since(fault.from) / MICROS;
        }
    }
    sum
}

/// How the bill of a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It waits: for its end, for leaving, or for a tariff.
    Open,
    /// Doubtful, and nobody decided.
    Held,
    /// Charged.
    Billed,
    /// Let go by a person.
    Waived,
}

/// A charge, as far as it is supervised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// How its bill stands.
    pub stand: Stand,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The last register less the first.
    pub energy: Wh,
    /// Whether a card was shown.
    pub has_card: bool,
    /// Whether more was told after its bill, so that it would be another now.
    pub is_corrected: bool,
}

impl Charge {
    /// What a charge that ended within the span comes to at a point of this rated power.
    pub fn figures(&self, rated_w: Option<i64>) -> Figures {
        let (energy, time) = (
            self.energy.0 <= 0,
            self.started.is_none() || self.ended.is_none(),
        );
        let counted = self.energy.0.max(0);
        Figures {
            sessions: 1,
            energy_wh: counted,
            rated_energy_wh: rated_w.map_or(0, |_| counted),
            without_energy: i64::from(energy),
            without_time: i64::from(time),
            without_card: i64::from(!self.has_card),
            incomplete: i64::from(energy || time || !self.has_card),
            ..Figures::default()
        }
    }

    /// From when to when it counts as charging at `now`.
    pub fn stretch(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let from = self.started?;
        let longest = from.plus_seconds(CHARGE_SECONDS_MAX);
        Some((from, self.ended.unwrap_or(now).min(longest)))
    }
}

/// Why a charge gets no subsidy: the first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excluded {
    /// There is no bill yet.
    NotBilled,
    /// The meter ran backwards.
    Backwards,
    /// Its bill is held, and nobody decided.
    Held,
    /// A person decided to charge nothing.
    Waived,
    /// More was told after its bill, so that it would be another now.
    Corrected,
    /// Start or end is not known.
    NoTime,
    /// Nobody showed a card.
    NoCard,
    /// More energy than rated power gives in its time, with [`OVER_RATED_PERCENT`] and [`OVER_RATED_SLACK`] on top.
    Impossible,
}

impl Excluded {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotBilled => "not-billed",
            Self::Backwards => "backwards",
            Self::Held => "held",
            Self::Waived => "waived",
            Self::Corrected => "corrected",
            Self::NoTime => "no-time",
            Self::NoCard => "no-card",
            Self::Impossible => "impossible",
        }
    }

    /// Its name for people, Chinese and English.
    pub const fn title(self) -> [&'static str; 2] {
        match self {
            Self::NotBilled => ["尚未出账", "not billed yet"],
            Self::Backwards => ["电表倒走", "the meter ran backwards"],
            Self::Held => ["账单存疑待复核", "the bill is held"],
            Self::Waived => ["已决定免收", "a person waived it"],
            Self::Corrected => ["出账后有更正", "corrected after its bill"],
            Self::NoTime => ["没有开始或结束时间", "start or end is not known"],
            Self::NoCard => ["没有充电卡", "nobody showed a card"],
            Self::Impossible => [
                "电量超出额定功率与时长",
                "more energy than rated power gives in its time",
            ],
        }
    }
}

/// Whether a charge counts for the subsidy at a point of this rated power; where that is not known, its energy cannot be judged by it.
///
/// # Errors
/// The first reason against it.
pub fn judge(charge: &Charge, rated_w: Option<i64>) -> Result<Wh, Excluded> {
    if charge.energy.0 < 0 {
        return Err(Excluded::Backwards);
    }
    match charge.stand {
        Stand::Open => return Err(Excluded::NotBilled),
        Stand::Held => return Err(Excluded::Held),
        Stand::Waived => return Err(Excluded::Waived),
        Stand::Billed => {}
    }
    if charge.is_corrected {
        return Err(Excluded::Corrected);
    }
    let (Some(from), Some(until)) = (charge.started, charge.ended) else {
        return Err(Excluded::NoTime);
    };
    if !charge.has_card {
        return Err(Excluded::NoCard);
    }
    let most = rated_w.map(|rated_w| {
        let seconds = until.micros_since(from).max(0) / MICROS;
        let gives = possible(rated_w, seconds).0;
        let more = gives.saturating_mul(OVER_RATED_PERCENT) / 100;
        gives
            .saturating_add(more)
            .saturating_add(OVER_RATED_SLACK.0)
    });
    match most {
        Some(most) if charge.energy.0 > most => Err(Excluded::Impossible),
        _ => Ok(charge.energy),
    }
}

/// What the charges of an operator come to in a subsidy by energy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Charges that count.
    pub sessions: i64,
    /// Their energy, Wh.
    pub energy_wh: i64,
    /// That of them whose energy could not be judged by a rated power, Wh.
    pub unjudged_wh: i64,
    /// Subsidy of the charges, each rounded, fen.
    pub sum: Fen,
    /// What does not count: charges and Wh by reason.
    pub excluded: BTreeMap<Excluded, (i64, i64)>,
}

impl Audit {
    /// Takes a charge in; gives what it gets.
    pub fn add(
        &mut self,
        charge: &Charge,
        rated_w: Option<i64>,
        rate: Price,
    ) -> Result<Fen, Excluded> {
        match judge(charge, rated_w) {
            Ok(energy) => {
                let gets = rate.of(energy);
                self.sessions += 1;
                self.energy_wh = self.energy_wh.saturating_add(energy.0);
                if rated_w.is_none() {
                    self.unjudged_wh = self.unjudged_wh.saturating_add(energy.0);
                }
                self.sum = self.sum + gets;
                Ok(gets)
            }
            Err(reason) => {
                let entry = self.excluded.entry(reason).or_default();
                entry.0 += 1;
                entry.1 = entry.1.saturating_add(charge.energy.0);
                Err(reason)
            }
        }
    }

    /// What is paid under a cap.
    pub fn due(&self, cap: Option<Fen>) -> Fen {
        cap.map_or(self.sum, |cap| self.sum.min(cap))
    }
}
