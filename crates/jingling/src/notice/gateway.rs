//! Gateways of short messages and of voice over HTTP, as the settings describe them. CMPP, the operators' own protocol (中国移动
//! 通信互联网短信网关接口协议), is not spoken: gateways that sell it to cities speak HTTP too.

use super::settings::{Format, Gateway, secret};
use super::webhook::judged;
use anyhow::Result;
use api::outgoing::{Ask, Outgoing as Outside};
use async_trait::async_trait;
use hyper::Method;
use model::problem::quote;
use notice::{NotSent, Outgoing, Reach, Sender, Taken};
use records::Secret;
use serde_json::Value as Json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// Largest answer of a gateway that is read, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A gateway.
pub struct Phone {
    gateway: Gateway,
    secret: Secret,
    outside: Arc<Outside>,
}

impl Phone {
    /// Reads its secret.
    ///
    /// # Errors
    /// Files that do not read.
    pub fn new(folder: &Path, gateway: &Gateway, outside: Arc<Outside>) -> Result<Self> {
        let secret = match gateway.secret_file.is_empty() {
            true => Secret::default(),
            false => secret(folder, &gateway.secret_file, &gateway.common, "secret_file")?,
        };
        Ok(Self {
            gateway: gateway.clone(),
            secret,
            outside,
        })
    }

    /// The text with its placeholders filled in; what is filled in is looked through for none.
    fn filled(&self, template: &str, outgoing: &Outgoing, write: fn(&str) -> String) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            let (before, here) = rest.split_at(at);
            out.push_str(before);
            let value = |name: &str| match name {
                "to" => Some(outgoing.to.clone().unwrap_or_default()),
                "text" => Some(outgoing.short.clone()),
                "key" => Some(outgoing.key.clone()),
                "secret" => Some(self.secret.expose().to_owned()),
                "time" => {
                    let seconds = crate::running::wall_clock().micros() / 1_000_000;
                    Some(seconds.to_string())
                }
                _ => None,
            };
            let found = here.find('}').and_then(|end| {
                let name = here.get(1..end)?;
                Some((value(name)?, here.get(end + 1..)?))
            });
            match found {
                Some((value, after)) => {
                    out.push_str(&write(&value));
                    rest = after;
                }
                None => {
                    // A brace of JSON's own.
                    out.push('{');
                    rest = here.get(1..).unwrap_or_default();
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// What the gateway's answer means.
    fn judge(&self, status: u16, body: &[u8]) -> Result<Taken, NotSent> {
        let said: Json = serde_json::from_slice(body).unwrap_or(Json::Null);
        let at = |path: &str| {
            let found = (!path.is_empty()).then(|| said.pointer(path)).flatten()?;
            Some(match found {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let g = &self.gateway;
        let state = at(&g.success_path);
        if let Some(state) = state
            .as_ref()
            .filter(|state| g.never_values.contains(*state))
        {
            return Err(NotSent::Never(format!("it answered {}", quote(state))));
        }
        judged(status)?;
        if !g.success_path.is_empty() {
            match state {
                Some(state) if g.success_values.contains(&state) => {}
                Some(state) => {
                    return Err(NotSent::Later(format!("it answered {}", quote(&state))));
                }
                None => {
                    let what = quote(&String::from_utf8_lossy(body));
                    return Err(NotSent::Later(format!("its answer does not read: {what}")));
                }
            }
        }
        Ok(Taken {
            provider_id: at(&g.id_path),
        })
    }
}

fn percent(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Within the quotes of a JSON text.
fn json(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A header's value: one line.
fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[async_trait]
impl Sender for Phone {
    fn reach(&self) -> Reach {
        Reach::Phone
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Taken, NotSent> {
        let g = &self.gateway;
        let url = Url::parse(&self.filled(&g.url, outgoing, percent))
            .map_err(|e| NotSent::Never(format!("its url: {e}")))?;
        let (kind, write): (_, fn(&str) -> String) = match g.format {
            Format::Form => ("application/x-www-form-urlencoded", percent),
            Format::Json => ("application/json", json),
            Format::Xml => ("text/xml; charset=utf-8", xml),
        };
        let is_get = g.method == "GET";
        let mut headers: Vec<(String, String)> = g
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), self.filled(value, outgoing, line)))
            .collect();
        if !is_get
            && !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        let time_max = Duration::from_secs(g.common.seconds_max);
        let ask = Ask {
            method: if is_get { Method::GET } else { Method::POST },
            headers,
            body: self.filled(&g.body, outgoing, write),
            ..Ask::read(&url, Some(ANSWER_BYTES_MAX), time_max)
        };
        let (status, body) = self.outside.ask(ask).await.map_err(NotSent::Later)?;
        self.judge(status.as_u16(), &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(gateway: Gateway) -> Phone {
        Phone {
            gateway,
            secret: Secret::new("s&cret".to_owned()),
            outside: Arc::new(Outside::new(
                Vec::new(),
                "notice.networks",
                Path::new("/dev/null"),
            )),
        }
    }

    fn outgoing() -> Outgoing {
        Outgoing {
            key: "alert:1/r/0/sms/7".to_owned(),
            to: Some("13800001234".to_owned()),
            subject: String::new(),
            body: String::new(),
            short: "水位\"高\" & {secret}".to_owned(),
            event: Json::Null,
            more: 0,
        }
    }

    #[test]
    fn what_is_filled_in_is_escaped_and_not_looked_through() {
        let phone = phone(Gateway::default());
        let said = outgoing();
        let form = phone.filled("m={to}&c={text}&k={secret}&x={other}", &said, percent);
        assert_eq!(
            form,
            "m=13800001234&c=%E6%B0%B4%E4%BD%8D%22%E9%AB%98%22+%26+%7Bsecret%7D&k=s%26cret&x={other}"
        );
        let text = phone.filled(
            "{\"a\": {\"to\": \"{to}\", \"text\": \"{text}\"}}",
            &said,
            json,
        );
        let read: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(read["a"]["text"], "水位\"高\" & {secret}");
        assert_eq!(
            phone.filled("<t>{text}</t>{", &said, xml),
            "<t>水位&quot;高&quot; &amp; {secret}</t>{"
        );
    }

    #[test]
    fn an_answer_is_judged_by_what_the_settings_say() {
        let phone = phone(Gateway {
            success_path: "/Code".to_owned(),
            success_values: vec!["0".to_owned(), "OK".to_owned()],
            never_values: vec!["isv.MOBILE_NUMBER_ILLEGAL".to_owned()],
            id_path: "/BizId".to_owned(),
            ..Gateway::default()
        });
        let good = phone.judge(200, br#"{"Code": 0, "BizId": "b7"}"#).unwrap();
        assert_eq!(good.provider_id.as_deref(), Some("b7"));
        let never = br#"{"Code": "isv.MOBILE_NUMBER_ILLEGAL"}"#;
        assert!(matches!(phone.judge(400, never), Err(NotSent::Never(_))));
        let busy = br#"{"Code": "isv.BUSINESS_LIMIT_CONTROL"}"#;
        assert!(matches!(phone.judge(200, busy), Err(NotSent::Later(_))));
        assert!(matches!(
            phone.judge(200, b"<html>"),
            Err(NotSent::Later(_))
        ));
        assert!(matches!(phone.judge(502, b""), Err(NotSent::Later(_))));
        let by_status = super::tests::phone(Gateway::default());
        assert_eq!(by_status.judge(202, b"").unwrap(), Taken::default());
    }
}
