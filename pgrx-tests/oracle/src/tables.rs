//! What do the tables of a world hold?

use crate::random::Random;
use crate::values::Kind;
use serde_json::Value;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in SQL.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Where an API's row has it: member names from the outside inwards.
    pub field: Vec<String>,
    /// Some of these values are in its rows.
    pub pool: Vec<String>,
}

/// What a row has for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// No member: NULL.
    Missing,
    /// The member `null`: NULL.
    Null,
    /// A text that the column's type reads.
    Value(String),
}

/// A table: what the API serves, and what the local copy holds.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in SQL, and its path segment.
    pub name: String,
    /// The first one, `id`, is unique and never NULL.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Slot>>,
}

/// What a dialect's tables may have.
#[derive(Debug, Clone, Copy)]
pub struct ColumnPlan {
    /// The column's name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Dotted path in an API's row.
    pub field: &'static str,
    /// Which values the API can carry.
    pub carries: fn(&str) -> bool,
    /// Whether `null` is another thing than a missing member, or cannot be written.
    pub may_be_null: bool,
}

impl ColumnPlan {
    /// A column whose field has its name, for values of any kind.
    pub const fn plain(name: &'static str, kind: Kind) -> ColumnPlan {
        ColumnPlan {
            name,
            kind,
            field: name,
            carries: |_| true,
            may_be_null: true,
        }
    }

    /// A column that stands elsewhere in a row: `field` is its dotted path.
    pub const fn at(name: &'static str, kind: Kind, field: &'static str) -> ColumnPlan {
        ColumnPlan {
            field,
            ..ColumnPlan::plain(name, kind)
        }
    }
}

/// The columns that an API of JSON objects can carry.
pub const ALL_COLUMNS: &[ColumnPlan] = &[
    ColumnPlan::plain("id", Kind::Int8),
    ColumnPlan::plain("i4", Kind::Int4),
    ColumnPlan::plain("i8", Kind::Int8),
    ColumnPlan::plain("f8", Kind::Float8),
    ColumnPlan::plain("n", Kind::Numeric),
    ColumnPlan::plain("b", Kind::Bool),
    ColumnPlan::plain("t", Kind::Text),
    ColumnPlan::plain("c", Kind::TextC),
    ColumnPlan::plain("u", Kind::Uuid),
    ColumnPlan::plain("d", Kind::Date),
    ColumnPlan::plain("ts", Kind::Timestamp),
    ColumnPlan::plain("tz", Kind::TimestampTz),
    ColumnPlan::plain("j", Kind::Jsonb),
    ColumnPlan::plain("arr", Kind::TextArray),
];

/// [`ALL_COLUMNS`] without its last two, jsonb and the array: what an API whose filters know single values can carry.
pub const SINGLE_VALUES: &[ColumnPlan] = ALL_COLUMNS.split_at(ALL_COLUMNS.len() - 2).0;

impl Table {
    /// A random table; `plans` begins with the key.
    pub fn random(random: &mut Random, name: &str, plans: &[ColumnPlan]) -> Table {
        let chance = *random.pick(&[60, 85, 100]);
        let mut columns = vec![column(random, &plans[0])];
        for plan in &plans[1..] {
            if random.percent(chance) {
                columns.push(column(random, plan));
            }
        }
        if columns.len() == 1 {
            columns.push(column(random, random.clone().pick(&plans[1..])));
        }
        let most = random.weighted(&[(0, 2), (1, 3), (6, 25), (20, 55), (60, 15)]);
        let mut keys = keys(random, &plans[0], most);
        random.shuffle(&mut keys);
        let rows = keys
            .into_iter()
            .map(|key| row(random, &columns, plans, key));
        let rows = rows.collect();
        Table {
            name: name.to_owned(),
            columns,
            rows,
        }
    }

    /// A table with every column and about 20 rows, whose keys count from `first` on.
    pub fn complete(random: &mut Random, name: &str, plans: &[ColumnPlan], first: usize) -> Table {
        let columns: Vec<Column> = plans.iter().map(|plan| column(random, plan)).collect();
        let keys = first..first + random.between(15, 25);
        let rows = keys
            .map(|key| row(random, &columns, plans, key.to_string()))
            .collect();
        Table {
            name: name.to_owned(),
            columns,
            rows,
        }
    }

