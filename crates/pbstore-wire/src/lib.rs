//! What moves bytes between the two ends: the server's front and sessions, the client's connection and pipelines.

pub mod client;
pub mod protocol;
pub mod server;
pub mod traffic;
