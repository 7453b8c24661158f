//! Directory trees as a source: a pxar archive, and the catalog that all trees of a snapshot share.

use std::path::Path;
use std::sync::Arc;

use pbstore_format::{DynamicIndex, Index};
use pbstore_pxar::catalog::{CatalogSink, CatalogWriter};
use pbstore_pxar::{create_archive, CreateOptions, PxarError};

use super::cutter::ChunkWriter;
use super::pipeline::{explained, start, SealOptions, UploadStats};
use super::writer::IndexKind;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::running::Running;
use crate::client::session::Session;
use crate::client::share::Share;
use crate::client::tree_report::TreeReport;

const CATALOG_NAME: &str = "catalog.pcat1.didx";
/// Average of the catalog's chunks (catalog.md).
const CATALOG_AVERAGE_BYTES: usize = 512 << 10;

/// What to take from a tree, and how to cut the archive.
#[derive(Clone)]
pub struct TreeOptions {
    /// For the archiver.
    pub create: CreateOptions,
    /// Average chunk size in bytes, a power of two.
    pub average_bytes: usize,
}

/// The catalog of a session, which grows with each tree that is uploaded with it.
pub struct CatalogUpload {
    writer: CatalogWriter<ChunkWriter>,
    running: Running<UploadStats>,
}

impl CatalogUpload {
    /// Opens the index.
    pub fn start(session: &Session, seal: &SealOptions, progress: &Arc<Progress>) -> Result<Self, ClientError> {
        let (running, intake) = start(session, IndexKind::Dynamic, CATALOG_NAME, seal, Share::small(), progress)?;
        let output = ChunkWriter::new(intake, CATALOG_AVERAGE_BYTES)?;
        let writer = CatalogWriter::new(output).map_err(|error| tree_error(&error))?;
        Ok(Self { writer, running })
    }

    /// Writes the root and closes the index.
    pub fn finish(self, session: &Session) -> Result<UploadStats, ClientError> {
        let written = self.writer.finish().map_err(|error| tree_error(&error)).and_then(ChunkWriter::finish);
        let outcome = self.running.finish(session).map_err(|error| explained(CATALOG_NAME, error));
        // When both failed, the upload knows why the writer did.
        outcome.and_then(|stats| written.map(|()| stats))
    }
}

/// Uploads the tree below `source` as `archive_name` (`….pxar.didx`). The chunks of `previous` must be known to the
/// server. After a failure the catalog is of no use any more.
#[allow(clippy::too_many_arguments)]
pub fn upload_tree(
    session: &Session,
    source: &Path,
    archive_name: &str,
    seal: &SealOptions,
    previous: Option<&DynamicIndex>,
    catalog: &mut Option<CatalogUpload>,
    options: &TreeOptions,
    progress: &Arc<Progress>,
) -> Result<UploadStats, ClientError> {
    if let Some(index) = previous {
        session.known().register(index.digests());
    }
    let (running, intake) = start(session, IndexKind::Dynamic, archive_name, seal, Share::large(), progress)?;
    let mut output = ChunkWriter::new(intake, options.average_bytes)?;
    let mut report = TreeReport::new(progress);
    let writer = catalog.as_mut().map(|catalog| &mut catalog.writer);
    let walked = walk(source, archive_name, &mut output, writer, options, &mut report);
    match walked {
        // Fails only if the upload has ended, which then says why.
        Ok(()) => drop(output.finish()),
        Err(error) => output.fail(error),
    }
    let mut outcome = running.finish(session);
    if matches!(outcome, Err(ClientError::Stopped)) {
        outcome = Err(catalog_failure(catalog, session));
    }
    let mut stats = outcome.map_err(|error| explained(archive_name, error))?;
    stats.warning_count = report.warning_count();
    Ok(stats)
}

fn walk(
    source: &Path,
    archive_name: &str,
    output: &mut ChunkWriter,
    mut catalog: Option<&mut CatalogWriter<ChunkWriter>>,
    options: &TreeOptions,
    report: &mut TreeReport<'_>,
) -> Result<(), ClientError> {
    if let Some(catalog) = catalog.as_mut() {
        catalog.start_archive(archive_name.as_bytes()).map_err(|error| tree_error(&error))?;
    }
    let sink = catalog.as_mut().map(|catalog| &mut **catalog as &mut dyn CatalogSink);
    create_archive(source, output, sink, &options.create, report).map_err(|error| tree_error(&error))?;
    if let Some(catalog) = catalog {
        catalog.end_archive().map_err(|error| tree_error(&error))?;
    }
    Ok(())
}

/// A tree that stopped because the catalog failed has the catalog's error.
fn catalog_failure(catalog: &mut Option<CatalogUpload>, session: &Session) -> ClientError {
    // Its task ends for sure: whatever failed in this session, all uploads hear of it.
    match catalog.take() {
        Some(CatalogUpload { writer, running }) => {
            drop(writer);
            running.finish(session).err().unwrap_or(ClientError::Stopped)
        }
        None => ClientError::Stopped,
    }
}

/// What the archiver says, unless it only passes on what its input or output said.
pub(super) fn tree_error(error: &PxarError) -> ClientError {
    match error {
        PxarError::Cancelled => ClientError::Aborted,
        PxarError::Write(source) | PxarError::Read(source) => {
            ClientError::inside(source).unwrap_or_else(|| ClientError::Local(error.to_string()))
        }
        _ => ClientError::Local(error.to_string()),
    }
}
