//! Where recovered bytes go: a file that may have holes, or a stream.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Takes the bytes of an archive in order.
pub struct RecoveryOutput {
    file: File,
    sparse: bool,
}

impl RecoveryOutput {
    /// Bytes are appended to what `file` is: a pipe, a device, a terminal.
    pub fn stream(file: File) -> Self {
        Self { file, sparse: false }
    }

    /// `file` is new and regular: chunks of zeros become holes.
    pub fn sparse(file: File) -> Self {
        Self { file, sparse: true }
    }

    pub(crate) fn put(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        if !self.sparse {
            return self.file.write_all(data);
        }
        if data.iter().all(|byte| *byte == 0) {
            return self.file.set_len(offset + data.len() as u64);
        }
        self.file.write_all_at(data, offset)
    }

    pub(crate) fn put_zeros(&mut self, length: u64, offset: u64) -> io::Result<()> {
        if self.sparse {
            return self.file.set_len(offset + length);
        }
        io::copy(&mut io::Read::take(io::repeat(0), length), &mut self.file).map(drop)
    }
}
