//! Charge points on the line, and what people tell them (充电桩指令): start and stop, limits of power, logs, firmware, settings and the maker's own
//! messages. An order stands in the audit trail before it goes out.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_office::{Message, Order, Setting, Stations};
use crate::charging_pages::moment;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use charging::grid;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use url::Url;
use utoipa::ToSchema;

/// Longest address of a file, characters (2.0.1, `FirmwareType.location`).
const LOCATION_CHARS_MAX: usize = 512;
/// By what a station fetches and uploads files.
const SCHEMES: [&str; 5] = ["ftp", "ftps", "http", "https", "sftp"];
/// Highest limit of a station as a whole, kW.
const LIMIT_KW_MAX: f64 = 10_000.0;
/// Longest time of such a limit, minutes: a week.
const LIMIT_MINUTES_MAX: i64 = 7 * 24 * 60;
/// Most settings of one order (2.0.1 stations name their own bound, `ItemsPerMessageGetVariables`).
const SETTINGS_MAX: usize = 50;

/// A station on the line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingStationLine)]
pub struct LineStationBody {
    /// Its identity.
    pub identity: String,
    /// The version of OCPP that it speaks.
    pub version: String,
}

/// The stations on the line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingStationLines)]
pub struct LineStationsBody {
    /// Whether the stations' door is open.
    pub is_open: bool,
    /// By identity.
    pub items: Vec<LineStationBody>,
}

/// Which stations are connected now.
#[utoipa::path(get, path = "/api/v1/charging/stations", tag = "charging", security(("session" = ["charging.read"])),
    responses((status = 200, body = LineStationsBody)))]
pub async fn stations(State(app): State<App>) -> Answer<Json<LineStationsBody>> {
    let office = app.charging()?;
    let connected = office.stations.as_ref().map(|way| way.connected());
    Ok(Json(LineStationsBody {
        is_open: connected.is_some(),
        items: connected
            .unwrap_or_default()
            .into_iter()
            .map(|one| LineStationBody {
                identity: one.identity,
                version: one.version.to_owned(),
            })
            .collect(),
    }))
}

/// What a station is told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "order", rename_all = "snake_case")]
#[schema(as = ChargingOrder)]
pub enum OrderRequest {
    /// Begin to charge for a card.
    Start {
        /// At which outlet, from 1.
        #[serde(default)]
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
        #[serde(default)]
        immediate: bool,
    },
    /// Take the station or an outlet into or out of service.
    Availability {
        /// Which outlet, from 1; the station when none is named.
        #[serde(default)]
        outlet: Option<u32>,
        /// Into service.
        operative: bool,
    },
    /// Take no more power than this, as a whole, until then.
    Limit {
        /// kW, 0 to 10,000; 0: charge nothing.
        power_kw: f64,
        /// For how long, minutes: 1 to 10,080.
        minutes: i64,
    },
    /// The limit of the station as a whole is over.
    ClearLimit,
    /// Send a message now.
    Trigger {
        /// Which.
        message: Message,
        /// Of which outlet, from 1; of all when none is named.
        #[serde(default)]
        outlet: Option<u32>,
    },
    /// Upload a log.
    Log {
        /// The log of security, not diagnostics.
        #[serde(default)]
        security: bool,
        /// Where to: an address of FTP, SFTP or HTTP that the station reaches.
        location: String,
        /// From when on, with its zone.
        #[serde(default)]
        from: Option<String>,
        /// Until when.
        #[serde(default)]
        to: Option<String>,
    },
    /// Fetch and install firmware.
    Firmware {
        /// Where it lies: an address of FTP, SFTP or HTTP that the station reaches.
        location: String,
        /// When to fetch it, with its zone; now when not said.
        #[serde(default)]
        retrieve_at: Option<String>,
        /// When to install it (2.0.1).
        #[serde(default)]
        install_at: Option<String>,
        /// The certificate that signed it, PEM (2.0.1).
        #[serde(default)]
        signing_certificate: Option<String>,
        /// Its signature, base64 (2.0.1).
        #[serde(default)]
        signature: Option<String>,
    },
    /// Say what settings are: variables of the device model (2.0.1), configuration keys (1.6).
    ReadSettings {
        /// Which; all when none is named.
        #[serde(default)]
        settings: Vec<Setting>,
    },
    /// Change settings.
    WriteSettings {
        /// Which, with their values; one alone to a station of 1.6.
        settings: Vec<Setting>,
    },
    /// The maker's own message.
    Data {
        /// Whose.
        vendor: String,
        /// Which.
        #[serde(default)]
        message: Option<String>,
        /// What; text alone to a station of 1.6.
        #[serde(default)]
        #[schema(value_type = Object)]
        data: Option<serde_json::Value>,
    },
    /// Forget cards that it remembers.
    ForgetCards,
}

