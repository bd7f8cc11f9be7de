//! What a connection does about each event of its session: messages to the sink and on to
//! subscribers, subscriptions to the broker, wills.

use super::DOOR;
use super::broker::Attached;
use super::connection::{End, Guest, Tally};
use super::listen::Door;
use super::metrics::Metrics;
use super::seam::{Client, Incoming, Refusal};
use super::seat::Subscription;
use model::{Problem, Timestamp};
use proto_mqtt::message::{Connect, Publish, Subscribe, Unsubscribe};
use proto_mqtt::{Event, Fault, Message, Qos, Reason, Session, Version, Will, decode, topic};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Acts upon what the session says.
pub(crate) struct Host<'c> {
    pub door: &'c Arc<Door>,
    pub session: &'c mut Session,
    pub guest: Option<&'c Guest>,
    pub received_at: Timestamp,
    pub tally: &'c mut Tally,
    pub look_at_seat: &'c mut bool,
}

/// What follows an event.
pub(crate) enum Next {
    /// Take the next step.
    Go,
    /// A client wants in.
    SignIn(Box<Connect>),
}

/// What stops a connection from going on.
pub(crate) enum Stop {
    /// Come again with the same packet.
    Busy,
    /// The connection is over.
    End(End),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy => Self::Busy,
            Refusal::Unavailable(problem) => Self::End(End::fault(Fault {
                reason: Reason::SERVER_BUSY,
                problem,
            })),
        }
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::End(evicted(reason))
    }
}

