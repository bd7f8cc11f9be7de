//! A small pack that is right, broken in one place at a time: each mistake is told with file and line.

use model::Problem;
use pack::{Files, Folder, Pack, Packs, check};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub const FILES: &[(&str, &str)] = &[
    (
        "pack.toml",
        "# Test.\nname = \"pack-test\"\nversion = 1\ntitle_zh = \"测试\"\ntitle_en = \"Test\"\nowner_zh = \"局\"\nowner_en = \"Bureau\"\npermissions = [\"entity.read\"]\n",
    ),
    ("README.md", "# 测试\n"),
    (
        "quality.toml",
        "# Ledger.\n[[rule]]\nid = \"standard-names\"\nstate = \"done\"\n[[rule]]\nid = \"units\"\nstate = \"done\"\n[[rule]]\nid = \"ranges\"\nstate = \"done\"\n[[rule]]\nid = \"runbooks\"\nstate = \"done\"\n[[rule]]\nid = \"two-languages\"\nstate = \"done\"\n[[rule]]\nid = \"sources\"\nstate = \"done\"\n[[rule]]\nid = \"scenarios\"\nstate = \"done\"\n[[rule]]\nid = \"department-review\"\nstate = \"todo\"\nbecause = \"new\"\n",
    ),
    (
        "entities/Well.toml",
        "# A well.\nname = \"Well\"\ntitle_zh = \"井\"\ntitle_en = \"Well\"\n[attributes.depth]\nvalue = \"number\"\ntitle_zh = \"埋深\"\ntitle_en = \"Depth\"\nunit = \"MTR\"\nmin = 0.0\nmax = 100.0\n[attributes.name]\nvalue = \"text\"\ntitle_zh = \"名称\"\ntitle_en = \"Name\"\n",
    ),
    (
        "rules/deep.toml",
        "# Deep.\nid = \"deep\"\nversion = 1\ntitle_zh = \"深 {value}\"\ntitle_en = \"Deep {value}\"\nentity_type = \"Well\"\nattribute = \"depth\"\nop = \">\"\nthreshold = 50.0\nunit = \"MTR\"\nseverity = \"minor\"\nopens_case = \"standard\"\nrunbook = \"deep\"\n",
    ),
    (
        "workflows/well-case.toml",
        "# Wells.\nname = \"well-case\"\ntitle_zh = \"井\"\ntitle_en = \"Well\"\ninitial = \"collected\"\nopen_may = [\"case.open\"]\n[[states]]\nname = \"collected\"\nstep = \"collect\"\ntitle_zh = \"采集\"\ntitle_en = \"Collected\"\nminutes = 5\n[[states]]\nname = \"closed\"\nstep = \"close\"\ntitle_zh = \"结\"\ntitle_en = \"Closed\"\nfinal = true\n[[transitions]]\naction = \"close\"\nfrom = [\"collected\"]\nto = \"closed\"\nmay = [\"case.verify\"]\n",
    ),
    ("runbooks/deep.zh.md", "# 深\n"),
    ("runbooks/deep.en.md", "# Deep\n"),
    (
        "strings/zh.toml",
        "[well]\nhint = \"提示\"\n[Well.name]\na = \"甲\"\n",
    ),
    (
        "strings/en.toml",
        "[well]\nhint = \"Hint\"\n[Well.name]\na = \"A\"\n",
    ),
    (
        "views/well-cases.toml",
        "# Cases.\nid = \"well-cases\"\ntitle_zh = \"案件\"\ntitle_en = \"Cases\"\n[cases]\nworkflow = \"well-case\"\ncolumns = [\"collected\"]\n",
    ),
    (
        "views/wells.toml",
        "# Wells.\nid = \"wells\"\ntitle_zh = \"井\"\ntitle_en = \"Wells\"\nentity_type = \"Well\"\n[layer]\nicon = \"well\"\ncolour = \"#112233\"\nattribute = \"depth\"\n[table]\ncolumns = [\"name\", \"depth\"]\n[chart]\nattributes = [\"depth\"]\n[form]\n[[form.fields]]\nattribute = \"depth\"\nrequired = true\n[[form.fields]]\nattribute = \"name\"\n[board]\nattribute = \"name\"\n[[board.columns]]\nvalue = \"a\"\ntitle_zh = \"甲\"\ntitle_en = \"A\"\n[[board.columns]]\nvalue = \"b\"\ntitle_zh = \"乙\"\ntitle_en = \"B\"\n",
    ),
    (
        "mappings/wells.toml",
        "# Wells.\nid = \"wells\"\ndoor = \"mqtt\"\nfrom = \"wells/+/up\"\nentity_type = \"Well\"\nentity_id = \"urn:ngsi-ld:Well:{1}\"\n[fields.d]\nattribute = \"depth\"\nunit = \"CMT\"\n",
    ),
    (
        "indicators/wells.sql",
        "-- # Wells.\n-- id: wells\n-- number: P1\n-- origin: platform\n-- group_zh: 组\n-- group_en: Group\n-- subgroup_zh: 组\n-- subgroup_en: Group\n-- name_zh: 井\n-- name_en: Wells\n-- unit_zh: 口\n-- unit_en: wells\n-- direction: more\n-- baseline: none\n-- baseline_year: 2020\n-- target: 3\n-- target_year: 2025\n-- method: computed\n-- source_zh: 平台\n-- source_en: platform\n-- path: linear\nSELECT count(*) AS value FROM entities_now;\n-- rows:\nSELECT entity_id FROM entities_now;\n",
    ),
];

