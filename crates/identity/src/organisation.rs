//! Organisations (单位): those of the city profile are brought up to date from it, others are added and changed by people.

use crate::{Identity, checks};
use model::problem::{both, quote};
use model::{Problem, Timestamp, Told};
use records::organisations::{self, Organisation};
use records::{Actor, Event, Failure, Result, Write, audit};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The kinds of organisations: the word, Chinese, English.
pub const KINDS: [(&str, &str, &str); 4] = [
    ("department", "部门", "department"),
    ("town", "乡镇", "town"),
    ("operator", "运营单位", "operator"),
    ("enterprise", "企业", "enterprise"),
];

/// An organisation to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewOrganisation {
    /// Its id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English; the Chinese one when empty.
    pub name_en: String,
    /// `department`, `town`, `operator` or `enterprise`.
    pub kind: String,
    /// The organisation above it.
    pub parent: Option<String>,
    /// Unified social credit code.
    pub credit_code: Option<String>,
    /// Code of the division that it answers for.
    pub division: Option<String>,
}

/// What to change of an organisation; `None` leaves it, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganisationChange {
    /// Name in Chinese.
    pub name_zh: Option<String>,
    /// Name in English.
    pub name_en: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// The organisation above it.
    pub parent: Option<Option<String>>,
    /// Unified social credit code.
    pub credit_code: Option<Option<String>>,
    /// Code of the division.
    pub division: Option<Option<String>>,
    /// Whether it takes no more work.
    pub disabled: Option<bool>,
}

/// What is wrong with a field.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub field: &'static str,
    pub told: Told,
}

pub(crate) fn fault(field: &'static str, told: Told) -> Fault {
    Fault { field, told }
}

/// Organisations by id.
pub(crate) type ById = BTreeMap<String, Organisation>;

impl Identity {
    /// Brings the organisations of the city profile up to date, in one transaction: their names and kinds, and the
    /// division where people have set none. What people added to them stays.
    ///
    /// # Errors
    /// [`Failure::Invalid`] `organisation-id` when an id is empty or too long.
    pub async fn import_organisations(
        &self,
        list: &[Organisation],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records().write().await?;
        let mut changed = Vec::new();
        for organisation in list {
            if organisation.id.is_empty() || organisation.id.len() > model::ids::ID_BYTES_MAX {
                return Err(Failure::Invalid(Problem::new(
                    "organisation-id",
                    format!(
                        "\"{}\" is not an organisation's id",
                        quote(&organisation.id)
                    ),
                    "organisations",
                    format!("use 1 to {} bytes", model::ids::ID_BYTES_MAX),
                )));
            }
            let known = organisations::get(&mut write, &organisation.id).await?;
            let wanted = match &known {
                None => organisation.clone(),
                Some(known) => Organisation {
                    name_zh: organisation.name_zh.clone(),
                    name_en: organisation.name_en.clone(),
                    kind: organisation.kind.clone(),
                    division: known
                        .division
                        .clone()
                        .or_else(|| organisation.division.clone()),
                    of_profile: true,
                    ..known.clone()
                },
            };
            if known.as_ref() != Some(&wanted) {
                organisations::upsert(&mut write, &wanted).await?;
                changed.push(organisation.id.as_str());
            }
        }
        if !changed.is_empty() {
            let detail = json!({"ids": changed});
            let event = Event::OrganisationImport;
            audit::insert(&mut write, now, actor, event, "organisations", &detail).await?;
        }
        write.commit().await
    }

    /// All organisations, by id.
    ///
    /// # Errors
    /// The store's own.
    pub async fn organisations(&self) -> Result<Vec<Organisation>> {
        organisations::list(&mut *self.records().read().await?).await
    }

