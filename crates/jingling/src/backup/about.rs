//! What a point says of the city that was copied, and where the last good backup is remembered.

use crate::files;
use crate::folder::Folder;
use crate::formats::Formats;
use anyhow::{Context, Result, bail};
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vault::{DamagedFile, Point, Vault};

/// Top-level folders that are copied only when the backup is encrypted.
pub const SECRET: [&str; 2] = ["secrets", "tls"];

/// Version of what a point says of the city; older ones stay readable for ever (see `fixtures/`).
pub const CITY_POINT_VERSION: u32 = 1;

/// What a point says of the city: the figures that a drill compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityPoint {
    /// [`CITY_POINT_VERSION`] of the program that wrote it.
    pub version: u32,
    /// Which city it is ([`city_id`]).
    pub city: String,
    /// The versions of the stored formats, and the program that wrote them.
    pub formats: Formats,
    /// When the journal's end was looked at: everything acknowledged before is in the point.
    pub taken_at: Timestamp,
    /// The point holds the journal up to here (not included).
    pub position: u64,
    /// The oldest position of its journal.
    pub first_position: u64,
    /// When the records were copied: what people changed is as of this time.
    pub records_at: Timestamp,
    /// How far the records' projections had come.
    pub records_position: u64,
    /// Rows of each of the records' tables.
    pub record_rows: BTreeMap<String, u64>,
    /// Everything below is in the lake's files.
    pub lake_position: u64,
    /// Rows in the lake's files.
    pub lake_rows: u64,
    /// What was left out because the backup is not encrypted.
    pub left_out: Vec<String>,
}

impl CityPoint {
    /// Reads what the point says.
    ///
    /// # Errors
    /// When it is a backup of something else.
    pub fn of(point: &Point) -> Result<Self> {
        Self::parse(&point.about, &format!("point {}", point.number))
    }

    fn parse(about: &serde_json::Value, place: &str) -> Result<Self> {
        let version = about["version"]
            .as_u64()
            .with_context(|| format!("{place} is no backup of a city"))?;
        if version > u64::from(CITY_POINT_VERSION) {
            bail!(
                "{place} was written by a newer program: its version is {version}, {} reads up to {CITY_POINT_VERSION}; \
                 use the version that wrote it, or a newer one",
                crate::formats::program()
            );
        }
        serde_json::from_value(about.clone())
            .with_context(|| format!("{place} says nothing of a city that can be understood"))
    }

    /// Reads the newest point of a vault and what it says.
    ///
    /// # Errors
    /// When there is none, or its file is damaged.
    pub fn newest(vault: &Vault) -> Result<(Point, Self)> {
        let number = vault
            .numbers()?
            .pop()
            .with_context(|| format!("{} holds no backup yet", vault.dir().display()))?;
        let point = vault.point(number)?;
        let about = Self::of(&point)?;
        Ok((point, about))
    }
}

/// The last backup that was taken, as the city's folder remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The vault's folder.
    pub vault: PathBuf,
    /// The point's number.
    pub point: u64,
    /// The journal's position in it.
    pub position: u64,
    /// When the position was taken.
    pub taken_at: Timestamp,
    /// The city's files that were damaged then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamagedFile>,
}

impl Last {
    /// Reads it; `None` when there never was one, or the file does not read.
    pub fn read(folder: &Folder) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.last_backup()).ok()?).ok()
    }

    /// Remembers it.
    ///
    /// # Errors
    /// The system's own error.
    pub fn write(&self, folder: &Folder) -> Result<()> {
        files::write_atomically(&folder.last_backup(), &serde_json::to_vec_pretty(self)?)
    }
}

/// The city's name among all cities that are backed up. It is made with the first backup and is no part of one: a
/// restored city is another, because its journal goes on from where it was restored to, and positions mean the same only
/// within one journal.
///
/// # Errors
/// The system's own error.
pub fn city_id(folder: &Folder) -> Result<String> {
    let path = folder.backup_id();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let id = vault::random_id();
            files::write_atomically(&path, format!("{id}\n").as_bytes())?;
            Ok(id)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// The segment files of a journal's folder, in order.
///
/// # Errors
/// The system's own error.
pub fn segments(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        entries => {
            for entry in entries.with_context(|| format!("listing {}", dir.display()))? {
                names.extend(entry?.file_name().into_string().ok());
            }
        }
    }
    names.retain(|name| journal::format::segment_first_position(name).is_some());
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_stays_readable_and_newer_is_told() {
        // Written by version 1; never change this fixture, add another beside it.
        let stored = include_str!("../../fixtures/city-point-v1.json");
        let mut value: serde_json::Value = serde_json::from_str(stored).unwrap();
        let point = CityPoint::parse(&value, "point 1").unwrap();
        assert_eq!((point.position, point.first_position), (2_220, 0));
        assert_eq!(point.record_rows["devices"], 101);
        assert_eq!(serde_json::to_value(&point).unwrap(), value);
        value["version"] = 2.into();
        let told = CityPoint::parse(&value, "point 1").unwrap_err().to_string();
        assert!(told.contains("version is 2"), "{told}");
        assert!(CityPoint::parse(&serde_json::json!({"a": 1}), "x").is_err());
    }
}
