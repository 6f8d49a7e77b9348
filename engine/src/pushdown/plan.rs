//! Predicates and a table → verdicts, and the conditions that are sent.

use super::condition::{Condition, Leaf, Normal, normal};
use super::contradiction::is_contradiction;
use super::dialects;
use super::entity;
use super::expression::Outcome;
use super::instance::instantiate;
use super::terms::{self, Form, alternatives, resolve};
use super::verdict::{Pushdown, Sent, Verdict};
use crate::model::{Column, Operator, ParameterPlace, Role, Table};
use crate::predicate::{Predicate, Value};
use crate::request::Operand;

/// Decides, from declarations alone, what is sent.
///
/// `constants` holds the values of the operands that are known before the query runs. Only what the
/// table or its dialect declares is sent (rule R2). With `enabled` false (`rest_fdw.pushdown` is off)
/// that is `=` and `in` on parameter columns, without which there would be other rows (rule R3).
pub fn plan(
    table: &Table,
    predicates: &[Predicate],
    constants: &[Option<Value>],
    enabled: bool,
) -> Pushdown {
    let planner = Planner {
        table,
        constants,
        enabled,
        gives_key: enabled && entity::is_given(table, predicates),
    };
    let candidates: Vec<Result<Vec<Sent>, String>> = predicates
        .iter()
        .enumerate()
        .map(|(index, predicate)| planner.candidate(index, predicate))
        .collect();
    let filled: Vec<(Slot, u8, usize)> = candidates
        .iter()
        .flatten()
        .flatten()
        .flat_map(|sent| {
            let preference = preference(table, sent);
            let filled = slots(table, sent).into_iter();
            filled.map(move |slot| (slot, preference, sent.predicate))
        })
        .collect();
    let mut pushdown = Pushdown::default();
    for candidate in candidates {
        let verdict = match candidate {
            Err(reason) => Verdict::Local(reason),
            Ok(parts) => keep(table, parts, &filled, &mut pushdown.sent),
        };
        pushdown.verdicts.push(verdict);
    }
    pushdown.missing = missing(table, &pushdown.sent);
    pushdown
}

/// Keeps those parts of a candidate whose parameter no better condition has.
fn keep(
    table: &Table,
    parts: Vec<Sent>,
    filled: &[(Slot, u8, usize)],
    sent: &mut Vec<Sent>,
) -> Verdict {
    let mut exact = true;
    let mut taken = None;
    let before = sent.len();
    for part in parts {
        exact &= part.exact;
        let own = slots(table, &part);
        let rank = (preference(table, &part), part.predicate);
        let is_rival = |(slot, preference, predicate): &&(Slot, u8, usize)| {
            own.contains(slot) && (*preference, *predicate) < rank
        };
        let rival = filled.iter().find(is_rival).map(|(slot, ..)| slot.clone());
        let doubled = || {
            let mut before = sent[before..].iter().flat_map(|other| slots(table, other));
            before.find(|slot| own.contains(slot))
        };
        match rival.or_else(doubled) {
            Some(slot) => taken = Some(slot),
            None => sent.push(part),
        }
    }
    match taken {
        Some(Slot(_, name)) if sent.len() == before => Verdict::Local(format!(
            "parameter \"{name}\" already carries another condition"
        )),
        None if exact => Verdict::Exact,
        _ => Verdict::Superset,
    }
}

/// A place of the request that carries one condition only.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot(ParameterPlace, String);

/// The places that a condition fills.
fn slots(table: &Table, sent: &Sent) -> Vec<Slot> {
    let Some(leaf) = only_comparison(&sent.condition) else {
        return Vec::new();
    };
    let column = &table.columns[leaf.column];
    let filled = match &column.role {
        Role::Parameter { name, place, .. } => vec![(*place, name.clone())],
        Role::Field(_) => match resolve(table, column, written_as(leaf.operator)) {
            Ok(resolved) => dialects::of(table).slots(table, column, resolved.operator),
            Err(_) => Vec::new(),
        },
    };
    let slot = |(place, name): (ParameterPlace, String)| match place {
        ParameterPlace::Header => Slot(place, name.to_ascii_lowercase()),
        ParameterPlace::Query | ParameterPlace::Path | ParameterPlace::Body => Slot(place, name),
    };
    filled.into_iter().map(slot).collect()
}

