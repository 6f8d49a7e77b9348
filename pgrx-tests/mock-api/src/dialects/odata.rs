//! What a request says in OData 4.0 (Part 2: URL Conventions, section 5.1; Extension for Data Aggregation for `$apply`).

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::grouping::{Function, Grouping, Output, Source};
use super::odata_literal::Literal;
use super::pattern::Pattern;
use super::scanner::Scanner;
use super::sort::{SortKey, direction};
use super::spec::NullsPlace;
use super::value::{ColumnType, Scalar, Value};

/// The parameter with which the server goes on where a page ended.
pub(crate) const SKIP_TOKEN: &str = "$skiptoken";

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let columns = Columns::of_table(asked);
    let mut plan = Plan {
        offset: asked.count("$skip")?.unwrap_or(0),
        limit: asked.count("$top")?,
        resume: asked.count(SKIP_TOKEN)?.unwrap_or(0),
        count: match asked.query.get("$count") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(format!("$count: '{other}' is no bool")),
        },
        ..Plan::default()
    };
    let filter = match asked.query.get(asked.filter_param("$filter")) {
        Some(text) => whole(&columns, text)?,
        None => Condition::all(),
    };
    if let Some(text) = asked.query.get("$apply") {
        let (within, mut grouping) = apply(asked, text)?;
        let outputs = Columns::of_outputs(asked, &grouping);
        grouping.order = order(asked, &outputs)?;
        grouping.having = Condition::And(vec![grouping.having, filter]);
        plan.filter = within;
        plan.grouping = Some(grouping);
        return Ok(plan);
    }
    plan.filter = filter;
    plan.order = order(asked, &columns)?;
    plan.columns = match asked.query.get("$select") {
        None | Some("*") => None,
        Some(text) => Some(
            text.split(',')
                .map(|name| columns.find(name.trim()))
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(plan)
}

/// What names a filter may use: the columns of the table, or the members of groups.
struct Columns {
    names: Vec<String>,
    types: Vec<ColumnType>,
}

impl Columns {
    fn of_table(asked: &Asked<'_>) -> Columns {
        let columns = &asked.table.columns;
        Columns {
            names: columns.iter().map(|column| column.name.clone()).collect(),
            types: columns.iter().map(|column| column.column_type).collect(),
        }
    }

    fn of_outputs(asked: &Asked<'_>, grouping: &Grouping) -> Columns {
        let output_type = |output: &Output| match output.source {
            Source::Key(column) | Source::Aggregate(Function::Min | Function::Max, column) => {
                asked.table.column_type(column)
            }
            _ => ColumnType::of(Scalar::Numeric),
        };
        Columns {
            names: grouping
                .outputs
                .iter()
                .map(|output| output.name.clone())
                .collect(),
            types: grouping.outputs.iter().map(output_type).collect(),
        }
    }

    /// By a path with slashes.
    fn find(&self, path: &str) -> Result<usize, String> {
        let name = path.replace('/', ".");
        let found = self.names.iter().position(|candidate| *candidate == name);
        found.ok_or_else(|| format!("unknown property '{path}'"))
    }
}

fn whole(columns: &Columns, text: &str) -> Result<Condition, String> {
    let mut parser = Parser {
        columns,
        scanner: Scanner::new(text),
    };
    let condition = parser.or()?;
    parser.scanner.skip_spaces();
    parser.scanner.end()?;
    Ok(condition)
}

struct Parser<'a> {
    columns: &'a Columns,
    scanner: Scanner<'a>,
}

/// One side of a comparison.
enum Operand {
    Column(usize),
    Literal(Literal),
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Condition, String> {
        let mut arms = vec![self.and()?];
        while self.word("or") {
            arms.push(self.and()?);
        }
        Ok(match arms.len() {
            1 => arms.remove(0),
            _ => Condition::Or(arms),
        })
    }

