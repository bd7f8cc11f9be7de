//! The key that seals are signed with: `secrets/audit-key.pem` in the city's folder, PKCS#8 PEM, made at the first start,
//! readable for its owner alone. It is read anew for each seal, so that a file put back helps at once. A key that is
//! lost is never replaced silently: seals of a new key prove nothing of what came before, so a person says so
//! (`jingling audit new-key`), and the trail tells it.

use crate::{files, folder::Folder};
use gm::SigningKey;
use model::{Problem, Timestamp};
use records::{Actor, Failure, Records, audit_seals};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;

/// Bits of a file's mode that let others than its owner at it.
const OTHERS: u32 = 0o077;

/// The part of the platform that seals, as the trail names it.
pub fn system() -> Actor {
    Actor::system("audit")
}

/// Reads the key; `None` when there is no file.
///
/// # Errors
/// `audit-key-permissions` when others may read it, `audit-key-damaged` when it is no key, `audit-key-unreadable`.
pub fn read(folder: &Folder) -> Result<Option<SigningKey>, Problem> {
    let path = folder.audit_key();
    let place = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        let mend = "see that the file belongs to the user whom the server runs as";
        Problem::new(
            "audit-key-unreadable",
            format!("the audit key cannot be read: {error}"),
            &place,
            mend,
        )
    };
    let mode = match std::fs::metadata(&path) {
        Ok(meta) => meta.permissions().mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if mode & OTHERS != 0 {
        return Err(Problem::new(
            "audit-key-permissions",
            format!("others may read the audit key (mode {:o})", mode & 0o777),
            &place,
            format!(
                "chmod 600 {place}; whoever read it can forge seals: if somebody may have, make a new one with `jingling audit new-key`"
            ),
        ));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    match SigningKey::from_pem(&text) {
        Ok(key) => Ok(Some(key)),
        Err(error) => Err(Problem::new(
            "audit-key-damaged",
            format!("the audit key does not read: {error}"),
            &place,
            "put it back from a backup, or make a new one: `jingling audit new-key`",
        )),
    }
}

/// The key that seals are made with now.
///
/// # Errors
/// As [`read`]; `audit-key-missing`.
pub fn in_use(folder: &Folder) -> Result<SigningKey, Problem> {
    read(folder)?.ok_or_else(|| missing(folder))
}

fn missing(folder: &Folder) -> Problem {
    Problem::new(
        "audit-key-missing",
        "the audit key is not there, so the audit trail is chained but not sealed",
        folder.audit_key().display().to_string(),
        "put it back from an encrypted backup, or make a new one: `jingling audit new-key`",
    )
}

/// Makes the key at the first start, and sees at every start that it can be used.
///
/// # Errors
/// A [`Failure`] with what is wrong with the file, or the records' own.
pub async fn make_ready(folder: &Folder, records: &Records, now: Timestamp) -> Result<(), Failure> {
    let known = audit_seals::keys(&mut *records.read().await?).await?;
    let key = match read(folder).map_err(Failure::Unavailable)? {
        Some(key) => key,
        None if known.is_empty() => make(folder)?,
        None => return Err(Failure::Unavailable(missing(folder))),
    };
    if known.is_empty() {
        adopt(records, &key, &system(), now).await?;
    } else if known.last().map(|k| k.id.clone()) != Some(audit_seals::key_id(&key.verifying_key()))
    {
        return Err(Failure::Unavailable(Problem::new(
            "audit-key-other",
            "the audit key is not the one that the chain's seals are made with",
            folder.audit_key().display().to_string(),
            "put back the right key from a backup, or make a new one: `jingling audit new-key`",
        )));
    }
    Ok(())
}

/// Makes a key in the place of the one that is there, and puts it in use.
///
/// # Errors
/// The system's or the records' own.
pub async fn replace(
    folder: &Folder,
    records: &Records,
    actor: &Actor,
    now: Timestamp,
) -> Result<SigningKey, Failure> {
    let key = make(folder)?;
    adopt(records, &key, actor, now).await?;
    Ok(key)
}

fn make(folder: &Folder) -> Result<SigningKey, Failure> {
    let key = SigningKey::generate().map_err(Failure::internal)?;
    let pem = key.to_pem().map_err(Failure::internal)?;
    files::write_secret(&folder.audit_key(), pem.as_bytes()).map_err(Failure::internal)?;
    Ok(key)
}

async fn adopt(
    records: &Records,
    key: &SigningKey,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut write = records.write().await?;
    audit_seals::adopt(&mut write, &key.verifying_key(), actor, now).await?;
    write.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::tests::city;
    use std::fs::Permissions;

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    async fn code(folder: &Folder, records: &Records) -> String {
        let failed = make_ready(folder, records, T0).await.unwrap_err();
        failed.problem().unwrap().code.clone()
    }

    #[tokio::test]
    async fn it_is_made_once_for_its_owner_alone_and_used_again() {
        let (_dir, folder, records) = city().await;
        make_ready(&folder, &records, T0).await.unwrap();
        let mode = std::fs::metadata(folder.audit_key())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let first = in_use(&folder).unwrap().verifying_key();
        make_ready(&folder, &records, T0).await.unwrap();
        assert_eq!(in_use(&folder).unwrap().verifying_key(), first);
        let known = audit_seals::keys(&mut records.read().await.unwrap())
            .await
            .unwrap();
        assert_eq!(known.len(), 1);
    }

    #[tokio::test]
    async fn what_is_wrong_with_it_is_told_and_a_lost_one_is_not_replaced_silently() {
        let (_dir, folder, records) = city().await;
        make_ready(&folder, &records, T0).await.unwrap();
        let path = folder.audit_key();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(code(&folder, &records).await, "audit-key-permissions");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "-----BEGIN").unwrap();
        assert_eq!(code(&folder, &records).await, "audit-key-damaged");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(code(&folder, &records).await, "audit-key-missing");
        assert!(!path.exists());
        make(&folder).unwrap();
        assert_eq!(code(&folder, &records).await, "audit-key-other");
        let actor = Actor::command_line();
        replace(&folder, &records, &actor, T0).await.unwrap();
        make_ready(&folder, &records, T0).await.unwrap();
    }
}
