//! One line as it is on the wire: its head (measurement and tags), fields, time. Escapes are undone here; what a name
//! means is decided in [`crate::map`].

use crate::config::Limits;
use model::Problem;
use model::problem::quote;
use std::borrow::Cow;

/// What a line says before its fields: which series it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Head<'a> {
    /// The measurement.
    pub measurement: Cow<'a, str>,
    /// Tags, in order.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<'a> {
    /// `1`, `1.5e3`: a finite number.
    Float(f64),
    /// `1i`.
    Integer(i64),
    /// `1u`.
    Unsigned(u64),
    /// `t`, `true`, `F`, …
    Boolean(bool),
    /// `"text"`.
    Text(Cow<'a, str>),
}

/// Splits a message into its lines, each with its number from 1; line ends inside quoted text do not
/// end a line. Blank lines and comments are left out.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    let mut number = 1;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = line_end(rest);
            let (line, at) = (&rest[..end], number);
            number += line.bytes().filter(|b| *b == b'\n').count() + 1;
            rest = rest.get(end + 1..).unwrap_or_default();
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                return Some((at, line));
            }
        }
    })
}

/// Where the first line of `text` ends. Quotes count in the fields alone: after the first bare space.
fn line_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    // Nearly all lines have neither quotes nor escapes.
    match memchr::memchr3(b'\n', b'"', b'\\', bytes) {
        None => return bytes.len(),
        Some(at) if bytes[at] == b'\n' => return at,
        Some(_) => {}
    }
    let starts_comment = text.trim_start_matches([' ', '\t', '\r']).starts_with('#');
    let (mut in_fields, mut quoted, mut at) = (false, false, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\n' if !quoted => return at,
            b'\\' if !starts_comment && bytes.get(at + 1) != Some(&b'\n') => at += 1,
            b' ' if !quoted && at > 0 => in_fields = true,
            b'"' if in_fields && !starts_comment => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The bytes of a line before its fields when they hold no escapes, so that equal bytes are equal heads.
pub fn plain_head(line: &str) -> Option<&str> {
    let end = memchr::memchr2(b' ', b'\\', line.as_bytes())?;
    (line.as_bytes()[end] == b' ').then(|| &line[..end])
}

/// Reads a line up to its fields; gives where they begin. A problem's place is the column, from 1.
///
/// # Errors
/// `line-syntax`, `line-limit`.
pub fn head<'a>(line: &'a str, limits: &Limits) -> Result<(Head<'a>, usize), Problem> {
    let mut reader = Reader { line, at: 0 };
    let measurement = reader.word([b',', b' ']);
    if measurement.is_empty() {
        return Err(reader.problem("line-syntax", "the measurement is missing"));
    }
    let mut tags = Vec::new();
    while reader.take(b',') {
        let (key, value) = (reader.key()?, reader.word([b',', b' ', b'=']));
        if value.is_empty() {
            return Err(reader.problem(
                "line-syntax",
                &format!("the tag \"{}\" has no value", quote(&key)),
            ));
        }
        tags.push((key, value));
        check_count(tags.len(), limits.tags_max, "tags", &reader)?;
    }
    Ok((Head { measurement, tags }, reader.at))
}

/// Reads a line from the end of its head on: gives each field, at least one, to `each`, and answers the time, in the
/// message's precision. A problem's place is the column, from 1.
///
/// # Errors
/// `line-syntax`, `line-field`, `number-not-finite`, `line-time`, `line-limit`. What `each` was given does not count then.
pub fn fields<'a>(
    line: &'a str,
    from: usize,
    limits: &Limits,
    mut each: impl FnMut(Cow<'a, str>, Field<'a>),
) -> Result<Option<i64>, Problem> {
    let mut reader = Reader { line, at: from };
    if !reader.take(b' ') {
        return Err(reader.problem("line-syntax", "the fields are missing"));
    }
    reader.spaces();
    let mut count = 0;
    loop {
        let key = reader.key()?;
        let value = reader.field(&key, limits)?;
        each(key, value);
        count += 1;
        check_count(count, limits.fields_max, "fields", &reader)?;
        if !reader.take(b',') {
            break;
        }
    }
    reader.spaces();
    match reader.rest() {
        "" => Ok(None),
        text => Ok(Some(text.trim_end().parse::<i64>().map_err(|_| {
            reader.problem("line-time", &format!("\"{}\" is not a time", quote(text)))
        })?)),
    }
}

