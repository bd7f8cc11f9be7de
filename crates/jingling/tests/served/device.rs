//! A device that publishes over MQTT with QoS 1, one message after another, each once the one before was acknowledged.

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// The entity that the device speaks for.
pub const ENTITY: &str = "urn:ngsi-ld:WaterObserved:1";

/// A device that is publishing.
pub struct Device {
    acknowledged: Arc<(Mutex<u64>, Condvar)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The level that message `n` tells.
pub fn level(n: u64) -> f64 {
    (20_000 + n) as f64 / 1_000.0
}

/// Registers the device in a city.
pub fn register(city: &str) -> serde_json::Value {
    let words = [
        "device",
        "add",
        city,
        "--id",
        ENTITY,
        "--type",
        "WaterObserved",
        "--json",
    ];
    super::answer(&words)
}

impl Device {
    /// Publishes messages from number `first` on, up to `last` (not included), or until it is stopped or cut off.
    pub fn start(
        server: &super::Server,
        credential: &serde_json::Value,
        first: u64,
        last: u64,
    ) -> Self {
        let text = |key: &str| credential[key].as_str().unwrap().to_owned();
        let address = server.addresses["mqtt"];
        let mut options =
            MqttOptions::new(text("client_id"), address.ip().to_string(), address.port());
        options.set_credentials(text("username"), text("password"));
        let topic = text("topic");
        let acknowledged = Arc::new((Mutex::new(first), Condvar::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (told, ended) = (acknowledged.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let (client, mut connection) = Client::new(options, 4);
            let next = AtomicU64::new(first);
            let publish = || {
                let n = next.load(Ordering::Relaxed);
                let body =
                    serde_json::json!({"waterLevel": {"value": level(n), "unitCode": "MTR"}});
                client.publish(&topic, QoS::AtLeastOnce, false, body.to_string())
            };
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => publish().unwrap(),
                    Ok(Event::Incoming(Packet::PubAck(_))) => {
                        let n = next.fetch_add(1, Ordering::Relaxed) + 1;
                        *told.0.lock().unwrap() = n;
                        told.1.notify_all();
                        if n == last || ended.load(Ordering::Relaxed) {
                            break;
                        }
                        publish().unwrap();
                    }
                    Ok(_) => {}
                    // The server is gone.
                    Err(_) => break,
                }
            }
            told.1.notify_all();
        });
        Self {
            acknowledged,
            stop,
            thread: Some(thread),
        }
    }

    /// The number of the first message that is not acknowledged.
    pub fn acknowledged(&self) -> u64 {
        *self.acknowledged.0.lock().unwrap()
    }

    /// Waits until the connection has ended.
    pub fn wait_until_cut_off(mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Waits until all messages below `n` are acknowledged.
    pub fn wait(&self, n: u64) {
        let mut now = self.acknowledged.0.lock().unwrap();
        while *now < n {
            assert!(
                self.thread.as_ref().is_some_and(|t| !t.is_finished()),
                "the device was cut off at {now}"
            );
            now = self
                .acknowledged
                .1
                .wait_timeout(now, std::time::Duration::from_secs(1))
                .unwrap()
                .0;
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
