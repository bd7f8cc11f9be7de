//! What is answered to what is wrong.
//!
//! | what is wrong | `Ret` |
//! | --- | --- |
//! | no JSON, a member missing or of the wrong form, too long | 4003 |
//! | an operator that is not known | 4003 |
//! | the signature does not fit | 4001 |
//! | no token, an unknown one, one that ended, another partner's | 4002 |
//! | a clock that is too far off | 4003 |
//! | an envelope that was taken before (`TimeStamp` and `Seq`) | 4003 |
//! | the data does not open (base64, length, padding) or is no JSON of the interface | 4004 |
//! | an interface that this side does not have | 4004 |
//! | too many envelopes | −1 |
//! | our own fault | 500 |
//!
//! The signature is judged before anything is decrypted, so that nobody without the key learns what padding is right.

use model::problem::{Both, Told};
use serde::{Deserialize, Serialize};

/// `Ret` (T/CEC 102.4, 返回参数).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum Ret {
    /// −1: busy, ask again later (系统繁忙).
    Busy,
    /// 0: done (请求成功).
    Ok,
    /// 4001: wrong signature (签名错误).
    Signature,
    /// 4002: wrong token (Token 错误).
    Token,
    /// 4003: wrong parameters of the post (POST 参数不合法).
    Envelope,
    /// 4004: wrong parameters of the business (请求的业务参数不合法).
    Business,
    /// 500: the system's own fault (系统错误).
    System,
    /// A number that the standard does not name.
    Other(i64),
}

impl Ret {
    /// The number on the wire.
    pub const fn code(self) -> i64 {
        match self {
            Self::Busy => -1,
            Self::Ok => 0,
            Self::Signature => 4001,
            Self::Token => 4002,
            Self::Envelope => 4003,
            Self::Business => 4004,
            Self::System => 500,
            Self::Other(code) => code,
        }
    }
}

impl From<i64> for Ret {
    fn from(code: i64) -> Self {
        match code {
            -1 => Self::Busy,
            0 => Self::Ok,
            4001 => Self::Signature,
            4002 => Self::Token,
            4003 => Self::Envelope,
            4004 => Self::Business,
            500 => Self::System,
            code => Self::Other(code),
        }
    }
}

impl From<Ret> for i64 {
    fn from(ret: Ret) -> Self {
        ret.code()
    }
}

/// What was wrong with what came in: what is answered, and what our own people are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is answered.
    pub ret: Ret,
    /// What, where, mend.
    pub told: Box<Told>,
}

impl Fault {
    pub(crate) fn new(ret: Ret, code: &str, what: Both, place: &str, mend: Both) -> Self {
        Self {
            ret,
            told: Box::new(refuse(code, what, place, mend)),
        }
    }
}

pub(crate) fn refuse(code: &str, what: Both, place: &str, mend: Both) -> Told {
    Told::new(code, what, place, mend)
}
