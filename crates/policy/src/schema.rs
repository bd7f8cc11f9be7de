//! What policies may speak of: the schema that every policy is checked against before it holds.

use cedar_policy::Schema;
use model::Problem;
use std::fmt::Write as _;

/// Acts upon single values of entities. The word is a permission's too: upon the city it opens the operations.
pub const READ: &str = "entity.read";
/// Seeing personal data unmasked, for a stated purpose.
pub const REVEAL: &str = "personal.reveal";
/// Asking with SQL; upon a table it decides whether a department's table is seen.
pub const QUERY: &str = "sql.query";
/// Reading cases; upon a case it decides whether it is seen.
pub const READ_CASE: &str = "case.read";

const NOUNS: &str = r#"// 区划: the city and its towns, by their statistics code.
entity Division in [Division];
// 单位: departments, towns, operators and enterprises, by the id of the city profile.
entity Organisation in [Organisation];
// 角色.
entity Role;
// 岗位.
entity Post in [Organisation];
// 人员: somebody who signs in.
entity Person in [Role, Organisation, Post] = { "name": String };
// 服务令牌: a machine.
entity Machine in [Role] = { "name": String };
// The platform itself: what its operations are asked of.
entity City;
entity Pack in [Organisation];
entity EntityType in [Pack];
// 数据项: one attribute of one entity. It is in its type, in the town where the entity stands, and in the organisation that owns it.
entity Datum in [EntityType, Division, Organisation] = {
  "type": String,
  "attribute": String,
  // "none", "personal" (个人信息) or "sensitive" (敏感个人信息), as the entity type declares
  "personal": String
};
// 部门数据表: a table that a department handed in.
entity Table in [Organisation] = { "name": String };
// 案件: it is in the organisation that has it.
entity Case in [Organisation];
type Asked = {
  // Of the city's clock: 0 to 23, and Monday 1 to Sunday 7.
  "hour": Long,
  "weekday": Long,
  // The stated purpose (用途), where one is stated.
  "purpose"?: String
};
"#;

/// The schema as text: what policies may speak of, with one act for each word.
pub fn text(actions: &[String]) -> String {
    let mut text = NOUNS.to_owned();
    for action in actions {
        let resources = match action.as_str() {
            READ | REVEAL => "City, Datum",
            QUERY => "City, Table",
            READ_CASE => "City, Case",
            _ => "City",
        };
        let _ = writeln!(
            text,
            "action \"{action}\" appliesTo {{ principal: [Person, Machine], resource: [{resources}], context: Asked }};"
        );
    }
    text
}

/// The schema with these acts.
///
/// # Errors
/// `policy-action` when a word is none that an act can have.
pub fn schema(actions: &[String]) -> Result<Schema, Problem> {
    if let Some(bad) = actions.iter().find(|word| !is_word(word)) {
        return Err(Problem::new(
            "policy-action",
            format!("\"{}\" is no word for an act", model::problem::quote(bad)),
            "permissions",
            "use lower-case letters, digits, dots and hyphens",
        ));
    }
    let (schema, _) = Schema::from_cedarschema_str(&text(actions)).map_err(|e| {
        Problem::new(
            "policy-schema",
            e.to_string(),
            "policy schema",
            "report this: the acts do not make a schema",
        )
    })?;
    Ok(schema)
}

/// Whether a word can name an act.
pub fn is_word(word: &str) -> bool {
    (1..=64).contains(&word.len())
        && word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}
