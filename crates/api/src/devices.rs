//! Devices: which there are, whether they are connected, and their credentials.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::approvals::{self, Done, Order, Why};
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::{
    Asked, Certificate, DangerousAct, DeviceCredentials, DeviceIdentity, DeviceKey, Identity,
    KeyedDevice, Rotated,
};
use model::{DeviceId, Problem, Timestamp, TypeName};
use records::PageRequest;
use records::device_credentials::{DeviceCredential, PSK};
use records::devices::{Device, DeviceFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// A device (设备).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceBody {
    /// The id of the thing it speaks for.
    pub id: String,
    /// Its MQTT client id.
    pub client_id: String,
    /// The type of the thing it speaks for.
    pub r#type: String,
    /// Its name.
    pub name: Option<String>,
    /// Its username.
    pub username: String,
    /// Whether it is connected.
    pub online: bool,
    /// Since when.
    pub connected_at: Option<String>,
    /// When it last sent anything.
    pub last_seen_at: Option<String>,
    /// Messages accepted.
    pub messages: i64,
    /// Messages that became dead letters.
    pub rejected: i64,
    /// Whether it can be asked something over its own protocol (`/api/v1/devices/{client_id}/questions`); told by the running city only.
    pub can_be_asked: bool,
}

impl From<Device> for DeviceBody {
    fn from(d: Device) -> Self {
        Self {
            id: d.id,
            client_id: d.client_id,
            r#type: d.r#type,
            name: d.name,
            username: d.username,
            online: d.online,
            connected_at: d.connected_at.map(|t| t.to_string()),
            last_seen_at: d.last_seen_at.map(|t| t.to_string()),
            messages: d.messages,
            rejected: d.rejected,
            can_be_asked: false,
        }
    }
}

/// A page of devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// By client id.
    pub items: Vec<DeviceBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which devices.
#[derive(Debug, Deserialize, IntoParams)]
pub struct DevicesQuery {
    /// Only those connected (`true`) or not (`false`).
    pub online: Option<bool>,
    /// Of this type.
    pub r#type: Option<String>,
    /// Whose id or name holds this text.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Devices by client id.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", security(("session" = ["device.read"])), params(DevicesQuery),
    responses((status = 200, body = Devices)))]
pub async fn list(
    State(app): State<App>,
    Query(query): Query<DevicesQuery>,
) -> Answer<Json<Devices>> {
    let filter = DeviceFilter {
        online: query.online,
        r#type: query.r#type,
        q: query.q.filter(|q| !q.is_empty()),
    };
    let page = app
        .identity
        .list_devices(
            &filter,
            &PageRequest {
                after: query.after,
                limit: query.limit,
            },
        )
        .await?;
    Ok(Json(Devices {
        next: page.next.clone(),
        items: page
            .items
            .into_iter()
            .map(|device| {
                let can_be_asked =
                    (app.outlet.get()).is_some_and(|outlet| outlet.can_ask(&device.id));
                DeviceBody {
                    can_be_asked,
                    ..device.into()
                }
            })
            .collect(),
    }))
}

/// What a device shows to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceSecretKind {
    /// A password, which travels.
    Password,
    /// A key that it proves to hold (pre-shared key), which does not.
    Psk,
}

/// The key of a request; it goes with the kind `psk` alone.
fn key_of(kind: DeviceSecretKind, key: Option<&str>) -> Answer<Option<DeviceKey>> {
    match (kind, key.map(str::trim).filter(|k| !k.is_empty())) {
        (_, None) => Ok(None),
        (DeviceSecretKind::Psk, Some(key)) => {
            Ok(Some(DeviceKey::parse(key).map_err(ApiError::invalid)?))
        }
        (DeviceSecretKind::Password, Some(_)) => Err(ApiError::invalid(Problem::new(
            "device-key",
            "a key goes with no password",
            "key",
            "leave it out, or say \"kind\": \"psk\"",
        ))),
    }
}

/// A device to add.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DeviceDraft)]
pub struct AddRequest {
    /// The id of the thing it speaks for, a URI.
    pub id: String,
    /// The entity type of that thing.
    pub r#type: String,
    /// A name for people.
    pub name: Option<String>,
    /// What it signs in with: a password when not said.
    pub kind: Option<DeviceSecretKind>,
    /// With `psk`: a key that was made elsewhere, 32 to 128 hex digits; one of 256 bits is made when not said.
    pub key: Option<String>,
}

/// A device just added, with the credentials that are shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewDevice {
    /// The id of the thing it speaks for.
    pub id: String,
    /// Its MQTT client id.
    pub client_id: String,
    /// The type of the thing it speaks for.
    pub r#type: String,
    /// Its name.
    pub name: Option<String>,
    /// Its username at the doors.
    pub username: String,
    /// Its password at the doors; `null` when it has a key.
    pub password: Option<String>,
    /// The key that was made for it, hex; `null` when it has a password, or the key was given.
    pub key: Option<String>,
    /// The topic it publishes to.
    pub topic: String,
}

