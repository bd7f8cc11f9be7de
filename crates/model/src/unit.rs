//! Units of measure: UN/CEFACT Recommendation 20 common codes (what NGSI-LD's `unitCode` holds), the
//! symbols that SenML (RFC 8428 clause 12.1) and people write, and conversion between those of one dimension.

/// One unit: its code, the symbols that mean it, its dimension, and `base = value × factor + offset`.
#[derive(Debug, PartialEq)]
pub struct Unit {
    /// UN/CEFACT common code, e.g. `MTR`.
    pub code: &'static str,
    /// The symbol for people, first, then other spellings that are understood.
    pub symbols: &'static [&'static str],
    /// What is measured; units convert within one dimension only.
    pub dimension: &'static str,
    /// Multiplier to the dimension's base unit.
    pub factor: f64,
    /// Added after multiplying, to reach the base unit.
    pub offset: f64,
}

const fn unit(
    code: &'static str,
    symbols: &'static [&'static str],
    dimension: &'static str,
    factor: f64,
    offset: f64,
) -> Unit {
    Unit {
        code,
        symbols,
        dimension,
        factor,
        offset,
    }
}

/// Every unit the platform knows.
pub static UNITS: &[Unit] = &[
    unit("MTR", &["m"], "length", 1.0, 0.0),
    unit("CMT", &["cm"], "length", 0.01, 0.0),
    unit("MMT", &["mm"], "length", 0.001, 0.0),
    unit("KMT", &["km"], "length", 1_000.0, 0.0),
    unit("MTK", &["m²", "m2"], "area", 1.0, 0.0),
    unit("KMK", &["km²", "km2"], "area", 1_000_000.0, 0.0),
    unit("MTQ", &["m³", "m3"], "volume", 1.0, 0.0),
    // Rec. 20 has two codes for a million cubic metres: by that name, and as a cubic hectometre.
    unit("HMQ", &["10⁶ m³", "Mm³"], "volume", 1_000_000.0, 0.0),
    unit("H19", &["hm³", "hm3"], "volume", 1_000_000.0, 0.0),
    unit("LTR", &["L", "l"], "volume", 0.001, 0.0),
    unit("MQS", &["m³/s", "m3/s"], "flow", 1.0, 0.0),
    unit("MQH", &["m³/h", "m3/h"], "flow", 1.0 / 3_600.0, 0.0),
    unit("MTS", &["m/s"], "speed", 1.0, 0.0),
    unit("KMH", &["km/h"], "speed", 1.0 / 3.6, 0.0),
    unit("CEL", &["°C", "Cel", "C"], "temperature", 1.0, 273.15),
    unit("KEL", &["K"], "temperature", 1.0, 0.0),
    unit(
        "FAH",
        &["°F"],
        "temperature",
        5.0 / 9.0,
        273.15 - 32.0 * 5.0 / 9.0,
    ),
    unit("P1", &["%", "%RH", "%EL"], "fraction", 0.01, 0.0),
    unit("C62", &["1", "/"], "fraction", 1.0, 0.0),
    unit("PAL", &["Pa"], "pressure", 1.0, 0.0),
    unit("A97", &["hPa"], "pressure", 100.0, 0.0),
    unit("KPA", &["kPa"], "pressure", 1_000.0, 0.0),
    unit("MPA", &["MPa"], "pressure", 1_000_000.0, 0.0),
    unit("WTT", &["W"], "power", 1.0, 0.0),
    unit("KWT", &["kW"], "power", 1_000.0, 0.0),
    unit("MAW", &["MW"], "power", 1_000_000.0, 0.0),
    unit("KVA", &["kVA"], "apparent-power", 1_000.0, 0.0),
    unit("WHR", &["Wh"], "energy", 1.0, 0.0),
    unit("KWH", &["kWh"], "energy", 1_000.0, 0.0),
    unit("JOU", &["J"], "energy", 1.0 / 3_600.0, 0.0),
    unit("VLT", &["V"], "voltage", 1.0, 0.0),
    unit("AMP", &["A"], "current", 1.0, 0.0),
    unit("4K", &["mA"], "current", 0.001, 0.0),
    unit("OHM", &["Ω", "ohm"], "resistance", 1.0, 0.0),
    unit("B49", &["kΩ", "kohm"], "resistance", 1_000.0, 0.0),
    unit("B75", &["MΩ", "Mohm"], "resistance", 1_000_000.0, 0.0),
    unit("HTZ", &["Hz"], "frequency", 1.0, 0.0),
    unit("SEC", &["s"], "time", 1.0, 0.0),
    unit("MIN", &["min"], "time", 60.0, 0.0),
    unit("HUR", &["h"], "time", 3_600.0, 0.0),
    unit("DAY", &["d"], "time", 86_400.0, 0.0),
    // Of 365.25 days, as Rec. 20 has it.
    unit("ANN", &["a", "yr"], "time", 31_557_600.0, 0.0),
    unit(
        "GQ",
        &["µg/m³", "ug/m3", "μg/m³"],
        "mass-concentration",
        1.0,
        0.0,
    ),
    unit(
        "GP",
        &["mg/m³", "mg/m3"],
        "mass-concentration",
        1_000.0,
        0.0,
    ),
    unit("M1", &["mg/L", "mg/l"], "solution", 1.0, 0.0),
    unit("Q30", &["pH"], "acidity", 1.0, 0.0),
    unit("D10", &["S/m"], "conductivity", 1.0, 0.0),
    unit("NTU", &["NTU"], "turbidity", 1.0, 0.0),
    unit("2N", &["dB"], "level", 1.0, 0.0),
    unit("DBM", &["dBm"], "signal", 1.0, 0.0),
    unit("DD", &["°", "deg", "lon", "lat"], "angle", 1.0, 0.0),
    unit("4L", &["Mbit"], "data", 1.0, 0.0),
    unit("E20", &["Mbit/s", "Mbps"], "data-rate", 1.0, 0.0),
    unit("B80", &["Gbit/s", "Gbps"], "data-rate", 1_000.0, 0.0),
    unit("E84", &["Tbit/s", "Tbps"], "data-rate", 1_000_000.0, 0.0),
];

