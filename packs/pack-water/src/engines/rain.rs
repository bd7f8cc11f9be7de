//! Areal rain over tables.

use super::{PACK, RAIN_MAX, choice, column, json, number, report, structure, whole};
use crate::areal::{self, Basin, Point};
use engine::{Description, Engine, Mistakes, Output, Parameters, Table, wrong};
use model::Problem;
use model::problem::quote;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Most gauges of a basin, and most points of its outline.
const GAUGES_MAX: usize = 2_000;
const POINTS_MAX: usize = 100_000;

pub(super) fn engines() -> Vec<Engine> {
    vec![Engine::new(
        const {
            Description {
                name: "water.areal-rain",
                pack: PACK,
                title_zh: "面雨量计算",
                title_en: "Rain over a basin from its gauges",
                method: "Each time's rain is the sum of the gauges by weights that add up to 1. thiessen: the parts of the basin that are nearest to each \
                     gauge, cut exactly; inverse-distance: over a grid, distance to a power. On a plane with true areas (Lambert's azimuthal \
                     projection about the basin's middle). Where a gauge is silent, the weights are those of the others",
                reference: "Thiessen 1911, Mon. Weather Rev. 39(7); Shepard 1968, Proc. 23rd ACM Conf.; Lambert's projection: Snyder 1987, USGS PP 1395",
                version: 1,
                input: &[
                    column(
                        "time",
                        "the step's time, any text; rows of one time need not follow each other",
                    ),
                    column("gauge", "the gauge's id, as among the parameters"),
                    column(
                        "rain_mm",
                        "rain of the step, mm; empty when the gauge is silent",
                    ),
                ],
                output: &[
                    column(
                        "areal_rain_mm",
                        "rain over the basin, mm; one row for each time, in the order in which they come first",
                    ),
                    column("gauges", "gauges that spoke"),
                    column(
                        "weight_of_gauges",
                        "what those gauges weigh when all speak: near 1 the rest is hardly missed",
                    ),
                ],
                parameters: &[
                    structure(
                        "gauges",
                        "a list of { id, longitude, latitude }, degrees (WGS 84 or CGCS2000)",
                    ),
                    structure(
                        "basin",
                        "the basin's outline: a GeoJSON geometry, Polygon or MultiPolygon",
                    ),
                    choice(
                        "method",
                        "how gauges are weighed",
                        &["thiessen", "inverse-distance"],
                    ),
                    number(
                        "power",
                        "inverse-distance: power of the distance",
                        "-",
                        (0.1, 10.0),
                        Some(2.0),
                    ),
                    whole(
                        "cells",
                        "inverse-distance: cells of the grid along the basin's longer side",
                        "-",
                        (1, 2_000),
                        100,
                    ),
                ],
            }
        },
        Box::new(areal_rain),
    )]
}

struct Gauges {
    ids: Vec<String>,
    places: Vec<(f64, f64)>,
}

fn gauges(p: &Parameters) -> Result<Gauges, Vec<Problem>> {
    let bad = |what: String| {
        vec![p.problem(
            "gauges",
            what,
            "write it as [{ id = \"G1\", longitude = 113.1, latitude = 30.6 }]",
        )]
    };
    let list = p.structure("gauges").and_then(Value::as_array);
    let list = list.ok_or_else(|| bad("the list is missing".to_owned()))?;
    if list.is_empty() || list.len() > GAUGES_MAX {
        return Err(bad(format!("{} gauges, not 1 to {GAUGES_MAX}", list.len())));
    }
    let (mut ids, mut places) = (Vec::new(), Vec::new());
    for (n, gauge) in list.iter().enumerate() {
        let degrees = |key: &str, most: f64| {
            gauge
                .get(key)
                .and_then(Value::as_f64)
                .filter(|d| d.abs() <= most)
        };
        let id = gauge.get("id").and_then(Value::as_str);
        let (Some(id), Some(longitude), Some(latitude)) =
            (id, degrees("longitude", 180.0), degrees("latitude", 90.0))
        else {
            return Err(bad(format!("entry {} has no id or no place", n + 1)));
        };
        if ids.iter().any(|other| other == id) {
            return Err(bad(format!("{} is there twice", quote(id))));
        }
        ids.push(id.to_owned());
        places.push((longitude, latitude));
    }
    Ok(Gauges { ids, places })
}

/// Rings of longitudes and latitudes: outer ones and holes.
type Rings = Vec<Vec<(f64, f64)>>;

