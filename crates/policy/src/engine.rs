//! The judge: policies that hold together with what is known of the city. It is made anew when either changes.

use crate::documents::{Document, Stated, understand};
use crate::facts::{Facts, Kind, Moment, What, Who};
use crate::{Limits, schema};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};
use model::Problem;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

/// How long a chain of organisations or divisions is followed; a longer one is cut.
const PARENTS_MAX: usize = 16;

/// What policies said of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it is permitted.
    pub permitted: bool,
    /// The policies that decided: those that forbid, when there are any; else those that permit. None: nothing permits it.
    pub by: Vec<String>,
    /// Policies that could not be evaluated; they count as not there.
    pub failed: Vec<String>,
}

/// Policies with what is known of the city.
pub struct Engine {
    documents: Vec<Document>,
    stated: BTreeMap<String, Stated>,
    set: PolicySet,
    facts: Facts,
    names: Names,
    /// The city and every act, which all questions share.
    shared: Vec<Entity>,
    /// Whether a policy asks where an entity stands.
    pub asks_division: bool,
    /// Whether a policy asks whose an entity is.
    pub asks_owner: bool,
    /// Whether a policy about reading may tell one value from another; else all of them or none may be seen.
    pub asks_values: bool,
    asks_time: bool,
    asks_name: bool,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} policies)", self.stated.len())
    }
}

/// The names of Cedar's types, parsed once.
struct Names(HashMap<&'static str, EntityTypeName>);

impl Names {
    fn new() -> Result<Self, Problem> {
        let words = [
            "Division",
            "Organisation",
            "Role",
            "Post",
            "Person",
            "Machine",
            "City",
            "Pack",
            "EntityType",
            "Datum",
            "Table",
            "Case",
            "Action",
        ];
        let mut names = HashMap::new();
        for word in words {
            let name = EntityTypeName::from_str(word).map_err(internal)?;
            names.insert(word, name);
        }
        Ok(Self(names))
    }

    fn uid(&self, kind: &'static str, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.0[kind].clone(), EntityId::new(id))
    }
}

fn internal(error: impl std::fmt::Display) -> Problem {
    Problem::new(
        "policy-engine",
        error.to_string(),
        "policies",
        "report this: the policy engine refused its own facts",
    )
}

/// The entities of one question: each once, with all that it is in.
struct Asked<'a> {
    engine: &'a Engine,
    entities: Vec<Entity>,
    known: HashSet<EntityUid>,
}

