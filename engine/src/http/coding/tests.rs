//! Every coding against its encoder, in pieces of any size, cut off anywhere, and made to do harm.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Write;

/// What an encoder makes; the names tell the two forms of `deflate` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Gzip,
    Zlib,
    Bare,
    Brotli,
    Zstd,
}

const FORMS: [Form; 5] = [Form::Gzip, Form::Zlib, Form::Bare, Form::Brotli, Form::Zstd];

impl Form {
    fn coding(self) -> Coding {
        match self {
            Form::Gzip => Coding::Gzip,
            Form::Zlib | Form::Bare => Coding::Deflate,
            Form::Brotli => Coding::Brotli,
            Form::Zstd => Coding::Zstd,
        }
    }

    fn encode(self, plain: &[u8]) -> Vec<u8> {
        fn all<W: Write>(mut encoder: W, plain: &[u8], end: impl FnOnce(W) -> Vec<u8>) -> Vec<u8> {
            encoder.write_all(plain).unwrap();
            end(encoder)
        }
        let level = Compression::best();
        match self {
            Form::Gzip => all(GzEncoder::new(Vec::new(), level), plain, |e| {
                e.finish().unwrap()
            }),
            Form::Zlib => all(ZlibEncoder::new(Vec::new(), level), plain, |e| {
                e.finish().unwrap()
            }),
            Form::Bare => all(DeflateEncoder::new(Vec::new(), level), plain, |e| {
                e.finish().unwrap()
            }),
            Form::Brotli => all(
                brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22),
                plain,
                |e| e.into_inner(),
            ),
            Form::Zstd => zstd::encode_all(plain, 3).unwrap(),
        }
    }
}

/// A reader that gives a few bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1.min(buffer.len()).min(self.0.len());
        buffer[..size].copy_from_slice(&self.0[..size]);
        self.0 = &self.0[size..];
        Ok(size)
    }
}

fn ours(error: io::Error) -> Error {
    error.downcast::<Error>().expect("an error of this crate")
}

fn decode(coding: Coding, bytes: &[u8]) -> std::result::Result<Vec<u8>, Error> {
    let mut decoded = Decoded::new(Pieces(bytes, usize::MAX), coding, 1 << 20, false);
    let mut plain = Vec::new();
    decoded.read_to_end(&mut plain).map_err(ours)?;
    assert_eq!(decoded.read(&mut [0]).unwrap(), 0, "the end stays the end");
    Ok(plain)
}

const TEXT: &[u8] =
    b"[{\"id\": 1, \"name\": \"a\"}, {\"id\": 2, \"name\": \"a\"}, {\"id\": 3, \"name\": \"a\"}]\n";

#[test]
fn a_stream_that_is_cut_off_anywhere_is_truncated_and_never_short() {
    for form in FORMS {
        let whole = form.encode(TEXT);
        assert_eq!(decode(form.coding(), &whole).unwrap(), TEXT, "{form:?}");
        for length in 0..whole.len() {
            let error = decode(form.coding(), &whole[..length]).unwrap_err();
            assert!(
                matches!(error, Error::Truncated { .. }),
                "{form:?} cut after {length} of {} bytes: {error:?}",
                whole.len()
            );
        }
    }
}

#[test]
fn no_bytes_at_all_are_nothing_only_where_the_message_says_so() {
    for form in FORMS {
        let read = |may_be_empty| {
            let mut decoded = Decoded::new(io::empty(), form.coding(), 10, may_be_empty);
            decoded.read(&mut [0; 8]).map_err(ours)
        };
        assert_eq!(read(true), Ok(0));
        assert!(matches!(read(false), Err(Error::Truncated { .. })));
        assert_eq!(decode(form.coding(), &form.encode(b"")).unwrap(), b"");
    }
}

#[test]
fn members_and_frames_follow_one_another() {
    for form in [Form::Gzip, Form::Zstd] {
        let twice = [form.encode(b"one "), form.encode(b""), form.encode(b"two")].concat();
        assert_eq!(decode(form.coding(), &twice).unwrap(), b"one two");
        let error = decode(form.coding(), &twice[..twice.len() - 1]).unwrap_err();
        assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
    }
    // RFC 8878, section 3.1.2: a frame to be skipped.
    let skipped = [
        b"\x50\x2a\x4d\x18\x02\0\0\0xx".as_slice(),
        &Form::Zstd.encode(TEXT),
    ]
    .concat();
    assert_eq!(decode(Coding::Zstd, &skipped).unwrap(), TEXT);
}

#[test]
fn what_follows_the_end_is_an_error() {
    for form in FORMS {
        let more = [form.encode(TEXT).as_slice(), b"garbage"].concat();
        let error = decode(form.coding(), &more).unwrap_err();
        assert!(
            matches!(&error, Error::Body { reason, .. } if reason.contains("compressed data")),
            "{form:?}: {error:?}"
        );
    }
}

