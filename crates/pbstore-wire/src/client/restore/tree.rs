//! Unpacks a directory tree from its archive while the archive is fetched.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pbstore_pxar::{extract_archive, Decoder, ExtractOptions, PxarError};

use super::archive::Archive;
use super::ordered::{read_in_order, OrderedReader};
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;
use crate::client::warnings::Warnings;

/// What the restore of a tree did.
#[derive(Debug)]
pub struct RestoreStats {
    /// Bytes of the archive.
    pub size: u64,
    /// Entries of all kinds.
    pub entry_count: u64,
    /// From the first request to the last write.
    pub duration_seconds: f64,
    /// What could not be restored as it was.
    pub warnings: Vec<String>,
}

/// Unpacks the tree below `target`.
pub fn restore_tree(
    session: &Session,
    archive: Archive,
    target: &Path,
    options: &ExtractOptions,
    progress: &Arc<Progress>,
) -> Result<RestoreStats, ClientError> {
    let began = Instant::now();
    let (name, size) = (archive.name().to_owned(), archive.size());
    progress.add_total(size);
    let (running, mut reader) = read_in_order(session, archive, progress)?;
    let mut warnings = Warnings::new(progress);
    let extracted = extract(&mut reader, target, options, &mut warnings);
    drop(reader);
    let entry_count = match (running.finish(session), extracted) {
        (Ok(()), Ok(entry_count)) => entry_count,
        // The fetching was stopped by, or had ended before, what the unpacking says.
        (Ok(()) | Err(ClientError::Stopped), Err(PxarError::Cancelled)) => return Err(ClientError::Aborted),
        (Ok(()) | Err(ClientError::Stopped), Err(error)) => return Err(ClientError::local(&name, error)),
        (Err(error), _) => return Err(error),
    };
    let duration_seconds = began.elapsed().as_secs_f64();
    Ok(RestoreStats { size, entry_count, duration_seconds, warnings: warnings.into_list() })
}

fn extract(
    reader: &mut OrderedReader,
    target: &Path,
    options: &ExtractOptions,
    warnings: &mut Warnings<'_>,
) -> Result<u64, PxarError> {
    let stats = extract_archive(Decoder::new(&mut *reader), target, options, warnings)?;
    if !reader.fill_buf().map_err(PxarError::Read)?.is_empty() {
        return Err(PxarError::Invalid("data follows the end of the archive".to_owned()));
    }
    Ok(stats.entry_count)
}
