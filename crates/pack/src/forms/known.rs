//! What the platform knows of each town or village without asking: indicators by town, entity types that say where they lie, their
//! attributes, columns of declared tables that name a division. Names are compared by their essence, so that 全镇充电站总数 is found to be
//! the number of 充电站.

use super::Per;
use crate::load::Pack;
use indicators::Towns;
use std::collections::BTreeMap;

/// The attribute that says in which town or village an entity lies.
const fn code_attribute(per: Per) -> &'static str {
    match per {
        Per::Town => "townCode",
        Per::Village => "villageCode",
    }
}

/// What a number of something is called beside its name, before and behind it.
const BEFORE: [&str; 14] = [
    "本镇",
    "本村",
    "本辖区",
    "全镇",
    "全村",
    "辖区内",
    "辖区",
    "境内",
    "现有",
    "已建成",
    "已建",
    "已有",
    "拥有",
    "累计",
];
const BEHIND: [&str; 11] = [
    "的数量",
    "数量",
    "总数",
    "个数",
    "台数",
    "座数",
    "总量",
    "数目",
    "合计",
    "规模",
    "数",
];

/// A name without brackets, blanks and marks, in small letters, and without words that only say that things are counted.
pub(super) fn essence(name: &str) -> String {
    let mut depth = 0_u32;
    let mut bare = String::new();
    for c in name.chars() {
        match c {
            '（' | '(' | '〔' | '[' => depth += 1,
            '）' | ')' | '〕' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 && c.is_alphanumeric() => bare.extend(c.to_lowercase()),
            _ => {}
        }
    }
    let mut rest = bare.as_str();
    loop {
        let before = BEFORE.iter().find_map(|word| rest.strip_prefix(word));
        let behind = before.or_else(|| BEHIND.iter().find_map(|word| rest.strip_suffix(word)));
        match behind {
            Some(shorter) if !shorter.is_empty() => rest = shorter,
            _ => return rest.to_owned(),
        }
    }
}

/// Something that is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// As `differs_from` names it: `indicator:ID`, `Type`, `Type.attribute`, `TABLE.COLUMN`.
    pub name: String,
    /// What it is, in Chinese.
    pub what: String,
    /// `file:line`.
    pub place: String,
    /// How an element takes it as its origin.
    pub bind: String,
}

/// Everything that is known, by division and essence.
pub(super) struct Index(BTreeMap<(Per, String), Vec<Known>>);

impl Index {
    pub(super) fn of(packs: &[&Pack]) -> Self {
        let mut index = Self(BTreeMap::new());
        for pack in packs {
            index.indicators(pack);
            index.types(pack);
            index.tables(pack);
        }
        index
    }

    /// What is known under a name.
    pub(super) fn under(&self, per: Per, name: &str) -> &[Known] {
        let key = (per, essence(name));
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }

    fn put(&mut self, per: Per, name: &str, known: Known) {
        let all = self.0.entry((per, essence(name))).or_default();
        all.push(known);
    }

    fn indicators(&mut self, pack: &Pack) {
        let by_town = pack.indicators.iter().filter(|i| i.towns != Towns::None);
        for indicator in by_town {
            let known = Known {
                name: format!("indicator:{}", indicator.id),
                what: format!("指标“{}”（各镇数值）", indicator.name_zh),
                place: format!("{}:{}", indicator.file, indicator.towns_sql_line),
                bind: format!("indicator = \"{}\"", indicator.id),
            };
            self.put(Per::Town, &indicator.name_zh, known);
        }
    }

    fn types(&mut self, pack: &Pack) {
        for kind in &pack.kinds {
            let file = pack.kind_files.get(&kind.name);
            let file = file.map_or(pack.manifest.name.as_str(), String::as_str);
            for per in [Per::Town, Per::Village] {
                let code = code_attribute(per);
                if !kind.attributes.contains_key(code) {
                    continue;
                }
                let column = per.code_column();
                let bind = format!(
                    "sql = \"SELECT {column}, … AS value … WHERE entity_type = '{}' … GROUP BY {column}\"",
                    kind.name
                );
                let known = Known {
                    name: kind.name.clone(),
                    what: format!("对象“{}”（{}，带所在区划）", kind.title_zh, kind.name),
                    place: format!("{file}:1"),
                    bind: bind.clone(),
                };
                self.put(per, &kind.title_zh, known);
                for (name, attribute) in kind.attributes.iter().filter(|(name, _)| *name != code) {
                    let place = pack
                        .attribute_places
                        .get(&(kind.name.clone(), name.clone()));
                    let known = Known {
                        name: format!("{}.{name}", kind.name),
                        what: format!(
                            "对象“{}”的属性“{}”（{}.{name}）",
                            kind.title_zh, attribute.title_zh, kind.name
                        ),
                        place: place.cloned().unwrap_or_else(|| format!("{file}:1")),
                        bind: bind.clone(),
                    };
                    self.put(per, &attribute.title_zh, known);
                }
            }
        }
    }

    fn tables(&mut self, pack: &Pack) {
        for table in &pack.tables {
            for per in [Per::Town, Per::Village] {
                let code = per.code_column();
                let key = table.columns.iter().find(|c| {
                    let name = c.name.to_lowercase();
                    name == code || name == code_attribute(per).to_lowercase()
                });
                let Some(key) = key else {
                    continue;
                };
                let others = table.columns.iter().filter(|c| c.name != key.name);
                for column in others.filter(|c| !c.empty) {
                    let known = Known {
                        name: format!("{}.{}", table.name, column.name),
                        what: format!(
                            "表“{}”的列“{}”（{}.{}）",
                            table.title_zh, column.title_zh, table.name, column.name
                        ),
                        place: format!("{}/tables/{}.sql:1", pack.manifest.name, table.name),
                        bind: format!(
                            "table = \"{}\", column = \"{}\", key = \"{}\"",
                            table.name, column.name, key.name
                        ),
                    };
                    self.put(per, &column.title_zh, known);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::essence;

    #[test]
    fn words_that_only_count_do_not_make_another_thing() {
        for (name, left) in [
            ("全镇充电站总数（座）", "充电站"),
            ("辖区内现有 充电站数量", "充电站"),
            ("5G基站规模", "5g基站"),
            ("5G 基站数", "5g基站"),
            ("数量", "数量"),
            ("人数", "人"),
            ("宽带接入端口数", "宽带接入端口"),
        ] {
            assert_eq!(essence(name), left, "{name}");
        }
    }
}