impl Host<'_> {
    /// Deals with one event.
    pub fn event(&mut self, event: Event<'_>) -> Result<Next, Stop> {
        if let Event::Connect(connect) = event {
            return Ok(Next::SignIn(connect));
        }
        let Some(guest) = self.guest else {
            return Ok(Next::Go);
        };
        let Attached {
            seat, generation, ..
        } = &guest.attached;
        match event {
            Event::Publish(publish) => self.publish(guest, &publish)?,
            Event::Oversize {
                publish,
                payload_bytes,
                total_bytes,
            } => self.oversize(guest, &publish, payload_bytes, total_bytes)?,
            Event::Acknowledged { packet_id } => {
                seat.enter(*generation)?.memory.acknowledged(packet_id);
                *self.look_at_seat = true;
            }
            Event::Release { packet_id } => {
                let known = seat.enter(*generation)?.memory.release(packet_id);
                self.session.released(packet_id, known);
            }
            Event::Subscribe(subscribe) => self.subscribe(guest, &subscribe)?,
            Event::Unsubscribe(unsubscribe) => self.unsubscribe(guest, &unsubscribe)?,
            Event::Disconnect(disconnect) => {
                return Err(Stop::End(End::Disconnect(disconnect)));
            }
            Event::Connect(_) | Event::Handled => {}
        }
        Ok(Next::Go)
    }

    fn publish(&mut self, guest: &Guest, publish: &Publish<'_>) -> Result<(), Stop> {
        let client = &*guest.client;
        let exactly_once = publish.qos == Qos::ExactlyOnce;
        let Attached {
            seat, generation, ..
        } = &guest.attached;
        if exactly_once
            && let Some(position) = seat.enter(*generation)?.memory.received(publish.packet_id)
        {
            self.accepted(publish, Some(position), Reason::SUCCESS, None);
            return Ok(());
        }
        let incoming = Incoming {
            client,
            topic: publish.topic,
            payload: publish.payload,
            content_type: publish.content_type,
            retain: publish.retain,
            received_at: self.received_at,
        };
        let size_bytes = publish.payload.len() as u64;
        let mut reason = Reason::SUCCESS;
        let mut problem = None;
        let position;
        if let Err(fault) = self.session.check_topic(publish.topic) {
            let sink = &self.door.sink;
            position = Some(sink.reject(incoming, size_bytes, fault.problem.clone())?);
            reason = fault.reason;
            problem = Some(fault.problem);
            Metrics::one(&self.door.metrics.messages_refused_total);
        } else if !may(&client.publish, publish.topic) {
            let not_allowed = Problem::new(
                "mqtt-not-authorised",
                format!(
                    "{} may not publish to {}",
                    model::problem::quote(&client.name),
                    model::problem::quote(publish.topic)
                ),
                "topic",
                format!("publish to one of: {}", client.publish.join(", ")),
            );
            let sink = &self.door.sink;
            position = Some(sink.reject(incoming, size_bytes, not_allowed.clone())?);
            reason = Reason::NOT_AUTHORISED;
            problem = Some(not_allowed);
            Metrics::one(&self.door.metrics.messages_not_authorised_total);
        } else if publish.retain && publish.payload.is_empty() {
            // Clears a retained message; it says nothing about the city.
            position = self.hand_on(guest, publish)?;
        } else {
            let receipt = self.door.sink.submit(incoming)?;
            position = match receipt.refused {
                None if receipt.withheld => {
                    Metrics::one(&self.door.metrics.messages_withheld_total);
                    Some(receipt.position)
                }
                // When this is refused although the message was taken, the packet comes again: written
                // twice is allowed, lost is not.
                None => self.hand_on(guest, publish)?.or(Some(receipt.position)),
                Some(refused) => {
                    reason = Reason::PAYLOAD_FORMAT_INVALID;
                    problem = Some(refused);
                    Metrics::one(&self.door.metrics.messages_refused_total);
                    Some(receipt.position)
                }
            };
        }
        // After a PUBREC that tells of a failure no PUBREL follows (4.3.3); 3.1.1 has no such PUBREC.
        if exactly_once && !(reason.is_failure() && self.session.version() == Version::V5) {
            let mut inner = seat.enter(*generation)?;
            inner
                .memory
                .receive(publish.packet_id, position.unwrap_or(0));
        }
        self.tally.messages += 1;
        self.accepted(publish, position, reason, problem.as_ref());
        Ok(())
    }

    fn accepted(
        &mut self,
        publish: &Publish<'_>,
        position: Option<u64>,
        reason: Reason,
        problem: Option<&Problem>,
    ) {
        let text = problem.map(|p| format!("{} (at {}); {}", p.what, p.place, p.mend));
        self.tally.taken += u64::from(publish.qos != Qos::AtMostOnce);
        self.session.accepted(
            publish.qos,
            publish.packet_id,
            position,
            reason,
            text.as_deref(),
        );
    }

    /// Keeps the message if it is to be retained, and gives it to subscribers; answers the position of
    /// what was written for the first.
    fn hand_on(&self, guest: &Guest, publish: &Publish<'_>) -> Result<Option<u64>, Refusal> {
        let broker = &self.door.broker;
        if !publish.retain && !broker.has_listeners() {
            return Ok(None);
        }
        let message = Arc::new(Message {
            topic: publish.topic.to_owned(),
            payload: bytes::Bytes::copy_from_slice(publish.payload),
            properties: decode::forwarded_properties(publish.properties).into(),
            expires_at: publish
                .expiry_seconds
                .map(|s| self.received_at.plus_seconds(i64::from(s))),
        });
        let mut position = None;
        if publish.retain {
            let client = Some(&*guest.client);
            position = Some(
                self.door
                    .retain(client, &message, publish.qos, self.received_at)?,
            );
        }
        let seat_id = Some(guest.attached.seat.id);
        let (sink, client) = (&self.door.sink, Some(&*guest.client));
        let said = || sink.said(publish.topic, publish.payload, publish.content_type, client);
        broker.publish(seat_id, &message, publish.qos, publish.retain, &said);
        Ok(position)
    }

    fn oversize(
        &mut self,
        guest: &Guest,
        publish: &Publish<'_>,
        payload_bytes: usize,
        total_bytes: usize,
    ) -> Result<(), Stop> {
        let fault = self.door.session_config.too_large(total_bytes);
        let incoming = Incoming {
            client: &guest.client,
            topic: publish.topic,
            payload: publish.payload,
            content_type: None,
            retain: publish.retain,
            received_at: self.received_at,
        };
        let sink = &self.door.sink;
        let position = sink.reject(incoming, payload_bytes as u64, fault.problem.clone())?;
        self.tally.messages += 1;
        Metrics::one(&self.door.metrics.messages_oversize_total);
        let skipped_max = self.door.options.limits.oversize_skipped_bytes_max;
        if self.session.version() == Version::V5 || total_bytes > skipped_max {
            return Err(Stop::End(End::fault(fault)));
        }
        self.session.skip(total_bytes);
        self.accepted(publish, Some(position), Reason::PACKET_TOO_LARGE, None);
        Ok(())
    }

    fn subscribe(&mut self, guest: &Guest, subscribe: &Subscribe) -> Result<(), Stop> {
        let Attached {
            seat, generation, ..
        } = &guest.attached;
        let mut inner = seat.enter(*generation)?;
        let mut codes = Vec::with_capacity(subscribe.filters.len());
        for (filter, options) in &subscribe.filters {
            let subscription = Subscription {
                options: *options,
                id: subscribe.subscription_id,
            };
            let allowed = || {
                guest
                    .client
                    .subscribe
                    .iter()
                    .any(|a| topic::covers(a, filter))
            };
            let code = match self.session.check_filter(filter) {
                Err(reason) => reason,
                Ok(()) if !allowed() => Reason::NOT_AUTHORISED,
                Ok(()) => {
                    let now = self.received_at;
                    let door = self.door;
                    let sight = guest.client.sight.as_ref();
                    let may_have = |kept: &Message| {
                        let said = || door.sink.said(&kept.topic, &kept.payload, None, None);
                        sight.is_none_or(|sight| sight.0.sees(&said))
                    };
                    let done = door.broker.subscribe(
                        seat,
                        &mut inner,
                        filter,
                        subscription,
                        now,
                        &may_have,
                    );
                    let granted = options.qos.min(Qos::AtLeastOnce);
                    done.map_or_else(|reason| reason, |()| Reason(granted as u8))
                }
            };
            codes.push(code);
        }
        drop(inner);
        self.session.suback(subscribe.packet_id, &codes);
        *self.look_at_seat = true;
        Ok(())
    }

    fn unsubscribe(&mut self, guest: &Guest, unsubscribe: &Unsubscribe) -> Result<(), Stop> {
        let Attached {
            seat, generation, ..
        } = &guest.attached;
        let mut inner = seat.enter(*generation)?;
        let broker = &self.door.broker;
        let code = |filter: &String| match broker.unsubscribe(seat, &mut inner, filter) {
            true => Reason::SUCCESS,
            false => Reason::NO_SUBSCRIPTION_EXISTED,
        };
        let codes: Vec<Reason> = unsubscribe.filters.iter().map(code).collect();
        drop(inner);
        self.session.unsuback(unsubscribe.packet_id, &codes);
        Ok(())
    }
}

