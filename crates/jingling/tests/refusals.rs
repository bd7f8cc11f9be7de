//! A city whose disk turns read-only, and one that may open no more files: writes are refused with what and how to mend
//! it, pages and reads go on where they can, nothing that was acknowledged is lost, and all goes on by itself
//! afterwards. The real binary on a real system that refuses; `journal_faults.rs` has the full disk.

use crate::harmed::{City, DISK_MIB, Line, Running, jingling, text, until};
use serde_json::Value as Json;
use std::net::TcpStream;
use testkit::refusal;

/// Small segments, so that the journal soon needs another.
const SMALL: &str = "journal.segment_mib=17";
/// What a city needs to start and to work, and not much more.
const HANDLES: u32 = 160;
const ROWS: &str = "SELECT entity_id, value_number FROM observations ORDER BY 1";

/// The refusal of a write, as a problem document.
fn refused((status, body): &(u16, String), words: &[&str]) {
    assert_eq!(*status, 503, "{body}");
    let problem: Json = serde_json::from_str(body).unwrap();
    let told = format!("{} {}", problem["detail"], problem["mend"]);
    for word in words {
        assert!(told.contains(word), "{word}: {body}");
    }
}

/// Pages, current state and health answer.
fn reads_go_on(line: &mut Line, word: &str) {
    let (status, page) = line.get("/");
    assert!(status == 200 && page.contains("<html"), "{status}: {page}");
    let (status, entity) = line.get(&format!("/api/v1/entities/{}", crate::harmed::id(1)));
    assert_eq!(status, 200, "{entity}");
    let (status, ready) = line.get("/readyz");
    assert!(status == 200 && ready.contains(word), "{status}: {ready}");
    let (_, metrics) = line.get("/metrics");
    assert!(metrics.contains("jingling_journal_stalled 1"), "{metrics}");
}

/// All is taken again, and what was acknowledged before, during and after is there, also after a restart.
fn goes_on(city: &City, running: Running, wells: &[u32], settings: &[&str]) {
    for well in wells {
        until("a well", || running.knows(*well).then_some(()));
    }
    assert_eq!(running.metric("jingling_journal_stalled "), 0);
    let ready = running.get("/readyz").1;
    assert!(!ready.contains("degraded"), "{ready}");
    let rows = |running: &Running| {
        let (status, body) = running.connect().unwrap().sql(ROWS);
        assert_eq!(status, 200, "{body}");
        let answer: Json = serde_json::from_str(&body).unwrap();
        answer["rows"].as_array().unwrap().len()
    };
    assert_eq!(rows(&running), wells.len());
    running.stop();
    let (clean, told) = city.check();
    assert!(clean, "{told}");
    let running = city.serve(settings);
    assert!(wells.iter().all(|well| running.knows(*well)));
    assert_eq!(rows(&running), wells.len());
    running.stop();
}

#[test]
fn a_disk_that_turns_read_only_refuses_writes_reads_go_on_and_writing_resumes() {
    let name =
        "refusals::a_disk_that_turns_read_only_refuses_writes_reads_go_on_and_writing_resumes";
    let Some(dir) = refusal::inside() else {
        return refusal::again_on_small_disk(name, DISK_MIB);
    };
    let city = City::make(&dir.join("city"));
    let settings = [SMALL, "lake.seal_minutes=0"];
    let running = city.serve(&settings);
    let mut line = running.connect().unwrap();
    assert_eq!(line.report(1).0, 201);
    until("the seal", || {
        (running.metric("jingling_lake_sealed_position ") > 0).then_some(())
    });
    refusal::turn_read_only(&city.dir);
    // Into the segment that is open something still goes.
    let full = until("a refusal", || {
        let answer = line.letter();
        (answer.0 != 400).then_some(answer)
    });
    refused(&full, &["read-only", "make it writable"]);
    refused(
        &line.report(2),
        &["read-only", "make it writable", "send it again"],
    );
    reads_go_on(&mut line, "read-only");
    let (status, rows) = line.sql(ROWS);
    assert_eq!(status, 200, "{rows}");
    // A message that was refused is told so, and may still come in when the disk is back: it was not acknowledged.
    refusal::writable_again(&city.dir);
    until("writing", || (running.report(3) == 201).then_some(()));
    let register = || {
        let body = br#"{"id": "urn:ngsi-ld:WaterObserved:new", "type": "WaterObserved"}"#;
        running.ask("POST", "/api/v1/devices", "application/json", body)
    };
    until("changes of records", || {
        [201, 409].contains(&register().0).then_some(())
    });
    goes_on(&city, running, &[1, 3], &settings);
}

#[test]
fn a_city_on_a_read_only_disk_does_not_start_and_is_read_all_the_same() {
    let name = "refusals::a_city_on_a_read_only_disk_does_not_start_and_is_read_all_the_same";
    let Some(dir) = refusal::inside() else {
        return refusal::again_on_small_disk(name, DISK_MIB);
    };
    let city = City::make(&dir.join("city"));
    let folder = city.dir.display().to_string();
    let running = city.serve(&[SMALL]);
    assert_eq!(running.report(1), 201);
    running.stop();
    refusal::remount(&dir, "ro");
    let ended = city.serve_in_vain();
    let told = text(&ended.stderr);
    assert!(!ended.status.success());
    for word in ["read-only", "make it writable", &*folder] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let (clean, told) = city.check();
    assert!(clean, "{told}");
    let query = jingling(&["query", &folder, ROWS, "--json"]);
    assert!(query.status.success(), "{}", text(&query.stderr));
    assert!(text(&query.stdout).contains("well-1"));
    refusal::remount(&dir, "rw");
    let running = city.serve(&[SMALL]);
    assert_eq!(running.report(2), 201);
    goes_on(&city, running, &[1, 2], &[SMALL]);
}

#[test]
fn without_file_handles_writes_are_refused_what_is_open_goes_on_and_all_resumes() {
    let city = City::new();
    let settings = [SMALL, "lake.seal_minutes=0"];
    let running = city.serve_with_handles(HANDLES, &settings);
    let mut line = running.connect().unwrap();
    assert_eq!(line.report(1).0, 201);
    until("the seal", || {
        (running.metric("jingling_lake_sealed_position ") > 0).then_some(())
    });
    // Visitors who say nothing, and who wait in line for every handle that comes free.
    let visitors: Vec<TcpStream> = (0..HANDLES).map(|_| running.visit().unwrap()).collect();
    let told = until("a question that history's files are needed for", || {
        let answer = line.sql(ROWS);
        (answer.0 != 200).then_some(answer)
    });
    refused(&told, &["cannot read", "file handles", "ulimit -n"]);
    // The segment that is open takes what it has room for.
    assert_eq!(line.report(2).0, 201);
    let full = until("a refusal", || {
        let answer = line.letter();
        (answer.0 != 400).then_some(answer)
    });
    refused(&full, &["no file handle", "ulimit -n"]);
    refused(&line.report(3), &["no file handle", "ulimit -n"]);
    reads_go_on(&mut line, "file handle");
    drop(visitors);
    until("writing", || (line.report(4).0 == 201).then_some(()));
    goes_on(&city, running, &[1, 2, 4], &settings);
}
