//! What is a query made of, as far as it can be made smaller?

/// A whole statement and how it runs.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The query.
    pub query: Query,
    /// What `$1`, `$2` … stand for.
    pub parameters: Vec<Parameter>,
    /// How it runs.
    pub mode: Mode,
    /// `name = value` pairs that are set while it runs.
    pub settings: Vec<(String, String)>,
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its type in SQL.
    pub type_name: String,
    /// A constant for each execution.
    pub values: Vec<String>,
}

/// How a statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Once, with the parameters' values of this execution written into it.
    Inline(usize),
    /// Prepared, and executed once for each of the parameters' values.
    Prepared {
        /// Under `plan_cache_mode = force_generic_plan`.
        generic: bool,
    },
    /// Through a cursor, so many rows first, then the others.
    Cursor(usize),
}

/// A query at any level.
#[derive(Debug, Clone)]
pub struct Query {
    /// `WITH`
    pub ctes: Vec<Cte>,
    /// What makes the rows.
    pub body: Body,
    /// `ORDER BY`. If there is a limit or an offset at the same level, the rows that it cuts off are told by these keys.
    pub order: Vec<String>,
    /// `LIMIT`
    pub limit: Option<String>,
    /// `OFFSET`
    pub offset: Option<String>,
}

/// A named query of a `WITH`.
#[derive(Debug, Clone)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// ` MATERIALIZED`, ` NOT MATERIALIZED` or nothing.
    pub materialized: &'static str,
    /// The query.
    pub query: Query,
}

/// What makes a query's rows.
#[derive(Debug, Clone)]
pub enum Body {
    /// `SELECT …`
    Select(Box<Select>),
    /// `… UNION …` and the like.
    Set {
        /// The operator.
        operator: &'static str,
        /// Left of it.
        left: Box<Query>,
        /// Right of it.
        right: Box<Query>,
    },
}

/// One `SELECT`.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Empty, `DISTINCT` or `DISTINCT ON (…)`.
    pub distinct: String,
    /// Expressions, each with its `AS` if it needs one.
    pub items: Vec<String>,
    /// `FROM`
    pub from: Option<From>,
    /// `WHERE`
    pub filter: Option<Condition>,
    /// `GROUP BY`
    pub group: Vec<String>,
    /// `HAVING`
    pub having: Option<Condition>,
}

/// What stands in a `FROM`.
#[derive(Debug, Clone)]
pub enum From {
    /// A table or CTE under an alias; a name may say which schema.
    Table {
        /// Its name.
        name: String,
        /// Its alias, unique in the statement.
        alias: String,
    },
    /// A sub-query under an alias.
    Derived {
        /// `LATERAL ` or nothing.
        lateral: bool,
        /// The query.
        query: Box<Query>,
        /// Its alias.
        alias: String,
    },
    /// A join.
    Join(Box<Join>),
}

/// Two relations and how they are joined.
#[derive(Debug, Clone)]
pub struct Join {
    /// `INNER JOIN` and so on.
    pub kind: &'static str,
    /// Left of it.
    pub left: From,
    /// Right of it.
    pub right: From,
    /// `ON`; none for a cross join.
    pub on: Option<Condition>,
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It is false.
    Not(Box<Condition>),
    /// A comparison as SQL.
    Atom(String),
    /// SQL before a list, the list, and SQL after it.
    List(String, Vec<String>, &'static str),
    /// SQL before a sub-query, the sub-query, and SQL after it.
    Sub(String, Box<Query>, &'static str),
}

impl Query {
    /// A plain select without order.
    pub fn of(select: Select) -> Query {
        Query {
            ctes: Vec::new(),
            body: Body::Select(Box::new(select)),
            order: Vec::new(),
            limit: None,
            offset: None,
        }
    }
}

impl Statement {
    /// Whether the rows of a result have one order only, as far as they can be told apart.
    pub fn is_ordered(&self) -> bool {
        !self.query.order.is_empty() && self.query.order_is_total()
    }

    /// Whether the rows of all results are one result, cut at places that may differ.
    pub fn is_cut_anywhere(&self) -> bool {
        matches!(self.mode, Mode::Cursor(_)) && !self.is_ordered()
    }
}

impl Query {
    /// Whether the order's keys are told to be total: generators say so by a limit, or by ending in `/* total */`.
    fn order_is_total(&self) -> bool {
        self.limit.is_some()
            || self.offset.is_some()
            || self.order.last().is_some_and(|key| key.ends_with(TOTAL))
    }
}

/// Marks the last key of an order in which no two different rows are equal.
pub const TOTAL: &str = " /* total */";
