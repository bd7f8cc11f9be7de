//! Any bytes, as a link carries them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| laws::bytes(input));
