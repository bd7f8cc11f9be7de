//! Organisations, posts and people from outside: over HTTP, from the command line, from workbooks that others made.

use crate::support::{Answer, City, jingling, jingling_json, new_city, shared, text, token};
use rust_xlsxwriter::Workbook;
use serde_json::{Value as Json, json};
use std::path::Path;

async fn send(city: &City, method: &str, path: &str, body: &Json) -> Answer {
    // Posts give roles, and roles are the security administrator's.
    let gives_roles = ["/posts", "/holders", "/role"]
        .iter()
        .any(|p| path.contains(p));
    let token = city.token_of(match path {
        _ if gives_roles => "security",
        p if p.starts_with("/api/v1/cases") => "duty",
        _ => "admin",
    });
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token).json(body);
    city.ask(method, path, with).await
}

/// Asks for a change that must be made; gives the answer.
async fn made(city: &City, method: &str, path: &str, body: Json) -> Json {
    let answer = send(city, method, path, &body).await;
    assert!(answer.status < 300, "{method} {path}: {answer:?}");
    answer.json()
}

async fn person(city: &City, username: &str, role: &str, organisation: &str) -> (i64, String) {
    let body = json!({"username": username, "name": format!("姓名{username}"),
        "organisation": organisation, "phone": "13812345678"});
    let answer = made(city, "POST", "/api/v1/people", body).await;
    let password = answer["password"].as_str().unwrap().to_owned();
    let id = answer["person"]["id"].as_i64().unwrap();
    let path = format!("/api/v1/accounts/{id}/role");
    made(city, "POST", &path, json!({"role": role})).await;
    (id, password)
}

/// A person's session, as a cookie.
/// A workbook of sheets, each with the line of names first.
fn workbook(path: &Path, sheets: &[(&str, &[&[&str]])]) {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let page = book.add_worksheet();
        page.set_name(*name).unwrap();
        for (line, row) in (0..).zip(*rows) {
            for (at, text) in (0..).zip(*row) {
                page.write_string(line, at, *text).unwrap();
            }
        }
    }
    book.save(path).unwrap();
}

async fn import(city: &City, path: &Path, dry_run: bool) -> Answer {
    let bytes = std::fs::read(path).unwrap();
    let name = path.extension().unwrap().to_str().unwrap();
    let url = format!("/api/v1/organisation/import?file=roster.{name}&dry_run={dry_run}");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin).body(bytes);
    city.ask("POST", &url, with).await
}

#[tokio::test]
async fn the_towns_are_organisations_and_what_people_add_can_be_given_work() {
    let city = shared();
    let tree = city.get("/api/v1/organisation").await;
    let units = tree["organisations"].as_array().unwrap();
    let town = units.iter().find(|o| o["id"] == "town-429006001").unwrap();
    assert_eq!(
        (&town["kind"], &town["division"], &town["of_profile"]),
        (&json!("town"), &json!("429006001"), &json!(true))
    );
    let draft = json!({"id": "pump-co", "name_zh": "泵站公司", "kind": "operator", "parent": "shuili",
        "credit_code": "91330100799655058B", "division": "429006001"});
    let organisations = "/api/v1/organisation/organisations";
    let unit = made(&city, "POST", organisations, draft.clone()).await;
    assert_eq!(unit["name_en"], "泵站公司");
    let again = send(&city, "POST", organisations, &draft).await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (409, "organisation-taken")
    );
    let mut wrong = draft.clone();
    wrong["id"] = "pump-3".into();
    wrong["credit_code"] = "91330100799655058A".into();
    let answer = send(&city, "POST", organisations, &wrong).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "credit-code")
    );
    let listed = city.get("/api/v1/organisations").await;
    let has = |list: &Json, id: &str| {
        let items = list["items"].as_array().unwrap();
        items.iter().any(|o| o["id"] == id)
    };
    assert!(has(&listed, "pump-co") && has(&listed, "town-429006001"));
    assert_eq!(listed["items"][0]["id"], "command-centre");
    // A case goes to it; closed, it takes no more.
    let case = made(&city, "POST", "/api/v1/cases", json!({"title": "泵站停电"})).await;
    let act = format!("/api/v1/cases/{}/actions", case["id"]);
    made(&city, "POST", &act, json!({"action": "file"})).await;
    let path = format!("{organisations}/pump-co");
    made(&city, "PATCH", &path, json!({"disabled": true})).await;
    let dispatch = json!({"action": "dispatch", "organisation": "pump-co"});
    let answer = send(&city, "POST", &act, &dispatch).await;
    assert_eq!(answer.problem(), "organisation-closed");
    made(
        &city,
        "PATCH",
        &path,
        json!({"disabled": false, "parent": ""}),
    )
    .await;
    made(&city, "POST", &act, dispatch).await;
    let listed = city.get("/api/v1/organisation").await;
    let units = listed["organisations"].as_array().unwrap();
    let unit = units.iter().find(|o| o["id"] == "pump-co").unwrap();
    assert_eq!(unit["parent"], Json::Null);
}

