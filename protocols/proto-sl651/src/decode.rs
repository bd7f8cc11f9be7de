//! Body → message, for HEX/BCD; ASCII bodies are read by [`crate::ascii`] into the same messages. A body of which only a part
//! can be read gives that part, the rest as it came, and a warning.

use crate::ascii;
use crate::config::Config;
use crate::element::{self, Element, Identifier, Reading};
use crate::error;
use crate::frame::{Direction, ENQ, Encoding, Frame, Station};
use crate::message::{Body, Command, Entry, Gates, Message, Picture, Section, function};
use crate::time::{Bcd, SentTime};
use model::Problem;

/// Bytes with a place; every take is checked.
pub(crate) struct Cursor<'b>(pub &'b [u8]);

impl<'b> Cursor<'b> {
    pub fn take(&mut self, bytes: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    pub fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }
    pub fn rest(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.0)
    }
    pub fn skip(&mut self, mark: &[u8]) -> bool {
        let found = self.0.strip_prefix(mark);
        self.0 = found.unwrap_or(self.0);
        found.is_some()
    }
}

/// Reads the body of a whole message: of a single frame, or of one that [`crate::assembly`] put together, in how many packets.
/// Gives what is odd about it beside it.
///
/// # Errors
/// A body that is too short, or whose fixed parts are not there.
pub fn message(
    frame: &Frame,
    packets: Option<u16>,
    config: &Config,
) -> Result<(Message, Vec<Problem>), Problem> {
    let mut warnings = Vec::new();
    let (serial, sent, body) = match frame.encoding {
        Encoding::Hex => {
            let mut at = Cursor(&frame.body);
            let (Some(serial), Some(sent)) = (at.array(), at.array()) else {
                return Err(error::body(
                    "sl651-body-too-short",
                    format!(
                        "the body has {} bytes, and serial number and time alone are 8",
                        frame.body.len()
                    ),
                    "body",
                ));
            };
            let body = match frame.direction {
                Direction::Up => up(frame.function, &mut at, config, &mut warnings)?,
                Direction::Down => down(frame.function, frame.end, &mut at),
            };
            (u16::from_be_bytes(serial), Bcd(sent), body)
        }
        Encoding::Ascii => ascii::body(frame, config, &mut warnings)?,
    };
    if sent.moment(config.utc_offset_hours).is_none() {
        warnings.push(error::body(
            "sl651-time",
            format!("the time of sending {sent} is no time"),
            "body, time of sending",
        ));
    }
    if serial == 0 && frame.direction == Direction::Up {
        warnings.push(error::body(
            "sl651-serial",
            "the serial number is 0, which is the centre's",
            "body, serial number",
        ));
    }
    judge(&body, config, &mut warnings);
    let message = Message::with_head_of(frame, packets, serial, sent, body);
    Ok((message, warnings))
}

