//! What the commands do.

use crate::administrators::{self, FirstSignIn};
use crate::args::{DeviceCommand, Init, TokenCommand, UserCommand};
use crate::city_lock::CityLock;
use crate::demo_roster;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use crate::settings::{FILE_NAME, TEMPLATE};
use crate::{device_keys, files, formats, organisation};
use anyhow::{Context, Result, anyhow, bail};
use identity::{DeviceIdentity, Identity, NewPerson, Role};
use lake::Lake;
use model::{DeviceId, Timestamp, TypeName};
use records::device_credentials::PSK;
use records::{Actor, PageRequest, Records};
use serde_json::json;
use std::path::Path;

/// People of a demonstration: role, username, name, organisation.
const DEMO_PEOPLE: [(Role, &str, &str, &str, Option<&str>); 5] = [
    (Role::Duty, "duty", "值班员 李芳", "值班员", None),
    (
        Role::Field,
        "field",
        "巡查员 张伟",
        "处置人员",
        Some("shuili"),
    ),
    (Role::Planner, "planner", "新基建办 陈静", "规划办", None),
    (
        Role::Operator,
        "operator",
        "充电运营 赵敏",
        "运营单位",
        None,
    ),
    (Role::Resident, "resident", "市民 李强", "市民", None),
];

/// Makes a city. Gives the sign-ins made.
///
/// # Errors
/// When the folder holds a city already, the profile is unknown, or the disk refuses.
pub async fn init(args: &Init) -> Result<Vec<FirstSignIn>> {
    let folder = Folder::new(&args.dir);
    if folder.holds_a_city() {
        bail!(
            "{} holds a city already; choose another folder, or run it: jingling serve {}",
            args.dir.display(),
            args.dir.display()
        );
    }
    let city = folder.city(&args.city)?;
    folder.packs()?;
    std::fs::create_dir_all(folder.path())
        .with_context(|| format!("making {}", args.dir.display()))?;
    let lock = CityLock::take(&folder)?;
    formats::open_for_writing(&folder, &lock)?;
    // The stores are made now, so that a city can be queried and checked before its first start.
    folder.make()?;
    journal::Journal::open(folder.journal(), journal::Options::default())?
        .0
        .close();
    drop(Lake::open(folder.lake(), lake::Options::default()).map_err(|p| anyhow!("{p}"))?);
    let records = open_records(&folder, true).await?;
    let identity = Identity::new(records.clone(), identity::Options::default())?;
    let (actor, now) = (Actor::command_line(), wall_clock());
    identity
        .import_organisations(&organisation::of_profile(&city), &actor, now)
        .await?;
    let mut made = Vec::new();
    made.extend(administrators::make_missing(&folder, &identity, &actor, now).await?);
    if args.demo {
        for (role, username, name, role_zh, organisation) in DEMO_PEOPLE {
            let organisation_id = organisation
                .filter(|id| city.organisation(id).is_some())
                .map(str::to_owned);
            let person = NewPerson {
                username: username.to_owned(),
                name: name.to_owned(),
                role,
                organisation_id,
                password: None,
            };
            let created = identity.create_user(&person, &actor, now).await?;
            made.push(FirstSignIn {
                role_zh: role_zh.into(),
                role: role.to_string(),
                username: username.into(),
                password: created.password,
            });
        }
        demo_roster::fill(&records, &city, &actor, now).await?;
    }
    records.close().await;
    administrators::write(&folder, &made)?;
    let settings = TEMPLATE
        .replace(
            "profile = \"tianmen\"",
            &format!("profile = \"{}\"", city.id),
        )
        .replace("demo = false", &format!("demo = {}", args.demo));
    let settings = if args.demo {
        demonstration(&settings)
    } else {
        settings
    };
    // Written last: a folder with this file is a whole city.
    files::write_atomically(&args.dir.join(FILE_NAME), settings.as_bytes())?;
    Ok(made)
}

