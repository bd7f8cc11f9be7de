//! Energy of the demo: transformers, the electricity of public buildings, backup power and its tests. Power is a curve of the day by a
//! formula, and registers are its integral, so that both say the same; nothing was metered.
//!
//! `power(t) = mean × (1 + day × cos(2π (h − peak) ÷ 24) + half × cos(4π (h − peak) ÷ 24))`, with h the hours since local midnight.

use crate::charging;
use crate::payload::Entity;
use crate::plan::{Plan, Role};
use crate::settings::Curve;
use model::Timestamp;
use serde_json::Value as Json;
use std::f64::consts::TAU;

/// Days of hourly readings before the first start: a load forecast needs two weeks.
const HOURLY_DAYS: i64 = 15;
/// Days of one reading a day before those: a building's month needs the month before it.
const DAILY_DAYS: i64 = 65;
/// Registers count from here: 2025-01-01T00:00:00Z.
const SINCE: Timestamp = Timestamp::from_seconds(1_735_689_600);
const DAY_SECONDS: i64 = 86_400;
/// Power factor of all transformers.
const POWER_FACTOR: f64 = 0.95;
/// Shares of a building's sub-items: 照明插座、空调、动力、特殊.
const ITEMS: [(&str, f64); 4] = [
    ("energyLighting", 0.42),
    ("energyAirConditioning", 0.33),
    ("energyMotive", 0.15),
    ("energySpecial", 0.10),
];

impl Curve {
    /// Kilowatts, `hours` after local midnight.
    fn kw(&self, hours: f64) -> f64 {
        let x = TAU * (hours - self.peak_hour) / 24.0;
        self.mean_kw * (1.0 + self.day * x.cos() + self.half_day * (2.0 * x).cos())
    }

    /// Kilowatt-hours from [`SINCE`] on; `offset_hours` is the zone's.
    fn kwh(&self, at: Timestamp, offset_hours: f64) -> f64 {
        let hours = at.micros_since(SINCE) as f64 / 3.6e9;
        let turn = |hours: f64| {
            let x = TAU * (hours + offset_hours - self.peak_hour) / 24.0;
            24.0 / TAU * (self.day * x.sin() + self.half_day / 2.0 * (2.0 * x).sin())
        };
        self.mean_kw * (hours + turn(hours) - turn(0.0))
    }
}

/// The day at a moment: hours since local midnight, and the zone's offset in hours.
#[derive(Clone, Copy)]
struct Hour {
    hours: f64,
    offset_hours: f64,
}

fn local(plan: &Plan, at: Timestamp) -> Hour {
    let instant =
        jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let offset = plan.zone.to_offset(instant).seconds();
    let micros = at
        .plus_seconds(i64::from(offset))
        .micros()
        .rem_euclid(DAY_SECONDS * 1_000_000);
    Hour {
        hours: micros as f64 / 3.6e9,
        offset_hours: f64::from(offset) / 3_600.0,
    }
}

pub(crate) fn transformer_id(code: &str) -> String {
    format!("urn:ngsi-ld:Transformer:{code}")
}

pub(crate) fn building_id(code: &str) -> String {
    format!("urn:ngsi-ld:PublicBuilding:{code}")
}

pub(crate) fn backup_id(code: &str) -> String {
    format!("urn:ngsi-ld:BackupPower:{code}")
}

/// What all transformers and buildings say at a moment at which that minute of the charging day is played, so many days back.
pub(crate) fn readings(plan: &Plan, at: Timestamp, back: usize, minute: u64) -> Vec<Json> {
    let hour = local(plan, at);
    let demo = &plan.demo;
    let transformers = demo.transformer.iter().map(|t| {
        let points = points_of(plan, &t.feeds);
        let charging = charging::at_points_kw(plan, &points, back, minute);
        let kw = t.curve.kw(hour.hours) + charging;
        let kva = kw / POWER_FACTOR;
        Entity::new(&transformer_id(&t.code), "Transformer")
            .measure("totalActivePower", kw, "KWT", at)
            .measure("totalApparentPower", kva, "KVA", at)
            .measure("totalPowerFactor", POWER_FACTOR, "C62", at)
            .measure("oilTemperature", 38.0 + 30.0 * kva / t.rated_kva, "CEL", at)
            .json()
    });
    let buildings = demo.building.iter().map(|b| {
        let entity = Entity::new(&building_id(&b.code), "PublicBuilding").measure(
            "totalActivePower",
            b.curve.kw(hour.hours),
            "KWT",
            at,
        );
        registers(entity, b.curve.kwh(at, hour.offset_hours), at).json()
    });
    transformers.chain(buildings).collect()
}

