//! The core context (annex B): what every request's context ends with, and what nothing before it changes. As lists of its terms by
//! what they are, not as the document.

use super::{Coercion, Container, Context, DEFAULT_VOCAB, Term};
use std::sync::{Arc, LazyLock};

/// Where the core context is published, up to its version.
const ADDRESS: &str = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context";
const NGSI_LD: &str = "https://uri.etsi.org/ngsi-ld/";
const GEOJSON: &str = "https://purl.org/geojson/vocab#";

/// Terms whose IRI is `ngsi-ld:` and the term itself.
const PLAIN: &str = "Attribute AttributeList ContextSourceIdentity ContextSourceNotification ContextSourceRegistration Date DateTime \
    EntityType EntityTypeInfo EntityTypeList ExecutionResultDetails GeoProperty JsonProperty LanguageProperty ListProperty \
    ListRelationship Notification Property Relationship Snapshot SnapshotNotification Subscription TemporalProperty Time \
    VocabProperty accept aggrParams aggrMethods aggrPeriodDuration attrs cacheDuration collation contextSourceAlias \
    contextSourceInfo contextSourceUptime cooldown csf data detail endpoint entities entity entityCount error errors expandValues \
    format geoQ geoproperty georel idPattern information isActive join jsonKeys lang linkedMaps localOnly location management \
    managementInterval mode notUpdated notification notificationTrigger notifierInfo observationInterval observationSpace omit \
    operationSpace operations ordering pick q reason receiverInfo refreshRate registrationId registrationName resultStatus scope \
    scopeQ showChanges snapshotLifetime snapshotId snapshotPriority snapshotStatus status subscriptionName sysAttrs temporalQ \
    throttling timeInterval timeout timeproperty timerel timesFailed timesSent triggerReason unchanged unitCode updated uri";
/// The same, and the value is a time.
const TIMES: &str = "contextSourceTimeAt createdAt deletedAt endAt endTimeAt expiresAt lastFailure lastNotification lastSuccess \
    lastUsedAt modifiedAt notifiedAt observedAt startAt timeAt";
/// The same, and the value is an IRI.
const IDS: &str = "datasetId entityId instanceId subscriptionId success tenant";
/// The same, and the value is a term.
const VOCABS: &str = "attributeList attributeName attributeNames attributeTypes attributes propertyNames relationshipNames typeList \
    typeName typeNames watchedAttributes";
/// The same, and the value is a list.
const LISTS: &str = "avg distinctCount entityList jsons languageMaps max min orderBy snapshotQueries snapshotQueriesDetails \
    snapshotTemporalQueries snapshotTemporalQueriesDetails stddev sum sumsq totalCount";
/// The same, and the value is JSON as it stands.
const JSONS: &str = "contextSourceExtras problemDetails";
/// Terms of GeoJSON.
const GEO: &str = "Feature FeatureCollection GeometryCollection LineString MultiLineString MultiPoint MultiPolygon Point Polygon geometry properties";

