//! Reads one entry from its first item to its tail, wherever it stands: for readers that go from front to end and for
//! those that jump.

use std::io::Read;

use crate::entry::{Device, Entry, Kind};
use crate::error::PxarError;
use crate::input::Input;
use crate::items::{self, Header, HEADER_BYTES};
use crate::metadata::{self, Metadata};
use crate::metadata_items::{read_metadata, read_stat, unexpected};

/// An entry, and what was read behind it: the next item's header if the entry has no item at its own end.
pub struct EntryRead {
    pub entry: Entry,
    pub next_header: Option<Header>,
}

/// What stands in front of a root directory's first item.
pub struct Opening {
    /// Whether a format version announces a split archive.
    pub is_split: bool,
    pub prelude: Option<Vec<u8>>,
}

/// Reads an archive's beginning and its root directory.
pub fn read_root<R: Read>(input: &mut Input<R>) -> Result<(Opening, EntryRead), PxarError> {
    let mut opening = Opening { is_split: false, prelude: None };
    let mut header = input.header()?;
    if header.item_type == items::FORMAT_VERSION {
        let [version] = input.numbers(header)?;
        if version != items::SPLIT_FORMAT_VERSION {
            return Err(PxarError::malformed(0, format!("unknown format version {version}")));
        }
        opening.is_split = true;
        header = input.header()?;
        if header.item_type == items::PRELUDE {
            opening.prelude = Some(input.content(header, items::MAX_PRELUDE_BYTES)?);
            header = input.header()?;
        }
    }
    if header.item_type == items::PAYLOAD_START_MARKER {
        let reason = format!("an item of type {:016x}: this is the payload of a split archive", header.item_type);
        return Err(PxarError::malformed(0, reason));
    }
    Ok((opening, read_unnamed(input, header)?))
}

/// Reads a directory's entry without its name.
pub fn read_directory<R: Read>(input: &mut Input<R>) -> Result<EntryRead, PxarError> {
    let header = input.header()?;
    read_unnamed(input, header)
}

fn read_unnamed<R: Read>(input: &mut Input<R>, header: Header) -> Result<EntryRead, PxarError> {
    let start = input.position() - HEADER_BYTES;
    let read = read_entry(input, Vec::new(), 0, header)?;
    match read.entry.kind {
        Kind::Directory => Ok(read),
        _ => Err(PxarError::malformed(start, "expected a directory, found an entry of another kind")),
    }
}

/// Reads the name of a directory's child behind its header.
pub fn read_name<R: Read>(input: &mut Input<R>, header: Header) -> Result<Vec<u8>, PxarError> {
    let start = input.position();
    let name = input.text(header, items::MAX_NAME_BYTES)?;
    match items::name_problem(&name) {
        Some(problem) => Err(PxarError::malformed(start, problem)),
        None => Ok(name),
    }
}

/// Reads what follows a child's name.
pub fn read_child<R: Read>(input: &mut Input<R>, name: Vec<u8>, name_start: u64) -> Result<EntryRead, PxarError> {
    let header = input.header()?;
    if header.item_type == items::HARDLINK {
        let kind = read_hard_link(input, header)?;
        let entry = Entry { name, name_start, kind, metadata: Metadata::default() };
        return Ok(EntryRead { entry, next_header: None });
    }
    read_entry(input, name, name_start, header)
}

fn read_hard_link<R: Read>(input: &mut Input<R>, header: Header) -> Result<Kind, PxarError> {
    let start = input.position();
    let mut content = input.content(header, 8 + items::MAX_NAME_BYTES + 1)?;
    let terminated = content.pop() == Some(0);
    let parts = content.split_first_chunk::<8>().filter(|(_, target)| terminated && !target.is_empty());
    let (distance, target) = parts.ok_or_else(|| PxarError::malformed(start, "a hard link without a target"))?;
    Ok(Kind::Hardlink { target: target.to_vec(), distance: u64::from_le_bytes(*distance) })
}

fn read_entry<R: Read>(
    input: &mut Input<R>,
    name: Vec<u8>,
    name_start: u64,
    header: Header,
) -> Result<EntryRead, PxarError> {
    let start = input.position();
    let stat = read_stat(input, header)?;
    let (metadata, tail) = read_metadata(input, stat)?;
    let mut next_header = None;
    let kind = match metadata.file_type() {
        metadata::TYPE_FILE => read_file(input, tail)?,
        metadata::TYPE_SYMLINK => {
            let header = expect(input, tail, items::SYMLINK, "a symlink's target")?;
            Kind::Symlink { target: input.text(header, items::MAX_NAME_BYTES)? }
        }
        metadata::TYPE_BLOCK => Kind::BlockDevice(read_device(input, tail)?),
        metadata::TYPE_CHAR => Kind::CharDevice(read_device(input, tail)?),
        file_type => {
            next_header = Some(tail);
            match file_type {
                metadata::TYPE_DIRECTORY => Kind::Directory,
                metadata::TYPE_FIFO => Kind::Fifo,
                metadata::TYPE_SOCKET => Kind::Socket,
                _ => return Err(PxarError::malformed(start, format!("unknown file type in mode {:o}", stat.mode))),
            }
        }
    };
    Ok(EntryRead { entry: Entry { name, name_start, kind, metadata }, next_header })
}

fn read_file<R: Read>(input: &mut Input<R>, tail: Header) -> Result<Kind, PxarError> {
    if tail.item_type == items::PAYLOAD_REF {
        let [offset, size] = input.numbers(tail)?;
        return Ok(Kind::File { size, payload_offset: Some(offset) });
    }
    expect(input, tail, items::PAYLOAD, "a file's content")?;
    Ok(Kind::File { size: tail.content_bytes, payload_offset: None })
}

fn read_device<R: Read>(input: &mut Input<R>, tail: Header) -> Result<Device, PxarError> {
    let header = expect(input, tail, items::DEVICE, "device numbers")?;
    let [major, minor] = input.numbers(header)?;
    Ok(Device { major, minor })
}

fn expect<R: Read>(input: &Input<R>, header: Header, item_type: u64, wanted: &str) -> Result<Header, PxarError> {
    if header.item_type == item_type {
        return Ok(header);
    }
    Err(unexpected(input.position(), header.item_type, wanted))
}
