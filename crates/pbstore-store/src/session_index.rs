//! An index that a backup session has open: its writer, and what was uploaded for it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use pbstore_format::fixed_index::CHUNK_SIZE;
use pbstore_format::Digest;

use crate::index_file::UploadCounts;
use crate::{DynamicIndexWriter, FixedIndexWriter, IndexStats, Inserted, Result, StoreError};

/// The two kinds of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// Block images, `.fidx`.
    Fixed,
    /// Archive streams, `.didx`.
    Dynamic,
}

impl fmt::Display for IndexKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fixed => "fixed",
            Self::Dynamic => "dynamic",
        })
    }
}

impl FromStr for IndexKind {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "fixed" => Ok(Self::Fixed),
            "dynamic" => Ok(Self::Dynamic),
            _ => Err(StoreError::Refused(format!("unknown kind of index {text:?}: expected fixed or dynamic"))),
        }
    }
}

pub(crate) enum Writer {
    Fixed(FixedIndexWriter),
    Dynamic(DynamicIndexWriter),
}

/// One writer id of a session.
pub(crate) struct SessionIndex {
    writer: Writer,
    uploads: UploadCounts,
    has_short_chunk: bool,
}

impl SessionIndex {
    pub(crate) fn new(writer: Writer) -> Self {
        Self { writer, uploads: UploadCounts::default(), has_short_chunk: false }
    }

    pub(crate) fn kind(&self) -> IndexKind {
        match self.writer {
            Writer::Fixed(_) => IndexKind::Fixed,
            Writer::Dynamic(_) => IndexKind::Dynamic,
        }
    }

    pub(crate) fn target(&self) -> &Path {
        match &self.writer {
            Writer::Fixed(writer) => writer.target(),
            Writer::Dynamic(writer) => writer.target(),
        }
    }

    pub(crate) fn append(&mut self, digest: &Digest, offset: u64, length: u32) -> Result<()> {
        match &mut self.writer {
            Writer::Fixed(writer) => writer.append(digest, offset, u64::from(length)),
            Writer::Dynamic(writer) => writer.append(digest, offset, u64::from(length)),
        }
    }

    /// Count an upload; a fixed index takes one chunk shorter than the others, its last.
    pub(crate) fn count_upload(&mut self, plain_bytes: u32, inserted: &Inserted) -> Result<()> {
        if self.kind() == IndexKind::Fixed {
            self.check_fixed_size(u64::from(plain_bytes))?;
        }
        let counts = &mut self.uploads;
        counts.upload_count = counts.upload_count.saturating_add(1);
        counts.upload_bytes = counts.upload_bytes.saturating_add(u64::from(plain_bytes));
        counts.compressed_bytes = counts.compressed_bytes.saturating_add(inserted.stored_bytes);
        counts.duplicate_count = counts.duplicate_count.saturating_add(u64::from(inserted.is_duplicate()));
        Ok(())
    }

    fn check_fixed_size(&mut self, plain_bytes: u64) -> Result<()> {
        if plain_bytes > CHUNK_SIZE {
            let text = format!("fixed writer takes chunks of at most {CHUNK_SIZE} bytes, got {plain_bytes}");
            return Err(StoreError::Refused(text));
        }
        if plain_bytes < CHUNK_SIZE {
            if self.has_short_chunk {
                let text = format!("fixed writer got a second chunk shorter than {CHUNK_SIZE} bytes");
                return Err(StoreError::Refused(text));
            }
            self.has_short_chunk = true;
        }
        Ok(())
    }

    pub(crate) fn close(&mut self, chunk_count: u64, size: u64, csum: &Digest) -> Result<IndexStats> {
        let stats = match &mut self.writer {
            Writer::Fixed(writer) => writer.close(chunk_count, size, csum),
            Writer::Dynamic(writer) => writer.close(chunk_count, size, csum),
        }?;
        Ok(IndexStats { uploads: self.uploads, ..stats })
    }
}
