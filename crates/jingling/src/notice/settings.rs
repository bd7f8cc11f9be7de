//! `[notice]` and its channels. Nothing is sent outside that is not set here.

use crate::files;
use crate::settings::Settings;
use anyhow::{Result, bail};
use notice::flood::Limits;
use notice::retry::Retry;
use oidc::address::Network;
use records::Secret;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use url::Url;

/// The setting that names networks inside that webhooks and gateways may be in.
pub const NETWORKS: &str = "notice.networks";
/// Longest time that one sending may be given, seconds; the lease of a message is longer.
pub const SECONDS_MAX: u64 = 60;

/// One `[[notice.channel]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
// A handful, read once.
#[allow(clippy::large_enum_variant)]
pub enum ChannelSettings {
    /// E-mail over SMTP.
    Smtp(Smtp),
    /// A system that takes signed JSON.
    Webhook(Webhook),
    /// A gateway of short messages (短信网关) over HTTP.
    Sms(Gateway),
    /// A gateway that speaks to people by telephone (语音网关) over HTTP.
    Voice(Gateway),
}

/// What every channel has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Common {
    /// Its id, which rules name: small letters, digits and `-`.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Longest time of one sending, seconds.
    pub seconds_max: u64,
    /// When it is tried again.
    pub retry: Retry,
    /// How much of it there may be.
    pub limits: Limits,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            id: String::new(),
            title_zh: String::new(),
            title_en: String::new(),
            seconds_max: 15,
            retry: Retry::default(),
            limits: Limits::default(),
        }
    }
}

/// Keys that a channel does not have: told, not passed over.
pub type Unknown = BTreeMap<String, serde_json::Value>;

/// How mail's connection is kept from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// STARTTLS, without which nothing is sent (RFC 3207).
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314, 3.3).
    Tls,
    /// None: without a password, and for a server beside the city alone.
    None,
}

/// E-mail.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Smtp {
    /// What every channel has.
    #[serde(flatten)]
    pub common: Common,
    /// Keys that there are not.
    #[serde(flatten, skip_serializing)]
    pub unknown: Unknown,
    /// Name or address of the server.
    pub host: String,
    /// Its port; 0 takes 587 for STARTTLS, 465 for TLS, 25 for none.
    #[serde(default)]
    pub port: u16,
    /// How the connection is kept from others.
    #[serde(default)]
    pub tls: MailTls,
    /// The name to sign in with; empty: nobody signs in.
    #[serde(default)]
    pub username: String,
    /// File with the password, in the city's folder.
    #[serde(default)]
    pub password_file: String,
    /// Whom mail is from: `name@example.cn` or `Name <name@example.cn>`.
    pub from: String,
}

/// A webhook.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Webhook {
    /// What every channel has.
    #[serde(flatten)]
    pub common: Common,
    /// Keys that there are not.
    #[serde(flatten, skip_serializing)]
    pub unknown: Unknown,
    /// Where it is posted.
    pub url: String,
    /// File with the secret that signs it, in the city's folder.
    pub secret_file: String,
}

/// How values are written into a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// JSON: placeholders stand within quotes.
    Json,
    /// XML: `&`, `<`, `>` and quotes are written as entities.
    Xml,
}

/// A gateway over HTTP.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Gateway {
    /// What every channel has.
    #[serde(flatten)]
    pub common: Common,
    /// Keys that there are not.
    #[serde(flatten, skip_serializing)]
    pub unknown: Unknown,
    /// Where; may hold placeholders, which are written percent-encoded.
    pub url: String,
    /// `POST` or `GET`.
    #[serde(default = "post")]
    pub method: String,
    /// Further headers; values may hold placeholders.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How the body is written.
    #[serde(default)]
    pub format: Format,
    /// The body with placeholders: `{to}`, `{text}`, `{key}`, `{secret}`, `{time}` (seconds since 1970).
    #[serde(default)]
    pub body: String,
    /// File with the secret of the gateway's account, in the city's folder; empty: none.
    #[serde(default)]
    pub secret_file: String,
    /// JSON pointer (RFC 6901) to what says in the answer whether it was taken; empty: the HTTP status does.
    #[serde(default)]
    pub success_path: String,
    /// The values there that say it was.
    #[serde(default)]
    pub success_values: Vec<String>,
    /// The values there after which it is not tried again, such as that of a number that there is not.
    #[serde(default)]
    pub never_values: Vec<String>,
    /// JSON pointer to what the gateway calls the message; empty: it does not say.
    #[serde(default)]
    pub id_path: String,
    /// File with the secret of the address to which the gateway brings receipts; empty: there are none.
    #[serde(default)]
    pub receipts_secret_file: String,
    /// JSON pointer, within a receipt, to what the gateway calls the message; a field of a form is `/field`.
    #[serde(default)]
    pub receipt_id_path: String,
    /// JSON pointer to what became of it.
    #[serde(default)]
    pub receipt_state_path: String,
    /// The values there that say it arrived.
    #[serde(default)]
    pub receipt_arrived: Vec<String>,
}

