//! Whether an entity meets a query (clause 4.9): a target of another kind than the query's value is unequal to it and has no order
//! with it; of a list one member does; of several instances any does.

use super::path::{Find, Target};
use super::q::{Literal, Operand, Operator, Query};
use crate::context::Iri;
use crate::entity::Entity;
use crate::words::{date, date_time, time_of_day};
use serde_json::Value;
use std::cmp::Ordering;

impl Query {
    /// Whether an entity meets the query; `find` gives those that its relationships point to.
    pub fn is_met_by(&self, entity: &Entity, find: &Find<'_>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.is_met_by(entity, find)),
            Self::Or(any) => any.iter().any(|one| one.is_met_by(entity, find)),
            Self::Has(path) => path.any(entity, find, &mut |_| true),
            Self::Compare(path, operator, operand) => path.any(entity, find, &mut |target| {
                compares(target, *operator, operand)
            }),
            Self::Matches {
                path,
                pattern,
                is_wanted,
            } => {
                let mut matches = |text: &str| pattern.is_match(text);
                path.any(entity, find, &mut |target| {
                    any_text(target, &mut matches) == *is_wanted
                })
            }
        }
    }
}

fn any_text(target: &Target<'_>, matches: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut of = |values: &[Value]| values.iter().filter_map(Value::as_str).any(&mut *matches);
    match target {
        Target::Json(Value::String(text)) => matches(text),
        Target::Json(Value::Array(values)) => of(values),
        Target::List(values) => of(values),
        Target::Names(names) => names.iter().any(|name| matches(name)),
        Target::Text(text) => matches(text),
        Target::Json(_) | Target::Time(_) => false,
    }
}

fn compares(target: &Target<'_>, operator: Operator, operand: &Operand) -> bool {
    match operator {
        Operator::Equal => equals(target, operand),
        Operator::Unequal => !equals(target, operand),
        Operator::Greater => orders(target, operand, &[Ordering::Greater]),
        Operator::GreaterOrEqual => orders(target, operand, &[Ordering::Greater, Ordering::Equal]),
        Operator::Less => orders(target, operand, &[Ordering::Less]),
        Operator::LessOrEqual => orders(target, operand, &[Ordering::Less, Ordering::Equal]),
    }
}

/// Whether the target, or one member of it, is the operand's value, one of its values, or within its range.
fn equals(target: &Target<'_>, operand: &Operand) -> bool {
    match operand {
        Operand::One(literal) => equals_one(target, literal),
        Operand::AnyOf(several) => several.iter().any(|literal| equals_one(target, literal)),
        Operand::Range(first, last) => {
            any_order(target, first, |found| found != Ordering::Less)
                && any_order(target, last, |found| found != Ordering::Greater)
        }
    }
}

fn equals_one(target: &Target<'_>, literal: &Literal) -> bool {
    match target {
        Target::Json(Value::Array(values)) => {
            values.iter().any(|value| json_equals(value, literal))
        }
        Target::List(values) => values.iter().any(|value| json_equals(value, literal)),
        Target::Json(value) => json_equals(value, literal),
        Target::Names(names) => names.iter().any(|name| name_equals(name, literal)),
        Target::Text(text) => text_equals(text, literal),
        Target::Time(_) => any_order(target, literal, Ordering::is_eq),
    }
}

fn name_equals(name: &Iri, literal: &Literal) -> bool {
    match literal {
        Literal::Text(text, full) | Literal::Word(text, full) => **name == **text || name == full,
        _ => false,
    }
}

fn text_equals(text: &str, literal: &Literal) -> bool {
    match literal {
        Literal::Text(wanted, _) | Literal::Word(wanted, _) => wanted == text,
        literal => order_of_text(text, literal) == Some(Ordering::Equal),
    }
}

fn json_equals(value: &Value, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Bool(found), Literal::Boolean(wanted)) => found == wanted,
        (Value::String(text), literal) => text_equals(text, literal),
        (Value::Number(_), Literal::Number(_)) => {
            json_order(value, literal) == Some(Ordering::Equal)
        }
        (Value::Object(members), literal) => members
            .get("@value")
            .is_some_and(|value| json_equals(value, literal)),
        _ => false,
    }
}

fn orders(target: &Target<'_>, operand: &Operand, wanted: &[Ordering]) -> bool {
    match operand {
        Operand::One(literal) => any_order(target, literal, |found| wanted.contains(&found)),
        _ => false,
    }
}

