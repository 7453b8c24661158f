//! The directory at the end of a zip file, collected while the members are written.

use std::io::{Read, Seek, Write};
use std::path::Path;

use tempfile::SpooledTempFile;

use super::record::{put_u16, put_u32, put_u64, Record, ELSEWHERE, MADE_ON_UNIX, VERSION_ZIP64};
use crate::DownloadError;

/// A directory that is longer lies in a file.
const MAX_MEMORY_BYTES: usize = 256 << 10;
const PIECE_BYTES: u64 = 64 << 10;

const END_ZIP64: u32 = 0x0606_4b50;
const LOCATOR_ZIP64: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;
/// Bytes of the end for zip64 behind its own length.
const END_ZIP64_BYTES: u64 = 44;

/// The entries of all members.
pub(super) struct CentralDirectory {
    entries: SpooledTempFile,
    count: u64,
    bytes: u64,
    is_complete: bool,
}

impl CentralDirectory {
    pub(super) fn new(spool: &Path) -> Self {
        let entries = tempfile::spooled_tempfile_in(MAX_MEMORY_BYTES, spool);
        Self { entries, count: 0, bytes: 0, is_complete: false }
    }

    pub(super) fn add(&mut self, record: &Record) -> Result<(), DownloadError> {
        let mut entry = Vec::new();
        record.put_central_header(&mut entry);
        self.entries.write_all(&entry).map_err(DownloadError::Spool)?;
        self.count += 1;
        self.bytes += entry.len() as u64;
        Ok(())
    }

    /// Appends the next piece; false when that was the last one. `start` is where the last member ended.
    pub(super) fn put_next(&mut self, start: u64, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        if !self.is_complete {
            self.entries.rewind().map_err(DownloadError::Spool)?;
            self.is_complete = true;
        }
        let piece = (&mut self.entries).take(PIECE_BYTES).read_to_end(out);
        if piece.map_err(DownloadError::Spool)? > 0 {
            return Ok(true);
        }
        self.put_end(start, out);
        Ok(false)
    }

    fn put_end(&self, start: u64, out: &mut Vec<u8>) {
        if self.count >= u16::MAX.into() || self.bytes >= ELSEWHERE.into() || start >= ELSEWHERE.into() {
            put_u32(out, END_ZIP64);
            put_u64(out, END_ZIP64_BYTES);
            put_u16(out, MADE_ON_UNIX | VERSION_ZIP64);
            put_u16(out, VERSION_ZIP64);
            // Two times 32 bits: on the first disk, like the beginning of the directory.
            put_u64(out, 0);
            for number in [self.count, self.count, self.bytes, start] {
                put_u64(out, number);
            }
            put_u32(out, LOCATOR_ZIP64);
            put_u32(out, 0);
            put_u64(out, start + self.bytes);
            put_u32(out, 1);
        }
        put_u32(out, END);
        put_u32(out, 0);
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        put_u16(out, count);
        put_u16(out, count);
        for number in [self.bytes, start] {
            put_u32(out, u32::try_from(number).unwrap_or(ELSEWHERE));
        }
        // No comment.
        put_u16(out, 0);
    }
}
