//! Writes a file's content with holes where it is zero.

use std::os::fd::BorrowedFd;

use rustix::fs::ftruncate;
use rustix::io::{pwrite, Errno};

use crate::error::PxarError;
use crate::report::Reporter;

/// Zeros become holes in blocks of this size, the usual one of file systems.
const BLOCK_BYTES: usize = 4096;
const BUFFER_BYTES: usize = 1 << 20;

/// Writes contents through one buffer.
pub struct SparseWriter {
    buffer: Box<[u8]>,
}

/// Why a content could not be written.
pub enum ContentError {
    /// The archive is at fault, or the user wants to stop: there is no going on.
    Fatal(PxarError),
    /// The file system did not take it.
    Write(Errno),
}

impl From<Errno> for ContentError {
    fn from(error: Errno) -> Self {
        Self::Write(error)
    }
}

impl SparseWriter {
    pub fn new() -> Self {
        Self { buffer: vec![0; BUFFER_BYTES].into_boxed_slice() }
    }

    /// Writes what `read` returns, until it returns 0, to an empty file; returns the length.
    pub fn write(
        &mut self,
        mut read: impl FnMut(&mut [u8]) -> Result<usize, PxarError>,
        file: BorrowedFd,
        reporter: &dyn Reporter,
    ) -> Result<u64, ContentError> {
        let mut offset = 0;
        let mut written_end = 0;
        loop {
            if reporter.cancelled() {
                return Err(ContentError::Fatal(PxarError::Cancelled));
            }
            let count = self.fill(&mut read).map_err(ContentError::Fatal)?;
            if count == 0 {
                break;
            }
            let filled = &self.buffer[..count];
            for (start, end) in data_runs(filled) {
                write_all(file, &filled[start..end], offset + start as u64)?;
                written_end = offset + end as u64;
            }
            offset += count as u64;
        }
        if written_end < offset {
            ftruncate(file, offset)?;
        }
        Ok(offset)
    }

    /// Fills the buffer, so that blocks stay aligned; less only at the end of the content.
    fn fill(&mut self, read: &mut impl FnMut(&mut [u8]) -> Result<usize, PxarError>) -> Result<usize, PxarError> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            match read(&mut self.buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }
}

/// Ranges of `bytes` to be written: neighbouring blocks that are not all zero. A last short block is always written.
fn data_runs(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, block) in bytes.chunks(BLOCK_BYTES).enumerate() {
        if block.len() == BLOCK_BYTES && is_zero(block) {
            continue;
        }
        let start = index * BLOCK_BYTES;
        match runs.last_mut() {
            Some(run) if run.1 == start => run.1 += block.len(),
            _ => runs.push((start, start + block.len())),
        }
    }
    runs
}

fn is_zero(block: &[u8]) -> bool {
    // Whole lines are folded without a branch inside, which the compiler turns into vector instructions.
    block.chunks(64).all(|line| line.iter().fold(0, |bits, byte| bits | byte) == 0)
}

fn write_all(file: BorrowedFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match pwrite(file, bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_blocks_are_left_out_and_neighbours_joined() {
        let mut bytes = vec![0; 5 * BLOCK_BYTES + 10];
        bytes[BLOCK_BYTES] = 1;
        bytes[3 * BLOCK_BYTES - 1] = 1;
        let runs = data_runs(&bytes);
        assert_eq!(runs, [(BLOCK_BYTES, 3 * BLOCK_BYTES), (5 * BLOCK_BYTES, 5 * BLOCK_BYTES + 10)]);
        assert_eq!(data_runs(&[]), []);
        assert_eq!(data_runs(&[0; 100]), [(0, 100)]);
    }
}
