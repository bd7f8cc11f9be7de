//! Muskingum routing against the published tables.

use pack_water::muskingum::{self, Coefficients, Reach, Search};
use pack_water::muskingum_cunge::{self, Channel};

/// Wilson, E. M. (1974), Engineering Hydrology, 2nd ed.: inflow and outflow, m³/s, every 6 hours from 0.
pub const WILSON: [(f64, f64); 22] = [
    (22.0, 22.0),
    (23.0, 21.0),
    (35.0, 21.0),
    (71.0, 26.0),
    (103.0, 34.0),
    (111.0, 44.0),
    (109.0, 55.0),
    (100.0, 66.0),
    (86.0, 75.0),
    (71.0, 82.0),
    (59.0, 85.0),
    (47.0, 84.0),
    (39.0, 80.0),
    (32.0, 73.0),
    (28.0, 64.0),
    (24.0, 54.0),
    (22.0, 44.0),
    (21.0, 36.0),
    (20.0, 30.0),
    (19.0, 25.0),
    (19.0, 22.0),
    (18.0, 19.0),
];

/// Chow, V. T., Maidment, D. R. & Mays, L. W. (1988), Applied Hydrology, example 8.4.1: inflow and outflow, ft³/s, every hour from 1.
/// The book prints whole numbers; these have one digit more.
const CHOW: [(f64, f64); 20] = [
    (93.0, 85.0),
    (137.0, 91.0),
    (208.0, 114.2),
    (320.0, 159.5),
    (442.0, 232.6),
    (546.0, 324.5),
    (630.0, 420.0),
    (678.0, 508.6),
    (691.0, 578.4),
    (675.0, 623.3),
    (634.0, 641.7),
    (571.0, 634.6),
    (477.0, 602.8),
    (390.0, 546.0),
    (329.0, 478.6),
    (247.0, 412.5),
    (184.0, 341.1),
    (134.0, 274.0),
    (108.0, 215.3),
    (90.0, 170.5),
];

fn columns(table: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    table.iter().copied().unzip()
}

#[test]
fn chow_example_8_4_1() {
    let c = Coefficients::new(2.3, 0.15, 1.0);
    let digits = |x: f64| (x * 1e4).round() / 1e4;
    assert_eq!(
        (digits(c.c1), digits(c.c2), digits(c.c3)),
        (0.0631, 0.3442, 0.5927)
    );
    assert!(c.are_sound());
    let (inflow, published) = columns(&CHOW);
    let reach = Reach {
        k_h: 2.3,
        x: 0.15,
        ..Reach::default()
    };
    let routed = muskingum::route(&reach, &inflow, 1.0, Some(85.0));
    for (n, (reckoned, published)) in routed.iter().zip(&published).enumerate() {
        assert!(
            (reckoned - published).abs() < 0.051,
            "hour {}: {reckoned} {published}",
            n + 1
        );
    }
    let peak = routed.iter().copied().fold(0.0, f64::max);
    assert_eq!(peak.round(), 642.0);
}

#[test]
fn wilson_linear_fit() {
    let (inflow, outflow) = columns(&WILSON);
    let search = Search {
        k_h: (3.0, 120.0),
        x: (0.0, 0.5),
        lateral: false,
        parts: 1,
    };
    let fit = muskingum::fit(&inflow, &outflow, 6.0, &search).unwrap();
    // The least squares of the linear method: 605.6 at K = 29.2 h, x = 0.221.
    assert_eq!((fit.squares * 10.0).round() / 10.0, 605.6);
    assert_eq!((fit.reach.k_h * 10.0).round() / 10.0, 29.2);
    assert_eq!((fit.reach.x * 1e3).round() / 1e3, 0.221);
    assert!(!fit.at_edge);
    let again = muskingum::fit(&inflow, &outflow, 6.0, &search).unwrap();
    assert_eq!(fit.squares.to_bits(), again.squares.to_bits());
}

#[test]
fn wilson_nonlinear_optimum() {
    // Geem (2006), J. Irrigation and Drainage Eng. 132(5): K = 0.0863, x = 0.2869, m = 1.8681, sum of squares 36.77.
    let (inflow, outflow) = columns(&WILSON);
    let reach = Reach {
        k_h: 0.0863,
        x: 0.2869,
        m: 1.8681,
        ..Reach::default()
    };
    let routed = muskingum::route(&reach, &inflow, 6.0, None);
    let squares = muskingum::squares(&outflow, &routed);
    assert_eq!((squares * 100.0).round() / 100.0, 36.77);
}