fn rings(p: &Parameters) -> Result<(Rings, Rings), Vec<Problem>> {
    let bad = |what: &str| {
        vec![p.problem(
            "basin",
            what,
            "give a GeoJSON Polygon or MultiPolygon in degrees",
        )]
    };
    let geometry = p.structure("basin").ok_or_else(|| bad("it is missing"))?;
    let coordinates = geometry.get("coordinates").and_then(Value::as_array);
    let coordinates = coordinates.ok_or_else(|| bad("it has no coordinates"))?;
    let polygons: Vec<&Vec<Value>> = match geometry.get("type").and_then(Value::as_str) {
        Some("Polygon") => vec![coordinates],
        Some("MultiPolygon") => coordinates.iter().filter_map(Value::as_array).collect(),
        _ => return Err(bad("it is neither a Polygon nor a MultiPolygon")),
    };
    let (mut outer, mut holes) = (Rings::new(), Rings::new());
    let mut points = 0;
    for polygon in polygons {
        for (n, ring) in polygon.iter().enumerate() {
            let place = |at: &Value| {
                let degrees = |k: usize, most: f64| {
                    at.get(k)
                        .and_then(Value::as_f64)
                        .filter(|d| d.abs() <= most)
                };
                degrees(0, 180.0).zip(degrees(1, 90.0))
            };
            let ring = ring
                .as_array()
                .and_then(|r| r.iter().map(place).collect::<Option<Vec<_>>>());
            let ring = ring.ok_or_else(|| bad("a point is no longitude and latitude"))?;
            points += ring.len();
            if ring.len() < 3 || points > POINTS_MAX {
                return Err(bad(
                    "a ring has fewer than three points, or all have more than 100000",
                ));
            }
            if n == 0 {
                outer.push(ring)
            } else {
                holes.push(ring)
            }
        }
    }
    if outer.is_empty() {
        Err(bad("it is empty"))
    } else {
        Ok((outer, holes))
    }
}

fn areal_rain(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let gauges = gauges(p)?;
    let (outer, holes) = rings(p)?;
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let all = outer.iter().flatten().map(of);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), d| {
            (a.min(d), b.max(d))
        })
    };
    let (west, east) = ends(|at| at.0);
    let (south, north) = ends(|at| at.1);
    let middle = (f64::midpoint(west, east), f64::midpoint(south, north));
    let plane = |(longitude, latitude): &(f64, f64)| areal::project(*longitude, *latitude, middle);
    let ring = |r: &Vec<(f64, f64)>| r.iter().map(plane).collect::<Vec<Point>>();
    let basin = Basin {
        outer: outer.iter().map(ring).collect(),
        holes: holes.iter().map(ring).collect(),
    };
    let places: Vec<Point> = gauges.places.iter().map(plane).collect();
    let weigh = |of: &[Point]| {
        if p.choice("method") == "thiessen" {
            areal::thiessen(&basin, of)
        } else {
            areal::inverse_distance(&basin, of, p.number("power"), p.count("cells"))
        }
    };
    let all = weigh(&places);
    if all.is_empty() {
        return Err(vec![p.problem(
            "basin",
            "it has no area, or the grid no cell in it",
            "check its outline, or take more cells",
        )]);
    }
    let mut mistakes = Mistakes::new(place);
    let rain = table.numbers_or_gaps("rain_mm", 0.0, RAIN_MAX, &mut mistakes);
    let mut order = Vec::new();
    let mut times: BTreeMap<&str, BTreeMap<usize, Option<f64>>> = BTreeMap::new();
    for (n, ((time, gauge), rain)) in table
        .cells("time")
        .zip(table.cells("gauge"))
        .zip(rain)
        .enumerate()
    {
        let Some(at) = gauges.ids.iter().position(|id| id == gauge) else {
            mistakes.add(
                n,
                wrong(
                    format!("there is no gauge {}", quote(gauge)),
                    "name it among the parameters' gauges",
                ),
            );
            continue;
        };
        let known = times.entry(time).or_insert_with(|| {
            order.push(time);
            BTreeMap::new()
        });
        if known.insert(at, rain).is_some() {
            mistakes.add(
                n,
                wrong(
                    format!("{} speaks twice at {}", quote(gauge), quote(time)),
                    "keep one of the rows",
                ),
            );
        }
    }
    mistakes.end()?;
    let mut weights: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
    let mut out = Table::of(&["time", "areal_rain_mm", "gauges", "weight_of_gauges"]);
    for time in order {
        let Some(known) = times.get(time) else {
            continue;
        };
        let spoke: Vec<(usize, f64)> = known
            .iter()
            .filter_map(|(at, rain)| Some((*at, (*rain)?)))
            .collect();
        let set: Vec<usize> = spoke.iter().map(|(at, _)| *at).collect();
        let own = weights.entry(set).or_insert_with_key(|set| {
            let some: Vec<Point> = set
                .iter()
                .filter_map(|at| places.get(*at).copied())
                .collect();
            if some.is_empty() {
                Vec::new()
            } else {
                weigh(&some)
            }
        });
        let sum: f64 = spoke
            .iter()
            .zip(own.iter())
            .map(|((_, rain), w)| rain * w)
            .sum();
        let heard: f64 = spoke.iter().filter_map(|(at, _)| all.get(*at)).sum();
        out.rows.push(vec![
            time.to_owned(),
            if spoke.is_empty() {
                String::new()
            } else {
                sum.to_string()
            },
            spoke.len().to_string(),
            heard.to_string(),
        ]);
    }
    let sets: BTreeSet<usize> = weights.keys().map(Vec::len).collect();
    let named = gauges
        .ids
        .iter()
        .zip(&all)
        .map(|(id, w)| (id.clone(), json!(w)))
        .collect();
    Ok(Output {
        table: out,
        report: report([
            ("weights", Value::Object(named)),
            ("area_km2", json!(basin.area() / 1e6)),
            ("gauges_that_spoke", json(sets)),
        ]),
    })
}
