//! Proves the audit chain whole, or says where it is broken: which rows were changed, taken out or put in, where its tail
//! was cut, which seal is not genuine. The judge is pure: rows come in order, keys and seals as arguments.
//!
//! What it can tell rests on what an attacker could not do. Without the signing key nothing before the last seal can be
//! changed unseen. Whoever can also take away the newest rows *and* seals, and set the chain's end back, leaves a chain
//! that is whole but shorter: only a value noted elsewhere ([`Options::noted`]: an export, a line of the log) shows that.

use crate::audit_chain::{self, ChainRow, Hash, Head, from_hex};
use crate::audit_seals::{self, Seal, SealKey};
use crate::failure::Result;
use crate::store::Connection;
use gm::VerifyingKey;
use model::Timestamp;
use serde::Serialize;
use sqlx::Connection as _;
use std::collections::{BTreeMap, VecDeque};

/// Rows and seals that are read in one step.
const STEP_ROWS: i64 = 2_000;

/// What a chain is held against besides itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// Public keys that are trusted; empty: those that the city's own table names.
    pub keys: Vec<VerifyingKey>,
    /// Values of the chain that were noted elsewhere: the number of a row and its hash.
    pub noted: Vec<(i64, Hash)>,
    /// Most breaks that are told one by one (default 100).
    pub breaks_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            noted: Vec::new(),
            breaks_max: 100,
        }
    }
}

/// How the chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakKind {
    /// A row is not what its hash was made of.
    RowChanged,
    /// Rows were taken out.
    RowRemoved,
    /// Rows were put in.
    RowInserted,
    /// Rows were written anew with new hashes: a seal or a noted value has others.
    RowsRewritten,
    /// The newest rows are gone.
    TailCut,
    /// The chain's end is not there.
    HeadMissing,
    /// A seal's signature is false, or it does not follow the seal before it.
    SealForged,
    /// Seals were taken out.
    SealRemoved,
    /// The key of a seal is not among those that are known or trusted.
    KeyMissing,
}

/// One break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Break {
    /// How.
    pub kind: BreakKind,
    /// The first row concerned.
    pub from: i64,
    /// The last row concerned.
    pub to: i64,
    /// The seal that shows it, or that is concerned.
    pub seal: Option<i64>,
    /// The time that the first row bears, where it is there.
    pub at: Option<Timestamp>,
    /// In Chinese.
    pub what_zh: String,
    /// In English.
    pub what_en: String,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is broken.
    pub whole: bool,
    /// Rows that were looked at.
    pub rows: i64,
    /// The number of the last row; 0 when there is none.
    pub last: i64,
    /// Its hash, hex: note it elsewhere.
    pub hash: String,
    /// The number of the last row that was there before the chain was.
    pub chained_later: i64,
    /// Seals that were looked at.
    pub seals: i64,
    /// Rows up to this one are proved by a genuine seal, with nothing broken before it.
    pub sealed_to: i64,
    /// That seal's number.
    pub sealed_by: Option<i64>,
    /// That seal's time.
    pub sealed_at: Option<Timestamp>,
    /// Whether the keys were given from outside, not taken from the city itself.
    pub keys_given: bool,
    /// The keys that the city names, by id.
    pub keys: Vec<String>,
    /// What is broken, in the order of the rows; the first is the one to look at first.
    pub breaks: Vec<Break>,
    /// Whether there are more than are told.
    pub more: bool,
}

/// The row before the one that is judged.
#[derive(Clone, Copy)]
struct Before {
    id: i64,
    hash: Hash,
    /// The hash before that row.
    earlier: Option<Hash>,
}

/// Judges rows one by one, each with a look at the next.
struct Judge {
    head: Option<Head>,
    chained_later: i64,
    before: Before,
    held: Option<ChainRow>,
    /// What must be added to a row's number to get the one that it was written with.
    shift: i64,
    /// Genuine seals and noted values by row: the seal's number, its time, the hash.
    marks: VecDeque<Mark>,
    breaks_max: usize,
    report: Report,
}

struct Mark {
    row: i64,
    hash: Option<Hash>,
    seal: Option<(i64, Timestamp)>,
}

