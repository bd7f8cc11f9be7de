//! Where a driver can charge (找桩): places with their points, how each stands now, what a kilowatt-hour costs and until when.

use crate::app::App;
use crate::charging_office::{CHARGE_POINT, CHARGE_POINT_PREFIX, Office};
use crate::error::Answer;
use axum::Json;
use axum::extract::State;
use billing::Prices;
use model::problem::{Both, both};
use model::{EntityId, Timestamp, Value};
use records::charging_orders as orders;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use twin::{Entity, Filter};
use utoipa::ToSchema;

/// The words of OCPP in which an outlet takes a vehicle (1.6 `ChargePointStatus`, 2.0.1 `ConnectorStatusEnumType`).
const FREE: [&str; 2] = ["Available", "Preparing"];
/// In 2.0.1 a cable that is plugged in makes an outlet `Occupied`; the station itself says whether it can start.
const PLUGGED_IN: [&str; 2] = ["Occupied", "Finishing"];

/// A sentence in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ChargingWords)]
pub struct WordsBody {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl From<Both> for WordsBody {
    fn from(words: Both) -> Self {
        Self {
            zh: words.zh,
            en: words.en,
        }
    }
}

/// An outlet where a driver can charge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ChargingPlacePoint)]
pub struct PointBody {
    /// The charge point's id.
    pub id: String,
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
    /// Its name.
    pub name: String,
    /// Its English name.
    pub name_en: Option<String>,
    /// The connector, in the words of the city's data.
    pub connector_type: Option<String>,
    /// Rated power, W.
    pub rated_power_w: Option<i64>,
    /// How it stands, in OCPP's words.
    pub status: Option<String>,
    /// Since when that is known.
    pub at: Option<String>,
    /// Whether its station is connected.
    pub on_line: bool,
    /// Whether a charge can be started here now, as far as the city knows.
    pub may_start: bool,
    /// Why not.
    pub why_not: Option<WordsBody>,
}

/// What a kilowatt-hour costs, 1/10,000 yuan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ChargingPlacePrice)]
pub struct PriceBody {
    /// Energy and service.
    pub now: i64,
    /// Energy (电费).
    pub energy: i64,
    /// Service (服务费).
    pub service: i64,
    /// Until when.
    pub until: Option<String>,
}

/// A place where a driver can charge (充电站).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ChargingPlace)]
pub struct PlaceBody {
    /// Its id; that of its one point, where nobody said to which place the point belongs.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its English name.
    pub name_en: Option<String>,
    /// Who operates it.
    pub operator: Option<String>,
    /// Longitude and latitude, degrees, WGS 84.
    pub location: Option<[f64; 2]>,
    /// What is to be known of its data.
    pub note: Option<String>,
    /// What a kilowatt-hour costs now.
    pub price: Option<PriceBody>,
    /// Its points, by name.
    pub points: Vec<PointBody>,
}

/// How paying is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ChargingPaying)]
pub struct PayingBody {
    /// Whether a provider is set: without one no charge is ordered here.
    pub is_open: bool,
    /// Whether the provider moves no money.
    pub is_sandbox: bool,
}

/// The places where a driver can charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingPlaces)]
pub struct PlacesBody {
    /// By name.
    pub items: Vec<PlaceBody>,
    /// What is set aside before a charge, fen.
    pub hold_fen: i64,
    /// How paying is.
    pub payment: PayingBody,
    /// When this was so.
    pub at: String,
}

/// A point as the city knows it.
#[derive(Clone, Debug)]
pub struct Point {
    /// Its id.
    pub id: String,
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
    /// The entity.
    entity: Entity,
}

impl Point {
    fn text(&self, attribute: &str) -> Option<String> {
        text(&self.entity, attribute)
    }

    /// Its name, or its station's identity and outlet.
    pub fn name(&self) -> String {
        self.text("name")
            .unwrap_or_else(|| format!("{} #{}", self.station, self.outlet))
    }

    /// Its English name, where it has one.
    pub fn name_en(&self) -> Option<String> {
        self.text("nameEn")
    }

    /// How it stands, in OCPP's words.
    pub fn status(&self) -> Option<String> {
        self.text("status")
    }

    /// The place to which it belongs.
    pub fn place(&self) -> Option<EntityId> {
        match self.entity.attribute("refStation")?.value.to_value() {
            Value::Relationship(place) => Some(place),
            _ => None,
        }
    }

