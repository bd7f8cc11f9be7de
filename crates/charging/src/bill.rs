//! Bills (账单): a session under a tariff, in whole fen, each line explained. Every line is rounded half up once, and the total is
//! the sum of the lines, so that whoever adds up what is printed gets what is charged. What is doubtful is never due: it is held with a
//! proposal until a person decides.

use crate::days::Days;
use crate::event::SessionKey;
use crate::fee::{Charged, DAYS_MAX, TimeFee};
use crate::money::{Fen, Price, Wh};
use crate::session::{Doubt, DoubtKind, Session};
use crate::split::{register_at, stretches};
use crate::tariff::{PeriodKind, Tariff, Version};
use model::problem::{Both, both};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest note of a review, characters.
pub const NOTE_CHARS_MAX: usize = 1_000;

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Electricity (电费).
    Energy,
    /// Service (服务费).
    Service,
    /// Parking (停车费).
    Parking,
    /// Occupancy after charging (占位费).
    Idle,
}

impl LineKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Energy, Self::Service, Self::Parking, Self::Idle];

    /// Its name for people, Chinese and English.
    pub fn title(self) -> [&'static str; 2] {
        match self {
            Self::Energy => ["电费", "electricity"],
            Self::Service => ["服务费", "service"],
            Self::Parking => ["停车费", "parking"],
            Self::Idle => ["占位费", "occupancy"],
        }
    }
}

/// What a line's amount comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Energy times a price.
    Energy {
        /// The period.
        period: PeriodKind,
        /// How much.
        energy: Wh,
        /// At which price.
        price: Price,
    },
    /// Units of time times a price.
    Time {
        /// Seconds that counted.
        counted_seconds: i64,
        /// Units begun.
        units: i64,
        /// How long a unit is.
        unit_seconds: i64,
        /// What it costs.
        per_unit: Fen,
        /// Whether a cap made it less.
        is_capped: bool,
    },
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What for.
    pub kind: LineKind,
    /// The version of the tariff.
    pub version: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What the amount comes from.
    pub basis: Basis,
    /// How much.
    pub amount: Fen,
}

impl Line {
    /// The line as people read it, with times of the calendar's zone.
    pub fn explain(&self, days: &Days) -> Both {
        let time = |at: Timestamp| {
            jiff::Timestamp::from_microsecond(at.micros()).map_or_else(
                |_| at.to_string(),
                |at| {
                    days.zone()
                        .to_datetime(at)
                        .strftime("%Y-%m-%d %H:%M:%S")
                        .to_string()
                },
            )
        };
        let (from, until) = (time(self.from), time(self.until));
        let [zh, en] = self.kind.title();
        match self.basis {
            Basis::Energy {
                period,
                energy,
                price,
            } => {
                let [zh_period, en_period] = period.title();
                both(
                    format!(
                        "{zh}：{from} 至 {until}，{zh_period}时段，{energy} 千瓦时 × {price} 元 = {} 元",
                        self.amount
                    ),
                    format!(
                        "{en}: {from} to {until}, {en_period}, {energy} kWh × {price} yuan = {} yuan",
                        self.amount
                    ),
                )
            }
            Basis::Time {
                counted_seconds,
                units,
                unit_seconds,
                per_unit,
                is_capped,
            } => {
                let minutes = unit_seconds / 60;
                let capped = if is_capped {
                    ["（封顶）", " (capped)"]
                } else {
                    ["", ""]
                };
                both(
                    format!(
                        "{zh}：{from} 至 {until}，计费 {counted_seconds} 秒，{units} 个 {minutes} 分钟 × {per_unit} 元 = {} 元{}",
                        self.amount, capped[0]
                    ),
                    format!(
                        "{en}: {from} to {until}, {counted_seconds} s count, {units} × {minutes} min × {per_unit} yuan = {} yuan{}",
                        self.amount, capped[1]
                    ),
                )
            }
        }
    }
}

