//! Several plans side by side: the one that holds today is shown unless another is asked for, also to everybody; an indicator is measured
//! once and each plan judges it. Towns compared: what is kept under the code of a town that was merged counts for its successor and is told
//! as what it was, and a code that nobody knows is told too.

use crate::support::{City, FREE_PORTS, jingling, new_city, text, until};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::Path;

const STATIONS: &str = "5g-base-stations";
/// The project that serves it.
const NETWORK: &str = "network-5g";
const OLD: &str = "tianmen-14-5";

/// A pack with a plan for these years. `target` goes into its `targets.toml`: the number of stations that it wants, or another indicator's.
fn plan_pack(city: &City, name: &str, years: [i16; 2], indicator: &str, files: &[(&str, &str)]) {
    let quality = [
        "standard-names",
        "units",
        "ranges",
        "runbooks",
        "two-languages",
        "sources",
        "scenarios",
        "department-review",
    ]
    .map(|id| format!("[[rule]]\nid = \"{id}\"\nstate = \"exempt\"\nbecause = \"a plan alone\"\n"));
    let [first, last] = years;
    let pack = Path::new(&city.dir).join("packs").join(name);
    let written = [
        (
            "pack.toml",
            format!(
                "# A plan.\nname = \"{name}\"\nversion = 1\ntitle_zh = \"新规划\"\ntitle_en = \"New plan\"\nowner_zh = \"委\"\n\
                 owner_en = \"Commission\"\npermissions = [\"indicator.read\"]\n"
            ),
        ),
        ("README.md", "# 新规划\n".to_owned()),
        ("quality.toml", format!("# Ledger.\n{}", quality.concat())),
        ("strings/zh.toml", "# 没有\n".to_owned()),
        ("strings/en.toml", "# None\n".to_owned()),
        (
            "plan.toml",
            format!(
                "# The plan.\ntitle_zh = \"{name}规划\"\ntitle_en = \"Plan {name}\"\nsource_zh = \"委\"\nsource_en = \"Commission\"\n\
                 period = [{first}, {last}]\n"
            ),
        ),
        (
            "plan.txt",
            "一、目标\n建成3000个5G基站,路灯达到12盏。\n".to_owned(),
        ),
        (
            "targets.toml",
            format!(
                "# What it wants.\n[[target]]\nindicator = \"{indicator}\"\nnumber = \"1\"\norigin = \"table\"\n\
                 group_zh = \"信息设施\"\ngroup_en = \"Information\"\nsubgroup_zh = \"5G\"\nsubgroup_en = \"5G\"\n\
                 baseline = 0\nbaseline_year = {first}\ntarget = 3000\ntarget_year = {last}\n\
                 places = [{{ section = \"一、\", quote = \"建成3000个5G基站\" }}]\n"
            ),
        ),
    ];
    let more = files.iter().map(|(path, text)| (*path, (*text).to_owned()));
    for (path, text) in written.into_iter().chain(more) {
        let file = pack.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

/// An indicator of the new plan's own.
fn lamps([first, last]: [i16; 2]) -> String {
    format!(
        "\
-- id: lamps
-- number: T1
-- origin: text
-- group_zh: 照明
-- group_en: Light
-- subgroup_zh: 路灯
-- subgroup_en: Lamps
-- name_zh: 路灯
-- name_en: Lamps
-- unit_zh: 盏
-- unit_en: lamps
-- direction: more
-- baseline: none
-- baseline_year: {first}
-- target: 12
-- target_year: {last}
-- method: computed
-- source_zh: 平台计数
-- source_en: counted by the platform
-- path: linear
-- place: 一、 | 路灯达到12盏
SELECT CAST(COUNT(DISTINCT entity_id) AS DOUBLE) AS value FROM entities_now WHERE entity_type = 'Streetlight';
-- rows:
SELECT entity_id FROM entities_now WHERE entity_type = 'Streetlight' ORDER BY entity_id;
"
    )
}

async fn reload(city: &City) -> (u16, String) {
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin);
    let answer = city.ask("POST", "/api/v1/packs/reload", with).await;
    (answer.status, answer.body)
}

/// The plans' ids, where each stands, and whether it is the one shown.
async fn plans(city: &City) -> Vec<(String, String, bool)> {
    let found = city.get("/api/v1/plans").await;
    let items = found["items"].as_array().unwrap().iter();
    items
        .map(|one| {
            (
                one["id"].as_str().unwrap().to_owned(),
                one["phase"].as_str().unwrap().to_owned(),
                one["chosen"].as_bool().unwrap(),
            )
        })
        .collect()
}

fn is(id: &str, phase: &str, chosen: bool) -> (String, String, bool) {
    (id.to_owned(), phase.to_owned(), chosen)
}

/// The ids of a plan's indicators.
fn ids(plan: &Json) -> BTreeSet<&str> {
    let all = plan["indicators"].as_array().unwrap().iter();
    all.map(|one| one["id"].as_str().unwrap()).collect()
}

/// A refusal's status and code.
async fn refused(city: &City, path: &str) -> (u16, String) {
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin);
    let answer = city.ask("GET", path, with).await;
    (answer.status, answer.problem())
}