fn registers(entity: Entity, kwh: f64, at: Timestamp) -> Entity {
    let all = entity.measure("totalActiveEnergyImport", kwh, "KWH", at);
    ITEMS.into_iter().fold(all, |entity, (name, share)| {
        entity.measure(name, kwh * share, "KWH", at)
    })
}

/// The live charge points at these stations, by their number.
fn points_of(plan: &Plan, stations: &[String]) -> Vec<usize> {
    let stands = |id: &str| {
        stations
            .iter()
            .any(|station| id.starts_with(&format!("urn:ngsi-ld:ChargePoint:{station}-")))
    };
    plan.devices
        .iter()
        .filter_map(|device| match device.role {
            Role::ChargePoint(n) if stands(&device.id) => Some(n),
            _ => None,
        })
        .collect()
}

/// What was said before `start`, in order of time: one register a day, then the hours of two weeks, and the tests of backup power.
pub(crate) fn past(plan: &Plan, start: Timestamp) -> Vec<(Timestamp, Vec<Json>)> {
    let demo = &plan.demo;
    let mut out = Vec::new();
    for back in (HOURLY_DAYS + 1..=DAILY_DAYS).rev() {
        let at = start.plus_seconds(-DAY_SECONDS * back);
        let offset = local(plan, at).offset_hours;
        let said = demo.building.iter().map(|b| {
            let entity = Entity::new(&building_id(&b.code), "PublicBuilding");
            registers(entity, b.curve.kwh(at, offset), at).json()
        });
        out.push((at, said.collect()));
    }
    let today = local(plan, start).hours;
    for back in (1..=HOURLY_DAYS * 24).rev() {
        let at = start.plus_seconds(-3_600 * back);
        let hours = local(plan, at).hours;
        let days = (back as f64 - today + hours) / 24.0;
        out.push((
            at,
            readings(plan, at, days.round() as usize, (hours * 60.0) as u64),
        ));
    }
    for set in &demo.backup {
        for test in &set.tests {
            let end = start.plus_seconds(-DAY_SECONDS * test.days_ago);
            let begin = end.plus_micros(-(test.minutes * 6e7) as i64);
            let said = Entity::new(&backup_id(&set.code), "BackupPower")
                .state("lastTestStartedAt", begin.to_string(), end)
                .state("lastTestEndedAt", end.to_string(), end)
                .measure("lastTestDuration", test.minutes, "MIN", end)
                .measure("lastTestLoad", test.load_kw, "KWT", end)
                .measure("lastTransferTime", test.transfer_s, "SEC", end)
                .state("lastTestResult", test.result.as_str(), end)
                .state("lastTestNote", test.note_zh.as_str(), end);
            out.push((end, vec![said.json()]));
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_is_the_integral_of_its_power() {
        let curve = Curve {
            mean_kw: 100.0,
            day: 0.4,
            half_day: 0.2,
            peak_hour: 15.0,
        };
        let midnight = Timestamp::from_seconds(1_795_363_200);
        let steps = 24 * 60;
        let mut summed = 0.0;
        for minute in 0..steps {
            summed += curve.kw((f64::from(minute) + 0.5) / 60.0) / 60.0;
            let at = midnight.plus_seconds(i64::from(minute + 1) * 60);
            let register = curve.kwh(at, 8.0) - curve.kwh(midnight, 8.0);
            assert!(
                (register - summed).abs() < 0.01,
                "{minute}: {register} {summed}"
            );
        }
        assert!((summed - 2_400.0).abs() < 0.01);
    }
}
