//! What one stream of a transfer may take of the machine.

use std::thread;

/// Plain bytes under way, whatever the number of cores: what hides the network's delay.
const BASE_BYTES: usize = 64 << 20;
/// Plain bytes under way for each worker: what keeps it busy.
const WORKER_BYTES: usize = 8 << 20;
/// Plain bytes under way of a small stream: two chunks of the largest length.
const SMALL_BYTES: usize = 32 << 20;

/// Threads and memory of one stream.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) worker_count: usize,
    /// Plain bytes between the stages at the two ends.
    pub(crate) room_bytes: usize,
}

impl Share {
    /// For a stream that is most of what the client has to do: all cores.
    pub(crate) fn large() -> Self {
        let worker_count = thread::available_parallelism().map_or(1, usize::from);
        Self { worker_count, room_bytes: BASE_BYTES + worker_count * WORKER_BYTES }
    }

    /// For one that is small beside another at the same time: names and metadata beside contents.
    pub(crate) fn small() -> Self {
        Self { worker_count: 1, room_bytes: SMALL_BYTES }
    }
}