    /// The values of the key.
    pub fn keys(&self) -> Vec<String> {
        let keys = self.rows.iter().filter_map(|row| match row.first() {
            Some(Slot::Value(key)) => Some(key.clone()),
            _ => None,
        });
        keys.collect()
    }

    /// The rows as a JSON array of objects, each number exactly as the table has it.
    pub fn rows_json(&self) -> String {
        let rows = self.rows.iter().map(|row| self.row_json(row));
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    }

    fn row_json(&self, row: &[Slot]) -> String {
        let mut object = Object::default();
        for (column, slot) in self.columns.iter().zip(row) {
            match slot {
                Slot::Missing => {}
                Slot::Null => object.insert(&column.field, "null".to_owned()),
                Slot::Value(value) => object.insert(&column.field, column.kind.json(value)),
            }
        }
        object.to_json()
    }
}

/// An object of raw JSON values, so that no number passes through a float.
#[derive(Default)]
struct Object(Vec<(String, Member)>);

enum Member {
    Raw(String),
    Object(Object),
}

impl Object {
    fn insert(&mut self, path: &[String], raw: String) {
        let [name, rest @ ..] = path else { return };
        if rest.is_empty() {
            self.0.push((name.clone(), Member::Raw(raw)));
            return;
        }
        let found = self.0.iter().position(|(member, _)| member == name);
        let at = found.unwrap_or_else(|| {
            let empty = Member::Object(Object::default());
            self.0.push((name.clone(), empty));
            self.0.len() - 1
        });
        if let Member::Object(object) = &mut self.0[at].1 {
            object.insert(rest, raw);
        }
    }

    fn to_json(&self) -> String {
        let members = self.0.iter().map(|(name, member)| {
            let value = match member {
                Member::Raw(raw) => raw.clone(),
                Member::Object(object) => object.to_json(),
            };
            format!("{}:{value}", Value::from(name.as_str()))
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

fn column(random: &mut Random, plan: &ColumnPlan) -> Column {
    let values: Vec<&str> = plan
        .kind
        .values()
        .iter()
        .copied()
        .filter(|value| (plan.carries)(value))
        .collect();
    let size = random.between(1, 8).min(values.len());
    let pool = (0..size).map(|_| (*random.pick(&values)).to_owned());
    Column {
        name: plan.name.to_owned(),
        kind: plan.kind,
        field: plan.field.split('.').map(str::to_owned).collect(),
        pool: pool.collect(),
    }
}

/// Keys that a float cannot hold, or only just.
const EXTREMES: [&str; 3] = [
    "9223372036854775807",
    "-9223372036854775808",
    "9007199254740993",
];

/// Distinct values for the key: numbers from 1 on with some extremes, or texts.
fn keys(random: &mut Random, plan: &ColumnPlan, most: usize) -> Vec<String> {
    let count = random.between(most.div_ceil(3), most);
    if plan.kind.is_text() {
        let values = plan
            .kind
            .values()
            .iter()
            .filter(|value| (plan.carries)(value) && !value.is_empty());
        return values
            .take(count)
            .map(|value| (*value).to_owned())
            .collect();
    }
    let mut keys: Vec<String> = (1..=count).map(|key| key.to_string()).collect();
    if random.percent(25) && count > 3 {
        let extremes = EXTREMES.iter().filter(|key| (plan.carries)(key));
        for (key, extreme) in keys.iter_mut().zip(extremes) {
            *key = (*extreme).to_owned();
        }
    }
    keys
}

fn row(random: &mut Random, columns: &[Column], plans: &[ColumnPlan], key: String) -> Vec<Slot> {
    let slots = columns.iter().enumerate().map(|(index, column)| {
        if index == 0 {
            return Slot::Value(key.clone());
        }
        let may_be_null = plans
            .iter()
            .any(|plan| plan.name == column.name && plan.may_be_null);
        match random.between(0, 9) {
            0 => Slot::Missing,
            1 if may_be_null => Slot::Null,
            _ => Slot::Value(random.pick(&column.pool).clone()),
        }
    });
    slots.collect()
}
