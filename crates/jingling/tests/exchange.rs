//! The exchange with other charging platforms in a city that runs: a partner of Python in both roles, whose AES and HMAC nobody here wrote,
//! asks and is asked. What it says reaches the twin and the books once, differences become a case, and a charge that it asks for runs at a
//! station of the package `ocpp`.

use crate::charging::{CARD, Station, ago, post, python as ocpp, register, tariff};
use crate::support::{City, jingling, jingling_json, new_city, shared, until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use testkit::foreign::Python;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exchange_partner.py");
const CITY_ID: &str = "429006001";
const PARTNER: &str = "123456789";
/// A fast clock for the tasks, and the partner on this machine.
const SETTINGS: [&str; 5] = [
    "tcec102.open=true",
    "tcec102.operator_id=\"429006001\"",
    "tcec102.look_seconds=1",
    "tcec102.networks=[\"127.0.0.0/8\"]",
    "tcec102.compare_hour=23",
];

/// A Python with the package; says so where there is none.
fn python() -> Option<PathBuf> {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "exchange-python",
        imports: "cryptography",
        packages: &["cryptography==46.0.3"],
    };
    python
        .make()
        .inspect_err(|why| {
            eprintln!(
                "skipped: the package cryptography cannot be installed from PyPI here: {why}"
            );
        })
        .ok()
}

/// A partner as a program.
struct Partner {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u64,
}

impl Partner {
    fn start(secrets: &Path) -> Self {
        let mut program = Command::new(python().unwrap())
            .args([SCRIPT, PARTNER, CITY_ID])
            .arg(secrets)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut partner = Self {
            orders: program.stdin.take().unwrap(),
            answers: BufReader::new(program.stdout.take().unwrap()),
            program,
            port: 0,
        };
        partner.port = partner.hear()["port"].as_u64().unwrap();
        partner
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }

    fn tell(&mut self, order: &Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        self.hear()
    }

    /// Asks, and gives the whole answer, which must be signed.
    fn ask(&mut self, interface: &str, body: Value) -> Value {
        let told = self.tell(&json!({"ask": interface, "body": body}));
        assert_eq!(told["signed"], true, "{interface} {body}: {told}");
        told
    }

    /// Asks, and gives the body of a good answer.
    fn good(&mut self, interface: &str, body: Value) -> Value {
        let told = self.ask(interface, body);
        assert_eq!(told["ret"], 0, "{interface}: {told}");
        told["data"].clone()
    }

    /// Asks spoilt; what is answered.
    fn spoilt(&mut self, spoil: &str) -> Value {
        let body = status("C1", 1);
        self.tell(&json!({"ask": "notification_stationStatus", "body": body, "spoil": spoil}))
    }

    fn serve(&mut self, interface: &str, reply: Value) {
        self.tell(&json!({"serve": interface, "reply": reply}));
    }

