//! How much power each vehicle of a transformer (台区变压器) may take, so that the transformer is never asked for more than it bears (有序充电).
//!
//! The method, in whole:
//!
//! 1. **Limit.** rated kVA × power factor × the share that may be used. What is left of it beside the other load is for charging. Where
//!    nobody knows the other load, or the reading is too old or of the future, charging as a whole gets a stated static power instead.
//! 2. **Who charges.** A vehicle below its least current does not charge at all (6 A, IEC 61851-1:2017 table A.8 and GB/T 18487.1), so an outlet
//!    gets nothing or at least its minimum. When the minimums of all do not fit, outlets take turns: those whose turn is not over go on; then
//!    come those that wait, by waiting time × weight; then those whose turn is over. Nobody who waits is overtaken by one behind
//!    them, so everybody whose minimum fits at all is served in the end.
//! 3. **How much.** Weighted max–min fair (Bertsekas & Gallager 1992, *Data Networks*, section 6.5.2: filling up evenly): each gets weight × the
//!    same level, within its minimum and what its vehicle takes; the level is the highest that fits. What a vehicle does not take is the others'.
//! 4. **Calm.** The level is reckoned for a band below what there is, small changes are not told, and are told all the same when keeping them would
//!    not fit or when what was told grows old.
//! 5. **Order.** Lowering is told at once, raising only as far as it fits beside what every station was told last and has accepted ([`orders`]):
//!    between the two steps, and whatever a station refuses or does not answer, the sum stays within the limit or does not grow.
//!
//! Power is in whole watts (W, VA), time in seconds. Same input, same answer; ties are broken by the outlet's id.

use model::problem::{Both, both};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;
const HUNDRED: i64 = 100;
/// Largest transformer that is read, VA: 1 GVA, above every one of a city.
const RATED_VA_MAX: i64 = 1_000_000_000;
/// Highest weight of an outlet.
pub const WEIGHT_MAX: u8 = 10;

/// What a transformer bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transformer {
    /// Rated capacity (额定容量), VA.
    pub rated_va: i64,
    /// Power factor that is reckoned with, % (功率因数): 95 is usual behind compensation.
    pub power_factor_percent: i64,
    /// Share of the capacity that may be used, %: 80 keeps a fifth in reserve.
    pub share_percent: i64,
    /// What all charging together may take when the other load is not known, W.
    pub static_w: i64,
}

impl Transformer {
    /// The transformer, if it makes sense.
    ///
    /// # Errors
    /// `charging-transformer`, each mistake; `place` says where it is written.
    pub fn checked(self, place: &str) -> Result<Self, Vec<Told>> {
        let mut told = Vec::new();
        let mut must = |is_good: bool, what: Both, mend: Both| {
            if !is_good {
                told.push(Told::new(
                    "charging-transformer",
                    what,
                    Both::from(place),
                    mend,
                ));
            }
        };
        must(
            (1..=RATED_VA_MAX).contains(&self.rated_va),
            both(
                format!(
                    "额定容量 {} VA 不在 1 到 {RATED_VA_MAX} 之间",
                    self.rated_va
                ),
                format!(
                    "the rated capacity of {} VA is not from 1 to {RATED_VA_MAX}",
                    self.rated_va
                ),
            ),
            both(
                "按铭牌填写，注意千伏安与伏安",
                "write what the plate says, and mind VA and kVA",
            ),
        );
        must(
            (1..=HUNDRED).contains(&self.power_factor_percent),
            both(
                format!(
                    "功率因数 {}% 不在 1% 到 100% 之间",
                    self.power_factor_percent
                ),
                format!(
                    "the power factor of {} % is not from 1 to 100",
                    self.power_factor_percent
                ),
            ),
            both("一般填 95", "95 is usual"),
        );
        must(
            (1..=HUNDRED).contains(&self.share_percent),
            both(
                format!("可用份额 {}% 不在 1% 到 100% 之间", self.share_percent),
                format!("the share of {} % is not from 1 to 100", self.share_percent),
            ),
            both("一般填 80", "80 is usual"),
        );
        must(
            (0..=self.limit_w().max(0)).contains(&self.static_w),
            both(
                format!(
                    "静态功率 {} W 不在 0 到上限 {} W 之间",
                    self.static_w,
                    self.limit_w()
                ),
                format!(
                    "the static power of {} W is not from 0 to the limit of {} W",
                    self.static_w,
                    self.limit_w()
                ),
            ),
            both(
                "填其他负荷最大时仍留给充电的功率",
                "write what is left for charging when the other load is at its highest",
            ),
        );
        if told.is_empty() { Ok(self) } else { Err(told) }
    }

