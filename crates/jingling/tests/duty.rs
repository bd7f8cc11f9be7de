//! Duty in a running city: a roster, a swap, a hand-over that the next signs, a plan in earnest and as a drill, the nearest pump, and
//! the report that other programs read.

use crate::support::{City, text};
use serde_json::{Value as Json, json};
use std::process::Command;
use testkit::foreign::passed_over;

/// A person who is signed in.
struct Person {
    id: i64,
    cookie: String,
}

impl Person {
    async fn sign_in(city: &City, username: &str, role: &str) -> Self {
        Self::sign_in_of(city, username, role, &[]).await
    }

    async fn sign_in_of(city: &City, username: &str, role: &str, more: &[&str]) -> Self {
        let password = city.add_named(username, username, role, more);
        let answer = city.sign_in(username, &password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.cookie.unwrap();
        let mut person = Self { id: 0, cookie };
        let (status, who) = person.ask(city, "GET", "/api/v1/session", Json::Null).await;
        assert_eq!(status, 200, "{who}");
        person.id = who["id"].as_i64().or(who["user"]["id"].as_i64()).unwrap();
        person
    }

    async fn ask(&self, city: &City, method: &str, path: &str, body: Json) -> (u16, Json) {
        let answer = city
            .ask(method, path, |r| {
                let r = r
                    .header("cookie", &self.cookie)
                    .header("x-jingling-csrf", "1");
                if body.is_null() { r } else { r.json(&body) }
            })
            .await;
        let read = serde_json::from_str(&answer.body).unwrap_or(Json::Null);
        (answer.status, read)
    }

    async fn good(&self, city: &City, method: &str, path: &str, body: Json) -> Json {
        let (status, said) = self.ask(city, method, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {said}"
        );
        said
    }

    async fn refused(&self, city: &City, method: &str, path: &str, body: Json) -> String {
        let (status, said) = self.ask(city, method, path, body).await;
        assert!(
            (400..500).contains(&status),
            "{method} {path}: {status} {said}"
        );
        said["code"].as_str().unwrap_or_default().to_owned()
    }
}

const CENTRE: &str = "command-centre";

/// Today in the city, `2026-11-27`, and the days around it.
fn day(offset: i64) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let now = zone.to_datetime(jiff::Timestamp::now()).date();
    now.checked_add(jiff::Span::new().days(offset))
        .unwrap()
        .to_string()
}

