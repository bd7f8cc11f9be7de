//! The house's rules hold in this checkout.

use xtask::{Tree, root, tidy};

#[test]
fn the_house_is_tidy() {
    let findings = tidy::check(&Tree::read(&root()).unwrap()).unwrap();
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        told.is_empty(),
        "{} findings:\n{}",
        told.len(),
        told.join("\n")
    );
}
