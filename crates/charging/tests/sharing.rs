//! The power of a transformer among vehicles: never too much, fair, nobody left waiting for ever, calm, and safe without the centre.

use charging::grid::{self, At, Purpose, VALID_SECONDS};
use charging::share::{
    Basis, Given, Measured, Order, Outlet, Shared, Standing, Steering, Transformer, Turn, Why,
    orders, share,
};
use model::Timestamp;
use proptest::prelude::*;

/// 2026-07-01T00:00:00Z.
const NOON: i64 = 1_782_864_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOON + seconds)
}

/// 400 kVA × 0.95 × 0.80 = 304 kW.
fn transformer() -> Transformer {
    Transformer {
        rated_va: 400_000,
        power_factor_percent: 95,
        share_percent: 80,
        static_w: 60_000,
    }
}

/// Tells every change, at once, up to the limit.
fn eager() -> Steering {
    Steering {
        band_percent: 0,
        change_percent: 0,
        change_min_w: 0,
        ..Steering::default()
    }
}

fn other(left_w: i64, now: Timestamp) -> Option<Measured> {
    let w = transformer().limit_w() - left_w;
    Some(Measured { w, at: now })
}

/// An outlet of 7 kW whose vehicle came at noon and has its turn.
fn outlet(id: &str) -> Outlet {
    Outlet {
        id: id.to_owned(),
        min_w: 1_320,
        rated_w: 7_000,
        weight: 1,
        drawn: None,
        is_reachable: true,
        standing: Standing {
            turn: Turn::Charges { since: at(0) },
            ..Standing::new(0, at(0))
        },
    }
}

fn outlets(number: usize) -> Vec<Outlet> {
    let one = |n| outlet(&format!("CP{n}:1"));
    (1..=number).map(one).collect()
}

fn limits(shared: &Shared) -> Vec<i64> {
    shared.given.iter().map(|given| given.limit_w).collect()
}

fn held(outlets: &[Outlet]) -> i64 {
    outlets.iter().map(|outlet| outlet.standing.held_w).sum()
}

/// Shares, tells, and asks again until nothing is left to tell; every station accepts. The number of orders.
fn settle(steering: &Steering, left_w: i64, outlets: &mut [Outlet], now: Timestamp) -> Vec<Order> {
    let mut all = Vec::new();
    for _ in 0..10 {
        let shared = share(&transformer(), steering, other(left_w, now), outlets, now);
        let told = orders(steering, outlets, &shared, now);
        if told.is_empty() {
            return all;
        }
        for order in told {
            outlets[order.outlet]
                .standing
                .accepted(order.limit_w, now, steering);
            all.push(order);
        }
    }
    panic!("it comes to no end: {outlets:?}");
}

#[test]
fn a_transformer_bears_what_its_plate_and_its_reserve_say() {
    assert_eq!(transformer().limit_w(), 304_000);
    assert!(transformer().checked("x").is_ok());
    let bad = Transformer {
        rated_va: 0,
        power_factor_percent: 101,
        share_percent: 0,
        static_w: 1,
    };
    let told = bad.checked("台区一").unwrap_err();
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(model::Told::is_translated));
    assert!(told.iter().all(|told| told.place.zh == "台区一"));
    let much = Transformer {
        static_w: 304_001,
        ..transformer()
    };
    assert_eq!(much.checked("x").unwrap_err().len(), 1);
}

#[test]
fn what_there_is_is_filled_up_evenly_within_what_each_can_use() {
    let mut all = outlets(4);
    all[1].rated_w = 3_500;
    all[2].weight = 2;
    all[2].rated_w = 40_000;
    let shared = share(&transformer(), &eager(), other(21_500, at(1)), &all, at(1));
    // 3.5 is all that the second can use; of the other 18 the third gets twice what one of the others gets.
    assert_eq!(limits(&shared), [4_500, 3_500, 9_000, 4_500]);
    let why: Vec<Why> = shared.given.iter().map(|given| given.why).collect();
    assert_eq!(why, [Why::Shares, Why::Enough, Why::Shares, Why::Shares]);
    assert_eq!(
        (shared.budget_w, shared.basis, shared.over_w),
        (21_500, Basis::Measured, 0)
    );
    // With plenty everybody has all.
    let shared = share(&transformer(), &eager(), other(60_000, at(1)), &all, at(1));
    assert_eq!(limits(&shared), [7_000, 3_500, 40_000, 7_000]);
}

