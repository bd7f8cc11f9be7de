//! The files of the checkout that the rules look at: everything but what is built or fetched.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders that are built, fetched or made by running the program.
const LEFT_OUT: [&str; 6] = [
    ".git",
    "target",
    "node_modules",
    "dist",
    "demo-city",
    "test-results",
];

/// The files of a checkout.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The root folder.
    pub root: PathBuf,
    /// Every file, as a path from the root with `/`.
    pub files: BTreeSet<String>,
}

impl Tree {
    /// Lists the files below `root`.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeSet::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = root.join(&folder);
            for entry in path
                .read_dir()
                .with_context(|| path.display().to_string())?
            {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let at = if folder.is_empty() {
                    name.clone()
                } else {
                    format!("{folder}/{name}")
                };
                if !entry.file_type()?.is_dir() {
                    files.insert(at);
                } else if !LEFT_OUT.contains(&name.as_str()) {
                    folders.push(at);
                }
            }
        }
        Ok(Self {
            root: root.to_owned(),
            files,
        })
    }

    /// The text of a file of the tree.
    ///
    /// # Errors
    /// When it cannot be read as text.
    pub fn text(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(path)).with_context(|| path.to_owned())
    }

    /// The files whose names end in one of `ends`.
    pub fn ending<'t>(&'t self, ends: &'t [&str]) -> impl Iterator<Item = &'t str> {
        let fits = move |path: &&str| ends.iter().any(|end| path.ends_with(end));
        self.files.iter().map(String::as_str).filter(fits)
    }

    /// The names right below a folder, files and folders alike.
    pub fn names_in(&self, folder: &str) -> BTreeSet<&str> {
        let inside = |path: &'_ String| path.strip_prefix(folder)?.strip_prefix('/').map(str::len);
        self.files
            .iter()
            .filter_map(|path| inside(path).map(|rest| &path[path.len() - rest..]))
            .filter_map(|rest| rest.split('/').next())
            .collect()
    }

    /// Whether a path names a file or a folder of the tree.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains(path) || !self.names_in(path).is_empty()
    }
}
