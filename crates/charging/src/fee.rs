//! Fees by time: parking (停车费) and occupancy after charging (占位费).
//!
//! The rule, in whole: both moments are cut to whole seconds. The free minutes pass first, by the clock, whatever the hours. Of what is
//! left only the time within the fee's hours counts, and it counts through: a unit may begin before a pause and end after it. A unit
//! costs its price as soon as it begins, and belongs to the day on which it begins; a day costs at most its cap, the whole at most
//! its own.

use crate::days::Days;
use crate::money::Fen;
use crate::written::{DAY_MINUTES, WrittenFee, hours};
use model::problem::both;
use model::{Timestamp, Told};

/// Longest unit, free time, minutes: 31 days.
pub const MINUTES_MAX: u32 = 31 * 24 * 60;
/// Most money of a unit or cap: 100,000 yuan.
pub const FEN_MAX: i64 = 10_000_000;
/// Most spans of hours in a day.
pub const SPANS_MAX: usize = 12;
/// Longest time that a fee is reckoned for, days; who stands longer is a case, not a bill.
pub const DAYS_MAX: i64 = 31;

const SECOND: i64 = 1_000_000;

/// A fee by time, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFee {
    free_seconds: i64,
    unit_seconds: i64,
    per_unit: Fen,
    /// Minutes of the day in which time counts, in order.
    hours: Vec<(u16, u16)>,
    day_cap: Option<Fen>,
    cap: Option<Fen>,
}

/// What a fee comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    /// Seconds that counted.
    pub counted_seconds: i64,
    /// Units begun.
    pub units: i64,
    /// Their price, capped.
    pub amount: Fen,
    /// Whether a cap made it less.
    pub is_capped: bool,
}

impl TimeFee {
    /// Checks what was written.
    ///
    /// # Errors
    /// `charging-fee`: minutes, money or hours out of their range, or hours that overlap.
    pub fn new(written: &WrittenFee, place: &str) -> Result<Self, Told> {
        let money = |fen: i64| (0..=FEN_MAX).contains(&fen);
        let mut spans: Vec<(u16, u16)> = written
            .hours
            .iter()
            .filter_map(|text| hours(text))
            .collect();
        spans.sort_unstable();
        let are_hours_good = spans.len() == written.hours.len()
            && spans.len() <= SPANS_MAX
            && spans.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        let is_good = (1..=MINUTES_MAX).contains(&written.unit_minutes)
            && written.free_minutes <= MINUTES_MAX
            && money(written.fen_per_unit)
            && written.day_cap_fen.is_none_or(money)
            && written.cap_fen.is_none_or(money)
            && are_hours_good;
        if !is_good {
            return Err(Told::new(
                "charging-fee",
                both(
                    "费用的分钟数、金额或时段超出范围",
                    "minutes, money or hours of the fee are out of range",
                ),
                place,
                both(
                    format!(
                        "计费单位为 1 到 {MINUTES_MAX} 分钟，金额为 0 到 {FEN_MAX} 分，时段如 \"07:00-23:00\"，最多 {SPANS_MAX} 个，互不重叠"
                    ),
                    format!(
                        "a unit is 1 to {MINUTES_MAX} minutes, money 0 to {FEN_MAX} fen, hours such as \"07:00-23:00\", at most {SPANS_MAX}, not overlapping"
                    ),
                ),
            ));
        }
        if spans.is_empty() {
            spans.push((0, DAY_MINUTES));
        }
        Ok(Self {
            free_seconds: i64::from(written.free_minutes) * 60,
            unit_seconds: i64::from(written.unit_minutes) * 60,
            per_unit: Fen(written.fen_per_unit),
            hours: spans,
            day_cap: written.day_cap_fen.map(Fen),
            cap: written.cap_fen.map(Fen),
        })
    }

    /// How long a unit is, seconds.
    pub fn unit_seconds(&self) -> i64 {
        self.unit_seconds
    }

    /// What a unit costs.
    pub fn per_unit(&self) -> Fen {
        self.per_unit
    }

    /// What the time from `from` to `until` comes to; `None` when it is longer than [`DAYS_MAX`] days or outside the calendar.
    pub fn charge(&self, from: Timestamp, until: Timestamp, days: &Days) -> Option<Charged> {
        let whole = |at: Timestamp| at.micros().div_euclid(SECOND);
        if whole(until) - whole(from) > DAYS_MAX * 86_400 {
            return None;
        }
        let from = Timestamp::from_seconds(whole(from) + self.free_seconds);
        let until = Timestamp::from_seconds(whole(until));
        let mut charged = Charged::default();
        let mut uncapped = Fen::ZERO;
        let mut day = days.day_of(from)?;
        let last = days.day_of(until)?;
        while day <= last {
            let mut units = 0;
            for (begins, ends) in &self.hours {
                let begins = days.moment(day, *begins)?.max(from);
                let ends = days.moment(day, *ends)?.min(until);
                let seconds = whole(ends) - whole(begins);
                if seconds > 0 {
                    let before = units_in(charged.counted_seconds, self.unit_seconds);
                    charged.counted_seconds += seconds;
                    units += units_in(charged.counted_seconds, self.unit_seconds) - before;
                }
            }
            let price = Fen(self.per_unit.0.saturating_mul(units));
            charged.units += units;
            uncapped = uncapped + price;
            charged.amount = charged.amount + self.day_cap.map_or(price, |cap| cap.min(price));
            day = day.tomorrow().ok()?;
        }
        if let Some(cap) = self.cap {
            charged.amount = charged.amount.min(cap);
        }
        charged.is_capped = charged.amount < uncapped;
        Some(charged)
    }
}

/// Units that have begun when so much time counted.
fn units_in(seconds: i64, unit_seconds: i64) -> i64 {
    (seconds + unit_seconds - 1).div_euclid(unit_seconds)
}
