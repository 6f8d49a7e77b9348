//! Where a body ends, and how that is known.

use crate::server::{Act, Server, cut, reply};
use crate::stage::{failure, read_all, table};
use rest_engine::Error;
use rest_engine::model::{Csv, Format, RowsPath, Table};

/// A response that only the end of its connection ends, as HTTP/1.0 has it.
fn until_closed(headers: &str, body: &[u8]) -> Vec<Act> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n");
    vec![Act::Send([head.as_bytes(), body].concat()), Act::Close]
}

fn serving(headers: &'static str, body: &'static [u8]) -> Server {
    Server::start(move |_| until_closed(headers, body))
}

fn written(format: Format, server: &Server) -> Table {
    let mut table = table(&server.url());
    table.rows = RowsPath::Auto;
    table.source.retry.max_retries = 0;
    Table { format, ..table }
}

fn csv() -> Format {
    Format::Csv(Csv::default())
}

#[test]
fn a_body_that_the_connection_ends_is_read_where_its_last_line_is_whole() {
    let server = serving("", b"id,name\n1,a\n2,b\n");
    assert_eq!(read_all(&written(csv(), &server)), [1, 2]);
    let server = serving("", b"{\"id\": 1}\n{\"id\": 2}\r\n");
    assert_eq!(read_all(&written(Format::JsonLines, &server)), [1, 2]);
    let server = serving("", b"[{\"id\": 1}, {\"id\": 2}]");
    assert_eq!(
        read_all(&written(Format::Json, &server)),
        [1, 2],
        "a document tells its end itself"
    );
}

#[test]
fn a_last_line_that_may_lack_something_is_no_row() {
    for (format, body) in [
        (csv(), b"id,name\n1,a\n2,b".as_slice()),
        (csv(), b""),
        (Format::JsonLines, b"{\"id\": 1}\n{\"id\": 2}"),
        (Format::JsonLines, b""),
    ] {
        let server = serving("", body);
        match failure(&written(format, &server)) {
            Error::Truncated { reason, .. } => assert!(
                reason.starts_with("the connection was closed, and nothing else tells"),
                "{reason}"
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn with_a_length_or_a_coding_the_end_is_known() {
    let server = Server::start(|_| reply(200, &[], "id,name\n1,a\n2,b"));
    assert_eq!(read_all(&written(csv(), &server)), [1, 2]);
    let server = Server::start(|_| reply(200, &[], ""));
    assert_eq!(read_all(&written(csv(), &server)), [0; 0]);
    // An empty body need not be compressed to be said to be, unless it may have been cut off.
    let server = Server::start(|_| reply(200, &[("content-encoding", "gzip")], ""));
    assert_eq!(read_all(&written(csv(), &server)), [0; 0]);
    let server = serving("content-encoding: zstd\r\n", b"");
    let error = failure(&written(csv(), &server));
    assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
}

#[test]
fn a_length_that_is_not_reached_is_an_error_even_at_the_end_of_a_line() {
    let server = Server::start(|_| {
        let whole = reply(200, &[], "id,name\n1,a\n2,b\n");
        let head = "HTTP/1.1 200 X\r\ncontent-length: 16\r\n\r\nid,name\n1,a\n".len();
        cut(whole, head, Act::Close)
    });
    let error = failure(&written(csv(), &server));
    assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
}
