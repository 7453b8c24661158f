//! Catalogs: files, or archives of a datastore.

use std::io::{BufReader, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use pbstore_pxar::catalog::{CatalogEntry, CatalogReader, CatalogWalk};
use pbstore_pxar::{Cursor, ReadAt};
use pyo3::prelude::*;

use super::{from_pxar, open};
use crate::stored_archive::PyStoredArchive;

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCatalogEntry>()?;
    module.add_class::<PyCatalog>()
}

/// Directories of a catalog that somebody else has made and that a server lists: some million names.
const MAX_LISTED_BYTES: u64 = 32 << 20;

/// One name of a catalog.
#[pyclass(name = "CatalogEntry", module = "pbstore._core", frozen, get_all)]
struct PyCatalogEntry {
    path: Vec<u8>,
    kind: char,
    size: u64,
    mtime_seconds: i64,
}

impl PyCatalogEntry {
    fn new(path: Vec<u8>, entry: &CatalogEntry) -> Self {
        let kind = entry.kind.byte().into();
        Self { path, kind, size: entry.size, mtime_seconds: entry.mtime_seconds }
    }
}

/// A catalog.
#[pyclass(name = "Catalog", module = "pbstore._core", frozen)]
struct PyCatalog {
    place: Place,
}

/// Where the bytes of a catalog are.
enum Place {
    File(PathBuf),
    Stored(Arc<dyn ReadAt>),
}

trait Input: Read + Seek + Send {}
impl<T: Read + Seek + Send> Input for T {}

type Reader = CatalogReader<BufReader<Box<dyn Input>>>;

impl PyCatalog {
    fn open(py: Python<'_>, place: Place) -> PyResult<Self> {
        let catalog = Self { place };
        py.detach(|| catalog.reader())?;
        Ok(catalog)
    }

    fn reader(&self) -> PyResult<Reader> {
        let (input, max_bytes): (Box<dyn Input>, _) = match &self.place {
            Place::File(path) => (Box::new(open(path)?.0), u64::MAX),
            Place::Stored(archive) => (Box::new(Cursor::new(Arc::clone(archive))), MAX_LISTED_BYTES),
        };
        let reader = CatalogReader::new(BufReader::new(input)).map_err(from_pxar)?;
        Ok(reader.with_directories_up_to(max_bytes))
    }
}

#[pymethods]
impl PyCatalog {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Self::open(py, Place::File(path))
    }

    #[staticmethod]
    fn stored(py: Python<'_>, archive: &PyStoredArchive) -> PyResult<Self> {
        Self::open(py, Place::Stored(archive.read_at()))
    }

    fn directory(&self, py: Python<'_>, path: Vec<u8>) -> PyResult<Option<Vec<PyCatalogEntry>>> {
        py.detach(|| {
            let mut reader = self.reader()?;
            let Some(offset) = reader.find(&path).map_err(from_pxar)? else { return Ok(None) };
            let trimmed = path.strip_suffix(b"/").unwrap_or(&path);
            let named = |entry: CatalogEntry| PyCatalogEntry::new([trimmed, b"/", &entry.name].concat(), &entry);
            let entries = reader.directory(offset).map_err(from_pxar)?;
            entries.map(|entry| entry.map(named).map_err(from_pxar)).collect::<PyResult<_>>().map(Some)
        })
    }

    fn entries(&self, py: Python<'_>) -> PyResult<Vec<PyCatalogEntry>> {
        py.detach(|| {
            let mut walk = CatalogWalk::new(self.reader()?).map_err(from_pxar)?;
            let mut entries = Vec::new();
            while let Some(entry) = walk.next_entry().map_err(from_pxar)? {
                entries.push(PyCatalogEntry::new(walk.path().to_vec(), &entry));
            }
            Ok(entries)
        })
    }
}
