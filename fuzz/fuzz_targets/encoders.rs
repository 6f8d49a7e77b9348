//! What a dialect makes of predicates and orders: an interpreter of another hand understands it, loses no row for which they
//! are true, returns no other where the verdict is exact, and has them in the order asked for.
#![no_main]

use arbitrary::{Result, Unstructured};
use fuzz::scene::Scene;
use fuzz::truth::{Truth, truth};
use fuzz::values::{compare, draw};
use libfuzzer_sys::fuzz_target;
use oracle::values::Kind;
use rest_engine::Error;
use rest_engine::model::{Operator, TextCollation};
use rest_engine::predicate::{Predicate, Semantics, Value};
use rest_engine::pushdown::{
    Pushdown, RemoteQuery, Verdict, WantedKey, fields, may_split, never_null, order, plan,
};
use rest_engine::request::{Bound, Operand, bind};
use std::cmp::Ordering;

/// What is asked.
struct Query {
    predicates: Vec<Predicate>,
    operands: Vec<Value>,
    /// The values are known when the query is planned.
    are_constants: bool,
    order: Vec<WantedKey>,
    /// Columns that are wanted, besides the key.
    fields: Vec<usize>,
}

impl Query {
    fn draw(bytes: &mut Unstructured, scene: &Scene) -> Result<Query> {
        let mut operands = Vec::new();
        let predicates = (0..bytes.int_in_range(0..=3)?)
            .map(|_| predicate(bytes, scene, &mut operands, 3))
            .collect::<Result<Vec<Predicate>>>()?;
        let never_null = never_null(&predicates);
        let mut order = Vec::new();
        for _ in 0..bytes.int_in_range(0..=2)? {
            let column = bytes.choose_index(scene.kinds.len())?;
            order.push(WantedKey {
                column,
                descending: bytes.arbitrary()?,
                nulls_first: bytes.arbitrary()?,
                collation: (scene.kinds[column] == Kind::TextC).then_some(TextCollation::C),
                never_null: never_null.contains(&column),
                rounds: false,
            });
        }
        let wanted: u16 = bytes.arbitrary()?;
        let mut fields: Vec<usize> = (0..scene.kinds.len()).collect();
        fields.retain(|column| *column == 0 || wanted >> column & 1 == 1);
        Ok(Query {
            predicates,
            operands,
            are_constants: bytes.arbitrary()?,
            order,
            fields,
        })
    }

    fn constants(&self) -> Vec<Option<Value>> {
        let known = |value: &Value| self.are_constants.then(|| value.clone());
        self.operands.iter().map(known).collect()
    }

    /// What a row makes of each predicate.
    fn truths(&self, scene: &Scene, row: usize) -> Vec<Truth> {
        let of = |predicate| truth(predicate, &scene.kinds, &scene.rows[row], &self.operands);
        self.predicates.iter().map(of).collect()
    }
}

fn predicate(
    bytes: &mut Unstructured,
    scene: &Scene,
    operands: &mut Vec<Value>,
    depth: u8,
) -> Result<Predicate> {
    let kind = if depth == 0 {
        9
    } else {
        bytes.int_in_range(0..=15u8)?
    };
    Ok(match kind {
        0..=3 => {
            let parts = (0..bytes.int_in_range(1..=3)?)
                .map(|_| predicate(bytes, scene, operands, depth - 1))
                .collect::<Result<Vec<Predicate>>>()?;
            if kind < 2 {
                Predicate::And(parts)
            } else {
                Predicate::Or(parts)
            }
        }
        4 | 5 => Predicate::Not(Box::new(predicate(bytes, scene, operands, depth - 1)?)),
        6 => Predicate::IsTrue(Box::new(predicate(bytes, scene, operands, depth - 1)?)),
        7 => {
            let known = [Value::Null, Value::Bool(false), Value::Bool(true)];
            operands.push(bytes.choose(&known)?.clone());
            Predicate::Known(operands.len() - 1)
        }
        8 if depth < 3 => Predicate::Opaque("something else".to_owned()),
        _ => {
            let column = bytes.choose_index(scene.kinds.len())?;
            let kind = scene.kinds[column];
            let operator = operator(bytes, kind)?;
            operands.push(operand(bytes, kind, &scene.pools[column], operator)?);
            Predicate::Compare {
                column,
                operator,
                operand: operands.len() - 1,
                semantics: Semantics {
                    collation_is_c: kind != Kind::Text,
                    deterministic: true,
                },
            }
        }
    })
}

