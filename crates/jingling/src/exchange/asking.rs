//! What the city asks and tells partners by itself, one task for each partner with an address: notices until they are taken, how charges
//! go, an operator's stations and how they are, and once a day the orders of the day before. One more task looks at orders of ours.

use super::orders::{self, refused_text};
use super::settings::PartnerRole;
use super::{Line, Partner, Refused, Shared, compare, told};
use api::app::App;
use api::outgoing::Ask;
use hyper::Method;
use model::{Timestamp, Told};
use proto_tcec102::map::STATION;
use proto_tcec102::message::{
    EquipChargeStatus, QueryStationStatus, QueryStationsInfo, StationInfo, Success, Taken,
};
use proto_tcec102::{Call, Heard, Limits, Reply};
use records::exchange::{self as rows, ExchangeNotice};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use twin::Filter;
use url::Url;

/// Notices that are told in one look.
const NOTICES_ROUND: i64 = 100;
/// Longest wait after a try that came to nothing, seconds.
const AGAIN_S_MAX: i64 = 3_600;
/// A question that came to nothing is asked again after so long, seconds.
const ASK_AGAIN_S: i64 = 300;
const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;
const MINUTE_S: i64 = 60;
/// Stations of one page (T/CEC 102.2 names 10; partners take more), and the most pages that are asked for.
const PAGE_SIZE: u32 = 50;
const PAGES_MAX: u32 = 2_000;
/// Taken notices that are given up in one look.
const FORGET_ROWS: i64 = 1_000;

/// Begins to ask and tell, for as long as the city runs.
pub(super) fn start(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![tokio::spawn(look(Arc::clone(shared)))];
    for partner in &shared.partners {
        if partner.line.is_some() {
            let asker = Asker::new(Arc::clone(shared), Arc::clone(partner));
            tasks.push(tokio::spawn(asker.run()));
        }
    }
    tasks
}

fn ticker(seconds: u64) -> tokio::time::Interval {
    let mut ticker = tokio::time::interval(Duration::from_secs(seconds.max(1)));
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}

/// Looks at orders of ours, and writes what is remembered of partners.
async fn look(shared: Arc<Shared>) {
    let mut ticker = ticker(shared.own.look_seconds);
    let mut written = BTreeMap::new();
    loop {
        ticker.tick().await;
        if let Err(failure) = orders::look(&shared).await {
            tracing::warn!(%failure, "orders of the exchange could not be looked at");
        }
        let known = shared.known.lock().clone();
        if known != written {
            match write_known(&shared, &known).await {
                Ok(()) => written = known,
                Err(failure) => {
                    tracing::warn!(%failure, "what is known of partners could not be written");
                }
            }
        }
    }
}

async fn write_known(
    shared: &Shared,
    known: &BTreeMap<String, rows::ExchangePartner>,
) -> records::Result<()> {
    let before = shared
        .now()
        .plus_seconds(-shared.own.notices_keep_days.saturating_mul(DAY_S));
    let mut write = shared.records.write().await?;
    for row in known.values() {
        rows::put_partner(&mut write, row).await?;
    }
    rows::forget_notices(&mut write, before, FORGET_ROWS).await?;
    write.commit().await
}

/// Why a partner gave no reply.
enum NoReply {
    /// There was no answer: others would have none either now.
    Silent(String),
    /// It answered, and not with a reply.
    Refused(String),
}

impl NoReply {
    fn why(&self) -> &str {
        match self {
            Self::Silent(why) | Self::Refused(why) => why,
        }
    }
}

impl From<Refused> for NoReply {
    fn from((ret, msg): Refused) -> Self {
        Self::Refused(refused_text(ret, &msg))
    }
}

/// When each charge that goes on was last told, by its order.
type LastTold = BTreeMap<String, Timestamp>;
/// Orders, and how they go.
type Due = Vec<(String, EquipChargeStatus)>;

struct Asker {
    shared: Arc<Shared>,
    partner: Arc<Partner>,
    limits: Limits,
    /// When each charge that goes on was last told.
    charges: LastTold,
    /// When a question that came to nothing may be asked again.
    again: BTreeMap<&'static str, Timestamp>,
}

