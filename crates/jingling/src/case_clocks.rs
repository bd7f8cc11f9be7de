//! The clocks of cases: every few seconds what is overdue is escalated and what was suspended long enough runs again, and
//! whoever watches the event stream is told.

use api::app::App;
use cases::Ticked;
use serde_json::json;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How often it is looked, in seconds: well within the minutes that clocks are written in.
const EVERY_S: u64 = 15;

/// Runs until the task is ended.
pub async fn run(app: App) {
    let mut ticker = tokio::time::interval(Duration::from_secs(EVERY_S));
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        match app.cases.tick(app.now()).await {
            Ok(done) => done.iter().for_each(|ticked| tell(&app, ticked)),
            Err(error) => tracing::error!(%error, "the clocks of cases: trying again"),
        }
    }
}

fn tell(app: &App, ticked: &Ticked) {
    let case = &ticked.case;
    let level = ticked.level.as_ref();
    let notice = json!({"id": case.id, "state": case.state, "number": case.number, "alert_id": case.alert_id,
        "organisation_id": case.organisation_id, "action": ticked.action, "level": level.map(|(level, ..)| level),
        "level_zh": level.map(|(_, zh, _)| zh), "level_en": level.map(|(.., en)| en)});
    app.events
        .tell("case", identity::Permission::CaseRead, notice);
}
