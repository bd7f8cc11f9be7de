//! Who may do what, as policies in Cedar that can be read, checked and changed without a program: who asks, their roles,
//! organisations and posts, the purpose, the entity type, the attribute, the town, the owner and the hour decide, and nothing else
//! does (the schema is what policies may speak of). Nothing is permitted that no policy permits; one that forbids wins.
//!
//! Reading order: [`schema`] (what policies may speak of), [`documents`] (their texts, from the program, packs, the profile and
//! those who administer the city), [`facts`] (what is asked), [`engine`] (the judge), [`view`] (decisions remembered), [`live`]
//! (the policies that hold now).
//!
//! Must never know a store, a request, or what a value is.

pub mod documents;
pub mod engine;
pub mod facts;
pub mod live;
pub mod schema;
pub mod view;

pub use documents::{Document, Source, Stated};
pub use engine::{Engine, Judgement};
pub use facts::{Facts, Kind, Moment, TypeFacts, What, Who};
pub use live::Live;
pub use view::{Access, Columns, View};

/// The limits of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most documents.
    pub documents_max: usize,
    /// Largest document, bytes.
    pub document_bytes_max: usize,
    /// Most policies of all documents together.
    pub policies_max: usize,
    /// Most callers whose decisions are remembered at once; then all are forgotten and decided anew.
    pub views_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            documents_max: 128,
            document_bytes_max: 256 << 10,
            policies_max: 2_000,
            views_max: 4_096,
        }
    }
}