#[tokio::test]
async fn a_post_makes_able_at_once_and_numbers_are_shown_to_colleagues_alone() {
    let city = shared();
    let (id, password) = person(&city, "post.li", "operator", "jiaotong").await;
    let signed = city.sign_in("post.li", &password).await;
    let cookie = signed.cookie.unwrap();
    let me = |r: reqwest::RequestBuilder| r.header("cookie", &cookie);
    let before = city.ask("GET", "/api/v1/devices", me).await.status;
    assert_eq!(before, 200);
    let sql = json!({"query": "SELECT 1"});
    let may = async || {
        let with = |r: reqwest::RequestBuilder| {
            r.header("cookie", &cookie)
                .header("x-jingling-csrf", "1")
                .json(&sql)
        };
        city.ask("POST", "/api/v1/sql", with).await.status
    };
    assert_eq!(may().await, 403);
    let draft =
        json!({"organisation": "yingji", "title_zh": "值班", "role": "duty", "duty": "接警"});
    let post = made(&city, "POST", "/api/v1/organisation/posts", draft).await;
    let path = format!(
        "/api/v1/organisation/posts/{}",
        post["id"].as_str().unwrap()
    );
    let holder = made(
        &city,
        "POST",
        &format!("{path}/holders"),
        json!({"user_id": id}),
    )
    .await;
    assert_eq!(may().await, 200);
    let admin = send(&city, "PATCH", &path, &json!({"role": "admin"})).await;
    assert_eq!((admin.status, admin.problem().as_str()), (400, "post-role"));
    let bad = json!({"user_id": id, "until": "yesterday"});
    let bad = send(&city, "POST", &format!("{path}/holders"), &bad).await;
    assert_eq!((bad.status, bad.problem().as_str()), (400, "time-format"));

    person(&city, "post.zhao", "field", "yingji").await;
    person(&city, "post.qian", "field", "keji").await;
    let phone = async |q: &str| {
        let path = format!("/api/v1/people?q={q}");
        let page = city.ask("GET", &path, me).await.json();
        page["items"][0]["phone"].as_str().unwrap().to_owned()
    };
    assert_eq!(phone("post.zhao").await, "13812345678", "by the post");
    assert_eq!(phone("post.qian").await, "138****5678");
    assert_eq!(phone("post.li").await, "13812345678", "one's own");
    let all = city.get("/api/v1/people?q=post.qian").await;
    assert_eq!(all["items"][0]["phone"], "13812345678");
    let of = city.get("/api/v1/people?organisation=yingji&q=post.").await;
    assert_eq!(of["items"].as_array().unwrap().len(), 2);
    // Ended, it is over at once.
    let path = format!("/api/v1/organisation/holders/{}", holder["id"]);
    let end = async || send(&city, "DELETE", &path, &json!({})).await;
    assert_eq!(end().await.status, 204);
    assert_eq!(may().await, 403);
    assert_eq!(end().await.problem(), "post-over");
}

