//! The city's settings: one file, `DIR/jingling.toml`, whose every key is documented in the file that
//! `jingling init` writes; overridden by `JINGLING__A__B` and then by `--set a.b=c`. A key that does not
//! exist is an error that names the keys that do.

use anyhow::{Context, Result, bail};
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;

/// Name of the settings file in the city's folder.
pub const FILE_NAME: &str = "jingling.toml";
/// Prefix of the environment variables that override a key.
pub const ENV_PREFIX: &str = "JINGLING__";

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The city.
    pub city: CitySettings,
    /// The pages and the API.
    pub http: Http,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// The MQTT door.
    pub mqtt: Mqtt,
    /// The door of hydrological stations.
    pub sl651: Sl651,
    /// The door of charge points.
    pub ocpp: crate::charging::settings::OcppSettings,
    /// How charging is billed.
    pub charging: crate::charging::settings::ChargingSettings,
    /// The exchange with other charging platforms.
    pub tcec102: crate::exchange::settings::ExchangeSettings,
    /// The PostgreSQL door.
    pub postgres: Postgres,
    /// Signing in to other systems.
    pub oidc: OidcSettings,
    /// The thematic systems.
    pub packs: PackSettings,
    /// Who may see what.
    pub policy: PolicySettings,
    /// TLS of every door.
    pub tls: Tls,
    /// How safe the platform is.
    pub security: SecuritySettings,
    /// What may be reached from outside.
    pub network: Network,
    /// What is believed.
    pub admission: Admission,
    /// The durable log.
    pub journal: JournalSettings,
    /// History.
    pub lake: LakeSettings,
    /// The current state.
    pub twin: TwinSettings,
    /// Queries.
    pub sql: Sql,
    /// Alert rules.
    pub rules: RuleSettings,
    /// Files that departments hand in.
    pub import: ImportSettings,
    /// Answers written to files on the command line.
    pub export: ExportSettings,
    /// The plan's figures.
    pub indicators: IndicatorSettings,
    /// The front page, the wall screen and replay.
    pub command_centre: CommandCentre,
    /// Runs of packs' mathematics.
    pub runs: RunSettings,
    /// Personal data.
    pub personal: PersonalSettings,
    /// Copies on another disk.
    pub backup: BackupSettings,
    /// The audit trail.
    pub audit: AuditSettings,
    /// What needs a second person.
    pub approval: ApprovalSettings,
    /// Telling people.
    pub notice: NoticeSettings,
    /// Service requests.
    pub open311: Open311Settings,
    /// The plan's progress for everybody.
    pub portal: PortalSettings,
    /// Documents of the plan office.
    pub plan_office: PlanOfficeSettings,
    /// Reporting forms that are filled in once.
    pub forms: FormSettings,
    /// What the platform writes of itself.
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $kind:ty = $default:expr),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$fdoc])* pub $field: $kind),* }
        impl Default for $name {
            fn default() -> Self { Self { $($field: $default),* } }
        }
    };
}

pub(crate) use section;

