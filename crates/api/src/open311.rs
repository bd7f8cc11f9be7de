//! The door of service requests: Open311 GeoReport v2 (docs/open311.md). What comes in becomes a case of the class that the
//! service code names; what is told is a case of a public class without anybody's personal data, its status and notes from its
//! history. The wire's forms are the crate `open311`'s.
//!
//! A key is a service token. The standard sends it as `api_key` in the form or the address; [`door`] puts it where every other
//! operation's token is, so that the access rules are the same, and gives every refusal the standard's form.

use crate::access::{Caller, Peer, Rule};
use crate::app::App;
use crate::case_pages::announce;
use crate::error::{Answer, ApiError};
use crate::open311_form::{self as forms, Form, Media, Sent};
use crate::personal::{Look, Looking, LookingQuery};
use crate::sight::Seeing;
use ::open311::query::Query;
use ::open311::{
    Contact, Created, Discovery, Draft, Endpoint, Fault, Format, Limits, Request, Service,
    ServiceType, Status, created, requests_answer, services_answer, token_answer,
};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cases::catalogue::Category;
use cases::{CaseSummary, NewCase};
use identity::Permission;
use model::{MaskKind, Problem, Timestamp, Value};
use records::cases::{Case, CaseEvent};
use records::open311::{self as rows, ServiceRequest, Wanted};
use records::open311_links::{self as links, Link};
use records::{Acting, organisations};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use url::form_urlencoded;
use utoipa::ToSchema;

/// Where the endpoint is, below the city's address.
pub const BASE: &str = "/open311/v2";
/// The attribute under which a reporter's contact is sealed.
const CONTACT: &str = "contact";
/// Characters of a token.
const TOKEN_CHARS: usize = 26;
/// What a client may send to say that a request is the same as one before.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Most of an answer that is not ours that is told, bytes.
const PROBLEM_BYTES_MAX: usize = 4_096;
/// Longest title that is made of a description, in characters.
const TITLE_CHARS: usize = 40;

/// What can be set.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name by which clients call this city (`jurisdiction_id`); other names are refused.
    pub jurisdiction_id: String,
    /// Whether requests are read without a key. Making one always needs one.
    pub public_reads: bool,
    /// Whom to ask, in words: told by discovery.
    pub contact: String,
    /// The address under which people reach the city, without an end slash; empty: addresses are told without it.
    pub public_url: String,
    /// Largest form, in bytes; of a form with photos, what is in it beside them.
    pub form_bytes_max: usize,
    /// Most bytes of all photos of one form together.
    pub media_bytes_max: usize,
    /// Most photos of one form.
    pub media_files_max: usize,
    /// How much a form's fields may hold.
    pub limits: Limits,
}

/// Under which names a reporter's contact is sealed, by the request's token.
pub fn sealed_under(token: &str) -> (String, &'static str) {
    (format!("urn:open311:{token}"), CONTACT)
}

/// Whether the operation is open to this request without a key, because the city said so.
pub(crate) fn is_open(app: &App, request: &axum::extract::Request, rule: &Rule) -> bool {
    app.options.open311.public_reads
        && *rule == Rule::Permission(Permission::RequestRead)
        && matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.headers().contains_key(header::AUTHORIZATION)
}

/// Marks an answer that is in the standard's form.
#[derive(Clone, Copy)]
struct Spoken;

fn spoken(status: StatusCode, format: Format, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, body).into_response();
    response.extensions_mut().insert(Spoken);
    response
}

fn refused(faults: &[Fault], format: Format) -> Response {
    let status = faults.first().map_or(400, |fault| fault.code);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    spoken(status, format, Fault::answer(faults, format))
}

/// Lets a key in where the standard sends it, and lets every refusal out in the standard's form. Other addresses pass untouched.
pub async fn door(State(app): State<App>, request: axum::extract::Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with(BASE) {
        return next.run(request).await;
    }
    let format = Format::of(path).map_or(Format::Xml, |(_, format)| format);
    match with_key(&app.options.open311, request).await {
        Ok(request) => in_its_form(next.run(request).await, format).await,
        Err(fault) => refused(&[fault], format),
    }
}

