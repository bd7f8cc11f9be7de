//! The cashier (收银): carries payments and refunds to their ends. Each is a machine of `charging::collect` kept as a row; what it asks of the
//! provider and enters in the ledger has a key of its own, so that silence, a restart, or two cashiers at once change nothing. A row that
//! another changed meanwhile is read again, never written over.

use crate::durable::{self, Refused, told};
use crate::store::Kept;
use charging::collect::{Collection, Parties, Refund, RefundState, State, Step};
use charging::pay::{Answer, Request, Silence};
use charging::{Entry, Fen};
use model::problem::both;
use model::{Timestamp, Told};
use records::charging_orders::{self as rows, ChargingPayment, ChargingRefund};
use records::{Connection, Failure, Records, charging as books};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Most steps of one machine in one go: it has fewer, but a row may be changed by another meanwhile.
const STEPS_MAX: usize = 32;

/// What a provider's answer comes in.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, Silence>> + Send + 'a>>;

/// A payment provider (支付机构), asked over whatever it takes.
pub trait Till: Send + Sync {
    /// Its name, as the ledger's account has it.
    fn name(&self) -> &str;

    /// Whether it moves no money.
    fn is_play(&self) -> bool;

    /// Asks for something, again and again if need be; a key is done once.
    fn ask<'a>(&'a self, request: &'a Request, now: Timestamp) -> Asked<'a>;
}

/// The cashier over the city's records.
#[derive(Clone)]
pub struct Cashier {
    records: Records,
    till: Arc<dyn Till>,
}

impl fmt::Debug for Cashier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cashier")
            .field("till", &self.till.name())
            .finish_non_exhaustive()
    }
}

impl Cashier {
    /// A cashier that asks `till`.
    pub fn new(records: Records, till: Arc<dyn Till>) -> Self {
        Self { records, till }
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        self.till.name()
    }

    /// Whether no money is moved.
    pub fn is_play(&self) -> bool {
        self.till.is_play()
    }

    /// Writes a payment that sets `hold` aside for `card`, in the caller's transaction; nothing is asked of the provider before
    /// [`Cashier::advance`]. `false` when there is one with this id.
    ///
    /// # Errors
    /// The records' own.
    pub async fn begin(
        &self,
        write: &mut Connection,
        id: &str,
        card: &str,
        hold: Fen,
        now: Timestamp,
    ) -> records::Result<bool> {
        let machine = Collection::new(id, self.parties(card), hold);
        add(write, &machine, now).await
    }

    /// Writes a payment that takes what is owed of a bill, as [`Cashier::begin`] does: it is that bill's from its first moment, so that nobody
    /// is asked for the same money while the provider is silent, and one that the provider refuses counts among the bill's payments.
    ///
    /// # Errors
    /// The records' own.
    pub async fn begin_for(
        &self,
        write: &mut Connection,
        id: &str,
        card: &str,
        (bill, owed): (&str, Fen),
        now: Timestamp,
    ) -> records::Result<bool> {
        let machine = Collection::new(id, self.parties(card), owed).of_bill(bill);
        add(write, &machine, now).await
    }

    /// Who pays through this provider; whose income it is, the bill says.
    fn parties(&self, card: &str) -> Parties {
        Parties {
            driver: card.to_owned(),
            operator: String::new(),
            provider: self.till.name().to_owned(),
        }
    }

    /// A payment as it stands.
    ///
    /// # Errors
    /// The records' own; `charging-payment` when there is none.
    pub async fn look(&self, id: &str) -> Result<Collection, Told> {
        let mut read = self.records.read().await.map_err(|error| told(&error))?;
        let row = rows::payment(&mut read, id).await;
        let row = row.map_err(|error| told(&error))?;
        read_machine(&row.ok_or_else(|| unknown(id))?.body)
    }

    /// Takes a payment as far as it goes now: until it waits for a bill, is over, or the provider is silent.
    ///
    /// # Errors
    /// The records' own; the ledger's word, when it takes an entry in no way.
    pub async fn advance(&self, id: &str, now: Timestamp) -> Result<Collection, Told> {
        self.work(id, now, |_| Ok(())).await
    }

    /// Gives a payment the bill of its session, and takes it as far as it goes.
    ///
    /// # Errors
    /// As [`Cashier::advance`], and those of [`Collection::bill`].
    pub async fn bill(&self, id: &str, kept: &Kept, now: Timestamp) -> Result<Collection, Told> {
        self.work(id, now, |machine| match &kept.bill {
            Some(bill) => machine.bill(&bill.bill, &kept.operator),
            None => Ok(()),
        })
        .await
    }

    /// No charge began: what is held, or may be, is given up.
    ///
    /// # Errors
    /// As [`Cashier::advance`].
    pub async fn give_up(&self, id: &str, now: Timestamp) -> Result<Collection, Told> {
        self.work(id, now, |machine| {
            machine.give_up();
            Ok(())
        })
        .await
    }

