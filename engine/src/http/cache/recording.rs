//! A response that is being stored while it is read.

use super::head::Head;
use super::identity::Identity;
use super::keys::DirectoryKey;
use super::layout::private_file;
use super::sealed::Writer;
use super::space::{STEP, Space, charge};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

/// Where a response goes, and how large it may be.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) space: Space,
    /// Its file while it is being written. Nobody else has one of this name.
    pub(super) unfinished: PathBuf,
    /// Its file in the end.
    pub(super) finished: PathBuf,
}

/// A response that is being stored. Unless it is finished, nothing is left of it.
///
/// What goes wrong with it is nobody's error: the response is not stored.
pub(crate) struct Recording {
    destination: Destination,
    head: Head,
    writer: Option<Writer>,
    /// Bytes taken in advance.
    reserved: u64,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Recording");
        shown.field("destination", &self.destination);
        shown.finish_non_exhaustive()
    }
}

impl Recording {
    pub(super) fn begin(
        destination: Destination,
        key: &DirectoryKey,
        request: Identity,
        head: Head,
    ) -> io::Result<Recording> {
        let mut recording = Recording {
            destination,
            head,
            writer: None,
            reserved: 0,
        };
        // Before there is a file: whoever counts files finds none that nothing was taken for.
        if !recording.reserve(1) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = recording.create()?;
        recording.writer = Some(Writer::new(file, key, request)?);
        Ok(recording)
    }

    /// The file, locked: that is how others tell it from one whose writer has died.
    fn create(&self) -> io::Result<File> {
        let file = private_file(&self.destination.unfinished)?;
        file.try_lock()?;
        Ok(file)
    }

    /// Takes the next bytes of the body. False: it will not be stored.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        let Some(writer) = &mut self.writer else {
            return false;
        };
        let size = writer.size_with(bytes.len());
        size <= self.destination.space.longest()
            && self.reserve(size)
            && self
                .writer
                .as_mut()
                .is_some_and(|writer| writer.write(bytes).is_ok())
    }

    /// Makes sure of room for a file of `size` bytes, some steps at a time.
    fn reserve(&mut self, size: u64) -> bool {
        let Some(lacking) = size.checked_sub(self.reserved).filter(|more| *more > 0) else {
            return true;
        };
        let most = charge(self.destination.space.longest()).saturating_sub(self.reserved);
        let step = (lacking.div_ceil(STEP) * STEP).min(most);
        let reserved = self.destination.space.reserve(step);
        self.reserved += if reserved { step } else { 0 };
        reserved
    }

    /// The body has ended: puts the file in its place.
    pub(crate) fn finish(mut self) -> bool {
        self.settle().is_ok()
    }

    fn settle(&mut self) -> io::Result<()> {
        let mut writer = self.writer.take().ok_or(io::ErrorKind::NotFound)?;
        let length = writer.finish(&self.head)?;
        if length > self.destination.space.longest() || !self.reserve(charge(length)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let Destination {
            space,
            unfinished,
            finished,
            ..
        } = &self.destination;
        space.settle(unfinished, finished, self.reserved, charge(length))?;
        self.reserved = 0;
        Ok(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // It is not there any more where it was finished.
        let _ = fs::remove_file(&self.destination.unfinished);
        if self.reserved > 0 {
            self.destination.space.release(self.reserved);
        }
    }
}