fn invalid(what: [String; 2], place: &str, mend: [&str; 2]) -> ApiError {
    let [zh, en] = what;
    ApiError::told(
        StatusCode::BAD_REQUEST,
        Told::new(
            "charging-order",
            both(zh, en),
            place,
            both(mend[0], mend[1]),
        ),
    )
}

/// The address of a file, if a station may be told it.
fn location(text: &str) -> Answer<Url> {
    let found = Url::parse(text).ok().filter(|url| {
        SCHEMES.contains(&url.scheme())
            && url.has_host()
            && text.chars().count() <= LOCATION_CHARS_MAX
    });
    found.ok_or_else(|| {
        invalid(
            [
                format!("{}不是桩能用的文件地址", quote(text)),
                format!("{} is no address of a file that a station can use", quote(text)),
            ],
            "location",
            [
                "请填写桩能访问的 ftp、sftp 或 http 地址，不超过 512 个字符",
                "write an address of FTP, SFTP or HTTP that the station reaches, of at most 512 characters",
            ],
        )
    })
}

/// Without what signs in there: it has no place in the audit trail.
fn without_password(text: &str) -> String {
    Url::parse(text).map_or_else(
        |_| String::new(),
        |mut url| {
            // Refused for addresses that cannot have them, which have none.
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.set_query(None);
            url.to_string()
        },
    )
}

fn names(settings: &[Setting]) -> Vec<String> {
    let name = |it: &Setting| match it.component.as_str() {
        "" => it.name.clone(),
        component => format!("{component}.{}", it.name),
    };
    settings.iter().map(name).collect()
}

fn checked(settings: Vec<Setting>, needs_values: bool) -> Answer<Vec<Setting>> {
    let is_good = settings.len() <= SETTINGS_MAX
        && settings
            .iter()
            .all(|it| !it.name.trim().is_empty() && (!needs_values || it.value.is_some()))
        && !(needs_values && settings.is_empty());
    if is_good {
        return Ok(settings);
    }
    Err(invalid(
        [
            "设置项缺少名称或值，或者一次太多".to_owned(),
            "settings lack a name or a value, or are too many at once".to_owned(),
        ],
        "settings",
        [
            "每项填写名称（修改时还要填写值），一次不超过 50 项",
            "give each a name, and a value where it is changed; at most 50 at once",
        ],
    ))
}

impl OrderRequest {
    /// What the audit trail says of it: no cards, no passwords, and of settings their names alone, for values can be secrets.
    fn told(&self) -> serde_json::Value {
        let told = |order: &str, outlet: Option<u32>, what: serde_json::Value| json!({"order": order, "outlet": outlet, "transaction": null, "what": what});
        let nothing = serde_json::Value::Null;
        match self {
            Self::Start { outlet, .. } => told("start", *outlet, nothing),
            Self::Stop { transaction } => {
                json!({"order": "stop", "outlet": null, "transaction": transaction})
            }
            Self::Unlock { outlet } => told("unlock", Some(*outlet), nothing),
            Self::Reset { immediate } => told("reset", None, json!({"immediate": immediate})),
            Self::Availability { outlet, operative } => {
                told("availability", *outlet, json!({"operative": operative}))
            }
            Self::Limit { power_kw, minutes } => told(
                "limit",
                None,
                json!({"power_kw": power_kw, "minutes": minutes}),
            ),
            Self::ClearLimit => told("clear_limit", None, nothing),
            Self::Trigger { message, outlet } => {
                told("trigger", *outlet, json!({"message": message}))
            }
            Self::Log {
                security, location, ..
            } => told(
                "log",
                None,
                json!({"security": security, "location": without_password(location)}),
            ),
            Self::Firmware { location, .. } => told(
                "firmware",
                None,
                json!({"location": without_password(location)}),
            ),
            Self::ReadSettings { settings } => told("read_settings", None, json!(names(settings))),
            Self::WriteSettings { settings } => {
                told("write_settings", None, json!(names(settings)))
            }
            Self::Data {
                vendor, message, ..
            } => told("data", None, json!({"vendor": vendor, "message": message})),
            Self::ForgetCards => told("forget_cards", None, nothing),
        }
    }

