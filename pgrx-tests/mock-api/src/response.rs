//! How a response becomes bytes.

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::io::{self, Write};

/// Small enough that a page's values fall across chunks.
const CHUNK_BYTES: usize = 1000;

/// A response before it is framed.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Written as they are; a `Content-Type` here replaces `content_type`.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) gzip: bool,
    pub(crate) chunked: bool,
}

/// A response as it goes over the wire.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Head and framed body.
    pub(crate) bytes: Vec<u8>,
    /// Where the body begins.
    pub(crate) body_at: usize,
}

impl Response {
    /// A body of a given type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            headers: Vec::new(),
            content_type: content_type.to_owned(),
            body: body.into(),
            gzip: false,
            chunked: false,
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
        if self.gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.body)?;
            self.body = encoder.finish()?;
        }
        let has_content = !matches!(self.status, 100..=199 | 204 | 304);
        let mut bytes = Vec::with_capacity(self.body.len() + 512);
        self.write_head(&mut bytes, has_content, keep_alive)?;
        let body_at = bytes.len();
        if has_content && method != "HEAD" {
            if self.chunked {
                write_chunks(&mut bytes, &self.body)?;
            } else {
                bytes.extend_from_slice(&self.body);
            }
        }
        Ok(Wire { bytes, body_at })
    }

    fn write_head(&self, out: &mut Vec<u8>, has_content: bool, keep_alive: bool) -> io::Result<()> {
        write!(out, "HTTP/1.1 {} {}\r\n", self.status, reason(self.status))?;
        for (name, value) in &self.headers {
            write!(out, "{name}: {value}\r\n")?;
        }
        if has_content {
            if !self
                .headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            {
                write!(out, "Content-Type: {}\r\n", self.content_type)?;
            }
            if self.chunked {
                write!(out, "Transfer-Encoding: chunked\r\n")?;
            } else {
                write!(out, "Content-Length: {}\r\n", self.body.len())?;
            }
        }
        if self.gzip {
            write!(out, "Content-Encoding: gzip\r\n")?;
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
            gzip: true,
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
