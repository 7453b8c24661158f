//! Reads an archive from front to end, one entry at a time, in bounded memory.

use std::io::{Empty, Read};
use std::sync::Arc;

use crate::accessor::{Accessor, Directory, FileContent};
use crate::entry::{Entry, Kind};
use crate::entry_reader::{read_child, read_name, read_root, EntryRead};
use crate::error::PxarError;
use crate::goodbye::RECORD_BYTES;
use crate::input::Input;
use crate::items::{self, Header, HEADER_BYTES};
use crate::metadata_items::unexpected;
use crate::payload_input::PayloadInput;
use crate::read_at::ReadAt;
use crate::section::Section;

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

/// Reads an archive: a version 1 archive, or the metadata stream of a split one with or without its payload stream.
pub struct Decoder<R: Read, P: Read = Empty> {
    input: Input<R>,
    payload: Option<PayloadInput<P>>,
    state: State,
    next_header: Option<Header>,
    content: Content,
    path: Vec<u8>,
    /// Length of `path` in each open directory.
    open: Vec<usize>,
    is_split: bool,
    prelude: Option<Vec<u8>>,
    /// Archive and payload stream, if they can be read at any place.
    sources: Option<Sources>,
    /// The root of those, once a hard link was followed.
    root: Option<Directory>,
}

type Sources = (Arc<dyn ReadAt>, Option<Arc<dyn ReadAt>>);

/// Where the content of the last entry is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// From the archive, if there is any; that much is left.
    Inside(u64),
    /// From the payload stream.
    Payload,
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
        Self::over(Input::new(input), None)
    }
}

impl Decoder<Section, Section> {
    /// Reads an archive that can be read at any place, with its payload stream if it is a split one that has contents
    /// to be read. Contents that nobody reads are not read from the sources either.
    pub fn at(archive: Arc<dyn ReadAt>, payload: Option<Arc<dyn ReadAt>>) -> Self {
        let sources = Some((Arc::clone(&archive), payload.clone()));
        let decoder = Self::over(Input::whole(archive), payload.map(PayloadInput::whole));
        Self { sources, ..decoder }
    }
}

impl<R: Read, P: Read> Decoder<R, P> {
    /// Reads a split archive from its two streams, neither of which needs a buffer of its own.
    pub fn with_payload(metadata: R, payload: P) -> Self {
        Self::over(Input::new(metadata), Some(PayloadInput::new(payload)))
    }

    fn over(input: Input<R>, payload: Option<PayloadInput<P>>) -> Self {
        Self {
            input,
            payload,
            state: State::Start,
            next_header: None,
            content: Content::Inside(0),
            path: Vec::new(),
            open: Vec::new(),
            is_split: false,
            prelude: None,
            sources: None,
            root: None,
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

    /// Whether this is a split archive; known once the root has been read.
    pub fn is_split(&self) -> bool {
        self.is_split
    }

    /// Whether contents can be read: not of a split archive without its payload stream. Known once the root has been
    /// read.
    pub fn has_contents(&self) -> bool {
        !self.is_split || self.payload.is_some()
    }

    /// Reads content of the file that was the last entry; 0 at its end.
    ///
    /// # Errors
    ///
    /// The archive or its payload stream is damaged or cut off, or there is no payload stream.
    pub fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, PxarError> {
        let Content::Inside(left) = &mut self.content else {
            return self.payload.as_mut().ok_or(PxarError::PayloadRequired)?.read(buffer);
        };
        let wanted = (*left).min(buffer.len() as u64) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.input.some(&mut buffer[..wanted])?;
        *left -= count as u64;
        Ok(count)
    }

    /// Checks that the payload stream has the content of the last entry where it should be, without reading it.
    ///
    /// # Errors
    ///
    /// There is something else, or a content of another size.
    pub fn check_content(&mut self) -> Result<(), PxarError> {
        match &mut self.payload {
            Some(payload) if self.content == Content::Payload => payload.check(),
            _ => Ok(()),
        }
    }

    /// The file that a hard link of this archive stands for, and its content; `None` if the archive can only be read
    /// from front to end.
    ///
    /// # Errors
    ///
    /// The archive is damaged, or the link leads to something that is not an earlier file.
    pub fn follow(&mut self, link: &Entry) -> Result<Option<(Entry, FileContent)>, PxarError> {
        let root = match (self.root.take(), self.sources.clone()) {
            (Some(root), _) => root,
            (None, Some((archive, Some(payload)))) => Accessor::with_payload(archive, payload)?,
            (None, Some((archive, None))) => Accessor::open(archive)?,
            (None, None) => return Ok(None),
        };
        let root = self.root.insert(root);
        let file = root.follow(link)?;
        let content = root.content(&file)?;
        Ok(Some((file, content)))
    }

    fn step(&mut self) -> Result<Option<Event>, PxarError> {
        if let Content::Inside(left) = std::mem::replace(&mut self.content, Content::Inside(0)) {
            self.input.skip(left)?;
        }
        match self.state {
            State::Start => self.root().map(|root| Some(Event::Entry(root))),
            State::Inside => self.child_or_end().map(Some),
            State::Failed => Err(PxarError::Invalid("the archive could not be read any further".into())),
            State::Done => Ok(None),
        }
    }

    fn root(&mut self) -> Result<Entry, PxarError> {
        let (opening, root) = read_root(&mut self.input)?;
        self.is_split = opening.is_split;
        self.prelude = opening.prelude;
        match &mut self.payload {
            Some(_) if !self.is_split => {
                return Err(PxarError::Invalid("the archive is not a split one: it has no payload beside it".into()));
            }
            Some(payload) => payload.begin()?,
            None => {}
        }
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
            Kind::File { size, payload_offset: None } => self.content = Content::Inside(size),
            Kind::File { size, payload_offset: Some(offset) } => {
                self.content = Content::Payload;
                if let Some(payload) = &mut self.payload {
                    payload.refer(offset, size)?;
                }
            }
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
            if let Some(payload) = &mut self.payload {
                payload.finish()?;
            }
            self.state = State::Done;
        }
        Ok(())
    }
}
