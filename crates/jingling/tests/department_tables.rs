//! A department's file becomes a table in SQL, and a table or an answer becomes a file: on the command line beside
//! no server, on the command line beside one, and over HTTP.

use crate::support::{City, jingling, jingling_json, new_city, shared, text, token, until};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn read(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}{}", text(&output.stdout), text(&output.stderr)))
}

struct Folder {
    dir: tempfile::TempDir,
    city: String,
}

impl Folder {
    fn new() -> Self {
        let (dir, city) = new_city();
        Self { dir, city }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.place(name), bytes).unwrap();
        self.place(name).display().to_string()
    }

    fn import(&self, file: &str, more: &[&str]) -> Output {
        let words = ["import", &self.city, file, "--table", "towns", "--json"];
        jingling(&[&words[..], more].concat())
    }

    fn ask(&self, sql: &str) -> Json {
        jingling_json(&["query", &self.city, sql, "--json"])
    }

    fn has_table(&self) -> bool {
        let asked = jingling(&["query", &self.city, "SELECT * FROM towns"]);
        asked.status.success()
    }
}

const TOWNS: &str = "镇,人口(人),设立\n竟陵,180000,1987年1月1日\n皂市,92000,1987/1/1\n";

#[test]
fn a_file_becomes_a_table_that_sql_reads_and_joins() {
    let folder = Folder::new();
    let file = folder.file("乡镇.csv", TOWNS);
    let dry = folder.import(&file, &["--dry-run"]);
    assert!(dry.status.success(), "{}", text(&dry.stderr));
    let report = read(&dry);
    assert_eq!(
        (
            &report["written"],
            &report["rows_good"],
            &report["encoding"]
        ),
        (&json!(false), &json!(2), &json!("UTF-8"))
    );
    assert_eq!(report["columns"][1]["unit"], "人");
    assert!(!folder.has_table());

    let about = ["--title-zh", "乡镇名录", "--department", "shuili"];
    let done = folder.import(&file, &about);
    assert_eq!(read(&done)["written"], true, "{}", text(&done.stderr));
    assert_eq!(
        folder.ask("SELECT 镇, \"人口(人)\" AS n, 设立 FROM towns ORDER BY n"),
        json!([
            {"镇": "皂市", "n": 92000, "设立": "1987-01-01"},
            {"镇": "竟陵", "n": 180000, "设立": "1987-01-01"}
        ])
    );
    assert_eq!(
        folder.ask("SELECT count(*) AS n FROM towns t CROSS JOIN devices d")[0]["n"],
        0
    );
    // Its entry says where it came from, and so does the audit trail.
    let entry = Path::new(&folder.city).join("lake/tables/towns/table.json");
    let entry: Json = serde_json::from_slice(&std::fs::read(entry).unwrap()).unwrap();
    assert_eq!(
        (
            &entry["source"]["file"],
            &entry["title_zh"],
            &entry["department"],
            &entry["columns"][1]["unit"]
        ),
        (
            &json!("乡镇.csv"),
            &json!("乡镇名录"),
            &json!("shuili"),
            &json!("人")
        )
    );
    assert!(jingling(&["check", &folder.city]).status.success());

    // Once more with other columns: only when told, and then the newer takes the older's place.
    let (gb18030, _, _) = encoding_rs::GB18030.encode("镇,面积\n岳口,188.25\n");
    let newer = folder.file("b.csv", gb18030);
    let refused = folder.import(&newer, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(
        told.contains("乡镇.csv") && told.contains("--replace"),
        "{told}"
    );
    let again = folder.import(&newer, &["--replace"]);
    assert_eq!(read(&again)["encoding"], "GB18030");
    assert_eq!(
        folder.ask("SELECT * FROM towns"),
        json!([{"镇": "岳口", "面积": 188.25}])
    );
}

#[test]
fn bad_lines_are_reported_and_nothing_is_written_unless_asked() {
    let folder = Folder::new();
    let mut rows: String = (0..30).map(|n| format!("镇{n},{n}\n")).collect();
    rows += "坏镇,许多\n短\n";
    let file = folder.file("a.csv", format!("镇,数\n{rows}"));
    let report_file = folder.place("bad.csv").display().to_string();
    let refused = folder.import(&file, &["--report", &report_file]);
    assert_eq!(refused.status.code(), Some(1));
    let report = read(&refused);
    assert_eq!(
        (&report["rows_bad"], &report["written"]),
        (&json!(2), &json!(false))
    );
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["line"], &problem["column"], &problem["value"]),
        (&json!(32), &json!("数"), &json!("许多"))
    );
    assert_eq!(
        (&problem["what_zh"], &problem["what_en"]),
        (
            &json!("“许多”不是整数"),
            &json!("\"许多\" is not a whole number")
        )
    );
    assert_eq!(report["problems"][1]["line"], 33);
    let lines = std::fs::read_to_string(&report_file).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(!folder.has_table());
    let skipped = folder.import(&file, &["--on-error", "skip"]);
    assert!(skipped.status.success());
    assert_eq!(folder.ask("SELECT count(*) AS n FROM towns")[0]["n"], 30);
    // For people: where, what, and how many were left out.
    let words = [
        "import",
        &folder.city,
        &file,
        "--table",
        "towns",
        "--replace",
    ];
    let told = jingling(&[&words[..], &["--on-error", "skip"]].concat());
    let told = text(&told.stderr);
    for part in [
        "line 32, column 数",
        "“许多”不是整数（第 32 行，数 列）",
        "2 rows were left out",
        "30 rows written",
    ] {
        assert!(told.contains(part), "{told}");
    }

    for table in [
        "cases",
        "waterobserved",
        "observations_1d",
        "Towns",
        "pg_class",
        "a/b",
        "../x",
    ] {
        let taken = jingling(&["import", &folder.city, &file, "--table", table]);
        assert_eq!(taken.status.code(), Some(1), "{table}");
    }
    for (more, what) in [
        (["--department", "nowhere"], "shuili"),
        (["--type", "数=float"], "integer"),
        (["--type", "数"], "NAME=TYPE"),
        (["--set", "import.rows_max=5"], "import.rows_max"),
    ] {
        let refused = folder.import(&file, &[&more[..], &["--replace"]].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert!(
            text(&refused.stderr).contains(what),
            "{}",
            text(&refused.stderr)
        );
    }
    let torn = folder.import(&folder.file("c.parquet", b"PAR1 torn"), &["--replace"]);
    assert!(
        text(&torn.stderr).contains("cannot be read as Parquet"),
        "{}",
        text(&torn.stderr)
    );
    // The table from before is still there.
    assert_eq!(folder.ask("SELECT count(*) AS n FROM towns")[0]["n"], 30);
    assert!(jingling(&["check", &folder.city]).status.success());
}

