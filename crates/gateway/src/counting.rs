//! What a door counts: plain atomics with their names.

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares a door's counters, `Metrics`, and their figures by name.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters since the start of the door, and gauges of now.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$doc])* pub $name: std::sync::atomic::AtomicU64,)*
        }
        impl Metrics {
            /// Every figure with its name, in the order of declaration.
            pub fn figures(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(std::sync::atomic::Ordering::Relaxed)),)*]
            }
        }
    };
}
pub(crate) use metrics;

pub(crate) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}

pub(crate) fn less(gauge: &AtomicU64) {
    gauge.fetch_sub(1, Ordering::Relaxed);
}