/// The comparison that a condition is, or that is all that is left of it when the known truth values are.
fn only_comparison(condition: &Condition) -> Option<&Leaf> {
    match condition {
        Condition::Test(leaf) => Some(leaf),
        Condition::Any(arms) => {
            let mut left = arms
                .iter()
                .filter(|arm| !matches!(arm, Condition::Known(_)));
            match (left.next(), left.next()) {
                (Some(Condition::Test(leaf)), None) => Some(leaf),
                _ => None,
            }
        }
        Condition::Known(_) | Condition::All(_) => None,
    }
}

/// The comparison that an operator becomes when its value is known.
fn written_as(operator: Operator) -> Operator {
    match operator {
        Operator::StartsWith => Operator::Like,
        Operator::NotStartsWith => Operator::NotLike,
        Operator::NotDistinct => Operator::Eq,
        Operator::Distinct => Operator::Ne,
        operator => operator,
    }
}

/// One value says more than a list, a list costs fewer requests than its values.
fn preference(table: &Table, sent: &Sent) -> u8 {
    let Condition::Test(leaf) = &sent.condition else {
        return 1;
    };
    let column = &table.columns[leaf.column];
    let is_split = || {
        column.is_input()
            || resolve(table, column, leaf.operator)
                .is_ok_and(|resolved| resolved.form == Form::Requests)
    };
    match leaf.operator {
        Operator::Eq => 0,
        Operator::In if is_split() => 2,
        _ => 1,
    }
}

struct Planner<'a> {
    table: &'a Table,
    constants: &'a [Option<Value>],
    enabled: bool,
    /// The endpoint of a single row can be asked.
    gives_key: bool,
}

