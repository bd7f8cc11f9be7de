//! What a caller may do is what the policies say: the program's own (`policies/roles.cedar`), the packs', the city profile's and
//! those of who administers the city. Here the caller becomes what policies know of it.

use crate::principal::{Principal, PrincipalId};
use crate::separation::Administrator;
use crate::{Identity, Permission, Role};
use jiff::tz::TimeZone;
use model::{Problem, Shared, Timestamp};
use policy::{Access, Document, Engine, Facts, Kind, Limits, Live, Moment, Source, View, Who};
use records::policies::PolicyVersion;
use records::{Actor, Failure, PageRequest, Result};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The policies that hold, and by whose clock.
#[derive(Clone, Debug)]
pub(crate) struct Governing {
    pub live: Arc<Live>,
    pub zone: TimeZone,
    /// Whether policies decide over rows and columns too, and not over operations alone.
    pub rows: bool,
}

/// The program's own policies: what each role may do.
pub fn program() -> Document {
    Document {
        source: Source::Program,
        name: "roles".to_owned(),
        text: include_str!("../policies/roles.cedar").to_owned(),
    }
}

/// The words of all acts of the platform.
pub fn actions() -> Vec<String> {
    let words = Permission::ALL.iter().map(|p| p.as_str().to_owned());
    words.collect()
}

/// What each role may do by the program's own policies alone; nothing, should they not hold together (tested).
pub(crate) fn by_default() -> HashMap<Role, Vec<Permission>> {
    let Ok(own) = own() else {
        return HashMap::new();
    };
    let engine = own.live.engine();
    let moment = Moment {
        hour: 12,
        weekday: 1,
    };
    let granted = |role: Role| {
        let who = Who {
            kind: Kind::Person,
            name: String::new(),
            roles: vec![role.as_str().to_owned()],
            organisations: Vec::new(),
            posts: Vec::new(),
        };
        let all = Permission::ALL.iter().copied();
        let may = |p: &Permission| {
            let city = policy::What::City;
            engine.permits(&who, p.as_str(), &city, None, moment)
        };
        all.filter(may).collect()
    };
    Role::all().map(|role| (role, granted(role))).collect()
}

/// The program's own policies, over nothing but its own acts.
pub(crate) fn own() -> std::result::Result<Governing, Problem> {
    let facts = Facts {
        actions: actions(),
        ..Facts::default()
    };
    let live = Live::new(vec![program()], facts, Limits::default());
    let live = live.map_err(|mut problems| problems.remove(0))?;
    Ok(Governing {
        live: Arc::new(live),
        zone: TimeZone::UTC,
        rows: true,
    })
}

impl Principal {
    /// The caller as policies know it.
    pub fn who(&self) -> Who {
        let kind = match self.id {
            PrincipalId::User(_) => Kind::Person,
            PrincipalId::Token(_) => Kind::Machine,
        };
        let mut roles = vec![self.role.as_str().to_owned()];
        for post in &self.posts {
            let role = post.role.as_str();
            if !roles.iter().any(|known| known == role) {
                roles.push(role.to_owned());
            }
        }
        Who {
            kind,
            name: self.username.clone(),
            roles,
            organisations: self
                .organisations()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            posts: self.posts.iter().map(|p| p.post_id.clone()).collect(),
        }
    }
}

impl Identity {
    /// The same identity under these policies, read by the clock of this zone; without `rows` they decide over operations alone.
    #[must_use]
    pub fn governed_by(mut self, live: Arc<Live>, zone: TimeZone, rows: bool) -> Self {
        self.governing = Governing { live, zone, rows };
        self
    }

    /// The policies that hold.
    pub const fn policies(&self) -> &Arc<Live> {
        &self.governing.live
    }

    /// Whether policies decide over rows and columns too, and not over operations alone.
    pub const fn policies_decide_rows(&self) -> bool {
        self.governing.rows
    }

    /// The hour in which policies are asked.
    pub fn moment(&self, now: Timestamp) -> Moment {
        Moment::of(now, &self.governing.zone)
    }

    /// What a caller may see now, for a purpose when one is stated.
    pub fn view(&self, caller: &Principal, purpose: Option<&str>, now: Timestamp) -> Arc<View> {
        let moment = self.moment(now);
        self.governing.live.view(&caller.who(), purpose, moment)
    }

