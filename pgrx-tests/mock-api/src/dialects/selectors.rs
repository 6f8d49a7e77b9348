//! What a request says in Kubernetes' selectors (apimachinery, `labels/selector.go` and `fields/selector.go`).

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::scanner::Scanner;
use super::value::Value;

/// Where labels stand in an object.
const LABELS: &str = "metadata.labels.";

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let mut conditions = Vec::new();
    for (name, text) in asked.query.pairs() {
        match name.as_str() {
            "labelSelector" => conditions.extend(labels(asked, text)?),
            "fieldSelector" => conditions.extend(fields(asked, text)?),
            _ => {}
        }
    }
    Ok(Plan {
        filter: Condition::And(conditions),
        ..Plan::default()
    })
}

/// `a=b,c!=d,e in (x,y),f notin (x),g,!h`; an empty selector selects all.
fn labels(asked: &Asked<'_>, text: &str) -> Result<Vec<Condition>, String> {
    let mut scanner = Scanner::new(text);
    let mut conditions = Vec::new();
    scanner.skip_spaces();
    if scanner.peek().is_none() {
        return Ok(conditions);
    }
    loop {
        conditions.push(requirement(asked, &mut scanner)?);
        scanner.skip_spaces();
        if !scanner.eat(",") {
            scanner.end()?;
            return Ok(conditions);
        }
    }
}

fn requirement(asked: &Asked<'_>, scanner: &mut Scanner<'_>) -> Result<Condition, String> {
    scanner.skip_spaces();
    let absent = scanner.eat("!");
    scanner.skip_spaces();
    let key = scanner.take_while(|next| next.is_ascii_alphanumeric() || "-_./".contains(next));
    if key.is_empty() {
        return Err(scanner.problem("expected a label"));
    }
    let column = asked.table.column(&format!("{LABELS}{key}"))?;
    scanner.skip_spaces();
    let check = if absent {
        Check::IsNull(true)
    } else if scanner.eat("==") || scanner.eat("=") {
        Check::Compare(Comparison::Equal, label_value(scanner)?)
    } else if scanner.eat("!=") {
        Check::Compare(Comparison::NotEqual, label_value(scanner)?)
    } else if scanner.eat("in") {
        Check::In(values(scanner)?)
    } else if scanner.eat("notin") {
        Check::NotIn(values(scanner)?)
    } else {
        Check::IsNull(false)
    };
    asked.checked(column, check, Nulls::Kept)
}

fn values(scanner: &mut Scanner<'_>) -> Result<Vec<Value>, String> {
    scanner.skip_spaces();
    scanner.expect("(")?;
    let mut values = Vec::new();
    loop {
        values.push(label_value(scanner)?);
        if !scanner.eat(",") {
            break;
        }
    }
    scanner.expect(")")?;
    Ok(values)
}

/// At most 63 letters, digits, `-`, `_`, `.`, of which the first and the last are no signs; or nothing.
fn label_value(scanner: &mut Scanner<'_>) -> Result<Value, String> {
    scanner.skip_spaces();
    let belongs = |next: char| !matches!(next, ',' | '(' | ')' | ' ' | '=' | '!');
    let text = scanner.take_while(belongs);
    scanner.skip_spaces();
    let is_sign = |letter: char| matches!(letter, '-' | '_' | '.');
    let valid = text.len() <= 63
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || is_sign(letter))
        && !text.starts_with(is_sign)
        && !text.ends_with(is_sign);
    if valid {
        Ok(Value::Text(text.to_owned()))
    } else {
        Err(format!("'{text}' is no label value"))
    }
}

/// `metadata.name=x,status.phase!=y`; a backslash escapes commas, equals signs and itself. A missing field is empty.
fn fields(asked: &Asked<'_>, text: &str) -> Result<Vec<Condition>, String> {
    let mut scanner = Scanner::new(text);
    let mut conditions = Vec::new();
    while scanner.peek().is_some() {
        let name = scanner.take_while(|next| !matches!(next, '=' | '!' | ','));
        let column = asked.table.column(name)?;
        let comparison = if scanner.eat("!=") {
            Comparison::NotEqual
        } else if scanner.eat("==") || scanner.eat("=") {
            Comparison::Equal
        } else {
            return Err(scanner.problem("expected = or !="));
        };
        let value = field_value(&mut scanner)?;
        conditions.push(if value.is_empty() {
            empty(asked, column, comparison)?
        } else {
            asked.compare(column, comparison, &value, Nulls::Kept)?
        });
        if !scanner.eat(",") {
            scanner.end()?;
        }
    }
    Ok(conditions)
}