    /// What it may be asked for as a whole, W, rounded down.
    pub const fn limit_w(&self) -> i64 {
        self.rated_va
            .saturating_mul(self.power_factor_percent)
            .saturating_mul(self.share_percent)
            / (HUNDRED * HUNDRED)
    }
}

/// How charging is steered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Steering {
    /// How old the reading of the other load may be, seconds.
    pub measured_max_seconds: i64,
    /// How far that reading's clock may be ahead of ours, seconds.
    pub ahead_max_seconds: i64,
    /// How long a turn is when not all can charge at once, seconds.
    pub turn_seconds: i64,
    /// How far below what there is the level stays, %: noise of the other load within it changes nothing.
    pub band_percent: i64,
    /// Changes up to this part of what was told are not told, %.
    pub change_percent: i64,
    /// Changes up to this power are not told, W.
    pub change_min_w: i64,
    /// What was told so long ago is told anew, seconds; shorter than what is told holds ([`crate::grid::VALID_SECONDS`]).
    pub refresh_seconds: i64,
    /// A vehicle that takes less than its limit by more than this part gets what it takes and twice this part more, %.
    pub spare_percent: i64,
    /// After a raise a vehicle has so long to follow before what it takes counts, seconds.
    pub settle_seconds: i64,
}

impl Default for Steering {
    fn default() -> Self {
        Self {
            measured_max_seconds: 300,
            ahead_max_seconds: 60,
            turn_seconds: 900,
            band_percent: 5,
            change_percent: 5,
            change_min_w: 500,
            refresh_seconds: 300,
            spare_percent: 10,
            settle_seconds: 60,
        }
    }
}

/// A power and when it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Power, W.
    pub w: i64,
    /// When.
    pub at: Timestamp,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "turn", rename_all = "kebab-case")]
pub enum Turn {
    /// It may charge, since then.
    Charges {
        /// Since when.
        since: Timestamp,
    },
    /// It waits, since then. So does one that came just now, whatever its station lets it take meanwhile.
    Waits {
        /// Since when.
        since: Timestamp,
    },
}

/// What a station was told of an outlet and has accepted: what the caller keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What the outlet may take, W: the last limit that was accepted, or what the station does by itself.
    pub held_w: i64,
    /// When it was accepted last.
    pub told_at: Timestamp,
    /// When it was raised last by more than a small change.
    pub raised_at: Timestamp,
    /// Whose turn it is.
    pub turn: Turn,
}

impl Standing {
    /// One whose vehicle came at that time, and that may take so much without being told: its station's static share, or its rated power
    /// where nobody told the station anything.
    pub const fn new(held_w: i64, came: Timestamp) -> Self {
        Self {
            held_w,
            told_at: came,
            raised_at: came,
            turn: Turn::Waits { since: came },
        }
    }

    /// The station accepted this limit.
    pub fn accepted(&mut self, limit_w: i64, now: Timestamp, steering: &Steering) {
        if limit_w.saturating_sub(self.held_w) > steering.small(self.held_w) {
            self.raised_at = now;
        }
        self.held_w = limit_w;
        self.told_at = now;
        self.turn = match (self.turn, limit_w > 0) {
            (Turn::Waits { .. }, true) => Turn::Charges { since: now },
            (Turn::Charges { .. }, false) => Turn::Waits { since: now },
            (turn, _) => turn,
        };
    }
}