    /// Changes a payment, then does what it says, step by step, each step kept before the next.
    async fn work(
        &self,
        id: &str,
        now: Timestamp,
        change: impl Fn(&mut Collection) -> Result<(), Told> + Send + Sync,
    ) -> Result<Collection, Told> {
        for _ in 0..STEPS_MAX {
            let mut read = self.records.read().await.map_err(|error| told(&error))?;
            let found = rows::payment(&mut read, id).await;
            drop(read);
            let row = found.map_err(|error| told(&error))?;
            let row = row.ok_or_else(|| unknown(id))?;
            let mut machine = read_machine(&row.body)?;
            let before = machine.clone();
            change(&mut machine)?;
            let entry = match machine.step(now) {
                Step::Ask(request) => {
                    if machine != before {
                        // What was changed is kept before it is acted on.
                        self.keep(&row, &machine, None, now).await?;
                        continue;
                    }
                    match self.till.ask(&request, now).await {
                        Ok(answer) => machine.answered(&answer),
                        Err(Silence) => return Ok(machine),
                    }
                    None
                }
                Step::Post(entry) => {
                    machine.posted();
                    Some(entry)
                }
                Step::Wait | Step::Done | Step::Owed(_) if machine == before => return Ok(machine),
                Step::Wait | Step::Done | Step::Owed(_) => None,
            };
            self.keep(&row, &machine, entry.as_ref(), now).await?;
        }
        self.look(id).await
    }

    /// Keeps a payment and what is entered with it, in one transaction. Where another changed it meanwhile nothing is written.
    async fn keep(
        &self,
        row: &ChargingPayment,
        machine: &Collection,
        entry: Option<&Entry>,
        now: Timestamp,
    ) -> Result<(), Told> {
        let did = async {
            let mut write = self.records.write().await?;
            if let Some(entry) = entry {
                durable::post(&mut write, entry).await?;
            }
            let row = ChargingPayment {
                bill: machine.bill_id().map(str::to_owned),
                state: word(machine, now).to_owned(),
                body: json(machine)?,
                revision: row.revision + 1,
                changed_at: now,
                ..row.clone()
            };
            if rows::put_payment(&mut write, &row).await? {
                write.commit().await?;
            }
            Ok(())
        };
        did.await.map_err(refused)
    }

    /// Writes a refund of a payment, in the caller's transaction; nothing is asked of the provider before [`Cashier::advance_refund`].
    /// `false` when the bill has one with this part.
    ///
    /// # Errors
    /// The records' own.
    pub async fn begin_refund(
        &self,
        write: &mut Connection,
        payment: &Collection,
        (bill, part): (&str, &str),
        fen: Fen,
        (asked_by, reason): (&str, &str),
        now: Timestamp,
    ) -> records::Result<bool> {
        let parties = payment.parties().clone();
        let machine = Refund::new(payment.order(), bill, part, parties, fen);
        let row = ChargingRefund {
            bill: bill.to_owned(),
            part: part.to_owned(),
            payment: payment.order().to_owned(),
            fen: fen.0,
            reason: reason.to_owned(),
            asked_by: asked_by.to_owned(),
            state: refund_word(&machine).to_owned(),
            body: json(&machine)?,
            revision: 0,
            made_at: now,
            changed_at: now,
        };
        rows::add_refund(write, &row).await
    }

    /// Takes a refund as far as it goes now; how it stands.
    ///
    /// # Errors
    /// The records' own. What the ledger does not take is a refund that is refused.
    pub async fn advance_refund(
        &self,
        bill: &str,
        part: &str,
        now: Timestamp,
    ) -> Result<RefundState, Told> {
        for _ in 0..STEPS_MAX {
            let mut read = self.records.read().await.map_err(|error| told(&error))?;
            let found = rows::refund(&mut read, bill, part).await;
            drop(read);
            let row = found.map_err(|error| told(&error))?;
            let row = row.ok_or_else(|| unknown(part))?;
            let mut machine: Refund = serde_json::from_str(&row.body).map_err(broken)?;
            let entry = match machine.step(now) {
                Step::Ask(request) => {
                    match self.till.ask(&request, now).await {
                        Ok(answer) => machine.answered(&answer),
                        Err(Silence) => return Ok(machine.state()),
                    }
                    None
                }
                Step::Post(entry) => {
                    machine.posted();
                    Some(entry)
                }
                Step::Wait | Step::Done | Step::Owed(_) => return Ok(machine.state()),
            };
            let kept = self.keep_refund(&row, &machine, entry.as_ref(), now).await;
            match kept {
                Ok(()) => {}
                Err(Refused::Store(error)) => return Err(told(&error)),
                Err(Refused::Told(why)) => {
                    // More than was paid, or the ledger has it otherwise: nothing was asked of the provider, and nothing will be.
                    self.refuse(&row, now).await?;
                    return Err(*why);
                }
            }
        }
        Ok(RefundState::Asking)
    }

