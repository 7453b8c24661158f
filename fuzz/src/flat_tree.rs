//! A whole archive in memory, as a list of what comes in it.

use std::collections::HashMap;

use pbstore_pxar::encoder::EntryStart;
use pbstore_pxar::{Decoder, Encoder, Entry, Event, Kind, PxarError};

/// What comes next in an archive.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// An entry, with its path and, if it is a file, its content.
    Entry(Vec<u8>, Entry, Vec<u8>),
    /// The innermost directory ends.
    DirectoryEnd,
}

/// Reads an archive; distances of hard links, which depend on how it is written, become zero.
pub fn decode(archive: &[u8]) -> Result<Vec<Step>, PxarError> {
    let mut decoder = Decoder::new(archive);
    let mut steps = Vec::new();
    while let Some(event) = decoder.next_event()? {
        let Event::Entry(mut entry) = event else {
            steps.push(Step::DirectoryEnd);
            continue;
        };
        if let Kind::Hardlink { distance, .. } = &mut entry.kind {
            *distance = 0;
        }
        let mut content = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match decoder.read_content(&mut buffer)? {
                0 => break,
                count => content.extend_from_slice(&buffer[..count]),
            }
        }
        steps.push(Step::Entry(decoder.path().to_vec(), entry, content));
    }
    Ok(steps)
}

/// Writes a version 1 archive; `None` if it has something that such an archive cannot say.
pub fn encode(steps: &[Step]) -> Option<Vec<u8>> {
    let (Step::Entry(_, root, _), steps) = steps.split_first()? else { return None };
    let mut encoder = Encoder::new(Vec::new(), &root.metadata).ok()?;
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
    encoder: &mut Encoder<Vec<u8>>,
    starts: &mut HashMap<Vec<u8>, EntryStart>,
    path: &[u8],
    entry: &Entry,
    mut content: &[u8],
) -> Option<()> {
    let Entry { name, kind, metadata } = entry;
    let added = match kind {
        Kind::Directory => encoder.begin_directory(name, metadata),
        Kind::File { payload_offset: Some(_), .. } => return None,
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
