//! The hot tail: the newest rows, in columns, in memory. Repeated texts (ids, types, attributes, units,
//! doors) are kept once and named by number, so that a row costs some 70 bytes and appending one costs
//! a few hash look-ups. Every so many rows the open columns are frozen; a snapshot shares what is frozen
//! and copies only the open rest.

use crate::schema::{ZONE, column, observations};
use crate::struck::{Struck, StruckRow};
use arrow::array::{
    Array, ArrayRef, Float64Array, Float64Builder, Int64Array, RecordBatch, RecordBatchOptions,
    StringViewArray, StringViewBuilder, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{concat, filter_record_batch, take};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use hashbrown::HashMap;
use model::{Accepted, EntityId, Quality, Value};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// Number that stands for "no text".
const NONE: u32 = u32::MAX;

/// What one row takes in memory beside its own text, in bytes: seven numbers of 4, four of 8, null bits.
const ROW_BYTES: usize = 64;

/// Entities of a message that are looked up together.
const TOGETHER: usize = 32;

/// Pieces of memory that the texts of one column may lie in before they are brought together: each
/// snapshot that finds new texts adds one, and every column of a query names them all.
const TEXT_BUFFERS_MAX: usize = 64;

/// The words for quality, by `Quality as usize`.
static QUALITIES: LazyLock<StringViewArray> = LazyLock::new(|| {
    let all = Quality::ALL;
    debug_assert!(all.iter().enumerate().all(|(n, q)| *q as usize == n));
    all.iter().map(|q| Some(q.as_str())).collect()
});

/// The columns that are kept as numbers of texts, in the order of [`Words`].
const WORD_COLUMNS: [usize; 6] = [
    column::ENTITY_ID,
    column::ENTITY_TYPE,
    column::ATTRIBUTE,
    column::UNIT,
    column::DEVICE_ID,
    column::DOOR,
];
const ENTITY_ID: usize = 0;
const ENTITY_TYPE: usize = 1;
const ATTRIBUTE: usize = 2;
const UNIT: usize = 3;
const DEVICE_ID: usize = 4;
const DOOR: usize = 5;

/// Texts kept once, named by number.
#[derive(Default)]
struct Interner {
    /// Of texts that came by [`Self::number`].
    numbers: HashMap<Box<str>, u32>,
    /// How many there are.
    count: u32,
    /// The texts before the fresh ones, ready for use.
    ready: Option<StringViewArray>,
    fresh: StringViewBuilder,
    fresh_count: usize,
    /// What was asked for last, where it is mostly asked for again.
    last: Option<(String, u32)>,
}

impl Interner {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.add(text);
        self.numbers.insert(text.into(), number);
        number
    }

    /// A number for a text that has none.
    fn add(&mut self, text: &str) -> u32 {
        let number = self.count;
        // A tail is sealed long before it holds 2^32 different texts.
        self.count += 1;
        self.fresh.append_value(text);
        self.fresh_count += 1;
        number
    }

    /// As [`Self::number`], for texts that mostly come several times in a row.
    fn number_again(&mut self, text: &str) -> u32 {
        if let Some((last, number)) = &self.last
            && last == text
        {
            return *number;
        }
        let number = self.number(text);
        let (last, of_last) = self.last.get_or_insert_default();
        last.clear();
        last.push_str(text);
        *of_last = number;
        number
    }

    fn texts(&mut self) -> Result<StringViewArray, ArrowError> {
        if self.fresh_count > 0 || self.ready.is_none() {
            let fresh = self.fresh.finish();
            self.fresh_count = 0;
            self.ready = Some(match self.ready.take() {
                None => fresh,
                // Joining copies 16 bytes a text and shares the texts themselves.
                Some(ready) => {
                    let joined = text_array(&concat(&[&ready, &fresh])?)?;
                    let scattered = joined.data_buffers().len() > TEXT_BUFFERS_MAX;
                    if scattered { joined.gc() } else { joined }
                }
            });
        }
        Ok(self
            .ready
            .clone()
            .unwrap_or_else(|| StringViewBuilder::new().finish()))
    }
}

fn text_array(array: &ArrayRef) -> Result<StringViewArray, ArrowError> {
    array
        .as_any()
        .downcast_ref::<StringViewArray>()
        .cloned()
        .ok_or_else(|| ArrowError::CastError(format!("expected text, found {}", array.data_type())))
}

