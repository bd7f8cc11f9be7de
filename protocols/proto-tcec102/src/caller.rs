//! The asking side, one call at a time: gets a token where there is none, asks, and on 4002 gets a new token once and asks once more.
//!
//! | waiting for | heard | then |
//! | --- | --- | --- |
//! | a token | a good one | the call is sent |
//! | a token | a refusal | the call is refused |
//! | the call | 0 | replied |
//! | the call | 4002, the first time | a token is asked for |
//! | the call | anything else | refused |

use crate::call::{Call, Reply, sealed_wrongly};
use crate::config::{Keys, Limits};
use crate::envelope::{AnswerEnvelope, Envelope};
use crate::error::{Fault, Ret, refuse};
use crate::message::{QueryToken, Success};
use crate::time;
use model::Timestamp;
use model::problem::{Told, both};

/// Most envelopes in one second: `Seq` has four digits.
const SEQ_MAX: u32 = 9_999;
const SECOND_MICROS: i64 = 1_000_000;

/// What is posted: to `…/evcs/v{n}/{api}`, with `Authorization: Bearer {bearer}` where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The interface.
    pub api: &'static str,
    /// The token.
    pub bearer: Option<String>,
    /// The body, JSON.
    pub body: String,
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// This is posted next.
    Send(Outgoing),
    /// The reply.
    Reply(Reply),
    /// The partner refused.
    Refused {
        /// How.
        ret: Ret,
        /// In its words.
        msg: String,
    },
    /// What came is no answer of the partner's.
    Wrong(Fault),
}

/// Asks one partner.
#[derive(Debug)]
pub struct Caller {
    operator_id: String,
    keys: Keys,
    limits: Limits,
    token: Option<(String, Timestamp)>,
    last_second: i64,
    seq: u32,
    doing: Option<Doing>,
}

#[derive(Clone, Debug)]
struct Doing {
    call: Call,
    waits_for_token: bool,
    was_told_4002: bool,
}

impl Caller {
    /// Asks as `operator_id` with the secrets that the partner gave.
    pub const fn new(operator_id: String, keys: Keys, limits: Limits) -> Self {
        Self {
            operator_id,
            keys,
            limits,
            token: None,
            last_second: i64::MIN,
            seq: 0,
            doing: None,
        }
    }

    /// Whether a call is under way.
    pub const fn is_asking(&self) -> bool {
        self.doing.is_some()
    }

    /// Begins a call; what is posted first.
    ///
    /// # Errors
    /// `tcec102-asking` while another is under way, `tcec102-seq` when the second's numbers are used up.
    pub fn ask(&mut self, call: Call, now: Timestamp) -> Result<Outgoing, Told> {
        if self.doing.is_some() {
            return Err(refuse(
                "tcec102-asking",
                both("上一个请求尚未结束", "another call is under way"),
                "call",
                both("等待应答或放弃后再发", "wait for its answer, or give it up"),
            ));
        }
        let renewed_before = self.limits.token_renewed_before_s;
        let has_token = self
            .token
            .as_ref()
            .is_some_and(|(_, until)| now.plus_seconds(renewed_before) < *until);
        let doing = Doing {
            call,
            waits_for_token: !has_token,
            was_told_4002: false,
        };
        self.post(doing, now)
    }

    /// Gives up the call under way: no answer came.
    pub fn give_up(&mut self) {
        self.doing = None;
    }

