//! One SenML record as it is on the wire (RFC 8428 clause 4 and table 2), nothing applied yet.

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// One record. Times are seconds, absolute or relative; units are SenML unit symbols.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// Base name: stands before every name from here on.
    pub bn: Option<Cow<'a, str>>,
    /// Base time, added to every time from here on.
    pub bt: Option<f64>,
    /// Base unit, for records without one.
    pub bu: Option<Cow<'a, str>>,
    /// Base value, added to every number from here on.
    pub bv: Option<f64>,
    /// Base sum.
    pub bs: Option<f64>,
    /// Version of the pack.
    pub bver: Option<f64>,
    /// Name.
    pub n: Option<Cow<'a, str>>,
    /// Unit.
    pub u: Option<Cow<'a, str>>,
    /// Number.
    pub v: Option<f64>,
    /// Text.
    pub vs: Option<Cow<'a, str>>,
    /// Boolean.
    pub vb: Option<bool>,
    /// Data, base64 with the URL-safe alphabet, no padding.
    pub vd: Option<Cow<'a, str>>,
    /// Sum: the integral of the value over time.
    pub s: Option<f64>,
    /// Time.
    pub t: Option<f64>,
    /// Update time: the longest time until the next record, seconds.
    pub ut: Option<f64>,
}

/// The labels of RFC 8428.
pub const LABELS: [&str; 15] = [
    "bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut",
];

/// Text that borrows from the message where it can.
struct Text<'a>(Cow<'a, str>);
impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        d.deserialize_str(Reader)
    }
}

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(RecordReader)
    }
}

struct RecordReader;

/// Puts a member into its field; the same label twice is an error.
fn put<'de, A, T, W>(field: &mut Option<T>, label: &str, members: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    W: Deserialize<'de> + Into<T>,
{
    if field.is_some() {
        return Err(A::Error::custom(format!("the label `{label}` comes twice")));
    }
    let value: W = members.next_value().map_err(|e| {
        let told = e.to_string();
        let what = told.split(" at line ").next().unwrap_or(&told);
        A::Error::custom(format!("`{label}`: {what}"))
    })?;
    *field = Some(value.into());
    Ok(())
}

impl<'a> From<Text<'a>> for Cow<'a, str> {
    fn from(text: Text<'a>) -> Self {
        text.0
    }
}

impl<'de> Visitor<'de> for RecordReader {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SenML record (an object)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Record<'de>, A::Error> {
        let mut record = Record::default();
        let m = &mut members;
        while let Some(Text(label)) = m.next_key()? {
            let r = &mut record;
            match label.as_ref() {
                "bn" => put::<_, _, Text<'_>>(&mut r.bn, &label, m)?,
                "bt" => put::<_, _, f64>(&mut r.bt, &label, m)?,
                "bu" => put::<_, _, Text<'_>>(&mut r.bu, &label, m)?,
                "bv" => put::<_, _, f64>(&mut r.bv, &label, m)?,
                "bs" => put::<_, _, f64>(&mut r.bs, &label, m)?,
                "bver" => put::<_, _, f64>(&mut r.bver, &label, m)?,
                "n" => put::<_, _, Text<'_>>(&mut r.n, &label, m)?,
                "u" => put::<_, _, Text<'_>>(&mut r.u, &label, m)?,
                "v" => put::<_, _, f64>(&mut r.v, &label, m)?,
                "vs" => put::<_, _, Text<'_>>(&mut r.vs, &label, m)?,
                "vb" => put::<_, _, bool>(&mut r.vb, &label, m)?,
                "vd" => put::<_, _, Text<'_>>(&mut r.vd, &label, m)?,
                "s" => put::<_, _, f64>(&mut r.s, &label, m)?,
                "t" => put::<_, _, f64>(&mut r.t, &label, m)?,
                "ut" => put::<_, _, f64>(&mut r.ut, &label, m)?,
                // Clause 4.4: a label that ends in `_` must be understood; others may be left alone.
                must if must.ends_with('_') => {
                    return Err(A::Error::custom(format!(
                        "the label `{must}` must be understood, and is not"
                    )));
                }
                _ => {
                    m.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(record)
    }
}