/// Columns that still grow.
#[derive(Default)]
struct Open {
    words: [Vec<u32>; WORD_COLUMNS.len()],
    observed_at: Vec<i64>,
    received_at: Vec<i64>,
    number: Float64Builder,
    text: StringViewBuilder,
    text_count: usize,
    json: StringViewBuilder,
    json_count: usize,
    quality: Vec<u32>,
    position: Vec<i64>,
}

impl Open {
    fn rows(&self) -> usize {
        self.position.len()
    }

    fn freeze(&self) -> Chunk {
        let numbers = |numbers: &Vec<u32>, may_lack: bool| {
            let nulls = (may_lack && numbers.contains(&NONE))
                .then(|| NullBuffer::from_iter(numbers.iter().map(|n| *n != NONE)));
            UInt32Array::new(numbers.clone().into(), nulls)
        };
        let times =
            |times: &Vec<i64>| TimestampMicrosecondArray::from(times.clone()).with_timezone(ZONE);
        Chunk {
            words: std::array::from_fn(|n| numbers(&self.words[n], n == UNIT || n == DEVICE_ID)),
            observed_at: times(&self.observed_at),
            received_at: times(&self.received_at),
            number: self.number.finish_cloned(),
            text: (self.text_count > 0).then(|| self.text.finish_cloned()),
            json: (self.json_count > 0).then(|| self.json.finish_cloned()),
            quality: numbers(&self.quality, false),
            position: Int64Array::from(self.position.clone()),
            observed_us: (
                self.observed_at.iter().copied().min().unwrap_or_default(),
                self.observed_at.iter().copied().max().unwrap_or_default(),
            ),
        }
    }
}

/// Columns that no longer change.
pub(crate) struct Chunk {
    words: [UInt32Array; WORD_COLUMNS.len()],
    pub observed_at: TimestampMicrosecondArray,
    pub received_at: TimestampMicrosecondArray,
    number: Float64Array,
    text: Option<StringViewArray>,
    json: Option<StringViewArray>,
    quality: UInt32Array,
    pub position: Int64Array,
    /// Least and greatest time of observation.
    pub observed_us: (i64, i64),
}

impl Chunk {
    pub fn rows(&self) -> usize {
        self.position.len()
    }
}

/// Rows that no longer change, with the texts that their numbers stand for.
pub(crate) struct Part {
    pub chunks: Vec<Arc<Chunk>>,
    texts: [StringViewArray; WORD_COLUMNS.len()],
    /// Every journal position up to but not including here is sealed, in this part, or held nothing for
    /// the lake.
    pub position_to: u64,
}

impl Part {
    pub fn rows(&self) -> usize {
        self.chunks.iter().map(|c| c.rows()).sum()
    }

