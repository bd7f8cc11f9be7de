//! How a request is refused: one of the standard's error types (clause 5.5.2) with what is wrong, where, and how to mend it, in
//! both languages.

use model::Told;
use model::problem::{Both, both};
use serde_json::{Value, json};

/// The error types of clause 5.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// What is to be made is there already.
    AlreadyExists,
    /// The data do not meet the operation's requirements.
    BadRequestData,
    /// The operation does not fit the state of the system.
    Conflict,
    /// Something failed here.
    InternalError,
    /// The request is not of the right form.
    InvalidRequest,
    /// A context that the request names cannot be had.
    LdContextNotAvailable,
    /// There is one tenant only.
    NoMultiTenantSupport,
    /// There is no such tenant.
    NonexistentTenant,
    /// The operation is not offered.
    OperationNotSupported,
    /// What is asked for is not there.
    ResourceNotFound,
    /// The question is beyond a limit.
    TooComplexQuery,
    /// The answer is beyond a limit.
    TooManyResults,
}

impl ErrorType {
    /// Its name, the last part of its URI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlreadyExists => "AlreadyExists",
            Self::BadRequestData => "BadRequestData",
            Self::Conflict => "Conflict",
            Self::InternalError => "InternalError",
            Self::InvalidRequest => "InvalidRequest",
            Self::LdContextNotAvailable => "LdContextNotAvailable",
            Self::NoMultiTenantSupport => "NoMultiTenantSupport",
            Self::NonexistentTenant => "NonexistentTenant",
            Self::OperationNotSupported => "OperationNotSupported",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::TooComplexQuery => "TooComplexQuery",
            Self::TooManyResults => "TooManyResults",
        }
    }

    /// The HTTP status of clause 6.3.2.
    pub const fn status(self) -> u16 {
        match self {
            Self::AlreadyExists | Self::Conflict => 409,
            Self::BadRequestData | Self::InvalidRequest => 400,
            Self::InternalError => 500,
            Self::LdContextNotAvailable => 504,
            Self::NoMultiTenantSupport => 501,
            Self::NonexistentTenant | Self::ResourceNotFound => 404,
            Self::OperationNotSupported => 422,
            Self::TooComplexQuery | Self::TooManyResults => 403,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::AlreadyExists => "Already exists",
            Self::BadRequestData => "Bad request data",
            Self::Conflict => "Conflict",
            Self::InternalError => "Internal error",
            Self::InvalidRequest => "Invalid request",
            Self::LdContextNotAvailable => "JSON-LD context not available",
            Self::NoMultiTenantSupport => "No multi-tenant support",
            Self::NonexistentTenant => "Nonexistent tenant",
            Self::OperationNotSupported => "Operation not supported",
            Self::ResourceNotFound => "Resource not found",
            Self::TooComplexQuery => "Too complex query",
            Self::TooManyResults => "Too many results",
        }
    }
}

/// A request, or a part of one, that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {told}", .kind.name())]
pub struct Refusal {
    /// The standard's error type.
    pub kind: ErrorType,
    /// What is wrong, where, and how to mend it.
    pub told: Told,
}

impl Refusal {
    /// A refusal of any type.
    pub fn new(
        kind: ErrorType,
        code: &str,
        what: Both,
        place: impl Into<Both>,
        mend: Both,
    ) -> Self {
        Self {
            kind,
            told: Told::new(code, what, place, mend),
        }
    }

    /// As problem details (clause 5.5.3): sent as `application/json`.
    pub fn to_json(&self) -> Value {
        json!({
            "type": format!("https://uri.etsi.org/ngsi-ld/errors/{}", self.kind.name()),
            "title": self.kind.title(),
            "status": self.kind.status(),
            "detail": self.told.to_string(),
            "code": self.told.code,
            "place": self.told.place.en,
        })
    }

    /// The same with `outer` before its place.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        let inner = &self.told.place;
        let join = |inner: &str| match inner {
            "" => outer.to_owned(),
            inner => format!("{outer}.{inner}"),
        };
        *self.told.place = both(join(&inner.zh), join(&inner.en));
        self
    }
}

/// `BadRequestData` from its code, its place, and its texts: what in Chinese and English, mending in Chinese and English.
pub(crate) fn bad(
    code: &str,
    place: &str,
    what: (impl Into<String>, impl Into<String>),
    mend: (&str, &str),
) -> Refusal {
    let (zh, en) = what;
    Refusal::new(
        ErrorType::BadRequestData,
        code,
        both(zh, en),
        place,
        both(mend.0, mend.1),
    )
}
