//! proto-influx.
