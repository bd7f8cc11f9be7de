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
    // Of those of OAuth, each asks who it is by the protocol's own means; the two of /api/v1/oidc tell nobody's secret;
    // those of the session ask for the cookie of the step before, which is good once and for minutes; those of an outside
    // provider sign in, and answer 404 where the settings name none; those of the portal answer 404 until `portal.open` is set.
    let expected = [
        "GET /.well-known/oauth-authorization-server public",
        "GET /.well-known/openid-configuration public",
        "GET /api/openapi.json public",
        "GET /api/v1/oidc/logout public",
        "GET /api/v1/oidc/refusal public",
        "GET /api/v1/public/catalog.jsonld public",
        "GET /api/v1/public/packages.csv public",
        "GET /api/v1/public/packages.json public",
        "GET /api/v1/public/plan public",
        "GET /api/v1/public/plan.csv public",
        "GET /api/v1/public/plan.json public",
        "GET /api/v1/session/methods public",
        "GET /api/v1/session/outside/{provider}/callback public",
        "GET /api/v1/session/second public",
        "GET /healthz public",
        "GET /metrics public",
        "GET /oauth2/authorize public",
        "GET /oauth2/jwks public",
        "GET /oauth2/logout public",
        "GET /oauth2/userinfo public",
        "GET /readyz public",
        "POST /api/v1/notifications/acknowledge public",
        "POST /api/v1/notifications/receipts/{channel}/{secret} public",
        "POST /api/v1/session public",
        "POST /api/v1/session/enrol/passkey public",
        "POST /api/v1/session/enrol/passkey/question public",
        "POST /api/v1/session/enrol/totp public",
        "POST /api/v1/session/enrol/totp/confirm public",
        "POST /api/v1/session/outside/{provider} public",
        "POST /api/v1/session/passkey public",
        "POST /api/v1/session/passkey/question public",
        "POST /api/v1/session/second public",
        "POST /evcs/{version}/{interface} public",
        "POST /oauth2/authorize public",
        "POST /oauth2/device_authorization public",
        "POST /oauth2/introspect public",
        "POST /oauth2/logout public",
        "POST /oauth2/revoke public",
        "POST /oauth2/token public",
        "POST /oauth2/userinfo public",
    ];
    assert_eq!(public, expected);
}
