//! The demo city's assets, generated from the seed: what stands where. Counted, never typed in.

use crate::energy;
use crate::payload::Entity;
use crate::scatter::{Chance, along_roads, near, share};
use crate::settings::{Demo, Transformer};
use city::{City, Town};
use model::Problem;
use serde_json::Value as Json;

/// One thing of the demo city, with what does not change of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// Its id (URN).
    pub id: String,
    /// Its type.
    pub kind: &'static str,
    /// Its name for people.
    pub name: String,
    /// Longitude, latitude.
    pub place: [f64; 2],
    /// As an NGSI-LD entity, normalized.
    pub entity: Json,
}

/// What a thing is, and where.
struct What<'a> {
    kind: &'static str,
    id: String,
    place: [f64; 2],
    town_code: &'a str,
}

/// Builds the assets one by one.
struct Builder<'a> {
    demo: &'a Demo,
    city: &'a City,
    assets: Vec<Asset>,
}

/// All assets, in a fixed order: stations first, then base stations, chargers, racks, street lights, emergency resources, energy.
pub(crate) fn generate(city: &City, demo: &Demo) -> Result<Vec<Asset>, Problem> {
    if city.towns.is_empty() || city.villages.is_empty() {
        return Err(Problem::new(
            "demo-city",
            "the city has no towns or no villages",
            "layers",
            "add layers/towns.geojson and layers/villages.geojson",
        ));
    }
    let mut builder = Builder {
        demo,
        city,
        assets: Vec::new(),
    };
    builder.stations();
    builder.base_stations();
    builder.charging();
    builder.data_centre();
    builder.street_lights();
    builder.resources();
    builder.energy();
    Ok(builder.assets)
}

/// Both languages in one text, as the pages show it.
pub(crate) fn note(zh: &str, en: &str) -> String {
    format!("{zh} / {en}")
}