fn missing(what: &str) -> Problem {
    error::body(
        "sl651-body-cut",
        format!("the body ends before {what}"),
        format!("body, {what}"),
    )
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
            if !at.skip(&[element::MANUAL; 2]) {
                return Err(missing("F2F2 and what a person typed in"));
            }
            Body::Manual(at.rest().to_vec())
        }
        function::PICTURE => {
            let station = address(at)?;
            let class = at.byte().ok_or_else(|| missing("the station's class"))?;
            let observed = match at.skip(&[element::OBSERVED; 2]) {
                true => at.array(),
                false => None,
            };
            let observed =
                Bcd(observed.ok_or_else(|| missing("F0F0 and the time of observation"))?);
            if !at.skip(&[element::PICTURE; 2]) {
                return Err(missing("F3F3 and the picture"));
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
            let parameters = parameters(at, config, warnings);
            Body::Parameters {
                station,
                parameters,
            }
        }
        function::ASK_VERSION => {
            let station = address(at)?;
            let length = at.byte().ok_or_else(|| missing("the version's length"))?;
            let text = at.take(usize::from(length));
            let text = text.ok_or_else(|| missing("the version's end"))?.to_vec();
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
            let password = at.skip(&[0x03, 0x10]).then(|| at.array()).flatten();
            let password = password.ok_or_else(|| missing("the new password"))?;
            let password = u16::from_be_bytes(password);
            Body::Password { station, password }
        }
        function::PUMPS | function::VALVES => {
            let station = address(at)?;
            let states = switches(at).ok_or_else(|| missing("the switches' states"))?;
            Body::Switches { station, states }
        }
        function::GATES => {
            let station = address(at)?;
            let gates = gates(at).ok_or_else(|| missing("the gates' states and openings"))?;
            Body::Gates { station, gates }
        }
        function::QUOTA => {
            let station = address(at)?;
            let is_on = at
                .byte()
                .ok_or_else(|| missing("whether the quota holds"))?
                != 0;
            Body::Quota { station, is_on }
        }
        function::ASK_EVENTS => {
            let station = address(at)?;
            let (pairs, _) = at.rest().as_chunks::<2>();
            let counts = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            Body::Events { station, counts }
        }
        _ => return Ok(Body::Unread(at.rest().to_vec())),
    })
    .inspect(|_| {
        if !at.0.is_empty() {
            warnings.push(error::body(
                "sl651-body-more",
                format!("{} bytes stand behind what the message says", at.0.len()),
                "body, end",
            ));
        }
    })
}

/// `F1F1` and the address.
fn address(at: &mut Cursor<'_>) -> Result<Station, Problem> {
    let found = at
        .skip(&[element::STATION; 2])
        .then(|| at.array())
        .flatten();
    found
        .map(Station)
        .ok_or_else(|| missing("F1F1 and the station's address"))
}

fn switches(at: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let bytes = at.byte()?;
    Some(at.take(usize::from(bytes))?.to_vec())
}

fn gates(at: &mut Cursor<'_>) -> Option<Gates> {
    let count = at.byte()?;
    let states = at.take(usize::from(count).div_ceil(8))?.to_vec();
    let openings_cm = (0..count).map(|_| {
        let [high, low] = at.array()?;
        match element::read_hex(Identifier::new(0, 2, 0), &[high, low]) {
            Reading::Number(number) => u16::try_from(number.unscaled).ok(),
            _ => None,
        }
    });
    Some(Gates {
        count,
        states,
        openings_cm: openings_cm.collect::<Option<_>>()?,
    })
}

/// Reads an identifier; `None` when the bytes end within it.
pub(crate) fn identifier(at: &mut Cursor<'_>) -> Option<Identifier> {
    let leader = at.byte()?;
    let extended = match leader {
        element::EXTENDED => Some(at.byte()?),
        _ => None,
    };
    let definition = at.byte()?;
    Some(Identifier {
        leader,
        extended,
        definition,
    })
}

fn cut(warnings: &mut Vec<Problem>, code: &str, bytes: usize) {
    warnings.push(error::body(
        "sl651-element-cut",
        format!("element {code} is cut off: {bytes} bytes at the end were not read"),
        format!("body, element {code}"),
    ));
}

fn report(
    code: u8,
    at: &mut Cursor<'_>,
    config: &Config,
    warnings: &mut Vec<Problem>,
) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut elements = 0;
    while !at.0.is_empty() {
        let before = at.0;
        let new = before.starts_with(&[element::STATION; 2]).then(|| {
            at.skip(&[element::STATION; 2]);
            let station = Some(Station(at.array()?));
            let class = match function::has_class(code) {
                true => Some(at.byte()?),
                false => None,
            };
            Some(Section {
                station,
                class,
                entries: Vec::new(),
            })
        });
        match new {
            Some(Some(section)) => {
                sections.push(section);
                continue;
            }
            Some(None) => {
                at.0 = &[];
                cut(warnings, "F1", before.len());
                push(&mut sections, Entry::Rest(before.to_vec()));
                break;
            }
            None => {}
        }
        elements += 1;
        if elements > config.elements_max {
            warnings.push(error::limit(
                "sl651-elements",
                format!("the message has more than {} elements", config.elements_max),
                "body",
                "elements_max",
            ));
            push(&mut sections, Entry::Rest(at.rest().to_vec()));
            break;
        }
        match entry(code, at, config) {
            Ok(entry) => push(&mut sections, entry),
            Err(code) => {
                at.0 = &[];
                cut(warnings, &code, before.len());
                push(&mut sections, Entry::Rest(before.to_vec()));
            }
        }
    }
    // What stands before the first address belongs to nobody but the head's station.
    if sections.len() > 1
        && sections
            .first()
            .is_some_and(|first| first.entries.is_empty())
    {
        sections.remove(0);
    }
    sections
}

