//! Uploads: source, cutter, sealing workers, uploader and appender, each bounded (docs/design/pipelines.md).

mod buffers;
mod coordinator;
mod cutter;
mod image;
mod intake;
mod known;
mod pipeline;
mod sealing;
mod tree;
mod writer;

pub use image::{upload_image, ImageSource};
pub(crate) use known::KnownChunks;
pub use pipeline::{SealOptions, UploadStats};
pub use tree::{upload_tree, CatalogUpload, TreeOptions};
