//! Limits of one pack. What is beyond them is refused with a problem that names the limit.

/// Limits of one pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes (default 1 MiB).
    pub message_bytes_max: usize,
    /// Most records in one pack (default 10,000).
    pub records_max: usize,
    /// Longest text or data value, in bytes (default and greatest: what the model holds).
    pub text_bytes_max: usize,
    /// Most problems told about one pack; the rest are counted (default 20).
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 1024 * 1024,
            records_max: 10_000,
            text_bytes_max: model::value::TEXT_BYTES_MAX,
            problems_max: 20,
        }
    }
}
