//! The client's side: a verified connection, sessions on it, and the pipelines that fill and empty them.

mod connect;
mod error;
mod progress;
mod proxy;
mod rest;
mod restore;
mod running;
mod runtime;
mod session;
mod share;
mod tree_report;
mod upload;

pub use connect::ServerAddress;
pub use error::ClientError;
pub use progress::{LogLine, Progress};
pub use proxy::Proxy;
pub use rest::{Answer, Connection};
pub use restore::{
    restore_image, restore_stream, restore_tree, verify_chunks, verify_tree, Archive, CryptMode, RemoteArchive,
    RestoreStats, TreeArchive, VerifyStats,
};
pub use session::{Call, Session};
pub use upload::{
    upload_image, upload_split_tree, upload_tree, CatalogUpload, ImageSource, PreviousSplit, SealOptions, SplitNames,
    SplitUploadStats, TreeOptions, UploadStats,
};
