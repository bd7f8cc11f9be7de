//! Data elements and forms (一表同享): those of the city ask nothing that is known, and each way of asking twice is refused with the place
//! where it is known.

use indicators::Towns;
use pack::forms::Origin;
use pack::{Packs, check, embedded};
use std::path::Path;

fn all() -> Packs {
    Packs::load_all(embedded(), None).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn the_citys_forms_ask_only_what_is_known_nowhere() {
    let packs = all();
    let counted: Vec<(&str, usize, usize)> = (packs.forms.iter())
        .map(|form| (form.id.as_str(), form.fields.len(), form.asked()))
        .collect();
    assert_eq!(
        counted,
        [
            ("town-progress", 14, 3),
            ("town-charging", 6, 2),
            ("town-digital-services", 8, 3),
            ("village-networks", 4, 4),
            ("village-flood", 5, 2),
        ]
    );
    for form in &packs.forms {
        for field in &form.fields {
            let element = packs.element(field.element()).unwrap();
            let is_own = element.origin() == Some(Origin::Form(&form.id));
            assert_eq!(field.ask, is_own, "{} {}", form.id, element.id);
        }
    }
    // Each indicator behind an element has values by town.
    for element in &packs.elements {
        if let Some(Origin::Indicator(id)) = element.origin() {
            let indicator = packs.indicators.iter().find(|i| i.id == id).unwrap();
            assert_ne!(indicator.towns, Towns::None, "{}", element.id);
        }
    }
}

/// A file, the words that are there, and the words in their place.
type Change = (&'static str, &'static str, &'static str);

/// The problems of the plan's pack with changes.
fn told(changes: &[Change]) -> Vec<(String, String, String)> {
    let temporary = tempfile::tempdir().unwrap();
    let target = temporary.path().join("pack-plan");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/pack-plan");
    copy(&own, &target);
    for (file, from, to) in changes {
        let path = target.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
    let found = check(&target).into_iter();
    found
        .map(|p| (p.code, p.place, p.what + "; " + &p.mend))
        .collect()
}

fn codes(changes: &[Change]) -> Vec<String> {
    told(changes).into_iter().map(|(code, ..)| code).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// One problem, with its code and place, that says these words.
#[track_caller]
fn one(changes: &[Change], code: &str, place: &str, says: &[&str]) {
    let found = told(changes);
    let [(found_code, found_place, what)] = found.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(found_code, code, "{found_place}: {what}");
    assert!(found_place.ends_with(place), "{found_place} is not {place}");
    for words in says {
        assert!(what.contains(words), "{what} does not say {words}");
    }
}

const ELEMENTS: &str = "elements.toml";
const CHARGING: &str = "returns/town-charging.toml";
const SERVICES: &str = "returns/town-digital-services.toml";

/// `file:line` of the first line that holds these words.
fn line_of(file: &str, words: &str) -> String {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/pack-plan");
    let text = std::fs::read_to_string(own.join(file)).unwrap();
    let line = text.lines().position(|line| line.contains(words)).unwrap();
    format!("pack-plan/{file}:{}", line + 1)
}

#[test]
fn a_form_that_asks_again_is_refused_with_the_place_where_it_is_known() {
    // What an indicator gives by town; the field stands a line above its element.
    let asks = "element = \"town-charging-stations\"\nask = true";
    let field = line_of(CHARGING, "element = \"town-charging-stations\"");
    let (file, line) = field.rsplit_once(':').unwrap();
    let above = line.parse::<usize>().unwrap() - 1;
    one(
        &[(CHARGING, "element = \"town-charging-stations\"", asks)],
        "form-asks-known",
        &format!("{file}:{above}"),
        &[
            "已在指标",
            "pack-plan/indicators/t2-charging-stations.sql:",
            "take ask = true away",
        ],
    );
    // What another form asks.
    let first = "[[field]]\nelement = \"town-cases-open\"";
    let more = "[[field]]\nelement = \"town-scooter-charging\"\nask = true\n\n[[field]]\nelement = \"town-cases-open\"";
    let asked = told(&[(SERVICES, first, more)]);
    assert_eq!(asked[0].0, "form-asks-known", "{asked:#?}");
    for words in [
        "已在报表“乡镇（街道）充电设施年报”中：",
        "pack-plan/returns/town-charging.toml:26;",
    ] {
        assert!(asked[0].2.contains(words), "{asked:#?}");
    }
    assert_eq!(asked.len(), 1);
    // What is registered thing by thing in another pack, under another name.
    let named = "name_zh = \"小区低速电动车充电口\"";
    let again = "name_zh = \"全镇充电站总数（座）\"";
    let place = line_of(ELEMENTS, "id = \"town-scooter-charging\"");
    let (file, line) = place.rsplit_once(':').unwrap();
    let above = line.parse::<usize>().unwrap() - 1;
    one(
        &[(ELEMENTS, named, again)],
        "element-known",
        &format!("{file}:{above}"),
        &[
            "已在对象“充电站”（EVChargingStation，带所在区划）中：pack-charging/entities/EVChargingStation.toml:1",
            "differs_from = { \"EVChargingStation\"",
        ],
    );
    // An attribute is known with its line.
    let attribute = told(&[(ELEMENTS, named, "name_zh = \"可同时充电车辆数\"")]);
    assert!(
        attribute
            .iter()
            .any(|(code, _, what)| code == "element-known"
                && what.contains("EVChargingStation.capacity")
                && what.contains("EVChargingStation.toml:39")),
        "{attribute:#?}"
    );
    // Where it is something else, it says why.
    let why = "name_zh = \"全镇充电站总数（座）\"\ndiffers_from = { EVChargingStation = \"只数单位内部自用、不登记的充电站\" }";
    assert_eq!(codes(&[(ELEMENTS, named, why)]), Vec::<String>::new());
    let short =
        "name_zh = \"全镇充电站总数（座）\"\ndiffers_from = { EVChargingStation = \"不同\" }";
    assert_eq!(codes(&[(ELEMENTS, named, short)]), ["element-differs"]);
}

#[test]
fn one_thing_under_two_names_is_refused() {
    let same = told(&[(
        ELEMENTS,
        "column = \"air_stations\"",
        "column = \"streetlights\"",
    )]);
    assert_eq!(same[0].0, "element-same-origin", "{same:#?}");
    assert!(same[0].2.contains("town-streetlights"), "{same:#?}");
    assert_eq!(same.len(), 1);
    let indicator = codes(&[(
        ELEMENTS,
        "indicator = \"charging-points\"",
        "indicator = \"charging-stations\"",
    )]);
    assert_eq!(indicator, ["element-same-origin"]);
    let name = codes(&[(
        ELEMENTS,
        "name_zh = \"水情测站数\"",
        "name_zh = \"接入平台的路灯 总数\"",
    )]);
    assert_eq!(name, ["element-same-name"]);
}

#[test]
fn what_does_not_fit_is_told() {
    let cases: &[(&[Change], &[&str])] = &[
        (
            &[(CHARGING, "element = \"town-scooter-charging\"\n", "")],
            &["element-form", "form-field-element"],
        ),
        (
            &[(CHARGING, "\"town-charging-points\"", "\"town-nothing\"")],
            &["form-unknown-element"],
        ),
        (
            &[(
                CHARGING,
                "\"town-charging-points\"",
                "\"village-flood-population\"",
            )],
            &["form-per"],
        ),
        (
            &[(
                CHARGING,
                "\"town-charging-points\"",
                "\"town-charging-stations\"",
            )],
            &["form-element-twice"],
        ),
        (
            &[(
                CHARGING,
                "ask = true\nrequired = true\nmin = 0\nmax = 100000\n",
                "",
            )],
            &["element-form", "form-not-asked"],
        ),
        (
            &[(CHARGING, "max = 100000\n", "max = -1\n")],
            &["form-limits"],
        ),
        (
            &[(
                CHARGING,
                "element = \"town-charging-points\"\n",
                "element = \"town-charging-points\"\nrequired = true\n",
            )],
            &["form-limits"],
        ),
        (
            &[(CHARGING, "from = \"2025\"", "from = \"2025-Q1\"")],
            &["form-from"],
        ),
        (
            &[(CHARGING, "due_days = 30", "due_days = 300")],
            &["form-due"],
        ),
        (
            &[(CHARGING, "title_en = \"", "title_en = \"\" # ")],
            &["form-words"],
        ),
        (
            &[(ELEMENTS, "form = \"town-charging\"\n", "")],
            &["element-origin"],
        ),
        (
            &[(
                ELEMENTS,
                "form = \"town-charging\"\n",
                "form = \"town-charging\"\nindicator = \"servers\"\n",
            )],
            &["element-origin"],
        ),
        (
            &[(
                ELEMENTS,
                "form = \"town-charging\"\n",
                "form = \"no-form\"\n",
            )],
            &["form-asks-known"],
        ),
        (
            &[(
                ELEMENTS,
                "indicator = \"charging-points\"",
                "indicator = \"5g-village-reach\"",
            )],
            &["element-indicator"],
        ),
        (
            &[(
                ELEMENTS,
                "indicator = \"charging-points\"",
                "indicator = \"no-indicator\"",
            )],
            &["element-indicator"],
        ),
        (
            &[(
                ELEMENTS,
                "indicator = \"charging-points\"",
                "sql = \"SELECT FROM\"",
            )],
            &["element-sql"],
        ),
        (
            &[(
                ELEMENTS,
                "indicator = \"charging-points\"",
                "sql = \"SELECT code FROM t\"",
            )],
            &["element-sql"],
        ),
        (
            &[(ELEMENTS, "indicator = \"charging-points\"", "table = \"t\"")],
            &["element-table"],
        ),
        (
            &[(
                ELEMENTS,
                "indicator = \"charging-points\"",
                "table = \"ST_RIVER_R\"\ncolumn = \"NONE\"\nkey = \"STCD\"",
            )],
            &["element-table"],
        ),
        (
            &[(ELEMENTS, "id = \"town-racks\"", "id = \"Town racks\"")],
            &["element-id"],
        ),
        (
            &[(
                ELEMENTS,
                "source = \"town-charging-things\"\ncolumn = \"energy\"",
                "source = \"nothing\"\ncolumn = \"energy\"",
            )],
            &["element-source"],
        ),
        (
            &[(
                ELEMENTS,
                "source = \"town-charging-things\"\ncolumn = \"energy\"",
                "source = \"town-charging-things\"\ncolumn = \"no_such\"",
            )],
            &["element-sql"],
        ),
        (
            &[(ELEMENTS, "id = \"town-racks\"", "id = \"town-edge-nodes\"")],
            &["element-twice"],
        ),
        (
            &[(ELEMENTS, "definition_en = \"", "definition_en = \"\" # ")],
            &["element-words"],
        ),
    ];
    for (changes, expected) in cases {
        let found = told(changes);
        let codes: Vec<&str> = found.iter().map(|(code, ..)| code.as_str()).collect();
        assert_eq!(codes, *expected, "{changes:?}: {found:#?}");
    }
    let unread = codes(&[(ELEMENTS, "per = \"town\"", "per = \"street\"")]);
    assert_eq!(unread, ["pack-toml"]);
}