fn post() -> String {
    "POST".to_owned()
}

impl ChannelSettings {
    /// What every channel has.
    pub fn common(&self) -> &Common {
        match self {
            Self::Smtp(smtp) => &smtp.common,
            Self::Webhook(webhook) => &webhook.common,
            Self::Sms(gateway) | Self::Voice(gateway) => &gateway.common,
        }
    }
}

fn unknown(channel: &ChannelSettings) -> &Unknown {
    match channel {
        ChannelSettings::Smtp(smtp) => &smtp.unknown,
        ChannelSettings::Webhook(webhook) => &webhook.unknown,
        ChannelSettings::Sms(gateway) | ChannelSettings::Voice(gateway) => &gateway.unknown,
    }
}

/// The secret of a file that a channel names.
pub fn secret(folder: &Path, file: &str, common: &Common, key: &str) -> Result<Secret> {
    let named = format!("{key} of notice.channel \"{}\"", common.id);
    files::read_secret(folder, file, &named)
}

/// The networks inside that may be reached.
///
/// # Errors
/// One that is none.
pub fn networks(settings: &Settings) -> Result<Vec<Network>> {
    let parse = |text: &String| {
        text.parse()
            .map_err(|why| anyhow::anyhow!("{NETWORKS}: {why}"))
    };
    settings.notice.networks.iter().map(parse).collect()
}

/// Looks whether the settings make sense.
///
/// # Errors
/// The first that does not.
pub fn check(settings: &Settings) -> Result<()> {
    networks(settings)?;
    // Sendings of the last day are counted and told: they must be there.
    if settings.notice.keep_days == 1 {
        bail!("notice.keep_days must be 2 at least, or 0 to keep everything");
    }
    if settings.notice.trim_rows_max == 0 {
        bail!("notice.trim_rows_max must be 1 at least");
    }
    let mut ids = BTreeSet::from([records::notices::PAGE]);
    for channel in &settings.notice.channel {
        let common = channel.common();
        let id = common.id.as_str();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(plain) {
            bail!("notice.channel \"{id}\": use small letters, digits and - as its id");
        }
        if let Some(key) = unknown(channel).keys().next() {
            bail!(
                "notice.channel \"{id}\": it has no key \"{key}\"; docs/notice.md names those there are"
            );
        }
        if !ids.insert(id) {
            bail!("notice.channel \"{id}\": another has the same id, or it is that of the pages");
        }
        if !(1..=SECONDS_MAX).contains(&common.seconds_max) {
            bail!("notice.channel \"{id}\": seconds_max must be 1 to {SECONDS_MAX}");
        }
        let (retry, limits) = (&common.retry, &common.limits);
        if retry.first_seconds < 1 || retry.seconds_max < 1 || retry.attempts_max < 1 {
            bail!("notice.channel \"{id}\": the numbers of retry must be 1 at least");
        }
        if limits.per_minute_max < 1 || limits.per_person_max < 1 || limits.person_seconds < 1 {
            bail!("notice.channel \"{id}\": the numbers of limits must be 1 at least");
        }
        match channel {
            ChannelSettings::Smtp(smtp) => {
                if smtp.tls == MailTls::None && !smtp.username.is_empty() {
                    bail!("notice.channel \"{id}\": a password is not sent without TLS; set tls");
                }
                if smtp.username.is_empty() != smtp.password_file.is_empty() {
                    bail!("notice.channel \"{id}\": username and password_file go together");
                }
                if smtp.host.is_empty() {
                    bail!("notice.channel \"{id}\": it has no host");
                }
            }
            ChannelSettings::Webhook(webhook) => address(id, &webhook.url)?,
            ChannelSettings::Sms(gateway) | ChannelSettings::Voice(gateway) => {
                // Placeholders may stand in it, but not in its host.
                address(id, &gateway.url.replace(['{', '}'], "_"))?;
                if gateway
                    .url
                    .split('/')
                    .nth(2)
                    .is_none_or(|host| host.contains('{'))
                {
                    bail!(
                        "notice.channel \"{id}\": a placeholder in the host of url would send people's numbers anywhere"
                    );
                }
                if !["GET", "POST"].contains(&gateway.method.as_str()) {
                    bail!("notice.channel \"{id}\": method must be GET or POST");
                }
                if gateway.success_path.is_empty() != gateway.success_values.is_empty() {
                    bail!("notice.channel \"{id}\": success_path and success_values go together");
                }
                let receipts = [&gateway.receipt_id_path, &gateway.receipt_state_path];
                if !gateway.receipts_secret_file.is_empty()
                    && (receipts.iter().any(|path| path.is_empty())
                        || gateway.receipt_arrived.is_empty()
                        || gateway.id_path.is_empty())
                {
                    bail!(
                        "notice.channel \"{id}\": receipts need id_path, receipt_id_path, receipt_state_path and receipt_arrived"
                    );
                }
            }
        }
    }
    Ok(())
}

