//! The format of a file: a body in sealed pieces, what its response began with, and where that is.
//!
//! ```text
//! magic, salt | piece 0 | piece 1 | … | head | length of the body, length of the head
//! ```
//!
//! Pieces and head are sealed (ChaCha20-Poly1305, RFC 8439) with a key that no other file has. A piece knows its
//! number and the head both lengths: what was damaged, cut off, mixed up or is another request's does not open.

use super::head::Head;
use super::identity::Identity;
use super::keys::{DirectoryKey, SALT, random};
use ring::aead::{Aad, LessSafeKey, Nonce};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// The format's name and version.
const MAGIC: &[u8; 8] = b"restfdw1";
const BEGINNING: usize = MAGIC.len() + SALT;
/// Bytes of a body that are sealed together.
const PIECE: usize = 64 << 10;
/// What sealing adds.
const TAG: usize = 16;
const END: usize = 16;
/// Heads are not longer: HTTP libraries have such a bound, too.
const LONGEST_HEAD: u64 = 1 << 20;

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a file of the cache is damaged")
}

/// What is sealed, and which one of it.
enum Part {
    Piece(u64),
    Head,
}

impl Part {
    /// Not twice with one key.
    fn nonce(&self) -> Nonce {
        let (kind, number) = match self {
            Part::Piece(number) => (0, *number),
            Part::Head => (1, 0),
        };
        let mut nonce = [kind; 12];
        nonce[4..].copy_from_slice(&number.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }
}

fn seal(key: &LessSafeKey, part: &Part, about: &[u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    key.seal_in_place_append_tag(part.nonce(), Aad::from(about), bytes)
        .map_err(|_| io::Error::other("too long to be sealed"))
}

fn unseal(key: &LessSafeKey, part: &Part, about: &[u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    let opened = key.open_in_place(part.nonce(), Aad::from(about), bytes);
    let length = opened.map_err(|_| damaged())?.len();
    bytes.truncate(length);
    Ok(())
}

/// A file that is being written.
pub(super) struct Writer {
    file: File,
    key: LessSafeKey,
    piece: Vec<u8>,
    pieces: u64,
    /// Bytes of the body.
    length: u64,
}

impl Writer {
    pub(super) fn new(mut file: File, key: &DirectoryKey, request: Identity) -> io::Result<Writer> {
        let salt = random::<SALT>()?;
        file.write_all(MAGIC)?;
        file.write_all(&salt)?;
        Ok(Writer {
            file,
            key: key.sealing(request, &salt)?,
            piece: Vec::new(),
            pieces: 0,
            length: 0,
        })
    }

    /// How long the file will be with so many further bytes of body, the head left out.
    pub(super) fn size_with(&self, more: usize) -> u64 {
        body_end(self.length + more as u64).map_or(u64::MAX, |body| body + END as u64)
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = PIECE - self.piece.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE {
                self.write_piece()?;
            }
        }
        Ok(())
    }

    fn write_piece(&mut self) -> io::Result<()> {
        seal(&self.key, &Part::Piece(self.pieces), &[], &mut self.piece)?;
        self.file.write_all(&self.piece)?;
        self.piece.clear();
        self.pieces += 1;
        Ok(())
    }

    /// The end of the body. Returns the length of the file.
    pub(super) fn finish(&mut self, head: &Head) -> io::Result<u64> {
        if !self.piece.is_empty() {
            self.write_piece()?;
        }
        let mut head = serde_json::to_vec(head)?;
        let mut end = [0; END];
        end[..8].copy_from_slice(&self.length.to_le_bytes());
        end[8..].copy_from_slice(&((head.len() + TAG) as u64).to_le_bytes());
        seal(&self.key, &Part::Head, &end, &mut head)?;
        self.file.write_all(&head)?;
        self.file.write_all(&end)?;
        self.file.stream_position()
    }
}

/// The body of a file that was opened.
pub(super) struct Reader {
    file: File,
    key: LessSafeKey,
    piece: Vec<u8>,
    used: usize,
    pieces: u64,
    length: u64,
    /// Bytes of the body that were not unsealed yet.
    left: u64,
}

/// Opens a file whose every byte is as it was written. Its body is read once for that, into nowhere.
pub(super) fn open(
    mut file: File,
    key: &DirectoryKey,
    request: Identity,
) -> io::Result<(Head, Reader)> {
    let mut beginning = [0; BEGINNING];
    file.read_exact(&mut beginning)?;
    let (magic, salt) = beginning.split_at(MAGIC.len());
    let salt = salt.try_into().map_err(|_| damaged())?;
    if magic != MAGIC {
        return Err(damaged());
    }
    let key = key.sealing(request, salt)?;
    let (head, length) = read_head(&mut file, &key)?;
    let mut reader = Reader {
        file,
        key,
        piece: Vec::new(),
        used: 0,
        pieces: 0,
        length,
        left: length,
    };
    reader.rewind()?;
    io::copy(&mut reader, &mut io::sink())?;
    reader.rewind()?;
    Ok((head, reader))
}

fn read_head(file: &mut File, key: &LessSafeKey) -> io::Result<(Head, u64)> {
    let mut end = [0; END];
    let end_at = file.seek(SeekFrom::End(-(END as i64)))?;
    file.read_exact(&mut end)?;
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes);
    let length = number(&end[..8]).map_err(|_| damaged())?;
    let head_length = number(&end[8..]).map_err(|_| damaged())?;
    let is_there = body_end(length).and_then(|body| body.checked_add(head_length)) == Some(end_at);
    if !is_there || head_length > LONGEST_HEAD {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(end_at - head_length))?;
    let mut head = vec![0; usize::try_from(head_length).map_err(|_| damaged())?];
    file.read_exact(&mut head)?;
    unseal(key, &Part::Head, &end, &mut head)?;
    Ok((serde_json::from_slice(&head)?, length))
}

/// Where the body of a file ends that has so many bytes of it.
fn body_end(length: u64) -> Option<u64> {
    let tags = length.div_ceil(PIECE as u64) * TAG as u64;
    length.checked_add(BEGINNING as u64 + tags)
}

impl Reader {
    /// Back to the body's first byte.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(BEGINNING as u64))?;
        self.piece.clear();
        self.used = 0;
        self.pieces = 0;
        self.left = self.length;
        Ok(())
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let bytes = self.left.min(PIECE as u64);
        self.piece.resize(bytes as usize + TAG, 0);
        self.file.read_exact(&mut self.piece)?;
        unseal(&self.key, &Part::Piece(self.pieces), &[], &mut self.piece)?;
        self.used = 0;
        self.pieces += 1;
        self.left -= bytes;
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.piece.len() && self.left > 0 {
            self.next_piece()?;
        }
        let ready = &self.piece[self.used..];
        let read = ready.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ready[..read]);
        self.used += read;
        Ok(read)
    }
}
