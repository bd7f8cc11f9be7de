//! The real series of a profile's `data/` folder.

use city::City;
use model::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Samples of the river series before the flood; what follows is the flood, played over and over.
pub(crate) const RIVER_BEFORE: usize = 576;
/// Hours of the air series that lie in the past at the start.
pub(crate) const AIR_BEFORE_HOURS: usize = 48;

/// All series, each checked to be long enough to be played.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Stage, metres, every 5 minutes.
    pub river_m: Vec<f64>,
    /// Every 5 minutes, one day.
    pub quality: Vec<QualitySample>,
    /// By station, then by hour.
    pub air: Vec<Vec<AirSample>>,
    /// One day of sessions, by start.
    pub sessions: Vec<ChargeSession>,
    /// Percent, every 5 minutes, one day.
    pub load_percent: Vec<f64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QualitySample {
    pub temperature_c: f64,
    pub conductivity_s_m: f64,
    pub turbidity_fnu: f64,
}

/// `None`: the station had no value for this hour.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AirSample {
    station: usize,
    hour: usize,
    pub pm25: Option<f64>,
    pub pm10: Option<f64>,
    pub so2: Option<f64>,
    pub no2: Option<f64>,
    pub co: Option<f64>,
    pub o3: Option<f64>,
    pub temperature_c: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ChargeSession {
    pub charger: usize,
    pub start_minute: u64,
    pub end_minute: u64,
    pub energy_kwh: f64,
}

#[derive(Deserialize)]
struct Stage {
    stage_m: f64,
}

#[derive(Deserialize)]
struct Load {
    cpu_percent: f64,
}

impl Series {
    /// Reads all series of the profile.
    ///
    /// # Errors
    /// `demo-series`: a file is missing, has a bad line or is too short.
    pub(crate) fn load(city: &City) -> Result<Self, Problem> {
        let river_m: Vec<f64> = read::<Stage>(city, "data/river_stage.csv", RIVER_BEFORE + 2)?
            .iter()
            .map(|s| s.stage_m)
            .collect();
        let quality = read(city, "data/water_quality.csv", 2)?;
        let mut air: Vec<Vec<AirSample>> = Vec::new();
        for sample in read::<AirSample>(city, "data/air_quality.csv", 2)? {
            if sample.station == air.len() {
                air.push(Vec::new());
            }
            match air.get_mut(sample.station) {
                Some(hours) if hours.len() == sample.hour => hours.push(sample),
                _ => {
                    return Err(problem(
                        "data/air_quality.csv",
                        "stations and hours must both run from 0 without a gap",
                    ));
                }
            }
        }
        if air.iter().any(|hours| hours.len() <= AIR_BEFORE_HOURS) {
            return Err(problem(
                "data/air_quality.csv",
                format!("a station has {AIR_BEFORE_HOURS} hours or fewer"),
            ));
        }
        let sessions: Vec<ChargeSession> = read(city, "data/charging_sessions.csv", 1)?;
        if sessions
            .iter()
            .any(|s| s.start_minute >= s.end_minute || s.end_minute > 1440)
        {
            return Err(problem(
                "data/charging_sessions.csv",
                "a session does not lie within one day",
            ));
        }
        let load_percent = read::<Load>(city, "data/server_load.csv", 2)?
            .iter()
            .map(|l| l.cpu_percent)
            .collect();
        Ok(Self {
            river_m,
            quality,
            air,
            sessions,
            load_percent,
        })
    }
}

fn problem(path: &str, what: impl Into<String>) -> Problem {
    Problem::new(
        "demo-series",
        what,
        path,
        "make it anew with tools/cut_series.py; data/SOURCE.md says what it holds",
    )
}

fn read<T: DeserializeOwned>(city: &City, path: &str, rows_min: usize) -> Result<Vec<T>, Problem> {
    let bytes = city
        .files
        .read(path)?
        .ok_or_else(|| problem(path, "the file is missing"))?;
    let rows: Vec<T> = csv::Reader::from_reader(bytes.as_ref())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|e| problem(path, e.to_string()))?;
    if rows.len() < rows_min {
        return Err(problem(
            path,
            format!("{} rows; at least {rows_min} are needed", rows.len()),
        ));
    }
    Ok(rows)
}
