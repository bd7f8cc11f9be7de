//! A door over a real lake, real records and real sign-ins, for tests.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod foreign;

use identity::password::WorkFactor;
use identity::{Identity, NewPerson, Role};
use lake::{ColumnKind, Lake, RecordTable, RecordTables};
use model::{
    Accepted, AttributeKind, AttributeName, AttributeUpdate, Catalogue, EntityId, EntityKind,
    MissingUnit, Problem, Quality, Timestamp, TypeName, Update, Value, ValueKind,
};
use parking_lot::Mutex;
use pgdoor::{City, Handle, Limits, Options};
use records::{Actor, Records};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// 2026-11-23T08:00:00Z.
pub const START: Timestamp = Timestamp::from_seconds(1_795_420_800);
/// How long a client may take; only a fault reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Levels that the lake holds.
pub const LEVELS: u64 = 1_000;
pub const PASSWORD: &str = "a-long-password-of-tests";

pub struct Door {
    pub dir: tempfile::TempDir,
    pub handle: Handle,
    pub identity: Identity,
    pub records: Records,
    pub token: String,
    /// Purposes for which something was shown whole, with the count of statements.
    pub told: Arc<Mutex<Vec<String>>>,
}

/// Rows of a statement with a purpose.
pub const GATHERED_ROWS_MAX: usize = 100;

/// `rescue` is a purpose of everybody; `inspection` is one, and may be stated by nobody; `broken` cannot be written down.
struct Purposes {
    told: Arc<Mutex<Vec<String>>>,
}

impl pgdoor::Purposes for Purposes {
    fn stated(
        &self,
        _caller: &identity::Principal,
        _peer: std::net::IpAddr,
        purpose: &str,
    ) -> Result<Box<dyn pgdoor::Looking>, Problem> {
        match purpose {
            "rescue" | "broken" => Ok(Box::new(Look {
                purpose: purpose.to_owned(),
                told: Arc::clone(&self.told),
            })),
            "inspection" => Err(Problem::new("forbidden", "no", "permission", "ask")),
            _ => Err(Problem::new(
                "purpose-unknown",
                format!("\"{purpose}\" is not a purpose of this city"),
                "purpose",
                "use one of rescue, inspection",
            )),
        }
    }
}

struct Look {
    purpose: String,
    told: Arc<Mutex<Vec<String>>>,
}

impl pgdoor::Looking for Look {
    fn tables(&self) -> Arc<dyn RecordTables> {
        Arc::new(Whole)
    }

    fn tell(&self) -> futures::future::BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async {
            if self.purpose == "broken" {
                return Err(Problem::new(
                    "internal",
                    "the trail is full",
                    "records",
                    "make room",
                ));
            }
            self.told.lock().push(self.purpose.clone());
            Ok(())
        })
    }
}

/// The cases as they are shown for a purpose.
struct Whole;

impl RecordTables for Whole {
    fn tables(&self) -> Vec<RecordTable> {
        Cases.tables()
    }

    fn rows(
        &self,
        _name: &str,
    ) -> futures::future::BoxFuture<'_, Result<Vec<Vec<serde_json::Value>>, Problem>> {
        let row = |n| {
            vec![
                json!(n),
                json!("whole"),
                json!(null),
                json!(null),
                json!(true),
                json!(null),
            ]
        };
        Box::pin(async move { Ok((1..=3).map(row).collect()) })
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(since.unwrap().as_micros() as i64)
}

/// Message number `n`: ten stations take turns, a level each second.
fn level(n: u64) -> Accepted {
    let at = START.plus_seconds(n as i64);
    let attribute = |name: &str, value| AttributeUpdate {
        name: AttributeName::new(name).unwrap(),
        unit: None,
        value,
        observed_at: at,
        quality: Quality::Good,
    };
    Accepted {
        door: "mqtt".into(),
        device_id: None,
        address: "devices/x/up".into(),
        received_at: at,
        raw: Vec::new(),
        updates: vec![Update {
            entity_id: EntityId::new(format!("urn:ngsi-ld:WaterObserved:{}", n % 10)).unwrap(),
            entity_type: TypeName::new("WaterObserved").unwrap(),
            attributes: vec![attribute(
                "waterLevel",
                Value::Number(28.0 + n as f64 / 100.0),
            )],
        }],
        retain: false,
    }
}

