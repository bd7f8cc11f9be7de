//! Who may do what: users, roles, sign-in, sessions, machines' tokens, devices' credentials. Every change
//! that a person makes goes to the audit trail in the transaction of the change.
//!
//! Reading order: [`permission`] (what can be allowed), [`role`] (who is allowed what, as data),
//! [`separation`] (the three administrators), [`dangerous`] (what one person may not do alone), [`principal`] (the caller once
//! known), [`policies`] (what policies let it do), [`limiter`] (how often sign-in may be tried), [`password`] and
//! [`secret`] (what is kept of passwords and tokens), the second factors ([`key`], [`totp`], [`webauthn`]),
//! what devices prove ([`proof`]), organisations, [`posts`], hand-overs and [`roster`] (the same from a file), then
//! [`Identity`]'s parts: sign-in and its second step, sign-in with an outside identity, sessions, a person's own account, users, tokens, devices.

mod account;
pub mod approvals;
mod certificates;
pub mod checks;
pub mod dangerous;
mod device_keys;
mod devices;
mod hand_over;
pub mod key;
pub mod limiter;
mod linked;
pub mod organisation;
pub mod password;
mod pending;
pub mod permission;
pub mod policies;
pub mod posts;
pub mod principal;
pub mod proof;
pub mod role;
pub mod roster;
mod second_step;
pub mod secret;
pub mod separation;
mod sessions;
mod sign_ins;
mod tokens;
pub mod totp;
mod users;
pub mod webauthn;

pub use account::{Account, AddedPasskey, NewTotp};
pub use approvals::{Approved, Asked, Ended};
pub use certificates::Certificate;
pub use dangerous::DangerousAct;
pub use device_keys::{KeyedDevice, ProofAnswer};
pub use devices::{
    DeviceCredentials, DeviceIdentity, OVERLAP_HOURS, Rotated, device_topic, own_kind,
};
pub use hand_over::{HandOver, HandOverPlan, PostLeft};
pub use key::CityKey;
pub use linked::{
    Linked, OutsideAsked, OutsideBegun, OutsideIdentity, OutsidePurpose, OutsideStep,
};
pub use organisation::{NewOrganisation, OrganisationChange};
pub use permission::Permission;
pub use posts::{NewPost, PostChange, PostHeld};
pub use principal::{Principal, PrincipalId};
pub use proof::{Algorithm, DeviceKey, Proof};
pub use role::Role;
pub use second_step::{HalfSignIn, SignInStep, Ways};
pub use separation::Administrator;
pub use sessions::SignIn;
pub use tokens::NewTokenSecret;
pub use users::{GeneratedSignIn, NewPerson, PersonChange};
pub use webauthn::Origin;

use limiter::SignInLimiter;
use parking_lot::Mutex;
use password::WorkFactor;
use records::{Failure, Records, Result};
use second_step::Waiting;
use std::sync::{Arc, OnceLock};
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
    /// Longest time that a device's old password or key stays good beside a new one, in seconds.
    pub device_overlap_s_max: i64,
    /// How far from the server's clock the time in a proof of a device's key may be, each way, in seconds.
    pub device_proof_window_s: i64,
    /// Used proofs of one device that are remembered one by one; of those before them the latest time is.
    pub device_proofs_kept: usize,
    /// Most certificates of one device.
    pub device_certificates_max: usize,
    /// Roles whose people must have a second factor; who has none sets one up at the next sign-in, before anything else.
    pub second_factor_required_for: Vec<Role>,
    /// How long the second step of a sign-in may take, and the answer to a challenge, in seconds.
    pub second_step_s: i64,
    /// Wrong answers to the second step before the password is asked for again.
    pub second_tries_max: u32,
    /// Time steps that a person's clock may be off, each way (RFC 6238 §5.2 advises one).
    pub totp_skew_steps: i64,
    /// Recovery codes that a person gets.
    pub recovery_codes: usize,
    /// Most passkeys of one person.
    pub passkeys_max: usize,
    /// A session is young for this long; only a young one may change how its person signs in, in seconds.
    pub session_young_s: i64,
    /// Half sign-ins, and challenges, that are remembered at once.
    pub waiting_max: usize,
    /// The same from one network address.
    pub waiting_per_peer_max: usize,
    /// How long a person may be at an outside provider, in seconds.
    pub outside_s: i64,
    /// What authenticators show as the name of the city.
    pub city_name: String,
    /// What needs a second person, and how long it waits for one.
    pub approval: approvals::Options,
    /// Most organisations above one another.
    pub organisation_depth_max: usize,
    /// Most posts that one person holds.
    pub posts_per_person_max: usize,
    /// Longest duty of a post and longest note of a hand-over, in characters.
    pub duty_chars_max: usize,
    /// How much a file of organisations, posts and people may hold.
    pub roster: roster::Limits,
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
            device_overlap_s_max: 90 * 86_400,
            device_proof_window_s: 300,
            device_proofs_kept: 32,
            device_certificates_max: 10,
            second_factor_required_for: Vec::new(),
            second_step_s: 300,
            second_tries_max: 5,
            totp_skew_steps: 1,
            recovery_codes: 10,
            passkeys_max: 20,
            session_young_s: 600,
            waiting_max: 20_000,
            waiting_per_peer_max: 500,
            outside_s: 600,
            city_name: "竟陵".to_owned(),
            approval: approvals::Options::default(),
            organisation_depth_max: 8,
            posts_per_person_max: 20,
            duty_chars_max: 2_000,
            roster: roster::Limits::default(),
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
    key: Option<Arc<CityKey>>,
    // Opened and checked in place of a device's key when there is none, so that both take the same time.
    nobodys_key: Arc<str>,
    origin: Arc<OnceLock<Origin>>,
    waiting: Arc<Mutex<Waiting>>,
    governing: policies::Governing,
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
            key: None,
            nobodys_key: "".into(),
            origin: Arc::default(),
            waiting: Arc::new(Mutex::new(Waiting::new(&options))),
            governing: policies::own().map_err(records::Failure::Invalid)?,
            records,
            options: Arc::new(options),
        })
    }

    /// With the city's key; without one nobody can set up time-based codes or sign in with them, and no device with a key.
    #[must_use]
    pub fn with_key(mut self, key: CityKey) -> Self {
        self.nobodys_key = device_keys::of_nobody(&key).into();
        self.key = Some(Arc::new(key));
        self
    }

    /// Says under which address people reach the city, once it is known; without one nobody can use passkeys. The first
    /// that is said stays.
    pub fn set_origin(&self, origin: Origin) {
        let _ = self.origin.set(origin);
    }

    /// The address that passkeys are made for.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.get()
    }

    /// Who has to wait before the next attempt to sign in; the most failures first, `max` at most.
    pub fn sign_in_waiting(&self, now: model::Timestamp, max: usize) -> Vec<limiter::Waiting> {
        self.limiter.lock().waiting(now, max)
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