/// Whether a bill is to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// To be paid.
    Due,
    /// Doubtful: a person has to look; nothing is charged until then.
    Held,
    /// Looked at and charged as proposed.
    Accepted(Review),
    /// Looked at and let go.
    Waived(Review),
}

/// Who decided on a held bill, when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: String,
}

/// What a person decides on a held bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Charge what is proposed.
    Accept,
    /// Charge nothing.
    Waive,
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Which session; there is one bill of each.
    pub key: SessionKey,
    /// Its connector.
    pub connector: u32,
    /// Who charged.
    pub card: Option<String>,
    /// The tariff.
    pub tariff: String,
    /// When the charge began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The last register less the first.
    pub energy: Wh,
    /// What it is made of, in order of time, fees by time last.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Fen,
    /// Why it is held.
    pub doubts: BTreeSet<Doubt>,
    /// Whether it is to be paid.
    pub standing: Standing,
}

impl Bill {
    /// The name under which the ledger and the provider know it, the same however often it is made.
    pub fn id(&self) -> String {
        self.key.to_string()
    }

    /// What is to be paid; `None` while the bill is held.
    pub fn due(&self) -> Option<Fen> {
        match self.standing {
            Standing::Due | Standing::Accepted(_) => Some(self.total),
            Standing::Waived(_) => Some(Fen::ZERO),
            Standing::Held => None,
        }
    }

    /// The sum of the lines of one kind.
    pub fn sum(&self, kind: LineKind) -> Fen {
        self.lines
            .iter()
            .filter(|line| line.kind == kind)
            .map(|line| line.amount)
            .sum()
    }

    /// Decides on a held bill. The same decision again changes nothing.
    ///
    /// # Errors
    /// `charging-review`: the bill is not held, was decided otherwise, the reviewer has no name, or the note is empty or longer than
    /// [`NOTE_CHARS_MAX`].
    pub fn decide(mut self, decision: Decision, review: Review) -> Result<Self, Told> {
        let is_again = match (&self.standing, decision) {
            (Standing::Accepted(before), Decision::Accept)
            | (Standing::Waived(before), Decision::Waive) => *before == review,
            _ => false,
        };
        if is_again {
            return Ok(self);
        }
        let chars = review.note.trim().chars().count();
        let is_told = !review.by.is_empty() && (1..=NOTE_CHARS_MAX).contains(&chars);
        if self.standing != Standing::Held || !is_told {
            return Err(Told::new(
                "charging-review",
                both(
                    "账单不在复核中，或没有写明复核人和理由",
                    "the bill is not held, or reviewer and reason are missing",
                ),
                both(format!("账单 {}", self.key), format!("bill {}", self.key)),
                both(
                    format!("只复核待复核的账单，并写 1 到 {NOTE_CHARS_MAX} 个字的理由"),
                    format!(
                        "decide on held bills only, with a reason of 1 to {NOTE_CHARS_MAX} characters"
                    ),
                ),
            ));
        }
        self.standing = match decision {
            Decision::Accept => Standing::Accepted(review),
            Decision::Waive => Standing::Waived(review),
        };
        Ok(self)
    }
}

/// Makes the bill of a session; `None` while it goes on. The same session gives the same bill.
///
/// Energy is split over the time from the first to the last register ([`crate::split`]). Stretches without energy and services that cost
/// nothing have no line. Parking runs from arriving (or the start, if that was told earlier) to leaving (or the end, if nothing was told
/// of leaving); occupancy runs from [`Session::full`], else the end, to leaving, and is not charged where leaving was not told. Each
/// follows the version of the day on which it begins.
pub fn bill(session: &Session, tariff: &Tariff, days: &Days) -> Option<Bill> {
    if !session.is_ended {
        return None;
    }
    let mut doubts = session.doubts.clone();
    let mut lines = Vec::new();
    energy_lines(session, tariff, days, &mut lines, &mut doubts);
    time_lines(session, tariff, days, &mut lines, &mut doubts);
    Some(Bill {
        key: session.key.clone(),
        connector: session.connector,
        card: session.card.clone(),
        tariff: tariff.id().to_owned(),
        started: session.started,
        ended: session.ended,
        energy: session.energy().unwrap_or_default(),
        total: lines.iter().map(|line| line.amount).sum(),
        lines,
        standing: if doubts.is_empty() {
            Standing::Due
        } else {
            Standing::Held
        },
        doubts,
    })
}

