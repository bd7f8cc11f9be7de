//! Department tables (部门数据表): what departments hand in as files, kept as Parquet in
//! `tables/NAME/`, each with its entry in the catalogue, `tables/NAME/table.json`: who brought it in, when,
//! from which file, and its columns. SQL reads them by their name as soon as the entry is there.
//!
//! A newer import takes the place of an older one when its entry is renamed into place; the file of the
//! one before stays until the import after, so that a query under way can finish. A table is taken away in
//! the same order: its entry first, and when that is durable, its files.

use crate::disk::{Disk, RealDisk};
use crate::engine::store_url;
use crate::layout::Table;
use crate::manifest::io_problem;
use crate::records::RecordTable;
use crate::schema::ColumnKind;
use crate::verified::Expected;
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::datasource::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::DataFusionError;
use model::problem::{both, quote};
use model::{Problem, Timestamp, Told};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Version of the entry that is written; older ones stay readable for ever (see `fixtures/`).
pub const ENTRY_VERSION: u32 = 2;
const FOLDER: &str = "tables";
/// Held while a table is brought in; in the folder of the tables.
const LOCK: &str = "lock";
const ENTRY_NAME: &str = "table.json";
/// Longest name of a table, in characters.
const NAME_CHARS_MAX: usize = 63;

/// A column of a department table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The unit of its numbers, in the department's own words.
    #[serde(default)]
    pub unit: Option<String>,
}

/// Where a table came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSource {
    /// The file's name, without its folder.
    pub file: String,
    /// `csv`, `excel` or `parquet`.
    pub format: String,
    /// The text's encoding, where it has one, such as `UTF-8` or `GB18030`.
    pub encoding: Option<String>,
    /// The sheet, where there are several.
    pub sheet: Option<String>,
    /// Size, in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

/// A department table as it stands in the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    version: u32,
    /// Its name in SQL.
    pub name: String,
    /// Its title in Chinese.
    #[serde(default)]
    pub title_zh: Option<String>,
    /// Its title in English.
    #[serde(default)]
    pub title_en: Option<String>,
    /// What it holds, in a sentence.
    pub description: String,
    /// The department that handed it in, by its id in the city profile.
    #[serde(default)]
    pub department: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<TableColumn>,
    /// Rows.
    pub rows: u64,
    /// Rows of the file that were left out because something was wrong with them.
    #[serde(default)]
    pub rows_left_out: u64,
    /// When it was brought in.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: String,
    /// Where it came from.
    pub source: TableSource,
    /// The Parquet file beside the entry.
    file: String,
    /// SHA-256 of that file, in hex.
    sha256: String,
}

/// A table to be brought in.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// Its name in SQL.
    pub name: String,
    /// Its title in Chinese.
    pub title_zh: Option<String>,
    /// Its title in English.
    pub title_en: Option<String>,
    /// What it holds, in a sentence.
    pub description: String,
    /// The department that handed it in.
    pub department: Option<String>,
    /// Units by the names of columns.
    pub units: BTreeMap<String, String>,
    /// Rows of the file that were left out.
    pub rows_left_out: u64,
    /// Whether a table of this name may be replaced.
    pub replaces: bool,
    /// Now.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: String,
    /// Where it came from.
    pub source: TableSource,
}

/// Whether a table may have this name.
///
/// # Errors
/// `table-name`.
pub fn check_name(name: &str) -> Result<(), Told> {
    let is_good = |c: char| c == '_' || (c.is_alphanumeric() && !c.is_uppercase());
    let reserved = ["pg_", "information_schema"]
        .iter()
        .any(|p| name.starts_with(p));
    let good = name.chars().all(is_good)
        && name.starts_with(|c: char| c.is_alphabetic())
        && name.chars().count() <= NAME_CHARS_MAX
        && !reserved
        && !Table::is_name(name);
    if good {
        return Ok(());
    }
    let name = quote(name);
    Err(Told::new(
        "table-name",
        both(
            format!("“{name}”不能作表名"),
            format!("\"{name}\" cannot be the name of a table"),
        ),
        both("表名", "table"),
        both(
            format!(
                "最多 {NAME_CHARS_MAX} 个小写字母、汉字、数字和 _，不以数字或 _ 开头；平台自己的表名不能用"
            ),
            format!(
                "use at most {NAME_CHARS_MAX} small letters, digits and _, a letter first; names of the platform's own tables are taken"
            ),
        ),
    ))
}

