//! Bytes ⇄ frames (clauses 6.2 to 6.5): start, addresses, password, function code, direction and length, body, end, check
//! value. HEX/BCD frames begin with 7E 7E and are binary; ASCII frames begin with SOH, and every byte of their head and check
//! value is two hexadecimal digits.
//!
//! The length has no check value of its own, and 7E 7E may stand inside a body: a broken frame is left by the next start
//! mark inside it, or whole when its end stood where it said.

use crate::error;
use model::Problem;
use std::fmt;
use wire::Decoded;

/// Start of an ASCII frame.
pub const SOH: u8 = 0x01;
/// Start of the body of a single frame.
pub const STX: u8 = 0x02;
/// End: nothing follows.
pub const ETX: u8 = 0x03;
/// End (down): the station may leave the line.
pub const EOT: u8 = 0x04;
/// End (down): a query or command.
pub const ENQ: u8 = 0x05;
/// End (down): taken, go on.
pub const ACK: u8 = 0x06;
/// End (down): send a packet again.
pub const NAK: u8 = 0x15;
/// Start of the body of a packet.
pub const SYN: u8 = 0x16;
/// End: more frames follow.
pub const ETB: u8 = 0x17;
/// End (down): the station stays on the line for ten minutes.
pub const ESC: u8 = 0x1B;
/// Longest body that the twelve bits of the length can tell, in bytes.
pub const BODY_BYTES_MAX: usize = 0x0FFF;
/// Longest frame of either encoding, in bytes.
pub const FRAME_BYTES_MAX: usize = 24 + BODY_BYTES_MAX + 5;

const ENDS: [u8; 7] = [ETX, ETB, ENQ, EOT, ACK, NAK, ESC];

/// How a frame is written (编码结构).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// HEX/BCD: binary, begins with 7E 7E.
    Hex,
    /// ASCII: text, begins with SOH.
    Ascii,
}

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a station to the centre (上行).
    Up,
    /// From the centre to a station (下行).
    Down,
}

/// Address of a station (遥测站地址), five bytes (6.2.3.2): 00 and eight digits for hydrological stations; or six digits of an
/// administrative division and a binary number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Station(pub [u8; 5]);

impl Station {
    /// Reads ten hexadecimal digits.
    ///
    /// # Errors
    /// `sl651-station` for anything else.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::of_digits(text.as_bytes()).ok_or_else(|| {
            Problem::new(
                "sl651-station",
                format!(
                    "\"{}\" is no station's address",
                    model::problem::quote(text)
                ),
                "station",
                "write the ten digits of the address, such as 0011223344",
            )
        })
    }

    /// The code that people know the station by: eight digits of a hydrological station (SL 502); else six digits of the
    /// administrative division and the number within it, six digits (table 14).
    pub fn code(self) -> String {
        let [first, rest @ ..] = self.0;
        if first == 0 {
            return hex::encode_upper(rest);
        }
        let [a, b, c, high, low] = self.0;
        let number = u16::from_be_bytes([high, low]);
        format!("{}{number:06}", hex::encode_upper([a, b, c]))
    }

    /// The station of a code as [`Self::code`] gives it, or of the ten digits of an address.
    pub fn of_code(code: &str) -> Option<Self> {
        match code.len() {
            8 => Self::of_digits(format!("00{code}").as_bytes()),
            10 => Self::of_digits(code.as_bytes()),
            12 => {
                let (division, number) = code.split_at_checked(6)?;
                let number = number.parse::<u16>().ok()?;
                Self::of_digits(format!("{division}{number:04X}").as_bytes())
            }
            _ => None,
        }
    }

    pub(crate) fn of_digits(digits: &[u8]) -> Option<Self> {
        let mut bytes = [0; 5];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which packet of a message a frame is (包总数及序列号).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many packets there are, 1 to 4,095.
    pub total: u16,
    /// Which one this is, from 1.
    pub index: u16,
}

/// A frame, its check value seen to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How it is written.
    pub encoding: Encoding,
    /// Which way it goes.
    pub direction: Direction,
    /// Address of the centre (中心站地址), 1 to 255.
    pub centre: u8,
    /// Address of the station.
    pub station: Station,
    /// The station's password (密码).
    pub password: u16,
    /// What it is about (功能码, annex B).
    pub function: u8,
    /// Which packet it is, when its body is not the whole message's.
    pub part: Option<Part>,
    /// The body (报文正文).
    pub body: Vec<u8>,
    /// How it ends: [`ETX`], [`ETB`] from stations; [`ENQ`], [`ACK`], [`NAK`], [`EOT`], [`ESC`] from the centre.
    pub end: u8,
}

