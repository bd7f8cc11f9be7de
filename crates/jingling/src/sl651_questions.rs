//! What a person can ask of a station of SL 651-2014, or set at it (召测、参数设置), as the standard's messages: 36H to 3AH, 42H to 46H, 4AH, 50H
//! and 51H. What moves something (4CH to 4EH) is a command; what can cut a station off or empties its store (40H, 47H to 49H) is done at
//! the station.

use api::command_office::NotCarried;
use api::device_questions::{DeviceAskable, DeviceAskableCode, DeviceAsked};
use proto_sl651::element::{self, Decimal, Element, Identifier};
use proto_sl651::message::function;
use proto_sl651::time::HourTime;
use proto_sl651::{Command, Config, table};

/// Leader of a time step (时间步长码).
const STEP: u8 = 0x04;
/// Longest step of a period, in minutes: a day.
const STEP_MINUTES_MAX: u32 = 24 * 60;
/// How far a number may be from its last digit, in units of that digit: binary fractions are not exact.
const SLACK: f64 = 1e-6;

/// Names of what can be asked with nothing said, and its function.
const PLAIN: [(&str, u8); 9] = [
    ("now", function::ASK_NOW),
    ("status", function::ASK_STATUS),
    ("clock", function::ASK_CLOCK),
    ("clock-set", function::SET_CLOCK),
    ("version", function::ASK_VERSION),
    ("events", function::ASK_EVENTS),
    ("manual", function::ASK_MANUAL),
    ("pump", function::ASK_PUMP),
    ("picture", function::PICTURE),
];
const ELEMENTS: &str = "elements";
const PERIOD: &str = "period";
const RUNNING_READ: &str = "running-read";
const RUNNING_SET: &str = "running-set";

/// Running parameters (运行参数, table D.4) whose form is one number: first code, last code, bytes, decimals.
const RUNNING: [(u8, u8, u8, u8); 10] = [
    (0x20, 0x22, 1, 0),
    (0x23, 0x23, 2, 0),
    (0x24, 0x24, 1, 0),
    (0x25, 0x26, 1, 1),
    (0x27, 0x27, 1, 0),
    (0x28, 0x2F, 4, 3),
    (0x30, 0x37, 3, 3),
    (0x38, 0x3F, 2, 2),
    (0x40, 0x40, 2, 2),
    (0x41, 0x41, 2, 2),
];

fn running() -> impl Iterator<Item = Identifier> {
    RUNNING
        .into_iter()
        .flat_map(|(first, last, bytes, decimals)| {
            (first..=last).map(move |code| Identifier::new(code, bytes, decimals))
        })
}

/// An element of table C.1 as it is asked for.
fn identifier(known: &table::Known) -> Identifier {
    Identifier::new(known.code, known.digits.div_ceil(2), known.decimals)
}

/// All that can be asked of a station.
pub fn all() -> Vec<DeviceAskable> {
    let one = |name, code, takes, codes| {
        let (zh, en) = function::name(code);
        DeviceAskable {
            name,
            title_zh: zh.to_owned(),
            title_en: en.to_owned(),
            changes: matches!(code, function::SET_CLOCK | function::SET_RUNNING),
            takes,
            codes,
        }
    };
    let elements: Vec<DeviceAskableCode> = table::KNOWN
        .iter()
        .map(|known| DeviceAskableCode {
            code: format!("{:02X}", known.code),
            title_zh: known.name_zh.to_owned(),
            unit: model::unit::find(known.unit)
                .and_then(|unit| unit.symbols.first())
                .map_or_else(String::new, |&symbol| symbol.to_owned()),
            decimals: known.decimals,
        })
        .collect();
    let parameters: Vec<DeviceAskableCode> = running()
        .map(|identifier| {
            let (title_zh, unit) = table::parameter(identifier.leader);
            DeviceAskableCode {
                code: format!("{:02X}", identifier.leader),
                title_zh,
                unit: unit.to_owned(),
                decimals: identifier.decimals(),
            }
        })
        .collect();
    let plain = PLAIN.map(|(name, code)| one(name, code, "nothing", Vec::new()));
    let rest = [
        one(ELEMENTS, function::ASK_ELEMENTS, "codes", elements.clone()),
        one(
            PERIOD,
            function::ASK_PERIOD,
            "one-code-and-period",
            elements,
        ),
        one(
            RUNNING_READ,
            function::READ_RUNNING,
            "codes",
            parameters.clone(),
        ),
        one(RUNNING_SET, function::SET_RUNNING, "values", parameters),
    ];
    plain.into_iter().chain(rest).collect()
}