/// The first field of that name in a form or an address.
fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(found, value)| found == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

async fn with_key(
    options: &Options,
    request: axum::extract::Request,
) -> Result<axum::extract::Request, Fault> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(request);
    }
    let of_address = request.uri().query().unwrap_or_default();
    let mut key = field(of_address.as_bytes(), "api_key");
    let (mut parts, mut body) = request.into_parts();
    if parts.method == Method::POST && key.is_none() {
        let bytes = forms::body(options, &parts.headers, body).await?;
        let form = forms::form(options, &parts.headers, bytes.clone()).await?;
        key = form.field("api_key").map(str::to_owned);
        parts.extensions.insert(Sent(bytes));
        body = Body::empty();
    }
    if let Some(key) = key {
        let value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| Fault::key())?;
        parts.headers.insert(header::AUTHORIZATION, value);
    }
    Ok(axum::extract::Request::from_parts(parts, body))
}

/// The form that was sent: read by the door already when the key was to be found in it.
async fn sent(options: &Options, request: axum::extract::Request) -> Result<Form, Fault> {
    let (mut parts, body) = request.into_parts();
    let bytes = match parts.extensions.remove::<Sent>() {
        Some(Sent(bytes)) => bytes,
        None => forms::body(options, &parts.headers, body).await?,
    };
    forms::form(options, &parts.headers, bytes).await
}

async fn in_its_form(response: Response, format: Format) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.extensions().get::<Spoken>().is_some() {
        return response;
    }
    let retry = response.headers().get(header::RETRY_AFTER).cloned();
    let body = axum::body::to_bytes(response.into_body(), PROBLEM_BYTES_MAX).await;
    let body = body.unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let said = problem["detail"].as_str().map(str::to_owned);
    let said = said.unwrap_or_else(|| String::from_utf8_lossy(&body).trim().to_owned());
    let fault = match status {
        // The standard has no word for who is not signed in: a key that is missing or does not do is 403.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::key(),
        _ if said.is_empty() => Fault::new(
            status.as_u16(),
            status.canonical_reason().unwrap_or("refused"),
        ),
        _ => Fault::new(status.as_u16(), said),
    };
    let mut answer = refused(&[fault], format);
    if let Some(retry) = retry {
        answer.headers_mut().insert(header::RETRY_AFTER, retry);
    }
    answer
}

/// The format of an address's ending and the address without it.
fn named(file: &str) -> Result<(&str, Format), Box<Response>> {
    Format::of(file).ok_or_else(|| {
        Box::new(refused(
            &[Fault::new(
                404,
                "write the address with .json or .xml at its end",
            )],
            Format::Xml,
        ))
    })
}

impl Options {
    fn jurisdiction(&self, said: Option<&str>) -> Result<(), Fault> {
        match said {
            Some(said) if said != self.jurisdiction_id => {
                Err(Fault::not_found("jurisdiction_id", said))
            }
            _ => Ok(()),
        }
    }

    /// Asks the name of the city that an address gives, when it gives one.
    fn jurisdiction_of(&self, query: Option<&str>) -> Result<(), Fault> {
        let said = field(query.unwrap_or_default().as_bytes(), "jurisdiction_id");
        self.jurisdiction(said.as_deref())
    }

    fn discovery(&self) -> Discovery {
        let changeset = concat!("jingling ", env!("CARGO_PKG_VERSION"));
        Discovery {
            changeset: changeset.to_owned(),
            contact: self.contact.clone(),
            key_service: self.contact.clone(),
            endpoints: vec![Endpoint {
                specification: "http://wiki.open311.org/GeoReport_v2".to_owned(),
                url: format!("{}{BASE}", self.public_url),
                changeset: changeset.to_owned(),
                r#type: "production".to_owned(),
                formats: vec!["text/xml".to_owned(), "application/json".to_owned()],
            }],
        }
    }
}

