//! Every operation has an access rule: the whole list, so that a change of it is seen in review.

use expect_test::expect_file;

#[test]
fn every_operation_has_its_rule() {
    // Building the description fails when an operation has none.
    let (_, rules) = api::app::description();
    expect_file!["access.txt"].assert_eq(&(rules.listing().join("\n") + "\n"));
}

#[test]
fn only_these_are_public() {
    let (_, rules) = api::app::description();
    let public: Vec<String> = rules
        .listing()
        .into_iter()
        .filter(|line| line.ends_with(" public"))
        .collect();
    let expected = [
        "GET /api/openapi.json public",
        "GET /healthz public",
        "GET /metrics public",
        "GET /readyz public",
        "POST /api/v1/session public",
    ];
    assert_eq!(public, expected);
}
