//! Moments as stations write them: RFC 3339, with or without a fraction; real stations leave the zone out, and then mean UTC.

use crate::error;
use model::{Timestamp, Told};

/// Longest text that is looked at, in bytes.
const TIME_BYTES_MAX: usize = 64;
/// `2026-11-22T05:00:00`: what every moment begins with.
const SECONDS_BYTES: usize = 19;

/// Reads a moment. The flag says whether the zone was missing, and UTC assumed (OCPP 1.6, 3.13: times are best in UTC).
///
/// # Errors
/// `ocpp-time` when it is none.
pub fn parse(text: &str, place: &str) -> Result<(Timestamp, bool), Told> {
    let refused = || error::no_time(place, text);
    if text.len() > TIME_BYTES_MAX || text.len() < SECONDS_BYTES || !text.is_ascii() {
        return Err(refused());
    }
    let (_, behind) = text.split_at(SECONDS_BYTES);
    let has_zone = behind.contains(['Z', 'z', '+', '-']);
    let parsed = match has_zone {
        true => Timestamp::parse(text),
        false => Timestamp::parse(&format!("{text}Z")),
    };
    parsed
        .map(|moment| (moment, !has_zone))
        .map_err(|_| refused())
}