/// A shift of the whole day, from midnight to midnight: whatever the hour at which the test runs, it is on.
async fn whole_day(city: &City, who: &Person) -> i64 {
    let draft = json!({"organisation": CENTRE, "title_zh": "全天班", "title_en": "Whole day", "from": "00:00", "until": "00:00"});
    let made = who.good(city, "PUT", "/api/v1/duty/patterns", draft).await;
    made["id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_made_swapped_handed_over_and_signed() {
    let city = City::start();
    let li = Person::sign_in(&city, "li", "duty").await;
    let wang = Person::sign_in(&city, "wang", "duty").await;
    let viewer = Person::sign_in(&city, "zhao", "viewer").await;
    let operator = Person::sign_in(&city, "qian", "operator").await;
    let pattern = whole_day(&city, &li).await;

    let turn = |user: i64, offset: i64| json!({"pattern_id": pattern, "day": day(offset), "post": "值班员", "user_id": user});
    let turns = json!({"organisation": CENTRE, "turns": [turn(li.id, 0), turn(wang.id, 1), turn(wang.id, 2)]});
    let path = "/api/v1/duty/turns";
    let (status, _) = viewer.ask(&city, "POST", path, turns.clone()).await;
    assert_eq!(status, 403);
    let code = operator.refused(&city, "POST", path, turns.clone()).await;
    assert_eq!(code, "duty-organisation", "it is not of theirs");
    let made = li.good(&city, "POST", path, turns).await;
    assert_eq!(made.as_array().unwrap().len(), 3);
    let past = json!({"organisation": CENTRE, "turns": [turn(li.id, -3)]});
    assert_eq!(li.refused(&city, "POST", path, past).await, "duty-past");

    let now = li.good(&city, "GET", "/api/v1/duty/now", Json::Null).await;
    assert_eq!(now["items"][0]["on"][0]["user_name"], "li");
    assert_eq!(now["items"][0]["next"][0]["user_name"], "wang");

    // A swap has its reason, and nobody is in two shifts at once.
    let of_tomorrow = made[1]["id"].as_i64().unwrap();
    let swap = format!("{path}/{of_tomorrow}/swap");
    let code = li
        .refused(
            &city,
            "POST",
            &swap,
            json!({"user_id": li.id, "reason": " "}),
        )
        .await;
    assert_eq!(code, "duty-text");
    let swapped = li
        .good(
            &city,
            "POST",
            &swap,
            json!({"user_id": li.id, "reason": "王家中有事"}),
        )
        .await;
    assert_eq!(swapped["swaps"][0]["from_name"], "wang");
    let other = json!({"organisation": CENTRE, "title_zh": "备班", "title_en": "Stand-by", "from": "08:00", "until": "20:00"});
    let other = li.good(&city, "PUT", "/api/v1/duty/patterns", other).await;
    let twice = json!({"organisation": CENTRE, "turns": [{"pattern_id": other["id"], "day": day(1), "post": "值班员", "user_id": li.id}]});
    assert_eq!(li.refused(&city, "POST", path, twice).await, "duty-overlap");

    // Whoever is on the roster hands over, once; another signs, once.
    let notes =
        json!({"pattern_id": pattern, "day": day(0), "notes": "三号泵检修中，明早 8 点复查"});
    let hand_overs = "/api/v1/duty/hand-overs";
    let code = wang.refused(&city, "POST", hand_overs, notes.clone()).await;
    assert_eq!(code, "duty-not-on-shift");
    let handed = li.good(&city, "POST", hand_overs, notes.clone()).await;
    assert_eq!(
        li.refused(&city, "POST", hand_overs, notes).await,
        "duty-handed-over"
    );
    let later = json!({"pattern_id": pattern, "day": day(2), "notes": "x"});
    assert_eq!(
        wang.refused(&city, "POST", hand_overs, later).await,
        "duty-not-begun"
    );
    let now = wang
        .good(&city, "GET", "/api/v1/duty/now", Json::Null)
        .await;
    assert_eq!(
        now["unsigned"].as_array().unwrap().len(),
        1,
        "it is shown until it is signed"
    );
    let sign = format!("{hand_overs}/{}/sign", handed["id"]);
    let none = json!({"remark": ""});
    assert_eq!(
        li.refused(&city, "POST", &sign, none.clone()).await,
        "duty-own-hand-over"
    );
    assert_eq!(
        operator.refused(&city, "POST", &sign, none.clone()).await,
        "not-found"
    );
    let signed = wang
        .good(&city, "POST", &sign, json!({"remark": "已知"}))
        .await;
    assert_eq!(
        (&signed["incoming"], &signed["remark"]),
        (&json!("wang"), &json!("已知"))
    );
    assert_eq!(
        wang.refused(&city, "POST", &sign, none).await,
        "duty-signed"
    );
    let now = wang
        .good(&city, "GET", "/api/v1/duty/now", Json::Null)
        .await;
    assert_eq!(now["unsigned"], json!([]));
}

async fn put(city: &City, entities: Json) {
    let token = city.token_of("collector");
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let answer = city
        .ask("POST", path, |r| r.bearer_auth(&token).json(&entities))
        .await;
    assert!(answer.status < 300, "{}", answer.body);
}

fn resource(id: &str, category: &str, status: &str, place: [f64; 2]) -> Json {
    json!({"id": format!("urn:ngsi-ld:EmergencyResource:{id}"), "type": "EmergencyResource",
        "name": {"type": "Property", "value": id},
        "category": {"type": "Property", "value": category},
        "status": {"type": "Property", "value": status},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": place}}})
}

/// How many cases are open, by the front page.
async fn open(city: &City, person: &Person) -> u64 {
    let overview = person
        .good(city, "GET", "/api/v1/overview", Json::Null)
        .await;
    overview["cases"]["open"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_pump_that_is_free_is_found_and_a_drill_counts_nowhere() {
    // Not kept: what is opened is counted at once.
    let city = City::start_with(&["command_centre.overview_kept_ms=0"]);
    let li = Person::sign_in(&city, "li", "duty").await;
    let here = [113.10, 30.60];
    put(
        &city,
        json!([
            resource("PUMP-FAR", "pump", "available", [113.30, 30.60]),
            resource("PUMP-NEAR", "pump", "available", [113.12, 30.60]),
            resource("PUMP-BUSY", "pump", "busy", [113.101, 30.60]),
            resource("TEAM", "team", "available", [113.105, 30.60]),
        ]),
    )
    .await;
    let near = format!(
        "/api/v1/duty/resources/nearest?lon={}&lat={}",
        here[0], here[1]
    );
    let names = |found: &Json| -> Vec<String> {
        let items = found["items"].as_array().unwrap();
        items
            .iter()
            .map(|i| i["entity"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    // What was taken is shown a moment later.
    let began = std::time::Instant::now();
    let found = loop {
        let found = li
            .good(&city, "GET", &format!("{near}&category=pump"), Json::Null)
            .await;
        if names(&found).len() == 2 {
            break found;
        }
        assert!(began.elapsed() < crate::support::PATIENCE, "{found}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(names(&found), ["PUMP-NEAR", "PUMP-FAR"]);
    let metres = found["items"][0]["distance_m"].as_f64().unwrap();
    assert!((metres - 1_914.0).abs() < 5.0, "{metres}");
    let all = li
        .good(&city, "GET", &format!("{near}&busy=true"), Json::Null)
        .await;
    assert_eq!(names(&all), ["PUMP-BUSY", "TEAM", "PUMP-NEAR", "PUMP-FAR"]);
    assert_eq!(
        li.refused(&city, "GET", "/api/v1/duty/resources/nearest", Json::Null)
            .await,
        "duty-no-place"
    );

    // On the pack's form an officer says that it was sent, and where it is: then another is the nearest that is free.
    let form = "/api/v1/views/emergency-state/entries";
    let sent = json!({"id": "urn:ngsi-ld:EmergencyResource:PUMP-NEAR", "type": "EmergencyResource",
        "status": {"type": "Property", "value": "busy"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [113.2, 30.6]}}});
    let viewer = Person::sign_in(&city, "zhao", "viewer").await;
    let (status, _) = viewer.ask(&city, "POST", form, sent.clone()).await;
    assert_eq!(status, 403);
    let taken = li.good(&city, "POST", form, sent).await;
    assert_eq!(taken["refused"], json!([]), "{taken}");
    let began = std::time::Instant::now();
    loop {
        let found = li
            .good(&city, "GET", &format!("{near}&category=pump"), Json::Null)
            .await;
        if names(&found) == ["PUMP-FAR"] {
            break;
        }
        assert!(began.elapsed() < crate::support::PATIENCE, "{found}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let all = li
        .good(&city, "GET", &format!("{near}&busy=true"), Json::Null)
        .await;
    assert_eq!(
        names(&all),
        ["PUMP-BUSY", "TEAM", "PUMP-NEAR", "PUMP-FAR"],
        "it is where it was said to be"
    );
    let metres = all["items"][2]["distance_m"].as_f64().unwrap();
    assert!((metres - 9_571.0).abs() < 20.0, "{metres}");

    // A department says so of what is its own, by its id or by its name, and of nothing else.
    let of = ["--organisation", "shuili"];
    let qian = Person::sign_in_of(&city, "qian", "operator", &of).await;
    let owned = |id: &str, owner: &str| {
        let mut owned = resource(id, "generator", "available", here);
        owned["owner"] = json!({"type": "Property", "value": owner});
        owned
    };
    let own = ["GENERATOR-BY-ID", "GENERATOR-BY-NAME"];
    put(
        &city,
        json!([
            owned(own[0], "shuili"),
            owned(own[1], "市水利和湖泊局"),
            owned("GENERATOR-OF-OTHERS", "chengguan"),
        ]),
    )
    .await;
    let busy = |id: &str| {
        json!({"id": format!("urn:ngsi-ld:EmergencyResource:{id}"), "type": "EmergencyResource",
            "status": {"type": "Property", "value": "busy"}})
    };
    for id in own {
        // What was put is seen a moment later.
        let began = std::time::Instant::now();
        loop {
            let (status, said) = qian.ask(&city, "POST", form, busy(id)).await;
            if status == 200 {
                break;
            }
            assert!(
                status == 403 && began.elapsed() < crate::support::PATIENCE,
                "{status} {said}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    for id in ["GENERATOR-OF-OTHERS", "TEAM", "NONE"] {
        let (status, _) = qian.ask(&city, "POST", form, busy(id)).await;
        assert_eq!(status, 403, "{id}");
    }

    let plans = li
        .good(&city, "GET", "/api/v1/duty/plans", Json::Null)
        .await;
    let plan = plans["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["id"] == "water-flood-warning")
        .unwrap();
    assert!(
        plan["alert_rules"]
            .as_array()
            .unwrap()
            .contains(&json!("water-stage-warning"))
    );

    // As a drill, with a case: it is no open case of the city.
    let start = |drill: bool| json!({"plan": "water-flood-warning", "organisation": CENTRE, "drill": drill, "open_case": true});
    let activations = "/api/v1/duty/activations";
    let before = open(&city, &li).await;
    let drill = li.good(&city, "POST", activations, start(true)).await;
    let case = format!("/api/v1/cases/{}", drill["case_id"]);
    let case = li.good(&city, "GET", &case, Json::Null).await;
    assert_eq!(case["source"], "drill");
    assert!(case["title"].as_str().unwrap().starts_with("【演练】"));
    assert_eq!(open(&city, &li).await, before, "a drill is no open case");
    let real = li.good(&city, "POST", activations, start(false)).await;
    assert_eq!(
        open(&city, &li).await,
        before + 1,
        "the case in earnest counts"
    );

    // Steps are ticked off once, with who and when; what is passed over says why.
    let step = |id: &Json, step: &str| format!("{activations}/{id}/steps/{step}");
    let ticked = li
        .good(
            &city,
            "POST",
            &step(&real["id"], "verify"),
            json!({"note": "水位属实"}),
        )
        .await;
    assert_eq!(ticked["steps"][0]["done_by"], "li");
    assert_eq!(ticked["steps"][0]["late"], false);
    assert_eq!(
        li.refused(&city, "POST", &step(&real["id"], "verify"), json!({}))
            .await,
        "duty-step-done"
    );
    assert_eq!(
        li.refused(
            &city,
            "POST",
            &step(&real["id"], "report"),
            json!({"skipped": true})
        )
        .await,
        "duty-text"
    );
    assert_eq!(
        li.refused(&city, "POST", &step(&real["id"], "dance"), json!({}))
            .await,
        "not-found"
    );
    let end = format!("{activations}/{}/end", real["id"]);
    let ended = li
        .good(&city, "POST", &end, json!({"summary": "水位回落"}))
        .await;
    assert_eq!(ended["summary"], "水位回落");
    assert_eq!(
        li.refused(&city, "POST", &step(&real["id"], "report"), json!({}))
            .await,
        "duty-plan-over"
    );
    let drills = li
        .good(
            &city,
            "GET",
            &format!("{activations}?drill=true"),
            Json::Null,
        )
        .await;
    assert_eq!(drills["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_read_by_other_programs_and_a_number_is_sealed() {
    let city = City::start();
    let li = Person::sign_in(&city, "li", "duty").await;
    let pattern = whole_day(&city, &li).await;
    let turns = json!({"organisation": CENTRE, "turns": [{"pattern_id": pattern, "day": day(0), "post": "值班员", "user_id": li.id}]});
    li.good(&city, "POST", "/api/v1/duty/turns", turns).await;
    let notes = json!({"pattern_id": pattern, "day": day(0), "notes": "三号泵检修中"});
    li.good(&city, "POST", "/api/v1/duty/hand-overs", notes)
        .await;
    let plan = json!({"plan": "water-flood-warning", "organisation": CENTRE, "drill": true});
    li.good(&city, "POST", "/api/v1/duty/activations", plan)
        .await;
    let file = async |format: &str, language: &str| {
        let path = format!(
            "/api/v1/duty/report?organisation={CENTRE}&from={}T00:00:00%2B08:00&until={}T12:00:00%2B08:00&format={format}&language={language}",
            day(0),
            day(1)
        );
        let url = format!("http://{}{path}", city.address("http"));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .get(url)
            .header("cookie", &li.cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    // The office's own words in the reader's language, and what people wrote as they wrote it.
    let chinese = [
        "值班报告",
        "值班员 li",
        "三号泵检修中",
        "尚未签收",
        "【演练】",
        "演练 1 次",
    ];
    let english = [
        "shift report",
        "Whole day",
        "值班员 li",
        "三号泵检修中",
        "not signed",
        "[Drill]",
        "Drills: 1",
        "under way",
    ];
    for (language, held) in [("zh", &chinese[..]), ("en", &english[..])] {
        let docx = folder.path().join(format!("report-{language}.docx"));
        std::fs::write(&docx, file("docx", language).await).unwrap();
        // Python reads the package by itself: it is a zip of XML.
        let script = "import sys,zipfile,xml.dom.minidom as m;z=zipfile.ZipFile(sys.argv[1]);\
            [m.parseString(z.read(n)) for n in z.namelist()];print(z.read('word/document.xml').decode())";
        let read = Command::new("python3")
            .args(["-c", script])
            .arg(&docx)
            .output()
            .unwrap();
        assert!(read.status.success(), "{}", text(&read.stderr));
        let pdf = folder.path().join(format!("report-{language}.pdf"));
        std::fs::write(&pdf, file("pdf", language).await).unwrap();
        let mut texts = vec![text(&read.stdout)];
        match Command::new("pdftotext").arg(&pdf).arg("-").output() {
            Ok(output) => texts.push(text(&output.stdout)),
            Err(error) => passed_over("pdftotext", &error.to_string()),
        }
        for said in texts {
            for held in held {
                assert!(said.contains(held), "{held} in {said}");
            }
        }
    }
    let bad = format!(
        "/api/v1/duty/report?organisation={CENTRE}&from={0}T00:00:00Z&until={0}T12:00:00Z&language=fr",
        day(0)
    );
    let code = li.refused(&city, "GET", &bad, Json::Null).await;
    assert_eq!(code, "duty-language");
    let bad = format!(
        "/api/v1/duty/report?organisation={CENTRE}&from=2026-01-01T00:00:00Z&until=2026-09-01T00:00:00Z"
    );
    assert_eq!(
        li.refused(&city, "GET", &bad, Json::Null).await,
        "duty-period"
    );

    // A contact's number is shown in part, whole for a purpose, and nowhere in the records as it came.
    let contact = json!({"organisation": CENTRE, "name": "赵工", "unit": "省水文中心", "title": "值班室", "phone": "13900001234"});
    let contacts = "/api/v1/duty/contacts";
    li.good(&city, "POST", contacts, contact).await;
    let list = li.good(&city, "GET", contacts, Json::Null).await;
    assert_eq!(list["items"][0]["phone"], "139****1234");
    let whole = li
        .good(
            &city,
            "GET",
            &format!("{contacts}?purpose=emergency"),
            Json::Null,
        )
        .await;
    assert_eq!(whole["items"][0]["phone"], "13900001234");
    // One number alone is opened, and the trail names it alone.
    let second = json!({"organisation": CENTRE, "name": "钱工", "unit": "省水文中心", "phone": "13900005678"});
    let second = li.good(&city, "POST", contacts, second).await;
    let one = format!("{contacts}?id={}", second["id"]);
    let masked = li.good(&city, "GET", &one, Json::Null).await;
    assert_eq!(masked["items"][0]["phone"], "139****5678");
    let opened = li
        .good(
            &city,
            "GET",
            &format!("{one}&purpose=emergency"),
            Json::Null,
        )
        .await;
    let items = opened["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["phone"]),
        (1, &json!("13900005678"))
    );
    let none = format!("{contacts}?id=9999");
    assert_eq!(
        li.refused(&city, "GET", &none, Json::Null).await,
        "not-found"
    );
    for file in ["records.sqlite", "records.sqlite-wal"] {
        let bytes = std::fs::read(format!("{}/{file}", city.dir)).unwrap_or_default();
        assert!(!text(&bytes).contains("13900001234"), "{file}");
    }
}

/// What an import of a roster answers.
async fn import(
    city: &City,
    who: &Person,
    file: &str,
    bytes: Vec<u8>,
    dry_run: bool,
) -> (u16, Json) {
    let path =
        format!("/api/v1/duty/turns/import?organisation={CENTRE}&file={file}&dry_run={dry_run}");
    let answer = city
        .ask("POST", &path, |r| {
            r.header("cookie", &who.cookie)
                .header("x-jingling-csrf", "1")
                .body(bytes)
        })
        .await;
    let read = serde_json::from_str(&answer.body).unwrap_or(Json::Null);
    (answer.status, read)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_comes_from_a_file_and_who_left_leaves_it_open() {
    let city = City::start();
    let li = Person::sign_in(&city, "li", "duty").await;
    let wang = Person::sign_in(&city, "wang", "duty").await;
    let operator = Person::sign_in(&city, "qian", "operator").await;
    whole_day(&city, &li).await;

    // As Excel in a Chinese office saves it: GB18030.
    let (one, two) = (day(1), day(2));
    let sheet = |person: &str| {
        let text = format!(
            "日期,班次,值班岗,人员\r\n{one},全天班,值班员,wang\r\n{two},全天班,值班员,{person}\r\n"
        );
        encoding_rs::GB18030.encode(&text).0.into_owned()
    };
    let (status, _) = import(&city, &operator, "roster.csv", sheet("li"), true).await;
    assert_eq!(status, 403, "it is not of theirs");
    let (status, looked) = import(&city, &li, "roster.csv", sheet("赵六"), true).await;
    assert_eq!(status, 200, "{looked}");
    let mistake = &looked["mistakes"][0];
    assert_eq!(
        (
            &mistake["code"],
            &mistake["line"],
            &mistake["column"],
            &mistake["value"]
        ),
        (
            &json!("duty-person-unknown"),
            &json!(3),
            &json!("人员"),
            &json!("赵六")
        )
    );
    let (status, refused) = import(&city, &li, "roster.csv", sheet("赵六"), false).await;
    assert_eq!((status, &refused["code"]), (422, &json!("duty-mistakes")));
    let roster = format!("/api/v1/duty/roster?organisation={CENTRE}&from={one}&until={two}");
    let before = li.good(&city, "GET", &roster, Json::Null).await;
    assert_eq!(before["turns"], json!([]), "nothing of it was taken");

    let (_, looked) = import(&city, &li, "roster.csv", sheet("li"), true).await;
    assert_eq!(
        (&looked["added"], &looked["written"]),
        (&json!(2), &json!(false))
    );
    let (status, made) = import(&city, &li, "roster.csv", sheet("li"), false).await;
    assert_eq!(
        (status, &made["added"], &made["written"]),
        (201, &json!(2), &json!(true))
    );
    let (_, again) = import(&city, &li, "roster.csv", sheet("li"), false).await;
    assert_eq!((&again["added"], &again["same"]), (&json!(0), &json!(2)));

    // What is written as a workbook is read back, here and by the command.
    let url = format!(
        "http://{}/api/v1/duty/turns/export?organisation={CENTRE}&from={one}&until={two}",
        city.address("http")
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let book = client
        .get(url)
        .header("cookie", &li.cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(book.status(), 200);
    let book = book.bytes().await.unwrap().to_vec();
    let (_, same) = import(&city, &li, "roster.xlsx", book.clone(), true).await;
    assert_eq!(
        (&same["same"], &same["mistakes_count"]),
        (&json!(2), &json!(0)),
        "{same}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roster.xlsx");
    std::fs::write(&path, book).unwrap();
    let file = path.to_str().unwrap();
    let words = ["duty", "import", &city.dir, file, "--organisation", CENTRE];
    let told = crate::support::jingling_json(&[&words[..], &["--dry-run", "--json"]].concat());
    assert_eq!(told["same"], 2);

    // Sign-in is closed to somebody who has a turn: it is open, and whoever makes the roster is told.
    let now = li.good(&city, "GET", "/api/v1/duty/now", Json::Null).await;
    assert_eq!(now["open"], json!([]));
    let access = format!("/api/v1/accounts/{}/access", wang.id);
    let body = json!({"disabled": true});
    let closed = city
        .ask("POST", &access, |r| r.bearer_auth(&city.admin).json(&body))
        .await;
    assert!(closed.status < 300, "{}", closed.body);
    let now = li.good(&city, "GET", "/api/v1/duty/now", Json::Null).await;
    let open = now["open"].as_array().unwrap();
    assert_eq!(
        (open.len(), &open[0]["open"]),
        (1, &json!("closed")),
        "{now}"
    );
    assert_eq!(open[0]["user_name"], "wang");
    let listed = li.good(&city, "GET", &roster, Json::Null).await;
    assert_eq!(listed["turns"][0]["open"], "closed");
    assert_eq!(listed["turns"][1]["open"], Json::Null);
    let theirs = operator
        .good(&city, "GET", "/api/v1/duty/now", Json::Null)
        .await;
    assert_eq!(theirs["open"], json!([]), "it is not theirs to mend");
    // Given to somebody else, it is open no more; nobody new is put on duty who cannot come.
    let swap = format!("/api/v1/duty/turns/{}/swap", open[0]["id"]);
    let given = json!({"user_id": li.id, "reason": "王敏已离职"});
    li.good(&city, "POST", &swap, given).await;
    let now = li.good(&city, "GET", "/api/v1/duty/now", Json::Null).await;
    assert_eq!(now["open"], json!([]));
    let (_, looked) = import(&city, &li, "roster.csv", sheet("li"), true).await;
    assert_eq!(looked["mistakes"][0]["code"], "duty-person-unknown");
}
