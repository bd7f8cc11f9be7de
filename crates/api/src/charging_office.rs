//! Charging as the running city carries it out (充电运营): the desk that bills, what has a say in a price, who may charge, and the way to
//! the stations, which the binary fills in.

use crate::app::App;
use crate::charging_keeping::Keeping;
use crate::charging_share::Grid;
use crate::error::{Answer, ApiError};
use axum::http::StatusCode;
use billing::{Cashier, Dated, Desk, Prices, Settings};
use bookings::{Policy, Window};
use charging::grid::Limit;
use charging::settle::Shares;
use charging::written::Written;
use charging::{Days, Fen, Tariff};
use futures::future::BoxFuture;
use model::calendar::ALWAYS;
use model::problem::{Both, both};
use model::{Timestamp, Told};
use records::{Connection, charging as rows};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::Filter;

/// The entity type of a charge point (充电桩).
pub const CHARGE_POINT: &str = "ChargePoint";
/// What ids of charge points begin with; the station's identity follows, and `:N` for its outlet N from the second on.
pub const CHARGE_POINT_PREFIX: &str = "urn:ngsi-ld:ChargePoint:";
/// The working calendar whose days tariffs go by, where the profile has it.
const CALENDAR: &str = "working-hours";

/// What is done with a card that nobody registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownCards {
    /// It may not charge.
    Refused,
    /// It may charge, and its bills are entered under its pseudonym.
    Taken,
}

/// What is said of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStands {
    /// It may charge.
    Good,
    /// It is blocked.
    Blocked,
    /// Its time is over.
    Expired,
    /// Nobody registered it.
    Unknown,
}

/// A station that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Its identity.
    pub identity: String,
    /// The version that it speaks.
    pub version: &'static str,
    /// Number of its link: another one when it came anew, and may have forgotten what it was told.
    pub link: u64,
}

/// What a station can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Begin to charge for a card.
    Start {
        /// At which outlet, from 1; wherever it likes when none is named.
        outlet: Option<u32>,
        /// The card.
        card: String,
    },
    /// End a transaction.
    Stop {
        /// Its id.
        transaction: String,
    },
    /// Free a cable that is stuck.
    Unlock {
        /// At which outlet, from 1.
        outlet: u32,
    },
    /// Start anew.
    Reset {
        /// At once, breaking off what runs.
        is_immediate: bool,
    },
    /// Take the station or an outlet into or out of service.
    Availability {
        /// Which outlet, from 1; the station when none is named.
        outlet: Option<u32>,
        /// Into service.
        is_operative: bool,
    },
    /// Keep to a limit of power.
    Limit {
        /// Which.
        limit: Limit,
        /// How it is told.
        unit: LimitUnit,
    },
    /// A limit holds no longer.
    ClearLimit {
        /// Its id.
        id: i64,
    },
    /// Keep an outlet free.
    Reserve {
        /// The reservation's number.
        id: i64,
        /// At which outlet, from 1.
        outlet: u32,
        /// Until when.
        until: Timestamp,
        /// For which card.
        card: String,
    },
    /// A reservation is given up.
    CancelReservation {
        /// Its number.
        id: i64,
    },
    /// Send a message now.
    Trigger {
        /// Which.
        message: Message,
        /// Of which outlet, from 1; of all when none is named.
        outlet: Option<u32>,
    },
    /// Upload a log.
    Log {
        /// The log of security, not diagnostics.
        is_of_security: bool,
        /// Where to: an address of FTP or HTTP that the station reaches.
        location: String,
        /// From when on.
        from: Option<Timestamp>,
        /// Until when.
        to: Option<Timestamp>,
    },
    /// Fetch and install firmware.
    Firmware {
        /// Where it lies.
        location: String,
        /// When to fetch it.
        retrieve_at: Timestamp,
        /// When to install it (2.0.1).
        install_at: Option<Timestamp>,
        /// The signing certificate, PEM, and the signature, base64 (2.0.1).
        signed: Option<(String, String)>,
    },
    /// Say what settings are: of all of them when none is named.
    Read {
        /// Which.
        settings: Vec<Setting>,
    },
    /// Change settings.
    Write {
        /// Which, with what they shall be; one alone to a station of 1.6.
        settings: Vec<Setting>,
    },
    /// The maker's own message.
    Data {
        /// Whose.
        vendor: String,
        /// Which.
        message: Option<String>,
        /// What; text alone to a station of 1.6.
        data: Option<serde_json::Value>,
    },
    /// Forget cards that it remembers.
    ForgetCards,
}

