//! The settings of other Open311 endpoints: `[[open311.endpoint]]`, whose requests become cases here, and `[[open311.forward]]`, to
//! which cases are sent.

use crate::settings::Settings;
use anyhow::{Result, bail};
use notice::retry::Retry;
use oidc::address::Network;
use open311::query::DAYS_MAX;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// The setting that names networks inside where an endpoint may be.
pub(super) const NETWORKS: &str = "open311.networks";
const DAY_S: i64 = 86_400;
/// Longest description that a setting may ask for, in characters.
const DESCRIPTION_CHARS: std::ops::RangeInclusive<usize> = 200..=100_000;

/// How the key goes with what is only read. The standard asks for a key with POST alone, where it is in the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadKey {
    /// Not at all.
    #[default]
    None,
    /// As `api_key` in the address, where logs on the way may keep it.
    Query,
    /// As `Authorization: Bearer`, which Jingling takes.
    Bearer,
}

/// One `[[open311.endpoint]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Its name here: small letters, digits and `-`.
    pub name: String,
    /// Its address, such as `https://city.example/open311/v2`, without an end slash.
    pub url: String,
    /// What it calls the city; nothing is said when empty.
    #[serde(default)]
    pub jurisdiction_id: String,
    /// `json` or `xml`.
    #[serde(default = "json")]
    pub format: String,
    /// File with the key for it, in the city's folder; empty: none.
    #[serde(default)]
    pub key_file: String,
    /// How the key goes with what is read.
    #[serde(default)]
    pub read_key: ReadKey,
    /// Time between looks, seconds.
    #[serde(default = "every_seconds")]
    pub every_seconds: u64,
    /// How many days before now the first look begins, at most the standard's 90.
    #[serde(default = "first_days")]
    pub first_days: i64,
    /// How far back behind the bookmark each look begins, seconds: for requests that show late.
    #[serde(default = "overlap_seconds")]
    pub overlap_seconds: i64,
    /// Time between questions how a request that was taken stands there, seconds; 0: it is not asked.
    #[serde(default = "every_seconds")]
    pub follow_seconds: u64,
    /// The step that is suggested when a request was closed there; empty: none.
    #[serde(default)]
    pub closed_step: String,
    /// Whether the platform does that step itself where the workflow lets it. A step that ends a case is never done so.
    #[serde(default)]
    pub closed_moves: bool,
    /// Its service codes and the classes here that they mean; what is not named is not taken.
    pub services: BTreeMap<String, String>,
}

/// One `[[open311.forward]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardSettings {
    /// Its name here: small letters, digits and `-`.
    pub name: String,
    /// Its address, without an end slash.
    pub url: String,
    /// What it calls the city; nothing is said when empty.
    #[serde(default)]
    pub jurisdiction_id: String,
    /// `json` or `xml`.
    #[serde(default = "json")]
    pub format: String,
    /// File with the key for it, in the city's folder; empty: none.
    #[serde(default)]
    pub key_file: String,
    /// How the key goes with what is read.
    #[serde(default)]
    pub read_key: ReadKey,
    /// The classes here and its service codes; cases of other classes are not sent.
    pub services: BTreeMap<String, String>,
    /// The step with which a case is sent.
    #[serde(default = "open")]
    pub on: String,
    /// The departments of which one must be named in that step; of any or none when empty.
    #[serde(default)]
    pub organisations: Vec<String>,
    /// Whether what the reporter said of themselves goes with it, and words that look personal go whole.
    #[serde(default)]
    pub personal: bool,
    /// Longest description that it takes, in characters.
    #[serde(default = "description_chars_max")]
    pub description_chars_max: usize,
    /// Time between looks at what is to be sent, seconds.
    #[serde(default = "look_seconds")]
    pub look_seconds: u64,
    /// How long after a lost answer a request that is not found there is sent again, seconds: a server may list late.
    #[serde(default = "settle_seconds")]
    pub settle_seconds: i64,
    /// Whether it is sent again then; otherwise a person decides.
    #[serde(default = "yes")]
    pub repeat: bool,
    /// How long it is tried to look for a request after a lost answer before a person decides, seconds.
    #[serde(default = "hold_seconds")]
    pub hold_seconds: i64,
    /// When what was not taken is sent again.
    #[serde(default)]
    pub retry: Retry,
    /// Time between questions how a request stands there, seconds; 0: it is not asked.
    #[serde(default = "every_seconds")]
    pub follow_seconds: u64,
    /// The step that is suggested when it was closed there; empty: none.
    #[serde(default)]
    pub closed_step: String,
    /// Whether the platform does that step itself where the workflow lets it. A step that ends a case is never done so.
    #[serde(default)]
    pub closed_moves: bool,
}

fn json() -> String {
    "json".to_owned()
}

fn open() -> String {
    "open".to_owned()
}

const fn yes() -> bool {
    true
}

