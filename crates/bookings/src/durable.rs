//! The store over the city's records: every batch is one transaction, which says first that this is still the one writer.

use crate::queue::{QueueRules, Ticket, TicketState, number};
use crate::reservation::{Reservation, State};
use crate::resource::Resource;
use crate::store::{Change, Kept, Known, Needs, Store};
use model::{Problem, Timestamp};
use records::bookings::{self, Booking, BookingKey, BookingStep, Declared, QueueTicket};
use records::{Failure, Records};
use std::collections::BTreeMap;

/// The names of what is declared.
const RESOURCE: &str = "resource";
const QUEUE: &str = "queue";
/// No policy counts no-shows for longer.
const NO_SHOW_DAYS_MAX: i64 = 366;

/// Bookings in the records.
#[derive(Clone, Debug)]
pub struct Durable {
    records: Records,
    generation: i64,
    prefixes: BTreeMap<String, String>,
}

impl Durable {
    /// Over these records.
    pub const fn new(records: Records) -> Self {
        Self {
            records,
            generation: 0,
            prefixes: BTreeMap::new(),
        }
    }

    fn ticket(&self, row: QueueTicket) -> records::Result<Ticket> {
        let prefix = self.prefixes.get(&row.queue_id).map_or("", String::as_str);
        Ok(Ticket {
            number: number(prefix, row.serial),
            state: TicketState::named(&row.state)
                .ok_or_else(|| broken("queue_tickets", row.id, &row.state))?,
            calls: u32::try_from(row.calls).map_err(Failure::internal)?,
            id: row.id,
            queue: row.queue_id,
            day: row.day,
            serial: row.serial,
            person: row.person,
            class: row.class,
            place: row.place,
            counter: row.counter,
            taken_at: row.taken_at,
            called_at: row.called_at,
            changed_at: row.changed_at,
        })
    }
}

impl Store for Durable {
    async fn load(&mut self, now: Timestamp) -> records::Result<Kept> {
        let mut write = self.records.write().await?;
        self.generation = bookings::take_over(&mut write).await?;
        let mut kept = Kept::default();
        for declared in bookings::declared(&mut write).await? {
            match declared.kind.as_str() {
                RESOURCE => kept.resources.push(read::<Resource>(&declared)?),
                _ => {
                    let rules = read::<QueueRules>(&declared)?;
                    self.prefixes.insert(rules.id.clone(), rules.prefix.clone());
                    kept.queues.push(rules);
                }
            }
        }
        let since = now.plus_seconds(-NO_SHOW_DAYS_MAX * 86_400);
        for row in bookings::live(&mut write, now, since).await? {
            kept.reservations.push(reservation(row)?);
        }
        for row in bookings::live_tickets(&mut write).await? {
            kept.tickets.push(self.ticket(row)?);
        }
        kept.serials = bookings::last_serials(&mut write).await?;
        (kept.last_reservation, kept.last_ticket) = bookings::last_ids(&mut write).await?;
        write.commit().await?;
        Ok(kept)
    }

    async fn known(&mut self, needs: &Needs) -> records::Result<Known> {
        let mut known = Known::default();
        let mut connection = self.records.read().await?;
        for row in bookings::keys(&mut connection, &needs.keys).await? {
            known
                .keys
                .insert((row.asker, row.request_key), (row.digest, row.answer));
        }
        for id in &needs.reservations {
            if let Some(row) = bookings::get(&mut connection, *id).await? {
                known.reservations.insert(*id, reservation(row)?);
            }
        }
        for id in &needs.tickets {
            if let Some(row) = bookings::ticket(&mut connection, *id).await? {
                known.tickets.insert(*id, self.ticket(row)?);
            }
        }
        Ok(known)
    }

