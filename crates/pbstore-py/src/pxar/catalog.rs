//! Catalogs in files.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use pbstore_pxar::catalog::{CatalogEntry, CatalogReader, CatalogWalk};
use pyo3::prelude::*;

use super::{from_pxar, open};

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCatalogEntry>()?;
    module.add_class::<PyCatalog>()
}

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

/// A catalog in a file.
#[pyclass(name = "Catalog", module = "pbstore._core", frozen)]
struct PyCatalog {
    path: PathBuf,
}

type Reader = CatalogReader<BufReader<File>>;

impl PyCatalog {
    fn reader(&self) -> PyResult<Reader> {
        CatalogReader::new(BufReader::new(open(&self.path)?.0)).map_err(from_pxar)
    }
}

#[pymethods]
impl PyCatalog {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let catalog = Self { path };
        py.detach(|| catalog.reader())?;
        Ok(catalog)
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