fn field_value(scanner: &mut Scanner<'_>) -> Result<String, String> {
    let mut value = String::new();
    loop {
        match scanner.peek() {
            None | Some(',') => return Ok(value),
            Some('=') => return Err(scanner.problem("an equals sign without a backslash")),
            Some('\\') => {
                scanner.next();
                match scanner.next() {
                    Some(escaped @ ('\\' | ',' | '=')) => value.push(escaped),
                    _ => return Err(scanner.problem("a backslash before nothing to escape")),
                }
            }
            Some(other) => {
                scanner.next();
                value.push(other);
            }
        }
    }
}

/// Nothing equals a missing field.
fn empty(asked: &Asked<'_>, column: usize, comparison: Comparison) -> Result<Condition, String> {
    let null = asked.checked(column, Check::IsNull(true), Nulls::False)?;
    let mut arms = vec![null];
    if asked.table.column_type(column).is_text() {
        arms.push(asked.compare(column, Comparison::Equal, "", Nulls::False)?);
    }
    let empty = Condition::Or(arms);
    Ok(match comparison {
        Comparison::NotEqual => empty.not(),
        _ => empty,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Server;
    use serde_json::json;

    fn server() -> Server {
        let columns = json!({
            "id": "int4", "metadata.name": "text", "status.phase": "text",
            "metadata.labels.app": "text", "metadata.labels.x.io/tier": "text"
        });
        let rows = r#"[{"id": 1, "metadata": {"name": "a", "labels": {"app": "web", "x.io/tier": "1"}}, "status": {"phase": "Up"}},
                       {"id": 2, "metadata": {"name": "b=,\\", "labels": {"app": "db"}}},
                       {"id": 3, "metadata": {"name": "c", "labels": {"app": ""}}},
                       {"id": 4, "metadata": {"name": "d"}}]"#;
        let dialect = json!({"name": "selectors", "columns": columns});
        Server::of(dialect, json!({}), rows)
    }

    fn labelled(selector: &str) -> Vec<i64> {
        server().ids(&format!("labelSelector={selector}&limit=5"))
    }

    #[test]
    fn labels_select() {
        assert_eq!(labelled("app=web,x.io/tier==1"), [1]);
        assert_eq!(labelled("app!=web"), [2, 3, 4]);
        assert_eq!(labelled("app in (web, db)"), [1, 2]);
        assert_eq!(labelled("app notin (web,)"), [2, 4]);
        assert_eq!(labelled("app"), [1, 2, 3]);
        assert_eq!(labelled("!app"), [4]);
        assert_eq!(labelled("app="), [3]);
        assert_eq!(labelled(""), [1, 2, 3, 4]);
    }

    #[test]
    fn fields_select() {
        assert_eq!(
            server().ids("fieldSelector=metadata.name=a,status.phase=Up"),
            [1]
        );
        assert_eq!(server().ids(r"fieldSelector=metadata.name=b\=\,\\"), [2]);
        assert_eq!(server().ids("fieldSelector=status.phase!=Up"), [2, 3, 4]);
        assert_eq!(server().ids("fieldSelector=status.phase="), [2, 3, 4]);
    }

    #[test]
    fn mistakes_are_refused() {
        for selector in [
            "nn=a",
            "app=a b",
            "app=-a",
            "app in a",
            "app in (a",
            "app=a,",
            "app=ß",
            "=a",
        ] {
            server().refusal(&format!("labelSelector={selector}"));
        }
        for selector in [
            "nn=a",
            "metadata.name",
            "metadata.name=a=b",
            r"metadata.name=a\b",
        ] {
            server().refusal(&format!("fieldSelector={selector}"));
        }
    }
}
