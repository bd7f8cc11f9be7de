//! What is posted and what comes back (T/CEC 102.4-2016). Members that the standard does not name are left alone.

use crate::config::{Keys, Limits, OPERATOR_ID_CHARS};
use crate::error::{Fault, Ret};
use crate::seal;
use model::problem::{Both, both};
use serde::{Deserialize, Serialize};

/// What is posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who posts, 9 characters.
    #[serde(rename = "OperatorID")]
    pub operator_id: String,
    /// The sealed body.
    #[serde(rename = "Data")]
    pub data: String,
    /// When, `yyyyMMddHHmmss`, Beijing time.
    #[serde(rename = "TimeStamp")]
    pub time_stamp: String,
    /// Four digits that count up within a second.
    #[serde(rename = "Seq")]
    pub seq: String,
    /// Signature over the four others, in this order.
    #[serde(rename = "Sig")]
    pub sig: String,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerEnvelope {
    /// How it went.
    #[serde(rename = "Ret")]
    pub ret: Ret,
    /// In words.
    #[serde(rename = "Msg", default)]
    pub msg: String,
    /// The sealed body; empty when there is none.
    #[serde(rename = "Data", default)]
    pub data: String,
    /// Signature over the three others; empty when it is not known whose key to take.
    #[serde(rename = "Sig", default)]
    pub sig: String,
}

fn bad(what: Both, place: &str) -> Fault {
    Fault::new(
        Ret::Envelope,
        "tcec102-envelope",
        what,
        place,
        both(
            "按 T/CEC 102.4 填写五个参数",
            "write the five parameters as T/CEC 102.4 says",
        ),
    )
}

fn too_long(limits: &Limits) -> Fault {
    let most = limits.message_bytes_max;
    bad(
        both(
            format!("报文超过 {most} 字节"),
            format!("the message has more than {most} bytes"),
        ),
        "body",
    )
}

impl Envelope {
    /// Seals and signs a body.
    pub fn seal(keys: &Keys, operator_id: &str, body: &str, time_stamp: &str, seq: &str) -> Self {
        let data = seal::seal(keys, body);
        Self {
            sig: seal::sign(keys, &[operator_id, &data, time_stamp, seq]),
            operator_id: operator_id.to_owned(),
            data,
            time_stamp: time_stamp.to_owned(),
            seq: seq.to_owned(),
        }
    }

    /// Reads what was posted: its form, not yet its signature.
    ///
    /// # Errors
    /// `tcec102-envelope` with 4003.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Fault> {
        if bytes.len() > limits.message_bytes_max {
            return Err(too_long(limits));
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|error| {
            bad(
                both(
                    format!("报文无法读取:{error}"),
                    format!("it does not read: {error}"),
                ),
                "body",
            )
        })?;
        if read.operator_id.chars().count() != OPERATOR_ID_CHARS {
            let n = OPERATOR_ID_CHARS;
            return Err(bad(
                both(format!("须为 {n} 位"), format!("it has {n} characters")),
                "OperatorID",
            ));
        }
        if crate::time::of_envelope(&read.time_stamp).is_none() {
            return Err(bad(
                both("须为 yyyyMMddHHmmss", "it is yyyyMMddHHmmss"),
                "TimeStamp",
            ));
        }
        if read.seq.len() != 4 || !read.seq.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad(both("须为 4 位数字", "it is four digits"), "Seq"));
        }
        Ok(read)
    }

    /// Whether the signature fits.
    pub fn is_signed(&self, keys: &Keys) -> bool {
        let parts = [
            self.operator_id.as_str(),
            &self.data,
            &self.time_stamp,
            &self.seq,
        ];
        seal::is_signed(keys, &parts, &self.sig)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl AnswerEnvelope {
    /// Seals and signs an answer; without keys nothing is sealed and nothing signed.
    pub fn seal(keys: Option<&Keys>, ret: Ret, msg: &str, body: Option<&str>) -> Self {
        let data = match (keys, body) {
            (Some(keys), Some(body)) => seal::seal(keys, body),
            _ => String::new(),
        };
        let code = ret.code().to_string();
        let sig = keys.map(|keys| seal::sign(keys, &[&code, msg, &data]));
        Self {
            ret,
            msg: msg.to_owned(),
            data,
            sig: sig.unwrap_or_default(),
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// `tcec102-envelope`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Fault> {
        if bytes.len() > limits.message_bytes_max {
            return Err(too_long(limits));
        }
        serde_json::from_slice(bytes).map_err(|error| {
            bad(
                both(
                    format!("应答无法读取:{error}"),
                    format!("the answer does not read: {error}"),
                ),
                "body",
            )
        })
    }

    /// Whether the signature fits.
    pub fn is_signed(&self, keys: &Keys) -> bool {
        let code = self.ret.code().to_string();
        seal::is_signed(keys, &[&code, &self.msg, &self.data], &self.sig)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
