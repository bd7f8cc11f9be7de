//! What other platforms say of a case stands in its history and moves nothing; and the links of a case with them, on a real SQLite
//! file: made once, changed only by whoever saw how they stand, due when their time has come.

use crate::support::{T0, city, duty};
use cases::{Outside, note_outside};
use model::Timestamp;
use records::Actor;
use records::open311_links::{self as links, Link};
use serde_json::json;

fn link(case_id: i64, peer: &str) -> Link {
    Link {
        id: 0,
        case_id,
        peer: peer.to_owned(),
        way: links::TO.to_owned(),
        state: links::WAITING.to_owned(),
        service_code: "002".to_owned(),
        reference: "[ref:tianmen/TM-1]".to_owned(),
        made_at: T0,
        attempts: 0,
        next_at: T0,
        posted_at: None,
        token: None,
        remote_id: None,
        remote_status: None,
        remote_notes: None,
        asked_at: None,
        problem: None,
    }
}

#[tokio::test]
async fn what_another_platform_says_moves_nothing() {
    let city = city().await;
    let before = city.at("handling").await.case;
    let actor = Actor::system("open311:province");
    let said = Outside {
        actor: &actor,
        action: "closed-there",
        note: Some("已复位".to_owned()),
        detail: Some(json!({"suggest": "finish"})),
    };
    let mut write = city.records.write().await.unwrap();
    let later = T0.plus_seconds(3_600);
    let of = note_outside(&mut write, before.id, said.clone(), later).await;
    assert_eq!(of.unwrap().map(|case| case.id), Some(before.id));
    let none = note_outside(&mut write, 999, said, later).await;
    assert_eq!(none.unwrap(), None);
    write.commit().await.unwrap();
    let after = city.cases.case(before.id, &duty()).await.unwrap();
    let step = after.history.last().unwrap();
    assert_eq!(
        (step.action.as_str(), step.actor.as_str()),
        ("closed-there", "open311:province")
    );
    assert_eq!(
        (&step.note.as_deref(), &step.to_state),
        (&Some("已复位"), &before.state)
    );
    assert_eq!(step.detail, Some(json!({"suggest": "finish"})));
    assert_eq!(
        (&after.case.state, after.case.closed_at, after.case.version),
        (&before.state, None, before.version)
    );
}

#[tokio::test]
async fn a_link_is_made_once_and_changed_by_who_saw_how_it_stands() {
    let city = city().await;
    let id = city.at("handling").await.case.id;
    let mut write = city.records.write().await.unwrap();
    assert!(
        links::insert(&mut write, &link(id, "province"))
            .await
            .unwrap()
    );
    assert!(
        !links::insert(&mut write, &link(id, "province"))
            .await
            .unwrap(),
        "once each"
    );
    assert!(
        links::insert(&mut write, &link(id, "next-door"))
            .await
            .unwrap()
    );
    let before = links::of_case(&mut write, id).await.unwrap()[0].clone();
    assert_eq!(before.peer, "province");
    let sent = Link {
        state: links::UNSURE.to_owned(),
        attempts: 1,
        next_at: T0.plus_seconds(60),
        ..before.clone()
    };
    assert!(links::put(&mut write, &before, &sent).await.unwrap());
    assert!(
        !links::put(&mut write, &before, &sent).await.unwrap(),
        "it stands otherwise now"
    );
    assert_eq!(
        links::get(&mut write, before.id).await.unwrap(),
        Some(sent.clone())
    );

    let due = async |write: &mut records::Write, states: &[&str], at: Timestamp| {
        let due = links::due(write, ("province", links::TO), states, at, 10).await;
        due.unwrap().len()
    };
    let both = [links::WAITING, links::UNSURE];
    assert_eq!(due(&mut write, &both, T0).await, 0, "not yet");
    assert_eq!(due(&mut write, &both, sent.next_at).await, 1);
    assert_eq!(due(&mut write, &[links::OPEN], sent.next_at).await, 0);

    let open = Link {
        state: links::OPEN.to_owned(),
        remote_id: Some("7".to_owned()),
        ..sent.clone()
    };
    assert!(links::put(&mut write, &sent, &open).await.unwrap());
    let peers = ["next-door".to_owned(), "province".to_owned()];
    let known = links::sent_as(&mut write, &peers, "7").await.unwrap();
    assert_eq!(known.map(|link| link.case_id), Some(id));
    assert_eq!(links::sent_as(&mut write, &peers, "8").await.unwrap(), None);
    assert_eq!(
        links::sent_as(&mut write, &peers[..1], "7").await.unwrap(),
        None
    );

    assert!(links::for_people(&mut write).await.unwrap().is_empty());
    let held = Link {
        state: links::HELD.to_owned(),
        problem: Some("it is not known".to_owned()),
        ..open.clone()
    };
    assert!(links::put(&mut write, &open, &held).await.unwrap());
    let waiting = links::for_people(&mut write).await.unwrap();
    assert_eq!(
        (waiting[0].peer.as_str(), waiting[0].count),
        ("province", 1)
    );
    assert!(links::last_step(&mut write).await.unwrap() > 0);
}
