//! Limits, keys, partners. There is no default key.

use crate::error::refuse;
use model::problem::{Told, both};
use std::fmt;

/// Length of the data secret and of its initial vector, in bytes (T/CEC 102.4: AES-128).
pub const DATA_SECRET_BYTES: usize = 16;
/// Length of an operator's id (运营商标识), the organisation code of GB 11714 without its dash.
pub const OPERATOR_ID_CHARS: usize = 9;

/// Limits of a door and of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest posted envelope, and longest answer, in bytes (default 4 MiB).
    pub message_bytes_max: usize,
    /// How far a partner's clock may be from ours, in seconds (default 600).
    pub clock_off_s_max: i64,
    /// Most envelopes of one partner that are remembered, so that none is taken twice; more in twice `clock_off_s_max` are told that we are busy
    /// (default 200,000).
    pub remembered_max: usize,
    /// How long a token is good, in seconds (default 7,200).
    pub token_s: i64,
    /// Most tokens of one partner that are good at a time; the oldest goes (default 2: one is renewed before it ends).
    pub tokens_max: usize,
    /// Most stations asked about at once (T/CEC 102: 50).
    pub station_ids_max: usize,
    /// Largest page (default 200).
    pub page_size_max: u32,
    /// Most orders in one reconciliation (default 20,000).
    pub orders_max: usize,
    /// Most stretches of one charging (default 500).
    pub details_max: usize,
    /// So long before its end a token is renewed, in seconds (default 60).
    pub token_renewed_before_s: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 * 1024 * 1024,
            clock_off_s_max: 600,
            remembered_max: 200_000,
            token_s: 7_200,
            tokens_max: 2,
            station_ids_max: 50,
            page_size_max: 200,
            orders_max: 20_000,
            details_max: 500,
            token_renewed_before_s: 60,
        }
    }
}

/// The four secrets of one direction between two partners. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// `OperatorSecret`, with which a token is asked for.
    pub(crate) operator: String,
    /// `DataSecret`.
    pub(crate) data: [u8; DATA_SECRET_BYTES],
    /// `DataSecretIV`.
    pub(crate) iv: [u8; DATA_SECRET_BYTES],
    /// `SigSecret`.
    pub(crate) signature: Vec<u8>,
}

impl Keys {
    /// Takes the secrets as texts, as partners exchange them.
    ///
    /// # Errors
    /// `tcec102-secret`, without the secret.
    pub fn new(operator: &str, data: &str, iv: &str, signature: &str) -> Result<Self, Told> {
        let sixteen = |text: &str, place: &str| {
            <[u8; DATA_SECRET_BYTES]>::try_from(text.as_bytes()).map_err(|_| {
                refuse(
                    "tcec102-secret",
                    both(
                        format!("密钥须为 {DATA_SECRET_BYTES} 字节"),
                        format!("the secret must have {DATA_SECRET_BYTES} bytes"),
                    ),
                    place,
                    both("向对方核对密钥", "check it with the partner"),
                )
            })
        };
        let not_empty = |text: &str, place: &str| {
            (!text.is_empty()).then_some(()).ok_or_else(|| {
                refuse(
                    "tcec102-secret",
                    both("密钥为空", "the secret is empty"),
                    place,
                    both("向对方核对密钥", "check it with the partner"),
                )
            })
        };
        not_empty(operator, "OperatorSecret")?;
        not_empty(signature, "SigSecret")?;
        Ok(Self {
            operator: operator.to_owned(),
            data: sixteen(data, "DataSecret")?,
            iv: sixteen(iv, "DataSecretIV")?,
            signature: signature.as_bytes().to_vec(),
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// Which side answers at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A charging operator: it is asked about stations and told to charge.
    Operator,
    /// A supervising or selling platform: it is told what happens.
    Regulator,
}

/// A partner that may ask at a door.
#[derive(Clone, Debug)]
pub struct Partner {
    /// Its operator id.
    pub operator_id: String,
    /// The secrets with which it asks, and with which it is answered.
    pub keys: Keys,
}
