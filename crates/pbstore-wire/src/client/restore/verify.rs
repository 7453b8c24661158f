//! Proves that archives could be restored: everything is fetched, decrypted and checked, and nothing is written.

use std::io::{self, Read};
use std::sync::Arc;

use pbstore_pxar::{check_archive, CheckStats, Decoder, PxarError};

use super::archive::Archive;
use super::image::Places;
use super::ordered::read_in_order;
use super::tree::{finish, TreeArchive};
use super::{checking, fetching};
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;
use crate::client::share::Share;
use crate::client::tree_report::TreeReport;

/// What the verification of a tree saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyStats {
    /// Bytes of the archive, of both streams of a split one.
    pub size: u64,
    /// Entries of all kinds.
    pub entry_count: u64,
}

/// Checks each different chunk of an archive once; the bytes of the archive.
pub fn verify_chunks(session: &Session, archive: Archive, progress: &Arc<Progress>) -> Result<u64, ClientError> {
    let size = archive.size();
    progress.add_total(size);
    let places = Arc::new(Places::of(&archive));
    let archive = Arc::new(archive);
    let numbers = places.first_numbers();
    let deliver: checking::Deliver = {
        let (archive, progress) = (Arc::clone(&archive), Arc::clone(progress));
        Arc::new(move |chunk| {
            places.check_lengths(&archive, &chunk)?;
            progress.add_processed(places.of_chunk(chunk.number).len() as u64 * chunk.data.len() as u64);
            Ok(())
        })
    };
    fetching::start(session, &archive, numbers, &deliver, Share::large(), progress)?.finish(session)?;
    Ok(size)
}

/// Checks all chunks of a tree's archive, and that what is in them can be unpacked.
pub fn verify_tree(
    session: &Arc<Session>,
    source: TreeArchive,
    progress: &Arc<Progress>,
) -> Result<VerifyStats, ClientError> {
    let TreeArchive { archive, payload } = source;
    let name = archive.name().to_owned();
    let size = archive.size() + payload.as_ref().map_or(0, Archive::size);
    progress.add_total(size);
    let mut report = TreeReport::new(progress);
    let stats = if let Some(payload) = payload {
        let (contents, mut payload) = read_in_order(session, payload, Share::large(), progress)?;
        let (names, mut metadata) = read_in_order(session, archive, Share::small(), progress)?;
        let decoder = Decoder::with_payload(&mut metadata, &mut payload);
        let checked = check_archive(decoder, &mut report).and_then(|stats| rest(stats, &mut payload));
        let checked = checked.and_then(|stats| rest(stats, &mut metadata));
        drop((payload, metadata));
        finish(session, &name, [contents, names], checked)?
    } else {
        let (running, mut reader) = read_in_order(session, archive, Share::large(), progress)?;
        let checked = check_archive(Decoder::new(&mut reader), &mut report).and_then(|stats| rest(stats, &mut reader));
        drop(reader);
        finish(session, &name, [running], checked)?
    };
    Ok(VerifyStats { size, entry_count: stats.entry_count })
}

/// Reads what a decoder has no use for, so that its chunks are checked too.
fn rest(stats: CheckStats, reader: &mut impl Read) -> Result<CheckStats, PxarError> {
    io::copy(reader, &mut io::sink()).map_err(PxarError::Read)?;
    Ok(stats)
}
