//! Which interface has which bodies, and who answers it.

use crate::config::{Limits, Role};
use crate::error::{Fault, Ret};
use crate::message as m;
use crate::message::Checked;
use model::problem::both;

fn business(place: &str, zh: String, en: String) -> Fault {
    Fault::new(
        Ret::Business,
        "tcec102-data",
        both(zh, en),
        place,
        both(
            "按 T/CEC 102 填写业务参数",
            "write the business parameters as T/CEC 102 says",
        ),
    )
}

/// Data that does not open: whether by base64, length or padding is told to nobody.
pub(crate) fn sealed_wrongly() -> Fault {
    business(
        "Data",
        "数据无法解密".into(),
        "the data cannot be opened".into(),
    )
}

pub(crate) fn no_such_interface(api: &str) -> Fault {
    let api = model::problem::quote(api);
    business(
        "api",
        format!("没有接口 {api}"),
        format!("there is no interface {api} here"),
    )
}

macro_rules! interfaces {
    ($($variant:ident $api:literal $side:ident $ask:ident => $reply:ident,)*) => {
        /// What is asked.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call { $(#[doc = $api] $variant(m::$ask),)* }

        /// What is answered.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Reply { $(#[doc = $api] $variant(m::$reply),)* }

        impl Call {
            /// Every interface.
            pub const APIS: &[&str] = &[$($api),*];

            /// The interface's name, the last part of the address.
            pub const fn api(&self) -> &'static str {
                match self { $(Self::$variant(_) => $api,)* }
            }

            /// Whether a side answers an interface.
            pub fn is_answered_by(api: &str, role: Role) -> bool {
                match api { $($api => Side::$side.is(role),)* _ => false }
            }

            /// The body as JSON.
            pub fn to_json(&self) -> String {
                match self { $(Self::$variant(body) => serde_json::to_string(body),)* }.unwrap_or_default()
            }

            /// Reads a body.
            ///
            /// # Errors
            /// `tcec102-data` with 4004.
            pub fn read(api: &str, json: &str, limits: &Limits) -> Result<Self, Fault> {
                match api {
                    $($api => {
                        let body: m::$ask = serde_json::from_str(json).map_err(unreadable)?;
                        body.check(limits).map_err(|(place, rule)| {
                            business(place, format!("不符合规定:{rule}"), format!("the rule is: {rule}"))
                        })?;
                        Ok(Self::$variant(body))
                    })*
                    _ => Err(no_such_interface(api)),
                }
            }
        }

        impl Reply {
            /// The interface's name.
            pub const fn api(&self) -> &'static str {
                match self { $(Self::$variant(_) => $api,)* }
            }

            /// The body as JSON.
            pub fn to_json(&self) -> String {
                match self { $(Self::$variant(body) => serde_json::to_string(body),)* }.unwrap_or_default()
            }

            /// Reads a body.
            ///
            /// # Errors
            /// `tcec102-data`.
            pub fn read(api: &str, json: &str) -> Result<Self, Fault> {
                match api {
                    $($api => serde_json::from_str(json).map(Self::$variant).map_err(unreadable),)*
                    _ => Err(no_such_interface(api)),
                }
            }
        }
    };
}

#[allow(clippy::needless_pass_by_value, reason = "what map_err gives")]
fn unreadable(error: serde_json::Error) -> Fault {
    business(
        "Data",
        format!("业务参数无法读取:{error}"),
        format!("the body does not read: {error}"),
    )
}

/// Who answers.
enum Side {
    Operator,
    Regulator,
    Either,
}

impl Side {
    const fn is(&self, role: Role) -> bool {
        matches!(
            (self, role),
            (Self::Either, _)
                | (Self::Operator, Role::Operator)
                | (Self::Regulator, Role::Regulator)
        )
    }
}

interfaces! {
    QueryToken "query_token" Either QueryToken => QueryTokenReply,
    QueryStationsInfo "query_stations_info" Operator QueryStationsInfo => QueryStationsInfoReply,
    NotificationStationStatus "notification_stationStatus" Regulator NotificationStationStatus => NotificationStationStatusReply,
    QueryStationStatus "query_station_status" Operator QueryStationStatus => QueryStationStatusReply,
    QueryEquipAuth "query_equip_auth" Operator QueryEquipAuth => QueryEquipAuthReply,
    QueryStartCharge "query_start_charge" Operator QueryStartCharge => QueryStartChargeReply,
    NotificationStartChargeResult "notification_start_charge_result" Regulator NotificationStartChargeResult => Taken,
    QueryEquipChargeStatus "query_equip_charge_status" Operator QueryEquipChargeStatus => EquipChargeStatus,
    NotificationEquipChargeStatus "notification_equip_charge_status" Regulator EquipChargeStatus => Taken,
    QueryStopCharge "query_stop_charge" Operator QueryStopCharge => QueryStopChargeReply,
    NotificationStopChargeResult "notification_stop_charge_result" Regulator NotificationStopChargeResult => Taken,
    NotificationChargeOrderInfo "notification_charge_order_info" Regulator NotificationChargeOrderInfo => NotificationChargeOrderInfoReply,
    CheckChargeOrders "check_charge_orders" Either CheckChargeOrders => CheckChargeOrdersReply,
}
