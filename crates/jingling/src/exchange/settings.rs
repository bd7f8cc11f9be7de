//! `[tcec102]`: the exchange with other charging platforms, and each `[[tcec102.partner]]`.

use crate::settings::{Settings, section};
use anyhow::{Context, Result, bail};
use oidc::address::Network;
use proto_tcec102::Limits;
use proto_tcec102::config::OPERATOR_ID_CHARS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// The setting that names networks inside where a partner may be.
pub(super) const NETWORKS: &str = "tcec102.networks";
const KIB: usize = 1_024;

/// What a partner is to the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartnerRole {
    /// It runs stations and tells us; we supervise (运营商).
    Operator,
    /// It supervises, or sells for us, and asks us (监管或聚合平台).
    Regulator,
}

impl PartnerRole {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Regulator => "regulator",
        }
    }
}

/// One `[[tcec102.partner]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSettings {
    /// Its operator id (运营商标识), 9 letters and digits.
    pub operator_id: String,
    /// What people call it.
    pub name: String,
    /// `operator` or `regulator`.
    pub role: PartnerRole,
    /// File with the secrets of both directions, in the city's folder, such as `secrets/exchange-123456789.json`; only its owner may read it.
    pub secrets_file: String,
    /// Where it is asked, such as `https://p.example/evcs/v20160701`, without an end slash; empty: it is only answered.
    #[serde(default)]
    pub url: String,
}

section!(/// The exchange with other charging platforms (T/CEC 102-2016).
ExchangeSettings {
    /// Whether partners are answered and asked.
    open: bool = false,
    /// The city's own operator id, 9 letters and digits.
    operator_id: String = String::new(),
    /// The last part but one of the door's address, `/evcs/VERSION/…`.
    version: String = "v20160701".into(),
    /// Code of the division (GB/T 2260) that the city's stations are told with, six digits; empty: the city profile's.
    area_code: String = String::new(),
    /// Telephone of the service that the city's stations are told with.
    service_tel: String = String::new(),
    /// Largest message and largest answer, KiB.
    message_kib_max: usize = 4_096,
    /// Most messages of one partner in a minute; beyond, it is told that we are busy.
    requests_per_minute_max: u32 = 600,
    /// Most messages from one address in a minute, before anything is looked at.
    peer_requests_per_minute_max: u32 = 1_200,
    /// Most addresses that are counted in a minute.
    peers_max: usize = 10_000,
    /// Most dead letters that are kept of one address in a minute.
    dead_letters_per_peer_max: u32 = 60,
    /// How far a partner's clock may be from ours, seconds.
    clock_off_seconds_max: i64 = 600,
    /// How long a token is good, seconds.
    token_seconds: i64 = 7_200,
    /// Most charge points, and most stations, that a partner may name.
    points_max: usize = 20_000,
    /// Most orders of one comparison.
    orders_max: usize = 20_000,
    /// Longest time that one comparison may be of, days.
    compare_days_max: i64 = 31,
    /// Most comparisons that a partner may ask for in a day.
    comparisons_per_day_max: i64 = 100,
    /// The hour of Beijing time from which on the day before is compared, 0 to 23.
    compare_hour: i64 = 2,
    /// Networks inside where partners may be, such as "10.1.0.0/16"; without them nothing inside is reached, and outside nothing without TLS.
    networks: Vec<String> = Vec::new(),
    /// PEM file of the authorities that are believed when a partner is asked over TLS.
    authorities: String = "/etc/ssl/certs/ca-certificates.crt".into(),
    /// Longest wait for a partner's answer, seconds.
    answer_seconds_max: u64 = 30,
    /// Time between looks at what is to be told and asked, seconds.
    look_seconds: u64 = 5,
    /// Time between two notices of how a charge goes, seconds (T/CEC 102.3: 50).
    charge_status_seconds: i64 = 50,
    /// Time between questions for a partner's stations, hours.
    stations_hours: i64 = 24,
    /// Time between questions how a partner's stations are, minutes.
    statuses_minutes: i64 = 15,
    /// How long a charge that a partner asked for may take to begin, minutes; then it is told as failed.
    start_wait_minutes: i64 = 10,
    /// Most charges of one partner that go on at stations of ours.
    open_orders_max: i64 = 200,
    /// How long after a try that came to nothing a notice is told again, seconds; twice as long each time, an hour at most.
    again_seconds: i64 = 15,
    /// How long a notice is tried, days; then it is given up and shown.
    notice_days_max: i64 = 7,
    /// How long a notice that was taken is kept, days.
    notices_keep_days: i64 = 30,
    /// The partners, each a `[[tcec102.partner]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partner: Vec<PartnerSettings> = Vec::new(),
});

