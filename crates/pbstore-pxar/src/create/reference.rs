//! The previous archive that unchanged files are compared with (version-4.md 2.2).

use std::sync::Arc;

use pbstore_format::DynamicIndex;

use crate::read_at::ReadAt;

/// A previous split archive: its metadata stream, and the index of its payload stream.
#[derive(Clone)]
pub struct Reference {
    /// The metadata stream.
    pub metadata: Arc<dyn ReadAt>,
    /// Where the chunks of the payload stream end, and their digests.
    pub payload_index: Arc<DynamicIndex>,
}
