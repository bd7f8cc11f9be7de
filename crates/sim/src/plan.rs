//! A demo, loaded and checked: its settings, series, assets, and the devices that report live.

use crate::fleet::{self, Asset};
use crate::series::Series;
use crate::settings::{self, Demo};
use city::City;
use jiff::tz::TimeZone;
use model::Problem;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that is played, independent of time.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) demo: Demo,
    pub(crate) series: Series,
    pub(crate) assets: Vec<Asset>,
    pub(crate) devices: Vec<LiveDevice>,
    pub(crate) zone: TimeZone,
    city: City,
}

/// A device that the platform must know before the demo can be played: register it and hand its credentials to [`crate::run`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceToRegister {
    /// The entity that it speaks for.
    pub id: String,
    /// That entity's type; those of [`CHARGE_POINT`] come to the door of charge points, all others to MQTT.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name for people.
    pub name: String,
}

/// The type of charge points.
pub const CHARGE_POINT: &str = "ChargePoint";

#[derive(Clone, Debug)]
pub(crate) struct LiveDevice {
    pub id: String,
    pub kind: &'static str,
    pub name: String,
    pub role: Role,
    /// Rated power, kW, of those that have one.
    pub rated_kw: Option<f64>,
}

/// What a device plays; the number counts within its kind, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Water(usize),
    Section(usize),
    Air(usize),
    ChargePoint(usize),
    BaseStation(usize),
    Light(usize),
}

impl Plan {
    /// The demo of a profile that is compiled in.
    ///
    /// # Errors
    /// As [`City::embedded`]; `demo-file`, `demo-toml`, `demo-value`, `demo-series`.
    pub fn embedded(city_id: &str) -> Result<Self, Problem> {
        Self::of(City::embedded(city_id)?)
    }

    /// The demo of a profile in a folder.
    ///
    /// # Errors
    /// As [`City::load`]; `demo-file`, `demo-toml`, `demo-value`, `demo-series`.
    pub fn load(city_folder: &Path) -> Result<Self, Problem> {
        Self::of(City::load(city_folder)?)
    }

    /// The demo of a loaded profile.
    ///
    /// # Errors
    /// `demo-file`, `demo-toml`, `demo-value`, `demo-series`.
    pub fn of(city: City) -> Result<Self, Problem> {
        let missing = |what: &str| {
            Problem::new(
                "demo-file",
                what,
                settings::PATH,
                "add a demo to the profile, or run without one",
            )
        };
        let bytes = city
            .files
            .read(settings::PATH)?
            .ok_or_else(|| missing("this city has no demo"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| missing("the file is not UTF-8"))?;
        let demo = Demo::parse(text)?;
        Self::build(city, demo)
    }

    /// The same demo from another seed: other places, names and counts per town; the totals stay.
    ///
    /// # Errors
    /// As [`Plan::of`].
    pub fn with_seed(mut self, seed: u64) -> Result<Self, Problem> {
        self.demo.seed = seed;
        Self::build(self.city, self.demo)
    }

    fn build(city: City, demo: Demo) -> Result<Self, Problem> {
        let series = Series::load(&city)?;
        let assets = fleet::generate(&city, &demo)?;
        let devices = live(&assets, &demo);
        let zone = TimeZone::get(&city.zone).map_err(|e| {
            Problem::new(
                "city-value",
                e.to_string(),
                "city.toml: zone",
                "use an IANA name such as Asia/Shanghai",
            )
        })?;
        Ok(Self {
            demo,
            series,
            assets,
            devices,
            zone,
            city,
        })
    }

    /// The city whose demo it is.
    pub fn city(&self) -> &City {
        &self.city
    }

    /// The devices to be registered, in a fixed order.
    pub fn devices(&self) -> Vec<DeviceToRegister> {
        let to_register = |d: &LiveDevice| DeviceToRegister {
            id: d.id.clone(),
            kind: d.kind.to_owned(),
            name: d.name.clone(),
        };
        self.devices.iter().map(to_register).collect()
    }

    /// All assets, in a fixed order.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// How many assets there are of each type.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for asset in &self.assets {
            *counts.entry(asset.kind).or_insert(0) += 1;
        }
        counts
    }
}

