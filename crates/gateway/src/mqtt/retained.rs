//! Retained messages: the last one of each topic, bounded. They are a projection of the journal: what a
//! topic keeps is written there first, in the order in which it takes effect, and the file only holds the
//! outcome of the records below a position, so that a start replays what came after it.

use super::options::Limits;
use bytes::Bytes;
use model::{Problem, Timestamp};
use proto_mqtt::{Message, Qos, topic};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// Version written; older ones stay readable for ever (see `fixtures/`).
pub const VERSION: u8 = 1;
/// First bytes of the file; the last is the version.
const MAGIC: &[u8; 8] = &[b'J', b'L', b'R', b'E', b'T', b'N', 0, VERSION];
/// Stands for "does not expire" in the file.
const NEVER: i64 = i64::MIN;

/// The retained messages.
#[derive(Debug)]
pub(crate) struct Retained {
    kept: BTreeMap<String, (Arc<Message>, Qos)>,
    bytes: usize,
    count_max: usize,
    bytes_max: usize,
    /// No message that is kept expires before this; `None` when none expires.
    expires_first: Option<Timestamp>,
    /// The journal position after the last record that took effect.
    pub position: u64,
    /// The position that the file has.
    pub saved_position: u64,
    /// Whether anything changed since the last [`Retained::encode`].
    pub changed: bool,
}

impl Retained {
    pub fn new(limits: &Limits) -> Self {
        Self {
            kept: BTreeMap::new(),
            bytes: 0,
            count_max: limits.retained_max,
            bytes_max: limits.retained_bytes_max,
            expires_first: None,
            position: 0,
            saved_position: 0,
            changed: false,
        }
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Lets a record of the journal take effect; see [`Retained::set`].
    pub fn apply(&mut self, position: u64, record: model::Retained) -> bool {
        self.position = position + 1;
        let message = Message {
            topic: record.address,
            payload: record.raw.into(),
            properties: record.properties.into(),
            expires_at: record.expires_at,
        };
        // Only ever written from a `Qos`.
        let qos = Qos::from_bits(record.qos).unwrap_or(Qos::AtLeastOnce);
        self.set(&Arc::new(message), qos, record.received_at)
    }

    /// Keeps the message, published at `now`, as the last of its topic; an empty payload clears the
    /// topic. `false` when there is no room; what stood there before is then gone too, because it is out
    /// of date. Messages that have expired make room.
    pub fn set(&mut self, message: &Arc<Message>, qos: Qos, now: Timestamp) -> bool {
        if let Some((old, _)) = self.kept.remove(&message.topic) {
            self.bytes -= size(&old);
            self.changed = true;
        }
        if message.payload.is_empty() {
            return true;
        }
        if !self.has_room(message) {
            self.drop_expired(now);
            if !self.has_room(message) {
                return false;
            }
        }
        self.bytes += size(message);
        self.changed = true;
        self.expires_first = earlier(self.expires_first, message.expires_at);
        self.kept
            .insert(message.topic.clone(), (Arc::clone(message), qos));
        true
    }

    fn has_room(&self, message: &Message) -> bool {
        self.kept.len() < self.count_max && self.bytes + size(message) <= self.bytes_max
    }

    fn drop_expired(&mut self, now: Timestamp) {
        // Looks through all of them only when one has expired.
        if self.expires_first.is_none_or(|first| first > now) {
            return;
        }
        self.expires_first = None;
        self.kept.retain(|_, (message, _)| {
            let stays = message.seconds_left(now) != Some(0);
            if stays {
                self.expires_first = earlier(self.expires_first, message.expires_at);
            } else {
                self.bytes -= size(message);
                self.changed = true;
            }
            stays
        });
    }

    /// Calls `found` for each message that the filter meets and that has not expired.
    pub fn find(&self, filter: &str, now: Timestamp, found: &mut impl FnMut(&Arc<Message>, Qos)) {
        // Only topics with the part before the first wildcard need to be looked at.
        let fixed = filter.split(['+', '#']).next().unwrap_or_default();
        // "a/#" also means "a".
        let fixed = fixed.strip_suffix('/').unwrap_or(fixed);
        let from = (Bound::Included(fixed), Bound::Unbounded);
        for (name, (message, qos)) in self.kept.range::<str, _>(from) {
            if !name.starts_with(fixed) {
                break;
            }
            if topic::matches(filter, name) && message.seconds_left(now) != Some(0) {
                found(message, *qos);
            }
        }
    }

    /// The file's bytes. `position` is the journal position from which a replay makes it current.
    pub fn encode(&mut self, position: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes + 64 * self.kept.len() + 32);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&position.to_le_bytes());
        out.extend_from_slice(&(self.kept.len() as u32).to_le_bytes());
        for (message, qos) in self.kept.values() {
            let expires = message.expires_at.map_or(NEVER, Timestamp::micros);
            out.push(*qos as u8);
            out.extend_from_slice(&expires.to_le_bytes());
            for field in [
                message.topic.as_bytes(),
                &message.payload,
                &message.properties,
            ] {
                out.extend_from_slice(&(field.len() as u32).to_le_bytes());
                out.extend_from_slice(field);
            }
        }
        let sum = crc32c::crc32c(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        self.changed = false;
        out
    }

