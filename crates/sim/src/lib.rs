//! The simulated city: plays a demo through the platform's real doors, as its devices would.
//!
//! A [`Plan`] is read from a city profile (`demo/demo.toml`, `data/*.csv`): the generated assets, the devices to be
//! registered, and the real series. A [`Schedule`] says, purely from seed and time, what is sent when. [`run`] sends it:
//! devices over MQTT with QoS 1, one message at a time, each repeated until it is acknowledged; charge points over OCPP;
//! assets, and the meters of transformers and buildings, as NGSI-LD batches over HTTP; the data centre's power as line protocol over HTTP.
//!
//! Reading order: `settings` (demo.toml), `series` (the data), `fleet` (the assets), `payload` (NGSI-LD), `plan`, `charging`, `energy`,
//! `schedule` (the pure core), `words` and `point` (a charge point, without I/O), `device`, `station`, `http`, `run`.

mod charging;
mod device;
mod energy;
mod fleet;
mod http;
mod payload;
mod plan;
mod point;
mod run;
mod scatter;
mod schedule;
mod series;
mod settings;
mod station;
mod words;

pub use fleet::Asset;
pub use http::HttpError;
pub use plan::{CHARGE_POINT, DeviceToRegister, Plan};
pub use point::{Act, PastCharge};
pub use run::{DeviceCredential, Doors, Event, Options, Report, SimError, run};
pub use schedule::{Outgoing, Pace, Scene, Schedule, Via};
