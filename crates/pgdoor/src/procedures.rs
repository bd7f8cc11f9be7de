//! The functions by which PostgreSQL's types are read and written. Drivers tell types apart by them when they connect
//! (`pg_type.typreceive` joined to `pg_proc`); here they have their numbers and names, and nobody can call them.

/// A type's part of a function's name, and the numbers of its functions: in, out, receive, send.
type Four = (&'static str, [i64; 4]);

/// PostgreSQL's own numbers (`pg_proc.dat`).
const PROCEDURES: [Four; 22] = [
    ("bool", [1242, 1243, 2436, 2437]),
    ("bytea", [1244, 31, 2412, 2413]),
    ("int8", [460, 461, 2408, 2409]),
    ("int2", [38, 39, 2404, 2405]),
    ("int4", [42, 43, 2406, 2407]),
    ("text", [46, 47, 2414, 2415]),
    ("json_", [321, 322, 323, 324]),
    ("float4", [200, 201, 2424, 2425]),
    ("float8", [214, 215, 2426, 2427]),
    ("date_", [1084, 1085, 2468, 2469]),
    ("time_", [1143, 1144, 2470, 2471]),
    ("timestamp_", [1312, 1313, 2474, 2475]),
    ("timestamptz_", [1150, 1151, 2476, 2477]),
    ("numeric_", [1701, 1702, 2460, 2461]),
    ("char", [1245, 33, 2434, 2435]),
    ("name", [34, 35, 2422, 2423]),
    ("oid", [1798, 1799, 2418, 2419]),
    ("unknown", [109, 110, 2416, 2417]),
    ("bpchar", [1044, 1045, 2430, 2431]),
    ("varchar", [1046, 1047, 2432, 2433]),
    ("interval_", [1160, 1161, 2478, 2479]),
    // No type here is an array, but whoever looks for arrays asks for these.
    ("array_", [750, 751, 2400, 2401]),
];

const SUFFIXES: [&str; 4] = ["in", "out", "recv", "send"];

/// Every function: its number and its name.
pub(crate) fn all() -> impl Iterator<Item = (i64, String)> {
    PROCEDURES.iter().flat_map(|(part, numbers)| {
        let named = numbers.iter().zip(SUFFIXES);
        named.map(move |(number, suffix)| (*number, format!("{part}{suffix}")))
    })
}

/// The numbers of a type's functions, by its short name: in, out, receive, send.
pub(crate) fn of_type(name: &str) -> [i64; 4] {
    let found = PROCEDURES
        .iter()
        .find(|(part, _)| part.trim_end_matches('_') == name);
    found.map_or([0; 4], |(_, numbers)| *numbers)
}

/// A function's number by its name, which may stand after its schema.
pub(crate) fn number(name: &str) -> Option<i64> {
    let name = name.trim().trim_start_matches("pg_catalog.");
    let found = all().find(|(_, known)| known == name);
    found.map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_number_of_its_own() {
        let mut numbers: Vec<i64> = all().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), PROCEDURES.len() * 4);
        assert_eq!(number("pg_catalog.array_recv"), Some(2400));
        assert_eq!(number("timestamptz_out"), Some(1151));
        assert_eq!(number("flood"), None);
        assert_eq!(of_type("date")[2], 2468);
    }
}