/// Writes the pack with changes: new text, or `None` for a file taken away.
fn write(root: &Path, changes: &[(&str, Option<String>)]) -> PathBuf {
    let mut files: BTreeMap<String, String> = FILES
        .iter()
        .map(|(p, t)| ((*p).to_owned(), (*t).to_owned()))
        .collect();
    for (path, text) in changes {
        match text {
            Some(text) => files.insert((*path).to_owned(), text.clone()),
            None => files.remove(*path),
        };
    }
    let folder = root.join("pack-test");
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

pub(crate) fn problems(changes: &[(&str, Option<String>)]) -> Vec<Problem> {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), changes);
    let cut = format!("{}/", folder.display());
    let mut found = check(&folder);
    for problem in &mut found {
        problem.place = problem.place.replace(&cut, "");
        assert!(!problem.what.is_empty() && !problem.mend.is_empty());
    }
    found
}

/// One replacement in one file gives this problem first, and at most the other side of the same slip after it.
#[track_caller]
fn broken(path: &str, from: &str, to: &str, code: &str, place: &str) {
    let text = FILES.iter().find(|(p, _)| *p == path).unwrap().1;
    assert!(text.contains(from), "{from} is in {path}");
    let found = problems(&[(path, Some(text.replacen(from, to, 1)))]);
    let first = found.first().map(|p| (p.code.as_str(), p.place.as_str()));
    assert_eq!(first, Some((code, place)), "{found:#?}");
    assert!(found.len() <= 2, "{found:#?}");
}

#[test]
fn the_small_pack_is_right() {
    assert_eq!(problems(&[]), vec![]);
}

#[test]
fn a_pack_of_its_own_loads_beside_the_carried_ones() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[]);
    let carried = pack::embedded();
    // Its indicator has the number of a carried one; numbers are for people and may repeat among packs.
    let all = Packs::load_all(carried.clone(), Some(root.path())).unwrap();
    assert_eq!(all.packs.len(), carried.len() + 1);
    assert!(all.catalogue.attribute("Well", "depth").is_some());
    assert!(all.views.iter().any(|v| v.id == "wells"));
}

#[test]
fn two_packs_that_clash() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), &[]);
    let pack = Pack::load(&Folder::new(folder, pack::files::Limits::default())).unwrap();
    let mut other = pack.clone();
    other.manifest.name = "pack-other".into();
    let there = "pack-other/entities/Well.toml";
    other.kind_files.insert("Well".into(), there.into());
    let problems = Packs::merge(vec![pack, other]).unwrap_err();
    assert!(problems.iter().all(|p| p.code == "pack-clash"));
    assert!(
        problems.iter().any(|p| p.what.contains("entity type Well")),
        "{problems:#?}"
    );
    assert!(problems.iter().any(|p| p.what.contains("rule deep")));
    // Both files are named.
    let clash = problems
        .iter()
        .find(|p| p.what.contains("type Well"))
        .unwrap();
    assert!(
        clash.what.contains("pack-test/entities/Well.toml"),
        "{clash:?}"
    );
    assert!(clash.what.contains(there), "{clash:?}");
}

