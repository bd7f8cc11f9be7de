//! `[ocpp]` and `[charging]`: the door of charge points and how they are billed.

use crate::settings::{Settings, listen_address, section};
use anyhow::{Context, Result, anyhow, bail};
use api::charging_office::{Reserve, UnknownCards};
use api::charging_share::Grid;
use api::charging_subsidy::cap;
use api::charging_supervision::Options;
use bookings::Policy;
use charging::Price;
use charging::settle::{Shares, WHOLE};
use charging::share::Steering;
use gateway::ocpp::Limits;
use serde::{Deserialize, Serialize};

section!(/// The door of charge points.
OcppSettings {
    /// Address and port of WebSocket in the clear (security profile 1); port 0 takes a free one; an empty text closes this listener.
    listen: String = String::new(),
    /// Address and port of WebSocket over TLS (security profiles 2 and 3); an empty text closes this listener.
    tls_listen: String = String::new(),
    /// Passwords and cards on the plain listener can be read on the way. Beyond this machine it opens only when this is true.
    clear_text_is_accepted: bool = false,
    /// How often stations say that they live, seconds.
    heartbeat_seconds: u32 = 300,
    /// Most links at once.
    links_max: usize = 10_000,
    /// Most links at once from one address: an operator's relay holds those of all its stations.
    links_per_peer_max: usize = 5_000,
    /// Largest message, KiB.
    message_kib_max: usize = 256,
    /// Most messages of one station in a minute in the long run; a station that sends more waits in its own socket.
    messages_per_minute_max: u32 = 600,
    /// A station that sent nothing for this long is asked whether it lives, seconds.
    ping_seconds: u64 = 120,
    /// A link on which nothing came for this long is closed, seconds.
    idle_seconds_max: u64 = 600,
    /// Most dead letters kept of one address within a minute; beyond, its link is closed.
    dead_letters_per_peer_max: u32 = 120,
    /// How long an order to a station waits for its answer, seconds.
    order_seconds_max: u64 = 30,
});
section!(/// How charging is billed.
ChargingSettings {
    /// Who operates the stations of which nobody said another operator (`operator` of their place).
    operator: String = "city".into(),
    /// What is done with cards that nobody registered: "refuse", or "take".
    unknown_cards: String = "refuse".into(),
    /// How often bills that wait are looked at, seconds.
    look_seconds: u64 = 10,
    /// How long a session whose tariff has fees of parking or occupancy waits to be told of leaving, minutes.
    leaving_wait_minutes: i64 = 60,
    /// How long what stations told of a charge is kept after its bill, days; the bill itself stays.
    readings_keep_days: i64 = 400,
    /// Most sessions that one look goes through.
    look_sessions_max: usize = 500,
    /// Who takes drivers' money: "" for nobody, so that no charge is ordered by phone, or "sandbox", which moves no money and says so.
    payment: String = String::new(),
    /// What is set aside before a charge that is ordered by phone, fen.
    hold_fen: i64 = 5_000,
    /// How much a payer of the sandbox has, fen: a higher hold is refused.
    sandbox_funds_fen: i64 = 100_000,
    /// How long a charge that was ordered by phone may take to begin, seconds; then what was set aside is given up.
    start_wait_seconds: i64 = 120,
    /// Most charges that one person orders at once.
    orders_per_person_max: i64 = 1,
    /// Shortest reservation of a charge point, minutes.
    reserve_minutes_min: i64 = 15,
    /// Longest reservation, minutes.
    reserve_minutes_max: i64 = 120,
    /// How far ahead may be reserved, hours.
    reserve_ahead_hours: i64 = 24,
    /// So long after its begin whoever has not come loses a reservation, minutes.
    reserve_late_minutes: i64 = 15,
    /// Most reservations of one person that have not ended.
    reserve_open_max: u32 = 2,
    /// What `operator` keeps of the electricity that was paid at other operators' stations, in 1/10,000.
    share_energy: u32 = 0,
    /// The same of service.
    share_service: u32 = 0,
    /// The same of parking and occupancy.
    share_time: u32 = 0,
    /// How often the power of transformers is shared out among charges, and stations are told of reservations, seconds; 0: never.
    grid_seconds: u64 = 10,
    /// How long a turn is where not all can charge at once, seconds.
    grid_turn_seconds: i64 = 900,
    /// A transformer's reading older than this does not count, seconds: charging has the static power then.
    grid_measured_seconds_max: i64 = 300,
    /// A charge point that was heard of within so long is on the line, minutes.
    heard_minutes: i64 = 30,
    /// A village is far from charging when the nearest charge point is farther than this, straight, km.
    far_km: f64 = 5.0,
    /// Subsidy of a kWh, yuan with at most four decimals, where a question names none.
    subsidy_yuan_per_kwh: String = "0".into(),
    /// Most subsidy of an operator for the days of a question, whole yuan; 0: no cap.
    subsidy_cap_yuan: i64 = 0,
    /// Most sessions that one answer of supervision goes through.
    supervised_sessions_max: usize = 2_000_000,
    /// Most beginnings and ends of faults that one answer of supervision goes through.
    supervised_faults_max: usize = 200_000,
});

