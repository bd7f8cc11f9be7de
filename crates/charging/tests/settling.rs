//! Settlement, reconciliation and invoices, on figures reckoned by hand.

use crate::common::at;
use charging::books::Books;
use charging::invoice::{Buyer, Invoiced, Seller, Taxed, invoice};
use charging::reconcile::{DifferenceKind, Row, Theirs, Tolerance, Totals, compare};
use charging::settle::{Parts, Settled, Shares, settle};
use charging::{Account, Entry, Fen, LineKind, Memory, Posted, Wh};
use jiff::civil::{Date, date};

fn parts(energy: i64, service: i64, parking: i64, idle: i64) -> Parts {
    Parts {
        energy: Fen(energy),
        service: Fen(service),
        parking: Fen(parking),
        idle: Fen(idle),
    }
}

fn settled(bill: &str, day: Date, home: &str, parts: Parts) -> Settled {
    Settled {
        bill: bill.to_owned(),
        day,
        operator: "A".to_owned(),
        home: home.to_owned(),
        energy: Wh(10_000),
        parts,
    }
}

const MARCH: [Date; 2] = [date(2026, 3, 1), date(2026, 3, 31)];

#[test]
fn what_moved_in_a_period_is_what_was_kept_after_it_less_what_was_kept_before() {
    // Of 10 + 6 yuan, nothing was paid before; all of it in the period.
    let whole = parts(1_000, 600, 0, 0);
    assert_eq!(whole.moved(Fen(0), Fen(1_600)), Some(whole));
    // Then 700 fen went back: all of the service, and 100 of the electricity.
    let back = whole.moved(Fen(1_600), Fen(900));
    assert_eq!(back, Some(parts(-100, -600, 0, 0)));
    // A part of it, paid before: electricity first, as a refund takes it last.
    let rest = whole.moved(Fen(1_000), Fen(1_600));
    assert_eq!(rest, Some(parts(0, 600, 0, 0)));
    assert_eq!(whole.moved(Fen(0), Fen(1_601)), None);
    // A month in which only that refund fell is negative, and is booked the other way round.
    let bill = settled("1", date(2026, 3, 2), "B", back.unwrap());
    let shares = |_: &str, _: &str| {
        Some(Shares {
            energy: 0,
            service: 1_000,
            time: 0,
        })
    };
    let statement = settle(&[bill], MARCH, shares).unwrap().remove(0);
    assert_eq!((statement.share, statement.due), (Fen(-60), Fen(-640)));
    let mut books = Memory::default();
    let entry = statement.entry(at("2026-04-01T09:00:00")).unwrap();
    assert_eq!(books.post(&entry).unwrap(), Posted::Now);
    assert_eq!(books.balance(&Account::Payable("A".to_owned())), Fen(640));
}

