//! What a request is, and how its bytes are read.

use crate::query::Query;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// More than any client here sends; a longer head is a bug on its side.
const MAX_HEAD_BYTES: usize = 1 << 20;
const MAX_HEADERS: usize = 128;

/// The first line, the headers and the body of a request, as they were received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, not decoded, without the prefix `/s/{space}`.
    pub target: String,
    /// Names and values in order of arrival; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body; bytes that are not UTF-8 are replaced. Empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

impl RequestHead {
    /// The first value of a header; the name's case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Method and target, such as `GET /items?page=2`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// A whole request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) head: RequestHead,
    pub(crate) body: Vec<u8>,
    /// Whether the client lets the connection stay open (RFC 9112 section 9.3).
    pub(crate) keep_alive: bool,
}

impl Request {
    /// The path, not decoded.
    pub(crate) fn path(&self) -> &str {
        self.head
            .target
            .split_once('?')
            .map_or(&self.head.target, |(path, _)| path)
    }

    /// The query, not decoded, empty if there is none.
    pub(crate) fn raw_query(&self) -> &str {
        self.head
            .target
            .split_once('?')
            .map_or("", |(_, query)| query)
    }

    /// The query's parameters.
    pub(crate) fn query(&self) -> Query {
        Query::parse(self.raw_query())
    }
}

/// Reads requests from a connection, one after the other.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    buffer: Vec<u8>,
}

impl RequestReader {
    /// The next request, or `None` when the client closed the connection between requests.
    ///
    /// `on_continue` is called with the stream when the client waits for `100 Continue` before its body.
    /// `InvalidData` means that what came is not HTTP/1.1.
    pub(crate) fn next<S: Read>(
        &mut self,
        stream: &mut S,
        on_continue: impl FnOnce(&mut S) -> io::Result<()>,
    ) -> io::Result<Option<Request>> {
        let (mut request, consumed) = loop {
            if let Some(found) = parse_head(&self.buffer)? {
                break found;
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(invalid("the request head is longer than 1 MiB"));
            }
            if self.fill(stream)? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        };
        self.buffer.drain(..consumed);
        if request
            .head
            .header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            on_continue(stream)?;
        }
        request.body = self.body(stream, &request.head)?;
        Ok(Some(request))
    }

    fn fill<S: Read>(&mut self, stream: &mut S) -> io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let count = stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count)
    }

    /// Takes exactly `count` bytes.
    fn take<S: Read>(&mut self, stream: &mut S, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            if self.fill(stream)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// The message body, by RFC 9112 section 6.3.
    fn body<S: Read>(&mut self, stream: &mut S, head: &RequestHead) -> io::Result<Vec<u8>> {
        if head
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return self.chunks(stream);
        }
        match head.header("content-length") {
            None => Ok(Vec::new()),
            Some(length) => {
                let count = length
                    .parse()
                    .map_err(|_| invalid("content-length is not a number"))?;
                self.take(stream, count)
            }
        }
    }

    fn chunks<S: Read>(&mut self, stream: &mut S) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = match httparse::parse_chunk_size(&self.buffer) {
                Err(_) => return Err(invalid("a chunk has no size")),
                Ok(httparse::Status::Complete((line, size))) => {
                    self.buffer.drain(..line);
                    usize::try_from(size).map_err(|_| invalid("a chunk is too large"))?
                }
                Ok(httparse::Status::Partial) => {
                    if self.fill(stream)? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    continue;
                }
            };
            body.extend(self.take(stream, size)?);
            self.take(stream, 2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let consumed = match parsed
        .parse(bytes)
        .map_err(|error| invalid(&error.to_string()))?
    {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(consumed) => consumed,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let head = RequestHead {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_owned(), text(header.value)))
            .collect(),
        body: String::new(),
    };
    let connection = head
        .header("connection")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let keep_alive = match parsed.version {
        Some(1) => !connection.contains("close"),
        _ => connection.contains("keep-alive"),
    };
    Ok(Some((
        Request {
            head,
            body: Vec::new(),
            keep_alive,
        },
        consumed,
    )))
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// A stream that yields one byte a read, as the worst network would.
    struct ByteByByte<'a>(&'a [u8]);

    impl Read for ByteByByte<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1);
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read_all(bytes: &[u8]) -> io::Result<Vec<Request>> {
        let mut stream = ByteByByte(bytes);
        let mut reader = RequestReader::default();
        let mut found = Vec::new();
        while let Some(request) = reader.next(&mut stream, |_| Ok(()))? {
            found.push(request);
        }
        Ok(found)
    }

    #[test]
    fn requests_follow_each_other_with_both_kinds_of_body() {
        let requests = read_all(
            b"POST /a?x=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
              2\r\nde\r\n1\r\nf\r\n0\r\n\r\nGET /c HTTP/1.1\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
        assert_eq!(
            requests.iter().map(|r| r.head.line()).collect::<Vec<_>>(),
            ["POST /a?x=1", "PUT /b", "GET /c"]
        );
        assert_eq!(
            requests
                .iter()
                .map(|r| r.body.as_slice())
                .collect::<Vec<_>>(),
            [b"abc" as &[u8], b"def", b""]
        );
        assert_eq!(
            requests.iter().map(|r| r.keep_alive).collect::<Vec<_>>(),
            [true, true, false]
        );
    }

    #[test]
    fn what_is_not_http_is_told_from_a_client_that_left() {
        assert_eq!(
            read_all(b"\x16\x03\x01\x02").unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(
            read_all(b"GET / HT").unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert!(read_all(b"").unwrap().is_empty());
    }
}
