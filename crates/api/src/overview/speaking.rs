//! Who is expected to say something, and how often: the entities of a type whose pack says so, and whatever a registered device
//! speaks for. Anything else (assets, facilities, resources) is told once and does not speak: it is neither heard nor unheard.

use crate::app::App;
use crate::error::Answer;
use model::{EntityId, Timestamp};
use pack::Packs;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How long the list of devices is kept: one that was added counts this much later at most.
const DEVICES_KEPT: Duration = Duration::from_secs(10);

/// The things that registered devices speak for.
pub(super) type Devices = Arc<HashSet<EntityId>>;

/// Who is expected to speak. Pure.
#[derive(Clone, Debug)]
pub(crate) struct Speaking {
    /// Since when an entity of a type must have been heard.
    since_of_type: HashMap<String, Timestamp>,
    devices: Devices,
    /// The same of what a device speaks for, where the type says nothing.
    since: Timestamp,
}

impl Speaking {
    /// At `now`, where what a device speaks for is heard within `otherwise` when its type says nothing.
    pub fn new(packs: &Packs, devices: Devices, now: Timestamp, otherwise: Duration) -> Self {
        let kinds = packs.packs.iter().flat_map(|pack| &pack.kinds);
        let since_of_type = kinds.filter_map(|kind| {
            let within = Duration::from_secs(kind.heard_within_seconds?.into());
            Some((kind.name.clone(), before(now, within)))
        });
        Self {
            since_of_type: since_of_type.collect(),
            devices,
            since: before(now, otherwise),
        }
    }

    /// Since when that entity must have been heard; `None` when it is not expected to speak.
    pub fn since(&self, entity_type: &str, id: &EntityId) -> Option<Timestamp> {
        let of_type = self.since_of_type.get(entity_type).copied();
        of_type.or_else(|| self.devices.contains(id).then_some(self.since))
    }
}

fn before(now: Timestamp, within: Duration) -> Timestamp {
    now.plus_micros(-i64::try_from(within.as_micros()).unwrap_or(i64::MAX))
}

/// The list of devices, read now and then.
#[derive(Default)]
pub(super) struct Known(Mutex<Option<(Timestamp, Devices)>>);

impl App {
    /// Who is expected to speak now.
    pub(super) async fn speaking(&self, packs: &Packs, now: Timestamp) -> Answer<Speaking> {
        let devices = self.speaking_devices(now).await?;
        let otherwise = self.options.overview.heard_within;
        Ok(Speaking::new(packs, devices, now, otherwise))
    }

    async fn speaking_devices(&self, now: Timestamp) -> Answer<Devices> {
        let Known(known) = &self.overviews.devices;
        if let Some((at, devices)) = &*known.lock()
            && u128::try_from(now.micros_since(*at)).is_ok_and(|age| age < DEVICES_KEPT.as_micros())
        {
            return Ok(Arc::clone(devices));
        }
        let ids = records::devices::ids(&mut *self.records.read().await?).await?;
        let ids = ids.into_iter().filter_map(|id| EntityId::new(id).ok());
        let devices: Devices = Arc::new(ids.collect());
        *known.lock() = Some((now, Arc::clone(&devices)));
        Ok(devices)
    }
}
