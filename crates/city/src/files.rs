//! Where a profile's files come from: the binary itself, or a folder.

use model::Problem;
use std::borrow::Cow;
use std::io;
use std::path::{Component, Path, PathBuf};

/// All profiles of the repository, compiled in.
#[derive(rust_embed::RustEmbed)]
#[folder = "../../cities/"]
struct Embedded;

/// Largest profile file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The files of one profile.
#[derive(Clone, Debug)]
pub enum Files {
    /// Compiled in, under this id.
    Embedded(String),
    /// In this folder.
    Folder(PathBuf),
}

/// Ids of the profiles compiled in, sorted.
pub(crate) fn embedded_ids() -> Vec<String> {
    let mut ids: Vec<String> = Embedded::iter()
        .filter_map(|path| path.strip_suffix("/city.toml").map(str::to_owned))
        .filter(|id| !id.contains('/'))
        .collect();
    ids.sort();
    ids
}

impl Files {
    /// One file, by its path inside the profile with `/` between folders; `None` when there is none.
    ///
    /// # Errors
    /// `city-file`: the path leaves the profile, or the file cannot be read or is larger than [`FILE_BYTES_MAX`].
    pub fn read(&self, path: &str) -> Result<Option<Cow<'static, [u8]>>, Problem> {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(Problem::new(
                "city-file",
                format!("\"{}\" leaves the profile", model::problem::quote(path)),
                path,
                "name a file inside the profile, such as layers/towns.geojson",
            ));
        }
        match self {
            Self::Embedded(id) => Ok(Embedded::get(&format!("{id}/{path}")).map(|f| f.data)),
            Self::Folder(folder) => {
                let full = folder.join(path);
                read_bounded(&full).map_err(|e| {
                    Problem::new(
                        "city-file",
                        format!("cannot be read: {e}"),
                        full.display().to_string(),
                        format!("make it a readable file of at most {FILE_BYTES_MAX} bytes"),
                    )
                })
            }
        }
    }

    /// Writes every data file of the profile into `folder` (made when missing; tools are left out), so that a
    /// city's engineer can change it there. Files that are already there are kept. Answers how many were written.
    ///
    /// # Errors
    /// What the file system says.
    pub fn export(&self, folder: &Path) -> io::Result<usize> {
        let mut written = 0;
        for path in self.paths()? {
            let target = folder.join(&path);
            if path.starts_with("tools/") || target.exists() {
                continue;
            }
            let bytes = match self {
                Self::Embedded(id) => Embedded::get(&format!("{id}/{path}")).map(|f| f.data),
                Self::Folder(from) => read_bounded(&from.join(&path))?,
            };
            if let (Some(bytes), Some(parent)) = (bytes, target.parent()) {
                std::fs::create_dir_all(parent)?;
                std::fs::write(&target, bytes)?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// Paths of all files, sorted.
    pub(crate) fn paths(&self) -> io::Result<Vec<String>> {
        let mut out = Vec::new();
        match self {
            Self::Embedded(id) => {
                let prefix = format!("{id}/");
                out.extend(
                    Embedded::iter().filter_map(|p| p.strip_prefix(&prefix).map(str::to_owned)),
                );
            }
            Self::Folder(folder) => {
                let mut open = vec![folder.clone()];
                while let Some(dir) = open.pop() {
                    for entry in std::fs::read_dir(dir)? {
                        let path = entry?.path();
                        if path.is_dir() {
                            open.push(path);
                        } else if let Ok(inside) = path.strip_prefix(folder) {
                            out.push(inside.to_string_lossy().into_owned());
                        }
                    }
                }
            }
        }
        out.sort();
        Ok(out)
    }
}

fn read_bounded(path: &Path) -> io::Result<Option<Cow<'static, [u8]>>> {
    match std::fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
        Ok(meta) if !meta.is_file() || meta.len() > FILE_BYTES_MAX => Err(io::Error::other(
            format!("{} bytes, or not a file", meta.len()),
        )),
        Ok(_) => std::fs::read(path).map(|bytes| Some(Cow::Owned(bytes))),
    }
}
