//! The system catalogue that clients read to find tables and columns: `pg_catalog` and
//! `information_schema`, computed from the tables that the caller may read. They are lent to the lake as
//! tables under one plain name each; [`crate::dialect`] writes those names into a client's question.

use crate::procedures;
use crate::settings::default_of;
use crate::types::{PgType, TYPES};
use crate::zone::Zone;
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;
use futures::future::BoxFuture;
use lake::{ColumnKind, Columns, RecordTable, RecordTables, Wanted};
use model::{Catalogue, Problem, TableView};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The database that clients see; any name is taken at sign-in.
pub const DATABASE: &str = "city";
/// The owner of everything.
pub const OWNER: &str = "city";
/// The schema of all tables.
pub const PUBLIC: &str = "public";
/// Numbers of the schemas.
pub(crate) const SCHEMAS: [(i64, &str); 3] = [
    (11, "pg_catalog"),
    (2200, PUBLIC),
    (13_000, "information_schema"),
];
const PUBLIC_ID: i64 = SCHEMAS[1].0;
/// The number of the first table; the others follow in their order.
const TABLE_ID_FIRST: i64 = 16_384;
/// `pg_class` itself, as others name it.
const PG_CLASS_ID: i64 = 1_259;
const OWNER_ID: i64 = 10;
const DATABASE_ID: i64 = 5;
const ACCESS_METHOD_ID: i64 = 2;
/// The language of functions that are built in.
const INTERNAL_LANGUAGE_ID: i64 = 12;

/// Types that only the catalogue speaks of: number, name, size, category.
const OTHER_TYPES: [(i64, &str, i16, &str); 7] = [
    (18, "char", 1, "Z"),
    (19, "name", 64, "S"),
    (26, "oid", 4, "N"),
    (705, "unknown", -2, "X"),
    (1042, "bpchar", -1, "S"),
    (1043, "varchar", -1, "S"),
    (1186, "interval", 16, "T"),
];

/// A system table: its name, and its columns as `name:kind` with `i` a number that is 0, `t` a text that
/// is null, `e` a text that is empty and `b` a boolean that is false where a row does not say.
type Spec = (&'static str, &'static str);

