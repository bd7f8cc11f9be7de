//! Reads one pack. All its mistakes are gathered; a pack with any is not loaded.

use crate::bulletins::Bulletin;
use crate::check;
use crate::declare::{
    Contradiction, Contradictions, Manifest, Mapping, Plan, Quality, QualityRule, Runbook, View,
};
use crate::document::Document;
use crate::files::Files;
use crate::forms::{ELEMENTS, Element, ElementsFile, FOLDER, Form};
use crate::goals::Goals;
use crate::scenario::ScenarioFile;
use crate::tables::{self, Declared};
use crate::targets::{PlanTarget, Targets};
use cases::Workflow;
use cases::catalogue::MajorClass;
use duty::response::ResponsePlan;
use indicators::Definition;
use model::{Catalogue, EntityKind, Problem, TableView};
use rules::Rule;
use runs::Definition as RunDefinition;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A loaded pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// What it is and whose.
    pub manifest: Manifest,
    /// Its ledger.
    pub quality: Vec<QualityRule>,
    /// Its page for the department (Markdown).
    pub readme: String,
    /// Its entity types.
    pub kinds: Vec<EntityKind>,
    /// The file of each of them, as messages name it.
    pub kind_files: BTreeMap<String, String>,
    /// Its alert rules.
    pub rules: Vec<Rule>,
    /// Its case workflows.
    pub workflows: Vec<Workflow>,
    /// Its classes of cases.
    pub categories: Vec<MajorClass>,
    /// Its indicators, in the order of their files.
    pub indicators: Vec<Definition>,
    /// Its views.
    pub views: Vec<View>,
    /// Its runbooks, by name.
    pub runbooks: BTreeMap<String, Runbook>,
    /// Its response plans (预案), in the order of their files.
    pub responses: Vec<ResponsePlan>,
    /// Its runs (计算任务), in the order of their files.
    pub runs: Vec<RunDefinition>,
    /// Its bulletins (简报), in the order of their files.
    pub bulletins: Vec<Bulletin>,
    /// The tables that it declares as SQL, each after those that it reads.
    pub tables: Vec<TableView>,
    /// Its words in Chinese, by key (dotted).
    pub strings_zh: BTreeMap<String, String>,
    /// The same in English; the same keys.
    pub strings_en: BTreeMap<String, String>,
    /// Its mappings.
    pub mappings: Vec<Mapping>,
    /// Its scenarios' files.
    pub scenarios: Vec<ScenarioFile>,
    /// The plan, in the plan's pack.
    pub plan: Option<Plan>,
    /// Where the plan contradicts itself.
    pub contradictions: Vec<Contradiction>,
    /// The goals of the plan's text, paragraph by paragraph.
    pub goals: Option<Goals>,
    /// What the plan wants of indicators that other packs bring.
    pub targets: Vec<PlanTarget>,
    /// The projects that the plan lists (重点项目), in its order.
    pub projects: Vec<projects::Declared>,
    /// Its data elements (数据元), in order.
    pub elements: Vec<Element>,
    /// Its reporting forms (报表), in the order of their files.
    pub forms: Vec<Form>,
    /// `file:line` of each attribute of its types, by type and name.
    pub attribute_places: BTreeMap<(String, String), String>,
    /// Who may do what with what it declares: `policies/*.cedar`, each file's name and text.
    pub policies: Vec<(String, String)>,
}

/// A pack with the files it was read from, for telling lines.
pub(crate) struct Read {
    pub pack: Pack,
    pub documents: BTreeMap<String, Document>,
    /// What is wrong with its tables.
    pub table_problems: Vec<Problem>,
}

impl Pack {
    /// Reads a pack and checks it.
    ///
    /// # Errors
    /// Every mistake, each with `file:line`.
    pub fn load(files: &dyn Files) -> Result<Self, Vec<Problem>> {
        let read = read(files)?;
        let problems = check::inside(&read);
        if problems.is_empty() {
            Ok(read.pack)
        } else {
            Err(problems)
        }
    }

