//! Message → body → frames, both encodings, both directions: what the centre sends, and what a station would have sent, which
//! is how the laws see that nothing is lost in reading.

use crate::ascii;
use crate::element::{self, Data, Element, Identifier, put_bcd};
use crate::error;
use crate::frame::{self, Encoding, Frame, Part, Station};
use crate::message::{Body, Command, Entry, Gates, Message, Section, function};
use model::Problem;

/// The frame of a message that needs no packets, or its body whole, for whoever cuts it.
///
/// # Errors
/// `sl651-cannot-say` where the standard has no form for it.
pub fn frame(message: &Message) -> Result<Frame, Problem> {
    let mut body = Vec::new();
    match message.encoding {
        Encoding::Hex => {
            body.extend(message.serial.to_be_bytes());
            body.extend(message.sent.0);
            hex_body(message, &mut body)?;
        }
        Encoding::Ascii => {
            let text = format!("{:04X}{}", message.serial, message.sent);
            body.extend(text.into_bytes());
            ascii_body(message, &mut body)?;
        }
    }
    Ok(Frame {
        encoding: message.encoding,
        direction: message.direction,
        centre: message.centre,
        station: message.station,
        password: message.password,
        function: message.function,
        part: None,
        body,
        end: message.end,
    })
}

/// The bytes of a message as one frame.
///
/// # Errors
/// `sl651-cannot-say` where the standard has no form for it, or its body needs packets.
pub fn message(message: &Message) -> Result<Vec<u8>, Problem> {
    frame::encode(&frame(message)?)
}

/// A frame's body cut into packets of at most `packet_bytes` bytes: all but the last end with ETB (6.4.3, 6.5.3).
///
/// # Errors
/// `sl651-cannot-say` when there would be more than 4,095, or `packet_bytes` is 0.
pub fn packets(whole: &Frame, packet_bytes: usize) -> Result<Vec<Frame>, Problem> {
    let too_many = || error::cannot_say("the message needs more than 4,095 packets", "body");
    if packet_bytes == 0 {
        return Err(too_many());
    }
    let count = whole.body.len().div_ceil(packet_bytes).max(1);
    let total = u16::try_from(count).ok().filter(|total| *total <= 0x0FFF);
    let total = total.ok_or_else(too_many)?;
    let mut chunks = whole.body.chunks(packet_bytes);
    let frame = |index: u16| Frame {
        part: Some(Part { total, index }),
        body: chunks.next().unwrap_or_default().to_vec(),
        end: match index == total {
            true => whole.end,
            false => frame::ETB,
        },
        ..whole.clone()
    };
    Ok((1..=total).map(frame).collect())
}

fn put_hex(element: &Element, out: &mut Vec<u8>) -> Result<(), Problem> {
    let Data::Hex(data) = &element.data else {
        return Err(error::cannot_say(
            "an element in ASCII has no place in HEX/BCD",
            format!("element {}", element.identifier.code()),
        ));
    };
    element.identifier.put(out);
    out.extend(data);
    Ok(())
}

fn put_station(station: Station, out: &mut Vec<u8>) {
    out.extend([element::STATION; 2]);
    out.extend(station.0);
}

fn hex_body(message: &Message, out: &mut Vec<u8>) -> Result<(), Problem> {
    match &message.body {
        Body::Empty => {}
        Body::Report(sections) => {
            for section in sections {
                hex_section(section, out)?;
            }
        }
        Body::Manual(text) => {
            out.extend([element::MANUAL; 2]);
            out.extend(text);
        }
        Body::Picture(picture) => {
            put_station(picture.station, out);
            out.push(picture.class);
            out.extend([element::OBSERVED; 2]);
            out.extend(picture.observed.0);
            out.extend([element::PICTURE; 2]);
            out.extend(&picture.jpeg);
        }
        Body::Parameters {
            station,
            parameters,
        } => {
            put_station(*station, out);
            for parameter in parameters {
                put_hex(parameter, out)?;
            }
        }
        Body::Version { station, text } => {
            put_station(*station, out);
            out.push(byte_count(text.len(), "version")?);
            out.extend(text);
        }
        Body::Done { station } => put_station(*station, out),
        Body::Password { station, password } => {
            put_station(*station, out);
            put_password(*password, out);
        }
        Body::Switches { station, states } => {
            put_station(*station, out);
            put_switches(states, out)?;
        }
        Body::Gates { station, gates } => {
            put_station(*station, out);
            put_gates(gates, out)?;
        }
        Body::Quota { station, is_on } => {
            put_station(*station, out);
            out.push(if *is_on { 0xFF } else { 0 });
        }
        Body::Events { station, counts } => {
            put_station(*station, out);
            out.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        }
        Body::Command(command) => hex_command(command, out)?,
        Body::Unread(bytes) => out.extend(bytes),
    }
    Ok(())
}

