//! How a download hands out its bytes.

use crate::DownloadError;

/// No portion is longer.
pub const MAX_PORTION_BYTES: usize = 1 << 20;

/// Bytes that are made when they are asked for, a bounded piece of work at a time: what is compressed very well takes
/// much work for few bytes, and whoever asks may have gone meanwhile.
pub trait Portions: Send {
    /// The next bytes, at most [`MAX_PORTION_BYTES`], perhaps none for once; `None` at the end.
    ///
    /// # Errors
    /// The download cannot be completed.
    fn next_portion(&mut self) -> Result<Option<Vec<u8>>, DownloadError>;
}
