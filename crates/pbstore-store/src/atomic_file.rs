//! Files that appear complete or not at all: temporary file, owner, mode, rename (datastore-layout.md 1.1).

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Gid, OFlags, Uid};

use crate::{Result, StoreError, SyncLevel};

/// Mode of chunks and index files.
pub(crate) const FILE_MODE: u32 = 0o644;

/// Who new files shall belong to; only root can give files away, so for anyone else it is nobody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner(Option<(Uid, Gid)>);

impl Owner {
    /// The owner of the datastore's root directory, so that the datastore can be handed back to another server.
    pub(crate) fn of(directory: &Path) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let metadata = fs::metadata(directory).map_err(StoreError::io("inspect", directory))?;
        Ok(Self(Some((Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid())))))
    }

    /// Hand over an open file or directory.
    pub(crate) fn give(self, file: &File, path: &Path) -> Result<()> {
        match self.0 {
            None => Ok(()),
            Some((uid, gid)) => {
                rustix::fs::fchown(file, Some(uid), Some(gid)).map_err(StoreError::io("change owner of", path))
            }
        }
    }

    /// Set mode and owner regardless of the process's umask.
    pub(crate) fn claim(self, file: &File, mode: u32, path: &Path) -> Result<()> {
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(StoreError::io("set mode of", path))?;
        self.give(file, path)
    }
}

/// Open a file for reading, with its length; links and everything that is no regular file are refused.
///
/// # Errors
/// What the system says, or `InvalidInput` for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok((file, metadata.len()))
}

/// Write `data` to `path`; an existing file is replaced in one step.
pub(crate) fn write(path: &Path, data: &[u8], owner: Owner, level: SyncLevel) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut prefix = path.file_name().unwrap_or(OsStr::new("")).to_owned();
    prefix.push(".tmp_");
    let mut temporary = tempfile::Builder::new()
        .prefix(&prefix)
        .tempfile_in(directory)
        .map_err(StoreError::io("create temporary file for", path))?;
    owner.claim(temporary.as_file(), FILE_MODE, path)?;
    temporary.write_all(data).map_err(StoreError::io("write", path))?;
    if level == SyncLevel::File {
        temporary.as_file().sync_all().map_err(StoreError::io("sync", path))?;
    }
    temporary.persist(path).map_err(|error| StoreError::io("rename to", path)(error.error))?;
    if level == SyncLevel::File {
        sync_directory(directory)?;
    }
    Ok(())
}

/// Make the entries of a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    let opened = File::open(directory).map_err(StoreError::io("open", directory))?;
    opened.sync_all().map_err(StoreError::io("sync", directory))
}