    async fn write(&mut self, changes: &[Change]) -> records::Result<()> {
        let rows = Rows::of(changes)?;
        let mut write = self.records.write().await?;
        bookings::must_be_writer(&mut write, self.generation).await?;
        bookings::put_declared(&mut write, &rows.declared).await?;
        // Steps refer to bookings.
        bookings::put(&mut write, &rows.bookings).await?;
        bookings::put_steps(&mut write, &rows.steps).await?;
        bookings::put_tickets(&mut write, &rows.tickets).await?;
        bookings::put_keys(&mut write, &rows.keys).await?;
        if let Some(before) = rows.forget {
            bookings::forget_keys(&mut write, before).await?;
        }
        write.commit().await?;
        for change in changes {
            if let Change::Queue(rules, _, _) = change {
                self.prefixes.insert(rules.id.clone(), rules.prefix.clone());
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Rows {
    declared: Vec<Declared>,
    bookings: Vec<Booking>,
    steps: Vec<BookingStep>,
    tickets: Vec<QueueTicket>,
    keys: Vec<BookingKey>,
    forget: Option<Timestamp>,
}

impl Rows {
    fn of(changes: &[Change]) -> records::Result<Self> {
        let mut rows = Self::default();
        for change in changes {
            match change {
                Change::Resource(resource, by, at) => {
                    let definition = serde_json::to_string(resource).map_err(Failure::internal)?;
                    rows.declared
                        .push(declared(RESOURCE, &resource.id, definition, by, *at));
                }
                Change::Queue(rules, by, at) => {
                    let definition = serde_json::to_string(rules).map_err(Failure::internal)?;
                    rows.declared
                        .push(declared(QUEUE, &rules.id, definition, by, *at));
                }
                Change::Reservation(one) => rows.bookings.push(booking(one)),
                Change::Step(step) => rows.steps.push(BookingStep {
                    booking_id: step.id,
                    at: step.at,
                    step: step.step.to_owned(),
                    state: step.state.to_owned(),
                    by_name: step.by.clone(),
                }),
                Change::Ticket(ticket) => rows.tickets.push(ticket_row(ticket)),
                Change::Key {
                    asker,
                    key,
                    digest,
                    answer,
                    at,
                } => rows.keys.push(BookingKey {
                    asker: asker.clone(),
                    request_key: key.clone(),
                    digest: digest.clone(),
                    answer: answer.clone(),
                    at: *at,
                }),
                Change::ForgetKeys(before) => rows.forget = Some(*before),
            }
        }
        Ok(rows)
    }
}

fn declared(kind: &str, id: &str, definition: String, by: &str, at: Timestamp) -> Declared {
    Declared {
        kind: kind.to_owned(),
        id: id.to_owned(),
        definition,
        changed_at: at,
        changed_by: by.to_owned(),
    }
}

fn read<T: serde::de::DeserializeOwned>(row: &Declared) -> records::Result<T> {
    serde_json::from_str(&row.definition).map_err(Failure::internal)
}

fn booking(one: &Reservation) -> Booking {
    Booking {
        id: one.id,
        resource_id: one.resource.clone(),
        slot_id: one.slot.clone(),
        unit: one.unit.map(i64::from),
        person: one.person.clone(),
        class: one.class.clone(),
        places: i64::from(one.places),
        from_at: one.from,
        to_at: one.to,
        state: one.state.name().to_owned(),
        until_at: one.until,
        made_at: one.made_at,
        changed_at: one.changed_at,
    }
}

fn reservation(row: Booking) -> records::Result<Reservation> {
    let unit = row.unit.map(u32::try_from).transpose();
    Ok(Reservation {
        state: State::named(&row.state).ok_or_else(|| broken("bookings", row.id, &row.state))?,
        unit: unit.map_err(Failure::internal)?,
        places: u32::try_from(row.places).map_err(Failure::internal)?,
        id: row.id,
        resource: row.resource_id,
        slot: row.slot_id,
        person: row.person,
        class: row.class,
        from: row.from_at,
        to: row.to_at,
        until: row.until_at,
        made_at: row.made_at,
        changed_at: row.changed_at,
    })
}

fn ticket_row(ticket: &Ticket) -> QueueTicket {
    QueueTicket {
        id: ticket.id,
        queue_id: ticket.queue.clone(),
        day: ticket.day.clone(),
        serial: ticket.serial,
        person: ticket.person.clone(),
        class: ticket.class.clone(),
        state: ticket.state.name().to_owned(),
        place: ticket.place,
        counter: ticket.counter.clone(),
        calls: i64::from(ticket.calls),
        taken_at: ticket.taken_at,
        called_at: ticket.called_at,
        changed_at: ticket.changed_at,
    }
}

fn broken(table: &str, id: i64, state: &str) -> Failure {
    Failure::internal(Problem::new(
        "booking-row",
        format!("the row {id} has a state that is none: {state}"),
        format!("records.sqlite, table {table}"),
        "stop the server and restore records.sqlite from the last backup",
    ))
}
