//! `city.toml`: the city's names, place, zone, notes and organisations.

use crate::files::{self, Files};
use crate::layers::{self, GRIDS, Grid, LAYERS, Town, Village};
use crate::successions::{self, Division, SUCCESSIONS, Succession};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{Calendars, Problem, WorkingCalendar};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A city profile, loaded and checked.
#[derive(Clone, Debug)]
pub struct City {
    /// Short id, e.g. `tianmen`.
    pub id: String,
    /// Statistics code of the city (统计用区划代码), e.g. `429006`.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Where the map opens: longitude, latitude, WGS 84 degrees.
    pub centre: [f64; 2],
    /// West, south, east, north, WGS 84 degrees.
    pub bbox: [f64; 4],
    /// IANA time zone in which people read times.
    pub zone: String,
    /// What the map says of itself, in Chinese.
    pub notes_zh: Vec<String>,
    /// What the map says of itself, in English.
    pub notes_en: Vec<String>,
    /// Organisations that can be given work.
    pub organisations: Vec<Organisation>,
    /// What personal data may be looked at for.
    pub purposes: Vec<Purpose>,
    /// Working calendars: `calendars/*.toml`, each under its file's name.
    pub calendars: Calendars,
    /// Towns and streets, by code.
    pub towns: Vec<Town>,
    /// Villages and communities, by code.
    pub villages: Vec<Village>,
    /// Unit grids (单元网格), by code; empty where the city has drawn none.
    pub grids: Vec<Grid>,
    /// Towns that were merged into another; empty where none was.
    pub successions: Vec<Succession>,
    /// The profile's files, for what is read on demand.
    pub files: Files,
    layers: BTreeMap<&'static str, Cow<'static, [u8]>>,
}

/// The kinds of organisations (单位类别): department (部门), town (乡镇), operator (运营单位), enterprise (企业).
pub const ORGANISATION_KINDS: [&str; 4] = ["department", "town", "operator", "enterprise"];

fn department() -> String {
    ORGANISATION_KINDS[0].to_owned()
}

/// A department, company or centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Short id: lower-case letters, digits, `-`.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// One of [`ORGANISATION_KINDS`]; a department when not said.
    #[serde(default = "department")]
    pub kind: String,
    /// Code of the division (区划代码) that it answers for; the whole city when not said.
    #[serde(default)]
    pub division: Option<String>,
}

/// What personal data is looked at for (个人信息处理目的).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Short id: lower-case letters, digits, `-`.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// The purposes of a city that names none.
fn purposes() -> Vec<Purpose> {
    [
        ("case-handling", "处置事件", "Handling a case"),
        ("emergency", "应急处置", "Emergency"),
        ("own-request", "本人申请", "The person's own request"),
    ]
    .map(|(id, title_zh, title_en)| Purpose {
        id: id.to_owned(),
        title_zh: title_zh.to_owned(),
        title_en: title_en.to_owned(),
    })
    .into()
}

/// Ids of the profiles compiled in, sorted.
pub fn embedded_ids() -> Vec<String> {
    files::embedded_ids()
}

/// `city.toml` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    code: String,
    name_zh: String,
    name_en: String,
    centre: [f64; 2],
    bbox: [f64; 4],
    zone: String,
    #[serde(default)]
    notes_zh: Vec<String>,
    #[serde(default)]
    notes_en: Vec<String>,
    #[serde(default)]
    organisations: Vec<Organisation>,
    #[serde(default = "purposes")]
    purposes: Vec<Purpose>,
}

impl City {
    /// A profile compiled in.
    ///
    /// # Errors
    /// `city-unknown` when there is none of that id; otherwise as [`City::load`].
    pub fn embedded(id: &str) -> Result<Self, Problem> {
        let ids = embedded_ids();
        if !ids.iter().any(|known| known == id) {
            return Err(Problem::new(
                "city-unknown",
                format!("there is no city profile \"{}\"", model::problem::quote(id)),
                "city",
                format!(
                    "use one of: {}; or a folder with a city.toml",
                    ids.join(", ")
                ),
            ));
        }
        Self::read(Files::Embedded(id.to_owned()))
    }

