//! Where chunks and indexes live, and what a session may do with them. Knows no network and no Python.

#![forbid(unsafe_code)]

mod atomic_file;
mod backup_chunks;
mod chunk_store;
mod chunk_verifier;
mod decoded_blob;
mod decoded_index;
mod dynamic_index_writer;
mod error;
mod fixed_index_writer;
mod index_entries;
mod index_file;
mod index_table;
mod local_chunk_store;
mod plain_chunk;
mod reader_chunks;
mod recovery;
mod recovery_output;
mod session_index;
mod sync_level;
mod verification;

pub use atomic_file::open_regular;
pub use backup_chunks::{BackupChunks, ChunkUpload};
pub use chunk_store::{ChunkStore, InsertOutcome, Inserted, SetAside, StoredChunk};
pub use chunk_verifier::ChunkVerifier;
pub use decoded_blob::DecodedBlob;
pub use decoded_index::DecodedIndex;
pub use dynamic_index_writer::DynamicIndexWriter;
pub use error::{Result, StoreError};
pub use fixed_index_writer::FixedIndexWriter;
pub use index_file::{IndexStats, UploadCounts};
pub use index_table::IndexTable;
pub use local_chunk_store::LocalChunkStore;
pub use plain_chunk::read_plain_chunk;
pub use reader_chunks::ReaderChunks;
pub use recovery::{IndexRecovery, RecoveryError, RecoveryOptions};
pub use recovery_output::RecoveryOutput;
pub use session_index::IndexKind;
pub use sync_level::SyncLevel;
pub use verification::{CheckProgress, ChunkOrder, IndexClaim, IndexVerdict, Verification, VerificationOptions};
