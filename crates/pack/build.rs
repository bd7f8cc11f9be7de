//! The packs are embedded: a file added to or taken from them builds this crate again.

fn main() {
    println!("cargo::rerun-if-changed=../../packs");
}
