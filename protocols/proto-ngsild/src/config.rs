//! Limits of one message. What is beyond them is refused with a problem that names the limit.

/// Limits of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes (default 1 MiB).
    pub message_bytes_max: usize,
    /// Deepest nesting of objects and arrays, from the message's outermost (default 24; at most 100).
    pub depth_max: usize,
    /// Most entities in one message (default 5,000).
    pub entities_max: usize,
    /// Most attributes of one entity (default 512).
    pub attributes_max: usize,
    /// Longest text or JSON value of one attribute, in bytes (default and greatest: what the model holds).
    pub text_bytes_max: usize,
    /// Most problems told about one message; the rest are counted (default 20).
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 1024 * 1024,
            depth_max: 24,
            entities_max: 5_000,
            attributes_max: 512,
            text_bytes_max: model::value::TEXT_BYTES_MAX,
            problems_max: 20,
        }
    }
}
