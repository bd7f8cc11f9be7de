//! proto-mqtt.