impl Judge {
    fn new(head: Option<Head>, marks: Vec<Mark>, breaks_max: usize) -> Self {
        let chained_later = head.as_ref().map_or(0, |head| head.chained_later);
        Self {
            chained_later,
            before: Before {
                id: 0,
                hash: audit_chain::beginning(),
                earlier: None,
            },
            held: None,
            shift: 0,
            marks: marks.into(),
            breaks_max,
            report: Report {
                whole: true,
                rows: 0,
                last: 0,
                hash: hex::encode(audit_chain::beginning()),
                chained_later,
                seals: 0,
                sealed_to: 0,
                sealed_by: None,
                sealed_at: None,
                keys_given: false,
                keys: Vec::new(),
                breaks: Vec::new(),
                more: false,
            },
            head,
        }
    }

    fn broken(&mut self, found: Break) {
        self.report.whole = false;
        if self.report.breaks.len() < self.breaks_max {
            self.report.breaks.push(found);
        } else {
            self.report.more = true;
        }
    }

    fn rows_broken(
        &mut self,
        kind: BreakKind,
        from: i64,
        to: i64,
        row: Option<&ChainRow>,
        what: (String, String),
    ) {
        self.broken(Break {
            kind,
            from,
            to,
            seal: None,
            at: row.map(|row| row.at),
            what_zh: what.0,
            what_en: what.1,
        });
    }

    fn push(&mut self, row: ChainRow) {
        if let Some(held) = self.held.take() {
            self.judge(&held, Some(&row));
        }
        self.held = Some(row);
    }

    fn fits(row: &ChainRow, behind: &Hash, shift: i64) -> bool {
        from_hex(&row.hash) == Some(row.hash_as(behind, row.id + shift))
    }

    fn judge(&mut self, row: &ChainRow, next: Option<&ChainRow>) {
        self.report.rows += 1;
        let (id, shift, before) = (row.id, self.shift, self.before);
        let expected = before.id + 1;
        if id <= 0 {
            self.inserted(id, row);
            return;
        }
        let own = from_hex(&row.hash);
        if Self::fits(row, &before.hash, shift) {
            // Where rows were missing before the chain was made, nothing is known of them.
            if id > expected && id > self.chained_later {
                self.removed(expected, id - 1);
            }
        } else if id > expected {
            self.removed(expected, id - 1);
        } else if next.is_some_and(|next| Self::fits(next, &before.hash, shift - 1)) {
            // The next one follows in its place: this one was put in, and the others were numbered anew.
            self.inserted(id, row);
            self.shift -= 1;
            self.before.id = id;
            return;
        } else if before
            .earlier
            .is_some_and(|earlier| Self::fits(row, &earlier, shift - 1))
        {
            self.inserted(before.id, row);
            self.shift -= 1;
        } else if let (Some(next), Some(own)) = (next, own)
            && !Self::fits(next, &own, shift)
            && Self::fits(next, &own, shift + 1)
        {
            let what = (
                format!("第 {id} 条之前有记录被删除，其后各条被重新编号"),
                format!(
                    "a row was taken out before row {id}, and those behind it were numbered anew"
                ),
            );
            self.rows_broken(BreakKind::RowRemoved, id, id, Some(row), what);
            self.shift += 1;
        } else {
            let what = if expected == 1 {
                (
                    format!("第 {id} 条与其哈希不符：内容被改过"),
                    format!("row {id} is not what its hash was made of: it was changed"),
                )
            } else {
                let before = expected - 1;
                (
                    format!(
                        "第 {id} 条与第 {before} 条及其自身哈希不符：第 {id} 条被改过，或第 {before} 条连同哈希被改过"
                    ),
                    format!(
                        "row {id} is not what its hash was made of behind row {before}: row {id} was changed, or row {before} together with its hash"
                    ),
                )
            };
            self.rows_broken(BreakKind::RowChanged, id, id, Some(row), what);
        }
        // What follows is judged by the hash that is stored: so each later break is told by itself.
        let hash = own.unwrap_or_else(|| row.hash_as(&before.hash, id + self.shift));
        self.before = Before {
            id,
            hash,
            earlier: Some(before.hash),
        };
        self.report.hash.clone_from(&row.hash);
        self.mark(row);
    }

    fn inserted(&mut self, id: i64, row: &ChainRow) {
        let what = (
            format!("第 {id} 条不属于此链，是后来插入的"),
            format!("row {id} does not belong to the chain: it was put in"),
        );
        self.rows_broken(BreakKind::RowInserted, id, id, Some(row), what);
    }

    fn removed(&mut self, from: i64, to: i64) {
        let what = (
            format!("第 {from} 条至第 {to} 条被删除"),
            format!("rows {from} to {to} were taken out"),
        );
        self.rows_broken(BreakKind::RowRemoved, from, to, None, what);
    }