fn service_of(category: &Category) -> Service {
    let class = &category.class;
    Service {
        service_code: category.code.clone(),
        service_name: class.title_zh.clone(),
        description: format!("{} {}", class.files_zh, class.files_en),
        metadata: false,
        r#type: ServiceType::Realtime,
        keywords: format!(
            "{},{},{}",
            class.title_en, category.major_zh, category.major_en
        ),
        group: category.major_zh.clone(),
    }
}

/// The classes that people report through open doors, by code.
fn public_classes(app: &App) -> impl Iterator<Item = &Category> {
    let all = app.cases.options().catalogue.iter();
    all.filter(|category| category.class.public)
}

fn public_class<'a>(app: &'a App, code: &str) -> Option<&'a Category> {
    let category = app.cases.options().catalogue.get(code)?;
    category.class.public.then_some(category)
}

/// Discovery, the list of services, or service requests: `discovery`, `services` or `requests` with `.json` or `.xml`.
#[utoipa::path(get, path = "/open311/v2/{file}", tag = "open311", security(("session" = ["request.read"])),
    params(("file" = String, Path, description = "discovery, services or requests with .json or .xml")),
    responses((status = 200, content((Object = "application/json"), (String = "text/xml")))))]
pub async fn read(
    State(app): State<App>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let (stem, format) = match named(&file) {
        Ok(named) => named,
        Err(response) => return Ok(*response),
    };
    let options = &app.options.open311;
    if stem == "discovery" {
        let body = options.discovery().answer(format);
        return Ok(spoken(StatusCode::OK, format, body));
    }
    if let Err(fault) = options.jurisdiction_of(query.as_deref()) {
        return Ok(refused(&[fault], format));
    }
    match stem {
        "services" => {
            let services: Vec<Service> = public_classes(&app).map(service_of).collect();
            let body = services_answer(&services, format);
            Ok(spoken(StatusCode::OK, format, body))
        }
        "requests" => match wanted(&app, query.as_deref().unwrap_or_default()) {
            Err(fault) => Ok(refused(&[fault], format)),
            Ok(wanted) => {
                let found = told(&app, &wanted).await?;
                let body = requests_answer(&found, format);
                Ok(spoken(StatusCode::OK, format, body))
            }
        },
        other => Ok(refused(&[Fault::not_found("resource", other)], format)),
    }
}

/// The attributes of a service: those of this city have none.
#[utoipa::path(get, path = "/open311/v2/services/{file}", tag = "open311", security(("session" = ["request.read"])),
    params(("file" = String, Path, description = "the service's code with .json or .xml")),
    responses((status = 200, content((Object = "application/json"), (String = "text/xml")))))]
pub async fn service(
    State(app): State<App>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let (code, format) = match named(&file) {
        Ok(named) => named,
        Err(response) => return *response,
    };
    if let Err(fault) = app.options.open311.jurisdiction_of(query.as_deref()) {
        return refused(&[fault], format);
    }
    match public_class(&app, code) {
        None => refused(&[Fault::not_found("service_code", code)], format),
        Some(category) => spoken(
            StatusCode::OK,
            format,
            service_of(category).definition(format),
        ),
    }
}

/// One service request.
#[utoipa::path(get, path = "/open311/v2/requests/{file}", tag = "open311", security(("session" = ["request.read"])),
    params(("file" = String, Path, description = "the request's id with .json or .xml")),
    responses((status = 200, content((Object = "application/json"), (String = "text/xml")))))]
pub async fn request(
    State(app): State<App>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let (id, format) = match named(&file) {
        Ok(named) => named,
        Err(response) => return Ok(*response),
    };
    if let Err(fault) = app.options.open311.jurisdiction_of(query.as_deref()) {
        return Ok(refused(&[fault], format));
    }
    let one = Wanted {
        categories: public_classes(&app).map(|c| c.code.clone()).collect(),
        numbers: vec![id.to_owned()],
        limit: 1,
        ..Wanted::default()
    };
    let found = told(&app, &one).await?;
    if found.is_empty() {
        return Ok(refused(
            &[Fault::not_found("service_request_id", id)],
            format,
        ));
    }
    Ok(spoken(
        StatusCode::OK,
        format,
        requests_answer(&found, format),
    ))
}

