//! Who may do what: users, roles, sign-in, sessions, machines' tokens, devices' credentials. Every change
//! that a person makes goes to the audit trail in the transaction of the change.
//!
//! Reading order: [`permission`] (what can be allowed), [`role`] (who is allowed what, as data),
//! [`separation`] (the three administrators), [`dangerous`] (what one person may not do alone), [`principal`] (the caller once known), [`limiter`] (how often sign-in may be tried), [`password`] and
//! [`secret`] (what is kept of passwords and tokens), then [`Identity`]'s parts: sign-in and
//! sessions, users, tokens, devices, [`approvals`].

pub mod approvals;
pub mod dangerous;
mod devices;
pub mod limiter;
pub mod password;
pub mod permission;
pub mod principal;
pub mod role;
pub mod secret;
pub mod separation;
mod sessions;
mod tokens;
mod users;

pub use approvals::{Approved, Asked, Ended};
pub use dangerous::DangerousAct;
pub use devices::{DeviceCredentials, DeviceIdentity};
pub use permission::Permission;
pub use principal::{Principal, PrincipalId};
pub use role::Role;
pub use separation::Administrator;
pub use sessions::SignIn;
pub use tokens::NewTokenSecret;
pub use users::{GeneratedSignIn, NewPerson, PersonChange};

use limiter::SignInLimiter;
use parking_lot::Mutex;
use password::WorkFactor;
use records::{Failure, Records, Result};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The limits of identity. Every one can be set; the defaults are meant for a city.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much work one check of a person's password is.
    pub work_factor: WorkFactor,
    /// Password checks at once; more wait. Each takes the work factor's memory.
    pub password_checks_at_once_max: usize,
    /// How often sign-in may be tried.
    pub sign_in: limiter::Limits,
    /// A session ends after lying unused this long, in seconds.
    pub session_idle_s: i64,
    /// A session ends after this long however much it is used, in seconds.
    pub session_absolute_s: i64,
    /// How closely "last used" of sessions and tokens is kept, in seconds: closer means more writes.
    pub touch_every_s: i64,
    /// Shortest password that a person may choose, in characters.
    pub password_chars_min: usize,
    /// Longest password, in bytes: hashing a longer one would be work without use.
    pub password_bytes_max: usize,
    /// Longest username, in characters.
    pub username_chars_max: usize,
    /// Longest name of a person, a token or a device, in characters.
    pub name_chars_max: usize,
    /// Most devices that one call may register.
    pub devices_at_once_max: usize,
    /// What needs a second person, and how long it waits for one.
    pub approval: approvals::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            work_factor: WorkFactor::default(),
            password_checks_at_once_max: 2,
            sign_in: limiter::Limits::default(),
            session_idle_s: 2 * 3600,
            session_absolute_s: 12 * 3600,
            touch_every_s: 60,
            password_chars_min: 12,
            password_bytes_max: 256,
            username_chars_max: 64,
            name_chars_max: 128,
            devices_at_once_max: 10_000,
            approval: approvals::Options::default(),
        }
    }
}

/// Who may do what, over the records. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity {
    records: Records,
    options: Arc<Options>,
    limiter: Arc<Mutex<SignInLimiter>>,
    password_checks: Arc<Semaphore>,
    // Checked in place of a stored hash when the username is unknown, so that both take the same time.
    nobody: Arc<str>,
}

impl Identity {
    /// Builds identity over the records.
    ///
    /// # Errors
    /// When the work factor is not one that Argon2 takes.
    pub fn new(records: Records, options: Options) -> Result<Self> {
        let nobody = password::hash(&secret::generate_password(), options.work_factor)?;
        Ok(Self {
            limiter: Arc::new(Mutex::new(SignInLimiter::new(options.sign_in.clone()))),
            password_checks: Arc::new(Semaphore::new(options.password_checks_at_once_max.max(1))),
            nobody: nobody.expose().into(),
            records,
            options: Arc::new(options),
        })
    }

    /// The limits in force.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

/// How writing down "last used" went: a disk that is full or takes no writes keeps nobody from reading.
fn if_the_disk_lets(written: Result<()>) -> Result<()> {
    match written {
        Err(Failure::Unavailable(_)) => Ok(()),
        other => other,
    }
}
