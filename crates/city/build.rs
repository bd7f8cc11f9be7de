//! Builds again when a file is added to a city profile: the profiles are compiled in.

fn main() {
    println!("cargo:rerun-if-changed=../../cities");
}
