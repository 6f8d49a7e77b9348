//! In which order rows come, and how a sort parameter is read.

use super::spec::{NullsPlace, SortSpec, SortStyle};
use super::value::Value;
use crate::query::Query;
use std::cmp::Ordering;

/// One key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SortKey {
    pub(crate) column: usize,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// Sorts the numbers of rows; text bytewise. Equal rows stay as they are.
pub(crate) fn sort<'a>(
    indexes: &mut [usize],
    keys: &[SortKey],
    row: impl Fn(usize) -> &'a [Value],
) {
    indexes.sort_by(|left, right| {
        let (left, right) = (row(*left), row(*right));
        let orders = keys
            .iter()
            .map(|key| key.compare(&left[key.column], &right[key.column]));
        orders.fold(Ordering::Equal, Ordering::then)
    });
}

impl SortKey {
    fn compare(self, left: &Value, right: &Value) -> Ordering {
        let null_side = |is_left: bool| {
            if is_left == self.nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        };
        match (*left == Value::Null, *right == Value::Null) {
            (true, true) => Ordering::Equal,
            (true, false) => null_side(true),
            (false, true) => null_side(false),
            (false, false) => {
                let order = left.compare(right, false).unwrap_or(Ordering::Equal);
                if self.descending {
                    order.reverse()
                } else {
                    order
                }
            }
        }
    }
}

/// Puts numbers into another order for each seed (Fisher and Yates, with the numbers of SplitMix64).
pub(crate) fn shuffle(indexes: &mut [usize], seed: u64) {
    let mut state = seed;
    for last in (1..indexes.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let other = usize::try_from(mixed % (last as u64 + 1)).unwrap_or(0);
        indexes.swap(last, other);
    }
}

/// How a dialect spells its sort parameter where the route does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SortDefaults {
    pub(crate) param: &'static str,
    pub(crate) style: SortStyle,
    pub(crate) order_param: &'static str,
    pub(crate) nulls: NullsPlace,
}

impl SortDefaults {
    pub(crate) const fn of(param: &'static str, style: SortStyle) -> SortDefaults {
        SortDefaults {
            param,
            style,
            order_param: "order",
            nulls: NullsPlace::High,
        }
    }
}

/// The names and directions that a request's sort parameter lists; the error is a message for the client.
pub(crate) fn listed(
    spec: &SortSpec,
    defaults: SortDefaults,
    query: &Query,
) -> Result<Vec<(String, bool)>, String> {
    let param = spec.param.as_deref().unwrap_or(defaults.param);
    let names = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
    let asked = query.get(param).filter(|text| !text.is_empty());
    let style = spec.style.unwrap_or(defaults.style);
    if style == SortStyle::DescParam {
        let desc_param = spec.desc_param.as_deref().unwrap_or("_sort_desc");
        let ascending = asked.map(names).unwrap_or_default();
        let descending = query.get(desc_param).map(names).unwrap_or_default();
        let ascending = ascending.into_iter().map(|name| (name, false));
        return Ok(ascending
            .chain(descending.into_iter().map(|name| (name, true)))
            .collect());
    }
    let Some(text) = asked else {
        return Ok(Vec::new());
    };
    if style == SortStyle::OrderParam {
        let order_param = spec.order_param.as_deref().unwrap_or(defaults.order_param);
        let orders = query.get(order_param).map(names).unwrap_or_default();
        let key = |(number, name): (usize, String)| {
            let order = orders.get(number).map_or("asc", String::as_str);
            Ok((name, direction(order)?))
        };
        return names(text).into_iter().enumerate().map(key).collect();
    }
    names(text)
        .into_iter()
        .map(|name| one_key(style, &name))
        .collect()
}

fn one_key(style: SortStyle, text: &str) -> Result<(String, bool), String> {
    let split = match style {
        SortStyle::Colon => text.rsplit_once(':'),
        SortStyle::Space => text.rsplit_once(' '),
        _ => {
            let name = text.strip_prefix('-');
            return Ok((name.unwrap_or(text).to_owned(), name.is_some()));
        }
    };
    match split {
        Some((name, order)) => Ok((name.to_owned(), direction(order)?)),
        None => Ok((text.to_owned(), false)),
    }
}

/// `asc` or `desc`, in any case; whether it is descending.
pub(crate) fn direction(text: &str) -> Result<bool, String> {
    if text.eq_ignore_ascii_case("desc") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("asc") {
        Ok(false)
    } else {
        Err(format!("'{text}' is no sort direction"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn keys(style: SortStyle, query: &str) -> Result<Vec<(String, bool)>, String> {
        let defaults = SortDefaults::of("sort", style);
        listed(&SortSpec::default(), defaults, &Query::parse(query))
    }

    fn ab() -> Vec<(String, bool)> {
        vec![("a".to_owned(), true), ("b".to_owned(), false)]
    }

    #[test]
    fn every_style_is_read() {
        assert_eq!(keys(SortStyle::Minus, "sort=-a,b").unwrap(), ab());
        assert_eq!(keys(SortStyle::Colon, "sort=a:desc,b:asc").unwrap(), ab());
        assert_eq!(keys(SortStyle::Space, "sort=a+desc,b").unwrap(), ab());
        let two = "sort=a,b&order=desc,asc";
        assert_eq!(keys(SortStyle::OrderParam, two).unwrap(), ab());
        let other = "_sort_desc=a";
        assert_eq!(keys(SortStyle::DescParam, other).unwrap(), ab()[..1]);
        assert!(keys(SortStyle::Colon, "sort=a:down").is_err());
    }

    #[test]
    fn nulls_stand_where_they_are_told() {
        let values = [Value::Int(2), Value::Null, Value::Int(1)];
        let rows: Vec<Vec<Value>> = values.into_iter().map(|value| vec![value]).collect();
        let sorted = |descending: bool, nulls: NullsPlace| {
            let key = SortKey {
                column: 0,
                descending,
                nulls_first: nulls.first(descending),
            };
            let mut indexes = vec![0, 1, 2];
            sort(&mut indexes, &[key], |index| &rows[index]);
            indexes
        };
        assert_eq!(sorted(false, NullsPlace::High), [2, 0, 1]);
        assert_eq!(sorted(true, NullsPlace::High), [1, 0, 2]);
        assert_eq!(sorted(false, NullsPlace::Low), [1, 2, 0]);
        assert_eq!(sorted(true, NullsPlace::Last), [0, 2, 1]);
        assert_eq!(sorted(true, NullsPlace::First), [1, 0, 2]);
    }

    #[test]
    fn a_shuffle_is_an_order_of_its_own_for_each_seed() {
        let shuffled = |seed: u64| {
            let mut indexes: Vec<usize> = (0..50).collect();
            shuffle(&mut indexes, seed);
            indexes
        };
        assert_ne!(shuffled(1), shuffled(2));
        assert_eq!(shuffled(1), shuffled(1));
        let mut all = shuffled(3);
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
    }
}
