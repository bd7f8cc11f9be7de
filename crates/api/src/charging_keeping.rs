//! Reserved outlets are kept free by their stations (`ReserveNow`): from a reservation's begin until its holder comes or loses it, a station turns
//! away cards held to its reader. What was told is kept in memory: after a restart it is told again, which takes the place of what was told
//! before (1.6, 5.13; 2.0.1, H01). Stations that cannot do so are left alone; orders by phone are refused there all the same.

use crate::app::App;
use crate::charging_drivers::card_of;
use crate::charging_office::{Driving, Office, Order, Stations};
use crate::charging_reserve::outlet_of;
use crate::error::Answer;
use model::Timestamp;
use parking_lot::Mutex;
use records::bookings::{self as rows, Booking};
use records::charging_orders::ChargingOrder;
use std::collections::HashMap;

/// Most reservations that one round looks at.
const RESERVATIONS_MAX: i64 = 2_000;
/// Words of stations that will not do it later either.
const NEVER: [&str; 2] = ["Rejected", "NotSupported"];

/// What stations were told to keep free.
#[derive(Debug, Default)]
pub struct Keeping(Mutex<HashMap<i64, Kept>>);

/// One outlet that a station was told to keep free, or that it will not.
#[derive(Clone, Debug)]
struct Kept {
    station: String,
    outlet: u32,
    /// The link on which it was told.
    link: u64,
    is_kept: bool,
}

impl App {
    /// Tells stations which of their outlets are reserved from now on, and which no longer.
    ///
    /// # Errors
    /// The records' own.
    pub async fn charging_keep_round(&self) -> Answer<()> {
        let office = self.charging()?;
        let (Some(driving), Some(way)) = (&office.driving, &office.stations) else {
            return Ok(());
        };
        let now = self.now();
        let mut read = self.records.read().await?;
        let begun = rows::begun(
            &mut read,
            crate::charging_reserve::RESOURCE,
            now,
            RESERVATIONS_MAX,
        );
        let begun = begun.await?;
        drop(read);
        let links: HashMap<String, u64> = (way.connected().into_iter())
            .map(|one| (one.identity, one.link))
            .collect();
        let over: Vec<i64> = {
            let kept = driving.keeping.0.lock();
            let is_live = |id: &i64| begun.iter().any(|booking| booking.id == *id);
            kept.keys().filter(|id| !is_live(id)).copied().collect()
        };
        for id in over {
            self.keep_no_more(driving, way.as_ref(), id).await;
        }
        for booking in &begun {
            let Some((station, outlet)) = outlet_of(&booking.resource_id) else {
                continue;
            };
            let Some(link) = links.get(station).copied() else {
                continue;
            };
            let is_told =
                (driving.keeping.0.lock().get(&booking.id)).is_some_and(|kept| kept.link == link);
            if !is_told {
                keep(office, driving, booking, (station, outlet, link)).await;
            }
        }
        Ok(())
    }

    /// The holder of a reservation starts to charge: the station's own reservation, whose card nobody has, ends first.
    pub(crate) async fn free_for(
        &self,
        driving: &Driving,
        way: &dyn Stations,
        order: &ChargingOrder,
    ) {
        let id = {
            let mut kept = driving.keeping.0.lock();
            let found = kept.iter_mut().find(|(_, kept)| {
                kept.is_kept
                    && kept.station == order.station
                    && i64::from(kept.outlet) == order.outlet
            });
            let Some((id, kept)) = found else { return };
            // It is not told again while the reservation still stands.
            kept.is_kept = false;
            *id
        };
        cancel(way, &order.station, id).await;
    }

    /// An outlet is no longer kept: its reservation was given up, lost, or is over.
    async fn keep_no_more(&self, driving: &Driving, way: &dyn Stations, id: i64) {
        let kept = driving.keeping.0.lock().remove(&id);
        let Some(kept) = kept.filter(|kept| kept.is_kept) else {
            return;
        };
        cancel(way, &kept.station, id).await;
    }
}

/// It ends by itself where the station is not on the line or does not answer.
async fn cancel(way: &dyn Stations, station: &str, id: i64) {
    let said = way.order(station, Order::CancelReservation { id }).await;
    if let Err(undone) = said {
        tracing::info!(station, why = %undone.told.what.en, "a reservation at a station ends by itself");
    }
}

async fn keep(
    office: &Office,
    driving: &Driving,
    booking: &Booking,
    (station, outlet, link): (&str, u32, u64),
) {
    let Some(way) = &office.stations else { return };
    let late = booking.from_at.plus_seconds(driving.reserve.policy.late_s);
    let order = Order::Reserve {
        id: booking.id,
        outlet,
        until: Timestamp::min(late, booking.to_at),
        // Nobody holds this card: whoever reserved starts by phone, which ends the station's reservation first.
        card: card_of(&office.settings, &format!("reservation-{}", booking.id)),
    };
    let said = way.order(station, order).await;
    let is_kept = match &said {
        Ok(said) if said.is_accepted => true,
        Ok(said)
            if said
                .status
                .as_deref()
                .is_some_and(|word| NEVER.contains(&word)) =>
        {
            false
        }
        // Taken, out of order, or no answer: it is told again.
        _ => return,
    };
    let kept = Kept {
        station: station.to_owned(),
        outlet,
        link,
        is_kept,
    };
    driving.keeping.0.lock().insert(booking.id, kept);
}