/// The settings of a demonstration: charge points come in on a free port of this machine, and a provider that moves no money is paid.
fn demonstration(settings: &str) -> String {
    let Some((before, ocpp)) = settings.split_once("\n[ocpp]\n") else {
        return settings.to_owned();
    };
    let ocpp = ocpp
        .replacen("\nlisten = \"\"", "\nlisten = \"127.0.0.1:0\"", 1)
        .replacen("\npayment = \"\"", "\npayment = \"sandbox\"", 1);
    format!("{before}\n[ocpp]\n{ocpp}")
}

pub(crate) async fn open_records(folder: &Folder, new: bool) -> Result<Records> {
    if !new && !folder.records().is_file() {
        bail!(
            "{} holds no city; make one first: jingling init {}",
            folder.path().display(),
            folder.path().display()
        );
    }
    let _lock = if new {
        None
    } else {
        formats::open_beside(folder)?
    };
    Records::open(&folder.records())
        .await
        .with_context(|| format!("opening {}", folder.records().display()))
}

/// The client id of a device that is named by its id or its client id.
pub(crate) async fn client_id_of(records: &Records, id: &str) -> Result<String> {
    let by_id = records::devices::by_id(&mut *records.read().await?, id).await?;
    Ok(by_id.map_or_else(|| id.to_owned(), |d| d.client_id))
}

pub(crate) async fn open_identity(dir: &Path) -> Result<(Records, Identity)> {
    let records = open_records(&Folder::new(dir), false).await?;
    let identity = Identity::new(records.clone(), identity::Options::default())?;
    Ok((records, identity))
}