    /// Holds the row against seals and noted values.
    fn mark(&mut self, row: &ChainRow) {
        let original = row.id + self.shift;
        while self.marks.front().is_some_and(|mark| mark.row <= original) {
            let Some(mark) = self.marks.pop_front() else {
                break;
            };
            let agrees = mark.row == original && mark.hash == Some(self.before.hash);
            if agrees && self.report.breaks.is_empty() {
                if let Some((number, at)) = mark.seal {
                    self.report.sealed_to = row.id;
                    self.report.sealed_by = Some(number);
                    self.report.sealed_at = Some(at);
                }
            } else if mark.row == original && !agrees {
                let from = self.report.sealed_to + 1;
                let (zh, en) = match mark.seal {
                    Some((number, at)) => (
                        format!("{at} 的第 {number} 号封印"),
                        format!("seal {number} of {at}"),
                    ),
                    None => (
                        "另存的链值".to_owned(),
                        "the value noted elsewhere".to_owned(),
                    ),
                };
                let to = row.id;
                self.broken(Break {
                    kind: BreakKind::RowsRewritten,
                    from,
                    to,
                    seal: mark.seal.map(|(number, _)| number),
                    at: None,
                    what_zh: format!("第 {from} 条至第 {to} 条被重写：{zh}所证的第 {to} 条哈希与现存的不同"),
                    what_en: format!("rows {from} to {to} were written anew: {en} has another hash of row {to} than is stored"),
                });
            }
            // A mark of a row that is missing: the gap itself was told.
        }
    }

    fn finish(mut self) -> Report {
        if let Some(held) = self.held.take() {
            self.judge(&held, None);
        }
        let last = self.before.id;
        self.report.last = last;
        let original = last + self.shift;
        let beyond = self
            .marks
            .back()
            .map(|mark| (mark.row, mark.seal.map(|(n, _)| n)));
        let claimed = self.head.as_ref().map_or(0, |head| head.last);
        let sealed = beyond.map_or(0, |(row, _)| row);
        let wanted = claimed.max(sealed);
        if self.head.is_none() {
            let what = (
                "链尾记录（audit_head）不见了".to_owned(),
                "the chain's end (audit_head) is not there".to_owned(),
            );
            self.rows_broken(BreakKind::HeadMissing, last, last, None, what);
        }
        // Whoever numbers anew may set the end to the new numbers or leave it: neither is told twice.
        if sealed > original || claimed > original.max(last) {
            let from = original + 1;
            let seal = beyond.and_then(|(row, seal)| seal.filter(|_| row > original));
            let (zh, en) = match seal {
                Some(seal) => (format!("第 {seal} 号封印"), format!("seal {seal}")),
                None if beyond.is_some_and(|(row, _)| row > original) => (
                    "另存的链值".to_owned(),
                    "a value noted elsewhere".to_owned(),
                ),
                None => ("链尾记录".to_owned(), "the chain's end".to_owned()),
            };
            self.broken(Break {
                kind: BreakKind::TailCut,
                from,
                to: wanted,
                seal,
                at: None,
                what_zh: format!("末尾被截断：第 {from} 条至第 {wanted} 条不见了，{zh}证明它们存在过"),
                what_en: format!("the tail was cut: rows {from} to {wanted} are gone, {en} shows that they were there"),
            });
        } else if self.head.is_some() && claimed < original.min(last) {
            let from = claimed + 1;
            let what = (
                format!("第 {from} 条至第 {last} 条在链尾之后，是绕过平台插入的"),
                format!(
                    "rows {from} to {last} lie behind the chain's end: they were put in past the platform"
                ),
            );
            self.rows_broken(BreakKind::RowInserted, from, last, None, what);
        } else if let Some(head) = &self.head
            && self.report.breaks.is_empty()
            && from_hex(&head.hash) != Some(self.before.hash)
        {
            let what = (
                format!("第 {last} 条的哈希与链尾记录不同：该条连同哈希被改过，或链尾记录被改过"),
                format!(
                    "the hash of row {last} is not the one of the chain's end: the row was changed together with its hash, or the chain's end was"
                ),
            );
            self.rows_broken(BreakKind::RowChanged, last, last, None, what);
        }
        self.report.breaks.sort_by_key(|found| found.from);
        self.report
    }
}

