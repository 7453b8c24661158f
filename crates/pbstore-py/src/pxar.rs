//! pxar archives and catalogs as files, for Python.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pbstore_pxar::catalog::{CatalogEntry, CatalogReader, CatalogSink, CatalogWalk, CatalogWriter};
use pbstore_pxar::{
    create_archive, extract_archive, quoted, CreateOptions, Decoder, Device, Entry, Event, ExtractOptions, Flags, Kind,
    Pattern, PxarError, Reporter,
};
use pyo3::prelude::*;

use crate::errors::exceptions;

/// How soon Ctrl-C is noticed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPxarStats>()?;
    module.add_class::<PyPxarEntry>()?;
    module.add_class::<PyPxarListing>()?;
    module.add_class::<PyCatalogEntry>()?;
    module.add_class::<PyCatalog>()?;
    module.add_function(wrap_pyfunction!(create_pxar, module)?)?;
    module.add_function(wrap_pyfunction!(extract_pxar, module)?)?;
    module.add_function(wrap_pyfunction!(list_pxar, module)?)
}

pub(crate) fn from_pxar(error: PxarError) -> PyErr {
    let text = error.to_string();
    match error {
        PxarError::Malformed { .. } | PxarError::Truncated { .. } | PxarError::Catalog(_) => {
            exceptions::FormatError::new_err(text)
        }
        PxarError::Cancelled => exceptions::AbortedError::new_err(text),
        _ => exceptions::PbstoreError::new_err(text),
    }
}

fn from_io(action: &str, path: &Path, error: &std::io::Error) -> PyErr {
    let path = quoted(path.as_os_str().as_encoded_bytes());
    exceptions::PbstoreError::new_err(format!("{action} {path}: {error}"))
}

/// Collects warnings, and runs Python's signal handlers now and then on the thread that called.
struct Caller {
    warnings: Vec<String>,
    checked: Cell<Instant>,
    raised: RefCell<Option<PyErr>>,
}

impl Caller {
    fn new() -> Self {
        Self { warnings: Vec::new(), checked: Cell::new(Instant::now()), raised: RefCell::new(None) }
    }

    /// What a signal handler raised comes before the error that it led to.
    fn outcome<T>(self, result: Result<T, PxarError>) -> PyResult<(T, Vec<String>)> {
        match self.raised.into_inner() {
            Some(raised) => Err(raised),
            None => result.map(|value| (value, self.warnings)).map_err(from_pxar),
        }
    }
}

impl Reporter for Caller {
    fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    fn cancelled(&self) -> bool {
        if self.checked.get().elapsed() >= SIGNAL_INTERVAL {
            self.checked.set(Instant::now());
            if let Err(error) = Python::attach(|py| py.check_signals()) {
                self.raised.replace(Some(error));
            }
        }
        self.raised.borrow().is_some()
    }
}

/// What an archive was made of, or what was extracted.
#[pyclass(name = "PxarStats", module = "pbstore._core", frozen, get_all)]
struct PyPxarStats {
    entry_count: u64,
    file_bytes: u64,
    archive_bytes: u64,
    warnings: Vec<String>,
}

/// Names of what can be left out.
const FEATURES: [(&str, Flags); 8] = [
    ("acls", Flags::ACL),
    ("device-nodes", Flags::DEVICE_NODES),
    ("fcaps", Flags::FCAPS),
    ("fifos", Flags::FIFOS),
    ("ownership", Flags::OWNERSHIP),
    ("permissions", Flags::PERMISSIONS),
    ("sockets", Flags::SOCKETS),
    ("xattrs", Flags::XATTRS),
];

fn features(without: &[String]) -> PyResult<Flags> {
    let mut features = Flags::DEFAULT;
    for name in without {
        let Some((_, flag)) = FEATURES.iter().find(|(known, _)| known == name) else {
            let known: Vec<_> = FEATURES.iter().map(|(known, _)| *known).collect();
            let text = format!("'{name}' cannot be left out, only {}", known.join(", "));
            return Err(exceptions::PbstoreError::new_err(text));
        };
        features = features.without(*flag);
    }
    Ok(features)
}

/// The catalog of one archive in a file of its own.
struct CatalogFile(CatalogWriter<BufWriter<File>>);

impl CatalogFile {
    fn create(path: &Path, archive_name: &[u8]) -> PyResult<Self> {
        let file = new_file(path)?;
        let mut writer = CatalogWriter::new(BufWriter::new(file)).map_err(from_pxar)?;
        writer.start_archive(archive_name).map_err(from_pxar)?;
        Ok(Self(writer))
    }

    fn finish(mut self) -> Result<(), PxarError> {
        self.0.end_archive()?;
        self.0.finish().map(drop)
    }
}

fn new_file(path: &Path) -> PyResult<File> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o640);
    options.open(path).map_err(|error| from_io("failed to create", path, &error))
}

