//! Clients that nobody here wrote talk to the running door: PostgreSQL's own psql, its JDBC and its ODBC driver, which `make
//! setup` installs, and psycopg, SQLAlchemy, pyodbc and node-postgres when they can be installed from PyPI and npm. What is
//! not there is said and passed over; where continuous integration runs, psql and the two drivers must be there.

use crate::support::foreign::{answered, has_psql, is_content, psql};
use crate::support::{PASSWORD, open, queries};
use pgdoor::Limits;
use std::path::{Path, PathBuf};
use testkit::foreign::{Node, Python, passed_over};
use tokio::process::Command;

#[tokio::test]
async fn psql_asks() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    assert_eq!(
        answered(&door, "SELECT count(*) FROM observations").await,
        "1000"
    );
    assert_eq!(
        answered(
            &door,
            "SELECT max(waterLevel), min(observed_at) FROM WaterObserved"
        )
        .await,
        "37.99|2026-11-23 08:00:00+00"
    );
    assert_eq!(
        answered(&door, "SELECT * FROM cases ORDER BY id").await,
        "1|井盖 'lost'|2026-11-23 08:00:10.5+00|12.5|f|{\"a\":[1,2]}\n2||||t|"
    );
    // Several statements in one message, and a transaction that only reads.
    assert_eq!(
        answered(&door, "BEGIN; SELECT 1; SELECT 2; COMMIT").await,
        "1\n2"
    );
    assert_eq!(answered(&door, "SHOW server_encoding").await, "UTF8");
    // Cursors: psql fetches ten rows at a time.
    let said = psql(
        &door,
        "",
        &[
            "-A",
            "-t",
            "-v",
            "FETCH_COUNT=10",
            "-c",
            "SELECT journal_position FROM observations ORDER BY 1 LIMIT 95",
        ],
    )
    .await;
    assert!(said.good, "{}", said.err);
    assert_eq!(said.out.lines().count(), 95);
    assert_eq!(said.out.lines().last(), Some("94"));
}

#[tokio::test]
async fn psql_describes_tables() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let tables = psql(&door, "", &["-c", "\\dt"]).await;
    assert!(tables.good, "{}", tables.err);
    for part in [
        "public | cases           | table | city",
        "public | observations    | table | city",
        "public | observations_1h | table | city",
        "(5 rows)",
    ] {
        assert!(tables.out.contains(part), "{part} in\n{}", tables.out);
    }
    let views = psql(&door, "", &["-c", "\\dv"]).await;
    assert!(
        views.out.contains("public | WaterObserved | view | city"),
        "{}\n{}",
        views.out,
        views.err
    );
    let described = psql(&door, "", &["-c", "\\d observations"]).await;
    assert!(described.good, "{}", described.err);
    for part in [
        "Table \"public.observations\"",
        "observed_at      | timestamp with time zone",
        "value_number     | double precision",
        "value_json       | json",
    ] {
        assert!(described.out.contains(part), "{part} in\n{}", described.out);
    }
    let view = psql(&door, "", &["-c", "\\d \"WaterObserved\""]).await;
    assert!(
        view.out.contains("View \"public.WaterObserved\""),
        "{}\n{}",
        view.out,
        view.err
    );
    for question in [
        "\\d",
        "\\d+",
        "\\dt+",
        "\\d+ cases",
        "\\dn",
        "\\l",
        "\\du",
        "\\df",
        "\\di",
        "\\conninfo",
        "\\dp",
        "\\db",
        "\\dx",
    ] {
        let said = psql(&door, "", &["-c", question]).await;
        assert!(said.good, "{question}: {}", said.err);
    }
    assert_eq!(
        answered(&door, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'cases' ORDER BY ordinal_position LIMIT 2").await,
        "id|bigint\ntitle|text"
    );
}

