//! What a client sends to make a request: section POST Service Request.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a client may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest field, in characters. The standard asks for descriptions of up to 4,000.
    pub field_chars_max: usize,
    /// Most fields of one form.
    pub fields_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            field_chars_max: 4_000,
            fields_max: 200,
        }
    }
}

/// What a reporter says of themselves: personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Electronic mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The device's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The account at the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

impl Contact {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A request to make.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The city, where an endpoint serves several.
    pub jurisdiction_id: Option<String>,
    /// The client's key.
    pub api_key: Option<String>,
    /// What it is.
    pub service_code: String,
    /// Longitude and latitude, WGS 84 degrees.
    pub place: Option<[f64; 2]>,
    /// Where, in words.
    pub address: Option<String>,
    /// The city's own id of the address.
    pub address_id: Option<String>,
    /// Postal code.
    pub zipcode: Option<String>,
    /// What is the matter.
    pub description: Option<String>,
    /// A picture.
    pub media_url: Option<String>,
    /// Who reports.
    pub contact: Contact,
    /// What the service asks for beside: `attribute[code]`, or `attribute[code][]` once for each value.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// The code of a field `attribute[code]` or `attribute[code][]`.
fn attribute(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("attribute[")?;
    let code = rest.strip_suffix("[]").unwrap_or(rest).strip_suffix(']')?;
    (!code.is_empty() && !code.contains(['[', ']'])).then_some(code)
}

impl Draft {
    /// Reads the fields of a form.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the standard's form.
    pub fn of_fields(
        fields: impl IntoIterator<Item = (String, String)>,
        limits: Limits,
    ) -> Result<Self, Vec<Fault>> {
        let mut draft = Self::default();
        let mut faults = Vec::new();
        let (mut lat, mut long) = (None, None);
        for (n, (name, value)) in fields.into_iter().enumerate() {
            if n >= limits.fields_max {
                let most = limits.fields_max;
                faults.push(Fault::invalid(format!(
                    "the form has more than {most} fields"
                )));
                break;
            }
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if value.chars().count() > limits.field_chars_max {
                let most = limits.field_chars_max;
                faults.push(Fault::invalid(format!(
                    "{} is longer than {most} characters",
                    model::problem::quote(&name)
                )));
                continue;
            }
            let text = Some(value.to_owned());
            match name.as_str() {
                "jurisdiction_id" => draft.jurisdiction_id = text,
                "api_key" => draft.api_key = text,
                "service_code" => value.clone_into(&mut draft.service_code),
                "lat" => lat = Some(degrees(value, 90.0, "lat", &mut faults)),
                "long" | "lon" => long = Some(degrees(value, 180.0, "long", &mut faults)),
                "address_string" => draft.address = text,
                "address_id" => draft.address_id = text,
                "zipcode" => draft.zipcode = text,
                "description" => draft.description = text,
                "media_url" => match is_web(value) {
                    true => draft.media_url = text,
                    false => {
                        faults.push(Fault::invalid("media_url is no address of http or https"))
                    }
                },
                "email" => draft.contact.email = text,
                "first_name" => draft.contact.first_name = text,
                "last_name" => draft.contact.last_name = text,
                "phone" => draft.contact.phone = text,
                "device_id" => draft.contact.device_id = text,
                "account_id" => draft.contact.account_id = text,
                // Whatever a client adds of its own is passed over.
                other => {
                    if let Some(code) = attribute(other) {
                        let values = draft.attributes.entry(code.to_owned()).or_default();
                        values.push(value.to_owned());
                    }
                }
            }
        }
        if draft.service_code.is_empty() {
            faults.push(Fault::invalid("service_code was not provided"));
        }
        match (lat, long) {
            (Some(lat), Some(long)) => draft.place = long.zip(lat).map(|(long, lat)| [long, lat]),
            (None, None) if draft.address.is_none() && draft.address_id.is_none() => {
                faults.push(Fault::invalid(
                    "no location: give lat and long, address_string or address_id",
                ));
            }
            (None, None) => {}
            _ => faults.push(Fault::invalid("lat and long go together")),
        }
        if faults.is_empty() {
            Ok(draft)
        } else {
            Err(faults)
        }
    }

    /// Reads a form's body (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// As [`Draft::of_fields`].
    pub fn parse(body: &[u8], limits: Limits) -> Result<Self, Vec<Fault>> {
        let fields = form_urlencoded::parse(body);
        let fields = fields.map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self::of_fields(fields, limits)
    }

    /// The draft as a form's body, without the fields that are empty.
    pub fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("service_code", &self.service_code);
        if let Some([long, lat]) = self.place {
            form.append_pair("lat", &lat.to_string());
            form.append_pair("long", &long.to_string());
        }
        let contact = &self.contact;
        for (name, value) in [
            ("jurisdiction_id", &self.jurisdiction_id),
            ("api_key", &self.api_key),
            ("address_string", &self.address),
            ("address_id", &self.address_id),
            ("zipcode", &self.zipcode),
            ("description", &self.description),
            ("media_url", &self.media_url),
            ("email", &contact.email),
            ("first_name", &contact.first_name),
            ("last_name", &contact.last_name),
            ("phone", &contact.phone),
            ("device_id", &contact.device_id),
            ("account_id", &contact.account_id),
        ] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        for (code, values) in &self.attributes {
            match values.as_slice() {
                [one] => {
                    form.append_pair(&format!("attribute[{code}]"), one);
                }
                several => {
                    for value in several {
                        form.append_pair(&format!("attribute[{code}][]"), value);
                    }
                }
            }
        }
        form.finish()
    }
}

fn degrees(text: &str, most: f64, name: &str, faults: &mut Vec<Fault>) -> Option<f64> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|n| n.is_finite() && n.abs() <= most);
    if number.is_none() {
        faults.push(Fault::invalid(format!(
            "{name} is no number of degrees from -{most} to {most}"
        )));
    }
    number
}

fn is_web(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !text.chars().any(char::is_whitespace))
}
