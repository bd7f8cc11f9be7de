//! jingling.
