//! A million cases on SQLite, and how long lists, filters and the board take: what `bench/cases/run` measures.
//!
//! ```text
//! cargo run --release -p cases --example million -- FILE.sqlite [CASES] [ROUNDS]
//! ```
//! The file is made when it is not there. One line of JSON for each question: its name, and the median and the slowest of the
//! rounds in milliseconds.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use cases::{Cases, Options, Workflow};
use model::Timestamp;
use records::cases::{Case, CaseEvent, CaseFilter, Order, insert, insert_event};
use records::organisations::{self, Organisation};
use records::{PageRequest, Records, Result};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

const BATCH: i64 = 20_000;
const ORGANISATIONS: i64 = 40;
const NOW: Timestamp = Timestamp::from_seconds(1_795_392_000);
const WHAT: [&str; 8] = [
    "井盖缺失",
    "路灯不亮",
    "占道经营",
    "垃圾满溢",
    "道路破损",
    "雨水箅子堵塞",
    "违规张贴",
    "绿化带损坏",
];
const WHERE: [&str; 6] = [
    "竟陵大道",
    "人民大道",
    "陆羽大道",
    "状元路",
    "钟惺大道",
    "东湖路",
];
const OPEN: [&str; 6] = [
    "collected",
    "filed",
    "dispatched",
    "handling",
    "handled",
    "verified",
];

/// One in ten is open, as in a city that has run for years.
fn case(n: i64) -> Case {
    let at = |k: usize, of: i64| {
        usize::try_from((n * 31 + n / 7 + i64::try_from(k).unwrap_or(0)) % of).unwrap_or(0)
    };
    let open = n % 10 == 0;
    let created_at = NOW.plus_seconds((n - 1_000_000) * 60);
    let state = if open { OPEN[at(0, 6) % 6] } else { "closed" };
    let minutes = (n * 7_919) % 6_000;
    Case {
        id: 0,
        number: format!("TM-{n:08}"),
        title: format!("{}{}", WHERE[at(1, 6) % 6], WHAT[at(2, 8) % 8]),
        description: format!("{}号门前，市民反映", n % 997),
        workflow: ["city-case", "city-management", "flood-case"][at(4, 3) % 3].to_owned(),
        workflow_version: 0,
        state: state.to_owned(),
        severity: ["minor", "major", "info", "critical"][at(3, 4) % 4].to_owned(),
        alert_id: None,
        entity_id: None,
        lon: Some(113.0 + f64::from(i32::try_from(n % 6_007).unwrap_or(0)) / 15_000.0),
        lat: Some(30.5 + f64::from(i32::try_from(n % 5_003).unwrap_or(0)) / 15_000.0),
        organisation_id: Some(format!("o{}", n % ORGANISATIONS)),
        assignee_id: None,
        created_at,
        created_by: "bench".to_owned(),
        created_by_id: None,
        updated_at: created_at,
        due_at: open.then(|| NOW.plus_seconds((minutes - 600) * 60)),
        closed_at: (!open).then(|| created_at.plus_seconds(minutes * 60)),
        version: 1,
        category: Some(format!("01{:02}", n % 40)),
        town: Some(format!("4290060{:02}", n % 26)),
        grid: Some(format!("4290060{:02}001{:03}", n % 26, n % 200)),
        source: "staff".to_owned(),
        reporter: None,
        reporters: 1,
        parent_id: None,
        duplicate_of: None,
        case_due_at: Some(created_at.plus_seconds(259_200)),
        extension_minutes: None,
        extensions: 0,
        supervised_until: None,
        suspended_at: None,
        suspended_until: None,
        escalation: 0,
        escalates_at: None,
        reopened: 0,
    }
}

fn event(case: &Case, action: &str, from: Option<&str>, to: &str, at: Timestamp) -> CaseEvent {
    CaseEvent {
        id: 0,
        case_id: case.id,
        at,
        actor: "bench".to_owned(),
        actor_id: None,
        action: action.to_owned(),
        from_state: from.map(str::to_owned),
        to_state: to.to_owned(),
        note: None,
        organisation_id: case
            .organisation_id
            .clone()
            .filter(|_| action == "dispatch"),
        assignee_id: None,
        late: false,
        due_at: None,
        case_due_at: case.case_due_at,
        detail: None,
        request_id: None,
    }
}

async fn make(records: &Records, count: i64) -> Result<()> {
    let mut write = records.write().await?;
    for n in 0..ORGANISATIONS {
        let id = format!("o{n}");
        organisations::upsert(&mut write, &Organisation::department(&id, &id, &id)).await?;
    }
    write.commit().await?;
    let mut n = 0;
    while n < count {
        let mut write = records.write().await?;
        for k in n..count.min(n + BATCH) {
            let case = insert(&mut write, &case(k)).await?;
            let opened = case.created_at;
            insert_event(&mut write, &event(&case, "open", None, "collected", opened)).await?;
            let sent = event(
                &case,
                "dispatch",
                Some("collected"),
                "dispatched",
                opened.plus_seconds(60),
            );
            insert_event(&mut write, &sent).await?;
            if let Some(at) = case.closed_at {
                insert_event(
                    &mut write,
                    &event(&case, "close", Some("verified"), "closed", at),
                )
                .await?;
            }
        }
        write.commit().await?;
        n += BATCH;
    }
    Ok(())
}

