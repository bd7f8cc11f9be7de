//! What becomes of a driver's order (充电请求): money is set aside, the station is told to start, a charge begins or does not, its bill is
//! paid. Each step is a row before the next is taken, and [`App::charging_round`] goes on with what a crash left.
//!
//! ```text
//! holding ──set aside──▶ starting ──station says yes, or nobody knows──▶ awaited ──a session has its card──▶ begun ──billed──▶ over
//!    └─refused──▶ refused    └─no──▶ refused                                └─start_by──▶ refused (money given up)
//! ```
//! An order has a card of its own, which only the station is told; so its session is found, also when the station tells of it late.

use crate::app::App;
use crate::charging_office::{Driving, Office, Order};
use crate::charging_places::why_not;
use crate::error::{Answer, ApiError};
use axum::http::StatusCode;
use billing::{Settings, durable};
use bookings::{By, Command, Request};
use cases::NewCase;
use charging::collect::State as Paying;
use model::problem::{Both, both};
use model::{Timestamp, Told};
use records::charging::{self as books, ChargingCard, ChargingSession};
use records::charging_orders::{self as rows, ChargingOrder};
use records::{Acting, Actor, Event, audit};
use serde_json::json;

/// What a holder of an account's own cards begins with.
const ACCOUNT: &str = "account:";
/// Characters of a card that is made for an order: as many as OCPP 1.6 takes (`IdToken`, `CiString20Type`).
const CARD_CHARS: usize = 20;
/// What a card of an order is made from, so that no other use of the key gives the same.
const CARD_DOMAIN: &str = "driver-order:";
/// Bytes of an order's id.
const ID_BYTES: usize = 16;

/// The holder of an account's cards.
pub fn holder(account: &str) -> String {
    format!("{ACCOUNT}{account}")
}

/// The card that is made for an order: kept nowhere, made anew from its id under the city's key.
pub(crate) fn card_of(settings: &Settings, order: &str) -> String {
    let text = format!("{CARD_DOMAIN}{order}");
    let mut card = hex::encode(gm::hmac_sm3(&settings.card_key, text.as_bytes()));
    card.truncate(CARD_CHARS);
    card
}

/// Drivers' orders as this city carries them out.
///
/// # Errors
/// 409 `charging-no-payment` while no payment provider is set.
pub fn driving(office: &Office) -> Answer<&Driving> {
    office.driving.as_ref().ok_or_else(|| {
        ApiError::both(
            StatusCode::CONFLICT,
            "charging-no-payment",
            ["本市没有开通自助支付", "paying is not open in this city"],
            ["充电支付", "paying for charging"],
            [
                "请刷卡充电，或请系统管理员设置 charging.payment",
                "charge with a card, or let who runs the platform set charging.payment",
            ],
        )
    })
}

/// Whether OCPP's words for an account's outlet, its reservation and its debts allow another order; why not.
fn refuse(code: &str, why: Both, place: Both, mend: Both) -> ApiError {
    ApiError::told(StatusCode::CONFLICT, Told::new(code, why, place, mend))
}

/// What a driver asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The account.
    pub account: String,
    /// The asker's own name of the request.
    pub key: String,
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
}

