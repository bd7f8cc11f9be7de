//! The parameters of a request. One that is given twice is refused (RFC 6749 §3.1), one without a value counts as not given.

use crate::fault::{Answer, Fault};
use std::collections::BTreeMap;

/// Most bytes of all parameters together.
pub const BYTES_MAX: usize = 16 * 1024;

/// A request's parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads `a=1&b=2`, of a query or a body.
    ///
    /// # Errors
    /// `invalid_request` when it is longer than [`BYTES_MAX`] or names a parameter twice.
    pub fn parse(text: &[u8]) -> Answer<Self> {
        if text.len() > BYTES_MAX {
            return Err(Fault::request(format!(
                "the parameters are longer than {BYTES_MAX} bytes"
            )));
        }
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if value.is_empty() {
                continue;
            }
            if found.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Fault::request(format!("{name} is given twice")));
            }
        }
        Ok(Self(found))
    }

    /// One parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// One parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request`, which names it.
    pub fn need(&self, name: &str) -> Answer<&str> {
        self.get(name)
            .ok_or_else(|| Fault::request(format!("{name} is missing")))
    }

    /// The parameters as text again, without one of them.
    pub fn text_without(&self, name: &str) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(self.0.iter().filter(|(n, _)| *n != name));
        text.finish()
    }
}

/// An address with parameters added to its query; it is registered as it is, so its own text is not touched.
pub fn with_query(address: &str, parameters: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    let text = text.finish();
    if text.is_empty() {
        return address.to_owned();
    }
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_twice_is_refused_and_empty_is_not_given() {
        let form = Form::parse(b"a=1&b=&c=%E6%B1%89+1").unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c")),
            (Some("1"), None, Some("汉 1"))
        );
        assert_eq!(
            Form::parse(b"a=1&a=1").unwrap_err().error,
            "invalid_request"
        );
        assert!(Form::parse(&vec![b'a'; BYTES_MAX + 1]).is_err());
        assert_eq!(form.text_without("a"), "c=%E6%B1%89+1");
    }

    #[test]
    fn a_registered_address_keeps_its_own_query() {
        assert_eq!(with_query("https://x/a", &[("s", "")]), "https://x/a");
        assert_eq!(
            with_query("https://x/a", &[("s", "a b&c")]),
            "https://x/a?s=a+b%26c"
        );
        assert_eq!(
            with_query("https://x/a?b=1", &[("s", "1")]),
            "https://x/a?b=1&s=1"
        );
    }
}
