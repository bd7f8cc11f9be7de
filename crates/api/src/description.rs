//! The API's description as clients read it: `web/openapi.json` is this, and the pages' types are made from it.

use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The description as JSON, its keys in order whatever the features that `serde_json` was built with.
pub fn json() -> Value {
    let (description, _) = crate::app::description();
    let mut json = serde_json::to_value(&description).unwrap_or_default();
    json.sort_all_objects();
    json
}

/// Gives every operation an id of its own, and says of every property that the server answers with that it is
/// there: what has no value is null, never left out. What clients send keeps its optional properties.
pub fn complete(description: &mut OpenApi) {
    for (path, item) in &mut description.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(operation_id(method, path));
                let otherwise = match path.as_str() {
                    path if path.starts_with(PROTOCOL_PATHS) => FAULT,
                    path if path.starts_with(REQUEST_PATHS) => REQUEST_FAULT,
                    _ => PROBLEM,
                };
                refusals(operation, otherwise);
            }
        }
    }
    let components = description.components.get_or_insert_default();
    let responses = &mut components.responses;
    responses.insert(PROBLEM.to_owned(), problem().build().into());
    responses.insert(FAULT.to_owned(), fault().into());
    responses.insert(REQUEST_FAULT.to_owned(), request_fault().into());
    let sent = sent_by_clients(&serde_json::to_value(&*description).unwrap_or_default());
    for (name, schema) in &mut description.components.get_or_insert_default().schemas {
        if let RefOr::T(schema) = schema
            && !sent.contains(name)
        {
            require_all(schema);
        }
    }
}

/// The name of the answer that every refusal is.
const PROBLEM: &str = "Problem";
/// How it is sent (RFC 9457).
const PROBLEM_TYPE: &str = "application/problem+json";
/// The schema of its body.
const PROBLEM_SCHEMA: &str = "ProblemDocument";

/// Operations of OAuth 2.0 and OpenID Connect refuse in the protocol's own words (RFC 6749, section 5.2).
const PROTOCOL_PATHS: &str = "/oauth2/";
/// The name of the answer that their refusals are.
const FAULT: &str = "ProtocolFault";

/// Open311 GeoReport v2 refuses in its own form, in the format that was asked for.
const REQUEST_PATHS: &str = "/open311/";
/// The name of the answer that its refusals are.
const REQUEST_FAULT: &str = "ServiceRequestFault";

/// What Open311 GeoReport v2 says of a refusal: a list of codes and descriptions.
fn request_fault() -> Response {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let code = ObjectBuilder::new().schema_type(Type::Integer);
    let one = ObjectBuilder::new()
        .property("code", code)
        .property("description", text())
        .required("code")
        .required("description");
    let all = ArrayBuilder::new().items(one);
    problem()
        .description("Why it was refused, as GeoReport v2 says it.")
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(all)).build(),
        )
        .content(
            "text/xml",
            ContentBuilder::new().schema(Some(text())).build(),
        )
        .build()
}

/// A fault in the protocol's words, or a problem where a request did not come so far.
fn fault() -> Response {
    let word = |text: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(text))
    };
    let schema = ObjectBuilder::new()
        .property("error", word("The protocol's word for it."))
        .property("error_description", word("What is wrong, for people."))
        .required("error");
    problem()
        .description("Why it was refused, in the protocol's words.")
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(schema)).build(),
        )
        .build()
}

fn problem() -> ResponseBuilder {
    let schema = Ref::from_schema_name(PROBLEM_SCHEMA);
    ResponseBuilder::new()
        .description("Why it was refused, where, and what mends it.")
        .content(
            PROBLEM_TYPE,
            ContentBuilder::new().schema(Some(schema)).build(),
        )
}

/// Says how an operation is refused: that a problem is sent as what it is; that who is not signed in, or may not, is told
/// so; and that whatever else is wrong is told in the same shape.
fn refusals(operation: &mut Operation, otherwise: &str) {
    let is_guarded = operation.security.iter().flatten().any(|one| {
        serde_json::to_value(one).is_ok_and(|v| v.as_object().is_some_and(|o| !o.is_empty()))
    });
    let responses = &mut operation.responses.responses;
    let problem_ref = serde_json::json!({"$ref": format!("#/components/schemas/{PROBLEM_SCHEMA}")});
    for response in responses.values_mut() {
        let RefOr::T(response) = response else {
            continue;
        };
        let is_problem = response
            .content
            .get("application/json")
            .is_some_and(|content| {
                serde_json::to_value(content).is_ok_and(|content| content["schema"] == problem_ref)
            });
        if is_problem && let Some(content) = response.content.shift_remove("application/json") {
            response.content.insert(PROBLEM_TYPE.to_owned(), content);
        }
    }
    let named = if is_guarded {
        &["401", "403", "default"][..]
    } else {
        &["default"]
    };
    for status in named {
        responses
            .entry((*status).to_owned())
            .or_insert_with(|| Ref::from_response_name(otherwise).into());
    }
}

/// `get_cases_id` for `GET /api/v1/cases/{id}`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    std::iter::once(method)
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn require_all(schema: &mut Schema) {
    match schema {
        Schema::Object(object) => object.required = object.properties.keys().cloned().collect(),
        Schema::AllOf(all) => {
            for item in &mut all.items {
                if let RefOr::T(schema) = item {
                    require_all(schema);
                }
            }
        }
        _ => {}
    }
}

/// Names of the schemas that request bodies refer to.
fn sent_by_clients(description: &Value) -> BTreeSet<String> {
    let operations = description["paths"].as_object().into_iter().flatten();
    operations
        .filter_map(|(_, path)| path.as_object())
        .flatten()
        .filter_map(|(_, operation)| operation["requestBody"]["content"].as_object())
        .flatten()
        .filter_map(|(_, content)| content["schema"]["$ref"].as_str())
        .filter_map(|reference| reference.strip_prefix("#/components/schemas/"))
        .map(str::to_owned)
        .collect()
}

fn degrees(count: usize, description: &str) -> RefOr<Schema> {
    let number = ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)));
    ArrayBuilder::new()
        .items(number)
        .min_items(Some(count))
        .max_items(Some(count))
        .description(Some(description))
        .into()
}

/// How `[longitude, latitude]` is described.
pub struct Place;

impl PartialSchema for Place {
    fn schema() -> RefOr<Schema> {
        degrees(2, "Longitude and latitude, WGS 84 degrees.")
    }
}

impl ToSchema for Place {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Place")
    }
}

/// How `[west, south, east, north]` is described.
pub struct Bounds;

impl PartialSchema for Bounds {
    fn schema() -> RefOr<Schema> {
        degrees(4, "West, south, east, north, WGS 84 degrees.")
    }
}

impl ToSchema for Bounds {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Bounds")
    }
}