    /// Its entity types and tables as a catalogue.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue {
            kinds: self
                .kinds
                .iter()
                .map(|kind| (kind.name.clone(), kind.clone()))
                .collect(),
            views: self.tables.clone(),
        }
    }
}

/// Reads all files; what each holds by itself is right, what must fit together is not yet checked.
pub(crate) fn read(files: &dyn Files) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader::default();
    let list = files.list().map_err(|problem| vec![problem])?;
    for path in list.iter().filter(|path| !is_engine(path)) {
        if !is_furniture(path) {
            reader.problems.push(Problem::new(
                "pack-foreign-file",
                "a pack has no such file",
                files.place(path),
                "use pack.toml, quality.toml, README.md, entities/*.toml, rules/*.toml, workflows/*.toml, categories/*.toml, indicators/*.sql, views/*.toml, runbooks/*.zh.md and *.en.md, responses/*.toml, runs/*.toml, bulletins/*.toml, returns/*.toml, elements.toml, tables/*.sql, strings/zh.toml and en.toml, mappings/*.toml, policies/*.cedar, scenarios/*.md",
            ));
            continue;
        }
        match files.read(path) {
            Ok(text) => {
                let place = files.place(path);
                let path = path.clone();
                reader
                    .documents
                    .insert(path.clone(), Document { path, place, text });
            }
            Err(problem) => reader.problems.push(problem),
        }
    }
    let manifest: Option<Manifest> = reader.one("pack.toml", files);
    let quality: Option<Quality> = reader.one("quality.toml", files);
    let readme = reader.text("README.md", files);
    let strings_zh = reader.strings("strings/zh.toml", files);
    let strings_en = reader.strings("strings/en.toml", files);
    let kinds: Vec<EntityKind> = reader.many("entities/");
    let kind_files = kinds
        .iter()
        .zip(reader.under("entities/"))
        .map(|(kind, document)| (kind.name.clone(), document.place.clone()))
        .collect();
    let mut rules: Vec<Rule> = reader.many("rules/");
    let places = reader.under("rules/");
    for (rule, document) in rules.iter_mut().zip(places) {
        rule.file.clone_from(&document.place);
    }
    let attribute_places = reader.attribute_places(&kinds);
    let workflows = reader.many("workflows/");
    let categories = reader.many("categories/");
    let views = reader.many("views/");
    let mappings = reader.many("mappings/");
    let indicators = reader.indicators();
    let runbooks = reader.runbooks();
    let responses = reader.many("responses/");
    let runs = reader.many("runs/");
    let bulletins = reader.many("bulletins/");
    let declared = reader.tables();
    let scenarios = reader
        .under("scenarios/")
        .map(|d| ScenarioFile {
            name: d.stem().to_owned(),
            place: d.place.clone(),
            text: d.text.clone(),
        })
        .collect();
    let policies = reader
        .under("policies/")
        .map(|d| (d.stem().to_owned(), d.text.clone()))
        .collect();
    let mut plan: Option<Plan> = reader.optional("plan.toml");
    if let (Some(plan), Some(text)) = (&mut plan, reader.documents.get("plan.txt")) {
        plan.text.clone_from(&text.text);
    }
    if let (Some(plan), Some(manifest)) = (&mut plan, &manifest)
        && plan.id.is_empty()
    {
        let name = manifest.name.as_str();
        name.strip_prefix("pack-")
            .unwrap_or(name)
            .clone_into(&mut plan.id);
    }
    let targets = reader
        .optional::<Targets>(crate::targets::FILE)
        .map(|file| file.all)
        .unwrap_or_default();
    let contradictions = reader
        .optional::<Contradictions>("contradictions.toml")
        .map(|c| c.all)
        .unwrap_or_default();
    let goals: Option<Goals> = reader.optional(crate::goals::FILE);
    let projects = reader
        .optional::<projects::DeclaredFile>("projects.toml")
        .map(|file| file.all)
        .unwrap_or_default();
    let elements = reader.elements();
    let forms = reader.forms();
    if let (Some(manifest), Some(quality), true) = (manifest, quality, reader.problems.is_empty()) {
        let (tables, table_problems) = tables::arranged(&kinds, &declared);
        Ok(Read {
            pack: Pack {
                manifest,
                quality: quality.rules,
                readme,
                kinds,
                kind_files,
                rules,
                workflows,
                categories,
                indicators,
                views,
                runbooks,
                responses,
                runs,
                bulletins,
                tables,
                strings_zh,
                strings_en,
                mappings,
                scenarios,
                plan,
                contradictions,
                goals,
                targets,
                projects,
                elements,
                forms,
                attribute_places,
                policies,
            },
            documents: reader.documents,
            table_problems,
        })
    } else {
        Err(reader.problems)
    }
}

