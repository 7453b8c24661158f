//! What a zip or tar file is made of.

use pbstore_pxar::metadata::Stat;
use pbstore_pxar::{Device, FileContent};

/// One name of the file.
pub(crate) struct Member {
    /// Where it goes: relative, without trailing slash.
    pub(crate) path: Vec<u8>,
    /// Owner, mode and times; of a hard link, those of its file.
    pub(crate) stat: Stat,
    pub(crate) body: Body,
}

/// What a member is.
pub(crate) enum Body {
    Directory,
    File(FileContent),
    /// Another name of the member at this path, which came before.
    HardLink(Vec<u8>),
    Symlink(Vec<u8>),
    BlockDevice(Device),
    CharDevice(Device),
    Fifo,
    Socket,
}
