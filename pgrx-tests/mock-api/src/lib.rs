//! A mock API: a real HTTP/1.1 server on 127.0.0.1 that pages, filters, signs in and misbehaves as a test asks.
//!
//! [`Server::start`] runs it inside a test; the program `mock-api` runs it beside one. Either way a test talks to it with
//! [`client::Client`]: it defines a scenario for a space of its own, points the code under test at `/s/{space}/…`, and asks
//! afterwards which requests came. Spaces share nothing, so tests may run at once.
//!
//! # Scenarios
//!
//! A scenario is a JSON object `{"routes": {PATH: ROUTE, …}}`. A path may hold `{name}` segments; a literal path wins over
//! one with names. Any method is answered. An unknown key anywhere is refused with a message, so that a typing mistake shows.
//! Defining a scenario starts its space afresh: recordings and fault counters begin at zero.
//!
//! ## A route: what it answers with
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `rows` | | literal rows |
//! | `generate` | | `{"kind": "items", "count": N, "seed": 1}`: deterministic rows of 286 bytes with `id` (1 to N), `title`, `state` (`open`, `closed`), `score` (two decimals), `comments`, `locked`, `created_at` (ascending), `user` `{login, id, avatar_url}`, `labels`, `body` |
//! | `body`, `body_base64` | | a raw body instead of rows |
//! | `dialect`, `sort`, `unstable`, `ignore`, `count_of`, `count_field` | | see Dialects |
//! | `redirect` | | `/path` within the space, or a URL; status 302 unless `status` says otherwise; the request's query is kept unless the target has one |
//! | `status` | 200 | with none of the above: an empty body |
//! | `headers` | | extra response headers, written as they are |
//! | `validates` | false | 304 with these `headers` to a request whose If-None-Match or If-Modified-Since is the route's own ETag or Last-Modified |
//! | `content_type` | `application/json` | |
//! | `delay_ms` | 0 | milliseconds before the answer |
//! | `stream` | | a body that is made while it is sent: `{"head": "[", "part": "{\"id\": {n}}", "separator": ",", "times": N, "tail": "]", "pause_ms": 0}`; `{n}` is the part's number from 1 on; without `times` it has no end |
//! | `encoding` | | content codings in the order applied: `gzip`, `deflate`, `bare_deflate` (without zlib's header), `br`, `zstd`, `"gzip, br"` |
//! | `gzip`, `chunked` | false | short for `"encoding": "gzip"`; chunks of 1,000 bytes instead of a Content-Length |
//! | `content_length` | | what the head promises instead of the truth; a `stream` is sent without chunks then |
//! | `require` | | `{"header": {…}, "query": {…}, "cookie": {…}, "token_of": PATH}`: without all of them 401 and `{"message": "bad credentials"}`; `token_of`: an access token that the token endpoint at this path has issued and that is good |
//! | `tokens` | | a token endpoint (RFC 6749): `client_id`, `client_secret`, `client_auth` (`basic`, `post`; both), `refresh_token` (the first), `rotate` (each is good for one use), `expires_in` (seconds, also how long a token is good, unless `valid_ms` says otherwise), `token_type` |
//! | `close` | false | each connection serves one request |
//!
//! ## How rows are wrapped
//!
//! `shape`: `array` (default), `map` (an object; a row's name is its member `@key`, which is left out, else its `id`),
//! `values` (a row that is an object gives its member `value`), `single` (the first row itself; no row is a 404), `jsonl` (a line a row), `csv` (a header and a line a row, with CR LF; null is empty, an empty text is
//! quoted, what is no scalar is its JSON), `arrays` (`{"columns": […], "rows": [[…]]}`, columns by name), or `{"path": "data.items", "as": SHAPE}` to nest any of them
//! (`as` is `array` by default; with `arrays`, `columns` stays at the top).
//! `envelope`: members merged into the top-level object after the rows, or before them with `envelope_first`.
//!
//! ## Which rows
//!
//! `filters`: a list of `{"param", "field" (default: param), "op" (default "="), "type" (default "text")}`.
//! Operators: `=`, `<>` (true for a row without the value, as in most APIs), `<`, `<=`, `>`, `>=`, `in` (commas or repeated
//! parameters), `contains`. Types: `number`, `text` (bytewise), `time` (RFC 3339, ISO 8601 without zone as UTC, or a date; a number in
//! a row is Unix milliseconds). A value that does not parse is answered with 400. A parameter without a filter is ignored.
//! `ignore_filters`: all are ignored. `case_insensitive`: text is compared without case.
//! `path_filters`: `{"owner": "owner_field"}`, equality of a named path segment with a field.
//!
//! ## Pages
//!
//! `paging`: `{"style": STYLE, …}` with `none` (default: all rows, no parameter is looked at), `link`, `next_url`, `cursor`, `page`, `offset`,
//! `keyset`.
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `page_size`, `max_page_size` | 100, the larger of it and 100 | rows a page unless asked for; a larger wish is cut to the maximum |
//! | `size_param` | `per_page` | a value that is not a number is a 400; 0 means the default |
//! | `page_param`, `first_page` | `page`, 1 | also what `link` and `next_url` put into their URLs |
//! | `offset_param`, `first_offset` | `offset`, 0 | |
//! | `cursor_param` | `cursor` | for `cursor` (a token, base64 of `offset:N`) and `keyset` (the last row's `keyset_field`) |
//! | `cursor_field`, `cursor_header` | `meta.next_cursor` unless a header is named | null, or no header, at the end |
//! | `next_url_field`, `next_url_header` | `next` unless a header is named | null, or no header, at the end |
//! | `relative_urls` | false | links without scheme and host |
//! | `keyset_field` | `id` | rows must ascend by it |
//! | `has_more_field`, `total_field`, `total_header`, `page_count_field` | | where the response says so |
//! | `fault` | | `repeat_cursor`, `repeat_url`: each page names the second page as the next one; `wrong_total`: seven too many; `foreign_next`: links point at `other.invalid`; `duplicate_page`: a page has the rows of the one before it |
//! | `fault_page` | 2 | which page that is |
//!
//! A page past the end is empty; one before the first, or not a number, is a 400.
//!
//! ## Misbehaviour
//!
//! `faults`: a list; for each request the first one that applies is used, once unless `times` says how often (0: always).
//! `on`: from the nth request to the route on (0 is the first). `on_page`: only for that page (1 is the first, whatever the style).
//!
//! | kind | what happens |
//! |---|---|
//! | `status` | another answer: `status`, `headers`, `body` |
//! | `reset` | the connection is reset (RST) |
//! | `close` | the connection is closed before any byte |
//! | `stall_before_headers` | nothing is sent until released |
//! | `stall_in_body` | `after` bytes of the body, then nothing until released |
//! | `truncate` | `after` bytes of the body of a response that promised all of it, with `pause_ms` (0) in their middle, then close |
//! | `wrong_length` | the body's Content-Length is too large by `by` bytes, which may be negative; then close |
//! | `change` | each `from` in the response is another text of the same length, `to` |
//! | `drip` | `bytes_per_write` (1) bytes each `interval_ms` (10) |
//! | `delay` | `ms` milliseconds before the answer |
//!
//! A stall lasts until [`client::Client::release`], until the client hangs up (which is noticed within some
//! milliseconds), or until the server stops. A client that only shuts its sending half counts as one that hung up.
//!
//! What goes wrong before a request arrives, a [`Gate`] in front of the server does: it refuses connections, or breaks TLS handshakes.
//!
//! # Dialects
//!
//! `dialect`: `{"name": NAME, "columns": {"id": "int8", "user.login": "text", …}, …}` beside `rows`: the route reads the request's
//! own filter, order, list of columns, count and aggregates as that kind of server does, and says 400 and `{"message": …}` to an
//! unknown column, a malformed filter or a literal that its column cannot have. Parameters that are not the dialect's are ignored.
//! Types: `int2` `int4` `int8` `float4` `float8` `numeric` `bool` `text` `date` `timestamp` `timestamptz` `uuid` `json` `jsonb`, and
//! arrays such as `text[]`. Numbers but floats are compared, summed and written exactly, text bytewise, times to the nanosecond. A
//! missing member is a NULL. Rows go out as they are listed. [`client::Client::define_text`] keeps digits that
//! a `serde_json::Value` would lose.
//!
//! | name | flavours (the first is the default) | what is read | NULL | rows in |
//! |---|---|---|---|---|
//! | `plain`, `operators` | | `filters` (below), `sort`, `fields` | `<>`, `not_in` keep it | the root |
//! | `postgrest` | | `a=gt.1`, `or=(…)`, `select` with aggregates, `order`, `limit`, `offset`, `Prefer: count=exact` | SQL's | the root |
//! | `odata` | | `$filter`, `$orderby`, `$select`, `$top`, `$skip`, `$count`, `$apply`; `@odata.nextLink` with `$skiptoken` where `max_page_size` cuts | `ne` keeps it; functions of it are unknown | `value` |
//! | `suffix` | `django`, `netbox`, `json-server` | `a__gt=1`, `a_gte=1`; `ordering`, `_sort` and `_order`; `fields` | NetBox's `__n` keeps it | the root |
//! | `brackets` | `stripe`, `strapi` | `a[gt]=1`, `filters[a][$gt]=1`; `sort`, `fields` | `ne`, `$ne`, `$notIn` keep it | the root |
//! | `sql` | | `$where`, `$select`, `$group`, `$having`, `$order`, `$limit`, `$offset`, or a SELECT in `$where`, or in the body as text or in a JSON member `query` | SQL's | the root |
//! | `json` | `directus`, `elasticsearch` | `filter` (also in the body), `sort`, `fields`, `limit`, `offset`; the query DSL in the body or in `source` | `_neq`, `_nin`, `must_not` keep it | `data`; `hits.hits`, with `hits.total` |
//! | `jsonapi` | | `filter[a]=1,2`, `sort`, `fields[…]` | | `data` |
//! | `selectors` | | `labelSelector` (columns `metadata.labels.NAME`), `fieldSelector` | `!=`, `notin` keep it | `items` |
//! | `prometheus` | | `query`; with `"endpoint": "series"` `match[]` | is the empty text | `data.result`; `data` |
//! | `search` | | `q`, `sort`, `order`; `is`, `type`, `in`, `repo`, `org`, `user` filter nothing unless they are columns | `-name:` keeps it | `items`, with `total_count` |
//!
//! `param` in `dialect` is another name for the parameter that carries the filter's text, `fields_param` for `fields`. A `shape` of
//! the route's own wins over the dialect's. `jsonapi`, `elasticsearch` and `prometheus` put `attributes`, `_source`, `metric` around rows
//! that are listed without; a row's `@value` and `@time` are its sample then.
//!
//! `filters` are read in every dialect beside its own, by the columns' types. More operators: `not_in`, `like`, `ilike` (`%`, `_`,
//! backslash), `is_null`, `is_not_null` (`true` or `false`); `contains` is containment where the column is an array or jsonb. `encoding`:
//! `csv` (default), `json` (a JSON list, or a JSON scalar where one value is meant), `json_csv`, `repeat` (a parameter a value).
//!
//! `sort`: `{"param", "style", "order_param", "desc_param", "nulls"}` for the dialects that have a sort parameter: `style` is `minus`, `colon`,
//! `space`, `order_param` (a list of `asc` and `desc` in it), or `desc_param` (what descends is named there instead). `nulls`, in every
//! dialect: `first`, `last`, `low`, `high`; by default `low` in `odata`, `last` in `elasticsearch`, else `high`. Ties keep the order of
//! the rows; with `unstable` (in `sort` or in the route) they come in another order at each request.
//!
//! A request's own limits hold within `paging`: with the style `none`, `max_page_size` alone cuts them; with another style the rows
//! that they leave are paged, unless the limit is the paging's own `size_param` or `offset_param`.
//!
//! A worse server: `ignore_filters`, `case_insensitive` (comparisons and patterns; not orders) and `"ignore": ["price"]` (tests of these
//! columns let every row pass, within a NOT too) act in every dialect.
//!
//! `count_of`: the path of another route; the answer is `{"count": n}` for its filters, in `count_field` (a dotted path).
//!
//! # Earthquakes
//!
//! `/fdsnws/event/1/query` and `/fdsnws/event/1/count`, with and without a space in front, answer as the USGS event API does, over a
//! week of its data: see the module `fdsn`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
mod cache;
pub mod client;
mod connection;
mod control;
mod delivery;
mod dialects;
mod direct;
mod encoding;
mod faults;
mod fdsn;
mod filters;
mod gate;
mod generate;
mod paging;
mod ports;
mod query;
mod request;
mod response;
mod routes;
mod rows;
mod scenario;
mod server;
mod shape;
mod spaces;
mod stream;
mod tls;
mod tokens;
mod validation;

pub use control::Info;
pub use direct::Direct;
pub use gate::{Gate, Obstacle};
pub use request::RequestHead;
pub use server::Server;