#[tokio::test]
async fn people_are_added_changed_closed_and_get_new_passwords() {
    let city = shared();
    let (id, password) = person(&city, "person.sun", "viewer", "keji").await;
    assert_eq!(city.sign_in("person.sun", &password).await.status, 200);
    let path = format!("/api/v1/people/{id}");
    let account = format!("/api/v1/accounts/{id}");
    let renewed = made(&city, "POST", &format!("{account}/password"), json!({})).await;
    let renewed = renewed["password"].as_str().unwrap();
    assert_eq!(city.sign_in("person.sun", &password).await.status, 401);
    assert_eq!(city.sign_in("person.sun", renewed).await.status, 200);
    let change = json!({"name": "孙悟", "organisation": "", "phone": ""});
    let changed = made(&city, "PATCH", &path, change).await;
    assert_eq!(
        (
            &changed["name"],
            &changed["organisation"],
            &changed["phone"]
        ),
        (&json!("孙悟"), &Json::Null, &Json::Null)
    );
    // Role and sign-in are the account's: a change of the person leaves them as they are.
    let change = json!({"role": "analyst", "disabled": true});
    let changed = made(&city, "PATCH", &path, change).await;
    assert_eq!(
        (&changed["role"], &changed["disabled"]),
        (&json!("viewer"), &json!(false))
    );
    let access = format!("{account}/access");
    made(&city, "POST", &access, json!({"disabled": true})).await;
    assert_eq!(city.sign_in("person.sun", renewed).await.status, 401);
    for (body, code) in [
        (json!({"phone": "x"}), "phone"),
        (json!({"organisation": "nobody"}), "unknown-organisation"),
        (json!({"name": " "}), "name"),
    ] {
        let answer = send(&city, "PATCH", &path, &body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, code));
    }
    let body = json!({"username": "person.sun", "name": "x"});
    let taken = send(&city, "POST", "/api/v1/people", &body).await;
    assert_eq!(
        (taken.status, taken.problem().as_str()),
        (409, "username-taken")
    );
    // Who may only read changes nothing.
    let duty = token(&city.dir, "duty");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&duty).json(&body);
    let answer = city.ask("POST", "/api/v1/people", with).await;
    assert_eq!(answer.status, 403);
    let read = city
        .ask("GET", "/api/v1/people", |r| r.bearer_auth(&duty))
        .await;
    assert_eq!(read.status, 200);
    assert!(!read.body.contains("13812345678"), "{}", read.body);
}

