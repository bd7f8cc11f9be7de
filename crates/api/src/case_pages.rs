//! One case: work from opening to closure, with who did what, when, and the photos. Lists are
//! [`crate::case_lists`], figures [`crate::case_figures`].

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::case_bodies::{AttachmentBody, AttachmentForm, CaseDetail, LimitsBody};
use crate::description::Place;
use crate::error::{Answer, ApiError};
use crate::sight::{Seeing, Sight};
use crate::upload;
use crate::words::Severity;
use axum::Json;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cases::{Act, NewCase, Part, Signed, Taken};
use model::{Problem, Timestamp};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// A case to open.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CaseDraft)]
pub struct OpenRequest {
    /// One line; the alert's title when left out and there is an alert.
    #[serde(default)]
    pub title: String,
    /// More.
    #[serde(default)]
    pub description: String,
    /// The alert it comes from.
    pub alert_id: Option<i64>,
    /// The entity it is about.
    pub entity_id: Option<String>,
    /// How grave it is; the alert's when left out and there is an alert.
    #[schema(value_type = Option<Severity>)]
    pub severity: Option<String>,
    /// Longitude and latitude.
    #[schema(value_type = Option<Place>)]
    pub location: Option<[f64; 2]>,
    /// What kind it is: a code of the city's catalogue (GB/T 30428.2).
    pub category: Option<String>,
    /// The code of the town in which it lies; left out, the one that its place is in.
    pub town: Option<String>,
    /// Who found it: `staff` (default), `citizen` or `sensor` (default with an alert).
    pub source: Option<String>,
    /// A reference to the reporter that says nothing by itself, such as the number of a call; no name, no telephone number.
    pub reporter: Option<String>,
    /// A UUID made for this one request: sent twice, the case is opened once.
    pub request_id: Option<String>,
}

/// The town of a new case: the one that is said, which must be one of the city's, else the one that its place is in.
fn town(app: &App, said: Option<String>, place: Option<[f64; 2]>) -> Answer<Option<String>> {
    let Some(code) = said.filter(|code| !code.is_empty()) else {
        return Ok(place.and_then(|at| app.city.town_of(at)).map(str::to_owned));
    };
    if app.city.towns.iter().any(|town| town.code == code) {
        return Ok(Some(code));
    }
    Err(ApiError::invalid(Problem::new(
        "unknown-town",
        format!("the city has no town \"{}\"", model::problem::quote(&code)),
        "town",
        "take the code of a town of the base map, or leave it out",
    )))
}

pub(crate) fn organisation_of(case: &cases::CaseSummary) -> Option<&str> {
    case.organisation.as_ref().map(|o| o.id.as_str())
}

impl Sight {
    /// Asks that the case may be read.
    pub(crate) fn must_see(&self, case: &cases::CaseSummary) -> Answer<()> {
        match self.sees_case(organisation_of(case)) {
            true => Ok(()),
            false => Err(ApiError::not_found("case", case.id)),
        }
    }
}

/// The case as a caller sees it: without the parts that lie with departments whose cases they may not read.
fn shown(app: &App, sight: &Sight, mut detail: cases::CaseDetail) -> Json<CaseDetail> {
    detail
        .parts
        .retain(|part| sight.sees_case(organisation_of(part)));
    Json(CaseDetail::of(&app.cases, detail, app.now()))
}

/// Tells the pages that a case is new or has moved.
pub(crate) fn announce(app: &App, case: &cases::CaseSummary) {
    let notice = json!({"id": case.id, "state": case.state, "number": case.number, "alert_id": case.alert_id,
        "organisation_id": organisation_of(case)});
    app.events
        .tell("case", identity::Permission::CaseRead, notice);
}

/// Tells the pages that something was written into a case's history that did not move it.
pub(crate) fn announce_row(app: &App, case: &records::cases::Case) {
    let notice = json!({"id": case.id, "state": case.state, "number": case.number, "alert_id": case.alert_id,
        "organisation_id": case.organisation_id});
    app.events
        .tell("case", identity::Permission::CaseRead, notice);
}

fn told(app: &App, sight: &Sight, detail: cases::CaseDetail) -> Json<CaseDetail> {
    announce(app, &detail.case);
    shown(app, sight, detail)
}

