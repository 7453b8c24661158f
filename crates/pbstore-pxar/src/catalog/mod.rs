//! The catalog: a compact tree of the names in a snapshot's archives (catalog.md).

mod reader;
mod varint;
mod walk;
mod writer;

pub use reader::{CatalogDirectory, CatalogEntry, CatalogReader};
pub use walk::CatalogWalk;
pub use writer::CatalogWriter;

use crate::error::PxarError;

/// First bytes of every catalog.
pub const MAGIC: [u8; 8] = [0x91, 0xfd, 0x60, 0xf9, 0xc4, 0x67, 0x58, 0xd5];

/// Names have to be shorter than this.
pub const NAME_LIMIT_BYTES: u64 = 4096;

/// What a name in the catalog is; the value is the byte that the file has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogKind {
    /// A directory.
    Directory = b'd' as isize,
    /// A regular file.
    File = b'f' as isize,
    /// A symbolic link.
    Symlink = b'l' as isize,
    /// Another name of an earlier file.
    Hardlink = b'h' as isize,
    /// A block device.
    BlockDevice = b'b' as isize,
    /// A character device.
    CharDevice = b'c' as isize,
    /// A named pipe.
    Fifo = b'p' as isize,
    /// A Unix socket.
    Socket = b's' as isize,
}

impl CatalogKind {
    const ALL: [Self; 8] = [
        Self::Directory,
        Self::File,
        Self::Symlink,
        Self::Hardlink,
        Self::BlockDevice,
        Self::CharDevice,
        Self::Fifo,
        Self::Socket,
    ];

    /// The byte in the file, which is also the letter that listings show.
    pub fn byte(self) -> u8 {
        self as u8
    }

    /// The kind of a byte, or `None` if there is no such kind.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Takes the names of an archive in archive order while it is made.
pub trait CatalogSink {
    /// A directory begins; what follows is in it.
    fn start_directory(&mut self, name: &[u8]) -> Result<(), PxarError>;

    /// The innermost directory is complete.
    fn end_directory(&mut self) -> Result<(), PxarError>;

    /// A regular file with its size in bytes and its mtime in seconds.
    fn add_file(&mut self, name: &[u8], size: u64, mtime_seconds: i64) -> Result<(), PxarError>;

    /// Anything that is neither directory nor regular file.
    fn add_other(&mut self, name: &[u8], kind: CatalogKind) -> Result<(), PxarError>;
}
