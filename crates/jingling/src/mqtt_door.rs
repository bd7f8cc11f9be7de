//! Joins the MQTT door to the city: who a client is, and where its messages go. Payload formats are
//! named here and nowhere else.

use admission::{Ingest, Scope};
use futures::future::BoxFuture;
use gateway::{Authenticator, Client, Denied, Incoming, Receipt, Refusal, Sink, WriteScope};
use identity::{Identity, Permission, Proof, ProofAnswer};
use journal::ReadError;
use model::{DeviceId, EntityId, Problem, Record, Retained, Timestamp, TypeName};
use records::devices::Device;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use wire::{Context, Payload, PayloadDecoder};

/// The door's name in the journal.
pub const DOOR: &str = gateway::mqtt::DOOR;
/// Most journal records read in one step when retained messages are replayed.
const REPLAY_BATCH_RECORDS_MAX: usize = 4_096;
/// The user name with which a service token signs in; the token is the password.
pub const TOKEN_USERNAME: &str = "token";

/// Where messages go.
pub struct CitySink {
    /// The way in.
    pub ingest: Arc<Ingest>,
    /// Payload formats, in the order in which they are tried.
    pub decoders: Vec<Arc<dyn PayloadDecoder>>,
    /// Which entity a topic stands for where the device itself does not say.
    pub mapping: crate::mapping::TopicMapping,
}

impl CitySink {
    fn decode(&self, message: &Incoming<'_>) -> Payload {
        let entity = self.mapping.entity(message.topic).or_else(|| {
            let (id, kind) = message.client.device.as_ref()?;
            Some((EntityId::from(id), kind.clone()))
        });
        let context = Context {
            received_at: message.received_at,
            entity,
        };
        match self
            .decoders
            .iter()
            .find(|d| d.recognises(message.payload, message.content_type))
        {
            Some(decoder) => decoder.decode(message.payload, &context),
            None => {
                let names: Vec<&str> = self.decoders.iter().map(|d| d.name()).collect();
                Payload::refused(Problem::new(
                    "unknown-format",
                    "the payload is of no known format",
                    "message",
                    format!("send one of: {}", names.join(", ")),
                ))
            }
        }
    }

    fn admit(
        &self,
        message: &Incoming<'_>,
        payload: Payload,
    ) -> Result<admission::Receipt, Refusal> {
        let scope = match message.client.may_write {
            WriteScope::Any => Scope::Any,
            WriteScope::None => Scope::Nothing,
            WriteScope::OwnEntity => match &message.client.device {
                Some((id, _)) => Scope::Own(id.into()),
                None => Scope::Nothing,
            },
        };
        self.ingest
            .submit(arrived(message, &scope), payload)
            .map_err(refused)
    }
}

fn arrived<'a>(message: &Incoming<'a>, scope: &'a Scope) -> admission::Incoming<'a> {
    admission::Incoming {
        door: DOOR,
        device_id: message.client.device.as_ref().map(|(id, _)| id),
        scope,
        address: message.topic,
        raw: message.payload,
        received_at: message.received_at,
        retain: message.retain,
    }
}

fn refused(refusal: admission::Refusal) -> Refusal {
    match refusal {
        admission::Refusal::Busy => Refusal::Busy,
        other => Refusal::Unavailable(Problem::new(
            "journal",
            other.to_string(),
            "journal",
            "keep the message and send it again",
        )),
    }
}

impl Sink for CitySink {
    fn submit(&self, message: Incoming<'_>) -> Result<Receipt, Refusal> {
        let payload = self.decode(&message);
        let receipt = self.admit(&message, payload)?;
        let refused = if receipt.accepted == 0 {
            receipt.problems.into_iter().next()
        } else {
            None
        };
        Ok(Receipt {
            position: receipt.position,
            refused,
            withheld: receipt.is_personal,
        })
    }

