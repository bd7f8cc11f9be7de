//! Measures the plan by the clock, once the city is ready, and takes no more of the time than it may.

use crate::settings::IndicatorSettings;
use api::App;
use api::plan_measure::Times;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Measures until it is dropped.
pub(crate) fn run(app: App, settings: &IndicatorSettings) -> impl Future<Output = ()> + use<> {
    let every = Duration::from_secs(settings.measure_seconds.max(1));
    let busy_percent = settings.busy_percent;
    let times = Times {
        recompute_seconds: settings.recompute_seconds,
        clock_seconds: settings.clock_seconds,
        at_once_max: settings.at_once_max.max(1),
    };
    async move {
        let mut wait = every;
        loop {
            tokio::time::sleep(wait).await;
            wait = every;
            if app.is_ready.load(Ordering::Acquire) {
                let measured = app.measure_due(times).await;
                wait = every.max(rest_after(measured.took, busy_percent));
            }
        }
    }
}

/// How long to rest after work that took so long, so that it takes at most that share of the time.
fn rest_after(took: Duration, busy_percent: u32) -> Duration {
    let busy = busy_percent.clamp(1, 100);
    took * (100 - busy) / busy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_its_share_of_the_time() {
        let took = Duration::from_millis(200);
        for (percent, rest_ms) in [(10, 1_800), (50, 200), (100, 0), (0, 19_800), (400, 0)] {
            assert_eq!(
                rest_after(took, percent),
                Duration::from_millis(rest_ms),
                "{percent}"
            );
        }
    }
}
