//! Limits of the whole desk. What one resource allows stands in its [`crate::Policy`].

/// Limits of the whole desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest id, name of a class, person or key, in bytes (default 128).
    pub id_bytes_max: usize,
    /// Most slots that one resource has at a time (default 20,000: a year of half hours).
    pub slots_max: usize,
    /// Most units of one resource (default 1,000).
    pub units_max: u32,
    /// Most classes of one slot or queue (default 20).
    pub classes_max: usize,
    /// Most resources and queues, each (default 20,000).
    pub declared_max: usize,
    /// Most people waiting in one queue (default 5,000).
    pub tickets_max: usize,
    /// How long what was answered to a key is kept, in seconds (default 7 days).
    pub keys_kept_s: i64,
    /// How often keys are looked through for old ones, in seconds (default 1 hour).
    pub keys_swept_s: i64,
    /// How long after its begin an interval may still be asked for, in seconds (default 60: a request takes its time).
    pub begun_ago_s: i64,
    /// Most requests in one transaction (default 512).
    pub batch_max: usize,
    /// Most requests that wait for the writer; more are told to come again (default 20,000).
    pub waiting_requests_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            id_bytes_max: 128,
            slots_max: 20_000,
            units_max: 1_000,
            classes_max: 20,
            declared_max: 20_000,
            tickets_max: 5_000,
            keys_kept_s: 7 * 86_400,
            keys_swept_s: 3_600,
            begun_ago_s: 60,
            batch_max: 512,
            waiting_requests_max: 20_000,
        }
    }
}
