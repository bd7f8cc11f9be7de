//! What an invoice (发票) is made of: buyer, seller, items with tax, for what was paid and not given back. The invoice itself is issued by
//! the tax administration's platform (数电发票); this is the data that is handed to it.

use crate::bill::LineKind;
use crate::money::{Fen, half_up, narrow};
use crate::settle::Parts;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most bills on one invoice.
pub const BILLS_MAX: usize = 500;
/// Longest title (抬头), characters.
pub const TITLE_CHARS_MAX: usize = 100;
/// Highest rate, percent.
pub const RATE_MAX: u8 = 99;

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// The title (抬头).
    pub title: String,
    /// The taxpayer's number (纳税人识别号), 15 to 20 signs; none for a person.
    pub tax_number: Option<String>,
}

/// How a kind of line is taxed; the seller's own setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxed {
    /// The classification code of goods and services (商品和服务税收分类编码), 19 digits.
    pub code: String,
    /// The rate, percent.
    pub rate_percent: u8,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// Its name.
    pub name: String,
    /// Its taxpayer's number.
    pub tax_number: String,
    /// How each kind is taxed.
    pub taxed: BTreeMap<LineKind, Taxed>,
}

impl Seller {
    /// Whether invoices can be made of it: its name, its number, and each code and rate that it has.
    ///
    /// # Errors
    /// `invoice-seller`: name or number. `invoice-tax`: no kind at all, or a code or rate that is none.
    pub fn check(&self) -> Result<(), Told> {
        let name = self.name.trim().chars().count();
        if !(1..=TITLE_CHARS_MAX).contains(&name) || !is_tax_number(&self.tax_number) {
            return Err(Told::new(
                "invoice-seller",
                both(
                    "销售方名称或纳税人识别号不对",
                    "the seller's name or taxpayer's number is wrong",
                ),
                both("销售方", "seller"),
                both(
                    format!("名称 1 到 {TITLE_CHARS_MAX} 个字；识别号 15 到 20 位数字或大写字母"),
                    format!(
                        "a name of 1 to {TITLE_CHARS_MAX} characters; a number of 15 to 20 digits or capital letters"
                    ),
                ),
            ));
        }
        let wrong = LineKind::ALL
            .into_iter()
            .find(|kind| self.taxed.get(kind).is_some_and(|taxed| !taxed.is_good()));
        match (wrong, self.taxed.is_empty()) {
            (Some(kind), _) => Err(self.untaxed(kind)),
            (None, true) => Err(self.untaxed(LineKind::Energy)),
            (None, false) => Ok(()),
        }
    }

    fn untaxed(&self, kind: LineKind) -> Told {
        Told::new(
            "invoice-tax",
            both(
                format!("“{}”没有税收分类编码或税率，或不正确", kind.title()[0]),
                format!(
                    "{} has no tax code or rate, or a wrong one",
                    kind.title()[1]
                ),
            ),
            both(
                format!("销售方 {}", quote(&self.name)),
                format!("seller {}", quote(&self.name)),
            ),
            both(
                format!(
                    "请在充电运营页“发票”的销售方里填写 19 位编码和 0 到 {RATE_MAX} 的税率（%）"
                ),
                format!(
                    "set its code of 19 digits and its rate of 0 to {RATE_MAX} percent under the seller, on the page of charging, Invoices"
                ),
            ),
        )
    }
}

impl Taxed {
    fn is_good(&self) -> bool {
        self.rate_percent <= RATE_MAX
            && self.code.len() == 19
            && self.code.bytes().all(|b| b.is_ascii_digit())
    }
}

/// A bill to be invoiced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoiced {
    /// The bill.
    pub bill: String,
    /// What was paid and not given back, by kind ([`Parts::less`]).
    pub parts: Parts,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What for.
    pub kind: LineKind,
    /// Its code.
    pub code: String,
    /// Its rate, percent.
    pub rate_percent: u8,
    /// Without tax.
    pub net: Fen,
    /// Tax.
    pub tax: Fen,
    /// With tax: what was paid.
    pub gross: Fen,
}

/// Data of an invoice, or of a red one (红字) that takes one back, whose amounts are negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its key: the bills that it is for. A bill is on one invoice only; whoever keeps them holds that.
    pub key: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who buys.
    pub buyer: Buyer,
    /// Who sells.
    pub seller: String,
    /// The seller's number.
    pub seller_tax_number: String,
    /// For which bills, in order.
    pub bills: Vec<String>,
    /// Its items, by kind.
    pub items: Vec<Item>,
    /// The sum without tax.
    pub net: Fen,
    /// The sum of tax.
    pub tax: Fen,
    /// The sum with tax.
    pub gross: Fen,
}

