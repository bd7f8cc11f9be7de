//! A purpose that a client states: asked with psql, which everybody has.

use crate::support::foreign::{has_psql, psql, psql_where};
use crate::support::{Door, GATHERED_ROWS_MAX, open, queries};
use pgdoor::Limits;

const TITLES: &str = "SELECT title FROM cases WHERE title IS NOT NULL ORDER BY id";

async fn door() -> Door {
    open(Limits::default(), queries()).await
}

/// The last lines that psql writes for these statements, each on its own.
async fn say(door: &Door, statements: &[&str]) -> (String, String) {
    let mut arguments = vec![
        "-A",
        "-t",
        "-v",
        "VERBOSITY=verbose",
        "-v",
        "ON_ERROR_STOP=0",
    ];
    for statement in statements {
        arguments.extend(["-c", statement]);
    }
    let said = psql(door, "", &arguments).await;
    (said.out, said.err)
}

#[tokio::test]
async fn a_purpose_shows_more_from_its_statement_on_and_each_is_written_down() {
    if !has_psql() {
        return;
    }
    let door = door().await;
    let (out, err) = say(
        &door,
        &[
            "SHOW jingling.purpose",
            TITLES,
            "SET jingling.purpose = 'rescue'",
            "SHOW jingling.purpose",
            TITLES,
            "SELECT count(*) FROM cases",
            "RESET jingling.purpose",
            TITLES,
        ],
    )
    .await;
    assert_eq!(err, "");
    assert_eq!(
        out.lines().collect::<Vec<_>>(),
        [
            "",
            "井盖 'lost'",
            "rescue",
            "whole",
            "whole",
            "whole",
            "3",
            "井盖 'lost'"
        ]
    );
    assert_eq!(
        *door.told.lock(),
        ["rescue", "rescue"],
        "one for each statement"
    );
    door.told.lock().clear();
    // As an option of the connection, and for one transaction.
    let environment = [("PGOPTIONS", "-c jingling.purpose=rescue")];
    let said = psql_where(&door, "", &environment, &["-A", "-t", "-c", TITLES]).await;
    assert_eq!(
        (said.out.as_str(), said.good),
        ("whole\nwhole\nwhole\n", true),
        "{}",
        said.err
    );
    let (out, _) = say(
        &door,
        &[
            "BEGIN",
            "SET LOCAL jingling.purpose = 'rescue'",
            "SELECT count(*) FROM cases",
            "COMMIT",
            "SELECT count(*) FROM cases",
        ],
    )
    .await;
    assert_eq!(out.lines().collect::<Vec<_>>(), ["3", "2"]);
    assert_eq!(*door.told.lock(), ["rescue", "rescue"]);
}

#[tokio::test]
async fn what_is_no_purpose_or_may_not_be_stated_is_refused_when_it_is_said() {
    if !has_psql() {
        return;
    }
    let door = door().await;
    for (purpose, state) in [("curiosity", "22023"), ("inspection", "42501")] {
        let set = format!("SET jingling.purpose = '{purpose}'");
        let (out, err) = say(&door, &[&set, "SHOW jingling.purpose", TITLES]).await;
        assert!(err.contains(state), "{purpose}: {err}");
        assert_eq!(
            out.lines().collect::<Vec<_>>(),
            ["", "井盖 'lost'"],
            "{purpose}"
        );
        let options = format!("-c jingling.purpose={purpose}");
        let said = psql_where(&door, "", &[("PGOPTIONS", &options)], &["-c", TITLES]).await;
        assert!(!said.good && said.out.is_empty(), "{purpose}: {}", said.out);
    }
    let (out, err) = say(
        &door,
        &[
            "SELECT set_config('jingling.purpose', 'rescue', false)",
            TITLES,
        ],
    )
    .await;
    assert!(err.contains("SET jingling.purpose"), "{err}");
    assert_eq!(out.trim_end(), "井盖 'lost'");
    // What cannot be written down is not shown.
    let (out, err) = say(&door, &["SET jingling.purpose = 'broken'", TITLES]).await;
    assert!(
        out.is_empty() && err.contains("the trail is full"),
        "{out} {err}"
    );
    assert!(door.told.lock().is_empty());
    // An answer for a purpose is whole in memory, and may be so large only.
    let many = format!("SELECT * FROM observations LIMIT {}", GATHERED_ROWS_MAX + 1);
    let (out, err) = say(&door, &["SET jingling.purpose = 'rescue'", &many]).await;
    assert!(out.is_empty() && err.contains("54000"), "{out} {err}");
    let (out, _) = say(&door, &[&many]).await;
    assert_eq!(out.lines().count(), GATHERED_ROWS_MAX + 1);
}