section!(/// The city.
CitySettings {
    /// The city profile: a folder of `cities/` that the binary carries.
    profile: String = "tianmen".into(),
    /// Whether this city plays demonstration data; the pages say so.
    demo: bool = false,
});
section!(/// The pages and the API.
Http {
    /// Address and port; port 0 takes a free one.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8480)),
    /// Address and port of the pages and the API over TLS; an empty text closes this listener.
    tls_listen: String = String::new(),
    /// How long a browser keeps to HTTPS once it came over it, seconds; 0 says nothing of it.
    hsts_seconds: u32 = 31_536_000,
    /// Largest request body, MiB.
    body_mib_max: usize = 16,
    /// Most that is read of a body that was refused, so that its sender meets the answer and not a closed connection, MiB.
    refused_body_mib_max: usize = 64,
    /// For how long it is read at most, seconds.
    refused_body_seconds_max: u64 = 10,
    /// Longest time for one request, seconds (the live stream is exempt).
    request_seconds_max: u64 = 60,
    /// Largest photo or document attached to a case, MiB.
    attachment_mib_max: usize = 10,
    /// Longest voice note of a case, seconds.
    voice_seconds_max: u32 = 120,
    /// Largest voice note, KiB: two minutes at the 128 kbit/s of a phone that records AAC.
    voice_kib_max: usize = 2_048,
    /// Largest picture of a signature, KiB.
    signature_kib_max: usize = 256,
    /// How long a phone without a network may show a field worker's tasks after it read them, hours; 0 shows none. What was
    /// entered on it is kept until it is sent, however long that takes.
    offline_hours_max: u32 = 72,
    /// Set when a proxy in front speaks HTTPS and everybody comes through it: the session cookie is then marked Secure.
    cookie_secure: bool = false,
    /// Networks of the reverse proxies in front, such as ["10.0.0.0/8"]: from these alone it is believed on whose behalf they
    /// ask, and whether over HTTPS.
    trusted_proxies: Vec<String> = Vec::new(),
    /// The header in which they write that: "x-forwarded-for" (with x-forwarded-proto) or "forwarded" (RFC 7239). The other
    /// is ignored: the proxy passes it on as the client sent it.
    proxy_header: String = "x-forwarded-for".into(),
    /// The address under which people reach the city, such as "https://city.example.gov.cn": passkeys are made for it. An
    /// empty text takes `oidc.issuer`, or without it "http://localhost" with the port, where only this machine is listened to.
    public_url: String = String::new(),
});
section!(/// How people sign in.
SignInSettings {
    /// Roles whose people must have a second factor, such as ["admin"]; who has none sets one up at the next sign-in.
    second_factor_required_for: Vec<String> = Vec::new(),
    /// A session ends after lying unused this long, minutes.
    session_idle_minutes: i64 = 120,
    /// A session ends after this long however much it is used, hours.
    session_hours: i64 = 12,
    /// How far from the server's clock the time in a proof of a device's key may be, each way, seconds.
    device_proof_window_seconds: i64 = 300,
    /// Networks inside where an outside provider may be reached, such as "10.1.0.0/16".
    provider_networks: Vec<String> = Vec::new(),
    /// PEM file of the authorities that are believed when an outside provider is asked over TLS.
    provider_authorities: String = "/etc/ssl/certs/ca-certificates.crt".into(),
    /// How much the clock of an outside provider may differ, seconds.
    provider_clock_skew_seconds: i64 = 60,
    /// Outside providers that people may sign in with, each a `[[sign_in.provider]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provider: Vec<crate::outside::ProviderSettings> = Vec::new(),
});
section!(/// TLS of every door.
Tls {
    /// PEM file with the certificate chain, the server's own first; an empty text: tls/certificate.pem in the city's folder,
    /// which is made and signed by itself at the first start.
    certificate: String = String::new(),
    /// PEM file with the key that belongs to it.
    key: String = String::new(),
    /// Names and addresses of a certificate that is made.
    names: Vec<String> = vec!["localhost".into(), "127.0.0.1".into()],
    /// The oldest version that is spoken: "1.3", or "1.2" while old devices need it.
    version_min: String = "1.3".into(),
    /// Time between looks whether the files are new, seconds.
    reload_seconds: u64 = 60,
});
section!(/// How safe the platform is.
SecuritySettings {
    /// Time between the platform's own figures of security, which rules of pack-security watch, seconds; 0: none.
    publish_seconds: u64 = 60,
});
section!(/// The MQTT door.
Mqtt {
    /// Address and port of MQTT; port 0 takes a free one; an empty text closes this listener.
    listen: String = "127.0.0.1:1883".into(),
    /// Address and port of MQTT over TLS; an empty text closes this listener.
    tls_listen: String = "127.0.0.1:8883".into(),
    /// Most connections at once.
    connections_max: usize = 10_000,
    /// Largest packet, KiB.
    packet_kib_max: usize = 1_024,
});
section!(/// The door of hydrological stations (SL 651-2014).
Sl651 {
    /// Address and port of TCP; port 0 takes a free one; an empty text closes this listener.
    tcp_listen: String = String::new(),
    /// Address and port of UDP; port 0 takes a free one; an empty text closes this listener.
    udp_listen: String = String::new(),
    /// Set when it is accepted that stations show nothing but their address and a password of 16 bits, in the clear.
    weak_identity_is_accepted: bool = false,
    /// The password that stations send, four hexadecimal digits; an empty text: it is not looked at.
    password: String = String::new(),
    /// What ids of devices begin with that are stations; the station's code follows.
    entity_prefixes: Vec<String> = ["WaterObserved", "WaterReservoir", "SluiceGate", "PumpingStation", "WaterConsumptionObserved"]
        .map(|kind| format!("urn:ngsi-ld:{kind}:"))
        .into(),
    /// Whether messages are confirmed (modes M2 and M3); false for links that go one way (M1).
    answers: bool = true,
    /// Whether stations are asked to stay on the line for ten minutes after a report.
    keeps_on_line: bool = true,
    /// Whether stations' clocks are set when they are off by more than five minutes.
    sets_clocks: bool = false,
    /// How far a station's clock may be off before its observations are marked as doubtful, seconds.
    clock_doubt_seconds_max: i64 = 3_600,
    /// Largest step of a stage from one reading to the next within an hour that is believed at once, metres; 0: any.
    stage_step_m_max: f64 = 5.0,
    /// Largest picture, KiB.
    picture_kib_max: usize = 512,
    /// Most links at once, over TCP and over UDP each.
    links_max: usize = 20_000,
    /// Most TCP links at once from one address: a relay of an operator holds those of all its stations.
    links_per_peer_max: usize = 5_000,
    /// A link on which nothing came for this long is closed, seconds.
    idle_seconds_max: u64 = 7_200,
    /// Most dead letters kept of one address within a minute.
    dead_letters_per_peer_max: u32 = 120,
    /// Stations whose device or password is another, each a `[[sl651.station]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    station: Vec<crate::sl651_door::StationSettings> = Vec::new(),
});
section!(/// The PostgreSQL door.
Postgres {
    /// Address and port where clients may speak with or without TLS, on this machine only; port 0 takes a
    /// free one; an empty text closes this listener.
    listen: String = String::new(),
    /// Address and port where clients must use TLS; an empty text closes this listener.
    tls_listen: String = String::new(),
    /// Most connections at once.
    connections_max: usize = 100,
    /// A connection that asks nothing for this long is closed, seconds.
    idle_seconds_max: u64 = 3_600,
});
section!(/// What policies decide.
PolicySettings {
    /// Whether they decide over rows and columns too, not over operations alone.
    rows: bool = true,
});
section!(/// Signing in to other systems.
OidcSettings {
    /// The address under which people reach the city, without path and end slash; an empty text: nobody can sign in to
    /// other systems with their account here.
    issuer: String = String::new(),
    /// How long an access token and an ID token are good, seconds.
    token_seconds: i64 = 600,
    /// How long a sign-in at another system lasts with refresh tokens, days.
    sign_in_days: i64 = 90,
    /// Days after which a new key signs; 0: only when somebody asks for one.
    key_days: i64 = 90,
    /// Networks inside that may be told of ended sessions, such as "10.1.0.0/16"; without them nothing inside is reached.
    logout_networks: Vec<String> = Vec::new(),
    /// PEM file of the authorities that are believed when a system is told over TLS.
    logout_authorities: String = "/etc/ssl/certs/ca-certificates.crt".into(),
});
section!(/// Personal data.
PersonalSettings {
    /// How it is sealed with the next key that is made: "sm4-gcm" or "aes-256-gcm".
    cipher: String = "sm4-gcm".into(),
    /// Most entities whose personal values one answer shows whole.
    entities_max: usize = 200,
});
section!(/// What may be reached from outside.
Network {
    /// Listening on any address that is not loopback needs this set to true.
    allow_beyond_loopback: bool = false,
});
section!(/// What is believed.
Admission {
    /// Oldest observation accepted, days.
    observed_past_days_max: i64 = 3_650,
    /// How far ahead of the server a device's clock may be, seconds.
    observed_future_seconds_max: i64 = 300,
    /// Most attributes in one update.
    attributes_max: usize = 500,
});
section!(/// The durable log.
JournalSettings {
    /// Size of a segment file, MiB.
    segment_mib: u64 = 64,
    /// Most that may wait for the disk, MiB; beyond it doors answer "busy".
    buffer_mib_max: usize = 64,
    /// The newest messages that are kept in any case, GiB: provenance reads them.
    keep_gib: u64 = 64,
    /// Messages that came within this many days are kept too, whatever their size; 0: `keep_gib` decides.
    keep_days: u32 = 0,
});
section!(/// The thematic systems.
PackSettings {
    /// How often the files of the folder `packs` are looked at, seconds; packs whose files changed are checked and taken up. 0: only when
    /// somebody asks for it.
    reload_seconds: u64 = 10,
});
section!(/// History.
LakeSettings {
    /// Rows in memory before they are sealed to Parquet.
    seal_rows: usize = 500_000,
    /// Longest time that a row stays unsealed, minutes.
    seal_minutes: u64 = 10,
    /// Memory that compaction and rollups may take in the background, MiB.
    upkeep_mib_max: usize = 64,
    /// Observations that corrections took the place of and that may wait to leave their files; with more of
    /// them, corrections are refused for a while.
    struck_rows_max: usize = 10_000,
});
section!(/// The current state.
TwinSettings {
    /// Time between checkpoints, seconds; a restart replays what came after.
    checkpoint_seconds: u64 = 60,
    /// Attributes whose values are indexed; about 25 bytes for each entity that has one.
    indexed_attributes: Vec<model::AttributeName> = Vec::new(),
});
section!(/// Queries.
Sql {
    /// Most rows in a JSON answer; the rest is cut off and the answer says so.
    rows_max: usize = 10_000,
    /// Most rows in an answer that is sent as it is found (CSV, Arrow, PostgreSQL); more end it with an error.
    stream_rows_max: usize = 1_000_000,
    /// Longest time, seconds.
    seconds_max: u64 = 30,
    /// Most memory for one query, MiB.
    memory_mib_max: usize = 512,
});
section!(/// Alert rules.
RuleSettings {
    /// Most back-tests at work at the same time.
    back_tests_max: usize = 2,
    /// Longest period of a back-test, days.
    back_test_days_max: u32 = 366,
    /// Most observations that a back-test looks at.
    back_test_observations_max: u64 = 20_000_000,
    /// Most alerts that a back-test lists; the rest is counted.
    back_test_alerts_max: usize = 1_000,
});
section!(/// The front page, the wall screen and replay.
CommandCentre {
    /// What a registered device speaks for counts as heard when it was heard of within so many seconds, unless its type says another time.
    heard_within_seconds: u64 = 900,
    /// How long the city's overview is kept for each caller, milliseconds: any number of one person's screens cost one count.
    overview_kept_ms: u64 = 1_000,
    /// Most active alerts that are counted, and most alerts of a replay.
    alerts_max: u32 = 20_000,
    /// Most open cases that are looked at for the system that they belong to.
    cases_max: u32 = 20_000,
    /// Most rows of each kind behind a system's figures.
    rows_max: usize = 200,
    /// Most entities that the map and a replay are given.
    map_entities_max: usize = 200_000,
    /// Longest stretch that one replay may ask for, minutes.
    replay_minutes_max: u64 = 360,
    /// How far before its beginning a replay looks in history for an entity's last values, minutes.
    replay_look_back_minutes: u64 = 120,
    /// Most changes in one page of a replay.
    replay_changes_max: usize = 20_000,
    /// Most values that are read from history for the beginning of a replay.
    replay_state_rows_max: usize = 500_000,
    /// Most attributes that a replay may name.
    replay_attributes_max: usize = 20,
});
section!(/// Files that departments hand in.
ImportSettings {
    /// Largest file on the command line, MiB.
    file_mib_max: u64 = 256,
    /// Largest file over HTTP, MiB.
    upload_mib_max: u64 = 64,
    /// Most that a packed file (Excel, Parquet) may unpack to, MiB.
    unpacked_mib_max: u64 = 1_024,
    /// Most rows of one file.
    rows_max: usize = 1_000_000,
    /// Most columns.
    columns_max: usize = 500,
    /// Longest text in a cell, KiB.
    cell_kib_max: usize = 32,
    /// Most problems that a report names by line; the others are counted.
    problems_max: usize = 10_000,
});
section!(/// Answers written to files on the command line.
ExportSettings {
    /// Most rows of one file.
    rows_max: usize = 10_000_000,
    /// Longest time, seconds.
    seconds_max: u64 = 1_800,
});
section!(/// The plan's figures.
IndicatorSettings {
    /// An indicator whose data changed is measured again at most so often, milliseconds.
    measure_ms: u64 = 500,
    /// Every indicator is measured again after so long, seconds, whatever happened.
    recompute_seconds: u64 = 3_600,
    /// One whose query reads the time is measured again after so long, seconds.
    clock_seconds: u64 = 300,
    /// Most indicators that are measured at once though nothing of theirs changed.
    at_once_max: usize = 8,
    /// One whose query took longer is measured apart, so that the others do not wait for it, milliseconds.
    quick_ms: u64 = 100,
    /// Measuring takes at most so much of the time, percent, the quick ones and the slow ones each: after a measurement that took long it
    /// waits longer.
    busy_percent: u32 = 20,
    /// Who agrees to a reported figure before it counts, in order: `unit`, `plan-office`.
    report_levels: Vec<String> = vec!["unit".into(), "plan-office".into()],
    /// How often a figure is wanted of each reported indicator: `year`, `quarter` or `month`.
    report_every: String = "year".into(),
    /// Most files that prove one reported figure.
    report_files_max: usize = 20,
});
section!(/// Runs of packs' mathematics.
RunSettings {
    /// Most targets of a run.
    targets_max: usize = 1_000,
    /// Most rows that a run reads for one target.
    rows_max: usize = 100_000,
    /// For how many days runs are kept.
    keep_days: u32 = 400,
});
section!(/// Copies on another disk.
BackupSettings {
    /// The folder of the backup, made by hand with `jingling backup`; an empty text means none are taken.
    to: String = String::new(),
    /// Time between backups, hours.
    every_hours: u64 = 24,
    /// How many points stay; 0 for all.
    keep: usize = 30,
    /// File with the public keys that the backup is encrypted for; an empty text when it is not, or as it is already.
    encrypt_to: String = String::new(),
    /// Days between restore drills of the backup; 0 for none.
    drill_every_days: u32 = 0,
    /// Folder where the city is restored for a drill, with room for the whole of it; an empty text means the system's own.
    drill_within: String = String::new(),
    /// What a drill leaves free on the disk of that folder, MiB; where it would not, it is not made, and that is told.
    drill_reserve_mib: u64 = crate::backup::room::RESERVE_MIB,
    /// File with the secret key of an encrypted backup; an empty text when it is not encrypted.
    drill_identity: String = String::new(),
});
section!(/// The audit trail.
AuditSettings {
    /// Rows that bring the next seal at once.
    seal_rows: i64 = 1_000,
    /// Longest time that a row stays without a seal, seconds.
    seal_seconds: i64 = 3_600,
    /// Time between proofs of the whole chain in the background, hours.
    verify_hours: u64 = 24,
});
section!(/// What needs a second person.
ApprovalSettings {
    /// Dangerous acts that one person may do alone in this city.
    not_required: Vec<identity::DangerousAct> = Vec::new(),
    /// How long an approval can be decided on, hours.
    hours: i64 = 24,
    /// Most of one person's that may wait.
    pending_per_person_max: i64 = 100,
});
section!(/// Telling people.
NoticeSettings {
    /// Time between looks at what happened and what is due, milliseconds.
    look_milliseconds: u64 = 500,
    /// Whether the link in a message is enough to take note of it, without signing in; a link is good once.
    acknowledge_without_sign_in: bool = false,
    /// Networks inside where webhooks and gateways may be, such as "10.1.0.0/16"; without them nothing inside is reached.
    networks: Vec<String> = Vec::new(),
    /// PEM file of the authorities that are believed when a channel is spoken with over TLS.
    authorities: String = "/etc/ssl/certs/ca-certificates.crt".into(),
    /// Days that what was told is kept, with what became of it; 0: for ever. What is unfinished stays however old it is.
    keep_days: u32 = 184,
    /// Most rows that one pass takes away.
    trim_rows_max: u32 = 5_000,
    /// The channels beside the pages, each a `[[notice.channel]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    channel: Vec<crate::notice::settings::ChannelSettings> = Vec::new(),
});
section!(/// Service requests of Open311 GeoReport v2.
Open311Settings {
    /// The name by which clients call this city; the city profile's id when empty.
    jurisdiction_id: String = String::new(),
    /// Whether requests are read without a key; making one always needs one.
    public_reads: bool = false,
    /// Whom clients ask for a key, in words.
    contact: String = String::new(),
    /// Largest form, KiB; of a form with photos, what is in it beside them.
    form_kib_max: usize = 64,
    /// Most of all photos of one form together, MiB.
    media_mib_max: usize = 20,
    /// Most photos of one form.
    media_files_max: usize = 5,
    /// Networks inside where other endpoints may be; without them nothing inside is reached.
    networks: Vec<String> = Vec::new(),
    /// PEM file of the authorities that are believed when an endpoint is asked over TLS.
    authorities: String = "/etc/ssl/certs/ca-certificates.crt".into(),
    /// Longest wait for an endpoint's answer, seconds.
    answer_seconds_max: u64 = 30,
    /// Largest answer of an endpoint, MiB.
    answer_mib_max: usize = 8,
    /// How long the other side is asked how a request stands, days from when it was sent or taken.
    follow_days_max: i64 = 365,
    /// Other endpoints whose requests become cases here, each an `[[open311.endpoint]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoint: Vec<crate::open311::settings::EndpointSettings> = Vec::new(),
    /// Other endpoints to which cases are sent, each an `[[open311.forward]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forward: Vec<crate::open311::settings::ForwardSettings> = Vec::new(),
});
section!(/// The plan's progress for everybody, without signing in.
PortalSettings {
    /// Whether anybody may read the plan's published figures.
    open: bool = false,
    /// Address of the licence under which they may be used; needed to open the portal.
    licence: String = String::new(),
    /// Who publishes, in Chinese; the city's name when empty.
    publisher_zh: String = String::new(),
    /// Who publishes, in English; the city's name when empty.
    publisher_en: String = String::new(),
    /// Whom to ask: an address of a page or of mail; nobody is named when empty.
    contact: String = String::new(),
    /// The day of the first publication, such as "2026-12-01"; not told when empty.
    issued: String = String::new(),
    /// Most requests of one peer a minute (of IPv6, of a network of 64 bits).
    requests_per_minute_max: u32 = 60,
    /// Most peers that are remembered in a minute; the others wait for the next one.
    peers_max: usize = 20_000,
    /// How long what was put together is given again, and kept by browsers, seconds.
    kept_seconds: u64 = 30,
});
section!(/// Documents of the plan office.
PlanOfficeSettings {
    /// Who issues them, in Chinese; the city's name with 新基建指挥部办公室 when empty.
    issuer_zh: String = String::new(),
    /// Who issues them, in English; "Plan Office of" with the city's name when empty.
    issuer_en: String = String::new(),
    /// What stands before the year in a document's number; the city's name with 新基建办 when empty.
    number_prefix: String = String::new(),
    /// To whom they go, in Chinese; all towns and streets and member units when empty.
    to_zh: String = String::new(),
    /// To whom they go, in English.
    to_en: String = String::new(),
    /// Who else has them, in Chinese; the offices of the city's Party committee and government when empty.
    copies_zh: String = String::new(),
    /// Who else has them, in English.
    copies_en: String = String::new(),
});
section!(/// Reporting forms that are filled in once.
FormSettings {
    /// Most sources that one form reads at a time; the history answers four questions at once in all.
    sources_at_once: usize = 3,
    /// Longest time for one source, seconds; a field whose source takes longer is shown without a value.
    source_seconds: u64 = 10,
});
section!(/// What the platform writes of itself.
Log {
    /// `error`, `warn`, `info`, `debug`, or a tracing filter.
    level: String = "info".into(),
    /// One JSON object a line instead of text.
    json: bool = false,
});

