//! Laws: nothing panics, work ends, and how the bytes are cut into pieces changes nothing.

mod talk;

use proptest::prelude::*;
use proto_mqtt::decode::{Front, front};
use proto_mqtt::{Config, Version};
use talk::Host;

const CONNECT_5: &str = "101200044d5154540502003c0000057061686f31";
const CONNECT_4: &str = "101000044d51545404020000000474657374";

/// Real packets and pieces of them, so that random input reaches beyond the first byte.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let real = [
        CONNECT_5,
        CONNECT_4,
        "3222000e636f756e74792f646576312f7570000105020000003c7b2274223a32312e357d",
        "3417000e636f756e74792f646576322f7570000168656c6c6f",
        "8211000100000b636f756e74792f2b2f757001",
        "a2100001000b636f756e74792f2b2f7570",
        "40020001",
        "62020001",
        "c000",
        "e000",
    ]
    .map(|h| hex::decode(h).unwrap());
    let piece = prop_oneof![
        4 => proptest::sample::select(real.to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let mutation = proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (proptest::collection::vec(piece, 0..8), mutation).prop_map(|(pieces, mutation)| {
        let mut bytes = pieces.concat();
        if let Some((at, byte)) = mutation
            && !bytes.is_empty()
        {
            let n = at.index(bytes.len());
            bytes[n] = byte;
        }
        bytes
    })
}

fn play(connect: &str, pieces: &[&[u8]]) -> (String, String) {
    let mut host = Host::new(Config {
        packet_bytes_max: 64,
        oversize_kept_bytes: 32,
        ..Config::default()
    });
    host.feed(&hex::decode(connect).unwrap());
    for piece in pieces {
        host.feed(piece);
    }
    host.session.durable(u64::MAX);
    (
        std::mem::take(&mut host.said),
        hex::encode(std::mem::take(host.session.output())),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in packets()) {
        for version in [None, Some(Version::V311), Some(Version::V5)] {
            if let Ok(Front::Packet(_, used)) = front(&bytes, version, 1000) {
                prop_assert!(used >= 2 && used <= bytes.len());
            }
        }
    }

    #[test]
    fn a_packet_cut_short_is_incomplete(bytes in packets()) {
        if let Ok(Front::Packet(_, used)) = front(&bytes, Some(Version::V5), 1000) {
            for end in 0..used {
                let cut = front(&bytes[..end], Some(Version::V5), 1000);
                prop_assert!(matches!(cut, Ok(Front::Incomplete(n)) if n > 0 && n <= used - end));
            }
        }
    }

    #[test]
    fn cutting_changes_nothing(bytes in packets(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut ends: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let mut start = 0;
        let pieces: Vec<&[u8]> = ends.iter().map(|end| {
            let piece = &bytes[start..*end];
            start = *end;
            piece
        }).collect();
        for connect in [CONNECT_4, CONNECT_5] {
            prop_assert_eq!(play(connect, &pieces), play(connect, &[&bytes]));
        }
    }

    #[test]
    fn a_filter_that_covers_matches_at_least_as_much(
        allowed in "[ab+]?(/[ab+]){0,3}(/#)?", wanted in "[ab+](/[ab+]){0,3}(/#)?", topic in "[ab](/[ab]){0,4}"
    ) {
        use proto_mqtt::topic::{covers, matches};
        if covers(&allowed, &wanted) && matches(&wanted, &topic) {
            prop_assert!(matches(&allowed, &topic), "{} {} {}", allowed, wanted, topic);
        }
    }

    #[test]
    fn the_tree_finds_what_the_filter_matches(
        filters in proptest::collection::vec("[ab+$](/[ab+]){0,3}(/#)?", 1..8), topic in "[ab$](/[ab]){0,4}"
    ) {
        use proto_mqtt::topic::{FilterTree, matches};
        let mut tree = FilterTree::default();
        for (n, filter) in filters.iter().enumerate() {
            tree.insert(filter, n, ());
        }
        let mut found = Vec::new();
        tree.find(&topic, &mut |n, ()| found.push(*n));
        found.sort_unstable();
        let expected: Vec<usize> = (0..filters.len()).filter(|n| matches(&filters[*n], &topic)).collect();
        prop_assert_eq!(found, expected);
    }
}
