//! A city whose journal is damaged, shortened, trimmed, or out of room: what is good goes on, what is not is
//! told, by every way a person or a supervisor looks. The real binary, spoken to over HTTP.

use crate::harmed::{City, id, jingling, text, until};
use serde_json::Value as Json;
use std::io::Write;
use testkit::refusal;

#[test]
fn damaged_records_are_told_everywhere_and_the_rest_goes_on() {
    let city = City::new();
    let mut running = city.serve(&[]);
    for well in 0..4 {
        assert_eq!(running.report(well), 201);
    }
    // Killed before any checkpoint: everything is replayed from the journal.
    running.kill();
    assert_eq!(city.blocks().1.len(), 4);
    assert!(city.check().0);
    city.damage(1);
    let (clean, told) = city.check();
    let told = told["findings"].to_string();
    assert!(!clean && told.contains("records 1 to 1"), "{told}");

    for start in 0..3 {
        let mut running = city.serve(&[]);
        let (status, ready) = running.get("/readyz");
        assert_eq!(status, 200);
        assert!(
            ready.contains("degraded: journal records 1 to 1 cannot be read"),
            "start {start}: {ready}"
        );
        assert_eq!(running.metric("jingling_journal_damaged_records "), 1);
        let notices = running.json("/api/v1/notices");
        assert_eq!(notices["items"].as_array().unwrap().len(), 1, "{notices}");
        assert_eq!(notices["items"][0]["code"], "journal-damaged");
        assert_eq!(notices["items"][0]["position_from"], 1);
        assert_eq!(
            (0..4).map(|well| running.knows(well)).collect::<Vec<_>>(),
            [true, false, true, true]
        );
        let (status, gone) = running.get("/api/v1/provenance/1");
        assert_eq!(status, 410, "{gone}");
        assert!(gone.contains("\"damaged\""), "{gone}");
        assert_eq!(running.get("/api/v1/provenance/2").0, 200);
        assert_eq!(running.report(10 + start), 201, "writing goes on");
        if start == 1 {
            // With a checkpoint behind the damage, the file alone still says it.
            running.stop();
        } else {
            running.kill();
        }
    }
    let (_, told) = city.check();
    assert!(told["findings"].to_string().contains("gaps.json"), "{told}");
    let query = jingling(&[
        "query",
        &city.dir.display().to_string(),
        "SELECT count(*) AS n FROM observations",
        "--json",
    ]);
    assert!(query.status.success(), "{}", text(&query.stderr));
}

#[test]
fn positions_that_the_projections_have_seen_are_not_given_again() {
    let city = City::new();
    let running = city.serve(&[]);
    for well in 0..3 {
        assert_eq!(running.report(well), 201);
    }
    until("the current state", || running.knows(2).then_some(()));
    running.stop();
    // A damaged last block cannot be told from a write that was cut off, but for the checkpoint.
    city.damage(2);
    let (clean, told) = city.check();
    assert!(
        !clean
            && told["findings"]
                .to_string()
                .contains("the journal ends at 2"),
        "{told}"
    );
    let running = city.serve(&[]);
    let ready = running.get("/readyz").1;
    assert!(
        ready.contains("degraded: journal records 2 to 2 were seen"),
        "{ready}"
    );
    assert!(running.knows(2), "the checkpoint has it");
    assert_eq!(running.report(7), 201);
    until("the new well", || running.knows(7).then_some(()));
    let entity = running.json(&format!("/api/v1/entities/{}", id(7)));
    assert_eq!(entity["attributes"]["waterLevel"]["position"], 3);
    let (status, _) = running.get("/api/v1/provenance/2");
    assert_eq!(status, 410);
    running.stop();
}