    /// A person as policies know them now.
    pub(crate) async fn known(
        &self,
        connection: &mut records::Connection,
        user: &records::users::User,
        now: Timestamp,
    ) -> Result<Principal> {
        let held = crate::posts::held_by(connection, user.id, now).await?;
        crate::sessions::principal_of(user, held)
    }

    /// A person by username, with what policies let them do at a time.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn person(&self, username: &str, at: Timestamp) -> Result<Principal> {
        let user = self.user_by_username(username).await?;
        let mut connection = self.records().read().await?;
        let known = self.known(&mut connection, &user, at).await?;
        Ok(self.permitted(known, at))
    }

    /// The caller with what the policies let it do now.
    pub(crate) fn permitted(&self, mut caller: Principal, now: Timestamp) -> Principal {
        let view = self.view(&caller, None, now);
        let all = Permission::ALL.iter().copied();
        caller.permissions = all.filter(|p| view.may(p.as_str())).collect();
        caller
    }
}

/// What a change of policies would do to one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The username.
    pub username: String,
    /// What the person could do from then on, in this hour.
    pub gained: Vec<String>,
    /// What the person could do no more.
    pub lost: Vec<String>,
    /// Attributes (`Type.attribute`) that the person would see otherwise than now: before and after.
    pub seen: Vec<(String, Access, Access)>,
}

/// Most attributes told of one person's effect.
const EFFECT_ATTRIBUTES_MAX: usize = 200;

/// What must stay in somebody's hands at every hour.
const NEVER_WITHOUT: [&str; 3] = ["policy.manage", "user.manage", "audit.read"];

impl Identity {
    /// Everybody whose sign-in is open, as policies know them.
    ///
    /// # Errors
    /// The store's own.
    pub async fn people(&self, now: Timestamp) -> Result<Vec<Who>> {
        let mut page = PageRequest {
            after: None,
            limit: Some(records::page::PAGE_ITEMS_MAX),
        };
        let mut people = Vec::new();
        let mut connection = self.records().read().await?;
        loop {
            let found = records::users::list(&mut connection, None, None, &page).await?;
            for user in found.items.iter().filter(|user| !user.disabled) {
                people.push(self.known(&mut connection, user, now).await?.who());
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => return Ok(people),
            }
        }
    }

