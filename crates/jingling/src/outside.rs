//! Outside providers that people sign in with (省统一身份认证): their settings, how they are reached, and the command that looks
//! whether they can be used.

use crate::args::ProviderCommand;
use crate::files;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use crate::settings::Settings;
use anyhow::{Result, bail};
use api::outgoing::Outgoing;
use api::outside_provider::{OutsideProvider, OutsideProviders};
use model::Problem;
use oidc::address::Network;
use oidc::outside::{Config, Limits};
use oidc::outside_token::SignedWith;
use records::Secret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// The setting that names networks inside where a provider may be.
const NETWORKS: &str = "sign_in.provider_networks";

/// One `[[sign_in.provider]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Its id here: small letters, digits and `-`.
    pub id: String,
    /// What people call it, in Chinese.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// Its issuer, as its own description has it.
    pub issuer: String,
    /// What this city is called there.
    pub client_id: String,
    /// File with the secret that it gave the city, in the city's folder; an empty text: a client without a secret.
    #[serde(default)]
    pub client_secret_file: String,
    /// What is asked for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// How its ID tokens may be signed.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// A claim whose value is the username here, which links by itself; an empty text: none.
    #[serde(default)]
    pub link_claim: String,
    /// Values of `acr` or `amr` that stand in for the second factor here.
    #[serde(default)]
    pub trusts_second_factor: Vec<String>,
}

fn scopes() -> Vec<String> {
    ["openid", "profile"].map(str::to_owned).to_vec()
}

fn algorithms() -> Vec<String> {
    SignedWith::ALL.map(|a| a.as_str().to_owned()).to_vec()
}

impl ProviderSettings {
    /// As the flow takes it, without the secret.
    fn config(&self) -> std::result::Result<Config, Problem> {
        let algorithms = self.algorithms.iter().map(|word| word.parse());
        let config = Config {
            id: self.id.clone(),
            name_zh: self.name_zh.clone(),
            name_en: self.name_en.clone(),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: None,
            scopes: self.scopes.clone(),
            algorithms: algorithms.collect::<std::result::Result<_, _>>()?,
            link_claim: Some(self.link_claim.clone()).filter(|claim| !claim.is_empty()),
            trusts_second_factor: self.trusts_second_factor.clone(),
        };
        config.check()?;
        Ok(config)
    }

    /// The secret, from its file.
    fn secret(&self, folder: &Path) -> Result<Option<Secret>> {
        if self.client_secret_file.is_empty() {
            return Ok(None);
        }
        let named = format!("client_secret_file of sign_in.provider \"{}\"", self.id);
        Ok(Some(files::read_secret(
            folder,
            &self.client_secret_file,
            &named,
        )?))
    }
}

fn networks(settings: &Settings) -> Result<Vec<Network>> {
    let parse = |text: &String| {
        text.parse()
            .map_err(|why| anyhow::anyhow!("{NETWORKS}: {why}"))
    };
    settings
        .sign_in
        .provider_networks
        .iter()
        .map(parse)
        .collect()
}

/// Looks whether the settings make sense.
///
/// # Errors
/// The first that does not.
pub fn check(settings: &Settings) -> Result<()> {
    networks(settings)?;
    let skew = settings.sign_in.provider_clock_skew_seconds;
    if !(0..=600).contains(&skew) {
        bail!("sign_in.provider_clock_skew_seconds = {skew}: use 0 to 600");
    }
    let (mut ids, mut issuers) = (BTreeSet::new(), BTreeSet::new());
    for provider in &settings.sign_in.provider {
        provider.config()?;
        if !ids.insert(&provider.id) || !issuers.insert(&provider.issuer) {
            bail!(
                "sign_in.provider \"{}\": another has the same id or issuer",
                provider.id
            );
        }
    }
    let listens = Some(settings.http.listen);
    let origin = settings
        .http
        .passkey_origin(&settings.oidc.issuer, listens)?;
    if !ids.is_empty() && origin.is_none() {
        bail!(
            "sign_in.provider: a provider sends people back to the city's address; set http.public_url to the https address under which people reach it"
        );
    }
    Ok(())
}

/// The providers of a city, and how they are reached.
///
/// # Errors
/// Settings that make no sense, a secret's file that does not read.
pub fn providers(folder: &Folder, settings: &Settings) -> Result<OutsideProviders> {
    let mut configs = Vec::new();
    for provider in &settings.sign_in.provider {
        configs.push(Config {
            client_secret: provider.secret(folder.path())?,
            ..provider.config()?
        });
    }
    let limits = Limits {
        clock_skew_s: settings.sign_in.provider_clock_skew_seconds,
        ..Limits::default()
    };
    let authorities = match configs.is_empty() {
        // Nobody is asked, so nobody need be believed.
        true => Path::new("/dev/null"),
        false => Path::new(&settings.sign_in.provider_authorities),
    };
    let outgoing = Outgoing::new(networks(settings)?, NETWORKS, authorities);
    Ok(OutsideProviders::new(configs, outgoing, limits))
}