/// A pack with real mathematics has a crate beside its declarations; that is not for the loader.
fn is_engine(path: &str) -> bool {
    path == "Cargo.toml" || path.starts_with("src/") || path.starts_with("tests/")
}

fn is_furniture(path: &str) -> bool {
    const SINGLE: [&str; 12] = [
        "pack.toml",
        "quality.toml",
        "README.md",
        "strings/zh.toml",
        "strings/en.toml",
        "plan.toml",
        "plan.txt",
        "contradictions.toml",
        crate::goals::FILE,
        crate::targets::FILE,
        "projects.toml",
        ELEMENTS,
    ];
    let in_folder = |folder: &str, ends: &[&str]| {
        path.strip_prefix(folder)
            .is_some_and(|name| !name.contains('/') && ends.iter().any(|end| name.ends_with(end)))
    };
    SINGLE.contains(&path)
        || [
            "entities/",
            "rules/",
            "workflows/",
            "categories/",
            "views/",
            "mappings/",
            "responses/",
            "runs/",
            "bulletins/",
            FOLDER,
        ]
        .iter()
        .any(|folder| in_folder(folder, &[".toml"]))
        || in_folder("indicators/", &[".sql"])
        || in_folder("tables/", &[".sql"])
        || in_folder("runbooks/", &[".zh.md", ".en.md"])
        || in_folder("scenarios/", &[".md"])
        || in_folder("policies/", &[".cedar"])
}

#[derive(Default)]
struct Reader {
    documents: BTreeMap<String, Document>,
    problems: Vec<Problem>,
}

impl Reader {
    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a Document> {
        self.documents
            .values()
            .filter(move |d| d.path.starts_with(folder))
    }

    fn missing(&mut self, path: &str, files: &dyn Files) {
        // A file that is there but could not be read has been told already.
        let place = files.place(path);
        if !self.problems.iter().any(|p| p.place.starts_with(&place)) {
            self.problems.push(Problem::new(
                "pack-file-missing",
                format!("the pack has no {path}"),
                place,
                "add it; `cargo xtask new pack NAME` writes one",
            ));
        }
    }

    fn one<T: DeserializeOwned>(&mut self, path: &str, files: &dyn Files) -> Option<T> {
        if !self.documents.contains_key(path) {
            self.missing(path, files);
        }
        self.optional(path)
    }

    fn optional<T: DeserializeOwned>(&mut self, path: &str) -> Option<T> {
        let parsed = self.documents.get(path)?.parse();
        self.keep(parsed)
    }

    fn text(&mut self, path: &str, files: &dyn Files) -> String {
        if let Some(document) = self.documents.get(path) {
            return document.text.clone();
        }
        self.missing(path, files);
        String::new()
    }

    /// One declaration a file.
    fn many<T: DeserializeOwned>(&mut self, folder: &str) -> Vec<T> {
        let parsed: Vec<Result<T, Problem>> = self.under(folder).map(Document::parse).collect();
        parsed
            .into_iter()
            .filter_map(|result| self.keep(result))
            .collect()
    }

    /// Words by dotted key.
    fn strings(&mut self, path: &str, files: &dyn Files) -> BTreeMap<String, String> {
        let table: toml::Table = self.one(path, files).unwrap_or_default();
        let mut words = BTreeMap::new();
        let mut bad = Vec::new();
        flatten("", &table, &mut words, &mut bad);
        for key in bad {
            let place = self.documents[path].at_dotted(&key);
            self.problems.push(Problem::new(
                "string-kind",
                format!("{key} is no text"),
                place,
                "write the words in quotes",
            ));
        }
        words
    }