fn energy_lines(
    session: &Session,
    tariff: &Tariff,
    days: &Days,
    lines: &mut Vec<Line>,
    doubts: &mut BTreeSet<Doubt>,
) {
    let readings = &session.readings;
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return;
    };
    // Registers over more time than any charge lasts: a clock is wrong, and the split would be long and mean nothing.
    if last.at.micros_since(first.at) > DAYS_MAX * 86_400_000_000 {
        doubts.insert(Doubt {
            kind: DoubtKind::TooLong,
            at: Some(last.at),
        });
        return;
    }
    // What goes back cannot be split, so it has no proposal; the session says why.
    if !session.is_monotone() {
        return;
    }
    let stretches = match stretches(tariff, days, first.at, last.at) {
        Ok(stretches) => stretches,
        Err(doubt) => {
            doubts.insert(doubt);
            return;
        }
    };
    for stretch in stretches {
        let register = |at| register_at(readings, at).unwrap_or_default().0;
        let energy = Wh(register(stretch.until) - register(stretch.from));
        if energy == Wh(0) {
            continue;
        }
        let prices = [
            (LineKind::Energy, stretch.energy_price),
            (LineKind::Service, stretch.service_price),
        ];
        for (kind, price) in prices {
            if kind == LineKind::Service && price == Price(0) {
                continue;
            }
            lines.push(Line {
                kind,
                version: stretch.version.clone(),
                from: stretch.from,
                until: stretch.until,
                basis: Basis::Energy {
                    period: stretch.kind,
                    energy,
                    price,
                },
                amount: price.of(energy),
            });
        }
    }
}

fn time_lines(
    session: &Session,
    tariff: &Tariff,
    days: &Days,
    lines: &mut Vec<Line>,
    doubts: &mut BTreeSet<Doubt>,
) {
    let (Some(started), Some(ended)) = (session.started, session.ended) else {
        return;
    };
    let arrived = session.arrived.map_or(started, |at| at.min(started));
    let left = session.left.map(|at| at.max(ended));
    let parking = (LineKind::Parking, arrived, left.unwrap_or(ended));
    let begins = session.full.unwrap_or(ended);
    let idle = (LineKind::Idle, begins, left.unwrap_or(begins));
    for (kind, from, until) in [parking, idle] {
        let version = days.day_of(from).and_then(|day| tariff.version(day));
        let fee = version.and_then(|version| match kind {
            LineKind::Parking => version.parking(),
            _ => version.idle(),
        });
        let (Some(version), Some(fee)) = (version, fee) else {
            continue;
        };
        match fee.charge(from, until, days) {
            Some(charged) => lines.extend(time_line(kind, version, fee, charged, [from, until])),
            None => {
                doubts.insert(Doubt {
                    kind: DoubtKind::TooLong,
                    at: Some(until),
                });
            }
        }
    }
}

fn time_line(
    kind: LineKind,
    version: &Version,
    fee: &TimeFee,
    charged: Charged,
    [from, until]: [Timestamp; 2],
) -> Option<Line> {
    (charged.units > 0).then(|| Line {
        kind,
        version: version.id().to_owned(),
        from,
        until,
        basis: Basis::Time {
            counted_seconds: charged.counted_seconds,
            units: charged.units,
            unit_seconds: fee.unit_seconds(),
            per_unit: fee.per_unit(),
            is_capped: charged.is_capped,
        },
        amount: charged.amount,
    })
}
