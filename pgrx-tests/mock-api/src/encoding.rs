//! Content codings as real servers write them: each encoder in its streaming form, one over the other.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::{self, Write};

/// A way to compress a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    /// Under the name of `deflate`, but without zlib's header.
    BareDeflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The codings of `"gzip, br"`, in the order in which they are applied.
    pub(crate) fn list(text: &str) -> Result<Vec<Coding>, String> {
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let coding = |name| match name {
            "gzip" => Ok(Coding::Gzip),
            "deflate" => Ok(Coding::Deflate),
            "bare_deflate" => Ok(Coding::BareDeflate),
            "br" => Ok(Coding::Brotli),
            "zstd" => Ok(Coding::Zstd),
            other => Err(format!("encoding: {other:?} is not known")),
        };
        names.map(coding).collect()
    }

    /// The value of Content-Encoding.
    pub(crate) fn header(codings: &[Coding]) -> String {
        let names: Vec<&str> = codings.iter().map(|coding| coding.name()).collect();
        names.join(", ")
    }

    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate | Coding::BareDeflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    fn over<'a>(self, below: Box<dyn Encoder + 'a>) -> io::Result<Box<dyn Encoder + 'a>> {
        let level = Compression::fast();
        Ok(match self {
            Coding::Gzip => Box::new(GzEncoder::new(below, level)),
            Coding::Deflate => Box::new(ZlibEncoder::new(below, level)),
            Coding::BareDeflate => Box::new(DeflateEncoder::new(below, level)),
            Coding::Brotli => Box::new(brotli::CompressorWriter::new(below, 64 << 10, 3, 20)),
            Coding::Zstd => Box::new(zstd::Encoder::new(below, 1)?),
        })
    }
}

/// A writer that has something to add at the end.
pub(crate) trait Encoder: Write {
    /// Writes the end.
    fn end(self: Box<Self>) -> io::Result<()>;
}

impl<'a> Encoder for GzEncoder<Box<dyn Encoder + 'a>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish()?.end()
    }
}

impl<'a> Encoder for ZlibEncoder<Box<dyn Encoder + 'a>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish()?.end()
    }
}

impl<'a> Encoder for DeflateEncoder<Box<dyn Encoder + 'a>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish()?.end()
    }
}

impl<'a> Encoder for brotli::CompressorWriter<Box<dyn Encoder + 'a>> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.flush()?;
        self.into_inner().end()
    }
}

impl<'a> Encoder for zstd::Encoder<'static, Box<dyn Encoder + 'a>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish()?.end()
    }
}

/// Where encoded bytes end up in memory.
impl Encoder for &mut Vec<u8> {
    fn end(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that compresses what it is given into `below`.
pub(crate) fn encoder<'a>(
    codings: &[Coding],
    below: Box<dyn Encoder + 'a>,
) -> io::Result<Box<dyn Encoder + 'a>> {
    codings
        .iter()
        .rev()
        .try_fold(below, |below, coding| coding.over(below))
}

/// A whole body, compressed.
pub(crate) fn encode(codings: &[Coding], body: Vec<u8>) -> io::Result<Vec<u8>> {
    if codings.is_empty() {
        return Ok(body);
    }
    let mut out = Vec::new();
    let mut writer = encoder(codings, Box::new(&mut out))?;
    writer.write_all(&body)?;
    writer.end()?;
    Ok(out)
}
