//! Shape 17 of the database opens and keeps its rows: disputes of forms, numbers of documents, files that prove figures. The shapes
//! before it are in `shapes.rs`.

use model::Timestamp;
use records::{Records, filing_files, form_disputes, form_returns, plan_numbers};

#[tokio::test]
async fn shape_17_opens_with_its_disputes_numbers_and_proofs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(&path, include_bytes!("../fixtures/records-v17.sqlite")).unwrap();
    let records = Records::open(&path).await.unwrap();
    assert_eq!(records.check().await.unwrap(), []);
    let mut write = records.write().await.unwrap();
    // A dispute stands with its case and with the answer that was given there.
    let found = form_disputes::of_division(&mut write, "429006001").await;
    let found = found.unwrap();
    let [dispute] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (&dispute.shown, &dispute.stated),
        (&serde_json::json!(2.0), &serde_json::json!(3.0))
    );
    assert_eq!(dispute.state, "handled");
    assert_eq!(dispute.answer.as_deref(), Some("漏登一个，已补登"));
    assert_eq!(form_disputes::list(&mut write).await.unwrap(), found);
    let of_case = form_disputes::of_case(&mut write, dispute.case_id).await;
    assert_eq!(of_case.unwrap().as_ref(), Some(dispute));
    let values =
        form_returns::latest_values(&mut write, "town-charging", Some("town-streetlights")).await;
    let values = values.unwrap();
    assert!(
        values.iter().any(|v| v.disputed == Some(dispute.case_id)),
        "{values:?}"
    );
    let earlier = form_returns::Key {
        form: "town-charging",
        period: "2025",
        division_code: "429006001",
    };
    let earlier = form_returns::before(&mut write, &earlier).await.unwrap();
    assert_eq!(earlier.unwrap().period, "2024");
    // A number is given once, whether it is void or not.
    let actor = records::Actor::system("test");
    let now = Timestamp::from_seconds(1_800_000_100);
    let rows = plan_numbers::of_year(&mut write, 2027).await.unwrap();
    assert_eq!(rows.iter().map(|n| n.number).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(rows[0].voided_why.as_deref(), Some("数据更正"));
    assert!(
        !plan_numbers::void(&mut write, rows[0].id, "再作废", &actor, now)
            .await
            .unwrap()
    );
    let files = plan_numbers::files_of_year(&mut write, 2027).await.unwrap();
    assert_eq!((files.len(), files[0].number_id), (1, rows[1].id));
    let checked = plan_numbers::files_after(&mut write, files[0].id, 9).await;
    assert_eq!(checked.unwrap(), []);
    assert_eq!(plan_numbers::last(&mut write, 2027).await.unwrap(), 3);
    assert_eq!(plan_numbers::last(&mut write, 2028).await.unwrap(), 0);
    assert_eq!(plan_numbers::years(&mut write).await.unwrap(), [2027]);
    let proofs = filing_files::of_filing(&mut write, 3).await.unwrap();
    assert_eq!(proofs[0].name, "年报.pdf");
    let new = plan_numbers::NewNumber {
        year: 2027,
        number: 3,
        name: "天门新基建办〔2027〕3号",
        kind: "circular",
        period: "2027-02",
        plan: None,
        language: "zh-CN",
        title: "通报",
    };
    let twice = plan_numbers::give(&mut write, &new, &[], &actor, now).await;
    assert!(twice.is_err(), "{twice:?}");
}
