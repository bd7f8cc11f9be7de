//! The answering side: every envelope gets an answer, and what is good becomes an [`Asked`] for the host, which answers it with
//! [`Door::answer`]. Tokens and remembered envelopes lie in memory: after a restart partners ask for a token anew, as the standard has it
//! on 4002. An envelope from before the restart can then be sent again within the clock's allowance, with a new token only.

use crate::call::{Call, Reply, no_such_interface, sealed_wrongly};
use crate::config::{Keys, Limits, Partner, Role};
use crate::envelope::{AnswerEnvelope, Envelope};
use crate::error::{Fault, Ret};
use crate::message::{QueryToken, QueryTokenReply, Success};
use crate::time;
use model::Timestamp;
use model::problem::{both, quote};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use subtle::ConstantTimeEq;

/// Random bytes of a token.
pub const TOKEN_BYTES: usize = 32;

/// A door of one side.
#[derive(Debug)]
pub struct Door {
    role: Role,
    limits: Limits,
    partners: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    keys: Keys,
    /// Token and until when it is good, oldest first.
    tokens: VecDeque<(String, Timestamp)>,
    /// `TimeStamp` and `Seq` of what was taken.
    taken: BTreeSet<(Timestamp, String)>,
}

/// What a partner asks, to be answered by the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Who asks.
    pub operator_id: String,
    /// What.
    pub call: Call,
}

/// What came of what was received.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The host answers.
    Asked(Box<Asked>),
    /// This is sent back as it is; HTTP status 200, as the standard answers everything.
    Answer {
        /// The body.
        json: String,
        /// What was wrong, for our own people; none for a token that was given. A token refused in the body has `Ret` 0 here too.
        fault: Option<Fault>,
    },
}

impl Door {
    /// A door for these partners.
    pub fn new(role: Role, partners: impl IntoIterator<Item = Partner>, limits: Limits) -> Self {
        let known = |partner: Partner| {
            let known = Known {
                keys: partner.keys,
                tokens: VecDeque::new(),
                taken: BTreeSet::new(),
            };
            (partner.operator_id, known)
        };
        Self {
            role,
            limits,
            partners: partners.into_iter().map(known).collect(),
        }
    }

    /// Receives what was posted: the last part of the address, the bearer token of the header `Authorization`, and the body. `random` is used
    /// for a token and must be new each time.
    pub fn receive(
        &mut self,
        api: &str,
        bearer: Option<&str>,
        body: &[u8],
        now: Timestamp,
        random: &[u8; TOKEN_BYTES],
    ) -> Received {
        let mut signed_by = None;
        match self.judge(api, bearer, body, now, random, &mut signed_by) {
            Ok(received) => received,
            Err(fault) => {
                let keys = signed_by
                    .as_ref()
                    .and_then(|id: &String| self.partners.get(id))
                    .map(|known| &known.keys);
                let answer = AnswerEnvelope::seal(keys, fault.ret, &fault.told.what.zh, None);
                Received::Answer {
                    json: answer.to_json(),
                    fault: Some(fault),
                }
            }
        }
    }

    fn judge(
        &mut self,
        api: &str,
        bearer: Option<&str>,
        body: &[u8],
        now: Timestamp,
        random: &[u8; TOKEN_BYTES],
        known_as: &mut Option<String>,
    ) -> Result<Received, Fault> {
        let envelope = Envelope::parse(body, &self.limits)?;
        let role = self.role;
        let limits = &self.limits;
        let id = envelope.operator_id.clone();
        let partner = self
            .partners
            .get_mut(&id)
            .ok_or_else(|| unknown_operator(&id))?;
        *known_as = Some(id.clone());
        if !envelope.is_signed(&partner.keys) {
            return Err(wrong_signature());
        }
        if !Call::is_answered_by(api, role) {
            return Err(no_such_interface(api));
        }
        let is_token = api == "query_token";
        if !is_token && !partner.has_token(bearer.unwrap_or_default(), now) {
            return Err(wrong_token());
        }
        partner.take(&envelope, now, limits)?;
        let json = crate::seal::open(&partner.keys, &envelope.data).ok_or_else(sealed_wrongly)?;
        let call = Call::read(api, &json, limits)?;
        let Call::QueryToken(asked) = &call else {
            return Ok(Received::Asked(Box::new(Asked {
                operator_id: id,
                call,
            })));
        };
        let reply = partner.give_token(&id, asked, now, random, limits);
        let is_refused = reply.succ_stat == Success::Failed;
        let body = Reply::QueryToken(reply).to_json();
        let answer = AnswerEnvelope::seal(Some(&partner.keys), Ret::Ok, "", Some(&body));
        Ok(Received::Answer {
            json: answer.to_json(),
            // The partner reads it in the body; our own people count it.
            fault: is_refused.then(wrong_secret),
        })
    }

    /// The answer to what was asked: a reply of the same interface, or why there is none, with a text for the partner.
    pub fn answer(&self, asked: &Asked, reply: Result<&Reply, (Ret, &str)>) -> String {
        let keys = self
            .partners
            .get(&asked.operator_id)
            .map(|known| &known.keys);
        let answer = match reply {
            Ok(reply) if reply.api() == asked.call.api() => {
                AnswerEnvelope::seal(keys, Ret::Ok, "", Some(&reply.to_json()))
            }
            // A reply of another interface is the host's own fault.
            Ok(_) => AnswerEnvelope::seal(keys, Ret::System, "系统错误", None),
            Err((ret, msg)) => AnswerEnvelope::seal(keys, ret, msg, None),
        };
        answer.to_json()
    }
}

