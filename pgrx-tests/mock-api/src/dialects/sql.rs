//! What a request says in SQL: a WHERE clause and its companions in parameters (Socrata's SoQL), or a whole SELECT in a
//! parameter or in the body.

use super::asked::{Asked, Plan};
use super::condition::Condition;
use super::grouping::{Function, Grouping, Output, Source};
use super::sort::SortKey;
use super::spec::NullsPlace;
use super::sql_condition::{Names, Words, condition};
use super::sql_text::Token;
use super::table::Table;
use super::value::{ColumnType, Scalar};

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    match statement(asked)? {
        Some(text) => {
            let mut words = Words::new(&text)?;
            let clauses = Clauses::of_select(&mut words)?;
            clauses.plan(asked)
        }
        None => Clauses::of_parameters(asked)?.plan(asked),
    }
}

/// The whole SELECT of a request: in the body, as text or in a JSON member, or in the parameter.
fn statement(asked: &Asked<'_>) -> Result<Option<String>, String> {
    let param = asked.filter_param("$where");
    if let Some(text) = asked.query.get(param).filter(|text| is_select(text)) {
        return Ok(Some(text.to_owned()));
    }
    let Some(body) = asked.body() else {
        return Ok(None);
    };
    if is_select(&body) {
        return Ok(Some(body.into_owned()));
    }
    if !body.trim_start().starts_with('{') {
        return Err("the body is no SELECT".to_owned());
    }
    let json = super::document::Json::parse(&body)?;
    let name = if param == "$where" { "query" } else { param };
    let text = json
        .member(name)
        .and_then(super::document::Json::scalar_text);
    text.map(Some)
        .ok_or_else(|| format!("the body has no text {name}"))
}

fn is_select(text: &str) -> bool {
    let word = text.trim_start().get(..6);
    word.is_some_and(|word| word.eq_ignore_ascii_case("select"))
}

/// The clauses of a SELECT, each as words.
#[derive(Default)]
struct Clauses {
    select: Option<Words>,
    condition: Option<Words>,
    group: Option<Words>,
    having: Option<Words>,
    order: Option<Words>,
    limit: Option<usize>,
    offset: usize,
}

/// Which clause a part of a SELECT is.
const CLAUSES: [&[&str]; 8] = [
    &["FROM"],
    &["WHERE"],
    &["GROUP", "BY"],
    &["HAVING"],
    &["ORDER", "BY"],
    &["LIMIT"],
    &["OFFSET"],
    &["FORMAT"],
];

impl Clauses {
    /// Socrata's parameters.
    fn of_parameters(asked: &Asked<'_>) -> Result<Clauses, String> {
        let words = |name: &str| asked.query.get(name).map(Words::new).transpose();
        Ok(Clauses {
            select: words("$select")?,
            condition: words(asked.filter_param("$where"))?,
            group: words("$group")?,
            having: words("$having")?,
            order: words("$order")?,
            limit: asked.count("$limit")?,
            offset: asked.count("$offset")?.unwrap_or(0),
        })
    }

    /// `SELECT … FROM t WHERE … GROUP BY … HAVING … ORDER BY … LIMIT n OFFSET m`
    fn of_select(words: &mut Words) -> Result<Clauses, String> {
        words.keyword("SELECT");
        let mut clauses = Clauses {
            select: Some(words.until(&CLAUSES)),
            ..Clauses::default()
        };
        let mut last = None;
        while words.peek().is_some() {
            let found = CLAUSES.iter().position(|clause| words.keywords(clause));
            let Some(found) = found.filter(|found| last.is_none_or(|last| *found > last)) else {
                return Err(words.problem("expected another clause"));
            };
            if last.is_none() && found != 0 {
                return Err("a SELECT needs FROM".to_owned());
            }
            last = Some(found);
            let part = words.until(&CLAUSES);
            match found {
                0 => one_name(part)?,
                1 => clauses.condition = Some(part),
                2 => clauses.group = Some(part),
                3 => clauses.having = Some(part),
                4 => clauses.order = Some(part),
                5 => clauses.limit = Some(one_count(part)?),
                6 => clauses.offset = one_count(part)?,
                _ => one_name(part)?,
            }
        }
        last.map(|_| clauses)
            .ok_or_else(|| "a SELECT needs FROM".to_owned())
    }

    fn plan(self, asked: &Asked<'_>) -> Result<Plan, String> {
        let table = asked.table;
        let keys = self.group.map(|words| columns(words, table)).transpose()?;
        let outputs = self.select.map(|words| outputs(words, table)).transpose()?;
        let outputs = outputs.flatten();
        let mut plan = Plan {
            limit: self.limit,
            offset: self.offset,
            ..Plan::default()
        };
        if let Some(mut words) = self.condition {
            plan.filter = condition(&mut words, &mut Columns(table))?;
            words.end()?;
        }
        let aggregates = |outputs: &Vec<Output>| {
            outputs
                .iter()
                .any(|output| !matches!(output.source, Source::Key(_)))
        };
        if keys.is_none() && self.having.is_none() && !outputs.as_ref().is_some_and(aggregates) {
            if let Some(words) = self.order {
                plan.order = order(words, asked, &mut Columns(table))?;
            }
            plan.columns = outputs
                .map(|outputs| projected(&outputs, table))
                .transpose()?;
            return Ok(plan);
        }
        let outputs = outputs.ok_or("groups need a list of what they show")?;
        let grouping = Grouping {
            keys: keys.unwrap_or_default(),
            outputs,
            having: Condition::all(),
            order: Vec::new(),
            nests: false,
        };
        plan.grouping = Some(grouped(asked, grouping, self.having, self.order)?);
        Ok(plan)
    }
}

