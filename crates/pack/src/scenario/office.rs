//! The cases of a scenario: the production code of the crate `cases` over records of its own, which lie in a folder that goes
//! with the scenario. The one file of the scenarios that knows the calls of `cases` and `records`.

use crate::declare::STANDARD_WORKFLOW;
use crate::load::Pack;
use crate::scenario::grammar::cases::{Doing, File, Opening, UNNAMED};
use cases::{Act, CaseDetail, Cases, Catalogue, Left, Like, NewCase, Part, Signed, Taken, Ticked};
use model::{Calendars, Problem, Timestamp};
use records::alerts::{self, Alert};
use records::organisations::{self, Organisation};
use records::users::{self, NewUser};
use records::{Acting, Actor, Failure, Records, Secret};
use rules::{Raised, RuleEvent};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// As what somebody signs in a scenario (当事人).
const CAPACITY: &str = "party";
/// Files as the platform knows them by their first bytes.
const PHOTO: &[u8] = b"\xFF\xD8\xFF\xE0 a photo";
const DOCUMENT: &[u8] = b"%PDF-1.7 a document";
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n a signature";
/// A page of Ogg (RFC 3533) of one segment, whose packet opens Opus (RFC 7845).
const VOICE: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x08OpusHead";

/// The office in which a scenario's people work on cases.
pub(crate) struct Office {
    cases: Cases,
    records: Records,
    /// By what the steps call them.
    named: BTreeMap<String, i64>,
    /// The one that was opened last.
    last: Option<i64>,
    /// Goes last: the records lie in it.
    _folder: TempDir,
}

/// What an alert brings to the case that comes from it.
pub(crate) struct FromAlert<'a> {
    /// The alert.
    pub raised: &'a Raised,
    /// Where its entity is: longitude and latitude, degrees.
    pub place: Option<[f64; 2]>,
}

impl Office {
    /// Opens an office that follows the pack's workflows and classes.
    ///
    /// # Errors
    /// Workflows and classes that name a calendar which scenarios do not have; a folder that cannot be made.
    pub(crate) async fn open(pack: &Pack, calendars: Calendars) -> Result<Self, Problem> {
        let folder = tempfile::tempdir().map_err(|error| {
            Problem::new(
                "scenario-folder",
                format!("the folder of the scenario's cases cannot be made: {error}"),
                std::env::temp_dir().display().to_string(),
                "let the program write there, or set TMPDIR to a folder where it may",
            )
        })?;
        let path = folder.path().join("records.sqlite");
        let records = Records::open(&path).await.map_err(|f| told(&f))?;
        let options = cases::Options {
            calendars,
            catalogue: Catalogue::new(&pack.categories),
            ..cases::Options::new(folder.path().join("attachments"))
        };
        let cases = Cases::new(records.clone(), options, pack.workflows.clone());
        Ok(Self {
            cases: cases.map_err(|f| told(&f))?,
            records,
            named: BTreeMap::new(),
            last: None,
            _folder: folder,
        })
    }

    /// Whether a case was opened.
    pub(crate) fn is_busy(&self) -> bool {
        self.last.is_some()
    }

    /// Somebody begins to work, in a department or in none. Answers the id.
    ///
    /// # Errors
    /// `person-twice` for a name that is taken.
    pub(crate) async fn employ(
        &self,
        name: &str,
        organisation: Option<&str>,
        now: Timestamp,
    ) -> Result<i64, Problem> {
        let new = NewUser {
            username: name.to_owned(),
            name: name.to_owned(),
            role: "scenario".to_owned(),
            organisation_id: organisation.map(str::to_owned),
            // Nobody signs in here.
            password_hash: Secret::new(String::new()),
        };
        self.found(organisation).await?;
        let employed = async {
            let mut write = self.records.write().await?;
            let user = users::insert(&mut write, &new, now).await?;
            write.commit().await?;
            Ok(user)
        };
        let user = employed.await.map_err(|f: Failure| told(&f))?;
        user.map(|user| user.id).ok_or_else(|| {
            Problem::new(
                "person-twice",
                format!("{name} is there already"),
                "person",
                "give each person a name of their own",
            )
        })
    }