/// Opens a case. One that comes from an alert follows the workflow that the alert's rule names.
#[utoipa::path(post, path = "/api/v1/cases", tag = "cases", security(("session" = ["case.open"])), request_body = OpenRequest,
    responses((status = 201, body = CaseDetail), (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn open(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Json(request): Json<OpenRequest>,
) -> Answer<Response> {
    let packs = app.packs.now();
    let alert = match request.alert_id {
        None => None,
        Some(id) => Some(app.cases.alert(id).await?),
    };
    let workflow = alert
        .as_ref()
        .and_then(|alert| packs.case_workflow(&alert.rule_id));
    let place = request.location.or_else(|| {
        let alert = alert.as_ref()?;
        Some([alert.lon?, alert.lat?])
    });
    let category = request.category.or_else(|| {
        let of_rule = app
            .cases
            .options()
            .catalogue
            .of_rule(&alert.as_ref()?.rule_id);
        Some(of_rule?.code.clone())
    });
    let new = NewCase {
        title: request.title,
        description: request.description,
        alert_id: request.alert_id,
        entity_id: request.entity_id,
        severity: request.severity,
        location: request.location,
        workflow: workflow.map(str::to_owned),
        category,
        town: town(&app, request.town, place)?,
        grid: place.and_then(|at| app.city.grid_of(at)).map(str::to_owned),
        source: request.source,
        reporter: request.reporter,
        request_id: request.request_id,
    };
    let case = app
        .cases
        .open(&new, &peer.acting(&caller), app.now())
        .await?;
    if let Some(alert) = request.alert_id {
        app.tell_alert(app.cases.alert(alert).await?);
    }
    Ok((StatusCode::CREATED, told(&app, &sight, case)).into_response())
}

/// One case with its history, its attachments, and what the caller may do now.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "cases", security(("session" = ["case.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = CaseDetail), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<CaseDetail>> {
    let case = app.cases.case(id, &peer.acting(&caller)).await?;
    sight.must_see(&case.case)?;
    Ok(shown(&app, &sight, case))
}

/// A step.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CaseAct)]
pub struct ActRequest {
    /// One of the case's `actions`; of the standard workflow file, dispatch, take, return, finish, verify, reject, close,
    /// comment, cancel, ask-extension, grant-extension, refuse-extension, supervise, answer, suspend, resume, split, gather,
    /// duplicate or reopen.
    pub action: String,
    /// What the person writes.
    pub note: Option<String>,
    /// The organisation to dispatch to.
    pub organisation: Option<String>,
    /// The person to give it to.
    pub assignee: Option<i64>,
    /// Attachments of this step.
    #[serde(default)]
    pub attachment_ids: Vec<i64>,
    /// The version that the person saw; a case that has changed since refuses the step.
    pub version: Option<i64>,
    /// How many minutes of working time: of an extension.
    pub minutes: Option<u32>,
    /// Until when (RFC 3339): of supervision and suspension.
    pub until: Option<String>,
    /// The other case: the one that this case repeats.
    pub case: Option<i64>,
    /// The parts that the case is split into.
    #[serde(default)]
    pub parts: Vec<PartRequest>,
    /// A UUID made for this one request: sent twice, it is done once.
    pub request_id: Option<String>,
    /// When it was done by the clock of the phone (RFC 3339), which may have been without a network since.
    pub done_at: Option<String>,
    /// What that clock says now (RFC 3339).
    pub clock: Option<String>,
}

/// One part of a case (子案件), for one organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CasePart)]
pub struct PartRequest {
    /// The organisation.
    pub organisation: String,
    /// The person, when it is given to one.
    pub assignee: Option<i64>,
    /// One line; the whole case's title when left out.
    #[serde(default)]
    pub title: String,
}

/// A moment that a caller wrote.
pub(crate) fn moment(text: &str, place: &str) -> Answer<Timestamp> {
    Timestamp::parse(text).map_err(|p| {
        ApiError::invalid(Problem {
            place: place.to_owned(),
            ..p
        })
    })
}

/// Moves a case. The workflow says who may do what; see `actions` of the case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/actions", tag = "cases", security(("session" = ["case.read"])), params(("id" = i64, Path)),
    request_body = ActRequest,
    responses((status = 200, body = CaseDetail), (status = 403, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn act(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<ActRequest>,
) -> Answer<Json<CaseDetail>> {
    let acting = peer.acting(&caller);
    if let Err(hidden) = sight.must_see(&app.cases.case(id, &acting).await?.case) {
        // The answer to a step may have been lost before the case went to others: of one's own step that much is told.
        let request = request.request_id.as_deref();
        if !app.cases.was_done(id, request, &acting).await? {
            return Err(hidden);
        }
        let done = Problem::new(
            "request-done",
            "the step was done before; the case has gone to others since",
            "request_id",
            "nothing is to be done",
        );
        return Err(ApiError::new(StatusCode::CONFLICT, done));
    }
    if let Some(other) = request.case {
        sight.must_see(&app.cases.case(other, &peer.acting(&caller)).await?.case)?;
    }
    let time = |text: &Option<String>, place| {
        let text = text.as_deref();
        text.map(|text| moment(text, place)).transpose()
    };
    let act = Act {
        action: request.action,
        note: request.note,
        organisation: request.organisation,
        assignee: request.assignee,
        attachment_ids: request.attachment_ids,
        version: request.version,
        minutes: request.minutes,
        until: time(&request.until, "until")?,
        done_at: time(&request.done_at, "done_at")?,
        clock: time(&request.clock, "clock")?,
        case: request.case,
        parts: request
            .parts
            .into_iter()
            .map(|part| Part {
                organisation: part.organisation,
                assignee: part.assignee,
                title: part.title,
            })
            .collect(),
        request_id: request.request_id,
    };
    let case = app
        .cases
        .act(id, &act, &peer.acting(&caller), app.now())
        .await?;
    Ok(told(&app, &sight, case))
}

/// What files and steps of cases are held to, for a phone to keep without a network.
#[utoipa::path(get, path = "/api/v1/cases/limits", tag = "cases", security(("session" = ["case.read"])),
    responses((status = 200, body = LimitsBody)))]
pub async fn limits(State(app): State<App>, Caller(_caller): Caller) -> Answer<Json<LimitsBody>> {
    Ok(Json(LimitsBody::of(app.cases.options(), app.now())))
}

/// What the sender says of a file.
#[derive(Debug, Deserialize, IntoParams)]
pub struct AttachQuery {
    /// When it was made by the clock of the phone or camera (RFC 3339); left out, a photo's own Exif says it.
    pub taken_at: Option<String>,
    /// What that clock says now (RFC 3339), so that a phone that syncs late is told from one whose clock is wrong.
    pub clock: Option<String>,
    /// Longitude where it was taken, degrees.
    pub lon: Option<f64>,
    /// Latitude where it was taken, degrees.
    pub lat: Option<f64>,
    /// How sure the phone is of the place, in metres.
    pub accuracy_m: Option<f64>,
    /// How long a voice note is, in milliseconds.
    pub duration_ms: Option<u32>,
}

/// Adds a photo, voice note, signature or document (multipart, field `file`, after the others). It is on disk when this
/// answers.
#[utoipa::path(post, path = "/api/v1/cases/{id}/attachments", tag = "cases", security(("session" = ["case.handle"])), params(("id" = i64, Path), AttachQuery),
    request_body(content = AttachmentForm, content_type = "multipart/form-data"),
    responses((status = 201, body = AttachmentBody), (status = 400, body = crate::error::ProblemBody)))]
