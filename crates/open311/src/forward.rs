//! Sending a request to another endpoint once. GeoReport v2 gives a client no way to say that two POSTs are the same request, so
//! that a lost answer leaves open whether it was taken. Every request that is sent carries a mark of its own in its description;
//! before it is sent again the other side's list is read and the request looked for, by the mark, else by place and words.
//!
//! What this cannot rule out: a server that lists requests only after somebody looked at them, or not at all. How long is waited
//! before a request that was not found is sent again, and whether it is, the caller decides.

use crate::fields::{read_created, read_faults};
use crate::forms::{Created, Request};

/// How a mark begins and ends. Plain ASCII, so that it comes back from servers that mangle anything else.
const BEGIN: &str = "[ref:";
const END: char = ']';
/// How far two places may lie apart that are one, in degrees: some 20 m, for servers that round or move to the nearest address.
const PLACE_DEGREES: f64 = 0.0002;
/// How many characters two descriptions must share from their beginning to be one, unless both are shorter and alike.
const WORDS_CHARS: usize = 12;
/// Longest problem that is kept of an answer, in characters.
const SAID_CHARS: usize = 300;

/// What marks a case of this city in the descriptions of other endpoints.
pub fn mark(jurisdiction: &str, number: &str) -> String {
    format!("{BEGIN}{jurisdiction}/{number}{END}")
}

/// The jurisdiction and the number of the first mark in a text.
pub fn marked_by(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (inside, _) = rest.split_once(END)?;
    let (jurisdiction, number) = inside.split_once('/')?;
    let is_plain = |word: &str| !word.is_empty() && !word.contains(char::is_whitespace);
    (is_plain(jurisdiction) && is_plain(number)).then_some((jurisdiction, number))
}

/// The words with the mark behind them, in at most `chars_max` characters: the words are cut, the mark never.
pub fn marked(words: &str, mark: &str, chars_max: usize) -> String {
    let room = chars_max.saturating_sub(mark.chars().count() + 1);
    let cut: String = words.trim().chars().take(room).collect();
    match cut.is_empty() {
        true => mark.to_owned(),
        false => format!("{cut}\n{mark}"),
    }
}

/// Letters and digits of the words alone, without a mark.
fn bare(text: &str) -> Vec<char> {
    let words = text.split_once(BEGIN).map_or(text, |(words, _)| words);
    let letters = words.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// How a request was found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// By its mark: surely.
    Marked(&'a str),
    /// By its service, its place and how its words begin: the mark was cut off there. More than one may match; this is the first.
    Alike(&'a str),
}

/// Looks for a request that may have been taken among those of the other side.
pub fn find<'a>(
    listed: &'a [Request],
    mark: &str,
    service_code: &str,
    place: Option<[f64; 2]>,
    words: &str,
) -> Option<Found<'a>> {
    let says_mark = |request: &&Request| {
        let description = request.description.as_deref();
        description.is_some_and(|text| text.contains(mark))
    };
    if let Some(found) = listed.iter().find(says_mark) {
        return Some(Found::Marked(&found.service_request_id));
    }
    let wanted = bare(words);
    let is_alike = |request: &&Request| {
        let description = request.description.as_deref().unwrap_or_default();
        // Another mark is another case, whatever its words.
        let is_other = marked_by(description).is_some();
        let is_service = request.service_code == service_code;
        !is_other
            && is_service
            && is_near(request.place, place)
            && begin_alike(&bare(description), &wanted)
    };
    let found = listed.iter().find(is_alike)?;
    Some(Found::Alike(&found.service_request_id))
}

fn is_near(one: Option<[f64; 2]>, other: Option<[f64; 2]>) -> bool {
    match (one, other) {
        (Some([a, b]), Some([c, d])) => {
            (a - c).abs() <= PLACE_DEGREES && (b - d).abs() <= PLACE_DEGREES
        }
        // Without a place nothing but the mark tells two requests apart.
        _ => false,
    }
}

fn begin_alike(one: &[char], other: &[char]) -> bool {
    let shared = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    !other.is_empty() && (shared >= WORDS_CHARS || (shared == one.len() && shared == other.len()))
}

/// What an answer to POST Service Request means for sending it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was taken.
    Made(Created),
    /// It was surely not taken, and will not be as it is.
    Refused(String),
    /// It was surely not taken, and may be later.
    Later(String),
    /// Whether it was taken is not known.
    Unsure(String),
}

