//! The styles of paging: how the API pages, what the table declares, where a fault can strike.

use serde_json::{Value, json};

/// Rows of a page.
pub const PAGE: usize = 100;
/// Pages with rows, where there is more than one page.
const PAGES: usize = 3;

/// A style of paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    None,
    Link,
    NextUrl,
    Cursor,
    Page,
    Offset,
    Keyset,
}

pub const STYLES: [Style; 7] = [
    Style::None,
    Style::Link,
    Style::NextUrl,
    Style::Cursor,
    Style::Page,
    Style::Offset,
    Style::Keyset,
];

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    First,
    Middle,
    Last,
}

impl Style {
    /// The points that are different ones.
    pub fn points(self) -> &'static [Point] {
        match self {
            Style::None => &[Point::First],
            _ => &[Point::First, Point::Middle, Point::Last],
        }
    }

    /// The number of the page at a point.
    pub fn page(self, point: Point) -> usize {
        match point {
            Point::First => 1,
            Point::Middle => 2,
            Point::Last => self.requests(),
        }
    }

    /// Whether a page has no rows: it is the last one, which says that there are no more.
    pub fn is_empty(self, page: usize) -> bool {
        page > PAGES
    }

    /// Rows in all.
    pub fn rows(self) -> usize {
        match self {
            Style::None => PAGE,
            _ => PAGE * PAGES,
        }
    }

    /// Requests of a scan that nothing happens to.
    pub fn requests(self) -> usize {
        match self {
            Style::None => 1,
            Style::Link | Style::NextUrl | Style::Cursor => PAGES,
            // They end at an empty page.
            Style::Page | Style::Offset | Style::Keyset => PAGES + 1,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Style::None => "none",
            Style::Link => "link",
            Style::NextUrl => "next_url",
            Style::Cursor => "cursor",
            Style::Page => "page",
            Style::Offset => "offset",
            Style::Keyset => "keyset",
        }
    }

    /// Whether the API names the next page in the body.
    fn is_told_in_body(self) -> bool {
        matches!(self, Style::NextUrl | Style::Cursor)
    }

    /// The route of the mock API.
    pub fn route(self) -> Value {
        let mut route = json!({
            "generate": {"kind": "items", "count": self.rows()},
            "paging": {"style": self.name(), "page_size": PAGE},
        });
        if self.is_told_in_body() {
            route["shape"] = json!({"path": "items"});
            route["envelope_first"] = json!(true);
        }
        route
    }

    /// The options of the foreign table.
    pub fn options(self) -> String {
        let own = match self {
            Style::None | Style::Link | Style::Page | Style::Offset => "",
            Style::NextUrl => ", rows 'items', next_url_field 'next'",
            Style::Cursor => {
                ", rows 'items', cursor_param 'cursor', cursor_field 'meta.next_cursor'"
            }
            Style::Keyset => ", cursor_param 'cursor', cursor_column 'id'",
        };
        format!(", pagination '{}'{own}", self.name())
    }
}
