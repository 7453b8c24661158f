//! A whole archive in memory, as a list of what comes in it.

use std::collections::HashMap;
use std::io::Read;

use pbstore_pxar::encoder::EntryStart;
use pbstore_pxar::{Decoder, Encoder, Entry, Event, Kind, Metadata, PlainPayload, PxarError};

/// What comes next in an archive.
#[allow(clippy::large_enum_variant, reason = "almost every step is an entry")]
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// An entry, with its path and, if it is a file, its content.
    Entry(Vec<u8>, Entry, Vec<u8>),
    /// The innermost directory ends.
    DirectoryEnd,
}

/// Reads an archive of any version.
pub fn decode<R: Read, P: Read>(mut decoder: Decoder<R, P>) -> Result<Vec<Step>, PxarError> {
    let mut steps = Vec::new();
    while let Some(event) = decoder.next_event()? {
        let Event::Entry(entry) = event else {
            steps.push(Step::DirectoryEnd);
            continue;
        };
        let mut content = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match decoder.read_content(&mut buffer)? {
                0 => break,
                count => content.extend_from_slice(&buffer[..count]),
            }
        }
        steps.push(Step::Entry(decoder.path().to_vec(), detached(entry), content));
    }
    Ok(steps)
}

/// An entry without what depends on where in an archive it is.
pub fn detached(mut entry: Entry) -> Entry {
    entry.name_start = 0;
    match &mut entry.kind {
        Kind::Hardlink { distance, .. } => *distance = 0,
        Kind::File { payload_offset, .. } => *payload_offset = None,
        _ => {}
    }
    entry
}

/// Writes a version 1 archive; `None` if there is something that such an archive cannot say.
pub fn encode(steps: &[Step]) -> Option<Vec<u8>> {
    fill(steps, |root| Encoder::new(Vec::new(), root).ok())
}

/// Writes a split archive; returns its metadata and payload streams.
pub fn encode_split(steps: &[Step], prelude: Option<&[u8]>) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut payload = PlainPayload(Vec::new());
    let metadata = fill(steps, |root| Encoder::split(Vec::new(), &mut payload, prelude, root).ok())?;
    Some((metadata, payload.0))
}

fn fill<'a>(steps: &[Step], begin: impl FnOnce(&Metadata) -> Option<Encoder<'a, Vec<u8>>>) -> Option<Vec<u8>> {
    let (Step::Entry(_, root, _), steps) = steps.split_first()? else { return None };
    let mut encoder = begin(&root.metadata)?;
    let mut starts = HashMap::new();
    let (Step::DirectoryEnd, steps) = steps.split_last()? else { return None };
    for step in steps {
        match step {
            Step::DirectoryEnd => encoder.end_directory().ok()?,
            Step::Entry(path, entry, content) => add(&mut encoder, &mut starts, path, entry, content)?,
        }
    }
    Some(encoder.finish().ok()?.0)
}

fn add(
    encoder: &mut Encoder<'_, Vec<u8>>,
    starts: &mut HashMap<Vec<u8>, EntryStart>,
    path: &[u8],
    entry: &Entry,
    mut content: &[u8],
) -> Option<()> {
    let Entry { name, kind, metadata, .. } = entry;
    let added = match kind {
        Kind::Directory => encoder.begin_directory(name, metadata),
        Kind::File { size, .. } => encoder.add_file(name, metadata, *size, &mut content).map(|(start, _)| {
            starts.insert(path.to_vec(), start);
        }),
        Kind::Symlink { target } => encoder.add_symlink(name, metadata, target),
        Kind::Hardlink { target, .. } => encoder.add_hardlink(name, target, *starts.get(target)?),
        Kind::BlockDevice(device) | Kind::CharDevice(device) => encoder.add_device(name, metadata, *device),
        Kind::Fifo | Kind::Socket => encoder.add_special(name, metadata),
    };
    added.ok()
}