/// Makes an invoice's data. Prices include tax: of each kind's sum the tax is `gross × rate ÷ (100 + rate)`, rounded half up once; the
/// rest is net, so that the two add up to what was paid.
///
/// # Errors
/// `invoice-buyer`: title or number. `invoice-bills`: no bills, more than [`BILLS_MAX`], or one twice. `invoice-nothing`: nothing was
/// paid. `invoice-tax`: a kind that the seller has no code or rate for.
pub fn invoice(
    bills: &[Invoiced],
    buyer: &Buyer,
    seller: &Seller,
    at: Timestamp,
) -> Result<Invoice, Told> {
    check_buyer(buyer)?;
    let names: BTreeSet<&str> = bills.iter().map(|bill| bill.bill.as_str()).collect();
    let [Some(first), Some(last)] = [names.first(), names.last()] else {
        return Err(no_bills());
    };
    if names.len() != bills.len() || bills.len() > BILLS_MAX {
        return Err(wrong_bills(
            "账单重复或过多",
            "a bill stands twice, or there are too many",
        ));
    }
    let mut items = Vec::new();
    for kind in LineKind::ALL {
        let gross: Fen = bills.iter().map(|bill| bill.parts.get(kind)).sum();
        if gross > Fen::ZERO {
            items.push(item(kind, gross, seller)?);
        }
    }
    let sum = |part: fn(&Item) -> Fen| items.iter().map(part).sum::<Fen>();
    let (net, tax, gross) = (
        sum(|item| item.net),
        sum(|item| item.tax),
        sum(|item| item.gross),
    );
    if gross == Fen::ZERO {
        return Err(Told::new(
            "invoice-nothing",
            both("没有可开票金额", "nothing was paid that is not given back"),
            both("发票", "invoice"),
            both(
                "请选择已支付且未全额退款的账单",
                "choose bills that were paid and not refunded whole",
            ),
        ));
    }
    Ok(Invoice {
        key: format!("invoice:{}:{first}:{last}", names.len()),
        at,
        buyer: buyer.clone(),
        seller: seller.name.clone(),
        seller_tax_number: seller.tax_number.clone(),
        bills: names.into_iter().map(str::to_owned).collect(),
        items,
        net,
        tax,
        gross,
    })
}

impl Invoice {
    /// What takes it back whole (红字发票): after a refund the invoice is taken back, and a new one is made of what is left.
    pub fn reversed(&self, at: Timestamp) -> Self {
        let items = self.items.iter().map(|item| Item {
            net: -item.net,
            tax: -item.tax,
            gross: -item.gross,
            ..item.clone()
        });
        Self {
            key: format!("{}:reversed", self.key),
            at,
            items: items.collect(),
            net: -self.net,
            tax: -self.tax,
            gross: -self.gross,
            ..self.clone()
        }
    }
}

fn item(kind: LineKind, gross: Fen, seller: &Seller) -> Result<Item, Told> {
    let good = seller.taxed.get(&kind).filter(|taxed| taxed.is_good());
    let taxed = good.ok_or_else(|| seller.untaxed(kind))?;
    let rate = i128::from(taxed.rate_percent);
    let tax = Fen(narrow(half_up(i128::from(gross.0) * rate, 100 + rate)));
    Ok(Item {
        kind,
        code: taxed.code.clone(),
        rate_percent: taxed.rate_percent,
        net: gross - tax,
        tax,
        gross,
    })
}

fn is_tax_number(number: &str) -> bool {
    (15..=20).contains(&number.len())
        && number
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn check_buyer(buyer: &Buyer) -> Result<(), Told> {
    let title = buyer.title.trim().chars().count();
    if (1..=TITLE_CHARS_MAX).contains(&title)
        && buyer.tax_number.as_deref().is_none_or(is_tax_number)
    {
        return Ok(());
    }
    Err(Told::new(
        "invoice-buyer",
        both(
            "抬头或纳税人识别号不对",
            "the title or the taxpayer's number is wrong",
        ),
        both("购买方", "buyer"),
        both(
            format!("抬头 1 到 {TITLE_CHARS_MAX} 个字；识别号 15 到 20 位数字或大写字母，个人不填"),
            format!(
                "a title of 1 to {TITLE_CHARS_MAX} characters; a number of 15 to 20 digits or capital letters, none for a person"
            ),
        ),
    ))
}

/// What is said of an invoice without bills.
pub fn no_bills() -> Told {
    wrong_bills("没有账单", "there are no bills")
}

fn wrong_bills(zh: &str, en: &str) -> Told {
    Told::new(
        "invoice-bills",
        both(zh, en),
        both("发票", "invoice"),
        both(
            format!("请选择 1 到 {BILLS_MAX} 张不同的账单"),
            format!("choose 1 to {BILLS_MAX} different bills"),
        ),
    )
}