fn is_operator_id(text: &str) -> bool {
    text.len() == OPERATOR_ID_CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl ExchangeSettings {
    /// Looks through the settings.
    ///
    /// # Errors
    /// The key, and what it should be.
    pub fn check(&self) -> Result<()> {
        self.networks()?;
        let own = &self.operator_id;
        if (self.open || !own.is_empty()) && !is_operator_id(own) {
            bail!(
                "tcec102.operator_id = \"{own}\": the exchange opens with the city's operator id, {OPERATOR_ID_CHARS} letters and digits"
            );
        }
        let area = &self.area_code;
        let is_code = area.len() == 6 && area.bytes().all(|b| b.is_ascii_digit());
        if !area.is_empty() && !is_code {
            bail!("tcec102.area_code = \"{area}\": write six digits (GB/T 2260), or nothing");
        }
        if self.version.is_empty() || !self.version.bytes().all(|b| b.is_ascii_alphanumeric()) {
            bail!("tcec102.version must be letters and digits, such as v20160701");
        }
        let positive = [
            ("message_kib_max", self.message_kib_max > 0),
            ("requests_per_minute_max", self.requests_per_minute_max > 0),
            (
                "peer_requests_per_minute_max",
                self.peer_requests_per_minute_max > 0,
            ),
            ("peers_max", self.peers_max > 0),
            ("clock_off_seconds_max", self.clock_off_seconds_max > 0),
            ("token_seconds", self.token_seconds > 0),
            ("points_max", self.points_max > 0),
            ("orders_max", self.orders_max > 0),
            ("compare_days_max", self.compare_days_max > 0),
            ("comparisons_per_day_max", self.comparisons_per_day_max > 0),
            ("answer_seconds_max", self.answer_seconds_max > 0),
            ("charge_status_seconds", self.charge_status_seconds > 0),
            ("stations_hours", self.stations_hours > 0),
            ("statuses_minutes", self.statuses_minutes > 0),
            ("start_wait_minutes", self.start_wait_minutes > 0),
            ("open_orders_max", self.open_orders_max > 0),
            ("again_seconds", self.again_seconds > 0),
            ("notice_days_max", self.notice_days_max > 0),
            ("notices_keep_days", self.notices_keep_days > 0),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, is_good)| !is_good) {
            bail!("tcec102.{key} must be 1 at least");
        }
        if !(0..=23).contains(&self.compare_hour) {
            bail!("tcec102.compare_hour must be 0 to 23");
        }
        let mut ids = BTreeSet::from([own.as_str()]);
        for partner in &self.partner {
            let id = partner.operator_id.as_str();
            if !is_operator_id(id) || !ids.insert(id) {
                bail!(
                    "tcec102.partner \"{id}\": its operator_id must be {OPERATOR_ID_CHARS} letters and digits, and nobody else's"
                );
            }
            if partner.name.trim().is_empty() || partner.secrets_file.trim().is_empty() {
                bail!("tcec102.partner \"{id}\": it needs a name and a secrets_file");
            }
            if !partner.url.is_empty() {
                let url = Url::parse(&partner.url)
                    .with_context(|| format!("url of tcec102.partner \"{id}\""))?;
                let is_web = matches!(url.scheme(), "https" | "http") && url.host_str().is_some();
                if !is_web || url.query().is_some() || url.path().ends_with('/') {
                    bail!(
                        "tcec102.partner \"{id}\": write its url as https://p.example/evcs/v20160701, without an end slash"
                    );
                }
            }
        }
        Ok(())
    }

    /// The networks inside where partners may be.
    ///
    /// # Errors
    /// A text that is no network.
    pub fn networks(&self) -> Result<Vec<Network>> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|why| anyhow::anyhow!("{NETWORKS}: {why}"))
        };
        self.networks.iter().map(parse).collect()
    }

    /// Largest message, bytes.
    pub const fn message_bytes_max(&self) -> usize {
        self.message_kib_max.saturating_mul(KIB)
    }

    /// Limits of the protocol.
    pub fn limits(&self) -> Limits {
        Limits {
            message_bytes_max: self.message_bytes_max(),
            clock_off_s_max: self.clock_off_seconds_max,
            token_s: self.token_seconds,
            orders_max: self.orders_max,
            ..Limits::default()
        }
    }

    /// The code of the division that the city's stations are told with.
    pub fn area_code(&self, city: &city::City) -> String {
        match self.area_code.as_str() {
            "" => city.code.chars().take(6).collect(),
            said => said.to_owned(),
        }
    }
}

/// Looks whether the settings make sense.
///
/// # Errors
/// The first that does not.
pub fn check(settings: &Settings) -> Result<()> {
    settings.tcec102.check()
}
