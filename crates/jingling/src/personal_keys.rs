//! The keys of personal data: `secrets/personal-keys.json` in the city's folder, made at the first start, readable for
//! its owner alone, in encrypted backups only. Keys that are lost are never replaced silently: what was sealed under
//! them is lost too, so a person says so (`jingling keys rotate --forget-old`), and the audit trail tells it. A key that nothing
//! needs any more, or whose values are to be unreadable, is destroyed ([`retire`]).

use crate::city_lock::CityLock;
use crate::key_needs::Need;
use crate::{files, folder::Folder};
use api::notices::{Notice, Notices};
use model::{Problem, Timestamp};
use personal::{Cipher, Keys, Sealer};
use records::audit::Search;
use records::{Actor, Event, Failure, PageRequest, Records, audit};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Bits of a file's mode that let others than its owner at it.
const OTHERS: u32 = 0o077;
/// How often a running city looks whether the keys were rotated, in seconds.
const LOOK_S: u64 = 5;
/// Who tells the notice.
const TELLER: &str = "personal-keys";

/// 32 random bytes.
pub fn draw() -> [u8; 32] {
    rand::random()
}

/// Reads the keys; `None` when there is no file.
///
/// # Errors
/// `personal-keys-permissions` when others may read them, `personal-keys` when they do not read, `personal-keys-unreadable`.
pub fn read(folder: &Folder) -> Result<Option<Keys>, Problem> {
    let path = folder.personal_keys();
    let place = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        Problem::new(
            "personal-keys-unreadable",
            format!("the keys of personal data cannot be read: {error}"),
            &place,
            "see that the file belongs to the user whom the server runs as",
        )
    };
    let mode = match std::fs::metadata(&path) {
        Ok(meta) => meta.permissions().mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if mode & OTHERS != 0 {
        return Err(Problem::new(
            "personal-keys-permissions",
            format!(
                "others may read the keys of personal data (mode {:o})",
                mode & 0o777
            ),
            &place,
            format!(
                "chmod 600 {place}; if somebody may have read them, `jingling keys rotate` as well"
            ),
        ));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    Keys::parse(&text).map(Some).map_err(|mut problem| {
        problem.place.clone_from(&place);
        problem
    })
}

/// The key that the trail last said is in use.
async fn known(records: &Records) -> Result<Option<String>, Failure> {
    let search = Search {
        action: Some(Event::PersonalKey.entry().action.to_owned()),
        ..Search::default()
    };
    let page = PageRequest {
        after: None,
        limit: Some(1),
    };
    let newest = audit::search(&mut *records.read().await?, &search, &page).await?;
    let target = newest.items.into_iter().next().map(|act| act.target);
    Ok(target.and_then(|t| t.strip_prefix("personal-key:").map(str::to_owned)))
}

/// Tells the trail that the first of these keys is in use, unless it says so.
async fn adopt(
    records: &Records,
    keys: &Keys,
    actor: &Actor,
    opens_old: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    let previous = known(records).await?;
    let key = keys.active();
    if previous.as_ref() == Some(&key.id) {
        return Ok(());
    }
    let detail = serde_json::json!({
        "cipher": key.cipher.as_str(), "previous": previous, "opens_old": opens_old,
    });
    let target = format!("personal-key:{}", key.id);
    let mut write = records.write().await?;
    audit::insert(&mut write, now, actor, Event::PersonalKey, &target, &detail).await?;
    write.commit().await
}

fn keep(folder: &Folder, keys: &Keys) -> Result<(), Failure> {
    files::write_secret(&folder.personal_keys(), keys.text().as_bytes()).map_err(Failure::internal)
}

/// The keys of a city that starts; made at its first start.
///
/// # Errors
/// A [`Failure`] with what is wrong with the file, such as `personal-keys-missing`, or the records' own.
pub async fn make_ready(
    folder: &Folder,
    records: &Records,
    cipher: Cipher,
    now: Timestamp,
) -> Result<Arc<Sealer>, Failure> {
    let keys = match read(folder).map_err(Failure::Unavailable)? {
        Some(keys) => keys,
        None if known(records).await?.is_none() => {
            let keys = Keys::generate(draw, cipher, now);
            keep(folder, &keys)?;
            keys
        }
        None => return Err(Failure::Unavailable(missing(folder))),
    };
    adopt(records, &keys, &Actor::system("personal"), true, now).await?;
    Ok(Arc::new(Sealer::new(keys, draw)))
}

/// What is asked of a key before it goes.
#[derive(Clone, Copy, Debug)]
pub struct RetireOptions {
    /// How long ago another key must have begun to seal while the city runs: messages that were sealed just before are in the
    /// journal by then. Default: 60 s.
    pub settle: Duration,
}

impl Default for RetireOptions {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(60),
        }
    }
}

