//! The doors' counters in Prometheus' words.

use api::app::MetricLine;

/// Figures of a door as lines: `jingling_<door>_<name>`.
pub fn lines(
    door: &str,
    help: &'static str,
    figures: impl IntoIterator<Item = (&'static str, u64)>,
) -> Vec<MetricLine> {
    let line = |(name, value): (&str, u64)| {
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        (format!("jingling_{door}_{name}"), kind, help, value)
    };
    figures.into_iter().map(line).collect()
}