fn catalogue() -> Catalogue {
    let attribute = |value| AttributeKind {
        value,
        title_zh: "属性".into(),
        title_en: "Attribute".into(),
        unit: None,
        unit_missing: MissingUnit::Assume,
        min: None,
        max: None,
        personal: None,
        mask: None,
    };
    let kind = EntityKind {
        name: "WaterObserved".into(),
        title_zh: "水位".into(),
        title_en: "Water level".into(),
        source: None,
        standard: None,
        attributes: [
            ("waterLevel".to_owned(), attribute(ValueKind::Number)),
            ("flooded".to_owned(), attribute(ValueKind::Boolean)),
        ]
        .into(),
        open: true,
        history: None,
        heard_within_seconds: None,
        data_subject: None,
        forecast: None,
        affected: None,
        commands: Default::default(),
    };
    Catalogue {
        kinds: [("WaterObserved".to_owned(), kind)].into(),
        ..Catalogue::default()
    }
}

struct Cases;

impl RecordTables for Cases {
    fn tables(&self) -> Vec<RecordTable> {
        vec![RecordTable {
            name: "cases".into(),
            description: "Cases of the city.".into(),
            columns: vec![
                ("id".into(), ColumnKind::Integer),
                ("title".into(), ColumnKind::Text),
                ("opened_at".into(), ColumnKind::Time),
                ("cost".into(), ColumnKind::Number),
                ("closed".into(), ColumnKind::Boolean),
                ("detail".into(), ColumnKind::Json),
            ],
        }]
    }

    fn rows(
        &self,
        _name: &str,
    ) -> futures::future::BoxFuture<'_, Result<Vec<Vec<serde_json::Value>>, Problem>> {
        Box::pin(async {
            Ok(vec![
                vec![
                    json!(1),
                    json!("井盖 'lost'"),
                    json!("2026-11-23T08:00:10.5Z"),
                    json!(12.5),
                    json!(false),
                    json!({"a": [1, 2]}),
                ],
                vec![
                    json!(2),
                    json!(null),
                    json!(null),
                    json!(null),
                    json!(true),
                    json!(null),
                ],
            ])
        })
    }
}

/// The door's own certificate.
fn tls() -> Arc<rustls::ServerConfig> {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::Pkcs8(pair.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key);
    Arc::new(config.unwrap())
}

pub fn queries() -> lake::Limits {
    lake::Limits {
        rows_max: 5_000,
        time_max: Duration::from_secs(20),
        ..lake::Limits::default()
    }
}

/// Opens a door with an analyst `wang`, who may query, and a field worker `zhang`, who may not.
pub async fn open(limits: Limits, queries: lake::Limits) -> Door {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path().join("lake"), lake::Options::default()).unwrap();
    for n in 0..LEVELS {
        lake.apply(n, &level(n));
        if n == LEVELS / 2 {
            lake.seal().unwrap();
        }
    }
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let options = identity::Options {
        work_factor: WorkFactor {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        ..identity::Options::default()
    };
    let identity = Identity::new(records.clone(), options).unwrap();
    for (username, role) in [("wang", Role::Analyst), ("zhang", Role::Field)] {
        let person = NewPerson {
            username: username.into(),
            name: username.into(),
            role,
            organisation_id: None,
            password: Some(PASSWORD.into()),
        };
        identity
            .create_user(&person, &Actor::command_line(), now())
            .await
            .unwrap();
    }
    let token = identity
        .create_token("bi", Role::Analyst, None, &Actor::command_line(), now())
        .await
        .unwrap();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options {
        listen: vec![any],
        listen_tls: vec![any],
        tls: Some(tls()),
        limits,
        gathered: lake::Limits {
            rows_max: GATHERED_ROWS_MAX,
            ..queries.clone()
        },
        queries,
    };
    let told = Arc::new(Mutex::default());
    let catalogue = Arc::new(catalogue());
    let city = City {
        lake: Arc::new(lake),
        identity: identity.clone(),
        catalogue: Box::new(move || Arc::clone(&catalogue)),
        tables: Box::new(|_, _| Arc::new(Cases)),
        purposes: Box::new(Purposes {
            told: Arc::clone(&told),
        }),
        clock: now,
    };
    Door {
        handle: pgdoor::start(options, city).await.unwrap(),
        dir,
        identity,
        records,
        token: token.text,
        told,
    }
}

impl Door {
    pub fn port(&self) -> u16 {
        self.handle.addresses()[0].port()
    }

    pub fn port_tls(&self) -> u16 {
        self.handle.addresses_tls()[0].port()
    }
}
