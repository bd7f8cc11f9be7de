//! Areal rain: Thiessen's areas against an independent program (tests/reference/thiessen.py), and inverse distance.

use pack_water::areal::{Basin, Point, inverse_distance, project, thiessen, thiessen_areas};

fn points(km: &[(f64, f64)]) -> Vec<Point> {
    km.iter()
        .map(|(x, y)| Point {
            x: x * 1e3,
            y: y * 1e3,
        })
        .collect()
}

fn basin() -> Basin {
    Basin {
        outer: vec![points(&[
            (0.0, 0.0),
            (40.0, -5.0),
            (70.0, 10.0),
            (55.0, 30.0),
            (80.0, 50.0),
            (50.0, 70.0),
            (30.0, 45.0),
            (10.0, 60.0),
            (-10.0, 30.0),
        ])],
        holes: vec![points(&[
            (20.0, 15.0),
            (30.0, 15.0),
            (30.0, 25.0),
            (20.0, 25.0),
        ])],
    }
}

fn gauges() -> Vec<Point> {
    points(&[
        (5.0, 5.0),
        (25.0, 20.0),
        (45.0, 5.0),
        (60.0, 15.0),
        (50.0, 40.0),
        (70.0, 52.0),
        (15.0, 45.0),
        (-20.0, 20.0),
        (40.0, 60.0),
        (90.0, 0.0),
    ])
}

#[test]
fn an_independent_program_has_the_same_areas() {
    let theirs = [
        488.691_222_727,
        640.373_806_301,
        466.751_335_243,
        319.763_727_227,
        621.808_041_863,
        325.686_717_923,
        715.723_148_353,
        116.506_478_903,
        279.695_521_460,
        0.0,
    ];
    let ours = thiessen_areas(&basin(), &gauges());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a / 1e6 - b).abs() < 1e-8, "{a} {b}");
    }
    assert!(
        (ours.iter().sum::<f64>() - basin().area()).abs() < 1.0,
        "the parts are the whole"
    );
    let weights = thiessen(&basin(), &gauges());
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let shared = thiessen_areas(&basin(), &points(&[(5.0, 5.0), (5.0, 5.0)]));
    assert!((shared[0] - shared[1]).abs() < 1e-6 && (shared[0] * 2.0 - basin().area()).abs() < 1.0);
}

#[test]
fn inverse_distance_is_fair() {
    // Two gauges that lie as a mirror's two sides weigh the same; the nearer of others weighs more.
    let square = Basin {
        outer: vec![points(&[
            (0.0, 0.0),
            (10.0, 0.0),
            (10.0, 10.0),
            (0.0, 10.0),
        ])],
        holes: Vec::new(),
    };
    let even = inverse_distance(&square, &points(&[(2.0, 5.0), (8.0, 5.0)]), 2.0, 50);
    assert!((even[0] - 0.5).abs() < 1e-12 && (even[1] - 0.5).abs() < 1e-12);
    let odd = inverse_distance(&square, &points(&[(5.0, 5.0), (30.0, 5.0)]), 2.0, 50);
    assert!(odd[0] > 0.9 && (odd[0] + odd[1] - 1.0).abs() < 1e-12);
    // A gauge on a cell's middle does not divide by nothing.
    let on = inverse_distance(&square, &points(&[(5.0, 5.0), (1.0, 1.0)]), 2.0, 1);
    assert_eq!(on, [1.0, 0.0]);
}

#[test]
fn the_plane_has_true_areas() {
    // A degree square at 30° to 31° N on the authalic sphere: R² Δλ (sin 31° − sin 30°).
    let middle = (113.5, 30.5);
    let n = 200;
    let side = |k: i32| f64::from(k) / f64::from(n);
    let mut ring = Vec::new();
    ring.extend((0..n).map(|k| project(113.0 + side(k), 30.0, middle)));
    ring.extend((0..n).map(|k| project(114.0, 30.0 + side(k), middle)));
    ring.extend((0..n).map(|k| project(114.0 - side(k), 31.0, middle)));
    ring.extend((0..n).map(|k| project(113.0, 31.0 - side(k), middle)));
    let basin = Basin {
        outer: vec![ring],
        holes: Vec::new(),
    };
    let truth = 6_371_007.2_f64.powi(2) * 1f64.to_radians() * (31f64.to_radians().sin() - 0.5);
    assert!(
        (basin.area() / truth - 1.0).abs() < 1e-7,
        "{} {truth}",
        basin.area()
    );
}
