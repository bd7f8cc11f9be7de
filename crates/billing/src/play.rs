//! The provider that plays one (沙箱支付): moves no money, keeps what it was asked and answered in the records, so that it remembers across
//! restarts what a real one would. For trials and demonstrations.

use crate::cashier::{Asked, Till};
use charging::Fen;
use charging::pay::{Act, Answer, Order, Refusal, Request, Silence};
use model::Timestamp;
use records::{Failure, Records, charging_orders as rows};

/// A provider that moves no money.
#[derive(Clone, Debug)]
pub struct Play {
    records: Records,
    /// Highest hold; above it the payer "has not enough".
    funds: Fen,
}

impl Play {
    /// One that holds at most `funds` per order.
    pub const fn new(records: Records, funds: Fen) -> Self {
        Self { records, funds }
    }

    async fn answer(&self, request: &Request, now: Timestamp) -> records::Result<Answer> {
        let mut write = self.records.write().await?;
        if let Some((asked, answer)) = rows::sandbox_answer(&mut write, &request.key).await? {
            let asked: Request = serde_json::from_str(&asked).map_err(Failure::internal)?;
            return if asked == *request {
                serde_json::from_str(&answer).map_err(Failure::internal)
            } else {
                Ok(Answer {
                    key: request.key.clone(),
                    outcome: Err(Refusal::KeyReused),
                })
            };
        }
        let order = rows::sandbox_order(&mut write, &request.order).await?;
        let order: Option<Order> = order
            .map(|body| serde_json::from_str(&body).map_err(Failure::internal))
            .transpose()?;
        let outcome = match request.act {
            Act::Hold(hold) if hold > self.funds => Err(Refusal::Funds),
            act => Order::apply(order, act),
        };
        let answer = Answer {
            key: request.key.clone(),
            outcome,
        };
        let body = outcome.ok().map(|order| json(&order)).transpose()?;
        let (asked, said) = (json(request)?, json(&answer)?);
        let became = body.as_deref().map(|body| (request.order.as_str(), body));
        let told = (request.key.as_str(), asked.as_str(), said.as_str());
        rows::put_sandbox(&mut write, told, became, now).await?;
        write.commit().await?;
        Ok(answer)
    }
}

fn json<T: serde::Serialize>(body: &T) -> records::Result<String> {
    serde_json::to_string(body).map_err(Failure::internal)
}

impl Till for Play {
    fn name(&self) -> &str {
        "sandbox"
    }

    fn is_play(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, request: &'a Request, now: Timestamp) -> Asked<'a> {
        Box::pin(async move {
            self.answer(request, now).await.map_err(|error| {
                tracing::error!(%error, "the provider that plays one could not answer");
                Silence
            })
        })
    }
}
