//! Joins the MQTT door to the city: who a client is, and where its messages go. Payload formats are
//! named here and nowhere else.

use admission::{Ingest, Scope};
use api::sight::Sight;
use city::City;
use futures::future::BoxFuture;
use gateway::{
    Authenticator, Client, Denied, Incoming, Receipt, Refusal, Said, Seeing, Sink, WriteScope,
};
use identity::{Identity, Permission, Principal, Proof, ProofAnswer};
use journal::ReadError;
use model::{DeviceId, EntityId, Problem, Record, Retained, Timestamp, TypeName, Update};
use parking_lot::RwLock;
use records::devices::Device;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use twin::Twin;
use wire::{Context, Payload, PayloadDecoder};

/// The door's name in the journal.
pub const DOOR: &str = gateway::mqtt::DOOR;
/// Most journal records read in one step when retained messages are replayed.
const REPLAY_BATCH_RECORDS_MAX: usize = 4_096;
/// The user name with which a service token signs in; the token is the password.
pub const TOKEN_USERNAME: &str = "token";

/// Most devices whose entity is remembered; of others, what they retained is kept from whoever may not see everything.
const SENDERS_MAX: usize = 1_000_000;

/// Which entity each device is that has signed in since the start, by client id: what its topic keeps does not always name it.
#[derive(Debug, Default)]
pub struct Senders(RwLock<HashMap<String, (DeviceId, TypeName)>>);

impl Senders {
    fn signed_in(&self, client_id: &str, device: &(DeviceId, TypeName)) {
        if self.0.read().get(client_id) == Some(device) {
            return;
        }
        let mut known = self.0.write();
        if known.len() < SENDERS_MAX || known.contains_key(client_id) {
            known.insert(client_id.to_owned(), device.clone());
        }
    }

    /// The device to whose own topics this one belongs.
    fn of_topic(&self, topic: &str) -> Option<(DeviceId, TypeName)> {
        let client_id = topic.strip_prefix(DEVICES)?.split('/').next()?;
        self.0.read().get(client_id).cloned()
    }
}

/// What the topics of devices begin with; the client id follows.
const DEVICES: &str = "devices/";

/// What a machine with a service token may see of messages: what the policies show it now.
struct TokenSight {
    identity: Identity,
    city: Arc<City>,
    twin: Arc<Twin>,
    principal: Principal,
    clock: fn() -> Timestamp,
}

impl gateway::Sight for TokenSight {
    fn sees(&self, said: &Said<'_>) -> bool {
        let now = (self.clock)();
        let (identity, caller) = (&self.identity, &self.principal);
        let sight = Sight::new(identity, &self.city, &self.twin, caller, None, now);
        // A policy may have taken the reading itself away since the subscription.
        if !sight.view().may(Permission::EntityRead.as_str()) {
            return false;
        }
        sight.sees_all()
            || said()
                .is_some_and(|said| !said.is_empty() && said.iter().all(|u| sight.sees_said(u)))
    }
}

/// The name of a client that signs in with a service token.
pub fn token_client(token: &str) -> String {
    format!("token:{token}")
}

/// Where messages go.
pub struct CitySink {
    /// The way in.
    pub ingest: Arc<Ingest>,
    /// Payload formats, in the order in which they are tried.
    pub decoders: Vec<Arc<dyn PayloadDecoder>>,
    /// Which entity a topic stands for where the device itself does not say.
    pub mapping: Arc<RwLock<crate::mapping::TopicMapping>>,
    /// Which entity each device is.
    pub senders: Arc<Senders>,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

impl CitySink {
    fn decode(
        &self,
        topic: &str,
        payload: &[u8],
        content_type: Option<&str>,
        device: Option<&(DeviceId, TypeName)>,
        received_at: Timestamp,
    ) -> Payload {
        let entity = self.mapping.read().entity(topic).or_else(|| {
            let (id, kind) = device?;
            Some((EntityId::from(id), kind.clone()))
        });
        let context = Context {
            received_at,
            entity,
        };
        match self
            .decoders
            .iter()
            .find(|d| d.recognises(payload, content_type))
        {
            Some(decoder) => decoder.decode(payload, &context),
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
        let payload = self.decode(
            message.topic,
            message.payload,
            message.content_type,
            message.client.device.as_ref(),
            message.received_at,
        );
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

    fn said(
        &self,
        topic: &str,
        payload: &[u8],
        content_type: Option<&str>,
        sender: Option<&Client>,
    ) -> Option<Arc<[Update]>> {
        let device = match sender {
            Some(client) => client.device.clone(),
            None => self.senders.of_topic(topic),
        };
        let now = (self.clock)();
        let payload = self.decode(topic, payload, content_type, device.as_ref(), now);
        // What was not understood may say anything.
        payload.problems.is_empty().then(|| payload.updates.into())
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
    /// The city, by whose towns policies tell entities apart.
    pub city: Arc<City>,
    /// The current state, which says where entities stand.
    pub twin: Arc<Twin>,
    /// Which entity each device is.
    pub senders: Arc<Senders>,
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
                name: token_client(&principal.name),
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
                sight: Some(Seeing(Arc::new(TokenSight {
                    identity: self.identity.clone(),
                    city: Arc::clone(&self.city),
                    twin: Arc::clone(&self.twin),
                    principal,
                    clock: self.clock,
                }))),
            });
        }
        if let Some(proof) = Proof::parse(password) {
            let answer = self
                .identity
                .proof_sign_in(client_id, username, &proof, (self.clock)())
                .await
                .map_err(unavailable)?;
            return self.proved(answer, client_id);
        }
        let device = self
            .identity
            .device_sign_in(client_id, username, password, (self.clock)())
            .await
            .map_err(unavailable)?;
        let device = device.ok_or(Denied::BadCredentials)?;
        self.client_of(device)
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
        self.client_of(device)
    }

    fn proved(&self, answer: ProofAnswer, client_id: &str) -> Result<Client, Denied> {
        match answer {
            ProofAnswer::Good(device) => self.client_of(*device),
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

    fn client_of(&self, device: Device) -> Result<Client, Denied> {
        let (Ok(id), Ok(kind)) = (DeviceId::new(&device.id), TypeName::new(&device.r#type)) else {
            return Err(Denied::NotAuthorised);
        };
        let own = vec![format!("{DEVICES}{}/#", device.client_id)];
        let known = (id, kind);
        self.senders.signed_in(&device.client_id, &known);
        Ok(Client {
            client_id: device.client_id,
            name: device.name.unwrap_or(device.username),
            device: Some(known),
            may_write: WriteScope::OwnEntity,
            publish: own.clone(),
            subscribe: own,
            // A device subscribes to its own topics alone.
            sight: None,
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