/// Finds a unit by its code or by any of its symbols.
pub fn find(text: &str) -> Option<&'static Unit> {
    UNITS
        .iter()
        .find(|u| u.code == text)
        .or_else(|| UNITS.iter().find(|u| u.symbols.contains(&text)))
}

/// Converts `value` between two units of one dimension; `None` when the dimensions differ.
pub fn convert(value: f64, from: &Unit, to: &Unit) -> Option<f64> {
    if from.dimension != to.dimension {
        return None;
    }
    if from == to {
        return Some(value);
    }
    Some((value * from.factor + from.offset - to.offset) / to.factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centimetres_and_fahrenheit() {
        let f = |a, b, v| convert(v, find(a).unwrap(), find(b).unwrap()).unwrap();
        assert!((f("cm", "MTR", 2_930.0) - 29.30).abs() < 1e-9);
        assert!((f("°F", "CEL", 212.0) - 100.0).abs() < 1e-9);
        assert!((f("K", "°C", 273.15)).abs() < 1e-9);
        assert_eq!(convert(1.0, find("m").unwrap(), find("s").unwrap()), None);
    }

    #[test]
    fn areas_capacities_and_years() {
        let f = |a, b, v| convert(v, find(a).unwrap(), find(b).unwrap()).unwrap();
        assert_eq!(f("km²", "MTK", 2.5), 2_500_000.0);
        assert_eq!(f("HMQ", "MTQ", 7.25), 7_250_000.0);
        assert_eq!(f("hm³", "HMQ", 12.5), 12.5);
        assert_eq!(f("ANN", "DAY", 100.0), 36_525.0);
    }

    #[test]
    fn no_code_or_symbol_is_used_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for unit in UNITS {
            assert!(seen.insert(unit.code), "{} twice", unit.code);
            for symbol in unit.symbols {
                assert!(
                    *symbol == unit.code || seen.insert(symbol),
                    "{symbol} twice"
                );
            }
        }
    }
}
