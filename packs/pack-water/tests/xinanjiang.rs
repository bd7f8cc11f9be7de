//! The Xinanjiang model against an independent program on real rain (tests/reference/xinanjiang.py), and its balance of water.

use pack_water::xinanjiang::{Model, Parameters, State, run};
use proptest::prelude::*;

fn column(file: &str, name: &str) -> Vec<f64> {
    let path = format!("{}/tests/data/{file}.csv", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let at = reader
        .headers()
        .unwrap()
        .iter()
        .position(|n| n == name)
        .unwrap();
    reader
        .records()
        .map(|r| r.unwrap()[at].parse().unwrap())
        .collect()
}

fn slow() -> Parameters {
    Parameters {
        k: 1.2,
        b: 0.25,
        im: 0.02,
        wum: 20.0,
        wlm: 80.0,
        wdm: 250.0,
        c: 0.15,
        sm: 40.0,
        ex: 1.2,
        ki: 0.35,
        kg: 0.35,
        ci: 0.8,
        cg: 0.98,
        cs: 0.4,
        lag_h: 24.0,
        piece_mm: 5.0,
        unit_hydrograph: Vec::new(),
    }
}

fn fast() -> Parameters {
    Parameters {
        k: 1.3,
        b: 0.4,
        im: 0.0,
        wum: 15.0,
        wlm: 70.0,
        wdm: 180.0,
        c: 0.1,
        sm: 20.0,
        ex: 1.5,
        ki: 0.25,
        kg: 0.45,
        ci: 0.5,
        cg: 0.99,
        cs: 0.2,
        lag_h: 48.0,
        piece_mm: 5.0,
        unit_hydrograph: Vec::new(),
    }
}

/// The ordinates of a gamma density, as mizuRoute has them, for a = 1.5 + 0.1 and θ = 0.7 + 0.5.
fn gamma() -> Parameters {
    let density = |n: i32| {
        let t = f64::from(n) + 0.5;
        t.powf(0.6) * (-t / 1.2).exp()
    };
    let all: f64 = (0..15).map(density).sum();
    Parameters {
        k: 1.2,
        b: 0.3,
        im: 0.01,
        wum: 20.0,
        wlm: 75.0,
        wdm: 120.0,
        c: 0.16,
        sm: 30.0,
        ex: 1.0,
        ki: 0.3,
        kg: 0.4,
        ci: 0.7,
        cg: 0.985,
        piece_mm: 5.0,
        unit_hydrograph: (0..15).map(|n| density(n) / all).collect(),
        ..Parameters::default()
    }
}

/// The largest difference, mm a step.
fn apart(file: &str, of: &str, parameters: &Parameters, step_h: f64) -> f64 {
    let (rain, evaporation, theirs) = (
        column(file, "rain_mm"),
        column(file, "evaporation_mm"),
        column(file, of),
    );
    let mut state = State::half(parameters);
    let ours = run(
        &Model::new(parameters, step_h),
        &mut state,
        &rain,
        &evaporation,
    );
    let flood = 0.5 * step_h / 24.0;
    assert!(
        theirs.len() > 1_000 && theirs.iter().any(|q| *q > flood),
        "the series has floods"
    );
    let apart = ours.iter().zip(&theirs).map(|(a, b)| (a.q - b).abs());
    apart.fold(0.0, f64::max)
}

#[test]
fn an_independent_program_says_the_same() {
    for basin in ["02064000", "01547700"] {
        let file = format!("xinanjiang-{basin}");
        let whole = Parameters {
            piece_mm: f64::INFINITY,
            ..slow()
        };
        for (name, parameters) in [
            ("slow", whole),
            ("slow_pieces", slow()),
            ("fast_pieces", fast()),
            ("gamma", gamma()),
        ] {
            let apart = apart(&file, name, &parameters, 24.0);
            assert!(apart < 1e-9, "{basin} {name}: {apart}");
        }
    }
    let hourly = Parameters {
        k: 0.7,
        wdm: 120.0,
        lag_h: 5.0,
        ..slow()
    };
    let apart = apart("xinanjiang-hourly", "slow", &hourly, 1.0);
    assert!(apart < 1e-9, "hourly: {apart}");
}

fn any_parameters() -> impl Strategy<Value = Parameters> {
    let tension = (
        0.2..1.5,
        0.05..0.6,
        0.0..0.2,
        5.0..40.0,
        40.0..120.0,
        10.0..120.0,
        0.05..0.25,
    );
    let free = (
        1.0..100.0,
        0.5..2.0,
        0.01..0.7,
        0.01..0.7,
        0.0..0.95,
        0.9..0.999,
        0.0..0.9,
        0.0..100.0,
    );
    (tension, free).prop_map(
        |((k, b, im, wum, wlm, wdm, c), (sm, ex, ki, kg, ci, cg, cs, lag_h))| Parameters {
            k,
            b,
            im,
            wum,
            wlm,
            wdm,
            c,
            sm,
            ex,
            ki,
            kg,
            ci,
            cg,
            cs,
            lag_h,
            piece_mm: 5.0,
            unit_hydrograph: Vec::new(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Rain is what evaporates, what goes into the network and what is stored; nothing is lost or made.
    #[test]
    fn water_is_kept(p in any_parameters(), rain in prop::collection::vec(prop_oneof![Just(0.0), 0.0..80.0], 200), wish in 0.0..8.0) {
        let model = Model::new(&p, 24.0);
        let mut state = State::half(&p);
        let held = |s: &State| (1.0 - p.im) * (s.wu + s.wl + s.wd + s.s * s.fr);
        let before = held(&state);
        let steps: Vec<_> = rain.iter().map(|r| model.step(&mut state, *r, wish)).collect();
        let mut out = 0.0;
        for step in &steps {
            prop_assert!(step.q.is_finite() && step.q >= 0.0 && step.rs >= 0.0 && step.ri >= 0.0 && step.rg >= 0.0);
            // Of the impervious area evaporates what falls at most.
            out += (1.0 - p.im) * step.e + step.rs + step.ri + step.rg;
        }
        let impervious: f64 = rain.iter().zip(&steps).map(|(r, s)| p.im * r.min(s.e)).sum();
        let all: f64 = rain.iter().sum();
        let left = before + all - out - impervious - held(&state);
        prop_assert!(left.abs() < 1e-6 * (all + before), "{left} of {all}");
    }

    /// A run that is stopped and gone on with is the same run, bit for bit.
    #[test]
    fn a_run_can_be_gone_on_with(p in any_parameters(), at in 1usize..99) {
        let rain: Vec<f64> = (0..100u32).map(|n| f64::from(n * 7919 % 23)).collect();
        let wish = vec![3.0; 100];
        let model = Model::new(&p, 24.0);
        let mut whole = State::half(&p);
        let at_once = run(&model, &mut whole, &rain, &wish);
        let mut state = State::half(&p);
        let mut in_two = run(&model, &mut state, &rain[..at], &wish[..at]);
        in_two.extend(run(&model, &mut state, &rain[at..], &wish[at..]));
        prop_assert!(at_once == in_two);
        prop_assert!(whole == state);
    }
}