/// The id of the request that a token stands for.
#[utoipa::path(get, path = "/open311/v2/tokens/{file}", tag = "open311", security(("session" = ["request.read"])),
    params(("file" = String, Path, description = "the token with .json or .xml")),
    responses((status = 200, content((Object = "application/json"), (String = "text/xml")))))]
pub async fn token(
    State(app): State<App>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let (token, format) = match named(&file) {
        Ok(named) => named,
        Err(response) => return Ok(*response),
    };
    if let Err(fault) = app.options.open311.jurisdiction_of(query.as_deref()) {
        return Ok(refused(&[fault], format));
    }
    let mut connection = app.records.read().await?;
    let found = rows::by_token(&mut connection, token).await?;
    let case = match found {
        None => None,
        Some(row) => records::cases::get(&mut connection, row.case_id).await?,
    };
    Ok(match case {
        None => refused(&[Fault::not_found("token", token)], format),
        Some(case) => {
            let body = token_answer(&case.number, token, format);
            spoken(StatusCode::OK, format, body)
        }
    })
}

/// What the parameters of an address ask for.
fn wanted(app: &App, query: &str) -> Result<Wanted, Fault> {
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let parameters = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let asked = Query::of(parameters, app.now())?;
    let all: Vec<String> = public_classes(app).map(|c| c.code.clone()).collect();
    let categories = match asked.codes.is_empty() || !asked.ids.is_empty() {
        true => all,
        false => {
            if let Some(unknown) = asked.codes.iter().find(|code| !all.contains(code)) {
                return Err(Fault::not_found("service_code", unknown));
            }
            asked.codes.clone()
        }
    };
    // Ids win over everything else, pages too.
    let is_by_id = !asked.ids.is_empty();
    Ok(Wanted {
        categories,
        from: asked.from,
        until: asked.until,
        open: asked.status.map(|status| status == Status::Open),
        offset: if is_by_id { 0 } else { asked.offset() },
        limit: if is_by_id {
            ::open311::query::REQUESTS_MAX
        } else {
            asked.page_size
        },
        numbers: asked.ids,
    })
}

/// Cases as they are told to anybody.
async fn told(app: &App, wanted: &Wanted) -> Answer<Vec<Request>> {
    let mut connection = app.records.read().await?;
    let cases = rows::cases(&mut connection, wanted).await?;
    let ids: Vec<i64> = cases.iter().map(|case| case.id).collect();
    let beside = rows::of_cases(&mut connection, &ids).await?;
    let mut beside: HashMap<i64, ServiceRequest> =
        beside.into_iter().map(|row| (row.case_id, row)).collect();
    let mut steps: HashMap<i64, Vec<CaseEvent>> = HashMap::new();
    for step in rows::steps_of(&mut connection, &ids).await? {
        steps.entry(step.case_id).or_default().push(step);
    }
    let names: HashMap<String, String> = organisations::list(&mut connection)
        .await?
        .into_iter()
        .map(|organisation| (organisation.id, organisation.name_zh))
        .collect();
    // Nobody states a purpose here, so that whatever looks personal is masked.
    let look = Look::masked(&app.personal);
    let all = cases.into_iter().filter_map(|case| {
        let category = public_class(app, case.category.as_deref()?)?;
        let beside = beside.remove(&case.id);
        let steps = steps.remove(&case.id).unwrap_or_default();
        let of = format!("case:{}", case.id);
        let written = |field: &str, text: String| look.written(&of, field, text);
        let agency = case.organisation_id.as_ref().and_then(|id| names.get(id));
        let place = case.lon.zip(case.lat);
        Some(Request {
            service_request_id: case.number.clone(),
            status: status_of(&case),
            status_notes: Some(written("note", notes(app, &case, &steps))),
            service_name: category.class.title_zh.clone(),
            service_code: category.code.clone(),
            description: Some(written("description", case.description.clone())),
            agency_responsible: agency.cloned(),
            service_notice: Some(category.class.closes_zh.clone()),
            requested_at: Some(case.created_at),
            updated_at: Some(case.updated_at),
            expected_at: case.case_due_at,
            address: beside
                .as_ref()
                .and_then(|row| Some(written("address", row.address.clone()?))),
            address_id: beside.as_ref().and_then(|row| row.address_id.clone()),
            zipcode: beside.as_ref().and_then(|row| row.zipcode.clone()),
            place: place.map(|(lon, lat)| [lon, lat]),
            media_url: beside.and_then(|row| row.media_url),
        })
    });
    Ok(all.collect())
}