fn address(id: &str, text: &str) -> Result<()> {
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(()),
        _ => bail!("notice.channel \"{id}\": url must begin with https:// (or http:// inside)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TEMPLATE;

    fn with(channel: &str) -> Result<Settings> {
        let settings: Settings =
            toml::from_str(&format!("{TEMPLATE}\n[[notice.channel]]\n{channel}"))?;
        check(&settings)?;
        Ok(settings)
    }

    const MAIL: &str =
        "kind = \"smtp\"\nid = \"mail\"\nhost = \"mail.example\"\nfrom = \"city@example.cn\"\n";
    const SMS: &str = "kind = \"sms\"\nid = \"sms\"\nurl = \"https://sms.example/send\"\nbody = \"m={to}&c={text}\"\n";

    #[test]
    fn what_is_kept_is_longer_than_what_is_counted() {
        let with = |set: &dyn Fn(&mut Settings)| {
            let mut settings: Settings = toml::from_str(TEMPLATE).unwrap();
            set(&mut settings);
            check(&settings)
        };
        assert!(with(&|s| s.notice.keep_days = 0).is_ok());
        assert!(with(&|s| s.notice.keep_days = 2).is_ok());
        let error = with(&|s| s.notice.keep_days = 1).unwrap_err();
        assert!(error.to_string().contains("keep_days"));
        let error = with(&|s| s.notice.trim_rows_max = 0).unwrap_err();
        assert!(error.to_string().contains("trim_rows_max"));
    }

    #[test]
    fn a_channel_needs_little_and_what_makes_no_sense_is_told() {
        assert_eq!(with(MAIL).unwrap().notice.channel.len(), 1);
        assert_eq!(with(SMS).unwrap().notice.channel.len(), 1);
        for (bad, told) in [
            (MAIL.replace("mail\"\nh", "Mail\"\nh"), "small letters"),
            (MAIL.replace("id = \"mail\"", "id = \"page\""), "same id"),
            (
                format!("{MAIL}tls = \"none\"\nusername = \"a\"\npassword_file = \"b\""),
                "without TLS",
            ),
            (format!("{MAIL}username = \"a\""), "go together"),
            (format!("{MAIL}seconds_max = 0"), "seconds_max"),
            (
                format!("{MAIL}[notice.channel.retry]\nattempts_max = 0"),
                "retry",
            ),
            (
                SMS.replace("https://sms.example", "https://{to}.example"),
                "anywhere",
            ),
            (SMS.replace("https", "ftp"), "https"),
            (format!("{SMS}methud = \"GET\""), "methud"),
            (format!("{SMS}method = \"PUT\""), "method"),
            (
                format!("{SMS}receipts_secret_file = \"x\""),
                "receipts need",
            ),
        ] {
            let error = format!("{:#}", with(&bad).unwrap_err());
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
