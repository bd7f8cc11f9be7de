//! Shape 22 of the database opens and keeps its rows: invoices of charging, and the case of an order's dispute. The other shapes are in files
//! of their own.

use records::charging_invoices as invoices;
use records::{PageRequest, Records, exchange};

const BILL: &str = "CP1/7";

#[tokio::test]
async fn shape_22_opens_with_its_invoices() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v22.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    let seller = invoices::seller(&mut write, "city").await.unwrap().unwrap();
    assert!(seller.body.contains("竟陵充电有限公司"));
    assert_eq!(invoices::sellers(&mut write).await.unwrap(), [seller]);

    let asked = invoices::asked(&mut write, "driver", "tap-1")
        .await
        .unwrap();
    let issued = asked.unwrap();
    assert_eq!(
        (issued.id, issued.state.as_str(), issued.gross_fen),
        (1, invoices::ISSUED, 3_300)
    );
    let number = issued.number.clone().unwrap();
    let found = invoices::numbered(&mut write, &number).await;
    assert_eq!(found.unwrap(), Some(1));
    // A bill stands on one invoice only, until it is let go.
    assert!(!invoices::put_bill(&mut write, BILL, 2).await.unwrap());
    let stands = invoices::of_bill(&mut write, BILL).await;
    assert_eq!(stands.unwrap(), Some(1));
    let first = PageRequest::default();
    let wanted = |state| invoices::Wanted {
        account: Some("driver"),
        state,
        is_changed: false,
    };
    let all = invoices::list(&mut write, &wanted(None), &first).await;
    let ids: Vec<i64> = all.unwrap().items.iter().map(|row| row.id).collect();
    assert_eq!(ids, [2, 1]);
    let declined = invoices::list(&mut write, &wanted(Some(invoices::DECLINED)), &first).await;
    assert_eq!(declined.unwrap().items[0].note.as_deref(), Some("抬头不对"));
    // Nothing of its bill was paid, as this database has it: the invoice stands for another sum.
    assert_eq!(invoices::left(&mut write, 1).await.unwrap(), 0);
    let changed = invoices::Wanted {
        is_changed: true,
        ..invoices::Wanted::default()
    };
    let changed = invoices::list(&mut write, &changed, &first).await.unwrap();
    assert_eq!(changed.items, std::slice::from_ref(&issued));
    // A step is taken once, and only from where it leads.
    let reversed = invoices::ChargingInvoice {
        state: invoices::REVERSED.to_owned(),
        red_number: Some("26422000000000000002".to_owned()),
        ..issued
    };
    let missed = invoices::step(&mut write, invoices::ASKED, &reversed).await;
    assert!(!missed.unwrap());
    let taken = invoices::step(&mut write, invoices::ISSUED, &reversed).await;
    assert!(taken.unwrap());
    invoices::free_bills(&mut write, 1).await.unwrap();
    assert!(invoices::put_bill(&mut write, BILL, 2).await.unwrap());
    let mut next = reversed.clone();
    (next.number, next.red_number, next.replaces) = (None, None, Some(1));
    next.request_key = "red-1".to_owned();
    assert_eq!(invoices::add(&mut write, &next).await.unwrap(), 3);

    // The case of a dispute is kept once.
    let (partner, order) = ("123456789", "123456789000000000000000001");
    let known = exchange::order(&mut write, partner, order).await.unwrap();
    assert_eq!(known.unwrap().case_id, Some(1));
    exchange::set_order_case(&mut write, (partner, order), 2)
        .await
        .unwrap();
    let known = exchange::order(&mut write, partner, order).await.unwrap();
    let known = known.unwrap();
    assert_eq!(known.case_id, Some(1));
    let ended = known.ended_at.unwrap();
    let span = (ended, ended.plus_seconds(1));
    let partners = exchange::partners_within(&mut write, span).await;
    assert_eq!(partners.unwrap(), [partner]);
    // It is of a station of theirs: nothing of it is entered.
    let entered = exchange::entered_within(&mut write, partner, span, "exchange").await;
    assert_eq!(entered.unwrap(), Vec::<String>::new());
}