/// The department tables of a lake by name, and what is wrong with entries that do not read.
pub fn list(dir: &Path) -> (Vec<TableEntry>, Vec<Problem>) {
    let folder = dir.join(FOLDER);
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    let Ok(found) = std::fs::read_dir(&folder) else {
        return (entries, problems);
    };
    for place in found.flatten().filter(|place| place.path().is_dir()) {
        let path = place.path().join(ENTRY_NAME);
        match read(&path) {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    (entries, problems)
}

fn read(path: &Path) -> Result<Option<TableEntry>, Problem> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_problem("read", path, &e)),
    };
    let damaged = |e: &dyn std::fmt::Display| {
        Problem::new(
            "table-entry-damaged",
            format!("the table's entry does not read: {e}"),
            path.display().to_string(),
            "import the table again, or restore it from a backup",
        )
    };
    let Versioned { version } = serde_json::from_str(&text).map_err(|e| damaged(&e))?;
    if !(1..=ENTRY_VERSION).contains(&version) {
        return Err(Problem::new(
            "table-entry-version",
            format!("version {version} of a table's entry is unknown to this program"),
            path.display().to_string(),
            "run the version that wrote it, or newer",
        ));
    }
    let entry: TableEntry = serde_json::from_str(&text).map_err(|e| damaged(&e))?;
    let folder = path.parent().and_then(Path::file_name);
    if check_name(&entry.name).is_err()
        || folder != Some(entry.name.as_ref())
        || entry.file.contains(['/', '\\'])
    {
        return Err(damaged(&"its names do not fit its place"));
    }
    Ok(Some(entry))
}

/// Brings a table in; when it returns, the table is durable and SQL reads it.
///
/// # Errors
/// `table-name`, `table-exists`, `table-write`, or `lake-io` for the disk; an older table of the name is then
/// still there. One import at a time: another process waits here for the one under way.
pub fn put(
    dir: &Path,
    new: NewTable,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, Problem>>,
) -> Result<TableEntry, Problem> {
    put_on(&RealDisk, dir, new, schema, batches)
}

/// As [`put`], on another disk.
///
/// # Errors
/// As [`put`].
pub fn put_on(
    disk: &dyn Disk,
    dir: &Path,
    new: NewTable,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, Problem>>,
) -> Result<TableEntry, Problem> {
    check_name(&new.name)?;
    let tables = dir.join(FOLDER);
    let folder = tables.join(&new.name);
    let create = |folder: &Path| {
        disk.create_dir_all(folder)
            .map_err(|e| io_problem("create", folder, &e))
    };
    create(&tables)?;
    let _one_at_a_time = lock(dir)?;
    // Not before: a folder without an entry is taken away by whoever has the lock.
    create(&folder)?;
    let before = read(&folder.join(ENTRY_NAME)).ok().flatten();
    if !new.replaces && folder.join(ENTRY_NAME).is_file() {
        return Err(exists_problem(&new.name, before.as_ref()).into());
    }
    let file = format!("{}.parquet", new.imported_at.micros());
    let path = folder.join(&file);
    let (rows, sha256) = write(disk, &path, schema, batches).inspect_err(|_| {
        let _ = disk.remove_file(&path);
    })?;
    let columns = schema.fields().iter().map(|field| TableColumn {
        name: field.name().clone(),
        kind: match ColumnKind::of(field) {
            // Entries keep the words that they had when their format was made.
            ColumnKind::Clock => ColumnKind::Time,
            kind => kind,
        },
        unit: new.units.get(field.name()).cloned(),
    });
    let entry = TableEntry {
        version: ENTRY_VERSION,
        columns: columns.collect(),
        name: new.name,
        title_zh: new.title_zh,
        title_en: new.title_en,
        description: new.description,
        department: new.department,
        rows,
        rows_left_out: new.rows_left_out,
        imported_at: new.imported_at,
        imported_by: new.imported_by,
        source: new.source,
        file,
        sha256,
    };
    let text = serde_json::to_vec_pretty(&entry)
        .map_err(|e| Problem::new("table-write", e.to_string(), &entry.name, "report this"))?;
    let (temporary, place) = (folder.join("table.json.tmp"), folder.join(ENTRY_NAME));
    let io = |what: &'static str, path: &Path| {
        let path = path.to_owned();
        move |e: std::io::Error| io_problem(what, &path, &e)
    };
    let mut out = disk.create(&temporary).map_err(io("create", &temporary))?;
    out.write_all(&text).map_err(io("write", &temporary))?;
    out.sync().map_err(io("sync", &temporary))?;
    disk.rename(&temporary, &place)
        .map_err(io("rename", &temporary))?;
    // The folder's own name, too: it may be new.
    for folder in [folder.as_path(), &dir.join(FOLDER), dir] {
        disk.sync_folder(folder).map_err(io("sync", folder))?;
    }
    // What is neither the newest nor the one before it.
    for old in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = old.file_name();
        let kept = name == *entry.file
            || name == ENTRY_NAME
            || before.as_ref().is_some_and(|before| name == *before.file);
        if !kept {
            let _ = disk.remove_file(&old.path());
        }
    }
    Ok(entry)
}

