//! Which versions of which stored formats lie in a city's folder: the file `format`, written when the city
//! is made, looked at before anything else is opened. A newer folder is refused whole, with the name of the
//! program that wrote it; an older one is opened, and `format` is raised before the first new byte is written,
//! so that an older program never meets half of what it does not know.

use crate::city_lock::CityLock;
use crate::files;
use crate::folder::Folder;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the file `format` itself.
pub const FILE_VERSION: u32 = 1;
/// The name of the records' format in `format`: the one store that migrates when it is opened.
const RECORDS: &str = "records";
/// The name of the department tables' format: the one that is also written beside a server.
const DEPARTMENT_TABLE: &str = "department-table";

/// The formats that this program writes, each read in every version from 1 up to this one.
pub fn current() -> BTreeMap<String, u32> {
    let records = u32::try_from(records::VERSION).unwrap_or(u32::MAX);
    [
        ("journal", u32::from(journal::format::FORMAT_VERSION)),
        ("message", u32::from(model::record::RECORD_VERSION)),
        ("twin", u32::from(twin::CHECKPOINT_VERSION)),
        ("lake", lake::MANIFEST_VERSION),
        (DEPARTMENT_TABLE, lake::department::ENTRY_VERSION),
        (RECORDS, records),
        ("gaps", crate::gaps::VERSION),
        ("rules", crate::records_projection::RULES_VERSION),
        ("retained", u32::from(gateway::mqtt::RETAINED_VERSION)),
        ("oidc-keys", oidc::keys::VERSION),
        ("identity-key", identity::key::VERSION),
        ("advisories", advisories::brought::VERSION),
        ("personal-keys", personal::keys::VERSION),
    ]
    .map(|(name, version)| (name.to_owned(), version))
    .into()
}

/// This program's name and version.
pub fn program() -> String {
    format!("jingling {}", env!("CARGO_PKG_VERSION"))
}

fn newer(place: &str, what: &str, by: &str) -> anyhow::Error {
    let this = program();
    anyhow::anyhow!(
        "{place}: {what}; {this} does not know that. It was written by {by}: run that version or a newer one. \
         Nothing was changed"
    )
}

/// What the file `format` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formats {
    /// Version of this file.
    pub version: u32,
    /// The newest program that opened the folder for writing.
    pub written_by: String,
    /// The version of each stored format.
    pub formats: BTreeMap<String, u32>,
}

impl Formats {
    fn of_this_program() -> Self {
        Self {
            version: FILE_VERSION,
            written_by: program(),
            formats: current(),
        }
    }

    /// Cities made before the file existed: everything in its first version.
    fn first() -> Self {
        Self {
            version: FILE_VERSION,
            written_by: "jingling 0.1.0".to_owned(),
            formats: current().into_keys().map(|name| (name, 1)).collect(),
        }
    }

    fn version_of(&self, name: &str) -> u32 {
        self.formats.get(name).copied().unwrap_or(1)
    }