/// Backslash commands of psql 15, each with a part of its answer.
const ANSWERED: [(&str, &str); 74] = [
    (
        "\\conninfo",
        "connected to database \"city\" as user \"wang\"",
    ),
    ("\\d", "WaterObserved"),
    ("\\d+", "observations_1d"),
    ("\\d+ observations", "value_number     | double precision"),
    ("\\d+ cases", "opened_at | timestamp with time zone"),
    ("\\d+ \"WaterObserved\"", "View \"public.WaterObserved\""),
    ("\\d public.*", "Table \"public.cases\""),
    ("\\da", "(0 rows)"),
    ("\\dA", "heap"),
    ("\\dAc", "(0 rows)"),
    ("\\dAf", "(0 rows)"),
    ("\\dAo", "(0 rows)"),
    ("\\dAp", "(0 rows)"),
    ("\\db", "pg_default"),
    ("\\dc", "(0 rows)"),
    ("\\dC", "(0 rows)"),
    ("\\dconfig", "application_name"),
    ("\\dconfig server_version", "15.0 (Jingling"),
    ("\\dconfig+ *timeout*", "statement_timeout"),
    ("\\dd", "(0 rows)"),
    ("\\dD", "(0 rows)"),
    ("\\ddp", "(0 rows)"),
    ("\\dE", ""),
    ("\\des", "(0 rows)"),
    ("\\det", "(0 rows)"),
    ("\\deu", "(0 rows)"),
    ("\\dew", "(0 rows)"),
    ("\\df", "(0 rows)"),
    ("\\df+", "(0 rows)"),
    ("\\dF", "(0 rows)"),
    ("\\dFd", "(0 rows)"),
    ("\\dFp", "(0 rows)"),
    ("\\dFt", "(0 rows)"),
    ("\\dg", "city"),
    ("\\dg+", "city"),
    ("\\di", ""),
    ("\\di+", ""),
    ("\\dl", "(0 rows)"),
    ("\\dL", "(0 rows)"),
    ("\\dm", ""),
    ("\\dn", "public"),
    ("\\dn+", "public"),
    ("\\dn public", "(1 row)"),
    ("\\do", "(0 rows)"),
    ("\\dO", "(0 rows)"),
    ("\\dp", "=r/city"),
    ("\\dP", "(0 rows)"),
    ("\\drds", ""),
    ("\\dRp", "(0 rows)"),
    ("\\dRs", "(0 rows)"),
    ("\\ds", ""),
    ("\\dS", "cases"),
    ("\\dt", "(5 rows)"),
    ("\\dt+", "Cases of the city."),
    ("\\dt pub*.obs*", "(4 rows)"),
    ("\\dtS", "cases"),
    ("\\dT", "(0 rows)"),
    ("\\dT+", "(0 rows)"),
    ("\\dT text", "pg_catalog | text"),
    ("\\dT+ float8", "pg_catalog | double precision | float8"),
    ("\\dTS", "timestamp with time zone"),
    ("\\du", "city"),
    ("\\du+", "city"),
    ("\\dv", "public | WaterObserved | view | city"),
    ("\\dv+", "WaterObserved"),
    ("\\dx", "(0 rows)"),
    ("\\dX", "(0 rows)"),
    ("\\dy", "(0 rows)"),
    ("\\encoding", "UTF8"),
    ("\\l", "city"),
    ("\\l+", "city"),
    ("\\lo_list", "(0 rows)"),
    (
        "\\sv \"WaterObserved\"",
        "CREATE OR REPLACE VIEW public.\"WaterObserved\"",
    ),
    ("\\z cases", "=r/city"),
];

#[tokio::test]
async fn psql_answers_its_backslash_commands() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let mut wrong = String::new();
    for (command, part) in ANSWERED {
        let said = psql(&door, "", &["-c", command]).await;
        // Some say that there is nothing on the other stream, and in a table of no rows.
        let told = said.out.clone() + &said.err;
        if !said.good || said.err.contains("ERROR") || !told.contains(part) {
            wrong += &format!("{command}, of which {part:?} was expected:\n{told}\n");
        }
    }
    for (command, part) in [
        ("\\sf flood", "there is no function \"flood\" to be shown"),
        (
            "\\sf flood(int)",
            "there is no function \"flood(int)\" to be shown",
        ),
        ("\\copy cases to '/dev/null'", "COPY is not supported here"),
    ] {
        let said = psql(&door, "", &["-c", command]).await;
        if said.good || !said.err.contains(part) {
            wrong += &format!("{command}: {}{}\n", said.out, said.err);
        }
    }
    assert_eq!(wrong, "");
}

