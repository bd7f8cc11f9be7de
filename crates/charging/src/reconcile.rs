//! Reconciliation (对账) with the exchange: our charges of a day against the partner's totals and list (T/CEC 102, `check_charge_orders`).
//! Differences are data from which cases are opened; nothing is set right by itself.

use crate::money::{Fen, Wh};
use jiff::civil::Date;
use model::problem::{Both, both};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A charge as either side has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The number that both sides know (`StartChargeSeq`).
    pub order: String,
    /// Energy. The exchange has two decimals of kWh: 10 Wh.
    pub energy: Wh,
    /// Money.
    pub money: Fen,
}

/// Totals of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many charges.
    pub count: u64,
    /// Energy.
    pub energy: Wh,
    /// Money.
    pub money: Fen,
}

impl Totals {
    /// The totals of rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        rows.into_iter().fold(Self::default(), |sum, row| Self {
            count: sum.count + 1,
            energy: Wh(sum.energy.0.saturating_add(row.energy.0)),
            money: sum.money + row.money,
        })
    }
}

/// What the other side says of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    /// Its totals.
    pub totals: Totals,
    /// Its list, where it sent one.
    pub rows: Option<Vec<Row>>,
}

/// What may differ without being a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Energy of one charge: half of what two decimals of kWh show. Totals may differ by as much for each charge.
    pub energy: Wh,
    /// Money of one charge: none.
    pub money: Fen,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            energy: Wh(5),
            money: Fen::ZERO,
        }
    }
}

/// What kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// They have a charge that we have not.
    MissingHere,
    /// We have one that they have not.
    MissingThere,
    /// One order stands twice in our list.
    TwiceHere,
    /// One order stands twice in theirs.
    TwiceThere,
    /// Its energy differs.
    Energy,
    /// Its money differs.
    Money,
    /// Their totals are not those of their own list.
    TheirTotals,
    /// Totals differ, and there is no list to say why.
    Totals,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which kind.
    pub kind: DifferenceKind,
    /// The order, where it is of one.
    pub order: Option<String>,
    /// What we have.
    pub ours: Option<Totals>,
    /// What they have.
    pub theirs: Option<Totals>,
}

/// A day compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// With whom.
    pub partner: String,
    /// Which day.
    pub day: Date,
    /// Our totals.
    pub ours: Totals,
    /// Theirs, as they say.
    pub theirs: Totals,
    /// What differs, by kind and order.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// The key of a difference's case: the same day compared again opens no second one.
    pub fn case_key(&self, difference: &Difference) -> String {
        let order = difference.order.as_deref().unwrap_or("-");
        format!(
            "reconcile:{}:{}:{:?}:{order}",
            self.partner, self.day, difference.kind
        )
    }
}

impl Difference {
    /// What a case about it says.
    pub fn told(&self) -> Both {
        let (zh, en) = match self.kind {
            DifferenceKind::MissingHere => ("对方有、我方无", "they have it, we do not"),
            DifferenceKind::MissingThere => ("我方有、对方无", "we have it, they do not"),
            DifferenceKind::TwiceHere => ("我方重复", "it stands twice with us"),
            DifferenceKind::TwiceThere => ("对方重复", "it stands twice with them"),
            DifferenceKind::Energy => ("电量不一致", "the energy differs"),
            DifferenceKind::Money => ("金额不一致", "the money differs"),
            DifferenceKind::TheirTotals => (
                "对方汇总与其明细不一致",
                "their totals are not those of their list",
            ),
            DifferenceKind::Totals => ("汇总不一致", "the totals differ"),
        };
        let (mut zh, mut en) = (zh.to_owned(), en.to_owned());
        if let Some(order) = &self.order {
            zh = format!("订单 {order}：{zh}");
            en = format!("order {order}: {en}");
        }
        for (title, totals) in [
            (["我方", "ours"], self.ours),
            (["对方", "theirs"], self.theirs),
        ] {
            if let Some(Totals {
                count,
                energy,
                money,
            }) = totals
            {
                zh.push_str(&format!(
                    "；{} {count} 笔、{energy} 千瓦时、{money} 元",
                    title[0]
                ));
                en.push_str(&format!(
                    "; {} {count}, {energy} kWh, {money} yuan",
                    title[1]
                ));
            }
        }
        both(zh, en)
    }
}

