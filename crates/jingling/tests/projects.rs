//! Key projects (重点项目) in a running city: those of the plan are there, a unit keeps its own and no other, what is wrong is refused, a month
//! is stated once, a reminder is a case with clocks, what was added and ended stays, and units are assessed with the rows behind it.

use crate::support::{Answer, City};
use serde_json::{Value as Json, json};

const PROJECTS: &str = "/api/v1/projects";
const WATER: &str = "/api/v1/projects/smart-water";
const GAUGE: &str = "urn:ngsi-ld:WaterLevelObserved:P1";

async fn person(city: &City, username: &str, role: &str, organisation: &str) -> String {
    let of = ["--organisation", organisation];
    let password = city.add_named(username, username, role, &of);
    city.sign_in(username, &password).await.cookie.unwrap()
}

async fn get(city: &City, cookie: &str, path: &str) -> Json {
    let found = city.send(cookie, "GET", path, &Json::Null).await;
    assert_eq!(found.status, 200, "{path}: {}", found.body);
    found.json()
}

/// Writes a part of a project anew, on top of what is there.
async fn write(city: &City, cookie: &str, mut part: Json) -> Answer {
    let seen = get(city, cookie, WATER).await;
    part["version"] = seen["version"].clone();
    city.send(cookie, "PUT", WATER, &part).await
}

#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (status, code),
        "{}",
        answer.body
    );
}