#[tokio::test]
async fn psql_hears_what_is_wrong() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let wrong = async |sql: &'static str| {
        let said = psql(&door, "", &["-v", "VERBOSITY=verbose", "-c", sql]).await;
        assert!(!said.good, "{sql}: {}", said.out);
        said.err
    };
    let err = wrong("SELECT lvel FROM observations").await;
    assert!(
        err.contains("ERROR:  42703: there is no column \"lvel\"")
            && err.contains("LINE 1: SELECT lvel")
            && err.contains("HINT:"),
        "{err}"
    );
    assert!(wrong("SELECT 1 FROM observation").await.contains("42P01"));
    assert!(wrong("SELEC 1").await.contains("42601"));
    for writes in [
        "DELETE FROM observations",
        "CREATE TABLE t (a int)",
        "INSERT INTO cases VALUES (1)",
        "DROP TABLE cases",
    ] {
        let err = wrong(writes).await;
        assert!(err.contains("25006"), "{err}");
    }
    let err = wrong("SELECT a.entity_id FROM observations a, observations b LIMIT 6000").await;
    assert!(
        err.contains("54000") && err.contains("more than 5000 rows"),
        "{err}"
    );
    let err = wrong("SET statement_timeout = 50; SELECT count(*) FROM observations a, observations b, observations c, observations d WHERE a.value_number + b.value_number + c.value_number + d.value_number < 0").await;
    assert!(err.contains("57014"), "{err}");
    // The second of three fails; the third is not run.
    let said = psql(
        &door,
        "",
        &["-A", "-t", "-c", "SELECT 1; SELECT x; SELECT 3"],
    )
    .await;
    assert_eq!(said.out, "1\n");
}

#[tokio::test]
async fn sign_in_is_by_password_or_token_and_over_tls() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let sql = ["-A", "-t", "-c", "SELECT current_user"];
    let wrong = psql(&door, "password=wrong", &sql).await;
    assert!(
        wrong.err.contains("the username or the password is wrong"),
        "{}",
        wrong.err
    );
    let nobody = psql(&door, "user=nobody", &sql).await;
    assert!(
        nobody.err.contains("the username or the password is wrong"),
        "{}",
        nobody.err
    );
    let field = psql(&door, "user=zhang", &sql).await;
    assert!(field.err.contains("may not sql.query"), "{}", field.err);
    let token = psql(&door, &format!("user=token password={}", door.token), &sql).await;
    assert_eq!(token.out.trim(), "token", "{}", token.err);
    let over_tls = format!("port={} sslmode=require", door.port_tls());
    let tls = psql(&door, &over_tls, &["-c", "\\conninfo"]).await;
    assert!(
        tls.good && tls.out.contains("SSL connection (protocol: TLSv1.3"),
        "{}{}",
        tls.out,
        tls.err
    );
    let plain = psql(&door, &format!("port={}", door.port_tls()), &sql).await;
    assert!(
        plain.err.contains("this address speaks TLS only"),
        "{}",
        plain.err
    );
    // TLS is offered where it is not asked for, too.
    let offered = psql(&door, "sslmode=prefer", &["-c", "\\conninfo"]).await;
    assert!(offered.out.contains("SSL connection"), "{}", offered.out);
    // Sign-ins and their refusals are in the audit trail; a door that has closed has ended its sessions.
    door.handle.shutdown().await;
    let mut connection = door.records.read().await.unwrap();
    let page = records::PageRequest {
        after: None,
        limit: Some(100),
    };
    let acts = records::audit::list(&mut connection, &page)
        .await
        .unwrap()
        .items;
    let count = |action: &str| acts.iter().filter(|a| a.action == action).count();
    assert_eq!(count("session.refused"), 2);
    assert_eq!(count("session.open"), count("session.close"));
    assert!(count("session.open") >= 3);
}

