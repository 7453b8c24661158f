//! An inode of the tree with everything that an archive needs of it, except content.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use crate::entry::Device;
use crate::metadata::Metadata;

use super::links::InodeId;

/// One name of the tree, ready to be stored.
pub struct Item {
    pub name: CString,
    pub metadata: Metadata,
    pub body: Body,
}

/// What there is besides metadata.
pub enum Body {
    File(OpenFile),
    /// Another name of a file that was met before; `metadata` is empty.
    Hardlink(InodeId),
    /// A symbolic link and where it points.
    Symlink(CString),
    Device(Device),
    /// A named pipe or a socket.
    Special,
    /// A directory; its children follow, then its end.
    Directory,
}

/// A regular file that can be read.
pub struct OpenFile {
    pub fd: OwnedFd,
    /// Content in bytes when the file was opened.
    pub size: u64,
    /// For files that hard links can refer to.
    pub id: Option<InodeId>,
}

impl Item {
    /// Memory that the item holds, in bytes.
    pub fn held_bytes(&self) -> usize {
        let target_bytes = match &self.body {
            Body::Symlink(target) => target.to_bytes().len(),
            _ => 0,
        };
        size_of::<Self>() + self.name.to_bytes().len() + self.metadata.held_bytes() + target_bytes
    }
}