/// CRC-16 over the bytes: polynomial x16+x15+x2+1, reflected, from FFFF (known as CRC-16/MODBUS).
pub fn check_value(bytes: &[u8]) -> u16 {
    let mut register = 0xFFFF_u16;
    for byte in bytes {
        register ^= u16::from(*byte);
        for _ in 0..8 {
            let out = register & 1;
            register >>= 1;
            if out == 1 {
                register ^= 0xA001;
            }
        }
    }
    register
}

/// Reads the frame at the front of the bytes. `Incomplete` asks for at most [`FRAME_BYTES_MAX`] in all, whatever the length
/// field says.
pub fn decode(bytes: &[u8]) -> Decoded<Frame> {
    match bytes {
        [] => Decoded::Incomplete { at_least: 1 },
        [0x7E] => Decoded::Incomplete { at_least: 1 },
        [0x7E, 0x7E, ..] => read(bytes, Encoding::Hex),
        [SOH, ..] => read(bytes, Encoding::Ascii),
        _ => Decoded::Foreign,
    }
}

/// How many bytes to pass over to come to the next place where a frame may begin, from the second byte on; all of them when
/// there is none.
pub fn next_start(bytes: &[u8]) -> usize {
    let begins = |at: &usize| match bytes.get(*at..) {
        // Three of them in a row: the third may be the centre's address, so that the first two are tried, and then the last.
        Some([0x7E, 0x7E, ..] | [0x7E]) => true,
        // An ASCII frame goes on with the digits of an address.
        Some([SOH, second, ..]) => second.is_ascii_hexdigit(),
        Some([SOH]) => true,
        _ => false,
    };
    (1..bytes.len()).find(begins).unwrap_or(bytes.len())
}

/// Sizes of a frame's parts by its encoding, in bytes.
struct Sizes {
    /// Up to and with the start mark of the body.
    head: usize,
    /// The packet's place in its message.
    part: usize,
    check: usize,
}

const fn sizes(encoding: Encoding) -> Sizes {
    match encoding {
        Encoding::Hex => Sizes {
            head: 14,
            part: 3,
            check: 2,
        },
        Encoding::Ascii => Sizes {
            head: 24,
            part: 6,
            check: 4,
        },
    }
}

/// The head between the start mark and the body's: both addresses, password, function, direction and length.
fn head(bytes: &[u8], encoding: Encoding) -> Option<[u8; 11]> {
    match encoding {
        Encoding::Hex => bytes.get(2..13)?.try_into().ok(),
        Encoding::Ascii => {
            let mut out = [0; 11];
            hex::decode_to_slice(bytes.get(1..23)?, &mut out).ok()?;
            Some(out)
        }
    }
}

fn read(bytes: &[u8], encoding: Encoding) -> Decoded<Frame> {
    let sizes = sizes(encoding);
    if bytes.len() < sizes.head {
        return Decoded::Incomplete {
            at_least: sizes.head - bytes.len(),
        };
    }
    let broken = |problem| Decoded::Invalid {
        error: problem,
        skip: next_start(bytes),
    };
    let Some(head) = head(bytes, encoding) else {
        return broken(error::frame(
            "sl651-digits",
            "the head of an ASCII frame holds something else than hexadecimal digits",
            "frame, head",
        ));
    };
    let [
        a,
        b,
        c,
        d,
        e,
        f,
        password_high,
        password_low,
        function,
        marked,
        low,
    ] = head;
    let (direction, centre, station) = match marked >> 4 {
        0 => (Direction::Up, a, Station([b, c, d, e, f])),
        8 => (Direction::Down, f, Station([a, b, c, d, e])),
        other => {
            return broken(error::frame(
                "sl651-direction",
                format!("the direction is {other:X}, neither 0 (up) nor 8 (down)"),
                "frame, direction and length",
            ));
        }
    };
    let body_bytes = usize::from(marked & 0x0F) << 8 | usize::from(low);
    let start = bytes.get(sizes.head - 1).copied().unwrap_or_default();
    if start != STX && start != SYN {
        return broken(error::frame(
            "sl651-start",
            format!("the body begins with {start:02X}, neither 02 (STX) nor 16 (SYN)"),
            "frame, start of the body",
        ));
    }
    let total = sizes.head + body_bytes + 1 + sizes.check;
    let (Some(body), Some(end), Some(said)) = (
        bytes.get(sizes.head..sizes.head + body_bytes),
        bytes.get(sizes.head + body_bytes).copied(),
        bytes.get(total - sizes.check..total),
    ) else {
        return Decoded::Incomplete {
            at_least: total - bytes.len(),
        };
    };
    if !ENDS.contains(&end) {
        return broken(error::frame(
            "sl651-end",
            format!(
                "after the {body_bytes} bytes of the body stands {end:02X}, which ends no frame: the length is wrong"
            ),
            "frame, end of the body",
        ));
    }
    // From here on the frame ends where it says, so that a broken one is left whole.
    let whole = |problem| Decoded::Invalid {
        error: problem,
        skip: total,
    };
    let said = match (encoding, said) {
        (Encoding::Hex, [high, low]) => u16::from_be_bytes([*high, *low]),
        (Encoding::Ascii, digits) => {
            let mut out = [0; 2];
            if hex::decode_to_slice(digits, &mut out).is_err() {
                return whole(error::frame(
                    "sl651-digits",
                    "the check value of an ASCII frame holds something else than hexadecimal digits",
                    "frame, check value",
                ));
            }
            u16::from_be_bytes(out)
        }
        (Encoding::Hex, _) => 0,
    };
    let reckoned = check_value(bytes.get(..total - sizes.check).unwrap_or_default());
    if said != reckoned {
        return whole(error::check_value(said, reckoned));
    }
    let (part, body) = if start == SYN {
        let Some(split) = split_part(body, encoding) else {
            return whole(error::frame(
                "sl651-packet",
                "the packet does not tell how many there are and which one it is, from 1",
                "frame, packet",
            ));
        };
        (Some(split.0), split.1)
    } else {
        (None, body)
    };
    let frame = Frame {
        encoding,
        direction,
        centre,
        station,
        password: u16::from_be_bytes([password_high, password_low]),
        function,
        part,
        body: body.to_vec(),
        end,
    };
    let mut warnings = Vec::new();
    let fits = match direction {
        Direction::Up => matches!(end, ETX | ETB),
        Direction::Down => !matches!(end, ETX | ETB),
    };
    if !fits {
        warnings.push(error::frame(
            "sl651-end-of-other-direction",
            format!("the frame ends with {end:02X}, which ends frames of the other direction"),
            "frame, end of the body",
        ));
    }
    if centre == 0 {
        warnings.push(error::frame(
            "sl651-centre",
            "the centre's address is 0, and 1 to 255 are addresses",
            "frame, centre",
        ));
    }
    Decoded::Message {
        message: frame,
        used: total,
        warnings,
    }
}

