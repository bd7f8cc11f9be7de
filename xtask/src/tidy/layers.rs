//! A crate depends on crates of earlier layers only, protocols are named in one place, and pure crates
//! pull in no runtime.

use super::purity;
use crate::Finding;
use cargo_metadata::{DependencyKind, Metadata};

/// The layers, from the ground up. `protocols/*` is [`PROTOCOLS`], `packs/*` is [`PACKS`].
const LAYERS: [(u8, &[&str]); 6] = [
    (0, &["model", "gm"]),
    (
        1,
        &[
            "wire",
            "journal",
            "records",
            "lake",
            "vault",
            "city",
            "imports",
            "advisories",
            "engine",
            "personal",
            "policy",
            "open311",
        ],
    ),
    (2, &["twin"]),
    (
        3,
        &[
            "rules",
            "cases",
            "indicators",
            "identity",
            "oidc",
            "notice",
            "duty",
            "runs",
            "projects",
            "charging",
            "bookings",
            "admission",
        ],
    ),
    (4, &["pack", "commands", "billing"]),
    (5, &["gateway", "api", "pgdoor"]),
];
const PROTOCOLS: u8 = 2;
const PACKS: u8 = 4;
/// The binary: the one place that names concrete protocols, packs and engines.
const BINARY: (&str, u8) = ("jingling", 6);
/// Rooms of the development floor: they may know every layer, tests may know them, and the binary may
/// know the simulator.
const DEVELOPMENT: [&str; 4] = ["testkit", "sim", "faults", "xtask"];
/// Hosts that carry a protocol for the whole house, and the protocol: MQTT has one session machine, and the
/// answers of the HTTP doors are written in the terms of their payload formats.
const DOORS: [(&str, &str); 5] = [
    ("gateway", "proto-mqtt"),
    ("gateway", "proto-ocpp"),
    ("gateway", "proto-sl651"),
    ("api", "proto-ngsild"),
    ("api", "proto-influx"),
];
/// Crates that bring sockets, files, timers or a clock; pure rooms may not depend on them.
const IMPURE: [&str; 7] = [
    "tokio",
    "axum",
    "sqlx",
    "reqwest",
    "rustls",
    "socket2",
    "object_store",
];

/// A crate of the workspace and what it depends on.
#[derive(Clone, Debug)]
pub struct Room {
    /// The crate's name.
    pub name: String,
    /// Its folder from the root.
    pub folder: String,
    /// What it depends on: the name, and whether for tests only.
    pub needs: Vec<(String, bool)>,
}

/// The workspace's crates.
pub fn rooms(metadata: &Metadata) -> Vec<Room> {
    let root = &metadata.workspace_root;
    let room = |package: &cargo_metadata::Package| Room {
        name: package.name.to_string(),
        folder: package
            .manifest_path
            .strip_prefix(root)
            .ok()
            .and_then(|path| path.parent())
            .map_or_else(String::new, |path| path.as_str().replace('\\', "/")),
        needs: package
            .dependencies
            .iter()
            .map(|need| (need.name.clone(), need.kind == DependencyKind::Development))
            .collect(),
    };
    metadata
        .workspace_packages()
        .into_iter()
        .map(room)
        .collect()
}

/// Checks every edge.
pub fn check(rooms: &[Room]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for room in rooms {
        let place = format!("{}/Cargo.toml", room.folder);
        let Some(layer) = layer(room) else {
            findings.push(Finding::new(
                place,
                format!("the crate {} is in no layer", room.name),
                "add it to LAYERS in xtask/src/tidy/layers.rs and to ARCHITECTURE.md",
            ));
            continue;
        };
        for (name, for_tests) in &room.needs {
            if let Some(need) = rooms.iter().find(|other| other.name == *name) {
                findings.extend(edge(room, layer, need, *for_tests, &place));
            } else if !for_tests && purity::is_pure(&room.folder) && IMPURE.contains(&name.as_str())
            {
                findings.push(Finding::new(
                    &place,
                    format!("the pure crate {} depends on {name}", room.name),
                    "take bytes, time and randomness as arguments; leave sockets and files to the host",
                ));
            }
        }
    }
    findings
}

