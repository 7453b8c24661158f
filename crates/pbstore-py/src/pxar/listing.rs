//! The entries of an archive, one by one.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pbstore_pxar::{quoted, Device, Entry, Kind};
use pyo3::prelude::*;

use super::archive_input::{open_archive, ArchiveReader};
use super::from_pxar;
use crate::source::Source;

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPxarEntry>()?;
    module.add_class::<PyPxarListing>()?;
    module.add_function(wrap_pyfunction!(quoted_path, module)?)?;
    module.add_function(wrap_pyfunction!(list_pxar, module)?)
}

#[pyfunction]
#[pyo3(signature = (archive_path, payload_path=None))]
fn list_pxar(archive_path: PathBuf, payload_path: Option<PathBuf>) -> PyResult<PyPxarListing> {
    let (reader, _) = open_archive(Source::Path(archive_path), payload_path)?;
    Ok(PyPxarListing { reader: Mutex::new(reader) })
}

/// The entries of an archive, read as they are asked for.
#[pyclass(name = "PxarListing", module = "pbstore._core", frozen)]
struct PyPxarListing {
    reader: Mutex<Box<dyn ArchiveReader>>,
}

#[pymethods]
impl PyPxarListing {
    fn __iter__(listing: PyRef<'_, Self>) -> PyRef<'_, Self> {
        listing
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<PyPxarEntry>> {
        py.detach(|| {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let next = reader.next_entry().map_err(from_pxar)?;
            Ok(next.map(|(path, entry)| PyPxarEntry::new(&path, entry)))
        })
    }

    #[getter]
    fn is_split(&self) -> bool {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).is_split()
    }

    #[getter]
    fn prelude(&self) -> Option<Vec<u8>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.prelude().map(<[u8]>::to_vec)
    }
}

/// One entry of an archive.
#[pyclass(name = "PxarEntry", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyPxarEntry {
    path: Vec<u8>,
    kind: char,
    mode: u64,
    flags: u64,
    uid: u32,
    gid: u32,
    mtime_seconds: i64,
    mtime_nanoseconds: u32,
    size: u64,
    payload_offset: Option<u64>,
    link_target: Option<Vec<u8>>,
    device: Option<(u64, u64)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    has_acl: bool,
    fcaps: Option<Vec<u8>>,
    quota_project_id: Option<u64>,
}

impl PyPxarEntry {
    pub(crate) fn new(path: &[u8], entry: Entry) -> Self {
        let payload_offset = match entry.kind {
            Kind::File { payload_offset, .. } => payload_offset,
            _ => None,
        };
        let (kind, size, link_target, device) = parts(entry.kind);
        let metadata = entry.metadata;
        let stat = metadata.stat;
        Self {
            path: [b"/", path].concat(),
            kind,
            mode: stat.mode,
            flags: stat.flags,
            uid: stat.uid,
            gid: stat.gid,
            mtime_seconds: stat.mtime.seconds,
            mtime_nanoseconds: stat.mtime.nanoseconds,
            size,
            payload_offset,
            link_target,
            device: device.map(|device| (device.major, device.minor)),
            has_acl: !metadata.acl.is_empty(),
            xattrs: metadata.xattrs.into_iter().map(|xattr| (xattr.name, xattr.value)).collect(),
            fcaps: metadata.fcaps,
            quota_project_id: metadata.quota_project_id,
        }
    }

    /// A hard link as it looks in a file system: with what belongs to the file that it stands for.
    pub(crate) fn linked(path: &[u8], mut entry: Entry, file: Option<Entry>) -> Self {
        let mut size = None;
        if let Some(file) = file {
            entry.metadata = file.metadata;
            if let Kind::File { size: file_size, .. } = file.kind {
                size = Some(file_size);
            }
        }
        let shown = Self::new(path, entry);
        Self { size: size.unwrap_or(shown.size), ..shown }
    }
}

/// Letter of the kind (as in catalogs), size, link target and device numbers.
fn parts(kind: Kind) -> (char, u64, Option<Vec<u8>>, Option<Device>) {
    match kind {
        Kind::Directory => ('d', 0, None, None),
        Kind::File { size, .. } => ('f', size, None, None),
        Kind::Symlink { target } => ('l', 0, Some(target), None),
        Kind::Hardlink { target, .. } => ('h', 0, Some(target), None),
        Kind::BlockDevice(device) => ('b', 0, None, Some(device)),
        Kind::CharDevice(device) => ('c', 0, None, Some(device)),
        Kind::Fifo => ('p', 0, None, None),
        Kind::Socket => ('s', 0, None, None),
    }
}

#[pyfunction]
fn quoted_path(path: &[u8]) -> String {
    quoted(path)
}
