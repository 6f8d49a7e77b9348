//! Bodies that are made while they are sent, so that they may have any size, or no end.

use crate::connection::Transport;
use crate::encoding::{Coding, Encoder, encoder};
use serde::Deserialize;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// `head`, then `part` so many times, with `separator` between them, then `tail`; in `part` `{n}` is its number, from 1 on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamSpec {
    #[serde(default)]
    pub(crate) head: String,
    pub(crate) part: String,
    #[serde(default)]
    pub(crate) separator: String,
    /// Without it there is no end.
    #[serde(default)]
    pub(crate) times: Option<u64>,
    #[serde(default)]
    pub(crate) tail: String,
    /// A pause after each part, which is sent before it.
    #[serde(default)]
    pub(crate) pause_ms: u64,
}

/// A stream, and how it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) spec: StreamSpec,
    pub(crate) codings: Vec<Coding>,
    /// In chunks; else as it is, behind whatever length the head promised.
    pub(crate) chunked: bool,
}

impl Stream {
    /// Sends all of it. An error means that the client left, or that this server stops.
    pub(crate) fn send(&self, transport: &mut Transport, stopping: &AtomicBool) -> io::Result<()> {
        let below: Box<dyn Encoder + '_> = match self.chunked {
            true => Box::new(BufWriter::with_capacity(64 << 10, Chunks(transport))),
            false => Box::new(BufWriter::with_capacity(64 << 10, Bare(transport))),
        };
        let mut out = encoder(&self.codings, below)?;
        let spec = &self.spec;
        out.write_all(spec.head.as_bytes())?;
        let pieces: Vec<&str> = spec.part.split("{n}").collect();
        let mut number = 0;
        while spec.times.is_none_or(|times| number < times) {
            if number > 0 {
                out.write_all(spec.separator.as_bytes())?;
            }
            number += 1;
            self.write_part(&mut *out, &pieces, number)?;
            if stopping.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        out.write_all(spec.tail.as_bytes())?;
        out.end()
    }

    fn write_part(&self, out: &mut dyn Encoder, pieces: &[&str], number: u64) -> io::Result<()> {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                write!(out, "{number}")?;
            }
            out.write_all(piece.as_bytes())?;
        }
        if self.spec.pause_ms > 0 {
            out.flush()?;
            thread::sleep(Duration::from_millis(self.spec.pause_ms));
        }
        Ok(())
    }
}

/// Each write is one chunk.
struct Chunks<'a>(&'a mut Transport);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
            self.0.write_all(&chunk)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Encoder for BufWriter<Chunks<'_>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        let chunks = self.into_inner().map_err(io::IntoInnerError::into_error)?;
        chunks.0.write_all(b"0\r\n\r\n")?;
        chunks.0.flush()
    }
}

struct Bare<'a>(&'a mut Transport);

impl Write for Bare<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Encoder for BufWriter<Bare<'_>> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.flush()
    }
}