impl From<DeviceCredentials> for NewDevice {
    fn from(c: DeviceCredentials) -> Self {
        Self {
            id: c.id,
            client_id: c.client_id,
            r#type: c.r#type,
            name: c.name,
            username: c.username,
            password: Some(c.password),
            key: None,
            topic: c.topic,
        }
    }
}

impl From<KeyedDevice> for NewDevice {
    fn from(made: KeyedDevice) -> Self {
        Self {
            topic: identity::device_topic(&made.device.client_id),
            id: made.device.id,
            client_id: made.device.client_id,
            r#type: made.device.r#type,
            name: made.device.name,
            username: made.device.username,
            password: None,
            key: made.key.map(|key| key.hex()),
        }
    }
}

/// Registers a device; its password or key is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/devices", tag = "devices", security(("session" = ["device.manage"])), request_body = AddRequest,
    responses((status = 201, body = NewDevice), (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<AddRequest>,
) -> Answer<Response> {
    let device = DeviceIdentity {
        id: DeviceId::new(request.id.trim()).map_err(ApiError::invalid)?,
        r#type: TypeName::new(request.r#type.trim()).map_err(ApiError::invalid)?,
        name: request.name.filter(|n| !n.trim().is_empty()),
    };
    let kind = request.kind.unwrap_or(DeviceSecretKind::Password);
    let key = key_of(kind, request.key.as_deref())?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let made = match kind {
        DeviceSecretKind::Password => {
            NewDevice::from(app.identity.register_device(&device, &actor, now).await?)
        }
        DeviceSecretKind::Psk => app
            .identity
            .register_keyed_device(&device, key, &actor, now)
            .await?
            .into(),
    };
    app.events.tell(
        "device",
        identity::Permission::DeviceRead,
        json!({"client_ids": [made.client_id]}),
    );
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Takes a device's credentials away and ends its connection; its history stays. A second person must agree: 202.
#[utoipa::path(delete, path = "/api/v1/devices/{client_id}", tag = "devices", security(("session" = ["device.manage"])), params(("client_id" = String, Path), Why),
    responses((status = 202, body = approvals::ApprovalAsked), (status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
    Query(why): Query<Why>,
) -> Answer<Response> {
    let device = app.identity.device(&client_id).await?;
    let asked = Asked {
        act: DangerousAct::DeviceRemove,
        target: &format!("device:{client_id}"),
        body: &json!({"client_id": device.client_id, "id": device.id, "type": device.r#type, "name": device.name}),
        reason: why.text(),
    };
    approvals::go(&app, &caller, peer, &asked).await
}

/// Removes the device that was asked for.
pub(crate) async fn remove_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let client_id = order.body["client_id"].as_str().unwrap_or_default();
    app.identity
        .remove_device(client_id, order.actor, app.now())
        .await?;
    if let Some(disconnect) = app.disconnect.get() {
        disconnect(client_id);
    }
    app.events.tell(
        "device",
        identity::Permission::DeviceRead,
        json!({"client_ids": [client_id]}),
    );
    Ok(Done::plain("removed"))
}

/// How a device's password or key is changed.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RotateRequest {
    /// Hours for which the old password or key stays good beside the new one: 24 when not said, 0 for none.
    pub overlap_hours: Option<u32>,
    /// What it signs in with from now on: what it has now when not said.
    pub kind: Option<DeviceSecretKind>,
    /// With `psk`: a key that was made elsewhere, 32 to 128 hex digits; one of 256 bits is made when not said.
    pub key: Option<String>,
}

/// A device's new password or key, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotatedDevice {
    /// Its MQTT client id.
    pub client_id: String,
    /// Its username at the doors.
    pub username: String,
    /// Its new password at the doors; `null` when it has a key now.
    pub password: Option<String>,
    /// The key that was made for it, hex; `null` when it has a password now, or the key was given.
    pub key: Option<String>,
    /// Until when the old one is good.
    pub old_until: String,
}

impl From<Rotated> for RotatedDevice {
    fn from(rotated: Rotated) -> Self {
        Self {
            client_id: rotated.client_id,
            username: rotated.username,
            password: Some(rotated.password),
            key: None,
            old_until: rotated.old_until.to_string(),
        }
    }
}

impl From<KeyedDevice> for RotatedDevice {
    fn from(rotated: KeyedDevice) -> Self {
        Self {
            client_id: rotated.device.client_id,
            username: rotated.device.username,
            password: None,
            key: rotated.key.map(|key| key.hex()),
            old_until: rotated.old_until.map(|t| t.to_string()).unwrap_or_default(),
        }
    }
}

/// Gives a device a new password or key; the old one stays good for a time, so that the device can be told while it works.
#[utoipa::path(post, path = "/api/v1/devices/{client_id}/password", tag = "devices", security(("session" = ["device.manage"])), params(("client_id" = String, Path)), request_body = RotateRequest,
    responses((status = 200, body = RotatedDevice), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn rotate(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
    Json(request): Json<RotateRequest>,
) -> Answer<Json<RotatedDevice>> {
    let hours = request.overlap_hours.unwrap_or(identity::OVERLAP_HOURS);
    let overlap_s = i64::from(hours) * 3_600;
    let (actor, now) = (peer.actor(&caller), app.now());
    let kind = match request.kind {
        Some(kind) => kind,
        None if identity::own_kind(&app.identity.device(&client_id).await?) == PSK => {
            DeviceSecretKind::Psk
        }
        None => DeviceSecretKind::Password,
    };
    let key = key_of(kind, request.key.as_deref())?;
    let rotated = match kind {
        DeviceSecretKind::Password => app
            .identity
            .rotate_device_password(&client_id, overlap_s, &actor, now)
            .await?
            .into(),
        DeviceSecretKind::Psk => app
            .identity
            .rotate_device_key(&client_id, key, overlap_s, &actor, now)
            .await?
            .into(),
    };
    tell(&app, &client_id);
    Ok(Json(rotated))
}

fn tell(app: &App, client_id: &str) {
    app.events.tell(
        "device",
        identity::Permission::DeviceRead,
        json!({"client_ids": [client_id]}),
    );
}

/// What a device may sign in with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceCredential)]
pub struct CredentialBody {
    /// `password`, `psk` or `x509`.
    pub kind: String,
    /// A certificate's SHA-256, hex.
    pub fingerprint: Option<String>,
    /// A certificate's subject.
    pub subject: Option<String>,
    /// When it was made or registered.
    pub created_at: String,
    /// When it ends; `null` for never.
    pub expires_at: Option<String>,
    /// Whether it has ended.
    pub is_over: bool,
    /// When a key was last signed in with; `null` for never, and for the other kinds.
    pub last_used_at: Option<String>,
}

/// What a device may sign in with, its own password or key first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceCredentialList {
    /// Each.
    pub items: Vec<CredentialBody>,
}

impl CredentialBody {
    /// All of a device, its own password or key first.
    ///
    /// # Errors
    /// The store's own.
    pub async fn all(
        identity: &Identity,
        device: Device,
        now: Timestamp,
    ) -> records::Result<Vec<Self>> {
        let own = Self {
            kind: identity::own_kind(&device).into(),
            fingerprint: None,
            subject: None,
            created_at: device
                .secret_set_at
                .unwrap_or(device.created_at)
                .to_string(),
            expires_at: None,
            is_over: false,
            last_used_at: device.secret_used_at.map(|t| t.to_string()),
        };
        let others = identity.device_credentials(&device.client_id).await?;
        let others = others.into_iter().map(|c| Self::of(c, now));
        Ok(std::iter::once(own).chain(others).collect())
    }

    fn of(credential: DeviceCredential, now: Timestamp) -> Self {
        Self {
            kind: credential.kind,
            fingerprint: credential.fingerprint,
            subject: credential.subject,
            created_at: credential.created_at.to_string(),
            expires_at: Some(credential.expires_at.to_string()),
            is_over: credential.expires_at <= now,
            last_used_at: credential.last_used_at.map(|t| t.to_string()),
        }
    }
}

/// What a device may sign in with.
#[utoipa::path(get, path = "/api/v1/devices/{client_id}/credentials", tag = "devices", security(("session" = ["device.read"])), params(("client_id" = String, Path)),
    responses((status = 200, body = DeviceCredentialList), (status = 404, body = crate::error::ProblemBody)))]
