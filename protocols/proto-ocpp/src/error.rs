//! How this protocol's problems are told: the error codes as each version spells them, and one constructor for each problem, so
//! that a code is always said with the same sentence.

use crate::config::Version;
use model::problem::{both, quote};
use model::{Problem, Told};
use serde_json::Value;

/// Why a CALL is refused (OCPP-J 1.6 table 7, OCPP-J 2.0.1 table 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The payload is not built as the standard says.
    FormatViolation,
    /// Any other error.
    GenericError,
    /// The receiver failed; the sender may try again.
    InternalError,
    /// A message of an unknown type number; only 2.0.1 can say it.
    MessageTypeNotSupported,
    /// The action is not known.
    NotImplemented,
    /// The action is known and not served.
    NotSupported,
    /// Too few or too many of something.
    OccurrenceConstraintViolation,
    /// A value that is not allowed.
    PropertyConstraintViolation,
    /// The payload is incomplete, or comes when it may not.
    ProtocolError,
    /// Not a remote procedure call; only 2.0.1 can say it.
    RpcFrameworkError,
    /// Not allowed for reasons of security.
    SecurityError,
    /// A value of a wrong type.
    TypeConstraintViolation,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::FormatViolation,
        Self::GenericError,
        Self::InternalError,
        Self::MessageTypeNotSupported,
        Self::NotImplemented,
        Self::NotSupported,
        Self::OccurrenceConstraintViolation,
        Self::PropertyConstraintViolation,
        Self::ProtocolError,
        Self::RpcFrameworkError,
        Self::SecurityError,
        Self::TypeConstraintViolation,
    ];

    /// The word on the wire. 1.6 writes `FormationViolation` and `OccurenceConstraintViolation`, and has no word for two of 2.0.1's.
    pub const fn word(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::FormatViolation, Version::V16) => "FormationViolation",
            (Self::FormatViolation, Version::V201) => "FormatViolation",
            (Self::GenericError, _) => "GenericError",
            (Self::InternalError, _) => "InternalError",
            (Self::MessageTypeNotSupported, Version::V201) => "MessageTypeNotSupported",
            (Self::NotImplemented, _) => "NotImplemented",
            (Self::NotSupported, _) => "NotSupported",
            (Self::OccurrenceConstraintViolation, Version::V16) => "OccurenceConstraintViolation",
            (Self::OccurrenceConstraintViolation, Version::V201) => "OccurrenceConstraintViolation",
            (Self::PropertyConstraintViolation, _) => "PropertyConstraintViolation",
            (Self::ProtocolError, _)
            | (Self::MessageTypeNotSupported | Self::RpcFrameworkError, Version::V16) => {
                "ProtocolError"
            }
            (Self::RpcFrameworkError, Version::V201) => "RpcFrameworkError",
            (Self::SecurityError, _) => "SecurityError",
            (Self::TypeConstraintViolation, _) => "TypeConstraintViolation",
        }
    }

    /// The code of a word, in the spelling of either version: stations mix them. `None` for a word of neither.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| {
            Version::ALL
                .iter()
                .any(|version| code.word(*version) == word && !code.is_borrowed(*version))
        })
    }

    /// Whether the version has no word of its own for it.
    const fn is_borrowed(self, version: Version) -> bool {
        matches!(
            (self, version),
            (
                Self::MessageTypeNotSupported | Self::RpcFrameworkError,
                Version::V16
            )
        )
    }
}

fn told(code: &str, zh: String, en: String, place: &str, mend_zh: &str, mend_en: &str) -> Told {
    Told::new(code, both(zh, en), place, both(mend_zh, mend_en))
}

fn field(code: &str, zh: String, en: String, place: &str) -> Told {
    told(
        code,
        zh,
        en,
        place,
        "请按OCPP标准的报文定义检查充电桩固件",
        "check the station's firmware against the message in the standard",
    )
}

/// A field that must be there is not.
pub fn missing(place: &str) -> Told {
    let en = "the field must be there and is not".to_owned();
    field("ocpp-missing", "缺少必填字段".to_owned(), en, place)
}

/// A field that the standard does not have.
pub fn unknown_field(place: &str) -> Told {
    let en = "the standard has no such field".to_owned();
    field(
        "ocpp-unknown-field",
        "标准中没有该字段".to_owned(),
        en,
        place,
    )
}

/// `null` where the field may be left out.
pub fn null(place: &str) -> Told {
    let en = "the field is null; it may be left out and may not be null".to_owned();
    field(
        "ocpp-null",
        "字段为null；可以省略，不可为null".to_owned(),
        en,
        place,
    )
}

/// A value of a wrong type.
pub fn wrong_type(place: &str, wanted: &str, value: &Value) -> Told {
    let got = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let en = format!("{got} stands where {wanted} must");
    field(
        "ocpp-type",
        format!("类型不符：应为{wanted}，实为{got}"),
        en,
        place,
    )
}

/// A text that is too long.
pub fn too_long(place: &str, length: usize, longest: usize) -> Told {
    let en = format!("the text has {length} characters, and {longest} are allowed");
    let zh = format!("文本有{length}个字符，最多{longest}个");
    field("ocpp-length", zh, en, place)
}

/// A word that is none of the standard's.
pub fn unknown_word(place: &str, text: &str, words: &str) -> Told {
    let text = quote(text);
    let en = format!("\"{text}\" is none of: {}", quote(words));
    let zh = format!("“{text}”不在允许值之内：{}", quote(words));
    field("ocpp-word", zh, en, place)
}

/// A list with too few or too many things.
pub fn count(place: &str, count: usize, from: usize, to: usize) -> Told {
    let en = format!("the list has {count} things, and {from} to {to} are allowed");
    let zh = format!("列表有{count}项，允许{from}至{to}项");
    field("ocpp-count", zh, en, place)
}