    /// Takes in the file, when there is one.
    ///
    /// # Errors
    /// `mqtt-retained-file`.
    pub fn load(&mut self, path: &Path) -> Result<(), Problem> {
        let read = match std::fs::read(path) {
            Ok(bytes) => self.decode(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        read.map_err(|what| {
            Problem::new(
                "mqtt-retained-file",
                what,
                path.display().to_string(),
                "restore the file from a backup, or remove it: retained messages are then built again from the journal",
            )
        })
    }

    /// Takes in the messages of a file, and its position.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (body, sum) = bytes
            .split_last_chunk::<4>()
            .ok_or("the file is too short")?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*sum) {
            return Err("the checksum is wrong".into());
        }
        let mut at = Reader(body);
        if at.take(8)? != MAGIC {
            return Err("it is no file of retained messages, or of another version".into());
        }
        let position = u64::from_le_bytes(at.array()?);
        let count = u32::from_le_bytes(at.array()?);
        for _ in 0..count {
            let qos = Qos::from_bits(at.take(1)?[0]).ok_or("a QoS above 2")?;
            let expires = i64::from_le_bytes(at.array()?);
            let topic = String::from_utf8(at.field()?.to_vec()).map_err(|e| e.to_string())?;
            let message = Message {
                topic,
                payload: Bytes::copy_from_slice(at.field()?),
                properties: Bytes::copy_from_slice(at.field()?),
                expires_at: (expires != NEVER).then(|| Timestamp::from_micros(expires)),
            };
            // A file of larger limits: what does not fit is left out.
            self.set(&Arc::new(message), qos, Timestamp::from_micros(NEVER));
        }
        (self.position, self.saved_position) = (position, position);
        self.changed = false;
        Ok(())
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Reads a file of retained messages without opening a door: the journal position that it belongs to; `None`
/// when there is no file.
///
/// # Errors
/// What is wrong with it.
pub fn check_retained(path: &Path) -> Result<Option<u64>, Problem> {
    let mut retained = Retained::new(&Limits::default());
    retained.load(path)?;
    Ok(path.is_file().then_some(retained.position))
}

/// Writes the file so that a crash leaves either the old or the new one.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let temporary = path.with_extension("new");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn size(message: &Message) -> usize {
    message.topic.len() + message.payload.len() + message.properties.len()
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, n: usize) -> Result<&'b [u8], String> {
        let (taken, rest) = self
            .0
            .split_at_checked(n)
            .ok_or("the file ends too early")?;
        self.0 = rest;
        Ok(taken)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| "length".to_owned())
    }
    fn field(&mut self) -> Result<&'b [u8], String> {
        let n = u32::from_le_bytes(self.array()?);
        self.take(n as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn store() -> Retained {
        Retained::new(&Limits {
            retained_max: 3,
            retained_bytes_max: 40,
            ..Limits::default()
        })
    }

    fn set(store: &mut Retained, topic: &str, payload: &'static str) -> bool {
        let message = Arc::new(Message::new(topic, payload));
        store.set(&message, Qos::AtLeastOnce, NOW)
    }

    fn found(store: &Retained, filter: &str) -> Vec<String> {
        let mut topics = Vec::new();
        store.find(filter, NOW, &mut |m, _| topics.push(m.topic.clone()));
        topics
    }

    #[test]
    fn the_last_message_of_each_topic_is_found_by_filter() {
        let mut store = store();
        for (topic, payload) in [("a/b", "1"), ("a/c", "2"), ("a", "3"), ("a/b", "4")] {
            assert!(set(&mut store, topic, payload));
        }
        assert_eq!(found(&store, "a/#"), ["a", "a/b", "a/c"]);
        assert_eq!(found(&store, "a/+"), ["a/b", "a/c"]);
        assert_eq!(found(&store, "+"), ["a"]);
        assert_eq!(found(&store, "a/b"), ["a/b"]);
        assert!(set(&mut store, "a/b", ""));
        assert_eq!(found(&store, "#"), ["a", "a/c"]);
    }

    #[test]
    fn it_is_bounded_in_messages_and_bytes() {
        let mut store = store();
        assert!(!set(
            &mut store,
            "t",
            "0123456789012345678901234567890123456789"
        ));
        for topic in ["1", "2", "3"] {
            assert!(set(&mut store, topic, "x"));
        }
        assert!(!set(&mut store, "4", "x"));
        assert!(set(&mut store, "3", "y"));
    }

    #[test]
    fn what_has_expired_makes_room() {
        let mut store = store();
        let mut kept = |topic: &str, expires_at, now| {
            let mut message = Message::new(topic, "x");
            message.expires_at = expires_at;
            store.set(&Arc::new(message), Qos::AtLeastOnce, now)
        };
        let at = |seconds| Some(NOW.plus_seconds(seconds));
        assert!(kept("1", at(10), NOW) && kept("2", at(20), NOW) && kept("3", None, NOW));
        assert!(!kept("4", None, NOW.plus_seconds(9)));
        assert!(kept("4", None, NOW.plus_seconds(10)));
        assert!(!kept("5", None, NOW.plus_seconds(19)));
        assert!(kept("5", None, NOW.plus_seconds(20)));
        assert_eq!(found(&store, "#"), ["3", "4", "5"]);
        assert_eq!(store.bytes, 6);
    }

    #[test]
    fn a_replay_from_any_saved_state_ends_in_the_same() {
        let record = |topic: &str, payload: &str| model::Retained {
            door: "mqtt".into(),
            device_id: None,
            address: topic.into(),
            received_at: NOW,
            raw: payload.into(),
            qos: 2,
            properties: vec![],
            expires_at: None,
        };
        // More topics than there is room for, replaced and cleared, some too large.
        let records: Vec<_> = (0_usize..200)
            .map(|n| {
                let topic = format!("t{}", n * 7 % 5);
                record(&topic, &"x".repeat(n * 11 % 17))
            })
            .collect();
        let mut live = store();
        let mut saved = Vec::new();
        for (n, record) in records.iter().enumerate() {
            saved.push(live.encode(n as u64));
            live.apply(n as u64, record.clone());
        }
        assert!(live.len() > 0);
        for file in saved {
            let mut again = store();
            again.decode(&file).unwrap();
            for n in again.position..200 {
                again.apply(n, records[n as usize].clone());
            }
            assert_eq!(again.kept, live.kept);
            assert_eq!((again.bytes, again.position), (live.bytes, 200));
        }
    }

    fn sample() -> Retained {
        let mut store = store();
        set(&mut store, "a/b", "one");
        let mut message = Message::new("c", "two");
        message.expires_at = Some(NOW);
        message.properties = Bytes::from_static(&[1, 1]);
        store.set(&Arc::new(message), Qos::AtMostOnce, NOW);
        store
    }

    #[test]
    fn the_file_gives_back_what_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/retained.bin");
        save(&path, &sample().encode(7)).unwrap();
        save(&path, &sample().encode(8)).unwrap();
        let mut again = store();
        again.decode(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((again.position, again.saved_position), (8, 8));
        assert_eq!(again.kept, sample().kept);
        assert_eq!(found(&again, "#"), ["a/b"], "the other has expired");
    }

    #[test]
    fn version_1_stays_readable() {
        // Written by version 1 of the format; never change this fixture, add another beside it.
        let stored = include_bytes!("../../fixtures/retained-v1.bin");
        let mut again = store();
        again.decode(stored).unwrap();
        assert_eq!(again.position, 7);
        assert_eq!(again.kept, sample().kept);
    }

    #[test]
    fn damage_is_told() {
        let good = sample().encode(7);
        for n in 0..good.len() {
            let mut bad = good.clone();
            bad[n] ^= 1;
            assert!(store().decode(&bad).is_err(), "byte {n}");
            assert!(store().decode(&good[..n]).is_err(), "cut at {n}");
        }
    }
}
