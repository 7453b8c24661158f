//! Archives of directory trees.

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pbstore_pxar::catalog::{CatalogSink, CatalogWriter};
use pbstore_pxar::{
    create_archive, create_split_archive, CreateOptions, CreateStats, Pattern, PlainPayload, PxarError,
};
use pyo3::prelude::*;

use super::caller::Caller;
use super::features::features;
use super::{from_io, from_pxar, PyPxarStats};
use crate::errors::exceptions;

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(create_pxar, module)?)
}

/// A file that did not exist before, and that does not stay unless it is kept.
struct NewFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl NewFile {
    fn create(path: PathBuf) -> PyResult<Self> {
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o640);
        let file = options.open(&path).map_err(|error| from_io("failed to create", &path, &error))?;
        Ok(Self { path, file, is_kept: false })
    }

    fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // What led here is the error to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes a version 1 archive, and the catalog of one archive if `catalog` is a file.
fn create_plain(
    source: &Path,
    archive: &NewFile,
    catalog: Option<&NewFile>,
    options: &CreateOptions,
    caller: &mut Caller,
) -> Result<CreateStats, PxarError> {
    let Some(catalog) = catalog else { return create_archive(source, &archive.file, None, options, caller) };
    let mut writer = CatalogWriter::new(BufWriter::new(&catalog.file))?;
    writer.start_archive(archive.path.file_name().unwrap_or_default().as_encoded_bytes())?;
    let sink: &mut dyn CatalogSink = &mut writer;
    let stats = create_archive(source, &archive.file, Some(sink), options, caller)?;
    writer.end_archive()?;
    writer.finish()?;
    Ok(stats)
}

#[pyfunction]
#[pyo3(signature = (
    source, archive_path, *, payload_path=None, catalog_path=None, exclude=Vec::new(), skip_lost_and_found=false,
    all_file_systems=false, include_devices=Vec::new(), skip_e2big_xattr=false, entries_max=1_048_576, without=Vec::new(),
    warn=None
))]
#[allow(clippy::too_many_arguments)]
fn create_pxar(
    py: Python<'_>,
    source: PathBuf,
    archive_path: PathBuf,
    payload_path: Option<PathBuf>,
    catalog_path: Option<PathBuf>,
    exclude: Vec<Vec<u8>>,
    skip_lost_and_found: bool,
    all_file_systems: bool,
    include_devices: Vec<u64>,
    skip_e2big_xattr: bool,
    entries_max: usize,
    without: Vec<String>,
    warn: Option<Py<PyAny>>,
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
        held_files_max: None,
    };
    if payload_path.is_some() && catalog_path.is_some() {
        return Err(exceptions::PbstoreError::new_err("a split archive has no catalog"));
    }
    py.detach(|| {
        let archive = NewFile::create(archive_path)?;
        let payload = payload_path.map(NewFile::create).transpose()?;
        let catalog = catalog_path.map(NewFile::create).transpose()?;
        let mut caller = Caller::new().warning(warn);
        let result = match &payload {
            Some(payload) => {
                let sink = &mut PlainPayload(&payload.file);
                create_split_archive(&source, &archive.file, sink, None, &options, &mut caller)
            }
            None => create_plain(&source, &archive, catalog.as_ref(), &options, &mut caller),
        };
        let (stats, warnings) = caller.outcome(result)?;
        [Some(archive), payload, catalog].into_iter().flatten().for_each(NewFile::keep);
        let (entry_count, file_bytes) = (stats.entry_count, stats.file_bytes);
        let archive_bytes = stats.archive_bytes + stats.payload_bytes;
        Ok(PyPxarStats { entry_count, file_bytes, archive_bytes, warnings })
    })
}
