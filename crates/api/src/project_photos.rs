//! Photos of the sites of key projects (现场照片): the responsible organisation and the plan office add them, with the day and the place;
//! one may belong to a milestone and be its evidence. What was removed is listed with the reason, and shown to nobody.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::description::Place;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::projects::{kept_of, known, may_edit, must_edit, must_go_on, text};
use crate::upload;
use axum::Json;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use cases::PIXELS_MAX;
use jiff::civil::Date;
use model::Told;
use model::problem::{both, quote};
use projects::Kept;
use projects::check::{TEXT_CHARS_MAX, YEARS};
use projects::kept::Change;
use records::project_photos::{self, ProjectPhoto};
use records::{Connection, Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Longest words below a photo, characters.
const CAPTION_CHARS_MAX: usize = 200;

/// A photo of a project's site.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProjectPhoto)]
pub struct PhotoBody {
    /// Its number.
    pub id: i64,
    /// The milestone that it was said to belong to.
    pub milestone: Option<String>,
    /// The day on which it was taken, as whoever added it says, else as the photo does.
    pub taken_on: String,
    /// The day that the photo gives itself, where that is another one.
    pub own_day: Option<String>,
    /// What it shows.
    pub caption: String,
    /// Longitude and latitude where it was taken.
    #[schema(value_type = Option<Place>)]
    pub location: Option<[f64; 2]>,
    /// What it is, found from its bytes.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// When it was added.
    pub added_at: String,
    /// Who added it.
    pub added_by: String,
}

impl PhotoBody {
    pub(crate) fn of(app: &App, row: ProjectPhoto) -> Self {
        let own_day = row.taken_at.map(|at| app.plan.day(at).to_string());
        Self {
            id: row.id,
            milestone: row.milestone,
            own_day: own_day.filter(|day| *day != row.taken_on),
            taken_on: row.taken_on,
            caption: row.caption,
            location: row.lon.zip(row.lat).map(|(lon, lat)| [lon, lat]),
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            sha256: row.sha256,
            added_at: row.added_at.to_string(),
            added_by: row.added_by,
        }
    }
}

/// A photo that was removed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectPhotoRemoved)]
pub struct RemovedBody {
    /// Its number.
    pub id: i64,
    /// The day on which it was taken.
    pub taken_on: String,
    /// When it was removed.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The photos of a project's site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectPhotos)]
pub struct PhotosBody {
    /// The newest day first.
    pub items: Vec<PhotoBody>,
    /// Those that were removed.
    pub removed: Vec<RemovedBody>,
    /// The day in the city: no photo is of a later one.
    pub day: String,
    /// Largest photo, bytes.
    pub bytes_max: usize,
    /// Most photos of one project.
    pub photos_max: i64,
    /// Whether the caller may add and remove photos.
    pub may_edit: bool,
}

/// A photo to add, as form data: the words first, the file last.
#[derive(ToSchema)]
#[schema(as = ProjectPhotoForm)]
pub struct PhotoForm {
    /// The day on which it was taken; left out: the day that the photo gives itself.
    pub taken_on: Option<String>,
    /// What it shows.
    pub caption: Option<String>,
    /// The milestone that it belongs to.
    pub milestone: Option<String>,
    /// Longitude where it was taken, degrees; left out with the latitude: the place that the photo gives itself.
    pub lon: Option<f64>,
    /// Latitude where it was taken, degrees.
    pub lat: Option<f64>,
    /// The photo.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// Why a photo is removed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectPhotoRemoval)]
pub struct RemoveRequest {
    /// Why.
    pub reason: String,
}

/// What was said of a photo that is being added.
#[derive(Debug, Default)]
struct Said {
    taken_on: Option<String>,
    caption: String,
    milestone: Option<String>,
    lon: Option<String>,
    lat: Option<String>,
}

fn gone(id: i64) -> ApiError {
    ApiError::not_found("photo", id)
}

/// The day of a photo: what is said of it, else what it says itself.
fn day_of(said: Option<&str>, own: Option<Date>, today: Date) -> Answer<Date> {
    let place = ["拍摄日期", "taken_on"];
    let day = match said {
        None => own.ok_or_else(|| {
            ApiError::both(
                StatusCode::BAD_REQUEST,
                "photo-day",
                [
                    "照片里没有拍摄日期",
                    "the photo does not say on which day it was taken",
                ],
                place,
                ["请填写拍摄日期", "say the day, like 2026-03-01"],
            )
        })?,
        Some(said) => said.parse::<Date>().map_err(|_| {
            ApiError::both(
                StatusCode::BAD_REQUEST,
                "photo-day",
                ["拍摄日期不是日期", "it is no day"],
                place,
                ["请写成 2026-03-01 的样子", "write it like 2026-03-01"],
            )
        })?,
    };
    if day > today || !(YEARS[0]..=YEARS[1]).contains(&day.year()) {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "photo-day",
            [
                "拍摄日期还没有到，或早于 2000 年",
                "the day is still to come, or before the year 2000",
            ],
            place,
            ["请改成实际拍摄的日期", "say the day on which it was taken"],
        ));
    }
    Ok(day)
}

/// The place that was said: both numbers or none.
fn place_of(said: &Said) -> Answer<Option<[f64; 2]>> {
    let number = |text: &Option<String>| text.as_deref().map(|text| text.trim().parse::<f64>());
    let place = match (number(&said.lon), number(&said.lat)) {
        (None, None) => return Ok(None),
        (Some(Ok(lon)), Some(Ok(lat))) => [lon, lat],
        _ => [f64::NAN, f64::NAN],
    };
    // Not a number is in no range.
    let is_place = (-180.0..=180.0).contains(&place[0]) && (-90.0..=90.0).contains(&place[1]);
    if is_place {
        return Ok(Some(place));
    }
    Err(ApiError::both(
        StatusCode::BAD_REQUEST,
        "photo-place",
        ["经纬度不是一个地点", "longitude and latitude are no place"],
        ["地点", "lon, lat"],
        [
            "请同时给出经度和纬度（度），或都不填",
            "give both in degrees, or neither",
        ],
    ))
}

fn milestone_of(said: Option<&str>, kept: &Kept) -> Answer<Option<String>> {
    let Some(name) = said else {
        return Ok(None);
    };
    let found = kept.milestones.iter().find(|m| m.name.trim() == name);
    if let Some(milestone) = found {
        return Ok(Some(milestone.name.clone()));
    }
    Err(ApiError::both(
        StatusCode::BAD_REQUEST,
        "photo-milestone",
        ["该项目没有这个里程碑", "the project has no such milestone"],
        ["里程碑", "milestone"],
        [
            "请从项目的里程碑里选取，或不选",
            "take one of the project's milestones, or none",
        ],
    ))
}

/// Asks that the photos that milestones name as their evidence are there. What is there already stays.
pub(crate) async fn must_be_there(
    connection: &mut Connection,
    project: &str,
    (part, before): (&Change, &Kept),
) -> Answer<()> {
    let Change::Milestones { milestones } = part else {
        return Ok(());
    };
    for id in milestones.iter().filter_map(|milestone| milestone.photo) {
        if before.milestones.iter().any(|old| old.photo == Some(id)) {
            continue;
        }
        let photo = project_photos::get(connection, project, id).await?;
        if photo.is_none_or(|photo| photo.removed_at.is_some()) {
            return Err(ApiError::both(
                StatusCode::BAD_REQUEST,
                "photo-unknown",
                [
                    "该项目没有这张照片，或已移除",
                    "the project has no such photo, or it was removed",
                ],
                ["里程碑的照片", "milestones.photo"],
                [
                    "请从项目的现场照片里选取",
                    "take one of the project's photos",
                ],
            ));
        }
    }
    Ok(())
}

/// The photos of a project's site.
#[utoipa::path(get, path = "/api/v1/projects/{id}/photos", tag = "projects", security(("session" = ["project.read"])), params(("id" = String, Path)),
    responses((status = 200, body = PhotosBody), (status = 404, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<String>,
) -> Answer<Json<PhotosBody>> {
    let mut read = app.records.read().await?;
    let row = known(&mut read, &id).await?;
    let kept = kept_of(&row)?;
    let rows = project_photos::of_project(&mut read, &id).await?;
    drop(read);
    let (mut items, mut removed) = (Vec::new(), Vec::new());
    for photo in rows {
        match photo.removed_at {
            None => items.push(PhotoBody::of(&app, photo)),
            Some(at) => removed.push(RemovedBody {
                id: photo.id,
                taken_on: photo.taken_on,
                at: at.to_string(),
                by: photo.removed_by.unwrap_or_default(),
                reason: photo.removed_why.unwrap_or_default(),
            }),
        }
    }
    let options = app.cases.options();
    Ok(Json(PhotosBody {
        items,
        removed,
        day: app.plan.day(app.now()).to_string(),
        bytes_max: options.attachment_bytes_max,
        photos_max: options.photos_per_project_max,
        may_edit: row.ended_at.is_none() && may_edit(&caller, &kept),
    }))
}

/// Adds a photo of a project's site (multipart, field `file` after the others). It is on disk when this answers; the same bytes
/// with the same words sent again are the same photo.
#[utoipa::path(post, path = "/api/v1/projects/{id}/photos", tag = "projects", security(("session" = ["project.edit"])), params(("id" = String, Path)),
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    responses((status = 201, body = PhotoBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    mut form: Multipart,
) -> Answer<(StatusCode, Json<PhotoBody>)> {
    // Who may not add one sends no file for nothing.
    let mut read = app.records.read().await?;
    let row = known(&mut read, &id).await?;
    drop(read);
    must_go_on(&row)?;
    must_edit(&caller, &kept_of(&row)?)?;
    let mut said = Said::default();
    while let Some(field) = form.next_field().await.map_err(|e| upload::broken(&e))? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let bytes = field
                .bytes()
                .await
                .map_err(|e| upload::broken(&e))?
                .to_vec();
            let (row, is_new) = keep(&app, (&caller, peer), &id, &said, bytes).await?;
            let status = if is_new {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            return Ok((status, Json(PhotoBody::of(&app, row))));
        }
        let words = field
            .text()
            .await
            .map_err(|e| upload::broken(&e))?
            .trim()
            .to_owned();
        let given = Some(words.clone()).filter(|words| !words.is_empty());
        match name.as_str() {
            "taken_on" => said.taken_on = given,
            "caption" => said.caption = words,
            "milestone" => said.milestone = given,
            "lon" => said.lon = given,
            "lat" => said.lat = given,
            _ => {}
        }
    }
    Err(upload::missing())
}

/// Keeps a photo with what was said of it; whether it was not there yet.
async fn keep(
    app: &App,
    (caller, peer): (&identity::Principal, Peer),
    id: &str,
    said: &Said,
    bytes: Vec<u8>,
) -> Answer<(ProjectPhoto, bool)> {
    let caption = text(&said.caption, ["说明", "caption"], 0, CAPTION_CHARS_MAX)?;
    let place = place_of(said)?;
    let staged = app.cases.stage_photo(bytes).await?;
    if let Some(pixels) = staged.too_large {
        return Err(too_large(pixels));
    }
    let photo = staged.photo.clone();
    let (actor, now) = (peer.actor(caller), app.now());
    let own_day = photo.taken_at.map(|at| app.plan.day(at));
    let taken_on = day_of(said.taken_on.as_deref(), own_day, app.plan.day(now))?;
    let mut write = app.records.write().await?;
    let row = known(&mut write, id).await?;
    must_go_on(&row)?;
    let kept = kept_of(&row)?;
    must_edit(caller, &kept)?;
    let milestone = milestone_of(said.milestone.as_deref(), &kept)?;
    let place = place.or(photo.place);
    let new = ProjectPhoto {
        id: 0,
        project_id: id.to_owned(),
        milestone,
        taken_on: taken_on.to_string(),
        caption,
        media_type: photo.media_type.to_owned(),
        size_bytes: photo.size_bytes,
        sha256: photo.sha256,
        taken_at: photo.taken_at,
        lon: place.map(|place| place[0]),
        lat: place.map(|place| place[1]),
        added_at: now,
        added_by: actor.name.clone(),
        added_by_id: actor.user_id(),
        removed_at: None,
        removed_by: None,
        removed_why: None,
    };
    if let Some(same) = project_photos::same(&mut write, id, &new.sha256).await? {
        let words = |row: &ProjectPhoto| {
            (
                row.milestone.clone(),
                row.taken_on.clone(),
                row.caption.clone(),
            )
        };
        if words(&same) == words(&new) {
            // A file that was damaged meanwhile is whole again.
            staged.settle().await?;
            return Ok((same, false));
        }
        let told = Told::new(
            "photo-known",
            both(
                format!("这张照片已经有了（第 {} 号），说明不同", same.id),
                format!("the photo is there as number {}, with other words", same.id),
            ),
            both("照片", "file"),
            both(
                "如需更正，请先移除原来的一张，再添加",
                "to put it right, remove that one first and add it again",
            ),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    let max = app.cases.options().photos_per_project_max;
    if project_photos::count(&mut write, id).await? >= max {
        let told = Told::new(
            "photos-full",
            both(
                format!("该项目已有 {max} 张照片"),
                format!("the project has {max} photos"),
            ),
            both("照片", "file"),
            both(
                "请先移除不需要的照片",
                "remove those that are not needed first",
            ),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    // Nothing refuses it any more: only now it is a file that stays.
    staged.settle().await?;
    let row = project_photos::insert(&mut write, &new).await?;
    let detail = json!({"photo": row.id, "taken_on": row.taken_on, "caption": row.caption, "milestone": row.milestone, "sha256": row.sha256});
    let target = format!("project:{id}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ProjectPhotoAdd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    // The photo is kept whether it can be shown small or not; who looks at it first makes what is missing.
    if let Err(failure) = app.cases.small_photo(&row.sha256, &row.media_type).await {
        tracing::warn!(%failure, photo = row.id, "a small copy was not made");
    }
    app.tell_project(id);
    Ok((row, true))
}

fn too_large([width, height]: [u32; 2]) -> ApiError {
    let most = PIXELS_MAX / 1_000_000;
    ApiError::told(
        StatusCode::BAD_REQUEST,
        Told::new(
            "photo-pixels",
            both(
                format!("照片有 {width} × {height} 像素"),
                format!("the photo has {width} × {height} pixels"),
            ),
            both("照片", "file"),
            both(
                format!("最多 {most} 百万像素；请用较低的分辨率拍摄，或缩小后再传"),
                format!(
                    "send at most {most} million; take it less finely, or make it smaller first"
                ),
            ),
        ),
    )
}

/// How a photo is given.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct PhotoQuery {
    /// `true`: without what the camera wrote into it (place, time, device); the pixels are the same. Left out: as it was sent.
    #[serde(default)]
    pub plain: bool,
}

/// The photo of a project that is shown.
async fn shown(app: &App, project: &str, photo: i64) -> Answer<ProjectPhoto> {
    let mut read = app.records.read().await?;
    let row = project_photos::get(&mut read, project, photo).await?;
    row.filter(|row| row.removed_at.is_none())
        .ok_or_else(|| gone(photo))
}

/// A picture as a response that a browser shows and does nothing else with.
fn picture(bytes: Vec<u8>, media_type: &str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(media_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("inline"),
    );
    response
}

/// The whole photo without what the camera wrote into it.
async fn plain(app: &App, row: &ProjectPhoto) -> Answer<Response> {
    let found = app.cases.plain_photo(&row.sha256, &row.media_type).await?;
    let bytes = found.ok_or_else(|| {
        ApiError::both(
            StatusCode::CONFLICT,
            "photo-unreadable",
            [
                "这张照片的文件结构不完整，分不出拍摄信息",
                "the photo's file is not whole: what the camera wrote cannot be told from the picture",
            ],
            ["照片", "photo"],
            ["请下载原件查看", "load it as it was sent"],
        )
    })?;
    Ok(picture(bytes, &row.media_type))
}

/// A photo's bytes: as they were sent, or without what the camera wrote into them.
#[utoipa::path(get, path = "/api/v1/projects/{id}/photos/{photo}", tag = "projects", security(("session" = ["project.read"])),
    params(("id" = String, Path), ("photo" = i64, Path), PhotoQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Path((id, photo)): Path<(String, i64)>,
    Query(query): Query<PhotoQuery>,
) -> Answer<Response> {
    let row = shown(&app, &id, photo).await?;
    if query.plain {
        return plain(&app, &row).await;
    }
    let bytes = app.cases.kept(&row.sha256).await?;
    Ok(picture(bytes, &row.media_type))
}

/// A small copy of a photo, as JPEG, without what the camera wrote into it; of one that cannot be read as a picture the whole, without that.
#[utoipa::path(get, path = "/api/v1/projects/{id}/photos/{photo}/small", tag = "projects", security(("session" = ["project.read"])),
    params(("id" = String, Path), ("photo" = i64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn small(
    State(app): State<App>,
    Path((id, photo)): Path<(String, i64)>,
) -> Answer<Response> {
    let row = shown(&app, &id, photo).await?;
    match app.cases.small_photo(&row.sha256, &row.media_type).await? {
        Some(bytes) => Ok(picture(bytes, "image/jpeg")),
        None => plain(&app, &row).await,
    }
}

/// Removes a photo from what is shown, with the reason; its row and its file stay. One that is a milestone's evidence stays.
#[utoipa::path(post, path = "/api/v1/projects/{id}/photos/{photo}/remove", tag = "projects", security(("session" = ["project.edit"])),
    params(("id" = String, Path), ("photo" = i64, Path)), request_body = RemoveRequest,
    responses((status = 204), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((id, photo)): Path<(String, i64)>,
    Json(request): Json<RemoveRequest>,
) -> Answer<StatusCode> {
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, &id).await?;
    must_go_on(&row)?;
    let kept = kept_of(&row)?;
    must_edit(&caller, &kept)?;
    let reason = text(&request.reason, ["理由", "reason"], 1, TEXT_CHARS_MAX)?;
    let found = project_photos::get(&mut write, &id, photo).await?;
    let found = found
        .filter(|row| row.removed_at.is_none())
        .ok_or_else(|| gone(photo))?;
    let of = kept.milestones.iter().find(|m| m.photo == Some(photo));
    if let Some(milestone) = of {
        let name = quote(&milestone.name);
        let told = Told::new(
            "photo-evidence",
            both(
                format!("这张照片是里程碑“{name}”的完成依据"),
                format!("the photo is the evidence of the milestone \"{name}\""),
            ),
            both("照片", "photo"),
            both(
                "请先给该里程碑换一个依据",
                "give that milestone other evidence first",
            ),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    project_photos::remove(&mut write, photo, &reason, &actor, now).await?;
    let detail = json!({"photo": photo, "sha256": found.sha256, "reason": reason});
    let target = format!("project:{id}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ProjectPhotoRemove,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_project(&id);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 6, 15);

    #[test]
    fn a_photo_has_the_day_that_is_said_else_its_own_and_none_to_come() {
        let own = Some(date(2026, 5, 1));
        assert_eq!(day_of(Some("2026-06-15"), own, TODAY).unwrap(), TODAY);
        assert_eq!(day_of(None, own, TODAY).unwrap(), date(2026, 5, 1));
        for (said, own) in [
            (None, None),
            (None, Some(date(2026, 6, 16))),
            (Some("2026-06-16"), None),
            (Some("1999-12-31"), None),
            (Some("2026-02-30"), None),
            (Some("昨天"), None),
        ] {
            assert!(day_of(said, own, TODAY).is_err(), "{said:?} {own:?}");
        }
    }

    #[test]
    fn a_place_is_both_numbers_or_none() {
        let said = |lon: Option<&str>, lat: Option<&str>| Said {
            lon: lon.map(str::to_owned),
            lat: lat.map(str::to_owned),
            ..Said::default()
        };
        assert_eq!(place_of(&said(None, None)).unwrap(), None);
        let there = place_of(&said(Some("113.16"), Some("30.65"))).unwrap();
        assert_eq!(there, Some([113.16, 30.65]));
        for (lon, lat) in [
            (Some("113.16"), None),
            (Some("181"), Some("0")),
            (Some("0"), Some("91")),
            (Some("NaN"), Some("0")),
            (Some("x"), Some("0")),
        ] {
            assert!(place_of(&said(lon, lat)).is_err(), "{lon:?} {lat:?}");
        }
    }
}