impl Asker {
    fn new(shared: Arc<Shared>, partner: Arc<Partner>) -> Self {
        Self {
            limits: shared.own.limits(),
            shared,
            partner,
            charges: LastTold::new(),
            again: BTreeMap::new(),
        }
    }

    async fn run(mut self) {
        let mut ticker = ticker(self.shared.own.look_seconds);
        loop {
            ticker.tick().await;
            let Some(app) = self.shared.app.upgrade() else {
                return;
            };
            let now = self.shared.now();
            let mut done = self.notices(now).await;
            if done.is_ok() {
                done = match self.partner.role {
                    PartnerRole::Operator => self.operator(&app, now).await,
                    PartnerRole::Regulator => self.charges(&app, now).await,
                };
            }
            if done.is_ok() {
                done = self.compare(&app, now).await;
            }
            match done {
                Ok(()) => {}
                Err(none) => {
                    tracing::warn!(partner = %self.partner.id, why = none.why(), "a partner of the exchange could not be asked");
                    self.shared.remember(&self.partner.id, |row| {
                        row.problem = Some(none.why().to_owned());
                        row.problem_at = Some(now);
                    });
                }
            }
        }
    }

    /// Asks one thing, with a token where that is needed.
    async fn ask(&self, call: Call) -> Result<Reply, NoReply> {
        let Some(line) = &self.partner.line else {
            return Err(NoReply::Refused("the partner has no address".to_owned()));
        };
        let reply = self.asked(line, call).await;
        if reply.is_ok() {
            self.shared.remember(&self.partner.id, |row| {
                row.problem = None;
                row.problem_at = None;
            });
        }
        reply
    }

    async fn asked(&self, line: &Line, call: Call) -> Result<Reply, NoReply> {
        let own = &self.shared.own;
        let mut caller = line.caller.lock().await;
        let told = |told: Told| NoReply::Refused(told.to_string());
        // A question whose task was dropped in the middle is under way no more.
        caller.give_up();
        let mut next = caller.ask(call, self.shared.now()).map_err(told)?;
        loop {
            let url = address(&line.url, next.api);
            let kind = ("content-type".to_owned(), "application/json".to_owned());
            let bearer = next
                .bearer
                .map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
            let ask = Ask {
                method: Method::POST,
                headers: std::iter::once(kind).chain(bearer).collect(),
                body: next.body,
                ..Ask::read(
                    &url,
                    Some(own.message_bytes_max()),
                    Duration::from_secs(own.answer_seconds_max),
                )
            };
            let (status, body) = self
                .shared
                .outgoing
                .ask(ask)
                .await
                .map_err(NoReply::Silent)?;
            if !status.is_success() {
                return Err(NoReply::Silent(format!("it answered {status}")));
            }
            match caller.hear(&body, self.shared.now()).map_err(told)? {
                Heard::Send(more) => next = more,
                Heard::Reply(reply) => return Ok(reply),
                Heard::Refused { ret, msg } => {
                    return Err(NoReply::Refused(refused_text(ret, &msg)));
                }
                Heard::Wrong(fault) => return Err(NoReply::Refused(fault.told.to_string())),
            }
        }
    }

    /// Tells what is due, in the order in which it was made.
    async fn notices(&self, now: Timestamp) -> Result<(), NoReply> {
        let due = async {
            let mut read = self.shared.records.read().await?;
            rows::due(&mut read, &self.partner.id, now, NOTICES_ROUND).await
        };
        for notice in due.await.map_err(kept)? {
            let call = Call::read(&notice.kind, &notice.body, &self.limits);
            let reply = match call {
                Ok(call) => self.ask(call).await,
                Err(fault) => Err(NoReply::Refused(fault.told.to_string())),
            };
            let taken = reply.and_then(|reply| taken(&reply));
            let is_silent = matches!(taken, Err(NoReply::Silent(_)));
            self.after(notice, &taken, now).await.map_err(kept)?;
            // Whoever does not answer at all is not asked for each.
            if is_silent {
                return taken.map(|_| ());
            }
        }
        Ok(())
    }