#[test]
fn an_answer_becomes_a_file_that_can_be_imported_again() {
    let folder = Folder::new();
    let sql = "SELECT bucket, 1.5 AS 数, '=竟陵' AS 镇, NULL AS 空 FROM buckets('2026-01-01', '2026-02-01', '1 day') ORDER BY 1";
    let export = |what: &[&str], name: &str, more: &[&str]| {
        let path = folder.place(name).display().to_string();
        let words = [&["export", &folder.city], what, &["--output", &path], more];
        (jingling(&words.concat()), path)
    };
    let (mut last, mut what) = (None, vec![sql]);
    for name in ["a.csv", "a.xlsx", "a.parquet"] {
        let (done, path) = export(&what, name, &[]);
        assert!(done.status.success(), "{name}: {}", text(&done.stderr));
        let back = folder.import(&path, &["--replace"]);
        assert_eq!(
            read(&back)["rows_good"],
            31,
            "{name}: {}",
            text(&back.stderr)
        );
        let rows = folder.ask("SELECT bucket, 数, 镇, 空 FROM towns ORDER BY 1");
        assert_eq!(
            rows[0],
            json!({"bucket": "2026-01-01T00:00:00Z", "数": 1.5, "镇": "=竟陵", "空": null}),
            "{name}"
        );
        // The next is made of the table that this one became.
        assert!(last.as_ref().is_none_or(|last| *last == rows), "{name}");
        last = Some(rows);
        what = vec!["--table", "towns"];
    }
    let (done, path) = export(&what, "b.csv", &["--for-spreadsheets"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written.starts_with("\u{feff}bucket,") && written.contains(",'=竟陵,"));
    // What fails leaves no file behind.
    for (sql, name, told) in [
        ("SELECT x FROM observations", "c.csv", "x"),
        (
            "SELECT * FROM buckets('2026-01-01', '2026-03-01', '1 hour')",
            "d.parquet",
            "export.rows_max",
        ),
        (
            "SELECT * FROM buckets('2026-01-01', '2026-03-01', '1 hour')",
            "no-folder/d.xlsx",
            "folder",
        ),
    ] {
        let (failed, _) = export(&[sql], name, &["--set", "export.rows_max=1000"]);
        assert_eq!(failed.status.code(), Some(1));
        assert!(
            text(&failed.stderr).contains(told),
            "{}",
            text(&failed.stderr)
        );
        assert!(!folder.place(name).exists());
        assert!(!folder.place(&format!("{name}.part")).exists());
    }
    let (ending, _) = export(&[sql], "a.doc", &[]);
    assert!(text(&ending.stderr).contains(".xlsx"));
    let (none, _) = export(&[], "a.csv", &[]);
    assert_eq!(none.status.code(), Some(2));
}

#[test]
fn a_table_is_removed_on_the_command_line() {
    let folder = Folder::new();
    let file = folder.file("乡镇.csv", TOWNS);
    assert!(folder.import(&file, &[]).status.success());
    let removed = jingling(&["table", "remove", &folder.city, "towns"]);
    let told = text(&removed.stderr);
    assert!(removed.status.success(), "{told}");
    assert!(told.contains("2 rows of 乡镇.csv"), "{told}");
    assert!(!folder.has_table());
    assert!(!Path::new(&folder.city).join("lake/tables/towns").exists());
    assert!(jingling(&["check", &folder.city]).status.success());
    for (name, what) in [("towns", "没有部门数据表"), ("cases", "platform's own")] {
        let refused = jingling(&["table", "remove", &folder.city, name]);
        assert_eq!(refused.status.code(), Some(1), "{name}");
        let told = text(&refused.stderr);
        assert!(told.contains(what), "{name}: {told}");
    }
    let nowhere = jingling(&["table", "remove", "no-city", "towns"]);
    assert_eq!(nowhere.status.code(), Some(1));
}

async fn post(city: &City, token: &str, path: &str, body: Vec<u8>) -> crate::support::Answer {
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(token).body(body);
    city.ask("POST", path, with).await
}

#[tokio::test]
async fn a_running_city_takes_files_and_lists_where_they_came_from() {
    let city = shared();
    let analyst = token(&city.dir, "analyst");
    let (gb18030, _, _) = encoding_rs::GB18030.encode(TOWNS);
    let place = "/api/v1/tables/posted/import?file=%E4%B9%A1%E9%95%87.csv&title_zh=%E4%B9%A1%E9%95%87%E5%90%8D%E5%BD%95";
    let dry = post(
        &city,
        &analyst,
        &format!("{place}&dry_run=true"),
        gb18030.to_vec(),
    )
    .await;
    assert_eq!(dry.status, 200, "{dry:?}");
    let report = dry.json();
    assert_eq!(
        (
            &report["written"],
            &report["encoding"],
            &report["rows_good"]
        ),
        (&json!(false), &json!("GB18030"), &json!(2))
    );
    let done = post(&city, &analyst, place, gb18030.to_vec()).await;
    assert_eq!(done.status, 201, "{done:?}");
    assert_eq!(city.sql("SELECT count(*) AS n FROM posted").await["n"], 2);
    let listed = city.get("/api/v1/tables").await["items"].clone();
    let listed = listed.as_array().unwrap();
    let posted = listed.iter().find(|t| t["name"] == "posted").unwrap();
    let imported = &posted["imported"];
    assert_eq!(
        (
            &imported["title_zh"],
            &imported["file"],
            &imported["rows"],
            &posted["columns"][1]["unit"]
        ),
        (
            &json!("乡镇名录"),
            &json!("乡镇.csv"),
            &json!(2),
            &json!("人")
        )
    );
    assert!(imported["sha256"].as_str().unwrap().len() == 64);
    assert!(
        imported["imported_by"]
            .as_str()
            .unwrap()
            .starts_with("analyst")
    );
    let own = listed.iter().find(|t| t["name"] == "observations").unwrap();
    assert_eq!(own["imported"], Json::Null);
    let noted = city
        .get("/api/v1/audit?action=table.import&target=table:posted")
        .await;
    assert_eq!(noted["items"][0]["target"], "table:posted");

    // What is refused, and with which status; the table stays as it is.
    let bad = TOWNS.as_bytes().to_vec();
    let lines = format!("镇,数\n{}坏,许多\n", "竟陵,1\n".repeat(30)).into_bytes();
    for (path, body, status, code) in [
        (place.to_owned(), bad.clone(), 409, "table-exists"),
        (format!("{place}&replace=true"), lines, 422, "import-lines"),
        (
            format!("{place}&replace=true").replace(".csv", ".parquet"),
            bad.clone(),
            400,
            "import-damaged",
        ),
        (
            format!("{place}&replace=true").replace(".csv", ".xls"),
            bad.clone(),
            400,
            "import-format",
        ),
        (
            "/api/v1/tables/cases/import?file=a.csv".to_owned(),
            bad.clone(),
            400,
            "table-taken",
        ),
        (
            format!("{place}&replace=true&on_error=hope"),
            bad.clone(),
            400,
            "import-on-error",
        ),
        (
            "/api/v1/tables/posted/import".to_owned(),
            bad.clone(),
            400,
            "bad-request",
        ),
        (
            format!("{place}&replace=true"),
            vec![b'a'; 65 << 20],
            413,
            "import-size",
        ),
    ] {
        let refused = post(&city, &analyst, &path, body).await;
        assert_eq!(refused.status, status, "{path}: {}", refused.body);
        let said = refused.json();
        if [
            "table-exists",
            "import-lines",
            "import-damaged",
            "table-taken",
        ]
        .contains(&code)
        {
            assert!(said["detail_zh"].is_string(), "{path}: {said}");
            assert_ne!(said["detail_zh"], said["detail"], "{path}");
        }
        if code != "bad-request" {
            assert_eq!(refused.problem(), code, "{path}");
        }
    }
    let viewer = token(&city.dir, "viewer");
    assert_eq!(post(&city, &viewer, place, bad).await.status, 403);
    // An import that is over, or not the asker's, is told of no more.
    let job = format!("{place}&dry_run=true&replace=true&job=look-1");
    let done = post(&city, &analyst, &job, TOWNS.into()).await;
    assert_eq!(done.status, 200, "{done:?}");
    let far = city
        .ask("GET", "/api/v1/imports/look-1", |r| r.bearer_auth(&analyst))
        .await;
    assert_eq!((far.status, far.problem().as_str()), (404, "not-found"));
    let named = post(
        &city,
        &analyst,
        &format!("{place}&replace=true&job=a+b"),
        TOWNS.into(),
    )
    .await;
    assert_eq!(
        (named.status, named.problem().as_str()),
        (400, "import-job")
    );
    assert_eq!(city.sql("SELECT count(*) AS n FROM posted").await["n"], 2);
    // Nothing that passed through is left.
    let passing = std::fs::read_dir(Path::new(&city.dir).join("run/passing")).unwrap();
    assert_eq!(passing.count(), 0);

    // As a file, over HTTP and on the command line beside the city.
    for (format, begin) in [("parquet", "PAR1"), ("xlsx", "PK")] {
        let body = json!({"query": "SELECT * FROM posted", "format": format});
        let answer = city
            .ask("POST", "/api/v1/sql", |r| {
                r.bearer_auth(&analyst).json(&body)
            })
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.starts_with(begin), "{format}");
        let broken = json!({"query": "SELECT nothing FROM posted", "format": format});
        let answer = city
            .ask("POST", "/api/v1/sql", |r| {
                r.bearer_auth(&analyst).json(&broken)
            })
            .await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("posted.xlsx").display().to_string();
    let done = jingling(&["export", &city.dir, "--table", "posted", "--output", &out]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let done = jingling(&["import", &city.dir, &out, "--table", "beside"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    // The city reads it from its next statement on.
    assert_eq!(city.sql("SELECT count(*) AS n FROM beside").await["n"], 2);
    city.goes_on().await;
}

#[tokio::test]
async fn an_import_tells_how_far_it_is_while_its_file_arrives() {
    let city = shared();
    let (analyst, other) = (token(&city.dir, "analyst"), token(&city.dir, "analyst"));
    let far = async |token: &str| {
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(token);
        city.ask("GET", "/api/v1/imports/slow-1", with).await
    };
    // A file of two pieces, the second of which is sent when the first was told of.
    let (first, rest) = TOWNS.as_bytes().split_at(20);
    let head = format!(
        "POST /api/v1/tables/slow/import?file=a.csv&job=slow-1 HTTP/1.1\r\nhost: city\r\nauthorization: Bearer \
         {analyst}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        TOWNS.len()
    );
    let mut socket = TcpStream::connect(city.address("http")).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(first).await.unwrap();
    let expected = json!({"step": "receiving", "done": 20, "total": TOWNS.len()});
    until("the first piece", async || {
        let told = far(&analyst).await;
        told.status == 200 && told.json() == expected
    })
    .await;
    assert_eq!(far(&other).await.status, 404, "another's");
    socket.write_all(rest).await.unwrap();
    let mut done = String::new();
    socket.read_to_string(&mut done).await.unwrap();
    assert!(done.starts_with("HTTP/1.1 201"), "{done}");
    assert_eq!(far(&analyst).await.status, 404);
    city.goes_on().await;
}

#[tokio::test]
async fn a_running_city_removes_a_table_for_who_may_and_notes_it() {
    let city = shared();
    let (analyst, machine) = (token(&city.dir, "analyst"), token(&city.dir, "planner"));
    let person = jingling_json(&[
        "user",
        "add",
        &city.dir,
        "--username",
        "chen",
        "--name",
        "陈静",
        "--role",
        "planner",
        "--json",
    ]);
    let body = json!({"username": "chen", "password": person["password"]});
    let signed_in = city.ask("POST", "/api/v1/session", |r| r.json(&body)).await;
    let planner = signed_in.cookie.unwrap();
    let import = "/api/v1/tables/passing/import?file=a.csv";
    let done = post(&city, &analyst, import, TOWNS.into()).await;
    assert_eq!(done.status, 201, "{done:?}");
    let remove = async |token: &str, name: &str| {
        let path = format!("/api/v1/tables/{name}");
        city.ask("DELETE", &path, |r| r.bearer_auth(token)).await
    };
    // Who brings tables in does not take them away.
    assert_eq!(remove(&analyst, "passing").await.status, 403);
    assert_eq!(city.sql("SELECT count(*) AS n FROM passing").await["n"], 2);
    // Nor does a machine, nor one person alone: it is asked for, and stays until another agrees.
    let refused = remove(&machine, "passing").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "approval-by-person")
    );
    let asked = city
        .send(
            &planner,
            "DELETE",
            "/api/v1/tables/passing?reason=%E9%94%99",
            &Json::Null,
        )
        .await;
    assert_eq!(asked.status, 202, "{asked:?}");
    assert_eq!(asked.json()["approval"]["body"]["rows"], 2);
    assert_eq!(city.sql("SELECT count(*) AS n FROM passing").await["n"], 2);
    // Another table that takes its name meanwhile is not the one that was asked for.
    let other = TOWNS.replace("竟陵", "竟陵街道");
    let replaced = post(
        &city,
        &analyst,
        &format!("{import}&replace=true"),
        other.into(),
    )
    .await;
    assert_eq!(replaced.status, 201, "{replaced:?}");
    let stale = city.approve(&asked, "security").await;
    assert_eq!(stale["approval"]["status"], "failed");
    assert!(
        stale["approval"]["outcome"]
            .as_str()
            .unwrap()
            .starts_with("approval-stale"),
        "{stale}"
    );
    assert_eq!(city.sql("SELECT count(*) AS n FROM passing").await["n"], 2);
    let asked = city
        .send(&planner, "DELETE", "/api/v1/tables/passing", &Json::Null)
        .await;
    let done = city.approve(&asked, "security").await;
    assert_eq!(done["approval"]["status"], "done", "{done}");
    let gone = json!({"query": "SELECT * FROM passing"});
    let gone = city
        .ask("POST", "/api/v1/sql", |r| {
            r.bearer_auth(&analyst).json(&gone)
        })
        .await;
    assert_eq!(gone.problem(), "sql-table-unknown");
    for (name, status, code) in [
        ("passing", 404, "table-unknown"),
        ("cases", 404, "table-unknown"),
        ("PASSING", 400, "table-name"),
        ("..%2Fpassing", 400, "table-name"),
    ] {
        let refused = remove(&machine, name).await;
        assert_eq!(refused.status, status, "{name}: {}", refused.body);
        assert_eq!(refused.problem(), code, "{name}");
        assert!(refused.json()["detail_zh"].is_string(), "{name}");
    }
    let audit = "/api/v1/audit?action=table.remove&target=table:passing";
    let noted = city.get(audit).await["items"][0].clone();
    assert_eq!(noted["actor"], "陈静 + 安全管理员");
    assert!(noted["detail"].to_string().contains("a.csv"), "{noted}");
    // On the command line beside the city, which sees it from its next statement on.
    let done = post(&city, &analyst, import, TOWNS.into()).await;
    assert_eq!(done.status, 201, "{done:?}");
    let removed = jingling(&["table", "remove", &city.dir, "passing"]);
    assert!(removed.status.success(), "{}", text(&removed.stderr));
    let listed = city.get("/api/v1/tables").await["items"].clone();
    let mut listed = listed.as_array().unwrap().iter();
    assert!(!listed.any(|table| table["name"] == "passing"));
    city.goes_on().await;
}
