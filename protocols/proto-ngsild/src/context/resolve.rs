//! Context documents → a flat map (JSON-LD 1.1, 4.1 and 5.1, of which NGSI-LD leaves out what could change the core: clause 5.5.7).
//! Documents by address are asked of the caller: what it does not have yet is named, all of it at once, and it asks again.

use super::core::{CORE, is_core_address};
use super::{Coercion, Container, Context, Iri, PREFIX_ENDS, Term};
use crate::refusal::{ErrorType, Refusal, bad};
use crate::words::is_uri;
use model::problem::{both, quote};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Limits of one context. What is beyond them is refused with a problem that names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextLimits {
    /// Deepest way from a document to one that it names (default 8).
    pub depth_max: usize,
    /// Most documents and arrays looked into, a document as often as it is named (default 64).
    pub documents_max: usize,
    /// Most terms (default 20,000: the largest published contexts have some 5,000).
    pub terms_max: usize,
    /// Longest chain of terms that are defined by others (default 16).
    pub chain_max: usize,
}

impl Default for ContextLimits {
    fn default() -> Self {
        Self {
            depth_max: 8,
            documents_max: 64,
            terms_max: 20_000,
            chain_max: 16,
        }
    }
}

/// What became of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// All of it is known.
    Whole(Arc<Context>),
    /// These documents are needed first, by address.
    Needs(Vec<String>),
}

/// Resolves the value of an `@context`, or of a link to one as text. `document` gives what is known of an address: the whole
/// document, with its `@context` inside.
///
/// # Errors
/// `BadRequestData` for what is no context or may not be part of one, or is beyond a limit.
pub fn resolve(
    json: &Value,
    document: &dyn Fn(&str) -> Option<Arc<Value>>,
    limits: &ContextLimits,
) -> Result<Resolved, Refusal> {
    let mut making = Making {
        document,
        limits,
        context: Context::empty(),
        needs: BTreeSet::new(),
        way: Vec::new(),
        looked_into: 0,
    };
    making.add(json)?;
    if !making.needs.is_empty() {
        return Ok(Resolved::Needs(making.needs.into_iter().collect()));
    }
    let mut context = making.context;
    if context.is_empty() {
        return Ok(Resolved::Whole(Context::core()));
    }
    context.index(|term| CORE.terms.contains_key(term));
    Ok(Resolved::Whole(Arc::new(context)))
}

struct Making<'a> {
    document: &'a dyn Fn(&str) -> Option<Arc<Value>>,
    limits: &'a ContextLimits,
    context: Context,
    needs: BTreeSet<String>,
    /// The addresses on the way to where we are.
    way: Vec<String>,
    looked_into: usize,
}

fn beyond(limit: &str, max: usize) -> Refusal {
    bad(
        "context-limit",
        "@context",
        (
            format!("@context 超过限制：{limit} 最多 {max}"),
            format!("the context is beyond the limit {limit}, {max}"),
        ),
        ("请用更小的 @context", "use a smaller context"),
    )
}

fn not_allowed(term: &str, zh: &str, en: &str) -> Refusal {
    let shown = quote(term);
    bad(
        "context-not-allowed",
        "@context",
        (format!("“{shown}”：{zh}"), format!("\"{shown}\": {en}")),
        (
            "用户 @context 只能是术语到 IRI 的平面对照表（5.5.7）",
            "a user's context is a flat map from terms to IRIs (clause 5.5.7)",
        ),
    )
}