    async fn keep_refund(
        &self,
        row: &ChargingRefund,
        machine: &Refund,
        entry: Option<&Entry>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut write = self.records.write().await?;
        if let Some(entry) = entry {
            durable::post(&mut write, entry).await?;
        }
        let row = ChargingRefund {
            state: refund_word(machine).to_owned(),
            body: json(machine)?,
            revision: row.revision + 1,
            changed_at: now,
            ..row.clone()
        };
        if rows::put_refund(&mut write, &row).await? {
            write.commit().await?;
        }
        Ok(())
    }

    async fn refuse(&self, row: &ChargingRefund, now: Timestamp) -> Result<(), Told> {
        let did = async {
            let mut write = self.records.write().await?;
            let row = ChargingRefund {
                state: "refused".to_owned(),
                revision: row.revision + 1,
                changed_at: now,
                ..row.clone()
            };
            rows::put_refund(&mut write, &row).await?;
            write.commit().await
        };
        did.await.map_err(|error: Failure| told(&error))
    }

    /// Goes through what waits: payments and refunds of which something is to be done, and payments whose bill is there. Gives how many were
    /// looked at; one that fails is told in the log and does not hold up the others.
    ///
    /// # Errors
    /// The records' own, before anything was looked at.
    pub async fn round(&self, now: Timestamp, most: usize) -> Result<usize, Told> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let read = async {
            let mut read = self.records.read().await?;
            let open = rows::open_payments(&mut read, most).await?;
            let billed = rows::billed_payments(&mut read, most).await?;
            let refunds = rows::open_refunds(&mut read, most).await?;
            Ok((open, billed, refunds))
        };
        let (open, billed, refunds) = read.await.map_err(|error: Failure| told(&error))?;
        let count = open.len() + billed.len() + refunds.len();
        for id in open {
            if let Err(why) = self.advance(&id, now).await {
                tracing::error!(payment = id, %why, "a payment does not go on; it is tried again");
            }
        }
        for (id, session) in billed {
            if let Err(why) = self.bill_of_session(&id, session, now).await {
                tracing::error!(payment = id, %why, "a payment was not given its bill; it is tried again");
            }
        }
        for (bill, part) in refunds {
            if let Err(why) = self.advance_refund(&bill, &part, now).await {
                tracing::error!(bill, part, %why, "a refund does not go on");
            }
        }
        Ok(count)
    }

    async fn bill_of_session(&self, id: &str, session: i64, now: Timestamp) -> Result<(), Told> {
        let read = async {
            let mut read = self.records.read().await?;
            let row = books::session_numbered(&mut read, session).await?;
            row.map(durable::kept).transpose()
        };
        let kept = read.await.map_err(|error: Failure| told(&error))?;
        match kept {
            Some(kept) => self.bill(id, &kept, now).await.map(|_| ()),
            None => Ok(()),
        }
    }
}

/// A new payment's row.
async fn add(
    write: &mut Connection,
    machine: &Collection,
    now: Timestamp,
) -> records::Result<bool> {
    let row = ChargingPayment {
        id: machine.order().to_owned(),
        card: machine.parties().driver.clone(),
        bill: machine.bill_id().map(str::to_owned),
        state: word(machine, now).to_owned(),
        body: json(machine)?,
        revision: 0,
        made_at: now,
        changed_at: now,
    };
    rows::add_payment(write, &row).await
}

/// A payment's word in rows.
fn word(machine: &Collection, now: Timestamp) -> &'static str {
    match (machine.step(now), machine.state()) {
        (Step::Wait, _) => "held",
        (_, State::Refused(_)) => "refused",
        (Step::Done | Step::Owed(_), _) => "done",
        (Step::Ask(_) | Step::Post(_), _) => "open",
    }
}

/// A refund's word in rows.
fn refund_word(machine: &Refund) -> &'static str {
    match machine.state() {
        RefundState::Done => "done",
        RefundState::Refused(_) => "refused",
        RefundState::Entering | RefundState::Asking | RefundState::Undoing(_) => "open",
    }
}

fn json<T: serde::Serialize>(machine: &T) -> records::Result<String> {
    serde_json::to_string(machine).map_err(Failure::internal)
}

fn read_machine(body: &str) -> Result<Collection, Told> {
    serde_json::from_str(body).map_err(broken)
}

fn broken(error: serde_json::Error) -> Told {
    told(&Failure::internal(error))
}

fn refused(why: Refused) -> Told {
    match why {
        Refused::Told(why) => *why,
        Refused::Store(error) => told(&error),
    }
}

fn unknown(id: &str) -> Told {
    Told::new(
        "charging-payment",
        both("没有这张支付单", "there is no such payment"),
        both(format!("支付单 {id}"), format!("payment {id}")),
        both("请刷新后再试", "load the page again"),
    )
}
