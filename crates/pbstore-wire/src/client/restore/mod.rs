//! Restores: fetching with read-ahead, checking workers, and what the chunks are written to (docs/design/pipelines.md).

mod archive;
mod checking;
mod fetching;
mod image;
mod ordered;
mod remote;
mod tree;
mod verify;

pub use archive::{Archive, CryptMode};
pub use image::restore_image;
pub use ordered::restore_stream;
pub use remote::RemoteArchive;
pub use tree::{restore_tree, RestoreStats, TreeArchive};
pub use verify::{verify_chunks, verify_tree, VerifyStats};
