//! What a person gave to other systems (在其他系统的登录), and its end with what it rested on: the account, the role, the
//! password. In the transaction of the change, so that no refresh token outlives it; systems that asked to be told are.

use model::Timestamp;
use records::{Result, Write, oidc, oidc_clients};

/// Why everything that a person gave to other systems ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// Work was handed over; for good when the person leaves the city.
    HandedOver {
        /// Whether sign-in is closed with it.
        for_good: bool,
    },
    /// Sign-in was closed.
    Closed,
    /// The role changed: what was given was given by another.
    RoleChanged,
    /// A password was set: whoever knew the old one may have given it.
    PasswordSet,
}

impl Because {
    /// The word in `oidc_families.ended_because`.
    const fn word(self) -> &'static str {
        match self {
            Self::HandedOver { .. } => "handed-over",
            Self::Closed => "account-closed",
            Self::RoleChanged => "role-changed",
            Self::PasswordSet => "password-set",
        }
    }

    /// Whether the person's consents go too: somebody who comes back is asked again.
    const fn takes_consents(self) -> bool {
        matches!(self, Self::Closed | Self::HandedOver { for_good: true })
    }
}

/// Ends everything that a person gave to other systems, and notes which are to be told; gives how many sign-ins ended.
pub(crate) async fn end(
    write: &mut Write,
    user_id: i64,
    because: Because,
    now: Timestamp,
) -> Result<usize> {
    let families = oidc::families_of_user(write, user_id, now).await?;
    let mut told: Vec<(&str, &str)> = Vec::new();
    for family in &families {
        oidc::end_family(write, &family.family, because.word(), now).await?;
        let (client, sid) = (family.client_id.as_str(), family.sid.as_str());
        if told.contains(&(client, sid)) {
            continue;
        }
        let wants = oidc_clients::get(write, client)
            .await?
            .is_some_and(|c| c.backchannel_logout_uri.is_some());
        if wants {
            oidc::insert_logout(write, client, user_id, sid, now).await?;
            told.push((client, sid));
        }
    }
    if because.takes_consents() {
        for consent in oidc_clients::consents_of(write, user_id).await? {
            oidc_clients::withdraw_consent(write, user_id, &consent.client_id).await?;
        }
    }
    Ok(families.len())
}