fn hex_section(section: &Section, out: &mut Vec<u8>) -> Result<(), Problem> {
    if let Some(station) = section.station {
        put_station(station, out);
        out.extend(section.class);
    }
    for entry in &section.entries {
        match entry {
            Entry::Observed(time) => {
                out.extend([element::OBSERVED; 2]);
                out.extend(time.0);
            }
            Entry::Element(element) => put_hex(element, out)?,
            Entry::Series {
                step,
                columns,
                rows,
            } => {
                put_hex(step, out)?;
                columns.iter().for_each(|column| column.identifier.put(out));
                for value in rows.iter().flatten() {
                    if let Data::Hex(data) = &value.data {
                        out.extend(data);
                    }
                }
            }
            Entry::Rest(bytes) => out.extend(bytes),
        }
    }
    Ok(())
}

fn put_password(password: u16, out: &mut Vec<u8>) {
    out.extend([0x03, 0x10]);
    out.extend(password.to_be_bytes());
}

fn put_switches(states: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    out.push(byte_count(states.len(), "switches")?);
    out.extend(states);
    Ok(())
}

/// A count of bytes that the wire has one byte for.
fn byte_count(bytes: usize, what: &str) -> Result<u8, Problem> {
    u8::try_from(bytes).map_err(|_| error::cannot_say("more than 255 bytes", what))
}

fn put_gates(gates: &Gates, out: &mut Vec<u8>) -> Result<(), Problem> {
    let count = usize::from(gates.count);
    if gates.states.len() != count.div_ceil(8) || gates.openings_cm.len() != count {
        return Err(error::cannot_say(
            format!("{count} gates need a state and an opening each"),
            "gates",
        ));
    }
    out.push(gates.count);
    out.extend(&gates.states);
    for opening in &gates.openings_cm {
        let digits = put_bcd(i64::from(*opening), 2);
        out.extend(digits.ok_or_else(|| {
            error::cannot_say(format!("{opening} cm has more than four digits"), "gates")
        })?);
    }
    Ok(())
}

fn hex_command(command: &Command, out: &mut Vec<u8>) -> Result<(), Problem> {
    match command {
        Command::Plain => {}
        Command::Period {
            from,
            to,
            step,
            elements,
        } => {
            out.extend(from.0);
            out.extend(to.0);
            put_hex(step, out)?;
            elements.iter().for_each(|element| element.put(out));
        }
        Command::Ask(elements) => elements.iter().for_each(|element| element.put(out)),
        Command::Set(parameters) => {
            for parameter in parameters {
                put_hex(parameter, out)?;
            }
        }
        Command::ClearStore => out.extend([0x97, 0]),
        Command::FactoryReset => out.extend([0x98, 0]),
        Command::Password { old, new } => {
            put_password(*old, out);
            put_password(*new, out);
        }
        Command::IcCard(word) => {
            out.extend([element::STATUS, 0x20]);
            out.extend(word.to_be_bytes());
        }
        Command::Switches(states) => put_switches(states, out)?,
        Command::Gates(gates) => put_gates(gates, out)?,
        Command::Quota(is_on) => out.push(if *is_on { 0xFF } else { 0 }),
        Command::Other(bytes) => out.extend(bytes),
    }
    Ok(())
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.as_bytes());
    out.push(b' ');
}

fn put_ascii(element: &Element, out: &mut Vec<u8>) -> Result<(), Problem> {
    let Data::Ascii(text) = &element.data else {
        return Err(error::cannot_say(
            "an element in HEX/BCD has no place in ASCII",
            format!("element {}", element.identifier.code()),
        ));
    };
    put_word(element, out)?;
    // A time step says all with its word; another's word may begin like one.
    let is_step = element.identifier.leader == element::STEP
        && element.word.as_deref().is_some_and(|w| w.starts_with("DR"));
    if !is_step {
        put_text(out, text);
    }
    Ok(())
}

fn put_word(element: &Element, out: &mut Vec<u8>) -> Result<(), Problem> {
    let word = element.word.as_deref();
    match word.or_else(|| ascii::word(element.identifier.leader)) {
        Some(word) => put_text(out, word),
        None => return Err(no_word(element.identifier)),
    }
    Ok(())
}

fn no_word(identifier: Identifier) -> Problem {
    let code = identifier.code();
    error::cannot_say("it has no ASCII identifier", format!("element {code}"))
}

fn ascii_station(station: Station, out: &mut Vec<u8>) {
    put_text(out, "ST");
    put_text(out, &station.to_string());
}