impl Making<'_> {
    fn add(&mut self, json: &Value) -> Result<(), Refusal> {
        self.looked_into += 1;
        if self.looked_into > self.limits.documents_max {
            return Err(beyond("documents_max", self.limits.documents_max));
        }
        match json {
            Value::Null => {
                self.context = Context::empty();
                Ok(())
            }
            Value::Array(items) => items.iter().try_for_each(|item| match item {
                Value::Array(_) => Err(not_allowed(
                    "[[]]",
                    "数组中不能再有数组",
                    "an array stands in an array",
                )),
                item => self.add(item),
            }),
            Value::String(address) => self.add_address(address),
            Value::Object(terms) => self.add_terms(terms),
            Value::Bool(_) | Value::Number(_) => {
                let shown = json.to_string();
                Err(not_allowed(&shown, "不是 @context", "is no context"))
            }
        }
    }

    fn add_address(&mut self, address: &str) -> Result<(), Refusal> {
        if is_core_address(address) {
            return Ok(());
        }
        if !address.starts_with("http://") && !address.starts_with("https://") && !is_uri(address) {
            return Err(not_allowed(
                address,
                "@context 的地址必须完整",
                "the address of a context must be whole",
            ));
        }
        if self.way.iter().any(|one| one == address) {
            return Err(not_allowed(
                address,
                "@context 引用了自己",
                "the context names itself, through others or at once",
            ));
        }
        if self.way.len() >= self.limits.depth_max {
            return Err(beyond("depth_max", self.limits.depth_max));
        }
        let Some(document) = (self.document)(address) else {
            self.needs.insert(address.to_owned());
            return Ok(());
        };
        let Some(inner) = document.get("@context") else {
            return Err(not_allowed(
                address,
                "这个文档里没有 @context",
                "the document has no @context in it",
            ));
        };
        self.way.push(address.to_owned());
        self.add(inner)?;
        self.way.pop();
        Ok(())
    }

    fn add_terms(&mut self, terms: &Map<String, Value>) -> Result<(), Refusal> {
        for keyword in ["@import", "@context"] {
            if terms.contains_key(keyword) {
                return Err(not_allowed(
                    keyword,
                    "不支持",
                    "is not allowed in a user's context",
                ));
            }
        }
        match terms.get("@vocab") {
            None => {}
            Some(Value::Null) => self.context.vocab = None,
            Some(Value::String(text)) => {
                let iri = if text.is_empty() {
                    Arc::from(self.context.vocab())
                } else {
                    self.context.expand(text)
                };
                self.context.vocab = Some(iri);
            }
            Some(other) => {
                return Err(not_allowed(
                    "@vocab",
                    "必须是 IRI",
                    &format!("is {other} and not an IRI"),
                ));
            }
        }
        let mut defining = Defining {
            terms,
            done: HashSet::new(),
            chain: Vec::new(),
        };
        for term in terms.keys().filter(|term| !term.starts_with('@')) {
            self.define(term, &mut defining)?;
            if self.context.terms.len() > self.limits.terms_max {
                return Err(beyond("terms_max", self.limits.terms_max));
            }
        }
        Ok(())
    }

    /// Defines a term of an object, those first by which it is defined.
    fn define<'t>(&mut self, term: &'t str, defining: &mut Defining<'t>) -> Result<(), Refusal> {
        if defining.done.contains(term) {
            return Ok(());
        }
        if defining.chain.contains(&term) {
            return Err(not_allowed(
                term,
                "术语的定义绕成了圈",
                "the term is defined by itself",
            ));
        }
        if defining.chain.len() >= self.limits.chain_max {
            return Err(beyond("chain_max", self.limits.chain_max));
        }
        let Some((term, json)) = defining.terms.get_key_value(term) else {
            return Ok(());
        };
        if term.is_empty() {
            return Err(not_allowed(term, "术语不能为空", "a term may not be empty"));
        }
        defining.chain.push(term);
        let made = match json {
            Value::Null => Term {
                iri: None,
                coercion: Coercion::None,
                container: None,
                is_prefix: false,
            },
            Value::String(iri) => {
                let iri = self.iri(term, iri, defining)?;
                Term {
                    is_prefix: iri.ends_with(PREFIX_ENDS),
                    iri: Some(iri),
                    coercion: Coercion::None,
                    container: None,
                }
            }
            Value::Object(members) => self.whole_definition(term, members, defining)?,
            _ => {
                return Err(not_allowed(
                    term,
                    "定义必须是 IRI 或对象",
                    "is defined by neither an IRI nor an object",
                ));
            }
        };
        defining.chain.pop();
        defining.done.insert(term);
        self.context.terms.insert(Arc::from(term.as_str()), made);
        Ok(())
    }

    fn whole_definition<'t>(
        &mut self,
        term: &'t str,
        members: &'t Map<String, Value>,
        defining: &mut Defining<'t>,
    ) -> Result<Term, Refusal> {
        if members.contains_key("@context") {
            return Err(not_allowed(
                term,
                "不能有作用域 @context",
                "has a scoped context",
            ));
        }
        if members.contains_key("@reverse") {
            return Err(not_allowed(
                term,
                "不支持 @reverse",
                "is defined with @reverse",
            ));
        }
        let iri = match members.get("@id") {
            None => Some(self.iri(term, term, defining)?),
            Some(Value::Null) => None,
            Some(Value::String(iri)) => Some(self.iri(term, iri, defining)?),
            Some(_) => return Err(not_allowed(term, "@id 必须是 IRI", "its @id is not an IRI")),
        };
        let coercion = match members.get("@type") {
            None => Coercion::None,
            Some(Value::String(kind)) => match kind.as_str() {
                "@id" => Coercion::Id,
                "@vocab" => Coercion::Vocab,
                "@json" => Coercion::Json,
                "@none" => Coercion::None,
                kind => Coercion::Type(self.iri("", kind, defining)?),
            },
            Some(_) => {
                return Err(not_allowed(
                    term,
                    "@type 必须是 IRI",
                    "its @type is not an IRI",
                ));
            }
        };
        let container = match members.get("@container") {
            Some(Value::String(container)) => Some(container_of(container)),
            Some(Value::Array(several)) => several
                .iter()
                .filter_map(Value::as_str)
                .map(container_of)
                .next(),
            _ => None,
        };
        let is_prefix = members.get("@prefix") == Some(&Value::Bool(true));
        Ok(Term {
            iri,
            coercion,
            container,
            is_prefix,
        })
    }

    /// The IRI that a definition names: a term of the same object is defined first. `own` is the term that is defined, which by its
    /// own name is a prefixed name or lies in the vocabulary.
    fn iri<'t>(
        &mut self,
        own: &str,
        text: &'t str,
        defining: &mut Defining<'t>,
    ) -> Result<Iri, Refusal> {
        if text.starts_with('@') {
            return match text {
                "@id" | "@type" | "@graph" | "@value" | "@language" | "@list" | "@set"
                | "@none" | "@json" | "@index" => Ok(Arc::from(text)),
                _ => Err(not_allowed(
                    text,
                    "不是 JSON-LD 关键字",
                    "is no keyword of JSON-LD",
                )),
            };
        }
        if text != own && defining.terms.contains_key(text) {
            self.define(text, defining)?;
        }
        if let Some((prefix, _)) = text.split_once(':')
            && defining.terms.contains_key(prefix)
        {
            self.define(prefix, defining)?;
        }
        if text != own {
            return Ok(self.context.expand(text));
        }
        // A term that is defined by its own name: what stood before under that name does not count.
        let before = self.context.terms.remove(text);
        let iri = self.context.expand(text);
        if let Some(before) = before {
            self.context.terms.insert(Arc::from(text), before);
        }
        Ok(iri)
    }
}

