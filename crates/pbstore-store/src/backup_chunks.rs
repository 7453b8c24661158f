//! The chunk side of one backup session: what is known, which indexes are open (backup-protocol.md 1 and 2).

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pbstore_format::digest::to_hex;
use pbstore_format::{Digest, DynamicIndex, FixedIndex, FormatError};

use crate::atomic_file::Owner;
use crate::index_entries::IndexEntries;
use crate::index_file::{Identity, Placement};
use crate::session_index::{IndexKind, SessionIndex, Writer};
use crate::{ChunkStore, ChunkVerifier, DynamicIndexWriter, FixedIndexWriter, IndexStats, Result, StoreError};

/// Most writers that a session may open in its life, as writer ids end there (backup-protocol.md 1).
const MAX_WRITERS: u64 = 256;

/// What a client says about a chunk that it uploads.
#[derive(Debug, Clone, Copy)]
pub struct ChunkUpload {
    /// Kind of the writer it is for.
    pub kind: IndexKind,
    /// The writer it is for.
    pub wid: u64,
    /// Digest of the plain data, or keyed digest.
    pub digest: Digest,
    /// Length of the plain data.
    pub plain_bytes: u32,
}

/// Chunks and indexes of one backup session; calls may come from any thread.
pub struct BackupChunks {
    store: Arc<dyn ChunkStore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shut: bool,
    last_wid: u64,
    known: HashMap<Digest, u32>,
    indexes: BTreeMap<u64, SessionIndex>,
}

impl BackupChunks {
    /// Nothing known, nothing open.
    pub fn new(store: Arc<dyn ChunkStore>) -> Self {
        Self { store, state: Mutex::new(State::default()) }
    }

    /// Open a fixed index at `path`; without `size` it grows. Returns the writer id.
    ///
    /// # Errors
    /// `Refused` for size 0, a path that is open already, too many writers or a session that is shut; `Io`.
    pub fn create_fixed(&self, path: &Path, size: Option<u64>) -> Result<u64> {
        self.open_writer(path, |identity, placement| {
            FixedIndexWriter::create(path, size, identity, placement).map(Writer::Fixed)
        })
    }

    /// Open a fixed index that starts with the digests of the index at `base`, whose checksum must be `csum`.
    ///
    /// # Errors
    /// As [`Self::create_fixed`]; `Refused` also when the base does not fit; `Format` when it is no index.
    pub fn create_fixed_reusing(&self, path: &Path, size: u64, base: &Path, csum: &Digest) -> Result<u64> {
        let base = FixedIndex::parse(read_index(base)?)?;
        self.open_writer(path, |identity, placement| {
            FixedIndexWriter::create(path, Some(size), identity, placement)?.reuse(&base, csum).map(Writer::Fixed)
        })
    }

    /// Open a dynamic index at `path`. Returns the writer id.
    ///
    /// # Errors
    /// `Refused` for a path that is open already, too many writers or a session that is shut; `Io`.
    pub fn create_dynamic(&self, path: &Path) -> Result<u64> {
        self.open_writer(path, |identity, placement| {
            DynamicIndexWriter::create(path, identity, placement).map(Writer::Dynamic)
        })
    }

    fn open_writer(&self, path: &Path, create: impl FnOnce(Identity, Placement) -> Result<Writer>) -> Result<u64> {
        let placement = Placement { owner: Owner::of(self.store.root())?, level: self.store.sync_level() };
        let mut state = self.open_state()?;
        if state.indexes.values().any(|index| index.target() == path) {
            return Err(StoreError::Refused(format!("index {} is open already", path.display())));
        }
        if state.last_wid >= MAX_WRITERS {
            return Err(StoreError::Refused(format!("a session can have {MAX_WRITERS} indexes, not more")));
        }
        let writer = create(Identity::fresh(), placement)?;
        state.last_wid += 1;
        let wid = state.last_wid;
        state.indexes.insert(wid, SessionIndex::new(writer));
        Ok(wid)
    }

    /// Verify an uploaded chunk, store it, and make it known to the session.
    ///
    /// # Errors
    /// `Format` when it is not the announced data; `Refused` by the store, for an unknown writer, or by the writer's
    /// rules on sizes; `Io`.
    pub fn store_chunk(&self, verifier: &ChunkVerifier, upload: &ChunkUpload, blob: &mut [u8]) -> Result<()> {
        drop(self.open_state()?);
        verifier.accept(blob, &upload.digest, upload.plain_bytes)?;
        let inserted = self.store.insert(&upload.digest, blob)?;
        let mut state = self.open_state()?;
        state.index(upload.kind, upload.wid)?.count_upload(upload.plain_bytes, &inserted)?;
        state.known.insert(upload.digest, upload.plain_bytes);
        Ok(())
    }

