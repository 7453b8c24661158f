//! What an archive was made of.

use crate::items::HEADER_BYTES;

/// Counts of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateStats {
    /// Entries of all kinds, the root included.
    pub entry_count: u64,
    /// Regular files, those that were only referenced included.
    pub file_count: u64,
    /// Hard links to those files.
    pub hardlink_count: u64,
    /// Content of the regular files.
    pub file_bytes: u64,
    /// Length of the archive; of a split one, of its metadata stream.
    pub archive_bytes: u64,
    /// Length of the payload stream of a split archive.
    pub payload_bytes: u64,
    /// Unchanged files whose content was not read, but referenced in chunks of the previous archive.
    pub reused_file_count: u64,
    /// Content of those files.
    pub reused_file_bytes: u64,
    /// Chunks of the previous payload stream that were used again.
    pub injected_chunk_count: u64,
    /// Plain bytes of those chunks.
    pub injected_bytes: u64,
    /// Those among them that hold more than the files that were referenced.
    pub partial_chunk_count: u64,
    /// Warnings that the reporter was given.
    pub warning_count: u64,
}

impl CreateStats {
    /// Files whose content was read.
    pub fn encoded_file_count(&self) -> u64 {
        self.file_count - self.reused_file_count
    }

    /// Bytes of the payload stream that hold files whose content was read, with a header each.
    pub fn encoded_payload_bytes(&self) -> u64 {
        self.file_bytes - self.reused_file_bytes + HEADER_BYTES * self.encoded_file_count()
    }

    /// Bytes of the payload stream that hold files which were referenced, with a header each.
    pub fn reused_payload_bytes(&self) -> u64 {
        self.reused_file_bytes + HEADER_BYTES * self.reused_file_count
    }

    /// Bytes of the chunks used again that belong to no file.
    pub fn padding_bytes(&self) -> u64 {
        self.injected_bytes - self.reused_payload_bytes()
    }
}