    /// Adds an organisation.
    ///
    /// # Errors
    /// [`Failure::Invalid`]: `organisation-id`, `name`, `organisation-kind`, `organisation-parent`, `credit-code`,
    /// `credit-code-taken`, `division-code`; [`Failure::Conflict`] `organisation-taken`.
    pub async fn add_organisation(
        &self,
        new: &NewOrganisation,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Organisation> {
        let mut write = self.records().write().await?;
        let all = by_id(organisations::list(&mut write).await?);
        let (row, faults) = self.organisation_row(new);
        if all.contains_key(&row.id) {
            return Err(Failure::Conflict(Problem::new(
                "organisation-taken",
                format!("there is already an organisation \"{}\"", quote(&row.id)),
                "id",
                "choose another id, or change the one that is there",
            )));
        }
        refuse(faults.into_iter().chain(misfits(
            &row,
            &all,
            self.options().organisation_depth_max,
        )))?;
        write_added(&mut write, &row, actor, now).await?;
        write.commit().await?;
        Ok(row)
    }

    /// Changes an organisation. The names and the kind of one of the city profile are the profile's.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; as [`Identity::add_organisation`]; [`Failure::Conflict`] `organisation-of-profile`.
    pub async fn change_organisation(
        &self,
        id: &str,
        change: &OrganisationChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Organisation> {
        let mut write = self.records().write().await?;
        let all = by_id(organisations::list(&mut write).await?);
        let known = all
            .get(id)
            .ok_or_else(|| Failure::not_found("organisation", quote(id)))?;
        let mut new = NewOrganisation::from(known);
        let apply = |to: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                to.clone_from(given);
            }
        };
        apply(&mut new.name_zh, &change.name_zh);
        apply(&mut new.name_en, &change.name_en);
        apply(&mut new.kind, &change.kind);
        for (to, given) in [
            (&mut new.parent, &change.parent),
            (&mut new.credit_code, &change.credit_code),
            (&mut new.division, &change.division),
        ] {
            if let Some(given) = given {
                to.clone_from(given);
            }
        }
        // An id of the profile may be one that people could not choose.
        new.id = "x".to_owned();
        let (mut row, faults) = self.organisation_row(&new);
        id.clone_into(&mut row.id);
        row.of_profile = known.of_profile;
        row.disabled = change.disabled.unwrap_or(known.disabled);
        if is_anothers(known, &row) {
            return Err(Failure::Conflict(of_profile(known).into()));
        }
        refuse(faults.into_iter().chain(misfits(
            &row,
            &all,
            self.options().organisation_depth_max,
        )))?;
        if row != *known {
            write_changed(&mut write, &row, actor, now).await?;
            write.commit().await?;
        }
        Ok(row)
    }

    /// The row that is asked for, and what is wrong with its own fields.
    pub(crate) fn organisation_row(&self, new: &NewOrganisation) -> (Organisation, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut row = Organisation::department(&new.id, "", "");
        row.of_profile = false;
        match checks::slug("organisation-id", &new.id) {
            Ok(id) => row.id = id,
            Err(told) => faults.push(fault("id", told)),
        }
        let chars_max = self.options().name_chars_max;
        match clean_name(&new.name_zh, chars_max) {
            Ok(name) => row.name_zh = name,
            Err(told) => faults.push(fault("name_zh", told)),
        }
        row.name_en.clone_from(&row.name_zh);
        if !new.name_en.trim().is_empty() {
            match clean_name(&new.name_en, chars_max) {
                Ok(name) => row.name_en = name,
                Err(told) => faults.push(fault("name_en", told)),
            }
        }
        match kind(&new.kind) {
            Ok(word) => word.clone_into(&mut row.kind),
            Err(told) => faults.push(fault("kind", told)),
        }
        let filled = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim);
            text.filter(|t| !t.is_empty()).map(str::to_owned)
        };
        row.parent = filled(&new.parent);
        if let Some(code) = filled(&new.credit_code) {
            match checks::credit_code(&code) {
                Ok(code) => row.credit_code = Some(code),
                Err(told) => faults.push(fault("credit_code", told)),
            }
        }
        if let Some(code) = filled(&new.division) {
            match checks::division(&code) {
                Ok(code) => row.division = Some(code),
                Err(told) => faults.push(fault("division", told)),
            }
        }
        (row, faults)
    }
}

impl From<&Organisation> for NewOrganisation {
    fn from(row: &Organisation) -> Self {
        Self {
            id: row.id.clone(),
            name_zh: row.name_zh.clone(),
            name_en: row.name_en.clone(),
            kind: row.kind.clone(),
            parent: row.parent.clone(),
            credit_code: row.credit_code.clone(),
            division: row.division.clone(),
        }
    }
}

/// The first fault as the refusal of the whole.
pub(crate) fn refuse(faults: impl IntoIterator<Item = Fault>) -> Result<()> {
    match faults.into_iter().next() {
        None => Ok(()),
        Some(Fault { field, told }) => Err(Failure::Invalid(Problem {
            place: field.to_owned(),
            ..told.into()
        })),
    }
}

pub(crate) fn by_id(list: Vec<Organisation>) -> ById {
    list.into_iter().map(|o| (o.id.clone(), o)).collect()
}

/// A kind by its word or its name in Chinese; nothing said is a department.
pub(crate) fn kind(text: &str) -> std::result::Result<&'static str, Told> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(KINDS[0].0);
    }
    let found = KINDS
        .iter()
        .find(|(word, zh, _)| *word == text || *zh == text);
    found.map(|(word, _, _)| *word).ok_or_else(|| {
        let (zh, en): (Vec<_>, Vec<_>) = KINDS.iter().map(|(word, zh, _)| (*zh, *word)).unzip();
        Told::new(
            "organisation-kind",
            both(
                format!("没有“{}”这类单位", quote(text)),
                format!("\"{}\" is not a kind of organisation", quote(text)),
            ),
            both("类别", "kind"),
            both(
                format!("请填其中一个：{}", zh.join("、")),
                format!("use one of {}", en.join(", ")),
            ),
        )
    })
}

