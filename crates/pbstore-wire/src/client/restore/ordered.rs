//! An archive as a stream: chunks are fetched ahead in parallel and read in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::archive::Archive;
use super::checking::{Checked, Deliver};
use super::fetching;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::running::Running;
use crate::client::session::Session;
use crate::client::share::Share;

/// Writes the bytes of an archive to `target` in order; how many.
pub fn restore_stream(
    session: &Session,
    archive: Archive,
    mut target: File,
    progress: &Arc<Progress>,
) -> Result<u64, ClientError> {
    let (name, size) = (archive.name().to_owned(), archive.size());
    progress.add_total(size);
    let (running, mut reader) = read_in_order(session, archive, Share::large(), progress)?;
    let copied = copy(&mut reader, &mut target);
    drop(reader);
    match (running.finish(session), copied) {
        (Ok(()), Ok(())) => Ok(size),
        (Err(ClientError::Stopped) | Ok(()), Err(error)) => {
            Err(ClientError::local(&format!("{name}: unable to write"), error))
        }
        (Err(error), _) => Err(error),
    }
}

/// Whole chunks, so that nothing is copied on the way.
fn copy(reader: &mut OrderedReader, target: &mut File) -> io::Result<()> {
    loop {
        let data = reader.fill_buf()?;
        if data.is_empty() {
            return Ok(());
        }
        target.write_all(data)?;
        let length = data.len();
        reader.consume(length);
    }
}

/// Starts fetching all of an archive; the reader gets the checked bytes.
pub(super) fn read_in_order(
    session: &Session,
    archive: Archive,
    share: Share,
    progress: &Arc<Progress>,
) -> Result<(Running<()>, OrderedReader), ClientError> {
    let count = archive.chunk_count();
    // Unbounded: what is in it counts against the room of the fetching.
    let (arrived, arrivals) = crossbeam_channel::unbounded();
    let deliver: Deliver = Arc::new(move |chunk| arrived.send(chunk).map_err(|_| ClientError::Stopped));
    let running = fetching::start(session, &Arc::new(archive), (0..count).collect(), &deliver, share, progress)?;
    let reader = OrderedReader {
        arrivals,
        early: BTreeMap::new(),
        next: 0,
        count,
        current: None,
        position: 0,
        progress: Arc::clone(progress),
    };
    Ok((running, reader))
}

/// Reads checked chunks in order; fails when the restore has ended early, which then says why.
pub(super) struct OrderedReader {
    arrivals: Receiver<Checked>,
    /// Chunks that arrived before their turn.
    early: BTreeMap<usize, Checked>,
    next: usize,
    count: usize,
    current: Option<Checked>,
    position: usize,
    progress: Arc<Progress>,
}

impl OrderedReader {
    fn next_chunk(&mut self) -> io::Result<Checked> {
        loop {
            if let Some(chunk) = self.early.remove(&self.next) {
                self.next += 1;
                return Ok(chunk);
            }
            let chunk = self.arrivals.recv().map_err(|_| io::Error::other(ClientError::Stopped))?;
            self.early.insert(chunk.number, chunk);
        }
    }
}

impl BufRead for OrderedReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let used_up = self.current.as_ref().is_none_or(|chunk| self.position >= chunk.data.len());
        if used_up {
            // Gives its room back before waiting for the next.
            self.current = None;
            self.position = 0;
            if self.next < self.count {
                self.current = Some(self.next_chunk()?);
            }
        }
        Ok(self.current.as_ref().and_then(|chunk| chunk.data.get(self.position..)).unwrap_or(&[]))
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
        self.progress.add_processed(count as u64);
    }
}

impl Read for OrderedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