#[test]
fn damage_is_an_error_that_names_the_coding() {
    for (form, name) in [
        (Form::Gzip, "gzip"),
        (Form::Zlib, "deflate"),
        (Form::Zstd, "zstd"),
    ] {
        let mut bytes = form.encode(TEXT);
        if form == Form::Zstd {
            bytes[1] ^= 0xff;
        } else {
            // In the checksum.
            let at = bytes.len() - if form == Form::Gzip { 6 } else { 2 };
            bytes[at] ^= 0xff;
        }
        let error = decode(form.coding(), &bytes).unwrap_err();
        let named = format!("its compressed data ({name}) cannot be read: ");
        assert!(
            matches!(&error, Error::Body { reason, .. } if reason.starts_with(&named)),
            "{error:?}"
        );
    }
    assert!(decode(Coding::Brotli, b"\xff\xff\xff").is_err());
}

#[test]
fn a_bomb_ends_at_the_bound_whatever_it_is_wrapped_in() {
    let bomb = vec![b' '; 1 << 20];
    for form in FORMS {
        let once = form.encode(&bomb);
        for (bytes, twice) in [(form.encode(&once), true), (once, false)] {
            let limit = 1 << 18;
            let inner = Decoded::new(bytes.as_slice(), form.coding(), limit, false);
            let mut reader: Box<dyn Read> = match twice {
                true => Box::new(Decoded::new(inner, form.coding(), limit, false)),
                false => Box::new(inner),
            };
            let mut buffer = vec![0; 64 << 10];
            let mut read = 0;
            let error = loop {
                match reader.read(&mut buffer) {
                    Ok(0) => panic!("it ended"),
                    Ok(bytes) => read += bytes as u64,
                    Err(error) => break ours(error),
                }
            };
            assert!(
                matches!(error, Error::TooLarge { limit: 262_144, .. }),
                "{error:?}"
            );
            assert!(read <= limit);
        }
    }
}

#[test]
fn a_zstd_window_beyond_that_of_rfc_9659_is_refused_before_it_costs_memory() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(TEXT).unwrap();
    let bytes = encoder.finish().unwrap();
    let error = decode(Coding::Zstd, &bytes).unwrap_err();
    assert!(
        matches!(&error, Error::Body { reason, .. } if reason.contains("memory")),
        "{error:?}"
    );
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(23).unwrap();
    encoder.write_all(TEXT).unwrap();
    assert_eq!(
        decode(Coding::Zstd, &encoder.finish().unwrap()).unwrap(),
        TEXT
    );
}

#[test]
fn the_header_lists_codings_in_the_order_applied() {
    let list = |values: &[&str]| Coding::list(values.iter().copied());
    assert_eq!(list(&[]), Ok(vec![]));
    assert_eq!(list(&["identity", ""]), Ok(vec![]));
    assert_eq!(list(&["X-GZip"]), Ok(vec![Coding::Gzip]));
    assert_eq!(
        list(&["deflate,br"]),
        Ok(vec![Coding::Deflate, Coding::Brotli])
    );
    assert_eq!(
        list(&["zstd", "gzip"]),
        Ok(vec![Coding::Zstd, Coding::Gzip])
    );
    assert_eq!(
        list(&["compress"]).unwrap_err(),
        "its content coding \"compress\" is none of those that were asked for (gzip, deflate, br, zstd)"
    );
    assert_eq!(
        list(&["gzip, gzip, gzip"]).unwrap_err(),
        "it was compressed 3 times over, and at most 2 are undone"
    );
}

proptest! {
    #[test]
    fn what_was_encoded_comes_back_in_pieces_of_any_size(
        plain in prop::collection::vec(prop_oneof![Just(b' '), any::<u8>()], 0..3000), form in 0..5_usize,
        piece in 1..200_usize, room in 1..200_usize,
    ) {
        let form = FORMS[form];
        let bytes = form.encode(&plain);
        let input = BufReader::with_capacity(piece, Pieces(&bytes, piece));
        let mut decoded = Decoded { input: BufReader::with_capacity(piece, input), ..Decoded::new(BufReader::with_capacity(1, Pieces(&[], 1)), form.coding(), 1 << 20, false) };
        let (mut back, mut buffer) = (Vec::new(), vec![0; room]);
        loop {
            match decoded.read(&mut buffer).map_err(ours) {
                Ok(0) => break,
                Ok(read) => back.extend_from_slice(&buffer[..read]),
                Err(error) => prop_assert!(false, "{form:?}: {error:?}"),
            }
        }
        prop_assert_eq!(decoded.written(), plain.len() as u64);
        prop_assert_eq!(back, plain);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), form in 0..5_usize, at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let form = FORMS[form];
        let _ = decode(form.coding(), &bytes);
        let mut damaged = form.encode(TEXT);
        let at = at.index(damaged.len());
        damaged[at] ^= flip;
        // zlib, zstd and gzip have a checksum of their data, which some of their other bytes are not part of.
        if let Ok(plain) = decode(form.coding(), &damaged)
            && form == Form::Gzip
        {
            prop_assert_eq!(plain, TEXT);
        }
    }
}
