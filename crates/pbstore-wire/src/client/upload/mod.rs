//! Uploads: source, cutter, sealing workers, uploader and appender, each bounded (docs/design/pipelines.md).

mod buffers;
mod coordinator;
mod cutter;
mod image;
mod intake;
mod known;
mod payload;
mod pipeline;
mod sealing;
mod split_tree;
mod tree;
mod writer;

pub use image::{upload_image, ImageSource};
pub(crate) use known::KnownChunks;
pub use pipeline::{SealOptions, UploadStats};
pub use split_tree::{upload_split_tree, PreviousSplit, SplitNames, SplitUploadStats};
pub use tree::{upload_tree, CatalogUpload, TreeOptions};