pub async fn attach(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
    Query(query): Query<AttachQuery>,
    mut form: Multipart,
) -> Answer<Response> {
    let time = |text: &Option<String>, place| {
        let text = text.as_deref();
        text.map(|text| moment(text, place)).transpose()
    };
    let mut taken = Taken {
        at: time(&query.taken_at, "taken_at")?,
        clock: time(&query.clock, "clock")?,
        place: query.lon.zip(query.lat).map(|(lon, lat)| [lon, lat]),
        accuracy_m: query.accuracy_m,
        duration_ms: query.duration_ms,
        signed: None,
    };
    let mut signed = Signed {
        signer: String::new(),
        capacity: String::new(),
        is_typed: false,
    };
    sight.must_see(&app.cases.case(id, &peer.acting(&caller)).await?.case)?;
    let broken = |e| upload::broken(&e);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("file") => {}
            Some("signer") => {
                signed.signer = field.text().await.map_err(broken)?;
                continue;
            }
            Some("capacity") => {
                signed.capacity = field.text().await.map_err(broken)?;
                continue;
            }
            Some("signed_how") => {
                signed.is_typed = field.text().await.map_err(broken)? == "typed";
                continue;
            }
            _ => continue,
        }
        if !signed.signer.is_empty() || !signed.capacity.is_empty() {
            taken.signed = Some(signed);
        }
        let name = field.file_name().unwrap_or("photo").to_owned();
        let bytes = field.bytes().await.map_err(broken)?;
        let attachment = app
            .cases
            .attach_taken(
                id,
                &name,
                bytes.to_vec(),
                &taken,
                &peer.acting(&caller),
                app.now(),
            )
            .await?;
        return Ok((StatusCode::CREATED, Json(AttachmentBody::from(attachment))).into_response());
    }
    Err(upload::missing())
}

/// An attachment's bytes.
#[utoipa::path(get, path = "/api/v1/attachments/{id}", tag = "cases", security(("session" = ["case.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = crate::error::ProblemBody)))]
pub async fn attachment(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let (attachment, bytes) = app.cases.attachment(id).await?;
    let acting = peer.acting(&caller);
    let of = app.cases.case(attachment.case_id, &acting).await?;
    sight.must_see(&of.case)?;
    Ok(sent_as(bytes, &attachment.media_type, &attachment.name))
}

/// The bytes of a file that somebody sent, so that a browser runs nothing of it.
pub(crate) fn sent_as(bytes: Vec<u8>, media_type: &str, name: &str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(media_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    // A picture is shown; what is more than a picture is only ever saved, never opened within the site.
    if let Ok(value) = HeaderValue::from_str(&disposition(media_type, name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// How a browser takes a file (RFC 6266), with its name in UTF-8.
fn disposition(media_type: &str, name: &str) -> String {
    let how = if media_type.starts_with("image/") {
        "inline"
    } else {
        "attachment"
    };
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{how}; filename*=UTF-8''{}", name.replace('+', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_shown_and_everything_else_is_saved_under_its_name() {
        assert_eq!(
            disposition("image/png", "井盖 1.png"),
            "inline; filename*=UTF-8''%E4%BA%95%E7%9B%96%201.png"
        );
        let hostile = disposition("application/pdf", "a\"; filename=b.html\r\n.pdf");
        assert!(hostile.starts_with("attachment; "), "{hostile}");
        assert!(HeaderValue::from_str(&hostile).is_ok(), "{hostile}");
        assert!(
            !hostile.contains('"') && !hostile[12..].contains(';'),
            "{hostile}"
        );
    }
}
