//! The lake's folder as the query engine sees it: files to read, nothing else. A file that has been
//! replaced since the query began is found where replaced files are kept.

use crate::layout::{REPLACED_FOLDER, replaced_name};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::ops::Range;

/// The lake's folder.
#[derive(Debug)]
pub(crate) struct LakeFolder(pub LocalFileSystem);

impl fmt::Display for LakeFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lake in {}", self.0)
    }
}

fn replaced(location: &Path) -> Path {
    Path::from(format!(
        "{REPLACED_FOLDER}/{}",
        replaced_name(location.as_ref())
    ))
}

fn only_read() -> Error {
    Error::NotSupported {
        source: "queries only read".into(),
    }
}

#[async_trait]
impl ObjectStore for LakeFolder {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.0.get_opts(location, options.clone()).await {
            Err(Error::NotFound { .. }) => self.0.get_opts(&replaced(location), options).await,
            other => other,
        }
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match self.0.get_ranges(location, ranges).await {
            Err(Error::NotFound { .. }) => self.0.get_ranges(&replaced(location), ranges).await,
            other => other,
        }
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(only_read())
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(only_read())
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(only_read())).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::once(async { Err(only_read()) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(only_read())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(only_read())
    }
}
