//! Reading a statement: one, of bounded length, that only reads.

use crate::errors::{Known, syntax_problem};
use crate::names;
use crate::records::RecordTable;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use model::Problem;

/// Reads `sql` with the names of `known` spelt right.
pub(crate) fn parse(sql: &str, known: &Known, bytes_max: usize) -> Result<DfStatement, Problem> {
    if sql.len() > bytes_max {
        return Err(Problem::new(
            "sql-length",
            format!("the statement has {} bytes", sql.len()),
            "statement",
            format!("use at most {bytes_max} bytes"),
        ));
    }
    let dialect = GenericDialect {};
    let mut tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|e| syntax_problem(&e.to_string()))?;
    let tables: &[RecordTable] = &known.tables;
    names::spell(&mut tokens, tables);
    refuse_writing(&tokens)?;
    let mut statements = Parser::new(&dialect)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|e| syntax_problem(&e.to_string()))?;
    match (statements.pop(), statements.len()) {
        (None, _) => Err(Problem::new(
            "sql-empty",
            "there is no statement",
            "statement",
            "write one, such as SELECT * FROM observations LIMIT 10",
        )),
        (Some(statement), 0) => {
            if only_reads(&statement) {
                Ok(DfStatement::Statement(Box::new(statement)))
            } else {
                let text = statement.to_string();
                Err(not_reading(
                    text.split_whitespace().next().unwrap_or_default(),
                ))
            }
        }
        (Some(_), more) => Err(Problem::new(
            "sql-several-statements",
            format!("there are {} statements", more + 1),
            "statement",
            "send one at a time",
        )),
    }
}

/// Words that begin statements which do more than read.
const WRITING: [&str; 25] = [
    "ALTER", "ANALYZE", "ATTACH", "BEGIN", "CALL", "COMMIT", "COPY", "CREATE", "DELETE", "DROP",
    "EXECUTE", "GRANT", "INSERT", "INSTALL", "LOAD", "MERGE", "PREPARE", "RESET", "REVOKE",
    "ROLLBACK", "SET", "TRUNCATE", "UPDATE", "USE", "VACUUM",
];

/// Says plainly that a statement which writes is refused, also where it would not even parse.
fn refuse_writing(tokens: &[TokenWithSpan]) -> Result<(), Problem> {
    let first = tokens.iter().find_map(|t| match &t.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
        _ => None,
    });
    match first {
        Some(word) if WRITING.contains(&word.as_str()) => Err(not_reading(&word)),
        _ => Ok(()),
    }
}

fn only_reads(statement: &Statement) -> bool {
    match statement {
        Statement::Query(_)
        | Statement::ExplainTable { .. }
        | Statement::ShowTables { .. }
        | Statement::ShowColumns { .. }
        | Statement::ShowFunctions { .. } => true,
        Statement::Explain { statement, .. } => only_reads(statement),
        _ => false,
    }
}

/// Refuses a statement that does not only read.
pub(crate) fn not_reading(what: &str) -> Problem {
    Problem::new(
        "sql-not-reading",
        format!("{what} is refused: statements here only read"),
        "statement",
        "begin with SELECT, WITH, EXPLAIN, DESCRIBE, SHOW TABLES or SHOW COLUMNS",
    )
}
