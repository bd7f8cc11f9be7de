//! Any bodies, in frames whose lengths and check values are right.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| laws::bodies(input));