/// A text that is no moment.
pub fn no_time(place: &str, text: &str) -> Told {
    let text = quote(text);
    let en = format!("\"{text}\" is no time of RFC 3339");
    field("ocpp-time", format!("“{text}”不是RFC 3339时间"), en, place)
}

/// A number or a word that decides what the message is, out of its range.
pub fn out_of_range(place: &str) -> Told {
    let en = "the value is out of its range".to_owned();
    field("ocpp-range", "取值超出范围".to_owned(), en, place)
}

/// A message that is no call and no answer.
pub fn framing(en: impl Into<String>, zh: impl Into<String>) -> Told {
    told(
        "ocpp-framing",
        zh.into(),
        en.into(),
        "message",
        "报文须为OCPP-J数组：[2,编号,动作,{}]、[3,编号,{}]或[4,编号,错误码,说明,{}]",
        "send [2,id,action,{}], [3,id,{}] or [4,id,code,description,{}]",
    )
}

/// A message above [`crate::Config::message_bytes_max`].
pub fn too_large(bytes: usize, limit: usize) -> Told {
    told(
        "ocpp-too-large",
        format!("报文{bytes}字节，最多{limit}字节"),
        format!("the message has {bytes} bytes, and {limit} are allowed"),
        "message",
        "请分多次发送，或调高 message_bytes_max",
        "send less at once, or raise message_bytes_max",
    )
}

/// An action that is not served.
pub fn action(name: &str, is_known: bool) -> Told {
    let name = quote(name);
    let (code, zh, en) = match is_known {
        true => (
            "ocpp-not-supported",
            "本平台不受理该动作",
            "is not served here",
        ),
        false => (
            "ocpp-not-implemented",
            "标准中没有该动作",
            "is no action of this version",
        ),
    };
    told(
        code,
        format!("{name}：{zh}"),
        format!("{name} {en}"),
        "action",
        "请在充电桩上关闭该功能，或检查协议版本",
        "switch the feature off in the station, or check the version that it speaks",
    )
}

/// A call before the station was accepted.
pub fn not_accepted(action: &str) -> Told {
    let action = quote(action);
    told(
        "ocpp-not-accepted",
        format!("充电桩尚未获准接入，不能发送{action}"),
        format!("the station is not accepted, and may not send {action}"),
        "session",
        "请先在平台登记该充电桩，再由其重新发送BootNotification",
        "register the station, then let it send BootNotification again",
    )
}

/// More calls than may wait, or than the rate allows.
pub fn too_many(en: &str, zh: &str, setting: &str) -> Told {
    Told::new(
        "ocpp-too-many",
        both(zh, en),
        "session",
        both(
            format!("请等待应答后再发，或调高 {setting}"),
            format!("wait for the answers, or raise {setting}"),
        ),
    )
}

/// An answer to no question that was asked.
pub fn no_question(id: &str) -> Told {
    let id = quote(id);
    told(
        "ocpp-no-question",
        format!("应答编号{id}没有对应的请求"),
        format!("the answer {id} belongs to no question that was asked"),
        "message id",
        "请检查充电桩是否重复应答",
        "see whether the station answers twice",
    )
}

/// A command that is not sent, because of what it says.
pub fn command(en: impl Into<String>, zh: impl Into<String>, place: &str) -> Told {
    told(
        "ocpp-command",
        zh.into(),
        en.into(),
        place,
        "请按充电桩的协议版本与取值范围修改命令",
        "stay within what the station's version of OCPP can say",
    )
}

/// A command that was sent and came to nothing.
pub fn command_failed(code: &str, en: impl Into<String>, zh: impl Into<String>) -> Told {
    told(
        code,
        zh.into(),
        en.into(),
        "command",
        "请查看充电桩状态后再决定是否重发",
        "look at the station's state before you send it again",
    )
}

/// An answer of the host that does not fit the question.
pub fn answer(en: impl Into<String>, zh: impl Into<String>) -> Told {
    told(
        "ocpp-answer",
        zh.into(),
        en.into(),
        "answer",
        "请按该事件的种类给出应答",
        "answer each kind of event with the answer of its kind",
    )
}

/// A path that ends in no identity of a station.
pub fn identity(text: &str) -> Told {
    let text = quote(text);
    told(
        "ocpp-identity",
        format!("“{text}”不是充电桩标识"),
        format!("\"{text}\" is no identity of a station"),
        "path",
        "地址末段请填1至48个字母、数字或 * - _ = : + | @ .",
        "let the address end in 1 to 48 letters, digits or * - _ = : + | @ .",
    )
}

/// A header that is no HTTP Basic authorisation.
pub fn authorization() -> Told {
    told(
        "ocpp-authorization",
        "Authorization 头不是 Basic 认证".to_owned(),
        "the Authorization header is not of the form Basic base64(identity:password)".to_owned(),
        "Authorization",
        "请在充电桩中设置 AuthorizationKey（安全档1或2）",
        "set the station's AuthorizationKey, or its BasicAuthPassword (security profile 1 or 2)",
    )
}

/// A thing of the map that nobody registered.
pub fn unregistered(station: &str, outlet: &str) -> Problem {
    Problem::new(
        "ocpp-unregistered",
        format!("station {}{outlet} is not registered", quote(station)),
        "station",
        "register the station and its connectors as charge points",
    )
}

/// A stop of a transaction that the station has no number of.
pub fn unnamed_transaction(id: &str) -> Problem {
    Problem::new(
        "ocpp-unnamed-transaction",
        format!(
            "the station ends the transaction {}, which is no number that a centre gives",
            quote(id)
        ),
        "transactionId",
        "look in the station's records which session it was, and enter its end by hand",
    )
}
