//! One endpoint that is spoken with: its address, its key, and the limits of its answers.

use super::settings::{Called, ReadKey};
use crate::files::read_secret;
use crate::settings::Open311Settings;
use anyhow::{Result, bail};
use api::outgoing::{Ask, NoAnswer, Outgoing};
use hyper::body::Bytes;
use hyper::{StatusCode, header};
use model::problem::quote;
use open311::{Draft, read_faults};
use records::Secret;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What says that a request is the same as one before; endpoints that do not know it pass it over.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// An endpoint.
pub(super) struct Peer {
    /// Its name in the settings.
    pub name: String,
    base: Url,
    jurisdiction_id: String,
    format: String,
    key: Option<Secret>,
    read_key: ReadKey,
    outgoing: Arc<Outgoing>,
    time_max: Duration,
    bytes_max: usize,
}

impl Peer {
    /// An endpoint of the settings; its key is read.
    ///
    /// # Errors
    /// An address that does not parse, a key's file that does not read.
    pub fn new(
        folder: &Path,
        called: &Called<'_>,
        outgoing: Arc<Outgoing>,
        written: &Open311Settings,
    ) -> Result<Self> {
        let named = format!("{} \"{}\": key_file", called.section, called.name);
        let key = match called.key_file {
            "" => None,
            file => Some(read_secret(folder, file, &named)?),
        };
        Ok(Self {
            name: called.name.to_owned(),
            base: Url::parse(called.url)?,
            jurisdiction_id: called.jurisdiction_id.to_owned(),
            format: called.format.to_owned(),
            key,
            read_key: called.read_key,
            outgoing,
            time_max: Duration::from_secs(written.answer_seconds_max.max(1)),
            bytes_max: written.answer_mib_max << 20,
        })
    }

    /// The address of a resource; each part of the path is one segment, whatever is in it.
    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self.base.clone();
        if let (Ok(mut segments), Some((last, before))) =
            (url.path_segments_mut(), path.split_last())
        {
            segments.pop_if_empty().extend(before);
            segments.push(&format!("{last}.{}", self.format));
        }
        let jurisdiction = [("jurisdiction_id", self.jurisdiction_id.as_str())];
        let said = query.iter().chain(&jurisdiction);
        let key = match (&self.key, self.read_key) {
            (Some(key), ReadKey::Query) => Some(("api_key", key.expose())),
            _ => None,
        };
        let pairs = said.copied().chain(key).filter(|(_, v)| !v.is_empty());
        let pairs: Vec<(&str, &str)> = pairs.collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(url)
    }

    /// Reads a resource; `None`: there is none.
    ///
    /// # Errors
    /// Why there is no answer, or none that is one.
    pub async fn read(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Option<Bytes>> {
        let url = self.address(path, query)?;
        let mut ask = Ask::read(&url, Some(self.bytes_max), self.time_max);
        if let (Some(key), ReadKey::Bearer) = (&self.key, self.read_key) {
            let value = format!("Bearer {}", key.expose());
            ask.headers.push((header::AUTHORIZATION.to_string(), value));
        }
        let (status, body) = self.outgoing.ask(ask).await.map_err(anyhow::Error::msg)?;
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status if status.is_success() => Ok(Some(body)),
            status => {
                let faults = read_faults(&body);
                let said = faults.first().map_or("", |f| f.description.as_str());
                bail!("it answered {status}: {}", quote(said));
            }
        }
    }

    /// Makes a request there; the status and the body of the answer. `reference` says that it is the same as one before.
    ///
    /// # Errors
    /// Why there is no answer, and whether the request may have arrived.
    pub async fn post(&self, draft: Draft, reference: &str) -> Result<(u16, Bytes), NoAnswer> {
        let unsent = |error: anyhow::Error| NoAnswer {
            why: error.to_string(),
            may_have_arrived: false,
        };
        let mut url = self.address(&["requests"], &[]).map_err(unsent)?;
        // All of it is in the form, the key above all.
        url.set_query(None);
        let draft = Draft {
            jurisdiction_id: Some(self.jurisdiction_id.clone()).filter(|id| !id.is_empty()),
            api_key: self.key.as_ref().map(|key| key.expose().to_owned()),
            ..draft
        };
        let ask = Ask::read(&url, Some(self.bytes_max), self.time_max);
        let mut ask = ask.with_form(draft.form(), None);
        let said = (IDEMPOTENCY_KEY.to_owned(), reference.to_owned());
        ask.headers.push(said);
        let (status, body) = self.outgoing.tell(ask).await?;
        Ok((status.as_u16(), body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn peer(read_key: ReadKey) -> Peer {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("k"), "secret\n").unwrap();
        let called = Called {
            section: "open311.forward",
            name: "province",
            url: "https://p.example/open311/v2",
            jurisdiction_id: "hb",
            format: "json",
            key_file: "k",
            read_key,
        };
        let outgoing = Arc::new(Outgoing::new(Vec::new(), "x", Path::new("/dev/null")));
        Peer::new(
            folder.path(),
            &called,
            outgoing,
            &Settings::default().open311,
        )
        .unwrap()
    }

    #[test]
    fn an_address_says_what_was_asked_and_the_key_only_where_it_was_to() {
        let asked = |peer: &Peer, path: &[&str]| {
            peer.address(path, &[("service_request_id", "1,2"), ("status", "")])
                .unwrap()
                .to_string()
        };
        let base = "https://p.example/open311/v2";
        let query = "service_request_id=1%2C2&jurisdiction_id=hb";
        assert_eq!(
            asked(&peer(ReadKey::None), &["requests"]),
            format!("{base}/requests.json?{query}")
        );
        assert_eq!(
            asked(&peer(ReadKey::Bearer), &["requests", "a/../b?c"]),
            format!("{base}/requests/a%2F..%2Fb%3Fc.json?{query}")
        );
        assert_eq!(
            asked(&peer(ReadKey::Query), &["requests"]),
            format!("{base}/requests.json?{query}&api_key=secret")
        );
    }
}
