//! Files of the national table layout come in: readings and registers of the stations that their codes name; from one city to another
//! and out again the same; over HTTP and, while the city does not run, on the command line.

use crate::support::{Answer, City, jingling, new_city, text};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::Output;

const KNOWN: &str = "2026-05-01T00:00:00Z";

fn id(kind: &str) -> String {
    format!("urn:ngsi-ld:{kind}:intake-1")
}

fn said(kind: &str, at: &str, more: &[(&str, Json)]) -> Json {
    let mut entity = json!({"id": id(kind), "type": kind});
    for (name, value) in more {
        let mut property = json!({"type": "Property", "value": value, "observedAt": at});
        if let Json::Array(pair) = value {
            property["value"] = pair[0].clone();
            property["unitCode"] = pair[1].clone();
        }
        entity[*name] = property;
    }
    entity
}

const STATIONS: [(&str, &str); 4] = [
    ("WaterObserved", "61512900"),
    ("WaterReservoir", "61599001"),
    ("SluiceGate", "61599002"),
    ("PumpingStation", "61599003"),
];

async fn tell(city: &City, entities: &[Json]) {
    let collector = city.token_of("collector");
    for entity in entities {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&collector).json(&json!([entity]));
        let path = "/ngsi-ld/v1/entityOperations/upsert";
        let answer = city.ask("POST", path, with).await;
        assert!(answer.status < 300, "{entity}: {}", answer.body);
    }
}

/// A city that knows the stations by their codes and nothing else of them.
async fn with_stations(settings: &[&str]) -> City {
    let city = City::start_with(settings);
    register(&city).await;
    city
}

async fn register(city: &City) {
    let all = STATIONS.map(|(kind, code)| said(kind, KNOWN, &[("stationCode", json!(code))]));
    tell(city, &all).await;
    shown(city, "SELECT count(*) AS n FROM ST_STBPRP_B", 4).await;
}

/// Waits until a count is so.
async fn shown(city: &City, sql: &str, n: u64) {
    crate::support::until(&format!("{n} of {sql}"), async || {
        city.sql(sql).await["n"] == n
    })
    .await;
}

async fn readings(city: &City) {
    let (first, second) = ("2026-07-01T00:00:00Z", "2026-07-01T00:05:00Z");
    let all = [
        said(
            "WaterObserved",
            first,
            &[
                ("waterLevel", json!([27.5, "MTR"])),
                ("flow", json!([910.0, "MQS"])),
                ("precipitation1h", json!([12.5, "MMT"])),
                ("precipitationDay", json!([31.0, "MMT"])),
            ],
        ),
        said(
            "WaterObserved",
            second,
            &[
                ("waterLevel", json!([27.62, "MTR"])),
                ("precipitation5min", json!([1.5, "MMT"])),
            ],
        ),
        said(
            "WaterReservoir",
            first,
            &[
                ("waterLevelUpstream", json!([91.25, "MTR"])),
                ("waterLevelDownstream", json!([70.5, "MTR"])),
                ("storage", json!([7_123_456.7, "MTQ"])),
                ("inflow", json!([15.5, "MQS"])),
                ("outflow", json!([10.0, "MQS"])),
            ],
        ),
        said(
            "SluiceGate",
            first,
            &[
                ("waterLevelUpstream", json!([26.5, "MTR"])),
                ("outflow", json!([55.5, "MQS"])),
            ],
        ),
        said(
            "PumpingStation",
            second,
            &[
                ("waterLevelDownstream", json!([24.5, "MTR"])),
                ("pumpsRunning", json!(3)),
                ("power", json!([2400.0, "KWT"])),
                ("flow", json!([24.5, "MQS"])),
            ],
        ),
    ];
    tell(city, &all).await;
    shown(city, "SELECT count(*) AS n FROM ST_PUMP_R", 1).await;
}

