//! What a server answers, in JSON and in XML. Both are written from one value; in XML a list is a parent of elements named by
//! the list ([`item_name`]).

use model::Timestamp;
use quick_xml::escape::escape;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `…​.json`
    Json,
    /// `…​.xml`
    Xml,
}

impl Format {
    /// The format of an address's ending, and the address without it: `requests.json`.
    pub fn of(path: &str) -> Option<(&str, Self)> {
        let (stem, ending) = path.rsplit_once('.')?;
        let format = match ending {
            "json" => Self::Json,
            "xml" => Self::Xml,
            _ => return None,
        };
        Some((stem, format))
    }

    /// The media type, with its encoding (section Format Support).
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Xml => "text/xml; charset=utf-8",
        }
    }

    /// Writes a value; `root` is the element around it in XML.
    pub fn render(self, root: &str, value: &Value) -> String {
        match self {
            Self::Json => value.to_string(),
            Self::Xml => {
                let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
                element(&mut text, root, value);
                text
            }
        }
    }
}

/// The name of the elements of a list.
fn item_name(list: &str) -> &str {
    match list {
        "service_requests" => "request",
        other => other.strip_suffix('s').unwrap_or("item"),
    }
}

fn element(text: &mut String, name: &str, value: &Value) {
    // A String takes whatever is written to it.
    let _ = match value {
        Value::Null => write!(text, "<{name}/>"),
        Value::String(said) => write!(text, "<{name}>{}</{name}>", escape(speakable(said))),
        Value::Array(items) => {
            let _ = write!(text, "<{name}>");
            items
                .iter()
                .for_each(|item| element(text, item_name(name), item));
            write!(text, "</{name}>")
        }
        Value::Object(fields) => {
            let _ = write!(text, "<{name}>");
            fields
                .iter()
                .for_each(|(field, value)| element(text, field, value));
            write!(text, "</{name}>")
        }
        other => write!(text, "<{name}>{other}</{name}>"),
    };
}

/// Without the characters that XML 1.0 cannot say at all (section 2.2, production Char).
fn speakable(text: &str) -> String {
    let may = |c: &char| {
        matches!(c, '\t' | '\n' | '\r') || (*c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().filter(may).collect()
}

/// When a server gives the id of a request: section GET Service List, `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceType {
    /// At once.
    Realtime,
}

/// One service: a kind of request that may be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its code.
    pub service_code: String,
    /// Its name.
    pub service_name: String,
    /// What it is for.
    pub description: String,
    /// Whether it asks for further attributes.
    pub metadata: bool,
    /// When the id of a request is given.
    pub r#type: ServiceType,
    /// Words to find it by, with commas between.
    pub keywords: String,
    /// What it is listed under.
    pub group: String,
}

impl Service {
    /// The answer to GET Service Definition: a service without attributes of its own has an empty list.
    pub fn definition(&self, format: Format) -> String {
        let value = json!({"service_code": self.service_code, "attributes": []});
        format.render("service_definition", &value)
    }
}

/// The answer to GET Service List.
pub fn services_answer(services: &[Service], format: Format) -> String {
    format.render("services", &json!(services))
}

/// Whether a request is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Reported and not ended.
    Open,
    /// Ended.
    Closed,
}

impl Status {
    /// The word of the standard.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A service request as it is told: section GET Service Requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id.
    pub service_request_id: String,
    /// Whether it has ended.
    pub status: Status,
    /// Why it is where it is.
    pub status_notes: Option<String>,
    /// Name of the service.
    pub service_name: String,
    /// Code of the service.
    pub service_code: String,
    /// What was reported.
    pub description: Option<String>,
    /// Who works on it.
    pub agency_responsible: Option<String>,
    /// What will be done.
    pub service_notice: Option<String>,
    /// When it was made.
    pub requested_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// When it should be done.
    pub expected_at: Option<Timestamp>,
    /// Where, in words.
    pub address: Option<String>,
    /// The city's own id of the address.
    pub address_id: Option<String>,
    /// Postal code.
    pub zipcode: Option<String>,
    /// Longitude and latitude, WGS 84 degrees.
    pub place: Option<[f64; 2]>,
    /// A picture.
    pub media_url: Option<String>,
}

impl Request {
    fn value(&self) -> Value {
        let at = |moment: Option<Timestamp>| moment.map(|m| m.to_string());
        json!({
            "service_request_id": self.service_request_id,
            "status": self.status.as_str(),
            "status_notes": self.status_notes,
            "service_name": self.service_name,
            "service_code": self.service_code,
            "description": self.description,
            "agency_responsible": self.agency_responsible,
            "service_notice": self.service_notice,
            "requested_datetime": at(self.requested_at),
            "updated_datetime": at(self.updated_at),
            "expected_datetime": at(self.expected_at),
            "address": self.address,
            "address_id": self.address_id,
            "zipcode": self.zipcode,
            "lat": self.place.map(|p| p[1]),
            "long": self.place.map(|p| p[0]),
            "media_url": self.media_url,
        })
    }
}

/// The answer to GET Service Requests and GET Service Request.
pub fn requests_answer(requests: &[Request], format: Format) -> String {
    let values: Vec<Value> = requests.iter().map(Request::value).collect();
    format.render("service_requests", &Value::Array(values))
}

/// What a server gives for a request that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// Its id, when it is known at once.
    pub service_request_id: Option<String>,
    /// A token that finds the id later.
    pub token: Option<String>,
    /// What will be done.
    pub service_notice: Option<String>,
}

/// The answer to POST Service Request.
pub fn created(made: &Created, format: Format) -> String {
    let value = json!([{
        "service_request_id": made.service_request_id,
        "token": made.token,
        "service_notice": made.service_notice,
        "account_id": null,
    }]);
    format.render("service_requests", &value)
}

/// The answer to GET service_request_id from a token.
pub fn token_answer(id: &str, token: &str, format: Format) -> String {
    let value = json!([{"service_request_id": id, "token": token}]);
    format.render("service_requests", &value)
}

/// Where a city's endpoints are: Service Discovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discovery {
    /// When this changed last.
    pub changeset: String,
    /// Whom to ask.
    pub contact: String,
    /// How to come by a key.
    pub key_service: String,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// What it speaks.
    pub specification: String,
    /// Where it is.
    pub url: String,
    /// When it changed last.
    pub changeset: String,
    /// `production` or `test`.
    pub r#type: String,
    /// The media types that it answers in.
    pub formats: Vec<String>,
}

impl Discovery {
    /// The answer.
    pub fn answer(&self, format: Format) -> String {
        format.render("discovery", &json!(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_texts_in_xml() {
        let value = json!([{"code": 400, "description": "a < b & \u{1}c", "note": null}]);
        let xml = Format::Xml.render("errors", &value);
        assert!(
            xml.ends_with("<errors><error><code>400</code><description>a &lt; b &amp; c</description><note/></error></errors>"),
            "{xml}"
        );
        assert_eq!(
            Format::of("requests/1.2.xml"),
            Some(("requests/1.2", Format::Xml))
        );
        assert_eq!(Format::of("requests"), None);
    }
}
