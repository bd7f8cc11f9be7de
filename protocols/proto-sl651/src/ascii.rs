//! Bodies in ASCII (6.6.2): serial number and time without a space behind them, then words and texts, each followed by one
//! space. Pictures and what a person typed in stay as they are (6.4.1). Functions whose bodies hold no elements (45H to 51H)
//! are read as hexadecimal digits of what HEX/BCD would hold.

use crate::config::Config;
use crate::decode::Cursor;
use crate::element::{self, Data, Element, Identifier};
use crate::error;
use crate::frame::{Direction, ENQ, Frame, Station};
use crate::message::{Body, Command, Entry, Gates, Picture, Section, function};
use crate::table;
use crate::time::{Bcd, SentTime};
use model::Problem;

/// Words of elements that are no single number, with their leaders.
const WORDS: [(&str, u8); 12] = [
    ("DRP", element::RAIN_HOUR),
    ("DRZ1", element::STAGE_HOUR),
    ("DRZ2", 0xF6),
    ("DRZ3", 0xF7),
    ("DRZ4", 0xF8),
    ("DRZ5", 0xF9),
    ("DRZ6", 0xFA),
    ("DRZ7", 0xFB),
    ("DRZ8", element::STAGE_HOUR_LAST),
    ("DATA", element::VELOCITIES),
    ("ZT", element::STATUS),
    ("NH3N", 0x4C),
];

/// The leader of an ASCII identifier of annex C.
pub fn leader(word: &str) -> Option<u8> {
    let named = WORDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    match named {
        Some((_, leader)) => Some(*leader),
        None => table::by_ascii(word).map(|known| known.code),
    }
}

/// The ASCII identifier of a leader.
pub fn word(leader: u8) -> Option<&'static str> {
    let named = WORDS.iter().find(|(_, code)| *code == leader);
    match named {
        Some((name, _)) if leader != 0x4C => Some(name),
        _ => table::by_code(leader).map(|known| known.ascii),
    }
}

/// Serial number and time, when they are there.
pub(crate) fn serial_and_time(at: &mut Cursor<'_>) -> Option<(u16, SentTime)> {
    let mut serial = [0; 2];
    hex::decode_to_slice(at.take(4)?, &mut serial).ok()?;
    Some((u16::from_be_bytes(serial), Bcd::of_digits(at.take(12)?)?))
}

fn cut(what: &str) -> Problem {
    error::body(
        "sl651-body-cut",
        format!("the body ends before {what}, or that does not read"),
        format!("body, {what}"),
    )
}

pub(crate) fn body(
    frame: &Frame,
    config: &Config,
    warnings: &mut Vec<Problem>,
) -> Result<(u16, SentTime, Body), Problem> {
    let mut at = Cursor(&frame.body);
    let (serial, sent) = serial_and_time(&mut at).ok_or_else(|| cut("serial number and time"))?;
    let body = match frame.direction {
        Direction::Up => up(frame.function, &mut at, config, warnings)?,
        Direction::Down if frame.end != ENQ && at.0.is_empty() => Body::Empty,
        Direction::Down if frame.end != ENQ => Body::Unread(at.rest().to_vec()),
        Direction::Down => {
            let whole = at.0;
            let command = command(frame.function, &mut at).filter(|_| at.0.is_empty());
            Body::Command(command.unwrap_or_else(|| Command::Other(whole.to_vec())))
        }
    };
    Ok((serial, sent, body))
}

/// The text up to the next space, and the space; the rest when there is no space any more.
fn next<'b>(at: &mut Cursor<'b>) -> Option<&'b str> {
    if at.0.is_empty() {
        return None;
    }
    let end =
        at.0.iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(at.0.len());
    let text = at.take(end)?;
    at.skip(b" ");
    std::str::from_utf8(text).ok()
}

fn digits(at: &mut Cursor<'_>) -> Option<Vec<u8>> {
    hex::decode(next(at)?).ok()
}

fn number<const N: usize>(at: &mut Cursor<'_>) -> Option<[u8; N]> {
    digits(at)?.try_into().ok()
}

fn address(at: &mut Cursor<'_>) -> Result<Station, Problem> {
    let found = at.skip(b"ST ").then(|| number(at)).flatten();
    found
        .map(Station)
        .ok_or_else(|| cut("ST and the station's address"))
}

fn class(at: &mut Cursor<'_>) -> Option<u8> {
    match next(at)?.as_bytes() {
        [class] => Some(*class),
        _ => None,
    }
}

