//! The client against a server in memory that speaks the real protocols over real TLS.

mod connecting;
mod image_transfer;
mod noise;
mod proxying;
mod remote_archive;
mod split_transfer;
mod strict_server;