/// Whether the target's order with the literal is one that is wanted; names have none.
fn any_order(target: &Target<'_>, literal: &Literal, is_wanted: impl Fn(Ordering) -> bool) -> bool {
    let order = match target {
        Target::Json(value) => json_order(value, literal),
        Target::Text(text) => order_of_text(text, literal),
        Target::Time(time) => match literal {
            Literal::DateTime(wanted) | Literal::Date(wanted) => Some(time.cmp(wanted)),
            Literal::Text(text, _) => date_time(text).map(|wanted| time.cmp(&wanted)),
            _ => None,
        },
        Target::Names(_) | Target::List(_) => None,
    };
    order.is_some_and(is_wanted)
}

fn json_order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(found), Literal::Number(wanted)) => found.as_f64()?.partial_cmp(wanted),
        (Value::String(text), literal) => order_of_text(text, literal),
        (Value::Object(members), literal) => match members.get("@value")? {
            Value::Object(_) => None,
            inner => json_order(inner, literal),
        },
        _ => None,
    }
}

fn order_of_text(text: &str, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Text(wanted, _) => Some(text.cmp(wanted.as_str())),
        Literal::DateTime(wanted) => Some(date_time(text)?.cmp(wanted)),
        Literal::Date(wanted) => Some(date(text).or_else(|| date_time(text))?.cmp(wanted)),
        Literal::Time(wanted) => Some(time_of_day(text)?.cmp(wanted)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Limits;
    use crate::context::{Context, ContextLimits, Resolved, resolve};
    use crate::entity::Entity;
    use crate::expand::{Expansion, Task};
    use crate::json;
    use crate::query::q::Query;
    use crate::query::scope::Scopes;
    use crate::query::types::Types;
    use crate::refusal::ErrorType;
    use std::sync::Arc;

    fn context() -> Arc<Context> {
        let json = serde_json::json!({"ex": "https://ex.org/", "Male": "https://ex.org/Male", "Vehicle": "ex:Vehicle"});
        match resolve(&json, &|_| None, &ContextLimits::default()).unwrap() {
            Resolved::Whole(context) => context,
            Resolved::Needs(_) => panic!("nothing is needed"),
        }
    }

    fn entity(text: &str) -> Entity {
        let (context, limits) = (context(), Limits::default());
        let expansion = Expansion {
            context: &context,
            limits: &limits,
            task: Task::Whole,
        };
        expansion
            .entity(&json::parse(text.as_bytes(), 20).unwrap())
            .unwrap()
    }

    fn car() -> Entity {
        entity(
            r#"{"id":"urn:a:car","type":["Vehicle","Home"],"scope":["/Madrid/Gardens/North","A"],
            "speed":[{"value":55,"observedAt":"2018-12-04T12:00:00Z","source":{"value":"GPS"}},{"value":10,"datasetId":"urn:a:2"}],
            "brandName":"Mercedes","tags":["blue","red"],"isParked":{"object":"urn:a:lot"},"gender":{"vocab":"Male"},"new":true,
            "made":"2017-12-24","opens":"08:00:00Z","address":{"city":"Berlin","at":{"lon":13.5}},"word":{"json":{"value":"Overstay 60 minutes"}},
            "color":{"languageMap":{"fr":["chat","rouge"],"en":"red"}},"list":{"valueList":[1,2]},
            "typed":{"value":{"@type":"DateTime","@value":"2020-01-01T00:00:00Z"}},"quote":"a\"b;c|d"}"#,
        )
    }

    fn meets(q: &str) -> bool {
        let other = Arc::new(entity(
            r#"{"id":"urn:a:lot","type":"Lot","free":7,"in":{"object":"urn:a:city"}}"#,
        ));
        let city = Arc::new(entity(
            r#"{"id":"urn:a:city","type":"City","name":"Tianmen"}"#,
        ));
        let find = move |id: &str| [&other, &city].into_iter().find(|e| &*e.id == id).cloned();
        Query::parse(q, &context())
            .unwrap()
            .is_met_by(&car(), &find)
    }

    #[test]
    fn queries_that_are_met() {
        for q in [
            "speed",
            "speed==55",
            "speed==10",
            "speed!=55",
            "speed>54.5",
            "speed>=55;speed<11",
            "speed==50..60",
            "speed!=1..5",
            "speed==1,55",
            "brandName==\"Mercedes\"",
            "brandName!=\"Audi\"",
            "brandName==\"Audi\",\"Mercedes\"",
            "brandName~=^Mer.*s$",
            "brandName~=\"M(e|a)r\"",
            "brandName!~=^A",
            "tags==\"red\"",
            "tags==\"green\", \"red\"",
            "isParked==\"urn:a:lot\"",
            "isParked==urn:a:lot",
            "isParked!=urn:a:x",
            "gender==Male",
            "gender==\"https://ex.org/Male\"",
            "new==true",
            "new!=false",
            "made==2017-12-24",
            "made>2017-12-23",
            "made==2017-12-01..2017-12-31",
            "opens<09:00:00Z",
            "address[city]==\"Berlin\"",
            "address[at.lon]>13",
            "word[value]==\"Overstay 60 minutes\"",
            "color==\"red\"",
            "color[fr]==\"rouge\"",
            "color[*]==\"red\"",
            "color[en]!=\"rouge\"",
            "list==2",
            "typed==2020-01-01T00:00:00Z",
            "typed>2019-01-01T00:00:00Z",
            "speed.observedAt>=2017-12-24T12:00:00Z",
            "speed.source==\"GPS\"",
            "speed.source",
            "(speed>100|new==true);brandName==\"Mercedes\"",
            "speed>100;new==true|brandName==\"Mercedes\"",
            "((speed==55))",
            "isParked{free}==7",
            "isParked{Lot:free}>6",
            "isParked{Lot:in{City:name}}==\"Tianmen\"",
            "quote==\"a\\\"b;c|d\"",
            "brandName>\"Audi\"",
            "speed!=\"55\"",
        ] {
            assert!(meets(q), "{q}");
        }
    }

    #[test]
    fn queries_that_are_not_met() {
        for q in [
            "absent",
            "absent!=1",
            "speed==56",
            "speed>55",
            "speed==\"55\"",
            "speed==100..200",
            "brandName==Audi",
            "brandName~=^ercedes",
            "tags!=\"red\"",
            "tags==\"gre\"",
            "isParked>\"urn:a:a\"",
            "isParked!=urn:a:lot",
            "gender==Female",
            "new==false",
            "made>2017-12-24",
            "address[town]",
            "address[city.x]",
            "color[de]",
            "color[en]==\"rouge\"",
            "color[fr]!=\"rouge\"",
            "list==3",
            "speed.observedAt<2017-12-24T12:00:00Z",
            "speed.absent",
            "speed>100|new==false",
            "isParked{free}==8",
            "isParked{City:free}",
            "isParked{absent}",
            "brandName>5",
        ] {
            assert!(!meets(q), "{q}");
        }
    }

    #[test]
    fn what_is_no_query_is_told_with_its_place() {
        for q in [
            "",
            ";",
            "a;",
            "a==",
            "a=1",
            "(a",
            "a)",
            "a==\"x",
            "a[b",
            "a[]",
            "a..b",
            "a{b",
            "1a",
            "a~=(",
            "a==1..true",
            "a>true",
            "a b",
            "a==1,",
            "a{b}{c}",
        ] {
            let refusal = Query::parse(q, &context()).unwrap_err();
            assert_eq!(refusal.kind, ErrorType::BadRequestData, "{q}");
            assert_eq!(refusal.told.code, "query-syntax", "{q}");
        }
        let refusal = Query::parse("speed>1;水位=2", &context()).unwrap_err();
        assert!(
            refusal.told.what.en.starts_with("at character 11, \"=2\""),
            "{}",
            refusal.told.what.en
        );
        for q in ["(".repeat(20), vec!["a"; 300].join(";"), "a".repeat(9_000)] {
            assert_eq!(
                Query::parse(&q, &context()).unwrap_err().kind,
                ErrorType::TooComplexQuery
            );
        }
    }

    #[test]
    fn types_and_scopes() {
        let types = |text: &str| {
            Types::parse(text, &context())
                .unwrap()
                .is_met_by(&car().types)
        };
        for good in [
            "Vehicle",
            "(Home;Vehicle)",
            "Lot|Vehicle",
            "Lot,(Vehicle;Home)",
            "*",
            "https://ex.org/Vehicle",
            "ex:Vehicle",
        ] {
            assert!(types(good), "{good}");
        }
        for bad in ["Lot", "(Home;Lot)", "Lot,City"] {
            assert!(!types(bad), "{bad}");
        }
        let scopes = |text: &str| {
            Scopes::parse(text)
                .unwrap()
                .is_met_by(car().scopes.as_deref().unwrap())
        };
        for good in [
            "/Madrid/Gardens/North",
            "/Madrid/#",
            "/Madrid/+/North",
            "/A",
            "(/Madrid/#;/A)",
            "/B,/A",
            "/#",
            "/Madrid/Gardens/North/#",
        ] {
            assert!(scopes(good), "{good}");
        }
        for bad in [
            "/Madrid",
            "/Madrid/+",
            "/+/Gardens",
            "(/Madrid/#;/B)",
            "/A/#/B,/C",
        ] {
            assert!(
                Scopes::parse(bad).map_or(true, |s| !s.is_met_by(car().scopes.as_deref().unwrap())),
                "{bad}"
            );
        }
        for bad in ["", "(A", "A|", "A;B", "(A,B)", "()"] {
            assert_eq!(
                Types::parse(bad, &context()).unwrap_err().kind,
                ErrorType::BadRequestData,
                "{bad}"
            );
        }
        assert!(Scopes::parse("/1").is_err());
    }
}