#[test]
fn scenarios_and_standards() {
    let well = FILES
        .iter()
        .find(|(p, _)| *p == "entities/Well.toml")
        .unwrap()
        .1;
    let with = |standard: &str| {
        let text = well.replace(
            "[attributes.depth]",
            &format!("{standard}\n[attributes.depth]"),
        );
        problems(&[("entities/Well.toml", Some(text))])
            .iter()
            .map(|p| format!("{} {}", p.code, p.place))
            .collect::<Vec<_>>()
    };
    let model = "smart_data_model = \"dataModel.Environment\"";
    assert_eq!(
        with(&format!("standard = {{ {model}, own = [\"depth\"] }}")),
        [""; 0]
    );
    assert_eq!(with("standard = { none = \"a test\" }"), [""; 0]);
    for wrong in [
        "standard = {}".to_owned(),
        format!("standard = {{ {model}, none = \"both\" }}"),
        format!("standard = {{ {model}, own = [\"height\"] }}"),
    ] {
        assert_eq!(with(&wrong), ["standard entities/Well.toml:5"], "{wrong}");
    }
    let scenario = |text: &str| {
        let found = problems(&[("scenarios/deep.md", Some(text.to_owned()))]);
        found
            .iter()
            .map(|p| format!("{} {}", p.code, p.place))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        scenario(
            "# A\n- When `urn:ngsi-ld:Well:1` reports `depth` 60 MTR\n- Then the alert `deep` is raised: minor\n"
        ),
        [""; 0]
    );
    assert_eq!(
        scenario("# A\n- When it rains\n- Then no alert changes\n"),
        ["scenario-step scenarios/deep.md:2"]
    );
}

#[test]
fn forecasts() {
    let with = |table: &str| {
        let text = format!(
            "# Foretold depths.\nname = \"DepthForecast\"\ntitle_zh = \"井深预报\"\ntitle_en = \"Depth forecast\"\n\
             [attributes.refWell]\nvalue = \"relationship\"\ntitle_zh = \"井\"\ntitle_en = \"Well\"\n\
             [attributes.run]\nvalue = \"json\"\ntitle_zh = \"过程\"\ntitle_en = \"Series\"\n\
             [forecast]\n{table}"
        );
        let found = problems(&[("entities/DepthForecast.toml", Some(text))]);
        let told = found.iter().map(|p| format!("{} {}", p.code, p.place));
        told.collect::<Vec<_>>()
    };
    let good =
        "entity_type = \"Well\"\nattribute = \"depth\"\nrelation = \"refWell\"\nseries = \"run\"\n";
    assert_eq!(with(good), [""; 0]);
    for (from, to, line) in [
        ("\"Well\"", "\"Lake\"", 15),
        ("\"depth\"", "\"height\"", 15),
        ("\"refWell\"", "\"run\"", 16),
        ("\"run\"", "\"refWell\"", 17),
    ] {
        let wrong = with(&good.replace(from, to));
        let place = format!("entity-forecast entities/DepthForecast.toml:{line}");
        assert_eq!(wrong, [place], "{to}");
    }
    assert_eq!(
        with(&good.replace("\"Well\"", "\"DepthForecast\"")).len(),
        2
    );
}

#[test]
fn histories() {
    let well = FILES
        .iter()
        .find(|(p, _)| *p == "entities/Well.toml")
        .unwrap()
        .1;
    let with = |history: &str| {
        let found = problems(&[("entities/Well.toml", Some(format!("{well}{history}")))]);
        let told = found.iter().map(|p| format!("{} {}", p.code, p.place));
        told.collect::<Vec<_>>()
    };
    // Fifteen lines come before.
    assert_eq!(
        with(
            "[history]\nkeep_days = 30\n[history.rollups]\n\"1m\" = { keep_days = 90 }\n\"1d\" = {}\n"
        ),
        [""; 0]
    );
    assert_eq!(
        with("[history]\n[history.rollups.1h]\nkeep_days = 9\n"),
        [""; 0]
    );
    assert_eq!(
        with("[history]\nkeep_days = 0\n"),
        ["history-days entities/Well.toml:17"]
    );
    assert_eq!(
        with("[history]\nkeep_days = 30\n[history.rollups.1h]\nkeep_days = 7\n"),
        ["history-order entities/Well.toml:19"]
    );
    assert_eq!(
        with("[history.rollups.1h]\nkeep_days = 0\n"),
        ["history-days entities/Well.toml:17"]
    );
    for unknown in [
        "[history]\nkeep_hours = 30\n",
        "[history.rollups.5m]\n",
        "[history]\nkeep_days = \"long\"\n",
    ] {
        let found = with(unknown);
        assert!(
            found[0].starts_with("pack-toml entities/Well.toml:1"),
            "{found:?}"
        );
    }
    let closed = well.replace("value = \"number\"", "value = \"text\"");
    let closed = closed.replace("unit = \"MTR\"\nmin = 0.0\nmax = 100.0\n", "");
    let closed = format!("open = false\n{closed}[history.rollups.1d]\n");
    let found = problems(&[("entities/Well.toml", Some(closed))]);
    assert!(
        found.iter().any(|p| p.code == "history-without-numbers"),
        "{found:#?}"
    );
}

