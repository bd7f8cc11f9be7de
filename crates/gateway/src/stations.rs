//! Stations as the doors know them that ask the platform's register: what is found of one, and why one is not let in.

use model::{DeviceId, TypeName};

/// A station that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The device that it is, and so the entity whose readings it sends.
    pub device: DeviceId,
    /// The entity's type.
    pub kind: TypeName,
    /// The device's client id.
    pub client_id: String,
    /// What people call it.
    pub name: String,
}

/// Why a station's messages are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Nobody registered it.
    NotRegistered,
    /// It is registered with another password or certificate.
    WrongPassword,
    /// Cannot be decided now.
    Unavailable,
}