#[tokio::test]
async fn whoever_leaves_hands_over_cases_posts_and_sessions_at_once() {
    let city = shared();
    let (from, password) = person(&city, "leaves.li", "field", "shengtai").await;
    let (to, other) = person(&city, "stays.wang", "field", "shengtai").await;
    let (away, _) = person(&city, "away.zhao", "field", "keji").await;
    let draft = json!({"organisation": "shengtai", "title_zh": "巡河", "role": "field"});
    let post = made(&city, "POST", "/api/v1/organisation/posts", draft).await;
    let post = post["id"].as_str().unwrap();
    let holders = format!("/api/v1/organisation/posts/{post}/holders");
    made(&city, "POST", &holders, json!({"user_id": from})).await;
    let mut numbers = Vec::new();
    for title in ["排口异常", "水体发黑"] {
        let case = made(&city, "POST", "/api/v1/cases", json!({"title": title})).await;
        let act = format!("/api/v1/cases/{}/actions", case["id"]);
        made(&city, "POST", &act, json!({"action": "file"})).await;
        let dispatch = json!({"action": "dispatch", "organisation": "shengtai", "assignee": from});
        made(&city, "POST", &act, dispatch).await;
        numbers.push((case["id"].as_i64().unwrap(), case["number"].clone()));
    }
    let cookie = city.sign_in("leaves.li", &password).await.cookie.unwrap();
    let path = format!("/api/v1/people/{from}/handover");
    let preview = format!("{path}/preview");
    for (body, code) in [
        (json!({}), "successor-missing"),
        (json!({"to": from}), "successor-same"),
        (json!({"to": away}), "successor-elsewhere"),
        (
            json!({"to": to, "give_posts": ["nothing"]}),
            "post-not-held",
        ),
    ] {
        for path in [&preview, &path] {
            let answer = send(&city, "POST", path, &body).await;
            assert_eq!(answer.problem(), code, "{path} {body}");
        }
    }
    let asked = json!({"to": to, "give_posts": [post], "note": "退休"});
    let looked = made(&city, "POST", &preview, asked.clone()).await;
    assert_eq!(looked["id"], Json::Null);
    assert_eq!(looked["cases"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&looked["sessions"], &looked["posts"][0]["is_given"]),
        (&json!(1), &json!(true))
    );
    // A post gives a role, which is not a machine's to ask for.
    let refused = send(&city, "POST", &path, &asked).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "role-by-security")
    );
    let asked = json!({"to": to, "note": "退休"});
    let done = made(&city, "POST", &path, asked).await;
    made(&city, "POST", &holders, json!({"user_id": to})).await;
    assert!(done["id"].as_i64().is_some());
    assert_eq!(done["cases"], looked["cases"]);
    for (id, _) in &numbers {
        let case = city.get(&format!("/api/v1/cases/{id}")).await;
        assert_eq!(case["assignee"]["id"], to, "{case}");
        assert_eq!(case["organisation"]["id"], "shengtai");
        let history = case["history"].as_array().unwrap();
        let last = history.last().unwrap();
        assert_eq!(last["action"], "hand-over");
        assert_eq!(last["note"], "姓名leaves.li → 姓名stays.wang");
    }
    let me = |r: reqwest::RequestBuilder| r.header("cookie", &cookie);
    assert_eq!(city.ask("GET", "/api/v1/session", me).await.status, 401);
    assert_eq!(city.sign_in("leaves.li", &password).await.status, 401);
    // The successor goes on with the work.
    let cookie = city.sign_in("stays.wang", &other).await.cookie.unwrap();
    let act = format!("/api/v1/cases/{}/actions", numbers[0].0);
    let with = |r: reqwest::RequestBuilder| {
        r.header("cookie", &cookie)
            .header("x-jingling-csrf", "1")
            .json(&json!({"action": "take"}))
    };
    let taken = city.ask("POST", &act, with).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    let kept = city.get("/api/v1/handovers").await;
    let kept = &kept["items"][0];
    assert_eq!(
        (&kept["from_id"], &kept["to_id"], &kept["note"]),
        (&json!(from), &json!(to), &json!("退休"))
    );
    assert_eq!(kept["report"]["cases"][0], numbers[0].1);
    let trail = city.get("/api/v1/audit?action=user.handover").await;
    assert_eq!(trail["items"][0]["detail"]["posts_given"], json!([]));
}

const ORGANISATIONS: &[&[&str]] = &[
    &[
        "单位编号",
        "单位名称",
        "类别",
        "上级单位",
        "统一社会信用代码",
        "区划代码",
    ],
    &[
        "bengzhan",
        "一号泵站",
        "运营单位",
        "市水利和湖泊局",
        "914403001922038216",
        "429006001",
    ],
];
const POSTS: &[&[&str]] = &[
    &["单位", "岗位名称", "职责", "角色"],
    &["一号泵站", "值守", "看护泵站", "现场处置人员"],
];
const PEOPLE: &[&[&str]] = &[
    &["登录名", "姓名", "角色", "单位", "手机", "岗位"],
    &[
        "roster.zhao",
        "赵六",
        "现场处置人员",
        "一号泵站",
        "13900001111",
        "值守",
    ],
    &[
        "roster.qian",
        "钱七",
        "operator",
        "市水利和湖泊局",
        "",
        "一号泵站/值守",
    ],
];

