//! The national table layout of water, SL 323: what the city knows stands in the standard's tables, over HTTP, psql and the command
//! line; who may not see something does not see it there; and a city's own pack declares tables while it runs.

use crate::support::{City, jingling, text, token, until};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::Command;

fn id(kind: &str, name: &str) -> String {
    format!("urn:ngsi-ld:{kind}:sl323-{name}")
}

/// An entity: text, numbers with their unit, relations and JSON, each of one moment.
fn entity(kind: &str, name: &str, at: &str, said: &[(&str, Json)]) -> Json {
    let mut entity = json!({"id": id(kind, name), "type": kind});
    for (attribute, value) in said {
        entity[*attribute] = match value {
            // [value, unit]
            Json::Array(pair) => {
                json!({"type": "Property", "value": pair[0], "unitCode": pair[1], "observedAt": at})
            }
            Json::Object(object) if object.contains_key("of") => {
                json!({"type": "Relationship", "object": object["of"], "observedAt": at})
            }
            Json::Object(object) if object.contains_key("coordinates") => {
                json!({"type": "GeoProperty", "value": value, "observedAt": at})
            }
            Json::Object(object) => {
                json!({"type": "JsonProperty", "json": object["json"], "observedAt": at})
            }
            _ => json!({"type": "Property", "value": value, "observedAt": at}),
        };
    }
    entity
}

/// When things were registered, and two times of readings: 08:00 and 08:05 in Beijing.
const KNOWN: &str = "2026-05-01T00:00:00Z";
const FIRST: &str = "2026-07-01T00:00:00Z";
const SECOND: &str = "2026-07-01T00:05:00Z";