/// A table as another system gets it.
async fn export(city: &City, table: &str) -> String {
    let duty = city.token_of("duty");
    let sql = format!("SELECT * FROM {table} ORDER BY 1, 2");
    let body = json!({"query": sql, "format": "csv"});
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&duty).json(&body);
    let answer = city.ask("POST", "/api/v1/sql", with).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn send(
    city: &City,
    token: &str,
    (table, query): (&str, &str),
    file: impl Into<Vec<u8>>,
) -> Answer {
    let path = format!("/api/v1/intakes/{table}?{query}");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(token).body(file.into());
    city.ask("POST", &path, with).await
}

const TABLES: [&str; 5] = [
    "ST_RIVER_R",
    "ST_PPTN_R",
    "ST_RSVR_R",
    "ST_WAS_R",
    "ST_PUMP_R",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_one_city_gives_another_takes_and_gives_the_same() {
    let (from, to) = (with_stations(&[]).await, with_stations(&[]).await);
    readings(&from).await;
    let duty = to.token_of("duty");
    for table in TABLES {
        let given = export(&from, table).await;
        let rows = given.lines().count() as u64 - 1;
        assert!(rows > 0, "{table}");
        let looked = send(
            &to,
            &duty,
            (table, "file=a.csv&dry_run=true"),
            given.clone(),
        )
        .await;
        assert_eq!(looked.status, 200, "{}", looked.body);
        assert_eq!(export(&to, table).await.lines().count(), 1, "{table}");
        let taken = send(&to, &duty, (table, "file=a.csv"), given.clone()).await;
        assert_eq!(taken.status, 201, "{table}: {}", taken.body);
        let report = taken.json();
        assert_eq!(report["written"], true);
        assert_eq!(report["taken"]["rows_new"], rows, "{report}");
        assert_eq!(export(&to, table).await, given, "{table}");
        // A file that comes again changes nothing, under whatever name and in whatever order.
        let again = send(&to, &duty, (table, "file=b.csv"), given.clone()).await;
        assert_eq!(again.status, 200, "{}", again.body);
        let report = again.json();
        assert_eq!(
            (&report["written"], &report["taken"]["rows_same"]),
            (&json!(false), &json!(rows)),
            "{report}"
        );
        // Nor does what a city gave come back to it as something new.
        let own = from.token_of("duty");
        let back = send(&from, &own, (table, "file=a.csv"), given).await;
        assert_eq!(back.json()["taken"]["rows_new"], 0, "{}", back.body);
    }
    // The journal says which line of which file a value is from, and the trail who brought it in.
    let door = "SELECT count(*) AS n FROM observations WHERE door = 'file'";
    assert_eq!(to.sql(door).await["n"], 17);
    let auditor = to.token_of("auditor");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&auditor);
    let trail = to
        .ask("GET", "/api/v1/audit?action=data.import", with)
        .await;
    let acts = trail.json()["items"].as_array().unwrap().clone();
    assert_eq!(acts.len(), TABLES.len(), "{acts:?}");
    let told = format!("{acts:?}");
    assert!(
        told.contains("table:ST_RIVER_R") && told.contains("sha256"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_other_systems_come_in_and_what_is_wrong_is_told_by_line() {
    let city = with_stations(&[]).await;
    let duty = city.token_of("duty");
    // Other names' case, another order, GB18030, three ways to write a time, columns that nobody has.
    let file = "tm;q;站名;stcd;wptn;z\n2026-07-01 08:00:00;910;岳口;61512900;4;27.5\n2026/7/1 8:05;;岳口;61512900;5;27.62\n2026年7月1日 8:10;;;61512900;;\"27.7\"\n";
    let (bytes, _, _) = encoding_rs::GB18030.encode(file);
    let taken = send(&city, &duty, ("st_river_r", "file=r.txt"), bytes.to_vec()).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let report = taken.json();
    assert_eq!(
        (&report["encoding"], &report["taken"]["values"]),
        (&json!("GB18030"), &json!(4))
    );
    let notes = report["notes"].as_array().unwrap();
    let left: Vec<&str> = (notes.iter())
        .map(|note| note["what_zh"].as_str().unwrap())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].contains("站名") && left[1].contains("wptn"),
        "{left:?}"
    );
    assert_eq!(
        export(&city, "ST_RIVER_R").await.lines().nth(3).unwrap(),
        "61512900,2026-07-01T08:10:00,27.7,,,,,,,,,"
    );

    let wrong = "STCD,TM,DRP,INTV,DYP\n61512900,2026-07-01 09:00:00,2.5,1.00,\n99999999,2026-07-01 09:00:00,2.5,1,\n61512900,2026-07-01,1,1,\n61512900,2026-07-01 10:00:00,6.5,6.00,\n61512900,2026-07-01 11:00:00,6.5,,\n61512900,2026-07-01 12:00:00,,,\n61512900,2026-07-01 13:00:00,many,1,\n61512900,2126-07-01 13:00:00,1,1,\n61512900,2026-07-01 09:00:00,3.5,1.0,\n";
    let looked = send(
        &city,
        &duty,
        ("ST_PPTN_R", "file=p.csv&dry_run=true"),
        wrong,
    )
    .await;
    let report = looked.json();
    let problems = report["problems"].as_array().unwrap();
    let told: Vec<(u64, &str)> = (problems.iter())
        .map(|p| (p["line"].as_u64().unwrap(), p["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (3, "import-entity"),
            (4, "import-time"),
            (5, "import-unsaid"),
            (6, "import-unsaid"),
            (7, "import-nothing"),
            (8, "import-cell"),
            (9, "time-out-of-range"),
            (10, "import-twice"),
        ],
        "{report}"
    );
    for problem in problems {
        for key in ["what_zh", "what_en", "mend_zh", "mend_en"] {
            assert!(!problem[key].as_str().unwrap().is_empty(), "{problem}");
        }
        assert_ne!(problem["what_zh"], problem["what_en"], "{problem}");
    }
    let refused = send(&city, &duty, ("ST_PPTN_R", "file=p.csv"), wrong).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "import-lines"),
        "{}",
        refused.body
    );
    assert_eq!(export(&city, "ST_PPTN_R").await.lines().count(), 1);
    let skipped = send(
        &city,
        &duty,
        ("ST_PPTN_R", "file=p.csv&on_error=skip"),
        wrong,
    )
    .await;
    assert_eq!(skipped.status, 201, "{}", skipped.body);
    assert_eq!(skipped.json()["taken"]["rows_new"], 1);
    // What makes a whole file no file of the table.
    for (table, query, file, status, code) in [
        (
            "ST_RIVER_R",
            "file=a.csv",
            "STCD,Z\n1,2\n",
            400,
            "import-header",
        ),
        (
            "ST_RIVER_R",
            "file=a.csv",
            "STCD,TM,X\n1,2,3\n",
            400,
            "import-header",
        ),
        (
            "ST_RIVER_R",
            "file=a.csv",
            "STCD,stcd,TM,Z\n1,1,2,3\n",
            400,
            "import-header",
        ),
        (
            "ST_RIVER_R",
            "file=a.pdf",
            "STCD,TM,Z\n",
            400,
            "import-format",
        ),
        (
            "ST_RIVER_R",
            "file=a.xls",
            "STCD,TM,Z\n",
            400,
            "import-format",
        ),
        (
            "ST_RIVER_R",
            "file=a.csv&on_error=hope",
            "STCD,TM,Z\n",
            400,
            "import-on-error",
        ),
        (
            "ST_FORECAST_F",
            "file=a.csv",
            "STCD,TM,Z\n",
            404,
            "intake-unknown",
        ),
        ("towns", "file=a.csv", "STCD,TM,Z\n", 404, "intake-unknown"),
    ] {
        let refused = send(&city, &duty, (table, query), file).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (status, code),
            "{file}: {}",
            refused.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_come_in_and_corrections_stay() {
    let city = with_stations(&[]).await;
    let duty = city.token_of("duty");
    let stations = "STCD,STNM,RVNM,LGTD,LTTD,DRNA,ADDVCD\n61512900,岳口水文站,汉江,113.0625,30.5,142056,429006\n61599003,试验泵站,,,,,\n";
    let taken = send(&city, &duty, ("ST_STBPRP_B", "file=b.csv"), stations).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let sql = "SELECT \"STNM\", \"LGTD\", \"DRNA\" FROM ST_STBPRP_B WHERE \"STCD\" = '61512900'";
    let row = city.sql(sql).await;
    assert_eq!(
        row,
        json!({"STNM": "岳口水文站", "LGTD": 113.0625, "DRNA": 142_056.0})
    );
    let again = send(&city, &duty, ("ST_STBPRP_B", "file=b.csv"), stations).await;
    assert_eq!(again.json()["taken"]["rows_same"], 2, "{}", again.body);
    let capacities = "STCD,TTCP,DDZ\n61599001,12.5,80\n";
    let taken = send(&city, &duty, ("ST_RSVRFCCH_B", "file=c.csv"), capacities).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let stored = "SELECT totalCapacity AS c FROM WaterReservoir_now";
    assert_eq!(city.sql(stored).await["c"], 12_500_000.0);

    // A reading beyond belief is kept and marked; a person puts it right, and the file that comes again leaves it so.
    let file = "STCD,TM,Z\n61512900,2026-07-01 08:00:00,275\n";
    let taken = send(&city, &duty, ("ST_RIVER_R", "file=r.csv"), file).await;
    assert_eq!(
        taken.json()["taken"]["values_out_of_range"],
        1,
        "{}",
        taken.body
    );
    let correction = json!({
        "entity_id": id("WaterObserved"), "attribute": "waterLevel", "observed_at": "2026-07-01T00:00:00Z", "value": 27.5, "reason": "小数点错位",
    });
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&duty).json(&correction);
    let corrected = city.ask("POST", "/api/v1/corrections", with).await;
    assert!(corrected.status < 300, "{}", corrected.body);
    let n = "SELECT count(*) AS n FROM ST_RIVER_R WHERE \"Z\" = 27.5";
    shown(&city, n, 1).await;
    let again = send(&city, &duty, ("ST_RIVER_R", "file=r.csv"), file).await;
    let report = again.json();
    assert_eq!(
        (&report["written"], &report["taken"]["values_corrected"]),
        (&json!(false), &json!(1)),
        "{report}"
    );
    assert_eq!(city.sql(n).await["n"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_department_that_it_is_of_brings_it_in() {
    let city = with_stations(&[]).await;
    let file = "STCD,TM,Z\n61512900,2026-07-01 08:00:00,27.5\n";
    for role in ["analyst", "collector", "auditor"] {
        let refused = send(
            &city,
            &city.token_of(role),
            ("ST_RIVER_R", "file=r.csv"),
            file,
        )
        .await;
        assert_eq!(refused.status, 403, "{role}: {}", refused.body);
    }
    let person = async |name: &str, organisation: &str| {
        let of = ["--organisation", organisation];
        let password = city.add_named(name, "赵钱", "operator", &of);
        city.sign_in(name, &password).await.cookie.unwrap()
    };
    let ours = person("shuili.zhao", "shuili").await;
    let others = person("chengguan.qian", "chengguan").await;
    let ask = async |cookie: &str, method: &str, path: &str| {
        let is_file = method == "POST";
        let with = |r: reqwest::RequestBuilder| {
            let r = r.header("cookie", cookie).header("x-jingling-csrf", "1");
            if is_file { r.body(file) } else { r }
        };
        city.ask(method, path, with).await
    };
    let list = ask(&ours, "GET", "/api/v1/intakes").await.json();
    let names: Vec<&str> = (list["items"].as_array().unwrap().iter())
        .map(|one| one["table"].as_str().unwrap())
        .collect();
    for table in TABLES {
        assert!(names.contains(&table), "{names:?}");
    }
    let none = ask(&others, "GET", "/api/v1/intakes").await.json();
    assert_eq!(none["items"], json!([]));
    let refused = ask(&others, "POST", "/api/v1/intakes/ST_RIVER_R?file=r.csv").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "forbidden"),
        "{}",
        refused.body
    );
    let taken = ask(&ours, "POST", "/api/v1/intakes/ST_RIVER_R?file=r.csv").await;
    assert_eq!(taken.status, 201, "{}", taken.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_files_in_while_the_city_does_not_run() {
    let (_folder, dir) = new_city();
    let start = || City::start_in(tempfile::tempdir().unwrap(), dir.clone(), &[]);
    let place = |name: &str| Path::new(&dir).join(name).display().to_string();
    let import = |name: &str, more: &[&str]| -> Output {
        let file = place(name);
        let words = ["import", &dir, &file, "--table", "ST_RIVER_R"];
        jingling(&[&words[..], more].concat())
    };
    let file =
        "STCD,TM,Z,Q\n61512900,2026-07-01 08:00:00,27.5,910\n61512900,2026-07-01 08:05:00,27.62,\n";
    std::fs::write(place("r.csv"), file).unwrap();
    let city = start();
    register(&city).await;
    // Beside the running city it may look, and is told where else the file can go.
    let looked = import("r.csv", &["--dry-run", "--json"]);
    assert!(looked.status.success(), "{}", text(&looked.stderr));
    let report: Json = serde_json::from_slice(&looked.stdout).unwrap();
    assert_eq!(report["taken"]["rows_new"], 2, "{report}");
    let refused = import("r.csv", &[]);
    assert!(
        !refused.status.success() && text(&refused.stderr).contains("/api/v1/intakes/"),
        "{}",
        text(&refused.stderr)
    );
    drop(city);
    let wrong = import("r.csv", &["--title-zh", "水情"]);
    assert!(
        text(&wrong.stderr).contains("--title-zh"),
        "{}",
        text(&wrong.stderr)
    );
    let taken = import("r.csv", &["--json"]);
    assert!(taken.status.success(), "{}", text(&taken.stderr));
    let report: Json = serde_json::from_slice(&taken.stdout).unwrap();
    assert_eq!(report["written"], true, "{report}");
    let again = import("r.csv", &[]);
    assert!(
        again.status.success() && text(&again.stderr).contains("nothing is new"),
        "{}",
        text(&again.stderr)
    );
    // As a workbook and as Parquet, as the command line itself writes them: the same.
    for name in ["r.xlsx", "r.parquet"] {
        let words = ["export", &dir, "--table", "ST_RIVER_R", "--output"];
        let written = jingling(&[&words[..], &[&place(name)]].concat());
        assert!(written.status.success(), "{}", text(&written.stderr));
        let again = import(name, &["--json"]);
        let report: Json = serde_json::from_slice(&again.stdout)
            .unwrap_or_else(|_| panic!("{name}: {}", text(&again.stderr)));
        assert_eq!(
            (&report["taken"]["rows_same"], &report["taken"]["rows_new"]),
            (&json!(2), &json!(0)),
            "{name}: {report}"
        );
    }
    std::fs::write(place("bad.csv"), "STCD,TM,Z\n1,2026-07-01 08:00:00,2\n").unwrap();
    let bad = import("bad.csv", &["--report", &place("bad-report.csv")]);
    assert_eq!(bad.status.code(), Some(1), "{}", text(&bad.stderr));
    assert!(
        text(&bad.stderr).contains("第 2 行"),
        "{}",
        text(&bad.stderr)
    );
    let report = std::fs::read_to_string(place("bad-report.csv")).unwrap();
    assert!(report.contains("没有编码"), "{report}");
    // The city finds it when it starts.
    let city = start();
    shown(&city, "SELECT count(*) AS n FROM ST_RIVER_R", 2).await;
    city.shows(&id("WaterObserved"), "waterLevel", 27.62).await;
}
