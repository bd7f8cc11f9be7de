//! Lines of equal value (等值线) that a view draws on the map over the entities of its type: of rain, isohyets (等雨量线).
//!
//! Between the stations the value is reckoned by inverse distance (反距离加权法: Shepard 1968, *A two-dimensional interpolation function
//! for irregularly-spaced data*, Proceedings of the 23rd ACM National Conference), as the areal rain of `packs/pack-water/src/areal.rs` is.
//! The pages reckon and draw it (`web/src/features/map/isolines.ts`), so that nothing is reckoned for who does not look.

use serde::{Deserialize, Serialize};

/// Most levels of one view: more bands than that nobody tells apart.
pub const LEVELS_MAX: usize = 12;
/// Greatest age of a value that a view may ask for, minutes: a month.
pub const MINUTES_MAX: u32 = 44_640;
/// Greatest distance from a station that a view may ask for, km.
pub const RADIUS_KM_MAX: f64 = 500.0;
/// Fewest stations that a view may be content with: two make a line between them, not an area.
pub const STATIONS_LEAST: u32 = 3;
/// Most stations that a view may ask for before it draws.
pub const STATIONS_MOST: u32 = 1_000;
/// The powers of the distance that a view may ask for.
pub const POWERS: std::ops::RangeInclusive<f64> = 1.0..=6.0;

/// `[layer.isolines]` of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isolines {
    /// The attribute, a number; its declared unit is that of the levels.
    pub attribute: String,
    /// How the value between stations is reckoned.
    #[serde(default)]
    pub method: IsolineMethod,
    /// The power of the distance: the higher, the nearer a station's own value reaches. 1 to 6.
    #[serde(default = "power")]
    pub power: f64,
    /// The levels, ascending: a line is drawn at each, and a band filled from it to the next.
    #[serde(default)]
    pub levels: Vec<IsolineLevel>,
    /// The bands' colours by the name of a ramp; else every level has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
    /// Values that are older do not count, minutes.
    pub minutes_max: u32,
    /// Nothing is drawn farther than this from every station that counts, km.
    pub radius_km_max: f64,
    /// With fewer stations nothing is drawn, and the page says why.
    #[serde(default = "stations_min")]
    pub stations_min: u32,
    /// Where the levels come from; shown with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

const fn power() -> f64 {
    2.0
}

const fn stations_min() -> u32 {
    STATIONS_LEAST
}

/// How the value between stations is reckoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolineMethod {
    /// The mean of the stations, each weighed by its distance to a power, upside down.
    #[default]
    InverseDistance,
}

/// One level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolineLevel {
    /// From which value on, in the attribute's unit.
    pub value: f64,
    /// What a value from here to the next level is called, in Chinese; may be left out with the English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title_zh: String,
    /// The same in English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title_en: String,
    /// `#rrggbb` of the band from here to the next level, where there is no ramp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

/// Colours by name, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ramp {
    /// Green, blue, magenta: as weather services in China colour the grades of rain.
    Rain,
    /// Light to dark blue (Blues of ColorBrewer 2.0).
    Blues,
    /// Light to dark red (Reds of ColorBrewer 2.0).
    Reds,
}

impl Ramp {
    /// Its colours.
    pub const fn colours(self) -> &'static [&'static str] {
        match self {
            Self::Rain => &[
                "#a6f28f", "#3dba3d", "#61b8ff", "#0000e1", "#fa00fa", "#800040",
            ],
            Self::Blues => &[
                "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#084594",
            ],
            Self::Reds => &[
                "#fcbba1", "#fc9272", "#fb6a4a", "#ef3b2c", "#cb181d", "#99000d",
            ],
        }
    }
}

impl Isolines {
    /// The colour of each level's band: its own, or that of the ramp, from whose whole width fewer levels than colours take theirs.
    pub fn colours(&self) -> Vec<String> {
        let own = |level: &IsolineLevel| level.colour.clone().unwrap_or_default();
        let Some(ramp) = self.ramp else {
            return self.levels.iter().map(own).collect();
        };
        let colours = ramp.colours();
        let last = self.levels.len().saturating_sub(1).max(1);
        let of = |n: usize| {
            let at = (n * (colours.len() - 1) + last / 2) / last;
            colours[at.min(colours.len() - 1)].to_owned()
        };
        (0..self.levels.len()).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(levels: usize, ramp: Option<Ramp>) -> Vec<String> {
        let level = |n: usize| {
            format!("[[levels]]\nvalue = {n}.0\n")
                + if ramp.is_none() {
                    "colour = \"#123456\"\n"
                } else {
                    ""
                }
        };
        let text = "attribute = \"a\"\nminutes_max = 60\nradius_km_max = 20.0\n".to_owned()
            + &(0..levels).map(level).collect::<String>();
        let mut isolines: Isolines = toml::from_str(&text).unwrap();
        isolines.ramp = ramp;
        isolines.colours()
    }

    #[test]
    fn levels_take_colours_from_the_whole_ramp() {
        assert_eq!(of(6, Some(Ramp::Rain)), Ramp::Rain.colours());
        assert_eq!(of(2, Some(Ramp::Blues)), ["#c6dbef", "#084594"]);
        assert_eq!(of(3, Some(Ramp::Reds)), ["#fcbba1", "#ef3b2c", "#99000d"]);
        assert_eq!(of(1, Some(Ramp::Reds)), ["#fcbba1"]);
        assert_eq!(of(2, None), ["#123456", "#123456"]);
        assert!(of(0, Some(Ramp::Rain)).is_empty());
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let text = "attribute = \"a\"\nminutes_max = 60\nradius_km_max = 20.0\n";
        let isolines: Isolines = toml::from_str(text).unwrap();
        assert_eq!(isolines.method, IsolineMethod::InverseDistance);
        assert!((isolines.power - 2.0).abs() < f64::EPSILON);
        assert_eq!(isolines.stations_min, STATIONS_LEAST);
    }
}