/// Which assets report: every station; of the others the first charge points (in the city's centre), and base
/// stations and street lights spread over all towns.
fn live(assets: &[Asset], demo: &Demo) -> Vec<LiveDevice> {
    type Group = (&'static str, usize, bool, fn(usize) -> Role);
    let groups: [Group; 6] = [
        ("WaterObserved", usize::MAX, false, Role::Water),
        ("WaterQualityObserved", usize::MAX, false, Role::Section),
        ("AirQualityObserved", usize::MAX, false, Role::Air),
        (
            CHARGE_POINT,
            demo.live.charge_points,
            false,
            Role::ChargePoint,
        ),
        (
            "TelecomBaseStation",
            demo.live.base_stations,
            true,
            Role::BaseStation,
        ),
        ("Streetlight", demo.live.street_lights, true, Role::Light),
    ];
    let mut devices = Vec::new();
    for (kind, count, spread, role) in groups {
        let all: Vec<&Asset> = assets.iter().filter(|a| a.kind == kind).collect();
        let step = if spread {
            (all.len() / count.max(1)).max(1)
        } else {
            1
        };
        for (n, asset) in all.into_iter().step_by(step).take(count).enumerate() {
            devices.push(LiveDevice {
                id: asset.id.clone(),
                kind,
                name: asset.name.clone(),
                role: role(n),
                rated_kw: asset.entity["ratedPower"]["value"].as_f64(),
            });
        }
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn tianmen_s_demo_has_the_scale_of_a_city() {
        let plan = Plan::embedded("tianmen").unwrap();
        let counts = plan.counts();
        assert_eq!(counts["TelecomBaseStation"], 1126);
        assert_eq!(counts["Streetlight"], 7000);
        assert_eq!(counts["ServerRack"], 216);
        assert_eq!(counts["EVChargingStation"], 118);
        assert_eq!(
            (
                counts["Transformer"],
                counts["PublicBuilding"],
                counts["BackupPower"]
            ),
            (2, 3, 2)
        );
        assert_eq!(
            (
                counts["WaterObserved"],
                counts["AirQualityObserved"],
                counts["WaterQualityObserved"]
            ),
            (5, 6, 2)
        );
        assert!(plan.assets().len() >= 9_800, "{}", plan.assets().len());
        let ids: BTreeSet<&str> = plan.assets().iter().map(|a| a.id.as_str()).collect();
        assert_eq!(ids.len(), plan.assets().len(), "every id once");
        for id in ids {
            assert!(model::EntityId::new(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn assets_stand_in_the_city_and_say_what_they_are() {
        let plan = Plan::embedded("tianmen").unwrap();
        let [west, south, east, north] = plan.city().bbox;
        for asset in plan.assets() {
            let [lon, lat] = asset.place;
            assert!(
                (west..=east).contains(&lon) && (south..=north).contains(&lat),
                "{} at {:?}",
                asset.id,
                asset.place
            );
            let note = asset.entity["dataNote"]["value"].as_str().unwrap();
            assert!(note.contains("演示") || note.contains("外来序列"), "{note}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_city_and_another_gives_another() {
        let a = Plan::embedded("tianmen").unwrap();
        assert_eq!(a.assets(), Plan::embedded("tianmen").unwrap().assets());
        let b = a.clone().with_seed(7).unwrap();
        let lights = |p: &Plan| p.counts()["Streetlight"];
        assert_eq!(lights(&a), lights(&b));
        assert_ne!(a.assets(), b.assets());
    }

    #[test]
    fn devices_speak_for_assets() {
        let plan = Plan::embedded("tianmen").unwrap();
        let devices = plan.devices();
        assert_eq!(devices.len(), 5 + 2 + 6 + 48 + 24 + 16);
        for device in &devices {
            assert!(
                plan.assets()
                    .iter()
                    .any(|a| a.id == device.id && a.kind == device.kind),
                "{}",
                device.id
            );
        }
    }

    #[test]
    fn mistakes_in_the_settings_are_told_with_their_place() {
        let city = City::embedded("tianmen").unwrap();
        let text = String::from_utf8(
            city.files
                .read(settings::PATH)
                .unwrap()
                .unwrap()
                .into_owned(),
        )
        .unwrap();
        let place = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Demo::parse(&text.replacen(from, to, 1)).unwrap_err().place
        };
        assert_eq!(place("seed = 429006", "sead = 429006"), "demo/demo.toml:5");
        assert_eq!(
            place("racks_in_use = 137", "racks_in_use = 9999"),
            "demo/demo.toml: assets.racks_in_use"
        );
        assert_eq!(
            place("water = \"62213000\"", "water = \"1\""),
            "demo/demo.toml: incidents.out_of_range.water"
        );
        assert_eq!(
            place("charge_point = 6", "charge_point = 48"),
            "demo/demo.toml: incidents.charge_fault.charge_point"
        );
        assert_eq!(
            place("day = 0.30", "day = 1.30"),
            "demo/demo.toml: transformer, building: curve"
        );
    }
}