impl Planner<'_> {
    /// What of a predicate could be sent; where it is an AND, each part by itself.
    fn candidate(&self, index: usize, predicate: &Predicate) -> Result<Vec<Sent>, String> {
        let (condition, mut exact) = self.kept(normal(predicate), true)?;
        let parts = match condition {
            Condition::All(parts) => parts,
            other => vec![other],
        };
        let mut sent = Vec::with_capacity(parts.len());
        let mut refusal = None;
        for condition in parts {
            match self.with_known_values(&condition) {
                Ok(precise) => sent.push((condition, precise)),
                Err(reason) => {
                    exact = false;
                    refusal = Some(reason);
                }
            }
        }
        if let (true, Some(reason)) = (sent.is_empty(), refusal) {
            return Err(reason);
        }
        Ok(sent
            .into_iter()
            .map(|(condition, precise)| Sent {
                predicate: index,
                exact: exact && precise,
                condition,
            })
            .collect())
    }

    /// What of a condition can be sent, and whether that is all of it.
    fn kept(&self, normal: Normal, at_top: bool) -> Result<(Condition, bool), String> {
        match normal {
            Normal::Local(reason) => Err(reason),
            Normal::Known(_) if !self.enabled => Err("rest_fdw.pushdown is off".to_owned()),
            Normal::Known(known) => Ok((Condition::Known(known), true)),
            Normal::Leaf(leaf) => {
                let exact = self.judged(&leaf, at_top)?;
                Ok((Condition::Test(leaf), exact))
            }
            Normal::All(parts) => {
                let kept: Vec<_> = parts
                    .into_iter()
                    .map(|part| self.kept(part, at_top))
                    .collect();
                let complete = kept.iter().all(Result::is_ok);
                let reason = kept.iter().find_map(|part| part.clone().err());
                let kept: Vec<_> = kept.into_iter().flatten().collect();
                if kept.is_empty() {
                    return Err(reason.unwrap_or_default());
                }
                let exact = complete && kept.iter().all(|(_, exact)| *exact);
                Ok((
                    Condition::All(kept.into_iter().map(|(part, _)| part).collect()),
                    exact,
                ))
            }
            Normal::Any(arms) => {
                let kept = arms.into_iter().map(|arm| self.kept(arm, false));
                let kept: Vec<_> = kept.collect::<Result<_, _>>()?;
                let is_known = |(arm, _): &&(Condition, bool)| matches!(arm, Condition::Known(_));
                // Where all others are known, one comparison is what is left of them.
                let left: Vec<_> = kept.iter().filter(|arm| !is_known(arm)).collect();
                if !matches!(left.as_slice(), [(Condition::Test(_), _)]) {
                    self.spells_or()?;
                }
                let exact = kept.iter().all(|(_, exact)| *exact);
                Ok((
                    Condition::Any(kept.into_iter().map(|(arm, _)| arm).collect()),
                    exact,
                ))
            }
        }
    }

    fn spells_or(&self) -> Result<(), String> {
        let dialect = dialects::of(self.table);
        if dialect.spells_or(self.table) {
            return Ok(());
        }
        Err(format!("OR has no spelling in dialect {}", dialect.name()))
    }

    /// Whether the API answers a comparison exactly.
    fn judged(&self, leaf: &Leaf, at_top: bool) -> Result<bool, String> {
        let column = self
            .table
            .columns
            .get(leaf.column)
            .ok_or_else(|| "the column is not part of the foreign table".to_owned())?;
        if column.is_input() {
            return input(column, leaf, at_top).map(|()| true);
        }
        if !self.enabled {
            return Err("rest_fdw.pushdown is off".to_owned());
        }
        let judged = self.field(column, leaf, at_top);
        if judged.is_err() && at_top && self.gives_key && entity::is_key(self.table, leaf) {
            return terms::judge_key(column, leaf.semantics).map(|()| false);
        }
        judged
    }

    fn field(&self, column: &Column, leaf: &Leaf, at_top: bool) -> Result<bool, String> {
        let judge = |operator| terms::judge(self.table, column, operator, leaf.semantics);
        let or_null = |operator| -> Result<bool, String> {
            let exact = judge(operator)?.judged.exact;
            if column.not_null {
                return Ok(exact);
            }
            self.spells_or()?;
            Ok(exact && judge(Operator::IsNull)?.judged.exact)
        };
        match leaf.operator {
            Operator::Distinct => or_null(Operator::Ne),
            // Whether its value is NULL shows at run time.
            Operator::NotDistinct => {
                let exact = judge(Operator::Eq)?.judged.exact;
                Ok(exact && judge(Operator::IsNull).is_ok_and(|null| null.judged.exact))
            }
            Operator::StartsWith => Ok(judge(Operator::Like)?.judged.exact),
            Operator::NotStartsWith if leaf.or_unknown => or_null(Operator::NotLike),
            Operator::NotStartsWith => Ok(judge(Operator::NotLike)?.judged.exact),
            operator if leaf.or_unknown => or_null(operator),
            operator => {
                let resolved = judge(operator)?;
                if resolved.form == Form::Requests && !at_top {
                    return Err("IN below OR would need a list in one request".to_owned());
                }
                Ok(resolved.judged.exact)
            }
        }
    }

    /// Writes a condition whose values are known: what the API would not understand stays here, and
    /// leaves the parameter to others.
    fn with_known_values(&self, condition: &Condition) -> Result<bool, String> {
        let leaves = condition.leaves();
        if leaves
            .iter()
            .any(|leaf| self.table.columns[leaf.column].is_input())
        {
            return Ok(true);
        }
        let mut operands = vec![Operand::Value(Value::Null); self.constants.len()];
        for index in condition.operands() {
            match self.constants.get(index) {
                Some(Some(value)) => operands[index] = Operand::Value(value.clone()),
                _ => return Ok(true),
            }
        }
        let nullable = |column: usize| !self.table.columns[column].not_null;
        if let (true, [leaf]) = (self.gives_key, leaves.as_slice())
            && matches!(condition, Condition::Test(_))
            && entity::is_key(self.table, leaf)
            && let Some(Operand::Value(value)) = operands.get(leaf.operands[0])
            && entity::segment(self.table, leaf.column, value).is_some()
        {
            return Ok(true);
        }
        match instantiate(condition, &operands, &nullable)? {
            Outcome::Always | Outcome::Never => Ok(true),
            // No request is made for it.
            Outcome::Depends(expression) if is_contradiction(self.table, &[&expression]) => {
                Ok(true)
            }
            Outcome::Depends(expression) => {
                alternatives(self.table, &expression).map(|found| found.precise)
            }
        }
    }
}

/// What can be sent for a parameter column.
fn input(column: &Column, leaf: &Leaf, at_top: bool) -> Result<(), String> {
    match leaf.operator {
        Operator::Eq | Operator::In if at_top && !leaf.or_unknown => Ok(()),
        _ => Err(format!(
            "column \"{}\" is an input of the request: only = and IN can be sent",
            column.name
        )),
    }
}

/// Required parameter columns that neither a condition nor a default gives a value, as indexes into
/// the table's columns: without them there is no request to send (rule R8).
pub fn missing(table: &Table, sent: &[Sent]) -> Vec<usize> {
    let is_required = |column: &Column| {
        matches!(
            &column.role,
            Role::Parameter {
                required: true,
                default: None,
                ..
            }
        )
    };
    let has_value = |index: usize| {
        sent.iter()
            .any(|sent| matches!(&sent.condition, Condition::Test(leaf) if leaf.column == index))
    };
    let columns = table.columns.iter().enumerate();
    columns
        .filter(|(index, column)| is_required(column) && !has_value(*index))
        .map(|(index, _)| index)
        .collect()
}