impl Builder<'_> {
    fn push(&mut self, what: What, name: String, note: &str, more: impl FnOnce(Entity) -> Entity) {
        let What {
            kind,
            id,
            place,
            town_code,
        } = what;
        let entity = Entity::new(&id, kind)
            .fixed("name", name.as_str())
            .located(place)
            .fixed("townCode", town_code)
            .fixed("dataNote", note);
        let entity = more(entity).json();
        self.assets.push(Asset {
            id,
            kind,
            name,
            place,
            entity,
        });
    }

    fn stations(&mut self) {
        let demo = self.demo;
        let n = &demo.notes;
        for w in &demo.water {
            let name = format!("{}·{}水文站", w.river_zh, w.name_zh);
            let metres = |value: f64| (value, Some("MTR"));
            self.push(
                What {
                    kind: "WaterObserved",
                    id: water_id(&w.code),
                    place: w.place,
                    town_code: &w.town_code,
                },
                name,
                &note(&n.river_zh, &n.river_en),
                |mut e| {
                    e = e
                        .fact("stationCode", w.code.as_str(), None)
                        .fact("riverName", w.river_zh.as_str(), None)
                        .fact("nameEn", format!("{}, {}", w.river_en, w.name_en), None);
                    for (attribute, (value, unit)) in [
                        ("defenceLevel", metres(w.defence_m)),
                        ("warningLevel", metres(w.warning_m)),
                        ("guaranteeLevel", metres(w.guarantee_m)),
                        ("maxRecordedLevel", metres(w.max_recorded_m)),
                    ] {
                        e = e.fact(attribute, value, unit);
                    }
                    if let Some(upstream) = &w.upstream {
                        e = e.refers("upstreamStation", &water_id(upstream));
                    }
                    e.fixed("officerName", w.officer_name.as_str())
                        .fixed("officerPhone", w.officer_phone.as_str())
                },
            );
        }
        for s in &demo.section {
            let name = format!("{}·{}水质断面", s.river_zh, s.name_zh);
            self.push(
                What {
                    kind: "WaterQualityObserved",
                    id: section_id(&s.code),
                    place: s.place,
                    town_code: &s.town_code,
                },
                name,
                &note(&n.quality_zh, &n.quality_en),
                |e| {
                    e.fact("riverName", s.river_zh.as_str(), None)
                        .fact("nameEn", format!("{}, {}", s.river_en, s.name_en), None)
                        .fact("targetClass", s.target_class.as_str(), None)
                },
            );
        }
        for a in &demo.air {
            self.push(
                What {
                    kind: "AirQualityObserved",
                    id: air_id(&a.code),
                    place: a.place,
                    town_code: &a.town_code,
                },
                a.name_zh.clone(),
                &note(&n.air_zh, &n.air_en),
                |e| e.fixed("nameEn", a.name_en.as_str()),
            );
        }
    }

    /// Weight of each town: its villages, the urban ones more.
    fn weights(&self) -> Vec<f64> {
        let urban = &self.demo.assets.urban_codes;
        let weight = |t: &Town| {
            t.village_count as f64
                * if urban.contains(&t.code) {
                    self.demo.assets.urban_weight
                } else {
                    1.0
                }
        };
        self.city.towns.iter().map(weight).collect()
    }

    fn villages_of(&self, town: &Town) -> Vec<[f64; 2]> {
        let mut places: Vec<_> = self
            .city
            .villages
            .iter()
            .filter(|v| v.town_code == town.code)
            .map(|v| v.place)
            .collect();
        if places.is_empty() {
            places.push(town.label);
        }
        places
    }

    fn base_stations(&mut self) {
        let assets = &self.demo.assets;
        let counts = share(assets.base_stations, &self.weights());
        let note = self.asset_note();
        let mut chance = Chance::new(self.demo.seed, "base-stations");
        for (town, count) in self.city.towns.iter().zip(counts) {
            let places = near(town, &self.villages_of(town), count, 0.7, &mut chance);
            for (n, place) in places.into_iter().enumerate() {
                let operator = pick(&assets.operators, chance.unit());
                let id = format!("urn:ngsi-ld:TelecomBaseStation:{}-{:03}", town.code, n + 1);
                let name = format!("{} 5G 基站 {:03}", town.name, n + 1);
                self.push(
                    What {
                        kind: "TelecomBaseStation",
                        id,
                        place,
                        town_code: &town.code,
                    },
                    name,
                    &note,
                    |e| {
                        e.fixed("generation", "5G")
                            .fixed("inService", true)
                            .fixed("operator", operator)
                    },
                );
            }
        }
    }

    fn charging(&mut self) {
        let assets = &self.demo.assets;
        let [least, most] = assets.charge_points_per_station;
        let counts = share(assets.charging_stations, &self.weights());
        let asset_note = self.asset_note();
        let n = &self.demo.notes;
        let live_note = note(&n.charging_zh, &n.charging_en);
        let mut chance = Chance::new(self.demo.seed, "charging");
        let (mut station_number, mut point_number) = (0, 0);
        for (town, count) in self.city.towns.iter().zip(counts) {
            for place in near(town, &[town.label], count, 1.3, &mut chance) {
                station_number += 1;
                let operator = assets.charging_operators
                    [chance.between(0, assets.charging_operators.len() - 1)]
                .as_str();
                let points = chance.between(least, most);
                let station = format!("urn:ngsi-ld:EVChargingStation:CS{station_number:03}");
                let name = format!("{}充电站 CS{station_number:03}", town.name);
                let feeds =
                    |t: &&Transformer| t.feeds.iter().any(|s| station.ends_with(s.as_str()));
                let transformer = self
                    .demo
                    .transformer
                    .iter()
                    .find(feeds)
                    .map(|t| t.code.as_str());
                self.push(
                    What {
                        kind: "EVChargingStation",
                        id: station.clone(),
                        place,
                        town_code: &town.code,
                    },
                    name.clone(),
                    &asset_note,
                    |e| {
                        let e =
                            e.fixed("operator", operator)
                                .rating("capacity", points as f64, "C62");
                        match transformer {
                            Some(code) => e.refers("refTransformer", &energy::transformer_id(code)),
                            None => e,
                        }
                    },
                );
                for k in 1..=points {
                    point_number += 1;
                    let live = point_number <= self.demo.live.charge_points;
                    let (connector, rated_kw) = if chance.unit() < 0.4 {
                        ("GBT_DC", 60.0)
                    } else {
                        ("GBT_AC", 7.0)
                    };
                    // Bays side by side, about three metres apart.
                    let place = [
                        place[0] + 3.2e-5 * (k % 6) as f64,
                        place[1] + 4.5e-5 * (k / 6) as f64,
                    ];
                    let id = format!("urn:ngsi-ld:ChargePoint:CS{station_number:03}-{k:02}");
                    self.push(
                        What {
                            kind: "ChargePoint",
                            id,
                            place,
                            town_code: &town.code,
                        },
                        format!("{name} {k:02} 号桩"),
                        if live { &live_note } else { &asset_note },
                        |e| {
                            let e = e
                                .fixed("connectorType", connector)
                                .rating("ratedPower", rated_kw, "KWT")
                                .refers("refStation", &station);
                            // A point with a device tells its own state; the others stand free.
                            if live {
                                e
                            } else {
                                e.fixed("status", "Available")
                            }
                        },
                    );
                }
            }
        }
    }

    fn data_centre(&mut self) {
        let (demo, n) = (self.demo, &self.demo.notes);
        let d = &demo.data_centre;
        let centre = data_centre_id(&d.code);
        self.push(
            What {
                kind: "DataCentre",
                id: centre.clone(),
                place: d.place,
                town_code: &d.town_code,
            },
            d.name_zh.clone(),
            &note(&n.load_zh, &n.load_en),
            |e| e.fixed("nameEn", d.name_en.as_str()),
        );
        let asset_note = self.asset_note();
        for k in 0..demo.assets.racks {
            let (row, slot) = (k / 18, k % 18);
            let id = format!("urn:ngsi-ld:ServerRack:R{:02}-{:02}", row + 1, slot + 1);
            let place = [
                d.place[0] + 0.8e-5 * slot as f64,
                d.place[1] + 2.2e-5 * row as f64,
            ];
            let name = format!("机架 {:02} 排 {:02} 号", row + 1, slot + 1);
            self.push(
                What {
                    kind: "ServerRack",
                    id,
                    place,
                    town_code: &d.town_code,
                },
                name,
                &asset_note,
                |e| {
                    e.fixed("inUse", k < demo.assets.racks_in_use)
                        .refers("refDataCentre", &centre)
                },
            );
        }
    }

    fn street_lights(&mut self) {
        let counts = share(self.demo.assets.street_lights, &self.weights());
        let note = self.asset_note();
        for (town, count) in self.city.towns.iter().zip(counts) {
            for (n, place) in along_roads(town, &self.villages_of(town), count)
                .into_iter()
                .enumerate()
            {
                let id = format!("urn:ngsi-ld:Streetlight:{}-{:04}", town.code, n + 1);
                self.push(
                    What {
                        kind: "Streetlight",
                        id,
                        place,
                        town_code: &town.code,
                    },
                    format!("{}路灯 {:04}", town.name, n + 1),
                    &note,
                    |e| {
                        e.fixed("powerState", "off").fixed("status", "ok").rating(
                            "ratedPower",
                            120.0,
                            "WTT",
                        )
                    },
                );
            }
        }
    }

    fn resources(&mut self) {
        let note = self.asset_note();
        let demo = self.demo;
        for r in &demo.resource {
            self.push(
                What {
                    kind: "EmergencyResource",
                    id: format!("urn:ngsi-ld:EmergencyResource:{}", r.code),
                    place: r.place,
                    town_code: &r.town_code,
                },
                r.name_zh.clone(),
                &note,
                |e| {
                    let e = e
                        .fixed("category", r.category.as_str())
                        .fixed("status", r.status.as_str());
                    let capacities = [
                        ("persons", r.persons, "C62"),
                        ("pumpCapacity", r.pump_m3_per_h, "MQH"),
                        ("ratedPower", r.power_kw, "KWT"),
                    ];
                    capacities
                        .into_iter()
                        .fold(e, |e, (attribute, value, unit)| match value {
                            Some(value) => e.rating(attribute, value, unit),
                            None => e,
                        })
                },
            );
        }
    }

    /// Transformers beside the first station that they feed, public buildings, backup power.
    fn energy(&mut self) {
        let demo = self.demo;
        let note = note(&demo.notes.energy_zh, &demo.notes.energy_en);
        for t in &demo.transformer {
            let fed = |a: &&Asset| {
                t.feeds
                    .first()
                    .is_some_and(|s| a.kind == "EVChargingStation" && a.id.ends_with(s.as_str()))
            };
            let Some(station) = self.assets.iter().find(fed) else {
                continue;
            };
            let town_code = station.entity["townCode"]["value"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let what = What {
                kind: "Transformer",
                id: energy::transformer_id(&t.code),
                place: station.place,
                town_code: &town_code,
            };
            self.push(what, t.name_zh.clone(), &note, |e| {
                e.fixed("nameEn", t.name_en.as_str())
                    .fixed("assetCode", t.code.as_str())
                    .rating("ratedCapacity", t.rated_kva, "KVA")
                    .rating("powerLimit", t.power_limit_kw, "KWT")
                    .rating("staticChargingPower", t.static_charging_kw, "KWT")
            });
        }
        for b in &demo.building {
            let what = What {
                kind: "PublicBuilding",
                id: energy::building_id(&b.code),
                place: b.place,
                town_code: &b.town_code,
            };
            self.push(what, b.name_zh.clone(), &note, |e| {
                e.fixed("nameEn", b.name_en.as_str())
                    .fixed("buildingType", b.kind.as_str())
                    .rating("floorArea", b.floor_area_m2, "MTK")
                    .rating("nightPowerLimit", b.night_limit_kw, "KWT")
            });
        }
        for s in &demo.backup {
            let what = What {
                kind: "BackupPower",
                id: energy::backup_id(&s.code),
                place: s.place,
                town_code: &s.town_code,
            };
            self.push(what, s.name_zh.clone(), &note, |e| {
                e.fixed("nameEn", s.name_en.as_str())
                    .fixed("siteType", s.site.as_str())
                    .fixed("sourceType", "diesel")
                    .rating("ratedPower", s.rated_kw, "KWT")
                    .rating("transferTimeLimit", s.transfer_limit_s, "SEC")
                    .rating("testInterval", 31.0, "DAY")
                    .fixed("status", "ready")
                    .rating("fuelLevel", 84.0, "P1")
                    .rating("fuelLevelMin", 50.0, "P1")
                    .rating("batteryVoltage", 26.4, "VLT")
                    .rating("batteryVoltageMin", 24.0, "VLT")
            });
        }
    }

    fn asset_note(&self) -> String {
        note(&self.demo.notes.asset_zh, &self.demo.notes.asset_en)
    }
}

pub(crate) fn water_id(code: &str) -> String {
    format!("urn:ngsi-ld:WaterObserved:{code}")
}
pub(crate) fn section_id(code: &str) -> String {
    format!("urn:ngsi-ld:WaterQualityObserved:{code}")
}
pub(crate) fn air_id(code: &str) -> String {
    format!("urn:ngsi-ld:AirQualityObserved:{code}")
}
pub(crate) fn data_centre_id(code: &str) -> String {
    format!("urn:ngsi-ld:DataCentre:{code}")
}

/// The name whose share of 0..1 holds `x`; the last one takes the rest.
fn pick(shares: &[(String, f64)], mut x: f64) -> &str {
    for (name, part) in shares {
        if x < *part {
            return name;
        }
        x -= part;
    }
    shares.last().map_or("", |(name, _)| name)
}
