//! The `jingling` command: its allocator; all else is in the library.

use std::process::ExitCode;

/// Gives memory back within a second of its last use; its settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    jingling::program::run()
}
