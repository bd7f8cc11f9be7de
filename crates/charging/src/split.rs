//! Energy over the periods of a tariff.
//!
//! The rule, in whole: between two neighbouring readings energy flows evenly. At a boundary of the tariff (a period's end, a new
//! version, another kind of day) the register is what lies on the straight line between its two neighbouring readings, rounded half up
//! to the watt-hour. The energy of a stretch is the register at its end less the one at its beginning. So the stretches add up to
//! the last register less the first, to the watt-hour, whatever is rounded.

use crate::days::Days;
use crate::money::{Price, Wh, half_up, narrow};
use crate::session::{Doubt, DoubtKind, Reading};
use crate::tariff::{PeriodKind, Tariff};
use crate::written::Change;
use jiff::civil::Date;
use model::Timestamp;

/// A stretch of time under one version, period and pair of prices; neighbours differ in one of them, so that a night from 23:00 to
/// 07:00 is one stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From when.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub until: Timestamp,
    /// The version.
    pub version: String,
    /// The period.
    pub kind: PeriodKind,
    /// Energy (电费).
    pub energy_price: Price,
    /// Service (服务费).
    pub service_price: Price,
}

/// The stretches from `from` to `until`; none when they are the same moment.
///
/// # Errors
/// [`DoubtKind::NoTariff`] where no version holds, [`DoubtKind::UnknownDay`] where the version asks for kinds of days and the
/// calendar does not know that day's.
pub fn stretches(
    tariff: &Tariff,
    days: &Days,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Stretch>, Doubt> {
    let no_tariff = |at| Doubt {
        kind: DoubtKind::NoTariff,
        at: Some(at),
    };
    let first = days.day_of(from).ok_or(no_tariff(from))?;
    let mut all: Vec<Stretch> = Vec::new();
    let mut day = first;
    let mut reached = from;
    while reached < until {
        let end = day_of(tariff, days, (first, day), (reached, until), &mut all)?;
        day = day.tomorrow().map_err(|_| no_tariff(reached))?;
        reached = end;
    }
    Ok(all)
}

/// One day's stretches; says where the day ends.
fn day_of(
    tariff: &Tariff,
    days: &Days,
    (first, day): (Date, Date),
    (reached, until): (Timestamp, Timestamp),
    all: &mut Vec<Stretch>,
) -> Result<Timestamp, Doubt> {
    let doubt = |kind| Doubt {
        kind,
        at: Some(reached),
    };
    let chosen_on = match tariff.change() {
        Change::AtUse => day,
        Change::AtStart => first,
    };
    let version = tariff
        .version(chosen_on)
        .ok_or(doubt(DoubtKind::NoTariff))?;
    if version.has_kinds() && !days.is_known(day) {
        return Err(doubt(DoubtKind::UnknownDay));
    }
    let mut end = reached;
    for period in version.periods(day, days.kind(day)) {
        let moment = |minute| days.moment(day, minute).ok_or(doubt(DoubtKind::NoTariff));
        let (begins, ends) = (moment(period.from_minute)?, moment(period.until_minute)?);
        end = ends;
        let (begins, ends) = (begins.max(reached), ends.min(until));
        if begins >= ends {
            continue;
        }
        let stretch = Stretch {
            from: begins,
            until: ends,
            version: version.id().to_owned(),
            kind: period.kind,
            energy_price: period.energy,
            service_price: period.service,
        };
        match all.last_mut() {
            Some(last) if is_same(last, &stretch) => last.until = ends,
            _ => all.push(stretch),
        }
    }
    Ok(end)
}

fn is_same(one: &Stretch, next: &Stretch) -> bool {
    one.until == next.from
        && one.version == next.version
        && one.kind == next.kind
        && one.energy_price == next.energy_price
        && one.service_price == next.service_price
}

/// The register at a moment, by the rule of this module; the first or the last one outside them. `None` without readings. The
/// readings are in order and never go back ([`crate::Session::is_monotone`]).
pub fn register_at(readings: &[Reading], at: Timestamp) -> Option<Wh> {
    let after = readings.partition_point(|reading| reading.at <= at);
    let Some(before) = after.checked_sub(1).and_then(|n| readings.get(n)) else {
        return readings.first().map(|reading| reading.register);
    };
    let Some(next) = readings.get(after) else {
        return Some(before.register);
    };
    let grown = i128::from(next.register.0) - i128::from(before.register.0);
    let micros = i128::from(next.at.micros_since(before.at)).max(1);
    let passed = i128::from(at.micros_since(before.at));
    Some(Wh(
        before.register.0 + narrow(half_up(grown * passed, micros))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_lie_on_the_line_between_readings() {
        let reading = |second, register| Reading {
            at: Timestamp::from_seconds(second),
            register: Wh(register),
        };
        let readings = [reading(0, 1_000), reading(10, 1_005), reading(20, 1_005)];
        let at = |micros| {
            register_at(&readings, Timestamp::from_micros(micros))
                .unwrap()
                .0
        };
        assert_eq!(at(-1), 1_000);
        assert_eq!(at(0), 1_000);
        assert_eq!(at(999_999), 1_000, "less than half a watt-hour");
        assert_eq!(at(1_000_000), 1_001, "half a watt-hour goes up");
        assert_eq!(at(10_000_000), 1_005);
        assert_eq!(at(99_000_000), 1_005);
        assert_eq!(register_at(&[], Timestamp::from_seconds(0)), None);
    }
}