#[test]
fn unknown_keys_and_wrong_kinds() {
    broken(
        "pack.toml",
        "owner_zh",
        "owner_cn",
        "pack-toml",
        "pack.toml:6",
    );
    broken(
        "rules/deep.toml",
        "severity",
        "serverity",
        "pack-toml",
        "rules/deep.toml:11",
    );
    broken(
        "rules/deep.toml",
        "\"minor\"",
        "\"tiny\"",
        "pack-toml",
        "rules/deep.toml:11",
    );
    broken(
        "entities/Well.toml",
        "max = 100.0",
        "maximum = 100.0",
        "pack-toml",
        "entities/Well.toml:11",
    );
    broken(
        "entities/Well.toml",
        "[attributes.name]",
        "[attributes.name",
        "pack-toml",
        "entities/Well.toml:12",
    );
    broken(
        "views/wells.toml",
        "columns = [\"name\"",
        "columns = [1",
        "pack-toml",
        "views/wells.toml:11",
    );
    broken(
        "strings/zh.toml",
        "\"提示\"",
        "1",
        "string-kind",
        "strings/zh.toml:2",
    );
    broken(
        "indicators/wells.sql",
        "number: P1",
        "nummer: P1",
        "indicator-unknown-key",
        "indicators/wells.sql:3",
    );
}

#[test]
fn a_rule_cannot_ask_about_what_is_sealed() {
    let well = FILES[3].1.to_owned()
        + "[attributes.keeperPhone]\nvalue = \"text\"\ntitle_zh = \"电话\"\ntitle_en = \"Phone\"\npersonal = \"personal\"\nmask = \"phone\"\n";
    let well = well.replace(
        "title_zh = \"井\"",
        "data_subject = \"keeperPhone\"\ntitle_zh = \"井\"",
    );
    let entity = ("entities/Well.toml", Some(well));
    assert_eq!(problems(std::slice::from_ref(&entity)), []);
    let rule = FILES[4].1.replace("\"depth\"", "\"keeperPhone\"");
    let rule = rule
        .replace("threshold = 50.0\nunit = \"MTR\"", "threshold = \"1\"")
        .replace("\">\"", "\"==\"");
    let found = problems(&[entity, ("rules/deep.toml", Some(rule))]);
    let found: Vec<_> = found
        .iter()
        .map(|p| (p.code.as_str(), p.place.as_str()))
        .collect();
    assert_eq!(found, [("rule-personal", "rules/deep.toml:7")]);
}

