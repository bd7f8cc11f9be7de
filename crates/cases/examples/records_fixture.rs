//! Writes a fixture of the records' present shape: opens a copy of the fixture of the shape before, which
//! brings it to the present one, and opens a case in it with what the present shape is new for, all with the code that a
//! city runs.
//!
//! ```text
//! cargo run -p cases --example records_fixture -- OLD.sqlite NEW.sqlite
//! ```

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use cases::{Cases, NewCase, Options};
use model::Timestamp;
use records::open311::{self, ServiceRequest};
use records::open311_links::{self, Link};
use records::{Acting, Actor, Connection, Records};
use std::error::Error;
use std::path::PathBuf;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(old), Some(new)) = (words.next(), words.next()) else {
        return Err("name the fixture of the shape before, and the file to write".into());
    };
    // Fixtures are never changed.
    if new.exists() {
        return Err(format!("{} is there already", new.display()).into());
    }
    std::fs::copy(&old, &new)?;
    let records = Records::open(&new).await?;
    let cases = Cases::new(
        records.clone(),
        Options::new(std::env::temp_dir()),
        Vec::new(),
    )?;
    let duty = Acting {
        actor: Actor::system("fixture"),
        organisation_id: None,
        also: Vec::new(),
        permissions: vec!["case.open"],
    };
    let case = NewCase {
        title: "井盖缺失".to_owned(),
        grid: Some("429006001001001".to_owned()),
        ..NewCase::default()
    };
    let at = Timestamp::from_seconds(1_800_003_600);
    let opened = cases.open(&case, &duty, at).await?;
    let mut write = records.write().await?;
    add(&mut write, opened.case.id, at).await?;
    write.commit().await?;
    records.close().await;
    println!("{}: case {}", new.display(), opened.case.number);
    Ok(())
}

/// What shape 10 brought: a service request with the attributes of its service, which is forwarded.
async fn add(write: &mut Connection, case_id: i64, at: Timestamp) -> records::Result<()> {
    let later = Timestamp::from_seconds(1_800_032_400);
    let request = ServiceRequest {
        case_id,
        token: "t10".to_owned(),
        service_code: "0101".to_owned(),
        contact: Some("sealed".to_owned()),
        received_at: at,
        id: 0,
        endpoint: String::new(),
        remote_id: None,
        address: None,
        address_id: None,
        zipcode: None,
        media_url: None,
        attributes: Some(r#"{"COLOUR":["blue"]}"#.to_owned()),
    };
    open311::insert(write, &request).await?;
    let link = Link {
        case_id,
        peer: "province".to_owned(),
        way: open311_links::TO.to_owned(),
        state: open311_links::OPEN.to_owned(),
        service_code: "0101".to_owned(),
        reference: "jingling-1".to_owned(),
        made_at: at,
        attempts: 1,
        next_at: later,
        id: 0,
        posted_at: Some(at),
        token: None,
        remote_id: Some("638344".to_owned()),
        remote_status: Some("open".to_owned()),
        remote_notes: None,
        asked_at: Some(at),
        problem: None,
    };
    open311_links::insert(write, &link).await?;
    Ok(())
}