    fn and(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.not()?];
        while self.word("and") {
            parts.push(self.not()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Condition::And(parts),
        })
    }

    fn not(&mut self) -> Result<Condition, String> {
        if self.word("not") {
            return Ok(self.not()?.not());
        }
        self.scanner.skip_spaces();
        if self.scanner.eat("(") {
            let condition = self.or()?;
            self.scanner.skip_spaces();
            self.scanner.expect(")")?;
            return Ok(condition);
        }
        for name in ["contains", "startswith", "endswith"] {
            if self.scanner.rest().starts_with(&format!("{name}(")) {
                return self.function(name);
            }
        }
        self.comparison()
    }

    /// `contains(A,'x')`, null of a null.
    fn function(&mut self, name: &str) -> Result<Condition, String> {
        self.scanner.expect(name)?;
        self.scanner.expect("(")?;
        let column = match self.operand()? {
            Operand::Column(column) if self.columns.types[column].is_text() => column,
            _ => {
                return Err(self
                    .scanner
                    .problem(&format!("{name} needs a text property")));
            }
        };
        self.scanner.skip_spaces();
        self.scanner.expect(",")?;
        let Operand::Literal(Literal::Text(part)) = self.operand()? else {
            return Err(self.scanner.problem(&format!("{name} needs a text")));
        };
        self.scanner.skip_spaces();
        self.scanner.expect(")")?;
        let pattern = match name {
            "contains" => Pattern::contains(&part),
            "startswith" => Pattern::starts_with(&part),
            _ => Pattern::ends_with(&part),
        };
        let check = Check::Like {
            pattern,
            fold_case: false,
        };
        Ok(Condition::test(column, check, Nulls::Unknown))
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let left = self.operand()?;
        if self.word("in") {
            return self.list(left);
        }
        let operators = [
            ("eq", Comparison::Equal),
            ("ne", Comparison::NotEqual),
            ("gt", Comparison::Greater),
            ("ge", Comparison::GreaterOrEqual),
            ("lt", Comparison::Less),
            ("le", Comparison::LessOrEqual),
        ];
        let found = operators.into_iter().find(|(name, _)| self.word(name));
        let Some((_, comparison)) = found else {
            return self.bare(left);
        };
        match (left, self.operand()?) {
            (Operand::Column(column), Operand::Literal(literal)) => {
                self.compare(column, comparison, &literal)
            }
            (Operand::Literal(literal), Operand::Column(column)) => {
                self.compare(column, comparison.commuted(), &literal)
            }
            _ => Err(self.scanner.problem("expected a property and a literal")),
        }
    }

    /// A Boolean property by itself.
    fn bare(&self, operand: Operand) -> Result<Condition, String> {
        match operand {
            Operand::Column(column) if self.columns.types[column].scalar == Scalar::Bool => {
                Ok(Condition::test(column, Check::IsTrue, Nulls::Unknown))
            }
            _ => Err(self.scanner.problem("expected a comparison")),
        }
    }

    /// Two values are compared to true or false even if one is null: only null equals null.
    fn compare(
        &self,
        column: usize,
        comparison: Comparison,
        literal: &Literal,
    ) -> Result<Condition, String> {
        let value = self.value(column, literal)?;
        let check = match (comparison, &value) {
            (Comparison::Equal, Value::Null) => Check::IsNull(true),
            (Comparison::NotEqual, Value::Null) => Check::IsNull(false),
            (_, Value::Null) => return Ok(Condition::Constant(Some(false))),
            _ if comparison.is_order() && !self.columns.types[column].is_ordered() => {
                return Err(self.scanner.problem("this property has no order"));
            }
            _ => Check::Compare(comparison, value),
        };
        Ok(Condition::test(column, check, Nulls::Kept))
    }

    fn list(&mut self, left: Operand) -> Result<Condition, String> {
        let Operand::Column(column) = left else {
            return Err(self.scanner.problem("expected a property before in"));
        };
        self.scanner.skip_spaces();
        self.scanner.expect("(")?;
        let mut values = Vec::new();
        loop {
            let Operand::Literal(literal) = self.operand()? else {
                return Err(self.scanner.problem("a list has literals only"));
            };
            values.push(self.value(column, &literal)?);
            self.scanner.skip_spaces();
            if !self.scanner.eat(",") {
                break;
            }
        }
        self.scanner.expect(")")?;
        Ok(Condition::test(column, Check::In(values), Nulls::Kept))
    }

    fn value(&self, column: usize, literal: &Literal) -> Result<Value, String> {
        let name = &self.columns.names[column];
        literal
            .value(self.columns.types[column])
            .map_err(|problem| format!("{name}: {problem}"))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.scanner.skip_spaces();
        if self.scanner.peek() == Some('\'') {
            let text = self.scanner.quoted('\'', None)?;
            return Ok(Operand::Literal(Literal::Text(text)));
        }
        let belongs = |next: char| next.is_alphanumeric() || "_-+:./@".contains(next);
        let token = self.scanner.take_while(belongs);
        match Literal::bare(token) {
            Some(literal) => Ok(Operand::Literal(literal)),
            None if token.is_empty() => Err(self.scanner.problem("expected an operand")),
            None => Ok(Operand::Column(self.columns.find(token)?)),
        }
    }

    /// Goes over a word if it is next and ends there.
    fn word(&mut self, word: &str) -> bool {
        let mut ahead = self.scanner.clone();
        ahead.skip_spaces();
        let found = ahead.eat(word) && ahead.peek().is_none_or(|next| next == ' ' || next == '(');
        if found {
            self.scanner = ahead;
        }
        found
    }
}