/// Tables with rows.
const FILLED: [Spec; 19] = [
    ("pg_namespace", "oid:i nspname:t nspowner:i nspacl:t"),
    (
        "pg_class",
        "oid:i relname:t relnamespace:i reltype:i reloftype:i relowner:i relam:i relfilenode:i reltablespace:i relpages:i \
         reltuples:i relallvisible:i reltoastrelid:i relhasindex:b relisshared:b relpersistence:e relkind:e relnatts:i relchecks:i \
         relhasrules:b relhastriggers:b relhassubclass:b relrowsecurity:b relforcerowsecurity:b relispopulated:b relreplident:e \
         relispartition:b relrewrite:i relacl:t reloptions:t relpartbound:t xmin:i",
    ),
    (
        "pg_attribute",
        "attrelid:i attname:t atttypid:i attstattarget:i attlen:i attnum:i attndims:i attcacheoff:i atttypmod:i attbyval:b \
         attalign:e attstorage:e attcompression:e attnotnull:b atthasdef:b atthasmissing:b attidentity:e attgenerated:e \
         attisdropped:b attislocal:b attinhcount:i attcollation:i attacl:t attoptions:t attfdwoptions:t attmissingval:t",
    ),
    (
        "pg_type",
        "oid:i typname:t typnamespace:i typowner:i typlen:i typbyval:b typtype:e typcategory:e typispreferred:b typisdefined:b \
         typdelim:e typrelid:i typsubscript:t typelem:i typarray:i typinput:i typoutput:i typreceive:i typsend:i typmodin:i typmodout:i \
         typanalyze:i typalign:e typstorage:e typnotnull:b typbasetype:i typtypmod:i typndims:i typcollation:i typdefault:t typacl:t",
    ),
    (
        "pg_proc",
        "oid:i proname:t pronamespace:i proowner:i prolang:i procost:i prorows:i provariadic:i prosupport:i prokind:e prosecdef:b \
         proleakproof:b proisstrict:b proretset:b provolatile:e proparallel:e pronargs:i pronargdefaults:i prorettype:i \
         proargtypes:t proallargtypes:t proargmodes:t proargnames:t proargdefaults:t protrftypes:t prosrc:t probin:t \
         prosqlbody:t proconfig:t proacl:t",
    ),
    (
        "pg_description",
        "objoid:i classoid:i objsubid:i description:t",
    ),
    (
        "pg_database",
        "oid:i datname:t datdba:i encoding:i datlocprovider:e datistemplate:b datallowconn:b datconnlimit:i dattablespace:i \
         datcollate:t datctype:t daticulocale:t datcollversion:t datacl:t",
    ),
    (
        "pg_roles",
        "oid:i rolname:t rolsuper:b rolinherit:b rolcreaterole:b rolcreatedb:b rolcanlogin:b rolreplication:b rolconnlimit:i \
         rolpassword:t rolvaliduntil:t rolbypassrls:b rolconfig:t",
    ),
    (
        "pg_user",
        "usename:t usesysid:i usecreatedb:b usesuper:b userepl:b usebypassrls:b passwd:t valuntil:t useconfig:t",
    ),
    ("pg_am", "oid:i amname:t amhandler:i amtype:e"),
    (
        "pg_settings",
        "name:t setting:t unit:t category:t short_desc:t extra_desc:t context:t vartype:t source:t min_val:t max_val:t enumvals:t \
         boot_val:t reset_val:t sourcefile:t sourceline:n pending_restart:b",
    ),
    (
        "pg_tables",
        "schemaname:t tablename:t tableowner:t tablespace:t hasindexes:b hasrules:b hastriggers:b rowsecurity:b",
    ),
    (
        "pg_views",
        "schemaname:t viewname:t viewowner:t definition:t",
    ),
    (
        "pg_tablespace",
        "oid:i spcname:t spcowner:i spcacl:t spcoptions:t",
    ),
    // Words that a name cannot be without quotes.
    ("pg_get_keywords", "word:t catcode:e catdesc:t"),
    (
        "information_schema_views",
        "table_catalog:t table_schema:t table_name:t view_definition:t check_option:t is_updatable:t is_insertable_into:t",
    ),
    (
        "information_schema_schemata",
        "catalog_name:t schema_name:t schema_owner:t",
    ),
    (
        "information_schema_tables",
        "table_catalog:t table_schema:t table_name:t table_type:t is_insertable_into:t is_typed:t commit_action:t",
    ),
    (
        "information_schema_columns",
        "table_catalog:t table_schema:t table_name:t column_name:t ordinal_position:i column_default:t is_nullable:t data_type:t \
         character_maximum_length:n character_octet_length:n numeric_precision:n numeric_precision_radix:n numeric_scale:n \
         datetime_precision:n character_set_name:t collation_name:t domain_name:t udt_catalog:t udt_schema:t udt_name:t \
         is_identity:t is_generated:t is_updatable:t",
    ),
];

