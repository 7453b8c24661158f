//! Writes an image: each different chunk is fetched once and written wherever it belongs, in any order.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::sync::Arc;

use pbstore_format::{chunk_digest, Digest};

use super::archive::Archive;
use super::checking::{Checked, Deliver};
use super::fetching;
use super::ordered::restore_stream;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;
use crate::client::share::Share;

/// Writes the image to `target`; its size. A regular file is emptied first and ends up with the image's size, and with
/// `sparse` its zero chunks are holes. A device has to be large enough. Anything else gets the bytes in order.
pub fn restore_image(
    session: &Session,
    archive: Archive,
    target: File,
    sparse: bool,
    progress: &Arc<Progress>,
) -> Result<u64, ClientError> {
    let failed = |error| ClientError::local(&format!("{}: unable to prepare the target", archive.name()), error);
    let kind = target.metadata().map_err(failed)?.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return restore_stream(session, archive, target, progress);
    }
    let size = archive.size();
    if kind.is_file() {
        target.set_len(0).and_then(|()| target.set_len(size)).map_err(failed)?;
    } else {
        check_device_size(&target, &archive)?;
    }
    progress.add_total(size);
    let mut places = Places::of(&archive);
    if sparse && kind.is_file() {
        progress.add_processed(places.leave_out_zeros(&archive));
    }
    write_image(session, archive, target, places, progress)?;
    Ok(size)
}

fn check_device_size(mut target: &File, archive: &Archive) -> Result<(), ClientError> {
    let size = archive.size();
    let room = target
        .seek(SeekFrom::End(0))
        .map_err(|error| ClientError::local(&format!("{}: unable to seek the target", archive.name()), error))?;
    if room < size {
        let name = archive.name();
        return Err(ClientError::Local(format!("{name}: the target has {room} bytes, the image needs {size}")));
    }
    Ok(())
}

fn write_image(
    session: &Session,
    archive: Archive,
    target: File,
    places: Places,
    progress: &Arc<Progress>,
) -> Result<(), ClientError> {
    let archive = Arc::new(archive);
    let numbers = places.first_numbers();
    let deliver: Deliver = {
        let (archive, progress) = (Arc::clone(&archive), Arc::clone(progress));
        Arc::new(move |chunk| write_chunk(&archive, &target, &places, &progress, &chunk))
    };
    fetching::start(session, &archive, numbers, &deliver, Share::large(), progress)?.finish(session)
}

fn write_chunk(
    archive: &Archive,
    target: &File,
    places: &Places,
    progress: &Progress,
    chunk: &Checked,
) -> Result<(), ClientError> {
    places.check_lengths(archive, chunk)?;
    for &number in places.of_chunk(chunk.number) {
        if progress.is_cancelled() {
            return Err(ClientError::Aborted);
        }
        target.write_all_at(&chunk.data, archive.start(number)).map_err(|error| {
            ClientError::local(&format!("{}: unable to write at {}", archive.name(), archive.start(number)), error)
        })?;
        progress.add_processed(chunk.data.len() as u64);
    }
    Ok(())
}

/// Where each different chunk belongs.
pub(super) struct Places {
    /// All chunk numbers, equal digests side by side, each group in order.
    numbers: Vec<usize>,
    /// Groups of equal digests in `numbers`, by their first number.
    groups: Vec<Range<usize>>,
}

impl Places {
    pub(super) fn of(archive: &Archive) -> Self {
        let mut numbers: Vec<usize> = (0..archive.chunk_count()).collect();
        numbers.sort_by_key(|number| (archive.digest(*number), *number));
        let mut groups: Vec<Range<usize>> = Vec::new();
        for run in numbers.chunk_by(|one, other| archive.digest(*one) == archive.digest(*other)) {
            let start = groups.last().map_or(0, |group| group.end);
            groups.push(start..start + run.len());
        }
        groups.sort_by_key(|group| numbers.get(group.start).copied());
        Self { numbers, groups }
    }

    /// One number for each different chunk, in order.
    pub(super) fn first_numbers(&self) -> Vec<usize> {
        self.groups.iter().filter_map(|group| self.numbers.get(group.start).copied()).collect()
    }

    /// All places of the chunk that is found first at `first`.
    pub(super) fn of_chunk(&self, first: usize) -> &[usize] {
        let found = self.groups.binary_search_by_key(&Some(first), |group| self.numbers.get(group.start).copied());
        found
            .ok()
            .and_then(|group| self.groups.get(group))
            .and_then(|group| self.numbers.get(group.clone()))
            .unwrap_or(&[])
    }

    /// Refuses an index that gives the same content different lengths.
    pub(super) fn check_lengths(&self, archive: &Archive, chunk: &Checked) -> Result<(), ClientError> {
        match self.of_chunk(chunk.number).iter().find(|number| archive.length(**number) != chunk.data.len()) {
            None => Ok(()),
            Some(number) => {
                let text = archive.about(*number, &"the index gives the same digest different lengths");
                Err(ClientError::Integrity(text))
            }
        }
    }

    /// Forgets the zero chunk (of the length that the first chunk has); the bytes that it takes in the image.
    fn leave_out_zeros(&mut self, archive: &Archive) -> u64 {
        let length = archive.length(0);
        let zeros: Digest = chunk_digest(&vec![0; length], archive.key());
        let numbers = &self.numbers;
        let mut bytes = 0;
        self.groups.retain(|group| {
            let members = numbers.get(group.clone()).unwrap_or(&[]);
            let is_zero =
                members.iter().all(|number| archive.digest(*number) == zeros && archive.length(*number) == length);
            if is_zero {
                bytes += members.len() as u64 * length as u64;
            }
            !is_zero
        });
        bytes
    }
}
