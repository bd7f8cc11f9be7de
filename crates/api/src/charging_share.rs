//! Smart charging as the running city does it (有序充电): which outlets hang on which transformer, what each may take, and the rounds in which
//! stations are told. The mathematics are `charging::share` and `charging::grid`.
//!
//! What stations hold is kept in memory and written to the journal as attributes of the charge point, so that it is history, is seen everywhere, and is known
//! again after a restart. What nobody knows is taken for the worst: an outlet of which nothing was told may take its rated power.

use crate::app::App;
use crate::charging_fed::{Fed, Point, Steered};
use crate::charging_office::{LimitUnit, Order, Stations};
use crate::error::Answer;
use admission::{Incoming, Scope};
use axum::Json;
use axum::extract::State;
use charging::grid::{self, At, Limit, VALID_SECONDS};
use charging::other::Heard;
use charging::share::{self, Measured, Outlet, Shared, Standing, Steering, Turn, Why, orders};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use model::{
    AttributeName, AttributeUpdate, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value,
};
use parking_lot::{Mutex, RwLock};
use records::PageRequest;
use records::charging as rows;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use utoipa::ToSchema;
use wire::Payload;

/// The door's name in the journal.
pub const DOOR: &str = "charging-share";
/// Most charges that go on which one round looks at.
const CHARGES_MAX: usize = 20_000;
/// Most transformers that are told at once.
const TRANSFORMERS_AT_ONCE: usize = 16;
/// Most stations of a transformer that are told at once.
const STATIONS_AT_ONCE: usize = 32;
/// How often one round goes on with raising after stations gave up room.
const STEPS_MAX: usize = 4;
/// A station that refused or did not answer is left alone so long, seconds; what it holds counts as taken.
const LEFT_ALONE_SECONDS: i64 = 300;
/// What a transformer's figures are written anew after, seconds, though they did not change.
const WRITTEN_SECONDS: i64 = 300;
/// Watts of a kilowatt.
const WATTS: f64 = 1_000.0;

/// Smart charging in the running city.
#[derive(Debug, Default)]
pub struct Grid {
    steering: Steering,
    seconds: u64,
    kept: Mutex<Kept>,
    seen: RwLock<Vec<TransformerBody>>,
}

/// What is known of stations.
#[derive(Debug, Default)]
struct Kept {
    /// What outlets were told for the charge that goes on there.
    held: HashMap<String, (String, Standing)>,
    /// Their static share, and on which link it was told.
    statics: HashMap<String, (i64, u64)>,
    /// Stations that take limits in amperes alone.
    in_amperes: HashSet<String>,
    /// Stations that are left alone until then.
    left_alone: HashMap<String, Timestamp>,
    /// What was heard of transformers.
    heard: HashMap<String, Heard>,
    /// What was written last of a transformer: power for charging and what is too much, W.
    written: HashMap<String, (i64, i64, Timestamp)>,
}

impl Grid {
    /// Sharing by these rules, a round every so many seconds.
    pub fn new(steering: Steering, seconds: u64) -> Self {
        Self {
            steering,
            seconds,
            ..Self::default()
        }
    }
}

/// An outlet of a transformer (有序充电的枪).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SharedOutlet)]
pub struct OutletBody {
    /// The charge point's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its English name, where it has one.
    pub name_en: Option<String>,
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
    /// Rated power, W; null where it is not registered, and the outlet is not steered.
    pub rated_w: Option<i64>,
    /// Its weight, 1 to 10.
    pub weight: u8,
    /// Whether a charge goes on there.
    pub is_charging: bool,
    /// What the vehicle takes, W.
    pub drawn_w: Option<i64>,
    /// What it may take now, W: told and accepted, or what the station does by itself.
    pub limit_w: Option<i64>,
    /// When that was accepted.
    pub told_at: Option<String>,
    /// `enough`, `shares`, `stays`, `waits`, `too-little` or `out-of-reach`; null without a charge.
    #[schema(value_type = Option<String>)]
    pub why: Option<Why>,
    /// Its static share, W, which holds without the centre.
    pub static_w: Option<i64>,
    /// Whether its station has accepted that share.
    pub is_static_told: bool,
    /// Whether its station is on the line and obeys.
    pub is_reachable: bool,
}