fn up(
    code: u8,
    at: &mut Cursor<'_>,
    config: &Config,
    warnings: &mut Vec<Problem>,
) -> Result<Body, Problem> {
    Ok(match code {
        function::KEEP_ALIVE if at.0.is_empty() => Body::Empty,
        function::TEST..=function::HOURLY
        | function::ASK_NOW
        | function::ASK_PERIOD
        | function::ASK_ELEMENTS
        | function::ASK_PUMP
        | function::ASK_STATUS
        | function::SET_IC_CARD => Body::Report(report(code, at, config, warnings)),
        function::MANUAL | function::ASK_MANUAL => {
            if !at.skip(b"RGZS ") {
                return Err(cut("RGZS and what a person typed in"));
            }
            Body::Manual(at.rest().to_vec())
        }
        function::PICTURE => {
            let station = address(at)?;
            let class = class(at).ok_or_else(|| cut("the station's class"))?;
            let observed = at.skip(b"TT ").then(|| number(at)).flatten();
            let observed = Bcd(observed.ok_or_else(|| cut("TT and the time of observation"))?);
            if !at.skip(b"PIC ") {
                return Err(cut("PIC and the picture"));
            }
            let jpeg = at.rest().to_vec();
            Body::Picture(Picture {
                station,
                class,
                observed,
                jpeg,
            })
        }
        function::SET_BASIC..=function::READ_RUNNING => {
            let station = address(at)?;
            let mut parameters = Vec::new();
            while !at.0.is_empty() && parameters.len() < config.elements_max {
                parameters.push(parameter(at).ok_or_else(|| cut("a parameter"))?);
            }
            Body::Parameters {
                station,
                parameters,
            }
        }
        function::ASK_VERSION => {
            let station = address(at)?;
            let [_length] = number(at).ok_or_else(|| cut("the version's length"))?;
            let text = at.rest();
            let text = text.strip_suffix(b" ").unwrap_or(text).to_vec();
            Body::Version { station, text }
        }
        function::CLEAR_STORE
        | function::FACTORY_RESET
        | function::SET_CLOCK
        | function::ASK_CLOCK => Body::Done {
            station: address(at)?,
        },
        function::SET_PASSWORD => {
            let station = address(at)?;
            let password = at.skip(b"03 ").then(|| number(at)).flatten();
            let password = password.ok_or_else(|| cut("the new password"))?;
            let password = u16::from_be_bytes(password);
            Body::Password { station, password }
        }
        function::PUMPS | function::VALVES => {
            let station = address(at)?;
            let states = switches(at).ok_or_else(|| cut("the switches' states"))?;
            Body::Switches { station, states }
        }
        function::GATES => {
            let station = address(at)?;
            let gates = gates(at).ok_or_else(|| cut("the gates' states and openings"))?;
            Body::Gates { station, gates }
        }
        function::QUOTA => {
            let station = address(at)?;
            let [on] = number(at).ok_or_else(|| cut("whether the quota holds"))?;
            Body::Quota {
                station,
                is_on: on != 0,
            }
        }
        function::ASK_EVENTS => {
            let station = address(at)?;
            let counts = digits(at).ok_or_else(|| cut("the events' counts"))?;
            let (pairs, _) = counts.as_chunks::<2>();
            let counts = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            Body::Events { station, counts }
        }
        _ => Body::Unread(at.rest().to_vec()),
    })
}

fn switches(at: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let [_bytes] = number(at)?;
    digits(at)
}

fn gates(at: &mut Cursor<'_>) -> Option<Gates> {
    let [count] = number(at)?;
    let states = digits(at)?;
    let openings_cm = (0..count).map(|_| next(at)?.parse().ok());
    Some(Gates {
        count,
        states,
        openings_cm: openings_cm.collect::<Option<_>>()?,
    })
}

fn parameter(at: &mut Cursor<'_>) -> Option<Element> {
    let [leader] = number(at)?;
    let text = next(at)?;
    Some(Element {
        identifier: Identifier::new(leader, 0, 0),
        word: Some(format!("{leader:02X}")),
        data: Data::Ascii(text.to_owned()),
    })
}

/// An element by its word; its data are filled in by whoever reads on.
fn element(word: &str, data: &str) -> Element {
    let leader = leader(word);
    Element {
        identifier: Identifier::new(leader.unwrap_or_default(), 0, 0),
        word: leader.is_none().then(|| word.to_owned()),
        data: Data::Ascii(data.to_owned()),
    }
}

/// `DRH01`: a time step, as the six digits that HEX/BCD writes.
fn step(word: &str) -> Option<Element> {
    let nn = word.strip_prefix("DR")?;
    let (kind, nn) = nn.split_at_checked(1)?;
    if nn.len() != 2 || !nn.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = match kind {
        "D" => format!("{nn}0000"),
        "H" => format!("00{nn}00"),
        "N" => format!("0000{nn}"),
        _ => return None,
    };
    Some(Element {
        identifier: Identifier::new(element::STEP, 3, 0),
        word: Some(word.to_owned()),
        data: Data::Ascii(digits),
    })
}

fn is_element(word: &str) -> bool {
    leader(word).is_some()
}

