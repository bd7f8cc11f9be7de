//! What a message of OCPP says of a charge: a part of a transaction as events, each once, in the books' words.

use charging::{Event, EventKind, SessionKey, Wh};
use model::Timestamp;
use proto_ocpp::message::{Phase, Transaction};

/// Thousandths of a watt-hour in one.
const MILLI: i64 = 1_000;
/// The charging state in which the vehicle takes no more (2.0.1, `ChargingStateEnumType`).
const TAKES_NO_MORE: &str = "SuspendedEV";
/// What causes a part that says who charges, after the cable was put in (2.0.1).
const SHOWN: [&str; 2] = ["Authorized", "RemoteStart"];
/// What causes a part that says that the vehicle has gone (2.0.1, `TriggerReasonEnumType`).
const GONE: [&str; 2] = ["EVDeparted", "EVCommunicationLost"];

/// What a part of a transaction says. `id` is the transaction's, which at a start of 1.6 the centre gave.
pub fn of(station: &str, id: &str, part: &Transaction, received: Timestamp) -> Vec<Event> {
    let key = SessionKey {
        station: station.to_owned(),
        transaction: id.to_owned(),
    };
    // A stop of 1.6 does not say its connector; where it is remembered, and once is not, the same stop would be told in two ways.
    let is_stop_16 = part.phase == Phase::Ended && part.sequence.is_none();
    let outlet = part.outlet.filter(|_| !is_stop_16);
    let connector = outlet.map_or(0, |outlet| outlet.evse);
    // At a stop the token is of whoever stopped it, not of who pays.
    let card = match part.phase {
        Phase::Ended => None,
        _ => part.id_token.as_ref().map(|token| token.token.clone()),
    };
    let event = |kind, at, register| Event {
        key: key.clone(),
        connector,
        kind,
        at: Some(at),
        register,
        card: None,
        received,
    };
    let registers = part.registers();
    let mut events = Vec::with_capacity(registers.len() + 2);
    let (first, last) = (registers.first(), registers.last());
    match part.phase {
        Phase::Started => {
            let register = first.map(|register| wh(register.milli_wh));
            let mut started = event(EventKind::Started, part.at, register);
            started.card = card;
            events.push(started);
        }
        Phase::Updated => {
            let is_shown = part
                .trigger
                .as_deref()
                .is_some_and(|why| SHOWN.contains(&why));
            if let Some(card) = card.filter(|_| is_shown) {
                let mut shown = event(EventKind::Identified, part.at, None);
                shown.card = Some(card);
                events.push(shown);
            }
        }
        Phase::Ended => {
            let register = last.map(|register| wh(register.milli_wh));
            events.push(event(EventKind::Ended, part.at, register));
        }
    }
    let is_said = |at: Timestamp| match part.phase {
        Phase::Started => first.is_some_and(|register| register.at == at),
        Phase::Ended => last.is_some_and(|register| register.at == at),
        Phase::Updated => false,
    };
    let between = registers.iter().filter(|register| !is_said(register.at));
    events.extend(
        between.map(|register| event(EventKind::Reading, register.at, Some(wh(register.milli_wh)))),
    );
    if part.charging_state.as_deref() == Some(TAKES_NO_MORE) {
        events.push(event(EventKind::Full, part.at, None));
    }
    let is_gone = part
        .trigger
        .as_deref()
        .is_some_and(|why| GONE.contains(&why));
    if is_gone && part.phase == Phase::Ended {
        events.push(event(EventKind::Left, part.at, None));
    }
    events
}

/// One event of a charge that no part of a transaction says.
pub fn mark(
    station: &str,
    id: &str,
    connector: u32,
    kind: EventKind,
    at: Timestamp,
    received: Timestamp,
) -> Event {
    Event {
        key: SessionKey {
            station: station.to_owned(),
            transaction: id.to_owned(),
        },
        connector,
        kind,
        at: Some(at),
        register: None,
        card: None,
        received,
    }
}

/// A register in whole watt-hours, rounded half up.
fn wh(milli_wh: i64) -> Wh {
    Wh((milli_wh.saturating_add(MILLI / 2)).div_euclid(MILLI))
}