/// A transformer whose charging is shared out (台区).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SharedTransformer)]
pub struct TransformerBody {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its English name, where it has one.
    pub name_en: Option<String>,
    /// What it may be asked for as a whole, W.
    pub limit_w: Option<i64>,
    /// What all charging may take while the other load is not known, W.
    pub static_w: Option<i64>,
    /// What its meter says, W, charging included.
    pub total_w: Option<i64>,
    /// When the meter said so.
    pub measured_at: Option<String>,
    /// From what the power for charging was reckoned: `measured` or `static`; null while it is not steered.
    #[schema(value_type = Option<String>)]
    pub basis: Option<share::Basis>,
    /// What all charging may take now, W.
    pub budget_w: Option<i64>,
    /// What the outlets at which charges go on may take together, W.
    pub held_w: i64,
    /// What their vehicles take together, W, as far as it was told.
    pub drawn_w: i64,
    /// By how much what nobody can lower is too much, W; above 0 somebody must act.
    pub over_w: i64,
    /// Why it is not steered, or not wholly: attributes that are missing or wrong.
    pub missing: Vec<String>,
    /// Its outlets, by id.
    pub outlets: Vec<OutletBody>,
}

/// Smart charging as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SharedCharging)]
pub struct ShareBody {
    /// Whether charging is shared out at all (`charging.grid_seconds`), and stations can be told.
    pub is_on: bool,
    /// A round is every so many seconds.
    pub seconds: u64,
    /// The transformers to which charging stations belong, by id.
    pub items: Vec<TransformerBody>,
}

/// What each transformer's charging may take, and what its outlets were told.
#[utoipa::path(get, path = "/api/v1/charging/grid", tag = "charging", security(("session" = ["charging.read"])),
    responses((status = 200, body = ShareBody)))]
pub async fn show(State(app): State<App>) -> Answer<Json<ShareBody>> {
    let office = app.charging()?;
    Ok(Json(match (&office.grid, &office.stations) {
        (Some(grid), Some(_)) => ShareBody {
            is_on: true,
            seconds: grid.seconds,
            items: grid.seen.read().clone(),
        },
        _ => ShareBody {
            is_on: false,
            seconds: 0,
            items: Vec::new(),
        },
    }))
}

/// A charge that goes on.
struct Going {
    transaction: String,
    since: Timestamp,
}

/// A round's tools.
struct Round<'a> {
    app: &'a App,
    grid: &'a Grid,
    way: Arc<dyn Stations>,
    /// Link of each station on the line.
    links: HashMap<String, u64>,
    /// By the charge point's id.
    going: HashMap<String, Going>,
}

impl App {
    /// Shares the power of every transformer out, and tells the stations what changed.
    ///
    /// # Errors
    /// The records' own. What stations refuse is no error: it counts as taken.
    pub async fn charging_share_round(&self) -> Answer<()> {
        let office = self.charging()?;
        let (Some(grid), Some(way)) = (&office.grid, &office.stations) else {
            return Ok(());
        };
        let (fed, others) = self.fed();
        let round = Round {
            app: self,
            grid,
            way: Arc::clone(way),
            links: (way.connected().into_iter())
                .map(|one| (one.identity, one.link))
                .collect(),
            going: self.charges_going_on().await?,
        };
        round.forget(&fed);
        let all: Vec<BoxFuture<'_, TransformerBody>> = (fed.iter())
            .map(|fed| round.transformer(fed).boxed())
            .collect();
        let seen = stream::iter(all)
            .buffered(TRANSFORMERS_AT_ONCE)
            .collect()
            .await;
        *grid.seen.write() = seen;
        round.release(&others).await;
        Ok(())
    }

