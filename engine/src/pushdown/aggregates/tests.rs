//! Which aggregates are asked for, how, and of which conditions that is certain.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{
    Addends, AskedBy, Known, Source, Wish, WishedColumn, WishedResult, answer, certain, choose,
};
use crate::model::options::fixture::{TestColumn, table, try_table};
use crate::model::{Function, Location, Operator, Paging, RowsShape, Table, Type};
use crate::predicate::{Predicate, Semantics, Value};
use crate::pushdown::{RemoteQuery, plan};
use crate::request::{bind, build};
use serde_json::json;

const C: Semantics = Semantics {
    collation_is_c: true,
    deterministic: true,
};
const CASE_BLIND: Semantics = Semantics {
    collation_is_c: false,
    deterministic: false,
};

const ID: usize = 0;
const STATE: usize = 1;
const PRICE: usize = 2;
const AT: usize = 3;
const RATIO: usize = 4;
const DOC: usize = 5;

const COLUMNS: [TestColumn; 6] = [
    ("id", Type::Int4, &[]),
    ("state", Type::Text, &[]),
    ("price", Type::Numeric, &[]),
    ("at", Type::TimestampTz, &[]),
    ("ratio", Type::Float8, &[]),
    ("doc", Type::Json, &[]),
];

const ALL: (&str, &str) = ("aggregates", "count, min, max, sum, avg");

fn over(options: &[(&str, &str)]) -> Table {
    table(&[], options, &COLUMNS)
}

fn dialect(name: &str) -> Table {
    over(&[("dialect", name), ALL])
}

fn of(function: Function, column: usize) -> WishedResult {
    WishedResult {
        function,
        argument: Some(WishedColumn {
            column,
            semantics: C,
        }),
    }
}

const ROWS: WishedResult = WishedResult {
    function: Function::Count,
    argument: None,
};

fn wish(group: &[usize], results: &[WishedResult]) -> Wish {
    let group = group.iter().map(|column| WishedColumn {
        column: *column,
        semantics: C,
    });
    Wish {
        group: group.collect(),
        results: results.to_vec(),
    }
}