    /// The rows of a chunk that are struck, with what struck them, in no order.
    pub fn struck<'a>(
        &'a self,
        chunk: &'a Chunk,
        struck: &'a Struck,
    ) -> impl Iterator<Item = (usize, &'a StruckRow)> {
        let positions = chunk.position.values();
        // Rows are appended in the order of their positions.
        let bounds = positions.first().zip(positions.last());
        let (first, last) = bounds.map_or((1, 0), |(first, last)| (*first as u64, *last as u64));
        struck.within(first, last).flat_map(move |gone| {
            let position = gone.position as i64;
            let from = positions.partition_point(|p| *p < position);
            let to = positions.partition_point(|p| *p <= position);
            (from..to).filter_map(move |row| {
                let text = |word: usize| {
                    let number = chunk.words[word].value(row);
                    self.texts[word].value(number as usize)
                };
                let observed_at = chunk.observed_at.value(row);
                gone.is(text(ENTITY_ID), text(ATTRIBUTE), observed_at)
                    .then_some((row, gone))
            })
        })
    }

    /// Number of a row's entity and attribute, for sorting.
    pub fn keys(&self, chunk: usize, row: usize) -> (u32, u32) {
        let words = &self.chunks[chunk].words;
        (words[ENTITY_ID].value(row), words[ATTRIBUTE].value(row))
    }

    /// For each number of an entity and of an attribute, its place in the order of the texts.
    pub fn ranks(&self) -> (Vec<u32>, Vec<u32>) {
        let rank = |texts: &StringViewArray| {
            let mut order: Vec<u32> = (0..texts.len() as u32).collect();
            order.sort_unstable_by_key(|n| texts.value(*n as usize));
            let mut ranks = vec![0; order.len()];
            for (rank, number) in order.into_iter().enumerate() {
                ranks[number as usize] = rank as u32;
            }
            ranks
        };
        (rank(&self.texts[ENTITY_ID]), rank(&self.texts[ATTRIBUTE]))
    }

    /// One column of one chunk as it is stored: a number instead of a text where texts are interned.
    fn stored(&self, chunk: &Chunk, column: usize) -> ArrayRef {
        if let Some(word) = WORD_COLUMNS.iter().position(|c| *c == column) {
            return Arc::new(chunk.words[word].clone());
        }
        let optional = |array: &Option<StringViewArray>| match array {
            Some(array) => Arc::new(array.clone()) as ArrayRef,
            None => new_null_array(&DataType::Utf8View, chunk.rows()),
        };
        match column {
            column::OBSERVED_AT => Arc::new(chunk.observed_at.clone()),
            column::RECEIVED_AT => Arc::new(chunk.received_at.clone()),
            column::VALUE_NUMBER => Arc::new(chunk.number.clone()),
            column::VALUE_TEXT => optional(&chunk.text),
            column::VALUE_JSON => optional(&chunk.json),
            column::QUALITY => Arc::new(chunk.quality.clone()),
            column::JOURNAL_POSITION => Arc::new(chunk.position.clone()),
            _ => unreachable!("the table has {} columns", column::COUNT),
        }
    }

    /// Puts texts in the place of their numbers.
    fn spell_out(&self, column: usize, stored: ArrayRef) -> Result<ArrayRef, ArrowError> {
        if let Some(word) = WORD_COLUMNS.iter().position(|c| *c == column) {
            take(&self.texts[word], &stored, None)
        } else if column == column::QUALITY {
            take(&*QUALITIES, &stored, None)
        } else {
            Ok(stored)
        }
    }

    /// The rows as Arrow batches, only the columns asked for and the chunks marked, without struck rows.
    pub fn batches(
        &self,
        projection: &[usize],
        wanted: &[bool],
        struck: &Struck,
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let schema = Arc::new(observations().project(projection)?);
        self.chunks
            .iter()
            .zip(wanted)
            .filter(|(_, wanted)| **wanted)
            .map(|(chunk, _)| {
                let columns = projection
                    .iter()
                    .map(|c| self.spell_out(*c, self.stored(chunk, *c)))
                    .collect::<Result<_, _>>()?;
                let all = batch(&schema, columns, chunk.rows())?;
                let gone: BTreeSet<usize> =
                    self.struck(chunk, struck).map(|(row, _)| row).collect();
                if gone.is_empty() {
                    return Ok(all);
                }
                let stays = (0..chunk.rows()).map(|row| Some(!gone.contains(&row)));
                filter_record_batch(&all, &stays.collect())
            })
            .collect()
    }

    /// For taking rows out in another order.
    pub fn picker(&self) -> Picker<'_> {
        let column = |c: usize| {
            let is_there = |chunk: &Arc<Chunk>| match c {
                column::VALUE_TEXT => chunk.text.is_some(),
                column::VALUE_JSON => chunk.json.is_some(),
                _ => true,
            };
            if self.chunks.iter().any(is_there) {
                self.chunks
                    .iter()
                    .map(|chunk| self.stored(chunk, c))
                    .collect()
            } else {
                Vec::new()
            }
        };
        Picker {
            part: self,
            columns: (0..column::COUNT).map(column).collect(),
        }
    }
}

/// A part's columns, chunk by chunk, laid out once for many picks.
pub(crate) struct Picker<'p> {
    part: &'p Part,
    /// Without chunks where no row has a value.
    columns: Vec<Vec<ArrayRef>>,
}

impl Picker<'_> {
    /// Chosen rows, named by chunk and row, as one batch of all columns.
    pub fn pick(&self, rows: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
        let pick = |(c, chunks): (usize, &Vec<ArrayRef>)| {
            if chunks.is_empty() {
                return Ok(new_null_array(&DataType::Utf8View, rows.len()));
            }
            let chunks: Vec<&dyn Array> = chunks.iter().map(AsRef::as_ref).collect();
            let picked = arrow::compute::interleave(&chunks, rows)?;
            self.part.spell_out(c, picked)
        };
        let columns = self.columns.iter().enumerate().map(pick);
        let columns = columns.collect::<Result<_, _>>()?;
        batch(&observations(), columns, rows.len())
    }
}

