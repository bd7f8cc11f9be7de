//! The small surface of a disk that the journal uses, so that a simulated disk can take its place.
//! Names are plain file names inside one directory.

use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// One directory of files. Every method may block.
pub trait Storage: Send + Sync + 'static {
    /// Makes the directory and those above it when they are missing.
    fn create_dir(&self) -> io::Result<()>;
    /// The names of the files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes an empty file, for reading and writing; an old one of that name is emptied.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;
    /// Opens a file, for writing too when `write` says so.
    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn StorageFile>>;
    /// Gives a file a new name; a file that has that name is replaced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_dir(&self) -> io::Result<()>;
    /// Takes the named lock file for this process until the guard is dropped;
    /// `WouldBlock` when another holds it.
    fn lock(&self, name: &str) -> io::Result<Box<dyn Send + Sync>>;
    /// A number that nobody outside can guess (the salt of a segment).
    fn random(&self) -> u64;
    /// Where the directory is, for messages.
    fn place(&self) -> String;
}

/// One open file.
pub trait StorageFile: Send + Sync {
    /// Reads at `offset` until `buffer` is full or the file ends; the number of bytes read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts or lengthens the file.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// The file's length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Says that nobody is expected to read the file soon, so that memory which keeps it may serve another.
    fn forget(&self) {}
}

/// A directory of the operating system.
#[derive(Debug, Clone)]
pub struct RealStorage {
    dir: PathBuf,
}

impl RealStorage {
    /// The storage over `dir`, which need not exist yet.
    pub fn new(dir: impl AsRef<Path>) -> Self {
        Self {
            dir: dir.as_ref().to_owned(),
        }
    }
}

impl Storage for RealStorage {
    fn create_dir(&self) -> io::Result<()> {
        fs::create_dir_all(&self.dir)
    }
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            // A name that is not UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.dir.join(name))?;
        Ok(Box::new(file))
    }
    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn StorageFile>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(write)
            .open(self.dir.join(name))?;
        Ok(Box::new(file))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }
    fn sync_dir(&self) -> io::Result<()> {
        fs::File::open(&self.dir)?.sync_all()
    }
    fn lock(&self, name: &str) -> io::Result<Box<dyn Send + Sync>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.dir.join(name))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
    fn random(&self) -> u64 {
        // The standard library seeds this from the operating system.
        std::hash::RandomState::new().build_hasher().finish()
    }
    fn place(&self) -> String {
        self.dir.display().to_string()
    }
}

impl StorageFile for fs::File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match FileExt::read_at(self, &mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        fs::File::sync_data(self)
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        fs::File::set_len(self, bytes)
    }
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn forget(&self) {
        // Advice only: a system that does not take it loses nothing.
        let _ = rustix::fs::fadvise(self, 0, None, rustix::fs::Advice::DontNeed);
    }
}