#[test]
fn what_a_vehicle_does_not_take_is_the_others() {
    let steering = eager();
    let mut all = outlets(2);
    settle(&steering, 10_000, &mut all, at(1));
    assert_eq!(all[0].standing.held_w, 5_000);
    let takes = |w, seconds| Some(Measured { w, at: at(seconds) });
    // Measured before it could follow the raise: says nothing.
    all[0].drawn = takes(2_000, 30);
    assert!(settle(&steering, 10_000, &mut all, at(60)).is_empty());
    all[0].drawn = takes(2_000, 90);
    settle(&steering, 10_000, &mut all, at(90));
    let now: Vec<i64> = all.iter().map(|one| one.standing.held_w).collect();
    assert_eq!(now, [2_400, 7_000]);
    // It stays so while the vehicle takes as much, and is given back when it takes all that it may.
    all[0].drawn = takes(2_000, 200);
    assert!(settle(&steering, 10_000, &mut all, at(200)).is_empty());
    all[0].drawn = takes(2_390, 210);
    settle(&steering, 10_000, &mut all, at(210));
    assert_eq!(all[0].standing.held_w, 5_000);
    // A full vehicle keeps the minimum, so that it can begin again.
    all[0].drawn = takes(0, 400);
    settle(&steering, 10_000, &mut all, at(400));
    assert_eq!(all[0].standing.held_w, 1_320);
}

#[test]
fn without_a_fresh_reading_all_charging_has_the_static_power() {
    let all = outlets(20);
    let of = |other| share(&transformer(), &eager(), other, &all, at(1_000));
    let measured = |seconds| {
        Some(Measured {
            w: 0,
            at: at(seconds),
        })
    };
    assert_eq!(of(measured(700)).basis, Basis::Measured);
    for unknown in [None, measured(699), measured(1_061)] {
        let shared = of(unknown);
        assert_eq!((shared.basis, shared.budget_w), (Basis::Static, 60_000));
        assert_eq!(limits(&shared), [3_000; 20]);
    }
}

#[test]
fn what_cannot_be_lowered_is_told() {
    let mut all = outlets(3);
    all[0].is_reachable = false;
    all[0].standing.held_w = 7_000;
    let shared = share(&transformer(), &eager(), other(6_000, at(1)), &all, at(1));
    assert_eq!((limits(&shared), shared.over_w), (vec![7_000, 0, 0], 1_000));
    assert_eq!(shared.given[0].why, Why::OutOfReach);
    assert_eq!(shared.given[1].why, Why::TooLittle);
    // The other load alone is above the limit.
    let shared = share(&transformer(), &eager(), other(-2_000, at(1)), &[], at(1));
    assert_eq!((shared.over_w, shared.budget_w), (2_000, 0));
}

#[test]
fn lowering_comes_before_raising() {
    let steering = eager();
    let mut all = outlets(2);
    all[0].standing.held_w = 7_000;
    all[1].standing = Standing::new(0, at(0));
    let shared = share(&transformer(), &steering, other(8_000, at(1)), &all, at(1));
    assert_eq!(limits(&shared), [4_000, 4_000]);
    let told = orders(&steering, &all, &shared, at(1));
    // One kW would fit, which is below its least.
    assert_eq!(
        told,
        [Order {
            outlet: 0,
            limit_w: 4_000
        }]
    );
    all[0].standing.accepted(4_000, at(2), &steering);
    let told = orders(&steering, &all, &shared, at(2));
    assert_eq!(
        told,
        [Order {
            outlet: 1,
            limit_w: 4_000
        }]
    );
}