/// `$orderby=a desc,b`; null is less than every value.
fn order(asked: &Asked<'_>, columns: &Columns) -> Result<Vec<SortKey>, String> {
    let Some(text) = asked.query.get("$orderby") else {
        return Ok(Vec::new());
    };
    let key = |part: &str| {
        let mut words = part.split_whitespace();
        let column = columns.find(words.next().unwrap_or_default())?;
        let descending = words.next().map_or(Ok(false), direction)?;
        if let Some(other) = words.next() {
            return Err(format!("$orderby: unexpected '{other}'"));
        }
        if !columns.types[column].is_ordered() {
            return Err(format!("$orderby: '{part}' has no order"));
        }
        Ok(SortKey {
            column,
            descending,
            nulls_first: asked.nulls(NullsPlace::Low).first(descending),
        })
    };
    text.split(',').map(key).collect()
}

/// `filter(F)/groupby((a,b),aggregate(…))/filter(G)`, or `aggregate(…)` instead of `groupby`.
fn apply(asked: &Asked<'_>, text: &str) -> Result<(Condition, Grouping), String> {
    let mut scanner = Scanner::new(text);
    let mut filter = Condition::all();
    if scanner.rest().starts_with("filter(") {
        filter = whole(&Columns::of_table(asked), &called(&mut scanner, "filter")?)?;
        scanner.expect("/")?;
    }
    let mut grouping = if scanner.rest().starts_with("aggregate(") {
        let outputs = aggregates(asked, &called(&mut scanner, "aggregate")?)?;
        group(Vec::new(), outputs)
    } else {
        groupby(asked, &called(&mut scanner, "groupby")?)?
    };
    grouping.check()?;
    if scanner.eat("/") {
        let columns = Columns::of_outputs(asked, &grouping);
        grouping.having = whole(&columns, &called(&mut scanner, "filter")?)?;
    }
    scanner.end()?;
    Ok((filter, grouping))
}

fn group(keys: Vec<usize>, outputs: Vec<Output>) -> Grouping {
    Grouping {
        keys,
        outputs,
        having: Condition::all(),
        order: Vec::new(),
        nests: false,
    }
}

