//! Programs that nobody here wrote, for tests that let them read and ask what we serve and write: a Python with packages
//! from PyPI, packages from npm, and what to do about a program that is not there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python with packages from PyPI, in an environment of its own that is made once and kept beside the build.
pub struct Python<'a> {
    /// Where it is kept: `env!("CARGO_TARGET_TMPDIR")` of the test.
    pub beside: &'a str,
    /// Its folder there.
    pub name: &'a str,
    /// What it must be able to import, as in `duckdb, polars`.
    pub imports: &'a str,
    /// What `pip install` is given.
    pub packages: &'a [&'a str],
}

impl Python<'_> {
    /// The interpreter, made when it is not there.
    ///
    /// # Errors
    /// The last line of what Python or pip said.
    pub fn make(&self) -> Result<PathBuf, String> {
        let venv = Path::new(self.beside).join(self.name);
        let python = venv.join("bin/python");
        // Tests run side by side, each a process of its own: one makes it, the others wait.
        let turn = File::create(venv.with_extension("lock"));
        let turn = turn.and_then(|file| file.lock().map(|()| file));
        let _turn = turn.map_err(|error| error.to_string())?;
        let is_ready =
            || run(Command::new(&python).args(["-c", &format!("import {}", self.imports)]));
        if is_ready().is_err() {
            run(Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&venv))?;
            let install = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ];
            let patience = ["--retries", "1"];
            run(Command::new(&python)
                .args(install)
                .args(patience)
                .args(self.packages))?;
            is_ready()?;
        }
        Ok(python)
    }
}

/// Packages from npm, in a folder of their own that is made once and kept beside the build.
pub struct Node<'a> {
    /// Where it is kept: `env!("CARGO_TARGET_TMPDIR")` of the test.
    pub beside: &'a str,
    /// Its folder there. Two tests that run at once need two names.
    pub name: &'a str,
    /// What `npm install` is given, each a package's plain name.
    pub packages: &'a [&'a str],
}

impl Node<'_> {
    /// The folder that a script is given as `NODE_PATH`, made when it is not there.
    ///
    /// # Errors
    /// The last line of what npm said.
    pub fn make(&self) -> Result<PathBuf, String> {
        let folder = Path::new(self.beside).join(self.name);
        let modules = folder.join("node_modules");
        let is_ready = self
            .packages
            .iter()
            .all(|package| modules.join(package).join("package.json").is_file());
        if !is_ready {
            run(Command::new("npm")
                .args([
                    "install",
                    "--silent",
                    "--no-audit",
                    "--no-fund",
                    "--fetch-retries=1",
                ])
                .arg("--prefix")
                .arg(&folder)
                .args(self.packages))?;
        }
        Ok(modules)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{command:?}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default().to_owned();
    output.status.success().then_some(()).ok_or(last)
}

/// Tells that a test is passed over because a program that `make setup` installs is not there. Where `CI` is set, as
/// continuous integration sets it, setup has run, and the test fails instead.
///
/// # Panics
/// Where `CI` is set.
pub fn passed_over(what: &str, mend: &str) {
    let told = format!("{what} is not installed ({mend}): its tests are passed over");
    assert!(std::env::var_os("CI").is_none(), "{told}");
    eprintln!("{told}");
}
