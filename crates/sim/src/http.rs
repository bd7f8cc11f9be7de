//! The HTTP doors, as a department's system and a collector use them: NGSI-LD batches and line protocol, each
//! repeated while the platform is busy or away.

use serde_json::Value as Json;
use std::net::SocketAddr;
use std::time::Duration;

/// Why an HTTP door was not passed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The platform said no; sending again will not help.
    #[error("{path} answered {status}: {body}")]
    Refused {
        /// The path asked.
        path: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
    /// No answer, or busy, after all attempts.
    #[error("{path} could not be reached in {attempts} attempts: {last}")]
    Unreachable {
        /// The path asked.
        path: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened last.
        last: String,
    },
}

/// The platform's HTTP side.
pub(crate) struct HttpDoor {
    client: reqwest::Client,
    base: String,
    token: String,
    attempts_max: u32,
    /// Wait before the second attempt; doubled each time, up to `WAIT_MAX`.
    wait_first: Duration,
}

const WAIT_MAX: Duration = Duration::from_secs(5);
/// How much of an answer is kept for people, in characters.
const ANSWER_SHOWN_MAX: usize = 400;

impl HttpDoor {
    pub(crate) fn new(
        address: SocketAddr,
        token: &str,
        timeout: Duration,
        attempts_max: u32,
        wait_first: Duration,
    ) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .no_proxy()
            .build()
            .map_err(|e| HttpError::Unreachable {
                path: address.to_string(),
                attempts: 0,
                last: e.to_string(),
            })?;
        Ok(Self {
            client,
            base: format!("http://{address}"),
            token: token.to_owned(),
            attempts_max,
            wait_first,
        })
    }

    /// Whether the entity exists; `None` when the token may not read.
    pub(crate) async fn exists(&self, id: &str) -> Result<Option<bool>, HttpError> {
        let path = format!("/ngsi-ld/v1/entities/{id}");
        match self
            .send(&path, || self.client.get(format!("{}{path}", self.base)))
            .await
        {
            Ok(_) => Ok(Some(true)),
            Err(HttpError::Refused { status: 404, .. }) => Ok(Some(false)),
            Err(HttpError::Refused {
                status: 401 | 403, ..
            }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Creates or updates entities in one batch. Answers the problems of those that were refused.
    pub(crate) async fn upsert(&self, entities: &[Json]) -> Result<Vec<String>, HttpError> {
        let path = "/ngsi-ld/v1/entityOperations/upsert";
        let (status, body) = self
            .send(path, || {
                self.client
                    .post(format!("{}{path}", self.base))
                    .json(entities)
            })
            .await?;
        if status != 207 {
            return Ok(Vec::new());
        }
        let answer: Json = serde_json::from_str(&body).unwrap_or_default();
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        Ok(errors.iter().map(ToString::to_string).collect())
    }

    /// Asks for JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<Json, HttpError> {
        let (_, body) = self
            .send(path, || self.client.get(format!("{}{path}", self.base)))
            .await?;
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }

    /// Sends JSON with POST or PUT.
    pub(crate) async fn put(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &Json,
    ) -> Result<(), HttpError> {
        let request = || {
            self.client
                .request(method.clone(), format!("{}{path}", self.base))
                .json(body)
        };
        self.send(path, request).await.map(|_| ())
    }

    /// Writes lines (InfluxDB line protocol, nanoseconds).
    pub(crate) async fn write(&self, lines: &str) -> Result<(), HttpError> {
        let path = "/api/v2/write?precision=ns";
        self.send(path, || {
            self.client
                .post(format!("{}{path}", self.base))
                .body(lines.to_owned())
        })
        .await
        .map(|_| ())
    }

    async fn send(
        &self,
        path: &str,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<(u16, String), HttpError> {
        let mut wait = self.wait_first;
        let mut last = String::new();
        for attempt in 1..=self.attempts_max {
            match request().bearer_auth(&self.token).send().await {
                Ok(answer) => {
                    let status = answer.status();
                    let body = answer.text().await.unwrap_or_default();
                    if status.is_success() {
                        return Ok((status.as_u16(), body));
                    }
                    let body: String = body.chars().take(ANSWER_SHOWN_MAX).collect();
                    // Busy, rate limit, or a server that is just stopping: worth another attempt.
                    if !(status.is_server_error() || status.as_u16() == 429) {
                        return Err(HttpError::Refused {
                            path: path.to_owned(),
                            status: status.as_u16(),
                            body,
                        });
                    }
                    last = format!("{status} {body}");
                }
                Err(e) => last = e.to_string(),
            }
            if attempt < self.attempts_max {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAIT_MAX);
            }
        }
        Err(HttpError::Unreachable {
            path: path.to_owned(),
            attempts: self.attempts_max,
            last,
        })
    }
}
