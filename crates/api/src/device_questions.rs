//! Questions and settings (召测、参数设置) that a person puts to a device over its own protocol, and what it answers at once. What can be
//! asked is the door's to say, an [`Outlet`](crate::command_office::Outlet); moving gates and pumps is a command, which two people agree to.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::command_office::NotCarried;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use commands::Why;
use model::Timestamp;
use model::problem::{both, quote};
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most codes or values of one question.
pub const CODES_MAX: usize = 32;

/// What a device can be asked, or set to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceAskable {
    /// Its name, such as `now`.
    pub name: &'static str,
    /// Its title in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// Whether it changes something at the device.
    pub changes: bool,
    /// What is said with it: nothing, `codes` (which elements or parameters; all when none is named), `one-code-and-period`, or `values`
    /// (a number for each parameter).
    pub takes: &'static str,
    /// The codes that can be named.
    pub codes: Vec<DeviceAskableCode>,
}

/// An element or a parameter of a device, by its standard's code.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceAskableCode {
    /// The code.
    pub code: String,
    /// Its name in the standard's words.
    pub title_zh: String,
    /// Its unit, as the standard writes it; empty when it has none.
    pub unit: String,
    /// Digits behind the point that a value of it has.
    pub decimals: u8,
}

/// What can be asked of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceAskables {
    /// Each; empty when its door asks nothing, or is closed.
    pub items: Vec<DeviceAskable>,
}

/// A question to a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceAsked {
    /// Its name.
    pub question: String,
    /// Which elements or parameters, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// The numbers that parameters are set to, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// Of a period: from when, RFC 3339; whole hours are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Of a period: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Of a period: minutes between two values; an hour when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_minutes: Option<u32>,
}

/// What a device answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceReply {
    /// When the answer was here.
    pub at: String,
    /// The answer in the terms of the device's standard.
    pub answer: Value,
}

impl DeviceAsked {
    /// Where its period begins and ends.
    ///
    /// # Errors
    /// A bound that is missing or no time, or one that ends before it begins.
    pub fn period(&self) -> Result<(Timestamp, Timestamp), NotCarried> {
        let time = |text: &Option<String>| Timestamp::parse(text.as_deref()?).ok();
        match (time(&self.from), time(&self.to)) {
            (Some(from), Some(to)) if from < to => Ok((from, to)),
            _ => Err(NotCarried::said_wrongly(
                "时段不完整：需要起、止时间，止晚于起",
                "the period is not whole: it needs from and to, and ends after it begins",
                "请按 2026-07-01T08:00:00+08:00 的写法给出 from 和 to",
                "give from and to such as 2026-07-01T08:00:00+08:00",
            )),
        }
    }
}

impl NotCarried {
    /// What was asked in a way that cannot be asked; nothing was sent.
    pub fn said_wrongly(zh: &str, en: &str, mend_zh: &str, mend_en: &str) -> Self {
        Self {
            why: Box::new(Why::new(
                "device-question",
                both(zh, en),
                both(mend_zh, mend_en),
            )),
            may_be_done: false,
        }
    }
}

/// What can be asked of a device now.
#[utoipa::path(get, path = "/api/v1/devices/{client_id}/questions", tag = "devices", security(("session" = ["device.manage"])), params(("client_id" = String, Path)),
    responses((status = 200, body = DeviceAskables), (status = 404, body = ProblemBody)))]
pub async fn offers(
    State(app): State<App>,
    Path(client_id): Path<String>,
) -> Answer<Json<DeviceAskables>> {
    let device = app.identity.device(&client_id).await?;
    let items = app
        .outlet
        .get()
        .map(|outlet| outlet.questions(&device.id))
        .unwrap_or_default();
    Ok(Json(DeviceAskables { items }))
}

/// Asks a device something, or sets something at it, and waits for its answer. What it says of things is taken as any report of its.
/// It is in the audit trail before anything is sent.
#[utoipa::path(post, path = "/api/v1/devices/{client_id}/questions", tag = "devices", security(("session" = ["device.manage"])), params(("client_id" = String, Path)),
    request_body = DeviceAsked,
    responses((status = 200, body = DeviceReply), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 502, body = ProblemBody)))]
pub async fn ask(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
    Json(asked): Json<DeviceAsked>,
) -> Answer<Json<DeviceReply>> {
    let device = app.identity.device(&client_id).await?;
    if asked.codes.len() + asked.values.len() > CODES_MAX {
        let many = NotCarried::said_wrongly(
            &format!("一次最多 {CODES_MAX} 个要素或参数"),
            &format!("more than {CODES_MAX} elements or parameters at once"),
            "请分几次",
            "ask several times",
        );
        return Err(refused(many));
    }
    let outlet = app.outlet.get();
    let outlet = outlet.filter(|outlet| {
        let all = outlet.questions(&device.id);
        all.iter().any(|one| one.name == asked.question)
    });
    let outlet = outlet.ok_or_else(|| {
        refused(NotCarried::said_wrongly(
            &format!("{} 不能问这台设备", quote(&asked.question)),
            &format!("{} cannot be asked of this device", quote(&asked.question)),
            "能问什么见 GET 同一地址；设备接入没有开门时什么也不能问",
            "GET the same address says what can be asked: nothing where the device's door is closed",
        ))
    })?;
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    let about = format!("device:{client_id}");
    let detail = json!({"id": device.id, "question": asked.question, "asked": asked});
    audit::insert(
        &mut write,
        app.now(),
        &actor,
        Event::DeviceAsk,
        &about,
        &detail,
    )
    .await?;
    write.commit().await?;
    let answer = outlet.ask(&device.id, asked).await.map_err(refused)?;
    Ok(Json(DeviceReply {
        at: app.now().to_string(),
        answer,
    }))
}

/// 400 for what was asked wrongly, 502 for a device that may have heard it, 409 for all else.
fn refused(not: NotCarried) -> ApiError {
    let status = match (not.why.code.as_str(), not.may_be_done) {
        ("device-question", _) => StatusCode::BAD_REQUEST,
        (_, true) => StatusCode::BAD_GATEWAY,
        (_, false) => StatusCode::CONFLICT,
    };
    ApiError::told(status, not.why.told("question"))
}