/// Destroys a key (销毁): one that nothing needs, or any older one when `even_if_needed`, which makes what is under it
/// unreadable for good. The act is in the trail before the key is gone, so that a death between the two can be seen and the
/// command be given again. Returns the keys that are left.
///
/// # Errors
/// 409 `personal-key-needed` with every store that needs it, `personal-key-recent`; what is wrong with the id or the file; the
/// records' own.
pub async fn retire(
    folder: &Folder,
    records: &Records,
    id: &str,
    need: &Need,
    even_if_needed: bool,
    options: &RetireOptions,
    now: Timestamp,
) -> Result<Keys, Failure> {
    let keys = match read(folder) {
        Ok(Some(keys)) => keys,
        Ok(None) => return Err(Failure::Unavailable(missing(folder))),
        Err(problem) => return Err(Failure::Unavailable(problem)),
    };
    let left = keys.without(id, now).map_err(Failure::Invalid)?;
    let key = keys.all().iter().find(|key| key.id == id);
    let followed_at = key.and_then(|key| key.followed_at);
    let settle_us = i64::try_from(options.settle.as_micros()).unwrap_or(i64::MAX);
    let is_recent = followed_at.is_none_or(|at| now.micros_since(at) < settle_us);
    // A city that does not run seals nothing.
    if is_recent && CityLock::take(folder).is_err() {
        return Err(Failure::Conflict(Problem::new(
            "personal-key-recent",
            format!("the city runs and sealed under the key {id} a moment ago"),
            "key",
            format!("try again in {} s", options.settle.as_secs()),
        )));
    }
    if !need.is_nothing() && !even_if_needed {
        return Err(Failure::Conflict(Problem::new(
            "personal-key-needed",
            format!("the key {id} is still needed: {}", need.stores().join("; ")),
            "key",
            "wait, or make it all unreadable: --even-if-needed",
        )));
    }
    let detail = serde_json::json!({
        "made_at": key.map(|key| key.made_at.to_string()),
        "followed_at": followed_at.map(|at| at.to_string()),
        "needed": need,
        "even_if_needed": !need.is_nothing(),
    });
    let actor = Actor::command_line();
    let target = format!("personal-key:{id}");
    let mut write = records.write().await?;
    audit::insert(&mut write, now, &actor, Event::KeyRetire, &target, &detail).await?;
    write.commit().await?;
    destroy(folder, &left).map_err(Failure::internal)?;
    Ok(left)
}

/// Puts the keys that are left in the file's place, then overwrites the bytes of the file that was there. What a disk with
/// copies of its own (flash, snapshots) keeps of them is beyond any program.
fn destroy(folder: &Folder, left: &Keys) -> anyhow::Result<()> {
    let path = folder.personal_keys();
    let mut old = OpenOptions::new().write(true).open(&path)?;
    let bytes = old.metadata()?.len();
    files::write_secret(&path, left.text().as_bytes())?;
    old.write_all(&vec![0; usize::try_from(bytes)?])?;
    old.sync_all()?;
    Ok(())
}