/// The request of an aggregate without conditions: its target, not encoded, and its headers beyond the usual.
fn request(table: &Table, wish: &Wish) -> String {
    let aggregate = choose(table, wish).unwrap();
    let answered = answer(table, &aggregate);
    let query = RemoteQuery {
        aggregate: Some(aggregate),
        ..RemoteQuery::default()
    };
    let mut bound = bind(table, &query, &[]).unwrap();
    let pager = crate::pagination::Pager::new(answered.into(), bound.requests.remove(0), None);
    let url = pager.unwrap().first().unwrap().url;
    let target = url.strip_prefix("https://api.test/v1").unwrap();
    percent_encoding::percent_decode_str(target)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[test]
fn counts_without_rows_come_first() {
    let declared = [
        ("dialect", "postgrest"),
        ALL,
        ("count_endpoint", "/items/count"),
    ];
    assert_eq!(
        request(&over(&declared), &wish(&[], &[ROWS])),
        "/items/count"
    );
    assert_eq!(
        request(&over(&declared[..2]), &wish(&[], &[ROWS, ROWS])),
        "/items?limit=1"
    );
    let total = [
        ("total_field", "meta.total"),
        ("exact_total", "on"),
        ("page_size_param", "size"),
        ("page_size", "50"),
        ("pagination", "page"),
    ];
    assert_eq!(request(&over(&total), &wish(&[], &[ROWS])), "/items?size=1");
    let found = choose(&over(&total[..1]), &wish(&[], &[ROWS])).unwrap_err();
    assert_eq!(
        found,
        "option \"aggregates\" of the table does not name count"
    );
}

#[test]
fn a_declared_total_is_read_where_it_is() {
    let header = over(&[("total_header", "X-Total"), ("exact_total", "on")]);
    let aggregate = choose(&header, &wish(&[], &[ROWS])).unwrap();
    assert_eq!(
        aggregate.by,
        AskedBy::Total(Location::Header("X-Total".to_owned()))
    );
    let answered = answer(&header, &aggregate);
    assert_eq!(answered.shape, RowsShape::Header("X-Total".to_owned()));
    assert_eq!(
        (answered.paging, answered.total_header),
        (Paging::None, None)
    );
    let body = answer(
        &dialect("odata"),
        &choose(&dialect("odata"), &wish(&[], &[ROWS])).unwrap(),
    );
    assert_eq!(body.shape, RowsShape::Single);
}

#[test]
fn each_dialect_has_its_spelling() {
    let several = wish(
        &[ID],
        &[ROWS, of(Function::Sum, ID), of(Function::Max, AT), ROWS],
    );
    assert_eq!(
        request(&dialect("postgrest"), &several),
        "/items?select=id,count_1:count(),sum_2:id.sum(),max_3:at.max()&order=id"
    );
    assert_eq!(
        request(&dialect("odata"), &several),
        "/items?$apply=groupby((id),aggregate($count as count_1,id with sum as sum_2,at with max as max_3))&$orderby=id"
    );
    assert_eq!(
        request(&dialect("sql"), &several),
        "/items?$group=id&$order=id&$select=id,count(*) AS count_1,sum(id) AS sum_2,max(at) AS max_3"
    );
}

#[test]
fn an_average_is_a_sum_and_a_count() {
    let average = wish(&[], &[of(Function::Avg, ID), of(Function::Count, ID)]);
    let aggregate = choose(&dialect("sql"), &average).unwrap();
    assert_eq!(
        aggregate.results,
        [
            Source::Quotient {
                sum: 0,
                count: 1,
                addends: None
            },
            Source::Count(1)
        ]
    );
    let types: Vec<Type> = answer(&dialect("sql"), &aggregate)
        .columns
        .into_iter()
        .map(|column| column.ty)
        .collect();
    assert_eq!(types, [Type::Int8, Type::Int8]);
}

#[test]
fn names_of_results_are_nobody_elses() {
    let columns: [TestColumn; 2] = [
        ("count_1", Type::Int4, &[]),
        ("x", Type::Int4, &[("field", "COUNT_2")]),
    ];
    let table = table(&[], &[("dialect", "sql"), ALL], &columns);
    assert_eq!(
        request(&table, &wish(&[0], &[ROWS, of(Function::Count, 1)])),
        "/items?$group=count_1&$order=count_1&$select=count_1,count(*) AS count_3,count(COUNT_2) AS count_4"
    );
}

#[test]
fn what_the_api_may_see_in_another_way_is_refused() {
    let refusal = |table: &Table, wish: &Wish| choose(table, wish).unwrap_err();
    let postgrest = dialect("postgrest");
    for (found, reason) in [
        (
            refusal(&postgrest, &wish(&[], &[of(Function::Sum, RATIO)])),
            "the API may not add the values of column \"ratio\" exactly",
        ),
        (
            refusal(&postgrest, &wish(&[], &[of(Function::Count, DOC)])),
            "the API may not know the NULLs of column \"doc\"",
        ),
        (
            refusal(&postgrest, &wish(&[], &[of(Function::Min, STATE)])),
            "column \"state\" does not declare collation 'C', and the API may order text in another way",
        ),
        (
            refusal(&postgrest, &wish(&[DOC], &[ROWS])),
            "JSON values cannot be compared by the API",
        ),
        (
            refusal(&postgrest, &wish(&[ID], &[])),
            "the query asks for groups only, not for aggregates",
        ),
        (
            refusal(&dialect("odata"), &wish(&[STATE], &[ROWS])),
            "the API may not tell all values of column \"state\" apart as SQL does",
        ),
        (
            refusal(&dialect("odata"), &wish(&[AT], &[ROWS])),
            "the API may not tell all values of column \"at\" apart as SQL does",
        ),
        (
            refusal(&dialect("odata"), &wish(&[], &[of(Function::Count, ID)])),
            "OData counts rows, not the values of a column; declare the column NOT NULL if it is",
        ),
        (
            refusal(
                &over(&[("dialect", "sql"), ("aggregates", "sum")]),
                &wish(&[], &[of(Function::Avg, ID)]),
            ),
            "option \"aggregates\" of the table does not name count",
        ),
    ] {
        assert_eq!(found, reason);
    }
    assert!(
        refusal(&dialect("odata"), &wish(&[PRICE], &[ROWS])).contains("declare filter '= exact'")
    );
    let blind = Wish {
        group: vec![WishedColumn {
            column: STATE,
            semantics: CASE_BLIND,
        }],
        results: vec![ROWS],
    };
    assert_eq!(
        refusal(&postgrest, &blind),
        "equality is not byte by byte under this collation"
    );
}

#[test]
fn constant_parameters_that_are_about_rows_are_left_alone() {
    for (name, parameter) in [
        ("postgrest", "select"),
        ("postgrest", "limit"),
        ("odata", "$filter"),
        ("odata", "$expand"),
        ("sql", "$limit"),
    ] {
        let query = format!("{{\"{parameter}\": \"x\"}}");
        let table = over(&[("dialect", name), ALL, ("query", &query)]);
        let found = choose(&table, &wish(&[ID], &[ROWS])).unwrap_err();
        assert_eq!(
            found,
            format!("the constant parameter \"{parameter}\" is about rows")
        );
    }
}

#[test]
fn a_body_that_was_written_for_rows_is_left_alone() {
    let body = ("body", "{\"limit\": 10, \"where\": {{ filter | tojson }}}");
    let declared = [("dialect", "odata"), ALL, ("method", "POST"), body];
    let found = choose(&over(&declared), &wish(&[], &[ROWS])).unwrap_err();
    assert_eq!(found, "the table's body was written for rows");
    let statement = [
        ("dialect", "sql"),
        ALL,
        ("method", "POST"),
        ("filter_param", "query"),
        ("filter_template", "SELECT {columns} FROM t{where}"),
        ("body", "{\"query\": {{ params.query | tojson }}}"),
    ];
    assert!(choose(&over(&statement), &wish(&[], &[ROWS])).is_ok());
}

const DECLARED: [TestColumn; 6] = [
    (
        "id",
        Type::Int4,
        &[("filter", "= exact, <= exact, is_not_null exact")],
    ),
    (
        "state",
        Type::Text,
        &[("filter", "= state.keyword exact, is_not_null exact")],
    ),
    (
        "price",
        Type::Numeric,
        &[("filter", "= exact, <= exact, is_not_null exact")],
    ),
    (
        "at",
        Type::TimestampTz,
        &[("filter", "= exact, <= exact, is_not_null exact")],
    ),
    (
        "big",
        Type::Int8,
        &[("filter", "= exact, <= exact, is_not_null exact")],
    ),
    ("level", Type::Int2, &[("filter", "<= exact")]),
];
const BIG: usize = 4;
const LEVEL: usize = 5;

fn elasticsearch(options: &[(&str, &str)]) -> Table {
    let own = [
        ("dialect", "json elasticsearch"),
        ("method", "POST"),
        ("rows", "hits.hits"),
        ALL,
    ];
    table(&[], &[&own, options].concat(), &DECLARED)
}

fn directus(options: &[(&str, &str)]) -> Table {
    let own = [("dialect", "json"), ("rows", "data"), ALL];
    table(&[], &[&own, options].concat(), &DECLARED)
}

/// The body of an aggregate without conditions.
fn body(table: &Table, wish: &Wish) -> serde_json::Value {
    let aggregate = choose(table, wish).unwrap();
    let answered = answer(table, &aggregate);
    let query = RemoteQuery {
        aggregate: Some(aggregate),
        ..RemoteQuery::default()
    };
    let mut bound = bind(table, &query, &[]).unwrap();
    let pager = crate::pagination::Pager::new(answered.into(), bound.requests.remove(0), None);
    serde_json::from_str(&pager.unwrap().first().unwrap().body.unwrap()).unwrap()
}

#[test]
fn elasticsearch_aggregates_in_composite_buckets() {
    let table = elasticsearch(&[]);
    let several = wish(
        &[STATE],
        &[ROWS, of(Function::Max, ID), of(Function::Count, STATE)],
    );
    let terms = json!({"field": "state.keyword", "missing_bucket": true});
    assert_eq!(
        body(&table, &several),
        json!({"size": 0, "aggs": {"groups": {
            "composite": {"size": 1000, "sources": [{"state": {"terms": terms}}]},
            "aggs": {"max_2": {"max": {"field": "id"}}, "count_3": {"filter": {"exists": {"field": "state"}}}},
        }}})
    );
    let answered = answer(&table, &choose(&table, &several).unwrap());
    let groups = ["aggregations", "groups", "after_key"].map(str::to_owned);
    assert_eq!(
        answered.paging,
        Paging::AfterKey {
            param: "aggs.groups.composite.after".to_owned(),
            at: groups.to_vec(),
            members: vec!["state".to_owned()],
        }
    );
    assert_eq!(
        body(&table, &wish(&[], &[ROWS, of(Function::Min, LEVEL)])),
        json!({"size": 0, "track_total_hits": true, "aggs": {"min_2": {"min": {"field": "level"}}}})
    );
    assert_eq!(
        body(&table, &wish(&[], &[ROWS])),
        json!({"size": 0, "track_total_hits": true})
    );
}

#[test]
fn directus_names_results_by_their_function_and_field() {
    let table = directus(&[]);
    assert_eq!(
        request(
            &table,
            &wish(
                &[STATE],
                &[ROWS, of(Function::Max, ID), of(Function::Min, ID)]
            )
        ),
        "/items?aggregate[count]=*&aggregate[max]=id&aggregate[min]=id&groupBy[]=state&sort=state&limit=-1"
    );
    let paged = directus(&[
        ("pagination", "offset"),
        ("page_size_param", "limit"),
        ("page_size", "50"),
    ]);
    assert_eq!(
        request(&paged, &wish(&[STATE, ID], &[ROWS])),
        "/items?aggregate[count]=*&groupBy[]=state&groupBy[]=id&sort=state,id&limit=50&offset=0"
    );
    let of_rows = directus(&[("page_size_param", "limit"), ("page_size", "50")]);
    assert_eq!(
        request(&of_rows, &wish(&[ID], &[ROWS])),
        "/items?aggregate[count]=*&groupBy[]=id&sort=id&limit=-1"
    );
    let both = wish(&[], &[ROWS, of(Function::Count, ID)]);
    assert_eq!(
        choose(&table, &both).unwrap_err(),
        "Directus counts rows beside values by a field only, and no column is NOT NULL"
    );
}

#[test]
fn a_sum_of_doubles_comes_with_what_tells_whether_it_is_exact() {
    let table = elasticsearch(&[]);
    let aggregate = choose(&table, &wish(&[], &[of(Function::Sum, LEVEL)])).unwrap();
    let addends = Addends {
        count: 1,
        least: 2,
        most: 3,
    };
    assert_eq!(aggregate.results, [Source::Sum { sum: 0, addends }]);
    let names: Vec<&str> = aggregate
        .calls
        .iter()
        .map(|call| call.name.as_str())
        .collect();
    assert_eq!(names, ["sum_1", "count_2", "min_3", "max_4"]);
    assert_eq!(
        request(&directus(&[]), &wish(&[], &[of(Function::Avg, ID)])),
        "/items?aggregate[sum]=id&aggregate[count]=id&aggregate[min]=id&aggregate[max]=id"
    );
}

#[test]
fn what_doubles_and_keys_of_groups_cannot_hold_stays_here() {
    let refusal = |table: &Table, wish: &Wish| choose(table, wish).unwrap_err();
    let of_both = [elasticsearch(&[]), directus(&[])];
    for table in &of_both {
        for column in [BIG, PRICE] {
            for function in [Function::Sum, Function::Avg] {
                let found = refusal(table, &wish(&[], &[of(function, column)]));
                assert!(found.contains("may not add the values"), "{found}");
            }
        }
        let found = refusal(table, &wish(&[AT], &[ROWS]));
        assert!(found.contains("in another way"), "{found}");
        refusal(table, &wish(&[], &[of(Function::Max, AT)]));
    }
    for column in [BIG, PRICE] {
        let extreme = wish(&[], &[of(Function::Max, column)]);
        let found = refusal(&of_both[0], &extreme);
        assert!(found.contains("gives extremes as doubles"), "{found}");
        assert!(choose(&of_both[1], &extreme).is_ok());
    }
    let by_get = table(
        &[],
        &[
            ("dialect", "json elasticsearch"),
            ("rows", "hits.hits"),
            ALL,
        ],
        &DECLARED,
    );
    assert_eq!(
        refusal(&by_get, &wish(&[ID], &[ROWS])),
        "aggregations go into a body; set option method 'POST'"
    );
    let constant = [("query", "{\"limit\": \"10\"}")];
    assert_eq!(
        refusal(&directus(&constant), &wish(&[ID], &[ROWS])),
        "the constant parameter \"limit\" is about rows"
    );
    let all = [("query", "{\"limit\": \"-1\"}")];
    assert!(choose(&directus(&all), &wish(&[ID], &[ROWS])).is_ok());
}

/// Whether `column OPERATOR operand` is certain to be sent.
fn certainty(table: &Table, column: usize, operator: Operator, known: Known) -> Result<(), String> {
    let predicate = Predicate::Compare {
        column,
        operator,
        operand: 0,
        semantics: C,
    };
    let constant = match &known {
        Known::Value(value) => Some(value.clone()),
        Known::Type(_) => None,
    };
    let pushdown = plan(table, &[predicate], &[constant], true);
    assert!(!pushdown.sent.is_empty(), "{:?}", pushdown.verdicts);
    certain(table, &pushdown.sent, &[known])
}

#[test]
fn what_comes_later_must_be_sendable_whatever_it_is() {
    use Operator::{Eq, Ge, In, Like, Ne};
    let postgrest = dialect("postgrest");
    let certain =
        |column, operator, ty| certainty(&postgrest, column, operator, Known::Type(ty)).is_ok();
    assert!(certain(ID, Ge, Type::Int4));
    assert!(
        !certain(ID, Ge, Type::Int8),
        "the API may have no such value"
    );
    assert!(certain(ID, Eq, Type::Int8), "no row has such a value");
    assert!(certain(STATE, Eq, Type::Text));
    assert!(certain(STATE, Ne, Type::Text));
    assert!(!certain(ID, Eq, Type::Numeric), "1.5 is no integer");
    assert!(!certain(PRICE, Eq, Type::Numeric), "NaN is no JSON");
    assert!(!certain(AT, Eq, Type::TimestampTz), "infinity is no time");
    assert!(!certain(STATE, Like, Type::Text), "* is a wildcard");
    assert!(!certain(ID, In, Type::Array(Box::new(Type::Int4))));
    let sql = dialect("sql");
    let found = certainty(&sql, STATE, Eq, Known::Type(Type::Text)).unwrap_err();
    assert!(found.contains("backslash"), "{found}");
    let known =
        |value: &str| certainty(&sql, STATE, Eq, Known::Value(Value::Text(value.to_owned())));
    assert_eq!(known("it's"), Ok(()));
}

#[test]
fn a_list_is_certain_where_it_stays_one_request() {
    let list = |count: i64| Known::Value(Value::List((0..count).map(Value::Int).collect()));
    let table = over(&[("dialect", "postgrest"), ALL, ("max_list_size", "3")]);
    assert_eq!(certainty(&table, ID, Operator::In, list(3)), Ok(()));
    assert_eq!(certainty(&table, ID, Operator::In, list(0)), Ok(()));
    assert_eq!(
        certainty(&table, ID, Operator::In, list(4)),
        Err("a list becomes several requests".to_owned())
    );
}

/// Values that come later may all be different, and texts of any length.
#[test]
fn a_list_of_values_that_come_later_is_certain_where_it_fits_whatever_they_are() {
    let of = |table: &Table, column: usize, types: &[Type]| {
        let equal = |operand| Predicate::Compare {
            column,
            operator: Operator::Eq,
            operand,
            semantics: C,
        };
        let either = Predicate::Or((0..types.len()).map(equal).collect());
        let constants = vec![None; types.len()];
        let sent = plan(table, &[either], &constants, true).sent;
        let known: Vec<Known> = types.iter().cloned().map(Known::Type).collect();
        certain(table, &sent, &known)
    };
    let table = over(&[("dialect", "postgrest"), ALL, ("max_list_size", "3")]);
    let several = Err("a list becomes several requests".to_owned());
    for ty in [Type::Int4, Type::Int2] {
        assert_eq!(
            of(&table, ID, &[ty.clone(), ty.clone(), ty.clone()]),
            Ok(())
        );
        assert_eq!(
            of(&table, ID, &[ty.clone(), ty.clone(), ty.clone(), ty]),
            several
        );
    }
    assert_eq!(of(&table, STATE, &[Type::Text, Type::Text]), several);
    assert_eq!(of(&table, STATE, &[Type::Text]), Ok(()));
}

#[test]
fn headers_and_paths_are_those_of_the_rows() {
    let columns: [TestColumn; 2] = [("owner", Type::Text, &[]), ("id", Type::Int4, &[])];
    let options = [
        ("endpoint", "/of/{owner}/items"),
        ("count_endpoint", "/of/{owner}/count"),
    ];
    let table = table(&[], &options, &columns);
    let aggregate = choose(&table, &wish(&[], &[ROWS])).unwrap();
    let inputs = crate::request::Inputs {
        path: vec![("owner".to_owned(), "a b".to_owned())],
        ..Default::default()
    };
    let built = build(&answer(&table, &aggregate), &inputs, &[]).unwrap();
    assert_eq!(built.url, "https://api.test/v1/of/a%20b/count");
    let lacking = [options[0], ("count_endpoint", "/count")];
    let found = try_table(&[], &lacking, &columns).unwrap_err();
    assert_eq!(
        found.message,
        "option \"count_endpoint\" lacks {owner}, which \"endpoint\" has"
    );
}