#[test]
fn noise_is_not_told_and_a_real_change_is() {
    let steering = Steering::default();
    let mut all = outlets(6);
    settle(&steering, 30_000, &mut all, at(10));
    let before = held(&all);
    assert!(before <= 28_500 && before > 28_000, "{before}");
    // Up to a twentieth up and down, for less than the time after which all is told anew.
    for (n, left) in [29_000, 31_000, 28_600, 30_400, 29_900, 31_400]
        .into_iter()
        .enumerate()
    {
        let told = settle(&steering, left, &mut all, at(20 + 40 * n as i64));
        assert!(told.is_empty(), "{left}: {told:?}");
    }
    // A little too little for what was told, however small the change: told at once.
    let told = settle(&steering, 28_300, &mut all, at(270));
    assert_eq!(told.len(), 6);
    assert!(held(&all) <= 28_300);
    // What was told grows old.
    assert!(settle(&steering, 28_300, &mut all, at(569)).is_empty());
    assert_eq!(settle(&steering, 28_300, &mut all, at(570)).len(), 6);
}

#[test]
fn when_not_all_can_charge_they_take_turns_and_one_that_needs_much_is_not_overtaken() {
    let steering = Steering::default();
    let mut all = outlets(9);
    for one in &mut all {
        one.min_w = 4_140;
        one.rated_w = 11_000;
        one.standing = Standing::new(0, at(0));
    }
    // The turns of three end one after the other, so that there is never room for the large one unless it is kept for it.
    for (n, one) in all.iter_mut().take(3).enumerate() {
        one.standing.held_w = 4_140;
        one.standing.turn = Turn::Charges {
            since: at(-300 * n as i64),
        };
    }
    all[4].min_w = 12_000;
    all[4].rated_w = 20_000;
    all[5].weight = 10;
    let mut had = [0_i64; 9];
    let mut first = [i64::MAX; 9];
    let mut pauses = 0;
    for minute in 0..720 {
        let now = at(minute * 60);
        let before = all.clone();
        settle(&steering, 14_000, &mut all, now);
        let paused = |(a, b): &(&Outlet, &Outlet)| a.standing.held_w > 0 && b.standing.held_w == 0;
        pauses += before.iter().zip(&all).filter(paused).count();
        assert!(held(&all) <= 14_000);
        for (n, one) in all.iter().enumerate() {
            let limit_w = one.standing.held_w;
            assert!(limit_w == 0 || limit_w >= one.min_w);
            if limit_w > 0 {
                had[n] += 1;
                first[n] = first[n].min(minute);
            }
        }
    }
    // Twelve hours: each has had its turns, the first within a quarter of an hour for each of those before it.
    assert!(first.iter().all(|minute| *minute <= 8 * 15), "{first:?}");
    assert!(had.iter().all(|minutes| *minutes >= 60), "{had:?}");
    assert!(had[5] > had[0], "{had:?}");
    let small: Vec<i64> = [0, 1, 2, 3, 6, 7, 8].iter().map(|n| had[*n]).collect();
    let spread = small.iter().max().unwrap() - small.iter().min().unwrap();
    assert!(spread <= 30, "{had:?}");
    // Nobody is switched off within a turn: at most three charge at a time, for 48 quarters of an hour.
    assert!(pauses <= 3 * 48, "{pauses}");
}

#[test]
fn one_that_can_never_charge_holds_nobody_up() {
    let steering = eager();
    let mut all = outlets(3);
    all[0].min_w = 9_000;
    all[0].rated_w = 9_000;
    for one in &mut all {
        one.standing = Standing::new(0, at(0));
    }
    let shared = share(
        &transformer(),
        &steering,
        other(8_000, at(60)),
        &all,
        at(60),
    );
    assert_eq!(limits(&shared), [0, 4_000, 4_000]);
    assert_eq!(shared.given[0].why, Why::TooLittle);
}

