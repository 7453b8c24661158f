//! Memory for the goodbye tables of one archive, however many directories are open at once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

/// Bytes that all tables of an archive may take: some 350000 children.
const MAX_BYTES: u64 = 8 << 20;

/// How much of it is taken.
#[derive(Default)]
pub struct TableRoom(AtomicU64);

/// A table in memory; gives its room back when it goes.
pub struct KeptTable {
    bytes: Vec<u8>,
    room: Arc<TableRoom>,
}

impl TableRoom {
    /// Room for a table of that length, filled with zeros; `None` if there is not as much.
    pub fn take(self: &Arc<Self>, length: u64) -> Option<KeptTable> {
        let grow = |taken: u64| taken.checked_add(length).filter(|taken| *taken <= MAX_BYTES);
        self.0.fetch_update(Relaxed, Relaxed, grow).ok()?;
        Some(KeptTable { bytes: vec![0; length as usize], room: Arc::clone(self) })
    }
}

impl KeptTable {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for KeptTable {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes.len() as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_back() {
        let room = Arc::new(TableRoom::default());
        let kept = room.take(MAX_BYTES - 10).unwrap();
        assert!(room.take(11).is_none());
        assert_eq!(room.take(10).unwrap().bytes().len(), 10);
        drop(kept);
        assert!(room.take(MAX_BYTES).is_some());
        assert!(room.take(u64::MAX).is_none());
    }
}
