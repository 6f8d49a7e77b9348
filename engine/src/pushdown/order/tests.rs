//! Orders that an API is asked for, word by word, and those that are not sent.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{WantedKey, order};
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Table, TextCollation, Type};
use crate::pushdown::{RemoteQuery, SortKey};
use crate::request::bind;

const SCORE: TestColumn = (
    "score",
    Type::Int8,
    &[("sort", "score"), ("sort_nulls", "last")],
);
const ID: TestColumn = ("id", Type::Int8, &[("sort", "id"), ("sort_nulls", "last")]);
const NAME: TestColumn = (
    "name",
    Type::Text,
    &[("sort", "name"), ("sort_nulls", "last"), ("collation", "C")],
);
const TIME: TestColumn = (
    "time",
    Type::TimestampTz,
    &[("sort", "time-asc/time"), ("sort_nulls", "last")],
);
const ALL: &[TestColumn] = &[ID, SCORE, NAME, TIME];

fn up(column: usize) -> WantedKey {
    WantedKey {
        column,
        descending: false,
        nulls_first: false,
        collation: Some(TextCollation::C),
        never_null: false,
        rounds: false,
    }
}

fn down(column: usize) -> WantedKey {
    WantedKey {
        descending: true,
        ..up(column)
    }
}

fn written(table: &Table, keys: Vec<SortKey>) -> String {
    let query = RemoteQuery {
        order: keys,
        ..RemoteQuery::default()
    };
    let inputs = bind(table, &query, &[]).unwrap().requests.remove(0);
    let pairs: Vec<String> = inputs
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// What is sent for an order over [`ALL`], or why nothing is.
fn sent(options: &[(&str, &str)], keys: &[WantedKey]) -> Result<String, String> {
    let table = table(&[], options, ALL);
    order(&table, keys).map(|keys| written(&table, keys))
}

fn sends(options: &[(&str, &str)], keys: &[WantedKey], expected: &str) {
    assert_eq!(sent(options, keys).as_deref(), Ok(expected), "{options:?}");
}

fn refuses(options: &[(&str, &str)], keys: &[WantedKey], reason: &str) {
    assert_eq!(sent(options, keys), Err(reason.to_owned()), "{options:?}");
}

/// What a column of one type and these options makes of a key, on a table without pages.
fn of_column(ty: Type, pairs: &[(&str, &str)], key: &WantedKey) -> Result<Vec<SortKey>, String> {
    let table = table(&[], &[], &[("x", ty, pairs)]);
    order(&table, std::slice::from_ref(key))
}

#[test]
fn one_key_is_written_in_the_tables_style() {
    for (style, ascending, descending) in [
        ("minus", "sort=score", "sort=-score"),
        ("colon", "sort=score:asc", "sort=score:desc"),
        ("space", "sort=score asc", "sort=score desc"),
        (
            "order_param",
            "sort=score&order=asc",
            "sort=score&order=desc",
        ),
    ] {
        sends(&[("sort_style", style)], &[up(1)], ascending);
        sends(&[("sort_style", style)], &[down(1)], descending);
    }
    let desc_param = [
        ("sort_style", "desc_param"),
        ("sort_desc_param", "_sort_desc"),
    ];
    sends(&desc_param, &[up(1)], "sort=score");
    sends(&desc_param, &[down(1)], "_sort_desc=score");
    sends(&[("sort_style", "none")], &[up(1)], "sort=score");
    refuses(
        &[("sort_style", "none")],
        &[down(1)],
        "the API orders by \"score\" in ascending order only",
    );
    sends(&[("sort_param", "orderby")], &[down(1)], "orderby=-score");
}

#[test]
fn both_spellings_are_sent_as_they_are_in_every_style() {
    for style in ["minus", "colon", "space", "order_param", "none"] {
        sends(&[("sort_style", style)], &[up(3)], "sort=time-asc");
        sends(&[("sort_style", style)], &[down(3)], "sort=time");
    }
    let desc_param = [("sort_style", "desc_param"), ("sort_desc_param", "d")];
    sends(&desc_param, &[down(3)], "sort=time");
}

#[test]
fn several_keys_need_to_be_declared() {
    refuses(
        &[],
        &[down(1), up(0)],
        "the API orders by 1 column at most (option \"max_sort_keys\")",
    );
    let three = |style: &'static str| [("max_sort_keys", "3"), ("sort_style", style)];
    let keys = [down(1), up(0), up(2)];
    sends(&three("minus"), &keys, "sort=-score,id,name");
    sends(&three("colon"), &keys, "sort=score:desc,id:asc,name:asc");
    sends(&three("space"), &keys, "sort=score desc,id asc,name asc");
    sends(
        &three("order_param"),
        &keys,
        "sort=score,id,name&order=desc,asc,asc",
    );
    sends(&three("minus"), &[down(3), up(0)], "sort=time,id");
}

#[test]
fn directions_that_have_no_place_are_not_sent() {
    let desc_param = [
        ("max_sort_keys", "2"),
        ("sort_style", "desc_param"),
        ("sort_desc_param", "d"),
    ];
    sends(&desc_param, &[down(1), down(0)], "d=score,id");
    refuses(
        &desc_param,
        &[down(1), up(0)],
        "the API orders all columns in the same direction",
    );
    let reason = "an order of several columns needs names, not both spellings, in option \"sort\"";
    refuses(&desc_param, &[down(3), down(0)], reason);
    let order_param = [("max_sort_keys", "2"), ("sort_style", "order_param")];
    refuses(&order_param, &[up(0), down(3)], reason);
}

#[test]
fn nulls_must_stand_where_the_query_wants_them() {
    // NULLs first: ascending, descending.
    for (declared, ascending, descending) in [
        ("first", true, true),
        ("last", false, false),
        ("low", true, false),
        ("high", false, true),
    ] {
        for nulls_first in [false, true] {
            for (key, first) in [(up(0), ascending), (down(0), descending)] {
                let key = WantedKey { nulls_first, ..key };
                let pairs = [("sort", "x"), ("sort_nulls", declared)];
                let found = of_column(Type::Int8, &pairs, &key);
                assert_eq!(found.is_ok(), nulls_first == first, "{declared} {key:?}");
            }
        }
    }
}

#[test]
fn a_key_without_nulls_may_be_ordered_whatever_the_api_does_with_them() {
    let unknown = [("sort", "x")];
    assert_eq!(
        of_column(Type::Int8, &unknown, &up(0)),
        Err("where the API puts NULLs is unknown: column \"x\" declares no sort_nulls and is not NOT NULL".to_owned())
    );
    let never_null = WantedKey {
        never_null: true,
        ..up(0)
    };
    assert!(of_column(Type::Int8, &unknown, &never_null).is_ok());
    let mut not_null = table(&[], &[], &[("x", Type::Int8, &unknown)]);
    not_null.columns[0].not_null = true;
    assert!(order(&not_null, &[up(0)]).is_ok());
}

#[test]
fn text_needs_the_same_collation_on_both_sides() {
    let found = |declared: Option<&str>, wanted: Option<TextCollation>| {
        let mut pairs = vec![("sort", "x"), ("sort_nulls", "last")];
        pairs.extend(declared.map(|name| ("collation", name)));
        let key = WantedKey {
            collation: wanted,
            ..up(0)
        };
        of_column(Type::Text, &pairs, &key).map(drop)
    };
    let icelandic = || Some(TextCollation::Named("is-x-icu".to_owned()));
    assert_eq!(found(Some("C"), Some(TextCollation::C)), Ok(()));
    assert_eq!(found(Some("is-x-icu"), icelandic()), Ok(()));
    let needs_c = Err("text order needs COLLATE \"C\"".to_owned());
    assert_eq!(found(Some("C"), None), needs_c);
    assert_eq!(found(None, None), needs_c);
    assert_eq!(found(Some("C"), icelandic()), needs_c);
    assert_eq!(
        found(None, Some(TextCollation::C)),
        Err("how the API orders text is unknown: column \"x\" declares no collation".to_owned())
    );
    assert_eq!(
        found(Some("sv-x-icu"), icelandic()),
        Err("the API orders this text by collation \"sv-x-icu\"".to_owned())
    );
}

#[test]
fn columns_that_cannot_be_ordered_say_why() {
    assert_eq!(
        of_column(Type::Int8, &[], &up(0)),
        Err("column \"x\" declares no sort".to_owned())
    );
    assert_eq!(
        of_column(Type::Int8, &[("sort", "none")], &up(0)),
        Err("column \"x\" declares sort 'none'".to_owned())
    );
    assert_eq!(
        of_column(Type::Int8, &[("param", "x")], &up(0)),
        Err("column \"x\" is an input of the request".to_owned())
    );
    let lenient = [("sort", "x"), ("sort_nulls", "last"), ("on_error", "null")];
    assert_eq!(
        of_column(Type::Int8, &lenient, &up(0)),
        Err("values that do not fit become NULL here, and the API does not know".to_owned())
    );
}

#[test]
fn what_rounds_can_only_come_last() {
    let columns = [
        ID,
        (
            "ns",
            Type::TimestampTz,
            &[
                ("sort", "ns"),
                ("sort_nulls", "last"),
                ("format", "unix_ns"),
            ] as &[_],
        ),
        SCORE,
    ];
    let table = table(&[], &[("max_sort_keys", "2")], &columns);
    let lost = |name: &str| {
        Err(format!(
            "column \"{name}\" rounds the API's values, so what they order after it is lost"
        ))
    };
    assert!(order(&table, &[up(0), up(1)]).is_ok());
    assert_eq!(order(&table, &[up(1), up(0)]), lost("ns"));
    let rounded = WantedKey {
        rounds: true,
        ..up(2)
    };
    assert!(order(&table, std::slice::from_ref(&rounded)).is_ok());
    assert_eq!(order(&table, &[rounded, up(0)]), lost("score"));
}

#[test]
fn numbered_pages_need_the_key_in_the_order() {
    for style in ["page", "offset"] {
        let paged = [("pagination", style)];
        refuses(
            &paged,
            &[up(1)],
            "numbered pages of rows that are equal in the order may overlap: option \"key\" is not declared",
        );
        let keyed = [("pagination", style), ("key", "id")];
        sends(&keyed, &[down(0)], "sort=-id");
        refuses(
            &keyed,
            &[down(1)],
            "numbered pages need option \"key\" in the order, and the API orders by 1 column at most (option \"max_sort_keys\")",
        );
        let roomy = [("pagination", style), ("key", "id"), ("max_sort_keys", "2")];
        sends(&roomy, &[down(1)], "sort=-score,id");
        sends(&roomy, &[up(0), down(1)], "sort=id,-score");
    }
    for style in ["none", "link"] {
        sends(&[("pagination", style)], &[down(1)], "sort=-score");
    }
}

#[test]
fn a_key_that_cannot_be_ordered_by_forbids_the_order_of_numbered_pages() {
    let options = [
        ("pagination", "page"),
        ("key", "id"),
        ("max_sort_keys", "5"),
    ];
    let unsorted = table(&[], &options, &[("id", Type::Int8, &[]), SCORE]);
    assert_eq!(
        order(&unsorted, &[up(1)]),
        Err(
            "numbered pages need option \"key\" in the order, and column \"id\" declares no sort"
                .to_owned()
        )
    );
}

#[test]
fn an_input_in_the_key_is_the_same_in_all_rows() {
    let options = [
        ("pagination", "page"),
        ("key", "owner, id"),
        ("max_sort_keys", "2"),
    ];
    let columns = [
        ("owner", Type::Text, &[("param", "owner")] as &[_]),
        ID,
        SCORE,
    ];
    let table = table(&[], &options, &columns);
    let keys = order(&table, &[down(2)]).unwrap();
    assert_eq!(written(&table, keys), "sort=-score,id");
}

#[test]
fn keyset_pages_keep_their_own_order() {
    let keyset = [
        ("pagination", "keyset"),
        ("cursor_param", "after"),
        ("cursor_column", "id"),
        ("max_sort_keys", "2"),
    ];
    sends(&keyset, &[up(0)], "sort=id");
    let reason = "keyset pages are ordered by option \"cursor_column\", ascending";
    refuses(&keyset, &[down(0)], reason);
    refuses(&keyset, &[up(1)], reason);
    refuses(&keyset, &[up(0), up(1)], reason);
}

#[test]
fn dialects_have_their_own_way_to_write_orders() {
    let in_dialect =
        |dialect: &'static str, keys: &[WantedKey]| sent(&[("dialect", dialect)], keys);
    assert_eq!(
        in_dialect("search", &[down(1)]).as_deref(),
        Ok("sort=score&order=desc")
    );
    let nulls_first = |key: WantedKey| WantedKey {
        nulls_first: true,
        ..key
    };
    let odata = table(
        &[],
        &[("dialect", "odata")],
        &[("Id", Type::Int8, &[]), ("Score", Type::Int8, &[])],
    );
    let keys = order(&odata, &[down(1), nulls_first(up(0))]).unwrap();
    assert_eq!(written(&odata, keys), "$orderby=Score desc,Id");
    assert_eq!(
        order(&odata, &[up(0)]),
        Err("the API puts NULLs first".to_owned())
    );
    assert_eq!(
        in_dialect("postgrest", &[down(1), nulls_first(up(0))]).as_deref(),
        Ok("order=score.desc.nullslast,id.asc.nullsfirst")
    );
    assert_eq!(
        in_dialect("sql", &[down(1), up(0)]).as_deref(),
        Ok("$order=score DESC,id")
    );
}

#[test]
fn what_a_dialect_orders_by_itself_needs_no_declaration_but_a_text_its_collation() {
    let columns: [TestColumn; 4] = [
        ("id", Type::Int8, &[]),
        ("name", Type::Text, &[]),
        ("day", Type::Date, &[("format", "%d.%m.%Y")]),
        ("none", Type::Int8, &[("sort", "none")]),
    ];
    let table = table(&[], &[("dialect", "postgrest")], &columns);
    let refusal = |key: WantedKey| order(&table, &[key]).unwrap_err();
    assert!(order(&table, &[up(0)]).is_ok());
    assert_eq!(
        refusal(up(1)),
        "how the API orders text is unknown: column \"name\" declares no collation"
    );
    assert_eq!(
        refusal(up(2)),
        "column \"day\" declares no sort, and the API may hold its format as text"
    );
    assert_eq!(refusal(up(3)), "column \"none\" declares sort 'none'");
}
