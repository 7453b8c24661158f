//! What the fuzz targets share: a bound on memory, bytes that steer a target, an archive as a list, a place to extract to.

pub mod flat_tree;
pub mod in_memory;
pub mod memory;
pub mod outside;
pub mod plain_chunker;
pub mod plain_glob;
pub mod steering;

pub use in_memory::InMemory;
pub use memory::within;
pub use steering::Steering;