    /// A profile in a folder.
    ///
    /// # Errors
    /// `city-file`, `city-toml`, `city-value`, `city-layer`, `city-succession`: what is wrong, in which file, and the mend.
    pub fn load(folder: &Path) -> Result<Self, Problem> {
        Self::read(Files::Folder(folder.to_owned()))
    }

    /// A map layer's GeoJSON (`outline`, `river`, `towns`, `villages`, `grids` where there are any), as stored; `None` for another name.
    pub fn layer(&self, name: &str) -> Option<&[u8]> {
        self.layers.get(name).map(AsRef::as_ref)
    }

    /// Who may do what in this city beyond the platform's own policies: `policies/*.cedar`, each file's name and text.
    ///
    /// # Errors
    /// `city-file` when one cannot be read or is no UTF-8.
    pub fn policies(&self) -> Result<Vec<(String, String)>, Problem> {
        let bad = |path: &str, what: String| {
            Problem::new("city-file", what, path, "make it a readable UTF-8 file")
        };
        let paths = self
            .files
            .paths()
            .map_err(|e| bad("policies", e.to_string()))?;
        let mut all = Vec::new();
        for path in paths {
            let name = path
                .strip_prefix("policies/")
                .and_then(|p| p.strip_suffix(".cedar"));
            let Some(name) = name.filter(|name| !name.contains('/')) else {
                continue;
            };
            let bytes = self.files.read(&path)?.unwrap_or_default();
            let text = String::from_utf8(bytes.into_owned())
                .map_err(|e| bad(&path, format!("not UTF-8: {e}")))?;
            all.push((name.to_owned(), text));
        }
        Ok(all)
    }

    /// The town that a place (longitude, latitude) lies in, by code.
    pub fn town_of(&self, place: [f64; 2]) -> Option<&str> {
        let town = self.towns.iter().find(|town| town.contains(place))?;
        Some(&town.code)
    }

    /// What a town's code means on a day: the town, the one into which it was merged by then, or nothing that the city knows.
    pub fn division(&self, code: &str, day: Date) -> Division<'_> {
        successions::division(&self.towns, &self.successions, code, day)
    }

    /// The towns of a day: those that are drawn, without the ones that were merged by then.
    pub fn towns_on(&self, day: Date) -> impl Iterator<Item = &Town> {
        self.towns
            .iter()
            .filter(move |town| matches!(self.division(&town.code, day), Division::Town(_)))
    }

    /// What a town's code is called: by its name, or the one that it had.
    pub fn town_name(&self, code: &str) -> Option<&str> {
        let town = self.towns.iter().find(|town| town.code == code);
        let former = || self.successions.iter().find(|s| s.code == code);
        town.map(|town| town.name.as_str())
            .or_else(|| former().map(|s| s.name.as_str()))
    }

    /// The unit grid that a place (longitude, latitude) lies in, by code; `None` where no grid is drawn.
    pub fn grid_of(&self, place: [f64; 2]) -> Option<&str> {
        let grid = self.grids.iter().find(|grid| grid.contains(place))?;
        Some(&grid.code)
    }

    /// The organisation of that id.
    pub fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.organisations.iter().find(|o| o.id == id)
    }

    /// The organisations of `city.toml`, and every town as one (乡镇、街道): `town-<code>`, which answers for its division.
    pub fn all_organisations(&self) -> Vec<Organisation> {
        let towns = self.towns.iter().map(|town| Organisation {
            id: format!("town-{}", town.code),
            name_zh: town.name.clone(),
            name_en: town.name.clone(),
            kind: "town".to_owned(),
            division: Some(town.code.clone()),
        });
        // A town that city.toml names itself is what it says there.
        let named = |o: &Organisation| self.organisation(&o.id).is_some();
        let towns = towns.filter(|o| !named(o));
        self.organisations.iter().cloned().chain(towns).collect()
    }

    fn read(files: Files) -> Result<Self, Problem> {
        let required = |path: &str| {
            files.read(path)?.ok_or_else(|| {
                Problem::new(
                    "city-file",
                    format!("{path} is missing"),
                    path,
                    "add it to the profile's folder",
                )
            })
        };
        let bytes = required("city.toml")?;
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            Problem::new(
                "city-toml",
                format!("not UTF-8: {e}"),
                "city.toml",
                "save the file as UTF-8",
            )
        })?;
        let written: Written =
            toml::from_str(text).map_err(|e| toml_problem(&e, text, "city.toml"))?;
        check(&written)?;
        let mut layers = BTreeMap::new();
        for name in LAYERS {
            layers.insert(name, required(&format!("layers/{name}.geojson"))?);
        }
        for name in ["outline", "river"] {
            layers::features(name, &layers[name])?;
        }
        let calendars = calendars(&files, &written.zone)?;
        let towns = layers::towns(&layers["towns"])?;
        let villages = layers::villages(&layers["villages"], &towns)?;
        let grids = match files.read(&format!("layers/{GRIDS}.geojson"))? {
            None => Vec::new(),
            Some(bytes) => {
                let grids = layers::grids(&bytes, &towns)?;
                layers.insert(GRIDS, bytes);
                grids
            }
        };
        let successions = match files.read(SUCCESSIONS)? {
            None => Vec::new(),
            Some(bytes) => successions::read(&bytes, &towns)?,
        };
        let Written {
            id,
            code,
            name_zh,
            name_en,
            centre,
            bbox,
            zone,
            notes_zh,
            notes_en,
            organisations,
            purposes,
        } = written;
        Ok(Self {
            id,
            code,
            name_zh,
            name_en,
            centre,
            bbox,
            zone,
            notes_zh,
            notes_en,
            organisations,
            purposes,
            calendars,
            towns,
            villages,
            grids,
            successions,
            files,
            layers,
        })
    }
}