async fn put(city: &City, stations: &[Json]) {
    let token = city.token_of("collector");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token).json(&stations);
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let answer = city.ask("POST", path, with).await;
    assert!(answer.status < 300, "{}", answer.body);
}

/// A 5G base station in service, as somebody said it at a moment.
fn station(id: &str, town: Option<&str>, at: &str) -> Json {
    let said = |value: Json| json!({"type": "Property", "value": value, "observedAt": at});
    let mut body = json!({
        "id": format!("urn:ngsi-ld:TelecomBaseStation:{id}"),
        "type": "TelecomBaseStation",
        "generation": said(json!("5G")),
        "inService": said(json!(true)),
    });
    if let Some(town) = town {
        body["townCode"] = said(json!(town));
    }
    body
}

fn days_ago(days: i64) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_that_holds_today_is_shown_and_the_others_stay() {
    let city = City::start_with(&[
        "packs.reload_seconds=0",
        "indicators.at_once_max=100",
        "indicators.busy_percent=100",
        "portal.open=true",
        "portal.licence=https://creativecommons.org/licenses/by/4.0/",
        "portal.requests_per_minute_max=10000",
        "portal.kept_seconds=1",
    ]);
    // Tianmen's plan is over since the end of 2025; while there is no other it is the one.
    assert_eq!(plans(&city).await, [is(OLD, "over", true)]);
    let first = city.get("/api/v1/plan").await;
    assert_eq!((&first["id"], ids(&first).len()), (&json!(OLD), 59));
    assert_eq!(
        refused(&city, "/api/v1/plan?plan=fifteen").await,
        (404, "plan-unknown".to_owned())
    );

    // The next one, which holds today, and one that is to come.
    let day = city.get("/api/v1/plans").await["day"].clone();
    let year: i16 = day.as_str().unwrap()[..4].parse().unwrap();
    let (now, later) = ([year - 1, year + 4], [year + 4, year + 9]);
    let own = lamps(now);
    plan_pack(
        &city,
        "pack-next",
        now,
        STATIONS,
        &[("indicators/lamps.sql", &own)],
    );
    plan_pack(&city, "pack-later", later, STATIONS, &[]);
    let (status, body) = reload(&city).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        plans(&city).await,
        [
            is(OLD, "over", false),
            is("next", "running", true),
            is("later", "to_come", false)
        ]
    );

    // Each plan has its own goals.
    let held = city.get("/api/v1/plan").await;
    assert_eq!(
        (&held["id"], &held["period"]),
        (&json!("next"), &json!(now))
    );
    assert_eq!(ids(&held), BTreeSet::from([STATIONS, "lamps"]));
    let old = city.get(&format!("/api/v1/plan?plan={OLD}")).await;
    assert_eq!((&old["id"], ids(&old)), (&json!(OLD), ids(&first)));
    assert_eq!(old["contradictions"], first["contradictions"]);
    assert_eq!(held["contradictions"], json!([]));

    // An indicator is measured once; each plan has its path, its assessment, its target.
    let at = days_ago(0);
    put(&city, &[station("1", Some("429006001"), &at)]).await;
    let path = format!("/api/v1/plan/indicators/{STATIONS}");
    until("the station", async || {
        city.get(&path).await["value"] == 1.0
    })
    .await;
    let by_next = city.get(&path).await;
    let by_old = city.get(&format!("{path}?plan={OLD}")).await;
    assert_eq!(by_old["value"], 1.0);
    assert_eq!(
        (&by_next["plan"], &by_next["target"], &by_next["assessment"]),
        (&json!("next"), &json!(3000.0), &Json::Null)
    );
    assert_eq!(
        (&by_old["plan"], &by_old["target"], &by_old["status"]),
        (&json!(OLD), &json!(1800.0), &json!("behind"))
    );
    assert_eq!(by_old["assessment"]["on"], "2025-12-31");
    assert!(by_next["forecast_missing"].is_object(), "{by_next}");
    let ends = |one: &Json| {
        let path = one["path"].as_array().unwrap();
        let year = |point: Option<&Json>| point.unwrap()["year"].as_i64().unwrap();
        [year(path.first()), year(path.last())]
    };
    assert_eq!(ends(&by_next), now.map(i64::from));
    assert_eq!(ends(&by_old), [2020, 2025]);
    let also: Vec<(&Json, &Json)> = (by_next["also_in"].as_array().unwrap().iter())
        .map(|one| (&one["plan"], &one["target_low"]))
        .collect();
    assert_eq!(
        also,
        [
            (&json!(OLD), &json!(1800.0)),
            (&json!("later"), &json!(3000.0))
        ]
    );

    // What only the old plan has is still there; nobody finds it in the new one.
    let points = "/api/v1/plan/indicators/charging-points";
    assert_eq!(city.get(points).await["plan"], OLD);
    for missing in [
        format!("{points}?plan=next"),
        format!("/api/v1/plan/indicators/lamps?plan={OLD}"),
    ] {
        assert_eq!(refused(&city, &missing).await.0, 404, "{missing}");
    }

    // The front page and SQL judge by the plan that holds, and so does the portal.
    let targets = city.get("/api/v1/overview").await["targets"].clone();
    let counted = ["met", "on_path", "behind", "unknown"].map(|s| targets[s].as_u64().unwrap());
    assert_eq!(counted.iter().sum::<u64>(), 2, "{targets}");
    let row = city
        .sql(&format!(
            "SELECT target, value FROM indicators WHERE id = '{STATIONS}'"
        ))
        .await;
    assert_eq!(
        (&row["target"], &row["value"]),
        (&json!(3000.0), &json!(1.0))
    );
    let portal = async || {
        let answer = city.ask("GET", "/api/v1/public/plan", |r| r).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    until("the portal shows the plan that holds", async || {
        let shown = portal().await;
        shown["title_en"] == "Plan pack-next" && shown["sums"]["published"] == 2
    })
    .await;
    let shown = portal().await;
    assert_eq!(ids(&shown), BTreeSet::from([STATIONS, "lamps"]));
    let of = |one: &&Json| one["id"] == STATIONS;
    let one = shown["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .find(of)
        .unwrap();
    assert_eq!(
        (&one["value"], &one["target"], &one["path"][0]["year"]),
        (&json!(1.0), &json!(3000.0), &json!(year - 1))
    );

    // Reporting and claims go by the indicator, whatever plan holds.
    let reporting = city.get("/api/v1/plan/reporting").await;
    let due = reporting["due"].as_array().unwrap().iter();
    let due: Vec<&Json> = due.map(|one| &one["indicator_id"]).collect();
    assert!(due.contains(&&json!("5g-user-penetration")), "{due:?}");

    // A plan that wants something that nobody measures is not taken up.
    plan_pack(&city, "pack-later", later, "nobody-measures-it", &[]);
    let (status, body) = reload(&city).await;
    assert!(status == 409 && body.contains("target-indicator"), "{body}");
    assert_eq!(plans(&city).await.len(), 3);
    city.goes_on().await;
}

/// A city in which one town was merged.
fn with_successions(lines: &str) -> (tempfile::TempDir, String) {
    let (folder, dir) = new_city();
    let own = Path::new(&dir).join("city");
    let profile = ::city::City::embedded("tianmen").unwrap();
    profile.files.export(&own).unwrap();
    let text = format!("code,name,into,on\n{lines}");
    std::fs::write(own.join("successions.csv"), text).unwrap();
    (folder, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_town_counts_for_its_successor_and_an_unknown_code_is_told() {
    let (folder, dir) = with_successions("429006199,旧河镇,429006001,2024-05-01\n");
    let city = City::start_in(
        folder,
        dir,
        &["indicators.at_once_max=100", "indicators.busy_percent=100"],
    );
    let (before, now) = (days_ago(3), days_ago(0));
    put(
        &city,
        &[
            station("1", Some("429006001"), &before),
            station("2", Some("429006199"), &before),
        ],
    )
    .await;
    put(
        &city,
        &[
            station("3", Some("429006001"), &now),
            station("4", Some("429006002"), &now),
            station("5", Some("429006998"), &now),
            station("6", None, &now),
        ],
    )
    .await;
    let path = format!("/api/v1/plan/indicators/{STATIONS}");
    until("all six stations", async || {
        city.get(&path).await["value"] == 6.0
    })
    .await;

    // Nothing is dropped, nothing counted twice: 3 + 1 in towns, 1 under a code that nobody knows, 1 under none.
    let towns = city.get(&path).await["towns"].clone();
    let all = towns["towns"].as_array().unwrap();
    assert_eq!(all.len(), 28);
    let of = |code: &str| all.iter().find(|town| town["code"] == code).unwrap();
    assert_eq!(of("429006001")["value"], 3.0);
    assert_eq!(
        of("429006001")["merged"],
        json!([{"code": "429006199", "name": "旧河镇", "into_name": "竟陵街道", "on": "2024-05-01", "value": 1.0}])
    );
    assert_eq!(
        (&of("429006002")["value"], &of("429006002")["merged"]),
        (&json!(1.0), &json!([]))
    );
    assert_eq!(
        (&towns["total"], &towns["difference"]),
        (&json!(4.0), &json!(2.0))
    );
    let unknown = towns["unknown"].as_array().unwrap();
    assert_eq!(unknown.len(), 1, "{towns}");
    assert_eq!(
        (&unknown[0]["code"], &unknown[0]["value"]),
        (&json!("429006998"), &json!(1.0))
    );
    for key in ["mend_zh", "mend_en"] {
        let mend = unknown[0][key].as_str().unwrap();
        assert!(mend.contains("successions.csv"), "{mend}");
    }

    // Side by side, with what they had two days ago: the history of the merged town too is its successor's.
    let since = &days_ago(2)[..10];
    let compared = city.get(&format!("{path}/towns?since={since}")).await;
    assert_eq!(
        (&compared["history"], &compared["since"]),
        (&json!("known"), &json!(since))
    );
    let first = &compared["towns"][0];
    assert_eq!(
        (&first["code"], &first["rank"], &first["before"]),
        (&json!("429006001"), &json!(1), &json!(2.0))
    );
    assert_eq!(
        (&first["share"], &first["change"]),
        (&json!(0.5), &json!(1.0))
    );
    let second = &compared["towns"][1];
    assert_eq!(
        (&second["code"], &second["change"]),
        (&json!("429006002"), &json!(1.0))
    );
    assert_eq!(
        (&compared["total_before"], &compared["change"]),
        (&json!(2.0), &json!(2.0))
    );
    let way = compared["way"].as_f64().unwrap();
    assert!((way - 2.0 / 1798.0).abs() < 1e-12, "{way}");
    assert_eq!(compared["towns"].as_array().unwrap().len(), 28);
    assert_eq!(compared["towns"][27]["rank"], Json::Null);

    // What a project built is its part of the figure: the figure less what there is without it.
    let parts = async || city.get(&format!("{path}/projects")).await;
    let none = parts().await;
    assert_eq!(
        none["projects"],
        json!([{"project": NETWORK, "things": 0, "without": null, "part": null}])
    );
    let password = city.add_person("office", "planner");
    let office = city.sign_in("office", &password).await.cookie.unwrap();
    let project = format!("/api/v1/projects/{NETWORK}");
    let seen = city
        .send(&office, "GET", &project, &Json::Null)
        .await
        .json();
    let built = [1, 3]
        .map(|n| json!({"entity_id": station(&n.to_string(), None, &now)["id"], "note": "一期"}));
    let kept = json!({"section": "assets", "version": seen["version"], "assets": built});
    let kept = city.send(&office, "PUT", &project, &kept).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    let found = parts().await;
    assert_eq!(
        (&found["told"], &found["value"]),
        (&json!("known"), &json!(6.0))
    );
    assert_eq!(
        found["projects"],
        json!([{"project": NETWORK, "things": 2, "without": 4.0, "part": 2.0}])
    );
    let online = city
        .get("/api/v1/plan/indicators/iot-online-rate/projects")
        .await;
    assert_eq!(online["told"], "not_of_things");

    // What cannot be compared is told.
    let long_ago = city.get(&format!("{path}/towns?since=2020-12-31")).await;
    assert_eq!(
        (&long_ago["history"], &long_ago["towns"][0]["change"]),
        (&json!("nothing"), &Json::Null)
    );
    let now = city.get(&format!("{path}/towns")).await;
    assert_eq!(now["history"], "not_asked");
    for (path, status, code) in [
        (format!("{path}/towns?since=2999-01-01"), 400, "town-since"),
        (format!("{path}/towns?since=yesterday"), 400, "town-since"),
        (
            "/api/v1/plan/indicators/iot-online-rate/towns".to_owned(),
            404,
            "indicator-no-towns",
        ),
        (
            "/api/v1/plan/indicators/none/towns".to_owned(),
            404,
            "not-found",
        ),
        (format!("{path}/towns?plan=none"), 404, "plan-unknown"),
    ] {
        assert_eq!(
            refused(&city, &path).await,
            (status, code.to_owned()),
            "{path}"
        );
    }
}

#[test]
fn a_city_does_not_start_with_mergers_that_make_no_sense() {
    for (lines, words) in [
        (
            "429006199,旧河镇,429006998,2024-05-01\n",
            "successions.csv:2",
        ),
        (
            "429006198,甲镇,429006199,2024-05-01\n429006199,乙镇,429006198,2025-05-01\n",
            "into itself",
        ),
        ("429006199,旧河镇,429006001,\n", "the day"),
    ] {
        let (_folder, dir) = with_successions(lines);
        let refused = jingling(&[&["serve", &dir][..], &FREE_PORTS].concat());
        assert!(!refused.status.success(), "{lines}");
        let why = text(&refused.stderr);
        assert!(why.contains(words), "{why}");
    }
}
