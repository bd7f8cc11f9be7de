//! What can be booked, as data: slots with places, or units by interval; quotas of classes; what one person may.

use crate::limits::Limits;
use crate::refusal::Refusal;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something that can be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// What counts together for the limits of a person: all stations of an operator, all clinics of a hospital.
    pub group: String,
    /// Whether anything new can be booked.
    pub open: bool,
    /// What is offered.
    pub offer: Offer,
    /// Under which rules.
    pub policy: Policy,
}

/// What is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// Places in slots (号源): tickets of an hour, a doctor's morning.
    Slots(Vec<Slot>),
    /// Units that are alike, each for one at a time, by any interval: the connectors of a station.
    Units {
        /// How many, at least 1.
        count: u32,
        /// Shortest interval, in seconds; at least 1.
        shortest_s: i64,
        /// Longest interval, in seconds.
        longest_s: i64,
    },
}

/// A slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Its id, within the resource.
    pub id: String,
    /// Its begin.
    pub from: Timestamp,
    /// Its end, excluded.
    pub to: Timestamp,
    /// How many places.
    pub capacity: u32,
    /// Quotas of classes; a class that is not named shares what is not kept for others.
    #[serde(default)]
    pub quotas: BTreeMap<String, Quota>,
}

/// The quota of a class (配额), such as residents or visitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// So many places are kept for the class.
    #[serde(default)]
    pub kept: u32,
    /// No more than so many are for the class.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// Rules of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How long a hold lasts, in seconds (default 600).
    pub hold_s: i64,
    /// How long somebody who moved up has to confirm, in seconds (default 900).
    pub offer_s: i64,
    /// Most places of one booking (default 1). Units are booked one by one.
    pub places_max: u32,
    /// Most bookings of one person in the group that have not ended, waiting ones among them (default 3).
    pub open_max: u32,
    /// How far ahead may be booked, in seconds (default 30 days).
    pub ahead_s: i64,
    /// How long before its begin a use may begin, in seconds (default 900).
    pub early_s: i64,
    /// So long after its begin whoever has not come counts as a no-show, in seconds; at the end in any case (default 900).
    pub late_s: i64,
    /// Until so long before its begin a person may cancel, in seconds; operators always may (default 0: until it begins).
    pub cancel_before_s: i64,
    /// So many no-shows in `no_show_days` and the person books nothing more in the group until they are over (default 3; 0: no such rule).
    pub no_shows_max: u32,
    /// See `no_shows_max`, in days (default 30).
    pub no_show_days: u32,
    /// Longest waiting list of a slot, or of all intervals (default 100; 0: none).
    pub waiting_max: u32,
    /// Whether someone with fewer places passes someone who waits for more (default false).
    pub smaller_may_pass: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hold_s: 600,
            offer_s: 900,
            places_max: 1,
            open_max: 3,
            ahead_s: 30 * 86_400,
            early_s: 900,
            late_s: 900,
            cancel_before_s: 0,
            no_shows_max: 3,
            no_show_days: 30,
            waiting_max: 100,
            smaller_may_pass: false,
        }
    }
}

/// Longest time that a policy may name: ten years, in seconds.
const POLICY_S_MAX: i64 = 10 * 366 * 86_400;
/// Longest window of no-shows, in days.
const NO_SHOW_DAYS_MAX: u32 = 366;

/// Checks a name.
pub(crate) fn check_id(text: &str, place: &str, limits: &Limits) -> Result<(), Refusal> {
    if !text.is_empty() && text.len() <= limits.id_bytes_max && !text.chars().any(char::is_control)
    {
        return Ok(());
    }
    let most = limits.id_bytes_max;
    Err(Refusal::invalid(
        "booking-id",
        (
            &format!("名称为空、含控制字符或超过 {most} 字节"),
            &format!("the name is empty, holds control characters or has more than {most} bytes"),
        ),
        place,
        ("改用较短的名称", "take a shorter name"),
    ))
}

impl Resource {
    /// Checks a declaration by itself.
    ///
    /// # Errors
    /// `booking-id`, `booking-declaration`.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        check_id(&self.id, "id", limits)?;
        check_id(&self.group, "group", limits)?;
        self.policy.check()?;
        match &self.offer {
            Offer::Units {
                count,
                shortest_s,
                longest_s,
            } => {
                must(
                    (1..=limits.units_max).contains(count),
                    "offer.count",
                    &format!("1–{}", limits.units_max),
                )?;
                must(
                    *shortest_s >= 1 && shortest_s <= longest_s && *longest_s <= POLICY_S_MAX,
                    "offer.shortest_s",
                    "1 ≤ shortest_s ≤ longest_s",
                )
            }
            Offer::Slots(slots) => {
                must(
                    slots.len() <= limits.slots_max,
                    "offer.slots",
                    &format!("≤ {}", limits.slots_max),
                )?;
                let mut seen = BTreeSet::new();
                for slot in slots {
                    check_id(&slot.id, "slot.id", limits)?;
                    must(seen.insert(&slot.id), "slot.id", "once")?;
                    slot.check(limits)?;
                }
                Ok(())
            }
        }
    }
}

impl Slot {
    fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        must(self.from < self.to, "slot.from", "from < to")?;
        must(
            self.quotas.len() <= limits.classes_max,
            "slot.quotas",
            &format!("≤ {}", limits.classes_max),
        )?;
        let mut kept = 0_u64;
        for (class, quota) in &self.quotas {
            check_id(class, "slot.quotas", limits)?;
            must(
                quota.at_most.is_none_or(|most| quota.kept <= most),
                "slot.quotas",
                "kept ≤ at_most",
            )?;
            kept += u64::from(quota.kept);
        }
        must(
            kept <= u64::from(self.capacity),
            "slot.quotas",
            "Σ kept ≤ capacity",
        )
    }
}

impl Policy {
    fn check(&self) -> Result<(), Refusal> {
        let times = [
            ("policy.hold_s", self.hold_s, 1),
            ("policy.offer_s", self.offer_s, 1),
            ("policy.ahead_s", self.ahead_s, 0),
            ("policy.early_s", self.early_s, 0),
            ("policy.late_s", self.late_s, 1),
            ("policy.cancel_before_s", self.cancel_before_s, 0),
        ];
        for (place, seconds, least) in times {
            must(
                (least..=POLICY_S_MAX).contains(&seconds),
                place,
                &format!("{least}–{POLICY_S_MAX} s"),
            )?;
        }
        must(self.places_max >= 1, "policy.places_max", "≥ 1")?;
        must(
            self.no_show_days <= NO_SHOW_DAYS_MAX,
            "policy.no_show_days",
            &format!("≤ {NO_SHOW_DAYS_MAX}"),
        )
    }
}

pub(crate) fn must(holds: bool, place: &str, rule: &str) -> Result<(), Refusal> {
    if holds {
        return Ok(());
    }
    Err(Refusal::invalid(
        "booking-declaration",
        (
            &format!("不符合规定:{rule}"),
            &format!("the rule is: {rule}"),
        ),
        place,
        (
            "按规定修改后再提交",
            "change it so that the rule holds, then send it again",
        ),
    ))
}
