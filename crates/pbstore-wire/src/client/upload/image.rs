//! Block images as a source: files, block devices and pipes, in blocks of 4 MiB.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::PathBuf;
use std::sync::Arc;

use pbstore_format::fixed_index::CHUNK_SIZE;
use pbstore_format::{FixedIndex, Index};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::fs::{seek, SeekFrom as Raw};

use super::intake::{Data, Intake};
use super::pipeline::{explained, start, SealOptions, UploadStats};
use super::writer::IndexKind;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;
use crate::client::share::Share;

/// Images are cut every 4 MiB (indexes.md 1).
pub(super) const BLOCK_BYTES: usize = CHUNK_SIZE as usize;
/// How soon a pipe that stays silent notices that the upload has ended.
const PIPE_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Where an image comes from.
pub enum ImageSource {
    /// Opened by name.
    Path(PathBuf),
    /// Open already; a file or device is read from its start, wherever its position is.
    File(File),
}

/// Uploads an image as `archive_name` (`….fidx`). The chunks of `previous` must be known to the server.
pub fn upload_image(
    session: &Session,
    source: ImageSource,
    archive_name: &str,
    seal: &SealOptions,
    previous: Option<&FixedIndex>,
    progress: &Arc<Progress>,
) -> Result<UploadStats, ClientError> {
    let mut image = Image::open(source).map_err(|error| ClientError::local(archive_name, error))?;
    if image.size == Some(0) {
        return Err(ClientError::Local(format!("{archive_name}: the image is empty, there is nothing to back up")));
    }
    if let Some(index) = previous {
        session.known().register(index.digests());
    }
    if let Some(size) = image.size {
        progress.add_total(size);
    }
    let kind = IndexKind::Fixed { size: image.size };
    let (running, mut intake) = start(session, kind, archive_name, seal, Share::large(), progress)?;
    match image.feed(&mut intake) {
        Ok(()) => intake.finish(),
        Err(ClientError::Stopped) => drop(intake),
        Err(error) => intake.fail(error),
    }
    running.finish(session).map_err(|error| explained(archive_name, error))
}

struct Image {
    file: File,
    /// None for what cannot be sought.
    size: Option<u64>,
    has_holes: bool,
}

impl Image {
    fn open(source: ImageSource) -> io::Result<Self> {
        let mut file = match source {
            ImageSource::Path(path) => File::open(&path)
                .map_err(|error| io::Error::new(error.kind(), format!("unable to open {}: {error}", path.display())))?,
            ImageSource::File(file) => file,
        };
        let kind = file.metadata()?.file_type();
        if kind.is_dir() || kind.is_char_device() {
            return Err(io::Error::other("an image is a file, a block device or a pipe"));
        }
        let sized = kind.is_file() || kind.is_block_device();
        let size = if sized { Some(file.seek(SeekFrom::End(0))?) } else { None };
        Ok(Self { file, size, has_holes: kind.is_file() })
    }

    fn feed(&mut self, intake: &mut Intake) -> Result<(), ClientError> {
        match self.size {
            Some(size) => self.feed_sized(size, intake),
            None => self.feed_stream(intake),
        }
    }

    fn feed_sized(&self, size: u64, intake: &mut Intake) -> Result<(), ClientError> {
        let mut holes = Holes { file: &self.file, next_data: None };
        let mut start = 0;
        while start < size {
            let length = usize::try_from(size - start).map_or(BLOCK_BYTES, |rest| rest.min(BLOCK_BYTES));
            let data = if self.has_holes && holes.cover(start, start + length as u64) {
                Data::Zeros(length)
            } else {
                self.read_block(start, length, intake)?
            };
            intake.send(data)?;
            start += length as u64;
        }
        Ok(())
    }

    fn read_block(&self, start: u64, length: usize, intake: &Intake) -> Result<Data, ClientError> {
        let mut block = intake.buffers.take();
        block.resize(length, 0);
        self.file.read_exact_at(&mut block, start).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => ClientError::Local(format!("the image shrank to less than {start} bytes")),
            _ => ClientError::local(&format!("unable to read the image at {start}"), error),
        })?;
        if !is_zero(&block) {
            return Ok(Data::Bytes(block));
        }
        intake.buffers.put_back(block);
        Ok(Data::Zeros(length))
    }

    fn feed_stream(&mut self, intake: &mut Intake) -> Result<(), ClientError> {
        loop {
            let mut block = intake.buffers.take();
            block.resize(BLOCK_BYTES, 0);
            let length = self.fill(&mut block, intake)?;
            block.truncate(length);
            if length == 0 {
                return Ok(());
            }
            intake.send(if is_zero(&block) { Data::Zeros(length) } else { Data::Bytes(block) })?;
            if length < BLOCK_BYTES {
                return Ok(());
            }
        }
    }

    /// Fills `block` from a pipe; less only at its end.
    fn fill(&mut self, block: &mut [u8], intake: &Intake) -> Result<usize, ClientError> {
        let failed = |error: io::Error| ClientError::local("unable to read the image", error);
        let mut filled = 0;
        while let Some(free) = block.get_mut(filled..).filter(|free| !free.is_empty()) {
            while poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&PIPE_WAIT)).map_err(|e| failed(e.into()))?
                == 0
            {
                if intake.is_stopped() {
                    return Err(ClientError::Stopped);
                }
            }
            match self.file.read(free) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(filled)
    }
}

/// Knows where a sparse file has data, so that nobody reads its holes.
struct Holes<'a> {
    file: &'a File,
    /// Start of the first data at or behind the place that was asked last; the end of the world if there is none.
    next_data: Option<u64>,
}

impl Holes<'_> {
    /// Whether there is no data at all in the range. A file system that cannot tell has data everywhere.
    fn cover(&mut self, start: u64, end: u64) -> bool {
        let next_data = match self.next_data {
            Some(position) if position >= start => position,
            _ => match seek(self.file, Raw::Data(start)) {
                Ok(position) => position,
                Err(rustix::io::Errno::NXIO) => u64::MAX,
                Err(_) => start,
            },
        };
        self.next_data = Some(next_data);
        next_data >= end
    }
}

/// By words of a cache line, which the compiler turns into vector instructions; stops at the first that is not zero.
fn is_zero(data: &[u8]) -> bool {
    let lines = data.chunks_exact(64);
    lines.remainder().iter().all(|byte| *byte == 0)
        && lines.into_iter().all(|line| line.iter().fold(0, |bits, byte| bits | byte) == 0)
}