    /// The policies as they would hold with these documents of the city in place of its present ones, checked as far as anything
    /// can be checked before.
    ///
    /// # Errors
    /// Every mistake; `policy-locks-out` when nobody could change them, manage users or read the audit trail at some hour;
    /// `policy-separation` when they give one person the parts of two administrators.
    pub async fn try_policies(
        &self,
        city: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<std::result::Result<Engine, Vec<Problem>>> {
        let live = self.policies();
        let before = live.engine();
        let mut documents = before.documents().to_vec();
        documents.retain(|document| document.source != Source::City);
        documents.extend(city.iter().map(|(name, text)| Document {
            source: Source::City,
            name: name.clone(),
            text: text.clone(),
        }));
        let engine = match Engine::new(documents, before.facts().clone(), live.limits()) {
            Ok(engine) => engine,
            Err(problems) => return Ok(Err(problems)),
        };
        let people = self.people(now).await?;
        // What nobody could do before is not lost by this change.
        let needed: Vec<&str> = NEVER_WITHOUT
            .into_iter()
            .filter(|word| before.check_nobody_is_locked_out(&people, &[word]).is_ok())
            .collect();
        if let Err(problem) = engine.check_nobody_is_locked_out(&people, &needed) {
            return Ok(Err(vec![problem]));
        }
        let problems: Vec<Problem> = engine
            .distinct(&people)
            .iter()
            .filter_map(|who| parts_are_separate(&engine, who).err())
            .collect();
        Ok(if problems.is_empty() {
            Ok(engine)
        } else {
            Err(problems)
        })
    }

    /// What these policies would change, by person.
    ///
    /// # Errors
    /// The store's own.
    pub async fn effect(&self, engine: &Shared<Engine>, now: Timestamp) -> Result<Vec<Effect>> {
        let before = self.policies().engine();
        let moment = self.moment(now);
        let mut effects = Vec::new();
        for who in self.people(now).await? {
            let [old, new] = [&before, engine]
                .map(|engine| View::new(engine.clone(), who.clone(), None, moment));
            let beyond = |a: &View, b: &View| {
                let words = a.permissions().difference(b.permissions());
                words.cloned().collect::<Vec<_>>()
            };
            let mut seen = Vec::new();
            for (kind, known) in &engine.facts().types {
                for attribute in &known.attributes {
                    let (was, is) = (
                        old.of(kind, attribute, None, None),
                        new.of(kind, attribute, None, None),
                    );
                    if was != is && seen.len() < EFFECT_ATTRIBUTES_MAX {
                        seen.push((format!("{kind}.{attribute}"), was, is));
                    }
                }
            }
            let effect = Effect {
                gained: beyond(&new, &old),
                lost: beyond(&old, &new),
                username: who.name,
                seen,
            };
            if !(effect.gained.is_empty() && effect.lost.is_empty() && effect.seen.is_empty()) {
                effects.push(effect);
            }
        }
        Ok(effects)
    }

    /// Asks that documents could take the place of the city's own now, for a reason.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with the first mistake (see [`Identity::try_policies`] for all); `policy-reason` without a reason;
    /// [`Failure::Conflict`] `policy-unchanged` when they hold already, and `policy-version` when others were made since `expected`.
    pub async fn check_change(
        &self,
        city: &BTreeMap<String, String>,
        reason: &str,
        expected: Option<i64>,
        now: Timestamp,
    ) -> Result<Engine> {
        let length = reason.trim().chars().count();
        if !(1..=REASON_CHARS_MAX).contains(&length) {
            return Err(Failure::Invalid(Problem::new(
                "policy-reason",
                format!("the reason has {length} characters"),
                "reason",
                format!("say in 1 to {REASON_CHARS_MAX} characters why the policies change"),
            )));
        }
        let engine = self.try_policies(city, now).await?;
        let engine = engine.map_err(|mut problems| Failure::Invalid(problems.remove(0)))?;
        let (version, old) = self.city_policies().await?;
        changed(version, &old, city, expected)?;
        Ok(engine)
    }

    /// Lets other documents of the city hold from now on, in the transaction of the audit act.
    ///
    /// # Errors
    /// As [`Identity::check_change`].
    pub async fn change_policies(
        &self,
        city: &BTreeMap<String, String>,
        reason: &str,
        expected: Option<i64>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<PolicyVersion> {
        let engine = self.check_change(city, reason, expected, now).await?;
        let reason = reason.trim();
        let mut write = self.records().write().await?;
        let before = records::policies::newest(&mut write).await?;
        let version = before.as_ref().map_or(0, |version| version.id);
        let old = before.as_ref().map(documents_of).transpose()?;
        // Looked at again where nobody else can change them.
        let changed = changed(version, &old.unwrap_or_default(), city, expected)?;
        let text = serde_json::to_string(city).map_err(Failure::internal)?;
        let made = records::policies::insert(&mut write, now, &actor.name, reason, &text).await?;
        let digests: BTreeMap<&String, String> = city
            .iter()
            .map(|(name, text)| (name, hex::encode(gm::sm3(text.as_bytes()))))
            .collect();
        let detail =
            json!({"version": made.id, "reason": reason, "documents": digests, "changed": changed});
        records::audit::insert(
            &mut write,
            now,
            actor,
            records::Event::PolicyChange,
            &format!("policy:{}", made.id),
            &detail,
        )
        .await?;
        write.commit().await?;
        self.policies().replace(engine);
        Ok(made)
    }

    /// The documents of the city that hold, by name.
    ///
    /// # Errors
    /// The store's own.
    pub async fn city_policies(&self) -> Result<(i64, BTreeMap<String, String>)> {
        let newest = records::policies::newest(&mut *self.records().read().await?).await?;
        newest.map_or(Ok((0, BTreeMap::new())), |version| {
            Ok((version.id, documents_of(&version)?))
        })
    }

    /// Takes over the documents of the city from the records, where another process changed them.
    ///
    /// # Errors
    /// The store's own; [`Failure::Invalid`] when they do not fit this program, and what held goes on holding.
    pub async fn reload_policies(&self) -> Result<()> {
        let (_, city) = self.city_policies().await?;
        let live = self.policies();
        let before = live.engine();
        let mut documents = before.documents().to_vec();
        documents.retain(|document| document.source != Source::City);
        documents.extend(city.into_iter().map(|(name, text)| Document {
            source: Source::City,
            name,
            text,
        }));
        if documents != before.documents() {
            let engine = Engine::new(documents, before.facts().clone(), live.limits());
            live.replace(engine.map_err(|mut problems| Failure::Invalid(problems.remove(0)))?);
        }
        Ok(())
    }
}

/// The names of documents that are new, changed or gone.
fn changed(
    version: i64,
    old: &BTreeMap<String, String>,
    city: &BTreeMap<String, String>,
    expected: Option<i64>,
) -> Result<Vec<String>> {
    if expected.is_some_and(|expected| expected != version) {
        return Err(Failure::Conflict(Problem::new(
            "policy-version",
            format!("the policies were changed meanwhile: version {version} holds"),
            "version",
            "look at what holds now, and change that",
        )));
    }
    let mut changed: Vec<String> = city
        .iter()
        .filter(|(name, text)| old.get(*name) != Some(text))
        .map(|(name, _)| name.clone())
        .collect();
    changed.extend(old.keys().filter(|name| !city.contains_key(*name)).cloned());
    if changed.is_empty() {
        return Err(Failure::Conflict(Problem::new(
            "policy-unchanged",
            "these policies hold already",
            "documents",
            "change something, or leave it",
        )));
    }
    Ok(changed)
}

/// Longest reason for a change, in characters.
const REASON_CHARS_MAX: usize = 500;

/// The documents of a version, by name.
///
/// # Errors
/// When the row does not hold what was written.
pub fn documents_of(version: &PolicyVersion) -> Result<BTreeMap<String, String>> {
    serde_json::from_str(&version.documents).map_err(Failure::internal)
}

/// Asks that nobody holds the parts of two administrators, at any hour.
fn parts_are_separate(engine: &Engine, who: &Who) -> std::result::Result<(), Problem> {
    let may =
        |word: &str, moment: Moment| engine.permits(who, word, &policy::What::City, None, moment);
    for moment in engine.moments() {
        let has_part = |administrator: &Administrator| {
            let mut part = administrator.part().iter();
            part.any(|permission| may(permission.as_str(), moment))
        };
        let held = Administrator::ALL.iter().filter(|a| has_part(a));
        let held: Vec<&str> = held.map(|a| a.role().as_str()).collect();
        if held.len() > 1 {
            return Err(Problem::new(
                "policy-separation",
                format!(
                    "{} would have the parts of {}",
                    who.name,
                    held.join(" and ")
                ),
                "policies",
                "give the three administrators' parts to three people",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(permission: Permission) -> Vec<&'static str> {
        let may = |role: &Role| role.permissions().contains(&permission);
        Role::all().filter(may).map(Role::as_str).collect()
    }

    #[test]
    fn the_dangerous_permissions_are_where_they_should_be() {
        use Permission::*;
        for only_admin in [UserManage, TokenManage, DeviceManage, PackManage] {
            assert_eq!(holders(only_admin), ["admin"], "{only_admin}");
        }
        for only_security in [RoleGrant, PolicyRead, PolicyManage, SecurityRead, KeyManage] {
            assert_eq!(holders(only_security), ["security"], "{only_security}");
        }
        assert_eq!(holders(AuditRead), ["auditor"]);
        assert_eq!(holders(ApprovalDecide), ["admin", "security", "auditor"]);
        assert_eq!(holders(IngestWrite), ["collector"]);
        assert_eq!(holders(RequestRead), ["channel"]);
        assert_eq!(holders(RequestReport), ["channel"]);
        assert_eq!(holders(CaseDispatch), ["duty"]);
        assert_eq!(holders(CaseVerify), ["duty"]);
        assert_eq!(holders(CaseHandle), ["operator", "field"]);
        assert_eq!(holders(IndicatorReport), ["operator", "planner"]);
        assert_eq!(holders(IndicatorApprove), ["operator", "planner"]);
        assert_eq!(holders(IndicatorLock), ["planner"]);
        assert_eq!(holders(DataCorrect), ["duty", "planner"]);
        assert_eq!(holders(SqlQuery), ["duty", "planner", "analyst"]);
        assert_eq!(holders(TableImport), ["planner", "analyst"]);
        assert_eq!(holders(TableRemove), ["planner"]);
        assert_eq!(
            holders(OrganisationRead),
            ["admin", "security", "duty", "operator", "planner"]
        );
        assert_eq!(holders(PersonalReveal), ["duty", "operator"]);
        assert_eq!(holders(PersonalExport), ["duty"]);
        for permission in Permission::ALL {
            assert!(!holders(*permission).is_empty(), "{permission}");
        }
    }
}
