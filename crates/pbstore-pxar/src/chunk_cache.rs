//! Chunks that were loaded for reads at any place, kept for a while: as many as have room, the ones used last.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Chunks that are kept at most, however small.
const MAX_CHUNKS: usize = 1024;

/// Plain chunks by a key that says what is in them; threads share it.
pub struct ChunkCache<K> {
    kept: Mutex<Kept<K>>,
}

/// A chunk that is wanted by somebody; locked while it is loaded.
type Slot = Arc<Mutex<Option<Arc<Vec<u8>>>>>;

struct Kept<K> {
    max_bytes: usize,
    chunks: HashMap<K, Chunk>,
    bytes: usize,
    /// Counts uses.
    now: u64,
}

struct Chunk {
    slot: Slot,
    length: usize,
    last_use: u64,
}

impl<K: Copy + Eq + Hash> ChunkCache<K> {
    /// Keeps chunks of so many bytes together.
    pub fn new(max_bytes: usize) -> Self {
        Self { kept: Mutex::new(Kept { max_bytes, chunks: HashMap::new(), bytes: 0, now: 0 }) }
    }

    /// The chunk of this key, `length` bytes. Whoever comes first loads it, others wait; after a failure the next one
    /// tries again.
    ///
    /// # Errors
    ///
    /// What `load` says.
    pub fn get<E>(&self, key: K, length: usize, load: impl FnOnce() -> Result<Vec<u8>, E>) -> Result<Arc<Vec<u8>>, E> {
        let slot = locked(&self.kept).slot(key, length);
        let mut content = locked(&slot);
        if let Some(data) = &*content {
            return Ok(Arc::clone(data));
        }
        let data = Arc::new(load()?);
        *content = Some(Arc::clone(&data));
        Ok(data)
    }
}

impl<K: Copy + Eq + Hash> Kept<K> {
    /// The place of a chunk, which counts as filled from now on.
    fn slot(&mut self, key: K, length: usize) -> Slot {
        self.now += 1;
        if let Some(chunk) = self.chunks.get_mut(&key) {
            chunk.last_use = self.now;
            return Arc::clone(&chunk.slot);
        }
        let slot = Slot::default();
        self.chunks.insert(key, Chunk { slot: Arc::clone(&slot), length, last_use: self.now });
        self.bytes += length;
        while self.bytes > self.max_bytes || self.chunks.len() > MAX_CHUNKS {
            self.drop_oldest();
        }
        slot
    }

    fn drop_oldest(&mut self) {
        let oldest = self.chunks.iter().min_by_key(|(_, chunk)| chunk.last_use).map(|(key, _)| *key);
        if let Some(chunk) = oldest.and_then(|key| self.chunks.remove(&key)) {
            self.bytes -= chunk.length;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a chunk; whether it was loaded for that.
    fn is_loaded(cache: &ChunkCache<u32>, key: u32, length: usize) -> bool {
        let mut loaded = false;
        let load = || {
            loaded = true;
            Ok::<_, ()>(vec![0; length])
        };
        assert_eq!(cache.get(key, length, load).unwrap().len(), length);
        loaded
    }

    #[test]
    fn the_ones_used_last_are_kept() {
        let cache = ChunkCache::new(300);
        assert!((1..=3).all(|key| is_loaded(&cache, key, 100)));
        assert!(!is_loaded(&cache, 1, 100));
        assert!(is_loaded(&cache, 4, 100));
        assert!(!is_loaded(&cache, 1, 100));
        assert!(is_loaded(&cache, 2, 100));
    }

    #[test]
    fn there_is_a_bound_for_small_ones_too() {
        let cache = ChunkCache::new(1 << 20);
        assert!((0..2000).all(|key| is_loaded(&cache, key, 1)));
        assert!(is_loaded(&cache, 0, 1));
        assert!(!is_loaded(&cache, 1999, 1));
    }

    #[test]
    fn what_is_larger_than_all_room_is_read_and_not_kept() {
        let cache = ChunkCache::new(10);
        assert!(is_loaded(&cache, 1, 100));
        assert!(is_loaded(&cache, 1, 100));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let cache = ChunkCache::new(300);
        cache.get(1, 100, || Err::<Vec<u8>, _>("gone")).unwrap_err();
        assert!(is_loaded(&cache, 1, 100));
    }
}