const fn every_seconds() -> u64 {
    300
}

const fn look_seconds() -> u64 {
    5
}

const fn settle_seconds() -> i64 {
    600
}

const fn hold_seconds() -> i64 {
    DAY_S
}

const fn description_chars_max() -> usize {
    4_000
}

const fn first_days() -> i64 {
    7
}

const fn overlap_seconds() -> i64 {
    3_600
}

/// What both kinds have in common: whom one speaks with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Called<'a> {
    pub section: &'static str,
    pub name: &'a str,
    pub url: &'a str,
    pub jurisdiction_id: &'a str,
    pub format: &'a str,
    pub key_file: &'a str,
    pub read_key: ReadKey,
}

impl Called<'_> {
    fn check(&self, names: &mut BTreeSet<String>) -> Result<()> {
        let Self { section, name, .. } = self;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) || !names.insert((*name).to_owned()) {
            bail!("{section}: the name \"{name}\" is taken or not of small letters, digits and -");
        }
        let url =
            Url::parse(self.url).map_err(|e| anyhow::anyhow!("{section} \"{name}\": url: {e}"))?;
        let is_bare = url.query().is_none() && url.fragment().is_none() && !self.url.ends_with('/');
        if !matches!(url.scheme(), "http" | "https") || !is_bare {
            bail!(
                "{section} \"{name}\": url: use an address of http or https without a query and an end slash"
            );
        }
        if !matches!(self.format, "json" | "xml") {
            bail!("{section} \"{name}\": format is json or xml");
        }
        if self.key_file.is_empty() && self.read_key != ReadKey::None {
            bail!("{section} \"{name}\": read_key wants a key: name its file in key_file");
        }
        Ok(())
    }
}

impl EndpointSettings {
    pub(super) fn called(&self) -> Called<'_> {
        Called {
            section: "open311.endpoint",
            name: &self.name,
            url: &self.url,
            jurisdiction_id: &self.jurisdiction_id,
            format: &self.format,
            key_file: &self.key_file,
            read_key: self.read_key,
        }
    }
}

impl ForwardSettings {
    pub(super) fn called(&self) -> Called<'_> {
        Called {
            section: "open311.forward",
            name: &self.name,
            url: &self.url,
            jurisdiction_id: &self.jurisdiction_id,
            format: &self.format,
            key_file: &self.key_file,
            read_key: self.read_key,
        }
    }

    fn check(&self) -> Result<()> {
        let name = &self.name;
        if self.services.is_empty() || self.on.is_empty() {
            bail!(
                "open311.forward \"{name}\": services must name a class at least, on must name a step"
            );
        }
        if self.look_seconds == 0 || self.settle_seconds < 0 || self.hold_seconds < 0 {
            bail!(
                "open311.forward \"{name}\": look_seconds must be 1 at least, settle_seconds and hold_seconds 0"
            );
        }
        let retry = self.retry;
        if retry.first_seconds < 1 || retry.seconds_max < 1 || retry.attempts_max < 1 {
            bail!("open311.forward \"{name}\": every value of retry must be 1 at least");
        }
        if !DESCRIPTION_CHARS.contains(&self.description_chars_max) {
            bail!(
                "open311.forward \"{name}\": description_chars_max must be {} to {}",
                DESCRIPTION_CHARS.start(),
                DESCRIPTION_CHARS.end()
            );
        }
        Ok(())
    }
}

pub(super) fn networks(settings: &Settings) -> Result<Vec<Network>> {
    let parse = |text: &String| {
        text.parse()
            .map_err(|why| anyhow::anyhow!("{NETWORKS}: {why}"))
    };
    settings.open311.networks.iter().map(parse).collect()
}

/// Looks whether the settings make sense.
///
/// # Errors
/// The first that does not.
pub fn check(settings: &Settings) -> Result<()> {
    networks(settings)?;
    let written = &settings.open311;
    if written.media_files_max == 0 || written.follow_days_max < 1 {
        bail!("open311.media_files_max and open311.follow_days_max must be 1 at least");
    }
    let mut names = BTreeSet::new();
    for endpoint in &written.endpoint {
        let name = &endpoint.name;
        endpoint.called().check(&mut names)?;
        if endpoint.every_seconds == 0 || !(1..=DAYS_MAX).contains(&endpoint.first_days) {
            bail!(
                "open311.endpoint \"{name}\": every_seconds must be 1 at least, first_days 1 to {DAYS_MAX}"
            );
        }
        if !(0..=DAYS_MAX * DAY_S).contains(&endpoint.overlap_seconds) {
            bail!(
                "open311.endpoint \"{name}\": overlap_seconds must be 0 to {}",
                DAYS_MAX * DAY_S
            );
        }
    }
    let mut names = BTreeSet::new();
    for forward in &written.forward {
        forward.called().check(&mut names)?;
        forward.check()?;
    }
    Ok(())
}