/// Groups with their HAVING and ORDER BY.
fn grouped(
    asked: &Asked<'_>,
    grouping: Grouping,
    having: Option<Words>,
    ordered_by: Option<Words>,
) -> Result<Grouping, String> {
    grouping.check()?;
    let mut groups = Groups {
        table: asked.table,
        grouping,
    };
    if let Some(mut words) = having {
        groups.grouping.having = condition(&mut words, &mut groups)?;
        words.end()?;
    }
    if let Some(words) = ordered_by {
        groups.grouping.order = order(words, asked, &mut groups)?;
    }
    Ok(groups.grouping)
}

fn one_name(mut words: Words) -> Result<(), String> {
    words.name()?;
    words.end()
}

fn one_count(mut words: Words) -> Result<usize, String> {
    match words.next() {
        Some(Token::Number(digits)) => {
            words.end()?;
            digits.parse().map_err(|_| format!("{digits} is no count"))
        }
        _ => Err("expected a count".to_owned()),
    }
}

/// The names of columns.
struct Columns<'a>(&'a Table);

impl Names for Columns<'_> {
    fn column(&mut self, words: &mut Words) -> Result<Option<(usize, ColumnType)>, String> {
        if !matches!(words.peek(), Some(Token::Word(_) | Token::Name(_))) {
            return Ok(None);
        }
        let column = self.0.column(&words.name()?)?;
        Ok(Some((column, self.0.column_type(column))))
    }
}

/// The names of what groups show; what is named elsewhere only is added to them, hidden.
struct Groups<'a> {
    table: &'a Table,
    grouping: Grouping,
}

impl Names for Groups<'_> {
    fn column(&mut self, words: &mut Words) -> Result<Option<(usize, ColumnType)>, String> {
        let output = if words.is_call() {
            let (_, source) = aggregate(words, self.table)?;
            source
        } else if matches!(words.peek(), Some(Token::Word(_) | Token::Name(_))) {
            let name = words.name()?;
            let alias = self
                .grouping
                .outputs
                .iter()
                .find(|output| output.name == name);
            match alias {
                Some(output) => output.source,
                None => Source::Key(self.table.column(&name)?),
            }
        } else {
            return Ok(None);
        };
        let outputs = &mut self.grouping.outputs;
        let found = outputs.iter().position(|found| found.source == output);
        let at = found.unwrap_or_else(|| {
            outputs.push(Output {
                name: String::new(),
                source: output,
                hidden: true,
            });
            outputs.len() - 1
        });
        self.grouping.check()?;
        let output_type = match output {
            Source::Key(column) | Source::Aggregate(Function::Min | Function::Max, column) => {
                self.table.column_type(column)
            }
            _ => ColumnType::of(Scalar::Numeric),
        };
        Ok(Some((at, output_type)))
    }
}

/// `sum(x)`, `count(*)`; the function's name in lower case.
fn aggregate(words: &mut Words, table: &Table) -> Result<(String, Source), String> {
    let name = words.name()?.to_ascii_lowercase();
    words.expect_sign("(")?;
    if words.sign("*") {
        words.expect_sign(")")?;
        return match name.as_str() {
            "count" => Ok((name, Source::CountRows)),
            _ => Err(format!("{name}(*) is nothing")),
        };
    }
    let function = Function::named(&name).ok_or_else(|| format!("unknown function '{name}'"))?;
    let column = table.column(&words.name()?)?;
    words.expect_sign(")")?;
    function.check(table, column)?;
    Ok((name, Source::Aggregate(function, column)))
}

/// `a, sum(b) AS s`; `None` is `*`.
fn outputs(mut words: Words, table: &Table) -> Result<Option<Vec<Output>>, String> {
    if words.sign("*") {
        words.end()?;
        return Ok(None);
    }
    let mut outputs = Vec::new();
    loop {
        let (mut name, source) = if words.is_call() {
            aggregate(&mut words, table)?
        } else {
            let name = words.name()?;
            let column = table.column(&name)?;
            (name, Source::Key(column))
        };
        if words.keyword("AS") {
            name = words.name()?;
        }
        outputs.push(Output {
            name,
            source,
            hidden: false,
        });
        if !words.sign(",") {
            break;
        }
    }
    words.end()?;
    Ok(Some(outputs))
}

fn projected(outputs: &[Output], table: &Table) -> Result<Vec<usize>, String> {
    let column = |output: &Output| match output.source {
        Source::Key(column) if table.columns[column].name == output.name => Ok(column),
        _ => Err(format!("the alias {} is for aggregates only", output.name)),
    };
    outputs.iter().map(column).collect()
}

