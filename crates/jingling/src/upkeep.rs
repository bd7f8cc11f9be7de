//! When history's files are looked after: every some seconds, and at once when a seal left rows in older files that
//! corrections took the place of. The city's own queries pass over such rows; other engines, which read the
//! folders, count them beside the rows that hold, and should not for longer than it takes to write a day again.
//!
//! A flood of corrections does not write a file again for each: what is asked for while a round runs, or shortly
//! after, is one more round, and a round takes all the corrections of a day that were sealed by then.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// When rounds begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time between rounds that nobody asked for.
    pub every: Duration,
    /// Shortest time from a round's end to the next that was asked for; a round that took longer is followed by a
    /// pause as long as itself, so that at most half of the time goes into them.
    pub pause_min: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(15),
            pause_min: Duration::from_secs(2),
        }
    }
}

impl Pace {
    fn pause(&self, took: Duration) -> Duration {
        took.max(self.pause_min)
    }
}

/// Does rounds for as long as it is not dropped.
pub async fn run<R: Future<Output = ()>>(
    pace: Pace,
    asked: Arc<Notify>,
    mut round: impl FnMut() -> R,
) {
    let mut ticker = interval(pace.every);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rested = Instant::now();
    loop {
        tokio::select! {
            _ = ticker.tick() => {}
            () = asking(&asked, rested) => {}
        }
        let began = Instant::now();
        round().await;
        rested = Instant::now() + pace.pause(began.elapsed());
    }
}

/// Ends when a round is asked for, not before some moment. What is asked before it is kept.
async fn asking(asked: &Notify, rested: Instant) {
    sleep_until(rested).await;
    asked.notified().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;
    use tokio::sync::mpsc::unbounded_channel;

    const NEVER: Duration = Duration::from_secs(86_400);

    #[tokio::test]
    async fn a_round_that_is_asked_for_begins_at_once() {
        let asked = Arc::new(Notify::new());
        let (done, mut rounds) = unbounded_channel();
        let pace = Pace {
            every: NEVER,
            pause_min: Duration::ZERO,
        };
        let running = tokio::spawn(run(pace, Arc::clone(&asked), move || {
            done.send(()).unwrap();
            std::future::ready(())
        }));
        // The first comes with the start.
        rounds.recv().await.unwrap();
        for _ in 0..3 {
            asked.notify_one();
            rounds.recv().await.unwrap();
        }
        running.abort();
    }

    #[tokio::test]
    async fn a_flood_is_one_round() {
        let asked = Arc::new(Notify::new());
        let (begun, mut rounds) = unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let pace = Pace {
            every: NEVER,
            pause_min: Duration::ZERO,
        };
        let own = Arc::clone(&gate);
        let running = tokio::spawn(run(pace, Arc::clone(&asked), move || {
            begun.send(()).unwrap();
            let gate = Arc::clone(&own);
            async move { gate.acquire().await.unwrap().forget() }
        }));
        rounds.recv().await.unwrap();
        // A thousand corrections while a round runs ask for one more.
        for _ in 0..1_000 {
            asked.notify_one();
        }
        gate.add_permits(1);
        rounds.recv().await.unwrap();
        gate.add_permits(1);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(rounds.try_recv().is_err());
        // And during the pause after it they wait.
        running.abort();
        let (begun, mut rounds) = unbounded_channel();
        let pace = Pace {
            every: NEVER,
            pause_min: NEVER,
        };
        let running = tokio::spawn(run(pace, Arc::clone(&asked), move || {
            begun.send(()).unwrap();
            std::future::ready(())
        }));
        rounds.recv().await.unwrap();
        asked.notify_one();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(rounds.try_recv().is_err());
        running.abort();
    }

    #[test]
    fn a_long_round_is_followed_by_a_pause_as_long() {
        let pace = Pace::default();
        assert_eq!(pace.pause(Duration::from_millis(3)), pace.pause_min);
        let long = Duration::from_secs(40);
        assert_eq!(pace.pause(long), long);
    }
}
