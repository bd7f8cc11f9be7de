//! Writes a fixture of the records' present shape: opens a copy of the fixture of the shape before, which
//! brings it to the present one, and opens a case in it, all with the code that a city runs.
//!
//! ```text
//! cargo run -p cases --example records_fixture -- OLD.sqlite NEW.sqlite
//! ```

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use cases::{Cases, NewCase, Options};
use model::Timestamp;
use records::{Acting, Actor, Records};
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
        ..NewCase::default()
    };
    let at = Timestamp::from_seconds(1_800_003_600);
    let opened = cases.open(&case, &duty, at).await?;
    records.close().await;
    println!("{}: case {}", new.display(), opened.case.number);
    Ok(())
}