#[test]
fn the_static_shares_fit_even_when_nobody_is_asked_any_more() {
    let steering = eager();
    let all = outlets(12);
    assert_eq!(grid::statics(&transformer(), &steering, &all), [5_000; 12]);
    // Too many for all: the first of the heaviest have theirs.
    let mut many = outlets(60);
    many[59].weight = 2;
    let statics = grid::statics(&transformer(), &steering, &many);
    assert!(statics.iter().sum::<i64>() <= 60_000);
    assert!(statics[59] > 0);
    assert!(statics.iter().all(|w| *w == 0 || *w >= 1_320));
    // Told 6 kW: that holds until it ends, then the static share.
    let mut standing = Standing::new(2_000, at(0));
    standing.accepted(6_000, at(10), &steering);
    let later = |seconds| grid::without_us(&standing, 2_000, at(10 + seconds));
    assert_eq!(later(VALID_SECONDS - 1), 6_000);
    assert_eq!(later(VALID_SECONDS), 2_000);
}

#[test]
fn a_station_is_told_in_a_form_that_any_protocol_has() {
    let order = Order {
        outlet: 0,
        limit_w: 4_146,
    };
    let place = At {
        outlet: 2,
        transaction: "77".to_owned(),
        phases: Some(3),
    };
    let limit = grid::of_transaction(&order, &place, at(0));
    assert_eq!(limit.purpose, Purpose::Transaction);
    assert_eq!((limit.id, limit.stack_level), (20_002, 1));
    assert_eq!(limit.transaction.as_deref(), Some("77"));
    assert_eq!(limit.valid_to, Some(at(VALID_SECONDS)));
    assert!(Steering::default().refresh_seconds < VALID_SECONDS);
    let always = grid::of_static(2, 1_320, at(0));
    assert_eq!((always.id, always.stack_level), (10_002, 0));
    assert_eq!((always.transaction, always.valid_to), (None, None));
    assert_eq!(grid::deci_amperes(4_146, 3, 230), 60);
    assert_eq!(grid::deci_amperes(4_139, 3, 230), 59);
    assert_eq!(grid::deci_amperes(1_320, 1, 220), 60);
    assert_eq!(grid::deci_amperes(1_320, 0, 220), 0);
}

/// An outlet as anything may have left it.
fn any_outlet(id: usize) -> impl Strategy<Value = Outlet> {
    let power = (-10..30_000_i64, 0..40_000_i64, 0..12_u8);
    let drawn = proptest::option::of((0..40_000_i64, 0..2_000_i64));
    let standing = (0..40_000_i64, 0..2_000_i64, 0..2_000_i64, any::<bool>());
    (power, drawn, standing, proptest::bool::weighted(0.8)).prop_map(
        move |((min_w, rated_w, weight), drawn, (held_w, told, turn, charges), is_reachable)| {
            let since = at(turn);
            Outlet {
                id: format!("CP{id:02}"),
                min_w,
                rated_w,
                weight,
                drawn: drawn.map(|(w, seconds)| Measured { w, at: at(seconds) }),
                is_reachable,
                standing: Standing {
                    held_w,
                    told_at: at(told),
                    raised_at: at(told),
                    turn: if charges {
                        Turn::Charges { since }
                    } else {
                        Turn::Waits { since }
                    },
                },
            }
        },
    )
}

fn any_outlets() -> impl Strategy<Value = Vec<Outlet>> {
    (0..10_usize).prop_flat_map(|number| (0..number).map(any_outlet).collect::<Vec<_>>())
}

fn least(outlet: &Outlet) -> i64 {
    outlet.min_w.clamp(1, outlet.rated_w.max(1))
}

