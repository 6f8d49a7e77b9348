//! What does a random statement look like as a whole?

use super::tree::{Condition, Select, TOTAL};
use super::tree::{From, Join, Mode, Parameter, Query, Statement};
use crate::random::Random;
use crate::tables::Table;
use crate::values::Kind;

/// Makes statements over some tables.
#[derive(Debug)]
pub struct Generator<'a> {
    pub(super) random: &'a mut Random,
    pub(super) tables: &'a [Table],
    pub(super) parameters: Vec<Parameter>,
    /// How often the statement will be executed; 0: it has no parameters.
    pub(super) executions: usize,
    /// How many sub-queries are around.
    pub(super) depth: usize,
    aliases: usize,
}

/// A relation in a `FROM`.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its alias.
    pub alias: String,
    /// Its columns.
    pub columns: Vec<Reference>,
}

/// A column as a query names it.
#[derive(Debug, Clone)]
pub struct Reference {
    /// `alias.name`
    pub sql: String,
    /// Its name alone.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Values that it may hold.
    pub pool: Vec<String>,
}

impl<'a> Generator<'a> {
    /// Over these tables.
    pub fn new(random: &'a mut Random, tables: &'a [Table]) -> Generator<'a> {
        Generator {
            random,
            tables,
            parameters: Vec::new(),
            executions: 0,
            depth: 0,
            aliases: 0,
        }
    }

    /// A random statement.
    pub fn statement(mut self) -> Statement {
        let mode = match self.random.between(0, 99) {
            0..=71 => Mode::Inline(0),
            72..=93 => {
                self.executions = self.random.between(1, 3);
                Mode::Prepared {
                    generic: self.random.percent(50),
                }
            }
            _ => Mode::Cursor(self.random.between(0, 7)),
        };
        let query = self.query();
        let settings = self.settings();
        Statement {
            query,
            parameters: self.parameters,
            mode,
            settings,
        }
    }

    /// Settings that make other plans.
    fn settings(&mut self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        if self.random.percent(35) {
            let switches = [
                "enable_hashjoin",
                "enable_mergejoin",
                "enable_nestloop",
                "enable_material",
                "enable_memoize",
                "enable_sort",
                "enable_hashagg",
                "enable_incremental_sort",
            ];
            for name in self.random.some(&switches, 35) {
                settings.push((name.to_owned(), "off".to_owned()));
            }
        }
        if self.random.percent(12) {
            settings.push((
                "timezone".to_owned(),
                (*self.random.pick(&["America/New_York", "Asia/Kathmandu"])).to_owned(),
            ));
        }
        if self.random.percent(5) {
            settings.push(("work_mem".to_owned(), "64kB".to_owned()));
        }
        settings
    }

    fn query(&mut self) -> Query {
        match self.random.between(0, 99) {
            0..=44 => self.rows_query(),
            45..=59 => self.aggregate_query(),
            60..=67 => self.window_query(),
            68..=76 => self.set_query(),
            77..=84 => self.cte_query(),
            85..=92 => self.distinct_query(),
            _ => self.keys_query(),
        }
    }

    /// A new alias.
    pub(super) fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("r{}", self.aliases)
    }

    /// A table's name: sometimes that of the local copy, which the foreign tables are then joined with.
    pub(super) fn table_name(&mut self, name: &str) -> String {
        if self.random.percent(15) {
            format!("loc.{name}")
        } else {
            name.to_owned()
        }
    }

    /// A random table under a new alias.
    pub(super) fn table(&mut self) -> (From, Relation) {
        let table = self.random.pick(self.tables);
        let alias = self.alias();
        let columns = table.columns.iter().map(|column| Reference {
            sql: format!("{alias}.{}", column.name),
            name: column.name.clone(),
            kind: column.kind,
            pool: if column.name == "id" {
                table.keys()
            } else {
                column.pool.clone()
            },
        });
        let relation = Relation {
            alias: alias.clone(),
            columns: columns.collect(),
        };
        let name = self.table_name(&table.name);
        (From::Table { name, alias }, relation)
    }

    /// A random column of the relations in scope.
    pub(super) fn column(&mut self, scope: &[Relation]) -> Reference {
        let relation = self.random.pick(scope);
        self.random.pick(&relation.columns).clone()
    }

    /// Columns that compare with this one, of other relations if there are any.
    pub(super) fn comparable_columns(
        &mut self,
        scope: &[Relation],
        column: &Reference,
    ) -> Vec<Reference> {
        let all = scope.iter().flat_map(|relation| &relation.columns);
        let comparable =
            all.filter(|other| other.sql != column.sql && comparable(other.kind, column.kind));
        comparable.cloned().collect()
    }

    /// Tables and how they are joined.
    pub(super) fn from(&mut self, tables: usize) -> (From, Vec<Relation>) {
        let (mut from, first) = self.table();
        let mut scope = vec![first];
        for _ in 1..tables {
            let kind = self.random.weighted(&[
                ("INNER JOIN", 40),
                ("LEFT JOIN", 25),
                ("RIGHT JOIN", 10),
                ("FULL JOIN", 10),
                ("CROSS JOIN", 5),
            ]);
            let lateral = self.depth == 0
                && matches!(kind, "INNER JOIN" | "LEFT JOIN")
                && self.random.percent(25);
            let (right, relation) = if lateral {
                self.lateral(&scope)
            } else {
                self.table()
            };
            let on = match kind {
                "CROSS JOIN" => None,
                _ if lateral => Some(Condition::Atom("true".to_owned())),
                _ => Some(self.join_condition(&scope, &relation, kind)),
            };
            from = From::Join(Box::new(Join {
                kind,
                left: from,
                right,
                on,
            }));
            scope.push(relation);
        }
        (from, scope)
    }

    fn join_condition(&mut self, left: &[Relation], right: &Relation, kind: &str) -> Condition {
        let Some(equality) = self.equality(left, right) else {
            return Condition::Atom("true".to_owned());
        };
        if kind == "FULL JOIN" || self.random.percent(70) {
            return equality;
        }
        let mut scope = left.to_vec();
        scope.push(right.clone());
        let second = match self.random.percent(40) {
            true => self.equality(left, right),
            false => None,
        };
        let second = second.unwrap_or_else(|| self.condition(&scope, 1));
        Condition::And(vec![equality, second])
    }

    /// `left.x = right.y`, or a comparison of them.
    pub(super) fn equality(&mut self, left: &[Relation], right: &Relation) -> Option<Condition> {
        for _ in 0..20 {
            let one = self.random.pick(&right.columns).clone();
            let others = self.comparable_columns(left, &one);
            if others.is_empty() {
                continue;
            }
            let other = self.random.pick(&others).sql.clone();
            return Some(Condition::Atom(if self.random.percent(50) {
                format!("{other} = {}", one.sql)
            } else {
                format!("{} = {other}", one.sql)
            }));
        }
        None
    }

    /// ORDER BY keys that leave no two rows equal, and perhaps LIMIT and OFFSET.
    pub(super) fn order_totally(&mut self, query: &mut Query, scope: &[Relation]) {
        let keys = self.random.between(0, 2);
        query.order = (0..keys)
            .map(|_| {
                let key = self.column(scope).sql;
                self.direction(key)
            })
            .collect();
        for relation in scope {
            let key = self.direction(relation.columns[0].sql.clone());
            query.order.push(key);
        }
        if let Some(last) = query.order.last_mut() {
            last.push_str(TOTAL);
        }
        self.limit(query);
    }

    /// Perhaps LIMIT and OFFSET.
    pub(super) fn limit(&mut self, query: &mut Query) {
        if self.random.percent(60) {
            query.limit = Some(self.random.between(0, 12).to_string());
        }
        if self.random.percent(20) {
            query.offset = Some(self.random.between(0, 6).to_string());
        }
    }

    pub(super) fn direction(&mut self, key: String) -> String {
        let direction = self.random.weighted(&[
            ("", 35),
            (" DESC", 25),
            (" NULLS FIRST", 10),
            (" DESC NULLS LAST", 20),
            (" ASC NULLS LAST", 5),
            (" USING >", 5),
        ]);
        key + direction
    }

    /// Perhaps a WHERE.
    pub(super) fn filter(&mut self, select: &mut Select, scope: &[Relation]) {
        if self.random.percent(88) {
            let depth = self.random.between(0, 3);
            select.filter = Some(self.condition(scope, depth));
        }
    }
}

fn comparable(one: Kind, other: Kind) -> bool {
    one.type_name() == other.type_name() && !(one.is_text() && one != other)
        || one.is_number() && other.is_number()
}
