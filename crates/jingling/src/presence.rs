//! Whether a device is connected, as the city knows it: an update of the entity
//! `urn:ngsi-ld:Device:<client id>`, written to the journal like any other, so that the online rate is
//! history and not a guess.

use admission::{Incoming, Ingest, Scope};
use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Quality, Timestamp, TypeName, Update, Value,
};
use wire::Payload;

/// The door's name in the journal.
pub const DOOR: &str = "presence";
const ID_PREFIX: &str = "urn:ngsi-ld:Device:";

/// Writes that a device came or went. A refusal is logged: presence is not worth stopping a door for.
pub fn write(ingest: &Ingest, client_id: &str, name: &str, online: bool, at: Timestamp) {
    let update = match update(client_id, name, online, at) {
        Ok(update) => update,
        Err(problem) => {
            tracing::warn!(%problem, client_id, "presence was not written");
            return;
        }
    };
    let raw = format!(
        "{{\"client_id\":{},\"online\":{online}}}",
        serde_json::json!(client_id)
    );
    let incoming = Incoming {
        door: DOOR,
        device_id: None,
        scope: &Scope::Any,
        address: client_id,
        raw: raw.as_bytes(),
        received_at: at,
        retain: false,
    };
    if let Err(refusal) = ingest.submit(
        incoming,
        Payload {
            updates: vec![update],
            problems: vec![],
        },
    ) {
        tracing::warn!(%refusal, client_id, "presence was not written");
    }
}

fn update(
    client_id: &str,
    name: &str,
    online: bool,
    at: Timestamp,
) -> Result<Update, model::Problem> {
    let attribute = |name: &str, value| {
        Ok::<_, model::Problem>(AttributeUpdate {
            name: AttributeName::new(name)?,
            value,
            unit: None,
            observed_at: at,
            quality: Quality::Good,
        })
    };
    Ok(Update {
        entity_id: EntityId::new(format!("{ID_PREFIX}{client_id}"))?,
        entity_type: TypeName::new("Device")?,
        attributes: vec![
            attribute("online", Value::Boolean(online))?,
            attribute("name", Value::Text(name.to_owned()))?,
        ],
    })
}

/// Reads client id, whether it is online, and since when, from a presence record.
pub fn read(accepted: &Accepted) -> impl Iterator<Item = (String, bool, Timestamp)> {
    accepted.updates.iter().filter_map(|update| {
        let client_id = update.entity_id.as_str().strip_prefix(ID_PREFIX)?;
        let online = update
            .attributes
            .iter()
            .find(|a| a.name.as_str() == "online")?;
        match online.value {
            Value::Boolean(is) => Some((client_id.to_owned(), is, online.observed_at)),
            _ => None,
        }
    })
}