impl Asked<'_> {
    fn add(
        &mut self,
        uid: EntityUid,
        attributes: HashMap<String, RestrictedExpression>,
        parents: HashSet<EntityUid>,
    ) -> Result<(), Problem> {
        if self.known.insert(uid.clone()) {
            self.entities
                .push(Entity::new(uid, attributes, parents).map_err(internal)?);
        }
        Ok(())
    }

    /// An organisation or division with those above it.
    fn chain(
        &mut self,
        kind: &'static str,
        id: &str,
        above: &BTreeMap<String, Option<String>>,
    ) -> Result<EntityUid, Problem> {
        let first = self.engine.names.uid(kind, id);
        let mut at = id.to_owned();
        for _ in 0..PARENTS_MAX {
            let parent = above.get(&at).cloned().flatten();
            let parents = parent.iter().map(|p| self.engine.names.uid(kind, p));
            let uid = self.engine.names.uid(kind, &at);
            if self.known.contains(&uid) {
                break;
            }
            self.add(uid, HashMap::new(), parents.collect())?;
            match parent {
                // Whoever is above itself is above nobody: the chain must end.
                Some(parent) if parent != id => at = parent,
                _ => break,
            }
        }
        Ok(first)
    }

    fn organisation(&mut self, id: &str) -> Result<EntityUid, Problem> {
        let engine = self.engine;
        self.chain("Organisation", id, &engine.facts.organisations)
    }

    fn principal(&mut self, who: &Who) -> Result<EntityUid, Problem> {
        let names = &self.engine.names;
        let kind = match who.kind {
            Kind::Person => "Person",
            Kind::Machine => "Machine",
        };
        let uid = names.uid(kind, &who.name);
        let mut parents = HashSet::new();
        for role in &who.roles {
            let role = names.uid("Role", role);
            self.add(role.clone(), HashMap::new(), HashSet::new())?;
            parents.insert(role);
        }
        if who.kind == Kind::Person {
            for organisation in &who.organisations {
                parents.insert(self.organisation(organisation)?);
            }
            for post in &who.posts {
                let above = self.engine.facts.posts.get(post).cloned();
                let mut above_post = HashSet::new();
                if let Some(organisation) = above {
                    above_post.insert(self.organisation(&organisation)?);
                }
                let post = self.engine.names.uid("Post", post);
                self.add(post.clone(), HashMap::new(), above_post)?;
                parents.insert(post);
            }
        }
        let attributes = HashMap::from([("name".to_owned(), text(&who.name))]);
        self.add(uid.clone(), attributes, parents)?;
        Ok(uid)
    }

    fn resource(&mut self, what: &What<'_>) -> Result<EntityUid, Problem> {
        let engine = self.engine;
        let names = &engine.names;
        match what {
            What::City => Ok(names.uid("City", "city")),
            What::Datum {
                entity_type,
                attribute,
                division,
                owner,
            } => {
                let known = engine.facts.types.get(*entity_type);
                let mut parents = HashSet::new();
                let type_uid = names.uid("EntityType", entity_type);
                let mut above_type = HashSet::new();
                if let Some(known) = known.filter(|known| !known.pack.is_empty()) {
                    let pack = names.uid("Pack", &known.pack);
                    let mut above_pack = HashSet::new();
                    if let Some(owner) = &known.owner {
                        above_pack.insert(self.organisation(owner)?);
                    }
                    self.add(pack.clone(), HashMap::new(), above_pack)?;
                    // Who owns a single entity stands for its type's owner, so the pack does not lead there then.
                    if owner.is_none() {
                        above_type.insert(pack);
                    }
                }
                self.add(type_uid.clone(), HashMap::new(), above_type)?;
                parents.insert(type_uid);
                if let Some(division) = division {
                    parents.insert(self.chain("Division", division, &engine.facts.divisions)?);
                }
                if let Some(owner) = owner {
                    parents.insert(self.organisation(owner)?);
                }
                let personal = known.and_then(|known| known.personal.get(*attribute));
                let attributes = HashMap::from([
                    ("type".to_owned(), text(entity_type)),
                    ("attribute".to_owned(), text(attribute)),
                    (
                        "personal".to_owned(),
                        text(personal.copied().unwrap_or("none")),
                    ),
                ]);
                let uid = names.uid("Datum", "asked");
                self.add(uid.clone(), attributes, parents)?;
                Ok(uid)
            }
            What::Table { name, organisation } => {
                let mut parents = HashSet::new();
                if let Some(organisation) = organisation {
                    parents.insert(self.organisation(organisation)?);
                }
                let attributes = HashMap::from([("name".to_owned(), text(name))]);
                let uid = names.uid("Table", name);
                self.add(uid.clone(), attributes, parents)?;
                Ok(uid)
            }
            What::Case { organisation } => {
                let mut parents = HashSet::new();
                if let Some(organisation) = organisation {
                    parents.insert(self.organisation(organisation)?);
                }
                let uid = names.uid("Case", "asked");
                self.add(uid.clone(), HashMap::new(), parents)?;
                Ok(uid)
            }
        }
    }
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

impl Engine {
    /// Makes policies hold.
    ///
    /// # Errors
    /// Every mistake of the documents, with line and column.
    pub fn new(
        documents: Vec<Document>,
        facts: Facts,
        limits: &Limits,
    ) -> Result<Self, Vec<Problem>> {
        let one = |problem| vec![problem];
        let understood = understand(&documents, &facts.actions, limits)?;
        let names = Names::new().map_err(one)?;
        let mut shared = vec![Entity::new_no_attrs(
            names.uid("City", "city"),
            HashSet::new(),
        )];
        for action in &facts.actions {
            shared.push(Entity::new_no_attrs(
                names.uid("Action", action),
                HashSet::new(),
            ));
        }
        Ok(Self {
            set: understood.set,
            stated: understood.stated,
            asks_division: understood.asks_division,
            asks_owner: understood.asks_owner,
            asks_values: understood.asks_values,
            asks_time: understood.asks_time,
            asks_name: understood.asks_name,
            documents,
            facts,
            names,
            shared,
        })
    }

    /// The documents.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// What is known of the city.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A policy by its id.
    pub fn stated(&self, id: &str) -> Option<&Stated> {
        self.stated.get(id)
    }

    /// All policies, by id.
    pub fn all(&self) -> impl Iterator<Item = &Stated> {
        self.stated.values()
    }

    /// Policies that permit an act, to whomever.
    pub fn permitting<'a>(&'a self, action: &'a str) -> impl Iterator<Item = &'a Stated> {
        let quoted = format!("Action::\"{action}\"");
        self.stated.values().filter(move |policy| {
            policy.permits && (policy.text.contains(&quoted) || !policy.text.contains("Action::"))
        })
    }