/// Tables of things that do not exist here: keys, indexes, functions, triggers, policies.
const EMPTY: [Spec; 79] = [
    ("pg_amop", "oid:i amopfamily:i amopmethod:i"),
    ("pg_amproc", "oid:i amprocfamily:i"),
    ("pg_authid", "oid:i rolname:t"),
    (
        "pg_available_extensions",
        "name:t default_version:t installed_version:t comment:t",
    ),
    ("pg_cursors", "name:t statement:t"),
    ("pg_group", "groname:t grosysid:i grolist:t"),
    ("pg_largeobject_metadata", "oid:i lomowner:i lomacl:t"),
    ("pg_opfamily", "oid:i opfname:t opfmethod:i"),
    ("pg_parameter_acl", "oid:i parname:t paracl:t"),
    ("pg_prepared_statements", "name:t statement:t"),
    ("pg_prepared_xacts", "gid:t"),
    ("pg_replication_slots", "slot_name:t slot_type:t active:b"),
    (
        "pg_rules",
        "schemaname:t tablename:t rulename:t definition:t",
    ),
    ("pg_shadow", "usename:t usesysid:i"),
    (
        "pg_stat_all_tables",
        "relid:i schemaname:t relname:t n_live_tup:i",
    ),
    ("pg_stat_database", "datid:i datname:t numbackends:i"),
    ("pg_statio_user_tables", "relid:i schemaname:t relname:t"),
    (
        "pg_stats",
        "schemaname:t tablename:t attname:t n_distinct:n",
    ),
    ("pg_timezone_names", "name:t abbrev:t utc_offset:t is_dst:b"),
    ("pg_transform", "oid:i trftype:i trflang:i"),
    ("pg_ts_dict", "oid:i dictname:t"),
    ("pg_ts_parser", "oid:i prsname:t"),
    ("pg_ts_template", "oid:i tmplname:t"),
    ("pg_user_mapping", "oid:i umuser:i umserver:i"),
    (
        "pg_user_mappings",
        "umid:i srvid:i srvname:t umuser:i usename:t umoptions:t",
    ),
    (
        "information_schema_check_constraints",
        "constraint_schema:t constraint_name:t check_clause:t",
    ),
    (
        "information_schema_column_privileges",
        "grantor:t grantee:t table_schema:t table_name:t column_name:t privilege_type:t",
    ),
    (
        "information_schema_constraint_column_usage",
        "table_schema:t table_name:t column_name:t constraint_schema:t constraint_name:t",
    ),
    (
        "information_schema_parameters",
        "specific_schema:t specific_name:t parameter_name:t data_type:t",
    ),
    (
        "information_schema_sequences",
        "sequence_schema:t sequence_name:t data_type:t",
    ),
    (
        "information_schema_table_privileges",
        "grantor:t grantee:t table_catalog:t table_schema:t table_name:t privilege_type:t is_grantable:t",
    ),
    (
        "information_schema_triggers",
        "trigger_schema:t trigger_name:t event_object_table:t",
    ),
    (
        "information_schema_user_defined_types",
        "user_defined_type_schema:t user_defined_type_name:t",
    ),
    ("pg_aggregate", "aggfnoid:i"),
    ("pg_attrdef", "oid:i adrelid:i adnum:i adbin:t"),
    (
        "pg_auth_members",
        "roleid:i member:i grantor:i admin_option:b",
    ),
    ("pg_cast", "oid:i castsource:i casttarget:i"),
    ("pg_collation", "oid:i collname:t collnamespace:i"),
    (
        "pg_constraint",
        "oid:i conname:t connamespace:i contype:e condeferrable:b condeferred:b convalidated:b conrelid:i contypid:i conindid:i \
         conparentid:i confrelid:i confupdtype:e confdeltype:e confmatchtype:e conislocal:b coninhcount:i conkey:t confkey:t conbin:t",
    ),
    ("pg_conversion", "oid:i conname:t"),
    ("pg_db_role_setting", "setdatabase:i setrole:i setconfig:t"),
    ("pg_default_acl", "oid:i"),
    (
        "pg_depend",
        "classid:i objid:i objsubid:i refclassid:i refobjid:i refobjsubid:i deptype:e",
    ),
    ("pg_enum", "oid:i enumtypid:i enumsortorder:i enumlabel:t"),
    ("pg_event_trigger", "oid:i evtname:t"),
    (
        "pg_extension",
        "oid:i extname:t extowner:i extnamespace:i extversion:t",
    ),
    ("pg_foreign_data_wrapper", "oid:i fdwname:t"),
    ("pg_foreign_server", "oid:i srvname:t srvfdw:i"),
    ("pg_foreign_table", "ftrelid:i ftserver:i ftoptions:t"),
    (
        "pg_index",
        "indexrelid:i indrelid:i indnatts:i indnkeyatts:i indisunique:b indisprimary:b indisexclusion:b indimmediate:b \
         indisclustered:b indisvalid:b indisready:b indislive:b indisreplident:b indkey:t indoption:t indexprs:t indpred:t",
    ),
    (
        "pg_indexes",
        "schemaname:t tablename:t indexname:t tablespace:t indexdef:t",
    ),
    (
        "pg_inherits",
        "inhrelid:i inhparent:i inhseqno:i inhdetachpending:b",
    ),
    ("pg_language", "oid:i lanname:t"),
    ("pg_locks", "locktype:t pid:i mode:t granted:b"),
    (
        "pg_matviews",
        "schemaname:t matviewname:t matviewowner:t definition:t ispopulated:b",
    ),
    ("pg_opclass", "oid:i opcname:t"),
    ("pg_operator", "oid:i oprname:t"),
    ("pg_partitioned_table", "partrelid:i partstrat:e"),
    ("pg_policies", "schemaname:t tablename:t policyname:t"),
    ("pg_policy", "oid:i polname:t polrelid:i"),
    ("pg_publication", "oid:i pubname:t"),
    ("pg_publication_namespace", "oid:i pnpubid:i pnnspid:i"),
    ("pg_publication_rel", "oid:i prpubid:i prrelid:i"),
    ("pg_range", "rngtypid:i rngsubtype:i rngmultitypid:i"),
    ("pg_rewrite", "oid:i rulename:t ev_class:i"),
    ("pg_seclabel", "objoid:i"),
    ("pg_sequence", "seqrelid:i seqtypid:i"),
    ("pg_sequences", "schemaname:t sequencename:t"),
    ("pg_shdescription", "objoid:i classoid:i description:t"),
    (
        "pg_stat_activity",
        "datid:i datname:t pid:i usename:t application_name:t state:t query:t",
    ),
    (
        "pg_stat_user_tables",
        "relid:i schemaname:t relname:t n_live_tup:i",
    ),
    ("pg_statistic_ext", "oid:i stxrelid:i stxname:t"),
    ("pg_subscription", "oid:i subname:t"),
    ("pg_trigger", "oid:i tgrelid:i tgname:t tgisinternal:b"),
    ("pg_ts_config", "oid:i cfgname:t"),
    (
        "information_schema_key_column_usage",
        "constraint_catalog:t constraint_schema:t constraint_name:t table_schema:t table_name:t column_name:t ordinal_position:i position_in_unique_constraint:i",
    ),
    (
        "information_schema_referential_constraints",
        "constraint_catalog:t constraint_schema:t constraint_name:t unique_constraint_schema:t unique_constraint_name:t update_rule:t delete_rule:t",
    ),
    (
        "information_schema_routines",
        "routine_schema:t routine_name:t specific_schema:t specific_name:t routine_type:t",
    ),
    (
        "information_schema_table_constraints",
        "constraint_catalog:t constraint_schema:t constraint_name:t table_schema:t table_name:t constraint_type:t",
    ),
];

