//! The MQTT door's counters in Prometheus' words.

use api::app::MetricLine;
use gateway::mqtt::Metrics;

/// The counters now.
pub fn mqtt(metrics: &Metrics) -> Vec<MetricLine> {
    metrics
        .figures()
        .into_iter()
        .map(|(name, value)| {
            let kind = if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            };
            (
                format!("jingling_mqtt_{name}"),
                kind,
                "Of the MQTT door.",
                value,
            )
        })
        .collect()
}
