//! Content codings (RFC 9110, section 8.4.1): which are asked for, and how each is undone while it is read.

use crate::Error;
use crate::error::Exchange;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, BufRead, BufReader, Read};
use zstd::stream::raw::{DParameter, Decoder, Operation};

/// The Accept-Encoding header that goes with requests.
pub(super) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// Codings that one body may have, one over the other. Each costs its window's memory.
const MOST: usize = 2;

/// The window that a zstd stream may want, as a power of two: RFC 9659 lets nobody ask for more.
const ZSTD_WINDOW: u32 = 23;

/// Bytes that are read ahead of a decoder.
const READ_AHEAD: usize = 64 << 10;

/// A way in which bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 1952
    Gzip,
    /// RFC 1950; some servers send RFC 1951 under this name, and that is read too.
    Deflate,
    /// RFC 7932
    Brotli,
    /// RFC 8878
    Zstd,
}

impl Coding {
    /// The codings of a body in the order in which they were applied, from the values of its Content-Encoding headers.
    ///
    /// # Errors
    /// Why the body cannot be read: a coding that is not known, or too many of them.
    pub(super) fn list<'a>(
        values: impl Iterator<Item = &'a str>,
    ) -> std::result::Result<Vec<Coding>, String> {
        let mut codings = Vec::new();
        for name in values.flat_map(|value| value.split(',')).map(str::trim) {
            match name.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                "deflate" => codings.push(Coding::Deflate),
                "br" => codings.push(Coding::Brotli),
                "zstd" => codings.push(Coding::Zstd),
                _ => {
                    let name: String = name.chars().take(40).flat_map(char::escape_debug).collect();
                    return Err(format!(
                        "its content coding \"{name}\" is none of those that were asked for ({ACCEPTED})"
                    ));
                }
            }
        }
        if codings.len() > MOST {
            return Err(format!(
                "it was compressed {} times over, and at most {MOST} are undone",
                codings.len()
            ));
        }
        Ok(codings)
    }

    /// Its name in HTTP.
    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    fn decoder(self) -> Box<dyn Decode> {
        match self {
            Coding::Gzip => Box::new(Gzip::Unopened),
            Coding::Deflate => Box::new(Deflate::Unknown(None)),
            Coding::Brotli => Box::new(Brotli::new()),
            Coding::Zstd => Box::new(Zstd::Unopened),
        }
    }
}

/// What a decoder did.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Bytes of the input that it used.
    read: usize,
    /// Bytes that it wrote.
    written: usize,
    /// The data may end here.
    complete: bool,
}

impl Step {
    /// Nothing is left to do.
    fn over() -> Step {
        Step {
            complete: true,
            ..Step::default()
        }
    }
}

/// Undoes one coding, piece by piece.
trait Decode: Send {
    /// Goes on with `input`, the next bytes (none: there are no more). It writes what it can to `output`, which has room.
    /// The error says what is wrong with the data.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step>;
}

/// A reader's bytes with one coding undone, in bounded memory: a decoder's window, and what is read ahead of it.
pub(super) struct Decoded<R> {
    input: BufReader<R>,
    coding: Coding,
    decoder: Box<dyn Decode>,
    /// The data may end here.
    complete: bool,
    written: u64,
    limit: u64,
}

impl<R: Read> Decoded<R> {
    /// Undoes `coding` over `input`, for at most `limit` bytes. `may_be_empty`: no bytes at all are no broken stream, since the
    /// message says itself where it ends.
    pub(super) fn new(input: R, coding: Coding, limit: u64, may_be_empty: bool) -> Self {
        Decoded {
            input: BufReader::with_capacity(READ_AHEAD, input),
            coding,
            decoder: coding.decoder(),
            complete: may_be_empty,
            written: 0,
            limit,
        }
    }

    /// What is read from.
    pub(super) fn inner(&self) -> &R {
        self.input.get_ref()
    }

    /// Bytes that came out so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    fn count(&mut self, written: usize) -> io::Result<usize> {
        self.written += written as u64;
        match self.written > self.limit {
            true => Err(io::Error::other(too_large(self.limit))),
            false => Ok(written),
        }
    }

    fn unreadable(&self, reason: impl std::fmt::Display) -> io::Error {
        io::Error::other(Error::Body {
            exchange: Exchange::default(),
            reason: format!(
                "its compressed data ({}) cannot be read: {reason}",
                self.coding.name()
            ),
        })
    }

    fn cut_off(&self) -> io::Error {
        io::Error::other(Error::Truncated {
            exchange: Exchange::default(),
            reason: format!(
                "the compressed data ({}) ends too early",
                self.coding.name()
            ),
        })
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.input.fill_buf()?;
            let over = input.is_empty();
            if over && self.complete {
                return Ok(0);
            }
            let step = self.decoder.step(input, output);
            let step = step.map_err(|error| self.unreadable(error))?;
            self.input.consume(step.read);
            self.complete = step.complete;
            match (step.written, over) {
                (1.., _) => return self.count(step.written),
                (0, true) if step.complete => return Ok(0),
                (0, true) => return Err(self.cut_off()),
                (0, false) if step.read == 0 => return Err(self.unreadable("it does not go on")),
                (0, false) => {}
            }
        }
    }
}