/// Judges an answer by its status and body.
pub fn judged(status: u16, body: &[u8]) -> Judged {
    let said = || {
        let faults = read_faults(body);
        let words: Vec<String> = faults.into_iter().map(|f| f.description).collect();
        let text = match words.is_empty() {
            true => format!("it answered {status}"),
            false => format!("it answered {status}: {}", words.join("; ")),
        };
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        text.chars().map(plain).take(SAID_CHARS).collect::<String>()
    };
    match status {
        200..=299 => match read_created(body) {
            Ok(made) => Judged::Made(made),
            Err(problem) => Judged::Unsure(format!("it answered {status}, but {}", problem.what)),
        },
        // A key that is missing or does not do, which somebody will put right; too many at once.
        401 | 403 | 407 | 421 | 423 | 425 | 429 => Judged::Later(said()),
        // An answer after the request was worked on for long: it may have been taken.
        408 | 409 | 499 | 500..=599 => Judged::Unsure(said()),
        _ => Judged::Refused(said()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::Status;

    fn listed(id: &str, code: &str, place: Option<[f64; 2]>, description: &str) -> Request {
        Request {
            service_request_id: id.to_owned(),
            status: Status::Open,
            status_notes: None,
            service_name: String::new(),
            service_code: code.to_owned(),
            description: Some(description.to_owned()),
            agency_responsible: None,
            service_notice: None,
            requested_at: None,
            updated_at: None,
            expected_at: None,
            address: None,
            address_id: None,
            zipcode: None,
            place,
            media_url: None,
        }
    }

    #[test]
    fn a_mark_is_read_as_it_was_made_and_is_never_cut() {
        let mark = mark("tianmen", "TM-20261127-0001");
        assert_eq!(mark, "[ref:tianmen/TM-20261127-0001]");
        let text = marked(&"井".repeat(50), &mark, 40);
        assert_eq!(text.chars().count(), 40);
        assert_eq!(marked_by(&text), Some(("tianmen", "TM-20261127-0001")));
        assert_eq!(marked(" ", &mark, 10), mark);
        for none in ["", "[ref:", "[ref:a]", "[ref:/b]", "[ref:a/b c]", "ref:a/b"] {
            assert_eq!(marked_by(none), None, "{none}");
        }
    }

    #[test]
    fn a_request_is_found_by_its_mark_else_by_place_and_words() {
        let at = Some([113.187, 30.676]);
        let words = "陆羽大道井盖缺失一块，有人差点掉下去";
        let mark = mark("tianmen", "TM-1");
        let find = |all: &[Request]| {
            find(all, &mark, "002", at, words).map(|found| match found {
                Found::Marked(id) => format!("marked {id}"),
                Found::Alike(id) => format!("alike {id}"),
            })
        };
        let alike = listed(
            "1",
            "002",
            Some([113.18701, 30.67601]),
            "陆羽大道井盖缺失一块，有人差点…",
        );
        let with_mark = listed("2", "009", None, &format!("{words}\n{mark}"));
        assert_eq!(
            find(&[alike.clone(), with_mark]),
            Some("marked 2".to_owned())
        );
        assert_eq!(
            find(std::slice::from_ref(&alike)),
            Some("alike 1".to_owned())
        );
        for other in [
            Request {
                service_code: "003".to_owned(),
                ..alike.clone()
            },
            Request {
                place: Some([113.188, 30.676]),
                ..alike.clone()
            },
            Request {
                place: None,
                ..alike.clone()
            },
            Request {
                description: Some("陆羽大道路灯不亮，天黑".to_owned()),
                ..alike.clone()
            },
            Request {
                description: None,
                ..alike.clone()
            },
            // The same words and place of another case that was sent: a second report, not this one.
            Request {
                description: Some(format!("{words}\n[ref:tianmen/TM-2]")),
                ..alike
            },
        ] {
            assert_eq!(find(std::slice::from_ref(&other)), None, "{other:?}");
        }
        assert_eq!(
            super::find(&[listed("1", "2", at, "")], &mark, "2", at, ""),
            None,
            "no words say nothing"
        );
    }

    #[test]
    fn what_an_answer_means_for_sending_again() {
        let id = br#"[{"service_request_id": 7, "token": null}]"#;
        let made = Created {
            service_request_id: Some("7".to_owned()),
            ..Created::default()
        };
        assert_eq!(judged(200, id), Judged::Made(made.clone()));
        assert_eq!(judged(201, id), Judged::Made(made));
        let xml = b"<service_requests><request><token>t1</token></request></service_requests>";
        assert!(
            matches!(judged(200, xml), Judged::Made(Created { token: Some(t), .. }) if t == "t1")
        );
        assert!(matches!(
            judged(200, b"<html>thanks</html>"),
            Judged::Unsure(_)
        ));
        let faults = br#"[{"code": 400, "description": "description is too short"}]"#;
        assert_eq!(
            judged(400, faults),
            Judged::Refused("it answered 400: description is too short".to_owned())
        );
        for status in [301, 404, 405, 413, 415, 422] {
            assert!(
                matches!(judged(status, b""), Judged::Refused(_)),
                "{status}"
            );
        }
        for status in [401, 403, 429] {
            assert!(matches!(judged(status, b""), Judged::Later(_)), "{status}");
        }
        for status in [408, 500, 502, 503, 504] {
            assert!(matches!(judged(status, b""), Judged::Unsure(_)), "{status}");
        }
    }
}