/// An outlet at which a vehicle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Its id.
    pub id: String,
    /// Below this its vehicle does not charge, W.
    pub min_w: i64,
    /// The most that it gives, W.
    pub rated_w: i64,
    /// Its weight, 1 to [`WEIGHT_MAX`]: one of weight 2 gets twice what one of weight 1 gets.
    pub weight: u8,
    /// What the vehicle takes now.
    pub drawn: Option<Measured>,
    /// Whether its station is on the line and obeys.
    pub is_reachable: bool,
    /// What it was told.
    pub standing: Standing,
}

impl Outlet {
    fn rated(&self) -> i64 {
        self.rated_w.max(1)
    }

    fn least(&self) -> i64 {
        self.min_w.clamp(1, self.rated())
    }

    fn weight(&self) -> i64 {
        i64::from(self.weight.clamp(1, WEIGHT_MAX))
    }

    /// The most that its vehicle can use: what it takes and some, where it takes clearly less than it may.
    fn most(&self, steering: &Steering) -> i64 {
        let Standing {
            held_w, raised_at, ..
        } = self.standing;
        let settled = raised_at.plus_seconds(steering.settle_seconds);
        let spare = steering.spare_percent.clamp(0, HUNDRED);
        match self.drawn {
            Some(drawn)
                if held_w > 0 && drawn.at >= settled && drawn.w < part(held_w, HUNDRED - spare) =>
            {
                part(drawn.w.max(0), HUNDRED + 2 * spare).clamp(self.least(), self.rated())
            }
            _ => self.rated(),
        }
    }
}

/// From what the power for charging was reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// From the measured other load.
    Measured,
    /// The static power, since the other load is not known.
    Static,
}

/// Why an outlet gets what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// All that its vehicle takes.
    Enough,
    /// Its share.
    Shares,
    /// What it has: the change would be small.
    Stays,
    /// Nothing: others have their turn.
    Waits,
    /// Nothing: its minimum is more than there is for all.
    TooLittle,
    /// What it was told last: its station is not on the line or does not obey.
    OutOfReach,
}

/// What an outlet gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    /// The limit, W; 0: it does not charge.
    pub limit_w: i64,
    /// Why.
    pub why: Why,
}

/// How the power is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// What all charging of the transformer may take, W.
    pub budget_w: i64,
    /// From what that was reckoned.
    pub basis: Basis,
    /// By how much what cannot be lowered is above it, W: the other load alone is above the limit, or stations do not obey. Somebody must act.
    pub over_w: i64,
    /// What each outlet gets, in the order in which they were given.
    pub given: Vec<Given>,
}

/// So many percent of a power, rounded down.
const fn part(w: i64, percent: i64) -> i64 {
    w.saturating_mul(percent) / HUNDRED
}

impl Steering {
    /// Up to what a change of this limit is small, W.
    fn small(&self, held_w: i64) -> i64 {
        part(held_w.max(0), self.change_percent.max(0)).max(self.change_min_w.max(0))
    }

    /// The part of what there is up to which the level goes.
    fn filled(&self, w: i64) -> i64 {
        part(w.max(0), (HUNDRED - self.band_percent).clamp(0, HUNDRED))
    }
}

/// Seconds from one moment to another; 0 when the other is earlier.
const fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    let seconds = to.micros_since(from) / MICROS;
    if seconds > 0 { seconds } else { 0 }
}