fn ascii_body(message: &Message, out: &mut Vec<u8>) -> Result<(), Problem> {
    let hex = |bytes: &[u8]| hex::encode_upper(bytes);
    match &message.body {
        Body::Empty => {}
        Body::Report(sections) => {
            for section in sections {
                ascii_section(section, out)?;
            }
        }
        Body::Manual(text) => {
            put_text(out, "RGZS");
            out.extend(text);
        }
        Body::Picture(picture) => {
            ascii_station(picture.station, out);
            out.extend([picture.class, b' ']);
            put_text(out, "TT");
            put_text(out, &picture.observed.to_string());
            put_text(out, "PIC");
            out.extend(&picture.jpeg);
        }
        Body::Parameters {
            station,
            parameters,
        } => {
            ascii_station(*station, out);
            for parameter in parameters {
                put_ascii(parameter, out)?;
            }
        }
        Body::Version { station, text } => {
            ascii_station(*station, out);
            let length = byte_count(text.len(), "version")?;
            put_text(out, &format!("{length:02X}"));
            out.extend(text);
            out.push(b' ');
        }
        Body::Done { station } => ascii_station(*station, out),
        Body::Password { station, password } => {
            ascii_station(*station, out);
            put_text(out, &format!("03 {password:04X}"));
        }
        Body::Switches { station, states } => {
            ascii_station(*station, out);
            ascii_switches(states, out)?;
        }
        Body::Gates { station, gates } => {
            ascii_station(*station, out);
            ascii_gates(gates, out);
        }
        Body::Quota { station, is_on } => {
            ascii_station(*station, out);
            put_text(out, if *is_on { "FF" } else { "00" });
        }
        Body::Events { station, counts } => {
            ascii_station(*station, out);
            let bytes: Vec<u8> = counts
                .iter()
                .flat_map(|count| count.to_be_bytes())
                .collect();
            put_text(out, &hex(&bytes));
        }
        Body::Command(command) => ascii_command(message.function, command, out)?,
        Body::Unread(bytes) => out.extend(bytes),
    }
    Ok(())
}

fn ascii_switches(states: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let bytes = byte_count(states.len(), "switches")?;
    put_text(out, &format!("{bytes:02X} {}", hex::encode_upper(states)));
    Ok(())
}

fn ascii_gates(gates: &Gates, out: &mut Vec<u8>) {
    put_text(out, &format!("{:02X}", gates.count));
    put_text(out, &hex::encode_upper(&gates.states));
    for opening in &gates.openings_cm {
        put_text(out, &opening.to_string());
    }
}

fn ascii_section(section: &Section, out: &mut Vec<u8>) -> Result<(), Problem> {
    if let Some(station) = section.station {
        ascii_station(station, out);
        if let Some(class) = section.class {
            out.extend([class, b' ']);
        }
    }
    for entry in &section.entries {
        match entry {
            Entry::Observed(time) => {
                put_text(out, "TT");
                put_text(out, &time.to_string());
            }
            Entry::Element(element) => put_ascii(element, out)?,
            Entry::Series {
                step,
                columns,
                rows,
            } => {
                put_word(step, out)?;
                for column in columns {
                    put_word(column, out)?;
                }
                for value in rows.iter().flatten() {
                    if let Data::Ascii(text) = &value.data {
                        put_text(out, text);
                    }
                }
            }
            Entry::Rest(bytes) => out.extend(bytes),
        }
    }
    Ok(())
}

fn ascii_command(code: u8, command: &Command, out: &mut Vec<u8>) -> Result<(), Problem> {
    let word = |identifier: &Identifier| match code {
        function::READ_BASIC | function::READ_RUNNING => Ok(format!("{:02X}", identifier.leader)),
        _ => match ascii::word(identifier.leader) {
            Some(word) => Ok(word.to_owned()),
            None => Err(no_word(*identifier)),
        },
    };
    match command {
        Command::Plain => {}
        Command::Period {
            from,
            to,
            step,
            elements,
        } => {
            put_text(out, &from.to_string());
            put_text(out, &to.to_string());
            put_word(step, out)?;
            for element in elements {
                put_text(out, &word(element)?);
            }
        }
        Command::Ask(elements) => {
            for element in elements {
                put_text(out, &word(element)?);
            }
        }
        Command::Set(parameters) => {
            for parameter in parameters {
                put_ascii(parameter, out)?;
            }
        }
        Command::ClearStore => put_text(out, "97"),
        Command::FactoryReset => put_text(out, "98"),
        Command::Password { old, new } => put_text(out, &format!("03 {old:04X} 03 {new:04X}")),
        Command::IcCard(word) => put_text(out, &format!("ZT {word:08X}")),
        Command::Switches(states) => ascii_switches(states, out)?,
        Command::Gates(gates) => ascii_gates(gates, out),
        Command::Quota(is_on) => put_text(out, if *is_on { "FF" } else { "00" }),
        Command::Other(bytes) => out.extend(bytes),
    }
    Ok(())
}
