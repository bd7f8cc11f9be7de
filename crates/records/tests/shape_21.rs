//! Shape 21 of the database opens and keeps its rows: the exchange of charging. The other shapes are in files of their own.

use model::Timestamp;
use records::{PageRequest, Records, exchange};

#[tokio::test]
async fn shape_21_opens_with_its_exchange() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v21.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let (partner, number) = ("123456789", "123456789000000000000000001");
    let order = exchange::order(&mut write, partner, number).await.unwrap();
    let mut order = order.unwrap();
    assert_eq!(
        (order.side.as_str(), order.energy_wh, order.confirm_result),
        (exchange::THEIRS, Some(12_345), Some(0))
    );
    // The same number is no second order, and what is written over it is the same row.
    assert!(!exchange::add_order(&mut write, &order).await.unwrap());
    order.confirm_result = Some(1);
    exchange::set_order(&mut write, &order).await.unwrap();
    let disputed = exchange::Wanted {
        partner: Some(partner),
        is_disputed: true,
    };
    let first = PageRequest::default();
    let page = exchange::orders(&mut write, &disputed, &first);
    assert_eq!(page.await.unwrap().items, [order.clone()]);
    let counts = exchange::counts(&mut write).await.unwrap();
    assert_eq!((counts[0].orders, counts[0].disputed), (1, 1));
    let ended = order.ended_at.unwrap();
    let within = exchange::settled_within(&mut write, partner, (ended, ended), 10);
    assert_eq!(within.await.unwrap().len(), 1);
    // A notice is told once: the same kind again is no second one.
    let later = Timestamp::from_seconds(1_900_000_000);
    let due = exchange::due(&mut write, partner, later, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    let mut notice = due[0].clone();
    exchange::add_notice(&mut write, &notice).await.unwrap();
    assert_eq!(
        exchange::notice_counts(&mut write).await.unwrap()[0].notices,
        1
    );
    notice.state = exchange::DONE.to_owned();
    exchange::set_notice(&mut write, &notice).await.unwrap();
    let none = exchange::due(&mut write, partner, later, 10).await.unwrap();
    assert_eq!(none, []);
    assert_eq!(
        exchange::forget_notices(&mut write, later, 10)
            .await
            .unwrap(),
        1
    );
    // A comparison made again keeps its case.
    let mut compared = exchange::comparisons(&mut write, true, 10).await.unwrap();
    let mut row = compared.remove(0);
    assert_eq!((row.case_id, row.difference_count), (Some(1), 1));
    row.case_id = None;
    exchange::put_comparison(&mut write, &row).await.unwrap();
    let time = (row.from_at, row.until_at);
    let again = exchange::comparison(&mut write, partner, time)
        .await
        .unwrap();
    assert_eq!(again.unwrap().case_id, Some(1));
    let known = exchange::partners(&mut write).await.unwrap();
    assert_eq!(known[0].partner, partner);
}
