//! Options as anybody may write them: refused with a message, or a table from which requests can be made.
#![no_main]

use fuzz::{own_url, table};
use libfuzzer_sys::fuzz_target;
use rest_engine::model::Type;
use rest_engine::model::options::{Level, validate};
use rest_engine::pagination::Pager;
use rest_engine::request::Inputs;
use std::sync::Arc;

/// Lines of `LEVEL name=value`; the level is `s`, `u`, `t` or `c`. An option is given once.
fn given<'a>(lines: &'a str, level: &str) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for line in lines.split('\n') {
        let option = line.split_once(' ').filter(|(other, _)| *other == level);
        let Some((name, value)) = option.and_then(|(_, option)| option.split_once('=')) else {
            continue;
        };
        if pairs.iter().all(|(other, _)| *other != name) {
            pairs.push((name, value));
        }
    }
    pairs
}

fn is_valid(level: Level, pairs: &[(&str, &str)]) -> bool {
    let owned: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    match validate(level, &owned, false) {
        Ok(()) => true,
        Err(error) => {
            assert!(!error.message.is_empty());
            false
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(lines) = std::str::from_utf8(data) else {
        return;
    };
    // No text of PostgreSQL has a NUL.
    let lines = lines.replace('\0', "");
    is_valid(Level::Server, &given(&lines, "s"));
    is_valid(Level::UserMapping, &given(&lines, "u"));
    let mut own = given(&lines, "t");
    if own.iter().all(|(name, _)| *name != "endpoint") {
        own.push(("endpoint", "/items/{id}"));
    }
    let column = given(&lines, "c");
    let are_valid = [
        is_valid(Level::Table, &own),
        is_valid(Level::Column, &column),
    ];
    if are_valid.contains(&false) {
        return;
    }
    let columns = [
        ("id", Type::Int8, [].as_slice()),
        ("a", Type::Text, column.as_slice()),
    ];
    let Ok(table) = table(&own, &columns) else {
        return;
    };
    let inputs = Inputs {
        path: vec![
            ("id".to_owned(), "7".to_owned()),
            ("a".to_owned(), "x".to_owned()),
        ],
        query: vec![("q".to_owned(), "v".to_owned())],
        ..Inputs::default()
    };
    let pager = Pager::new(Arc::new(table), inputs, Some(3));
    if let Ok(request) = pager.and_then(|pager| pager.first()) {
        own_url(&request.url);
        let _ = request.redacted();
    }
});