pub async fn credentials(
    State(app): State<App>,
    Path(client_id): Path<String>,
) -> Answer<Json<DeviceCredentialList>> {
    let device = app.identity.device(&client_id).await?;
    let items = CredentialBody::all(&app.identity, device, app.now()).await?;
    Ok(Json(DeviceCredentialList { items }))
}

/// A certificate to register.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DeviceCertificateDraft)]
pub struct CertificateRequest {
    /// The certificate, PEM. Its key stays with the device.
    pub certificate: String,
}

/// Lets a device sign in with a certificate (X.509) at the MQTT door over TLS, beside its password.
#[utoipa::path(post, path = "/api/v1/devices/{client_id}/certificates", tag = "devices", security(("session" = ["device.manage"])), params(("client_id" = String, Path)), request_body = CertificateRequest,
    responses((status = 201, body = CredentialBody), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn add_certificate(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
    Json(request): Json<CertificateRequest>,
) -> Answer<Response> {
    let certificate = Certificate::from_pem(&request.certificate).map_err(ApiError::invalid)?;
    let now = app.now();
    let made = app
        .identity
        .add_device_certificate(&client_id, &certificate, &peer.actor(&caller), now)
        .await?;
    tell(&app, &client_id);
    let body = CredentialBody::of(made, now);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Takes a certificate of a device away and ends the device's connection.
#[utoipa::path(delete, path = "/api/v1/devices/{client_id}/certificates/{fingerprint}", tag = "devices", security(("session" = ["device.manage"])),
    params(("client_id" = String, Path), ("fingerprint" = String, Path)),
    responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn remove_certificate(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((client_id, fingerprint)): Path<(String, String)>,
) -> Answer<StatusCode> {
    app.identity
        .remove_device_certificate(&client_id, &fingerprint, &peer.actor(&caller), app.now())
        .await?;
    if let Some(disconnect) = app.disconnect.get() {
        disconnect(&client_id);
    }
    tell(&app, &client_id);
    Ok(StatusCode::NO_CONTENT)
}