    fn indicators(&mut self) -> Vec<Definition> {
        let parsed: Vec<_> = self
            .under("indicators/")
            .map(|d| indicators::parse(&d.place, &d.text))
            .collect();
        let mut all = Vec::new();
        for result in parsed {
            match result {
                Ok(definition) => all.push(definition),
                Err(problems) => self.problems.extend(problems),
            }
        }
        all
    }

    fn tables(&mut self) -> Vec<Declared> {
        let read: Vec<_> = self.under("tables/").map(tables::read).collect();
        let mut all = Vec::new();
        for result in read {
            match result {
                Ok(declared) => all.push(declared),
                Err(problems) => self.problems.extend(problems),
            }
        }
        all
    }

    /// Where each attribute's table begins.
    fn attribute_places(&self, kinds: &[EntityKind]) -> BTreeMap<(String, String), String> {
        let mut places = BTreeMap::new();
        for (kind, document) in kinds.iter().zip(self.under("entities/")) {
            for (n, line) in document.text.lines().enumerate() {
                let name = line.trim().strip_prefix("[attributes.");
                let name = name.and_then(|rest| rest.split(']').next());
                if let Some(name) = name.filter(|name| kind.attributes.contains_key(*name)) {
                    let key = (kind.name.clone(), name.to_owned());
                    places.insert(key, format!("{}:{}", document.place, n + 1));
                }
            }
        }
        places
    }

    fn elements(&mut self) -> Vec<Element> {
        let file: Option<ElementsFile> = self.optional(ELEMENTS);
        let mut file = file.unwrap_or_default();
        let wrong = file.join();
        let mut all = file.all;
        if let Some(document) = self.documents.get(ELEMENTS) {
            for (n, element) in all.iter_mut().enumerate() {
                element.place = document.at(&["element", &n.to_string()]);
            }
        }
        for (n, what) in wrong {
            let place = all[n].place.clone();
            let mend =
                "name a [[source]] of the file as source, and a column of its statement as column";
            self.problems
                .push(Problem::new("element-source", what, place, mend));
        }
        all
    }

    fn forms(&mut self) -> Vec<Form> {
        let mut all: Vec<Form> = self.many(FOLDER);
        // One that could not be read is told already, and no form is kept then.
        for (form, document) in all.iter_mut().zip(self.under(FOLDER)) {
            form.place = document.at(&["id"]);
            for (n, field) in form.fields.iter_mut().enumerate() {
                field.place = document.at(&["field", &n.to_string()]);
            }
        }
        all
    }

    fn runbooks(&mut self) -> BTreeMap<String, Runbook> {
        let mut halves: BTreeMap<String, [Option<(String, String)>; 2]> = BTreeMap::new();
        for document in self.under("runbooks/") {
            let half = usize::from(document.path.ends_with(".en.md"));
            halves.entry(document.stem().to_owned()).or_default()[half] =
                Some((document.place.clone(), document.text.clone()));
        }
        let mut runbooks = BTreeMap::new();
        for (name, halves) in halves {
            match halves {
                [Some((_, zh)), Some((_, en))] => {
                    runbooks.insert(name, Runbook { zh, en });
                }
                [Some((place, _)), None] => self.problems.push(half_missing(&name, "en", &place)),
                [None, Some((place, _))] => self.problems.push(half_missing(&name, "zh", &place)),
                [None, None] => {}
            }
        }
        runbooks
    }
}

fn half_missing(name: &str, language: &str, place: &str) -> Problem {
    Problem::new(
        "runbook-language",
        format!("the runbook {name} is missing in one language"),
        format!("{place}:1"),
        format!("add runbooks/{name}.{language}.md"),
    )
}

fn flatten(
    prefix: &str,
    table: &toml::Table,
    words: &mut BTreeMap<String, String>,
    bad: &mut Vec<String>,
) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::String(text) => {
                words.insert(key, text.clone());
            }
            toml::Value::Table(inner) => flatten(&key, inner, words, bad),
            _ => bad.push(key),
        }
    }
}
