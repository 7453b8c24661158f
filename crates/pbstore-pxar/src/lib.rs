//! The pxar archive format and the catalog: values, encoder, decoder, directory trees to archives and back.
//!
//! The formats are described in `docs/formats/pxar.md` and `docs/formats/catalog.md`.

pub mod accessor;
pub mod catalog;
mod check;
mod chunk_cache;
pub mod comparison;
pub mod create;
mod cursor;
pub mod decoder;
mod directory_stack;
pub mod encoder;
pub mod entry;
mod entry_reader;
mod error;
pub mod extract;
pub mod flags;
pub mod goodbye;
mod inode;
mod inode_flags;
mod input;
pub mod items;
pub mod metadata;
mod metadata_items;
mod output;
pub mod pattern;
mod payload_input;
mod payload_items;
mod payload_output;
pub mod payload_sink;
mod posix_acl;
pub mod read_at;
mod report;
mod section;

pub use accessor::{Accessor, Directory, FileContent, Found, TreeWalk};
pub use check::{check_archive, CheckStats};
pub use chunk_cache::ChunkCache;
pub use comparison::{Change, Changes, Comparison, Difference};
pub use create::{create_archive, create_split_archive, CreateOptions, CreateStats, Reference};
pub use cursor::Cursor;
pub use decoder::{Decoder, Event};
pub use encoder::{Encoder, Lengths};
pub use entry::{Device, Entry, Kind};
pub use error::PxarError;
pub use extract::{extract_archive, ExtractOptions, ExtractStats};
pub use flags::Flags;
pub use metadata::Metadata;
pub use pattern::Pattern;
pub use payload_sink::{PayloadSink, PlainPayload, ReusedChunk};
pub use read_at::{ChunkPlace, FileAt, ReadAt};
pub use report::{quoted, Reporter, Silent};
pub use section::Section;