#[test]
fn what_does_not_fit_together() {
    for (path, from, to, code, place) in [
        (
            "pack.toml",
            "pack-test",
            "pack-best",
            "pack-name",
            "pack.toml:2",
        ),
        ("pack.toml", "\"局\"", "\" \"", "empty", "pack.toml:6"),
        ("README.md", "# 测试", "", "empty", "README.md:1"),
        (
            "quality.toml",
            "\"units\"",
            "\"standard-names\"",
            "quality-missing",
            "quality.toml:1",
        ),
        (
            "quality.toml",
            "because = \"new\"\n",
            "",
            "quality-because",
            "quality.toml:25",
        ),
        (
            "entities/Well.toml",
            "\"MTR\"",
            "\"m\"",
            "unit-symbol",
            "entities/Well.toml:9",
        ),
        (
            "entities/Well.toml",
            "min = 0.0",
            "min = 100.0",
            "range",
            "entities/Well.toml:10",
        ),
        (
            "entities/Well.toml",
            "title_en = \"Depth\"",
            "title_en = \"\"",
            "title-missing",
            "entities/Well.toml:8",
        ),
        (
            "entities/Well.toml",
            "title_en = \"Name\"",
            "title_en = \"Name\"\nunit = \"MTR\"",
            "unit-without-number",
            "entities/Well.toml:16",
        ),
        (
            "entities/Well.toml",
            "max = 100.0",
            "max = 100.0\npersonal = \"sensitive\"",
            "personal-kind",
            "entities/Well.toml:12",
        ),
        (
            "entities/Well.toml",
            "title_en = \"Name\"",
            "title_en = \"Name\"\npersonal = \"personal\"",
            "personal-name",
            "entities/Well.toml:16",
        ),
        (
            "entities/Well.toml",
            "title_en = \"Name\"",
            "title_en = \"Name\"\nmask = \"phone\"",
            "personal-mask",
            "entities/Well.toml:16",
        ),
        (
            "entities/Well.toml",
            "title_en = \"Name\"",
            "title_en = \"Name\"\npersonal = \"secret\"",
            "pack-toml",
            "entities/Well.toml:16",
        ),
        (
            "entities/Well.toml",
            "title_zh = \"井\"",
            "heard_within_seconds = 0\ntitle_zh = \"井\"",
            "heard-within",
            "entities/Well.toml:3",
        ),
        (
            "entities/Well.toml",
            "title_zh = \"井\"",
            "data_subject = \"name\"\ntitle_zh = \"井\"",
            "personal-subject",
            "entities/Well.toml:3",
        ),
        (
            "rules/deep.toml",
            "\"depth\"",
            "\"debth\"",
            "rule-unknown-attribute",
            "rules/deep.toml:7",
        ),
        (
            "rules/deep.toml",
            "\"Well\"",
            "\"Wall\"",
            "rule-unknown-type",
            "rules/deep.toml:6",
        ),
        (
            "rules/deep.toml",
            "\"MTR\"",
            "\"CMT\"",
            "rule-unit",
            "rules/deep.toml:10",
        ),
        (
            "rules/deep.toml",
            "50.0",
            "500.0",
            "rule-never",
            "rules/deep.toml:9",
        ),
        (
            "rules/deep.toml",
            "Deep {value}",
            "Deep {valeu}",
            "rule-placeholder",
            "rules/deep.toml:5",
        ),
        (
            "rules/deep.toml",
            "\"standard\"",
            "\"flood\"",
            "rule-workflow",
            "rules/deep.toml:12",
        ),
        (
            "workflows/well-case.toml",
            "minutes",
            "minuets",
            "pack-toml",
            "workflows/well-case.toml:12",
        ),
        (
            "workflows/well-case.toml",
            "\"well-case\"",
            "\"wells\"",
            "workflow-name",
            "workflows/well-case.toml:2",
        ),
        (
            "workflows/well-case.toml",
            "title_en = \"Closed\"",
            "title_en = \"\"",
            "title-missing",
            "workflows/well-case.toml:17",
        ),
        (
            "workflows/well-case.toml",
            "to = \"closed\"",
            "to = \"shut\"",
            "workflow-unknown-state",
            "workflows/well-case.toml:22",
        ),
        (
            "workflows/well-case.toml",
            "[\"case.verify\"]",
            "[]",
            "workflow-may",
            "workflows/well-case.toml:23",
        ),
        (
            "workflows/well-case.toml",
            "case.verify",
            "case.verfy",
            "workflow-word",
            "workflows/well-case.toml:23",
        ),
        (
            "workflows/well-case.toml",
            "action = \"close\"",
            "action = \"shut\"",
            "workflow-word",
            "workflows/well-case.toml:20",
        ),
        (
            "strings/zh.toml",
            "hint",
            "hints",
            "string-language",
            "strings/zh.toml:2",
        ),
        (
            "strings/en.toml",
            "\"Hint\"",
            "\"\"",
            "string-empty",
            "strings/en.toml:2",
        ),
        (
            "views/wells.toml",
            "\"Well\"\n[layer]",
            "\"Wall\"\n[layer]",
            "view-unknown-type",
            "views/wells.toml:5",
        ),
        (
            "views/wells.toml",
            "[\"name\", \"depth\"]",
            "[\"name\", \"width\"]",
            "view-unknown-attribute",
            "views/wells.toml:11",
        ),
        (
            "views/wells.toml",
            "#112233",
            "red",
            "view-colour",
            "views/wells.toml:8",
        ),
        (
            "views/wells.toml",
            "\"depth\"\nrequired",
            "\"width\"\nrequired",
            "view-unknown-attribute",
            "views/wells.toml:16",
        ),
        (
            "views/wells.toml",
            "[[form.fields]]\nattribute = \"name\"",
            "[[form.fields]]\nattribute = \"depth\"",
            "view-twice",
            "views/wells.toml:19",
        ),
        (
            "views/wells.toml",
            "required = true",
            "choices = [{ value = \"x\", title_zh = \"甲\", title_en = \"X\" }]",
            "view-choices",
            "views/wells.toml:17",
        ),
        (
            "views/wells.toml",
            "required = true",
            "list = true",
            "view-form-kind",
            "views/wells.toml:17",
        ),
        (
            "views/wells.toml",
            "required = true",
            "from = [\"Well\"]",
            "view-form-from",
            "views/wells.toml:17",
        ),
        (
            "views/wells.toml",
            "[form]",
            "[form]\nof = \"name\"",
            "view-form-of",
            "views/wells.toml:15",
        ),
        (
            "views/wells.toml",
            "[form]",
            "[form]\nof = \"owner\"",
            "view-unknown-attribute",
            "views/wells.toml:15",
        ),
        (
            "views/wells.toml",
            "[[form.fields]]\nattribute = \"depth\"\nrequired = true\n[[form.fields]]\nattribute = \"name\"\n",
            "",
            "view-empty",
            "views/wells.toml:14",
        ),
        (
            "views/wells.toml",
            "value = \"b\"",
            "value = \"a\"",
            "view-twice",
            "views/wells.toml:27",
        ),
        (
            "views/wells.toml",
            "title_en = \"B\"",
            "title_en = \"\"",
            "title-missing",
            "views/wells.toml:29",
        ),
        (
            "views/wells.toml",
            "value = \"b\"\ntitle_zh = \"乙\"\ntitle_en = \"B\"\n",
            "value = \"b\"\n",
            "view-word",
            "views/wells.toml:27",
        ),
        (
            "views/well-cases.toml",
            "\"well-case\"",
            "\"wall-case\"",
            "view-unknown-workflow",
            "views/well-cases.toml:6",
        ),
        (
            "views/well-cases.toml",
            "[\"collected\"]",
            "[\"closed\"]",
            "view-unknown-state",
            "views/well-cases.toml:7",
        ),
        (
            "views/well-cases.toml",
            "[\"collected\"]",
            "[\"collected\", \"collected\"]",
            "view-twice",
            "views/well-cases.toml:7",
        ),
        (
            "views/well-cases.toml",
            "columns = [\"collected\"]",
            "category = \"B0101\"",
            "view-unknown-class",
            "views/well-cases.toml:7",
        ),
        (
            "views/well-cases.toml",
            "[cases]",
            "entity_type = \"Well\"\n[cases]",
            "view-cases-alone",
            "views/well-cases.toml:6",
        ),
        (
            "views/well-cases.toml",
            "[cases]\nworkflow = \"well-case\"\ncolumns = [\"collected\"]\n",
            "",
            "view-unknown-type",
            "views/well-cases.toml:1",
        ),
        (
            "mappings/wells.toml",
            "{1}",
            "{2}",
            "mapping-entity-id",
            "mappings/wells.toml:6",
        ),
        (
            "mappings/wells.toml",
            "urn:ngsi-ld:Well:",
            "well ",
            "mapping-entity-id",
            "mappings/wells.toml:6",
        ),
        (
            "mappings/wells.toml",
            "\"depth\"",
            "\"width\"",
            "mapping-unknown-attribute",
            "mappings/wells.toml:8",
        ),
        (
            "mappings/wells.toml",
            "\"CMT\"",
            "\"KWT\"",
            "mapping-unit",
            "mappings/wells.toml:9",
        ),
        // A code that no unit has; that is what it is here for.
        (
            "mappings/wells.toml",
            "\"CMT\"",
            "\"XXX\"",
            "unit-unknown",
            "mappings/wells.toml:9",
        ),
    ] {
        broken(path, from, to, code, place);
    }
}

