//! The API's description as clients read it: `web/openapi.json` is this, and the pages' types are made from it.

use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{OpenApi, RefOr, Schema};
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
            }
        }
    }
    let sent = sent_by_clients(&serde_json::to_value(&*description).unwrap_or_default());
    for (name, schema) in &mut description.components.get_or_insert_default().schemas {
        if let RefOr::T(schema) = schema
            && !sent.contains(name)
        {
            require_all(schema);
        }
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
