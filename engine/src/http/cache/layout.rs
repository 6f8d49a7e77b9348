//! Where things are below a cache's directory.
//!
//! ```text
//! key                  the directory's secret
//! size                 bytes that are taken, with a lock for whoever changes that
//! swept                its time is when what nobody uses was looked for last
//! unfinished/…         what is being written, each file locked by its writer
//! servers/FOLDER/NAME  the responses of one server
//! ```

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A cache's directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Layout {
        Layout { root }
    }

    pub(super) fn key(&self) -> PathBuf {
        self.root.join("key")
    }

    pub(super) fn size(&self) -> PathBuf {
        self.root.join("size")
    }

    pub(super) fn swept(&self) -> PathBuf {
        self.root.join("swept")
    }

    pub(super) fn unfinished(&self) -> PathBuf {
        self.root.join("unfinished")
    }

    pub(super) fn servers(&self) -> PathBuf {
        self.root.join("servers")
    }

    pub(super) fn server(&self, folder: &str) -> PathBuf {
        self.servers().join(folder)
    }

    pub(super) fn entry(&self, folder: &str, name: &str) -> PathBuf {
        self.server(folder).join(name)
    }

    /// Makes the folders that are missing.
    pub(super) fn make(&self) -> io::Result<()> {
        for folder in [&self.root, &self.unfinished(), &self.servers()] {
            private_folder(folder)?;
        }
        Ok(())
    }
}

/// Makes a folder that only its owner may look into, or makes one so that is there already.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::metadata(folder)?.permissions().mode() & 0o777 != 0o700 {
                fs::set_permissions(folder, Permissions::from_mode(0o700))?;
            }
            Ok(())
        }
        other => other,
    }
}

/// A new file that only its owner may read.
pub(super) fn private_file(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(file)
}

/// What is in a folder; nothing where there is no folder. What goes meanwhile is left out.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, Metadata)> + use<> {
    let listed = fs::read_dir(folder).into_iter().flatten();
    listed.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.path(), entry.metadata().ok()?))
    })
}