impl OcppSettings {
    /// Looks through the door's settings.
    ///
    /// # Errors
    /// The key, and what it should be.
    pub fn check(&self, settings: &Settings) -> Result<()> {
        let address = listen_address("ocpp.listen", &self.listen)?;
        if let Some(address) = address
            && !address.ip().is_loopback()
            && !self.clear_text_is_accepted
        {
            bail!(
                "ocpp.listen = {address} takes passwords and cards in the clear, which could be read on the way; set ocpp.tls_listen \
                 instead, or ocpp.clear_text_is_accepted = true if the network in front of it keeps strangers out"
            );
        }
        listen_address("ocpp.tls_listen", &self.tls_listen)?;
        if self.heartbeat_seconds == 0 || self.message_kib_max == 0 || self.order_seconds_max == 0 {
            bail!(
                "ocpp.heartbeat_seconds, ocpp.message_kib_max and ocpp.order_seconds_max must be 1 at least"
            );
        }
        settings.charging.check()
    }

    /// Limits and ways of one link.
    pub fn session(&self) -> proto_ocpp::Config {
        proto_ocpp::Config {
            message_bytes_max: self.message_kib_max.saturating_mul(1_024),
            calls_per_minute: self.messages_per_minute_max.max(1),
            command_timeout_ms: self.order_seconds_max.saturating_mul(1_000),
            ..proto_ocpp::Config::default()
        }
    }

    /// Limits of the door.
    pub fn limits(&self) -> Limits {
        Limits {
            links_max: self.links_max,
            links_per_peer_max: self.links_per_peer_max,
            ping_seconds: self.ping_seconds,
            idle_seconds_max: self.idle_seconds_max,
            dead_letters_per_peer_max: self.dead_letters_per_peer_max,
            ..Limits::default()
        }
    }
}

impl ChargingSettings {
    fn check(&self) -> Result<()> {
        self.unknown_cards()?;
        self.supervision()?;
        if self.operator.trim().is_empty() || self.operator.len() > 100 {
            bail!("charging.operator must be 1 to 100 bytes");
        }
        self.pays()?;
        let positive = [
            ("hold_fen", self.hold_fen),
            ("sandbox_funds_fen", self.sandbox_funds_fen),
            ("start_wait_seconds", self.start_wait_seconds),
            ("orders_per_person_max", self.orders_per_person_max),
            ("reserve_minutes_min", self.reserve_minutes_min),
            ("reserve_ahead_hours", self.reserve_ahead_hours),
            ("reserve_late_minutes", self.reserve_late_minutes),
            ("reserve_open_max", i64::from(self.reserve_open_max)),
        ];
        for (key, value) in positive {
            if value < 1 {
                bail!("charging.{key} = {value} must be 1 at least");
            }
        }
        if self.hold_fen > charging::pay::ORDER_MAX.0 {
            bail!(
                "charging.hold_fen = {} must be {} at most",
                self.hold_fen,
                charging::pay::ORDER_MAX.0
            );
        }
        for (key, share) in [
            ("share_energy", self.share_energy),
            ("share_service", self.share_service),
            ("share_time", self.share_time),
        ] {
            if share > WHOLE {
                bail!("charging.{key} = {share} must be {WHOLE} at most: it is in 1/10,000");
            }
        }
        if self.reserve_minutes_max < self.reserve_minutes_min {
            bail!("charging.reserve_minutes_max must not be below charging.reserve_minutes_min");
        }
        if self.grid_turn_seconds < 1 || self.grid_measured_seconds_max < 1 {
            bail!(
                "charging.grid_turn_seconds and charging.grid_measured_seconds_max must be 1 at least"
            );
        }
        if self.leaving_wait_minutes < 0
            || self.readings_keep_days < 1
            || self.look_sessions_max == 0
        {
            bail!(
                "charging.leaving_wait_minutes must be 0 at least, charging.readings_keep_days and charging.look_sessions_max 1 at least"
            );
        }
        Ok(())
    }