/// Compares a day. Without their list the totals alone are compared.
pub fn compare(
    partner: &str,
    day: Date,
    ours: &[Row],
    theirs: &Theirs,
    tolerance: Tolerance,
) -> Comparison {
    let mut differences = Vec::new();
    let here = by_order(ours, DifferenceKind::TwiceHere, &mut differences);
    let our_totals = Totals::of(here.values().copied());
    if let Some(rows) = &theirs.rows {
        let listed = Totals::of(rows);
        if listed.count != theirs.totals.count || !is_near(&listed, &theirs.totals, tolerance) {
            differences.push(Difference {
                kind: DifferenceKind::TheirTotals,
                order: None,
                ours: Some(listed),
                theirs: Some(theirs.totals),
            });
        }
        let there = by_order(rows, DifferenceKind::TwiceThere, &mut differences);
        let orders: std::collections::BTreeSet<&str> =
            here.keys().chain(there.keys()).copied().collect();
        for order in orders {
            let (ours, theirs) = (here.get(order), there.get(order));
            differences.extend(differs(order, ours.copied(), theirs.copied(), tolerance));
        }
    } else if our_totals.count != theirs.totals.count
        || !is_near(&our_totals, &theirs.totals, tolerance)
    {
        differences.push(Difference {
            kind: DifferenceKind::Totals,
            order: None,
            ours: Some(our_totals),
            theirs: Some(theirs.totals),
        });
    }
    differences.sort_by(|a, b| (a.kind, &a.order).cmp(&(b.kind, &b.order)));
    Comparison {
        partner: partner.to_owned(),
        day,
        ours: our_totals,
        theirs: theirs.totals,
        differences,
    }
}

/// Rows by order, the first of each; a second one is a difference.
fn by_order<'a>(
    rows: &'a [Row],
    twice: DifferenceKind,
    differences: &mut Vec<Difference>,
) -> BTreeMap<&'a str, &'a Row> {
    let mut all = BTreeMap::new();
    for row in rows {
        if all.contains_key(row.order.as_str()) {
            let totals = Some(Totals::of([row]));
            let is_ours = twice == DifferenceKind::TwiceHere;
            differences.push(Difference {
                kind: twice,
                order: Some(row.order.clone()),
                ours: if is_ours { totals } else { None },
                theirs: if is_ours { None } else { totals },
            });
        } else {
            all.insert(row.order.as_str(), row);
        }
    }
    all
}

fn differs(
    order: &str,
    ours: Option<&Row>,
    theirs: Option<&Row>,
    tolerance: Tolerance,
) -> Vec<Difference> {
    let difference = |kind| Difference {
        kind,
        order: Some(order.to_owned()),
        ours: ours.map(|row| Totals::of([row])),
        theirs: theirs.map(|row| Totals::of([row])),
    };
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            let energy = (ours.energy.0 - theirs.energy.0).abs() > tolerance.energy.0;
            let money = (ours.money - theirs.money).0.abs() > tolerance.money.0;
            [
                (energy, DifferenceKind::Energy),
                (money, DifferenceKind::Money),
            ]
            .into_iter()
            .filter(|(differs, _)| *differs)
            .map(|(_, kind)| difference(kind))
            .collect()
        }
        (None, Some(_)) => vec![difference(DifferenceKind::MissingHere)],
        (Some(_), None) => vec![difference(DifferenceKind::MissingThere)],
        (None, None) => Vec::new(),
    }
}

/// Whether totals are within the tolerance of each of their charges.
fn is_near(one: &Totals, other: &Totals, tolerance: Tolerance) -> bool {
    let count = i64::try_from(one.count.max(1)).unwrap_or(i64::MAX);
    (one.energy.0 - other.energy.0).abs() <= tolerance.energy.0.saturating_mul(count)
        && (one.money - other.money).0.abs() <= tolerance.money.0.saturating_mul(count)
}
