//! Reads an archive as an extraction would, and makes nothing of it.

use std::io::Read;

use crate::decoder::{Decoder, Event};
use crate::entry::{Entry, Kind};
use crate::error::PxarError;
use crate::report::{quoted, Reporter};

/// What an archive has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckStats {
    /// Entries of all kinds, the root included.
    pub entry_count: u64,
    /// Content of the regular files.
    pub file_bytes: u64,
}

/// Reads the archive that `decoder` is about to read to its end: names, metadata, contents, and that hard links lead to
/// a file in front of them. Takes 8 bytes of memory for each regular file.
///
/// # Errors
///
/// A damaged or truncated archive, a split archive without its payload stream, or cancellation.
pub fn check_archive<R: Read, P: Read>(
    mut decoder: Decoder<R, P>,
    reporter: &mut dyn Reporter,
) -> Result<CheckStats, PxarError> {
    let mut stats = CheckStats::default();
    // In order, as they come.
    let mut file_starts = Vec::new();
    while let Some(event) = decoder.next_event()? {
        if reporter.cancelled() {
            return Err(PxarError::Cancelled);
        }
        let Event::Entry(entry) = event else { continue };
        if !decoder.has_contents() {
            return Err(PxarError::PayloadRequired);
        }
        reporter.entry(decoder.path());
        stats.entry_count += 1;
        match entry.kind {
            Kind::File { size, .. } => {
                decoder.check_content()?;
                stats.file_bytes += size;
                file_starts.push(entry.name_start);
            }
            Kind::Hardlink { distance, .. } => check_link(&entry, distance, &file_starts, decoder.path())?,
            _ => {}
        }
    }
    Ok(stats)
}

fn check_link(link: &Entry, distance: u64, file_starts: &[u64], path: &[u8]) -> Result<(), PxarError> {
    let target = link.name_start.checked_sub(distance);
    match target.and_then(|target| file_starts.binary_search(&target).ok()) {
        Some(_) => Ok(()),
        None => Err(PxarError::malformed(
            link.name_start,
            format!("the hard link {} leads to no file in front of it", quoted(path)),
        )),
    }
}