fn missing(folder: &Folder) -> Problem {
    Problem::new(
        "personal-keys-missing",
        "the keys of personal data are not there: nothing personal is taken or shown",
        folder.personal_keys().display().to_string(),
        "put the file back from an encrypted backup and start again; when it is lost, `jingling keys rotate --forget-old`",
    )
}

/// Makes a new key that seals from now on. `forget_old` begins anew where the old ones are lost.
///
/// # Errors
/// What is wrong with the file, or the records' own.
pub async fn rotate(
    folder: &Folder,
    records: &Records,
    cipher: Cipher,
    forget_old: bool,
    now: Timestamp,
) -> Result<Keys, Failure> {
    let (keys, opens_old) = match read(folder) {
        Ok(Some(keys)) if forget_old => {
            let id = &keys.active().id;
            return Err(Failure::Conflict(Problem::new(
                "personal-keys-there",
                format!(
                    "the keys are there ({id} seals): forgetting them would lose every personal value"
                ),
                folder.personal_keys().display().to_string(),
                "leave --forget-old out",
            )));
        }
        Ok(Some(keys)) => (keys.rotated(draw, cipher, now), true),
        Ok(None) if forget_old => (Keys::generate(draw, cipher, now), false),
        Ok(None) => return Err(Failure::Unavailable(missing(folder))),
        Err(problem) => return Err(Failure::Unavailable(problem)),
    };
    keep(folder, &keys)?;
    adopt(records, &keys, &Actor::command_line(), opens_old, now).await?;
    Ok(keys)
}

/// Shows or takes away the notice that the keys cannot be used.
pub fn tell(notices: &Notices, failure: Option<&Failure>, now: Timestamp) {
    let notice = failure.map(|failure| {
        tracing::error!(%failure, "personal data is neither taken nor shown");
        let problem = failure.problem().cloned().unwrap_or_else(|| {
            let mend = "see the log; start again when it is mended";
            Problem::new("personal-keys", failure.to_string(), "records", mend)
        });
        let (what, mend) = in_both(&problem);
        Notice {
            code: problem.code,
            found_at: now.to_string(),
            position_from: 0,
            position_to: 0,
            what,
            place: problem.place,
            mend,
        }
    });
    notices.set(TELLER, notice.into_iter().collect());
}

/// What is wrong and what mends it, Chinese first.
fn in_both(problem: &Problem) -> (String, String) {
    let (what, mend) = match problem.code.as_str() {
        "personal-keys-missing" => (
            "个人信息密钥文件不在：不接收、也不显示任何个人信息。",
            "从加密备份放回该文件并重新启动；确已丢失时执行 `jingling keys rotate --forget-old`。",
        ),
        "personal-keys-permissions" => (
            "其他用户可以读个人信息密钥文件。",
            "把文件权限改为 600；如可能已被人读过，再执行 `jingling keys rotate`。",
        ),
        "personal-keys-unreadable" => (
            "个人信息密钥文件读不出。",
            "请确认文件属于运行本平台的用户。",
        ),
        "personal-keys" => (
            "个人信息密钥文件已损坏或来自更新的版本。",
            "从加密备份放回该文件：没有它，个人信息再也读不出。",
        ),
        _ => ("个人信息密钥不可用。", "查看日志，排除后重新启动。"),
    };
    (
        format!("{what} {}", problem.what),
        format!("{mend} {}", problem.mend),
    )
}