#[test]
fn an_unknown_unit_code_is_told_wherever_it_stands() {
    let text = FILES[3].1.replacen("\"MTR\"", "\"MTX\"", 1);
    let found = problems(&[("entities/Well.toml", Some(text))]);
    assert_eq!(
        (found[0].code.as_str(), found[0].place.as_str()),
        ("unit-unknown", "entities/Well.toml:9")
    );
}

#[test]
fn missing_and_foreign_files() {
    for (changes, code, place) in [
        (vec![("pack.toml", None)], "pack-file-missing", "pack.toml"),
        (
            vec![("strings/en.toml", None)],
            "pack-file-missing",
            "strings/en.toml",
        ),
        (
            vec![("runbooks/deep.en.md", None)],
            "runbook-language",
            "runbooks/deep.zh.md:1",
        ),
        (
            vec![("entities/notes.txt", Some("x".into()))],
            "pack-foreign-file",
            "entities/notes.txt",
        ),
        (
            vec![("plan.txt", Some("x".into()))],
            "plan-missing",
            "plan.txt:1",
        ),
    ] {
        let found = problems(&changes);
        let seen: Vec<_> = found
            .iter()
            .map(|p| (p.code.as_str(), p.place.as_str()))
            .collect();
        assert_eq!(seen, [(code, place)], "{found:#?}");
    }
}

