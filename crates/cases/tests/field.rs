//! What a field worker's phone sends, on a real SQLite file: voice notes, signatures, photos with their place, steps that
//! come a week late to a case that has gone on without them.

use crate::support::{
    City, FIELD, JPEG, OTHER_FIELD, T0, act, city, code, dispatched, duty, field, noted, worker,
};
use cases::{Act, Cases, Options, Signed, Taken, Workflow};
use model::Timestamp;
use records::attachments::Attachment;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a small drawing";
const WEEK_S: i64 = 7 * 86_400;

/// WebM as a browser records it: the head of Matroska, the kind of document, one track of Opus.
fn voice() -> Vec<u8> {
    let mut bytes = vec![0x1A, 0x45, 0xDF, 0xA3];
    bytes.extend(b"\x9fB\x86\x81\x01B\x82\x84webm\x16\x54\xAE\x6B\x86\x86A_OPUS");
    bytes
}

fn signed(signer: &str, capacity: &str) -> Option<Signed> {
    Some(Signed {
        signer: signer.to_owned(),
        capacity: capacity.to_owned(),
        is_typed: false,
    })
}

async fn send(
    city: &City,
    id: i64,
    bytes: &[u8],
    taken: &Taken,
    now: Timestamp,
) -> Result<Attachment, String> {
    let sent = city
        .cases
        .attach_taken(id, "file", bytes.to_vec(), taken, &worker(), now)
        .await;
    sent.map_err(|failure| code(&failure).to_owned())
}

#[tokio::test]
async fn a_voice_note_is_kept_with_its_length_and_its_own_clock() {
    let city = city().await;
    let id = city.at("handling").await.case.id;
    let week_ago = T0.plus_seconds(-WEEK_S);
    let said = Taken {
        at: Some(week_ago),
        clock: Some(T0),
        duration_ms: Some(12_400),
        ..Taken::default()
    };
    let kept = send(&city, id, &voice(), &said, T0).await.unwrap();
    assert_eq!(
        (kept.kind.as_str(), kept.media_type.as_str()),
        ("voice", "audio/webm")
    );
    assert_eq!(
        (kept.taken_at, kept.clock_off_s, kept.duration_ms),
        (Some(week_ago), None, Some(12_400))
    );
    let again = send(&city, id, &voice(), &said, T0).await.unwrap();
    assert_eq!(again.id, kept.id, "sent twice, kept once");
    let long = Taken {
        duration_ms: Some(125_000),
        ..said.clone()
    };
    assert_eq!(
        send(&city, id, &voice(), &long, T0).await.unwrap_err(),
        "voice-long"
    );
    let mut large = voice();
    large.resize(2 * 1024 * 1024 + 1, 0);
    assert_eq!(
        send(&city, id, &large, &said, T0).await.unwrap_err(),
        "attachment-size"
    );
    // Words are not a picture, and need not be written.
    let spoken = |ids: &[i64]| Act {
        attachment_ids: ids.to_vec(),
        ..act("finish")
    };
    let refused = city.cases.act(id, &spoken(&[kept.id]), &worker(), T0).await;
    assert_eq!(code(&refused.unwrap_err()), "photo-missing");
    let photo = send(&city, id, JPEG, &Taken::default(), T0).await.unwrap();
    let silent = city
        .cases
        .act(id, &spoken(&[photo.id]), &worker(), T0)
        .await;
    assert_eq!(code(&silent.unwrap_err()), "note-missing");
    let both = spoken(&[kept.id, photo.id]);
    assert_eq!(city.step(id, &both, &worker()).await.case.state, "handled");
}

