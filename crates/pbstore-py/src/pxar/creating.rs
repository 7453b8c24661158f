//! Archives of directory trees.

use std::fs::File;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pbstore_pxar::catalog::{CatalogSink, CatalogWriter};
use pbstore_pxar::{create_archive, CreateOptions, Pattern, PxarError};
use pyo3::prelude::*;

use super::caller::Caller;
use super::features::features;
use super::{from_io, from_pxar, PyPxarStats};

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(create_pxar, module)?)
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
