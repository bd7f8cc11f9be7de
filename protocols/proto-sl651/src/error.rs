//! How this protocol's problems are told: one constructor for each, so that a code is always said with the same sentence.

use model::Problem;

/// A frame whose check value (校验码, CRC) does not fit its bytes: the named refusal of a damaged frame.
pub fn check_value(said: u16, reckoned: u16) -> Problem {
    Problem::new(
        "sl651-check-value",
        format!("the check value is {said:04X}, and the bytes before it give {reckoned:04X}"),
        "frame, check value",
        "send the frame again; if all of a station's frames are like this, see which check value its maker computes (CRC-16 with \
         polynomial x16+x15+x2+1, high byte first)",
    )
}

/// A frame that is not built as the standard says.
pub fn frame(code: &str, what: impl Into<String>, place: &str) -> Problem {
    Problem::new(
        code,
        what,
        place,
        "check the station's or the relay's frame building against SL 651-2014, clauses 6.4 and 6.5",
    )
}

/// A body that does not read as its function code says.
pub fn body(code: &str, what: impl Into<String>, place: impl Into<String>) -> Problem {
    Problem::new(
        code,
        what,
        place,
        "check what the station puts into this message against SL 651-2014, clause 6.6 and annex C",
    )
}

/// A limit of the configuration was met.
pub fn limit(code: &str, what: impl Into<String>, place: &str, setting: &str) -> Problem {
    Problem::new(
        code,
        what,
        place,
        format!("send less at once, or raise {setting}"),
    )
}

/// Something to be sent that the standard has no form for.
pub fn cannot_say(what: impl Into<String>, place: impl Into<String>) -> Problem {
    Problem::new(
        "sl651-cannot-say",
        what,
        place,
        "stay within the lengths and ranges that SL 651-2014 gives the field",
    )
}
