//! The sheets of a roster and their columns: how they may be named, and what stands in them. The template that people fill is
//! made from this table, so that it cannot differ from what is read.

/// A kind of sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Organisations (单位).
    Organisations,
    /// Posts (岗位).
    Posts,
    /// People (人员).
    People,
}

/// A column of a sheet.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its English name, and the field of a problem.
    pub key: &'static str,
    /// Its Chinese names; the first is written.
    pub zh: &'static [&'static str],
    /// Whether the sheet must have it.
    pub required: bool,
    /// What stands in it, in Chinese.
    pub about_zh: &'static str,
    /// What stands in it, in English.
    pub about_en: &'static str,
}

const fn column(
    key: &'static str,
    zh: &'static [&'static str],
    required: bool,
    about_zh: &'static str,
    about_en: &'static str,
) -> Column {
    Column {
        key,
        zh,
        required,
        about_zh,
        about_en,
    }
}

const STATE: Column = column(
    "state",
    &["状态"],
    false,
    "仅供查看，导入时不读",
    "for reading; an import leaves it alone",
);
const DIVISION: Column = column(
    "division",
    &["区划代码", "负责区域"],
    false,
    "负责的区域：6、9 或 12 位统计用区划代码",
    "the area it answers for: a division code of 6, 9 or 12 digits",
);

const ORGANISATIONS: &[Column] = &[
    column(
        "id",
        &["单位编号", "编号"],
        false,
        "小写字母、数字和 -；空着的，按名称找已有单位，新单位用统一社会信用代码",
        "lower-case letters, digits and -; when empty, one that is there is found by its name and a new one takes its credit code",
    ),
    column(
        "name_zh",
        &["单位名称", "名称"],
        true,
        "全称，不与其他单位相同",
        "the full name, like no other's",
    ),
    column("name_en", &["英文名称"], false, "可空", "may be empty"),
    column(
        "kind",
        &["类别", "单位类别"],
        false,
        "部门、乡镇、运营单位或企业；空着为部门",
        "department, town, operator or enterprise; department when empty",
    ),
    column(
        "parent",
        &["上级单位"],
        false,
        "上级单位的名称或编号",
        "name or id of the organisation above",
    ),
    column(
        "credit_code",
        &["统一社会信用代码", "信用代码"],
        false,
        "18 位，校验位要对",
        "18 signs, with the right check character",
    ),
    DIVISION,
    STATE,
];

const POSTS: &[Column] = &[
    column(
        "id",
        &["岗位编号", "编号"],
        false,
        "小写字母、数字和 -；空着的，按单位和名称找已有岗位，新岗位自动编号",
        "lower-case letters, digits and -; when empty, one that is there is found by organisation and title, and a new one gets one",
    ),
    column(
        "organisation",
        &["单位", "所属单位"],
        true,
        "单位的名称或编号",
        "name or id of the organisation",
    ),
    column(
        "title_zh",
        &["岗位名称", "岗位"],
        true,
        "同一单位内不重复",
        "twice in no organisation",
    ),
    column("title_en", &["英文名称"], false, "可空", "may be empty"),
    column("duty", &["职责", "岗位职责"], false, "可空", "may be empty"),
    column(
        "role",
        &["角色", "权限角色"],
        true,
        "担任者由此得到的角色；管理员角色不能随岗位授予",
        "the role that it gives; no post gives an administrator's",
    ),
    DIVISION,
    STATE,
];

const PEOPLE: &[Column] = &[
    column(
        "username",
        &["登录名", "用户名", "账号"],
        true,
        "登录时输入的名字，不分大小写",
        "what is typed at sign-in, in any case",
    ),
    column(
        "name",
        &["姓名"],
        true,
        "别人看到的姓名",
        "the name that others see",
    ),
    column(
        "role",
        &["角色", "权限角色"],
        true,
        "主要角色；管理员角色在页面上逐人指定",
        "the main role; an administrator's is given on the page, by name",
    ),
    column(
        "organisation",
        &["单位", "所属单位"],
        false,
        "主要所在单位的名称或编号",
        "name or id of the main organisation",
    ),
    column(
        "phone",
        &["手机", "电话", "手机号"],
        false,
        "值班时能找到本人的号码",
        "the number where the person is reached",
    ),
    column(
        "posts",
        &["岗位", "担任岗位"],
        false,
        "担任的岗位，多个用顿号分开：岗位编号，或本单位的岗位名称，或“单位/岗位名称”",
        "posts held, with ; between: an id, a title of the person's organisation, or organisation/title",
    ),
    STATE,
];

/// The kinds, each with its sheet's names; the first is written.
const SHEETS: [(Kind, &[&str], &[Column]); 3] = [
    (
        Kind::Organisations,
        &["单位", "organisations"],
        ORGANISATIONS,
    ),
    (Kind::Posts, &["岗位", "posts"], POSTS),
    (Kind::People, &["人员", "people"], PEOPLE),
];