/// Takes a table away with its files; when it returns, no statement finds it any more, also after a loss of
/// power. Gives its entry, unless that was damaged. A statement that reads its files at that moment may end
/// with an error. It waits for an import that is under way, as [`put`] does.
///
/// # Errors
/// `table-name`, `table-unknown`, `table-entry-version` for a table of a newer program, or `lake-io` for the
/// disk: the table is then as it was, or gone.
pub fn remove(dir: &Path, name: &str) -> Result<Option<TableEntry>, Told> {
    remove_on(&RealDisk, dir, name)
}

/// As [`remove`], on another disk.
///
/// # Errors
/// As [`remove`].
pub fn remove_on(disk: &dyn Disk, dir: &Path, name: &str) -> Result<Option<TableEntry>, Told> {
    check_name(name)?;
    let folder = dir.join(FOLDER).join(name);
    let place = folder.join(ENTRY_NAME);
    if !place.is_file() {
        return Err(unknown_problem(name));
    }
    let _one_at_a_time = lock(dir)?;
    let entry = seen(dir, name)?;
    disk.remove_file(&place)
        .map_err(|e| io_problem("remove", &place, &e))?;
    disk.sync_folder(&folder)
        .map_err(|e| io_problem("sync", &folder, &e))?;
    clear(disk, dir, &folder);
    Ok(entry)
}

/// What a table is that may be removed; `None` when its entry is damaged.
///
/// # Errors
/// `table-name`, `table-unknown`, `table-entry-version` for a table of a newer program, or `lake-io` for the disk.
pub fn seen(dir: &Path, name: &str) -> Result<Option<TableEntry>, Told> {
    check_name(name)?;
    match read(&dir.join(FOLDER).join(name).join(ENTRY_NAME)) {
        Ok(Some(entry)) => Ok(Some(entry)),
        Ok(None) => Err(unknown_problem(name)),
        // Taking it away is one way of mending it.
        Err(problem) if problem.code == "table-entry-damaged" => Ok(None),
        Err(problem) => Err(problem.into()),
    }
}

/// Takes a folder without an entry away. What the disk refuses stays for [`sweep`]: nobody reads it.
fn clear(disk: &dyn Disk, dir: &Path, folder: &Path) {
    let cleared = disk
        .remove_dir_all(folder)
        .and_then(|()| disk.sync_folder(&dir.join(FOLDER)));
    if let Err(error) = cleared {
        tracing::warn!(folder = %folder.display(), %error, "files of a table that is gone are still there");
    }
}

/// Takes away what a removal or a first import left that was cut off: folders without an entry. For a process
/// that opens the lake for writing; nothing is done while a table is brought in.
pub(crate) fn sweep(disk: &dyn Disk, dir: &Path) {
    let tables = dir.join(FOLDER);
    let Ok(found) = std::fs::read_dir(&tables) else {
        return;
    };
    let Ok(file) = open_lock(dir) else {
        return;
    };
    if file.try_lock().is_err() {
        return;
    }
    for place in found.flatten().filter(|place| place.path().is_dir()) {
        if !place.path().join(ENTRY_NAME).exists() {
            clear(disk, dir, &place.path());
        }
    }
}

fn lock(dir: &Path) -> Result<File, Problem> {
    let file = open_lock(dir)?;
    let path = dir.join(FOLDER).join(LOCK);
    file.lock().map_err(|e| io_problem("lock", &path, &e))?;
    Ok(file)
}

fn open_lock(dir: &Path) -> Result<File, Problem> {
    let path = dir.join(FOLDER).join(LOCK);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| io_problem("open", &path, &e))
}