fn status_of(case: &Case) -> Status {
    match case.closed_at {
        None => Status::Open,
        Some(_) => Status::Closed,
    }
}

/// Where a case stands in the words of its workflow, and what was written when work was finished or the case was called off.
fn notes(app: &App, case: &Case, steps: &[CaseEvent]) -> String {
    let workflow = app.cases.workflow(&case.workflow).ok();
    let state = workflow.as_ref().and_then(|w| w.state(&case.state));
    let title = state.map_or_else(|| case.state.clone(), |state| state.title_zh.clone());
    let written = steps
        .iter()
        .rev()
        .find(|step| matches!(step.action.as_str(), "finish" | "cancel"))
        .and_then(|step| step.note.as_deref());
    match written {
        None => title,
        Some(note) => format!("{title}：{note}"),
    }
}

/// Makes a service request (`requests.json` or `requests.xml`), which becomes a case with its photos. The same request twice on one day
/// from one key, or under one `Idempotency-Key`, is one.
#[utoipa::path(post, path = "/open311/v2/{file}", tag = "open311", security(("session" = ["request.report"])),
    params(("file" = String, Path, description = "requests with .json or .xml")),
    request_body(content((String = "application/x-www-form-urlencoded"), (Object = "multipart/form-data"))),
    responses((status = 200, content((Object = "application/json"), (String = "text/xml")))))]
pub async fn report(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Path(file): Path<String>,
    request: axum::extract::Request,
) -> Answer<Response> {
    let (stem, format) = match named(&file) {
        Ok(named) => named,
        Err(response) => return Ok(*response),
    };
    if stem != "requests" {
        return Ok(refused(&[Fault::not_found("resource", stem)], format));
    }
    let options = &app.options.open311;
    let Form { fields, media } = match sent(options, request).await {
        Ok(form) => form,
        Err(fault) => return Ok(refused(&[fault], format)),
    };
    let draft = match Draft::of_fields(fields, options.limits) {
        Ok(draft) => draft,
        Err(faults) => return Ok(refused(&faults, format)),
    };
    let wrong = options.jurisdiction(draft.jurisdiction_id.as_deref()).err();
    let wrong: Vec<Fault> = wrong.into_iter().chain(not_photos(&app, &media)).collect();
    if !wrong.is_empty() {
        return Ok(refused(&wrong, format));
    }
    let said = headers
        .get(IDEMPOTENCY_KEY)
        .and_then(|value| value.to_str().ok());
    let now = app.now();
    let taken = Taking {
        name: request_name(&app, &caller.name, said, (&draft, &media), now),
        draft,
        media,
        endpoint: "",
        remote_id: None,
        at: now,
    };
    // The key may make requests; the case is opened on its behalf and nothing else is.
    let acting = Acting {
        permissions: vec![Permission::CaseOpen.as_str()],
        ..peer.acting(&caller)
    };
    Ok(match take(&app, taken, &acting).await? {
        Err(fault) => refused(&[fault], format),
        Ok(made) => spoken(StatusCode::OK, format, created(&made, format)),
    })
}

/// What is no photo, or too large for one; found before a case is opened, so that a request is taken whole or not at all.
fn not_photos(app: &App, media: &[Media]) -> Vec<Fault> {
    let judge = |(n, file): (usize, &Media)| match app.cases.kind_of(&file.bytes) {
        Ok((_, cases::Kind::Photo)) => None,
        Ok(_) => Some(Fault::invalid(format!(
            "media {} is no picture: send JPEG, PNG or WebP",
            n + 1
        ))),
        Err(problem) => {
            let code = match problem.code.as_str() {
                "attachment-size" => 413,
                _ => 400,
            };
            let Problem { what, mend, .. } = problem;
            Some(Fault::new(code, format!("media {}: {what}: {mend}", n + 1)))
        }
    };
    media.iter().enumerate().filter_map(judge).collect()
}

