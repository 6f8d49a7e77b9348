//! Whether an API orders as its table says: what to ask for, and what the rows that came say.

use super::verdict::{Finding, Verdict};
use crate::model::{Table, TextCollation};
use crate::pushdown::{self, WantedKey};

/// An order by one column that the API can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedOrder {
    /// The largest value comes first.
    pub descending: bool,
    /// Where the API is said to put NULLs.
    pub nulls_first: bool,
    /// What text is ordered by.
    pub collation: Option<TextCollation>,
}

/// The orders by a column that queries are believed to get from the API: none, one direction, or both.
pub fn orders(table: &Table, column: usize) -> Vec<OfferedOrder> {
    let Some(described) = table.columns.get(column) else {
        return Vec::new();
    };
    let order = |descending: bool| {
        let wanted = |nulls_first: bool| WantedKey {
            column,
            descending,
            nulls_first,
            collation: described.collation.clone(),
            never_null: false,
            rounds: false,
        };
        // As PostgreSQL has it by default, where both are possible.
        let mut places = [descending, !descending].into_iter().map(wanted);
        let wanted =
            places.find(|wanted| pushdown::order(table, std::slice::from_ref(wanted)).is_ok())?;
        Some(OfferedOrder {
            descending,
            nulls_first: wanted.nulls_first,
            collation: wanted.collation,
        })
    };
    [false, true].into_iter().filter_map(order).collect()
}

/// What rows came for an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderAnswer {
    /// The order, as SQL writes it.
    pub order: String,
    /// Why nothing was sent for it.
    pub unsent: Option<String>,
    /// The API's refusal.
    pub refusal: Option<String>,
    /// Rows that came.
    pub rows: u64,
    /// Values among them that differ.
    pub distinct: u64,
    /// Rows that should have come before the one before them.
    pub misplaced: u64,
    /// One of them, and the one before it.
    pub example: Option<(String, String)>,
    /// What tells this sequence of values from another one.
    pub sequence: String,
}