/// Whether a system table of that plain name never has rows.
pub fn is_empty_table(name: &str) -> bool {
    EMPTY.iter().any(|spec| spec.0 == name)
}

/// Whether a system table has that plain name.
pub fn is_system_table(name: &str) -> bool {
    FILLED.iter().any(|spec| spec.0 == name) || is_empty_table(name)
}

/// The columns of a system table of that plain name.
pub(crate) fn columns_of(name: &str) -> Option<impl Iterator<Item = &'static str>> {
    let spec = FILLED.iter().chain(&EMPTY).find(|spec| spec.0 == name)?;
    let columns = spec.1.split_whitespace();
    Some(columns.filter_map(|column| Some(column.split_once(':')?.0)))
}

fn table(spec: &Spec) -> RecordTable {
    let columns = spec.1.split_whitespace().filter_map(|column| {
        let (name, kind) = column.split_once(':')?;
        let kind = match kind {
            "i" | "n" => ColumnKind::Integer,
            "b" => ColumnKind::Boolean,
            _ => ColumnKind::Text,
        };
        Some((name.to_owned(), kind))
    });
    RecordTable {
        name: spec.0.to_owned(),
        description: "Part of the system catalogue.".to_owned(),
        columns: columns.collect(),
    }
}

/// A row: what is said, and the defaults of the rest.
fn row(spec: &Spec, said: &[(&str, Value)]) -> Vec<Value> {
    let cells = spec.1.split_whitespace().filter_map(|column| {
        let (name, kind) = column.split_once(':')?;
        let value = said.iter().find(|s| s.0 == name).map(|s| s.1.clone());
        Some(value.unwrap_or_else(|| match kind {
            "i" => json!(0),
            "b" => json!(false),
            "e" => json!(""),
            _ => Value::Null,
        }))
    });
    cells.collect()
}

