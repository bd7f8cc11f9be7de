//! Values that are stored sealed, sealed anew under the newest key: the part of upkeep that lets old keys go. The lake knows
//! no keys: whoever holds them lends a [`Reseals`]. A file with a value under an older key is written again, every other
//! column and row as it was, and takes the old one's place in one move: a crash leaves the one or the other.
//!
//! Which files hold such values is not written down anywhere: the column of texts is read, and of that only the row groups
//! whose least and greatest text leave room for a sealed value.

use crate::lake::Lake;
use crate::layout::{REPLACED_FOLDER, Table, replaced_name};
use crate::manifest::{FileEntry, Manifest};
use crate::merge::{Batches, Texts};
use crate::schema::column;
use crate::upkeep::{Sum, Upkeep, Upkept, columns_told};
use crate::writer::TableWriter;
use arrow::array::{Array, AsArray, RecordBatch, StringViewArray, StringViewBuilder};
use model::Problem;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whoever holds the keys that values are sealed under.
pub trait Reseals: fmt::Debug + Send + Sync {
    /// How every sealed text begins.
    fn prefix(&self) -> &str;
    /// The key that seals now: a file that was looked through under it is not looked through again.
    fn active(&self) -> String;
    /// Whether there are older keys, so that anything may be under one.
    fn has_older(&self) -> bool;
    /// A stored text sealed anew; `None` when it is to stay as it is, also because it does not open.
    fn resealed(&self, entity_id: &str, attribute: &str, stored: &str) -> Option<String>;
}

/// What lies under one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderKey {
    /// Files that hold any of its values.
    pub files: u64,
    /// Its values.
    pub values: u64,
}

impl Lake {
    /// Lets upkeep seal values anew from now on. The first to call it is kept.
    pub fn reseal_with(&self, reseals: Arc<dyn Reseals>) {
        let _ = self.reseals.set(reseals);
    }

    /// A file with a value that can be sealed anew. Remembers those that were looked through in vain.
    pub(crate) fn to_reseal(&self, manifest: &Manifest) -> Result<Option<Arc<FileEntry>>, Problem> {
        let Some(reseals) = self.reseals.get().filter(|reseals| reseals.has_older()) else {
            return Ok(None);
        };
        let active = reseals.active();
        let mut looked = self.looked.lock();
        if looked.key != active {
            (looked.key, looked.paths) = (active, Default::default());
        }
        let of_now = |path: &String| manifest.files.iter().any(|file| file.path == *path);
        looked.paths.retain(of_now);
        for file in manifest.of(Table::Observations) {
            if looked.paths.contains(&file.path) {
                continue;
            }
            self.go_on()?;
            let path = self.dir().join(&file.path);
            let is_stale = has_stale(&path, reseals.as_ref()).inspect_err(|_| {
                // As one that is damaged: it must not hold up the others.
                self.troubled.lock().insert(file.path.clone());
            })?;
            if is_stale {
                return Ok(Some(Arc::clone(file)));
            }
            looked.paths.insert(file.path.clone());
        }
        Ok(None)
    }

    /// Writes a file again with its values under the newest key.
    pub(crate) fn reseal(&self, file: &Arc<FileEntry>) -> Result<Upkept, Problem> {
        let Some(reseals) = self.reseals.get() else {
            return Err(columns_told(&"nobody seals"));
        };
        let mut sum = Sum::default();
        let partition = file.partition().to_owned();
        let mut writer = TableWriter::create(self.dir(), file.table, partition, self.options())?;
        for batch in Batches::open(&self.path(file)?, file.table)? {
            self.go_on()?;
            let batch = batch?;
            sum.add(file.table, &batch);
            writer.write(&anew(batch, reseals.as_ref())?)?;
        }
        let written = vec![writer.finish()?];
        let files = vec![Arc::clone(file)];
        self.replace(Upkeep::Reseal, files, written, sum, Sum::default())
    }
}

/// Whether any value of the file can be sealed anew.
fn has_stale(path: &Path, reseals: &dyn Reseals) -> Result<bool, Problem> {
    let columns = [column::ENTITY_ID, column::ATTRIBUTE, column::VALUE_TEXT];
    for batch in Texts::open(path, &columns, reseals.prefix())? {
        let batch = batch?;
        let text = |at: usize| batch.column(at).as_string_view();
        let (ids, names, texts) = (text(0), text(1), text(2));
        let is_stale = |row: usize| {
            texts.is_valid(row)
                && texts.value(row).starts_with(reseals.prefix())
                && (reseals.resealed(ids.value(row), names.value(row), texts.value(row))).is_some()
        };
        if (0..batch.num_rows()).any(is_stale) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The batch with its values under the newest key.
fn anew(batch: RecordBatch, reseals: &dyn Reseals) -> Result<RecordBatch, Problem> {
    let text = |at: usize| -> &StringViewArray { batch.column(at).as_string_view() };
    let (ids, names) = (text(column::ENTITY_ID), text(column::ATTRIBUTE));
    let texts = text(column::VALUE_TEXT);
    let resealed = |row: usize| match texts.is_valid(row) {
        true => reseals.resealed(ids.value(row), names.value(row), texts.value(row)),
        false => None,
    };
    let mut found = (0..texts.len())
        .filter_map(|row| Some((row, resealed(row)?)))
        .peekable();
    if found.peek().is_none() {
        return Ok(batch);
    }
    let mut all = StringViewBuilder::with_capacity(texts.len());
    for row in 0..texts.len() {
        match found.next_if(|(at, _)| *at == row) {
            Some((_, text)) => all.append_value(text),
            None if texts.is_null(row) => all.append_null(),
            None => all.append_value(texts.value(row)),
        }
    }
    drop(found);
    let mut columns = batch.columns().to_vec();
    columns[column::VALUE_TEXT] = Arc::new(all.finish());
    RecordBatch::try_new(batch.schema(), columns).map_err(|e| columns_told(&e))
}

/// Where a listed file lies: one that was replaced since the manifest was read is where replaced ones are kept.
fn place(dir: &Path, file: &FileEntry) -> PathBuf {
    let path = dir.join(&file.path);
    let kept = dir.join(REPLACED_FOLDER).join(replaced_name(&file.path));
    match !path.exists() && kept.exists() {
        true => kept,
        false => path,
    }
}

/// How many stored values lie under each key, by the key's id: for whoever wants to let a key go. `key_of` reads the id from a
/// stored text. Looks at the folder alone, beside a process that writes it; what is in memory only is not there. None when
/// there is no lake.
///
/// # Errors
/// Those of reading the manifest and its files.
pub fn under_keys(
    dir: &Path,
    prefix: &str,
    key_of: impl Fn(&str) -> Option<&str>,
) -> Result<BTreeMap<String, UnderKey>, Problem> {
    let mut found: BTreeMap<String, UnderKey> = BTreeMap::new();
    let Some(manifest) = Manifest::read(dir)? else {
        return Ok(found);
    };
    for file in manifest.of(Table::Observations) {
        let mut of_file: BTreeMap<String, u64> = BTreeMap::new();
        for batch in Texts::open(&place(dir, file), &[column::VALUE_TEXT], prefix)? {
            let batch = batch?;
            for text in batch.column(0).as_string_view().iter().flatten() {
                let Some(key) = key_of(text) else { continue };
                match of_file.get_mut(key) {
                    Some(count) => *count += 1,
                    None => drop(of_file.insert(key.to_owned(), 1)),
                }
            }
        }
        for (key, values) in of_file {
            let of_key = found.entry(key).or_default();
            of_key.files += 1;
            of_key.values += values;
        }
    }
    Ok(found)
}