/// More bytes than `max_response_bytes` allows.
pub(super) fn too_large(limit: u64) -> Error {
    Error::TooLarge {
        exchange: Exchange::default(),
        limit,
    }
}

/// Members one after the other (RFC 1952, section 2.2), header and checksum of each checked.
enum Gzip {
    Unopened,
    Between,
    Within(Decompress),
}

impl Decode for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
        let member = match self {
            Gzip::Within(member) => member,
            Gzip::Between if input.is_empty() => {
                return Ok(Step::over());
            }
            Gzip::Unopened | Gzip::Between => {
                *self = Gzip::Within(Decompress::new_gzip(15));
                return self.step(input, output);
            }
        };
        let step = inflate(member, input, output)?;
        if step.complete {
            *self = Gzip::Between;
        }
        Ok(step)
    }
}

/// zlib's format (RFC 1950), as the name means; or the bare data (RFC 1951), as some servers understood it.
enum Deflate {
    /// The first byte, if it was seen: only the second one tells.
    Unknown(Option<u8>),
    Known(Decompress),
    Over,
}

impl Deflate {
    /// RFC 1950, section 2.2: method 8, a window of at most 32 KiB, and a check over both bytes.
    fn has_header(first: u8, second: u8) -> bool {
        first & 0x0f == 8
            && first >> 4 <= 7
            && (u16::from(first) << 8 | u16::from(second)) % 31 == 0
    }
}

impl Decode for Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
        let step = match (&mut *self, input) {
            (Deflate::Known(data), _) => inflate(data, input, output)?,
            (Deflate::Over, []) => Step::over(),
            (Deflate::Over, _) => return Err(io::Error::other(MORE)),
            (Deflate::Unknown(_), []) => Step::default(),
            (Deflate::Unknown(seen @ None), [first]) => {
                *seen = Some(*first);
                Step {
                    read: 1,
                    ..Step::default()
                }
            }
            (Deflate::Unknown(None), [first, second, ..]) => {
                *self = Deflate::Known(Decompress::new(Deflate::has_header(*first, *second)));
                return self.step(input, output);
            }
            (Deflate::Unknown(Some(first)), [second, ..]) => {
                let first = *first;
                let mut data = Decompress::new(Deflate::has_header(first, *second));
                // One byte is not enough for anything to come out.
                inflate(&mut data, &[first], output)?;
                *self = Deflate::Known(data);
                return self.step(input, output);
            }
        };
        if step.complete {
            *self = Deflate::Over;
        }
        Ok(step)
    }
}

const MORE: &str = "there is more after its end";

fn inflate(data: &mut Decompress, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
    let (read, written) = (data.total_in(), data.total_out());
    let status = data.decompress(input, output, FlushDecompress::None)?;
    // Neither is more than the length of a slice.
    Ok(Step {
        read: (data.total_in() - read) as usize,
        written: (data.total_out() - written) as usize,
        complete: status == Status::StreamEnd,
    })
}

/// One stream (RFC 7932), with a window of at most 16 MiB.
struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    over: bool,
}

impl Brotli {
    fn new() -> Brotli {
        let memory = StandardAlloc::default;
        Brotli {
            state: BrotliState::new_strict(memory(), memory(), memory()),
            over: false,
        }
    }
}

impl Decode for Brotli {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
        if self.over {
            return match input {
                [] => Ok(Step::over()),
                _ => Err(io::Error::other(MORE)),
            };
        }
        let (mut left, mut read) = (input.len(), 0);
        let (mut room, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut written,
            output,
            &mut 0,
            &mut self.state,
        );
        self.over = match result {
            BrotliResult::ResultSuccess => true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => false,
            BrotliResult::ResultFailure => return Err(io::Error::other("it is damaged")),
        };
        Ok(Step {
            read,
            written,
            complete: self.over,
        })
    }
}

/// Frames one after the other (RFC 8878, section 3), skippable ones left out, checksums checked.
enum Zstd {
    Unopened,
    Open {
        decoder: Decoder<'static>,
        between: bool,
    },
}

impl Decode for Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
        let (decoder, between) = match self {
            Zstd::Open { decoder, between } => (decoder, between),
            Zstd::Unopened => {
                let mut decoder = Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW))?;
                let between = false;
                *self = Zstd::Open { decoder, between };
                return self.step(input, output);
            }
        };
        if *between && input.is_empty() {
            return Ok(Step::over());
        }
        let status = decoder.run_on_buffers(input, output)?;
        *between = status.remaining == 0;
        Ok(Step {
            read: status.bytes_read,
            written: status.bytes_written,
            complete: *between,
        })
    }
}

#[cfg(test)]
mod tests;
