//! A store in a temporary directory, and chunks to put into it.

#![allow(dead_code)] // each test program uses its part

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pbstore_format::{blob, chunk_digest, CryptKey, Digest};
use pbstore_store::{BackupChunks, ChunkUpload, ChunkVerifier, IndexKind, LocalChunkStore, Result, SyncLevel};

pub const CHUNK: u64 = 4 << 20;

/// A fresh store; only the chunk directories of `digests` are there, as all 65536 take a while to make.
pub struct Place {
    pub directory: tempfile::TempDir,
    pub store: Arc<LocalChunkStore>,
}

impl Place {
    pub fn new(level: SyncLevel) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(".chunks")).unwrap();
        let store = Arc::new(LocalChunkStore::open(directory.path(), level).unwrap());
        Self { directory, store }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn chunk_path(&self, digest: &Digest) -> PathBuf {
        let name = pbstore_format::digest::to_hex(digest);
        let directory = self.path().join(".chunks").join(&name[..4]);
        std::fs::create_dir_all(&directory).unwrap();
        directory.join(name)
    }

    pub fn session(&self) -> BackupChunks {
        BackupChunks::new(self.store.clone())
    }
}

/// Upload plain data as a client would.
pub fn upload(place: &Place, session: &BackupChunks, kind: IndexKind, wid: u64, data: &[u8]) -> Result<Digest> {
    let digest = chunk_digest(data, None);
    place.chunk_path(&digest);
    let mut blob = blob::seal(data, None, true)?;
    let plain_bytes = u32::try_from(data.len()).unwrap();
    session.store_chunk(&ChunkVerifier::new(), &ChunkUpload { kind, wid, digest, plain_bytes }, &mut blob)?;
    Ok(digest)
}

pub fn key() -> CryptKey {
    CryptKey::new(std::array::from_fn(|index| u8::try_from(index).unwrap()))
}

/// Checksum of a fixed index.
pub fn fixed_csum(digests: &[Digest]) -> Digest {
    pbstore_format::digest::sha256(&digests.concat())
}

pub fn hex(digest: &Digest) -> String {
    pbstore_format::digest::to_hex(digest)
}
