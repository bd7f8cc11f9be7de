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
use records::attachments::{self, Attachment};
use records::duty::{self, Pattern, Turn};
use records::duty_acts::{self, Contact, HandOver};
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

/// What shapes 9 and 10 brought: a roster with a hand-over and a contact, a service request with the attributes of its service, which
/// is forwarded, a voice note.
async fn add(write: &mut Connection, case_id: i64, at: Timestamp) -> records::Result<()> {
    let water = || "water".to_owned();
    let later = Timestamp::from_seconds(1_800_032_400);
    let pattern = Pattern {
        organisation_id: water(),
        title_zh: "白班".to_owned(),
        title_en: "Day".to_owned(),
        from_minute: 480,
        until_minute: 1_080,
        id: 0,
        disabled: false,
    };
    let pattern = duty::add_pattern(write, &pattern).await?;
    let turn = Turn {
        organisation_id: water(),
        pattern_id: pattern.id,
        day: "2027-01-15".to_owned(),
        post: "值班员".to_owned(),
        user_id: 1,
        from_at: at,
        until_at: later,
        made_at: at,
        made_by: "li.si".to_owned(),
        id: 0,
    };
    duty::add_turn(write, &turn).await?;
    let hand_over = HandOver {
        organisation_id: water(),
        pattern_id: pattern.id,
        day: turn.day,
        from_at: at,
        until_at: later,
        notes: "三号泵已停".to_owned(),
        outgoing_id: 1,
        outgoing: "li.si".to_owned(),
        written_at: later,
        id: 0,
        attached: serde_json::json!({}),
        incoming_id: None,
        incoming: None,
        signed_at: None,
        remark: None,
    };
    duty_acts::add_hand_over(write, &hand_over).await?;
    let contact = Contact {
        organisation_id: water(),
        key: "c1".to_owned(),
        name: "泵站".to_owned(),
        sealed: "sealed".to_owned(),
        shown: "138****0001".to_owned(),
        made_at: at,
        made_by: "li.si".to_owned(),
        id: 0,
        unit: String::new(),
        title: String::new(),
    };
    duty_acts::add_contact(write, &contact).await?;
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
    let note = Attachment {
        case_id,
        name: "voice.webm".to_owned(),
        media_type: "audio/webm".to_owned(),
        size_bytes: 4,
        uploaded_at: at,
        uploaded_by: "li.si".to_owned(),
        kind: "voice".to_owned(),
        duration_ms: Some(1_500),
        id: 0,
        event_id: None,
        sha256: String::new(),
        taken_at: None,
        lon: None,
        lat: None,
        clock_off_s: None,
        accuracy_m: None,
        signer: None,
        signer_capacity: None,
        signed_how: None,
    };
    attachments::insert(write, &note).await?;
    Ok(())
}
