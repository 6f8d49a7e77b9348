//! The responses below one directory: found, begun, forgotten, cleared.

use super::head::Head;
use super::identity::Identity;
use super::keys::{DirectoryKey, random};
use super::layout::{Layout, entries, private_folder};
use super::recording::{Destination, Recording};
use super::sealed::{self, Reader};
use super::space::{PATIENCE, Space, charge};
use crate::http::CancelToken;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A file is locked by its writer long before it is so old.
const SURELY_LOCKED: Duration = Duration::from_secs(60);

/// The stored responses below a directory.
///
/// Every process that has a `Store` of the same directory shares them. Nothing is read or written before a response is
/// looked for. Where the directory cannot be used, nothing is found and nothing stored: that is no error.
pub struct Store {
    layout: Layout,
    key: Mutex<Option<DirectoryKey>>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Responses.
    pub responses: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

impl Store {
    /// The responses below `directory`, whose parent exists.
    pub fn new(directory: impl Into<PathBuf>) -> Store {
        Store {
            layout: Layout::new(directory.into()),
            key: Mutex::default(),
        }
    }

    pub(super) fn space(&self, bound: u64, cancel: &CancelToken) -> Space {
        Space {
            layout: self.layout.clone(),
            bound,
            cancel: cancel.clone(),
            patience: PATIENCE,
        }
    }

    /// The stored response to a request. One that is damaged is removed.
    pub(super) fn find(
        &self,
        folder: &str,
        request: Identity,
        space: &Space,
    ) -> Option<(Head, Reader)> {
        let key = self.key(space).ok()?;
        let path = self.layout.entry(folder, &key.name(request));
        let file = File::open(&path).ok()?;
        // When it was used last, which decides what goes first.
        let _ = file.set_modified(SystemTime::now());
        match sealed::open(file, &key, request) {
            Ok(found) => Some(found),
            Err(_) => {
                space.remove(&path);
                None
            }
        }
    }

    /// Begins to store the response to a request.
    pub(super) fn begin(
        &self,
        folder: &str,
        request: Identity,
        head: Head,
        space: Space,
    ) -> io::Result<Recording> {
        let key = self.key(&space)?;
        let begun = self.destination(folder, &key.name(request), space);
        let begun =
            begun.and_then(|destination| Recording::begin(destination, &key, request, head));
        if begun.is_err() {
            // The directory may have been removed: it is made again.
            *self.kept_key() = None;
        }
        begun
    }

    fn destination(&self, folder: &str, name: &str, space: Space) -> io::Result<Destination> {
        private_folder(&self.layout.server(folder))?;
        let number = u64::from_le_bytes(random()?);
        Ok(Destination {
            unfinished: self.unfinished(folder, &format!("{number:016x}")),
            finished: self.layout.entry(folder, name),
            space,
        })
    }

    fn unfinished(&self, folder: &str, name: &str) -> PathBuf {
        self.layout.unfinished().join(format!("{folder}.{name}"))
    }

    /// Removes the stored response to a request.
    pub(super) fn forget(&self, folder: &str, request: Identity, space: &Space) {
        if let Ok(key) = self.key(space) {
            space.remove(&self.layout.entry(folder, &key.name(request)));
        }
    }

    /// Removes the responses of one server, or of all; `checkpoint` is called for each.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn clear(&self, folder: Option<&str>, mut checkpoint: impl FnMut()) -> io::Result<Cleared> {
        // What is being written was asked for before, and must not appear afterwards.
        for (file, _) in entries(&self.layout.unfinished()) {
            checkpoint();
            if folder.is_none_or(|folder| is_of(&file, folder)) {
                remove(&file)?;
            }
        }
        let folders: Vec<PathBuf> = match folder {
            Some(folder) => vec![self.layout.server(folder)],
            None => entries(&self.layout.servers())
                .map(|(folder, _)| folder)
                .collect(),
        };
        let mut cleared = Cleared::default();
        let mut charged = 0;
        for (file, found) in folders.iter().flat_map(|folder| entries(folder)) {
            checkpoint();
            if remove(&file)? {
                cleared.responses += 1;
                cleared.bytes += found.len();
                charged += charge(found.len());
            }
        }
        for folder in folders {
            // Fails where something new is in it.
            let _ = fs::remove_dir(folder);
        }
        if charged > 0
            && let Ok(cancel) = CancelToken::new()
        {
            // Nothing can cancel the wait, so it is short.
            let space = Space {
                patience: PATIENCE / 20,
                ..self.space(u64::MAX, &cancel)
            };
            space.release(charged);
        }
        Ok(cleared)
    }

    /// The directory's key. The first time, the directory is made ready.
    fn key(&self, space: &Space) -> io::Result<DirectoryKey> {
        let mut kept = self.kept_key();
        if let Some(key) = &*kept {
            return Ok(key.clone());
        }
        self.layout.make()?;
        self.remove_orphans();
        let number = u64::from_le_bytes(random()?);
        let temporary = self.layout.key().with_extension(format!("{number:016x}"));
        let key = DirectoryKey::open(&self.layout.key(), &temporary)?;
        *kept = Some(key.clone());
        drop(kept);
        space.sweep();
        Ok(key)
    }

    fn kept_key(&self) -> std::sync::MutexGuard<'_, Option<DirectoryKey>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what nobody writes any more: its writer has died. One that has just begun may not have its lock yet.
    fn remove_orphans(&self) {
        for (file, found) in entries(&self.layout.unfinished()) {
            let written = found.modified().ok().and_then(|time| time.elapsed().ok());
            let is_old = written.is_some_and(|ago| ago > SURELY_LOCKED);
            if is_old && File::open(&file).is_ok_and(|open| open.try_lock().is_ok()) {
                let _ = fs::remove_file(file);
            }
        }
    }
}

/// Whether an unfinished file is one of a server's.
fn is_of(file: &Path, folder: &str) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.split_once('.'))
        .is_some_and(|(of, _)| of == folder)
}

/// False where it was not there any more.
fn remove(file: &Path) -> io::Result<bool> {
    match fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