/// The settings file that `jingling init` writes: every key with its default and what it means.
pub const TEMPLATE: &str = include_str!("jingling.toml");

impl Settings {
    /// Reads the file of a city's folder with its overrides.
    ///
    /// # Errors
    /// What is wrong with which key, and where it came from.
    pub fn load(dir: &Path, overrides: &[String]) -> Result<Self> {
        let file = dir.join(FILE_NAME);
        if !file.is_file() {
            bail!(
                "{} does not exist; make a city first: jingling init {} --city tianmen",
                file.display(),
                dir.display()
            );
        }
        Self::from_figment(
            Figment::from(Serialized::defaults(Self::default()))
                .merge(Toml::file_exact(&file))
                .merge(Env::prefixed(ENV_PREFIX).split("__")),
            overrides,
        )
        .with_context(|| format!("settings of {}", dir.display()))
    }

    fn from_figment(mut figment: Figment, overrides: &[String]) -> Result<Self> {
        for text in overrides {
            let (key, value) = text.split_once('=').with_context(|| {
                format!(
                    "--set {text}: write it as key=value, for example --set http.listen=127.0.0.1:0"
                )
            })?;
            let value: toml::Value = format!("v = {value}")
                .parse::<toml::Table>()
                .ok()
                .and_then(|mut t| t.remove("v"))
                .unwrap_or_else(|| toml::Value::String(value.to_owned()));
            figment = figment.merge(Override { text, key, value });
        }
        // The error itself names the file, the variable or the argument.
        let settings: Self = figment
            .extract()
            .map_err(|e| anyhow::anyhow!("{e}; jingling.toml of a new city documents every key"))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        if !self.oidc.issuer.is_empty() {
            oidc::provider::check_issuer(&self.oidc.issuer)?;
        }
        self.oidc.networks()?;
        self.sign_in.roles()?;
        self.indicators.reports()?;
        crate::outside::check(self)?;
        crate::sl651_door::check(self)?;
        self.ocpp.check(self)?;
        crate::exchange::settings::check(self)?;
        crate::notice::settings::check(self)?;
        crate::open311::settings::check(self)?;
        self.portal.check()?;
        self.forms.check()?;
        self.http.passkey_origin(&self.oidc.issuer, None)?;
        if self.sign_in.session_idle_minutes < 1 || self.sign_in.session_hours < 1 {
            bail!("sign_in.session_idle_minutes and sign_in.session_hours must be 1 at least");
        }
        if !(1..=86_400).contains(&self.sign_in.device_proof_window_seconds) {
            bail!("sign_in.device_proof_window_seconds must be 1 to 86400");
        }
        if let Err(problem) = self.personal.cipher.parse::<personal::Cipher>() {
            bail!("{problem}");
        }
        if self.personal.entities_max == 0 {
            bail!("personal.entities_max must be 1 at least");
        }
        if self.oidc.token_seconds < 60 || self.oidc.token_seconds > 86_400 {
            bail!(
                "oidc.token_seconds = {}: use 60 to 86400",
                self.oidc.token_seconds
            );
        }
        if self.oidc.sign_in_days < 1 || self.oidc.key_days < 0 {
            bail!("oidc.sign_in_days must be 1 at least, oidc.key_days 0 at least");
        }
        if self.approval.hours < 1 || self.approval.hours > 24 * 365 {
            bail!("approval.hours = {}: use 1 to 8760", self.approval.hours);
        }
        if self.approval.pending_per_person_max < 1 {
            bail!("approval.pending_per_person_max must be 1 at least");
        }
        self.tls
            .version_min
            .parse::<gateway::mqtt::TlsFloor>()
            .map_err(|p| anyhow::anyhow!("{p}"))?;
        if self.tls.certificate.is_empty() != self.tls.key.is_empty() {
            bail!("tls.certificate and tls.key belong together: set both, or neither");
        }
        let mut addresses = vec![("http.listen", self.http.listen)];
        for (key, text) in [
            ("http.tls_listen", &self.http.tls_listen),
            ("mqtt.listen", &self.mqtt.listen),
            ("mqtt.tls_listen", &self.mqtt.tls_listen),
            ("sl651.tcp_listen", &self.sl651.tcp_listen),
            ("sl651.udp_listen", &self.sl651.udp_listen),
            ("ocpp.listen", &self.ocpp.listen),
            ("ocpp.tls_listen", &self.ocpp.tls_listen),
            ("postgres.listen", &self.postgres.listen),
            ("postgres.tls_listen", &self.postgres.tls_listen),
        ] {
            if let Some(address) = listen_address(key, text)? {
                addresses.push((key, address));
            }
        }
        for (key, address) in addresses {
            if !address.ip().is_loopback() && !self.network.allow_beyond_loopback {
                bail!(
                    "{key} = {address} listens beyond this machine; set network.allow_beyond_loopback = true if that is meant"
                );
            }
        }
        if let Some(address) = listen_address("postgres.listen", &self.postgres.listen)?
            && !address.ip().is_loopback()
        {
            bail!(
                "postgres.listen = {address} speaks without TLS, so passwords could be read on the way; set postgres.tls_listen instead"
            );
        }
        Ok(())
    }
}

