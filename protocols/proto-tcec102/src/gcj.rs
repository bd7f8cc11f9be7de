//! GCJ-02 (国测局坐标), in which T/CEC 102.2 writes places, and WGS 84, in which the city keeps them. The shift has no published standard; its
//! formula is the one that maps in use agree on. Outside the mainland's bounding box there is none.

/// Semi-major axis of Krassovsky's ellipsoid, in metres.
const AXIS_M: f64 = 6_378_245.0;
/// Its eccentricity squared.
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;
/// Where the formula's polynomials begin, in degrees.
const ORIGIN: (f64, f64) = (105.0, 35.0);
/// Steps of the way back; each makes the error some thousand times smaller, so four are far below a millimetre.
const STEPS: usize = 4;
/// West, south, east, north of the area that is shifted, in degrees.
const AREA: (f64, f64, f64, f64) = (72.004, 0.8293, 137.8347, 55.8271);

/// Waves of a length: amplitudes and how many half-waves a degree.
fn waves(of: f64, parts: [(f64, f64); 2]) -> f64 {
    let pi = std::f64::consts::PI;
    parts
        .into_iter()
        .map(|(amplitude, halves)| amplitude * (of * halves * pi).sin() * 2.0 / 3.0)
        .sum()
}

fn is_shifted(lon: f64, lat: f64) -> bool {
    let (west, south, east, north) = AREA;
    (west..=east).contains(&lon) && (south..=north).contains(&lat)
}

/// How far a place of WGS 84 is moved, in degrees of longitude and latitude.
fn shift(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = (lon - ORIGIN.0, lat - ORIGIN.1);
    let root = x.abs().sqrt();
    let short = waves(x, [(20.0, 6.0), (20.0, 2.0)]);
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + short
        + waves(y, [(20.0, 1.0), (40.0, 1.0 / 3.0)])
        + waves(y, [(160.0, 1.0 / 12.0), (320.0, 1.0 / 30.0)]);
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + short
        + waves(x, [(20.0, 1.0), (40.0, 1.0 / 3.0)])
        + waves(x, [(150.0, 1.0 / 12.0), (300.0, 1.0 / 30.0)]);
    let (sin, cos) = lat.to_radians().sin_cos();
    let magic = 1.0 - ECCENTRICITY_2 * sin * sin;
    let meridian = AXIS_M * (1.0 - ECCENTRICITY_2) / (magic * magic.sqrt());
    let normal = AXIS_M / magic.sqrt();
    (
        (east / (normal * cos)).to_degrees(),
        (north / meridian).to_degrees(),
    )
}

/// Longitude and latitude in GCJ-02, from WGS 84, in degrees.
pub fn from_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    if !is_shifted(lon, lat) {
        return (lon, lat);
    }
    let (east, north) = shift(lon, lat);
    (lon + east, lat + north)
}

/// Longitude and latitude in WGS 84, from GCJ-02, in degrees; right to a millimetre.
pub fn to_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    if !is_shifted(lon, lat) {
        return (lon, lat);
    }
    let mut found = (lon, lat);
    for _ in 0..STEPS {
        let (east, north) = shift(found.0, found.1);
        found = (lon - east, lat - north);
    }
    found
}
