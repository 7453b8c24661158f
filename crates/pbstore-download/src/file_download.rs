//! A single file of an archive.

use pbstore_pxar::{FileContent, PxarError, ReadAt};

use crate::portions::{Portions, MAX_PORTION_BYTES};
use crate::DownloadError;

/// The content of a file from its first byte to its last.
pub struct FileDownload {
    content: FileContent,
    position: u64,
}

impl FileDownload {
    /// Nothing is read yet.
    pub fn new(content: FileContent) -> Self {
        Self { content, position: 0 }
    }

    /// Bytes of all portions together.
    pub fn size(&self) -> u64 {
        self.content.size()
    }

    /// Replace what is in `buffer` by the next bytes, at most `limit`; false at the end.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<bool, DownloadError> {
        let left = self.content.size() - self.position;
        buffer.resize(usize::try_from(left).unwrap_or(usize::MAX).min(limit), 0);
        self.content.read_exact_at(buffer, self.position).map_err(PxarError::Read)?;
        self.position += buffer.len() as u64;
        Ok(!buffer.is_empty())
    }
}

impl Portions for FileDownload {
    fn next_portion(&mut self) -> Result<Option<Vec<u8>>, DownloadError> {
        let mut portion = Vec::new();
        let is_more = self.read(&mut portion, MAX_PORTION_BYTES)?;
        Ok(is_more.then_some(portion))
    }
}
