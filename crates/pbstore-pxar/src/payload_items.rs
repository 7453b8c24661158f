//! The items of a payload stream: markers at its ends, and a header in front of every content (pxar.md 7).

use crate::error::PxarError;
use crate::items::{Header, PAYLOAD, PAYLOAD_START_MARKER, PAYLOAD_TAIL_MARKER};

/// Checks the first item of a payload stream.
pub fn check_start(header: Header) -> Result<(), PxarError> {
    if header == (Header { item_type: PAYLOAD_START_MARKER, content_bytes: 0 }) {
        return Ok(());
    }
    Err(PxarError::payload(0, format!("it begins with an item of type {:016x}, not like a payload", header.item_type)))
}

/// Checks the header in front of the content of `size` bytes to which an entry refers at `offset`.
pub fn check_content(header: Header, offset: u64, size: u64) -> Result<(), PxarError> {
    let Header { item_type, content_bytes } = header;
    if item_type != PAYLOAD {
        let reason = format!("expected the content of a file, found an item of type {item_type:016x}");
        return Err(PxarError::payload(offset, reason));
    }
    if content_bytes != size {
        let reason = format!("a content of {content_bytes} bytes where the archive has a file of {size}");
        return Err(PxarError::payload(offset, reason));
    }
    Ok(())
}

/// Checks the last item of a payload stream.
pub fn check_end(header: Header, offset: u64) -> Result<(), PxarError> {
    if header == (Header { item_type: PAYLOAD_TAIL_MARKER, content_bytes: 0 }) {
        return Ok(());
    }
    Err(PxarError::payload(offset, "it does not end like a payload: a part of it is missing"))
}
