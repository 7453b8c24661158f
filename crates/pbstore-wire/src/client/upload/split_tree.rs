//! Directory trees as a split archive: names and metadata in one stream, contents in another, uploaded in one walk
//! (version-4.md 2.1).

use std::path::Path;
use std::sync::Arc;

use pbstore_format::{DynamicIndex, Index};
use pbstore_pxar::{create_split_archive, CreateStats, ReadAt, Reference};

use super::cutter::ChunkWriter;
use super::payload::PayloadWriter;
use super::pipeline::{explained, start, SealOptions, UploadStats};
use super::tree::{tree_error, TreeOptions};
use super::writer::IndexKind;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;
use crate::client::share::Share;
use crate::client::tree_report::TreeReport;

/// The two archives of a split one, as the server calls them.
pub struct SplitNames {
    /// `….mpxar.didx`.
    pub metadata: String,
    /// `….ppxar.didx`.
    pub payload: String,
}

/// What a split archive may take over. The server must know the chunks of both indexes.
#[derive(Default)]
pub struct PreviousSplit {
    /// Index of the previous metadata stream.
    pub metadata_index: Option<DynamicIndex>,
    /// Index of the previous payload stream.
    pub payload_index: Option<DynamicIndex>,
    /// The previous metadata stream, if files that it shows to be unchanged shall use the chunks of the previous payload
    /// stream again.
    pub metadata: Option<Arc<dyn ReadAt>>,
}

/// What the upload of a split archive did.
#[derive(Debug)]
pub struct SplitUploadStats {
    /// The stream of names and metadata.
    pub metadata: UploadStats,
    /// The stream of contents.
    pub payload: UploadStats,
    /// What the tree had, and what of it was taken over.
    pub tree: CreateStats,
    /// How many things could not be saved as they were.
    pub warning_count: u64,
}

/// Uploads the tree below `source` as the two archives.
pub fn upload_split_tree(
    session: &Session,
    source: &Path,
    names: &SplitNames,
    seal: &SealOptions,
    previous: PreviousSplit,
    options: &TreeOptions,
    progress: &Arc<Progress>,
) -> Result<SplitUploadStats, ClientError> {
    for index in [&previous.metadata_index, &previous.payload_index].into_iter().flatten() {
        session.known().register(index.digests());
    }
    let reference = match (previous.metadata, previous.payload_index) {
        (Some(metadata), Some(index)) => Some(Reference { metadata, payload_index: Arc::new(index) }),
        _ => None,
    };
    let average = options.average_bytes;
    let (payload_upload, intake) = start(session, IndexKind::Dynamic, &names.payload, seal, Share::large(), progress)?;
    let mut payload = PayloadWriter::new(intake, average, session.known())?;
    let (metadata_upload, intake) =
        start(session, IndexKind::Dynamic, &names.metadata, seal, Share::small(), progress)?;
    let mut metadata = ChunkWriter::new(intake, average)?;
    let mut report = TreeReport::new(progress);
    let walked = create_split_archive(source, &mut metadata, &mut payload, reference, &options.create, &mut report)
        .map_err(|error| tree_error(&error));
    match &walked {
        // These fail only if an upload has ended, which then says why.
        Ok(_) => drop((metadata.finish(), payload.finish())),
        Err(error) => {
            payload.fail(error.clone());
            metadata.fail(ClientError::Stopped);
        }
    }
    match (walked, payload_upload.finish(session), metadata_upload.finish(session)) {
        (Ok(tree), Ok(payload), Ok(metadata)) => {
            Ok(SplitUploadStats { metadata, payload, tree, warning_count: report.warning_count() })
        }
        (walked, payload, metadata) => Err(cause(names, walked.err(), payload.err(), metadata.err())),
    }
}

/// Of all that failed, what did not do so only because another one had.
fn cause(
    names: &SplitNames,
    walk: Option<ClientError>,
    payload: Option<ClientError>,
    metadata: Option<ClientError>,
) -> ClientError {
    let failures = [(payload, &names.payload), (metadata, &names.metadata), (walk, &names.payload)];
    let mut known = failures.into_iter().filter_map(|(error, name)| Some((error?, name)));
    let first = known.find(|(error, _)| !matches!(error, ClientError::Stopped));
    let (error, name) = first.unwrap_or((ClientError::Stopped, &names.payload));
    explained(name, error)
}
