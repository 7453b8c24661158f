//! Reads an archive from front to end, one entry at a time, in bounded memory.

use std::io::Read;

use crate::entry::{Entry, Kind};
use crate::entry_reader::{read_child, read_name, read_root, EntryRead};
use crate::error::PxarError;
use crate::goodbye::RECORD_BYTES;
use crate::input::Input;
use crate::items::{self, Header, HEADER_BYTES};
use crate::metadata_items::unexpected;

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
        let (opening, root) = read_root(&mut self.input)?;
        self.prelude = opening.prelude;
        self.state = State::Inside;
        self.take(root)
    }

    fn child_or_end(&mut self) -> Result<Event, PxarError> {
        let header = match self.next_header.take() {
            Some(header) => header,
            None => self.input.header()?,
        };
        match header.item_type {
            items::FILENAME => self.child(header).map(Event::Entry),
            items::GOODBYE => self.end_of_directory(header).map(|()| Event::DirectoryEnd),
            other => {
                let start = self.input.position() - HEADER_BYTES;
                Err(unexpected(start, other, "a file name or the end of a directory"))
            }
        }
    }

    fn child(&mut self, header: Header) -> Result<Entry, PxarError> {
        let start = self.input.position();
        let name = read_name(&mut self.input, header)?;
        self.path.truncate(self.open.last().copied().unwrap_or(0));
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(&name);
        if self.path.len() > MAX_PATH_BYTES {
            return Err(PxarError::malformed(start, "a path is longer than 16 MiB"));
        }
        let child = read_child(&mut self.input, name, start - HEADER_BYTES)?;
        self.take(child)
    }

    /// Gets ready for what an entry's kind lets follow.
    fn take(&mut self, EntryRead { entry, next_header }: EntryRead) -> Result<Entry, PxarError> {
        self.next_header = next_header;
        match entry.kind {
            Kind::Directory if self.open.len() >= MAX_DEPTH => {
                return Err(PxarError::malformed(self.input.position(), "directories are nested too deeply"));
            }
            Kind::Directory => self.open.push(self.path.len()),
            Kind::File { size, payload_offset: None } => self.content_left = size,
            _ => {}
        }
        Ok(entry)
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
