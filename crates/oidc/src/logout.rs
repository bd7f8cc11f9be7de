//! Signing out: a client sends its person here (RP-Initiated Logout 1.0), and every client where the session was used is
//! told that it ended (Back-Channel Logout 1.0). Who is to be told is written down with the end itself and stays until it
//! was told or is given up, so that a restart forgets nobody.

use crate::asked::page;
use crate::client::Client;
use crate::form::{Form, with_query};
use crate::provider::Provider;
use crate::secret;
use crate::spent::outlives;
use crate::tokens::{self, ID_TOKEN, IdClaims, LOGOUT_TOKEN, LogoutClaims};
use model::{Timestamp, Told};
use records::{Result, oidc};
use serde_json::json;

/// Notices sent in one round.
const NOTICES_MAX: u32 = 20;
/// Wait before the second attempt, seconds; it doubles with each.
const FIRST_WAIT_S: i64 = 5;
/// The event of a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A request to sign out, understood.
#[derive(Clone, Debug)]
pub struct LogoutAsked {
    /// Whose wish it is, when it says so.
    pub client_name: Option<String>,
    /// Where the person goes afterwards: a registered address, `state` added.
    pub redirect_to: Option<String>,
    /// The session that the client means, when it showed an ID token of ours.
    pub sid: Option<String>,
}

/// A client that is to be told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The row.
    pub id: i64,
    /// Where to.
    pub uri: String,
    /// The logout token.
    pub token: String,
    /// The client.
    pub client_id: String,
    /// How often it was tried.
    pub attempts: i64,
}

impl Provider {
    /// Understands a request to sign out.
    ///
    /// # Errors
    /// What the person is shown: nobody is sent to an address that is not registered.
    pub async fn understand_logout(
        &self,
        form: &Form,
    ) -> Result<std::result::Result<LogoutAsked, Told>> {
        let keys = self.keys()?;
        let issuer = self.open()?.issuer.clone();
        // An ID token that has ended is a hint all the same (RP-Initiated Logout §2).
        let hint = match form.get("id_token_hint") {
            None => None,
            Some(text) => match tokens::read::<IdClaims>(&keys, ID_TOKEN, text) {
                Ok(claims) if claims.iss == issuer => Some(claims),
                _ => {
                    return Ok(Err(page(
                        "oidc-logout",
                        "退出登录请求里的身份令牌不是这里签发的",
                        "the ID token of the request to sign out is none of ours",
                    )));
                }
            },
        };
        let named = form.get("client_id");
        if let (Some(hint), Some(named)) = (&hint, named)
            && hint.aud != named
        {
            return Ok(Err(page(
                "oidc-logout",
                "退出登录请求里的系统与身份令牌不一致",
                "the system of the request to sign out is not that of its ID token",
            )));
        }
        let client_id = hint.as_ref().map(|h| h.aud.as_str()).or(named);
        let client: Option<Client> = match client_id {
            Some(id) => self.client(&mut *self.records.read().await?, id).await?,
            None => None,
        };
        let redirect_to = match form.get("post_logout_redirect_uri") {
            None => None,
            Some(uri) => {
                let is_registered = client
                    .as_ref()
                    .is_some_and(|c| c.post_logout_redirect_uris.iter().any(|u| u == uri));
                if !is_registered {
                    return Ok(Err(page(
                        "oidc-redirect-uri",
                        "退出后要返回的地址没有登记，为了安全没有把你送过去",
                        "the address to go to after signing out is not registered; for your safety you were not sent there",
                    )));
                }
                Some(with_query(
                    uri,
                    &[("state", form.get("state").unwrap_or_default())],
                ))
            }
        };
        Ok(Ok(LogoutAsked {
            client_name: client.map(|c| c.row.name),
            redirect_to,
            sid: hint.map(|h| h.sid),
        }))
    }

    /// A session here ends: what was given with it ends too, but for what was asked to outlive it (`offline_access`), and
    /// clients that asked to be told will be.
    ///
    /// # Errors
    /// The store's own.
    pub async fn session_ends(&self, sid: &str, now: Timestamp) -> Result<()> {
        if self.open.is_none() {
            return Ok(());
        }
        let mut write = self.records.write().await?;
        let mut told: Vec<String> = Vec::new();
        for family in oidc::families_of_session(&mut write, sid).await? {
            if family.ended_at.is_none() && !outlives(&family) {
                oidc::end_family(&mut write, &family.family, "session-ended", now).await?;
            }
            if told.contains(&family.client_id) {
                continue;
            }
            let wants = self
                .client(&mut write, &family.client_id)
                .await?
                .is_some_and(|c| c.row.backchannel_logout_uri.is_some());
            if wants {
                oidc::insert_logout(&mut write, &family.client_id, family.user_id, sid, now)
                    .await?;
                told.push(family.client_id);
            }
        }
        write.commit().await
    }

    /// Who is to be told now.
    ///
    /// # Errors
    /// The store's own.
    pub async fn notices(&self, now: Timestamp) -> Result<Vec<Notice>> {
        let Some(open) = &self.open else {
            return Ok(Vec::new());
        };
        let keys = self.keys()?;
        let mut connection = self.records.read().await?;
        let mut notices = Vec::new();
        for row in oidc::logouts_due(&mut connection, now, NOTICES_MAX).await? {
            let client = self.client(&mut connection, &row.client_id).await?;
            let uri = client
                .and_then(|c| c.row.backchannel_logout_uri)
                .unwrap_or_default();
            let iat = now.micros().div_euclid(1_000_000);
            let claims = LogoutClaims {
                iss: open.issuer.clone(),
                sub: tokens::subject(row.user_id),
                aud: row.client_id.clone(),
                iat,
                exp: iat + self.options.logout_token_s,
                jti: secret::name(self.draw),
                sid: row.sid,
                events: json!({ EVENT: {} }),
            };
            notices.push(Notice {
                id: row.id,
                uri,
                token: tokens::sign(&keys, LOGOUT_TOKEN, &claims)?,
                client_id: row.client_id,
                attempts: row.attempts,
            });
        }
        Ok(notices)
    }

    /// A client was told, or could not be: then it is tried again, later each time, and given up in the end. Gives whether
    /// it was given up.
    ///
    /// # Errors
    /// The store's own.
    pub async fn noticed(&self, notice: &Notice, was_told: bool, now: Timestamp) -> Result<bool> {
        let mut write = self.records.write().await?;
        let attempts = notice.attempts + 1;
        let is_over =
            was_told || attempts >= self.options.logout_attempts_max || notice.uri.is_empty();
        if is_over {
            oidc::delete_logout(&mut write, notice.id).await?;
        } else {
            let wait_s = FIRST_WAIT_S << (attempts - 1).clamp(0, 16);
            oidc::postpone_logout(&mut write, notice.id, now.plus_seconds(wait_s)).await?;
        }
        write.commit().await?;
        Ok(is_over && !was_told)
    }
}