/// A Python with drivers for PostgreSQL.
fn python() -> Option<PathBuf> {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "psycopg",
        imports: "psycopg, sqlalchemy",
        packages: &["psycopg[binary]", "sqlalchemy"],
    };
    let made = python.make();
    if let Err(why) = &made {
        eprintln!("skipped: psycopg and SQLAlchemy cannot be installed from PyPI here: {why}");
    }
    made.ok()
}

#[tokio::test]
async fn psycopg_and_sqlalchemy() {
    let Some(python) = python() else {
        return;
    };
    let door = open(Limits::default(), queries()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/psycopg_client.py");
    let mut client = Command::new(python);
    client.args([script, &door.port().to_string(), PASSWORD]);
    is_content(client).await;
}

/// The PostgreSQL JDBC driver where Debian puts it.
const JDBC: &str = "/usr/share/java/postgresql.jar";

#[tokio::test]
async fn jdbc_as_dbeaver_and_bi_tools_use_it() {
    let java = std::process::Command::new("javac").arg("-version").output();
    if java.is_err() || !Path::new(JDBC).is_file() {
        passed_over(
            "Java or PostgreSQL's JDBC driver",
            "Debian: default-jdk-headless, libpostgresql-jdbc-java",
        );
        return;
    }
    let door = open(Limits::default(), queries()).await;
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/JdbcClient.java");
    let mut client = Command::new("java");
    // Where no locale is set, Java would read its program as ASCII.
    client.arg("-Dfile.encoding=UTF-8");
    client.args(["-cp", JDBC, program, &door.port().to_string(), PASSWORD]);
    is_content(client).await;
}

/// PostgreSQL's ODBC driver where Debian puts it, in a folder by the kind of machine.
fn odbc_driver() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    folders
        .filter_map(|folder| Some(folder.ok()?.path().join("odbc/psqlodbcw.so")))
        .find(|driver| driver.is_file())
}

#[tokio::test]
async fn odbc_as_excel_and_power_bi_use_it() {
    let Some(driver) = odbc_driver() else {
        passed_over("PostgreSQL's ODBC driver", "Debian: odbc-postgresql");
        return;
    };
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "pyodbc",
        imports: "pyodbc",
        packages: &["pyodbc"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: pyodbc cannot be installed from PyPI here: {why}");
            return;
        }
    };
    let door = open(Limits::default(), queries()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/odbc_client.py");
    let mut client = Command::new(python);
    client
        .args([script, &door.port().to_string(), PASSWORD])
        .arg(driver);
    is_content(client).await;
}

#[tokio::test]
async fn node_postgres() {
    let node = Node {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "node-postgres",
        packages: &["pg"],
    };
    let modules = match node.make() {
        Ok(modules) => modules,
        Err(why) => {
            eprintln!("skipped: pg cannot be installed from npm here: {why}");
            return;
        }
    };
    let door = open(Limits::default(), queries()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node_client.js");
    let mut client = Command::new("node");
    client
        .args([script, &door.port().to_string(), PASSWORD])
        .env("NODE_PATH", modules);
    is_content(client).await;
}

/// Of the shape in which Npgsql 6 to 10 asks for types: kinds of types told apart by the functions that receive them, arrays
/// and ranges with what they are made of.
const TYPES_AS_NPGSQL: &str = "
    SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (
        SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typnotnull, typ.relkind, el.oid AS elemtypoid,
            CASE WHEN elproc.proname = 'array_recv' THEN 'a' ELSE el.typtype END AS elemtyptype
        FROM (
            SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
                CASE WHEN proc.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
                CASE WHEN proc.proname = 'array_recv' THEN typ.typelem
                    WHEN typ.typtype = 'r' THEN rngsubtype
                    WHEN typ.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid)
                    WHEN typ.typtype = 'd' THEN typ.typbasetype END AS elemtypoid
            FROM pg_type AS typ
            LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
            LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
            LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)
        ) AS typ
        LEFT JOIN pg_type AS el ON el.oid = elemtypoid
        LEFT JOIN pg_proc AS elproc ON elproc.oid = el.typreceive
    ) AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
    WHERE typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind = 'c')
        OR (typtype = 'a' AND elemtyptype IN ('b', 'r', 'm', 'e', 'd'))
    ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'a' THEN 5
        WHEN typtype = 'd' AND elemtyptype = 'a' THEN 6 END;
    SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY oid, enumsortorder";