impl App {
    /// Begins an order, once for each key of an account, and takes it as far as it goes now.
    ///
    /// # Errors
    /// 409 with why nobody can charge there now, or why this person cannot; the records' own.
    pub async fn begin_charge(&self, asked: &Asked, actor: &Actor) -> Answer<ChargingOrder> {
        let office = self.charging()?;
        let driving = driving(office)?;
        let now = self.now();
        let mut read = self.records.read().await?;
        let before = rows::asked(&mut read, &asked.account, &asked.key).await?;
        if let Some(order) = before {
            drop(read);
            return self.advance_charge(&order.id).await;
        }
        drop(read);
        self.may_begin(office, driving, asked).await?;
        let id = hex::encode(rand::random::<[u8; ID_BYTES]>());
        let pseudonym = office.settings.pseudonym(&card_of(&office.settings, &id));
        let order = ChargingOrder {
            id: id.clone(),
            account: asked.account.clone(),
            request_key: asked.key.clone(),
            station: asked.station.clone(),
            outlet: i64::from(asked.outlet),
            card: pseudonym.clone(),
            state: "holding".to_owned(),
            told: None,
            start_by: now.plus_seconds(driving.start_wait_s),
            asked_at: now,
            changed_at: now,
        };
        let mut write = self.records.write().await?;
        // Between looking and writing nobody else writes.
        self.must_be_free(&mut write, asked, driving).await?;
        if !rows::add(&mut write, &order).await? {
            let order = rows::asked(&mut write, &asked.account, &asked.key).await?;
            drop(write);
            let order = order.ok_or_else(|| ApiError::internal("an order was not kept"))?;
            return self.advance_charge(&order.id).await;
        }
        let card = ChargingCard {
            card: pseudonym.clone(),
            holder: holder(&asked.account),
            is_blocked: false,
            good_until: None,
            changed_at: now,
            changed_by: actor.name.clone(),
        };
        books::put_card(&mut write, &card).await?;
        let cashier = &driving.cashier;
        (cashier.begin(&mut write, &id, &pseudonym, driving.hold, now)).await?;
        let detail = json!({"order": "start", "outlet": asked.outlet, "transaction": null, "driver_order": id});
        let target = format!("charging-station:{}", asked.station);
        audit::insert(
            &mut write,
            now,
            actor,
            Event::ChargingOrder,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        self.advance_charge(&id).await
    }

    async fn may_begin(&self, office: &Office, driving: &Driving, asked: &Asked) -> Answer<()> {
        let place = both(
            format!("充电桩 {} {} 号枪", asked.station, asked.outlet),
            format!("station {}, outlet {}", asked.station, asked.outlet),
        );
        let Some(point) = self.charging_point(&asked.station, asked.outlet) else {
            return Err(ApiError::told(
                StatusCode::NOT_FOUND,
                Told::new(
                    "charging-no-point",
                    both("没有这个充电桩", "there is no such charge point"),
                    place,
                    both(
                        "请核对桩上的编号，或重新扫码",
                        "look at the number on the point, or scan it again",
                    ),
                ),
            ));
        };
        let prices = self.charging_prices(&office.operator).await?;
        let has_price = prices.tariff(&asked.station, self.now()).is_some();
        let on_line = office.on_the_line().contains(&asked.station);
        let status = point.status();
        // What is reserved for this very person is free for them.
        let own = self.reservation_now(driving, asked).await?;
        let status = match (status.as_deref(), own) {
            (Some("Reserved"), Reserved::Mine(_)) => Some("Available".to_owned()),
            _ => status,
        };
        let why = why_not(office, status.as_deref(), on_line, has_price, false);
        if let Some(why) = why {
            let mend = both("请换一个充电桩", "choose another charge point");
            return Err(refuse("charging-cannot-start", why, place, mend));
        }
        if own == Reserved::Others {
            return Err(refuse(
                "charging-reserved",
                both("这段时间已被别人预约", "somebody else reserved it for now"),
                place,
                both(
                    "请换一个充电桩，或等预约过期",
                    "choose another one, or wait until the reservation ends",
                ),
            ));
        }
        let mut read = self.records.read().await?;
        let owed = rows::owed(&mut read, &holder(&asked.account)).await?;
        drop(read);
        if owed > 0 {
            return Err(refuse(
                "charging-owed",
                both(
                    format!("还有 {}.{:02} 元充电费未付", owed / 100, owed % 100),
                    format!(
                        "{}.{:02} yuan of charging are not paid yet",
                        owed / 100,
                        owed % 100
                    ),
                ),
                both("我的充电", "my charging"),
                both("请先付清再充电", "pay what is owed first"),
            ));
        }
        Ok(())
    }

    /// Whether nobody's order has the outlet and this person has no other.
    async fn must_be_free(
        &self,
        write: &mut records::Connection,
        asked: &Asked,
        driving: &Driving,
    ) -> Answer<()> {
        let place = both(
            format!("充电桩 {} {} 号枪", asked.station, asked.outlet),
            format!("station {}, outlet {}", asked.station, asked.outlet),
        );
        let taken = rows::taken(write).await?;
        if taken.contains(&(asked.station.clone(), i64::from(asked.outlet))) {
            return Err(refuse(
                "charging-taken",
                both(
                    "有人正在这里下单充电",
                    "somebody else has ordered a charge here",
                ),
                place,
                both("请换一个充电桩", "choose another charge point"),
            ));
        }
        if rows::open_of(write, &asked.account).await? >= driving.orders_max {
            return Err(refuse(
                "charging-orders",
                both(
                    "您还有没结束的充电",
                    "another charge of yours has not ended",
                ),
                both("我的充电", "my charging"),
                both("请先结束它", "end it first"),
            ));
        }
        Ok(())
    }

    /// Takes an order as far as it goes now.
    ///
    /// # Errors
    /// 404 when there is none; the records' own.
    pub async fn advance_charge(&self, id: &str) -> Answer<ChargingOrder> {
        let office = self.charging()?;
        let driving = driving(office)?;
        // There are fewer states than steps.
        for _ in 0..6 {
            let now = self.now();
            let mut read = self.records.read().await?;
            let order = rows::get(&mut read, id).await?;
            let order = order.ok_or_else(|| ApiError::not_found("charging order", id))?;
            let session = self.session_of(&mut read, &order.card).await?;
            drop(read);
            let has_moved = match order.state.as_str() {
                "holding" => self.hold_and_start(office, driving, &order, now).await?,
                "starting" => {
                    let waited = now.micros_since(order.changed_at) / 1_000_000;
                    (session.is_some() || waited > driving.answer_wait_s)
                        && self.step(&order, "awaited", None, now).await?
                }
                "awaited" if session.is_some() => {
                    self.use_reservation(driving, &order, true).await;
                    self.step(&order, "begun", None, now).await?
                }
                "awaited" if now > order.start_by => {
                    let why = both(
                        "到时间仍未开始充电，预授权已退回",
                        "no charge began in time; what was set aside was given up",
                    );
                    self.end_without_charge(driving, &order, why, now).await?
                }
                "begun" => match session {
                    Some(session) if session.state == "billed" => {
                        self.use_reservation(driving, &order, false).await;
                        self.bill_order(driving, &order, session, now).await?
                    }
                    _ => false,
                },
                _ => false,
            };
            if !has_moved {
                return Ok(order);
            }
        }
        let mut read = self.records.read().await?;
        let order = rows::get(&mut read, id).await?;
        order.ok_or_else(|| ApiError::not_found("charging order", id))
    }

    /// The newest session of a card.
    pub(crate) async fn session_of(
        &self,
        read: &mut records::Connection,
        card: &str,
    ) -> Answer<Option<ChargingSession>> {
        match rows::session_of_card(read, card).await? {
            Some(id) => Ok(books::session_numbered(read, id).await?),
            None => Ok(None),
        }
    }

    async fn step(
        &self,
        order: &ChargingOrder,
        to: &str,
        told: Option<&Both>,
        now: Timestamp,
    ) -> Answer<bool> {
        let told = told.map(|told| json!({"zh": told.zh, "en": told.en}).to_string());
        let mut write = self.records.write().await?;
        let moved = rows::step(
            &mut write,
            &order.id,
            &order.state,
            to,
            told.as_deref(),
            now,
        );
        let moved = moved.await?;
        write.commit().await?;
        Ok(moved)
    }

    async fn hold_and_start(
        &self,
        office: &Office,
        driving: &Driving,
        order: &ChargingOrder,
        now: Timestamp,
    ) -> Answer<bool> {
        let paying = (driving.cashier.advance(&order.id, now).await).map_err(money)?;
        match paying.state() {
            Paying::Held => {}
            Paying::Refused(_) => {
                let why = both(
                    "支付机构没有同意预授权，充电没有开始",
                    "the payment provider did not set the money aside; no charge began",
                );
                return self.end_without_charge(driving, order, why, now).await;
            }
            _ if now > order.start_by => {
                let why = both(
                    "支付机构没有应答，充电没有开始",
                    "the payment provider did not answer; no charge began",
                );
                return self.end_without_charge(driving, order, why, now).await;
            }
            _ => return Ok(false),
        }
        // Written before it goes out: whoever finds it so does not know whether it did.
        if !self.step(order, "starting", None, now).await? {
            return Ok(true);
        }
        let started = ChargingOrder {
            state: "starting".to_owned(),
            ..order.clone()
        };
        let Some(way) = office.stations.clone() else {
            let why = both("充电桩接入没有开通", "the stations' door is closed");
            return self.end_without_charge(driving, &started, why, now).await;
        };
        self.free_for(driving, way.as_ref(), order).await;
        let start = Order::Start {
            outlet: u32::try_from(order.outlet).ok(),
            card: card_of(&office.settings, &order.id),
        };
        match way.order(&order.station, start).await {
            Ok(said) if said.is_accepted => self.step(&started, "awaited", None, self.now()).await,
            Ok(said) => {
                let word = said.status.unwrap_or_default();
                let why = both(
                    format!("充电桩没有接受（{word}），预授权已退回"),
                    format!("the station did not accept ({word}); what was set aside was given up"),
                );
                self.end_without_charge(driving, &started, why, self.now())
                    .await
            }
            Err(undone) if undone.may_have_happened => {
                self.step(&started, "awaited", None, self.now()).await
            }
            Err(undone) => {
                self.end_without_charge(driving, &started, *undone.told.what, self.now())
                    .await
            }
        }
    }

    async fn end_without_charge(
        &self,
        driving: &Driving,
        order: &ChargingOrder,
        why: Both,
        now: Timestamp,
    ) -> Answer<bool> {
        let paying = driving.cashier.give_up(&order.id, now).await;
        paying.map_err(money)?;
        self.end_card(&order.card, now).await?;
        self.step(order, "refused", Some(&why), now).await
    }

    /// Gives up an order of which no charge has begun. The station may have been told to start: its card is good for nothing any more.
    ///
    /// # Errors
    /// The records' own.
    pub async fn cancel_charge(&self, order: &ChargingOrder) -> Answer<bool> {
        let driving = driving(self.charging()?)?;
        let why = both(
            "您取消了这次充电，预授权已退回",
            "you gave it up; what was set aside was given up",
        );
        self.end_without_charge(driving, order, why, self.now())
            .await
    }

    async fn bill_order(
        &self,
        driving: &Driving,
        order: &ChargingOrder,
        session: ChargingSession,
        now: Timestamp,
    ) -> Answer<bool> {
        let kept = durable::kept(session)?;
        let paying = driving.cashier.bill(&order.id, &kept, now).await;
        paying.map_err(money)?;
        self.end_card(&order.card, now).await?;
        self.step(order, "over", None, now).await
    }

    /// The card of an order is good for one charge.
    async fn end_card(&self, pseudonym: &str, now: Timestamp) -> Answer<()> {
        let mut write = self.records.write().await?;
        if let Some(card) = books::card(&mut write, pseudonym).await? {
            let ended = ChargingCard {
                is_blocked: true,
                changed_at: now,
                changed_by: "platform".to_owned(),
                ..card
            };
            books::put_card(&mut write, &ended).await?;
            write.commit().await?;
        }
        Ok(())
    }

    /// Goes on with everything that waits: payments, refunds, orders; corrections of bills become cases.
    ///
    /// # Errors
    /// The records' own.
    pub async fn charging_round(&self) -> Answer<()> {
        let office = self.charging()?;
        let most = i64::try_from(office.settings.pass_max).unwrap_or(i64::MAX);
        self.cases_of_corrections(most).await?;
        let Some(driving) = &office.driving else {
            return Ok(());
        };
        let now = self.now();
        (driving.cashier.round(now, driving.round_max).await).map_err(money)?;
        if let Err(refusal) = driving.window.pass(now).await {
            tracing::error!(why = %refusal.told.what.en, "reservations could not be looked at; it is tried again");
        }
        let mut read = self.records.read().await?;
        let most = i64::try_from(driving.round_max).unwrap_or(i64::MAX);
        let open = rows::open(&mut read, most).await?;
        drop(read);
        for order in open {
            if let Err(error) = self.advance_charge(&order.id).await {
                let why = error.in_words();
                tracing::error!(order = order.id, %why, "a driver's order does not go on; it is tried again");
            }
        }
        Ok(())
    }

    /// A bill that would be another by what was told since it was charged becomes a case, once.
    async fn cases_of_corrections(&self, most: i64) -> Answer<()> {
        let mut read = self.records.read().await?;
        let corrected = rows::corrected_without_case(&mut read, most).await?;
        drop(read);
        for id in corrected {
            let mut read = self.records.read().await?;
            let Some(row) = books::session_numbered(&mut read, id).await? else {
                continue;
            };
            drop(read);
            let kept = durable::kept(row)?;
            let difference = kept.bill.as_ref().and_then(billing::KeptBill::difference);
            let fen = difference.map_or(0, |fen| fen.0);
            let new = NewCase {
                title: format!("充电账单需更正：{}", kept.key),
                description: format!(
                    "收费后充电桩补报了数据，按新数据账单相差 {}{}.{:02} 元。请核对后退款或免收。订单页：/charging/sessions/{id}",
                    if fen < 0 { "-" } else { "+" },
                    fen.abs() / 100,
                    fen.abs() % 100
                ),
                request_id: Some(format!("charging-correction-{id}")),
                ..NewCase::default()
            };
            let acting = Acting {
                actor: Actor::system("charging"),
                organisation_id: None,
                also: Vec::new(),
                permissions: vec![identity::Permission::CaseOpen.as_str()],
            };
            let now = self.now();
            let case = self.cases.open(&new, &acting, now).await?.case;
            let mut write = self.records.write().await?;
            rows::add_case(&mut write, id, "correction", case.id, now).await?;
            write.commit().await?;
            crate::case_pages::announce(self, &case);
        }
        Ok(())
    }

    /// Whose reservation an outlet is under now.
    async fn reservation_now(&self, driving: &Driving, asked: &Asked) -> Answer<Reserved> {
        let now = self.now();
        let early = driving.reserve.policy.early_s;
        let mut read = self.records.read().await?;
        let resource = crate::charging_reserve::resource_of(&asked.station, asked.outlet);
        let live = crate::charging_reserve::confirmed(&mut read, &resource).await?;
        let person = holder(&asked.account);
        let begun =
            |from: Timestamp, own: bool| from <= now.plus_seconds(if own { early } else { 0 });
        let mine = live.iter().find(|booking| {
            booking.person == person && begun(booking.from_at, true) && now < booking.to_at
        });
        if let Some(mine) = mine {
            return Ok(Reserved::Mine(mine.id));
        }
        let others = live
            .iter()
            .any(|booking| begun(booking.from_at, false) && now < booking.to_at);
        Ok(if others {
            Reserved::Others
        } else {
            Reserved::Nobody
        })
    }

    /// Tells the reservation of an order that its use begins or ends. A charge does not depend on it.
    async fn use_reservation(&self, driving: &Driving, order: &ChargingOrder, begins: bool) {
        let used = async {
            let mut read = self.records.read().await?;
            let outlet = u32::try_from(order.outlet).unwrap_or(1);
            let resource = crate::charging_reserve::resource_of(&order.station, outlet);
            let live = crate::charging_reserve::confirmed(&mut read, &resource).await?;
            drop(read);
            let person = holder(&order.account);
            let Some(booking) = live.into_iter().find(|booking| booking.person == person) else {
                return Ok::<(), ApiError>(());
            };
            let command = match begins {
                true => Command::Begin { id: booking.id },
                false => Command::End { id: booking.id },
            };
            let request = Request {
                key: None,
                by: By::System,
                command,
            };
            let asked = driving.window.ask(request, self.now()).await;
            asked.map_err(|refusal| ApiError::told(StatusCode::CONFLICT, refusal.told))?;
            Ok(())
        };
        if let Err(error) = used.await {
            tracing::info!(order = order.id, why = %error.in_words(), "a reservation was not marked as used");
        }
    }
}

/// Whose reservation an outlet is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reserved {
    Nobody,
    Mine(i64),
    Others,
}

/// What the cashier says, as an answer.
pub(crate) fn money(told: Told) -> ApiError {
    let status = match told.code.as_str() {
        "charging-payment" => StatusCode::NOT_FOUND,
        code if code.starts_with("ledger-") || code.starts_with("charging-") => {
            StatusCode::CONFLICT
        }
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    ApiError::told(status, told)
}