    /// Hears the body of an answer.
    ///
    /// # Errors
    /// As [`Caller::ask`], of what would be posted next.
    pub fn hear(&mut self, body: &[u8], now: Timestamp) -> Result<Heard, Told> {
        let Some(mut doing) = self.doing.take() else {
            return Ok(Heard::Wrong(unexpected()));
        };
        let answer = match AnswerEnvelope::parse(body, &self.limits) {
            Ok(answer) => answer,
            Err(fault) => return Ok(Heard::Wrong(fault)),
        };
        // A partner that does not know us signs nothing: such a refusal is taken, but no success.
        let is_unsigned_refusal = answer.ret != Ret::Ok && answer.sig.is_empty();
        if !is_unsigned_refusal && !answer.is_signed(&self.keys) {
            return Ok(Heard::Wrong(wrong_answer_signature()));
        }
        if answer.ret == Ret::Token && !doing.was_told_4002 && !doing.waits_for_token {
            self.token = None;
            doing.was_told_4002 = true;
            doing.waits_for_token = true;
            return self.post(doing, now).map(Heard::Send);
        }
        if answer.ret != Ret::Ok {
            return Ok(Heard::Refused {
                ret: answer.ret,
                msg: answer.msg,
            });
        }
        let api = if doing.waits_for_token {
            "query_token"
        } else {
            doing.call.api()
        };
        let read = crate::seal::open(&self.keys, &answer.data)
            .ok_or_else(sealed_wrongly)
            .and_then(|json| Reply::read(api, &json));
        let reply = match read {
            Ok(reply) => reply,
            Err(fault) => return Ok(Heard::Wrong(fault)),
        };
        match reply {
            Reply::QueryToken(token) if doing.waits_for_token => {
                if token.succ_stat != Success::Done || token.access_token.is_empty() {
                    return Ok(Heard::Refused {
                        ret: Ret::Token,
                        msg: format!("query_token: FailReason {}", token.fail_reason),
                    });
                }
                let until = now.plus_seconds(token.token_available_time);
                self.token = Some((token.access_token, until));
                doing.waits_for_token = false;
                self.post(doing, now).map(Heard::Send)
            }
            reply => Ok(Heard::Reply(reply)),
        }
    }

    fn post(&mut self, doing: Doing, now: Timestamp) -> Result<Outgoing, Told> {
        let token_call;
        let call = if doing.waits_for_token {
            token_call = Call::QueryToken(QueryToken {
                operator_id: self.operator_id.clone(),
                operator_secret: self.keys.operator.clone(),
            });
            &token_call
        } else {
            &doing.call
        };
        let (time_stamp, seq) = self.number(now)?;
        let body = call.to_json();
        let envelope = Envelope::seal(&self.keys, &self.operator_id, &body, &time_stamp, &seq);
        let token = self.token.as_ref().map(|(token, _)| token.clone());
        let outgoing = Outgoing {
            api: call.api(),
            bearer: token.filter(|_| !doing.waits_for_token),
            body: envelope.to_json(),
        };
        self.doing = Some(doing);
        Ok(outgoing)
    }

    /// `TimeStamp` and `Seq`, never the same twice, also when the clock goes back.
    fn number(&mut self, now: Timestamp) -> Result<(String, String), Told> {
        let second = now.micros().div_euclid(SECOND_MICROS);
        if second > self.last_second {
            self.last_second = second;
            self.seq = 0;
        }
        if self.seq >= SEQ_MAX {
            return Err(refuse(
                "tcec102-seq",
                both(
                    "这一秒的序列号已用完",
                    "the numbers of this second are used up",
                ),
                "Seq",
                both("下一秒再发", "send it in the next second"),
            ));
        }
        self.seq += 1;
        let at = Timestamp::from_seconds(self.last_second);
        Ok((time::to_envelope(at), format!("{:04}", self.seq)))
    }
}

fn unexpected() -> Fault {
    Fault::new(
        Ret::System,
        "tcec102-unexpected",
        both("没有等待应答的请求", "no call waits for an answer"),
        "answer",
        both("检查应答是否重复", "see whether the answer came twice"),
    )
}

fn wrong_answer_signature() -> Fault {
    Fault::new(
        Ret::Signature,
        "tcec102-answer-signature",
        both("应答的签名错误", "the answer's signature does not fit"),
        "Sig",
        both(
            "核对签名密钥,及 Ret+Msg+Data 的顺序",
            "check SigSecret, and the order Ret+Msg+Data",
        ),
    )
}
