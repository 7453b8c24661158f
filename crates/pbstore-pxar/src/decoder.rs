//! Reads an archive from front to end, one entry at a time, in bounded memory.

use std::io::Read;

use crate::entry::{Device, Entry, Kind};
use crate::error::PxarError;
use crate::goodbye::RECORD_BYTES;
use crate::input::Input;
use crate::items::{self, Header};
use crate::metadata::{self, Metadata};
use crate::metadata_items::{read_metadata, read_stat, unexpected};

/// Deepest nesting that is followed; bounds what a reader has to remember.
const MAX_DEPTH: usize = 100_000;
/// Longest path that is followed.
const MAX_PATH_BYTES: usize = 16 << 20;

/// What comes next in an archive.
// Almost every event is an entry: a box would only add an allocation to each.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Event {
    /// An entry; the first one is the root directory.
    Entry(Entry),
    /// The innermost directory is complete.
    DirectoryEnd,
}

/// Reads an archive; also the metadata stream of a split archive, whose files have no content here.
pub struct Decoder<R: Read> {
    input: Input<R>,
    state: State,
    next_header: Option<Header>,
    content_left: u64,
    path: Vec<u8>,
    /// Length of `path` in each open directory.
    open: Vec<usize>,
    prelude: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Inside,
    Failed,
    Done,
}

impl<R: Read> Decoder<R> {
    /// Reads an archive from `input`, which needs no buffer of its own.
    pub fn new(input: R) -> Self {
        Self {
            input: Input::new(input),
            state: State::Start,
            next_header: None,
            content_left: 0,
            path: Vec::new(),
            open: Vec::new(),
            prelude: None,
        }
    }

    /// The next entry or end of a directory; `None` behind the root's end. What is left of a content is skipped.
    ///
    /// # Errors
    ///
    /// The archive is damaged, cut off, or followed by something; there is nothing more to read after that.
    pub fn next_event(&mut self) -> Result<Option<Event>, PxarError> {
        let event = self.step();
        if event.is_err() {
            self.state = State::Failed;
        }
        event
    }

    /// Path of the last entry, or of the directory that ended last, from the root and without leading slash; empty for
    /// the root.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The prelude of a split archive; known once the root has been read.
    pub fn prelude(&self) -> Option<&[u8]> {
        self.prelude.as_deref()
    }

    /// Reads content of the file that was the last entry; 0 at its end.
    pub fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, PxarError> {
        let wanted = self.content_left.min(buffer.len() as u64) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.input.some(&mut buffer[..wanted])?;
        self.content_left -= count as u64;
        Ok(count)
    }

    fn step(&mut self) -> Result<Option<Event>, PxarError> {
        self.input.skip(std::mem::take(&mut self.content_left))?;
        match self.state {
            State::Start => self.root().map(|root| Some(Event::Entry(root))),
            State::Inside => self.child_or_end().map(Some),
            State::Failed => Err(PxarError::Invalid("the archive could not be read any further".into())),
            State::Done => Ok(None),
        }
    }

    fn root(&mut self) -> Result<Entry, PxarError> {
        let mut header = self.input.header()?;
        if header.item_type == items::FORMAT_VERSION {
            header = self.version(header)?;
        }
        let entry = self.entry(Vec::new(), header)?;
        if entry.kind != Kind::Directory {
            return Err(PxarError::malformed(0, "the root of the archive is no directory"));
        }
        self.state = State::Inside;
        Ok(entry)
    }

    /// Reads format version and prelude; returns the header behind them.
    fn version(&mut self, header: Header) -> Result<Header, PxarError> {
        let [version] = self.input.numbers(header)?;
        if version != items::SPLIT_FORMAT_VERSION {
            return Err(PxarError::malformed(0, format!("unknown format version {version}")));
        }
        let header = self.input.header()?;
        if header.item_type != items::PRELUDE {
            return Ok(header);
        }
        self.prelude = Some(self.input.content(header, items::MAX_PRELUDE_BYTES)?);
        self.input.header()
    }

    fn child_or_end(&mut self) -> Result<Event, PxarError> {
        let start = self.input.position();
        let header = match self.next_header.take() {
            Some(header) => header,
            None => self.input.header()?,
        };
        match header.item_type {
            items::FILENAME => self.child(header).map(Event::Entry),
            items::GOODBYE => self.end_of_directory(header).map(|()| Event::DirectoryEnd),
            other => Err(unexpected(start, other, "a file name or the end of a directory")),
        }
    }

