//! Lists of fields, and when whole rows are asked for instead.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::fields;
use crate::model::options::fixture::{TestColumn, table};
use crate::model::{Table, Type};
use crate::pushdown::RemoteQuery;
use crate::request::bind;

const ID: TestColumn = ("id", Type::Int8, &[]);
const LOGIN: TestColumn = ("login", Type::Text, &[("field", "user.login")]);
const NAME: TestColumn = ("full_name", Type::Text, &[("field", "/user/name")]);
const GUESSED: TestColumn = ("updated_at", Type::Text, &[]);
const WHOLE: TestColumn = ("row", Type::Json, &[("field", "$")]);
const ALL: &[TestColumn] = &[ID, LOGIN, NAME, GUESSED, WHOLE];

fn over(options: &[(&str, &str)], columns: &[TestColumn]) -> Table {
    let mut options = options.to_vec();
    options.push(("fields_param", "fields"));
    table(&[], &options, columns)
}

/// The list that is sent; `None` where whole rows are asked for.
fn sent(table: &Table, wanted: &[usize]) -> Option<String> {
    let query = RemoteQuery {
        fields: fields(table, wanted),
        ..RemoteQuery::default()
    };
    let inputs = bind(table, &query, &[]).unwrap().requests.remove(0);
    assert_eq!(query.fields.is_some(), !inputs.query.is_empty());
    let mut query = inputs.query.into_iter();
    query
        .find(|(name, _)| name == "fields")
        .map(|(_, list)| list)
}

#[test]
fn members_are_named_once_by_their_first_segment() {
    let table = over(&[], ALL);
    assert_eq!(sent(&table, &[0]).as_deref(), Some("id"));
    assert_eq!(sent(&table, &[0, 1, 2]).as_deref(), Some("id,user"));
}

#[test]
fn a_table_without_the_option_asks_for_whole_rows() {
    assert_eq!(fields(&table(&[], &[], ALL), &[0]), None);
}

#[test]
fn a_name_that_could_be_another_asks_for_whole_rows() {
    let table = over(&[], ALL);
    assert_eq!(sent(&table, &[0, 3]), None);
    let declared: TestColumn = ("updated_at", Type::Text, &[("field", "updated_at")]);
    let declared = over(&[], &[ID, declared]);
    assert_eq!(sent(&declared, &[0, 1]).as_deref(), Some("id,updated_at"));
}

#[test]
fn a_whole_row_and_a_name_with_a_comma_ask_for_whole_rows() {
    assert_eq!(sent(&over(&[], ALL), &[0, 4]), None);
    let comma: TestColumn = ("c", Type::Text, &[("field", "/a,b")]);
    assert_eq!(sent(&over(&[], &[ID, comma]), &[0, 1]), None);
}

#[test]
fn numbered_pages_stay_distinguishable_by_the_key() {
    let keyed = over(&[("pagination", "page"), ("key", "id")], ALL);
    assert_eq!(sent(&keyed, &[1]).as_deref(), Some("id,user"));
    assert_eq!(sent(&keyed, &[]).as_deref(), Some("id"));
    let unkeyed = over(&[("pagination", "page")], ALL);
    assert_eq!(sent(&unkeyed, &[1]), None);
}

#[test]
fn a_keyset_needs_its_cursor() {
    let options = [
        ("pagination", "keyset"),
        ("cursor_param", "after"),
        ("cursor_column", "id"),
    ];
    assert_eq!(sent(&over(&options, ALL), &[1]).as_deref(), Some("id,user"));
}

#[test]
fn rows_that_nobody_looks_into_are_asked_for_by_their_key_or_whole() {
    assert_eq!(
        sent(&over(&[("key", "id")], ALL), &[]).as_deref(),
        Some("id")
    );
    assert_eq!(
        sent(&over(&[("key", "id")], ALL), &[1]).as_deref(),
        Some("user")
    );
    assert_eq!(sent(&over(&[], ALL), &[]), None);
}

#[test]
fn inputs_and_the_keys_of_a_map_are_no_members() {
    let columns: [TestColumn; 3] = [
        (
            "owner",
            Type::Text,
            &[("param", "owner"), ("default", "me")],
        ),
        ("code", Type::Text, &[("field", "@key")]),
        ID,
    ];
    let map = over(&[("rows_shape", "map"), ("key", "owner, code")], &columns);
    assert_eq!(sent(&map, &[0, 1, 2]).as_deref(), Some("id"));
    assert_eq!(fields(&map, &[1]), None);
}

#[test]
fn rows_without_names_stay_whole() {
    let server = [("fields_param", "fields")];
    let lists = table(&server, &[("rows_shape", "arrays")], ALL);
    assert_eq!(fields(&lists, &[0]), None);
    let named = [("rows_shape", "arrays"), ("columns_field", "columns")];
    assert_eq!(fields(&table(&server, &named, ALL), &[0]), Some(vec![0]));
}
