//! Photos of a project's site in a running city: the unit that answers and the plan office add them, a milestone names one as its evidence,
//! the monthly dispatch shows the newest, what is wrong is refused, what is removed leaves its reason, and a damaged file is told.

use crate::support::{Answer, City};
use serde_json::{Value as Json, json};

const WATER: &str = "/api/v1/projects/smart-water";
const PHOTOS: &str = "/api/v1/projects/smart-water/photos";

async fn person(city: &City, username: &str, role: &str, organisation: &str) -> String {
    let of = ["--organisation", organisation];
    let password = city.add_named(username, username, role, &of);
    city.sign_in(username, &password).await.cookie.unwrap()
}

#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (status, code),
        "{}",
        answer.body
    );
}

/// A JPEG whose Exif part says when it was taken; `mark` makes it one of its own.
fn jpeg(date: &str, mark: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    // Directory 0 at 8: the pointer to the Exif directory at 26, which holds DateTimeOriginal, 20 characters at 44.
    tiff.extend([0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]);
    tiff.extend([0, 1, 0x90, 0x03, 0, 2, 0, 0, 0, 20, 0, 0, 0, 44, 0, 0, 0, 0]);
    tiff.extend(date.as_bytes());
    tiff.push(0);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend([0xFF, 0xD9, mark]);
    bytes
}

fn part(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    [head.as_bytes(), body, b"\r\n"].concat()
}

/// Sends a photo with what is said of it.
async fn send(
    city: &City,
    cookie: &str,
    path: &str,
    said: &[(&str, &str)],
    bytes: &[u8],
) -> Answer {
    let mut form: Vec<u8> = said
        .iter()
        .flat_map(|(name, value)| part(&format!("name=\"{name}\""), value.as_bytes()))
        .collect();
    form.extend(part("name=\"file\"; filename=\"site.jpg\"", bytes));
    form.extend(b"--x--\r\n");
    city.ask("POST", path, |r| {
        r.header("cookie", cookie)
            .header("x-jingling-csrf", "1")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(form)
    })
    .await
}

async fn get(city: &City, cookie: &str, path: &str) -> Json {
    let found = city.send(cookie, "GET", path, &Json::Null).await;
    assert_eq!(found.status, 200, "{path}: {}", found.body);
    found.json()
}

/// Writes a part of the project anew, on top of what is there.
async fn write(city: &City, cookie: &str, mut part: Json) -> Answer {
    let seen = get(city, cookie, WATER).await;
    part["version"] = seen["version"].clone();
    city.send(cookie, "PUT", WATER, &part).await
}

