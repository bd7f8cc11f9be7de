//! proto-senml.
