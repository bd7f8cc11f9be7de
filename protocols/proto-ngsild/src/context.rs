//! The context of a request (clauses 4.4 and 5.5.7), resolved: a flat map from terms to IRIs and back, shared by whoever uses it.
//! A user's context may hold neither scoped nor nested contexts, so a flat map is all there is to it. The core context is never part
//! of the map: it is asked first, which is what *considered last* comes to.

mod core;
mod resolve;

pub use self::core::is_core_address;
pub use resolve::{ContextLimits, Resolved, not_available, resolve};

use self::core::CORE;
use crate::refusal::{Refusal, bad};
use crate::words::{is_name, is_scheme, is_uri};
use model::problem::quote;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A full name. Those of a context's terms are shared with it.
pub type Iri = Arc<str>;

/// Where names go that no context knows.
pub const DEFAULT_VOCAB: &str = "https://uri.etsi.org/ngsi-ld/default-context/";
/// Where the core context is had.
pub const CORE_ADDRESS: &str = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld";

/// What a term's values are taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coercion {
    /// For what they are.
    None,
    /// For IRIs.
    Id,
    /// For terms or IRIs.
    Vocab,
    /// For JSON as it stands.
    Json,
    /// For values of this type.
    Type(Iri),
}

/// How a term's values are held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// In order.
    List,
    /// Without order.
    Set,
    /// By language.
    Language,
    /// By a key of no meaning.
    Index,
    /// Any other of JSON-LD's containers, which have no meaning here.
    Other,
}

/// One term of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its IRI; `None` when the context says that the term means nothing.
    pub iri: Option<Iri>,
    /// What its values are.
    pub coercion: Coercion,
    /// How they are held.
    pub container: Option<Container>,
    /// Whether names may begin with it and a colon.
    pub is_prefix: bool,
}

/// A resolved context.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Context {
    terms: HashMap<Iri, Term>,
    /// The term that stands for each IRI: the shortest, of these the first by its characters.
    names: HashMap<Iri, Iri>,
    /// Terms that names may begin with, and their IRIs.
    prefixes: Vec<(Iri, Iri)>,
    /// Where unknown names go.
    vocab: Option<Iri>,
}

/// Letters by which an IRI ends that can be a prefix without being declared one (RFC 3986's gen-delims).
const PREFIX_ENDS: [char; 7] = [':', '/', '?', '#', '[', ']', '@'];

impl Context {
    fn empty() -> Self {
        Self::default()
    }

    /// The context of a request that names none: the core context alone.
    pub fn core() -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Context>> = LazyLock::new(|| Arc::new(Context::empty()));
        EMPTY.clone()
    }

    /// How many terms it has beside the core's.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether it has none but the core's.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.vocab.is_none()
    }

    /// The term as it holds: the core's first.
    pub fn term(&self, name: &str) -> Option<&Term> {
        CORE.terms.get(name).or_else(|| self.terms.get(name))
    }

    fn prefix(&self, name: &str) -> Option<&Iri> {
        let term = self.term(name).filter(|term| term.is_prefix)?;
        term.iri.as_ref()
    }

    fn vocab(&self) -> &str {
        self.vocab.as_deref().unwrap_or(DEFAULT_VOCAB)
    }

    /// The full name of a name, whatever it is: a term, a prefixed name, an IRI, or a word that no context knows.
    pub fn expand(&self, name: &str) -> Iri {
        if let Some(iri) = self.term(name).and_then(|term| term.iri.as_ref()) {
            return iri.clone();
        }
        if let Some((prefix, rest)) = name.split_once(':') {
            if prefix == "_" || rest.starts_with("//") {
                return Arc::from(name);
            }
            if let Some(iri) = self.prefix(prefix) {
                return Arc::from(format!("{iri}{rest}"));
            }
            // JSON-LD takes a scheme alone for an IRI too.
            if is_uri(name) || rest.is_empty() && is_scheme(prefix) {
                return Arc::from(name);
            }
        }
        Arc::from(format!("{}{name}", self.vocab()))
    }

    /// The full name of an entity type or an attribute, checked (clause 4.6.2).
    ///
    /// # Errors
    /// `BadRequestData` when it is neither a name, a prefixed name nor an IRI, or the context takes its meaning away.
    pub fn name(&self, name: &str) -> Result<Iri, Refusal> {
        let is_good = is_name(name) || is_uri(name) || {
            let parts = name.split_once(':');
            parts.is_some_and(|(prefix, rest)| is_name(prefix) && is_name(rest))
        };
        let shown = quote(name);
        if !is_good {
            return Err(bad(
                "name-format",
                &shown,
                (
                    format!("“{shown}”不能作名称"),
                    format!("\"{shown}\" cannot be a name"),
                ),
                (
                    "请用字母开头，后接字母、数字和 _；或写完整的 IRI",
                    "begin with a letter, go on with letters, numbers and _; or write a whole IRI",
                ),
            ));
        }
        let nothing = self.term(name).is_some_and(|term| term.iri.is_none());
        if nothing {
            return Err(bad(
                "name-without-meaning",
                &shown,
                (
                    format!("@context 把“{shown}”定义为 null"),
                    format!("the context defines \"{shown}\" as null"),
                ),
                (
                    "请在 @context 中给它一个 IRI，或改用别的名称",
                    "give it an IRI in the context, or use another name",
                ),
            ));
        }
        Ok(self.expand(name))
    }

    /// The shortest name that this context has for a full name; the full name when it has none (clause 5.5.7).
    pub fn compact(&self, iri: &str) -> String {
        if let Some(term) = CORE.names.get(iri).or_else(|| self.names.get(iri)) {
            return term.to_string();
        }
        let means_it = |name: &str| &*self.expand(name) == iri;
        if let Some(rest) = iri.strip_prefix(self.vocab())
            && !rest.is_empty()
            && self.term(rest).is_none()
            && means_it(rest)
        {
            return rest.to_owned();
        }
        let prefixed = CORE.prefixes.iter().chain(&self.prefixes);
        let prefixed = prefixed.filter_map(|(term, start)| {
            let rest = iri.strip_prefix(&**start).filter(|rest| !rest.is_empty())?;
            Some(format!("{term}:{rest}"))
        });
        let short = prefixed.filter(|name| self.term(name).is_none() && means_it(name));
        short
            .min_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
            .unwrap_or_else(|| iri.to_owned())
    }

    /// Makes the way back from the terms, without those that `is_hidden`.
    fn index(&mut self, is_hidden: impl Fn(&str) -> bool) {
        let mut names: HashMap<Iri, Iri> = HashMap::with_capacity(self.terms.len());
        for (term, held) in &self.terms {
            let Some(iri) = held.iri.as_ref().filter(|iri| !iri.starts_with('@')) else {
                continue;
            };
            if is_hidden(term) {
                continue;
            }
            if held.is_prefix {
                self.prefixes.push((term.clone(), iri.clone()));
            }
            let known = names.entry(iri.clone()).or_insert_with(|| term.clone());
            if (term.len(), &**term) < (known.len(), &**known) {
                *known = term.clone();
            }
        }
        self.prefixes.sort();
        self.names = names;
    }
}
