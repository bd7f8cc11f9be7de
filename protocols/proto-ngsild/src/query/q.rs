//! The query language `q` (clause 4.9): text → conditions with full names. How they are met stands in [`eval`](super::eval).

use super::path::{Link, Name, Path};
use super::{QUERY_CONDITIONS_MAX, QUERY_DEPTH_MAX, check_length, mistake, too_complex};
use crate::context::{Context, Iri};
use crate::refusal::Refusal;
use crate::words::{date, date_time, time_of_day};
use model::Timestamp;
use regex::{Regex, RegexBuilder};

/// What memory one pattern may take when made ready, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// A query.
#[derive(Clone, Debug)]
pub enum Query {
    /// All of these hold.
    And(Vec<Query>),
    /// One of these holds.
    Or(Vec<Query>),
    /// There is something at the path.
    Has(Path),
    /// What is at the path compares so.
    Compare(Path, Operator, Operand),
    /// A text at the path matches the pattern, or does not.
    Matches {
        /// Where.
        path: Path,
        /// The pattern, which may match anywhere in the text.
        pattern: Regex,
        /// Whether it shall match.
        is_wanted: bool,
    },
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// What is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A value.
    One(Literal),
    /// Any of these.
    AnyOf(Vec<Literal>),
    /// From the first to the second, both included.
    Range(Literal, Literal),
}

