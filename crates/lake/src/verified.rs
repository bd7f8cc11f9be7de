//! Stored files as a query may believe them. The first time that this process reads a file, its bytes are hashed and
//! compared with the checksum that was noted when it was written; until its size or time changes, that is remembered.
//! A file whose bytes are others is not read: whoever asks is told which it is and how to mend it, and questions that
//! need other files go on.
//!
//! It costs what reading the file once costs, and only files that a query opens are hashed: none at the start of the
//! program, and none that the manifest's times and entities pass over. What rots afterwards, below a process that
//! has read the file already, is found by upkeep before it copies anything, by `jingling check`, and after the next start.

use crate::check::digest;
use crate::layout::{REPLACED_FOLDER, replaced_name};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use model::Problem;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A file as its bytes were written.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// From the lake's folder, with `/`.
    pub path: Arc<str>,
    /// SHA-256, in hex.
    pub sha256: Arc<str>,
    /// What mends it when it is damaged.
    pub mend: &'static str,
}

/// What tells a file from the one that was hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// What hashing a file showed.
#[derive(Clone, Debug)]
struct Seen {
    identity: Identity,
    sha256: Arc<str>,
    outcome: Result<(), Problem>,
}

/// One hashes while others who want the same file wait here.
type Gate = Arc<tokio::sync::Mutex<Option<Seen>>>;

/// What this process knows of the lake's files.
#[derive(Debug)]
pub(crate) struct Verified {
    dir: PathBuf,
    gates: Mutex<HashMap<Arc<str>, Gate>>,
}

impl Verified {
    /// Nothing was read yet.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            gates: Mutex::default(),
        }
    }

    /// Whether the file's bytes are those that were written: hashed now, or seen before.
    ///
    /// # Errors
    /// `lake-file-missing`, `lake-file-checksum`, or `lake-read` when the disk does not answer.
    pub async fn verify(&self, file: &Expected) -> Result<(), Problem> {
        let gate = Arc::clone(self.gates.lock().entry(Arc::clone(&file.path)).or_default());
        let mut seen = gate.lock_owned().await;
        let (path, identity) = self.find(file)?;
        if let Some(seen) = &*seen
            && seen.identity == identity
            && seen.sha256 == file.sha256
        {
            return seen.outcome.clone();
        }
        let expected = file.clone();
        // The gate goes along: a question that is given up does not make the next one begin anew.
        let work = tokio::task::spawn_blocking(move || {
            let outcome = hash(&path, &expected)?;
            *seen = Some(Seen {
                identity,
                sha256: expected.sha256,
                outcome: outcome.clone(),
            });
            outcome
        });
        let told = |e: tokio::task::JoinError| read_problem(&self.dir.join(&*file.path), &e);
        work.await.map_err(told)?
    }

    /// Where the file lies: at its place, or where replaced files are kept for those who still read them.
    fn find(&self, file: &Expected) -> Result<(PathBuf, Identity), Problem> {
        let path = self.dir.join(&*file.path);
        let kept = || (self.dir.join(REPLACED_FOLDER)).join(replaced_name(&file.path));
        let (path, metadata) = match path.metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let kept = kept();
                let metadata = kept.metadata();
                (kept, metadata)
            }
            other => (path, other),
        };
        match metadata {
            Ok(metadata) => {
                let identity = Identity {
                    bytes: metadata.len(),
                    modified: metadata.modified().ok(),
                };
                Ok((path, identity))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Problem::new(
                "lake-file-missing",
                "a file of history is missing; nothing is told without its rows",
                self.dir.join(&*file.path).display().to_string(),
                file.mend,
            )),
            Err(e) => Err(read_problem(&path, &e)),
        }
    }

    /// Forgets files: they are gone, or were seen to be damaged.
    pub fn forget<'a>(&self, paths: impl IntoIterator<Item = &'a str>) {
        let mut gates = self.gates.lock();
        for path in paths {
            gates.remove(path);
        }
    }
}

/// What the bytes show; an outer error says nothing about them.
fn hash(path: &Path, expected: &Expected) -> Result<Result<(), Problem>, Problem> {
    let (_, sha256) = File::open(path)
        .and_then(|mut file| digest(&mut file))
        .map_err(|e| read_problem(path, &e))?;
    if *sha256 == *expected.sha256 {
        return Ok(Ok(()));
    }
    let place = path.display().to_string();
    tracing::error!(path = place, "a file of history is damaged; it is not read");
    Ok(Err(Problem::new(
        "lake-file-checksum",
        format!(
            "a file of history is damaged: its SHA-256 is {sha256}, not {}; nothing is told from it",
            expected.sha256
        ),
        place,
        expected.mend,
    )))
}

/// The disk, or the system, did not give what was asked for.
fn read_problem(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "lake-read",
        format!("cannot read: {error}"),
        path.display().to_string(),
        "see whether the disk answers and file handles are left (ulimit -n), then ask again",
    )
}

/// Reads a file of which every byte was verified before the first is given.
pub(crate) struct Verifying {
    inner: Box<dyn AsyncFileReader + Send>,
    verified: Arc<Verified>,
    file: Expected,
    /// The file's footer, where it was read before.
    footer: Option<Arc<ParquetMetaData>>,
    is_verified: bool,
}

impl Verifying {
    pub fn new(
        inner: Box<dyn AsyncFileReader + Send>,
        verified: Arc<Verified>,
        file: Expected,
        footer: Option<Arc<ParquetMetaData>>,
    ) -> Self {
        Self {
            inner,
            verified,
            file,
            footer,
            is_verified: false,
        }
    }

    async fn verify(&mut self) -> Result<(), ParquetError> {
        if !self.is_verified {
            let outcome = self.verified.verify(&self.file).await;
            outcome.map_err(|problem| ParquetError::External(Box::new(problem)))?;
            self.is_verified = true;
        }
        Ok(())
    }

    /// Its bytes are good, so what fails is the disk or the system.
    fn told(&self, error: &ParquetError) -> ParquetError {
        let path = self.verified.dir.join(&*self.file.path);
        ParquetError::External(Box::new(read_problem(&path, error)))
    }
}

impl AsyncFileReader for Verifying {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            self.verify().await?;
            let got = self.inner.get_bytes(range).await;
            got.map_err(|e| self.told(&e))
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            self.verify().await?;
            let got = self.inner.get_byte_ranges(ranges).await;
            got.map_err(|e| self.told(&e))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            self.verify().await?;
            if let Some(footer) = &self.footer {
                return Ok(Arc::clone(footer));
            }
            let got = self.inner.get_metadata(options).await;
            got.map_err(|e| self.told(&e))
        }
        .boxed()
    }
}