impl Door {
    /// Writes that a topic keeps the message from now on, or with an empty one that it keeps nothing, and
    /// lets it take effect; answers the position. One lock over both, so that what is kept is always what
    /// the journal says. A message for which there is no room is counted and not kept.
    pub(crate) fn retain(
        &self,
        client: Option<&Client>,
        message: &Arc<Message>,
        qos: Qos,
        received_at: Timestamp,
    ) -> Result<u64, Refusal> {
        let record = model::Retained {
            door: DOOR.to_owned(),
            device_id: client
                .and_then(|client| client.device.as_ref())
                .map(|(id, _)| id.clone()),
            address: message.topic.clone(),
            received_at,
            raw: message.payload.to_vec(),
            qos: qos as u8,
            properties: message.properties.to_vec(),
            expires_at: message.expires_at,
        };
        let mut retained = self.broker.retained.write();
        let position = self.sink.retain(record)?;
        retained.position = position + 1;
        if !retained.set(message, qos, received_at) {
            Metrics::one(&self.metrics.retained_refused_total);
        }
        self.broker.count_retained(retained.len());
        Ok(position)
    }

    /// Publishes a will as its client would have: through the sink, then to subscribers. While the
    /// sink is busy it is tried again, in a task of its own.
    pub(crate) fn publish_will(self: &Arc<Self>, client: Arc<Client>, will: Will) {
        let door = Arc::clone(self);
        let deadline = Instant::now() + Duration::from_millis(self.options.limits.will_retry_ms);
        let retry = Duration::from_millis(self.options.limits.busy_retry_ms);
        tokio::spawn(async move {
            let received_at = door.now();
            let message = Arc::new(Message {
                expires_at: will
                    .expiry_seconds
                    .map(|s| received_at.plus_seconds(i64::from(s))),
                topic: will.topic,
                payload: will.payload,
                properties: will.properties,
            });
            let incoming = Incoming {
                client: &client,
                topic: &message.topic,
                payload: &message.payload,
                content_type: will.content_type.as_deref(),
                retain: will.retain,
                received_at,
            };
            // Whether it was understood, and whether subscribers may have it.
            let take = || -> Result<(bool, bool), Refusal> {
                let clears = will.retain && message.payload.is_empty();
                if !clears {
                    let receipt = door.sink.submit(incoming)?;
                    if receipt.refused.is_some() || receipt.withheld {
                        return Ok((receipt.refused.is_none(), false));
                    }
                }
                if will.retain {
                    door.retain(Some(&client), &message, will.qos, received_at)?;
                }
                Ok((true, true))
            };
            let (understood, is_for_all) = loop {
                match take() {
                    Ok(taken) => break taken,
                    Err(Refusal::Busy) if Instant::now() < deadline => {
                        tokio::time::sleep(retry).await;
                    }
                    Err(refusal) => {
                        tracing::warn!(client = client.client_id, ?refusal, "a will is lost");
                        return;
                    }
                }
            };
            Metrics::one(&door.metrics.wills_total);
            if !understood {
                Metrics::one(&door.metrics.messages_refused_total);
                return;
            }
            if !is_for_all {
                Metrics::one(&door.metrics.messages_withheld_total);
                return;
            }
            let content_type = will.content_type.as_deref();
            let said = || {
                let sink = &door.sink;
                sink.said(
                    &message.topic,
                    &message.payload,
                    content_type,
                    Some(&*client),
                )
            };
            door.broker
                .publish(None, &message, will.qos, will.retain, &said);
        });
    }
}

/// Whether a topic is one of those allowed.
pub(crate) fn may(filters: &[String], name: &str) -> bool {
    filters.iter().any(|filter| topic::matches(filter, name))
}

/// The end of a connection that its seat no longer wants.
pub(crate) fn evicted(reason: Reason) -> End {
    let (code, what) = match reason {
        Reason::SESSION_TAKEN_OVER => ("mqtt-taken-over", "a newer connection has the session"),
        Reason::QUOTA_EXCEEDED => (
            "mqtt-slow-subscriber",
            "too many messages wait for this client",
        ),
        _ => ("mqtt-ended", "the platform ended the connection"),
    };
    End::fault(Fault::of(
        reason,
        code,
        what,
        "connection",
        "use one connection for each client identifier, and read what is subscribed to",
    ))
}