    fn child(&mut self, header: Header) -> Result<Entry, PxarError> {
        let start = self.input.position();
        let name = self.input.text(header, items::MAX_NAME_BYTES)?;
        if let Some(problem) = items::name_problem(&name) {
            return Err(PxarError::malformed(start, problem));
        }
        self.path.truncate(self.open.last().copied().unwrap_or(0));
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(&name);
        if self.path.len() > MAX_PATH_BYTES {
            return Err(PxarError::malformed(start, "a path is longer than 16 MiB"));
        }
        let header = self.input.header()?;
        if header.item_type == items::HARDLINK {
            return self.hard_link(name, header);
        }
        self.entry(name, header)
    }

    fn hard_link(&mut self, name: Vec<u8>, header: Header) -> Result<Entry, PxarError> {
        let start = self.input.position();
        let mut content = self.input.content(header, 8 + items::MAX_NAME_BYTES + 1)?;
        let terminated = content.pop() == Some(0);
        let parts = content.split_first_chunk::<8>().filter(|(_, target)| terminated && !target.is_empty());
        let (distance, target) = parts.ok_or_else(|| PxarError::malformed(start, "a hard link without a target"))?;
        let kind = Kind::Hardlink { target: target.to_vec(), distance: u64::from_le_bytes(*distance) };
        Ok(Entry { name, kind, metadata: Metadata::default() })
    }

    fn entry(&mut self, name: Vec<u8>, header: Header) -> Result<Entry, PxarError> {
        let start = self.input.position();
        let stat = read_stat(&mut self.input, header)?;
        let (metadata, tail) = read_metadata(&mut self.input, stat)?;
        let kind = match metadata.file_type() {
            metadata::TYPE_DIRECTORY => self.directory(tail)?,
            metadata::TYPE_FILE => self.file(tail)?,
            metadata::TYPE_SYMLINK => {
                let header = self.expect(tail, items::SYMLINK, "a symlink's target")?;
                Kind::Symlink { target: self.input.text(header, items::MAX_NAME_BYTES)? }
            }
            metadata::TYPE_BLOCK => Kind::BlockDevice(self.device(tail)?),
            metadata::TYPE_CHAR => Kind::CharDevice(self.device(tail)?),
            metadata::TYPE_FIFO => self.without_tail(tail, Kind::Fifo),
            metadata::TYPE_SOCKET => self.without_tail(tail, Kind::Socket),
            _ => return Err(PxarError::malformed(start, format!("unknown file type in mode {:o}", stat.mode))),
        };
        Ok(Entry { name, kind, metadata })
    }

    fn directory(&mut self, tail: Header) -> Result<Kind, PxarError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(PxarError::malformed(self.input.position(), "directories are nested too deeply"));
        }
        self.open.push(self.path.len());
        Ok(self.without_tail(tail, Kind::Directory))
    }

    fn file(&mut self, tail: Header) -> Result<Kind, PxarError> {
        if tail.item_type == items::PAYLOAD_REF {
            let [offset, size] = self.input.numbers(tail)?;
            return Ok(Kind::File { size, payload_offset: Some(offset) });
        }
        self.expect(tail, items::PAYLOAD, "a file's content")?;
        self.content_left = tail.content_bytes;
        Ok(Kind::File { size: tail.content_bytes, payload_offset: None })
    }

    fn device(&mut self, tail: Header) -> Result<Device, PxarError> {
        let header = self.expect(tail, items::DEVICE, "device numbers")?;
        let [major, minor] = self.input.numbers(header)?;
        Ok(Device { major, minor })
    }

    /// Keeps the header behind an entry that has no item of its own at its end.
    fn without_tail(&mut self, next: Header, kind: Kind) -> Kind {
        self.next_header = Some(next);
        kind
    }

    fn expect(&self, header: Header, item_type: u64, wanted: &str) -> Result<Header, PxarError> {
        if header.item_type == item_type {
            return Ok(header);
        }
        Err(unexpected(self.input.position(), header.item_type, wanted))
    }

    /// Skips the goodbye table, which only random access needs, but checks its last record.
    fn end_of_directory(&mut self, header: Header) -> Result<(), PxarError> {
        let start = self.input.position();
        let bytes = header.content_bytes;
        if bytes < RECORD_BYTES || bytes % RECORD_BYTES != 0 {
            return Err(PxarError::malformed(start, "a goodbye table of a wrong length"));
        }
        self.input.skip(bytes - RECORD_BYTES)?;
        let tail = Header { item_type: header.item_type, content_bytes: RECORD_BYTES };
        let [hash, _, size] = self.input.numbers(tail)?;
        if hash != items::GOODBYE_TAIL_MARKER || size != bytes + items::HEADER_BYTES {
            return Err(PxarError::malformed(start, "a goodbye table without its last record"));
        }
        self.path.truncate(self.open.pop().unwrap_or(0));
        if self.open.is_empty() {
            if !self.input.at_end()? {
                return Err(PxarError::malformed(self.input.position(), "something follows the end of the archive"));
            }
            self.state = State::Done;
        }
        Ok(())
    }
}