    /// Reads the text of a `format` file; `place` is for messages.
    ///
    /// # Errors
    /// When it cannot be understood, or anything in it is newer than this program.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
            written_by: String,
        }
        let damaged = || {
            format!(
                "{place} does not read; put it back from a backup, or delete it when no newer program opened the folder"
            )
        };
        let head: Head = serde_json::from_str(text).with_context(damaged)?;
        if head.version > FILE_VERSION {
            let what = format!("the file has version {}", head.version);
            return Err(newer(place, &what, &head.written_by));
        }
        let found: Self = serde_json::from_str(text).with_context(damaged)?;
        found.check(place)?;
        Ok(found)
    }

    /// Refuses what is newer than this program; `place` is for messages.
    ///
    /// # Errors
    /// What is newer, and the program that wrote it.
    pub fn check(&self, place: &str) -> Result<()> {
        let known = current();
        for (name, &version) in &self.formats {
            match known.get(name) {
                None => {
                    let what = format!("the folder holds the store \"{name}\"");
                    return Err(newer(place, &what, &self.written_by));
                }
                Some(&newest) if version > newest => {
                    let what = format!(
                        "the format of \"{name}\" has version {version}, newer than {newest}"
                    );
                    return Err(newer(place, &what, &self.written_by));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// What lies in the folder.
///
/// # Errors
/// As [`Formats::parse`], and the system's own error.
pub fn read(folder: &Folder) -> Result<Formats> {
    let path = folder.format();
    match std::fs::read_to_string(&path) {
        Ok(text) => Formats::parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Formats::first()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// To be called with the lock held, before the stores are opened for writing: refuses a newer folder, and
/// says of an older one that it is now of this program's formats.
///
/// # Errors
/// As [`read`].
pub fn open_for_writing(folder: &Folder, _lock: &CityLock) -> Result<()> {
    let found = read(folder)?;
    let now = Formats::of_this_program();
    if found.formats != now.formats || !folder.format().is_file() {
        if folder.format().is_file() {
            tracing::info!(from = %found.written_by, "the folder is brought to this program's formats");
        }
        let mut text = serde_json::to_vec_pretty(&now)?;
        text.push(b'\n');
        files::write_atomically(&folder.format(), &text)?;
    }
    Ok(())
}

/// For commands that work beside a server. Gives the lock when the records must be brought to a newer shape
/// first; hold it while opening them.
///
/// # Errors
/// When the folder is newer than this program, or is older and served at this moment by the older program.
pub fn open_beside(folder: &Folder) -> Result<Option<CityLock>> {
    raised(folder, RECORDS).map_err(|error| {
        anyhow::anyhow!(
            "the records are older than {}, and changing their shape under a server is not done: {error:#}",
            program()
        )
    })
}

/// For commands that write department tables, also beside a server. Gives the lock when the folder had to be
/// said to hold this program's formats first; hold it while writing.
///
/// # Errors
/// When the folder is newer than this program, or is served at this moment by an older one, which would not
/// read what this one writes.
pub fn open_for_tables(folder: &Folder) -> Result<Option<CityLock>> {
    raised(folder, DEPARTMENT_TABLE).map_err(|error| {
        anyhow::anyhow!(
            "the city is served by a program older than {}, which would not read a table that this one writes: {error:#}",
            program()
        )
    })
}

/// Brings the folder to this program's formats when it is older in one of them.
fn raised(folder: &Folder, name: &str) -> Result<Option<CityLock>> {
    if read(folder)?.version_of(name) >= Formats::of_this_program().version_of(name) {
        return Ok(None);
    }
    let lock = CityLock::take(folder)?;
    open_for_writing(folder, &lock)?;
    Ok(Some(lock))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        format!("{:#}", Formats::parse(text, "city/format").unwrap_err())
    }

    #[test]
    fn what_is_written_is_read_and_older_is_fine() {
        let now = Formats::of_this_program();
        let text = serde_json::to_string(&now).unwrap();
        assert_eq!(Formats::parse(&text, "format").unwrap(), now);
        let older = r#"{"version":1,"written_by":"jingling 0.0.9","formats":{"journal":1}}"#;
        assert_eq!(
            Formats::parse(older, "format").unwrap().version_of("twin"),
            1
        );
    }

    #[test]
    fn newer_is_refused_by_name_with_what_reads_it() {
        let text = |version: u32, formats: &str| {
            format!(r#"{{"version":{version},"written_by":"jingling 9.1.0","formats":{formats}}}"#)
        };
        for (text, what) in [
            (text(1, r#"{"journal":999}"#), "\"journal\" has version 999"),
            (text(1, r#"{"dreams":1}"#), "store \"dreams\""),
            (text(7, r#"{"more":{}}"#), "the file has version 7"),
        ] {
            let told = told(&text);
            assert!(
                told.contains(what) && told.contains("jingling 9.1.0"),
                "{told}"
            );
        }
        assert!(told("{").contains("does not read"));
    }
}
