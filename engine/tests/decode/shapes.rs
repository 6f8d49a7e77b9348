//! Where the rows are, what they look like, and what is kept of the rest.

use crate::harness::*;
use rest_engine::Error;
use rest_engine::decode::{Layout, RowPlan, Scalar};
use rest_engine::model::{FieldPath, RowsPath, RowsShape, Type};

fn objects(rows: &str) -> Layout {
    layout(rows, RowsShape::Objects)
}

fn ids(values: &[i64]) -> Vec<Vec<Plain>> {
    values
        .iter()
        .map(|value| vec![Plain::Int(*value)])
        .collect()
}

fn id() -> Vec<rest_engine::decode::Wanted> {
    vec![named("id", Type::Int4)]
}

#[test]
fn rows_are_found_at_their_path() {
    for (body, at) in [
        (r#"[{"id":1},{"id":2}]"#, ""),
        (
            r#" { "x" : [ 1 ] , "data" : { "y":{}, "items" : [ {"id":1} , { "id" : 2 } ] , "z" : [] } } "#,
            "data.items",
        ),
        (
            r#"{"sets":[{"rows":[]},{"rows":[{"id":1},{"id":2}]}]}"#,
            "sets.1.rows",
        ),
        (r#"{"\u0064ata":[{"\u0069d":1},{"i\u0064":2}]}"#, "data"),
        ("\u{feff}[{\"id\":1},{\"id\":2}]\n", ""),
        (
            r#"{"a":{"data":[{"id":9}]},"data":[{"id":1},{"id":2}]}"#,
            "data",
        ),
    ] {
        assert_eq!(rows(body, id(), &objects(at)), ids(&[1, 2]), "{body}");
    }
    for (body, at) in [
        ("[]", ""),
        ("null", ""),
        (r#"{"data":null}"#, "data"),
        (r#"{"data":[ ]}"#, "data"),
    ] {
        assert_eq!(rows(body, id(), &objects(at)), ids(&[]), "{body}");
    }
}

#[test]
fn where_rows_may_be_missing_a_response_without_them_has_none() {
    let optional = |shape| Layout {
        rows: RowsPath::Optional(segments("data.items")),
        ..layout("", shape)
    };
    let objects = optional(RowsShape::Objects);
    for (body, expected) in [
        (r#"{"data":{"items":[{"id":1},{"id":2}]}}"#, &[1, 2][..]),
        (r#"{"data":{"items":[]}}"#, &[]),
        (r#"{"data":{"items":null}}"#, &[]),
        (r#"{"items":[{"id":1}],"data":{"count":0}}"#, &[]),
        (r#"{"data":{}}"#, &[]),
    ] {
        assert_eq!(rows(body, id(), &objects), ids(expected), "{body}");
    }
    let none = r#"{"data":{}}"#;
    for shape in [RowsShape::Map, RowsShape::Values, RowsShape::Single] {
        assert_eq!(rows(none, id(), &optional(shape)), ids(&[]));
    }
    // What is another answer than one without rows stays an error.
    for (body, reason) in [
        (
            r#"{"error":"no"}"#,
            "there is no \"data.items\": the document is an object with members \"error\"",
        ),
        (
            r#"{"data":null}"#,
            "there is no \"data.items\": \"data\" is null",
        ),
        (
            r#"{"data":[]}"#,
            "there is no \"data.items\": \"data\" is an array",
        ),
        (
            r#"{"data":{"items":{}}}"#,
            "\"data.items\" is an object, not an array: set rows to an array, or rows_shape 'single' or 'map'",
        ),
    ] {
        match error(body.as_bytes(), id(), &objects) {
            Error::Rows { reason: found, .. } => assert_eq!(found, reason, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn rows_are_found_automatically_where_there_is_one_array_of_objects() {
    for (body, at) in [
        (r#"[{"id":1}]"#, vec![]),
        (
            r#"{"data":[{"id":1}],"tags":["a"],"bbox":[1,2],"none":[]}"#,
            vec!["data"],
        ),
        (
            r#"{"none":[],"data":{"items":[{"id":1}]}}"#,
            vec!["data", "items"],
        ),
        (
            r#"{"deep":{"er":{"still":[{"id":2}]}},"data":[{"id":1,"inner":[{"id":3}]}]}"#,
            vec!["data"],
        ),
        (r#"{"list":[[{"id":3}]],"data":[{"id":1}]}"#, vec!["data"]),
    ] {
        let (found, end) = decode(body.as_bytes(), id(), &objects("auto")).unwrap();
        assert_eq!(found, ids(&[1]), "{body}");
        assert_eq!(
            end.rows_at,
            Some(at.iter().map(|name| (*name).to_owned()).collect()),
            "{body}"
        );
    }
    for (body, at) in [
        (r#"{"data":[]}"#, Some(vec!["data".to_owned()])),
        (r#"{"a":[],"b":[]}"#, None),
        ("[]", Some(vec![])),
    ] {
        let (found, end) = decode(body.as_bytes(), id(), &objects("auto")).unwrap();
        assert_eq!((found, end.rows_at), (ids(&[]), at), "{body}");
    }
}

#[test]
fn columns_share_prefixes_and_reach_into_arrays() {
    let wanted = vec![
        pathed("user", Type::Json),
        pathed("user.login", Type::Text),
        pathed("user.id", Type::Int8),
        pathed("geometry.coordinates.1", Type::Float8),
        pathed("geometry.coordinates", Type::Array(Box::new(Type::Float8))),
        at("row", FieldPath::Whole, Type::Json),
    ];
    let row =
        r#"{"user": {"login":"a\n", "id":7, "x":[{}]}, "geometry":{"coordinates":[1.5,-2,0]}}"#;
    let coordinates = [1.5, -2.0, 0.0].map(Plain::Float).to_vec();
    let expected = vec![
        text(r#"{"login":"a\n", "id":7, "x":[{}]}"#),
        text("a\n"),
        Plain::Int(7),
        Plain::Float(-2.0),
        Plain::List(coordinates),
        text(row),
    ];
    assert_eq!(rows(&format!("[{row}]"), wanted, &objects("")), [expected]);
}

#[test]
fn what_is_not_there_is_null() {
    let wanted = vec![
        pathed("a.b", Type::Int4),
        pathed("c.0", Type::Int4),
        named("d", Type::Text),
    ];
    for body in [
        r#"[{}]"#,
        r#"[{"a":1,"c":{"1":1}}]"#,
        r#"[{"a":null,"c":[],"d":null}]"#,
        r#"[{"a":[{"b":1}],"c":"x"}]"#,
    ] {
        assert_eq!(
            rows(body, wanted.clone(), &objects("")),
            [[Plain::Null, Plain::Null, Plain::Null]],
            "{body}"
        );
    }
}

#[test]
fn the_exact_name_wins_over_its_camel_case_form() {
    let wanted = || vec![named("created_at", Type::Int4)];
    for (body, expected) in [
        (r#"[{"createdAt":1}]"#, Plain::Int(1)),
        (r#"[{"createdAt":1,"created_at":2}]"#, Plain::Int(2)),
        (r#"[{"created_at":2,"createdAt":1}]"#, Plain::Int(2)),
        (r#"[{"created_at":null,"createdAt":1}]"#, Plain::Null),
        (r#"[{"CreatedAt":1}]"#, Plain::Null),
    ] {
        assert_eq!(rows(body, wanted(), &objects("")), [[expected]], "{body}");
    }
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    let wanted = vec![
        named("a", Type::Int2),
        pathed("u.x", Type::Int4),
        pathed("u.y", Type::Int4),
    ];
    let body = r#"[{"a":99999,"u":{"x":1},"a":2,"u":{"y":2}},{"u":{"x":1,"x":3,"y":4},"a":1},{"u":{"x":1},"u":5}]"#;
    let int = Plain::Int;
    let expected = [
        [int(2), Plain::Null, int(2)],
        [int(1), int(3), int(4)],
        [Plain::Null, Plain::Null, Plain::Null],
    ];
    assert_eq!(rows(body, wanted, &objects("")), expected);
}

#[test]
fn members_in_any_order_and_number_are_found() {
    let wanted = vec![
        named("a", Type::Int4),
        named("b", Type::Int4),
        named("c", Type::Int4),
    ];
    let body = r#"[{"a":1,"b":2,"c":3},{"c":3,"a":1,"b":2},{"x":0,"b":2,"y":0,"c":3,"a":1},{"c":3},{"a":1,"z":{"a":9},"c":3},{"a":1,"b":2,"c":3},{ "a" :1,"b": 2,"c":3}]"#;
    let found = rows(body, wanted, &objects(""));
    let row = |values: [i64; 3]| {
        values
            .map(|value| {
                if value == 0 {
                    Plain::Null
                } else {
                    Plain::Int(value)
                }
            })
            .to_vec()
    };
    let all = row([1, 2, 3]);
    assert_eq!(
        found,
        [
            all.clone(),
            all.clone(),
            all.clone(),
            row([0, 0, 3]),
            row([1, 0, 3]),
            all.clone(),
            all
        ]
    );
}

#[test]
fn arrays_take_names_from_the_response_or_go_by_position() {
    let named_shape = RowsShape::Arrays {
        columns_field: Some(segments("meta.columns")),
    };
    let wanted = || {
        vec![
            named("user_id", Type::Int4),
            pathed("place.city", Type::Text),
            named("absent", Type::Text),
        ]
    };
    for columns in [
        r#"["place","userId","x"]"#,
        r#"[{"name":"place","type":"t"},{"name":"userId"},{"name":"x"}]"#,
    ] {
        let body = format!(
            r#"{{"meta":{{"columns":{columns}}},"data":[[{{"city":"Rome"}},5,[]],[null,6],[]]}}"#
        );
        let found = rows(&body, wanted(), &layout("data", named_shape.clone()));
        let expected = [
            [Plain::Int(5), text("Rome"), Plain::Null],
            [Plain::Int(6), Plain::Null, Plain::Null],
            [Plain::Null, Plain::Null, Plain::Null],
        ];
        assert_eq!(found, expected);
    }
    let mut by_position = vec![
        named("b", Type::Text),
        named("a", Type::Int4),
        pathed("1", Type::Text),
    ];
    (by_position[0].position, by_position[1].position) = (Some(1), Some(0));
    let found = rows(
        r#"[[1,"x"],[2]]"#,
        by_position,
        &layout(
            "",
            RowsShape::Arrays {
                columns_field: None,
            },
        ),
    );
    assert_eq!(
        found,
        [
            [text("x"), Plain::Int(1), text("x")],
            [Plain::Null, Plain::Int(2), Plain::Null]
        ]
    );
}

#[test]
fn maps_values_and_single_documents() {
    let map = vec![
        at("code", FieldPath::Key, Type::Text),
        pathed("rate", Type::Float8),
        at("all", FieldPath::Whole, Type::Json),
    ];
    let body = r#"{"rates":{"E\"UR":{"rate":1.5},"é": {"x":[]} }}"#;
    let expected = [
        [text("E\"UR"), Plain::Float(1.5), text(r#"{"rate":1.5}"#)],
        [text("é"), Plain::Null, text(r#"{"x":[]}"#)],
    ];
    assert_eq!(rows(body, map, &layout("rates", RowsShape::Map)), expected);
    assert!(rows("{}", id(), &layout("", RowsShape::Map)).is_empty());

    let plain_map = vec![
        at("code", FieldPath::Key, Type::Text),
        at("rate", FieldPath::Whole, Type::Float8),
    ];
    assert_eq!(
        rows(
            r#"{"EUR":1.5,"USD":null}"#,
            plain_map,
            &layout("auto", RowsShape::Map)
        ),
        [[text("EUR"), Plain::Float(1.5)], [text("USD"), Plain::Null]]
    );

    let value = || vec![at("v", FieldPath::Whole, Type::Text)];
    let found = rows(
        "{\"tags\":[\"a\",12,null,true]}",
        value(),
        &layout("tags", RowsShape::Values),
    );
    assert_eq!(
        found,
        [[text("a")], [text("12")], [Plain::Null], [text("true")]]
    );

    assert_eq!(
        rows(
            r#"{"id":4,"x":[{"id":5}]}"#,
            id(),
            &layout("auto", RowsShape::Single)
        ),
        ids(&[4])
    );
    assert_eq!(
        rows(r#"{"it":{"id":4}}"#, id(), &layout("it", RowsShape::Single)),
        ids(&[4])
    );
    assert_eq!(
        rows(r#"{"it":null}"#, id(), &layout("it", RowsShape::Single)),
        ids(&[])
    );
    assert_eq!(
        rows("12", value(), &layout("auto", RowsShape::Single)),
        [[text("12")]]
    );
}

#[test]
fn a_row_without_wanted_columns_still_counts() {
    let body = r#"[{"a":1},{},{"b":[{}]}]"#;
    assert_eq!(
        rows(body, vec![], &objects("auto")),
        [vec![], vec![], vec![]] as [Vec<Plain>; 3]
    );
}

#[test]
fn the_envelope_keeps_scalars_around_the_rows() {
    let body = r#"{"meta":{"total":12.50,"page":{"next":"a\/b\u00e9","deep":{"er":1}}},"rows":[{"id":1,"total":9}],
        "links":[{"rel":"x"},{"rel":"next"}],"more":true,"cursor":null,"more":false}"#;
    let mut layout = objects("rows");
    layout.envelope = vec![segments("meta.page.deep.er")];
    let (_, end) = decode(body.as_bytes(), id(), &layout).unwrap();
    let get = |path: &str| end.envelope.get(&segments(path)).cloned();
    assert_eq!(get("meta.total"), Some(Scalar::Number("12.50".to_owned())));
    assert_eq!(get("meta.page.next"), Some(Scalar::Text("a/bé".to_owned())));
    assert_eq!(
        get("meta.page.deep.er"),
        Some(Scalar::Number("1".to_owned()))
    );
    assert_eq!(get("links.1.rel"), Some(Scalar::Text("next".to_owned())));
    assert_eq!(get("more"), Some(Scalar::Bool(false)));
    assert_eq!(get("cursor"), Some(Scalar::Null));
    assert_eq!(get("rows.0.total"), None);
    assert_eq!((end.rows, end.rows_at), (1, None));
    let (_, end) = decode(body.as_bytes(), id(), &objects("rows")).unwrap();
    assert_eq!(end.envelope.get(&segments("meta.page.deep.er")), None);
}

#[test]
fn the_envelope_is_bounded() {
    let kept = "k".repeat(64 << 10);
    let dropped = "d".repeat((64 << 10) + 1);
    let many: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    let long = "w".repeat(1 << 20);
    let body = format!(
        r#"{{"kept":"{kept}","dropped":"{dropped}","next":"{long}","{long}x":{{"a":1}},"rows":[],"many":[{}],"last":"z"}}"#,
        many.join(",")
    );
    let mut layout = objects("rows");
    layout.envelope = vec![segments("next"), segments("last")];
    let (_, end) = decode(body.as_bytes(), id(), &layout).unwrap();
    let length = |path: &str| match end.envelope.get(&segments(path)) {
        Some(Scalar::Text(text)) => Some(text.len()),
        _ => None,
    };
    assert_eq!(
        (length("kept"), length("dropped"), length("next")),
        (Some(64 << 10), None, Some(1 << 20))
    );
    assert_eq!(
        length("last"),
        Some(1),
        "what is wanted is kept beyond the bound"
    );
    assert_eq!(end.envelope.iter().count(), 4096 + 2);
}

#[test]
fn of_a_single_row_the_envelope_keeps_only_what_is_wanted() {
    let mut layout = layout("", RowsShape::Single);
    layout.envelope = vec![segments("page.next")];
    let (_, end) = decode(br#"{"id":1,"total":40,"page":{"next":"x"}}"#, id(), &layout).unwrap();
    let kept: Vec<_> = end.envelope.iter().collect();
    assert_eq!(
        kept,
        [(
            segments("page.next").as_slice(),
            &Scalar::Text("x".to_owned())
        )]
    );
}

#[test]
fn the_last_rows_key_is_known() {
    for (body, expected) in [
        (r#"[{"k":"a"},{"k":"b\u00e9"}]"#, Some("bé")),
        (
            r#"[{"k":1},{"k":12345678901234567890}]"#,
            Some("12345678901234567890"),
        ),
        (r#"[{"k":"a"},{}]"#, None),
        ("[]", None),
    ] {
        let plan = RowPlan::new(id(), Some(FieldPath::Default("k".to_owned())));
        let mut sink = Collected::default();
        let end = decode_into(
            body.as_bytes(),
            &[1],
            &plan,
            &objects(""),
            &mut Default::default(),
            &mut sink,
        )
        .unwrap();
        assert_eq!(end.last_key.as_deref(), expected, "{body}");
    }
}
