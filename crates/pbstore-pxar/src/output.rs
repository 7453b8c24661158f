//! One stream of an archive: counts bytes, joins small items, and reads file content straight into the block it writes.

use std::io::{Read, Write};

use crate::error::PxarError;

/// Size of the blocks that the output is given.
const BLOCK_BYTES: usize = 1 << 20;

/// Collects up to one block in front of a writer.
pub struct Output<W: Write> {
    inner: W,
    block: Box<[u8]>,
    filled: usize,
    position: u64,
}

/// How the bytes that a source gave compare with the promised size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Exactly the size.
    Exact,
    /// There was more; it was left unread.
    More,
    /// That many bytes were missing and are zeros now.
    Missing(u64),
}

impl<W: Write> Output<W> {
    pub fn new(inner: W) -> Self {
        Self { inner, block: vec![0; BLOCK_BYTES].into_boxed_slice(), filled: 0, position: 0 }
    }

    /// Bytes put so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn put(&mut self, mut bytes: &[u8]) -> Result<(), PxarError> {
        while !bytes.is_empty() {
            let count = bytes.len().min(self.room()?);
            self.block[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
            self.advance(count);
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Puts exactly `size` bytes of `source`: what is too much is left, what is missing becomes zeros.
    pub fn put_from(&mut self, source: &mut dyn Read, size: u64) -> Result<Supply, PxarError> {
        let mut remaining = size;
        loop {
            // One byte more than is wanted shows a longer source without another read.
            let room = self.room()?;
            let wanted = remaining.saturating_add(1).min(room as u64) as usize;
            let count = match source.read(&mut self.block[self.filled..self.filled + wanted]) {
                Ok(count) => count as u64,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(PxarError::Read(error)),
            };
            if count > remaining {
                self.advance(remaining as usize);
                return Ok(Supply::More);
            }
            self.advance(count as usize);
            remaining -= count;
            // A file that gives less than was asked for is at its end.
            if remaining == 0 && count < wanted as u64 {
                return Ok(Supply::Exact);
            }
            if count == 0 {
                self.put_zeros(remaining)?;
                return Ok(Supply::Missing(remaining));
            }
        }
    }

    pub fn put_zeros(&mut self, mut count: u64) -> Result<(), PxarError> {
        while count > 0 {
            let step = count.min(self.room()? as u64) as usize;
            self.block[self.filled..self.filled + step].fill(0);
            self.advance(step);
            count -= step as u64;
        }
        Ok(())
    }

    /// Writes what is left in the block and lends the writer.
    pub fn written(&mut self) -> Result<&mut W, PxarError> {
        self.write_block()?;
        Ok(&mut self.inner)
    }

    /// The writer, to which some of the bytes are still to be written.
    pub fn inner_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Writes what is left and gives the writer back.
    pub fn finish(mut self) -> Result<W, PxarError> {
        self.write_block()?;
        self.inner.flush().map_err(PxarError::Write)?;
        Ok(self.inner)
    }

    /// Free bytes in the block, at least one.
    fn room(&mut self) -> Result<usize, PxarError> {
        if self.filled == self.block.len() {
            self.write_block()?;
        }
        Ok(self.block.len() - self.filled)
    }

    fn write_block(&mut self) -> Result<(), PxarError> {
        self.inner.write_all(&self.block[..self.filled]).map_err(PxarError::Write)?;
        self.filled = 0;
        Ok(())
    }

    fn advance(&mut self, count: usize) {
        self.filled += count;
        self.position += count as u64;
    }
}