    /// What policies say.
    ///
    /// # Errors
    /// `policy-engine` when the facts do not fit together.
    pub fn judge(
        &self,
        who: &Who,
        action: &str,
        what: &What<'_>,
        purpose: Option<&str>,
        moment: Moment,
    ) -> Result<Judgement, Problem> {
        let mut asked = Asked {
            engine: self,
            entities: Vec::with_capacity(16),
            known: HashSet::new(),
        };
        let principal = asked.principal(who)?;
        let resource = asked.resource(what)?;
        let action_uid = self.names.uid("Action", action);
        let mut pairs = vec![
            (
                "hour".to_owned(),
                RestrictedExpression::new_long(i64::from(moment.hour)),
            ),
            (
                "weekday".to_owned(),
                RestrictedExpression::new_long(i64::from(moment.weekday)),
            ),
        ];
        if let Some(purpose) = purpose {
            pairs.push(("purpose".to_owned(), text(purpose)));
        }
        let context = Context::from_pairs(pairs).map_err(internal)?;
        let request = Request::new(principal, action_uid.clone(), resource, context, None)
            .map_err(internal)?;
        let shared = self
            .shared
            .iter()
            .filter(|e| e.uid() == action_uid || (e.uid().type_name() == &self.names.0["City"]));
        asked.entities.extend(shared.cloned());
        let entities = Entities::from_entities(asked.entities, None).map_err(internal)?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let mut by: Vec<String> = response
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect();
        by.sort();
        let failed = response.diagnostics().errors().map(ToString::to_string);
        Ok(Judgement {
            permitted: response.decision() == Decision::Allow,
            by,
            failed: failed.collect(),
        })
    }

    /// Whether policies permit it; what cannot be judged is not permitted.
    pub fn permits(
        &self,
        who: &Who,
        action: &str,
        what: &What<'_>,
        purpose: Option<&str>,
        moment: Moment,
    ) -> bool {
        self.judge(who, action, what, purpose, moment)
            .is_ok_and(|judgement| judgement.permitted)
    }

    /// The acts upon the city that are permitted, in the order of the words.
    pub fn permissions(&self, who: &Who, moment: Moment) -> Vec<String> {
        let permitted = |action: &&String| self.permits(who, action, &What::City, None, moment);
        self.facts
            .actions
            .iter()
            .filter(permitted)
            .cloned()
            .collect()
    }

    /// The hours of the week that policies tell apart: all, or one for all.
    pub fn moments(&self) -> impl Iterator<Item = Moment> {
        let count = if self.asks_time { usize::MAX } else { 1 };
        Moment::all().take(count)
    }

    /// Of people whom policies cannot tell apart, one each.
    pub fn distinct(&self, people: &[Who]) -> Vec<Who> {
        let mut seen = HashSet::new();
        let key = |who: &Who| Who {
            name: String::new(),
            ..who.clone()
        };
        people
            .iter()
            .filter(|who| self.asks_name || seen.insert(key(who)))
            .cloned()
            .collect()
    }

    /// Asks that somebody can still do each of these acts at every hour of the week, so that no change of policy locks
    /// everybody out.
    ///
    /// # Errors
    /// `policy-locks-out`, which names the act and the first hour without anybody.
    pub fn check_nobody_is_locked_out(
        &self,
        people: &[Who],
        needed: &[&str],
    ) -> Result<(), Problem> {
        let people = self.distinct(people);
        for action in needed {
            let open = |moment: Moment| {
                people
                    .iter()
                    .any(|who| self.permits(who, action, &What::City, None, moment))
            };
            if let Some(moment) = self.moments().find(|moment| !open(*moment)) {
                let what = format!(
                    "with these policies nobody may {action} on weekday {} from {}:00 to {}:00 (city time)",
                    moment.weekday,
                    moment.hour,
                    moment.hour + 1
                );
                return Err(Problem::new(
                    "policy-locks-out",
                    what,
                    "policies",
                    "keep a policy that permits it to somebody whose sign-in is open at every hour, and none that forbids it to all of them",
                ));
            }
        }
        Ok(())
    }

    /// Whether the schema knows this act.
    pub fn knows(&self, action: &str) -> bool {
        self.facts.actions.iter().any(|a| a == action)
    }

    /// The schema as text.
    pub fn schema(&self) -> String {
        schema::text(&self.facts.actions)
    }
}