/// Every file of `calendars/`.
fn calendars(files: &Files, zone: &str) -> Result<Calendars, Problem> {
    let bad = |path: &str, what: String, mend: &str| Problem::new("city-file", what, path, mend);
    let zone = TimeZone::get(zone).map_err(|e| {
        bad(
            "city.toml: zone",
            e.to_string(),
            "write an IANA name such as Asia/Shanghai",
        )
    })?;
    let paths = files
        .paths()
        .map_err(|e| bad("calendars", e.to_string(), "make it a readable folder"))?;
    let mut all = Vec::new();
    for path in paths {
        let name = path
            .strip_prefix("calendars/")
            .and_then(|p| p.strip_suffix(".toml"));
        let Some(name) = name.filter(|name| is_slug(name)) else {
            continue;
        };
        let bytes = files.read(&path)?.unwrap_or_default();
        let text = std::str::from_utf8(&bytes)
            .map_err(|e| bad(&path, format!("not UTF-8: {e}"), "save the file as UTF-8"))?;
        let declared = toml::from_str(text).map_err(|e| toml_problem(&e, text, &path))?;
        // The first mistake: a profile is told one at a time.
        let calendar = WorkingCalendar::new(name, declared, zone.clone(), &path)
            .map_err(|mut problems| problems.swap_remove(0))?;
        all.push(calendar);
    }
    Ok(Calendars::new(zone, all))
}

fn toml_problem(error: &toml::de::Error, text: &str, path: &str) -> Problem {
    let line = error.span().map_or(1, |span| {
        1 + text
            .as_bytes()
            .iter()
            .take(span.start)
            .filter(|b| **b == b'\n')
            .count()
    });
    Problem::new(
        "city-toml",
        error.message().to_owned(),
        format!("{path}:{line}"),
        "compare with the profile of another city, such as cities/tianmen/city.toml",
    )
}