#[test]
fn a_pack_may_have_an_engine_beside_its_declarations() {
    assert_eq!(
        problems(&[
            ("Cargo.toml", Some("x".into())),
            ("src/lib.rs", Some("x".into()))
        ]),
        vec![]
    );
}

#[test]
fn a_rule_without_a_runbook() {
    let none = problems(&[(
        "rules/deep.toml",
        Some(FILES[4].1.replace("runbook = \"deep\"\n", "")),
    )]);
    assert_eq!(
        (none[0].code.as_str(), none[0].place.as_str()),
        ("rule-runbook", "rules/deep.toml:1")
    );
    assert_eq!(none[1].code, "runbook-unused");
    let wrong = problems(&[(
        "rules/deep.toml",
        Some(
            FILES[4]
                .1
                .replace("runbook = \"deep\"", "runbook = \"deeper\""),
        ),
    )]);
    assert_eq!(
        (wrong[0].code.as_str(), wrong[0].place.as_str()),
        ("rule-runbook", "rules/deep.toml:13")
    );
}

#[test]
fn the_same_id_twice() {
    let again = problems(&[("rules/deeper.toml", Some(FILES[4].1.to_owned()))]);
    assert_eq!(
        (again[0].code.as_str(), again[0].place.as_str()),
        ("duplicate", "rules/deeper.toml:2")
    );
    let again = problems(&[("entities/Well2.toml", Some(FILES[3].1.to_owned()))]);
    assert_eq!(
        (again[0].code.as_str(), again[0].place.as_str()),
        ("duplicate", "entities/Well2.toml:2")
    );
}

#[test]
fn a_contradiction_that_misquotes_the_plan() {
    let plan = "title_zh = \"规划\"\ntitle_en = \"Plan\"\nsource_zh = \"委\"\nsource_en = \"Commission\"\nperiod = [2020, 2025]\n";
    let contradiction = |quote: &str, indicator: &str| {
        format!(
            "[[contradiction]]\nid = \"c\"\nkind = \"implausible\"\nzh = \"a\"\nen = \"a\"\nreading_zh = \"a\"\nreading_en = \"a\"\nindicators = [\"{indicator}\"]\nplaces = [{{ section = \"一\", quote = \"{quote}\" }}]\n"
        )
    };
    let with = |quote: &str, indicator: &str| {
        problems(&[
            ("plan.toml", Some(plan.into())),
            ("plan.txt", Some("引进12家\n平台".into())),
            ("contradictions.toml", Some(contradiction(quote, indicator))),
        ])
    };
    assert_eq!(with("引进12家平台", "wells"), vec![]);
    assert_eq!(with("引进 … 平台", "wells"), vec![]);
    assert_eq!(with("引进13家", "wells")[0].code, "plan-quote");
    let found = with("引进12家", "walls");
    assert_eq!(
        (found[0].code.as_str(), found[0].place.as_str()),
        ("contradiction-indicator", "contradictions.toml:8")
    );
}

