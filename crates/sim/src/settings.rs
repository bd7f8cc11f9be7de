//! `demo/demo.toml` as written; every key is documented there.

use model::Problem;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Demo {
    pub seed: u64,
    pub notes: Notes,
    pub assets: Assets,
    pub live: Live,
    pub water: Vec<Water>,
    pub section: Vec<Section>,
    pub air: Vec<Air>,
    #[serde(default)]
    pub resource: Vec<Resource>,
    pub data_centre: DataCentre,
    pub charging: Charging,
    #[serde(default)]
    pub transformer: Vec<Transformer>,
    #[serde(default)]
    pub building: Vec<Building>,
    #[serde(default)]
    pub backup: Vec<Backup>,
    pub incidents: Incidents,
}

/// What drivers pay, and with which cards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Charging {
    /// Cards and their holders.
    pub cards: Vec<(String, String)>,
    /// From when the tariff holds.
    pub tariff_from: String,
    /// As `charging` reads a tariff that people write.
    pub tariff: serde_json::Value,
}

/// A curve of the day; see `energy`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Curve {
    pub mean_kw: f64,
    /// How much of the mean the day adds at its peak.
    pub day: f64,
    /// The same of half a day.
    pub half_day: f64,
    pub peak_hour: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transformer {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub rated_kva: f64,
    pub power_limit_kw: f64,
    pub static_charging_kw: f64,
    /// What hangs on it beside charging.
    pub curve: Curve,
    /// The charging stations that hang on it; it stands at the first.
    pub feeds: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Building {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub place: [f64; 2],
    pub town_code: String,
    pub kind: String,
    pub floor_area_m2: f64,
    pub night_limit_kw: f64,
    pub curve: Curve,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backup {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub place: [f64; 2],
    pub town_code: String,
    pub site: String,
    pub rated_kw: f64,
    pub transfer_limit_s: f64,
    pub tests: Vec<BackupTest>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupTest {
    pub days_ago: i64,
    pub minutes: f64,
    pub load_kw: f64,
    pub transfer_s: f64,
    pub result: String,
    pub note_zh: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notes {
    pub asset_zh: String,
    pub asset_en: String,
    pub river_zh: String,
    pub river_en: String,
    pub quality_zh: String,
    pub quality_en: String,
    pub air_zh: String,
    pub air_en: String,
    pub charging_zh: String,
    pub charging_en: String,
    pub load_zh: String,
    pub load_en: String,
    pub energy_zh: String,
    pub energy_en: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assets {
    pub street_lights: usize,
    pub base_stations: usize,
    pub charging_stations: usize,
    pub charge_points_per_station: [usize; 2],
    pub racks: usize,
    pub racks_in_use: usize,
    pub urban_codes: Vec<String>,
    pub urban_weight: f64,
    pub operators: Vec<(String, f64)>,
    pub charging_operators: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Live {
    pub charge_points: usize,
    pub base_stations: usize,
    pub street_lights: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Water {
    pub code: String,
    pub river_zh: String,
    pub river_en: String,
    pub name_zh: String,
    pub name_en: String,
    pub place: [f64; 2],
    pub town_code: String,
    pub defence_m: f64,
    pub warning_m: f64,
    pub guarantee_m: f64,
    pub max_recorded_m: f64,
    pub level_at_zero_m: f64,
    pub metres_per_metre: f64,
    pub delay_samples: usize,
    /// The code of the next station up the river.
    pub upstream: Option<String>,
    pub officer_name: String,
    pub officer_phone: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub code: String,
    pub river_zh: String,
    pub river_en: String,
    pub name_zh: String,
    pub name_en: String,
    pub place: [f64; 2],
    pub town_code: String,
    pub target_class: String,
    pub delay_samples: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Air {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub place: [f64; 2],
    pub town_code: String,
}

/// An emergency resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    pub code: String,
    pub category: String,
    pub name_zh: String,
    pub place: [f64; 2],
    pub town_code: String,
    pub status: String,
    #[serde(default)]
    pub persons: Option<f64>,
    #[serde(default)]
    pub pump_m3_per_h: Option<f64>,
    #[serde(default)]
    pub power_kw: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataCentre {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub place: [f64; 2],
    pub town_code: String,
    pub it_power_base_kw: f64,
    pub it_power_kw_per_percent: f64,
    pub pue: f64,
    pub pue_swing: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incidents {
    pub outage: Span,
    pub out_of_range: OutOfRange,
    pub silence: Silence,
    pub malformed: Vec<u64>,
    pub charge_fault: ChargeFault,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeFault {
    pub at: u64,
    pub until: u64,
    /// Which of the live charge points, from 0.
    pub charge_point: usize,
    /// OCPP's word for what (1.6, 7.6 ChargePointErrorCode).
    pub code: String,
    /// It was faulty the day before the first start, too: from and until, hours after midnight.
    pub yesterday_hours: [i64; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub at: u64,
    pub until: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutOfRange {
    pub at: u64,
    pub water: String,
    pub value_m: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Silence {
    pub at: u64,
    pub until: u64,
    pub air: String,
}

/// Where the settings stand in a profile.
pub(crate) const PATH: &str = "demo/demo.toml";

/// Most entities that one demo may generate of a kind.
const COUNT_MAX: usize = 100_000;

impl Demo {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// `demo-toml`, `demo-value`, with line or key.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let demo: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |s| {
                1 + text.bytes().take(s.start).filter(|b| *b == b'\n').count()
            });
            Problem::new(
                "demo-toml",
                e.message().to_owned(),
                format!("{PATH}:{line}"),
                "compare with cities/tianmen/demo/demo.toml",
            )
        })?;
        let bad = |key: &str, what: &str, mend: &str| {
            Err(Problem::new(
                "demo-value",
                what,
                format!("{PATH}: {key}"),
                mend,
            ))
        };
        let a = &demo.assets;
        if [
            a.street_lights,
            a.base_stations,
            a.charging_stations,
            a.racks,
        ]
        .iter()
        .any(|n| *n > COUNT_MAX)
        {
            return bad(
                "assets",
                "a count is too great",
                "use at most 100,000 of a kind",
            );
        }
        let [least, most] = a.charge_points_per_station;
        if least == 0 || least > most || most > 1_000 {
            return bad(
                "assets.charge_points_per_station",
                "not [least, most]",
                "write 1 ≤ least ≤ most ≤ 1,000",
            );
        }
        if a.racks_in_use > a.racks {
            return bad(
                "assets.racks_in_use",
                "more racks in use than racks",
                "lower it",
            );
        }
        if a.operators.is_empty() || a.charging_operators.is_empty() || !a.urban_weight.is_finite()
        {
            return bad(
                "assets",
                "no operators, or a weight that is no number",
                "name at least one operator of each kind",
            );
        }
        if demo.water.is_empty() || demo.air.is_empty() {
            return bad(
                "water, air",
                "no station",
                "name at least one river station and one air station",
            );
        }
        if demo.charging.cards.is_empty() {
            return bad(
                "charging.cards",
                "no card",
                "name at least one card and its holder",
            );
        }
        let curves = demo.transformer.iter().map(|t| &t.curve);
        let curves = curves.chain(demo.building.iter().map(|b| &b.curve));
        if curves
            .clone()
            .any(|c| !(c.mean_kw > 0.0 && c.day.abs() + c.half_day.abs() < 1.0))
        {
            return bad(
                "transformer, building: curve",
                "power would be nothing or less at some hour",
                "write mean_kw > 0, and day and half_day that are together below 1",
            );
        }
        let i = &demo.incidents;
        if i.charge_fault.charge_point >= demo.live.charge_points {
            return bad(
                "incidents.charge_fault.charge_point",
                "there is no such live charge point",
                "count from 0, below live.charge_points",
            );
        }
        if !demo.water.iter().any(|w| w.code == i.out_of_range.water) {
            return bad(
                "incidents.out_of_range.water",
                "there is no such river station",
                "use the code of a [[water]]",
            );
        }
        if !demo.air.iter().any(|a| a.code == i.silence.air) {
            return bad(
                "incidents.silence.air",
                "there is no such air station",
                "use the code of an [[air]]",
            );
        }
        if i.outage.at >= i.outage.until
            || i.silence.at >= i.silence.until
            || i.charge_fault.at >= i.charge_fault.until
        {
            return bad(
                "incidents",
                "an incident ends before it begins",
                "write at < until",
            );
        }
        Ok(demo)
    }
}