fn milestone(photo: i64) -> Json {
    json!({"section": "milestones", "milestones": [
        {"name": "开工", "planned": "2024-03-01", "done": "2024-03-02", "photo": photo}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_shown_by_its_photos_and_nothing_of_them_goes_silently() {
    let city = City::start();
    let office = person(&city, "fagai.zhou", "planner", "fagai").await;
    let unit = person(&city, "shuili.zhao", "operator", "shuili").await;
    let other = person(&city, "chengguan.sun", "operator", "chengguan").await;
    let profile = json!({"section": "profile", "profile": {"organisation": "shuili"}});
    assert_eq!(write(&city, &office, profile).await.status, 200);
    let begun =
        json!({"section": "milestones", "milestones": [{"name": "开工", "planned": "2024-03-01"}]});
    assert_eq!(write(&city, &unit, begun).await.status, 200);
    let empty = get(&city, &unit, PHOTOS).await;
    assert_eq!(
        (&empty["items"], &empty["may_edit"]),
        (&json!([]), &json!(true))
    );

    // What is said of it, and what it says itself.
    let march = jpeg("2024:03:02 10:30:00", 1);
    let said = [
        ("caption", "堤防 <script>alert(1)</script>"),
        ("milestone", "开工"),
        ("lon", "113.16"),
        ("lat", "30.65"),
    ];
    let added = send(&city, &unit, PHOTOS, &said, &march).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let first = added.json();
    assert_eq!(first["taken_on"], "2024-03-02", "its own day");
    assert_eq!(first["own_day"], Json::Null);
    assert_eq!(first["location"], json!([113.16, 30.65]));
    assert_eq!(first["caption"], "堤防 <script>alert(1)</script>");
    let id = first["id"].as_i64().unwrap();
    // A phone that lost the answer sends again.
    let again = send(&city, &unit, PHOTOS, &said, &march).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &json!(id)));
    let otherwise = send(&city, &unit, PHOTOS, &[("caption", "别的")], &march).await;
    is(&otherwise, 409, "photo-known");
    // The office adds to every project; a day that differs from the photo's own is told.
    let april = jpeg("2024:03:30 08:00:00", 2);
    let day = [("taken_on", "2024-04-02")];
    let second = send(&city, &office, PHOTOS, &day, &april).await.json();
    assert_eq!(second["own_day"], "2024-03-30");

    // Its bytes are as they were sent.
    let bytes = city
        .ask("GET", &format!("{PHOTOS}/{id}"), |r| {
            r.header("cookie", &unit)
        })
        .await;
    assert_eq!(
        (bytes.status, bytes.kind.as_str()),
        (200, "image/jpeg"),
        "{bytes:?}"
    );
    assert_eq!(bytes.body, String::from_utf8_lossy(&march));
    let elsewhere = format!("/api/v1/projects/smart-gas/photos/{id}");
    is(
        &city.send(&unit, "GET", &elsewhere, &Json::Null).await,
        404,
        "not-found",
    );

    shown_without_what_the_camera_wrote(&city, &unit, id).await;
    refusals(&city, &unit, &other).await;
    // Of what was refused nothing is left.
    assert_eq!(files(&city), 2);
    // A milestone that is called otherwise takes its photos along.
    for name in ["正式开工", "开工"] {
        let named = json!({"section": "milestones", "milestones": [{"name": name, "planned": "2024-03-01"}]});
        assert_eq!(write(&city, &unit, named).await.status, 200);
        let photos = get(&city, &unit, PHOTOS).await;
        let all = photos["items"].as_array().unwrap();
        let of = all.iter().find(|photo| photo["id"] == id).unwrap();
        assert_eq!(of["milestone"], name);
    }
    dispatch(&city, &unit, &second).await;

    // A photo stands for words as the evidence of a milestone, and stays while it does.
    is(
        &write(&city, &unit, milestone(999)).await,
        400,
        "photo-unknown",
    );
    let done = write(&city, &unit, milestone(id)).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.json()["kept"]["milestones"][0]["photo"], id);
    let remove = format!("{PHOTOS}/{id}/remove");
    let why = json!({"reason": "照片里有路人"});
    let foreign = city.send(&other, "POST", &remove, &why).await;
    is(&foreign, 403, "project-organisation");
    let held = city.send(&unit, "POST", &remove, &why).await;
    is(&held, 409, "photo-evidence");
    let second_id = second["id"].as_i64().unwrap();
    let moved = write(&city, &unit, milestone(second_id)).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let nothing = city
        .send(&unit, "POST", &remove, &json!({"reason": " "}))
        .await;
    is(&nothing, 400, "project-text");
    let gone = city.send(&unit, "POST", &remove, &why).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    let twice = city.send(&unit, "POST", &remove, &why).await;
    is(&twice, 404, "not-found");
    let hidden = city
        .send(&unit, "GET", &format!("{PHOTOS}/{id}"), &Json::Null)
        .await;
    is(&hidden, 404, "not-found");
    let left = get(&city, &unit, PHOTOS).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&left["removed"][0]["id"], &left["removed"][0]["reason"]),
        (&json!(id), &json!("照片里有路人"))
    );
    is(
        &write(&city, &unit, milestone(id)).await,
        400,
        "photo-unknown",
    );

    damage(&city, &unit, &second).await;
    trail(&city, &first).await;

    let end = json!({"reason": "并入省级项目"});
    let ended = city
        .send(&office, "POST", &format!("{WATER}/end"), &end)
        .await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    let late = send(&city, &unit, PHOTOS, &said, &march).await;
    is(&late, 409, "project-ended");
    assert_eq!(get(&city, &unit, PHOTOS).await["may_edit"], false);
}

