//! The simulated city: plays a demo through the platform's real doors, as its devices would.
//!
//! A [`Plan`] is read from a city profile (`demo/demo.toml`, `data/*.csv`): the generated assets, the devices to be
//! registered, and the real series. A [`Schedule`] says, purely from seed and time, what is sent when. [`run`] sends it:
//! devices over MQTT with QoS 1, one message at a time, each repeated until it is acknowledged; assets and finished
//! charging sessions as NGSI-LD batches over HTTP; the data centre's power as line protocol over HTTP.
//!
//! Reading order: `settings` (demo.toml), `series` (the data), `fleet` (the assets), `payload` (NGSI-LD), `plan`,
//! `schedule` (the pure core), `device`, `http`, `run`.

mod device;
mod fleet;
mod http;
mod payload;
mod plan;
mod run;
mod scatter;
mod schedule;
mod series;
mod settings;

pub use fleet::Asset;
pub use http::HttpError;
pub use plan::{DeviceToRegister, Plan};
pub use run::{DeviceCredential, Doors, Event, Options, Report, SimError, run};
pub use schedule::{Outgoing, Pace, Scene, Schedule, Via};
