//! Zip, written from front to end: sizes and checksums of files stand behind them.

mod directory;
mod dos_time;
mod record;

use std::path::Path;

use flate2::{Compress, Compression, FlushCompress, Status};
use pbstore_pxar::ReadAt;

use self::directory::CentralDirectory;
use self::record::{Record, DEFLATED, STORED};
use crate::format::Format;
use crate::member::{Body, Member};
use crate::DownloadError;

/// What deflate gets as room at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Writes a zip file; devices, pipes and sockets are left out.
pub(crate) struct Zip {
    deflate: Compress,
    crc: crc32fast::Hasher,
    /// The file that is being added.
    current: Option<Record>,
    directory: CentralDirectory,
    /// Bytes written so far.
    position: u64,
}

impl Zip {
    /// What does not fit into memory goes into an unnamed file in `spool`.
    pub(crate) fn new(spool: &Path) -> Self {
        Self {
            deflate: Compress::new(Compression::default(), false),
            crc: crc32fast::Hasher::new(),
            current: None,
            directory: CentralDirectory::new(spool),
            position: 0,
        }
    }

    /// A member whose few bytes are known beforehand.
    fn add_stored(&mut self, mut record: Record, content: &[u8], out: &mut Vec<u8>) -> Result<(), DownloadError> {
        record.crc = crc32fast::hash(content);
        record.plain_bytes = content.len() as u64;
        record.packed_bytes = content.len() as u64;
        record.put_local_header(out);
        out.extend_from_slice(content);
        self.directory.add(&record)
    }

    /// Compress what was given, and everything that is still inside if `flush` says so.
    fn deflate(&mut self, mut piece: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        loop {
            out.reserve(BUFFER_BYTES);
            let (before_in, before_out) = (self.deflate.total_in(), out.len());
            let status = self.deflate.compress_vec(piece, out, flush);
            let status = status.map_err(|error| DownloadError::Compression(error.to_string()))?;
            piece = piece.get((self.deflate.total_in() - before_in) as usize..).unwrap_or_default();
            let is_full = out.len() == out.capacity();
            match (flush, status) {
                (FlushCompress::Finish, Status::StreamEnd) => return Ok(()),
                (FlushCompress::Finish, _) => {}
                _ if piece.is_empty() && !is_full => return Ok(()),
                _ => {}
            }
            if status == Status::BufError && out.len() == before_out {
                return Err(DownloadError::Compression("deflate does not go on".into()));
            }
        }
    }
}

impl Format for Zip {
    fn begin(&mut self, member: &Member, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        let before = out.len();
        let stored: &[u8] = match &member.body {
            Body::Symlink(target) => target,
            Body::Directory | Body::File(_) => &[],
            _ => return Ok(false),
        };
        let deflated_bytes = match &member.body {
            Body::File(content) => content.size(),
            _ => 0,
        };
        if deflated_bytes > 0 {
            let mut record = Record::new(member, DEFLATED, self.position)?;
            record.plain_bytes = deflated_bytes;
            record.put_local_header(out);
            self.current = Some(record);
        } else {
            self.add_stored(Record::new(member, STORED, self.position)?, stored, out)?;
        }
        self.position += (out.len() - before) as u64;
        Ok(deflated_bytes > 0)
    }

    fn content(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), DownloadError> {
        let before = out.len();
        self.crc.update(piece);
        self.deflate(piece, FlushCompress::None, out)?;
        self.position += (out.len() - before) as u64;
        Ok(())
    }

    fn end_content(&mut self, out: &mut Vec<u8>) -> Result<(), DownloadError> {
        let before = out.len();
        self.deflate(&[], FlushCompress::Finish, out)?;
        if let Some(mut record) = self.current.take() {
            record.crc = std::mem::take(&mut self.crc).finalize();
            record.packed_bytes = self.deflate.total_out();
            record.put_descriptor(out);
            self.directory.add(&record)?;
        }
        self.deflate.reset();
        self.position += (out.len() - before) as u64;
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<bool, DownloadError> {
        self.directory.put_next(self.position, out)
    }
}
