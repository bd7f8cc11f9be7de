//! Zones as psql asks for them: what is shown, and whose clock is read. What is expected is what PostgreSQL 15 answers, where
//! nothing else is said.

use crate::support::foreign::{answered, has_psql, psql, psql_where};
use crate::support::{open, queries};
use pgdoor::Limits;

/// Questions asked in Shanghai's zone, with their answers. The first level is of 16:00 there, one a second follows.
const IN_SHANGHAI: [(&str, &str); 46] = [
    ("SHOW timezone", "Asia/Shanghai"),
    ("SELECT current_setting('TimeZone')", "Asia/Shanghai"),
    // Moments are shown.
    (
        "SELECT min(observed_at) FROM observations",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT opened_at FROM cases WHERE id = 1",
        "2026-11-23 16:00:10.5+08",
    ),
    (
        "SELECT max(observed_at) FROM \"WaterObserved\" WHERE observed_at < '2026-11-23 16:00:10'",
        "2026-11-23 16:00:09+08",
    ),
    // Texts, dates and timestamps become moments.
    (
        "SELECT '2026-11-23 16:00:00'::timestamptz",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT CAST('2026-11-23T08:00:00Z' AS TIMESTAMP WITH TIME ZONE)",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT TIMESTAMP '2026-11-23 16:00:00'::timestamptz",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT DATE '2026-11-23'::timestamptz",
        "2026-11-23 00:00:00+08",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at < '2026-11-23 16:00:10'",
        "10",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at < '2026-11-23 16:00:10+08'",
        "10",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at < '2026-11-23T08:00:10Z'",
        "10",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at < TIMESTAMP '2026-11-23 16:00:10'",
        "10",
    ),
    (
        "SELECT count(*) FROM observations WHERE '2026-11-23 16:00:10'::timestamptz > observed_at",
        "10",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at BETWEEN '2026-11-23 16:00:00' AND '2026-11-23 16:00:09'",
        "10",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at IN ('2026-11-23 16:00:00', '2026-11-23 08:00:00')",
        "1",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at >= DATE '2026-11-23' AND observed_at < DATE '2026-11-24'",
        "1000",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at BETWEEN DATE '2026-11-22' AND DATE '2026-11-23'",
        "0",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at - INTERVAL '16 hours' <= DATE '2026-11-23'",
        "1",
    ),
    // Moments become what the clock shows.
    (
        "SELECT DISTINCT (observed_at + INTERVAL '8 hours')::date FROM observations",
        "2026-11-24",
    ),
    (
        "SELECT min(observed_at)::timestamp FROM observations",
        "2026-11-23 16:00:00",
    ),
    (
        "SELECT min(observed_at)::time FROM observations",
        "16:00:00",
    ),
    (
        "SELECT extract(hour FROM min(observed_at)), date_part('day', min(observed_at)) FROM observations",
        "16|23",
    ),
    (
        "SELECT extract(epoch FROM min(observed_at)) FROM observations",
        "1795420800",
    ),
    (
        "SELECT to_char(min(observed_at), 'YYYY-MM-DD HH24:MI') FROM observations",
        "2026-11-23 16:00",
    ),
    // Days and hours are the zone's.
    (
        "SELECT date_trunc('day', min(observed_at)) FROM observations",
        "2026-11-23 00:00:00+08",
    ),
    (
        "SELECT date_trunc('hour', observed_at) AS hour, count(*) FROM observations GROUP BY 1 ORDER BY 1",
        "2026-11-23 16:00:00+08|1000",
    ),
    (
        "SELECT date_trunc('day', observed_at), count(*) FROM observations GROUP BY date_trunc('day', observed_at)",
        "2026-11-23 00:00:00+08|1000",
    ),
    (
        "SELECT '2026-01-31 01:00:00'::timestamptz + INTERVAL '1 month'",
        "2026-02-28 01:00:00+08",
    ),
    (
        "SELECT date_bin(INTERVAL '1 day', min(observed_at), TIMESTAMP '2026-01-01') FROM observations",
        "2026-11-23 00:00:00+08",
    ),
    (
        "SELECT current_date = (now() AT TIME ZONE 'Asia/Shanghai')::date",
        "t",
    ),
    // A zone that is named stays.
    (
        "SELECT min(observed_at) AT TIME ZONE 'UTC' FROM observations",
        "2026-11-23 08:00:00",
    ),
    (
        "SELECT min(observed_at) AT TIME ZONE 'Asia/Tokyo' FROM observations",
        "2026-11-23 17:00:00",
    ),
    (
        "SELECT TIMESTAMP '2026-11-23 08:00:00' AT TIME ZONE 'UTC'",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT date_trunc('day', TIMESTAMP '2026-11-23 20:00:00' AT TIME ZONE 'utc')",
        "2026-11-24 00:00:00+08",
    ),
    (
        "SELECT date_trunc('day', min(observed_at) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM observations",
        "2026-11-23 08:00:00+08",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at < TIMESTAMP '2026-11-23 08:00:10' AT TIME ZONE 'UTC'",
        "10",
    ),
    // Where types meet by themselves.
    (
        "SELECT min(observed_at) FROM observations UNION ALL SELECT TIMESTAMP '2026-11-23 16:00:00'",
        "2026-11-23 16:00:00+08\n2026-11-23 16:00:00+08",
    ),
    (
        "SELECT coalesce(opened_at, TIMESTAMP '2026-11-23 16:00:00') FROM cases WHERE id = 2",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT CASE WHEN id = 2 THEN TIMESTAMP '2026-11-23 16:00:00' ELSE opened_at END FROM cases WHERE id = 2",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT coalesce(opened_at, TIMESTAMP '2026-11-23 08:00:00' AT TIME ZONE 'UTC') FROM cases WHERE id = 2",
        "2026-11-23 16:00:00+08",
    ),
    (
        "SELECT count(*) FROM observations WHERE observed_at IN (SELECT TIMESTAMP '2026-11-23 16:00:01')",
        "1",
    ),
    // The lake's own.
    (
        "SELECT to_local_time(min(observed_at)), from_unixtime(1795420800) FROM observations",
        "2026-11-23 16:00:00|2026-11-23 16:00:00",
    ),
    (
        "SELECT * FROM buckets('2026-11-23 00:00:00', '2026-11-23 02:00:00', '1 hour')",
        "2026-11-23 00:00:00+08\n2026-11-23 01:00:00+08",
    ),
    (
        "SELECT to_timestamp('2026-11-23 16:00:00'), to_timestamp(1795420800)",
        "2026-11-23 16:00:00+08|2026-11-23 16:00:00+08",
    ),
    (
        "SELECT time_bucket('1 hour', min(observed_at), '2026-11-23 00:30:00') FROM observations",
        "2026-11-23 15:30:00+08",
    ),
];

