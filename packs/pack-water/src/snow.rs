//! Snow before the rainfall–runoff model (融雪): what falls below a temperature lies and melts by degree-days.
//!
//! The degree-day method (度日法), WMO-No. 168 (2009), vol. II, section 6.3; the state is the snow's water, mm.

/// A snow cover that melts by degree-days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snow {
    /// Below this mean temperature it snows, and above it melts, °C.
    pub threshold_c: f64,
    /// What melts in a day for each degree above, mm/(°C·d).
    pub melt_mm: f64,
}

/// Water that reaches the ground (mm a step): rain and melt. `cover` is the snow's water before, and after it.
pub fn run(
    snow: &Snow,
    cover: &mut f64,
    fall: &[f64],
    temperature: &[f64],
    step_h: f64,
) -> Vec<f64> {
    let step = |(p, t): (&f64, &f64)| {
        let p = p.max(0.0);
        if *t < snow.threshold_c {
            *cover += p;
            return 0.0;
        }
        let melt = (snow.melt_mm * (t - snow.threshold_c) * step_h / 24.0).min(*cover);
        *cover -= melt;
        p + melt
    };
    fall.iter().zip(temperature).map(step).collect()
}