/// `jingling provider …`; whether nothing was wrong.
///
/// # Errors
/// Settings that make no sense.
pub async fn command(command: ProviderCommand) -> Result<bool> {
    let ProviderCommand::Check {
        dir,
        json,
        overrides,
    } = command;
    let settings = Settings::load(&dir, &overrides.set)?;
    let providers = providers(&Folder::new(&dir), &settings)?;
    if providers.all().is_empty() {
        eprintln!("no [[sign_in.provider]] is set: people sign in with their account here alone");
    }
    let origin = settings
        .http
        .passkey_origin(&settings.oidc.issuer, Some(settings.http.listen))?;
    let origin = origin.map(|o| o.as_str().to_owned()).unwrap_or_default();
    let mut found = Vec::new();
    for provider in providers.all() {
        found.push((provider, tried(&providers, provider).await));
    }
    let is_good = found.iter().all(|(_, tried)| tried.is_ok());
    let rows = found.into_iter().map(|(provider, tried)| {
        let (keys, wrong) = match tried {
            Ok(keys) => (Some(keys), None),
            Err(problem) => (None, Some(problem)),
        };
        (
            &provider.config,
            provider.config.redirect_uri(&origin),
            keys,
            wrong,
        )
    });
    if json {
        let rows = rows.map(|(config, redirect_uri, keys, problem)| {
            json!({"id": config.id, "issuer": config.issuer, "redirect_uri": redirect_uri, "keys": keys, "problem": problem})
        });
        print_json(&json!(rows.collect::<Vec<_>>()))?;
        return Ok(is_good);
    }
    let rows = rows.map(|(config, redirect_uri, keys, problem)| {
        let state = match problem {
            Some(problem) => problem.to_string(),
            None => format!("good, {} keys", keys.unwrap_or_default()),
        };
        vec![
            config.id.clone(),
            config.issuer.clone(),
            redirect_uri,
            state,
        ]
    });
    print_table(
        &["id", "issuer", "to be registered there as redirect_uri", ""],
        rows.collect(),
    );
    Ok(is_good)
}

/// Asks a provider for what a sign-in needs; how many of its keys can be used.
async fn tried(
    providers: &OutsideProviders,
    provider: &OutsideProvider,
) -> std::result::Result<usize, Problem> {
    let description = providers.described(provider, wall_clock()).await?;
    let keys = providers
        .keys(provider, &description, false, wall_clock())
        .await?;
    Ok(keys.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TEMPLATE;

    fn with(provider: &str) -> Result<Settings> {
        let settings: Settings = toml::from_str(&format!("{TEMPLATE}\n{provider}"))?;
        check(&settings)?;
        Ok(settings)
    }

    const GOOD: &str = "[[sign_in.provider]]\nid = \"province\"\nname_zh = \"省\"\nname_en = \"p\"\nissuer = \"https://sso.example\"\nclient_id = \"c\"\n";

    #[test]
    fn a_provider_needs_little_and_what_makes_no_sense_is_told() {
        let good = with(GOOD).unwrap();
        let config = good.sign_in.provider[0].config().unwrap();
        assert_eq!(config.algorithms, SignedWith::ALL);
        assert_eq!((config.scopes.len(), config.link_claim), (2, None));
        for (bad, told) in [
            (format!("{GOOD}algorithms = [\"HS256\"]"), "HS256"),
            (format!("{GOOD}algorithms = [\"none\"]"), "none"),
            (format!("{GOOD}{GOOD}"), "same id or issuer"),
            (GOOD.replace("https://sso.example", "sso"), "issuer"),
            (format!("{GOOD}client_secret = \"x\""), "client_secret"),
        ] {
            let error = format!("{:#}", with(&bad).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_secret_that_is_not_there_is_told_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{GOOD}client_secret_file = \"secrets/province.txt\"");
        let provider = &with(&text).unwrap().sign_in.provider[0];
        let error = format!("{:#}", provider.secret(folder.path()).unwrap_err());
        assert!(
            error.contains("secrets/province.txt") && error.contains("province"),
            "{error}"
        );
        std::fs::create_dir(folder.path().join("secrets")).unwrap();
        let file = folder.path().join("secrets/province.txt");
        std::fs::write(&file, "\n").unwrap();
        assert!(provider.secret(folder.path()).is_err());
        std::fs::write(&file, "s3cret\n").unwrap();
        let secret = provider.secret(folder.path()).unwrap().unwrap();
        assert_eq!(secret.expose(), "s3cret");
    }
}
