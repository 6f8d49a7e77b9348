//! Which kinds of queries are there: rows, aggregates, windows, sets, CTEs, DISTINCT, sub-queries?

use super::generate::{Generator, Reference, Relation};
use super::tree::{Body, Condition, Cte, From, Query, Select};
use crate::values::Kind;

impl Generator<'_> {
    fn how_many_tables(&mut self) -> usize {
        self.random.weighted(&[(1, 62), (2, 30), (3, 8)])
    }

    /// Rows of one or several tables.
    pub(super) fn rows_query(&mut self) -> Query {
        let tables = self.how_many_tables();
        let (from, scope) = self.from(tables);
        let mut select = Select {
            items: self.items(&scope),
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, &scope);
        let mut query = Query::of(select);
        if self.random.percent(45) {
            self.order_totally(&mut query, &scope);
        }
        query
    }

    fn items(&mut self, scope: &[Relation]) -> Vec<String> {
        match self.random.between(0, 9) {
            0..=2 => vec!["*".to_owned()],
            3 => scope
                .iter()
                .map(|relation| relation.alias.clone())
                .collect(),
            4 => vec!["1".to_owned()],
            _ => (0..self.random.between(1, 4))
                .map(|_| self.item(scope))
                .collect(),
        }
    }

    fn item(&mut self, scope: &[Relation]) -> String {
        let column = self.column(scope);
        if self.depth == 0 && self.random.percent(10) {
            return self.scalar(scope);
        }
        match self.random.between(0, 9) {
            0 => format!("{} IS NULL", column.sql),
            1 => format!("coalesce({}::text, '-')", column.sql),
            _ => column.sql,
        }
    }

    /// A correlated sub-query with one value.
    fn scalar(&mut self, outer: &[Relation]) -> String {
        self.depth += 1;
        let (from, inner) = self.table();
        let value = self.aggregate(&inner);
        let query = self.correlated(vec![value], from, &inner, outer);
        self.depth -= 1;
        format!("({query})")
    }

    /// A sub-query over one table with a condition that may name the outer relations.
    fn correlated(
        &mut self,
        items: Vec<String>,
        from: From,
        inner: &Relation,
        outer: &[Relation],
    ) -> Query {
        let mut conditions = Vec::new();
        if self.random.percent(75) {
            conditions.extend(self.equality(outer, inner));
        }
        if self.random.percent(60) {
            conditions.push(self.condition(std::slice::from_ref(inner), 1));
        }
        let filter = match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(Condition::And(conditions)),
        };
        Query::of(Select {
            items,
            from: Some(from),
            filter,
            ..Select::default()
        })
    }

    /// EXISTS, IN or a comparison with a sub-query.
    pub(super) fn sub_query_condition(&mut self, scope: &[Relation]) -> Condition {
        self.depth += 1;
        let (from, inner) = self.table();
        let not = if self.random.percent(40) { "NOT " } else { "" };
        let condition = match self.random.between(0, 2) {
            0 => {
                let query = self.correlated(vec!["1".to_owned()], from, &inner, scope);
                Condition::Sub(format!("{not}EXISTS "), Box::new(query), "")
            }
            1 => self.in_sub_query(scope, from, &inner, not),
            _ => {
                let count = self.random.between(0, 3);
                let query = self.correlated(vec!["count(*)".to_owned()], from, &inner, scope);
                Condition::Sub(format!("{count} <= "), Box::new(query), "")
            }
        };
        self.depth -= 1;
        condition
    }

    fn in_sub_query(
        &mut self,
        scope: &[Relation],
        from: From,
        inner: &Relation,
        not: &str,
    ) -> Condition {
        let one = self.column(scope);
        let others = self.comparable_columns(std::slice::from_ref(inner), &one);
        if others.is_empty() {
            let query = self.correlated(vec!["1".to_owned()], from, inner, scope);
            return Condition::Sub(format!("{not}EXISTS "), Box::new(query), "");
        }
        let other = self.random.pick(&others).sql.clone();
        let query = self.correlated(vec![other], from, inner, scope);
        Condition::Sub(format!("{} {not}IN ", one.sql), Box::new(query), "")
    }

    /// A LATERAL sub-query and what it gives.
    pub(super) fn lateral(&mut self, outer: &[Relation]) -> (From, Relation) {
        self.depth += 1;
        let (from, inner) = self.table();
        let items = inner
            .columns
            .iter()
            .map(|column| column.sql.clone())
            .collect();
        let mut query = self.correlated(items, from, &inner, outer);
        if self.random.percent(60) {
            query.order = vec![inner.columns[0].sql.clone()];
            query.limit = Some(self.random.between(1, 3).to_string());
        }
        self.depth -= 1;
        let alias = self.alias();
        let relation = renamed(&inner, &alias);
        (
            From::Derived {
                lateral: true,
                query: Box::new(query),
                alias,
            },
            relation,
        )
    }

    /// An aggregate whose result does not depend on the order of rows.
    fn aggregate(&mut self, relation: &Relation) -> String {
        let column = self.random.pick(&relation.columns).clone();
        let key = relation.columns[0].sql.clone();
        let (name, kind) = (&column.sql, column.kind);
        match self.random.between(0, 11) {
            0 | 1 => "count(*)".to_owned(),
            2 => format!("count({name})"),
            3 => format!("count(DISTINCT {name})"),
            4 if kind.sums_exactly() => format!("sum({name})"),
            5 if kind.sums_exactly() => format!("avg({name})"),
            4..=6 if kind.has_extremes() => format!("min({name})"),
            7 | 8 if kind.has_extremes() => format!("max({name})"),
            9 if kind == Kind::Bool => format!("bool_or({name})"),
            9 if kind.is_text() => format!("string_agg({name}, ',' ORDER BY {name})"),
            10 => format!("array_agg({key} ORDER BY {key} DESC)"),
            11 if kind.has_extremes() => {
                format!("percentile_disc(0.5) WITHIN GROUP (ORDER BY {name})")
            }
            _ => "count(*)".to_owned(),
        }
    }

    fn filtered_aggregate(&mut self, scope: &[Relation]) -> String {
        let relation = self.random.pick(scope).clone();
        let aggregate = self.aggregate(&relation);
        if self.random.percent(15) {
            let condition = self.condition(scope, 0);
            return format!("{aggregate} FILTER (WHERE {condition})");
        }
        aggregate
    }

    /// Aggregates as APIs have them: of one table's columns, under one condition at most.
    fn plain_aggregate_query(&mut self) -> Query {
        let (from, scope) = self.from(1);
        let groups = self.random.weighted(&[(0, 40), (1, 40), (2, 20)]);
        let keys: Vec<String> = (0..groups).map(|_| self.column(&scope).sql).collect();
        let mut items = keys.clone();
        for _ in 0..self.random.between(1, 3) {
            let column = self.column(&scope);
            let function = match self.random.between(0, 5) {
                0 if column.kind.sums_exactly() => "sum",
                1 if column.kind.sums_exactly() => "avg",
                2 if column.kind.has_extremes() => "min",
                3 if column.kind.has_extremes() => "max",
                4 => "count",
                _ => {
                    items.push("count(*)".to_owned());
                    continue;
                }
            };
            items.push(format!("{function}({})", column.sql));
        }
        let mut select = Select {
            items,
            from: Some(from),
            group: keys,
            ..Select::default()
        };
        if self.random.percent(50) {
            select.filter = Some(self.condition(&scope, 0));
        }
        if self.random.percent(20) {
            select.having = Some(self.having(&scope));
        }
        Query::of(select)
    }

    pub(super) fn aggregate_query(&mut self) -> Query {
        if self.random.percent(45) {
            return self.plain_aggregate_query();
        }
        let tables = self.random.weighted(&[(1, 80), (2, 20)]);
        let (from, scope) = self.from(tables);
        let groups = self.random.weighted(&[(0, 40), (1, 40), (2, 20)]);
        let keys: Vec<String> = (0..groups).map(|_| self.column(&scope).sql).collect();
        let mut items = keys.clone();
        items.extend((0..self.random.between(1, 3)).map(|_| self.filtered_aggregate(&scope)));
        let mut select = Select {
            items,
            from: Some(from),
            group: keys.clone(),
            ..Select::default()
        };
        self.filter(&mut select, &scope);
        if self.random.percent(30) {
            select.having = Some(self.having(&scope));
        }
        if !keys.is_empty() && self.random.percent(12) {
            let form = self.random.pick(&["ROLLUP", "CUBE", "GROUPING SETS"]);
            select.group = vec![format!("{form} ({})", keys.join(", "))];
            return Query::of(select);
        }
        let mut query = Query::of(select);
        if !keys.is_empty() && self.random.percent(40) {
            query.order = keys.into_iter().map(|key| self.direction(key)).collect();
            self.limit(&mut query);
        }
        query
    }

    fn having(&mut self, scope: &[Relation]) -> Condition {
        let column = self.column(scope);
        if column.kind.has_extremes() && self.random.percent(50) {
            let operand = self.operand(&column);
            return Condition::Atom(format!("max({}) >= {operand}", column.sql));
        }
        Condition::Atom(format!("count(*) > {}", self.random.between(0, 3)))
    }

    pub(super) fn window_query(&mut self) -> Query {
        let tables = self.random.weighted(&[(1, 85), (2, 15)]);
        let (from, scope) = self.from(tables);
        let mut items: Vec<String> = scope
            .iter()
            .map(|relation| relation.columns[0].sql.clone())
            .collect();
        let order = items.join(", ");
        for _ in 0..self.random.between(1, 2) {
            let (column, partition) = (self.column(&scope), self.column(&scope));
            let function = match self.random.between(0, 5) {
                0 => "row_number()".to_owned(),
                1 => format!("lag({})", column.sql),
                2 => "count(*)".to_owned(),
                3 => format!("first_value({})", column.sql),
                4 if column.kind.sums_exactly() => format!("sum({})", column.sql),
                _ => "rank()".to_owned(),
            };
            let partition = match self.random.percent(50) {
                true => format!("PARTITION BY {} ", partition.sql),
                false => String::new(),
            };
            items.push(format!(
                "{function} OVER ({partition}ORDER BY {}{order})",
                self.first_window_key(&scope)
            ));
        }
        let mut select = Select {
            items,
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, &scope);
        let mut query = Query::of(select);
        if self.random.percent(40) {
            self.order_totally(&mut query, &scope);
        }
        query
    }

    fn first_window_key(&mut self, scope: &[Relation]) -> String {
        if self.random.percent(50) {
            return String::new();
        }
        let key = self.column(scope).sql;
        format!("{}, ", self.direction(key))
    }

    pub(super) fn set_query(&mut self) -> Query {
        let (from, left) = self.table();
        let (other_from, right) = self.table();
        let common: Vec<String> = left
            .columns
            .iter()
            .filter(|column| right.columns.iter().any(|other| other.name == column.name))
            .map(|column| column.name.clone())
            .collect();
        let names: Vec<String> = (0..self.random.between(1, 3))
            .map(|_| self.random.pick(&common).clone())
            .collect();
        let left = self.arm(&names, from, left);
        let right = self.arm(&names, other_from, right);
        let operator = self.random.pick(&[
            "UNION",
            "UNION ALL",
            "INTERSECT",
            "EXCEPT",
            "EXCEPT ALL",
            "INTERSECT ALL",
        ]);
        let mut query = left.clone();
        query.body = Body::Set {
            operator,
            left: Box::new(left),
            right: Box::new(right),
        };
        if self.random.percent(40) {
            query.order = (1..=names.len())
                .map(|place| self.direction(place.to_string()))
                .collect();
            if query.order.iter().any(|key| key.contains("USING")) {
                query.order.clear();
            } else {
                self.limit(&mut query);
            }
        }
        query
    }

    fn arm(&mut self, names: &[String], from: From, relation: Relation) -> Query {
        let items = names
            .iter()
            .map(|name| format!("{}.{name}", relation.alias))
            .collect();
        let mut select = Select {
            items,
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, &[relation]);
        Query::of(select)
    }

    /// A query in front, and its relation under an alias.
    fn cte(&mut self) -> (Cte, Relation) {
        self.depth += 1;
        let (from, inner) = self.table();
        let items = inner
            .columns
            .iter()
            .map(|column| column.sql.clone())
            .collect();
        let mut select = Select {
            items,
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, std::slice::from_ref(&inner));
        self.depth -= 1;
        let relation = renamed(&inner, &self.alias());
        let cte = Cte {
            name: "oracle_cte".to_owned(),
            materialized: self
                .random
                .pick::<&str>(&["", " MATERIALIZED", " NOT MATERIALIZED"]),
            query: Query::of(select),
        };
        (cte, relation)
    }

    pub(super) fn cte_query(&mut self) -> Query {
        let (cte, relation) = self.cte();
        let (table, other) = self.table();
        let on = self
            .equality(std::slice::from_ref(&relation), &other)
            .unwrap_or_else(|| Condition::Atom("true".to_owned()));
        let kind = self.random.pick(&["INNER JOIN", "LEFT JOIN"]);
        let left = From::Table {
            name: cte.name.clone(),
            alias: relation.alias.clone(),
        };
        let from = From::Join(Box::new(super::tree::Join {
            kind,
            left,
            right: table,
            on: Some(on),
        }));
        let scope = [relation, other];
        let mut select = Select {
            items: self.items(&scope),
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, &scope);
        let mut query = Query::of(select);
        query.ctes.push(cte);
        if self.random.percent(30) {
            self.order_totally(&mut query, &scope);
        }
        query
    }

    pub(super) fn distinct_query(&mut self) -> Query {
        let (from, scope) = self.from(1);
        let keys: Vec<String> = (0..self.random.between(1, 2))
            .map(|_| self.column(&scope).sql)
            .collect();
        let on = self.random.percent(50);
        let items = if on { self.items(&scope) } else { keys.clone() };
        let distinct = if on {
            format!("DISTINCT ON ({})", keys.join(", "))
        } else {
            "DISTINCT".to_owned()
        };
        let mut select = Select {
            distinct,
            items,
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, &scope);
        let mut query = Query::of(select);
        if on {
            // Which row stands for its group is told by the key.
            query.order = keys;
            query
                .order
                .push(format!("{}{}", scope[0].columns[0].sql, super::tree::TOTAL));
            self.limit(&mut query);
        } else if self.random.percent(50) {
            query.order = keys.into_iter().map(|key| self.direction(key)).collect();
            self.limit(&mut query);
        }
        query
    }

    /// Only what is ordered by, so that ties cannot be told apart: the order itself is compared.
    pub(super) fn keys_query(&mut self) -> Query {
        let (from, scope) = self.from(1);
        let keys: Vec<String> = (0..self.random.between(1, 3))
            .map(|_| self.column(&scope).sql)
            .collect();
        let mut select = Select {
            items: keys.clone(),
            from: Some(from),
            ..Select::default()
        };
        self.filter(&mut select, &scope);
        let mut query = Query::of(select);
        query.order = keys.into_iter().map(|key| self.direction(key)).collect();
        self.limit(&mut query);
        if query.limit.is_none() && query.offset.is_none() {
            query.offset = Some("0".to_owned());
        }
        query
    }
}

/// The columns under another alias.
fn renamed(relation: &Relation, alias: &str) -> Relation {
    let columns = relation.columns.iter().map(|column| Reference {
        sql: format!("{alias}.{}", column.name),
        ..column.clone()
    });
    Relation {
        alias: alias.to_owned(),
        columns: columns.collect(),
    }
}