/// Shares a transformer's power among the outlets at which vehicles are. `other` is its load beside charging.
pub fn share(
    transformer: &Transformer,
    steering: &Steering,
    other: Option<Measured>,
    outlets: &[Outlet],
    now: Timestamp,
) -> Shared {
    let limit_w = transformer.limit_w();
    let known = other.filter(|other| {
        now.micros_since(other.at) <= steering.measured_max_seconds.saturating_mul(MICROS)
            && other.at.micros_since(now) <= steering.ahead_max_seconds.saturating_mul(MICROS)
    });
    let (left_w, basis) = match known {
        Some(other) => (limit_w.saturating_sub(other.w.max(0)), Basis::Measured),
        None => (transformer.static_w.min(limit_w), Basis::Static),
    };
    let fixed_w: i64 = outlets
        .iter()
        .filter(|outlet| !outlet.is_reachable)
        .map(|outlet| outlet.standing.held_w)
        .sum();
    let free_w = left_w.saturating_sub(fixed_w);
    let over_w = free_w.min(0).saturating_neg();
    let free_w = free_w.max(0);

    let mut given: Vec<Given> = outlets
        .iter()
        .map(|outlet| {
            if outlet.is_reachable {
                let why = if outlet.least() > steering.filled(free_w) {
                    Why::TooLittle
                } else {
                    Why::Waits
                };
                Given { limit_w: 0, why }
            } else {
                let limit_w = outlet.standing.held_w;
                let why = Why::OutOfReach;
                Given { limit_w, why }
            }
        })
        .collect();
    let served = served(steering, outlets, free_w, now);
    let bounds: Vec<Bounds> = served
        .iter()
        .map(|(_, outlet)| Bounds {
            least: outlet.least(),
            most: outlet.most(steering),
            weight: outlet.weight(),
        })
        .collect();
    let filled = fill(&bounds, steering.filled(free_w));
    let calm = calm(steering, &served, &filled, free_w, now);
    for ((((at, outlet), bounds), filled), calm) in served.iter().zip(&bounds).zip(filled).zip(calm)
    {
        if let Some(slot) = given.get_mut(*at) {
            *slot = match calm {
                true => Given {
                    limit_w: outlet.standing.held_w,
                    why: Why::Stays,
                },
                false if filled >= bounds.most => Given {
                    limit_w: filled,
                    why: Why::Enough,
                },
                false => Given {
                    limit_w: filled,
                    why: Why::Shares,
                },
            };
        }
    }
    Shared {
        budget_w: left_w.max(0),
        basis,
        over_w,
        given,
    }
}

/// The outlets that charge, with their places, in the order in which they came to it.
fn served<'a>(
    steering: &Steering,
    outlets: &'a [Outlet],
    free_w: i64,
    now: Timestamp,
) -> Vec<(usize, &'a Outlet)> {
    let fill_w = steering.filled(free_w);
    // By class; within it by what counts most, the largest first.
    let mut queue: Vec<(u8, i64, &str, usize, &Outlet)> = outlets
        .iter()
        .enumerate()
        .filter(|(_, outlet)| outlet.is_reachable)
        .map(|(at, outlet)| {
            let (class, rank) = match outlet.standing.turn {
                Turn::Charges { since } => {
                    let had = seconds(since, now);
                    // Of those who charge, the ones that had least go first.
                    (if had < steering.turn_seconds { 0 } else { 2 }, -had)
                }
                Turn::Waits { since } => {
                    let waited = seconds(since, now).saturating_add(1);
                    (1, waited.saturating_mul(outlet.weight()))
                }
            };
            (class, -rank, outlet.id.as_str(), at, outlet)
        })
        .collect();
    queue.sort_by_key(|(class, rank, id, at, _)| (*class, *rank, *id, *at));
    let mut served = Vec::new();
    let mut taken_w = 0_i64;
    let mut somebody_waits = false;
    for (class, _, _, at, outlet) in queue {
        let with = taken_w.saturating_add(outlet.least());
        let fits = if class == 1 {
            // Nobody overtakes who is next.
            !somebody_waits && with <= fill_w
        } else {
            with <= free_w
        };
        if fits {
            taken_w = with;
            served.push((at, outlet));
        } else if class == 1 && outlet.least() <= fill_w {
            somebody_waits = true;
        }
    }
    served
}

/// Within what an outlet's share lies.
struct Bounds {
    least: i64,
    most: i64,
    weight: i64,
}

