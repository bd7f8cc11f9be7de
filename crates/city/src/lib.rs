//! A city profile as data: who the city is, its organisations, its divisions and its map layers.
//! Profiles are compiled in from `cities/`, or read from a folder of the same form
//! (`city.toml`, `layers/*.geojson`, `towns.csv`, `successions.csv`, …). Everything is checked when it is loaded.

mod files;
mod layers;
mod profile;
mod successions;

pub use files::Files;
pub use layers::{GRIDS, Grid, LAYERS, Town, Village};
pub use profile::{City, ORGANISATION_KINDS, Organisation, Purpose, embedded_ids};
pub use successions::{Division, SUCCESSIONS, Succession};