/// How many files there are beside the cases' own.
fn files(city: &City) -> usize {
    let folders = std::fs::read_dir(format!("{}/attachments", city.dir)).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    files.count()
}

async fn bytes_of(city: &City, cookie: &str, path: &str) -> Answer {
    city.ask("GET", path, |r| r.header("cookie", cookie)).await
}

/// What pages show of a photo says neither when nor where nor by what it was taken.
async fn shown_without_what_the_camera_wrote(city: &City, unit: &str, id: i64) {
    let plain = bytes_of(city, unit, &format!("{PHOTOS}/{id}?plain=true")).await;
    let nothing = String::from_utf8_lossy(&[0xFF, 0xD8, 0xFF, 0xD9]).into_owned();
    assert_eq!(
        (plain.status, plain.kind.as_str(), &plain.body),
        (200, "image/jpeg", &nothing)
    );
    // It has no pixels, so the whole stands for the small copy.
    let small = bytes_of(city, unit, &format!("{PHOTOS}/{id}/small")).await;
    assert_eq!((small.status, small.body), (200, nothing));

    // One with pixels: a picture with words in it, on a project of the office.
    let whole = include_bytes!("../../../docs/pictures/superset-water-level.png");
    let words = [&b"\0\0\0\x0dtEXtAuthor\0secret"[..], &[0; 4]].concat();
    let said = [&whole[..33], &words, &whole[33..]].concat();
    let office = person(city, "fagai.liu", "planner", "fagai").await;
    let path = "/api/v1/projects/smart-gas/photos";
    let day = [("taken_on", "2024-03-02")];
    let before = files(city);
    let added = send(city, &office, path, &day, &said).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(files(city), before + 2, "the photo and its small copy");
    let one = format!("{path}/{}", added.json()["id"]);
    let kept = bytes_of(city, unit, &one).await;
    assert!(kept.body.contains("secret"), "the evidence is as it came");
    let plain = bytes_of(city, unit, &format!("{one}?plain=true")).await;
    assert_eq!(plain.body, String::from_utf8_lossy(whole));
    let small = format!("{one}/small");
    let first = bytes_of(city, unit, &small).await;
    assert_eq!(
        (first.status, first.kind.as_str()),
        (200, "image/jpeg"),
        "{first:?}"
    );
    assert!(first.body.len() < kept.body.len() && !first.body.contains("secret"));
    // Of one that was added before there were any, it is made when it is asked for.
    let sha256 = added.json()["sha256"].as_str().unwrap().to_owned();
    let copy = format!("{}/attachments/{}/{sha256}.480.jpg", city.dir, &sha256[..2]);
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(bytes_of(city, unit, &small).await.body, first.body);
    // Half a copy is none.
    std::fs::write(&copy, b"\xFF\xD8").unwrap();
    assert_eq!(bytes_of(city, unit, &small).await.body, first.body);

    // What claims to be of billions of pixels is refused, and nothing is left of it.
    let before = files(city);
    let huge = huge();
    is(
        &send(city, &office, path, &day, &huge).await,
        400,
        "photo-pixels",
    );
    assert_eq!(files(city), before);
    let removed = json!({"reason": "样张"});
    let gone = city
        .send(&office, "POST", &format!("{one}/remove"), &removed)
        .await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(bytes_of(city, unit, &small).await.status, 404);
    // Its file stays, as a record; the test counts without it.
    for name in [&sha256, &format!("{sha256}.480.jpg")] {
        std::fs::remove_file(format!("{}/attachments/{}/{name}", city.dir, &sha256[..2])).unwrap();
    }
}

/// A JPEG of a few bytes that says that it is 65,500 by 65,500 pixels.
fn huge() -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    // Baseline, 8 bits, height, width, one component.
    bytes.extend([0xFF, 0xC0, 0, 11, 8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0]);
    // A scan of that component, and nothing in it.
    bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0xFF, 0xD9]);
    bytes
}