fn river_and_works() -> Vec<Json> {
    let point = |x: f64, y: f64| json!({"type": "Point", "coordinates": [x, y]});
    let of = |kind: &str, name: &str| json!({"of": id(kind, name)});
    let metres = |value: f64| json!([value, "MTR"]);
    let cubic = |value: f64| json!([value, "MTQ"]);
    let flow = |value: f64| json!([value, "MQS"]);
    let rain = |value: f64| json!([value, "MMT"]);
    vec![
        entity(
            "WaterObserved",
            "gauge",
            KNOWN,
            &[
                ("stationCode", json!("61512900")),
                ("name", json!("岳口水文站")),
                ("riverName", json!("汉江")),
                ("stationType", json!("ZQ")),
                ("townCode", json!("429006001")),
                ("location", point(113.0625, 30.5)),
                ("dataNote", json!("试验")),
                ("catchmentArea", json!([142_056.0, "KMK"])),
                ("warningLevel", metres(38.5)),
                ("guaranteeLevel", metres(40.16)),
                ("maxRecordedLevel", metres(40.62)),
                ("refReach", of("RiverReach", "han")),
            ],
        ),
        // One that has no code is in no table; one that has a code and a reading beyond belief is a station without readings.
        entity(
            "WaterObserved",
            "uncoded",
            FIRST,
            &[("waterLevel", metres(20.0))],
        ),
        entity(
            "WaterObserved",
            "doubtful",
            FIRST,
            &[
                ("stationCode", json!("61512999")),
                ("waterLevel", metres(250.0)),
            ],
        ),
        entity(
            "CrossSection",
            "gauge",
            KNOWN,
            &[
                ("refStation", of("WaterObserved", "gauge")),
                ("distanceToMouth", json!([212.5, "KMT"])),
                ("leftDikeLevel", metres(42.5)),
                ("rightDikeLevel", metres(42.25)),
            ],
        ),
        entity(
            "RiverReach",
            "han",
            KNOWN,
            &[
                ("name", json!("汉江天门段")),
                ("bankfullFlow", flow(8000.0)),
            ],
        ),
        entity(
            "WaterObserved",
            "gauge",
            FIRST,
            &[
                ("waterLevel", metres(27.5)),
                ("flow", flow(910.0)),
                ("precipitation1h", rain(12.5)),
                ("precipitationDay", rain(31.0)),
            ],
        ),
        // The unit is the sender's: the table is in metres.
        entity(
            "WaterObserved",
            "gauge",
            SECOND,
            &[
                ("waterLevel", json!([2762.0, "CMT"])),
                ("precipitation5min", rain(1.5)),
            ],
        ),
        entity(
            "WaterReservoir",
            "lake",
            KNOWN,
            &[
                ("stationCode", json!("61599001")),
                ("name", json!("试验水库")),
                ("reservoirScale", json!("medium")),
                ("damCrestLevel", metres(96.5)),
                ("checkFloodLevel", metres(95.5)),
                ("designFloodLevel", metres(94.25)),
                ("floodControlLevel", metres(93.5)),
                ("normalLevel", metres(92.0)),
                ("deadLevel", metres(80.0)),
                ("maxRecordedLevel", metres(93.75)),
                ("totalCapacity", cubic(12_500_000.0)),
                ("floodCapacity", cubic(3_000_000.0)),
                ("activeCapacity", cubic(8_000_000.0)),
                ("deadCapacity", cubic(500_000.0)),
                (
                    "floodLimitPeriods",
                    json!({"json": [
                        {"from": "05-01", "until": "06-20", "season": "early", "level": 90.5}, {"from": "06-21", "until": "08-31", "season": "main", "level": 89.5},
                    ]}),
                ),
            ],
        ),
        entity(
            "WaterReservoir",
            "lake",
            FIRST,
            &[
                ("waterLevelUpstream", metres(91.25)),
                ("waterLevelDownstream", metres(70.5)),
                ("storage", cubic(7_250_000.0)),
                ("inflow", flow(15.5)),
                ("outflow", flow(10.0)),
            ],
        ),
        entity(
            "SluiceGate",
            "gate",
            FIRST,
            &[
                ("stationCode", json!("61599002")),
                ("name", json!("试验闸")),
                ("waterLevelUpstream", metres(26.5)),
                ("waterLevelDownstream", metres(25.75)),
                ("outflow", flow(55.5)),
            ],
        ),
        entity(
            "PumpingStation",
            "pumps",
            FIRST,
            &[
                ("stationCode", json!("61599003")),
                ("name", json!("试验泵站")),
                ("waterLevelUpstream", metres(27.0)),
                ("waterLevelDownstream", metres(24.5)),
                ("pumpsRunning", json!(3)),
                ("power", json!([2400.0, "KWT"])),
                ("flow", flow(24.5)),
            ],
        ),
        entity(
            "RatingCurve",
            "2026",
            KNOWN,
            &[
                ("name", json!("2026 年综合线")),
                ("refStation", of("WaterObserved", "gauge")),
                ("inForceFrom", json!("2026-05-01T08:00:00+08:00")),
                ("dataNote", json!("三点")),
                (
                    "curvePoints",
                    json!({"json": [{"level": 26.0, "flow": 400.0}, {"level": 28.0, "flow": 1200.0}, {"level": 30.0, "flow": 2600.0}]}),
                ),
            ],
        ),
        entity(
            "WaterLevelForecast",
            "gauge",
            FIRST,
            &[
                ("refStation", of("WaterObserved", "gauge")),
                (
                    "waterLevelSeries",
                    json!({"json": {"method": "xinanjiang", "version": "1.0.0", "unit": "MTR", "certainty": 0.9, "points": [
                        {"at": "2026-07-01T01:00:00Z", "value": 27.75, "lower": 27.5, "upper": 28.0}, {"at": "2026-07-01T02:00:00Z", "value": 28.0, "lower": 27.5, "upper": 28.5},
                    ]}}),
                ),
            ],
        ),
    ]
}

async fn told() -> City {
    let city = City::start_with(&["postgres.listen=127.0.0.1:0", "packs.reload_seconds=0"]);
    let collector = city.token_of("collector");
    for said in river_and_works() {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&collector).json(&json!([said]));
        let path = "/ngsi-ld/v1/entityOperations/upsert";
        let answer = city.ask("POST", path, with).await;
        assert!(answer.status < 300, "{said}: {}", answer.body);
    }
    city.shows(&id("PumpingStation", "pumps"), "flow", 24.5)
        .await;
    until("the forecast is in history", async || {
        let sql = "SELECT count(*) AS n FROM observations WHERE attribute = 'waterLevelSeries'";
        city.sql(sql).await["n"] == 1
    })
    .await;
    city
}