#[tokio::test]
async fn a_step_that_asks_for_a_signature_takes_nothing_else_for_it() {
    let mut city = city().await;
    let text = include_str!("../workflows/city-case.toml").replacen(
        r#"needs = ["note", "photo"]"#,
        r#"needs = ["note", "photo", "signature"]"#,
        1,
    );
    let mut workflow = Workflow::parse(&text, "city-case.toml").unwrap();
    workflow.calendar = "always".to_owned();
    let options = Options::new(city.dir.path().join("attachments"));
    city.cases = Cases::new(city.records.clone(), options, vec![workflow]).unwrap();
    let id = city.at("handling").await.case.id;
    let photo = send(&city, id, JPEG, &Taken::default(), T0).await.unwrap();
    let drawing = Taken {
        signed: signed(" 王店主 ", "merchant"),
        ..Taken::default()
    };
    let finish = |ids: &[i64]| Act {
        attachment_ids: ids.to_vec(),
        ..noted("finish")
    };
    let refused = city
        .cases
        .act(id, &finish(&[photo.id]), &worker(), T0)
        .await;
    assert_eq!(code(&refused.unwrap_err()), "signature-missing");
    let signature = send(&city, id, PNG, &drawing, T0).await.unwrap();
    assert_eq!(
        (signature.kind.as_str(), signature.signer.as_deref()),
        ("signature", Some("王店主"))
    );
    assert_eq!(
        (
            signature.signer_capacity.as_deref(),
            signature.signed_how.as_deref()
        ),
        (Some("merchant"), Some("drawn"))
    );
    let only = city
        .cases
        .act(id, &finish(&[signature.id]), &worker(), T0)
        .await;
    assert_eq!(code(&only.unwrap_err()), "photo-missing");
    let both = finish(&[photo.id, signature.id]);
    assert_eq!(city.step(id, &both, &worker()).await.case.state, "handled");

    let id = city.at("dispatched").await.case.id;
    for (bytes, signed, expected) in [
        (JPEG, signed("王店主", "merchant"), "signature-type"),
        (PNG, signed("", "merchant"), "signer"),
        (PNG, signed("王店主", "mayor"), "signer-capacity"),
    ] {
        let taken = Taken {
            signed,
            ..Taken::default()
        };
        assert_eq!(
            send(&city, id, bytes, &taken, T0).await.unwrap_err(),
            expected
        );
    }
}

#[tokio::test]
async fn a_photo_keeps_where_it_was_taken_and_how_sure_that_is() {
    let city = city().await;
    let id = city.at("handling").await.case.id;
    let here = Taken {
        place: Some([113.16, 30.65]),
        accuracy_m: Some(18.0),
        ..Taken::default()
    };
    let kept = send(&city, id, JPEG, &here, T0).await.unwrap();
    assert_eq!(
        (kept.lon, kept.lat, kept.accuracy_m),
        (Some(113.16), Some(30.65), Some(18.0))
    );
    let nowhere = Taken {
        accuracy_m: Some(f64::NAN),
        ..Taken::default()
    };
    let bytes = [JPEG, b"2"].concat();
    let kept = send(&city, id, &bytes, &nowhere, T0).await.unwrap();
    assert_eq!((kept.lon, kept.accuracy_m), (None, None), "place refused");
}

#[tokio::test]
async fn a_phone_learns_what_may_follow_a_step_before_it_is_sent() {
    let city = city().await;
    let id = city.at("dispatched").await.case.id;
    let seen = city.cases.case(id, &worker()).await.unwrap();
    let take = seen.allowed.iter().find(|a| a.action == "take").unwrap();
    let then: Vec<&str> = take.next.iter().map(|n| n.action.as_str()).collect();
    let taken = city.step(id, &act("take"), &worker()).await;
    assert_eq!(then, taken.actions, "as it then is");
    assert_eq!(take.next[0].needs, taken.allowed[0].needs);
}

/// The worker takes it and loses the network; the case goes to somebody else, who finishes it; it is closed.
async fn closed_without_the_worker(city: &City) -> i64 {
    let id = city.at("handling").await.case.id;
    let other = Act {
        assignee: Some(OTHER_FIELD),
        ..dispatched()
    };
    city.step(id, &other, &duty()).await;
    let colleague = field(OTHER_FIELD, "water");
    city.step(id, &act("take"), &colleague).await;
    let photo = city
        .cases
        .attach(id, "b.jpg", [JPEG, b"b"].concat(), &colleague, T0)
        .await
        .unwrap();
    let finish = Act {
        attachment_ids: vec![photo.id],
        ..noted("finish")
    };
    city.step(id, &finish, &colleague).await;
    city.step(id, &act("verify"), &duty()).await;
    city.step(id, &act("close"), &duty()).await;
    id
}

