//! Retained messages: the last one of each topic, bounded, and kept in a file.

use super::options::Limits;
use bytes::Bytes;
use model::Timestamp;
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
            changed: false,
        }
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Keeps the message as the last of its topic; an empty payload clears the topic. `false` when
    /// there is no room; what stood there before is then gone too, because it is out of date.
    pub fn set(&mut self, message: &Arc<Message>, qos: Qos) -> bool {
        if let Some((old, _)) = self.kept.remove(&message.topic) {
            self.bytes -= size(&old);
            self.changed = true;
        }
        if message.payload.is_empty() {
            return true;
        }
        let bytes = self.bytes + size(message);
        if self.kept.len() >= self.count_max || bytes > self.bytes_max {
            return false;
        }
        self.bytes = bytes;
        self.changed = true;
        self.kept
            .insert(message.topic.clone(), (Arc::clone(message), qos));
        true
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

    /// Takes in the messages of a file; answers its position.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<u64, String> {
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
            self.set(&Arc::new(message), qos);
        }
        self.changed = false;
        Ok(position)
    }
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
        store.set(&Arc::new(Message::new(topic, payload)), Qos::AtLeastOnce)
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

    fn sample() -> Retained {
        let mut store = store();
        set(&mut store, "a/b", "one");
        let mut message = Message::new("c", "two");
        message.expires_at = Some(NOW);
        message.properties = Bytes::from_static(&[1, 1]);
        store.set(&Arc::new(message), Qos::AtMostOnce);
        store
    }

    #[test]
    fn the_file_gives_back_what_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/retained.bin");
        save(&path, &sample().encode(7)).unwrap();
        save(&path, &sample().encode(8)).unwrap();
        let mut again = store();
        assert_eq!(again.decode(&std::fs::read(&path).unwrap()), Ok(8));
        assert_eq!(again.kept, sample().kept);
        assert_eq!(found(&again, "#"), ["a/b"], "the other has expired");
    }

    #[test]
    fn version_1_stays_readable() {
        // Written by version 1 of the format; never change this fixture, add another beside it.
        let stored = include_bytes!("../../fixtures/retained-v1.bin");
        let mut again = store();
        assert_eq!(again.decode(stored), Ok(7));
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
