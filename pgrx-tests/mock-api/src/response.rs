//! How a response becomes bytes.

use crate::encoding::{Coding, encode};
use crate::stream::Stream;
use serde_json::json;
use std::io::{self, Write};
use std::sync::Arc;

/// Small enough that a page's values fall across chunks.
const CHUNK_BYTES: usize = 1000;

/// A response before it is framed.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Written as they are; a `Content-Type` here replaces `content_type`, a `Content-Length` the body's.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) codings: Vec<Coding>,
    pub(crate) chunked: bool,
    /// What is sent after `body`, made on the way.
    pub(crate) stream: Option<Arc<Stream>>,
}

/// A response as it goes over the wire.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Head and framed body.
    pub(crate) bytes: Vec<u8>,
    /// Where the body begins.
    pub(crate) body_at: usize,
    /// What is sent after them.
    pub(crate) stream: Option<Arc<Stream>>,
}

impl Response {
    /// A body of a given type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            headers: Vec::new(),
            content_type: content_type.to_owned(),
            body: body.into(),
            codings: Vec::new(),
            chunked: false,
            stream: None,
        }
    }

    /// A JSON body.
    pub(crate) fn json(status: u16, body: &impl serde::Serialize) -> Response {
        match serde_json::to_vec(body) {
            Ok(text) => Response::new(status, "application/json", text),
            Err(error) => Response::new(500, "text/plain", error.to_string()),
        }
    }

    /// An error as most JSON APIs write it.
    pub(crate) fn message(status: u16, message: &str) -> Response {
        Response::json(status, &json!({ "message": message }))
    }

    /// Frames it for a method; `HEAD` gets the head alone, and so do statuses without content (RFC 9110 section 6.4.1).
    pub(crate) fn into_wire(mut self, method: &str, keep_alive: bool) -> io::Result<Wire> {
        self.body = encode(&self.codings, std::mem::take(&mut self.body))?;
        let has_content = !matches!(self.status, 100..=199 | 204 | 304);
        let mut bytes = Vec::with_capacity(self.body.len() + 512);
        self.write_head(&mut bytes, has_content, keep_alive)?;
        let body_at = bytes.len();
        let sent = has_content && method != "HEAD";
        let stream = self.stream.take().filter(|_| sent);
        if sent && stream.is_none() {
            if self.chunked {
                write_chunks(&mut bytes, &self.body)?;
            } else {
                bytes.extend_from_slice(&self.body);
            }
        }
        Ok(Wire {
            bytes,
            body_at,
            stream,
        })
    }

    fn write_head(&self, out: &mut Vec<u8>, has_content: bool, keep_alive: bool) -> io::Result<()> {
        write!(out, "HTTP/1.1 {} {}\r\n", self.status, reason(self.status))?;
        for (name, value) in &self.headers {
            write!(out, "{name}: {value}\r\n")?;
        }
        if has_content {
            let has = |wanted| {
                let mut names = self.headers.iter().map(|(name, _)| name);
                names.any(|name| name.eq_ignore_ascii_case(wanted))
            };
            if !has("content-type") {
                write!(out, "Content-Type: {}\r\n", self.content_type)?;
            }
            if self.chunked {
                write!(out, "Transfer-Encoding: chunked\r\n")?;
            } else if !has("content-length") {
                write!(out, "Content-Length: {}\r\n", self.body.len())?;
            }
        }
        if !self.codings.is_empty() {
            write!(
                out,
                "Content-Encoding: {}\r\n",
                Coding::header(&self.codings)
            )?;
        }
        if !keep_alive {
            write!(out, "Connection: close\r\n")?;
        }
        write!(out, "\r\n")
    }
}

fn write_chunks(out: &mut Vec<u8>, body: &[u8]) -> io::Result<()> {
    for chunk in body.chunks(CHUNK_BYTES) {
        write!(out, "{:x}\r\n", chunk.len())?;
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    write!(out, "0\r\n\r\n")
}

/// The reason phrase of a status (RFC 9110 section 15).
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        422 => "Unprocessable Content",
        425 => "Too Early",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::io::Read;

    #[test]
    fn a_length_or_chunks_frame_the_body() {
        let plain = Response::new(200, "text/plain", "abc")
            .into_wire("GET", true)
            .unwrap();
        assert_eq!(
            String::from_utf8(plain.bytes).unwrap(),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc"
        );
        let chunked = Response {
            chunked: true,
            ..Response::new(200, "text/plain", vec![b'x'; 1001])
        };
        let wire = chunked.into_wire("GET", true).unwrap();
        let body = &wire.bytes[wire.body_at..];
        assert!(body.starts_with(b"3e8\r\nxxx") && body.ends_with(b"x\r\n1\r\nx\r\n0\r\n\r\n"));
    }

    #[test]
    fn head_and_no_content_have_no_body() {
        let head = Response::new(200, "text/plain", "abc")
            .into_wire("HEAD", true)
            .unwrap();
        assert!(
            String::from_utf8(head.bytes)
                .unwrap()
                .ends_with("Content-Length: 3\r\n\r\n")
        );
        let none = Response::new(204, "text/plain", "")
            .into_wire("GET", false)
            .unwrap();
        assert_eq!(
            none.bytes,
            b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn gzip_round_trips() {
        let response = Response {
            codings: vec![Coding::Gzip],
            ..Response::new(200, "text/plain", "abc".repeat(100))
        };
        let wire = response.into_wire("GET", true).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&wire.bytes[wire.body_at..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "abc".repeat(100));
    }
}