    /// What is done with cards that nobody registered.
    ///
    /// # Errors
    /// A word that is none.
    pub fn unknown_cards(&self) -> Result<UnknownCards> {
        match self.unknown_cards.as_str() {
            "refuse" => Ok(UnknownCards::Refused),
            "take" => Ok(UnknownCards::Taken),
            other => bail!("charging.unknown_cards = \"{other}\": write \"refuse\" or \"take\""),
        }
    }

    /// Whether drivers' money is taken, by the one provider that there is.
    ///
    /// # Errors
    /// A word that is none.
    pub fn pays(&self) -> Result<bool> {
        match self.payment.as_str() {
            "" => Ok(false),
            "sandbox" => Ok(true),
            other => bail!("charging.payment = \"{other}\": write \"\" or \"sandbox\""),
        }
    }

    /// What the platform's operator keeps.
    pub const fn shares(&self) -> Shares {
        Shares {
            energy: self.share_energy,
            service: self.share_service,
            time: self.share_time,
        }
    }

    /// Smart charging, where it is switched on.
    pub fn grid(&self) -> Option<Grid> {
        let steering = Steering {
            turn_seconds: self.grid_turn_seconds,
            measured_max_seconds: self.grid_measured_seconds_max,
            ..Steering::default()
        };
        (self.grid_seconds > 0).then(|| Grid::new(steering, self.grid_seconds))
    }

    /// The rules of reservations.
    pub fn reserve(&self) -> Reserve {
        Reserve {
            shortest_s: self.reserve_minutes_min.saturating_mul(60),
            longest_s: self.reserve_minutes_max.saturating_mul(60),
            policy: Policy {
                open_max: self.reserve_open_max,
                ahead_s: self.reserve_ahead_hours.saturating_mul(3_600),
                late_s: self.reserve_late_minutes.saturating_mul(60),
                waiting_max: 0,
                ..Policy::default()
            },
        }
    }

    /// How charging is supervised.
    ///
    /// # Errors
    /// The key, and what it should be.
    pub fn supervision(&self) -> Result<Options> {
        let told = |told: model::Told| anyhow!("{}: {}", told.what.en, told.mend.en);
        let rate = Price::read(&self.subsidy_yuan_per_kwh, "charging.subsidy_yuan_per_kwh");
        let cap = cap(&self.subsidy_cap_yuan.to_string());
        if self.heard_minutes < 1 || !(0.1..=100.0).contains(&self.far_km) {
            bail!("charging.heard_minutes must be 1 at least, and charging.far_km 0.1 to 100");
        }
        if self.supervised_sessions_max == 0 || self.supervised_faults_max == 0 {
            bail!(
                "charging.supervised_sessions_max and charging.supervised_faults_max must be 1 at least"
            );
        }
        Ok(Options {
            heard_minutes: self.heard_minutes,
            far_km: self.far_km,
            sessions_max: self.supervised_sessions_max,
            fault_changes_max: self.supervised_faults_max,
            subsidy_rate: rate
                .map_err(told)
                .context("charging.subsidy_yuan_per_kwh")?,
            subsidy_cap: cap.map_err(told).context("charging.subsidy_cap_yuan")?,
        })
    }

    /// The desk's settings.
    pub fn billing(&self, card_key: Vec<u8>) -> billing::Settings {
        billing::Settings {
            left_wait_s: self.leaving_wait_minutes.saturating_mul(60),
            pass_max: self.look_sessions_max,
            ..billing::Settings::new(card_key)
        }
    }
}

/// How often, in seconds, prices follow who operates which station.
const PRICES_EVERY_S: u64 = 60;
/// How often, in seconds, old readings are given up.
const OLD_EVERY_S: u64 = 600;

/// What one look at bills does beside looking at those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Prices are put together anew.
    pub is_for_prices: bool,
    /// What was told of bills long paid is given up.
    pub is_for_old: bool,
}

impl Round {
    /// The round of this number, from 0.
    pub fn new(number: u64, own: &ChargingSettings) -> Self {
        let every =
            |seconds: u64| number.is_multiple_of((seconds / own.look_seconds.max(1)).max(1));
        Self {
            is_for_prices: number > 0 && every(PRICES_EVERY_S),
            is_for_old: every(OLD_EVERY_S),
        }
    }
}