/// What makes a request the same as one before: the key and the client's own word for it; without one what it says and shows, and
/// the day.
fn request_name(
    app: &App,
    key: &str,
    said: Option<&str>,
    (draft, media): (&Draft, &[Media]),
    now: Timestamp,
) -> String {
    let mut hash = Sha256::new();
    hash.update(key.as_bytes());
    match said {
        Some(said) => {
            hash.update(b"\0said\0");
            hash.update(said.as_bytes());
        }
        None => {
            let bare = Draft {
                api_key: None,
                ..draft.clone()
            };
            hash.update(b"\0form\0");
            hash.update(bare.form().as_bytes());
            for file in media {
                hash.update(b"\0media\0");
                hash.update(Sha256::digest(&file.bytes));
            }
            hash.update(app.cases.day(now).as_bytes());
        }
    }
    request_id(&hash.finalize())
}

/// A request's name as cases take it.
fn request_id(hash: &[u8]) -> String {
    let text = hex::encode(hash);
    format!("open311-{}", text.get(..40).unwrap_or(&text))
}

/// A service request that is about to become a case.
pub struct Taking<'a> {
    /// The name of the request, by which it is taken once.
    pub name: String,
    /// What it says.
    pub draft: Draft,
    /// Its photos, which are looked at already.
    pub(crate) media: Vec<Media>,
    /// The endpoint that it was taken from; empty for one that came in through the door.
    pub endpoint: &'a str,
    /// Its id there.
    pub remote_id: Option<String>,
    /// Now.
    pub at: Timestamp,
}

impl<'a> Taking<'a> {
    /// A request of another endpoint.
    pub fn of_other(endpoint: &'a str, remote_id: String, draft: Draft, at: Timestamp) -> Self {
        Self {
            name: imported_name(endpoint, &remote_id),
            draft,
            media: Vec::new(),
            endpoint,
            remote_id: Some(remote_id),
            at,
        }
    }
}

/// The name of a request of another endpoint: it is taken once, however often it is read.
fn imported_name(endpoint: &str, remote_id: &str) -> String {
    let hash = Sha256::new()
        .chain_update(endpoint.as_bytes())
        .chain_update(b"\0remote\0")
        .chain_update(remote_id.as_bytes());
    request_id(&hash.finalize())
}