fn no_code(code: &str) -> NotCarried {
    NotCarried::said_wrongly(
        &format!("标准里没有编码为 {code} 的一个数值的要素或参数"),
        &format!("the standard has no element or parameter {code} that is one number"),
        "编码见 GET 同一地址的 codes",
        "GET the same address lists the codes",
    )
}

fn byte(code: &str) -> Result<u8, NotCarried> {
    u8::from_str_radix(code, 16).map_err(|_| no_code(code))
}

fn elements(codes: &[String]) -> Result<Vec<Identifier>, NotCarried> {
    let known = |code: &String| {
        let known = table::by_code(byte(code)?);
        known.map(identifier).ok_or_else(|| no_code(code))
    };
    codes.iter().map(known).collect()
}

fn parameter(code: &str) -> Result<Identifier, NotCarried> {
    let leader = byte(code)?;
    let found = running().find(|identifier| identifier.leader == leader);
    found.ok_or_else(|| no_code(code))
}

/// A parameter with the number that it is set to.
fn set(code: &str, value: f64) -> Result<Element, NotCarried> {
    let identifier = parameter(code)?;
    let decimals = identifier.decimals();
    let unscaled = value * 10_f64.powi(i32::from(decimals));
    let bytes = identifier.data_bytes();
    let is_whole = (unscaled - unscaled.round()).abs() <= SLACK && unscaled.abs() < 1e15;
    let said = is_whole.then_some(Decimal {
        unscaled: unscaled.round() as i64,
        decimals,
    });
    let element =
        said.and_then(|value| Element::number(identifier.leader, u8::try_from(bytes).ok()?, value));
    element.ok_or_else(|| {
        let digits = bytes * 2;
        NotCarried::said_wrongly(
            &format!("参数 {code} 写不下 {value}：共 {digits} 位，其中 {decimals} 位小数"),
            &format!("parameter {code} cannot be {value}: it has {digits} digits, {decimals} of them behind the point"),
            "请换一个数",
            "give another number",
        )
    })
}

