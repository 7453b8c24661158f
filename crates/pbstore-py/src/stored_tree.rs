//! The tree in an archive of a datastore: looked at, and downloaded from, for Python.

use std::io;
use std::path::PathBuf;

use pbstore_download::{tar_zst_download, zip_download, DownloadError, FileDownload, Portions};
use pbstore_pxar::{quoted, Accessor, Directory, Entry, Found, Kind, Metadata, PxarError};
use pbstore_wire::server::application::{NextPortion, StreamBody};
use pyo3::prelude::*;

use crate::errors::exceptions;
use crate::file_body::PyFileBody;
use crate::pxar::{from_pxar, PyPxarEntry};
use crate::stored_archive::PyStoredArchive;

/// Paths of all children that are listed at once, with the memory that an entry takes besides: some 300000 of them.
const MAX_LISTED_BYTES: usize = 64 << 20;
const ENTRY_BYTES: usize = 160;

/// The tree of a pxar archive.
#[pyclass(name = "StoredTree", module = "pbstore._core", frozen)]
struct PyStoredTree {
    root: Directory,
}

#[pymethods]
impl PyStoredTree {
    #[new]
    #[pyo3(signature = (archive, payload = None))]
    fn new(py: Python<'_>, archive: &PyStoredArchive, payload: Option<&PyStoredArchive>) -> PyResult<Self> {
        let (archive, payload) = (archive.read_at(), payload.map(PyStoredArchive::read_at));
        let opened = py.detach(|| match payload {
            Some(payload) => Accessor::with_payload(archive, payload),
            None => Accessor::open(archive),
        });
        Ok(Self { root: opened.map_err(from_pxar)? })
    }

    fn entry(&self, py: Python<'_>, path: &[u8]) -> PyResult<Option<PyPxarEntry>> {
        py.detach(|| self.described(path)).map_err(from_pxar)
    }

    fn children(&self, py: Python<'_>, path: &[u8]) -> PyResult<Option<Vec<PyPxarEntry>>> {
        py.detach(|| {
            let Some(Found::Directory(directory)) = self.root.find(path).map_err(from_pxar)? else { return Ok(None) };
            let path = plain(path);
            let (mut children, mut listed_bytes) = (Vec::new(), 0);
            for entry in directory.entries() {
                let mut entry = entry.map_err(from_pxar)?;
                let child = plain(&[&path[..], b"/", &entry.name].concat());
                listed_bytes += child.len() + ENTRY_BYTES;
                if listed_bytes > MAX_LISTED_BYTES {
                    let text = format!("{} has too many entries to be listed: download it instead", quoted(&path));
                    return Err(exceptions::PbstoreError::new_err(text));
                }
                entry.metadata = Metadata { stat: entry.metadata.stat, ..Metadata::default() };
                children.push(PyPxarEntry::new(&child, entry));
            }
            Ok(Some(children))
        })
    }

    fn file(&self, py: Python<'_>, path: &[u8]) -> PyResult<PyFileBody> {
        py.detach(|| {
            let found = match self.root.find(path).map_err(from_pxar)? {
                Some(Found::Other(entry)) => *entry,
                _ => return Err(is_no(path, "file")),
            };
            let file = self.linked(&found).map_err(from_pxar)?.unwrap_or(found);
            if !matches!(file.kind, Kind::File { .. }) {
                return Err(is_no(path, "file"));
            }
            let download = FileDownload::new(self.root.content(&file).map_err(from_pxar)?);
            Ok(body(Some(download.size()), download))
        })
    }

    fn zip(&self, py: Python<'_>, path: &[u8], spool: PathBuf) -> PyResult<PyFileBody> {
        py.detach(|| {
            let directory = self.directory(path)?;
            Ok(body(None, zip_download(self.root.clone(), directory, path, &spool)))
        })
    }

    fn tar_zst(&self, py: Python<'_>, path: &[u8]) -> PyResult<PyFileBody> {
        py.detach(|| {
            let directory = self.directory(path)?;
            let download = tar_zst_download(self.root.clone(), directory, path);
            Ok(body(None, download.map_err(from_download)?))
        })
    }
}

impl PyStoredTree {
    fn described(&self, path: &[u8]) -> Result<Option<PyPxarEntry>, PxarError> {
        let path = plain(path);
        let entry = match self.root.find(&path)? {
            None => return Ok(None),
            Some(Found::Other(entry)) => *entry,
            Some(Found::Directory(directory)) => {
                let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
                let metadata = directory.metadata().clone();
                Entry { name, name_start: 0, kind: Kind::Directory, metadata }
            }
        };
        let linked = self.linked(&entry)?;
        Ok(Some(PyPxarEntry::linked(&path, entry, linked)))
    }

    /// The file that a hard link stands for.
    fn linked(&self, entry: &Entry) -> Result<Option<Entry>, PxarError> {
        match entry.kind {
            Kind::Hardlink { .. } => self.root.follow(entry).map(Some),
            _ => Ok(None),
        }
    }

    fn directory(&self, path: &[u8]) -> PyResult<Directory> {
        match self.root.find(path).map_err(from_pxar)? {
            Some(Found::Directory(directory)) => Ok(directory),
            _ => Err(is_no(path, "directory")),
        }
    }
}

/// The names of a path with single slashes between them.
fn plain(path: &[u8]) -> Vec<u8> {
    let names: Vec<_> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    names.join(&b'/')
}

fn is_no(path: &[u8], what: &str) -> PyErr {
    exceptions::PbstoreError::new_err(format!("{} is no {what} of the archive", quoted(path)))
}

fn from_download(error: DownloadError) -> PyErr {
    match error {
        DownloadError::Archive(error) => from_pxar(error),
        other => exceptions::PbstoreError::new_err(other.to_string()),
    }
}

fn body(bytes: Option<u64>, mut download: impl Portions + 'static) -> PyFileBody {
    let next: NextPortion = Box::new(move || download.next_portion().map_err(io::Error::other));
    StreamBody::portions(bytes, next).into()
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStoredTree>()
}