#[test]
fn not_utf8_and_too_long() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), &[]);
    std::fs::write(folder.join("README.md"), b"ok\n\xff").unwrap();
    assert_eq!(check(&folder)[0].code, "pack-utf8");
    assert!(check(&folder)[0].place.ends_with("README.md:2"));
    std::fs::write(folder.join("README.md"), "x".repeat(2 << 20)).unwrap();
    assert_eq!(check(&folder)[0].code, "pack-file-length");
    assert_eq!(
        check(&root.path().join("nowhere"))[0].code,
        "pack-unreadable"
    );
    assert_eq!(
        Folder::new(&folder, pack::files::Limits::default()).name(),
        "pack-test"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_file_is_told_and_nothing_panics(file in 0..FILES.len(), cut in 0..400_usize, junk in "[\\PC\n]{0,20}") {
        let (path, text) = FILES[file];
        let keep: String = text.chars().take(cut).collect();
        let found = problems(&[(path, Some(keep + &junk))]);
        proptest::prop_assert!(found.iter().all(|p| !p.place.is_empty()), "{found:?}");
    }
}

#[test]
fn systems_of_the_plan_that_do_not_fit() {
    let plan = "title_zh = \"规划\"\ntitle_en = \"Plan\"\nsource_zh = \"委\"\nsource_en = \"Commission\"\nperiod = [2020, 2025]\n";
    let system = |id: &str, part: &str, indicators: &str| {
        format!(
            "[[system]]\nid = \"{id}\"\npart = \"{part}\"\nname_zh = \"台\"\nname_en = \"It\"\nquote = \"平台\"\nindicators = [{indicators}]\n"
        )
    };
    let with = |systems: &[String]| {
        let found = problems(&[
            ("plan.toml", Some(format!("{plan}{}", systems.concat()))),
            ("plan.txt", Some("平台".into())),
        ]);
        let told = found.iter().map(|p| format!("{} {}", p.code, p.place));
        told.collect::<Vec<_>>()
    };
    let (data, command) = (system("S01", "data", ""), system("S02", "command", ""));
    assert_eq!(
        with(&[
            data.clone(),
            command.clone(),
            system("S03", "thematic", "\"wells\"")
        ]),
        Vec::<String>::new()
    );
    assert_eq!(with(&[]), Vec::<String>::new());
    let told = with(&[data.clone(), command.clone(), system("S01", "thematic", "")]);
    assert!(told[0].starts_with("system-twice plan.toml:"), "{told:?}");
    let told = with(&[
        data.clone(),
        command.clone(),
        system("S03", "thematic", "\"none\""),
    ]);
    assert!(
        told[0].starts_with("system-indicator plan.toml:"),
        "{told:?}"
    );
    let twice = [
        data.clone(),
        command,
        system("S03", "thematic", "\"wells\""),
        system("S04", "thematic", "\"wells\""),
    ];
    assert!(
        with(&twice)[0].starts_with("system-indicator"),
        "{:?}",
        with(&twice)
    );
    assert!(with(&[data])[0].starts_with("system-frame"));
}

/// Words of values are for values that there can be; a column may leave its title to them.
#[test]
fn words_of_values_are_of_declared_attributes() {
    let both = |from: &str, to: &str| {
        ["strings/zh.toml", "strings/en.toml"].map(|path| {
            let text = FILES.iter().find(|(p, _)| *p == path).unwrap().1;
            assert!(text.contains(from));
            (path, Some(text.replacen(from, to, 1)))
        })
    };
    for (to, code) in [
        ("[Wall.name]", "string-type"),
        ("[Well.names]", "string-attribute"),
        ("[Well.depth]", "string-value"),
    ] {
        let found = problems(&both("[Well.name]", to));
        let told: Vec<_> = found
            .iter()
            .map(|p| (p.code.as_str(), p.place.as_str()))
            .collect();
        assert_eq!(told, [(code, "strings/zh.toml:4")]);
    }
    // Words of no type are anybody's.
    assert_eq!(problems(&both("[Well.name]", "[well.names]")), vec![]);
    let view = FILES
        .iter()
        .find(|(p, _)| *p == "views/wells.toml")
        .unwrap();
    let untitled = view
        .1
        .replacen("title_zh = \"甲\"\ntitle_en = \"A\"\n", "", 1);
    assert_ne!(untitled, view.1);
    assert_eq!(problems(&[("views/wells.toml", Some(untitled))]), vec![]);
}
