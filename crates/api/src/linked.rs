//! NGSI-LD answers with the JSON-LD context of what they hold (ETSI GS CIM 009, 6.3.5 and 6.3.6): in the body for who accepts
//! `application/ld+json`, in a `Link` header for everybody else.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::Catalogue;
use pack::Packs;
use pack::schema::{self, CORE_CONTEXT};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The media type of JSON-LD.
pub const JSON_LD: &str = "application/ld+json";
/// What a pack's name stands for where types of several packs are in one answer; no pack can have it.
pub const ALL_PACKS: &str = "all";

/// Whether an answer is wanted as JSON-LD: its media type is accepted, and stands before that of JSON where both do.
fn wants_json_ld(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(','));
    let first = types.find_map(|one| {
        let (name, rest) = one.split_once(';').unwrap_or((one, ""));
        let refused = rest.split(';').any(|p| matches!(p.trim(), "q=0" | "q=0.0"));
        match name.trim() {
            _ if refused => None,
            JSON_LD => Some(true),
            "application/json" | "application/*" | "*/*" => Some(false),
            _ => None,
        }
    });
    first.unwrap_or(false)
}

/// The types that entities are of.
fn types<'a>(entities: impl IntoIterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    let names = entities.into_iter().filter_map(|e| e["type"].as_str());
    names.collect()
}

/// Where the context of these types is had: that of the one pack that declares them, or of all packs.
fn path_of(packs: &Packs, types: &BTreeSet<&str>) -> String {
    let owners: BTreeSet<&str> = packs
        .packs
        .iter()
        .filter(|pack| pack.kinds.iter().any(|kind| types.contains(&*kind.name)))
        .map(|pack| pack.manifest.name.as_str())
        .collect();
    let name = match owners.first() {
        Some(only) if owners.len() == 1 => only,
        _ => ALL_PACKS,
    };
    format!("/api/v1/packs/{name}/context.jsonld")
}

/// The context of the types, for a body: their own terms, then the core's, which come last (4.4). In the body and not as an
/// address: the address asks for a permission that whoever is handed the document need not have.
fn context_of(catalogue: &Catalogue, types: &BTreeSet<&str>) -> Value {
    let kinds = types.iter().filter_map(|name| catalogue.kinds.get(*name));
    let own = schema::context(kinds);
    json!([own["@context"], CORE_CONTEXT])
}

/// One entity as an answer.
pub fn one(headers: &HeaderMap, packs: &Packs, mut entity: Value) -> Response {
    let types = types([&entity]);
    if wants_json_ld(headers) {
        let context = context_of(&packs.catalogue, &types);
        entity["@context"] = context;
        return json_ld(&entity);
    }
    let path = path_of(packs, &types);
    with_link(Json(entity).into_response(), &path)
}

/// Several entities as an answer.
pub fn several(headers: &HeaderMap, packs: &Packs, mut entities: Vec<Value>) -> Response {
    if wants_json_ld(headers) {
        for entity in &mut entities {
            let context = context_of(&packs.catalogue, &types([&*entity]));
            entity["@context"] = context;
        }
        return json_ld(&Value::Array(entities));
    }
    let path = path_of(packs, &types(&entities));
    with_link(Json(entities).into_response(), &path)
}

fn json_ld(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, JSON_LD)], body.to_string()).into_response()
}

fn with_link(mut answer: Response, path: &str) -> Response {
    let link = format!(
        "<{path}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""
    );
    // A pack's name is a folder's, of letters and dashes: it is always a header's value.
    if let Ok(value) = HeaderValue::from_str(&link) {
        answer.headers_mut().insert(header::LINK, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(accept: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        headers
    }

    fn packs() -> Packs {
        Packs::load_all(pack::embedded(), None).unwrap()
    }

    #[test]
    fn json_ld_is_given_to_who_puts_it_first() {
        for (accept, wants) in [
            ("application/ld+json", true),
            ("application/ld+json, application/json", true),
            ("application/json, application/ld+json", false),
            ("*/*", false),
            ("application/ld+json;q=0, application/json", false),
            ("text/html, application/ld+json;q=0.9", true),
        ] {
            assert_eq!(wants_json_ld(&accepting(accept)), wants, "{accept}");
        }
        assert!(!wants_json_ld(&HeaderMap::new()));
    }

    #[test]
    fn the_context_is_linked_or_in_the_body() {
        let packs = packs();
        let lamp = json!({"id": "urn:x:1", "type": "Streetlight"});
        let linked = one(&HeaderMap::new(), &packs, lamp.clone());
        let link = linked.headers()[header::LINK].to_str().unwrap();
        assert!(link.starts_with("</api/v1/packs/pack-lighting/context.jsonld>; rel="));
        let station = json!({"id": "urn:x:2", "type": "WaterObserved"});
        let both = several(&HeaderMap::new(), &packs, vec![lamp.clone(), station]);
        let link = both.headers()[header::LINK].to_str().unwrap();
        assert!(
            link.starts_with("</api/v1/packs/all/context.jsonld>"),
            "{link}"
        );
        let whole = one(&accepting(JSON_LD), &packs, lamp);
        assert_eq!(whole.headers()[header::CONTENT_TYPE], JSON_LD);
        assert!(whole.headers().get(header::LINK).is_none());
    }

    #[test]
    fn a_body_s_context_is_that_of_its_types() {
        let context = context_of(
            &packs().catalogue,
            &BTreeSet::from(["Streetlight", "Unheard"]),
        );
        assert_eq!(context[1], CORE_CONTEXT);
        assert_eq!(
            context[0]["powerState"],
            format!("{}powerState", schema::DEFAULT_CONTEXT)
        );
        assert!(context[0].get("waterLevel").is_none());
    }
}
