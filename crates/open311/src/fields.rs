//! Reads what another server answers, JSON or XML, into the same flat fields. Servers differ (numbers as text, single objects
//! instead of arrays, fields of their own); what is not understood is left out, never guessed.

use crate::fault::Fault;
use crate::forms::{Created, Request, Status};
use model::{Problem, Timestamp};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most objects that are read of one answer.
const ITEMS_MAX: usize = 10_000;
/// Deepest element that is read.
const DEPTH_MAX: usize = 16;

type Fields = BTreeMap<String, String>;

fn unreadable(what: impl Into<String>) -> Problem {
    Problem::new(
        "open311-answer",
        what,
        "answer",
        "ask the endpoint's owner: it is to answer GeoReport v2 in JSON or XML",
    )
}

/// The objects of an answer, each with its plain fields.
fn items(body: &[u8]) -> Result<Vec<Fields>, Problem> {
    let text = std::str::from_utf8(body).map_err(|e| unreadable(format!("not UTF-8: {e}")))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.starts_with('<') {
        true => of_xml(text),
        false => of_json(text),
    }
}

fn of_json(text: &str) -> Result<Vec<Fields>, Problem> {
    let value: Value =
        serde_json::from_str(text).map_err(|e| unreadable(format!("not JSON: {e}")))?;
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("service_requests") {
            Some(Value::Array(list)) => list,
            _ => vec![Value::Object(object)],
        },
        _ => return Err(unreadable("neither an array nor an object")),
    };
    let plain = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let fields = |value: Value| match value {
        Value::Object(object) => object
            .into_iter()
            .filter_map(|(name, value)| Some((name, plain(value)?)))
            .collect(),
        _ => Fields::new(),
    };
    Ok(list.into_iter().take(ITEMS_MAX).map(fields).collect())
}

/// Elements of the second depth are the objects, those of the third their fields.
fn of_xml(text: &str) -> Result<Vec<Fields>, Problem> {
    let broken = |what: String| unreadable(format!("not XML: {what}"));
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut found: Vec<Fields> = Vec::new();
    let mut said = String::new();
    loop {
        match reader.read_event().map_err(|e| broken(e.to_string()))? {
            Event::Eof => break,
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                if path.len() > DEPTH_MAX {
                    return Err(broken(format!("deeper than {DEPTH_MAX} elements")));
                }
                said.clear();
                if path.len() == 2 {
                    if found.len() >= ITEMS_MAX {
                        return Ok(found);
                    }
                    found.push(Fields::new());
                }
            }
            Event::End(_) => {
                if path.len() == 3
                    && let (Some(name), Some(fields)) = (path.last(), found.last_mut())
                {
                    let value = said.trim();
                    if !value.is_empty() {
                        fields.insert(name.clone(), value.to_owned());
                    }
                }
                said.clear();
                path.pop();
            }
            Event::Text(text) => said.push_str(&text.xml10_content()),
            Event::CData(text) => said.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let known = reference
                    .resolve_char_ref()
                    .map_err(|e| broken(e.to_string()))?;
                match known {
                    Some(c) => said.push(c),
                    None => {
                        let name = reference.xml10_content();
                        let stands_for = resolve_predefined_entity(&name)
                            .ok_or_else(|| broken(format!("unknown entity &{name};")))?;
                        said.push_str(stands_for);
                    }
                }
            }
            // Of an empty element nothing is said; declarations and comments say nothing of requests.
            _ => {}
        }
    }
    match path.is_empty() {
        true => Ok(found),
        false => Err(broken("it ends in the middle".to_owned())),
    }
}

/// Reads the answer to GET Service Requests. Requests without an id are left out; the second value counts them.
///
/// # Errors
/// `open311-answer` when it is no answer of GeoReport at all.
pub fn read_requests(body: &[u8]) -> Result<(Vec<Request>, usize), Problem> {
    let items = items(body)?;
    let count = items.len();
    let requests: Vec<Request> = items.into_iter().filter_map(request).collect();
    let without = count - requests.len();
    Ok((requests, without))
}

fn request(mut fields: Fields) -> Option<Request> {
    let mut take = |name: &str| fields.remove(name).filter(|text| !text.trim().is_empty());
    let degrees = |text: Option<String>, most: f64| {
        let number: f64 = text?.trim().parse().ok()?;
        (number.is_finite() && number.abs() <= most).then_some(number)
    };
    let at = |text: Option<String>| Timestamp::parse(text?.trim()).ok();
    let place = degrees(take("long"), 180.0).zip(degrees(take("lat"), 90.0));
    Some(Request {
        service_request_id: take("service_request_id")?,
        status: match take("status").as_deref() {
            Some(word) if word.eq_ignore_ascii_case("closed") => Status::Closed,
            _ => Status::Open,
        },
        status_notes: take("status_notes"),
        service_name: take("service_name").unwrap_or_default(),
        service_code: take("service_code").unwrap_or_default(),
        description: take("description"),
        agency_responsible: take("agency_responsible"),
        service_notice: take("service_notice"),
        requested_at: at(take("requested_datetime")),
        updated_at: at(take("updated_datetime")),
        expected_at: at(take("expected_datetime")),
        address: take("address"),
        address_id: take("address_id"),
        zipcode: take("zipcode"),
        place: place.map(|(long, lat)| [long, lat]),
        media_url: take("media_url"),
    })
}

/// Reads the answer to POST Service Request.
///
/// # Errors
/// `open311-answer` when it gives neither an id nor a token.
pub fn read_created(body: &[u8]) -> Result<Created, Problem> {
    let mut fields = items(body)?.into_iter().next().unwrap_or_default();
    let created = Created {
        service_request_id: fields.remove("service_request_id"),
        token: fields.remove("token"),
        service_notice: fields.remove("service_notice"),
    };
    match created.service_request_id.is_some() || created.token.is_some() {
        true => Ok(created),
        false => Err(unreadable("neither an id nor a token was given")),
    }
}

/// Reads the errors of an answer; empty when it holds none.
pub fn read_faults(body: &[u8]) -> Vec<Fault> {
    let items = items(body).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|mut fields| {
            Some(Fault {
                code: fields.remove("code")?.trim().parse().ok()?,
                description: fields.remove("description").unwrap_or_default(),
            })
        })
        .collect()
}
