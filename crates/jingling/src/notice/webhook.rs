//! Webhooks: JSON that is signed, so that its receiver knows who sent it and when.

use super::settings::{Webhook, secret};
use anyhow::Result;
use api::outgoing::{Ask, Outgoing as Outside};
use async_trait::async_trait;
use hyper::Method;
use notice::{NotSent, Outgoing, Reach, Sender, Taken};
use ring::hmac;
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A system that is told.
pub struct Hook {
    url: Url,
    key: hmac::Key,
    outside: Arc<Outside>,
    time_max: Duration,
}

impl Hook {
    /// Reads its secret.
    ///
    /// # Errors
    /// Settings that make no sense, files that do not read.
    pub fn new(folder: &Path, webhook: &Webhook, outside: Arc<Outside>) -> Result<Self> {
        let secret = secret(folder, &webhook.secret_file, &webhook.common, "secret_file")?;
        Ok(Self {
            url: Url::parse(&webhook.url)?,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()),
            outside,
            time_max: Duration::from_secs(webhook.common.seconds_max),
        })
    }
}

/// `sha256=` and the HMAC of `<seconds>.<body>`, hex.
fn signature(key: &hmac::Key, seconds: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{seconds}.{body}").as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in tag.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What an answer of that status means: what is wrong with the request stays wrong.
pub(super) fn judged(status: u16) -> Result<(), NotSent> {
    match status {
        200..=299 => Ok(()),
        // Of the message, or of an address that leads elsewhere.
        300..=399 | 400 | 405 | 410 | 413..=415 | 422 => {
            Err(NotSent::Never(format!("it answered {status}")))
        }
        // Of the receiver, or of a secret that somebody will put right.
        _ => Err(NotSent::Later(format!("it answered {status}"))),
    }
}

#[async_trait]
impl Sender for Hook {
    fn reach(&self) -> Reach {
        Reach::System
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Taken, NotSent> {
        let body = json!({
            "key": outgoing.key,
            "subject": outgoing.subject,
            "text": outgoing.body,
            "event": outgoing.event,
            "more": outgoing.more,
        })
        .to_string();
        let seconds = crate::running::wall_clock().micros() / 1_000_000;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("x-jingling-key", header_of(&outgoing.key)),
            ("x-jingling-timestamp", seconds.to_string()),
            ("x-jingling-signature", signature(&self.key, seconds, &body)),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        let ask = Ask {
            method: Method::POST,
            headers,
            body,
            ..Ask::read(&self.url, None, self.time_max)
        };
        let (status, _) = self.outside.ask(ask).await.map_err(NotSent::Later)?;
        judged(status.as_u16())?;
        Ok(Taken::default())
    }
}

/// A key as a header's value: what is not plain in it is percent-encoded.
fn header_of(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_time_and_body() {
        // RFC 4231, test case 2, has the key "Jefe"; the text here is ours, the value that of: openssl dgst -sha256 -hmac.
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let one = signature(&key, 1, "{}");
        assert_eq!(one.len(), "sha256=".len() + 64);
        assert_ne!(one, signature(&key, 2, "{}"));
        assert_ne!(one, signature(&key, 1, "{} "));
        let known = hmac::sign(&key, b"what do ya want for nothing?");
        assert_eq!(known.as_ref()[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn what_is_wrong_with_the_request_is_not_tried_again() {
        assert_eq!(judged(204), Ok(()));
        assert!(matches!(judged(503), Err(NotSent::Later(_))));
        assert!(matches!(judged(429), Err(NotSent::Later(_))));
        assert!(matches!(judged(301), Err(NotSent::Never(_))));
        assert!(matches!(judged(422), Err(NotSent::Never(_))));
        assert!(matches!(judged(401), Err(NotSent::Later(_))));
        assert_eq!(header_of("警 a%/1"), "%E8%AD%A6%20a%25/1");
    }
}