/// Lets a running city follow what `jingling keys rotate` and `jingling keys retire` write.
pub fn follow(folder: &Folder, sealer: Arc<Sealer>) -> JoinHandle<()> {
    let folder = folder.clone();
    tokio::spawn(async move {
        let written = |folder: &Folder| -> Option<SystemTime> {
            std::fs::metadata(folder.personal_keys())
                .ok()?
                .modified()
                .ok()
        };
        // The keys in use are those of the file, or older: the first look reads it.
        let mut seen = None;
        let mut ticker = tokio::time::interval(Duration::from_secs(LOOK_S));
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticker.tick().await;
            let now = written(&folder);
            if now == seen {
                continue;
            }
            seen = now;
            match read(&folder) {
                Ok(Some(keys)) if keys != sealer.keys() => {
                    tracing::info!(
                        key = keys.active().id,
                        retired = keys.retired().len(),
                        "the keys of personal data changed; this one seals"
                    );
                    sealer.replace(keys);
                }
                Ok(Some(_)) => {}
                // Those in memory go on.
                Ok(None) => tracing::error!("the file of the keys of personal data is gone"),
                Err(problem) => tracing::error!(%problem, "the keys of personal data do not read"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::tests::city;
    use model::Value;
    use std::fs::Permissions;

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    async fn code(folder: &Folder, records: &Records) -> String {
        let made = make_ready(folder, records, Cipher::Sm4Gcm, T0).await;
        made.unwrap_err().problem().unwrap().code.clone()
    }

    #[tokio::test]
    async fn they_are_made_once_for_their_owner_alone_and_rotated_with_an_act() {
        let (_dir, folder, records) = city().await;
        let sealer = make_ready(&folder, &records, Cipher::Sm4Gcm, T0)
            .await
            .unwrap();
        let mode = std::fs::metadata(folder.personal_keys())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let value = Value::Text("13800001234".into());
        let sealed = sealer.seal("urn:x:1", "a", &value).unwrap().unwrap();
        let rotated = rotate(&folder, &records, Cipher::Aes256Gcm, false, T0)
            .await
            .unwrap();
        assert_eq!(
            known(&records).await.unwrap().as_ref(),
            Some(&rotated.active().id)
        );
        let again = make_ready(&folder, &records, Cipher::Sm4Gcm, T0)
            .await
            .unwrap();
        assert_eq!(again.keys(), rotated);
        assert_eq!(
            again.open("urn:x:1", "a", &sealed).unwrap().text,
            "13800001234"
        );
        let page = PageRequest::default();
        let acts = audit::list(&mut records.read().await.unwrap(), &page)
            .await
            .unwrap();
        assert_eq!(acts.items.len(), 2, "one for each key");
        let kept = rotate(&folder, &records, Cipher::Sm4Gcm, true, T0).await;
        assert_eq!(
            kept.unwrap_err().problem().unwrap().code,
            "personal-keys-there"
        );
    }

    #[tokio::test]
    async fn what_is_wrong_with_them_is_told_and_lost_ones_are_not_replaced_silently() {
        let (_dir, folder, records) = city().await;
        make_ready(&folder, &records, Cipher::Sm4Gcm, T0)
            .await
            .unwrap();
        let path = folder.personal_keys();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(code(&folder, &records).await, "personal-keys-permissions");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "{").unwrap();
        assert_eq!(code(&folder, &records).await, "personal-keys");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(code(&folder, &records).await, "personal-keys-missing");
        assert!(!path.exists());
        let lost = rotate(&folder, &records, Cipher::Sm4Gcm, false, T0).await;
        assert_eq!(
            lost.unwrap_err().problem().unwrap().code,
            "personal-keys-missing"
        );
        let anew = rotate(&folder, &records, Cipher::Sm4Gcm, true, T0)
            .await
            .unwrap();
        let sealer = make_ready(&folder, &records, Cipher::Sm4Gcm, T0)
            .await
            .unwrap();
        assert_eq!(sealer.keys(), anew);
    }

    #[tokio::test]
    async fn a_key_goes_when_nothing_needs_it_or_when_that_is_wanted() {
        let (_dir, folder, records) = city().await;
        let sealer = make_ready(&folder, &records, Cipher::Sm4Gcm, T0)
            .await
            .unwrap();
        let first = sealer.keys().active().id.clone();
        let secret = std::fs::read_to_string(folder.personal_keys()).unwrap();
        let secret = serde_json::from_str::<serde_json::Value>(&secret).unwrap();
        let secret = secret["keys"][0]["key"].as_str().unwrap().to_owned();
        let second = rotate(&folder, &records, Cipher::Sm4Gcm, false, T0)
            .await
            .unwrap();
        let second = second.active().id.clone();
        let third = rotate(&folder, &records, Cipher::Sm4Gcm, false, T0.plus_seconds(5))
            .await
            .unwrap();
        let third = third.active().id.clone();
        let (none, some) = (
            Need::default(),
            Need {
                journal_records: 3,
                ..Need::default()
            },
        );
        let options = RetireOptions::default();
        let at = T0.plus_seconds(30);
        let ask = async |id: &str, need: &Need, even: bool| {
            retire(&folder, &records, id, need, even, &options, at).await
        };
        let code =
            |asked: Result<Keys, Failure>| asked.unwrap_err().problem().unwrap().code.clone();
        assert_eq!(code(ask(&third, &none, true).await), "personal-key-seals");
        assert_eq!(
            code(ask("00000000", &none, true).await),
            "personal-key-unknown"
        );
        let needed = ask(&first, &some, false).await.unwrap_err();
        let needed = needed.problem().unwrap();
        assert_eq!(needed.code, "personal-key-needed");
        assert!(needed.what.contains("3 records"), "{needed}");
        // A city that runs may have sealed under it a moment ago.
        let running = CityLock::take(&folder).unwrap();
        assert_eq!(
            code(ask(&second, &none, false).await),
            "personal-key-recent"
        );
        let later = retire(
            &folder,
            &records,
            &second,
            &none,
            false,
            &options,
            T0.plus_seconds(65),
        );
        assert!(later.await.unwrap().is_retired(&second));
        drop(running);
        let left = ask(&first, &some, true).await.unwrap();
        assert_eq!((left.all().len(), left.retired().len()), (1, 2));
        let text = std::fs::read_to_string(folder.personal_keys()).unwrap();
        assert!(!text.contains(&secret));
        assert_eq!(read(&folder).unwrap().unwrap(), left);
        assert_eq!(code(ask(&first, &none, true).await), "personal-key-unknown");
        let mode = std::fs::metadata(folder.personal_keys()).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        let search = Search {
            action: Some("key.retire".into()),
            ..Search::default()
        };
        let page = PageRequest::default();
        let mut reading = records.read().await.unwrap();
        let acts = audit::search(&mut reading, &search, &page).await.unwrap();
        let told: Vec<_> = (acts.items.iter())
            .map(|act| (act.target.as_str(), act.detail["even_if_needed"].clone()))
            .collect();
        assert_eq!(
            told,
            [
                (format!("personal-key:{first}").as_str(), true.into()),
                (format!("personal-key:{second}").as_str(), false.into())
            ]
        );
        assert_eq!(acts.items[0].detail["needed"]["journal_records"], 3);
        drop(reading);
        // And the trail still knows which key is in use.
        assert_eq!(known(&records).await.unwrap(), Some(third));
    }

    #[test]
    fn notices_are_told_in_both_languages() {
        let folder = Folder::new(std::path::Path::new("/nowhere"));
        let codes = [
            "personal-keys",
            "personal-keys-permissions",
            "personal-keys-unreadable",
            "x",
        ];
        let others = codes.map(|code| Problem::new(code, "english", "there", "do"));
        for problem in others.iter().chain([&missing(&folder)]) {
            let (what, mend) = in_both(problem);
            for (text, english) in [(&what, &problem.what), (&mend, &problem.mend)] {
                assert!(text.ends_with(english.as_str()), "{text}");
                assert!(text.starts_with(|c: char| c > '\u{2e80}'), "{text}");
            }
        }
    }
}
