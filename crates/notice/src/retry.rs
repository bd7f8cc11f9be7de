//! When what could not be sent is tried again: exponentially later, scattered, and not for ever. Pure.

use serde::{Deserialize, Serialize};

/// How often and when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Time before the second attempt, seconds.
    pub first_seconds: i64,
    /// Longest time between two attempts, seconds.
    pub seconds_max: i64,
    /// Attempts, the first included.
    pub attempts_max: i64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first_seconds: 15,
            seconds_max: 1_800,
            attempts_max: 12,
        }
    }
}

impl Retry {
    /// How long to wait after `attempts` that failed, seconds; `None`: it is given up. Doubled each time, and of that between
    /// half and all: `draw`, from 0 to 1, says how much.
    pub fn after(&self, attempts: i64, draw: f64) -> Option<i64> {
        if attempts >= self.attempts_max {
            return None;
        }
        let doublings = u32::try_from(attempts.saturating_sub(1))
            .unwrap_or(0)
            .min(30);
        let whole = self
            .first_seconds
            .max(1)
            .saturating_mul(1_i64 << doublings)
            .min(self.seconds_max.max(1));
        let half = whole / 2;
        // At most a day, and a draw of at most 1: no precision is lost.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        let scattered = ((whole - half) as f64 * draw.clamp(0.0, 1.0)) as i64;
        Some((half + scattered).max(1))
    }
}
