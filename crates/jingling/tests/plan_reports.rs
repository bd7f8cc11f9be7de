//! A figure of the plan in a running city (指标填报): drafted, handed in, agreed to by its unit and the plan office, locked, corrected; a
//! claim beside what is measured, and the case made of it. Everything that must be refused on the way is.

use crate::support::{Answer, City, until};
use serde_json::{Value as Json, json};

/// Reported by its unit, in percent.
const REPORTED: &str = "5g-user-penetration";
/// Computed by the platform; the same unit answers for it.
const COMPUTED: &str = "5g-base-stations";
const UNIT: &str = "jingxin";
const REPORTS: &str = "/api/v1/plan/reports";

struct Person<'a>(&'a City, String);

impl<'a> Person<'a> {
    async fn of(city: &'a City, username: &str, role: &str, organisation: Option<&str>) -> Self {
        let of: Vec<&str> = organisation
            .iter()
            .flat_map(|id| ["--organisation", id])
            .collect();
        let password = city.add_named(username, username, role, &of);
        Self(
            city,
            city.sign_in(username, &password).await.cookie.unwrap(),
        )
    }

    async fn sends(&self, method: &str, path: &str, body: &Json) -> Answer {
        self.0.send(&self.1, method, path, body).await
    }

    /// Sends it, and reads the answer, which must have that status.
    async fn does(&self, status: u16, method: &str, path: &str, body: &Json) -> Json {
        let answer = self.sends(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        answer.json()
    }

    /// The status and code of a refusal, which is told in both languages.
    async fn is_refused(&self, method: &str, path: &str, body: &Json) -> (u16, String) {
        let answer = self.sends(method, path, body).await;
        assert!(answer.status >= 400, "{method} {path}: {}", answer.body);
        let code = answer.problem();
        if code.starts_with("report") || code.starts_with("lock") || code.starts_with("claim") {
            let zh = answer.json()["detail_zh"]
                .as_str()
                .unwrap_or_default()
                .len();
            assert!(zh > 0, "{code} is not told in Chinese: {}", answer.body);
        }
        (answer.status, code)
    }

    async fn reports(&self, indicator: &str, body: &Json) -> i64 {
        let path = of(indicator);
        self.does(201, "POST", &path, body).await["id"]
            .as_i64()
            .unwrap()
    }

    async fn takes(&self, id: i64, step: &str, note: &str) -> Json {
        let path = format!("{REPORTS}/{id}/{step}");
        self.does(200, "POST", &path, &json!({"note": note})).await
    }

    async fn may_not(&self, id: i64, step: &str) -> (u16, String) {
        let path = format!("{REPORTS}/{id}/{step}");
        self.is_refused("POST", &path, &json!({"note": "不"})).await
    }

    /// What was reported of an indicator: numbers, values, states and whether each counts.
    async fn history(&self, indicator: &str) -> Vec<(i64, f64, String, bool)> {
        let found = self.does(200, "GET", &of(indicator), &Json::Null).await;
        let items = found["items"].as_array().unwrap().iter();
        items
            .map(|one| {
                (
                    one["id"].as_i64().unwrap(),
                    one["value"].as_f64().unwrap(),
                    one["state"].as_str().unwrap().to_owned(),
                    one["counts"].as_bool().unwrap(),
                )
            })
            .collect()
    }

    /// The figures that SQL sees of an indicator, the newest period first.
    async fn counted(&self, indicator: &str) -> Vec<f64> {
        let query = format!(
            "SELECT value FROM indicator_reports WHERE indicator_id = '{indicator}' ORDER BY as_of DESC, id DESC"
        );
        let rows = self
            .does(200, "POST", "/api/v1/sql", &json!({"query": query}))
            .await;
        let rows = rows["rows"].as_array().unwrap().iter();
        rows.map(|row| row["value"].as_f64().unwrap()).collect()
    }

    async fn value(&self, indicator: &str) -> Json {
        let path = format!("/api/v1/plan/indicators/{indicator}");
        self.does(200, "GET", &path, &Json::Null).await["value"].clone()
    }
}

fn of(indicator: &str) -> String {
    format!("/api/v1/plan/indicators/{indicator}/reports")
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn figure(value: f64, period: &str) -> Json {
    json!({"value": value, "period": period, "evidence": "天经信〔2026〕7号"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_counts_when_all_levels_agree_and_both_values_of_a_correction_stay() {
    let city = City::start_with(&["indicators.measure_ms=200"]);
    let author = Person::of(&city, "jingxin.zhao", "operator", Some(UNIT)).await;
    let chief = Person::of(&city, "jingxin.qian", "operator", Some(UNIT)).await;
    let stranger = Person::of(&city, "shuili.sun", "operator", Some("shuili")).await;
    let office = Person::of(&city, "guihua.li", "planner", None).await;

    // What is wanted, and of whom.
    let wanted = author
        .does(200, "GET", "/api/v1/plan/reporting", &Json::Null)
        .await;
    assert_eq!(wanted["levels"], json!(["unit", "plan-office"]));
    let year = wanted["period"].as_str().unwrap().to_owned();
    let next = (year.parse::<i32>().unwrap() + 1).to_string();
    let due = |all: &Json| {
        let all = all["due"].as_array().unwrap().iter();
        let found = all.clone().find(|one| one["indicator_id"] == REPORTED);
        found.map(|one| (one["organisation"]["id"].clone(), one["may_report"].clone()))
    };
    assert_eq!(due(&wanted), Some((json!(UNIT), json!(true))));

    // Nothing bad comes in.
    let path = of(REPORTED);
    let later = (year.parse::<i32>().unwrap() + 2).to_string();
    let mut bare = figure(50.0, &year);
    bare["evidence"] = json!("  ");
    for (body, refusal) in [
        (figure(50.0, "去年"), "report-period"),
        (figure(100.5, &year), "report-percent"),
        (figure(50.0, &later), "report-future"),
        (bare, "report-empty"),
        (
            json!({"value": 50.0, "period": year, "evidence": "x", "request_id": "?"}),
            "request-id",
        ),
    ] {
        let refused = author.is_refused("POST", &path, &body).await;
        assert_eq!(refused, is(400, refusal), "{body}");
    }
    let good = figure(50.0, &year);
    let refused = stranger.is_refused("POST", &path, &good).await;
    assert_eq!(refused, is(403, "report-organisation"));
    let token = city.token_of("planner");
    let machine = city
        .ask("POST", &path, |r| r.bearer_auth(&token).json(&good))
        .await;
    assert_eq!(
        (machine.status, machine.problem().as_str()),
        (403, "report-person")
    );
    assert!(author.history(REPORTED).await.is_empty());

    // A draft is its author's alone; handed in, it is done once, and alone.
    let draft = author
        .reports(
            REPORTED,
            &json!({"value": 48.0, "period": year, "draft": true}),
        )
        .await;
    let at = format!("{REPORTS}/{draft}");
    assert_eq!(
        chief.is_refused("GET", &at, &Json::Null).await,
        is(404, "not-found")
    );
    assert_eq!(
        author.may_not(draft, "submit").await,
        is(400, "report-empty")
    );
    let whole = json!({"value": 49.0, "evidence": "天经信〔2026〕7号"});
    assert_eq!(
        chief.is_refused("PUT", &at, &whole).await,
        is(404, "not-found")
    );
    author.does(200, "PUT", &at, &whole).await;
    let submitted = author.takes(draft, "submit", "").await;
    assert_eq!(
        (
            &submitted["state"],
            &submitted["level"],
            &submitted["may_decide"]
        ),
        (&json!("submitted"), &json!("unit"), &json!(false))
    );
    assert_eq!(
        chief.is_refused("POST", &path, &good).await,
        is(409, "report-open")
    );

    // Nobody alone, no other unit; a no has its reason, and comes back mended.
    assert_eq!(
        author.may_not(draft, "approve").await,
        is(403, "report-own")
    );
    assert_eq!(
        stranger.may_not(draft, "approve").await,
        is(403, "report-organisation")
    );
    assert_eq!(
        office.may_not(draft, "approve").await,
        is(403, "report-organisation")
    );
    let unsaid = format!("{at}/return");
    assert_eq!(
        chief
            .is_refused("POST", &unsaid, &json!({"note": " "}))
            .await,
        is(400, "report-empty")
    );
    let returned = chief.takes(draft, "return", "与年报不符").await;
    assert_eq!(returned["state"], "returned");
    assert_eq!(
        chief.may_not(draft, "approve").await,
        is(409, "report-state")
    );
    author
        .does(
            200,
            "PUT",
            &at,
            &json!({"value": 52.0, "evidence": "天经信〔2026〕8号"}),
        )
        .await;
    author.takes(draft, "submit", "").await;
    let waiting = chief
        .does(200, "GET", "/api/v1/plan/reporting", &Json::Null)
        .await;
    assert_eq!(waiting["waiting"][0]["id"], json!(draft));
    assert_eq!(due(&waiting), None, "it was handed in");
    let half = chief.takes(draft, "approve", "同意").await;
    assert_eq!(
        (&half["state"], &half["agreed"]),
        (&json!("submitted"), &json!(1))
    );
    assert_eq!(
        chief.may_not(draft, "approve").await,
        is(403, "report-twice")
    );
    assert!(
        office.counted(REPORTED).await.is_empty(),
        "one level of two agreed"
    );
    let whole = office.takes(draft, "approve", "").await;
    assert_eq!(
        (&whole["state"], &whole["counts"]),
        (&json!("approved"), &json!(true))
    );
    assert_eq!(office.counted(REPORTED).await, [52.0]);
    until("the figure is the indicator's", async || {
        office.value(REPORTED).await == 52.0
    })
    .await;
    let steps: Vec<&str> = whole["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "save", "save", "submit", "return", "save", "submit", "approve", "approve"
        ]
    );
    assert_eq!(
        author.may_not(draft, "withdraw").await,
        is(409, "report-state")
    );
    assert_eq!(
        author.is_refused("POST", &path, &good).await,
        is(409, "report-exists")
    );

    // A locked period says who locked it; what lies within it is locked too.
    let lock = json!({"period": year, "reason": "年报已上报"});
    let locks = "/api/v1/plan/locks";
    assert_eq!(
        author.is_refused("POST", locks, &lock).await,
        is(403, "forbidden")
    );
    let running = json!({"period": next, "reason": "x"});
    assert_eq!(
        office.is_refused("POST", locks, &running).await,
        is(400, "lock-early")
    );
    let held = office.does(201, "POST", locks, &lock).await;
    assert_eq!(
        office.is_refused("POST", locks, &lock).await,
        is(409, "report-locked")
    );
    let quarter = figure(51.0, &format!("{year}-Q3"));
    let refused = author.sends("POST", &path, &quarter).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "report-locked")
    );
    let said = refused.json();
    for (field, word) in [
        ("detail_zh", "guihua.li"),
        ("detail", &*year),
        ("mend_zh", "更正"),
    ] {
        assert!(
            said[field].as_str().unwrap().contains(word),
            "{field} of {said}"
        );
    }

    // A correction has its reason, goes the same way, and keeps both values.
    let mut correction = figure(53.5, &year);
    correction["corrects"] = json!(draft);
    assert_eq!(
        author.is_refused("POST", &path, &correction).await,
        is(400, "report-empty")
    );
    correction["reason"] = json!("漏计乡镇用户");
    correction["request_id"] = json!("5f0c1f5e-2b1d-4d8e-9d3b-0a1b2c3d4e5f");
    let corrected = author.reports(REPORTED, &correction).await;
    let again = author.does(200, "POST", &path, &correction).await;
    assert_eq!(
        again["id"],
        json!(corrected),
        "the same request twice is done once"
    );
    assert_eq!(
        (&again["old_value"], &again["lock"]["period"]),
        (&json!(52.0), &json!(year))
    );
    assert_eq!(office.counted(REPORTED).await, [52.0]);
    chief.takes(corrected, "approve", "").await;
    office.takes(corrected, "approve", "").await;
    assert_eq!(office.counted(REPORTED).await, [53.5, 52.0]);
    until("the corrected figure", async || {
        office.value(REPORTED).await == 53.5
    })
    .await;
    let approved = || "approved".to_owned();
    let both = [
        (corrected, 53.5, approved(), true),
        (draft, 52.0, approved(), false),
    ];
    assert_eq!(author.history(REPORTED).await, both);
    correction["request_id"] = Json::Null;
    assert_eq!(
        author.is_refused("POST", &path, &correction).await,
        is(409, "report-corrected")
    );

    // Once the lock is lifted a quarter comes in, whose end is not the year's: the year stays the newest figure.
    let lift = format!("{locks}/{}/lift", held["id"]);
    assert_eq!(
        office
            .is_refused("POST", &lift, &json!({"reason": ""}))
            .await,
        is(400, "report-empty")
    );
    office
        .does(200, "POST", &lift, &json!({"reason": "补报季度"}))
        .await;
    let late = author.reports(REPORTED, &quarter).await;
    chief.takes(late, "approve", "").await;
    // Locked while it waited: the last level is refused, and it can still be taken back.
    office.does(201, "POST", locks, &lock).await;
    assert_eq!(
        office.may_not(late, "approve").await,
        is(409, "report-locked")
    );
    assert_eq!(
        author.takes(late, "withdraw", "").await["state"],
        "withdrawn"
    );
    let older = figure(40.0, &(year.parse::<i32>().unwrap() - 1).to_string());
    let older = author.reports(REPORTED, &older).await;
    chief.takes(older, "approve", "").await;
    office.takes(older, "approve", "").await;
    assert_eq!(office.counted(REPORTED).await, [53.5, 52.0, 40.0]);
    assert_eq!(office.value(REPORTED).await, 53.5);

    claimed_against_measured(&city, (&author, &chief, &office), &next).await;

    // Every change by a person is in the trail.
    let auditor = city.token_of("auditor");
    let trail = city
        .ask("GET", "/api/v1/audit?limit=500", |r| {
            r.bearer_auth(&auditor)
        })
        .await
        .json();
    let count = |action: &str| {
        let rows = trail["items"].as_array().unwrap().iter();
        rows.filter(|row| row["action"] == action).count()
    };
    for (action, times) in [
        ("indicator.report.save", 3),
        ("indicator.report", 6),
        ("indicator.report.approve", 9),
        ("indicator.report.return", 1),
        ("indicator.report.withdraw", 1),
        ("indicator.lock", 2),
        ("indicator.unlock", 1),
        ("indicator.case", 1),
    ] {
        assert_eq!(count(action), times, "{action}");
    }
}

/// A unit claims three stations where the platform counts one.
async fn claimed_against_measured(
    city: &City,
    (author, chief, office): (&Person<'_>, &Person<'_>, &Person<'_>),
    period: &str,
) {
    let case = format!("/api/v1/plan/indicators/{COMPUTED}/claims/{period}/case");
    assert_eq!(
        office.is_refused("POST", &case, &Json::Null).await,
        is(409, "claim-none")
    );
    let collector = city.token_of("collector");
    let station = json!([{"id": "urn:ngsi-ld:TelecomBaseStation:1", "type": "TelecomBaseStation",
        "generation": {"type": "Property", "value": "5G"}, "inService": {"type": "Property", "value": true}}]);
    let taken = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&collector).json(&station)
        })
        .await;
    assert!((200..300).contains(&taken.status), "{}", taken.body);
    until("the station is counted", async || {
        office.value(COMPUTED).await == 1.0
    })
    .await;
    let claim = author.reports(COMPUTED, &figure(3.0, period)).await;
    chief.takes(claim, "approve", "").await;
    let approved = office.takes(claim, "approve", "").await;
    assert_eq!(approved["is_claim"], json!(true));
    assert_eq!(
        office.value(COMPUTED).await,
        1.0,
        "a claim measures nothing"
    );
    let compared = office.does(200, "GET", &of(COMPUTED), &Json::Null).await["comparisons"].clone();
    assert_eq!(compared.as_array().unwrap().len(), 1);
    let compared = &compared[0];
    assert_eq!(
        json!([
            compared["claimed"],
            compared["measured"],
            compared["difference"],
            compared["difference_percent"],
            compared["may_open_case"]
        ]),
        json!([3.0, 1.0, 2.0, 200.0, true])
    );

    // One open case of an indicator and period, linked both ways.
    let made = office.does(201, "POST", &case, &Json::Null).await;
    let id = made["case_id"].as_i64().unwrap();
    assert_eq!(
        office.is_refused("POST", &case, &Json::Null).await,
        is(409, "claim-case-open")
    );
    let opened = office
        .does(200, "GET", &format!("/api/v1/cases/{id}"), &Json::Null)
        .await;
    assert_eq!(opened["number"], made["number"]);
    let words = opened["description"].as_str().unwrap();
    assert!(words.contains(&format!("/plan/{COMPUTED}")), "{words}");
    let linked = format!("/api/v1/plan/cases?case_id={id}");
    let linked = office.does(200, "GET", &linked, &Json::Null).await["items"].clone();
    assert_eq!(
        json!([
            linked[0]["indicator_id"],
            linked[0]["period"],
            linked[0]["claimed"],
            linked[0]["measured"]
        ]),
        json!([COMPUTED, period, 3.0, 1.0])
    );
    let compared =
        office.does(200, "GET", &of(COMPUTED), &Json::Null).await["comparisons"][0].clone();
    assert_eq!(
        (&compared["case"]["case_id"], &compared["may_open_case"]),
        (&json!(id), &json!(false))
    );
}
