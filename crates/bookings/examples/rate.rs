//! How many reservations a second one resource takes, durably: many who ask at once, each for themselves and each with a key of their own,
//! through the one writer into a records file with every commit synced. Prints one JSON object.
//!
//! ```text
//! cargo run --release -p bookings --example rate -- FOLDER CLIENTS SECONDS CAPACITY
//! ```

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use bookings::{
    Answer, By, Clerk, Command, Durable, Limits, Offer, Policy, Request, Resource, Slot, When,
};
use model::Timestamp;
use records::Records;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, clients, seconds, capacity] = words.as_slice() else {
        return Err("FOLDER CLIENTS SECONDS CAPACITY".into());
    };
    let path = PathBuf::from(folder).join("records.sqlite");
    let (clients, seconds): (u32, u64) = (clients.parse()?, seconds.parse()?);
    let capacity: u32 = capacity.parse()?;
    let records = Records::open(&path).await?;
    let (window, clerk) = Clerk::new(Durable::new(records.clone()), Limits::default());
    tokio::spawn(clerk.run());
    let begins = now().plus_seconds(3_600);
    let slot = Slot {
        id: "s".to_owned(),
        from: begins,
        to: begins.plus_seconds(3_600),
        capacity,
        quotas: std::collections::BTreeMap::new(),
    };
    let resource = Resource {
        id: "station".to_owned(),
        group: "stations".to_owned(),
        open: true,
        offer: Offer::Slots(vec![slot]),
        policy: Policy::default(),
    };
    let declare = Request {
        key: None,
        by: By::System,
        command: Command::Declare(resource),
    };
    window.ask(declare, now()).await?;
    let ends = Instant::now() + Duration::from_secs(seconds);
    let began = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for client in 0..clients {
        let window = window.clone();
        asking.spawn(async move {
            let mut waits = Vec::new();
            let (mut got, mut refused) = (0_u64, 0_u64);
            while Instant::now() < ends {
                let person = format!("p{client}-{}", got + refused);
                let request = Request {
                    key: Some(person.clone()),
                    by: By::Person(person.clone()),
                    command: Command::Hold {
                        resource: "station".to_owned(),
                        when: When::Slot("s".to_owned()),
                        person,
                        class: String::new(),
                        places: 1,
                        wait: false,
                    },
                };
                let asked = Instant::now();
                match window.ask(request, now()).await {
                    Ok(Answer::Reservation(_)) => {
                        got += 1;
                        waits.push(asked.elapsed());
                    }
                    _ => refused += 1,
                }
            }
            (got, refused, waits)
        });
    }
    let (mut got, mut refused, mut waits) = (0, 0, Vec::new());
    for (some, other, its) in asking.join_all().await {
        got += some;
        refused += other;
        waits.extend(its);
    }
    let took = began.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |part: f64| {
        let n = (waits.len() as f64 * part) as usize;
        waits
            .get(n.min(waits.len().saturating_sub(1)))
            .map_or(0.0, |wait| wait.as_secs_f64() * 1_000.0)
    };
    let kept = records.row_counts().await?["bookings"];
    let said = serde_json::json!({
        "reservations": got, "refused": refused, "seconds": took, "per_second": got as f64 / took,
        "median_ms": at(0.5), "p99_ms": at(0.99), "rows": kept, "commits": records.commits(),
    });
    println!("{said}");
    if kept != got || got > u64::from(capacity) {
        return Err(format!("{got} were told, {kept} are on the disk, {capacity} places").into());
    }
    Ok(())
}
