//! What a person gave to other systems ends with what it rested on: the account, the role, the password.

use identity::{Identity, NewPerson, PersonChange, Role};
use model::Timestamp;
use records::oidc::{Family, RefreshToken};
use records::oidc_clients::ClientRow;
use records::{Actor, Records, Secret, oidc, oidc_clients};
use serde_json::json;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct City {
    _dir: tempfile::TempDir,
    records: Records,
    identity: Identity,
    person: i64,
}

/// Somebody who is signed in at two systems, of which one asked to be told of an end, and there by two sessions.
async fn city() -> City {
    let (dir, records, identity) = crate::store::open(crate::store::quick()).await;
    let person = NewPerson {
        username: "li.si".to_owned(),
        name: "李四".to_owned(),
        role: Role::Field,
        organisation_id: None,
        password: Some("a long enough password".to_owned()),
    };
    let by = Actor::command_line();
    let made = identity.create_user(&person, &by, T0).await;
    let person = made.unwrap().user.id;
    let mut write = records.write().await.unwrap();
    for (client, told) in [("told", Some("https://a.example/out")), ("untold", None)] {
        let row = ClientRow {
            id: 0,
            client_id: client.to_owned(),
            name: client.to_owned(),
            is_public: true,
            secret_hash: None,
            redirect_uris: json!(["https://a.example/in"]),
            post_logout_redirect_uris: json!([]),
            backchannel_logout_uri: told.map(str::to_owned),
            grants: json!(["authorization_code", "refresh_token"]),
            scopes: json!(["openid", "offline_access"]),
            asks_consent: true,
            disabled: false,
            created_at: T0,
            created_by: "test".to_owned(),
            secret_set_at: None,
        };
        oidc_clients::insert(&mut write, &row)
            .await
            .unwrap()
            .unwrap();
        oidc_clients::give_consent(
            &mut write,
            &oidc_clients::ConsentRow {
                user_id: person,
                client_id: client.to_owned(),
                scopes: "openid offline_access".to_owned(),
                given_at: T0,
            },
        )
        .await
        .unwrap();
        // Two sign-ins of one session, and one of another: a system is told once of each session.
        for (n, sid) in ["first", "first", "second"].into_iter().enumerate() {
            let family = format!("{client}-{n}");
            let row = Family {
                family: family.clone(),
                client_id: client.to_owned(),
                user_id: person,
                scopes: "openid offline_access".to_owned(),
                sid: sid.to_owned(),
                nonce: None,
                auth_time: T0,
                created_at: T0,
                expires_at: T0.plus_seconds(1_000),
                ended_at: None,
                ended_because: None,
            };
            oidc::insert_family(&mut write, &row).await.unwrap();
            let token = RefreshToken {
                token_hash: Secret::new(format!("hash of {family}")),
                family,
                issued_at: T0,
                expires_at: T0.plus_seconds(1_000),
                used_at: None,
            };
            oidc::insert_refresh(&mut write, &token).await.unwrap();
        }
    }
    write.commit().await.unwrap();
    City {
        _dir: dir,
        records,
        identity,
        person,
    }
}

impl City {
    /// Why the family of each refresh token ended.
    async fn ended(&self) -> Vec<Option<String>> {
        let mut read = self.records.read().await.unwrap();
        let mut all = Vec::new();
        for client in ["told", "untold"] {
            for n in 0..3 {
                let hash = format!("hash of {client}-{n}");
                let token = oidc::refresh(&mut read, &hash).await.unwrap().unwrap();
                let family = oidc::family(&mut read, &token.family).await.unwrap();
                all.push(family.unwrap().ended_because);
            }
        }
        all
    }

    /// Who is to be told of which session.
    async fn told(&self) -> Vec<(String, String)> {
        let due = oidc::logouts_due(&mut self.records.read().await.unwrap(), T0, 100).await;
        let rows = due.unwrap().into_iter();
        rows.map(|row| (row.client_id, row.sid)).collect()
    }

    async fn consents(&self) -> usize {
        let mut read = self.records.read().await.unwrap();
        let all = oidc_clients::consents_of(&mut read, self.person).await;
        all.unwrap().len()
    }

    async fn change(&self, change: PersonChange) {
        let by = Actor::command_line();
        let changed = self.identity.change_user(self.person, &change, &by, T0);
        changed.await.unwrap();
    }

    async fn has_ended_because(&self, because: &str) {
        assert_eq!(self.ended().await, vec![Some(because.to_owned()); 6]);
        let told = [("told", "first"), ("told", "second")];
        let told = told.map(|(client, sid)| (client.to_owned(), sid.to_owned()));
        assert_eq!(self.told().await, told);
    }
}

#[tokio::test]
async fn a_closed_account_ends_what_it_gave_and_forgets_the_consents() {
    let city = city().await;
    city.change(PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    })
    .await;
    city.has_ended_because("account-closed").await;
    assert_eq!(city.consents().await, 0);
    // Opened again, it does not come back; and nobody is told twice.
    city.change(PersonChange {
        disabled: Some(false),
        ..PersonChange::default()
    })
    .await;
    city.has_ended_because("account-closed").await;
}

#[tokio::test]
async fn another_role_ends_what_was_given_and_leaves_the_consents() {
    let city = city().await;
    city.change(PersonChange {
        role: Some(Role::Operator),
        ..PersonChange::default()
    })
    .await;
    city.has_ended_because("role-changed").await;
    assert_eq!(city.consents().await, 2);
}

#[tokio::test]
async fn a_new_password_ends_what_was_given() {
    let city = city().await;
    let by = Actor::command_line();
    let set = city.identity.set_password(city.person, None, &by, T0);
    set.await.unwrap();
    city.has_ended_because("password-set").await;
    assert_eq!(city.consents().await, 2);
}

#[tokio::test]
async fn another_name_ends_nothing() {
    let city = city().await;
    city.change(PersonChange {
        name: Some("李思".to_owned()),
        ..PersonChange::default()
    })
    .await;
    assert_eq!(city.ended().await, vec![None; 6]);
    assert_eq!(city.told().await, []);
}