impl Known {
    /// Whether a token is one of the partner's and good at `now`. All are compared, each in constant time.
    fn has_token(&self, token: &str, now: Timestamp) -> bool {
        let mut found = false;
        for (own, until) in &self.tokens {
            let is_equal = bool::from(own.as_bytes().ct_eq(token.as_bytes()));
            found |= is_equal && now < *until;
        }
        found
    }

    /// Takes an envelope once.
    fn take(&mut self, envelope: &Envelope, now: Timestamp, limits: &Limits) -> Result<(), Fault> {
        let allowed = limits.clock_off_s_max;
        let at = time::of_envelope(&envelope.time_stamp).ok_or_else(|| clock_off(allowed))?;
        if at < now.plus_seconds(-allowed) || at > now.plus_seconds(allowed) {
            return Err(clock_off(allowed));
        }
        // What is older could not be taken again anyhow.
        let oldest = (now.plus_seconds(-allowed), String::new());
        self.taken = self.taken.split_off(&oldest);
        let key = (at, envelope.seq.clone());
        if self.taken.contains(&key) {
            return Err(repeated());
        }
        if self.taken.len() >= limits.remembered_max {
            return Err(busy());
        }
        self.taken.insert(key);
        Ok(())
    }

    fn give_token(
        &mut self,
        id: &str,
        asked: &QueryToken,
        now: Timestamp,
        random: &[u8; TOKEN_BYTES],
        limits: &Limits,
    ) -> QueryTokenReply {
        let refused = |reason: i64| QueryTokenReply {
            operator_id: asked.operator_id.clone(),
            succ_stat: Success::Failed,
            access_token: String::new(),
            token_available_time: 0,
            fail_reason: reason,
        };
        if asked.operator_id != id {
            return refused(1);
        }
        let secret = self.keys.operator.as_bytes();
        if !bool::from(secret.ct_eq(asked.operator_secret.as_bytes())) {
            return refused(2);
        }
        self.tokens.retain(|(_, until)| now < *until);
        while self.tokens.len() >= limits.tokens_max.max(1) {
            self.tokens.pop_front();
        }
        let token = hex::encode(random);
        self.tokens
            .push_back((token.clone(), now.plus_seconds(limits.token_s)));
        QueryTokenReply {
            operator_id: id.to_owned(),
            succ_stat: Success::Done,
            access_token: token,
            token_available_time: limits.token_s,
            fail_reason: 0,
        }
    }
}

fn unknown_operator(id: &str) -> Fault {
    let id = quote(id);
    Fault::new(
        Ret::Envelope,
        "tcec102-operator",
        both(
            format!("未知的运营商 {id}"),
            format!("the operator {id} is not known"),
        ),
        "OperatorID",
        both(
            "先登记该运营商及其密钥",
            "register the operator with its secrets first",
        ),
    )
}

fn wrong_signature() -> Fault {
    Fault::new(
        Ret::Signature,
        "tcec102-signature",
        both("签名错误", "the signature does not fit"),
        "Sig",
        both(
            "核对签名密钥,及 OperatorID+Data+TimeStamp+Seq 的顺序",
            "check SigSecret, and the order OperatorID+Data+TimeStamp+Seq",
        ),
    )
}

fn wrong_token() -> Fault {
    Fault::new(
        Ret::Token,
        "tcec102-token",
        both("Token 错误或已失效", "the token is wrong or has ended"),
        "Authorization",
        both(
            "用 query_token 重新获取",
            "ask for a new one by query_token",
        ),
    )
}

fn wrong_secret() -> Fault {
    Fault::new(
        Ret::Ok,
        "tcec102-operator-secret",
        both(
            "query_token 的运营商标识或密钥不对",
            "the operator or its secret in query_token is wrong",
        ),
        "OperatorSecret",
        both("核对 OperatorSecret", "check OperatorSecret"),
    )
}

fn clock_off(allowed: i64) -> Fault {
    Fault::new(
        Ret::Envelope,
        "tcec102-clock",
        both(
            format!("时间戳与本方时钟相差超过 {allowed} 秒"),
            format!("the time stamp is more than {allowed} s off our clock"),
        ),
        "TimeStamp",
        both(
            "校准发送方时钟(北京时间)",
            "set the sender's clock (Beijing time)",
        ),
    )
}

fn repeated() -> Fault {
    Fault::new(
        Ret::Envelope,
        "tcec102-repeated",
        both(
            "时间戳与序列号已使用过",
            "this TimeStamp and Seq came before",
        ),
        "Seq",
        both("重发时使用新的序列号", "take a new Seq when sending again"),
    )
}

fn busy() -> Fault {
    Fault::new(
        Ret::Busy,
        "tcec102-busy",
        both("系统繁忙,请稍后再试", "busy, ask again later"),
        "body",
        both("降低请求频率", "ask less often"),
    )
}