/// The catalogue for one caller.
#[derive(Clone)]
pub struct Catalog {
    /// The tables that the caller may read.
    pub tables: Arc<Vec<RecordTable>>,
    /// Which of them are views.
    pub views: Arc<BTreeSet<String>>,
    /// What the packs declare.
    pub declared: Arc<Catalogue>,
    /// The caller's name.
    pub user: String,
    /// The connection's settings.
    pub settings: Vec<(String, String)>,
    /// The zone in which the connection reads clocks.
    pub zone: Zone,
    /// The connection's number.
    pub connection: i32,
    /// The tables that other rooms lend.
    pub lent: Arc<dyn RecordTables>,
}

impl Catalog {
    /// The number of a table by its name, which may stand after its schema.
    pub fn table_id(&self, name: &str) -> Option<i64> {
        let name = name.trim();
        let name = name
            .strip_prefix("public.")
            .or_else(|| name.strip_prefix("pg_catalog."))
            .unwrap_or(name);
        if name == "pg_class" {
            return Some(PG_CLASS_ID);
        }
        let quoted = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
        let found = self.tables.iter().position(|t| match quoted {
            Some(exact) => t.name == exact,
            None => t.name == name || t.name.eq_ignore_ascii_case(name),
        });
        found.map(|n| TABLE_ID_FIRST + n as i64)
    }