fn columns(mut words: Words, table: &Table) -> Result<Vec<usize>, String> {
    let mut columns = Vec::new();
    loop {
        columns.push(table.column(&words.name()?)?);
        if !words.sign(",") {
            break;
        }
    }
    words.end()?;
    Ok(columns)
}

/// `a DESC NULLS LAST, b`
fn order(
    mut words: Words,
    asked: &Asked<'_>,
    names: &mut dyn Names,
) -> Result<Vec<SortKey>, String> {
    let mut keys = Vec::new();
    loop {
        let found = names.column(&mut words)?;
        let (column, column_type) = found.ok_or_else(|| words.problem("expected a column"))?;
        if !column_type.is_ordered() {
            return Err(format!("{:?} has no order", column_type.scalar));
        }
        let descending = words.keyword("DESC");
        if !descending {
            words.keyword("ASC");
        }
        let nulls_first = if words.keywords(&["NULLS", "FIRST"]) {
            true
        } else if words.keywords(&["NULLS", "LAST"]) {
            false
        } else {
            asked.nulls(NullsPlace::High).first(descending)
        };
        keys.push(SortKey {
            column,
            descending,
            nulls_first,
        });
        if !words.sign(",") {
            break;
        }
    }
    words.end()?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::testing::{Server, kinds};
    use serde_json::json;

    fn server() -> Server {
        Server::new(json!({"name": "sql", "columns": kinds()}), json!({}))
    }

    fn filtered(text: &str) -> Vec<i64> {
        server().ids(&format!("$where={text}"))
    }

    #[test]
    fn conditions_are_three_valued() {
        assert_eq!(filtered("n > 5"), [2, 3]);
        assert_eq!(filtered("NOT (n > 5)"), [1]);
        assert_eq!(filtered("n <> 5 OR n IS NULL"), [2, 3, 4]);
        assert_eq!(filtered("n NOT IN (5, NULL)"), [] as [i64; 0]);
        assert_eq!(filtered("t NOT LIKE 'A%'"), [2, 3]);
        assert_eq!(filtered("id = 1 OR id = 2 AND n = 99"), [1]);
        assert_eq!(filtered("n BETWEEN 5 AND 6 and b"), [1]);
        assert_eq!(filtered("\"o.name\" = 'O''B'"), [2]);
        assert_eq!(filtered("z = 123456789012345678901234567890.12"), [2]);
        assert_eq!(filtered("at > '2024-02-29T12:00:00.5Z' or f = 0.5"), [1, 2]);
        assert_eq!(filtered("-1 < id AND n = 9007199254740993"), [3]);
    }

    #[test]
    fn mistakes_are_refused() {
        for text in [
            "nn = 1",
            "n = ",
            "n = 'x'",
            "t = 5",
            "t = 'a\\'",
            "n = 5 AND",
            "(n = 5",
            "n = 5)",
            "n",
            "n == 5",
            "n = 5 -- x",
            "n = 5; DROP TABLE t",
            "t LIKE 5",
            "n LIKE '5'",
            "n IS 5",
            "j > '1'",
        ] {
            server().refusal(&format!("$where={text}"));
        }
        for text in [
            "SELECT *",
            "SELECT * FROM",
            "SELECT * FROM t LIMIT x",
            "SELECT * FROM t LIMIT 1 WHERE id = 1",
            "SELECT t FROM t GROUP BY n",
            "SELECT n AS m FROM t",
            "SELECT sum(t) FROM t",
            "SELECT * FROM t ORDER BY nn",
            "SELECT * FROM t; SELECT 1",
        ] {
            server().posted_refusal("", text);
        }
    }

    #[test]
    fn companions_stand_in_parameters() {
        let server = server();
        assert_eq!(server.ids("$order=n DESC&$limit=2"), [4, 3]);
        assert_eq!(
            server.ids("$order=n DESC NULLS LAST, id&$offset=1"),
            [2, 1, 4]
        );
        assert_eq!(
            server.body("$select=id,t&$limit=1"),
            r#"[{"id":1,"t":"Apple"}]"#
        );
        assert_eq!(
            server.body("$select=b, count(*) AS c&$group=b&$having=count(*) > 1"),
            r#"[{"b":null,"c":2}]"#
        );
    }

    #[test]
    fn a_whole_select_stands_in_a_parameter_or_in_the_body() {
        let text = "SELECT b, sum(n) AS s, avg(f) FROM items WHERE n > 0 GROUP BY b ORDER BY sum(n) DESC LIMIT 2 OFFSET 1";
        let expected = r#"[{"b":false,"s":6,"avg":1.5},{"b":true,"s":5,"avg":0.5}]"#;
        assert_eq!(server().body(&format!("$where={text}")), expected);
        assert_eq!(
            server().posted_ids("", "select id from t where n > 5"),
            [2, 3]
        );
        let body = json!({"query": "SELECT id FROM t WHERE b"}).to_string();
        assert_eq!(server().posted_ids("", &body), [1]);
    }
}