fn push(sections: &mut [Section], entry: Entry) {
    if let Some(section) = sections.last_mut() {
        section.entries.push(entry);
    }
}

/// Reads one entry; the code of the element when the bytes end within it.
fn entry(code: u8, at: &mut Cursor<'_>, config: &Config) -> Result<Entry, String> {
    if at.skip(&[element::OBSERVED; 2]) {
        return at
            .array()
            .map(|time| Entry::Observed(Bcd(time)))
            .ok_or_else(|| "F0".to_owned());
    }
    let leader = at.0.first().copied().unwrap_or_default();
    let cut = || format!("{leader:02X}");
    let identifier = identifier(at).ok_or_else(cut)?;
    if identifier.leader == element::VELOCITIES && identifier.extended.is_none() {
        return Ok(Entry::Element(Element::hex(identifier, at.rest())));
    }
    let data = at.take(identifier.data_bytes()).ok_or_else(cut)?;
    let element = Element::hex(identifier, data);
    let in_rows = matches!(code, function::UNIFORM | function::ASK_PERIOD);
    if !(in_rows && identifier.leader == element::STEP && identifier.extended.is_none()) {
        return Ok(Entry::Element(element));
    }
    // 6.6.4.4: one element's identifier, then its values to the end of the body.
    let column = self::identifier(at).ok_or_else(cut)?;
    let width = column.data_bytes();
    if width == 0 || !at.0.len().is_multiple_of(width) || at.0.len() / width > config.elements_max {
        return Err(column.code());
    }
    let row = |data: &[u8]| vec![Element::hex(column, data)];
    Ok(Entry::Series {
        step: element,
        columns: vec![Element::hex(column, &[])],
        rows: at.rest().chunks_exact(width).map(row).collect(),
    })
}

fn parameters(at: &mut Cursor<'_>, config: &Config, warnings: &mut Vec<Problem>) -> Vec<Element> {
    let mut found = Vec::new();
    while !at.0.is_empty() && found.len() < config.elements_max {
        let before = at.0;
        let read = identifier(at).and_then(|identifier| {
            // D.3: all eight bits of this one's definition are its length.
            let bytes = match identifier.leader {
                0x0E => usize::from(identifier.definition),
                _ => identifier.data_bytes(),
            };
            Some(Element::hex(identifier, at.take(bytes)?))
        });
        match read {
            Some(parameter) => found.push(parameter),
            None => {
                let code = before.first().copied().unwrap_or_default();
                cut(warnings, &format!("{code:02X}"), before.len());
                at.0 = before;
                break;
            }
        }
    }
    found
}

fn down(code: u8, end: u8, at: &mut Cursor<'_>) -> Body {
    if end != ENQ {
        return match at.0 {
            [] => Body::Empty,
            more => Body::Unread(more.to_vec()),
        };
    }
    let whole = at.0;
    let command = command(code, at).filter(|_| at.0.is_empty());
    Body::Command(command.unwrap_or_else(|| Command::Other(whole.to_vec())))
}

fn identifiers(at: &mut Cursor<'_>) -> Option<Vec<Identifier>> {
    let mut found = Vec::new();
    while !at.0.is_empty() {
        found.push(identifier(at)?);
    }
    Some(found)
}

