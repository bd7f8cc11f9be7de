//! Signing in to other systems: the provider of a city that runs, its keys, and what is done about it in the background and
//! on the command line.

use crate::args::{GrantCommand, OidcClientCommand, OidcCommand};
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use crate::settings::Settings;
use crate::{commands, files};
use ::oidc::{ClientDraft, Keys, NewClientSecret, Options, Provider};
use anyhow::{Context, Result};
use api::app::App;
use api::oidc_backchannel;
use api::oidc_clients::ClientBody;
use api::outgoing::Outgoing;
use records::{Actor, Records};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often what is over is taken away, and the age of the key looked at.
const TIDY: Duration = Duration::from_secs(3_600);

/// 32 random bytes.
fn draw() -> [u8; 32] {
    rand::random()
}

/// The provider of a city, open when it has a public address. The first time, a key is made.
///
/// # Errors
/// Keys that do not read, or cannot be kept.
pub fn provider(folder: &Folder, settings: &Settings, records: Records) -> Result<Provider> {
    let options = Options {
        access_token_s: settings.oidc.token_seconds,
        id_token_s: settings.oidc.token_seconds,
        family_s: settings.oidc.sign_in_days.saturating_mul(86_400),
        ..Options::default()
    };
    let shut = Provider::shut(records, options, draw);
    if settings.oidc.issuer.is_empty() {
        return Ok(shut);
    }
    let path = folder.oidc_keys();
    let keys = match std::fs::read_to_string(&path) {
        Ok(text) => Keys::parse(&text).with_context(|| format!("reading {}", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let keys = Keys::generate(&mut rand::rng(), wall_clock())?;
            files::write_secret(&path, keys.text().as_bytes())?;
            keys
        }
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let keep =
        move |text: &str| files::write_secret(&path, text.as_bytes()).map_err(|e| format!("{e:#}"));
    Ok(shut.opened(&settings.oidc.issuer, keys, Box::new(keep))?)
}

/// What goes on in the background; nothing while there is no public address.
///
/// # Errors
/// A network that is none.
pub fn timers(app: &App, settings: &Settings) -> Result<Vec<JoinHandle<()>>> {
    if app.oidc.provider.issuer().is_none() {
        return Ok(Vec::new());
    }
    let authorities = Path::new(&settings.oidc.logout_authorities);
    let allowed = settings.oidc.networks()?;
    let outgoing = Outgoing::new(allowed, "oidc.logout_networks", authorities);
    let tell = tokio::spawn(oidc_backchannel::run(app.clone(), outgoing));
    let (app, key_days) = (app.clone(), settings.oidc.key_days);
    let tidy = tokio::spawn(async move {
        let mut ticker = tokio::time::interval(TIDY);
        loop {
            ticker.tick().await;
            if let Err(error) = app.oidc.provider.tidy(wall_clock()).await {
                tracing::error!(%error, "ended sign-ins at other systems were not taken away");
            }
            let provider = app.oidc.provider.clone();
            let is_due = provider.signs_since().is_ok_and(|since| {
                since.plus_seconds(key_days.saturating_mul(86_400)) <= wall_clock()
            });
            if key_days > 0 && is_due {
                let made = tokio::task::spawn_blocking(move || {
                    provider.rotate_keys(&mut rand::rng(), wall_clock())
                })
                .await;
                match made {
                    Ok(Ok(kids)) => tracing::info!(
                        kid = kids.first(),
                        "a new key signs tokens for other systems"
                    ),
                    Ok(Err(error)) => {
                        tracing::error!(%error, "the old key goes on signing tokens for other systems")
                    }
                    Err(error) => tracing::error!(%error, "making a key ended"),
                }
            }
        }
    });
    Ok(vec![tell, tidy])
}

fn show(made: NewClientSecret, as_json: bool) -> Result<()> {
    let (client, secret) = (ClientBody::from(made.client), made.secret);
    if as_json {
        return print_json(&json!({"client": client, "client_secret": secret}));
    }
    let rows = [
        ("client_id", client.client_id),
        (
            "client_secret",
            secret.unwrap_or_else(|| "none: it is public".to_owned()),
        ),
        ("redirect_uris", client.redirect_uris.join("\n")),
        ("grants", client.grants.join(" ")),
        ("scopes", client.scopes.join(" ")),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    print_table(&[&client.name, "shown once"], rows.to_vec());
    Ok(())
}

/// `jingling oidc …`.
///
/// # Errors
/// What is wrong with the words, or the records' own error.
pub async fn command(command: OidcCommand) -> Result<()> {
    match command {
        OidcCommand::Client(command) => client(command).await,
        OidcCommand::Grant(command) => grant(command).await,
    }
}

async fn client(command: OidcClientCommand) -> Result<()> {
    let actor = Actor::command_line();
    match command {
        OidcClientCommand::Add(args) => {
            let (records, provider) = beside(&args.dir).await?;
            let draft = ClientDraft {
                name: args.name,
                is_public: args.public,
                redirect_uris: args.redirect_uri,
                post_logout_redirect_uris: args.post_logout_redirect_uri,
                backchannel_logout_uri: args.backchannel_logout_uri,
                grants: args.grant,
                scopes: args.scope,
                asks_consent: !args.no_consent,
            };
            let made = provider.add_client(&draft, &actor, wall_clock()).await?;
            records.close().await;
            show(made, args.json)
        }
        OidcClientCommand::List { dir, json } => {
            let (records, provider) = beside(&dir).await?;
            let clients: Vec<ClientBody> = provider
                .clients()
                .await?
                .into_iter()
                .map(Into::into)
                .collect();
            records.close().await;
            if json {
                return print_json(&json!(clients));
            }
            let rows = clients.into_iter().map(|c| {
                vec![
                    c.client_id,
                    c.name,
                    if c.is_public {
                        "public"
                    } else {
                        "confidential"
                    }
                    .to_owned(),
                    c.redirect_uris.join("\n"),
                    c.scopes.join(" "),
                    if c.disabled { "shut out" } else { "" }.to_owned(),
                ]
            });
            print_table(
                &["client_id", "name", "kind", "redirect_uris", "scopes", ""],
                rows.collect(),
            );
            Ok(())
        }
        OidcClientCommand::Remove { dir, client_id } => {
            let (records, provider) = beside(&dir).await?;
            provider
                .remove_client(&client_id, &actor, wall_clock())
                .await?;
            records.close().await;
            Ok(())
        }
        OidcClientCommand::RotateSecret {
            dir,
            client_id,
            json,
        } => {
            let (records, provider) = beside(&dir).await?;
            let made = provider
                .rotate_secret(&client_id, &actor, wall_clock())
                .await?;
            records.close().await;
            show(made, json)
        }
    }
}

async fn grant(command: GrantCommand) -> Result<()> {
    match command {
        GrantCommand::List {
            dir,
            username,
            json,
        } => {
            let (records, provider) = beside(&dir).await?;
            let user = identity_of(&records)?.user_by_username(&username).await?;
            let granted = provider.granted(user.id, wall_clock()).await?;
            records.close().await;
            let granted = api::oidc_consent::OidcGrants::from(granted).items;
            if json {
                return print_json(&json!(granted));
            }
            let rows = granted.into_iter().map(|g| {
                vec![
                    g.client_id,
                    g.client_name,
                    g.scopes.join(" "),
                    g.since,
                    g.sign_ins.to_string(),
                ]
            });
            print_table(
                &["client_id", "name", "scopes", "since (UTC)", "sign-ins"],
                rows.collect(),
            );
        }
        GrantCommand::End {
            dir,
            username,
            client_id,
        } => {
            let (records, provider) = beside(&dir).await?;
            let user = identity_of(&records)?.user_by_username(&username).await?;
            let actor = Actor::command_line();
            provider
                .end_granted(user.id, &client_id, &actor, wall_clock())
                .await?;
            records.close().await;
        }
    }
    Ok(())
}

fn identity_of(records: &Records) -> Result<identity::Identity> {
    Ok(identity::Identity::new(
        records.clone(),
        identity::Options::default(),
    )?)
}

/// The records of a city, whether it runs or not, with a provider that nobody can sign in through.
async fn beside(dir: &Path) -> Result<(Records, Provider)> {
    let records = commands::open_records(&Folder::new(dir), false).await?;
    let provider = Provider::shut(records.clone(), Options::default(), draw);
    Ok((records, provider))
}