    /// Writes how telling a notice went.
    async fn after(
        &self,
        mut notice: ExchangeNotice,
        taken: &Result<Option<i64>, NoReply>,
        now: Timestamp,
    ) -> records::Result<()> {
        notice.attempts += 1;
        match taken {
            Ok(confirm_result) => {
                // First the order: told again, the partner answers the same.
                if let Some(result) = confirm_result {
                    orders::confirmed(&self.shared, &notice, *result, now).await?;
                }
                notice.state = rows::DONE.to_owned();
                notice.problem = None;
            }
            Err(none) => {
                let doublings = u32::try_from(notice.attempts - 1).unwrap_or(0).min(16);
                let first = self.shared.own.again_seconds;
                let wait = first.saturating_mul(1 << doublings).min(AGAIN_S_MAX);
                notice.due_at = now.plus_seconds(wait);
                notice.problem = Some(none.why().to_owned());
                let longest = self.shared.own.notice_days_max.saturating_mul(DAY_S);
                if notice.made_at.plus_seconds(longest) < now {
                    notice.state = rows::GIVEN_UP.to_owned();
                }
            }
        }
        let mut write = self.shared.records.write().await?;
        rows::set_notice(&mut write, &notice).await?;
        write.commit().await
    }

    /// Tells how charges go that the partner asked for. What is not taken is told newer the next time.
    async fn charges(&mut self, app: &App, now: Timestamp) -> Result<(), NoReply> {
        let (going, due) = self.to_tell(app, now).await?;
        self.charges = going;
        for (order, status) in due {
            // Told or not, the next one comes in its time.
            self.charges.insert(order, now);
            let told = self.ask(Call::NotificationEquipChargeStatus(status)).await;
            if let Err(none @ NoReply::Silent(_)) = told {
                return Err(none);
            }
        }
        Ok(())
    }

    /// When each charge that goes on was last told, and how those go that are to be told now.
    async fn to_tell(&self, app: &App, now: Timestamp) -> Result<(LastTold, Due), NoReply> {
        let every = self.shared.own.charge_status_seconds;
        let (mut going, mut due) = (LastTold::new(), Due::new());
        let mut after = 0;
        let mut read = self.shared.records.read().await.map_err(kept)?;
        loop {
            let some = rows::open_orders(&mut read, after, NOTICES_ROUND).await;
            let some = some.map_err(kept)?;
            let Some(last) = some.last() else {
                return Ok((going, due));
            };
            after = last.id;
            for order in &some {
                if order.partner != self.partner.id || order.state != rows::CHARGING {
                    continue;
                }
                match self.charges.get(&order.order_no) {
                    Some(&told) if now < told.plus_seconds(every) => {
                        going.insert(order.order_no.clone(), told);
                    }
                    _ => {
                        let status = orders::going(&self.shared, app, &mut read, order).await?;
                        due.push((order.order_no.clone(), status));
                    }
                }
            }
        }
    }

    /// Whether a question is due that was last answered then; one that came to nothing is asked again after a while.
    fn is_due(
        &mut self,
        what: &'static str,
        last: Option<Timestamp>,
        every_s: i64,
        now: Timestamp,
    ) -> bool {
        let is_due = last.is_none_or(|last| last.plus_seconds(every_s) <= now);
        let may = self.again.get(what).is_none_or(|again| *again <= now);
        if is_due && may {
            let wait = ASK_AGAIN_S.min(every_s);
            self.again.insert(what, now.plus_seconds(wait));
        }
        is_due && may
    }

    /// Asks an operator for its stations, and how they are.
    async fn operator(&mut self, app: &App, now: Timestamp) -> Result<(), NoReply> {
        let own = self.shared.own.clone();
        let memory = self.shared.memory(&self.partner.id);
        let hours = own.stations_hours.saturating_mul(HOUR_S);
        let mut told = None;
        if self.is_due("stations", memory.stations_at, hours, now) {
            told = Some(self.stations(app, now).await?);
            self.shared
                .remember(&self.partner.id, |row| row.stations_at = Some(now));
        }
        let minutes = own.statuses_minutes.saturating_mul(MINUTE_S);
        // Stations that were told a moment ago may not be in the twin yet, so that they are taken from what was told.
        if told.is_some() || self.is_due("statuses", memory.statuses_at, minutes, now) {
            let ids = told.unwrap_or_else(|| self.known_stations(app));
            self.statuses(app, &ids, now).await?;
            self.shared
                .remember(&self.partner.id, |row| row.statuses_at = Some(now));
        }
        Ok(())
    }

