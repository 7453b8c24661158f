//! Blobs, chunks, digests, index files and the chunker: bytes to values and back. No I/O, no unsafe, no panics.

#![forbid(unsafe_code)]

pub mod blob;
pub mod chunker;
pub mod crypt;
pub mod digest;
pub mod dynamic_index;
mod entry_scanner;
mod error;
pub mod fixed_index;
pub mod index;
mod self_test;

pub use blob::{BlobKind, Opener, Sealer};
pub use chunker::{Chunker, PayloadChunker};
pub use crypt::CryptKey;
pub use digest::{chunk_digest, Digest};
pub use dynamic_index::DynamicIndex;
pub use entry_scanner::{EntryScanner, IndexEntry};
pub use error::{FormatError, Result};
pub use fixed_index::FixedIndex;
pub use index::Index;
pub use self_test::self_test;
