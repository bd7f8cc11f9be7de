//! Organisations, posts and people on this machine: what the city profile says of organisations, and `jingling org`.
//!
//! Reading order: [`args`], [`commands`].

pub mod args;
pub mod commands;

use city::City;
use records::organisations::Organisation;

/// The organisations of a city profile, towns included, as they are kept.
pub fn of_profile(city: &City) -> Vec<Organisation> {
    let all = city.all_organisations().into_iter();
    all.map(|o| Organisation {
        kind: o.kind,
        division: o.division,
        ..Organisation::department(&o.id, &o.name_zh, &o.name_en)
    })
    .collect()
}