/// The same for Npgsql 3 to 5, one of which Power BI brings along: a type without a function to receive it is not there.
const TYPES_AS_POWER_BI: &str = "
    SELECT ns.nspname, a.typname, a.oid, a.typrelid, a.typbasetype,
        CASE WHEN pg_proc.proname = 'array_recv' THEN 'a' ELSE a.typtype END AS type,
        CASE WHEN pg_proc.proname = 'array_recv' THEN a.typelem WHEN a.typtype = 'r' THEN rngsubtype ELSE 0 END AS elemoid,
        CASE WHEN pg_proc.proname IN ('array_recv', 'oidvectorrecv') THEN 3 WHEN a.typtype = 'd' THEN 1 ELSE 0 END AS ord
    FROM pg_type AS a
    JOIN pg_namespace AS ns ON (ns.oid = a.typnamespace)
    JOIN pg_proc ON pg_proc.oid = a.typreceive
    LEFT OUTER JOIN pg_class AS cls ON (cls.oid = a.typrelid)
    LEFT OUTER JOIN pg_type AS b ON (b.oid = a.typelem)
    LEFT OUTER JOIN pg_range ON (pg_range.rngtypid = a.oid)
    WHERE a.typtype IN ('b', 'r', 'e', 'd') OR (a.typtype = 'c' AND cls.relkind = 'c')
        OR (pg_proc.proname = 'array_recv' AND b.typtype IN ('b', 'r', 'e', 'd'))
    ORDER BY ord";

#[tokio::test]
async fn types_are_told_as_npgsql_loads_them() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    for (sql, expected) in [
        (TYPES_AS_NPGSQL, "pg_catalog|1184|timestamptz|b|f|"),
        (TYPES_AS_POWER_BI, "pg_catalog|timestamptz|1184|0|0|b|0|0"),
    ] {
        let said = answered(&door, sql).await;
        assert!(said.lines().any(|line| line == expected), "{said}");
        for name in [
            "bool", "bytea", "date", "float8", "int8", "json", "numeric", "text", "time", "varchar",
        ] {
            assert!(said.contains(&format!("|{name}|")), "{name} in\n{said}");
        }
    }
    // What its pool says before it hands a connection on.
    let reset = "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); \
                 DISCARD SEQUENCES; DISCARD TEMP; SELECT 1";
    assert_eq!(answered(&door, reset).await.trim_start(), "1");
}

#[tokio::test]
async fn questions_of_grafanas_kind() {
    if !has_psql() {
        return;
    }
    let door = open(Limits::default(), queries()).await;
    for (sql, expected) in [
        ("SELECT current_setting('server_version_num')::int / 100", "1500"),
        ("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'", ""),
        // The tables of the schemas in the search path.
        (
            "SELECT quote_ident(table_name) AS \"table\" FROM information_schema.tables WHERE quote_ident(table_schema) IN (
                SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM generate_series(
                    array_lower(string_to_array(current_setting('search_path'), ','), 1),
                    array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i,
                    string_to_array(current_setting('search_path'), ',') s) AND table_name < 'observations_1' ORDER BY 1",
            "WaterObserved\ncases\nobservations",
        ),
        (
            "SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns WHERE quote_ident(table_name) = 'cases' ORDER BY ordinal_position LIMIT 3",
            "id|bigint\ntitle|text\nopened_at|timestamp with time zone",
        ),
        // What its macros for times become.
        (
            "SELECT floor(extract(epoch from observed_at)/300)*300 AS time, count(value_number) AS value, entity_id AS metric FROM observations WHERE observed_at BETWEEN '2026-11-23T08:00:00Z' AND '2026-11-23T08:05:00Z' GROUP BY 1, 3 ORDER BY 1, 3 LIMIT 1",
            "1795420800|30|urn:ngsi-ld:WaterObserved:0",
        ),
    ] {
        assert_eq!(answered(&door, sql).await, expected, "{sql}");
    }
}