    /// The order, if it makes sense.
    fn order(self, now: Timestamp) -> Answer<Order> {
        let at = |text: Option<String>| text.as_deref().map(moment).transpose();
        Ok(match self {
            Self::Start { outlet, card } => Order::Start { outlet, card },
            Self::Stop { transaction } => Order::Stop { transaction },
            Self::Unlock { outlet } => Order::Unlock { outlet },
            Self::Reset { immediate } => Order::Reset {
                is_immediate: immediate,
            },
            Self::Availability { outlet, operative } => Order::Availability {
                outlet,
                is_operative: operative,
            },
            Self::Limit { power_kw, minutes } => {
                if !(0.0..=LIMIT_KW_MAX).contains(&power_kw)
                    || !(1..=LIMIT_MINUTES_MAX).contains(&minutes)
                {
                    return Err(invalid(
                        [
                            format!("功率上限 {power_kw} 千瓦、{minutes} 分钟不在允许范围内"),
                            format!(
                                "a limit of {power_kw} kW for {minutes} minutes is out of range"
                            ),
                        ],
                        "power_kw, minutes",
                        [
                            "功率 0 到 10000 千瓦，时长 1 到 10080 分钟",
                            "0 to 10,000 kW, for 1 to 10,080 minutes",
                        ],
                    ));
                }
                let watts = (power_kw * 1_000.0).round() as i64;
                Order::Limit {
                    limit: grid::of_station(watts, now, now.plus_seconds(minutes * 60)),
                    unit: crate::charging_office::LimitUnit::Watts,
                }
            }
            Self::ClearLimit => Order::ClearLimit {
                id: grid::STATION_ID,
            },
            Self::Trigger { message, outlet } => Order::Trigger { message, outlet },
            Self::Log {
                security,
                location: place,
                from,
                to,
            } => Order::Log {
                is_of_security: security,
                location: location(&place)?.to_string(),
                from: at(from)?,
                to: at(to)?,
            },
            Self::Firmware {
                location: place,
                retrieve_at,
                install_at,
                signing_certificate,
                signature,
            } => Order::Firmware {
                location: location(&place)?.to_string(),
                retrieve_at: at(retrieve_at)?.unwrap_or(now),
                install_at: at(install_at)?,
                signed: match (signing_certificate, signature) {
                    (Some(certificate), Some(signature)) => Some((certificate, signature)),
                    (None, None) => None,
                    _ => {
                        return Err(invalid(
                            [
                                "签名证书和签名要一起填写".to_owned(),
                                "a signing certificate and a signature come together".to_owned(),
                            ],
                            "signing_certificate, signature",
                            ["都填写，或者都不填写", "write both, or neither"],
                        ));
                    }
                },
            },
            Self::ReadSettings { settings } => Order::Read {
                settings: checked(settings, false)?,
            },
            Self::WriteSettings { settings } => Order::Write {
                settings: checked(settings, true)?,
            },
            Self::Data {
                vendor,
                message,
                data,
            } => Order::Data {
                vendor,
                message,
                data,
            },
            Self::ForgetCards => Order::ForgetCards,
        })
    }
}

/// What came of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingOrderAnswer)]
pub struct OrderBody {
    /// Whether the station does it.
    pub accepted: bool,
    /// The station's word.
    pub status: Option<String>,
    /// Settings that it was asked for or told.
    pub settings: Vec<Setting>,
    /// The file that it uploads.
    pub file: Option<String>,
    /// The maker's own answer.
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Value>,
}

/// Tells a station something and waits for its answer. An order that may have been carried out though no answer came says so (504).
#[utoipa::path(post, path = "/api/v1/charging/stations/{identity}/orders", tag = "charging", security(("session" = ["charging.manage"])),
    params(("identity" = String, Path)), request_body = OrderRequest,
    responses((status = 200, body = OrderBody), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn order(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(identity): Path<String>,
    Json(request): Json<OrderRequest>,
) -> Answer<Json<OrderBody>> {
    let office = app.charging()?;
    let way: Arc<dyn Stations> = office.stations.clone().ok_or_else(|| {
        ApiError::both(
            StatusCode::SERVICE_UNAVAILABLE,
            "ocpp-closed",
            ["充电桩接入没有开通", "the stations' door is closed"],
            ["OCPP", "OCPP"],
            [
                "请系统管理员设置 ocpp.listen",
                "let who runs the platform set ocpp.listen",
            ],
        )
    })?;
    // What was done to which station is written down before it is done: a crash in between leaves a trace.
    let (actor, now) = (peer.actor(&caller), app.now());
    let detail = request.told();
    let order = request.order(now)?;
    let target = format!("charging-station:{identity}");
    let mut write = app.records.write().await?;
    let event = Event::ChargingOrder;
    audit::insert(&mut write, now, &actor, event, &target, &detail).await?;
    write.commit().await?;
    let said = way.order(&identity, order).await.map_err(|undone| {
        let status = match undone.may_have_happened {
            true => StatusCode::GATEWAY_TIMEOUT,
            false => StatusCode::CONFLICT,
        };
        ApiError::told(status, undone.told)
    })?;
    Ok(Json(OrderBody {
        accepted: said.is_accepted,
        status: said.status,
        settings: said.settings,
        file: said.file,
        data: said.data,
    }))
}