    fn reject(
        &self,
        message: Incoming<'_>,
        size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal> {
        let incoming = arrived(&message, &Scope::Nothing);
        self.ingest
            .reject(incoming, size_bytes, &[problem])
            .map_err(refused)
    }

    fn retain(&self, kept: Retained) -> Result<u64, Refusal> {
        self.ingest.retain(kept).map_err(refused)
    }

    fn replay_retained(
        &self,
        from: u64,
        each: &mut dyn FnMut(u64, Retained),
    ) -> Result<(), Problem> {
        let unreadable =
            |what: String, mend: &str| Problem::new("retained-replay", what, "journal", mend);
        let mut reader = self.ingest.journal().read(from);
        loop {
            let records = match reader.next_batch(REPLAY_BATCH_RECORDS_MAX) {
                Ok(records) => records,
                Err(ReadError::Trimmed { first_position }) => {
                    tracing::warn!(
                        from,
                        first_position,
                        "retained messages whose record was trimmed away are lost"
                    );
                    reader.seek(first_position);
                    continue;
                }
                // The next call goes on behind it.
                Err(ReadError::Damaged(damage)) => {
                    tracing::error!(%damage, "retained messages in a damaged part of the journal are lost");
                    continue;
                }
                Err(error) => {
                    return Err(unreadable(
                        error.to_string(),
                        "see whether the disk answers",
                    ));
                }
            };
            if records.is_empty() {
                return Ok(());
            }
            for (position, bytes) in records.iter().filter(|(_, b)| Record::is_retained(b)) {
                match Record::decode(bytes) {
                    Ok(Record::Retained(kept)) => each(*position, kept),
                    Ok(_) => {}
                    Err(error) => {
                        let what = format!("journal record {position} does not decode: {error}");
                        return Err(unreadable(what, "run `jingling check`"));
                    }
                }
            }
        }
    }

    fn durable(&self) -> watch::Receiver<u64> {
        self.ingest.journal().durable()
    }

    fn presence(&self, client: &Client, online: bool, at: Timestamp) {
        if client.device.is_some() {
            crate::presence::write(&self.ingest, &client.client_id, &client.name, online, at);
        }
    }
}

/// Who clients are: devices by their own credentials (a password, a proof of their key, a certificate), machines by service tokens.
pub struct CityAuthenticator {
    /// Who may do what.
    pub identity: Identity,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

impl CityAuthenticator {
    async fn decide(
        &self,
        client_id: &str,
        username: &str,
        password: &[u8],
    ) -> Result<Client, Denied> {
        let password = std::str::from_utf8(password).map_err(|_| Denied::BadCredentials)?;
        let unavailable = |failure: records::Failure| {
            tracing::warn!(%failure, "a client could not be checked");
            Denied::Unavailable
        };
        if username == TOKEN_USERNAME {
            let principal = self
                .identity
                .token_principal(password, (self.clock)())
                .await
                .map_err(unavailable)?;
            let principal = principal.ok_or(Denied::BadCredentials)?;
            let writes = principal.may(Permission::IngestWrite);
            let everything = vec!["#".to_owned()];
            return Ok(Client {
                client_id: client_id.to_owned(),
                name: format!("token:{}", principal.name),
                device: None,
                may_write: if writes {
                    WriteScope::Any
                } else {
                    WriteScope::None
                },
                publish: if writes { everything.clone() } else { vec![] },
                subscribe: if principal.may(Permission::EntityRead) {
                    everything
                } else {
                    vec![]
                },
            });
        }
        if let Some(proof) = Proof::parse(password) {
            let answer = self
                .identity
                .proof_sign_in(client_id, username, &proof, (self.clock)())
                .await
                .map_err(unavailable)?;
            return Self::proved(answer, client_id);
        }
        let device = self
            .identity
            .device_sign_in(client_id, username, password, (self.clock)())
            .await
            .map_err(unavailable)?;
        let device = device.ok_or(Denied::BadCredentials)?;
        Self::client_of(device)
    }

    async fn decide_by_certificate(
        &self,
        client_id: &str,
        username: &str,
        certificate: &[u8],
    ) -> Result<Client, Denied> {
        let found = self
            .identity
            .certificate_sign_in(client_id, certificate, (self.clock)())
            .await
            .map_err(|failure| {
                tracing::warn!(%failure, "a client could not be checked");
                Denied::Unavailable
            })?;
        let device = found.ok_or(Denied::BadCredentials)?;
        // A name is not needed beside a certificate; another's is wrong.
        if !username.is_empty() && username != device.username {
            return Err(Denied::BadCredentials);
        }
        Self::client_of(device)
    }

    fn proved(answer: ProofAnswer, client_id: &str) -> Result<Client, Denied> {
        match answer {
            ProofAnswer::Good(device) => Self::client_of(*device),
            ProofAnswer::Wrong => Err(Denied::BadCredentials),
            ProofAnswer::ClockOff(ahead_s) => {
                tracing::warn!(
                    client_id,
                    ahead_s,
                    "a device's clock is off: its proof is refused"
                );
                Err(Denied::StaleProof)
            }
            ProofAnswer::Used => {
                tracing::warn!(
                    client_id,
                    "a proof of a device's key came a second time and is refused"
                );
                Err(Denied::StaleProof)
            }
        }
    }

    fn client_of(device: Device) -> Result<Client, Denied> {
        let (Ok(id), Ok(kind)) = (DeviceId::new(&device.id), TypeName::new(&device.r#type)) else {
            return Err(Denied::NotAuthorised);
        };
        let own = vec![format!("devices/{}/#", device.client_id)];
        Ok(Client {
            client_id: device.client_id,
            name: device.name.unwrap_or(device.username),
            device: Some((id, kind)),
            may_write: WriteScope::OwnEntity,
            publish: own.clone(),
            subscribe: own,
        })
    }
}

impl Authenticator for CityAuthenticator {
    fn sign_in<'a>(
        &'a self,
        client_id: &'a str,
        username: &'a str,
        password: &'a [u8],
        _peer: IpAddr,
    ) -> BoxFuture<'a, Result<Client, Denied>> {
        Box::pin(self.decide(client_id, username, password))
    }

    fn sign_in_with_certificate<'a>(
        &'a self,
        client_id: &'a str,
        username: &'a str,
        certificate: &'a [u8],
        _peer: IpAddr,
    ) -> BoxFuture<'a, Result<Client, Denied>> {
        Box::pin(self.decide_by_certificate(client_id, username, certificate))
    }
}