/// What is no photo, of nobody's project, of another day or place.
async fn refusals(city: &City, unit: &str, other: &str) {
    let photo = jpeg("0000:00:00 00:00:00", 3);
    let day = ("taken_on", "2024-03-02");
    is(
        &send(city, other, PHOTOS, &[day], &photo).await,
        403,
        "project-organisation",
    );
    let nowhere = "/api/v1/projects/nothing/photos";
    is(
        &send(city, unit, nowhere, &[day], &photo).await,
        404,
        "not-found",
    );
    for (said, bytes, code) in [
        (vec![], &photo[..], "photo-day"),
        (vec![("taken_on", "2999-01-01")], &photo[..], "photo-day"),
        (vec![("taken_on", "昨天")], &photo[..], "photo-day"),
        (
            vec![day, ("milestone", "封顶")],
            &photo[..],
            "photo-milestone",
        ),
        (vec![day, ("lon", "113.1")], &photo[..], "photo-place"),
        (
            vec![day, ("lon", "113.1"), ("lat", "x")],
            &photo[..],
            "photo-place",
        ),
        (vec![day], b"<svg onload=alert(1)>", "attachment-type"),
        (vec![day], b"%PDF-1.7", "photo-type"),
        (vec![day], b"", "attachment-size"),
    ] {
        let answer = send(city, unit, PHOTOS, &said, bytes).await;
        is(&answer, 400, code);
    }
    let long = "长".repeat(201);
    let answer = send(city, unit, PHOTOS, &[day, ("caption", &long)], &photo).await;
    is(&answer, 400, "project-text");
    let without = city
        .ask("POST", PHOTOS, |r| {
            r.header("cookie", unit)
                .header("x-jingling-csrf", "1")
                .header("content-type", "multipart/form-data; boundary=x")
                .body("--x--\r\n")
        })
        .await;
    is(&without, 400, "multipart");
    // Above what is taken of any body; the answer says so, and not that the form is broken.
    let huge = vec![0xFF; 17 << 20];
    let answer = send(city, unit, PHOTOS, &[day], &huge).await;
    is(&answer, 413, "body-too-large");
    assert!(
        answer.json()["mend_zh"]
            .as_str()
            .unwrap()
            .contains("body_mib_max")
    );
    let kept = get(city, unit, PHOTOS).await;
    assert_eq!(kept["items"].as_array().unwrap().len(), 2);
}

/// The dispatch of a month shows the newest photo up to its end.
async fn dispatch(city: &City, unit: &str, newest: &Json) {
    let month = get(city, unit, WATER).await["month"].clone();
    let path = format!("/api/v1/project-months/{}", month.as_str().unwrap());
    let shown = get(city, unit, &path).await;
    assert_eq!(shown["items"][0]["id"], "smart-water");
    assert_eq!(shown["items"][0]["photo"]["id"], newest["id"]);
}

/// A file that was damaged is told as such, and is whole once it is sent again.
async fn damage(city: &City, unit: &str, photo: &Json) {
    let sha256 = photo["sha256"].as_str().unwrap();
    let file = format!("{}/attachments/{}/{sha256}", city.dir, &sha256[..2]);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"other bytes").unwrap();
    let path = format!("{PHOTOS}/{}", photo["id"]);
    let answer = city.send(unit, "GET", &path, &Json::Null).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    let day = [("taken_on", "2024-04-02")];
    let again = send(city, unit, PHOTOS, &day, &whole).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &photo["id"]));
    let answer = city.send(unit, "GET", &path, &Json::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Who added and who removed is in the audit trail.
async fn trail(city: &City, first: &Json) {
    let auditor = city.signed_in("auditor").await;
    let path = "/api/v1/audit?action=project.photo-*&limit=10";
    let trail = get(city, &auditor, path).await;
    let rows = trail["items"].as_array().unwrap();
    let acts: Vec<&str> = rows.iter().map(|r| r["action"].as_str().unwrap()).collect();
    assert_eq!(
        acts,
        [
            "project.photo-remove",
            "project.photo-remove",
            "project.photo-add",
            "project.photo-add",
            "project.photo-add"
        ]
    );
    assert_eq!(
        (&rows[0]["actor"], &rows[0]["detail"]["reason"]),
        (&json!("shuili.zhao"), &json!("照片里有路人"))
    );
    assert_eq!(
        (
            &rows[4]["detail"]["sha256"],
            &rows[4]["detail"]["milestone"]
        ),
        (&first["sha256"], &json!("开工"))
    );
}
