//! What the walk warns of, in the words of the original.

use crate::report::quoted;

/// A path as messages show it: relative to the root, in quotes.
pub fn shown(path: &[u8]) -> String {
    quoted(path.strip_prefix(b"/").unwrap_or_default())
}

/// Something was removed or replaced since it was listed.
pub fn vanished(path: &[u8]) -> String {
    format!("warning: file vanished while reading: {}", shown(path))
}

/// The server of a network file system does not know a file any more.
pub fn stale(path: &[u8]) -> String {
    format!("warning: stale file handle encountered while reading: {}", shown(path))
}

/// A file has more content than when it was opened.
pub fn grown(path: &[u8]) -> String {
    format!("warning: file size increased while reading: {}, file will be truncated!", shown(path))
}

/// A file has less content than when it was opened.
pub fn shrunk(path: &[u8]) -> String {
    format!("warning: file size shrunk while reading: {}, file will be padded with zeros!", shown(path))
}
