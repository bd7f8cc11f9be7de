//! Frames made good: whatever bytes the fuzzer has, they are read as frames as far as they look like some, and each gets the
//! length, end mark and check value that it should have. So the fuzzer comes to what stands behind the check value, and a byte
//! put into a body makes the body longer instead of breaking the frame.

use proto_sl651::frame::{self, BODY_BYTES_MAX, ENQ, ETX, SOH, STX, SYN};
use proto_sl651::{Direction, Encoding, Frame, Part, Station};

/// The ends of frames.
const ENDS: [u8; 7] = [
    ETX,
    frame::ETB,
    ENQ,
    frame::EOT,
    frame::ACK,
    frame::NAK,
    frame::ESC,
];
/// Both addresses, password, function, direction and length.
const HEAD_BYTES: usize = 11;

/// A stretch of an input.
#[derive(Clone, Debug)]
pub enum Stretch {
    /// A good frame.
    Frame(Frame),
    /// What stands before the first start mark.
    Noise(Vec<u8>),
}

/// Reads the bytes as frames, one from each start mark to the next.
pub fn stretches(mut bytes: &[u8]) -> Vec<Stretch> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (stretch, rest) = bytes.split_at(next_mark(bytes));
        bytes = rest;
        found.push(match stretch {
            [0x7E, 0x7E, more @ ..] => Stretch::Frame(hex_frame(more)),
            [SOH, more @ ..] => Stretch::Frame(ascii_frame(more)),
            noise => Stretch::Noise(noise.to_vec()),
        });
    }
    found
}

/// Where the next start mark is, from the second byte on. SOH may stand in a body of HEX/BCD, and begins no frame there.
fn next_mark(bytes: &[u8]) -> usize {
    let is_hex = bytes.starts_with(&[0x7E, 0x7E]);
    let from = if is_hex { 2 } else { 1 };
    let marks = |at: &usize| match bytes.get(*at..) {
        Some([0x7E, 0x7E, ..]) => true,
        Some([SOH, ..]) => !is_hex,
        _ => false,
    };
    (from..bytes.len()).find(marks).unwrap_or(bytes.len())
}

fn hex_frame(bytes: &[u8]) -> Frame {
    let at = bytes.len().min(HEAD_BYTES);
    let (head, rest) = bytes.split_at(at);
    made(Encoding::Hex, head, rest)
}

fn ascii_frame(bytes: &[u8]) -> Frame {
    let at = bytes.len().min(HEAD_BYTES * 2);
    let (digits, rest) = bytes.split_at(at);
    made(Encoding::Ascii, &from_digits(digits), rest)
}

/// Bytes of what may be hexadecimal digits.
fn from_digits(digits: &[u8]) -> Vec<u8> {
    let value = |digit: &u8| match char::from(*digit).to_digit(16) {
        Some(value) => value as u8,
        None => digit & 0x0F,
    };
    let both = |pair: &[u8]| pair.iter().fold(0, |sum, digit| sum << 4 | value(digit));
    digits.chunks(2).map(both).collect()
}

/// A frame of a head, of which the end may be missing, and what stands behind it from the start mark of the body on.
fn made(encoding: Encoding, head: &[u8], rest: &[u8]) -> Frame {
    let (check_bytes, part_bytes) = match encoding {
        Encoding::Hex => (2, 3),
        Encoding::Ascii => (4, 6),
    };
    let mut whole = [0; HEAD_BYTES];
    whole[..head.len()].copy_from_slice(head);
    let [a, b, c, d, e, f, high, low, function, marked, _] = whole;
    let (direction, centre, station) = match marked >> 7 {
        0 => (Direction::Up, a, Station([b, c, d, e, f])),
        _ => (Direction::Down, f, Station([a, b, c, d, e])),
    };
    let (start, rest) = rest.split_first().unwrap_or((&STX, &[]));
    // With the check value behind the end mark, without it, or with neither.
    let end_at = [check_bytes + 1, 1]
        .into_iter()
        .filter_map(|back| rest.len().checked_sub(back))
        .find(|at| ENDS.contains(&rest[*at]));
    let (mut body, end) = match (end_at, direction) {
        (Some(at), _) => (&rest[..at], rest[at]),
        (None, Direction::Up) => (rest, ETX),
        (None, Direction::Down) => (rest, ENQ),
    };
    let mut part = None;
    if *start == SYN
        && let Some((place, after)) = body.split_at_checked(part_bytes)
    {
        let place = match encoding {
            Encoding::Hex => place.to_vec(),
            Encoding::Ascii => from_digits(place),
        };
        let place = place
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let total = (place >> 12).max(1) as u16;
        let index = ((place & 0x0FFF) as u16).clamp(1, total);
        part = Some(Part { total, index });
        body = after;
    }
    let body_bytes_max = BODY_BYTES_MAX - part.map_or(0, |_| part_bytes);
    Frame {
        encoding,
        direction,
        centre,
        station,
        password: u16::from_be_bytes([high, low]),
        function,
        part,
        body: body[..body.len().min(body_bytes_max)].to_vec(),
        end,
    }
}