/// The workflows beside the standard one, as packs bring them.
fn others() -> std::result::Result<Vec<Workflow>, Box<dyn Error>> {
    let read = |text, file| {
        Workflow::parse(text, file).map_err(|problems| format!("{file}: {problems:?}"))
    };
    Ok(vec![
        Workflow {
            // The city's calendars are no part of this.
            calendar: model::calendar::ALWAYS.to_owned(),
            ..read(
                include_str!("../../../packs/pack-citymanagement/workflows/city-management.toml"),
                "city-management.toml",
            )?
        },
        read(
            include_str!("../../../packs/pack-water/workflows/flood-case.toml"),
            "flood-case.toml",
        )?,
    ])
}

fn filter(change: impl FnOnce(&mut CaseFilter)) -> CaseFilter {
    let mut filter = CaseFilter::default();
    change(&mut filter);
    filter
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let Some(path) = words.next().map(PathBuf::from) else {
        return Err("name the file to make".into());
    };
    let count: i64 = words.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let rounds: usize = words.next().map_or(Ok(15), |text| text.parse())?;
    let is_new = !path.exists();
    let records = Records::open(&path).await?;
    let began = Instant::now();
    if is_new {
        make(&records, count).await?;
        println!(
            "{{\"made\":{count},\"seconds\":{:.0}}}",
            began.elapsed().as_secs_f64()
        );
    }
    let options = Options::new(std::env::temp_dir());
    let cases = Cases::new(records.clone(), options, others()?)?;
    let lists: Vec<(&str, CaseFilter)> = vec![
        ("list", CaseFilter::default()),
        ("list, open", filter(|f| f.open = Some(true))),
        (
            "filter, state",
            filter(|f| f.state = Some("handling".to_owned())),
        ),
        (
            "filter, organisation",
            filter(|f| f.organisation_id = Some("o7".to_owned())),
        ),
        (
            "filter, town",
            filter(|f| f.town = Some("429006011".to_owned())),
        ),
        (
            "filter, severity",
            filter(|f| f.severity = Some("critical".to_owned())),
        ),
        (
            "filter, period",
            filter(|f| {
                f.from = Some(NOW.plus_seconds(-30_000_000));
                f.until = Some(NOW.plus_seconds(-29_900_000));
            }),
        ),
        (
            "filter, overdue",
            filter(|f| {
                f.overdue_at = Some(NOW);
                f.order = Order::Urgent;
            }),
        ),
        (
            "filter, overdue of an organisation and a state",
            filter(|f| {
                f.overdue_at = Some(NOW);
                f.order = Order::Urgent;
                f.organisation_id = Some("o10".to_owned());
                f.state = Some("handling".to_owned());
            }),
        ),
        (
            "filter, state and town",
            filter(|f| {
                f.state = Some("handling".to_owned());
                f.town = Some("429006010".to_owned());
            }),
        ),
        ("text, common", filter(|f| f.text = Some("井盖".to_owned()))),
        (
            "text, one case",
            filter(|f| f.text = Some("TM-00123456".to_owned())),
        ),
        (
            "text, none",
            filter(|f| f.text = Some("恐龙化石".to_owned())),
        ),
        (
            "text of an organisation, open",
            filter(|f| {
                f.text = Some("路灯不亮".to_owned());
                f.organisation_id = Some("o10".to_owned());
                f.open = Some(true);
            }),
        ),
    ];
    let mut worst = 0.0_f64;
    for (name, filter) in &lists {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let began = Instant::now();
            cases.list(filter, &PageRequest::default()).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        worst = worst.max(say(name, times));
    }
    for (name, workflow, filter) in [
        ("board", None, CaseFilter::default()),
        (
            "board of an organisation",
            None,
            filter(|f| f.organisation_id = Some("o10".to_owned())),
        ),
        (
            "board of a workflow",
            Some("flood-case"),
            CaseFilter::default(),
        ),
        (
            "board, text",
            None,
            filter(|f| f.text = Some("路灯不亮".to_owned())),
        ),
    ] {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let began = Instant::now();
            cases.board(workflow, &filter, NOW).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        worst = worst.max(say(name, times));
    }
    // The column in which most cases stand, page after page.
    for (name, text) in [
        ("next page of a column", None),
        ("next page of a column, text", Some("路灯不亮")),
    ] {
        let mut handled = filter(|f| f.order = Order::Urgent);
        handled.text = text.map(str::to_owned);
        handled.places = Some(cases.places_of(cases::Step::Handle).await?);
        let (mut times, mut after) = (Vec::new(), None);
        for _ in 0..rounds {
            let began = Instant::now();
            let page = PageRequest { after, limit: None };
            after = cases.list(&handled, &page).await?.next;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        worst = worst.max(say(name, times));
    }
    let like = cases::Like {
        location: [113.2, 30.7],
        category: None,
        except: None,
        at: NOW,
    };
    let mut times = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        cases.similar(&like).await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    worst = worst.max(say("near a place", times));
    println!("{{\"worst_ms\":{worst:.1}}}");
    records.close().await;
    Ok(())
}

/// Says the median and the slowest; answers the slowest.
fn say(name: &str, mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let slowest = times.last().copied().unwrap_or_default();
    println!("{{\"question\":\"{name}\",\"median_ms\":{median:.1},\"slowest_ms\":{slowest:.1}}}");
    slowest
}