#[tokio::test]
async fn what_a_phone_sends_a_week_late_to_a_closed_case_is_answered_and_kept_once() {
    let city = city().await;
    let id = closed_without_the_worker(&city).await;
    let now = T0.plus_seconds(WEEK_S);
    let before = city.cases.case(id, &worker()).await.unwrap();
    let taken = Taken {
        at: Some(T0),
        clock: Some(now),
        ..Taken::default()
    };
    let photo = send(&city, id, JPEG, &taken, now).await.unwrap();
    let again = send(&city, id, JPEG, &taken, now).await.unwrap();
    assert_eq!(photo.id, again.id);
    let finish = Act {
        attachment_ids: vec![photo.id],
        request_id: Some("6f1c1f9e-9a5d-4c0e-8a3e-0000000000aa".to_owned()),
        done_at: Some(T0.plus_seconds(60)),
        clock: Some(now),
        ..noted("finish")
    };
    for _ in 0..2 {
        let answer = city.cases.act(id, &finish, &worker(), now).await;
        assert_eq!(code(&answer.unwrap_err()), "case-state");
    }
    let seen = city.cases.case(id, &worker()).await.unwrap();
    assert_eq!(seen.case, before.case, "what is refused changes nothing");
    assert_eq!(seen.history, before.history);

    // What was entered is not lost: it becomes a remark, with its photo, and once.
    assert_eq!(seen.actions, ["comment"]);
    let remark = Act {
        action: "comment".to_owned(),
        request_id: Some("6f1c1f9e-9a5d-4c0e-8a3e-0000000000ab".to_owned()),
        ..finish.clone()
    };
    for _ in 0..3 {
        let kept = city.cases.act(id, &remark, &worker(), now).await.unwrap();
        assert_eq!(kept.history.len(), before.history.len() + 1);
        assert_eq!(kept.case.state, "closed");
        assert_eq!(kept.case.closed_at, before.case.closed_at);
        let last = kept.history.last().unwrap();
        assert_eq!(last.attachments, [photo.id]);
        assert_eq!(
            last.detail,
            Some(serde_json::json!({"done_at": T0.plus_seconds(60)}))
        );
        assert_eq!(kept.assessment, before.assessment);
    }
}

#[tokio::test]
async fn a_late_step_on_a_case_of_somebody_else_is_answered_and_one_that_was_done_is_not_done_again()
 {
    let city = city().await;
    let id = city.at("dispatched").await.case.id;
    let take = Act {
        request_id: Some("6f1c1f9e-9a5d-4c0e-8a3e-0000000000ba".to_owned()),
        ..act("take")
    };
    city.step(id, &take, &worker()).await;
    let other = Act {
        assignee: Some(OTHER_FIELD),
        ..dispatched()
    };
    let given = city.step(id, &other, &duty()).await;
    let now = T0.plus_seconds(WEEK_S);
    // The answer to `take` was lost: sent again, it is told to be done, and takes nothing from who has the case now.
    let answered = city.cases.act(id, &take, &worker(), now).await.unwrap();
    assert_eq!(answered.history.len(), given.history.len());
    assert_eq!(answered.case.assignee.unwrap().id, OTHER_FIELD);
    // A step that was not done before is refused, for it is somebody else's now.
    let take = Act {
        request_id: Some("6f1c1f9e-9a5d-4c0e-8a3e-0000000000bb".to_owned()),
        ..take
    };
    let refused = city.cases.act(id, &take, &worker(), now).await;
    assert_eq!(code(&refused.unwrap_err()), "case-of-others");
    let finish = city.photo(id).await;
    let refused = city.cases.act(id, &finish, &worker(), now).await;
    assert_eq!(code(&refused.unwrap_err()), "case-state");
    let remark = Act {
        action: "comment".to_owned(),
        ..finish
    };
    let kept = city.cases.act(id, &remark, &worker(), now).await.unwrap();
    assert_eq!(kept.case.assignee.unwrap().id, OTHER_FIELD);
    assert_eq!(kept.history.last().unwrap().attachments.len(), 1);
}