    /// A pack knows no city: a department is there when a step names it.
    async fn found<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), Problem> {
        let done = async {
            let mut write = self.records.write().await?;
            for name in names {
                if organisations::get(&mut write, name).await?.is_none() {
                    let row = Organisation::department(name, name, name);
                    organisations::upsert(&mut write, &row).await?;
                }
            }
            write.commit().await
        };
        done.await.map_err(|f| told(&f))
    }

    /// Opens a case. What its step calls it is its name from then on.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) async fn open_case(
        &mut self,
        opening: &Opening,
        from: Option<FromAlert<'_>>,
        by: &Acting,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let called = opening.called.as_deref().unwrap_or(UNNAMED);
        let title = opening.title.as_deref();
        let mut new = NewCase {
            title: title.unwrap_or_default().to_owned(),
            workflow: opening.workflow.clone(),
            category: opening.category.clone(),
            location: opening.place,
            ..NewCase::default()
        };
        if let Some(from) = from {
            // As over the platform's doors: the rule says the workflow, and of which class its alerts are.
            let alert = self.alert(&from, now).await.map_err(|f| told(&f))?;
            let of_rule = self.cases.options().catalogue.of_rule(&alert.rule_id);
            new.category = new.category.or_else(|| Some(of_rule?.code.clone()));
            new.workflow.clone_from(&from.raised.opens_case);
            new.alert_id = Some(alert.id);
        } else if title.is_none() {
            called.clone_into(&mut new.title);
        }
        new.workflow = new.workflow.filter(|name| name != STANDARD_WORKFLOW);
        let opened = self.cases.open(&new, by, now).await.map_err(|f| told(&f))?;
        self.last = Some(opened.case.id);
        self.named.insert(called.to_owned(), opened.case.id);
        Ok(())
    }

    /// The alert's row, which is written when a case is opened from it.
    async fn alert(&self, from: &FromAlert<'_>, now: Timestamp) -> Result<Alert, Failure> {
        let raised = from.raised;
        let row = Alert {
            id: 0,
            rule_id: raised.rule_id.clone(),
            rule_version: i64::from(raised.rule_version),
            entity_id: raised.entity_id.to_string(),
            entity_type: raised.entity_type.clone(),
            entity_name: None,
            attribute: raised.attribute.clone().unwrap_or_default(),
            value: raised.value.as_ref().and_then(model::Value::as_number),
            unit: raised.unit.clone(),
            threshold: raised.threshold.as_ref().and_then(model::Value::as_number),
            severity: raised.severity.as_str().to_owned(),
            title_zh: raised.title_zh.clone(),
            title_en: raised.title_en.clone(),
            lon: from.place.map(|place| place[0]),
            lat: from.place.map(|place| place[1]),
            observed_at: raised.at,
            raised_at: now,
            raised_position: raised.position.cast_signed(),
            cleared_at: None,
            cleared_position: None,
            acknowledged_at: None,
            acknowledged_by: None,
            case_id: None,
            decided: serde_json::json!([]),
        };
        let mut write = self.records.write().await?;
        let alert = match alerts::insert(&mut write, &row).await? {
            Some(alert) => Some(alert),
            // A case was opened from it before: that is for `cases` to say.
            None => alerts::active(&mut write, u32::MAX)
                .await?
                .into_iter()
                .find(|a| a.rule_id == row.rule_id && a.entity_id == row.entity_id),
        };
        write.commit().await?;
        alert.ok_or_else(|| Failure::not_found("alert", &row.rule_id))
    }

    /// Cases hear that their alerts are over.
    ///
    /// # Errors
    /// The store's own.
    pub(crate) async fn hear(&self, event: &RuleEvent, now: Timestamp) -> Result<(), Problem> {
        let RuleEvent::Cleared(cleared) = event else {
            return Ok(());
        };
        let heard = async {
            let mut write = self.records.write().await?;
            let position = cleared.position.cast_signed();
            let (rule, entity) = (&cleared.rule_id, cleared.entity_id.as_str());
            if let Some(alert) = alerts::clear(&mut write, rule, entity, position, now).await? {
                cases::note_cleared(&mut write, &alert, now).await?;
            }
            write.commit().await
        };
        heard.await.map_err(|f| told(&f))
    }

    /// What a step calls a case; the one that was opened last when it names none.
    ///
    /// # Errors
    /// `case-none`.
    pub(crate) fn named(&self, name: Option<&str>) -> Result<i64, Problem> {
        let found = match name {
            Some(name) => self.named.get(name).copied(),
            None => self.last,
        };
        found.ok_or_else(|| {
            let known: Vec<&str> = self.named.keys().map(String::as_str).collect();
            let mend = match known.as_slice() {
                [] => "open one first".to_owned(),
                known => format!("name one of {}", known.join(", ")),
            };
            let what = name.map_or("no case was opened".to_owned(), |name| {
                format!("no case is called {name}")
            });
            Problem::new("case-none", what, "case", mend)
        })
    }

    /// Does an action to a case. Its files are added first, as a phone does. Of a case that is split, the parts are called by
    /// its name with `-1`, `-2` …
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) async fn act(
        &mut self,
        doing: &Doing,
        assignee: Option<i64>,
        by: &Acting,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let id = self.named(doing.case.as_deref())?;
        let repeats = doing.repeats.as_deref();
        let repeats = repeats.map(|name| self.named(Some(name))).transpose()?;
        let departments = doing.organisation.iter().chain(&doing.parts);
        self.found(departments.map(String::as_str)).await?;
        let mut act = Act {
            action: doing.action.clone(),
            note: doing.note.clone(),
            organisation: doing.organisation.clone(),
            assignee,
            minutes: doing.minutes,
            until: doing.until,
            case: repeats,
            ..Act::default()
        };
        act.parts.extend(doing.parts.iter().map(|name| Part {
            organisation: name.clone(),
            ..Part::default()
        }));
        for file in &doing.files {
            let added = self.add(id, file, by, now).await;
            act.attachment_ids.push(added.map_err(|f| told(&f))?);
        }
        let done = self.cases.act(id, &act, by, now).await;
        let done = done.map_err(|f| told(&f))?;
        let whole = self.named.iter().find(|(_, of)| **of == id);
        if let Some((name, _)) = whole {
            let name = name.clone();
            for (n, part) in done.parts.iter().enumerate() {
                self.named.insert(format!("{name}-{}", n + 1), part.id);
            }
        }
        Ok(())
    }

    async fn add(&self, id: i64, file: &File, by: &Acting, now: Timestamp) -> Result<i64, Failure> {
        let mut taken = Taken::default();
        let (name, bytes) = match file {
            File::Photo => ("photo.jpg", PHOTO),
            File::Voice => ("voice.ogg", VOICE),
            File::Document => ("document.pdf", DOCUMENT),
            File::Signature(signer) => {
                taken.signed = Some(Signed {
                    signer: signer.clone(),
                    capacity: CAPACITY.to_owned(),
                    is_typed: false,
                });
                ("signature.png", SIGNATURE)
            }
        };
        let bytes = bytes.to_vec();
        let added = self.cases.attach_taken(id, name, bytes, &taken, by, now);
        Ok(added.await?.id)
    }

    /// What time alone does to cases by now.
    ///
    /// # Errors
    /// The store's own.
    pub(crate) async fn tick(&self, now: Timestamp) -> Result<Vec<Ticked>, Problem> {
        self.cases.tick(now).await.map_err(|f| told(&f))
    }

    /// What other steps call a case.
    pub(crate) fn name_of(&self, id: i64) -> &str {
        let mut all = self.named.iter();
        all.find(|(_, of)| **of == id)
            .map_or("a case", |(name, _)| name.as_str())
    }

    /// A case as it stands.
    ///
    /// # Errors
    /// `case-none`; the store's own.
    pub(crate) async fn case(&self, name: Option<&str>) -> Result<CaseDetail, Problem> {
        let id = self.named(name)?;
        // Whoever looks may do nothing; what is looked at is the same.
        let nobody = Acting {
            actor: Actor::system("scenario"),
            organisation_id: None,
            also: Vec::new(),
            permissions: Vec::new(),
        };
        self.cases.case(id, &nobody).await.map_err(|f| told(&f))
    }

    /// How much working time a case has left.
    pub(crate) fn left(&self, case: &CaseDetail, now: Timestamp) -> Option<Left> {
        self.cases.left(&case.case, now)
    }

    /// What the cases are called that a case may repeat, the nearest first, each with its distance in metres; none when it has
    /// no place.
    ///
    /// # Errors
    /// The store's own.
    pub(crate) async fn similar(&self, case: &CaseDetail) -> Result<Vec<(String, f64)>, Problem> {
        let Some(location) = case.case.location() else {
            return Ok(Vec::new());
        };
        let like = Like {
            location,
            category: case.case.category.clone(),
            except: Some(case.case.id),
            at: case.case.created_at,
        };
        let found = self.cases.similar(&like).await.map_err(|f| told(&f))?;
        let named = found
            .into_iter()
            .map(|similar| (self.name_of(similar.case.id).to_owned(), similar.metres));
        Ok(named.collect())
    }
}

fn told(failure: &Failure) -> Problem {
    failure.problem().cloned().unwrap_or_else(|| {
        Problem::new(
            "internal",
            failure.to_string(),
            "scenario",
            "tell the makers of the platform",
        )
    })
}