#[pyfunction]
#[pyo3(signature = (
    source, archive_path, *, catalog_path=None, exclude=Vec::new(), skip_lost_and_found=false, all_file_systems=false,
    include_devices=Vec::new(), skip_e2big_xattr=false, entries_max=1_048_576, without=Vec::new()
))]
#[allow(clippy::too_many_arguments)]
fn create_pxar(
    py: Python<'_>,
    source: PathBuf,
    archive_path: PathBuf,
    catalog_path: Option<PathBuf>,
    exclude: Vec<Vec<u8>>,
    skip_lost_and_found: bool,
    all_file_systems: bool,
    include_devices: Vec<u64>,
    skip_e2big_xattr: bool,
    entries_max: usize,
    without: Vec<String>,
) -> PyResult<PyPxarStats> {
    let exclude: Result<Vec<_>, _> = exclude.iter().map(|text| Pattern::parse(text)).collect();
    let options = CreateOptions {
        features: features(&without)?,
        all_file_systems,
        include_devices,
        exclude: exclude.map_err(from_pxar)?,
        skip_lost_and_found,
        skip_e2big_xattr,
        entries_max,
    };
    py.detach(|| {
        let output = new_file(&archive_path)?;
        let name = archive_path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut catalog = catalog_path.map(|path| CatalogFile::create(&path, name)).transpose()?;
        let sink = catalog.as_mut().map(|catalog| &mut catalog.0 as &mut dyn CatalogSink);
        let mut caller = Caller::new();
        let created = create_archive(&source, output, sink, &options, &mut caller);
        let result = created.and_then(|stats| catalog.map_or(Ok(()), CatalogFile::finish).map(|()| stats));
        let (stats, warnings) = caller.outcome(result)?;
        let (entry_count, file_bytes, archive_bytes) = (stats.entry_count, stats.file_bytes, stats.archive_bytes);
        Ok(PyPxarStats { entry_count, file_bytes, archive_bytes, warnings })
    })
}

#[pyfunction]
#[pyo3(signature = (
    archive_path, target, *, allow_existing_dirs=false, overwrite_files=false, overwrite_symlinks=false,
    overwrite_hardlinks=false, ignore_device_errors=false, strict=true, without=Vec::new()
))]
#[allow(clippy::too_many_arguments)]
fn extract_pxar(
    py: Python<'_>,
    archive_path: PathBuf,
    target: PathBuf,
    allow_existing_dirs: bool,
    overwrite_files: bool,
    overwrite_symlinks: bool,
    overwrite_hardlinks: bool,
    ignore_device_errors: bool,
    strict: bool,
    without: Vec<String>,
) -> PyResult<PyPxarStats> {
    let options = ExtractOptions {
        features: features(&without)?,
        allow_existing_dirs,
        overwrite_files,
        overwrite_symlinks,
        overwrite_hardlinks,
        ignore_device_errors,
        strict,
    };
    py.detach(|| {
        let (input, archive_bytes) = open(&archive_path)?;
        let mut caller = Caller::new();
        let result = extract_archive(input, &target, &options, &mut caller);
        let (stats, warnings) = caller.outcome(result)?;
        let (entry_count, file_bytes) = (stats.entry_count, stats.file_bytes);
        Ok(PyPxarStats { entry_count, file_bytes, archive_bytes, warnings })
    })
}

/// A file and its length; archives may be pipes too, whose length is 0.
fn open(path: &Path) -> PyResult<(File, u64)> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata.len())));
    opened.map_err(|error| from_io("failed to open", path, &error))
}

#[pyfunction]
fn list_pxar(archive_path: PathBuf) -> PyResult<PyPxarListing> {
    let (input, _) = open(&archive_path)?;
    Ok(PyPxarListing { decoder: Mutex::new(Decoder::new(input)) })
}

/// The entries of an archive, read as they are asked for.
#[pyclass(name = "PxarListing", module = "pbstore._core", frozen)]
struct PyPxarListing {
    decoder: Mutex<Decoder<File>>,
}

#[pymethods]
impl PyPxarListing {
    fn __iter__(listing: PyRef<'_, Self>) -> PyRef<'_, Self> {
        listing
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<PyPxarEntry>> {
        py.detach(|| {
            let mut decoder = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                match decoder.next_event().map_err(from_pxar)? {
                    Some(Event::Entry(entry)) => return Ok(Some(PyPxarEntry::new(decoder.path(), entry))),
                    Some(Event::DirectoryEnd) => {}
                    None => return Ok(None),
                }
            }
        })
    }

    #[getter]
    fn prelude(&self) -> Option<Vec<u8>> {
        let decoder = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
        decoder.prelude().map(<[u8]>::to_vec)
    }
}

/// One entry of an archive.
#[pyclass(name = "PxarEntry", module = "pbstore._core", frozen, get_all)]
struct PyPxarEntry {
    path: Vec<u8>,
    kind: char,
    mode: u64,
    flags: u64,
    uid: u32,
    gid: u32,
    mtime_seconds: i64,
    mtime_nanoseconds: u32,
    size: u64,
    link_target: Option<Vec<u8>>,
    device: Option<(u64, u64)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    has_acl: bool,
    fcaps: Option<Vec<u8>>,
    quota_project_id: Option<u64>,
}

impl PyPxarEntry {
    fn new(path: &[u8], entry: Entry) -> Self {
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
            link_target,
            device: device.map(|device| (device.major, device.minor)),
            has_acl: !metadata.acl.is_empty(),
            xattrs: metadata.xattrs.into_iter().map(|xattr| (xattr.name, xattr.value)).collect(),
            fcaps: metadata.fcaps,
            quota_project_id: metadata.quota_project_id,
        }
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
            let entries = reader.directory(offset).map_err(from_pxar)?;
            let named = |entry: &CatalogEntry| PyCatalogEntry::new([trimmed, b"/", &entry.name].concat(), entry);
            Ok(Some(entries.iter().map(named).collect()))
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