fn report(
    code: u8,
    at: &mut Cursor<'_>,
    config: &Config,
    warnings: &mut Vec<Problem>,
) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut elements = 0;
    while !at.0.is_empty() {
        let before = at.0;
        elements += 1;
        let read = match elements > config.elements_max {
            true => None,
            false => entry(code, at, config),
        };
        match read {
            Some(Found::Section(section)) => sections.push(section),
            Some(Found::Entry(entry)) => push(&mut sections, entry),
            None => {
                at.0 = &[];
                let bytes = before.len();
                let (code, what) = match elements > config.elements_max {
                    true => ("sl651-elements", "more elements than elements_max"),
                    false => ("sl651-element-cut", "no word with a text behind it"),
                };
                warnings.push(error::body(
                    code,
                    format!("{what}: the last {bytes} bytes were not read"),
                    "body, end",
                ));
                push(&mut sections, Entry::Rest(before.to_vec()));
            }
        }
    }
    sections
}

fn push(sections: &mut Vec<Section>, entry: Entry) {
    if sections.is_empty() {
        sections.push(Section::default());
    }
    if let Some(section) = sections.last_mut() {
        section.entries.push(entry);
    }
}

enum Found {
    Section(Section),
    Entry(Entry),
}

fn entry(code: u8, at: &mut Cursor<'_>, config: &Config) -> Option<Found> {
    let word = next(at)?;
    if word.eq_ignore_ascii_case("ST") {
        let station = Some(Station(number(at)?));
        let class = match function::has_class(code) {
            true => Some(class(at)?),
            false => None,
        };
        return Some(Found::Section(Section {
            station,
            class,
            entries: Vec::new(),
        }));
    }
    if word.eq_ignore_ascii_case("TT") {
        return Some(Found::Entry(Entry::Observed(Bcd(number(at)?))));
    }
    let Some(step) = step(word) else {
        return Some(Found::Entry(Entry::Element(element(word, next(at)?))));
    };
    let mut columns = Vec::new();
    while columns.len() < config.elements_max {
        let before = at.0;
        match next(at).filter(|word| is_element(word)) {
            Some(word) => columns.push(element(word, "")),
            None => {
                at.0 = before;
                break;
            }
        }
    }
    let mut rows = Vec::new();
    let fill = |column: &Element, text: &str| Element {
        data: Data::Ascii(text.to_owned()),
        ..column.clone()
    };
    while !at.0.is_empty() && !columns.is_empty() && rows.len() < config.elements_max {
        let row: Option<Vec<Element>> = columns
            .iter()
            .map(|column| next(at).map(|text| fill(column, text)))
            .collect();
        rows.push(row?);
    }
    Some(Found::Entry(Entry::Series {
        step,
        columns,
        rows,
    }))
}

fn command(code: u8, at: &mut Cursor<'_>) -> Option<Command> {
    let identifier = |word: &str| leader(word).map(|leader| Identifier::new(leader, 0, 0));
    Some(match code {
        function::ASK_PERIOD => {
            let (from, to) = (Bcd(number(at)?), Bcd(number(at)?));
            let step = step(next(at)?)?;
            let mut elements = Vec::new();
            while !at.0.is_empty() {
                elements.push(identifier(next(at)?)?);
            }
            Command::Period {
                from,
                to,
                step,
                elements,
            }
        }
        function::ASK_ELEMENTS => {
            let mut elements = Vec::new();
            while !at.0.is_empty() {
                elements.push(identifier(next(at)?)?);
            }
            Command::Ask(elements)
        }
        function::READ_BASIC | function::READ_RUNNING => {
            let mut elements = Vec::new();
            while !at.0.is_empty() {
                let [leader] = number(at)?;
                elements.push(Identifier::new(leader, 0, 0));
            }
            Command::Ask(elements)
        }
        function::SET_BASIC | function::SET_RUNNING => {
            let mut parameters = Vec::new();
            while !at.0.is_empty() {
                parameters.push(parameter(at)?);
            }
            Command::Set(parameters)
        }
        function::CLEAR_STORE => at.skip(b"97 ").then_some(Command::ClearStore)?,
        function::FACTORY_RESET => at.skip(b"98 ").then_some(Command::FactoryReset)?,
        function::SET_PASSWORD => {
            let mut password = || {
                let found = at.skip(b"03 ").then(|| number(at)).flatten();
                found.map(u16::from_be_bytes)
            };
            Command::Password {
                old: password()?,
                new: password()?,
            }
        }
        function::SET_IC_CARD => {
            let word = at.skip(b"ZT ").then(|| number(at)).flatten()?;
            Command::IcCard(u32::from_be_bytes(word))
        }
        function::PUMPS | function::VALVES => Command::Switches(switches(at)?),
        function::GATES => Command::Gates(gates(at)?),
        function::QUOTA => {
            let [on] = number(at)?;
            Command::Quota(on != 0)
        }
        _ => Command::Plain,
    })
}