/// The sheet that says how to fill the others.
pub const ABOUT_SHEET: &str = "填写说明";

/// What people call the roles. A role that is not here goes by its word.
pub const ROLE_NAMES: &[(&str, &str)] = &[
    ("admin", "系统管理员"),
    ("security", "安全管理员"),
    ("auditor", "审计管理员"),
    ("none", "未授权"),
    ("duty", "指挥中心值班员"),
    ("operator", "部门操作员"),
    ("field", "现场处置人员"),
    ("planner", "规划办公室"),
    ("analyst", "数据分析员"),
    ("viewer", "查看者"),
    ("resident", "市民"),
];

/// The word of a role that goes by its word or by its name.
pub fn role_word(text: &str) -> &str {
    let text = text.trim();
    let named = ROLE_NAMES.iter().find(|(_, zh)| *zh == text);
    named.map_or(text, |(word, _)| word)
}

/// What people call a role.
pub fn role_name(word: &str) -> &str {
    let known = ROLE_NAMES.iter().find(|(known, _)| *known == word);
    known.map_or(word, |(_, zh)| zh)
}

impl Kind {
    /// Every kind, in the order in which they are read.
    pub const ALL: [Self; 3] = [Self::Organisations, Self::Posts, Self::People];

    fn entry(self) -> &'static (Kind, &'static [&'static str], &'static [Column]) {
        match self {
            Self::Organisations => &SHEETS[0],
            Self::Posts => &SHEETS[1],
            Self::People => &SHEETS[2],
        }
    }

    /// The name of its sheet.
    pub fn sheet(self) -> &'static str {
        self.entry().1[0]
    }

    /// Its columns.
    pub fn columns(self) -> &'static [Column] {
        self.entry().2
    }

    /// The kind of a sheet: by its name, or by a column that no other kind has.
    pub fn of(sheet: &str, names: &[String]) -> Option<Self> {
        let sheet = sheet.trim().to_lowercase();
        let by_name = Self::ALL
            .into_iter()
            .find(|k| k.entry().1.contains(&sheet.as_str()));
        by_name.or_else(|| {
            let has = |kind: Self, key: &str| {
                names
                    .iter()
                    .any(|name| kind.column(name).is_some_and(|c| c.key == key))
            };
            if has(Self::People, "username") {
                Some(Self::People)
            } else if has(Self::Posts, "title_zh") && has(Self::Posts, "role") {
                Some(Self::Posts)
            } else if has(Self::Organisations, "name_zh") {
                Some(Self::Organisations)
            } else {
                None
            }
        })
    }

    /// The column of that name, as people write it: with a star where it is required, or with the other language behind.
    pub fn column(self, name: &str) -> Option<&'static Column> {
        let plain = name
            .trim()
            .trim_end_matches(['*', '＊'])
            .trim()
            .to_lowercase();
        let first = plain.split([' ', '(', '（']).next().unwrap_or_default();
        let is = |c: &&Column, text: &str| c.key == text || c.zh.contains(&text);
        let columns = self.columns();
        columns
            .iter()
            .find(|c| is(c, &plain))
            .or_else(|| columns.iter().find(|c| is(c, first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_and_columns_go_by_the_names_that_people_give_them() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(Kind::of("人员", &[]), Some(Kind::People));
        assert_eq!(Kind::of("Posts", &[]), Some(Kind::Posts));
        assert_eq!(
            Kind::of("Sheet1", &names(&["登录名", "姓名"])),
            Some(Kind::People)
        );
        assert_eq!(
            Kind::of("Sheet1", &names(&["单位", "岗位名称", "角色"])),
            Some(Kind::Posts)
        );
        assert_eq!(
            Kind::of("Sheet1", &names(&["单位编号", "单位名称"])),
            Some(Kind::Organisations)
        );
        assert_eq!(Kind::of("Sheet1", &names(&["日期", "水位"])), None);
        for name in ["姓名", "姓名*", " 姓名 name", "姓名（必填）", "Name"] {
            assert_eq!(
                Kind::People.column(name).map(|c| c.key),
                Some("name"),
                "{name}"
            );
        }
        assert!(Kind::People.column("备注").is_none());
    }

    #[test]
    fn no_column_goes_by_the_name_of_another_and_roles_lead_back() {
        for kind in Kind::ALL {
            for column in kind.columns() {
                for name in column.zh.iter().chain([&column.key]) {
                    assert_eq!(kind.column(name).map(|c| c.key), Some(column.key));
                }
            }
        }
        for (word, name) in ROLE_NAMES {
            assert_eq!((role_word(name), role_name(word)), (*word, *name));
            assert!(word.parse::<crate::Role>().is_ok(), "{word}");
        }
        assert_eq!((role_word(" duty "), role_name("other")), ("duty", "other"));
    }
}
