//! Cases that may be the same: of one kind, near in place and in time.

use crate::Cases;
use crate::view::CaseSummary;
use model::Timestamp;
use records::{Failure, Result, cases};

/// Metres of one degree of latitude, on the mean sphere of the earth (radius 6,371,008.8 m, IUGG).
const DEGREE_M: f64 = 111_195.08;
/// Rows of the box around a place that are looked at.
const BOX_ROWS: u32 = 200;
const HOUR_S: i64 = 3_600;

/// What a case is like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Like {
    /// Longitude and latitude, degrees.
    pub location: [f64; 2],
    /// Its kind; cases of other kinds are not suggested when both are known.
    pub category: Option<String>,
    /// The case itself, which is not suggested.
    pub except: Option<i64>,
    /// When it was opened.
    pub at: Timestamp,
}

/// A case that may be the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    /// The case.
    pub case: CaseSummary,
    /// How far away, in metres.
    pub metres: f64,
}

impl Cases {
    /// Cases that may be the same, the nearest first: opened within [`crate::Options::duplicate_hours`] before or after,
    /// within [`crate::Options::duplicate_metres`], neither cancelled nor themselves duplicates.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a place that is none.
    pub async fn similar(&self, like: &Like) -> Result<Vec<Similar>> {
        let [lon, lat] = like.location;
        let point = serde_json::json!({"type": "Point", "coordinates": [lon, lat]});
        model::Geometry::from_geojson(&point).map_err(|p| {
            Failure::Invalid(model::Problem {
                place: "location".to_owned(),
                ..p
            })
        })?;
        let metres_max = self.options.duplicate_metres;
        let dy = metres_max / DEGREE_M;
        // Towards the poles degrees of longitude shrink; a city lies where they do not vanish.
        let dx = dy / lat.to_radians().cos().max(0.01);
        let around = [lon - dx, lat - dy, lon + dx, lat + dy];
        let window = i64::from(self.options.duplicate_hours) * HOUR_S;
        let since = like.at.plus_seconds(-window);
        let mut read = self.records.read().await?;
        let found = cases::near(&mut read, around, since, BOX_ROWS).await?;
        let mut near: Vec<(f64, records::cases::Case)> = found
            .into_iter()
            .filter(|case| Some(case.id) != like.except)
            .filter(|case| case.created_at <= like.at.plus_seconds(window))
            .filter(|case| case.duplicate_of.is_none() && case.state != "cancelled")
            .filter(|case| case.parent_id.is_none())
            .filter(|case| match (&case.category, &like.category) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            })
            .filter_map(|case| {
                let there = [case.lon?, case.lat?];
                Some((metres(like.location, there), case))
            })
            .filter(|(metres, _)| *metres <= metres_max)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.id.cmp(&a.1.id)));
        near.truncate(self.options.duplicates_max);
        let (distances, rows): (Vec<f64>, Vec<_>) = near.into_iter().unzip();
        let summaries = self.summaries(&mut read, rows).await?;
        Ok(distances
            .into_iter()
            .zip(summaries)
            .map(|(metres, case)| Similar { case, metres })
            .collect())
    }
}

/// The distance between two near places, in metres (equirectangular: within 0.1 % over a city).
fn metres([lon, lat]: [f64; 2], [other_lon, other_lat]: [f64; 2]) -> f64 {
    let y = (other_lat - lat) * DEGREE_M;
    let x = (other_lon - lon) * DEGREE_M * f64::midpoint(lat, other_lat).to_radians().cos();
    x.hypot(y)
}

#[cfg(test)]
mod tests {
    use super::metres;

    #[test]
    fn a_second_of_arc_in_tianmen_is_31_by_27_metres() {
        let second = 1.0 / 3_600.0;
        let here = [113.165, 30.655];
        let north = metres(here, [113.165, 30.655 + second]);
        let east = metres(here, [113.165 + second, 30.655]);
        assert!((north - 30.89).abs() < 0.01, "{north}");
        assert!((east - 26.57).abs() < 0.01, "{east}");
    }
}
