//! The plan's progress for everybody (公开门户): closed until it is opened; then figures with their proof, the others with the reason,
//! nobody's name, as a page, as files and as a catalogue that a program nobody here wrote reads.

use crate::support::{City, FREE_PORTS, jingling, new_city, shared, text, until};
use serde_json::{Value as Json, json};
use std::process::Command;
use testkit::foreign::{Python, passed_over};

const PLAN: &str = "/api/v1/public/plan";
const DOORS: [&str; 4] = [
    PLAN,
    "/api/v1/public/plan.json",
    "/api/v1/public/plan.csv",
    "/api/v1/public/catalog.jsonld",
];
/// What is offered to investors.
const OFFERED: [&str; 2] = [
    "/api/v1/public/packages.json",
    "/api/v1/public/packages.csv",
];
const LICENCE: &str = "https://creativecommons.org/licenses/by/4.0/";
/// Reported figures: one with evidence, one whose evidence names the person who reports it, one of which there is nothing.
const GOOD: &str = "5g-user-penetration";
const NAMED: &str = "gigabit-port-share";
const NONE: &str = "digital-campus-coverage";
/// Computed by the platform, of what is sent to it.
const COMPUTED: &str = "5g-base-stations";
const EVIDENCE: &str = "天经信〔2026〕7号，第3页\n\"附表\"";
const AUTHOR: &str = "赵锦绣";
/// Most bytes of the plan as it goes over the wire.
const PACKED_MAX: usize = 60_000;
/// Requests that one peer may make within a minute: more than the test needs before it asks for too much.
const ENOUGH: u32 = 30;

#[tokio::test]
async fn the_portal_is_closed_until_it_is_opened() {
    let city = shared();
    for door in DOORS.into_iter().chain(OFFERED) {
        let answer = city.ask("GET", door, |r| r).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "portal-closed"),
            "{door}"
        );
        let told = answer.json();
        assert!(told["mend"].as_str().unwrap().contains("licence"), "{told}");
        assert!(
            told["mend_zh"].as_str().unwrap().contains("[portal]"),
            "{told}"
        );
    }
    // Nobody opens it without saying how the figures may be used.
    let (_folder, dir) = new_city();
    let words = ["serve", &dir, "--set", "portal.open=true"];
    let refused = jingling(&[&words[..], &FREE_PORTS].concat());
    assert!(!refused.status.success());
    let why = text(&refused.stderr);
    assert!(why.contains("portal.licence"), "{why}");
}

/// A figure that goes its whole way, in the name of two people.
async fn report(city: &City, [author, office]: [&str; 2], indicator: &str, evidence: &str) {
    let path = format!("/api/v1/plan/indicators/{indicator}/reports");
    let body = json!({"value": 61.5, "period": "2024", "evidence": evidence});
    let made = city.send(author, "POST", &path, &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/v1/plan/reports/{id}/approve");
    let agreed = city
        .send(office, "POST", &path, &json!({"note": "同意"}))
        .await;
    assert_eq!(agreed.status, 200, "{}", agreed.body);
    assert_eq!(agreed.json()["state"], "approved", "{}", agreed.body);
}

fn of<'a>(plan: &'a Json, id: &str) -> &'a Json {
    let mut all = plan["indicators"].as_array().unwrap().iter();
    all.find(|one| one["id"] == id)
        .unwrap_or_else(|| panic!("{id} is not listed"))
}

/// An answer with its headers, and its bytes as they came.
struct Sent {
    status: u16,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Sent {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.get(name);
        let found = found.unwrap_or_else(|| panic!("no {name}: {:?}", self.headers));
        found.to_str().unwrap()
    }
}