/// There is no table of the name that a department handed in.
fn unknown_problem(name: &str) -> Told {
    let name = quote(name);
    Told::new(
        "table-unknown",
        both(
            format!("没有部门数据表“{name}”"),
            format!("no department's table is called \"{name}\""),
        ),
        both("表名", "table"),
        both(
            "请核对表名，它可能已经删除；平台自己的表不能删除",
            "check the name; it may be gone already, and the platform's own tables are not removed",
        ),
    )
}

/// A table of the name is there already.
pub fn exists_problem(name: &str, there: Option<&TableEntry>) -> Told {
    let name = quote(name);
    let since = there.map_or(both("", ""), |entry| {
        let (at, file) = (entry.imported_at, quote(&entry.source.file));
        both(
            format!("，{at} 由 {file} 导入"),
            format!(", imported at {at} from {file}"),
        )
    });
    Told::new(
        "table-exists",
        both(
            format!("已经有表“{name}”{}", since.zh),
            format!("there is a table \"{name}\" already{}", since.en),
        ),
        both("表名", "table"),
        both(
            "请换一个表名，或替换它：页面上勾选“替换同名的表”，命令行用 --replace，API 用 replace=true",
            "take another name, or replace it: --replace on the command line, replace=true in the API",
        ),
    )
}

fn write(
    disk: &dyn Disk,
    path: &Path,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, Problem>>,
) -> Result<(u64, String), Problem> {
    let told = |e: &dyn std::fmt::Display| {
        Problem::new(
            "table-write",
            format!("cannot write the table: {e}"),
            path.display().to_string(),
            "check that the disk has room, and try again",
        )
    };
    let file = disk.create(path).map_err(|e| told(&e))?;
    let level = ZstdLevel::try_new(3).map_err(|e| told(&e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .build();
    let mut writer =
        ArrowWriter::try_new(BufWriter::new(file), Arc::clone(schema), Some(properties))
            .map_err(|e| told(&e))?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(|e| told(&e))?;
    }
    let mut out = writer.into_inner().map_err(|e| told(&e))?;
    out.flush().map_err(|e| told(&e))?;
    out.get_mut().sync().map_err(|e| told(&e))?;
    Ok((rows, sha256(path)?))
}

/// SHA-256 of a file, in hex.
///
/// # Errors
/// `lake-io`.
pub fn sha256(path: &Path) -> Result<String, Problem> {
    let mut file = File::open(path).map_err(|e| io_problem("open", path, &e))?;
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 1 << 16];
    loop {
        match file
            .read(&mut bytes)
            .map_err(|e| io_problem("read", path, &e))?
        {
            0 => return Ok(hex::encode(hash.finalize())),
            n => hash.update(&bytes[..n]),
        }
    }
}

/// What is wrong with the department tables of a lake; empty when all is well. It reads every byte.
pub fn check(dir: &Path) -> Vec<Problem> {
    let (entries, mut problems) = list(dir);
    for entry in &entries {
        let path = dir.join(FOLDER).join(&entry.name).join(&entry.file);
        match sha256(&path) {
            Ok(found) if found == entry.sha256 => {}
            Ok(_) => problems.push(Problem::new(
                "table-file-damaged",
                "the file's checksum is not what its entry says",
                path.display().to_string(),
                "import the table again, or restore the file from a backup",
            )),
            Err(problem) => problems.push(problem),
        }
    }
    problems
}

impl TableEntry {
    /// The table as people see it.
    pub(crate) fn table(&self) -> RecordTable {
        let columns = self.columns.iter().map(|c| (c.name.clone(), c.kind));
        RecordTable {
            name: self.name.clone(),
            description: self.description.clone(),
            columns: columns.collect(),
        }
    }

    /// Its file, as it was written.
    pub(crate) fn expected(&self) -> Expected {
        Expected {
            path: format!("{FOLDER}/{}/{}", self.name, self.file).into(),
            sha256: self.sha256.as_str().into(),
            mend: "import the table again, or restore the file from a backup",
        }
    }

    /// The table's rows.
    pub(crate) fn provider(&self, dir: &Path) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let path = dir.join(FOLDER).join(&self.name).join(&self.file);
        let file = File::open(&path)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let schema = Schema::new(builder.schema().fields().clone());
        let store = store_url();
        let place = format!("{}{FOLDER}/{}/{}", store.as_str(), self.name, self.file);
        let options = ListingOptions::new(Arc::new(ParquetFormat::default()));
        let config = ListingTableConfig::new(ListingTableUrl::parse(&place)?)
            .with_listing_options(options)
            .with_schema(Arc::new(schema));
        Ok(Arc::new(ListingTable::try_new(config)?))
    }
}