/// Judges the seals among themselves; gives those that are genuine as marks.
fn judge_seals(seals: &[Seal], keys: &BTreeMap<String, VerifyingKey>) -> (Vec<Mark>, Vec<Break>) {
    let (mut marks, mut breaks) = (Vec::new(), Vec::new());
    let mut previous = audit_seals::before_the_first().to_owned();
    let (mut number, mut row) = (0, 0);
    for seal in seals {
        let tell = |kind, zh: String, en: String| Break {
            kind,
            from: row + 1,
            to: seal.row_id,
            seal: Some(seal.number),
            at: Some(seal.at),
            what_zh: zh,
            what_en: en,
        };
        let n = seal.number;
        let mut is_good = false;
        if n > number + 1 {
            let (from, to) = (number + 1, n - 1);
            breaks.push(tell(
                BreakKind::SealRemoved,
                format!("第 {from} 号至第 {to} 号封印被删除"),
                format!("seals {from} to {to} were taken out"),
            ));
        }
        match keys.get(&seal.key_id) {
            None => breaks.push(tell(
                BreakKind::KeyMissing,
                format!("第 {n} 号封印的公钥 {} 不在已知或可信之列", seal.key_id),
                format!(
                    "the key {} of seal {n} is not among those that are known or trusted",
                    seal.key_id
                ),
            )),
            Some(key) if !seal.is_signed_by(key) => breaks.push(tell(
                BreakKind::SealForged,
                format!("第 {n} 号封印的签名是假的"),
                format!("the signature of seal {n} is false"),
            )),
            Some(_) if n == number + 1 && seal.previous != previous => breaks.push(tell(
                BreakKind::SealForged,
                format!("第 {n} 号封印与其前一号不相接"),
                format!("seal {n} does not follow the one before it"),
            )),
            Some(_) => is_good = true,
        }
        if is_good {
            marks.push(Mark {
                row: seal.row_id,
                hash: from_hex(&seal.row_hash),
                seal: Some((n, seal.at)),
            });
        }
        (number, row) = (n, seal.row_id);
        previous = seal.hash();
    }
    (marks, breaks)
}

/// The keys that seals are held against, by id. One that the table names under another id than its own is none.
fn trusted(named: &[SealKey], options: &Options) -> BTreeMap<String, VerifyingKey> {
    let own = named
        .iter()
        .filter_map(|key| VerifyingKey::from_pem(&key.public_key).ok());
    let keys: Vec<VerifyingKey> = if options.keys.is_empty() {
        own.collect()
    } else {
        options.keys.clone()
    };
    keys.into_iter()
        .map(|key| (audit_seals::key_id(&key), key))
        .collect()
}

/// Proves the chain whole or says where it is broken. It is seen as of one moment, whoever writes meanwhile.
///
/// # Errors
/// The store's own; `audit-newer`.
pub async fn verify(connection: &mut Connection, options: &Options) -> Result<Report> {
    let mut read = connection.begin().await?;
    let head = audit_chain::head(&mut read).await?;
    let named = audit_seals::keys(&mut read).await?;
    let mut seals = Vec::new();
    loop {
        let after = seals.last().map_or(i64::MIN, |seal: &Seal| seal.number);
        let step = audit_seals::seals(&mut read, after, STEP_ROWS).await?;
        if step.is_empty() {
            break;
        }
        seals.extend(step);
    }
    let keys = trusted(&named, options);
    let count = i64::try_from(seals.len()).unwrap_or(i64::MAX);
    // A signature is work for the processor: other requests go on meanwhile.
    let judged = tokio::task::spawn_blocking(move || judge_seals(&seals, &keys));
    let (mut marks, of_seals) = judged.await.map_err(crate::Failure::internal)?;
    marks.extend(options.noted.iter().map(|(row, hash)| Mark {
        row: *row,
        hash: Some(*hash),
        seal: None,
    }));
    marks.sort_by_key(|mark| mark.row);
    let mut judge = Judge::new(head, marks, options.breaks_max);
    let mut after = i64::MIN;
    loop {
        let step = audit_chain::rows(&mut read, after, STEP_ROWS).await?;
        let Some(last) = step.last() else { break };
        after = last.id;
        step.into_iter().for_each(|row| judge.push(row));
        tokio::task::yield_now().await;
    }
    let mut report = judge.finish();
    report.seals = count;
    report.keys = named.into_iter().map(|key| key.id).collect();
    report.keys_given = !options.keys.is_empty();
    report.whole &= of_seals.is_empty();
    report.breaks.extend(of_seals);
    report.breaks.sort_by_key(|found| found.from);
    report.more |= report.breaks.len() > options.breaks_max;
    report.breaks.truncate(options.breaks_max);
    Ok(report)
}
