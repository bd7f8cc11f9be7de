//! Errors in the standard's form: section Errors.

use crate::forms::Format;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One error: what the HTTP status says, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The HTTP status: 400 for what is wrong or missing, 403 for a key that is missing or does not do, 404 for what is not there.
    pub code: u16,
    /// What is wrong, for people.
    pub description: String,
}

impl Fault {
    /// A fault.
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    /// 400: something is missing or wrong.
    pub fn invalid(description: impl Into<String>) -> Self {
        Self::new(400, description)
    }

    /// 403: the key is missing or does not do.
    pub fn key() -> Self {
        Self::new(403, "api_key was not provided, or is not valid")
    }

    /// 404.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(
            404,
            format!("{what} {} was not found", model::problem::quote(id)),
        )
    }

    /// Faults as they are answered.
    pub fn answer(faults: &[Self], format: Format) -> String {
        format.render("errors", &json!(faults))
    }
}
