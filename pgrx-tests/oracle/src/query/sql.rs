//! How is a query written in SQL?

use super::tree::{Body, Condition, From, Mode, Query, Select, Statement};
use std::fmt::{self, Display, Formatter};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, cte) in self.ctes.iter().enumerate() {
            f.write_str(if index == 0 { "WITH " } else { ", " })?;
            write!(f, "{} AS{} ({})", cte.name, cte.materialized, cte.query)?;
        }
        if !self.ctes.is_empty() {
            f.write_str(" ")?;
        }
        match &self.body {
            Body::Select(select) => write!(f, "{select}")?,
            Body::Set {
                operator,
                left,
                right,
            } => write!(f, "({left}) {operator} ({right})")?,
        }
        listed(f, " ORDER BY ", &self.order)?;
        if let Some(limit) = &self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        match &self.offset {
            Some(offset) => write!(f, " OFFSET {offset}"),
            None => Ok(()),
        }
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SELECT {}", self.distinct)?;
        let start = if self.distinct.is_empty() { "" } else { " " };
        listed(f, start, &self.items)?;
        if let Some(from) = &self.from {
            write!(f, " FROM {from}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        listed(f, " GROUP BY ", &self.group)?;
        match &self.having {
            Some(having) => write!(f, " HAVING {having}"),
            None => Ok(()),
        }
    }
}

impl Display for From {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            From::Table { name, alias } => write!(f, "{name} AS {alias}"),
            From::Derived {
                lateral,
                query,
                alias,
            } => {
                let lateral = if *lateral { "LATERAL " } else { "" };
                write!(f, "{lateral}({query}) AS {alias}")
            }
            From::Join(join) => {
                write!(f, "{} {} ", join.left, join.kind)?;
                match &join.right {
                    right @ From::Join(_) => write!(f, "({right})")?,
                    right => write!(f, "{right}")?,
                }
                match &join.on {
                    Some(on) => write!(f, " ON {on}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::And(arms) => arms_between(f, arms, " AND "),
            Condition::Or(arms) => arms_between(f, arms, " OR "),
            Condition::Not(inner) => write!(f, "NOT ({inner})"),
            Condition::Atom(sql) => f.write_str(sql),
            Condition::List(before, items, after) => {
                f.write_str(before)?;
                listed(f, "", items)?;
                f.write_str(after)
            }
            Condition::Sub(before, query, after) => write!(f, "{before}({query}){after}"),
        }
    }
}

fn listed(f: &mut Formatter<'_>, start: &str, items: &[String]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index == 0 { start } else { ", " })?;
        f.write_str(item)?;
    }
    Ok(())
}

fn arms_between(f: &mut Formatter<'_>, arms: &[Condition], word: &str) -> fmt::Result {
    for (index, arm) in arms.iter().enumerate() {
        write!(f, "{}({arm})", if index == 0 { "" } else { word })?;
    }
    Ok(())
}

impl Statement {
    /// The commands that run it, as one simple query, with its settings.
    pub fn sql(&self) -> String {
        let mut sql = String::new();
        for (name, value) in &self.settings {
            sql += &format!("SET LOCAL {name} = '{value}'; ");
        }
        match self.mode {
            Mode::Inline(execution) => sql + &self.inlined(execution),
            Mode::Prepared { generic } => {
                if generic {
                    sql += "SET LOCAL plan_cache_mode = 'force_generic_plan'; ";
                }
                sql + &self.prepared()
            }
            Mode::Cursor(rows) => format!(
                "{sql}DECLARE oracle_cursor CURSOR FOR {}; FETCH {rows} FROM oracle_cursor; FETCH ALL FROM oracle_cursor; CLOSE oracle_cursor",
                self.inlined(0)
            ),
        }
    }

    /// The query of one execution with constants in place of its parameters.
    pub fn inlined(&self, execution: usize) -> String {
        let mut sql = self.query.to_string();
        // From the last on: `$1` begins `$10`.
        for (index, parameter) in self.parameters.iter().enumerate().rev() {
            let value = &parameter.values[execution];
            let constant = format!("({value}::{})", parameter.type_name);
            sql = sql.replace(&format!("${}", index + 1), &constant);
        }
        sql
    }

    fn prepared(&self) -> String {
        let types: Vec<&str> = self
            .parameters
            .iter()
            .map(|parameter| parameter.type_name.as_str())
            .collect();
        let executions = self
            .parameters
            .first()
            .map_or(1, |first| first.values.len());
        let signature = match types.as_slice() {
            [] => String::new(),
            types => format!("({})", types.join(", ")),
        };
        let mut sql = format!(
            "DEALLOCATE ALL; PREPARE oracle_statement{signature} AS {}",
            self.query
        );
        for execution in 0..executions {
            let values: Vec<&str> = self
                .parameters
                .iter()
                .map(|parameter| parameter.values[execution].as_str())
                .collect();
            sql += "; EXECUTE oracle_statement";
            if !values.is_empty() {
                sql += &format!("({})", values.join(", "));
            }
        }
        sql
    }
}
