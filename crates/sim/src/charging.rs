//! Who charges when: the sessions of the series on the charge points that are live, from now on and in the days before; pure.

use crate::plan::{Plan, Role};
use crate::point::{Act, PastCharge};
use crate::series::ChargeSession;
use model::Timestamp;

const DAY_SECONDS: i64 = 86_400;
/// The series' chargers are numbered by their first arrival: neighbours play others that far apart, so that some stay free. It shares no
/// factor with their number, 81, and neither does the next.
const SPREAD: usize = 32;
/// In the days before, a charge point plays another's day each time: so many further a day.
const STEP: usize = 5;

/// Power of a session, watts.
pub(crate) fn watts(session: &ChargeSession) -> i64 {
    (session.energy_kwh * 60_000.0 / (session.end_minute - session.start_minute) as f64).round()
        as i64
}

/// The card of a session: the demo's cards take turns.
pub(crate) fn card(plan: &Plan, session: &ChargeSession) -> String {
    let cards = &plan.demo.charging.cards;
    let turn = session.charger + session.start_minute as usize / 60;
    cards
        .get(turn % cards.len().max(1))
        .map_or_else(String::new, |(card, _)| card.clone())
}

/// Which charger of the series charge point `n` plays so many days back.
fn charger_of(plan: &Plan, n: usize, back: usize) -> usize {
    let chargers = plan.series.sessions.iter().map(|s| s.charger + 1).max();
    (n * SPREAD + back * STEP) % chargers.unwrap_or(1)
}

/// The session of charge point `n` at this minute of the day, so many days back.
fn running(plan: &Plan, n: usize, back: usize, minute: u64) -> Option<&ChargeSession> {
    let whose = charger_of(plan, n, back);
    let runs =
        |s: &&ChargeSession| s.charger == whose && (s.start_minute..s.end_minute).contains(&minute);
    plan.series.sessions.iter().find(runs)
}

/// What a charge point does at a tick: `before` and `minute` are the minutes of the day then and a tick ago; `None` before the first.
pub(crate) fn acts(plan: &Plan, n: usize, before: Option<u64>, minute: u64) -> Vec<Act> {
    let now = running(plan, n, 0, minute);
    let last = before.and_then(|before| running(plan, n, 0, before));
    if now.map(|s| s.start_minute) == last.map(|s| s.start_minute) {
        return Vec::new();
    }
    let begin = now.map(|session| Act::Begin {
        card: card(plan, session),
        watts: watts(session),
    });
    last.map(|_| Act::End).into_iter().chain(begin).collect()
}

/// The charges of the `days` days before `start`, and of its own day until then, at the series' own pace, by device.
pub(crate) fn past(
    plan: &Plan,
    start: Timestamp,
    midnight: Timestamp,
    days: u32,
) -> Vec<(usize, Act)> {
    let mut out = Vec::new();
    for (device, live) in plan.devices.iter().enumerate() {
        let Role::ChargePoint(n) = live.role else {
            continue;
        };
        let mut charges = Vec::new();
        for back in (0..=days).rev() {
            let whose = charger_of(plan, n, back as usize);
            let begin = midnight.plus_seconds(-DAY_SECONDS * i64::from(back));
            for session in plan.series.sessions.iter().filter(|s| s.charger == whose) {
                let at = |minute: u64| begin.plus_seconds(minute as i64 * 60);
                let (from, to) = (at(session.start_minute), at(session.end_minute));
                if to < start {
                    charges.push(PastCharge {
                        from,
                        to,
                        wh: (session.energy_kwh * 1_000.0).round() as i64,
                        card: card(plan, session),
                    });
                }
            }
        }
        charges.sort_by_key(|charge| charge.from);
        let wrong = &plan.demo.incidents.charge_fault;
        let fault = (wrong.charge_point == n && days > 0).then(|| {
            let at = |hour: i64| midnight.plus_seconds(-DAY_SECONDS + hour * 3_600);
            let [from, to] = wrong.yesterday_hours;
            (at(from), at(to))
        });
        out.push((device, Act::Past { charges, fault }));
    }
    out
}

/// What these charge points take together at a minute of the day so many days back, kW.
pub(crate) fn at_points_kw(plan: &Plan, points: &[usize], back: usize, minute: u64) -> f64 {
    let sessions = points
        .iter()
        .filter_map(|n| running(plan, *n, back, minute));
    sessions
        .map(|session| watts(session) as f64 / 1_000.0)
        .sum()
}
