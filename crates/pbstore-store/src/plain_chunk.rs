//! A chunk as its archive has it: for readers inside the server, which has no key.

use pbstore_format::digest::sha256;
use pbstore_format::{Digest, FormatError, IndexEntry, Opener};

use crate::{ChunkStore, Result, StoreError};

/// Read, check and decode the chunk of an entry.
///
/// # Errors
/// `Chunk` for one that is damaged, encrypted or not what its digest says; `Io`.
pub fn read_plain_chunk(store: &dyn ChunkStore, entry: &IndexEntry) -> Result<Vec<u8>> {
    let blob = store.read(&entry.digest)?;
    let length = usize::try_from(entry.end - entry.start).unwrap_or(usize::MAX);
    decode(&blob, &entry.digest, length).map_err(|source| StoreError::Chunk { digest: entry.digest, source })
}

fn decode(blob: &[u8], digest: &Digest, length: usize) -> Result<Vec<u8>, FormatError> {
    let data = Opener::new(None)?.open(blob, length)?;
    if data.len() != length {
        return Err(FormatError::WrongLength { expected: length as u64, found: data.len() as u64 });
    }
    let found = sha256(&data);
    if found != *digest {
        return Err(FormatError::WrongDigest { expected: *digest, found });
    }
    Ok(data)
}
