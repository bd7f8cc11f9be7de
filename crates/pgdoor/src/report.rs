//! A problem as PostgreSQL's clients are told it: SQLSTATE, message (what), detail (where), hint (the
//! mend), and the position in the statement where it is known.

use model::Problem;

/// Severity, and whether the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The statement failed.
    Error,
    /// The connection ends.
    Fatal,
}

/// The SQLSTATE of a problem's code (PostgreSQL documentation, appendix A).
pub fn sqlstate(code: &str) -> &'static str {
    match code {
        "sql-not-reading" => "25006",
        "sql-syntax" | "sql-several-statements" | "sql-empty" => "42601",
        "sql-table-unknown" => "42P01",
        "sql-column-unknown" => "42703",
        "sql-column-ambiguous" => "42702",
        "sql-column-twice" => "42701",
        "sql-function-unknown" => "42883",
        "sql-group-by" => "42803",
        "sql-memory" => "53200",
        "sql-time" | "sql-cancelled" => "57014",
        "sql-rows" | "sql-length" | "postgres-limit" | "personal-too-many" => "54000",
        "sql-not-supported" | "postgres-not-supported" => "0A000",
        "sql-failed" => "22000",
        "sql-plan" => "42000",
        "lake-file-checksum" | "lake-file-missing" => "XX001",
        "lake-read" | "lake-io" => "58030",
        "parameter" => "22P02",
        "postgres-parameter-count" | "postgres-protocol" => "08P01",
        "postgres-setting-unknown" => "42704",
        "postgres-setting" | "purpose-unknown" => "22023",
        "postgres-statement-unknown" => "26000",
        "postgres-portal-unknown" => "34000",
        "postgres-transaction-failed" => "25P02",
        "postgres-no-transaction" => "25P01",
        "postgres-stopping" => "57P01",
        "postgres-connections" => "53300",
        "postgres-idle" => "57P05",
        "sign-in-wrong" => "28P01",
        "sign-in-too-often" | "postgres-tls" | "postgres-session-ended" => "28000",
        "permission-missing" | "forbidden" => "42501",
        _ => "XX000",
    }
}

/// The text that a problem's line and column point into, and the characters that the client sent before it.
pub type Written<'a> = (&'a str, usize);

/// The fields of an error or notice.
pub fn fields(
    severity: Severity,
    problem: &Problem,
    sql: Option<Written<'_>>,
) -> Vec<(u8, String)> {
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', sqlstate(&problem.code).to_owned()),
        (b'M', problem.what.clone()),
    ];
    match sql.and_then(|(sql, before)| Some(before + position(sql, &problem.place)?)) {
        Some(position) => fields.push((b'P', position.to_string())),
        None if problem.place != "statement" => {
            fields.push((b'D', format!("at {}", problem.place)))
        }
        None => {}
    }
    fields.push((b'H', problem.mend.clone()));
    fields.push((b'R', problem.code.clone()));
    fields
}

/// Where "line 2, column 5" is, as a character counted from 1.
fn position(sql: &str, place: &str) -> Option<usize> {
    let (line, column) = place.strip_prefix("line ")?.split_once(", column ")?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let before: usize = sql
        .split('\n')
        .take(line.checked_sub(1)?)
        .map(|line| line.chars().count() + 1)
        .sum();
    let position = before + column;
    (position <= sql.chars().count() + 1).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_what_where_and_mend() {
        let problem = Problem::new(
            "sql-column-unknown",
            "there is no column \"lvel\"",
            "line 2, column 3",
            "did you mean level?",
        );
        let fields = fields(
            Severity::Error,
            &problem,
            Some(("SELECT 水,\n  lvel FROM t", 2)),
        );
        let field = |kind: u8| fields.iter().find(|f| f.0 == kind).map(|f| f.1.as_str());
        assert_eq!(field(b'C'), Some("42703"));
        assert_eq!(field(b'M'), Some("there is no column \"lvel\""));
        assert_eq!(field(b'H'), Some("did you mean level?"));
        assert_eq!(field(b'P'), Some("15"));
        assert_eq!(field(b'D'), None);
    }

    #[test]
    fn a_place_that_is_no_position_becomes_the_detail() {
        let problem = Problem::new(
            "parameter",
            "\"x\" is no such value",
            "parameter $1",
            "mend",
        );
        let fields = fields(Severity::Error, &problem, Some(("SELECT $1", 0)));
        assert!(fields.contains(&(b'D', "at parameter $1".into())));
        assert!(position("SELECT 1", "line 9, column 1").is_none());
    }
}
