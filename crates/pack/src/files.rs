//! Where a pack's files come from: a real folder, or the binary.

use model::Problem;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A pack's files.
pub trait Files {
    /// The pack's name: the folder's.
    fn name(&self) -> String;
    /// Paths of all files, relative to the pack, with `/`, in order.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list(&self) -> Result<Vec<String>, Problem>;
    /// One file's text.
    ///
    /// # Errors
    /// When it cannot be read, is too long, or is not UTF-8.
    fn read(&self, path: &str) -> Result<String, Problem>;
    /// A file's path as messages name it.
    fn place(&self, path: &str) -> String {
        format!("{}/{path}", self.name())
    }
}

/// How much a pack may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest file, in bytes (default 1 MiB).
    pub file_bytes_max: u64,
    /// Most files (default 2,000).
    pub files_max: usize,
    /// Deepest folder (default 4).
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: 1024 * 1024,
            files_max: 2_000,
            depth_max: 4,
        }
    }
}

/// A pack in a folder. Hidden files (`.…`) are left out.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    limits: Limits,
}

impl Folder {
    /// The pack in the folder `root`.
    pub fn new(root: impl Into<PathBuf>, limits: Limits) -> Self {
        Self {
            root: root.into(),
            limits,
        }
    }

    /// The packs in the folders below `root`: every folder that holds a `pack.toml`, by name.
    ///
    /// # Errors
    /// When `root` cannot be listed.
    pub fn all_below(root: &Path, limits: Limits) -> Result<Vec<Self>, Problem> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(root).map_err(|e| unreadable(root, &e))? {
            let path = entry.map_err(|e| unreadable(root, &e))?.path();
            if path.join("pack.toml").is_file() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found
            .into_iter()
            .map(|path| Self::new(path, limits))
            .collect())
    }

    fn walk(&self, folder: &Path, depth: usize, found: &mut Vec<String>) -> Result<(), Problem> {
        for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))? {
            let entry = entry.map_err(|e| unreadable(folder, &e))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(|e| unreadable(&path, &e))?;
            if kind.is_dir() && depth < self.limits.depth_max {
                self.walk(&path, depth + 1, found)?;
            } else if let Ok(relative) = path.strip_prefix(&self.root) {
                let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
                found.push(parts.join("/"));
            }
            if found.len() > self.limits.files_max {
                return Err(Problem::new(
                    "pack-files",
                    format!("the pack has more than {} files", self.limits.files_max),
                    self.root.display().to_string(),
                    "take out what is no part of the pack",
                ));
            }
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        "pack-unreadable",
        format!("cannot be read: {error}"),
        path.display().to_string(),
        "check that it is there and may be read",
    )
}

impl Files for Folder {
    fn name(&self) -> String {
        let absolute = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        absolute
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    fn list(&self) -> Result<Vec<String>, Problem> {
        let mut found = Vec::new();
        self.walk(&self.root, 0, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<String, Problem> {
        let full = self.root.join(path);
        let size = std::fs::metadata(&full)
            .map_err(|e| unreadable(&full, &e))?
            .len();
        if size > self.limits.file_bytes_max {
            return Err(Problem::new(
                "pack-file-length",
                format!("the file has {size} bytes"),
                self.place(path),
                format!("use at most {} bytes", self.limits.file_bytes_max),
            ));
        }
        let bytes = std::fs::read(&full).map_err(|e| unreadable(&full, &e))?;
        utf8(bytes, &self.place(path))
    }

    fn place(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }
}

fn utf8(bytes: Vec<u8>, place: &str) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes()[..good].iter().filter(|b| **b == b'\n').count();
        Problem::new(
            "pack-utf8",
            "the file is not UTF-8",
            format!("{place}:{line}"),
            "save it as UTF-8",
        )
    })
}

/// The repository's packs, in the binary.
#[derive(rust_embed::RustEmbed)]
#[folder = "../../packs/"]
#[exclude = "*/Cargo.toml"]
#[exclude = "*/src/*"]
#[exclude = "*/tests/*"]
struct Carried;

/// A pack that the binary carries.
#[derive(Clone, Debug)]
pub struct Embedded {
    name: String,
}

/// The packs that the binary carries, by name.
pub fn embedded() -> Vec<Embedded> {
    let names: BTreeSet<String> = Carried::iter()
        .filter_map(|path| path.strip_suffix("/pack.toml").map(str::to_owned))
        .collect();
    names.into_iter().map(|name| Embedded { name }).collect()
}

impl Files for Embedded {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn list(&self) -> Result<Vec<String>, Problem> {
        let folder = format!("{}/", self.name);
        let mut found: Vec<String> = Carried::iter()
            .filter_map(|path| path.strip_prefix(&folder).map(str::to_owned))
            .filter(|path| !path.split('/').any(|part| part.starts_with('.')))
            .collect();
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<String, Problem> {
        let file = Carried::get(&format!("{}/{path}", self.name)).ok_or_else(|| {
            Problem::new(
                "pack-unreadable",
                "the binary does not carry this file",
                self.place(path),
                "build it again",
            )
        })?;
        utf8(file.data.into_owned(), &self.place(path))
    }
}