fn split_part(body: &[u8], encoding: Encoding) -> Option<(Part, &[u8])> {
    let (part, body) = body.split_at_checked(sizes(encoding).part)?;
    let mut bytes = [0; 3];
    match encoding {
        Encoding::Hex => bytes.copy_from_slice(part),
        Encoding::Ascii => hex::decode_to_slice(part, &mut bytes).ok()?,
    }
    let [high, middle, low] = bytes.map(u16::from);
    let part = Part {
        total: high << 4 | middle >> 4,
        index: (middle & 0x0F) << 8 | low,
    };
    (part.index > 0 && part.index <= part.total).then_some((part, body))
}

/// Writes a frame.
///
/// # Errors
/// `sl651-cannot-say` when the body is too long, or the packet's place has more than twelve bits.
pub fn encode(frame: &Frame) -> Result<Vec<u8>, Problem> {
    let sizes = sizes(frame.encoding);
    let part_bytes = frame.part.map_or(0, |_| sizes.part);
    let length = frame.body.len() + part_bytes;
    let length = match u16::try_from(length) {
        Ok(length) if usize::from(length) <= BODY_BYTES_MAX => length,
        _ => {
            return Err(error::cannot_say(
                format!("{length} bytes are too many for one frame"),
                "body",
            ));
        }
    };
    let mut head = Vec::with_capacity(11);
    let marked = match frame.direction {
        Direction::Up => {
            head.push(frame.centre);
            head.extend(frame.station.0);
            length
        }
        Direction::Down => {
            head.extend(frame.station.0);
            head.push(frame.centre);
            length | 0x8000
        }
    };
    head.extend(frame.password.to_be_bytes());
    head.push(frame.function);
    head.extend(marked.to_be_bytes());
    let mut out = Vec::with_capacity(sizes.head + usize::from(length) + 1 + sizes.check);
    match frame.encoding {
        Encoding::Hex => {
            out.extend([0x7E, 0x7E]);
            out.extend(&head);
        }
        Encoding::Ascii => {
            out.push(SOH);
            out.extend(hex::encode_upper(&head).into_bytes());
        }
    }
    match frame.part {
        None => out.push(STX),
        Some(Part { total, index }) => {
            if total > 0x0FFF || index > 0x0FFF {
                return Err(error::cannot_say(
                    format!("packet {index} of {total} has more than twelve bits"),
                    "packet",
                ));
            }
            out.push(SYN);
            let both = u32::from(total) << 12 | u32::from(index);
            let [_, bytes @ ..] = both.to_be_bytes();
            match frame.encoding {
                Encoding::Hex => out.extend(bytes),
                Encoding::Ascii => out.extend(hex::encode_upper(bytes).into_bytes()),
            }
        }
    }
    out.extend(&frame.body);
    out.push(frame.end);
    let check = check_value(&out).to_be_bytes();
    match frame.encoding {
        Encoding::Hex => out.extend(check),
        Encoding::Ascii => out.extend(hex::encode_upper(check).into_bytes()),
    }
    Ok(out)
}
