//! Shape 18 of the database opens and keeps its rows: bookings. The other shapes are in files of their own.

use records::{Records, bookings};

#[tokio::test]
async fn shape_18_opens_with_its_bookings() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v18.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let declared = bookings::declared(&mut write).await.unwrap();
    let ids: Vec<&str> = declared.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["station"]);
    let one = bookings::get(&mut write, 1).await.unwrap().unwrap();
    assert_eq!(
        (one.state.as_str(), one.slot_id.as_deref(), one.places),
        ("held", Some("s"), 1)
    );
    let steps = bookings::steps(&mut write, 1).await.unwrap();
    let steps: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(steps, ["hold"]);
    let key = ("person:p0-0".to_owned(), "p0-0".to_owned());
    assert_eq!(bookings::keys(&mut write, &[key]).await.unwrap().len(), 1);
    // A second writer ends the first one's.
    let first = bookings::take_over(&mut write).await.unwrap();
    let second = bookings::take_over(&mut write).await.unwrap();
    assert!(bookings::must_be_writer(&mut write, second).await.is_ok());
    let refused = bookings::must_be_writer(&mut write, first).await;
    assert_eq!(
        refused.unwrap_err().problem().unwrap().code,
        "booking-second-writer"
    );
}