/// In what a limit is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitUnit {
    /// As a whole, W.
    Watts,
    /// Of each phase, A: for stations that take no watts.
    Amperes,
}

/// What a station can be asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChargingMessage)]
pub enum Message {
    /// Who it is (`BootNotification`).
    Boot,
    /// How its outlets stand (`StatusNotification`).
    Status,
    /// Readings (`MeterValues`).
    Readings,
    /// That it lives (`Heartbeat`).
    Heartbeat,
    /// How its firmware's update goes.
    Firmware,
    /// How its log's upload goes.
    Log,
}

/// A setting of a station: a variable of 2.0.1's device model, a configuration key of 1.6.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = ChargingSetting)]
pub struct Setting {
    /// The component, as `Name/instance@evse`; empty for 1.6.
    #[serde(default)]
    pub component: String,
    /// The variable or key.
    pub name: String,
    /// Its value; null when it has none, is not told or not known.
    #[serde(default)]
    pub value: Option<String>,
    /// What the station says of it, in the standard's words.
    #[serde(default)]
    pub status: String,
}

/// What a station said to an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Whether it does it.
    pub is_accepted: bool,
    /// The standard's word.
    pub status: Option<String>,
    /// Settings that it was asked for or told.
    pub settings: Vec<Setting>,
    /// The file that it uploads.
    pub file: Option<String>,
    /// The maker's own answer.
    pub data: Option<serde_json::Value>,
}

/// An order that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Why.
    pub told: Told,
    /// Whether it may have been carried out all the same.
    pub may_have_happened: bool,
}

/// The way to the stations.
pub trait Stations: Send + Sync {
    /// Which are connected, by identity.
    fn connected(&self) -> Vec<Connected>;

    /// Tells a station something, and waits for its answer.
    fn order<'a>(&'a self, identity: &'a str, order: Order) -> BoxFuture<'a, Result<Said, Undone>>;
}

/// Charging in the running city.
pub struct Office {
    /// Where events are taken and bills decided on.
    pub desk: Desk,
    /// The desk's settings, with the key of pseudonyms.
    pub settings: Settings,
    /// The operator of stations for which nobody said another.
    pub operator: String,
    /// What of the fees at other operators' stations the platform's operator keeps, who collects them.
    pub shares: Shares,
    /// What is done with cards that nobody registered.
    pub unknown_cards: UnknownCards,
    /// How it is supervised.
    pub supervision: crate::charging_supervision::Options,
    /// The way to the stations; none while their door is closed.
    pub stations: Option<Arc<dyn Stations>>,
    /// Smart charging; none while it is switched off.
    pub grid: Option<Grid>,
    /// Charging by drivers; none while no payment provider is set.
    pub driving: Option<Driving>,
}

/// Charging by drivers (车主自助充电).
#[derive(Clone, Debug)]
pub struct Driving {
    /// Who carries payments and refunds out.
    pub cashier: Cashier,
    /// What is set aside before a charge (预授权).
    pub hold: Fen,
    /// How long a charge that was ordered may take to begin, seconds.
    pub start_wait_s: i64,
    /// How long a station has to answer an order, seconds: after it nobody knows whether it was carried out.
    pub answer_wait_s: i64,
    /// Most charges that one person orders at once.
    pub orders_max: i64,
    /// Where reservations are asked for.
    pub window: Window,
    /// The rules of reservations.
    pub reserve: Reserve,
    /// Most rows that one round goes through.
    pub round_max: usize,
    /// What stations keep free for reservations.
    pub keeping: Arc<Keeping>,
}

/// The rules of reservations (预约).
#[derive(Clone, Debug)]
pub struct Reserve {
    /// Shortest, seconds.
    pub shortest_s: i64,
    /// Longest, seconds.
    pub longest_s: i64,
    /// The booking's own rules.
    pub policy: Policy,
}

