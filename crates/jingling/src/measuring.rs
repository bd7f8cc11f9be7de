//! Measures the plan once the city is ready: at once when something changed, by the clock otherwise, and takes no more of the time than it
//! may. Quick indicators and slow ones go side by side, each within that share.

use crate::settings::IndicatorSettings;
use api::App;
use api::plan_measure::{Lane, Times};
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Measures until it is dropped.
pub(crate) fn run(app: App, settings: &IndicatorSettings) -> impl Future<Output = ()> + use<> {
    let every = Duration::from_millis(settings.measure_ms.max(1));
    let busy_percent = settings.busy_percent;
    let times = Times {
        recompute_seconds: settings.recompute_seconds,
        clock_seconds: settings.clock_seconds,
        at_once_max: settings.at_once_max.max(1),
        quick_max: Duration::from_millis(settings.quick_ms),
    };
    async move {
        let quick = lane(app.clone(), Lane::Quick, times, every, busy_percent);
        let slow = lane(app, Lane::Slow, times, every, busy_percent);
        tokio::join!(quick, slow);
    }
}

/// Measures the indicators of one lane, one after another.
async fn lane(app: App, lane: Lane, times: Times, every: Duration, busy_percent: u32) {
    let mut wait = every;
    let mut shown = app.shown.get().cloned();
    loop {
        sleep(wait).await;
        // In a quiet city the next message is what is waited for. People's records change without one: they are looked at by the clock.
        match &mut shown {
            Some(shown) => {
                // Passed, or the projector ended: looking is right either way.
                let _passed = timeout(every / 2, shown.changed()).await;
            }
            None => shown = app.shown.get().cloned(),
        }
        wait = every;
        if app.is_ready.load(Ordering::Acquire) {
            let measured = app.measure_due(lane, times).await;
            wait = every.max(rest_after(measured.took, busy_percent));
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