#[test]
fn shares_are_rounded_once_for_the_period() {
    // Three times 33 fen of service at 5 %: 4.95 fen, so 5; each alone would be 2 (1.65), together 6.
    let bills: Vec<Settled> = ["1", "2", "3"]
        .iter()
        .map(|id| settled(id, date(2026, 3, 31), "B", parts(600, 33, 0, 100)))
        .collect();
    let mut given = bills.clone();
    given.push(bills[0].clone());
    given.push(settled("4", date(2026, 4, 1), "B", parts(1, 1, 1, 1)));
    given.push(settled("5", date(2026, 3, 1), "A", parts(500, 0, 0, 0)));
    let shares = |_: &str, _: &str| {
        Some(Shares {
            energy: 0,
            service: 500,
            time: 5_000,
        })
    };
    let statements = settle(&given, MARCH, shares).unwrap();
    assert_eq!(statements.len(), 2);
    let (own, other) = (&statements[0], &statements[1]);
    assert_eq!(
        (own.home.as_str(), own.share, own.due),
        ("A", Fen::ZERO, Fen(500))
    );
    assert_eq!(
        (other.count, other.energy, other.parts.total()),
        (3, Wh(30_000), Fen(2_199))
    );
    assert_eq!((other.share, other.due), (Fen(155), Fen(2_044)));

    let mut books = Memory::default();
    for (bill, fen) in [("1", 733), ("2", 733), ("3", 733), ("5", 500)] {
        books
            .post(&Entry::billed(
                bill,
                "d",
                "A",
                Fen(fen),
                at("2026-03-31T12:00:00"),
            ))
            .unwrap();
    }
    for _ in 0..2 {
        for statement in &statements {
            books
                .post(&statement.entry(at("2026-04-01T00:00:00")).unwrap())
                .unwrap();
        }
    }
    assert_eq!(books.balance(&Account::Income("A".into())), Fen::ZERO);
    assert_eq!(books.balance(&Account::Payable("A".into())), Fen(-2_544));
    assert_eq!(books.balance(&Account::Payable("B".into())), Fen(-155));
    let again = statements[0].entry(at("2026-04-02T00:00:00")).unwrap();
    assert_eq!(books.post(&again).unwrap(), Posted::Before);

    assert_eq!(
        settle(&given, MARCH, |_, _| None).unwrap_err().code,
        "settle-pair"
    );
    let more = |_: &str, _: &str| {
        Some(Shares {
            energy: 10_001,
            service: 0,
            time: 0,
        })
    };
    assert_eq!(
        settle(&given, MARCH, more).unwrap_err().code,
        "settle-share"
    );
    given.push(settled("1", date(2026, 3, 31), "B", parts(601, 33, 0, 100)));
    assert_eq!(
        settle(&given, MARCH, shares).unwrap_err().code,
        "settle-bill"
    );
}

#[test]
fn a_refund_takes_from_service_first() {
    let whole = parts(600, 200, 50, 30);
    assert_eq!(whole.less(Fen(0)), Some(whole));
    assert_eq!(whole.less(Fen(215)), Some(parts(600, 0, 50, 15)));
    assert_eq!(whole.less(Fen(300)), Some(parts(580, 0, 0, 0)));
    assert_eq!(whole.less(Fen(880)), Some(parts(0, 0, 0, 0)));
    assert_eq!(whole.less(Fen(881)), None);
    assert_eq!(whole.less(Fen(-1)), None);
}

#[test]
fn differences_are_named_once() {
    let row = |order: &str, energy, money| Row {
        order: order.to_owned(),
        energy: Wh(energy),
        money: Fen(money),
    };
    let ours = [
        row("a", 10_004, 1_000),
        row("b", 20_000, 2_000),
        row("c", 5_000, 500),
        row("d", 1, 1),
        row("d", 1, 1),
    ];
    let listed = vec![
        row("a", 10_000, 1_000),
        row("b", 20_010, 2_001),
        row("e", 7_000, 700),
        row("e", 7_000, 700),
    ];
    let theirs = Theirs {
        totals: Totals {
            count: 4,
            energy: Wh(44_010),
            money: Fen(4_402),
        },
        rows: Some(listed),
    };
    let day = date(2026, 3, 10);
    let compared = compare("partner", day, &ours, &theirs, Tolerance::default());
    let found: Vec<(DifferenceKind, Option<&str>)> = compared
        .differences
        .iter()
        .map(|d| (d.kind, d.order.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (DifferenceKind::MissingHere, Some("e")),
            (DifferenceKind::MissingThere, Some("c")),
            (DifferenceKind::MissingThere, Some("d")),
            (DifferenceKind::TwiceHere, Some("d")),
            (DifferenceKind::TwiceThere, Some("e")),
            (DifferenceKind::Energy, Some("b")),
            (DifferenceKind::Money, Some("b")),
            (DifferenceKind::TheirTotals, None),
        ]
    );
    let keys: std::collections::BTreeSet<String> = compared
        .differences
        .iter()
        .map(|d| compared.case_key(d))
        .collect();
    assert_eq!(keys.len(), compared.differences.len());
    assert_eq!(
        compared.differences[6].told().zh,
        "订单 b：金额不一致；我方 1 笔、20.000 千瓦时、20.00 元；对方 1 笔、20.010 千瓦时、20.01 元"
    );

    let totals = Totals::of(&ours[..3]);
    let bare = |totals| Theirs { totals, rows: None };
    let none = compare(
        "partner",
        day,
        &ours[..3],
        &bare(totals),
        Tolerance::default(),
    );
    assert_eq!(none.differences, []);
    let near = Totals {
        energy: Wh(totals.energy.0 - 15),
        ..totals
    };
    assert_eq!(
        compare(
            "partner",
            day,
            &ours[..3],
            &bare(near),
            Tolerance::default()
        )
        .differences,
        []
    );
    let far = Totals {
        energy: Wh(totals.energy.0 - 16),
        ..totals
    };
    assert_eq!(
        compare("partner", day, &ours[..3], &bare(far), Tolerance::default()).differences[0].kind,
        DifferenceKind::Totals
    );
    let empty = compare(
        "partner",
        day,
        &[],
        &bare(Totals::default()),
        Tolerance::default(),
    );
    assert_eq!(empty.differences, []);
}