fn batch(
    schema: &Arc<Schema>,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// The newest rows.
pub(crate) struct Tail {
    open: Open,
    frozen: Vec<Arc<Chunk>>,
    words: [Interner; WORD_COLUMNS.len()],
    /// Numbers of entities, found by the hashes that their ids carry.
    entities: HashMap<EntityId, u32>,
    chunk_rows: usize,
    rows: usize,
    bytes: usize,
    /// The next position to be taken; lower ones are here or sealed already.
    pub position_next: u64,
}

impl Tail {
    pub fn new(position: u64, chunk_rows: usize) -> Self {
        Self {
            open: Open::default(),
            frozen: Vec::new(),
            words: Default::default(),
            entities: HashMap::new(),
            chunk_rows: chunk_rows.max(1),
            rows: 0,
            bytes: 0,
            position_next: position,
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What the rows take in memory, in bytes, estimated.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a message's rows; a position taken before is ignored. Returns the rows added.
    pub fn apply(&mut self, position: u64, accepted: &Accepted) -> usize {
        if position < self.position_next {
            return 0;
        }
        self.position_next = position + 1;
        let rows_before = self.rows;
        // Positions fit: a journal of 2^63 records cannot be written.
        let position = position as i64;
        let door = self.words[DOOR].number_again(&accepted.door);
        let device_id = match &accepted.device_id {
            Some(id) => self.words[DEVICE_ID].number(id.as_str()),
            None => NONE,
        };
        let received_at = accepted.received_at.micros();
        let mut entities = [None; TOGETHER];
        for (n, update) in accepted.updates.iter().enumerate() {
            if n % TOGETHER == 0 {
                // Looked up together: each waits for a place of memory of its own.
                for (found, update) in entities.iter_mut().zip(&accepted.updates[n..]) {
                    *found = self.entities.get(&update.entity_id).copied();
                }
            }
            let entity_id = match entities[n % TOGETHER] {
                Some(number) => number,
                None => self.entity(&update.entity_id),
            };
            let entity_type = self.words[ENTITY_TYPE].number_again(update.entity_type.as_str());
            for attribute in &update.attributes {
                let unit = match &attribute.unit {
                    Some(unit) => self.words[UNIT].number_again(unit),
                    None => NONE,
                };
                let name = self.words[ATTRIBUTE].number_again(attribute.name.as_str());
                let open = &mut self.open;
                open.words[ENTITY_ID].push(entity_id);
                open.words[ENTITY_TYPE].push(entity_type);
                open.words[ATTRIBUTE].push(name);
                open.words[UNIT].push(unit);
                open.words[DEVICE_ID].push(device_id);
                open.words[DOOR].push(door);
                open.observed_at.push(attribute.observed_at.micros());
                open.received_at.push(received_at);
                open.quality.push(attribute.quality as u32);
                open.position.push(position);
                self.bytes += ROW_BYTES + open.push_value(&attribute.value);
                self.rows += 1;
                if self.open.rows() >= self.chunk_rows {
                    self.freeze();
                }
            }
        }
        self.rows - rows_before
    }

    /// The number of an entity that may have none yet.
    fn entity(&mut self, id: &EntityId) -> u32 {
        if let Some(number) = self.entities.get(id) {
            return *number;
        }
        let number = self.words[ENTITY_ID].add(id.as_str());
        self.entities.insert(id.clone(), number);
        number
    }

    /// Passes a position that holds no row.
    pub fn pass(&mut self, position: u64) {
        self.position_next = self.position_next.max(position + 1);
    }

    fn freeze(&mut self) {
        if self.open.rows() > 0 {
            self.frozen.push(Arc::new(self.open.freeze()));
            self.open = Open::default();
        }
    }

    /// The rows as they are now.
    pub fn snapshot(&mut self) -> Result<Part, ArrowError> {
        let mut chunks = self.frozen.clone();
        if self.open.rows() > 0 {
            chunks.push(Arc::new(self.open.freeze()));
        }
        self.part(chunks)
    }

    /// Takes all rows out and begins anew at the same position.
    pub fn take(&mut self) -> Result<Part, ArrowError> {
        self.freeze();
        let part = self.part(self.frozen.clone())?;
        *self = Self::new(self.position_next, self.chunk_rows);
        Ok(part)
    }

    fn part(&mut self, chunks: Vec<Arc<Chunk>>) -> Result<Part, ArrowError> {
        let mut texts = Vec::with_capacity(WORD_COLUMNS.len());
        for words in &mut self.words {
            texts.push(words.texts()?);
        }
        let texts = texts
            .try_into()
            .map_err(|_| ArrowError::InvalidArgumentError("one list of texts a column".into()))?;
        Ok(Part {
            chunks,
            texts,
            position_to: self.position_next,
        })
    }
}

impl Open {
    /// Appends to the three value columns; returns the bytes of text kept.
    fn push_value(&mut self, value: &Value) -> usize {
        let mut number = None;
        let mut json = None;
        let text = match value {
            Value::Number(n) => {
                number = Some(*n);
                None
            }
            Value::Boolean(b) => {
                number = Some(f64::from(u8::from(*b)));
                Some(if *b { "true" } else { "false" })
            }
            Value::Text(text) => Some(text.as_str()),
            Value::Relationship(id) => Some(id.as_str()),
            Value::Json(text) => {
                json = Some(std::borrow::Cow::Borrowed(text.as_str()));
                None
            }
            Value::Geometry(place) => {
                json = Some(std::borrow::Cow::Owned(place.to_geojson().to_string()));
                None
            }
            Value::Deleted => None,
        };
        self.number.append_option(number);
        self.text.append_option(text);
        self.json.append_option(json.as_deref());
        self.text_count += usize::from(text.is_some());
        self.json_count += usize::from(json.is_some());
        text.map_or(0, str::len) + json.map_or(0, |j| j.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AttributeName, AttributeUpdate, EntityId, Timestamp, TypeName, Update};

    fn said(entity: u64) -> Accepted {
        Accepted {
            door: "mqtt".into(),
            device_id: None,
            address: String::new(),
            received_at: Timestamp::from_seconds(entity as i64),
            raw: Vec::new(),
            updates: vec![Update {
                entity_id: EntityId::new(format!("urn:ngsi-ld:Thing:number-{entity}")).unwrap(),
                entity_type: TypeName::new("Thing").unwrap(),
                attributes: vec![AttributeUpdate {
                    name: AttributeName::new("x").unwrap(),
                    value: Value::Number(entity as f64),
                    unit: None,
                    observed_at: Timestamp::from_seconds(0),
                    quality: Quality::Simulated,
                }],
            }],
            retain: false,
        }
    }

    #[test]
    fn a_snapshot_after_each_new_text_stays_right_and_compact() {
        let mut tail = Tail::new(0, 8);
        for n in 0..300 {
            assert_eq!(tail.apply(n, &said(n)), 1);
            let part = tail.snapshot().unwrap();
            assert_eq!(part.rows() as u64, n + 1);
            let texts = &part.texts[ENTITY_ID];
            assert!(texts.data_buffers().len() <= TEXT_BUFFERS_MAX);
            assert_eq!(
                texts.value(n as usize),
                format!("urn:ngsi-ld:Thing:number-{n}")
            );
        }
        let part = tail.take().unwrap();
        assert_eq!(part.position_to, 300);
        let batches = part
            .batches(
                &[column::ENTITY_ID, column::QUALITY, column::UNIT],
                &vec![true; part.chunks.len()],
                &Struck::default(),
            )
            .unwrap();
        assert_eq!(batches.len(), 300_usize.div_ceil(8));
        let last = batches.last().unwrap();
        let ids = text_array(last.column(0)).unwrap();
        assert_eq!(
            ids.value(last.num_rows() - 1),
            "urn:ngsi-ld:Thing:number-299"
        );
        assert_eq!(text_array(last.column(1)).unwrap().value(0), "simulated");
        assert_eq!(last.column(2).null_count(), last.num_rows());
        assert_eq!((tail.rows(), tail.position_next), (0, 300));
    }

    #[test]
    fn no_columns_still_have_rows() {
        let mut tail = Tail::new(0, 8);
        tail.apply(0, &said(1));
        let part = tail.snapshot().unwrap();
        let batches = part.batches(&[], &[true], &Struck::default()).unwrap();
        assert_eq!((batches.len(), batches[0].num_rows()), (1, 1));
        let none = part.batches(&[], &[false], &Struck::default());
        assert!(none.unwrap().is_empty());
    }

    #[test]
    fn ranks_follow_the_texts() {
        let mut tail = Tail::new(0, 8);
        for (position, entity) in [5, 1, 3].into_iter().enumerate() {
            tail.apply(position as u64, &said(entity));
        }
        assert_eq!(tail.take().unwrap().ranks(), (vec![2, 0, 1], vec![0]));
    }
}