#[tokio::test]
async fn a_workbook_is_looked_at_then_imported_and_its_mistakes_are_told_by_cell() {
    let city = shared();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roster.xlsx");
    let bad: &[&[&str]] = &[
        &["登录名", "姓名", "角色", "手机"],
        &["roster.zhao", "赵六", "国王", "1"],
    ];
    workbook(&path, &[("单位", ORGANISATIONS), ("人员", bad)]);
    let looked = import(&city, &path, true).await;
    assert_eq!(looked.status, 200, "{looked:?}");
    let looked = looked.json();
    assert_eq!(looked["mistakes_count"], 2);
    let first = &looked["mistakes"][0];
    assert_eq!(
        (
            &first["sheet"],
            &first["line"],
            &first["column"],
            &first["value"]
        ),
        (&json!("人员"), &json!(2), &json!("角色"), &json!("国王"))
    );
    let refused = import(&city, &path, false).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "roster-mistakes")
    );
    assert!(refused.body.contains("没有角色"), "{}", refused.body);
    let found = city.get("/api/v1/people?q=roster.zhao").await;
    assert_eq!(found["items"], json!([]));

    workbook(
        &path,
        &[("单位", ORGANISATIONS), ("岗位", POSTS), ("人员", PEOPLE)],
    );
    let looked = import(&city, &path, true).await.json();
    assert_eq!(
        (
            &looked["written"],
            &looked["people"]["added"],
            &looked["sign_ins"]
        ),
        (&json!(false), &json!(2), &json!([]))
    );
    // Roles are not the system administrator's to give, nor a machine's to ask for; the machine's operator may.
    let refused = import(&city, &path, false).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "role-by-security")
    );
    let words = path.display().to_string();
    let done = jingling_json(&["org", "import", &city.dir, &words, "--json"]);
    assert_eq!(
        (&done["written"], &done["holders"]),
        (&json!(true), &json!(2))
    );
    let first = &done["sign_ins"][0];
    let (name, password) = (&first["username"], &first["password"]);
    assert_eq!(name, "roster.zhao");
    let signed = city
        .sign_in("roster.zhao", password.as_str().unwrap())
        .await;
    assert_eq!(signed.status, 200);
    let again = import(&city, &path, true).await.json();
    assert_eq!(
        (&again["people"]["same"], &again["holders"]),
        (&json!(2), &json!(0))
    );
    // The trail names the file, and no password and no number.
    let trail = city.get("/api/v1/audit?action=organisation.roster").await;
    assert_eq!(trail["items"][0]["detail"]["file"], "roster.xlsx");
    let all = city.get("/api/v1/audit?limit=500").await.to_string();
    assert!(!all.contains("13900001111") && !all.contains(password.as_str().unwrap()));

    // What comes out goes in again.
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin);
    let exported = city.ask("GET", "/api/v1/organisation/export", with).await;
    assert_eq!(exported.status, 200);
    assert!(exported.kind.contains("spreadsheetml"), "{}", exported.kind);
    let out = folder.path().join("out.xlsx");
    let (dir, out_text) = (city.dir.as_str(), out.to_str().unwrap());
    let ran = jingling(&["org", "export", dir, out_text]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let round = import(&city, &out, true).await.json();
    assert_eq!(round["mistakes"], json!([]));
    for kind in ["organisations", "posts", "people"] {
        assert_eq!(round[kind]["added"], 0, "{round}");
    }
    for (file, bytes, status) in [
        ("roster.xlsx", "no workbook", 422),
        ("roster.docx", "x", 422),
        ("roster.csv", "", 422),
    ] {
        let url = format!("/api/v1/organisation/import?file={file}");
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&city.admin).body(bytes);
        let answer = city.ask("POST", &url, with).await;
        assert_eq!(answer.status, status, "{file}: {answer:?}");
        answer.problem();
    }
}

