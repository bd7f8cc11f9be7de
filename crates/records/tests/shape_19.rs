//! Shape 19 of the database opens and keeps its rows: charging. The other shapes are in files of their own.

use model::Timestamp;
use records::{PageRequest, Records, charging};

#[tokio::test]
async fn shape_19_opens_with_its_charges() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v19.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let told = charging::events(&mut write, "CP1", "7").await.unwrap();
    let kinds: Vec<&str> = told.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["started", "ended"]);
    // The same told again is no second row.
    charging::put_events(&mut write, &told).await.unwrap();
    assert_eq!(
        charging::events(&mut write, "CP1", "7").await.unwrap(),
        told
    );
    let number = charging::start_number(&mut write, "CP1", "1/0/1000/CARD").await;
    assert_eq!(number.unwrap(), Some(7));
    assert!(
        !charging::put_start(&mut write, "CP2", "other", 7)
            .await
            .unwrap()
    );
    let (filter, page) = (charging::Filter::default(), PageRequest::default());
    let all = charging::list(&mut write, &filter, &page).await.unwrap();
    let session = all.items[0].clone();
    assert_eq!(
        (session.state.as_str(), session.energy_wh, session.total_fen),
        ("billed", 22_000, Some(3_300))
    );
    // Written anew it is the same row.
    charging::put_sessions(&mut write, std::slice::from_ref(&session))
        .await
        .unwrap();
    let again = charging::session(&mut write, "CP1", "7").await.unwrap();
    assert_eq!(again.as_ref(), Some(&session));
    let balances = charging::balances(&mut write, "income").await.unwrap();
    assert_eq!(
        (balances[0].account.as_str(), balances[0].fen),
        ("income:city", -3_300)
    );
    let money = charging::money(&mut write, "CP1/7").await.unwrap().unwrap();
    assert_eq!((money.billed_fen, money.paid_fen), (3_300, 0));
    assert_eq!(charging::tariffs(&mut write).await.unwrap().len(), 1);
    let card = charging::card(&mut write, "abc").await.unwrap().unwrap();
    assert_eq!((card.holder.as_str(), card.is_blocked), ("driver-1", false));
    // What was told long ago is given up once; the bill stays.
    let later = Timestamp::from_seconds(1_900_000_000);
    assert_eq!(
        charging::forget_events(&mut write, later, 10)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        charging::forget_events(&mut write, later, 10)
            .await
            .unwrap(),
        0
    );
    assert_eq!(charging::events(&mut write, "CP1", "7").await.unwrap(), []);
    // A second writer ends the first one's.
    let first = charging::take_over(&mut write).await.unwrap();
    let second = charging::take_over(&mut write).await.unwrap();
    assert!(charging::must_be_writer(&mut write, second).await.is_ok());
    let refused = charging::must_be_writer(&mut write, first).await;
    assert_eq!(
        refused.unwrap_err().problem().unwrap().code,
        "charging-second-writer"
    );
}
