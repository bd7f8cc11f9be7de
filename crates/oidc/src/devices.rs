//! Devices without a browser (RFC 8628): the device shows a short code, its person types it on a page here and says yes,
//! and the device, which keeps asking, is given its tokens.

use crate::asked;
use crate::client::{Client, Grant};
use crate::codes::Signed;
use crate::exchange::TokenAnswer;
use crate::fault::{Answer, Fault};
use crate::form::Form;
use crate::provider::{Provider, new_secret};
use crate::secret;
use model::{Problem, Timestamp};
use records::oidc::DeviceCode;
use records::{Actor, Event, Failure, Result, Secret, audit, oidc};
use serde::Serialize;
use serde_json::json;

/// Draws of a person's code before giving up.
const DRAWS_MAX: usize = 5;

/// What a device is told (RFC 8628 §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceAnswer {
    /// The device's own code.
    pub device_code: String,
    /// What it shows its person.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: String,
    /// Seconds that both are good.
    pub expires_in: i64,
    /// Seconds between two questions.
    pub interval: i64,
}

/// What a person is asked about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceQuestion {
    /// The client.
    pub client_id: String,
    /// What people call it.
    pub client_name: String,
    /// What is wanted.
    pub scopes: Vec<String>,
}

fn no_code() -> Failure {
    Failure::NotFound(Problem::new(
        "oidc-user-code",
        "no device waits with this code",
        "user_code",
        "type the code that the device shows now; one is good for minutes and once",
    ))
}

impl Provider {
    /// Begins a device's sign-in.
    ///
    /// # Errors
    /// In the protocol's words.
    pub async fn begin_device(
        &self,
        client: &Client,
        form: &Form,
        peer: &str,
        now: Timestamp,
    ) -> Answer<DeviceAnswer> {
        let issuer = self.open()?.issuer.clone();
        if !client.may(Grant::Device) {
            return Err(Fault::unauthorised(
                "this client may not use the device grant",
            ));
        }
        self.count_request(client, peer, now)?;
        let scopes = asked::scopes(form.get("scope").unwrap_or_default(), client)?;
        if scopes.is_empty() {
            return Err(Fault::scope("scope is missing: ask for openid"));
        }
        let mut write = self.records.write().await?;
        if oidc::devices_waiting(&mut write, client.id(), now).await?
            >= self.options.devices_waiting_max
        {
            return Err(Fault::too_often(60));
        }
        let (device_code, device_hash) = new_secret("jld_", self.draw);
        for _ in 0..DRAWS_MAX {
            let user_code = secret::user_code(self.draw);
            let row = DeviceCode {
                device_hash: device_hash.clone(),
                user_code_hash: Secret::new(secret::hash(&secret::plain_user_code(&user_code))),
                client_id: client.id().to_owned(),
                scopes: scopes.join(" "),
                state: "pending".to_owned(),
                family: None,
                interval_s: self.options.device_interval_s,
                polled_at: None,
                created_at: now,
                expires_at: now.plus_seconds(self.options.device_s),
            };
            if oidc::insert_device(&mut write, &row).await? {
                write.commit().await?;
                let page = format!("{issuer}/oidc/device");
                return Ok(DeviceAnswer {
                    device_code,
                    verification_uri_complete: format!("{page}?user_code={user_code}"),
                    verification_uri: page,
                    user_code,
                    expires_in: self.options.device_s,
                    interval: self.options.device_interval_s,
                });
            }
        }
        Err(Failure::internal("no free code was drawn").into())
    }