    /// Its power now, W.
    pub fn power_w(&self) -> Option<i64> {
        watts(self.entity.attribute("power")?.value.as_number()?)
    }
}

fn text(entity: &Entity, attribute: &str) -> Option<String> {
    let known = entity.attribute(attribute)?;
    known.value.as_text().map(str::to_owned)
}

/// Kilowatts as watts; nothing where they are no power.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a power within 1 GW, rounded"
)]
fn watts(kilowatts: f64) -> Option<i64> {
    (0.0..=1e6)
        .contains(&kilowatts)
        .then(|| (kilowatts * 1_000.0).round() as i64)
}

impl App {
    /// Every charge point with its station and outlet.
    pub fn charging_points(&self) -> Vec<Point> {
        let all = Filter {
            types: vec![CHARGE_POINT.to_owned()],
            limit: usize::MAX,
            ..Filter::default()
        };
        let mut seen = Vec::new();
        self.twin.visit(&all, |entity| seen.push(entity.clone()));
        let ids: BTreeSet<String> = (seen.iter())
            .map(|entity| entity.id.as_str().to_owned())
            .collect();
        let points = seen.into_iter().filter_map(|entity| {
            let id = entity.id.as_str().to_owned();
            let rest = id.strip_prefix(CHARGE_POINT_PREFIX)?;
            let (station, outlet) = outlet_of(rest, &ids);
            Some(Point {
                station: station.to_owned(),
                outlet,
                id,
                entity,
            })
        });
        points.collect()
    }

    /// The point of an outlet.
    pub fn charging_point(&self, station: &str, outlet: u32) -> Option<Point> {
        let id = match outlet {
            1 => format!("{CHARGE_POINT_PREFIX}{station}"),
            n => format!("{CHARGE_POINT_PREFIX}{station}:{n}"),
        };
        let entity = self.twin.get(&EntityId::new(&id).ok()?)?;
        Some(Point {
            id,
            station: station.to_owned(),
            outlet,
            entity,
        })
    }

    /// The name of the place of a point, and its English one, each where it has one.
    pub fn charging_place_names(&self, point: &Point) -> [Option<String>; 2] {
        let place = point.place().and_then(|place| self.twin.get(&place));
        ["name", "nameEn"].map(|attribute| text(place.as_ref()?, attribute))
    }
}

/// Station and outlet of what follows in a point's id: `CP1:2` is the second outlet of `CP1` where there is a `CP1`.
fn outlet_of<'a>(rest: &'a str, ids: &BTreeSet<String>) -> (&'a str, u32) {
    let second = rest.rsplit_once(':').and_then(|(station, n)| {
        let n: u32 = n.parse().ok().filter(|n| *n >= 2)?;
        let first = format!("{CHARGE_POINT_PREFIX}{station}");
        ids.contains(&first).then_some((station, n))
    });
    second.unwrap_or((rest, 1))
}

/// Why nobody can start a charge at a point now; nothing where one can.
pub(crate) fn why_not(
    office: &Office,
    status: Option<&str>,
    on_line: bool,
    has_price: bool,
    is_taken: bool,
) -> Option<Both> {
    if office.driving.is_none() {
        return Some(both(
            "本市没有开通自助支付",
            "paying is not open in this city",
        ));
    }
    if !on_line {
        return Some(both("充电桩没有连上平台", "the station is not connected"));
    }
    if !has_price {
        return Some(both("没有公布电价", "no price is in force"));
    }
    if is_taken {
        return Some(both(
            "有人正在这里下单充电",
            "somebody else has ordered a charge here",
        ));
    }
    match status {
        Some(word) if FREE.contains(&word) || PLUGGED_IN.contains(&word) => None,
        Some("Charging" | "SuspendedEV" | "SuspendedEVSE") => {
            Some(both("正在充电", "a vehicle charges here"))
        }
        Some("Reserved") => Some(both("已被预约", "it is reserved")),
        Some("Faulted") => Some(both("故障", "it is out of order")),
        Some("Unavailable") => Some(both("暂停服务", "it is out of service")),
        _ => Some(both("状态未知", "nobody knows how it stands")),
    }
}

/// What a kilowatt-hour costs at a station now.
fn price(prices: &Prices, station: &str, now: Timestamp) -> Option<PriceBody> {
    let tariff = &prices.tariff(station, now)?.tariff;
    let (_, period) = tariff.at(now, &prices.days)?;
    let day = prices.days.day_of(now)?;
    let until = prices.days.moment(day, period.until_minute);
    Some(PriceBody {
        now: period.energy.0 + period.service.0,
        energy: period.energy.0,
        service: period.service.0,
        until: until.map(|at| at.to_string()),
    })
}

