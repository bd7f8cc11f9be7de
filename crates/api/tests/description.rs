//! The API's description is committed, so that a change of it is seen in review and the pages' types are made
//! from it. After a change: `UPDATE_EXPECT=1 cargo nextest run -p api description`, then `npm run types` in `web/`.

use expect_test::expect_file;

/// Operations whose answer is in another standard's own terms, or bytes.
const OF_OTHERS: [&str; 4] = [
    "/api/openapi.json",          // OpenAPI
    "/api/v1/city/layers/{name}", // GeoJSON
    "/ngsi-ld/v1/entities",       // NGSI-LD
    "/ngsi-ld/v1/entities/{id}",  // NGSI-LD
];

#[test]
fn the_committed_description_is_this_one() {
    let text = format!("{:#}\n", api::description::json());
    expect_file!["../../../web/openapi.json"].assert_eq(&text);
}

#[test]
fn every_json_body_has_a_shape() {
    let description = api::description::json();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let is_oauth = path.starts_with("/oauth2/") || path.starts_with("/.well-known/");
        // The shapes of Open311 GeoReport v2 are the standard's.
        let is_of_requests = path.starts_with("/open311/");
        if is_oauth || is_of_requests || OF_OTHERS.contains(&path.as_str()) {
            continue;
        }
        for (method, operation) in operations.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap().iter();
            let bodies = answers
                .map(|(status, answer)| (status.as_str(), &answer["content"]))
                .chain([("request", &operation["requestBody"]["content"])]);
            for (of, content) in bodies {
                let schema = &content["application/json"]["schema"];
                assert_ne!(
                    schema["type"], "object",
                    "{method} {path} {of}: a plain object"
                );
            }
        }
    }
}

#[test]
fn every_operation_has_an_id_of_its_own() {
    let description = api::description::json();
    let paths = description["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<&str> = operations
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let different: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(different.len(), ids.len(), "{ids:?}");
    assert!(different.contains("get_cases_id"), "{ids:?}");
}

#[test]
fn what_the_server_answers_it_answers_whole() {
    let description = api::description::json();
    let schemas = &description["components"]["schemas"];
    let required = |name: &str| schemas[name]["required"].as_array().unwrap().len();
    let properties = |name: &str| schemas[name]["properties"].as_object().unwrap().len();
    assert_eq!(required("Alert"), properties("Alert"));
    assert!(required("CaseAct") < properties("CaseAct"));
}
