//! Machines' tokens for the HTTP doors.

use crate::permission::Permission;
use crate::principal::{Principal, PrincipalId};
use crate::role::Role;
use crate::{Identity, if_the_disk_lets, secret};
use model::{Problem, Timestamp, problem::quote};
use records::tokens::ServiceToken;
use records::{Actor, Failure, Result, Secret, audit, tokens};
use serde_json::json;

/// A token that was made just now. Its text is not stored and cannot be shown again.
#[derive(Clone, Debug)]
pub struct NewTokenSecret {
    /// What is kept of it.
    pub token: ServiceToken,
    /// The text to send: `jl_…`.
    pub text: String,
}

impl Identity {
    /// Makes a token for a machine.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a bad name or an expiry that has passed; [`Failure::Conflict`]
    /// `token-name-taken`; [`Failure::Forbidden`] `permission-missing`, and `role-by-security` when somebody signed in
    /// makes one of another role than `collector`.
    pub async fn create_token(
        &self,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<NewTokenSecret> {
        let name = self.check_name(name, "name")?;
        if expires_at.is_some_and(|at| at <= now) {
            return Err(Failure::Invalid(Problem::new(
                "token-expiry",
                "the token would have expired already",
                "expires_at",
                "give a time to come, or leave it out for a token without end",
            )));
        }
        let text = secret::generate_token();
        let row = ServiceToken {
            id: 0,
            name,
            role: role.as_str().to_owned(),
            token_hash: Secret::new(secret::hash_token(&text)),
            created_at: now,
            created_by: actor.name.clone(),
            expires_at,
            last_used_at: None,
        };
        let mut write = self.records().write().await?;
        if let Some(caller) = self.signed_in(&mut write, actor, now).await? {
            caller.require(Permission::TokenManage)?;
            // Otherwise whoever makes tokens would have every role.
            if role != Role::Collector {
                return Err(Failure::Forbidden(Problem::new(
                    "role-by-security",
                    format!("a token of the role {role} is not made from a page"),
                    "role",
                    "use collector, or let the machine's operator make it: jingling token create",
                )));
            }
        }
        let token = tokens::insert(&mut write, &row).await?.ok_or_else(|| {
            Failure::Conflict(Problem::new(
                "token-name-taken",
                format!("there is already a token \"{}\"", quote(&row.name)),
                "name",
                "choose another name, or remove the other token first",
            ))
        })?;
        let detail =
            json!({"name": token.name, "role": token.role, "expires_at": token.expires_at});
        let target = format!("token:{}", token.id);
        audit::insert(
            &mut write,
            now,
            actor,
            records::Event::TokenCreate,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        Ok(NewTokenSecret { token, text })
    }

    /// The machine of a token, by the token's text; `None` when there is no such token or it has expired.
    ///
    /// # Errors
    /// The store's own.
    pub async fn token_principal(&self, text: &str, now: Timestamp) -> Result<Option<Principal>> {
        if !text.starts_with(secret::TOKEN_PREFIX) {
            return Ok(None);
        }
        let hash = secret::hash_token(text);
        let Some(token) = tokens::by_hash(&mut *self.records().read().await?, &hash)
            .await?
            .filter(|t| t.expires_at.is_none_or(|at| at > now))
        else {
            return Ok(None);
        };
        let touch_every_s = self.options().touch_every_s;
        if token
            .last_used_at
            .is_none_or(|at| at.plus_seconds(touch_every_s) <= now)
        {
            let touched = async {
                let mut write = self.records().write().await?;
                tokens::touch(&mut write, token.id, now).await?;
                write.commit().await
            };
            if_the_disk_lets(touched.await)?;
        }
        principal_of(token).map(|known| Some(self.permitted(known, now)))
    }

    /// All tokens, without their texts.
    ///
    /// # Errors
    /// The store's own.
    pub async fn tokens(&self) -> Result<Vec<ServiceToken>> {
        tokens::list(&mut *self.records().read().await?).await
    }

    /// Takes a token away; it is refused from then on.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn remove_token(&self, name: &str, actor: &Actor, now: Timestamp) -> Result<()> {
        let mut write = self.records().write().await?;
        let token = tokens::delete(&mut write, name)
            .await?
            .ok_or_else(|| Failure::not_found("token", quote(name)))?;
        let (target, detail) = (format!("token:{}", token.id), json!({"name": token.name}));
        audit::insert(
            &mut write,
            now,
            actor,
            records::Event::TokenRemove,
            &target,
            &detail,
        )
        .await?;
        write.commit().await
    }
}

pub(crate) fn principal_of(token: ServiceToken) -> Result<Principal> {
    let role: Role = token.role.parse().map_err(Failure::internal)?;
    Ok(Principal {
        id: PrincipalId::Token(token.id),
        username: token.name.clone(),
        name: token.name,
        role,
        organisation_id: None,
        posts: Vec::new(),
        permissions: Vec::new(),
    })
}