/// Makes a case of a request and keeps what a case has no place for; the reporter's own data is sealed. Both are on disk when this
/// returns. What fails between the two is made good when the same request comes again, which its sender does without an answer.
///
/// # Errors
/// The inner one: what is wrong with the request, in the standard's form. The outer: the store's own.
pub async fn take(
    app: &App,
    taking: Taking<'_>,
    acting: &Acting,
) -> Answer<Result<Created, Fault>> {
    let Taking {
        name,
        draft,
        media,
        endpoint,
        remote_id,
        at,
    } = taking;
    let Some(category) = public_class(app, &draft.service_code) else {
        return Ok(Err(Fault::not_found("service_code", &draft.service_code)));
    };
    if let Some([lon, lat]) = draft.place {
        let [west, south, east, north] = app.city.bbox;
        if !(west..=east).contains(&lon) || !(south..=north).contains(&lat) {
            return Ok(Err(Fault::invalid("lat and long lie outside this city")));
        }
    }
    let token = identity::secret::random_text(TOKEN_CHARS);
    let contact = match draft.contact.is_empty() {
        true => None,
        false => Some(sealed(app, &token, &draft.contact)?),
    };
    let new = NewCase {
        title: title_of(category, &draft),
        description: draft.description.clone().unwrap_or_default(),
        location: draft.place,
        category: Some(category.code.clone()),
        town: draft
            .place
            .and_then(|at| app.city.town_of(at))
            .map(str::to_owned),
        grid: draft
            .place
            .and_then(|at| app.city.grid_of(at))
            .map(str::to_owned),
        source: Some("citizen".to_owned()),
        reporter: Some(name.clone()),
        request_id: Some(name),
        ..NewCase::default()
    };
    let opened = app.cases.open(&new, acting, at).await?;
    let case = opened.case;
    let attributes = match draft.attributes.is_empty() {
        true => None,
        false => Some(serde_json::to_string(&draft.attributes).map_err(ApiError::internal)?),
    };
    let row = ServiceRequest {
        id: 0,
        case_id: case.id,
        token,
        endpoint: endpoint.to_owned(),
        remote_id,
        service_code: draft.service_code,
        address: draft.address,
        address_id: draft.address_id,
        zipcode: draft.zipcode,
        media_url: draft.media_url,
        contact,
        received_at: at,
        attributes,
    };
    let mut write = app.records.write().await?;
    rows::insert(&mut write, &row).await?;
    if let Some(link) = followed(&row) {
        links::insert(&mut write, &link).await?;
    }
    let kept = rows::of_case(&mut write, case.id).await?;
    write.commit().await?;
    // A request that comes again brings what is missing, and nothing twice.
    for file in media {
        let sha256 = hex::encode(Sha256::digest(&file.bytes));
        let is_there = opened.attachments.iter().any(|a| a.sha256 == sha256);
        if !is_there && case.closed_at.is_none() {
            let bytes = file.bytes.to_vec();
            app.cases
                .attach(case.id, &file.name, bytes, acting, at)
                .await?;
        }
    }
    announce(app, &case);
    Ok(Ok(Created {
        service_request_id: Some(case.case.number),
        token: kept.map(|row| row.token),
        service_notice: Some(category.class.closes_zh.clone()),
    }))
}

/// How a request that was taken from another endpoint is followed there.
fn followed(row: &ServiceRequest) -> Option<Link> {
    let remote_id = row.remote_id.clone()?;
    Some(Link {
        id: 0,
        case_id: row.case_id,
        peer: row.endpoint.clone(),
        way: links::FROM.to_owned(),
        state: links::OPEN.to_owned(),
        service_code: row.service_code.clone(),
        reference: String::new(),
        made_at: row.received_at,
        attempts: 0,
        next_at: row.received_at,
        posted_at: None,
        token: None,
        remote_id: Some(remote_id),
        remote_status: Some(Status::Open.as_str().to_owned()),
        remote_notes: None,
        asked_at: None,
        problem: None,
    })
}

/// What a case is called: its class, and how its description or address begins.
fn title_of(category: &Category, draft: &Draft) -> String {
    let said = draft.description.as_deref().or(draft.address.as_deref());
    let first = said
        .and_then(|text| text.lines().next())
        .unwrap_or_default();
    let start: String = first.chars().take(TITLE_CHARS).collect();
    match start.is_empty() {
        true => category.class.title_zh.clone(),
        false => format!("{}：{start}", category.class.title_zh),
    }
}

fn sealed(app: &App, token: &str, contact: &Contact) -> Answer<String> {
    let (entity, attribute) = sealed_under(token);
    let text = serde_json::to_string(contact).map_err(ApiError::internal)?;
    let sealed = match &app.personal.sealer {
        None => None,
        Some(sealer) => sealer
            .seal(&entity, attribute, &Value::Text(text))
            .map_err(ApiError::internal)?,
    };
    // Without keys nothing personal is taken.
    sealed.ok_or_else(|| {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Problem::new(
                "personal-not-sealed",
                "the keys of personal data are missing, so that names and numbers cannot be kept",
                "contact",
                "report without them, or ask the city to put its keys back",
            ),
        )
    })
}

/// What the reporter of a request said of themselves, whole: for whoever the settings let have it. `None` without keys.
pub(crate) fn contact_of(app: &App, row: &ServiceRequest) -> Option<Contact> {
    let (entity, attribute) = sealed_under(&row.token);
    let opened = app
        .personal
        .open(&entity, attribute, row.contact.as_deref()?)?;
    serde_json::from_str(&opened.text).ok()
}