fn seller() -> Seller {
    let taxed = |rate_percent| Taxed {
        code: "1".repeat(19),
        rate_percent,
    };
    Seller {
        name: "示例运营商".to_owned(),
        tax_number: "91420000000000000X".to_owned(),
        taxed: [(LineKind::Energy, taxed(13)), (LineKind::Service, taxed(6))].into(),
    }
}

#[test]
fn tax_is_taken_out_of_what_was_paid() {
    let buyer = Buyer {
        title: "某公司".to_owned(),
        tax_number: Some("91420000000000000X".to_owned()),
    };
    let bills = [
        Invoiced {
            bill: "2".to_owned(),
            parts: parts(705, 440, 0, 0),
        },
        Invoiced {
            bill: "1".to_owned(),
            parts: parts(425, 0, 0, 0),
        },
    ];
    let made = invoice(&bills, &buyer, &seller(), at("2026-03-11T08:00:00")).unwrap();
    // 11.30 with 13 % is 10.00 and 1.30; 4.40 with 6 % is 4.15 and 0.249…, so 0.25.
    let items: Vec<(i64, i64, i64)> = made
        .items
        .iter()
        .map(|item| (item.net.0, item.tax.0, item.gross.0))
        .collect();
    assert_eq!(items, [(1_000, 130, 1_130), (415, 25, 440)]);
    assert_eq!(
        (made.net, made.tax, made.gross),
        (Fen(1_415), Fen(155), Fen(1_570))
    );
    assert_eq!(
        (made.bills.join(","), made.key.as_str()),
        ("1,2".to_owned(), "invoice:2:1:2")
    );
    let red = made.reversed(at("2026-03-12T08:00:00"));
    assert_eq!((red.gross, red.items[0].tax), (Fen(-1_570), Fen(-130)));

    let code = |bills: &[Invoiced], buyer: &Buyer| {
        invoice(bills, buyer, &seller(), at("2026-03-11T08:00:00"))
            .unwrap_err()
            .code
    };
    assert_eq!(code(&[], &buyer), "invoice-bills");
    assert_eq!(
        code(&[bills[0].clone(), bills[0].clone()], &buyer),
        "invoice-bills"
    );
    assert_eq!(
        code(
            &[Invoiced {
                bill: "3".to_owned(),
                parts: parts(0, 0, 0, 0)
            }],
            &buyer
        ),
        "invoice-nothing"
    );
    assert_eq!(
        code(
            &[Invoiced {
                bill: "3".to_owned(),
                parts: parts(0, 0, 5, 0)
            }],
            &buyer
        ),
        "invoice-tax"
    );
    assert_eq!(
        code(
            &bills,
            &Buyer {
                title: " ".to_owned(),
                tax_number: None
            }
        ),
        "invoice-buyer"
    );
    assert_eq!(
        code(
            &bills,
            &Buyer {
                title: "甲".to_owned(),
                tax_number: Some("abc".to_owned())
            }
        ),
        "invoice-buyer"
    );
    assert!(
        invoice(
            &bills,
            &Buyer {
                title: "张三".to_owned(),
                tax_number: None
            },
            &seller(),
            at("2026-03-11T08:00:00")
        )
        .is_ok()
    );
}
