//! Reservations of charge points (预约充电): a time at an outlet that is one person's, over `bookings`, which never gives it twice. Whoever has
//! not come `late_minutes` after its begin loses it.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_drivers::{driving, holder};
use crate::charging_office::Reserve;
use crate::charging_places::Point;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use bookings::{
    Answer as Said, By, Command, Kind, Offer, Refusal, Request, Reservation, Resource, When,
};
use model::Timestamp;
use records::bookings::{self as rows, Booking};
use records::{Connection, Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// What the resources of outlets begin with.
pub(crate) const RESOURCE: &str = "charging:";
/// In what counts together for the limits of a person.
const GROUP: &str = "charging";
/// What the key of a confirmation begins with.
const CONFIRM: &str = "confirm:";
/// The states of a reservation that keeps others away.
const CONFIRMED: &str = "confirmed";

/// The resource of an outlet.
pub(crate) fn resource_of(station: &str, outlet: u32) -> String {
    format!("{RESOURCE}{station}:{outlet}")
}

/// Station and outlet of a resource.
pub(crate) fn outlet_of(resource: &str) -> Option<(&str, u32)> {
    let (station, outlet) = resource.strip_prefix(RESOURCE)?.rsplit_once(':')?;
    Some((station, outlet.parse().ok()?))
}

/// The confirmed reservations of an outlet and those in use.
pub(crate) async fn confirmed(read: &mut Connection, resource: &str) -> Answer<Vec<Booking>> {
    let mut all = Vec::new();
    for state in [CONFIRMED, "in_use"] {
        let filter = rows::Filter {
            resource_id: Some(resource),
            state: Some(state),
            person: None,
        };
        let page = PageRequest {
            after: None,
            limit: Some(records::PAGE_ITEMS_MAX),
        };
        all.extend(rows::list(read, &filter, &page).await?.items);
    }
    Ok(all)
}

/// A reservation (预约).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingReservation)]
pub struct ReservationBody {
    /// Its number.
    pub id: i64,
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
    /// The place's name.
    pub place: Option<String>,
    /// The place's English name.
    pub place_en: Option<String>,
    /// The point's name.
    pub point: Option<String>,
    /// The point's English name.
    pub point_en: Option<String>,
    /// From when.
    pub from: String,
    /// Until when.
    pub to: String,
    /// `held`, `confirmed`, `in_use`, `done`, `cancelled`, `expired` or `no_show`.
    pub state: String,
    /// Whether it can be given up now.
    pub may_cancel: bool,
}

/// One's reservations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingReservations)]
pub struct ReservationsBody {
    /// Newest first.
    pub items: Vec<ReservationBody>,
}

fn body(
    app: &App,
    id: i64,
    resource: &str,
    (from, to): (Timestamp, Timestamp),
    state: &str,
) -> ReservationBody {
    let (station, outlet) = outlet_of(resource).unwrap_or((resource, 1));
    let point = app.charging_point(station, outlet);
    let names = point.as_ref().map(|point| app.charging_place_names(point));
    let [place, place_en] = names.unwrap_or_default();
    ReservationBody {
        id,
        station: station.to_owned(),
        outlet,
        place,
        place_en,
        point_en: point.as_ref().and_then(Point::name_en),
        point: point.map(|point| point.name()),
        from: from.to_string(),
        to: to.to_string(),
        state: state.to_owned(),
        may_cancel: matches!(state, "held" | CONFIRMED) && app.now() < from,
    }
}

fn of(app: &App, reservation: &Reservation) -> ReservationBody {
    let times = (reservation.from, reservation.to);
    let state = reservation.state.name();
    body(app, reservation.id, &reservation.resource, times, state)
}

/// One's own reservations, newest first.
#[utoipa::path(get, path = "/api/v1/charging/reservations", tag = "charging", security(("session" = ["charging.use"])),
    responses((status = 200, body = ReservationsBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Answer<Json<ReservationsBody>> {
    let person = holder(&caller.username);
    let filter = rows::Filter {
        person: Some(&person),
        ..rows::Filter::default()
    };
    let mut read = app.records.read().await?;
    let page = rows::list(&mut read, &filter, &PageRequest::default()).await?;
    drop(read);
    let items = page.items.into_iter();
    let items = items.filter(|booking| booking.resource_id.starts_with(RESOURCE));
    Ok(Json(ReservationsBody {
        items: items
            .map(|booking| {
                let times = (booking.from_at, booking.to_at);
                body(
                    &app,
                    booking.id,
                    &booking.resource_id,
                    times,
                    &booking.state,
                )
            })
            .collect(),
    }))
}

/// A time at an outlet.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingReservationDraft)]
pub struct ReserveRequest {
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
    /// From when, with its zone.
    pub from: String,
    /// Until when.
    pub to: String,
    /// The asker's own name of this request: sent twice, it is one reservation.
    pub key: String,
}

/// Reserves an outlet for oneself.
#[utoipa::path(post, path = "/api/v1/charging/reservations", tag = "charging", security(("session" = ["charging.use"])),
    request_body = ReserveRequest, responses((status = 201, body = ReservationBody), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn reserve(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<ReserveRequest>,
) -> Answer<(StatusCode, Json<ReservationBody>)> {
    let driving = driving(app.charging()?)?;
    let (station, outlet) = (request.station.as_str(), request.outlet);
    let Some(_) = app.charging_point(station, outlet) else {
        return Err(ApiError::not_found(
            "charge point",
            model::problem::quote(station),
        ));
    };
    let (from, to) = (
        crate::charging_pages::moment(&request.from)?,
        crate::charging_pages::moment(&request.to)?,
    );
    let resource = resource_of(station, outlet);
    let person = holder(&caller.username);
    let by = By::Person(person.clone());
    let now = app.now();
    let hold = Request {
        key: Some(request.key.clone()),
        by: by.clone(),
        command: Command::Hold {
            resource: resource.clone(),
            when: When::Interval { from, to },
            person,
            class: String::new(),
            places: 1,
            wait: false,
        },
    };
    let window = &driving.window;
    let mut said = window.ask(hold.clone(), now).await;
    if said
        .as_ref()
        .is_err_and(|why| why.code() == "booking-unknown")
    {
        // The first reservation of an outlet: it becomes something that can be booked.
        let declare = Request {
            key: None,
            by: By::System,
            command: Command::Declare(declared(&resource, &driving.reserve)),
        };
        window.ask(declare, now).await.map_err(refused)?;
        said = window.ask(hold, now).await;
    }
    let Said::Reservation(held) = said.map_err(refused)? else {
        return Err(ApiError::internal(
            "a hold was answered with something else",
        ));
    };
    let confirm = Request {
        // Of its own, so that the same request again is confirmed once and answered the same.
        key: Some(format!("{CONFIRM}{}", request.key)),
        by,
        command: Command::Confirm { id: held.id },
    };
    let kept = match held.state {
        bookings::State::Held => match window.ask(confirm, now).await.map_err(refused)? {
            Said::Reservation(kept) => kept,
            _ => return Err(ApiError::internal("a confirmation was answered otherwise")),
        },
        // The same request again, after it was confirmed.
        _ => held,
    };
    tell(&app, "make", &kept, &peer.actor(&caller)).await?;
    Ok((StatusCode::CREATED, Json(of(&app, &kept))))
}

/// An outlet as something that can be booked.
fn declared(resource: &str, reserve: &Reserve) -> Resource {
    Resource {
        id: resource.to_owned(),
        group: GROUP.to_owned(),
        open: true,
        offer: Offer::Units {
            count: 1,
            shortest_s: reserve.shortest_s,
            longest_s: reserve.longest_s,
        },
        policy: reserve.policy.clone(),
    }
}

async fn tell(
    app: &App,
    step: &str,
    reservation: &Reservation,
    actor: &records::Actor,
) -> Answer<()> {
    let (station, outlet) = outlet_of(&reservation.resource).unwrap_or_default();
    let detail = json!({"step": step, "station": station, "outlet": outlet, "from": reservation.from.to_string(),
        "to": reservation.to.to_string()});
    let target = format!("charging-reservation:{}", reservation.id);
    let mut write = app.records.write().await?;
    let event = Event::ChargingReserve;
    audit::insert(&mut write, app.now(), actor, event, &target, &detail).await?;
    write.commit().await?;
    Ok(())
}

/// Gives up one of one's own reservations.
#[utoipa::path(delete, path = "/api/v1/charging/reservations/{id}", tag = "charging", security(("session" = ["charging.use"])),
    params(("id" = i64, Path)), responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn cancel(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    let driving = driving(app.charging()?)?;
    let request = Request {
        key: None,
        by: By::Person(holder(&caller.username)),
        command: Command::Cancel { id },
    };
    let said = driving.window.ask(request, app.now()).await;
    if let Said::Reservation(given_up) = said.map_err(refused)? {
        tell(&app, "cancel", &given_up, &peer.actor(&caller)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Which outlet.
#[derive(Debug, Deserialize, IntoParams)]
pub struct FreeQuery {
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
}

/// A time that is taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingBusy)]
pub struct BusyBody {
    /// From when.
    pub from: String,
    /// Until when.
    pub to: String,
}

/// When an outlet is free, and what may be asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingFree)]
pub struct FreeBody {
    /// What is taken from now on.
    pub busy: Vec<BusyBody>,
    /// Shortest reservation, minutes.
    pub minutes_min: i64,
    /// Longest, minutes.
    pub minutes_max: i64,
    /// How far ahead may be reserved, hours.
    pub ahead_hours_max: i64,
    /// So long after its begin whoever has not come loses it, minutes.
    pub late_minutes: i64,
}

/// When an outlet is reserved already.
#[utoipa::path(get, path = "/api/v1/charging/reservations/free", tag = "charging", security(("session" = ["charging.use"])), params(FreeQuery),
    responses((status = 200, body = FreeBody), (status = 409, body = ProblemBody)))]
pub async fn free(
    State(app): State<App>,
    Query(query): Query<FreeQuery>,
) -> Answer<Json<FreeBody>> {
    let driving = driving(app.charging()?)?;
    let now = app.now();
    let resource = resource_of(&query.station, query.outlet);
    let mut read = app.records.read().await?;
    let mut live = confirmed(&mut read, &resource).await?;
    drop(read);
    live.retain(|booking| booking.to_at > now);
    live.sort_by_key(|booking| booking.from_at);
    let reserve = &driving.reserve;
    Ok(Json(FreeBody {
        busy: live
            .into_iter()
            .map(|booking| BusyBody {
                from: booking.from_at.to_string(),
                to: booking.to_at.to_string(),
            })
            .collect(),
        minutes_min: reserve.shortest_s / 60,
        minutes_max: reserve.longest_s / 60,
        ahead_hours_max: reserve.policy.ahead_s / 3_600,
        late_minutes: reserve.policy.late_s / 60,
    }))
}

fn refused(refusal: Refusal) -> ApiError {
    let status = match refusal.kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    ApiError::told(status, refusal.told)
}
