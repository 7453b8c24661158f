//! A session as Python sees it: calls, uploads, restores.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pbstore_format::{DynamicIndex, FixedIndex, Index};
use pbstore_pxar::{CreateOptions, ExtractOptions, Flags, Pattern};
use pbstore_wire::client::{self, Archive, Call, CatalogUpload, ClientError, ImageSource, SealOptions, TreeOptions};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::progress::{counters, PyProgress};
use super::{from_client, interrupt};
use crate::errors::{exceptions, from_format};
use crate::format::PyCryptKey;
use crate::indexes::{PyDynamicIndex, PyFixedIndex};
use crate::source::{duplicate, Source};

/// Largest answer to a call, unless the caller says otherwise: an index of 100 TiB.
const MAX_ANSWER_BYTES: usize = 1 << 30;
const DEFAULT_AVERAGE_BYTES: usize = 4 << 20;
const DEFAULT_ENTRIES_MAX: usize = 1_048_576;

/// A backup or reader session.
#[pyclass(name = "Session", module = "pbstore._core", frozen)]
pub(crate) struct PySession {
    pub(super) inner: Arc<client::Session>,
}

/// The catalog of a backup session.
#[pyclass(name = "CatalogUpload", module = "pbstore._core", frozen)]
pub(crate) struct PyCatalogUpload {
    session: Arc<client::Session>,
    inner: Mutex<Option<CatalogUpload>>,
}

/// What an upload did.
#[pyclass(name = "UploadStats", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyUploadStats {
    chunk_count: u64,
    size: u64,
    csum: [u8; 32],
    uploaded_bytes: u64,
    compressed_bytes: u64,
    uploaded_chunk_count: u64,
    reused_bytes: u64,
    duration_seconds: f64,
    warnings: Vec<String>,
}

/// What the restore of a tree did.
#[pyclass(name = "RestoreStats", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyRestoreStats {
    size: u64,
    entry_count: u64,
    duration_seconds: f64,
    warnings: Vec<String>,
}