/// One object of terms while it is looked into.
struct Defining<'t> {
    terms: &'t Map<String, Value>,
    done: HashSet<&'t str>,
    chain: Vec<&'t str>,
}

fn container_of(word: &str) -> Container {
    match word {
        "@list" => Container::List,
        "@set" => Container::Set,
        "@language" => Container::Language,
        "@index" => Container::Index,
        _ => Container::Other,
    }
}

/// The refusal when a document could not be had (clause 5.5.6).
pub fn not_available(address: &str, why: &str) -> Refusal {
    Refusal::new(
        ErrorType::LdContextNotAvailable,
        "context-not-available",
        both(
            format!("取不到 @context：{why}"),
            format!("the context cannot be had: {why}"),
        ),
        quote(address).as_str(),
        both(
            "请检查地址，或请管理员把它预先放进城市的 @context 文件夹",
            "check the address, or have the city's administrator put the document into its folder of contexts",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn none(_: &str) -> Option<Arc<Value>> {
        None
    }

    fn whole(json: &Value) -> Arc<Context> {
        match resolve(json, &none, &ContextLimits::default()).unwrap() {
            Resolved::Whole(context) => context,
            Resolved::Needs(urls) => panic!("{urls:?}"),
        }
    }

    fn code(json: &Value) -> String {
        let refusal = resolve(json, &none, &ContextLimits::default()).unwrap_err();
        assert_eq!(refusal.kind, ErrorType::BadRequestData);
        refusal.told.code
    }

    #[test]
    fn terms_prefixes_and_the_vocabulary() {
        let context = whole(&json!([
            {"ex": "https://ex.org/a#", "speed": "ex:speed", "far": {"@id": "https://far.org/x", "@type": "@id"}, "y": "far"},
            {"@vocab": "https://v.org/"},
        ]));
        assert_eq!(&*context.expand("speed"), "https://ex.org/a#speed");
        assert_eq!(&*context.expand("ex:z"), "https://ex.org/a#z");
        assert_eq!(&*context.expand("y"), "https://far.org/x");
        assert_eq!(&*context.expand("unheard"), "https://v.org/unheard");
        assert_eq!(context.compact("https://v.org/unheard"), "unheard");
        assert_eq!(context.compact("https://ex.org/a#speed"), "speed");
        assert_eq!(context.compact("https://ex.org/a#z"), "ex:z");
        // Of two terms the shortest.
        assert_eq!(context.compact("https://far.org/x"), "y");
        assert_eq!(
            context.compact("https://nowhere.org/z"),
            "https://nowhere.org/z"
        );
    }

    #[test]
    fn the_core_comes_last_and_holds() {
        let context = whole(
            &json!({"location": "https://ex.org/place", "Property": "https://ex.org/p", "mine": "https://ex.org/m"}),
        );
        assert_eq!(
            &*context.expand("location"),
            "https://uri.etsi.org/ngsi-ld/location"
        );
        assert_eq!(
            context.compact("https://uri.etsi.org/ngsi-ld/location"),
            "location"
        );
        // A term that the core takes away does not stand for the user's IRI.
        assert_eq!(
            context.compact("https://ex.org/place"),
            "https://ex.org/place"
        );
        let core = Context::core();
        assert_eq!(
            &*core.expand("speed"),
            "https://uri.etsi.org/ngsi-ld/default-context/speed"
        );
        assert_eq!(
            core.compact("https://uri.etsi.org/ngsi-ld/default-context/speed"),
            "speed"
        );
        assert_eq!(
            core.compact("https://uri.etsi.org/ngsi-ld/hasValue"),
            "value"
        );
    }

    #[test]
    fn documents_are_asked_for_together_and_used() {
        let json = json!([
            "https://a.org/1",
            "https://a.org/2",
            super::super::CORE_ADDRESS
        ]);
        let needs = resolve(&json, &none, &ContextLimits::default()).unwrap();
        assert_eq!(
            needs,
            Resolved::Needs(vec!["https://a.org/1".into(), "https://a.org/2".into()])
        );
        let known = |address: &str| {
            let json = match address {
                "https://a.org/1" => {
                    json!({"@context": {"a": "https://a.org/first", "b": "https://a.org/b"}})
                }
                _ => json!({"@context": ["https://a.org/1", {"a": "https://a.org/second"}]}),
            };
            Some(Arc::new(json))
        };
        let Resolved::Whole(context) = resolve(&json, &known, &ContextLimits::default()).unwrap()
        else {
            panic!("needs more");
        };
        assert_eq!(&*context.expand("a"), "https://a.org/second");
        assert_eq!(&*context.expand("b"), "https://a.org/b");
    }

    #[test]
    fn what_may_not_be_in_a_context() {
        for bad in [
            json!({"a": {"@id": "https://a.org/a", "@context": {"b": "https://a.org/b"}}}),
            json!({"@context": {"a": "https://a.org/a"}}),
            json!({"@import": "https://a.org/a"}),
            json!({"a": {"@reverse": "https://a.org/a"}}),
            json!({"a": "b", "b": "a"}),
            json!({"a": "a:b:c", "b": "b:x", "c": "d:e", "d": "c:e"}),
            json!({"a": 1}),
            json!({"": "https://a.org/a"}),
            json!({"a": "@nonsense"}),
            json!([[{}]]),
            json!(1),
            json!("relative.jsonld"),
        ] {
            assert_eq!(code(&bad), "context-not-allowed", "{bad}");
        }
    }

    #[test]
    fn loops_and_limits() {
        let itself = |_: &str| Some(Arc::new(json!({"@context": "https://a.org/1"})));
        let refusal = resolve(
            &json!("https://a.org/1"),
            &itself,
            &ContextLimits::default(),
        )
        .unwrap_err();
        assert_eq!(refusal.told.code, "context-not-allowed");
        let on_and_on = |address: &str| Some(Arc::new(json!({"@context": format!("{address}x")})));
        let refusal = resolve(
            &json!("https://a.org/1"),
            &on_and_on,
            &ContextLimits::default(),
        )
        .unwrap_err();
        assert_eq!(refusal.told.code, "context-limit");
        let wide = |address: &str| {
            Some(Arc::new(
                json!({"@context": vec![format!("{address}x"); 30]}),
            ))
        };
        let refusal =
            resolve(&json!("https://a.org/1"), &wide, &ContextLimits::default()).unwrap_err();
        assert_eq!(refusal.told.code, "context-limit");
        let chain: Map<String, Value> = (0..100)
            .map(|n| (format!("t{n}"), json!(format!("t{}", n + 1))))
            .collect();
        assert_eq!(code(&Value::Object(chain)), "context-limit");
        let many: Map<String, Value> = (0..20_001)
            .map(|n| (format!("t{n}"), json!("https://a.org/a")))
            .collect();
        assert_eq!(code(&Value::Object(many)), "context-limit");
    }
}