/// The message that asks it, and its function.
///
/// # Errors
/// What was said with it does not make such a message.
pub fn message(asked: &DeviceAsked) -> Result<(u8, Command), NotCarried> {
    if let Some((_, code)) = PLAIN.iter().find(|(name, _)| *name == asked.question) {
        return Ok((*code, Command::Plain));
    }
    match asked.question.as_str() {
        ELEMENTS if !asked.codes.is_empty() => Ok((
            function::ASK_ELEMENTS,
            Command::Ask(elements(&asked.codes)?),
        )),
        PERIOD if asked.codes.len() == 1 => {
            let (from, to) = asked.period()?;
            let minutes = asked.step_minutes.unwrap_or(60);
            if !(1..=STEP_MINUTES_MAX).contains(&minutes) {
                return Err(NotCarried::said_wrongly(
                    &format!("步长 {minutes} 分钟不在 1 到 {STEP_MINUTES_MAX} 之间"),
                    &format!("a step of {minutes} minutes is not within 1 to {STEP_MINUTES_MAX}"),
                    "请换一个步长",
                    "give another step_minutes",
                ));
            }
            let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
            let digits = (days * 100 + hours) * 100 + minutes % 60;
            let offset = Config::default().utc_offset_hours;
            Ok((
                function::ASK_PERIOD,
                Command::Period {
                    from: HourTime::of(from, offset),
                    to: HourTime::of(to, offset),
                    step: Element::hex(
                        Identifier::new(STEP, 3, 0),
                        &element::put_bcd(i64::from(digits), 3).unwrap_or_default(),
                    ),
                    elements: elements(&asked.codes)?,
                },
            ))
        }
        RUNNING_READ => {
            let named: Result<Vec<_>, _> = asked.codes.iter().map(|code| parameter(code)).collect();
            let named = match named? {
                none if none.is_empty() => running()
                    .filter(|one| !matches!(one.leader, 0x29..=0x2F | 0x31..=0x37 | 0x39..=0x3F))
                    .collect(),
                named => named,
            };
            Ok((function::READ_RUNNING, Command::Ask(named)))
        }
        RUNNING_SET if !asked.values.is_empty() => {
            let all: Result<Vec<_>, _> = asked
                .values
                .iter()
                .map(|(code, value)| set(code, *value))
                .collect();
            Ok((function::SET_RUNNING, Command::Set(all?)))
        }
        _ => Err(NotCarried::said_wrongly(
            "没有说问哪些：指定要素要 codes，时段数据要一个 code，设参数要 values",
            "it does not say which: elements need codes, a period needs one, setting needs values",
            "补上再问",
            "say which, and ask again",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &str) -> DeviceAsked {
        DeviceAsked {
            question: question.to_owned(),
            ..DeviceAsked::default()
        }
    }

    #[test]
    fn every_question_that_is_offered_makes_a_message() {
        for offered in all() {
            let mut one = asked(offered.name);
            let first = offered.codes.first().map(|code| code.code.clone());
            match offered.takes {
                "nothing" => {}
                "values" => one.values = first.into_iter().map(|code| (code, 1.0)).collect(),
                "codes" => one.codes = first.into_iter().collect(),
                _ => {
                    one.codes = first.into_iter().collect();
                    one.from = Some("2026-07-01T08:00:00+08:00".to_owned());
                    one.to = Some("2026-07-02T08:00:00+08:00".to_owned());
                }
            }
            assert!(message(&one).is_ok(), "{}", offered.name);
        }
    }

    #[test]
    fn parameters_are_written_as_in_the_standards_example() {
        let values = [
            ("20", 1.0),
            ("23", 300.0),
            ("25", 1.0),
            ("28", 10.0),
            ("30", 0.2),
            ("41", 0.2),
        ];
        let one = DeviceAsked {
            values: values.map(|(code, value)| (code.to_owned(), value)).into(),
            ..asked("running-set")
        };
        let (code, Command::Set(set)) = message(&one).unwrap() else {
            panic!("another message");
        };
        assert_eq!(code, 0x42);
        let written: Vec<String> = set
            .iter()
            .map(|element| {
                let mut out = Vec::new();
                element.identifier.put(&mut out);
                let proto_sl651::element::Data::Hex(data) = &element.data else {
                    panic!("not HEX/BCD");
                };
                out.extend(data);
                out.iter().map(|byte| format!("{byte:02X}")).collect()
            })
            .collect();
        assert_eq!(
            written,
            [
                "200801",
                "23100300",
                "250910",
                "282300010000",
                "301B000200",
                "41120020"
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_told_and_not_sent() {
        let set = |code: &str, value: f64| DeviceAsked {
            values: [(code.to_owned(), value)].into(),
            ..asked("running-set")
        };
        let codes = |question: &str, codes: &[&str]| DeviceAsked {
            codes: codes.iter().map(|&code| code.to_owned()).collect(),
            ..asked(question)
        };
        let wrong = [
            set("20", 100.0),
            set("20", 0.5),
            set("28", f64::NAN),
            set("03", 1.0),
            set("zz", 1.0),
            asked("running-set"),
            codes("elements", &[]),
            codes("elements", &["F4"]),
            codes("period", &["39"]),
            codes("running-read", &["01"]),
            asked("factory-reset"),
        ];
        for one in wrong {
            let not = message(&one).unwrap_err();
            assert!(
                !not.may_be_done && not.why.code == "device-question",
                "{one:?}"
            );
        }
    }
}