/// `jingling token …`.
///
/// # Errors
/// What is wrong with the words, or the records' own error.
pub async fn token(command: TokenCommand) -> Result<()> {
    match command {
        TokenCommand::Create {
            dir,
            name,
            role,
            days,
            json,
        } => {
            let (records, identity) = open_identity(&dir).await?;
            let role: Role = role.parse()?;
            let now = wall_clock();
            let expires_at = days.map(|days| now.plus_seconds(days * DAY_SECONDS));
            let made = identity
                .create_token(&name, role, expires_at, &Actor::command_line(), now)
                .await?;
            records.close().await;
            if json {
                return print_json(
                    &json!({"name": name, "role": role.to_string(), "token": made.text,
                    "expires_at": made.token.expires_at}),
                );
            }
            print_table(
                &["name", "role", "token (shown once)"],
                vec![vec![name, role.to_string(), made.text]],
            );
            Ok(())
        }
        TokenCommand::List { dir, json } => {
            let (records, identity) = open_identity(&dir).await?;
            let tokens = identity.tokens().await?;
            records.close().await;
            if json {
                return print_json(&json!(tokens));
            }
            let at = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let rows = tokens.into_iter().map(|t| {
                let (ends, used) = (at(t.expires_at), at(t.last_used_at));
                vec![t.name, t.role, ends, used, t.created_by]
            });
            print_table(
                &["name", "role", "ends", "last used", "made by"],
                rows.collect(),
            );
            Ok(())
        }
        TokenCommand::Remove { dir, name } => {
            let (records, identity) = open_identity(&dir).await?;
            identity
                .remove_token(&name, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
            eprintln!("{name}: removed");
            Ok(())
        }
    }
}

const DAY_SECONDS: i64 = 86_400;

/// `jingling device …`.
///
/// # Errors
/// What is wrong with the words, or the records' own error.
pub async fn device(command: DeviceCommand) -> Result<()> {
    match command {
        DeviceCommand::Add {
            dir,
            id,
            entity_type,
            name,
            psk,
            key_file,
            json,
        } => {
            let device = DeviceIdentity {
                id: DeviceId::new(&id)?,
                r#type: TypeName::new(&entity_type)?,
                name,
            };
            if psk {
                return device_keys::add(&dir, &device, key_file.as_deref(), json).await;
            }
            let (records, identity) = open_identity(&dir).await?;
            let made = identity
                .register_device(&device, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
            if json {
                return print_json(&json!(made));
            }
            let rows = [
                ("id", made.id),
                ("client_id", made.client_id),
                ("username", made.username),
                ("password", made.password),
                ("topic", made.topic),
            ];
            print_table(
                &["", "shown once"],
                rows.into_iter()
                    .map(|(k, v)| vec![k.to_owned(), v])
                    .collect(),
            );
        }
        DeviceCommand::List { dir, json } => {
            let (records, identity) = open_identity(&dir).await?;
            let mut all = Vec::new();
            let mut request = PageRequest {
                after: None,
                limit: Some(records::page::PAGE_ITEMS_MAX),
            };
            loop {
                let page = identity
                    .list_devices(&records::devices::DeviceFilter::default(), &request)
                    .await?;
                all.extend(page.items.into_iter().map(api::devices::DeviceBody::from));
                match page.next {
                    Some(next) => request.after = Some(next),
                    None => break,
                }
            }
            records.close().await;
            if json {
                return print_json(&json!(all));
            }
            let rows = all.into_iter().map(|d| {
                vec![
                    d.id,
                    d.client_id,
                    d.r#type,
                    d.online.to_string(),
                    d.last_seen_at.unwrap_or_default(),
                    d.messages.to_string(),
                ]
            });
            print_table(
                &[
                    "id",
                    "client_id",
                    "type",
                    "online",
                    "last seen (UTC)",
                    "messages",
                ],
                rows.collect(),
            );
        }
        DeviceCommand::Rotate {
            dir,
            id,
            overlap_hours,
            psk,
            password,
            key_file,
            json,
        } => {
            let (records, identity) = open_identity(&dir).await?;
            let client_id = client_id_of(&records, &id).await?;
            let overlap_s = i64::from(overlap_hours) * 3_600;
            let has_key = identity::own_kind(&identity.device(&client_id).await?) == PSK;
            if psk || (has_key && !password) {
                let with = (records, identity);
                let key_file = key_file.as_deref();
                return device_keys::rotate(&dir, with, &client_id, (key_file, overlap_s), json)
                    .await;
            }
            let made = identity
                .rotate_device_password(&client_id, overlap_s, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
            let old_until = made.old_until.to_string();
            if json {
                return print_json(
                    &json!({"client_id": made.client_id, "username": made.username,
                    "password": made.password, "old_until": old_until}),
                );
            }
            print_table(
                &["client_id", "password (shown once)", "old one until (UTC)"],
                vec![vec![made.client_id, made.password, old_until]],
            );
        }
        DeviceCommand::Proof {
            client_id,
            username,
            key_file,
            algorithm,
        } => device_keys::proof(&client_id, username.as_deref(), &key_file, &algorithm)?,
        DeviceCommand::Certificate(command) => crate::certificates::command(command).await?,
        DeviceCommand::Remove { dir, id } => {
            let (records, identity) = open_identity(&dir).await?;
            let client_id = client_id_of(&records, &id).await?;
            identity
                .remove_device(&client_id, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
        }
    }
    Ok(())
}

/// `jingling user …`.
///
/// # Errors
/// What is wrong with the words, or the records' own error.
pub async fn user(command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Add {
            dir,
            username,
            name,
            role,
            organisation,
            json,
        } => {
            let (records, identity) = open_identity(&dir).await?;
            let person = NewPerson {
                username,
                name,
                role: role.parse()?,
                organisation_id: organisation,
                password: None,
            };
            let made = identity
                .create_user(&person, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
            if json {
                return print_json(
                    &json!({"username": made.user.username, "role": made.user.role, "password": made.password}),
                );
            }
            print_table(
                &["username", "role", "password (shown once)"],
                vec![vec![made.user.username, made.user.role, made.password]],
            );
        }
        UserCommand::ResetFactors { dir, username } => {
            let (records, identity) = open_identity(&dir).await?;
            let user = identity.user_by_username(&username).await?;
            identity
                .reset_factors(user.id, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
        }
        UserCommand::Password { dir, username } => {
            let (records, identity) = open_identity(&dir).await?;
            let user = identity.user_by_username(&username).await?;
            let made = identity
                .set_password(user.id, None, &Actor::command_line(), wall_clock())
                .await?;
            records.close().await;
            print_table(
                &["username", "password (shown once)"],
                vec![vec![made.user.username, made.password]],
            );
        }
    }
    Ok(())
}
