//! Shape 20 of the database opens and keeps its rows: drivers' orders, payments, refunds, and the provider that plays one. The other
//! shapes are in files of their own.

use model::Timestamp;
use records::{Records, charging_orders as orders};

const ORDER: &str = "0f0e0d0c0b0a09080706050403020100";

#[tokio::test]
async fn shape_20_opens_with_its_orders_and_payments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v20.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let now = Timestamp::from_seconds(1_780_000_100);
    let mut write = records.write().await.unwrap();

    let order = orders::get(&mut write, ORDER).await.unwrap().unwrap();
    assert_eq!(
        (order.state.as_str(), order.account.as_str()),
        ("begun", "driver")
    );
    let again = orders::asked(&mut write, "driver", "tap-1").await.unwrap();
    assert_eq!(again.as_ref(), Some(&order));
    // The same request is no second order.
    let second = orders::ChargingOrder {
        id: "other".to_owned(),
        card: "ghi".to_owned(),
        ..order.clone()
    };
    assert!(!orders::add(&mut write, &second).await.unwrap());
    assert_eq!(orders::open_of(&mut write, "driver").await.unwrap(), 1);
    assert_eq!(
        orders::taken(&mut write).await.unwrap(),
        [("CP1".to_owned(), 1)]
    );
    // A step is taken once, and only from where it leads.
    let taken = orders::step(&mut write, ORDER, "begun", "over", None, now).await;
    assert!(taken.unwrap());
    let missed = orders::step(&mut write, ORDER, "begun", "refused", None, now).await;
    assert!(!missed.unwrap());
    assert_eq!(orders::open(&mut write, 10).await.unwrap(), []);

    let held = orders::payment(&mut write, ORDER).await.unwrap().unwrap();
    assert_eq!((held.state.as_str(), held.revision), ("held", 1));
    // Whoever read it before another changed it writes nothing.
    let changed = orders::ChargingPayment {
        revision: 2,
        state: "open".to_owned(),
        ..held.clone()
    };
    assert!(orders::put_payment(&mut write, &changed).await.unwrap());
    assert!(!orders::put_payment(&mut write, &changed).await.unwrap());
    assert_eq!(
        orders::open_payments(&mut write, 10).await.unwrap(),
        [ORDER]
    );
    let paid = orders::payments_for(&mut write, "CP1/7").await.unwrap();
    assert_eq!(paid[0].id, "p-1");
    let refund = orders::refund(&mut write, "CP1/7", "1").await.unwrap();
    assert_eq!(refund.unwrap().fen, 300);
    assert_eq!(
        orders::open_refunds(&mut write, 10).await.unwrap(),
        [("CP1/7".to_owned(), "1".to_owned())]
    );
    // The bill of the card of shape 19, of which nothing was paid.
    assert_eq!(orders::owed(&mut write, "driver-1").await.unwrap(), 3_300);
    let others = orders::other_sessions(
        &mut write,
        "driver-1",
        Timestamp::from_seconds(4_000_000_000),
        10,
    )
    .await;
    assert_eq!(others.unwrap(), [1]);
    assert_eq!(
        orders::cases_of(&mut write, 1).await.unwrap(),
        [("complaint".to_owned(), 3)]
    );
    let key = format!("hold-1:{ORDER}");
    assert!(
        orders::sandbox_answer(&mut write, &key)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        orders::sandbox_order(&mut write, ORDER)
            .await
            .unwrap()
            .is_some()
    );
}