impl App {
    /// The office.
    ///
    /// # Errors
    /// 503 while the city starts.
    pub fn charging(&self) -> Answer<&Office> {
        self.charging.get().ok_or_else(|| {
            ApiError::told(
                StatusCode::SERVICE_UNAVAILABLE,
                Told::new(
                    "charging-starting",
                    both("充电计费正在启动", "charging is being started"),
                    both("充电计费", "charging"),
                    both("请稍后再试", "try again in a moment"),
                ),
            )
        })
    }

    /// Everything that has a say in prices, as it stands now.
    ///
    /// # Errors
    /// The records' own, and a tariff that nobody here wrote.
    pub async fn charging_prices(&self, operator: &str) -> Answer<Prices> {
        let mut read = self.records.read().await?;
        let kept = rows::tariffs(&mut read).await?;
        drop(read);
        let tariffs = kept
            .into_iter()
            .map(|row| {
                let written: Written =
                    serde_json::from_str(&row.definition).map_err(ApiError::internal)?;
                Ok(Dated {
                    number: row.number,
                    station: row.station,
                    from: row.from_at,
                    tariff: Tariff::new(&written)
                        .map_err(|told| ApiError::internal(together(&told)))?,
                })
            })
            .collect::<Answer<_>>()?;
        Ok(Prices {
            tariffs,
            operators: self.charging_operators(),
            operator: operator.to_owned(),
            days: self.charging_days()?,
        })
    }

    /// The days by which tariffs go.
    ///
    /// # Errors
    /// A profile without any calendar.
    pub fn charging_days(&self) -> Answer<Days> {
        let calendars = &self.city.calendars;
        let calendar = calendars.get(CALENDAR).or_else(|_| calendars.get(ALWAYS));
        Ok(Days::new(calendar.map_err(ApiError::invalid)?))
    }

    /// The operator of each station whose place (充电站) names one.
    fn charging_operators(&self) -> BTreeMap<String, String> {
        let points = Filter {
            types: vec![CHARGE_POINT.to_owned()],
            limit: usize::MAX,
            ..Filter::default()
        };
        let mut places: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut operators = BTreeMap::new();
        let mut pointing = Vec::new();
        self.twin.visit(&points, |point| {
            let Some(identity) = point.id.as_str().strip_prefix(CHARGE_POINT_PREFIX) else {
                return;
            };
            if let Some(place) = point
                .attribute("refStation")
                .map(|known| known.value.to_value())
                && let model::Value::Relationship(place) = place
            {
                pointing.push((identity.to_owned(), place));
            }
        });
        for (identity, place) in pointing {
            let operator = places.entry(place.as_str().to_owned()).or_insert_with(|| {
                let place = self.twin.get(&place)?;
                let operator = place.attribute("operator")?;
                operator.value.as_text().map(str::to_owned)
            });
            if let Some(operator) = operator {
                operators.insert(identity, operator.clone());
            }
        }
        operators
    }
}

/// Several mistakes of a tariff as one.
pub(crate) fn together(all: &[Told]) -> Told {
    let join = |of: fn(&Told) -> &Both, zh: &str, en: &str| {
        let mut texts: Vec<&Both> = all.iter().map(of).collect();
        texts.dedup();
        let chinese: Vec<&str> = texts.iter().map(|text| text.zh.as_str()).collect();
        let english: Vec<&str> = texts.iter().map(|text| text.en.as_str()).collect();
        both(chinese.join(zh), english.join(en))
    };
    Told::new(
        all.first()
            .map_or("charging-tariff", |told| told.code.as_str()),
        join(|told| &told.what, "；", "; "),
        join(|told| &told.place, "、", ", "),
        join(|told| &told.mend, "；", "; "),
    )
}

impl Office {
    /// How a card stands at a time; `card` is as it was read.
    ///
    /// # Errors
    /// The records' own.
    pub async fn card_stands(
        &self,
        connection: &mut Connection,
        card: &str,
        now: Timestamp,
    ) -> records::Result<CardStands> {
        let pseudonym = self.settings.pseudonym(card);
        let known = rows::card(connection, &pseudonym).await?;
        Ok(match (known, self.unknown_cards) {
            (Some(card), _) if card.is_blocked => CardStands::Blocked,
            (Some(card), _) if card.good_until.is_some_and(|until| until <= now) => {
                CardStands::Expired
            }
            (Some(_), _) | (None, UnknownCards::Taken) => CardStands::Good,
            (None, UnknownCards::Refused) => CardStands::Unknown,
        })
    }
}
