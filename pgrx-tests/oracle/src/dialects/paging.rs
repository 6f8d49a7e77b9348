//! How are pages cut, and how is that declared?

use super::Service;
use crate::random::Random;
use serde_json::{Map, Value, json};

/// A way of cutting pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    None,
    Link,
    NextUrl,
    Cursor,
    Page,
    Offset,
}

/// All of them.
pub(super) const ALL: &[Style] = &[
    Style::None,
    Style::Link,
    Style::NextUrl,
    Style::Cursor,
    Style::Page,
    Style::Offset,
];

/// Draws one of some styles, with a size, a cap and totals. Rows stand in `data` or at the top.
pub(super) fn draw(random: &mut Random, service: &mut Service, styles: &[Style]) {
    draw_in(random, service, styles, false);
}

/// The same where all rows of the dialect stand in `data`.
pub(super) fn draw_in(
    random: &mut Random,
    service: &mut Service,
    styles: &[Style],
    always_nested: bool,
) {
    let style = *random.pick(styles);
    let mut paging = Map::new();
    let mut set = |key: &str, value: Value| paging.insert(key.to_owned(), value);
    let nested =
        always_nested || matches!(style, Style::NextUrl | Style::Cursor) || random.percent(30);
    if nested {
        service.serve("shape", json!({"path": "data", "as": "array"}));
        service.table("rows", "data");
    }
    set("style", style_name(style).into());
    service.table("pagination", style_name(style));
    if style == Style::None {
        service.serve("paging", Value::Object(paging));
        return;
    }
    sizes(random, service, &mut set);
    match style {
        Style::NextUrl => service.table("next_url_field", "next"),
        Style::Cursor => {
            service.table("cursor_param", "cursor");
            service.table("cursor_field", "meta.next_cursor");
        }
        _ => {}
    }
    if matches!(style, Style::Page | Style::Offset) && random.percent(50) {
        if nested {
            set("total_field", "total".into());
            service.table("total_field", "total");
        } else {
            set("total_header", "X-Total-Count".into());
            service.table("total_header", "X-Total-Count");
        }
    }
    service.serve("paging", Value::Object(paging));
}

/// Draws how long pages are, and how long they may be asked to be.
fn sizes(
    random: &mut Random,
    service: &mut Service,
    set: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    let size: usize = random.weighted(&[(1, 1), (2, 2), (5, 10), (7, 20), (20, 40), (50, 40)]);
    set("page_size", size.into());
    set("max_page_size", (*random.pick(&[size, size, 50])).into());
    if random.percent(70) {
        set("size_param", "per_page".into());
        let wanted = random.weighted(&[(1, 1), (3, 4), (7, 20), (20, 40), (50, 40)]);
        service.table("page_size_param", "per_page");
        service.table("page_size", wanted.to_string());
    }
}

/// Pages by the dialect's own parameters for an offset and a size, and perhaps a cap that the API does not tell.
pub(super) fn own_offset(random: &mut Random, service: &mut Service, offset: &str, size: &str) {
    service.table("pagination", "offset");
    service.table("offset_param", offset);
    service.table("page_size_param", size);
    service.table(
        "page_size",
        random.weighted(&[("1", 1), ("3", 4), ("7", 20), ("20", 40), ("50", 40)]),
    );
    cap(random, service);
}

/// Pages by number under the route's own parameters.
pub(super) fn numbered(random: &mut Random, service: &mut Service, page: &str, size: &str) {
    service.table("pagination", "page");
    service.table("page_param", page);
    service.table("page_size_param", size);
    service.table("page_size", *random.pick(&["3", "7", "20", "50"]));
    let most = *random.pick(&[5, 50]);
    service.serve("paging", json!({"style": "page", "page_param": page, "size_param": size, "page_size": 5, "max_page_size": most}));
}

/// Perhaps a bound for pages that the API sets by itself.
pub(super) fn cap(random: &mut Random, service: &mut Service) {
    if random.percent(40) {
        let most = random.weighted(&[(2, 2), (5, 20), (7, 20), (30, 40)]);
        service.serve("paging", json!({"page_size": most, "max_page_size": most}));
    }
}

fn style_name(style: Style) -> &'static str {
    match style {
        Style::None => "none",
        Style::Link => "link",
        Style::NextUrl => "next_url",
        Style::Cursor => "cursor",
        Style::Page => "page",
        Style::Offset => "offset",
    }
}
