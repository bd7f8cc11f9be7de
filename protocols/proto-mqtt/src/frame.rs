//! Bytes ⇄ frames: the fixed header (2.1), a type with flags and a length of one to four bytes.

use crate::error::Fault;

/// Longest fixed header, in bytes.
pub const HEADER_BYTES_MAX: usize = 5;

/// A fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Packet type (upper four bits of the first byte).
    pub kind: u8,
    /// Flags (lower four bits).
    pub flags: u8,
    /// Length of the header itself, in bytes.
    pub header_bytes: usize,
    /// Length of what follows it, in bytes.
    pub body_bytes: usize,
}

impl Header {
    /// Length of the whole packet, in bytes.
    pub const fn total_bytes(&self) -> usize {
        self.header_bytes + self.body_bytes
    }
}

/// Reads the fixed header at the front of `bytes`; `None` when it is not all there yet.
///
/// # Errors
/// A length that runs over four bytes or is written longer than it need be (1.5.5).
pub fn header(bytes: &[u8]) -> Result<Option<Header>, Fault> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    match variable_integer(rest)? {
        None => Ok(None),
        Some((body_bytes, length_bytes)) => Ok(Some(Header {
            kind: first >> 4,
            flags: first & 0x0f,
            header_bytes: 1 + length_bytes,
            body_bytes: body_bytes as usize,
        })),
    }
}

/// Reads a variable byte integer (1.5.5): its value and how many bytes it took.
///
/// # Errors
/// More than four bytes, or more bytes than needed.
pub fn variable_integer(bytes: &[u8]) -> Result<Option<(u32, usize)>, Fault> {
    let mut value = 0u32;
    for n in 0..4 {
        let Some(&byte) = bytes.get(n) else {
            return Ok(None);
        };
        value |= u32::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            if n > 0 && byte == 0 {
                return Err(Fault::malformed(
                    "a length is written longer than it need be",
                    "variable byte integer",
                ));
            }
            return Ok(Some((value, n + 1)));
        }
    }
    Err(Fault::malformed(
        "a length runs over four bytes",
        "variable byte integer",
    ))
}

/// Writes a variable byte integer; values above 268,435,455 do not exist in MQTT.
pub fn put_variable_integer(out: &mut Vec<u8>, value: usize) {
    let mut rest = value;
    loop {
        let byte = (rest % 128) as u8;
        rest /= 128;
        out.push(if rest > 0 { byte | 0x80 } else { byte });
        if rest == 0 {
            break;
        }
    }
}

/// How many bytes [`put_variable_integer`] writes.
pub const fn variable_integer_bytes(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}