/// The rows of a statement, asked with a token.
async fn rows(city: &City, token: &str, sql: &str) -> Vec<Json> {
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(token).json(&json!({ "query": sql }));
    let answer = city.ask("POST", "/api/v1/sql", with).await;
    assert_eq!(answer.status, 200, "{sql}: {}", answer.body);
    answer.json()["rows"].as_array().unwrap().clone()
}

/// What psql says to a statement, asked with a token.
async fn psql(city: &City, token: &str, sql: &str) -> String {
    let port = city.address("postgres").port();
    let place = format!("host=127.0.0.1 port={port} user=token dbname=city sslmode=disable");
    let (password, sql) = (token.to_owned(), sql.to_owned());
    let ask = move || {
        let psql = Command::new("psql")
            .args([&place, "-X", "-A", "-t", "-c", &sql])
            .env("PGPASSWORD", password)
            .output();
        let said = psql.unwrap();
        String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned()
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

/// A row without what the platform has nothing for, and without the time at which something last changed.
fn known(row: &Json) -> Json {
    let mut row = row.as_object().unwrap().clone();
    row.retain(|name, value| name != "MODITIME" && !value.is_null());
    Json::Object(row)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_city_knows_stands_in_the_tables_of_the_standard() {
    let city = told().await;
    let duty = city.token_of("duty");
    let at_eight = "2026-07-01T08:00:00";
    for (table, order, expected) in [
        (
            "ST_RIVER_R",
            "TM",
            json!([
                {"STCD": "61512900", "TM": at_eight, "Z": 27.5, "Q": 910.0}, {"STCD": "61512900", "TM": "2026-07-01T08:05:00", "Z": 27.62},
            ]),
        ),
        (
            "ST_PPTN_R",
            "TM",
            json!([
                {"STCD": "61512900", "TM": at_eight, "DRP": 12.5, "INTV": 1.0, "DYP": 31.0}, {"STCD": "61512900", "TM": "2026-07-01T08:05:00", "DRP": 1.5, "INTV": 0.05},
            ]),
        ),
        (
            "ST_RSVR_R",
            "TM",
            json!([{"STCD": "61599001", "TM": at_eight, "RZ": 91.25, "BLRZ": 70.5, "W": 7.25, "INQ": 15.5, "OTQ": 10.0}]),
        ),
        (
            "ST_WAS_R",
            "TM",
            json!([{"STCD": "61599002", "TM": at_eight, "UPZ": 26.5, "DWZ": 25.75, "TGTQ": 55.5}]),
        ),
        (
            "ST_PUMP_R",
            "TM",
            json!([{"STCD": "61599003", "TM": at_eight, "PPUPZ": 27.0, "PPDWZ": 24.5, "OMCN": 3, "OMPWR": 2400.0, "PMPQ": 24.5}]),
        ),
        (
            "ST_STBPRP_B",
            "STCD",
            json!([
                {"STCD": "61512900", "STNM": "岳口水文站", "RVNM": "汉江", "LGTD": 113.0625, "LTTD": 30.5, "ADDVCD": "429006", "STTP": "ZQ", "DSTRVM": 212.5, "DRNA": 142_056.0, "COMMENTS": "试验"},
                {"STCD": "61512999"},
                {"STCD": "61599001", "STNM": "试验水库", "STTP": "RR"},
                {"STCD": "61599002", "STNM": "试验闸", "STTP": "DD"},
                {"STCD": "61599003", "STNM": "试验泵站", "STTP": "DP"},
            ]),
        ),
        (
            "ST_RVFCCH_B",
            "STCD",
            json!([
                {"STCD": "61512900", "LDKEL": 42.5, "RDKEL": 42.25, "WRZ": 38.5, "GRZ": 40.16, "FLPQ": 8000.0, "OBHTZ": 40.62},
            ]),
        ),
        (
            "ST_RSVRFCCH_B",
            "STCD",
            json!([
                {"STCD": "61599001", "RSVRTP": "3", "DAMEL": 96.5, "CKFLZ": 95.5, "DSFLZ": 94.25, "NORMZ": 93.5, "DDZ": 80.0, "ACTZ": 92.0, "TTCP": 12.5, "FLDCP": 3.0,
                 "ACTCP": 8.0, "DDCP": 0.5, "HHRZ": 93.75},
            ]),
        ),
        (
            "ST_RSVRFSR_B",
            "BGMD",
            json!([
                {"STCD": "61599001", "BGMD": "0501", "EDMD": "0620", "FSLTDZ": 90.5, "FSTP": "4"}, {"STCD": "61599001", "BGMD": "0621", "EDMD": "0831", "FSLTDZ": 89.5, "FSTP": "1"},
            ]),
        ),
        (
            "ST_ZQRL_B",
            "PTNO",
            json!([
                {"STCD": "61512900", "LNNM": "2026 年综合线", "BGTM": "2026-05-01T08:00:00", "PTNO": 1, "Z": 26.0, "Q": 400.0, "COMMENTS": "三点"},
                {"STCD": "61512900", "LNNM": "2026 年综合线", "BGTM": "2026-05-01T08:00:00", "PTNO": 2, "Z": 28.0, "Q": 1200.0, "COMMENTS": "三点"},
                {"STCD": "61512900", "LNNM": "2026 年综合线", "BGTM": "2026-05-01T08:00:00", "PTNO": 3, "Z": 30.0, "Q": 2600.0, "COMMENTS": "三点"},
            ]),
        ),
        (
            "ST_FORECAST_F",
            "YMDH",
            json!([
                {"STCD": "61512900", "PLCD": "xinanjiang", "IYMDH": at_eight, "YMDH": "2026-07-01T09:00:00", "Z": 27.75},
                {"STCD": "61512900", "PLCD": "xinanjiang", "IYMDH": at_eight, "YMDH": "2026-07-01T10:00:00", "Z": 28.0},
            ]),
        ),
    ] {
        let all = rows(
            &city,
            &duty,
            &format!("SELECT * FROM {table} ORDER BY {order}"),
        )
        .await;
        assert_eq!(Json::from_iter(all.iter().map(known)), expected, "{table}");
    }
    // What a header says that the platform has is there, and nothing else is.
    let packs = pack::Packs::load_all(pack::embedded(), None).unwrap();
    let views = packs
        .catalogue
        .views
        .iter()
        .filter(|view| view.source.starts_with("SL 323"));
    for view in views {
        for column in &view.columns {
            let sql = format!("SELECT count(\"{}\") AS n FROM {}", column.name, view.name);
            let n = rows(&city, &duty, &sql).await[0]["n"].as_u64().unwrap();
            assert_eq!(n == 0, column.empty, "{} {}", view.name, column.name);
        }
    }
    // The list of tables says what each column means.
    let tables = city.get("/api/v1/tables").await;
    let river = tables["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "ST_RIVER_R")
        .unwrap();
    assert!(
        river["description"]
            .as_str()
            .unwrap()
            .starts_with("河道水情表 / "),
        "{river}"
    );
    assert_eq!(river["columns"][1]["type"], "clock");
    assert_eq!(
        (
            &river["columns"][2]["title_zh"],
            &river["columns"][2]["unit"]
        ),
        (&json!("水位"), &json!("m"))
    );
    // A file for another system, and the command line beside the running city.
    let body = json!({"query": "SELECT \"STCD\", \"TM\", \"Z\" FROM \"ST_RIVER_R\" ORDER BY 2", "format": "csv"});
    let csv = city
        .ask("POST", "/api/v1/sql", |r| r.bearer_auth(&duty).json(&body))
        .await;
    assert_eq!(
        csv.body,
        "STCD,TM,Z\n61512900,2026-07-01T08:00:00,27.5\n61512900,2026-07-01T08:05:00,27.62\n"
    );
    let said = jingling(&[
        "query",
        &city.dir,
        "SELECT stcd, max(z) AS z FROM st_river_r GROUP BY stcd",
        "--format",
        "csv",
    ]);
    assert_eq!(
        text(&said.stdout),
        "STCD,Z\n61512900,27.62\n",
        "{}",
        text(&said.stderr)
    );
    // A department's own table cannot take the name.
    let file = Path::new(&city.dir).join("river.csv");
    std::fs::write(&file, "a\n1\n").unwrap();
    let taken = jingling(&[
        "import",
        &city.dir,
        &file.display().to_string(),
        "--table",
        "st_forecast_f",
    ]);
    assert!(
        !taken.status.success() && text(&taken.stderr).contains("st_forecast_f"),
        "{}",
        text(&taken.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_asks_the_tables_of_the_standard() {
    if Command::new("psql").arg("--version").output().is_err() {
        eprintln!("psql is not installed (Debian: postgresql-client): passed over");
        return;
    }
    let city = told().await;
    let duty = city.token_of("duty");
    let joined = "SELECT r.STCD, b.STNM, r.TM, r.Z, r.Q FROM ST_RIVER_R r JOIN ST_STBPRP_B b ON r.STCD = b.STCD WHERE r.TM > '2026-07-01 07:59:00' ORDER BY r.TM";
    let lower = joined
        .to_lowercase()
        .replace("st_river_r", "public.st_river_r");
    let answer = "61512900|岳口水文站|2026-07-01 08:00:00|27.5|910\n61512900|岳口水文站|2026-07-01 08:05:00|27.62|\n";
    for sql in [joined, lower.as_str()] {
        assert_eq!(psql(&city, &duty, sql).await, answer, "{sql}");
        // The clock is that of Beijing, wherever the client is.
        let far = format!("SET TIME ZONE 'America/New_York'; {sql}");
        assert_eq!(
            psql(&city, &duty, &far).await,
            format!("SET\n{answer}"),
            "{sql}"
        );
    }
    let of = "WHERE table_name = 'ST_RIVER_R'";
    for (sql, answer) in [
        (
            format!("SELECT column_name, data_type FROM information_schema.columns {of} AND ordinal_position < 4 ORDER BY ordinal_position"),
            "STCD|text\nTM|timestamp without time zone\nZ|double precision\n",
        ),
        (format!("SELECT table_type FROM information_schema.tables {of}"), "VIEW\n"),
        (
            format!("SELECT view_definition LIKE '%AS \"STCD\"%' FROM information_schema.views {of}"),
            "t\n",
        ),
        (
            "SELECT d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid WHERE c.relname = 'ST_RIVER_R' AND d.objsubid IN (0, 3) ORDER BY d.objsubid".to_owned(),
            "河道水情表 / Stages and discharges of rivers (SL 323-2011 实时雨水情数据库表结构与标识符, ST_RIVER_R)\n水位 / Stage (m)\n",
        ),
    ] {
        assert_eq!(psql(&city, &duty, &sql).await, answer, "{sql}");
    }
    let described = psql(&city, &duty, "\\d \"ST_RIVER_R\"").await;
    assert!(
        described.contains("TM|timestamp without time zone"),
        "{described}"
    );
}

/// Analysts do not see discharges of rivers, nor anything of reservoirs' codes; nobody but duty sees the gauge's town.
const POLICIES: &str = r#"
@id("flow") @zh("流量不给分析员") @en("No discharges for analysts")
forbid (principal in Role::"analyst", action == Action::"entity.read", resource is Datum)
when { resource.type == "WaterObserved" && resource.attribute == "flow" };

@id("codes") @zh("水库测站编码不给分析员") @en("No codes of reservoirs for analysts")
forbid (principal in Role::"analyst", action == Action::"entity.read", resource is Datum)
when { resource.type == "WaterReservoir" && resource.attribute == "stationCode" };

@id("town") @zh("本镇的站不给规划办") @en("No stations of the town for planners")
forbid (principal in Role::"planner", action == Action::"entity.read", resource is Datum)
when { resource.type == "WaterObserved" && resource in Division::"429006001" };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_something_does_not_see_it_in_the_tables() {
    let city = told().await;
    let file = Path::new(&city.dir).join("test.cedar");
    std::fs::write(&file, POLICIES).unwrap();
    let set = jingling(&[
        "policy",
        "set",
        &city.dir,
        &file.display().to_string(),
        "--reason",
        "试验",
    ]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    until("the policies hold", async || {
        let held = city
            .ask("GET", "/api/v1/policy", |r| {
                r.bearer_auth(city.token_of("security"))
            })
            .await;
        held.body.contains("city/test#")
    })
    .await;
    let count = async |role: &str, of: &str| {
        let found = rows(&city, &city.token_of(role), &format!("SELECT {of}")).await;
        found[0]["n"].as_u64().unwrap()
    };
    for (of, duty, analyst, planner) in [
        ("count(*) AS n FROM ST_RIVER_R", 2, 2, 0),
        ("count(\"Q\") AS n FROM ST_RIVER_R", 1, 0, 0),
        ("count(\"Z\") AS n FROM ST_RIVER_R", 2, 2, 0),
        ("count(*) AS n FROM ST_RIVER_R WHERE \"Q\" > 900", 1, 0, 0),
        ("count(*) AS n FROM ST_PPTN_R", 2, 2, 0),
        ("count(*) AS n FROM ST_RVFCCH_B", 1, 1, 0),
        ("count(*) AS n FROM ST_ZQRL_B", 3, 3, 0),
        ("count(*) AS n FROM ST_FORECAST_F", 2, 2, 0),
        ("count(*) AS n FROM ST_RSVR_R", 1, 0, 1),
        ("count(*) AS n FROM ST_RSVRFSR_B", 2, 0, 2),
        ("count(*) AS n FROM ST_STBPRP_B", 5, 4, 4),
    ] {
        let seen = (
            count("duty", of).await,
            count("analyst", of).await,
            count("planner", of).await,
        );
        assert_eq!(seen, (duty, analyst, planner), "{of}");
    }
    // Who may not read entities at all has none of the tables.
    let nobody = token(&city.dir, "collector");
    let body = json!({"query": "SELECT * FROM ST_RIVER_R"});
    let refused = city
        .ask("POST", "/api/v1/sql", |r| {
            r.bearer_auth(&nobody).json(&body)
        })
        .await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    if Command::new("psql").arg("--version").output().is_ok() {
        let sql = "SELECT count(*), count(\"Q\") FROM ST_RIVER_R";
        for (role, answer) in [
            ("duty", "2|1\n"),
            ("analyst", "2|0\n"),
            ("planner", "0|0\n"),
        ] {
            assert_eq!(
                psql(&city, &city.token_of(role), sql).await,
                answer,
                "{role}"
            );
        }
        // Also where a table of the catalogue stands beside it.
        let both = format!("{sql}, pg_catalog.pg_namespace n WHERE n.nspname = 'public'");
        assert_eq!(psql(&city, &city.token_of("analyst"), &both).await, "2|0\n");
    }
}

const OWN: &str = "-- title_zh: 井\n-- title_en: Wells\n-- source: 试验\n-- column: CD | text | | 编码 | Code\nSELECT entity_id AS \"CD\" FROM WellsObserved_now\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_city_declares_tables_while_it_runs() {
    let city = told().await;
    let duty = city.token_of("duty");
    let packs = Path::new(&city.dir).join("packs");
    std::fs::create_dir_all(&packs).unwrap();
    let made = jingling(&[
        "pack",
        "new",
        "wells",
        "--dir",
        &packs.display().to_string(),
    ]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let folder = packs.join("pack-wells/tables");
    std::fs::create_dir_all(&folder).unwrap();
    let reload = async |text: &str| {
        std::fs::write(folder.join("MY_WELLS.sql"), text).unwrap();
        city.ask("POST", "/api/v1/packs/reload", |r| {
            r.bearer_auth(&city.admin)
        })
        .await
    };
    let taken = reload(OWN).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert!(taken.body.contains("table MY_WELLS"), "{}", taken.body);
    let counted = "SELECT count(*) AS n FROM my_wells";
    assert_eq!(rows(&city, &duty, counted).await[0]["n"], 0);
    // A mistake is told with its file and line, and what held goes on.
    let wrong = OWN.replace("entity_id AS", "gone AS");
    let refused = reload(&wrong).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "sql-column-unknown"),
        "{}",
        refused.body
    );
    assert!(
        refused.body.contains("pack-wells/tables/MY_WELLS.sql:5"),
        "{}",
        refused.body
    );
    assert_eq!(rows(&city, &duty, counted).await[0]["n"], 0);
    let told = jingling(&[
        "pack",
        "check",
        &packs.join("pack-wells").display().to_string(),
    ]);
    assert!(
        !told.status.success() && text(&told.stderr).contains("MY_WELLS.sql:5"),
        "{}",
        text(&told.stderr)
    );
    let clash = OWN.replace("-- source", "-- # 同名\n-- source");
    std::fs::rename(folder.join("MY_WELLS.sql"), folder.join("st_river_r.sql")).unwrap();
    std::fs::write(folder.join("st_river_r.sql"), clash).unwrap();
    let refused = reload(OWN).await;
    assert_eq!(refused.problem(), "pack-clash", "{}", refused.body);
}