proptest! {
    #[test]
    fn it_is_never_more_than_there_is_and_never_less_than_is_of_use(
        all in any_outlets(), left in -20_000..150_000_i64, is_calm in any::<bool>(),
    ) {
        let steering = if is_calm { Steering::default() } else { eager() };
        let now = at(2_000);
        let shared = share(&transformer(), &steering, other(left, now), &all, now);
        let sum: i64 = limits(&shared).iter().sum();
        prop_assert!(sum <= shared.budget_w + shared.over_w, "{shared:?}");
        for (outlet, Given { limit_w, why }) in all.iter().zip(&shared.given) {
            match why {
                Why::OutOfReach => prop_assert_eq!(*limit_w, outlet.standing.held_w),
                Why::Waits | Why::TooLittle => prop_assert_eq!(*limit_w, 0),
                _ => prop_assert!((least(outlet)..=outlet.rated_w.max(1)).contains(limit_w)),
            }
        }
        // In another order everybody gets the same.
        let mut turned: Vec<Outlet> = all.clone();
        turned.reverse();
        let mut again = limits(&share(&transformer(), &steering, other(left, now), &turned, now));
        again.reverse();
        prop_assert_eq!(again, limits(&shared));
    }

    #[test]
    fn it_is_fair(mut all in any_outlets(), left in 0..150_000_i64) {
        let steering = eager();
        let now = at(2_000);
        for one in &mut all {
            one.is_reachable = true;
            one.drawn = None;
        }
        let shared = share(&transformer(), &steering, other(left, now), &all, now);
        let served: Vec<(&Outlet, i64)> = all.iter().zip(limits(&shared)).filter(|(_, w)| *w > 0).collect();
        let weight = |outlet: &Outlet| i64::from(outlet.weight.clamp(1, 10));
        let can_use = |outlet: &Outlet| outlet.rated_w.max(1);
        for (poor, has) in &served {
            for (rich, much) in &served {
                // Nobody has more by weight than one who could use more, unless it is the minimum.
                let is_richer = much / weight(rich) > has / weight(poor) + 1;
                prop_assert!(!(is_richer && *has < can_use(poor) && *much > least(rich)), "{served:?}");
            }
        }
        // Nothing is left over that somebody who charges could use, but less than the sum of the weights.
        let sum: i64 = served.iter().map(|(_, w)| w).sum();
        let weights: i64 = served.iter().map(|(outlet, _)| weight(outlet)).sum();
        let is_full = served.iter().all(|(outlet, w)| *w >= can_use(outlet));
        prop_assert!(is_full || sum + weights > left, "{left}: {served:?}");
    }

    #[test]
    fn more_power_gives_nobody_less(number in 1..9_usize, left in 12_000..60_000_i64, more in 0..20_000_i64) {
        let all = outlets(number);
        let of = |left| limits(&share(&transformer(), &eager(), other(left, at(9)), &all, at(9)));
        for (less, more) in of(left).into_iter().zip(of(left + more)) {
            prop_assert!(less <= more);
        }
    }

    #[test]
    fn whatever_stations_do_with_it_the_sum_fits_or_does_not_grow(
        mut all in any_outlets(),
        rounds in proptest::collection::vec((-20_000..150_000_i64, 1..1_200_i64, proptest::collection::vec(0..4_u8, 10)), 1..12),
    ) {
        let steering = Steering::default();
        let mut clock = 2_000;
        for (left, passes, answers) in rounds {
            clock += passes;
            let now = at(clock);
            let shared = share(&transformer(), &steering, other(left, now), &all, now);
            let before = held(&all);
            let told = orders(&steering, &all, &shared, now);
            // In any order, and not all: 0 refuses, and is out of reach from then on.
            let mut by_answer: Vec<(u8, Order)> = told.iter().map(|order| (answers[order.outlet], *order)).collect();
            by_answer.sort_by_key(|(answer, order)| (*answer, order.outlet));
            for (answer, order) in by_answer {
                let outlet = &mut all[order.outlet];
                prop_assert!(outlet.is_reachable);
                if answer == 0 {
                    outlet.is_reachable = false;
                } else {
                    outlet.standing.accepted(order.limit_w, now, &steering);
                }
                prop_assert!(held(&all) <= before.max(shared.budget_w));
            }
            // Where everybody obeys, it comes to rest within the limit.
            let mut obeying = all.clone();
            settle(&steering, left, &mut obeying, now);
            let shared = share(&transformer(), &steering, other(left, now), &obeying, now);
            prop_assert!(held(&obeying) <= left.max(0) + shared.over_w);
        }
    }
}