#[tokio::test]
async fn clocks_are_shanghais() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let mut wrong = String::new();
    for (sql, expected) in IN_SHANGHAI {
        let asked = format!("SET TIME ZONE 'Asia/Shanghai'; {sql}");
        let said = psql(&door, "", &["-A", "-t", "-c", &asked]).await;
        if !said.good || said.out.trim_end() != expected {
            wrong += &format!(
                "{sql}\n  {expected:?} was expected, but: {}{}\n",
                said.out, said.err
            );
        }
    }
    assert_eq!(wrong, "");
}

#[tokio::test]
async fn clocks_that_change_twice_a_year() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    for (sql, expected) in [
        (
            "SELECT '2026-07-01 12:00:00'::timestamptz, '2026-12-01 12:00:00'::timestamptz",
            "2026-07-01 12:00:00-04|2026-12-01 12:00:00-05",
        ),
        // A day of 23 hours.
        (
            "SELECT '2026-03-07 12:00:00'::timestamptz + INTERVAL '1 day', '2026-03-07 12:00:00'::timestamptz + INTERVAL '24 hours'",
            "2026-03-08 12:00:00-04|2026-03-08 13:00:00-04",
        ),
        (
            "SELECT date_trunc('day', '2026-03-08 12:00:00'::timestamptz), date_trunc('month', '2026-11-23 12:00:00'::timestamptz)",
            "2026-03-08 00:00:00-05|2026-11-01 00:00:00-04",
        ),
    ] {
        let asked = format!("SET TIME ZONE 'America/New_York'; {sql}");
        assert_eq!(answered(&door, &asked).await, expected, "{sql}");
    }
    // PostgreSQL takes one of the two moments; here it is said that there is none, or that there are two.
    for reading in ["2026-03-08 02:30:00", "2026-11-01 01:30:00"] {
        let asked = format!("SET TIME ZONE 'America/New_York'; SELECT '{reading}'::timestamptz");
        let said = psql(&door, "", &["-A", "-t", "-c", &asked]).await;
        assert!(!said.good, "{reading}: {}", said.out);
    }
}

#[tokio::test]
async fn a_zone_is_asked_for_in_many_ways() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let shown = "SELECT min(observed_at) FROM observations";
    for (before, expected) in [
        ("", "2026-11-23 08:00:00+00"),
        ("SET timezone TO 'PRC';", "2026-11-23 16:00:00+08"),
        ("SET SESSION TIME ZONE 8;", "2026-11-23 16:00:00+08"),
        (
            "SET timezone = 'Asia/Kolkata';",
            "2026-11-23 13:30:00+05:30",
        ),
        ("SET TIME ZONE 'GMT-8';", "2026-11-23 16:00:00+08"),
        (
            "SET TIME ZONE INTERVAL '-03:30' HOUR TO MINUTE;",
            "2026-11-23 04:30:00-03:30",
        ),
        (
            "SET TIME ZONE 'PRC'; SET TIME ZONE DEFAULT;",
            "2026-11-23 08:00:00+00",
        ),
        (
            "BEGIN; SET LOCAL TIME ZONE 'PRC'; COMMIT;",
            "2026-11-23 08:00:00+00",
        ),
    ] {
        assert_eq!(
            answered(&door, &format!("{before} {shown}")).await,
            expected,
            "{before}"
        );
    }
    let asks = ["-A", "-t", "-c", "SHOW TIME ZONE", "-c", shown];
    let expected = "Asia/Shanghai\n2026-11-23 16:00:00+08\n";
    let said = psql_where(&door, "", &[("PGTZ", "Asia/Shanghai")], &asks).await;
    assert_eq!(said.out, expected, "{}", said.err);
    let options = "options='-c timezone=Asia/Shanghai'";
    assert_eq!(psql(&door, options, &asks).await.out, expected);
    // RESET goes back to what the client began with.
    let said = psql(
        &door,
        options,
        &[
            "-A",
            "-t",
            "-c",
            "SET timezone = 'UTC'; RESET timezone; SHOW timezone",
        ],
    );
    assert_eq!(said.await.out, "Asia/Shanghai\n");
    let wrong = ["-v", "VERBOSITY=verbose", "-c", "SET TIME ZONE 'Mars/Base'"];
    let said = psql(&door, "", &wrong).await;
    assert!(
        said.err
            .contains("ERROR:  22023: invalid value for parameter \"TimeZone\": \"Mars/Base\""),
        "{}",
        said.err
    );
}