    /// What a person is asked who typed a code.
    ///
    /// # Errors
    /// [`Failure::NotFound`] `oidc-user-code`; [`Failure::TooMany`] for who tries many.
    pub async fn device_question(
        &self,
        typed: &str,
        user_id: i64,
        now: Timestamp,
    ) -> Result<DeviceQuestion> {
        self.open()?;
        self.user_codes
            .lock()
            .take(&user_id.to_string(), now)
            .map_err(|retry_after_s| Failure::TooMany {
                problem: Problem::new(
                    "oidc-user-code-often",
                    "too many codes were tried",
                    "user_code",
                    format!("wait {retry_after_s} seconds, then type the code again"),
                ),
                retry_after_s,
            })?;
        let hash = secret::hash(&secret::plain_user_code(typed));
        let mut connection = self.records.read().await?;
        let row = oidc::device_by_user_code(&mut connection, &hash)
            .await?
            .filter(|d| d.state == "pending" && d.expires_at > now)
            .ok_or_else(no_code)?;
        let client = self
            .client(&mut connection, &row.client_id)
            .await?
            .ok_or_else(no_code)?;
        Ok(DeviceQuestion {
            client_id: row.client_id,
            client_name: client.row.name,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
        })
    }

    /// A person says yes or no to a device.
    ///
    /// # Errors
    /// As [`Provider::device_question`].
    pub async fn answer_device(
        &self,
        typed: &str,
        approves: bool,
        signed: &Signed,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let question = self.device_question(typed, signed.user_id, now).await?;
        let hash = secret::hash(&secret::plain_user_code(typed));
        let mut write = self.records.write().await?;
        let mut row = oidc::device_by_user_code(&mut write, &hash)
            .await?
            .filter(|d| d.state == "pending" && d.expires_at > now)
            .ok_or_else(no_code)?;
        if approves {
            let family = self
                .begin_family(
                    &mut write,
                    &row.client_id,
                    &question.scopes,
                    None,
                    signed,
                    now,
                )
                .await?;
            row.family = Some(family);
        }
        row.state = if approves { "approved" } else { "denied" }.to_owned();
        oidc::update_device(&mut write, &row).await?;
        let action = if approves {
            Event::OidcApprove
        } else {
            Event::OidcDeny
        };
        let (target, detail) = (
            format!("client:{}", row.client_id),
            json!({"scopes": question.scopes, "device": true}),
        );
        audit::insert(&mut write, now, actor, action, &target, &detail).await?;
        write.commit().await
    }

    pub(crate) async fn exchange_device(
        &self,
        client: &Client,
        form: &Form,
        now: Timestamp,
    ) -> Answer<TokenAnswer> {
        let hash = secret::hash(form.need("device_code")?);
        let mut write = self.records.write().await?;
        let unknown = || Fault::grant("the device code is unknown or was used");
        let mut row = oidc::device(&mut write, &hash)
            .await?
            .filter(|d| d.client_id == client.id())
            .ok_or_else(unknown)?;
        if row.state == "used" {
            return Err(unknown());
        }
        if row.expires_at <= now {
            return Err(Fault::new(
                "expired_token",
                400,
                "nobody typed the code in time; begin again",
            ));
        }
        let too_soon = row
            .polled_at
            .is_some_and(|at| at.plus_seconds(row.interval_s) > now);
        row.polled_at = Some(now);
        if too_soon {
            row.interval_s += self.options.device_interval_s;
            oidc::update_device(&mut write, &row).await?;
            write.commit().await?;
            return Err(Fault::new(
                "slow_down",
                400,
                format!("ask every {} seconds", row.interval_s),
            ));
        }
        match (row.state.as_str(), row.family.clone()) {
            ("denied", _) => Err(Fault::new("access_denied", 400, "the person said no")),
            ("approved", Some(family)) => {
                let family = oidc::family(&mut write, &family)
                    .await?
                    .ok_or_else(unknown)?;
                if family.ended_at.is_some() {
                    return Err(unknown());
                }
                let Some(user) = self.person(&mut write, family.user_id).await? else {
                    return Err(Fault::grant("the person's account is closed"));
                };
                "used".clone_into(&mut row.state);
                oidc::update_device(&mut write, &row).await?;
                self.give(write, client, &family, &user, None, now).await
            }
            _ => {
                oidc::update_device(&mut write, &row).await?;
                write.commit().await?;
                Err(Fault::new(
                    "authorization_pending",
                    400,
                    "the person has not answered yet",
                ))
            }
        }
    }
}