impl PortalSettings {
    /// What the portal is told.
    pub fn options(&self, public_url: &str) -> api::portal::Options {
        api::portal::Options {
            open: self.open,
            requests_per_minute_max: self.requests_per_minute_max,
            peers_max: self.peers_max,
            kept: std::time::Duration::from_secs(self.kept_seconds),
            publisher_zh: self.publisher_zh.clone(),
            publisher_en: self.publisher_en.clone(),
            licence: self.licence.clone(),
            contact: self.contact.clone(),
            issued: self.issued.clone(),
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }

    fn check(&self) -> Result<()> {
        let licence = &self.licence;
        if self.open && !(licence.starts_with("https://") || licence.starts_with("http://")) {
            bail!(
                "portal.open needs portal.licence: the address of the licence under which others may use the figures, such as https://creativecommons.org/licenses/by/4.0/"
            );
        }
        if !self.issued.is_empty() && self.issued.parse::<jiff::civil::Date>().is_err() {
            bail!("portal.issued = {}: write a day as 2026-12-01", self.issued);
        }
        if self.requests_per_minute_max < 1 || self.peers_max < 1 {
            bail!("portal.requests_per_minute_max and portal.peers_max must be 1 at least");
        }
        Ok(())
    }
}

impl IndicatorSettings {
    /// How figures of the plan are reported.
    ///
    /// # Errors
    /// A word that is no level or no period, with those that are.
    pub fn reports(&self) -> Result<api::plan_reports::Options> {
        let read = api::plan_reports::Options::of_words(&self.report_levels, &self.report_every);
        let options = read.map_err(|told| anyhow::anyhow!("{told}"))?;
        Ok(api::plan_reports::Options {
            files_max: self.report_files_max,
            ..options
        })
    }
}

impl SignInSettings {
    /// The roles that must have a second factor.
    ///
    /// # Errors
    /// The word that is no role, with those that are.
    pub fn roles(&self) -> Result<Vec<identity::Role>> {
        let parse = |word: &String| {
            word.parse()
                .map_err(|problem| anyhow::anyhow!("sign_in.second_factor_required_for: {problem}"))
        };
        self.second_factor_required_for.iter().map(parse).collect()
    }
}

impl Http {
    /// The address that passkeys are made for; `None` when browsers make none for the one that people use. `listens`: where
    /// the pages are served, once that is known.
    ///
    /// # Errors
    /// `http.public_url` when browsers make no passkeys for it.
    pub fn passkey_origin(
        &self,
        issuer: &str,
        listens: Option<SocketAddr>,
    ) -> Result<Option<identity::Origin>> {
        if !self.public_url.is_empty() {
            return Ok(Some(identity::Origin::parse(&self.public_url)?));
        }
        if !issuer.is_empty() {
            // A provider may have an address that browsers make no passkeys for.
            return Ok(identity::Origin::parse(issuer).ok());
        }
        let local = listens.filter(|address| address.ip().is_loopback());
        Ok(local.and_then(|address| {
            identity::Origin::parse(&format!("http://localhost:{}", address.port())).ok()
        }))
    }
}

impl ApprovalSettings {
    /// As `identity` takes them.
    pub fn options(&self) -> identity::approvals::Options {
        let mut options = identity::approvals::Options::default();
        options
            .required
            .retain(|act| !self.not_required.contains(act));
        options.valid_s = self.hours.saturating_mul(3_600);
        options.pending_per_person_max = self.pending_per_person_max;
        options
    }
}

impl Http {
    /// Which proxies are believed.
    ///
    /// # Errors
    /// A network or a header that is none.
    pub fn proxies(&self) -> Result<api::proxies::Options> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|why| anyhow::anyhow!("http.trusted_proxies: {why}"))
        };
        let trusted: Result<Vec<_>> = self.trusted_proxies.iter().map(parse).collect();
        Ok(api::proxies::Options {
            trusted: trusted?,
            header: self
                .proxy_header
                .parse()
                .map_err(|problem| anyhow::anyhow!("{problem}"))?,
            ..api::proxies::Options::default()
        })
    }
}

