//! What is kept of an entity.

use compact_str::CompactString;
use model::{AttributeName, DeviceId, EntityId, Quality, Timestamp, TypeName, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map};
use std::ops::Deref;
use std::sync::Arc;

/// An entity as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its id.
    pub id: EntityId,
    /// Its type, as first said.
    pub entity_type: TypeName,
    /// Its attributes.
    pub attributes: Attributes,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// When it was last heard of.
    pub modified_at: Timestamp,
    /// Longitude and latitude, WGS 84 degrees, of its `location` (the middle of the box of a shape).
    pub location: Option<[f64; 2]>,
}

/// An entity's attributes by name. A copy shares them until the twin changes the entity, so that asking
/// for thousands of entities copies none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Arc<BTreeMap<AttributeName, AttributeState>>);

impl Attributes {
    /// To change them; copies only what somebody else still looks at.
    pub(crate) fn make_mut(&mut self) -> &mut BTreeMap<AttributeName, AttributeState> {
        Arc::make_mut(&mut self.0)
    }
}

impl Deref for Attributes {
    type Target = BTreeMap<AttributeName, AttributeState>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a AttributeName, &'a AttributeState);
    type IntoIter = btree_map::Iter<'a, AttributeName, AttributeState>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One attribute as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeState {
    /// The value.
    pub value: Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<CompactString>,
    /// When it was so.
    pub observed_at: Timestamp,
    /// When the platform heard of it.
    pub received_at: Timestamp,
    /// How good it is.
    pub quality: Quality,
    /// Journal position of the message that said so.
    pub position: u64,
    /// The device that said so.
    pub device_id: Option<DeviceId>,
}