/// What stands between the parentheses of a call; those within quotes do not count.
fn called(scanner: &mut Scanner<'_>, name: &str) -> Result<String, String> {
    scanner.expect(name)?;
    scanner.expect("(")?;
    let (mut depth, mut in_text) = (1, false);
    let inner = scanner.take_while(|next| {
        match next {
            '\'' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        depth > 0
    });
    scanner.expect(")")?;
    Ok(inner.to_owned())
}

/// `(a,b),aggregate(…)`, or only `(a,b)`
fn groupby(asked: &Asked<'_>, text: &str) -> Result<Grouping, String> {
    let columns = Columns::of_table(asked);
    let mut scanner = Scanner::new(text);
    let names = called(&mut scanner, "")?;
    let keys: Vec<usize> = names
        .split(',')
        .map(|name| columns.find(name.trim()))
        .collect::<Result<_, _>>()?;
    let mut outputs: Vec<Output> = keys
        .iter()
        .map(|key| Output {
            name: columns.names[*key].clone(),
            source: Source::Key(*key),
            hidden: false,
        })
        .collect();
    if scanner.eat(",") {
        outputs.extend(aggregates(asked, &called(&mut scanner, "aggregate")?)?);
    }
    scanner.end()?;
    Ok(group(keys, outputs))
}

/// `x with sum as s,$count as n`
fn aggregates(asked: &Asked<'_>, text: &str) -> Result<Vec<Output>, String> {
    let columns = Columns::of_table(asked);
    let one = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let (name, source) = match words.as_slice() {
            ["$count", "as", name] => (name, Source::CountRows),
            [path, "with", method, "as", name] => {
                let function = match *method {
                    "average" => Function::Average,
                    "sum" | "min" | "max" => Function::named(method).unwrap_or(Function::Sum),
                    other => return Err(format!("$apply: unknown method '{other}'")),
                };
                let column = columns.find(path)?;
                function.check(asked.table, column)?;
                (name, Source::Aggregate(function, column))
            }
            _ => return Err(format!("$apply: '{part}' is no aggregate")),
        };
        Ok(Output {
            name: (*name).to_owned(),
            source,
            hidden: false,
        })
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::testing::{Server, kinds};
    use serde_json::json;

    fn server() -> Server {
        Server::new(json!({"name": "odata", "columns": kinds()}), json!({}))
    }

    fn filtered(filter: &str) -> Vec<i64> {
        server().ids(&format!("$filter={filter}"))
    }

    #[test]
    fn comparisons_with_null_are_true_or_false() {
        assert_eq!(filtered("n gt 5"), [2, 3]);
        assert_eq!(filtered("not (n gt 5)"), [1, 4]);
        assert_eq!(filtered("n ne 5"), [2, 3, 4]);
        assert_eq!(filtered("n eq null"), [4]);
        assert_eq!(filtered("n ne null and not (n eq 5)"), [2, 3]);
        assert_eq!(filtered("n gt null"), [] as [i64; 0]);
        assert_eq!(filtered("5 lt n"), [2, 3]);
        assert_eq!(filtered("b"), [1]);
        assert_eq!(filtered("b eq false or n in (5,7)"), [1, 2]);
    }

    #[test]
    fn or_binds_less_than_and() {
        assert_eq!(filtered("id eq 1 or id eq 2 and n eq 99"), [1]);
        assert_eq!(filtered("(id eq 1 or id eq 2) and n eq 6"), [2]);
    }

    #[test]
    fn literals_have_their_own_spellings() {
        assert_eq!(filtered("o/name eq 'O''B'"), [2]);
        assert_eq!(filtered("z eq 123456789012345678901234567890.12"), [2]);
        assert_eq!(filtered("n eq 9007199254740993"), [3]);
        assert_eq!(filtered("d ge 2024-03-01"), [2]);
        assert_eq!(filtered("at gt 2024-02-29T12:00:00.5Z"), [2]);
        assert_eq!(filtered("ts gt 2024-02-29T12:00:00"), [2]);
        assert_eq!(filtered("u eq 6BA7B810-9dad-11d1-80b4-00c04fd430c8"), [1]);
        assert_eq!(
            filtered("contains(t,'pp') or startswith(t,'b%') and endswith(t,'ß')"),
            [1, 3]
        );
        assert_eq!(filtered("not contains(t,'pp')"), [2, 3]);
    }

    #[test]
    fn mistakes_are_refused() {
        for filter in [
            "nn eq 1",
            "n eq",
            "n eq 'x'",
            "n eq '5'",
            "t eq 5",
            "t eq 'x",
            "n = 5",
            "n eq 5 and",
            "(n eq 5",
            "n eq 5)",
            "d eq '2024-02-29'",
            "at eq 2024-02-29",
            "u eq 'x'",
            "n",
            "contains(n,'5')",
            "contains(t,5)",
            "n eq n",
            "j eq 5",
            "b eq 1",
            "f eq 1e",
        ] {
            server().refusal(&format!("$filter={filter}"));
        }
        server().refusal("$orderby=n down");
        server().refusal("$select=nn");
        server().refusal("$top=-1");
        server().refusal("$apply=aggregate(t with sum as s)");
        server().refusal("$apply=groupby((t),aggregate(n with count as c))");
    }

    #[test]
    fn rows_are_sorted_cut_and_projected() {
        let server = server();
        assert_eq!(server.ids("$orderby=n"), [4, 1, 2, 3]);
        assert_eq!(server.ids("$orderby=b desc,id desc&$top=3"), [1, 2, 4]);
        assert_eq!(server.ids("$skip=1&$top=2"), [2, 3]);
        assert_eq!(
            server.body("$select=id,o/name&$top=1"),
            r#"[{"id":1,"o":{"name":"ann"}}]"#
        );
    }

    #[test]
    fn apply_groups_and_aggregates() {
        let server = server();
        assert_eq!(
            server.body("$apply=filter(n gt 5)/aggregate(n with sum as s,$count as c)"),
            r#"[{"s":9007199254740999,"c":2}]"#
        );
        assert_eq!(
            server.body(
                "$apply=groupby((b),aggregate(z with average as a,$count as c))/filter(c gt 1)"
            ),
            r#"[{"b":null,"a":2.00000000000000000000,"c":2}]"#
        );
        assert_eq!(
            server.body("$apply=groupby((b))&$orderby=b desc&$top=2"),
            r#"[{"b":true},{"b":false}]"#
        );
    }
}