    /// Its stations in the twin, by their ids there.
    fn known_stations(&self, app: &App) -> Vec<String> {
        let begin = format!("urn:ngsi-ld:{STATION}:{}:", self.partner.id);
        let places = Filter {
            types: vec![STATION.to_owned()],
            limit: usize::MAX,
            ..Filter::default()
        };
        let mut ids: Vec<String> = Vec::new();
        app.twin.visit(&places, |place| {
            ids.extend(place.id.as_str().strip_prefix(&begin).map(str::to_owned));
        });
        ids
    }

    /// All its stations, page by page, into the twin; their ids.
    async fn stations(&self, app: &App, now: Timestamp) -> Result<Vec<String>, NoReply> {
        let mut ids = Vec::new();
        let mut page = 1;
        loop {
            let ask = Call::QueryStationsInfo(QueryStationsInfo {
                last_query_time: None,
                page_no: page,
                page_size: PAGE_SIZE,
            });
            let Reply::QueryStationsInfo(reply) = self.ask(ask).await? else {
                return Err(other());
            };
            for station in &reply.station_infos {
                self.station(app, station, now).await?;
                ids.push(station.station_id.clone());
            }
            if page >= reply.page_count || page >= PAGES_MAX || reply.station_infos.is_empty() {
                return Ok(ids);
            }
            page += 1;
        }
    }

    async fn station(
        &self,
        app: &App,
        station: &StationInfo,
        now: Timestamp,
    ) -> Result<(), NoReply> {
        told::station(&self.shared, app, &self.partner, station, now).await?;
        Ok(())
    }

    /// How stations are, so many at a time as the standard takes.
    async fn statuses(&self, app: &App, ids: &[String], now: Timestamp) -> Result<(), NoReply> {
        for some in ids.chunks(self.limits.station_ids_max.max(1)) {
            let ask = Call::QueryStationStatus(QueryStationStatus {
                station_ids: some.to_vec(),
            });
            let Reply::QueryStationStatus(reply) = self.ask(ask).await? else {
                return Err(other());
            };
            told::statuses(&self.shared, app, &self.partner, &reply, now).await?;
        }
        Ok(())
    }

    /// Compares the orders of the day before, once.
    async fn compare(&mut self, app: &App, now: Timestamp) -> Result<(), NoReply> {
        let (within, hour) = compare::day_before(now);
        if hour < self.shared.own.compare_hour || !self.is_due("compare", None, ASK_AGAIN_S, now) {
            return Ok(());
        }
        let question = compare::question(&self.shared, &self.partner, within).await?;
        let Some((asked, ours)) = question else {
            return Ok(());
        };
        let Reply::CheckChargeOrders(reply) = self.ask(Call::CheckChargeOrders(asked)).await?
        else {
            return Err(other());
        };
        let theirs = (ours.as_slice(), &reply);
        compare::answered(&self.shared, app, &self.partner, within, theirs, now).await?;
        Ok(())
    }
}

/// Whether a notice was taken, and what was said to a bill.
fn taken(reply: &Reply) -> Result<Option<i64>, NoReply> {
    let plain = |taken: &Taken| match taken.succ_stat {
        Success::Done => Ok(None),
        Success::Failed => Err(NoReply::Refused(format!(
            "it was not taken: FailReason {}",
            taken.fail_reason
        ))),
    };
    match reply {
        Reply::NotificationStartChargeResult(taken)
        | Reply::NotificationStopChargeResult(taken)
        | Reply::NotificationEquipChargeStatus(taken) => plain(taken),
        Reply::NotificationChargeOrderInfo(reply) => Ok(Some(reply.confirm_result)),
        _ => Err(other()),
    }
}

fn other() -> NoReply {
    NoReply::Refused("it answered another question".to_owned())
}

fn kept(failure: records::Failure) -> NoReply {
    NoReply::Refused(format!("the records: {failure}"))
}

/// The address of an interface below a partner's.
fn address(base: &Url, interface: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(interface);
    }
    url
}