/// The values of `city.toml`, against their ranges.
fn check(w: &Written) -> Result<(), Problem> {
    let bad = |place: &str, what: String, mend: &str| {
        Err(Problem::new(
            "city-value",
            what,
            format!("city.toml: {place}"),
            mend,
        ))
    };
    let [west, south, east, north] = w.bbox;
    let [lon, lat] = w.centre;
    if !is_slug(&w.id) {
        return bad(
            "id",
            format!("\"{}\" is not a short id", w.id),
            "use lower-case letters, digits and -",
        );
    }
    if !(-180.0..=180.0).contains(&west)
        || !(-180.0..=180.0).contains(&east)
        || !(-90.0..=90.0).contains(&south)
        || !(-90.0..=90.0).contains(&north)
        || west >= east
        || south >= north
    {
        return bad(
            "bbox",
            format!("{:?} is not a box", w.bbox),
            "write [west, south, east, north] in degrees",
        );
    }
    if !(west..=east).contains(&lon) || !(south..=north).contains(&lat) {
        return bad(
            "centre",
            format!("{:?} lies outside bbox", w.centre),
            "write [longitude, latitude] inside bbox",
        );
    }
    if jiff::tz::TimeZone::get(&w.zone).is_err() {
        return bad(
            "zone",
            format!("\"{}\" is not a time zone", w.zone),
            "use an IANA name such as Asia/Shanghai",
        );
    }
    let mut seen = BTreeSet::new();
    for organisation in &w.organisations {
        if !ORGANISATION_KINDS.contains(&organisation.kind.as_str()) {
            return bad(
                "organisations",
                format!(
                    "\"{}\" of \"{}\" is not a kind of organisation",
                    organisation.kind, organisation.id
                ),
                &format!("use one of {}", ORGANISATION_KINDS.join(", ")),
            );
        }
        if !is_slug(&organisation.id) || !seen.insert(&organisation.id) {
            return bad(
                "organisations",
                format!(
                    "id \"{}\" is not a short id, or is there twice",
                    organisation.id
                ),
                "give each organisation its own id of lower-case letters, digits and -",
            );
        }
    }
    let mut seen = BTreeSet::new();
    for purpose in &w.purposes {
        let is_titled = !purpose.title_zh.trim().is_empty() && !purpose.title_en.trim().is_empty();
        if !is_slug(&purpose.id) || !seen.insert(&purpose.id) || !is_titled {
            return bad(
                "purposes",
                format!(
                    "\"{}\" is not a short id, is there twice, or has no title",
                    purpose.id
                ),
                "give each purpose its own id of lower-case letters, digits and -, and a title in both languages",
            );
        }
    }
    Ok(())
}

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tianmen_is_compiled_in_and_whole() {
        let city = City::embedded("tianmen").unwrap();
        assert_eq!(
            (city.name_zh.as_str(), city.zone.as_str()),
            ("天门市", "Asia/Shanghai")
        );
        assert_eq!((city.towns.len(), city.villages.len()), (28, 639));
        assert_eq!(
            city.towns.iter().map(|t| t.village_count).sum::<usize>(),
            639
        );
        assert!(city.organisation("shuili").is_some());
        let all = city.all_organisations();
        assert_eq!(all.len(), city.organisations.len() + 28);
        let kind_of = |id: &str| {
            let found = all.iter().find(|o| o.id == id).unwrap();
            (found.kind.as_str(), found.division.as_deref())
        };
        assert_eq!(kind_of("shuili"), ("department", None));
        assert_eq!(kind_of("gongdian"), ("operator", None));
        assert_eq!(kind_of("town-429006001"), ("town", Some("429006001")));
        let working = city.calendars.get("working-hours").unwrap();
        assert!(working.declared().known_until.is_some());
        assert!(city.notes_zh[0].contains("示意图"));
        assert!(city.layer("towns").is_some() && city.layer("roads").is_none());
        let size: usize = LAYERS.iter().map(|l| city.layer(l).unwrap().len()).sum();
        assert!(size < 600_000, "{size} bytes of layers");
    }

    #[test]
    fn villages_lie_in_their_town() {
        let city = City::embedded("tianmen").unwrap();
        for village in &city.villages {
            let town = city
                .towns
                .iter()
                .find(|t| t.code == village.town_code)
                .unwrap();
            assert!(
                town.contains(village.place),
                "{} not in {}",
                village.name,
                town.name
            );
        }
    }

    #[test]
    fn a_profile_is_exported_loaded_and_its_mistakes_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let embedded = City::embedded("tianmen").unwrap();
        assert!(embedded.files.export(dir.path()).unwrap() >= 7);
        assert_eq!(
            embedded.files.export(dir.path()).unwrap(),
            0,
            "files that are there are kept"
        );
        assert_eq!(City::load(dir.path()).unwrap().towns, embedded.towns);

        let path = dir.path().join("city.toml");
        let good = std::fs::read_to_string(&path).unwrap();
        let expect = |from: &str, to: &str, code: &str, place: &str| {
            std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
            let problem = City::load(dir.path()).unwrap_err();
            assert_eq!(
                (problem.code.as_str(), problem.place.as_str()),
                (code, place),
                "{problem}"
            );
        };
        expect(
            "Asia/Shanghai",
            "Asia/Jingling",
            "city-value",
            "city.toml: zone",
        );
        expect(
            "centre = [113.166, 30.653]",
            "centre = [30.653, 113.166]",
            "city-value",
            "city.toml: centre",
        );
        expect(
            "id = \"shuili\"",
            "id = \"chengguan\"",
            "city-value",
            "city.toml: organisations",
        );
        expect(
            "id = \"emergency\"",
            "id = \"case-handling\"",
            "city-value",
            "city.toml: purposes",
        );
        expect(
            "kind = \"operator\"",
            "kind = \"club\"",
            "city-value",
            "city.toml: organisations",
        );
        expect(
            "id = \"tianmen\"",
            "idd = \"tianmen\"",
            "city-toml",
            "city.toml:4",
        );
        std::fs::write(&path, &good).unwrap();
        std::fs::write(dir.path().join("layers/towns.geojson"), "{}").unwrap();
        assert_eq!(
            City::load(dir.path()).unwrap_err().place,
            "layers/towns.geojson"
        );
        std::fs::remove_file(dir.path().join("layers/towns.geojson")).unwrap();
        assert_eq!(City::load(dir.path()).unwrap_err().code, "city-file");
    }

    #[test]
    fn a_place_lies_in_the_grid_of_its_community_and_a_profile_may_have_none() {
        let city = City::embedded("tianmen").unwrap();
        for village in city.villages.iter().filter(|v| v.town_code == "429006001") {
            let grid = city.grid_of(village.place);
            assert_eq!(
                grid,
                Some(format!("{}001", village.code).as_str()),
                "{}",
                village.name
            );
        }
        assert_eq!(city.grid_of([0.0, 0.0]), None);
        let dir = tempfile::tempdir().unwrap();
        city.files.export(dir.path()).unwrap();
        let path = dir.path().join("layers/grids.geojson");
        let good = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, good.replacen("429006001001001", "42900600100100", 1)).unwrap();
        let problem = City::load(dir.path()).unwrap_err();
        assert_eq!(
            (problem.code.as_str(), problem.place.as_str()),
            ("city-layer", "layers/grids.geojson")
        );
        std::fs::remove_file(&path).unwrap();
        assert!(City::load(dir.path()).unwrap().grids.is_empty());
    }

    #[test]
    fn towns_that_were_merged_are_read_from_the_profile() {
        let city = City::embedded("tianmen").unwrap();
        assert!(city.successions.is_empty());
        let dir = tempfile::tempdir().unwrap();
        city.files.export(dir.path()).unwrap();
        let path = dir.path().join(SUCCESSIONS);
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("code,name,into,on\n429006199,旧河镇,429006001,2024-05-01\n");
        let merged = City::load(dir.path()).unwrap();
        let day = jiff::civil::date(2024, 5, 1);
        assert!(matches!(
            merged.division("429006199", day),
            Division::Former { town, was } if town.code == "429006001" && was.name == "旧河镇"
        ));
        assert_eq!(merged.town_name("429006199"), Some("旧河镇"));
        assert_eq!(merged.town_name("429006001"), Some("竟陵街道"));
        assert_eq!(merged.town_name("1"), None);
        // One that is merged next year is still drawn: it is a town until then.
        write("code,name,into,on\n429006002,候口街道,429006001,2027-01-01\n");
        let merged = City::load(dir.path()).unwrap();
        let count = |year| merged.towns_on(jiff::civil::date(year, 1, 1)).count();
        assert_eq!([count(2026), count(2027)], [28, 27]);
        write("code,name,into,on\n429006199,旧河镇,429006998,2024-05-01\n");
        let problem = City::load(dir.path()).unwrap_err();
        assert_eq!(
            (problem.code.as_str(), problem.place.as_str()),
            ("city-succession", "successions.csv:2")
        );
    }

    #[test]
    fn an_unknown_city_and_a_path_outside_are_refused() {
        assert_eq!(City::embedded("atlantis").unwrap_err().code, "city-unknown");
        let city = City::embedded("tianmen").unwrap();
        assert!(city.files.read("../tianmen/city.toml").is_err());
        assert!(city.files.read("nothing.csv").unwrap().is_none());
    }
}