/// What the answers say. The worst that was seen counts.
pub fn order_finding(answers: &[OrderAnswer]) -> Finding {
    let finding = |verdict, detail| Finding { verdict, detail };
    let sent: Vec<&OrderAnswer> = answers
        .iter()
        .filter(|answer| answer.unsent.is_none())
        .collect();
    let refused = sent
        .iter()
        .find_map(|answer| Some((answer, answer.refusal.as_ref()?)));
    if let Some((answer, reason)) = refused {
        return finding(Verdict::Refused, format!("{}: {reason}", answer.order));
    }
    if let Some(wrong) = sent.iter().find(|answer| answer.misplaced > 0) {
        let is_same = sent.len() > 1 && sent.iter().all(|answer| answer.sequence == wrong.sequence);
        if is_same {
            let detail = format!("{}: rows come as in the other direction", wrong.order);
            return finding(Verdict::Ignored, detail);
        }
        let example = wrong.example.as_ref();
        let example = example.map(|(before, after)| format!(", such as {after} after {before}"));
        let detail = format!(
            "{}: {} of {} rows come too late{}",
            wrong.order,
            wrong.misplaced,
            wrong.rows,
            example.unwrap_or_default()
        );
        return finding(Verdict::Misorders, detail);
    }
    if sent.is_empty() {
        let reason = answers.iter().find_map(|answer| answer.unsent.clone());
        let reason = reason.unwrap_or_else(|| "there is nothing to ask".to_owned());
        return finding(Verdict::Untested, reason);
    }
    if sent.iter().all(|answer| answer.distinct < 2) {
        let detail = "the rows that came have fewer than two values, so that they show no order";
        return finding(Verdict::Untested, detail.to_owned());
    }
    let shown = sent.iter().map(|answer| {
        let s = if answer.rows == 1 { "" } else { "s" };
        format!("{}: {} row{s}", answer.order, answer.rows)
    });
    finding(Verdict::Ok, shown.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Type;
    use crate::model::options::fixture;

    fn offered(table: &[(&str, &str)], ty: Type, column: &[(&str, &str)]) -> Vec<String> {
        let table = fixture::table(&[], table, &[("c", ty, column)]);
        let shown = |order: OfferedOrder| {
            let direction = if order.descending { "desc" } else { "asc" };
            let nulls = if order.nulls_first { "first" } else { "last" };
            format!("{direction} {nulls}")
        };
        orders(&table, 0).into_iter().map(shown).collect()
    }

    #[test]
    fn what_a_table_can_ask_for_is_offered() {
        let none: [&str; 0] = [];
        assert_eq!(offered(&[], Type::Int4, &[]), none);
        // Where the NULLs are is not known, so no query gets it.
        assert_eq!(offered(&[], Type::Int4, &[("sort", "c")]), none);
        assert_eq!(
            offered(&[], Type::Int4, &[("sort", "c"), ("sort_nulls", "first")]),
            ["asc first", "desc first"]
        );
        assert_eq!(
            offered(
                &[("sort_style", "none")],
                Type::Int4,
                &[("sort", "c"), ("sort_nulls", "last")]
            ),
            ["asc last"]
        );
        let postgrest = [("dialect", "postgrest")];
        assert_eq!(
            offered(&postgrest, Type::Int4, &[]),
            ["asc last", "desc first"]
        );
        assert_eq!(offered(&postgrest, Type::Int4, &[("sort", "none")]), none);
        assert_eq!(offered(&postgrest, Type::Text, &[]), none);
        assert_eq!(
            offered(&postgrest, Type::Text, &[("collation", "C")]),
            ["asc last", "desc first"]
        );
        assert_eq!(offered(&[], Type::Int4, &[("param", "c")]), none);
    }

    fn answer(order: &str, misplaced: u64, sequence: &str) -> OrderAnswer {
        OrderAnswer {
            order: order.to_owned(),
            rows: 6,
            distinct: 6,
            misplaced,
            example: (misplaced > 0).then(|| ("1".to_owned(), "2".to_owned())),
            sequence: sequence.to_owned(),
            ..OrderAnswer::default()
        }
    }

    #[test]
    fn the_worst_that_was_seen_counts() {
        let (asc, desc) = (answer("c", 0, "a"), answer("c DESC", 0, "b"));
        let both = [asc.clone(), desc.clone()];
        assert_eq!(order_finding(&both).verdict, Verdict::Ok);
        assert_eq!(order_finding(&both).detail, "c: 6 rows; c DESC: 6 rows");
        let same = answer("c DESC", 5, "a");
        let found = order_finding(&[asc.clone(), same]);
        assert_eq!(found.verdict, Verdict::Ignored);
        let wrong = answer("c DESC", 1, "x");
        let found = order_finding(&[asc.clone(), wrong.clone()]);
        assert_eq!(found.verdict, Verdict::Misorders);
        assert_eq!(
            found.detail,
            "c DESC: 1 of 6 rows come too late, such as 2 after 1"
        );
        assert_eq!(order_finding(&[wrong]).verdict, Verdict::Misorders);
        let refused = OrderAnswer {
            refusal: Some("status 400".to_owned()),
            ..answer("c DESC", 0, "")
        };
        let found = order_finding(&[asc.clone(), refused]);
        assert_eq!(found.verdict, Verdict::Refused);
        let unsent = OrderAnswer {
            unsent: Some("too long".to_owned()),
            ..answer("c", 6, "")
        };
        let found = order_finding(std::slice::from_ref(&unsent));
        assert_eq!(
            (found.verdict, found.detail.as_str()),
            (Verdict::Untested, "too long")
        );
        assert_eq!(order_finding(&[unsent, desc]).verdict, Verdict::Ok);
        let few = OrderAnswer { distinct: 1, ..asc };
        assert_eq!(order_finding(&[few]).verdict, Verdict::Untested);
        assert_eq!(order_finding(&[]).verdict, Verdict::Untested);
    }
}