#[test]
fn the_command_line_makes_a_template_imports_it_and_hands_over() {
    let (folder, dir) = new_city();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let template = at("名册.xlsx");
    let made = jingling(&["org", "export", &dir, &template]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let looked = jingling_json(&["org", "import", &dir, &template, "--dry-run", "--json"]);
    assert_eq!(
        (&looked["mistakes_count"], &looked["people"]["same"]),
        (&json!(0), &json!(3)),
        "the template of a new city holds the profile's organisations and the administrators"
    );
    assert_eq!(looked["not_read"], json!([]));
    let listed = jingling_json(&["org", "list", &dir, "--json"]);
    assert!(listed.as_array().unwrap().len() > 28);

    let csv = at("人员.csv");
    let lines = "登录名,姓名,角色,单位\nli.si,李四,field,shuili\nwang.wu,王五,field,shuili\n";
    std::fs::write(&csv, lines).unwrap();
    let sign_ins = at("初始密码.csv");
    let words = ["org", "import", &dir, &csv, "--sign-ins", &sign_ins];
    let ran = jingling(&words);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let handed = std::fs::read_to_string(&sign_ins).unwrap();
    assert_eq!(handed.lines().count(), 3);
    assert!(handed.contains("\"李四\",li.si,shuili,"), "{handed}");
    assert!(!text(&ran.stdout).contains("li.si"), "not printed as well");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&sign_ins).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&csv, "登录名,姓名,角色\nzhao,赵六,admin\n").unwrap();
    let ran = jingling(&["org", "import", &dir, &csv]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(
        text(&ran.stderr).contains("第 2 行"),
        "{}",
        text(&ran.stderr)
    );
    let ran = jingling(&["org", "import", &dir, &at("nothing.xlsx")]);
    assert_eq!(ran.status.code(), Some(1));

    let words = [
        "org", "handover", &dir, "--from", "li.si", "--to", "wang.wu",
    ];
    let looked = jingling_json(&[&words[..], &["--dry-run", "--json"]].concat());
    assert_eq!(
        (&looked["id"], &looked["closes"]),
        (&Json::Null, &json!(true))
    );
    let done = jingling(&words);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("已完成"));
    let last = jingling(&["org", "handover", &dir, "--from", "admin"]);
    assert_eq!(last.status.code(), Some(1));
    assert!(text(&last.stderr).contains("two people agree"));
}

/// A workbook that a library of others made (`fixtures/roster.py`), with a merged cell and a number where people type it.
#[tokio::test]
async fn a_workbook_of_openpyxl_is_read() {
    let city = shared();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root
        .join("fixtures/roster-openpyxl.xlsx")
        .display()
        .to_string();
    let done = jingling_json(&["org", "import", &city.dir, &file, "--json"]);
    assert_eq!(done["written"], true, "{done}");
    let found = city.get("/api/v1/people?q=open.").await;
    let people = found["items"].as_array().unwrap();
    assert_eq!(people[0]["phone"], "13812345678");
    assert_eq!(people[1]["organisation"], "jiaoyu", "the merged cell's");
}