#[tokio::test]
async fn a_late_step_says_when_it_was_done_in_the_time_of_the_platform() {
    let city = city().await;
    let now = T0.plus_seconds(WEEK_S);
    let detail = async |done_s: i64, off_s: i64| {
        let id = city.at("dispatched").await.case.id;
        let take = Act {
            done_at: Some(T0.plus_seconds(done_s + off_s)),
            clock: Some(now.plus_seconds(off_s)),
            ..act("take")
        };
        let done = city.cases.act(id, &take, &worker(), now).await.unwrap();
        assert_eq!(done.case.assignee.unwrap().id, FIELD);
        done.history.last().unwrap().detail.clone()
    };
    assert_eq!(detail(WEEK_S - 10, 0).await, None, "it came at once");
    let hour = T0.plus_seconds(3_600);
    assert_eq!(
        detail(3_600, 0).await,
        Some(serde_json::json!({"done_at": hour}))
    );
    // A phone that is a year ahead.
    let year_s = 365 * 86_400;
    assert_eq!(
        detail(3_600, year_s).await,
        Some(serde_json::json!({"done_at": hour, "clock_off_s": year_s}))
    );
    // Before the case was there: the clock was put right between doing and sending.
    assert_eq!(
        detail(-3_600, 0).await,
        Some(serde_json::json!({"done_at_doubtful": T0.plus_seconds(-3_600)}))
    );
}

#[tokio::test]
async fn a_photo_of_a_project_is_kept_beside_the_cases_files_and_found_damaged() {
    let city = city().await;
    let now = T0;
    let files = || {
        let attachments = city.dir.path().join("attachments");
        let folders = std::fs::read_dir(attachments).unwrap();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        files.count()
    };
    // Refused before its row is written, nothing is left of it.
    let staged = city.cases.stage_photo(JPEG.to_vec()).await.unwrap();
    assert_eq!((staged.too_large, files()), (None, 1));
    drop(staged);
    assert_eq!(files(), 0);
    let staged = city.cases.stage_photo(JPEG.to_vec()).await.unwrap();
    let kept = staged.settle().await.unwrap();
    assert_eq!(files(), 1);
    // The same bytes of somebody else, refused, leave those of this one.
    drop(city.cases.stage_photo(JPEG.to_vec()).await.unwrap());
    assert_eq!(files(), 1);
    assert_eq!(
        (kept.media_type, kept.taken_at, kept.place),
        ("image/jpeg", None, None)
    );
    assert_eq!(city.cases.kept(&kept.sha256).await.unwrap(), JPEG);
    for (bytes, word) in [
        (voice(), "photo-type"),
        (b"%PDF-1.7".to_vec(), "photo-type"),
        (b"<svg onload=alert(1)>".to_vec(), "attachment-type"),
        (Vec::new(), "attachment-size"),
    ] {
        let failure = city.cases.stage_photo(bytes).await.unwrap_err();
        assert_eq!(code(&failure), word);
    }
    let actor = records::Actor::system("test");
    let new = records::projects::NewProject {
        id: "smart-water",
        plan_box: None,
        name_zh: "智慧水利",
        name_en: "Smart water",
        system: "",
        reason: "",
        kept: &serde_json::json!({}),
        stage: "reserve",
    };
    let mut write = city.records.write().await.unwrap();
    records::projects::insert(&mut write, &new, &actor, now)
        .await
        .unwrap();
    let row = records::project_photos::ProjectPhoto {
        id: 0,
        project_id: "smart-water".to_owned(),
        milestone: None,
        taken_on: "2026-11-23".to_owned(),
        caption: String::new(),
        media_type: kept.media_type.to_owned(),
        size_bytes: kept.size_bytes,
        sha256: kept.sha256.clone(),
        taken_at: None,
        lon: None,
        lat: None,
        added_at: now,
        added_by: "test".to_owned(),
        added_by_id: None,
        removed_at: None,
        removed_by: None,
        removed_why: None,
    };
    records::project_photos::insert(&mut write, &row)
        .await
        .unwrap();
    write.commit().await.unwrap();
    assert_eq!(city.cases.check_attachments().await.unwrap(), []);
    let folder = city.dir.path().join("attachments").join(&kept.sha256[..2]);
    std::fs::write(folder.join(&kept.sha256), b"other bytes").unwrap();
    let problems = city.cases.check_attachments().await.unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, "attachment-damaged");
    assert!(
        problems[0].to_string().contains("smart-water"),
        "{}",
        problems[0]
    );
    assert!(city.cases.kept(&kept.sha256).await.is_err());
    // Sent again, it is whole again.
    let again = city.cases.stage_photo(JPEG.to_vec()).await.unwrap();
    again.settle().await.unwrap();
    assert_eq!(city.cases.check_attachments().await.unwrap(), []);
}