fn check_count(count: usize, max: usize, what: &str, reader: &Reader<'_>) -> Result<(), Problem> {
    if count <= max {
        return Ok(());
    }
    Err(reader.problem(
        "line-limit",
        &format!("the line has more than {max} {what}"),
    ))
}

struct Reader<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn take(&mut self, c: u8) -> bool {
        let found = self.line.as_bytes().get(self.at) == Some(&c);
        self.at += usize::from(found);
        found
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    /// Text up to one of `ends` (all ASCII) that is not escaped; `\` escapes `,`, `=`, space and itself.
    fn word<const N: usize>(&mut self, ends: [u8; N]) -> Cow<'a, str> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().position(|b| {
            let ends_here = !escaped && ends.contains(&b);
            escaped = !escaped && b == b'\\';
            ends_here
        });
        let end = end.unwrap_or(rest.len());
        self.at += end;
        unescape(&rest[..end], &[',', '=', ' ', '\\'])
    }

    fn key(&mut self) -> Result<Cow<'a, str>, Problem> {
        let key = self.word([b'=', b',', b' ']);
        if key.is_empty() {
            return Err(self.problem("line-syntax", "a name is missing"));
        }
        if !self.take(b'=') {
            return Err(self.problem("line-syntax", &format!("\"{}\" has no `=`", quote(&key))));
        }
        Ok(key)
    }

    fn field(&mut self, key: &str, limits: &Limits) -> Result<Field<'a>, Problem> {
        if self.take(b'"') {
            let rest = self.rest();
            let mut escaped = false;
            let end = rest.char_indices().find(|(_, c)| {
                let ends_here = !escaped && *c == '"';
                escaped = !escaped && *c == '\\';
                ends_here
            });
            let Some((end, _)) = end else {
                return Err(self.problem(
                    "line-syntax",
                    &format!("the text of \"{}\" has no closing quote", quote(key)),
                ));
            };
            if end > limits.text_bytes_max {
                let what = format!(
                    "the text of \"{}\" has {end} bytes; at most {}",
                    quote(key),
                    limits.text_bytes_max
                );
                return Err(self.problem("line-limit", &what));
            }
            self.at += end + 1;
            return Ok(Field::Text(unescape(&rest[..end], &['"', '\\'])));
        }
        let rest = self.rest();
        let end = rest.bytes().position(|b| b == b',' || b == b' ');
        let word = &rest[..end.unwrap_or(rest.len())];
        let field = number_or_boolean(word);
        match field {
            Some(Field::Float(number)) if !number.is_finite() => Err(self.problem(
                "number-not-finite",
                &format!(
                    "\"{}\" is {}, which is not a finite number",
                    quote(key),
                    quote(word)
                ),
            )),
            Some(field) => {
                self.at += word.len();
                Ok(field)
            }
            None => Err(self.problem(
                "line-field",
                &format!(
                    "\"{}\" has the value {}, which is neither number, boolean nor quoted text",
                    quote(key),
                    quote(word)
                ),
            )),
        }
    }

    fn problem(&self, code: &str, what: &str) -> Problem {
        let mend = match code {
            "line-time" => "send the time as a whole number in the precision of the request",
            "number-not-finite" => "leave the field out while its sensor has no value",
            "line-limit" => "send less in one line",
            "line-field" => "write 1.5, 3i, 3u, true or \"text\"",
            _ => {
                "write measurement,tag=value field=1.5 time; escape commas, spaces and = in names with \\"
            }
        };
        Problem::new(code, what, format!("column {}", self.at + 1), mend)
    }
}

fn number_or_boolean<'a>(word: &str) -> Option<Field<'a>> {
    match word {
        "t" | "T" | "true" | "True" | "TRUE" => return Some(Field::Boolean(true)),
        "f" | "F" | "false" | "False" | "FALSE" => return Some(Field::Boolean(false)),
        _ => {}
    }
    if let Some(digits) = word.strip_suffix('i') {
        return digits.parse().ok().map(Field::Integer);
    }
    if let Some(digits) = word.strip_suffix('u') {
        return digits.parse().ok().map(Field::Unsigned);
    }
    word.parse().ok().map(Field::Float)
}

/// Takes the `\` away in front of the characters of `which`; elsewhere it stands for itself.
fn unescape<'a>(text: &'a str, which: &[char]) -> Cow<'a, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && which.contains(next) => {
                out.push(*next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}