    /// Append known chunks; each offset is where the chunk starts. After an error the entries before it stay.
    ///
    /// # Errors
    /// `Refused`: lists of different length, unknown writer or chunk, or an offset against the writer's rules; `Io`.
    pub fn append(&self, kind: IndexKind, wid: u64, digests: &[Digest], offsets: &[u64]) -> Result<()> {
        if digests.len() != offsets.len() {
            let text = format!("got {} digests and {} offsets: expected as many", digests.len(), offsets.len());
            return Err(StoreError::Refused(text));
        }
        let mut state = self.open_state()?;
        let State { known, indexes, .. } = &mut *state;
        let index = find(indexes, kind, wid)?;
        for (digest, &offset) in digests.iter().zip(offsets) {
            let length = known.get(digest);
            let length = length.ok_or_else(|| StoreError::Refused(format!("no such chunk {}", to_hex(digest))))?;
            index.append(digest, offset, *length)?;
        }
        Ok(())
    }

    /// Finish an index; its file gets its name. After an error the writer stays open.
    ///
    /// # Errors
    /// `Refused`: unknown writer, or count, size or checksum are not what the client says; `Io`.
    pub fn close_writer(
        &self,
        kind: IndexKind,
        wid: u64,
        chunk_count: u64,
        size: u64,
        csum: &Digest,
    ) -> Result<IndexStats> {
        let mut state = self.open_state()?;
        let stats = state.index(kind, wid)?.close(chunk_count, size, csum)?;
        state.indexes.remove(&wid);
        Ok(stats)
    }

    /// Make all chunks of a previous index known. Returns how many entries it has.
    ///
    /// # Errors
    /// `Format` when the file is no index; `Io`; `Refused` once the session is shut.
    pub fn register_index(&self, path: &Path) -> Result<u64> {
        let mut entries = IndexEntries::open_named(path)?;
        let mut state = self.open_state()?;
        let mut count = 0;
        while let Some(entry) = entries.next()? {
            let length = u32::try_from(entry.end.saturating_sub(entry.start));
            let length = length.map_err(|_| FormatError::malformed("index has a chunk that is too long"))?;
            state.known.insert(entry.digest, length);
            count += 1;
        }
        Ok(count)
    }

    /// An unnamed file on the store's file system, for an upload that cannot be kept in memory.
    ///
    /// # Errors
    /// `Io`.
    pub fn spool_file(&self) -> Result<File> {
        let root = self.store.root();
        tempfile::tempfile_in(root).map_err(StoreError::io("create a file in", root))
    }

    /// Number of indexes that are open.
    pub fn open_writer_count(&self) -> usize {
        self.state().indexes.len()
    }

    /// Forget everything, remove the files of open indexes, refuse all calls from now on. Safe to repeat.
    pub fn shut(&self) {
        let mut state = self.state();
        *state = State { shut: true, ..State::default() };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything can panic, so a poisoned state is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.shut {
            return Err(StoreError::refused("backup already finished or aborted"));
        }
        Ok(state)
    }
}

impl State {
    fn index(&mut self, kind: IndexKind, wid: u64) -> Result<&mut SessionIndex> {
        find(&mut self.indexes, kind, wid)
    }
}

fn find(indexes: &mut BTreeMap<u64, SessionIndex>, kind: IndexKind, wid: u64) -> Result<&mut SessionIndex> {
    let index = indexes.get_mut(&wid).filter(|index| index.kind() == kind);
    index.ok_or_else(|| StoreError::Refused(format!("{kind} writer '{wid}' not registered")))
}

/// An index of either kind.
pub(crate) enum AnyIndex {
    Fixed(FixedIndex),
    Dynamic(DynamicIndex),
}

/// Read an index file; its extension says which kind it must be.
pub(crate) fn parse_index(path: &Path) -> Result<AnyIndex> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("fidx") => Ok(AnyIndex::Fixed(FixedIndex::parse(read_index(path)?)?)),
        Some("didx") => Ok(AnyIndex::Dynamic(DynamicIndex::parse(read_index(path)?)?)),
        _ => Err(StoreError::Refused(format!("{} is no index: expected .fidx or .didx", path.display()))),
    }
}

fn read_index(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(StoreError::io("open index", path))
}