    /// The charges that go on, by the charge point at which they do; of several the newest.
    async fn charges_going_on(&self) -> Answer<HashMap<String, Going>> {
        let filter = rows::Filter {
            state: Some(billing::State::Charging.name()),
            ..rows::Filter::default()
        };
        let mut going = HashMap::new();
        let mut after = None;
        let mut looked = 0;
        let mut read = self.records.read().await?;
        loop {
            let page = PageRequest {
                after,
                limit: Some(records::PAGE_ITEMS_MAX),
            };
            let page = rows::list(&mut read, &filter, &page).await?;
            looked += page.items.len();
            for session in page.items {
                let id = crate::charging_known::outlet_id(&session.station, session.connector);
                going.entry(id).or_insert(Going {
                    since: session.started_at.unwrap_or(session.changed_at),
                    transaction: session.transaction_id,
                });
            }
            after = page.next;
            if after.is_none() || looked >= CHARGES_MAX {
                return Ok(going);
            }
        }
    }
}

impl Round<'_> {
    /// Gives up what is known of charges that are over and of links that are gone.
    fn forget(&self, fed: &[Fed]) {
        let mut kept = self.grid.kept.lock();
        let mut over = BTreeSet::new();
        kept.held.retain(|id, (transaction, _)| {
            let goes_on =
                (self.going.get(id)).is_some_and(|going| going.transaction == *transaction);
            if !goes_on {
                over.insert(id.clone());
            }
            goes_on
        });
        // What was told for a charge that ended while the city was away.
        let points = fed.iter().flat_map(|fed| &fed.points);
        let left =
            points.filter(|point| point.limit.is_some() && !self.going.contains_key(&point.id));
        over.extend(left.map(|point| point.id.clone()));
        let now = self.app.now();
        kept.left_alone.retain(|_, until| *until > now);
        kept.heard
            .retain(|id, _| fed.iter().any(|fed| fed.id == *id));
        kept.written
            .retain(|id, _| fed.iter().any(|fed| fed.id == *id));
        drop(kept);
        let gone = over.into_iter();
        self.write(
            gone.filter_map(|id| said(&id, "ChargePoint", "chargingLimit", None, now).ok())
                .collect(),
            now,
        );
    }

    fn is_reachable(&self, station: &str, now: Timestamp) -> bool {
        let kept = self.grid.kept.lock();
        self.links.contains_key(station)
            && kept
                .left_alone
                .get(station)
                .is_none_or(|until| *until <= now)
    }

    /// The charge of a point, unless the point says that it is free since.
    fn charge(&self, point: &Point) -> Option<&Going> {
        let going = self.going.get(&point.id)?;
        let is_free = (point.free_since).is_some_and(|free| free > going.since);
        (!is_free).then_some(going)
    }

    /// One transformer: its static shares, its charges, and what is written of both.
    async fn transformer(&self, fed: &Fed) -> TransformerBody {
        let now = self.app.now();
        let bare: Vec<(&Point, Outlet)> = fed
            .points
            .iter()
            .filter_map(|point| {
                let came = Timestamp::from_micros(0);
                Some((point, point.outlet(Standing::new(0, came), true)?))
            })
            .collect();
        let mut body = fed.body();
        for shown in &mut body.outlets {
            shown.is_reachable = self.is_reachable(&shown.station, now);
        }
        let Some(Steered { transformer, total }) = &fed.steered else {
            return body;
        };
        let steering = &self.grid.steering;
        let outlets: Vec<Outlet> = bare.iter().map(|(_, outlet)| outlet.clone()).collect();
        let statics: HashMap<&str, i64> = (bare.iter().map(|(point, _)| point.id.as_str()))
            .zip(grid::statics(transformer, steering, &outlets))
            .collect();
        let mut told = self.tell_statics(&bare, &statics, now).await;

        let charging: Vec<(&Point, &Going)> = (bare.iter())
            .filter_map(|(point, _)| Some((*point, self.charge(point)?)))
            .collect();
        let mut outlets: Vec<Outlet> = charging
            .iter()
            .filter_map(|(point, going)| {
                let static_w = statics.get(point.id.as_str()).copied().unwrap_or_default();
                let reachable = self.is_reachable(&point.station, now);
                let standing = self.standing(point, going, static_w, reachable, now);
                point.outlet(standing, reachable)
            })
            .collect();
        let other = self.other(fed, *total, now);
        let mut shared = share::share(transformer, steering, other, &outlets, now);
        for _ in 0..STEPS_MAX {
            let now = self.app.now();
            let orders = orders(steering, &outlets, &shared, now);
            if orders.is_empty() {
                break;
            }
            let telling: Vec<BoxFuture<'_, _>> = orders
                .into_iter()
                .filter_map(|order| {
                    let (point, going) = charging.get(order.outlet)?;
                    let at = At {
                        outlet: point.outlet,
                        transaction: going.transaction.clone(),
                        phases: point.phases(),
                    };
                    let limit = grid::of_transaction(&order, &at, now);
                    let told = self.tell(point, limit);
                    Some(told.map(move |answer| (order, *point, answer)).boxed())
                })
                .collect();
            let answers: Vec<_> = stream::iter(telling)
                .buffer_unordered(STATIONS_AT_ONCE)
                .collect()
                .await;
            let now = self.app.now();
            for (order, point, answer) in answers {
                let Some(outlet) = outlets.get_mut(order.outlet) else {
                    continue;
                };
                match answer {
                    Told::Accepted => {
                        outlet.standing.accepted(order.limit_w, now, steering);
                        told.push((point.id.clone(), "chargingLimit", order.limit_w));
                    }
                    Told::Refused => outlet.is_reachable = false,
                    // The larger of both, while it is not sure which.
                    Told::Unknown => {
                        outlet.is_reachable = false;
                        outlet.standing.held_w = outlet.standing.held_w.max(order.limit_w);
                    }
                }
            }
            shared = share::share(transformer, steering, other, &outlets, now);
        }
        self.keep(&charging, &outlets);
        let now = self.app.now();
        let mut updates: Vec<Update> = told
            .into_iter()
            .filter_map(|(id, name, watts)| said(&id, "ChargePoint", name, Some(watts), now).ok())
            .collect();
        updates.extend(self.figures(fed, &shared, now));
        self.write(updates, now);
        self.fill(&mut body, &charging, &outlets, &shared);
        body
    }

    /// The transformer's load beside charging, as far as it is known.
    fn other(&self, fed: &Fed, total: Option<Measured>, now: Timestamp) -> Option<Measured> {
        let steering = &self.grid.steering;
        let mut kept = self.grid.kept.lock();
        let heard = kept.heard.entry(fed.id.clone()).or_default();
        for (id, drawn) in fed.drawn() {
            heard.point(id, drawn);
        }
        heard.meter(total?, steering);
        heard.other(now, steering)
    }

    /// What an outlet holds: as it was told, as the journal knows it, or the worst that can be.
    fn standing(
        &self,
        point: &Point,
        going: &Going,
        static_w: i64,
        is_reachable: bool,
        now: Timestamp,
    ) -> Standing {
        let kept = self.grid.kept.lock();
        // What the station does by itself: its static share, once it has accepted one.
        let by_itself = match (kept.statics.get(&point.id), point.static_w) {
            (Some((static_w, _)), _) => *static_w,
            (None, Some(known)) => known.max(static_w),
            (None, None) => point.rated_w.unwrap_or(static_w),
        };
        let known = (kept.held.get(&point.id))
            .filter(|(transaction, _)| *transaction == going.transaction)
            .map(|(_, standing)| *standing);
        let mut standing = known.unwrap_or_else(|| match point.limit {
            Some(limit) if limit.at >= going.since => Standing {
                held_w: limit.w,
                told_at: limit.at,
                raised_at: limit.at,
                turn: match limit.w > 0 {
                    true => Turn::Charges { since: limit.at },
                    false => Turn::Waits { since: going.since },
                },
            },
            _ => Standing::new(by_itself, going.since.min(now)),
        });
        if now >= standing.told_at.plus_seconds(VALID_SECONDS) {
            standing.held_w = by_itself;
        } else if !is_reachable {
            standing.held_w = grid::without_us(&standing, by_itself, now);
        }
        standing
    }

    fn keep(&self, charging: &[(&Point, &Going)], outlets: &[Outlet]) {
        let mut kept = self.grid.kept.lock();
        for ((point, going), outlet) in charging.iter().zip(outlets) {
            let standing = (going.transaction.clone(), outlet.standing);
            kept.held.insert(point.id.clone(), standing);
        }
    }

    /// Tells every outlet its static share once on each link, and anew when it changed: lowering first, raising when that was accepted.
    async fn tell_statics(
        &self,
        bare: &[(&Point, Outlet)],
        statics: &HashMap<&str, i64>,
        now: Timestamp,
    ) -> Vec<(String, &'static str, i64)> {
        let mut wanted: Vec<(&Point, i64, u64, bool)> = {
            let kept = self.grid.kept.lock();
            bare.iter()
                .filter_map(|(point, _)| {
                    let link = *self.links.get(&point.station)?;
                    let limit_w = *statics.get(point.id.as_str())?;
                    let known = kept.statics.get(&point.id);
                    let raises = known.is_some_and(|(before, _)| *before < limit_w);
                    (known != Some(&(limit_w, link))).then_some((*point, limit_w, link, raises))
                })
                .collect()
        };
        wanted.retain(|(point, ..)| self.is_reachable(&point.station, now));
        let (raised, lowered): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(.., raises)| *raises);
        let mut told = Vec::new();
        for step in [lowered, raised] {
            let all = step.len();
            let telling: Vec<BoxFuture<'_, _>> = step
                .into_iter()
                .map(|(point, limit_w, link, _)| {
                    let told = self.tell(point, grid::of_static(point.outlet, limit_w, now));
                    told.map(move |answer| {
                        (answer == Told::Accepted).then_some((point, limit_w, link))
                    })
                    .boxed()
                })
                .collect();
            let answers: Vec<_> = stream::iter(telling)
                .buffer_unordered(STATIONS_AT_ONCE)
                .collect()
                .await;
            let accepted: Vec<_> = answers.into_iter().flatten().collect();
            let is_whole = accepted.len() == all;
            let mut kept = self.grid.kept.lock();
            for (point, limit_w, link) in accepted {
                kept.statics.insert(point.id.clone(), (limit_w, link));
                told.push((point.id.clone(), "defaultChargingLimit", limit_w));
            }
            if !is_whole {
                // Nobody is raised while another did not give up.
                break;
            }
        }
        told
    }

    /// Tells a station a limit: in watts, or in amperes where it takes no watts.
    async fn tell(&self, point: &Point, limit: Limit) -> Told {
        let station = &point.station;
        let knows_amperes = point.phases().is_some();
        let in_amperes = self.grid.kept.lock().in_amperes.contains(station);
        let units = match (knows_amperes, in_amperes) {
            (true, true) => &[LimitUnit::Amperes][..],
            (true, false) => &[LimitUnit::Watts, LimitUnit::Amperes][..],
            (false, _) => &[LimitUnit::Watts][..],
        };
        let mut answer = Told::Refused;
        for unit in units {
            let limit = Limit {
                phases: point.phases(),
                ..limit.clone()
            };
            let order = Order::Limit { limit, unit: *unit };
            match self.way.order(station, order).await {
                Ok(said) if said.is_accepted => {
                    if *unit == LimitUnit::Amperes {
                        self.grid.kept.lock().in_amperes.insert(station.clone());
                    }
                    return Told::Accepted;
                }
                Ok(_) => {}
                Err(undone) => {
                    if undone.may_have_happened {
                        answer = Told::Unknown;
                    }
                    break;
                }
            }
        }
        let until = self.app.now().plus_seconds(LEFT_ALONE_SECONDS);
        tracing::warn!(
            station,
            outlet = point.outlet,
            "a station did not take its limit of power; what it holds counts as taken"
        );
        let mut kept = self.grid.kept.lock();
        kept.left_alone.insert(station.clone(), until);
        kept.in_amperes.remove(station);
        answer
    }

    /// Takes limits away from outlets that belong to no steered transformer any more.
    async fn release(&self, others: &[Point]) {
        let now = self.app.now();
        let held = others.iter().filter(|point| point.static_w.is_some());
        for point in held.filter(|point| self.is_reachable(&point.station, now)) {
            let id = grid::DEFAULT_ID + i64::from(point.outlet);
            let said_so = self
                .way
                .order(&point.station, Order::ClearLimit { id })
                .await;
            // "Unknown": it holds none.
            if said_so
                .is_ok_and(|said| said.is_accepted || said.status.as_deref() == Some("Unknown"))
            {
                self.grid.kept.lock().statics.remove(&point.id);
                let gone = said(&point.id, "ChargePoint", "defaultChargingLimit", None, now);
                self.write(gone.into_iter().collect(), now);
            } else {
                let until = now.plus_seconds(LEFT_ALONE_SECONDS);
                let mut kept = self.grid.kept.lock();
                kept.left_alone.insert(point.station.clone(), until);
            }
        }
    }

    /// What is told of a transformer, when it changed or was told long ago.
    fn figures(&self, fed: &Fed, shared: &Shared, now: Timestamp) -> Vec<Update> {
        let mut kept = self.grid.kept.lock();
        let is_known = kept.written.get(&fed.id).is_some_and(|(budget, over, at)| {
            *budget == shared.budget_w
                && *over == shared.over_w
                && now < at.plus_seconds(WRITTEN_SECONDS)
        });
        if is_known {
            return Vec::new();
        }
        let told = (shared.budget_w, shared.over_w, now);
        kept.written.insert(fed.id.clone(), told);
        drop(kept);
        [
            ("chargingPowerLimit", shared.budget_w),
            ("chargingShortfall", shared.over_w),
        ]
        .into_iter()
        .filter_map(|(name, watts)| said(&fed.id, "Transformer", name, Some(watts), now).ok())
        .collect()
    }

    fn write(&self, updates: Vec<Update>, now: Timestamp) {
        if updates.is_empty() {
            return;
        }
        let raw = serde_json::to_vec(&updates).unwrap_or_default();
        let incoming = Incoming {
            door: DOOR,
            device_id: None,
            scope: &Scope::Any,
            address: DOOR,
            raw: &raw,
            received_at: now,
            retain: false,
        };
        let payload = Payload {
            updates,
            problems: vec![],
        };
        if let Err(refusal) = self.app.ingest.submit(incoming, payload) {
            tracing::warn!(%refusal, "what charging was shared out was not written; stations keep to it all the same");
        }
    }

    fn fill(
        &self,
        body: &mut TransformerBody,
        charging: &[(&Point, &Going)],
        outlets: &[Outlet],
        shared: &Shared,
    ) {
        body.basis = Some(shared.basis);
        body.budget_w = Some(shared.budget_w);
        body.over_w = shared.over_w;
        let now = self.app.now();
        for shown in &mut body.outlets {
            shown.is_reachable = self.is_reachable(&shown.station, now);
            let kept = self.grid.kept.lock();
            if let Some((limit_w, _)) = kept.statics.get(&shown.id) {
                shown.static_w = Some(*limit_w);
                shown.is_static_told = true;
            }
        }
        for (((point, _), outlet), given) in charging.iter().zip(outlets).zip(&shared.given) {
            body.held_w += outlet.standing.held_w;
            body.drawn_w += outlet.drawn.map_or(0, |drawn| drawn.w);
            let Some(shown) = body.outlets.iter_mut().find(|shown| shown.id == point.id) else {
                continue;
            };
            shown.is_charging = true;
            shown.limit_w = Some(outlet.standing.held_w);
            shown.told_at = match outlet.standing.turn {
                Turn::Waits { since } if since == outlet.standing.told_at => None,
                _ => Some(outlet.standing.told_at.to_string()),
            };
            shown.why = Some(given.why);
        }
    }
}

/// What came of a limit that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Accepted,
    Refused,
    /// No answer: it may have taken it.
    Unknown,
}

/// An attribute of power of an entity, kW; `None` takes it away.
fn said(
    id: &str,
    kind: &str,
    name: &str,
    watts: Option<i64>,
    at: Timestamp,
) -> Result<Update, Problem> {
    Ok(Update {
        entity_id: EntityId::new(id)?,
        entity_type: TypeName::new(kind)?,
        attributes: vec![AttributeUpdate {
            name: AttributeName::new(name)?,
            value: watts.map_or(Ok(Value::Deleted), |watts| {
                Value::number(watts as f64 / WATTS)
            })?,
            unit: watts.map(|_| "KWT".to_owned()),
            observed_at: at,
            quality: Quality::Good,
        }],
    })
}