fn operator(bytes: &mut Unstructured, kind: Kind) -> Result<Operator> {
    use Operator::*;
    let tests = [IsNull, IsNotNull];
    let comparisons = [Eq, Ne, Lt, Le, Gt, Ge, In, NotIn, Distinct, NotDistinct];
    let patterns = [Like, NotLike, ILike, NotILike, StartsWith, NotStartsWith];
    let all: Vec<Operator> = match kind {
        Kind::Jsonb | Kind::TextArray => tests.into(),
        Kind::Text | Kind::TextC => [&tests[..], &comparisons, &patterns].concat(),
        _ => [&tests[..], &comparisons].concat(),
    };
    bytes.choose(&all).copied()
}

fn operand(
    bytes: &mut Unstructured,
    kind: Kind,
    pool: &[Value],
    operator: Operator,
) -> Result<Value> {
    use Operator::*;
    match operator {
        IsNull | IsNotNull => Ok(Value::Null),
        In | NotIn if bytes.ratio(1, 16)? => Ok(Value::Null),
        In | NotIn => list(bytes, kind, pool),
        Like | NotLike | ILike | NotILike => pattern(bytes, kind, pool),
        _ => single(bytes, kind, pool),
    }
}

fn single(bytes: &mut Unstructured, kind: Kind, pool: &[Value]) -> Result<Value> {
    match bytes.int_in_range(0..=15u8)? {
        0 => Ok(Value::Null),
        1..=3 => draw(bytes, kind),
        // Another integer type on the other side.
        4 if kind == Kind::Int4 => draw(bytes, Kind::Int8),
        _ => bytes.choose(pool).cloned(),
    }
}

/// Without values that SQL calls equal to another one, which the executor leaves out.
fn list(bytes: &mut Unstructured, kind: Kind, pool: &[Value]) -> Result<Value> {
    let mut values: Vec<Value> = Vec::new();
    for _ in 0..bytes.int_in_range(0..=4)? {
        let value = single(bytes, kind, pool)?;
        let is_same = |other: &Value| match (other, &value) {
            (Value::Null, _) | (_, Value::Null) => *other == value,
            (other, value) => compare(kind, other, value) == Some(Ordering::Equal),
        };
        if !values.iter().any(is_same) {
            values.push(value);
        }
    }
    Ok(Value::List(values))
}

fn pattern(bytes: &mut Unstructured, kind: Kind, pool: &[Value]) -> Result<Value> {
    let Value::Text(text) = single(bytes, kind, pool)? else {
        return Ok(Value::Null);
    };
    let form = bytes.int_in_range(0..=7u8)?;
    if form == 0 {
        return Ok(Value::Text(text));
    }
    let mut pattern = String::new();
    for letter in text.chars() {
        match form {
            5 if bytes.ratio(1, 4)? => pattern.push('_'),
            6 if bytes.ratio(1, 4)? => pattern.push('%'),
            _ if ['%', '_', '\\'].contains(&letter) => pattern.extend(['\\', letter]),
            _ => pattern.push(letter),
        }
    }
    Ok(Value::Text(match form {
        1 => format!("{pattern}%"),
        2 => format!("%{pattern}"),
        3 => format!("%{pattern}%"),
        _ => pattern,
    }))
}

/// Several queries a table: making a table and its API takes longer than asking it.
fn run(bytes: &mut Unstructured) -> Result<()> {
    let scene = Scene::draw(bytes)?;
    for _ in 0..QUERIES {
        if bytes.is_empty() {
            break;
        }
        send(&scene, &Query::draw(bytes, &scene)?);
    }
    Ok(())
}

const QUERIES: usize = 6;