    /// The tables with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (i64, &RecordTable)> {
        (TABLE_ID_FIRST..).zip(self.tables.iter())
    }

    fn is_view(&self, table: &RecordTable) -> bool {
        self.views.contains(&table.name)
    }

    /// The statement of a table that a pack declares.
    fn definition(&self, table: &RecordTable) -> Option<&str> {
        let view = self.declared.view(&table.name)?;
        Some(&view.sql)
    }

    /// What tables are, and what the columns of those that packs declare mean.
    fn descriptions(&self, spec: &Spec) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        let mut add = |table: i64, column: usize, text: String| {
            rows.push(row(
                spec,
                &[
                    ("objoid", json!(table)),
                    ("classoid", json!(PG_CLASS_ID)),
                    ("objsubid", json!(column)),
                    ("description", json!(text)),
                ],
            ));
        };
        for (id, table) in self.numbered() {
            add(id, 0, table.description.clone());
            let view = self.declared.view(&table.name);
            for (n, text) in view.into_iter().flat_map(meanings).enumerate() {
                add(id, n + 1, text);
            }
        }
        rows
    }

    fn class(&self, spec: &Spec) -> Vec<Vec<Value>> {
        let rows = self.numbered().map(|(id, table)| {
            let is_view = self.is_view(table);
            row(
                spec,
                &[
                    ("oid", json!(id)),
                    ("relname", json!(table.name)),
                    ("relnamespace", json!(PUBLIC_ID)),
                    ("relowner", json!(OWNER_ID)),
                    ("relam", json!(if is_view { 0 } else { ACCESS_METHOD_ID })),
                    ("relfilenode", json!(id)),
                    ("reltuples", json!(-1)),
                    ("relpersistence", json!("p")),
                    ("relkind", json!(if is_view { "v" } else { "r" })),
                    ("relnatts", json!(table.columns.len())),
                    ("relispopulated", json!(true)),
                    ("relreplident", json!("n")),
                    // Whoever sees it may read it.
                    ("relacl", json!(format!("{{=r/{OWNER}}}"))),
                ],
            )
        });
        rows.collect()
    }

    fn attributes(&self, spec: &Spec) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        for (id, table) in self.numbered() {
            for (n, (name, kind)) in table.columns.iter().enumerate() {
                let kind = column_type(*kind);
                rows.push(row(
                    spec,
                    &[
                        ("attrelid", json!(id)),
                        ("attname", json!(name)),
                        ("atttypid", json!(kind.id())),
                        ("attstattarget", json!(-1)),
                        ("attlen", json!(kind.size())),
                        ("attnum", json!(n + 1)),
                        ("attcacheoff", json!(-1)),
                        ("atttypmod", json!(-1)),
                        ("attbyval", json!(kind.size() > 0)),
                        ("attalign", json!(if kind.size() > 0 { "d" } else { "i" })),
                        ("attstorage", json!(if kind.size() > 0 { "p" } else { "x" })),
                        ("attislocal", json!(true)),
                    ],
                ));
            }
        }
        rows
    }

    fn types(spec: &Spec) -> Vec<Vec<Value>> {
        let category = |kind| match kind {
            PgType::Bool => "B",
            PgType::Text => "S",
            PgType::Date | PgType::Time | PgType::Timestamp | PgType::Timestamptz => "D",
            PgType::Bytea | PgType::Json => "U",
            _ => "N",
        };
        let spoken = TYPES
            .iter()
            .map(|(kind, id, size, name, _)| (i64::from(*id), *name, *size, category(*kind)));
        let rows = spoken.chain(OTHER_TYPES).map(|(id, name, size, category)| {
            let [input, output, receive, send] = procedures::of_type(name);
            row(
                spec,
                &[
                    ("oid", json!(id)),
                    ("typname", json!(name)),
                    ("typnamespace", json!(SCHEMAS[0].0)),
                    ("typowner", json!(OWNER_ID)),
                    ("typlen", json!(size)),
                    ("typbyval", json!(size > 0)),
                    ("typtype", json!(if name == "unknown" { "p" } else { "b" })),
                    ("typcategory", json!(category)),
                    ("typisdefined", json!(true)),
                    ("typdelim", json!(",")),
                    ("typtypmod", json!(-1)),
                    ("typinput", json!(input)),
                    ("typoutput", json!(output)),
                    ("typreceive", json!(receive)),
                    ("typsend", json!(send)),
                    ("typalign", json!(if size > 4 { "d" } else { "i" })),
                    ("typstorage", json!(if size > 0 { "p" } else { "x" })),
                ],
            )
        });
        rows.collect()
    }

    fn procedures(spec: &Spec) -> Vec<Vec<Value>> {
        let rows = procedures::all().map(|(id, name)| {
            row(
                spec,
                &[
                    ("oid", json!(id)),
                    ("proname", json!(name)),
                    ("pronamespace", json!(SCHEMAS[0].0)),
                    ("proowner", json!(OWNER_ID)),
                    ("prolang", json!(INTERNAL_LANGUAGE_ID)),
                    ("procost", json!(1)),
                    ("prokind", json!("f")),
                    ("proisstrict", json!(true)),
                    ("provolatile", json!("s")),
                    ("proparallel", json!("s")),
                    ("pronargs", json!(1)),
                    ("prosrc", json!(name)),
                ],
            )
        });
        rows.collect()
    }

    fn columns(&self, spec: &Spec) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        for table in self.tables.iter() {
            for (n, (name, kind)) in table.columns.iter().enumerate() {
                let entry = TYPES.iter().find(|t| t.0 == column_type(*kind));
                let (short, long) = entry.map_or(("text", "text"), |t| (t.3, t.4));
                let precision = match kind {
                    ColumnKind::Number => json!(53),
                    ColumnKind::Integer => json!(64),
                    _ => Value::Null,
                };
                rows.push(row(
                    spec,
                    &[
                        ("table_catalog", json!(DATABASE)),
                        ("table_schema", json!(PUBLIC)),
                        ("table_name", json!(table.name)),
                        ("column_name", json!(name)),
                        ("ordinal_position", json!(n + 1)),
                        ("is_nullable", json!("YES")),
                        ("data_type", json!(long)),
                        ("numeric_precision", precision),
                        ("udt_catalog", json!(DATABASE)),
                        ("udt_schema", json!("pg_catalog")),
                        ("udt_name", json!(short)),
                        ("is_identity", json!("NO")),
                        ("is_generated", json!("NEVER")),
                        ("is_updatable", json!("NO")),
                    ],
                ));
            }
        }
        rows
    }

    fn system_rows(&self, spec: &Spec) -> Vec<Vec<Value>> {
        let one = |said: &[(&str, Value)]| vec![row(spec, said)];
        let views = |wanted: bool| {
            self.tables
                .iter()
                .filter(move |t| self.is_view(t) == wanted)
        };
        match spec.0 {
            "pg_class" => self.class(spec),
            "pg_attribute" => self.attributes(spec),
            "pg_type" => Self::types(spec),
            "pg_proc" => Self::procedures(spec),
            "information_schema_columns" => self.columns(spec),
            "pg_namespace" => SCHEMAS
                .iter()
                .map(|(id, name)| {
                    row(
                        spec,
                        &[
                            ("oid", json!(id)),
                            ("nspname", json!(name)),
                            ("nspowner", json!(OWNER_ID)),
                        ],
                    )
                })
                .collect(),
            "information_schema_schemata" => SCHEMAS
                .iter()
                .map(|(_, name)| {
                    row(
                        spec,
                        &[
                            ("catalog_name", json!(DATABASE)),
                            ("schema_name", json!(name)),
                            ("schema_owner", json!(OWNER)),
                        ],
                    )
                })
                .collect(),
            "information_schema_tables" => self
                .tables
                .iter()
                .map(|table| {
                    let kind = if self.is_view(table) {
                        "VIEW"
                    } else {
                        "BASE TABLE"
                    };
                    row(
                        spec,
                        &[
                            ("table_catalog", json!(DATABASE)),
                            ("table_schema", json!(PUBLIC)),
                            ("table_name", json!(table.name)),
                            ("table_type", json!(kind)),
                            ("is_insertable_into", json!("NO")),
                            ("is_typed", json!("NO")),
                        ],
                    )
                })
                .collect(),
            "pg_tables" => views(false)
                .map(|table| {
                    row(
                        spec,
                        &[
                            ("schemaname", json!(PUBLIC)),
                            ("tablename", json!(table.name)),
                            ("tableowner", json!(OWNER)),
                        ],
                    )
                })
                .collect(),
            "pg_views" => views(true)
                .map(|table| {
                    row(
                        spec,
                        &[
                            ("schemaname", json!(PUBLIC)),
                            ("viewname", json!(table.name)),
                            ("viewowner", json!(OWNER)),
                            ("definition", json!(self.definition(table))),
                        ],
                    )
                })
                .collect(),
            "pg_description" => self.descriptions(spec),
            "pg_database" => one(&[
                ("oid", json!(DATABASE_ID)),
                ("datname", json!(DATABASE)),
                ("datdba", json!(OWNER_ID)),
                ("encoding", json!(6)),
                ("datlocprovider", json!("c")),
                ("datallowconn", json!(true)),
                ("datconnlimit", json!(-1)),
                ("dattablespace", json!(1_663)),
                ("datcollate", json!("C.UTF-8")),
                ("datctype", json!("C.UTF-8")),
            ]),
            "pg_roles" => one(&[
                ("oid", json!(OWNER_ID)),
                ("rolname", json!(OWNER)),
                ("rolinherit", json!(true)),
                ("rolcanlogin", json!(true)),
                ("rolconnlimit", json!(-1)),
            ]),
            "pg_user" => one(&[("usename", json!(self.user)), ("usesysid", json!(OWNER_ID))]),
            "pg_am" => one(&[
                ("oid", json!(ACCESS_METHOD_ID)),
                ("amname", json!("heap")),
                ("amtype", json!("t")),
            ]),
            "pg_tablespace" => one(&[
                ("oid", json!(1_663)),
                ("spcname", json!("pg_default")),
                ("spcowner", json!(OWNER_ID)),
            ]),
            "pg_settings" => self
                .settings
                .iter()
                .map(|(name, value)| {
                    row(
                        spec,
                        &[
                            ("name", json!(name)),
                            ("setting", json!(value)),
                            ("context", json!("user")),
                            ("vartype", json!("string")),
                            ("source", json!(source(name, value))),
                            ("boot_val", json!(default_of(name))),
                            ("reset_val", json!(default_of(name))),
                        ],
                    )
                })
                .collect(),
            "pg_get_keywords" => ALL_KEYWORDS
                .iter()
                .map(|word| row(spec, &[("word", json!(word.to_ascii_lowercase()))]))
                .collect(),
            "information_schema_views" => views(true)
                .map(|table| {
                    row(
                        spec,
                        &[
                            ("table_catalog", json!(DATABASE)),
                            ("table_schema", json!(PUBLIC)),
                            ("table_name", json!(table.name)),
                            ("view_definition", json!(self.definition(table))),
                            ("check_option", json!("NONE")),
                            ("is_updatable", json!("NO")),
                            ("is_insertable_into", json!("NO")),
                        ],
                    )
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// What the columns of a declared table mean, each with its unit.
fn meanings(view: &TableView) -> impl Iterator<Item = String> {
    view.columns.iter().map(|column| {
        let unit = column.unit.iter().map(|unit| format!(" ({unit})"));
        let unit: String = unit.collect();
        format!("{} / {}{unit}", column.title_zh, column.title_en)
    })
}

/// Where a setting's value comes from.
fn source(name: &str, value: &str) -> &'static str {
    match default_of(name) == Some(value) {
        true => "default",
        false => "session",
    }
}

/// The type that a column of the city is told as.
pub fn column_type(kind: ColumnKind) -> PgType {
    match kind {
        ColumnKind::Text => PgType::Text,
        ColumnKind::Number => PgType::Float8,
        ColumnKind::Integer => PgType::Int8,
        ColumnKind::Boolean => PgType::Bool,
        ColumnKind::Time => PgType::Timestamptz,
        ColumnKind::Clock => PgType::Timestamp,
        ColumnKind::Json => PgType::Json,
    }
}

impl RecordTables for Catalog {
    fn tables(&self) -> Vec<RecordTable> {
        let mut all = self.lent.tables();
        all.extend(FILLED.iter().chain(&EMPTY).map(table));
        all
    }

    fn is_paged(&self, name: &str) -> bool {
        !is_system_table(name) && self.lent.is_paged(name)
    }

    fn veil(&self) -> Option<Arc<dyn lake::Veil>> {
        self.lent.veil()
    }

    // A statement that names a table of the catalogue beside those of the city must not see more of these for it.
    fn sight(&self) -> Option<Arc<dyn lake::Sight>> {
        self.lent.sight()
    }

    fn may_read_department(&self, name: &str, department: Option<&str>) -> bool {
        self.lent.may_read_department(name, department)
    }

    fn current(&self) -> Option<&'static str> {
        self.lent.current()
    }

    fn page(&self, name: &str, wanted: &Wanted, after: Option<&str>) -> Result<Columns, Problem> {
        self.lent.page(name, wanted, after)
    }

    fn rows(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        match FILLED.iter().chain(&EMPTY).find(|spec| spec.0 == name) {
            Some(spec) => {
                let rows = self.system_rows(spec);
                Box::pin(async move { Ok(rows) })
            }
            None => self.lent.rows(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nothing;

    impl lake::Sight for Nothing {
        fn sees(&self, _: &str, _: &str, _: &str) -> bool {
            false
        }
    }

    /// Lends nothing, and shows nothing of what there is.
    struct Narrow;

    impl RecordTables for Narrow {
        fn tables(&self) -> Vec<RecordTable> {
            Vec::new()
        }
        fn rows(&self, _: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
            Box::pin(async { Ok(Vec::new()) })
        }
        fn sight(&self) -> Option<Arc<dyn lake::Sight>> {
            Some(Arc::new(Nothing))
        }
        fn may_read_department(&self, _: &str, _: Option<&str>) -> bool {
            false
        }
        fn current(&self) -> Option<&'static str> {
            Some("entities_now")
        }
    }

    #[test]
    fn a_statement_that_names_the_catalogue_sees_no_more_of_the_city() {
        let catalog = Catalog {
            tables: Arc::default(),
            views: Arc::default(),
            declared: Arc::default(),
            user: "a".into(),
            settings: Vec::new(),
            zone: Zone::default(),
            connection: 1,
            lent: Arc::new(Narrow),
        };
        assert!(!catalog.sight().unwrap().sees("urn:a", "T", "x"));
        assert!(!catalog.may_read_department("t", None));
        assert_eq!(catalog.current(), Some("entities_now"));
    }
}