#[test]
fn a_trimmed_journal_is_sound_and_says_what_it_no_longer_keeps() {
    const MESSAGES: u64 = 5;
    let city = City::new();
    let settings = [
        "journal.segment_mib=17",
        "journal.keep_gib=0",
        "lake.seal_minutes=0",
    ];
    let running = city.serve(&settings);
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    for _ in 0..MESSAGES {
        // Not understood, and so kept whole as a dead letter.
        let (status, body) = running.ask("POST", path, "application/json", &vec![b'x'; 9 << 20]);
        assert_eq!(status, 400, "{body}");
    }
    assert_eq!(running.report(1), 201);
    until("the seal", || {
        (running.metric("jingling_lake_sealed_position ") > MESSAGES).then_some(())
    });
    running.stop();
    let running = city.serve(&settings);
    let first = until("the trim", || {
        Some(running.metric("jingling_journal_first_position ")).filter(|first| *first > 0)
    });
    let (status, body) = running.get("/api/v1/provenance/0");
    assert_eq!(status, 410, "{body}");
    let problem: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], "trimmed");
    assert!(problem["mend"].as_str().unwrap().contains("keep_gib"));
    assert_eq!(
        running.get(&format!("/api/v1/provenance/{MESSAGES}")).0,
        200
    );
    assert_eq!(running.get("/api/v1/provenance/1000000").0, 404);
    assert!(running.knows(1));
    running.stop();
    let (clean, told) = city.check();
    assert!(clean, "{told}");
    // It was seen while segments went one after another.
    assert!(
        told["journal"]["first_position"]
            .as_u64()
            .is_some_and(|now| now >= first),
        "{told}"
    );

    // Without its checkpoint the current state cannot be whole any more: said, not hidden.
    std::fs::remove_file(city.dir.join("twin/checkpoint.bin")).unwrap();
    let running = city.serve(&settings);
    let ready = running.get("/readyz").1;
    assert!(
        ready.contains("degraded") && ready.contains("had been removed"),
        "{ready}"
    );
    running.stop();
}

#[test]
fn a_noted_chain_value_is_verified() {
    let city = City::new();
    let mut running = city.serve(&[]);
    assert_eq!(running.report(1), 201);
    running.kill();
    let dir = city.dir.display().to_string();
    let noted = city.check().1["journal"]["chain"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut running = city.serve(&[]);
    assert_eq!(running.report(2), 201);
    running.kill();
    let with = |chain: &str| jingling(&["check", &dir, "--chain", chain]);
    assert!(with(&noted).status.success());
    let other = noted.replace(|c: char| c.is_ascii_hexdigit() && c != '1', "0");
    let refused = with(&other);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("noted hash"),
        "{}",
        text(&refused.stderr)
    );
    assert_eq!(with("nonsense").status.code(), Some(2));
}

#[test]
fn on_a_full_disk_writes_answer_full_reads_go_on_and_writing_resumes() {
    let name = "journal_faults::on_a_full_disk_writes_answer_full_reads_go_on_and_writing_resumes";
    let Some(dir) = refusal::inside() else {
        return refusal::again_on_small_disk(name, crate::harmed::DISK_MIB);
    };
    let city = City::make(&dir.join("city"));
    let running = city.serve(&["journal.segment_mib=17"]);
    assert_eq!(running.report(1), 201);
    // Somebody else takes all the room that is left.
    let mut other = std::fs::File::create(dir.join("other")).unwrap();
    while other.write_all(&[1; 4096]).is_ok() {}
    let letter = vec![b'x'; 4 << 20];
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let full = until("a refusal", || {
        let (status, body) = running.ask("POST", path, "application/json", &letter);
        (status != 400).then_some((status, body))
    });
    // The one that was waiting is told that it is not on disk; those after it, that the disk is full.
    assert!([503, 507].contains(&full.0), "{full:?}");
    until("full", || (running.report(2) == 507).then_some(()));
    assert!(running.knows(1), "reading goes on");
    assert_eq!(running.get("/api/v1/provenance/0").0, 200);
    let (status, ready) = running.get("/readyz");
    assert_eq!(status, 200);
    assert!(ready.contains("disk is full"), "{ready}");
    assert_eq!(running.metric("jingling_journal_stalled "), 1);
    drop(other);
    std::fs::remove_file(dir.join("other")).unwrap();
    until("room", || (running.report(3) == 201).then_some(()));
    until("the new well", || running.knows(3).then_some(()));
    assert_eq!(running.metric("jingling_journal_stalled "), 0);
    running.stop();
    let (clean, told) = city.check();
    assert!(clean, "{told}");
}