/// Plans a query, sends it and looks at what comes back.
fn send(scene: &Scene, query: &Query) {
    let constants = query.constants();
    let pushdown = plan(&scene.table, &query.predicates, &constants, true);
    let may_be_ordered = !may_split(&scene.table, &pushdown.sent, &constants);
    let ordered = order(&scene.table, &query.order).ok();
    let remote = RemoteQuery {
        sent: pushdown.sent.clone(),
        order: ordered.filter(|_| may_be_ordered).unwrap_or_default(),
        fields: fields(&scene.table, &query.fields),
        aggregate: None,
    };
    let operands = query.operands.iter().cloned().map(Operand::Value);
    let bound = bind(&scene.table, &remote, &operands.collect::<Vec<_>>());
    let story = || {
        let Query {
            predicates,
            operands,
            ..
        } = query;
        let parts = format!("{predicates:?}\n{operands:?}\n{remote:?}\n{bound:?}");
        scene.story(&parts)
    };
    match &bound {
        Ok(bound) => check(
            scene,
            query,
            &exact(&pushdown, bound),
            bound,
            &remote,
            &story,
        ),
        Err(Error::Unsendable { .. }) => {}
        Err(other) => panic!("{other}\n{}", story()),
    }
}

/// The predicates of whose rows the API returns no other.
fn exact(pushdown: &Pushdown, bound: &Bound) -> Vec<usize> {
    let is_loose = |part: &usize| bound.unsent.contains(part) || bound.widened.contains(part);
    let verdicts = pushdown.verdicts.iter().enumerate();
    let exact = verdicts.filter(|(predicate, verdict)| {
        let mut parts = pushdown.sent.iter().enumerate();
        **verdict == Verdict::Exact
            && parts.all(|(part, sent)| sent.predicate != *predicate || !is_loose(&part))
    });
    exact.map(|(predicate, _)| predicate).collect()
}

fn check(
    scene: &Scene,
    query: &Query,
    exact: &[usize],
    bound: &Bound,
    remote: &RemoteQuery,
    story: &dyn Fn() -> String,
) {
    let mut found = Vec::new();
    for inputs in &bound.requests {
        let Some(rows) = scene.ask(inputs, bound.entity, story) else {
            return;
        };
        found.extend(rows);
    }
    for row in 0..scene.rows.len() {
        let truths = query.truths(scene, row);
        let times = found.iter().filter(|other| **other == row).count();
        let is_wanted = truths.iter().all(|truth| *truth == Truth::True);
        assert!(times > 0 || !is_wanted, "row {row} is lost\n{}", story());
        assert!(times < 2, "row {row} came twice\n{}", story());
        let is_other = |index: &usize| matches!(truths[*index], Truth::False | Truth::Unknown);
        let is_other = exact.iter().any(is_other);
        assert!(
            times == 0 || !is_other,
            "row {row} is too many\n{}",
            story()
        );
    }
    if !remote.order.is_empty() && !bound.entity {
        let is_wanted = |row: &usize| {
            query
                .truths(scene, *row)
                .iter()
                .all(|truth| *truth == Truth::True)
        };
        found.retain(is_wanted);
        check_order(scene, query, &found, story);
    }
}

fn check_order(scene: &Scene, query: &Query, found: &[usize], story: &dyn Fn() -> String) {
    for pair in found.windows(2) {
        let mut order = Ordering::Equal;
        for key in &query.order {
            let [left, right] = [pair[0], pair[1]].map(|row| &scene.rows[row][key.column]);
            order = order.then(match (left, right) {
                (Value::Null, Value::Null) => Ordering::Equal,
                (Value::Null, _) if key.nulls_first => Ordering::Less,
                (Value::Null, _) => Ordering::Greater,
                (_, Value::Null) if key.nulls_first => Ordering::Greater,
                (_, Value::Null) => Ordering::Less,
                (left, right) => {
                    let order = compare(scene.kinds[key.column], left, right).expect("an order");
                    if key.descending {
                        order.reverse()
                    } else {
                        order
                    }
                }
            });
        }
        assert!(order.is_le(), "{pair:?} are not in order\n{}", story());
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Unstructured::new(data);
    let _ = run(&mut bytes);
});