/// Terms with an IRI of their own: term, IRI after `ngsi-ld:`, what the value is.
const OWN: [(&str, &str, Coercion, Option<Container>); 27] = [
    ("containedBy", "isContainedBy", Coercion::None, None),
    (
        "dataset",
        "hasDataset",
        Coercion::None,
        Some(Container::Index),
    ),
    ("entityMap", "hasEntityMap", Coercion::None, None),
    ("joinLevel", "hasJoinLevel", Coercion::None, None),
    ("json", "hasJSON", Coercion::Json, None),
    ("key", "hasKey", Coercion::None, None),
    (
        "languageMap",
        "hasLanguageMap",
        Coercion::None,
        Some(Container::Language),
    ),
    ("ngsildproof", "ngsildproof", Coercion::None, None),
    ("object", "hasObject", Coercion::Id, None),
    (
        "objectList",
        "hasObjectList",
        Coercion::None,
        Some(Container::List),
    ),
    (
        "objectLists",
        "hasObjectLists",
        Coercion::None,
        Some(Container::List),
    ),
    (
        "objects",
        "hasObjects",
        Coercion::None,
        Some(Container::List),
    ),
    ("objectType", "hasObjectType", Coercion::Vocab, None),
    ("previousJson", "hasPreviousJson", Coercion::Json, None),
    (
        "previousLanguageMap",
        "hasPreviousLanguageMap",
        Coercion::None,
        Some(Container::Language),
    ),
    ("previousObject", "hasPreviousObject", Coercion::Id, None),
    (
        "previousObjectList",
        "hasPreviousObjectList",
        Coercion::None,
        Some(Container::List),
    ),
    ("previousValue", "hasPreviousValue", Coercion::None, None),
    (
        "previousValueList",
        "hasPreviousValueList",
        Coercion::None,
        Some(Container::List),
    ),
    ("previousVocab", "hasPreviousVocab", Coercion::Vocab, None),
    ("value", "hasValue", Coercion::None, None),
    (
        "valueList",
        "hasValueList",
        Coercion::None,
        Some(Container::List),
    ),
    (
        "valueLists",
        "hasValueLists",
        Coercion::None,
        Some(Container::List),
    ),
    ("values", "hasValues", Coercion::None, Some(Container::List)),
    ("valueType", "hasValueType", Coercion::Vocab, None),
    ("vocab", "hasVocab", Coercion::Vocab, None),
    ("vocabs", "hasVocabs", Coercion::None, Some(Container::List)),
];
/// Terms of other vocabularies, and the words of JSON-LD that have another name here.
const FOREIGN: [(&str, &str); 7] = [
    ("id", "@id"),
    ("type", "@type"),
    ("description", "http://purl.org/dc/terms/description"),
    ("title", "http://purl.org/dc/terms/title"),
    (
        "langString",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
    ),
    ("ngsi-ld", NGSI_LD),
    ("geojson", GEOJSON),
];

/// The core context, made once.
pub(super) static CORE: LazyLock<Context> = LazyLock::new(|| {
    let mut context = Context::empty();
    let mut add = |term: &str, iri: String, coercion: Coercion, container| {
        let term_of = Term {
            is_prefix: iri.ends_with(['/', '#']),
            iri: Some(Arc::from(iri)),
            coercion,
            container,
        };
        context.terms.insert(Arc::from(term), term_of);
    };
    let date_time = Coercion::Type(Arc::from(format!("{NGSI_LD}DateTime")));
    let lists = [
        (PLAIN, Coercion::None, None),
        (TIMES, date_time, None),
        (IDS, Coercion::Id, None),
        (VOCABS, Coercion::Vocab, None),
        (LISTS, Coercion::None, Some(Container::List)),
        (JSONS, Coercion::Json, None),
    ];
    for (terms, coercion, container) in lists {
        for term in terms.split_whitespace() {
            add(
                term,
                format!("{NGSI_LD}{term}"),
                coercion.clone(),
                container,
            );
        }
    }
    for term in GEO.split_whitespace() {
        add(term, format!("{GEOJSON}{term}"), Coercion::None, None);
    }
    for (term, container) in [
        ("bbox", Container::List),
        ("coordinates", Container::List),
        ("features", Container::Set),
    ] {
        add(
            term,
            format!("{GEOJSON}{term}"),
            Coercion::None,
            Some(container),
        );
    }
    // The document leaves these two without a prefix, so that they lie in the default vocabulary.
    for term in ["attributeCount", "attributeDetails"] {
        add(term, format!("{DEFAULT_VOCAB}{term}"), Coercion::None, None);
    }
    for (term, own, coercion, container) in OWN {
        add(term, format!("{NGSI_LD}{own}"), coercion, container);
    }
    for (term, iri) in FOREIGN {
        add(term, iri.to_owned(), Coercion::None, None);
    }
    context.index(|_| false);
    context
});

/// Whether this is an address of the core context, in any version that was published.
pub fn is_core_address(address: &str) -> bool {
    let versions = [
        "", "-v1.0", "-v1.1", "-v1.2", "-v1.3", "-v1.4", "-v1.5", "-v1.6", "-v1.7", "-v1.8",
        "-v1.9",
    ];
    let rest = address
        .strip_prefix("http://")
        .map(|rest| format!("https://{rest}"));
    let address = rest.as_deref().unwrap_or(address);
    let version = address
        .strip_prefix(ADDRESS)
        .and_then(|rest| rest.strip_suffix(".jsonld"));
    version.is_some_and(|version| versions.contains(&version))
}
