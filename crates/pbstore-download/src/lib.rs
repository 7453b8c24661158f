//! What people download out of the archives of a store: single files, directories as zip or as compressed tar.
//!
//! Everything is made portion by portion when it is asked for, in bounded memory whatever the size
//! (docs/design/downloads.md). Knows no network and no Python.

#![forbid(unsafe_code)]

mod error;
mod file_download;
mod format;
mod member;
mod members;
mod portions;
mod stored_archive;
mod tar;
mod tree_download;
mod zip;
mod zstd_output;

pub use error::DownloadError;
pub use file_download::FileDownload;
pub use portions::{Portions, MAX_PORTION_BYTES};
pub use stored_archive::{CachedStore, StoredArchive};
pub use tree_download::{tar_zst_download, zip_download};
