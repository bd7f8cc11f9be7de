//! Formats of times as PostgreSQL writes them (`'YYYY-MM-DD HH24:MI'`) in the letters that the lake's functions know
//! (`'%Y-%m-%d %H:%M'`). BI tools put such formats into what they ask; unread they would not fail but give nonsense.

use model::Problem;

/// Each pattern with its letters, longer ones before those that they begin with.
const PATTERNS: [(&str, &str); 32] = [
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("HH", "%I"),
    ("IYYY", "%G"),
    ("IW", "%V"),
    ("IDDD", ""),
    ("ID", "%u"),
    ("YYYY", "%Y"),
    ("Y,YYY", ""),
    ("YYY", ""),
    ("YY", "%y"),
    ("MONTH", "%B"),
    ("MON", "%b"),
    ("MM", "%m"),
    ("MI", "%M"),
    ("MS", "%3f"),
    ("DDD", "%j"),
    ("DD", "%d"),
    ("DAY", "%A"),
    ("DY", "%a"),
    ("SSSSS", ""),
    ("SS", "%S"),
    ("US", "%6f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("TZH", ""),
    ("TZM", ""),
    ("TZ", "UTC"),
    ("OF", "+00"),
    ("Q", "%q"),
    ("WW", ""),
    ("D", ""),
];

/// A format in the lake's letters, for clocks of UTC or of another zone, whose name and offset have no letters.
///
/// # Errors
/// `sql-not-supported` with the pattern that has none.
pub fn translated(format: &str, is_utc: bool) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            out += &quoted[..end].replace('%', "%%");
            rest = quoted.get(end + 1..).unwrap_or_default();
            continue;
        }
        // "FM" asks for no padding; what is padded here is digits only, and tools ask for it before names.
        if let Some(after) = strip(rest, "FM") {
            rest = after;
            continue;
        }
        let found = PATTERNS
            .iter()
            .find_map(|(pattern, letters)| Some((strip(rest, pattern)?, pattern, letters)));
        match found {
            Some((_, pattern @ (&"TZ" | &"OF"), _)) if !is_utc => {
                return Err(unknown(format, pattern));
            }
            Some((after, _, letters)) if !letters.is_empty() => {
                // A fraction after the seconds' point takes the point with it, which is how it is read, too.
                if letters.ends_with('f') && out.ends_with('.') {
                    out.pop();
                    out += &letters.replace('%', "%.");
                } else {
                    out += letters;
                }
                rest = after;
            }
            Some((_, pattern, _)) => return Err(unknown(format, pattern)),
            None if first.is_ascii_alphabetic() && !rest.starts_with('T') => {
                return Err(unknown(format, &rest[..1]));
            }
            None => {
                out += if first == '%' {
                    "%%"
                } else {
                    &rest[..first.len_utf8()]
                };
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    Ok(out)
}

fn strip<'a>(text: &'a str, pattern: &str) -> Option<&'a str> {
    let head = text.get(..pattern.len())?;
    head.eq_ignore_ascii_case(pattern)
        .then(|| &text[pattern.len()..])
}

fn unknown(format: &str, pattern: &str) -> Problem {
    Problem::new(
        "sql-not-supported",
        format!(
            "the pattern {pattern} of the format '{}' is not known here",
            model::problem::quote(format)
        ),
        "statement",
        "use YYYY, MM, DD, HH24, MI, SS, MS, US, Q, IW and their like, and put other words into double quotes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_send_is_read() {
        for (format, letters) in [
            ("YYYY-MM-DD HH24:MI:SS.US", "%Y-%m-%d %H:%M:%S%.6f"),
            ("yyyy-mm-dd", "%Y-%m-%d"),
            ("YYYYMMDD", "%Y%m%d"),
            ("YYYY-MM-DD\"T\"HH24:MI:SS", "%Y-%m-%dT%H:%M:%S"),
            ("YYYY-MM-DDTHH24:MI", "%Y-%m-%dT%H:%M"),
            ("FMMonth DD, YYYY", "%B %d, %Y"),
            ("YYYY年MM月DD日", "%Y年%m月%d日"),
            ("YYYY-\"Q\"Q", "%Y-Q%q"),
            ("IYYY-IW", "%G-%V"),
            ("100% DY", "100%% %a"),
        ] {
            assert_eq!(translated(format, true).unwrap(), letters, "{format}");
        }
    }

    #[test]
    fn what_has_no_letters_is_told() {
        for format in ["J", "YYYY WW", "SSSSS", "HH24:MI x"] {
            let problem = translated(format, true).unwrap_err();
            assert_eq!(problem.code, "sql-not-supported", "{format}");
        }
        assert_eq!(translated("HH24 OF", true).unwrap(), "%H +00");
        assert!(translated("HH24 OF", false).is_err());
    }
}
