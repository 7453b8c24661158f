//! An entry of an archive, as readers hand it out.

use crate::metadata::Metadata;

/// Numbers of a device node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Driver.
    pub major: u64,
    /// Device of that driver.
    pub minor: u64,
}

/// What an entry is, with what belongs to that kind only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory; its children follow.
    Directory,
    /// A regular file; its content can be read now.
    File {
        /// Content, in bytes.
        size: u64,
        /// Offset of the content's header in the payload stream of a split archive, which has no content here.
        payload_offset: Option<u64>,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points.
        target: Vec<u8>,
    },
    /// Another name of an earlier file; has no metadata of its own.
    Hardlink {
        /// Path of that file from the archive's root, without leading slash.
        target: Vec<u8>,
        /// Bytes from that file's name item to this one's.
        distance: u64,
    },
    /// A block device.
    BlockDevice(Device),
    /// A character device.
    CharDevice(Device),
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
}

/// One name in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name in its directory; empty for the root.
    pub name: Vec<u8>,
    /// Where its name item begins, in bytes from the start of the archive; 0 for the root, which has none.
    pub name_start: u64,
    /// What it is.
    pub kind: Kind,
    /// Owner, mode, times, attributes; all zero for a hard link.
    pub metadata: Metadata,
}