/// The layer of a room; `None` when it has none. The development floor is above all.
fn layer(room: &Room) -> Option<u8> {
    if DEVELOPMENT.contains(&room.name.as_str()) {
        return Some(u8::MAX);
    }
    if room.name == BINARY.0 {
        return Some(BINARY.1);
    }
    match room.folder.split('/').next() {
        Some("protocols") => return Some(PROTOCOLS),
        Some("packs") => return Some(PACKS),
        _ => {}
    }
    LAYERS
        .iter()
        .find(|(_, names)| names.contains(&room.name.as_str()))
        .map(|(layer, _)| *layer)
}

fn edge(
    room: &Room,
    layer_of_room: u8,
    need: &Room,
    for_tests: bool,
    place: &str,
) -> Option<Finding> {
    let is_development = |room: &Room| DEVELOPMENT.contains(&room.name.as_str());
    if is_development(room) {
        return None;
    }
    if is_development(need) {
        let allowed = for_tests || (room.name == BINARY.0 && need.name == "sim");
        return (!allowed).then(|| {
            Finding::new(
                place,
                format!(
                    "{} depends on {}, a room of the development floor",
                    room.name, need.name
                ),
                "make it a dev-dependency",
            )
        });
    }
    let layer_of_need = layer(need)?;
    if layer_of_need >= layer_of_room {
        return Some(Finding::new(
            place,
            format!(
                "{} (layer {layer_of_room}) depends on {} (layer {layer_of_need})",
                room.name, need.name
            ),
            "depend on earlier layers only; pass what is needed through a trait or plain data",
        ));
    }
    let is_protocol = need.folder.starts_with("protocols/");
    let is_host =
        room.name == BINARY.0 || DOORS.contains(&(room.name.as_str(), need.name.as_str()));
    (is_protocol && !is_host && !for_tests).then(|| {
        Finding::new(
            place,
            format!("{} names the protocol {}", room.name, need.name),
            "take it as a trait object; the binary alone names concrete protocols",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str, folder: &str, needs: &[(&str, bool)]) -> Room {
        Room {
            name: name.to_owned(),
            folder: folder.to_owned(),
            needs: needs
                .iter()
                .map(|(name, tests)| ((*name).to_owned(), *tests))
                .collect(),
        }
    }

    fn whats(rooms: &[Room]) -> Vec<String> {
        check(rooms)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn downward_edges_are_good() {
        let rooms = [
            room("model", "crates/model", &[]),
            room(
                "proto-mqtt",
                "protocols/proto-mqtt",
                &[("model", false), ("testkit", true)],
            ),
            room(
                "gateway",
                "crates/gateway",
                &[("proto-mqtt", false), ("tokio", false)],
            ),
            room("sim", "crates/sim", &[("model", false)]),
            room("testkit", "crates/testkit", &[("model", false)]),
            room(
                "jingling",
                "crates/jingling",
                &[("gateway", false), ("sim", false)],
            ),
        ];
        assert_eq!(whats(&rooms), Vec::<String>::new());
    }

    #[test]
    fn bad_edges_are_told() {
        let rooms = [
            room(
                "model",
                "crates/model",
                &[("journal", false), ("tokio", false)],
            ),
            room(
                "journal",
                "crates/journal",
                &[("records", true), ("sim", false)],
            ),
            room("records", "crates/records", &[]),
            room("sim", "crates/sim", &[]),
            room("proto-x", "protocols/proto-x", &[("axum", false)]),
            room("api", "crates/api", &[("proto-x", false)]),
            room("odd", "crates/odd", &[]),
        ];
        assert_eq!(
            whats(&rooms),
            [
                "model (layer 0) depends on journal (layer 1)",
                "the pure crate model depends on tokio",
                "journal (layer 1) depends on records (layer 1)",
                "journal depends on sim, a room of the development floor",
                "the pure crate proto-x depends on axum",
                "api names the protocol proto-x",
                "the crate odd is in no layer",
            ]
        );
    }
}