    /// What the city posted to it of that, once it did.
    fn heard(&mut self, interface: &str) -> Value {
        let told = self.tell(&json!({"heard": interface}));
        assert!(
            told.get("body").is_some(),
            "the city never asked {interface}"
        );
        told["body"].clone()
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// A city and a partner that know each other.
struct Both {
    partner: Partner,
    dir: String,
    settings: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Both {
    /// Makes them; the city is not started yet. It asks the partner where `is_asked`.
    fn make(role: &str, is_asked: bool, more: &[&str]) -> Self {
        let (folder, dir) = new_city();
        let file = Path::new(&dir).join("jingling.toml");
        let written = std::fs::read_to_string(&file).unwrap();
        let settled = |url: &str| {
            let partner = format!(
                "\n[[tcec102.partner]]\noperator_id = \"{PARTNER}\"\nname = \"某充电平台\"\nrole = \"{role}\"\nsecrets_file = \"secrets/partner.json\"\nurl = \"{url}\"\n"
            );
            std::fs::write(&file, format!("{written}{partner}")).unwrap();
        };
        settled("");
        let made = jingling_json(&["exchange", "partner-keys", &dir, PARTNER, "--json"]);
        assert_eq!(made["has_ask"], false, "{made}");
        let again = jingling(&["exchange", "partner-keys", &dir, PARTNER]);
        assert!(!again.status.success(), "secrets are not replaced unasked");
        let secrets = Path::new(&dir).join("secrets/partner.json");
        let mut known: Value = serde_json::from_slice(&std::fs::read(&secrets).unwrap()).unwrap();
        known["ask"] = json!({
            "operator_secret": "the city's secret there", "data_secret": "abcdefghijklmnop",
            "data_secret_iv": "0123456789abcdef", "sig_secret": "a key of signatures",
        });
        std::fs::write(&secrets, known.to_string()).unwrap();
        let partner = Partner::start(&secrets);
        if is_asked {
            settled(&format!("http://127.0.0.1:{}/evcs/v20160701", partner.port));
        }
        let settings = SETTINGS.iter().chain(more).map(|&s| s.to_owned()).collect();
        Self {
            partner,
            dir,
            settings,
            _folder: folder,
        }
    }

    /// Starts the city; dropped, it is killed.
    fn city(&mut self) -> City {
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        let city = City::start_in(tempfile::tempdir().unwrap(), self.dir.clone(), &settings);
        let address = format!("http://{}/evcs/v20160701", city.address("http"));
        self.partner.tell(&json!({"city": address}));
        city
    }
}

fn status(connector: &str, status: i64) -> Value {
    json!({"ConnectorStatusInfo": {"ConnectorID": connector, "Status": status}})
}

fn order_no(n: u32) -> String {
    format!("{PARTNER}{n:018}")
}

/// A moment in Beijing, so many seconds ago.
fn beijing(seconds_ago: i64) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago);
    let offset = jiff::tz::Offset::from_hours(8).unwrap();
    offset
        .to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// An order that ended a minute ago: 12.345 kWh, 9.26 + 6.17 yuan.
fn order(n: u32) -> Value {
    json!({
        "StartChargeSeq": order_no(n), "ConnectorID": "C1", "StartTime": beijing(3_660), "EndTime": beijing(60),
        "TotalPower": 12.345, "TotalElecMoney": 9.26, "TotalSeviceMoney": 6.17, "TotalMoney": 15.43, "StopReason": 0,
    })
}

#[tokio::test]
async fn a_closed_exchange_answers_nobody() {
    let city = shared();
    let told = city
        .ask("POST", "/evcs/v20160701/query_token", |r| r.body("{}"))
        .await;
    assert_eq!(told.status, 404, "{told:?}");
    assert_eq!(told.json()["code"], "exchange-closed");
    assert!(
        told.json()["mend_zh"]
            .as_str()
            .unwrap()
            .contains("tcec102.open")
    );
    let view = city.get("/api/v1/charging/exchange").await;
    assert_eq!(
        (&view["is_open"], &view["partners"]),
        (&json!(false), &json!([]))
    );
}

#[tokio::test]
async fn a_partner_is_known_by_signature_and_token_and_heard_once() {
    if python().is_none() {
        return;
    }
    let mut both = Both::make("operator", false, &["tcec102.message_kib_max=64"]);
    let city = both.city();
    let partner = &mut both.partner;
    let wrong = partner.tell(&json!({"ask": "query_token", "spoil": "secret"}));
    assert_eq!(
        (&wrong["ret"], &wrong["data"]["SuccStat"]),
        (&json!(0), &json!(1)),
        "{wrong}"
    );
    assert_eq!(wrong["data"]["AccessToken"], "");
    // What it says reaches the twin, under its own name.
    assert_eq!(
        partner.good("notification_stationStatus", status("C1", 3))["Status"],
        0
    );
    let point = "urn:ngsi-ld:ChargePoint:123456789:C1";
    until("the status in the twin", async || {
        let found = city
            .ask("GET", &format!("/api/v1/entities/{point}"), |r| {
                r.bearer_auth(&city.admin)
            })
            .await;
        found.status == 200 && found.json()["attributes"]["status"]["value"] == "Charging"
    })
    .await;
    // Each thing that is wrong has its own number, and an answer is signed where the partner is known.
    for (spoil, ret, signed) in [
        ("signature", 4001, true),
        ("token", 4002, true),
        ("replay", 4003, true),
        ("clock", 4003, true),
        ("data", 4004, true),
        ("operator", 4003, false),
    ] {
        let told = partner.spoilt(spoil);
        assert_eq!(
            (&told["ret"], &told["signed"]),
            (&json!(ret), &json!(signed)),
            "{spoil}: {told}"
        );
        assert!(told["data"].is_null(), "{spoil}: {told}");
    }
    // An interface of the other role, a body that fits no schema, a text that is no envelope, a body too large, another version.
    let other = partner.ask(
        "query_start_charge",
        json!({"StartChargeSeq": order_no(1), "ConnectorID": "C1", "QRCode": ""}),
    );
    assert_eq!(other["ret"], 4004, "{other}");
    let no_schema = partner.ask(
        "notification_stationStatus",
        json!({"ConnectorStatusInfo": {"Status": 7}}),
    );
    assert_eq!(no_schema["ret"], 4004, "{no_schema}");
    let raw = partner.tell(&json!({"raw": "no JSON", "interface": "notification_stationStatus"}));
    let raw: Value = serde_json::from_str(raw["body"].as_str().unwrap()).unwrap();
    assert_eq!((&raw["Ret"], &raw["Sig"]), (&json!(4003), &json!("")));
    let big = partner.tell(&json!({"big": 65 * 1024}));
    assert_eq!(big["http"], 413, "{big}");
    let version = city
        .ask("POST", "/evcs/v1/query_token", |r| r.body("{}"))
        .await;
    assert_eq!(version.status, 404, "{version:?}");
    // What was refused is kept, but for questions of a token.
    let mut letters = Value::Null;
    until("dead letters", async || {
        letters = city.get("/api/v1/dead-letters?limit=50").await;
        let codes = letters["items"].as_array().unwrap().iter();
        let codes: Vec<&str> = codes
            .filter_map(|l| l["problem"]["code"].as_str())
            .collect();
        [
            "tcec102-signature",
            "tcec102-repeated",
            "tcec102-clock",
            "tcec102-data",
            "tcec102-operator",
            "tcec102-envelope",
        ]
        .iter()
        .all(|code| codes.contains(code))
    })
    .await;
    let letters = letters["items"].as_array().unwrap();
    let are_questions = |l: &&Value| l["address"].as_str().unwrap().ends_with("/query_token");
    assert_eq!(letters.iter().filter(are_questions).count(), 0);
    let view = city.get("/api/v1/charging/exchange").await;
    assert_eq!(view["operator_id"], CITY_ID);
    let seen = &view["partners"][0];
    assert_eq!(
        (&seen["operator_id"], &seen["role"], &seen["asked"]),
        (&json!(PARTNER), &json!("operator"), &json!(false))
    );
    assert!(seen["heard_at"].is_string(), "{view}");
    assert!(!city.log().contains("panicked"), "{}", city.log());
    let metrics = city.ask("GET", "/metrics", |r| r).await.body;
    let refused = metrics
        .lines()
        .find_map(|line| line.strip_prefix("jingling_exchange_messages_refused_total "));
    // A secret, six spoilt, another role, no schema, no envelope.
    assert_eq!(refused, Some("10"), "{metrics}");
}

#[tokio::test]
async fn a_partner_that_floods_is_told_to_wait() {
    if python().is_none() {
        return;
    }
    // A minute may turn in between: then a second one takes as many again.
    let mut both = Both::make(
        "operator",
        false,
        &[
            "tcec102.requests_per_minute_max=5",
            "tcec102.peer_requests_per_minute_max=30",
        ],
    );
    let city = both.city();
    let told = both
        .partner
        .tell(&json!({"flood": 20, "ask": "notification_stationStatus", "body": status("C1", 1)}));
    let (good, busy) = (
        told["rets"]["0"].as_i64().unwrap(),
        told["rets"]["-1"].as_i64().unwrap(),
    );
    assert!((5..=10).contains(&good) && good + busy == 20, "{told}");
    let told = both
        .partner
        .tell(&json!({"flood": 60, "ask": "notification_stationStatus", "body": status("C1", 1)}));
    assert!(told["rets"]["http 429"].as_i64().unwrap() >= 10, "{told}");
    assert_eq!(city.ask("GET", "/healthz", |r| r).await.status, 200);
}

#[tokio::test]
async fn an_order_stands_once_and_a_difference_becomes_a_case() {
    if python().is_none() {
        return;
    }
    let mut both = Both::make("operator", false, &[]);
    let city = both.city();
    let (first, mut torn, mut second) = (order(1), order(2), order(3));
    let partner = &mut both.partner;
    let told = partner.good("notification_start_charge_result", json!({
        "StartChargeSeq": order_no(1), "StartChargeSeqStat": 2, "ConnectorID": "C1", "StartTime": beijing(3_660),
    }));
    assert_eq!(told["SuccStat"], 0);
    let going = json!({
        "StartChargeSeq": order_no(1), "StartChargeSeqStat": 2, "ConnectorID": "C1", "ConnectorStatus": 3, "CurrentA": 16.0,
        "VoltageA": 220.5, "Soc": 45.5, "StartTime": beijing(3_660), "EndTime": beijing(600), "TotalPower": 3.5,
    });
    partner.good("notification_equip_charge_status", going);
    city.shows("urn:ngsi-ld:ChargePoint:123456789:C1", "voltage", 220.5)
        .await;
    let orders = city.get("/api/v1/charging/exchange/orders").await;
    assert_eq!(orders["items"][0]["state"], "charging", "{orders}");
    partner.good("notification_stop_charge_result", json!({
        "StartChargeSeq": order_no(1), "StartChargeSeqStat": 4, "ConnectorID": "C1", "SuccStat": 0, "FailReason": 0,
    }));
    let agreed = json!({"StartChargeSeq": order_no(1), "ConnectorID": "C1", "ConfirmResult": 0});
    let disputed =
        |n| json!({"StartChargeSeq": order_no(n), "ConnectorID": "C1", "ConfirmResult": 1});
    assert_eq!(
        partner.good("notification_charge_order_info", first.clone()),
        agreed
    );
    // A stretch that does not come to the order's total; parts of a fen; an end that is not there yet; money that is no sum.
    torn["ChargeDetails"] = json!([{
        "DetailStartTime": torn["StartTime"], "DetailEndTime": torn["EndTime"], "DetailPower": 12.0, "DetailElecMoney": 9.26, "DetailSeviceMoney": 6.17,
    }]);
    assert_eq!(
        partner.good("notification_charge_order_info", torn),
        disputed(2)
    );
    let mut inexact = order(4);
    (inexact["TotalElecMoney"], inexact["TotalMoney"]) = (json!(9.265), json!(15.435));
    let mut ahead = order(5);
    ahead["EndTime"] = json!(beijing(-7_200));
    let mut no_sum = order(6);
    no_sum["TotalMoney"] = json!(15.44);
    for bad in [inexact, ahead, no_sum] {
        assert_eq!(
            partner.ask("notification_charge_order_info", bad)["ret"],
            4004
        );
    }
    // The dispute is a case before it is answered.
    let cases = city.get("/api/v1/cases").await;
    assert_eq!(cases["items"].as_array().unwrap().len(), 1, "{cases}");
    let torn_case = cases["items"][0]["id"].as_i64().unwrap();
    let opened = city.get(&format!("/api/v1/cases/{torn_case}")).await;
    let said = opened["description"].as_str().unwrap();
    assert!(
        said.contains(&order_no(2)) && said.contains("各时段电量之和与总电量不符"),
        "{opened}"
    );
    // The power fails; the partner's token is worth nothing, and what it says again is the same.
    drop(city);
    let city = both.city();
    let partner = &mut both.partner;
    assert_eq!(
        partner.ask("notification_charge_order_info", first.clone())["ret"],
        4002
    );
    partner.tell(&json!({"forget": true}));
    assert_eq!(
        partner.good("notification_charge_order_info", first.clone()),
        agreed
    );
    second["TotalPower"] = json!("2.5");
    partner.good("notification_charge_order_info", second);
    let mut other = first.clone();
    (other["TotalElecMoney"], other["TotalMoney"]) = (json!(10.26), json!(16.43));
    assert_eq!(
        partner.good("notification_charge_order_info", other),
        disputed(1)
    );
    assert_eq!(
        partner.good("notification_charge_order_info", first),
        agreed
    );
    let orders = city.get("/api/v1/charging/exchange/orders").await;
    let items = orders["items"].as_array().unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|o| {
            (
                o["order_no"].as_str().unwrap(),
                &o["energy_wh"],
                &o["electricity_fen"],
                &o["confirm_result"],
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (order_no(3).as_str(), &json!(2_500), &json!(926), &json!(0)),
            (order_no(2).as_str(), &json!(12_345), &json!(926), &json!(1)),
            (order_no(1).as_str(), &json!(12_345), &json!(926), &json!(1)),
        ]
    );
    let held = city
        .get("/api/v1/charging/exchange/orders?disputed=true")
        .await;
    let doubts: Vec<&Value> = held["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| &o["doubts"])
        .collect();
    assert_eq!(doubts, [&json!(["period-energy"]), &json!(["content"])]);
    // Each of the two has a case of its own, once, though both were told again.
    assert_eq!(held["items"][0]["case_id"], torn_case, "{held}");
    let content_case = held["items"][1]["case_id"].as_i64().unwrap();
    let cases = city.get("/api/v1/cases").await;
    assert_eq!(cases["items"].as_array().unwrap().len(), 2, "{cases}");
    // What the month comes to: agreed and disputed apart; of stations of the partner's nobody owes the city anything.
    let month = beijing(60)[..7].to_owned();
    let statements = format!("/api/v1/charging/exchange/statements/{month}");
    let told = city.get(&statements).await;
    let row = &told["statements"][0];
    assert_eq!(
        (&row["partner"], &row["side"], &row["name"]),
        (&json!(PARTNER), &json!("theirs"), &json!("某充电平台")),
        "{told}"
    );
    assert_eq!(
        row["agreed"],
        json!({"count": 1, "energy_wh": 2_500, "electricity_fen": 926, "service_fen": 617})
    );
    assert_eq!(
        (
            &row["disputed"]["count"],
            &row["due_fen"],
            &row["entered_fen"]
        ),
        (&json!(2), &json!(0), &json!(0)),
        "{told}"
    );
    let early = post(&city, &format!("{statements}/{PARTNER}"), &Value::Null).await;
    assert_eq!(
        (early.status, early.problem().as_str()),
        (409, "charging-month-goes-on")
    );
    let token = city.token_of("operator");
    let table = city
        .ask("GET", &format!("{statements}/orders.csv"), |r| {
            r.bearer_auth(&token)
        })
        .await;
    assert_eq!(table.body.lines().count(), 4, "{}", table.body);
    assert!(
        table.body.contains(",2.500,9.26,6.17,15.43,agreed,no"),
        "{}",
        table.body
    );
    // The partner's list: one as it is, one of other money, one that the city has not; and one it leaves out.
    let list = json!([
        {"StartChargeSeq": order_no(1), "TotalPower": 12.345, "TotalMoney": 15.43},
        {"StartChargeSeq": order_no(2), "TotalPower": 12.345, "TotalMoney": 15.53},
        {"StartChargeSeq": order_no(9), "TotalPower": 1.0, "TotalMoney": 1.0},
    ]);
    let asked = json!({
        "CheckOrderSeq": "123456789000000001", "StartTime": beijing(7_200), "EndTime": beijing(0), "OrderCount": 3,
        "TotalOrderPower": 25.69, "TotalOrderMoney": 31.96, "ChargeOrders": list,
    });
    let told = partner.good("check_charge_orders", asked.clone());
    let disputes: Vec<_> = told["DisputeOrders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["StartChargeSeq"].as_str().unwrap(),
                d["DisputeReason"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        disputes,
        [
            (order_no(2).as_str(), 2),
            (order_no(9).as_str(), 1),
            (order_no(3).as_str(), 1)
        ]
    );
    let view = city.get("/api/v1/charging/exchange").await;
    let compared = &view["comparisons"][0];
    assert_eq!(
        (&compared["difference_count"], &compared["asked_by"]),
        (&json!(3), &json!("partner")),
        "{view}"
    );
    assert_eq!(
        (
            &compared["our_count"],
            &compared["our_fen"],
            &compared["their_fen"]
        ),
        (&json!(3), &json!(4_629), &json!(3_196))
    );
    assert_eq!(view["partners"][0]["disputed"], 2);
    let case = compared["case_id"].as_i64().unwrap();
    let opened = city.get(&format!("/api/v1/cases/{case}")).await;
    // The one that is a case already is not told again.
    let said = opened["description"].as_str().unwrap();
    assert!(
        said.contains(&order_no(9)) && said.contains("2 处") && !said.contains(&order_no(2)),
        "{opened}"
    );
    // Asked again, there is no second case; where all that differs is a case already, that one is named.
    partner.good("check_charge_orders", asked.clone());
    let only = json!({
        "CheckOrderSeq": "123456789000000002", "StartTime": beijing(7_300), "EndTime": beijing(0), "OrderCount": 3,
        "TotalOrderPower": 27.19, "TotalOrderMoney": 47.29,
        "ChargeOrders": [
            {"StartChargeSeq": order_no(1), "TotalPower": 12.345, "TotalMoney": 16.43},
            {"StartChargeSeq": order_no(2), "TotalPower": 12.345, "TotalMoney": 15.43},
            {"StartChargeSeq": order_no(3), "TotalPower": 2.5, "TotalMoney": 15.43},
        ],
    });
    partner.good("check_charge_orders", only);
    let view = city.get("/api/v1/charging/exchange").await;
    let named: Vec<_> = view["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["case_id"].as_i64())
        .collect();
    assert_eq!(named.len(), 2, "{view}");
    assert!(
        named.contains(&Some(content_case)) && named.contains(&Some(case)),
        "{view}"
    );
    let cases = city.get("/api/v1/cases").await;
    assert_eq!(cases["items"].as_array().unwrap().len(), 3, "{cases}");
    // A total that is not that of its list, and a time that is too long.
    let mut wrong = asked.clone();
    wrong["TotalOrderMoney"] = json!(99.0);
    assert_eq!(partner.ask("check_charge_orders", wrong)["ret"], 4004);
    let mut long = asked;
    long["StartTime"] = json!(beijing(40 * 86_400));
    assert_eq!(partner.ask("check_charge_orders", long)["ret"], 4004);
}

fn stations() -> Value {
    json!({"PageNo": 1, "PageCount": 1, "ItemSize": 1, "StationInfos": [{
        "StationID": "S1", "OperatorID": PARTNER, "EquipmentOwnerID": PARTNER, "StationName": "陆羽大道充电站", "CountryCode": "CN",
        "AreaCode": "429006", "Address": "陆羽大道1号", "ServiceTel": "4001", "StationType": 1, "StationStatus": 50, "ParkNums": 4,
        "StationLng": 113.1712, "StationLat": 30.6506, "Construction": 255, "EquipmentInfos": [{
            "EquipmentID": "E1", "EquipmentType": 1, "Power": 60.0, "ConnectorInfos": [{
                "ConnectorID": "E1-1", "ConnectorName": "1号枪", "ConnectorType": 4, "VoltageUpperLimits": 750, "VoltageLowerLimits": 200,
                "Current": 120, "Power": 60.0, "NationalStandard": 2,
            }],
        }],
    }]})
}

#[tokio::test]
async fn an_operator_is_asked_for_its_stations_and_the_day_before_is_compared() {
    if python().is_none() {
        return;
    }
    let mut both = Both::make("operator", true, &["tcec102.compare_hour=0"]);
    both.partner.serve("query_stations_info", stations());
    both.partner.serve(
        "query_station_status",
        json!({"Total": 1, "StationStatusInfos": [{"StationID": "S1", "ConnectorStatusInfos": [{"ConnectorID": "E1-1", "Status": 255}]}]}),
    );
    // They have an order of yesterday that the city was never told of.
    both.partner.serve(
        "check_charge_orders",
        json!({"TotalDisputeOrder": 1, "TotalDisputeMoney": 15.43, "DisputeOrders": [
            {"StartChargeSeq": order_no(7), "TotalPower": 12.34, "TotalMoney": 15.43, "DisputeReason": 1},
        ]}),
    );
    let city = both.city();
    assert_eq!(both.partner.heard("query_stations_info")["PageNo"], 1);
    city.shows("urn:ngsi-ld:ChargePoint:123456789:E1-1", "ratedPower", 60.0)
        .await;
    until("the state of its connector", async || {
        let point = "/api/v1/entities/urn:ngsi-ld:ChargePoint:123456789:E1-1";
        let found = city.ask("GET", point, |r| r.bearer_auth(&city.admin)).await;
        found.status == 200 && found.json()["attributes"]["status"]["value"] == "Faulted"
    })
    .await;
    let asked = both.partner.heard("check_charge_orders");
    assert_eq!(asked["OrderCount"], 0, "{asked}");
    let mut view = Value::Null;
    until("the comparison", async || {
        view = city.get("/api/v1/charging/exchange").await;
        view["comparisons"][0]["case_id"].is_i64()
    })
    .await;
    let compared = &view["comparisons"][0];
    assert_eq!(
        (
            &compared["asked_by"],
            &compared["their_fen"],
            &compared["our_count"]
        ),
        (&json!("city"), &json!(1_543), &json!(0)),
        "{view}"
    );
    assert!(view["partners"][0]["stations_at"].is_string(), "{view}");
}

#[tokio::test]
async fn a_charge_that_a_partner_asks_for_runs_at_a_station_and_is_told_until_it_is_taken() {
    if python().is_none() || ocpp().is_none() {
        return;
    }
    let ways = [
        "ocpp.listen=127.0.0.1:0",
        "charging.look_seconds=1",
        "tcec102.again_seconds=1",
        "tcec102.service_tel=\"12345\"",
    ];
    let mut both = Both::make("regulator", true, &ways);
    let city = both.city();
    let put = post(&city, "/api/v1/charging/tariffs", &tariff(json!({}))).await;
    assert_eq!(put.status, 201, "{put:?}");
    let password = register(&city.dir, "CP1");
    let mut one = Station::open("1.6", city.address("ocpp"), "CP1", &password).unwrap();
    one.call(
        "BootNotification",
        json!({"charge_point_vendor": "V", "charge_point_model": "M"}),
    );
    let say = |one: &mut Station, status: &str| {
        one.call(
            "StatusNotification",
            json!({"connector_id": 1, "error_code": "NoError", "status": status}),
        );
    };
    say(&mut one, "Available");
    // Where it stands: a place with coordinates, and the point that names it.
    let entities = json!([
        {"id": "urn:ngsi-ld:EVChargingStation:Z1", "type": "EVChargingStation", "name": {"type": "Property", "value": "竟陵充电站"},
         "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [113.166, 30.653]}}},
        {"id": "urn:ngsi-ld:ChargePoint:CP1", "type": "ChargePoint", "refStation": {"type": "Relationship", "object": "urn:ngsi-ld:EVChargingStation:Z1"},
         "ratedPower": {"type": "Property", "value": 60, "unitCode": "KWT"}, "connectorType": {"type": "Property", "value": "GBT_DC"}},
    ]);
    let token = city.token_of("collector");
    let put = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&token).json(&entities)
        })
        .await;
    assert!(put.status < 300, "{put:?}");
    let partner = &mut both.partner;
    let mut page = Value::Null;
    until("the city's stations", async || {
        page = partner.good(
            "query_stations_info",
            json!({"LastQueryTime": "", "PageNo": 1, "PageSize": 10}),
        );
        page["ItemSize"] == 1
    })
    .await;
    let station = &page["StationInfos"][0];
    assert_eq!(
        (
            &station["StationID"],
            &station["OperatorID"],
            &station["AreaCode"],
            &station["ServiceTel"]
        ),
        (
            &json!("Z1"),
            &json!(CITY_ID),
            &json!("429006"),
            &json!("12345")
        )
    );
    assert_eq!(
        station["EquipmentInfos"][0]["ConnectorInfos"][0]["ConnectorID"],
        "CP1"
    );
    let at = |partner: &mut Partner| {
        let told = partner.good(
            "query_station_status",
            json!({"StationIDs": ["Z1", "nobody"]}),
        );
        told["StationStatusInfos"][0]["ConnectorStatusInfos"][0]["Status"]
            .as_i64()
            .unwrap()
    };
    until("an idle connector", async || at(partner) == 1).await;
    let seq = format!("{PARTNER}{:018}", 42);
    let auth = json!({"EquipAuthSeq": seq, "ConnectorID": "CP1"});
    assert_eq!(
        partner.good("query_equip_auth", auth.clone())["FailReason"],
        1,
        "no car"
    );
    say(&mut one, "Preparing");
    until("a connector with a car", async || at(partner) == 2).await;
    assert_eq!(partner.good("query_equip_auth", auth)["SuccStat"], 0);
    // A pile that is not there, and an order that is not.
    let wish = |n: u32, connector: &str| json!({"StartChargeSeq": order_no(n), "ConnectorID": connector, "QRCode": ""});
    let nowhere = partner.good("query_start_charge", wish(41, "CP9"));
    assert_eq!(
        (&nowhere["SuccStat"], &nowhere["FailReason"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        partner.ask(
            "query_equip_charge_status",
            json!({"StartChargeSeq": order_no(41)})
        )["ret"],
        4004
    );
    // Begun, asked twice: one order at the station.
    let begun = partner.good("query_start_charge", wish(42, "CP1"));
    assert_eq!(
        (&begun["SuccStat"], &begun["StartChargeSeqStat"]),
        (&json!(0), &json!(1)),
        "{begun}"
    );
    let again = partner.good("query_start_charge", wish(42, "CP1"));
    assert_eq!(again["SuccStat"], 0, "{again}");
    let ordered = one.tell(&json!({"wait": "RemoteStartTransaction"}))["answer"].clone();
    let card = ordered["id_tag"].as_str().unwrap().to_owned();
    assert_eq!(
        (card.len(), &ordered["connector_id"]),
        (20, &json!(1)),
        "{ordered}"
    );
    let start =
        json!({"connector_id": 1, "id_tag": card, "meter_start": 1_000, "timestamp": ago(1_800)});
    let started = one.call("StartTransaction", start);
    assert_eq!(started["id_tag_info"]["status"], "Accepted", "{started}");
    let number = started["transaction_id"].clone();
    let said = partner.heard("notification_start_charge_result");
    assert_eq!(
        (&said["StartChargeSeq"], &said["StartChargeSeqStat"]),
        (&json!(order_no(42)), &json!(2)),
        "{said}"
    );
    let meter = json!([{"timestamp": ago(900), "sampled_value": [
        {"value": "6000", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "100", "measurand": "Current.Import", "unit": "A"}]}]);
    one.call(
        "MeterValues",
        json!({"connector_id": 1, "transaction_id": number, "meter_value": meter}),
    );
    let going = partner.heard("notification_equip_charge_status");
    assert_eq!(going["StartChargeSeq"], order_no(42).as_str());
    until("the energy so far", async || {
        partner.good(
            "query_equip_charge_status",
            json!({"StartChargeSeq": order_no(42)}),
        )["TotalPower"]
            == 5
    })
    .await;
    // The power fails in the middle; the partner asks to stop. It takes the bill at the third try, and disputes nothing.
    partner.tell(&json!({"refuse": "notification_charge_order_info", "times": 2}));
    drop(one);
    drop(city);
    let city = both.city();
    let partner = &mut both.partner;
    partner.tell(&json!({"forget": true}));
    let mut one = Station::open("1.6", city.address("ocpp"), "CP1", &password).unwrap();
    let stop = partner.good(
        "query_stop_charge",
        json!({"StartChargeSeq": order_no(42), "ConnectorID": "CP1"}),
    );
    assert_eq!(
        (&stop["SuccStat"], &stop["StartChargeSeqStat"]),
        (&json!(0), &json!(3)),
        "{stop}"
    );
    let ordered = one.tell(&json!({"wait": "RemoteStopTransaction"}))["answer"].clone();
    assert_eq!(ordered["transaction_id"], number);
    one.call(
        "StopTransaction",
        json!({"transaction_id": number, "meter_stop": 11_000, "timestamp": ago(60)}),
    );
    let stopped = partner.heard("notification_stop_charge_result");
    assert_eq!(
        (&stopped["StartChargeSeqStat"], &stopped["SuccStat"]),
        (&json!(4), &json!(0))
    );
    let bill = partner.heard("notification_charge_order_info");
    assert_eq!(
        (
            &bill["TotalPower"],
            &bill["TotalElecMoney"],
            &bill["TotalSeviceMoney"],
            &bill["TotalMoney"],
            &bill["StopReason"]
        ),
        (&json!(10), &json!(10), &json!(5), &json!(15), &json!(1)),
        "{bill}"
    );
    let mut orders = Value::Null;
    until("the partner's word", async || {
        orders = city.get("/api/v1/charging/exchange/orders").await;
        orders["items"][0]["confirm_result"] == 0
    })
    .await;
    let row = &orders["items"][0];
    assert_eq!(
        (
            &row["side"],
            &row["state"],
            &row["energy_wh"],
            &row["service_fen"]
        ),
        (
            &json!("ours"),
            &json!("settled"),
            &json!(10_000),
            &json!(500)
        ),
        "{orders}"
    );
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
    // What the station was told for the partner is in the trail, and the card is nowhere.
    let trail = city.get("/api/v1/audit?limit=100").await.to_string();
    assert!(
        trail.contains("partner:123456789") && !trail.contains(&card),
        "{trail}"
    );
    assert!(!card.contains(CARD));
    let compare = json!({
        "CheckOrderSeq": "1", "StartTime": beijing(7_200), "EndTime": beijing(0), "OrderCount": 1, "TotalOrderPower": 10, "TotalOrderMoney": 15,
        "ChargeOrders": [{"StartChargeSeq": order_no(42), "TotalPower": 10.0, "TotalMoney": 15.00}],
    });
    assert_eq!(
        partner.good("check_charge_orders", compare)["TotalDisputeOrder"],
        0
    );
    // Another one, which the partner disputes: a case of its own, and no claim.
    let dispute = json!({"StartChargeSeq": order_no(43), "ConnectorID": "CP1", "ConfirmResult": 1});
    partner.serve("notification_charge_order_info", dispute);
    let begun = partner.good("query_start_charge", wish(43, "CP1"));
    assert_eq!(begun["SuccStat"], 0, "{begun}");
    let ordered = one.tell(&json!({"wait": "RemoteStartTransaction"}))["answer"].clone();
    let start = json!({"connector_id": 1, "id_tag": ordered["id_tag"], "meter_start": 11_000, "timestamp": ago(50)});
    let number = one.call("StartTransaction", start)["transaction_id"].clone();
    one.call(
        "StopTransaction",
        json!({"transaction_id": number, "meter_stop": 11_100, "timestamp": ago(10)}),
    );
    let mut orders = Value::Null;
    until("the case of the dispute", async || {
        orders = city.get("/api/v1/charging/exchange/orders").await;
        orders["items"][0]["case_id"].is_i64()
    })
    .await;
    let case = orders["items"][0]["case_id"].as_i64().unwrap();
    let opened = city.get(&format!("/api/v1/cases/{case}")).await;
    let said = opened["description"].as_str().unwrap();
    assert!(
        said.contains(&order_no(43)) && said.contains("对方不认可本市报去的订单"),
        "{opened}"
    );
    assert!(orders["items"][1]["case_id"].is_null(), "{orders}");
    // What the partner collected of its customer is a claim on it, entered once its month is over, and once.
    let path = |days: i64| {
        let month = beijing(60 + days * 86_400)[..7].to_owned();
        format!("/api/v1/charging/exchange/statements/{month}")
    };
    let told = city.get(&path(0)).await;
    let row = &told["statements"][0];
    assert_eq!(
        (&row["side"], &row["agreed"]["count"], &row["due_fen"]),
        (&json!("ours"), &json!(1), &json!(1_500)),
        "{told}"
    );
    assert_eq!(row["disputed"]["count"], 1, "{told}");
    let back = 40 * 86_400 * 1_000_000_i64;
    behind_its_back(
        &city,
        format!("UPDATE exchange_orders SET ended_at = ended_at - {back}"),
    )
    .await;
    let stranger = post(&city, &format!("{}/000000000", path(40)), &Value::Null).await;
    assert_eq!(stranger.status, 404, "{}", stranger.body);
    for _ in 0..2 {
        let done = post(&city, &format!("{}/{PARTNER}", path(40)), &Value::Null).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let row = done.json()["statements"][0].clone();
        assert_eq!(
            (&row["entered_fen"], &row["due_fen"]),
            (&json!(1_500), &json!(0)),
            "{row}"
        );
    }
    let sessions = city.get("/api/v1/charging/sessions").await;
    let sessions = sessions["items"].as_array().unwrap();
    let paid = sessions.iter().find(|row| row["energy_wh"] == 10_000);
    let session = &paid.unwrap()["id"];
    let one = city
        .get(&format!("/api/v1/charging/sessions/{session}"))
        .await;
    assert_eq!(one["money"]["paid_fen"], 1_500, "{one}");
    let acts = city
        .get("/api/v1/audit?action=charging.exchange-settle")
        .await;
    assert_eq!(acts["items"].as_array().unwrap().len(), 1, "{acts}");
}

/// Changes the records behind the city's back: the clock that orders end by is the wall's.
pub async fn behind_its_back(city: &City, statement: String) {
    let path = Path::new(&city.dir).join("records.sqlite");
    let records = records::Records::open(&path).await.unwrap();
    let mut write = records.write().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();
    records.close().await;
}
