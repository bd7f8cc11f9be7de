//! Bytes ⇄ frames: the arrays of OCPP-J (1.6: section 4.2; 2.0.1: part 4, section 4.2). A WebSocket message is one frame, so there is
//! neither half a frame nor a foreign one.
//!
//! | frame | array |
//! | --- | --- |
//! | CALL | `[2, "id", "Action", {}]` |
//! | CALLRESULT | `[3, "id", {}]` |
//! | CALLERROR | `[4, "id", "Code", "description", {}]` |

use crate::config::{Config, Version};
use crate::error::{self, ErrorCode};
use model::Told;
use serde_json::{Value, json};

/// Characters of a message id (OCPP-J 1.6, 4.1.4; 2.0.1, part 4, 4.1.4).
pub const ID_CHARS_MAX: usize = 36;
/// Characters of a longer id that is still given back, so that the station knows what is refused.
const ID_ECHOED_CHARS_MAX: usize = 255;
/// The id of an answer to what has none (OCPP-J 2.0.1, part 4, 4.2.3).
pub const NO_ID: &str = "-1";
/// Characters of an error's description (OCPP-J 2.0.1, part 4, 4.2.3).
const DESCRIPTION_CHARS_MAX: usize = 255;
const CALL: u64 = 2;
const CALL_RESULT: u64 = 3;
const CALL_ERROR: u64 = 4;

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A question.
    Call {
        /// Its id.
        id: String,
        /// What is asked.
        action: String,
        /// With which words.
        payload: Value,
    },
    /// An answer.
    Result {
        /// The question's id.
        id: String,
        /// The answer.
        payload: Value,
    },
    /// A refusal.
    Error {
        /// The question's id.
        id: String,
        /// The code as it was written.
        code: String,
        /// For people; may be empty.
        description: String,
        /// Anything more.
        details: Value,
    },
}

/// Bytes that are no frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// Whose answer would be expected; `None` when the id cannot be read.
    pub id: Option<String>,
    /// The code to answer with.
    pub code: ErrorCode,
    /// Whether it was meant as a CALL, as far as one can see. An answer is never answered.
    pub is_call: bool,
    /// What is wrong.
    pub told: Told,
}

/// Reads one WebSocket message.
///
/// # Errors
/// [`Unreadable`], with the code to be answered.
pub fn decode(bytes: &[u8], config: &Config) -> Result<Frame, Unreadable> {
    let unreadable = |id: Option<&str>, code, is_call, told| Unreadable {
        id: id
            .filter(|id| id.chars().count() <= ID_ECHOED_CHARS_MAX)
            .map(str::to_owned),
        code,
        is_call,
        told,
    };
    let rpc = |id: Option<&str>, is_call, en: &str, zh: &str| {
        unreadable(
            id,
            ErrorCode::RpcFrameworkError,
            is_call,
            error::framing(en, zh),
        )
    };
    if bytes.len() > config.message_bytes_max {
        let told = error::too_large(bytes.len(), config.message_bytes_max);
        return Err(unreadable(None, ErrorCode::RpcFrameworkError, true, told));
    }
    let items = match serde_json::from_slice(bytes) {
        Ok(Value::Array(items)) => items,
        Ok(_) => return Err(rpc(None, true, "the message is no array", "报文不是数组")),
        Err(e) => {
            let told = error::framing(format!("the message is no JSON: {e}"), "报文不是JSON");
            return Err(unreadable(None, ErrorCode::RpcFrameworkError, true, told));
        }
    };
    let mut items = items.into_iter();
    let (kind, id) = (items.next(), items.next());
    let kind = kind.as_ref().and_then(Value::as_u64);
    let id = id.as_ref().and_then(Value::as_str);
    let is_call = !matches!(kind, Some(CALL_RESULT | CALL_ERROR));
    match kind {
        Some(CALL | CALL_RESULT | CALL_ERROR) => {}
        Some(other) => {
            let told = error::framing(
                format!("{other} is no type of message"),
                format!("没有编号为{other}的报文类型"),
            );
            let code = ErrorCode::MessageTypeNotSupported;
            return Err(unreadable(id, code, true, told));
        }
        None => {
            let en = "the message does not begin with its type";
            return Err(rpc(id, true, en, "报文没有类型编号"));
        }
    }
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Err(rpc(None, is_call, "the message has no id", "报文没有编号"));
    };
    if id.chars().count() > ID_CHARS_MAX {
        let en = "the message id has more than 36 characters";
        return Err(rpc(Some(id), is_call, en, "报文编号超过36个字符"));
    }
    let rest: Vec<Value> = items.take(4).collect();
    let id_text = id.to_owned();
    match (kind, rest.as_slice()) {
        (Some(CALL), [Value::String(action), payload]) => Ok(Frame::Call {
            id: id_text,
            action: action.clone(),
            payload: payload.clone(),
        }),
        (Some(CALL_RESULT), [payload]) => Ok(Frame::Result {
            id: id_text,
            payload: payload.clone(),
        }),
        // Stations leave the description or the details out.
        (Some(CALL_ERROR), [Value::String(code), more @ ..]) if more.len() <= 2 => {
            Ok(Frame::Error {
                id: id_text,
                code: code.clone(),
                description: more
                    .first()
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                details: more.get(1).cloned().unwrap_or_else(|| json!({})),
            })
        }
        _ => {
            let en = "the message has too few or too many parts, or parts of a wrong type";
            Err(rpc(Some(id), is_call, en, "报文的组成部分数量或类型不对"))
        }
    }
}

/// Writes one frame; members in the order of their names, whatever features the build has, so that the same is written the same.
pub fn encode(frame: &Frame) -> String {
    let mut array = match frame {
        Frame::Call {
            id,
            action,
            payload,
        } => json!([CALL, id, action, payload]),
        Frame::Result { id, payload } => json!([CALL_RESULT, id, payload]),
        Frame::Error {
            id,
            code,
            description,
            details,
        } => json!([CALL_ERROR, id, code, description, details]),
    };
    array.sort_all_objects();
    array.to_string()
}

/// The refusal of a CALL, with its reason in words.
pub fn refusal(id: &str, code: ErrorCode, told: &Told, version: Version) -> Frame {
    Frame::Error {
        id: id.to_owned(),
        code: code.word(version).to_owned(),
        description: told.what.en.chars().take(DESCRIPTION_CHARS_MAX).collect(),
        details: json!({ "code": told.code, "place": told.place.en, "mend": told.mend.en }),
    }
}
