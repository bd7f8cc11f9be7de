//! What a real operating system refuses: a file system that is full or read-only, no file handle left. A test runs
//! itself again, as a process of its own, in a mount namespace with a small file system in memory or under a limit;
//! where the system allows no such namespace, it says so and tests nothing. The same faults are held there by the
//! simulated disks of the crate `faults` alone.
//!
//! ```no_run
//! #[test]
//! fn a_full_disk_refuses() {
//!     let Some(dir) = testkit::refusal::inside() else {
//!         return testkit::refusal::again_on_small_disk("a_full_disk_refuses", 4);
//!     };
//!     // … fill `dir`, which holds 4 MiB.
//! }
//! ```

#![allow(clippy::print_stderr, reason = "says why nothing was tested")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set in the process that does the work: the folder to work in.
const INSIDE: &str = "TESTKIT_REFUSAL";
const NAMESPACE: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// The folder to work in, when this is the inner process.
pub fn inside() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(Into::into)
}

/// Runs the test `name`, with its modules before it as the test runner names it, again with a file system of so many MiB, of its own, at the folder.
///
/// # Panics
/// When the inner test fails.
pub fn again_on_small_disk(name: &str, mib: u32) {
    let dir = folder();
    let place = dir.path().display();
    let allowed = Command::new("unshare")
        .args(NAMESPACE)
        .args(["mount", "-t", "tmpfs", "tmpfs"])
        .arg(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        eprintln!(
            "{name}: this system lets nobody mount a file system in a namespace; not tested here"
        );
        return;
    }
    let namespace = NAMESPACE.join(" ");
    let shell = format!(
        "exec unshare {namespace} sh -c \"mount -t tmpfs -o size={mib}m tmpfs '{place}' && exec $SELF\""
    );
    again(name, dir.path(), &shell);
}

/// Runs the test `name` again when at most so many files may be open in its process and in those that it starts.
///
/// # Panics
/// When the inner test fails.
pub fn again_with_few_handles(name: &str, handles: u32) {
    let dir = folder();
    again(
        name,
        dir.path(),
        &format!("ulimit -n {handles}; exec $SELF"),
    );
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

/// Runs the test `name` again under `shell`, which holds `$SELF` where the test goes.
fn again(name: &str, dir: &Path, shell: &str) {
    let me = std::env::current_exe().expect("a test knows its own file");
    let test = format!("'{}' --exact {name} --nocapture", me.display());
    let run = Command::new("sh")
        .args(["-c", &shell.replace("$SELF", &test)])
        .env(INSIDE, dir)
        .output()
        .expect("there is a shell");
    let told = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    assert!(told.contains("1 passed"), "the inner test ran: {told}");
}

/// Makes the file system of the folder read-only (`ro`) or writable (`rw`) when no file of it is open for writing; of
/// the inner process only.
///
/// # Panics
/// When the system refuses.
pub fn remount(dir: &Path, how: &str) {
    must("mount", &["-o", &format!("remount,{how}")], dir);
}

/// Lays the folder over itself, read-only: whoever opens, makes, renames or removes something below it from now on
/// is refused, as on a disk that the system made read-only; files that are open stay as they are. Ended by
/// [`writable_again`]. Of the inner process only.
///
/// # Panics
/// When the system refuses.
pub fn turn_read_only(dir: &Path) {
    let place = dir.display().to_string();
    must("mount", &["--bind", &place], dir);
    must("mount", &["-o", "remount,bind,ro"], dir);
}

/// Takes away what [`turn_read_only`] laid.
///
/// # Panics
/// When the system refuses.
pub fn writable_again(dir: &Path) {
    // Lazily: somebody may have a file open that was found below it.
    must("umount", &["-l"], dir);
}

fn must(program: &str, words: &[&str], dir: &Path) {
    let status = Command::new(program).args(words).arg(dir).status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{program} {words:?} {}: {status:?}",
        dir.display()
    );
}
