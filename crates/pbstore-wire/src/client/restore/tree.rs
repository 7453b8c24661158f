//! Unpacks a directory tree from its archive while the archive is fetched.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pbstore_pxar::{extract_archive, Decoder, ExtractOptions, PxarError, ReadAt};

use super::archive::Archive;
use super::ordered::read_in_order;
use super::remote::RemoteArchive;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::running::Running;
use crate::client::session::Session;
use crate::client::share::Share;
use crate::client::tree_report::TreeReport;

/// What a tree is made from.
pub struct TreeArchive {
    /// The archive; of a split one, its metadata stream.
    pub archive: Archive,
    /// The payload stream of a split one.
    pub payload: Option<Archive>,
}

/// What the restore of a tree did.
#[derive(Debug)]
pub struct RestoreStats {
    /// Bytes of the archive that were fetched.
    pub size: u64,
    /// Entries of all kinds.
    pub entry_count: u64,
    /// From the first request to the last write.
    pub duration_seconds: f64,
    /// How many things could not be restored as they were.
    pub warning_count: u64,
    /// What the program that made a split archive left in it for its readers.
    pub prelude: Option<Vec<u8>>,
}

/// Unpacks the tree below `target`. All of it is fetched ahead, or what is needed if patterns select something.
pub fn restore_tree(
    session: &Arc<Session>,
    source: TreeArchive,
    target: &Path,
    options: &ExtractOptions,
    progress: &Arc<Progress>,
) -> Result<RestoreStats, ClientError> {
    let began = Instant::now();
    let mut report = TreeReport::new(progress);
    let (entry_count, size) = if options.patterns.is_empty() {
        unpack_all(session, source, target, options, progress, &mut report)?
    } else {
        unpack_some(session, source, target, options, progress, &mut report)?
    };
    let duration_seconds = began.elapsed().as_secs_f64();
    let prelude = report.take_prelude();
    Ok(RestoreStats { size, entry_count, duration_seconds, warning_count: report.warning_count(), prelude })
}

fn unpack_all(
    session: &Arc<Session>,
    source: TreeArchive,
    target: &Path,
    options: &ExtractOptions,
    progress: &Arc<Progress>,
    report: &mut TreeReport<'_>,
) -> Result<(u64, u64), ClientError> {
    let TreeArchive { archive, payload } = source;
    let name = archive.name().to_owned();
    let size = archive.size() + payload.as_ref().map_or(0, Archive::size);
    progress.add_total(size);
    let Some(payload) = payload else {
        let (running, reader) = read_in_order(session, archive, Share::large(), progress)?;
        let extracted = extract_archive(Decoder::new(reader), target, options, report);
        return finish(session, &name, [running], extracted).map(|stats| (stats.entry_count, size));
    };
    // Each stream has room of its own: whichever the decoder waits for can come.
    let (contents, payload) = read_in_order(session, payload, Share::large(), progress)?;
    let (names, metadata) = read_in_order(session, archive, Share::small(), progress)?;
    let extracted = extract_archive(Decoder::with_payload(metadata, payload), target, options, report);
    finish(session, &name, [contents, names], extracted).map(|stats| (stats.entry_count, size))
}

/// What reading an archive came to, if all went well. By now nobody reads any more, so that all fetching comes to its end.
pub(super) fn finish<T, const N: usize>(
    session: &Session,
    name: &str,
    fetching: [Running<()>; N],
    outcome: Result<T, PxarError>,
) -> Result<T, ClientError> {
    let mut cause = None;
    for running in fetching {
        match running.finish(session) {
            Ok(()) | Err(ClientError::Stopped) => {}
            Err(error) => cause = cause.or(Some(error)),
        }
    }
    match (cause, outcome) {
        (Some(error), _) => Err(error),
        (None, Ok(outcome)) => Ok(outcome),
        (None, Err(error)) => Err(reading_error(name, &error)),
    }
}

fn unpack_some(
    session: &Arc<Session>,
    source: TreeArchive,
    target: &Path,
    options: &ExtractOptions,
    progress: &Arc<Progress>,
    report: &mut TreeReport<'_>,
) -> Result<(u64, u64), ClientError> {
    let name = source.archive.name().to_owned();
    let open = |archive| Arc::new(RemoteArchive::new(Arc::clone(session), archive, Arc::clone(progress)));
    let (archive, payload) = (open(source.archive), source.payload.map(open));
    let readers = (Arc::clone(&archive) as Arc<dyn ReadAt>, payload.clone().map(|payload| payload as Arc<dyn ReadAt>));
    let extracted = extract_archive(Decoder::at(readers.0, readers.1), target, options, report);
    let stats = extracted.map_err(|error| reading_error(&name, &error))?;
    let fetched = archive.fetched_bytes() + payload.map_or(0, |payload| payload.fetched_bytes());
    Ok((stats.entry_count, fetched))
}

fn reading_error(name: &str, error: &PxarError) -> ClientError {
    match error {
        PxarError::Cancelled => ClientError::Aborted,
        PxarError::Read(source) => ClientError::inside(source).unwrap_or_else(|| ClientError::local(name, error)),
        _ => ClientError::local(name, error),
    }
}
