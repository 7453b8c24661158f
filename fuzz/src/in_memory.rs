//! An archive in memory that can be read at any place.

use std::io;
use std::sync::Arc;

use pbstore_pxar::ReadAt;

/// Bytes as a source.
pub struct InMemory(Vec<u8>);

impl InMemory {
    /// Takes a copy of `bytes`.
    pub fn shared(bytes: &[u8]) -> Arc<dyn ReadAt> {
        Arc::new(Self(bytes.to_vec()))
    }
}

impl ReadAt for InMemory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0.get(start..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
