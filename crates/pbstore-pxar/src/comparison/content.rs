//! Whether two files hold the same bytes.

use super::side::Side;
use crate::entry::Entry;
use crate::error::PxarError;
use crate::read_at::ReadAt;

const BUFFER_BYTES: usize = 1 << 20;

/// Compares the contents of two files of the same size. What both archives have in the same chunks is not read.
pub fn same_content(old_side: &Side, old: &Entry, new_side: &Side, new: &Entry) -> Result<bool, PxarError> {
    let (old_unread, new_unread) = (old_side.unread_content(old)?, new_side.unread_content(new)?);
    if shared_bytes(&old_unread, &new_unread, 0) == old_unread.size() {
        return Ok(true);
    }
    same_bytes(&old_side.content(old)?, &new_side.content(new)?)
}

fn same_bytes(old: &dyn ReadAt, new: &dyn ReadAt) -> Result<bool, PxarError> {
    let mut buffers = [Vec::new(), Vec::new()];
    let mut offset = 0;
    while offset < old.size() {
        let shared = shared_bytes(old, new, offset);
        if shared > 0 {
            offset += shared;
            continue;
        }
        let count = (old.size() - offset).min(BUFFER_BYTES as u64) as usize;
        for (source, buffer) in [old, new].into_iter().zip(&mut buffers) {
            buffer.resize(count, 0);
            source.read_exact_at(buffer, offset).map_err(PxarError::Read)?;
        }
        if buffers[0] != buffers[1] {
            return Ok(false);
        }
        offset += count as u64;
    }
    Ok(true)
}

/// How many bytes from `start` on are in the same places of the same chunks.
fn shared_bytes(old: &dyn ReadAt, new: &dyn ReadAt, start: u64) -> u64 {
    let mut offset = start;
    while offset < old.size() {
        let (Some(old_place), Some(new_place)) = (old.chunk_at(offset), new.chunk_at(offset)) else { break };
        let shared = old_place.rest.min(new_place.rest);
        if (old_place.digest, old_place.before) != (new_place.digest, new_place.before) || shared == 0 {
            break;
        }
        offset += shared;
    }
    offset - start
}
