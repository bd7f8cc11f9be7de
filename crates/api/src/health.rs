//! Whether the platform lives, is ready, and how it does: for supervisors and Prometheus.

use crate::app::App;
use crate::error::ApiError;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// Alive: the process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, body = String)))]
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Ready: every projection has caught up with what was durable at the start.
// A line `degraded: …` follows for each thing that is wrong while the rest goes on.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses((status = 200, body = String), (status = 503, body = crate::error::ProblemBody)))]
pub async fn ready(State(app): State<App>) -> Response {
    if app.is_ready.load(Ordering::Acquire) {
        let backup = app.backup_age_seconds().map_or_else(
            || "no backup was ever taken\n".to_owned(),
            |age| format!("the last good backup was taken {age} s ago\n"),
        );
        let drill = app
            .drill_age_seconds()
            .map_or_else(String::new, |(age, is_good)| {
                let how = if is_good { "was good" } else { "was not good" };
                format!("the last restore drill {how}, {age} s ago\n")
            });
        let mut text = format!("ready\n{backup}{drill}");
        let stall = app.ingest.journal().stall().map(|stall| match stall {
            journal::Stall::Full => {
                "the journal's disk is full: nothing is taken until there is room"
            }
            journal::Stall::ReadOnly => {
                "the journal's disk is read-only: nothing is taken until it is writable"
            }
            journal::Stall::NoHandles => {
                "no file handle is left for the journal: nothing is taken until there is one"
            }
            journal::Stall::Failed => "the journal cannot write: nothing is taken until it can",
        });
        let notices = app.notices.all();
        let told = notices.iter().map(|n| n.what.as_str()).chain(stall);
        for what in told {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "degraded: {what}");
        }
        text.into_response()
    } else {
        ApiError::not_ready().into_response()
    }
}

/// The API's description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "health", security(()), responses((status = 200, body = Object)))]
pub async fn description(State(app): State<App>) -> Json<utoipa::openapi::OpenApi> {
    Json(app.description.clone())
}

/// Counters in Prometheus' text form.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()), responses((status = 200, body = String)))]
pub async fn metrics(State(app): State<App>) -> Response {
    let mut text = String::new();
    let c = &app.ingest.counters;
    let durable = *app.ingest.journal().durable().borrow();
    let own = [
        (
            "jingling_messages_accepted_total",
            "counter",
            "Messages accepted since the start.",
            c.messages_accepted.load(Ordering::Relaxed),
        ),
        (
            "jingling_messages_rejected_total",
            "counter",
            "Messages kept as dead letters since the start.",
            c.messages_rejected.load(Ordering::Relaxed),
        ),
        (
            "jingling_messages_duplicate_total",
            "counter",
            "Messages sent again since the start.",
            c.messages_duplicate.load(Ordering::Relaxed),
        ),
        (
            "jingling_values_accepted_total",
            "counter",
            "Attribute values accepted since the start.",
            c.values_accepted.load(Ordering::Relaxed),
        ),
        (
            "jingling_indicators_measured_total",
            "counter",
            "Measurements of the plan's indicators since the start.",
            app.plan.measurements.load(Ordering::Relaxed),
        ),
        (
            "jingling_journal_durable_position",
            "gauge",
            "Records of the journal on disk.",
            durable,
        ),
        (
            "jingling_journal_first_position",
            "gauge",
            "The oldest record that the journal keeps.",
            app.ingest.journal().first_position(),
        ),
        (
            "jingling_journal_segments",
            "gauge",
            "Segment files of the journal.",
            app.ingest.journal().segments() as u64,
        ),
        (
            "jingling_journal_stalled",
            "gauge",
            "1 while the journal cannot write.",
            u64::from(app.ingest.journal().stall().is_some()),
        ),
        (
            "jingling_journal_damaged_records",
            "gauge",
            "Records that were passed because they cannot be read; see /api/v1/notices.",
            app.notices.records(),
        ),
        (
            "jingling_notices",
            "gauge",
            "Notices that stand: what is wrong with what is stored; see /api/v1/notices.",
            app.notices.all().len() as u64,
        ),
        (
            "jingling_twin_position",
            "gauge",
            "Records that the current state has applied.",
            app.twin.position(),
        ),
        (
            "jingling_lake_sealed_position",
            "gauge",
            "Records sealed to Parquet.",
            app.lake.sealed_position(),
        ),
        (
            "jingling_entities",
            "gauge",
            "Entities in the current state.",
            app.twin.counts().values().map(|&n| n as u64).sum(),
        ),
    ];
    let mut lines: Vec<crate::app::MetricLine> = own
        .into_iter()
        .map(|(name, kind, help, value)| (name.to_owned(), kind, help, value))
        .collect();
    lines.extend(
        app.door_metrics
            .get()
            .into_iter()
            .flat_map(|metrics| metrics()),
    );
    lines.extend(app.backup_age_seconds().map(|age| {
        (
            "jingling_backup_age_seconds".to_owned(),
            "gauge",
            "Seconds since the last good backup was taken; absent when there never was one.",
            age,
        )
    }));
    if let Some((age, is_good)) = app.drill_age_seconds() {
        lines.push((
            "jingling_backup_drill_age_seconds".to_owned(),
            "gauge",
            "Seconds since the last restore drill began; absent when there never was one.",
            age,
        ));
        lines.push((
            "jingling_backup_drill_good".to_owned(),
            "gauge",
            "1 when the last restore drill found all as the backup says.",
            u64::from(is_good),
        ));
    }
    for (name, kind, help, value) in lines {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    }
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
        .into_response()
}