/// Fills up evenly: the highest level at which weight × level, within the bounds, fits; the minimums where nothing does. Less than the sum of the
/// weights, in W, stays over.
fn fill(all: &[Bounds], w: i64) -> Vec<i64> {
    let at = |level: i64| {
        all.iter().map(move |one| {
            level
                .saturating_mul(one.weight)
                .clamp(one.least, one.most.max(one.least))
        })
    };
    let (mut fits, mut beyond) = (0, all.iter().map(|one| one.most).max().unwrap_or(0) + 1);
    while fits + 1 < beyond {
        let middle = fits + (beyond - fits) / 2;
        if at(middle).sum::<i64>() <= w {
            fits = middle;
        } else {
            beyond = middle;
        }
    }
    at(fits).collect()
}

/// Which of those that charge keep what they have.
fn calm(
    steering: &Steering,
    served: &[(usize, &Outlet)],
    filled: &[i64],
    free_w: i64,
    now: Timestamp,
) -> Vec<bool> {
    let may = |outlet: &Outlet, filled: i64| {
        let held_w = outlet.standing.held_w;
        (outlet.least()..=outlet.rated()).contains(&held_w)
            && filled.saturating_sub(held_w).abs() <= steering.small(held_w)
            && seconds(outlet.standing.told_at, now) < steering.refresh_seconds
            && matches!(outlet.standing.turn, Turn::Charges { .. })
    };
    let sum = |keeps: &dyn Fn(&Outlet, i64) -> bool| -> i64 {
        let each = served.iter().zip(filled);
        each.map(|((_, outlet), filled)| {
            if keeps(outlet, *filled) {
                outlet.standing.held_w
            } else {
                *filled
            }
        })
        .sum()
    };
    let fits = sum(&may) <= free_w;
    served
        .iter()
        .zip(filled)
        .map(|((_, outlet), filled)| {
            // Where keeping all would not fit, only what is not lowered stays.
            may(outlet, *filled) && (fits || outlet.standing.held_w <= *filled)
        })
        .collect()
}

/// What a station is to be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The outlet's place among those that were given.
    pub outlet: usize,
    /// Its limit, W.
    pub limit_w: i64,
}

/// What is to be told now: all lowering; what grew old; and raising, by weight and then waiting time, as far as it fits beside what the stations hold.
/// When they have answered, and their standings say so, ask again: what is left of the raising follows. Nothing is left when it is empty.
pub fn orders(
    steering: &Steering,
    outlets: &[Outlet],
    shared: &Shared,
    now: Timestamp,
) -> Vec<Order> {
    let held_w: i64 = outlets.iter().map(|outlet| outlet.standing.held_w).sum();
    let mut room_w = shared.budget_w.saturating_sub(held_w).max(0);
    let mut told = Vec::new();
    let mut raised = Vec::new();
    for (at, (outlet, given)) in outlets.iter().zip(&shared.given).enumerate() {
        let standing = &outlet.standing;
        let order = Order {
            outlet: at,
            limit_w: given.limit_w,
        };
        // One that came just now has not been told what it has.
        let is_old = seconds(standing.told_at, now) >= steering.refresh_seconds
            || matches!(standing.turn, Turn::Waits { .. }) && given.limit_w > 0;
        if !outlet.is_reachable {
        } else if given.limit_w < standing.held_w || given.limit_w == standing.held_w && is_old {
            told.push(order);
        } else if given.limit_w > standing.held_w {
            let waited = match standing.turn {
                Turn::Waits { since } => seconds(since, now),
                Turn::Charges { .. } => 0,
            };
            raised.push((-outlet.weight(), -waited, outlet.id.as_str(), order));
        }
    }
    raised.sort_by(|a, b| (a.0, a.1, a.2, a.3.outlet).cmp(&(b.0, b.1, b.2, b.3.outlet)));
    for (_, _, _, order) in raised {
        let Some(outlet) = outlets.get(order.outlet) else {
            continue;
        };
        let held_w = outlet.standing.held_w;
        let limit_w = order.limit_w.min(held_w.saturating_add(room_w));
        let is_whole = limit_w == order.limit_w;
        // A piece of the raise is told when it is worth it; a pause ends with the minimum at least.
        if limit_w >= outlet.least() && (is_whole || limit_w - held_w > steering.small(held_w)) {
            room_w -= limit_w - held_w;
            told.push(Order { limit_w, ..order });
        }
    }
    told
}
