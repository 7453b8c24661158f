//! The client against a server in memory that speaks the real protocols over real TLS.

mod connecting;
mod image_transfer;
mod proxying;
mod strict_server;