#[tokio::test]
async fn of_a_workbook_that_gives_roles_the_people_are_imported_and_the_roles_wait_for_security() {
    let city = shared();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waits.xlsx");
    let posts: &[&[&str]] = &[
        &["单位", "岗位名称", "角色"],
        &["市生态环境局", "夜间巡查", "现场处置人员"],
    ];
    let people: &[&[&str]] = &[
        &["登录名", "姓名", "角色", "单位", "手机", "岗位"],
        &[
            "waits.wu",
            "吴九",
            "数据分析员",
            "市生态环境局",
            "13900002222",
            "夜间巡查",
        ],
        &["waits.zheng", "郑十", "", "市生态环境局", "", ""],
    ];
    workbook(&path, &[("岗位", posts), ("人员", people)]);
    let admin = city.signed_in("admin").await;
    let send_file = async |dry_run: bool| {
        let bytes = std::fs::read(&path).unwrap();
        let url = format!("/api/v1/organisation/import?file=waits.xlsx&dry_run={dry_run}");
        let with = |r: reqwest::RequestBuilder| {
            let r = r.header("cookie", &admin).header("x-jingling-csrf", "1");
            r.body(bytes)
        };
        city.ask("POST", &url, with).await
    };
    let imported = send_file(false).await;
    assert_eq!(imported.status, 201, "{imported:?}");
    let imported = imported.json();
    assert_eq!(
        (
            &imported["people"]["added"],
            &imported["posts"]["added"],
            &imported["holders"]
        ),
        (&json!(2), &json!(0), &json!(0))
    );
    let asked = &imported["approval"];
    assert_eq!(
        (&asked["act"], &asked["status"]),
        (&json!("roster.roles"), &json!("pending"))
    );
    // What security agrees to names who gets what, and holds no password and no telephone number.
    let body = &asked["body"];
    assert_eq!(body["people"].as_array().unwrap().len(), 1, "{body}");
    assert_eq!(
        (
            &body["people"][0]["username"],
            &body["people"][0]["role"],
            &body["posts"][0]["role"]
        ),
        (&json!("waits.wu"), &json!("analyst"), &json!("field"))
    );
    let all = imported["approval"].to_string();
    let password = imported["sign_ins"][0]["password"].as_str().unwrap();
    assert!(
        !all.contains("13900002222") && !all.contains(password),
        "{all}"
    );
    let person = async || {
        let found = city.get("/api/v1/people?q=waits.wu").await;
        found["items"][0].clone()
    };
    let before = person().await;
    assert_eq!(
        (&before["role"], &before["posts"]),
        (&json!("none"), &json!([]))
    );
    assert_eq!(city.sign_in("waits.wu", password).await.status, 200);
    // Imported again meanwhile it is the same approval.
    let again = send_file(false).await.json();
    assert_eq!(again["approval"]["id"], asked["id"]);

    let security = city.signed_in("security").await;
    let approve = format!("/api/v1/approvals/{}/approve", asked["id"]);
    let digest = json!({"digest": asked["digest"]});
    assert_eq!(
        city.send(&admin, "POST", &approve, &digest).await.status,
        403
    );
    let done = city.send(&security, "POST", &approve, &digest).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()["approval"]["status"], "done", "{done:?}");
    let after = person().await;
    assert_eq!(
        (
            &after["role"],
            &after["posts"][0]["title_zh"],
            &after["posts"][0]["role"]
        ),
        (&json!("analyst"), &json!("夜间巡查"), &json!("field"))
    );
    // Nothing is left to ask for.
    let again = send_file(false).await.json();
    assert_eq!(
        (&again["approval"], &again["people"]["same"]),
        (&Json::Null, &json!(2))
    );
}

#[tokio::test]
async fn a_post_passes_on_when_security_agrees_to_the_hand_over() {
    let city = shared();
    let (from, password) = person(&city, "passes.li", "field", "shengtai").await;
    let (to, _) = person(&city, "gets.wang", "field", "shengtai").await;
    let draft = json!({"organisation": "shengtai", "title_zh": "值守水厂", "role": "operator"});
    let post = made(&city, "POST", "/api/v1/organisation/posts", draft).await;
    let post = post["id"].as_str().unwrap();
    let holders = format!("/api/v1/organisation/posts/{post}/holders");
    made(&city, "POST", &holders, json!({"user_id": from})).await;
    let admin = city.signed_in("admin").await;
    let path = format!("/api/v1/people/{from}/handover");
    let draft = json!({"to": to, "give_posts": [post], "note": "退休"});
    let asked = city.send(&admin, "POST", &path, &draft).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let body = asked.json()["approval"]["body"].clone();
    assert_eq!(
        (&body["from_name"], &body["to_name"], &body["give_posts"]),
        (
            &json!("姓名passes.li"),
            &json!("姓名gets.wang"),
            &json!([post])
        )
    );
    // Nothing is done before.
    assert_eq!(city.sign_in("passes.li", &password).await.status, 200);
    let done = city.approve(&asked, "security").await;
    assert_eq!(done["approval"]["status"], "done", "{done}");
    assert_eq!(done["answer"]["posts"][0]["is_given"], true);
    assert_eq!(city.sign_in("passes.li", &password).await.status, 401);
    let heir = city.get("/api/v1/people?q=gets.wang").await;
    assert_eq!(heir["items"][0]["posts"][0]["id"], post);
    // Both are named.
    let trail = city.get("/api/v1/audit?action=user.handover").await;
    let last = &trail["items"][0];
    assert!(last["actor"].to_string().contains(" + "), "{last}");
}
