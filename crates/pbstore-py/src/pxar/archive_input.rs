//! Opens archives, whatever they come from, to be listed or extracted.

use std::fs::File;
use std::io::Read;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pbstore_pxar::{
    extract_archive, Decoder, Entry, Event, ExtractOptions, ExtractStats, FileAt, PxarError, ReadAt, Reporter,
};
use pyo3::prelude::*;

use super::open;
use crate::source::{duplicate, Source};

/// A decoder of any input.
pub(super) trait ArchiveReader: Send {
    /// The next entry with its path, as in [`Decoder::path`].
    fn next_entry(&mut self) -> Result<Option<(Vec<u8>, Entry)>, PxarError>;

    /// See [`Decoder::is_split`].
    fn is_split(&self) -> bool;

    /// See [`Decoder::prelude`].
    fn prelude(&self) -> Option<&[u8]>;

    /// See [`extract_archive`].
    fn extract(
        self: Box<Self>,
        target: &Path,
        options: &ExtractOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<ExtractStats, PxarError>;
}

impl<R: Read + Send, P: Read + Send> ArchiveReader for Decoder<R, P> {
    fn next_entry(&mut self) -> Result<Option<(Vec<u8>, Entry)>, PxarError> {
        loop {
            match self.next_event()? {
                Some(Event::Entry(entry)) => {
                    self.check_content()?;
                    return Ok(Some((self.path().to_vec(), entry)));
                }
                Some(Event::DirectoryEnd) => {}
                None => return Ok(None),
            }
        }
    }

    fn is_split(&self) -> bool {
        Decoder::is_split(self)
    }

    fn prelude(&self) -> Option<&[u8]> {
        Decoder::prelude(self)
    }

    fn extract(
        self: Box<Self>,
        target: &Path,
        options: &ExtractOptions,
        reporter: &mut dyn Reporter,
    ) -> Result<ExtractStats, PxarError> {
        extract_archive(*self, target, options, reporter)
    }
}

/// An open input.
struct Input {
    file: File,
    /// 0 if it is no regular file.
    bytes: u64,
    /// Whether it can be read at any place.
    is_regular: bool,
}

impl Input {
    fn open(path: &Path) -> PyResult<Self> {
        let (file, metadata) = open(path)?;
        let is_regular = metadata.is_file();
        Ok(Self { file, bytes: if is_regular { metadata.len() } else { 0 }, is_regular })
    }

    /// An archive that the caller has open, from where it is to its end.
    fn descriptor(descriptor: RawFd) -> PyResult<Self> {
        Ok(Self { file: duplicate(descriptor)?, bytes: 0, is_regular: false })
    }

    fn at(self) -> PyResult<Arc<dyn ReadAt>> {
        Ok(Arc::new(FileAt::new(self.file)?))
    }
}

/// Opens an archive, and the payload of a split one; returns the length of both too, as far as they are files.
pub(super) fn open_archive(archive: Source, payload: Option<PathBuf>) -> PyResult<(Box<dyn ArchiveReader>, u64)> {
    let archive = match archive {
        Source::Descriptor(descriptor) => Input::descriptor(descriptor)?,
        Source::Path(path) => Input::open(&path)?,
    };
    let payload = payload.map(|path| Input::open(&path)).transpose()?;
    let bytes = archive.bytes + payload.as_ref().map_or(0, |payload| payload.bytes);
    let reader: Box<dyn ArchiveReader> = match payload {
        None if archive.is_regular => Box::new(Decoder::at(archive.at()?, None)),
        None => Box::new(Decoder::new(archive.file)),
        Some(payload) if archive.is_regular && payload.is_regular => {
            Box::new(Decoder::at(archive.at()?, Some(payload.at()?)))
        }
        Some(payload) => Box::new(Decoder::with_payload(archive.file, payload.file)),
    };
    Ok((reader, bytes))
}