/// Asks without any sign-in.
async fn ask(city: &City, path: &str, header: Option<(&str, &str)>) -> Sent {
    let url = format!("http://{}{path}", city.address("http"));
    let mut request = reqwest::Client::new().get(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    Sent {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        bytes: answer.bytes().await.unwrap().into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_its_proof_is_everybodys_and_nobody_is_named() {
    let licence = format!("portal.licence={LICENCE}");
    let most = format!("portal.requests_per_minute_max={ENOUGH}");
    let city = City::start_with(&[
        "portal.open=true",
        "portal.publisher_zh=天门市发展和改革委员会",
        "portal.publisher_en=Tianmen Development and Reform Commission",
        "portal.contact=plan@example.gov.cn",
        "portal.issued=\"2026-12-01\"",
        "http.public_url=https://city.example.gov.cn",
        "indicators.report_levels=[\"plan-office\"]",
        "indicators.measure_ms=200",
        &licence,
        &most,
    ]);
    let mut cookies = Vec::new();
    for (username, name) in [("author.one", AUTHOR), ("office.two", "李晓规")] {
        let password = city.add_named(username, name, "planner", &[]);
        cookies.push(city.sign_in(username, &password).await.cookie.unwrap());
    }
    let people = [&*cookies[0], &*cookies[1]];
    report(&city, people, GOOD, EVIDENCE).await;
    let named = format!("由{AUTHOR}现场核实");
    report(&city, people, NAMED, &named).await;
    let site = |n: u8| {
        json!({
            "id": format!("urn:ngsi-ld:TelecomBaseStation:portal-{n}"),
            "type": "TelecomBaseStation", "generation": "5G", "inService": true, "name": "试验基站",
        })
    };
    let sites: Vec<Json> = (0..3).map(site).collect();
    let token = city.token_of("collector");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token).json(&sites);
    let sent = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", with)
        .await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    // Seen from inside, where nobody counts how often one looks.
    let is_measured = async || {
        let inside: Json = city.get("/api/v1/plan").await;
        let value = |id| &of(&inside, id)["value"];
        *value(GOOD) == 61.5 && *value(NAMED) == 61.5 && *value(COMPUTED) == 3.0
    };
    until("the figures", is_measured).await;
    let plan = ask(&city, PLAN, None).await;
    let plan: Json = serde_json::from_slice(&plan.bytes).unwrap();

    // What has its proof, and why the rest is not told.
    let good = of(&plan, GOOD);
    assert_eq!(good["proof"]["evidence"], EVIDENCE);
    assert_eq!(
        (&good["as_of"], &good["proof"]["period"], &good["withheld"]),
        (&json!("2024-12-31"), &json!("2024"), &Json::Null)
    );
    assert!(good["responsible"]["name_zh"].is_string(), "{good}");
    assert!(!good["places"].as_array().unwrap().is_empty());
    assert!(good["path"].as_array().unwrap().len() > 1);
    for (id, code) in [(NAMED, "personal"), (NONE, "no-report")] {
        let one = of(&plan, id);
        assert_eq!(one["withheld"]["code"], code, "{one}");
        for told in ["value", "as_of", "status", "proof"] {
            assert_eq!(one[told], Json::Null, "{id}.{told}");
        }
    }
    let all = plan["indicators"].as_array().unwrap();
    let published = all.iter().filter(|one| !one["value"].is_null()).count();
    assert_eq!(plan["sums"]["indicators"], all.len());
    assert_eq!(plan["sums"]["published"], published);
    let by_group = plan["groups"].as_array().unwrap().iter();
    let by_group: u64 = by_group.map(|g| g["published"].as_u64().unwrap()).sum();
    assert_eq!(usize::try_from(by_group).unwrap(), published);
    for one in all {
        assert_ne!(one["proof"].is_null(), one["withheld"].is_null(), "{one}");
    }

    let computed = of(&plan, COMPUTED);
    assert_eq!(computed["value"], 3.0);
    let query = computed["proof"]["query"].as_str().unwrap();
    assert!(query.contains("TelecomBaseStation"), "{query}");
    assert!(computed["as_of"].as_str().unwrap().contains('T'));

    // The same for everybody and for a while; nobody's name in any of the answers.
    let mut bodies = Vec::new();
    for door in DOORS {
        let sent = ask(&city, door, None).await;
        assert_eq!(sent.status, 200, "{door}");
        let body = text(&sent.bytes);
        for name in [AUTHOR, "李晓规", "author.one", "office.two"] {
            assert!(!body.contains(name), "{name} in {door}");
        }
        assert_eq!(sent.header("cache-control"), "public, max-age=30");
        assert_eq!(sent.header("access-control-allow-origin"), "*");
        let tag = sent.header("etag").to_owned();
        let again = ask(&city, door, Some(("if-none-match", &tag))).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{door}");
        assert_eq!(again.header("etag"), tag);
        let other = ask(&city, door, Some(("if-none-match", "\"other\""))).await;
        assert_eq!((other.status, text(&other.bytes)), (200, body.clone()));
        bodies.push(body);
    }
    let packed = ask(&city, PLAN, Some(("accept-encoding", "gzip"))).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let packed = packed.bytes.len();
    assert!(packed < PACKED_MAX, "{packed} B");

    read_by_others(&bodies, published);

    // One asks too much, and is told when to come back; nobody else is.
    let mut asked = 0;
    let refused = loop {
        let sent = ask(&city, DOORS[3], None).await;
        asked += 1;
        if sent.status != 200 {
            break sent;
        }
        assert!(asked < 2 * ENOUGH, "asked {asked} times within a minute");
    };
    assert_eq!(refused.status, 429);
    let problem: Json = serde_json::from_slice(&refused.bytes).unwrap();
    assert_eq!(problem["code"], "portal-too-often");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    city.goes_on().await;
}

/// The catalogue as triples and the CSV as rows, read by programs that nobody here wrote.
fn read_by_others(bodies: &[String], published: usize) {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "portal",
        imports: "rdflib",
        packages: &["rdflib==7.1.4"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => return passed_over("rdflib", &why),
    };
    let folder = tempfile::tempdir().unwrap();
    let files = ["catalog.jsonld", "plan.csv", "plan.json"];
    for (name, body) in files.iter().zip([&bodies[3], &bodies[2], &bodies[1]]) {
        std::fs::write(folder.path().join(name), body).unwrap();
    }
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/portal_dcat.py"))
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let read: Json = serde_json::from_slice(&output.stdout).unwrap();
    let at = |path: &str| format!("https://city.example.gov.cn{path}");
    assert_eq!(
        read["datasets"],
        json!([{
            "title": ["en", "zh"], "licence": LICENCE, "publisher": "天门市发展和改革委员会", "issued": "2026-12-01",
            "languages": ["ENG", "ZHO"], "periodicity": "UPDATE_CONT", "years": ["2020", "2025"],
            "contact": "mailto:plan@example.gov.cn",
        }])
    );
    assert_eq!(
        read["distributions"],
        json!([
            {"download": at(DOORS[2]), "media": "text/csv", "bytes": bodies[2].len(), "licence": LICENCE},
            {"download": at(DOORS[1]), "media": "application/json", "bytes": bodies[1].len(), "licence": LICENCE},
        ])
    );
    assert_eq!(read["rows"], published);
    assert_eq!(read["json"], published);
    assert_eq!(read["evidence"], EVIDENCE);
    assert_eq!(
        read["missing"],
        json!([]),
        "properties that DCAT-AP 3 makes mandatory"
    );
}