impl OidcSettings {
    /// The networks inside that may be told.
    ///
    /// # Errors
    /// The one that is none.
    pub fn networks(&self) -> Result<Vec<oidc::address::Network>> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|why| anyhow::anyhow!("oidc.logout_networks: {why}"))
        };
        self.logout_networks.iter().map(parse).collect()
    }
}

/// One `--set key=value`, which an error names as it was written.
struct Override<'a> {
    text: &'a str,
    key: &'a str,
    value: toml::Value,
}

impl Provider for Override<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("--set {}", self.text))
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Serialized::default(self.key, &self.value).data()
    }
}

/// An address to listen on; an empty text means none.
///
/// # Errors
/// The key and what it should look like.
pub fn listen_address(key: &str, text: &str) -> Result<Option<SocketAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).with_context(|| {
        format!("{key} = \"{text}\" is not an address; write it as 127.0.0.1:1883")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(overrides: &[&str]) -> Result<Settings> {
        let overrides: Vec<String> = overrides.iter().map(|&s| s.to_owned()).collect();
        Settings::from_figment(
            Figment::from(Serialized::defaults(Settings::default())).merge(Toml::string(TEMPLATE)),
            &overrides,
        )
    }

    #[test]
    fn the_template_is_the_defaults_and_names_every_key() {
        let template: toml::Table = TEMPLATE.parse().unwrap();
        let defaults = toml::Table::try_from(Settings::default()).unwrap();
        assert_eq!(template, defaults);
    }

    #[test]
    fn overrides_take_numbers_and_addresses() {
        let s = with(&[
            "http.listen=127.0.0.1:0",
            "sql.rows_max=5",
            "mqtt.tls_listen=",
        ])
        .unwrap();
        assert_eq!(
            (
                s.http.listen.port(),
                s.sql.rows_max,
                s.mqtt.tls_listen.as_str()
            ),
            (0, 5, "")
        );
    }

    #[test]
    fn what_one_person_may_do_alone_is_named_act_by_act() {
        use identity::DangerousAct::{DeviceRemove, TableRemove};
        let all = with(&[]).unwrap().approval.options();
        assert_eq!(all.required.len(), identity::DangerousAct::ALL.len());
        let set = with(&[
            "approval.not_required=[\"device.remove\"]",
            "approval.hours=2",
        ]);
        let some = set.unwrap().approval.options();
        assert!(!some.required.contains(&DeviceRemove) && some.required.contains(&TableRemove));
        assert_eq!(some.valid_s, 7_200);
        let unknown = with(&["approval.not_required=[\"gate.dance\"]"]).unwrap_err();
        let unknown = unknown.to_string();
        assert!(
            unknown.contains("gate.dance") && unknown.contains("table.remove"),
            "{unknown}"
        );
        for bad in ["approval.hours=0", "approval.pending_per_person_max=0"] {
            assert!(
                with(&[bad]).unwrap_err().to_string().contains("approval."),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_unknown_key_is_told_with_the_known_ones() {
        let error = with(&["http.lisen=127.0.0.1:0"]).unwrap_err().to_string();
        assert!(
            error.contains("lisen") && error.contains("listen"),
            "{error}"
        );
    }

    #[test]
    fn passwords_never_cross_the_network_in_the_clear() {
        let beyond = "network.allow_beyond_loopback=true";
        let error = with(&["postgres.listen=0.0.0.0:5432", beyond]).unwrap_err();
        assert!(error.to_string().contains("postgres.tls_listen"), "{error}");
        assert!(with(&["postgres.tls_listen=0.0.0.0:5432", beyond]).is_ok());
        assert!(with(&["postgres.tls_listen=0.0.0.0:5432"]).is_err());
        assert!(with(&["postgres.listen=127.0.0.1:0"]).is_ok());
    }

    #[test]
    fn a_door_of_weak_identity_needs_a_setting() {
        let error = with(&["sl651.tcp_listen=127.0.0.1:0"]).unwrap_err();
        assert!(
            error.to_string().contains("weak_identity_is_accepted"),
            "{error}"
        );
        let accepted = "sl651.weak_identity_is_accepted=true";
        assert!(with(&["sl651.udp_listen=127.0.0.1:0", accepted]).is_ok());
        assert!(with(&["sl651.udp_listen=0.0.0.0:0", accepted]).is_err());
        for bad in ["sl651.password=\"3E8\"", "sl651.password=\"wxyz\""] {
            let error = with(&[bad]).unwrap_err().to_string();
            assert!(error.contains("four hexadecimal digits"), "{error}");
        }
        let station = "sl651.station=[{address=\"0011223344\", password=\"03E8\"}]";
        assert!(with(&[station]).is_ok());
        assert!(with(&["sl651.station=[{address=\"11\"}]"]).is_err());
    }

    #[test]
    fn listening_beyond_loopback_needs_a_setting() {
        let error = with(&["http.listen=0.0.0.0:80"]).unwrap_err().to_string();
        assert!(error.contains("allow_beyond_loopback"), "{error}");
        assert!(with(&["mqtt.listen=0.0.0.0:1883"]).is_err());
        assert!(
            with(&[
                "http.listen=0.0.0.0:80",
                "network.allow_beyond_loopback=true"
            ])
            .is_ok()
        );
    }
}