/// Places where a driver can charge, with what they cost and how each point stands now. What everybody may know who may charge: rules about
/// entities say nothing about it.
#[utoipa::path(get, path = "/api/v1/charging/places", tag = "charging", security(("session" = ["charging.use"])),
    responses((status = 200, body = PlacesBody)))]
pub async fn places(State(app): State<App>) -> Answer<Json<PlacesBody>> {
    let office = app.charging()?;
    let now = app.now();
    let prices = app.charging_prices(&office.operator).await?;
    let mut read = app.records.read().await?;
    let taken: BTreeSet<(String, i64)> = orders::taken(&mut read).await?.into_iter().collect();
    drop(read);
    let lines = office.on_the_line();
    let mut places: BTreeMap<String, PlaceBody> = BTreeMap::new();
    for point in app.charging_points() {
        let cost = price(&prices, &point.station, now);
        let on_line = lines.contains(&point.station);
        let status = point.status();
        let is_taken = taken.contains(&(point.station.clone(), i64::from(point.outlet)));
        let why = why_not(office, status.as_deref(), on_line, cost.is_some(), is_taken);
        let known = point.entity.attribute("status");
        let body = PointBody {
            station: point.station.clone(),
            outlet: point.outlet,
            name: point.name(),
            name_en: point.name_en(),
            connector_type: point.text("connectorType"),
            rated_power_w: (point.entity.attribute("ratedPower"))
                .and_then(|known| watts(known.value.as_number()?)),
            at: known.map(|known| known.observed_at.to_string()),
            status,
            on_line,
            may_start: why.is_none(),
            why_not: why.map(Into::into),
            id: point.id.clone(),
        };
        let place = point.place();
        let entity = place.as_ref().and_then(|place| app.twin.get(place));
        let key = match &entity {
            Some(place) => place.id.as_str().to_owned(),
            None => point.id.clone(),
        };
        let of = entity.as_ref().unwrap_or(&point.entity);
        let entry = places.entry(key.clone()).or_insert_with(|| PlaceBody {
            id: key,
            name: text(of, "name").unwrap_or_else(|| point.station.clone()),
            name_en: text(of, "nameEn"),
            operator: Some(prices.operator(&point.station).to_owned()),
            location: of.location().or_else(|| point.entity.location()),
            note: text(of, "dataNote"),
            price: cost,
            points: Vec::new(),
        });
        entry.points.push(body);
    }
    let mut items: Vec<PlaceBody> = places.into_values().collect();
    items.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    for place in &mut items {
        let by_name = |one: &PointBody, other: &PointBody| {
            (&one.name, &one.station, one.outlet).cmp(&(&other.name, &other.station, other.outlet))
        };
        place.points.sort_by(by_name);
    }
    let driving = office.driving.as_ref();
    Ok(Json(PlacesBody {
        items,
        hold_fen: driving.map_or(0, |driving| driving.hold.0),
        payment: PayingBody {
            is_open: driving.is_some(),
            is_sandbox: driving.is_some_and(|driving| driving.cashier.is_play()),
        },
        at: now.to_string(),
    }))
}

impl Office {
    /// The identities of the stations that are connected.
    pub fn on_the_line(&self) -> BTreeSet<String> {
        let connected = self.stations.as_ref().map(|way| way.connected());
        let all = connected.unwrap_or_default().into_iter();
        all.map(|one| one.identity).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_outlet_is_one_of_a_station_that_is_there() {
        let ids: BTreeSet<String> = ["CP1", "CP1:2", "395815801:10"]
            .iter()
            .map(|rest| format!("{CHARGE_POINT_PREFIX}{rest}"))
            .collect();
        assert_eq!(outlet_of("CP1", &ids), ("CP1", 1));
        assert_eq!(outlet_of("CP1:2", &ids), ("CP1", 2));
        // A partner's point, whose number is no outlet of ours.
        assert_eq!(outlet_of("395815801:10", &ids), ("395815801:10", 1));
        assert_eq!(outlet_of("CP1:x", &ids), ("CP1:x", 1));
    }

    #[test]
    fn kilowatts_are_watts() {
        assert_eq!(watts(7.0), Some(7_000));
        assert_eq!(watts(0.0605), Some(61));
        assert_eq!(watts(-1.0), None);
        assert_eq!(watts(f64::NAN), None);
    }
}
