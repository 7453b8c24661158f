//! The pxar archive format and the catalog: values, encoder, decoder, directory trees to archives and back.
//!
//! The formats are described in `docs/formats/pxar.md` and `docs/formats/catalog.md`.

pub mod catalog;
pub mod create;
pub mod entry;
mod error;
pub mod extract;
pub mod flags;
pub mod items;
pub mod metadata;
pub mod pattern;
mod report;

pub use create::{create_archive, CreateOptions, CreateStats};
pub use entry::{Device, Entry, Kind};
pub use error::PxarError;
pub use extract::{extract_archive, ExtractOptions, ExtractStats};
pub use flags::Flags;
pub use metadata::Metadata;
pub use pattern::Pattern;
pub use report::{quoted, Reporter, Silent};