/// A value in a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A text in quotes, and what it is in full where names are compared.
    Text(String, Iri),
    /// A moment.
    DateTime(Timestamp),
    /// A day, by its beginning.
    Date(Timestamp),
    /// A time of day, in microseconds.
    Time(i64),
    /// A URI or a word without quotes, and what it is in full.
    Word(String, Iri),
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// `BadRequestData` for what is none, `TooComplexQuery` beyond a limit.
    pub fn parse(text: &str, context: &Context) -> Result<Self, Refusal> {
        check_length("q", text)?;
        let mut reader = Reader {
            text,
            at: 0,
            context,
            conditions: 0,
        };
        let query = reader.any(0)?;
        if !reader.rest().is_empty() {
            return Err(reader.mistake("此处应为 ; 或 |", "`;` or `|` belongs here"));
        }
        Ok(query)
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    context: &'t Context,
    conditions: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn mistake(&self, zh: &str, en: &str) -> Refusal {
        mistake("q", self.text, self.at, zh, en)
    }

    fn any(&mut self, depth: usize) -> Result<Query, Refusal> {
        let mut several = vec![self.all(depth)?];
        while self.take("|") {
            several.push(self.all(depth)?);
        }
        Ok(one_or(several, Query::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Query, Refusal> {
        let mut several = vec![self.one(depth)?];
        while self.take(";") {
            several.push(self.one(depth)?);
        }
        Ok(one_or(several, Query::And))
    }

    fn one(&mut self, depth: usize) -> Result<Query, Refusal> {
        if depth >= QUERY_DEPTH_MAX {
            return Err(too_complex("q", "query_depth_max", QUERY_DEPTH_MAX));
        }
        if self.take("(") {
            let inner = self.any(depth + 1)?;
            if !self.take(")") {
                return Err(self.mistake("缺少右括号", "the parenthesis is not closed"));
            }
            return Ok(inner);
        }
        self.conditions += 1;
        if self.conditions > QUERY_CONDITIONS_MAX {
            return Err(too_complex(
                "q",
                "query_conditions_max",
                QUERY_CONDITIONS_MAX,
            ));
        }
        let path = self.path()?;
        for (word, is_wanted) in [("!~=", false), ("~=", true)] {
            if self.take(word) {
                let pattern = self.pattern()?;
                return Ok(Query::Matches {
                    path,
                    pattern,
                    is_wanted,
                });
            }
        }
        let operators = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            (">=", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            (">", Operator::Greater),
            ("<", Operator::Less),
        ];
        for (word, operator) in operators {
            if self.take(word) {
                let operand = self.operand(operator)?;
                return Ok(Query::Compare(path, operator, operand));
            }
        }
        match self.next() {
            None | Some(';' | '|' | ')') => Ok(Query::Has(path)),
            Some(_) => Err(self.mistake("此处应为运算符", "an operator belongs here")),
        }
    }

    /// A path, as in a query or alone.
    fn path(&mut self) -> Result<Path, Refusal> {
        let mut links = Vec::new();
        loop {
            let name = self.name(links.is_empty())?;
            if !self.take("{") {
                let path = self.tail(&name, links.len())?;
                return Ok(Path { links, ..path });
            }
            if links.len() >= QUERY_DEPTH_MAX {
                return Err(too_complex("q", "query_depth_max", QUERY_DEPTH_MAX));
            }
            links.push(Link {
                name: self.context.expand(&name),
                types: self.types()?,
            });
        }
    }

    /// The types before a colon, inside braces.
    fn types(&mut self) -> Result<Vec<Iri>, Refusal> {
        let end = self.rest().find(['{', '}', ':', '.', '[']);
        if end.and_then(|end| self.rest().get(end..=end)) != Some(":") {
            return Ok(Vec::new());
        }
        let mut types = Vec::new();
        loop {
            let name = self.name(false)?;
            types.push(self.context.expand(&name));
            if self.take(":") {
                return Ok(types);
            }
            if !self.take(",") {
                return Err(self.mistake("此处应为 , 或 :", "`,` or `:` belongs here"));
            }
        }
    }

    fn tail(&mut self, first: &str, links: usize) -> Result<Path, Refusal> {
        let mut names = vec![Name::of(first, self.context)];
        while self.take(".") {
            names.push(Name::of(&self.name(links == 0)?, self.context));
        }
        let mut inner = Vec::new();
        if self.take("[") {
            let Some(end) = self.rest().find(']') else {
                return Err(self.mistake("缺少 ]", "the bracket is not closed"));
            };
            let text = self.rest().get(..end).unwrap_or_default();
            inner = text
                .split('.')
                .map(|part| part.trim_matches('"').to_owned())
                .collect();
            if inner.iter().any(String::is_empty) {
                return Err(self.mistake(
                    "方括号内缺少成员名",
                    "a member's name belongs into the brackets",
                ));
            }
            self.at += end + 1;
        }
        for _ in 0..links {
            if !self.take("}") {
                return Err(self.mistake("缺少 }", "the brace is not closed"));
            }
        }
        Ok(Path {
            links: Vec::new(),
            names,
            inner,
        })
    }

    fn name(&mut self, may_have_prefix: bool) -> Result<String, Refusal> {
        let is_part =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-') || may_have_prefix && c == ':';
        let end = self
            .rest()
            .find(|c: char| !is_part(c))
            .unwrap_or(self.rest().len());
        let name = self.rest().get(..end).unwrap_or_default();
        if !name.starts_with(char::is_alphabetic) {
            return Err(self.mistake("此处应为属性名", "an attribute's name belongs here"));
        }
        self.at += end;
        Ok(name.to_owned())
    }

    fn operand(&mut self, operator: Operator) -> Result<Operand, Refusal> {
        let first = self.literal()?;
        let for_equality = matches!(operator, Operator::Equal | Operator::Unequal);
        if for_equality && self.take("..") {
            let last = self.literal()?;
            let is_order =
                |literal: &Literal| !matches!(literal, Literal::Boolean(_) | Literal::Word(..));
            if !is_order(&first) || std::mem::discriminant(&first) != std::mem::discriminant(&last)
            {
                return Err(self.mistake(
                    "范围的两端必须同类且可比较",
                    "the ends of a range are of one kind and in an order",
                ));
            }
            return Ok(Operand::Range(first, last));
        }
        let mut several = vec![first];
        while for_equality && self.take(",") {
            several.push(self.literal()?);
            if several.len() > QUERY_CONDITIONS_MAX {
                return Err(too_complex(
                    "q",
                    "query_conditions_max",
                    QUERY_CONDITIONS_MAX,
                ));
            }
        }
        if several.len() > 1 {
            return Ok(Operand::AnyOf(several));
        }
        let one = several
            .pop()
            .filter(|one| for_equality || !matches!(one, Literal::Boolean(_)));
        one.map(Operand::One)
            .ok_or_else(|| self.mistake("布尔值没有大小之分", "true and false have no order"))
    }

    fn literal(&mut self) -> Result<Literal, Refusal> {
        while self.take(" ") {}
        if self.next() == Some('"') {
            let text = self.quoted()?;
            let full = self.context.expand(&text);
            return Ok(Literal::Text(text, full));
        }
        let rest = self.rest();
        let end = rest.find([';', '|', ')', ',', '"']).unwrap_or(rest.len());
        let end = rest.find("..").map_or(end, |dots| dots.min(end));
        let word = rest.get(..end).unwrap_or_default();
        if word.trim().is_empty() {
            return Err(self.mistake("此处应为值", "a value belongs here"));
        }
        self.at += end;
        Ok(self.word(word.trim()))
    }

    fn word(&self, word: &str) -> Literal {
        if let Ok(number) = serde_json::from_str::<f64>(word) {
            return Literal::Number(number);
        }
        let time = date_time(word).map(Literal::DateTime);
        let time = time.or_else(|| date(word).map(Literal::Date));
        let time = time.or_else(|| time_of_day(word).map(Literal::Time));
        time.unwrap_or_else(|| match word {
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            word => Literal::Word(word.to_owned(), self.context.expand(word)),
        })
    }

    /// A text in quotes, with the escapes of JSON.
    fn quoted(&mut self) -> Result<String, Refusal> {
        let rest = self.rest();
        let mut is_escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let is_end = *c == '"' && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        });
        let text = end.and_then(|(end, _)| rest.get(..=end));
        let Some(text) = text else {
            return Err(self.mistake("缺少右引号", "the quote is not closed"));
        };
        let read = serde_json::from_str(text);
        let read = read.map_err(|_| {
            self.mistake(
                "引号内的文字不合 JSON 规则",
                "the text in quotes is not a text of JSON",
            )
        })?;
        self.at += text.len();
        Ok(read)
    }

    fn pattern(&mut self) -> Result<Regex, Refusal> {
        let text = if self.next() == Some('"') {
            // A pattern's own escapes are no escapes of JSON, so the text is taken as it stands.
            let rest = self.rest();
            let mut is_escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let is_end = *c == '"' && !is_escaped;
                is_escaped = *c == '\\' && !is_escaped;
                is_end
            });
            let Some((end, _)) = end else {
                return Err(self.mistake("缺少右引号", "the quote is not closed"));
            };
            self.at += end + 1;
            rest.get(1..end).unwrap_or_default().replace("\\\"", "\"")
        } else {
            let rest = self.rest();
            let mut open = 0_usize;
            let mut is_escaped = false;
            let end = rest.find(|c: char| {
                let plain = !is_escaped;
                is_escaped = c == '\\' && plain;
                match c {
                    '(' if plain => open += 1,
                    ')' if plain && open == 0 => return true,
                    ')' if plain => open -= 1,
                    ';' => return true,
                    '|' => return open == 0,
                    _ => {}
                }
                false
            });
            let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            self.at += text.len();
            text.to_owned()
        };
        let made = RegexBuilder::new(&text)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        made.map_err(|_| self.mistake("正则表达式有误或过大", "the pattern is wrong or too large"))
    }
}

fn one_or(mut several: Vec<Query>, make: fn(Vec<Query>) -> Query) -> Query {
    match several.len() {
        1 => several.remove(0),
        _ => make(several),
    }
}

impl Path {
    /// Reads a path alone: of an order, of a projection.
    ///
    /// # Errors
    /// `BadRequestData` for what is none.
    pub fn parse(text: &str, context: &Context) -> Result<Self, Refusal> {
        check_length("q", text)?;
        let mut reader = Reader {
            text,
            at: 0,
            context,
            conditions: 0,
        };
        let path = reader.path()?;
        if !reader.rest().is_empty() {
            return Err(reader.mistake("路径到此应结束", "the path ends here"));
        }
        Ok(path)
    }
}
