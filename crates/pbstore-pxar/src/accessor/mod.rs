//! Random access to an archive, version 1 or split: from the end to the root, and down by the goodbye tables.
//!
//! Nothing is scanned, and nothing is believed: a directory lies inside its parent's range and is smaller, so no archive
//! leads in circles; a hard link leads to an earlier file or nowhere; what a table says of a child is checked against
//! the child. Sizes of files in split archives are not used, as writers differ in them (pxar.md 5).

mod content;
mod directory;
mod entries;
mod found;
mod table;
mod table_room;
mod walk;

use std::sync::Arc;

use crate::error::PxarError;
use crate::input::Input;
use crate::items::HEADER_BYTES;
use crate::payload_items;
use crate::read_at::ReadAt;

pub use self::content::FileContent;
pub use self::directory::Directory;
pub use self::entries::Entries;
pub use self::found::Found;
use self::table_room::TableRoom;
pub use self::walk::TreeWalk;

/// An open archive; its directories share it.
pub struct Accessor {
    archive: Arc<dyn ReadAt>,
    payload: Option<Arc<dyn ReadAt>>,
    room: Arc<TableRoom>,
}

impl Accessor {
    /// Opens an archive and returns its root: a version 1 archive, or the metadata stream of a split one.
    ///
    /// # Errors
    ///
    /// The archive cannot be read, or its beginning or end is damaged.
    pub fn open(archive: Arc<dyn ReadAt>) -> Result<Directory, PxarError> {
        Directory::root(Arc::new(Self { archive, payload: None, room: Arc::default() }))
    }

    /// Opens a split archive with the stream that has the contents of its files.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and if `payload` does not begin like a payload stream.
    pub fn with_payload(archive: Arc<dyn ReadAt>, payload: Arc<dyn ReadAt>) -> Result<Directory, PxarError> {
        let header = Input::between(&payload, 0, payload.size().min(HEADER_BYTES)).header();
        payload_items::check_start(header.map_err(PxarError::in_payload)?)?;
        Directory::root(Arc::new(Self { archive, payload: Some(payload), room: Arc::default() }))
    }
}