#[pymethods]
impl PySession {
    #[pyo3(signature = (method, path, query="", body=None, content_type=None, *, max_bytes=MAX_ANSWER_BYTES))]
    #[allow(clippy::too_many_arguments)]
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        query: &str,
        body: Option<PyBackedBytes>,
        content_type: Option<&str>,
        max_bytes: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let body = body.map_or_else(Bytes::new, Bytes::from_owner);
        let call = Call::new(method, path, query, content_type, body).map_err(from_client)?;
        let stop = client::Progress::default();
        let answer = interrupt::run(py, &stop, || self.inner.request(call, max_bytes, &stop))?;
        Ok(PyBytes::new(py, &answer))
    }

    #[pyo3(signature = (source, archive_name, *, key, compress=true, previous=None, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn upload_image(
        &self,
        py: Python<'_>,
        source: Source,
        archive_name: &str,
        key: Option<&PyCryptKey>,
        compress: bool,
        previous: Option<&PyFixedIndex>,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyUploadStats> {
        let source = match source {
            Source::Path(path) => ImageSource::Path(path),
            Source::Descriptor(descriptor) => ImageSource::File(duplicate(descriptor)?),
        };
        let (seal, progress) = (seal_options(key, compress), counters(progress));
        let previous = previous.map(|index| &index.inner);
        let stats = interrupt::run(py, &progress, || {
            client::upload_image(&self.inner, source, archive_name, &seal, previous, &progress)
        })?;
        Ok(stats.into())
    }

    #[pyo3(signature = (*, key, compress=true))]
    fn start_catalog(&self, py: Python<'_>, key: Option<&PyCryptKey>, compress: bool) -> PyResult<PyCatalogUpload> {
        let (seal, progress) = (seal_options(key, compress), counters(None));
        let catalog = interrupt::run(py, &progress, || CatalogUpload::start(&self.inner, &seal, &progress))?;
        Ok(PyCatalogUpload { session: Arc::clone(&self.inner), inner: Mutex::new(Some(catalog)) })
    }

    #[pyo3(signature = (source, archive_name, *, key, compress=true, previous=None, catalog=None, exclude=Vec::new(),
        include_devices=Vec::new(), all_file_systems=false, skip_lost_and_found=false, skip_e2big_xattr=false,
        entries_max=DEFAULT_ENTRIES_MAX, chunk_size=DEFAULT_AVERAGE_BYTES, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn upload_tree(
        &self,
        py: Python<'_>,
        source: PathBuf,
        archive_name: &str,
        key: Option<&PyCryptKey>,
        compress: bool,
        previous: Option<&PyDynamicIndex>,
        catalog: Option<&PyCatalogUpload>,
        exclude: Vec<OsString>,
        include_devices: Vec<u64>,
        all_file_systems: bool,
        skip_lost_and_found: bool,
        skip_e2big_xattr: bool,
        entries_max: usize,
        chunk_size: usize,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyUploadStats> {
        let exclude = exclude.iter().map(|text| Pattern::parse(text.as_bytes())).collect::<Result<_, _>>();
        let create = CreateOptions {
            features: Flags::DEFAULT,
            all_file_systems,
            include_devices,
            exclude: exclude.map_err(|error| exceptions::FormatError::new_err(error.to_string()))?,
            skip_lost_and_found,
            skip_e2big_xattr,
            entries_max,
            held_files_max: None,
        };
        let options = TreeOptions { create, average_bytes: chunk_size };
        let (seal, progress) = (seal_options(key, compress), counters(progress));
        let previous = previous.map(|index| &index.inner);
        let stats = interrupt::run(py, &progress, || {
            let upload = |catalog: &mut Option<CatalogUpload>| {
                client::upload_tree(&self.inner, &source, archive_name, &seal, previous, catalog, &options, &progress)
            };
            match catalog {
                Some(catalog) => upload(&mut catalog.inner.lock().unwrap_or_else(PoisonError::into_inner)),
                None => upload(&mut None),
            }
        })?;
        Ok(stats.into())
    }

    #[pyo3(signature = (index, target_fd, *, key, crypt_mode, archive_name="image", progress=None, sparse=true))]
    #[allow(clippy::too_many_arguments)]
    fn restore_image(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        target_fd: RawFd,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
        sparse: bool,
    ) -> PyResult<u64> {
        let index = FixedIndex::parse(Bytes::from_owner(index)).map_err(from_format)?;
        let archive = archive(archive_name, index, crypt_mode, key)?;
        let (target, progress) = (duplicate(target_fd)?, counters(progress));
        interrupt::run(py, &progress, || client::restore_image(&self.inner, archive, target, sparse, &progress))
    }

    #[pyo3(signature = (index, target, *, key, crypt_mode, archive_name="tree", progress=None, overwrite=false,
        overwrite_files=false, overwrite_symlinks=false, overwrite_hardlinks=false, allow_existing_dirs=false,
        ignore_acls=false, ignore_xattrs=false, ignore_ownership=false, ignore_permissions=false,
        ignore_device_errors=false))]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
    fn restore_tree(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        target: PathBuf,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
        overwrite: bool,
        overwrite_files: bool,
        overwrite_symlinks: bool,
        overwrite_hardlinks: bool,
        allow_existing_dirs: bool,
        ignore_acls: bool,
        ignore_xattrs: bool,
        ignore_ownership: bool,
        ignore_permissions: bool,
        ignore_device_errors: bool,
    ) -> PyResult<PyRestoreStats> {
        let ignored = [
            (ignore_acls, Flags::ACL),
            (ignore_xattrs, Flags::XATTRS),
            (ignore_ownership, Flags::OWNERSHIP),
            (ignore_permissions, Flags::PERMISSIONS),
        ];
        let defaults = ExtractOptions::default();
        let features =
            ignored.iter().filter(|(ignore, _)| *ignore).fold(defaults.features, |all, (_, flag)| all.without(*flag));
        let options = ExtractOptions {
            features,
            allow_existing_dirs: allow_existing_dirs || overwrite,
            overwrite_files: overwrite_files || overwrite,
            overwrite_symlinks: overwrite_symlinks || overwrite,
            overwrite_hardlinks: overwrite_hardlinks || overwrite,
            ignore_device_errors,
            ..defaults
        };
        let index = DynamicIndex::parse(Bytes::from_owner(index)).map_err(from_format)?;
        let archive = archive(archive_name, index, crypt_mode, key)?;
        let progress = counters(progress);
        let stats =
            interrupt::run(py, &progress, || client::restore_tree(&self.inner, archive, &target, &options, &progress))?;
        let client::RestoreStats { size, entry_count, duration_seconds, warnings } = stats;
        Ok(PyRestoreStats { size, entry_count, duration_seconds, warnings })
    }

    #[pyo3(signature = (index, target_fd, *, key, crypt_mode, archive_name="archive", progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn restore_stream(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        target_fd: RawFd,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
    ) -> PyResult<u64> {
        let bytes = Bytes::from_owner(index);
        let archive = match FixedIndex::parse(bytes.clone()) {
            Ok(index) => archive(archive_name, index, crypt_mode, key)?,
            Err(_) => archive(archive_name, DynamicIndex::parse(bytes).map_err(from_format)?, crypt_mode, key)?,
        };
        let (target, progress) = (duplicate(target_fd)?, counters(progress));
        interrupt::run(py, &progress, || client::restore_stream(&self.inner, archive, target, &progress))
    }

    fn close(&self) {
        self.inner.close();
    }
}

#[pymethods]
impl PyCatalogUpload {
    fn finish(&self, py: Python<'_>) -> PyResult<PyUploadStats> {
        let gone =
            || ClientError::Local("the catalog is finished already, or was lost when an upload failed".to_owned());
        let stats = interrupt::run(py, &client::Progress::default(), || {
            let catalog = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take();
            catalog.ok_or_else(gone)?.finish(&self.session)
        })?;
        Ok(stats.into())
    }
}

impl From<client::UploadStats> for PyUploadStats {
    fn from(stats: client::UploadStats) -> Self {
        Self {
            chunk_count: stats.chunk_count,
            size: stats.size,
            csum: stats.csum,
            uploaded_bytes: stats.uploaded_bytes,
            compressed_bytes: stats.compressed_bytes,
            uploaded_chunk_count: stats.uploaded_chunk_count,
            reused_bytes: stats.reused_bytes,
            duration_seconds: stats.duration_seconds,
            warnings: stats.warnings,
        }
    }
}

fn seal_options(key: Option<&PyCryptKey>, compress: bool) -> SealOptions {
    SealOptions { key: key.map(|key| key.inner.clone()), compress }
}

fn archive(
    name: &str,
    index: impl Index + Send + Sync + 'static,
    crypt_mode: &str,
    key: Option<&PyCryptKey>,
) -> PyResult<Archive> {
    let mode = crypt_mode.parse().map_err(from_client)?;
    Archive::new(name.to_owned(), Box::new(index), mode, key.map(|key| key.inner.clone())).map_err(from_client)
}