/// A name without white space around it.
pub(crate) fn clean_name(text: &str, chars_max: usize) -> std::result::Result<String, Told> {
    let text = text.trim();
    let count = text.chars().count();
    if (1..=chars_max).contains(&count) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Told::new(
        "name",
        if count == 0 {
            both("没有填名称", "the name is empty")
        } else {
            both(
                format!("“{}”不能用作名称", quote(text)),
                format!("\"{}\" is not a name", quote(text)),
            )
        },
        both("名称", "name"),
        both(
            format!("1 到 {chars_max} 个字，不含控制字符"),
            format!("use 1 to {chars_max} characters, none of them control characters"),
        ),
    ))
}

/// Whether a change touches what only the city profile may change.
pub(crate) fn is_anothers(known: &Organisation, row: &Organisation) -> bool {
    let profiles = |o: &Organisation| (o.name_zh.clone(), o.name_en.clone(), o.kind.clone());
    known.of_profile && profiles(known) != profiles(row)
}

pub(crate) fn of_profile(known: &Organisation) -> Told {
    let name = &known.name_zh;
    Told::new(
        "organisation-of-profile",
        both(
            format!("{name}来自城市档案，名称和类别以档案为准"),
            format!("{name} comes from the city profile, which says its names and its kind"),
        ),
        both("名称、类别", "name, kind"),
        both(
            "请工程师修改 city.toml（乡镇改地图图层）后重启",
            "have the engineer change city.toml (for a town, the map's layer) and start the city again",
        ),
    )
}

/// How a row does not fit with the others. `all` may hold the row itself as it was.
pub(crate) fn misfits(row: &Organisation, all: &ById, depth_max: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(code) = &row.credit_code
        && let Some(other) = all
            .values()
            .find(|o| o.id != row.id && o.credit_code.as_ref() == Some(code))
    {
        let told = Told::new(
            "credit-code-taken",
            both(
                format!("{}已用这个统一社会信用代码", other.name_zh),
                format!("{} has this unified social credit code", other.id),
            ),
            both("统一社会信用代码", "credit_code"),
            both(
                "请核对代码；同一单位不要登记两次",
                "check the code; the same organisation is not added twice",
            ),
        );
        faults.push(fault("credit_code", told));
    }
    let wrong_parent = |what, mend| {
        let told = Told::new(
            "organisation-parent",
            what,
            both("上级单位", "parent"),
            mend,
        );
        fault("parent", told)
    };
    let mut above = row.parent.clone();
    for _ in 0..depth_max {
        let Some(id) = above.take() else {
            return faults;
        };
        if id == row.id {
            faults.push(wrong_parent(
                both(
                    format!("{}成了自己的上级", row.name_zh),
                    format!("{} would stand above itself", row.id),
                ),
                both("请换一个上级单位", "choose another organisation above it"),
            ));
            return faults;
        }
        let Some(parent) = all.get(&id) else {
            faults.push(wrong_parent(
                both(
                    format!("没有单位“{}”", quote(&id)),
                    format!("there is no organisation \"{}\"", quote(&id)),
                ),
                both("请先登记上级单位", "add the organisation above it first"),
            ));
            return faults;
        };
        above.clone_from(&parent.parent);
    }
    if above.is_some() {
        faults.push(wrong_parent(
            both(
                format!("上级单位超过 {depth_max} 层"),
                format!("more than {depth_max} organisations stand above it"),
            ),
            both("请减少层级", "use fewer levels"),
        ));
    }
    faults
}

/// Writes a new organisation and its act.
pub(crate) async fn write_added(
    write: &mut Write,
    row: &Organisation,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    organisations::upsert(write, row).await?;
    let target = format!("organisation:{}", row.id);
    let detail = detail(row);
    audit::insert(write, now, actor, Event::OrganisationAdd, &target, &detail).await
}

/// Writes a changed organisation and its act.
pub(crate) async fn write_changed(
    write: &mut Write,
    row: &Organisation,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    organisations::upsert(write, row).await?;
    let target = format!("organisation:{}", row.id);
    let mut detail = detail(row);
    detail["disabled"] = row.disabled.into();
    audit::insert(
        write,
        now,
        actor,
        Event::OrganisationChange,
        &target,
        &detail,
    )
    .await
}

fn detail(row: &Organisation) -> Json {
    json!({
        "name_zh": row.name_zh,
        "kind": row.kind,
        "parent": row.parent,
        "credit_code": row.credit_code,
        "division": row.division,
    })
}