fn command(code: u8, at: &mut Cursor<'_>) -> Option<Command> {
    Some(match code {
        function::ASK_PERIOD => {
            let (from, to) = (Bcd(at.array()?), Bcd(at.array()?));
            let step = identifier(at)?;
            let step = Element::hex(step, at.take(step.data_bytes())?);
            let elements = identifiers(at)?;
            Command::Period {
                from,
                to,
                step,
                elements,
            }
        }
        function::ASK_ELEMENTS | function::READ_BASIC | function::READ_RUNNING => {
            Command::Ask(identifiers(at)?)
        }
        function::SET_BASIC | function::SET_RUNNING => {
            let mut parameters = Vec::new();
            while !at.0.is_empty() {
                let identifier = identifier(at)?;
                let data = at.take(identifier.data_bytes())?;
                parameters.push(Element::hex(identifier, data));
            }
            Command::Set(parameters)
        }
        function::CLEAR_STORE => at.skip(&[0x97, 0]).then_some(Command::ClearStore)?,
        function::FACTORY_RESET => at.skip(&[0x98, 0]).then_some(Command::FactoryReset)?,
        function::SET_PASSWORD => {
            let mut password = || {
                let found = at.skip(&[0x03, 0x10]).then(|| at.array()).flatten();
                found.map(u16::from_be_bytes)
            };
            Command::Password {
                old: password()?,
                new: password()?,
            }
        }
        function::SET_IC_CARD => {
            let word = at.skip(&[element::STATUS, 0x20]).then(|| at.array())?;
            Command::IcCard(u32::from_be_bytes(word?))
        }
        function::PUMPS | function::VALVES => Command::Switches(switches(at)?),
        function::GATES => Command::Gates(gates(at)?),
        function::QUOTA => Command::Quota(at.byte()? != 0),
        _ => Command::Plain,
    })
}

/// Warns of elements that do not read.
fn judge(body: &Body, config: &Config, warnings: &mut Vec<Problem>) {
    let Body::Report(sections) = body else {
        if let Body::Picture(picture) = body
            && !picture.jpeg.starts_with(&[0xFF, 0xD8])
        {
            warnings.push(error::body(
                "sl651-picture",
                "the picture does not begin as a JPEG does",
                "body, picture",
            ));
        }
        return;
    };
    let mut unreadable = |element: &Element| {
        if let Reading::Unreadable(why) = element.value() {
            let code = element.identifier.code();
            let data = match &element.data {
                element::Data::Hex(data) => hex::encode_upper(data),
                element::Data::Ascii(text) => model::problem::quote(text),
            };
            warnings.push(error::body(
                "sl651-element",
                format!("{why}: {data}"),
                format!("body, element {code}"),
            ));
        }
    };
    for entry in sections.iter().flat_map(|section| &section.entries) {
        match entry {
            Entry::Element(element) => unreadable(element),
            Entry::Series { step, rows, .. } => {
                unreadable(step);
                rows.iter().flatten().for_each(&mut unreadable);
            }
            Entry::Observed(_) | Entry::Rest(_) => {}
        }
    }
    for entry in sections.iter().flat_map(|section| &section.entries) {
        if let Entry::Observed(time) = entry
            && time.moment(config.utc_offset_hours).is_none()
        {
            warnings.push(error::body(
                "sl651-time",
                format!("the time of observation {time} is no time"),
                "body, time of observation",
            ));
        }
    }
}

/// Serial number and time of a body, when they are there; for whoever answers a message that cannot be read further.
pub fn serial_and_time(frame: &Frame) -> Option<(u16, SentTime)> {
    match frame.encoding {
        Encoding::Hex => {
            let mut at = Cursor(&frame.body);
            Some((u16::from_be_bytes(at.array()?), Bcd(at.array()?)))
        }
        Encoding::Ascii => ascii::serial_and_time(&mut Cursor(&frame.body)),
    }
}
