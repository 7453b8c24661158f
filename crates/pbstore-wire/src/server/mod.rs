//! The server's front: TLS listener, HTTP/1.1 for the application, HTTP/2 for sessions whose chunks never leave Rust.

mod answers;
pub mod application;
mod backup_calls;
mod complaint;
mod connection;
mod engine;
mod front;
mod lease;
mod limits;
mod memory;
mod pace;
mod parameters;
mod pieces;
mod reader_calls;
mod redirect;
mod request_body;
mod rest;
mod session;
mod session_body;
mod session_call;
mod session_turns;
mod stream_body;
mod target;
mod tls;
mod upgrade;
mod upload_body;
mod upload_progress;
mod visitors;
mod work;

pub use front::{Front, FrontError, FrontOptions};
pub use limits::Limits;
pub use memory::MIN_MEMORY_BYTES;