fn profile(start: &str, end: &str) -> Json {
    json!({"section": "profile", "profile": {"organisation": "shuili", "start": start, "end": end, "total_fen": 12_000_000_000_i64}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_kept_from_goal_to_thing() {
    let city = City::start();
    let office = person(&city, "fagai.zhou", "planner", "fagai").await;
    let unit = person(&city, "shuili.zhao", "operator", "shuili").await;
    let other = person(&city, "chengguan.sun", "operator", "chengguan").await;

    // Those of the plan are there, of whom nobody said anything yet.
    let all = get(&city, &unit, PROJECTS).await;
    assert_eq!((&all["total"], &all["of_plan"]), (&json!(16), &json!(16)));
    let items = all["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["status"] == "no_milestones"));
    for (plan_box, count) in [("1", 5), ("2", 9), ("3", 2), ("added", 0)] {
        let of_box = get(&city, &unit, &format!("{PROJECTS}?plan_box={plan_box}")).await;
        assert_eq!(
            of_box["items"].as_array().unwrap().len(),
            count,
            "{plan_box}"
        );
    }
    let goal = get(
        &city,
        &unit,
        &format!("{PROJECTS}?indicator=water-station-reporting"),
    )
    .await;
    assert_eq!(goal["items"][0]["id"], "smart-water");
    let empty = get(&city, &unit, WATER).await;
    assert!(
        empty["quote"]
            .as_str()
            .unwrap()
            .starts_with("天门市“智慧水利”建设项目:水利物联感知体系建设")
    );
    assert_eq!(empty["goals"].as_array().unwrap().len(), 2);
    let kinds: Vec<&Json> = empty["item"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["kind"])
        .collect();
    assert_eq!(kinds, ["no_organisation", "no_milestones", "no_money"]);

    // Who answers for it is the office's word, and an end comes behind its start.
    let stage = json!({"section": "stage", "stage": "building"});
    is(
        &write(&city, &unit, stage.clone()).await,
        403,
        "project-organisation",
    );
    let backwards = write(&city, &office, profile("2024-06-01", "2024-05-31")).await;
    is(&backwards, 400, "project-dates");
    assert!(
        backwards.body.contains("结束日期早于开始日期"),
        "{}",
        backwards.body
    );
    let unknown = json!({"section": "profile", "profile": {"organisation": "nobody"}});
    is(
        &write(&city, &office, unknown).await,
        400,
        "unknown-organisation",
    );
    let set = write(&city, &office, profile("2024-01-01", "2025-12-31")).await;
    assert_eq!(set.status, 200, "{}", set.body);
    is(
        &write(&city, &unit, profile("2024-01-01", "2030-12-31")).await,
        403,
        "forbidden",
    );
    is(
        &write(&city, &other, stage.clone()).await,
        403,
        "project-organisation",
    );

    // The unit keeps the rest.
    assert_eq!(write(&city, &unit, stage).await.status, 200);
    let milestones = json!({"section": "milestones", "milestones": [
        {"name": "立项", "planned": "2024-02-01", "done": "2024-02-01", "evidence": "天发改审批〔2024〕12号"},
        {"name": "感知体系建成", "planned": "2024-06-30"}]});
    assert_eq!(write(&city, &unit, milestones).await.status, 200);
    let money = json!({"section": "money", "money": [
        {"source": "central", "year": 2024, "planned_fen": 500_000_000_i64, "arranged_fen": 500_000_000_i64, "paid_fen": 200_000_000_i64},
        {"source": "city", "year": 2024, "planned_fen": 100_i64, "arranged_fen": 100_i64, "paid_fen": 1_i64}]});
    let kept = write(&city, &unit, money.clone()).await.json();
    assert_eq!(
        (&kept["item"]["status"], &kept["item"]["stage"]),
        (&json!("late"), &json!("building"))
    );
    assert_eq!(kept["years"][0]["sums"]["paid_fen"], 200_000_001);
    assert_eq!(kept["years"][0]["state"], "behind");
    assert_eq!(kept["reminders_due"], json!(["milestone:感知体系建成"]));
    let mut stale = money;
    stale["version"] = json!(0);
    is(
        &city.send(&unit, "PUT", WATER, &stale).await,
        409,
        "project-changed",
    );

    // From the project to a thing in the city.
    let asset = json!({"section": "assets", "assets": [{"entity_id": GAUGE, "note": "一期新建"}]});
    is(
        &write(&city, &unit, asset.clone()).await,
        400,
        "project-asset",
    );
    let collector = city.token_of("collector");
    let thing = json!([{"id": GAUGE, "type": "WaterLevelObserved", "name": {"type": "Property", "value": "天门河一号站"}}]);
    let taken = city.ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
        r.bearer_auth(&collector).json(&thing)
    });
    assert!((200..300).contains(&taken.await.status));
    crate::support::until("the gauge is there", async || {
        write(&city, &unit, asset.clone()).await.status == 200
    })
    .await;
    let things = get(&city, &unit, WATER).await["things"].clone();
    assert_eq!(
        (&things[0]["name"], &things[0]["entity_type"]),
        (&json!("天门河一号站"), &json!("WaterLevelObserved"))
    );

    months(&city, &unit, &other).await;
    reminders(&city, &office, &unit).await;
    tasks(&city, &office, &unit).await;
    rolling(&city, &office).await;
    figures(&city, &office, &unit).await;
    trail(&city).await;
    history(&city, &other).await;
}

/// A department sees its own tasks of all projects, is reminded of one that is overdue, and whoever keeps the project says how it stands.
async fn tasks(city: &City, office: &str, unit: &str) {
    const TASKS: &str = "/api/v1/project-tasks";
    let member = person(city, "jingxin.qian", "operator", "jingxin").await;
    let part = |done: Json, progress: &str| {
        json!({"section": "tasks", "tasks": [
            {"organisation": "chengguan", "task": "开放井盖数据", "due": "2099-01-01"},
            {"organisation": "jingxin", "task": "移交数据目录"},
            {"organisation": "jingxin", "task": "编制接口标准", "due": "2024-05-31", "done": done, "progress": progress}]})
    };
    let future = part(json!("2099-01-02"), "");
    is(&write(city, unit, future).await, 400, "project-future");
    let open = part(Json::Null, "");
    assert_eq!(write(city, unit, open.clone()).await.status, 200);
    let own = format!("{TASKS}?organisation=jingxin");
    let found = get(city, &member, &own).await;
    assert_eq!(
        (&found["own"], &found["may_remind"]),
        (&json!(["jingxin"]), &json!(false))
    );
    let items = found["items"].as_array().unwrap();
    let read: Vec<_> = items
        .iter()
        .map(|item| {
            (
                &item["task"],
                &item["state"],
                &item["row"],
                &item["may_edit"],
            )
        })
        .collect();
    let row =
        |task: &str, state: &str, row: i64| (json!(task), json!(state), json!(row), json!(false));
    let expected = [
        row("编制接口标准", "overdue", 2),
        row("移交数据目录", "no_day", 1),
    ];
    let expected: Vec<_> = expected.iter().map(|(a, b, c, d)| (a, b, c, d)).collect();
    assert_eq!(read, expected);
    assert_eq!(items[0]["responsible"]["id"], "shuili");
    assert_eq!(items[0]["reminder"], Json::Null);
    let counts = &found["units"];
    assert_eq!(counts.as_array().unwrap().len(), 2);
    assert_eq!(
        (
            &counts[1]["unit"]["id"],
            &counts[1]["tasks"],
            &counts[1]["overdue"]
        ),
        (&json!("jingxin"), &json!(2), &json!(1))
    );
    // It is changed by whoever keeps the project, and by nobody else.
    is(
        &write(city, &member, open).await,
        403,
        "project-organisation",
    );
    assert_eq!(get(city, unit, &own).await["items"][0]["may_edit"], true);

    // The department is reminded, not the unit that answers for the project.
    let due = get(city, office, WATER).await["reminders_due"].clone();
    let word = "task:jingxin:编制接口标准";
    assert!(due.as_array().unwrap().contains(&json!(word)), "{due}");
    assert_eq!(items[0]["about"], word);
    let path = format!("{WATER}/reminders");
    let about = json!({"about": word, "note": "请报完成时间"});
    let sent = city.send(office, "POST", &path, &about).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let sent = sent.json();
    assert_eq!(sent["reminders"][0]["organisation"]["id"], "jingxin");
    is(
        &city.send(office, "POST", &path, &about).await,
        409,
        "project-reminded",
    );
    let case = format!("/api/v1/cases/{}", sent["reminders"][0]["case_id"]);
    let case = get(city, &member, &case).await;
    assert_eq!(case["organisation"]["id"], "jingxin");
    assert_eq!(
        case["title"],
        "督办：天门市“智慧水利”建设项目——任务“编制接口标准”逾期"
    );
    let reminded = get(city, &member, &own).await;
    assert_eq!(
        (
            &reminded["items"][0]["reminder"]["number"],
            &reminded["items"][0]["reminder"]["state"]
        ),
        (&sent["reminders"][0]["number"], &json!("dispatched"))
    );

    let done = part(json!("2024-06-02"), "已印发");
    assert_eq!(write(city, unit, done).await.status, 200);
    let after = get(city, &member, &own).await;
    let last = &after["items"][1];
    assert_eq!(
        (&last["state"], &last["days_late"], &last["progress"]),
        (&json!("done_late"), &json!(2), &json!("已印发"))
    );
    let left = get(city, &member, &format!("{own}&open=true")).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    let nothing = json!({"about": "task:jingxin:没有这项", "note": "x"});
    for about in [about, nothing] {
        is(
            &city.send(office, "POST", &path, &about).await,
            400,
            "project-about",
        );
    }
}

/// Whoever may read a project reads what became of it, newest first, in pages.
async fn history(city: &City, viewer: &str) {
    let path = format!("{WATER}/history");
    let all = get(city, viewer, &path).await;
    let items = all["items"].as_array().unwrap();
    let sections: Vec<&str> = items
        .iter()
        .map(|item| item["section"].as_str().unwrap())
        .collect();
    let expected = [
        "tasks",
        "tasks",
        "assets",
        "money",
        "milestones",
        "stage",
        "profile",
    ];
    assert_eq!(sections, expected);
    assert_eq!(all["next"], Json::Null);
    let newest = &items[0];
    assert_eq!(
        (&newest["by"], &newest["kind"]),
        (&json!("shuili.zhao"), &json!("changed"))
    );
    assert_eq!(
        (&newest["old"][0]["progress"], &newest["new"][0]["progress"]),
        (&json!(""), &json!("已印发"))
    );
    let names: Vec<&Json> = all["organisations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| &unit["id"])
        .collect();
    assert_eq!(names, ["chengguan", "jingxin", "shuili"]);
    let first = get(city, viewer, &format!("{path}?limit=5")).await;
    let next = first["next"].as_str().unwrap();
    let rest = get(city, viewer, &format!("{path}?limit=5&after={next}")).await;
    assert_eq!(
        (&rest["items"][0], &rest["items"][1], &rest["next"]),
        (&items[5], &items[6], &Json::Null)
    );
    let ended = get(city, viewer, &format!("{PROJECTS}/flood-radar/history")).await;
    let kinds: Vec<_> = ended["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["kind"], &item["reason"]))
        .collect();
    let (end, add) = (json!("ended"), json!("added"));
    let why = [
        json!("并入省级项目"),
        json!("市政府常务会议纪要〔2026〕3号"),
    ];
    assert_eq!(kinds, [(&end, &why[0]), (&add, &why[1])]);
    let nowhere = city
        .send(
            viewer,
            "GET",
            &format!("{PROJECTS}/nothing/history"),
            &Json::Null,
        )
        .await;
    is(&nowhere, 404, "not-found");
}

/// A month is stated once, by who answers for the project; who has not is listed.
async fn months(city: &City, unit: &str, other: &str) {
    let month = get(city, unit, WATER).await["month"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/project-months/{month}");
    let before = get(city, unit, &path).await;
    assert_eq!(before["items"][0]["state"], "open");
    assert_eq!(before["items"].as_array().unwrap().len(), 1);
    assert_eq!(before["nobody"].as_array().unwrap().len(), 15);
    let reports = format!("{WATER}/reports");
    let said =
        json!({"month": month, "progress": "完成 12 座测站安装", "problems": "3 座测站用地未落实"});
    is(
        &city.send(other, "POST", &reports, &said).await,
        403,
        "project-organisation",
    );
    let told = city.send(unit, "POST", &reports, &said).await;
    assert_eq!(told.status, 200, "{}", told.body);
    assert_eq!(told.json()["owes_month"], false);
    is(
        &city.send(unit, "POST", &reports, &said).await,
        409,
        "project-reported",
    );
    for (month, status) in [("2099-01", 409), ("2001-01", 409), ("2026-13", 400)] {
        let mut wrong = said.clone();
        wrong["month"] = json!(month);
        is(
            &city.send(unit, "POST", &reports, &wrong).await,
            status,
            "project-month",
        );
    }
    let after = get(city, unit, &path).await;
    assert_eq!(
        (
            &after["items"][0]["state"],
            &after["items"][0]["report"]["problems"]
        ),
        (&json!("in_time"), &json!("3 座测站用地未落实"))
    );
}

/// A reminder is a case of the unit, with a clock in working time; nobody is reminded of one thing twice.
async fn reminders(city: &City, office: &str, unit: &str) {
    let path = format!("{WATER}/reminders");
    let about = json!({"about": "milestone:感知体系建成", "note": "请说明原因并报新的完成日期"});
    is(
        &city.send(unit, "POST", &path, &about).await,
        403,
        "forbidden",
    );
    let reached = json!({"about": "milestone:立项", "note": "已完成"});
    is(
        &city.send(office, "POST", &path, &reached).await,
        400,
        "project-about",
    );
    let nobody = city
        .send(
            office,
            "POST",
            "/api/v1/projects/smart-gas/reminders",
            &json!({"about": "other", "note": "x"}),
        )
        .await;
    is(&nobody, 409, "project-nobody");
    let sent = city.send(office, "POST", &path, &about).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let sent = sent.json();
    assert_eq!(sent["reminders_due"], json!([]));
    let reminder = &sent["reminders"][0];
    assert_eq!(
        (&reminder["state"], &reminder["closed_at"]),
        (&json!("dispatched"), &Json::Null)
    );
    assert!(reminder["due_at"].is_string());
    is(
        &city.send(office, "POST", &path, &about).await,
        409,
        "project-reminded",
    );
    let case = reminder["case_id"].as_i64().unwrap();
    let path = format!("/api/v1/cases/{case}");
    let shown = get(city, unit, &path).await;
    assert_eq!(shown["organisation"]["id"], "shuili");
    assert_eq!(
        shown["title"],
        "督办：天门市“智慧水利”建设项目——里程碑“感知体系建成”逾期"
    );
    let act = format!("{path}/actions");
    for (who, body, state) in [
        (unit, json!({"action": "take"}), "handling"),
        (
            unit,
            json!({"action": "finish", "note": "设备到货晚，12 月底完成"}),
            "handled",
        ),
        (office, json!({"action": "verify"}), "closed"),
    ] {
        let done = city.send(who, "POST", &act, &body).await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert_eq!(done.json()["state"], state);
    }
    let after = get(city, office, WATER).await;
    assert!(after["reminders"][0]["closed_at"].is_string());
    // The milestone is still overdue: the office may remind of it again.
    assert_eq!(after["reminders_due"], json!(["milestone:感知体系建成"]));
}

/// What was added joins those of the plan; what was ended stays, and nothing of it changes.
async fn rolling(city: &City, office: &str) {
    let new = json!({"id": "flood-radar", "name_zh": "测雨雷达项目", "name_en": "Rain radar", "reason": "市政府常务会议纪要〔2026〕3号",
        "system": "S28", "indicators": ["water-station-reporting"]});
    let made = city.send(office, "POST", PROJECTS, &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["goals"][0]["id"], "water-station-reporting");
    is(
        &city.send(office, "POST", PROJECTS, &new).await,
        409,
        "project-known",
    );
    for (key, value, code) in [
        ("id", "Radar 1", "project-id"),
        ("reason", " ", "project-text"),
        ("system", "S99", "project-system"),
    ] {
        let mut wrong = new.clone();
        wrong[key] = json!(value);
        is(
            &city.send(office, "POST", PROJECTS, &wrong).await,
            400,
            code,
        );
    }
    let path = format!("{PROJECTS}/flood-radar");
    let end = city
        .send(
            office,
            "POST",
            &format!("{path}/end"),
            &json!({"reason": "并入省级项目"}),
        )
        .await;
    assert_eq!(end.json()["item"]["status"], "ended");
    let change = json!({"version": 1, "section": "stage", "stage": "building"});
    is(
        &city.send(office, "PUT", &path, &change).await,
        409,
        "project-ended",
    );
    let added = get(city, office, &format!("{PROJECTS}?plan_box=added")).await;
    assert_eq!(
        (&added["total"], &added["items"][0]["status"]),
        (&json!(17), &json!("ended"))
    );
}

/// Units by their rows, and the same rows for analysts.
async fn figures(city: &City, office: &str, unit: &str) {
    let found = get(city, unit, "/api/v1/project-assessments/2024").await;
    let water = &found["units"][0];
    assert_eq!(water["unit"]["name_zh"], "市水利和湖泊局");
    let figures = &water["figures"];
    assert_eq!(
        (&figures["kept"], &figures["late"], &figures["overdue"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(figures["milestone_rows"][1]["name"], "感知体系建成");
    assert_eq!(
        figures["money"],
        json!({"planned_fen": 500_000_100, "arranged_fen": 500_000_100, "paid_fen": 200_000_001})
    );
    assert_eq!(figures["money_rows"].as_array().unwrap().len(), 2);
    let wrong = city
        .send(unit, "GET", "/api/v1/project-assessments/1999", &Json::Null)
        .await;
    is(&wrong, 400, "project-year");
    let sql = "SELECT p.id, p.stage, m.source, m.paid_fen FROM projects p JOIN project_money m ON m.project_id = p.id ORDER BY m.source";
    let rows = city
        .send(office, "POST", "/api/v1/sql", &json!({"query": sql}))
        .await;
    assert_eq!(rows.status, 200, "{}", rows.body);
    let row = |source, paid_fen| json!({"id": "smart-water", "stage": "building", "source": source, "paid_fen": paid_fen});
    let expected = json!([row("central", 200_000_000), row("city", 1)]);
    assert_eq!(rows.json()["rows"], expected);
    let sql = "SELECT name, planned, done FROM project_milestones ORDER BY planned";
    let rows = city
        .send(office, "POST", "/api/v1/sql", &json!({"query": sql}))
        .await;
    let rows = rows.json()["rows"].clone();
    assert_eq!(
        (&rows[0]["name"], &rows[0]["done"]),
        (&json!("立项"), &json!("2024-02-01"))
    );
    assert_eq!(
        (&rows[1]["planned"], &rows[1]["done"]),
        (&json!("2024-06-30"), &Json::Null)
    );
}

/// Every change is in the audit trail, with what was before and what is now.
async fn trail(city: &City) {
    let auditor = city.signed_in("auditor").await;
    let path = "/api/v1/audit?action=project.*&limit=100";
    let trail = get(city, &auditor, path).await;
    let mut acts: Vec<&str> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    acts.reverse();
    let expected = [
        "project.change",
        "project.change",
        "project.change",
        "project.change",
        "project.change",
        "project.report",
        "project.remind",
        "project.change",
        "project.remind",
        "project.change",
        "project.add",
        "project.end",
    ];
    assert_eq!(acts, expected);
    let stage = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["detail"]["section"] == "stage")
        .unwrap();
    assert_eq!(
        (&stage["detail"]["old"], &stage["detail"]["new"]),
        (&json!("reserve"), &json!("building"))
    );
    assert_eq!(
        (&stage["actor"], &stage["target"]),
        (&json!("shuili.zhao"), &json!("project:smart-water"))
    );
}