/// Who reported a case, as far as they said.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseContact)]
pub struct ContactBody {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Electronic mail.
    pub email: Option<String>,
    /// Where, in words.
    pub address: Option<String>,
    /// A picture that the reporter put somewhere.
    pub media_url: Option<String>,
    /// The endpoint that the request was taken from; empty for the city's own door.
    pub endpoint: String,
    /// Its id there.
    pub remote_id: Option<String>,
    /// What the client said beside (`attribute[code]`): its values by code.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Whether the reporter's data is masked: a purpose shows it whole.
    pub masked: bool,
}

/// Who reported a case through Open311. Masked, unless a purpose is stated, which the audit trail has then.
#[utoipa::path(get, path = "/api/v1/cases/{id}/contact", tag = "cases", security(("session" = ["case.read"])), params(("id" = i64, Path), LookingQuery),
    responses((status = 200, body = ContactBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn contact(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<ContactBody>> {
    let case: CaseSummary = app.cases.case(id, &peer.acting(&caller)).await?.case;
    sight.must_see(&case)?;
    let row = rows::of_case(&mut *app.records.read().await?, id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("contact of case", id))?;
    let of = format!("case:{id}");
    let (entity, attribute) = sealed_under(&row.token);
    let stored = row.contact.as_deref();
    let opened =
        stored.and_then(|stored| look.beside((&of, CONTACT), (&entity, attribute), stored));
    let (said, is_whole) = match opened {
        None => (Contact::default(), stored.is_none()),
        Some((opened, is_whole)) => {
            let said = serde_json::from_str(&opened.text).map_err(ApiError::internal)?;
            (said, is_whole)
        }
    };
    let shown = |kind: MaskKind, text: Option<String>| {
        text.map(|text| match is_whole {
            true => text,
            false => ::personal::mask::mask(kind, &text),
        })
    };
    let attributes: BTreeMap<String, Vec<String>> = match &row.attributes {
        None => BTreeMap::new(),
        Some(text) => serde_json::from_str(text).map_err(ApiError::internal)?,
    };
    let written = |(code, values): (String, Vec<String>)| {
        let values = values.into_iter();
        let shown = values.map(|value| look.written(&of, "attributes", value));
        (code, shown.collect())
    };
    let body = ContactBody {
        first_name: shown(MaskKind::Name, said.first_name),
        last_name: shown(MaskKind::Name, said.last_name),
        phone: shown(MaskKind::Phone, said.phone),
        email: shown(MaskKind::Whole, said.email),
        address: row.address.map(|text| look.written(&of, "address", text)),
        media_url: row.media_url,
        endpoint: row.endpoint,
        remote_id: row.remote_id,
        attributes: attributes.into_iter().map(written).collect(),
        masked: !is_whole,
    };
    look.tell(&app.records, app.now(), "case-contact").await?;
    Ok(Json(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_city_is_refused_and_none_is_taken_for_this_one() {
        let options = Options {
            jurisdiction_id: "tianmen".to_owned(),
            public_reads: false,
            contact: String::new(),
            public_url: String::new(),
            form_bytes_max: 1_024,
            media_bytes_max: 1_024,
            media_files_max: 1,
            limits: Limits::default(),
        };
        assert!(options.jurisdiction_of(None).is_ok());
        assert!(
            options
                .jurisdiction_of(Some("a=b&jurisdiction_id=tianmen"))
                .is_ok()
        );
        let fault = options
            .jurisdiction_of(Some("jurisdiction_id=sf"))
            .unwrap_err();
        assert_eq!(fault.code, 404);
    }

    #[test]
    fn the_name_of_an_imported_request_is_its_endpoints_and_ids() {
        let one = imported_name("sf", "12");
        assert_eq!(one, imported_name("sf", "12"));
        assert_ne!(one, imported_name("sf1", "2"));
        assert!(one.len() <= 64 && one.starts_with("open311-"));
    }
}