#[test]
fn what_comes_in_goes_out() {
    let inflow: Vec<f64> = (0..400)
        .map(|n| if (20..60).contains(&n) { 300.0 } else { 50.0 })
        .collect();
    let reach = Reach {
        k_h: 10.0,
        x: 0.2,
        lateral: 0.0,
        parts: 2,
        ..Reach::default()
    };
    let routed = muskingum::route(&reach, &inflow, 2.0, None);
    let (a, b): (f64, f64) = (inflow.iter().sum(), routed.iter().sum());
    assert!((a - b).abs() < 1e-6 * a);
}

#[test]
fn what_joins_along_the_reach_is_found() {
    let (inflow, _) = columns(&WILSON);
    let truth = Reach {
        k_h: 18.0,
        x: 0.25,
        lateral: 0.3,
        ..Reach::default()
    };
    let outflow = muskingum::route(&truth, &inflow, 6.0, None);
    let search = Search {
        k_h: (3.0, 120.0),
        x: (0.0, 0.5),
        lateral: true,
        parts: 1,
    };
    let fit = muskingum::fit(&inflow, &outflow, 6.0, &search).unwrap();
    assert!((fit.reach.k_h - 18.0).abs() < 1e-3 && (fit.reach.x - 0.25).abs() < 1e-4);
    assert!((fit.reach.lateral - 0.3).abs() < 1e-4);
}

/// Ponce, V. M. (1989), Engineering Hydrology, example 9-4: a wave of 0 to 1000 m³/s, slope 0.000868, flow area 400 m² and surface width
/// 100 m at the peak, exponent of the rating 1.6, reach 14.4 km, step 1 h.
#[test]
fn ponce_example_9_4() {
    let celerity_ms = 1.6 * 1000.0 / 400.0;
    let c = muskingum_cunge::Coefficients::new(celerity_ms, 10.0, 0.000_868, 14_400.0, 3_600.0);
    let digits = |x: f64| (x * 1e3).round() / 1e3;
    assert_eq!(
        (digits(c.c0), digits(c.c1), digits(c.c2)),
        (0.091, 0.818, 0.091)
    );
    assert!(c.is_sound());
    let inflow = [
        0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 800.0, 600.0, 400.0, 200.0, 0.0, 0.0, 0.0,
    ];
    let reach = muskingum_cunge::Reach {
        length_m: 14_400.0,
        slope: 0.000_868,
        channel: Channel::Constant {
            celerity_ms,
            unit_discharge_m2s: 10.0,
        },
        parts: 1,
    };
    let routed = muskingum_cunge::route(&reach, &inflow, 1.0);
    // C₀ × 200 with its three digits, as the book's table has it.
    assert_eq!((routed.outflow[1] * 10.0).round() / 10.0, 18.2);
    assert_eq!(routed.unsound, 0);
}

#[test]
fn a_trapezoid_carries_what_mannings_formula_says() {
    for discharge in [0.5, 20.0, 900.0] {
        let depth = muskingum_cunge::normal_depth(30.0, 2.0, 0.03, 0.0004, discharge);
        let area = depth * (30.0 + 2.0 * depth);
        let wetted = 30.0 + 2.0 * depth * 5.0_f64.sqrt();
        let carried = area * (area / wetted).powf(2.0 / 3.0) * 0.0004_f64.sqrt() / 0.03;
        assert!((carried - discharge).abs() < 1e-9 * discharge);
    }
    let inflow: Vec<f64> = (0..200)
        .map(|n| {
            40.0 + if n < 40 {
                6.0 * f64::from(20 - (n - 20i32).abs())
            } else {
                0.0
            }
        })
        .collect();
    let reach = muskingum_cunge::Reach {
        length_m: 20_000.0,
        slope: 0.0004,
        channel: Channel::Trapezoid {
            bed_m: 30.0,
            bank_slope: 2.0,
            roughness: 0.03,
        },
        parts: 5,
    };
    let routed = muskingum_cunge::route(&reach, &inflow, 1.0).outflow;
    let at = |flow: &[f64]| {
        flow.iter()
            .copied()
            .fold((0.0, 0), |(most, _), v| (f64::max(most, v), 0))
            .0
    };
    assert!(at(&routed) < at(&inflow), "the peak is damped");
    let (a, b): (f64, f64) = (inflow.iter().sum(), routed.iter().sum());
    assert!(
        (a / b - 1.0).abs() < 0.02,
        "variable parameters lose little: {a} {b}"
    );
}
